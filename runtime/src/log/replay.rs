//! Feeding a log to an engine.

use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};

use antiphon_engine::{Engine, Input, Output};
use antiphon_proto::Moment;

use super::proof::Proof;
use super::{Ending, LogError, LogReader};

/// One input and what the engine made of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Which record of the log, from 1.
    pub record: u64,
    /// When.
    pub at: Moment,
    /// The input.
    pub input: Input,
    /// What the engine put out, in order.
    pub outputs: Vec<Output>,
}

/// A log that was replayed.
#[derive(Clone, Debug, PartialEq)]
pub struct Replayed {
    /// Inputs fed.
    pub inputs: u64,
    /// Outputs.
    pub outputs: u64,
    /// SHA-256 over them, in hexadecimal.
    pub sha256: String,
    /// The time of the last input.
    pub last_at: Moment,
    /// How the log ended; `None` where the replay was stopped before.
    pub ending: Option<Ending>,
    /// The first input whose outputs are not those of the recorded call.
    pub difference: Option<Difference>,
}

/// Where a replay first differs from its log.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// At this input. The outputs are those of now; the log has a check of those of then.
    At(Box<Step>),
    /// The hash over all outputs differs though each check is the same.
    Somewhere,
}

/// What a replay proved.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// Every output of the whole call is the same, byte for byte.
    Identical,
    /// The outputs of every input fed but the last are the same by their checks; the log or the
    /// replay went no further.
    IdenticalSoFar,
    /// Some output differs.
    Different(Difference),
}

impl Replayed {
    /// What it proved.
    pub fn verdict(&self) -> Verdict {
        match (&self.difference, &self.ending) {
            (Some(difference), _) => Verdict::Different(difference.clone()),
            (None, Some(Ending::Whole(_))) => Verdict::Identical,
            (None, Some(Ending::Cut { .. }) | None) => Verdict::IdenticalSoFar,
        }
    }
}

/// Feeds the records of a log, up to and with `until`, to an engine of its settings. `on_step` sees
/// each input with its outputs.
///
/// # Errors
/// [`LogError`].
pub fn replay<R: Read>(
    log: &mut LogReader<R>,
    until: Option<Moment>,
    mut on_step: impl FnMut(&Step),
) -> Result<Replayed, LogError> {
    let mut engine = Engine::new(log.header().config.clone());
    let mut proof = Proof::new();
    let mut difference = None;
    let mut last: Option<Step> = None;
    let (mut inputs, mut last_at) = (0, Moment(0));
    let mut stopped = false;
    while let Some(record) = log.next_record()? {
        compare(&mut proof, record.check, &mut last, &mut difference);
        if until.is_some_and(|until| record.at > until) {
            stopped = true;
            break;
        }
        inputs += 1;
        let step = Step {
            record: inputs,
            at: record.at,
            outputs: feed(&mut engine, &record.input, record.at, inputs)?,
            input: record.input,
        };
        step.outputs.iter().for_each(|output| proof.add(output));
        on_step(&step);
        last_at = step.at;
        last = Some(step);
    }
    let ending = log.ending().filter(|_| !stopped).cloned();
    if let Some(Ending::Whole(trailer)) = &ending {
        compare(&mut proof, trailer.check, &mut last, &mut difference);
        let same = (trailer.outputs, &trailer.sha256) == (proof.outputs(), &proof.sha256());
        if !same && difference.is_none() {
            difference = Some(Difference::Somewhere);
        }
    }
    Ok(Replayed {
        inputs,
        outputs: proof.outputs(),
        sha256: proof.sha256(),
        last_at,
        ending,
        difference,
    })
}

/// Holds the check of the last step's outputs against the log's.
fn compare(
    proof: &mut Proof,
    check: u16,
    last: &mut Option<Step>,
    difference: &mut Option<Difference>,
) {
    if proof.take_check() != check && difference.is_none() {
        *difference = Some(
            last.take()
                .map_or(Difference::Somewhere, |step| Difference::At(Box::new(step))),
        );
    }
}

fn feed(
    engine: &mut Engine,
    input: &Input,
    at: Moment,
    record: u64,
) -> Result<Vec<Output>, LogError> {
    let input = input.clone();
    // A log may be there because its engine failed: say where, instead of failing too.
    catch_unwind(AssertUnwindSafe(|| {
        engine.handle_input(input, at);
        std::iter::from_fn(|| engine.poll_output()).collect()
    }))
    .map_err(|_| LogError::EnginePanicked { record })
}
