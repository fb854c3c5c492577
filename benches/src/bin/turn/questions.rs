//! What is asked.

use std::path::{Path, PathBuf};

use antiphon_agents::Agent;
use antiphon_audio::CALLER_RATE_HZ;
use antiphon_audio::file::read_audio_file;
use antiphon_audio::resample::resample_all;
use antiphon_benches::clip::{Clip, spoken};
use antiphon_providers::speak::flite::Flite;

/// Voices that ask: a woman and a Scotsman; the agent's own is another.
const VOICES: [&str; 2] = ["slt", "awb"];
/// Recorded questions of the test material, and how long they may be.
const RECORDED: &str = "A_stt/google-samples";
const RECORDED_SECONDS_MAX: usize = 6;

/// The agent's own suggestions spoken by embedded voices, then recorded speech. Only what the
/// detector hears as one stretch: a pause within would be answered before the question is over.
pub(crate) async fn questions(agent: &Agent) -> Result<Vec<Clip>, String> {
    let flite = Flite::new();
    let mut clips = Vec::new();
    for question in &agent.suggestions {
        for voice in VOICES {
            let pcm = spoken(&flite, voice, question).await?;
            keep(&mut clips, &pcm)?;
        }
    }
    let made = clips.len();
    let folder = material().join(RECORDED);
    if folder.is_dir() {
        for pcm in recorded(&folder)? {
            keep(&mut clips, &pcm)?;
        }
    } else {
        println!(
            "SKIPPED: recorded questions: there is no {}",
            folder.display()
        );
    }
    eprintln!(
        "{made} spoken and {} recorded questions",
        clips.len() - made
    );
    Ok(alternating(clips, made))
}

fn keep(clips: &mut Vec<Clip>, pcm: &[i16]) -> Result<(), String> {
    let clip = Clip::new(pcm).map_err(|error| error.to_string())?;
    if clip.stretches == 1 {
        clips.push(clip);
    }
    Ok(())
}

/// Spoken and recorded by turns, so that any number of turns has both.
fn alternating(mut clips: Vec<Clip>, made: usize) -> Vec<Clip> {
    let mut recorded = clips.split_off(made).into_iter();
    let mut mixed = Vec::new();
    for clip in clips {
        mixed.push(clip);
        mixed.extend(recorded.next());
    }
    mixed.extend(recorded);
    mixed
}

fn material() -> PathBuf {
    std::env::var_os("ANTIPHON_MATERIAL").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/material"),
        PathBuf::from,
    )
}

fn recorded(folder: &Path) -> Result<Vec<Vec<i16>>, String> {
    let fault = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .map_err(fault)?
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension()
                .is_some_and(|ending| ending == "wav" || ending == "flac")
        })
        .collect();
    files.sort();
    let mut found = Vec::new();
    for file in files {
        let name = file.display();
        let bytes = std::fs::read(&file).map_err(|error| format!("{name}: {error}"))?;
        let clip = read_audio_file(&bytes).map_err(|error| format!("{name}: {error}"))?;
        let pcm = resample_all(&clip.pcm, clip.rate_hz, CALLER_RATE_HZ)
            .map_err(|error| format!("{name}: {error}"))?;
        if pcm.len() <= RECORDED_SECONDS_MAX * CALLER_RATE_HZ as usize {
            found.push(pcm);
        }
    }
    Ok(found)
}
