#![allow(clippy::unwrap_used)]

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc::{Sender, channel};

use antiphon_engine::Engine;
use antiphon_proto::{AgentId, SessionId};

use super::*;
use crate::log::place::LiveFile;
use crate::log::{Ending, LogReader, Verdict, replay};

type Files = Arc<Mutex<Vec<Vec<u8>>>>;

/// Keeps files in memory; waits for leave before each is made.
struct Memory {
    leave: Receiver<()>,
    files: Files,
    tidied: usize,
}

struct MemoryFile {
    files: Files,
    nth: usize,
}

impl Place for Memory {
    fn create(&mut self, _name: &str) -> io::Result<Box<dyn Disk>> {
        self.leave.recv().unwrap();
        let mut files = self.files.lock().unwrap();
        files.push(Vec::new());
        Ok(Box::new(MemoryFile {
            files: Arc::clone(&self.files),
            nth: files.len() - 1,
        }))
    }

    fn tidy(&mut self) {
        self.tidied += 1;
    }
}

impl Write for MemoryFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.files.lock().unwrap()[self.nth].extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Disk for MemoryFile {
    fn close(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

/// `/dev/full` first, then a file that works.
struct FullAtFirst {
    good: PathBuf,
    made: usize,
}

impl Place for FullAtFirst {
    fn create(&mut self, _name: &str) -> io::Result<Box<dyn Disk>> {
        self.made += 1;
        let path = if self.made == 1 {
            PathBuf::from("/dev/full")
        } else {
            self.good.clone()
        };
        let file = OpenOptions::new()
            .write(true)
            .create(self.made > 1)
            .truncate(false)
            .open(&path)?;
        Ok(Box::new(LiveFile { file, path }))
    }

    fn tidy(&mut self) {}
}

fn config() -> EngineConfig {
    EngineConfig::new(SessionId::from("sess_x"), AgentId::from("cal"), "Cal")
}

fn memory() -> (Recorder, Sender<()>, Files) {
    let (give_leave, leave) = channel();
    let files = Arc::new(Mutex::new(Vec::new()));
    let place = Memory {
        leave,
        files: Arc::clone(&files),
        tidied: 0,
    };
    (Recorder::start(place).unwrap(), give_leave, files)
}

/// Types `times` a text into a session that is logged.
fn type_often(log: &mut SessionLog, times: usize, text: &str) {
    let mut engine = Engine::new(config());
    for nth in 0..times {
        let (at, text) = (Moment::from_ms(nth as u64), text.to_owned());
        let input = Input::UserText { text };
        log.input(at, &input);
        engine.handle_input(input, at);
        while let Some(output) = engine.poll_output() {
            log.output(&output);
        }
    }
}

fn check_incomplete(log: &[u8], inputs_max: u64) {
    let mut reader = LogReader::open(log).unwrap();
    let replayed = replay(&mut reader, None, |_| {}).unwrap();
    assert_eq!(replayed.verdict(), Verdict::Identical);
    assert!(replayed.inputs > 0 && replayed.inputs < inputs_max);
    let Some(Ending::Whole(trailer)) = replayed.ending else {
        panic!("{replayed:?}");
    };
    let why = trailer.incomplete.unwrap();
    assert!(why.contains("did not keep up"), "{why}");
}

#[test]
fn a_disk_that_hangs_costs_the_log_and_never_the_call() {
    let (recorder, give_leave, files) = memory();
    let mut log = recorder.begin(&config());
    // The writer hangs in making the file. This returns all the same.
    let times = QUEUE_LINES_MAX + 100;
    type_often(&mut log, times, "");
    log.finish();
    assert!(!recorder.settled(Duration::ZERO));
    give_leave.send(()).unwrap();
    assert!(
        recorder.settled(Duration::from_secs(20)),
        "though the queue was full at its end"
    );
    check_incomplete(&files.lock().unwrap()[0], times as u64);
}

#[test]
fn what_waits_for_the_disk_is_bounded_in_bytes() {
    let (recorder, give_leave, files) = memory();
    let mut log = recorder.begin(&config());
    let text = "a".repeat(LINE_BYTES_MAX / 2);
    type_often(&mut log, 60, &text);
    assert!(
        recorder.shared.queued_bytes.load(Ordering::Relaxed) <= QUEUE_BYTES_MAX + text.len() * 2
    );
    log.finish();
    give_leave.send(()).unwrap();
    assert!(recorder.settled(Duration::from_secs(20)));
    assert_eq!(recorder.shared.queued_bytes.load(Ordering::Relaxed), 0);
    check_incomplete(&files.lock().unwrap()[0], 60);
}

#[test]
fn a_line_that_is_too_long_ends_the_log() {
    let (recorder, give_leave, files) = memory();
    give_leave.send(()).unwrap();
    let mut log = recorder.begin(&config());
    type_often(&mut log, 3, "fine");
    type_often(&mut log, 3, &"a".repeat(LINE_BYTES_MAX));
    log.finish();
    assert!(recorder.settled(Duration::from_secs(20)));
    let files = files.lock().unwrap();
    let mut reader = LogReader::open(files[0].as_slice()).unwrap();
    let replayed = replay(&mut reader, None, |_| {}).unwrap();
    assert_eq!(
        (replayed.inputs, replayed.verdict()),
        (3, Verdict::Identical)
    );
}

#[test]
fn a_full_disk_costs_one_log_and_the_next_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("good.alog");
    let place = FullAtFirst {
        good: good.clone(),
        made: 0,
    };
    let recorder = Recorder::start(place).unwrap();
    for _ in 0..2 {
        let mut log = recorder.begin(&config());
        type_often(&mut log, 10, "which name?");
        log.finish();
        assert!(recorder.settled(Duration::from_secs(20)));
    }
    let log = std::fs::read(good).unwrap();
    let mut reader = LogReader::open(log.as_slice()).unwrap();
    let replayed = replay(&mut reader, None, |_| {}).unwrap();
    assert_eq!(
        (replayed.inputs, replayed.verdict()),
        (10, Verdict::Identical)
    );
}
