//! What the recognizer, the responder, the voice and the tools do, drawn for each request.

use antiphon_proto::{ToolCall, ToolCallId};

use super::rng::{Rng, Stream};
use super::scenario::{CALM_HEAR, CALM_THINK, CALM_TOOL, CALM_VOICE, FORBIDDEN, Scenario, TOOLS};
use crate::sim::ReplyPlan;

const ANSWERS: &[&str] = &[
    "Well, it is open. ",
    "The weather is fine and the sea is calm today. ",
    "I have found three orders of yours, the last one from Monday, and all of them are paid. ",
    "A domain name is what people type to reach your shop, so choose a short one, and one that \
     can be spelled over the telephone without a pause. ",
    "Is there anything else? ",
    "Yes. ",
    "Dr. Smith costs 3.5 dollars! ",
    "Größe: fünf Äpfel 👋 und Öl. ",
];

/// What becomes of an utterance at the recognizer.
#[derive(Clone, Debug)]
pub(super) struct HearPlan {
    /// Milliseconds between partials.
    pub(super) partial_ms: u64,
    /// The final comes so long after it was asked for, in milliseconds; `None` for never.
    pub(super) final_ms: Option<u64>,
    pub(super) fails: bool,
    /// The last word of the final is another one.
    pub(super) revises: bool,
    /// A partial comes after the final.
    pub(super) reorders: bool,
    /// Goes on when it is cancelled.
    pub(super) leaks: bool,
}

impl HearPlan {
    pub(super) fn draw(scenario: &Scenario, nth: u64) -> Self {
        let mut rng = Rng::new(scenario.seed, Stream::Hear, nth);
        if scenario.calm & CALM_HEAR != 0 {
            return Self {
                partial_ms: 300,
                final_ms: Some(150),
                fails: false,
                revises: false,
                reorders: false,
                leaks: false,
            };
        }
        Self {
            partial_ms: rng.between(150, 600),
            final_ms: (!rng.chance(20)).then(|| rng.human_ms(180)),
            fails: rng.chance(30),
            revises: rng.chance(80),
            reorders: rng.chance(30),
            leaks: rng.chance(50),
        }
    }
}

/// How a sentence ends at the voice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VoiceEnd {
    Made,
    /// After the last part; with none of them, nothing was made.
    Fails,
    /// Nothing more is ever heard of it.
    Stalls,
}

/// What the voice does with a sentence.
#[derive(Clone, Debug)]
pub(super) struct VoicePlan {
    pub(super) first_ms: u64,
    /// Between parts.
    pub(super) gap_ms: u64,
    /// Parts that the whole sentence would have.
    pub(super) parts: u64,
    /// Parts that are made.
    pub(super) made: u64,
    pub(super) end: VoiceEnd,
    pub(super) marks: bool,
    /// Length of the whole sentence.
    pub(super) audio_ms: u64,
}

impl VoicePlan {
    pub(super) fn draw(scenario: &Scenario, nth: u64, text: &str) -> Self {
        let mut rng = Rng::new(scenario.seed, Stream::Voice, nth);
        let pace = rng.between(50, 85);
        let mut plan = Self {
            first_ms: 120,
            gap_ms: 20,
            parts: 1,
            made: 1,
            end: VoiceEnd::Made,
            marks: true,
            audio_ms: text.chars().count() as u64 * pace,
        };
        if scenario.calm & CALM_VOICE != 0 {
            return plan;
        }
        plan.first_ms = rng.human_ms(150);
        plan.gap_ms = rng.human_ms(60);
        plan.parts = rng.between(1, 5);
        plan.made = plan.parts;
        plan.marks = rng.chance(800);
        match rng.below(1_000) {
            0..15 => (plan.end, plan.made) = (VoiceEnd::Fails, 0),
            15..25 => (plan.end, plan.made) = (VoiceEnd::Fails, rng.below(plan.parts)),
            25..30 => (plan.end, plan.made) = (VoiceEnd::Stalls, 0),
            30..35 => (plan.end, plan.made) = (VoiceEnd::Stalls, rng.below(plan.parts)),
            _ => {}
        }
        plan
    }
}

/// What a tool does.
#[derive(Clone, Debug)]
pub(super) struct ToolPlan {
    /// `None` for never.
    pub(super) after_ms: Option<u64>,
    /// A second result comes.
    pub(super) doubles: bool,
    /// Goes on when it is cancelled.
    pub(super) leaks: bool,
}

impl ToolPlan {
    pub(super) fn draw(scenario: &Scenario, nth: u64) -> Self {
        let mut rng = Rng::new(scenario.seed, Stream::Tool, nth);
        if scenario.calm & CALM_TOOL != 0 {
            return Self {
                after_ms: Some(200),
                doubles: false,
                leaks: false,
            };
        }
        let median_ms = *rng.pick(&[100, 800, 4_000]);
        Self {
            after_ms: (!rng.chance(60)).then(|| rng.human_ms(median_ms)),
            doubles: rng.chance(50),
            leaks: rng.chance(300),
        }
    }
}

/// What the responder does with its `nth` request, and whether it goes on when it is cancelled.
pub(super) fn reply(scenario: &Scenario, nth: u64, tools: bool) -> (ReplyPlan, bool) {
    let mut rng = Rng::new(scenario.seed, Stream::Think, nth);
    let sentences = rng.between(1, 4);
    let text: String = (0..sentences).map(|_| *rng.pick(ANSWERS)).collect();
    if scenario.calm & CALM_THINK != 0 {
        return (ReplyPlan::text(text.trim(), 150, 400), false);
    }
    let text = match rng.below(100) {
        0 => String::new(),
        1 => "...".to_owned(),
        2 => text.chars().take(text.chars().count() / 2).collect(),
        3 => format!("{text}It is a {FORBIDDEN} thing. And so on."),
        4 => text.repeat(12),
        _ => text,
    };
    let first_ms = rng.human_ms(250);
    let gap_ms = rng.human_ms(25);
    let mut plan = ReplyPlan {
        deltas: deltas(&mut rng, &text, first_ms, gap_ms),
        hang_up: rng.chance(8),
        ..ReplyPlan::default()
    };
    let mut ends_ms = first_ms + plan.deltas.len() as u64 * gap_ms + rng.human_ms(20);
    match rng.below(1_000) {
        // Never a word, or not the last one.
        0..15 => {
            plan.deltas.clear();
            return (plan, rng.chance(100));
        }
        15..25 => return (plan, rng.chance(100)),
        25..50 => {
            plan.fails = true;
            plan.deltas.clear();
        }
        50..70 => {
            plan.fails = true;
            let kept = rng.below(plan.deltas.len() as u64 + 1) as usize;
            plan.deltas.truncate(kept);
        }
        70..90 => ends_ms += rng.human_ms(4_000),
        90..220 if tools || rng.chance(50) => plan.calls = calls(&mut rng, nth),
        _ => {}
    }
    if !plan.calls.is_empty() && rng.chance(500) {
        plan.deltas.clear();
    }
    plan.ends_ms = Some(ends_ms);
    (plan, rng.chance(100))
}

fn deltas(rng: &mut Rng, text: &str, first_ms: u64, gap_ms: u64) -> Vec<(u64, String)> {
    let chars_max = *rng.pick(&[4, 12, 40, 400]);
    let chars: Vec<char> = text.chars().collect();
    chars
        .chunks(chars_max)
        .enumerate()
        .map(|(nth, piece)| (first_ms + nth as u64 * gap_ms, piece.iter().collect()))
        .collect()
}

fn calls(rng: &mut Rng, nth: u64) -> Vec<ToolCall> {
    let count = *rng.pick(&[1, 1, 1, 2, 3, 20]);
    (0..count)
        .map(|at| {
            let name = if rng.chance(80) {
                "no_such_tool"
            } else {
                rng.pick(TOOLS)
            };
            // Now and then the same id twice.
            let at = if rng.chance(20) { 0 } else { at };
            ToolCall {
                id: ToolCallId(format!("call_{nth}_{at}")),
                name: name.to_owned(),
                arguments: "{}".to_owned(),
            }
        })
        .collect()
}
