//! What is used of flite's C API (Debian's flite1-dev 2.2: `flite.h` and what it includes).

use std::ffi::{c_char, c_float, c_int, c_void};

/// `CST_AUDIO_STREAM_CONT` of `cst_audio.h`.
pub(super) const STREAM_CONTINUE: c_int = 0;
/// `CST_AUDIO_STREAM_STOP` of `cst_audio.h`.
pub(super) const STREAM_STOP: c_int = -1;

macro_rules! opaque {
    ($($name:ident),+) => {
        $(#[repr(C)]
        pub(super) struct $name {
            _private: [u8; 0],
        })+
    };
}

opaque!(Voice, Features, Relation, Item, Val);

/// `cst_utterance`.
#[repr(C)]
pub(super) struct Utterance {
    pub(super) features: *mut Features,
    pub(super) ffunctions: *mut Features,
    pub(super) relations: *mut Features,
    pub(super) ctx: *mut c_void,
}

/// `cst_wave`.
#[repr(C)]
pub(super) struct Wave {
    pub(super) kind: *const c_char,
    pub(super) sample_rate: c_int,
    pub(super) num_samples: c_int,
    pub(super) num_channels: c_int,
    pub(super) samples: *mut i16,
}

/// `cst_audio_stream_callback`: wave, start, size, whether it is the last, and the info it was
/// registered in.
pub(super) type StreamCallback =
    unsafe extern "C" fn(*const Wave, c_int, c_int, c_int, *mut StreamingInfo) -> c_int;

/// `cst_audio_streaming_info`.
#[repr(C)]
pub(super) struct StreamingInfo {
    pub(super) min_buffsize: c_int,
    pub(super) asc: Option<StreamCallback>,
    pub(super) utt: *const Utterance,
    pub(super) item: *const Item,
    pub(super) userdata: *mut c_void,
}

#[link(name = "flite_cmu_us_rms")]
unsafe extern "C" {
    pub(super) fn register_cmu_us_rms(directory: *const c_char) -> *mut Voice;
}
#[link(name = "flite_cmu_us_slt")]
unsafe extern "C" {
    pub(super) fn register_cmu_us_slt(directory: *const c_char) -> *mut Voice;
}
#[link(name = "flite_cmu_us_awb")]
unsafe extern "C" {
    pub(super) fn register_cmu_us_awb(directory: *const c_char) -> *mut Voice;
}
#[link(name = "flite_cmu_us_kal16")]
unsafe extern "C" {
    pub(super) fn register_cmu_us_kal16(directory: *const c_char) -> *mut Voice;
}

// The voices call into these two.
#[link(name = "flite_usenglish")]
unsafe extern "C" {}
#[link(name = "flite_cmulex")]
unsafe extern "C" {}

#[link(name = "flite")]
unsafe extern "C" {
    pub(super) fn flite_init() -> c_int;

    pub(super) fn new_utterance() -> *mut Utterance;
    pub(super) fn delete_utterance(utterance: *mut Utterance);
    pub(super) fn utt_set_input_text(utterance: *mut Utterance, text: *const c_char) -> c_int;
    pub(super) fn utt_init(utterance: *mut Utterance, voice: *mut Voice) -> *mut Utterance;
    pub(super) fn utt_synth(utterance: *mut Utterance) -> *mut Utterance;

    pub(super) fn feat_set(features: *mut Features, name: *const c_char, value: *const Val);
    pub(super) fn feat_set_float(features: *mut Features, name: *const c_char, value: c_float);
    pub(super) fn new_audio_streaming_info() -> *mut StreamingInfo;
    pub(super) fn audio_streaming_info_val(info: *mut StreamingInfo) -> *mut Val;

    pub(super) fn utt_relation_present(utterance: *const Utterance, name: *const c_char) -> c_int;
    pub(super) fn utt_relation(utterance: *const Utterance, name: *const c_char) -> *mut Relation;
    pub(super) fn relation_head(relation: *mut Relation) -> *mut Item;
    pub(super) fn item_next(item: *const Item) -> *mut Item;
    pub(super) fn item_daughter(item: *const Item) -> *mut Item;
    pub(super) fn item_feat_string(item: *const Item, name: *const c_char) -> *const c_char;
    pub(super) fn item_feat_float(item: *const Item, name: *const c_char) -> c_float;
    pub(super) fn flite_ffeature_float(item: *const Item, path: *const c_char) -> c_float;
}
