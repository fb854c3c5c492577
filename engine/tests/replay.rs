//! Any inputs in any order: no panic, and a replay of the log is byte-identical.

#![allow(clippy::wildcard_enum_match_arm)] // a test looks for one variant among many

mod common;

use antiphon_engine::{
    Engine, EngineConfig, Input, Mark, Output, OverlapKind, SafetyAction, Subject,
};
use antiphon_proto::{
    AgentId, CloseReason, Event, GenerationId, Moment, NoticeCode, Role, SafetyState, SegmentId,
    SessionId, ToolCall, TurnId, UtteranceId,
};
use proptest::prelude::*;

fn config() -> EngineConfig {
    let mut config = EngineConfig::new(SessionId::from("sess_x"), AgentId::from("cal"), "Cal");
    config.words.greeting = "Hello there.".into();
    config.tools = vec!["clock".into()];
    config
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z .,?]{0,40}",
        Just("Bad news. Good news, though!".to_owned()),
        "\\PC{0,30}"
    ]
}

fn id() -> std::ops::Range<u32> {
    0..6
}

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![
        any_command(),
        any_transcript(),
        any_generation(),
        any_segment()
    ]
}

fn any_command() -> impl Strategy<Value = Input> {
    prop_oneof![
        Just(Input::Connected),
        Just(Input::Disconnected),
        words().prop_map(|text| Input::UserText { text }),
        (0u64..99).prop_map(|seconds| Input::MeterSecond { seconds }),
        Just(Input::InterruptRequested),
        Just(Input::SoundStarted),
        Just(Input::TalkPressed),
        Just(Input::TalkReleased),
        Just(Input::TurnCommitted),
        any::<char>().prop_map(|key| Input::Dtmf { key }),
        Just(Input::OverlapJudged {
            kind: OverlapKind::Interruption
        }),
        Just(Input::OverlapJudged {
            kind: OverlapKind::Noise
        }),
        Just(Input::Trouble {
            code: NoticeCode::BadMessage,
            message: "x".into()
        }),
        Just(Input::Timeout),
        Just(Input::Drain { limit_ms: 5_000 }),
        Just(Input::Close {
            reason: CloseReason::UserHungUp
        }),
    ]
}

fn any_transcript() -> impl Strategy<Value = Input> {
    let utterance = || id().prop_map(UtteranceId);
    let moment = || (0u64..60_000).prop_map(Moment::from_ms);
    prop_oneof![
        moment().prop_map(|onset| Input::SpeechStarted { onset }),
        moment().prop_map(|end| Input::SpeechStopped { end, prosody: None }),
        (utterance(), words())
            .prop_map(|(utterance, text)| Input::TranscriptPartial { utterance, text }),
        (utterance(), words())
            .prop_map(|(utterance, text)| Input::TranscriptFinal { utterance, text }),
        utterance().prop_map(|utterance| Input::TranscriptFailed { utterance }),
    ]
}

fn any_generation() -> impl Strategy<Value = Input> {
    let generation = || id().prop_map(GenerationId);
    prop_oneof![
        (generation(), words())
            .prop_map(|(generation, text)| Input::GenerationDelta { generation, text }),
        (generation(), any::<bool>()).prop_map(|(generation, hang_up)| Input::GenerationDone {
            generation,
            hang_up,
            hand_off: None
        }),
        generation().prop_map(|generation| Input::GenerationFailed { generation }),
        (generation(), id(), any::<bool>()).prop_map(|(generation, id, known)| {
            let call = ToolCall {
                id: format!("call_{id}").as_str().into(),
                name: if known { "clock" } else { "nothing" }.into(),
                arguments: "{}".into(),
            };
            Input::ToolCalls {
                generation,
                calls: vec![call],
            }
        }),
        (id(), words()).prop_map(|(id, result)| Input::ToolDone {
            id: format!("call_{id}").as_str().into(),
            result
        }),
        (id(), 0..3u8).prop_map(|(id, whose)| {
            let subject = if whose == 0 {
                Subject::User { turn: TurnId(id) }
            } else if whose == 1 {
                Subject::Draft { turn: TurnId(id) }
            } else {
                let segment = SegmentId(id);
                Subject::Agent { segment }
            };
            let (state, action) = (SafetyState::Normal, SafetyAction::Pass);
            Input::Verdict {
                subject,
                state,
                action,
            }
        }),
    ]
}

fn any_segment() -> impl Strategy<Value = Input> {
    let segment = || id().prop_map(SegmentId);
    prop_oneof![
        (segment(), 0usize..50, 0u64..5_000).prop_map(|(segment, text_end, end_ms)| {
            let marks = vec![Mark { text_end, end_ms }];
            Input::SegmentMarks { segment, marks }
        }),
        segment().prop_map(|segment| Input::SegmentStarted { segment }),
        (segment(), 0u64..9_000).prop_map(|(segment, duration_ms)| Input::SegmentMade {
            segment,
            duration_ms
        }),
        segment().prop_map(|segment| Input::SegmentFailed { segment }),
        segment().prop_map(|segment| Input::FirstFrameSent { segment }),
        (segment(), 0u64..9_000).prop_map(|(segment, heard_ms)| Input::Heard { segment, heard_ms }),
        segment().prop_map(|segment| Input::SegmentPlayed { segment }),
    ]
}

/// Runs a log; every check passes at once, as the driver does it.
fn run(log: &[(u64, Input)]) -> (Vec<Output>, Engine) {
    let mut engine = Engine::new(config());
    let mut outputs = Vec::new();
    let mut now = Moment::default();
    for (after_ms, input) in log {
        now = now.plus_ms(*after_ms);
        engine.handle_input(input.clone(), now);
        while let Some(output) = engine.poll_output() {
            if let Output::Classify { subject, .. } = &output {
                engine.handle_input(common::pass(*subject), now);
            }
            outputs.push(output);
        }
    }
    (outputs, engine)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_log_replays_to_identical_outputs(log in prop::collection::vec((0u64..2_000, any_input()), 0..60)) {
        let text = serde_json::to_string(&log).expect("a log is JSON");
        let again: Vec<(u64, Input)> = serde_json::from_str(&text).expect("and can be read");
        let (outputs, engine) = run(&log);
        prop_assert_eq!(serde_json::to_string(&outputs).expect("JSON"), serde_json::to_string(&run(&again).0).expect("JSON"));
        check_invariants(&outputs, &engine);
    }
}

fn check_invariants(outputs: &[Output], engine: &Engine) {
    let mut seq = 0;
    let mut spoken: Vec<String> = Vec::new();
    for output in outputs {
        match output {
            Output::Publish { envelope } => {
                seq += 1;
                assert_eq!(envelope.seq, seq, "events are numbered without gaps");
                if let Event::MessageCommitted { message } = &envelope.event
                    && message.role == Role::Agent
                {
                    let mut said = spoken.iter();
                    let heard = message.text.split_whitespace();
                    for word in heard {
                        assert!(
                            said.any(|spoken: &String| spoken == word),
                            "heard what was never spoken: {word:?}"
                        );
                    }
                }
            }
            Output::Speak { text, .. } => {
                spoken.extend(text.split_whitespace().map(str::to_owned));
            }
            _ => {}
        }
    }
    let closes = outputs
        .iter()
        .filter(|output| matches!(output, Output::Close { .. }))
        .count();
    assert!(closes <= 1);
    assert!(
        engine
            .history()
            .all(|message| message.tool.is_some() || !message.text.is_empty())
    );
}
