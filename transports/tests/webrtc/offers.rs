//! Offers: what is refused and why, what is answered and how.

use antiphon_transports::webrtc::{Endpoint, EndpointConfig, OFFER_BYTES_MAX, OfferError};
use proptest::prelude::*;

use crate::client::endpoint;

/// Chromium's, for a microphone, a camera and a data channel (lines of codecs left out; it has no
/// candidates).
const CHROMIUM: &str = include_str!("chromium_offer.sdp");

fn refusal(endpoint: &Endpoint, offer: &str) -> OfferError {
    match endpoint.accept(offer, 48_000) {
        Ok((answer, _)) => panic!("was answered: {answer}"),
        Err(error) => error,
    }
}

fn answer_to(offer: &str) -> String {
    endpoint().accept(offer, 48_000).unwrap().0
}

/// The lines of `m=` section `index` of an SDP.
fn section(sdp: &str, index: usize) -> Vec<&str> {
    let lines: Vec<&str> = sdp.lines().collect();
    let starts: Vec<usize> = (0..lines.len())
        .filter(|n| lines[*n].starts_with("m="))
        .collect();
    let end = starts.get(index + 1).copied().unwrap_or(lines.len());
    lines[starts[index]..end].to_vec()
}

/// `offer` is refused with `expected`, in words that have `says`, and leaves nothing behind.
fn check_refused(offer: &str, expected: OfferError, says: &str) {
    let endpoint = endpoint();
    let error = refusal(&endpoint, offer);
    assert_eq!(error, expected);
    assert!(
        error.to_string().contains(says),
        "{error} should say {says:?}"
    );
    assert_eq!(
        endpoint.routes(),
        (0, 0),
        "a refused offer leaves nothing behind"
    );
}

#[tokio::test]
async fn what_is_no_sdp_is_refused() {
    let check = check_refused;
    check("", OfferError::Empty, "send the SDP");
    check(" \r\n ", OfferError::Empty, "send the SDP");
    let bytes = OFFER_BYTES_MAX + 1;
    check(
        &"v=0\r\n".repeat(bytes)[..bytes],
        OfferError::TooLarge { bytes },
        "at most 65536",
    );
    check(
        "hello",
        OfferError::NotSdp("the first line is not v=0"),
        "RTCSessionDescription",
    );
    check(
        "{\"sdp\":\"v=0\"}",
        OfferError::NotSdp("the first line is not v=0"),
        "not SDP",
    );
    let sections = 40;
    let many = format!(
        "v=0\r\n{}",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n".repeat(sections)
    );
    check(
        &many,
        OfferError::TooManySections { sections },
        "at most 32",
    );
}

#[tokio::test]
async fn refusals_say_what_to_send() {
    let check = check_refused;
    let without = |line: &str| CHROMIUM.replace(line, "");
    check(
        &without("a=rtpmap:111 opus/48000/2\r\n"),
        OfferError::NoOpus,
        "opus/48000/2",
    );
    check(
        &CHROMIUM.replace("m=audio 9", "m=audio 0"),
        OfferError::NoAudio,
        "addTransceiver",
    );
    check(
        &CHROMIUM.replace("m=audio", "m=text"),
        OfferError::NoAudio,
        "microphone",
    );
    let directed = |direction: &str| CHROMIUM.replacen("a=sendrecv", direction, 1);
    check(
        &directed("a=sendonly"),
        OfferError::AudioNotReceivable("sendonly"),
        "recvonly",
    );
    check(
        &directed("a=inactive"),
        OfferError::AudioNotReceivable("inactive"),
        "recvonly",
    );
    let stripped = |prefix: &str| -> String {
        let keep = CHROMIUM.lines().filter(|line| !line.starts_with(prefix));
        keep.flat_map(|line| [line, "\r\n"]).collect()
    };
    for prefix in ["a=fingerprint:", "a=ice-ufrag:", "a=ice-pwd:"] {
        let error = refusal(&endpoint(), &stripped(prefix));
        assert!(
            error.to_string().contains(prefix.trim_end_matches(':')),
            "{error}"
        );
    }
}

#[tokio::test]
async fn chromium_is_answered_with_audio_candidates_and_no_video() {
    let endpoint = endpoint();
    let (answer, _transport) = endpoint.accept(CHROMIUM, 48_000).unwrap();
    let candidate = endpoint.candidates()[0];
    let announced = format!("{} {} typ host", candidate.ip(), candidate.port());
    assert!(answer.contains(&announced), "{answer}");
    assert!(answer.contains("a=ice-lite"), "{answer}");
    let audio = section(&answer, 0);
    assert!(audio.contains(&"a=sendrecv"), "{answer}");
    assert!(
        audio
            .iter()
            .any(|line| line.starts_with("a=rtpmap:111 opus/48000/2")),
        "{answer}"
    );
    assert!(
        !audio.iter().any(|line| line.contains("transport-wide-cc")),
        "{answer}"
    );
    let video = section(&answer, 1);
    let off = video[0].starts_with("m=video 0 ") || video.contains(&"a=inactive");
    assert!(off, "{answer}");
    assert!(
        section(&answer, 2)[0].starts_with("m=application"),
        "{answer}"
    );
}

#[tokio::test]
async fn line_ends_do_not_matter() {
    let unix = CHROMIUM.replace("\r\n", "\n");
    assert!(answer_to(&unix).contains("opus/48000/2"));
    assert!(answer_to(unix.trim_end()).contains("opus/48000/2"));
}

#[tokio::test]
async fn a_listener_is_answered_with_sending_only() {
    let answer = answer_to(&CHROMIUM.replacen("a=sendrecv", "a=recvonly", 1));
    assert!(section(&answer, 0).contains(&"a=sendonly"), "{answer}");
}

#[tokio::test]
async fn announced_addresses_replace_the_sockets_own() {
    let announce = vec![
        "203.0.113.7".parse().unwrap(),
        "2001:db8::7".parse().unwrap(),
    ];
    let config = EndpointConfig {
        announce,
        ..EndpointConfig::default()
    };
    let endpoint = Endpoint::bind("127.0.0.1:0".parse().unwrap(), config).unwrap();
    let (answer, _transport) = endpoint.accept(CHROMIUM, 48_000).unwrap();
    assert!(answer.contains("203.0.113.7"), "{answer}");
    assert!(answer.contains("2001:db8::7"), "{answer}");
    assert!(!answer.contains("127.0.0.1 "), "{answer}");
}

#[tokio::test]
async fn a_port_in_use_is_named() {
    let first = endpoint();
    let taken = first.candidates()[0];
    let error = Endpoint::bind(taken, EndpointConfig::default()).unwrap_err();
    assert!(error.to_string().contains(&taken.to_string()), "{error}");
}

#[tokio::test]
async fn an_unknown_rate_is_refused() {
    assert!(matches!(
        endpoint().accept(CHROMIUM, 44_100),
        Err(OfferError::Internal)
    ));
}

/// Cuts, swaps, repeats and overwrites lines and bytes of the offer.
fn mutated(seeds: &[(u8, u16, u16)]) -> String {
    let mut bytes = CHROMIUM.as_bytes().to_vec();
    for (kind, a, b) in seeds {
        if bytes.is_empty() {
            break;
        }
        let (at, to) = (usize::from(*a) % bytes.len(), usize::from(*b) % bytes.len());
        let (from, to) = (at.min(to), at.max(to));
        match kind % 6 {
            0 => bytes[at] = *b as u8,
            1 => drop(bytes.drain(from..to.min(from + 40))),
            2 => bytes.truncate(to.max(1)),
            3 => bytes.extend_from_within(from..to),
            4 => bytes.swap(from, to),
            _ => {
                let number = (u64::from(*a) << 40).to_string();
                bytes.splice(from..from, number.bytes());
            }
        }
        bytes.truncate(OFFER_BYTES_MAX);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_offer_panics(seeds in prop::collection::vec(any::<(u8, u16, u16)>(), 1..12)) {
        thread_local! {
            static RUNTIME: tokio::runtime::Runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        }
        RUNTIME.with(|runtime| {
            let _inside = runtime.enter();
            let endpoint = endpoint();
            if let Ok((answer, transport)) = endpoint.accept(&mutated(&seeds), 48_000) {
                assert!(answer.starts_with("v=0"));
                drop(transport);
            }
            assert_eq!(endpoint.routes(), (0, 0));
        });
    }
}
