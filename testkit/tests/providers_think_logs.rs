//! What language model adapters log, and the libraries under them, at the finest level. By itself,
//! as it listens to all that this process logs.
#![allow(clippy::unwrap_used)]

#[allow(
    dead_code,
    reason = "shared with the contract suite, which uses all of it"
)]
#[path = "providers_think/lab.rs"]
mod lab;

use std::io;
use std::sync::{Arc, Mutex};

use antiphon_testkit::fakes::http::{Answer, Wiring};
use antiphon_testkit::fakes::llm::{KEY, Said};
use serde_json::json;
use tracing_subscriber::layer::SubscriberExt;

use crate::lab::{ADAPTERS, Lab, request};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Every line that anything logs at the finest level, the libraries for HTTP and TLS included.
#[tokio::test]
async fn no_key_and_no_words_in_any_log() {
    let log = Log::default();
    let writer = log.clone();
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_writer(move || writer.clone());
    let filter = tracing_subscriber::EnvFilter::new("trace,h2::codec=off,h2::proto=off");
    // The servers' side of h2 runs here too; it reads headers and may say so. Ours is the client.
    let subscriber = tracing_subscriber::registry().with(filter).with(layer);
    tracing::subscriber::set_global_default(subscriber).unwrap();
    for adapter in ADAPTERS {
        for wiring in [Wiring::Http1, Wiring::Http2Tls] {
            for wrong in [false, true] {
                let vendor = adapter.vendor;
                let lab = Lab::new(adapter, wiring, move |r| {
                    if wrong {
                        return Answer::json(401, &json!({"error": {"message": KEY}}));
                    }
                    vendor.answer(r, &Said::words(&["secret words"]))
                })
                .await;
                let told = lab.ask(request()).await;
                assert_eq!(told.end.is_err(), wrong);
            }
        }
    }
    let text = String::from_utf8_lossy(&log.0.lock().unwrap()).into_owned();
    assert!(text.contains("reply failed"), "the log was read");
    for secret in [KEY, "secret words", "what is a domain"] {
        let line = text.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret}");
    }
}
