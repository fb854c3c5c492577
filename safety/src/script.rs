//! Reviewed words. Plain, short, speakable by any voice.

/// Said at HIGH_RISK: names the concern, asks directly, gives help.
pub(crate) const HIGH_RISK: &str = "I am worried about you, and I am glad you told me. \
Are you thinking about ending your life, or are you in danger right now? \
If you are, please call your local emergency number now. \
In the United States you can call or text nine eight eight at any hour. \
Elsewhere, find a helpline dot com lists people who will listen. \
I am a program and not a person, but you do not have to be alone with this.";

/// Said in SAFETY_MODE, once more and shorter at each turn.
pub(crate) const SAFETY_MODE: &str = "Your safety matters most now. \
Please call your local emergency number, or nine eight eight in the United States, right now. \
If someone is near you, please tell them what you told me. \
I will stay on the line, and this time is not charged.";

/// In place of a sentence that may not be said.
pub(crate) const BLOCKED_SENTENCE: &str = "I would rather not say that.";

/// In place of a sentence that claims to be human.
pub(crate) const NOT_HUMAN: &str = "To be clear, I am a program, not a person.";

/// When the check itself failed: the cautious branch.
pub(crate) const CAUTIOUS: &str = "Let me be careful with that. Could you put it in other words?";
