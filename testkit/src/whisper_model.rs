//! A Whisper model that says what it is told, whatever it hears: all its weights are zero but
//! those that lead from a position in the text to the token that comes there.
//!
//! With zero weights in every layer the decoder sees the embedding of the position alone. It is
//! one number, in the position's own dimension, and so is the embedding of the token that is to
//! follow. What it costs to run is what a trained model of the same dimensions costs.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use antiphon_providers::hear::ggml::{Dimensions, MAGIC, MEL_FREQUENCIES, Stored, tensors};

/// Token of the end, in English models.
const END: u32 = 50_256;
/// Token of no speech.
const NO_SPEECH: u32 = 50_361;
/// Token of the time zero; 20 ms each from there.
const TIME_ZERO: u32 = 50_363;

/// The number in the embedding of a position.
const POSITION: f32 = 8.0;
/// Scale of the last layer, which makes the choice certain.
const CERTAINTY: f32 = 64.0;
/// 0.125 and 0.0625 as 16 bit floats: what comes at a position, and what comes where that is
/// forbidden.
const FIRST: u16 = 0x3000;
const SECOND: u16 = 0x2c00;

/// A model to write.
#[derive(Clone, Debug)]
pub struct WhisperModel {
    dimensions: Dimensions,
    tokens: Vec<String>,
    end_ms: u32,
    no_speech: bool,
}

impl WhisperModel {
    /// A model of 32 dimensions and one layer, some 4 MB, that says `tokens` (` hel`, `lo`); at
    /// most 29.
    pub fn small(tokens: &[&str]) -> Self {
        Self::new(Dimensions::english(32, 1, 1), tokens)
    }

    /// A model of any English dimensions.
    pub fn new(dimensions: Dimensions, tokens: &[&str]) -> Self {
        Self {
            dimensions,
            tokens: tokens.iter().map(ToString::to_string).collect(),
            end_ms: 1_000,
            no_speech: false,
        }
    }

    /// The words end at so many milliseconds; at one second where this is not called.
    #[must_use]
    pub fn ending_at(mut self, end_ms: u32) -> Self {
        self.end_ms = end_ms;
        self
    }

    /// The model is certain that there is no speech.
    #[must_use]
    pub fn without_speech(mut self) -> Self {
        self.no_speech = true;
        self
    }

    /// Writes the file.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut file = BufWriter::new(File::create(path)?);
        self.write_head(&mut file)?;
        for tensor in tensors(&self.dimensions) {
            let numbers: u64 = tensor.shape.iter().map(|&n| u64::from(n)).product();
            let kind: u32 = match tensor.stored {
                Stored::F32 => 0,
                Stored::F16 => 1,
                Stored::Blocks(_) => return Err(io::Error::other("quantized models are not made")),
            };
            numbers_to(
                &mut file,
                &[tensor.shape.len() as u32, tensor.name.len() as u32, kind],
            )?;
            numbers_to(&mut file, &tensor.shape)?;
            file.write_all(tensor.name.as_bytes())?;
            match tensor.name.as_str() {
                "decoder.positional_embedding" => self.write_positions(&mut file)?,
                "decoder.token_embedding.weight" => self.write_tokens(&mut file)?,
                "decoder.ln.weight" => {
                    for _ in 0..self.dimensions.text_state {
                        file.write_all(&CERTAINTY.to_le_bytes())?;
                    }
                }
                _ => zeros_to(&mut file, tensor.stored.bytes(numbers).unwrap_or(0))?,
            }
        }
        file.flush()
    }

    fn write_head(&self, file: &mut impl Write) -> io::Result<()> {
        let d = &self.dimensions;
        let head = [
            MAGIC,
            d.vocabulary,
            d.audio_context,
            d.audio_state,
            d.audio_heads,
            d.audio_layers,
            d.text_context,
            d.text_state,
            d.text_heads,
            d.text_layers,
            d.mels,
            d.ftype,
            d.mels,
            MEL_FREQUENCIES,
        ];
        numbers_to(file, &head)?;
        zeros_to(file, u64::from(d.mels * MEL_FREQUENCIES) * 4)?;
        let words = self.vocabulary();
        numbers_to(file, &[words.len() as u32])?;
        for word in words {
            numbers_to(file, &[word.len() as u32])?;
            file.write_all(word.as_bytes())?;
        }
        Ok(())
    }

    /// Its words: the space, which the library wants, and those it says.
    fn vocabulary(&self) -> Vec<&str> {
        let mut words = vec![" "];
        for token in &self.tokens {
            if !words.contains(&token.as_str()) {
                words.push(token);
            }
        }
        words
    }

    /// Row by row, one number each.
    fn write_positions(&self, file: &mut impl Write) -> io::Result<()> {
        let state = self.dimensions.text_state;
        for position in 0..self.dimensions.text_context {
            for n in 0..state {
                let number: f32 = if n == position % state { POSITION } else { 0.0 };
                file.write_all(&number.to_le_bytes())?;
            }
        }
        Ok(())
    }

    fn write_tokens(&self, file: &mut impl Write) -> io::Result<()> {
        let rows = self.rows();
        let state = self.dimensions.text_state as usize;
        let nothing = vec![0; state * 2];
        for token in 0..self.dimensions.vocabulary {
            let Some(row) = rows.get(&token) else {
                file.write_all(&nothing)?;
                continue;
            };
            let mut bytes = nothing.clone();
            for (position, number) in row {
                let at = (position % state) * 2;
                bytes[at..at + 2].copy_from_slice(&number.to_le_bytes());
            }
            file.write_all(&bytes)?;
        }
        Ok(())
    }

    /// What comes after which position: the time zero, the tokens, the time of the end, the end.
    /// Where no times are wanted the text begins at position 1 all the same, behind the token that
    /// says so.
    fn rows(&self) -> HashMap<u32, Vec<(usize, u16)>> {
        let mut rows: HashMap<u32, Vec<(usize, u16)>> = HashMap::new();
        let words = self.vocabulary();
        let mut add = |token: u32, position: usize, number: u16| {
            rows.entry(token).or_default().push((position, number));
        };
        add(TIME_ZERO, 0, FIRST);
        for (at, token) in self.tokens.iter().enumerate() {
            let id = words.iter().position(|word| word == token).unwrap_or(0);
            add(id as u32, at + 1, FIRST);
        }
        let last = self.tokens.len() + 1;
        add(TIME_ZERO + self.end_ms / 20, last, FIRST);
        add(END, last, SECOND);
        add(END, last + 1, FIRST);
        if self.no_speech {
            add(NO_SPEECH, 0, FIRST + 0x400);
        }
        rows
    }
}

fn numbers_to(file: &mut impl Write, numbers: &[u32]) -> io::Result<()> {
    for number in numbers {
        file.write_all(&number.to_le_bytes())?;
    }
    Ok(())
}

fn zeros_to(file: &mut impl Write, bytes: u64) -> io::Result<()> {
    io::copy(&mut io::Read::take(io::repeat(0), bytes), file).map(|_| ())
}
