//! A call against a fake.

use std::sync::Arc;
use std::time::Duration;

use antiphon_proto::UtteranceId;
use antiphon_providers::hear::known::{KNOWN_HEAR, KnownHear};
use antiphon_providers::hear::remote::{HearLimits, RemoteHear};
use antiphon_providers::hear::{
    Hear, HearContext, HearEvent, HearEventKind, HearStream, HeardWord,
};
use antiphon_providers::net::{Account, Secret};
use antiphon_providers::{Fault, FaultKind};
use antiphon_testkit::fakes::assemblyai::AssemblyAi;
use antiphon_testkit::fakes::deepgram::Deepgram;
use antiphon_testkit::fakes::elevenlabs_scribe::Scribe;
use antiphon_testkit::fakes::listener;
use antiphon_testkit::fakes::openai_transcription::OpenAiTranscription;
use antiphon_testkit::fakes::ws::{Peer, Treatment, Upgrade, WsFake};
use tokio::sync::mpsc;
use tokio::time::timeout;

pub(crate) const KEY: &str = "k-never-shown";
/// Far above any deadline under test: a test that waits so long has failed.
pub(crate) const LONG: Duration = Duration::from_secs(10);
/// A caller's frame.
const FRAME_SAMPLES: usize = 320;

/// A vendor under test.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) known: KnownHear,
    pub(crate) peer: fn(&Upgrade) -> Box<dyn Peer>,
    /// Messages that the fake says before it takes audio.
    pub(crate) greetings: usize,
    /// Where the key is, and what stands before it.
    pub(crate) key_header: (&'static str, &'static str),
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name: &str, peer, greetings, key_header| Case {
        known: *KNOWN_HEAR.iter().find(|known| known.name == name).unwrap(),
        peer,
        greetings,
        key_header,
    };
    let cases = vec![
        case(
            "deepgram",
            Deepgram::peer as fn(&Upgrade) -> _,
            0,
            ("authorization", "Token "),
        ),
        case("assemblyai", AssemblyAi::peer, 1, ("authorization", "")),
        case(
            "openai",
            OpenAiTranscription::peer,
            2,
            ("authorization", "Bearer "),
        ),
        case("elevenlabs", Scribe::peer, 1, ("xi-api-key", "")),
    ];
    assert_eq!(
        cases.len(),
        KNOWN_HEAR.len(),
        "every recognizer is under test"
    );
    cases
}

pub(crate) fn limits() -> HearLimits {
    HearLimits {
        connect_timeout: Duration::from_secs(5),
        final_timeout: Duration::from_secs(5),
        ..HearLimits::default()
    }
}

/// A call, and the server it is made with.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) fake: Arc<WsFake>,
    pub(crate) hear: RemoteHear,
    pub(crate) stream: Box<dyn HearStream>,
    pub(crate) events: mpsc::Receiver<HearEvent>,
}

/// What became of an utterance.
#[derive(Debug)]
pub(crate) struct Heard {
    pub(crate) partials: Vec<String>,
    pub(crate) end: Result<(String, Vec<HeardWord>), Fault>,
}

impl Heard {
    pub(crate) fn text(&self) -> &str {
        &self.end.as_ref().expect("a final").0
    }

    pub(crate) fn fault(&self) -> FaultKind {
        self.end.as_ref().expect_err("a failure").kind
    }
}

pub(crate) async fn call(case: &Case) -> Call {
    call_with(case, limits(), |_| Treatment::default()).await
}

pub(crate) async fn call_with(
    case: &Case,
    limits: HearLimits,
    treat: impl Fn(usize) -> Treatment + Send + Sync + 'static,
) -> Call {
    let fake = WsFake::start_with(false, case.peer, treat).await.unwrap();
    call_to(case, limits, Arc::new(fake), 64)
}

pub(crate) fn hear_at(case: &Case, limits: HearLimits, url: &str) -> RemoteHear {
    // OpenAI's own address has the version in it.
    let account = Account::new(url, Secret::new(KEY), case.known.vars.model);
    case.known.build(account, limits).unwrap()
}

pub(crate) fn call_to(case: &Case, limits: HearLimits, fake: Arc<WsFake>, room: usize) -> Call {
    let hear = hear_at(case, limits, &fake.url());
    let (sender, events) = mpsc::channel(room);
    let context = HearContext {
        agent: "a".to_owned(),
        phrases: Arc::new(vec!["Antiphon".to_owned(), "Kevin O'Leary".to_owned()]),
        closed: false,
    };
    let stream = hear.open(context, sender);
    Call {
        name: case.known.name,
        fake,
        hear,
        stream,
        events,
    }
}

impl Call {
    pub(crate) fn begin(&mut self, id: u32, words: &str) {
        self.stream.begin(UtteranceId(id));
        self.push(&listener::utterance(words));
    }

    pub(crate) fn push(&mut self, pcm: &[i16]) {
        for frame in pcm.chunks(FRAME_SAMPLES) {
            self.stream.push(frame);
        }
    }

    pub(crate) fn say(&mut self, id: u32, words: &str) {
        self.begin(id, words);
        self.stream.finish();
    }

    pub(crate) async fn next(&mut self) -> HearEvent {
        let event = timeout(LONG, self.events.recv()).await;
        event
            .unwrap_or_else(|_| panic!("{}: nothing comes", self.name))
            .unwrap()
    }

    /// Waits until the utterance under way has a partial.
    pub(crate) async fn partial(&mut self, id: u32) -> String {
        let event = self.next().await;
        assert_eq!(event.utterance, UtteranceId(id), "{}", self.name);
        match event.kind {
            HearEventKind::Partial { text } => text,
            end @ (HearEventKind::Final { .. } | HearEventKind::Failed { .. }) => {
                panic!("{}: {end:?} in the place of a partial", self.name)
            }
        }
    }

    /// All that is said of an utterance, up to its end.
    pub(crate) async fn heard(&mut self, id: u32) -> Heard {
        let mut partials = Vec::new();
        loop {
            let event = self.next().await;
            assert_eq!(event.utterance, UtteranceId(id), "{}: {event:?}", self.name);
            let end = match event.kind {
                HearEventKind::Partial { text } => {
                    partials.push(text);
                    continue;
                }
                HearEventKind::Final { text, words } => Ok((text, words)),
                HearEventKind::Failed { fault } => Err(fault),
            };
            return Heard { partials, end };
        }
    }

    /// True where nothing more is said for a while.
    pub(crate) async fn is_silent(&mut self) -> bool {
        let while_ = Duration::from_millis(100);
        timeout(while_, self.events.recv()).await.is_err()
    }

    pub(crate) fn connections(&self) -> usize {
        self.fake.connections().len()
    }
}
