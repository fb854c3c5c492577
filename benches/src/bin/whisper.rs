//! How long Whisper takes for a final, by the length of the utterance; and its memory.
//!
//! The models have the dimensions of whisper-tiny.en and whisper-base.en and weights of zero, but
//! for those that make them say a given number of tokens: what is measured is the computing, which
//! does not depend on the weights, and nothing of the quality.
//!
//! `cargo run --release -p antiphon-benches --bin whisper [-- --threads 2 --rounds 7 --write]`. With
//! `--write` the tables
//! replace those in `docs/hear.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use antiphon_benches::marks;
use antiphon_benches::process::{load_average, private_kib};
use antiphon_benches::stats::Samples;
use antiphon_proto::UtteranceId;
use antiphon_providers::hear::ggml::Dimensions;
use antiphon_providers::hear::whisper::{AudioContext, THREADS_MAX, Whisper, WhisperConfig};
use antiphon_providers::hear::{
    HEAR_RATE_HZ, Hear, HearContext, HearEvent, HearEventKind, HearStream,
};
use antiphon_testkit::WhisperModel;
use tokio::sync::mpsc;

/// Lengths of utterances, in seconds.
const LENGTHS_S: [usize; 6] = [1, 2, 4, 8, 15, 30];
/// Tokens of a second of speech: three words, four tokens to three words.
const TOKENS_PER_S: usize = 4;
/// Each is measured so often; the fastest counts, which is the one that others disturbed least.
const ROUNDS: usize = 7;
/// Longest wait for a final.
const FINAL_WITHIN: Duration = Duration::from_secs(120);
/// Utterances at once for the memory.
const AT_ONCE: [usize; 3] = [1, 2, 4];

/// What was asked for.
struct Asked {
    threads: usize,
    rounds: usize,
    write: bool,
}

impl Asked {
    fn read() -> Result<Self, String> {
        let mut asked = Self {
            threads: THREADS_MAX,
            rounds: ROUNDS,
            write: false,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut number = || {
                let number = args.next().and_then(|number| number.parse().ok());
                number
                    .filter(|&number| number > 0)
                    .ok_or(format!("{arg} takes a number"))
            };
            match arg.as_str() {
                "--write" => asked.write = true,
                "--threads" => asked.threads = number()?,
                "--rounds" => asked.rounds = number()?,
                other => return Err(format!("there is no {other}: --threads, --rounds, --write")),
            }
        }
        Ok(asked)
    }
}

fn main() -> ExitCode {
    match Asked::read().and_then(|asked| run(&asked)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("whisper: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(asked: &Asked) -> Result<(), String> {
    let home = std::env::temp_dir().join(format!("antiphon-bench-whisper-{}", std::process::id()));
    std::fs::create_dir_all(&home).map_err(|error| error.to_string())?;
    let tables = tables(&home, asked);
    let _ = std::fs::remove_dir_all(&home);
    let (times, memory) = tables?;
    println!("{times}\n\n{memory}");
    if asked.write {
        let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/hear.md");
        marks::write(&document, "whisper-times", &times)?;
        marks::write(&document, "whisper-memory", &memory)?;
    }
    Ok(())
}

fn tables(home: &Path, asked: &Asked) -> Result<(String, String), String> {
    let mut times = String::from("| model | encoder's context |");
    for seconds in LENGTHS_S {
        let _ = write!(times, " {seconds} s |");
    }
    let _ = write!(times, "\n|---|---|{}", "---|".repeat(LENGTHS_S.len()));
    let mut memory = String::from("| model | loaded | each decoder at work |\n|---|---|---|");
    for (name, dimensions) in [("tiny", Dimensions::TINY_EN), ("base", Dimensions::BASE_EN)] {
        let path = home.join(format!("{name}.bin"));
        write_model(dimensions, &path).map_err(|error| error.to_string())?;
        for (context, words) in [(AudioContext::Cut, "cut"), (AudioContext::Full, "all 30 s")] {
            let _ = write!(times, "\n| {name} | {words} |");
            for seconds in LENGTHS_S {
                let (fastest, cpu) = final_after(&path, context, seconds, asked)?;
                eprintln!("{name}, {words}, {seconds} s: {fastest:.0} ms, CPU {cpu:.0} ms");
                let _ = write!(times, " {fastest:.0} ({cpu:.0}) ms |");
            }
        }
        let _ = write!(
            memory,
            "\n| {name} | {} |",
            memory_of(&path, asked.threads)?
        );
        std::fs::remove_file(&path).map_err(|error| error.to_string())?;
    }
    let load = load_average();
    let build = if cfg!(debug_assertions) {
        "development"
    } else {
        "release"
    };
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let _ = write!(
        times,
        "\n\nFastest of {}, in brackets the CPU time of all threads, mean; {} threads on {cores} cores, {build} build, load average {load} at the \
         end.",
        asked.rounds, asked.threads
    );
    Ok((times, memory))
}

/// A model that says more than any utterance here may.
fn write_model(dimensions: Dimensions, path: &Path) -> std::io::Result<()> {
    let words: Vec<String> = (0..LENGTHS_S[5] * TOKENS_PER_S + 8)
        .map(|n| format!(" w{n}"))
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let model = WhisperModel::new(dimensions, &words);
    model.ending_at(29_000).write(path)
}

fn load(path: &Path, config: WhisperConfig) -> Result<Whisper, String> {
    Whisper::load(path, config).map_err(|fault| fault.to_string())
}

/// Milliseconds from the end of an utterance to its final, and of CPU time.
fn final_after(
    path: &Path,
    context: AudioContext,
    seconds: usize,
    asked: &Asked,
) -> Result<(f64, f64), String> {
    let whisper = load(
        path,
        WhisperConfig {
            decoders_max: Some(1),
            threads: Some(asked.threads),
            audio_context: context,
            partials: false,
            tokens_max: Some(seconds * TOKENS_PER_S),
        },
    )?;
    let audio = tone(seconds);
    let mut call = Call::open(&whisper);
    // The first takes longer: memory is mapped.
    call.say(0, &audio);
    call.wait()?;
    let mut all = Vec::new();
    let cpu_before = cpu_ms()?;
    for round in 1..=asked.rounds {
        call.say(round as u32, &audio);
        let begun = Instant::now();
        call.wait()?;
        all.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let samples: Samples = all.into_iter().collect();
    let cpu = (cpu_ms()? - cpu_before) / asked.rounds as f64;
    let fastest = samples.quantile(0.0).ok_or("nothing measured")?;
    Ok((fastest, cpu))
}

/// Memory of the model, and of each decoder that works at once.
fn memory_of(path: &Path, threads: usize) -> Result<String, String> {
    let used = || private_kib(std::process::id()).map_err(|error| error.to_string());
    let before = used()?;
    let whisper = load(
        path,
        WhisperConfig {
            decoders_max: Some(AT_ONCE[2]),
            threads: Some(threads),
            partials: false,
            tokens_max: Some(40),
            ..WhisperConfig::default()
        },
    )?;
    let loaded = used()?.saturating_sub(before);
    let audio = tone(10);
    let mut decoders = Vec::new();
    let mut last = (0, used()?);
    for calls in AT_ONCE {
        let mut calls: Vec<Call> = (0..calls).map(|_| Call::open(&whisper)).collect();
        // Twice, so that every decoder has worked.
        for utterance in 0..2 {
            calls
                .iter_mut()
                .for_each(|call| call.say(utterance, &audio));
            for call in &mut calls {
                call.wait()?;
            }
        }
        let (made, now) = (whisper.decoders_made(), used()?);
        if made > last.0 {
            let each = now.saturating_sub(last.1) / (made - last.0) as u64;
            decoders.push(format!("{:.0} MB", each as f64 / 1_024.0));
            last = (made, now);
        }
    }
    Ok(format!(
        "{:.0} MB | {}",
        loaded as f64 / 1_024.0,
        decoders.join(", ")
    ))
}

/// CPU time of this process so far, also that of threads that have ended, in milliseconds.
fn cpu_ms() -> Result<f64, String> {
    let text = std::fs::read_to_string("/proc/self/stat").map_err(|error| error.to_string())?;
    // After the name, which may hold anything: user and system time are the 12th and 13th.
    let rest = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: Vec<f64> = rest
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|ticks| ticks.parse().ok())
        .collect();
    // 100 ticks a second on every Linux.
    Ok(ticks.iter().sum::<f64>() * 10.0)
}

/// A sound that is no silence.
fn tone(seconds: usize) -> Vec<i16> {
    (0..seconds * HEAR_RATE_HZ as usize)
        .map(|n| ((n as f32 * 0.2).sin() * 6_000.0) as i16)
        .collect()
}

struct Call {
    stream: Box<dyn HearStream>,
    events: mpsc::Receiver<HearEvent>,
    runtime: tokio::runtime::Runtime,
}

impl Call {
    fn open(whisper: &Whisper) -> Self {
        let (sender, events) = mpsc::channel(16);
        let builder = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build();
        Self {
            stream: whisper.open(HearContext::default(), sender),
            events,
            runtime: match builder {
                Ok(runtime) => runtime,
                Err(error) => unreachable!("a timer without IO can always be made: {error}"),
            },
        }
    }

    fn say(&mut self, utterance: u32, audio: &[i16]) {
        self.stream.begin(UtteranceId(utterance));
        self.stream.push(audio);
        self.stream.finish();
    }

    /// Waits for the final, which must have words.
    fn wait(&mut self) -> Result<(), String> {
        let events = &mut self.events;
        let next = async { tokio::time::timeout(FINAL_WITHIN, events.recv()).await };
        let event = self
            .runtime
            .block_on(next)
            .map_err(|_| "no final in time")?;
        match event.ok_or("the stream ended")?.kind {
            HearEventKind::Final { text, .. } if text.is_empty() => Err("an empty final".into()),
            HearEventKind::Final { .. } => Ok(()),
            HearEventKind::Partial { .. } => Err("a partial, though there are none".into()),
            HearEventKind::Failed { fault } => Err(fault.reason),
        }
    }
}
