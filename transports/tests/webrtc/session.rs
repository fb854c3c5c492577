//! A session's task as the transport sees it: ticks, inputs, audio.

use std::future::poll_fn;
use std::time::{Duration, Instant};

use antiphon_audio::level;
use antiphon_audio::opus::{OpusDecoder, OpusEncoder, PACKET_BYTES_MAX};
use antiphon_runtime::{CALLER_FRAME_SAMPLES, Pulled, Transport, TransportInput};
use antiphon_transports::webrtc::WebRtcTransport;

use crate::client::PATIENCE;

/// One session.
pub struct Session {
    pub transport: WebRtcTransport,
    pub inputs: Vec<TransportInput>,
    pub pulled: Vec<(Pulled, f32)>,
    /// The agent's tone; nothing where absent.
    pub tone_hz: Option<f32>,
    clock: tokio::time::Interval,
    ticks: usize,
}

impl Session {
    pub fn new(transport: WebRtcTransport) -> Self {
        Self {
            transport,
            inputs: Vec::new(),
            pulled: Vec::new(),
            tone_hz: None,
            clock: tokio::time::interval(Duration::from_millis(20)),
            ticks: 0,
        }
    }

    /// Runs until `done`, and says `what` was awaited where that never comes. `each` is called
    /// after every tick.
    pub async fn run_each(
        &mut self,
        what: &str,
        mut each: impl FnMut(usize),
        done: impl Fn(&Self) -> bool,
    ) {
        let deadline = Instant::now() + PATIENCE;
        while !done(self) {
            assert!(
                Instant::now() < deadline,
                "no {what}; inputs: {:?}",
                self.inputs
            );
            let over = self
                .inputs
                .iter()
                .any(|input| matches!(input, TransportInput::Closed { .. }));
            tokio::select! {
                input = poll_fn(|cx| self.transport.poll_input(cx)), if !over => {
                    self.inputs.push(input);
                }
                _ = self.clock.tick() => {
                    self.tick(Instant::now());
                    each(self.ticks);
                }
            }
        }
    }

    pub async fn run(&mut self, what: &str, done: impl Fn(&Self) -> bool) {
        self.run_each(what, |_| {}, done).await;
    }

    pub async fn until(&mut self, input: TransportInput) {
        let what = format!("{input:?}");
        self.run(&what, |session| session.inputs.contains(&input))
            .await;
    }

    /// One tick at `now`, which may be in the future.
    pub fn tick(&mut self, now: Instant) {
        let mut frame = [0; CALLER_FRAME_SAMPLES];
        let pulled = self.transport.pull_audio(now, &mut frame);
        self.pulled.push((pulled, level::dbfs(&frame)));
        let tone = self.tone_hz.map(|hz| tone(hz, 48_000, self.ticks));
        self.transport.send_audio(now, tone.as_deref());
        self.ticks += 1;
    }

    /// Takes all inputs that are there now.
    pub async fn settle(&mut self) {
        let poll = |session: &mut Self| {
            let waker = std::task::Waker::noop();
            session
                .transport
                .poll_input(&mut std::task::Context::from_waker(waker))
        };
        while let std::task::Poll::Ready(input) = poll(self) {
            self.inputs.push(input);
        }
    }
}

/// Frame `index` of a tone: 20 ms at `rate_hz`.
pub fn tone(hz: f32, rate_hz: u32, index: usize) -> Vec<i16> {
    let samples = rate_hz as usize / 50;
    (index * samples..(index + 1) * samples)
        .map(|n| (n as f32 * hz * std::f32::consts::TAU / rate_hz as f32).sin())
        .map(|sample| (sample * 12_000.0) as i16)
        .collect()
}

/// Packets of a tone, one a call.
pub fn tone_packets(hz: f32) -> impl FnMut() -> Vec<u8> {
    let mut encoder = OpusEncoder::new(16_000).unwrap();
    let mut index = 0;
    move || {
        let mut out = [0; PACKET_BYTES_MAX];
        let length = encoder.encode(&tone(hz, 16_000, index), &mut out).unwrap();
        index += 1;
        out[..length].to_vec()
    }
}

/// The strongest of `candidates_hz` in the packets' second half, by correlation.
pub fn pitch_of(packets: &[Vec<u8>], candidates_hz: &[f32]) -> f32 {
    let mut decoder = OpusDecoder::new(16_000).unwrap();
    let mut pcm = Vec::new();
    for packet in packets {
        let mut out = [0; 1_920];
        let samples = decoder.decode(packet, &mut out).unwrap();
        pcm.extend_from_slice(&out[..samples]);
    }
    let half = &pcm[pcm.len() / 2..];
    let strength = |hz: f32| {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, sample) in half.iter().enumerate() {
            let phase = n as f32 * hz * std::f32::consts::TAU / 16_000.0;
            re += f32::from(*sample) * phase.cos();
            im += f32::from(*sample) * phase.sin();
        }
        re.hypot(im)
    };
    let strongest = candidates_hz
        .iter()
        .max_by(|a, b| strength(**a).total_cmp(&strength(**b)));
    *strongest.unwrap()
}
