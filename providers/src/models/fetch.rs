//! Fetching one file: in parts, again and again, and hashed as it comes.

use std::hash::{BuildHasher, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, RANGE};
use reqwest::{Response, StatusCode};
use sha2::{Digest, Sha256};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;

use super::catalogue::ModelFile;
use super::error::PullError;
use super::folder::{hash_of, hex};
use super::pull::{NotHttps, Progress, PullOptions, etag_of};
use crate::net::{plain, retry_after};

/// Requests for one file in all, however little each brings.
const REQUESTS_MAX: u32 = 500;

/// Longest ETag that is kept, in bytes.
const ETAG_BYTES_MAX: usize = 1_024;

type OnProgress<'a> = &'a mut (dyn FnMut(Progress<'_>) + Send);

/// One file to fetch.
pub(super) struct Fetch<'a> {
    pub(super) client: &'a reqwest::Client,
    pub(super) options: &'a PullOptions,
    pub(super) file: &'a ModelFile,
    /// Where it will be.
    pub(super) place: &'a Path,
    /// Where it grows.
    pub(super) part: PathBuf,
}

/// Why a request did not bring the file to its end.
enum Stop {
    /// Try again.
    Again(Reason),
    /// It is useless.
    Over(PullError),
}

enum Reason {
    /// No answer.
    Unreached(String),
    /// An answer that broke off.
    Broken(String),
    /// The server asks for patience.
    Busy(u16, Option<Duration>),
    /// What is on disk does not fit what the server has.
    Unfit,
}

impl Reason {
    fn text(&self) -> String {
        match self {
            Self::Unreached(reason) | Self::Broken(reason) => reason.clone(),
            Self::Busy(status, _) => format!("the server is busy, status {status}"),
            Self::Unfit => "the server has another part than the one asked for".to_owned(),
        }
    }
}

impl Fetch<'_> {
    /// Fetches until the file is whole and its hash right.
    pub(super) async fn run(&self, progress: OnProgress<'_>) -> Result<(), PullError> {
        let mut part = Part::open(&self.part, self.file.bytes).await?;
        let mut failures = 0;
        let mut reached = false;
        for _ in 0..REQUESTS_MAX {
            let before = part.len;
            progress(Progress::Got { bytes: before });
            match self.request(&mut part, progress).await {
                Ok(()) => {
                    let got = part.digest().await?;
                    if got == self.file.sha256 {
                        return Ok(());
                    }
                    let resumed = part.resumed;
                    part.remove();
                    if !resumed {
                        return Err(self.wrong_hash(got));
                    }
                    // What an earlier run left may have been wrong: once more, from nothing.
                    progress(Progress::StartedOver);
                    part = Part::open(&self.part, self.file.bytes).await?;
                }
                Err(Stop::Over(fault)) => {
                    part.settle().await;
                    return Err(fault);
                }
                Err(Stop::Again(reason)) => {
                    reached |= !matches!(reason, Reason::Unreached(_));
                    failures = if part.len > before { 1 } else { failures + 1 };
                    let wait = self.wait(&reason, failures);
                    let most = if reached || before > 0 {
                        self.options.failures_max
                    } else {
                        self.options.unreached_max
                    };
                    if failures >= most {
                        part.settle().await;
                        return Err(self.give_up(reason, failures, part.len));
                    }
                    let text = reason.text();
                    progress(Progress::Waiting {
                        reason: &text,
                        wait,
                    });
                    tokio::time::sleep(wait).await;
                }
            }
        }
        part.settle().await;
        let reason = Reason::Broken("it comes in too small pieces".to_owned());
        Err(self.give_up(reason, REQUESTS_MAX, part.len))
    }

    /// One request: brings the file to its end or says why not.
    async fn request(&self, part: &mut Part, progress: OnProgress<'_>) -> Result<(), Stop> {
        if part.len == self.file.bytes {
            return Ok(());
        }
        let mut request = self.client.get(&self.file.url);
        if part.len > 0 {
            request = request.header(RANGE, format!("bytes={}-", part.len));
            if let Some(etag) = &part.etag {
                request = request.header(IF_RANGE, etag);
            }
        }
        let response = request
            .send()
            .await
            .map_err(|fault| self.no_answer(&fault))?;
        self.accept(&response, part, progress).await?;
        self.receive(response, part, progress).await
    }

    /// Whether an answer goes on where the part ends; a part that it does not fit is dropped.
    async fn accept(
        &self,
        response: &Response,
        part: &mut Part,
        progress: OnProgress<'_>,
    ) -> Result<(), Stop> {
        let (status, headers) = (response.status(), response.headers());
        match status {
            StatusCode::PARTIAL_CONTENT => {
                if part.len == 0 || !continues(headers, part.len, self.file.bytes) {
                    progress(Progress::StartedOver);
                    part.clear().await?;
                    return Err(Stop::Again(Reason::Unfit));
                }
            }
            StatusCode::OK => {
                if let Some(bytes) = response.content_length()
                    && bytes != self.file.bytes
                {
                    return Err(self.wrong_size(bytes));
                }
                if part.len > 0 {
                    progress(Progress::StartedOver);
                    part.clear().await?;
                }
            }
            StatusCode::RANGE_NOT_SATISFIABLE if part.len > 0 => {
                progress(Progress::StartedOver);
                part.clear().await?;
                return Err(Stop::Again(Reason::Unfit));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                return Err(Stop::Again(Reason::Busy(
                    status.as_u16(),
                    retry_after(headers),
                )));
            }
            other if other.is_server_error() => {
                return Err(Stop::Again(Reason::Busy(
                    other.as_u16(),
                    retry_after(headers),
                )));
            }
            other => {
                return Err(Stop::Over(PullError::Refused {
                    url: self.file.url.clone(),
                    status: other.as_u16(),
                }));
            }
        }
        part.remember(headers);
        Ok(())
    }

    async fn receive(
        &self,
        mut response: Response,
        part: &mut Part,
        progress: OnProgress<'_>,
    ) -> Result<(), Stop> {
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) if part.len < self.file.bytes => {
                    return Err(Stop::Again(Reason::Broken("it ended early".to_owned())));
                }
                Ok(None) => return Ok(()),
                Err(fault) => return Err(Stop::Again(Reason::Broken(plain(&fault)))),
            };
            let len = part.len + chunk.len() as u64;
            if len > self.file.bytes {
                part.remove();
                return Err(self.wrong_size(len));
            }
            part.write(&chunk).await?;
            progress(Progress::Got { bytes: part.len });
        }
    }

    fn no_answer(&self, fault: &reqwest::Error) -> Stop {
        if leaves_https(fault) {
            return Stop::Over(PullError::InsecureRedirect {
                url: self.file.url.clone(),
            });
        }
        Stop::Again(Reason::Unreached(plain(fault)))
    }

    fn wait(&self, reason: &Reason, failures: u32) -> Duration {
        let options = self.options;
        if let Reason::Busy(_, Some(asked)) = reason {
            return (*asked).min(options.backoff_max);
        }
        let doubled = options.backoff * 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
        // A half more by chance, so that many machines do not ask at once.
        let chance = std::hash::RandomState::new().build_hasher().finish() % 512;
        let more = doubled.mul_f64(chance as f64 / 1_024.0);
        (doubled + more).min(options.backoff_max)
    }

    fn give_up(&self, reason: Reason, times: u32, kept: u64) -> PullError {
        let url = &self.file.url;
        let host = || {
            let parsed = reqwest::Url::parse(url).ok();
            let host = parsed.and_then(|parsed| parsed.host_str().map(str::to_owned));
            host.unwrap_or_else(|| url.clone())
        };
        match reason {
            Reason::Unreached(reason) if kept == 0 => PullError::Unreachable {
                host: host(),
                reason,
                url: url.clone(),
                path: self.place.to_owned(),
            },
            Reason::Busy(status, wait) => PullError::Busy {
                host: host(),
                status,
                times,
                wait: wait.unwrap_or(self.options.backoff_max),
            },
            reason @ (Reason::Unreached(_) | Reason::Broken(_) | Reason::Unfit) => {
                PullError::Broken {
                    times,
                    reason: reason.text(),
                    kept,
                    bytes: self.file.bytes,
                }
            }
        }
    }

    fn wrong_size(&self, got: u64) -> Stop {
        Stop::Over(PullError::WrongSize {
            url: self.file.url.clone(),
            expected: self.file.bytes,
            got,
        })
    }

    fn wrong_hash(&self, got: String) -> PullError {
        PullError::WrongHash {
            url: self.file.url.clone(),
            expected: self.file.sha256.clone(),
            got,
        }
    }
}

/// What has been fetched of a file.
struct Part {
    path: PathBuf,
    file: File,
    hasher: Sha256,
    len: u64,
    /// True where some of it is from an earlier run.
    resumed: bool,
    etag: Option<String>,
}

impl Part {
    /// Opens what an earlier run left, and hashes it; or begins.
    async fn open(path: &Path, bytes: u64) -> Result<Self, PullError> {
        let fault = |fault| PullError::file(path, fault);
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(path).await;
        let file = file.map_err(fault)?;
        let len = file.metadata().await.map_err(fault)?.len();
        let mut part = Self {
            path: path.to_owned(),
            file,
            hasher: Sha256::new(),
            len: 0,
            resumed: false,
            etag: None,
        };
        if len > bytes {
            part.clear_file().await.map_err(fault)?;
        } else if len > 0 {
            let path = path.to_owned();
            let hashed = tokio::task::spawn_blocking(move || hash_of(&path, &mut |_| {}));
            let hashed = hashed
                .await
                .unwrap_or_else(|fault| Err(io::Error::other(fault)));
            part.hasher = hashed.map_err(fault)?;
            part.len = len;
            part.resumed = true;
            part.etag = std::fs::read_to_string(etag_of(&part.path)).ok();
        }
        Ok(part)
    }

    async fn write(&mut self, chunk: &[u8]) -> Result<(), Stop> {
        let written = self.file.write_all(chunk).await;
        written.map_err(|fault| Stop::Over(PullError::file(&self.path, fault)))?;
        self.hasher.update(chunk);
        self.len += chunk.len() as u64;
        Ok(())
    }

    /// Brings what was written to the disk, so that another run can go on.
    async fn settle(&mut self) {
        let _ = self.file.flush().await;
    }

    /// The hash of the whole, which is on disk from then on.
    async fn digest(&mut self) -> Result<String, PullError> {
        let fault = |fault| PullError::file(&self.path, fault);
        self.file.flush().await.map_err(fault)?;
        self.file.sync_all().await.map_err(fault)?;
        Ok(hex(self.hasher.clone()))
    }

    /// Drops what there is.
    async fn clear(&mut self) -> Result<(), Stop> {
        let cleared = self.clear_file().await;
        cleared.map_err(|fault| Stop::Over(PullError::file(&self.path, fault)))
    }

    async fn clear_file(&mut self) -> io::Result<()> {
        self.file.flush().await?;
        self.file.set_len(0).await?;
        self.hasher = Sha256::new();
        self.len = 0;
        self.resumed = false;
        self.forget_etag();
        Ok(())
    }

    /// Removes the file.
    fn remove(&mut self) {
        let _ = std::fs::remove_file(&self.path);
        self.forget_etag();
    }

    fn forget_etag(&mut self) {
        self.etag = None;
        let _ = std::fs::remove_file(etag_of(&self.path));
    }

    /// Keeps the answer's strong ETag, by which a later request asks for more of the same file.
    fn remember(&mut self, headers: &HeaderMap) {
        let etag = headers.get(ETAG).and_then(|etag| etag.to_str().ok());
        let strong = |etag: &&str| etag.starts_with('"') && etag.len() <= ETAG_BYTES_MAX;
        let Some(etag) = etag.filter(strong) else {
            return;
        };
        if self.etag.as_deref() != Some(etag) && std::fs::write(etag_of(&self.path), etag).is_ok() {
            self.etag = Some(etag.to_owned());
        }
    }
}

/// Whether a Content-Range goes on at `from` of a file of `bytes`.
fn continues(headers: &HeaderMap, from: u64, bytes: u64) -> bool {
    let range = headers
        .get(CONTENT_RANGE)
        .and_then(|range| range.to_str().ok());
    let Some((span, total)) = range
        .and_then(|range| range.strip_prefix("bytes "))
        .and_then(|range| range.split_once('/'))
    else {
        return false;
    };
    let start = span
        .split_once('-')
        .and_then(|(start, _)| start.parse().ok());
    start == Some(from) && (total == "*" || total.parse() == Ok(bytes))
}

fn leaves_https(fault: &reqwest::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(fault);
    while let Some(fault) = source {
        if fault.is::<NotHttps>() {
            return true;
        }
        source = fault.source();
    }
    false
}
