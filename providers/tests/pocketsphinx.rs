//! The recognizer as a call sees it: one last event for each utterance, whatever is said to it.
//! Needs Debian's model; where it is absent each test prints why it is skipped.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use antiphon_audio::file::read_audio_file;
use antiphon_proto::{SegmentId, UtteranceId};
use antiphon_providers::hear::pocketsphinx::{
    PocketSphinx, PocketSphinxConfig, PocketSphinxError, UTTERANCE_S_MAX, WAITING_S_MAX,
};
use antiphon_providers::hear::{
    HEAR_RATE_HZ, Hear, HearContext, HearEvent, HearEventKind, HearStream,
};
use antiphon_providers::speak::flite::Flite;
use antiphon_providers::speak::{Speak, SpeakEventKind, SpeakRequest};
use tokio::sync::mpsc;

const SECOND: usize = HEAR_RATE_HZ as usize;

#[test]
fn an_unknown_model_folder_says_what_to_install() {
    let config = PocketSphinxConfig {
        model: Some(PathBuf::from("/nonexistent")),
        decoders_max: None,
    };
    let error = PocketSphinx::new(config).map(|_| ()).unwrap_err();
    assert!(matches!(error, PocketSphinxError::ModelMissing { .. }));
    assert!(error.to_string().contains("pocketsphinx-en-us"), "{error}");
}

#[test]
fn each_finished_utterance_gets_exactly_one_final_whatever_was_heard() {
    let Some(recognizer) = recognizer(2) else {
        return;
    };
    let (mut stream, mut events) = open(&recognizer, HearContext::default());
    let cases: [(&str, Vec<i16>); 7] = [
        ("nothing", Vec::new()),
        ("one sample", vec![1]),
        ("digital silence", vec![0; SECOND]),
        ("noise", noise(SECOND, 8_000)),
        (
            "clipped square",
            (0..SECOND)
                .map(|i| if i / 40 % 2 == 0 { i16::MAX } else { i16::MIN })
                .collect(),
        ),
        ("constant", vec![i16::MIN; SECOND / 2]),
        ("long noise", noise(20 * SECOND, 300)),
    ];
    for (at, (what, pcm)) in (1..).zip(cases) {
        stream.begin(UtteranceId(at));
        pcm.chunks(320).for_each(|packet| stream.push(packet));
        stream.finish();
        stream.finish();
        stream.push(&[7; 320]);
        let (last, _) = wait_last(&mut events, UtteranceId(at));
        assert!(
            matches!(last, HearEventKind::Final { .. }),
            "{what}: {last:?}"
        );
    }
    drop(stream);
    assert_eq!(drain(&mut events), [], "nothing follows the last event");
}

#[test]
fn a_cancelled_utterance_says_nothing_and_the_next_one_is_heard() {
    let Some(recognizer) = recognizer(1) else {
        return;
    };
    let (mut stream, mut events) = open(&recognizer, HearContext::default());
    stream.begin(UtteranceId(1));
    stream.push(&noise(3 * SECOND, 2_000));
    stream.finish();
    stream.cancel();
    stream.begin(UtteranceId(2));
    stream.push(&noise(SECOND, 2_000));
    // A new utterance without an end of the one before cancels that.
    stream.begin(UtteranceId(3));
    stream.push(&noise(SECOND, 2_000));
    stream.finish();
    let event = events.blocking_recv().unwrap();
    let mut seen = vec![event];
    seen.extend(until_last(&mut events, UtteranceId(3), &seen[0]));
    assert!(
        seen.iter().all(|event| event.utterance == UtteranceId(3)),
        "{seen:?}"
    );
}

#[test]
fn utterances_wait_for_a_decoder_and_catch_up() {
    let Some(recognizer) = recognizer(1) else {
        return;
    };
    let mut calls: Vec<_> = (0..4)
        .map(|_| open(&recognizer, HearContext::default()))
        .collect();
    for (stream, _) in &mut calls {
        stream.begin(UtteranceId(1));
        stream.push(&noise(SECOND, 500));
    }
    // The one decoder listens to the first call, which has not finished; the others wait.
    for (stream, _) in calls.iter_mut().skip(1) {
        stream.push(&noise(SECOND, 500));
        stream.finish();
    }
    for (_, events) in calls.iter_mut().skip(1) {
        assert!(events.try_recv().is_err(), "the decoder is taken");
    }
    calls[0].0.finish();
    for (_, events) in &mut calls {
        let (last, _) = wait_last(events, UtteranceId(1));
        assert!(matches!(last, HearEventKind::Final { .. }), "{last:?}");
    }
}

#[test]
fn audio_beyond_the_limit_fails_the_utterance_once() {
    let Some(recognizer) = recognizer(1) else {
        return;
    };
    // Takes the only decoder, so that the second call's audio piles up.
    let (mut busy, _busy_events) = open(&recognizer, HearContext::default());
    busy.begin(UtteranceId(1));
    busy.push(&noise(SECOND, 500));
    let (mut stream, mut events) = open(&recognizer, HearContext::default());
    stream.begin(UtteranceId(9));
    for _ in 0..=WAITING_S_MAX {
        stream.push(&vec![0; SECOND]);
    }
    stream.finish();
    let (last, _) = wait_last(&mut events, UtteranceId(9));
    assert!(matches!(last, HearEventKind::Failed { .. }), "{last:?}");
    drop((stream, busy));
    assert_eq!(drain(&mut events), []);
    const { assert!(UTTERANCE_S_MAX > WAITING_S_MAX) };
}

#[test]
fn a_dropped_stream_frees_its_decoder() {
    let Some(recognizer) = recognizer(1) else {
        return;
    };
    let (mut first, _events) = open(&recognizer, HearContext::default());
    first.begin(UtteranceId(1));
    first.push(&noise(SECOND, 500));
    drop(first);
    let (mut second, mut events) = open(&recognizer, HearContext::default());
    second.begin(UtteranceId(2));
    second.push(&noise(SECOND, 500));
    second.finish();
    wait_last(&mut events, UtteranceId(2));
}

#[test]
fn a_full_channel_delays_a_final_and_loses_none() {
    let Some(recognizer) = recognizer(1) else {
        return;
    };
    let (sender, mut events) = mpsc::channel(1);
    let mut stream = recognizer.open(HearContext::default(), sender);
    for id in 1..=3 {
        stream.begin(UtteranceId(id));
        stream.push(&noise(SECOND / 2, 500));
        stream.finish();
    }
    for id in 1..=3 {
        wait_last(&mut events, UtteranceId(id));
    }
}

#[test]
fn words_that_the_dictionary_lacks_are_heard_in_a_closed_vocabulary() {
    let Some(recognizer) = recognizer(1) else {
        return;
    };
    let Some(pcm) = recording("A_stt/google-samples/mountain_view.wav") else {
        return;
    };
    // "mountin vue" is in no dictionary: its pronunciation comes from the letter-to-sound rules.
    let phrases = ["mountin vue", "antiphon loopseeker", "seventeen seventy"]
        .map(str::to_owned)
        .to_vec();
    let context = HearContext {
        agent: "spelling".into(),
        phrases: Arc::new(phrases),
        closed: true,
    };
    recognizer.warm_up(std::slice::from_ref(&context)).unwrap();
    assert_eq!(hear(&recognizer, context, &pcm), "mountin vue");
}

#[test]
fn an_agent_s_phrases_help_and_other_speech_is_still_heard() {
    let Some(recognizer) = recognizer(1) else {
        return;
    };
    let Some(on_topic) = recording("A_stt/pocketsphinx/goforward.wav") else {
        return;
    };
    let Some(off_topic) = recording("A_stt/google-samples/brooklyn.flac") else {
        return;
    };
    let phrases = vec![
        "go forward ten meters".to_owned(),
        "turn left".to_owned(),
        "Stop now, Zorbulon!".to_owned(),
    ];
    let context = HearContext {
        agent: "robot".into(),
        phrases: Arc::new(phrases),
        closed: false,
    };
    assert_eq!(
        hear(&recognizer, context.clone(), &on_topic),
        "go forward ten meters"
    );
    let heard = hear(&recognizer, context, &off_topic);
    assert!(heard.contains("brooklyn"), "{heard}");
}

#[test]
fn a_spoken_command_is_heard_word_for_word() {
    let Some(recognizer) = recognizer(1) else {
        return;
    };
    let sentence = "go forward ten meters";
    let phrases = [sentence, "turn left", "stop now", "how old is the bridge"];
    let context = HearContext {
        agent: "robot".into(),
        phrases: Arc::new(phrases.map(str::to_owned).to_vec()),
        closed: true,
    };
    // Needs no recordings: a recognizer that loses its features hears nothing at all here.
    assert_eq!(hear(&recognizer, context, &spoken(sentence)), sentence);
}

#[test]
fn clear_sentences_are_mostly_right() {
    let Some(recognizer) = recognizer(1) else {
        return;
    };
    let said = [
        (
            "A_stt/librispeech-train-clean/19-198-0008.flac",
            "she had a thin awkward figure",
        ),
        (
            "A_stt/google-samples/audio.wav",
            "how old is the brooklyn bridge",
        ),
        ("A_stt/google-samples/two_people.wav", "two people"),
    ];
    let mut missing = Vec::new();
    for (path, words) in said {
        let Some(pcm) = recording(path) else { return };
        let heard = hear(&recognizer, HearContext::default(), &pcm);
        missing.extend(
            words
                .split(' ')
                .filter(|word| !heard.split(' ').any(|h| h == *word))
                .map(str::to_owned),
        );
    }
    // 14 words; measured when written: see docs/quality.md for the full sets.
    assert!(missing.len() <= 3, "not heard: {missing:?}");
}

#[test]
fn partials_come_while_the_person_speaks() {
    let Some(recognizer) = recognizer(1) else {
        return;
    };
    let Some(pcm) = recording("A_stt/librispeech-train-clean/19-227-0070.flac") else {
        return;
    };
    let (mut stream, mut events) = open(&recognizer, HearContext::default());
    stream.begin(UtteranceId(1));
    stream.push(&pcm);
    // No `finish` yet: these are words of an utterance that is still open.
    let event = events.blocking_recv().unwrap();
    assert!(
        matches!(event.kind, HearEventKind::Partial { ref text } if !text.is_empty()),
        "{event:?}"
    );
    stream.finish();
    wait_last(&mut events, UtteranceId(1));
}

// Helpers.

/// A recognizer with as many decoders, or `None` (said aloud) where Debian's model is absent.
fn recognizer(decoders_max: usize) -> Option<PocketSphinx> {
    match PocketSphinx::new(PocketSphinxConfig {
        model: None,
        decoders_max: Some(decoders_max),
    }) {
        Ok(recognizer) => Some(recognizer),
        Err(PocketSphinxError::ModelMissing { missing }) => {
            println!("SKIPPED: no speech model at {}", missing.display());
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A recording, or `None` (said aloud) where the material is absent.
fn recording(path: &str) -> Option<Vec<i16>> {
    let folder = std::env::var_os("ANTIPHON_MATERIAL").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/material"),
        PathBuf::from,
    );
    let Ok(bytes) = std::fs::read(folder.join(path)) else {
        println!("SKIPPED: no recording {path} in {}", folder.display());
        return None;
    };
    let clip = read_audio_file(&bytes).unwrap();
    assert_eq!(clip.rate_hz, HEAR_RATE_HZ);
    Some(clip.pcm)
}

fn open(
    recognizer: &PocketSphinx,
    context: HearContext,
) -> (Box<dyn HearStream>, mpsc::Receiver<HearEvent>) {
    let (sender, receiver) = mpsc::channel(64);
    (recognizer.open(context, sender), receiver)
}

fn hear(recognizer: &PocketSphinx, context: HearContext, pcm: &[i16]) -> String {
    let (mut stream, mut events) = open(recognizer, context);
    stream.begin(UtteranceId(1));
    pcm.chunks(320).for_each(|packet| stream.push(packet));
    stream.finish();
    match wait_last(&mut events, UtteranceId(1)).0 {
        HearEventKind::Final { text, .. } => text,
        other @ (HearEventKind::Partial { .. } | HearEventKind::Failed { .. }) => {
            panic!("{other:?}")
        }
    }
}

/// What flite's `slt` says, at the recognizer's rate.
fn spoken(text: &str) -> Vec<i16> {
    let voices = Flite::new();
    assert_eq!(voices.rate_hz("slt").unwrap(), HEAR_RATE_HZ);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .unwrap();
    let _entered = runtime.enter();
    let (sender, mut events) = mpsc::channel(16);
    let request = SpeakRequest {
        segment: SegmentId(1),
        text: text.to_owned(),
        voice: "slt".to_owned(),
        pace: 1.0,
        pronounce: Default::default(),
    };
    let _task = voices.start(request, sender);
    let mut all = Vec::new();
    loop {
        match events.blocking_recv().expect("a last event").kind {
            SpeakEventKind::Audio { pcm } => all.extend(pcm),
            SpeakEventKind::Marks { .. } => {}
            SpeakEventKind::Done => return all,
            SpeakEventKind::Failed { fault } => panic!("{fault}"),
        }
    }
}

fn is_last(event: &HearEvent) -> bool {
    matches!(
        event.kind,
        HearEventKind::Final { .. } | HearEventKind::Failed { .. }
    )
}

/// The last event of `id` and how many came before it.
fn wait_last(events: &mut mpsc::Receiver<HearEvent>, id: UtteranceId) -> (HearEventKind, usize) {
    for before in 0.. {
        let event = events.blocking_recv().expect("the stream lives");
        assert_eq!(event.utterance, id);
        if is_last(&event) {
            return (event.kind, before);
        }
    }
    unreachable!("the loop has no end")
}

fn until_last(
    events: &mut mpsc::Receiver<HearEvent>,
    id: UtteranceId,
    first: &HearEvent,
) -> Vec<HearEvent> {
    let mut seen = Vec::new();
    while !seen.last().is_some_and(is_last) && !is_last(first) {
        let event = events.blocking_recv().expect("the stream lives");
        assert_eq!(event.utterance, id);
        seen.push(event);
    }
    seen
}

/// What still comes until all senders are gone.
fn drain(events: &mut mpsc::Receiver<HearEvent>) -> Vec<HearEvent> {
    std::iter::from_fn(|| events.blocking_recv()).collect()
}

/// Repeatable noise.
fn noise(samples: usize, amplitude: i32) -> Vec<i16> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 16) as i32 % (2 * amplitude + 1) - amplitude
    };
    (0..samples).map(|_| next() as i16).collect()
}
