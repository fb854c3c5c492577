//! The reason of a decision, in words.

use super::model::Judged;
use super::text::Tail;
use super::{Evidence, QuestionKind};

/// Summands below this moved nothing.
const NOTABLE: f64 = 0.25;

/// What moved the decision most, as a short sentence without a full stop.
pub(super) fn reason(judged: &Judged, evidence: &Evidence<'_>) -> String {
    let sign = if judged.logit < 0.0 { -1.0 } else { 1.0 };
    // Only what pulled in the direction taken explains it.
    let parts = [
        (judged.number, Part::Number),
        (judged.words, Part::Words),
        (judged.question, Part::Question),
        (judged.pitch, Part::Pitch),
        (judged.voice, Part::Voice),
        (judged.brief, Part::Brief),
        (judged.habit, Part::Habit),
    ];
    let mut pulling: Vec<(f64, Part)> = parts
        .into_iter()
        .map(|(value, part)| (value * sign, part))
        .filter(|(value, _)| *value >= NOTABLE)
        .collect();
    pulling.sort_by(|a, b| b.0.total_cmp(&a.0));
    let Some((_, most)) = pulling.first() else {
        return unmoved(judged, evidence);
    };
    let also = |wanted: Part| pulling.iter().any(|(_, part)| *part == wanted);
    let complete = matches!(
        judged.reading.tail,
        Tail::Content | Tail::Closing | Tail::FullStop | Tail::Whole
    );
    let sounds = matches!(most, Part::Pitch | Part::Voice | Part::Words);
    if sign > 0.0 && complete && sounds {
        if also(Part::Pitch) {
            return format!("{} and a complete sentence", pitch(judged, evidence, sign));
        }
        if also(Part::Voice) {
            return "the voice trails off after a complete sentence".to_owned();
        }
    }
    match most {
        Part::Number => number(judged),
        Part::Words => words(judged, sign),
        Part::Question => question(evidence.question, sign),
        Part::Pitch => pitch(judged, evidence, sign).to_owned(),
        Part::Voice if sign > 0.0 => "the voice trails off".to_owned(),
        Part::Voice => "the voice is held up".to_owned(),
        Part::Brief if sign > 0.0 => "a brief utterance".to_owned(),
        Part::Brief => "a long turn may go on".to_owned(),
        Part::Habit if sign > 0.0 => "this speaker hardly pauses".to_owned(),
        Part::Habit if evidence.habit.is_long() => "this speaker pauses for long".to_owned(),
        Part::Habit => "this speaker pauses often".to_owned(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Number,
    Words,
    Question,
    Pitch,
    Voice,
    Brief,
    Habit,
}

fn unmoved(judged: &Judged, evidence: &Evidence<'_>) -> String {
    if evidence.habit.is_long() {
        return "this speaker pauses for long".to_owned();
    }
    match (judged.reading.tail == Tail::Nothing, evidence.prosody) {
        (true, None) => "no words yet".to_owned(),
        (true, Some(_)) => "no words yet, and the voice does not tell".to_owned(),
        (false, _) => "the sentence may be complete".to_owned(),
    }
}

fn number(judged: &Judged) -> String {
    let reading = &judged.reading;
    let counted = |count: usize, one: &str| {
        let plural = if count == 1 { "" } else { "s" };
        format!("{count} {one}{plural}")
    };
    if reading.tail == Tail::Address {
        return format!("an address may go on: '{}'", reading.shown);
    }
    if reading.words == 0 {
        return "a number or a spelling was asked for".to_owned();
    }
    let (count, what) = if reading.digits >= reading.letters {
        (reading.digits, "digit")
    } else {
        (reading.letters, "letter")
    };
    if judged.number > 0.0 {
        return format!("a whole number: {}", counted(count, what));
    }
    let given = if what == "digit" {
        "a number"
    } else {
        "a spelling"
    };
    format!("{given} may go on: {} so far", counted(count, what))
}

fn words(judged: &Judged, sign: f64) -> String {
    let shown = &judged.reading.shown;
    match judged.reading.tail {
        Tail::OpenClause => format!("a clause with '{shown}' is open"),
        Tail::Comma => format!("transcript ends in a comma after '{shown}'"),
        Tail::Whole => format!("a whole answer: '{shown}'"),
        Tail::FullStop | Tail::Closing | Tail::Content if sign > 0.0 => {
            "a complete sentence".into()
        }
        Tail::Nothing
        | Tail::Filler
        | Tail::Joining
        | Tail::Determiner
        | Tail::Preposition
        | Tail::Subject
        | Tail::Auxiliary
        | Tail::GoingOn
        | Tail::Spelling
        | Tail::Address
        | Tail::Content
        | Tail::Closing
        | Tail::FullStop => format!("transcript ends in '{shown}'"),
    }
}

fn question(asked: QuestionKind, sign: f64) -> String {
    match asked {
        QuestionKind::YesNo => "answer to a yes/no question",
        QuestionKind::Open if sign < 0.0 => "an open question was asked",
        QuestionKind::None | QuestionKind::Spelling | QuestionKind::Open => "answer to a question",
    }
    .to_owned()
}

/// Which way the pitch pulled; a summand may come from its height instead of its movement.
fn pitch(judged: &Judged, evidence: &Evidence<'_>, sign: f64) -> &'static str {
    let slope = evidence.prosody.map_or(0, |p| p.pitch_slope_st10);
    debug_assert!(judged.pitch * sign >= 0.0, "only called where pitch pulled");
    match (sign > 0.0, slope) {
        (true, ..-10) => "falling pitch",
        (true, _) => "low pitch",
        (false, 11..) => "rising pitch",
        (false, _) => "level or high pitch",
    }
}
