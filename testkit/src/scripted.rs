//! Providers that do as they are told, after as long as they are told.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use antiphon_proto::UtteranceId;
use antiphon_providers::TaskHandle;
use antiphon_providers::hear::{Hear, HearContext, HearEvent, HearEventKind, HearStream};
use antiphon_providers::speak::{
    Speak, SpeakEvent, SpeakEventKind, SpeakRequest, UnknownVoice, WordMark,
};
use antiphon_providers::think::{Think, ThinkEvent, ThinkEventKind, ThinkRequest};
use tokio::sync::mpsc;

/// Understands the given texts, one an utterance, over and over.
#[derive(Clone)]
pub struct ScriptedHear {
    texts: Arc<Vec<String>>,
    final_after: Duration,
    finished: Arc<AtomicUsize>,
}

impl ScriptedHear {
    /// A final comes `final_after` the end of the utterance.
    pub fn new(texts: &[&str], final_after: Duration) -> Self {
        let texts = Arc::new(texts.iter().map(ToString::to_string).collect());
        Self {
            texts,
            final_after,
            finished: Arc::default(),
        }
    }

    /// Utterances finished so far.
    pub fn finished(&self) -> usize {
        self.finished.load(Ordering::Relaxed)
    }
}

impl Hear for ScriptedHear {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn open(&self, _context: HearContext, events: mpsc::Sender<HearEvent>) -> Box<dyn HearStream> {
        Box::new(ScriptedStream {
            script: self.clone(),
            events,
            current: None,
        })
    }
}

struct ScriptedStream {
    script: ScriptedHear,
    events: mpsc::Sender<HearEvent>,
    current: Option<UtteranceId>,
}

impl HearStream for ScriptedStream {
    fn begin(&mut self, utterance: UtteranceId) {
        self.current = Some(utterance);
    }

    fn push(&mut self, _pcm: &[i16]) {}

    fn finish(&mut self) {
        let Some(utterance) = self.current.take() else {
            return;
        };
        let nth = self.script.finished.fetch_add(1, Ordering::Relaxed);
        let text = self
            .script
            .texts
            .get(nth % self.script.texts.len().max(1))
            .cloned()
            .unwrap_or_default();
        let (events, after) = (self.events.clone(), self.script.final_after);
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            // The session may be over.
            let _ = events
                .send(HearEvent {
                    utterance,
                    kind: HearEventKind::Final {
                        text,
                        words: Vec::new(),
                    },
                })
                .await;
        });
    }

    fn cancel(&mut self) {
        self.current = None;
    }
}

/// Answers with the given texts, one a turn, over and over.
#[derive(Clone)]
pub struct ScriptedThink {
    texts: Arc<Vec<String>>,
    first_after: Duration,
    started: Arc<AtomicUsize>,
}

impl ScriptedThink {
    /// The words come `first_after` the question.
    pub fn new(texts: &[&str], first_after: Duration) -> Self {
        let texts = Arc::new(texts.iter().map(ToString::to_string).collect());
        Self {
            texts,
            first_after,
            started: Arc::default(),
        }
    }

    /// Replies started so far.
    pub fn started(&self) -> usize {
        self.started.load(Ordering::Relaxed)
    }
}

impl Think for ScriptedThink {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn start(&self, request: ThinkRequest, events: mpsc::Sender<ThinkEvent>) -> TaskHandle {
        let nth = self.started.fetch_add(1, Ordering::Relaxed);
        let text = self
            .texts
            .get(nth % self.texts.len().max(1))
            .cloned()
            .unwrap_or_default();
        let (generation, after) = (request.generation, self.first_after);
        let task = tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let delta = ThinkEventKind::Delta { text };
            let done = ThinkEventKind::Done {
                usage: None,
                hang_up: false,
                hand_off: None,
            };
            for kind in [delta, done] {
                // The session may be over.
                let _ = events.send(ThinkEvent { generation, kind }).await;
            }
        });
        TaskHandle::from_task(task.abort_handle())
    }
}

/// Speaks a tone of 200 ms for each word, at 16 kHz.
#[derive(Clone)]
pub struct ScriptedSpeak {
    first_after: Duration,
}

/// Length of a word of [`ScriptedSpeak`].
const WORD_MS: u32 = 200;
const RATE_HZ: u32 = 16_000;
/// A tone within speech, so that codecs and level meters treat it as sound.
const TONE_HZ: f32 = 440.0;
const TONE_PEAK: f32 = 8_000.0;

impl ScriptedSpeak {
    /// The first audio comes `first_after` the request.
    pub fn new(first_after: Duration) -> Self {
        Self { first_after }
    }
}

impl Speak for ScriptedSpeak {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn rate_hz(&self, _voice: &str) -> Result<u32, UnknownVoice> {
        Ok(RATE_HZ)
    }

    fn start(&self, request: SpeakRequest, events: mpsc::Sender<SpeakEvent>) -> TaskHandle {
        let after = self.first_after;
        let task = tokio::spawn(async move {
            tokio::time::sleep(after).await;
            let segment = request.segment;
            let marks = word_marks(&request.text);
            let pieces = marks.len() * 2;
            let mut kinds = vec![SpeakEventKind::Marks { marks }];
            kinds.extend((0..pieces).map(|piece| SpeakEventKind::Audio { pcm: tone(piece) }));
            kinds.push(SpeakEventKind::Done);
            for kind in kinds {
                if events.send(SpeakEvent { segment, kind }).await.is_err() {
                    return;
                }
            }
        });
        TaskHandle::from_task(task.abort_handle())
    }
}

fn word_marks(text: &str) -> Vec<WordMark> {
    let mut text_end = 0;
    text.split(' ')
        .zip(1u32..)
        .map(|(word, nth)| {
            text_end += word.len() + usize::from(nth > 1);
            WordMark {
                text_end,
                end_ms: nth * WORD_MS,
            }
        })
        .collect()
}

/// The `piece`-th 100 ms of the tone.
fn tone(piece: usize) -> Vec<i16> {
    let samples = (RATE_HZ / 10) as usize;
    let step = TONE_HZ * std::f32::consts::TAU / RATE_HZ as f32;
    (0..samples)
        .map(|i| (((piece * samples + i) as f32 * step).sin() * TONE_PEAK) as i16)
        .collect()
}
