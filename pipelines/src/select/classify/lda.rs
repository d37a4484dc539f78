//! Linear discriminant analysis with a covariance shrunk class by class.
//!
//! As scikit-learn's `shrinkage="auto"`: the features of each class are standardised, their covariance is shrunk to a
//! multiple of the identity (Ledoit & Wolf 2004, *J. Multivariate Analysis* 88, 365–411), scaled back, and weighed by
//! the prior of the class. What comes out is a diagonal plus the products of residuals: with more features than rows it
//! is inverted by the Woodbury identity and never formed.
//!
//! [`crate::linear::lda`] is its twin for all voxels at once, with one shrinkage for the pooled covariance and no scores.

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

use super::{Classifier, class_means};
use crate::{Error, Result};

pub(super) fn fit(x: &Mat<f64>, y: &[usize], n_classes: usize) -> Result<Classifier> {
    let (n, p) = (x.nrows(), x.ncols());
    let (counts, means) = class_means(x, y, n_classes);
    let all: Vec<f64> = (0..p)
        .map(|f| (0..n).map(|r| x[(r, f)]).sum::<f64>() / n as f64)
        .collect();
    // Σ = diag(d) + Rᵀ R, the rows of R being residuals times the root of their weight.
    let mut diagonal = vec![0.0; p];
    let mut residuals = Mat::from_fn(n, p, |r, f| x[(r, f)] - means[(y[r], f)]);
    for class in (0..n_classes).filter(|&c| counts[c] > 0.0) {
        let rows: Vec<usize> = (0..n).filter(|&r| y[r] == class).collect();
        let (shrinkage, height, variances) = shrinkage(&residuals, &rows);
        let prior = counts[class] / n as f64;
        for (d, variance) in diagonal.iter_mut().zip(&variances) {
            *d += prior * shrinkage * height * if *variance > 0.0 { *variance } else { 1.0 };
        }
        let weight = (prior * (1.0 - shrinkage) / counts[class]).max(0.0).sqrt();
        for &r in &rows {
            for f in 0..p {
                residuals[(r, f)] *= weight;
            }
        }
    }
    let centred = Mat::from_fn(n_classes, p, |c, f| {
        if counts[c] > 0.0 {
            means[(c, f)] - all[f]
        } else {
            0.0
        }
    });
    let weights = solve(&diagonal, &residuals, &centred)?;
    let offsets = (0..n_classes)
        .map(|c| {
            if counts[c] == 0.0 {
                return f64::NEG_INFINITY;
            }
            let half: f64 = (0..p)
                .map(|f| weights[(c, f)] * (0.5 * centred[(c, f)] + all[f]))
                .sum();
            (counts[c] / n as f64).ln() - half
        })
        .collect();
    Ok(Classifier { weights, offsets })
}

/// δ, the height μ of the identity and the variances of the features, of the residuals of one class.
fn shrinkage(residuals: &Mat<f64>, rows: &[usize]) -> (f64, f64, Vec<f64>) {
    let (n, p) = (rows.len() as f64, residuals.ncols() as f64);
    let variances: Vec<f64> = (0..residuals.ncols())
        .map(|f| rows.iter().map(|&r| residuals[(r, f)].powi(2)).sum::<f64>() / n)
        .collect();
    let scaled = Mat::from_fn(rows.len(), residuals.ncols(), |r, f| {
        let variance = variances[f];
        residuals[(rows[r], f)] / if variance > 0.0 { variance.sqrt() } else { 1.0 }
    });
    let varying = variances.iter().filter(|v| **v > 0.0).count() as f64;
    let height = varying / p;
    if residuals.ncols() == 1 || varying == 0.0 {
        return (0.0, height, variances);
    }
    let gram = if rows.len() <= residuals.ncols() {
        &scaled * scaled.transpose()
    } else {
        scaled.transpose() * &scaled
    };
    let of_squares = gram.squared_norm_l2() / (n * n);
    let fourth: f64 = (0..rows.len())
        .map(|r| {
            let length: f64 = (0..scaled.ncols()).map(|f| scaled[(r, f)].powi(2)).sum();
            length * length
        })
        .sum();
    let noise = (fourth / n - of_squares) / (p * n);
    let spread = (of_squares - p * height * height) / p;
    let noise = noise.min(spread);
    let delta = if noise > 0.0 { noise / spread } else { 0.0 };
    (delta, height, variances)
}

/// Σ⁻¹ of every mean, classes × features.
fn solve(diagonal: &[f64], residuals: &Mat<f64>, means: &Mat<f64>) -> Result<Mat<f64>> {
    let (n, p) = (residuals.nrows(), residuals.ncols());
    let mean_variance = (0..p)
        .map(|f| diagonal[f] + (0..n).map(|r| residuals[(r, f)].powi(2)).sum::<f64>())
        .sum::<f64>()
        / p as f64;
    if mean_variance <= 0.0 || !mean_variance.is_finite() {
        // Classes do not vary at all: the nearest mean is as good as any.
        return Ok(means.clone());
    }
    let singular = |e: &dyn std::fmt::Debug| {
        Error::data(format!(
            "the covariance of the discriminants is singular ({e:?}): leave out features that are copies of others"
        ))
    };
    if p <= n {
        let mut covariance = residuals.transpose() * residuals;
        for f in 0..p {
            covariance[(f, f)] += diagonal[f] + 1e-12 * mean_variance;
        }
        let factor = covariance.llt(Side::Lower).map_err(|e| singular(&e))?;
        return Ok(factor.solve(means.transpose()).transpose().to_owned());
    }
    let diagonal: Vec<f64> = diagonal
        .iter()
        .map(|d| d.max(1e-8 * mean_variance))
        .collect();
    let over = |m: &Mat<f64>| Mat::from_fn(m.nrows(), p, |r, f| m[(r, f)] / diagonal[f]);
    let residuals_over = over(residuals);
    let mut inner = &residuals_over * residuals.transpose();
    for r in 0..n {
        inner[(r, r)] += 1.0;
    }
    let factor = inner.llt(Side::Lower).map_err(|e| singular(&e))?;
    let means_over = over(means);
    let along = factor.solve(residuals * means_over.transpose());
    Ok(means_over - along.transpose() * residuals_over)
}
