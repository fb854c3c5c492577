//! The datagrams of one call between the receive task and the call's own task.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Instant;

/// Datagrams that wait for one call's task: five seconds of audio, after which waiting longer
/// only makes the call late.
pub const INBOX_DATAGRAMS_MAX: usize = 256;

/// One datagram as it came in.
#[derive(Debug)]
pub(crate) struct Datagram {
    /// When the receive task took it from the socket.
    pub(crate) at: Instant,
    /// Who sent it.
    pub(crate) source: SocketAddr,
    /// The candidate it was sent to, as announced.
    pub(crate) destination: SocketAddr,
    /// The local address it arrived at, to answer from; absent where the system does not tell.
    pub(crate) local_ip: Option<IpAddr>,
    /// Its payload.
    pub(crate) bytes: Vec<u8>,
}

/// What kind of packet it is, by its first byte (RFC 7983).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PacketClass {
    Stun,
    Dtls,
    Rtp,
    Other,
}

impl PacketClass {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        match bytes.first() {
            Some(0..=3) => Self::Stun,
            Some(20..=63) => Self::Dtls,
            Some(128..=191) => Self::Rtp,
            Some(_) | None => Self::Other,
        }
    }
}

/// A bounded queue with one waker.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    state: Mutex<State>,
    /// Once set, media no longer wakes the task: it is read in the tick.
    media_waits: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    datagrams: VecDeque<Datagram>,
    waker: Option<Waker>,
}

impl Inbox {
    /// Puts a datagram in and wakes the task where it should be handled before the next tick.
    /// False where the inbox is full: the datagram is lost, as on a congested network.
    pub(crate) fn push(&self, datagram: Datagram) -> bool {
        let class = PacketClass::of(&datagram.bytes);
        let waker = {
            let mut state = self.lock();
            if state.datagrams.len() >= INBOX_DATAGRAMS_MAX {
                return false;
            }
            state.datagrams.push_back(datagram);
            if class == PacketClass::Rtp && self.media_waits.load(Ordering::Relaxed) {
                None
            } else {
                state.waker.take()
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Takes the oldest datagram.
    pub(crate) fn pop(&self) -> Option<Datagram> {
        self.lock().datagrams.pop_front()
    }

    /// Sets whom to wake. Call it before the last [`Inbox::pop`] that finds nothing.
    pub(crate) fn register(&self, waker: &Waker) {
        let mut state = self.lock();
        match &mut state.waker {
            Some(current) => current.clone_from(waker),
            None => state.waker = Some(waker.clone()),
        }
    }

    /// Wakes the task, where it waits.
    pub(crate) fn wake(&self) {
        let waker = self.lock().waker.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// From now on media waits for the tick.
    pub(crate) fn let_media_wait(&self) {
        self.media_waits.store(true, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A queue of datagrams is usable whatever a panicking holder left.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn datagram(first_byte: u8) -> Datagram {
        let addr = "127.0.0.1:1".parse().unwrap();
        Datagram {
            at: Instant::now(),
            source: addr,
            destination: addr,
            local_ip: None,
            bytes: vec![first_byte; 20],
        }
    }

    #[test]
    fn media_wakes_only_until_connected() {
        let wakes = Arc::new(Wakes::default());
        let waker = Waker::from(wakes.clone());
        let inbox = Inbox::default();
        let check = |first_byte: u8, expected: usize| {
            inbox.register(&waker);
            assert!(inbox.push(datagram(first_byte)));
            assert_eq!(
                wakes.0.load(Ordering::Relaxed),
                expected,
                "after {first_byte}"
            );
        };
        check(128, 1);
        inbox.let_media_wait();
        check(128, 1);
        check(191, 1);
        check(0, 2);
        check(22, 3);
        check(255, 4);
    }

    #[test]
    fn a_full_inbox_refuses() {
        let inbox = Inbox::default();
        for _ in 0..INBOX_DATAGRAMS_MAX {
            assert!(inbox.push(datagram(128)));
        }
        assert!(!inbox.push(datagram(128)));
        assert!(inbox.pop().is_some());
        assert!(inbox.push(datagram(128)));
    }
}
