//! Files that are no models, or not whole ones. whisper.cpp itself ends the process on some.

use antiphon_providers::hear::ggml;
use antiphon_providers::hear::whisper::{Whisper, WhisperConfig, WhisperFault};
use antiphon_testkit::WhisperModel;

use crate::support::Home;

/// Loads a file of these bytes.
fn load(home: &Home, bytes: &[u8]) -> Result<Whisper, WhisperFault> {
    let path = home.folder.path().join("broken.bin");
    std::fs::write(&path, bytes).unwrap();
    Whisper::load(path, WhisperConfig::default())
}

#[test]
fn a_file_that_is_cut_off_anywhere_is_refused() {
    let home = Home::new();
    let whole = std::fs::read(home.write(&WhisperModel::small(&[" hi"]))).unwrap();
    assert!(load(&home, &whole).is_ok());
    let everywhere = (0..40).map(|n| whole.len() * n / 40);
    for len in (0..100).chain(everywhere).chain([whole.len() - 1]) {
        let fault = load(&home, &whole[..len])
            .err()
            .unwrap_or_else(|| panic!("{len} bytes"));
        assert!(matches!(fault, WhisperFault::File { .. }), "{len}: {fault}");
        assert!(
            fault.to_string().contains("antiphon models pull"),
            "{fault}"
        );
    }
    let longer = [&whole[..], b"more"].concat();
    assert!(load(&home, &longer).is_err());
}

#[test]
fn a_garbled_head_is_refused() {
    let home = Home::new();
    let whole = std::fs::read(home.write(&WhisperModel::small(&[" hi"]))).unwrap();
    let vocabulary = 14 * 4 + (80 * ggml::MEL_FREQUENCIES as usize) * 4;
    let first_tensor = vocabulary + 4 + (4 + 1) + (4 + 3);
    let check = |at: usize, number: u32| {
        let mut garbled = whole.clone();
        garbled[at..at + 4].copy_from_slice(&number.to_le_bytes());
        let fault = load(&home, &garbled).err();
        assert!(
            matches!(fault, Some(WhisperFault::File { .. })),
            "{number:#x} at {at}: {fault:?}"
        );
    };
    for number in [0, 1_000_000, u32::MAX, 1 << 31] {
        // The magic, all dimensions and the mel filters' size.
        for at in 0..14 {
            check(at * 4, number);
        }
        // The size of the vocabulary, the length of its first word.
        check(vocabulary, number);
        check(vocabulary + 4, number);
        // Rank, length of the name and first dimension of the first tensor.
        check(first_tensor, number);
        check(first_tensor + 4, number);
        check(first_tensor + 12, number);
    }
    // The type of the first tensor, and its name.
    check(first_tensor + 8, 99);
    check(first_tensor + 20, 0x2020_2020);
}

#[test]
fn what_is_no_file_is_refused() {
    let home = Home::new();
    for path in [
        home.folder.path().join("none"),
        home.folder.path().to_owned(),
    ] {
        let fault = Whisper::load(&path, WhisperConfig::default()).err();
        assert!(
            matches!(fault, Some(WhisperFault::File { .. })),
            "{fault:?}"
        );
    }
    assert!(load(&home, b"<!doctype html>").is_err());
}
