//! The sounds that are reported on and what the judge makes of them.

use std::path::Path;

use antiphon_audio::CALLER_FRAME_SAMPLES;
use antiphon_audio::overlap::OverlapDecision;

use crate::grains::grains;
use crate::made::made;
use crate::material::{self, BACKCHANNEL, COMMAND, HORNS, NOISE, NOISE_REPORTED, Sound};
use crate::mix::samples;
use crate::score::{Trial, quantile};
use crate::spoken::spoken;

/// Sounds of one kind from one source.
pub(crate) struct Group {
    pub(crate) name: &'static str,
    pub(crate) kind: usize,
    pub(crate) sounds: Vec<Sound>,
}

/// What became of a group.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) kind: usize,
    pub(crate) count: usize,
    pub(crate) stopped: usize,
    /// Stops by 450 ms and time of the stops, in milliseconds from the true onset.
    pub(crate) stop_ms: Vec<f32>,
    pub(crate) duck_ms: Vec<f32>,
    /// Names of the sounds that were misjudged.
    pub(crate) wrong: Vec<String>,
}

impl Row {
    /// Part that was judged rightly, in percent.
    pub(crate) fn right(&self) -> f32 {
        let stopped = 100.0 * self.stopped as f32 / self.count.max(1) as f32;
        if self.kind == COMMAND {
            stopped
        } else {
            100.0 - stopped
        }
    }
}

fn of(name: &'static str, kind: usize, sounds: Vec<Sound>) -> Group {
    let sounds = sounds
        .into_iter()
        .filter(|sound| sound.kind == kind)
        .collect();
    Group { name, kind, sounds }
}

/// Sounds that no shipped weight has seen.
pub(crate) fn unseen(material: &Path) -> Result<Vec<Group>, String> {
    let held = spoken(false)?;
    let mut noises = Vec::new();
    for file in NOISE_REPORTED.iter().chain(&HORNS) {
        noises.extend(material::pieces(
            "",
            file,
            &material::read(&material.join(file))?,
        ));
    }
    let voices = material::speech(material, &["A_stt/short-keywords"])?;
    let made = made(&grains(voices.iter()), 12, 99);
    let of_maker = |maker: &str| -> Vec<Sound> {
        made.iter()
            .filter(|sound| sound.set == format!("made:{maker}"))
            .cloned()
            .collect()
    };
    let easy = ["backchannel_real_1", "backchannel_real_2"].map(|name| {
        let pcm = material::read(&material.join(format!("B_turns/easy-turn/{name}.wav")))?;
        Ok::<_, String>(Sound {
            pcm,
            kind: BACKCHANNEL,
            set: String::new(),
            name: name.to_owned(),
        })
    });
    let easy = easy.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(vec![
        of("short-keywords", COMMAND, voices),
        of(
            "coffee-commands",
            COMMAND,
            material::speech(material, &["A_stt/coffee-commands"])?,
        ),
        of(
            "synthetic commands, 3 voices never trained",
            COMMAND,
            held.clone(),
        ),
        of("synthetic backchannels, the same voices", BACKCHANNEL, held),
        of("easy-turn backchannels (Mandarin words)", BACKCHANNEL, easy),
        of(
            "made murmurs of short-keywords' voices",
            BACKCHANNEL,
            of_maker("murmur"),
        ),
        of("made laughter of the same", NOISE, of_maker("laughter")),
        of("made coughs of the same", NOISE, of_maker("cough")),
        of("made breaths", NOISE, of_maker("breath")),
        of("made clatter", NOISE, of_maker("clatter")),
        of("noises that begin at once", NOISE, noises),
    ])
}

/// `mfa-disfluency`, by kind.
pub(crate) fn disfluencies(material: &Path) -> Result<Vec<Group>, String> {
    let all = material::disfluencies(material)?;
    let named = |word: &str| -> Vec<Sound> {
        all.iter()
            .filter(|sound| sound.set == format!("mfa:{word}"))
            .cloned()
            .collect()
    };
    Ok(vec![
        of("mfa-disfluency: speech", COMMAND, named("speech")),
        of("mfa-disfluency: uh, um, mm, er", BACKCHANNEL, all.clone()),
        of("mfa-disfluency: laughter", NOISE, named("laughter")),
        of("mfa-disfluency: breaths", NOISE, named("breath")),
    ])
}

/// Sets of the training material, for a model that was trained without all of them.
pub(crate) fn left_out(material: &Path) -> Result<Vec<Group>, String> {
    Ok(vec![
        of(
            "an4-train",
            COMMAND,
            material::speech(material, &["A_stt/an4-train"])?,
        ),
        of(
            "fsdd (one digit, 8 kHz)",
            COMMAND,
            material::speech(material, &["A_stt/fsdd"])?,
        ),
        of("aws-call-centre turns", COMMAND, material::call(material)?),
        of(
            "ami-30s short turns",
            BACKCHANNEL,
            material::meeting_backchannels(material)?,
        ),
    ])
}

/// Sets that the weights of [`left_out`] were not trained with.
pub(crate) const LEFT_OUT: [&str; 4] = [
    "A_stt/an4-train",
    "A_stt/fsdd",
    "B_turns/aws-call-centre",
    "B_turns/ami-30s",
];

/// Hears every sound of `group` over `bed` (`below_db` dB below the sound).
pub(crate) fn row(trial: &Trial, group: &Group, bed: &[f32], below_db: f32) -> Row {
    let mut row = Row {
        name: group.name.to_owned(),
        kind: group.kind,
        count: group.sounds.len(),
        stopped: 0,
        stop_ms: Vec::new(),
        duck_ms: Vec::new(),
        wrong: Vec::new(),
    };
    for sound in &group.sounds {
        let outcome = trial.hear(sound, bed, below_db);
        row.stopped += usize::from(outcome.stop_ms.is_some());
        row.stop_ms.extend(outcome.stop_ms);
        row.duck_ms.extend(outcome.duck_ms);
        if outcome.stop_ms.is_some() != (sound.kind == COMMAND) {
            row.wrong.push(sound.name.clone());
        }
    }
    row
}

/// All rows of a kind as one.
pub(crate) fn together(name: &str, rows: &[Row], kinds: &[usize]) -> Row {
    let chosen = || rows.iter().filter(|row| kinds.contains(&row.kind));
    Row {
        name: name.to_owned(),
        kind: kinds[0],
        count: chosen().map(|row| row.count).sum(),
        stopped: chosen().map(|row| row.stopped).sum(),
        stop_ms: chosen().flat_map(|row| row.stop_ms.clone()).collect(),
        duck_ms: chosen().flat_map(|row| row.duck_ms.clone()).collect(),
        wrong: chosen().flat_map(|row| row.wrong.clone()).collect(),
    }
}

/// A recording of noise played through: name, minutes, share of the time ducked (percent), stops.
pub(crate) fn steady(
    trial: &Trial,
    material: &Path,
) -> Result<Vec<(String, f32, f32, usize)>, String> {
    let files = [
        "C_noise/kitchen/kitchen.flac",
        "C_noise/speech-commands-background/exercise_bike.flac",
    ];
    let mut rows = Vec::new();
    for file in files.iter().chain(&NOISE_REPORTED) {
        let pcm = samples(&material::read(&material.join(file))?);
        let mut judge = trial.judge();
        let (mut ducked, mut stops, mut stopped, mut frames) = (0, 0, false, 0);
        for frame in pcm.chunks_exact(CALLER_FRAME_SAMPLES) {
            judge.push(frame, None);
            let view = judge.view();
            let ducks = [OverlapDecision::Undecided, OverlapDecision::Stop];
            ducked += usize::from(ducks.contains(&view.decision));
            let stop = view.decision == OverlapDecision::Stop;
            stops += usize::from(stop && !stopped);
            stopped = stop;
            frames += 1;
        }
        let name = file.rsplit('/').next().unwrap_or(file).to_owned();
        rows.push((
            name,
            frames as f32 / 3_000.0,
            100.0 * ducked as f32 / frames as f32,
            stops,
        ));
    }
    Ok(rows)
}

/// Median, 95th percentile and worst.
pub(crate) fn spread(values: &[f32]) -> [f32; 3] {
    let mut values = values.to_vec();
    [0.5, 0.95, 1.0].map(|part| quantile(&mut values, part))
}
