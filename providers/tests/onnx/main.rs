//! Neural voices with tiny models in Piper's and Kokoro's form (`make_graphs.py`), the real ONNX
//! Runtime and the real espeak-ng.
//!
//! What they sound like is not tested: no real voice is at hand. Without the runtime's library the
//! tests that need it say SKIPPED.
#![allow(clippy::unwrap_used)]

mod models;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use antiphon_agents::Pronunciations;
use antiphon_proto::SegmentId;
use antiphon_providers::speak::onnx::{OnnxConfig, OnnxVoices};
use antiphon_providers::speak::{Speak, SpeakEventKind, SpeakRequest, WordMark};
use antiphon_providers::{Fault, FaultKind};
use models::Models;
use tokio::sync::mpsc;

const TEXT: &str = "I paid $3.50, Zoë. And that is all!";

/// Where `scripts/setup.sh test` puts it.
fn library() -> Option<PathBuf> {
    let named = std::env::var_os("ORT_DYLIB_PATH").map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let cached = cache.map(|cache| cache.join("antiphon/onnxruntime/libonnxruntime.so"));
    let found = [named, cached]
        .into_iter()
        .flatten()
        .find(|path| path.is_file());
    let espeak = std::process::Command::new("espeak-ng")
        .arg("--version")
        .output()
        .is_ok();
    let missing = match (&found, espeak) {
        (None, _) => "libonnxruntime.so",
        (Some(_), false) => "espeak-ng",
        (Some(_), true) => return found,
    };
    // Past the test's own capture, so that whoever runs the tests sees it.
    let told =
        format!("SKIPPED neural voices: {missing} is absent; scripts/setup.sh test installs it\n");
    let _ = std::io::stderr().write_all(told.as_bytes());
    None
}

fn voices(models: &Models, library: PathBuf) -> OnnxVoices {
    OnnxVoices::new(OnnxConfig {
        models: models.path().to_owned(),
        library: Some(library),
        ..OnnxConfig::default()
    })
}

fn request(text: &str, voice: &str, pace: f32) -> SpeakRequest {
    SpeakRequest {
        segment: SegmentId(3),
        text: text.into(),
        voice: voice.into(),
        pace,
        pronounce: Arc::new(Pronunciations::default()),
    }
}

#[derive(Debug, Default)]
struct Heard {
    marks: Vec<WordMark>,
    pcm: Vec<i16>,
    longest_piece: usize,
    fault: Option<Fault>,
    ended: bool,
}

impl Heard {
    fn ms(&self, rate_hz: u32) -> u32 {
        (self.pcm.len() as u64 * 1_000 / u64::from(rate_hz)) as u32
    }
}

async fn hear(voices: &OnnxVoices, request: SpeakRequest) -> Heard {
    let (sender, mut events) = mpsc::channel(4);
    let _task = voices.start(request, sender);
    let mut heard = Heard::default();
    let limit = Duration::from_secs(30);
    while let Some(event) = tokio::time::timeout(limit, events.recv()).await.unwrap() {
        assert!(!heard.ended, "something came behind the end");
        match event.kind {
            SpeakEventKind::Marks { marks } => heard.marks.extend(marks),
            SpeakEventKind::Audio { pcm } => {
                heard.longest_piece = heard.longest_piece.max(pcm.len());
                heard.pcm.extend(pcm);
            }
            SpeakEventKind::Done => heard.ended = true,
            SpeakEventKind::Failed { fault } => {
                heard.fault = Some(fault);
                heard.ended = true;
            }
        }
    }
    assert!(heard.ended);
    heard
}

#[tokio::test]
async fn each_kind_of_model_speaks_with_marks() {
    let Some(library) = library() else { return };
    let models = Models::new();
    let voices = voices(&models, library);
    assert_eq!(
        voices.voices(),
        ["af_test", "bm_test", "piper-durations", "piper-tiny"]
    );
    for (voice, rate_hz) in [
        ("piper-tiny", 22_050),
        ("piper-durations", 22_050),
        ("af_test", 24_000),
        ("bm_test", 24_000),
    ] {
        assert_eq!(voices.rate_hz(voice), Ok(rate_hz));
        let heard = hear(&voices, request(TEXT, voice, 1.0)).await;
        assert_eq!(heard.fault, None, "{voice}");
        assert!(heard.longest_piece <= rate_hz as usize / 10, "{voice}");
        let ends: Vec<usize> = heard.marks.iter().map(|mark| mark.text_end).collect();
        assert_eq!(ends, [1, 6, 13, 19, 23, 28, 31, TEXT.len()], "{voice}");
        let times: Vec<u32> = heard.marks.iter().map(|mark| mark.end_ms).collect();
        assert!(times.is_sorted() && times[0] > 0, "{voice}: {times:?}");
        let end = heard.ms(rate_hz);
        let last = *times.last().unwrap();
        assert!(
            last <= end && end - last < 200,
            "{voice}: {last} of {end} ms"
        );
        // "three dollars and fifty cents" is longer than "paid".
        assert!(
            times[2] - times[1] > 2 * (times[1] - times[0]),
            "{voice}: {times:?}"
        );
    }
}

#[tokio::test]
async fn pace_changes_the_length() {
    let Some(library) = library() else { return };
    let models = Models::new();
    let voices = voices(&models, library);
    for voice in ["piper-tiny", "af_test"] {
        let plain = hear(&voices, request(TEXT, voice, 1.0)).await.pcm.len() as f64;
        let fast = hear(&voices, request(TEXT, voice, 2.0)).await.pcm.len() as f64;
        assert!(
            (1.9..2.1).contains(&(plain / fast)),
            "{voice}: {plain} {fast}"
        );
    }
}

#[tokio::test]
async fn the_dictionary_gives_the_sounds() {
    let Some(library) = library() else { return };
    let models = Models::new();
    let voices = voices(&models, library);
    let said = async |ipa: Option<&str>| {
        let mut words = Pronunciations::default();
        if let Some(ipa) = ipa {
            words.insert("Nguyen", ipa).unwrap();
        }
        let mut request = request("Nguyen", "piper-tiny", 1.0);
        request.pronounce = Arc::new(words);
        hear(&voices, request).await.pcm.len()
    };
    // The tiny model's length is its number of symbols: begin, pads, and one for each sound.
    let step = 441;
    assert_eq!(said(Some("/ŋən/")).await, (3 + 2 * 3) * step);
    assert_eq!(said(Some("/ŋwiən/")).await, (3 + 2 * 5) * step);
    assert_ne!(said(None).await, said(Some("/n/")).await);
}

#[tokio::test]
async fn long_and_odd_texts_are_survived() {
    let Some(library) = library() else { return };
    let models = Models::new();
    let voices = voices(&models, library);
    let long = "This is a sentence, and it is followed by more of them. ".repeat(30);
    let endless = "word ".repeat(400);
    let smash = "asdkjfhqw".repeat(200);
    for text in [
        "",
        "…!?",
        "🙂",
        "日本語",
        "[[h@l'oU]] <b>x</b>",
        "-v nonsense",
        "a",
        long.as_str(),
        endless.as_str(),
        smash.as_str(),
    ] {
        for voice in ["piper-tiny", "af_test"] {
            let heard = hear(&voices, request(text, voice, 2.0)).await;
            assert_eq!(heard.fault, None, "{voice}: {text:?}");
            assert_eq!(heard.pcm.is_empty(), heard.marks.is_empty(), "{text:?}");
            if let Some(last) = heard.marks.last() {
                assert_eq!(last.text_end, text.trim_end().len(), "{text:?}");
            }
        }
    }
    let heard = hear(&voices, request(&"a ".repeat(20_000), "piper-tiny", 1.0)).await;
    assert_eq!(heard.fault.unwrap().kind, FaultKind::Refused);
}

#[tokio::test]
async fn calls_at_once_share_a_model() {
    let Some(library) = library() else { return };
    let models = Models::new();
    let voices = voices(&models, library);
    let alone = hear(&voices, request(TEXT, "piper-tiny", 1.0)).await;
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let voices = voices.clone();
            tokio::spawn(async move { hear(&voices, request(TEXT, "piper-tiny", 1.0)).await })
        })
        .collect();
    for task in tasks {
        let heard = task.await.unwrap();
        assert_eq!(
            (heard.pcm == alone.pcm, heard.marks == alone.marks),
            (true, true)
        );
    }
}

/// The listener holds on after the first audio and drops the handle: only what was in the channel
/// still comes.
#[tokio::test]
async fn dropping_the_handle_stops_at_once() {
    let Some(library) = library() else { return };
    let models = Models::new();
    let voices = voices(&models, library);
    let (sender, mut events) = mpsc::channel(1);
    let task = voices.start(request(&TEXT.repeat(20), "piper-tiny", 1.0), sender);
    while !matches!(
        events.recv().await.unwrap().kind,
        SpeakEventKind::Audio { .. }
    ) {}
    drop(task);
    let mut more = 0;
    let limit = Duration::from_secs(5);
    while tokio::time::timeout(limit, events.recv())
        .await
        .unwrap()
        .is_some()
    {
        more += 1;
    }
    assert!(more <= 2, "{more} pieces came after the cancel");
}

#[tokio::test]
async fn what_is_missing_is_told_with_what_to_do() {
    let models = Models::new();
    let none = OnnxVoices::new(OnnxConfig::default());
    assert!(
        none.rate_hz("piper-joe")
            .unwrap_err()
            .to_string()
            .contains("models pull")
    );
    let voices = OnnxVoices::new(OnnxConfig {
        models: models.path().to_owned(),
        espeak: Some("/nonexistent/espeak-ng".into()),
        library: library(),
        ..OnnxConfig::default()
    });
    let unknown = voices.rate_hz("piper-tny").unwrap_err();
    assert!(unknown.there_are.contains("piper-tiny"), "{unknown}");
    assert!(voices.rate_hz("../piper-tiny").is_err());
    let fault = hear(&voices, request(TEXT, "piper-tiny", 1.0))
        .await
        .fault
        .unwrap();
    assert_eq!(fault.kind, FaultKind::Unreachable);
    assert!(
        fault.reason.contains("install the package espeak-ng"),
        "{fault}"
    );
    assert!(!fault.reason.contains("paid"), "the words are in an error");
}

#[tokio::test]
async fn damaged_files_are_faults_that_name_them() {
    let Some(library) = library() else { return };
    let models = Models::new();
    models.write("piper-tiny/voice.onnx", b"not a graph");
    models.write("kokoro/kokoro.onnx", b"not a graph");
    let broken = voices(&models, library);
    for (voice, file) in [("piper-tiny", "voice.onnx"), ("af_test", "kokoro.onnx")] {
        let fault = hear(&broken, request(TEXT, voice, 1.0))
            .await
            .fault
            .unwrap();
        assert_eq!(fault.kind, FaultKind::Malformed, "{fault}");
        assert!(fault.reason.contains(file), "{fault}");
    }
    models.write("piper-tiny/voice.onnx.json", b"{}");
    models.write("kokoro/voices.bin", b"PK\x05\x06");
    assert!(broken.rate_hz("piper-tiny").is_err());
    assert!(broken.rate_hz("af_test").is_err());
}

/// In a process that has loaded a library, another is not asked for: this needs one of its own.
#[test]
fn without_the_library_it_says_what_to_pull() {
    const CHILD: &str = "ANTIPHON_TEST_WITHOUT_LIBRARY";
    if std::env::var_os(CHILD).is_none() {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "without_the_library_it_says_what_to_pull",
                "--nocapture",
            ])
            .env(CHILD, "1")
            .env("ORT_DYLIB_PATH", "/nonexistent/libonnxruntime.so")
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{told}");
        return;
    }
    let models = Models::new();
    let voices = OnnxVoices::new(OnnxConfig {
        models: models.path().to_owned(),
        ..OnnxConfig::default()
    });
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let heard = runtime.block_on(hear(&voices, request(TEXT, "piper-tiny", 1.0)));
    let fault = heard.fault.unwrap();
    assert_eq!(fault.kind, FaultKind::Unreachable, "{fault}");
    assert!(
        fault.reason.contains("antiphon models pull onnxruntime"),
        "{fault}"
    );
}
