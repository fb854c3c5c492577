//! Which call a datagram belongs to: by source address once a connectivity check from there has
//! proved its right, and for STUN by the username, which names the call.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::inbox::{Inbox, PacketClass};

/// Addresses from which one call takes packets: a client with several interfaces and candidates
/// uses a few; the oldest is forgotten beyond that.
const ADDRESSES_PER_CALL_MAX: usize = 16;

/// Cookie of every STUN message, RFC 8489 section 5.
const STUN_MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xA4, 0x42];
/// Message type of a Binding request.
const STUN_BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
/// Message type of a Binding success response.
const STUN_BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
/// Attribute type USERNAME.
const STUN_ATTR_USERNAME: u16 = 0x0006;
/// Bytes before the first attribute.
const STUN_HEADER_BYTES: usize = 20;

/// All calls of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    by_ufrag: HashMap<String, Call>,
    by_address: HashMap<SocketAddr, Arc<Inbox>>,
}

#[derive(Debug)]
struct Call {
    inbox: Arc<Inbox>,
    addresses: Vec<SocketAddr>,
}

impl Routes {
    /// Adds a call. False where the name is taken; then nothing has changed.
    pub(crate) fn insert(&self, ufrag: &str, inbox: &Arc<Inbox>) -> bool {
        let mut tables = self.lock();
        if tables.by_ufrag.contains_key(ufrag) {
            return false;
        }
        let call = Call {
            inbox: inbox.clone(),
            addresses: Vec::new(),
        };
        tables.by_ufrag.insert(ufrag.to_owned(), call);
        true
    }

    /// Notes that `source` has passed a connectivity check of the call `ufrag`: everything from
    /// there is this call's from now on.
    pub(crate) fn learn(&self, ufrag: &str, source: SocketAddr) {
        let mut tables = self.lock();
        let tables = &mut *tables;
        let Some(call) = tables.by_ufrag.get_mut(ufrag) else {
            return;
        };
        let inbox = call.inbox.clone();
        if !call.addresses.contains(&source) {
            if call.addresses.len() >= ADDRESSES_PER_CALL_MAX {
                let oldest = call.addresses.remove(0);
                forget_address(&mut tables.by_address, oldest, &inbox);
            }
            call.addresses.push(source);
        }
        tables.by_address.insert(source, inbox);
    }

    /// Removes a call and every address of it.
    pub(crate) fn remove(&self, ufrag: &str) {
        let mut tables = self.lock();
        let Some(call) = tables.by_ufrag.remove(ufrag) else {
            return;
        };
        for address in call.addresses {
            forget_address(&mut tables.by_address, address, &call.inbox);
        }
    }

    /// The inbox for a datagram, if it is anyone's.
    pub(crate) fn find(&self, source: SocketAddr, bytes: &[u8]) -> Option<Arc<Inbox>> {
        let tables = self.lock();
        // By name first: the same address may have moved on to another call.
        if PacketClass::of(bytes) == PacketClass::Stun
            && let Some(ufrag) = request_ufrag(bytes)
        {
            return tables.by_ufrag.get(ufrag).map(|call| call.inbox.clone());
        }
        tables.by_address.get(&source).cloned()
    }

    /// Calls and addresses known now.
    pub(crate) fn len(&self) -> (usize, usize) {
        let tables = self.lock();
        (tables.by_ufrag.len(), tables.by_address.len())
    }

    fn lock(&self) -> MutexGuard<'_, Tables> {
        // No operation leaves the tables half changed in a way that matters: a panic elsewhere
        // must not end every call.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Removes an address unless another call has taken it over meanwhile.
fn forget_address(
    by_address: &mut HashMap<SocketAddr, Arc<Inbox>>,
    address: SocketAddr,
    owner: &Arc<Inbox>,
) {
    if by_address
        .get(&address)
        .is_some_and(|inbox| Arc::ptr_eq(inbox, owner))
    {
        by_address.remove(&address);
    }
}

/// True for a Binding success response, which a call sends only after it has verified the
/// request's integrity.
pub(crate) fn is_binding_success(bytes: &[u8]) -> bool {
    bytes.starts_with(&STUN_BINDING_SUCCESS) && bytes.get(4..8) == Some(&STUN_MAGIC_COOKIE)
}

/// The receiver's half of a Binding request's username (`receiver:sender`, RFC 8445 section
/// 7.2.2).
fn request_ufrag(bytes: &[u8]) -> Option<&str> {
    if !bytes.starts_with(&STUN_BINDING_REQUEST) || bytes.get(4..8)? != STUN_MAGIC_COOKIE {
        return None;
    }
    let mut rest = bytes.get(STUN_HEADER_BYTES..)?;
    while let Some((head, after)) = rest.split_at_checked(4) {
        let kind = u16::from_be_bytes([head[0], head[1]]);
        let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
        if kind == STUN_ATTR_USERNAME {
            let username = std::str::from_utf8(after.get(..length)?).ok()?;
            return username.split_once(':').map(|(receiver, _)| receiver);
        }
        rest = after.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn request(username: &str) -> Vec<u8> {
        let mut bytes = vec![0x00, 0x01, 0x00, 0x00];
        bytes.extend(STUN_MAGIC_COOKIE);
        bytes.extend([7; 12]);
        // An attribute of three bytes before it, padded to four.
        bytes.extend([0x80, 0x22, 0x00, 0x03, 1, 2, 3, 0]);
        bytes.extend([0x00, 0x06]);
        bytes.extend(u16::try_from(username.len()).unwrap().to_be_bytes());
        bytes.extend(username.as_bytes());
        bytes
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], port))
    }

    #[test]
    fn the_username_names_the_call() {
        assert_eq!(request_ufrag(&request("here:there")), Some("here"));
        assert_eq!(request_ufrag(&request("no colon")), None);
        let whole = request("here:there");
        for cut in 0..whole.len() {
            assert_eq!(request_ufrag(&whole[..cut]), None, "cut at {cut}");
        }
    }

    #[test]
    fn media_is_routed_only_from_proven_addresses() {
        let (routes, inbox) = (Routes::default(), Arc::new(Inbox::default()));
        assert!(routes.insert("here", &inbox));
        assert!(!routes.insert("here", &inbox), "names are unique");
        assert!(routes.find(address(1), &request("here:x")).is_some());
        assert!(routes.find(address(1), &[128; 30]).is_none());
        routes.learn("here", address(1));
        assert!(routes.find(address(1), &[128; 30]).is_some());
        assert!(routes.find(address(2), &[128; 30]).is_none());
        routes.remove("here");
        assert_eq!(routes.len(), (0, 0));
    }

    #[test]
    fn an_address_moves_on_to_the_next_call() {
        let routes = Routes::default();
        let (old, new) = (Arc::new(Inbox::default()), Arc::new(Inbox::default()));
        routes.insert("old", &old);
        routes.insert("new", &new);
        routes.learn("old", address(1));
        routes.learn("new", address(1));
        let found = routes.find(address(1), &[128; 30]).unwrap();
        assert!(Arc::ptr_eq(&found, &new));
        routes.remove("old");
        assert!(
            routes.find(address(1), &[128; 30]).is_some(),
            "the new call keeps it"
        );
    }

    #[test]
    fn addresses_of_one_call_are_bounded() {
        let (routes, inbox) = (Routes::default(), Arc::new(Inbox::default()));
        routes.insert("here", &inbox);
        for port in 1..200 {
            routes.learn("here", address(port));
        }
        assert_eq!(routes.len(), (1, ADDRESSES_PER_CALL_MAX));
        assert!(routes.find(address(199), &[128; 30]).is_some());
    }
}
