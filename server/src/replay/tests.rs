#![allow(clippy::unwrap_used)]

use antiphon_engine::EngineConfig;
use antiphon_proto::{AgentId, SessionId};
use antiphon_runtime::log::{Header, Trailer};
use data_encoding::BASE64;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::*;

const HOSTILE: &str =
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;\"'\u{1b}[2J\u{202e}txt";

fn header() -> Header {
    let config = EngineConfig::new(SessionId::from("sess_x"), AgentId::from("cal"), HOSTILE);
    Header::new(config, "2026-01-02T03:04:05Z".to_owned())
}

/// A step of inputs and outputs as they stand in a log: kinds that this build does not make yet, or
/// no more, are read all the same.
fn step(ms: u64, input: Value, outputs: &[Value]) -> Step {
    Step {
        record: 1,
        at: Moment::from_ms(ms),
        input: serde_json::from_value(input).unwrap(),
        outputs: outputs
            .iter()
            .map(|output| serde_json::from_value(output.clone()).unwrap())
            .collect(),
    }
}

fn published(event: Value) -> Value {
    let mut envelope = json!({"seq": 1, "at_ms": 0});
    envelope
        .as_object_mut()
        .unwrap()
        .extend(event.as_object().unwrap().clone());
    json!({"type": "publish", "envelope": envelope})
}

/// The person says something hostile, and cuts the answer off.
fn steps() -> Vec<Step> {
    let message =
        json!({"turn": 1, "role": "user", "text": HOSTILE, "interrupted": false, "at_ms": 0});
    vec![
        step(100, json!({"type": "connected"}), &[]),
        step(
            1_000,
            json!({"type": "speech_started", "onset": 900_000}),
            &[],
        ),
        step(
            2_000,
            json!({"type": "speech_stopped", "end": 1_800_000}),
            &[
                json!({"type": "decided", "decision": "wait", "why": "500 ms: the sentence may be complete"}),
            ],
        ),
        step(
            2_200,
            json!({"type": "transcript_final", "utterance": 1, "text": HOSTILE}),
            &[],
        ),
        step(
            2_300,
            json!({"type": "timeout"}),
            &[
                published(json!({"type": "message_committed", "message": message})),
                json!({"type": "decided", "decision": "turn_ended", "why": HOSTILE}),
            ],
        ),
        step(
            2_500,
            json!({"type": "generation_delta", "generation": 1, "text": "One "}),
            &[],
        ),
        step(
            2_600,
            json!({"type": "generation_delta", "generation": 1, "text": "two. "}),
            &[json!({"type": "speak", "segment": 1, "turn": 1, "text": "One two.", "hold": false})],
        ),
        step(
            2_700,
            json!({"type": "first_frame_sent", "segment": 1}),
            &[published(
                json!({"type": "agent_state", "state": "speaking"}),
            )],
        ),
        step(
            3_000,
            json!({"type": "heard", "segment": 1, "heard_ms": 200}),
            &[published(
                json!({"type": "agent_heard", "turn": 1, "segment": 1, "heard_utf16": 3}),
            )],
        ),
        step(
            3_100,
            json!({"type": "speech_started", "onset": 3_000_000}),
            &[
                json!({"type": "stop_playout"}),
                json!({"type": "decided", "decision": "stop", "why": "its words want the turn"}),
                published(json!({"type": "agent_state", "state": "listening"})),
            ],
        ),
        step(
            4_000,
            json!({"type": "close", "reason": "user_hung_up"}),
            &[json!({"type": "close", "reason": "user_hung_up"})],
        ),
    ]
}

fn whole() -> Replayed {
    Replayed {
        inputs: 11,
        outputs: 9,
        sha256: "ab".to_owned(),
        last_at: Moment::from_ms(4_000),
        ending: Some(Ending::Whole(Trailer {
            inputs: 11,
            outputs: 9,
            check: 0,
            sha256: "ab".to_owned(),
            incomplete: None,
        })),
        difference: None,
    }
}

fn story() -> story::Story {
    let mut teller = StoryTeller::new(header());
    steps().iter().for_each(|step| teller.take(step));
    teller.story(&whole())
}

fn printed(print: impl Fn(&Step, &mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    steps().iter().for_each(|step| print(step, &mut out));
    String::from_utf8(out).unwrap()
}

#[test]
fn the_story_has_what_was_heard_and_when() {
    let story = story();
    let spans: Vec<(u64, u64)> = story
        .speech
        .iter()
        .map(|span| (span.from, span.to))
        .collect();
    assert_eq!(spans, [(900, 1_800), (3_000, 4_000)]);
    assert_eq!(
        story.captions,
        [story::Caption {
            turn: 1,
            text: "One two.".to_owned(),
            heard: "One".to_owned(),
            asked: 2_600,
            from: Some(2_700),
            to: Some(3_100),
        }]
    );
    let told = serde_json::to_value(&story).unwrap();
    assert_eq!(
        told["states"],
        json!([
            {"from": 2_700, "to": 3_100, "state": "speaking"},
            {"from": 3_100, "to": 4_000, "state": "listening"},
        ])
    );
    assert_eq!(told["decisions"][2]["decision"], "stop");
    assert_eq!(
        told["decisions"][2]["led_by"],
        json!([
            "after 2.600 generation_delta ×2, last generation=1 text=\"two. \"",
            "after 2.700 first_frame_sent segment=1",
            "after 3.100 speech_started onset=3.000 s",
        ])
    );
}

#[test]
fn no_word_of_a_call_becomes_a_part_of_the_page() {
    let page = page::page(&story());
    assert_eq!(
        page.matches("<script").count(),
        2,
        "the data and the program"
    );
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains("<img") && !page.contains("alert(1)</") && !page.contains('\u{202e}'));
    // The data is whole.
    let data = page.split("id=\"story\">").nth(1).unwrap();
    let data: Value = serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
    assert_eq!(data["messages"][0]["text"], HOSTILE);
}

#[test]
fn the_page_needs_nothing_and_lets_nothing_in() {
    let page = page::page(&story());
    for outside in [
        "http:",
        "https:",
        " src=",
        "url(",
        "@import",
        "innerHTML",
        "eval(",
        "style=\"",
        "onclick",
    ] {
        let mine = page.replace(HOSTILE, "").replace("src=x", "");
        assert!(!mine.contains(outside), "{outside}");
    }
    for (element, directive) in [("style", "style-src"), ("script", "script-src")] {
        let inner = page.rsplit(&format!("<{element}>")).next().unwrap();
        let inner = inner.split(&format!("</{element}>")).next().unwrap();
        let hash = BASE64.encode(&Sha256::digest(inner));
        assert!(
            page.contains(&format!("{directive} 'sha256-{hash}'")),
            "{element}"
        );
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn a_terminal_is_not_obeyed() {
    let timeline = printed(|step, out| timeline::print(step, out).unwrap());
    let explainer = std::cell::RefCell::new(Explainer::default());
    let explained = printed(|step, out| explainer.borrow_mut().print(step, out).unwrap());
    for text in [timeline, explained, timeline::title(&header())] {
        assert!(text.contains("\\u{1b}[2J"), "{text}");
        let control = |character: char| character.is_control() && character != '\n';
        assert!(
            !text.contains(control) && !text.contains('\u{202e}'),
            "{text:?}"
        );
    }
}

#[test]
fn each_decision_is_explained() {
    let mut explainer = Explainer::default();
    let mut out = Vec::new();
    for step in &steps()[..3] {
        explainer.print(step, &mut out).unwrap();
    }
    explainer.end(&mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "    2.000  wait: 500 ms: the sentence may be complete
             after 0.100 connected
             after 1.000 speech_started onset=0.900 s
             after 2.000 speech_stopped end=1.800 s
1 decisions
"
    );
}

#[test]
fn the_timeline_says_who_and_what() {
    let timeline = printed(|step, out| timeline::print(step, out).unwrap());
    for line in [
        "    1.000  caller   speaks, since 0.900",
        "    2.000  decided  wait: 500 ms: the sentence may be complete",
        "    3.100  agent    is stopped",
        "    4.000  call     over: user_hung_up",
    ] {
        assert!(
            timeline.lines().any(|one| one == line),
            "{line}\n{timeline}"
        );
    }
}

#[test]
fn the_verdict_says_how_far_it_goes() {
    let mut replayed = whole();
    assert_eq!(
        verdict_text(&replayed),
        "outputs: identical (11 inputs, 9 outputs, sha256 ab)"
    );
    replayed.ending = Some(Ending::Cut { partial: true });
    let text = verdict_text(&replayed);
    assert!(
        text.contains("identical up to 4.000 s") && text.contains("was dropped"),
        "{text}"
    );
    replayed.difference = Some(Difference::At(Box::new(steps().remove(2))));
    let text = verdict_text(&replayed);
    assert!(
        text.contains("DIFFERENT") && text.contains("input 1 (speech_stopped) at 2.000 s"),
        "{text}"
    );
    assert!(text.contains("\"decision\":\"wait\""), "{text}");
}

#[test]
fn heard_words_are_counted_as_browsers_count() {
    assert_eq!(facts::prefix_utf16("a😀b", 3), "a😀");
    assert_eq!(facts::prefix_utf16("a😀b", 2), "a");
    assert_eq!(facts::prefix_utf16("ab", 9), "ab");
}

#[test]
fn seconds_are_read_as_times() {
    assert_eq!(whole_microseconds("1.5"), Ok(Moment(1_500_000)));
    for text in ["-1", "NaN", "inf", "x", "1e12"] {
        assert!(whole_microseconds(text).is_err(), "{text}");
    }
}
