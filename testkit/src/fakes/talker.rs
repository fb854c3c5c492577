//! Speech of fake voices: as long as its text, and no two moments alike.

/// Rate of the audio, in Hz.
pub const RATE_HZ: usize = 24_000;
/// Length of a character, ms.
pub const CHAR_MS: usize = 40;
/// Bytes of a message: odd, so that samples are split.
const MESSAGE_BYTES: usize = 9_601;
/// The samples count up to this and begin again.
const COUNT: usize = 30_000;

/// The samples of `text`.
pub fn speech(text: &str) -> Vec<i16> {
    let count = text.chars().count() * CHAR_MS * RATE_HZ / 1_000;
    (0..count)
        .map(|n| i16::try_from(n % COUNT + 1).unwrap_or(0))
        .collect()
}

/// The bytes of `text`, as they are sent.
pub fn messages(text: &str) -> Vec<Vec<u8>> {
    let bytes: Vec<u8> = speech(text)
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    bytes.chunks(MESSAGE_BYTES).map(<[u8]>::to_vec).collect()
}

/// Words with their start and end, ms.
pub fn words(text: &str) -> Vec<(&str, usize, usize)> {
    let mut at = 0;
    let mut words = Vec::new();
    for word in text.split(' ') {
        let end = at + word.chars().count();
        if !word.is_empty() {
            words.push((word, at * CHAR_MS, end * CHAR_MS));
        }
        at = end + 1;
    }
    words
}
