//! A server that runs hears with a model from the next call on after it was pulled.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use antiphon_server::caller::{CallArgs, call};
use antiphon_testkit::{WhisperModel, flite_recordings};
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::library::Library;

/// What the model says, whatever it hears; PocketSphinx would hear the recording.
const SAYS: &[&str] = &[" the", " mod", "el", " was", " here"];
const SAID: &str = "the model was here";

/// Until a server has started, or a model is noticed and loaded, on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(90);

struct Server {
    _child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    url: String,
    /// What it printed before its address.
    said: String,
}

impl Server {
    async fn start(data: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_antiphon"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .env("ANTIPHON_DATA", data)
            .env("RUST_LOG", "error")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let stdout = child.stdout.take().unwrap();
        let mut server = Self {
            _child: child,
            lines: BufReader::new(stdout).lines(),
            url: String::new(),
            said: String::new(),
        };
        let started = tokio::time::timeout(PATIENCE, server.read_address());
        started.await.unwrap();
        server
    }

    async fn read_address(&mut self) {
        while let Some(line) = self.lines.next_line().await.unwrap() {
            if let Some(rest) = line.strip_prefix("Open ") {
                self.url = rest.split(' ').next().unwrap().to_owned();
                return;
            }
            self.said.push_str(&line);
        }
        panic!("it ended: {}", self.said);
    }

    /// What is understood of a recording by a call that opens now.
    async fn hears(&self, audio: &Path) -> String {
        let args = CallArgs {
            server: self.url.clone(),
            agent: "cal".to_owned(),
            audio: vec![audio.to_owned()],
            text: Vec::new(),
            out: None,
            json: true,
            barge_in: false,
            timeout: 60,
        };
        call(args).await.unwrap().user_transcript
    }
}

/// A sentence in a file.
fn recording(folder: &Path) -> PathBuf {
    let spoken = flite_recordings("slt", &["What is a domain name?"]);
    let path = folder.join("question.wav");
    let wav = antiphon_audio::file::write_wav(antiphon_audio::CALLER_RATE_HZ, &spoken[0].pcm);
    std::fs::write(&path, wav).unwrap();
    path
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_call_after_a_pull_is_heard_with_the_model() {
    let model = tempfile::NamedTempFile::new().unwrap();
    WhisperModel::small(SAYS).write(model.path()).unwrap();
    let library = Library::start("tiny", std::fs::read(model.path()).unwrap(), false).await;
    let audio = recording(library.data.path());
    let server = Server::start(library.data.path()).await;
    assert!(
        server.said.contains("hears with pocketsphinx"),
        "{}",
        server.said
    );
    assert!(
        server.said.contains("antiphon models pull whisper-base.en"),
        "{}",
        server.said
    );

    let pull = library.run(&["pull", "tiny"]).await;
    assert_eq!(pull.status, 0, "{}", pull.err);
    let noticed = async { while !server.hears(&audio).await.contains(SAID) {} };
    tokio::time::timeout(PATIENCE, noticed).await.unwrap();

    // And from the start where it is there already.
    let again = Server::start(library.data.path()).await;
    assert!(again.said.contains("hears with whisper"), "{}", again.said);
    assert!(
        !again.said.contains("antiphon models pull"),
        "{}",
        again.said
    );
}
