//! Commands and backchannels spoken by `flite` and `espeak-ng` (Debian packages, needed for training
//! and for measuring, never at run time).

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::material::{BACKCHANNEL, COMMAND, Sound, read};

const COMMANDS: [&str; 44] = [
    "stop",
    "wait",
    "no",
    "hold on",
    "excuse me",
    "hey",
    "cancel that",
    "no wait",
    "actually I changed my mind",
    "sorry what was that",
    "what",
    "can you repeat that",
    "help",
    "that is not what I asked",
    "listen",
    "go back",
    "stop talking",
    "be quiet",
    "one moment",
    "just a second",
    "I have a question",
    "how much does it cost",
    "never mind",
    "let me talk to a person",
    "start over",
    "skip this",
    "yeah but I wanted something else",
    "right but how long does it take",
    "okay so what about tomorrow",
    "no that's wrong",
    "please stop",
    "but why",
    "hang on",
    "computer",
    "next",
    "pause",
    "quiet",
    "don't",
    "I need to go",
    "could you speak slower",
    "tell me about the price",
    "not that one",
    "enough",
    "um can I ask you something",
];

/// Text for flite, phonemes for espeak-ng.
const BACKCHANNELS: [(&str, &str); 16] = [
    ("mm hmm", "[[m'm h'm]]"),
    ("uh huh", "[['Vh'V]]"),
    ("uh hum", "[['Vh'Vm]]"),
    ("hmm", "[[hm'm]]"),
    ("um", "[['Vm]]"),
    ("uh", "[['V]]"),
    ("yeah", "yeah"),
    ("right", "right"),
    ("okay", "okay"),
    ("oh", "oh"),
    ("ah", "ah"),
    ("yep", "yep"),
    ("aha", "[[ah'A]]"),
    ("mm", "[[m'm]]"),
    ("uhh", "[['V:]]"),
    ("er", "[['3:]]"),
];

/// Voices that the model is trained with, and voices that it is only measured with.
const VOICES: [(&str, bool); 13] = [
    ("flite:kal16", true),
    ("flite:rms", true),
    ("flite:awb", true),
    ("flite:slt", false),
    ("espeak:en-us+m1", true),
    ("espeak:en-us+m3", true),
    ("espeak:en+f2", true),
    ("espeak:en-us+f3", true),
    ("espeak:en-scottish+m5", true),
    ("espeak:en+f5", true),
    ("espeak:en-us+m7", false),
    ("espeak:en+f4", false),
    ("espeak:en-us+klatt2", true),
];

/// Everything spoken by the voices for training (or for measuring).
pub(crate) fn spoken(for_training: bool) -> Result<Vec<Sound>, String> {
    let folder = std::env::temp_dir().join("antiphon-bargein");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut sounds = Vec::new();
    for (voice, training) in VOICES {
        if training != for_training {
            continue;
        }
        for text in COMMANDS {
            sounds.push(say(&folder, voice, text, text, COMMAND)?);
        }
        for (text, phonemes) in BACKCHANNELS {
            sounds.push(say(&folder, voice, text, phonemes, BACKCHANNEL)?);
        }
    }
    Ok(sounds)
}

fn say(
    folder: &Path,
    voice: &str,
    text: &str,
    phonemes: &str,
    kind: usize,
) -> Result<Sound, String> {
    let name = format!("{voice} {text}").replace([':', ' ', '+', '\''], "_");
    let path: PathBuf = folder.join(format!("{name}.wav"));
    if !path.exists() {
        let mut command = match voice.strip_prefix("flite:") {
            Some(voice) => {
                let mut command = Command::new("flite");
                command.args(["-voice", voice, "-t", text, "-o"]).arg(&path);
                command
            }
            None => {
                let voice = voice.trim_start_matches("espeak:");
                let mut command = Command::new("espeak-ng");
                command.args(["-v", voice, "-w"]).arg(&path).arg(phonemes);
                command
            }
        };
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err(format!(
                "could not run {command:?}: are flite and espeak-ng installed?"
            ));
        }
    }
    Ok(Sound {
        pcm: read(&path)?,
        kind,
        set: voice.split('+').next().unwrap_or(voice).to_owned(),
        name,
    })
}

/// `text` as flite says it, at 16 kHz.
pub(crate) fn flite(voice: &str, text: &str) -> Result<Vec<f32>, String> {
    let folder = std::env::temp_dir().join("antiphon-bargein");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let key = text.bytes().fold(0u64, |key, byte| {
        key.wrapping_mul(131).wrapping_add(byte.into())
    });
    let path = folder.join(format!("passage_{voice}_{key:016x}.wav"));
    if !path.exists() {
        let mut command = Command::new("flite");
        command.args(["-voice", voice, "-t", text, "-o"]).arg(&path);
        let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if !status.is_ok_and(|status| status.success()) {
            return Err("could not run flite: is it installed?".to_owned());
        }
    }
    read(&path)
}
