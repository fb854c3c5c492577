//! Roman numerals, where it is sure that they are.

use super::context::{Context, Phrase, is_capitalized, is_in};
use super::number::{cardinal, ordinal};

/// Kings, queens and popes: the number says the how many-eth.
const RULERS: &[&str] = &[
    "henry",
    "louis",
    "elizabeth",
    "george",
    "edward",
    "charles",
    "james",
    "william",
    "richard",
    "paul",
    "benedict",
    "pius",
    "napoleon",
    "philip",
    "alexander",
    "nicholas",
    "catherine",
    "ivan",
    "frederick",
    "leo",
    "gregory",
    "innocent",
    "clement",
    "urban",
    "mary",
    "ferdinand",
    "rama",
    "ramses",
    "ramesses",
    "wilhelm",
    "friedrich",
    "otto",
    "haakon",
    "gustav",
    "carl",
    "christian",
    "alfonso",
    "felipe",
    "ptolemy",
    "darius",
    "xerxes",
    "theodosius",
    "constantine",
    "mehmed",
    "murad",
    "selim",
    "cleopatra",
    "thutmose",
    "amenhotep",
    "boniface",
    "julius",
    "sixtus",
    "adrian",
    "celestine",
    "kenneth",
    "vittorio",
    "emmanuel",
];

/// What is counted by them.
const COUNTED: &[&str] = &[
    "chapter", "part", "act", "section", "volume", "book", "war", "bowl", "article", "type",
    "phase", "title", "appendix", "grade", "level", "stage", "class", "vatican", "figure", "table",
    "scene", "canto", "episode", "schedule", "category", "division", "tier", "mark", "apollo",
    "gemini", "saturn",
];

/// Longest numeral read.
const NUMERAL_BYTES_MAX: usize = 10;

/// `VIII` after a ruler or after what is counted.
pub(super) fn roman(context: &Context<'_>) -> Option<Phrase> {
    let (core, ending) = match context.core().strip_suffix("'s") {
        Some(stem) => (stem, "'s"),
        None => (context.core(), ""),
    };
    let value = parse(core)?;
    // "Type C", "Appendix D" are letters; "the part I like" is a person.
    if matches!(core, "C" | "D" | "L" | "M") {
        return None;
    }
    let before = context.back(1);
    let adjoins = context
        .at
        .checked_sub(1)
        .is_some_and(|at| context.tokens[at].joins());
    if !adjoins || before.is_empty() {
        return None;
    }
    let surely = core != "I" || is_capitalized(before) && alone(context);
    let words = if is_in(before, RULERS) && is_capitalized(before) && surely {
        format!("the {}", ordinal(value))
    } else if is_in(before, COUNTED) && surely {
        cardinal(value)
    } else if is_sure(core) && is_capitalized(before) && before.len() > 1 {
        let person = is_capitalized(context.back(2)) && !context.back(2).is_empty();
        let heir = person && matches!(core, "II" | "III" | "IV");
        if heir && !is_in(before, COUNTED) {
            format!("the {}", ordinal(value))
        } else {
            cardinal(value)
        }
    } else {
        return None;
    };
    Some(Phrase::one(words + ending))
}

/// "Elizabeth I was", but not "Since Charles I have".
fn alone(context: &Context<'_>) -> bool {
    context.ahead(1).is_none()
        || !context.token().joins()
        || is_in(
            context.next(),
            &[
                "of", "was", "is", "and", "died", "reigned", "ruled", "in", "became",
            ],
        )
}

/// Those that are hardly ever anything else.
fn is_sure(core: &str) -> bool {
    matches!(
        core,
        "II" | "III" | "IV" | "VI" | "VII" | "VIII" | "IX" | "XI" | "XII" | "XIII" | "XIV" | "XVI"
    )
}

/// The value of a numeral in its usual form, in capitals.
fn parse(text: &str) -> Option<u64> {
    const VALUES: [(&str, u64); 13] = [
        ("M", 1_000),
        ("CM", 900),
        ("D", 500),
        ("CD", 400),
        ("C", 100),
        ("XC", 90),
        ("L", 50),
        ("XL", 40),
        ("X", 10),
        ("IX", 9),
        ("V", 5),
        ("IV", 4),
        ("I", 1),
    ];
    if text.is_empty() || text.len() > NUMERAL_BYTES_MAX {
        return None;
    }
    let (mut rest, mut value) = (text, 0);
    for (sign, worth) in VALUES {
        while let Some(tail) = rest.strip_prefix(sign) {
            rest = tail;
            value += worth;
        }
    }
    // Only the usual form: IIII and VX are something else.
    let mut usual = String::new();
    let mut left = value;
    for (sign, worth) in VALUES {
        while left >= worth {
            usual.push_str(sign);
            left -= worth;
        }
    }
    (rest.is_empty() && usual == text).then_some(value)
}
