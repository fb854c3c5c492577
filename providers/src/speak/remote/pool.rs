//! Connections that wait for the next sentence.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::{Bytes, Message};

use super::Vendor;
use crate::Fault;
use crate::net::{WsClient, WsRequest, WsStream, receive, send};

/// Addresses (voices) that connections wait for.
const ADDRESSES_MAX: usize = 32;
/// Connections that wait at one address; each busy call uses one for a part of the time.
const IDLE_MAX: usize = 16;
/// A voice that nobody used for so long is not kept warm.
const WARM_KEPT: Duration = Duration::from_secs(600);
/// How often an idle connection is kept alive.
const KEEP_ALIVE: Duration = Duration::from_secs(8);
/// Longest wait for the network to take a message that only keeps alive or says farewell.
const POLITE: Duration = Duration::from_millis(20);

/// The pool of one backend.
pub(super) struct Pool {
    vendor: Arc<dyn Vendor>,
    client: WsClient,
    addresses: Mutex<HashMap<String, Address>>,
}

#[derive(Default)]
struct Address {
    idle: Vec<Idle>,
    /// A connection is being opened for whoever comes next.
    is_opening: bool,
    used_at: Option<Instant>,
}

/// A waiting connection; its keeper gives it out.
struct Idle {
    ask: oneshot::Sender<()>,
    get: oneshot::Receiver<Held>,
}

/// An open connection.
struct Held {
    stream: WsStream,
    opened_at: Instant,
    uses: u32,
}

/// A connection in use.
pub(super) struct Lease {
    held: Option<Held>,
    pool: Arc<Pool>,
    request: WsRequest,
    /// It had waited, so that it may have died unnoticed.
    pub(super) was_idle: bool,
    /// Sent where the sentence is cancelled, to a connection that is then used again.
    pub(super) on_cancel: Vec<Message>,
}

impl Pool {
    pub(super) fn new(vendor: Arc<dyn Vendor>, client: WsClient) -> Arc<Self> {
        Arc::new(Self {
            vendor,
            client,
            addresses: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Address>> {
        self.addresses
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection that waited, or a new one where there is none or `fresh` is asked for.
    pub(super) async fn lease(
        self: &Arc<Self>,
        request: WsRequest,
        fresh: bool,
    ) -> Result<Lease, Fault> {
        let mut found = None;
        while !fresh && found.is_none() {
            let Some(idle) = self.pop(&request.url) else {
                break;
            };
            if idle.ask.send(()).is_ok() {
                found = idle.get.await.ok();
            }
        }
        let was_idle = found.is_some();
        let held = match found {
            Some(held) => held,
            None => Held {
                stream: self.client.connect(&request).await?,
                opened_at: Instant::now(),
                uses: 0,
            },
        };
        let lease = Lease {
            held: Some(held),
            pool: Arc::clone(self),
            request,
            was_idle,
            on_cancel: Vec::new(),
        };
        if self.vendor.uses_max() == 1 {
            self.top_up(&lease.request);
        }
        Ok(lease)
    }

    fn pop(&self, url: &str) -> Option<Idle> {
        let mut addresses = self.lock();
        let address = addresses.get_mut(url)?;
        address.used_at = Some(Instant::now());
        address.idle.pop()
    }

    /// Opens a connection for whoever comes next, unless one waits or is being opened.
    pub(super) fn top_up(self: &Arc<Self>, request: &WsRequest) {
        {
            let mut addresses = self.lock();
            make_room(&mut addresses, &request.url);
            let address = addresses.entry(request.url.clone()).or_default();
            address.used_at.get_or_insert_with(Instant::now);
            address.idle.retain(|idle| !idle.ask.is_closed());
            if address.is_opening || !address.idle.is_empty() {
                return;
            }
            address.is_opening = true;
        }
        let (pool, request) = (Arc::clone(self), request.clone());
        tokio::spawn(async move {
            let opened = pool.client.connect(&request).await;
            if let Some(address) = pool.lock().get_mut(&request.url) {
                address.is_opening = false;
            }
            match opened {
                Ok(stream) => pool.keep(
                    request,
                    Held {
                        stream,
                        opened_at: Instant::now(),
                        uses: 0,
                    },
                ),
                // Whoever needs it tries again and tells.
                Err(fault) => tracing::debug!(
                    vendor = pool.vendor.name(),
                    kind = fault.kind.name(),
                    "no spare connection"
                ),
            }
        });
    }

    /// Lets a connection wait.
    fn keep(self: &Arc<Self>, request: WsRequest, held: Held) {
        let (ask, asked) = oneshot::channel();
        let (give, get) = oneshot::channel();
        {
            let mut addresses = self.lock();
            let Some(address) = addresses.get_mut(&request.url) else {
                return;
            };
            address.idle.retain(|idle| !idle.ask.is_closed());
            if address.idle.len() >= IDLE_MAX {
                return;
            }
            address.idle.push(Idle { ask, get });
        }
        let pool = Arc::downgrade(self);
        let vendor = Arc::clone(&self.vendor);
        tokio::spawn(async move {
            let expired = keep_alive(held, asked, give, vendor.as_ref()).await;
            // Refreshed before the vendor closes it, while the voice is in use.
            if expired
                && let Some(pool) = pool.upgrade()
                && pool.is_warm(&request.url)
            {
                pool.top_up(&request);
            }
        });
    }

    fn is_warm(&self, url: &str) -> bool {
        let addresses = self.lock();
        let used_at = addresses.get(url).and_then(|address| address.used_at);
        used_at.is_some_and(|at| at.elapsed() < WARM_KEPT)
    }
}

fn make_room(addresses: &mut HashMap<String, Address>, url: &str) {
    if addresses.len() < ADDRESSES_MAX || addresses.contains_key(url) {
        return;
    }
    let oldest = addresses.iter().min_by_key(|(_, address)| address.used_at);
    if let Some(oldest) = oldest.map(|(url, _)| url.clone()) {
        // Its keepers see that nobody can ask any more, and close.
        addresses.remove(&oldest);
    }
}

/// Keeps a connection until it is asked for, breaks or is too old; true for the last two.
async fn keep_alive(
    mut held: Held,
    mut asked: oneshot::Receiver<()>,
    give: oneshot::Sender<Held>,
    vendor: &dyn Vendor,
) -> bool {
    let idle_until = Instant::now() + vendor.idle_max();
    let mut next = Instant::now() + KEEP_ALIVE;
    loop {
        tokio::select! {
            biased;
            asked = &mut asked => {
                if asked.is_ok() {
                    // Nobody waits any more where this fails: the connection is dropped.
                    let _ = give.send(held);
                }
                return false;
            }
            message = receive(&mut held.stream) => match message {
                // What is left of a cancelled sentence.
                Ok(_) => {}
                Err(_) => return true,
            },
            () = sleep_until(next.min(idle_until)) => {
                let now = Instant::now();
                if now >= idle_until {
                    let _ = send(&mut held.stream, vec![Message::Close(None)], POLITE).await;
                    return true;
                }
                next = now + KEEP_ALIVE;
                if send(&mut held.stream, vec![Message::Ping(Bytes::new())], POLITE).await.is_err() {
                    return true;
                }
            }
        }
    }
}

impl Lease {
    /// The connection.
    pub(super) fn stream(&mut self) -> Option<&mut WsStream> {
        self.held.as_mut().map(|held| &mut held.stream)
    }

    /// The sentence is complete: the connection waits for the next one.
    pub(super) fn give_back(mut self) {
        if let Some(held) = self.held.take() {
            self.reuse(held);
        }
    }

    /// The connection is of no use any more; another one is opened for the next sentence.
    pub(super) fn discard(mut self) {
        self.held = None;
        self.pool.top_up(&self.request);
    }

    fn reuse(&self, mut held: Held) {
        held.uses += 1;
        let is_fresh = held.opened_at.elapsed() < self.pool.vendor.age_max();
        if held.uses < self.pool.vendor.uses_max() && is_fresh {
            let mut addresses = self.pool.lock();
            make_room(&mut addresses, &self.request.url);
            let address = addresses.entry(self.request.url.clone()).or_default();
            address.used_at = Some(Instant::now());
            drop(addresses);
            self.pool.keep(self.request.clone(), held);
        } else {
            drop(held);
            self.pool.top_up(&self.request);
        }
    }
}

impl Drop for Lease {
    /// The sentence was cancelled: the server is told at once, or loses the connection.
    fn drop(&mut self) {
        let Some(mut held) = self.held.take() else {
            return;
        };
        // Outside a runtime nothing can be sent; the connection is dropped.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let on_cancel = std::mem::take(&mut self.on_cancel);
        if on_cancel.is_empty() {
            drop(held);
            self.pool.top_up(&self.request);
            return;
        }
        let lease = Self {
            held: None,
            pool: Arc::clone(&self.pool),
            request: self.request.clone(),
            was_idle: false,
            on_cancel: Vec::new(),
        };
        runtime.spawn(async move {
            if send(&mut held.stream, on_cancel, POLITE).await.is_ok() {
                lease.reuse(held);
            }
        });
    }
}
