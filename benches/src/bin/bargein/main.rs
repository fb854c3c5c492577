//! Measures how sound over the agent's speech is judged, and trains the model that judges it.
//!
//! `cargo run --release -p antiphon-benches --bin bargein -- [--write]` measures and prints; `--write`
//! puts the tables into `docs/bargein.md`. `... -- train [NAME ...]` makes weights anew: `shipped`
//! and the two that are only measured with, all three where none is named. `--short` leaves the
//! echo out.

mod echo;
mod grains;
mod gru;
mod made;
mod material;
mod mix;
mod random;
mod score;
mod spoken;
mod table;
mod train;
mod trial;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use antiphon_audio::overlap::OverlapSettings;

use material::{BACKCHANNEL, COMMAND, NOISE};
use score::Trial;
use trial::{LEFT_OUT, Row};

/// Weights by name, where they lie, and which sets they must not have seen.
const WEIGHTS: [(&str, &str); 3] = [
    ("shipped", "audio/src/overlap/weights.bin"),
    ("without-mfa", "benches/src/bin/bargein/without-mfa.bin"),
    ("without-sets", "benches/src/bin/bargein/without-sets.bin"),
];

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let material = std::env::var_os("ANTIPHON_MATERIAL")
        .map_or_else(|| root.join("../shared/material"), PathBuf::from);
    if !material.join("files.tsv").exists() {
        println!("SKIPPED: no recordings in {}", material.display());
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first() {
        Some((first, names)) if first == "train" => train_all(&root, &material, names),
        _ => measure(&root, &material, &arguments),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("bargein: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn train_all(root: &Path, material: &Path, names: &[String]) -> Result<(), String> {
    let sounds = train::sounds(material)?;
    let events = train::material_events(material, &sounds)?;
    for (name, path) in WEIGHTS {
        if !names.is_empty() && !names.iter().any(|wanted| wanted == name) {
            continue;
        }
        eprintln!("{name}");
        let weights = train::train(&events, &sounds, |sound| match name {
            "without-mfa" => !sound.set.starts_with("mfa:"),
            "without-sets" => !LEFT_OUT.contains(&sound.set.as_str()),
            _ => true,
        });
        let bytes: Vec<u8> = weights.iter().flat_map(|w| w.to_le_bytes()).collect();
        let path = root.join(path);
        fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// The judge with the weights of that name.
fn trial(root: &Path, name: &str) -> Result<Trial, String> {
    let path = WEIGHTS
        .iter()
        .find(|(other, _)| *other == name)
        .map_or("", |(_, path)| path);
    let path = root.join(path);
    let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let weights = bytes
        .chunks_exact(4)
        .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
        .collect();
    Ok(Trial {
        settings: OverlapSettings::NORMAL,
        weights: Some(weights),
    })
}

fn rows(trial: &Trial, groups: &[trial::Group], bed: &[f32], below_db: f32) -> Vec<Row> {
    groups
        .iter()
        .map(|group| trial::row(trial, group, bed, below_db))
        .collect()
}

fn measure(root: &Path, material: &Path, options: &[String]) -> Result<(), String> {
    const SILENCE: [f32; 1] = [0.0];
    let (shipped, no_mfa) = (trial(root, "shipped")?, trial(root, "without-mfa")?);
    let unseen = trial::unseen(material)?;
    let mfa = trial::disfluencies(material)?;
    let bed = material::read(&material.join("C_noise/picovoice-koala/koala_noise.wav"))?;

    let mut quiet = rows(&shipped, &unseen, &SILENCE, 200.0);
    let mut noisy = rows(&shipped, &unseen, &bed, 15.0);
    let of_mfa = rows(&no_mfa, &mfa, &SILENCE, 200.0);
    let of_mfa_noisy = rows(&no_mfa, &mfa, &bed, 15.0);
    let folds = rows(
        &trial(root, "without-sets")?,
        &trial::left_out(material)?,
        &SILENCE,
        200.0,
    );
    let trained = rows(&shipped, &mfa, &SILENCE, 200.0);
    for (rows, more) in [(&mut quiet, of_mfa), (&mut noisy, of_mfa_noisy)] {
        rows.extend(more);
        let totals = [
            trial::together("all commands", rows, &[COMMAND]),
            trial::together("all backchannels", rows, &[BACKCHANNEL]),
            trial::together("all noises", rows, &[NOISE]),
        ];
        rows.extend(totals);
    }
    let mut out = table::sounds("Sounds never trained with, over a silent line", &quiet);
    out += &table::sounds("The same over noise 15 dB below them", &noisy);
    out += &table::sounds(
        "Training sets, with weights trained without these four",
        &folds,
    );
    out += &table::sounds(
        "mfa-disfluency with the shipped weights, which know it",
        &trained,
    );
    out += &modes(&shipped, &no_mfa, &unseen, &mfa);
    out += &table::steady(&trial::steady(&shipped, material)?);
    for row in quiet.iter().filter(|row| !row.name.starts_with("all")) {
        eprintln!("misjudged of {}: {}", row.name, row.wrong.join(", "));
    }
    let has = |option: &str| options.iter().any(|other| other == option);
    if !has("--short") {
        out += &echoes(&shipped, material)?;
    }
    println!("{out}");
    if has("--write") {
        table::write(&root.join("docs/bargein.md"), &out)?;
    }
    Ok(())
}

/// The same sounds with each of the settings.
fn modes(shipped: &Trial, no_mfa: &Trial, unseen: &[trial::Group], mfa: &[trial::Group]) -> String {
    let mut all = Vec::new();
    for (name, settings) in [
        ("polite", OverlapSettings::POLITE),
        ("normal", OverlapSettings::NORMAL),
        ("eager", OverlapSettings::EAGER),
    ] {
        let of = |trial: &Trial| Trial {
            settings,
            weights: trial.weights.clone(),
        };
        let mut found = rows(&of(shipped), unseen, &[0.0], 200.0);
        found.extend(rows(&of(no_mfa), mfa, &[0.0], 200.0));
        all.push(trial::together(
            &format!("{name}: commands"),
            &found,
            &[COMMAND],
        ));
        all.push(trial::together(
            &format!("{name}: backchannels"),
            &found,
            &[BACKCHANNEL],
        ));
        all.push(trial::together(
            &format!("{name}: noises"),
            &found,
            &[NOISE],
        ));
    }
    table::sounds("The same by mode", &all)
}

fn echoes(shipped: &Trial, material: &Path) -> Result<String, String> {
    let commands = material::speech(material, &["A_stt/short-keywords", "A_stt/coffee-commands"])?;
    let calls = echo::calls(material, echo::ECHO_DB)?;
    let devices = echo::devices(material)?;
    let over = |calls: &[echo::Call], commands: &[material::Sound]| -> Vec<echo::EchoRow> {
        echo::GUARDS
            .into_iter()
            .map(|guard| echo::row(shipped, guard, calls, commands))
            .collect()
    };
    let mut out = table::echoes(
        "The agent's echo at -10 dB, no other canceller",
        &over(&calls, &commands),
    );
    out += &table::echoes(
        "Recordings of two real devices, nobody speaking",
        &over(&devices, &[]),
    );
    Ok(out)
}
