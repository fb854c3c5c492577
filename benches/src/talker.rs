//! What a simulated caller says and notes: it asks, waits for the answer to end, and asks again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use antiphon_audio::opus::{OpusDecoder, PACKET_SAMPLES_MAX};
use antiphon_proto::{Event, EventEnvelope, TurnTimeline};

use crate::clip::Clip;

/// Silence that ends an answer: longer than the pause between two sentences.
const ANSWER_OVER: Duration = Duration::from_millis(700);
/// An answer that has not begun after this long does not come.
const ANSWER_WITHIN: Duration = Duration::from_secs(8);
/// Length of a packet: what was said in its first sample is sent so much later.
const FRAME: Duration = Duration::from_millis(20);
/// A packet that comes so long after the one before it, within an answer, is a gap that a
/// receiver's jitter buffer may not hide.
pub const GAP: Duration = Duration::from_millis(60);

/// How to tell the agent's sound from its silence.
#[derive(Debug)]
pub enum Sound {
    /// Packets longer than so many bytes have sound. Right for tones against digital silence.
    LargerThan(usize),
    /// Packets are decoded; those with a sample above the peak have sound.
    Louder {
        /// The decoder.
        decoder: Box<OpusDecoder>,
        /// The peak.
        peak: u16,
    },
}

impl Sound {
    fn is_in(&mut self, payload: &[u8]) -> bool {
        match self {
            Self::LargerThan(bytes) => payload.len() > *bytes,
            Self::Louder { decoder, peak } => {
                let mut pcm = [0; PACKET_SAMPLES_MAX];
                let samples = decoder.decode(payload, &mut pcm).unwrap_or(0);
                pcm[..samples]
                    .iter()
                    .any(|sample| sample.unsigned_abs() > *peak)
            }
        }
    }
}

/// One question and its answer.
#[derive(Clone, Debug)]
pub struct Answered {
    /// Which of the clips was asked.
    pub clip: usize,
    /// When the question's first sample was spoken.
    pub began_at: Instant,
    /// When the first packet with sound came.
    pub answered_at: Instant,
    /// The server's own account of the turn, where it sent one.
    pub timeline: Option<TurnTimeline>,
}

/// What a caller has noted.
#[derive(Clone, Debug, Default)]
pub struct Notes {
    /// Questions that were answered.
    pub answered: Vec<Answered>,
    /// Questions that were not.
    pub unanswered: usize,
    /// When packets within answers came later than [`GAP`] after the one before.
    pub gaps: Vec<Instant>,
    /// Packets that never came, by their sequence numbers.
    pub lost: u64,
    /// True once media could flow.
    pub connected: bool,
}

/// The script of one caller.
#[derive(Debug)]
pub struct Talker {
    clips: Arc<Vec<Clip>>,
    silence: Arc<Vec<u8>>,
    sound: Sound,
    /// Between the end of an answer and the next question.
    pause: Duration,
    next_clip: usize,
    /// Questions still to be asked; without end where none.
    left: Option<usize>,
    phase: Phase,
    began_at: Instant,
    last_packet: Option<(u64, Instant)>,
    notes: Notes,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    Resting { until: Instant },
    Asking { sent: usize },
    Waiting { since: Instant },
    Hearing { last_sound: Instant },
}

impl Talker {
    /// Asks `clips` in turn, the first at `first_at`, each `pause` after the answer before it.
    pub fn new(
        clips: Arc<Vec<Clip>>,
        silence: Arc<Vec<u8>>,
        sound: Sound,
        first_at: Instant,
        pause: Duration,
    ) -> Self {
        Self {
            clips,
            silence,
            sound,
            pause,
            next_clip: 0,
            left: None,
            phase: Phase::Resting { until: first_at },
            began_at: first_at,
            last_packet: None,
            notes: Notes::default(),
        }
    }

    /// Asks so many questions and is done.
    #[must_use]
    pub fn asking(mut self, questions: usize) -> Self {
        self.left = Some(questions);
        self
    }

    /// True once every question was asked and its answer heard out.
    pub fn done(&self) -> bool {
        self.left == Some(0)
    }

    /// What has been noted so far.
    pub fn notes(&self) -> &Notes {
        &self.notes
    }

    /// What has been noted.
    pub fn into_notes(self) -> Notes {
        self.notes
    }

    /// Media can flow.
    pub fn connected(&mut self) {
        self.notes.connected = true;
    }

    /// The packet to send at `now`; asked for every 20 ms.
    pub fn next_packet(&mut self, now: Instant) -> &[u8] {
        match self.phase {
            Phase::Resting { until } if now >= until => {
                self.phase = Phase::Asking { sent: 0 };
            }
            Phase::Waiting { since } if now >= since + ANSWER_WITHIN => {
                self.notes.unanswered += 1;
                self.rest(now);
            }
            Phase::Hearing { last_sound } if now >= last_sound + ANSWER_OVER => self.rest(now),
            Phase::Resting { .. }
            | Phase::Waiting { .. }
            | Phase::Hearing { .. }
            | Phase::Asking { .. } => {}
        }
        let Phase::Asking { sent } = self.phase else {
            return &self.silence;
        };
        let clip = &self.clips[self.next_clip];
        // The last packet sent says when the clip began: a caller that was held up for a moment is
        // late with the rest as well.
        self.began_at = now
            .checked_sub(FRAME * (sent as u32 + 1))
            .unwrap_or(self.began_at);
        let speech_frames = clip.speech_end.as_micros().div_ceil(FRAME.as_micros()) as usize;
        self.phase = if sent + 1 >= speech_frames.min(clip.packets.len()) {
            Phase::Waiting { since: now }
        } else {
            Phase::Asking { sent: sent + 1 }
        };
        &clip.packets[sent]
    }

    /// A packet of the agent came.
    pub fn hear(&mut self, now: Instant, seq: u64, payload: &[u8]) {
        let before = self.last_packet.replace((seq, now));
        if let Some((last_seq, last_at)) = before {
            self.notes.lost += seq.saturating_sub(last_seq + 1);
            if matches!(self.phase, Phase::Hearing { .. }) && now - last_at > GAP {
                self.notes.gaps.push(now);
            }
        }
        if !self.sound.is_in(payload) {
            return;
        }
        match self.phase {
            Phase::Waiting { .. } => {
                self.notes.answered.push(Answered {
                    clip: self.next_clip,
                    began_at: self.began_at,
                    answered_at: now,
                    timeline: None,
                });
                self.phase = Phase::Hearing { last_sound: now };
            }
            Phase::Hearing { .. } => self.phase = Phase::Hearing { last_sound: now },
            // A greeting, or the tail of an answer: it is heard out.
            Phase::Resting { until } => {
                let until = until.max(now + ANSWER_OVER);
                self.phase = Phase::Resting { until };
            }
            Phase::Asking { .. } => {}
        }
    }

    /// An event of the session came.
    pub fn event(&mut self, json: &[u8]) {
        // Cheaper than parsing every caption.
        let name = b"\"turn_timeline\"";
        if !json.windows(name.len()).any(|window| window == name) {
            return;
        }
        let Ok(envelope) = serde_json::from_slice::<EventEnvelope>(json) else {
            return;
        };
        if let (Event::TurnTimeline { timeline }, Some(last)) =
            (envelope.event, self.notes.answered.last_mut())
        {
            last.timeline.get_or_insert(timeline);
        }
    }

    fn rest(&mut self, now: Instant) {
        self.next_clip = (self.next_clip + 1) % self.clips.len();
        self.left = self.left.map(|left| left.saturating_sub(1));
        self.phase = Phase::Resting {
            until: now + self.pause,
        };
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const TICK: Duration = Duration::from_millis(20);

    fn talker(start: Instant) -> Talker {
        let clip = Clip {
            packets: vec![vec![1; 50]; 10],
            speech_end: Duration::from_millis(95),
            vad_end: None,
            stretches: 0,
        };
        Talker::new(
            Arc::new(vec![clip]),
            Arc::new(vec![0; 3]),
            Sound::LargerThan(10),
            start,
            TICK,
        )
    }

    #[test]
    fn a_question_an_answer_and_the_next_question() {
        let start = Instant::now() + Duration::from_secs(1);
        let mut talker = talker(start);
        let mut now = start;
        for _ in 0..5 {
            assert_eq!(talker.next_packet(now).len(), 50);
            now += TICK;
        }
        assert_eq!(talker.next_packet(now).len(), 3, "the speech has ended");
        talker.hear(now, 1, &[0; 3]);
        talker.hear(now + TICK, 2, &[0; 60]);
        talker.hear(now + 5 * TICK, 4, &[0; 60]);
        let notes = talker.notes();
        let [answered] = &notes.answered[..] else {
            panic!("one answer")
        };
        assert_eq!(answered.answered_at, now + TICK);
        assert_eq!(
            answered.began_at,
            start - TICK,
            "a packet is sent when its 20 ms are over"
        );
        assert_eq!((notes.gaps.len(), notes.lost), (1, 1));
        now += 5 * TICK + ANSWER_OVER;
        assert_eq!(talker.next_packet(now).len(), 3);
        assert_eq!(talker.next_packet(now + TICK).len(), 50);
    }

    #[test]
    fn no_answer_is_noted() {
        let start = Instant::now() + Duration::from_secs(1);
        let mut talker = talker(start);
        for tick in 0..5 {
            talker.next_packet(start + tick * TICK);
        }
        talker.next_packet(start + 5 * TICK + ANSWER_WITHIN);
        assert_eq!(talker.notes().unanswered, 1);
    }
}
