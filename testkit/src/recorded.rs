//! A voice that was recorded before: real audio and word marks, in virtual time.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use antiphon_providers::speak::flite::Flite;
use antiphon_providers::speak::{
    Speak, SpeakEvent, SpeakEventKind, SpeakRequest, UnknownVoice, WordMark,
};
use antiphon_providers::{Fault, TaskHandle};
use tokio::sync::mpsc;

/// Samples that are handed over at once: 100 ms at 16 kHz.
const PIECE_SAMPLES: usize = 1_600;

/// A sentence as it was spoken, 16 kHz.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The audio.
    pub pcm: Vec<i16>,
    /// Where its words end.
    pub marks: Vec<WordMark>,
}

impl Recording {
    /// Has `speak` say `text`, to its end.
    ///
    /// # Errors
    /// The voice's reason where it fails.
    pub async fn of(speak: &dyn Speak, voice: &str, text: &str) -> Result<Self, String> {
        let (sender, mut events) = mpsc::channel(8);
        let request = SpeakRequest {
            segment: antiphon_proto::SegmentId(1),
            text: text.to_owned(),
            voice: voice.to_owned(),
            pace: 1.0,
            pronounce: Default::default(),
        };
        let _task = speak.start(request, sender);
        let mut recording = Self::default();
        while let Some(event) = events.recv().await {
            match event.kind {
                SpeakEventKind::Audio { pcm } => recording.pcm.extend(pcm),
                SpeakEventKind::Marks { marks } => recording.marks.extend(marks),
                SpeakEventKind::Done => return Ok(recording),
                SpeakEventKind::Failed { fault } => return Err(fault.reason),
            }
        }
        Err("the voice went away".to_owned())
    }

    /// How many words had ended after `ms`.
    pub fn words_by(&self, ms: u64) -> usize {
        let over = |mark: &&WordMark| u64::from(mark.end_ms) <= ms;
        self.marks.iter().filter(over).count()
    }
}

/// What flite's `voice` makes of each text, in real time: to be made before a virtual clock matters.
///
/// # Panics
/// Where flite fails: a test without its speech tests nothing.
pub fn flite_recordings(voice: &'static str, texts: &[&'static str]) -> Vec<Recording> {
    let texts = texts.to_vec();
    let made = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(async {
            let flite = Flite::new();
            let mut made = Vec::with_capacity(texts.len());
            for text in texts {
                let recording = Recording::of(&flite, voice, text).await;
                made.push(recording.expect("flite speaks"));
            }
            made
        })
    });
    made.join().expect("flite speaks")
}

/// Speaks recordings by their text.
#[derive(Clone, Default)]
pub struct RecordedSpeak {
    recordings: Arc<HashMap<String, Recording>>,
}

impl RecordedSpeak {
    /// A voice that knows these sentences.
    pub fn new(recordings: HashMap<String, Recording>) -> Self {
        Self {
            recordings: Arc::new(recordings),
        }
    }
}

impl Speak for RecordedSpeak {
    fn name(&self) -> &'static str {
        "recorded"
    }

    fn rate_hz(&self, _voice: &str) -> Result<u32, UnknownVoice> {
        Ok(16_000)
    }

    fn start(&self, request: SpeakRequest, events: mpsc::Sender<SpeakEvent>) -> TaskHandle {
        let recording = self.recordings.get(&request.text).cloned();
        let task = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            let segment = request.segment;
            let kinds = match recording {
                None => vec![SpeakEventKind::Failed {
                    fault: Fault::internal("no recording of that"),
                }],
                Some(Recording { pcm, marks }) => {
                    let audio = pcm
                        .chunks(PIECE_SAMPLES)
                        .map(|piece| SpeakEventKind::Audio {
                            pcm: piece.to_vec(),
                        });
                    std::iter::once(SpeakEventKind::Marks { marks })
                        .chain(audio)
                        .chain([SpeakEventKind::Done])
                        .collect()
                }
            };
            for kind in kinds {
                if events.send(SpeakEvent { segment, kind }).await.is_err() {
                    return;
                }
            }
        });
        TaskHandle::from_task(task.abort_handle())
    }
}
