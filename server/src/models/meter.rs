//! How far a download is: a bar on a terminal, a line now and then elsewhere.

use std::time::{Duration, Instant};

use antiphon_providers::models::Progress;
use indicatif::{ProgressBar, ProgressStyle};

use super::size;

/// Least time between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// The bar: what is done, the rate and the time left.
const BAR: &str =
    "{msg:24!} [{bar:30}] {bytes:>10} of {total_bytes} {bytes_per_sec:>12} {eta:>4} left";

/// Shows how far a download is.
pub(super) struct Meter {
    terminal: bool,
    bar: Option<ProgressBar>,
    name: String,
    bytes: u64,
    /// Bytes that were there when this run began, and when that was.
    begun: Option<(u64, Instant)>,
    said: Instant,
}

impl Meter {
    pub(super) fn new(terminal: bool) -> Self {
        Self {
            terminal,
            bar: None,
            name: String::new(),
            bytes: 0,
            begun: None,
            said: Instant::now(),
        }
    }

    pub(super) fn show(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::File { name, bytes } => self.file(name, bytes),
            Progress::Got { bytes } => self.got(bytes),
            Progress::StartedOver => self.say("it is fetched from its start"),
            Progress::Waiting { reason, wait } => {
                self.say(&format!("{reason}; again in {:.1} s", wait.as_secs_f64()));
            }
            Progress::Unpacking => self.say("unpacking"),
        }
    }

    pub(super) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    fn file(&mut self, name: &str, bytes: u64) {
        self.end();
        name.clone_into(&mut self.name);
        self.bytes = bytes;
        self.begun = None;
        if self.terminal {
            let bar = ProgressBar::new(bytes);
            // The template is fixed, and a test reads it.
            if let Ok(style) = ProgressStyle::with_template(BAR) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar.set_message(self.name.clone());
            self.bar = Some(bar);
        }
    }

    fn got(&mut self, bytes: u64) {
        let first = self.begun.is_none();
        let (from, since) = *self.begun.get_or_insert((bytes, Instant::now()));
        if let Some(bar) = &self.bar {
            if first {
                // What earlier runs fetched says nothing of today's rate.
                bar.reset_eta();
            }
            bar.set_position(bytes);
            return;
        }
        if bytes < self.bytes && self.said.elapsed() < LINE_EVERY {
            return;
        }
        self.said = Instant::now();
        eprintln!(
            "{}",
            line(&self.name, from, bytes, self.bytes, since.elapsed())
        );
    }

    fn say(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(format!("{}: {text}", self.name)),
            None => eprintln!("{}: {text}", self.name),
        }
    }
}

/// A line of progress, with the rate of this run and the time left at that rate.
fn line(name: &str, from: u64, bytes: u64, total: u64, passed: Duration) -> String {
    let percent = bytes * 100 / total.max(1);
    let rate = bytes.saturating_sub(from) as f64 / passed.as_secs_f64().max(0.001);
    let mut line = format!("{name}: {percent} % of {}", size(total));
    if rate > 0.0 && bytes < total {
        let left_s = (total - bytes) as f64 / rate;
        line.push_str(&format!(", {}/s, {left_s:.0} s left", size(rate as u64)));
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_say_rate_and_time_left() {
        for (from, bytes, seconds, said) in [
            (0, 50_000_000, 5, "a.bin: 50 % of 100 MB, 10 MB/s, 5 s left"),
            (
                40_000_000,
                50_000_000,
                5,
                "a.bin: 50 % of 100 MB, 2.0 MB/s, 25 s left",
            ),
            (0, 100_000_000, 5, "a.bin: 100 % of 100 MB"),
            (0, 0, 0, "a.bin: 0 % of 100 MB"),
        ] {
            let passed = Duration::from_secs(seconds);
            assert_eq!(line("a.bin", from, bytes, 100_000_000, passed), said);
        }
    }

    #[test]
    fn the_bar_can_be_drawn() {
        assert!(ProgressStyle::with_template(BAR).is_ok());
    }
}
