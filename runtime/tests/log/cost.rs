//! What a record costs the task of its session. Prints; the limit is loose enough for a busy
//! machine.

use std::time::{Duration, Instant};

use antiphon_engine::Engine;
use antiphon_runtime::log::{Recorder, Retention};

use crate::support::{config, conversation};

const CALLS: u32 = 200;

#[test]
fn a_record_costs_the_session_microseconds() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::open(folder.path(), Retention::default()).unwrap();
    let conversation = conversation();
    let mut spent = Duration::ZERO;
    for _ in 0..CALLS {
        let mut log = recorder.begin(&config());
        let mut engine = Engine::new(config());
        for (at, input) in conversation.clone() {
            let started = Instant::now();
            log.input(at, &input);
            spent += started.elapsed();
            engine.handle_input(input, at);
            while let Some(output) = engine.poll_output() {
                let started = Instant::now();
                log.output(&output);
                spent += started.elapsed();
            }
        }
        log.finish();
        // The queue is not what is measured.
        assert!(recorder.settled(Duration::from_secs(20)));
    }
    let each = spent / (CALLS * conversation.len() as u32);
    println!("a record with its outputs costs the session's task {each:?}");
    assert!(each < Duration::from_millis(1), "{each:?}");
}
