//! The arguments of `antiphon call` and `antiphon load`.

use std::path::PathBuf;

use clap::Args;

/// Where a server listens unless told otherwise.
const SERVER: &str = "http://127.0.0.1:8080";

/// Call an agent: play recordings, record the reply, print the conversation.
#[derive(Args, Clone, Debug)]
pub struct CallArgs {
    /// The server's URL
    #[arg(long, env = "ANTIPHON_SERVER", default_value = SERVER)]
    pub server: String,
    /// The agent to call; the server lists them under /v1/agents
    #[arg(long, default_value = "cal")]
    pub agent: String,
    /// What to say: a WAV or FLAC file of any rate; repeat it for more turns
    #[arg(long, value_name = "FILE")]
    pub audio: Vec<PathBuf>,
    /// What to type, after the recordings; repeat it for more turns
    #[arg(long)]
    pub text: Vec<String>,
    /// Record the reply here: WAV, 16 kHz mono, from the moment of connecting
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print one JSON object a line: the events, and a summary last
    #[arg(long)]
    pub json: bool,
    /// Start the next recording while the agent speaks
    #[arg(long)]
    pub barge_in: bool,
    /// Give up after so many seconds
    #[arg(long, value_name = "S", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
}

/// Place many calls at once and print percentiles.
#[derive(Args, Clone, Debug)]
pub struct LoadArgs {
    /// The server's URL
    #[arg(long, env = "ANTIPHON_SERVER", default_value = SERVER)]
    pub server: String,
    /// The agent to call
    #[arg(long, default_value = "cal")]
    pub agent: String,
    /// Calls at once
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub calls: u32,
    /// How long each call lasts, in seconds
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// What each caller says, again and again: a WAV or FLAC file; typed words where absent
    #[arg(long, value_name = "FILE")]
    pub audio: Option<PathBuf>,
    /// Milliseconds between the starts of two calls
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(0..=60_000))]
    pub ramp_ms: u64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
