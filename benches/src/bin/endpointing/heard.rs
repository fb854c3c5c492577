//! What the embedded recognizer makes of each stretch of speech, remembered between runs.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use antiphon_providers::hear::HearContext;
use antiphon_providers::hear::pocketsphinx::{PocketSphinx, PocketSphinxConfig};

use crate::material::Clip;

/// Audio given to the recognizer before the onset and after the end, in milliseconds, as in a call
/// (`runtime/src/ears.rs`).
const BEFORE_MS: i64 = 220;
const AFTER_MS: i64 = 200;

/// Words by clip and onset.
pub(crate) type Heard = BTreeMap<(String, i64), String>;

/// Recognizes every stretch of `clips` that is not remembered. Takes about a third of their length
/// the first time; afterwards nothing. The memory is a file in the temporary folder.
pub(crate) fn heard(clips: &[&Clip]) -> Result<Heard, String> {
    let memory = std::env::var_os("ANTIPHON_ENDPOINTING_HEARD").map_or_else(
        || std::env::temp_dir().join("antiphon-endpointing-heard.tsv"),
        PathBuf::from,
    );
    let mut known = remembered(&memory);
    let missing: Vec<&Clip> = clips
        .iter()
        .copied()
        .filter(|clip| {
            let has = |onset| known.contains_key(&(clip.path.clone(), onset));
            clip.stretches.iter().any(|s| !has(s.onset_ms))
        })
        .collect();
    if !missing.is_empty() {
        known.extend(recognize(&missing)?);
        let lines: Vec<String> = known
            .iter()
            .map(|((path, onset), text)| format!("{path}\t{onset}\t{text}"))
            .collect();
        fs::write(&memory, lines.join("\n"))
            .map_err(|error| format!("{}: {error}", memory.display()))?;
    }
    Ok(known)
}

fn remembered(memory: &PathBuf) -> Heard {
    let text = fs::read_to_string(memory).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut fields = line.splitn(3, '\t');
            let (path, onset, text) = (fields.next()?, fields.next()?, fields.next()?);
            Some(((path.to_owned(), onset.parse().ok()?), text.to_owned()))
        })
        .collect()
}

fn recognize(clips: &[&Clip]) -> Result<Heard, String> {
    let recognizer =
        PocketSphinx::new(PocketSphinxConfig::default()).map_err(|error| error.to_string())?;
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Heard::new());
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|_| scope.spawn(|| work(&recognizer, clips, &next, &found)))
            .collect();
        workers.into_iter().try_for_each(|worker| {
            worker
                .join()
                .map_err(|_| "a recognizing thread panicked".to_owned())?
        })
    })?;
    found
        .into_inner()
        .map_err(|_| "a recognizing thread panicked".to_owned())
}

fn work(
    recognizer: &PocketSphinx,
    clips: &[&Clip],
    next: &AtomicUsize,
    found: &Mutex<Heard>,
) -> Result<(), String> {
    let mut measurement = recognizer
        .measure(&HearContext::default())
        .map_err(|error| error.to_string())?;
    while let Some(clip) = clips.get(next.fetch_add(1, Ordering::Relaxed)) {
        measurement.new_call();
        for stretch in &clip.stretches {
            let sample = |ms: i64| (ms.max(0) as usize * 16).min(clip.pcm.len());
            let from = sample(stretch.onset_ms - BEFORE_MS);
            let to = sample(stretch.end_ms + AFTER_MS).max(from);
            let text = measurement
                .utterance(&clip.pcm[from..to])
                .map_err(|error| error.to_string())?
                .text;
            found
                .lock()
                .expect("invariant: no recognizing thread panics with the lock")
                .insert((clip.path.clone(), stretch.onset_ms), text);
        }
    }
    Ok(())
}
