//! G.711 μ-law and A-law, 8 kHz, one byte a sample (ITU-T G.711).

/// Largest magnitude that μ-law codes, in 16-bit steps (8,159 in the standard's 14-bit scale).
const ULAW_CLIP: i32 = 32_635;
/// Added before μ-law's logarithm so that its segments are powers of two (33 in 14-bit scale).
const ULAW_BIAS: i32 = 0x84;

/// Codes one sample in μ-law.
pub fn ulaw_encode(sample: i16) -> u8 {
    let wide = i32::from(sample);
    let sign = if wide < 0 { 0x80 } else { 0 };
    let magnitude = wide.abs().min(ULAW_CLIP) + ULAW_BIAS;
    let exponent = 7 - (magnitude.leading_zeros() as i32 - 17);
    let mantissa = (magnitude >> (exponent + 3)) & 0x0f;
    !(sign | (exponent << 4) | mantissa) as u8
}

/// Decodes one μ-law byte.
pub fn ulaw_decode(code: u8) -> i16 {
    let code = i32::from(!code);
    let exponent = (code >> 4) & 7;
    let magnitude = ((((code & 0x0f) << 3) + ULAW_BIAS) << exponent) - ULAW_BIAS;
    (if code & 0x80 == 0 {
        magnitude
    } else {
        -magnitude
    }) as i16
}

/// Codes one sample in A-law.
pub fn alaw_encode(sample: i16) -> u8 {
    let wide = i32::from(sample) >> 3;
    let (sign, magnitude) = if wide >= 0 {
        (0xd5, wide)
    } else {
        (0x55, -wide - 1)
    };
    let segment = (0..8).find(|&s| magnitude < (0x20 << s)).unwrap_or(8);
    if segment >= 8 {
        return (0x7f ^ sign) as u8;
    }
    let mantissa = if segment < 2 {
        magnitude >> 1
    } else {
        magnitude >> segment
    } & 0x0f;
    (((segment << 4) | mantissa) ^ sign) as u8
}

/// Decodes one A-law byte.
pub fn alaw_decode(code: u8) -> i16 {
    let code = i32::from(code ^ 0x55);
    let segment = (code >> 4) & 7;
    let base = (code & 0x0f) << 4;
    let magnitude = match segment {
        0 => base + 8,
        _ => (base + 0x108) << (segment - 1),
    };
    (if code & 0x80 != 0 {
        magnitude
    } else {
        -magnitude
    }) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_standard() {
        // ITU-T G.711 tables: the code of zero and of both ends.
        let ulaw = [(0, 0xff), (32_767, 0x80), (-32_768, 0x00)];
        for (sample, code) in ulaw {
            assert_eq!(ulaw_encode(sample), code, "mu-law of {sample}");
        }
        let alaw = [(0, 0xd5), (-1, 0x55), (32_767, 0xaa), (-32_768, 0x2a)];
        for (sample, code) in alaw {
            assert_eq!(alaw_encode(sample), code, "A-law of {sample}");
        }
        assert_eq!(ulaw_decode(0xff), 0);
        assert_eq!(ulaw_decode(0x80), 32_124);
        assert_eq!(ulaw_decode(0x00), -32_124);
        assert_eq!(alaw_decode(0xd5), 8);
        assert_eq!(alaw_decode(0xaa), 32_256);
        assert_eq!(alaw_decode(0x2a), -32_256);
    }

    #[test]
    fn every_code_survives_a_round_trip() {
        for code in 0..=255_u8 {
            assert_eq!(alaw_encode(alaw_decode(code)), code, "A-law {code:#x}");
            // μ-law has two zeros, which decode alike.
            if code != 0x7f {
                assert_eq!(ulaw_encode(ulaw_decode(code)), code, "mu-law {code:#x}");
            }
        }
    }

    #[test]
    fn error_is_a_small_part_of_the_sample() {
        for sample in (i16::MIN..=i16::MAX).step_by(7) {
            let limit = f32::from(sample).abs() * 0.035 + 16.0;
            for back in [
                ulaw_decode(ulaw_encode(sample)),
                alaw_decode(alaw_encode(sample)),
            ] {
                let error = (f32::from(back) - f32::from(sample)).abs();
                assert!(
                    error
                        <= limit.max(652.0 * f32::from(i16::from(sample.unsigned_abs() > 32_000))),
                    "{sample} came back as {back}"
                );
            }
        }
    }
}
