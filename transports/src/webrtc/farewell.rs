//! The last moments of a call: what was sent is delivered before the goodbye.
//!
//! A goodbye right behind the last events overtakes them at some receivers, which drop what they
//! have not read yet once the connection closes.

use std::future::poll_fn;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use str0m::net::{Protocol, Receive};
use str0m::{Input, Output, Rtc};

use super::channel::EventChannel;
use super::endpoint::Shared;
use super::inbox::{Datagram, Inbox};

/// How long the far side may take to acknowledge the last events: well over a round trip and the
/// 200 ms by which SCTP may delay an acknowledgement (RFC 9260 section 6.2).
const LINGER: Duration = Duration::from_secs(2);

/// Outputs taken in one go, against a protocol that never rests.
const OUTPUTS_MAX: usize = 1_000;

/// A call that has been closed here and still has events on the way.
pub(crate) struct Farewell {
    pub(crate) shared: Arc<Shared>,
    pub(crate) ufrag: String,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) rtc: Rtc,
    pub(crate) channel: EventChannel,
    pub(crate) local_ip: Option<IpAddr>,
}

impl Farewell {
    /// Waits until all is acknowledged, or no longer, then says goodbye.
    pub(crate) async fn run(mut self) {
        let until = Instant::now() + LINGER;
        loop {
            self.channel.flush(&mut self.rtc);
            let due = self.drain();
            if self.channel.is_delivered(&mut self.rtc) || Instant::now() >= until {
                break;
            }
            let wait = tokio::time::timeout_at(due.min(until).into(), self.datagram());
            match wait.await {
                Ok(datagram) => self.take_in(&datagram),
                Err(_) => self.advance(),
            }
        }
        if let Err(error) = self.rtc.close() {
            tracing::debug!(call = %self.ufrag, %error, "close");
        }
        self.drain();
    }

    async fn datagram(&self) -> Datagram {
        poll_fn(|cx| {
            self.inbox.register(cx.waker());
            self.inbox.pop().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    fn take_in(&mut self, datagram: &Datagram) {
        let (source, destination) = (datagram.source, datagram.destination);
        let received = Receive::new(Protocol::Udp, source, destination, &datagram.bytes);
        if let Ok(received) = received
            && let Err(error) = self.rtc.handle_input(Input::Receive(datagram.at, received))
        {
            tracing::debug!(call = %self.ufrag, %error, "datagram");
        }
    }

    fn advance(&mut self) {
        if let Err(error) = self.rtc.handle_input(Input::Timeout(Instant::now())) {
            tracing::debug!(call = %self.ufrag, %error, "protocol timeout");
        }
    }

    /// Sends what is to be sent; returns when the protocol wants to be called again.
    fn drain(&mut self) -> Instant {
        for _ in 0..OUTPUTS_MAX {
            match self.rtc.poll_output() {
                Ok(Output::Transmit(transmit)) => {
                    let to = transmit.destination;
                    let sent = self
                        .shared
                        .socket
                        .send(to, self.local_ip, &transmit.contents);
                    match sent {
                        Ok(()) => self.shared.metrics.datagrams_out.one(),
                        Err(_) => self.shared.metrics.dropped_send.one(),
                    }
                }
                Ok(Output::Event(_)) => {}
                Ok(Output::Timeout(due)) => return due,
                Err(_) => break,
            }
        }
        Instant::now() + LINGER
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        self.shared.routes.remove(&self.ufrag);
    }
}
