//! The embedded voices: flite 2.2 from Debian, no key, no download.
//!
//! `rms`, `slt` and `awb` are statistical (clustergen) voices, `kal16` is a diphone voice. All
//! speak US English at 16 kHz. Synthesis takes about 1 % of the audio's length and its first
//! samples come after a third of that, so a sentence is made at full speed on a blocking thread
//! and held, while a task hands it on as the listener's channel has room.

mod ffi;
mod shape;
mod synth;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use antiphon_agents::Pronunciations;
use tokio::sync::{Semaphore, mpsc};

use self::shape::{Made, RATE_HZ, Shaper};
use self::synth::Voice;
use self::text::{Part, TEXT_BYTES_MAX};
use super::{Speak, SpeakCapabilities, SpeakEvent, SpeakEventKind, SpeakRequest, UnknownVoice};
use crate::{Fault, TaskHandle};

/// The voices, with what people call them.
pub const VOICES: [(&str, &str); 4] = [
    ("rms", "a man, US English"),
    ("slt", "a woman, US English"),
    ("awb", "a man, Scottish English"),
    ("kal16", "a man, US English, plain and fast"),
];

/// Most pieces (of up to 100 ms) of one part of a text that wait to be handed on; a part is 240
/// characters, some 16 s. Only endless numbers read at half speed come near.
const PIECES_MAX: usize = 4_096;

/// flite's voices. Cheap to make and to share.
#[derive(Clone, Debug)]
pub struct Flite {
    /// One permit a core: more at once would only delay each other's first sample.
    permits: Arc<Semaphore>,
}

impl Default for Flite {
    fn default() -> Self {
        Self::new()
    }
}

impl Flite {
    /// The voices, not yet in memory: the first sentence of each takes some 20 ms longer
    /// ([`Flite::warm_up`]).
    pub fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            permits: Arc::new(Semaphore::new(cores)),
        }
    }

    /// Says a word with each voice, unheard, so that the voices are in memory. Blocks for about
    /// 100 ms.
    pub fn warm_up(&self) {
        for voice in [Voice::Rms, Voice::Slt, Voice::Awb, Voice::Kal16] {
            for part in text::parts("Hello, how are you today?", &Pronunciations::default()) {
                // A voice that fails here fails again, and is reported, when it is to be heard.
                let _ = render(&part, voice, 1.0, 0, |_| true);
            }
        }
    }
}

impl Speak for Flite {
    fn name(&self) -> &'static str {
        "flite"
    }

    fn capabilities(&self) -> SpeakCapabilities {
        SpeakCapabilities {
            word_marks: true,
            ..SpeakCapabilities::default()
        }
    }

    fn rate_hz(&self, voice: &str) -> Result<u32, UnknownVoice> {
        voice_named(voice).map(|_| RATE_HZ)
    }

    /// Must be called within a tokio runtime.
    fn start(&self, request: SpeakRequest, events: mpsc::Sender<SpeakEvent>) -> TaskHandle {
        let permits = Arc::clone(&self.permits);
        let task = tokio::spawn(async move {
            let segment = request.segment;
            let kind = match speak(request, &events, &permits).await {
                Ok(()) => SpeakEventKind::Done,
                Err(Stop::Failed(reason)) => SpeakEventKind::Failed {
                    fault: Fault::internal(reason),
                },
                Err(Stop::Unheard) => return,
            };
            // Nobody listens any more: nothing to tell.
            let _ = events.send(SpeakEvent { segment, kind }).await;
        });
        TaskHandle::from_task(task.abort_handle())
    }
}

enum Stop {
    /// The listener is gone.
    Unheard,
    /// For [`SpeakEventKind::Failed`].
    Failed(String),
}

async fn speak(
    request: SpeakRequest,
    events: &mpsc::Sender<SpeakEvent>,
    permits: &Arc<Semaphore>,
) -> Result<(), Stop> {
    let voice = voice_named(&request.voice).map_err(|unknown| Stop::Failed(unknown.to_string()))?;
    if request.text.len() > TEXT_BYTES_MAX {
        let reason = format!(
            "a text of {} bytes; at most {TEXT_BYTES_MAX} are spoken",
            request.text.len()
        );
        return Err(Stop::Failed(reason));
    }
    let segment = request.segment;
    let send = async |kind| {
        events
            .send(SpeakEvent { segment, kind })
            .await
            .map_err(|_| Stop::Unheard)
    };
    let stretch = stretch(request.pace);
    let parts = text::parts(&request.text, &request.pronounce);
    if parts.is_empty() {
        send(SpeakEventKind::Marks { marks: Vec::new() }).await?;
    }
    let mut base = 0;
    for part in parts {
        let permit = Arc::clone(permits).acquire_owned().await;
        let (pieces, mut made) = mpsc::channel(PIECES_MAX);
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            render(&part, voice, stretch, base, |made| {
                pieces.try_send(made).is_ok()
            })
        });
        while let Some(made) = made.recv().await {
            match made {
                Made::Audio(pcm) => send(SpeakEventKind::Audio { pcm }).await?,
                Made::Marks(marks) => send(SpeakEventKind::Marks { marks }).await?,
            }
        }
        let samples = work
            .await
            .map_err(|_| Stop::Failed("flite's thread failed".to_owned()))?;
        base += samples.map_err(|error| Stop::Failed(error.to_string()))?;
    }
    Ok(())
}

/// Speaks one part that begins `base` samples into the segment; returns its samples. `send` gets
/// what is made as it is made and returns false to stop.
fn render(
    part: &Part,
    voice: Voice,
    stretch: f32,
    base: usize,
    send: impl FnMut(Made) -> bool,
) -> Result<usize, synth::SynthError> {
    let mut shaper = Shaper::new(part, voice, base, send);
    synth::synthesize(voice, &part.ascii, stretch, &mut shaper)?;
    Ok(shaper.finish())
}

/// flite stretches durations, people speak of pace.
fn stretch(pace: f32) -> f32 {
    if pace.is_finite() {
        1.0 / pace.clamp(0.5, 2.0)
    } else {
        1.0
    }
}

fn voice_named(name: &str) -> Result<Voice, UnknownVoice> {
    match name {
        "rms" => Ok(Voice::Rms),
        "slt" => Ok(Voice::Slt),
        "awb" => Ok(Voice::Awb),
        "kal16" => Ok(Voice::Kal16),
        _ => Err(UnknownVoice {
            asked: name.to_owned(),
            there_are: VOICES.map(|(voice, _)| voice).join(", "),
        }),
    }
}
