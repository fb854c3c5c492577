//! The classifier: one gated recurrent layer over the frames since the onset.

/// What the model is given for each frame.
pub(crate) const INPUTS: usize = 30;
/// Cells of the recurrent layer.
pub(crate) const CELLS: usize = 32;
/// Kinds of sound that it tells apart.
pub(crate) const KINDS: usize = 3;
/// Weights in all: three gates (input, recurrent, bias), then the output layer.
pub(crate) const WEIGHTS: usize = 3 * CELLS * (INPUTS + CELLS + 1) + KINDS * (CELLS + 1);

/// Trained weights, little-endian `f32`, written by `bargein train`.
static TRAINED: &[u8; 4 * WEIGHTS] = include_bytes!("weights.bin");

/// A gated recurrent unit and a softmax (Cho et al. 2014, with the reset gate on the product).
///
/// Layout of the weights, row by row: for each of the gates *update*, *reset*, *candidate* a matrix
/// of `CELLS` rows with `INPUTS` input weights, `CELLS` recurrent weights and the bias; then `KINDS`
/// rows with `CELLS` weights and the bias.
pub(super) struct Model {
    weights: Vec<f32>,
    state: [f32; CELLS],
}

impl Model {
    /// The model that is built in.
    pub(super) fn trained() -> Self {
        let weights = TRAINED
            .chunks_exact(4)
            .map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]))
            .collect();
        Self::new(weights)
    }

    /// A model of `weights`; missing ones are zero.
    pub(super) fn new(mut weights: Vec<f32>) -> Self {
        weights.resize(WEIGHTS, 0.0);
        Self {
            weights,
            state: [0.0; CELLS],
        }
    }

    /// Forgets the frames seen.
    pub(super) fn reset(&mut self) {
        self.state = [0.0; CELLS];
    }

    /// Takes the next frame, gives the probability of each kind.
    pub(super) fn step(&mut self, input: &[f32; INPUTS]) -> [f32; KINDS] {
        const ROW: usize = INPUTS + CELLS + 1;
        let mut pre = [[0.0; CELLS]; 3];
        let mut recurrent = [0.0; CELLS];
        for (gate, pre) in pre.iter_mut().enumerate() {
            for (cell, pre) in pre.iter_mut().enumerate() {
                let row = &self.weights[(gate * CELLS + cell) * ROW..][..ROW];
                let from_state = product(&row[INPUTS..INPUTS + CELLS], &self.state);
                *pre = product(&row[..INPUTS], input) + row[ROW - 1];
                if gate == 2 {
                    recurrent[cell] = from_state;
                } else {
                    *pre += from_state;
                }
            }
        }
        for cell in 0..CELLS {
            let update = sigmoid(pre[0][cell]);
            let reset = sigmoid(pre[1][cell]);
            let candidate = (pre[2][cell] + reset * recurrent[cell]).tanh();
            self.state[cell] += update * (candidate - self.state[cell]);
        }
        let mut out = [0.0; KINDS];
        for (kind, out) in out.iter_mut().enumerate() {
            let row = &self.weights[3 * CELLS * ROW + kind * (CELLS + 1)..][..=CELLS];
            *out = product(&row[..CELLS], &self.state) + row[CELLS];
        }
        softmax(out)
    }
}

fn product(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

fn softmax(mut x: [f32; KINDS]) -> [f32; KINDS] {
    let most = x.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for value in &mut x {
        *value = (*value - most).exp();
        sum += *value;
    }
    x.map(|value| value / sum)
}
