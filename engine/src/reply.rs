//! What the agent is saying now, and how much of it was heard.

use std::collections::VecDeque;

use antiphon_proto::{AgentId, GenerationId, Moment, SegmentId, ToolCall, TurnId, TurnTimeline};

use crate::input::Mark;
use crate::sentence::SentenceSplitter;

/// Segments handed to the voice ahead of the one that plays: enough that none is waited for,
/// little enough that a cancelled reply wastes little.
pub(crate) const SEGMENTS_AHEAD: usize = 2;
/// Segments of one reply; the responder is stopped at this.
pub(crate) const SEGMENTS_MAX: usize = 128;
/// Milliseconds a character takes in speech, for segments whose marks did not come (150 words a
/// minute of six characters).
const MS_PER_CHAR: u64 = 66;

/// One reply of the agent: sentences, and rounds of tool calls between them.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) turn: TurnId,
    /// Set while the responder runs.
    pub(crate) generation: Option<GenerationId>,
    pub(crate) splitter: SentenceSplitter,
    pub(crate) segments: VecDeque<Segment>,
    /// What the turn's timeline says beside the moments below.
    pub(crate) timeline: TurnTimeline,
    /// When the person's turn ended; the zero of the timeline.
    pub(crate) origin: Moment,
    /// When it was begun, or last begun again.
    pub(crate) started_at: Moment,
    pub(crate) first_token_at: Option<Moment>,
    /// When the responder last said anything.
    pub(crate) last_token_at: Option<Moment>,
    pub(crate) first_audio_made_at: Option<Moment>,
    /// True once a frame of it was sent.
    pub(crate) audible: bool,
    /// True while the playout is held because the person speaks over it.
    pub(crate) held: bool,
    /// True where the reply is the engine's own words (greeting, apology, farewell).
    pub(crate) scripted: bool,
    /// False where it is said to its end whatever the person does.
    pub(crate) interruptible: bool,
    /// True where the call ends once the reply has been heard whole.
    pub(crate) hang_up: bool,
    /// Who takes the call over once the reply has been heard whole.
    pub(crate) hand_off: Option<AgentId>,
    /// Rounds of tool calls so far.
    pub(crate) step: u32,
    pub(crate) tools: Vec<ToolUse>,
    /// Failures of the responder that were retried.
    pub(crate) retries: u32,
    /// Fillers said.
    pub(crate) fillers: u32,
    /// The last sentence of which a part was not let pass: nothing more of it is said.
    blocked: Option<u32>,
    /// Since when the person has been waiting in silence.
    pub(crate) waiting_since: Moment,
}

/// A tool called in a reply.
#[derive(Clone, Debug)]
pub(crate) struct ToolUse {
    pub(crate) step: u32,
    pub(crate) call: ToolCall,
    pub(crate) started_at: Moment,
    pub(crate) result: Option<String>,
}

/// One sentence of a reply.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    pub(crate) id: SegmentId,
    pub(crate) text: String,
    pub(crate) state: SegmentState,
    /// The round of the reply that it belongs to.
    pub(crate) step: u32,
    /// Which sentence of the responder it is, or is a part of.
    pub(crate) sentence: Option<u32>,
    /// True for words that only pass the time.
    pub(crate) filler: bool,
    /// True once some of its audio was made.
    pub(crate) begun: bool,
    /// True where the voice broke off: what was made is heard, the rest never.
    pub(crate) broken: bool,
    marks: Vec<Mark>,
    duration_ms: Option<u64>,
    /// Bytes of `text` heard; only grows.
    heard: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SegmentState {
    /// Waits for the safety check.
    Unchecked,
    /// Passed; not yet given to the voice.
    Cleared,
    /// Given to the voice.
    Speaking,
    /// Played to its end.
    Played,
    /// Could not be spoken.
    Failed,
}

impl Segment {
    pub(crate) fn new(id: SegmentId, step: u32, text: String) -> Self {
        Self {
            id,
            text,
            state: SegmentState::Unchecked,
            step,
            sentence: None,
            filler: false,
            begun: false,
            broken: false,
            marks: Vec::new(),
            duration_ms: None,
            heard: 0,
        }
    }

    /// To be said, with other words where they are given; empty ones are not.
    fn say(&mut self, text: Option<String>) {
        self.text = text.unwrap_or_else(|| std::mem::take(&mut self.text));
        self.state = if self.text.trim().is_empty() {
            SegmentState::Failed
        } else {
            SegmentState::Cleared
        };
    }

    /// Not to be said, and not to be told of.
    fn give_up(&mut self) {
        self.text.clear();
        self.state = SegmentState::Failed;
    }

    pub(crate) fn add_marks(&mut self, marks: Vec<Mark>) {
        self.marks.extend(marks);
    }

    pub(crate) fn made(&mut self, duration_ms: u64) {
        self.duration_ms = Some(duration_ms);
    }

    /// Notes that `heard_ms` of the audio was heard; true where another word was.
    pub(crate) fn heard_until(&mut self, heard_ms: u64) -> bool {
        let heard = if self.marks.is_empty() {
            self.estimate(heard_ms)
        } else {
            self.by_marks(heard_ms)
        };
        let grown = heard > self.heard;
        self.heard = self.heard.max(heard);
        grown
    }

    pub(crate) fn played(&mut self) -> bool {
        self.state = SegmentState::Played;
        if self.broken {
            return false;
        }
        let grown = self.heard < self.text.len();
        self.heard = self.text.len();
        grown
    }

    fn by_marks(&self, heard_ms: u64) -> usize {
        let last = self
            .marks
            .iter()
            .take_while(|mark| mark.end_ms <= heard_ms)
            .last();
        let end = last.map_or(0, |mark| mark.text_end.min(self.text.len()));
        floor_char_boundary(&self.text, end)
    }

    /// Whole words in proportion to time, for a voice without marks.
    fn estimate(&self, heard_ms: u64) -> usize {
        let chars = self.text.chars().count() as u64;
        let duration_ms = self.duration_ms.unwrap_or(chars * MS_PER_CHAR).max(1);
        let bytes =
            (self.text.len() as u64 * heard_ms / duration_ms).min(self.text.len() as u64) as usize;
        if bytes == self.text.len() {
            return bytes;
        }
        let end = floor_char_boundary(&self.text, bytes);
        self.text[..end].rfind(' ').unwrap_or(0)
    }

    pub(crate) fn heard_text(&self) -> &str {
        self.text[..self.heard].trim_end()
    }

    pub(crate) fn heard_utf16(&self) -> u32 {
        self.text[..self.heard].encode_utf16().count() as u32
    }

    /// What was not heard of it.
    fn unheard_text(&self) -> &str {
        self.text[self.heard..].trim()
    }

    fn over(&self) -> bool {
        matches!(self.state, SegmentState::Played | SegmentState::Failed)
    }
}

impl Reply {
    pub(crate) fn new(turn: TurnId, origin: Moment, now: Moment) -> Self {
        let timeline = TurnTimeline {
            turn,
            user_end_at_ms: origin.ms(),
            ..TurnTimeline::default()
        };
        Self {
            turn,
            generation: None,
            splitter: SentenceSplitter::default(),
            segments: VecDeque::new(),
            timeline,
            origin,
            started_at: now,
            first_token_at: None,
            last_token_at: None,
            first_audio_made_at: None,
            audible: false,
            held: false,
            scripted: false,
            interruptible: true,
            hang_up: false,
            hand_off: None,
            step: 0,
            tools: Vec::new(),
            retries: 0,
            fillers: 0,
            blocked: None,
            waiting_since: now,
        }
    }

    pub(crate) fn segment(&mut self, id: SegmentId) -> Option<&mut Segment> {
        self.segments.iter_mut().find(|segment| segment.id == id)
    }

    /// Lets a checked segment pass, unless another part of its sentence was not.
    pub(crate) fn clear(&mut self, id: SegmentId) {
        let blocked = self.blocked;
        let Some(segment) = self.unchecked(id) else {
            return;
        };
        if segment.sentence.is_some() && segment.sentence == blocked {
            segment.give_up();
        } else {
            segment.say(None);
        }
    }

    /// Puts reviewed words in the place of a segment. Nothing more of its sentence is said: what
    /// was to come before it neither, where it is not on its way yet.
    pub(crate) fn replace(&mut self, id: SegmentId, text: String) {
        let blocked = self.blocked;
        let Some(segment) = self.unchecked(id) else {
            return;
        };
        let sentence = segment.sentence;
        if sentence.is_some() && sentence == blocked {
            // The words that stand for this sentence are said already.
            return segment.give_up();
        }
        segment.say(Some(text));
        if sentence.is_none() {
            return;
        }
        self.blocked = sentence;
        let parts = self.segments.iter_mut().filter(|part| {
            part.id != id && part.sentence == sentence && part.state == SegmentState::Cleared
        });
        parts.for_each(Segment::give_up);
    }

    fn unchecked(&mut self, id: SegmentId) -> Option<&mut Segment> {
        self.segment(id)
            .filter(|segment| segment.state == SegmentState::Unchecked)
    }

    /// The next sentence to hand to the voice, in order, while at most `ahead_max` others are there.
    pub(crate) fn next_to_speak(&mut self, ahead_max: usize) -> Option<&mut Segment> {
        let ahead = self
            .segments
            .iter()
            .filter(|segment| segment.state == SegmentState::Speaking)
            .count();
        if ahead > ahead_max {
            return None;
        }
        let next = self.segments.iter_mut().find(|segment| {
            matches!(
                segment.state,
                SegmentState::Unchecked | SegmentState::Cleared
            )
        })?;
        (next.state == SegmentState::Cleared).then_some(next)
    }

    /// True while something of it plays or is about to.
    pub(crate) fn sounding(&self) -> bool {
        self.audible && self.in_voice()
    }

    /// True while the voice makes or plays a sentence.
    pub(crate) fn in_voice(&self) -> bool {
        self.segments
            .iter()
            .any(|segment| segment.state == SegmentState::Speaking)
    }

    /// True where every sentence so far is over.
    pub(crate) fn silent(&self) -> bool {
        self.segments.iter().all(Segment::over)
    }

    /// True where it has said anything in this round that is no filler, or is about to.
    pub(crate) fn has_words(&self) -> bool {
        let mut of_round = self.segments.iter().filter(|s| s.step == self.step);
        of_round.any(|segment| !segment.filler)
    }

    pub(crate) fn awaits_tools(&self) -> bool {
        self.tools.iter().any(|tool| tool.result.is_none())
    }

    /// True once nothing more will be said.
    pub(crate) fn finished(&self) -> bool {
        self.generation.is_none() && !self.awaits_tools() && self.silent()
    }

    /// The words of a round that were heard, and whether they are less than all there was to say.
    pub(crate) fn heard_in(&self, step: u32) -> (String, bool) {
        let mut words: Vec<&str> = Vec::new();
        let mut whole = self.generation.is_none() || step < self.step;
        for segment in self.segments.iter().filter(|segment| segment.step == step) {
            if segment.state == SegmentState::Failed {
                continue;
            }
            if !segment.heard_text().is_empty() {
                words.push(segment.heard_text());
            }
            // The playout goes in order: behind a sentence that was not heard whole is nothing.
            let given_up = segment.broken && segment.over();
            if !segment.unheard_text().is_empty() && !given_up {
                whole = false;
                break;
            }
        }
        (words.join(" "), !whole)
    }

    /// All words of a round, heard or still to be heard.
    pub(crate) fn said_in(&self, step: u32) -> String {
        let of_step = self.segments.iter().filter(|segment| segment.step == step);
        let words: Vec<&str> = of_step.map(|segment| segment.text.as_str()).collect();
        words.join(" ")
    }

    /// The words that the person did not hear; fillers left out.
    pub(crate) fn unsaid(&self) -> String {
        let rest = self.segments.iter().filter(|segment| !segment.filler);
        let words: Vec<&str> = rest
            .map(Segment::unheard_text)
            .filter(|text| !text.is_empty())
            .collect();
        words.join(" ")
    }
}

fn floor_char_boundary(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segment(text: &str) -> Segment {
        Segment::new(SegmentId(1), 0, text.to_owned())
    }

    #[test]
    fn heard_words_follow_the_marks() {
        let mut segment = segment("Hello dear friend.");
        segment.add_marks(vec![
            Mark {
                text_end: 5,
                end_ms: 300,
            },
            Mark {
                text_end: 10,
                end_ms: 600,
            },
            Mark {
                text_end: 18,
                end_ms: 1_000,
            },
        ]);
        assert!(!segment.heard_until(299));
        assert!(segment.heard_until(640));
        assert_eq!(segment.heard_text(), "Hello dear");
        assert!(!segment.heard_until(10), "what was heard is not unheard");
        assert_eq!(segment.heard_text(), "Hello dear");
    }

    #[test]
    fn without_marks_whole_words_in_proportion() {
        let mut segment = segment("äöü dear friend.");
        segment.made(1_000);
        segment.heard_until(500);
        assert_eq!(segment.heard_text(), "äöü");
        segment.heard_until(1_000);
        assert_eq!(segment.heard_text(), "äöü dear friend.");
    }

    #[test]
    fn utf16_counts_what_javascript_counts() {
        let mut segment = segment("Hi 👋 you");
        segment.add_marks(vec![Mark {
            text_end: "Hi 👋".len(),
            end_ms: 1,
        }]);
        segment.heard_until(1);
        assert_eq!(segment.heard_utf16(), 5);
    }

    #[test]
    fn marks_outside_the_text_do_no_harm() {
        let mut segment = segment("äö");
        segment.add_marks(vec![
            Mark {
                text_end: 1,
                end_ms: 0,
            },
            Mark {
                text_end: 99,
                end_ms: 5,
            },
        ]);
        segment.heard_until(0);
        assert_eq!(segment.heard_text(), "");
        segment.heard_until(5);
        assert_eq!(segment.heard_text(), "äö");
    }
}
