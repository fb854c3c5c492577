//! What the person does in a call and how the session is set, drawn from a seed.

use antiphon_engine::{
    EndpointingMode, EngineConfig, InterruptionMode, OverlapKind, SpeculationMode,
};
use antiphon_proto::{AgentId, SessionId};

use super::rng::{Rng, Stream};

/// Names of the tools that exist.
pub(super) const TOOLS: &[&str] = &["weather", "calendar", "orders"];
/// A word of the person that the safety check answers itself.
pub(super) const CRISIS: &str = "zxcrisis";
/// A word of the agent that the safety check replaces.
pub(super) const FORBIDDEN: &str = "zxforbidden";

const SENTENCES: &[&str] = &[
    "tell me something about the sea",
    "what is the weather like in paris tomorrow",
    "i would like to change my order please",
    "how do i choose a good domain name for my shop",
    "thank you that was very helpful",
    "no that is not what i meant",
    "can you say that again more slowly",
    "let us talk about something else now",
    "is it open on sunday",
    "why",
];
const UNFINISHED: &[&str] = &[
    "i was wondering if",
    "my order number is four two",
    "so um",
    "i need a table for",
    "and then",
    "it is about the",
];
const SIGNS: &[&str] = &["uh huh", "yeah", "right", "mhm", "i see", "okay"];
const STOPS: &[&str] = &[
    "stop",
    "wait a moment please",
    "no stop that",
    "hold on i have a question",
    "excuse me can i ask something",
];
const GO_ON: &[&str] = &["go on", "please continue", "carry on"];

/// When the person does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum When {
    /// So long after what they did before, in milliseconds.
    After(u64),
    /// So long after the agent is heard, in milliseconds.
    InReply(u64),
    /// So long after the agent fell silent, in milliseconds.
    AfterReply(u64),
}

/// A stretch of speech.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) ms: u64,
    pub(super) text: String,
    /// Silence after it, in milliseconds, before the next stretch.
    pub(super) pause_ms: u64,
}

/// What the person, or their line, does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    Say(Vec<Stretch>),
    /// A sound over the agent, with what it is judged to be.
    Over(Stretch, Option<OverlapKind>),
    /// A sound that the detector never confirms.
    Sound(Option<OverlapKind>),
    Type(String),
    Key(char),
    Interrupt,
    /// The talk button is held for a stretch.
    Press(Stretch),
    CommitTurn,
    /// Muted for so long, in milliseconds.
    Mute(u64),
    /// The line is lost for so long, in milliseconds.
    Lose(u64),
    /// The machine slept for so long, in milliseconds.
    Jump(u64),
    Drain(u64),
    HangUp,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Act {
    pub(super) when: When,
    pub(super) what: What,
}

/// Parts of a scenario that may be made ordinary to find out what a failure needs.
pub(super) const CALM_PARTS: &[(u32, &str)] = &[
    (CALM_STRAY, "no duplicated, late or reordered events"),
    (CALM_HEAR, "an ordinary recognizer"),
    (CALM_VOICE, "an ordinary voice"),
    (CALM_TOOL, "ordinary tools"),
    (CALM_THINK, "an ordinary responder"),
    (CALM_ENDPOINTING, "endpointing by default"),
    (CALM_INTERRUPTION, "interruption by default"),
    (CALM_SPECULATION, "speculation by default"),
    (CALM_PATIENCE, "patience and words by default"),
    (CALM_LIMITS, "limits by default"),
];
pub(super) const CALM_STRAY: u32 = 1;
pub(super) const CALM_HEAR: u32 = 2;
pub(super) const CALM_VOICE: u32 = 4;
pub(super) const CALM_TOOL: u32 = 8;
pub(super) const CALM_THINK: u32 = 16;
const CALM_ENDPOINTING: u32 = 32;
const CALM_INTERRUPTION: u32 = 64;
const CALM_SPECULATION: u32 = 128;
const CALM_PATIENCE: u32 = 256;
const CALM_LIMITS: u32 = 512;

/// One call, before it happens. The same seed and reduction give the same call.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// What everything is drawn from.
    pub seed: u64,
    pub(super) config: EngineConfig,
    pub(super) acts: Vec<Act>,
    /// Bits of [`CALM_PARTS`].
    pub(super) calm: u32,
    /// Silence after which the detector reports the end of speech, in milliseconds.
    pub(super) hangover_ms: u64,
    /// Speech after which the detector reports it, in milliseconds.
    pub(super) detect_ms: u64,
}

impl Scenario {
    /// The call of a seed.
    pub fn draw(seed: u64) -> Self {
        let mut rng = Rng::new(seed, Stream::Acts, 0);
        let hangover_ms = rng.between(100, 500);
        let detect_ms = rng.between(40, 120);
        let config = draw_config(seed, 0);
        let mode = config.endpointing.mode;
        let acts = rng.between(8, 40);
        let mut acts: Vec<Act> = (0..acts)
            .map(|_| act(&mut rng, mode, hangover_ms))
            .collect();
        acts.push(Act {
            when: When::After(rng.between(0, 20_000)),
            what: What::HangUp,
        });
        Self {
            seed,
            config,
            acts,
            calm: 0,
            hangover_ms,
            detect_ms,
        }
    }

    /// How many things the person does.
    pub fn acts_count(&self) -> usize {
        self.acts.len()
    }

    /// The same call with some parts made ordinary.
    pub(super) fn calmed(&self, part: u32) -> Self {
        let calm = self.calm | part;
        Self {
            calm,
            config: draw_config(self.seed, calm),
            ..self.clone()
        }
    }

    /// What is left of the scenario, for people.
    pub fn describe(&self) -> String {
        let mut lines: Vec<String> = CALM_PARTS
            .iter()
            .filter(|(part, _)| self.calm & part != 0)
            .map(|(_, what)| format!("  {what}"))
            .collect();
        let acts = self.acts.iter();
        lines.extend(acts.map(|act| format!("  {:?}: {:?}", act.when, act.what)));
        let defaults = EngineConfig::new(SessionId::from("s"), AgentId::from("a"), "A");
        let config = &self.config;
        if config.endpointing != defaults.endpointing {
            lines.push(format!("  {:?}", config.endpointing));
        }
        if config.interruption != defaults.interruption {
            lines.push(format!("  {:?}", config.interruption));
        }
        if config.speculation != defaults.speculation {
            lines.push(format!("  {:?}", config.speculation));
        }
        if config.patience != defaults.patience {
            lines.push(format!("  {:?}", config.patience));
        }
        if config.limits != defaults.limits {
            lines.push(format!("  {:?}", config.limits));
        }
        lines.join("\n")
    }
}

fn draw_config(seed: u64, calm: u32) -> EngineConfig {
    let mut config = EngineConfig::new(SessionId::from("sess_sim"), AgentId::from("cal"), "Cal");
    config.tools = TOOLS.iter().map(|name| (*name).to_owned()).collect();
    config.words.greeting = "Hello, this is Cal. How can I help you?".into();
    let wild = |part: u32| calm & part == 0;
    let mut rng = Rng::new(seed, Stream::Config, 1);
    if wild(CALM_ENDPOINTING) && rng.chance(500) {
        config.endpointing.mode = match rng.below(10) {
            0 => EndpointingMode::Manual,
            1 => EndpointingMode::PushToTalk,
            2 => EndpointingMode::Fixed,
            _ => EndpointingMode::Auto,
        };
        config.endpointing.ms_min = rng.between(100, 1_000);
        config.endpointing.ms_max = rng.between(500, 6_000);
    }
    let mut rng = Rng::new(seed, Stream::Config, 2);
    if wild(CALM_INTERRUPTION) && rng.chance(600) {
        config.interruption.mode = *rng.pick(&[
            InterruptionMode::Off,
            InterruptionMode::Polite,
            InterruptionMode::Normal,
            InterruptionMode::Eager,
        ]);
        config.interruption.ms_min = rng.between(0, 800);
        config.interruption.words_min = rng.below(4) as u32;
        config.interruption.false_alarm_ms = rng.between(0, 2_000);
    }
    let mut rng = Rng::new(seed, Stream::Config, 3);
    if wild(CALM_SPECULATION) && rng.chance(600) {
        config.speculation.mode = *rng.pick(&[
            SpeculationMode::Off,
            SpeculationMode::Think,
            SpeculationMode::Speak,
        ]);
        config.speculation.starts_max = rng.below(6) as u32;
        config.speculation.stable_ms = rng.between(0, 600);
    }
    let mut rng = Rng::new(seed, Stream::Config, 4);
    if wild(CALM_PATIENCE) && rng.chance(500) {
        draw_patience(&mut rng, &mut config);
    }
    let mut rng = Rng::new(seed, Stream::Config, 5);
    if wild(CALM_LIMITS) && rng.chance(400) {
        config.limits.call_ms_max = rng.between(20_000, 600_000);
        config.limits.turn_ms_max = rng.between(2_000, 60_000);
        config.limits.failures_max = rng.between(1, 4) as u32;
        config.limits.tool_steps_max = rng.below(4) as u32;
        config.limits.hang_up_on_voicemail = rng.chance(500);
    }
    config
}

fn draw_patience(rng: &mut Rng, config: &mut EngineConfig) {
    config.patience.away_ms = *rng.pick(&[0, 3_000, 8_000, 15_000, 30_000]);
    config.patience.away_again_ms = rng.between(2_000, 15_000);
    config.patience.filler_ms = rng.between(0, 2_000);
    config.patience.filler_again_ms = rng.between(1_000, 3_000);
    config.patience.first_words_ms_max = rng.between(2_000, 20_000);
    config.patience.tool_ms_max = rng.between(1_000, 30_000);
    let words = &mut config.words;
    for text in [
        &mut words.greeting,
        &mut words.apology,
        &mut words.farewell,
        &mut words.away_question,
        &mut words.away_farewell,
    ] {
        if rng.chance(100) {
            text.clear();
        }
    }
    words.fillers.truncate(rng.below(5) as usize);
}

fn when(rng: &mut Rng) -> When {
    match rng.below(10) {
        0..4 => When::AfterReply(rng.human_ms(500)),
        4..7 => When::InReply(rng.human_ms(1_200)),
        7 => When::After(rng.human_ms(300)),
        8 => When::After(rng.human_ms(1_500)),
        _ => When::After(rng.human_ms(6_000)),
    }
}

fn stretch(rng: &mut Rng, texts: &[&str], hangover_ms: u64) -> Stretch {
    let text = (*rng.pick(texts)).to_owned();
    let words = text.split(' ').count() as u64;
    Stretch {
        ms: rng.human_ms(words * 280).max(60),
        text,
        pause_ms: hangover_ms + rng.human_ms(450),
    }
}

fn say(rng: &mut Rng, hangover_ms: u64) -> What {
    let mut stretches = Vec::new();
    while rng.chance(350) && stretches.len() < 6 {
        stretches.push(stretch(rng, UNFINISHED, hangover_ms));
    }
    let mut last = stretch(rng, SENTENCES, hangover_ms);
    if rng.chance(15) {
        last.text = format!("{} {CRISIS}", last.text);
    } else if rng.chance(60) {
        last.text = (*rng.pick(GO_ON)).to_owned();
    } else if rng.chance(6) {
        last.text = "please leave a message after the tone".to_owned();
    } else if rng.chance(40) {
        last.text.clear();
    } else if rng.chance(3) {
        last.ms += 90_000;
    }
    stretches.push(last);
    What::Say(stretches)
}

fn over(rng: &mut Rng, hangover_ms: u64) -> What {
    let kinds = [
        OverlapKind::Interruption,
        OverlapKind::Backchannel,
        OverlapKind::Noise,
        OverlapKind::Echo,
    ];
    let judged = rng.chance(500).then(|| *rng.pick(&kinds));
    let sound = match rng.below(5) {
        0 => stretch(rng, SIGNS, hangover_ms),
        1 => stretch(rng, STOPS, hangover_ms),
        // The agent's own words come back.
        2 => stretch(rng, &["it is open", "the weather is fine and"], hangover_ms),
        3 => Stretch {
            ms: rng.between(60, 600),
            text: String::new(),
            pause_ms: 0,
        },
        _ => stretch(rng, SENTENCES, hangover_ms),
    };
    What::Over(sound, judged)
}

fn act(rng: &mut Rng, mode: EndpointingMode, hangover_ms: u64) -> Act {
    let rare = rng.below(1_000);
    let by_button = match mode {
        EndpointingMode::Auto | EndpointingMode::Fixed => 20,
        EndpointingMode::Manual => 100,
        EndpointingMode::PushToTalk => 700,
    };
    let what = match rare {
        0..40 => What::Type((*rng.pick(SENTENCES)).to_owned()),
        40..60 => What::Key(*rng.pick(&['1', '2', '3', '#', '*', 'a', 'x'])),
        60..80 => What::Interrupt,
        80..90 => What::Mute(rng.human_ms(3_000)),
        90..105 => What::Lose(rng.human_ms(2_500)),
        105..113 => What::Jump(rng.between(100, 30_000)),
        113..115 => What::Drain(rng.between(0, 15_000)),
        115..119 => What::HangUp,
        119..140 => What::Sound(rng.chance(500).then_some(OverlapKind::Noise)),
        _ if rng.chance(by_button) => What::Press(stretch(rng, SENTENCES, hangover_ms)),
        _ if mode == EndpointingMode::Manual && rng.chance(300) => What::CommitTurn,
        _ if rng.chance(300) => over(rng, hangover_ms),
        _ => say(rng, hangover_ms),
    };
    let when = match what {
        What::Over(..) | What::Sound(_) if rng.chance(800) => When::InReply(rng.human_ms(1_200)),
        What::Key(_) => When::After(rng.human_ms(900)),
        What::Say(_)
        | What::Over(..)
        | What::Sound(_)
        | What::Type(_)
        | What::Interrupt
        | What::Press(_)
        | What::CommitTurn
        | What::Mute(_)
        | What::Lose(_)
        | What::Jump(_)
        | What::Drain(_)
        | What::HangUp => when(rng),
    };
    Act { when, what }
}
