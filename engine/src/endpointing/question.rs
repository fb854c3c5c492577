//! What kind of answer the agent's last words ask for.

use serde::{Deserialize, Serialize};

/// The answer that a question asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// No question was asked, or nothing was said.
    #[default]
    None,
    /// Yes or no.
    YesNo,
    /// A number, a name to spell, an e-mail address: given in groups with pauses.
    Spelling,
    /// Anything else.
    Open,
}

/// Words in a question that ask for something given piece by piece.
const SPELLED: &[&str] = &[
    "number",
    "phone",
    "digits",
    "digit",
    "code",
    "zip",
    "postcode",
    "postal",
    "spell",
    "spelled",
    "spelling",
    "email",
    "e-mail",
    "address",
    "account",
    "card",
    "pin",
    "serial",
    "reference",
    "birth",
    "birthday",
    "license",
    "plate",
    "policy",
];
/// First words of a question that is answered by yes or no.
const YES_NO: &[&str] = &[
    "am", "are", "aren't", "can", "could", "did", "didn't", "do", "does", "doesn't", "don't",
    "has", "have", "haven't", "is", "isn't", "may", "shall", "should", "was", "were", "will",
    "would", "wouldn't",
];
/// First words of an open question or request.
const OPEN: &[&str] = &[
    "describe", "explain", "how", "tell", "what", "what's", "when", "where", "where's", "which",
    "who", "who's", "whose", "why",
];
/// Last words that turn a statement into a question for yes or no.
const TAGS: &[&str] = &["right", "correct", "ok", "okay", "yes", "no"];
/// Words that may stand before the question proper.
const LEADING: &[&str] = &[
    "alright", "also", "and", "but", "great", "ok", "okay", "please", "so", "sorry", "sure",
    "thanks", "then", "well",
];
/// Characters of the agent's words that are looked at, from the end.
const CHARS_MAX: usize = 400;

/// The kind of the last question in `agent_words`, or [`QuestionKind::None`].
pub fn question_kind(agent_words: &str) -> QuestionKind {
    let from = agent_words
        .char_indices()
        .rev()
        .nth(CHARS_MAX)
        .map_or(0, |(at, _)| at);
    let text = agent_words[from..].trim_end().to_lowercase();
    let asked = text.ends_with('?');
    let body = text.trim_end_matches(|c: char| c.is_ascii_punctuation() || c.is_whitespace());
    let sentence = body
        .rsplit(['.', '?', '!', '\n'])
        .next()
        .unwrap_or_default();
    let words: Vec<&str> = sentence
        .split(|c: char| c.is_whitespace() || c == ',')
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .collect();
    let words = {
        let leading = words.iter().take_while(|w| LEADING.contains(w)).count();
        &words[leading..]
    };
    let Some((&first, &last)) = words.first().zip(words.last()) else {
        return QuestionKind::None;
    };
    let open = OPEN.contains(&first);
    let requests = open && matches!(first, "tell" | "describe" | "explain");
    let requests = requests || matches!(first, "give" | "say" | "spell" | "enter" | "read");
    if !asked && !requests {
        return QuestionKind::None;
    }
    let spelled = words.iter().any(|word| SPELLED.contains(word));
    let polite = matches!(first, "can" | "could" | "may" | "would" | "will");
    if spelled && (open || requests || polite) {
        return QuestionKind::Spelling;
    }
    if asked && (YES_NO.contains(&first) && !polite_request(words) || TAGS.contains(&last)) {
        return QuestionKind::YesNo;
    }
    QuestionKind::Open
}

/// "Could you tell me ..." asks for more than yes.
fn polite_request(words: &[&str]) -> bool {
    matches!(
        words,
        [
            _,
            "you" | "i",
            "please" | "tell" | "describe" | "explain" | "give" | "say" | "have" | "get",
            ..
        ]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_told_apart() {
        let check =
            |text: &str, kind: QuestionKind| assert_eq!(question_kind(text), kind, "{text}");
        check("", QuestionKind::None);
        check("?!", QuestionKind::None);
        check("Your table is booked.", QuestionKind::None);
        check("Is that right?", QuestionKind::YesNo);
        check("You fly on Monday, right?", QuestionKind::YesNo);
        check(
            "Thanks. So, do you want a window seat?",
            QuestionKind::YesNo,
        );
        check("What is your phone number?", QuestionKind::Spelling);
        check("Could you spell your last name?", QuestionKind::Spelling);
        check(
            "Please give me your e-mail address.",
            QuestionKind::Spelling,
        );
        check("Could you tell me what happened?", QuestionKind::Open);
        check("How can I help you today?", QuestionKind::Open);
        check("Tell me more.", QuestionKind::Open);
        check("Is this your phone number?", QuestionKind::YesNo);
        check("What do you think? I like it.", QuestionKind::None);
    }

    #[test]
    fn long_words_of_the_agent_are_cut_at_a_character() {
        let text = "ä".repeat(1_000) + ". Is it true?";
        assert_eq!(question_kind(&text), QuestionKind::YesNo);
    }
}
