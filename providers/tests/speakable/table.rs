//! `cases.tsv`: what is written, and how it is spoken.

use antiphon_agents::Pronunciations;
use antiphon_providers::speak::speakable::Speakable;

/// The table must not shrink below what was asked of it.
const CASES_MIN: usize = 300;

#[test]
fn every_case_is_spoken_as_the_table_says() {
    let none = Pronunciations::default();
    let (mut count, mut wrong) = (0, Vec::new());
    for (nth, line) in include_str!("cases.tsv").lines().enumerate() {
        let Some((written, spoken)) = line.split_once('\t').filter(|_| nth > 0) else {
            continue;
        };
        let written = unescape(written);
        count += 1;
        let made = Speakable::new(&written, &none);
        if made.spoken() != spoken {
            wrong.push(format!(
                "line {}: {written:?}\n    want {spoken}\n    got  {}",
                nth + 1,
                made.spoken()
            ));
        }
    }
    println!(
        "{count} cases of text made speakable, {} wrong",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count >= CASES_MIN, "{count} cases");
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let (c, len) = match escape.chars().next() {
            Some('n') => ('\n', 1),
            Some('t') => ('\t', 1),
            Some('u') => {
                let end = escape.find('}').unwrap();
                let code = u32::from_str_radix(&escape[2..end], 16).unwrap();
                (char::from_u32(code).unwrap(), end + 1)
            }
            other => (other.unwrap(), 1),
        };
        out.push(c);
        rest = &escape[len..];
    }
    out + rest
}
