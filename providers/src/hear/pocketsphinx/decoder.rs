//! One PocketSphinx decoder and its front end behind safe methods. Everything `unsafe` about the
//! recognizer is here (letter-to-sound rules: `g2p.rs`).

use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_char};
use std::path::Path;
use std::ptr::{self, NonNull};

use super::PocketSphinxError;
use super::ffi;
use super::model::ModelPaths;

/// Cepstral coefficients in one frame, C0 (loudness) first; the model was trained with 13.
pub(super) const CEPSTRA: usize = 13;

/// One frame of features: 10 ms.
pub(super) type Frame = [f32; CEPSTRA];

/// Frames in one second (`-frate`).
pub(super) const FRAMES_PER_S: usize = 100;

/// Name of the search over the general language model.
pub(super) const GENERAL: &str = "general";

/// Language models kept loaded in a decoder besides the general one; the least recently used one
/// goes when another is needed.
const AGENT_MODELS_MAX: usize = 8;

/// Frames given to the search in one call. With 25 the library heard nothing, as its
/// feature buffer of 11 wraps around; with 1 and with 5 it hears the same words (measured).
const SEARCH_FRAMES_MAX: usize = 5;

/// Frames taken out of the front end in one go.
const FRAMES_AT_ONCE: usize = 64;

/// A decoder with its own front end, dictionary and language models. Used by one thread at a time.
pub(super) struct Decoder {
    ps: NonNull<ffi::PsDecoder>,
    fe: NonNull<ffi::Fe>,
    /// The general model, kept for interpolation.
    general: NonNull<ffi::Ngram>,
    /// Searches over agents' models, least recently used first.
    agents: VecDeque<String>,
    /// Which dictionary is loaded; see `Lexicon`.
    pub(super) lexicon_version: u64,
    in_utterance: bool,
    active: String,
}

// SAFETY: the C objects are reachable only through this value, and the library keeps no
// thread-local state about them.
unsafe impl Send for Decoder {}

/// How a language model for an agent is put together.
pub(super) struct AgentModel<'a> {
    /// Name of the search; unique for the content.
    pub(super) name: &'a str,
    /// The ARPA file.
    pub(super) arpa: &'a Path,
    /// Weight of the agent's model against the general one, 0 to 1; 1 leaves the general one out.
    pub(super) weight: f32,
}

impl Decoder {
    /// Loads the model: about 0.5 s.
    pub(super) fn new(
        paths: &ModelPaths,
        options: &[(String, String)],
    ) -> Result<Self, PocketSphinxError> {
        let config = parse_config(paths, options)?;
        // SAFETY: `config` is valid; the decoder retains it, so our reference is given back after.
        let ps = unsafe {
            let ps = ffi::ps_init(config.as_ptr());
            ffi::cmd_ln_free_r(config.as_ptr());
            NonNull::new(ps).ok_or(PocketSphinxError::Load {
                what: "the acoustic model or the dictionary",
            })?
        };
        // SAFETY: the configuration belongs to the decoder; the front end takes over the reference
        // that `cmd_ln_retain` adds.
        let fe =
            unsafe { ffi::fe_init_auto_r(ffi::cmd_ln_retain(ffi::ps_get_config(ps.as_ptr()))) };
        let Some(fe) = NonNull::new(fe) else {
            // SAFETY: created above and not used again.
            unsafe { ffi::ps_free(ps.as_ptr()) };
            return Err(PocketSphinxError::Load {
                what: "the front end",
            });
        };
        let general = match read_ngram(ps, &paths.language_model) {
            Ok(general) => general,
            Err(error) => {
                // SAFETY: both created above and not used again.
                unsafe {
                    ffi::fe_free(fe.as_ptr());
                    ffi::ps_free(ps.as_ptr());
                }
                return Err(error);
            }
        };
        let mut decoder = Self {
            ps,
            fe,
            general,
            agents: VecDeque::new(),
            lexicon_version: 0,
            in_utterance: false,
            active: String::new(),
        };
        // The model's own `feat.params` overrules an option `-cmn none`, and the library would
        // normalize again, by a running mean of its own, what `cmn` has normalized.
        // SAFETY: the feature object belongs to the decoder and lives as long as it; `FeatHead` has
        // the layout of its first fields.
        unsafe { (*ffi::ps_get_feat(decoder.ps.as_ptr())).cmn = ffi::CMN_NONE };
        // SAFETY: `fe` is valid.
        let size = unsafe { ffi::fe_get_output_size(fe.as_ptr()) };
        if size != CEPSTRA as i32 {
            return Err(PocketSphinxError::Load {
                what: "the front end: not 13 cepstra a frame",
            });
        }
        decoder.set_search(GENERAL, general)?;
        decoder.select(GENERAL)?;
        Ok(decoder)
    }

    /// Replaces the dictionary by the one at `path`. Between utterances only.
    pub(super) fn load_dictionary(
        &mut self,
        paths: &ModelPaths,
        path: &Path,
    ) -> Result<(), PocketSphinxError> {
        debug_assert!(!self.in_utterance);
        let (file, fillers) = (c_path(path)?, c_path(&paths.fillers)?);
        // SAFETY: valid decoder outside an utterance, strings that outlive the call.
        let rc = unsafe {
            ffi::ps_load_dict(
                self.ps.as_ptr(),
                file.as_ptr(),
                fillers.as_ptr(),
                ptr::null(),
            )
        };
        if rc < 0 {
            return Err(PocketSphinxError::Load {
                what: "the dictionary with the agents' words",
            });
        }
        Ok(())
    }

    /// Loads an agent's model unless it is loaded already, and selects it.
    pub(super) fn use_agent(&mut self, model: &AgentModel<'_>) -> Result<(), PocketSphinxError> {
        if let Some(at) = self.agents.iter().position(|name| name == model.name) {
            let name = self
                .agents
                .remove(at)
                .expect("invariant: `position` found it");
            self.agents.push_back(name);
            return self.select(model.name);
        }
        let lm = self.interpolated(model)?;
        self.set_search(model.name, lm)?;
        // SAFETY: the search has retained the model; this gives back our own reference.
        unsafe { ffi::ngram_model_free(lm.as_ptr()) };
        self.agents.push_back(model.name.to_owned());
        self.select(model.name)?;
        if self.agents.len() > AGENT_MODELS_MAX
            && let Some(oldest) = self.agents.pop_front()
        {
            let oldest = c_string(&oldest)?;
            // SAFETY: valid decoder; the search is not the selected one.
            unsafe { ffi::ps_unset_search(self.ps.as_ptr(), oldest.as_ptr()) };
        }
        Ok(())
    }

    /// Selects a loaded model by its search's name.
    pub(super) fn select(&mut self, name: &str) -> Result<(), PocketSphinxError> {
        debug_assert!(!self.in_utterance);
        if self.active == name {
            return Ok(());
        }
        let c_name = c_string(name)?;
        // SAFETY: valid decoder and string.
        if unsafe { ffi::ps_set_search(self.ps.as_ptr(), c_name.as_ptr()) } < 0 {
            return Err(PocketSphinxError::Load {
                what: "a search that should be loaded",
            });
        }
        name.clone_into(&mut self.active);
        Ok(())
    }

    fn set_search(&mut self, name: &str, lm: NonNull<ffi::Ngram>) -> Result<(), PocketSphinxError> {
        let name = c_string(name)?;
        // SAFETY: valid decoder, string and model; the decoder retains the model.
        if unsafe { ffi::ps_set_lm(self.ps.as_ptr(), name.as_ptr(), lm.as_ptr()) } < 0 {
            return Err(PocketSphinxError::Load {
                what: "a language model",
            });
        }
        Ok(())
    }

    fn interpolated(
        &self,
        model: &AgentModel<'_>,
    ) -> Result<NonNull<ffi::Ngram>, PocketSphinxError> {
        let agent = read_ngram(self.ps, model.arpa)?;
        if model.weight >= 1.0 {
            return Ok(agent);
        }
        let names = [c_string("agent")?, c_string(GENERAL)?];
        let mut name_ptrs = names.each_ref().map(|name| name.as_ptr());
        let weights = [model.weight, 1.0 - model.weight];
        let mut models = [agent.as_ptr(), self.general.as_ptr()];
        // SAFETY: all arrays have two valid entries and outlive the calls. The set copies names and
        // weights and retains the models, so our reference to the agent's one is given back.
        unsafe {
            let set = ffi::ngram_model_set_init(
                ffi::ps_get_config(self.ps.as_ptr()),
                models.as_mut_ptr(),
                name_ptrs.as_mut_ptr().cast::<*mut c_char>(),
                weights.as_ptr(),
                2,
            );
            ffi::ngram_model_free(agent.as_ptr());
            let set = NonNull::new(set).ok_or(PocketSphinxError::Load {
                what: "an interpolated model",
            })?;
            ffi::ngram_model_set_interp(set.as_ptr(), name_ptrs.as_mut_ptr(), weights.as_ptr());
            Ok(set)
        }
    }

    /// Begins an utterance with the selected model.
    pub(super) fn start(&mut self) -> Result<(), PocketSphinxError> {
        debug_assert!(!self.in_utterance);
        // SAFETY: valid decoder outside an utterance.
        if unsafe { ffi::ps_start_utt(self.ps.as_ptr()) } < 0 {
            return Err(PocketSphinxError::Decode { what: "start" });
        }
        self.in_utterance = true;
        Ok(())
    }

    /// Searches further frames (already mean-normalized). `frames` is scratch: its content is not
    /// defined afterwards.
    pub(super) fn search(&mut self, frames: &mut [Frame]) -> Result<(), PocketSphinxError> {
        debug_assert!(self.in_utterance);
        if frames.is_empty() {
            return Ok(());
        }
        for block in frames.chunks_mut(SEARCH_FRAMES_MAX) {
            let mut rows: Vec<*mut f32> =
                block.iter_mut().map(|frame| frame.as_mut_ptr()).collect();
            let count = rows.len() as i32;
            // SAFETY: `rows` holds `count` pointers to 13 floats each, exclusively borrowed.
            if unsafe { ffi::ps_process_cep(self.ps.as_ptr(), rows.as_mut_ptr(), count, 0, 0) } < 0
            {
                return Err(PocketSphinxError::Decode { what: "search" });
            }
        }
        Ok(())
    }

    /// Ends the utterance, running the later passes. Harmless outside an utterance.
    pub(super) fn end(&mut self) -> Result<(), PocketSphinxError> {
        if !self.in_utterance {
            return Ok(());
        }
        self.in_utterance = false;
        // SAFETY: valid decoder inside an utterance.
        if unsafe { ffi::ps_end_utt(self.ps.as_ptr()) } < 0 {
            return Err(PocketSphinxError::Decode { what: "end" });
        }
        Ok(())
    }

    /// The words so far, or after [`Decoder::end`] the best words; fillers left out.
    pub(super) fn hypothesis(&mut self) -> String {
        // SAFETY: valid decoder; the string lives until the next call on the decoder and is copied.
        unsafe {
            let text = ffi::ps_get_hyp(self.ps.as_ptr(), ptr::null_mut());
            if text.is_null() {
                return String::new();
            }
            CStr::from_ptr(text).to_string_lossy().into_owned()
        }
    }

    /// Begins the features of an utterance.
    pub(super) fn features_start(&mut self) {
        // SAFETY: valid front end.
        unsafe {
            ffi::fe_start_stream(self.fe.as_ptr());
            ffi::fe_start_utt(self.fe.as_ptr());
        }
    }

    /// Appends the frames of more audio to `out`.
    pub(super) fn features(
        &mut self,
        pcm: &[i16],
        out: &mut Vec<Frame>,
    ) -> Result<(), PocketSphinxError> {
        let (mut at, mut left) = (pcm.as_ptr(), pcm.len());
        while left > 0 {
            let mut rows = [[0.0_f32; CEPSTRA]; FRAMES_AT_ONCE];
            let mut row_ptrs = rows.each_mut().map(|row| row.as_mut_ptr());
            let mut count = FRAMES_AT_ONCE as i32;
            let mut first = 0;
            let before = left;
            // SAFETY: `at` and `left` describe what remains of `pcm`; `row_ptrs` has room for
            // `count` frames of 13 floats.
            let rc = unsafe {
                ffi::fe_process_frames(
                    self.fe.as_ptr(),
                    &mut at,
                    &mut left,
                    row_ptrs.as_mut_ptr(),
                    &mut count,
                    &mut first,
                )
            };
            if rc < 0 {
                return Err(PocketSphinxError::Decode { what: "features" });
            }
            let count = usize::try_from(count).unwrap_or(0).min(FRAMES_AT_ONCE);
            out.extend_from_slice(&rows[..count]);
            if count == 0 && left == before {
                break;
            }
        }
        Ok(())
    }

    /// The last, partly filled frame of an utterance.
    pub(super) fn features_end(&mut self, out: &mut Vec<Frame>) {
        let mut row: Frame = [0.0; CEPSTRA];
        let mut count = 0;
        // SAFETY: valid front end; `row` has room for the one frame it may write.
        unsafe { ffi::fe_end_utt(self.fe.as_ptr(), row.as_mut_ptr(), &mut count) };
        if count > 0 {
            out.push(row);
        }
    }
}

impl Drop for Decoder {
    fn drop(&mut self) {
        // SAFETY: each object was created by `new` and is freed once; the decoder's own references
        // to the model and the configuration are its business.
        unsafe {
            ffi::fe_free(self.fe.as_ptr());
            ffi::ngram_model_free(self.general.as_ptr());
            ffi::ps_free(self.ps.as_ptr());
        }
    }
}

fn parse_config(
    paths: &ModelPaths,
    options: &[(String, String)],
) -> Result<NonNull<ffi::CmdLn>, PocketSphinxError> {
    let mut words = vec![
        c_string("-hmm")?,
        c_path(&paths.acoustic_model)?,
        c_string("-dict")?,
        c_path(&paths.dictionary)?,
    ];
    for (name, value) in options {
        words.push(c_string(name)?);
        words.push(c_string(value)?);
    }
    let mut argv: Vec<*mut c_char> = words.iter().map(|word| word.as_ptr().cast_mut()).collect();
    // SAFETY: `argv` has as many valid strings as said; the values are copied, not kept.
    let config = unsafe {
        ffi::err_set_logfp(ptr::null_mut());
        ffi::cmd_ln_parse_r(
            ptr::null_mut(),
            ffi::ps_args(),
            argv.len() as i32,
            argv.as_mut_ptr(),
            1,
        )
    };
    NonNull::new(config).ok_or(PocketSphinxError::Load {
        what: "the decoder's options",
    })
}

fn read_ngram(
    ps: NonNull<ffi::PsDecoder>,
    path: &Path,
) -> Result<NonNull<ffi::Ngram>, PocketSphinxError> {
    let file = c_path(path)?;
    // SAFETY: valid decoder, whose configuration and log base outlive its models; valid string.
    let lm = unsafe {
        ffi::ngram_model_read(
            ffi::ps_get_config(ps.as_ptr()),
            file.as_ptr(),
            ffi::NGRAM_AUTO,
            ffi::ps_get_logmath(ps.as_ptr()),
        )
    };
    NonNull::new(lm).ok_or(PocketSphinxError::Load {
        what: "a language model file",
    })
}

fn c_string(text: &str) -> Result<CString, PocketSphinxError> {
    CString::new(text).map_err(|_| PocketSphinxError::Load {
        what: "a name with a zero byte",
    })
}

fn c_path(path: &Path) -> Result<CString, PocketSphinxError> {
    use std::os::unix::ffi::OsStrExt;
    CString::new(path.as_os_str().as_bytes()).map_err(|_| PocketSphinxError::Load {
        what: "a path with a zero byte",
    })
}
