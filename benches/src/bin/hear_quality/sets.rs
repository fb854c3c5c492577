//! What is measured, and how one row comes about.

use std::path::Path;
use std::sync::Arc;

use antiphon_providers::hear::HearContext;
use antiphon_providers::hear::pocketsphinx::{Measured, PocketSphinx};

use crate::material::{Recording, recordings};
use crate::phrases;
use crate::scoring::{has_slot, slots, word_errors, words};

/// Recordings and the agent that listens to them.
pub(crate) struct Set {
    /// Name of the row.
    pub(crate) name: String,
    /// The agent's vocabulary.
    context: HearContext,
    recordings: Vec<Recording>,
    /// One call for each speaker instead of one for each recording.
    call_per_speaker: bool,
    /// Highest word error rate that is acceptable, in percent.
    pub(crate) bar: Option<f64>,
}

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    /// Name of the row.
    pub(crate) name: String,
    /// Recordings.
    pub(crate) files: usize,
    /// Words said.
    pub(crate) words: usize,
    /// Words misheard.
    pub(crate) errors: usize,
    /// Slots said and slots heard, for the coffee orders.
    pub(crate) slots: Option<(usize, usize)>,
    /// The bar, in percent.
    pub(crate) bar: Option<f64>,
    /// Processor time against time.
    pub(crate) real_time_factor: f64,
    /// Times to the final in ms, sorted.
    pub(crate) final_ms: Vec<f64>,
    /// Times to the first partial in ms, sorted.
    pub(crate) first_partial_ms: Vec<f64>,
}

/// All sets, in the order of the table.
pub(crate) fn sets(material: &Path) -> Result<Vec<Set>, String> {
    wanted().into_iter().map(|row| row.read(material)).collect()
}

/// A row of the table before its recordings are read.
struct Wanted {
    name: &'static str,
    folder: &'static str,
    context: HearContext,
    call_per_speaker: bool,
    bar: Option<f64>,
}

fn wanted() -> Vec<Wanted> {
    let agent = |name: &str, phrases: Vec<String>, closed: bool| HearContext {
        agent: name.to_owned(),
        phrases: Arc::new(phrases),
        closed,
    };
    let none = HearContext::default;
    let forms = || agent("forms", phrases::form_filling(), true);
    let cafe = |closed| agent("cafe", phrases::coffee_orders(), closed);
    let booking = agent("booking", phrases::booking(), false);
    let (an4, libri) = ("an4-train", "librispeech-train-clean");
    let (google, coffee) = ("google-samples", "coffee-commands");
    vec![
        want("an4-train, its vocabulary declared", an4, forms()).bar(17.0),
        want("an4-train, the same, one call per speaker", an4, forms()).one_call(),
        want(libri, libri, none()).bar(20.0),
        want(
            "librispeech-train-clean, one call per speaker",
            libri,
            none(),
        )
        .one_call(),
        want(google, google, none()).bar(15.0),
        want("google-samples, a booking agent", google, booking),
        want("jfk", "jfk", none()),
        want("common-voice-howl", "common-voice-howl", none()),
        want("mfa-tests (English)", "mfa-tests", none()),
        want("pocketsphinx", "pocketsphinx", none()),
        want("coffee-commands, a cafe agent", coffee, cafe(false)),
        want("coffee-commands, the same, closed", coffee, cafe(true)),
    ]
}

fn want(name: &'static str, folder: &'static str, context: HearContext) -> Wanted {
    Wanted {
        name,
        folder,
        context,
        call_per_speaker: false,
        bar: None,
    }
}

impl Wanted {
    fn bar(mut self, percent: f64) -> Self {
        self.bar = Some(percent);
        self
    }

    fn one_call(mut self) -> Self {
        self.call_per_speaker = true;
        self
    }

    fn read(self, material: &Path) -> Result<Set, String> {
        let mut recordings = recordings(material, self.folder)?;
        recordings
            .retain(|recording| is_english(recording) && !recording.transcript.contains("<unk>"));
        recordings.sort_by(|a, b| (&a.speaker, &a.name).cmp(&(&b.speaker, &b.name)));
        Ok(Set {
            name: self.name.to_owned(),
            context: self.context,
            recordings,
            call_per_speaker: self.call_per_speaker,
            bar: self.bar,
        })
    }
}

/// The Swedish and Japanese recordings of `mfa-tests` are left out.
fn is_english(recording: &Recording) -> bool {
    !recording.name.starts_with("se10x016") && !recording.name.contains("_ja_")
}

/// Recognizes all of a set's recordings that have a transcript or slots.
pub(crate) fn rows(recognizer: &PocketSphinx, set: &Set, print_words: bool) -> Result<Row, String> {
    let mut measurement = recognizer
        .measure(&set.context)
        .map_err(|error| error.to_string())?;
    let mut row = Row {
        name: set.name.clone(),
        files: 0,
        words: 0,
        errors: 0,
        slots: None,
        bar: set.bar,
        real_time_factor: 0.0,
        final_ms: Vec::new(),
        first_partial_ms: Vec::new(),
    };
    let (mut cpu_s, mut audio_s) = (0.0, 0.0);
    let mut speaker = None;
    for recording in &set.recordings {
        let slots = slots(&recording.note);
        if recording.transcript.is_empty() && slots.is_empty() {
            continue;
        }
        if !set.call_per_speaker || speaker != Some(&recording.speaker) {
            measurement.new_call();
            speaker = Some(&recording.speaker);
        }
        let measured = measurement
            .utterance(&recording.pcm)
            .map_err(|error| error.to_string())?;
        cpu_s += measured.cpu_s;
        audio_s += recording.pcm.len() as f64 / 16_000.0;
        score(&mut row, recording, &slots, &measured, print_words);
    }
    row.real_time_factor = cpu_s / audio_s;
    row.final_ms.sort_by(f64::total_cmp);
    row.first_partial_ms.sort_by(f64::total_cmp);
    Ok(row)
}

fn score(
    row: &mut Row,
    recording: &Recording,
    slots: &[Vec<String>],
    measured: &Measured,
    print_words: bool,
) {
    let heard = words(&measured.text);
    row.files += 1;
    row.final_ms.push(measured.final_s * 1_000.0);
    row.first_partial_ms
        .extend(measured.first_partial_s.map(|seconds| seconds * 1_000.0));
    let mut missed = 0;
    if slots.is_empty() {
        let reference = words(&recording.transcript);
        missed = word_errors(&reference, &heard);
        row.words += reference.len();
        row.errors += missed;
    } else {
        let found = slots.iter().filter(|value| has_slot(&heard, value)).count();
        let (said, got) = row.slots.unwrap_or_default();
        row.slots = Some((said + slots.len(), got + found));
        missed += slots.len() - found;
    }
    if print_words && missed > 0 {
        let slots: Vec<String> = slots.iter().map(|slot| slot.join(" ")).collect();
        println!(
            "{missed} {} | {} {} | {}",
            recording.name,
            recording.transcript,
            slots.join(", "),
            measured.text
        );
    }
}
