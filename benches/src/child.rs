//! The program under test as a process of its own, so that what it uses is its own alone: this
//! program again, in another role, with one JSON object a line on its standard input and output.

use std::io::{self, BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A running child.
#[derive(Debug)]
pub struct Served {
    child: Child,
    requests: Option<ChildStdin>,
    replies: BufReader<ChildStdout>,
}

impl Served {
    /// Starts this program with `args` and waits until it says that it is ready.
    ///
    /// # Errors
    /// A sentence where it does not start.
    pub fn start(args: &[&str]) -> Result<Self, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| error.to_string())?;
        let requests = child.stdin.take();
        let replies = child
            .stdout
            .take()
            .ok_or("invariant: the output is piped")?;
        let mut served = Self {
            child,
            requests,
            replies: BufReader::new(replies),
        };
        served.reply()?;
        Ok(served)
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Hands it an SDP offer; returns its answer.
    ///
    /// # Errors
    /// A sentence where it refuses or is gone.
    pub fn answer(&mut self, offer: &str) -> Result<String, String> {
        self.ask(&json!({ "offer": offer }), "answer")
    }

    /// Its metrics in Prometheus's text format; empty where it has none.
    ///
    /// # Errors
    /// A sentence where it is gone.
    pub fn metrics(&mut self) -> Result<String, String> {
        self.ask(&json!({ "metrics": true }), "metrics")
    }

    fn ask(&mut self, request: &Value, wanted: &str) -> Result<String, String> {
        let requests = self
            .requests
            .as_mut()
            .ok_or("invariant: the input is open")?;
        writeln!(requests, "{request}").map_err(|error| error.to_string())?;
        let reply = self.reply()?;
        match reply.get(wanted).and_then(Value::as_str) {
            Some(text) => Ok(text.to_owned()),
            None => Err(format!("the process under test replied {reply}")),
        }
    }

    fn reply(&mut self) -> Result<Value, String> {
        let mut line = String::new();
        let read = self
            .replies
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
        if read == 0 {
            return Err("the process under test has ended".to_owned());
        }
        serde_json::from_str(&line).map_err(|error| format!("{error} in {line:?}"))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // The end of its input ends it; a child that hangs must not outlive the measurement.
        self.requests = None;
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a child is asked.
#[derive(Debug)]
pub enum Request {
    /// To answer this SDP offer.
    Offer(String),
    /// For its metrics.
    Metrics,
}

/// In the child: says that it is ready, then answers requests with `handle` until the parent is
/// gone.
///
/// # Errors
/// Where the parent's pipes fail.
pub fn serve(mut handle: impl FnMut(Request) -> Result<String, String>) -> io::Result<()> {
    say(&json!({ "ready": true }))?;
    for line in io::stdin().lock().lines() {
        let line: Value = serde_json::from_str(&line?).unwrap_or_default();
        let (request, key) = match line.get("offer").and_then(Value::as_str) {
            Some(offer) => (Request::Offer(offer.to_owned()), "answer"),
            None => (Request::Metrics, "metrics"),
        };
        match handle(request) {
            Ok(text) => say(&json!({ key: text }))?,
            Err(why) => say(&json!({ "error": why }))?,
        }
    }
    Ok(())
}

fn say(reply: &Value) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{reply}")?;
    out.flush()
}

/// The sum of the samples of `name` (all labels) in Prometheus's text format.
pub fn metric(text: &str, name: &str) -> f64 {
    text.lines()
        .filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            if !rest.starts_with(['{', ' ']) {
                return None;
            }
            rest.rsplit_once(' ')?.1.parse::<f64>().ok()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_summed_over_its_labels() {
        let text = "# TYPE a counter\na 3\na_b 9\na{x=\"y\"} 4\n";
        assert_eq!(metric(text, "a"), 7.0);
        assert_eq!(metric(text, "c"), 0.0);
    }
}
