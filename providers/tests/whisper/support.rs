//! A small model, sound, and a call.

use std::path::PathBuf;
use std::time::Duration;

use antiphon_proto::UtteranceId;
use antiphon_providers::hear::whisper::{Whisper, WhisperConfig};
use antiphon_providers::hear::{Hear, HearContext, HearEvent, HearEventKind, HearStream};
use antiphon_testkit::WhisperModel;
use tempfile::TempDir;
use tokio::sync::mpsc;

/// Far more than any decoding of the small model takes, also on a loaded machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Home {
    pub folder: TempDir,
}

impl Home {
    pub fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub fn write(&self, model: &WhisperModel) -> PathBuf {
        let path = self.folder.path().join("model.bin");
        model.write(&path).unwrap();
        path
    }
}

/// The recognizer over a model.
pub fn whisper(model: &WhisperModel, config: WhisperConfig) -> (Whisper, Home) {
    let home = Home::new();
    let path = home.write(model);
    (Whisper::load(path, config).unwrap(), home)
}

/// One thread a decoder: two wait for each other by spinning, which a loaded machine makes long.
pub fn config() -> WhisperConfig {
    WhisperConfig {
        threads: Some(1),
        decoders_max: Some(1),
        ..WhisperConfig::default()
    }
}

/// Without partials.
pub fn quiet() -> WhisperConfig {
    WhisperConfig {
        partials: false,
        ..config()
    }
}

/// A tone, which is no silence.
pub fn tone(ms: usize) -> Vec<i16> {
    (0..ms * 16)
        .map(|n| ((n as f32 * 0.2).sin() * 6_000.0) as i16)
        .collect()
}

/// One call.
pub struct TestCall {
    pub stream: Box<dyn HearStream>,
    pub events: mpsc::Receiver<HearEvent>,
}

impl TestCall {
    pub fn open(hear: &dyn Hear) -> Self {
        let (sender, events) = mpsc::channel(64);
        let stream = hear.open(HearContext::default(), sender);
        Self { stream, events }
    }

    /// An utterance of `pcm`, finished.
    pub fn say(&mut self, utterance: u32, pcm: &[i16]) {
        self.stream.begin(UtteranceId(utterance));
        self.stream.push(pcm);
        self.stream.finish();
    }

    pub async fn event(&mut self) -> HearEvent {
        let event = tokio::time::timeout(PATIENCE, self.events.recv()).await;
        event.expect("an event in time").expect("an open channel")
    }

    /// The final of an utterance, with what came before it left out.
    pub async fn final_of(&mut self, utterance: u32) -> (String, Vec<(u32, u32)>) {
        loop {
            let event = self.event().await;
            assert_eq!(event.utterance, UtteranceId(utterance));
            match event.kind {
                HearEventKind::Partial { .. } => {}
                HearEventKind::Final { text, words } => {
                    let times = words.iter().map(|word| (word.start_ms, word.end_ms));
                    return (text, times.collect());
                }
                HearEventKind::Failed { fault } => panic!("{fault}"),
            }
        }
    }
}
