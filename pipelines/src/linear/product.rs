//! Matrix products in f32 on a burn device, in batches short enough to be cancelled.

use burn::tensor::{Device, Tensor, TensorData};

use crate::device::Compute;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// Multiply–adds a batch: around 100 ms on two cores.
const BATCH: usize = 2_000_000_000;

/// `a · b`.
pub fn times(a: &Matrix, b: &Matrix, compute: &Compute, run: &Run<'_>) -> Result<Matrix, Stop> {
    check_inner(a.n_cols, b.n_rows)?;
    batched(a, b.n_cols, b, false, compute, run)
}

/// `a · bᵀ`.
pub fn times_transposed(
    a: &Matrix,
    b: &Matrix,
    compute: &Compute,
    run: &Run<'_>,
) -> Result<Matrix, Stop> {
    check_inner(a.n_cols, b.n_cols)?;
    batched(a, b.n_rows, b, true, compute, run)
}

fn check_inner(a: usize, b: usize) -> Result<()> {
    if a == b {
        return Ok(());
    }
    Err(Error::data(format!(
        "a matrix of {a} columns cannot be multiplied by one of {b} rows"
    )))
}

fn batched(
    a: &Matrix,
    n_out: usize,
    b: &Matrix,
    transposed: bool,
    compute: &Compute,
    run: &Run<'_>,
) -> Result<Matrix, Stop> {
    let mut out = Matrix {
        n_rows: a.n_rows,
        n_cols: n_out,
        values: Vec::with_capacity(a.n_rows * n_out),
    };
    if a.n_rows * n_out * a.n_cols == 0 {
        return Ok(Matrix::zeros(a.n_rows, n_out));
    }
    let right = tensor(&b.values, [b.n_rows, b.n_cols], &compute.device);
    let right = if transposed { right.transpose() } else { right };
    let n_batch = (BATCH / (a.n_cols * n_out)).clamp(1, a.n_rows);
    for rows in a.values.chunks(n_batch * a.n_cols) {
        run.check()?;
        let left = tensor(rows, [rows.len() / a.n_cols, a.n_cols], &compute.device);
        let product = left
            .matmul(right.clone())
            .try_into_data_as::<f32>()
            .map_err(|e| {
                Error::data(format!(
                    "the {} device failed in a matrix product: {e}",
                    compute.name
                ))
            })?;
        let values = product.as_slice::<f32>().map_err(|e| {
            Error::data(format!(
                "the {} device returned no f32 values: {e:?}",
                compute.name
            ))
        })?;
        out.values.extend_from_slice(values);
    }
    Ok(out)
}

fn tensor(values: &[f32], shape: [usize; 2], device: &Device) -> Tensor<2> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), device)
}
