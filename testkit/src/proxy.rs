//! A UDP proxy that is as bad as a bad network: it drops, delays, duplicates, reorders and cuts.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Largest datagram passed on.
const DATAGRAM_BYTES_MAX: usize = 2_048;

/// What is done to each datagram, in both directions.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Faults {
    /// Share dropped, 0 to 1.
    pub drop: f64,
    /// Share sent twice, 0 to 1.
    pub duplicate: f64,
    /// Share held back by a further 60 ms, so that later ones overtake it, 0 to 1.
    pub reorder: f64,
    /// Delay of every datagram.
    pub delay: Duration,
    /// Nothing passes.
    pub cut: bool,
}

const REORDER_BY: Duration = Duration::from_millis(60);

/// A proxy in front of one server. Each client gets a socket of its own towards the server.
pub struct UdpProxy {
    addr: SocketAddr,
    faults: Arc<Mutex<Faults>>,
    task: JoinHandle<()>,
}

impl UdpProxy {
    /// Listens on a loopback port of its own and passes everything on to `server`. The same `seed`
    /// chooses the same datagrams to harm.
    ///
    /// # Errors
    /// Where no port can be bound.
    pub async fn start(server: SocketAddr, seed: u64) -> io::Result<Self> {
        let front = Arc::new(UdpSocket::bind((server.ip(), 0)).await?);
        let addr = front.local_addr()?;
        let faults = Arc::new(Mutex::new(Faults::default()));
        let task = tokio::spawn(run(front, server, Arc::clone(&faults), Dice::new(seed)));
        Ok(Self { addr, faults, task })
    }

    /// Where clients send to.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Changes the faults from now on.
    pub fn set(&self, faults: Faults) {
        *self.faults.lock().unwrap_or_else(PoisonError::into_inner) = faults;
    }
}

impl Drop for UdpProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    front: Arc<UdpSocket>,
    server: SocketAddr,
    faults: Arc<Mutex<Faults>>,
    mut dice: Dice,
) {
    let mut backs: HashMap<SocketAddr, Arc<UdpSocket>> = HashMap::new();
    let mut buffer = [0; DATAGRAM_BYTES_MAX];
    let mut returns = tokio::task::JoinSet::new();
    loop {
        let Ok((length, client)) = front.recv_from(&mut buffer).await else {
            continue;
        };
        let back = match backs.get(&client) {
            Some(back) => Arc::clone(back),
            None => {
                let Ok(socket) = UdpSocket::bind((server.ip(), 0)).await else {
                    continue;
                };
                let socket = Arc::new(socket);
                backs.insert(client, Arc::clone(&socket));
                let dice = dice.split();
                returns.spawn(pass_back(
                    Arc::clone(&socket),
                    Arc::clone(&front),
                    client,
                    Arc::clone(&faults),
                    dice,
                ));
                socket
            }
        };
        pass(&buffer[..length], back, server, &faults, &mut dice);
    }
}

async fn pass_back(
    back: Arc<UdpSocket>,
    front: Arc<UdpSocket>,
    client: SocketAddr,
    faults: Arc<Mutex<Faults>>,
    mut dice: Dice,
) {
    let mut buffer = [0; DATAGRAM_BYTES_MAX];
    loop {
        if let Ok((length, _)) = back.recv_from(&mut buffer).await {
            pass(
                &buffer[..length],
                Arc::clone(&front),
                client,
                &faults,
                &mut dice,
            );
        }
    }
}

fn pass(
    datagram: &[u8],
    socket: Arc<UdpSocket>,
    to: SocketAddr,
    faults: &Mutex<Faults>,
    dice: &mut Dice,
) {
    let faults = *faults.lock().unwrap_or_else(PoisonError::into_inner);
    if faults.cut || dice.roll() < faults.drop {
        return;
    }
    let copies = 1 + usize::from(dice.roll() < faults.duplicate);
    let late = if dice.roll() < faults.reorder {
        REORDER_BY
    } else {
        Duration::ZERO
    };
    let delay = faults.delay + late;
    let datagram = datagram.to_vec();
    tokio::spawn(async move {
        if !delay.is_zero() {
            sleep(delay).await;
        }
        for _ in 0..copies {
            // A datagram that cannot be sent is lost, as on any network.
            let _ = socket.send_to(&datagram, to).await;
        }
    });
}

/// Random numbers that are the same for the same seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed ^ 0x9E37_79B9_7F4A_7C15)
    }

    fn split(&mut self) -> Self {
        Self::new(self.next())
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// 0 up to 1.
    fn roll(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }
}
