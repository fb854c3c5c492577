//! What an SDP offer must have before anything is spent on it.

use str0m::change::SdpOffer;

/// Bytes of the largest offer read. Chromium's with audio, video and data is 7 kB; with every
/// codec and twenty candidates, under 20 kB.
pub const OFFER_BYTES_MAX: usize = 64 * 1024;

/// Media sections of the largest offer read: a full page of a conference has tens, a call has one
/// to three.
const OFFER_SECTIONS_MAX: usize = 32;

/// Why an offer was refused. The text says what to send instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Nothing was sent.
    #[error("the offer is empty: send the SDP of RTCPeerConnection.createOffer() as the body")]
    Empty,
    /// More than [`OFFER_BYTES_MAX`].
    #[error("the offer has {bytes} bytes: send at most {OFFER_BYTES_MAX}")]
    TooLarge {
        /// Bytes that were sent.
        bytes: usize,
    },
    /// It cannot be read as SDP.
    #[error("the offer is not SDP ({0}): send the text of RTCSessionDescription.sdp unchanged")]
    NotSdp(&'static str),
    /// More than a call can use.
    #[error("the offer has {sections} media sections: send at most {OFFER_SECTIONS_MAX}")]
    TooManySections {
        /// Sections that were sent.
        sections: usize,
    },
    /// There is no active `m=audio` section.
    #[error(
        "the offer has no audio: add the microphone's track, or a transceiver \
         addTransceiver('audio', {{direction: 'recvonly'}}), before createOffer()"
    )]
    NoAudio,
    /// Audio is offered without Opus.
    #[error("the offer's audio lacks Opus (a=rtpmap:<n> opus/48000/2): do not remove it")]
    NoOpus,
    /// The caller would not hear the agent.
    #[error(
        "the offer's audio can only be sent ({0}): offer it as sendrecv, or recvonly without a \
         microphone, so that the agent can be heard"
    )]
    AudioNotReceivable(&'static str),
    /// The DTLS certificate's fingerprint or the ICE credentials are missing.
    #[error("the offer lacks {0}: send it as createOffer() made it")]
    NoSecurity(&'static str),
    /// It is SDP, but asks for something that cannot be answered.
    #[error("the offer cannot be answered: {0}")]
    NotAnswerable(String),
    /// The server could not prepare the call.
    #[error("the server could not prepare the call: try again")]
    Internal,
}

/// Parses an offer and checks it.
pub(crate) fn parse(text: &str) -> Result<SdpOffer, OfferError> {
    if text.len() > OFFER_BYTES_MAX {
        return Err(OfferError::TooLarge { bytes: text.len() });
    }
    if text.trim().is_empty() {
        return Err(OfferError::Empty);
    }
    let lines = checked_lines(text)?;
    check_sections(&lines)?;
    // The parser wants CR LF throughout and an end of line at the end; hand-made offers and text
    // areas lose both.
    let canonical: String = lines.iter().flat_map(|line| [line, "\r\n"]).collect();
    SdpOffer::from_sdp_string(&canonical)
        .map_err(|_| OfferError::NotSdp("a line does not follow RFC 8866"))
}

fn checked_lines(text: &str) -> Result<Vec<&str>, OfferError> {
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty())
        .collect();
    if lines.first() != Some(&"v=0") {
        return Err(OfferError::NotSdp("the first line is not v=0"));
    }
    if lines
        .iter()
        .any(|line| line.as_bytes().get(1) != Some(&b'='))
    {
        return Err(OfferError::NotSdp("a line is not of the form x=..."));
    }
    let sections = lines.iter().filter(|line| line.starts_with("m=")).count();
    if sections > OFFER_SECTIONS_MAX {
        return Err(OfferError::TooManySections { sections });
    }
    Ok(lines)
}

/// Checks that one section is audio that can be answered with sound.
fn check_sections(lines: &[&str]) -> Result<(), OfferError> {
    let first = lines
        .iter()
        .position(|line| line.starts_with("m="))
        .unwrap_or(lines.len());
    let (session, media) = lines.split_at(first);
    let mut problem = OfferError::NoAudio;
    for section in media.chunk_by(|_, line| !line.starts_with("m=")) {
        match check_audio(session, section) {
            Ok(()) => return check_security(session, section),
            Err(found) if problem == OfferError::NoAudio => problem = found,
            Err(_) => {}
        }
    }
    Err(problem)
}

fn check_audio(session: &[&str], section: &[&str]) -> Result<(), OfferError> {
    let mut words = section
        .first()
        .copied()
        .unwrap_or_default()
        .split_ascii_whitespace();
    // Port 0 is a section that was turned off (RFC 8843, RFC 3264).
    if words.next() != Some("m=audio") || words.next() == Some("0") {
        return Err(OfferError::NoAudio);
    }
    let has_opus = section.iter().any(|line| {
        line.strip_prefix("a=rtpmap:")
            .and_then(|map| map.split_once(' '))
            .is_some_and(|(_, codec)| codec.to_ascii_lowercase().starts_with("opus/48000"))
    });
    if !has_opus {
        return Err(OfferError::NoOpus);
    }
    let direction = |lines: &[&str]| {
        ["a=sendonly", "a=inactive", "a=recvonly", "a=sendrecv"]
            .into_iter()
            .find(|direction| lines.contains(direction))
    };
    match direction(section).or_else(|| direction(session)) {
        Some("a=sendonly") => Err(OfferError::AudioNotReceivable("sendonly")),
        Some("a=inactive") => Err(OfferError::AudioNotReceivable("inactive")),
        _ => Ok(()),
    }
}

fn check_security(session: &[&str], section: &[&str]) -> Result<(), OfferError> {
    for (prefix, what) in [
        (
            "a=fingerprint:",
            "a=fingerprint, the certificate's fingerprint",
        ),
        ("a=ice-ufrag:", "a=ice-ufrag, the ICE username"),
        ("a=ice-pwd:", "a=ice-pwd, the ICE password"),
    ] {
        if !session
            .iter()
            .chain(section)
            .any(|line| line.starts_with(prefix))
        {
            return Err(OfferError::NoSecurity(what));
        }
    }
    Ok(())
}
