//! Sums over held-out rows, from which every score of a voxel follows.

use crate::linear::search::Predicted;

/// Sums over the held-out rows of one target. Responses and predictions are counted from the mean of the training rows.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    /// (y − ŷ)².
    error: f64,
    /// y².
    total: f64,
    /// y ŷ, y² and ŷ², each about its mean within the fold.
    together: f64,
    observed: f64,
    predicted: f64,
    /// 2 y ŷ_s − ŷ_s ŷ of every space.
    by_space: Vec<f64>,
}

impl Sums {
    /// R² = 1 − Σ(y − ŷ)² / Σ y², y from the mean of the training rows: a model that says that mean has 0.
    pub(super) fn r2(&self) -> f32 {
        ratio(self.total - self.error, self.total)
    }

    /// Pearson's r of responses and predictions, pooled within folds: differences between folds count for nothing.
    pub(super) fn r(&self) -> f32 {
        // Predictions that do not vary are those of a model that found nothing.
        if self.predicted <= 1e-12 * self.observed {
            return ratio(0.0, self.observed);
        }
        ratio(self.together, (self.observed * self.predicted).sqrt())
    }

    /// The part of each space in R² (product measure; Dupré la Tour et al. 2022): they sum to R², and one is negative
    /// where a space takes back what another said.
    pub(super) fn r2_of(&self, space: usize) -> f32 {
        ratio(
            self.by_space.get(space).copied().unwrap_or(f64::NAN),
            self.total,
        )
    }
}

fn ratio(part: f64, whole: f64) -> f32 {
    if whole > 0.0 && part.is_finite() {
        (part / whole) as f32
    } else {
        f32::NAN
    }
}

/// The sums of what a model says of its held-out rows, one a target.
pub(super) fn sums(told: &Predicted<'_>) -> Vec<Sums> {
    let (n_rows, n_targets) = (told.observed.n_rows, told.observed.n_cols);
    let n_spaces = told.by_space.len();
    let mut all = vec![Sums::default(); n_targets];
    let mut means = vec![(0.0f64, 0.0f64); n_targets];
    all.iter_mut()
        .for_each(|s| s.by_space = vec![0.0; n_spaces]);
    let mut whole = vec![0.0f64; n_targets];
    for pass in 0..2 {
        for row in 0..n_rows {
            whole.fill(0.0);
            for space in told.by_space {
                let values = whole.iter_mut().zip(space.row(row));
                values.for_each(|(sum, value)| *sum += f64::from(*value));
            }
            let observed = told.observed.row(row);
            for (t, (y, said)) in observed.iter().zip(&whole).enumerate() {
                let y = f64::from(*y);
                if pass == 0 {
                    means[t].0 += y / n_rows as f64;
                    means[t].1 += said / n_rows as f64;
                    continue;
                }
                let sums = &mut all[t];
                sums.error += (y - said) * (y - said);
                sums.total += y * y;
                let (dy, ds) = (y - means[t].0, said - means[t].1);
                sums.together += dy * ds;
                sums.observed += dy * dy;
                sums.predicted += ds * ds;
                for (sum, space) in sums.by_space.iter_mut().zip(told.by_space) {
                    let part = f64::from(space.row(row)[t]);
                    *sum += 2.0 * y * part - part * said;
                }
            }
        }
    }
    for (sums, mean) in all.iter_mut().zip(told.mean) {
        if !mean.is_finite() {
            sums.total = f64::NAN;
            sums.observed = f64::NAN;
        }
    }
    all
}

impl Sums {
    /// Those of all folds.
    pub(super) fn of<'a>(folds: impl Iterator<Item = &'a Self>) -> Self {
        let mut all = Self::default();
        for fold in folds {
            all.error += fold.error;
            all.total += fold.total;
            all.together += fold.together;
            all.observed += fold.observed;
            all.predicted += fold.predicted;
            all.by_space.resize(fold.by_space.len(), 0.0);
            let spaces = all.by_space.iter_mut().zip(&fold.by_space);
            spaces.for_each(|(sum, value)| *sum += value);
        }
        all
    }
}
