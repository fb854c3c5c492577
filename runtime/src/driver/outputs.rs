//! Carrying out what the engine asks for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use antiphon_engine::{Input, Output, SafetyAction, Subject};
use antiphon_proto::{Event, EventEnvelope, GenerationId, Message, Moment, SafetyState, ToolCall};
use antiphon_providers::think::{ThinkLimits, ThinkRequest};
use antiphon_safety::{Decision, Monitor};

use super::caller::outputs_json;
use super::{Driver, now_std, profile};
use crate::measure;

impl Driver {
    pub(super) fn carry_out(&mut self, output: Output, now: Moment) {
        match output {
            Output::BeginUtterance { utterance, onset } => self.ears.begin(utterance, onset, now),
            Output::FinishUtterance { utterance } => self.ears.finish(utterance),
            Output::CancelUtterance { utterance } => self.ears.cancel(utterance),
            Output::Classify { subject, text } => self.classify(subject, &text),
            Output::StartGeneration {
                generation,
                history,
                tools,
            } => self.start_generation(generation, history, tools),
            Output::CancelGeneration { generation: _ } => self.thinking = None,
            Output::Speak {
                segment,
                turn: _,
                text,
                hold,
            } => {
                if hold {
                    self.mouth.playout.hold();
                }
                self.mouth.say(segment, text);
            }
            Output::ReleasePlayout => {
                self.mouth.playout.release();
                self.begin_speaking();
            }
            Output::DuckPlayout => self.mouth.playout.duck(true),
            Output::UnduckPlayout => self.mouth.playout.duck(false),
            Output::SwitchAgent { agent } => self.switch_agent(&agent),
            Output::RunTool { call } => self.run_tool(call),
            Output::CancelTool { id } => {
                self.tools_running.remove(&id);
            }
            Output::PausePlayout => self.mouth.playout.pause(),
            Output::ResumePlayout => {
                if !self.stalled {
                    self.mouth.playout.resume();
                }
            }
            Output::StopPlayout => self.mouth.stop(),
            Output::Publish { envelope } => self.publish(&envelope),
            Output::Decided { .. } => {}
            Output::Close { reason } => self.done = Some(reason),
        }
    }

    /// The embedded check is a few microseconds of pure code, so it runs in place. If it fails, the
    /// cautious branch is taken.
    fn classify(&mut self, subject: Subject, text: &str) {
        let monitor = &mut self.monitor;
        let decision = catch_unwind(AssertUnwindSafe(|| match subject {
            Subject::User { .. } => monitor.user_turn(text),
            Subject::Draft { .. } => monitor.user_draft(text),
            Subject::Agent { .. } => monitor.agent_sentence(text),
        }));
        let decision = decision.unwrap_or_else(|_| {
            measure::failure("safety");
            Monitor::cautious()
        });
        let action = match decision {
            Decision::Pass => SafetyAction::Pass,
            Decision::Replace(text) => SafetyAction::Replace {
                text: text.to_owned(),
            },
        };
        self.inbox.push_back(Input::Verdict {
            subject,
            state: self.monitor.state(),
            action,
        });
    }

    fn run_tool(&mut self, call: ToolCall) {
        let id = call.id.clone();
        let task = self.tools.run(&self.id, call, self.tool_sender.clone());
        self.tools_running.insert(id, task);
    }

    fn start_generation(&mut self, generation: GenerationId, history: Vec<Message>, tools: bool) {
        let request = ThinkRequest {
            generation,
            agent: Arc::clone(&self.agent),
            history,
            tools: profile::declared(&self.agent, self.tools.as_ref(), tools),
            limits: ThinkLimits::default(),
            already_said: None,
        };
        self.thinking = Some(self.think.start(request, self.think_sender.clone()));
    }

    fn publish(&mut self, envelope: &EventEnvelope) {
        self.reflect(&envelope.event);
        let json = outputs_json(envelope);
        if let Some(transport) = &mut self.transport {
            transport.send_event(now_std(), &json);
        }
        // No subscriber is no error.
        let _ = self.events.send(json);
    }

    /// Keeps the outside view and the metrics up to date with what is published.
    fn reflect(&mut self, event: &Event) {
        match event {
            Event::MessageCommitted { .. } | Event::SessionEnded { .. } => {
                if let Event::SessionEnded { speculation, .. } = event {
                    measure::speculation(speculation);
                }
                let history: Arc<Vec<Message>> = Arc::new(self.engine.history().cloned().collect());
                self.view.send_modify(|view| view.history = history);
            }
            Event::Safety { state } => {
                let state = *state;
                self.view.send_modify(|view| view.safety = state);
                if state == SafetyState::SafetyMode {
                    self.meter.pause(self.clock.now());
                } else {
                    self.start_meter();
                }
            }
            Event::TurnTimeline { timeline } => measure::turn(timeline),
            Event::SessionStarted { .. }
            | Event::AgentState { .. }
            | Event::UserSpeech { .. }
            | Event::UserTranscript { .. }
            | Event::AgentText { .. }
            | Event::AgentHeard { .. }
            | Event::AgentChanged { .. }
            | Event::UserAway {}
            | Event::Tool { .. }
            | Event::Meter { .. }
            | Event::Cost { .. }
            | Event::ProviderChanged { .. }
            | Event::Notice { .. }
            | Event::SessionEnding { .. } => {}
        }
    }
}
