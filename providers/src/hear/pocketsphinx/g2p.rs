//! Pronunciations of words that the dictionary lacks, by flite's letter-to-sound rules for
//! American English (`libflite_cmulex`), which speak the same phone set as the dictionary.

use std::ffi::{CStr, CString, c_void};
use std::ptr;
use std::sync::OnceLock;

use super::ffi;

/// Phones of the acoustic model (its `mdef`), fillers left out.
const PHONES: [&str; 39] = [
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH",
    "IH", "IY", "JH", "K", "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH",
    "UW", "V", "W", "Y", "Z", "ZH",
];

/// Longest word given a pronunciation, in letters; longer ones are not words.
const WORD_LETTERS_MAX: usize = 40;

/// The pronunciation of a lower-case word as the dictionary writes it, e.g. `AE N T AH F OW N`.
/// `None` where the word has other characters than letters and apostrophes, or no sound.
pub(super) fn pronounce(word: &str) -> Option<String> {
    let letters: String = word.chars().filter(|c| *c != '\'').collect();
    if letters.is_empty()
        || letters.len() > WORD_LETTERS_MAX
        || !letters.bytes().all(|b| b.is_ascii_lowercase())
    {
        return None;
    }
    // The rules read `s` after an apostrophe as any plural, so the letters alone will do.
    let phones = letter_to_sound(&letters)?;
    let phones: Vec<&str> = phones
        .iter()
        .filter_map(|phone| model_phone(phone))
        .collect();
    if phones.is_empty() {
        None
    } else {
        Some(phones.join(" "))
    }
}

/// The model's name for a flite phone, e.g. `AA` for `aa1`; `None` for pauses.
fn model_phone(flite: &str) -> Option<&'static str> {
    let bare = flite
        .trim_end_matches(|c: char| c.is_ascii_digit())
        .to_ascii_uppercase();
    // Flite tells schwas from AH; the model does not.
    let bare = match bare.as_str() {
        "AX" => "AH",
        other => other,
    };
    PHONES.iter().find(|phone| **phone == bare).copied()
}

fn letter_to_sound(letters: &str) -> Option<Vec<String>> {
    let word = CString::new(letters).ok()?;
    let rules = rules()?;
    let mut phones = Vec::new();
    // SAFETY: `rules` is flite's own static rule set; `word` and the empty feature string outlive
    // the call; the list is walked while it lives and freed once.
    unsafe {
        let list = ffi::lts_apply(word.as_ptr(), c"".as_ptr(), rules.0);
        let mut at = list.cast_const();
        while !at.is_null() {
            let phone = ffi::val_string(ffi::val_car(at));
            if !phone.is_null() {
                phones.push(CStr::from_ptr(phone).to_string_lossy().into_owned());
            }
            at = ffi::val_cdr(at);
        }
        ffi::delete_val(list);
    }
    Some(phones)
}

#[derive(Clone, Copy)]
struct Rules(*const c_void);

// SAFETY: the rule set is static data that flite only reads.
unsafe impl Send for Rules {}
// SAFETY: as above.
unsafe impl Sync for Rules {}

fn rules() -> Option<Rules> {
    static RULES: OnceLock<Option<Rules>> = OnceLock::new();
    *RULES.get_or_init(|| {
        // SAFETY: fills in a static lexicon with constants; run once here, and harmless if the
        // voices run it too, since it writes the same constants.
        let rules = unsafe {
            let lexicon = ffi::cmu_lex_init();
            if lexicon.is_null() {
                ptr::null()
            } else {
                (*lexicon).lts_rule_set
            }
        };
        if rules.is_null() {
            None
        } else {
            Some(Rules(rules))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_names_get_plausible_pronunciations() {
        for (word, first, last) in [
            ("antiphon", "AE", "N"),
            ("riven", "R", "N"),
            ("loopseeker", "L", "ER"),
        ] {
            let phones = pronounce(word).expect("a pronunciation");
            assert!(
                phones.starts_with(first) && phones.ends_with(last),
                "{word}: {phones}"
            );
            assert!(
                phones.split(' ').all(|phone| PHONES.contains(&phone)),
                "{word}: {phones}"
            );
        }
    }

    #[test]
    fn what_is_no_word_has_no_pronunciation() {
        for word in ["", "'", "x9", "naïve", "a b", &"a".repeat(41)] {
            assert_eq!(pronounce(word), None, "{word}");
        }
    }
}
