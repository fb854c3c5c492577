//! The engine with scripted providers: what they take is known, and costs next to nothing.

use std::sync::Arc;
use std::time::Duration;

use antiphon_agents::{Agent, Speculate, TurnEnds};
use antiphon_benches::engine::{Parts, serve_calls};
use antiphon_testkit::{ScriptedHear, ScriptedSpeak, ScriptedThink};

/// From the end of an utterance to its final: within the endpointing wait, so that it adds nothing.
const HEAR_FINAL_AFTER: Duration = Duration::from_millis(100);
/// From the question to the responder's first word.
const THINK_AFTER: Duration = Duration::from_millis(60);
/// From a sentence to its first audio.
const SPEAK_AFTER: Duration = Duration::from_millis(40);
/// The agent's wait after the end of speech, `endpointing_ms_min` of the personality file.
const ENDPOINTING: Duration = Duration::from_millis(500);

/// What an answer takes by script alone, from the end of speech as the detector dates it.
pub(crate) const SCRIPTED: Duration =
    ENDPOINTING.saturating_add(THINK_AFTER.saturating_add(SPEAK_AFTER));

/// A question that sounds finished, so that the wait is the shortest.
pub(crate) const QUESTION: &str = "how do i choose a good name for my website";

/// 24 words of 200 ms in three sentences: 4.8 s of sound.
const ANSWER: &str = "Start with a name that people can spell at once. \
    Say it aloud to a friend and let them write it. \
    Then buy that one.";

pub(crate) fn serve() -> Result<(), String> {
    let mut agent = Agent::built_in("cal")
        .map(|agent| Agent::clone(&agent))
        .ok_or("there is no built-in agent 'cal'")?;
    agent.greeting.clear();
    // What is measured is the engine's own time, so what is known beforehand must add up.
    agent.turn.endpointing = TurnEnds::Fixed;
    agent.turn.speculation = Speculate::Off;
    agent.away_seconds = 0;
    agent.turn.endpointing_ms_min = ENDPOINTING.as_millis() as u64;
    serve_calls(&Parts {
        agent: Arc::new(agent),
        hear: Arc::new(ScriptedHear::new(&[QUESTION], HEAR_FINAL_AFTER)),
        think: Arc::new(ScriptedThink::new(&[ANSWER], THINK_AFTER)),
        speak: Arc::new(ScriptedSpeak::new(SPEAK_AFTER)),
    })
}
