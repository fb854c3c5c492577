//! Replies that depend on what was said before.

use antiphon_proto::Role;

use crate::call::Call;

#[test]
fn more_leads_on_and_never_repeats() {
    let mut call = Call::to("cal");
    let first = call.say("how do i choose a domain name");
    assert_eq!(first.used, "intent choose_domain");
    let mut heard = vec![first.text];
    for _ in 0..12 {
        let next = call.say("tell me more");
        assert!(next.used.starts_with("more "), "{next:?}");
        assert!(!heard.contains(&next.text), "{next:?}");
        heard.push(next.text);
    }
    assert!(heard[1].contains("rent it by the year"), "{}", heard[1]);
}

#[test]
fn why_gives_the_reason_and_then_goes_on() {
    let mut call = Call::to("cal");
    call.say("what belongs on my home page");
    assert_eq!(call.say("why").used, "why home_page");
    let again = call.say("but why");
    assert!(again.used.starts_with("why then more "), "{again:?}");
}

#[test]
fn yes_no_and_own_words_answer_the_agents_question() {
    for (reply, used, part) in [
        ("yes", "yes to hosting_check", ""),
        ("yes there are", "yes to slow_site", "shrink those first"),
        ("no", "no to slow_site", "count your plugins"),
        ("no not really", "no to slow_site", "count your plugins"),
        ("some drawings of cats", "open to slow_site", "speed test"),
        ("how much does a website cost", "intent cost", "dollars"),
        ("thank you", "small talk thanks", ""),
    ] {
        let mut call = Call::to("cal");
        assert!(
            call.say("why is my site slow")
                .text
                .ends_with("Are there big pictures on your pages?")
        );
        let found = call.say(reply);
        let used = if used == "yes to hosting_check" {
            "yes to slow_site"
        } else {
            used
        };
        assert_eq!(found.used, used, "{reply}: {found:?}");
        assert!(found.text.contains(part), "{reply}: {found:?}");
    }
}

#[test]
fn offers_are_taken_by_order() {
    for (reply, nth) in [
        ("the first one", 0),
        ("the second one please", 1),
        ("yes", 0),
    ] {
        let mut call = Call::to("cal");
        let offer = call
            .say("purple elephants dance beneath the moon")
            .text
            .to_lowercase();
        let mut titles: Vec<(usize, String)> = call
            .agent
            .knowledge
            .iter()
            .filter_map(|passage| {
                offer
                    .find(&passage.title)
                    .map(|at| (at, passage.title.clone()))
            })
            .collect();
        titles.sort();
        let wanted = titles.get(nth.min(titles.len() - 1)).unwrap().1.clone();
        assert_eq!(call.say(reply).used, format!("passage {wanted}"), "{offer}");
    }
}

#[test]
fn repeats_on_request_without_piling_up() {
    let mut call = Call::to("riven");
    let answer = call.say("how do i set a price").text;
    let once = call.say("sorry can you repeat that");
    assert_eq!(once.used, "repeat");
    assert!(once.text.ends_with(&answer), "{once:?}");
    let twice = call.say("say that again please").text;
    assert!(
        twice.ends_with(&answer) && twice.len() <= once.text.len() + 12,
        "{twice}"
    );
}

#[test]
fn an_interrupted_answer_is_finished_on_request() {
    let mut call = Call::to("cal");
    let full = call.say("tell me about backups").text;
    assert!(
        full.contains("Keep three copies, in two places, one of them away from your host."),
        "{full}"
    );
    let heard = full
        .split(' ')
        .take_while(|word| *word != "places,")
        .count();
    call.cut_after(heard + 2);
    let rest = call.say("sorry go on");
    assert_eq!(rest.used, "continue");
    assert!(
        rest.text.contains("One of them away from your host."),
        "{rest:?}"
    );
    assert!(rest.text.contains("only a hope"), "{rest:?}");
    assert!(!rest.text.contains("Keep three copies"), "{rest:?}");
    let after = call.say("continue");
    assert_ne!(after.used, "continue", "all of it was heard: {after:?}");
}

#[test]
fn names_are_remembered_from_the_history() {
    let mut call = Call::to("domingo");
    assert!(call.say("what is my name").text.contains('?'));
    assert!(call.say("my name is anna").text.contains("Anna"));
    call.say("thanks");
    let known = call.say("do you remember my name");
    assert_eq!(known.used, "small talk ask_name");
    assert!(known.text.contains("Anna"), "{known:?}");
    let both = Call::to("cal").say("hi my name is max and i want to build a website");
    assert!(
        both.text.contains("Max") && both.used == "intent start_website",
        "{both:?}"
    );
}

#[test]
fn distress_is_met_with_people_and_crisis_lines() {
    for id in ["cal", "riven", "domingo", "arty", "loopseeker"] {
        for said in [
            "i want to kill myself",
            "honestly i don't want to live anymore",
            "lately i think about suicide a lot",
        ] {
            let found = Call::to(id).say(said);
            assert_eq!(found.used, "small talk distress", "{id} {said}");
            assert!(found.text.contains("emergency number") && found.text.contains("crisis line"));
        }
    }
}

#[test]
fn goodbye_ends_the_call_with_the_agents_farewell() {
    for agent in antiphon_agents::library() {
        let found = Call::with(agent.clone()).say("okay goodbye");
        assert!(found.ends_call, "{found:?}");
        assert_eq!(found.text, agent.farewell);
    }
}

#[test]
fn the_same_history_gives_the_same_words() {
    let said = [
        "hello",
        "how do i start a website",
        "a bakery",
        "more",
        "asdf qwer",
    ];
    let run = || {
        let mut call = Call::to("cal");
        said.map(|text| call.say(text).text)
    };
    assert_eq!(run(), run());
}

#[test]
fn asking_the_same_thing_again_brings_other_words() {
    for id in ["cal", "riven", "domingo", "arty", "loopseeker"] {
        let mut call = Call::to(id);
        let said = call.agent.intents[2].examples[0].clone();
        let mut last = String::new();
        for _ in 0..5 {
            let next = call.say(&said).text;
            assert_ne!(next, last, "{id}");
            last = next;
        }
    }
}

#[test]
fn slots_are_spoken_back() {
    let text = include_str!("../../../agents/examples/coffee.toml");
    let agent = antiphon_agents::Agent::parse("coffee", "coffee.toml", text).unwrap();
    let mut call = Call::with(std::sync::Arc::new(agent));
    let found = call.say("can i have a large iced latte with oat milk please");
    assert_eq!(found.used, "intent order");
    assert!(found.text.contains("iced latte"), "{found:?}");
    assert!(!found.text.contains('{'), "{found:?}");
    assert_eq!(call.history.last().unwrap().role, Role::Agent);
}
