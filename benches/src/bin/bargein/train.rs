//! Training: `bargein train` makes `audio/src/overlap/weights.bin`.

use std::path::Path;
use std::thread;
use std::time::Instant;

use antiphon_audio::CALLER_FRAME_SAMPLES;
use antiphon_audio::overlap::{
    OVERLAP_INPUTS, OverlapJudge, OverlapSettings, overlap_weight_count,
};

use crate::grains::grains;
use crate::gru::{Sequence, backward};
use crate::made::made;
use crate::material::{self, BACKCHANNEL, COMMAND, NOISE, NOISE_SETS, SPEECH_SETS, Sound};
use crate::mix::{Mix, Surroundings, echo_streams, varied};
use crate::random::Choices;
use crate::spoken::spoken;

/// Mixes made of the sounds of each kind, whatever their number.
const MIXES_OF_KIND: usize = 6_000;
const EPOCHS: usize = 10;
const BATCH: usize = 64;
const STEP: f32 = 2e-3;
const DECAY: f32 = 2e-2;
/// Frames of an event that are learnt: 1.2 s and the frames before the onset.
const FRAMES_MAX: usize = 63;
/// Files of impulse responses for training.
pub(crate) const ROOMS: [&str; 2] = [
    "C_noise/audiomentations/impulse_response_0.wav",
    "C_noise/deepfilternet/rir_sim_1001_w11.7_l2.6_h2.5_rt60_0.7919.flac",
];
const THREADS: usize = 2;
/// Recordings that vowels are cut from, for murmurs and laughter.
pub(crate) const GRAIN_SETS: [&str; 3] = [
    "A_stt/librispeech-train-clean",
    "D_speakers/librispeech-train-clean-impostors",
    "D_speakers/vctk-4spk",
];

/// Every sound that the shipped model is trained with.
pub(crate) fn sounds(material: &Path) -> Result<Vec<Sound>, String> {
    let mut sounds = material::speech(material, &SPEECH_SETS)?;
    sounds.extend(material::noises(material, &NOISE_SETS)?);
    sounds.extend(material::meeting_backchannels(material)?);
    sounds.extend(material::call(material)?);
    sounds.extend(material::disfluencies(material)?);
    sounds.extend(spoken(true)?);
    let voices = material::speech(material, &GRAIN_SETS)?;
    sounds.extend(made(&grains(voices.iter()), 100, 1));
    Ok(sounds)
}

/// The events of mixes of all `sounds`.
pub(crate) fn material_events(material: &Path, sounds: &[Sound]) -> Result<Vec<Sequence>, String> {
    let mut around = Surroundings::of(material, &NOISE_SETS, &ROOMS)?;
    // Agents' voices from sets that are never left out.
    let agents: Vec<&Sound> = sounds
        .iter()
        .filter(|sound| GRAIN_SETS.contains(&sound.set.as_str()))
        .collect();
    around.echoes = echo_streams(&agents, &around.rooms);
    let began = Instant::now();
    let found = sequences(&sounds.iter().collect::<Vec<_>>(), &around);
    eprintln!("{} events after {:.0?}", found.len(), began.elapsed());
    Ok(found)
}

/// Trains on the events of the sounds that `wanted` lets through.
pub(crate) fn train(
    events: &[Sequence],
    sounds: &[Sound],
    wanted: impl Fn(&Sound) -> bool,
) -> Vec<f32> {
    let mut chosen: Vec<Sequence> = events
        .iter()
        .filter(|event| wanted(&sounds[event.sound]))
        .cloned()
        .collect();
    let last = |sequence: &Sequence| sequence.kinds.last().copied().unwrap_or(NOISE);
    let mut count = [0.0f32; 3];
    chosen
        .iter()
        .for_each(|sequence| count[last(sequence)] += 1.0);
    let mean = count.iter().sum::<f32>() / 3.0;
    chosen
        .iter_mut()
        .for_each(|sequence| sequence.weight = mean / count[last(sequence)]);
    descend(&chosen)
}

/// Real recordings count for more than made ones: a set of few gets many mixes.
fn share(sound: &Sound) -> f32 {
    match sound.set.as_str() {
        "B_turns/ami-30s" => 4.0,
        set if set.starts_with("mfa:") && sound.kind != COMMAND => 4.0,
        set if set.starts_with("A_stt") || set.starts_with("D_") => 2.0,
        _ => 1.0,
    }
}

fn sequences(sounds: &[&Sound], around: &Surroundings) -> Vec<Sequence> {
    let mut jobs: Vec<(usize, u64)> = Vec::new();
    let mut choices = Choices::new(7);
    for kind in [COMMAND, BACKCHANNEL, NOISE] {
        let of_kind: Vec<usize> = (0..sounds.len())
            .filter(|at| sounds[*at].kind == kind)
            .collect();
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
                        let kind = sounds[*at].kind;
                        done.extend(
                            events(&mix, kind)
                                .into_iter()
                                .map(|e| Sequence { sound: *at, ..e }),
                        );
                    }
                    done
                })
            })
            .collect();
        handles
            .into_iter()
            .map(|handle| handle.join().expect("a worker panicked"))
            .collect()
    });
    done.into_iter().flatten().collect()
}

/// What the model sees of the events in a mix: of the sound's kind from 60 ms after its begin on,
/// noise (or echo) before.
fn events(mix: &Mix, kind: usize) -> Vec<Sequence> {
    let mut judge = OverlapJudge::with_weights(OverlapSettings::default(), Vec::new());
    let mut found: Vec<Sequence> = Vec::new();
    let mut running = false;
    for (at, frame) in mix.pcm.chunks_exact(CALLER_FRAME_SAMPLES).enumerate() {
        let begin = at * CALLER_FRAME_SAMPLES;
        let end = begin + CALLER_FRAME_SAMPLES;
        judge.push(frame, mix.agent.as_ref().map(|agent| &agent[begin..end]));
        let inputs = judge.model_inputs();
        if inputs.is_empty() {
            running = false;
            continue;
        }
        let late = if running { 960 } else { 0 };
        if !running {
            running = true;
            found.push(Sequence {
                inputs: Vec::new(),
                kinds: Vec::new(),
                weight: 1.0,
                sound: 0,
            });
        }
        let now = if end > mix.start + late && end < mix.end + 6_400 {
            kind
        } else {
            NOISE
        };
        if let Some(event) = found.last_mut() {
            let room = FRAMES_MAX.saturating_sub(event.inputs.len());
            event.inputs.extend(inputs.iter().take(room));
            // What was heard does not turn to noise by ending.
            let kept = event
                .kinds
                .last()
                .copied()
                .filter(|kept| *kept != NOISE)
                .unwrap_or(now);
            event.kinds.resize(event.inputs.len(), kept);
        }
    }
    found.retain(|event| event.inputs.len() > 4);
    found
}

/// Adam with decoupled decay, the step falling as a cosine.
fn descend(sequences: &[Sequence]) -> Vec<f32> {
    let mut choices = Choices::new(3);
    let mut weights: Vec<f32> = (0..overlap_weight_count())
        .map(|_| 0.12 * choices.normal())
        .collect();
    let (mut mean, mut square) = (vec![0.0f32; weights.len()], vec![0.0f32; weights.len()]);
    let mut order: Vec<usize> = (0..sequences.len()).collect();
    let batches = sequences.len().div_ceil(BATCH);
    let mut time = 0;
    for epoch in 0..EPOCHS {
        for at in (1..order.len()).rev() {
            order.swap(at, choices.below(at + 1));
        }
        let (mut loss, mut right) = (0.0, 0);
        for batch in order.chunks(BATCH) {
            let noisy: Vec<Sequence> = batch
                .iter()
                .map(|at| disturbed(&sequences[*at], &mut choices))
                .collect();
            let (gradient, l, r) = gradient(&weights, &noisy);
            (loss, right) = (loss + l, right + r);
            time += 1;
            let part = time as f32 / (EPOCHS * batches) as f32;
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
        eprintln!(
            "epoch {epoch}: loss {:.3}, right {:.1} %",
            loss / count,
            100.0 * right as f32 / count
        );
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
        handles
            .into_iter()
            .map(|handle| handle.join().expect("a worker panicked"))
            .collect()
    });
    let mut sum = (vec![0.0; weights.len()], 0.0, 0);
    for (gradient, loss, right) in parts {
        sum.0
            .iter_mut()
            .zip(gradient)
            .for_each(|(sum, g)| *sum += g);
        (sum.1, sum.2) = (sum.1 + loss, sum.2 + right);
    }
    sum
}
