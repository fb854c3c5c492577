//! Reads a text word by word: each goes to the first rule that knows it.

use antiphon_agents::Pronunciations;

use super::alignment::Spoken;
use super::context::{Context, Dot, Phrase, is_capitalized};
use super::markup::Plain;
use super::mixed::mixed;
use super::token::{Token, tokens};
use super::{Speakable, calendar, code, measure, money, names, numeral, symbol, web, word};

/// From this share of capitals on, a text is shouted: its words are words and no abbreviations.
const SHOUTED_PERCENT: usize = 70;
/// Fewer letters say nothing about that.
const SHOUTED_LETTERS_MIN: usize = 12;

/// Makes a plain text speakable.
pub(super) fn read(plain: &Plain, pronounce: &Pronunciations, english: bool) -> Speakable {
    let tokens = tokens(&plain.text);
    let shouting = is_shouted(&plain.text);
    let mut reader = Reader {
        plain,
        tokens: &tokens,
        english,
        spoken: Spoken::default(),
    };
    let mut at = 0;
    while at < tokens.len() {
        let context = Context {
            tokens: &tokens,
            at,
            shouting,
            starts: reader.spoken.at_sentence_start(),
        };
        at += reader.take(&context, pronounce);
    }
    // What follows the last word (quotes, pictures) counts as said with it.
    reader.spoken.covers(plain.whole_end);
    reader.spoken.finish()
}

fn is_shouted(text: &str) -> bool {
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let capitals = text.bytes().filter(u8::is_ascii_uppercase).count();
    let words = text.split(' ').filter(|word| word.len() > 1).count();
    letters >= SHOUTED_LETTERS_MIN
        && words >= 3
        && capitals * 100 >= letters * SHOUTED_PERCENT
        && !text.bytes().any(|b| b.is_ascii_digit())
}

struct Reader<'a> {
    plain: &'a Plain,
    tokens: &'a [Token<'a>],
    /// Numbers and abbreviations are read in English; else they are left as written.
    english: bool,
    spoken: Spoken,
}

impl Reader<'_> {
    /// Says what begins at a token; returns how many tokens that were.
    fn take(&mut self, context: &Context<'_>, pronounce: &Pronunciations) -> usize {
        let token = context.token();
        if token.lead.contains(['(', '[', '{']) {
            self.spoken.pause(",", 0);
        }
        if token.core.is_empty() || is_emoticon(token, token.core) {
            let marks = [token.lead, token.trail].concat();
            self.punctuate(&marks, token);
            return 1;
        }
        if let Some(known) = names::look_up(context, pronounce) {
            for (nth, (word, ipa)) in known.iter().enumerate() {
                let end = self.core_end(context.at + nth);
                match ipa {
                    Some(ipa) => self.spoken.say_as(word, ipa, end),
                    None => self.spoken.say(word, end),
                }
            }
            self.close(context, known.len(), Dot::Ends, "");
            return known.len();
        }
        let phrase = match self.english {
            true => phrase(context),
            false if matches!(token.core, "—" | "–" | "-") => Phrase {
                pause: ",",
                ..Phrase::one("")
            },
            false => Phrase::one(token.core),
        };
        for (nth, words) in phrase.parts.iter().enumerate() {
            let end = self.core_end(context.at + nth);
            if words.is_empty() {
                self.spoken.covers(end);
            }
            self.spoken.say(words, end);
        }
        self.close(context, phrase.parts.len(), phrase.dot, phrase.pause);
        phrase.parts.len().max(1)
    }

    fn core_end(&self, at: usize) -> usize {
        self.plain.original_end(self.tokens[at].core_end)
    }

    /// The punctuation behind the last of `count` tokens.
    fn close(&mut self, context: &Context<'_>, count: usize, dot: Dot, pause: &str) {
        let Some(last) = self.tokens.get(context.at + count.max(1) - 1) else {
            return;
        };
        let next = self.tokens.get(context.at + count.max(1));
        let ends = next.is_none_or(|next| dot == Dot::Both && is_capitalized(next.core));
        let abbreviates = dot != Dot::Ends && !ends;
        let trail = match last.trail.strip_prefix('.') {
            Some(rest) if abbreviates => rest,
            _ => last.trail,
        };
        // A bracket that opened within the word closes no aside.
        let trail = match trail.strip_prefix(')') {
            Some(rest) if last.core.contains('(') => rest,
            _ => trail,
        };
        self.punctuate(if trail.is_empty() { pause } else { trail }, last);
    }

    fn punctuate(&mut self, marks: &str, token: &Token<'_>) {
        let end = self.plain.original_end(token.end);
        for mark in marks.chars() {
            self.spoken.pause(pause(mark), end);
        }
        self.spoken.covers(end);
    }
}

fn pause(mark: char) -> &'static str {
    match mark {
        '.' | '。' => ".",
        '!' | '！' => "!",
        '?' => "?",
        ':' => ":",
        ';' => ";",
        '…' => "...",
        ',' | ')' | ']' | '}' | '、' => ",",
        _ => "",
    }
}

/// What is said at a token.
fn phrase(context: &Context<'_>) -> Phrase {
    calendar::written(context)
        .or_else(|| measure::phone(context))
        .or_else(|| money::amount(context))
        .or_else(|| measure::quantity(context))
        .or_else(|| web::address(context))
        .or_else(|| code::number(context))
        .or_else(|| numeral::roman(context))
        .or_else(|| word::abbreviation(context))
        .or_else(|| sign(context))
        .or_else(|| word::acronym(context))
        .unwrap_or_else(|| Phrase::one(mixed(&context.core().replace("(s", "s"))))
}

/// A sign that stands by itself.
fn sign(context: &Context<'_>) -> Option<Phrase> {
    let mut chars = context.core().chars();
    let c = chars.next().filter(|_| chars.next().is_none())?;
    if c.is_alphanumeric() {
        return None;
    }
    let numbers = begins_number(context.next()) && ends_number(context.back(1));
    let words = match c {
        '-' | '–' | '−' if numbers => {
            let sum = c == '−'
                || context.tokens[context.at..]
                    .iter()
                    .take(4)
                    .any(|t| t.core == "=");
            if sum { "minus" } else { "to" }
        }
        '/' if numbers => "divided by",
        '-' | '–' | '—' => {
            return Some(Phrase {
                pause: ",",
                ..Phrase::one("")
            });
        }
        '&' | '+' | '=' | '@' | '%' => symbol::name(c).unwrap_or(""),
        '#' | '$' | '^' => "",
        _ => symbol::name(c).unwrap_or(""),
    };
    Some(Phrase::one(words))
}

fn begins_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit() || c == '$' || c == '-')
}

fn ends_number(word: &str) -> bool {
    word.ends_with(|c: char| c.is_ascii_digit() || c == '%')
}

/// `:)`, `;-)`, `:D`, `<3`.
fn is_emoticon(token: &Token<'_>, core: &str) -> bool {
    const FACES: &[&str] = &[
        ":D", ":P", ":p", ":-D", ":-P", ":o", ":O", "<3", "</3", ":/", ":-/", ":|", "=D", "xD",
        "XD", "^^", "^_^", "-_-", ":-", ":'", ":", ";-", "=",
    ];
    let face = FACES.contains(&core);
    let mouth = token.trail.starts_with([')', ']']) || token.trail.starts_with('(');
    face && (core.len() > 2
        || core == "<3"
        || core.ends_with(|c: char| c.is_alphabetic() || c == '/')
        || mouth)
}
