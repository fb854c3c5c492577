//! A connection within the process: a transport, and the caller at its other end.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use antiphon_proto::{Event, EventEnvelope};
use antiphon_runtime::{CALLER_FRAME_SAMPLES, Pulled, Transport, TransportInput};
use tokio::sync::mpsc;

/// Inputs waiting for the session.
const INPUTS_MAX: usize = 64;

/// A new connection whose receiver holds back `unheard_ms` of audio.
pub fn line(unheard_ms: u32) -> (Line, Caller) {
    let (sender, inputs) = mpsc::channel(INPUTS_MAX);
    let shared = Arc::new(Mutex::new(Shared::default()));
    let line = Line {
        inputs,
        shared: Arc::clone(&shared),
        unheard_ms,
    };
    (line, Caller { sender, shared })
}

/// The session's end.
pub struct Line {
    inputs: mpsc::Receiver<TransportInput>,
    shared: Arc<Mutex<Shared>>,
    unheard_ms: u32,
}

/// The caller's end.
#[derive(Clone)]
pub struct Caller {
    sender: mpsc::Sender<TransportInput>,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    says: VecDeque<i16>,
    said_by: Option<usize>,
    frames: Vec<bool>,
    /// With the frames received before each.
    events: Vec<(usize, EventEnvelope)>,
    closed: bool,
}

fn lock(shared: &Mutex<Shared>) -> MutexGuard<'_, Shared> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Caller {
    /// Tells the session something of the connection. False where nobody listens.
    pub async fn tell(&self, input: TransportInput) -> bool {
        self.sender.send(input).await.is_ok()
    }

    /// Says 16 kHz audio, in real time from now on.
    pub fn say(&self, pcm: &[i16]) {
        let mut shared = lock(&self.shared);
        shared.said_by = None;
        shared.says.extend(pcm);
    }

    /// True while audio is left to say.
    pub fn saying(&self) -> bool {
        !lock(&self.shared).says.is_empty()
    }

    /// How many frames had been received when the last of what was said had gone out; none before.
    pub fn said_by(&self) -> Option<usize> {
        lock(&self.shared).said_by
    }

    /// Each frame (20 ms) received so far: true where it had sound.
    pub fn frames(&self) -> Vec<bool> {
        lock(&self.shared).frames.clone()
    }

    /// The events received so far.
    pub fn events(&self) -> Vec<Event> {
        self.dated_events()
            .into_iter()
            .map(|(_, event)| event)
            .collect()
    }

    /// The events received so far, with how many frames had been received before each.
    pub fn dated_events(&self) -> Vec<(usize, Event)> {
        lock(&self.shared)
            .events
            .iter()
            .map(|(frames, envelope)| (*frames, envelope.event.clone()))
            .collect()
    }

    /// True once the session has closed the connection.
    pub fn closed(&self) -> bool {
        lock(&self.shared).closed
    }
}

impl Transport for Line {
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<TransportInput> {
        match self.inputs.poll_recv(cx) {
            Poll::Ready(input) => {
                Poll::Ready(input.unwrap_or(TransportInput::Closed { orderly: false }))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn pull_audio(&mut self, _now: Instant, frame: &mut [i16; CALLER_FRAME_SAMPLES]) -> Pulled {
        frame.fill(0);
        let mut shared = lock(&self.shared);
        let samples = shared.says.len().min(CALLER_FRAME_SAMPLES);
        for (to, from) in frame.iter_mut().zip(shared.says.drain(..samples)) {
            *to = from;
        }
        if samples > 0 && shared.says.is_empty() {
            shared.said_by = Some(shared.frames.len());
        }
        Pulled::Audio
    }

    fn send_audio(&mut self, _now: Instant, frame: Option<&[i16]>) {
        let sound =
            frame.is_some_and(|frame| frame.iter().any(|sample| sample.unsigned_abs() > 50));
        lock(&self.shared).frames.push(sound);
    }

    fn send_event(&mut self, _now: Instant, json: &Arc<str>) {
        let envelope = serde_json::from_str(json).expect("the session sends events as documented");
        let mut shared = lock(&self.shared);
        let frames = shared.frames.len();
        shared.events.push((frames, envelope));
    }

    fn unheard_ms(&self) -> u32 {
        self.unheard_ms
    }

    fn close(&mut self, _now: Instant) {
        lock(&self.shared).closed = true;
    }
}
