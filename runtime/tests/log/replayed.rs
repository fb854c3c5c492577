//! A replay proves itself.

use antiphon_proto::Moment;
use antiphon_runtime::log::{Difference, Ending, LogReader, Verdict, replay};
use proptest::prelude::*;

use crate::support::{any_inputs, conversation, packed, read, replayed, unpacked, written};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_session_is_read_as_written_and_replays_to_the_same_bytes(inputs in any_inputs(120)) {
        let log = written(&inputs);
        let (records, ending) = read(&log).unwrap();
        let again: Vec<_> = records.into_iter().map(|record| (record.at, record.input)).collect();
        prop_assert_eq!(&again, &inputs);
        let whole = matches!(ending, Ending::Whole(trailer) if trailer.inputs == inputs.len() as u64);
        prop_assert!(whole);
        let replayed = replayed(&log).unwrap();
        prop_assert_eq!(replayed.verdict(), Verdict::Identical);
    }
}

#[test]
fn the_conversation_has_outputs_worth_proving() {
    let replayed = replayed(&written(&conversation())).unwrap();
    assert!(replayed.outputs > 10, "{replayed:?}");
    assert_eq!(replayed.last_at, Moment::from_ms(3_000));
    assert_eq!(replayed.sha256.len(), 64);
}

/// The number of the record that a replay of the changed log points at.
fn first_difference(change: impl FnOnce(&mut Vec<String>)) -> Option<u64> {
    let text = unpacked(&written(&conversation()));
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    change(&mut lines);
    let log = packed("1", &(lines.join("\n") + "\n"));
    match replayed(&log).unwrap().verdict() {
        Verdict::Different(Difference::At(step)) => Some(step.record),
        Verdict::Different(Difference::Somewhere) => Some(0),
        Verdict::Identical | Verdict::IdenticalSoFar => None,
    }
}

#[test]
fn the_first_difference_is_found_at_its_input() {
    assert_eq!(first_difference(|_| {}), None);
    // Line 0 is the header. Other words make other outputs at their own input.
    assert_eq!(
        first_difference(|lines| lines[2] = lines[2].replace("which name?", "what name?")),
        Some(2)
    );
    // What the call ends with is held against the trailer.
    assert_eq!(
        first_difference(|lines| lines[14] = lines[14].replace("user_hung_up", "deleted")),
        Some(14)
    );
    assert_eq!(
        first_difference(|lines| {
            let trailer = lines.last_mut().unwrap();
            let at = trailer.find("sha256").unwrap() + 9;
            let digit = if trailer.as_bytes()[at] == b'0' {
                "1"
            } else {
                "0"
            };
            trailer.replace_range(at..=at, digit);
        }),
        Some(0),
        "the hash over all"
    );
}

#[test]
fn a_replay_stops_where_it_is_asked_to() {
    let log = written(&conversation());
    let until = |ms| {
        let mut steps = 0;
        let mut reader = LogReader::open(log.as_slice()).unwrap();
        let replayed = replay(&mut reader, Some(Moment::from_ms(ms)), |_| steps += 1).unwrap();
        (steps, replayed.verdict())
    };
    assert_eq!(until(1_200), (3, Verdict::IdenticalSoFar));
    assert_eq!(until(9_000), (14, Verdict::Identical));
}

#[test]
fn settings_that_a_log_does_not_know_have_their_defaults() {
    let text = unpacked(&written(&conversation()));
    let (header, rest) = text.split_once('\n').unwrap();
    let mut header: serde_json::Value = serde_json::from_str(header).unwrap();
    let config = header["config"].as_object_mut().unwrap();
    config.retain(|name, _| ["session", "agent", "agent_name"].contains(&name.as_str()));
    config.insert("of_a_later_version".to_owned(), 7.into());
    let log = packed("1", &format!("{header}\n{rest}"));
    assert_eq!(
        LogReader::open(log.as_slice()).unwrap().header(),
        &crate::support::header()
    );
    assert_eq!(replayed(&log).unwrap().verdict(), Verdict::Identical);
}
