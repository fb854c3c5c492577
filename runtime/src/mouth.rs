//! From sentences to queued audio: one synthesis at a time, so that the one that plays next is
//! never behind the one after it.

use std::collections::VecDeque;
use std::sync::Arc;

use antiphon_agents::{Agent, Pronunciations};
use antiphon_engine::{Input, Mark};
use antiphon_proto::SegmentId;
use antiphon_providers::speak::{Speak, SpeakEvent, SpeakEventKind, SpeakRequest};
use antiphon_providers::{Fault, TaskHandle};
use tokio::sync::mpsc;

use crate::measure;
use crate::playout::Playout;

/// Pieces of audio (at most 100 ms each) between the voice and the session.
const SPEAK_EVENTS_MAX: usize = 8;

/// The speaking side of one call.
pub(crate) struct Mouth {
    speak: Arc<dyn Speak>,
    voice: String,
    pace: f32,
    pronounce: Arc<Pronunciations>,
    pending: VecDeque<(SegmentId, String)>,
    current: Option<Current>,
    pub(crate) playout: Playout,
}

struct Current {
    segment: SegmentId,
    started: bool,
    events: mpsc::Receiver<SpeakEvent>,
    _task: TaskHandle,
}

impl Mouth {
    pub(crate) fn new(speak: Arc<dyn Speak>, agent: &Agent, voice_hz: u32) -> Self {
        Self {
            speak,
            voice: agent.voice.name.clone(),
            pace: agent.voice.pace,
            pronounce: Arc::clone(&agent.pronounce),
            pending: VecDeque::new(),
            current: None,
            playout: Playout::new(voice_hz),
        }
    }

    /// The rate of a voice, in Hz; `None` where there is no such voice.
    pub(crate) fn voice_rate_hz(&self, voice: &str) -> Option<u32> {
        self.speak.rate_hz(voice).ok()
    }

    /// Speaks with another agent's voice from the next sentence on.
    pub(crate) fn change_voice(&mut self, agent: &Agent, voice_hz: u32) {
        self.voice.clone_from(&agent.voice.name);
        self.pace = agent.voice.pace;
        self.pronounce = Arc::clone(&agent.pronounce);
        self.playout.change_voice(voice_hz);
    }

    pub(crate) fn say(&mut self, segment: SegmentId, text: String) {
        self.pending.push_back((segment, text));
        self.start_next();
    }

    /// Stops all work and playout at once.
    pub(crate) fn stop(&mut self) {
        self.pending.clear();
        self.current = None;
        self.playout.stop();
    }

    /// Waits for the voice; for ever while nothing is being made or enough is queued.
    pub(crate) async fn next_event(&mut self) -> SpeakEvent {
        match &mut self.current {
            Some(current) if self.playout.wants_audio() => {
                let segment = current.segment;
                current.events.recv().await.unwrap_or_else(|| SpeakEvent {
                    segment,
                    kind: SpeakEventKind::Failed {
                        fault: Fault::internal("the voice stopped without a word"),
                    },
                })
            }
            Some(_) | None => std::future::pending().await,
        }
    }

    /// Takes an event of the voice; returns what the engine must know.
    pub(crate) fn take(&mut self, event: SpeakEvent) -> Option<Input> {
        let segment = event.segment;
        let current = self
            .current
            .as_mut()
            .filter(|current| current.segment == segment)?;
        match event.kind {
            SpeakEventKind::Marks { marks } => {
                let ends_ms = marks.iter().map(|mark| u64::from(mark.end_ms));
                self.playout.mark_words(segment, ends_ms);
                let marks = marks
                    .into_iter()
                    .map(|mark| Mark {
                        text_end: mark.text_end,
                        end_ms: u64::from(mark.end_ms),
                    })
                    .collect();
                Some(Input::SegmentMarks { segment, marks })
            }
            SpeakEventKind::Audio { pcm } => {
                self.playout.push(segment, &pcm);
                let first = !current.started;
                current.started = true;
                first.then_some(Input::SegmentStarted { segment })
            }
            SpeakEventKind::Done => {
                let duration_ms = self.finish_current(segment);
                Some(Input::SegmentMade {
                    segment,
                    duration_ms,
                })
            }
            SpeakEventKind::Failed { fault } => {
                tracing::warn!(
                    segment = segment.0,
                    %fault,
                    "a sentence could not be spoken"
                );
                measure::failure("speak");
                // What was made is played; the engine knows by the marks how far that went.
                self.finish_current(segment);
                Some(Input::SegmentFailed { segment })
            }
        }
    }

    fn finish_current(&mut self, segment: SegmentId) -> u64 {
        let duration_ms = self.playout.complete(segment);
        self.current = None;
        self.start_next();
        duration_ms
    }

    fn start_next(&mut self) {
        if self.current.is_some() {
            return;
        }
        let Some((segment, text)) = self.pending.pop_front() else {
            return;
        };
        let (sender, events) = mpsc::channel(SPEAK_EVENTS_MAX);
        let request = SpeakRequest {
            segment,
            text,
            voice: self.voice.clone(),
            pace: self.pace,
            pronounce: Arc::clone(&self.pronounce),
        };
        let task = self.speak.start(request, sender);
        self.playout.begin(segment);
        self.current = Some(Current {
            segment,
            started: false,
            events,
            _task: task,
        });
    }
}
