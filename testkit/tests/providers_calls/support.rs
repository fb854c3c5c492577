//! A call over the router, and what became of it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use antiphon_agents::{Agent, Prefer, Route};
use antiphon_proto::{
    AgentState, ClientMessage, Event, Message, NoticeCode, Role, SegmentId, SessionId,
    SessionStatus, TurnTimeline,
};
use antiphon_providers::hear::{Hear, HearContext};
use antiphon_providers::route::{Prices, Router, RouterBuilder, RouterConfig};
use antiphon_providers::speak::Speak;
use antiphon_providers::think::Think;
use antiphon_runtime::{
    NoColleagues, NoTools, Session, SessionLimits, SessionParts, TransportInput,
};
use antiphon_testkit::fakes::listener;
use antiphon_testkit::{
    Caller, ScriptedHear, ScriptedSpeak, ScriptedThink, flite_recordings, line,
};
use tokio::time::{Instant, sleep};

/// What the receiver of these tests holds back.
const UNHEARD_MS: u32 = 60;
/// Length of a frame.
pub(crate) const FRAME_MS: u64 = 20;
/// What every fake recognizer understands of [`speech`].
pub(crate) const QUESTION: &str = "alpha bravo charlie delta echo";
/// What every fake model answers, in the pieces in which it is sent; no word comes twice.
pub(crate) const PIECES: [&str; 4] = ["Pick a ", "short name. ", "Then ask ", "one friend."];
pub(crate) const APOLOGY: &str = "Sorry, once more?";
/// No turn of these tests takes longer: twice a provider's longest deadline, with what a loaded
/// machine needs.
pub(crate) const TURN_MAX: Duration = Duration::from_secs(30);

pub(crate) fn answer() -> String {
    PIECES.concat()
}

/// A second of speech with no silence around it. Under it lie the levels that the fake recognizers
/// understand as [`QUESTION`]; the voice itself is too soft to be taken for another level.
pub(crate) fn speech() -> &'static [i16] {
    static SPEECH: OnceLock<Vec<i16>> = OnceLock::new();
    SPEECH.get_or_init(|| {
        let made = flite_recordings("rms", &["How do I choose a domain?"]);
        let pcm = &made[0].pcm;
        let peak = pcm.iter().map(|s| s.unsigned_abs()).max().unwrap();
        let is_loud = |sample: &i16| sample.unsigned_abs() > peak / 20;
        let from = pcm.iter().position(is_loud).unwrap();
        let to = pcm.iter().rposition(is_loud).unwrap();
        let levels = listener::utterance(QUESTION);
        let voice = pcm[from..to].iter().chain(std::iter::repeat(&0));
        let scale = 2_400.0 / f64::from(peak);
        let mixed = levels.iter().zip(voice).map(|(level, voice)| {
            let voice = (f64::from(*voice) * scale) as i16;
            level + voice
        });
        mixed.collect()
    })
}

/// The providers of a call, preferred ones first.
pub(crate) struct Providers {
    pub(crate) hear: Vec<Arc<dyn Hear>>,
    pub(crate) think: Vec<Arc<dyn Think>>,
    /// Asked only when all others fail, whatever is measured of them.
    pub(crate) think_last: Option<Arc<dyn Think>>,
    pub(crate) speak: Vec<Arc<dyn Speak>>,
    pub(crate) config: RouterConfig,
}

pub(crate) fn scripted_hear() -> Arc<dyn Hear> {
    Arc::new(ScriptedHear::new(&[QUESTION], Duration::from_millis(100)))
}

pub(crate) fn scripted_think() -> Arc<dyn Think> {
    Arc::new(ScriptedThink::new(&[&answer()], Duration::from_millis(20)))
}

pub(crate) fn scripted_speak() -> Arc<dyn Speak> {
    Arc::new(ScriptedSpeak::new(Duration::from_millis(10)))
}

impl Providers {
    /// Scripted ones alone.
    pub(crate) fn scripted() -> Self {
        Self {
            hear: vec![scripted_hear()],
            think: vec![scripted_think()],
            think_last: None,
            speak: vec![scripted_speak()],
            config: RouterConfig::default(),
        }
    }

    pub(crate) fn router(&self) -> Arc<Router> {
        let mut builder = RouterBuilder::new(Prices::embedded(), self.config);
        for hear in &self.hear {
            builder = builder.hear(Arc::clone(hear), "");
        }
        for think in &self.think {
            builder = builder.think(Arc::clone(think));
        }
        if let Some(last) = &self.think_last {
            builder = builder.think_last_resort(Arc::clone(last));
        }
        for speak in &self.speak {
            builder = builder.speak(Arc::clone(speak), "");
        }
        builder.build().unwrap()
    }
}

fn agent() -> Agent {
    Agent {
        id: "test".into(),
        name: "Test".into(),
        apology: APOLOGY.into(),
        call_seconds_max: 3_600,
        route: Route {
            // Of providers that nobody has measured, the first in the list.
            prefer: Prefer::Fastest,
            ..Route::default()
        },
        ..Agent::default()
    }
}

/// A call under way.
pub(crate) struct Call {
    pub(crate) session: Session,
    pub(crate) caller: Caller,
}

pub(crate) async fn call(router: &Arc<Router>) -> Call {
    let agent = Arc::new(agent());
    let routed = router.session(&agent);
    let parts = SessionParts {
        id: SessionId::from("sess_test"),
        agent,
        hear: routed.hear,
        hear_context: HearContext::default(),
        think: routed.think,
        speak: routed.speak,
        tools: Arc::new(NoTools),
        colleagues: Arc::new(NoColleagues),
        limits: SessionLimits::default(),
        facts: Some(routed.facts),
        recorder: None,
    };
    let session = Session::spawn(parts).unwrap();
    let (line, caller) = line(UNHEARD_MS);
    session.attach(Box::new(line)).await.unwrap();
    caller.tell(TransportInput::Connected).await;
    sleep(Duration::from_millis(200)).await;
    Call { session, caller }
}

/// What came of a turn.
#[derive(Clone, Debug)]
pub(crate) struct Turn {
    /// Events, with the frames received before each.
    pub(crate) events: Vec<(usize, Event)>,
    /// True for sound, from the end of what the person said (or typed) to the end of the turn.
    pub(crate) frames: Vec<bool>,
    pub(crate) history: Vec<Message>,
    /// The turn was not over after [`TURN_MAX`].
    pub(crate) hung: bool,
}

impl Call {
    /// Says [`speech`] and waits until the agent listens again.
    pub(crate) async fn say(&self) -> Turn {
        let seen = self.caller.dated_events().len();
        let history = self.session.view().history.len();
        self.caller.say(speech());
        let since = loop {
            if let Some(frames) = self.caller.said_by() {
                break frames + 1;
            }
            sleep(Duration::from_millis(20)).await;
        };
        self.turn(seen, since, history).await
    }

    /// Types, and waits until the agent listens again.
    pub(crate) async fn type_text(&self, text: &str) -> Turn {
        let seen = self.caller.dated_events().len();
        let history = self.session.view().history.len();
        let since = self.caller.frames().len();
        let text = text.to_owned();
        let typed = TransportInput::Message(ClientMessage::UserText { text });
        self.caller.tell(typed).await;
        self.turn(seen, since, history).await
    }

    async fn turn(&self, seen: usize, since: usize, history_before: usize) -> Turn {
        let deadline = Instant::now() + TURN_MAX;
        loop {
            sleep(Duration::from_millis(40)).await;
            let events = self.caller.dated_events().split_off(seen);
            let hung = Instant::now() >= deadline;
            if over(&events, since) || hung || self.ended() {
                let frames = self.caller.frames();
                let history = self.session.view().history[history_before..].to_vec();
                return Turn {
                    events,
                    frames: frames[since.min(frames.len())..].to_vec(),
                    history,
                    hung,
                };
            }
        }
    }

    pub(crate) fn ended(&self) -> bool {
        self.session.view().status == SessionStatus::Ended
    }
}

/// True where the agent has done something about what was said and listens again.
fn over(events: &[(usize, Event)], since: usize) -> bool {
    let states = events.iter().filter_map(|(frames, event)| match event {
        Event::AgentState { state } => Some((*frames, *state)),
        _ => None,
    });
    let states: Vec<_> = states.collect();
    let worked = states
        .iter()
        .any(|(_, state)| *state != AgentState::Listening);
    let listens = states
        .last()
        .is_some_and(|(frames, state)| *frames + 1 >= since && *state == AgentState::Listening);
    worked && listens
}

impl Turn {
    /// Milliseconds from the end of what the person said to the first sound.
    pub(crate) fn first_sound_ms(&self) -> Option<u64> {
        let frames = self.frames.iter().position(|sound| *sound)?;
        Some(frames as u64 * FRAME_MS)
    }

    /// Milliseconds of sound.
    pub(crate) fn sound_ms(&self) -> u64 {
        self.frames.iter().filter(|sound| **sound).count() as u64 * FRAME_MS
    }

    /// The longest silence until the last sound (the end where there was none), milliseconds.
    pub(crate) fn longest_silence_ms(&self) -> u64 {
        let last = self.frames.iter().rposition(|sound| *sound);
        let waited = &self.frames[..last.map_or(self.frames.len(), |last| last + 1)];
        let runs = waited.split(|sound| *sound).map(<[bool]>::len);
        runs.max().unwrap_or(0) as u64 * FRAME_MS
    }

    /// The sentences that the agent was about to speak.
    pub(crate) fn sentences(&self) -> Vec<(SegmentId, String)> {
        let texts = self.events.iter().filter_map(|(_, event)| match event {
            Event::AgentText { segment, text, .. } => Some((*segment, text.clone())),
            _ => None,
        });
        texts.collect()
    }

    /// What of a sentence was heard, UTF-16 code units.
    pub(crate) fn heard(&self, of: SegmentId) -> u32 {
        let heard = self.events.iter().filter_map(|(_, event)| match event {
            Event::AgentHeard {
                segment,
                heard_utf16,
                ..
            } if *segment == of => Some(*heard_utf16),
            _ => None,
        });
        heard.max().unwrap_or(0)
    }

    /// The person's words as captions show them.
    pub(crate) fn caption(&self) -> Option<String> {
        let mut finals = self.events.iter().filter_map(|(_, event)| match event {
            Event::UserTranscript {
                text,
                is_final: true,
                ..
            } => Some(text.clone()),
            _ => None,
        });
        finals.next_back()
    }

    pub(crate) fn timeline(&self) -> Option<TurnTimeline> {
        self.events.iter().find_map(|(_, event)| match event {
            Event::TurnTimeline { timeline } => Some(timeline.clone()),
            _ => None,
        })
    }

    /// `provider_changed` events: stage, from, to, fault.
    pub(crate) fn changes(&self) -> Vec<(String, String, Option<String>, String)> {
        let changes = self.events.iter().filter_map(|(_, event)| match event {
            Event::ProviderChanged {
                stage,
                from,
                to,
                fault,
            } => Some((stage.clone(), from.clone(), to.clone(), fault.clone())),
            _ => None,
        });
        changes.collect()
    }

    pub(crate) fn has_notice(&self, code: NoticeCode) -> bool {
        let is_it = |event: &Event| matches!(event, Event::Notice { code: c, .. } if *c == code);
        self.events.iter().any(|(_, event)| is_it(event))
    }

    /// The history's entries: who, and what.
    pub(crate) fn words(&self) -> Vec<(Role, &str)> {
        let entries = self.history.iter();
        entries
            .map(|entry| (entry.role, entry.text.as_str()))
            .collect()
    }

    /// The same without fillers, which history keeps as the words heard that they are.
    pub(crate) fn answered(&self) -> Vec<(Role, String)> {
        let whole = answer();
        let is_filler = |text: &str| !whole.contains(text) && text != APOLOGY;
        let sentences = self.sentences();
        let entries = self.words().into_iter().map(|(role, text)| {
            let mut text = text.to_owned();
            for (_, filler) in sentences.iter().filter(|(_, text)| is_filler(text)) {
                if let Some(at) = text.find(filler.as_str()) {
                    text.replace_range(at..at + filler.len(), "");
                }
            }
            let words: Vec<&str> = text.split_whitespace().collect();
            (role, words.join(" "))
        });
        entries.collect()
    }

    /// Asserts one whole answer to [`QUESTION`], heard to its end. A filler may go before it.
    pub(crate) fn assert_whole(&self, name: &str) {
        let shown = || format!("{name}: {:#?}", self.events);
        assert!(!self.hung, "{}", shown());
        assert_eq!(self.caption().as_deref(), Some(QUESTION), "{}", shown());
        let whole = answer();
        assert_eq!(
            self.answered(),
            [
                (Role::User, QUESTION.to_owned()),
                (Role::Agent, whole.clone())
            ],
            "{}",
            shown()
        );
        assert!(
            self.history.iter().all(|entry| !entry.interrupted),
            "{name}"
        );
        let sentences = self.sentences();
        let spoken = sentences
            .iter()
            .filter(|(_, text)| whole.contains(text.as_str()));
        let spoken: Vec<_> = spoken.collect();
        let texts: Vec<&str> = spoken.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(texts.join(" "), whole, "{}", shown());
        for (segment, text) in spoken {
            let length = text.encode_utf16().count() as u32;
            assert_eq!(self.heard(*segment), length, "{text}: {}", shown());
        }
    }
}
