//! The recordings and what is said in them, from `files.tsv`.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use antiphon_audio::file::read_audio_file;
use antiphon_audio::resample::resample_all;
use antiphon_providers::hear::HEAR_RATE_HZ;

/// One recording.
pub(crate) struct Recording {
    /// File name.
    pub(crate) name: String,
    /// Who speaks, where that is known.
    pub(crate) speaker: String,
    /// What is said, as written.
    pub(crate) transcript: String,
    /// What a person wrote about it; slots for `coffee-commands`.
    pub(crate) note: String,
    /// 16 kHz mono.
    pub(crate) pcm: Vec<i16>,
}

/// The recordings of `set` in WAV or FLAC.
pub(crate) fn recordings(material: &Path, set: &str) -> Result<Vec<Recording>, String> {
    let text = fs::read_to_string(material.join("files.tsv"))
        .map_err(|error| format!("files.tsv: {error}"))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let mut found = Vec::new();
    for line in lines {
        let fields: HashMap<&str, String> = header
            .iter()
            .copied()
            .zip(line.split('\t').map(unquoted))
            .collect();
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let path = field("path");
        if field("cat") != "A_stt"
            || field("set") != set
            || !(path.ends_with(".wav") || path.ends_with(".flac"))
        {
            continue;
        }
        let bytes = fs::read(material.join(&path)).map_err(|error| format!("{path}: {error}"))?;
        let clip = read_audio_file(&bytes).map_err(|error| format!("{path}: {error}"))?;
        let pcm = resample_all(&clip.pcm, clip.rate_hz, HEAR_RATE_HZ)
            .map_err(|error| format!("{path}: {error}"))?;
        found.push(Recording {
            name: path.rsplit('/').next().unwrap_or_default().to_owned(),
            speaker: field("speaker"),
            transcript: field("transcript"),
            note: field("note"),
            pcm,
        });
    }
    Ok(found)
}

fn unquoted(field: &str) -> String {
    match field
        .strip_prefix('"')
        .and_then(|inner| inner.strip_suffix('"'))
    {
        Some(inner) => inner.replace("\"\"", "\""),
        None => field.to_owned(),
    }
}
