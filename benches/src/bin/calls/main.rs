//! What a call costs and adds: N calls at once over real WebRTC, Opus and voice activity
//! detection, with scripted recognizer, responder and voice, beside the floor of transport,
//! codecs and detector alone in the same run.
//!
//! `cargo run --release -p antiphon-benches --bin calls [-- --calls 1,25,50,100,200] [--seconds 20]
//! [--write]`. With `--write` the table replaces the one in `docs/performance.md`.

mod fleet;
mod floor;
mod scripted;
mod table;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use antiphon_benches::clip::{Clip, silence_packet, spoken};
use antiphon_benches::marks;
use antiphon_providers::speak::flite::Flite;

use crate::fleet::Speech;

/// Hidden first arguments: this program as one of the processes under test.
const FLOOR: &str = "serve-floor";
const ENGINE: &str = "serve-engine";

struct Asked {
    calls: Vec<usize>,
    seconds: u64,
    write: bool,
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.first().map(String::as_str) {
        Some(FLOOR) => floor::serve(),
        Some(ENGINE) => scripted::serve(),
        Some(_) | None => asked(&args).and_then(|asked| run(&asked)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("calls: {why}");
            ExitCode::FAILURE
        }
    }
}

fn asked(args: &[String]) -> Result<Asked, String> {
    let mut asked = Asked {
        calls: vec![1, 25, 50, 100, 200],
        seconds: 20,
        write: false,
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or(format!("{arg} needs a value"));
        match arg.as_str() {
            "--write" => asked.write = true,
            "--seconds" => {
                asked.seconds = value()?
                    .parse()
                    .map_err(|_| "--seconds takes whole seconds")?;
            }
            "--calls" => {
                let counts = value()?
                    .split(',')
                    .map(|count| count.parse::<usize>().ok().filter(|count| *count > 0));
                asked.calls = counts
                    .collect::<Option<_>>()
                    .ok_or("--calls takes numbers, e.g. 1,25,50")?;
            }
            other => return Err(format!("there is no {other}: --calls, --seconds, --write")),
        }
    }
    Ok(asked)
}

fn run(asked: &Asked) -> Result<(), String> {
    let speech = speech()?;
    let mut rows = Vec::new();
    for calls in &asked.calls {
        eprintln!("{calls} calls …");
        rows.push(table::measure(
            *calls,
            Duration::from_secs(asked.seconds),
            &speech,
        )?);
    }
    let table = table::table(&rows, asked.seconds, &speech);
    println!("{table}\n");
    for line in table::verdicts(&rows, &speech) {
        println!("{line}");
    }
    if asked.write {
        marks::write(&marks::performance_document(), "calls", &table)?;
    }
    Ok(())
}

/// The question, in an embedded voice: about two seconds.
fn speech() -> Result<Speech, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| error.to_string())?;
    let pcm = runtime.block_on(spoken(&Flite::new(), "slt", scripted::QUESTION))?;
    let clip = Clip::new(&pcm).map_err(|error| error.to_string())?;
    if clip.vad_end.is_none() {
        return Err("the detector hears no end of the question".to_owned());
    }
    let silence = silence_packet().map_err(|error| error.to_string())?;
    Ok(Speech {
        clips: Arc::new(vec![clip]),
        silence: Arc::new(silence),
    })
}
