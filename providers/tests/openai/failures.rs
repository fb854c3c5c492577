//! Replies that do not arrive, or not whole.

use std::time::Duration;

use antiphon_providers::think::ThinkEventKind;
use tokio::time::timeout;

use crate::server::{KEY, OK, Step, collect, serve, start, words};

/// Runs the script; the reply must fail for a reason that holds `reason`, after `heard`.
async fn fails(steps: Vec<Step>, heard: &str, reason: &str) {
    let server = serve(steps).await;
    let (_handle, events) = start(server.config);
    let (text, end) = timeout(Duration::from_secs(5), collect(events))
        .await
        .unwrap();
    assert_eq!(text, heard);
    let ThinkEventKind::Failed { fault } = end else {
        panic!("{end:?}");
    };
    let told = fault.reason;
    assert!(told.contains(reason), "{told}");
    assert!(!told.contains(KEY) && !told.contains("127.0.0.1"), "{told}");
}

fn send(text: String) -> Step {
    Step::Send(text.into_bytes())
}

#[tokio::test]
async fn refusals_name_what_to_check() {
    for (status, part) in [
        ("401 Unauthorized", "OPENAI_API_KEY"),
        ("404 Not Found", "ANTIPHON_THINK_MODEL"),
        ("429 Too Many Requests", "credit"),
        ("500 Internal Server Error", "in trouble"),
        ("302 Found\r\nlocation: http://elsewhere.invalid/", "302"),
    ] {
        let body = format!("{{\"error\":\"bad key {KEY}\"}}");
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        fails(vec![send(answer)], "", part).await;
    }
}

#[tokio::test]
async fn no_first_word_in_time() {
    fails(vec![Step::AwaitClose], "", "no words within 300 ms").await;
    fails(
        vec![send(OK.to_owned()), Step::AwaitClose],
        "",
        "no words within 300 ms",
    )
    .await;
}

#[tokio::test]
async fn keep_alives_do_not_put_the_first_word_off() {
    let steps = (0..3).map(|_| send(": waiting\n\n".to_owned()));
    let steps = std::iter::once(send(OK.to_owned()))
        .chain(steps)
        .chain([Step::AwaitClose])
        .collect();
    fails(steps, "", "no words within 300 ms").await;
}

#[tokio::test]
async fn a_stream_that_stands_still() {
    fails(
        vec![
            send(format!("{OK}{}", words("One moment"))),
            Step::AwaitClose,
        ],
        "One moment",
        "stood still",
    )
    .await;
}

#[tokio::test]
async fn a_stream_that_breaks_off() {
    fails(
        vec![send(format!("{OK}{}", words("Half of")))],
        "Half of",
        "broke off",
    )
    .await;
    let head = OK.replace("connection: close", "content-length: 9999");
    fails(
        vec![send(format!("{head}{}", words("Half of")))],
        "Half of",
        "broke off",
    )
    .await;
}

#[tokio::test]
async fn garbage_in_the_stream() {
    fails(
        vec![send(format!("{OK}{}data: {{oops\n\n", words("Well")))],
        "Well",
        "no Chat Completions",
    )
    .await;
    fails(vec![send(format!("{OK}data: [1,2]\n\n"))], "", "").await;
    fails(
        vec![send("no http at all\r\n\r\n".to_owned())],
        "",
        "cannot be reached",
    )
    .await;
    fails(
        vec![send(format!(
            "{OK}data: {{\"error\":{{\"message\":\"{KEY}\"}}}}\n\n"
        ))],
        "",
        "reported an error",
    )
    .await;
}

#[tokio::test]
async fn a_giant_line() {
    let giant = format!("{OK}data: {}", "x".repeat(1_000_000));
    fails(
        vec![send(giant), Step::AwaitClose],
        "",
        "longer than 65536 bytes",
    )
    .await;
}

#[tokio::test]
async fn nobody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://user:hunter2@{}/v1", listener.local_addr().unwrap());
    drop(listener);
    let (_handle, events) = start(antiphon_providers::think::openai::OpenAiConfig::new(
        url, "m",
    ));
    let (_, end) = collect(events).await;
    let ThinkEventKind::Failed { fault } = end else {
        panic!("{end:?}");
    };
    let reason = fault.reason;
    assert!(
        reason.contains("cannot be reached") && !reason.contains("hunter2"),
        "{reason}"
    );
}

#[tokio::test]
async fn dropping_the_handle_closes_the_socket_at_once() {
    for steps in [
        vec![
            send(format!("{OK}{}", words("A long story"))),
            Step::AwaitClose,
        ],
        vec![send(OK.to_owned()), Step::AwaitClose],
    ] {
        let mut server = serve(steps).await;
        server.config.limits.first_timeout = Duration::from_secs(60);
        server.config.limits.idle_timeout = Duration::from_secs(60);
        let (handle, mut events) = start(server.config);
        // Wait for the connection to be in use; the second script sends no words.
        let _ = timeout(Duration::from_millis(200), events.recv()).await;
        drop(handle);
        timeout(Duration::from_secs(2), server.done)
            .await
            .expect("the server sees the close")
            .unwrap();
        while let Some(event) = events.recv().await {
            assert!(
                matches!(event.kind, ThinkEventKind::Delta { .. }),
                "no end after a cancel: {event:?}"
            );
        }
    }
}
