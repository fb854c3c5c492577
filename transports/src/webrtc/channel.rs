//! The data channel `antiphon`: events out, client messages in.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_proto::ClientMessage;
use str0m::Rtc;
use str0m::channel::{ChannelData, ChannelId};

/// Label of the data channel that carries events; others are ignored.
pub const EVENT_CHANNEL_LABEL: &str = "antiphon";

/// Events that wait for the channel to open or to have room; the oldest is dropped beyond that.
/// A busy turn makes some tens of events, so this is minutes of a client that does not read.
pub const EVENTS_QUEUED_MAX: usize = 1_024;

/// Bytes of the largest client message read: 2,000 characters of typed text, each written as two
/// six-byte escapes, and the rest of the object.
pub const CLIENT_MESSAGE_BYTES_MAX: usize = 32 * 1024;

/// Bytes that may be on their way in SCTP before events wait in the queue: enough for a history,
/// little enough that a captions event is not seconds old when it arrives.
const BUFFERED_BYTES_MAX: usize = 64 * 1024;

/// Characters of typed text in one message.
const USER_TEXT_CHARS_MAX: usize = 2_000;

/// Messages that cannot be read, each of which is answered with a notice, in one second.
const BAD_MESSAGES_PER_SECOND_MAX: u32 = 5;

/// Readable messages in one second: faster than a person types, slow enough that a flood does not
/// hold up the session.
const MESSAGES_PER_SECOND_MAX: u32 = 50;

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Incoming {
    Message(ClientMessage),
    Bad(String),
    /// Too many: ignored.
    Dropped,
}

/// The state of the event channel of one call.
#[derive(Debug, Default)]
pub(crate) struct EventChannel {
    id: Option<ChannelId>,
    queue: VecDeque<Arc<str>>,
    good: Rate,
    bad: Rate,
}

impl EventChannel {
    /// True where `label` opened the event channel. A second one replaces the first.
    pub(crate) fn opened(&mut self, id: ChannelId, label: &str) -> bool {
        if label != EVENT_CHANNEL_LABEL {
            return false;
        }
        self.id = Some(id);
        true
    }

    /// A channel closed; events wait until it is opened again.
    pub(crate) fn closed(&mut self, id: ChannelId) {
        if self.id == Some(id) {
            self.id = None;
        }
    }

    /// Sends an event, or queues it. Returns how many older ones had to be dropped for it.
    pub(crate) fn send(&mut self, rtc: &mut Rtc, json: &Arc<str>) -> u64 {
        let mut dropped = 0;
        if self.queue.len() >= EVENTS_QUEUED_MAX {
            self.queue.pop_front();
            dropped = 1;
        }
        self.queue.push_back(json.clone());
        self.flush(rtc);
        dropped
    }

    /// Writes what waits, as far as the channel takes it.
    pub(crate) fn flush(&mut self, rtc: &mut Rtc) {
        while let Some(json) = self.queue.front() {
            let Some(mut channel) = self.id.and_then(|id| rtc.channel(id)) else {
                return;
            };
            let buffered = channel.buffered_amount();
            // An event larger than the limit still goes out alone.
            if buffered > 0 && buffered + json.len() > BUFFERED_BYTES_MAX {
                return;
            }
            match channel.write(false, json.as_bytes()) {
                Ok(true) => {
                    self.queue.pop_front();
                }
                Ok(false) => return,
                Err(error) => {
                    tracing::debug!(%error, "event channel write");
                    return;
                }
            }
        }
    }

    /// True where something waits for room.
    pub(crate) fn has_queued(&self) -> bool {
        self.id.is_some() && !self.queue.is_empty()
    }

    /// True where the far side has acknowledged everything, or nobody is there to do so.
    pub(crate) fn is_delivered(&self, rtc: &mut Rtc) -> bool {
        let Some(mut channel) = self.id.and_then(|id| rtc.channel(id)) else {
            return true;
        };
        self.queue.is_empty() && channel.buffered_amount() == 0
    }

    /// Reads a message; `None` for those of other channels.
    pub(crate) fn receive(&mut self, now: Instant, data: &ChannelData) -> Option<Incoming> {
        if self.id != Some(data.id) {
            return None;
        }
        Some(match parse(data.binary, &data.data) {
            Ok(_) if !self.good.allows(now, MESSAGES_PER_SECOND_MAX) => Incoming::Dropped,
            Ok(message) => Incoming::Message(message),
            Err(_) if !self.bad.allows(now, BAD_MESSAGES_PER_SECOND_MAX) => Incoming::Dropped,
            Err(reason) => Incoming::Bad(reason),
        })
    }
}

/// Reads one message. The error quotes nothing of it: it may be anything, typed words included.
fn parse(binary: bool, data: &[u8]) -> Result<ClientMessage, String> {
    if data.len() > CLIENT_MESSAGE_BYTES_MAX {
        let bytes = data.len();
        return Err(format!(
            "the message has {bytes} bytes: send at most {CLIENT_MESSAGE_BYTES_MAX}"
        ));
    }
    if binary {
        return Err("the message is binary: send text".to_owned());
    }
    let message: ClientMessage = serde_json::from_slice(data).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        match error.classify() {
            serde_json::error::Category::Data => format!(
                "the message is not one of user_text, mute, interrupt, hang_up, ping, or has a \
                 wrong field ({place})"
            ),
            serde_json::error::Category::Eof
            | serde_json::error::Category::Syntax
            | serde_json::error::Category::Io => format!("the message is not JSON ({place})"),
        }
    })?;
    if let ClientMessage::UserText { text } = &message
        && !(1..=USER_TEXT_CHARS_MAX).contains(&text.chars().count())
    {
        return Err(format!(
            "user_text must have 1 to {USER_TEXT_CHARS_MAX} characters"
        ));
    }
    Ok(message)
}

/// How many happened in the second that began with the first of them.
#[derive(Debug, Default)]
struct Rate {
    since: Option<Instant>,
    count: u32,
}

impl Rate {
    fn allows(&mut self, now: Instant, per_second: u32) -> bool {
        let over = |since| now.saturating_duration_since(since) >= Duration::from_secs(1);
        if self.since.is_none_or(over) {
            *self = Self {
                since: Some(now),
                count: 0,
            };
        }
        self.count = self.count.saturating_add(1);
        self.count <= per_second
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn check_bad(data: &[u8], expected: &str) {
        let reason = parse(false, data).unwrap_err();
        assert!(
            reason.contains(expected),
            "{reason:?} should say {expected:?}"
        );
        assert!(!reason.contains("secret"), "{reason:?} quotes the message");
    }

    #[test]
    fn reasons_name_the_fault_and_quote_nothing() {
        check_bad(b"", "not JSON");
        check_bad(b"secret", "not JSON (line 1, column 1)");
        check_bad(br#"{"type":"user_text","text":"sec"#, "not JSON");
        check_bad(br#"{"type":"secret"}"#, "not one of user_text");
        check_bad(br#"{"type":"ping","secret":1}"#, "not one of user_text");
        check_bad(br#"{"type":"user_text","text":""}"#, "1 to 2000 characters");
        check_bad(&[0xFF, 0xFE, 0x00], "not JSON");
        check_bad(
            &vec![b' '; CLIENT_MESSAGE_BYTES_MAX + 1],
            "bytes: send at most",
        );
        assert!(
            parse(true, br#"{"type":"ping"}"#)
                .unwrap_err()
                .contains("binary")
        );
    }

    #[test]
    fn the_longest_typed_text_fits_however_it_is_escaped() {
        let text = "\\ud83d\\ude00".repeat(USER_TEXT_CHARS_MAX);
        let message = format!(r#"{{"type":"user_text","text":"{text}"}}"#);
        let parsed = parse(false, message.as_bytes()).unwrap();
        assert_eq!(
            parsed,
            ClientMessage::UserText {
                text: "😀".repeat(USER_TEXT_CHARS_MAX)
            }
        );
        check_bad(
            message.replace("text\":\"", "text\":\"x").as_bytes(),
            "1 to 2000 characters",
        );
    }

    #[test]
    fn rates_are_counted_by_the_second() {
        let (mut rate, start) = (Rate::default(), Instant::now());
        let at = |ms| start + Duration::from_millis(ms);
        let allowed: Vec<bool> = [0, 10, 20, 999, 1_000]
            .map(|ms| rate.allows(at(ms), 2))
            .into();
        assert_eq!(allowed, [true, true, false, false, true]);
    }
}
