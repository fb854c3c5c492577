//! What a session needs of the connection it talks over.

use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use antiphon_proto::ClientMessage;

/// Samples in one frame of caller audio: 20 ms at 16 kHz mono.
pub const CALLER_FRAME_SAMPLES: usize = 320;

/// One connection of one caller: WebRTC, a WebSocket protocol, telephony. Adapters live in
/// `antiphon-transports`; an app that embeds the engine writes its own.
///
/// The session owns it and calls it from one task. No method blocks. The session ticks every
/// 20 ms: one [`Transport::pull_audio`] and one [`Transport::send_audio`] a tick, which is also
/// where an adapter does its periodic work.
pub trait Transport: Send {
    /// Waits for something from the caller other than audio. Must register the waker and be safe
    /// to call again after `Ready`. After [`TransportInput::Closed`] it is not called again.
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<TransportInput>;

    /// Takes the next 20 ms of the caller's audio out of the jitter buffer, concealing what was
    /// lost. `frame` is filled whole in every case (with silence for [`Pulled::Nothing`]).
    fn pull_audio(&mut self, now: Instant, frame: &mut [i16; CALLER_FRAME_SAMPLES]) -> Pulled;

    /// Sends 20 ms of agent audio at the output rate that the transport was made with, or silence
    /// for `None`. Called once a tick while connected, so that pacing is the session's own.
    fn send_audio(&mut self, now: Instant, frame: Option<&[i16]>);

    /// Sends one event, a JSON object, in order. An adapter without an event channel ignores it;
    /// one that is not yet open or is congested queues up to its own limit.
    fn send_event(&mut self, now: Instant, json: &Arc<str>);

    /// Estimate of the audio that was sent but not yet heard, in milliseconds: network plus the
    /// receiver's jitter buffer.
    fn unheard_ms(&self) -> u32;

    /// Says goodbye to the far side and frees everything. Nothing is called afterwards.
    fn close(&mut self, now: Instant);
}

/// What came out of the jitter buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulled {
    /// Audio as the caller sent it.
    Audio,
    /// Audio recovered from redundancy (FEC) or invented to hide a loss (PLC).
    Concealed,
    /// The caller sends nothing (not yet connected, muted track, DTX, or the line is dead).
    Nothing,
}

/// What a transport tells its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TransportInput {
    /// Media can flow both ways. Comes once per connection.
    Connected,
    /// The event channel is open: `session_started` and the history go out now.
    EventsOpen,
    /// A message from the client.
    Message(ClientMessage),
    /// A message that could not be read; answered with a notice. The text says what was wrong and
    /// quotes nothing of it.
    BadMessage(String),
    /// Nothing has been received for a while (consent lost), but the connection may yet come back.
    Stalled,
    /// Traffic again after [`TransportInput::Stalled`].
    Revived,
    /// The connection is over. `orderly` where the far side said goodbye (closed the tab, hung up).
    Closed {
        /// True where the far side said goodbye.
        orderly: bool,
    },
}
