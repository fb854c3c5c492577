//! Order statistics.

/// Measured values, of any unit.
#[derive(Clone, Debug, Default)]
pub struct Samples {
    sorted: Vec<f64>,
}

impl FromIterator<f64> for Samples {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sorted: Vec<f64> = values.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self { sorted }
    }
}

impl Samples {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The value at or below which `share` (0 to 1) of the values lie, by nearest rank; none
    /// where nothing was measured.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let rank = (share * self.sorted.len() as f64).ceil() as usize;
        self.sorted.get(rank.max(1) - 1).copied()
    }

    /// `p50 / p99 / max` without decimals; a dash where nothing was measured.
    pub fn summary(&self) -> String {
        let all = [0.5, 0.99, 1.0].map(|share| self.quantile(share));
        match all {
            [Some(p50), Some(p99), Some(max)] => format!("{p50:.0} / {p99:.0} / {max:.0}"),
            _ => "–".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_nearest_ranks() {
        let samples: Samples = (1..=100).rev().map(f64::from).collect();
        assert_eq!(samples.quantile(0.5), Some(50.0));
        assert_eq!(samples.quantile(0.99), Some(99.0));
        assert_eq!(samples.summary(), "50 / 99 / 100");
    }

    #[test]
    fn nothing_measured_is_no_number() {
        assert_eq!(Samples::default().quantile(0.5), None);
        assert_eq!(Samples::default().summary(), "–");
    }
}
