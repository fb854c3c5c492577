//! Measures the recognizer on the recordings in `ANTIPHON_MATERIAL` (or `../shared/material`).
//!
//! `cargo run --release -p antiphon-benches --bin hear-quality -- [--write] [--words] [SET ...]`
//!
//! Prints one row for each set; `--write` puts the table into `docs/quality.md`, `--words` prints
//! what was misheard, names choose rows by a part of their name.

mod material;
mod phrases;
mod scoring;
mod sets;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use antiphon_providers::hear::pocketsphinx::{PocketSphinx, PocketSphinxConfig};

use sets::{Row, rows};

fn main() -> ExitCode {
    let mut write = false;
    let mut words = false;
    let mut chosen = Vec::new();
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--write" => write = true,
            "--words" => words = true,
            _ => chosen.push(argument),
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let material = std::env::var_os("ANTIPHON_MATERIAL")
        .map_or_else(|| root.join("../shared/material"), PathBuf::from);
    match measure(&material, &chosen, words) {
        Ok(rows) => {
            let table = table::table(&rows);
            println!("{table}");
            if !write {
                return ExitCode::SUCCESS;
            }
            match table::write(&root.join("docs/quality.md"), &table) {
                Ok(()) => ExitCode::SUCCESS,
                Err(reason) => failed(&reason),
            }
        }
        Err(reason) => failed(&reason),
    }
}

fn failed(reason: &str) -> ExitCode {
    eprintln!("hear-quality: {reason}");
    ExitCode::FAILURE
}

/// Measures the chosen rows (all where none is), as many at once as there are cores.
fn measure(material: &Path, chosen: &[String], words: bool) -> Result<Vec<Row>, String> {
    if !material.join("files.tsv").exists() {
        return Err(format!("SKIPPED: no recordings in {}", material.display()));
    }
    let recognizer =
        PocketSphinx::new(PocketSphinxConfig::default()).map_err(|error| error.to_string())?;
    let wanted: Vec<sets::Set> = sets::sets(material)?
        .into_iter()
        .filter(|set| {
            chosen.is_empty() || chosen.iter().any(|name| set.name.contains(name.as_str()))
        })
        .collect();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(set) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let row = rows(&recognizer, set, words);
                    done.lock()
                        .expect("invariant: no measuring thread panics with the lock")
                        .push(row);
                }
            });
        }
    });
    let mut rows = done
        .into_inner()
        .map_err(|_| "a measuring thread panicked".to_owned())?
        .into_iter()
        .collect::<Result<Vec<Row>, String>>()?;
    rows.sort_by_key(|row| wanted.iter().position(|set| set.name == row.name));
    Ok(rows)
}
