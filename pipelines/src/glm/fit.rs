//! A linear model of every voxel's time course: ordinary least squares, or with noise that carries over from one volume
//! to the next.
//!
//! The autoregressive fit is nilearn's: φ of a voxel by Yule–Walker from its residuals, cut to hundredths towards 0;
//! data and design are whitened by x_t − φ x_{t−1}, the first volume left as it is. It is computed from products of the
//! residuals of the ordinary fit with the design shifted by one volume: neither data nor design are whitened one bin
//! after the other. With orthonormal X, residuals r and s_t = x_{t−1} + x_{t+1},
//! X̃ᵀr̃ = −φ sᵀr − φ² x_n r_n and X̃ᵀX̃ = (1 + φ²) I − φ Xᵀs − φ² x_n x_nᵀ.

mod block;

use std::sync::OnceLock;

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};

use crate::glm::basis::Basis;
use crate::glm::design::Design;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::by_blocks;
use crate::{Error, Result};

use block::Kernel;

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

/// Products of the orthonormal design with itself one volume later, and its last row.
#[derive(Debug)]
struct Products {
    /// Xᵀs, s the sum of the neighbours in time.
    shifted: Mat<f64>,
    last: Vec<f64>,
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
