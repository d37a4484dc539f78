//! A ridge regression of one known penalty, for data of which a copy would hurt: many trials of many voxels.
//!
//! The dual system is kept as the half of it that a Cholesky factor needs ([`cholesky`](super::cholesky)); beside inputs
//! and weights, `4 n²` bytes and a few per cent are held.

use faer::{Mat, Par};

use crate::device::Compute;
use crate::linear::cholesky::Symmetric;
use crate::linear::ridge::{RidgeModel, Weights, narrow};
use crate::linear::{kernel, product};
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// W = argmin ‖X W − Y‖² + α‖W‖², X and Y centred; `alpha` as it stands.
///
/// # Errors
/// When rows do not match, or the penalty is too small for dependent rows.
pub fn fit(
    x: &Matrix,
    y: &Matrix,
    alpha: f64,
    compute: &Compute,
    run: &Run<'_>,
) -> Result<RidgeModel, Stop> {
    if x.n_rows != y.n_rows || x.n_rows < 2 {
        return Err(Error::data(format!(
            "{} rows of data do not go with {} of targets: give both for the same rows, at least two",
            x.n_rows, y.n_rows
        ))
        .into());
    }
    let rows: Vec<usize> = (0..x.n_rows).collect();
    let (x_mean, y_mean) = (
        kernel::column_means(x, &rows),
        kernel::column_means(y, &rows),
    );
    let centred = |r: usize, c: usize| f64::from(y.values[r * y.n_cols + c]) - f64::from(y_mean[c]);
    let par = Par::rayon(0);
    let weights = if x.n_cols < x.n_rows {
        run.stage("multiplying columns");
        let x = kernel::minus(x, &x_mean);
        let y = kernel::minus(y, &y_mean);
        let gram = product::product(
            product::view(&x).transpose(),
            product::view(&x),
            compute,
            run,
        )?;
        let both = product::product(
            product::view(&x).transpose(),
            product::view(&y),
            compute,
            run,
        )?;
        let at = |r: usize, c: usize| f64::from(gram.values[r.max(c) * gram.n_cols + r.min(c)]);
        let mut solved = Mat::from_fn(both.n_rows, both.n_cols, |r, c| f64::from(both.row(r)[c]));
        let factor = Symmetric::from_fn(gram.n_rows, at).factor(alpha, par, run)?;
        factor.solve(&mut solved, par, run)?;
        narrow(&solved)
    } else {
        run.stage("multiplying rows");
        let system = Symmetric::kernel(x, &x_mean, par, run)?;
        run.stage("solving");
        let factor = system.factor(alpha, par, run)?;
        let mut solved = Mat::from_fn(x.n_rows, y.n_cols, centred);
        factor.solve(&mut solved, par, run)?;
        drop(factor);
        let coefficients = narrow(&solved);
        drop(solved);
        run.stage("weights of columns");
        let x = product::view(x).transpose();
        let mut weights = product::product(x, product::view(&coefficients), compute, run)?;
        // The data were not centred, so what their means put in is taken out again.
        let sums: Vec<f64> = (0..y.n_cols)
            .map(|c| coefficients.rows().map(|r| f64::from(r[c])).sum())
            .collect();
        for (r, mean) in x_mean.iter().enumerate() {
            let row = weights.row_mut(r).iter_mut().zip(&sums);
            row.for_each(|(w, sum)| *w -= (f64::from(*mean) * sum) as f32);
        }
        weights
    };
    Ok(RidgeModel {
        x_mean,
        y_mean,
        weights: Weights::Voxels(weights),
    })
}
