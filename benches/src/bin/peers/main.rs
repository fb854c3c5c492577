//! Our side of the comparison with other engines: N sessions in this process, fed raw frames.
//!
//! Started by `benches/peers/run.py`, which says what is compared; prints one line of JSON.
//! `peers --calls N --clips FOLDER [--seconds 30] [--turn fixed|own]`.

mod caller;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use antiphon_agents::{Agent, Speculate, TurnEnds};
use antiphon_benches::engine::{hear_context, start_metrics};
use antiphon_runtime::{
    CALLER_FRAME_SAMPLES, NoColleagues, NoTools, Pulled, Session, SessionLimits, SessionParts,
    Transport, TransportInput,
};
use antiphon_testkit::{ScriptedHear, ScriptedSpeak, ScriptedThink};
use serde_json::json;

use crate::caller::{Caller, Clip, FRAME_S};

// As in `benches/peers/caller.py`.
const STT_FINAL: Duration = Duration::from_millis(200);
const LLM_FIRST: Duration = Duration::from_millis(100);
const TTS_FIRST: Duration = Duration::from_millis(100);
const ANSWER: &str =
    "Start with a name that people can spell at once. Then say it aloud to a friend.";
const HEARD: &str = "how do i choose a good name";
const WARM_UP_S: f64 = 6.0;
const SPREAD_S: f64 = 4.0;
/// The last turns of the window are heard to their beginning.
const AFTER_S: f64 = 1.5;
/// Wait after the end of speech with `--turn fixed`.
const ENDPOINTING_MS: u64 = 500;
/// Samples beyond this are sound.
const SOUND_PEAK: u16 = 50;

struct Asked {
    calls: usize,
    seconds: f64,
    clips: PathBuf,
    own_turns: bool,
}

fn main() -> ExitCode {
    match asked().and_then(|asked| run(&asked)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("peers: {why}");
            ExitCode::FAILURE
        }
    }
}

fn asked() -> Result<Asked, String> {
    let mut asked = Asked {
        calls: 1,
        seconds: 30.0,
        clips: PathBuf::new(),
        own_turns: false,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().ok_or(format!("{arg} needs a value"))?;
        let number = || value.parse::<u32>().map_err(|_| format!("{arg}: {value}?"));
        match arg.as_str() {
            "--calls" => asked.calls = number()? as usize,
            "--seconds" => asked.seconds = f64::from(number()?),
            "--clips" => asked.clips = PathBuf::from(value),
            "--turn" => asked.own_turns = value == "own",
            other => return Err(format!("there is no {other}")),
        }
    }
    Ok(asked)
}

fn run(asked: &Asked) -> Result<(), String> {
    let names = [
        "question1.wav",
        "question2.wav",
        "question3.wav",
        "barge.wav",
    ];
    let clips = names.map(|name| Clip::load(&asked.clips.join(name)));
    let clips: Vec<Clip> = clips.into_iter().collect::<Result<_, _>>()?;
    // As many threads as the process may use cores, which is one here.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    let result = runtime.block_on(measure(asked, Arc::new(clips)))?;
    println!("RESULT {result}");
    // Taking sessions down is not measured.
    std::process::exit(0);
}

async fn measure(asked: &Asked, clips: Arc<Vec<Clip>>) -> Result<serde_json::Value, String> {
    let _metrics = start_metrics()?;
    let agent = Arc::new(agent(asked.own_turns)?);
    let rss_base_kib = rss_kib()?;
    let clock = Instant::now();
    let now_s = || clock.elapsed().as_secs_f64();
    let mut sessions = Vec::new();
    for nth in 0..asked.calls {
        sessions.push(session(nth, &agent)?);
    }
    let start_s = now_s();
    let begin = start_s + 0.5;
    let window = (begin + WARM_UP_S, begin + WARM_UP_S + asked.seconds);
    let mut lines = Vec::new();
    for (nth, session) in sessions.iter().enumerate() {
        let at = begin + SPREAD_S * nth as f64 / asked.calls as f64;
        tokio::time::sleep(Duration::from_secs_f64((at - now_s()).max(0.0))).await;
        let line = Arc::new(Mutex::new(Line::new(Caller::new(
            Arc::clone(&clips),
            window,
        ))));
        let wire = Wire {
            line: Arc::clone(&line),
            clock,
            told: false,
        };
        session
            .attach(Box::new(wire))
            .await
            .map_err(|error| error.to_string())?;
        lines.push(line);
    }
    tokio::time::sleep(Duration::from_secs_f64((window.0 - now_s()).max(0.0))).await;
    let (cpu_before, at) = (cpu_s()?, now_s());
    tokio::time::sleep(Duration::from_secs_f64((window.1 - now_s()).max(0.0))).await;
    let (cpu_s, wall_s) = (cpu_s()? - cpu_before, now_s() - at);
    let rss_kib = rss_kib()?;
    tokio::time::sleep(Duration::from_secs_f64(AFTER_S)).await;
    let mut result = heard(asked, &clips, &lines);
    result["start_s"] = json!(start_s);
    result["cpu_s"] = json!(cpu_s);
    result["wall_s"] = json!(wall_s);
    result["rss_base_kib"] = json!(rss_base_kib);
    result["rss_kib"] = json!(rss_kib);
    Ok(result)
}

/// What the callers have noted.
fn heard(asked: &Asked, clips: &[Clip], lines: &[Arc<Mutex<Line>>]) -> serde_json::Value {
    let lines: Vec<MutexGuard<'_, Line>> = lines.iter().map(|line| lock(line)).collect();
    let callers = || lines.iter().map(|line| &line.caller);
    let turn = |turn: &caller::Turn| {
        let floor_s = (!asked.own_turns).then(|| floor_s(&clips[turn.clip]));
        json!({ "clip": turn.clip, "reply_s": turn.reply_s, "floor_s": floor_s })
    };
    let late_s = lines.iter().map(|line| line.late_s).fold(0.0, f64::max);
    json!({
        "side": "Antiphon",
        "settings": {
            "version": env!("CARGO_PKG_VERSION"),
            "vad": "earshot (default)",
            "turn": if asked.own_turns { "its own (default)" } else { "fixed, 0.5 s" },
        },
        "calls": asked.calls,
        "seconds": asked.seconds,
        "turns": callers().flat_map(|caller| caller.turns.iter().map(turn)).collect::<Vec<_>>(),
        "barges_s": callers().flat_map(|caller| caller.barges_s.clone()).collect::<Vec<_>>(),
        "unanswered": callers().map(|caller| caller.unanswered).sum::<usize>(),
        "early": callers().map(|caller| caller.early).sum::<usize>(),
        "feed_late_s_max": late_s,
    })
}

/// What the answer to `clip` takes by settings and script alone, from the end of speech, in
/// seconds.
fn floor_s(clip: &Clip) -> f64 {
    let turn_over_s = clip.dated_s + Duration::from_millis(ENDPOINTING_MS).as_secs_f64();
    let heard_s = clip.told_s + STT_FINAL.as_secs_f64();
    turn_over_s.max(heard_s) + (LLM_FIRST + TTS_FIRST).as_secs_f64()
}

fn agent(own_turns: bool) -> Result<Agent, String> {
    let mut agent = Agent::built_in("cal")
        .map(|agent| Agent::clone(&agent))
        .ok_or("there is no built-in agent 'cal'")?;
    agent.greeting.clear();
    if !own_turns {
        agent.turn.endpointing = TurnEnds::Fixed;
        agent.turn.endpointing_ms_min = ENDPOINTING_MS;
        agent.turn.speculation = Speculate::Off;
    }
    Ok(agent)
}

fn session(nth: usize, agent: &Arc<Agent>) -> Result<Session, String> {
    Session::spawn(SessionParts {
        id: format!("sess_{nth}").as_str().into(),
        agent: Arc::clone(agent),
        hear: Arc::new(ScriptedHear::new(&[HEARD], STT_FINAL)),
        hear_context: hear_context(agent),
        think: Arc::new(ScriptedThink::new(&[ANSWER], LLM_FIRST)),
        speak: Arc::new(ScriptedSpeak::new(TTS_FIRST)),
        tools: Arc::new(NoTools),
        colleagues: Arc::new(NoColleagues),
        limits: SessionLimits::default(),
        facts: None,
        recorder: None,
    })
    .map_err(|error| error.to_string())
}

/// A caller and the frames it has given.
struct Line {
    caller: Caller,
    frames: u64,
    /// When its first frame began, had every frame been taken as early as any was.
    began: f64,
    late_s: f64,
}

impl Line {
    fn new(caller: Caller) -> Self {
        Self {
            caller,
            frames: 0,
            began: f64::INFINITY,
            late_s: 0.0,
        }
    }
}

fn lock(line: &Mutex<Line>) -> MutexGuard<'_, Line> {
    line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The session's end of a line: raw frames within the process.
struct Wire {
    line: Arc<Mutex<Line>>,
    clock: Instant,
    told: bool,
}

impl Wire {
    fn seconds(&self, now: Instant) -> f64 {
        now.duration_since(self.clock).as_secs_f64()
    }
}

impl Transport for Wire {
    fn poll_input(&mut self, _cx: &mut Context<'_>) -> Poll<TransportInput> {
        if self.told {
            return Poll::Pending;
        }
        self.told = true;
        Poll::Ready(TransportInput::Connected)
    }

    fn pull_audio(&mut self, now: Instant, frame: &mut [i16; CALLER_FRAME_SAMPLES]) -> Pulled {
        let now = self.seconds(now);
        let mut line = lock(&self.line);
        let nth = line.frames;
        line.frames += 1;
        // A session that is held up takes a frame late, and one that gives up ticks stays behind:
        // both count as its own delay.
        let began = now - (nth + 1) as f64 * FRAME_S;
        line.began = line.began.min(began);
        line.late_s = line.late_s.max(began - line.began);
        let began = line.began;
        *frame = line.caller.frame(now, began, nth);
        Pulled::Audio
    }

    fn send_audio(&mut self, now: Instant, frame: Option<&[i16]>) {
        let loud = |sample: &i16| sample.unsigned_abs() > SOUND_PEAK;
        if frame.is_some_and(|frame| frame.iter().any(loud)) {
            let now = self.seconds(now);
            lock(&self.line).caller.sound(now, FRAME_S);
        }
    }

    fn send_event(&mut self, _now: Instant, _json: &Arc<str>) {}

    fn unheard_ms(&self) -> u32 {
        0
    }

    fn close(&mut self, _now: Instant) {}
}

fn rss_kib() -> Result<u64, String> {
    let text = std::fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    text.lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next())
        .and_then(|kib| kib.parse().ok())
        .ok_or_else(|| "no VmRSS in /proc/self/status".to_owned())
}

/// User and system time of this process: fields 14 and 15 of `/proc/self/stat`, in ticks of 10 ms.
fn cpu_s() -> Result<f64, String> {
    let text = std::fs::read_to_string("/proc/self/stat").map_err(|error| error.to_string())?;
    let fields = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let ticks: Vec<f64> = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse().ok())
        .collect();
    Ok(ticks.iter().sum::<f64>() / 100.0)
}
