//! A recorder and its folder.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use antiphon_engine::Engine;
use antiphon_runtime::log::{Ending, Recorder, Retention, SessionLog, Verdict};

use crate::support::{config, conversation, read, replayed};

const SOON: Duration = Duration::from_secs(20);

/// What the session's task does.
fn hold_conversation(log: &mut SessionLog) {
    let mut engine = Engine::new(config());
    for (at, input) in conversation() {
        log.input(at, &input);
        engine.handle_input(input, at);
        while let Some(output) = engine.poll_output() {
            log.output(&output);
        }
    }
}

fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

#[test]
fn a_finished_session_leaves_a_whole_log_for_its_owner_alone() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("logs");
    let recorder = Recorder::open(&folder, Retention::default()).unwrap();
    let mut log = recorder.begin(&config());
    hold_conversation(&mut log);
    log.finish();
    assert!(recorder.settled(SOON));
    let file = &files(&folder)[0];
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder), mode(file)), (0o700, 0o600));
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(name.ends_with("Z-sess_x.alog"), "{name}");
    let log = std::fs::read(file).unwrap();
    assert_eq!(replayed(&log).unwrap().verdict(), Verdict::Identical);
    assert_eq!(read(&log).unwrap().0.len(), conversation().len());
}

#[test]
fn a_session_that_is_cut_leaves_a_log_without_trailer() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::open(folder.path(), Retention::default()).unwrap();
    let mut log = recorder.begin(&config());
    hold_conversation(&mut log);
    drop(log);
    assert!(recorder.settled(SOON));
    let log = std::fs::read(&files(folder.path())[0]).unwrap();
    let (records, ending) = read(&log).unwrap();
    assert_eq!(records.len(), conversation().len());
    assert_eq!(ending, Ending::Cut { partial: false });
    assert_eq!(replayed(&log).unwrap().verdict(), Verdict::IdenticalSoFar);
}

#[test]
fn sessions_of_one_name_and_names_of_any_kind_have_files_of_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::open(folder.path(), Retention::default()).unwrap();
    let mut config = config();
    config.session = "../../etc/x y".into();
    recorder.begin(&config).finish();
    recorder.begin(&config).finish();
    assert!(recorder.settled(SOON));
    let files = files(folder.path());
    assert_eq!(files.len(), 2);
    for file in files {
        assert_eq!(file.parent(), Some(folder.path()));
        assert!(file.to_str().unwrap().contains("______etc_x_y"), "{file:?}");
        assert_eq!(
            replayed(&std::fs::read(file).unwrap()).unwrap().verdict(),
            Verdict::Identical
        );
    }
}

#[test]
fn what_is_left_is_written_when_the_recorder_goes() {
    let folder = tempfile::tempdir().unwrap();
    let recorder = Recorder::open(folder.path(), Retention::default()).unwrap();
    let other = recorder.clone();
    let mut log = recorder.begin(&config());
    drop(recorder);
    hold_conversation(&mut log);
    log.finish();
    assert!(other.settled(SOON));
    assert_eq!(files(folder.path()).len(), 1);
}
