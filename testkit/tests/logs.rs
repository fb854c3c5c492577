//! Logs of calls are tests: those of running sessions replay to the same bytes, and so do the ones
//! kept in `tests/logs`. `docs/replay.md` says how to add one.
//!
//! `UPDATE_LOGS=1 cargo test -p antiphon-testkit --test logs` records calls that are not there yet
//! and, where the engine changed on purpose, the outputs of the others anew from the same inputs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use antiphon_agents::Agent;
use antiphon_proto::{ClientMessage, CloseReason, SessionId};
use antiphon_providers::hear::HearContext;
use antiphon_runtime::log::{
    FILE_ENDING, Header, LogEncoder, LogReader, Recorder, Replayed, Retention, Verdict, replay,
    write_log,
};
use antiphon_runtime::{Session, SessionLimits, SessionParts, TransportInput};
use antiphon_testkit::{
    Caller, ScriptedHear, ScriptedSpeak, ScriptedThink, flite_recordings, line,
};
use tokio::time::sleep;

/// Calls that are recorded where they are not there yet.
const CALLS: &[&str] = &[
    "a-spoken-question",
    "speech-over-the-agent",
    "a-lost-connection",
];
const QUESTION: &str = "how do i choose a domain name";
const ANSWER: &str = "Choose a short name that people can spell. Say it aloud once. \
     If they write it down without asking, it is a good one.";
/// The writer of logs is a thread in real time.
const WRITTEN_WITHIN: Duration = Duration::from_secs(20);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/logs")
}

fn logs() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder()) else {
        return Vec::new();
    };
    let mut logs: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == FILE_ENDING))
        .collect();
    logs.sort();
    logs
}

fn replayed(log: &Path) -> Replayed {
    let file = File::open(log).expect("a log");
    let mut reader = LogReader::open(file).unwrap_or_else(|fault| panic!("{log:?}: {fault}"));
    replay(&mut reader, None, |_| {}).unwrap_or_else(|fault| panic!("{log:?}: {fault}"))
}

#[test]
fn recorded_calls_replay_to_the_same_bytes() {
    if std::env::var_os("UPDATE_LOGS").is_some() {
        update();
    }
    let logs = logs();
    assert!(logs.len() >= CALLS.len(), "tests/logs has {}", logs.len());
    for log in logs {
        let replayed = replayed(&log);
        assert_eq!(
            replayed.verdict(),
            Verdict::Identical,
            "{}: where the engine changed on purpose, see docs/replay.md",
            log.display()
        );
        assert!(replayed.outputs > 10, "{log:?} says nothing");
    }
}

fn update() {
    fs::create_dir_all(folder()).expect("a folder");
    for log in logs() {
        record_anew(&log);
    }
    for name in CALLS {
        let to = folder().join(format!("{name}.{FILE_ENDING}"));
        if !to.exists() {
            fs::copy(record(name).1, to).expect("a log");
        }
    }
}

/// The same inputs, with the outputs of now.
fn record_anew(log: &Path) {
    let mut reader = LogReader::open(File::open(log).expect("a log")).expect("a header");
    let header = Header::new(
        reader.header().config.clone(),
        reader.header().started_at.clone(),
    );
    let mut inputs = Vec::new();
    while let Some(record) = reader.next_record().expect("a record") {
        inputs.push((record.at, record.input));
    }
    fs::write(log, write_log(Vec::new(), &header, inputs).expect("memory")).expect("written");
}

#[test]
fn calls_through_a_session_replay_to_the_same_bytes() {
    for name in CALLS {
        let (_folder, log) = record(name);
        let replayed = replayed(&log);
        assert_eq!(replayed.verdict(), Verdict::Identical, "{name}");
        assert!(replayed.outputs > 10, "{name} says nothing");
    }
}

/// Prints what a minute of call takes on disk, and how much faster than life it is replayed.
#[test]
fn a_log_is_small_and_replays_faster_than_life() {
    let (_folder, log) = record("a-spoken-question");
    let mut reader = LogReader::open(File::open(&log).expect("a log")).expect("a header");
    let mut live = LogEncoder::live(Vec::new(), reader.header()).expect("memory");
    while let Some(record) = reader.next_record().expect("a record") {
        live.record(record.at, &record.input, record.check)
            .expect("memory");
    }
    live.flush().expect("memory");
    let started = Instant::now();
    let replayed = replayed(&log);
    let took = started.elapsed();
    let call = Duration::from_micros(replayed.last_at.0);
    let minutes = call.as_secs_f64() / 60.0;
    let per_minute = live.file().len() as f64 / minutes;
    let packed_whole = fs::metadata(&log).expect("a log").len() as f64 / minutes;
    println!(
        "{} inputs in {call:?}: {per_minute:.0} bytes a minute while the call runs, {packed_whole:.0} packed after it; replayed in {took:?}, {:.0} times as fast",
        replayed.inputs,
        call.as_secs_f64() / took.as_secs_f64()
    );
    assert!(per_minute < 100_000.0);
    assert!(took < call / 10);
}

/// Holds a call in virtual time, and gives its log and the folder that it lives in.
fn record(name: &str) -> (tempfile::TempDir, PathBuf) {
    // Made before the virtual clock matters.
    speech();
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::open(folder.path(), Retention::default()).expect("a recorder");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime");
    runtime.block_on(hold(name, &recorder));
    assert!(recorder.settled(WRITTEN_WITHIN), "{name} is written");
    let log = fs::read_dir(folder.path())
        .expect("a folder")
        .next()
        .expect("a log")
        .expect("an entry")
        .path();
    (folder, log)
}

async fn hold(name: &str, recorder: &Recorder) {
    let session = Session::spawn(parts(name, recorder.clone())).expect("the scripted voice");
    let caller = connect(&session).await;
    match name {
        "a-spoken-question" => spoken_question(&session, &caller).await,
        "speech-over-the-agent" => speech_over_the_agent(&session, &caller).await,
        "a-lost-connection" => lost_connection(&session, &caller).await,
        unknown => panic!("no call is named {unknown}"),
    }
    session.ended().await;
}

async fn spoken_question(session: &Session, caller: &Caller) {
    sleep(Duration::from_secs(4)).await;
    for _ in 0..3 {
        caller.say(speech());
        sleep(Duration::from_secs(15)).await;
    }
    session.close(CloseReason::UserHungUp).await;
}

async fn speech_over_the_agent(session: &Session, caller: &Caller) {
    sleep(Duration::from_secs(3)).await;
    type_text(caller, "hello").await;
    sleep(Duration::from_millis(1_500)).await;
    caller.say(speech());
    sleep(Duration::from_secs(12)).await;
    // A cough.
    type_text(caller, "and then?").await;
    sleep(Duration::from_millis(900)).await;
    caller.say(&speech()[..3_200]);
    sleep(Duration::from_secs(8)).await;
    session.drain(Duration::from_secs(10)).await;
}

async fn lost_connection(session: &Session, caller: &Caller) {
    caller.say(speech());
    sleep(Duration::from_secs(4)).await;
    caller.tell(TransportInput::Closed { orderly: false }).await;
    sleep(Duration::from_secs(10)).await;
    let second = connect(session).await;
    sleep(Duration::from_secs(5)).await;
    let third = connect(session).await;
    third
        .tell(TransportInput::BadMessage("it is not JSON".into()))
        .await;
    type_text(&third, "i took all my pills").await;
    sleep(Duration::from_secs(12)).await;
    assert!(second.closed());
    third.tell(TransportInput::Closed { orderly: true }).await;
}

async fn type_text(caller: &Caller, text: &str) {
    let text = text.to_owned();
    let typed = TransportInput::Message(ClientMessage::UserText { text });
    caller.tell(typed).await;
}

async fn connect(session: &Session) -> Caller {
    let (line, caller) = line(60);
    session.attach(Box::new(line)).await.expect("it runs");
    caller.tell(TransportInput::Connected).await;
    sleep(Duration::from_millis(100)).await;
    caller
}

fn parts(name: &str, recorder: Recorder) -> SessionParts {
    let agent = Agent {
        id: "cal".into(),
        name: "Cal".into(),
        greeting: "Hello, this is Cal. What would you like to know?".into(),
        call_seconds_max: 3_600,
        ..Agent::default()
    };
    SessionParts {
        id: SessionId(format!("sess_{}", name.replace('-', "_"))),
        agent: Arc::new(agent),
        hear: Arc::new(ScriptedHear::new(&[QUESTION], Duration::from_millis(100))),
        hear_context: HearContext::default(),
        think: Arc::new(ScriptedThink::new(&[ANSWER], Duration::from_millis(20))),
        speak: Arc::new(ScriptedSpeak::new(Duration::from_millis(10))),
        limits: SessionLimits::default(),
        tools: Arc::new(antiphon_runtime::NoTools),
        colleagues: Arc::new(antiphon_runtime::NoColleagues),
        facts: None,
        recorder: Some(recorder),
    }
}

/// About two seconds of speech, made once.
fn speech() -> &'static [i16] {
    static SPEECH: OnceLock<Vec<i16>> = OnceLock::new();
    SPEECH.get_or_init(|| {
        let made = flite_recordings("rms", &["How do I choose a domain name?"]);
        made[0].pcm.clone()
    })
}
