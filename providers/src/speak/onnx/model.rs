//! A model in memory.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use ort::environment::Environment;
use ort::session::{Session, SessionInputValue};
use ort::value::Tensor;

use super::audio::{Shaped, shape};
use super::error::OnnxError;
use super::phonemes::Unit;
use super::voices::{Kind, VoiceFiles};
use super::{kokoro, npz};

/// Most samples of one unit, at any rate: a minute at 48 kHz. More is a model gone wrong.
const SAMPLES_MAX: usize = 60 * 48_000;

/// A model, its session and its settings.
pub(super) struct Model {
    path: PathBuf,
    kind: Kind,
    rate_hz: u32,
    /// A session runs one synthesis at a time.
    session: Mutex<Session>,
}

/// What a model makes of a unit.
struct Raw {
    samples: Vec<f32>,
    /// How long each symbol lasts, in any unit; empty where the model does not tell.
    durations: Vec<f32>,
}

impl Model {
    /// Reads a model's file. Blocks for a second or so.
    pub(super) fn load(
        environment: &Environment,
        files: &VoiceFiles,
        threads: usize,
    ) -> Result<Self, OnnxError> {
        let fail = |error: &dyn std::fmt::Display| OnnxError::file(&files.model, error);
        let mut builder = Session::builder(environment)?
            .with_intra_threads(threads)
            .map_err(|error| fail(&error))?;
        let session = builder
            .commit_from_file(&files.model)
            .map_err(|error| fail(&error))?;
        Ok(Self {
            path: files.model.clone(),
            kind: files.kind.clone(),
            rate_hz: files.rate_hz,
            session: Mutex::new(session),
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Speaks a unit. Blocks for a tenth of its length or so.
    pub(super) fn speak(&self, unit: &Unit, voice: &str, pace: f32) -> Result<Shaped, OnnxError> {
        let (ids, ends, raw) = match &self.kind {
            Kind::Piper(settings) => {
                let (ids, ends) = settings.ids(&unit.symbols);
                let scales = vec![settings.noise, settings.length / pace, settings.noise_w];
                let length = ids.len() as i64;
                let mut inputs = vec![
                    tensor("input", vec![1, ids.len()], ids.clone())?,
                    tensor("input_lengths", vec![1], vec![length])?,
                    tensor("scales", vec![3], scales)?,
                ];
                if settings.speakers > 1 {
                    inputs.push(tensor("sid", vec![1], vec![0_i64])?);
                }
                (ids, ends, self.run(inputs)?)
            }
            Kind::Kokoro { styles } => {
                let (ids, ends) = kokoro::ids(&unit.symbols);
                let style = style(styles, voice, ids.len().saturating_sub(2))?;
                let tokens = self.input_named(&["tokens", "input_ids"])?;
                let inputs = vec![
                    tensor(&tokens, vec![1, ids.len()], ids.clone())?,
                    tensor("style", vec![1, style.len()], style)?,
                    tensor("speed", vec![1], vec![pace])?,
                ];
                (ids, ends, self.run(inputs)?)
            }
        };
        let word_ends = unit.word_ends.iter().map(|&(symbols, spoken_end)| {
            let before = symbols.checked_sub(1).and_then(|last| ends.get(last));
            (before.copied().unwrap_or(0), spoken_end)
        });
        let word_ends: Vec<(usize, usize)> = word_ends.collect();
        Ok(shape(
            &raw.samples,
            &raw.durations,
            ids.len(),
            &word_ends,
            self.rate_hz,
        ))
    }

    fn input_named(&self, names: &[&str]) -> Result<String, OnnxError> {
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let known = session.inputs().iter().map(|input| input.name());
        let found = known
            .into_iter()
            .find(|name| names.contains(name))
            .map(str::to_owned);
        found.ok_or_else(|| {
            OnnxError::file(
                &self.path,
                format!("it has no input {}", names.join(" or ")),
            )
        })
    }

    fn run(&self, inputs: Vec<(String, SessionInputValue<'static>)>) -> Result<Raw, OnnxError> {
        let mut session = self.session.lock().unwrap_or_else(PoisonError::into_inner);
        let outputs = session.run(inputs)?;
        let mut raw = Raw {
            samples: Vec::new(),
            durations: Vec::new(),
        };
        for (nth, (name, value)) in outputs.iter().enumerate() {
            if nth == 0 {
                let (_, samples) = value.try_extract_tensor::<f32>()?;
                raw.samples = samples.iter().copied().take(SAMPLES_MAX).collect();
            } else if name.contains("dur") || name == "w" || name == "w_ceil" {
                raw.durations = match value.try_extract_tensor::<f32>() {
                    Ok((_, durations)) => durations.to_vec(),
                    Err(_) => value
                        .try_extract_tensor::<i64>()
                        .map(|(_, durations)| durations.iter().map(|&d| d as f32).collect())
                        .unwrap_or_default(),
                };
            }
        }
        Ok(raw)
    }
}

fn tensor<T>(
    name: &str,
    shape: Vec<usize>,
    data: Vec<T>,
) -> Result<(String, SessionInputValue<'static>), OnnxError>
where
    T: ort::value::PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static,
{
    let tensor = Tensor::from_array((shape, data))?;
    Ok((name.to_owned(), tensor.into()))
}

/// The style of a voice for that many symbols.
fn style(styles: &Path, voice: &str, symbols: usize) -> Result<Vec<f32>, OnnxError> {
    let rows = npz::array(styles, voice, kokoro::STYLE_NUMBERS)
        .map_err(|error| OnnxError::file(styles, error))?;
    let count = rows.len() / kokoro::STYLE_NUMBERS;
    let row = symbols.clamp(1, count) - 1;
    let from = row * kokoro::STYLE_NUMBERS;
    Ok(rows[from..from + kokoro::STYLE_NUMBERS].to_vec())
}
