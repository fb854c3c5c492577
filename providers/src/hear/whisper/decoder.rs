//! whisper.cpp: one model, shared, and decoders that each hold the memory of one decoding.

use std::cell::Cell;
use std::collections::HashMap;
use std::ffi::{c_int, c_void};
use std::path::Path;
use std::sync::Arc;

use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState,
    WhisperTokenId,
};

use super::transcript::{Piece, Raw};
use super::{AudioContext, WhisperFault};
use crate::hear::{HEAR_RATE_HZ, ggml};

/// Samples of one step of the encoder: 50 steps a second.
const STEP_SAMPLES: usize = HEAR_RATE_HZ as usize / 50;
/// Steps kept beyond the end of the audio, 1.28 s: without some silence at its end the model loops.
const STEPS_MARGIN: usize = 64;
/// Fewest steps, 5 s: models were taught with 30 s and become unsure with very few.
const STEPS_MIN: usize = 256;
/// Steps are a multiple of this, so that buffers of one size serve many lengths.
const STEPS_MULTIPLE: usize = 64;
/// Shortest audio decoded; shorter is padded with silence.
const SAMPLES_MIN: usize = HEAR_RATE_HZ as usize * 11 / 10;
/// Audio that fits one pass of the encoder.
const PASS_SAMPLES: usize = HEAR_RATE_HZ as usize * 30;
/// Milliseconds of one time token.
const TIME_TOKEN_MS: i32 = 20;
/// Most tokens for a second of audio: nobody speaks faster, and a loop ends here.
const TOKENS_PER_S: usize = 10;
/// Tokens for the shortest audio.
const TOKENS_MIN: usize = 24;
/// Step of the temperature by which a final that went wrong is decoded a second time.
const SECOND_TEMPERATURE: f32 = 0.6;
/// Longest hint, in tokens: each costs time at every decoding.
const HINT_TOKENS_MAX: usize = 64;

/// A model in memory, shared by all decoders.
pub(super) struct Model {
    context: WhisperContext,
    multilingual: bool,
}

/// What to decode, and how.
pub(super) struct Ask<'a> {
    pub(super) pcm: &'a [i16],
    pub(super) hint: &'a [WhisperTokenId],
    /// Code of the language where it is known; found out where it is not.
    pub(super) language: Option<&'static str>,
    /// True where speed counts more than times and second tries.
    pub(super) is_partial: bool,
    pub(super) audio_context: AudioContext,
    pub(super) threads: usize,
    /// Most tokens, in place of what the audio's length allows.
    pub(super) tokens_max: Option<usize>,
}

/// The memory of one decoding at a time.
pub(super) struct Decoder {
    state: WhisperState,
    model: Arc<Model>,
    /// Settings by language. The library leaks the name of a language each time it is set.
    settings: HashMap<&'static str, FullParams<'static, 'static>>,
}

impl Model {
    /// Checks and loads a model's file.
    pub(super) fn load(path: &Path) -> Result<Self, WhisperFault> {
        check_cpu()?;
        let dimensions = ggml::check(path).map_err(|source| WhisperFault::File {
            path: path.to_owned(),
            source,
        })?;
        // Without a hook it writes to the standard error.
        whisper_rs::install_logging_hooks();
        let mut parameters = WhisperContextParameters::new();
        parameters.use_gpu(false).flash_attn(true);
        let context =
            WhisperContext::new_with_params(path, parameters).map_err(|_| WhisperFault::Load {
                path: path.to_owned(),
            })?;
        Ok(Self {
            context,
            multilingual: dimensions.vocabulary > ggml::VOCABULARY_ENGLISH,
        })
    }

    pub(super) fn is_multilingual(&self) -> bool {
        self.multilingual
    }

    /// The tokens of a hint of what will be said.
    pub(super) fn hint(&self, text: &str) -> Vec<WhisperTokenId> {
        if text.is_empty() || text.contains('\0') {
            return Vec::new();
        }
        // Never more tokens than bytes.
        let tokens = self.context.tokenize(text, text.len() + 1);
        let mut tokens = tokens.unwrap_or_default();
        tokens.truncate(HINT_TOKENS_MAX);
        tokens
    }
}

impl Decoder {
    pub(super) fn new(model: Arc<Model>) -> Result<Self, WhisperFault> {
        let state = model.context.create_state();
        Ok(Self {
            state: state.map_err(|fault| WhisperFault::Decode {
                reason: fault.to_string(),
            })?,
            model,
            settings: HashMap::new(),
        })
    }

    /// Decodes; `None` where `stop` said so. It is asked after every pass of the encoder and after
    /// every token.
    pub(super) fn decode(
        &mut self,
        ask: &Ask<'_>,
        stop: &dyn Fn() -> bool,
    ) -> Result<Option<Raw>, WhisperFault> {
        if stop() {
            return Ok(None);
        }
        let mut audio: Vec<f32> = ask.pcm.iter().map(|&s| f32::from(s) / 32_768.0).collect();
        audio.resize(audio.len().max(SAMPLES_MIN), 0.0);
        let is_one_pass = audio.len() <= PASS_SAMPLES;
        let mut params = self.settings(ask.language);
        params.set_n_threads(int(ask.threads));
        params.set_audio_ctx(int(self.steps(ask, audio.len())));
        params.set_no_timestamps(ask.is_partial);
        params.set_single_segment(is_one_pass);
        params.set_temperature_inc(if ask.is_partial {
            0.0
        } else {
            SECOND_TEMPERATURE
        });
        let seconds = audio.len().min(PASS_SAMPLES) / HEAR_RATE_HZ as usize;
        let tokens_max = ask
            .tokens_max
            .unwrap_or(TOKENS_MIN + TOKENS_PER_S * seconds);
        params.set_max_tokens(int(tokens_max));
        params.set_tokens(ask.hint);
        let probe = Probe {
            stop,
            stopped: Cell::new(false),
        };
        // SAFETY: the callback gets the probe's address and runs only within `full` below, on this
        // thread, while the probe lives.
        unsafe {
            params.set_abort_callback(Some(ask_probe));
            params.set_abort_callback_user_data((&raw const probe).cast_mut().cast::<c_void>());
        }
        let outcome = self.state.full(params, &audio);
        if probe.stopped.get() || stop() {
            return Ok(None);
        }
        outcome.map_err(|fault| WhisperFault::Decode {
            reason: fault.to_string(),
        })?;
        Ok(Some(self.read(is_one_pass)))
    }

    /// Steps of the encoder for so many samples; all there are where it is not to be cut.
    fn steps(&self, ask: &Ask<'_>, samples: usize) -> usize {
        let all = usize::try_from(self.model.context.model_n_audio_ctx()).unwrap_or(0);
        match ask.audio_context {
            AudioContext::Full => all,
            AudioContext::Cut => {
                let needed = samples.div_ceil(STEP_SAMPLES) + STEPS_MARGIN;
                needed
                    .max(STEPS_MIN)
                    .next_multiple_of(STEPS_MULTIPLE)
                    .min(all)
            }
        }
    }

    fn settings<'b>(&mut self, language: Option<&'static str>) -> FullParams<'static, 'b> {
        let language = match language {
            Some(language) => language,
            None if self.model.multilingual => "auto",
            None => "en",
        };
        let made = self.settings.entry(language).or_insert_with(|| {
            let mut params = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
            params.set_language(Some(language));
            params.set_no_context(true);
            params.set_suppress_blank(true);
            params.set_suppress_nst(true);
            params.set_print_special(false);
            params.set_print_progress(false);
            params.set_print_realtime(false);
            params.set_print_timestamps(false);
            params
        });
        made.clone()
    }

    /// The tokens of what was decoded.
    fn read(&self, is_one_pass: bool) -> Raw {
        let context = &self.model.context;
        let (end, begin) = (context.token_eot(), context.token_beg());
        let mut raw = Raw {
            language: whisper_rs::get_lang_str(self.state.full_lang_id_from_state())
                .unwrap_or("en"),
            ..Raw::default()
        };
        if !self.model.multilingual {
            raw.language = "en";
        }
        let (mut log_probabilities, mut texts) = (0.0, 0_u32);
        for segment in self.state.as_iter() {
            raw.no_speech = raw.no_speech.max(segment.no_speech_probability());
            let time = |centiseconds: i64| {
                Piece::Time(u32::try_from(centiseconds.saturating_mul(10)).unwrap_or(0))
            };
            if !is_one_pass {
                raw.pieces.push(time(segment.start_timestamp()));
            }
            for at in 0..segment.n_tokens() {
                let Some(token) = segment.get_token(at) else {
                    continue;
                };
                let id = token.token_id();
                if id < end {
                    log_probabilities += token.token_probability().max(f32::MIN_POSITIVE).ln();
                    texts += 1;
                    let bytes = token.to_bytes().unwrap_or_default();
                    raw.pieces.push(Piece::Text(bytes.to_vec()));
                } else if id >= begin && is_one_pass {
                    let ms = (id - begin).saturating_mul(TIME_TOKEN_MS);
                    raw.pieces.push(Piece::Time(u32::try_from(ms).unwrap_or(0)));
                }
            }
            if !is_one_pass {
                raw.pieces.push(time(segment.end_timestamp()));
            }
        }
        if texts > 0 {
            raw.log_probability = log_probabilities / texts as f32;
        }
        raw
    }
}

/// What the library asks whether to stop.
struct Probe<'a> {
    stop: &'a dyn Fn() -> bool,
    stopped: Cell<bool>,
}

/// The library's question. Its own safe wrapper of this calls a closure of another type than the
/// one it stored (whisper-rs 0.16), so it is done by hand.
unsafe extern "C" fn ask_probe(probe: *mut c_void) -> bool {
    // SAFETY: it is the address that `decode` gave, of a probe that lives as long as the call.
    let probe = unsafe { &*probe.cast::<Probe<'_>>() };
    let stop = (probe.stop)();
    probe.stopped.set(probe.stopped.get() || stop);
    stop
}

fn int(number: usize) -> c_int {
    c_int::try_from(number).unwrap_or(c_int::MAX)
}

/// The library is built for these, see `.cargo/config.toml`.
fn check_cpu() -> Result<(), WhisperFault> {
    #[cfg(target_arch = "x86_64")]
    for (has, feature) in [
        (std::arch::is_x86_feature_detected!("avx2"), "AVX2"),
        (std::arch::is_x86_feature_detected!("fma"), "FMA"),
        (std::arch::is_x86_feature_detected!("f16c"), "F16C"),
        (std::arch::is_x86_feature_detected!("bmi2"), "BMI2"),
    ] {
        if !has {
            return Err(WhisperFault::Processor { feature });
        }
    }
    Ok(())
}
