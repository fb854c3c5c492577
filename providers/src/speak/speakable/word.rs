//! Abbreviations and acronyms.

use super::context::{Context, Dot, Phrase, is_capitalized, is_in};

/// Longest run of capitals that is spelled.
const SPELLED_LETTERS_MAX: usize = 5;

/// Said as words though written in capitals.
const SAID: &[&str] = &[
    "NASA", "NATO", "UNICEF", "UNESCO", "AIDS", "LASER", "RADAR", "SCUBA", "FIFA", "OPEC", "NAFTA",
    "COVID", "PIN", "RAM", "ROM", "SIM", "LAN", "WAN", "YAML", "TOML", "CAPTCHA", "POTUS",
    "SCOTUS", "SWAT", "TED", "IKEA", "ZIP", "SARS", "MERS", "NOAA", "FEMA", "OSHA", "HIPAA",
    "NAND", "CRUD", "REST", "SOAP", "BASIC", "LISP", "GIF", "ASAP", "PETA", "ICE", "DARPA", "ESPN",
    "NIMBY", "YOLO", "FOMO", "BIOS", "ACID", "SAP", "ARM", "AWOL", "GAAP", "CAD", "PAC", "SAT",
    "LIFO", "FIFO", "WHO", "COBOL", "UEFA", "RICO", "MIDI", "RAID", "CERN", "SIDS", "DOS", "VIN",
];

/// Common short words: in capitals they are stressed, not spelled.
const STRESSED: &[&str] = &[
    "THE", "AND", "NOT", "YES", "NO", "YOU", "ALL", "ANY", "ARE", "BUT", "CAN", "DO", "DID", "FOR",
    "GET", "GO", "HAS", "HAD", "HER", "HIM", "HIS", "HOW", "IF", "IN", "IS", "ITS", "LET", "ME",
    "MY", "NEW", "NOW", "OF", "OFF", "ON", "ONE", "OR", "OUR", "OUT", "OWN", "SEE", "SHE", "HE",
    "SO", "TO", "TOO", "TRY", "TWO", "UP", "USE", "WAS", "WAY", "WE", "WHY", "YOUR", "BE", "BY",
    "AT", "AS", "AN", "AM", "STOP", "NEVER", "VERY", "MUST", "ONLY", "WILL", "WITH", "THIS",
    "THAT", "WHAT", "WHEN", "FREE", "BEST", "BIG", "BAD", "GOOD", "MORE", "MOST", "NEED", "WANT",
    "HELP", "HOME", "LOVE", "STAY", "WAIT", "READ", "CALL", "DONE", "JUST", "KEEP", "LAST", "LIKE",
    "LONG", "MAKE", "NEXT", "NOTE", "OPEN", "OVER", "SAFE", "SAME", "SOME", "SURE", "TAKE", "TELL",
    "THEN", "THEY", "TIME", "WERE", "WORK", "HAVE", "HERE", "FROM", "BOTH", "EACH", "EVEN", "EVER",
    "FIRST", "AFTER", "AGAIN", "ALSO", "DONT", "EVERY", "GREAT", "RIGHT", "THERE", "THESE",
    "THINK", "THOSE", "UNDER", "WHERE", "WHICH", "WOULD", "COULD", "HELLO", "HAPPY", "TODAY",
    "DAY", "TIP", "TIPS", "STEP", "EASY", "FAST", "HARD", "REAL", "TRUE", "OTHER",
];

/// Written, said, and whether it needs its full stop to be taken for one.
const SHORT: &[(&str, &str, bool)] = &[
    ("mr", "Mister", false),
    ("mrs", "Missus", false),
    ("ms", "Miz", true),
    ("mx", "Mix", true),
    ("prof", "Professor", true),
    ("gen", "General", true),
    ("col", "Colonel", true),
    ("lt", "Lieutenant", true),
    ("capt", "Captain", true),
    ("sgt", "Sergeant", true),
    ("rev", "Reverend", true),
    ("hon", "Honorable", true),
    ("gov", "Governor", true),
    ("sen", "Senator", true),
    ("rep", "Representative", true),
    ("pres", "President", true),
    ("msgr", "Monsignor", true),
    ("mt", "Mount", true),
    ("ft", "Fort", true),
];

/// The same, that may end a sentence.
const SHORT_ANYWHERE: &[(&str, &str, bool)] = &[
    ("jr", "Junior", false),
    ("sr", "Senior", true),
    ("e.g", "for example", false),
    ("eg", "for example", true),
    ("i.e", "that is", false),
    ("etc", "et cetera", false),
    ("vs", "versus", false),
    ("approx", "approximately", false),
    ("dept", "department", false),
    ("govt", "government", false),
    ("ave", "Avenue", true),
    ("blvd", "Boulevard", false),
    ("rd", "Road", true),
    ("ln", "Lane", true),
    ("hwy", "Highway", false),
    ("inc", "Incorporated", true),
    ("ltd", "Limited", false),
    ("corp", "Corporation", true),
    ("co", "Company", true),
    ("bros", "Brothers", true),
    ("a.k.a", "also known as", false),
    ("aka", "also known as", false),
    ("w/", "with", false),
    ("w/o", "without", false),
    ("b/c", "because", false),
    ("c/o", "care of", false),
    ("n/a", "not applicable", false),
    ("misc", "miscellaneous", false),
    ("avg", "average", false),
    ("max", "maximum", true),
    ("min", "minimum", true),
    ("tel", "telephone", true),
    ("temp", "temperature", true),
    ("est", "established", true),
    ("assoc", "association", true),
    ("intl", "international", false),
    ("natl", "national", false),
    ("univ", "university", true),
    ("cf", "compare", true),
    ("ca", "circa", true),
    ("lb", "pound", true),
    ("lbs", "pounds", true),
    ("oz", "ounces", true),
    ("tbsp", "tablespoon", false),
    ("tsp", "teaspoon", false),
    ("sq", "square", true),
    ("at&t", "A T and T", false),
    ("ph.d", "P H D", false),
    ("ppl", "people", false),
    ("pls", "please", false),
    ("thx", "thanks", false),
    ("ok", "okay", false),
    ("phd", "P H D", false),
    ("ios", "I O S", false),
    ("macos", "mac O S", false),
    ("c++", "C plus plus", false),
    ("c#", "C sharp", false),
    ("f#", "F sharp", false),
    (".net", "dot net", false),
    ("json", "jason", false),
    ("jpeg", "jay peg", false),
    ("ascii", "ass key", false),
    ("wwi", "World War One", false),
    ("wwii", "World War Two", false),
    ("ww1", "World War One", false),
    ("ww2", "World War Two", false),
    ("mysql", "my S Q L", false),
    ("postgresql", "postgres Q L", false),
    ("sqlite", "S Q lite", false),
    ("wifi", "wi-fi", false),
];

/// Before a number only.
const NUMBERED: &[(&str, &str)] = &[
    ("no", "number"),
    ("nos", "numbers"),
    ("nr", "number"),
    ("fig", "figure"),
    ("figs", "figures"),
    ("vol", "volume"),
    ("p", "page"),
    ("pp", "pages"),
    ("pg", "page"),
    ("ch", "chapter"),
    ("sec", "section"),
    ("ver", "version"),
    ("ext", "extension"),
    ("apt", "apartment"),
    ("ste", "suite"),
    ("art", "article"),
    ("eq", "equation"),
    ("c", "circa"),
    ("par", "paragraph"),
];

/// `Dr.`, `e.g.`, `U.S.`, `p.m.` and the like.
pub(super) fn abbreviation(context: &Context<'_>) -> Option<Phrase> {
    let core = context.core();
    let lower = core.to_ascii_lowercase();
    let dotted = context.token().trail.starts_with('.');
    let next = context.next();
    let adjoins = context.ahead(1).is_some_and(|token| token.lead.is_empty())
        && matches!(context.token().trail, "" | ".");
    if matches!(lower.as_str(), "dr" | "st") && is_capitalized(core) {
        return title_or_street(context, lower == "st", adjoins && is_capitalized(next));
    }
    if matches!(lower.as_str(), "am" | "pm" | "a.m" | "p.m") && half_of_day(context, core) {
        let said = if lower.starts_with('a') { "A M" } else { "P M" };
        return Some(Phrase::one(said).dotted(Dot::Both));
    }
    let numbered =
        adjoins && (dotted || core.len() > 2) && next.starts_with(|c: char| c.is_ascii_digit());
    if numbered && let Some((_, said)) = NUMBERED.iter().find(|(short, _)| *short == lower) {
        return Some(Phrase::one(*said).dotted(Dot::Abbreviates));
    }
    let found = SHORT.iter().find(|(short, _, _)| *short == lower);
    if let Some((_, said, needs_dot)) = found.filter(|(_, _, needs_dot)| {
        is_capitalized(core) && (!needs_dot || adjoins && is_capitalized(next))
    }) && (dotted || !needs_dot)
    {
        return Some(Phrase::one(*said).dotted(Dot::Abbreviates));
    }
    // "EST." is a time zone, not a foundation.
    let stated = core.len() > 1 && core.bytes().all(|b| b.is_ascii_uppercase());
    let found = SHORT_ANYWHERE
        .iter()
        .find(|(short, _, needs_dot)| *short == lower && (dotted && !stated || !needs_dot));
    if let Some((short, said, needs_dot)) = found {
        // "Max." and "Min." at the end of a sentence are people; "co." and "est." are not words.
        let ends = context.ahead(1).is_none() || is_capitalized(next);
        if *needs_dot
            && ends
            && matches!(*short, "max" | "min" | "temp" | "ca" | "rd" | "co" | "sr")
            && !is_capitalized(core)
        {
            return None;
        }
        return Some(Phrase::one(*said).dotted(Dot::Both));
    }
    initials(core).map(|letters| Phrase::one(letters).dotted(Dot::Abbreviates))
}

fn title_or_street(context: &Context<'_>, saint: bool, name_follows: bool) -> Option<Phrase> {
    let before = context.back(1);
    let dotted = context.token().trail.starts_with('.');
    let joined = context.at > 0 && context.tokens[context.at - 1].joins();
    let street = joined
        && (is_capitalized(before)
            || before.ends_with(|c: char| c.is_ascii_digit() || c == 'h' || c == 'd'))
        && !context.starts
        && !is_in(
            before,
            &[
                "Dear", "Hello", "Hi", "Ask", "Call", "See", "And", "The", "Visit", "To", "In",
                "Meet", "Is", "Was", "Thanks", "Thank", "With",
            ],
        );
    let numbered = street && before.starts_with(|c: char| c.is_ascii_digit());
    let said = match (saint, street && (!name_follows || numbered)) {
        (true, true) => "Street",
        (false, true) => "Drive",
        (true, false) if name_follows => "Saint",
        (false, false) if name_follows || dotted => "Doctor",
        _ => return None,
    };
    let title = matches!(said, "Saint" | "Doctor");
    Some(Phrase::one(said).dotted(if title { Dot::Abbreviates } else { Dot::Both }))
}

fn half_of_day(context: &Context<'_>, core: &str) -> bool {
    let timed = context.back(1).starts_with(|c: char| c.is_ascii_digit());
    let stated = core.bytes().all(|b| b.is_ascii_uppercase()) && core != "AM" || core.contains('.');
    timed || stated && !context.shouting
}

/// `U.S`, `J.R.R`: letters with full stops between.
fn initials(core: &str) -> Option<String> {
    let (body, ending) = core
        .strip_suffix("'s")
        .map_or((core, ""), |body| (body.trim_end_matches('.'), "'s"));
    let mut letters = body.split('.');
    let single = |part: &str| part.chars().count() == 1 && part.chars().all(char::is_alphabetic);
    let two = body.contains('.');
    (two && letters.all(single)).then(|| format!("{}{ending}", spelled(body)))
}

/// A run of capitals, with a plural or possessive ending where it has one.
pub(super) fn acronym(context: &Context<'_>) -> Option<Phrase> {
    let core = context.core();
    let shouted = |word: &str| word.len() > 1 && STRESSED.contains(&word);
    let among = shouted(context.back(1)) || shouted(context.next());
    if core.len() > 1
        && core.bytes().all(|b| b.is_ascii_uppercase())
        && (context.shouting || among && core == "IT")
    {
        return Some(Phrase::one(core.to_ascii_lowercase()));
    }
    if core == "A" && !context.starts && context.joined(1).is_empty() {
        return Some(Phrase::one("A"));
    }
    None
}

/// One run of letters of a word: as it is, or spelled.
pub(super) fn piece(run: &str, math: bool, code: bool) -> String {
    if run.len() == 1 && run != "a" && (math || code) {
        return run.to_ascii_uppercase();
    }
    let variables =
        math && run.len() <= 2 && run.is_ascii() && run.bytes().all(|b| b.is_ascii_lowercase());
    let vowelless = code
        && run.len() <= 3
        && run.is_ascii()
        && !run.bytes().any(|b| b"aeiouyAEIOUY".contains(&b));
    if variables && !is_in(run, &["is", "of", "to", "in", "pi"]) {
        return spelled(run);
    }
    let (body, plural) = match run.strip_suffix('s') {
        Some(body) if body.len() >= 2 && body.bytes().all(|b| b.is_ascii_uppercase()) => {
            (body, "'s")
        }
        Some(_) | None => (run, ""),
    };
    let capitals = body.len() > 1 && body.bytes().all(|b| b.is_ascii_uppercase());
    if !capitals {
        return if vowelless {
            spelled(run)
        } else {
            run.to_owned()
        };
    }
    let said = SAID.contains(&body) || STRESSED.contains(&body);
    let vowels = body.bytes().any(|b| b"AEIOUY".contains(&b));
    if said || body.len() > SPELLED_LETTERS_MAX && vowels {
        return format!(
            "{}{}",
            body.to_ascii_lowercase(),
            plural.trim_start_matches('\'')
        );
    }
    format!("{}{plural}", spelled(body))
}

/// Letter by letter, in capitals.
pub(super) fn spelled(run: &str) -> String {
    let letters = run.chars().filter(|c| c.is_alphanumeric());
    letters
        .map(|c| c.to_uppercase().to_string())
        .collect::<Vec<_>>()
        .join(" ")
}
