//! The recognizer, the responder, the voice, the tools and the safety check.

use antiphon_engine::{Input, Mark, Output, SafetyAction, Subject};
use antiphon_proto::{Event, GenerationId, SafetyState, SegmentId, ToolCall, UtteranceId};

use super::call::{AtVoice, Call, Next};
use super::plans::{HearPlan, ToolPlan, VoiceEnd, VoicePlan, reply};
use super::scenario::{CALM_STRAY, CRISIS, FORBIDDEN};

/// What is said instead of what may not be said, and to a person in need.
const REVIEWED: &str = "I cannot say more about that. Please call the help line.";

impl Call<'_> {
    pub(super) fn carry_out(&mut self, output: Output) {
        match output {
            Output::BeginUtterance { utterance, .. } => self.begin_utterance(utterance),
            Output::FinishUtterance { utterance } => self.finish_utterance(utterance),
            Output::CancelUtterance { utterance } => {
                let leaks = self
                    .utterances
                    .get(&utterance)
                    .is_some_and(|(plan, _)| plan.leaks);
                self.utterances.remove(&utterance);
                if !leaks {
                    self.listening.remove(&utterance);
                }
            }
            Output::Classify { subject, text } => self.classify(subject, &text),
            Output::StartGeneration {
                generation, tools, ..
            } => self.think(generation, tools),
            Output::CancelGeneration { generation } => {
                self.counts.add("generations cancelled");
                if self.thinking.get(&generation) == Some(&false) {
                    self.thinking.remove(&generation);
                }
            }
            Output::Speak {
                segment,
                text,
                hold,
                ..
            } => {
                self.counts
                    .add(if hold { "sentences held" } else { "sentences" });
                self.playout.begin(segment, hold);
                self.voice_line.push_back((segment, text));
                self.next_sentence();
            }
            Output::ReleasePlayout => self.playout.release(),
            Output::DuckPlayout => self.counts.add("ducked"),
            Output::UnduckPlayout => {}
            Output::SwitchAgent { .. } => self.counts.add("agents switched"),
            Output::RunTool { call } => self.run_tool(call),
            Output::CancelTool { id } => {
                self.counts.add("tools cancelled");
                if self.tools.get(&id) == Some(&false) {
                    self.tools.remove(&id);
                }
            }
            Output::PausePlayout => {
                self.counts.add("paused");
                self.playout.pause();
            }
            Output::ResumePlayout => self.playout.resume(),
            Output::StopPlayout => {
                self.playout.stop();
                self.voice_line.clear();
                self.at_voice = None;
            }
            Output::Publish { envelope } => self.published(&envelope.event),
            Output::Decided { decision, .. } => self.counts.add(decided(decision)),
            Output::Close { reason } => {
                self.closed = true;
                self.counts.add(closed(reason));
            }
        }
    }

    fn published(&mut self, event: &Event) {
        if let Event::MessageCommitted { message } = event {
            match message.role {
                antiphon_proto::Role::User => self.counts.add("turns"),
                antiphon_proto::Role::Agent if message.interrupted => {
                    self.counts.add("replies interrupted");
                }
                antiphon_proto::Role::Agent => self.counts.add("replies heard whole"),
                antiphon_proto::Role::ToolCall => self.counts.add("tool calls in history"),
                antiphon_proto::Role::ToolResult => self.counts.add("tool results in history"),
            }
        }
    }

    fn begin_utterance(&mut self, utterance: UtteranceId) {
        let plan = HearPlan::draw(self.scenario, u64::from(utterance.0));
        let (onset, text, ms) = match &self.stretch {
            Some((onset, stretch)) => (*onset, stretch.text.clone(), stretch.ms),
            None => (self.now, String::new(), 0),
        };
        self.listening.insert(utterance);
        let mut at_ms = plan.partial_ms + 100;
        let words: Vec<&str> = text.split_whitespace().collect();
        while at_ms < ms + 200 && !words.is_empty() {
            let heard = (words.len() as u64 * at_ms / ms.max(1)).min(words.len() as u64);
            let partial = words[..heard as usize].join(" ");
            let input = Input::TranscriptPartial {
                utterance,
                text: partial,
            };
            self.at(onset.plus_ms(at_ms), Next::Hears(utterance, input));
            at_ms += plan.partial_ms;
        }
        self.utterances.insert(utterance, (plan, text));
    }

    fn finish_utterance(&mut self, utterance: UtteranceId) {
        let Some((plan, text)) = self.utterances.get(&utterance).cloned() else {
            return;
        };
        let Some(final_ms) = plan.final_ms else {
            return self.counts.add("finals that never came");
        };
        if plan.fails {
            self.counts.add("recognizer failures");
            let input = Input::TranscriptFailed { utterance };
            return self.in_ms(final_ms, Next::Hears(utterance, input));
        }
        let mut said = text.clone();
        if plan.revises && !text.is_empty() {
            self.counts.add("finals with other words");
            said.push_str(" then");
        }
        let input = Input::TranscriptFinal {
            utterance,
            text: said,
        };
        self.in_ms(final_ms, Next::Hears(utterance, input));
        if plan.reorders {
            self.counts.add("partials after the final");
            let input = Input::TranscriptPartial { utterance, text };
            self.in_ms(final_ms + 10, Next::Hears(utterance, input));
        }
    }

    fn classify(&mut self, subject: Subject, text: &str) {
        // What is known by then may weigh more than what a draft was checked with.
        let graver = self.scenario.calm & CALM_STRAY == 0 && self.strays.chance(4);
        let bad = match subject {
            Subject::User { .. } => text.contains(CRISIS) || graver,
            Subject::Draft { .. } => text.contains(CRISIS),
            Subject::Agent { .. } => text.contains(FORBIDDEN),
        };
        let (state, action) = if bad {
            self.counts.add("texts replaced");
            let text = REVIEWED.to_owned();
            (SafetyState::HighRisk, SafetyAction::Replace { text })
        } else {
            (SafetyState::Normal, SafetyAction::Pass)
        };
        self.inbox.push_back(Input::Verdict {
            subject,
            state,
            action,
        });
    }

    fn think(&mut self, generation: GenerationId, tools: bool) {
        self.counts.add("generations");
        let (plan, leaks) = reply(self.scenario, u64::from(generation.0), tools);
        // The runtime drops the stream of a responder that is asked again.
        self.thinking.retain(|_, leaks| *leaks);
        self.thinking.insert(generation, leaks);
        for (after_ms, text) in plan.deltas {
            let input = Input::GenerationDelta { generation, text };
            self.in_ms(after_ms, Next::Thinks(generation, input));
        }
        let Some(ends_ms) = plan.ends_ms else {
            return self.counts.add("generations that stall");
        };
        if plan.fails {
            self.counts.add("generations that fail");
            let input = Input::GenerationFailed { generation };
            return self.in_ms(ends_ms, Next::Thinks(generation, input));
        }
        if !plan.calls.is_empty() {
            let calls = plan.calls;
            let input = Input::ToolCalls { generation, calls };
            self.in_ms(ends_ms, Next::Thinks(generation, input));
        }
        let input = Input::GenerationDone {
            generation,
            hang_up: plan.hang_up,
            hand_off: None,
        };
        self.in_ms(ends_ms, Next::Thinks(generation, input));
    }

    fn run_tool(&mut self, call: ToolCall) {
        self.tools_run += 1;
        let plan = ToolPlan::draw(self.scenario, self.tools_run);
        self.counts.add("tools");
        self.tools.insert(call.id.clone(), plan.leaks);
        let Some(after_ms) = plan.after_ms else {
            return self.counts.add("tools that never answer");
        };
        let result = format!("result of {}", call.id);
        if plan.doubles {
            self.counts.add("tools that answer twice");
            let again = Next::ToolEnds(call.id.clone(), format!("{result} again"));
            self.in_ms(after_ms + 50, again);
        }
        self.in_ms(after_ms, Next::ToolEnds(call.id, result));
    }

    /// The voice makes one sentence after the other.
    fn next_sentence(&mut self) {
        if self.at_voice.is_some() {
            return;
        }
        let Some((id, text)) = self.voice_line.pop_front() else {
            return;
        };
        let plan = VoicePlan::draw(self.scenario, u64::from(id.0), &text);
        if let Some(spoken) = self.rules.spoken(id) {
            (spoken.audio_ms, spoken.marks) = (plan.audio_ms, plan.marks);
        }
        self.in_ms(plan.first_ms, Next::Voice(id, 0));
        self.at_voice = Some(AtVoice {
            id,
            text,
            plan,
            made: 0,
        });
    }

    /// A part of a sentence is made, or the voice breaks off.
    pub(super) fn voice_part(&mut self, segment: SegmentId, part: u64) {
        let Some(voice) = self
            .at_voice
            .as_mut()
            .filter(|voice| voice.id == segment && voice.made == part)
        else {
            return;
        };
        if part >= voice.plan.made {
            return self.sentence_ends();
        }
        voice.made += 1;
        let plan = voice.plan.clone();
        let (from_ms, to_ms) = (
            plan.audio_ms * part / plan.parts,
            plan.audio_ms * (part + 1) / plan.parts,
        );
        let marks = marks(&voice.text, plan.audio_ms, from_ms, to_ms);
        let ends: Vec<u64> = marks.iter().map(|mark| mark.end_ms).collect();
        let ends = if plan.marks { ends } else { Vec::new() };
        self.playout.grow(segment, to_ms, ends);
        if plan.marks {
            self.tell(Input::SegmentMarks { segment, marks });
        }
        if part == 0 {
            self.tell(Input::SegmentStarted { segment });
        }
        let whole = part + 1 == plan.made && plan.end == VoiceEnd::Made;
        let gap_ms = if whole { 0 } else { plan.gap_ms };
        self.in_ms(gap_ms, Next::Voice(segment, part + 1));
    }

    fn sentence_ends(&mut self) {
        let Some(voice) = &self.at_voice else { return };
        let (segment, plan) = (voice.id, voice.plan.clone());
        let duration_ms = plan.audio_ms * plan.made / plan.parts;
        match (plan.end, plan.made) {
            (VoiceEnd::Stalls, _) => {
                self.counts.add("sentences that stall");
                return self.rules.voice_stalled();
            }
            (VoiceEnd::Fails, 0) => {
                self.counts.add("sentences that fail");
                self.at_voice = None;
                self.playout.forget(segment);
                if let Some(spoken) = self.rules.spoken(segment) {
                    spoken.over = true;
                }
                self.tell(Input::SegmentFailed { segment });
            }
            (VoiceEnd::Fails, _) => {
                self.counts.add("sentences that fail half-way");
                self.at_voice = None;
                self.playout.complete(segment);
                if let Some(spoken) = self.rules.spoken(segment) {
                    spoken.broken = true;
                }
                self.tell(Input::SegmentFailed { segment });
            }
            (VoiceEnd::Made, _) => {
                self.at_voice = None;
                self.playout.complete(segment);
                if let Some(spoken) = self.rules.spoken(segment) {
                    spoken.told_length = true;
                }
                self.tell(Input::SegmentMade {
                    segment,
                    duration_ms,
                });
            }
        }
        self.next_sentence();
    }
}

/// Ends of words between two moments of a sentence, in proportion to the words' lengths.
fn marks(text: &str, audio_ms: u64, from_ms: u64, to_ms: u64) -> Vec<Mark> {
    let total = text.len().max(1) as u64;
    let ends = text.match_indices(' ').map(|(at, _)| at);
    ends.chain([text.len()])
        .map(|text_end| Mark {
            text_end,
            end_ms: audio_ms * text_end as u64 / total,
        })
        .filter(|mark| mark.end_ms > from_ms && mark.end_ms <= to_ms)
        .collect()
}

fn decided(decision: antiphon_engine::Decision) -> &'static str {
    use antiphon_engine::Decision;
    match decision {
        Decision::Wait => "decided: wait",
        Decision::TurnEnded => "decided: turn ended",
        Decision::Duck => "decided: duck",
        Decision::Hold => "decided: hold",
        Decision::Continue => "decided: continue",
        Decision::Stop => "decided: stop",
        Decision::Speculate => "decided: speculate",
        Decision::Confirm => "decided: confirm",
        Decision::Discard => "decided: discard",
        Decision::Fill => "decided: fill",
        Decision::Retry => "decided: retry",
        Decision::HandOff => "decided: hand off",
        Decision::End => "decided: end",
    }
}

fn closed(reason: antiphon_proto::CloseReason) -> &'static str {
    use antiphon_proto::CloseReason;
    match reason {
        CloseReason::UserHungUp => "closed: user hung up",
        CloseReason::AgentHungUp => "closed: agent hung up",
        CloseReason::Deleted => "closed: deleted",
        CloseReason::ConnectionLost => "closed: connection lost",
        CloseReason::NeverConnected => "closed: never connected",
        CloseReason::Drained => "closed: drained",
        CloseReason::TimeLimit => "closed: time limit",
        CloseReason::UserAway => "closed: user away",
        CloseReason::TooManyFailures => "closed: too many failures",
        CloseReason::Voicemail => "closed: voicemail",
        CloseReason::InternalError => "closed: internal error",
    }
}
