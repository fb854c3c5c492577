//! Voices behind a network: what they share.
//!
//! A sentence is sent whole, in the form in which it is spoken. Its audio is read as it comes and
//! handed on in pieces with marks in front of them. Connections wait in a pool.

mod deliver;
mod marks;
mod pool;
mod shaper;
mod socket;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use tokio::sync::mpsc;

use self::deliver::{Out, Unheard, deliver};
use self::shaper::Shaper;
use super::estimate::Tempo;
use super::spoken_form::SpokenForm;
use super::voices::Voices;
use super::{SpeakEvent, SpeakEventKind, SpeakRequest};
use crate::net::HttpLimits;
use crate::{Fault, FaultKind, TaskHandle};

pub(super) use self::deliver::Source;
pub(super) use self::shaper::Made;
pub use self::socket::RemoteSpeak;
pub(super) use self::socket::{Protocol, Talk, Vendor};

/// Longest sentence, in bytes of the spoken text: Deepgram takes 2,000 characters at a time.
pub const TEXT_BYTES_MAX: usize = 2_000;
/// Slowest and fastest pace that is asked for.
const PACE_MIN: f32 = 0.5;
const PACE_MAX: f32 = 2.0;

/// One sentence on its way to a vendor.
#[derive(Clone, Debug)]
pub(super) struct Saying {
    /// The spoken text.
    pub(super) text: String,
    /// The vendor's id of the voice.
    pub(super) voice: String,
    /// 0.5 to 2.0.
    pub(super) pace: f32,
}

/// What all remote voices do alike.
#[derive(Clone, Debug)]
pub(super) struct Speaker {
    pub(super) vendor: &'static str,
    pub(super) rate_hz: u32,
    /// The vendor tells when words end.
    pub(super) is_exact: bool,
    pub(super) voices: Voices,
    pub(super) limits: HttpLimits,
    tempo: Arc<Tempo>,
}

impl Speaker {
    pub(super) fn new(
        vendor: &'static str,
        rate_hz: u32,
        is_exact: bool,
        voices: Voices,
        limits: HttpLimits,
    ) -> Self {
        Self {
            vendor,
            rate_hz,
            is_exact,
            voices,
            limits,
            tempo: Arc::default(),
        }
    }

    /// Speaks a sentence from what `source_of` makes of it.
    pub(super) fn start<S: Source>(
        &self,
        request: SpeakRequest,
        events: mpsc::Sender<SpeakEvent>,
        source_of: impl FnOnce(Saying) -> S + Send + 'static,
    ) -> TaskHandle {
        let this = self.clone();
        let task = tokio::spawn(async move {
            let segment = request.segment;
            let out = Out { segment, events };
            let kind = match this.speak(request, &out, source_of).await {
                Ok(Ok(())) => SpeakEventKind::Done,
                Ok(Err(fault)) => {
                    let kind = fault.kind.name();
                    tracing::warn!(vendor = this.vendor, segment = segment.0, kind, %fault, "voice failed");
                    SpeakEventKind::Failed { fault }
                }
                Err(Unheard) => return,
            };
            // Nobody listens any more: nothing to tell.
            let _ = out.send(kind).await;
        });
        TaskHandle::from_task(task.abort_handle())
    }

    async fn speak<S: Source>(
        &self,
        request: SpeakRequest,
        out: &Out,
        source_of: impl FnOnce(Saying) -> S,
    ) -> Result<Result<(), Fault>, Unheard> {
        let voice = match self.voices.id(&request.voice) {
            Ok(voice) => voice,
            Err(unknown) => {
                return Ok(Err(Fault::new(FaultKind::Refused, unknown.to_string())));
            }
        };
        let form = SpokenForm::of(&request.text, &request.pronounce);
        let text = form.spoken().trim().to_owned();
        if text.len() > TEXT_BYTES_MAX {
            let reason = format!(
                "a text of {} bytes; at most {TEXT_BYTES_MAX} are spoken",
                text.len()
            );
            return Ok(Err(Fault::internal(reason)));
        }
        if text.is_empty() {
            return Ok(Ok(()));
        }
        let pace = if request.pace.is_finite() {
            request.pace.clamp(PACE_MIN, PACE_MAX)
        } else {
            1.0
        };
        let syllable_ms = self.tempo.syllable_ms(&voice) / pace;
        let mut shaper = Shaper::new(form, self.rate_hz, syllable_ms, self.is_exact);
        let mut source = source_of(Saying {
            text,
            voice: voice.clone(),
            pace,
        });
        let ended = deliver(&mut source, &mut shaper, out, &self.limits).await?;
        if ended.is_ok() {
            let total_ms = shaper.received_ms() as f32;
            self.tempo.learn(&voice, shaper.syllables(), total_ms, pace);
        }
        Ok(ended)
    }
}

/// A message that is not what the protocol says.
pub(super) fn malformed() -> Fault {
    Fault::new(
        FaultKind::Malformed,
        "the server sent something that is no message of its protocol",
    )
}

/// Audio in Base64.
pub(super) fn base64_audio(text: &str) -> Result<Made, Fault> {
    let bytes = data_encoding::BASE64.decode(text.as_bytes());
    bytes.map(Made::Audio).map_err(|_| malformed())
}

/// What to check where a vendor refuses.
pub(super) fn hint(key: &str, model: &str) -> String {
    format!("check {key}, {model} and the voice")
}
