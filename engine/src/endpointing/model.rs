//! The fusion: a logistic regression over few features, and rules where there is no data to learn
//! from. Every summand has a name, so that the reason can name what moved the decision.

use super::text::{Reading, TAILS, Tail, read};
use super::weights::{BIAS, TAIL_LOG_ODDS, WEIGHTS};
use super::{Evidence, Prosody, QuestionKind};

/// Number of features.
pub const FEATURES: usize = 10;

/// Names of the features, in the order of [`features`].
pub const FEATURE_NAMES: [&str; FEATURES] = [
    "pitch slope",
    "pitch against the speaker's median",
    "pitch against the speaker's floor",
    "spread of pitch",
    "length of the last voiced stretch",
    "periodicity",
    "unvoiced tail",
    "level after the end",
    "brief turn",
    "words",
];

/// Names of the ends of a text, in the order of the table of log odds.
pub const TAIL_NAMES: [&str; TAILS] = [
    "nothing",
    "filler",
    "joining word",
    "determiner",
    "preposition",
    "subject",
    "auxiliary",
    "phrase that goes on",
    "comma",
    "spelling",
    "open address",
    "open clause",
    "other word",
    "closing word",
    "full stop",
    "whole answer",
];

/// A partial transcript may lack its last word.
const PARTIAL_SHARE: f64 = 0.6;
/// Longest logit: the probability stays between 0.7 % and 99.3 %, and one feature out of its range
/// cannot decide alone.
const LOGIT_MAX: f64 = 5.0;

/// What the evidence came to, by parts.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    /// Log odds that the turn is over, before the speaker's habit.
    pub(super) logit: f64,
    /// Summand of pitch.
    pub(super) pitch: f64,
    /// Summand of lengthening and the quality of the voice.
    pub(super) voice: f64,
    /// Summand of the words.
    pub(super) words: f64,
    /// Summand of numbers and spelling.
    pub(super) number: f64,
    /// Summand of the question asked.
    pub(super) question: f64,
    /// Summand of a brief turn.
    pub(super) brief: f64,
    /// Summand of the speaker's habit.
    pub(super) habit: f64,
    /// How the text was read.
    pub(super) reading: Reading,
}

/// The features of `evidence`, each about within -2 and 2 and 0 where it is not known. The bench
/// trains the weights on these.
pub fn features(evidence: &Evidence<'_>) -> [f64; FEATURES] {
    features_of(evidence, &read(evidence.text))
}

/// How `text` ends, as an index into [`TAIL_NAMES`].
pub fn tail_index(text: &str) -> usize {
    read(text).tail as usize
}

fn features_of(evidence: &Evidence<'_>, reading: &Reading) -> [f64; FEATURES] {
    let mut found = [0.0; FEATURES];
    if let Some(prosody) = &evidence.prosody {
        found[..8].copy_from_slice(&sound(prosody));
    }
    // About 0 for a second and a half; a turn of one short word is an answer.
    let turn_ms = evidence.turn_ms.clamp(300, 6_000) as f64;
    found[8] = if evidence.turn_ms == 0 {
        0.0
    } else {
        -(turn_ms / 1_500.0).ln()
    };
    let share = if evidence.is_final {
        1.0
    } else {
        PARTIAL_SHARE
    };
    found[9] = share * TAIL_LOG_ODDS[reading.tail as usize];
    found
}

fn sound(p: &Prosody) -> [f64; 8] {
    if p.last_voiced_ms == 0 {
        return [0.0; 8];
    }
    let scaled = |value: i16, unit: f64| (f64::from(value) / unit).clamp(-2.0, 2.0);
    let log = |ms: u16, centre: f64| ((f64::from(ms) + 40.0) / centre).ln().clamp(-2.0, 2.0);
    [
        scaled(p.pitch_slope_st10, 40.0),
        scaled(p.pitch_end_st10, 40.0),
        scaled(p.pitch_floor_st10.saturating_sub(30), 40.0),
        scaled(p.pitch_spread_st10.saturating_sub(15), 15.0),
        log(p.last_voiced_ms, 240.0),
        ((f64::from(p.periodicity_permille) - 850.0) / 100.0).clamp(-2.0, 2.0),
        log(p.unvoiced_tail_ms, 140.0),
        scaled(p.level_after_db10.saturating_sub(100), 100.0),
    ]
}

pub(super) fn judge(evidence: &Evidence<'_>) -> Judged {
    let reading = read(evidence.text);
    let features = features_of(evidence, &reading);
    let part =
        |range: std::ops::Range<usize>| -> f64 { range.map(|i| WEIGHTS[i] * features[i]).sum() };
    let number = number(&reading, evidence.question);
    let words = if number == 0.0 { part(9..10) } else { 0.0 };
    let question = question(&reading, evidence.question);
    let mut judged = Judged {
        logit: 0.0,
        pitch: part(0..4),
        voice: part(4..8),
        words,
        number,
        question,
        brief: part(8..9),
        habit: -evidence.habit.goes_on_log_odds(),
        reading,
    };
    let sum = BIAS
        + judged.pitch
        + judged.voice
        + judged.words
        + judged.number
        + judged.question
        + judged.brief
        + judged.habit;
    judged.logit = sum.clamp(-LOGIT_MAX, LOGIT_MAX);
    judged
}

/// Numbers and spelled words come in groups, and a pause between groups sounds like an end. A rule:
/// too few recordings have such pauses to learn from.
fn number(reading: &Reading, question: QuestionKind) -> f64 {
    let asked = question == QuestionKind::Spelling;
    let given = match reading.tail {
        Tail::Spelling => reading.digits.max(reading.letters),
        Tail::Address => return -2.5,
        Tail::Content if asked && reading.digits > 0 => reading.digits,
        _ if asked && reading.words == 0 => return -0.5,
        _ => return 0.0,
    };
    match (given, asked) {
        // 10 and 11 digits are a telephone number with its area code.
        (10.., _) => 1.0,
        (_, true) => -2.0,
        (_, false) => -1.0,
    }
}

/// A short whole answer to yes or no needs no more.
fn question(reading: &Reading, question: QuestionKind) -> f64 {
    let whole = reading.tail == Tail::Whole;
    match question {
        QuestionKind::YesNo if whole => 1.5,
        QuestionKind::None | QuestionKind::YesNo | QuestionKind::Spelling => 0.0,
        // "Yes" opens the answer to an open question rather than being it.
        QuestionKind::Open if whole => -0.5,
        QuestionKind::Open => 0.0,
    }
}
