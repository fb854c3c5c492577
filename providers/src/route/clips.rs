//! Sentences that every call may need at once: what an agent says word for word (greeting, apology,
//! fillers, farewell), kept as audio once a voice has made it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use antiphon_agents::Agent;

use crate::speak::WordMark;

/// Audio kept of all sentences together, bytes; the oldest go first.
const BYTES_MAX: usize = 32 << 20;
/// Audio of one sentence, bytes: ten seconds at 24 kHz.
const CLIP_BYTES_MAX: usize = 480_000;

/// One sentence as a voice made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Clip {
    /// Mono samples at the rate of the key's call.
    pub(super) pcm: Arc<Vec<i16>>,
    pub(super) marks: Arc<Vec<WordMark>>,
}

/// What makes two sentences the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) candidate: Arc<str>,
    pub(super) voice: String,
    pub(super) pace_permille: u32,
    pub(super) hz: u32,
    pub(super) text: String,
}

#[derive(Debug, Default)]
struct Kept {
    clips: HashMap<Key, Clip>,
    oldest: VecDeque<Key>,
    bytes: usize,
}

/// The sentences kept, shared by all calls.
#[derive(Debug, Default)]
pub(super) struct Clips(Mutex<Kept>);

impl Clips {
    /// Nothing half done is ever left under the lock: a panic there leaves it usable.
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn find(&self, key: &Key) -> Option<Clip> {
        self.lock().clips.get(key).cloned()
    }

    pub(super) fn keep(&self, key: Key, pcm: Vec<i16>, marks: Vec<WordMark>) {
        let bytes = pcm.len() * size_of::<i16>();
        if bytes == 0 || bytes > CLIP_BYTES_MAX {
            return;
        }
        let mut kept = self.lock();
        if kept.clips.contains_key(&key) {
            return;
        }
        let clip = Clip {
            pcm: Arc::new(pcm),
            marks: Arc::new(marks),
        };
        kept.clips.insert(key.clone(), clip);
        kept.oldest.push_back(key);
        kept.bytes += bytes;
        while kept.bytes > BYTES_MAX {
            let Some(oldest) = kept.oldest.pop_front() else {
                break;
            };
            if let Some(gone) = kept.clips.remove(&oldest) {
                kept.bytes -= gone.pcm.len() * size_of::<i16>();
            }
        }
    }
}

/// True where the agent says this word for word in every call.
pub(super) fn is_standing(agent: &Agent, text: &str) -> bool {
    let text = text.trim();
    let lines = [&agent.greeting, &agent.apology, &agent.farewell];
    !text.is_empty()
        && lines
            .into_iter()
            .chain(&agent.fillers)
            .any(|line| line.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(text: &str) -> Key {
        Key {
            candidate: "v/1".into(),
            voice: "anna".into(),
            pace_permille: 1_000,
            hz: 24_000,
            text: text.into(),
        }
    }

    #[test]
    fn the_oldest_go_where_room_is_short() {
        let clips = Clips::default();
        let count = BYTES_MAX / CLIP_BYTES_MAX + 3;
        for nth in 0..count {
            clips.keep(
                key(&nth.to_string()),
                vec![0; CLIP_BYTES_MAX / 2],
                Vec::new(),
            );
        }
        assert!(clips.find(&key("0")).is_none());
        assert!(clips.find(&key(&(count - 1).to_string())).is_some());
        assert!(clips.lock().bytes <= BYTES_MAX);
        clips.keep(key("long"), vec![0; CLIP_BYTES_MAX], Vec::new());
        assert!(clips.find(&key("long")).is_none(), "too long to keep");
    }

    #[test]
    fn only_what_is_said_word_for_word_is_kept() {
        let agent = Agent {
            greeting: "Hello, I am Cal. What shall we build?".into(),
            apology: "Sorry, once more?".into(),
            ..Agent::default()
        };
        for (text, standing) in [
            ("Hello, I am Cal.", true),
            ("Sorry, once more?", true),
            ("A domain is an address.", false),
            (" ", false),
        ] {
            assert_eq!(is_standing(&agent, text), standing, "{text:?}");
        }
    }
}
