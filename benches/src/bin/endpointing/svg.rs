//! The curve as an image.

use std::fmt::Write as _;

use crate::curve::Point;
use crate::table::Row;

const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 420.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = 50.0;
/// Right end of the axis, in milliseconds of median delay.
const DELAY_MS_MAX: f64 = 2_400.0;
const COLOURS: [&str; 5] = ["#6b7280", "#1d4ed8", "#0d9488", "#9333ea", "#d97706"];

/// False cutoffs over median delay, one line for each row.
pub(crate) fn svg(rows: &[Row]) -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>False cutoffs against the median delay of true ends</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    axes(&mut text);
    for (i, (row, colour)) in rows.iter().zip(COLOURS).enumerate() {
        let points: Vec<String> = frontier(&row.curve)
            .iter()
            .map(|p| format!("{:.1},{:.1}", x(p.median_ms), y(p.cut)))
            .collect();
        let _ = writeln!(
            text,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>",
            points.join(" ")
        );
        let at = TOP + 18.0 + 18.0 * i as f64;
        let _ = writeln!(
            text,
            "<rect x=\"{}\" y=\"{}\" width=\"14\" height=\"3\" fill=\"{colour}\"/>\
             <text x=\"{}\" y=\"{at}\" fill=\"#111827\">{}</text>",
            WIDTH - 320.0,
            at - 5.0,
            WIDTH - 300.0,
            row.name
        );
    }
    text + "</svg>\n"
}

/// The points that no other beats in both, by delay.
fn frontier(curve: &[Point]) -> Vec<Point> {
    let mut sorted = curve.to_vec();
    sorted.sort_by(|a, b| {
        a.median_ms
            .total_cmp(&b.median_ms)
            .then(a.cut.total_cmp(&b.cut))
    });
    let mut best = f64::INFINITY;
    sorted.retain(|point| {
        let better = point.cut < best && point.median_ms <= DELAY_MS_MAX;
        best = best.min(point.cut);
        better
    });
    sorted
}

fn axes(text: &mut String) {
    for percent in [0, 5, 25, 50, 75, 100] {
        let at = y(f64::from(percent) / 100.0);
        let _ = writeln!(
            text,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#e5e7eb\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#374151\">{percent} %</text>",
            WIDTH - RIGHT,
            LEFT - 6.0,
            at + 4.0
        );
    }
    for ms in (0..=DELAY_MS_MAX as u32).step_by(300) {
        let at = x(f64::from(ms));
        let _ = writeln!(
            text,
            "<line x1=\"{at:.1}\" x2=\"{at:.1}\" y1=\"{TOP}\" y2=\"{:.1}\" stroke=\"#f3f4f6\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#374151\">{ms}</text>",
            HEIGHT - BOTTOM,
            HEIGHT - BOTTOM + 16.0
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" fill=\"#111827\">median delay from the end \
         of speech to the end of the turn, ms</text>",
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 12.0
    );
    let _ = writeln!(
        text,
        "<text transform=\"translate(14 {}) rotate(-90)\" text-anchor=\"middle\" \
         fill=\"#111827\">false cutoffs</text>",
        (TOP + HEIGHT - BOTTOM) / 2.0
    );
}

fn x(ms: f64) -> f64 {
    LEFT + (WIDTH - LEFT - RIGHT) * ms.min(DELAY_MS_MAX) / DELAY_MS_MAX
}

fn y(share: f64) -> f64 {
    TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - share)
}
