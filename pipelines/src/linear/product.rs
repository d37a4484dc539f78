//! Matrix products in f32, in batches short enough to be cancelled: on the CPU by faer, whose kernels use what the
//! processor has (AVX-512 where it is there), on a GPU by burn.
//!
//! On the CPU one product is split by rows of its result over rayon's threads and each piece is computed by one of
//! them, so products inside parallel loops share the same threads and never wait for each other.

use burn::tensor::{Device, Tensor, TensorData};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rayon::prelude::*;

use crate::device::Compute;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// Multiply–adds a batch: around 100 ms on two cores without wide registers.
const BATCH: usize = 2_000_000_000;
/// Rows of a result that one thread computes at once: enough to pay for laying out the other factor.
const ROWS: usize = 256;

/// `a · b`.
pub fn times(a: &Matrix, b: &Matrix, compute: &Compute, run: &Run<'_>) -> Result<Matrix, Stop> {
    product(view(a), view(b), compute, run)
}

/// `a · bᵀ`.
pub fn times_transposed(
    a: &Matrix,
    b: &Matrix,
    compute: &Compute,
    run: &Run<'_>,
) -> Result<Matrix, Stop> {
    product(view(a), view(b).transpose(), compute, run)
}

/// A matrix as faer sees it.
pub fn view(m: &Matrix) -> MatRef<'_, f32> {
    MatRef::from_row_major_slice(&m.values, m.n_rows, m.n_cols)
}

/// Some rows that follow each other.
pub fn rows(m: &Matrix, rows: std::ops::Range<usize>) -> MatRef<'_, f32> {
    view(m).subrows(rows.start, rows.len())
}

/// `a · b` of any parts of matrices.
pub fn product(
    a: MatRef<'_, f32>,
    b: MatRef<'_, f32>,
    compute: &Compute,
    run: &Run<'_>,
) -> Result<Matrix, Stop> {
    check_inner(&a, &b)?;
    let (n_rows, n_cols, inner) = (a.nrows(), b.ncols(), a.ncols());
    let mut out = Matrix::zeros(n_rows, n_cols);
    if n_rows * n_cols * inner == 0 {
        return Ok(out);
    }
    if compute.is_cpu() {
        out.values
            .par_chunks_mut(ROWS * n_cols)
            .enumerate()
            .try_for_each(|(chunk, values)| {
                run.check()?;
                let here = values.len() / n_cols;
                let a = a.subrows(chunk * ROWS, here);
                let out = MatMut::from_row_major_slice_mut(values, here, n_cols);
                matmul(out, Accum::Replace, a, b, 1.0, Par::Seq);
                Ok::<(), Stop>(())
            })?;
        return Ok(out);
    }
    let right = tensor(b, &compute.device);
    let n_batch = (BATCH / (inner * n_cols)).clamp(1, n_rows);
    for start in (0..n_rows).step_by(n_batch) {
        run.check()?;
        let here = n_batch.min(n_rows - start);
        let left = tensor(a.subrows(start, here), &compute.device);
        let values = &mut out.values[start * n_cols..(start + here) * n_cols];
        read(left.matmul(right.clone()), values, compute)?;
    }
    Ok(out)
}

/// `a · b`, by the calling thread alone on the CPU.
pub fn alone(a: MatRef<'_, f32>, b: MatRef<'_, f32>, compute: &Compute) -> Result<Matrix> {
    check_inner(&a, &b)?;
    let (n_rows, n_cols) = (a.nrows(), b.ncols());
    let mut out = Matrix::zeros(n_rows, n_cols);
    if out.values.is_empty() || a.ncols() == 0 {
        return Ok(out);
    }
    if compute.is_cpu() {
        let into = MatMut::from_row_major_slice_mut(&mut out.values, n_rows, n_cols);
        matmul(into, Accum::Replace, a, b, 1.0, Par::Seq);
    } else {
        let (left, right) = (tensor(a, &compute.device), tensor(b, &compute.device));
        read(left.matmul(right), &mut out.values, compute)?;
    }
    Ok(out)
}

/// A left factor that many right ones are multiplied by: on a GPU it stays there.
#[derive(Debug)]
pub struct Fixed {
    host: Matrix,
    there: Option<Tensor<2>>,
}

impl Fixed {
    /// Sends `matrix` to where products are computed.
    pub fn new(matrix: Matrix, compute: &Compute) -> Self {
        let there = (!compute.is_cpu() && !matrix.values.is_empty())
            .then(|| tensor(view(&matrix), &compute.device));
        Self {
            host: matrix,
            there,
        }
    }

    /// Rows.
    pub fn n_rows(&self) -> usize {
        self.host.n_rows
    }

    /// Columns.
    pub fn n_cols(&self) -> usize {
        self.host.n_cols
    }

    /// `self · b`, by the calling thread alone on the CPU.
    pub fn times(&self, b: MatRef<'_, f32>, compute: &Compute) -> Result<Matrix> {
        let Some(left) = &self.there else {
            return alone(view(&self.host), b, compute);
        };
        check_inner(&view(&self.host), &b)?;
        let mut out = Matrix::zeros(self.host.n_rows, b.ncols());
        if !out.values.is_empty() {
            let right = tensor(b, &compute.device);
            read(left.clone().matmul(right), &mut out.values, compute)?;
        }
        Ok(out)
    }
}

fn check_inner(a: &MatRef<'_, f32>, b: &MatRef<'_, f32>) -> Result<()> {
    if a.ncols() == b.nrows() {
        return Ok(());
    }
    Err(Error::data(format!(
        "a matrix of {} columns cannot be multiplied by one of {} rows",
        a.ncols(),
        b.nrows()
    )))
}

fn tensor(part: MatRef<'_, f32>, device: &Device) -> Tensor<2> {
    let shape = [part.nrows(), part.ncols()];
    let mut values = Vec::with_capacity(shape[0] * shape[1]);
    for r in 0..shape[0] {
        values.extend((0..shape[1]).map(|c| part[(r, c)]));
    }
    Tensor::from_data(TensorData::new(values, shape), device)
}

fn read(product: Tensor<2>, out: &mut [f32], compute: &Compute) -> Result<()> {
    let data = product.try_into_data_as::<f32>().map_err(|e| {
        Error::data(format!(
            "the {} device failed in a matrix product: {e}",
            compute.name
        ))
    })?;
    let values = data.as_slice::<f32>().map_err(|e| {
        Error::data(format!(
            "the {} device returned no f32 values: {e:?}",
            compute.name
        ))
    })?;
    out.copy_from_slice(values);
    Ok(())
}
