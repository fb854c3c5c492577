//! Speech that a fake recognizer understands: each word is a stretch of a level of its own.

/// Length of a word, milliseconds.
pub const WORD_MS: usize = 200;
/// Samples a second of what [`utterance`] makes.
pub const RATE_HZ: usize = 16_000;
/// Level of the first word; each further one is that much louder.
const LEVEL: i16 = 1_000;
/// Looked at at a time.
const FRAME_MS: usize = 20;
/// Shortest stretch of a level that is a word, in frames.
const FRAMES_MIN: usize = 4;

/// The words there are.
pub const VOCABULARY: [&str; 20] = [
    "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliett",
    "kilo", "lima", "mike", "november", "oscar", "papa", "quebec", "romeo", "sierra", "tango",
];

/// `words` as audio, 16 kHz. A word must not follow itself.
///
/// # Panics
/// Where a word is not in [`VOCABULARY`].
pub fn utterance(words: &str) -> Vec<i16> {
    let mut pcm = Vec::new();
    for word in words.split_whitespace() {
        let at = VOCABULARY.iter().position(|known| *known == word);
        let at = at.unwrap_or_else(|| panic!("'{word}' is not in the vocabulary"));
        let level = LEVEL * i16::try_from(at + 1).expect("a small vocabulary");
        pcm.extend(std::iter::repeat_n(level, RATE_HZ * WORD_MS / 1_000));
    }
    pcm
}

/// A word that was understood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Word {
    /// Its text.
    pub text: &'static str,
    /// Seconds from the first sample.
    pub start_s: f64,
    /// Seconds from the first sample.
    pub end_s: f64,
}

/// The words in a stretch of audio.
pub fn understand(pcm: &[i16], rate_hz: usize) -> Vec<Word> {
    let frame = rate_hz * FRAME_MS / 1_000;
    let mut words = Vec::new();
    let mut run: (usize, usize, usize) = (0, 0, 0);
    let levels = pcm.chunks(frame).map(level_of).chain([0]);
    for (at, level) in levels.enumerate() {
        if level == run.0 {
            run.2 = at + 1;
            continue;
        }
        let (known, from, to) = run;
        if known > 0 && to - from >= FRAMES_MIN && known <= VOCABULARY.len() {
            let second = |frames: usize| (frames * FRAME_MS) as f64 / 1_000.0;
            words.push(Word {
                text: VOCABULARY[known - 1],
                start_s: second(from),
                end_s: second(to),
            });
        }
        run = (level, at, at + 1);
    }
    words
}

/// Which word's level a frame has; 0 for none. The middle sample is past what a resampler does at
/// an edge.
fn level_of(frame: &[i16]) -> usize {
    let mut samples = frame.to_vec();
    samples.sort_unstable();
    let middle = samples.get(samples.len() / 2).copied().unwrap_or(0);
    let level = (f64::from(middle) / f64::from(LEVEL)).round().max(0.0);
    level as usize
}

/// Samples from their bytes, 16 bit little endian.
pub fn samples(bytes: &[u8]) -> Vec<i16> {
    let pairs = bytes.chunks_exact(2);
    pairs
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect()
}

/// Words joined with spaces.
pub fn text(words: &[Word]) -> String {
    let words: Vec<&str> = words.iter().map(|word| word.text).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understands_what_it_says() {
        let said = "alpha tango bravo";
        assert_eq!(text(&understand(&utterance(said), RATE_HZ)), said);
        let mut padded = vec![0; 3_000];
        padded.extend(utterance("echo"));
        padded.extend(vec![0; 5_000]);
        let words = understand(&padded, RATE_HZ);
        assert_eq!(words.len(), 1);
        assert!((words[0].start_s - 0.18).abs() < 0.05, "{words:?}");
        assert_eq!(understand(&[], RATE_HZ), []);
    }
}
