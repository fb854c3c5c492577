//! Small sets of words that mean something to the engine itself.

/// Words by which a person shows that they listen, without wanting the turn. Two words belong
/// together where a recognizer writes them so.
const BACKCHANNELS: &[&str] = &[
    "uh", "huh", "uhhuh", "mm", "mmm", "mhm", "hmm", "hm", "mmhmm", "um", "er", "ah", "oh", "aha",
    "yeah", "yea", "yep", "yup", "yes", "right", "ok", "okay", "sure", "i", "see", "got", "it",
    "really", "wow", "great", "nice", "cool", "good", "true", "exactly", "indeed", "alright",
];

/// Whole utterances made of them that do want the turn.
const NOT_BACKCHANNELS: &[&str] = &["i", "it", "see", "i got it", "see it", "got"];

/// Most words of a sign of listening; more want the turn.
const BACKCHANNEL_WORDS_MAX: usize = 3;

/// Requests to go on with what was broken off.
const GO_ON: &[&str] = &[
    "go on",
    "please go on",
    "continue",
    "please continue",
    "keep going",
    "carry on",
    "go ahead",
    "and then",
    "you were saying",
    "sorry go on",
    "no go on",
    "yes go on",
    "ok go on",
    "okay go on",
];

/// What machines that answer telephones say.
const VOICEMAIL: &[&str] = &[
    "leave a message",
    "leave your message",
    "after the tone",
    "after the beep",
    "at the tone",
    "record your message",
    "not available to take your call",
    "unable to take your call",
    "cannot take your call",
    "can't take your call",
    "reached the voicemail",
    "reached the mailbox",
    "mailbox is full",
    "automatic voice message system",
];

/// Lower-case words without punctuation.
fn plain(text: &str) -> String {
    let cleaned: String = text
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '\'' {
                c.to_ascii_lowercase()
            } else {
                ' '
            }
        })
        .collect();
    cleaned.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Words of `text`.
pub(crate) fn word_count(text: &str) -> usize {
    plain(text)
        .split(' ')
        .filter(|word| !word.is_empty())
        .count()
}

/// True where the words only show that the person listens.
pub(crate) fn is_backchannel(text: &str) -> bool {
    let text = plain(text);
    let words: Vec<&str> = text.split(' ').collect();
    !text.is_empty()
        && words.len() <= BACKCHANNEL_WORDS_MAX
        && words.iter().all(|word| BACKCHANNELS.contains(word))
        && !NOT_BACKCHANNELS.contains(&text.as_str())
}

/// True where the person asks to go on with what was broken off.
pub(crate) fn is_go_on(text: &str) -> bool {
    GO_ON.contains(&plain(text).as_str())
}

/// True where a machine is speaking.
pub(crate) fn is_voicemail(text: &str) -> bool {
    let text = plain(text);
    VOICEMAIL.iter().any(|phrase| text.contains(phrase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_of_listening_are_told_from_requests() {
        for text in [
            "uh huh",
            "Mm-hmm.",
            "yeah",
            "right right",
            "I see",
            "Oh, okay.",
        ] {
            assert!(is_backchannel(text), "{text}");
        }
        for text in [
            "",
            "stop",
            "yeah but",
            "no",
            "wait",
            "i",
            "yes yes yes yes",
            "okay stop",
        ] {
            assert!(!is_backchannel(text), "{text}");
        }
    }

    #[test]
    fn machines_and_requests_to_go_on_are_known() {
        assert!(is_voicemail("Please LEAVE a message, after the tone."));
        assert!(!is_voicemail("i left a message yesterday"));
        assert!(is_go_on("Go on."));
        assert!(!is_go_on("go on about cats"));
        assert_eq!(word_count(" ok, stop  now! "), 3);
        assert_eq!(word_count("…"), 0);
    }
}
