//! Which addresses to announce for a bound socket.

use std::io;
use std::net::{IpAddr, SocketAddr};

/// A host with many interfaces (containers, bridges) would make clients probe all of them.
const CANDIDATES_MAX: usize = 8;

/// The addresses to announce for a socket bound to `local`: `announce` where it is not empty,
/// the bound address where it is a specific one, else those of the interfaces.
pub(crate) fn candidates(local: SocketAddr, announce: &[IpAddr]) -> io::Result<Vec<SocketAddr>> {
    let ips = if !announce.is_empty() {
        announce.to_vec()
    } else if local.ip().is_unspecified() {
        let all = if_addrs::get_if_addrs()?;
        suitable(local.ip(), all.iter().map(if_addrs::Interface::ip))
    } else {
        vec![local.ip().to_canonical()]
    };
    let port = local.port();
    let mut found: Vec<SocketAddr> = Vec::new();
    for ip in ips {
        let candidate = SocketAddr::new(ip, port);
        if !found.contains(&candidate) && found.len() < CANDIDATES_MAX {
            found.push(candidate);
        }
    }
    Ok(found)
}

/// Those of `all` that a client can reach through a socket bound to `bound`. Loopback only where
/// there is nothing else, for a machine without a network.
fn suitable(bound: IpAddr, all: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    let (loopback, others): (Vec<IpAddr>, Vec<IpAddr>) = all
        .filter(|ip| ip.is_ipv4() || bound.is_ipv6())
        .filter(|ip| !is_link_local(*ip))
        .partition(IpAddr::is_loopback);
    if others.is_empty() { loopback } else { others }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn ips(list: &[&str]) -> Vec<IpAddr> {
        list.iter().map(|ip| ip.parse().unwrap()).collect()
    }

    fn check(bound: &str, all: &[&str], expected: &[&str]) {
        let found = suitable(bound.parse().unwrap(), ips(all).into_iter());
        assert_eq!(found, ips(expected), "bound to {bound}, interfaces {all:?}");
    }

    #[test]
    fn loopback_is_announced_only_alone() {
        check("0.0.0.0", &["127.0.0.1", "10.0.0.5"], &["10.0.0.5"]);
        check("0.0.0.0", &["127.0.0.1"], &["127.0.0.1"]);
    }

    #[test]
    fn families_follow_the_socket() {
        check("0.0.0.0", &["10.0.0.5", "2001:db8::1"], &["10.0.0.5"]);
        check(
            "::",
            &["10.0.0.5", "2001:db8::1"],
            &["10.0.0.5", "2001:db8::1"],
        );
    }

    #[test]
    fn link_local_is_left_out() {
        check("::", &["169.254.1.1", "fe80::1", "10.0.0.5"], &["10.0.0.5"]);
    }

    #[test]
    fn a_specific_bind_announces_itself_and_an_announced_address_wins() {
        let local: SocketAddr = "127.0.0.1:4000".parse().unwrap();
        assert_eq!(candidates(local, &[]).unwrap(), vec![local]);
        let announced = candidates(local, &ips(&["203.0.113.7", "203.0.113.7"])).unwrap();
        assert_eq!(announced, vec!["203.0.113.7:4000".parse().unwrap()]);
    }
}
