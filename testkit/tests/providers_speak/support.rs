//! Sentences spoken by a fake.

use std::sync::Arc;
use std::time::Duration;

use antiphon_proto::SegmentId;
use antiphon_providers::net::{Account, HttpLimits, Secret};
use antiphon_providers::speak::known::{KNOWN_SPEAK, KnownSpeak};
use antiphon_providers::speak::{Speak, SpeakEvent, SpeakEventKind, SpeakRequest, WordMark};
use antiphon_providers::{Fault, FaultKind, TaskHandle};
use antiphon_testkit::fakes::cartesia::Cartesia;
use antiphon_testkit::fakes::deepgram_aura::Aura;
use antiphon_testkit::fakes::elevenlabs::ElevenLabs;
use antiphon_testkit::fakes::http::{Answer, End, HttpFake, Step, Wiring};
use antiphon_testkit::fakes::openai_speech;
use antiphon_testkit::fakes::ws::{self, Door, Peer, Treatment, Upgrade, WsFake};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};

pub(crate) const KEY: &str = "k-never-shown";
/// Far above any deadline under test: a test that waits so long has failed.
pub(crate) const LONG: Duration = Duration::from_secs(10);
pub(crate) const TEXT: &str = "Hello there, this is what a voice says to you.";

/// How a vendor is faked.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Socket(fn(&Upgrade) -> Box<dyn Peer>),
    Http,
}

/// A vendor under test.
#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) known: KnownSpeak,
    pub(crate) kind: Kind,
    /// Messages that the fake says before it is asked.
    pub(crate) greetings: usize,
    pub(crate) key_header: (&'static str, &'static str),
    /// Sentences use one connection after another.
    pub(crate) reuses: bool,
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name: &str, kind, greetings, key_header, reuses| Case {
        known: *KNOWN_SPEAK.iter().find(|known| known.name == name).unwrap(),
        kind,
        greetings,
        key_header,
        reuses,
    };
    let bearer = ("authorization", "Bearer ");
    let cases = vec![
        case(
            "elevenlabs",
            Kind::Socket(ElevenLabs::peer),
            0,
            ("xi-api-key", ""),
            false,
        ),
        case("cartesia", Kind::Socket(Cartesia::peer), 0, bearer, true),
        case(
            "deepgram",
            Kind::Socket(Aura::peer),
            1,
            ("authorization", "Token "),
            true,
        ),
        case("openai", Kind::Http, 0, bearer, true),
    ];
    assert_eq!(cases.len(), KNOWN_SPEAK.len(), "every voice is under test");
    cases
}

pub(crate) fn limits() -> HttpLimits {
    HttpLimits {
        connect_timeout: Duration::from_secs(5),
        first_timeout: Duration::from_secs(5),
        idle_timeout: Duration::from_secs(5),
        extra_root: None,
    }
}

/// A server of either kind.
pub(crate) enum Fake {
    Socket(WsFake),
    Http(HttpFake),
}

impl Fake {
    pub(crate) fn url(&self) -> String {
        match self {
            Self::Socket(fake) => fake.url(),
            Self::Http(fake) => fake.url(),
        }
    }

    pub(crate) fn root_pem(&self) -> Option<Vec<u8>> {
        match self {
            Self::Socket(fake) => fake.root_pem(),
            Self::Http(fake) => fake.root_pem(),
        }
    }

    pub(crate) fn connections(&self) -> usize {
        match self {
            Self::Socket(fake) => fake.connections().len(),
            Self::Http(fake) => fake.connections(),
        }
    }

    pub(crate) fn socket(&self) -> &WsFake {
        match self {
            Self::Socket(fake) => fake,
            Self::Http(_) => panic!("not a socket"),
        }
    }

    /// Waits until connection (HTTP: exchange) `nth` has ended; when that was.
    pub(crate) async fn ended(&self, nth: usize) -> Instant {
        let ended = match self {
            Self::Socket(fake) => fake.ended(nth, LONG).await.map(|ended| ended.at),
            Self::Http(fake) => fake.ended(nth, LONG).await.map(|ended| ended.at),
        };
        ended.expect("it ends")
    }
}

pub(crate) async fn fake(
    case: &Case,
    tls: bool,
    treat: impl Fn(usize) -> Treatment + Send + Sync + 'static,
) -> Fake {
    match case.kind {
        Kind::Socket(peer) => Fake::Socket(WsFake::start_with(tls, peer, treat).await.unwrap()),
        Kind::Http => {
            let wiring = if tls { Wiring::Http1Tls } else { Wiring::Http1 };
            let asked = std::sync::atomic::AtomicUsize::new(0);
            let script = move |request: &_| {
                let nth = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                treated(treat(nth), |every| openai_speech::answer(request, every))
            };
            Fake::Http(HttpFake::start(wiring, script).await.unwrap())
        }
    }
}

/// The same treatment over HTTP; a message is a piece of audio.
fn treated(treatment: Treatment, answer: impl Fn(Duration) -> Answer) -> Answer {
    match treatment.door {
        Door::Open => {}
        Door::Refuse {
            status,
            retry_after_s,
        } => {
            let error = json!({"error": {"message": "the words of a call, or a key"}});
            let refusal = Answer::json(status, &error);
            return match retry_after_s {
                Some(seconds) => refusal.header("retry-after", &seconds.to_string()),
                None => refusal,
            };
        }
        Door::Never => return Answer::never(),
        Door::Garbage => return Answer::garbage(b"\0\x01 not HTTP at all"),
    }
    let mut answer = answer(treatment.every).after(treatment.delay);
    if let Some(bytes) = treatment.frame_bytes_max {
        answer = answer.in_packets_of(bytes * 100);
    }
    if let Some((nth, fault)) = treatment.fault {
        let mut left = nth;
        answer.steps.retain(|step| {
            let is_sent = left > 0;
            left -= usize::from(is_sent && matches!(step, Step::Send(_)));
            is_sent
        });
        answer.end = match fault {
            ws::Fault::Stall | ws::Fault::Deaf => End::Stall,
            ws::Fault::Cut
            | ws::Fault::CutMidMessage
            | ws::Fault::Close(_)
            | ws::Fault::Text(_)
            | ws::Fault::Binary(_)
            | ws::Fault::Oversize(_)
            | ws::Fault::NotUtf8
            | ws::Fault::BadFrame => End::Cut,
        };
    }
    answer
}

pub(crate) fn voice_at(case: &Case, limits: HttpLimits, url: &str) -> Arc<dyn Speak> {
    let account = Account::new(url, Secret::new(KEY), case.known.vars.model);
    case.known.build(account, limits).unwrap()
}

/// A backend and its server.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) fake: Fake,
    pub(crate) voice: Arc<dyn Speak>,
}

pub(crate) async fn stage(case: &Case) -> Stage {
    stage_with(case, limits(), |_| Treatment::default()).await
}

pub(crate) async fn stage_with(
    case: &Case,
    limits: HttpLimits,
    treat: impl Fn(usize) -> Treatment + Send + Sync + 'static,
) -> Stage {
    let fake = fake(case, false, treat).await;
    Stage {
        name: case.known.name,
        voice: voice_at(case, limits, &fake.url()),
        fake,
    }
}

/// A sentence under way.
pub(crate) struct Sentence {
    pub(crate) handle: TaskHandle,
    pub(crate) events: mpsc::Receiver<SpeakEvent>,
    segment: SegmentId,
}

/// What became of it.
#[derive(Debug)]
pub(crate) struct Spoken {
    pub(crate) pcm: Vec<i16>,
    pub(crate) marks: Vec<WordMark>,
    /// How much audio had come when each mark did, ms.
    pub(crate) marked_at_ms: Vec<u32>,
    pub(crate) end: Result<(), Fault>,
}

impl Spoken {
    pub(crate) fn fault(&self) -> FaultKind {
        self.end.as_ref().expect_err("a failure").kind
    }

    pub(crate) fn length_ms(&self) -> u32 {
        u32::try_from(self.pcm.len() / 24).unwrap()
    }
}

impl Stage {
    pub(crate) fn start(&self, segment: u32, text: &str) -> Sentence {
        self.start_with(segment, text, "default", 1.0, 8)
    }

    pub(crate) fn start_with(
        &self,
        segment: u32,
        text: &str,
        voice: &str,
        pace: f32,
        room: usize,
    ) -> Sentence {
        let (sender, events) = mpsc::channel(room);
        let segment = SegmentId(segment);
        let request = SpeakRequest {
            segment,
            text: text.to_owned(),
            voice: voice.to_owned(),
            pace,
            pronounce: Arc::default(),
        };
        Sentence {
            handle: self.voice.start(request, sender),
            events,
            segment,
        }
    }

    pub(crate) async fn say(&self, segment: u32, text: &str) -> Spoken {
        self.start(segment, text).spoken(self.name).await
    }
}

impl Sentence {
    /// Waits for audio.
    pub(crate) async fn audio(&mut self, name: &str) {
        loop {
            let event = timeout(LONG, self.events.recv())
                .await
                .expect(name)
                .expect(name);
            match event.kind {
                SpeakEventKind::Audio { .. } => return,
                SpeakEventKind::Marks { .. } => {}
                end @ (SpeakEventKind::Done | SpeakEventKind::Failed { .. }) => {
                    panic!("{name}: {end:?} in the place of audio")
                }
            }
        }
    }

    /// All of it, with the rules that hold for every sentence.
    pub(crate) async fn spoken(mut self, name: &str) -> Spoken {
        let (mut pcm, mut marks, mut marked_at_ms) = (Vec::new(), Vec::new(), Vec::new());
        let mut ends = Vec::new();
        loop {
            let event = timeout(LONG, self.events.recv()).await;
            let event = event.unwrap_or_else(|_| panic!("{name}: nothing comes"));
            let Some(event) = event else { break };
            assert_eq!(event.segment, self.segment, "{name}");
            assert!(ends.is_empty(), "{name}: {event:?} after the end");
            match event.kind {
                SpeakEventKind::Audio { pcm: more } => {
                    assert!(
                        !more.is_empty() && more.len() <= 2_400,
                        "{name}: {}",
                        more.len()
                    );
                    pcm.extend(more);
                }
                SpeakEventKind::Marks { marks: more } => {
                    let now = u32::try_from(pcm.len() / 24).unwrap();
                    marked_at_ms.extend(std::iter::repeat_n(now, more.len()));
                    marks.extend(more);
                }
                SpeakEventKind::Done => ends.push(Ok(())),
                SpeakEventKind::Failed { fault } => ends.push(Err(fault)),
            }
        }
        assert_eq!(ends.len(), 1, "{name}: exactly one end");
        for two in marks.windows(2) {
            assert!(two[0].text_end < two[1].text_end, "{name}: {marks:?}");
            assert!(two[0].end_ms <= two[1].end_ms, "{name}: {marks:?}");
        }
        Spoken {
            pcm,
            marks,
            marked_at_ms,
            end: ends.remove(0),
        }
    }
}
