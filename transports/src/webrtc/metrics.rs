//! What an endpoint counts, for whoever exposes metrics.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// One counter or gauge, written from any task without a lock.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn one(&self) {
        self.add(1);
    }

    pub(crate) fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counters of one endpoint, over all its calls since it was bound.
#[derive(Debug, Default)]
pub struct Metrics {
    pub(crate) datagrams_in: Counter,
    pub(crate) datagrams_out: Counter,
    pub(crate) dropped_unknown: Counter,
    pub(crate) dropped_inbox_full: Counter,
    pub(crate) dropped_malformed: Counter,
    pub(crate) dropped_send: Counter,
    pub(crate) padding_packets: Counter,
    pub(crate) events_dropped: Counter,
    pub(crate) messages_dropped: Counter,
    pub(crate) offers_refused: Counter,
    pub(crate) accepted: Counter,
    pub(crate) connected: Counter,
    pub(crate) handshake_failures: Counter,
    pub(crate) calls: AtomicI64,
}

/// A copy of [`Metrics`] at one moment. All are counts since bind, but for `calls`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetricsSnapshot {
    /// Datagrams received.
    pub datagrams_in: u64,
    /// Datagrams sent.
    pub datagrams_out: u64,
    /// Datagrams dropped because they belong to no call here: scans, leftovers of ended calls.
    pub dropped_unknown: u64,
    /// Datagrams dropped because a call's inbox was full: its task does not keep up.
    pub dropped_inbox_full: u64,
    /// Datagrams of a call dropped because they could not be parsed or decrypted.
    pub dropped_malformed: u64,
    /// Datagrams that the socket did not take (its buffer was full, or there is no route).
    pub dropped_send: u64,
    /// RTP packets without payload (padding), which carry no audio.
    pub padding_packets: u64,
    /// Events lost because a client did not take them.
    pub events_dropped: u64,
    /// Client messages ignored because they came too fast.
    pub messages_dropped: u64,
    /// SDP offers refused.
    pub offers_refused: u64,
    /// SDP offers answered.
    pub accepted: u64,
    /// Calls whose media could flow.
    pub connected: u64,
    /// Calls that ended before that.
    pub handshake_failures: u64,
    /// Transports that exist now.
    pub calls: u64,
}

impl Metrics {
    /// Reads all counters.
    pub fn snapshot(&self) -> MetricsSnapshot {
        MetricsSnapshot {
            datagrams_in: self.datagrams_in.value(),
            datagrams_out: self.datagrams_out.value(),
            dropped_unknown: self.dropped_unknown.value(),
            dropped_inbox_full: self.dropped_inbox_full.value(),
            dropped_malformed: self.dropped_malformed.value(),
            dropped_send: self.dropped_send.value(),
            padding_packets: self.padding_packets.value(),
            events_dropped: self.events_dropped.value(),
            messages_dropped: self.messages_dropped.value(),
            offers_refused: self.offers_refused.value(),
            accepted: self.accepted.value(),
            connected: self.connected.value(),
            handshake_failures: self.handshake_failures.value(),
            calls: u64::try_from(self.calls.load(Ordering::Relaxed)).unwrap_or(0),
        }
    }
}
