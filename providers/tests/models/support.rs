//! A file server that misbehaves as told, and what the tests share.

use std::collections::VecDeque;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use antiphon_providers::models::{
    Catalogue, ModelsFolder, Progress, PullError, PullOptions, Pulled, Puller,
};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// How one request is answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The file, or the part asked for; the connection is cut after so many bytes of it.
    File { cut: Option<usize> },
    /// The whole file, whatever is asked for.
    Whole,
    /// Other bytes of the same length.
    Other,
    /// A part that begins elsewhere than asked for.
    WrongPart,
    /// A status, with header lines.
    Status(u16, &'static str),
    /// A redirect to an address.
    Redirect(String),
    /// A Content-Length of so many bytes, and the file.
    Length(usize),
    /// No Content-Length and more bytes than there should be.
    TooMuch,
    /// A part of the file, and then silence.
    Stall(usize),
}

pub const WHOLE: Answer = Answer::File { cut: None };

pub struct FileServer {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl FileServer {
    /// Serves `bytes`; the answers are given in order, the last one for ever.
    pub async fn start(bytes: Vec<u8>, answers: impl Into<VecDeque<Answer>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/a.bin", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (seen, mut answers) = (Arc::clone(&requests), answers.into());
        let task = tokio::spawn(async move {
            let bytes = Arc::new(bytes);
            while let Ok((stream, _)) = listener.accept().await {
                let answer = if answers.len() > 1 {
                    answers.pop_front().unwrap()
                } else {
                    answers[0].clone()
                };
                let (seen, bytes) = (Arc::clone(&seen), Arc::clone(&bytes));
                tokio::spawn(async move {
                    let _ = answer_one(stream, answer, &bytes, &seen).await;
                });
            }
        });
        Self {
            url,
            requests,
            task,
        }
    }

    /// The requests so far, headers and all, in lower case.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The ranges asked for so far; empty where the whole was.
    pub fn ranges(&self) -> Vec<String> {
        let range = |request: &String| {
            let line = request
                .lines()
                .find_map(|line| line.strip_prefix("range: "));
            line.unwrap_or_default().to_owned()
        };
        self.requests().iter().map(range).collect()
    }

    pub fn stop(&self) {
        self.task.abort();
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A request's head, in lower case.
async fn read_request(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
    let mut request = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == "\r\n" {
            return Ok(request);
        }
        request.push_str(&line.to_lowercase());
    }
}

async fn answer_one(
    stream: TcpStream,
    answer: Answer,
    bytes: &[u8],
    seen: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let request = read_request(&mut stream).await?;
    let start = request
        .lines()
        .find_map(|line| line.strip_prefix("range: bytes="))
        .and_then(|range| range.strip_suffix('-')?.parse::<usize>().ok());
    let fits = request
        .lines()
        .find_map(|line| line.strip_prefix("if-range: "))
        .is_none_or(|etag| etag == "\"v1\"");
    let start = start.filter(|_| fits);
    seen.lock().unwrap().push(request);
    let all = bytes.len();
    let part = |from: usize| {
        format!(
            "206 Partial Content\r\ncontent-range: bytes {from}-{}/{all}",
            all - 1
        )
    };
    let other: Vec<u8> = bytes.iter().map(|byte| !byte).collect();
    let more = [bytes, b"x"].concat();
    let (status, body, length, cut) = match &answer {
        Answer::File { cut } => match start {
            Some(from) if from < all => (part(from), &bytes[from..], Some(all - from), *cut),
            Some(_) => (
                "416 Range Not Satisfiable".to_owned(),
                &bytes[..0],
                Some(0),
                None,
            ),
            None => ("200 OK".to_owned(), bytes, Some(all), *cut),
        },
        Answer::Stall(some) => ("200 OK".to_owned(), bytes, Some(all), Some(*some)),
        Answer::Whole => ("200 OK".to_owned(), bytes, Some(all), None),
        Answer::Other => ("200 OK".to_owned(), &other[..], Some(all), None),
        Answer::WrongPart => (part(1), &bytes[1..], Some(all - 1), None),
        Answer::Status(code, headers) => {
            (format!("{code} No{headers}"), &bytes[..0], Some(0), None)
        }
        Answer::Redirect(to) => (
            format!("302 Found\r\nlocation: {to}"),
            &bytes[..0],
            Some(0),
            None,
        ),
        Answer::Length(length) => ("200 OK".to_owned(), bytes, Some(*length), None),
        Answer::TooMuch => ("200 OK".to_owned(), &more[..], None, None),
    };
    let mut head = format!("HTTP/1.1 {status}\r\netag: \"v1\"\r\nconnection: close\r\n");
    if let Some(length) = length {
        let _ = write!(head, "content-length: {length}\r\n");
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes()).await?;
    let cut = cut.unwrap_or(body.len()).min(body.len());
    stream.write_all(&body[..cut]).await?;
    stream.flush().await?;
    if matches!(answer, Answer::Stall(_)) {
        std::future::pending::<()>().await;
    }
    stream.shutdown().await
}

/// Bytes that no two places have alike.
pub fn sample(len: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let step = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..len).map(step).collect()
}

pub fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// A catalogue of one model, `tiny`, with one file, `a.bin`.
pub fn catalogue(url: &str, bytes: &[u8], more: &str) -> Catalogue {
    let text = format!(
        "[[model]]\nname = \"tiny\"\nkind = \"hear\"\nwhat = \"a test\"\n\
         licence = {{ name = \"MIT\", url = \"https://example.org\" }}\n\
         [[model.file]]\nname = \"a.bin\"\nurl = \"{url}\"\nbytes = {}\nsha256 = \"{}\"\n{more}",
        bytes.len(),
        sha256(bytes)
    );
    Catalogue::parse("test", &text).unwrap()
}

pub struct Place {
    _data: TempDir,
    pub folder: ModelsFolder,
}

impl Place {
    pub fn new() -> Self {
        let data = tempfile::tempdir().unwrap();
        let folder = ModelsFolder::of_data(data.path());
        Self {
            _data: data,
            folder,
        }
    }

    pub fn file(&self) -> PathBuf {
        self.folder.folder("tiny").join("a.bin")
    }

    pub fn part(&self) -> PathBuf {
        self.folder.folder("tiny").join("a.bin.part")
    }

    /// What an earlier run left.
    pub fn leave(&self, bytes: &[u8], etag: Option<&str>) {
        std::fs::create_dir_all(self.folder.folder("tiny")).unwrap();
        std::fs::write(self.part(), bytes).unwrap();
        if let Some(etag) = etag {
            std::fs::write(self.folder.folder("tiny").join("a.bin.part.etag"), etag).unwrap();
        }
    }

    /// The names in the model's folder.
    pub fn names(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.folder.folder("tiny")) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

pub fn options() -> PullOptions {
    PullOptions {
        backoff: Duration::from_millis(5),
        backoff_max: Duration::from_millis(50),
        stall_timeout: Duration::from_millis(400),
        ..PullOptions::default()
    }
}

/// Pulls `tiny`, and what was shown of it.
pub async fn pull(
    place: &Place,
    catalogue: &Catalogue,
    options: PullOptions,
) -> (Result<Pulled, PullError>, Vec<String>) {
    let mut shown = Vec::new();
    let mut show = |progress: Progress<'_>| shown.push(format!("{progress:?}"));
    let puller = Puller::new(options).unwrap();
    let pulled = puller
        .pull(&place.folder, catalogue.find("tiny").unwrap(), &mut show)
        .await;
    (pulled, shown)
}
