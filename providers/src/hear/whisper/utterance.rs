//! An utterance between the call that speaks it and the decoders.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use antiphon_proto::UtteranceId;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use whisper_rs::WhisperTokenId;

use super::decoder::Model;
use super::transcript::Transcript;
use crate::Fault;
use crate::hear::{HEAR_RATE_HZ, HearContext, HearEvent, HearEventKind};

/// Longest utterance, in seconds; a person without a pause for so long is not a person.
pub const UTTERANCE_S_MAX: usize = 300;

/// Audio before the first partial, in samples: under it there is no word.
const PARTIAL_SAMPLES_MIN: usize = HEAR_RATE_HZ as usize * 6 / 10;
/// Audio up to which there are partials, in samples: one pass of the encoder.
const PARTIAL_SAMPLES_MAX: usize = HEAR_RATE_HZ as usize * 30;
/// Least time between the starts of two partials.
const PARTIAL_EVERY: Duration = Duration::from_millis(500);
/// Share of the time that partials of an utterance may take, as a divisor: a new one starts when
/// the last took no more than half of the time passed since it started.
const PARTIAL_SHARE: u32 = 2;
/// How often a full event channel is looked at again.
const CHANNEL_FULL_RETRY: Duration = Duration::from_millis(5);
/// Longest hint made of an agent's phrases, in bytes.
const HINT_BYTES_MAX: usize = 200;
/// Longest phrase that goes into a hint; names and titles are short.
const HINT_PHRASE_BYTES_MAX: usize = 40;

/// What the utterances of one call share.
pub(super) struct Call {
    context: HearContext,
    events: mpsc::Sender<HearEvent>,
    /// Set when the stream is dropped.
    closed: AtomicBool,
    hint: OnceLock<Vec<WhisperTokenId>>,
    /// Found out by the first final.
    language: OnceLock<&'static str>,
}

impl Call {
    pub(super) fn new(context: HearContext, events: mpsc::Sender<HearEvent>) -> Self {
        Self {
            context,
            events,
            closed: AtomicBool::new(false),
            hint: OnceLock::new(),
            language: OnceLock::new(),
        }
    }

    /// Nothing is sent any more.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }

    /// What the model is told beforehand: words of the agent's that it might misspell.
    pub(super) fn hint(&self, model: &Model) -> &[WhisperTokenId] {
        self.hint
            .get_or_init(|| model.hint(&hint_of(&self.context.phrases)))
    }

    /// True for words that the agent's author knows; they may be written in capitals.
    pub(super) fn knows(&self, word: &str) -> bool {
        word == "ok"
            || self.context.phrases.iter().any(|phrase| {
                let mut words = phrase.split(|c: char| !c.is_alphanumeric());
                words.any(|known| known.eq_ignore_ascii_case(word) && !is_shouted(known))
            })
    }

    /// The language spoken, where it is known by now.
    pub(super) fn language(&self) -> Option<&'static str> {
        self.language.get().copied()
    }

    /// What an utterance with words showed.
    pub(super) fn learn_language(&self, language: &'static str) {
        let _ = self.language.set(language);
    }
}

fn is_shouted(word: &str) -> bool {
    word.chars().all(char::is_uppercase)
}

/// The short phrases, names and titles, as a sentence.
fn hint_of(phrases: &[String]) -> String {
    let mut hint = String::new();
    // Only what has a capital within: other words it knows how to spell.
    let is_name = |phrase: &&String| {
        phrase.len() <= HINT_PHRASE_BYTES_MAX && phrase.chars().skip(1).any(char::is_uppercase)
    };
    for phrase in phrases.iter().filter(is_name) {
        if hint.len() + phrase.len() + 2 > HINT_BYTES_MAX {
            break;
        }
        if !hint.is_empty() {
            hint.push_str(", ");
        }
        hint.push_str(phrase);
    }
    hint
}

/// One utterance, written by its stream and read by the decoders.
pub(super) struct Utterance {
    id: UtteranceId,
    pub(super) call: Arc<Call>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    pcm: Vec<i16>,
    finished: bool,
    /// Cancelled, or answered with a final or a failure: nothing more is sent.
    over: bool,
    /// A partial waits or is under way.
    partial_wanted: bool,
    /// When the last partial started, and how long it took.
    partial: Option<(Instant, Duration)>,
    /// Samples of the last partial.
    partial_samples: usize,
    /// The last partial's text.
    told: String,
}

impl Utterance {
    pub(super) fn new(id: UtteranceId, call: Arc<Call>) -> Self {
        Self {
            id,
            call,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// More audio.
    pub(super) fn push(&self, pcm: &[i16]) {
        let mut state = self.lock();
        if state.finished || state.over {
            return;
        }
        if (state.pcm.len() + pcm.len()) / HEAR_RATE_HZ as usize >= UTTERANCE_S_MAX {
            drop(state);
            return self.fail(Fault::internal("the utterance is too long"));
        }
        state.pcm.extend_from_slice(pcm);
    }

    /// True where a partial is due; it counts as asked for then.
    pub(super) fn wants_partial(&self) -> bool {
        let mut state = self.lock();
        let due = !state.finished
            && !state.over
            && !state.partial_wanted
            && partial_is_due(&state, Instant::now());
        state.partial_wanted |= due;
        due
    }

    /// Nobody had time for the partial.
    pub(super) fn skip_partial(&self) {
        self.lock().partial_wanted = false;
    }

    /// No more audio comes.
    pub(super) fn finish(&self) {
        self.lock().finished = true;
    }

    /// Nothing more is sent for it.
    pub(super) fn cancel(&self) {
        let mut state = self.lock();
        state.over = true;
        state.pcm = Vec::new();
        self.changed.notify_one();
    }

    /// True where nobody waits for it any more.
    pub(super) fn is_over(&self) -> bool {
        self.call.closed.load(Ordering::Relaxed) || self.lock().over
    }

    /// True where a partial is of no use any more.
    pub(super) fn wants_no_partial(&self) -> bool {
        self.call.closed.load(Ordering::Relaxed) || {
            let state = self.lock();
            state.over || state.finished
        }
    }

    /// Samples so far.
    pub(super) fn samples(&self) -> usize {
        self.lock().pcm.len()
    }

    /// The audio so far.
    pub(super) fn audio(&self) -> Vec<i16> {
        self.lock().pcm.clone()
    }

    /// A partial is ready, or was given up.
    pub(super) fn partial(&self, started: Instant, samples: usize, text: Option<String>) {
        let mut state = self.lock();
        state.partial_wanted = false;
        state.partial = Some((started, started.elapsed()));
        state.partial_samples = samples;
        let Some(text) = text else {
            return;
        };
        if state.over || state.finished || text.is_empty() || state.told == text {
            return;
        }
        state.told.clone_from(&text);
        // A partial that finds the channel full is left out: the next one has all its words.
        let event = self.event(HearEventKind::Partial { text });
        let _ = self.call.events.try_send(event);
    }

    /// Answers the utterance, unless it is answered or cancelled. Sending and cancelling exclude
    /// each other, so that nothing follows a cancel. While the channel is full it is tried again,
    /// until cancelled.
    pub(super) fn conclude(&self, transcript: Transcript) {
        let mut event = self.event(HearEventKind::Final {
            text: transcript.text,
            words: transcript.words,
        });
        let mut state = self.lock();
        loop {
            if state.over || self.call.closed.load(Ordering::Relaxed) {
                return;
            }
            match self.call.events.try_send(event) {
                Ok(()) | Err(TrySendError::Closed(_)) => {
                    state.over = true;
                    state.pcm = Vec::new();
                    return;
                }
                Err(TrySendError::Full(back)) => event = back,
            }
            state = self
                .changed
                .wait_timeout(state, CHANNEL_FULL_RETRY)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }

    /// Fails the utterance, unless it is answered or cancelled. Never waits for the channel: where
    /// it is full, a thread of its own does.
    pub(super) fn fail(&self, fault: Fault) {
        let event = self.event(HearEventKind::Failed { fault });
        let mut state = self.lock();
        if state.over {
            return;
        }
        state.over = true;
        state.pcm = Vec::new();
        self.changed.notify_one();
        drop(state);
        if let Err(TrySendError::Full(event)) = self.call.events.try_send(event) {
            let call = self.call.clone();
            std::thread::spawn(move || call.events.blocking_send(event).ok());
        }
    }

    fn event(&self, kind: HearEventKind) -> HearEvent {
        HearEvent {
            utterance: self.id,
            kind,
        }
    }
}

/// Whether the words so far are worth another look: enough audio, enough new audio, and the last
/// look took its share of the time or less.
fn partial_is_due(state: &State, now: Instant) -> bool {
    let samples = state.pcm.len();
    if !(PARTIAL_SAMPLES_MIN..=PARTIAL_SAMPLES_MAX).contains(&samples) {
        return false;
    }
    let Some((started, took)) = state.partial else {
        return true;
    };
    samples > state.partial_samples
        && now.duration_since(started) >= PARTIAL_EVERY.max(took * PARTIAL_SHARE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partials_keep_to_their_share() {
        let now = Instant::now() + Duration::from_secs(100);
        let ago = |ms| now.checked_sub(Duration::from_millis(ms));
        let second = HEAR_RATE_HZ as usize;
        for (samples, started_ms_ago, took_ms, due) in [
            (second / 2, None, 0, false),
            (second, None, 0, true),
            (second, Some(400), 100, false),
            (second, Some(600), 100, true),
            (second, Some(900), 500, false),
            (second, Some(1_100), 500, true),
            (second * 31, None, 0, false),
        ] {
            let state = State {
                pcm: vec![0; samples],
                partial: started_ms_ago
                    .and_then(ago)
                    .map(|started| (started, Duration::from_millis(took_ms))),
                ..State::default()
            };
            assert_eq!(
                partial_is_due(&state, now),
                due,
                "{samples} {started_ms_ago:?} {took_ms}"
            );
        }
    }

    #[test]
    fn a_hint_is_made_of_names_and_is_short() {
        let phrases = [
            "book a table",
            "Cal Newport",
            "Tell me about the Very Long Title of a book",
            "DNS",
        ];
        let phrases: Vec<String> = phrases.map(str::to_owned).to_vec();
        assert_eq!(hint_of(&phrases), "Cal Newport, DNS");
        assert!(hint_of(&vec!["McDonald".to_owned(); 1_000]).len() <= HINT_BYTES_MAX);
    }
}
