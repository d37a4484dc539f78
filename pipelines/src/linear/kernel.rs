//! The kernel of all trials, and its centred pieces.

use faer::{Mat, Side};

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

/// Eigenvalues (ascending, negative rounding set to 0) and eigenvectors (columns) of a symmetric
/// matrix.
pub fn eigen(symmetric: &Mat<f64>) -> Result<(Vec<f64>, Mat<f64>)> {
    if symmetric.nrows() == 0 {
        return Ok((Vec::new(), Mat::zeros(0, 0)));
    }
    let eigen = symmetric.self_adjoint_eigen(Side::Lower).map_err(|e| {
        Error::data(format!(
            "the eigenvalues of a {0} × {0} kernel were not found ({e:?}): check the data for NaN",
            symmetric.nrows()
        ))
    })?;
    let values = (0..symmetric.nrows())
        .map(|i| eigen.S()[i].max(0.0))
        .collect();
    Ok((values, eigen.U().to_owned()))
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
