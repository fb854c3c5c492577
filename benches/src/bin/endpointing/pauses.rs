//! Pauses with all the evidence that there is at them.

use antiphon_engine::{Evidence, PauseHabit, Prosody, QuestionKind};
use antiphon_engine::{TRUST_EMBEDDED_PERMILLE, TRUST_GOOD_PERMILLE};
use antiphon_runtime::engine_prosody;

use crate::heard::Heard;
use crate::labels::Truth;
use crate::material::Clip;

/// Words count to be within the pause's turn though their labelled times overlap its borders by
/// this much, in milliseconds.
const WORD_SLACK_MS: i64 = 60;

/// A pause as the engine would know it.
#[derive(Clone, Debug)]
pub(crate) struct Pause {
    /// The set.
    pub(crate) set: &'static str,
    /// The clip's path below the material.
    pub(crate) clip: String,
    /// What happened.
    pub(crate) truth: Truth,
    /// The detector's end less the labelled one, in milliseconds.
    pub(crate) late_ms: i64,
    /// Sound of the end.
    pub(crate) prosody: Prosody,
    /// Length of the turn so far, in milliseconds.
    pub(crate) turn_ms: u64,
    /// The speaker's habit as it was known then.
    pub(crate) habit: PauseHabit,
    /// Words of the embedded recognizer.
    pub(crate) heard: String,
    /// Words really said, where the set has them.
    pub(crate) said: Option<String>,
}

/// Which words the engine is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    /// None: the transcript has not come.
    None,
    /// Those of the embedded recognizer.
    Heard,
    /// Those really said where they are known, else those of the embedded recognizer.
    Said,
}

impl Pause {
    /// What is known at the end of speech.
    pub(crate) fn evidence(&self, words: Words) -> Evidence<'_> {
        let heard = (self.heard.as_str(), TRUST_EMBEDDED_PERMILLE);
        let (text, text_trust_permille) = match words {
            Words::None => ("", TRUST_GOOD_PERMILLE),
            Words::Heard => heard,
            Words::Said => self
                .said
                .as_deref()
                .map_or(heard, |said| (said, TRUST_GOOD_PERMILLE)),
        };
        Evidence {
            text,
            is_final: true,
            text_trust_permille,
            prosody: Some(self.prosody),
            question: QuestionKind::None,
            habit: &self.habit,
            turn_ms: self.turn_ms,
        }
    }

    /// True where the turn was over.
    pub(crate) fn is_over(&self) -> bool {
        self.truth == Truth::Over
    }
}

/// The pauses of `clips` in order, each with the habit learned from those before it in its call.
pub(crate) fn pauses(clips: &[Clip], heard: &Heard) -> Vec<Pause> {
    let mut found = Vec::new();
    let mut habit = PauseHabit::new();
    let mut call = "";
    for clip in clips {
        if clip.call != call {
            habit = PauseHabit::new();
            call = &clip.call;
        }
        for labelled in &clip.labelled {
            let stretch = &clip.stretches[labelled.stretch];
            let turn = &clip.stretches[labelled.turn_from..=labelled.stretch];
            let from_ms = turn[0].onset_ms;
            let words: Vec<&str> = turn
                .iter()
                .filter_map(|s| heard.get(&(clip.path.clone(), s.onset_ms)))
                .map(String::as_str)
                .collect();
            found.push(Pause {
                set: clip.set,
                clip: clip.path.clone(),
                truth: labelled.truth,
                late_ms: labelled.late_ms,
                prosody: engine_prosody(stretch.prosody),
                turn_ms: (stretch.end_ms - from_ms).max(0) as u64,
                habit,
                heard: words.join(" ").trim().to_owned(),
                said: said(clip, from_ms, stretch.end_ms, labelled.truth),
            });
            match labelled.truth {
                Truth::GoesOn { pause_ms } => habit.pause_resumed(pause_ms.max(0) as u64),
                Truth::Over => habit.turn_ended(0),
            }
        }
    }
    found
}

fn said(clip: &Clip, from_ms: i64, end_ms: i64, truth: Truth) -> Option<String> {
    if clip.words.is_empty() {
        let whole = truth == Truth::Over && !clip.transcript.is_empty();
        return whole.then(|| clip.transcript.clone());
    }
    let words: Vec<&str> = clip
        .words
        .iter()
        .filter(|(from, to, _)| *to > from_ms && from + WORD_SLACK_MS < end_ms)
        .map(|(_, _, word)| word.as_str())
        .collect();
    Some(words.join(" "))
}
