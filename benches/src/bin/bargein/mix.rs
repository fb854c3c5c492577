//! One sound laid over a background, as a microphone would have it.

use std::path::Path;

use antiphon_audio::CALLER_RATE_HZ;

use crate::material::{Sound, folder, read};
use crate::random::Choices;

const RATE: f32 = CALLER_RATE_HZ as f32;
/// Background before the sound, so that its level is known, and after it, in samples.
pub(crate) const LEAD: usize = 25_600;
const TAIL: usize = 9_600;

/// What sounds are laid over and what they pass through.
pub(crate) struct Surroundings {
    pub(crate) beds: Vec<Vec<f32>>,
    pub(crate) rooms: Vec<Vec<f32>>,
    /// What agents said and, of the same length, what came back of it.
    pub(crate) echoes: Vec<(Vec<f32>, Vec<f32>)>,
}

impl Surroundings {
    /// From the noises and impulse responses that the model is trained with.
    pub(crate) fn of(material: &Path, sets: &[&str], rooms: &[&str]) -> Result<Self, String> {
        let mut beds = Vec::new();
        for set in sets {
            for (name, pcm) in folder(material, set)? {
                if pcm.len() > 80_000 && !name.contains("clean") && !name.contains("noisy") {
                    beds.push(pcm);
                }
            }
        }
        // Short ones: 27,000 mixes pass through them.
        let rooms = rooms.iter().map(|path| {
            let mut room = response(read(&material.join(path))?);
            room.truncate(1_600);
            Ok(room)
        });
        let rooms = rooms.collect::<Result<_, String>>()?;
        Ok(Self {
            beds,
            rooms,
            echoes: Vec::new(),
        })
    }
}

/// Streams of 20 s put together from `speech`, each with its echo in one of `rooms`.
pub(crate) fn echo_streams(speech: &[&Sound], rooms: &[Vec<f32>]) -> Vec<(Vec<f32>, Vec<f32>)> {
    let mut choices = Choices::new(5);
    (0..16)
        .map(|at| {
            let mut agent: Vec<f32> = Vec::new();
            while agent.len() < 20 * CALLER_RATE_HZ as usize {
                let sound = &speech[choices.below(speech.len())].pcm;
                let gain = amplitude(choices.between(-22.0, -16.0)) / loudness(sound);
                agent.extend(sound.iter().map(|x| x * gain));
                agent.extend(vec![0.0; choices.below(8_000)]);
            }
            let mut echo = match rooms.get(at % (rooms.len() + 1)) {
                Some(room) => convolve(&agent, room),
                None => agent.clone(),
            };
            echo.truncate(agent.len());
            (agent, echo)
        })
        .collect()
}

/// An impulse response from its peak on, of unit energy, at most 0.4 s.
pub(crate) fn response(pcm: Vec<f32>) -> Vec<f32> {
    let peak = pcm
        .iter()
        .enumerate()
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))
        .map_or(0, |(at, _)| at);
    let mut pcm: Vec<f32> = pcm[peak..pcm.len().min(peak + 6_400)].to_vec();
    let energy = pcm.iter().map(|x| x * x).sum::<f32>().sqrt() + 1e-9;
    pcm.iter_mut().for_each(|x| *x /= energy);
    pcm
}

/// `pcm` heard through `response`.
pub(crate) fn convolve(pcm: &[f32], response: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; pcm.len() + response.len()];
    for (at, x) in pcm.iter().enumerate() {
        if *x != 0.0 {
            for (y, h) in out[at..].iter_mut().zip(response) {
                *y += x * h;
            }
        }
    }
    out
}

/// How a sound was laid.
pub(crate) struct Mix {
    pub(crate) pcm: Vec<i16>,
    /// What the agent said meanwhile, where it is known.
    pub(crate) agent: Option<Vec<i16>>,
    /// First sample of the sound and the one after its last.
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Played faster or slower by `factor`, the pitch with it.
pub(crate) fn resped(pcm: &[f32], factor: f32) -> Vec<f32> {
    let length = (pcm.len() as f32 / factor) as usize;
    (0..length)
        .map(|k| {
            let at = k as f32 * factor;
            let (whole, part) = (at as usize, at.fract());
            let a = pcm.get(whole).copied().unwrap_or_default();
            let b = pcm.get(whole + 1).copied().unwrap_or_default();
            a + (b - a) * part
        })
        .collect()
}

/// What a telephone carries: 300 to 3400 Hz.
pub(crate) fn telephone(pcm: &[f32]) -> Vec<f32> {
    const TAPS: usize = 63;
    let cut = 3_400.0 / RATE;
    let taps: Vec<f32> = (0..TAPS)
        .map(|k| {
            let n = k as f32 - (TAPS / 2) as f32;
            let sinc = if n == 0.0 {
                2.0 * cut
            } else {
                (std::f32::consts::TAU * cut * n).sin() / (std::f32::consts::PI * n)
            };
            let phase = std::f32::consts::TAU * (k as f32 + 0.5) / TAPS as f32;
            sinc * (0.5 - 0.5 * phase.cos())
        })
        .collect();
    let mut low = (0.0, 0.0);
    let high = |x: f32, low: &mut (f32, f32)| {
        low.1 = 0.9 * (low.1 + x - low.0);
        low.0 = x;
        low.1
    };
    let mut out = convolve(pcm, &taps);
    out.drain(..TAPS / 2);
    out.truncate(pcm.len());
    out.iter_mut().for_each(|x| *x = high(*x, &mut low));
    out
}

/// Level of the loudest 200 ms, as an amplitude.
pub(crate) fn loudness(pcm: &[f32]) -> f32 {
    pcm.chunks(3_200)
        .map(|part| (part.iter().map(|x| x * x).sum::<f32>() / part.len() as f32).sqrt())
        .fold(1e-6, f32::max)
}

pub(crate) fn amplitude(decibels: f32) -> f32 {
    10f32.powf(decibels / 20.0)
}

/// Lays `sound` with everything changed that may differ at another caller's.
pub(crate) fn varied(sound: &Sound, around: &Surroundings, choices: &mut Choices) -> Mix {
    let factor = choices.between(0.84, 1.2);
    let mut pcm = resped(&sound.pcm, factor);
    if choices.chance(0.3) && !around.rooms.is_empty() {
        pcm = convolve(&pcm, &around.rooms[choices.below(around.rooms.len())]);
    }
    let tilt = choices.between(-0.5, 0.5);
    let mut before = 0.0;
    for x in &mut pcm {
        let now = *x;
        *x += tilt * before;
        before = now;
    }
    let level = amplitude(choices.between(-38.0, -12.0));
    let mut bed_below = choices.between(8.0, 50.0);
    if choices.chance(0.2) {
        bed_below = 200.0;
    }
    let bed = bed(around, choices);
    let mut mix = lay(&pcm, &bed, level, amplitude(-bed_below));
    if choices.chance(0.25) {
        mix = telephone(&mix);
    }
    let echoes = choices.chance(0.3) && !around.echoes.is_empty();
    if !echoes {
        return finished(&mix, pcm.len());
    }
    let relative = choices.between(-28.0, -4.0);
    let before = if choices.chance(0.5) { 0 } else { 3 * LEAD / 2 };
    let (mix, agent) = echoed(&mix, before, level * amplitude(relative), around, choices);
    let start = LEAD + before;
    Mix {
        pcm: samples(&mix),
        agent: Some(samples(&agent)),
        start,
        end: start + pcm.len(),
    }
}

/// `mix` with an agent's echo at amplitude `level`, `before` samples of it in front; and the agent.
fn echoed(
    mix: &[f32],
    before: usize,
    level: f32,
    around: &Surroundings,
    choices: &mut Choices,
) -> (Vec<f32>, Vec<f32>) {
    let length = mix.len() + before;
    let (agent, echo) = &around.echoes[choices.below(around.echoes.len())];
    let from = choices.below(agent.len());
    let delay = (choices.between(0.03, 0.45) * RATE) as usize;
    // Sometimes the agent begins within the mix.
    let silent = if choices.chance(0.5) {
        0
    } else {
        choices.below(length / 2)
    };
    let part = |pcm: &[f32], after: usize| -> Vec<f32> {
        let sound = pcm.iter().cycle().skip(from).copied();
        std::iter::repeat_n(0.0, after)
            .chain(sound)
            .take(length)
            .collect()
    };
    let (agent, echo) = (part(agent, silent), part(echo, silent + delay));
    let gain = level / loudness(&echo);
    let lead = mix[..LEAD].iter().cycle().take(before);
    let pcm = lead
        .chain(mix)
        .zip(&echo)
        .map(|(x, y)| x + gain * y)
        .collect();
    (pcm, agent)
}

/// Lays `sound` as it is at `level_db` dBFS (loudest 200 ms) over a bed `bed_below_db` below.
pub(crate) fn plain(sound: &Sound, bed: &[f32], level_db: f32, bed_below_db: f32) -> Mix {
    let mix = lay(
        &sound.pcm,
        bed,
        amplitude(level_db),
        amplitude(-bed_below_db),
    );
    finished(&mix, sound.pcm.len())
}

fn bed(around: &Surroundings, choices: &mut Choices) -> Vec<f32> {
    if around.beds.is_empty() || choices.chance(0.35) {
        let smooth = choices.between(0.0, 0.95);
        let mut y = 0.0;
        return (0..48_000)
            .map(|_| {
                y = smooth * y + choices.normal();
                y
            })
            .collect();
    }
    let bed = &around.beds[choices.below(around.beds.len())];
    let from = choices.below(bed.len());
    bed[from..]
        .iter()
        .chain(&bed[..from])
        .copied()
        .take(120_000)
        .collect()
}

fn lay(pcm: &[f32], bed: &[f32], level: f32, bed_part: f32) -> Vec<f32> {
    let gain = level / loudness(pcm);
    let power = bed.iter().map(|x| x * x).sum::<f32>() / bed.len().max(1) as f32;
    let bed_gain = level * bed_part / (power.sqrt() + 1e-9);
    let length = LEAD + pcm.len() + TAIL;
    let mut mix: Vec<f32> = bed
        .iter()
        .cycle()
        .take(length)
        .map(|x| x * bed_gain)
        .collect();
    mix.resize(length, 0.0);
    for (at, x) in pcm.iter().enumerate() {
        let edge = (at.min(pcm.len() - 1 - at) as f32 / 80.0).min(1.0);
        mix[LEAD + at] += x * gain * edge;
    }
    mix
}

fn finished(mix: &[f32], length: usize) -> Mix {
    Mix {
        pcm: samples(mix),
        agent: None,
        start: LEAD,
        end: LEAD + length,
    }
}

/// As 16-bit samples.
pub(crate) fn samples(pcm: &[f32]) -> Vec<i16> {
    pcm.iter()
        .map(|x| (x * 32_768.0).clamp(-32_768.0, 32_767.0) as i16)
        .collect()
}
