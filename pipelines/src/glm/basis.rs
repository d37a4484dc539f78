//! What a design spans: an orthonormal basis, and which weighted sums of its columns' weights mean anything.

use faer::Mat;

use crate::{Error, Result};

/// Singular values below this share of the largest are rounding.
const RANK: f64 = 1e-9;

/// An orthonormal basis of the columns of a design.
#[derive(Clone, Debug)]
pub(crate) struct Basis {
    /// Volumes × rank.
    pub(crate) q: Mat<f64>,
    /// Columns × rank: from weights of the basis to weights of the columns.
    pub(crate) betas_from_q: Mat<f64>,
    /// Columns × rank: orthonormal basis of the contrasts that can be estimated, of columns scaled by `lengths`.
    estimable: Mat<f64>,
    lengths: Vec<f64>,
}

impl Basis {
    /// By singular values of the columns brought to length 1.
    pub(crate) fn of(design: &Mat<f64>) -> Result<Self> {
        let (n, p) = (design.nrows(), design.ncols());
        let lengths: Vec<f64> = (0..p)
            .map(|c| (0..n).map(|t| design[(t, c)].powi(2)).sum::<f64>().sqrt())
            .collect();
        if lengths.iter().any(|l| !l.is_finite()) {
            return Err(Error::data(
                "a column of the design holds a value that is not finite: check the confounds",
            ));
        }
        let inverse = |c: usize| {
            if lengths[c] > 0.0 {
                1.0 / lengths[c]
            } else {
                0.0
            }
        };
        let scaled = Mat::from_fn(n, p, |t, c| design[(t, c)] * inverse(c));
        let svd = scaled.thin_svd().map_err(|e| {
            Error::data(format!(
                "the singular values of a design were not found ({e:?})"
            ))
        })?;
        let values: Vec<f64> = (0..n.min(p)).map(|i| svd.S()[i]).collect();
        let least = values.first().copied().unwrap_or(0.0) * RANK;
        let rank = values.iter().filter(|s| **s > least).count();
        let (u, v) = (svd.U(), svd.V());
        Ok(Self {
            q: Mat::from_fn(n, rank, |t, k| u[(t, k)]),
            betas_from_q: Mat::from_fn(p, rank, |c, k| inverse(c) * v[(c, k)] / values[k]),
            estimable: Mat::from_fn(p, rank, |c, k| v[(c, k)]),
            lengths,
        })
    }

    pub(crate) fn rank(&self) -> usize {
        self.q.ncols()
    }

    /// Whether Σ weights · betas is the same for all weights of the columns that fit equally well.
    pub(crate) fn is_estimable(&self, weights: &[f64]) -> bool {
        let used = || {
            weights
                .iter()
                .zip(&self.lengths)
                .filter(|(w, _)| **w != 0.0)
        };
        if used().any(|(_, length)| *length == 0.0) {
            return false;
        }
        let scaled: Vec<f64> = weights
            .iter()
            .zip(&self.lengths)
            .map(|(w, l)| if *w == 0.0 { 0.0 } else { w / l })
            .collect();
        let total: f64 = scaled.iter().map(|w| w * w).sum();
        let within: f64 = (0..self.rank())
            .map(|k| {
                let along: f64 = scaled
                    .iter()
                    .enumerate()
                    .map(|(c, w)| w * self.estimable[(c, k)])
                    .sum();
                along * along
            })
            .sum();
        total - within <= 1e-6 * total
    }

    /// How much of a constant lies outside the design, from 0 to 1.
    pub(crate) fn without_constant(&self) -> f64 {
        let n = self.q.nrows();
        let within: f64 = (0..self.rank())
            .map(|k| (0..n).map(|t| self.q[(t, k)]).sum::<f64>().powi(2))
            .sum();
        1.0 - within / n as f64
    }
}
