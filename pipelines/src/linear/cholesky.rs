//! Symmetric matrices of which half is kept, and their Cholesky factors: half the memory, cancelled between blocks.

use faer::linalg::matmul::matmul;
use faer::linalg::triangular_solve::{
    solve_lower_triangular_in_place, solve_upper_triangular_in_place,
};
use faer::{Accum, Mat, MatRef, Par, Side};

use crate::linear::product;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// Rows of a block: large enough for products at full speed, small enough to be cancelled between two.
const BLOCK: usize = 512;
/// Columns of data that take part in a kernel at once.
const DEPTH: usize = 2048;

/// The lower half of a symmetric matrix, in blocks of rows; block i holds its rows up to the last column of its own
/// diagonal.
#[derive(Clone, Debug)]
pub struct Symmetric {
    n: usize,
    blocks: Vec<Mat<f64>>,
}

impl Symmetric {
    /// From its elements; `at(r, c)` is asked for `c <= r`, and for what else completes a block.
    pub fn from_fn(n: usize, at: impl Fn(usize, usize) -> f64) -> Self {
        let blocks = starts(n)
            .map(|start| {
                let rows = BLOCK.min(n - start);
                Mat::from_fn(rows, start + rows, |r, c| at(start + r, c))
            })
            .collect();
        Self { n, blocks }
    }

    /// `x xᵀ` of rows less `means`: f32 products of some columns at a time, added up in f64. What is held beside the
    /// result is those columns.
    pub fn kernel(x: &Matrix, means: &[f32], par: Par, run: &Run<'_>) -> Result<Self, Stop> {
        let n = x.n_rows;
        let mut out = Self::from_fn(n, |_, _| 0.0);
        for left in (0..x.n_cols).step_by(DEPTH) {
            let columns = left..(left + DEPTH).min(x.n_cols);
            let mut part = Matrix::zeros(n, columns.len());
            for r in 0..n {
                let from = x.row(r)[columns.clone()]
                    .iter()
                    .zip(&means[columns.clone()]);
                for (to, (value, mean)) in part.row_mut(r).iter_mut().zip(from) {
                    *to = value - mean;
                }
            }
            for (start, block) in starts(n).zip(&mut out.blocks) {
                run.check()?;
                let (rows, width) = (block.nrows(), block.ncols());
                let mut tile = Mat::<f32>::zeros(rows, width);
                let own = product::rows(&part, start..start + rows);
                let before = product::rows(&part, 0..width);
                matmul(&mut tile, Accum::Replace, own, before.transpose(), 1.0, par);
                for c in 0..width {
                    for r in 0..rows {
                        block[(r, c)] += f64::from(tile[(r, c)]);
                    }
                }
            }
            run.progress(columns.end, x.n_cols);
        }
        Ok(out)
    }

    /// An element.
    pub fn at(&self, r: usize, c: usize) -> f64 {
        let (r, c) = (r.max(c), r.min(c));
        self.blocks[r / BLOCK][(r % BLOCK, c)]
    }

    /// Whole, in f32.
    pub fn narrowed(&self) -> Matrix {
        let mut out = Matrix::zeros(self.n, self.n);
        for r in 0..self.n {
            for (c, value) in out.row_mut(r).iter_mut().enumerate() {
                *value = self.at(r, c) as f32;
            }
        }
        out
    }

    /// Factors `self + add · identity` in place.
    ///
    /// # Errors
    /// When that is not positive definite in f64: the penalty is too small for what the data hold.
    pub fn factor(mut self, add: f64, par: Par, run: &Run<'_>) -> Result<Cholesky, Stop> {
        for i in 0..self.blocks.len() {
            let (above, rest) = self.blocks.split_at_mut(i);
            let block = &mut rest[0];
            for j in 0..=i {
                run.check()?;
                let start = j * BLOCK;
                let width = BLOCK.min(self.n - start);
                if j > 0 {
                    // What earlier columns explain of this block.
                    let (left, mut here) = block.as_mut().split_at_col_mut(start);
                    let left = left.as_ref();
                    let other = match above.get(j) {
                        Some(other) => other.as_ref().subcols(0, start),
                        None => left,
                    };
                    let here = here.as_mut().subcols_mut(0, width);
                    matmul(here, Accum::Add, left, other.transpose(), -1.0, par);
                }
                let mut here = block.as_mut().subcols_mut(start, width);
                if let Some(other) = above.get(j) {
                    let diagonal = other.as_ref().subcols(start, width);
                    solve_lower_triangular_in_place(diagonal, here.transpose_mut(), par);
                    continue;
                }
                for k in 0..width {
                    here[(k, k)] += add;
                }
                let factor = here.as_ref().llt(Side::Lower).map_err(|_not_positive| {
                    Error::data(format!(
                        "a ridge penalty of {add:.1e} is too small for {} nearly dependent rows: use larger penalties",
                        self.n
                    ))
                })?;
                here.copy_from(factor.L());
            }
        }
        Ok(Cholesky { factor: self })
    }
}

fn starts(n: usize) -> impl Iterator<Item = usize> {
    (0..n).step_by(BLOCK)
}

/// A lower factor L of a symmetric matrix L Lᵀ.
#[derive(Clone, Debug)]
pub struct Cholesky {
    factor: Symmetric,
}

impl Cholesky {
    /// Solves for every column of `b` in place.
    pub fn solve(&self, b: &mut Mat<f64>, par: Par, run: &Run<'_>) -> Result<(), Stop> {
        let blocks = &self.factor.blocks;
        let diagonal = |i: usize| -> MatRef<'_, f64> {
            let block = blocks[i].as_ref();
            block.subcols(i * BLOCK, block.nrows())
        };
        for (i, block) in blocks.iter().enumerate() {
            run.check()?;
            let start = i * BLOCK;
            let (before, mut here) = b.as_mut().split_at_row_mut(start);
            let mut here = here.as_mut().subrows_mut(0, block.nrows());
            let left = block.as_ref().subcols(0, start);
            matmul(here.as_mut(), Accum::Add, left, before.as_ref(), -1.0, par);
            solve_lower_triangular_in_place(diagonal(i), here, par);
        }
        for (i, block) in blocks.iter().enumerate().rev() {
            run.check()?;
            let start = i * BLOCK;
            let (mut before, mut here) = b.as_mut().split_at_row_mut(start);
            let mut here = here.as_mut().subrows_mut(0, block.nrows());
            solve_upper_triangular_in_place(diagonal(i).transpose(), here.as_mut(), par);
            let left = block.as_ref().subcols(0, start);
            matmul(
                before.as_mut(),
                Accum::Add,
                left.transpose(),
                here.as_ref(),
                -1.0,
                par,
            );
        }
        Ok(())
    }
}
