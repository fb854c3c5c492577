//! Replies from whoever is chosen, and from the next where one fails.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use antiphon_proto::GenerationId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::candidate::Candidate;
use super::continuation::Continuation;
use super::facts::{Fact, Stage};
use super::prices::tokens_about;
use super::quality::{Signals, quality};
use super::router::Call;
use crate::think::{
    Think, ThinkCapabilities, ThinkEvent, ThinkEventKind, ThinkRequest, ThinkUsage,
};
use crate::{Fault, FaultKind, TaskHandle};

/// Providers tried for one reply.
const ATTEMPTS_MAX: usize = 4;
/// Events between a provider and the router.
const EVENTS_MAX: usize = 16;
/// A provider is hedged once this much is known of it.
const HEDGE_MEASURED_MIN: u64 = 20;
/// Beyond its 95th percentile by this much: a provider with steady times is not asked twice for a
/// trifle.
const HEDGE_SLACK: f64 = 1.1;
/// Nobody is hedged sooner than this: two requests cost twice as much.
const HEDGE_AFTER_MIN: Duration = Duration::from_millis(150);
/// The only provider is asked again after this long, and half as long again at most.
const RETRY_AFTER: Duration = Duration::from_millis(150);
/// Longest pause that the only provider is granted where it asks for one.
const RETRY_AFTER_MAX: Duration = Duration::from_millis(1_000);

/// A [`Think`] over the router's responders.
pub(super) struct RoutedThink {
    call: Arc<Call>,
}

impl RoutedThink {
    pub(super) fn new(call: Arc<Call>) -> Self {
        Self { call }
    }
}

impl Think for RoutedThink {
    fn name(&self) -> &'static str {
        self.call.router.think[0].provider.name()
    }

    fn model(&self) -> &str {
        self.call.router.think[0].provider.model()
    }

    fn capabilities(&self) -> ThinkCapabilities {
        self.call.router.think[0].provider.capabilities()
    }

    fn start(&self, request: ThinkRequest, events: mpsc::Sender<ThinkEvent>) -> TaskHandle {
        let reply = Reply {
            call: Arc::clone(&self.call),
            request,
            events,
            said: String::new(),
            tools_called: false,
        };
        TaskHandle::from_task(tokio::spawn(reply.run()).abort_handle())
    }
}

/// One reply under way.
struct Reply {
    call: Arc<Call>,
    request: ThinkRequest,
    events: mpsc::Sender<ThinkEvent>,
    /// What the caller was given.
    said: String,
    tools_called: bool,
}

/// How an attempt ended.
enum End {
    /// The reply is complete, or nobody wants it any more.
    Over,
    Failed(Fault),
}

/// One provider at work.
struct Lane {
    index: usize,
    events: mpsc::Receiver<ThinkEvent>,
    since: Instant,
    chars: usize,
    settled: bool,
    call: Arc<Call>,
    input_chars: usize,
    _task: TaskHandle,
}

impl Reply {
    async fn run(mut self) {
        self.judge_last();
        let now = Instant::now();
        let call = Arc::clone(&self.call);
        let candidates = &call.router.think;
        let agent = Arc::clone(&self.request.agent);
        let choice = call.choose(candidates, &agent, call.last_think(), now.into_std());
        let mut queue: VecDeque<usize> = choice.order().take(ATTEMPTS_MAX).collect();
        let alone = queue.len() == 1;
        if let Some(&first) = queue.front() {
            call.teller.tell(Fact::Chosen {
                generation: self.request.generation,
                id: Arc::clone(&candidates[first].id),
                why: choice.why.words(),
            });
        }
        let mut last = Fault::new(
            FaultKind::Unreachable,
            "no responder may be used; check [route] and the keys",
        );
        let mut retried = false;
        while let Some(index) = queue.pop_front() {
            match self.attempt(index, &mut queue).await {
                End::Over => return,
                End::Failed(fault) => {
                    if alone
                        && !retried
                        && let Some(wait) = self.retry_wait(&fault)
                    {
                        retried = true;
                        tokio::time::sleep(wait).await;
                        queue.push_back(index);
                    }
                    last = fault;
                }
            }
        }
        self.send(ThinkEventKind::Failed { fault: last }).await;
    }

    /// How long to wait before the only provider is asked once more; none where that is useless.
    fn retry_wait(&self, fault: &Fault) -> Option<Duration> {
        if !self.said.is_empty() || !fault.kind.is_passing() || fault.kind == FaultKind::TooSlow {
            return None;
        }
        let asked = match fault.kind {
            FaultKind::RateLimited { retry_after } => retry_after.unwrap_or(RETRY_AFTER),
            FaultKind::Unreachable
            | FaultKind::Refused
            | FaultKind::Overloaded
            | FaultKind::TooSlow
            | FaultKind::BrokenOff
            | FaultKind::Malformed
            | FaultKind::Internal => RETRY_AFTER,
        };
        // Calls that failed together do not come back together.
        let jitter =
            (self.call.seed.wrapping_mul(0x9E37_79B9) ^ u64::from(self.request.generation.0)) % 50;
        (asked <= RETRY_AFTER_MAX).then(|| asked + asked.mul_f64(jitter as f64 / 100.0))
    }

    /// What the person said next tells how good the last reply was.
    fn judge_last(&self) {
        let (Some(last), Some(signals)) =
            (self.call.last_think(), Signals::of(&self.request.history))
        else {
            return;
        };
        let router = &self.call.router;
        router.think[last].judged(quality(signals), std::time::Instant::now(), router.started);
    }

    /// Asks one provider, and a second one beside it where the first is slower than usual.
    async fn attempt(&mut self, index: usize, queue: &mut VecDeque<usize>) -> End {
        let call = Arc::clone(&self.call);
        let deadlines = call.router.config.deadlines;
        let Some(mut lane) = self.open(index, queue.is_empty()) else {
            let reason = "left alone after failures; see /v1/mirror/routes";
            return End::Failed(Fault::new(FaultKind::Unreachable, reason));
        };
        let mut hedge: Option<Lane> = None;
        let mut hedge_at = self.hedge_at(&lane, queue);
        // The provider's own deadline holds where nobody could go on in its place.
        let first_by = (!queue.is_empty()).then(|| lane.since + deadlines.think_first);
        let first = loop {
            let unhedged = hedge.is_none();
            let other = async {
                match &mut hedge {
                    Some(hedge) => hedge.events.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                event = lane.events.recv() => match lane.first(event) {
                    Ok(kind) => break kind,
                    Err(fault) => match hedge.take() {
                        Some(second) => {
                            self.fell_back_to(&mut lane, Some(second.index), &fault);
                            lane = second;
                        }
                        None => return self.failed(&mut lane, queue, fault),
                    },
                },
                event = other => if let Some(mut second) = hedge.take() {
                    match second.first(event) {
                        Ok(kind) => {
                            lane = second;
                            break kind;
                        }
                        Err(fault) => second.fail(&fault),
                    }
                },
                () = at(hedge_at), if unhedged => {
                    hedge_at = None;
                    if let Some(second) = queue.pop_front() {
                        hedge = self.open(second, false);
                    }
                }
                () = at(first_by) => {
                    let fault = too_slow(deadlines.think_first);
                    if let Some(mut second) = hedge.take() {
                        second.fail(&fault);
                    }
                    return self.failed(&mut lane, queue, fault);
                }
            }
        };
        drop(hedge);
        call.answered(lane.index);
        self.follow(lane, first, queue).await
    }

    /// Passes on the reply of the provider that answered first.
    async fn follow(
        &mut self,
        mut lane: Lane,
        first: ThinkEventKind,
        queue: &VecDeque<usize>,
    ) -> End {
        let idle = self.call.router.config.deadlines.think_idle;
        let mut continuation = Continuation::new(&self.said);
        let mut kind = first;
        loop {
            match kind {
                ThinkEventKind::Delta { text } => {
                    lane.chars += text.len();
                    let text = continuation.push(&text);
                    if !self.give(text).await {
                        return End::Over;
                    }
                }
                ThinkEventKind::ToolCalls { .. } => {
                    self.tools_called = true;
                    self.send(kind).await;
                }
                ThinkEventKind::Done { usage, .. } => {
                    let rest = continuation.finish();
                    self.give(rest).await;
                    lane.succeed(usage);
                    let asked = self.request.history.last();
                    let asked = asked.map_or("", |message| message.text.as_str());
                    self.call.router.consider(lane.index, asked, &self.said);
                    self.send(kind).await;
                    return End::Over;
                }
                ThinkEventKind::Failed { fault } if self.tools_called => {
                    // Calls that were made are not made twice; only the end was missing.
                    lane.fail(&fault);
                    self.send(done()).await;
                    return End::Over;
                }
                ThinkEventKind::Failed { fault } => {
                    self.give(continuation.finish()).await;
                    return self.failed(&mut lane, queue, fault);
                }
            }
            let idle_by = (!queue.is_empty()).then(|| Instant::now() + idle);
            kind = tokio::select! {
                biased;
                event = lane.events.recv() => event.map_or_else(gone, |event| event.kind),
                () = at(idle_by) => ThinkEventKind::Failed { fault: too_slow(idle) },
            };
        }
    }

    /// Gives the caller words; false where nobody wants them any more.
    async fn give(&mut self, text: String) -> bool {
        if text.is_empty() {
            return true;
        }
        self.said.push_str(&text);
        self.send(ThinkEventKind::Delta { text }).await
    }

    /// A provider failed: the next goes on.
    fn failed(&mut self, lane: &mut Lane, queue: &VecDeque<usize>, fault: Fault) -> End {
        self.fell_back_to(lane, queue.front().copied(), &fault);
        End::Failed(fault)
    }

    fn fell_back_to(&self, lane: &mut Lane, to: Option<usize>, fault: &Fault) {
        lane.fail(fault);
        let candidates = &self.call.router.think;
        self.call.teller.tell(Fact::FellBack {
            stage: Stage::Think,
            from: Arc::clone(&candidates[lane.index].id),
            to: to.map(|to| Arc::clone(&candidates[to].id)),
            kind: fault.kind,
        });
    }

    /// Starts a provider; none where its breaker does not let it through.
    fn open(&self, index: usize, last_chance: bool) -> Option<Lane> {
        let candidate = &self.call.router.think[index];
        let since = Instant::now();
        if !candidate.begin(since.into_std(), self.call.router.started, last_chance) {
            return None;
        }
        let (sender, events) = mpsc::channel(EVENTS_MAX);
        let mut request = self.request.clone();
        if !self.said.is_empty() {
            request.already_said = Some(self.said.clone());
        }
        let texts = request.history.iter().map(|message| message.text.len());
        let input_chars = request.agent.instructions().len() + texts.sum::<usize>();
        Some(Lane {
            index,
            events,
            since,
            chars: 0,
            settled: false,
            call: Arc::clone(&self.call),
            input_chars,
            _task: candidate.provider.start(request, sender),
        })
    }

    /// When a second provider is asked beside the first: past the first one's own p95.
    fn hedge_at(&self, lane: &Lane, queue: &VecDeque<usize>) -> Option<Instant> {
        if !self.request.agent.route.hedge || queue.is_empty() {
            return None;
        }
        let p95 = self.call.router.think[lane.index].p95(HEDGE_MEASURED_MIN)?;
        Some(lane.since + p95.mul_f64(HEDGE_SLACK).max(HEDGE_AFTER_MIN))
    }

    /// False where nobody listens any more.
    async fn send(&self, kind: ThinkEventKind) -> bool {
        let generation: GenerationId = self.request.generation;
        self.events
            .send(ThinkEvent { generation, kind })
            .await
            .is_ok()
    }
}

impl Lane {
    fn candidate(&self) -> &Candidate<dyn Think> {
        &self.call.router.think[self.index]
    }

    /// The first event of a provider: it answers, or it failed.
    fn first(&mut self, event: Option<ThinkEvent>) -> Result<ThinkEventKind, Fault> {
        match event.map(|event| event.kind) {
            Some(ThinkEventKind::Failed { fault }) => Err(fault),
            None => Err(Fault::internal("the responder stopped without a word")),
            Some(kind) => {
                let now = Instant::now();
                self.candidate().first_output(
                    now - self.since,
                    now.into_std(),
                    self.call.router.started,
                );
                Ok(kind)
            }
        }
    }

    fn succeed(&mut self, usage: Option<ThinkUsage>) {
        self.candidate().succeeded();
        self.settle(usage);
    }

    fn fail(&mut self, fault: &Fault) {
        let now = std::time::Instant::now();
        self.candidate()
            .failed(fault, now, self.call.router.started);
        self.settle(None);
    }

    /// Counts the cost once: by the provider's usage, or about where it did not tell.
    fn settle(&mut self, usage: Option<ThinkUsage>) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        let Some(price) = &self.candidate().price else {
            return;
        };
        let usage = usage.unwrap_or_else(|| ThinkUsage {
            input_tokens: tokens_about(self.input_chars),
            cached_input_tokens: 0,
            output_tokens: tokens_about(self.chars),
        });
        let cost = price.of_reply(usage);
        self.call.spend(self.candidate(), cost);
    }
}

impl Drop for Lane {
    /// A reply that is cut off was read all the same, and is paid for.
    fn drop(&mut self) {
        self.settle(None);
    }
}

fn gone() -> ThinkEventKind {
    ThinkEventKind::Failed {
        fault: Fault::internal("the responder stopped in the middle"),
    }
}

fn done() -> ThinkEventKind {
    ThinkEventKind::Done {
        usage: None,
        hang_up: false,
        hand_off: None,
    }
}

fn too_slow(limit: Duration) -> Fault {
    let reason = format!("nothing within {} ms", limit.as_millis());
    Fault::new(FaultKind::TooSlow, reason)
}

/// Sleeps until then; for ever where there is no such time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
