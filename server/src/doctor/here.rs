//! What can be checked on this machine.

use std::net::{TcpListener, UdpSocket};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use antiphon_agents::{library, load_folder};
use antiphon_providers::hear::pocketsphinx::{PocketSphinx, PocketSphinxConfig};
use antiphon_providers::models::{ModelsFolder, Verified};
use antiphon_providers::route::Prices;

use super::{Check, Verdict};
use crate::providers::{Configured, PRICES_VARIABLE};
use crate::{ServeArgs, serve};

/// Free space from which nothing is said: room for logs and a model or two.
const FREE_BYTES_MIN: u64 = 1 << 30;
/// Free space below which calls are in danger.
const FREE_BYTES_FAULT: u64 = 64 << 20;
/// A clock before this is wrong: 1 January 2026, seconds since 1970.
const CLOCK_S_MIN: u64 = 1_767_225_600;
/// A clock behind this is wrong: 1 January 2100.
const CLOCK_S_MAX: u64 = 4_102_444_800;

/// The data folder and its disk.
pub(super) fn folder(data: &Path) -> Vec<Check> {
    const WHAT: &str = "data folder";
    let shown = data.display();
    if let Err(fault) = std::fs::create_dir_all(data) {
        let advice = "choose another with --data or ANTIPHON_DATA, or fix its rights";
        return vec![Check::fault(WHAT, format!("{shown}: {fault}"), advice)];
    }
    let probe = data.join(format!(".doctor-{}", std::process::id()));
    let written = std::fs::write(&probe, b"x").and_then(|()| std::fs::remove_file(&probe));
    let mut checks = vec![match written {
        Ok(()) => Check::ok(WHAT, format!("{shown} can be written")),
        Err(fault) => Check::fault(
            WHAT,
            format!("{shown} cannot be written: {fault}"),
            "choose another with --data or ANTIPHON_DATA, or fix its rights",
        ),
    }];
    checks.push(match antiphon_providers::models::free_space(data) {
        Ok(free) => disk(free),
        Err(fault) => Check::note("disk", fault.to_string(), "check the disk by hand"),
    });
    checks
}

fn disk(free: u64) -> Check {
    let found = format!("{} MB free", free >> 20);
    if free < FREE_BYTES_FAULT {
        let advice = "free some space: seconds of calls and logs cannot be written without it";
        return Check::fault("disk", found, advice);
    }
    if free < FREE_BYTES_MIN {
        return Check::note("disk", found, "that is little for logs and models");
    }
    Check::ok("disk", found)
}

/// The personality files.
pub(super) fn agents(data: &Path) -> Check {
    let folder = data.join("agents");
    let built_in = library().len();
    if !folder.exists() {
        return Check::ok("agents", format!("{built_in} built in, none of your own"));
    }
    match load_folder(&folder) {
        Ok(own) => Check::ok(
            "agents",
            format!("{built_in} built in, {} of your own", own.len()),
        ),
        Err(faults) => Check::fault(
            "agents",
            faults
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join("; "),
            "mend the file; `antiphon lint FILE` says more",
        ),
    }
}

/// The pulled models and their hashes.
pub(super) fn models(data: &Path) -> Vec<Check> {
    let folder = ModelsFolder::of_data(data);
    let all = folder.all();
    if all.is_empty() {
        let advice = "`antiphon models pull whisper-base.en` gives a better recognizer";
        return vec![Check::note("models", "none pulled", advice)];
    }
    let check = |installed: &antiphon_providers::models::Installed| {
        let name = format!("model {}", installed.model.name);
        for file in installed.model.files_here() {
            let again = format!(
                "`antiphon models rm {0}`, then `antiphon models pull {0}`",
                installed.model.name
            );
            match folder.verify(installed, file, &mut |_| {}) {
                Ok(Verified::Sound) => {}
                Ok(Verified::Changed { .. }) => {
                    let found = format!("{} is not what was pulled", file.name);
                    return Check::fault(&name, found, again);
                }
                Ok(Verified::Missing) => {
                    return Check::fault(&name, format!("{} is missing", file.name), again);
                }
                Err(fault) => return Check::fault(&name, fault.to_string(), again),
            }
        }
        Check::ok(&name, "whole, hash as pinned")
    };
    all.iter().map(check).collect()
}

/// The providers as they would be used.
pub(super) fn providers(data: &Path) -> Check {
    match Configured::from_env(data) {
        Ok(configured) => Check::ok("providers", configured.summary()),
        Err(fault) => Check::fault("providers", fault.to_string(), "see docs/providers.md"),
    }
}

/// The price list.
pub(super) fn prices() -> Check {
    match std::env::var_os(PRICES_VARIABLE).filter(|file| !file.is_empty()) {
        None => {
            let prices = Prices::embedded();
            let found = format!("{} prices of {}", prices.count(), prices.as_of);
            Check::ok("prices", found)
        }
        Some(file) => match Prices::with_file(Path::new(&file)) {
            Ok(prices) => {
                let found = format!("{} prices, own ones of {}", prices.count(), prices.as_of);
                Check::ok("prices", found)
            }
            Err(fault) => Check::fault("prices", fault.to_string(), "mend the file"),
        },
    }
}

/// The ports that the server would take.
pub(super) fn ports(args: &ServeArgs) -> Vec<Check> {
    let listen = serve::listen_addr(args);
    let http = match TcpListener::bind(listen) {
        Ok(_) => Check::ok("HTTP port", format!("{listen} is free")),
        Err(fault) => Check::note(
            "HTTP port",
            format!("{listen}: {fault}"),
            "is antiphon running already? else choose another with --port or PORT",
        ),
    };
    let addr = args.udp.unwrap_or(listen);
    let udp = match UdpSocket::bind(addr).and_then(echo) {
        Ok(()) => Check::ok("UDP", format!("{addr} is free and packets arrive")),
        Err(fault) => Check::note(
            "UDP",
            format!("{addr}: {fault}"),
            "is antiphon running already? else choose another with --udp, and open it in the firewall",
        ),
    };
    vec![http, udp]
}

/// Sends a packet to itself.
fn echo(socket: UdpSocket) -> std::io::Result<()> {
    let mut to = socket.local_addr()?;
    if to.ip().is_unspecified() {
        to.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    socket.set_read_timeout(Some(std::time::Duration::from_secs(1)))?;
    socket.send_to(b"antiphon", to)?;
    socket.recv_from(&mut [0; 16]).map(|_| ())
}

/// What is needed for audio and is not in the binary.
pub(super) fn libraries() -> Vec<Check> {
    let recognizer = match PocketSphinx::new(PocketSphinxConfig::default()) {
        Ok(_) => Check::ok("recognizer", "PocketSphinx and its English model are there"),
        Err(fault) => Check::fault(
            "recognizer",
            fault.to_string(),
            "apt-get install pocketsphinx-en-us",
        ),
    };
    let phonemes = match on_path("espeak-ng") {
        true => Check::ok("espeak-ng", "there, for ONNX voices"),
        false => Check::note(
            "espeak-ng",
            "not there",
            "only ONNX voices need it: apt-get install espeak-ng",
        ),
    };
    let flite = Check::ok("voices", "flite is built in: rms, slt, awb, kal16");
    vec![recognizer, flite, phonemes]
}

fn on_path(program: &str) -> bool {
    std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|dir| dir.join(program).is_file()))
}

/// The clock.
pub(super) fn clock() -> Check {
    let now_s = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    clock_at(now_s)
}

fn clock_at(now_s: u64) -> Check {
    if (CLOCK_S_MIN..CLOCK_S_MAX).contains(&now_s) {
        return Check::ok("clock", format!("{now_s} s since 1970"));
    }
    let advice = "set the clock: certificates are refused and bills are dated by it";
    Check::fault("clock", format!("{now_s} s since 1970"), advice)
}

/// Where state is kept.
pub(super) fn database() -> Check {
    let found = "none is used: what is kept stands in the data folder";
    Check::new("database", Verdict::Ok, found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_space_is_a_note_and_none_a_fault() {
        assert_eq!(disk(10 << 30).verdict, Verdict::Ok);
        assert_eq!(disk(100 << 20).verdict, Verdict::Note);
        assert_eq!(disk(1 << 20).verdict, Verdict::Fault);
    }

    #[test]
    fn a_clock_at_its_beginning_is_a_fault() {
        assert_eq!(clock_at(0).verdict, Verdict::Fault);
        assert_eq!(clock_at(1_795_000_000).verdict, Verdict::Ok);
        assert_eq!(clock_at(5_000_000_000).verdict, Verdict::Fault);
    }
}
