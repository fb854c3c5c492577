//! `Speak`: text in, audio and word marks out.

pub mod cartesia;
pub mod deepgram_aura;
pub mod elevenlabs;
pub mod flite;
pub mod known;
pub mod openai;
pub mod remote;
pub mod voices;

mod estimate;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod speakable;
mod spoken_form;

use std::sync::Arc;

use antiphon_agents::Pronunciations;
use antiphon_proto::SegmentId;
use tokio::sync::mpsc;

use crate::{Fault, TaskHandle};

/// A voice backend, shared by all calls. Each makes the text speakable by itself, with
/// [`speakable::Speakable`], and leads its marks back to the text by the same.
pub trait Speak: Send + Sync {
    /// Its name, e.g. `flite`.
    fn name(&self) -> &'static str;

    /// What it gives beside the audio.
    fn capabilities(&self) -> SpeakCapabilities {
        SpeakCapabilities::default()
    }

    /// Sample rate of the audio that `voice` makes, in Hz; mono, 16 bit.
    ///
    /// # Errors
    /// [`UnknownVoice`], naming the voices there are.
    fn rate_hz(&self, voice: &str) -> Result<u32, UnknownVoice>;

    /// Starts speaking one sentence. Word marks come before the audio they mark (a long text's in
    /// several events, each continuing the one before), audio in pieces of at most 100 ms as it is
    /// made, and last exactly one [`SpeakEventKind::Done`] or [`SpeakEventKind::Failed`]. A full channel holds the work up (that bounds its memory);
    /// dropping the handle stops it.
    fn start(&self, request: SpeakRequest, events: mpsc::Sender<SpeakEvent>) -> TaskHandle;
}

/// What a voice backend can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpeakCapabilities {
    /// Its word marks are exact; else they are estimated.
    pub word_marks: bool,
    /// It speaks languages other than English.
    pub multilingual: bool,
    /// The words leave this machine.
    pub remote: bool,
}

/// A voice that a backend does not have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no voice '{asked}'; there are: {there_are}")]
pub struct UnknownVoice {
    /// The voice asked for.
    pub asked: String,
    /// The voices there are, comma separated.
    pub there_are: String,
}

/// One sentence to speak.
#[derive(Clone, Debug)]
pub struct SpeakRequest {
    /// Echoed in every event.
    pub segment: SegmentId,
    /// The sentence as shown to people.
    pub text: String,
    /// The voice's name within the backend, e.g. `rms`.
    pub voice: String,
    /// Speed relative to the voice's own, 0.5 to 2.0.
    pub pace: f32,
    /// How the agent says words that voices get wrong; for [`speakable::Speakable::new`].
    pub pronounce: Arc<Pronunciations>,
}

/// What a voice backend says.
#[derive(Clone, Debug, PartialEq)]
pub struct SpeakEvent {
    /// The sentence it is about.
    pub segment: SegmentId,
    /// What.
    pub kind: SpeakEventKind,
}

/// Kinds of [`SpeakEvent`].
#[derive(Clone, Debug, PartialEq)]
pub enum SpeakEventKind {
    /// When words of the sentence end within the segment's audio, in order; a word is what stands
    /// between spaces, with its punctuation. Continues the marks sent before.
    Marks {
        /// The marks.
        marks: Vec<WordMark>,
    },
    /// More audio, at most 100 ms, at the voice's rate.
    Audio {
        /// Mono samples.
        pcm: Vec<i16>,
    },
    /// The sentence is complete.
    Done,
    /// The sentence could not be spoken, or not to its end.
    Failed {
        /// Why.
        fault: Fault,
    },
}

/// One word's place in the text and in the audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordMark {
    /// Byte offset in the sentence's text just behind the word.
    pub text_end: usize,
    /// Milliseconds from the segment's first sample to the word's end.
    pub end_ms: u32,
}
