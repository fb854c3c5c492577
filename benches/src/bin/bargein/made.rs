//! Sounds that the recordings lack or have too few of, made from pulses, noise and vowels of
//! recorded speech: murmurs, laughter, coughs, breaths, clatter, tones.

use std::f32::consts::TAU;

use antiphon_audio::CALLER_RATE_HZ;

use crate::grains::Grain;
use crate::material::{BACKCHANNEL, NOISE, Sound};
use crate::random::Choices;

const RATE: f32 = CALLER_RATE_HZ as f32;

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
        Self {
            a,
            b: -r * r,
            gain: 1.0 - a + r * r,
            y: (0.0, 0.0),
        }
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

/// Where a voice comes from: a throat of resonances or a vowel of a recording.
struct Source<'a> {
    grain: Option<&'a Grain>,
    nasal: bool,
    /// Noise among the pulses.
    breath: f32,
}

impl<'a> Source<'a> {
    fn new(choices: &mut Choices, grains: &'a [Grain], nasal: bool, breath: f32) -> Self {
        let fitting: Vec<&Grain> = grains.iter().filter(|grain| grain.nasal == nasal).collect();
        let grain = (choices.chance(0.65) && !fitting.is_empty())
            .then(|| fitting[choices.below(fitting.len())]);
        Self {
            grain,
            nasal,
            breath,
        }
    }

    /// A pitch that suits the source, in Hz.
    fn pitch(&self, choices: &mut Choices, from: f32, to: f32) -> f32 {
        match self.grain {
            Some(grain) => RATE / grain.period as f32 * choices.between(0.85, 1.15),
            None => choices.between(from, to),
        }
    }

    /// One tone from `f0` to `f1` Hz, as loud at its ends as within.
    fn tone(&self, choices: &mut Choices, seconds: f32, f0: (f32, f32)) -> Vec<f32> {
        let length = samples(seconds);
        match self.grain {
            Some(grain) => grain.sung(choices, length, f0),
            None => throat(choices, length, f0, self.nasal, self.breath),
        }
    }

    /// One syllable from `f0` to `f1` Hz.
    fn syllable(&self, choices: &mut Choices, seconds: f32, f0: (f32, f32)) -> Vec<f32> {
        let mut pcm = self.tone(choices, seconds, f0);
        let length = pcm.len();
        for (k, x) in pcm.iter_mut().enumerate() {
            *x *= envelope(k as f32 / length as f32);
        }
        pcm
    }
}

/// Pulses from `f0` to `f1` Hz through a throat.
fn throat(
    choices: &mut Choices,
    length: usize,
    f0: (f32, f32),
    nasal: bool,
    breath: f32,
) -> Vec<f32> {
    let formants: [(f32, f32); 5] = if nasal {
        [
            (choices.between(220.0, 300.0), 80.0),
            (choices.between(900.0, 1_200.0), 250.0),
            (2_300.0, 300.0),
            (3_300.0, 400.0),
            (4_300.0, 500.0),
        ]
    } else {
        [
            (choices.between(400.0, 850.0), 90.0),
            (choices.between(1_000.0, 1_900.0), 120.0),
            (choices.between(2_300.0, 2_800.0), 180.0),
            (choices.between(3_200.0, 3_800.0), 250.0),
            (choices.between(4_200.0, 5_000.0), 300.0),
        ]
    };
    let mut throat: Vec<Resonance> = formants.iter().map(|f| Resonance::new(f.0, f.1)).collect();
    let fall = choices.between(0.25, 0.7);
    let first = if nasal { 0.1 } else { 0.6 };
    let weights: Vec<f32> = (0..5)
        .map(|k| {
            if k == 0 {
                1.0
            } else {
                first * fall.powi(k - 1)
            }
        })
        .collect();
    let damping = choices.between(0.6, 0.95);
    let (mut phase, mut tilt) = (0.0f32, 0.0f32);
    (0..length)
        .map(|k| {
            let at = k as f32 / length as f32;
            let wobble = 1.0 + 0.02 * choices.normal();
            phase += (f0.0 + (f0.1 - f0.0) * at) * wobble / RATE;
            let pulse = f32::from(u8::from(phase >= 1.0));
            phase -= pulse;
            tilt = damping * tilt + pulse;
            let x = tilt + breath * choices.normal();
            throat
                .iter_mut()
                .zip(&weights)
                .map(|(r, w)| w * r.step(x))
                .sum::<f32>()
        })
        .collect()
}

/// Noise through a throat, with its own envelope.
fn breath(choices: &mut Choices, seconds: f32, sharp: bool) -> Vec<f32> {
    let mut throat = [
        Resonance::new(
            choices.between(500.0, 1_200.0),
            choices.between(200.0, 600.0),
        ),
        Resonance::new(
            choices.between(1_400.0, 2_600.0),
            choices.between(300.0, 900.0),
        ),
        Resonance::new(
            choices.between(3_000.0, 5_500.0),
            choices.between(600.0, 2_000.0),
        ),
    ];
    let weights = [
        choices.between(0.3, 1.0),
        choices.between(0.3, 1.0),
        choices.between(0.1, 1.0),
    ];
    let length = samples(seconds);
    (0..length)
        .map(|k| {
            let at = k as f32 / length as f32;
            let x = choices.normal();
            let y: f32 = throat
                .iter_mut()
                .zip(weights)
                .map(|(r, w)| w * r.step(x))
                .sum();
            let shape = if sharp {
                (-5.0 * at).exp() * (at * 60.0).min(1.0)
            } else {
                (at * TAU / 2.0).sin()
            };
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
fn murmur(choices: &mut Choices, grains: &[Grain]) -> Vec<f32> {
    let nasal = choices.chance(0.5);
    let source = Source::new(choices, grains, nasal, 0.02);
    let f0 = source.pitch(choices, 80.0, 260.0);
    let bend = choices.between(0.85, 1.2);
    if choices.chance(0.4) {
        let seconds = choices.between(0.15, 1.4);
        let mut pcm = scaled(source.tone(choices, seconds, (f0, f0 * bend)), 1.0);
        // "um", "hum": a vowel that closes without a gap.
        if !nasal && choices.chance(0.5) {
            let closed = Source::new(choices, grains, true, 0.02);
            let seconds = choices.between(0.15, 0.9);
            let hum = closed.tone(choices, seconds, (f0 * bend, f0 * bend * 0.95));
            let level = choices.between(0.25, 1.0);
            joined(
                &mut pcm,
                &scaled(hum, level),
                samples(choices.between(0.02, 0.08)),
            );
        }
        let (rise, fall) = (choices.between(0.01, 0.08), choices.between(0.03, 0.25));
        let length = pcm.len();
        for (k, x) in pcm.iter_mut().enumerate() {
            let (on, off) = (k as f32 / RATE / rise, (length - k) as f32 / RATE / fall);
            *x *= on.min(off).min(1.0);
        }
        return pcm;
    }
    let first = choices.between(0.09, 0.25);
    let near = choices.between(0.93, 1.08);
    let mut pcm = scaled(source.syllable(choices, first, (f0, f0 * near)), 1.0);
    let level = choices.between(0.03, 0.25);
    let pause = choices.between(0.03, 0.14);
    pcm.extend(scaled(breath(choices, pause, false), level));
    let second = choices.between(0.12, 0.45);
    let rise = choices.between(0.85, 1.35);
    let loud = choices.between(0.6, 1.5);
    let hum = source.syllable(choices, second, (f0 * rise, f0 * rise * bend));
    pcm.extend(scaled(hum, loud));
    pcm
}

/// `next` after `pcm`, faded into each other over `by` samples.
fn joined(pcm: &mut Vec<f32>, next: &[f32], by: usize) {
    let by = by.min(pcm.len()).min(next.len());
    let from = pcm.len() - by;
    for k in 0..by {
        let part = k as f32 / by as f32;
        pcm[from + k] = pcm[from + k] * (1.0 - part) + next[k] * part;
    }
    pcm.extend(&next[by..]);
}

fn laughter(choices: &mut Choices, grains: &[Grain]) -> Vec<f32> {
    let closed = choices.chance(0.15);
    let source = Source::new(choices, grains, closed, 0.15);
    let mut f0 = source.pitch(choices, 110.0, 420.0) * choices.between(0.9, 2.2);
    let period = choices.between(0.14, 0.3);
    let is_voiced = choices.chance(0.8);
    let mut pcm = Vec::new();
    if choices.chance(0.6) {
        let seconds = choices.between(0.1, 0.4);
        let level = choices.between(0.05, 0.5);
        pcm.extend(scaled(breath(choices, seconds, false), level));
    }
    let open = choices.between(0.25, 0.65);
    let aspiration = 0.6 * choices.between(0.0, 1.0).powi(3) + 0.005;
    for _ in 0..2 + choices.below(7) {
        let part = (open + choices.between(-0.1, 0.1)).clamp(0.2, 0.8);
        let level = aspiration * choices.between(0.7, 1.3);
        pcm.extend(scaled(breath(choices, period * (1.0 - part), false), level));
        let seconds = period * part;
        if is_voiced {
            let loud = choices.between(0.6, 1.3);
            let ha = source.syllable(choices, seconds, (f0 * 1.05, f0 * 0.95));
            pcm.extend(scaled(ha, loud));
        } else {
            pcm.extend(scaled(breath(choices, seconds, true), 1.0));
        }
        f0 *= choices.between(0.9, 1.05);
    }
    if choices.chance(0.4) {
        let seconds = choices.between(0.2, 0.6);
        pcm.extend(scaled(breath(choices, seconds, false), 0.3));
    }
    pcm
}

fn cough(choices: &mut Choices, grains: &[Grain]) -> Vec<f32> {
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
            let source = Source::new(choices, grains, false, 0.5);
            pcm.extend(scaled(
                source.syllable(choices, seconds, (f0, f0 * 0.7)),
                0.5,
            ));
        }
        pcm.extend(gap(choices.between(0.05, 0.35)));
    }
    pcm
}

fn breathing(choices: &mut Choices, _: &[Grain]) -> Vec<f32> {
    let seconds = choices.between(0.25, 1.3);
    breath(choices, seconds, false)
}

/// Clicks, taps, knocks and keys.
fn clatter(choices: &mut Choices, _: &[Grain]) -> Vec<f32> {
    let mut pcm = Vec::new();
    for _ in 0..1 + choices.below(7) {
        let hz = choices.between(150.0, 5_000.0);
        let width = choices.between(40.0, 1_500.0);
        let mut body = Resonance::new(hz, width);
        let length = samples(choices.between(0.02, 0.18));
        let level = choices.between(0.3, 1.0);
        let hit: Vec<f32> = (0..length)
            .map(|k| {
                let x = if k < 24 {
                    choices.normal()
                } else {
                    0.01 * choices.normal()
                };
                body.step(x)
            })
            .collect();
        pcm.extend(scaled(hit, level));
        pcm.extend(gap(choices.between(0.02, 0.3)));
    }
    pcm
}

/// Beeps, ring tones and chords.
fn tones(choices: &mut Choices, _: &[Grain]) -> Vec<f32> {
    let mut pcm = Vec::new();
    for _ in 0..1 + choices.below(6) {
        let base = choices.between(150.0, 1_800.0);
        let partials: Vec<(f32, f32)> = (0..1 + choices.below(5))
            .map(|k| {
                (
                    base * [1.0, 1.26, 1.5, 2.0, 3.0][k],
                    choices.between(0.2, 1.0),
                )
            })
            .collect();
        let length = samples(choices.between(0.08, 0.5));
        let decay = choices.between(0.0, 6.0);
        let note: Vec<f32> = (0..length)
            .map(|k| {
                let (t, at) = (k as f32 / RATE, k as f32 / length as f32);
                let y: f32 = partials
                    .iter()
                    .map(|(hz, w)| w * (TAU * hz * t).sin())
                    .sum();
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
fn swell(choices: &mut Choices, _: &[Grain]) -> Vec<f32> {
    let length = samples(choices.between(0.3, 1.5));
    let mut body = Resonance::new(
        choices.between(80.0, 5_000.0),
        choices.between(200.0, 4_000.0),
    );
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
pub(crate) fn made(grains: &[Grain], count: usize, seed: u64) -> Vec<Sound> {
    type Maker = fn(&mut Choices, &[Grain]) -> Vec<f32>;
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
                pcm: maker(&mut choices, grains),
                kind,
                set: format!("made:{name}"),
                name: format!("{name} {k}"),
            });
        }
    }
    sounds
}
