//! RIFF WAVE. Chunks are walked here rather than by `hound`, which refuses files that common
//! recorders write (a data length of 0 or 2^32-1 from streams, odd header lengths) and reads
//! 64-bit float not at all.

use super::{AudioFileError, CLIP_S_MAX, Clip, check_shape, mix_down};

const FORMAT: &str = "WAV";
const PCM: u16 = 1;
const FLOAT: u16 = 3;
const EXTENSIBLE: u16 = 0xfffe;

/// A mono 16-bit WAV file of `pcm`.
pub fn write_wav(rate_hz: u32, pcm: &[i16]) -> Vec<u8> {
    let data_bytes = u32::try_from(pcm.len() * 2).unwrap_or(u32::MAX - 64);
    let mut out = Vec::with_capacity(44 + pcm.len() * 2);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + data_bytes).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&16_u32.to_le_bytes());
    out.extend_from_slice(&PCM.to_le_bytes());
    out.extend_from_slice(&1_u16.to_le_bytes());
    out.extend_from_slice(&rate_hz.to_le_bytes());
    out.extend_from_slice(&(rate_hz * 2).to_le_bytes());
    out.extend_from_slice(&2_u16.to_le_bytes());
    out.extend_from_slice(&16_u16.to_le_bytes());
    out.extend_from_slice(b"data");
    out.extend_from_slice(&data_bytes.to_le_bytes());
    for sample in pcm {
        out.extend_from_slice(&sample.to_le_bytes());
    }
    out
}

struct Shape {
    encoding: u16,
    channels: u32,
    rate_hz: u32,
    bits: u16,
}

pub(super) fn read(bytes: &[u8]) -> Result<Clip, AudioFileError> {
    let mut shape = None;
    let mut at = 12;
    while let Some(header) = bytes.get(at..at + 8) {
        let announced = le32(&header[4..]) as usize;
        let body = &bytes[at + 8..];
        let chunk = &body[..announced.min(body.len())];
        if &header[..4] == b"fmt " {
            shape = Some(read_shape(chunk)?);
        } else if &header[..4] == b"data" {
            let Some(shape) = shape else {
                return Err(damaged("the audio comes before its format"));
            };
            // A recorder that streams cannot know the length: it writes 0 or the largest number.
            let streamed = announced == 0 || announced >= 0x7fff_0000;
            if announced > body.len() && !streamed {
                return Err(AudioFileError::Truncated { format: FORMAT });
            }
            return read_samples(&shape, if streamed { body } else { chunk });
        }
        // Chunks are padded to even length.
        at = at
            .saturating_add(8)
            .saturating_add(announced)
            .saturating_add(announced & 1);
    }
    match shape {
        Some(_) => Err(AudioFileError::NoSamples { format: FORMAT }),
        None => Err(AudioFileError::Truncated { format: FORMAT }),
    }
}

fn read_shape(chunk: &[u8]) -> Result<Shape, AudioFileError> {
    if chunk.len() < 16 {
        return Err(damaged("its format chunk is too short"));
    }
    let mut encoding = le16(chunk);
    let (channels, rate_hz, bits) = (le16(&chunk[2..]), le32(&chunk[4..]), le16(&chunk[14..]));
    if encoding == EXTENSIBLE {
        // The sub-format is a GUID whose first two bytes are the plain format's number.
        encoding = le16(
            chunk
                .get(24..26)
                .ok_or_else(|| damaged("its format chunk is too short"))?,
        );
    }
    check_shape(FORMAT, "wav", rate_hz, u32::from(channels))?;
    let known = matches!((encoding, bits), (PCM, 8 | 16 | 24 | 32) | (FLOAT, 32 | 64));
    if !known {
        let name = match encoding {
            PCM => format!("{bits} bit integer samples"),
            FLOAT => format!("{bits} bit float samples"),
            2 | 0x11 => "ADPCM samples".to_owned(),
            6 => "A-law samples".to_owned(),
            7 => "mu-law samples".to_owned(),
            0x55 => "MP3 inside".to_owned(),
            other => format!("encoding {other:#06x}"),
        };
        return Err(AudioFileError::Unsupported {
            format: FORMAT,
            what: name,
            ending: "wav",
        });
    }
    Ok(Shape {
        encoding,
        channels: u32::from(channels),
        rate_hz,
        bits,
    })
}

fn read_samples(shape: &Shape, data: &[u8]) -> Result<Clip, AudioFileError> {
    let sample_bytes = usize::from(shape.bits / 8);
    let frame_bytes = sample_bytes * shape.channels as usize;
    let frames = data.len() / frame_bytes;
    if frames == 0 {
        return Err(AudioFileError::NoSamples { format: FORMAT });
    }
    if frames as u64 > u64::from(shape.rate_hz) * u64::from(CLIP_S_MAX) {
        return Err(AudioFileError::TooLong);
    }
    let pcm = data
        .chunks_exact(frame_bytes)
        .map(|frame| {
            let sum = frame
                .chunks_exact(sample_bytes)
                .map(|s| full_scale(shape.encoding, s))
                .sum();
            mix_down(sum, shape.channels)
        })
        .collect();
    Ok(Clip {
        rate_hz: shape.rate_hz,
        pcm,
    })
}

/// One sample in units where full scale is 2^31.
fn full_scale(encoding: u16, sample: &[u8]) -> i64 {
    let float = |value: f64| {
        if value.is_finite() {
            (value.clamp(-1.0, 1.0) * 2_147_483_647.0) as i64
        } else {
            0
        }
    };
    match (encoding, sample) {
        (FLOAT, &[a, b, c, d]) => float(f64::from(f32::from_le_bytes([a, b, c, d]))),
        (FLOAT, &[a, b, c, d, e, f, g, h]) => float(f64::from_le_bytes([a, b, c, d, e, f, g, h])),
        // 8-bit WAV is unsigned, all else signed.
        (_, &[a]) => (i64::from(a) - 128) << 24,
        (_, &[a, b]) => i64::from(i16::from_le_bytes([a, b])) << 16,
        (_, &[a, b, c]) => i64::from(i32::from_le_bytes([0, a, b, c])),
        (_, &[a, b, c, d]) => i64::from(i32::from_le_bytes([a, b, c, d])),
        _ => 0,
    }
}

fn damaged(why: &str) -> AudioFileError {
    AudioFileError::Damaged {
        format: FORMAT,
        why: why.to_owned(),
    }
}

fn le16(bytes: &[u8]) -> u16 {
    u16::from_le_bytes([bytes[0], bytes[1]])
}

fn le32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
