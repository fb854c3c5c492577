//! `Hear`: audio in, transcripts out.

pub mod assemblyai;
pub mod deepgram;
pub mod elevenlabs_scribe;
pub mod ggml;
#[cfg(feature = "whisper")]
pub mod installed;
pub mod known;
pub mod openai_transcription;
pub mod pocketsphinx;
pub mod remote;
#[cfg(feature = "whisper")]
pub mod whisper;

mod spoken;

use std::sync::Arc;

use antiphon_proto::UtteranceId;
use tokio::sync::mpsc;

use crate::Fault;

pub use spoken::spoken_words;

/// Sample rate of the audio pushed into a [`HearStream`], in Hz; mono, 16 bit.
pub const HEAR_RATE_HZ: u32 = 16_000;

/// A speech recognizer, shared by all calls.
pub trait Hear: Send + Sync {
    /// Its name, e.g. `pocketsphinx`.
    fn name(&self) -> &'static str;

    /// One line for people where it is a last resort: what it is, and the command that gives a
    /// better one.
    fn advice(&self) -> Option<String> {
        None
    }

    /// Chance that the last words of a transcript are right, in thousandths: how far they are
    /// trusted when the end of a turn is judged.
    fn trust_permille(&self) -> u16 {
        950
    }

    /// What it gives beside the words.
    fn capabilities(&self) -> HearCapabilities {
        HearCapabilities::default()
    }

    /// False where it cannot hear at the moment, e.g. because no model is installed: it is passed
    /// over then by those who choose.
    fn is_available(&self) -> bool {
        true
    }

    /// Opens a stream for one call. Cheap: no model is loaded and nothing blocks here. Events go
    /// to `events`; a stream that finds it full waits, it never drops a final.
    fn open(&self, context: HearContext, events: mpsc::Sender<HearEvent>) -> Box<dyn HearStream>;
}

/// What a recognizer can do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HearCapabilities {
    /// Finals say when each word was spoken.
    pub word_times: bool,
    /// It recognizes languages other than English.
    pub multilingual: bool,
    /// The audio leaves this machine.
    pub remote: bool,
}

/// What a recognizer may know about a call beforehand.
#[derive(Clone, Debug, Default)]
pub struct HearContext {
    /// The agent's id; a recognizer may cache what it builds from `phrases` under it.
    pub agent: String,
    /// Sentences and names that a caller of this agent is likely to say, in plain spelling: names,
    /// example phrases of intents, knowledge, small talk.
    pub phrases: Arc<Vec<String>>,
    /// True where nothing outside the words of `phrases` is expected (a closed command set).
    pub closed: bool,
}

/// One call's stream of utterances. No method blocks. Dropping it stops all work.
pub trait HearStream: Send {
    /// A new utterance begins; audio pushed from now on belongs to it.
    fn begin(&mut self, utterance: UtteranceId);

    /// More audio of the current utterance: 16 kHz mono. A stream that is overloaded buffers up to
    /// its own limit and then fails the utterance with [`HearEventKind::Failed`].
    fn push(&mut self, pcm: &[i16]);

    /// The person has paused: send a [`HearEventKind::Final`] of the utterance so far, soon.
    /// The utterance is over; audio pushed before the next `begin` is ignored.
    fn finish(&mut self);

    /// Forget the current utterance; nothing more is sent for it.
    fn cancel(&mut self);
}

/// What a recognizer says.
#[derive(Clone, Debug, PartialEq)]
pub struct HearEvent {
    /// The utterance it is about.
    pub utterance: UtteranceId,
    /// What.
    pub kind: HearEventKind,
}

/// Kinds of [`HearEvent`].
#[derive(Clone, Debug, PartialEq)]
pub enum HearEventKind {
    /// The words so far; may change.
    Partial {
        /// Lower-case words, single spaces.
        text: String,
    },
    /// The words; will not change. Exactly one per finished utterance. Empty where nothing was
    /// understood.
    Final {
        /// Lower-case words, single spaces.
        text: String,
        /// When each word of `text` was spoken, in order; empty where the recognizer does not
        /// tell.
        words: Vec<HeardWord>,
    },
    /// The utterance could not be recognized.
    Failed {
        /// Why.
        fault: Fault,
    },
}

/// When a word was spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeardWord {
    /// Byte offset in the transcript just behind the word.
    pub text_end: usize,
    /// Milliseconds from the utterance's first sample to the word's start.
    pub start_ms: u32,
    /// Milliseconds from the utterance's first sample to the word's end.
    pub end_ms: u32,
}
