//! The recordings, cut into sounds of a known kind, and which of them the model never sees.

use std::fs;
use std::path::Path;

use antiphon_audio::CALLER_RATE_HZ;
use antiphon_audio::file::read_audio_file;
use antiphon_audio::resample::resample_all;

/// Kinds of sound, in the order of the model's outputs.
pub(crate) const COMMAND: usize = 0;
pub(crate) const BACKCHANNEL: usize = 1;
pub(crate) const NOISE: usize = 2;

/// One sound: 16 kHz, -1 to 1.
#[derive(Clone)]
pub(crate) struct Sound {
    pub(crate) pcm: Vec<f32>,
    pub(crate) kind: usize,
    pub(crate) set: String,
    pub(crate) name: String,
}

/// Longest piece taken of a recording, in seconds.
const PIECE_S: f32 = 2.4;
const RATE: f32 = CALLER_RATE_HZ as f32;

/// Sets of speech that the model is trained with.
pub(crate) const SPEECH_SETS: [&str; 13] = [
    "A_stt/an4-train",
    "A_stt/fsdd",
    "A_stt/pocketsphinx",
    "A_stt/librispeech-train-clean",
    "A_stt/google-samples",
    "A_stt/azure-samples",
    "A_stt/ljspeech",
    "A_stt/common-voice-howl",
    "A_stt/fleurs-7-languages",
    "A_stt/mfa-tests",
    "A_stt/picovoice",
    "D_speakers/librispeech-train-clean-impostors",
    "D_speakers/vctk-4spk",
];
/// Sets of noise that the model is trained with.
pub(crate) const NOISE_SETS: [&str; 4] = [
    "C_noise/kitchen",
    "C_noise/speech-commands-background",
    "C_noise/audiomentations",
    "C_noise/deepfilternet",
];
/// Files of noise that it is only measured with.
pub(crate) const NOISE_REPORTED: [&str; 8] = [
    "C_noise/speechbrain-noise-rir/noise1.flac",
    "C_noise/speechbrain-noise-rir/noise2.flac",
    "C_noise/speechbrain-noise-rir/noise3.flac",
    "C_noise/speechbrain-noise-rir/noise4.flac",
    "C_noise/speechbrain-noise-rir/noise5.flac",
    "C_noise/picovoice-koala/koala_noise.wav",
    "C_noise/scaper-urban/street_150993__saphe__street-scene-1.flac",
    "C_noise/scaper-urban/noise_noise-free-sound-0145.flac",
];
/// More of them, short: horns.
pub(crate) const HORNS: [&str; 2] = [
    "C_noise/scaper-urban/car_horn_17-CAR-Rolls-Royce-Horn-2.flac",
    "C_noise/scaper-urban/car_horn_17-CAR-Rolls-Royce-Horn.flac",
];

/// Where in `mfa-disfluency` the phenomenon of the file's name is, in seconds, read off
/// spectrograms; the rest of these files is ordinary speech.
pub(crate) const MFA: [(&str, &str, usize, f32, f32); 28] = [
    ("mfa_uhuh", "uh", BACKCHANNEL, 1.86, 2.10),
    ("mfa_uhuh", "uh", BACKCHANNEL, 2.55, 2.86),
    ("mfa_uhuh", "uh", BACKCHANNEL, 3.18, 3.60),
    ("mfa_uhuh", "uh-uhh", BACKCHANNEL, 4.28, 5.33),
    ("mfa_uhum", "uh", BACKCHANNEL, 1.76, 2.31),
    ("mfa_uhum", "um", BACKCHANNEL, 2.31, 2.96),
    ("mfa_uhum", "uh-hmm", BACKCHANNEL, 2.96, 4.78),
    ("mfa_uhum", "mm", BACKCHANNEL, 5.03, 5.95),
    ("mfa_uhum", "um", BACKCHANNEL, 6.24, 6.68),
    ("mfa_um", "um", BACKCHANNEL, 3.72, 5.25),
    ("mfa_uh", "uhh", BACKCHANNEL, 2.34, 3.68),
    ("mfa_erpause", "er", BACKCHANNEL, 3.05, 3.32),
    ("mfa_laughter", "laughter", NOISE, 0.60, 1.95),
    ("mfa_laughter", "laughter", NOISE, 3.52, 5.20),
    ("mfa_laughter", "laughter", NOISE, 6.25, 8.15),
    ("mfa_laughter", "laughter", NOISE, 9.25, 10.20),
    ("mfa_breaths", "breath", NOISE, 1.00, 1.60),
    ("mfa_breaths", "breath", NOISE, 2.20, 3.35),
    ("mfa_breaths", "breath", NOISE, 5.70, 6.50),
    ("mfa_breaths", "breath", NOISE, 10.10, 10.70),
    ("mfa_hes", "breath", NOISE, 1.42, 2.40),
    ("mfa_words", "speech", COMMAND, 0.75, 1.90),
    ("mfa_words", "speech", COMMAND, 2.20, 2.80),
    ("mfa_uhuh", "speech", COMMAND, 0.90, 1.40),
    ("mfa_um", "speech", COMMAND, 1.10, 2.90),
    ("mfa_um", "speech", COMMAND, 6.20, 6.80),
    ("mfa_er", "speech", COMMAND, 0.70, 1.85),
    ("mfa_laughter", "speech", COMMAND, 2.00, 3.20),
];

/// Reads one file as 16 kHz mono.
pub(crate) fn read(path: &Path) -> Result<Vec<f32>, String> {
    let told = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let bytes = fs::read(path).map_err(|error| told(&error))?;
    let clip = read_audio_file(&bytes).map_err(|error| told(&error))?;
    let pcm =
        resample_all(&clip.pcm, clip.rate_hz, CALLER_RATE_HZ).map_err(|error| told(&error))?;
    Ok(pcm.into_iter().map(|x| f32::from(x) / 32_768.0).collect())
}

/// The recordings of a folder that can be read (WAV and FLAC), by name.
pub(crate) fn folder(material: &Path, set: &str) -> Result<Vec<(String, Vec<f32>)>, String> {
    let entries = fs::read_dir(material.join(set)).map_err(|error| format!("{set}: {error}"))?;
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.sort();
    paths
        .into_iter()
        .filter(|path| {
            let extension = path
                .extension()
                .and_then(|e| e.to_str())
                .unwrap_or_default();
            let name = path.to_string_lossy();
            matches!(extension, "wav" | "flac") && !name.contains("law.") && !name.contains("mulaw")
        })
        .map(|path| {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            Ok((name, read(&path)?))
        })
        .collect()
}

/// Speech of `sets`, each recording from its onset, at most [`PIECE_S`] long.
pub(crate) fn speech(material: &Path, sets: &[&str]) -> Result<Vec<Sound>, String> {
    let mut sounds = Vec::new();
    for set in sets {
        for (name, pcm) in folder(material, set)? {
            let Some(onset) = onset(&pcm) else { continue };
            let from = onset.saturating_sub(800);
            let to = pcm.len().min(from + (PIECE_S * RATE) as usize);
            sounds.push(Sound {
                pcm: pcm[from..to].to_vec(),
                kind: COMMAND,
                set: (*set).to_owned(),
                name,
            });
        }
    }
    Ok(sounds)
}

/// Noise of `sets` in pieces of 2 s, without impulse responses and clean speech.
pub(crate) fn noises(material: &Path, sets: &[&str]) -> Result<Vec<Sound>, String> {
    let mut sounds = Vec::new();
    for set in sets {
        for (name, pcm) in folder(material, set)? {
            let other = ["rir", "impulse", "clean", "noisy", "speech"];
            if !other.iter().any(|word| name.contains(word)) {
                sounds.extend(pieces(set, &name, &pcm));
            }
        }
    }
    Ok(sounds)
}

/// Noise in pieces of 2 s.
pub(crate) fn pieces(set: &str, name: &str, pcm: &[f32]) -> Vec<Sound> {
    pcm.chunks(2 * CALLER_RATE_HZ as usize)
        .filter(|piece| piece.len() > 4_000 && piece.iter().any(|x| x.abs() > 1e-4))
        .enumerate()
        .map(|(at, piece)| Sound {
            pcm: piece.to_vec(),
            kind: NOISE,
            set: set.to_owned(),
            name: format!("{name} {} s", 2 * at),
        })
        .collect()
}

/// The labelled parts of `mfa-disfluency`.
pub(crate) fn disfluencies(material: &Path) -> Result<Vec<Sound>, String> {
    MFA.iter()
        .map(|(file, what, kind, from, to)| {
            let pcm = read(&material.join(format!("B_turns/mfa-disfluency/{file}.flac")))?;
            let (from, to) = ((from * RATE) as usize, (to * RATE) as usize);
            Ok(Sound {
                pcm: pcm[from.min(pcm.len())..to.min(pcm.len())].to_vec(),
                kind: *kind,
                set: format!("mfa:{what}"),
                name: format!("{file} {from}"),
            })
        })
        .collect()
}

/// Short turns of the AMI excerpts that nobody else speaks in: mostly backchannels.
pub(crate) fn meeting_backchannels(material: &Path) -> Result<Vec<Sound>, String> {
    let folder = material.join("B_turns/ami-30s");
    let rttm = fs::read_to_string(folder.join("debug.train.rttm")).map_err(|e| e.to_string())?;
    let turns: Vec<(&str, f32, f32)> = rttm
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let start: f32 = fields.get(3)?.parse().ok()?;
            let length: f32 = fields.get(4)?.parse().ok()?;
            Some((*fields.get(1)?, start, start + length))
        })
        .collect();
    let mut sounds = Vec::new();
    for (file, start, end) in &turns {
        let alone = turns.iter().all(|(other, from, to)| {
            other != file || (from, to) == (start, end) || to + 0.2 < *start || from - 0.2 > *end
        });
        if !alone || end - start > 0.9 || *end > 29.5 {
            continue;
        }
        let pcm = read(&folder.join(format!("{file}.flac")))?;
        let (from, to) = (
            ((start - 0.05) * RATE) as usize,
            ((end + 0.1) * RATE) as usize,
        );
        sounds.push(Sound {
            pcm: pcm[from..to.min(pcm.len())].to_vec(),
            kind: BACKCHANNEL,
            set: "B_turns/ami-30s".to_owned(),
            name: format!("{file} {start}"),
        });
    }
    Ok(sounds)
}

/// The turns of both sides of the acted call that last a second or more.
pub(crate) fn call(material: &Path) -> Result<Vec<Sound>, String> {
    let mut sounds = Vec::new();
    for side in ["agent", "caller"] {
        let file = format!("B_turns/aws-call-centre/Auto_Repairs_40_UTC_{side}.flac");
        let pcm = read(&material.join(file))?;
        for (from, to) in stretches(&pcm) {
            if to - from < CALLER_RATE_HZ as usize {
                continue;
            }
            let end = to.min(from + (PIECE_S * RATE) as usize);
            sounds.push(Sound {
                pcm: pcm[from.saturating_sub(800)..end].to_vec(),
                kind: COMMAND,
                set: "B_turns/aws-call-centre".to_owned(),
                name: format!("{side} at {:.1} s", from as f32 / RATE),
            });
        }
    }
    Ok(sounds)
}

/// Level of each 10 ms in dBFS.
fn levels(pcm: &[f32]) -> Vec<f32> {
    pcm.chunks(160)
        .map(|hop| {
            let power = hop.iter().map(|x| x * x).sum::<f32>() / hop.len() as f32;
            10.0 * (power + 1e-10).log10()
        })
        .collect()
}

/// Level that the sound must reach to have begun: 30 dB below its loudest, 8 dB above its quietest.
fn threshold(levels: &[f32]) -> f32 {
    let mut sorted = levels.to_vec();
    sorted.sort_by(f32::total_cmp);
    let at = |part: f32| sorted[((sorted.len() - 1) as f32 * part) as usize];
    (at(0.98) - 30.0).max((at(0.05) + 8.0).min(at(0.98) - 10.0))
}

/// Sample where the sound begins: the first of three 10 ms of which all are loud enough.
pub(crate) fn onset(pcm: &[f32]) -> Option<usize> {
    let levels = levels(pcm);
    if levels.len() < 5 {
        return None;
    }
    let least = threshold(&levels);
    levels
        .windows(3)
        .position(|w| w.iter().all(|level| *level >= least))
        .map(|hop| hop * 160)
}

/// Stretches of sound with less than 300 ms of quiet in them, in samples.
fn stretches(pcm: &[f32]) -> Vec<(usize, usize)> {
    let levels = levels(pcm);
    let least = threshold(&levels);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (hop, level) in levels.iter().enumerate() {
        if *level < least {
            continue;
        }
        match found.last_mut() {
            Some(last) if hop - last.1 <= 30 => last.1 = hop + 1,
            _ => found.push((hop, hop + 1)),
        }
    }
    found.into_iter().map(|(a, b)| (a * 160, b * 160)).collect()
}
