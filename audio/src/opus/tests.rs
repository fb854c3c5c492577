#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;
use crate::level::dbfs;

/// A voiced sound: harmonics of a gliding pitch under a slow envelope.
fn voice(rate_hz: u32, ms: u32) -> Vec<i16> {
    let mut phase = 0.0_f32;
    (0..rate_hz * ms / 1_000)
        .map(|i| {
            let t = i as f32 / rate_hz as f32;
            phase += (120.0 + 30.0 * (t * 3.0).sin()) / rate_hz as f32;
            let tone: f32 = (1..12)
                .map(|k| (phase * k as f32 * std::f32::consts::TAU).sin() / k as f32)
                .sum();
            (tone * 5_000.0 * (0.6 + 0.4 * (t * 9.0).sin())) as i16
        })
        .collect()
}

fn encode_all(encoder: &mut OpusEncoder, pcm: &[i16]) -> Vec<Vec<u8>> {
    let mut out = vec![0; PACKET_BYTES_MAX];
    pcm.chunks_exact(encoder.frame_samples())
        .map(|frame| {
            let len = encoder.encode(frame, &mut out).unwrap();
            out[..len].to_vec()
        })
        .collect()
}

fn snr_db(want: &[i16], got: &[i16]) -> f64 {
    let (mut signal, mut noise) = (1.0, 1.0);
    for (&w, &g) in want.iter().zip(got) {
        signal += f64::from(w).powi(2);
        noise += (f64::from(w) - f64::from(g)).powi(2);
    }
    10.0 * (signal / noise).log10()
}

/// Best SNR over the delays that the codec may have.
fn best_snr_db(want: &[i16], got: &[i16]) -> f64 {
    (0..400)
        .map(|d| snr_db(want, &got[d..]))
        .fold(f64::MIN, f64::max)
}

#[test]
fn a_round_trip_keeps_sound_and_level_at_every_rate() {
    for rate in [8_000, 12_000, 16_000, 24_000, 48_000] {
        let mut encoder = OpusEncoder::new(rate).unwrap();
        let mut decoder = OpusDecoder::new(CALLER_RATE_HZ).unwrap();
        let mut heard = Vec::new();
        let mut out = [0; PACKET_SAMPLES_MAX];
        for packet in encode_all(&mut encoder, &voice(rate, 1_000)) {
            assert_eq!(packet_ticks(&packet).unwrap(), 960);
            let len = decoder.decode(&packet, &mut out).unwrap();
            assert_eq!(len, 320);
            heard.extend_from_slice(&out[..len]);
        }
        let want = voice(16_000, 1_000);
        let level = dbfs(&heard[1_600..]) - dbfs(&want[1_600..]);
        assert!(
            level.abs() < 1.5,
            "{rate} Hz: level changed by {level:.1} dB"
        );
        let snr = best_snr_db(&want[3_200..12_800], &heard[3_200..]);
        assert!(snr > 5.0, "{rate} Hz: {snr:.1} dB");
    }
}

/// Drops every tenth packet whose successor has a copy of it and compares what stands in for it with what was sent.
#[test]
fn fec_recovers_what_concealment_only_guesses() {
    let packets = encode_all(
        &mut OpusEncoder::new(16_000).unwrap(),
        &voice(16_000, 4_000),
    );
    let with_fec = packets
        .iter()
        .skip(2)
        .filter(|packet| has_fec(packet))
        .count();
    // The encoder spends bits on copies of the frames that matter, not on all.
    assert!(
        with_fec * 2 > packets.len(),
        "{with_fec} of {} carry FEC",
        packets.len()
    );
    let mut reference = OpusDecoder::new(16_000).unwrap();
    let (mut fec, mut plc) = (
        OpusDecoder::new(16_000).unwrap(),
        OpusDecoder::new(16_000).unwrap(),
    );
    let (mut fec_snr, mut plc_snr, mut losses) = (0.0, 0.0, 0.0);
    let [mut want, mut by_fec, mut by_plc] = [[0_i16; 320]; 3];
    for (i, packet) in packets.iter().enumerate().take(packets.len() - 1) {
        reference.decode(packet, &mut want).unwrap();
        if i % 10 != 5 || !has_fec(&packets[i + 1]) {
            fec.decode(packet, &mut by_fec).unwrap();
            plc.decode(packet, &mut by_plc).unwrap();
            continue;
        }
        assert_eq!(fec.decode_fec(&packets[i + 1], &mut by_fec).unwrap(), 320);
        assert_eq!(plc.conceal(&mut by_plc).unwrap(), 320);
        fec_snr += snr_db(&want, &by_fec);
        plc_snr += snr_db(&want, &by_plc);
        losses += 1.0;
    }
    let (fec_snr, plc_snr) = (fec_snr / losses, plc_snr / losses);
    println!("mean SNR of lost frames: FEC {fec_snr:.1} dB, concealment {plc_snr:.1} dB");
    assert!(
        fec_snr > plc_snr + 3.0,
        "FEC {fec_snr:.1} dB, concealment {plc_snr:.1} dB"
    );
}

#[test]
fn without_fec_no_packet_claims_it() {
    let settings = OpusSettings {
        fec: false,
        ..OpusSettings::default()
    };
    let packets = encode_all(
        &mut OpusEncoder::with_settings(16_000, settings).unwrap(),
        &voice(16_000, 1_000),
    );
    assert_eq!(packets.iter().filter(|packet| has_fec(packet)).count(), 0);
}

#[test]
fn dtx_is_off_unless_asked_for() {
    let quiet = vec![0; 16_000];
    let always = encode_all(&mut OpusEncoder::new(16_000).unwrap(), &quiet);
    assert!(always.iter().all(|packet| packet.len() > 2));
    let settings = OpusSettings {
        dtx: true,
        ..OpusSettings::default()
    };
    let rarely = encode_all(
        &mut OpusEncoder::with_settings(16_000, settings).unwrap(),
        &quiet,
    );
    assert!(rarely.iter().filter(|packet| packet.len() <= 2).count() > 25);
}

/// Packets that browsers and gateways may send: other lengths, several frames, stereo.
#[test]
fn packets_of_every_legal_length_and_stereo_decode_to_mono() {
    let mut decoder = OpusDecoder::new(CALLER_RATE_HZ).unwrap();
    let mut out = [0; PACKET_SAMPLES_MAX];
    for ms in [10_u32, 20, 40, 60, 80, 100, 120] {
        for channels in [lib::Channels::Mono, lib::Channels::Stereo] {
            let mut encoder = lib::Encoder::new(48_000, channels, lib::Application::Voip).unwrap();
            let per_frame = if channels == lib::Channels::Stereo {
                2
            } else {
                1
            };
            let mut packet = vec![0; 4_000];
            for _ in 0..3 {
                let pcm: Vec<i16> = voice(48_000, ms)
                    .iter()
                    .flat_map(|&s| vec![s; per_frame])
                    .collect();
                let len = encoder.encode(&pcm, &mut packet).unwrap();
                assert_eq!(packet_ticks(&packet[..len]).unwrap(), ms * 48);
                assert_eq!(
                    decoder.decode(&packet[..len], &mut out).unwrap(),
                    (ms * 16) as usize
                );
            }
            let level = dbfs(&out[..(ms * 16) as usize]);
            assert!(level > -25.0, "{ms} ms {channels:?}: {level} dBFS");
        }
    }
}

#[test]
fn wrong_calls_are_errors() {
    assert_eq!(
        OpusEncoder::new(44_100).unwrap_err(),
        CodecError::UnsupportedRate { rate_hz: 44_100 }
    );
    assert_eq!(
        OpusDecoder::new(44_100).unwrap_err(),
        CodecError::UnsupportedRate { rate_hz: 44_100 }
    );
    let mut encoder = OpusEncoder::new(16_000).unwrap();
    let mut out = [0; PACKET_BYTES_MAX];
    let wrong = encoder.encode(&[0; 319], &mut out).unwrap_err();
    assert_eq!(
        wrong,
        CodecError::FrameLength {
            got: 319,
            expected: 320
        }
    );
    let len = encoder.encode(&[0; 320], &mut out).unwrap();
    let mut decoder = OpusDecoder::new(16_000).unwrap();
    assert_eq!(
        decoder.decode(&[], &mut [0; 320]).unwrap_err(),
        CodecError::EmptyPacket
    );
    assert_eq!(
        decoder.decode(&out[..len], &mut [0; 100]).unwrap_err(),
        CodecError::OutputTooSmall { len: 100 }
    );
    assert_eq!(
        decoder.decode(&[0xff], &mut [0; 320]).unwrap_err(),
        CodecError::BadPacket { bytes: 1 }
    );
}

proptest! {
    #[test]
    fn garbage_never_panics_and_leaves_the_decoder_usable(
        packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..20),
    ) {
        let mut decoder = OpusDecoder::new(CALLER_RATE_HZ).unwrap();
        let mut out = [0; PACKET_SAMPLES_MAX];
        for packet in &packets {
            let _ = has_fec(packet);
            if let Ok(len) = decoder.decode(packet, &mut out) {
                prop_assert_eq!(len as u32 * 3, packet_ticks(packet).unwrap());
            }
            let _ = decoder.decode_fec(packet, &mut out[..320]);
        }
        let good = encode_all(&mut OpusEncoder::new(16_000).unwrap(), &voice(16_000, 20)).remove(0);
        prop_assert_eq!(decoder.decode(&good, &mut out), Ok(320));
    }
}
