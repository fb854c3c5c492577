//! False cutoffs against delay: a fixed silence and the engine's endpointing, on the recordings in
//! `ANTIPHON_MATERIAL` (or `../shared/material`).
//!
//! `cargo run --release -p antiphon-benches --bin endpointing -- [--write] [--train] [--pauses]`
//!
//! Prints the tables; `--write` puts them into `docs/endpointing.md` and the curve beside them,
//! `--train` trains the weights anew first and writes them into the engine (build again to measure
//! them), `--pauses` prints every pause of what is reported with its decision.

mod cost;
mod curve;
mod heard;
mod labels;
mod listen;
mod material;
mod pauses;
mod svg;
mod table;
mod train;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use antiphon_engine::{FEATURE_NAMES, Model, TAIL_NAMES, decide};
use sha2::{Digest, Sha256};

use material::{Clip, REPORTED_ON, TRAINED_ON};
use pauses::{Pause, Words};

/// A model for each reported set, trained on all sets but that one.
pub(crate) struct Folds(Vec<(&'static str, Model)>);

impl Folds {
    /// The model that never saw `set`.
    pub(crate) fn without(&self, set: &str) -> &Model {
        let fold = self.0.iter().find(|(left_out, _)| *left_out == set);
        &fold.expect("invariant: each reported set has a fold").1
    }
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let material = std::env::var_os("ANTIPHON_MATERIAL")
        .map_or_else(|| root.join("../shared/material"), PathBuf::from);
    if !material.join("files.tsv").exists() {
        println!("SKIPPED: no recordings in {}", material.display());
        return ExitCode::SUCCESS;
    }
    match run(&root, &material, &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("endpointing: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(root: &Path, material: &Path, arguments: &[String]) -> Result<(), String> {
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    let (training_clips, reported_clips) =
        (read(material, &TRAINED_ON)?, read(material, &REPORTED_ON)?);
    let all: Vec<&Clip> = training_clips.iter().chain(&reported_clips).collect();
    let heard = heard::heard(&all)?;
    let training = pauses::pauses(&training_clips, &heard);
    let reported = pauses::pauses(&reported_clips, &heard);
    let (training, reported): (Vec<&Pause>, Vec<&Pause>) =
        (training.iter().collect(), reported.iter().collect());
    if has("--train") {
        let model = train::train(material, &training)?;
        describe(&model);
        write_model(root, material, &model, &training_clips)?;
    }
    if has("--pauses") {
        print_pauses(&reported);
    }
    let mut folds = Folds(Vec::new());
    for set in REPORTED_ON {
        let others: Vec<&Pause> = training
            .iter()
            .chain(&reported)
            .copied()
            .filter(|pause| pause.set != set)
            .collect();
        let model = train::train(material, &others)?;
        if has("--train") {
            println!("without {set}: {:?}", model.policy);
        }
        folds.0.push((set, model));
    }
    let mut tables = table::tables(&reported, &training, &folds);
    tables += "\n";
    tables += &cost::costs(&reported_clips, &reported);
    println!("{tables}");
    if has("--write") {
        table::write(&root.join("docs/endpointing.md"), &tables)?;
        let image = root.join("docs/images/endpointing.svg");
        fs::write(&image, svg::svg(&table::rows(&reported, &folds)))
            .map_err(|error| format!("{}: {error}", image.display()))?;
    }
    Ok(())
}

fn read(material: &Path, sets: &[&'static str]) -> Result<Vec<Clip>, String> {
    let mut all = Vec::new();
    for set in sets {
        all.extend(material::clips(material, set)?);
    }
    Ok(all)
}

fn describe(model: &Model) {
    println!("bias {:+.3}", model.bias);
    for (name, weight) in FEATURE_NAMES.iter().zip(model.features) {
        println!("{name}: {weight:+.3}");
    }
    for (name, log_odds) in TAIL_NAMES.iter().zip(model.tails) {
        println!("text ends in {name}: {log_odds:+.2}");
    }
    println!("{:?}", model.policy);
}

/// Writes the weights and the list of what they were trained on.
fn write_model(root: &Path, material: &Path, model: &Model, clips: &[Clip]) -> Result<(), String> {
    let mut list = String::from("sha256\tpath\n");
    let paths = clips.iter().map(|clip| clip.path.as_str());
    for path in paths.chain([train::REQUESTS]) {
        let bytes = fs::read(material.join(path)).map_err(|error| format!("{path}: {error}"))?;
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        list += &format!("{digest}\t{path}\n");
    }
    let write = |path: &str, text: &str| {
        fs::write(root.join(path), text).map_err(|error| format!("{path}: {error}"))
    };
    write("benches/src/bin/endpointing/trained_on.tsv", &list)?;
    write("engine/src/endpointing/weights.rs", &train::source(model))
}

fn print_pauses(pauses: &[&Pause]) {
    for pause in pauses {
        let decision = decide(&pause.evidence(Words::Heard), 300, curve::WAIT_MS_MAX);
        println!(
            "{} {:?} {} permille, {} ms: {} | {}",
            pause.set,
            pause.truth,
            decision.probability_permille,
            decision.wait_ms,
            decision.reason,
            pause.heard
        );
    }
}
