//! Transcripts from the preferred recognizer, and from the next where it fails: what was said so
//! far is said to it again.

use std::sync::Arc;

use antiphon_agents::Agent;
use antiphon_proto::UtteranceId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::facts::{Fact, Stage};
use super::router::Call;
use crate::hear::{
    HEAR_RATE_HZ, Hear, HearCapabilities, HearContext, HearEvent, HearEventKind, HearStream,
};
use crate::{Fault, FaultKind};

/// Audio of one utterance that is kept to be said again, seconds.
const KEPT_S_MAX: usize = 60;
/// Commands between a call and its recognizers: two and a half seconds of frames.
const COMMANDS_MAX: usize = 128;
/// Events between a recognizer and the router.
const EVENTS_MAX: usize = 32;

/// A [`Hear`] over the router's recognizers.
pub(super) struct RoutedHear {
    call: Arc<Call>,
    agent: Arc<Agent>,
}

impl RoutedHear {
    pub(super) fn new(call: Arc<Call>, agent: &Arc<Agent>) -> Self {
        Self {
            call,
            agent: Arc::clone(agent),
        }
    }

    /// Recognizers that may be used and are available, in the order in which they were configured;
    /// those that are left alone come last.
    fn order(&self) -> Vec<usize> {
        let now = std::time::Instant::now();
        let views: Vec<_> = self
            .call
            .router
            .hear
            .iter()
            .map(|each| each.view(now))
            .collect();
        let permitted = |index: &usize| {
            let view = &views[*index];
            let is_available = self.call.router.hear[*index].provider.is_available();
            is_available && self.agent.route.permits(view.id, view.region)
        };
        let mut order: Vec<usize> = (0..views.len()).filter(permitted).collect();
        order.sort_by_key(|&index| !views[index].admits);
        order
    }

    fn first(&self) -> &dyn Hear {
        let all = &self.call.router.hear;
        let first = self.order().first().copied().unwrap_or(all.len() - 1);
        &*all[first].provider
    }
}

impl Hear for RoutedHear {
    fn name(&self) -> &'static str {
        self.first().name()
    }

    fn advice(&self) -> Option<String> {
        self.first().advice()
    }

    fn trust_permille(&self) -> u16 {
        self.first().trust_permille()
    }

    fn capabilities(&self) -> HearCapabilities {
        self.first().capabilities()
    }

    fn open(&self, context: HearContext, events: mpsc::Sender<HearEvent>) -> Box<dyn HearStream> {
        let (commands, receiver) = mpsc::channel(COMMANDS_MAX);
        let line = Line {
            call: Arc::clone(&self.call),
            order: self.order(),
            at: 0,
            context,
            out: events,
            stream: None,
            heard: None,
            answer_by: None,
            audio_ms: 0,
        };
        tokio::spawn(line.run(receiver));
        Box::new(RoutedStream {
            commands,
            lost: None,
        })
    }
}

enum Command {
    Begin(UtteranceId),
    Push(Vec<i16>),
    Finish,
    Cancel,
    /// The queue was full: audio of the utterance was lost.
    Lost,
}

/// The call's end: it never waits.
struct RoutedStream {
    commands: mpsc::Sender<Command>,
    /// What could not be told while the queue was full.
    lost: Option<Command>,
}

impl RoutedStream {
    fn send(&mut self, command: Command) {
        if let Some(lost) = self.lost.take()
            && let Err(mpsc::error::TrySendError::Full(lost)) = self.commands.try_send(lost)
        {
            self.lost = Some(lost);
        }
        // Commands other than audio must not be lost, or the utterance never ends.
        if let Err(mpsc::error::TrySendError::Full(command)) = self.commands.try_send(command) {
            self.lost = Some(match command {
                Command::Push(_) | Command::Finish | Command::Lost => Command::Lost,
                Command::Begin(utterance) => Command::Begin(utterance),
                Command::Cancel => Command::Cancel,
            });
        }
    }
}

impl HearStream for RoutedStream {
    fn begin(&mut self, utterance: UtteranceId) {
        self.send(Command::Begin(utterance));
    }

    fn push(&mut self, pcm: &[i16]) {
        self.send(Command::Push(pcm.to_vec()));
    }

    fn finish(&mut self) {
        self.send(Command::Finish);
    }

    fn cancel(&mut self) {
        self.send(Command::Cancel);
    }
}

/// The utterance being heard.
struct Heard {
    utterance: UtteranceId,
    pcm: Vec<i16>,
    finished: Option<Instant>,
    partial: String,
}

/// One call's recognizers: one at work, the others behind it.
struct Line {
    call: Arc<Call>,
    order: Vec<usize>,
    at: usize,
    context: HearContext,
    out: mpsc::Sender<HearEvent>,
    stream: Option<(Box<dyn HearStream>, mpsc::Receiver<HearEvent>)>,
    heard: Option<Heard>,
    answer_by: Option<Instant>,
    audio_ms: u64,
}

enum Wake {
    Command(Option<Command>),
    Event(Option<HearEvent>),
    TooSlow,
}

impl Line {
    async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            let answer_by = self.answer_by;
            let wake = {
                let event = async {
                    match &mut self.stream {
                        Some((_, events)) => events.recv().await,
                        None => std::future::pending().await,
                    }
                };
                tokio::select! {
                    biased;
                    event = event => Wake::Event(event),
                    command = commands.recv() => Wake::Command(command),
                    () = at(answer_by) => Wake::TooSlow,
                }
            };
            match wake {
                Wake::Command(Some(command)) => self.take(command).await,
                Wake::Command(None) => break,
                Wake::Event(Some(event)) => self.on_event(event).await,
                Wake::Event(None) => {
                    self.stream = None;
                    if self.heard.is_some() {
                        let fault = Fault::new(FaultKind::BrokenOff, "the recognizer went away");
                        self.fall_back(fault).await;
                    }
                }
                Wake::TooSlow => {
                    let limit = self.call.router.config.deadlines.hear_final;
                    let reason = format!("no transcript within {} ms", limit.as_millis());
                    self.fall_back(Fault::new(FaultKind::TooSlow, reason)).await;
                }
            }
        }
        self.settle();
    }

    fn index(&self) -> Option<usize> {
        self.order.get(self.at).copied()
    }

    /// The recognizer at work; opened where it is not.
    fn stream(&mut self) -> Option<&mut Box<dyn HearStream>> {
        if self.stream.is_none() {
            let index = self.index()?;
            let (sender, events) = mpsc::channel(EVENTS_MAX);
            let hear = &self.call.router.hear[index].provider;
            self.stream = Some((hear.open(self.context.clone(), sender), events));
        }
        self.stream.as_mut().map(|(stream, _)| stream)
    }

    async fn take(&mut self, command: Command) {
        match command {
            Command::Begin(utterance) => {
                self.settle();
                self.answer_by = None;
                self.heard = Some(Heard {
                    utterance,
                    pcm: Vec::new(),
                    finished: None,
                    partial: String::new(),
                });
                self.prefer_first();
                if let Some(index) = self.index() {
                    let now = std::time::Instant::now();
                    let router = &self.call.router;
                    router.hear[index].begin(now, router.started, true);
                }
                if let Some(stream) = self.stream() {
                    stream.begin(utterance);
                }
            }
            Command::Push(pcm) => {
                let Some(heard) = &mut self.heard else { return };
                let room = (KEPT_S_MAX * HEAR_RATE_HZ as usize).saturating_sub(heard.pcm.len());
                heard.pcm.extend_from_slice(&pcm[..pcm.len().min(room)]);
                self.audio_ms += pcm.len() as u64 * 1_000 / u64::from(HEAR_RATE_HZ);
                if let Some(stream) = self.stream() {
                    stream.push(&pcm);
                }
            }
            Command::Finish => {
                let Some(heard) = &mut self.heard else { return };
                let now = Instant::now();
                heard.finished = Some(now);
                let has_others = self.at + 1 < self.order.len();
                let limit = self.call.router.config.deadlines.hear_final;
                self.answer_by = has_others.then(|| now + limit);
                if let Some(stream) = self.stream() {
                    stream.finish();
                }
            }
            Command::Cancel => {
                self.heard = None;
                self.answer_by = None;
                if let Some((stream, _)) = &mut self.stream {
                    stream.cancel();
                }
            }
            Command::Lost => {
                let fault = Fault::internal("the recognizer does not keep up");
                self.conclude(HearEventKind::Failed { fault }).await;
            }
        }
    }

    async fn on_event(&mut self, event: HearEvent) {
        let index = self.index();
        let Some(heard) = self
            .heard
            .as_mut()
            .filter(|h| h.utterance == event.utterance)
        else {
            return;
        };
        match event.kind {
            HearEventKind::Partial { text } => {
                heard.partial.clone_from(&text);
                let kind = HearEventKind::Partial { text };
                self.send(event.utterance, kind).await;
            }
            HearEventKind::Final { text, words } => {
                if let (Some(index), Some(finished)) = (index, heard.finished) {
                    let now = Instant::now();
                    let router = &self.call.router;
                    router.hear[index].succeeded();
                    let took = now.saturating_duration_since(finished);
                    router.hear[index].first_output(took, now.into_std(), router.started);
                }
                self.conclude(HearEventKind::Final { text, words }).await;
            }
            HearEventKind::Failed { fault } => self.fall_back(fault).await,
        }
    }

    /// The recognizer failed: the next one hears the utterance from its beginning.
    async fn fall_back(&mut self, fault: Fault) {
        self.answer_by = None;
        self.stream = None;
        self.settle();
        let Some(index) = self.index() else {
            self.conclude(HearEventKind::Failed { fault }).await;
            return;
        };
        let router = Arc::clone(&self.call.router);
        let now = std::time::Instant::now();
        router.hear[index].failed(&fault, now, router.started);
        let next = self.order.get(self.at + 1).copied();
        self.call.teller.tell(Fact::FellBack {
            stage: Stage::Hear,
            from: Arc::clone(&router.hear[index].id),
            to: next.map(|next| Arc::clone(&router.hear[next].id)),
            kind: fault.kind,
        });
        let Some(next) = next else {
            // What was understood so far is better than nothing.
            let partial = self.heard.as_ref().map(|heard| heard.partial.clone());
            let kind = match partial.filter(|text| !text.is_empty()) {
                Some(text) => HearEventKind::Final {
                    text,
                    words: Vec::new(),
                },
                None => HearEventKind::Failed { fault },
            };
            self.conclude(kind).await;
            return;
        };
        self.at += 1;
        router.hear[next].begin(now, router.started, true);
        let Some(heard) = self.heard.take() else {
            return;
        };
        self.audio_ms += heard.pcm.len() as u64 * 1_000 / u64::from(HEAR_RATE_HZ);
        let limit = router.config.deadlines.hear_final;
        let has_others = self.at + 1 < self.order.len();
        if let Some(stream) = self.stream() {
            stream.begin(heard.utterance);
            for piece in heard.pcm.chunks(HEAR_RATE_HZ as usize / 50) {
                stream.push(piece);
            }
            if heard.finished.is_some() {
                stream.finish();
            }
        }
        if heard.finished.is_some() {
            self.answer_by = has_others.then(|| Instant::now() + limit);
        }
        self.heard = Some(Heard {
            partial: String::new(),
            ..heard
        });
    }

    /// A new utterance goes to the preferred recognizer again, once its breaker lets it.
    fn prefer_first(&mut self) {
        let now = std::time::Instant::now();
        let better = (0..self.at).find(|&at| {
            let index = self.order[at];
            self.call.router.hear[index].view(now).admits
        });
        if let Some(better) = better {
            self.at = better;
            self.stream = None;
        }
    }

    async fn conclude(&mut self, kind: HearEventKind) {
        self.answer_by = None;
        if let Some(heard) = self.heard.take() {
            self.send(heard.utterance, kind).await;
        }
        self.settle();
    }

    /// Counts the cost of what the recognizer at work has heard.
    fn settle(&mut self) {
        let audio_ms = std::mem::take(&mut self.audio_ms);
        let Some(index) = self.index() else { return };
        let candidate = &self.call.router.hear[index];
        if let Some(price) = &candidate.price {
            self.call.spend(candidate, price.of_hearing(audio_ms));
        }
    }

    async fn send(&mut self, utterance: UtteranceId, kind: HearEventKind) {
        // A call that is over does not need it.
        let _ = self.out.send(HearEvent { utterance, kind }).await;
    }
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
