//! What the page of a call shows, put together from its steps.

use std::collections::BTreeMap;

use antiphon_proto::Moment;
use antiphon_runtime::log::{Header, Replayed, Step, Verdict};
use serde::Serialize;
use serde_json::Value;

use super::explain::Explainer;
use super::facts::{self, json, kind, number, prefix_utf16, text};

/// A call on one time axis. All times are milliseconds since the session was created.
#[derive(Debug, Default, Serialize)]
pub(super) struct Story {
    pub(super) session: String,
    pub(super) agent: String,
    pub(super) engine: String,
    pub(super) started_at: String,
    /// When the last thing happened.
    pub(super) end_ms: u64,
    /// What the replay proved, in a line.
    pub(super) verdict: String,
    /// False where an output differed.
    pub(super) same: bool,
    /// When the caller spoke.
    pub(super) speech: Vec<Span>,
    /// What was understood.
    pub(super) transcripts: Vec<Transcript>,
    /// What the agent said.
    pub(super) captions: Vec<Caption>,
    /// What it was doing.
    pub(super) states: Vec<State>,
    /// What was decided.
    pub(super) decisions: Vec<Decision>,
    /// Where the time of each turn went.
    pub(super) turns: Vec<Turn>,
    /// Everything else that people should know.
    pub(super) notices: Vec<Notice>,
    /// What was said and heard.
    pub(super) messages: Vec<Said>,
}

/// From when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Span {
    pub(super) from: u64,
    pub(super) to: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Transcript {
    at: u64,
    utterance: u64,
    text: String,
    last: bool,
}

/// A sentence of the agent.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Caption {
    pub(super) turn: u64,
    pub(super) text: String,
    /// The part of the text that was heard.
    pub(super) heard: String,
    /// When it was ordered.
    pub(super) asked: u64,
    /// Its audio; absent where none was sent.
    pub(super) from: Option<u64>,
    pub(super) to: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(super) struct State {
    from: u64,
    to: u64,
    state: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Decision {
    at: u64,
    decision: String,
    why: String,
    /// The inputs since the decision before.
    led_by: Vec<String>,
}

#[derive(Debug, Serialize)]
pub(super) struct Turn {
    turn: u64,
    /// End of the caller's speech; the stages count from it.
    end: u64,
    reason: String,
    /// Names and milliseconds, in order.
    stages: Vec<(String, u64)>,
}

#[derive(Debug, Serialize)]
pub(super) struct Notice {
    at: u64,
    kind: String,
    text: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Said {
    pub(super) at: u64,
    pub(super) role: String,
    pub(super) text: String,
    pub(super) interrupted: bool,
}

/// Takes steps and tells the story.
pub(super) struct StoryTeller {
    story: Story,
    explainer: Explainer,
    speaking: Option<u64>,
    state: Option<(u64, String)>,
    segments: BTreeMap<u64, Caption>,
}

impl StoryTeller {
    pub(super) fn new(header: Header) -> Self {
        Self {
            story: Story {
                session: header.session.0,
                agent: header.config.agent_name,
                engine: header.engine,
                started_at: header.started_at,
                ..Story::default()
            },
            explainer: Explainer::default(),
            speaking: None,
            state: None,
            segments: BTreeMap::new(),
        }
    }

    pub(super) fn take(&mut self, step: &Step) {
        let at = step.at.ms();
        self.story.end_ms = self.story.end_ms.max(at);
        self.explainer.note(step);
        self.take_input(at, &json(&step.input));
        let mut decided = false;
        for output in &step.outputs {
            let output = json(output);
            decided |= kind(&output) == "decided";
            self.take_output(at, &output);
        }
        if decided {
            self.explainer.forget();
        }
    }

    pub(super) fn story(mut self, replayed: &Replayed) -> Story {
        let end = self.story.end_ms;
        self.caller_silent(end);
        self.enter(end, None);
        self.story.captions = self.segments.into_values().collect();
        self.story
            .captions
            .sort_by_key(|caption| caption.from.unwrap_or(caption.asked));
        self.story.verdict = super::verdict_text(replayed);
        self.story.same = !matches!(replayed.verdict(), Verdict::Different(_));
        self.story
    }

    fn take_input(&mut self, at: u64, input: &Value) {
        let moment = |name| Moment(number(input, name)).ms();
        match kind(input) {
            "speech_started" => {
                self.caller_silent(at);
                self.speaking = Some(moment("onset").min(at));
            }
            "speech_stopped" => self.caller_silent(moment("end").min(at)),
            which @ ("transcript_partial" | "transcript_final") => {
                self.story.transcripts.push(Transcript {
                    at,
                    utterance: number(input, "utterance"),
                    text: text(input, "text").to_owned(),
                    last: which == "transcript_final",
                });
            }
            "first_frame_sent" => self.segment(input).from = Some(at),
            "segment_played" => {
                let caption = self.segment(input);
                caption.to = Some(at);
                caption.heard.clone_from(&caption.text);
            }
            "dtmf" => self.notice(at, "key", text(input, "key")),
            "user_text" => self.notice(at, "typed", text(input, "text")),
            "generation_failed" => self.notice(at, "trouble", "the responder failed"),
            "segment_failed" => self.notice(at, "trouble", "a sentence could not be spoken"),
            "transcript_failed" => self.notice(at, "trouble", "the recognizer failed"),
            which @ ("connected"
            | "disconnected"
            | "interrupt_requested"
            | "talk_pressed"
            | "talk_released"
            | "turn_committed") => {
                self.notice(at, "call", &which.replace('_', " "));
            }
            _ => {}
        }
    }

    fn take_output(&mut self, at: u64, output: &Value) {
        match kind(output) {
            "decided" => self.story.decisions.push(Decision {
                at,
                decision: text(output, "decision").to_owned(),
                why: text(output, "why").to_owned(),
                led_by: self.explainer.led_by(),
            }),
            "speak" => {
                let caption = self.segment(output);
                caption.asked = at;
                caption.turn = number(output, "turn");
                text(output, "text").clone_into(&mut caption.text);
            }
            "stop_playout" => {
                for caption in self.segments.values_mut() {
                    if caption.from.is_some() && caption.to.is_none() {
                        caption.to = Some(at);
                    }
                }
            }
            "publish" => {
                if let Some(event) = output.get("envelope") {
                    self.take_event(at, event);
                }
            }
            "run_tool" => {
                let name = output.get("call").map_or("", |call| text(call, "name"));
                self.notice(at, "tool", &format!("runs {name}"));
            }
            "close" => self.notice(at, "call", &format!("over: {}", text(output, "reason"))),
            _ => {}
        }
    }

    fn take_event(&mut self, at: u64, event: &Value) {
        match kind(event) {
            "agent_state" => self.enter(at, Some(text(event, "state"))),
            "agent_heard" => {
                let units = number(event, "heard_utf16");
                let caption = self.segment(event);
                caption.heard = prefix_utf16(&caption.text, units).to_owned();
            }
            "turn_timeline" => {
                if let Some(timeline) = event.get("timeline") {
                    self.story.turns.push(turn(timeline));
                }
            }
            "message_committed" => {
                if let Some(message) = event.get("message") {
                    self.story.messages.push(Said {
                        at,
                        role: text(message, "role").to_owned(),
                        text: text(message, "text").to_owned(),
                        interrupted: message.get("interrupted") == Some(&Value::Bool(true)),
                    });
                }
            }
            "user_away" => self.notice(at, "call", "nobody has said anything for long"),
            "safety" if text(event, "state") != "NORMAL" => {
                self.notice(at, "safety", text(event, "state"));
            }
            "notice" => self.notice(at, "notice", text(event, "message")),
            _ => {}
        }
    }

    fn segment(&mut self, of: &Value) -> &mut Caption {
        self.segments.entry(number(of, "segment")).or_default()
    }

    fn caller_silent(&mut self, to: u64) {
        if let Some(from) = self.speaking.take() {
            let to = to.max(from);
            self.story.speech.push(Span { from, to });
        }
    }

    fn enter(&mut self, at: u64, state: Option<&str>) {
        let next = state.map(|state| (at, state.to_owned()));
        if let Some((from, state)) = std::mem::replace(&mut self.state, next) {
            let to = at;
            self.story.states.push(State { from, to, state });
        }
    }

    fn notice(&mut self, at: u64, kind: &str, text: &str) {
        self.story.notices.push(Notice {
            at,
            kind: kind.to_owned(),
            text: text.to_owned(),
        });
    }
}

fn turn(timeline: &Value) -> Turn {
    Turn {
        turn: number(timeline, "turn"),
        end: number(timeline, "user_end_at_ms"),
        reason: text(timeline, "endpointing_reason").to_owned(),
        stages: facts::stages(timeline),
    }
}
