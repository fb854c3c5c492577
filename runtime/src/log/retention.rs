//! How long logs are kept.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{FILE_ENDING, PACKING_ENDING};

/// Days that a log is kept.
const DAYS_MAX: u64 = 30;
/// Bytes of all logs together; the oldest go first.
const BYTES_MAX: u64 = 1 << 30;
/// A log written to within this time may still be open; it is left alone.
const OPEN_FOR: Duration = Duration::from_secs(60 * 60);

/// What is kept of the logs in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Older ones are removed.
    pub age_max: Duration,
    /// All together; the oldest are removed first. Logs of the last hour are never removed.
    pub bytes_max: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            age_max: Duration::from_secs(DAYS_MAX * 24 * 60 * 60),
            bytes_max: BYTES_MAX,
        }
    }
}

struct Kept {
    path: PathBuf,
    age: Duration,
    bytes: u64,
}

/// Removes logs that are too old or too many. Files of other kinds are left alone.
pub(super) fn tidy(folder: &Path, retention: Retention, now: SystemTime) -> io::Result<()> {
    let mut logs = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        let about = entry.metadata()?;
        // A time to come (the clock was set back) counts as now.
        let age = now.duration_since(about.modified()?).unwrap_or_default();
        let ends_in = |ending| about.is_file() && path.extension().is_some_and(|its| its == ending);
        if ends_in(PACKING_ENDING) && age > OPEN_FOR {
            std::fs::remove_file(&path)?;
        } else if ends_in(FILE_ENDING) {
            let bytes = about.len();
            logs.push(Kept { path, age, bytes });
        }
    }
    logs.sort_by_key(|log| log.age);
    let mut total: u64 = 0;
    for log in logs {
        total = total.saturating_add(log.bytes);
        let gone = log.age > retention.age_max || total > retention.bytes_max;
        if gone && log.age > OPEN_FOR {
            std::fs::remove_file(&log.path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::File;

    use super::*;

    const HOUR: Duration = Duration::from_secs(3_600);

    fn folder_of(logs: &[(&str, u32, usize)], now: SystemTime) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, hours, bytes) in logs {
            let path = folder.path().join(name);
            std::fs::write(&path, vec![0; *bytes]).unwrap();
            let file = File::options().write(true).open(&path).unwrap();
            file.set_modified(now - HOUR * *hours).unwrap();
        }
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn old_logs_go_and_nothing_else() {
        let now = SystemTime::now();
        let logs = [
            ("a.alog", 200, 9),
            ("b.alog", 90, 9),
            ("calls.jsonl", 999, 9),
            ("c.packing", 2, 9),
            ("d.packing", 0, 9),
        ];
        let folder = folder_of(&logs, now);
        let age_max = HOUR * 100;
        let bytes_max = 1_000;
        tidy(folder.path(), Retention { age_max, bytes_max }, now).unwrap();
        assert_eq!(names(folder.path()), ["b.alog", "calls.jsonl", "d.packing"]);
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many_but_none_that_may_be_open() {
        let now = SystemTime::now();
        let logs = [
            ("a.alog", 0, 60),
            ("b.alog", 2, 30),
            ("c.alog", 3, 30),
            ("d.alog", 4, 30),
        ];
        let folder = folder_of(&logs, now);
        let age_max = HOUR * 100;
        tidy(
            folder.path(),
            Retention {
                age_max,
                bytes_max: 100,
            },
            now,
        )
        .unwrap();
        assert_eq!(names(folder.path()), ["a.alog", "b.alog"]);
        tidy(
            folder.path(),
            Retention {
                age_max,
                bytes_max: 1,
            },
            now,
        )
        .unwrap();
        assert_eq!(names(folder.path()), ["a.alog"]);
    }
}
