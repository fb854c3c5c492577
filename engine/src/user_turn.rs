//! What the person is saying now.

use antiphon_proto::{Moment, TurnId, UtteranceId};

use crate::config::{EndpointingMode, EngineConfig};
use crate::endpointing::{EndOfTurn, Evidence, PauseHabit, Prosody, QuestionKind, decide};

/// After the wait is over, how much longer to wait for a final transcript before the partial is
/// taken for it.
const FINAL_GRACE_MS: u64 = 2_500;
/// Utterances kept of one turn; more are joined into the last.
const UTTERANCES_MAX: usize = 64;

/// What is known of the person beyond their turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listener {
    /// What the agent's last words asked for.
    pub(crate) question: QuestionKind,
    /// How the person pauses.
    pub(crate) habit: PauseHabit,
}

impl Default for Listener {
    fn default() -> Self {
        Self {
            question: QuestionKind::None,
            habit: PauseHabit::new(),
        }
    }
}

/// One turn of the person: utterances separated by pauses too short to end it.
#[derive(Clone, Debug)]
pub(crate) struct UserTurn {
    pub(crate) turn: TurnId,
    utterances: Vec<Utterance>,
    pub(crate) speaking: bool,
    pub(crate) onset: Moment,
    pub(crate) speech_end: Option<Moment>,
    /// How the last speech sounded at its end.
    pub(crate) prosody: Option<Prosody>,
    /// When the last final transcript came.
    pub(crate) final_at: Option<Moment>,
    /// When the turn's first speech began.
    pub(crate) began_at: Moment,
    /// When the words last changed.
    pub(crate) changed_at: Moment,
    /// Replies begun early in this turn.
    pub(crate) drafts: u32,
    /// True where the client says that the turn is over.
    pub(crate) committed: bool,
    /// True where an utterance of it could not be recognized.
    pub(crate) failed: bool,
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
            prosody: None,
            final_at: None,
            began_at: onset,
            changed_at: onset,
            drafts: 0,
            committed: false,
            failed: false,
        }
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
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if utterance.text != words {
            utterance.text = words;
            self.changed_at = now;
        }
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
        let found = found.map(|utterance| utterance.settled = true).is_some();
        self.failed |= found;
        found
    }

    pub(crate) fn current_utterance(&self) -> Option<UtteranceId> {
        self.utterances.last().map(|utterance| utterance.id)
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

    /// True where something is known of what was said last.
    pub(crate) fn last_has_words(&self) -> bool {
        self.utterances
            .last()
            .is_some_and(|utterance| !utterance.text.is_empty())
    }

    /// True where no transcript is awaited.
    pub(crate) fn settled(&self) -> bool {
        self.utterances.iter().all(|utterance| utterance.settled)
    }

    /// The silence that this turn waits for after its speech.
    pub(crate) fn end_of_turn(&self, config: &EngineConfig, listener: &Listener) -> EndOfTurn {
        let settings = &config.endpointing;
        let fixed = |reason: &str| EndOfTurn {
            probability_permille: 1_000,
            wait_ms: settings.ms_min,
            reason: reason.to_owned(),
        };
        if self.committed {
            return EndOfTurn {
                wait_ms: 0,
                ..fixed("the client ended the turn")
            };
        }
        if settings.mode == EndpointingMode::Fixed {
            return fixed("a fixed silence");
        }
        let text = self.text();
        let evidence = Evidence {
            text: &text,
            is_final: self.settled(),
            text_trust_permille: settings.text_trust_permille,
            prosody: self.prosody,
            question: listener.question,
            habit: &listener.habit,
            turn_ms: self.speech_end.map_or(0, |end| end.ms_since(self.began_at)),
        };
        decide(&evidence, settings.ms_min, settings.ms_max)
    }

    /// When the turn ends if nothing else happens; none while the person speaks.
    pub(crate) fn deadline(&self, config: &EngineConfig, listener: &Listener) -> Option<Moment> {
        if self.speaking {
            return None;
        }
        let by_client = matches!(
            config.endpointing.mode,
            EndpointingMode::Manual | EndpointingMode::PushToTalk
        );
        if by_client && !self.committed {
            return None;
        }
        let end = self.speech_end?;
        let due = end.plus_ms(self.end_of_turn(config, listener).wait_ms);
        Some(if self.settled() {
            due
        } else {
            due.plus_ms(FINAL_GRACE_MS)
        })
    }
}
