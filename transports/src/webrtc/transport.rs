//! One call over WebRTC.

use std::collections::VecDeque;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use antiphon_runtime::{CALLER_FRAME_SAMPLES, Pulled, Transport, TransportInput};
use str0m::channel::ChannelId;
use str0m::net::{Protocol, Receive, Transmit};
use str0m::{Event, IceCreds, Input, Output, Rtc};
use tokio::time::Sleep;

use super::addresses::CheckedAddresses;
use super::channel::{EventChannel, Incoming};
use super::endpoint::Shared;
use super::farewell::Farewell;
use super::inbox::{Datagram, INBOX_DATAGRAMS_MAX, Inbox, PacketClass};
use super::media::{Media, Received};
use super::route::is_binding_success;

/// Milliseconds without any datagram after which a caller who was sending audio (50 packets a
/// second, also when muted) counts as stalled.
pub const STALLED_AFTER_MS: u64 = 2_000;

/// Milliseconds without any datagram after which such a call is over: beyond a network cut of
/// three seconds, which calls survive, and within the five in which a closed tab must be noticed.
pub const CLOSED_AFTER_MS: u64 = 4_300;

/// The same two for a caller who sends no audio (no microphone): all that comes then is a
/// connectivity check every 2.5 s (Chromium; RFC 7675 allows up to 5 s), of which two may be lost.
const QUIET_STALLED_AFTER_MS: u64 = 5_500;
const QUIET_CLOSED_AFTER_MS: u64 = 10_500;

/// A caller sends audio if there was some in the last so many milliseconds of traffic.
const SENDS_AUDIO_WITHIN_MS: u64 = 1_000;

/// Milliseconds from the answer until media must be able to flow. A browser takes tens of
/// milliseconds once it has the answer, a few seconds on a network that loses packets.
pub const HANDSHAKE_MS_MAX: u64 = 15_000;

/// What a browser's own jitter buffer holds, in milliseconds: NetEq starts at 80 ms and settles
/// between 20 and 60 on a quiet network; plus the output device.
const RECEIVER_BUFFER_MS: u32 = 60;

/// Inputs that wait for the session; client messages beyond that are dropped.
const INPUTS_QUEUED_MAX: usize = 64;

/// Rounds in which the protocol may ask to be called again at once.
const IMMEDIATE_TIMEOUTS_MAX: usize = 100;

/// Where ticks come, how long after the last one the timer still leaves the work to them.
const TICKS_EXPECTED_WITHIN: Duration = Duration::from_millis(100);
/// How often the timer looks whether ticks still come.
const TICK_WATCH_INTERVAL: Duration = Duration::from_millis(500);

/// One caller's connection. Made by [`super::Endpoint::accept`].
#[derive(Debug)]
pub struct WebRtcTransport {
    shared: Arc<Shared>,
    ufrag: String,
    inbox: Arc<Inbox>,
    rtc: Rtc,
    media: Media,
    channel: EventChannel,
    inputs: VecDeque<TransportInput>,
    phase: Phase,
    stalled: bool,
    /// When the last datagram came, and the last one with audio.
    heard_at: Instant,
    heard_audio_at: Option<Instant>,
    checked: CheckedAddresses,
    /// The local address that the peer talks to.
    local_ip: Option<IpAddr>,
    rtt: Duration,
    ticked_at: Option<Instant>,
    protocol_due: Instant,
    timer: Pin<Box<Sleep>>,
    /// Its addresses belong to a [`Farewell`] now.
    lingers: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Handshake { since: Instant },
    Connected,
    Closed,
}

impl WebRtcTransport {
    pub(crate) fn new(
        shared: Arc<Shared>,
        ufrag: String,
        inbox: Arc<Inbox>,
        rtc: Rtc,
        media: Media,
        now: Instant,
    ) -> Self {
        shared.metrics.calls.fetch_add(1, Ordering::Relaxed);
        Self {
            shared,
            ufrag,
            inbox,
            rtc,
            media,
            channel: EventChannel::default(),
            inputs: VecDeque::new(),
            phase: Phase::Handshake { since: now },
            stalled: false,
            heard_at: now,
            heard_audio_at: None,
            checked: CheckedAddresses::default(),
            local_ip: None,
            rtt: Duration::ZERO,
            ticked_at: None,
            protocol_due: now,
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            lingers: false,
        }
    }

    /// Handles all that has come in and all that is due.
    fn drive(&mut self, now: Instant) {
        // Bounded, so that a flood cannot keep the session's task here.
        for _ in 0..INBOX_DATAGRAMS_MAX {
            let Some(datagram) = self.inbox.pop() else {
                break;
            };
            self.take_in(&datagram);
        }
        if self.phase != Phase::Closed && self.protocol_due <= now {
            self.advance(now);
        }
        self.watch_silence(now);
    }

    fn take_in(&mut self, datagram: &Datagram) {
        if self.phase == Phase::Closed {
            return;
        }
        let received = Receive::new(
            Protocol::Udp,
            datagram.source,
            datagram.destination,
            &datagram.bytes,
        );
        let Ok(received) = received else {
            self.shared.metrics.dropped_malformed.one();
            return;
        };
        self.heard(datagram);
        let class = PacketClass::of(&datagram.bytes);
        if let Err(error) = self.rtc.handle_input(Input::Receive(datagram.at, received)) {
            // A packet that fails its checks may come from anyone: it ends nothing.
            tracing::debug!(call = %self.ufrag, %error, "datagram");
            self.shared.metrics.dropped_malformed.one();
        }
        self.drain(datagram.at, Some(class));
    }

    fn heard(&mut self, datagram: &Datagram) {
        self.heard_at = self.heard_at.max(datagram.at);
        self.local_ip = datagram.local_ip;
        self.checked.heard(datagram.source, datagram.at);
        if self.stalled {
            self.stalled = false;
            self.give(TransportInput::Revived);
        }
    }

    /// Moves the protocol's time on.
    fn advance(&mut self, now: Instant) {
        if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
            tracing::debug!(call = %self.ufrag, %error, "protocol timeout");
        }
        self.drain(now, None);
    }

    /// Takes everything out of the protocol. `cause` is the packet that was just put in.
    fn drain(&mut self, now: Instant, cause: Option<PacketClass>) {
        for _ in 0..IMMEDIATE_TIMEOUTS_MAX {
            let due = loop {
                match self.rtc.poll_output() {
                    Ok(Output::Transmit(transmit)) => self.transmit(now, &transmit),
                    Ok(Output::Event(event)) => self.on_event(now, event, cause),
                    Ok(Output::Timeout(due)) => break due,
                    Err(error) => {
                        tracing::debug!(call = %self.ufrag, %error, "protocol failed");
                        self.over(false);
                        return;
                    }
                }
            };
            self.protocol_due = due;
            if due > now || self.phase == Phase::Closed {
                return;
            }
            if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
                tracing::debug!(call = %self.ufrag, %error, "protocol timeout");
            }
        }
        // It wants to run again at once, for ever: let the next tick see.
        self.protocol_due = now + Duration::from_millis(1);
    }

    fn transmit(&mut self, now: Instant, transmit: &Transmit) {
        let destination = if is_binding_success(&transmit.contents) {
            // Proof that the peer at that address knows this call's password. Every time: another
            // call may have used the address meanwhile.
            self.shared.routes.learn(&self.ufrag, transmit.destination);
            self.checked.add(transmit.destination, now);
            transmit.destination
        } else {
            self.checked.instead_of(transmit.destination, now)
        };
        match self
            .shared
            .socket
            .send(destination, self.local_ip, &transmit.contents)
        {
            Ok(()) => self.shared.metrics.datagrams_out.one(),
            Err(error) => {
                tracing::trace!(call = %self.ufrag, %error, "UDP send");
                self.shared.metrics.dropped_send.one();
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the library's events of video, bandwidth estimation and debugging are no concern of a voice call"
    )]
    fn on_event(&mut self, now: Instant, event: Event, cause: Option<PacketClass>) {
        match event {
            Event::Connected => self.connected(),
            Event::MediaAdded(added) => self.media.added(&self.rtc, &added),
            Event::RtpPacket(packet) => match self.media.receive(&packet, packet.timestamp) {
                Received::Audio => self.heard_audio_at = Some(packet.timestamp),
                Received::Padding => self.shared.metrics.padding_packets.one(),
                Received::Ignored => {}
            },
            Event::ChannelOpen(id, label) => self.channel_opened(id, &label),
            Event::ChannelClose(id) => self.channel.closed(id),
            Event::ChannelBufferedAmountLow(_) => self.channel.flush(&mut self.rtc),
            Event::ChannelData(data) => match self.channel.receive(now, &data) {
                Some(Incoming::Message(message)) => {
                    self.give_message(TransportInput::Message(message));
                }
                Some(Incoming::Bad(reason)) => {
                    self.give_message(TransportInput::BadMessage(reason));
                }
                Some(Incoming::Dropped) => self.shared.metrics.messages_dropped.one(),
                None => {}
            },
            Event::MediaEgressStats(stats) => {
                if let Some(rtt) = stats.rtt {
                    self.rtt = rtt;
                }
                if let Some(loss) = stats.loss {
                    self.media.expect_loss(loss);
                }
            }
            // A goodbye comes as a packet; what ends without one was given up.
            Event::Closed => self.over(cause == Some(PacketClass::Dtls)),
            _ => {}
        }
    }

    fn channel_opened(&mut self, id: ChannelId, label: &str) {
        if self.channel.opened(id, label) {
            self.give(TransportInput::EventsOpen);
            self.channel.flush(&mut self.rtc);
        }
    }

    fn connected(&mut self) {
        if let Phase::Handshake { .. } = self.phase {
            self.phase = Phase::Connected;
            self.shared.metrics.connected.one();
            self.inbox.let_media_wait();
            self.give(TransportInput::Connected);
        }
    }

    /// The call is over: says so once and gives up its addresses.
    fn over(&mut self, orderly: bool) {
        match self.phase {
            Phase::Closed => return,
            Phase::Handshake { .. } => self.shared.metrics.handshake_failures.one(),
            Phase::Connected => {}
        }
        self.phase = Phase::Closed;
        self.shared.routes.remove(&self.ufrag);
        self.give(TransportInput::Closed { orderly });
    }

    /// Leaves the connection to a task that delivers what is on its way. False where there is
    /// nothing to deliver or no runtime to do it on.
    fn linger(&mut self, now: Instant) -> bool {
        if self.channel.is_delivered(&mut self.rtc) {
            return false;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return false;
        };
        // Nothing is called after close: what takes its place is never used.
        let unused = self.shared.build_rtc(IceCreds::new(), now);
        let farewell = Farewell {
            shared: self.shared.clone(),
            ufrag: self.ufrag.clone(),
            inbox: self.inbox.clone(),
            rtc: std::mem::replace(&mut self.rtc, unused),
            channel: std::mem::take(&mut self.channel),
            local_ip: self.local_ip,
        };
        self.lingers = true;
        runtime.spawn(farewell.run());
        true
    }

    fn watch_silence(&mut self, now: Instant) {
        let quiet_ms = |since| {
            u64::try_from(now.saturating_duration_since(since).as_millis()).unwrap_or(u64::MAX)
        };
        match self.phase {
            Phase::Closed => {}
            Phase::Handshake { since } => {
                if quiet_ms(since) >= HANDSHAKE_MS_MAX {
                    self.over(false);
                }
            }
            Phase::Connected => {
                let (stalled_after_ms, closed_after_ms) = self.patience_ms();
                let quiet_ms = quiet_ms(self.heard_at);
                if quiet_ms >= closed_after_ms {
                    self.over(false);
                } else if quiet_ms >= stalled_after_ms && !self.stalled {
                    self.stalled = true;
                    self.give(TransportInput::Stalled);
                }
            }
        }
    }

    fn patience_ms(&self) -> (u64, u64) {
        let within = Duration::from_millis(SENDS_AUDIO_WITHIN_MS);
        let sends_audio = self
            .heard_audio_at
            .is_some_and(|at| self.heard_at.saturating_duration_since(at) <= within);
        if sends_audio {
            (STALLED_AFTER_MS, CLOSED_AFTER_MS)
        } else {
            (QUIET_STALLED_AFTER_MS, QUIET_CLOSED_AFTER_MS)
        }
    }

    fn give(&mut self, input: TransportInput) {
        self.inputs.push_back(input);
        // It may come from a tick, while the session waits elsewhere.
        self.inbox.wake();
    }

    fn give_message(&mut self, input: TransportInput) {
        if self.inputs.len() < INPUTS_QUEUED_MAX {
            self.give(input);
        } else {
            self.shared.metrics.messages_dropped.one();
        }
    }

    /// When the timer must look again.
    fn timer_due(&self, now: Instant) -> Option<Instant> {
        let ticks = self
            .ticked_at
            .is_some_and(|at| now < at + TICKS_EXPECTED_WITHIN);
        match self.phase {
            Phase::Closed => None,
            Phase::Handshake { since } => Some(
                self.protocol_due
                    .min(since + Duration::from_millis(HANDSHAKE_MS_MAX)),
            ),
            Phase::Connected if ticks => Some(now + TICK_WATCH_INTERVAL),
            Phase::Connected => Some(self.protocol_due.min(now + TICK_WATCH_INTERVAL)),
        }
    }

    /// Arms the timer; true where it is due already.
    fn poll_timer(&mut self, cx: &mut Context<'_>, now: Instant) -> bool {
        // While ticks come the timer stays as it is: moving it 50 times a second costs more than
        // letting it find nothing to do twice a second.
        let waits = self.phase == Phase::Connected && !self.timer.is_elapsed();
        if !waits {
            let Some(due) = self.timer_due(now) else {
                return false;
            };
            let at_least = now + Duration::from_millis(1);
            self.timer.as_mut().reset(due.max(at_least).into());
        }
        self.timer.as_mut().poll(cx).is_ready()
    }
}

impl Transport for WebRtcTransport {
    fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<TransportInput> {
        loop {
            if let Some(input) = self.inputs.pop_front() {
                return Poll::Ready(input);
            }
            if self.phase == Phase::Closed {
                return Poll::Pending;
            }
            self.inbox.register(cx.waker());
            let now = Instant::now();
            self.drive(now);
            if self.inputs.is_empty() && !self.poll_timer(cx, now) {
                return Poll::Pending;
            }
        }
    }

    fn pull_audio(&mut self, now: Instant, frame: &mut [i16; CALLER_FRAME_SAMPLES]) -> Pulled {
        self.ticked_at = Some(now);
        self.drive(now);
        self.media.pull(now, frame)
    }

    fn send_audio(&mut self, now: Instant, frame: Option<&[i16]>) {
        if self.phase != Phase::Connected {
            return;
        }
        self.media.send(&mut self.rtc, now, frame);
        if self.channel.has_queued() {
            self.channel.flush(&mut self.rtc);
        }
        self.advance(now);
    }

    fn send_event(&mut self, now: Instant, json: &Arc<str>) {
        if self.phase == Phase::Closed {
            return;
        }
        let dropped = self.channel.send(&mut self.rtc, json);
        self.shared.metrics.events_dropped.add(dropped);
        self.drain(now, None);
    }

    fn unheard_ms(&self) -> u32 {
        let one_way_ms = u32::try_from(self.rtt.as_millis() / 2).unwrap_or(u32::MAX);
        one_way_ms.saturating_add(RECEIVER_BUFFER_MS)
    }

    fn close(&mut self, now: Instant) {
        if self.phase != Phase::Closed {
            self.channel.flush(&mut self.rtc);
            self.drain(now, None);
        }
        if self.phase == Phase::Connected && self.linger(now) {
            self.phase = Phase::Closed;
        } else if self.phase != Phase::Closed {
            if let Err(error) = self.rtc.close() {
                tracing::debug!(call = %self.ufrag, %error, "close");
            }
            self.drain(now, None);
            self.over(true);
        }
        self.inputs.clear();
    }
}

impl Drop for WebRtcTransport {
    fn drop(&mut self) {
        if !self.lingers {
            self.shared.routes.remove(&self.ufrag);
        }
        self.shared.metrics.calls.fetch_sub(1, Ordering::Relaxed);
    }
}
