//! False cutoffs against delay: a fixed silence and the endpointing of the engine.
mod heard;
mod labels;
mod listen;
mod material;

use std::path::{Path, PathBuf};
use labels::Truth;

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let material = std::env::var_os("ANTIPHON_MATERIAL")
        .map_or_else(|| root.join("../shared/material"), PathBuf::from);
    let mut all = Vec::new();
    for set in material::TRAINED_ON.iter().chain(&material::REPORTED_ON) {
        let clips = material::clips(&material, set).unwrap();
        let (on, over) = material::counts(&clips);
        eprintln!("{set}: {} clips, {on} on, {over} over", clips.len());
        all.extend(clips);
    }
    let heard = if std::env::args().any(|a| a == "--notext") { Default::default() } else { heard::heard(&all).unwrap() };
    println!("set\tfile\tend_ms\ttruth\tpause_ms\tlate\tspeech_ms\tslope\tp_end\tp_floor\tp_spread\tl_end\tl_slope\tl_after\ttilt\tlast_v\ttyp_v\ttail\tvoiced\tperiod\trate\tturn_ms\tclip_ms\theard\tref");
    for clip in &all {
        for l in &clip.labelled {
            let s = &clip.stretches[l.stretch];
            let p = s.prosody;
            let (t, pause) = match l.truth { Truth::Over => (1, -1), Truth::GoesOn{pause_ms} => (0, pause_ms) };
            let text: Vec<String> = (l.turn_from..=l.stretch).map(|i| heard.get(&(clip.path.clone(), clip.stretches[i].onset_ms)).cloned().unwrap_or_default()).collect();
            let from = clip.stretches[l.turn_from].onset_ms;
            let mut reference: Vec<String> = clip.words.iter().filter(|w| w.1 > from && w.0 + 60 < s.end_ms).map(|w| w.2.clone()).collect();
            if reference.is_empty() && l.truth == Truth::Over { reference = vec![clip.transcript.clone()]; }
            println!("{}\t{}\t{}\t{t}\t{pause}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}", clip.set, clip.path, s.end_ms, l.late_ms,
              p.speech_ms, p.pitch_slope_st10, p.pitch_end_st10, p.pitch_floor_st10, p.pitch_spread_st10, p.level_end_db10, p.level_slope_db10, p.level_after_db10, p.tilt_end_db10, p.last_voiced_ms, p.typical_voiced_ms, p.unvoiced_tail_ms, p.voiced_permille, p.periodicity_permille, p.rate_hz10, s.end_ms - from, clip.pcm.len()/16, text.join(" "), reference.join(" "));
        }
    }
}
