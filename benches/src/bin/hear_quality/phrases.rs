//! What callers of three made-up agents say, from patterns; never from the recordings.
//!
//! The forms agent takes names by letter, numbers, dates and a few commands (the domain of AN4, a
//! census task); the cafe agent takes orders made of its menu; the booking agent books rooms. The
//! patterns are filled with the same pseudo-random choices at every run.

use std::fs;
use std::path::Path;

use antiphon_agents::{ONES, TENS};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const ORDINALS: [&str; 19] = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
];
const COMMANDS: [&str; 9] = [
    "yes", "no", "go", "stop", "start", "help", "repeat", "erase", "rubout",
];

/// Phrases made for each agent that is described by patterns.
const PHRASES: usize = 4_000;

/// Numerical Recipes' linear congruential generator.
struct Choices(u32);

impl Choices {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) as usize % limit
    }

    fn of<'a>(&mut self, options: &[&'a str]) -> &'a str {
        options[self.below(options.len())]
    }

    fn letters(&mut self, count: usize) -> String {
        let letters: Vec<String> = (0..count)
            .map(|_| char::from(b'a' + self.below(26) as u8).to_string())
            .collect();
        letters.join(" ")
    }

    fn digits(&mut self, count: usize) -> String {
        // Few people say "zero" and "oh" in one number; both are about as common.
        let zero = ["zero", "oh"][self.below(2)];
        let digits: Vec<&str> = (0..count)
            .map(|_| match self.below(10) {
                0 => zero,
                digit => ONES[digit],
            })
            .collect();
        digits.join(" ")
    }

    /// 10 to 99 as spoken.
    fn pair(&mut self) -> String {
        match self.below(9) {
            0 => self.of(&ONES[10..]).to_owned(),
            _ => match self.below(10) {
                0 => self.of(&TENS[2..]).to_owned(),
                _ => format!("{} {}", self.of(&TENS[2..]), self.of(&ONES[1..10])),
            },
        }
    }

    fn number(&mut self) -> String {
        let digit = |choices: &mut Self| choices.of(&ONES[1..10]).to_owned();
        match self.below(8) {
            0 => digit(self),
            1 => self.pair(),
            2 => format!("{} {}", digit(self), self.pair()),
            3 => format!("{} {}", self.pair(), self.pair()),
            4 => {
                let count = 2 + self.below(3);
                self.digits(count)
            }
            5 => format!("{} hundred and {}", digit(self), self.pair()),
            6 => format!(
                "{} thousand {} hundred and {}",
                digit(self),
                digit(self),
                self.pair()
            ),
            _ => [
                "one hundred",
                "two hundred",
                "one thousand",
                "and a half",
                "two thousand",
            ][self.below(5)]
            .to_owned(),
        }
    }

    fn date(&mut self) -> String {
        let day = match self.below(3) {
            0 => format!("{} {}", self.of(&TENS[2..4]), self.of(&ORDINALS[..9])),
            _ => self.of(&ORDINALS).to_owned(),
        };
        format!("{} {day} nineteen {}", self.of(&MONTHS), self.pair())
    }
}

/// The forms agent's: commands, numbers, dates, random letters with a number, spelled words.
pub(crate) fn form_filling() -> Vec<String> {
    let words = spelled_words();
    let mut choices = Choices(1);
    (0..PHRASES)
        .map(|_| match choices.below(10) {
            0 => choices.of(&COMMANDS).to_owned(),
            1 => format!("enter {}", choices.number()),
            2 => {
                let verb = choices.of(&["erase ", "rubout ", "", ""]);
                let count = 4 + choices.below(2);
                format!("{verb}{} {}", choices.letters(count), choices.number())
            }
            3 => choices.digits(5),
            4 => choices.digits(7),
            5 => format!("area code {}", choices.digits(10)),
            6 => choices.date(),
            7 => choices.number(),
            _ => words[choices.below(words.len())].clone(),
        })
        .collect()
}

/// Every 50th plain word of the dictionary, spelled: how letters follow each other in English.
fn spelled_words() -> Vec<String> {
    let model = std::env::var("ANTIPHON_POCKETSPHINX_MODEL")
        .unwrap_or_else(|_| "/usr/share/pocketsphinx/model/en-us".to_owned());
    let dictionary =
        fs::read_to_string(Path::new(&model).join("cmudict-en-us.dict")).unwrap_or_default();
    let spelled: Vec<String> = dictionary
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|word| {
            (3..=10).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_lowercase())
        })
        .step_by(50)
        .map(|word| {
            word.chars()
                .map(|c| c.to_string())
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    if spelled.is_empty() {
        vec!["a b c".to_owned()]
    } else {
        spelled
    }
}

const OPENINGS: [&str; 8] = [
    "i'd like a",
    "can i have a",
    "can i get a",
    "could i please have a",
    "i want a",
    "get me a",
    "please make me a",
    "a",
];
const SIZES: [&str; 8] = [
    "small",
    "medium",
    "large",
    "eight ounce",
    "twelve ounce",
    "sixteen ounce",
    "twenty ounce",
    "regular",
];
const SHOTS: [&str; 3] = ["single shot", "double shot", "triple shot"];
const ROASTS: [&str; 3] = ["light roast", "medium roast", "dark roast"];
const DRINKS: [&str; 9] = [
    "coffee",
    "iced coffee",
    "house coffee",
    "drip coffee",
    "latte",
    "mocha",
    "iced mocha",
    "cappuccino",
    "americano",
];
const AMOUNTS: [&str; 7] = [
    "",
    "some",
    "a bit of",
    "a little bit of",
    "a lot of",
    "lots of",
    "no",
];
const MILKS: [&str; 7] = [
    "milk",
    "cream",
    "whole milk",
    "skim milk",
    "soy milk",
    "almond milk",
    "oat milk",
];
const SUGARS: [&str; 4] = ["sugar", "brown sugar", "sweetener", "honey"];

/// The cafe agent's: orders from its menu.
pub(crate) fn coffee_orders() -> Vec<String> {
    let mut choices = Choices(2);
    (0..PHRASES)
        .map(|_| {
            let mut order = vec![choices.of(&OPENINGS)];
            let maybe =
                |choices: &mut Choices, order: &mut Vec<&'static str>, options: &[&'static str]| {
                    if choices.below(2) == 0 {
                        order.push(choices.of(options));
                    }
                };
            maybe(&mut choices, &mut order, &SIZES);
            maybe(&mut choices, &mut order, &SHOTS);
            maybe(&mut choices, &mut order, &ROASTS);
            order.push(if choices.below(8) == 0 {
                "espresso"
            } else {
                choices.of(&DRINKS)
            });
            let milk = choices.below(2) == 0;
            if milk {
                order.extend(["with", choices.of(&AMOUNTS), choices.of(&MILKS)]);
            }
            if choices.below(2) == 0 {
                order.extend([
                    if milk { "and" } else { "with" },
                    choices.of(&AMOUNTS),
                    choices.of(&SUGARS),
                ]);
            }
            if choices.below(6) == 0 {
                order.push("please");
            }
            order.join(" ")
        })
        .collect()
}

/// The booking agent's, as an author would write them.
pub(crate) fn booking() -> Vec<String> {
    const PHRASES: [&str; 26] = [
        "hello",
        "hi there",
        "yes please",
        "no thank you",
        "thanks, goodbye",
        "I'd like to book a meeting room",
        "can I reserve a room for tomorrow",
        "book a table for four people",
        "in San Francisco",
        "in New York",
        "today at noon",
        "tomorrow morning at nine thirty",
        "next Monday at 3 p.m.",
        "at 4:15 p.m.",
        "for an hour",
        "for two hours and a half",
        "for ten people",
        "just three of us",
        "cancel my booking",
        "what rooms are free this afternoon",
        "move it to Friday",
        "how many people fit in the room",
        "how late are you open",
        "which city",
        "what time is it",
        "where is the conference room",
    ];
    PHRASES.map(str::to_owned).to_vec()
}
