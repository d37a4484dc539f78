//! A block of voxels fitted: products in f32 around the level of each voxel, sums in f64.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use super::{Fit, MOST, Noise, neighbours};
use crate::glm::basis::Basis;
use crate::matrix::Matrix;
use crate::wide::wide;

/// A variance below this share of the mean square is rounding, not signal.
const CONSTANT: f64 = 1e-12;

/// The design in the numbers that voxels are multiplied by.
pub(super) struct Kernel {
    n: usize,
    rank: usize,
    /// Volumes × rank, column-major.
    q: Vec<f32>,
    /// Rank × volumes, column-major.
    q_transposed: Vec<f32>,
    /// Volumes × rank: sums of the neighbours in time.
    neighbours: Vec<f32>,
    /// Rank × columns, column-major.
    betas_from_q: Vec<f32>,
    /// The betas of a course of ones.
    of_constant: Vec<f64>,
    centre: bool,
}

/// What a block of voxels gives.
pub(super) struct Block {
    /// Voxels × columns of the design, column-major.
    pub(super) betas: Vec<f32>,
    pub(super) dispersion: Vec<f64>,
    pub(super) phi: Vec<i16>,
    pub(super) r_squared: Vec<f32>,
    pub(super) n_not_finite: usize,
    pub(super) n_constant: usize,
}

fn narrow(m: &Mat<f64>) -> Vec<f32> {
    (0..m.ncols())
        .flat_map(|c| (0..m.nrows()).map(move |r| m[(r, c)] as f32))
        .collect()
}

impl Kernel {
    pub(super) fn of(basis: &Basis) -> Self {
        let (n, rank) = (basis.q.nrows(), basis.rank());
        let ones = Mat::from_fn(rank, 1, |k, _| (0..n).map(|t| basis.q[(t, k)]).sum::<f64>());
        let of_constant = &basis.betas_from_q * ones;
        Self {
            n,
            rank,
            q: narrow(&basis.q),
            q_transposed: narrow(&basis.q.transpose().to_owned()),
            neighbours: narrow(&neighbours(&basis.q)),
            betas_from_q: narrow(&basis.betas_from_q.transpose().to_owned()),
            of_constant: (0..of_constant.nrows())
                .map(|c| of_constant[(c, 0)])
                .collect(),
            centre: basis.without_constant() < 1e-9,
        }
    }

    /// Fits some voxels.
    pub(super) fn block(
        &self,
        courses: &Matrix,
        columns: std::ops::Range<usize>,
        noise: Noise,
        fit: &Fit,
    ) -> Block {
        let (width, n, rank, p) = (columns.len(), self.n, self.rank, self.of_constant.len());
        let row = |t: usize| &courses.row(t)[columns.clone()];
        // Any level will do, as long as the data lie around it: the middle of three volumes, of which one may be wild.
        let centres: Vec<f32> = match self.centre {
            true => {
                let three = row(0).iter().zip(row(n / 2)).zip(row(n - 1));
                three
                    .map(|((a, b), c)| a.max(*b).min(a.min(*b).max(*c)))
                    .collect()
            }
            false => vec![0.0; width],
        };
        let mut rest = Vec::with_capacity(width * n);
        for t in 0..n {
            wide(|| rest.extend(row(t).iter().zip(&centres).map(|(y, centre)| y - centre)));
        }
        let sums = summed(width, rest.chunks(width), |sum, y| *sum += y);
        let mut total = summed(width, rest.chunks(width), |sum, y| *sum += y * y);
        if self.centre {
            for (total, sum) in total.iter_mut().zip(&sums) {
                *total -= sum * sum / n as f64;
            }
        }
        // Residuals: what the design leaves of the data.
        let mut along = vec![0.0f32; width * rank];
        product(
            &mut along,
            &rest,
            &self.q,
            (width, n, rank),
            Accum::Replace,
            1.0,
        );
        product(
            &mut rest,
            &along,
            &self.q_transposed,
            (width, rank, n),
            Accum::Add,
            -1.0,
        );
        let squares = summed(width, rest.chunks(width), |sum, y| *sum += y * y);

        let mut block = Block {
            betas: vec![0.0; width * p],
            dispersion: vec![f64::NAN; width],
            phi: vec![0; width],
            r_squared: vec![f32::NAN; width],
            n_not_finite: 0,
            n_constant: 0,
        };
        let mut lives = vec![false; width];
        for v in 0..width {
            let mean_square = total[v] / n as f64;
            let level = f64::from(centres[v]).powi(2);
            if !total[v].is_finite() {
                block.n_not_finite += 1;
            } else if mean_square <= CONSTANT * level {
                block.n_constant += 1;
            } else {
                lives[v] = true;
                block.dispersion[v] = squares[v] / fit.df;
                block.r_squared[v] = (1.0 - squares[v] / total[v]) as f32;
            }
        }
        if noise == Noise::Ar1 {
            self.whiten(&rest, &squares, &lives, &mut along, &mut block, fit);
        }
        product(
            &mut block.betas,
            &along,
            &self.betas_from_q,
            (width, rank, p),
            Accum::Replace,
            1.0,
        );
        for (betas, of_constant) in block.betas.chunks_mut(width.max(1)).zip(&self.of_constant) {
            for ((beta, centre), lives) in betas.iter_mut().zip(&centres).zip(&lives) {
                *beta = match lives {
                    true => (f64::from(*beta) + f64::from(*centre) * of_constant) as f32,
                    false => f32::NAN,
                };
            }
        }
        block
    }

    /// From the residuals of the ordinary fit to the weights and the dispersion of the whitened one.
    fn whiten(
        &self,
        rest: &[f32],
        squares: &[f64],
        lives: &[bool],
        along: &mut [f32],
        block: &mut Block,
        fit: &Fit,
    ) {
        let (width, n, rank) = (squares.len(), self.n, self.rank);
        let pairs = rest.chunks(width).zip(rest[width..].chunks(width));
        let lagged = summed_pairs(width, pairs, |sum, a, b| *sum += a * b);
        let mut shifted = vec![0.0f32; width * rank];
        product(
            &mut shifted,
            rest,
            &self.neighbours,
            (width, n, rank),
            Accum::Replace,
            1.0,
        );
        let last = &rest[width * (n - 1)..];
        let mut right = vec![0.0f64; rank];
        for v in (0..width).filter(|&v| lives[v]) {
            let yule_walker = (lagged[v] / (n as f64 - 1.0)) / (squares[v] / n as f64);
            // A residual of 0 has no φ.
            let hundredths = if yule_walker.is_finite() {
                (yule_walker * 100.0)
                    .trunc()
                    .clamp(f64::from(-MOST), f64::from(MOST)) as i16
            } else {
                0
            };
            block.phi[v] = hundredths;
            if hundredths == 0 {
                continue;
            }
            let phi = f64::from(hundredths) / 100.0;
            let r_last = f64::from(last[v]);
            for (k, right) in right.iter_mut().enumerate() {
                *right = -phi * f64::from(shifted[k * width + v])
                    - phi * phi * fit.products.last[k] * r_last;
            }
            let inverse = fit.inverse(hundredths);
            let mut explained = 0.0;
            for k in 0..rank {
                let change = inverse
                    .col_as_slice(k)
                    .iter()
                    .zip(&right)
                    .map(|(i, r)| i * r)
                    .sum::<f64>();
                explained += change * right[k];
                along[k * width + v] += change as f32;
            }
            let whitened =
                squares[v] - 2.0 * phi * lagged[v] + phi * phi * (squares[v] - r_last * r_last);
            block.dispersion[v] = (whitened - explained) / fit.df;
        }
    }
}

/// `out (rows × columns) (+)= scale · a (rows × inner) · b (inner × columns)`, all column-major.
fn product(
    out: &mut [f32],
    a: &[f32],
    b: &[f32],
    (rows, inner, columns): (usize, usize, usize),
    accum: Accum,
    scale: f32,
) {
    matmul(
        MatMut::from_column_major_slice_mut(out, rows, columns),
        accum,
        MatRef::from_column_major_slice(a, rows, inner),
        MatRef::from_column_major_slice(b, inner, columns),
        scale,
        Par::Seq,
    );
}

/// Rows summed at once in f32: few enough that nothing is lost, many enough that widening costs little.
const AT_ONCE: usize = 16;

/// Sums over rows, one a column: f32 within a few rows, f64 over all.
fn summed<'a>(
    width: usize,
    rows: impl Iterator<Item = &'a [f32]>,
    add: impl Fn(&mut f32, f32) + Copy,
) -> Vec<f64> {
    let pairs = rows.map(|row| (row, row));
    summed_pairs(width, pairs, |sum, y, _| add(sum, y))
}

/// Sums over pairs of rows.
fn summed_pairs<'a>(
    width: usize,
    pairs: impl Iterator<Item = (&'a [f32], &'a [f32])>,
    add: impl Fn(&mut f32, f32, f32) + Copy,
) -> Vec<f64> {
    let mut sums = vec![0.0f64; width];
    let mut few = vec![0.0f32; width];
    let mut flush = |few: &mut [f32]| {
        wide(|| {
            for (sum, few) in sums.iter_mut().zip(few) {
                *sum += f64::from(std::mem::take(few));
            }
        });
    };
    for (i, (a, b)) in pairs.enumerate() {
        wide(|| {
            for ((sum, a), b) in few.iter_mut().zip(a).zip(b) {
                add(sum, *a, *b);
            }
        });
        if i % AT_ONCE == AT_ONCE - 1 {
            flush(&mut few);
        }
    }
    flush(&mut few);
    sums
}
