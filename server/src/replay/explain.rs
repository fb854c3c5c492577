//! Each decision with its reason and what led to it.

use std::collections::VecDeque;
use std::io::{self, Write};

use antiphon_engine::Output;
use antiphon_proto::Moment;
use antiphon_runtime::log::Step;
use serde_json::Value;

use super::facts::{json, kind, printable, seconds, text};

/// Inputs shown for a decision: the last ones before it.
const LED_BY_MAX: usize = 12;
/// Characters shown of a text.
const TEXT_CHARS_MAX: usize = 100;

/// Remembers the inputs since the last decision.
#[derive(Default)]
pub(super) struct Explainer {
    inputs: VecDeque<Run>,
    earlier: usize,
    decided: usize,
}

/// Inputs of one kind in a row, of which the last says the most.
struct Run {
    times: usize,
    at: Moment,
    last: Value,
}

impl Explainer {
    pub(super) fn print(&mut self, step: &Step, out: &mut impl Write) -> io::Result<()> {
        self.note(step);
        let mut decided = false;
        for output in &step.outputs {
            if matches!(output, Output::Decided { .. }) {
                let output = json(output);
                let (decision, why) = (text(&output, "decision"), text(&output, "why"));
                writeln!(
                    out,
                    "{:>9}  {decision}: {}",
                    seconds(step.at),
                    printable(why)
                )?;
                decided = true;
                self.decided += 1;
            }
        }
        if decided {
            for line in self.led_by() {
                writeln!(out, "             {line}")?;
            }
            self.forget();
        }
        Ok(())
    }

    /// Takes a step up, for [`Explainer::led_by`].
    pub(super) fn note(&mut self, step: &Step) {
        let input = json(&step.input);
        // They come all the time and decide nothing by themselves.
        if matches!(kind(&input), "heard" | "meter_second" | "segment_marks") {
            return;
        }
        if let Some(run) = self.inputs.back_mut()
            && kind(&run.last) == kind(&input)
        {
            (run.times, run.at, run.last) = (run.times + 1, step.at, input);
            return;
        }
        if self.inputs.len() >= LED_BY_MAX {
            let run = self.inputs.pop_front();
            self.earlier += run.map_or(0, |run| run.times);
        }
        self.inputs.push_back(Run {
            times: 1,
            at: step.at,
            last: input,
        });
    }

    /// The last line.
    pub(super) fn end(&self, out: &mut impl Write) -> io::Result<()> {
        match self.decided {
            0 => writeln!(out, "nothing was decided"),
            decided => writeln!(out, "{decided} decisions"),
        }
    }

    /// The inputs since the last decision, as lines.
    pub(super) fn led_by(&self) -> Vec<String> {
        let mut lines = Vec::with_capacity(self.inputs.len() + 1);
        if self.earlier > 0 {
            lines.push(format!("after {} earlier inputs", self.earlier));
        }
        lines.extend(
            self.inputs
                .iter()
                .map(|run| format!("after {} {}", seconds(run.at), one_line(run))),
        );
        lines
    }

    /// Forgets what led to a decision that was taken.
    pub(super) fn forget(&mut self) {
        self.inputs.clear();
        self.earlier = 0;
    }
}

/// `transcript_final utterance=1 text="go on"`.
fn one_line(run: &Run) -> String {
    let mut line = kind(&run.last).to_owned();
    if run.times > 1 {
        line += &format!(" ×{}, last", run.times);
    }
    for (name, value) in run.last.as_object().into_iter().flatten() {
        let value = match value {
            _ if name == "type" => continue,
            // Points in session time.
            Value::Number(_) if matches!(name.as_str(), "onset" | "end") => {
                format!("{} s", seconds(Moment(value.as_u64().unwrap_or_default())))
            }
            Value::String(text) if text.chars().count() > TEXT_CHARS_MAX => {
                let head: String = text.chars().take(TEXT_CHARS_MAX).collect();
                Value::String(format!("{head}…")).to_string()
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_) => value.to_string(),
        };
        line += &format!(" {name}={}", printable(&value));
    }
    line
}
