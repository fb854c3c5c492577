//! The page of a call: one file that needs nothing else.

use std::fmt::Write;

use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::facts::turns;
use super::story::Story;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page. Its own policy lets nothing in but the style and the script above.
pub(super) fn page(story: &Story) -> String {
    let data = data(story);
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    let (agent, session, started, engine) = (
        escaped(&story.agent),
        escaped(&story.session),
        escaped(&story.started_at),
        escaped(&story.engine),
    );
    let (verdict, tone) = (
        escaped(&story.verdict),
        if story.same { "good" } else { "bad" },
    );
    let words = words(story);
    format!(
        r#"<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Call with {agent}, {session}</title>
<style>{STYLE}</style>
</head>
<body>
<header>
<h1>Call with {agent}</h1>
<dl class="about"><div><dt>Session</dt><dd>{session}</dd></div><div><dt>Started</dt><dd>{started}</dd></div><div><dt>Length</dt><dd id="length"></dd></div><div><dt>Engine</dt><dd>{engine}</dd></div></dl>
<p class="verdict {tone}">{verdict}</p>
</header>
<main>
<section aria-labelledby="timeline-title">
<div class="bar"><h2 id="timeline-title">Timeline</h2>
<div class="zoom" role="group" aria-label="Zoom"><button type="button" id="out" aria-label="Zoom out">−</button><button type="button" id="in" aria-label="Zoom in">+</button><button type="button" id="fit">Fit</button></div></div>
<noscript><p>The timeline needs scripts; the words of the call stand below.</p></noscript>
<div class="frame" id="frame"></div>
<p class="hint">Scroll sideways to move, Ctrl and wheel or <kbd>+</kbd> <kbd>−</kbd> <kbd>0</kbd> to zoom. Point at anything, or reach it with <kbd>Tab</kbd> and the arrow keys, to read it whole.</p>
<div class="detail" id="detail" role="status" aria-live="polite"></div>
</section>
<section aria-labelledby="words-title">
<h2 id="words-title">What was said and heard</h2>
<ol class="words">{words}</ol>
</section>
</main>
<script type="application/json" id="story">{data}</script>
<script>{SCRIPT}</script>
</body>
</html>
"#
    )
}

/// The story as data within HTML: no `<` of it may end the element, and nothing in it may turn the
/// direction of the page's source.
fn data(story: &Story) -> String {
    // Plain structs: there is no way to fail.
    let plain = serde_json::to_string(story).unwrap_or_default();
    let mut data = String::with_capacity(plain.len());
    for character in plain.chars() {
        if matches!(character, '<' | '>' | '&') || turns(character) {
            // Writing to a string does not fail.
            let _ = write!(data, "\\u{:04x}", u32::from(character));
        } else {
            data.push(character);
        }
    }
    data
}

/// The history as a list, which is there without scripts too.
fn words(story: &Story) -> String {
    let mut list = String::new();
    for said in &story.messages {
        let (class, who) = match said.role.as_str() {
            "agent" => ("agent", story.agent.clone()),
            "user" => ("caller", "Caller".to_owned()),
            other => ("other", other.replace('_', " ")),
        };
        let cut = if said.interrupted {
            " <span class=\"cut\">interrupted</span>"
        } else {
            ""
        };
        // Writing to a string does not fail.
        let _ = write!(
            list,
            "<li class=\"{}\"><span class=\"at\">{}</span><span class=\"who\">{}</span><span class=\"text\">{}{cut}</span></li>",
            class,
            clock(said.at),
            escaped(&who),
            escaped(&said.text),
        );
    }
    if list.is_empty() {
        list.push_str("<li>Nothing was said.</li>");
    }
    list
}

/// Minutes, seconds and tenths.
fn clock(ms: u64) -> String {
    format!("{}:{:02}.{}", ms / 60_000, ms / 1_000 % 60, ms / 100 % 10)
}

fn hash(text: &str) -> String {
    BASE64.encode(&Sha256::digest(text))
}

/// Text as the content or an attribute of an element.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Direction overrides would make a line say something else.
            turn if turns(turn) => escaped.push('\u{fffd}'),
            plain => escaped.push(plain),
        }
    }
    escaped
}
