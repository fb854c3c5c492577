//! The built-in agents, and those of a folder.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use crate::{AGENT_FILE_BYTES_MAX, Agent, AgentFileError};

/// Most files read from one folder.
pub const AGENTS_MAX: usize = 256;

/// The built-in agents in the order in which a page shows them.
pub fn library() -> Vec<Arc<Agent>> {
    static LIBRARY: LazyLock<Vec<Arc<Agent>>> = LazyLock::new(|| {
        FILES
            .iter()
            .map(|(id, text)| {
                let agent = Agent::parse(id, &format!("{id}.toml"), text);
                Arc::new(
                    agent.expect("invariant: the built-in agents are well formed, as a test shows"),
                )
            })
            .collect()
    });
    LIBRARY.clone()
}

/// Reads every `*.toml` of a folder, in the order of their names.
///
/// # Errors
/// Every fault of every file (one a file), or one fault that names the folder where it cannot be
/// read. Nothing is returned in part: an agent that silently went missing is worse than a start
/// that fails.
pub fn load_folder(path: &Path) -> Result<Vec<Arc<Agent>>, Vec<AgentFileError>> {
    let unreadable = |error: std::io::Error| {
        vec![plain_error(
            &path.display().to_string(),
            format!("cannot be read: {error}"),
            "name a folder that the server may read",
        )]
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if file.extension().is_some_and(|ending| ending == "toml") {
            files.push(file);
        }
    }
    files.sort();
    if files.len() > AGENTS_MAX {
        return Err(vec![plain_error(
            &path.display().to_string(),
            format!("has {} personality files", files.len()),
            &format!("keep at most {AGENTS_MAX} in one folder"),
        )]);
    }
    let mut agents = Vec::new();
    let mut errors = Vec::new();
    for file in files {
        match load_file(&file) {
            Ok(agent) => agents.push(Arc::new(agent)),
            Err(error) => errors.push(error),
        }
    }
    if errors.is_empty() {
        Ok(agents)
    } else {
        Err(errors)
    }
}

fn load_file(path: &Path) -> Result<Agent, AgentFileError> {
    let name = path.display().to_string();
    let unreadable = |error: std::io::Error| {
        plain_error(
            &name,
            format!("cannot be read: {error}"),
            "write it as UTF-8 text that the server may read",
        )
    };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > AGENT_FILE_BYTES_MAX as u64 {
        return Err(plain_error(
            &name,
            format!("has {bytes} bytes"),
            &format!("keep it within {AGENT_FILE_BYTES_MAX} bytes"),
        ));
    }
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let id = path
        .file_stem()
        .map(|stem| stem.to_string_lossy().into_owned())
        .unwrap_or_default();
    Agent::parse(&id, &name, &text)
}

fn plain_error(file: &str, problem: String, advice: &str) -> AgentFileError {
    AgentFileError {
        file: file.to_owned(),
        line: 1,
        column: 1,
        problem,
        advice: advice.to_owned(),
    }
}

const FILES: &[(&str, &str)] = &[
    ("cal", include_str!("../library/cal.toml")),
    ("riven", include_str!("../library/riven.toml")),
    ("domingo", include_str!("../library/domingo.toml")),
    ("arty", include_str!("../library/arty.toml")),
    ("loopseeker", include_str!("../library/loopseeker.toml")),
];
