//! FLAC, decoded by `claxon`.

use std::io::Cursor;

use claxon::{FlacReader, FlacReaderOptions};

use super::{AudioFileError, CLIP_S_MAX, Clip, check_shape, mix_down};

const FORMAT: &str = "FLAC";

pub(super) fn read(bytes: &[u8]) -> Result<Clip, AudioFileError> {
    let options = FlacReaderOptions {
        metadata_only: false,
        read_vorbis_comment: false,
    };
    let mut reader = FlacReader::new_ext(Cursor::new(bytes), options).map_err(fault)?;
    let info = reader.streaminfo();
    check_shape(FORMAT, "flac", info.sample_rate, info.channels)?;
    let frames_max = u64::from(info.sample_rate) * u64::from(CLIP_S_MAX);
    if info.samples.is_some_and(|samples| samples > frames_max) {
        return Err(AudioFileError::TooLong);
    }
    let mut pcm = Vec::new();
    let mut blocks = reader.blocks();
    let mut buffer = Vec::new();
    while let Some(block) = blocks.read_next_or_eof(buffer).map_err(fault)? {
        // The frame's header may disagree with the file's in a damaged file.
        let channels = block.channels();
        for frame in 0..block.duration() {
            let sum = (0..channels)
                .map(|channel| {
                    i64::from(block.sample(channel, frame)) << (32 - info.bits_per_sample.min(32))
                })
                .sum();
            pcm.push(mix_down(sum, channels));
        }
        if pcm.len() as u64 > frames_max {
            return Err(AudioFileError::TooLong);
        }
        buffer = block.into_buffer();
    }
    if info
        .samples
        .is_some_and(|samples| samples > pcm.len() as u64)
    {
        return Err(AudioFileError::Truncated { format: FORMAT });
    }
    if pcm.is_empty() {
        return Err(AudioFileError::NoSamples { format: FORMAT });
    }
    Ok(Clip {
        rate_hz: info.sample_rate,
        pcm,
    })
}

fn fault(error: claxon::Error) -> AudioFileError {
    let damaged = |why: String| AudioFileError::Damaged {
        format: FORMAT,
        why,
    };
    match error {
        claxon::Error::IoError(_) => AudioFileError::Truncated { format: FORMAT },
        claxon::Error::FormatError(why) => damaged(why.to_owned()),
        claxon::Error::Unsupported(what) => AudioFileError::Unsupported {
            format: FORMAT,
            what: what.to_owned(),
            ending: "flac",
        },
    }
}
