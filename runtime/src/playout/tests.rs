use super::*;

const FRAME: usize = 320;

fn queued(frames: usize) -> Playout {
    let mut playout = Playout::new(16_000);
    playout.begin(SegmentId(1));
    playout.push(SegmentId(1), &vec![1_000; frames * FRAME]);
    playout
}

fn facts(playout: &mut Playout, ticks: u64, unheard_ms: u32) -> Vec<PlayoutFact> {
    let mut facts = Vec::new();
    for tick in 0..ticks {
        let now = Moment::from_ms(tick * 20);
        if let NextFrame::Sound(_, Some(fact)) = playout.next_frame(now) {
            facts.push(fact);
        }
        while let Some(fact) = playout.poll_heard(now, unheard_ms, false) {
            facts.push(fact);
        }
    }
    facts
}

#[test]
fn heard_comes_after_sent_by_the_receivers_buffer() {
    let mut playout = queued(6);
    assert_eq!(playout.complete(SegmentId(1)), 120);
    let played_at = |ticks| facts(&mut queued_complete(6), ticks, 100);
    assert!(
        !played_at(10).contains(&PlayoutFact::Played(SegmentId(1))),
        "sent at 100 ms, heard at 200 ms"
    );
    assert!(played_at(11).contains(&PlayoutFact::Played(SegmentId(1))));
    assert_eq!(
        facts(&mut playout, 11, 100)[0],
        PlayoutFact::FirstFrameSent(SegmentId(1))
    );
}

fn queued_complete(frames: usize) -> Playout {
    let mut playout = queued(frames);
    playout.complete(SegmentId(1));
    playout
}

#[test]
fn an_end_learned_late_still_ends_the_sentence() {
    let mut playout = queued(2);
    assert_eq!(
        facts(&mut playout, 3, 0),
        [PlayoutFact::FirstFrameSent(SegmentId(1))]
    );
    playout.complete(SegmentId(1));
    assert_eq!(
        facts(&mut playout, 1, 0),
        [
            PlayoutFact::Heard(SegmentId(1), 40),
            PlayoutFact::Played(SegmentId(1))
        ]
    );
}

#[test]
fn a_sentence_without_audio_is_played_at_once() {
    let mut playout = Playout::new(16_000);
    playout.begin(SegmentId(7));
    playout.complete(SegmentId(7));
    assert_eq!(
        facts(&mut playout, 1, 0),
        [PlayoutFact::Played(SegmentId(7))]
    );
}

#[test]
fn a_pause_keeps_the_rest_and_fades() {
    let mut playout = queued_complete(4);
    assert!(matches!(
        playout.next_frame(Moment(0)),
        NextFrame::Sound(..)
    ));
    playout.pause();
    let NextFrame::Sound(frame, None) = playout.next_frame(Moment::from_ms(20)) else {
        panic!("a faded frame")
    };
    assert_eq!((frame[0] > 900, frame[FRAME - 1]), (true, 0));
    assert!(matches!(
        playout.next_frame(Moment::from_ms(40)),
        NextFrame::Silence
    ));
    playout.resume();
    let mut rest = 0;
    while let NextFrame::Sound(frame, _) = playout.next_frame(Moment::from_ms(60)) {
        rest += frame.iter().filter(|sample| **sample != 0).count();
    }
    assert!(rest > 3 * FRAME - 100, "{rest} samples after the pause");
}

#[test]
fn a_stop_sends_one_faded_frame_and_reports_nothing() {
    let mut playout = queued_complete(10);
    assert!(matches!(
        playout.next_frame(Moment(0)),
        NextFrame::Sound(..)
    ));
    playout.stop();
    let NextFrame::Sound(frame, None) = playout.next_frame(Moment::from_ms(20)) else {
        panic!("a faded frame")
    };
    assert_eq!(frame[FRAME - 1], 0);
    assert!(matches!(
        playout.next_frame(Moment::from_ms(40)),
        NextFrame::Silence
    ));
    assert_eq!(playout.poll_heard(Moment::from_ms(9_000), 0, true), None);
}

#[test]
fn a_gap_inside_a_sentence_is_an_underrun_and_before_it_is_not() {
    let mut playout = Playout::new(16_000);
    playout.begin(SegmentId(1));
    assert!(matches!(playout.next_frame(Moment(0)), NextFrame::Silence));
    playout.push(SegmentId(1), &[1; FRAME]);
    assert!(matches!(
        playout.next_frame(Moment(0)),
        NextFrame::Sound(..)
    ));
    assert!(matches!(playout.next_frame(Moment(0)), NextFrame::Underrun));
}

fn with_words(frames: usize) -> Playout {
    let mut playout = queued_complete(frames);
    // Words end every 100 ms.
    playout.mark_words(SegmentId(1), (1..20).map(|word| word * 100));
    playout
}

fn sounds(playout: &mut Playout, from_ms: u64, frames: u64) -> Vec<i16> {
    let mut sent = Vec::new();
    for nth in 0..frames {
        if let NextFrame::Sound(frame, _) = playout.next_frame(Moment::from_ms(from_ms + nth * 20))
        {
            sent.extend(frame);
        }
    }
    sent
}

#[test]
fn a_held_reply_goes_on_at_the_beginning_of_the_word_that_was_cut() {
    let mut playout = with_words(20);
    sounds(&mut playout, 0, 7);
    playout.pause();
    sounds(&mut playout, 140, 3);
    playout.resume();
    // 145 ms were sent; the second word begins at 100 ms, so 300 of 400 ms are left.
    assert_eq!(playout.queued_ms(), 300);
    // The rest is whole: nothing of it is lost.
    assert_eq!(sounds(&mut playout, 300, 30).len(), 15 * FRAME);
}

#[test]
fn without_words_nothing_is_said_again() {
    let mut playout = queued_complete(20);
    sounds(&mut playout, 0, 7);
    playout.pause();
    sounds(&mut playout, 140, 3);
    playout.resume();
    assert_eq!(playout.queued_ms(), 255);
}

#[test]
fn ducking_is_smooth_and_taken_back() {
    let mut playout = queued_complete(20);
    let full = sounds(&mut playout, 0, 2);
    playout.duck(true);
    let ramp = sounds(&mut playout, 40, 1);
    let low = sounds(&mut playout, 60, 1);
    assert_eq!(full.last(), Some(&1_000));
    assert!(ramp.windows(2).all(|pair| pair[0] >= pair[1]), "no step");
    assert!(low.iter().all(|sample| (190..=210).contains(sample)));
    playout.duck(false);
    sounds(&mut playout, 80, 1);
    assert!(
        sounds(&mut playout, 100, 1)
            .iter()
            .all(|sample| *sample == 1_000)
    );
}

#[test]
fn what_was_made_early_waits_for_its_release() {
    let mut playout = Playout::new(16_000);
    playout.hold();
    playout.begin(SegmentId(1));
    playout.push(SegmentId(1), &vec![1_000; 4 * FRAME]);
    playout.complete(SegmentId(1));
    assert!(!playout.begins());
    assert!(sounds(&mut playout, 0, 3).is_empty());
    playout.release();
    assert!(playout.begins());
    assert_eq!(sounds(&mut playout, 60, 9).len(), 4 * FRAME);
    // A discarded one leaves nothing behind, and the next is not held.
    let mut playout = Playout::new(16_000);
    playout.hold();
    playout.begin(SegmentId(1));
    playout.push(SegmentId(1), &vec![1_000; 4 * FRAME]);
    playout.stop();
    assert!(sounds(&mut playout, 0, 9).is_empty());
    playout.begin(SegmentId(2));
    playout.push(SegmentId(2), &vec![1_000; FRAME]);
    assert_eq!(sounds(&mut playout, 200, 1).len(), FRAME);
}
