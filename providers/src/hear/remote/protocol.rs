//! A vendor's part: messages in, what was heard out. Pure, so that it can be tested without
//! sockets.

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use super::transcript::RawWord;
use crate::hear::HEAR_RATE_HZ;
use crate::net::Incoming;
use crate::{Fault, FaultKind};

/// One connection's state. Utterances come one after another: `begin`, `audio`, then `finish` or
/// `cancel`; the next begins when the one before is answered.
pub(crate) trait Protocol: Send {
    /// What is sent first. Audio follows when [`Heard::Ready`] has come, or at once where this
    /// returns true.
    fn open(&mut self, out: &mut Vec<Message>) -> bool;

    /// An utterance begins.
    fn begin(&mut self);

    /// More of its audio.
    fn audio(&mut self, pcm: &[i16], out: &mut Vec<Message>);

    /// It is over: [`Heard::Final`] is to come.
    fn finish(&mut self, out: &mut Vec<Message>);

    /// It is to be forgotten: [`Heard::Forgotten`] or [`Heard::Final`] is to come.
    fn cancel(&mut self, out: &mut Vec<Message>);

    /// What keeps the session open in a pause; a WebSocket ping is sent besides.
    fn keep_alive(&mut self, _out: &mut Vec<Message>) {}

    /// A polite end.
    fn close(&mut self, _out: &mut Vec<Message>) {}

    /// Takes a message. Messages of unknown types are left alone: vendors add some.
    ///
    /// # Errors
    /// What the server reported, or [`crate::FaultKind::Malformed`].
    fn receive(&mut self, message: &Incoming, heard: &mut Vec<Heard>) -> Result<(), Fault>;

    /// The finished utterance's words, where all that came is final: some vendors say nothing
    /// more when there was nothing more to hear.
    fn settled(&self) -> Option<Vec<RawWord>> {
        None
    }
}

/// What a message meant.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Heard {
    /// Audio may be sent.
    Ready,
    /// The utterance's words so far.
    Partial(Vec<RawWord>),
    /// The utterance's words.
    Final(Vec<RawWord>),
    /// The cancelled utterance is gone.
    Forgotten,
}

/// Counts a connection's audio, so that times on the vendor's clock become times within an
/// utterance.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct AudioClock {
    sent_samples: u64,
    begun_samples: u64,
}

impl AudioClock {
    /// An utterance begins here.
    pub(crate) fn begin(&mut self) {
        self.begun_samples = self.sent_samples;
    }

    /// Audio is sent.
    pub(crate) fn advance(&mut self, samples: usize) {
        self.sent_samples += samples as u64;
    }

    /// Samples of the utterance so far.
    pub(crate) fn utterance_samples(&self) -> u64 {
        self.sent_samples - self.begun_samples
    }

    /// Seconds of audio sent over the connection.
    pub(crate) fn sent_s(&self) -> f64 {
        self.sent_samples as f64 / f64::from(HEAR_RATE_HZ)
    }

    /// Seconds on the connection at which the utterance began.
    pub(crate) fn begun_s(&self) -> f64 {
        self.begun_samples as f64 / f64::from(HEAR_RATE_HZ)
    }

    /// A word at these seconds of the connection, as of this utterance; nothing where it was
    /// spoken in the one before.
    pub(crate) fn word(&self, text: &str, start_s: f64, end_s: f64) -> Option<RawWord> {
        if !(start_s.is_finite() && end_s.is_finite()) {
            return Some(RawWord::untimed(text));
        }
        let begun_s = self.begun_s();
        let middle_s = f64::midpoint(start_s, end_s);
        if middle_s < begun_s {
            return None;
        }
        Some(RawWord::timed(text, start_s - begun_s, end_s - begun_s))
    }
}

/// Silence that lengthens an utterance of `samples` to `samples_min`, for vendors that refuse
/// shorter ones.
pub(crate) fn padding(samples: u64, samples_min: u64) -> Vec<i16> {
    let missing = samples_min.saturating_sub(samples);
    vec![0; usize::try_from(missing).unwrap_or(0)]
}

/// A message that is not what the protocol says.
pub(crate) fn malformed() -> Fault {
    Fault::new(
        FaultKind::Malformed,
        "the server sent something that is no message of its protocol",
    )
}

/// A text message's JSON object.
pub(crate) fn json(message: &Incoming) -> Result<Value, Fault> {
    let text = match message {
        Incoming::Text(text) => text,
        Incoming::Binary(_) | Incoming::Pong => return Err(malformed()),
    };
    let value: Value = serde_json::from_str(text.as_str()).map_err(|_| malformed())?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(malformed())
    }
}

/// A text message's JSON object and the text in its field `tag`.
pub(crate) fn typed_json(message: &Incoming, tag: &str) -> Result<(String, Value), Fault> {
    let value = json(message)?;
    match value.get(tag).and_then(Value::as_str) {
        Some(kind) => Ok((kind.to_owned(), value)),
        None => Err(malformed()),
    }
}

/// A JSON object as what its type says it is.
pub(crate) fn parsed<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(|_| malformed())
}
