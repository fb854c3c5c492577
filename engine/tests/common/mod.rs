//! A conversation driven by hand, in virtual time.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::wildcard_enum_match_arm
)] // a part is used by each test

use antiphon_engine::{
    EndpointingMode, Engine, EngineConfig, Input, Mark, Output, SafetyAction, SpeculationMode,
    Subject,
};
use antiphon_proto::{
    AgentId, CloseReason, Event, GenerationId, Message, Moment, SafetyState, SegmentId, SessionId,
    UtteranceId,
};

pub struct Call {
    pub engine: Engine,
    pub now: Moment,
    /// Everything put out since the last [`Call::take`].
    pub outputs: Vec<Output>,
    /// Answer every check with "pass".
    pub auto_verdicts: bool,
}

impl Call {
    pub fn with(change: impl FnOnce(&mut EngineConfig)) -> Self {
        let mut config =
            EngineConfig::new(SessionId::from("sess_test"), AgentId::from("cal"), "Cal");
        // Replies begun early have tests of their own.
        config.speculation.mode = SpeculationMode::Off;
        config.endpointing.mode = EndpointingMode::Fixed;
        config.endpointing.ms_min = 500;
        change(&mut config);
        Self {
            engine: Engine::new(config),
            now: Moment::default(),
            outputs: Vec::new(),
            auto_verdicts: true,
        }
    }

    /// Connected, without a greeting.
    pub fn connected() -> Self {
        let mut call = Self::with(|_| {});
        call.input(Input::Connected);
        call.take();
        call
    }

    pub fn input(&mut self, input: Input) -> &mut Self {
        self.engine.handle_input(input, self.now);
        self.drain();
        self
    }

    fn drain(&mut self) {
        while let Some(output) = self.engine.poll_output() {
            let verdict = match &output {
                Output::Classify { subject, .. } if self.auto_verdicts => Some(pass(*subject)),
                _ => None,
            };
            self.outputs.push(output);
            if let Some(verdict) = verdict {
                self.engine.handle_input(verdict, self.now);
            }
        }
    }

    /// Lets time pass, waking the engine at each of its deadlines.
    pub fn wait_ms(&mut self, ms: u64) -> &mut Self {
        let until = self.now.plus_ms(ms);
        while let Some((due, _)) = self.engine.poll_timeout().filter(|(due, _)| *due <= until) {
            self.now = self.now.max(due);
            self.input(Input::Timeout);
        }
        self.now = until;
        self
    }

    pub fn take(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    pub fn events(&mut self) -> Vec<Event> {
        self.take()
            .into_iter()
            .filter_map(|output| match output {
                Output::Publish { envelope } => Some(envelope.event),
                _ => None,
            })
            .collect()
    }

    /// Speaks for `ms`, pausing at the end for as long as the detector takes.
    pub fn speaks(&mut self, utterance: u32, ms: u64, text: &str) -> &mut Self {
        let onset = self.now;
        self.wait_ms(80).input(Input::SpeechStarted { onset });
        let end = onset.plus_ms(ms);
        self.wait_ms(end.plus_ms(200).ms_since(self.now))
            .input(Input::SpeechStopped { end, prosody: None });
        let utterance = UtteranceId(utterance);
        self.input(Input::TranscriptFinal {
            utterance,
            text: text.into(),
        })
    }

    /// The responder answers with these words at once.
    pub fn answers(&mut self, generation: u32, text: &str) -> &mut Self {
        let generation = GenerationId(generation);
        self.input(Input::GenerationDelta {
            generation,
            text: text.into(),
        });
        self.input(Input::GenerationDone {
            generation,
            hang_up: false,
            hand_off: None,
        })
    }

    /// The voice makes a segment with a word each 200 ms, and its first frame is sent.
    pub fn begins_playing(&mut self, segment: u32, text: &str) -> &mut Self {
        let segment = SegmentId(segment);
        self.input(Input::SegmentMarks {
            segment,
            marks: marks(text),
        });
        self.input(Input::SegmentStarted { segment });
        self.input(Input::FirstFrameSent { segment })
    }

    pub fn plays_whole(&mut self, segment: u32, text: &str) -> &mut Self {
        self.begins_playing(segment, text);
        let duration_ms = 200 * text.split_whitespace().count() as u64;
        let segment = SegmentId(segment);
        self.input(Input::SegmentMade {
            segment,
            duration_ms,
        });
        self.wait_ms(duration_ms)
            .input(Input::SegmentPlayed { segment })
    }

    pub fn heard(&mut self, segment: u32, heard_ms: u64) -> &mut Self {
        self.input(Input::Heard {
            segment: SegmentId(segment),
            heard_ms,
        })
    }

    pub fn history(&self) -> Vec<(String, bool)> {
        self.engine
            .history()
            .map(
                |Message {
                     text, interrupted, ..
                 }| (text.clone(), *interrupted),
            )
            .collect()
    }
}

pub fn pass(subject: Subject) -> Input {
    Input::Verdict {
        subject,
        state: SafetyState::Normal,
        action: SafetyAction::Pass,
    }
}

pub fn marks(text: &str) -> Vec<Mark> {
    let mut end = 0;
    text.split(' ')
        .enumerate()
        .map(|(i, word)| {
            end += word.len() + usize::from(i > 0);
            Mark {
                text_end: end,
                end_ms: 200 * (i as u64 + 1),
            }
        })
        .collect()
}

pub fn spoken(outputs: &[Output]) -> Vec<String> {
    outputs
        .iter()
        .filter_map(|output| match output {
            Output::Speak { text, .. } => Some(text.clone()),
            _ => None,
        })
        .collect()
}

pub fn generations(outputs: &[Output]) -> usize {
    outputs
        .iter()
        .filter(|output| matches!(output, Output::StartGeneration { .. }))
        .count()
}

pub fn closed(outputs: &[Output]) -> Option<CloseReason> {
    outputs.iter().find_map(|output| match output {
        Output::Close { reason } => Some(*reason),
        _ => None,
    })
}
