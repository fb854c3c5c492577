//! A server of model files and a catalogue that names them.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::response::Response;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

/// A model file on a server, its catalogue, and a data folder to fetch it to.
pub struct Library {
    pub data: TempDir,
    pub bytes: Vec<u8>,
    /// Requests so far.
    pub requests: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

/// What a run of the command gave.
pub struct Ran {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl Library {
    /// Serves `bytes` as the one file of `model`; where `slow`, the second half never comes to a
    /// request for the whole.
    pub async fn start(model: &str, bytes: Vec<u8>, slow: bool) -> Self {
        let data = tempfile::tempdir().unwrap();
        let requests = Arc::new(AtomicUsize::new(0));
        let (served, count) = (Bytes::from(bytes.clone()), Arc::clone(&requests));
        let app = Router::new().fallback(move |request: Request| {
            count.fetch_add(1, Ordering::SeqCst);
            let answer = answer(&request, &served, slow);
            async move { answer }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            axum::serve(listener, app).await.unwrap();
        });
        let mut sha256 = String::new();
        for byte in Sha256::digest(&bytes) {
            write!(sha256, "{byte:02x}").unwrap();
        }
        let catalogue = format!(
            "[[model]]\nname = \"{model}\"\nkind = \"hear\"\nrank = 1\nwhat = \"a test\"\n\
             licence = {{ name = \"MIT\", url = \"https://example.org/licence\" }}\n\
             [[model.file]]\nname = \"model.bin\"\nurl = \"http://{address}/model.bin\"\n\
             bytes = {}\nsha256 = \"{sha256}\"\n",
            bytes.len()
        );
        std::fs::write(data.path().join("catalogue.toml"), catalogue).unwrap();
        Self {
            data,
            bytes,
            requests,
            task,
        }
    }

    pub fn stop(&self) {
        self.task.abort();
    }

    pub fn catalogue(&self) -> PathBuf {
        self.data.path().join("catalogue.toml")
    }

    pub fn file(&self, model: &str) -> PathBuf {
        self.data
            .path()
            .join("models")
            .join(model)
            .join("model.bin")
    }

    /// Begins `antiphon models ARGS`.
    pub fn spawn(&self, args: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_antiphon"))
            .arg("models")
            .args(args)
            .env("ANTIPHON_DATA", self.data.path())
            .env("ANTIPHON_MODELS_CATALOGUE", self.catalogue())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap()
    }

    /// Runs `antiphon models ARGS` to its end.
    pub async fn run(&self, args: &[&str]) -> Ran {
        let mut child = self.spawn(args);
        let (mut stdout, mut stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let (mut out, mut err) = (String::new(), String::new());
        let ended = async {
            let _ = tokio::join!(
                stdout.read_to_string(&mut out),
                stderr.read_to_string(&mut err)
            );
            child.wait().await.unwrap()
        };
        let status = tokio::time::timeout(Duration::from_secs(60), ended)
            .await
            .unwrap();
        Ran {
            status: status.code().unwrap_or(-1),
            out,
            err,
        }
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        self.stop();
    }
}

fn answer(request: &Request, bytes: &Bytes, slow: bool) -> Response {
    let range = request
        .headers()
        .get("range")
        .and_then(|range| range.to_str().ok());
    let from: Option<usize> = range.and_then(|range| {
        range
            .strip_prefix("bytes=")?
            .strip_suffix('-')?
            .parse()
            .ok()
    });
    let all = bytes.len();
    if let Some(from) = from {
        return Response::builder()
            .status(206)
            .header("content-range", format!("bytes {from}-{}/{all}", all - 1))
            .body(Body::from(bytes.slice(from..)))
            .unwrap();
    }
    let answer = Response::builder().header("content-length", all);
    if !slow {
        return answer.body(Body::from(bytes.clone())).unwrap();
    }
    let half = bytes.slice(..all / 2);
    let first = futures_util::stream::once(async move { Ok::<_, std::io::Error>(half) });
    let never = futures_util::stream::pending();
    answer
        .body(Body::from_stream(futures_util::StreamExt::chain(
            first, never,
        )))
        .unwrap()
}
