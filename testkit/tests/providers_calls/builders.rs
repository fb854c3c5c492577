//! Every adapter, built against a fake that does something wrong.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use antiphon_providers::hear::Hear;
use antiphon_providers::hear::known::KNOWN_HEAR;
use antiphon_providers::hear::remote::HearLimits;
use antiphon_providers::net::{Account, HttpLimits, Secret};
use antiphon_providers::speak::Speak;
use antiphon_providers::speak::known::KNOWN_SPEAK;
use antiphon_providers::think::known::KNOWN;
use antiphon_providers::think::{Think, ThinkConfig};
use antiphon_testkit::fakes::assemblyai::AssemblyAi;
use antiphon_testkit::fakes::cartesia::Cartesia;
use antiphon_testkit::fakes::deepgram::Deepgram;
use antiphon_testkit::fakes::deepgram_aura::Aura;
use antiphon_testkit::fakes::elevenlabs::ElevenLabs;
use antiphon_testkit::fakes::elevenlabs_scribe::Scribe;
use antiphon_testkit::fakes::http::{Answer, End, HttpFake, Request, Step, Wiring};
use antiphon_testkit::fakes::llm::{KEY, LlmVendor, Said};
use antiphon_testkit::fakes::openai_speech;
use antiphon_testkit::fakes::openai_transcription::OpenAiTranscription;
use antiphon_testkit::fakes::ws::{self, Door, Peer, Treatment, Upgrade, WsFake};
use serde_json::json;
use tokio::net::TcpSocket;

use crate::support::PIECES;

/// What goes wrong at a provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    Nothing,
    Refused,
    Limited,
    Overloaded,
    NobodyThere,
    NeverAnswers,
    CutMidEvent,
    Stalls,
    NoHttp,
    Malformed,
    Slow,
}

/// All that can go wrong, with the table's words for it.
pub(crate) const FAULTS: [(Wrong, &str); 10] = [
    (Wrong::Refused, "refused (401)"),
    (Wrong::Limited, "rate-limited (429, Retry-After)"),
    (Wrong::Overloaded, "overloaded (500)"),
    (Wrong::NobodyThere, "connection refused"),
    (Wrong::NeverAnswers, "never answers"),
    (Wrong::CutMidEvent, "cut in the middle of an event"),
    (Wrong::Stalls, "stalls in the middle"),
    (Wrong::NoHttp, "answers something that is no HTTP"),
    (Wrong::Malformed, "malformed event in the middle"),
    (Wrong::Slow, "slow, but whole"),
];

/// What the slow one waits before the first piece, and before each.
const SLOW_FIRST: Duration = Duration::from_millis(400);
const SLOW_EVERY: Duration = Duration::from_millis(60);
const RETRY_AFTER_S: u64 = 7;
const NO_EVENT: &str = "{\"no\":";

type MakePeer = fn(&Upgrade) -> Box<dyn Peer>;

/// A recognizer, and the messages that its fake says before it takes audio.
pub(crate) const HEAR: [(&str, MakePeer, usize); 4] = [
    ("deepgram", Deepgram::peer, 0),
    ("assemblyai", AssemblyAi::peer, 1),
    ("openai", OpenAiTranscription::peer, 2),
    ("elevenlabs", Scribe::peer, 1),
];

/// A responder, its protocol and its model.
pub(crate) const THINK: [(&str, LlmVendor, &str); 7] = [
    ("compatible", LlmVendor::Chat, "llama3.2"),
    ("openai-chat", LlmVendor::Chat, "gpt-4.1"),
    ("openai", LlmVendor::Responses, "gpt-5.4-mini"),
    ("anthropic", LlmVendor::Anthropic, "claude-haiku-4-5"),
    ("anthropic", LlmVendor::Anthropic, "claude-sonnet-5"),
    ("gemini", LlmVendor::Gemini, "gemini-3.5-flash"),
    ("mistral", LlmVendor::Mistral, "mistral-small-latest"),
];

/// A voice, its fake (HTTP where none), and the messages before the middle of a sentence.
pub(crate) const SPEAK: [(&str, Option<MakePeer>, usize); 4] = [
    ("elevenlabs", Some(ElevenLabs::peer), 2),
    // Two of them are times.
    ("cartesia", Some(Cartesia::peer), 4),
    // One of them is a greeting.
    ("deepgram", Some(Aura::peer), 3),
    ("openai", None, 2),
];

/// A provider, with what must live as long as it.
pub(crate) struct Built<P: ?Sized> {
    pub(crate) provider: Arc<P>,
    /// The fake.
    pub(crate) keep: Box<dyn Any + Send + Sync>,
}

/// The URL of a port where nobody listens, as long as the socket is kept.
fn nobody() -> (String, TcpSocket) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    (format!("http://{}", socket.local_addr().unwrap()), socket)
}

/// How a fake at a socket does it, from its message `middle` on.
fn treatment(wrong: Wrong, middle: usize) -> Treatment {
    let door = |door| Treatment {
        door,
        ..Treatment::default()
    };
    match wrong {
        Wrong::Nothing | Wrong::NobodyThere => Treatment::default(),
        Wrong::Refused => Treatment::refusing(401, None),
        Wrong::Limited => Treatment::refusing(429, Some(RETRY_AFTER_S)),
        Wrong::Overloaded => Treatment::refusing(500, None),
        Wrong::NeverAnswers => door(Door::Never),
        Wrong::NoHttp => door(Door::Garbage),
        Wrong::CutMidEvent => Treatment::failing(middle, ws::Fault::CutMidMessage),
        Wrong::Stalls => Treatment::failing(middle, ws::Fault::Stall),
        Wrong::Malformed => Treatment::failing(middle, ws::Fault::Text(NO_EVENT.to_owned())),
        Wrong::Slow => Treatment {
            delay: SLOW_FIRST,
            every: SLOW_EVERY,
            ..Treatment::default()
        },
    }
}

/// Recognizer `nth`, wrong in connection number `when` says so.
pub(crate) async fn hear(nth: usize, wrong: Wrong, when: fn(usize) -> bool) -> Built<dyn Hear> {
    let (name, peer, greetings) = HEAR[nth];
    let known = KNOWN_HEAR.iter().find(|known| known.name == name).unwrap();
    // The first partial has come by then.
    let bad = treatment(wrong, greetings + 1);
    let treat = move |connection| {
        if when(connection) {
            bad.clone()
        } else {
            Treatment::default()
        }
    };
    let fake = WsFake::start_with(false, peer, treat).await.unwrap();
    let (gone, socket) = nobody();
    let url = if wrong == Wrong::NobodyThere {
        gone
    } else {
        fake.url()
    };
    let account = Account::new(&url, Secret::new(KEY), known.vars.model);
    Built {
        provider: Arc::new(known.build(account, HearLimits::default()).unwrap()),
        keep: Box::new((fake, socket)),
    }
}

/// Responder `nth`, always wrong.
pub(crate) async fn think(nth: usize, wrong: Wrong) -> Built<dyn Think> {
    think_saying(nth, &PIECES, move |_| wrong).await
}

/// Responder `nth`, which says `pieces` and is wrong in request number so much.
pub(crate) async fn think_saying(
    nth: usize,
    pieces: &[&str],
    wrong: impl Fn(usize) -> Wrong + Send + Sync + 'static,
) -> Built<dyn Think> {
    let (name, vendor, model) = THINK[nth];
    let (said, asked) = (Said::words(pieces), AtomicUsize::new(0));
    let is_gone = wrong(0) == Wrong::NobodyThere;
    let fake = HttpFake::start(Wiring::Http1, move |request| {
        let nth = asked.fetch_add(1, Ordering::Relaxed);
        reply(vendor, request, &said, wrong(nth))
    });
    let fake = fake.await.unwrap();
    let (gone, socket) = nobody();
    let url = if is_gone { gone } else { fake.url() };
    let base_url = match vendor {
        LlmVendor::Anthropic | LlmVendor::Gemini => url,
        LlmVendor::Chat | LlmVendor::Responses | LlmVendor::Mistral => format!("{url}/v1"),
    };
    let mut config = ThinkConfig::new(base_url, model);
    config.api_key = Some(Secret::new(KEY));
    let known = KNOWN.iter().find(|known| known.name == name).unwrap();
    Built {
        provider: Arc::new(known.with(config).unwrap()),
        keep: Box::new((fake, socket)),
    }
}

fn reply(vendor: LlmVendor, request: &Request, said: &Said, wrong: Wrong) -> Answer {
    let whole = || vendor.answer(request, said);
    // The second sentence has begun.
    let until_middle = || {
        let mut events = vendor.stream(said);
        let has = |event: &Vec<u8>| String::from_utf8_lossy(event).contains(PIECES[2].trim());
        let middle = events.iter().position(has).unwrap();
        events.truncate(middle + 2);
        let next = events.pop().unwrap();
        (events, next)
    };
    match wrong {
        Wrong::Nothing | Wrong::NobodyThere => whole(),
        Wrong::Refused => vendor.error(401, "authentication_error", "no"),
        Wrong::Limited => vendor
            .error(429, "rate_limit_error", "no")
            .header("retry-after", &RETRY_AFTER_S.to_string()),
        Wrong::Overloaded => vendor.error(500, "api_error", "no"),
        Wrong::NeverAnswers => Answer::never(),
        Wrong::NoHttp => Answer::garbage(b"\0\x01 not HTTP at all"),
        Wrong::CutMidEvent => {
            let (mut events, next) = until_middle();
            events.push(next[..next.len() / 2].to_vec());
            Answer::events(events).ending(End::Cut)
        }
        Wrong::Stalls => Answer::events(until_middle().0).ending(End::Stall),
        Wrong::Malformed => {
            let (mut events, _) = until_middle();
            events.push(format!("data: {NO_EVENT}\n\n").into_bytes());
            Answer::events(events)
        }
        Wrong::Slow => {
            let mut answer = whole().after(SLOW_FIRST);
            let steps = answer.steps.drain(..);
            let slow = steps.flat_map(|step| [Step::Wait(SLOW_EVERY), step]);
            answer.steps = slow.collect();
            answer
        }
    }
}

/// Voice `nth`, wrong in the sentence (over HTTP) or connection for which `when` says so.
pub(crate) async fn speak(nth: usize, wrong: Wrong, when: fn(usize) -> bool) -> Built<dyn Speak> {
    let (name, peer, middle) = SPEAK[nth];
    let known = KNOWN_SPEAK.iter().find(|known| known.name == name).unwrap();
    let bad = treatment(wrong, middle);
    let treat = move |at| {
        if when(at) {
            bad.clone()
        } else {
            Treatment::default()
        }
    };
    let (url, fake): (String, Box<dyn Any + Send + Sync>) = match peer {
        Some(peer) => {
            let fake = WsFake::start_with(false, peer, treat).await.unwrap();
            (fake.url(), Box::new(fake))
        }
        None => {
            let asked = AtomicUsize::new(0);
            let fake = HttpFake::start(Wiring::Http1, move |request| {
                treated(request, treat(asked.fetch_add(1, Ordering::Relaxed)))
            });
            let fake = fake.await.unwrap();
            (fake.url(), Box::new(fake))
        }
    };
    let (gone, socket) = nobody();
    let url = if wrong == Wrong::NobodyThere {
        gone
    } else {
        url
    };
    let account = Account::new(&url, Secret::new(KEY), known.vars.model);
    Built {
        provider: known.build(account, HttpLimits::default()).unwrap(),
        keep: Box::new((fake, socket)),
    }
}

/// The same treatment over HTTP; a message is a piece of audio.
fn treated(request: &Request, treatment: Treatment) -> Answer {
    match treatment.door {
        Door::Open => {}
        Door::Refuse {
            status,
            retry_after_s,
        } => {
            let refusal = Answer::json(status, &json!({"error": {"message": "no"}}));
            return match retry_after_s {
                Some(seconds) => refusal.header("retry-after", &seconds.to_string()),
                None => refusal,
            };
        }
        Door::Never => return Answer::never(),
        Door::Garbage => return Answer::garbage(b"\0\x01 not HTTP at all"),
    }
    let mut answer = openai_speech::answer(request, treatment.every).after(treatment.delay);
    if let Some((nth, fault)) = treatment.fault {
        let mut left = nth;
        answer.steps.retain(|step| {
            let is_sent = left > 0;
            left -= usize::from(is_sent && matches!(step, Step::Send(_)));
            is_sent
        });
        // Bare samples have no form that could be wrong.
        answer.end = if fault == ws::Fault::Stall {
            End::Stall
        } else {
            End::Cut
        };
    }
    answer
}
