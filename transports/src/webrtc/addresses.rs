//! The addresses of one caller, and which of them it is at.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// A caller whose nominated address was silent for so long, while another one that has passed a
/// connectivity check was not, has moved: its NAT gave it a new port, and it does not know, so
/// that it nominates nothing anew.
const MOVED_AFTER: Duration = Duration::from_secs(1);

/// Addresses remembered; the oldest is forgotten beyond that.
const ADDRESSES_MAX: usize = 8;

/// Addresses that have passed a connectivity check, and when each was last heard.
#[derive(Debug, Default)]
pub(crate) struct CheckedAddresses(Vec<(SocketAddr, Instant)>);

impl CheckedAddresses {
    /// A check from `address` has succeeded.
    pub(crate) fn add(&mut self, address: SocketAddr, now: Instant) {
        if self.0.iter().any(|(known, _)| *known == address) {
            return;
        }
        if self.0.len() >= ADDRESSES_MAX {
            self.0.remove(0);
        }
        self.0.push((address, now));
    }

    /// Something came from `source`.
    pub(crate) fn heard(&mut self, source: SocketAddr, at: Instant) {
        if let Some((_, last)) = self.0.iter_mut().find(|(known, _)| *known == source) {
            *last = at;
        }
    }

    /// Where to send what is meant for `nominated`: there, or where the caller is now.
    pub(crate) fn instead_of(&self, nominated: SocketAddr, now: Instant) -> SocketAddr {
        let is_silent = |at: Instant| now.saturating_duration_since(at) >= MOVED_AFTER;
        let of_nominated = self.0.iter().find(|(known, _)| *known == nominated);
        if of_nominated.is_some_and(|(_, at)| !is_silent(*at)) {
            return nominated;
        }
        match self.0.iter().max_by_key(|(_, at)| *at) {
            Some((address, at)) if !is_silent(*at) => *address,
            Some(_) | None => nominated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_has_moved_once_its_old_address_is_silent() {
        let [old, new] = [1, 2].map(|port| SocketAddr::from(([127, 0, 0, 1], port)));
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut addresses = CheckedAddresses::default();
        assert_eq!(addresses.instead_of(old, at(0)), old, "nothing is known");
        addresses.add(old, at(0));
        addresses.add(new, at(500));
        addresses.heard(new, at(900));
        assert_eq!(
            addresses.instead_of(old, at(900)),
            old,
            "the old one may still be in use"
        );
        assert_eq!(addresses.instead_of(old, at(1_000)), new);
        assert_eq!(addresses.instead_of(old, at(2_000)), old, "both are silent");
    }
}
