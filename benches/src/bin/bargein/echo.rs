//! The agent's own voice in the microphone, without the browser's canceller.

use std::path::Path;
use std::time::{Duration, Instant};

use antiphon_audio::overlap::OverlapDecision;
use antiphon_audio::{CALLER_FRAME_SAMPLES, CALLER_RATE_HZ};
use sonora::config::EchoCanceller;
use sonora::{AudioProcessing, Config, StreamConfig};

use crate::material::{self, COMMAND, Sound, onset, read};
use crate::mix::{amplitude, convolve, loudness, response, samples};
use crate::random::Choices;
use crate::score::{Trial, quantile};
use crate::spoken::flite;

/// Level of the agent's speech as sent, in dBFS (mean over its speech).
const AGENT_DBFS: f32 = -23.0;
/// Echo of it in the microphone, relative to that.
pub(crate) const ECHO_DB: f32 = -10.0;
/// White noise of the microphone, in dBFS.
const NOISE_DBFS: f32 = -65.0;
const RATE: usize = CALLER_RATE_HZ as usize;
/// Length of one call in the trial.
const CALL: usize = 60 * RATE;
/// Impulse responses that the echo passes through; none of them is trained with.
const ROOMS: [&str; 3] = [
    "C_noise/speechbrain-noise-rir/rir1.wav",
    "C_noise/speechbrain-noise-rir/rir2.wav",
    "C_noise/audiomentations/rir48000.wav",
];
/// Delays of network, jitter buffer, device and air.
const DELAYS_MS: [usize; 6] = [40, 90, 150, 220, 300, 400];

/// What stands between the microphone and the judge.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// Nothing: the judge does not know what was sent.
    Nothing,
    /// The judge's own prediction of the echo's level.
    Level,
    /// AEC3 alone.
    Canceller,
    /// AEC3, then the judge with its prediction.
    Both,
}

pub(crate) const GUARDS: [(Guard, &str); 4] = [
    (Guard::Nothing, "nothing"),
    (Guard::Level, "echo level (ours)"),
    (Guard::Canceller, "AEC3 (sonora)"),
    (Guard::Both, "AEC3, then echo level"),
];

/// One call: what was sent and what came back, without the caller's own voice.
pub(crate) struct Call {
    agent: Vec<f32>,
    echo: Vec<f32>,
}

/// What happened in one call.
#[derive(Default)]
pub(crate) struct Heard {
    /// Times of the stops, in samples; the agent speaks on after each.
    stops: Vec<usize>,
    ducked_frames: usize,
    frames: usize,
    guard_time: Duration,
    judge_time: Duration,
}

/// Agent's speech: sentences with pauses, from the file of requests, in flite's voices, then read
/// by people.
fn speech(material: &Path) -> Result<Vec<Vec<f32>>, String> {
    let path = material.join("F_text/slurp-devel-text/sentences.tsv");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let sentences: Vec<&str> = text
        .lines()
        .skip(1)
        .filter_map(|l| l.split('\t').nth(3))
        .collect();
    let mut calls = Vec::new();
    let mut at = 0;
    for call in 0..10 {
        let voice = ["slt", "rms", "awb", "kal16"][call % 4];
        let mut pcm: Vec<f32> = Vec::new();
        while pcm.len() < CALL {
            // Twelve requests are a passage of 30 to 40 s.
            let passage = sentences[at..at + 12].join(". ");
            at += 12;
            pcm.extend(flite(voice, &passage)?);
            pcm.extend(vec![0.0; RATE]);
        }
        pcm.truncate(CALL);
        calls.push(pcm);
    }
    let people = [
        "A_stt/librispeech-train-clean",
        "D_speakers/librispeech-train-clean-impostors",
    ];
    let mut pcm: Vec<f32> = Vec::new();
    for set in people {
        for (_, clip) in material::folder(material, set)? {
            let gain = 0.05 / loudness(&clip);
            pcm.extend(clip.iter().map(|x| x * gain));
            pcm.extend(vec![0.0; RATE / 2]);
        }
    }
    calls.extend(pcm.chunks_exact(CALL).map(<[f32]>::to_vec));
    Ok(calls)
}

/// Ten calls of flite, five of people, in several rooms and with several delays.
pub(crate) fn calls(material: &Path, echo_db: f32) -> Result<Vec<Call>, String> {
    let rooms = ROOMS
        .iter()
        .map(|room| Ok(response(read(&material.join(room))?)))
        .collect::<Result<Vec<_>, String>>()?;
    let mut choices = Choices::new(11);
    let calls = speech(material)?;
    Ok(calls
        .into_iter()
        .enumerate()
        .map(|(at, mut agent)| {
            let gain = amplitude(AGENT_DBFS) / level(&agent);
            agent.iter_mut().for_each(|x| *x *= gain);
            let delay = DELAYS_MS[at % DELAYS_MS.len()] * RATE / 1_000 + choices.below(160);
            let mut echo = vec![0.0; delay];
            echo.extend(convolve(&agent, &rooms[at % rooms.len()]));
            echo.truncate(agent.len());
            let gain = amplitude(AGENT_DBFS + echo_db) / level(&echo);
            let noise = amplitude(NOISE_DBFS);
            echo.iter_mut()
                .for_each(|x| *x = *x * gain + noise * choices.normal());
            Call { agent, echo }
        })
        .collect())
}

/// Mean level over the parts that are speech.
fn level(pcm: &[f32]) -> f32 {
    let powers: Vec<f32> = pcm
        .chunks(320)
        .map(|hop| hop.iter().map(|x| x * x).sum::<f32>() / 320.0)
        .collect();
    let most = powers.iter().copied().fold(0.0, f32::max);
    let speech: Vec<f32> = powers
        .into_iter()
        .filter(|power| *power > most / 1_000.0)
        .collect();
    (speech.iter().sum::<f32>() / speech.len().max(1) as f32).sqrt()
}

/// Plays a call to the judge, with `caller` spoken over it where one is given.
pub(crate) fn play(
    trial: &Trial,
    guard: Guard,
    call: &Call,
    caller: Option<(&[f32], usize)>,
) -> Heard {
    let mut microphone = call.echo.clone();
    if let Some((pcm, at)) = caller {
        microphone[at..]
            .iter_mut()
            .zip(pcm)
            .for_each(|(x, y)| *x += y);
    }
    let (microphone, agent) = (samples(&microphone), samples(&call.agent));
    let mut judge = trial.judge();
    let stream = StreamConfig::new(CALLER_RATE_HZ, 1);
    let config = Config {
        echo_canceller: Some(EchoCanceller::default()),
        ..Default::default()
    };
    let mut canceller = AudioProcessing::builder()
        .config(config)
        .capture_config(stream)
        .render_config(stream)
        .build();
    let cancels = matches!(guard, Guard::Canceller | Guard::Both);
    let mut heard = Heard::default();
    let mut stopped = false;
    let pairs = microphone
        .chunks_exact(CALLER_FRAME_SAMPLES)
        .zip(agent.chunks_exact(CALLER_FRAME_SAMPLES));
    for (at, (caller, agent)) in pairs.enumerate() {
        let mut frame = [0; CALLER_FRAME_SAMPLES];
        frame.copy_from_slice(caller);
        let began = Instant::now();
        if cancels {
            let mut unused = [0; 160];
            for half in 0..2 {
                let part = half * 160..half * 160 + 160;
                canceller
                    .process_render_i16(&agent[part.clone()], &mut unused)
                    .expect("invariant: 10 ms at the stream's rate");
                canceller
                    .process_capture_i16(&caller[part.clone()], &mut frame[part])
                    .expect("invariant: 10 ms at the stream's rate");
            }
        }
        let between = Instant::now();
        let known = matches!(guard, Guard::Level | Guard::Both);
        judge.push(&frame, known.then_some(agent));
        heard.judge_time += between.elapsed();
        heard.guard_time += between - began;
        let view = judge.view();
        heard.frames += 1;
        let ducks = [OverlapDecision::Undecided, OverlapDecision::Stop];
        heard.ducked_frames += usize::from(ducks.contains(&view.decision));
        let stops = view.decision == OverlapDecision::Stop;
        if stops && !stopped {
            heard.stops.push((at + 1) * CALLER_FRAME_SAMPLES);
        }
        stopped = stops;
    }
    heard
}

/// One row: how a guard fares.
#[derive(Debug)]
pub(crate) struct EchoRow {
    pub(crate) name: &'static str,
    pub(crate) minutes: f32,
    pub(crate) stops: usize,
    pub(crate) ducked_percent: f32,
    pub(crate) barge_ins: usize,
    pub(crate) stopped: usize,
    pub(crate) median_ms: f32,
    pub(crate) guard_us: f32,
    pub(crate) judge_us: f32,
}

/// Times at which barge-ins begin in a call: cold, and when the echo is known.
const BARGE_IN_S: [usize; 3] = [2, 8, 20];
/// A stop counts for a barge-in up to this long after its onset.
const STOP_WITHIN: usize = 2 * RATE;

/// Plays all calls, then each of `commands` over one of them.
pub(crate) fn row(
    trial: &Trial,
    guard: (Guard, &'static str),
    calls: &[Call],
    commands: &[Sound],
) -> EchoRow {
    let (mut stops, mut ducked, mut frames) = (0, 0, 0);
    let (mut guard_time, mut judge_time) = (Duration::ZERO, Duration::ZERO);
    for call in calls {
        let heard = play(trial, guard.0, call, None);
        stops += heard.stops.len();
        ducked += heard.ducked_frames;
        frames += heard.frames;
        guard_time += heard.guard_time;
        judge_time += heard.judge_time;
    }
    let (mut count, mut times) = (0, Vec::new());
    for (at, command) in commands
        .iter()
        .filter(|command| command.kind == COMMAND)
        .enumerate()
    {
        let call = &calls[at % calls.len()];
        let start = BARGE_IN_S[at % BARGE_IN_S.len()] * RATE;
        let short = Call {
            agent: call.agent[..start + 3 * RATE].to_vec(),
            echo: call.echo[..start + 3 * RATE].to_vec(),
        };
        let gain = amplitude(AGENT_DBFS) / level(&command.pcm);
        let pcm: Vec<f32> = command.pcm.iter().map(|x| x * gain).collect();
        let truth = start + onset(&command.pcm).unwrap_or(0);
        let heard = play(trial, guard.0, &short, Some((&pcm, start)));
        count += 1;
        let stop = heard
            .stops
            .iter()
            .find(|stop| **stop > truth && **stop < truth + STOP_WITHIN);
        times.extend(stop.map(|stop| (stop - truth) as f32 / 16.0));
    }
    EchoRow {
        name: guard.1,
        minutes: frames as f32 / 3_000.0,
        stops,
        ducked_percent: 100.0 * ducked as f32 / frames as f32,
        barge_ins: count,
        stopped: times.len(),
        median_ms: quantile(&mut times, 0.5),
        guard_us: guard_time.as_secs_f32() * 1e6 / frames as f32,
        judge_us: judge_time.as_secs_f32() * 1e6 / frames as f32,
    }
}

/// Two recordings of real devices: what was played and what the microphone heard.
pub(crate) fn devices(material: &Path) -> Result<Vec<Call>, String> {
    let folder = material.join("C_noise");
    let far = "aec-real-devices/9mkQhVtzTEy2hDk-6u2Sww_farend_singletalk";
    let pairs = [
        (format!("{far}_lpb.flac"), format!("{far}_mic.flac")),
        ("pyaec/x.wav".to_owned(), "pyaec/d.wav".to_owned()),
    ];
    pairs
        .into_iter()
        .map(|(agent, echo)| {
            Ok(Call {
                agent: read(&folder.join(agent))?,
                echo: read(&folder.join(echo))?,
            })
        })
        .collect()
}
