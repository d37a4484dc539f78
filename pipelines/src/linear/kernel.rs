//! The kernel of all trials, and its centred pieces.

use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::evd::{ComputeEigenvectors, self_adjoint_evd, self_adjoint_evd_scratch};
use faer::{Mat, Par};

use crate::device::Compute;
use crate::linear::product;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// `X Xᵀ` of all rows, computed in f32 on the device and kept in f64.
///
/// Column means are taken out first: a constant shift cancels in every centred piece, and without
/// it the f32 products round less.
pub fn linear_kernel(x: &Matrix, compute: &Compute, run: &Run<'_>) -> Result<Mat<f64>, Stop> {
    let means = column_means(x, &(0..x.n_rows).collect::<Vec<_>>());
    let centred = minus(x, &means);
    let product = product::times_transposed(&centred, &centred, compute, run)?;
    let at = |r: usize, c: usize| f64::from(product.values[r * product.n_cols + c]);
    Ok(Mat::from_fn(x.n_rows, x.n_rows, |r, c| {
        0.5 * (at(r, c) + at(c, r))
    }))
}

/// The kernel between `rows` and `train` when both are centred on the mean of `train`.
pub fn centred(kernel: &Mat<f64>, rows: &[usize], train: &[usize]) -> Mat<f64> {
    let n = train.len().max(1) as f64;
    let to_mean = |r: usize| train.iter().map(|&c| kernel[(r, c)]).sum::<f64>() / n;
    let row_means: Vec<f64> = rows.iter().map(|&r| to_mean(r)).collect();
    let train_means: Vec<f64> = train.iter().map(|&r| to_mean(r)).collect();
    let grand = train_means.iter().sum::<f64>() / n;
    Mat::from_fn(rows.len(), train.len(), |r, c| {
        kernel[(rows[r], train[c])] - row_means[r] - train_means[c] + grand
    })
}

/// The products of rows with other rows, both less `means`, some columns at a time so that little is copied.
pub fn across(
    rows: &Matrix,
    others: &Matrix,
    means: &[f32],
    compute: &Compute,
    run: &Run<'_>,
) -> Result<Matrix, Stop> {
    const DEPTH: usize = 2048;
    let part = |x: &Matrix, columns: std::ops::Range<usize>| {
        let mut out = Matrix::zeros(x.n_rows, columns.len());
        for r in 0..x.n_rows {
            let from = x.row(r)[columns.clone()]
                .iter()
                .zip(&means[columns.clone()]);
            let to = out.row_mut(r).iter_mut().zip(from);
            to.for_each(|(to, (value, mean))| *to = value - mean);
        }
        out
    };
    let mut out = Matrix::zeros(rows.n_rows, others.n_rows);
    for left in (0..rows.n_cols).step_by(DEPTH) {
        let columns = left..(left + DEPTH).min(rows.n_cols);
        let (a, b) = (part(rows, columns.clone()), part(others, columns));
        let product = product::times_transposed(&a, &b, compute, run)?;
        let sums = out.values.iter_mut().zip(&product.values);
        sums.for_each(|(sum, value)| *sum += value);
    }
    Ok(out)
}

/// Eigenvalues (ascending, negative rounding set to 0) and eigenvectors (columns) of a symmetric
/// matrix, by all threads.
pub fn eigen(symmetric: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>)> {
    eigen_by(symmetric, Par::rayon(0))
}

/// As [`eigen`], by so many threads; only the lower half is read.
pub fn eigen_by(symmetric: &Mat<f64>, par: Par) -> Result<(Vec<f64>, Mat<f64>)> {
    let n = symmetric.nrows();
    if n == 0 {
        return Ok((Vec::new(), Mat::zeros(0, 0)));
    }
    let mut values = Diag::<f64>::zeros(n);
    let mut vectors = Mat::<f64>::zeros(n, n);
    let scratch =
        self_adjoint_evd_scratch::<f64>(n, ComputeEigenvectors::Yes, par, Default::default());
    self_adjoint_evd(
        symmetric.as_ref(),
        values.as_mut(),
        Some(vectors.as_mut()),
        par,
        MemStack::new(&mut MemBuffer::new(scratch)),
        Default::default(),
    )
    .map_err(|e| {
        Error::data(format!(
            "the eigenvalues of a {n} × {n} kernel were not found ({e:?}): check the data for NaN"
        ))
    })?;
    let values = (0..n).map(|i| values[i].max(0.0)).collect();
    Ok((values, vectors))
}

/// The mean of every column over the named rows.
pub fn column_means(x: &Matrix, rows: &[usize]) -> Vec<f32> {
    let mut sums = vec![0.0f64; x.n_cols];
    for &r in rows {
        for (sum, &value) in sums.iter_mut().zip(x.row(r)) {
            *sum += f64::from(value);
        }
    }
    let n = rows.len().max(1) as f64;
    sums.into_iter().map(|sum| (sum / n) as f32).collect()
}

/// `x` less one number a column.
pub fn minus(x: &Matrix, columns: &[f32]) -> Matrix {
    let mut out = x.clone();
    for r in 0..out.n_rows {
        for (value, mean) in out.row_mut(r).iter_mut().zip(columns) {
            *value -= mean;
        }
    }
    out
}
