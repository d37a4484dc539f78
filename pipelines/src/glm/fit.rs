//! A linear model of every voxel's time course: ordinary least squares, or with noise that carries over from one volume
//! to the next.
//!
//! The autoregressive fit is nilearn's: φ of a voxel by Yule–Walker from its residuals, cut to hundredths towards 0;
//! data and design are whitened by x_t − φ x_{t−1}, the first volume left as it is. It is computed from products of the
//! residuals of the ordinary fit with the design shifted by one volume: neither data nor design are whitened one bin
//! after the other. With orthonormal X, residuals r and s_t = x_{t−1} + x_{t+1},
//! X̃ᵀr̃ = −φ sᵀr − φ² x_n r_n and X̃ᵀX̃ = (1 + φ²) I − φ Xᵀs − φ² x_n x_nᵀ.

use std::sync::OnceLock;

use faer::linalg::matmul::matmul;
use faer::linalg::solvers::Solve;
use faer::{Accum, Mat, MatMut, MatRef, Par, Side};

use crate::glm::basis::Basis;
use crate::glm::design::Design;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::by_blocks;
use crate::wide::wide;
use crate::{Error, Result};

/// What is assumed of the noise over time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Noise {
    /// Volumes are independent.
    Ols,
    /// It carries over from one volume to the next, as much as each voxel's residuals say.
    #[default]
    Ar1,
}

/// A fitted model of every voxel.
#[derive(Debug)]
pub struct Fit {
    /// Columns of the design × voxels; NaN where a voxel is constant or not finite.
    pub betas: Matrix,
    /// Variance of the (whitened) noise, a voxel.
    pub dispersion: Vec<f64>,
    /// φ of each voxel, in hundredths; 0 for ordinary least squares.
    pub phi_hundredths: Vec<i16>,
    /// Volumes less the rank of the design.
    pub df: f64,
    /// The share of the variance around the mean that the ordinary fit explains.
    pub r_squared: Vec<f32>,
    /// Voxels with a value that is not finite.
    pub n_not_finite: usize,
    /// Finite voxels that do not vary.
    pub n_constant: usize,
    basis: Basis,
    /// (X̃ᵀX̃)⁻¹ of the orthonormal design by φ, from −[`MOST`] hundredths.
    inverses: Vec<OnceLock<Mat<f64>>>,
    products: Products,
}

/// The largest |φ| in hundredths that is told apart.
const MOST: i16 = 120;

/// Voxels of a block: a few hundred volumes of them stay in the cache.
const BLOCK: usize = 256;

/// A variance below this share of the mean square is rounding, not signal.
const CONSTANT: f64 = 1e-12;

/// Products of the orthonormal design with itself one volume later, and its last row.
#[derive(Debug)]
struct Products {
    /// Xᵀs, s the sum of the neighbours in time.
    shifted: Mat<f64>,
    last: Vec<f64>,
}

/// The design in the numbers that voxels are multiplied by.
struct Kernel {
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
struct Block {
    /// Voxels × columns of the design, column-major.
    betas: Vec<f32>,
    dispersion: Vec<f64>,
    phi: Vec<i16>,
    r_squared: Vec<f32>,
    n_not_finite: usize,
    n_constant: usize,
}

/// Fits `design` to every column of `courses` (volumes × voxels).
///
/// Constant voxels and those with a value that is not finite get NaN and are counted. Products are f32, around the mean
/// of each voxel where the design holds a constant; sums and everything of the design f64.
pub fn fit(courses: &Matrix, design: &Design, noise: Noise, run: &Run<'_>) -> Result<Fit, Stop> {
    let (n, p) = (design.frame_times.len(), design.columns.len());
    if courses.n_rows != n {
        return Err(Error::data(format!(
            "a design of {n} volumes cannot be fitted to {}",
            courses.n_rows
        ))
        .into());
    }
    let x = Mat::from_fn(n, p, |t, c| design.columns[c].values[t]);
    fit_matrix(courses, &x, noise, run)
}

/// As [`fit`], of any matrix of volumes × regressors.
pub fn fit_matrix(
    courses: &Matrix,
    design: &Mat<f64>,
    noise: Noise,
    run: &Run<'_>,
) -> Result<Fit, Stop> {
    let (n, p) = (design.nrows(), design.ncols());
    let basis = Basis::of(design)?;
    let rank = basis.rank();
    if n <= rank {
        return Err(Error::data(format!(
            "a design of {rank} independent columns needs more than {n} volumes: use fewer columns or a coarser drift"
        ))
        .into());
    }
    let kernel = Kernel::of(&basis);
    let df = (n - rank) as f64;
    let mut fit = Fit {
        betas: Matrix::zeros(p, courses.n_cols),
        dispersion: Vec::with_capacity(courses.n_cols),
        phi_hundredths: Vec::with_capacity(courses.n_cols),
        df,
        r_squared: Vec::with_capacity(courses.n_cols),
        n_not_finite: 0,
        n_constant: 0,
        inverses: (0..=2 * MOST).map(|_| OnceLock::new()).collect(),
        products: Products::of(&basis.q),
        basis,
    };
    let blocks = by_blocks(courses.n_cols, BLOCK, run, |columns| {
        kernel.block(courses, columns, noise, &fit)
    })?;
    let mut first = 0;
    for block in blocks {
        let width = block.dispersion.len();
        for (c, part) in block.betas.chunks(width.max(1)).enumerate() {
            fit.betas.row_mut(c)[first..first + width].copy_from_slice(part);
        }
        fit.dispersion.extend(block.dispersion);
        fit.phi_hundredths.extend(block.phi);
        fit.r_squared.extend(block.r_squared);
        fit.n_not_finite += block.n_not_finite;
        fit.n_constant += block.n_constant;
        first += width;
    }
    Ok(fit)
}

impl Products {
    fn of(q: &Mat<f64>) -> Self {
        let n = q.nrows();
        let neighbours = neighbours(q);
        Self {
            shifted: q.transpose() * &neighbours,
            last: (0..q.ncols()).map(|k| q[(n - 1, k)]).collect(),
        }
    }
}

/// Row t is the sum of rows t − 1 and t + 1.
fn neighbours(q: &Mat<f64>) -> Mat<f64> {
    let n = q.nrows();
    Mat::from_fn(n, q.ncols(), |t, k| {
        let before = if t > 0 { q[(t - 1, k)] } else { 0.0 };
        let after = if t + 1 < n { q[(t + 1, k)] } else { 0.0 };
        before + after
    })
}

fn narrow(m: &Mat<f64>) -> Vec<f32> {
    (0..m.ncols())
        .flat_map(|c| (0..m.nrows()).map(move |r| m[(r, c)] as f32))
        .collect()
}

impl Kernel {
    fn of(basis: &Basis) -> Self {
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

    fn block(
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

impl Fit {
    /// (X̃ᵀX̃)⁻¹ of the orthonormal design whitened by φ.
    fn inverse(&self, hundredths: i16) -> &Mat<f64> {
        let place = (hundredths + MOST).clamp(0, 2 * MOST) as usize;
        self.inverses[place].get_or_init(|| {
            let phi = f64::from(hundredths) / 100.0;
            let Products { shifted, last } = &self.products;
            let rank = last.len();
            let identity = |i: usize, j: usize| f64::from(u8::from(i == j));
            let gram = Mat::from_fn(rank, rank, |i, j| {
                (1.0 + phi * phi) * identity(i, j)
                    - phi * shifted[(i, j)]
                    - phi * phi * last[i] * last[j]
            });
            match gram.llt(Side::Lower) {
                Ok(factor) => factor.solve(Mat::<f64>::identity(rank, rank)),
                // The whitening is invertible, so this takes a design of NaN.
                Err(_singular) => Mat::from_fn(rank, rank, |_, _| f64::NAN),
            }
        })
    }

    /// Whether a weighted sum of betas means anything with this design.
    pub fn is_estimable(&self, weights: &[f64]) -> bool {
        self.basis.is_estimable(weights)
    }

    /// The covariance of weighted sums of betas (`rows`, one a sum) for a voxel of φ and a noise variance of 1.
    pub(super) fn covariance(&self, rows: &[Vec<f64>], hundredths: i16) -> Mat<f64> {
        let rank = self.basis.rank();
        let onto = Mat::from_fn(rows.len(), rank, |r, k| {
            let terms = rows[r].iter().enumerate();
            terms
                .map(|(c, w)| w * self.basis.betas_from_q[(c, k)])
                .sum::<f64>()
        });
        if hundredths == 0 {
            return &onto * onto.transpose();
        }
        &onto * self.inverse(hundredths) * onto.transpose()
    }
}
