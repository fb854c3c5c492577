//! Gradients of the judge's model (layout of the weights: `audio/src/overlap/model.rs`).

use antiphon_audio::overlap::{OVERLAP_CELLS, OVERLAP_INPUTS, OVERLAP_KINDS, dot};

const ROW: usize = OVERLAP_INPUTS + OVERLAP_CELLS + 1;
const OUT: usize = 3 * OVERLAP_CELLS * ROW;
type Input = [f32; OVERLAP_INPUTS];
type Cells = [f32; OVERLAP_CELLS];

/// The frames of one event and what they are.
#[derive(Clone)]
pub(crate) struct Sequence {
    pub(crate) inputs: Vec<Input>,
    /// Kind of sound in each frame.
    pub(crate) kinds: Vec<usize>,
    pub(crate) weight: f32,
    /// Number of the sound that it was made of.
    pub(crate) sound: usize,
}

struct Step {
    before: Cells,
    update: Cells,
    reset: Cells,
    candidate: Cells,
    recurrent: Cells,
    after: Cells,
    chances: [f32; OVERLAP_KINDS],
}

fn add(to: &mut [f32], from: &[f32], by: f32) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += by * from;
    }
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn forward(weights: &[f32], inputs: &[Input]) -> Vec<Step> {
    let mut state = [0.0; OVERLAP_CELLS];
    let mut steps = Vec::with_capacity(inputs.len());
    for input in inputs {
        let mut step = Step {
            before: state,
            update: [0.0; OVERLAP_CELLS],
            reset: [0.0; OVERLAP_CELLS],
            candidate: [0.0; OVERLAP_CELLS],
            recurrent: [0.0; OVERLAP_CELLS],
            after: state,
            chances: [0.0; OVERLAP_KINDS],
        };
        for cell in 0..OVERLAP_CELLS {
            let parts = [0, 1, 2].map(|gate| {
                let row = &weights[(gate * OVERLAP_CELLS + cell) * ROW..][..ROW];
                let recurrent = dot(&row[OVERLAP_INPUTS..ROW - 1], &step.before);
                (dot(&row[..OVERLAP_INPUTS], input) + row[ROW - 1], recurrent)
            });
            step.update[cell] = sigmoid(parts[0].0 + parts[0].1);
            step.reset[cell] = sigmoid(parts[1].0 + parts[1].1);
            step.recurrent[cell] = parts[2].1;
            step.candidate[cell] = (parts[2].0 + step.reset[cell] * parts[2].1).tanh();
            step.after[cell] += step.update[cell] * (step.candidate[cell] - step.before[cell]);
        }
        state = step.after;
        let mut sum = 0.0;
        for kind in 0..OVERLAP_KINDS {
            let row = &weights[OUT + kind * (OVERLAP_CELLS + 1)..][..=OVERLAP_CELLS];
            step.chances[kind] = (dot(&row[..OVERLAP_CELLS], &state) + row[OVERLAP_CELLS]).exp();
            sum += step.chances[kind];
        }
        step.chances.iter_mut().for_each(|chance| *chance /= sum);
        steps.push(step);
    }
    steps
}

/// How much a frame counts: little before 100 ms, when nobody could know.
fn frame_weight(at: usize) -> f32 {
    ((at as f32 - 1.0) / 8.0).clamp(0.0, 1.0)
}

/// Adds the gradient of the cross-entropy of one sequence to `gradient`; gives the loss and
/// whether the frame at 400 ms (or the last) was right.
pub(crate) fn backward(weights: &[f32], sequence: &Sequence, gradient: &mut [f32]) -> (f32, bool) {
    let steps = forward(weights, &sequence.inputs);
    let total: f32 = (0..steps.len()).map(frame_weight).sum::<f32>().max(1.0);
    let mut loss = 0.0;
    let mut carried = [0.0; OVERLAP_CELLS];
    for (at, (step, input)) in steps.iter().zip(&sequence.inputs).enumerate().rev() {
        let weight = sequence.weight * frame_weight(at) / total;
        let true_kind = sequence.kinds[at];
        loss -= weight * step.chances[true_kind].max(1e-6).ln();
        let mut after = carried;
        for kind in 0..OVERLAP_KINDS {
            // A little doubt: nobody has listened to the labels.
            let target = if kind == true_kind { 0.95 } else { 0.05 / 2.0 };
            let error = weight * (step.chances[kind] - target);
            let base = OUT + kind * (OVERLAP_CELLS + 1);
            add(
                &mut gradient[base..base + OVERLAP_CELLS],
                &step.after,
                error,
            );
            gradient[base + OVERLAP_CELLS] += error;
            add(&mut after, &weights[base..base + OVERLAP_CELLS], error);
        }
        carried = [0.0; OVERLAP_CELLS];
        for cell in 0..OVERLAP_CELLS {
            let (z, r, c) = (step.update[cell], step.reset[cell], step.candidate[cell]);
            let d_candidate = after[cell] * z * (1.0 - c * c);
            let d_update = after[cell] * (c - step.before[cell]) * z * (1.0 - z);
            let d_reset = d_candidate * step.recurrent[cell] * r * (1.0 - r);
            carried[cell] += after[cell] * (1.0 - z);
            let errors = [
                (d_update, d_update),
                (d_reset, d_reset),
                (d_candidate, d_candidate * r),
            ];
            for (gate, (direct, recurrent)) in errors.into_iter().enumerate() {
                let base = (gate * OVERLAP_CELLS + cell) * ROW;
                add(&mut gradient[base..base + OVERLAP_INPUTS], input, direct);
                let row = base + OVERLAP_INPUTS..base + ROW - 1;
                add(&mut gradient[row.clone()], &step.before, recurrent);
                gradient[base + ROW - 1] += direct;
                add(&mut carried, &weights[row], recurrent);
            }
        }
    }
    let at = 22.min(steps.len() - 1);
    let judged = steps[at].chances;
    let right = (0..OVERLAP_KINDS).all(|kind| judged[kind] <= judged[sequence.kinds[at]]);
    (loss, right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use antiphon_audio::overlap::overlap_weight_count;

    #[test]
    fn the_gradient_is_the_slope_of_the_loss() {
        let weights: Vec<f32> = (0..overlap_weight_count())
            .map(|k| ((k * 7919 % 1000) as f32 / 1000.0 - 0.5) * 0.4)
            .collect();
        let inputs = (0..12)
            .map(|t| std::array::from_fn(|i| ((t * 31 + i * 17) % 13) as f32 / 6.0 - 1.0))
            .collect();
        let sequence = Sequence {
            inputs,
            kinds: vec![1; 12],
            weight: 1.0,
            sound: 0,
        };
        let mut gradient = vec![0.0; weights.len()];
        backward(&weights, &sequence, &mut gradient);
        let smoothed = |weights: &[f32]| {
            let steps = forward(weights, &sequence.inputs);
            let total: f32 = (0..steps.len()).map(frame_weight).sum();
            steps
                .iter()
                .enumerate()
                .map(|(at, step)| {
                    let log = |kind: usize| step.chances[kind].ln();
                    -frame_weight(at) / total * (0.95 * log(1) + 0.025 * (log(0) + log(2)))
                })
                .sum::<f32>()
        };
        for at in [5, 40, 60, 2_100, 4_200, OUT - 1, OUT + 3, OUT + 40] {
            let mut moved = weights.clone();
            moved[at] += 1e-2;
            let up = smoothed(&moved);
            moved[at] -= 2e-2;
            let slope = (up - smoothed(&moved)) / 2e-2;
            let error = (slope - gradient[at]).abs();
            assert!(
                error < 1e-4 + 0.05 * slope.abs(),
                "{at}: {slope} {}",
                gradient[at]
            );
        }
    }
}
