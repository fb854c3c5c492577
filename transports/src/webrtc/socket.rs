//! The UDP socket of an endpoint: which local address a datagram came to and is answered from,
//! and the task that receives.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use tokio::io::Interest;
use tokio::net::UdpSocket;

use super::inbox::{Datagram, PacketClass};
use super::metrics::Metrics;
use super::route::Routes;

/// Bytes of one receive buffer: the largest UDP payload, because the kernel may hand over several
/// datagrams of one sender at once (GRO).
const RECEIVE_BUFFER_BYTES: usize = 65_535;

/// Bytes that the kernel is asked to hold for us in each direction: 100 calls for a quarter of a
/// second. The system may allow less.
const SOCKET_BUFFER_BYTES: usize = 1 << 20;

/// Largest datagram taken: WebRTC keeps to the path's MTU, so anything larger is not ours.
const DATAGRAM_BYTES_MAX: usize = 2_048;

/// A bound socket.
#[derive(Debug)]
pub(crate) struct Socket {
    socket: UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    candidates: Vec<SocketAddr>,
}

impl Socket {
    /// Binds within a tokio runtime.
    pub(crate) fn bind(addr: SocketAddr) -> io::Result<Self> {
        let socket = std::net::UdpSocket::bind(addr)?;
        socket.set_nonblocking(true)?;
        let local = socket.local_addr()?;
        let state = UdpSocketState::new(UdpSockRef::from(&socket))?;
        // Smaller buffers cost packets under load, not correctness.
        for result in [
            state.set_recv_buffer_size(UdpSockRef::from(&socket), SOCKET_BUFFER_BYTES),
            state.set_send_buffer_size(UdpSockRef::from(&socket), SOCKET_BUFFER_BYTES),
        ] {
            if let Err(error) = result {
                tracing::debug!(%error, "the system kept its own UDP buffer size");
            }
        }
        let socket = UdpSocket::from_std(socket)?;
        Ok(Self {
            socket,
            state,
            local,
            candidates: Vec::new(),
        })
    }

    /// The bound address.
    pub(crate) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sets what is announced; [`Socket::receive`] names datagrams' destinations by these.
    pub(crate) fn set_candidates(&mut self, candidates: Vec<SocketAddr>) {
        self.candidates = candidates;
    }

    /// What is announced.
    pub(crate) fn candidates(&self) -> &[SocketAddr] {
        &self.candidates
    }

    /// Sends one datagram at once, from `local_ip` where the socket is bound to all addresses.
    /// A full socket buffer is an error, never a wait.
    pub(crate) fn send(
        &self,
        destination: SocketAddr,
        local_ip: Option<IpAddr>,
        contents: &[u8],
    ) -> io::Result<()> {
        let transmit = Transmit {
            destination: self.to_socket_family(destination),
            ecn: None,
            contents,
            segment_size: None,
            src_ip: local_ip.filter(|_| self.local.ip().is_unspecified()),
        };
        // Straight to the system: the runtime knows that a socket is writable only once it has
        // polled it, and a datagram that finds no room is dropped anyway.
        self.state
            .try_send(UdpSockRef::from(&self.socket), &transmit)
    }

    /// Receives for ever: each datagram goes to its call's inbox or is counted as dropped.
    pub(crate) async fn receive(&self, routes: &Routes, metrics: &Metrics) {
        let mut buffers = vec![vec![0_u8; RECEIVE_BUFFER_BYTES]; BATCH_SIZE];
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        loop {
            match self.receive_batch(&mut buffers, &mut metas).await {
                Ok(count) => {
                    let at = Instant::now();
                    for (buffer, meta) in buffers.iter().zip(&metas).take(count) {
                        self.sort(at, buffer, meta, routes, metrics);
                    }
                }
                // On UDP an error of one peer (port unreachable) surfaces on the next receive.
                Err(error) => {
                    tracing::debug!(%error, "UDP receive");
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    async fn receive_batch(
        &self,
        buffers: &mut [Vec<u8>],
        metas: &mut [RecvMeta],
    ) -> io::Result<usize> {
        let mut slices: Vec<IoSliceMut<'_>> = buffers
            .iter_mut()
            .map(|buffer| IoSliceMut::new(buffer))
            .collect();
        let socket = &self.socket;
        let receive = || {
            self.state
                .recv(UdpSockRef::from(socket), &mut slices, metas)
        };
        socket.async_io(Interest::READABLE, receive).await
    }

    fn sort(
        &self,
        at: Instant,
        buffer: &[u8],
        meta: &RecvMeta,
        routes: &Routes,
        metrics: &Metrics,
    ) {
        let source = canonical(meta.addr);
        let local_ip = meta.dst_ip.map(|ip| ip.to_canonical());
        let destination = self.candidate_for(local_ip, source);
        for bytes in buffer[..meta.len].chunks(meta.stride.max(1)) {
            metrics.datagrams_in.one();
            let inbox = if bytes.len() > DATAGRAM_BYTES_MAX
                || PacketClass::of(bytes) == PacketClass::Other
            {
                None
            } else {
                routes.find(source, bytes)
            };
            let Some(inbox) = inbox else {
                metrics.dropped_unknown.one();
                continue;
            };
            let bytes = bytes.to_vec();
            if !inbox.push(Datagram {
                at,
                source,
                destination,
                local_ip,
                bytes,
            }) {
                metrics.dropped_inbox_full.one();
            }
        }
    }

    /// The announced candidate that a datagram to `local_ip` was meant for: the address itself,
    /// or behind a NAT, where another address is announced, one of the sender's family.
    fn candidate_for(&self, local_ip: Option<IpAddr>, source: SocketAddr) -> SocketAddr {
        let exact = self
            .candidates
            .iter()
            .find(|candidate| Some(candidate.ip()) == local_ip);
        let same_family = || {
            self.candidates
                .iter()
                .find(|candidate| candidate.is_ipv4() == source.is_ipv4())
        };
        exact.or_else(same_family).copied().unwrap_or(self.local)
    }

    /// A dual-stack socket takes IPv4 destinations only as mapped addresses.
    fn to_socket_family(&self, address: SocketAddr) -> SocketAddr {
        match (self.local, address) {
            (SocketAddr::V6(_), SocketAddr::V4(v4)) => {
                SocketAddr::new(v4.ip().to_ipv6_mapped().into(), v4.port())
            }
            (SocketAddr::V4(_) | SocketAddr::V6(_), _) => address,
        }
    }
}

/// An IPv4 peer of a dual-stack socket under its IPv4 address.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[tokio::test]
    async fn answers_leave_from_the_address_that_was_asked() {
        let socket = Socket::bind("0.0.0.0:0".parse().unwrap()).unwrap();
        let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        // The whole of 127/8 is this host: two local addresses to tell apart.
        for asked in ["127.0.0.1", "127.0.0.2"] {
            socket
                .send(
                    client.local_addr().unwrap(),
                    Some(asked.parse().unwrap()),
                    b"x",
                )
                .unwrap();
            let (_, from) = client.recv_from(&mut [0; 9]).unwrap();
            assert_eq!(from.ip().to_string(), asked);
        }
    }

    #[tokio::test]
    async fn ipv4_peers_of_a_dual_stack_socket_have_ipv4_addresses() {
        let Ok(socket) = Socket::bind("[::]:0".parse().unwrap()) else {
            println!("SKIPPED: no IPv6 on this machine");
            return;
        };
        let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        socket
            .send(client.local_addr().unwrap(), None, b"x")
            .unwrap();
        let (_, from) = client.recv_from(&mut [0; 9]).unwrap();
        assert_eq!(canonical(from).port(), socket.local().port());
    }

    #[tokio::test]
    async fn destinations_are_named_as_announced() {
        let mut socket = Socket::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let list: Vec<SocketAddr> = vec![
            "10.0.0.5:9".parse().unwrap(),
            "[2001:db8::1]:9".parse().unwrap(),
        ];
        socket.set_candidates(list.clone());
        let v4: SocketAddr = "192.0.2.1:1".parse().unwrap();
        let v6: SocketAddr = "[2001:db8::9]:1".parse().unwrap();
        assert_eq!(socket.candidate_for(Some(list[0].ip()), v4), list[0]);
        assert_eq!(
            socket.candidate_for(Some("172.16.0.1".parse().unwrap()), v4),
            list[0]
        );
        assert_eq!(socket.candidate_for(None, v6), list[1]);
    }
}
