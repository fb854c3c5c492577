//! Stopping the server.

use std::time::{Duration, Instant};

use crate::support::{TestServer, problem};

#[tokio::test]
async fn settles_every_call_and_takes_no_new_ones() {
    let mut server = TestServer::start().await;
    let session = server.create().await;
    let begun = Instant::now();
    server.begin_stop();
    // The session is waiting for its caller: it ends at once, and so does the server.
    let mut refused = server.post_session("{\"agent\":\"cal\"}").await;
    while refused.status() == 201 {
        refused = server.post_session("{\"agent\":\"cal\"}").await;
    }
    problem(refused, 503, "draining").await;
    let data = server.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(5));
    let settled = std::fs::read_to_string(data.path().join("calls.jsonl")).unwrap();
    let line = settled
        .lines()
        .find(|line| line.contains(session.id.as_str()))
        .expect("a line of this call");
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (&line["seconds"], &line["ended_because"]),
        (&0.into(), &"drained".into())
    );
}
