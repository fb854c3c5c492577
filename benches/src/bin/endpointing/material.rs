//! The recordings, set by set, and the pauses in them.

use std::fs;
use std::path::{Path, PathBuf};

use antiphon_audio::prosody::ProsodyTracker;
use serde_json::Value;

use crate::labels::{self, End, Labelled, Span};
use crate::listen::{Stretch, load, stretches};

/// Sets that are only trained on: none is in what is reported.
pub(crate) const TRAINED_ON: [&str; 13] = [
    "A_stt/an4-train",
    "A_stt/coffee-commands",
    "A_stt/common-voice-howl",
    "A_stt/google-samples",
    "A_stt/librispeech-train-clean",
    "A_stt/ljspeech",
    "A_stt/mfa-tests",
    "A_stt/picovoice",
    "A_stt/pocketsphinx",
    "A_stt/short-keywords",
    "B_turns/easy-turn",
    "D_speakers/librispeech-train-clean-impostors",
    "D_speakers/vctk-4spk",
];

/// Sets that are reported on.
pub(crate) const REPORTED_ON: [&str; 5] = [
    "B_turns/speechmatics-turns",
    "B_turns/aws-call-centre",
    "B_turns/ami-30s",
    "B_turns/mfa-disfluency",
    "B_turns/librispeech-8629-wordalign",
];

/// LibriSpeech cuts at silences, not at ends of sentences. These end one and the next file begins
/// another (read off the alignment's text).
const LIBRISPEECH_COMPLETE: [&str; 3] = ["0008", "0010", "0017"];
/// These end within a sentence.
const LIBRISPEECH_BROKEN_OFF: [&str; 2] = ["0005", "0006"];

/// One channel of one recording.
pub(crate) struct Clip {
    /// Set it belongs to, as a folder.
    pub(crate) set: &'static str,
    /// Path below the material.
    pub(crate) path: String,
    /// The call that it is part of: one speaker's clips follow each other as in a call.
    pub(crate) call: String,
    /// 16 kHz mono.
    pub(crate) pcm: Vec<i16>,
    /// Its stretches of speech.
    pub(crate) stretches: Vec<Stretch>,
    /// Its pauses.
    pub(crate) labelled: Vec<Labelled>,
    /// Words with their begin and end in milliseconds, where the set has them.
    pub(crate) words: Vec<(i64, i64, String)>,
    /// What is said in the whole clip, where only that is known.
    pub(crate) transcript: String,
}

/// The clips of one set with at least one pause.
pub(crate) fn clips(material: &Path, set: &'static str) -> Result<Vec<Clip>, String> {
    let mut found = listened(&material.join(set), set)?;
    match set {
        "B_turns/aws-call-centre" => call(&mut found),
        "B_turns/ami-30s" => {
            let spans = rttm(&material.join(set).join("debug.train.rttm"))?;
            for clip in &mut found {
                let stem = stem(&clip.path);
                let own: Vec<Span> = spans
                    .iter()
                    .filter(|(file, _)| file == stem)
                    .map(|(_, span)| span.clone())
                    .collect();
                clip.labelled = labels::diarized(&clip.stretches, &own);
            }
        }
        "B_turns/speechmatics-turns" => speechmatics(&mut found, &material.join(set))?,
        "B_turns/librispeech-8629-wordalign" => {
            aligned(
                &mut found,
                &material.join(set).join("8629-261140.alignment.txt"),
            )?;
        }
        _ => {
            for clip in &mut found {
                clip.labelled = labels::single(&clip.stretches, end_of(set, &clip.path), None);
            }
        }
    }
    let transcripts = transcripts(material)?;
    for clip in &mut found {
        if let Some((_, text)) = transcripts.iter().find(|(path, _)| *path == clip.path) {
            clip.transcript.clone_from(text);
        }
    }
    found.retain(|clip| !clip.labelled.is_empty());
    Ok(found)
}

/// Every clip of a set, call by call.
fn listened(folder: &Path, set: &'static str) -> Result<Vec<Clip>, String> {
    let mut found: Vec<Clip> = Vec::new();
    for path in audio_files(folder)? {
        found.push(Clip {
            set,
            path: format!("{set}/{}", name(&path)),
            call: call_of(set, name(&path)),
            pcm: load(&path)?,
            stretches: Vec::new(),
            labelled: Vec::new(),
            words: Vec::new(),
            transcript: String::new(),
        });
    }
    for call in found.chunk_by_mut(|a, b| a.call == b.call) {
        let mut tracker = ProsodyTracker::new();
        // Most training clips are the only one of their speaker, where a call soon knows its own:
        // they are heard twice, first to learn the speaker. What is reported is heard once.
        if TRAINED_ON.contains(&set) {
            for clip in call.iter() {
                stretches(&mut tracker, &clip.pcm);
            }
        }
        for clip in call {
            clip.stretches = stretches(&mut tracker, &clip.pcm);
        }
    }
    Ok(found)
}

/// One speaker's clips are one call; where speakers are not known each clip is one.
fn call_of(set: &str, file: &str) -> String {
    let parts: Vec<&str> = file.split(['-', '_', '.']).collect();
    let speaker = match (set, parts.as_slice()) {
        ("B_turns/mfa-disfluency", _) => "",
        ("A_stt/an4-train", [_, speaker, ..]) => speaker,
        ("D_speakers/vctk-4spk", [speaker, ..]) => speaker,
        ("B_turns/librispeech-8629-wordalign", [speaker, ..]) => speaker,
        _ => file,
    };
    format!("{set}/{speaker}")
}

fn end_of(set: &str, path: &str) -> End {
    let file = name(Path::new(path)).to_owned();
    match set {
        "A_stt/librispeech-train-clean" | "D_speakers/librispeech-train-clean-impostors" => {
            End::Unknown
        }
        "B_turns/easy-turn" if file.starts_with("incomplete") => End::BrokenOff,
        "B_turns/easy-turn" if !file.starts_with("complete") => End::Unknown,
        // The snippets end where the reader pauses, in the middle of sentences.
        "A_stt/pocketsphinx" if file.starts_with("sense") => End::Unknown,
        _ => End::Complete,
    }
}

/// The two sides of the call, each against the other.
fn call(clips: &mut [Clip]) {
    let [agent, caller] = clips else { return };
    agent.labelled = labels::two_channels(&agent.stretches, &caller.stretches);
    caller.labelled = labels::two_channels(&caller.stretches, &agent.stretches);
}

fn speechmatics(clips: &mut [Clip], folder: &Path) -> Result<(), String> {
    let segments: Value = json(&read(&folder.join("segments_truth.json"))?)?;
    let conversation = recognized(&read(&folder.join("chat1.jsonl"))?);
    for clip in clips.iter_mut() {
        let stem = stem(&clip.path).trim_end_matches("_16kHz").to_owned();
        if stem.starts_with("smart_turn") {
            let end = if stem.ends_with("true") {
                End::Complete
            } else {
                End::BrokenOff
            };
            clip.labelled = labels::single(&clip.stretches, end, None);
        } else if stem == "audio_01" {
            clip.labelled = labels::diarized(&clip.stretches, &spans(&conversation));
            clip.words = conversation
                .iter()
                .map(|span| (span.0.from, span.0.to, span.1.clone()))
                .collect();
        } else if let Some(truth) = segments[&stem].as_array() {
            let spans: Vec<(Span, String)> = truth.iter().filter_map(segment).collect();
            let only: Vec<Span> = spans.iter().map(|(span, _)| span.clone()).collect();
            clip.labelled = labels::turns(&clip.stretches, &only);
            clip.words = spans
                .into_iter()
                .map(|(span, text)| (span.from, span.to, text))
                .collect();
        }
    }
    Ok(())
}

/// `[text, begin, end]`, in seconds.
fn segment(value: &Value) -> Option<(Span, String)> {
    let span = Span {
        from: ms(value[1].as_f64()?),
        to: ms(value[2].as_f64()?),
        who: "S1".to_owned(),
    };
    Some((span, value[0].as_str()?.to_owned()))
}

/// The final words of a recorded stream of recognition, with their speakers.
fn recognized(lines: &str) -> Vec<(Span, String)> {
    let mut words = Vec::new();
    for line in lines.lines() {
        let Ok(line) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let payload = &line["payload"];
        if payload["message"] != "AddTranscript" {
            continue;
        }
        for result in payload["results"].as_array().into_iter().flatten() {
            let best = &result["alternatives"][0];
            let span = Span {
                from: ms(result["start_time"].as_f64().unwrap_or_default()),
                to: ms(result["end_time"].as_f64().unwrap_or_default()),
                who: best["speaker"].as_str().unwrap_or_default().to_owned(),
            };
            if span.to > span.from {
                words.push((
                    span,
                    best["content"].as_str().unwrap_or_default().to_owned(),
                ));
            }
        }
    }
    words
}

fn spans(words: &[(Span, String)]) -> Vec<Span> {
    words.iter().map(|(span, _)| span.clone()).collect()
}

fn aligned(clips: &mut [Clip], alignment: &Path) -> Result<(), String> {
    let text = read(alignment)?;
    for clip in clips {
        let stem = stem(&clip.path).to_owned();
        let Some(line) = text.lines().find(|line| line.starts_with(&stem)) else {
            continue;
        };
        let quoted: Vec<&str> = line.split('"').collect();
        let [_, words, _, ends, ..] = quoted.as_slice() else {
            continue;
        };
        let mut from = 0;
        for (word, end) in words.split(',').zip(ends.split(',')) {
            let to = ms(end.parse().unwrap_or_default());
            if !word.is_empty() {
                clip.words.push((from, to, word.to_lowercase()));
            }
            from = to;
        }
        let number = stem.rsplit('-').next().unwrap_or_default();
        let end = if LIBRISPEECH_COMPLETE.contains(&number) {
            End::Complete
        } else if LIBRISPEECH_BROKEN_OFF.contains(&number) {
            End::BrokenOff
        } else {
            End::Unknown
        };
        let last_word_ms = clip.words.last().map(|word| word.1);
        clip.labelled = labels::single(&clip.stretches, end, last_word_ms);
    }
    Ok(())
}

fn rttm(path: &Path) -> Result<Vec<(String, Span)>, String> {
    let mut spans = Vec::new();
    for line in read(path)?.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let ["SPEAKER", file, _, from, length, _, _, who, ..] = fields.as_slice() {
            let seconds = |text: &str| text.parse::<f64>().unwrap_or_default();
            let (from, length) = (seconds(from), seconds(length));
            let span = Span {
                from: ms(from),
                to: ms(from + length),
                who: (*who).to_owned(),
            };
            spans.push(((*file).to_owned(), span));
        }
    }
    Ok(spans)
}

fn transcripts(material: &Path) -> Result<Vec<(String, String)>, String> {
    let text = read(&material.join("transcripts.tsv"))?;
    Ok(text
        .lines()
        .skip(1)
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let path = fields.next()?;
            let transcript = fields.nth(2)?.trim_matches('"');
            Some((path.to_owned(), transcript.to_lowercase()))
        })
        .collect())
}

/// WAV and FLAC files of a folder by name; none where the folder is absent.
fn audio_files(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let Ok(entries) = fs::read_dir(folder) else {
        println!("SKIPPED: no recordings in {}", folder.display());
        return Ok(Vec::new());
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let name = name(path);
            // Other languages and copies of the same sentences.
            let foreign = name.starts_with("leopard_test_") || name.starts_with("cheetah_test_");
            let audio = name.ends_with(".wav") || name.ends_with(".flac");
            audio && (!foreign || name.contains("_en"))
        })
        .collect();
    files.sort();
    Ok(files)
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn name(path: &Path) -> &str {
    path.file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default()
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.split('.').next().unwrap_or_default()
}

fn ms(seconds: f64) -> i64 {
    (seconds * 1_000.0).round() as i64
}
