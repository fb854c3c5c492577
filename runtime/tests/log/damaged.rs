//! Files that are cut, damaged, made up, or of another version.

use antiphon_engine::Input;
use antiphon_runtime::log::{
    Ending, LINE_BYTES_MAX, LOG_BYTES_MAX, LogEncoder, LogError, Verdict, pack,
};
use proptest::prelude::*;

use crate::support::{any_inputs, conversation, header, packed, read, replayed, unpacked, written};

/// The same log as it stands while its call runs.
fn plain(log: &[u8]) -> Vec<u8> {
    format!("antiphon-log 1\n{}", unpacked(log)).into_bytes()
}

#[test]
fn a_log_cut_at_any_byte_gives_its_prefix() {
    let log = written(&conversation());
    check_cuts(&log);
    check_cuts(&plain(&log));
}

#[test]
fn a_plain_log_is_packed_to_the_same_records() {
    let log = written(&conversation());
    let packed = pack(plain(&log).as_slice(), Vec::new()).unwrap();
    assert_eq!(read(&packed).unwrap(), read(&plain(&log)).unwrap());
    assert_eq!(read(&packed).unwrap(), read(&log).unwrap());
    assert!(packed.len() < plain(&log).len() / 2);
    assert!(pack(&b"RIFF....WAVE"[..], Vec::new()).is_err());
}

fn check_cuts(log: &[u8]) {
    let all = read(log).unwrap().0;
    let mut most = 0;
    let mut partial = 0;
    for end in 0..log.len() {
        match read(&log[..end]) {
            Ok((records, Ending::Cut { partial: part })) => {
                assert_eq!(records, all[..records.len()], "cut at {end}");
                assert!(records.len() >= most, "cut at {end}");
                most = records.len();
                partial += usize::from(part);
                assert_eq!(
                    replayed(&log[..end]).unwrap().verdict(),
                    Verdict::IdenticalSoFar
                );
            }
            // Behind the trailer only the check sum of the packed stream is missing; the trailer
            // proves the replay without it.
            Ok((records, Ending::Whole(_))) => assert_eq!(records, all, "cut at {end}"),
            Err(LogError::NoHeader) => assert_eq!(most, 0, "cut at {end}"),
            Err(LogError::NotALog) => assert_eq!(end, 0),
            Err(fault) => panic!("cut at {end}: {fault}"),
        }
    }
    assert_eq!(most, all.len(), "all but the trailer");
    assert!(partial > 0);
}

#[test]
fn what_was_flushed_is_there_after_a_kill() {
    let mut encoder = LogEncoder::live(Vec::new(), &header()).unwrap();
    let inputs = conversation();
    for (at, input) in &inputs[..5] {
        encoder.record(*at, input, 0).unwrap();
    }
    encoder.flush().unwrap();
    let flushed = encoder.file().len();
    for (at, input) in &inputs[5..] {
        encoder.record(*at, input, 0).unwrap();
    }
    // Not flushed, not finished.
    let (records, ending) = read(&encoder.file()[..flushed]).unwrap();
    assert_eq!(records.len(), 5);
    assert_eq!(ending, Ending::Cut { partial: false });
}

#[test]
fn other_files_and_versions_are_told_apart() {
    let fault = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
    for bytes in [
        &b""[..],
        b"RIFF....WAVE",
        b"antiphon-log x\n",
        b"antiphon-log 0\n",
    ] {
        assert!(fault(bytes).contains("not a log"), "{bytes:?}");
    }
    let newer = fault(&packed("2", "{}\n"));
    assert!(
        newer.contains("version 2") && newer.contains("up to version 1"),
        "{newer}"
    );
    assert!(fault(&packed("99999999999", "")).contains("version 99999999999"));
    assert!(fault(&packed("1", "")).contains("cut before its header"));
    assert!(fault(&packed("1", "[]\n")).contains("header"));
    assert!(fault(&packed("1", "not JSON\n")).contains("header"));
}

#[test]
fn a_bad_record_is_named_and_not_quoted() {
    let text = unpacked(&written(&conversation()));
    let lines: Vec<&str> = text.lines().collect();
    let secret = "my secret words";
    for bad in [
        "[1]".to_owned(),
        format!("\"{secret}\""),
        format!("[5,{{\"type\":\"{secret}\"}}]"),
        format!("[5,{{\"type\":\"user_text\",\"txt\":\"{secret}\"}}]"),
        "[5,{\"type\":\"timeout\"},70000]".to_owned(),
        "[-5,{\"type\":\"timeout\"}]".to_owned(),
        String::new(),
    ] {
        let mut lines = lines.clone();
        lines[3] = &bad;
        let fault = read(&packed("1", &(lines.join("\n") + "\n"))).unwrap_err();
        assert!(
            matches!(fault, LogError::Malformed { record: 3, .. }),
            "{bad}: {fault}"
        );
        assert!(!fault.to_string().contains("secret"), "{fault}");
    }
    let (cut, _) = text.trim_end().rsplit_once('\n').unwrap();
    for after in [
        "{\"inputs\":3}",
        "{\"inputs\":3,\"outputs\":0,\"sha256\":\"\"}",
    ] {
        let fault = read(&packed("1", &format!("{cut}\n{after}\n"))).unwrap_err();
        assert!(
            matches!(fault, LogError::Malformed { record: 15, .. }),
            "{fault}"
        );
    }
    let fault = read(&packed("1", &format!("{text}[1,{{}}]\n"))).unwrap_err();
    assert!(fault.to_string().contains("follows the trailer"), "{fault}");
}

#[test]
fn a_small_file_cannot_unpack_without_end() {
    let text = unpacked(&written(&[]));
    let header = text.lines().next().unwrap();
    let endless = packed(
        "1",
        &format!("{header}\n{}", "a".repeat(2 * LINE_BYTES_MAX)),
    );
    assert!(endless.len() < LINE_BYTES_MAX / 50);
    let fault = read(&endless).unwrap_err();
    assert!(fault.to_string().contains("longer than"), "{fault}");
    let words = "a".repeat(LINE_BYTES_MAX / 2);
    let record = format!("[0,{{\"type\":\"user_text\",\"text\":\"{words}\"}}]\n");
    let records = LOG_BYTES_MAX as usize / record.len() + 1;
    let many = packed("1", &format!("{header}\n{}", record.repeat(records)));
    let fault = read(&many).unwrap_err();
    assert!(matches!(fault, LogError::TooLong { .. }), "{fault}");
}

#[test]
fn the_longest_text_fits() {
    let text = "ä".repeat(2_000);
    let inputs = vec![(Default::default(), Input::UserText { text })];
    assert_eq!(
        replayed(&written(&inputs)).unwrap().verdict(),
        Verdict::Identical
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), packed_too: bool) {
        let _ = replayed(&bytes);
        if packed_too {
            let text = String::from_utf8_lossy(&bytes);
            let _ = replayed(&packed("1", &text));
            let header = unpacked(&written(&[]));
            let header = header.lines().next().unwrap();
            let _ = replayed(&packed("1", &format!("{header}\n{text}")));
        }
    }

    #[test]
    fn no_damage_makes_a_reader_panic(
        inputs in any_inputs(30),
        at: prop::sample::Index,
        flip in 1u8..,
        in_text: bool,
    ) {
        let mut log = written(&inputs);
        if in_text {
            let mut text = unpacked(&log).into_bytes();
            let at = at.index(text.len());
            text[at] ^= flip;
            log = packed("1", &String::from_utf8_lossy(&text));
        } else {
            let at = at.index(log.len());
            log[at] ^= flip;
        }
        let _ = replayed(&log);
    }
}
