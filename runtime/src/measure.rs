//! Names and help of the metrics that sessions record through the `metrics` facade.

use std::sync::atomic::{AtomicU64, Ordering};

use antiphon_proto::{CloseReason, SpeculationView, TurnTimeline};
use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

/// Sessions that have not ended.
pub const SESSIONS: &str = "antiphon_sessions";
/// Sessions with a connected caller.
pub const CALLS: &str = "antiphon_calls";
/// Sessions ended, by `reason`.
pub const SESSIONS_ENDED: &str = "antiphon_sessions_ended_total";
/// Turns answered.
pub const TURNS: &str = "antiphon_turns_total";
/// Seconds from the end of the person's speech to each stage of the answer, by `stage`.
pub const STAGE_SECONDS: &str = "antiphon_stage_seconds";
/// Seconds that ticks of 20 ms came late.
pub const TICK_LATE_SECONDS: &str = "antiphon_tick_late_seconds";
/// Frames skipped because a session was stopped for too long.
pub const FRAMES_SKIPPED: &str = "antiphon_frames_skipped_total";
/// Frames of silence sent in the middle of a sentence because its audio was not made in time.
pub const UNDERRUNS: &str = "antiphon_playout_underruns_total";
/// Audio that is made but not sent, in milliseconds.
pub const PLAYOUT_QUEUE_MS: &str = "antiphon_playout_queue_ms";
/// Failures of a stage (`hear`, `think`, `speak`, `safety`), by `stage`.
pub const FAILURES: &str = "antiphon_stage_failures_total";
/// Times that another provider went on in place of one that failed, by `stage` and `fault`.
pub const FALLBACKS: &str = "antiphon_provider_fallbacks_total";
/// Seconds of talk counted.
pub const TALK_SECONDS: &str = "antiphon_talk_seconds_total";
/// Events dropped because a subscriber did not keep up.
pub const EVENTS_LAGGED: &str = "antiphon_events_lagged_total";

/// Replies begun before the turn was over, by `outcome`: `confirmed` or `discarded`.
pub const SPECULATIONS: &str = "antiphon_speculations_total";
/// Characters generated for replies that were discarded.
pub const SPECULATION_WASTE: &str = "antiphon_speculation_wasted_chars_total";

/// Counts what a session prepared early.
pub(crate) fn speculation(view: &SpeculationView) {
    let discarded = view.started.saturating_sub(view.confirmed);
    counter!(SPECULATIONS, "outcome" => "confirmed").increment(u64::from(view.confirmed));
    counter!(SPECULATIONS, "outcome" => "discarded").increment(u64::from(discarded));
    counter!(SPECULATION_WASTE).increment(view.wasted_chars);
}

static TALKED_S: AtomicU64 = AtomicU64::new(0);

/// Seconds of talk counted by this process, over all calls.
pub fn talk_seconds() -> u64 {
    TALKED_S.load(Ordering::Relaxed)
}

/// Counts another second of talk.
pub(crate) fn talked_a_second() {
    TALKED_S.fetch_add(1, Ordering::Relaxed);
    counter!(TALK_SECONDS).increment(1);
}

/// Registers help texts with the installed recorder.
pub fn describe() {
    describe_gauge!(SESSIONS, "Sessions that have not ended");
    describe_gauge!(CALLS, "Sessions with a connected caller");
    describe_counter!(SESSIONS_ENDED, "Sessions ended, by reason");
    describe_counter!(TURNS, "Turns answered");
    describe_histogram!(
        STAGE_SECONDS,
        Unit::Seconds,
        "From the end of the person's speech to each stage"
    );
    describe_histogram!(
        TICK_LATE_SECONDS,
        Unit::Seconds,
        "How late 20 ms ticks came"
    );
    describe_counter!(
        FRAMES_SKIPPED,
        "Frames skipped after a long stop of the session"
    );
    describe_counter!(UNDERRUNS, "Frames of silence inside a sentence");
    describe_histogram!(
        PLAYOUT_QUEUE_MS,
        Unit::Milliseconds,
        "Audio made but not sent"
    );
    describe_counter!(
        SPECULATIONS,
        "Replies begun before the turn was over, by outcome"
    );
    describe_counter!(
        SPECULATION_WASTE,
        "Characters generated for discarded replies"
    );
    describe_counter!(FAILURES, "Failures by stage");
    describe_counter!(
        FALLBACKS,
        "Providers replaced by the next, by stage and fault"
    );
    describe_counter!(TALK_SECONDS, Unit::Seconds, "Seconds of talk counted");
    describe_counter!(EVENTS_LAGGED, "Events dropped at slow subscribers");
}

pub(crate) fn turn(timeline: &TurnTimeline) {
    counter!(TURNS).increment(1);
    let stages = [
        ("transcript_final", timeline.transcript_final_ms),
        ("endpointing", timeline.endpointing_ms),
        ("first_token", timeline.first_token_ms),
        ("first_audio_made", timeline.first_audio_made_ms),
        ("first_audio_sent", timeline.first_audio_sent_ms),
    ];
    for (stage, ms) in stages {
        if let Some(ms) = ms {
            histogram!(STAGE_SECONDS, "stage" => stage).record(ms as f64 / 1_000.0);
        }
    }
}

pub(crate) fn failure(stage: &'static str) {
    counter!(FAILURES, "stage" => stage).increment(1);
}

pub(crate) fn ended(reason: CloseReason) {
    counter!(SESSIONS_ENDED, "reason" => reason_name(reason)).increment(1);
    gauge!(SESSIONS).decrement(1);
}

fn reason_name(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::UserHungUp => "user_hung_up",
        CloseReason::AgentHungUp => "agent_hung_up",
        CloseReason::Deleted => "deleted",
        CloseReason::ConnectionLost => "connection_lost",
        CloseReason::NeverConnected => "never_connected",
        CloseReason::Drained => "drained",
        CloseReason::TimeLimit => "time_limit",
        CloseReason::UserAway => "user_away",
        CloseReason::TooManyFailures => "too_many_failures",
        CloseReason::Voicemail => "voicemail",
        CloseReason::InternalError => "internal_error",
    }
}
