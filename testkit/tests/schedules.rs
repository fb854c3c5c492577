//! Ten schedules of a call, in virtual time: what happens when, to within 20 ms.
//!
//! The detector reports speech after 50 ms and its end after 500 ms; endpointing is fixed between
//! 0.5 and 6.0 s; speech interrupts after 0.5 s; a false interruption is over after 2.0 s. Unless a
//! schedule says otherwise the final transcript comes 0.2 s after speech, the responder takes 0.1 s
//! to its first words and 0.3 s in all, the voice 0.2 s.

use antiphon_engine::{EndpointingMode, EngineConfig, SpeculationMode};
use antiphon_proto::{AgentId, AgentState, Moment, Role, SessionId, ToolCall, ToolCallId};
use antiphon_testkit::sim::{Observed, ReplyPlan, Script, Speech, VoicePlan, World};

/// How far a moment may be off, in milliseconds.
const OFF_MS_MAX: u64 = 20;

struct Schedule {
    speeches: Vec<Speech>,
    replies: Vec<ReplyPlan>,
    /// For the first answer and for the second.
    voices: [VoicePlan; 2],
    tool_ms: u64,
}

impl Script for Schedule {
    fn next_speech(&mut self, _now: Moment) -> Option<Speech> {
        (!self.speeches.is_empty()).then(|| self.speeches.remove(0))
    }

    fn reply(&mut self, _asked: &str) -> ReplyPlan {
        if self.replies.len() > 1 {
            self.replies.remove(0)
        } else {
            self.replies[0].clone()
        }
    }

    fn voice(&mut self, text: &str) -> VoicePlan {
        self.voices[usize::from(text.starts_with("second"))]
    }

    fn tool(&mut self, _call: &ToolCall) -> Option<(u64, String)> {
        Some((self.tool_ms, "sunny".into()))
    }
}

fn voice(first_ms: u64, audio_ms: u64) -> VoicePlan {
    VoicePlan {
        first_ms: Some(first_ms),
        audio_ms,
        fails: false,
        marks: true,
    }
}

fn reply() -> ReplyPlan {
    ReplyPlan::text("the answer to what you have asked me just now", 100, 300)
}

fn schedule(speeches: Vec<Speech>, audio_ms: u64) -> Schedule {
    Schedule {
        speeches,
        replies: vec![reply()],
        voices: [voice(200, audio_ms); 2],
        tool_ms: 100,
    }
}

fn config() -> EngineConfig {
    let mut config = EngineConfig::new(SessionId::from("sess_sim"), AgentId::from("cal"), "Cal");
    config.endpointing.mode = EndpointingMode::Fixed;
    config.endpointing.ms_min = 500;
    config.endpointing.ms_max = 6_000;
    config.interruption.ms_min = 500;
    config.interruption.false_alarm_ms = 2_000;
    config.speculation.mode = SpeculationMode::Off;
    config
}

type Call = World<Schedule>;

fn run(config: EngineConfig, schedule: Schedule, seconds: u64) -> Call {
    let mut world = World::new(config, schedule);
    world.run_until(Moment::from_ms(seconds * 1_000));
    world
}

fn times(call: &Call, wanted: impl Fn(&Observed) -> bool) -> Vec<u64> {
    let found = call.observed.iter().filter(|(_, what)| wanted(what));
    found.map(|(at, _)| at.ms()).collect()
}

fn states(call: &Call, state: AgentState) -> Vec<u64> {
    times(call, |what| *what == Observed::State(state))
}

#[track_caller]
fn near(ms: u64, seconds: f64) {
    let want = (seconds * 1_000.0) as u64;
    assert!(ms.abs_diff(want) <= OFF_MS_MAX, "{ms} ms instead of {want}");
}

fn history(call: &Call) -> Vec<(Role, String, bool)> {
    let entries = call.engine.history();
    entries
        .map(|entry| (entry.role, entry.text.clone(), entry.interrupted))
        .collect()
}

fn roles(call: &Call) -> Vec<Role> {
    call.engine.history().map(|entry| entry.role).collect()
}

fn first_sound(call: &Call) -> u64 {
    times(call, |what| *what == Observed::Sound(true))[0]
}

#[test]
fn a_question_is_thought_about_answered_and_the_agent_listens_again() {
    let call = run(
        config(),
        schedule(vec![Speech::new(0.5, 2.5, "tell me something", 200)], 2_000),
        8,
    );
    near(states(&call, AgentState::Thinking)[0], 3.0);
    near(states(&call, AgentState::Speaking)[0], 3.5);
    // The first one is told at the connection.
    near(states(&call, AgentState::Listening)[1], 5.5);
    assert_eq!(roles(&call), [Role::User, Role::Agent]);
}

#[test]
fn speculation_saves_what_the_wait_would_cost() {
    let check = |mode, after_s: f64| {
        let mut config = config();
        config.speculation.mode = mode;
        let mut schedule = schedule(vec![Speech::new(0.5, 2.0, "tell me something", 100)], 2_000);
        schedule.voices = [voice(300, 2_000); 2];
        let call = run(config, schedule, 8);
        near(first_sound(&call), 2.0 + after_s);
        assert_eq!(roles(&call), [Role::User, Role::Agent], "{mode:?}");
    };
    check(SpeculationMode::Speak, 0.7);
    check(SpeculationMode::Think, 0.8);
    check(SpeculationMode::Off, 1.1);
}

#[test]
fn a_reply_that_comes_too_late_is_never_heard() {
    let mut schedule = schedule(
        vec![
            Speech::new(0.5, 2.0, "tell me something", 200),
            Speech::new(2.6, 3.2, "something short", 200),
        ],
        2_000,
    );
    schedule.replies = vec![
        ReplyPlan::text("first answer", 100, 300),
        ReplyPlan::text("second answer", 100, 300),
    ];
    schedule.voices = [voice(1_000, 2_000), voice(200, 2_000)];
    let call = run(config(), schedule, 9);
    near(first_sound(&call), 3.2 + 0.5 + 0.3 + 0.2);
    assert_eq!(times(&call, |what| *what == Observed::Sound(true)).len(), 1);
    let said = history(&call);
    assert_eq!(roles(&call), [Role::User, Role::User, Role::Agent]);
    assert_eq!(said[2].1, "second answer");
}

#[test]
fn an_interruption_stops_the_reply_where_it_was_heard() {
    let call = run(
        config(),
        schedule(
            vec![
                Speech::new(0.5, 2.5, "tell me a long story", 200),
                Speech::new(5.0, 6.0, "wait that is enough", 200),
            ],
            10_000,
        ),
        7,
    );
    near(times(&call, |what| *what == Observed::Sound(false))[0], 5.5);
    let stopped = call.observed.iter().find_map(|(_, what)| {
        let Observed::Stopped(played_ms) = what else {
            return None;
        };
        (*played_ms > 0).then_some(*played_ms)
    });
    near(stopped.expect("a stop"), 2.0);
    let said = history(&call);
    assert_eq!(roles(&call), [Role::User, Role::Agent, Role::User]);
    // 2.0 of 10 s, at the ends of words in proportion to their length.
    assert_eq!((said[1].1.as_str(), said[1].2), ("the", true));
    let committed = times(
        &call,
        |what| matches!(what, Observed::Committed(message) if message.role == Role::User),
    );
    near(committed[1], 6.5);
}

#[test]
fn fewer_words_than_asked_for_are_ignored() {
    let check = |text: &str, stops: bool| {
        let mut config = config();
        config.interruption.words_min = 3;
        let speeches = vec![
            Speech::new(0.5, 2.5, "tell me a long story", 200),
            Speech::new(5.0, 6.0, text, 200),
        ];
        let call = run(config, schedule(speeches, 10_000), 20);
        let said = history(&call);
        assert_eq!(said[1].2, stops, "{text}: {said:?}");
        assert_eq!(said.len() > 2, stops, "{text}");
    };
    check("Stop!", false);
    check("ok, stop now", true);
}

#[test]
fn speech_while_the_agent_thinks_takes_its_turn_back() {
    let call = run(
        config(),
        schedule(
            vec![
                Speech::new(0.5, 2.5, "tell me something", 200),
                Speech::new(3.1, 4.1, "about cats", 200),
            ],
            2_000,
        ),
        4,
    );
    assert!(times(&call, |what| *what == Observed::Sound(true)).is_empty());
    let mut call = call;
    call.run_until(Moment::from_ms(4_700));
    assert_eq!(roles(&call), [Role::User, Role::User]);
    assert!(times(&call, |what| *what == Observed::Sound(true)).is_empty());
}

#[test]
fn a_noise_pauses_the_reply_and_it_goes_on() {
    let call = run(
        config(),
        schedule(
            vec![
                Speech::new(0.5, 2.5, "tell me a long story", 200),
                Speech::new(5.0, 6.0, "", 200),
            ],
            10_000,
        ),
        20,
    );
    near(times(&call, |what| *what == Observed::Paused)[0], 5.5);
    near(times(&call, |what| *what == Observed::Resumed)[0], 8.0);
    let said = history(&call);
    assert_eq!(roles(&call), [Role::User, Role::Agent]);
    assert!(!said[1].2, "not interrupted");
}

fn with_tool() -> (EngineConfig, Schedule) {
    let mut config = config();
    config.tools = vec!["weather".into()];
    let mut schedule = schedule(
        vec![Speech::new(0.5, 2.5, "how is the weather", 200)],
        2_000,
    );
    let call = ToolCall {
        id: ToolCallId::from("call_1"),
        name: "weather".into(),
        arguments: "{}".into(),
    };
    schedule.replies = vec![
        ReplyPlan {
            calls: vec![call],
            ..ReplyPlan::text("Let me look.", 100, 300)
        },
        ReplyPlan::text("It is sunny all day long today and tomorrow", 100, 300),
    ];
    (config, schedule)
}

#[test]
fn a_tool_is_called_and_its_result_is_used() {
    let (config, schedule) = with_tool();
    let call = run(config, schedule, 12);
    assert_eq!(
        roles(&call),
        [
            Role::User,
            Role::Agent,
            Role::ToolCall,
            Role::ToolResult,
            Role::Agent
        ]
    );
    assert_eq!(history(&call)[3].1, "sunny");
}

#[test]
fn an_interruption_of_the_reply_keeps_the_tool_s_call_and_output() {
    let (config, mut schedule) = with_tool();
    schedule
        .speeches
        .push(Speech::new(6.5, 7.5, "no wait stop", 200));
    let call = run(config, schedule, 8);
    let said = history(&call);
    assert_eq!(
        roles(&call)[..5],
        [
            Role::User,
            Role::Agent,
            Role::ToolCall,
            Role::ToolResult,
            Role::Agent
        ]
    );
    assert!(said[4].2, "interrupted: {said:?}");
    assert!("It is sunny all day long today and tomorrow".starts_with(&said[4].1));
}

#[test]
fn a_silent_person_is_asked_for_but_never_while_a_tool_runs() {
    let call = run(config(), schedule(Vec::new(), 2_000), 16);
    near(times(&call, |what| *what == Observed::Away)[0], 15.0);
    let (mut config, mut schedule) = with_tool();
    config.patience.tool_ms_max = 60_000;
    config.words.fillers.clear();
    schedule.tool_ms = 25_000;
    let call = run(config, schedule, 29);
    assert!(times(&call, |what| *what == Observed::Away).is_empty());
    assert_eq!(roles(&call), [Role::User]);
}
