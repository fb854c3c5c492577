//! The file that whisper.cpp loads: its layout, and a look at it before whisper.cpp gets it.
//!
//! whisper.cpp trusts its files: a length that is cut or garbled makes it ask for gigabytes, and
//! the exception ends the process. So the layout is walked here first, reading the headers only.
//! As in `whisper_model_load` of whisper.cpp 1.8: magic, eleven numbers, mel filters, vocabulary,
//! tensors, little-endian throughout.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

/// `ggml` as a number.
pub const MAGIC: u32 = 0x6767_6d6c;
/// Frequencies of the mel filters: half of a 400-sample window, and one.
pub const MEL_FREQUENCIES: u32 = 201;
/// Vocabulary of the English models; the multilingual ones have one or two more.
pub const VOCABULARY_ENGLISH: u32 = 51_864;

/// Vocabulary of the largest model.
const VOCABULARY_MAX: u32 = 51_866;
/// Longest word of a vocabulary, in bytes.
const WORD_BYTES_MAX: u32 = 1_024;
/// Longest name of a tensor, in bytes.
const NAME_BYTES_MAX: u32 = 128;
/// Types of tensors that the library knows.
const TYPES: u32 = 40;
/// What a version of the quantization adds to `ftype`.
const QUANTIZATION_FACTOR: u32 = 1_000;

/// The dimensions of a model, as they stand in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dimensions {
    /// Tokens.
    pub vocabulary: u32,
    /// Steps of the encoder for 30 s of audio.
    pub audio_context: u32,
    /// Width of the encoder.
    pub audio_state: u32,
    /// Heads of the encoder.
    pub audio_heads: u32,
    /// Layers of the encoder.
    pub audio_layers: u32,
    /// Tokens of a text at most.
    pub text_context: u32,
    /// Width of the decoder, that of the encoder.
    pub text_state: u32,
    /// Heads of the decoder.
    pub text_heads: u32,
    /// Layers of the decoder.
    pub text_layers: u32,
    /// Mel bands.
    pub mels: u32,
    /// How weights are stored: 0 as 32 bit floats, 1 as 16 bit floats, others quantized.
    pub ftype: u32,
}

impl Dimensions {
    /// English-only, weights as 16 bit floats.
    pub const fn english(state: u32, heads: u32, layers: u32) -> Self {
        Self {
            vocabulary: VOCABULARY_ENGLISH,
            audio_context: 1_500,
            audio_state: state,
            audio_heads: heads,
            audio_layers: layers,
            text_context: 448,
            text_state: state,
            text_heads: heads,
            text_layers: layers,
            mels: 80,
            ftype: 1,
        }
    }

    /// Those of whisper-tiny.en.
    pub const TINY_EN: Self = Self::english(384, 6, 4);
    /// Those of whisper-base.en.
    pub const BASE_EN: Self = Self::english(512, 8, 6);

    fn is_sane(&self) -> bool {
        let sizes = (1..=1_500).contains(&self.audio_context)
            && (16..=448).contains(&self.text_context)
            && (1..=1_280).contains(&self.audio_state)
            && self.text_state == self.audio_state;
        let heads = |heads: u32| heads > 0 && self.audio_state.is_multiple_of(heads);
        sizes
            && (VOCABULARY_ENGLISH..=VOCABULARY_MAX).contains(&self.vocabulary)
            && heads(self.audio_heads)
            && heads(self.text_heads)
            && (1..=32).contains(&self.audio_layers)
            && (1..=32).contains(&self.text_layers)
            && matches!(self.mels, 80 | 128)
            && self.weights().is_some()
    }

    fn weights(&self) -> Option<Stored> {
        Some(match self.ftype % QUANTIZATION_FACTOR {
            0 => Stored::F32,
            1 => Stored::F16,
            2 => Stored::Blocks(18),
            3 => Stored::Blocks(20),
            7 => Stored::Blocks(34),
            8 => Stored::Blocks(22),
            9 => Stored::Blocks(24),
            _ => return None,
        })
    }
}

/// How numbers are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stored {
    /// 32 bit floats.
    F32,
    /// 16 bit floats.
    F16,
    /// Blocks of 32 numbers, of so many bytes.
    Blocks(u64),
}

impl Stored {
    /// Bytes of so many numbers; whole blocks only.
    pub fn bytes(self, numbers: u64) -> Option<u64> {
        match self {
            Self::F32 => Some(numbers * 4),
            Self::F16 => Some(numbers * 2),
            Self::Blocks(bytes) => numbers.is_multiple_of(32).then_some(numbers / 32 * bytes),
        }
    }
}

/// A tensor of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its shape, the fastest dimension first.
    pub shape: Vec<u32>,
    /// How it is stored.
    pub stored: Stored,
}

/// Why a file is no model.
#[derive(Debug, thiserror::Error)]
pub enum ModelFileError {
    /// It cannot be read.
    #[error("{0}")]
    Read(io::Error),
    /// It ends before its end.
    #[error("the file is cut off")]
    CutOff,
    /// It is something else.
    #[error("it is no Whisper model: {0}")]
    Malformed(String),
}

impl From<io::Error> for ModelFileError {
    fn from(fault: io::Error) -> Self {
        if fault.kind() == io::ErrorKind::UnexpectedEof {
            return Self::CutOff;
        }
        Self::Read(fault)
    }
}

/// All tensors of a model.
pub fn tensors(dimensions: &Dimensions) -> Vec<Tensor> {
    let mut all = Tensors::new(dimensions);
    let d = dimensions;
    all.add(
        "encoder.positional_embedding",
        &[d.audio_state, d.audio_context],
        Stored::F32,
    );
    all.add(
        "encoder.conv1.weight",
        &[3, d.mels, d.audio_state],
        all.convolutions,
    );
    all.add("encoder.conv1.bias", &[1, d.audio_state], Stored::F32);
    all.add(
        "encoder.conv2.weight",
        &[3, d.audio_state, d.audio_state],
        all.convolutions,
    );
    all.add("encoder.conv2.bias", &[1, d.audio_state], Stored::F32);
    all.norm("encoder.ln_post");
    all.add(
        "decoder.positional_embedding",
        &[d.text_state, d.text_context],
        Stored::F32,
    );
    all.add(
        "decoder.token_embedding.weight",
        &[d.text_state, d.vocabulary],
        all.weights,
    );
    all.norm("decoder.ln");
    for layer in 0..d.audio_layers {
        all.block(&format!("encoder.blocks.{layer}"), &["attn"]);
    }
    for layer in 0..d.text_layers {
        all.block(&format!("decoder.blocks.{layer}"), &["attn", "cross_attn"]);
    }
    all.list
}

/// The tensors of a model, as they are listed.
struct Tensors {
    list: Vec<Tensor>,
    /// The width of the model.
    state: u32,
    weights: Stored,
    convolutions: Stored,
}

impl Tensors {
    fn new(dimensions: &Dimensions) -> Self {
        let weights = dimensions.weights().unwrap_or(Stored::F16);
        Self {
            list: Vec::new(),
            state: dimensions.audio_state,
            weights,
            // These are never quantized.
            convolutions: match weights {
                Stored::F32 => Stored::F32,
                Stored::F16 | Stored::Blocks(_) => Stored::F16,
            },
        }
    }

    fn add(&mut self, name: &str, shape: &[u32], stored: Stored) {
        self.list.push(Tensor {
            name: name.to_owned(),
            shape: shape.to_vec(),
            stored,
        });
    }

    fn norm(&mut self, name: &str) {
        self.add(&format!("{name}.weight"), &[self.state], Stored::F32);
        self.add(&format!("{name}.bias"), &[self.state], Stored::F32);
    }

    fn linear(&mut self, name: &str, from: u32, to: u32, has_bias: bool) {
        self.add(&format!("{name}.weight"), &[from, to], self.weights);
        if has_bias {
            self.add(&format!("{name}.bias"), &[to], Stored::F32);
        }
    }

    /// One layer.
    fn block(&mut self, block: &str, attentions: &[&str]) {
        let state = self.state;
        for attention in attentions {
            self.norm(&format!("{block}.{attention}_ln"));
            for of in ["query", "key", "value", "out"] {
                self.linear(
                    &format!("{block}.{attention}.{of}"),
                    state,
                    state,
                    of != "key",
                );
            }
        }
        self.norm(&format!("{block}.mlp_ln"));
        self.linear(&format!("{block}.mlp.0"), state, 4 * state, true);
        self.linear(&format!("{block}.mlp.2"), 4 * state, state, true);
    }
}

/// Walks a model's file: what it promises must be there, to the last byte.
///
/// # Errors
/// [`ModelFileError`].
pub fn check(path: &Path) -> Result<Dimensions, ModelFileError> {
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut file = BufReader::new(file);
    if u32_of(&mut file)? != MAGIC {
        return Err(malformed("its first bytes are others"));
    }
    let dimensions = read_dimensions(&mut file)?;
    if !dimensions.is_sane() {
        return Err(malformed("its dimensions are impossible"));
    }
    let (mels, frequencies) = (u32_of(&mut file)?, u32_of(&mut file)?);
    if (mels, frequencies) != (dimensions.mels, MEL_FREQUENCIES) {
        return Err(malformed("its mel filters are of another size"));
    }
    skip(&mut file, len, u64::from(mels * frequencies) * 4)?;
    check_vocabulary(&mut file, len, &dimensions)?;
    check_tensors(&mut file, len, &dimensions)?;
    Ok(dimensions)
}

fn read_dimensions(file: &mut impl Read) -> Result<Dimensions, ModelFileError> {
    let mut next = || u32_of(file);
    Ok(Dimensions {
        vocabulary: next()?,
        audio_context: next()?,
        audio_state: next()?,
        audio_heads: next()?,
        audio_layers: next()?,
        text_context: next()?,
        text_state: next()?,
        text_heads: next()?,
        text_layers: next()?,
        mels: next()?,
        ftype: next()?,
    })
}

fn check_vocabulary(
    file: &mut BufReader<File>,
    len: u64,
    dimensions: &Dimensions,
) -> Result<(), ModelFileError> {
    let words = u32_of(file)?;
    if words > dimensions.vocabulary {
        return Err(malformed("its vocabulary is too large"));
    }
    // whisper.cpp takes the word " " for granted.
    let mut has_space = false;
    for _ in 0..words {
        let bytes = u32_of(file)?;
        if bytes > WORD_BYTES_MAX {
            return Err(malformed("a word of its vocabulary is too long"));
        }
        if bytes == 1 {
            let mut word = [0];
            file.read_exact(&mut word)?;
            has_space |= word == *b" ";
        } else {
            skip(file, len, u64::from(bytes))?;
        }
    }
    if has_space {
        Ok(())
    } else {
        Err(malformed("its vocabulary has no space"))
    }
}

fn check_tensors(
    file: &mut BufReader<File>,
    len: u64,
    dimensions: &Dimensions,
) -> Result<(), ModelFileError> {
    let mut missing: HashMap<String, Tensor> = tensors(dimensions)
        .into_iter()
        .map(|tensor| (tensor.name.clone(), tensor))
        .collect();
    while file.stream_position()? < len {
        let (rank, bytes, kind) = (u32_of(file)?, u32_of(file)?, u32_of(file)?);
        if rank > 4 || bytes > NAME_BYTES_MAX || kind >= TYPES {
            return Err(malformed("the head of a tensor is garbled"));
        }
        let mut shape = Vec::new();
        for _ in 0..rank {
            shape.push(u32_of(file)?);
        }
        let mut name = vec![0; bytes as usize];
        file.read_exact(&mut name)?;
        let name = String::from_utf8_lossy(&name);
        let tensor = missing
            .remove(&*name)
            .ok_or_else(|| malformed("it has a tensor that it should not have"))?;
        if trimmed(&tensor.shape) != trimmed(&shape) {
            return Err(malformed(&format!("{name} has another shape")));
        }
        let numbers = tensor.shape.iter().map(|&n| u64::from(n)).product();
        let bytes = tensor.stored.bytes(numbers);
        let bytes = bytes.ok_or_else(|| malformed(&format!("{name} cannot be quantized")))?;
        skip(file, len, bytes)?;
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(ModelFileError::CutOff)
    }
}

/// A shape without the ones at its end.
fn trimmed(shape: &[u32]) -> &[u32] {
    let end = shape.iter().rposition(|&n| n != 1).map_or(0, |at| at + 1);
    &shape[..end]
}

fn skip(file: &mut BufReader<File>, len: u64, bytes: u64) -> Result<(), ModelFileError> {
    let at = file.stream_position()?;
    if at.checked_add(bytes).is_none_or(|end| end > len) {
        return Err(ModelFileError::CutOff);
    }
    // Within a file's length, which is far below what an i64 holds.
    file.seek_relative(bytes as i64)?;
    Ok(())
}

fn u32_of(file: &mut impl Read) -> Result<u32, ModelFileError> {
    let mut bytes = [0; 4];
    file.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes))
}

fn malformed(what: &str) -> ModelFileError {
    ModelFileError::Malformed(what.to_owned())
}
