//! Random calls, and logs in memory.

use std::io::{Read, Write};

use antiphon_engine::{EngineConfig, Input, Mark, SafetyAction, Subject};
use antiphon_proto::{
    AgentId, CloseReason, GenerationId, Moment, NoticeCode, SafetyState, SegmentId, SessionId,
    TurnId, UtteranceId,
};
use antiphon_runtime::log::{Ending, Header, LogError, LogReader, Record, Replayed, replay};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use proptest::prelude::*;

pub type Inputs = Vec<(Moment, Input)>;

pub fn config() -> EngineConfig {
    EngineConfig::new(SessionId::from("sess_x"), AgentId::from("cal"), "Cal")
}

pub fn header() -> Header {
    Header::new(config(), "2026-01-02T03:04:05Z".to_owned())
}

pub fn written(inputs: &[(Moment, Input)]) -> Vec<u8> {
    antiphon_runtime::log::write_log(Vec::new(), &header(), inputs.iter().cloned()).unwrap()
}

/// All records and the ending.
pub fn read(log: &[u8]) -> Result<(Vec<Record>, Ending), LogError> {
    let mut reader = LogReader::open(log)?;
    let mut records = Vec::new();
    while let Some(record) = reader.next_record()? {
        records.push(record);
    }
    Ok((records, reader.ending().unwrap().clone()))
}

pub fn replayed(log: &[u8]) -> Result<Replayed, LogError> {
    replay(&mut LogReader::open(log)?, None, |_| {})
}

/// A log of these lines as they are.
pub fn packed(version: &str, lines: &str) -> Vec<u8> {
    let mut log = format!("antiphon-log {version}\n").into_bytes();
    let mut gz = GzEncoder::new(&mut log, Compression::fast());
    gz.write_all(lines.as_bytes()).unwrap();
    gz.finish().unwrap();
    log
}

/// The lines of a log.
pub fn unpacked(log: &[u8]) -> String {
    let start = log.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let mut lines = String::new();
    GzDecoder::new(&log[start..])
        .read_to_string(&mut lines)
        .unwrap();
    lines
}

/// A short conversation: typed, answered, spoken, heard in part, over.
pub fn conversation() -> Inputs {
    let (generation, segment, utterance) = (GenerationId(1), SegmentId(1), UtteranceId(1));
    let text = "Choose a short name.".to_owned();
    let pass = |subject| Input::Verdict {
        subject,
        state: SafetyState::Normal,
        action: SafetyAction::Pass,
    };
    let marks = vec![Mark {
        text_end: 6,
        end_ms: 200,
    }];
    let turn = TurnId(1);
    let inputs = vec![
        (0, Input::Connected),
        (
            1_200,
            Input::UserText {
                text: "which name?".to_owned(),
            },
        ),
        (1_200, pass(Subject::User { turn })),
        (1_450, Input::GenerationDelta { generation, text }),
        (
            1_460,
            Input::GenerationDone {
                generation,
                hang_up: false,
                hand_off: None,
            },
        ),
        (1_460, pass(Subject::Agent { segment })),
        (1_500, Input::SegmentMarks { segment, marks }),
        (1_500, Input::SegmentStarted { segment }),
        (1_510, Input::FirstFrameSent { segment }),
        (
            1_800,
            Input::Heard {
                segment,
                heard_ms: 260,
            },
        ),
        (
            2_100,
            Input::SpeechStarted {
                onset: Moment::from_ms(2_010),
            },
        ),
        (
            2_700,
            Input::TranscriptPartial {
                utterance,
                text: "wait".to_owned(),
            },
        ),
        (2_800, Input::Timeout),
        (
            3_000,
            Input::Close {
                reason: CloseReason::UserHungUp,
            },
        ),
    ];
    inputs
        .into_iter()
        .map(|(ms, input)| (Moment::from_ms(ms), input))
        .collect()
}

/// Any inputs in any order, microseconds apart.
pub fn any_inputs(most: usize) -> impl Strategy<Value = Inputs> {
    prop::collection::vec((0u64..1_500_000, any_input()), 0..most).prop_map(|gaps| {
        let mut now = Moment::default();
        let step = |(gap, input)| {
            now = Moment(now.0 + gap);
            (now, input)
        };
        gaps.into_iter().map(step).collect()
    })
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z .,?]{0,40}",
        Just("Bad news. Good news, though!".to_owned()),
        "\\PC{0,30}"
    ]
}

fn any_input() -> impl Strategy<Value = Input> {
    prop_oneof![any_command(), any_transcript(), any_reply(), any_segment()]
}

fn any_command() -> impl Strategy<Value = Input> {
    prop_oneof![
        3 => Just(Input::Connected),
        1 => Just(Input::Disconnected),
        3 => words().prop_map(|text| Input::UserText { text }),
        1 => (0u64..99).prop_map(|seconds| Input::MeterSecond { seconds }),
        1 => Just(Input::InterruptRequested),
        1 => words().prop_map(|message| Input::Trouble {
            code: NoticeCode::BadMessage,
            message
        }),
        3 => Just(Input::Timeout),
        1 => Just(Input::Drain { limit_ms: 5_000 }),
    ]
}

fn any_transcript() -> impl Strategy<Value = Input> {
    let utterance = || (0u32..6).prop_map(UtteranceId);
    let moment = || (0u64..60_000_000).prop_map(Moment);
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

fn any_reply() -> impl Strategy<Value = Input> {
    let generation = || (0u32..6).prop_map(GenerationId);
    prop_oneof![
        (generation(), words())
            .prop_map(|(generation, text)| Input::GenerationDelta { generation, text }),
        (generation(), any::<bool>()).prop_map(|(generation, hang_up)| Input::GenerationDone {
            generation,
            hang_up,
            hand_off: None,
        }),
        generation().prop_map(|generation| Input::GenerationFailed { generation }),
        (0u32..6, any::<bool>()).prop_map(|(id, user)| Input::Verdict {
            subject: if user {
                Subject::User { turn: TurnId(id) }
            } else {
                Subject::Agent {
                    segment: SegmentId(id),
                }
            },
            state: SafetyState::Normal,
            action: SafetyAction::Pass,
        }),
    ]
}

fn any_segment() -> impl Strategy<Value = Input> {
    let segment = || (0u32..6).prop_map(SegmentId);
    prop_oneof![
        (segment(), 0usize..50, 0u64..5_000).prop_map(|(segment, text_end, end_ms)| {
            let marks = vec![Mark { text_end, end_ms }];
            Input::SegmentMarks { segment, marks }
        }),
        segment().prop_map(|segment| Input::SegmentStarted { segment }),
        segment().prop_map(|segment| Input::FirstFrameSent { segment }),
        (segment(), 0u64..9_000).prop_map(|(segment, heard_ms)| Input::Heard { segment, heard_ms }),
        segment().prop_map(|segment| Input::SegmentPlayed { segment }),
    ]
}
