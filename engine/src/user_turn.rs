//! What the person is saying now.

use antiphon_proto::{Moment, TurnId, UtteranceId};

use crate::EngineConfig;
use crate::endpointing::{Wait, wait_after};

/// After the wait is over, how much longer to wait for a final transcript before the partial is
/// taken for it.
const FINAL_GRACE_MS: u64 = 2_500;
/// Utterances kept of one turn; more are joined into the last.
const UTTERANCES_MAX: usize = 64;

/// Stands for typed words among utterances; spoken ones count from 1.
const TYPED: UtteranceId = UtteranceId(0);

/// One turn of the person: utterances separated by pauses too short to end it.
#[derive(Clone, Debug)]
pub(crate) struct UserTurn {
    pub(crate) turn: TurnId,
    utterances: Vec<Utterance>,
    pub(crate) speaking: bool,
    pub(crate) onset: Moment,
    pub(crate) speech_end: Option<Moment>,
    /// When the last final transcript came.
    pub(crate) final_at: Option<Moment>,
}

#[derive(Clone, Debug)]
struct Utterance {
    id: UtteranceId,
    text: String,
    settled: bool,
}

impl UserTurn {
    pub(crate) fn new(turn: TurnId, onset: Moment) -> Self {
        Self {
            turn,
            utterances: Vec::new(),
            speaking: false,
            onset,
            speech_end: None,
            final_at: None,
        }
    }

    /// A turn that was typed: whole, and over.
    pub(crate) fn typed(turn: TurnId, text: &str, now: Moment) -> Self {
        let mut typed = Self::new(turn, now);
        let text = text.to_owned();
        typed.utterances.push(Utterance {
            id: TYPED,
            text,
            settled: true,
        });
        typed.speech_end = Some(now);
        typed
    }

    pub(crate) fn begin_utterance(&mut self, id: UtteranceId, onset: Moment) {
        if self.utterances.len() >= UTTERANCES_MAX {
            let text = self.text();
            self.utterances = vec![Utterance {
                id,
                text,
                settled: true,
            }];
        }
        self.utterances.push(Utterance {
            id,
            text: String::new(),
            settled: false,
        });
        self.speaking = true;
        self.onset = onset;
    }

    /// Sets the words of an utterance; false where it is not of this turn.
    pub(crate) fn transcript(
        &mut self,
        id: UtteranceId,
        text: &str,
        is_final: bool,
        now: Moment,
    ) -> bool {
        let Some(utterance) = self
            .utterances
            .iter_mut()
            .find(|utterance| utterance.id == id && !utterance.settled)
        else {
            return false;
        };
        utterance.text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        utterance.settled = is_final;
        if is_final {
            self.final_at = Some(now);
        }
        true
    }

    /// Gives an utterance up, keeping the words that were recognized of it.
    pub(crate) fn transcript_failed(&mut self, id: UtteranceId) -> bool {
        let found = self
            .utterances
            .iter_mut()
            .find(|utterance| utterance.id == id && !utterance.settled);
        found.map(|utterance| utterance.settled = true).is_some()
    }

    /// Adds the utterances of a turn that turned out to be the rest of this one.
    pub(crate) fn continue_with(&mut self, newer: UserTurn) {
        self.utterances.extend(newer.utterances);
        self.speaking = newer.speaking;
        self.onset = newer.onset;
        self.speech_end = newer.speech_end.or(self.speech_end);
        self.final_at = newer.final_at.or(self.final_at);
    }

    pub(crate) fn current_utterance(&self) -> Option<UtteranceId> {
        let spoken = self.utterances.last().map(|utterance| utterance.id);
        spoken.filter(|id| *id != TYPED)
    }

    pub(crate) fn text(&self) -> String {
        let words: Vec<&str> = self
            .utterances
            .iter()
            .map(|utterance| utterance.text.as_str())
            .filter(|text| !text.is_empty())
            .collect();
        words.join(" ")
    }

    fn settled(&self) -> bool {
        self.utterances.iter().all(|utterance| utterance.settled)
    }

    /// The silence that this turn waits for.
    pub(crate) fn wait(&self, config: &EngineConfig) -> Wait {
        wait_after(&self.text(), config)
    }

    /// When the turn ends if nothing else happens; none while the person speaks.
    pub(crate) fn deadline(&self, config: &EngineConfig) -> Option<Moment> {
        if self.speaking {
            return None;
        }
        let due = self.speech_end?.plus_ms(self.wait(config).ms);
        Some(if self.settled() {
            due
        } else {
            due.plus_ms(FINAL_GRACE_MS)
        })
    }
}
