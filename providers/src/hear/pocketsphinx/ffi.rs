//! The C functions used, declared by hand from the headers of Debian's `libpocketsphinx-dev`,
//! `libsphinxbase-dev` (0.8+5prealpha) and `flite1-dev` (2.2). All are plain C with no callbacks
//! into Rust. `mfcc_t` is `float`, because Debian builds sphinxbase without `FIXED_POINT`.

use std::ffi::{c_char, c_float, c_int, c_void};

macro_rules! opaque {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[repr(C)]
        pub(super) struct $name {
            _private: [u8; 0],
        }
    };
}

opaque!(
    /// `cmd_ln_t`: a set of options.
    CmdLn
);
opaque!(
    /// `arg_t`: the table of options there are.
    ArgTable
);
opaque!(
    /// `ps_decoder_t`.
    PsDecoder
);
opaque!(
    /// `fe_t`: the acoustic front end.
    Fe
);
opaque!(
    /// `ngram_model_t`.
    Ngram
);
opaque!(
    /// `logmath_t`.
    LogMath
);
opaque!(
    /// `cst_val`: here a list of strings.
    FliteVal
);

/// The first fields of flite's `struct cst_lexicon_struct`, up to its letter-to-sound rules.
#[repr(C)]
pub(super) struct LexiconHead {
    pub(super) name: *const c_char,
    pub(super) num_entries: c_int,
    pub(super) data: *const u8,
    pub(super) num_bytes: c_int,
    pub(super) phone_table: *const *const c_char,
    pub(super) lts_rule_set: *const c_void,
}

/// `feat_t` up to the kind of mean normalization (`sphinxbase/feat.h`).
#[repr(C)]
pub(super) struct FeatHead {
    pub(super) refcount: c_int,
    pub(super) name: *const c_char,
    pub(super) cepsize: i32,
    pub(super) n_stream: i32,
    pub(super) stream_len: *const u32,
    pub(super) window_size: i32,
    pub(super) n_sv: i32,
    pub(super) sv_len: *const u32,
    pub(super) subvecs: *const c_void,
    pub(super) sv_buf: *const c_float,
    pub(super) sv_dim: i32,
    pub(super) cmn: c_int,
}

/// `CMN_NONE`: features are not normalized.
pub(super) const CMN_NONE: c_int = 0;

/// `NGRAM_AUTO`: the file's kind is found from its name and content.
pub(super) const NGRAM_AUTO: c_int = 0;

#[link(name = "sphinxbase")]
unsafe extern "C" {
    pub(super) fn cmd_ln_parse_r(
        inout: *mut CmdLn,
        defn: *const ArgTable,
        argc: i32,
        argv: *mut *mut c_char,
        strict: i32,
    ) -> *mut CmdLn;
    pub(super) fn cmd_ln_free_r(cmdln: *mut CmdLn) -> c_int;
    pub(super) fn cmd_ln_retain(cmdln: *mut CmdLn) -> *mut CmdLn;
    pub(super) fn err_set_logfp(stream: *mut c_void);

    pub(super) fn fe_init_auto_r(config: *mut CmdLn) -> *mut Fe;
    pub(super) fn fe_free(fe: *mut Fe) -> c_int;
    pub(super) fn fe_start_stream(fe: *mut Fe);
    pub(super) fn fe_start_utt(fe: *mut Fe) -> c_int;
    pub(super) fn fe_get_output_size(fe: *mut Fe) -> c_int;
    pub(super) fn fe_process_frames(
        fe: *mut Fe,
        inout_spch: *mut *const i16,
        inout_nsamps: *mut usize,
        buf_cep: *mut *mut c_float,
        inout_nframes: *mut i32,
        out_frameidx: *mut i32,
    ) -> c_int;
    pub(super) fn fe_end_utt(
        fe: *mut Fe,
        out_cepvector: *mut c_float,
        out_nframes: *mut i32,
    ) -> c_int;

    pub(super) fn ngram_model_read(
        config: *mut CmdLn,
        file_name: *const c_char,
        file_type: c_int,
        lmath: *mut LogMath,
    ) -> *mut Ngram;
    pub(super) fn ngram_model_free(model: *mut Ngram) -> c_int;
    pub(super) fn ngram_model_set_init(
        config: *mut CmdLn,
        models: *mut *mut Ngram,
        names: *mut *mut c_char,
        weights: *const c_float,
        n_models: i32,
    ) -> *mut Ngram;
    pub(super) fn ngram_model_set_interp(
        set: *mut Ngram,
        names: *mut *const c_char,
        weights: *const c_float,
    ) -> *mut Ngram;
}

#[link(name = "pocketsphinx")]
unsafe extern "C" {
    pub(super) fn ps_args() -> *const ArgTable;
    pub(super) fn ps_init(config: *mut CmdLn) -> *mut PsDecoder;
    pub(super) fn ps_free(ps: *mut PsDecoder) -> c_int;
    pub(super) fn ps_get_logmath(ps: *mut PsDecoder) -> *mut LogMath;
    pub(super) fn ps_get_config(ps: *mut PsDecoder) -> *mut CmdLn;
    pub(super) fn ps_get_feat(ps: *mut PsDecoder) -> *mut FeatHead;
    pub(super) fn ps_load_dict(
        ps: *mut PsDecoder,
        dictfile: *const c_char,
        fdictfile: *const c_char,
        format: *const c_char,
    ) -> c_int;
    pub(super) fn ps_set_lm(ps: *mut PsDecoder, name: *const c_char, lm: *mut Ngram) -> c_int;
    pub(super) fn ps_set_search(ps: *mut PsDecoder, name: *const c_char) -> c_int;
    pub(super) fn ps_unset_search(ps: *mut PsDecoder, name: *const c_char) -> c_int;
    pub(super) fn ps_start_utt(ps: *mut PsDecoder) -> c_int;
    pub(super) fn ps_process_cep(
        ps: *mut PsDecoder,
        data: *mut *mut c_float,
        n_frames: c_int,
        no_search: c_int,
        full_utt: c_int,
    ) -> c_int;
    pub(super) fn ps_end_utt(ps: *mut PsDecoder) -> c_int;
    pub(super) fn ps_get_hyp(ps: *mut PsDecoder, out_best_score: *mut i32) -> *const c_char;
}

#[link(name = "flite_cmulex")]
#[link(name = "flite")]
unsafe extern "C" {
    pub(super) fn cmu_lex_init() -> *mut LexiconHead;
    pub(super) fn lts_apply(
        word: *const c_char,
        feats: *const c_char,
        rules: *const c_void,
    ) -> *mut FliteVal;
    pub(super) fn val_car(value: *const FliteVal) -> *const FliteVal;
    pub(super) fn val_cdr(value: *const FliteVal) -> *const FliteVal;
    pub(super) fn val_string(value: *const FliteVal) -> *const c_char;
    pub(super) fn delete_val(value: *mut FliteVal);
}
