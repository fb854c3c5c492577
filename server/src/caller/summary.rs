//! What came of a call, or of many.

use serde::Serialize;

/// The last line of `antiphon call --json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename = "summary")]
pub struct CallSummary {
    /// True where media could flow.
    pub connected: bool,
    /// What the recognizer understood, turns joined by a space.
    pub user_transcript: String,
    /// What was heard of the agent, messages joined by a space.
    pub agent_text: String,
    /// Milliseconds of received audio above the level of silence.
    pub agent_audio_ms: u64,
    /// The turns, in order.
    pub turns: Vec<TurnLatency>,
    /// Seconds of talk that the server counted.
    pub billed_seconds: u64,
    /// Milliseconds from the first request until media could flow.
    pub connect_ms: u64,
    /// Audio packets that never came.
    pub lost_packets: u64,
}

/// How long one answer took, on the caller's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct TurnLatency {
    /// When the speech of the recording ended, milliseconds since media could flow.
    pub user_end_ms: u64,
    /// When the first audible frame of the answer arrived; null where none came.
    pub agent_first_audio_ms: Option<u64>,
    /// The difference.
    pub latency_ms: Option<u64>,
}

/// What `antiphon load` prints.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(tag = "type", rename = "load_summary")]
pub struct LoadSummary {
    /// Calls placed.
    pub calls: u32,
    /// Calls that did not run to their end.
    pub failed: u32,
    /// Why, with how often; most frequent first.
    pub failures: Vec<(String, u32)>,
    /// Milliseconds from the first request until media could flow.
    pub connect_ms: Percentiles,
    /// Milliseconds from the end of speech to the first audible frame.
    pub latency_ms: Percentiles,
    /// Turns that were never answered.
    pub unanswered_turns: u64,
    /// Audio packets received.
    pub packets: u64,
    /// Audio packets that never came.
    pub lost_packets: u64,
    /// Milliseconds of audio above the level of silence, over all calls.
    pub agent_audio_ms: u64,
}

/// Percentiles of one quantity, by nearest rank; all 0 where nothing was measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Percentiles {
    /// How many values.
    pub count: usize,
    /// Half are at most this.
    pub p50: u64,
    /// 90 % are at most this.
    pub p90: u64,
    /// 99 % are at most this.
    pub p99: u64,
    /// The largest.
    pub max: u64,
}

impl Percentiles {
    /// Those of `values`.
    pub fn of(mut values: Vec<u64>) -> Self {
        values.sort_unstable();
        let rank = |percent: usize| {
            let index = (values.len() * percent).div_ceil(100).saturating_sub(1);
            values.get(index).copied().unwrap_or(0)
        };
        Self {
            count: values.len(),
            p50: rank(50),
            p90: rank(90),
            p99: rank(99),
            max: values.last().copied().unwrap_or(0),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let hundred = Percentiles::of((1..=100).rev().collect());
        assert_eq!(
            hundred,
            Percentiles {
                count: 100,
                p50: 50,
                p90: 90,
                p99: 99,
                max: 100
            }
        );
        assert_eq!(
            Percentiles::of(vec![7]),
            Percentiles {
                count: 1,
                p50: 7,
                p90: 7,
                p99: 7,
                max: 7
            }
        );
        assert_eq!(Percentiles::of(vec![]), Percentiles::default());
    }

    #[test]
    fn the_summary_has_the_fields_that_scripts_read() {
        let summary = CallSummary {
            connected: true,
            user_transcript: "hello".to_owned(),
            agent_text: "hi".to_owned(),
            agent_audio_ms: 900,
            turns: vec![TurnLatency {
                user_end_ms: 1_000,
                agent_first_audio_ms: Some(1_600),
                latency_ms: Some(600),
            }],
            billed_seconds: 3,
            connect_ms: 40,
            lost_packets: 0,
        };
        let json = serde_json::to_string(&summary).unwrap();
        assert_eq!(
            json,
            concat!(
                r#"{"type":"summary","connected":true,"user_transcript":"hello","agent_text":"hi","#,
                r#""agent_audio_ms":900,"turns":[{"user_end_ms":1000,"agent_first_audio_ms":1600,"#,
                r#""latency_ms":600}],"billed_seconds":3,"connect_ms":40,"lost_packets":0}"#
            )
        );
    }
}
