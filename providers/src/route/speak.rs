//! Sentences from whichever voice is chosen, and from the next where one fails: at the word where
//! the first one stopped.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use antiphon_agents::Agent;
use antiphon_audio::resample::Resampler;
use antiphon_proto::SegmentId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::candidate::Candidate;
use super::clips::{Key, is_standing};
use super::facts::{Fact, Stage};
use super::router::Call;
use crate::speak::voices::VOICE_DEFAULT;
use crate::speak::{
    Speak, SpeakCapabilities, SpeakEvent, SpeakEventKind, SpeakRequest, UnknownVoice, WordMark,
};
use crate::{Fault, FaultKind, TaskHandle};

/// Events between a voice and the router.
const EVENTS_MAX: usize = 8;
/// Voices tried for one sentence.
const ATTEMPTS_MAX: usize = 4;

/// A [`Speak`] over the router's voices.
pub(super) struct RoutedSpeak {
    call: Arc<Call>,
    agent: Arc<Agent>,
    voices: Arc<BTreeMap<String, String>>,
}

impl RoutedSpeak {
    pub(super) fn new(call: Arc<Call>, agent: &Arc<Agent>) -> Self {
        Self {
            call,
            voices: Arc::clone(&agent.voice.others),
            agent: Arc::clone(agent),
        }
    }

    /// The highest of the voices' rates: one rate for the whole call, whoever speaks.
    fn common_hz(&self, voice: &str) -> Result<u32, UnknownVoice> {
        let mut highest = 0;
        let mut unknown = None;
        for candidate in &self.call.router.speak {
            match rate_of(candidate, &self.voices, voice) {
                Ok(hz) => highest = highest.max(hz),
                Err(fault) => unknown = Some(fault),
            }
        }
        match unknown {
            Some(fault) if highest == 0 => Err(fault),
            Some(_) | None => Ok(highest),
        }
    }
}

/// The name of an agent's voice in a backend: what its file says of that backend; the voice itself
/// where the backend has it; else the backend's default.
fn voice_in<'a>(
    candidate: &Candidate<dyn Speak>,
    voices: &'a BTreeMap<String, String>,
    voice: &'a str,
) -> &'a str {
    match voices.get(candidate.provider.name()) {
        Some(named) => named,
        None if candidate.provider.rate_hz(voice).is_ok() => voice,
        None if candidate.provider.rate_hz(VOICE_DEFAULT).is_ok() => VOICE_DEFAULT,
        None => voice,
    }
}

fn rate_of(
    candidate: &Candidate<dyn Speak>,
    voices: &BTreeMap<String, String>,
    voice: &str,
) -> Result<u32, UnknownVoice> {
    candidate
        .provider
        .rate_hz(voice_in(candidate, voices, voice))
}

impl Speak for RoutedSpeak {
    fn name(&self) -> &'static str {
        self.call.router.speak[0].provider.name()
    }

    fn capabilities(&self) -> SpeakCapabilities {
        self.call.router.speak[0].provider.capabilities()
    }

    fn rate_hz(&self, voice: &str) -> Result<u32, UnknownVoice> {
        self.common_hz(voice)
    }

    fn start(&self, request: SpeakRequest, events: mpsc::Sender<SpeakEvent>) -> TaskHandle {
        let sentence = Sentence {
            call: Arc::clone(&self.call),
            agent: Arc::clone(&self.agent),
            voices: Arc::clone(&self.voices),
            out_hz: self.common_hz(&request.voice).unwrap_or(0),
            events,
            said_to: 0,
            made_samples: 0,
            kept: is_standing(&self.agent, &request.text).then(Default::default),
            request,
        };
        TaskHandle::from_task(tokio::spawn(sentence.run()).abort_handle())
    }
}

/// One sentence under way.
struct Sentence {
    call: Arc<Call>,
    agent: Arc<Agent>,
    voices: Arc<BTreeMap<String, String>>,
    /// Rate of what is given out.
    out_hz: u32,
    request: SpeakRequest,
    events: mpsc::Sender<SpeakEvent>,
    /// Bytes of the text whose audio was given out, by the last mark given out.
    said_to: usize,
    /// Samples given out.
    made_samples: u64,
    /// What was given out, where it may be kept.
    kept: Option<(Vec<i16>, Vec<WordMark>)>,
}

/// Nobody listens any more.
struct Unheard;

/// One voice at work on the rest of a sentence.
struct Lane {
    index: usize,
    resampler: Option<Resampler>,
    /// Marks whose audio was not given out yet.
    waiting: VecDeque<WordMark>,
    since: Instant,
    has_audio: bool,
    chars: u64,
    from_samples: u64,
}

impl Sentence {
    async fn run(mut self) {
        let now = Instant::now();
        let call = Arc::clone(&self.call);
        let candidates = &call.router.speak;
        // A voice that changes within a call is no voice: the order stays as configured, as far
        // as breakers and the agent's lists allow.
        let mut queue: VecDeque<usize> = self.order(now).into();
        if self.say_again(&queue).await.is_some() {
            return;
        }
        let began = now;
        let mut last = Fault::new(FaultKind::Unreachable, "no voice may be used");
        while let Some(index) = queue.pop_front() {
            if !candidates[index].begin(now.into_std(), call.router.started, queue.is_empty()) {
                continue;
            }
            match self.speak_with(index, !queue.is_empty()).await {
                Err(Unheard) => return,
                Ok(Ok(())) => {
                    candidates[index].succeeded();
                    self.keep(index);
                    self.send(SpeakEventKind::Done).await.ok();
                    return;
                }
                Ok(Err(fault)) => {
                    self.kept = None;
                    let at = std::time::Instant::now();
                    candidates[index].failed(&fault, at, call.router.started);
                    call.teller.tell(Fact::FellBack {
                        stage: Stage::Speak,
                        from: Arc::clone(&candidates[index].id),
                        to: queue.front().map(|&to| Arc::clone(&candidates[to].id)),
                        kind: fault.kind,
                    });
                    last = fault;
                    // The person has waited long enough: the last one is the one that works here.
                    let first = call.router.config.deadlines.speak_first;
                    if self.made_samples == 0 && began.elapsed() >= first && queue.len() > 1 {
                        queue.drain(..queue.len() - 1);
                    }
                }
            }
        }
        self.send(SpeakEventKind::Failed { fault: last }).await.ok();
    }

    /// Says the sentence as it was said before, where it is one of those that are kept: by the
    /// voice that would be asked first.
    async fn say_again(&mut self, queue: &VecDeque<usize>) -> Option<()> {
        let first = *queue.front()?;
        let clip = self.call.router.clips.find(&self.key(first)?)?;
        let kind = SpeakEventKind::Marks {
            marks: clip.marks.to_vec(),
        };
        let mut heard = self.send(kind).await;
        for piece in clip.pcm.chunks((self.out_hz as usize / 10).max(1)) {
            if heard.is_err() {
                return Some(());
            }
            let pcm = piece.to_vec();
            heard = self.send(SpeakEventKind::Audio { pcm }).await;
        }
        self.send(SpeakEventKind::Done).await.ok();
        Some(())
    }

    /// What the sentence is kept under; none where it is not one to keep.
    fn key(&self, index: usize) -> Option<Key> {
        let candidate = &self.call.router.speak[index];
        let keeps = candidate.provider.capabilities().remote
            && is_standing(&self.agent, &self.request.text);
        keeps.then(|| Key {
            candidate: Arc::clone(&candidate.id),
            voice: voice_in(candidate, &self.voices, &self.request.voice).to_owned(),
            pace_permille: (self.request.pace * 1_000.0) as u32,
            hz: self.out_hz,
            text: self.request.text.clone(),
        })
    }

    /// Keeps the sentence, where one voice has said all of it.
    fn keep(&mut self, index: usize) {
        if let Some((key, (pcm, marks))) = self.key(index).zip(self.kept.take()) {
            self.call.router.clips.keep(key, pcm, marks);
        }
    }

    /// Voices that may be used, in the order in which they were configured; those that are left
    /// alone come last.
    fn order(&self, now: Instant) -> Vec<usize> {
        let candidates = &self.call.router.speak;
        let views: Vec<_> = candidates
            .iter()
            .map(|each| each.view(now.into_std()))
            .collect();
        let usable = |index: &usize| {
            let view = &views[*index];
            self.agent.route.permits(view.id, view.region)
                && rate_of(&candidates[*index], &self.voices, &self.request.voice).is_ok()
        };
        let mut order: Vec<usize> = (0..views.len()).filter(usable).collect();
        order.sort_by_key(|&index| !views[index].admits);
        order.truncate(ATTEMPTS_MAX);
        order
    }

    /// Lets one voice speak what is left of the sentence.
    async fn speak_with(
        &mut self,
        index: usize,
        others: bool,
    ) -> Result<Result<(), Fault>, Unheard> {
        let call = Arc::clone(&self.call);
        let candidate = &call.router.speak[index];
        let voice = voice_in(candidate, &self.voices, &self.request.voice).to_owned();
        let mut lane = match self.lane(index, candidate, &voice) {
            Ok(lane) => lane,
            Err(fault) => return Ok(Err(fault)),
        };
        let rest = self.request.text[self.said_to..].to_owned();
        let base = self.said_to;
        let request = SpeakRequest {
            text: rest,
            voice,
            ..self.request.clone()
        };
        let (sender, mut events) = mpsc::channel(EVENTS_MAX);
        let _task = candidate.provider.start(request, sender);
        let deadlines = call.router.config.deadlines;
        let ended = loop {
            let limit = if lane.has_audio {
                deadlines.speak_idle
            } else {
                deadlines.speak_first
            };
            let by = others.then(|| Instant::now() + limit);
            let event = tokio::select! {
                biased;
                event = events.recv() => event.map(|event| event.kind),
                () = at(by) => break Err(too_slow(limit)),
            };
            match event {
                Some(SpeakEventKind::Marks { marks }) => {
                    lane.waiting.extend(marks.into_iter().map(|mark| WordMark {
                        text_end: mark.text_end + base,
                        ..mark
                    }));
                    if self.request.text.trim().is_empty() {
                        self.give_marks(&mut lane, u64::MAX).await?;
                    }
                }
                Some(SpeakEventKind::Audio { pcm }) => {
                    self.give_audio(&mut lane, candidate, &pcm).await?;
                }
                Some(SpeakEventKind::Done) => {
                    self.flush(&mut lane).await?;
                    break Ok(());
                }
                Some(SpeakEventKind::Failed { fault }) => break Err(fault),
                None => break Err(Fault::internal("the voice stopped without a word")),
            }
        };
        self.settle(&lane, candidate);
        Ok(ended)
    }

    fn lane(
        &self,
        index: usize,
        candidate: &Candidate<dyn Speak>,
        voice: &str,
    ) -> Result<Lane, Fault> {
        let hz = candidate
            .provider
            .rate_hz(voice)
            .map_err(|unknown| Fault::new(FaultKind::Refused, unknown.to_string()))?;
        let resampler = if hz == self.out_hz {
            None
        } else {
            let resampler = Resampler::new(hz, self.out_hz);
            Some(resampler.map_err(|error| Fault::internal(error.to_string()))?)
        };
        let rest = &self.request.text[self.said_to..];
        Ok(Lane {
            index,
            resampler,
            waiting: VecDeque::new(),
            since: Instant::now(),
            has_audio: false,
            chars: rest.chars().count() as u64,
            from_samples: self.made_samples,
        })
    }

    async fn give_audio(
        &mut self,
        lane: &mut Lane,
        candidate: &Candidate<dyn Speak>,
        pcm: &[i16],
    ) -> Result<(), Unheard> {
        if !lane.has_audio {
            lane.has_audio = true;
            let now = Instant::now();
            candidate.first_output(now - lane.since, now.into_std(), self.call.router.started);
        }
        let pcm = match &mut lane.resampler {
            None => pcm.to_vec(),
            Some(resampler) => {
                let mut out = Vec::new();
                resampler.process(pcm, &mut out);
                out
            }
        };
        self.give(lane, pcm).await
    }

    async fn flush(&mut self, lane: &mut Lane) -> Result<(), Unheard> {
        if let Some(resampler) = &mut lane.resampler {
            let mut out = Vec::new();
            resampler.flush(&mut out);
            self.give(lane, out).await?;
        }
        self.give_marks(lane, u64::MAX).await
    }

    /// Marks are given out with the audio that ends their words, so that a voice which fails
    /// leaves no mark behind for a word that was never made.
    async fn give(&mut self, lane: &mut Lane, pcm: Vec<i16>) -> Result<(), Unheard> {
        if pcm.is_empty() {
            return Ok(());
        }
        let until = self.made_samples + pcm.len() as u64;
        self.give_marks(lane, until).await?;
        self.made_samples = until;
        if let Some((kept, _)) = &mut self.kept {
            kept.extend_from_slice(&pcm);
        }
        self.send(SpeakEventKind::Audio { pcm }).await
    }

    async fn give_marks(&mut self, lane: &mut Lane, until_samples: u64) -> Result<(), Unheard> {
        let hz = u64::from(self.out_hz.max(1));
        let base_ms = lane.from_samples * 1_000 / hz;
        let mut marks = Vec::new();
        while let Some(mark) = lane.waiting.front() {
            let end_ms = base_ms + u64::from(mark.end_ms);
            if until_samples != u64::MAX && end_ms * hz / 1_000 > until_samples {
                break;
            }
            marks.push(WordMark {
                text_end: mark.text_end,
                end_ms: u32::try_from(end_ms).unwrap_or(u32::MAX),
            });
            self.said_to = self
                .said_to
                .max(floor_boundary(&self.request.text, mark.text_end));
            lane.waiting.pop_front();
        }
        if marks.is_empty() {
            return Ok(());
        }
        if let Some((_, kept)) = &mut self.kept {
            kept.extend_from_slice(&marks);
        }
        self.send(SpeakEventKind::Marks { marks }).await
    }

    /// The text sent is what is paid for, however much of it was heard.
    fn settle(&self, lane: &Lane, candidate: &Candidate<dyn Speak>) {
        debug_assert_eq!(self.call.router.speak[lane.index].id, candidate.id);
        if let Some(price) = &candidate.price {
            let samples = self.made_samples - lane.from_samples;
            let audio_ms = samples * 1_000 / u64::from(self.out_hz.max(1));
            self.call
                .spend(candidate, price.of_speech(lane.chars, audio_ms));
        }
    }

    async fn send(&self, kind: SpeakEventKind) -> Result<(), Unheard> {
        let segment: SegmentId = self.request.segment;
        self.events
            .send(SpeakEvent { segment, kind })
            .await
            .map_err(|_| Unheard)
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn too_slow(limit: Duration) -> Fault {
    let reason = format!("no audio within {} ms", limit.as_millis());
    Fault::new(FaultKind::TooSlow, reason)
}

async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}
