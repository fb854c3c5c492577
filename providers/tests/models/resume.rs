//! Going on where a download was broken off.

use std::time::Duration;

use antiphon_providers::models::{PullError, Pulled};

use crate::support::{Answer, FileServer, Place, WHOLE, catalogue, options, pull, sample, sha256};

const LEN: usize = 200_000;

/// Pulls over `left` with `answers`; the file must be right in the end.
async fn check(left: &[u8], etag: Option<&str>, answers: Vec<Answer>, ranges: &[&str]) {
    let (bytes, place) = (sample(LEN), Place::new());
    place.leave(left, etag);
    let server = FileServer::start(bytes.clone(), answers.clone()).await;
    let (pulled, shown) = pull(&place, &catalogue(&server.url, &bytes, ""), options()).await;
    assert_eq!(pulled.unwrap(), Pulled::Installed, "{answers:?} {shown:?}");
    assert_eq!(
        sha256(&std::fs::read(place.file()).unwrap()),
        sha256(&bytes)
    );
    assert_eq!(server.ranges(), ranges, "{answers:?}");
    assert_eq!(place.names(), ["a.bin", "model.json"]);
}

#[tokio::test]
async fn it_goes_on_where_an_earlier_run_stopped() {
    let bytes = sample(LEN);
    let half = &bytes[..100_000];
    check(half, Some("\"v1\""), vec![WHOLE], &["bytes=100000-"]).await;
    check(half, None, vec![WHOLE], &["bytes=100000-"]).await;
    // The file has changed since: If-Range makes the server send the whole.
    check(half, Some("\"v0\""), vec![WHOLE], &["bytes=100000-"]).await;
    // All of it was there already.
    check(&bytes, None, vec![WHOLE], &[]).await;
    // The server knows no ranges.
    check(half, None, vec![Answer::Whole], &["bytes=100000-"]).await;
    // What it sends is not what was asked for.
    check(
        half,
        None,
        vec![Answer::WrongPart, WHOLE],
        &["bytes=100000-", ""],
    )
    .await;
    check(
        half,
        None,
        vec![Answer::Status(416, ""), WHOLE],
        &["bytes=100000-", ""],
    )
    .await;
    // More than the whole cannot be a part of it.
    check(&sample(LEN + 1), None, vec![WHOLE], &[""]).await;
    // What was left is something else: noticed at the end, and fetched anew.
    check(&[7; 100_000], None, vec![WHOLE], &["bytes=100000-", ""]).await;
    check(&[7; LEN], None, vec![WHOLE], &[""]).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_is_made_again() {
    let cut = |cut| Answer::File { cut: Some(cut) };
    let answers = vec![cut(100), cut(900), cut(9_000), WHOLE];
    let ranges = ["", "bytes=100-", "bytes=1000-", "bytes=10000-"];
    check(&[], None, answers, &ranges).await;
    check(
        &[],
        None,
        vec![Answer::Stall(500), WHOLE],
        &["", "bytes=500-"],
    )
    .await;
    let busy = |code, headers| Answer::Status(code, headers);
    check(
        &[],
        None,
        vec![busy(503, ""), busy(500, ""), WHOLE],
        &["", "", ""],
    )
    .await;
    check(
        &[],
        None,
        vec![busy(429, "\r\nretry-after: 0"), WHOLE],
        &["", ""],
    )
    .await;
    check(
        &[],
        None,
        vec![cut(100), busy(502, ""), WHOLE],
        &["", "bytes=100-", "bytes=100-"],
    )
    .await;
}

#[tokio::test]
async fn what_was_got_is_kept_when_it_gives_up() {
    let (bytes, place) = (sample(LEN), Place::new());
    let answers = [Answer::File { cut: Some(70_000) }, Answer::Status(503, "")];
    let server = FileServer::start(bytes.clone(), answers).await;
    let one = catalogue(&server.url, &bytes, "");
    let (pulled, shown) = pull(&place, &one, options()).await;
    let fault = pulled.unwrap_err();
    assert!(
        matches!(fault, PullError::Busy { status: 503, .. }),
        "{fault}"
    );
    assert_eq!(
        server.requests().len() as u32,
        1 + options().failures_max - 1
    );
    let waits = shown
        .iter()
        .filter(|shown| shown.starts_with("Waiting"))
        .count();
    assert_eq!(waits as u32, options().failures_max - 1, "{shown:?}");
    assert_eq!(std::fs::metadata(place.part()).unwrap().len(), 70_000);
    assert!(place.folder.installed("tiny").is_none() && !place.file().exists());

    // The next run goes on.
    let server = FileServer::start(bytes.clone(), [WHOLE]).await;
    let two = catalogue(&server.url, &bytes, "");
    assert_eq!(
        pull(&place, &two, options()).await.0.unwrap(),
        Pulled::Installed
    );
    assert_eq!(server.ranges(), ["bytes=70000-"]);
}

/// A pull that is dropped in its midst is what Ctrl-C makes of one.
#[tokio::test]
async fn an_interrupted_pull_leaves_a_part_to_go_on_with() {
    let (bytes, place) = (sample(LEN), Place::new());
    let server = FileServer::start(bytes.clone(), [Answer::Stall(50_000)]).await;
    let one = catalogue(&server.url, &bytes, "");
    let patient = antiphon_providers::models::PullOptions {
        stall_timeout: Duration::from_secs(60),
        ..options()
    };
    let part = || std::fs::metadata(place.part()).map_or(0, |found| found.len());
    let got_some = async {
        while part() < 50_000 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        ended = pull(&place, &one, patient) => panic!("{ended:?}"),
        () = got_some => {}
    }
    let server = FileServer::start(bytes.clone(), [WHOLE]).await;
    let two = catalogue(&server.url, &bytes, "");
    assert_eq!(
        pull(&place, &two, options()).await.0.unwrap(),
        Pulled::Installed
    );
    assert_eq!(server.ranges(), ["bytes=50000-"]);
}
