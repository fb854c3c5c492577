//! Providers that do as they are told, with times.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use antiphon_agents::Agent;
use antiphon_proto::{GenerationId, Message, Role, SegmentId, TurnId, UtteranceId};
use antiphon_providers::hear::{Hear, HearContext, HearEvent, HearEventKind, HearStream};
use antiphon_providers::route::{Prices, Router, RouterBuilder, RouterConfig};
use antiphon_providers::speak::{
    Speak, SpeakCapabilities, SpeakEvent, SpeakEventKind, SpeakRequest, UnknownVoice, WordMark,
};
use antiphon_providers::think::{
    Think, ThinkCapabilities, ThinkEvent, ThinkEventKind, ThinkLimits, ThinkRequest,
};
use antiphon_providers::{Fault, FaultKind, TaskHandle};
use tokio::sync::mpsc;
use tokio::time::sleep;

/// What a scripted provider does next.
#[derive(Clone, Debug)]
pub(crate) enum Do {
    Wait(u64),
    Say(&'static str),
    Call,
    Fail(FaultKind),
    Done,
    /// Nothing more, for ever.
    Stall,
}

pub(crate) use Do::{Call, Done, Fail, Say, Stall, Wait};

/// A responder; each request takes the next script, the last one over and over.
pub(crate) struct Thinks {
    name: &'static str,
    scripts: Mutex<VecDeque<Vec<Do>>>,
    pub(crate) asked: AtomicUsize,
    pub(crate) requests: Mutex<Vec<ThinkRequest>>,
    pub(crate) dropped: Arc<AtomicUsize>,
}

impl Thinks {
    pub(crate) fn new(name: &'static str, scripts: &[&[Do]]) -> Arc<Self> {
        Arc::new(Self {
            name,
            scripts: Mutex::new(scripts.iter().map(|script| script.to_vec()).collect()),
            asked: AtomicUsize::new(0),
            requests: Mutex::default(),
            dropped: Arc::default(),
        })
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

pub(crate) struct CountDrop(pub(crate) Arc<AtomicUsize>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn next<T: Clone>(scripts: &Mutex<VecDeque<T>>) -> T {
    let mut scripts = scripts.lock().unwrap();
    match scripts.len() {
        1 => scripts[0].clone(),
        _ => scripts.pop_front().unwrap(),
    }
}

impl Think for Thinks {
    fn name(&self) -> &'static str {
        self.name
    }

    fn model(&self) -> &str {
        "m"
    }

    fn capabilities(&self) -> ThinkCapabilities {
        ThinkCapabilities {
            tools: true,
            remote: true,
        }
    }

    fn start(&self, request: ThinkRequest, events: mpsc::Sender<ThinkEvent>) -> TaskHandle {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let script = next(&self.scripts);
        let generation = request.generation;
        self.requests.lock().unwrap().push(request);
        let dropped = CountDrop(Arc::clone(&self.dropped));
        let task = tokio::spawn(async move {
            let _dropped = dropped;
            for step in script {
                let kind = match step {
                    Wait(ms) => {
                        sleep(Duration::from_millis(ms)).await;
                        continue;
                    }
                    Say(text) => ThinkEventKind::Delta {
                        text: text.to_owned(),
                    },
                    Call => ThinkEventKind::ToolCalls { calls: Vec::new() },
                    Fail(kind) => ThinkEventKind::Failed {
                        fault: Fault::new(kind, "scripted"),
                    },
                    Done => ThinkEventKind::Done {
                        usage: None,
                        hang_up: false,
                        hand_off: None,
                    },
                    Stall => std::future::pending().await,
                };
                events.send(ThinkEvent { generation, kind }).await.unwrap();
            }
        });
        TaskHandle::from_task(task.abort_handle())
    }
}

/// A voice: 100 ms a word at its rate; `Say` in its script speaks so many words of the text.
pub(crate) struct Speaks {
    remote: bool,
    name: &'static str,
    hz: u32,
    scripts: Mutex<VecDeque<Vec<Do>>>,
    pub(crate) texts: Mutex<Vec<String>>,
}

impl Speaks {
    pub(crate) fn new(name: &'static str, hz: u32, scripts: &[&[Do]]) -> Arc<Self> {
        Self::made(false, name, hz, scripts)
    }

    pub(crate) fn remote(name: &'static str, hz: u32, scripts: &[&[Do]]) -> Arc<Self> {
        Self::made(true, name, hz, scripts)
    }

    fn made(remote: bool, name: &'static str, hz: u32, scripts: &[&[Do]]) -> Arc<Self> {
        Arc::new(Self {
            remote,
            name,
            hz,
            scripts: Mutex::new(scripts.iter().map(|script| script.to_vec()).collect()),
            texts: Mutex::default(),
        })
    }
}

impl Speak for Speaks {
    fn name(&self) -> &'static str {
        self.name
    }

    fn capabilities(&self) -> SpeakCapabilities {
        SpeakCapabilities {
            remote: self.remote,
            ..SpeakCapabilities::default()
        }
    }

    fn rate_hz(&self, _voice: &str) -> Result<u32, UnknownVoice> {
        Ok(self.hz)
    }

    fn start(&self, request: SpeakRequest, events: mpsc::Sender<SpeakEvent>) -> TaskHandle {
        let script = next(&self.scripts);
        self.texts.lock().unwrap().push(request.text.clone());
        let (segment, hz) = (request.segment, self.hz);
        let task = tokio::spawn(async move {
            let marks = marks_of(&request.text);
            let send = |kind| events.send(SpeakEvent { segment, kind });
            send(SpeakEventKind::Marks {
                marks: marks.clone(),
            })
            .await
            .unwrap();
            let mut spoken = 0;
            for step in script {
                match step {
                    Wait(ms) => sleep(Duration::from_millis(ms)).await,
                    Say(words) => {
                        let count = words.parse().unwrap_or(marks.len() - spoken);
                        for _ in 0..count {
                            let pcm = vec![1_000; hz as usize / 10];
                            send(SpeakEventKind::Audio { pcm }).await.unwrap();
                        }
                        spoken += count;
                    }
                    Fail(kind) => {
                        let fault = Fault::new(kind, "scripted");
                        send(SpeakEventKind::Failed { fault }).await.unwrap();
                    }
                    Done => send(SpeakEventKind::Done).await.unwrap(),
                    Stall => std::future::pending().await,
                    Call => panic!("voices call no tools"),
                }
            }
        });
        TaskHandle::from_task(task.abort_handle())
    }
}

pub(crate) fn marks_of(text: &str) -> Vec<WordMark> {
    let mut end = 0;
    let mut marks = Vec::new();
    for (nth, word) in text.split_whitespace().enumerate() {
        end = text[end..].find(word).unwrap() + end + word.len();
        marks.push(WordMark {
            text_end: end,
            end_ms: (nth as u32 + 1) * 100,
        });
    }
    marks
}

/// A recognizer: its script runs when an utterance is finished; `Say` answers.
pub(crate) struct Hears {
    name: &'static str,
    scripts: Arc<Mutex<VecDeque<Vec<Do>>>>,
    pub(crate) samples: Arc<AtomicUsize>,
}

impl Hears {
    pub(crate) fn new(name: &'static str, scripts: &[&[Do]]) -> Arc<Self> {
        Arc::new(Self {
            name,
            scripts: Arc::new(Mutex::new(
                scripts.iter().map(|script| script.to_vec()).collect(),
            )),
            samples: Arc::default(),
        })
    }
}

struct HearsStream {
    scripts: Arc<Mutex<VecDeque<Vec<Do>>>>,
    samples: Arc<AtomicUsize>,
    utterance: UtteranceId,
    events: mpsc::Sender<HearEvent>,
}

impl Hear for Hears {
    fn name(&self) -> &'static str {
        self.name
    }

    fn open(&self, _context: HearContext, events: mpsc::Sender<HearEvent>) -> Box<dyn HearStream> {
        Box::new(HearsStream {
            scripts: Arc::clone(&self.scripts),
            samples: Arc::clone(&self.samples),
            utterance: UtteranceId(0),
            events,
        })
    }
}

impl HearStream for HearsStream {
    fn begin(&mut self, utterance: UtteranceId) {
        self.utterance = utterance;
    }

    fn push(&mut self, pcm: &[i16]) {
        self.samples.fetch_add(pcm.len(), Ordering::Relaxed);
    }

    fn finish(&mut self) {
        let script = next(&self.scripts);
        let (utterance, events) = (self.utterance, self.events.clone());
        tokio::spawn(async move {
            for step in script {
                let kind = match step {
                    Wait(ms) => {
                        sleep(Duration::from_millis(ms)).await;
                        continue;
                    }
                    Say(text) => HearEventKind::Final {
                        text: text.to_owned(),
                        words: Vec::new(),
                    },
                    Call => HearEventKind::Partial {
                        text: "so far".to_owned(),
                    },
                    Fail(kind) => HearEventKind::Failed {
                        fault: Fault::new(kind, "scripted"),
                    },
                    Done => break,
                    Stall => std::future::pending().await,
                };
                // The router may have gone on to another recognizer.
                let _ = events.send(HearEvent { utterance, kind }).await;
            }
        });
    }

    fn cancel(&mut self) {}
}

pub(crate) fn quiet() -> (Arc<Hears>, Arc<Thinks>, Arc<Speaks>) {
    (
        Hears::new("h", &[&[Say("words")]]),
        Thinks::new("t", &[&[Say("Hi."), Done]]),
        Speaks::new("s", 16_000, &[&[Say(""), Done]]),
    )
}

pub(crate) fn thinking(thinks: &[&Arc<Thinks>], config: RouterConfig) -> Arc<Router> {
    let (hear, _, speak) = quiet();
    let mut builder = RouterBuilder::new(Prices::embedded(), config).hear(hear, "");
    for &think in thinks {
        builder = builder.think(think.clone());
    }
    builder.speak(speak, "").build().unwrap()
}

pub(crate) fn speaking(speaks: &[&Arc<Speaks>]) -> Arc<Router> {
    let (hear, think, _) = quiet();
    let config = RouterConfig::default();
    let mut builder = RouterBuilder::new(Prices::embedded(), config).hear(hear, "");
    builder = builder.think(think);
    for &speak in speaks {
        builder = builder.speak(speak.clone(), "");
    }
    builder.build().unwrap()
}

pub(crate) fn hearing(hears: &[&Arc<Hears>]) -> Arc<Router> {
    let (_, think, speak) = quiet();
    let mut builder = RouterBuilder::new(Prices::embedded(), RouterConfig::default());
    for &hear in hears {
        builder = builder.hear(hear.clone(), "");
    }
    builder.think(think).speak(speak, "").build().unwrap()
}

pub(crate) fn agent() -> Arc<Agent> {
    Agent::built_in("cal").unwrap()
}

pub(crate) fn think_request(generation: u32) -> ThinkRequest {
    ThinkRequest {
        generation: GenerationId(generation),
        agent: agent(),
        history: vec![Message {
            turn: TurnId(1),
            role: Role::User,
            text: "how are you".to_owned(),
            interrupted: false,
            at_ms: 0,
            tool: None,
        }],
        tools: Vec::new(),
        limits: ThinkLimits::default(),
        already_said: None,
    }
}

pub(crate) fn speak_request(text: &str) -> SpeakRequest {
    SpeakRequest {
        segment: SegmentId(1),
        text: text.to_owned(),
        voice: "rms".to_owned(),
        pace: 1.0,
        pronounce: Arc::default(),
    }
}
