//! From the text of a personality file to an [`Agent`].

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::checks::{check_intents, check_passages};
use crate::error::Fault;
use crate::pronounce::read_pronounce;
use crate::route::RouteTable;
use crate::small_talk::merge_small_talk;
use crate::suggest::nearest;
use crate::turn::TurnTable;
use crate::{Agent, AgentFileError, FollowUp, Intent, Manner, Passage, Slot, Voice};

/// Longest personality file, bytes.
pub const AGENT_FILE_BYTES_MAX: usize = 256 * 1024;
/// Synthesizers that a file may name.
pub const VOICE_BACKENDS: &[&str] = &["flite"];
/// Voices of flite that are linked into the server.
pub const FLITE_VOICES: &[&str] = &["rms", "slt", "awb", "kal16"];

/// Speaking rates that stay understandable.
const PACE_RANGE: std::ops::RangeInclusive<f64> = 0.5..=2.0;
/// Call length where the file names none, seconds.
const CALL_SECONDS_DEFAULT: u64 = 1_800;
/// Silence after which an agent asks whether the caller is there, where the file names none, seconds.
const AWAY_SECONDS_DEFAULT: u64 = 15;
/// Longest call a file may allow, seconds: four hours.
const CALL_SECONDS_MAX: u64 = 14_400;
/// Characters of an id.
const ID_CHARS_MAX: usize = 64;
const COLOR_DEFAULT: &str = "#5b6cff";
const EMOJI_DEFAULT: &str = "💬";

impl Agent {
    /// Reads a personality. `id` becomes the agent's id, `file_name` is named in errors.
    ///
    /// # Errors
    /// Says file, line, column, what is wrong and what to write instead. The first fault found is
    /// the one returned.
    pub fn parse(id: &str, file_name: &str, text: &str) -> Result<Self, AgentFileError> {
        read(id, text).map_err(|fault| fault.in_file(file_name, text))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AgentFile {
    name: Spanned<String>,
    title: Spanned<String>,
    tagline: Spanned<String>,
    color: Option<Spanned<String>>,
    emoji: Option<String>,
    #[serde(default)]
    suggestions: Vec<String>,
    greeting: Spanned<String>,
    apology: Option<String>,
    farewell: Option<String>,
    #[serde(default)]
    vocabulary: Vec<String>,
    #[serde(default)]
    fillers: Vec<String>,
    away_seconds: Option<u64>,
    call_seconds_max: Option<Spanned<u64>>,
    voice: Option<VoiceTable>,
    pronounce: Option<BTreeMap<Spanned<String>, Spanned<String>>>,
    turn: Option<TurnTable>,
    route: Option<RouteTable>,
    #[serde(default)]
    manner: MannerTable,
    #[serde(default)]
    pub(crate) slots: BTreeMap<String, Spanned<Vec<String>>>,
    #[serde(default)]
    pub(crate) intents: Vec<IntentTable>,
    #[serde(default)]
    pub(crate) knowledge: Vec<PassageTable>,
    #[serde(default)]
    small_talk: Vec<IntentTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VoiceTable {
    backend: Option<Spanned<String>>,
    name: Spanned<String>,
    pace: Option<Spanned<f64>>,
    #[serde(default)]
    others: BTreeMap<String, String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct MannerTable {
    style: String,
    openers: Vec<String>,
    acknowledgements: Vec<String>,
    checks: Vec<String>,
    reflections: Vec<String>,
    fallbacks: Vec<String>,
    follow_ups: Vec<String>,
}

/// `[[intents]]` and `[[small_talk]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct IntentTable {
    pub(crate) name: Spanned<String>,
    #[serde(default)]
    pub(crate) examples: Vec<Spanned<String>>,
    #[serde(default)]
    pub(crate) answers: Vec<String>,
    follow_up: Option<FollowUpTable>,
    why: Option<String>,
    pub(crate) topic: Option<Spanned<String>>,
    #[serde(default)]
    pub(crate) ends_call: bool,
    hand_off: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FollowUpTable {
    ask: String,
    yes: Option<String>,
    no: Option<String>,
    open: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PassageTable {
    pub(crate) title: Spanned<String>,
    pub(crate) text: Spanned<String>,
    #[serde(default)]
    asks: Vec<String>,
    why: Option<String>,
}

impl IntentTable {
    pub(crate) fn into_intent(self) -> Intent {
        Intent {
            name: self.name.into_inner(),
            examples: self.examples.into_iter().map(Spanned::into_inner).collect(),
            answers: self.answers,
            follow_up: self.follow_up.map(|table| FollowUp {
                ask: table.ask,
                yes: table.yes,
                no: table.no,
                open: table.open,
            }),
            why: self.why,
            topic: self.topic.map(Spanned::into_inner),
            ends_call: self.ends_call,
            hand_off: self.hand_off,
        }
    }
}

fn read(id: &str, text: &str) -> Result<Agent, Fault> {
    check_id(id)?;
    if text.len() > AGENT_FILE_BYTES_MAX {
        return Err(Fault::new(
            0..0,
            format!("the file has {} bytes", text.len()),
            format!(
                "keep it within {AGENT_FILE_BYTES_MAX} bytes; move knowledge that is rarely asked for out of it"
            ),
        ));
    }
    let file: AgentFile = toml::from_str(text).map_err(|error| toml_fault(&error))?;
    check_intents(&file)?;
    check_passages(&file)?;
    let small_talk = merge_small_talk(file.small_talk)?;
    Ok(Agent {
        id: id.to_owned(),
        name: filled(
            file.name,
            "name",
            "the name that people call it by, e.g. `name = \"Cal\"`",
        )?,
        title: filled(
            file.title,
            "title",
            "its role in two or three words, e.g. `title = \"Web Wizard\"`",
        )?,
        tagline: filled(file.tagline, "tagline", "one sentence for its card")?,
        color: read_color(file.color)?,
        emoji: file.emoji.unwrap_or_else(|| EMOJI_DEFAULT.to_owned()),
        suggestions: file.suggestions,
        voice: read_voice(file.voice)?,
        pronounce: Arc::new(read_pronounce(file.pronounce)?),
        greeting: filled(file.greeting, "greeting", "the first words of a call")?,
        apology: file.apology.unwrap_or_else(|| {
            "Sorry, something went wrong on my side. Could you say that again?".to_owned()
        }),
        farewell: file
            .farewell
            .unwrap_or_else(|| "Thank you for calling. Goodbye.".to_owned()),
        manner: Manner::from(file.manner),
        intents: file
            .intents
            .into_iter()
            .map(IntentTable::into_intent)
            .collect(),
        knowledge: file.knowledge.into_iter().map(Passage::from).collect(),
        small_talk,
        slots: file
            .slots
            .into_iter()
            .map(|(name, values)| Slot {
                name,
                values: values.into_inner(),
            })
            .collect(),
        vocabulary: file.vocabulary,
        fillers: file.fillers,
        away_seconds: file.away_seconds.unwrap_or(AWAY_SECONDS_DEFAULT),
        turn: file.turn.unwrap_or_default().read()?,
        route: file.route.unwrap_or_default().read()?,
        call_seconds_max: read_call_seconds(file.call_seconds_max)?,
    })
}

impl From<MannerTable> for Manner {
    fn from(table: MannerTable) -> Self {
        let or = |given: Vec<String>, default: &str| {
            if given.is_empty() {
                vec![default.to_owned()]
            } else {
                given
            }
        };
        Self {
            style: table.style,
            openers: table.openers,
            acknowledgements: or(table.acknowledgements, "Okay."),
            checks: or(table.checks, "I think you mean {topic}."),
            reflections: or(
                table.reflections,
                "You said {words}. I can tell you about {topic}, or about {other}.",
            ),
            fallbacks: or(
                table.fallbacks,
                "I did not quite catch that. I can tell you about {topic}, or about {other}.",
            ),
            follow_ups: table.follow_ups,
        }
    }
}

impl From<PassageTable> for Passage {
    fn from(table: PassageTable) -> Self {
        Self {
            title: table.title.into_inner(),
            text: table.text.into_inner(),
            asks: table.asks,
            why: table.why,
        }
    }
}

fn check_id(id: &str) -> Result<(), Fault> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if !id.is_empty() && id.len() <= ID_CHARS_MAX && id.chars().all(plain) {
        return Ok(());
    }
    Err(Fault::new(
        0..0,
        format!("`{id}` is no agent id"),
        "name the file with lower-case letters, digits, `-` and `_`, e.g. `cal.toml`",
    ))
}

fn filled(value: Spanned<String>, key: &str, wanted: &str) -> Result<String, Fault> {
    if value.get_ref().trim().is_empty() {
        return Err(Fault::new(
            value.span(),
            format!("`{key}` is empty"),
            format!("write {wanted}"),
        ));
    }
    Ok(value.into_inner())
}

fn read_color(color: Option<Spanned<String>>) -> Result<String, Fault> {
    let Some(color) = color else {
        return Ok(COLOR_DEFAULT.to_owned());
    };
    let digits = color.get_ref().strip_prefix('#').unwrap_or_default();
    if digits.len() == 6 && digits.bytes().all(|c| c.is_ascii_hexdigit()) {
        return Ok(color.into_inner().to_ascii_lowercase());
    }
    Err(Fault::new(
        color.span(),
        format!("`{}` is no colour", color.get_ref()),
        "write `#` and six hexadecimal digits, e.g. `color = \"#5b6cff\"`",
    ))
}

fn read_voice(table: Option<VoiceTable>) -> Result<Voice, Fault> {
    let Some(table) = table else {
        return Ok(Voice::default());
    };
    let default = Voice::default();
    let backend = match table.backend {
        Some(backend) => one_of(backend, "voice backend", VOICE_BACKENDS)?,
        None => default.backend,
    };
    let pace = match table.pace {
        None => default.pace,
        Some(pace) if PACE_RANGE.contains(pace.get_ref()) => *pace.get_ref() as f32,
        Some(pace) => {
            return Err(Fault::new(
                pace.span(),
                format!("a pace of {} cannot be understood", pace.get_ref()),
                "write a number from 0.5 (half as fast) to 2.0 (twice as fast); 1.0 is the voice as recorded",
            ));
        }
    };
    Ok(Voice {
        backend,
        name: one_of(table.name, "voice", FLITE_VOICES)?,
        pace,
        others: std::sync::Arc::new(table.others),
    })
}

fn one_of(value: Spanned<String>, kind: &str, known: &[&str]) -> Result<String, Fault> {
    if known.contains(&value.get_ref().as_str()) {
        return Ok(value.into_inner());
    }
    let advice = match nearest(value.get_ref(), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of {}", listed(known)),
    };
    Err(Fault::new(
        value.span(),
        format!("unknown {kind} `{}`", value.get_ref()),
        advice,
    ))
}

fn listed(known: &[&str]) -> String {
    known
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn read_call_seconds(seconds: Option<Spanned<u64>>) -> Result<u64, Fault> {
    match seconds {
        None => Ok(CALL_SECONDS_DEFAULT),
        Some(seconds) if (1..=CALL_SECONDS_MAX).contains(seconds.get_ref()) => {
            Ok(seconds.into_inner())
        }
        Some(seconds) => Err(Fault::new(
            seconds.span(),
            format!("a call of {} seconds", seconds.get_ref()),
            format!("write a number from 1 to {CALL_SECONDS_MAX}"),
        )),
    }
}

/// What the TOML reader found, with a guess at the key that was meant.
pub(crate) fn toml_fault(error: &toml::de::Error) -> Fault {
    let span = error.span().unwrap_or(0..0);
    let message = error.message();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let (Some((unknown, known)), true) =
        (quoted.split_first(), message.starts_with("unknown field"))
    {
        let advice = match nearest(unknown, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("the keys here are {}", listed(known)),
        };
        return Fault::new(span, format!("unknown key `{unknown}`"), advice);
    }
    if let (Some(missing), true) = (quoted.first(), message.starts_with("missing field")) {
        return Fault::new(
            span,
            format!("`{missing}` is missing"),
            format!("add a line `{missing} = ...` here"),
        );
    }
    let advice = if message.starts_with("invalid type") {
        "write a value of the kind that docs/agents.md names for this key"
    } else {
        "write it as TOML: `key = \"text\"`, lists in `[ ]`, tables as `[table]` or `[[table]]`"
    };
    Fault::new(
        span,
        message.trim_end_matches('.').replace('\n', ", "),
        advice,
    )
}
