//! Sounds that the recordings lack or have too few of: spoken by `flite` and `espeak-ng` (Debian
//! packages, needed for training only) or made from pulses and noise.

use std::f32::consts::TAU;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use antiphon_audio::CALLER_RATE_HZ;

use crate::material::{BACKCHANNEL, COMMAND, NOISE, Sound, read};
use crate::random::Choices;

const RATE: f32 = CALLER_RATE_HZ as f32;

const COMMANDS: [&str; 44] = [
    "stop", "wait", "no", "hold on", "excuse me", "hey", "cancel that", "no wait",
    "actually I changed my mind", "sorry what was that", "what", "can you repeat that", "help",
    "that is not what I asked", "listen", "go back", "stop talking", "be quiet", "one moment",
    "just a second", "I have a question", "how much does it cost", "never mind",
    "let me talk to a person", "start over", "skip this", "yeah but I wanted something else",
    "right but how long does it take", "okay so what about tomorrow", "no that's wrong",
    "please stop", "but why", "hang on", "computer", "next", "pause", "quiet", "don't",
    "I need to go", "could you speak slower", "tell me about the price", "not that one",
    "enough", "um can I ask you something",
];

/// Text for flite, phonemes for espeak-ng.
const BACKCHANNELS: [(&str, &str); 16] = [
    ("mm hmm", "[[m'm h'm]]"), ("uh huh", "[['Vh'V]]"), ("uh hum", "[['Vh'Vm]]"),
    ("hmm", "[[hm'm]]"), ("um", "[['Vm]]"), ("uh", "[['V]]"), ("yeah", "yeah"),
    ("right", "right"), ("okay", "okay"), ("oh", "oh"), ("ah", "ah"), ("yep", "yep"),
    ("aha", "[[ah'A]]"), ("mm", "[[m'm]]"), ("uhh", "[['V:]]"), ("er", "[['3:]]"),
];

/// Voices that the model is trained with, and voices that it is only measured with.
const VOICES: [(&str, bool); 13] = [
    ("flite:kal16", true), ("flite:rms", true), ("flite:awb", true), ("flite:slt", false),
    ("espeak:en-us+m1", true), ("espeak:en-us+m3", true), ("espeak:en+f2", true),
    ("espeak:en-us+f3", true), ("espeak:en-scottish+m5", true), ("espeak:en+f5", true),
    ("espeak:en-us+m7", false), ("espeak:en+f4", false), ("espeak:en-us+klatt2", true),
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

fn say(folder: &Path, voice: &str, text: &str, phonemes: &str, kind: usize) -> Result<Sound, String> {
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
            return Err(format!("could not run {command:?}: are flite and espeak-ng installed?"));
        }
    }
    Ok(Sound {
        pcm: read(&path)?,
        kind,
        set: voice.split('+').next().unwrap_or(voice).to_owned(),
        name,
    })
}

/// Two-pole resonance.
struct Resonance {
    a: f32,
    b: f32,
    gain: f32,
    y: (f32, f32),
}

impl Resonance {
    fn new(hz: f32, width_hz: f32) -> Self {
        let r = (-std::f32::consts::PI * width_hz / RATE).exp();
        let a = 2.0 * r * (TAU * hz / RATE).cos();
        Self { a, b: -r * r, gain: 1.0 - a + r * r, y: (0.0, 0.0) }
    }

    fn step(&mut self, x: f32) -> f32 {
        let y = self.gain * x + self.a * self.y.0 + self.b * self.y.1;
        self.y = (y, self.y.0);
        y
    }
}

fn samples(seconds: f32) -> usize {
    (seconds * RATE) as usize
}

/// Rises over 15 % and falls over 35 % of the length.
fn envelope(at: f32) -> f32 {
    ((at / 0.15).min(1.0) * ((1.0 - at) / 0.35).min(1.0)).max(0.0)
}

/// One voiced syllable: pulses from `f0` to `f1` Hz through a throat.
fn voiced(choices: &mut Choices, seconds: f32, f0: (f32, f32), nasal: bool, breath: f32) -> Vec<f32> {
    let formants: [(f32, f32); 3] = if nasal {
        [(choices.between(220.0, 300.0), 80.0), (choices.between(900.0, 1_200.0), 250.0), (2_300.0, 300.0)]
    } else {
        [
            (choices.between(480.0, 720.0), 90.0),
            (choices.between(1_050.0, 1_600.0), 120.0),
            (choices.between(2_300.0, 2_800.0), 180.0),
        ]
    };
    let mut throat: Vec<Resonance> = formants.iter().map(|f| Resonance::new(f.0, f.1)).collect();
    let length = samples(seconds);
    let (mut phase, mut tilt) = (0.0f32, 0.0f32);
    let weights = if nasal { [1.0, 0.08, 0.04] } else { [1.0, 0.5, 0.25] };
    (0..length)
        .map(|k| {
            let at = k as f32 / length as f32;
            let wobble = 1.0 + 0.01 * choices.normal();
            phase += (f0.0 + (f0.1 - f0.0) * at) * wobble / RATE;
            let pulse = if phase >= 1.0 { phase -= 1.0; 1.0 } else { 0.0 };
            tilt = 0.93 * tilt + pulse;
            let x = tilt + breath * choices.normal();
            let y: f32 = throat.iter_mut().zip(weights).map(|(r, w)| w * r.step(x)).sum();
            y * envelope(at)
        })
        .collect()
}

/// Noise through a throat, with its own envelope.
fn breath(choices: &mut Choices, seconds: f32, sharp: bool) -> Vec<f32> {
    let mut throat = [
        Resonance::new(choices.between(500.0, 1_200.0), choices.between(200.0, 600.0)),
        Resonance::new(choices.between(1_400.0, 2_600.0), choices.between(300.0, 900.0)),
        Resonance::new(choices.between(3_000.0, 5_500.0), choices.between(600.0, 2_000.0)),
    ];
    let weights = [choices.between(0.3, 1.0), choices.between(0.3, 1.0), choices.between(0.1, 1.0)];
    let length = samples(seconds);
    (0..length)
        .map(|k| {
            let at = k as f32 / length as f32;
            let x = choices.normal();
            let y: f32 = throat.iter_mut().zip(weights).map(|(r, w)| w * r.step(x)).sum();
            let shape = if sharp { (-5.0 * at).exp() * (at * 60.0).min(1.0) } else { (at * TAU / 2.0).sin() };
            y * shape
        })
        .collect()
}

fn scaled(mut pcm: Vec<f32>, level: f32) -> Vec<f32> {
    let power = pcm.iter().map(|x| x * x).sum::<f32>() / pcm.len().max(1) as f32;
    let gain = level / (power.sqrt() + 1e-9);
    pcm.iter_mut().for_each(|x| *x *= gain);
    pcm
}

fn gap(seconds: f32) -> Vec<f32> {
    vec![0.0; samples(seconds)]
}

/// "mm", "uh-huh", "mm-hm", "hmm", "uhhh": murmured, one or two syllables.
fn murmur(choices: &mut Choices) -> Vec<f32> {
    let nasal = choices.chance(0.5);
    let f0 = choices.between(80.0, 260.0);
    let bend = choices.between(0.85, 1.2);
    if choices.chance(0.35) {
        let seconds = choices.between(0.2, 1.1);
        return voiced(choices, seconds, (f0, f0 * bend), nasal, 0.02);
    }
    let first = choices.between(0.09, 0.22);
    let near = choices.between(0.93, 1.08);
    let mut pcm = voiced(choices, first, (f0, f0 * near), nasal, 0.02);
    let level = choices.between(0.03, 0.25);
    let pause = choices.between(0.04, 0.12);
    pcm = scaled(pcm, 1.0);
    pcm.extend(scaled(breath(choices, pause, false), level));
    let second = choices.between(0.12, 0.35);
    let rise = choices.between(0.9, 1.35);
    let loud = choices.between(0.6, 1.5);
    pcm.extend(scaled(voiced(choices, second, (f0 * rise, f0 * rise * bend), nasal, 0.02), loud));
    pcm
}

fn laughter(choices: &mut Choices) -> Vec<f32> {
    let mut f0 = choices.between(120.0, 420.0);
    let period = choices.between(0.15, 0.26);
    let voicing = choices.chance(0.75);
    let mut pcm = if choices.chance(0.4) { 
        let seconds = choices.between(0.1, 0.3);
        scaled(breath(choices, seconds, false), 0.4)
    } else { Vec::new() };
    for _ in 0..3 + choices.below(6) {
        let part = choices.between(0.35, 0.6);
        let level = choices.between(0.2, 0.6);
        pcm.extend(scaled(breath(choices, period * (1.0 - part), false), level));
        let seconds = period * part;
        if voicing {
            let loud = choices.between(0.7, 1.2);
            pcm.extend(scaled(voiced(choices, seconds, (f0 * 1.05, f0 * 0.95), false, 0.1), loud));
        } else {
            pcm.extend(scaled(breath(choices, seconds, true), 1.0));
        }
        f0 *= choices.between(0.9, 1.02);
    }
    pcm
}

fn cough(choices: &mut Choices) -> Vec<f32> {
    let mut pcm = Vec::new();
    for _ in 0..1 + choices.below(3) {
        let burst = choices.between(0.04, 0.12);
        pcm.extend(scaled(breath(choices, burst, true), 1.5));
        let tail = choices.between(0.08, 0.25);
        let level = choices.between(0.3, 0.7);
        pcm.extend(scaled(breath(choices, tail, true), level));
        if choices.chance(0.5) {
            let f0 = choices.between(90.0, 300.0);
            let seconds = choices.between(0.05, 0.15);
            pcm.extend(scaled(voiced(choices, seconds, (f0, f0 * 0.7), false, 0.5), 0.5));
        }
        pcm.extend(gap(choices.between(0.05, 0.35)));
    }
    pcm
}

fn breathing(choices: &mut Choices) -> Vec<f32> {
    let seconds = choices.between(0.25, 1.3);
    breath(choices, seconds, false)
}

/// Clicks, taps, knocks and keys.
fn clatter(choices: &mut Choices) -> Vec<f32> {
    let mut pcm = Vec::new();
    for _ in 0..1 + choices.below(7) {
        let hz = choices.between(150.0, 5_000.0);
        let width = choices.between(40.0, 1_500.0);
        let mut body = Resonance::new(hz, width);
        let length = samples(choices.between(0.02, 0.18));
        let level = choices.between(0.3, 1.0);
        let hit: Vec<f32> = (0..length)
            .map(|k| {
                let x = if k < 24 { choices.normal() } else { 0.01 * choices.normal() };
                body.step(x)
            })
            .collect();
        pcm.extend(scaled(hit, level));
        pcm.extend(gap(choices.between(0.02, 0.3)));
    }
    pcm
}

/// Beeps, ring tones and chords.
fn tones(choices: &mut Choices) -> Vec<f32> {
    let mut pcm = Vec::new();
    for _ in 0..1 + choices.below(6) {
        let base = choices.between(150.0, 1_800.0);
        let partials: Vec<(f32, f32)> = (0..1 + choices.below(5))
            .map(|k| (base * [1.0, 1.26, 1.5, 2.0, 3.0][k], choices.between(0.2, 1.0)))
            .collect();
        let length = samples(choices.between(0.08, 0.5));
        let decay = choices.between(0.0, 6.0);
        let note: Vec<f32> = (0..length)
            .map(|k| {
                let (t, at) = (k as f32 / RATE, k as f32 / length as f32);
                let y: f32 = partials.iter().map(|(hz, w)| w * (TAU * hz * t).sin()).sum();
                y * (-decay * at).exp() * ((1.0 - at) * 20.0).min(1.0) * (at * 40.0).min(1.0)
            })
            .collect();
        pcm.extend(note);
        if choices.chance(0.5) {
            pcm.extend(gap(choices.between(0.02, 0.2)));
        }
    }
    pcm
}

/// A rumble, hiss or hum that swells.
fn swell(choices: &mut Choices) -> Vec<f32> {
    let length = samples(choices.between(0.3, 1.5));
    let mut body = Resonance::new(choices.between(80.0, 5_000.0), choices.between(200.0, 4_000.0));
    let rate = choices.between(0.5, 8.0);
    let depth = choices.between(0.0, 1.0);
    (0..length)
        .map(|k| {
            let t = k as f32 / RATE;
            let at = k as f32 / length as f32;
            body.step(choices.normal()) * (1.0 + depth * (TAU * rate * t).sin()) * envelope(at)
        })
        .collect()
}

/// `count` made sounds of each of the makers, with a seed of their own.
pub(crate) fn made(count: usize, seed: u64) -> Vec<Sound> {
    type Maker = fn(&mut Choices) -> Vec<f32>;
    let makers: [(&str, usize, Maker, usize); 7] = [
        ("murmur", BACKCHANNEL, murmur, 4),
        ("laughter", NOISE, laughter, 3),
        ("cough", NOISE, cough, 3),
        ("breath", NOISE, breathing, 2),
        ("clatter", NOISE, clatter, 2),
        ("tones", NOISE, tones, 1),
        ("swell", NOISE, swell, 1),
    ];
    let mut choices = Choices::new(seed);
    let mut sounds = Vec::new();
    for (name, kind, maker, share) in makers {
        for k in 0..count * share {
            sounds.push(Sound {
                pcm: maker(&mut choices),
                kind,
                set: format!("made:{name}"),
                name: format!("{name} {k}"),
            });
        }
    }
    sounds
}
