#![allow(clippy::unwrap_used)]

use std::io::Cursor;

use proptest::prelude::*;

use super::*;

fn wave() -> Vec<i16> {
    (0..800)
        .map(|i| ((i as f32 * 0.05).sin() * 20_000.0) as i16)
        .collect()
}

/// A WAV file made by another library.
fn by_hound(
    spec: hound::WavSpec,
    write: impl Fn(&mut hound::WavWriter<&mut Cursor<Vec<u8>>>),
) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    write(&mut writer);
    writer.finalize().unwrap();
    file.into_inner()
}

fn spec(channels: u16, bits_per_sample: u16, sample_format: hound::SampleFormat) -> hound::WavSpec {
    hound::WavSpec {
        channels,
        sample_rate: 22_050,
        bits_per_sample,
        sample_format,
    }
}

#[test]
fn integer_wavs_of_all_widths_and_channels() {
    for bits in [8, 16, 24, 32] {
        for channels in [1, 2, 6] {
            let file = by_hound(spec(channels, bits, hound::SampleFormat::Int), |writer| {
                for &sample in &wave() {
                    let wide = (i64::from(sample) << 16 >> (32 - bits)) as i32;
                    for _ in 0..channels {
                        writer.write_sample(wide).unwrap();
                    }
                }
            });
            let clip = read_audio_file(&file).unwrap();
            assert_eq!(
                (clip.rate_hz, clip.pcm.len()),
                (22_050, 800),
                "{bits} bit, {channels} channels"
            );
            let step = if bits == 8 { 256 } else { 1 };
            for (got, want) in clip.pcm.iter().zip(wave()) {
                assert!(
                    (i32::from(*got) - i32::from(want)).abs() <= step,
                    "{bits} bit: {got} for {want}"
                );
            }
        }
    }
}

#[test]
fn float_wavs_and_mixing_down() {
    let file = by_hound(spec(2, 32, hound::SampleFormat::Float), |writer| {
        for &sample in &wave() {
            writer.write_sample(f32::from(sample) / 32_768.0).unwrap();
            writer.write_sample(0.0_f32).unwrap();
        }
    });
    let clip = read_audio_file(&file).unwrap();
    for (got, want) in clip.pcm.iter().zip(wave()) {
        assert!((i32::from(*got) - i32::from(want) / 2).abs() <= 1);
    }
    let wild = by_hound(spec(1, 32, hound::SampleFormat::Float), |writer| {
        for sample in [f32::NAN, f32::INFINITY, 2.0, -2.0, 1.0, -1.0] {
            writer.write_sample(sample).unwrap();
        }
    });
    let clip = read_audio_file(&wild).unwrap();
    assert_eq!(clip.pcm, [0, 0, 32_767, -32_768, 32_767, -32_768]);
}

#[test]
fn what_is_written_is_read_back() {
    let clip = read_audio_file(&write_wav(16_000, &wave())).unwrap();
    assert_eq!(
        clip,
        Clip {
            rate_hz: 16_000,
            pcm: wave()
        }
    );
    assert_eq!(clip.duration_ms(), 50);
}

#[test]
fn streamed_wavs_without_a_length_are_read_to_their_end() {
    for announced in [0_u32, u32::MAX, 0x7fff_ffff] {
        let mut file = write_wav(8_000, &wave());
        file[40..44].copy_from_slice(&announced.to_le_bytes());
        assert_eq!(read_audio_file(&file).unwrap().pcm, wave());
    }
}

#[test]
fn what_cannot_be_read_says_why_and_what_to_do() {
    let wav = write_wav(16_000, &wave());
    let with = |at: usize, bytes: &[u8]| {
        let mut file = wav.clone();
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    let cases: [(Vec<u8>, &str); 13] = [
        (Vec::new(), "the file is empty"),
        (b"hello, this is no audio\n".to_vec(), "a text file"),
        (vec![0, 1, 2, 3, 250, 1, 2, 3], "unknown kind"),
        (b"ID3\x04\0\0\0\0\0\0".to_vec(), "sox in.mp3 out.wav"),
        (vec![0xff, 0xfb, 0x90, 0x64, 0, 0], "an MP3"),
        (b"OggS\0\0\0\0".to_vec(), "sox in.ogg out.wav"),
        (b"\0\0\0\x20ftypM4A ".to_vec(), "an MP4 or M4A"),
        (wav[..1_000].to_vec(), "cut short"),
        (wav[..20].to_vec(), "damaged"),
        (write_wav(16_000, &[]), "no audio in it"),
        (with(20, &[7, 0]), "mu-law samples"),
        (with(22, &[0, 0]), "0 channels"),
        (with(24, &[0, 0, 0, 0]), "a rate of 0 Hz"),
    ];
    for (file, want) in cases {
        let error = read_audio_file(&file).unwrap_err().to_string();
        assert!(error.contains(want), "wanted {want:?}, got {error:?}");
    }
}

fn material(name: &str) -> Option<Vec<u8>> {
    let root = std::env::var("ANTIPHON_MATERIAL").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/material").to_owned()
    });
    let file = std::fs::read(format!("{root}/{name}")).ok();
    if file.is_none() {
        println!("SKIPPED: no test material at {root}/{name}");
    }
    file
}

#[test]
fn a_real_flac_is_read_and_a_cut_one_refused() {
    let Some(file) = material(FLAC_SAMPLE) else {
        return;
    };
    let clip = read_audio_file(&file).unwrap();
    // As its STREAMINFO block says.
    assert_eq!((clip.rate_hz, clip.pcm.len()), (16_000, 31_440));
    assert_eq!(clip.duration_ms(), 1_965);
    let level = crate::level::dbfs(&clip.pcm);
    assert!((-45.0..-10.0).contains(&level), "{level} dBFS");
    let cut = read_audio_file(&file[..file.len() / 2])
        .unwrap_err()
        .to_string();
    assert!(
        cut.contains("cut short") || cut.contains("damaged"),
        "{cut}"
    );
}

proptest! {
    #[test]
    fn no_bytes_panic(tail in prop::collection::vec(any::<u8>(), 0..600), head in 0..4_usize) {
        let heads: [&[u8]; 4] = [b"", b"RIFF\0\0\0\0WAVE", b"fLaC", b"RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0"];
        let _ = read_audio_file(&[heads[head], &tail].concat());
    }

    #[test]
    fn a_damaged_wav_never_panics(at in 0..1_644_usize, byte in any::<u8>(), len in 0..1_644_usize) {
        let mut file = write_wav(16_000, &wave());
        file[at] = byte;
        let _ = read_audio_file(&file);
        let _ = read_audio_file(&file[..len]);
    }
}

#[test]
fn a_damaged_flac_never_panics() {
    let Some(file) = material(FLAC_SAMPLE) else {
        return;
    };
    let short = &file[..file.len().min(20_000)];
    for i in 0..400_usize {
        let mut file = short.to_vec();
        let at = i * 7_919 % if i % 2 == 0 { 60 } else { file.len() };
        file[at] ^= 1 << (i % 8);
        let _ = read_audio_file(&file);
    }
}

const FLAC_SAMPLE: &str = "A_stt/librispeech-train-clean/19-198-0000.flac";
