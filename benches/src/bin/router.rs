//! What the router costs: a choice, the first words of a reply over a bare client's, and many
//! replies at once.
//!
//! `cargo run --release -p antiphon-benches --bin router [-- --write]`. With `--write` the table
//! replaces the one in `docs/performance.md`. The provider is a fake of Chat Completions over a
//! real socket, on threads of its own; all clients share one thread.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_agents::{Agent, Route};
use antiphon_benches::marks;
use antiphon_benches::process::load_average;
use antiphon_benches::stats::Samples;
use antiphon_proto::{GenerationId, Message, Role, TurnId};
use antiphon_providers::route::{
    BreakerState, CANDIDATES_MAX, Moment, Prices, Router, RouterBuilder, RouterConfig, View, choose,
};
use antiphon_providers::speak::flite::Flite;
use antiphon_providers::think::{
    RemoteThink, Think, ThinkConfig, ThinkEventKind, ThinkLimits, ThinkRequest,
};
use antiphon_testkit::ScriptedHear;
use antiphon_testkit::fakes::http::{Answer, HttpFake, Step, Wiring};
use antiphon_testkit::fakes::llm::{LlmVendor, Said};
use tokio::sync::mpsc;

/// Choices timed, in blocks whose mean is one sample.
const CHOICE_BLOCKS: usize = 2_000;
const CHOICES_A_BLOCK: u64 = 50;
/// Replies timed each way.
const REPLIES: usize = 600;
/// Replies at once, their pieces and the pause between two of these.
const STREAMS: usize = 200;
const PIECES: usize = 150;
const PIECE_EVERY: Duration = Duration::from_millis(20);

fn main() -> ExitCode {
    let write = std::env::args().any(|arg| arg == "--write");
    match run(write) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("router: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(write: bool) -> Result<(), String> {
    let fakes = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let quick = fakes.block_on(HttpFake::start(Wiring::Http1, |request| {
        LlmVendor::Chat.answer(request, &Said::words(&["Hello", " there", "."]))
    }));
    let quick = quick.map_err(|error| error.to_string())?;
    let paced = fakes.block_on(HttpFake::start(Wiring::Http1, |_| paced_answer()));
    let paced = paced.map_err(|error| error.to_string())?;
    let clients = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let choice = choices();
    let (bare, routed) = clients.block_on(first_words(&quick.url()))?;
    let many = clients.block_on(many(&paced.url()))?;
    let text = format!(
        "| | median | p99 | bar |\n|---|---|---|---|\n\
         | a choice among {CANDIDATES_MAX} providers | {:.2} µs | {:.2} µs | ≤ 20 µs |\n\
         | first words, bare `reqwest` stream | {:.0} µs | {:.0} µs | |\n\
         | first words through adapter and router | {:.0} µs | {:.0} µs | ≤ 1,000 µs over the bare p99: {:+.0} µs |\n\
         | {STREAMS} replies at once on one thread, between two pieces sent 20 ms apart | {:.1} ms | {:.1} ms | not falling behind |\n\n\
         Load average: {}. {REPLIES} replies each way, in turns.",
        at(&choice, 0.5),
        at(&choice, 0.99),
        at(&bare, 0.5),
        at(&bare, 0.99),
        at(&routed, 0.5),
        at(&routed, 0.99),
        at(&routed, 0.99) - at(&bare, 0.99),
        at(&many, 0.5),
        at(&many, 0.99),
        load_average(),
    );
    println!("{text}");
    if write {
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/performance.md");
        marks::write(&document, "router", &text)?;
    }
    Ok(())
}

fn paced_answer() -> Answer {
    let pieces: Vec<String> = (0..PIECES).map(|nth| format!(" {nth}")).collect();
    let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
    let mut answer = Answer::events(Vec::new());
    for event in LlmVendor::Chat.stream(&Said::words(&pieces)) {
        answer.steps.push(Step::Send(event));
        answer.steps.push(Step::Wait(PIECE_EVERY));
    }
    answer
}

/// Microseconds of a choice.
fn choices() -> Samples {
    let ids: Vec<String> = (0..CANDIDATES_MAX)
        .map(|nth| format!("provider{nth}/model"))
        .collect();
    let views: Vec<View<'_>> = ids
        .iter()
        .enumerate()
        .map(|(nth, id)| View {
            id,
            region: "us",
            last_resort: false,
            breaker: BreakerState::Closed,
            admits: true,
            first_ms: 100.0 + 37.0 * nth as f64,
            measured: 50,
            errors: 0.01 * nth as f64,
            quality: 0.5,
            price: Some(1_000_000 * nth as u64),
        })
        .collect();
    let route = Route {
        allow: ids.clone(),
        deny: vec!["provider3".to_owned()],
        ..Route::default()
    };
    let mut samples = Vec::new();
    for block in 0..CHOICE_BLOCKS as u64 {
        let began = Instant::now();
        for nth in 0..CHOICES_A_BLOCK {
            let moment = Moment {
                nth: block * CHOICES_A_BLOCK + nth,
                last: Some(1),
                ..Moment::default()
            };
            std::hint::black_box(choose(std::hint::black_box(&views), &route, moment));
        }
        samples.push(began.elapsed().as_secs_f64() * 1e6 / CHOICES_A_BLOCK as f64);
    }
    samples.into_iter().collect()
}

fn router(url: &str) -> Result<Arc<Router>, String> {
    let config = ThinkConfig::new(format!("{url}/v1"), "fake");
    let think = RemoteThink::compatible(config).map_err(|error| error.to_string())?;
    RouterBuilder::new(Prices::embedded(), RouterConfig::default())
        .hear(Arc::new(ScriptedHear::new(&[], Duration::ZERO)), "")
        .think(Arc::new(think))
        .speak(Arc::new(Flite::new()), "")
        .build()
        .map_err(|error| error.to_string())
}

fn request(agent: &Arc<Agent>) -> ThinkRequest {
    ThinkRequest {
        generation: GenerationId(1),
        agent: Arc::clone(agent),
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

/// Microseconds to the first words: by a bare client, and through adapter and router.
async fn first_words(url: &str) -> Result<(Samples, Samples), String> {
    let agent = Agent::built_in("cal").ok_or("no agent")?;
    let router = router(url)?;
    let client = reqwest::Client::new();
    let (mut bare, mut routed) = (Vec::new(), Vec::new());
    let think = router.session(&agent).think;
    // The first of each opens its connection.
    for nth in 0..=REPLIES {
        let took = bare_reply(&client, url, &agent).await?;
        let ours = routed_reply(&think, &agent).await?;
        if nth > 0 {
            bare.push(took.as_secs_f64() * 1e6);
            routed.push(ours.as_secs_f64() * 1e6);
        }
    }
    Ok((bare.into_iter().collect(), routed.into_iter().collect()))
}

async fn bare_reply(
    client: &reqwest::Client,
    url: &str,
    agent: &Agent,
) -> Result<Duration, String> {
    let began = Instant::now();
    let body = serde_json::json!({
        "model": "fake", "stream": true, "max_tokens": 300,
        "stream_options": {"include_usage": true},
        "messages": [
            {"role": "system", "content": agent.instructions()},
            {"role": "user", "content": "how are you"},
        ],
    });
    let sent = client
        .post(format!("{url}/v1/chat/completions"))
        .json(&body);
    let mut answer = sent.send().await.map_err(|error| error.to_string())?;
    let mut first = None;
    let mut seen = String::new();
    while let Some(bytes) = answer.chunk().await.map_err(|error| error.to_string())? {
        seen.push_str(&String::from_utf8_lossy(&bytes));
        if seen.contains("Hello") {
            first.get_or_insert_with(|| began.elapsed());
        }
    }
    first.ok_or_else(|| format!("no words: {seen}"))
}

async fn routed_reply(think: &Arc<dyn Think>, agent: &Arc<Agent>) -> Result<Duration, String> {
    let (sender, mut events) = mpsc::channel(64);
    let began = Instant::now();
    let _handle = think.start(request(agent), sender);
    let mut first = None;
    while let Some(event) = events.recv().await {
        match event.kind {
            ThinkEventKind::Delta { .. } => {
                first.get_or_insert_with(|| began.elapsed());
            }
            ThinkEventKind::Failed { fault } => return Err(fault.reason),
            ThinkEventKind::ToolCalls { .. } | ThinkEventKind::Done { .. } => {}
        }
    }
    first.ok_or_else(|| "no words".to_owned())
}

/// Milliseconds between two pieces of a reply.
async fn many(url: &str) -> Result<Samples, String> {
    let agent = Agent::built_in("cal").ok_or("no agent")?;
    let router = router(url)?;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..STREAMS {
        let (think, agent) = (router.session(&agent).think, Arc::clone(&agent));
        tasks.spawn(async move {
            let (sender, mut events) = mpsc::channel(64);
            let _handle = think.start(request(&agent), sender);
            let mut at = Vec::with_capacity(PIECES);
            while let Some(event) = events.recv().await {
                match event.kind {
                    ThinkEventKind::Delta { .. } => at.push(Instant::now()),
                    ThinkEventKind::Failed { fault } => return Err(fault.reason),
                    ThinkEventKind::ToolCalls { .. } | ThinkEventKind::Done { .. } => {}
                }
            }
            Ok(at)
        });
    }
    let mut gaps = Vec::new();
    for result in tasks.join_all().await {
        let at = result?;
        if at.len() != PIECES {
            return Err(format!("{} of {PIECES} pieces came", at.len()));
        }
        gaps.extend(
            at.windows(2)
                .map(|pair| (pair[1] - pair[0]).as_secs_f64() * 1e3),
        );
    }
    Ok(gaps.into_iter().collect())
}

/// A quantile, 0 where nothing was measured.
fn at(samples: &Samples, share: f64) -> f64 {
    samples.quantile(share).unwrap_or(0.0)
}
