//! How a word sounds, coarsely: what a recognizer confuses gets the same key.

/// A word prepared for comparison.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    pub(crate) text: String,
    stem: String,
    /// Consonant sounds with vowels as one letter.
    fine: String,
    /// Consonant sounds alone, voiced and unvoiced taken as one.
    pub(crate) coarse: String,
    /// Which of 64 classes of letter pairs occur.
    pairs: u64,
    pair_count: u32,
    coarse_hash: u64,
}

impl Word {
    pub(crate) fn new(text: &str) -> Self {
        let fine = sound_key(text);
        let coarse: String = fine.chars().filter(|c| *c != VOWEL).map(unvoiced).collect();
        let pairs = letter_pairs(text);
        Self {
            text: text.to_owned(),
            stem: super::words::stem(text),
            fine,
            pair_count: pairs.count_ones(),
            coarse_hash: super::compose::seed(0, &coarse),
            coarse,
            pairs,
        }
    }

    /// How likely it is that one was heard as the other, 0 to 1. The steps were tuned on the
    /// confusions in `providers/tests/offline/matching.rs`.
    pub(crate) fn similarity(&self, other: &Self) -> f32 {
        // Nearly all pairs have neither sounds nor a quarter of their letter pairs in common;
        // what follows is for the few that do.
        let shared = (self.pairs & other.pairs).count_ones();
        if self.coarse_hash != other.coarse_hash && shared * 4 < self.pair_count + other.pair_count
        {
            return 0.0;
        }
        if self.text == other.text {
            return 1.0;
        }
        let shorter = self.text.len().min(other.text.len());
        if shorter < 3 {
            return 0.0;
        }
        if self.stem == other.stem {
            return 0.95;
        }
        if shorter == 3 && self.fine != other.fine {
            return 0.0;
        }
        if self.fine == other.fine && self.fine.len() >= 3 {
            return 0.85;
        }
        if shorter >= 5 && common_prefix(&self.text, &other.text) >= 6 {
            return 0.75;
        }
        if self.coarse == other.coarse && self.coarse.len() >= 3 {
            return 0.7;
        }
        self.by_letters(other)
    }

    fn by_letters(&self, other: &Self) -> f32 {
        if self.text.len().min(other.text.len()) < 4 {
            return 0.0;
        }
        let longer = self.text.len().max(other.text.len());
        let share = 1.0 - edits(self.text.as_bytes(), other.text.as_bytes()) as f32 / longer as f32;
        if share >= 0.7 { 0.85 * share } else { 0.0 }
    }
}

/// Stands for any vowel sound.
const VOWEL: char = 'a';

/// The sounds of an English word as letters: `C` as in church, `S` as in she, `0` as in thin.
fn sound_key(word: &str) -> String {
    let letters: Vec<u8> = word.bytes().filter(u8::is_ascii_lowercase).collect();
    let mut key = String::with_capacity(letters.len());
    let mut at = silent_start(&letters);
    while let Some(&letter) = letters.get(at) {
        let (sound, taken) = sound_at(&letters, at, letter);
        for c in sound.chars() {
            if !key.ends_with(c) {
                key.push(c);
            }
        }
        at += taken;
    }
    // A final e is silent after a consonant: `site` sounds like `sight`.
    if letters.len() > 3 && letters.ends_with(b"e") && !is_vowel(letters[letters.len() - 2]) {
        key.pop();
    }
    key
}

fn silent_start(letters: &[u8]) -> usize {
    let silent = [b"kn", b"gn", b"wr", b"ps", b"pn"]
        .iter()
        .any(|start| letters.starts_with(*start));
    usize::from(silent)
}

fn sound_at(letters: &[u8], at: usize, letter: u8) -> (&'static str, usize) {
    let rest = &letters[at..];
    let next = rest.get(1).copied().unwrap_or(0);
    let soft = matches!(next, b'e' | b'i' | b'y');
    match letter {
        b'a' | b'e' | b'i' | b'o' | b'u' => ("a", 1),
        b'y' if at == 0 => ("y", 1),
        b'y' => ("a", 1),
        b'w' if at == 0 || (is_vowel(next) && !is_vowel(letters[at - 1])) => {
            ("w", if next == b'h' { 2 } else { 1 })
        }
        b'w' | b'h' if at > 0 => ("", 1),
        b'g' if next == b'h' => (if at == 0 { "g" } else { "" }, 2),
        b'p' if next == b'h' => ("f", 2),
        b't' if rest.starts_with(b"tch") => ("C", 3),
        b't' if rest.starts_with(b"tion") => ("San", 4),
        b't' if rest.starts_with(b"ture") => ("Car", 4),
        b't' if next == b'h' => ("0", 2),
        b's' if rest.starts_with(b"sch") => ("sk", 3),
        b's' if rest.starts_with(b"sion") => ("San", 4),
        b's' if next == b'h' => ("S", 2),
        b's' if next == b'c' && rest.get(2).is_some_and(|c| matches!(c, b'e' | b'i')) => ("s", 2),
        b'c' if next == b'h' => ("C", 2),
        b'c' if rest.starts_with(b"cia") || rest.starts_with(b"cio") => ("S", 2),
        b'c' if soft => ("s", 1),
        b'c' if next == b'k' => ("k", 2),
        b'c' | b'q' => ("k", 1),
        b'd' if rest.starts_with(b"dge") => ("j", 2),
        b'g' if soft => ("j", 1),
        b'x' => ("ks", 1),
        b'm' if rest == b"mb" => ("m", 2),
        _ => (letter_name(letter), 1),
    }
}

fn letter_name(letter: u8) -> &'static str {
    match letter {
        b'b' => "b",
        b'd' => "d",
        b'f' => "f",
        b'g' => "g",
        b'h' => "h",
        b'j' => "j",
        b'k' => "k",
        b'l' => "l",
        b'm' => "m",
        b'n' => "n",
        b'p' => "p",
        b'r' => "r",
        b's' => "s",
        b't' => "t",
        b'v' => "v",
        b'w' => "w",
        b'z' => "z",
        _ => "",
    }
}

fn unvoiced(sound: char) -> char {
    match sound {
        'b' => 'p',
        'd' | '0' => 't',
        'g' => 'k',
        'v' => 'f',
        'z' => 's',
        'j' => 'C',
        'm' => 'n',
        other => other,
    }
}

fn is_vowel(letter: u8) -> bool {
    matches!(letter, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

fn letter_pairs(text: &str) -> u64 {
    text.as_bytes().windows(2).fold(0, |pairs, pair| {
        let class = (u64::from(pair[0]) * 31 + u64::from(pair[1]) * 7) % 64;
        pairs | 1 << class
    })
}

fn common_prefix(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

/// Levenshtein distance; words are at most 32 bytes.
fn edits(a: &[u8], b: &[u8]) -> usize {
    let mut row: [usize; 40] = std::array::from_fn(|at| at);
    let b = &b[..b.len().min(row.len() - 1)];
    for (i, from) in a.iter().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

/// Classes of sound pairs and triples in a whole phrase, spaces ignored: `web site` and
/// `website` have the same.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct PhraseSound([u64; 4]);

impl PhraseSound {
    pub(crate) fn new<'a>(words: impl IntoIterator<Item = &'a Word>) -> Self {
        let mut sounds = String::from("^");
        for word in words {
            sounds.push_str(if word.coarse.is_empty() {
                "a"
            } else {
                &word.coarse
            });
        }
        sounds.push('$');
        let mut phrase = Self::default();
        for size in [2, 3] {
            for window in sounds.as_bytes().windows(size) {
                let class = window
                    .iter()
                    .fold(0_usize, |hash, c| hash * 131 + usize::from(*c))
                    % 256;
                phrase.0[class / 64] |= 1 << (class % 64);
            }
        }
        phrase
    }

    /// Dice coefficient, 0 to 1.
    pub(crate) fn similarity(&self, other: &Self) -> f32 {
        let ones = |set: &[u64; 4]| set.iter().map(|part| part.count_ones()).sum::<u32>();
        let shared: u32 = self
            .0
            .iter()
            .zip(&other.0)
            .map(|(a, b)| (a & b).count_ones())
            .sum();
        2.0 * shared as f32 / (ones(&self.0) + ones(&other.0)).max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::{PhraseSound, Word, edits, sound_key};

    #[test]
    fn words_that_sound_alike_have_one_key() {
        for (a, b) in [
            ("site", "sight"),
            ("knight", "night"),
            ("write", "rite"),
            ("phone", "fone"),
            ("check", "chek"),
            ("sheep", "sheap"),
        ] {
            assert_eq!(sound_key(a), sound_key(b), "{a} {b}");
        }
    }

    #[test]
    fn similarity_follows_sound() {
        let of = |a: &str, b: &str| Word::new(a).similarity(&Word::new(b));
        assert_eq!(of("domain", "domain"), 1.0);
        assert!(of("domains", "domain") > 0.9);
        assert!(of("hosting", "hoasting") >= 0.8);
        assert!(of("customer", "custumer") >= 0.7);
        assert_eq!(of("who", "how"), 0.0);
        assert_eq!(of("domain", "banana"), 0.0);
        assert_eq!(of("why", "white"), 0.0);
    }

    #[test]
    fn phrases_ignore_where_words_are_split() {
        let sound = |words: &[&str]| {
            PhraseSound::new(&words.iter().map(|word| Word::new(word)).collect::<Vec<_>>())
        };
        assert!(sound(&["web", "site"]).similarity(&sound(&["website"])) > 0.9);
        assert!(sound(&["web", "site"]).similarity(&sound(&["garden"])) < 0.3);
    }

    #[test]
    fn counts_edits() {
        assert_eq!(edits(b"kitten", b"sitting"), 3);
        assert_eq!(edits(b"", b"abc"), 3);
        assert_eq!(edits(b"abc", b""), 3);
    }
}
