//! How well voice activity is detected: against word alignments, on short words, and on noise.
//!
//! `cargo run --release -p antiphon-benches --bin vad_quality [-- grid]`; `grid` compares settings.

use std::path::{Path, PathBuf};

use antiphon_audio::file::read_audio_file;
use antiphon_audio::resample::resample_all;
use antiphon_audio::vad::{VadEdge, VadSettings, VoiceActivity};
use antiphon_audio::{CALLER_FRAME_SAMPLES, CALLER_RATE_HZ};

/// Pauses shorter than this are part of the speech around them, in seconds.
const PAUSE_S_MIN: f64 = 0.3;

/// A clip with its stretches of speech, in seconds, where they are known.
struct Clip {
    pcm: Vec<i16>,
    truth: Vec<(f64, f64)>,
}

/// What was detected in one clip, in seconds.
#[derive(Default)]
struct Detected {
    spans: Vec<(f64, f64)>,
    /// When each start was reported, less when it was.
    decision_s: Vec<f64>,
}

/// Errors of one set, in milliseconds, detected less true.
#[derive(Default)]
struct Errors {
    onset: Vec<f64>,
    end: Vec<f64>,
    decision: Vec<f64>,
    truths: usize,
    missed: usize,
    extra: usize,
}

fn main() {
    let root = std::env::var("ANTIPHON_MATERIAL").map_or_else(
        |_| {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../shared/material"
            ))
        },
        PathBuf::from,
    );
    if !root.is_dir() {
        println!("SKIPPED: no test material at {}", root.display());
        return;
    }
    let aligned = aligned(&root.join("B_turns/librispeech-8629-wordalign"));
    let counted = counted(&root.join("B_turns/pyaudioanalysis"));
    let words = folder(&root.join("A_stt/short-keywords"));
    let noises = noises(&root.join("C_noise"));
    if std::env::args().nth(1).as_deref() == Some("grid") {
        grid(&aligned, &counted, &words, &noises);
        return;
    }
    let settings = VadSettings::default();
    println!("{settings:?}\n");
    println!(
        "| speech | stretches | missed | extra | onset median ms | p90 | end median ms | p90 | decided after ms |"
    );
    println!("|---|---|---|---|---|---|---|---|---|");
    for (name, clips) in [
        ("librispeech-8629 (aligned)", &aligned),
        ("count (labelled)", &counted),
    ] {
        report(name, &errors(clips, settings));
    }
    let heard = words
        .iter()
        .filter(|clip| !detect(clip, settings).spans.is_empty())
        .count();
    let starts: usize = words
        .iter()
        .map(|clip| detect(clip, settings).spans.len())
        .sum();
    println!(
        "\nshort-keywords: {heard} of {} heard, {starts} starts\n",
        words.len()
    );
    println!(
        "| noise | minutes | false starts | a minute | share of time |\n|---|---|---|---|---|"
    );
    for (name, clips) in &noises {
        let (minutes, starts, share) = false_starts(clips, settings);
        println!(
            "| {name} | {minutes:.2} | {starts} | {:.1} | {:.1} % |",
            starts as f64 / minutes,
            share * 100.0
        );
    }
}

fn grid(aligned: &[Clip], counted: &[Clip], words: &[Clip], noises: &[(String, Vec<Clip>)]) {
    println!(
        "start stop min gate | miss extra onset50 end50 decided | count: miss extra | words | noise starts/min (% time)"
    );
    for start_probability in [0.5, 0.6, 0.7, 0.8] {
        for stop_probability in [0.2, 0.35, 0.5] {
            for speech_ms_min in [64, 96, 128] {
                let gate_dbfs = -60.0;
                let settings = VadSettings {
                    start_probability,
                    stop_probability,
                    speech_ms_min,
                    gate_dbfs,
                    ..VadSettings::default()
                };
                let (a, c) = (errors(aligned, settings), errors(counted, settings));
                let heard = words
                    .iter()
                    .filter(|clip| !detect(clip, settings).spans.is_empty())
                    .count();
                let (mut minutes, mut starts, mut time) = (0.0, 0, 0.0);
                for (_, clips) in noises {
                    let (m, s, share) = false_starts(clips, settings);
                    (minutes, starts, time) = (minutes + m, starts + s, time + share * m);
                }
                println!(
                    "{start_probability} {stop_probability} {speech_ms_min} {gate_dbfs} | {} {} {:.0} {:.0} {:.0} | {} {} | {heard} | {:.1} ({:.1})",
                    a.missed,
                    a.extra,
                    quantile(&a.onset, 0.5),
                    quantile(&a.end, 0.5),
                    quantile(&a.decision, 0.5),
                    c.missed,
                    c.extra,
                    f64::from(starts as u32) / minutes,
                    time / minutes * 100.0,
                );
            }
        }
    }
}

fn report(name: &str, e: &Errors) {
    println!(
        "| {name} | {} | {} | {} | {:+.0} | {:.0} | {:+.0} | {:.0} | {:.0} |",
        e.truths,
        e.missed,
        e.extra,
        quantile(&e.onset, 0.5),
        quantile(&e.onset.iter().map(|ms| ms.abs()).collect::<Vec<_>>(), 0.9),
        quantile(&e.end, 0.5),
        quantile(&e.end.iter().map(|ms| ms.abs()).collect::<Vec<_>>(), 0.9),
        quantile(&e.decision, 0.5),
    );
}

/// Runs the detector over a clip and a second of silence behind it.
fn detect(clip: &Clip, settings: VadSettings) -> Detected {
    let mut vad = VoiceActivity::new(settings);
    let mut found = Detected::default();
    let mut at = 0;
    let mut frame = vec![0; CALLER_FRAME_SAMPLES];
    let seconds = |samples: usize| samples as f64 / f64::from(CALLER_RATE_HZ);
    while at < clip.pcm.len() + CALLER_RATE_HZ as usize {
        for (i, sample) in frame.iter_mut().enumerate() {
            *sample = clip.pcm.get(at + i).copied().unwrap_or(0);
        }
        at += CALLER_FRAME_SAMPLES;
        match vad.push(&frame) {
            Some(VadEdge::Started { onset_samples_ago }) => {
                found
                    .spans
                    .push((seconds(at.saturating_sub(onset_samples_ago)), f64::MAX));
                found.decision_s.push(seconds(onset_samples_ago));
            }
            Some(VadEdge::Stopped { end_samples_ago }) => {
                if let Some(last) = found.spans.last_mut() {
                    last.1 = seconds(at - end_samples_ago);
                }
            }
            None => {}
        }
    }
    found
}

/// Compares detected with true stretches, both without pauses below [`PAUSE_S_MIN`].
fn errors(clips: &[Clip], settings: VadSettings) -> Errors {
    let mut errors = Errors::default();
    for clip in clips {
        let found = detect(clip, settings);
        let spans = merged(&found.spans);
        errors
            .decision
            .extend(found.decision_s.iter().map(|s| s * 1_000.0));
        errors.truths += clip.truth.len();
        for &(from, to) in &clip.truth {
            let over = |span: &&(f64, f64)| span.0 < to && span.1 > from;
            let (first, last) = (spans.iter().find(over), spans.iter().rev().find(over));
            let (Some(first), Some(last)) = (first, last) else {
                errors.missed += 1;
                continue;
            };
            // An edge far off belongs to a neighbouring stretch that was joined.
            if (first.0 - from).abs() < 0.5 {
                errors.onset.push((first.0 - from) * 1_000.0);
            }
            if (last.1 - to).abs() < 0.5 {
                errors.end.push((last.1 - to) * 1_000.0);
            }
        }
        let truth = |span: &&(f64, f64)| clip.truth.iter().all(|t| span.1 <= t.0 || span.0 >= t.1);
        errors.extra += spans.iter().filter(truth).count();
    }
    errors
}

fn false_starts(clips: &[Clip], settings: VadSettings) -> (f64, usize, f64) {
    let (mut minutes, mut starts, mut time) = (0.0, 0, 0.0);
    for clip in clips {
        let length = clip.pcm.len() as f64 / f64::from(CALLER_RATE_HZ) / 60.0;
        minutes += length;
        let found = detect(clip, settings);
        starts += found.spans.len();
        time += found
            .spans
            .iter()
            .map(|s| s.1.min(length * 60.0) - s.0)
            .sum::<f64>()
            / 60.0;
    }
    (minutes, starts, time / minutes)
}

fn merged(spans: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut out: Vec<(f64, f64)> = Vec::new();
    for &(from, to) in spans {
        match out.last_mut() {
            Some(last) if from - last.1 < PAUSE_S_MIN => last.1 = to,
            Some(_) | None => out.push((from, to)),
        }
    }
    out
}

fn quantile(values: &[f64], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (sorted.len() as f64 * share) as usize;
    sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .copied()
        .unwrap_or(f64::NAN)
}

/// LibriSpeech with forced alignment: a line has the words and their end times; no word is silence.
fn aligned(folder: &Path) -> Vec<Clip> {
    let text =
        std::fs::read_to_string(folder.join("8629-261140.alignment.txt")).unwrap_or_default();
    let clip = |line: &str| {
        let (name, rest) = line.split_once(' ')?;
        let mut quoted = rest.split('"').skip(1).step_by(2);
        let (words, ends) = (quoted.next()?, quoted.next()?);
        let pcm = load(&folder.join(format!("{name}.flac")))?;
        let mut from = 0.0;
        let mut spans = Vec::new();
        for (word, end) in words.split(',').zip(ends.split(',')) {
            let end = end.parse().ok()?;
            if !word.is_empty() {
                spans.push((from, end));
            }
            from = end;
        }
        Some(Clip {
            pcm,
            truth: merged(&spans),
        })
    };
    text.lines().filter_map(clip).collect()
}

/// Counting aloud with labels of speech and silence.
fn counted(folder: &Path) -> Vec<Clip> {
    let clip = |name: &&str| {
        let labels = std::fs::read_to_string(folder.join(format!("{name}.segments"))).ok()?;
        let spans: Vec<(f64, f64)> = labels
            .lines()
            .filter(|line| line.trim_end().ends_with("speech"))
            .filter_map(|line| {
                let mut fields = line.split_whitespace();
                Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
            })
            .collect();
        Some(Clip {
            pcm: load(&folder.join(format!("{name}.wav")))?,
            truth: merged(&spans),
        })
    };
    ["count", "count2"].iter().filter_map(clip).collect()
}

fn noises(root: &Path) -> Vec<(String, Vec<Clip>)> {
    let sets = [
        ("kitchen", &["kitchen/kitchen.flac"][..]),
        (
            "dishes",
            &["speech-commands-background/doing_the_dishes.flac"],
        ),
        (
            "exercise bike",
            &["speech-commands-background/exercise_bike.flac"],
        ),
        (
            "street",
            &["scaper-urban/street_150993__saphe__street-scene-1.flac"],
        ),
        (
            "noise 1-5",
            &[
                "speechbrain-noise-rir/noise1.flac",
                "speechbrain-noise-rir/noise2.flac",
                "speechbrain-noise-rir/noise3.flac",
                "speechbrain-noise-rir/noise4.flac",
                "speechbrain-noise-rir/noise5.flac",
            ],
        ),
        ("freesound", &["deepfilternet/noise_freesound_573577.flac"]),
        (
            "taps, rubs",
            &[
                "audiomentations/130921_iPhone_rub_channel0_chunk83_aug2.wav",
                "audiomentations/130921_laptopmic-dell_tap_channel0_chunk200_aug0.wav",
                "audiomentations/130921_laptopmic-dell_tap_channel0_chunk204_aug3.wav",
                "audiomentations/friction0.wav",
                "audiomentations/friction1.wav",
            ],
        ),
        ("koala noise", &["picovoice-koala/koala_noise.wav"]),
        (
            "car horns",
            &[
                "scaper-urban/car_horn_17-CAR-Rolls-Royce-Horn-2.flac",
                "scaper-urban/car_horn_17-CAR-Rolls-Royce-Horn.flac",
            ],
        ),
        ("silence", &["musan-mix/silence2sec.wav"]),
    ];
    let set = |(name, files): &(&str, &[&str])| {
        let clips = files.iter().filter_map(|file| load(&root.join(file)));
        (
            name.to_string(),
            clips
                .map(|pcm| Clip {
                    pcm,
                    truth: Vec::new(),
                })
                .collect(),
        )
    };
    sets.iter().map(set).collect()
}

fn folder(folder: &Path) -> Vec<Clip> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| load(&entry.ok()?.path()))
        .map(|pcm| Clip {
            pcm,
            truth: Vec::new(),
        })
        .collect()
}

fn load(path: &Path) -> Option<Vec<i16>> {
    let clip = read_audio_file(&std::fs::read(path).ok()?).ok()?;
    resample_all(&clip.pcm, clip.rate_hz, CALLER_RATE_HZ).ok()
}
