//! How few products a list of penalties needs.
//!
//! A penalty α shrinks what lies along an eigenvector of eigenvalue λ by λ / (λ + α). On a given spectrum these curves
//! are much alike: penalties far below all eigenvalues give the same, those far above the same up to a factor. So the
//! curves of a dozen penalties or more are sums of a few, up to what f32 holds, and each of the few costs one product.

use faer::Mat;

use crate::{Error, Result};

/// Curves are approximated to this, root mean square over the spectrum; 1 is no shrinkage. About what f32 products of some hundred terms round to.
const CLOSE: f64 = 1e-6;
/// Eigenvalues below this share of the largest are rounding of f32 products.
const RANK: f64 = 1e-9;

/// Curves of which those of all penalties are sums.
#[derive(Clone, Debug)]
pub struct Curves {
    /// Curves × eigenvalues: factors to multiply by in place of 1 / (λ + α).
    pub factors: Vec<Vec<f64>>,
    /// Penalties × curves: how much of each.
    pub parts: Vec<Vec<f64>>,
}

/// Finds the fewest curves for `alphas` on a spectrum.
pub fn curves(eigenvalues: &[f64], alphas: &[f64]) -> Result<Curves> {
    let largest = eigenvalues.iter().copied().fold(0.0, f64::max);
    let kept: Vec<usize> = (0..eigenvalues.len())
        .filter(|&i| eigenvalues[i] > RANK * largest)
        .collect();
    let shrinkage = Mat::from_fn(alphas.len(), kept.len(), |a, i| {
        let value = eigenvalues[kept[i]];
        value / (value + alphas[a])
    });
    if kept.is_empty() {
        return Ok(Curves {
            factors: Vec::new(),
            parts: vec![Vec::new(); alphas.len()],
        });
    }
    let svd = shrinkage.thin_svd().map_err(|e| {
        Error::data(format!(
            "the singular values of {} penalties were not found ({e:?}): check that they are finite",
            alphas.len()
        ))
    })?;
    let n = alphas.len().min(kept.len());
    let least = CLOSE * (kept.len() as f64).sqrt();
    let rank = (0..n).take_while(|&k| svd.S()[k] > least).count().max(1);
    let factors = (0..rank).map(|k| {
        let mut factors = vec![0.0; eigenvalues.len()];
        for (i, &at) in kept.iter().enumerate() {
            factors[at] = svd.V()[(i, k)] / eigenvalues[at];
        }
        factors
    });
    let parts =
        (0..alphas.len()).map(|a| (0..rank).map(|k| svd.U()[(a, k)] * svd.S()[k]).collect());
    Ok(Curves {
        factors: factors.collect(),
        parts: parts.collect(),
    })
}
