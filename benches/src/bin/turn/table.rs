//! Where the time of a turn went.

use antiphon_benches::clip::Clip;
use antiphon_benches::process::machine_name;
use antiphon_benches::stats::Samples;
use antiphon_benches::talker::{Answered, Notes};
use antiphon_proto::TurnTimeline;

/// The bars, from the issue that asked for them.
const MEDIAN_MS_MAX: f64 = 700.0;
const OWN_MS_P99_MAX: f64 = 30.0;

/// The table and a line on the bars.
pub(crate) fn table(notes: &Notes, clips: &[Clip], load: &str) -> (String, String) {
    let of = |value: &dyn Fn(&TurnTimeline) -> Option<f64>| -> Samples {
        let timelines = notes.answered.iter().filter_map(|a| a.timeline.as_ref());
        timelines.filter_map(value).collect()
    };
    let whole: Samples = notes.answered.iter().map(|a| whole_ms(a, clips)).collect();
    let path: Samples = notes
        .answered
        .iter()
        .filter_map(|a| {
            let sent_ms = a.timeline.as_ref()?.first_audio_sent_ms?;
            Some(whole_ms(a, clips) - sent_ms as f64)
        })
        .collect();
    let rows = [
        (
            "**end of speech to first agent audio, at the caller**",
            &whole,
        ),
        (
            "of it: detection and path (framing, network, jitter buffer, dating of the end)",
            &path,
        ),
        (
            "of it: endpointing, decided after",
            &of(&|t| ms(t.endpointing_ms)),
        ),
        (
            "meanwhile: the recognizer's final, after",
            &of(&|t| ms(t.transcript_final_ms)),
        ),
        (
            "**of it: the engine's own share**, responder and voice included",
            &of(&|t| own_ms(t)),
        ),
        (
            "of that: decision to the responder's first words",
            &of(&|t| between(t.endpointing_ms, t.first_token_ms)),
        ),
        (
            "of that: to the voice's first audio",
            &of(&|t| between(t.first_token_ms, t.first_audio_made_ms)),
        ),
        (
            "of that: to the first frame sent (ticks of 20 ms)",
            &of(&|t| between(t.first_audio_made_ms, t.first_audio_sent_ms)),
        ),
    ];
    let mut out = format!(
        "{}; load average {load} at the start; {} turns answered, {} not.\n\n\
         | | median | p90 | p99 | worst |\n|---|---|---|---|---|\n",
        machine_name(),
        notes.answered.len(),
        notes.unanswered
    );
    for (name, samples) in rows {
        let shares = [0.5, 0.9, 0.99, 1.0].map(|share| {
            samples
                .quantile(share)
                .map_or("–".to_owned(), |ms| format!("{ms:.0} ms"))
        });
        out.push_str(&format!("| {name} | {} |\n", shares.join(" | ")));
    }
    (
        out.trim_end().to_owned(),
        verdict(&whole, &of(&|t| own_ms(t))),
    )
}

fn verdict(whole: &Samples, own: &Samples) -> String {
    let held = |value: Option<f64>, max: f64| match value {
        Some(ms) if ms <= max => format!("{ms:.0} ms, within {max:.0}"),
        Some(ms) => format!("{ms:.0} ms, MISSED {max:.0}"),
        None => "not measured".to_owned(),
    };
    format!(
        "median: {}; engine's own share at p99: {}",
        held(whole.quantile(0.5), MEDIAN_MS_MAX),
        held(own.quantile(0.99), OWN_MS_P99_MAX)
    )
}

/// On the caller's clock, from the last sample of speech.
fn whole_ms(answered: &Answered, clips: &[Clip]) -> f64 {
    let end = answered.began_at + clips[answered.clip].speech_end;
    answered
        .answered_at
        .saturating_duration_since(end)
        .as_secs_f64()
        * 1e3
}

/// All but the endpointing wait and the recognizer: from when the later of the two was over to
/// the first frame sent.
fn own_ms(timeline: &TurnTimeline) -> Option<f64> {
    let due_ms = timeline
        .endpointing_wait_ms?
        .max(timeline.transcript_final_ms.unwrap_or(0));
    Some(timeline.first_audio_sent_ms? as f64 - due_ms as f64)
}

fn ms(value: Option<u64>) -> Option<f64> {
    value.map(|ms| ms as f64)
}

fn between(from: Option<u64>, to: Option<u64>) -> Option<f64> {
    Some(to? as f64 - from? as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_share_begins_when_wait_and_recognizer_are_over() {
        let check = |final_ms, wait_ms, own: f64| {
            let timeline = TurnTimeline {
                transcript_final_ms: Some(final_ms),
                endpointing_wait_ms: Some(wait_ms),
                first_audio_sent_ms: Some(1_630),
                ..TurnTimeline::default()
            };
            assert_eq!(own_ms(&timeline), Some(own));
        };
        check(300, 500, 1_130.0);
        check(1_610, 500, 20.0);
        check(300, 1_600, 30.0);
    }
}
