//! Recognizers behind a WebSocket: what they share.
//!
//! Each call has one connection. It is opened with the call, kept alive in pauses, and opened
//! again when it breaks; the audio of utterances that are not yet answered is then sent again.
//! One utterance is with the service at a time, so that no word of one can be taken for the next.

mod driver;
mod inbox;
mod protocol;
mod session;
#[cfg(test)]
mod tests;
mod transcript;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use self::driver::Driver;
use self::inbox::{Inbox, Stream};
use super::{Hear, HearCapabilities, HearContext, HearEvent, HearStream};
use crate::net::{HttpLimits, TlsSetupError, WsClient, WsRequest};

pub use self::inbox::{UTTERANCE_S_MAX, UTTERANCES_MAX};
pub(super) use self::protocol::{
    AudioClock, Heard, Protocol, json, malformed, padding, parsed, typed_json,
};
pub(super) use self::transcript::RawWord;

/// Deadlines of a remote recognizer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HearLimits {
    /// Longest wait for a connection, and again for the server to be ready for audio.
    pub connect_timeout: Duration,
    /// Longest wait for the final after the end of an utterance; then the best partial is it. More
    /// than the router waits ([`crate::route::Deadlines`]), so that another recognizer hears the
    /// whole before a part of it is made do with.
    pub final_timeout: Duration,
    /// Pause after which the connection is kept alive. Less than the shortest idle limit of the
    /// vendors, which is Deepgram's 10 s.
    pub keep_alive: Duration,
    /// One more certificate root, PEM: a company's own, or a test's.
    pub extra_root: Option<Vec<u8>>,
}

impl Default for HearLimits {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            final_timeout: Duration::from_millis(1_900),
            keep_alive: Duration::from_secs(4),
            extra_root: None,
        }
    }
}

/// A vendor's part that is the same for all calls.
pub(super) trait Vendor: Send + Sync {
    fn name(&self) -> &'static str;
    fn capabilities(&self) -> HearCapabilities;
    /// What to connect to for a call.
    fn request(&self, context: &HearContext) -> WsRequest;
    /// A connection's state.
    fn protocol(&self, context: &HearContext) -> Box<dyn Protocol>;
}

/// A recognizer behind a WebSocket, shared by all calls.
#[derive(Clone)]
pub struct RemoteHear {
    vendor: Arc<dyn Vendor>,
    client: WsClient,
    limits: HearLimits,
}

impl std::fmt::Debug for RemoteHear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "RemoteHear({})", self.vendor.name())
    }
}

impl RemoteHear {
    pub(super) fn new(
        vendor: impl Vendor + 'static,
        limits: HearLimits,
    ) -> Result<Self, TlsSetupError> {
        let http = HttpLimits {
            connect_timeout: limits.connect_timeout,
            extra_root: limits.extra_root.clone(),
            ..HttpLimits::default()
        };
        Ok(Self {
            vendor: Arc::new(vendor),
            client: WsClient::new(&http)?,
            limits,
        })
    }
}

impl Hear for RemoteHear {
    fn name(&self) -> &'static str {
        self.vendor.name()
    }

    fn capabilities(&self) -> HearCapabilities {
        self.vendor.capabilities()
    }

    /// Must be called within a tokio runtime.
    fn open(&self, context: HearContext, events: mpsc::Sender<HearEvent>) -> Box<dyn HearStream> {
        let inbox = Inbox::new(events, self.limits.final_timeout);
        let driver = Driver {
            vendor: Arc::clone(&self.vendor),
            client: self.client.clone(),
            limits: self.limits.clone(),
            context,
            inbox: Arc::clone(&inbox),
        };
        // It ends by itself, with a word to the server, when the stream is dropped.
        tokio::spawn(driver.run());
        Box::new(Stream::new(inbox))
    }
}

/// Short names and phrases of the agent, for vendors that can be told what to expect: the longest
/// sentences say least about single words. `each_max` is in characters.
pub(super) fn key_terms(context: &HearContext, count_max: usize, each_max: usize) -> Vec<String> {
    let mut terms: Vec<String> = Vec::new();
    let mut short: Vec<&String> = context
        .phrases
        .iter()
        .filter(|phrase| !phrase.trim().is_empty() && phrase.chars().count() <= each_max)
        .filter(|phrase| phrase.split_whitespace().count() <= KEY_TERM_WORDS_MAX)
        .collect();
    short.sort_by_key(|phrase| phrase.len());
    for phrase in short {
        let term = phrase.trim();
        if !terms.iter().any(|known| known.eq_ignore_ascii_case(term)) {
            terms.push(term.to_owned());
        }
        if terms.len() >= count_max {
            break;
        }
    }
    terms
}

/// Vendors advise terms of few words.
const KEY_TERM_WORDS_MAX: usize = 4;
