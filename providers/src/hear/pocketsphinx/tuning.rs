//! The recognizer's settings. What they achieve is in `docs/quality.md`, by `hear-quality`.

/// How streams are recognized.
#[derive(Clone, Debug)]
pub(super) struct Tuning {
    /// Frames (10 ms) heard before the search begins.
    pub(super) start_frames: usize,
    /// How many frames the typical mean counts for.
    pub(super) typical_frames: f32,
    /// Most seconds of work for which a search is begun again while the person speaks.
    pub(super) restart_s: f64,
    /// Most seconds of work for which the utterance is decoded whole at its end.
    pub(super) final_s: f64,
    /// Silence put before and behind the audio, in ms.
    pub(super) lead_ms: usize,
    /// See `lead_ms`.
    pub(super) tail_ms: usize,
    /// New frames between two partials.
    pub(super) partial_frames: usize,
    /// Frames of a piece before it may be settled at a pause.
    pub(super) piece_frames_min: usize,
    /// Frames after which it is settled wherever it is.
    pub(super) piece_frames_max: usize,
    /// Frames of quiet that make a pause.
    pub(super) pause_frames_min: usize,
    /// Options of the decoder.
    pub(super) decoder: Vec<(String, String)>,
}

impl Default for Tuning {
    fn default() -> Self {
        Self {
            start_frames: 100,
            typical_frames: 50.0,
            restart_s: 0.6,
            final_s: 0.28,
            lead_ms: 100,
            tail_ms: 100,
            partial_frames: 20,
            piece_frames_min: 400,
            piece_frames_max: 1_500,
            pause_frames_min: 20,
            decoder: [
                ("-remove_noise", "no"),
                ("-remove_silence", "no"),
                ("-fwdflat", "no"),
                ("-maxhmmpf", "5000"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
        }
    }
}
