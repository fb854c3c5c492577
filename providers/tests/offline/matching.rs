//! Which topic is found for phrases that are in no file, as said and as misheard.

use antiphon_agents::library;

use crate::call::Call;

fn check(id: &str, cases: &[(&str, &str)]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|(said, wanted)| {
            let found = Call::to(id).say(said);
            (!wanted.split(" | ").any(|wanted| found.used == wanted)).then(|| {
                format!(
                    "{said:?}: {} ({:.2}), wanted {wanted}",
                    found.used, found.score
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{id}\n{}", wrong.join("\n"));
}

#[test]
fn own_examples_find_their_intent() {
    for agent in library() {
        let mut wrong = Vec::new();
        let mut all = 0;
        for intent in &agent.intents {
            for example in &intent.examples {
                all += 1;
                let found = Call::with(agent.clone()).say(example);
                if found.used != format!("intent {}", intent.name) {
                    wrong.push(format!("{example:?}: {} not {}", found.used, intent.name));
                }
            }
        }
        assert!(
            wrong.len() * 50 <= all,
            "{}: {} of {all}\n{}",
            agent.id,
            wrong.len(),
            wrong.join("\n")
        );
    }
}

#[test]
fn new_wordings_find_their_topic() {
    check(
        "cal",
        &[
            (
                "Hi Cal, could you help me make a website for my bakery?",
                "intent start_website",
            ),
            (
                "uh so my page loads really slowly",
                "intent slow_site | passage page speed",
            ),
            ("how expensive is a web site", "intent cost"),
            (
                "what does hosting mean",
                "intent hosting_choice | passage hosting",
            ),
            ("what about backups", "passage backups"),
            ("how do blind visitors read it", "passage accessibility"),
            (
                "i would like to open an online shop",
                "intent online_shop | passage online shops",
            ),
            ("are you an actual human being", "small talk are_you_human"),
            ("thanks so much", "small talk thanks"),
            ("okay bye bye now", "small talk goodbye"),
        ],
    );
    check(
        "riven",
        &[
            ("what price should i ask for", "intent set_price"),
            ("we do not have enough clients", "intent first_customers"),
            ("is it time to leave my job", "intent quit_job"),
            ("tell me about sunk costs", "passage sunk costs"),
            ("how are you doing today", "small talk how_are_you"),
        ],
    );
}

#[test]
fn misheard_words_find_their_topic() {
    check(
        "cal",
        &[
            ("how do i start a web sight", "intent start_website"),
            ("wise my site so slow", "intent slow_site"),
            (
                "witch web sight builder should i yews",
                "intent choose_builder",
            ),
            ("how much does a web side cost", "intent cost"),
            ("how do i chews a domain name", "intent choose_domain"),
            ("what belongs on a home paige", "intent home_page"),
            ("tell me about back ups", "passage backups"),
            ("who maid you", "small talk who_made_you"),
        ],
    );
    check(
        "riven",
        &[
            ("how do i set a prize", "intent set_price"),
            ("how do i find my first costumers", "intent first_customers"),
            ("what is cache flow", "intent cash_flow"),
            ("should i quit my jaw", "intent quit_job"),
        ],
    );
}

#[test]
fn other_subjects_are_not_answered() {
    for id in ["cal", "riven"] {
        for said in [
            "the dog ate my homework on tuesday",
            "where can i buy fresh goat cheese",
            "my grandmother plays the violin",
            "purple elephants dance beneath the moon",
        ] {
            let found = Call::to(id).say(said);
            assert!(
                ["reflection", "fallback"].contains(&found.used.as_str()),
                "{id} {said:?}: {found:?}"
            );
        }
    }
}

/// A confusion model after what a weak recognizer does: one word in six is lost, one in six is
/// written as another of the same sound. Deterministic.
#[test]
fn most_examples_survive_a_weak_recognizer() {
    let mut all = 0;
    let mut right = 0;
    for agent in library() {
        for (nth, intent) in agent.intents.iter().enumerate() {
            for (mth, example) in intent
                .examples
                .iter()
                .enumerate()
                .filter(|(_, text)| text.split(' ').count() >= 4)
            {
                let found = Call::with(agent.clone()).say(&confuse(example, nth * 7 + mth));
                all += 1;
                right += usize::from(found.used == format!("intent {}", intent.name));
            }
        }
    }
    println!("confused examples understood: {right} of {all}");
    assert!(right * 100 >= all * 85, "{right} of {all}");
}

fn confuse(text: &str, seed: usize) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let kept = words
        .iter()
        .enumerate()
        .filter(|(nth, _)| !(nth + seed).is_multiple_of(6));
    let heard: Vec<String> = kept
        .map(|(nth, word)| {
            if (nth + seed) % 6 == 3 {
                respelled(word)
            } else {
                (*word).to_owned()
            }
        })
        .collect();
    heard.join(" ")
}

fn respelled(word: &str) -> String {
    let swaps = [
        ("ph", "f"),
        ("ck", "k"),
        ("ee", "ea"),
        ("ai", "ay"),
        ("c", "k"),
        ("d", "t"),
        ("b", "p"),
        ("v", "f"),
        ("o", "a"),
    ];
    let swap = swaps
        .iter()
        .find(|(from, _)| word.len() > 3 && word.contains(from));
    swap.map_or_else(|| word.to_owned(), |(from, to)| word.replacen(from, to, 1))
}
