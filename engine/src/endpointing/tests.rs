use antiphon_proto::{AgentId, SessionId};

use super::*;

#[test]
fn waits_by_what_was_said() {
    let config = EngineConfig::new(SessionId::from("s"), AgentId::from("a"), "A");
    let check = |text: &str, ms: u64| assert_eq!(wait_after(text, &config).ms, ms, "{text:?}");
    check("", 500);
    check("how do i choose a domain name", 500);
    check("i would like to and", 1_600);
    check("so um", 1_600);
    check("my number is four two", 900);
    check("give me two", 500);
    check("Tell me about Paris.", 500);
}

#[test]
fn a_minimum_above_the_maximum_wins() {
    let mut config = EngineConfig::new(SessionId::from("s"), AgentId::from("a"), "A");
    config.endpointing_ms_min = 2_000;
    config.endpointing_ms_max = 100;
    assert_eq!(wait_after("and", &config).ms, 2_000);
}
