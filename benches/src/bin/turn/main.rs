//! How long a person waits for an answer: one WebRTC call to the embedded stack (PocketSphinx,
//! the offline responder, flite) with default endpointing; questions spoken by embedded voices
//! and, where the test material is there, recorded ones.
//!
//! `cargo run --release -p antiphon-benches --bin turn [-- --turns 20] [--write]`. With `--write`
//! the table replaces the one in `docs/performance.md`.

mod questions;
mod table;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_agents::Agent;
use antiphon_audio::CALLER_RATE_HZ;
use antiphon_audio::opus::OpusDecoder;
use antiphon_benches::caller::Callers;
use antiphon_benches::child::Served;
use antiphon_benches::clip::silence_packet;
use antiphon_benches::engine::{Parts, hear_context, serve_calls};
use antiphon_benches::marks;
use antiphon_benches::process::load_average;
use antiphon_benches::talker::{Notes, Sound, Talker};
use antiphon_providers::hear::pocketsphinx::{PocketSphinx, PocketSphinxConfig};
use antiphon_providers::speak::flite::Flite;
use antiphon_providers::think::offline::Offline;

/// Hidden first argument: this program as the process under test.
const EMBEDDED: &str = "serve-embedded";
/// Who is called.
const AGENT: &str = "cal";
/// Until the first question, if no greeting is in the way.
const FIRST_AFTER: Duration = Duration::from_secs(2);
/// Between the end of an answer and the next question.
const PAUSE: Duration = Duration::from_millis(500);
/// Longest for one question and its answer; the measurement ends at the latest then.
const TURN_MAX: Duration = Duration::from_secs(40);
/// Louder is sound, of 32,768: -41 dBFS, the softest beginning of a word.
const SOUND_PEAK: u16 = 300;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = if args.first().is_some_and(|arg| arg == EMBEDDED) {
        serve()
    } else {
        asked(&args).and_then(|(turns, write)| run(turns, write))
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("turn: {why}");
            ExitCode::FAILURE
        }
    }
}

fn asked(args: &[String]) -> Result<(usize, bool), String> {
    let (mut turns, mut write) = (20, false);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--write" => write = true,
            "--turns" => {
                turns = args
                    .next()
                    .and_then(|turns| turns.parse().ok())
                    .filter(|turns| *turns > 0)
                    .ok_or("--turns takes a number")?;
            }
            other => return Err(format!("there is no {other}: --turns, --write")),
        }
    }
    Ok((turns, write))
}

fn agent() -> Result<Arc<Agent>, String> {
    Agent::built_in(AGENT).ok_or(format!("there is no built-in agent '{AGENT}'"))
}

/// The embedded stack, warm, as `antiphon serve` makes it.
fn serve() -> Result<(), String> {
    let agent = agent()?;
    let hear =
        PocketSphinx::new(PocketSphinxConfig::default()).map_err(|error| error.to_string())?;
    hear.warm_up(&[hear_context(&agent)])
        .map_err(|error| error.to_string())?;
    let think = Offline::default();
    think.prepare(&agent);
    serve_calls(&Parts {
        agent,
        hear: Arc::new(hear),
        think: Arc::new(think),
        speak: Arc::new(Flite::new()),
    })
}

fn run(turns: usize, write: bool) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let agent = agent()?;
    let clips = Arc::new(runtime.block_on(questions::questions(&agent))?);
    let silence = Arc::new(silence_packet().map_err(|error| error.to_string())?);
    let decoder = OpusDecoder::new(CALLER_RATE_HZ).map_err(|error| error.to_string())?;
    let sound = Sound::Louder {
        decoder: Box::new(decoder),
        peak: SOUND_PEAK,
    };
    let mut served = Served::start(&[EMBEDDED])?;
    let load = load_average();
    let (offer, offering) = Callers::new()?.offer().map_err(|error| error.to_string())?;
    let answer = served.answer(&offer)?;
    let start = Instant::now() + FIRST_AFTER;
    let talker = Talker::new(clips.clone(), silence, sound, start, PAUSE).asking(turns);
    let end = start + TURN_MAX * turns as u32;
    let notes: Notes = runtime.block_on(offering.run(&answer, talker, end))?;
    let (table, verdict) = table::table(&notes, &clips, &load);
    println!("{table}\n\n{verdict}");
    if write {
        marks::write(&marks::performance_document(), "turn", &table)?;
    }
    Ok(())
}
