//! What the voice and the playout say of a reply: made, sent, heard.

use antiphon_proto::{Event, NoticeCode, SegmentId, TurnId};

use super::Engine;
use crate::input::Mark;
use crate::reply::SegmentState;

impl Engine {
    pub(super) fn on_marks(&mut self, id: SegmentId, marks: Vec<Mark>) {
        if let Some(segment) = self.segment(id) {
            segment.add_marks(marks);
        }
    }

    pub(super) fn on_segment_started(&mut self, id: SegmentId) {
        let now = self.now;
        if let Some(segment) = self.segment(id) {
            segment.begun = true;
        }
        let draft = self.draft.as_mut().map(|draft| &mut draft.reply);
        for reply in self.reply.as_mut().into_iter().chain(draft) {
            if reply.segment(id).is_some_and(|segment| !segment.filler) {
                reply.first_audio_made_at.get_or_insert(now);
            }
        }
    }

    pub(super) fn on_segment_made(&mut self, id: SegmentId, duration_ms: u64) {
        if let Some(segment) = self.segment(id) {
            segment.made(duration_ms);
        }
    }

    pub(super) fn on_segment_failed(&mut self, id: SegmentId) {
        let draft = self.draft.as_mut().map(|draft| &mut draft.reply);
        if draft.is_some_and(|draft| draft.segment(id).is_some()) {
            // Asked again at the end of the turn, where a failure is told.
            return self.discard_draft("the voice failed");
        }
        let Some(segment) = self
            .segment(id)
            .filter(|segment| segment.state == SegmentState::Speaking && !segment.broken)
        else {
            return;
        };
        if segment.begun {
            // What was made is played to its end.
            segment.broken = true;
        } else {
            segment.state = SegmentState::Failed;
        }
        let message = "The agent's voice failed; read its words instead.".to_owned();
        self.publish(Event::Notice {
            code: NoticeCode::VoiceTrouble,
            message,
        });
        self.advance_reply();
    }

    pub(super) fn on_first_frame_sent(&mut self, id: SegmentId) {
        let now = self.now;
        let Some(reply) = &mut self.reply else { return };
        let Some(filler) = reply
            .segment(id)
            .filter(|segment| segment.state == SegmentState::Speaking)
            .map(|segment| segment.filler)
        else {
            return;
        };
        reply.audible = true;
        reply.waiting_since = now;
        if filler || reply.timeline.first_audio_sent_ms.is_some() {
            return;
        }
        let timeline = &mut reply.timeline;
        let since_end = |at: antiphon_proto::Moment| at.ms_since(reply.origin);
        timeline.first_audio_sent_ms = Some(since_end(now));
        timeline.first_token_ms = reply.first_token_at.map(since_end);
        timeline.first_audio_made_ms = reply.first_audio_made_at.map(since_end);
        // The engine's own words outside a turn (greeting, farewell) answer nothing.
        let answers = timeline.endpointing_ms.is_some() || reply.first_token_at.is_some();
        if reply.turn != TurnId(0) && (answers || !reply.interruptible) {
            let mut timeline = timeline.clone();
            if let Some((_, provider, reason)) = self.chosen.take().filter(|_| answers) {
                timeline.provider = Some(provider);
                timeline.provider_reason = Some(reason);
            }
            self.publish(Event::TurnTimeline { timeline });
        }
        if self.reply.as_ref().is_some_and(|reply| !reply.scripted) {
            self.failures = 0;
        }
    }

    pub(super) fn on_heard(&mut self, id: SegmentId, heard_ms: u64) {
        let Some(segment) = self.reply.as_mut().and_then(|reply| reply.segment(id)) else {
            return;
        };
        if segment.heard_until(heard_ms) {
            self.publish_heard(id);
        }
    }

    pub(super) fn on_segment_played(&mut self, id: SegmentId) {
        let now = self.now;
        let Some(reply) = &mut self.reply else { return };
        // Told twice, it changes nothing; and a sentence that failed was not heard, whatever the
        // playout says of its empty audio.
        let Some(segment) = reply
            .segment(id)
            .filter(|segment| segment.state == SegmentState::Speaking)
        else {
            return;
        };
        let grown = segment.played();
        reply.waiting_since = now;
        if grown {
            self.publish_heard(id);
        }
        self.advance_reply();
    }

    fn publish_heard(&mut self, id: SegmentId) {
        let Some(reply) = &mut self.reply else { return };
        let turn = reply.turn;
        if let Some(segment) = reply.segment(id) {
            let heard_utf16 = segment.heard_utf16();
            self.publish(Event::AgentHeard {
                turn,
                segment: id,
                heard_utf16,
            });
        }
    }
}
