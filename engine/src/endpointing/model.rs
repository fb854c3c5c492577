//! The fusion: a logistic regression over few features, and rules where there is no data to learn
//! from. Every summand has a name, so that the reason can name what moved the decision.

use super::policy::Policy;
use super::text::{Reading, TAILS, Tail, read};
use super::{Evidence, Prosody, QuestionKind, weights};

/// Number of features.
pub const FEATURES: usize = 7;

/// Names of the features, in the order of [`features`].
pub const FEATURE_NAMES: [&str; FEATURES] = [
    "pitch slope",
    "pitch above the speaker's floor",
    "level against the speaker's usual",
    "periodicity against the speaker's usual",
    "length of the last voiced stretch",
    "unvoiced tail",
    "brevity of the turn",
];

/// A partial transcript may lack its last word.
const PARTIAL_SHARE: f64 = 0.6;
/// Greatest logit: the probability stays between 0.7 % and 99.3 %, and no feature out of its range
/// decides alone.
const LOGIT_MAX: f64 = 5.0;
/// Weight of the ratio of pauses to turns: half, because the pauses were found by the same
/// detector that is to be helped.
const HABIT_WEIGHT: f64 = 0.5;
/// Log odds of "over" after a question or a request with all its parts. By hand, as are the other
/// rules: the recordings trained on are mostly statements.
const COMPLETE_REQUEST: f64 = 1.5;
/// The least that pitch and voice each may say against that.
const REQUEST_SOUND_MIN: f64 = -0.2;
/// A single article is what recognizers make of a short sound; it says nothing.
const LONE_ARTICLE_MS_MAX: u64 = 600;

/// Weights and policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Log odds of "over" where all features are 0.
    pub bias: f64,
    /// Weights of [`features`].
    pub features: [f64; FEATURES],
    /// Log odds of "over" by how the text ends, less those of any other word.
    pub tails: [f64; TAILS],
    /// From log odds to a wait.
    pub policy: Policy,
}

/// What the evidence came to, by parts.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    /// Log odds that the turn is over.
    pub(super) logit: f64,
    /// Summand of pitch.
    pub(super) pitch: f64,
    /// Summand of level, lengthening and the quality of the voice.
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

/// The features that the regression sees, each about within -2 and 2, and 0 where it is not known.
pub fn features(evidence: &Evidence<'_>) -> [f64; FEATURES] {
    let mut found = [0.0; FEATURES];
    if let Some(prosody) = evidence
        .prosody
        .filter(|prosody| prosody.last_voiced_ms > 0)
    {
        found[..6].copy_from_slice(&sound(&prosody));
    }
    if evidence.turn_ms > 0 {
        // 0 for a second and a half.
        let turn_ms = evidence.turn_ms.clamp(300, 3_000) as f64;
        found[6] = -(turn_ms / 1_500.0).ln();
    }
    found
}

fn sound(p: &Prosody) -> [f64; 6] {
    let scaled =
        |value: i16, centre: f64, unit: f64| ((f64::from(value) - centre) / unit).clamp(-2.0, 2.0);
    let log = |ms: u16, centre: f64| ((f64::from(ms) + 40.0) / centre).ln().clamp(-2.0, 2.0);
    [
        scaled(p.pitch_slope_st10, 0.0, 40.0),
        scaled(p.pitch_floor_st10, 30.0, 40.0),
        scaled(p.level_db10, -30.0, 60.0),
        scaled(p.periodicity_permille, 0.0, 100.0),
        log(p.last_voiced_ms, 240.0),
        log(p.unvoiced_tail_ms, 140.0),
    ]
}

impl Model {
    /// The one that ships, from `weights.rs`.
    pub fn trained() -> Self {
        weights::TRAINED
    }

    /// The log odds that the turn is over, judged at the end of speech.
    pub fn log_odds(&self, evidence: &Evidence<'_>) -> f64 {
        self.judge(evidence).logit
    }

    pub(super) fn judge(&self, evidence: &Evidence<'_>) -> Judged {
        let reading = read(evidence.text);
        let features = features(evidence);
        let part = |range: std::ops::Range<usize>| -> f64 {
            range.map(|i| self.features[i] * features[i]).sum()
        };
        let trust = trust(evidence);
        let number = number(&reading, evidence.question);
        let habit = evidence.habit.goes_on_log_odds();
        let mut judged = Judged {
            logit: 0.0,
            pitch: part(0..2),
            voice: part(2..6),
            words: believed(self.words(&reading, evidence), trust),
            // A rule about numbers needs no single word to be right.
            number: believed(number, trust.max(0.5)),
            question: question(&reading, evidence.question),
            brief: part(6..7),
            habit: -HABIT_WEIGHT * habit,
            reading,
        };
        if judged.reading.asks {
            judged.words += believed(COMPLETE_REQUEST, trust);
            // Questions end high and strong without holding the turn.
            judged.pitch = judged.pitch.max(REQUEST_SOUND_MIN);
            judged.voice = judged.voice.max(REQUEST_SOUND_MIN);
        }
        let sum = self.bias
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

    fn words(&self, reading: &Reading, evidence: &Evidence<'_>) -> f64 {
        let lone_article = reading.tail == Tail::Determiner && reading.words == 1;
        if lone_article && evidence.turn_ms < LONE_ARTICLE_MS_MAX {
            return 0.0;
        }
        self.tails[reading.tail as usize]
    }
}

fn trust(evidence: &Evidence<'_>) -> f64 {
    let share = if evidence.is_final {
        1.0
    } else {
        PARTIAL_SHARE
    };
    share * f64::from(evidence.text_trust_permille.min(1_000)) / 1_000.0
}

/// Log odds of evidence that holds with a chance of `trust` and says nothing otherwise.
fn believed(log_odds: f64, trust: f64) -> f64 {
    (1.0 - trust + trust * log_odds.exp()).ln()
}

/// Numbers and spelled words come in groups, and a pause between groups sounds like an end. A rule:
/// too few recordings have such pauses to learn from.
fn number(reading: &Reading, question: QuestionKind) -> f64 {
    let asked = question == QuestionKind::Spelling;
    let given = match reading.tail {
        Tail::Spelling => reading.digits.max(reading.letters),
        Tail::Address => return -2.5,
        Tail::Content if asked && reading.digits > 0 => reading.digits,
        Tail::Nothing if asked => return -0.5,
        Tail::Nothing
        | Tail::Filler
        | Tail::Joining
        | Tail::Determiner
        | Tail::Preposition
        | Tail::Subject
        | Tail::Auxiliary
        | Tail::GoingOn
        | Tail::Comma
        | Tail::OpenClause
        | Tail::Content
        | Tail::Closing
        | Tail::FullStop
        | Tail::Whole => return 0.0,
    };
    match (given, asked) {
        // 10 and 11 digits are a telephone number with its area code.
        (10.., _) if reading.digits >= 10 => 1.0,
        (_, true) => -2.0,
        (_, false) => -1.0,
    }
}

/// A short whole answer to yes or no needs no more.
fn question(reading: &Reading, question: QuestionKind) -> f64 {
    let whole = reading.tail == Tail::Whole;
    match question {
        QuestionKind::YesNo if whole => 1.5,
        // "Yes" opens the answer to an open question rather than being it.
        QuestionKind::Open if whole => -0.5,
        QuestionKind::None | QuestionKind::YesNo | QuestionKind::Spelling | QuestionKind::Open => {
            0.0
        }
    }
}
