//! Runs one call: sends a packet every 20 ms, listens, and follows the script.

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_audio::caller::CallerAudio;
use antiphon_audio::level::dbfs;
use antiphon_audio::opus::{OpusDecoder, PACKET_SAMPLES_MAX};
use antiphon_audio::{CALLER_FRAME_SAMPLES, CALLER_RATE_HZ, FRAME_MS};
use antiphon_proto::{ClientMessage, Event, EventEnvelope, Role};
use bytes::Bytes;

use super::clip::{Item, LOUD_DBFS, silence_packet};
use super::error::CallError;
use super::line::Line;
use super::peer::{AudioPacket, PeerInput};
use super::report::Report;
use super::script::{Action, Cue, Script};
use super::summary::{CallSummary, TurnLatency};

/// How long the server may take to end the session after a hang-up, so that the last events and
/// the seconds counted are seen.
const HANG_UP_WAIT: Duration = Duration::from_secs(2);

/// How long events that were sent before the connection ended may still take to be read.
const LAST_WORDS_WAIT: Duration = Duration::from_millis(500);

/// Typed words are spoken by nobody: their turn ends as they are sent.
const TYPED: Cue = Cue {
    duration_ms: 0,
    speech_end_ms: 0,
};

/// What to do in a call.
pub(crate) struct Plan {
    /// What to say, one after the other.
    pub(crate) items: Vec<Arc<Item>>,
    /// Whether to start over after the last.
    pub(crate) repeat: bool,
    /// Whether to interrupt the agent.
    pub(crate) barge_in: bool,
    /// When to end: a repeating call is complete then, any other has failed.
    pub(crate) deadline: Duration,
}

/// One call in progress.
pub(crate) struct Conversation {
    line: Line,
    plan: Plan,
    script: Script,
    report: Option<Report>,
    silence: Bytes,
    /// The clip being said, and its next packet.
    saying: Option<(Arc<Item>, usize)>,
    decoder: OpusDecoder,
    recorder: Option<Recorder>,
    heard: Heard,
    ended: bool,
}

/// What has been heard and counted.
#[derive(Debug, Default)]
struct Heard {
    user: Vec<String>,
    agent: Vec<String>,
    seconds: u64,
    audible_samples: u64,
    packets: u64,
    seq: Sequence,
}

impl Conversation {
    pub(crate) fn new(line: Line, plan: Plan, report: Option<Report>) -> Result<Self, CallError> {
        let cues = plan.items.iter().map(|item| match item.as_ref() {
            Item::Clip(clip) => Cue {
                duration_ms: clip.duration_ms(),
                speech_end_ms: clip.speech_end_ms,
            },
            Item::Text(_) => TYPED,
        });
        let script = Script::new(cues.collect(), plan.repeat, plan.barge_in);
        Ok(Self {
            line,
            script,
            plan,
            report,
            silence: silence_packet()?,
            saying: None,
            decoder: OpusDecoder::new(CALLER_RATE_HZ)?,
            recorder: None,
            heard: Heard::default(),
            ended: false,
        })
    }

    /// Records what is heard from now on.
    pub(crate) fn record(&mut self) -> Result<(), CallError> {
        self.recorder = Some(Recorder {
            audio: CallerAudio::new()?,
            seq: None,
            pcm: Vec::new(),
        });
        Ok(())
    }

    /// Runs the script to its end.
    pub(crate) async fn run(&mut self) -> Result<(), CallError> {
        if let Some(report) = &mut self.report {
            report.connected(&self.line);
        }
        for input in std::mem::take(&mut self.line.early) {
            self.take_in(input).await?;
        }
        // Late ticks are caught up with: audio that is sent keeps real time.
        let mut clock = tokio::time::interval(Duration::from_millis(u64::from(FRAME_MS)));
        let deadline = tokio::time::Instant::from_std(self.line.connected_at) + self.plan.deadline;
        let over = tokio::time::sleep_until(deadline);
        tokio::pin!(over);
        let interrupted = tokio::signal::ctrl_c();
        tokio::pin!(interrupted);
        while !self.ended {
            tokio::select! {
                biased;
                _ = &mut interrupted => return Err(CallError::Interrupted),
                () = &mut over => {
                    return if self.plan.repeat {
                        Ok(())
                    } else {
                        Err(CallError::TimedOut { seconds: self.plan.deadline.as_secs() })
                    };
                }
                input = self.line.peer.input() => self.take_in(input).await?,
                _ = clock.tick() => {
                    if self.tick().await {
                        return Ok(());
                    }
                }
            }
        }
        Ok(())
    }

    /// Hangs up, waits a moment for the last events, and ends the session.
    pub(crate) async fn end(&mut self) {
        self.say(&ClientMessage::HangUp {}).await;
        self.last_words(HANG_UP_WAIT).await;
        self.line.end().await;
    }

    /// Takes in what still comes until the session has ended. The end of the connection and the
    /// last events before it reach us on different ways, in any order.
    async fn last_words(&mut self, wait: Duration) {
        let until = tokio::time::Instant::now() + wait;
        while !self.ended {
            match tokio::time::timeout_at(until, self.line.peer.input()).await {
                Ok(PeerInput::Event(json)) => self.on_event(&json),
                Ok(PeerInput::Audio(packet)) => self.on_audio(packet),
                Ok(PeerInput::Connected | PeerInput::EventsOpen | PeerInput::Gone) => {}
                Err(_) => return,
            }
        }
    }

    /// The recording, if one was made: 16 kHz mono.
    pub(crate) fn take_recording(&mut self) -> Option<Vec<i16>> {
        self.recorder.take().map(|recorder| recorder.pcm)
    }

    /// What came of it so far.
    pub(crate) fn summary(&self) -> CallSummary {
        let turns = self.script.turns().iter().map(|turn| TurnLatency {
            user_end_ms: turn.user_end_ms,
            agent_first_audio_ms: turn.agent_first_audio_ms,
            latency_ms: turn
                .agent_first_audio_ms
                .map(|at_ms| at_ms - turn.user_end_ms),
        });
        CallSummary {
            connected: true,
            user_transcript: self.heard.user.join(" "),
            agent_text: self.heard.agent.join(" "),
            agent_audio_ms: self.heard.audible_samples / u64::from(CALLER_RATE_HZ / 1_000),
            turns: turns.collect(),
            billed_seconds: self.heard.seconds,
            connect_ms: self.line.connect_ms,
            lost_packets: self.heard.seq.lost(),
        }
    }

    /// Audio packets received.
    pub(crate) fn packets(&self) -> u64 {
        self.heard.packets
    }

    /// One frame's time. True where the script is over.
    async fn tick(&mut self) -> bool {
        let now = Instant::now();
        let now_ms = self.line.at_ms(now);
        match self.script.tick(now_ms) {
            Action::Wait => {}
            Action::Finish => return true,
            Action::Say(index) => self.begin(index, now_ms).await,
        }
        let packet = self.next_packet();
        self.line.peer.send_audio(packet).await;
        if let Some(recorder) = &mut self.recorder {
            recorder.tick(now.saturating_duration_since(self.line.connected_at));
        }
        false
    }

    async fn begin(&mut self, index: usize, now_ms: u64) {
        let item = self.plan.items[index].clone();
        if let Some(report) = &mut self.report {
            report.saying(now_ms, index);
        }
        match item.as_ref() {
            Item::Clip(_) => self.saying = Some((item, 0)),
            Item::Text(text) => {
                self.say(&ClientMessage::UserText { text: text.clone() })
                    .await
            }
        }
    }

    fn next_packet(&mut self) -> Bytes {
        if let Some((item, next)) = &mut self.saying
            && let Item::Clip(clip) = item.as_ref()
            && let Some(packet) = clip.packets.get(*next)
        {
            *next += 1;
            return packet.clone();
        }
        self.saying = None;
        self.silence.clone()
    }

    // `&mut`: the decoder may move between threads with the call, but not be shared by them.
    async fn say(&mut self, message: &ClientMessage) {
        let json = serde_json::to_string(message)
            .expect("a client message has no map keys or failing fields");
        self.line.peer.send_text(&json).await;
    }

    async fn take_in(&mut self, input: PeerInput) -> Result<(), CallError> {
        match input {
            PeerInput::Connected | PeerInput::EventsOpen => Ok(()),
            PeerInput::Gone => {
                let at_ms = self.line.at_ms(Instant::now());
                self.last_words(LAST_WORDS_WAIT).await;
                if self.ended {
                    Ok(())
                } else {
                    Err(CallError::Lost { at_ms })
                }
            }
            PeerInput::Event(json) => {
                self.on_event(&json);
                Ok(())
            }
            PeerInput::Audio(packet) => {
                self.on_audio(packet);
                Ok(())
            }
        }
    }

    fn on_event(&mut self, json: &str) {
        let now_ms = self.line.at_ms(Instant::now());
        // An event that this version does not know is passed on and otherwise ignored.
        let envelope = serde_json::from_str::<EventEnvelope>(json).ok();
        if let Some(report) = &mut self.report {
            report.event(now_ms, json, envelope.as_ref());
        }
        let Some(envelope) = envelope else {
            return;
        };
        match envelope.event {
            Event::AgentState { state } => self.script.agent_is(state),
            Event::UserTranscript {
                text,
                is_final: true,
                ..
            } => self.heard.user.push(text),
            Event::MessageCommitted { message } if message.role == Role::Agent => {
                self.heard.agent.push(message.text);
            }
            Event::Meter { seconds } => self.heard.seconds = seconds,
            Event::SessionEnded { seconds, .. } => {
                self.heard.seconds = seconds;
                self.ended = true;
            }
            Event::SessionStarted { .. }
            | Event::UserSpeech { .. }
            | Event::UserTranscript { .. }
            | Event::AgentText { .. }
            | Event::AgentHeard { .. }
            | Event::MessageCommitted { .. }
            | Event::TurnTimeline { .. }
            | Event::Safety { .. }
            | Event::Notice { .. }
            | Event::AgentChanged { .. }
            | Event::UserAway {}
            | Event::Tool { .. }
            | Event::Cost { .. }
            | Event::ProviderChanged { .. }
            | Event::SessionEnding { .. } => {}
        }
    }

    fn on_audio(&mut self, packet: AudioPacket) {
        self.heard.packets += 1;
        let seq = self.heard.seq.extend(packet.seq);
        // Decoded as it arrives, apart from any jitter buffer: what counts is when sound was here.
        let mut pcm = [0; PACKET_SAMPLES_MAX];
        if let Ok(samples) = self.decoder.decode(&packet.payload, &mut pcm)
            && dbfs(&pcm[..samples]) > LOUD_DBFS
        {
            self.heard.audible_samples += samples as u64;
            self.script.agent_sounds(self.line.at_ms(packet.at));
        }
        if let Some(recorder) = &mut self.recorder {
            let at = packet.at.saturating_duration_since(self.line.connected_at);
            recorder.insert(seq, &packet, at);
        }
    }
}

/// Counts packets that never came, by their sequence numbers.
#[derive(Debug, Default)]
struct Sequence {
    first_and_last: Option<(u64, u64)>,
    received: u64,
}

impl Sequence {
    /// The number without wrapping, and counts the packet.
    fn extend(&mut self, seq: u16) -> u64 {
        // The first is put one round up, so that an earlier one that comes late has room.
        let start = u64::from(seq) + (1 << 16);
        let (first, last) = self.first_and_last.unwrap_or((start, start));
        let ahead = seq.wrapping_sub(last as u16) as i16;
        let extended = last.saturating_add_signed(i64::from(ahead));
        self.first_and_last = Some((first.min(extended), last.max(extended)));
        self.received += 1;
        extended
    }

    fn lost(&self) -> u64 {
        let expected = self
            .first_and_last
            .map_or(0, |(first, last)| last - first + 1);
        expected.saturating_sub(self.received)
    }
}

/// Records what a listener would have heard: through a jitter buffer, in real time.
struct Recorder {
    audio: CallerAudio,
    seq: Option<u64>,
    pcm: Vec<i16>,
}

impl Recorder {
    fn insert(&mut self, seq: u64, packet: &AudioPacket, at: Duration) {
        self.seq = Some(seq);
        self.audio.insert(
            seq,
            packet.rtp_time,
            packet.payload.to_vec(),
            at.as_micros() as u64,
        );
    }

    fn tick(&mut self, at: Duration) {
        let mut frame = [0; CALLER_FRAME_SAMPLES];
        self.audio.pull_20ms(at.as_micros() as u64, &mut frame);
        self.pcm.extend_from_slice(&frame);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(received: &[u16]) -> u64 {
        let mut sequence = Sequence::default();
        for seq in received {
            sequence.extend(*seq);
        }
        sequence.lost()
    }

    #[test]
    fn losses_are_counted_across_the_wrap_and_out_of_order() {
        assert_eq!(lost(&[]), 0);
        assert_eq!(lost(&[7]), 0);
        assert_eq!(lost(&[65_534, 65_535, 0, 1]), 0);
        assert_eq!(lost(&[65_534, 1]), 2);
        assert_eq!(lost(&[10, 12, 11, 13]), 0);
        assert_eq!(lost(&[10, 9, 12]), 1);
    }

    #[test]
    fn numbers_go_on_after_the_wrap() {
        let mut sequence = Sequence::default();
        let extended: Vec<u64> = [65_535, 0, 65_534].map(|seq| sequence.extend(seq)).into();
        assert_eq!(extended[1], extended[0] + 1);
        assert_eq!(extended[2], extended[0] - 1);
    }
}
