//! One utterance through flite.
//!
//! A voice is a global that all threads share. It is only read here: the utterance links to the
//! voice's features and keeps its own (`duration_stretch`, `streaming_info`) to itself. Checked
//! with Helgrind (no race) and by the test `parallel_speech_is_the_same`. flite's noise excitation
//! comes from libc's `rand`, so two runs of a clustergen voice differ in their noise.

use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::NonNull;
use std::sync::OnceLock;

use super::ffi;

/// Least samples per piece from flite; it rounds up to whole frames. 20 ms: the first piece comes
/// early, and pieces are joined to larger ones before they are sent.
const PIECE_SAMPLES_MIN: c_int = 320;

/// Most tokens, words and segments walked through in one utterance.
const ITEMS_MAX: usize = 10_000;

/// A voice of flite.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// US male.
    Rms,
    /// US female.
    Slt,
    /// Scottish male.
    Awb,
    /// US male, diphone: smallest, fastest, plainest.
    Kal16,
}

/// Where a word is, on the scale of flite's own audio.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    /// The token's text, without its punctuation.
    pub(super) name: String,
    /// End of its last sound, in seconds.
    pub(super) end_s: f32,
}

/// What is known of an utterance when its first samples are there.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Plan {
    /// The words, one a token, in order.
    pub(super) words: Vec<Word>,
    /// End of the silence at its start, in seconds.
    pub(super) sound_from_s: f32,
    /// Start of the silence at its end, in seconds.
    pub(super) sound_to_s: f32,
    /// End of all, in seconds.
    pub(super) end_s: f32,
}

/// Receives an utterance as it is made.
pub(super) trait Sink {
    /// Comes once, before any audio.
    fn plan(&mut self, plan: Plan);
    /// More audio. Returns false to stop.
    fn audio(&mut self, pcm: &[i16]) -> bool;
}

/// flite gave up on an utterance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("flite could not synthesize the text")]
pub(super) struct SynthError;

/// Speaks `ascii` into `sink` and returns when all is made or the sink says stop. `stretch` is the
/// factor on durations. Blocks for about 1 % of the audio's length.
pub(super) fn synthesize(
    voice: Voice,
    ascii: &str,
    stretch: f32,
    sink: &mut dyn Sink,
) -> Result<(), SynthError> {
    let text = CString::new(ascii).map_err(|_| SynthError)?;
    let handle = voice.handle()?;
    let mut context = Context {
        sink,
        planned: false,
    };
    // SAFETY: flite is initialized (`handle`), every pointer given is valid during the calls, the
    // utterance is owned here and deleted once; it owns the streaming info given to it. `context`
    // outlives the synthesis, which is the only time the callback runs, on this thread.
    unsafe {
        let utterance = NonNull::new(ffi::new_utterance()).ok_or(SynthError)?;
        let utterance = Owned(utterance);
        let raw = utterance.0.as_ptr();
        ffi::utt_set_input_text(raw, text.as_ptr());
        ffi::utt_init(raw, handle.0.as_ptr());
        ffi::feat_set_float((*raw).features, c"duration_stretch".as_ptr(), stretch);
        let info = ffi::new_audio_streaming_info();
        if info.is_null() {
            return Err(SynthError);
        }
        (*info).min_buffsize = PIECE_SAMPLES_MIN;
        (*info).asc = Some(on_piece);
        (*info).utt = raw;
        (*info).userdata = (&raw mut context).cast::<c_void>();
        ffi::feat_set(
            (*raw).features,
            c"streaming_info".as_ptr(),
            ffi::audio_streaming_info_val(info),
        );
        let made = ffi::utt_synth(raw);
        if made.is_null() {
            Err(SynthError)
        } else {
            Ok(())
        }
    }
}

struct Context<'a> {
    sink: &'a mut dyn Sink,
    planned: bool,
}

struct Owned(NonNull<ffi::Utterance>);

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `new_utterance` and is dropped once.
        unsafe { ffi::delete_utterance(self.0.as_ptr()) }
    }
}

unsafe extern "C" fn on_piece(
    wave: *const ffi::Wave,
    start: c_int,
    size: c_int,
    _last: c_int,
    info: *mut ffi::StreamingInfo,
) -> c_int {
    // SAFETY: flite calls this during `utt_synth` with the info set up in `synthesize`, whose
    // userdata is the context on its stack, and with `start + size` within the wave's samples. The
    // utterance's relations are complete when the waveform is begun.
    let (context, pcm, utterance) = unsafe {
        let context = &mut *(*info).userdata.cast::<Context<'_>>();
        let (Ok(start), Ok(size)) = (usize::try_from(start), usize::try_from(size)) else {
            return ffi::STREAM_CONTINUE;
        };
        let pcm = if size == 0 || (*wave).samples.is_null() {
            &[][..]
        } else {
            std::slice::from_raw_parts((*wave).samples.add(start), size)
        };
        (context, pcm, (*info).utt)
    };
    if !std::mem::replace(&mut context.planned, true) {
        // SAFETY: as above; the utterance is alive and not written to during the callback.
        context.sink.plan(unsafe { read_plan(utterance) });
    }
    if context.sink.audio(pcm) {
        ffi::STREAM_CONTINUE
    } else {
        ffi::STREAM_STOP
    }
}

/// # Safety
/// `utterance` is null or a live utterance whose relations are complete.
unsafe fn read_plan(utterance: *const ffi::Utterance) -> Plan {
    let mut plan = Plan::default();
    // SAFETY: the caller's promise; items belong to the utterance and live as long as it does.
    unsafe {
        for segment in items(head(utterance, c"Segment")) {
            let end_s = ffi::item_feat_float(segment, c"end".as_ptr());
            let silent = string(ffi::item_feat_string(segment, c"name".as_ptr())) == "pau";
            if !silent {
                plan.sound_to_s = end_s;
            } else if plan.sound_to_s == 0.0 {
                plan.sound_from_s = end_s;
            }
            plan.end_s = end_s;
        }
        for token in items(head(utterance, c"Token")) {
            let ends = items(ffi::item_daughter(token)).map(|word| {
                let path = c"R:SylStructure.daughtern.daughtern.R:Segment.end";
                ffi::flite_ffeature_float(word, path.as_ptr())
            });
            let end_s = ends.fold(0.0, f32::max);
            if end_s > 0.0 {
                let name = string(ffi::item_feat_string(token, c"name".as_ptr()));
                plan.words.push(Word { name, end_s });
            }
        }
    }
    plan
}

/// # Safety
/// `utterance` is null or live.
unsafe fn head(utterance: *const ffi::Utterance, relation: &CStr) -> *mut ffi::Item {
    // SAFETY: the caller's promise. A relation that is missing would end the process in
    // `utt_relation`, hence the question before.
    unsafe {
        if utterance.is_null() || ffi::utt_relation_present(utterance, relation.as_ptr()) == 0 {
            return std::ptr::null_mut();
        }
        ffi::relation_head(ffi::utt_relation(utterance, relation.as_ptr()))
    }
}

/// # Safety
/// `first` is null or a live item.
unsafe fn items(first: *mut ffi::Item) -> impl Iterator<Item = *mut ffi::Item> {
    std::iter::successors(NonNull::new(first), |item| {
        // SAFETY: the caller's promise; siblings live as long as each other.
        NonNull::new(unsafe { ffi::item_next(item.as_ptr()) })
    })
    .map(NonNull::as_ptr)
    .take(ITEMS_MAX)
}

/// # Safety
/// `text` is null or a C string.
unsafe fn string(text: *const std::ffi::c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// A registered voice; read-only after registration, hence shared by all threads.
#[derive(Clone, Copy)]
struct Handle(NonNull<ffi::Voice>);

// SAFETY: see the module's head: nothing writes to a voice after it is registered.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Voice {
    fn handle(self) -> Result<Handle, SynthError> {
        static VOICES: OnceLock<[Option<Handle>; 4]> = OnceLock::new();
        // Registration writes globals that the voices share (the lexicon), so all are registered
        // at once, before any speaks.
        let voices = VOICES.get_or_init(|| {
            let none = std::ptr::null();
            // SAFETY: `flite_init` and the registrations have no precondition but that no other
            // thread uses flite, which `get_or_init` sees to; a null directory is the default.
            let voices = unsafe {
                ffi::flite_init();
                [
                    ffi::register_cmu_us_rms(none),
                    ffi::register_cmu_us_slt(none),
                    ffi::register_cmu_us_awb(none),
                    ffi::register_cmu_us_kal16(none),
                ]
            };
            voices.map(|voice| NonNull::new(voice).map(Handle))
        });
        let at = match self {
            Self::Rms => 0,
            Self::Slt => 1,
            Self::Awb => 2,
            Self::Kal16 => 3,
        };
        voices[at].ok_or(SynthError)
    }
}
