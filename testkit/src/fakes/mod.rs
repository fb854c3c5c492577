//! Servers of remote providers as they are seen over a real socket, for tests: HTTP/1.1, HTTP/2,
//! TLS, server-sent events, WebSocket. Each answers by a script that can stall, cut, split, delay, refuse and
//! send garbage, and records what was asked and when the client went away.

pub mod assemblyai;
pub mod cartesia;
pub mod deepgram;
pub mod deepgram_aura;
pub mod elevenlabs;
pub mod elevenlabs_scribe;
pub mod http;
pub mod listener;
pub mod llm;
pub mod openai_speech;
pub mod openai_transcription;
pub mod talker;
pub mod tls;
pub mod ws;
