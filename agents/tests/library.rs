//! The built-in agents are whole, lint-clean and their own.
#![allow(clippy::unwrap_used)]

use antiphon_agents::{Agent, FLITE_VOICES, library, lint, load_folder};

#[test]
fn every_built_in_file_reads_and_is_lint_clean() {
    for id in ["cal", "riven", "domingo", "arty", "loopseeker"] {
        let path = format!("{}/library/{id}.toml", env!("CARGO_MANIFEST_DIR"));
        let agent = Agent::parse(id, &path, &std::fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(lint(&agent), [], "{id}");
        assert!(
            agent.intents.len() >= 20,
            "{id}: {} intents",
            agent.intents.len()
        );
        assert!(
            agent.knowledge.len() >= 15,
            "{id}: {} passages",
            agent.knowledge.len()
        );
        for intent in &agent.intents {
            assert!(intent.examples.len() >= 5, "{id} {}", intent.name);
        }
        assert!(FLITE_VOICES.contains(&agent.voice.name.as_str()));
        assert!(!agent.suggestions.is_empty() && !agent.manner.style.is_empty());
    }
    let voices: std::collections::HashSet<String> = library()
        .iter()
        .map(|agent| format!("{} {}", agent.voice.name, agent.voice.pace))
        .collect();
    assert_eq!(voices.len(), 5, "each agent sounds different");
}

#[test]
fn examples_folder_loads() {
    let agents = load_folder(std::path::Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/examples"
    )))
    .unwrap();
    assert!(agents.iter().any(|agent| agent.id == "coffee"));
}

#[test]
fn phrases_are_plain_words_each_once() {
    for agent in library() {
        let phrases = agent.phrases();
        assert!(phrases.len() > 300, "{}: {}", agent.id, phrases.len());
        let unique: std::collections::HashSet<&String> = phrases.iter().collect();
        assert_eq!(unique.len(), phrases.len());
        for phrase in &phrases {
            assert!(
                phrase
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || matches!(c, ' ' | '\'')),
                "{phrase}"
            );
        }
        for suggestion in &agent.suggestions {
            let plain = antiphon_agents::plain_words(suggestion).join(" ");
            assert!(phrases.contains(&plain), "{plain}");
        }
    }
}

#[test]
fn instructions_say_who_and_how() {
    for agent in library() {
        let text = agent.instructions();
        for part in [
            &agent.name,
            &agent.title,
            &agent.manner.style,
            &agent.knowledge[0].text,
        ] {
            assert!(text.contains(part.as_str()), "{}: {part}", agent.id);
        }
        assert!(text.contains("No Markdown") || text.contains("no Markdown"));
        assert!(text.contains("not a person"));
        assert!(text.len() < 20_000);
    }
}
