//! Small talk that does something beyond being answered.

use antiphon_agents::Agent;

use super::index::Topic;

/// What a person does with their words. The names are those of the small talk in
/// `agents/src/small_talk.toml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Agrees.
    Yes,
    /// Declines.
    No,
    /// Wants to hear more of the same.
    More,
    /// Wants a reason.
    Why,
    /// Wants to hear it again.
    Repeat,
    /// Did not understand it.
    Confused,
    /// Wants an interrupted answer finished.
    Continue,
    /// Takes the first of two offers.
    First,
    /// Takes the second or last of two offers.
    Second,
    /// Asks what they are called.
    AskName,
    /// Says who they are.
    TellName,
    /// May be in danger.
    Distress,
}

impl Act {
    const ALL: [(Self, &'static str); 12] = [
        (Self::Yes, "yes"),
        (Self::No, "no"),
        (Self::More, "more"),
        (Self::Why, "why"),
        (Self::Repeat, "repeat"),
        (Self::Confused, "confused"),
        (Self::Continue, "continue"),
        (Self::First, "first"),
        (Self::Second, "second"),
        (Self::AskName, "ask_name"),
        (Self::TellName, "tell_name"),
        (Self::Distress, "distress"),
    ];

    /// The act that a topic stands for, where it is one.
    pub(crate) fn of(agent: &Agent, topic: Topic) -> Option<Self> {
        let Topic::SmallTalk(nth) = topic else {
            return None;
        };
        let name = agent.small_talk.get(nth)?.name.as_str();
        Self::ALL
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(act, _)| *act)
    }

    pub(crate) fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(act, _)| *act == self)
            .map_or("", |(_, name)| name)
    }
}

/// Phrases that are taken for distress wherever they occur, normalized. The safety layer decides
/// for itself; this keeps the responder's own words kind where it runs without one.
const DISTRESS: &[&str] = &[
    "kill myself",
    "killing myself",
    "end my life",
    "ending my life",
    "take my life",
    "want to die",
    "wanted to die",
    "hurt myself",
    "hurting myself",
    "cut myself",
    "harm myself",
    "self harm",
    "suicide",
    "suicidal",
    "end it all",
    "reason to live",
    "better off dead",
    "better off without me",
    "not want to live",
    "not want to be here anymore",
    "not want to be alive",
];

/// True where the normalized words speak of serious distress.
pub(crate) fn is_distress(words: &[String]) -> bool {
    let text = format!(" {} ", words.join(" "));
    DISTRESS
        .iter()
        .any(|phrase| text.contains(&format!(" {phrase} ")))
}

/// True where the words begin with agreement.
pub(crate) fn begins_with_yes(words: &[String]) -> bool {
    matches!(
        words.first().map(String::as_str),
        Some("yes" | "sure" | "ok" | "absolutely" | "definitely")
    ) || words.starts_with(&["of".to_owned(), "course".to_owned()])
}

/// True where the words begin with refusal. `know` sounds like `no` and is normalized to it, but
/// no reply begins with it.
pub(crate) fn begins_with_no(words: &[String]) -> bool {
    let first = words.first().map(String::as_str);
    let second = words.get(1).map(String::as_str);
    matches!(first, Some("no" | "nothing" | "none" | "never"))
        || (first == Some("not") && matches!(second, Some("really" | "yet" | "now")))
}
