//! Training: `bargein train` makes `audio/src/overlap/weights.bin`.

use std::path::Path;
use std::thread;
use std::time::Instant;

use antiphon_audio::CALLER_FRAME_SAMPLES;
use antiphon_audio::overlap::{
    OVERLAP_INPUTS, OverlapJudge, OverlapSettings, overlap_weight_count,
};

use crate::gru::{Sequence, backward};
use crate::material::{self, BACKCHANNEL, COMMAND, NOISE, NOISE_SETS, SPEECH_SETS, Sound};
use crate::mix::{Mix, Surroundings, varied};
use crate::random::Choices;
use crate::synth;

/// Mixes made of the sounds of each kind, whatever their number.
const MIXES_OF_KIND: usize = 9_000;
const EPOCHS: usize = 14;
const BATCH: usize = 64;
const STEP: f32 = 2e-3;
const DECAY: f32 = 2e-2;
/// Frames of an event that are learnt: 1 s and the frames before the onset.
const FRAMES_MAX: usize = 53;
/// Files of impulse responses for training.
pub(crate) const ROOMS: [&str; 2] = [
    "C_noise/audiomentations/impulse_response_0.wav",
    "C_noise/deepfilternet/rir_sim_1001_w11.7_l2.6_h2.5_rt60_0.7919.flac",
];
const THREADS: usize = 2;

/// Every sound that the shipped model is trained with.
pub(crate) fn sounds(material: &Path) -> Result<Vec<Sound>, String> {
    let mut sounds = material::speech(material, &SPEECH_SETS)?;
    sounds.extend(material::noises(material, &NOISE_SETS)?);
    sounds.extend(material::meeting_backchannels(material)?);
    sounds.extend(material::call(material)?);
    sounds.extend(synth::spoken(true)?);
    sounds.extend(synth::made(60, 1));
    Ok(sounds)
}

/// Trains on the sounds that `wanted` lets through.
pub(crate) fn train(
    material: &Path,
    sounds: &[Sound],
    wanted: impl Fn(&Sound) -> bool,
    epochs: Option<usize>,
) -> Result<Vec<f32>, String> {
    let chosen: Vec<&Sound> = sounds.iter().filter(|sound| wanted(sound)).collect();
    let beds: Vec<&str> = NOISE_SETS
        .into_iter()
        .filter(|set| chosen.iter().any(|sound| sound.set == *set))
        .collect();
    let around = Surroundings::of(material, &beds, &ROOMS)?;
    let began = Instant::now();
    let sequences = sequences(&chosen, &around);
    eprintln!("{} events after {:.0?}", sequences.len(), began.elapsed());
    Ok(descend(&sequences, epochs.unwrap_or(EPOCHS)))
}

/// Real recordings count for more than made ones: a set of few gets many mixes.
fn share(sound: &Sound) -> f32 {
    match sound.set.as_str() {
        "B_turns/ami-30s" | "B_turns/aws-call-centre" if sound.kind == BACKCHANNEL => 4.0,
        set if set.starts_with("A_stt") || set.starts_with("D_") => 2.0,
        _ => 1.0,
    }
}

fn sequences(sounds: &[&Sound], around: &Surroundings) -> Vec<Sequence> {
    let mut jobs: Vec<(usize, u64)> = Vec::new();
    let mut choices = Choices::new(7);
    for kind in [COMMAND, BACKCHANNEL, NOISE] {
        let of_kind: Vec<usize> = (0..sounds.len()).filter(|at| sounds[*at].kind == kind).collect();
        let total: f32 = of_kind.iter().map(|at| share(sounds[*at])).sum();
        for at in of_kind {
            let wanted = MIXES_OF_KIND as f32 * share(sounds[at]) / total;
            let count = wanted as usize + usize::from(choices.chance(wanted.fract()));
            jobs.extend((0..count as u64).map(|k| (at, k)));
        }
    }
    let done: Vec<Vec<Sequence>> = thread::scope(|scope| {
        let handles: Vec<_> = (0..THREADS)
            .map(|part| {
                let jobs = &jobs;
                scope.spawn(move || {
                    let mut done = Vec::new();
                    for (at, k) in jobs.iter().skip(part).step_by(THREADS) {
                        let mut choices = Choices::new((*at as u64) << 20 | k);
                        let mix = varied(sounds[*at], around, &mut choices);
                        done.extend(events(&mix, sounds[*at].kind));
                    }
                    done
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().expect("a worker panicked")).collect()
    });
    let mut all: Vec<Sequence> = done.into_iter().flatten().collect();
    let mut count = [0.0f32; 3];
    all.iter().for_each(|sequence| count[sequence.kind] += 1.0);
    let mean = count.iter().sum::<f32>() / 3.0;
    all.iter_mut().for_each(|sequence| sequence.weight = mean / count[sequence.kind]);
    all
}

/// What the model sees of the events in a mix: those that begin in the sound are of its kind,
/// those that begin before it are noise.
fn events(mix: &Mix, kind: usize) -> Vec<Sequence> {
    let mut judge = OverlapJudge::with_weights(OverlapSettings::default(), Vec::new());
    let mut found: Vec<Sequence> = Vec::new();
    let mut running = false;
    for (at, frame) in mix.pcm.chunks(CALLER_FRAME_SAMPLES).enumerate() {
        judge.push(frame, None);
        let inputs = judge.model_inputs();
        let end = (at + 1) * CALLER_FRAME_SAMPLES;
        if inputs.is_empty() {
            running = false;
            continue;
        }
        if !running {
            running = true;
            let kind = if end > mix.start { kind } else { NOISE };
            found.push(Sequence { inputs: Vec::new(), kind, weight: 1.0 });
        }
        if let Some(event) = found.last_mut() {
            let room = FRAMES_MAX.saturating_sub(event.inputs.len());
            event.inputs.extend(inputs.iter().take(room));
        }
    }
    // An event that began in the background and lasts into the sound would teach nonsense.
    found.retain(|event| event.inputs.len() > 4);
    found
}

/// Adam with decoupled decay, the step falling as a cosine.
fn descend(sequences: &[Sequence], epochs: usize) -> Vec<f32> {
    let mut choices = Choices::new(3);
    let mut weights: Vec<f32> = (0..overlap_weight_count()).map(|_| 0.12 * choices.normal()).collect();
    let (mut mean, mut square) = (vec![0.0f32; weights.len()], vec![0.0f32; weights.len()]);
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    let batches = sequences.len().div_ceil(BATCH);
    let mut time = 0;
    for epoch in 0..epochs {
        for at in (1..order.len()).rev() {
            order.swap(at, choices.below(at + 1));
        }
        let (mut loss, mut right) = (0.0, 0);
        for batch in order.chunks(BATCH) {
            let noisy: Vec<Sequence> =
                batch.iter().map(|at| disturbed(&sequences[*at], &mut choices)).collect();
            let (gradient, l, r) = gradient(&weights, &noisy);
            (loss, right) = (loss + l, right + r);
            time += 1;
            let part = time as f32 / (epochs * batches) as f32;
            let step = STEP * (0.02 + 0.98 * 0.5 * (1.0 + (std::f32::consts::PI * part).cos()));
            let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt() / batch.len() as f32;
            let clip = (1.0 / norm.max(1e-9)).min(1.0) / batch.len() as f32;
            let correct = [1.0 - 0.9f32.powi(time), 1.0 - 0.999f32.powi(time)];
            for at in 0..weights.len() {
                let g = gradient[at] * clip;
                mean[at] += 0.1 * (g - mean[at]);
                square[at] += 0.001 * (g * g - square[at]);
                let move_by = (mean[at] / correct[0]) / ((square[at] / correct[1]).sqrt() + 1e-8);
                weights[at] -= step * (move_by + DECAY * weights[at]);
            }
        }
        let count = sequences.len() as f32;
        eprintln!("epoch {epoch}: loss {:.3}, right {:.1} %", loss / count, 100.0 * right as f32 / count);
    }
    weights
}

/// Inputs with noise, so that no single one is relied upon.
fn disturbed(sequence: &Sequence, choices: &mut Choices) -> Sequence {
    let mut sequence = sequence.clone();
    let constant: [f32; OVERLAP_INPUTS] = std::array::from_fn(|_| 0.08 * choices.normal());
    let dropped = choices.chance(0.3).then(|| choices.below(OVERLAP_INPUTS));
    for inputs in &mut sequence.inputs {
        for (at, input) in inputs.iter_mut().enumerate() {
            *input += constant[at] + choices.between(-0.12, 0.12);
        }
        if let Some(at) = dropped {
            inputs[at] = 0.0;
        }
    }
    sequence
}

fn gradient(weights: &[f32], batch: &[Sequence]) -> (Vec<f32>, f32, usize) {
    let parts: Vec<(Vec<f32>, f32, usize)> = thread::scope(|scope| {
        let handles: Vec<_> = batch
            .chunks(batch.len().div_ceil(THREADS))
            .map(|part| {
                scope.spawn(move || {
                    let mut gradient = vec![0.0; weights.len()];
                    let (mut loss, mut right) = (0.0, 0);
                    for sequence in part {
                        let (l, r) = backward(weights, sequence, &mut gradient);
                        (loss, right) = (loss + l, right + usize::from(r));
                    }
                    (gradient, loss, right)
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().expect("a worker panicked")).collect()
    });
    let mut sum = (vec![0.0; weights.len()], 0.0, 0);
    for (gradient, loss, right) in parts {
        sum.0.iter_mut().zip(gradient).for_each(|(sum, g)| *sum += g);
        (sum.1, sum.2) = (sum.1 + loss, sum.2 + right);
    }
    sum
}
