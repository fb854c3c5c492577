//! How words sound: from speakable text to IPA, by espeak-ng in a process of its own.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use super::error::OnnxError;
use crate::speak::speakable::{Speakable, SpokenWord};

/// The program, where no other is given.
const PROGRAM: &str = "espeak-ng";
/// Longest time for all the words of one text; it takes some 15 ms.
const DEADLINE: Duration = Duration::from_secs(5);
/// Words that go to espeak-ng in one line: its lines hold 1000 bytes.
const PIECE_BYTES_MAX: usize = 400;
/// Bytes that come back for one text; more is no phonemes.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// Symbols that are synthesized together. Bounds the model's memory and the wait for its first
/// sound; Kokoro takes at most 510.
const UNIT_SYMBOLS_MAX: usize = 400;

/// The sounds of a text.
#[derive(Debug, Default)]
pub(super) struct Sounds {
    units: Vec<Unit>,
}

/// What is synthesized in one go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Unit {
    /// IPA with stress, spaces between words, and punctuation.
    pub(super) symbols: Vec<char>,
    /// For each word: the symbols up to its end, and its end in the spoken text.
    pub(super) word_ends: Vec<(usize, usize)>,
}

impl Sounds {
    pub(super) fn units(self) -> impl Iterator<Item = Unit> {
        self.units.into_iter()
    }
}

/// Words without a pause between them.
struct Piece<'a> {
    words: &'a [SpokenWord],
    text: String,
    /// Given by the dictionary.
    ipa: Option<String>,
    /// What stands behind it.
    mark: Option<char>,
}

/// Asks espeak-ng how a text sounds in the language of `voice`.
pub(super) async fn sounds(
    made: &Speakable,
    program: Option<&Path>,
    voice: &str,
) -> Result<Sounds, OnnxError> {
    let pieces = pieces(made);
    let asked: Vec<&str> = pieces
        .iter()
        .filter(|p| p.ipa.is_none())
        .map(|p| p.text.as_str())
        .collect();
    let answers = match asked.is_empty() {
        true => Vec::new(),
        false => ask(&asked, program.unwrap_or(Path::new(PROGRAM)), voice).await?,
    };
    let mut answers = answers.into_iter();
    let mut units = vec![Unit::default()];
    for piece in &pieces {
        let ipa = match &piece.ipa {
            Some(ipa) => ipa.clone(),
            None => answers.next().unwrap_or_default(),
        };
        push(&mut units, piece, &ipa);
    }
    units.retain(|unit| !unit.word_ends.is_empty());
    Ok(Sounds { units })
}

fn pieces(made: &Speakable) -> Vec<Piece<'_>> {
    let words = made.words();
    let mut pieces = Vec::new();
    let mut from = 0;
    for (nth, word) in words.iter().enumerate() {
        let next = words.get(nth + 1);
        let gap_end = next.map_or(made.spoken().len(), |next| next.start);
        let mark = made.spoken()[word.end..gap_end].trim().chars().next();
        let long = next.is_some_and(|next| next.end - words[from].start > PIECE_BYTES_MAX);
        let known = word.ipa.is_some() || next.is_some_and(|next| next.ipa.is_some());
        if mark.is_none() && !long && !known && next.is_some() {
            continue;
        }
        // espeak-ng reads sounds between double brackets.
        let text = made.spoken()[words[from].start..word.end].replace(['[', ']'], " ");
        pieces.push(Piece {
            words: &words[from..=nth],
            text,
            ipa: word.ipa.as_deref().map(str::to_owned),
            mark,
        });
        from = nth + 1;
    }
    pieces
}

/// One answer for each text.
async fn ask(texts: &[&str], program: &Path, voice: &str) -> Result<Vec<String>, OnnxError> {
    let failed = |error: std::io::Error| OnnxError::NoEspeak {
        program: program.display().to_string(),
        reason: error.to_string(),
    };
    let mut child = Command::new(program)
        .args(["-q", "--ipa", "-b", "1", "-v", voice])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let broken = |_| OnnxError::Espeak("it broke off".into());
    let (Some(mut input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(OnnxError::Espeak("it has no input".into()));
    };
    // An empty line between two texts comes back as an empty line.
    let lines: String = texts.iter().flat_map(|text| [*text, "\n\n"]).collect();
    let work = async {
        let write = async {
            let written = input.write_all(lines.as_bytes()).await;
            drop(input);
            written
        };
        let mut answer = Vec::new();
        let mut output = output.take(ANSWER_BYTES_MAX);
        let (written, read) = tokio::join!(write, output.read_to_end(&mut answer));
        written.map_err(broken)?;
        read.map_err(broken)?;
        let status = child.wait().await.map_err(broken)?;
        if !status.success() {
            return Err(OnnxError::Espeak(format!(
                "{status}; does it know the voice {voice}?"
            )));
        }
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let answer = tokio::time::timeout(DEADLINE, work)
        .await
        .map_err(|_| OnnxError::TooSlow)??;
    let mut answers = vec![String::new()];
    for line in answer.lines() {
        let last = answers.len() - 1;
        match line.trim() {
            "" if answers[last].is_empty() => {}
            "" => answers.push(String::new()),
            sounds => {
                answers[last].push_str(sounds);
                answers[last].push(' ');
            }
        }
    }
    answers.retain(|answer| !answer.is_empty());
    // A text without a sound has no answer; then nothing says whose the others are.
    if answers.len() != texts.len() {
        return Err(OnnxError::Espeak(format!(
            "{} answers to {} texts",
            answers.len(),
            texts.len()
        )));
    }
    Ok(answers)
}

/// Adds a piece to the last unit, or to a new one where a sentence has ended or it is full.
fn push(units: &mut Vec<Unit>, piece: &Piece<'_>, ipa: &str) {
    // espeak-ng marks a change of language in brackets.
    let mut sounds = String::new();
    let mut bracketed = false;
    for c in ipa.trim().chars() {
        match c {
            '(' => bracketed = true,
            ')' => bracketed = false,
            _ if bracketed => {}
            _ => sounds.push(c),
        }
    }
    let symbols: Vec<char> = sounds
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .collect();
    let ends = word_ends(piece.words, &symbols);
    let full = |unit: &Unit| {
        let ended = matches!(
            unit.symbols.iter().rev().find(|c| **c != ' '),
            Some('.' | '!' | '?')
        );
        ended || unit.symbols.len() + symbols.len() > UNIT_SYMBOLS_MAX
    };
    if units.last().is_none_or(full) {
        units.push(Unit::default());
    }
    let Some(unit) = units.last_mut() else { return };
    if !unit.symbols.is_empty() && !unit.symbols.ends_with(&[' ']) {
        unit.symbols.push(' ');
    }
    let mut taken = 0;
    for (end, word) in ends.into_iter().zip(piece.words) {
        // One piece can be longer than a unit by itself.
        let Some(unit) = units.last_mut() else { return };
        unit.symbols.extend(&symbols[taken..end]);
        taken = end;
        unit.word_ends.push((unit.symbols.len(), word.end));
        if unit.symbols.len() > UNIT_SYMBOLS_MAX {
            units.push(Unit::default());
        }
    }
    if let (Some(unit), Some(mark)) = (units.last_mut(), piece.mark) {
        unit.symbols.push(mark);
    }
}

/// Where each word ends in the sounds: at the spaces, where there are as many as words; espeak-ng
/// joins small words, and then it is by the number of letters.
fn word_ends(words: &[SpokenWord], symbols: &[char]) -> Vec<usize> {
    let spaces: Vec<usize> = (0..symbols.len())
        .filter(|&at| symbols[at] == ' ')
        .collect();
    if spaces.len() + 1 == words.len() {
        return spaces.into_iter().chain([symbols.len()]).collect();
    }
    let letters = |word: &SpokenWord| word.end - word.start;
    let all: usize = words.iter().map(letters).sum::<usize>().max(1);
    let mut said = 0;
    let ends = words.iter().map(|word| {
        said += letters(word);
        symbols.len() * said / all
    });
    ends.collect()
}

#[cfg(test)]
mod tests {
    use antiphon_agents::Pronunciations;

    use super::*;

    fn unit(text: &str, answers: &[&str]) -> Vec<Unit> {
        let made = Speakable::new(text, &Pronunciations::default());
        let pieces = pieces(&made);
        assert_eq!(pieces.len(), answers.len());
        let mut units = vec![Unit::default()];
        for (piece, ipa) in pieces.iter().zip(answers) {
            push(&mut units, piece, ipa);
        }
        units.retain(|unit| !unit.word_ends.is_empty());
        units
    }

    #[test]
    fn words_end_where_their_sounds_do() {
        let units = unit("Hello there, you. Next", &["həlˈoʊ ðˈɛɹ", "juː", "nˈɛkst"]);
        let written: Vec<String> = units
            .iter()
            .map(|unit| unit.symbols.iter().collect())
            .collect();
        assert_eq!(written, ["həlˈoʊ ðˈɛɹ, juː.", "nˈɛkst"]);
        assert_eq!(units[0].word_ends, [(6, 5), (11, 11), (16, 16)]);
        assert_eq!(units[1].word_ends, [(6, 22)]);
        // "of the" is one word to espeak-ng.
        let joined = unit("of the", &["ʌvðə"]);
        assert_eq!(joined[0].word_ends, [(1, 2), (4, 6)]);
    }

    #[test]
    fn units_are_bounded() {
        let text = "word ".repeat(300);
        let made = Speakable::new(&text, &Pronunciations::default());
        let pieces = pieces(&made);
        let mut units = vec![Unit::default()];
        for piece in &pieces {
            assert!(piece.text.len() <= PIECE_BYTES_MAX);
            push(
                &mut units,
                piece,
                &vec!["wˈɜːd"; piece.words.len()].join(" "),
            );
        }
        assert!(
            units
                .iter()
                .all(|unit| unit.symbols.len() <= UNIT_SYMBOLS_MAX + 10)
        );
        assert_eq!(
            units.iter().map(|unit| unit.word_ends.len()).sum::<usize>(),
            300
        );
    }
}
