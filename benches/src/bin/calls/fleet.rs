//! Many callers at once against one process under test, and what it used meanwhile.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use antiphon_benches::caller::{Callers, Offering};
use antiphon_benches::child::{Served, metric};
use antiphon_benches::clip::Clip;
use antiphon_benches::process::{cpu_seconds, machine_cpu, private_kib};
use antiphon_benches::talker::{Notes, Sound, Talker};
use antiphon_runtime::measure as names;
use tokio::task::JoinSet;

/// For all handshakes.
const HANDSHAKES: Duration = Duration::from_secs(2);
/// Length of a question, its answer and the pauses, roughly: the callers' first questions are
/// spread evenly over it, and nothing is measured before it has passed once.
const CYCLE: Duration = Duration::from_millis(9_500);
/// Between an answer's end and the next question.
const PAUSE: Duration = Duration::from_millis(300);
/// Packets of silence have a few bytes, those of the tone 60 and more.
const SILENT_BYTES_MAX: usize = 24;

/// What the callers say.
pub(crate) struct Speech {
    pub(crate) clips: Arc<Vec<Clip>>,
    pub(crate) silence: Arc<Vec<u8>>,
}

/// One process under test with one number of calls.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) calls: usize,
    /// Calls whose media flowed.
    pub(crate) connected: usize,
    /// CPU of the process, in cores.
    pub(crate) cpu_cores: f64,
    /// Private memory beyond that before the first call, in KiB.
    pub(crate) memory_kib: f64,
    /// CPU of the callers and of everything else on the machine, in cores.
    pub(crate) callers_cores: f64,
    pub(crate) others_cores: f64,
    /// Share of the machine's CPU time that was idle.
    pub(crate) idle_share: f64,
    pub(crate) underruns: f64,
    pub(crate) frames_skipped: f64,
    pub(crate) notes: Vec<Notes>,
    pub(crate) window: (Instant, Instant),
}

#[derive(Clone, Copy)]
struct Snapshot {
    at: Instant,
    served_s: f64,
    callers_s: f64,
    machine_busy_s: f64,
    machine_idle_s: f64,
}

/// Measures `role` (a hidden argument of this program) with `calls` for `window`.
pub(crate) fn measure(
    role: &str,
    calls: usize,
    window: Duration,
    speech: &Speech,
) -> Result<Measured, String> {
    let mut served = Served::start(&[role])?;
    let gone = |error: std::io::Error| format!("the process under test is gone: {error}");
    let memory_before_kib = private_kib(served.pid()).map_err(gone)?;
    let callers = Callers::new()?;
    let start = Instant::now() + HANDSHAKES;
    let window_at = start + CYCLE;
    let end = window_at + window + Duration::from_millis(200);
    let mut ready: Vec<(String, Offering, Talker)> = Vec::new();
    for nth in 0..calls {
        let (sdp, offering) = callers.offer().map_err(|error| error.to_string())?;
        let answer = served.answer(&sdp)?;
        let first_at = start + CYCLE * nth as u32 / calls as u32;
        ready.push((answer, offering, talker(speech, first_at)));
    }
    let talking = thread::spawn(move || talk(ready, end));
    thread::sleep(window_at.saturating_duration_since(Instant::now()));
    let (first, metrics_first) = (snapshot(&served)?, served.metrics()?);
    thread::sleep(window);
    let last = snapshot(&served)?;
    let memory_kib = private_kib(served.pid()).map_err(gone)?;
    let metrics_last = served.metrics()?;
    let notes = talking
        .join()
        .map_err(|_| "the callers' thread panicked".to_owned())??;
    let grown = |name| metric(&metrics_last, name) - metric(&metrics_first, name);
    let seconds = (last.at - first.at).as_secs_f64();
    let served_cores = (last.served_s - first.served_s) / seconds;
    let callers_cores = (last.callers_s - first.callers_s) / seconds;
    let busy_cores = (last.machine_busy_s - first.machine_busy_s) / seconds;
    let idle_s = last.machine_idle_s - first.machine_idle_s;
    Ok(Measured {
        calls,
        connected: notes.iter().filter(|notes| notes.connected).count(),
        cpu_cores: served_cores,
        memory_kib: memory_kib.saturating_sub(memory_before_kib) as f64,
        callers_cores,
        others_cores: (busy_cores - served_cores - callers_cores).max(0.0),
        idle_share: idle_s / (idle_s + last.machine_busy_s - first.machine_busy_s),
        underruns: grown(names::UNDERRUNS),
        frames_skipped: grown(names::FRAMES_SKIPPED),
        notes,
        window: (first.at, last.at),
    })
}

fn talker(speech: &Speech, first_at: Instant) -> Talker {
    Talker::new(
        Arc::clone(&speech.clips),
        Arc::clone(&speech.silence),
        Sound::LargerThan(SILENT_BYTES_MAX),
        first_at,
        PAUSE,
    )
}

fn talk(ready: Vec<(String, Offering, Talker)>, end: Instant) -> Result<Vec<Notes>, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let mut calls = JoinSet::new();
        for (answer, offering, talker) in ready {
            calls.spawn(async move { offering.run(&answer, talker, end).await });
        }
        let mut notes = Vec::new();
        while let Some(ended) = calls.join_next().await {
            notes.push(ended.map_err(|error| error.to_string())??);
        }
        Ok(notes)
    })
}

fn snapshot(served: &Served) -> Result<Snapshot, String> {
    let read = || -> std::io::Result<Snapshot> {
        let machine = machine_cpu()?;
        Ok(Snapshot {
            at: Instant::now(),
            served_s: cpu_seconds(served.pid())?,
            callers_s: cpu_seconds(std::process::id())?,
            machine_busy_s: machine.busy_s,
            machine_idle_s: machine.idle_s,
        })
    };
    read().map_err(|error| format!("the process under test is gone: {error}"))
}
