//! The logs that a server keeps, and `antiphon replay`.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use reqwest::Method;

use crate::support::TestServer;

/// A server's one session, created and deleted; its data folder.
async fn one_session(no_logs: bool) -> tempfile::TempDir {
    let server = TestServer::start_with(|args| args.no_logs = no_logs).await;
    let session = server.create().await;
    let path = format!("/v1/sessions/{}", session.id);
    let request = server.request(Method::DELETE, &path);
    let response = request.bearer_auth(&session.token).send().await.unwrap();
    assert!(response.status().is_success());
    server.stop().await
}

fn logs(data: &Path) -> Vec<PathBuf> {
    let folder = data.join("logs");
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

fn replay(log: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_antiphon"))
        .arg("replay")
        .arg(log)
        .args(more)
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The log with its lines changed.
fn changed(log: &Path, change: impl FnOnce(String) -> String) -> PathBuf {
    let bytes = fs::read(log).unwrap();
    let start = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    let mut lines = String::new();
    GzDecoder::new(&bytes[start..])
        .read_to_string(&mut lines)
        .unwrap();
    let mut packed = GzEncoder::new(bytes[..start].to_vec(), Compression::fast());
    packed.write_all(change(lines).as_bytes()).unwrap();
    let to = log.with_extension("changed");
    fs::write(&to, packed.finish().unwrap()).unwrap();
    to
}

#[tokio::test]
async fn every_session_leaves_a_log_that_replays() {
    let data = one_session(false).await;
    let logs = logs(data.path());
    let [log] = logs.as_slice() else {
        panic!("not one log: {logs:?}");
    };
    let verified = replay(log, &["--verify"]);
    assert!(verified.status.success());
    let said = text(&verified.stdout);
    assert!(
        said.starts_with("outputs: identical (") && said.lines().count() == 1,
        "{said}"
    );
    let shown = text(&replay(log, &[]).stdout);
    assert!(shown.contains("over: deleted"), "{shown}");
    assert!(text(&replay(log, &["--explain"]).stdout).contains("outputs: identical"));
    let json = replay(log, &["--json"]);
    assert!(text(&json.stderr).contains("outputs: identical"));
    let lines: Vec<serde_json::Value> = text(&json.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.last().unwrap()["output"]["type"], "close");
    assert!(lines.iter().all(|line| line["at_ms"].is_u64()));
    let html = data.path().join("call.html");
    assert!(
        replay(log, &["--html", html.to_str().unwrap()])
            .status
            .success()
    );
    assert!(
        fs::read_to_string(html)
            .unwrap()
            .starts_with("<!doctype html>")
    );
}

#[tokio::test]
async fn no_logs_means_none() {
    let data = one_session(true).await;
    assert!(!data.path().join("logs").exists());
}

#[tokio::test]
async fn a_difference_and_a_file_that_is_no_log_are_failures() {
    let data = one_session(false).await;
    let log = logs(data.path()).remove(0);
    let other = changed(&log, |lines| lines.replace("\"deleted\"", "\"drained\""));
    let replayed = replay(&other, &["--verify"]);
    assert_eq!(replayed.status.code(), Some(1));
    let said = text(&replayed.stdout);
    assert!(
        said.contains("outputs: DIFFERENT") && said.contains("(close) at"),
        "{said}"
    );
    let bad = changed(&log, |lines| lines.replacen("\n[", "\n[\"", 1));
    let replayed = replay(&bad, &[]);
    assert_eq!(replayed.status.code(), Some(1));
    assert!(text(&replayed.stderr).contains("record 1 of the log"));
    let replayed = replay(&data.path().join("calls.jsonl"), &[]);
    assert_eq!(replayed.status.code(), Some(1));
    assert!(text(&replayed.stderr).contains("not a log of a call"));
    let missing = replay(&data.path().join("no.alog"), &[]);
    assert!(text(&missing.stderr).contains("cannot open"));
}

#[tokio::test]
async fn a_log_cut_in_the_middle_is_replayed_up_to_there() {
    let data = one_session(false).await;
    let log = logs(data.path()).remove(0);
    let bytes = fs::read(&log).unwrap();
    fs::write(&log, &bytes[..bytes.len() - 60]).unwrap();
    let replayed = replay(&log, &["--verify"]);
    assert!(replayed.status.success());
    assert!(text(&replayed.stdout).contains("note: the log has no trailer"));
}
