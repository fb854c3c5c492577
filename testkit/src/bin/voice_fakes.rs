//! Runs the fake recognizers and voices, for clients that are not ours. Prints their URLs as one
//! line of JSON and stops when its standard input is closed.

use std::io::Read;
use std::time::Duration;

use antiphon_testkit::fakes::assemblyai::AssemblyAi;
use antiphon_testkit::fakes::cartesia::Cartesia;
use antiphon_testkit::fakes::deepgram::Deepgram;
use antiphon_testkit::fakes::deepgram_aura::Aura;
use antiphon_testkit::fakes::elevenlabs::ElevenLabs;
use antiphon_testkit::fakes::elevenlabs_scribe::Scribe;
use antiphon_testkit::fakes::http::{HttpFake, Wiring};
use antiphon_testkit::fakes::openai_transcription::OpenAiTranscription;
use antiphon_testkit::fakes::ws::{Peer, Upgrade, WsFake};
use antiphon_testkit::fakes::{listener, openai_speech, talker};
use data_encoding::BASE64;
use serde_json::json;

/// What is said to the recognizers and what the voices say.
const HEARD: &str = "alpha bravo charlie delta";
const SPOKEN: &str = "Hello there, this is a voice.";

type MakePeer = fn(&Upgrade) -> Box<dyn Peer>;

fn base64(pcm: &[i16]) -> String {
    let bytes: Vec<u8> = pcm.iter().flat_map(|sample| sample.to_le_bytes()).collect();
    BASE64.encode(&bytes)
}

/// The same audio at 24 kHz: every second sample twice.
fn at_24_khz(pcm: &[i16]) -> Vec<i16> {
    pcm.chunks(2)
        .flat_map(|two| [two[0], two[0], two[two.len() - 1]])
        .collect()
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let sockets: [(&str, MakePeer); 7] = [
        ("deepgram", Deepgram::peer),
        ("assemblyai", AssemblyAi::peer),
        ("openai_transcription", OpenAiTranscription::peer),
        ("scribe", Scribe::peer),
        ("elevenlabs", ElevenLabs::peer),
        ("cartesia", Cartesia::peer),
        ("aura", Aura::peer),
    ];
    let mut running = Vec::new();
    let mut urls = serde_json::Map::new();
    for (name, peer) in sockets {
        let fake = WsFake::start(peer).await?;
        urls.insert(name.to_owned(), json!(fake.url()));
        running.push(fake);
    }
    let speech = HttpFake::start(Wiring::Http1, |request| {
        openai_speech::answer(request, Duration::ZERO)
    });
    let speech = speech.await?;
    urls.insert("openai_speech".to_owned(), json!(speech.url()));
    let heard = listener::utterance(HEARD);
    let facts = json!({
        "urls": urls,
        "heard": {"text": HEARD, "pcm_16000": base64(&heard),
            "pcm_24000": base64(&at_24_khz(&heard))},
        "spoken": {"text": SPOKEN, "pcm_24000": base64(&talker::speech(SPOKEN))},
    });
    println!("{facts}");
    let closed = tokio::task::spawn_blocking(|| {
        let mut rest = Vec::new();
        std::io::stdin().read_to_end(&mut rest)
    });
    let _ = closed.await;
    drop((running, speech));
    Ok(())
}
