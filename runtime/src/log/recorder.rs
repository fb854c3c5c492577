//! The logs of running sessions: a session's task hands over lines and never waits; one thread of
//! the process writes them, and packs the logs of calls that are over.

use std::collections::HashMap;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use antiphon_engine::{EngineConfig, Input, Output};
use antiphon_proto::Moment;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::encoder::{LogEncoder, record_line, trailer};
use super::place::{Disk, Folder, Place, file_name};
use super::proof::Proof;
use super::retention::Retention;
use super::{Header, LINE_BYTES_MAX, Trailer};

/// Lines of all sessions that wait for the writer: at 200 calls of 20 lines a second each, one
/// second of a disk that does not answer.
const QUEUE_LINES_MAX: usize = 4_096;
/// Bytes of lines that wait for the writer.
const QUEUE_BYTES_MAX: usize = 16 << 20;
/// Most bytes of one session's lines: three times what a call of two hours takes (70 kB a minute), so that a client
/// that floods its session does not fill the disk.
const SESSION_BYTES_MAX: u64 = 32 << 20;
/// How much of a call a killed process can lose.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
/// How often old logs are looked for.
const TIDY_EVERY: Duration = Duration::from_secs(10 * 60);

/// Writes the logs of this process's sessions into a folder. Clones are the same recorder. When the
/// last one and all of its sessions are gone, what is left is written.
#[derive(Clone)]
pub struct Recorder {
    sender: SyncSender<Message>,
    shared: Arc<Shared>,
}

/// The log of one running session. Dropped without [`SessionLog::finish`], it is closed without a
/// trailer: the session was cut.
pub struct SessionLog {
    id: u64,
    sender: SyncSender<Message>,
    shared: Arc<Shared>,
    end: Arc<End>,
    proof: Proof,
    inputs: u64,
    bytes: u64,
    /// Why nothing more is recorded.
    stopped: Option<&'static str>,
}

struct Shared {
    next_id: AtomicU64,
    queued_bytes: AtomicUsize,
    /// Logs that are not closed yet.
    open: Mutex<usize>,
    closed: Condvar,
}

/// How a session's log ends. Beside the queue, so that a full queue cannot lose it.
#[derive(Default)]
struct End {
    over: AtomicBool,
    trailer: Mutex<Option<Trailer>>,
}

enum Message {
    Begin {
        id: u64,
        name: String,
        header: Box<Header>,
        end: Arc<End>,
    },
    Line {
        id: u64,
        line: Vec<u8>,
    },
    /// Only wakes the writer: the end itself is in [`End`].
    End {
        id: u64,
    },
}

impl Recorder {
    /// Opens the folder, which is created where it is not there, and starts the writer.
    ///
    /// # Errors
    /// The system's, where the folder cannot be made or a thread cannot be started.
    pub fn open(folder: &Path, retention: Retention) -> io::Result<Self> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let place = Folder {
            path: folder.to_owned(),
            retention,
        };
        Self::start(place)
    }

    fn start(place: impl Place) -> io::Result<Self> {
        let (sender, receiver) = sync_channel(QUEUE_LINES_MAX);
        let shared = Arc::new(Shared {
            next_id: AtomicU64::new(1),
            queued_bytes: AtomicUsize::new(0),
            open: Mutex::new(0),
            closed: Condvar::new(),
        });
        let writer = Writer {
            receiver,
            shared: Arc::clone(&shared),
            place,
            files: HashMap::new(),
            in_trouble: false,
        };
        std::thread::Builder::new()
            .name("session-logs".to_owned())
            .spawn(move || writer.run())?;
        Ok(Self { sender, shared })
    }

    /// Begins the log of a session.
    pub fn begin(&self, config: &EngineConfig) -> SessionLog {
        let now = OffsetDateTime::now_utc();
        let id = self.shared.next_id.fetch_add(1, Ordering::Relaxed);
        let end = Arc::new(End::default());
        let message = Message::Begin {
            id,
            name: file_name(now, config.session.as_str()),
            header: Box::new(Header::new(
                config.clone(),
                now.format(&Rfc3339).unwrap_or_default(),
            )),
            end: Arc::clone(&end),
        };
        self.shared.count(1);
        let begun = self.sender.try_send(message).is_ok();
        if !begun {
            self.shared.count(-1);
            tracing::warn!(session = %config.session, "no log of this session: the writer of logs does not keep up");
        }
        SessionLog {
            id,
            sender: self.sender.clone(),
            shared: Arc::clone(&self.shared),
            end,
            proof: Proof::new(),
            inputs: 0,
            bytes: 0,
            stopped: (!begun).then_some("it was never begun"),
        }
    }

    /// Waits until the logs of all ended sessions are closed, at most for `limit`; false where some
    /// are not. Sessions that run keep it waiting.
    pub fn settled(&self, limit: Duration) -> bool {
        let open = self
            .shared
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let waited = self
            .shared
            .closed
            .wait_timeout_while(open, limit, |open| *open > 0);
        *waited.unwrap_or_else(PoisonError::into_inner).0 == 0
    }
}

impl Shared {
    fn count(&self, change: isize) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        *open = open.saturating_add_signed(change);
        self.closed.notify_all();
    }
}

impl SessionLog {
    /// Records an input; call before the engine is given it.
    pub fn input(&mut self, at: Moment, input: &Input) {
        if self.stopped.is_some() {
            return;
        }
        // Not taken yet: it belongs to the trailer if this line does not get through.
        let line = record_line(at, input, self.proof.check());
        let bytes = line.len();
        self.bytes += bytes as u64;
        if bytes > LINE_BYTES_MAX || self.bytes > SESSION_BYTES_MAX {
            return self.stop("the longest log was reached");
        }
        let queued = self.shared.queued_bytes.fetch_add(bytes, Ordering::Relaxed);
        let line = Message::Line { id: self.id, line };
        if queued > QUEUE_BYTES_MAX || self.sender.try_send(line).is_err() {
            self.shared.queued_bytes.fetch_sub(bytes, Ordering::Relaxed);
            return self.stop("the writer of logs did not keep up");
        }
        self.proof.take_check();
        self.inputs += 1;
    }

    /// Takes up an output of the input before into the proof.
    pub fn output(&mut self, output: &Output) {
        if self.stopped.is_none() {
            self.proof.add(output);
        }
    }

    /// Ends the log with its trailer.
    pub fn finish(mut self) {
        let incomplete = self.stopped.map(str::to_owned);
        let trailer = trailer(self.inputs, &mut self.proof, incomplete);
        *self
            .end
            .trailer
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(trailer);
    }

    fn stop(&mut self, why: &'static str) {
        self.stopped = Some(why);
        tracing::warn!(
            inputs = self.inputs,
            why,
            "a session goes on without its log"
        );
    }
}

impl Drop for SessionLog {
    fn drop(&mut self) {
        self.end.over.store(true, Ordering::Release);
        // A full queue: the writer looks for ended sessions with each flush.
        let _ = self.sender.try_send(Message::End { id: self.id });
    }
}

struct Writer<P: Place> {
    receiver: Receiver<Message>,
    shared: Arc<Shared>,
    place: P,
    files: HashMap<u64, Open>,
    /// So that a full disk is told once, not with every line.
    in_trouble: bool,
}

struct Open {
    /// `None` once it could not be written.
    file: Option<LogEncoder<Box<dyn Disk>>>,
    end: Arc<End>,
    dirty: bool,
}

impl<P: Place> Writer<P> {
    fn run(mut self) {
        self.place.tidy();
        let (mut flush_at, mut tidy_at) =
            (Instant::now() + FLUSH_EVERY, Instant::now() + TIDY_EVERY);
        loop {
            let wait = flush_at.saturating_duration_since(Instant::now());
            match self.receiver.recv_timeout(wait) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if Instant::now() >= flush_at {
                self.flush();
                flush_at = Instant::now() + FLUSH_EVERY;
            }
            if Instant::now() >= tidy_at {
                self.place.tidy();
                tidy_at = Instant::now() + TIDY_EVERY;
            }
        }
        for id in self.files.keys().copied().collect::<Vec<_>>() {
            self.close(id);
        }
    }

    fn take(&mut self, message: Message) {
        match message {
            Message::Begin {
                id,
                name,
                header,
                end,
            } => {
                let file = self
                    .place
                    .create(&name)
                    .and_then(|file| LogEncoder::live(file, &header));
                let file = self.done(file);
                let dirty = false;
                self.files.insert(id, Open { file, end, dirty });
            }
            Message::Line { id, line } => {
                self.shared
                    .queued_bytes
                    .fetch_sub(line.len(), Ordering::Relaxed);
                self.write(id, |file| file.line(&line));
                if let Some(open) = self.files.get_mut(&id) {
                    open.dirty = true;
                }
            }
            Message::End { id } => self.close(id),
        }
    }

    /// Applies a write to a log; one that fails gives the log up.
    fn write(
        &mut self,
        id: u64,
        write: impl FnOnce(&mut LogEncoder<Box<dyn Disk>>) -> io::Result<()>,
    ) {
        let Some(open) = self.files.get_mut(&id) else {
            return;
        };
        let Some(mut file) = open.file.take() else {
            return;
        };
        let written = write(&mut file).map(|()| file);
        let file = self.done(written);
        if let Some(open) = self.files.get_mut(&id) {
            open.file = file;
        }
    }

    fn flush(&mut self) {
        // Ended sessions first, then what was queued before their end, then close them.
        let over: Vec<u64> = self
            .files
            .iter()
            .filter(|(_, open)| open.end.over.load(Ordering::Acquire))
            .map(|(id, _)| *id)
            .collect();
        for _ in 0..QUEUE_LINES_MAX {
            match self.receiver.try_recv() {
                Ok(message) => self.take(message),
                Err(_) => break,
            }
        }
        over.into_iter().for_each(|id| self.close(id));
        let dirty: Vec<u64> = self
            .files
            .iter()
            .filter(|(_, open)| open.dirty)
            .map(|(id, _)| *id)
            .collect();
        for id in dirty {
            self.write(id, LogEncoder::flush);
            if let Some(open) = self.files.get_mut(&id) {
                open.dirty = false;
            }
        }
    }

    fn close(&mut self, id: u64) {
        let Some(open) = self.files.remove(&id) else {
            return;
        };
        if let Some(file) = open.file {
            let trailer = open
                .end
                .trailer
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            let written = match trailer {
                Some(trailer) => file.finish(&trailer),
                None => file.into_file(),
            };
            self.done(written.and_then(Disk::close));
        }
        self.shared.count(-1);
    }

    /// Takes the result of a write: the first fault is told, those that follow from it are not.
    fn done<T>(&mut self, written: io::Result<T>) -> Option<T> {
        match written {
            Ok(done) => {
                self.in_trouble = false;
                Some(done)
            }
            Err(fault) => {
                if !self.in_trouble {
                    tracing::warn!(%fault, "the log of a session cannot be written; the call goes on without");
                }
                self.in_trouble = true;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
