//! What history says was heard, against what the caller's side received, with a real voice.
//!
//! The receiver holds back 60 ms. The truth is counted at the caller's end: frames with sound that
//! arrived, against where the words of the recording end.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use antiphon_agents::Agent;
use antiphon_proto::{ClientMessage, Message, Role, SessionId};
use antiphon_providers::hear::HearContext;
use antiphon_runtime::{
    NoColleagues, NoTools, Session, SessionLimits, SessionParts, TransportInput,
};
use antiphon_testkit::{
    Caller, RecordedSpeak, Recording, ScriptedHear, ScriptedThink, flite_recordings, line,
};
use tokio::time::{Instant, sleep};

const UNHEARD_MS: u32 = 60;
const FRAME_MS: u64 = 20;
const INTERRUPTIONS: usize = 200;

/// Twelve words each, and no clause within: one segment, of which the recording is at hand.
const ANSWERS: [&str; 6] = [
    "A good domain name is short and plain enough for anyone's memory",
    "Write the most important thing of all at the very top first",
    "Every picture needs a short text that says exactly what it shows",
    "The first version should do one single thing extremely well by spring",
    "Ask three good friends to find your phone number on the site",
    "Backups are worth nothing before somebody has brought one back to life",
];
const QUESTION: &str = "wait there is something else";

struct Recorded {
    answers: HashMap<String, Recording>,
    question: Vec<i16>,
}

/// Made once, in real time.
fn recorded() -> &'static Recorded {
    static RECORDED: OnceLock<Recorded> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let answers = flite_recordings("slt", &ANSWERS);
        let question = flite_recordings("rms", &[QUESTION]);
        Recorded {
            answers: ANSWERS.map(String::from).into_iter().zip(answers).collect(),
            question: question[0].pcm.clone(),
        }
    })
}

async fn call() -> (Session, Caller) {
    let agent = Agent {
        id: "test".into(),
        name: "Test".into(),
        call_seconds_max: 36_000,
        ..Agent::default()
    };
    let session = Session::spawn(SessionParts {
        id: SessionId::from("sess_truth"),
        agent: Arc::new(agent),
        hear: Arc::new(ScriptedHear::new(&[QUESTION], Duration::from_millis(100))),
        hear_context: HearContext::default(),
        think: Arc::new(ScriptedThink::new(&ANSWERS, Duration::from_millis(20))),
        speak: Arc::new(RecordedSpeak::new(recorded().answers.clone())),
        tools: Arc::new(NoTools),
        colleagues: Arc::new(NoColleagues),
        limits: SessionLimits::default(),
        facts: None,
        recorder: None,
    })
    .expect("the recorded voice");
    let (line, caller) = line(UNHEARD_MS);
    session.attach(Box::new(line)).await.expect("it runs");
    caller.tell(TransportInput::Connected).await;
    (session, caller)
}

/// The same choices at every run (Numerical Recipes' linear congruential generator).
struct Choices(u32);

impl Choices {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        u64::from(self.0 >> 8) % limit
    }
}

fn last_of_agent(session: &Session) -> Option<Message> {
    let view = session.view();
    let last = view
        .history
        .iter()
        .rfind(|message| message.role == Role::Agent);
    last.cloned()
}

fn sound_frames(caller: &Caller, from: usize) -> u64 {
    caller.frames()[from..]
        .iter()
        .filter(|sound| **sound)
        .count() as u64
}

/// One answer, stopped at a random moment. Returns by how many words history is off.
async fn interrupted(session: &Session, caller: &Caller, choices: &mut Choices) -> Option<i64> {
    let begun = caller.frames().len();
    let before = last_of_agent(session);
    let text = "tell me".to_owned();
    let tell = |message| caller.tell(TransportInput::Message(message));
    tell(ClientMessage::UserText { text }).await;
    let deadline = Instant::now() + Duration::from_secs(2);
    while sound_frames(caller, begun) == 0 {
        assert!(Instant::now() < deadline, "no answer");
        sleep(Duration::from_millis(5)).await;
    }
    sleep(Duration::from_millis(150 + choices.below(3_000))).await;
    let by_speech = choices.below(2) == 0;
    if by_speech {
        caller.say(&recorded().question);
        sleep(Duration::from_millis(1_500)).await;
    }
    let heard_ms = sound_frames(caller, begun) * FRAME_MS;
    if !by_speech {
        tell(ClientMessage::Interrupt {}).await;
    }
    sleep(Duration::from_millis(1_200)).await;
    let after = last_of_agent(session).filter(|after| Some(after) != before.as_ref());
    // What follows speech is an answer of its own; it is cut off, and not looked at.
    tell(ClientMessage::Interrupt {}).await;
    sleep(Duration::from_millis(400)).await;
    let said = after.filter(|after| after.interrupted)?;
    let (text, recording) = recorded()
        .answers
        .iter()
        .find(|(text, _)| text.starts_with(&said.text))?;
    assert!(text.starts_with(&said.text));
    let words = said.text.split(' ').count() as i64;
    // Typed: the receiver has not played its last 60 ms. Held for speech: it has.
    let heard_ms = heard_ms.saturating_sub(if by_speech { 0 } else { u64::from(UNHEARD_MS) });
    Some(words - recording.words_by(heard_ms) as i64)
}

#[tokio::test(start_paused = true)]
async fn history_is_at_most_a_word_off_after_200_interruptions() {
    recorded();
    let (session, caller) = call().await;
    sleep(Duration::from_millis(200)).await;
    let mut choices = Choices(7);
    let mut off: Vec<i64> = Vec::new();
    let mut tries = 0;
    while off.len() < INTERRUPTIONS {
        tries += 1;
        assert!(tries < 3 * INTERRUPTIONS, "only {} of {tries}", off.len());
        off.extend(interrupted(&session, &caller, &mut choices).await);
    }
    let exact = off.iter().filter(|words| **words == 0).count();
    let wrong = off.iter().filter(|words| words.abs() > 1).count();
    println!("{INTERRUPTIONS} interruptions: {exact} exact, {wrong} more than a word off");
    assert!(wrong * 100 <= off.len(), "{off:?}");
}
