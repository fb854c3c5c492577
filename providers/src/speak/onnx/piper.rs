//! Piper's settings, and its symbols as numbers.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::error::OnnxError;

/// Largest settings file, in bytes.
const SETTINGS_BYTES_MAX: u64 = 1 << 20;

/// What stands in `X.onnx.json`.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    pub(super) rate_hz: u32,
    pub(super) espeak_voice: String,
    pub(super) noise: f32,
    pub(super) length: f32,
    pub(super) noise_w: f32,
    /// More than one for a model of many people; the first speaks.
    pub(super) speakers: u32,
    ids: BTreeMap<String, Vec<i64>>,
}

#[derive(Deserialize)]
struct File {
    audio: Audio,
    espeak: Espeak,
    #[serde(default)]
    inference: Inference,
    #[serde(default)]
    num_speakers: u32,
    phoneme_id_map: BTreeMap<String, Vec<i64>>,
}

#[derive(Deserialize)]
struct Audio {
    sample_rate: u32,
}

#[derive(Deserialize)]
struct Espeak {
    voice: String,
}

#[derive(Deserialize)]
#[serde(default)]
struct Inference {
    noise_scale: f32,
    length_scale: f32,
    noise_w: f32,
}

impl Default for Inference {
    /// Piper's own.
    fn default() -> Self {
        Self {
            noise_scale: 0.667,
            length_scale: 1.0,
            noise_w: 0.8,
        }
    }
}

impl Settings {
    /// Reads a settings file.
    pub(super) fn read(path: &Path) -> Result<Self, OnnxError> {
        let fail = |reason: String| OnnxError::file(path, reason);
        let size = std::fs::metadata(path)
            .map_err(|error| fail(error.to_string()))?
            .len();
        if size > SETTINGS_BYTES_MAX {
            return Err(fail(format!("{size} bytes are too many")));
        }
        let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
        let file: File = serde_json::from_str(&text).map_err(|error| fail(error.to_string()))?;
        if !(8_000..=48_000).contains(&file.audio.sample_rate) {
            return Err(fail(format!("a rate of {} Hz", file.audio.sample_rate)));
        }
        Ok(Self {
            rate_hz: file.audio.sample_rate,
            espeak_voice: file.espeak.voice,
            noise: file.inference.noise_scale,
            length: file.inference.length_scale,
            noise_w: file.inference.noise_w,
            speakers: file.num_speakers,
            ids: file.phoneme_id_map,
        })
    }

    /// The symbols as the model knows them: begin, a pad behind each, end. With each, how many
    /// numbers there are up to its end. What the model does not know is left out.
    pub(super) fn ids(&self, symbols: &[char]) -> (Vec<i64>, Vec<usize>) {
        let of = |symbol: &str| self.ids.get(symbol).map_or(&[][..], Vec::as_slice);
        let mut ids = [of("^"), of("_")].concat();
        let mut ends = Vec::with_capacity(symbols.len());
        let mut buffer = [0; 4];
        for symbol in symbols {
            let known = of(symbol.encode_utf8(&mut buffer));
            if !known.is_empty() {
                ids.extend_from_slice(known);
                ids.extend_from_slice(of("_"));
            }
            ends.push(ids.len());
        }
        ids.extend_from_slice(of("$"));
        (ids, ends)
    }
}
