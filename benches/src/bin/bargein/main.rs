//! Measures how sound over the agent's speech is judged, and trains the model that judges it.
//!
//! `cargo run --release -p antiphon-benches --bin bargein -- [--write]` measures and prints;
//! `--write` puts the tables into `docs/bargein.md`. `bargein train` makes the weights anew,
//! `bargein folds` measures every set with a model that was trained without it.

mod gru;
mod material;
mod mix;
mod random;
mod score;
mod synth;
mod train;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let material = std::env::var_os("ANTIPHON_MATERIAL")
        .map_or_else(|| root.join("../shared/material"), PathBuf::from);
    if !material.join("files.tsv").exists() {
        println!("SKIPPED: no recordings in {}", material.display());
        return ExitCode::SUCCESS;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.first().map(String::as_str) {
        Some("train") => trained(&root, &material),
        _ => quick(&material),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("bargein: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn trained(root: &Path, material: &Path) -> Result<(), String> {
    let sounds = train::sounds(material)?;
    let mut sets: std::collections::BTreeMap<(String, usize), usize> = Default::default();
    sounds.iter().for_each(|s| *sets.entry((s.set.clone(), s.kind)).or_default() += 1);
    eprintln!("{sets:?}");
    let weights = train::train(material, &sounds, |_| true, None)?;
    let bytes: Vec<u8> = weights.iter().flat_map(|w| w.to_le_bytes()).collect();
    let path = root.join("audio/src/overlap/weights.bin");
    std::fs::write(&path, bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn quick(material: &Path) -> Result<(), String> {
    use score::*;
    let file = std::env::var("W").ok();
    let weights = file.map(|f| std::fs::read(f).unwrap().chunks_exact(4).map(|b| f32::from_le_bytes([b[0],b[1],b[2],b[3]])).collect());
    let trial = Trial { settings: Default::default(), weights };
    let mut groups: Vec<(String, Vec<material::Sound>)> = vec![];
    for set in ["A_stt/short-keywords", "A_stt/coffee-commands"] {
        groups.push((set.into(), material::speech(material, &[set])?));
    }
    let mfa = material::disfluencies(material)?;
    for kind in 0..3 { groups.push((format!("mfa {kind}"), mfa.iter().filter(|s| s.kind==kind).cloned().collect())); }
    let held = synth::spoken(false)?;
    for kind in 0..2 { groups.push((format!("held voices {kind}"), held.iter().filter(|s| s.kind==kind).cloned().collect())); }
    let mut e = vec![];
    for n in ["backchannel_real_1","backchannel_real_2"] { e.push(material::Sound{pcm: material::read(&material.join(format!("B_turns/easy-turn/{n}.wav")))?, kind:1,set:"easy".into(),name:n.into()}); }
    groups.push(("easy-turn bc".into(), e));
    let mut noises = vec![];
    for f in material::NOISE_REPORTED.iter().chain(&material::HORNS) { noises.extend(material::pieces("noise", f, &material::read(&material.join(f))?)); }
    groups.push(("noise".into(), noises));
    groups.push(("ami (train)".into(), material::meeting_backchannels(material)?));
    let call = material::call(material)?;
    for kind in 0..2 { groups.push((format!("aws {kind} (train)"), call.iter().filter(|s| s.kind==kind).cloned().collect())); }
    let made = synth::made(15, 99);
    let mut names: Vec<String> = made.iter().map(|s| s.set.clone()).collect(); names.dedup();
    for n in names { groups.push((n.clone(), made.iter().filter(|s| s.set==n).cloned().collect())); }
    for (name, sounds) in &groups {
        let mut ducks=vec![]; let mut stops=vec![]; let mut stopped_names=vec![];
        for s in sounds {
            let o = trial.hear(s, &[0.0;160], 200.0);
            if let Some(d)=o.duck_ms { ducks.push(d) }
            if let Some(d)=o.stop_ms { stops.push(d); } 
            if o.stop_ms.is_some() != (s.kind==0) { stopped_names.push(s.name.clone()); }
        }
        let n=sounds.len();
        println!("{name:30} n {n:4} ducked {:4} p50 {:5.0} p95 {:5.0} max {:5.0} | stop {:5.1} % p50 {:5.0} p95 {:5.0}", ducks.len(), quantile(&mut ducks,0.5), quantile(&mut ducks,0.95), quantile(&mut ducks,1.0), 100.0*stops.len() as f32/n as f32, quantile(&mut stops,0.5), quantile(&mut stops,0.95));
        if std::env::var("V").is_ok() && n<80 { println!("     wrong: {stopped_names:?}"); }
    }
    Ok(())
}
