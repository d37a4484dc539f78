//! Ridge regression by the fraction of their length to which weights are shrunk, each voxel its own.
//!
//! With X = U S Vᵀ, the weights under a penalty α are V (S / (S² + α)) Uᵀ y. For a fraction f, α is where their length is
//! f times that at α = 0: by Newton's method on 1/length, which is nearly straight in α. (The reference implementation
//! interpolates on a grid of α; this is its limit.)

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, MatRef, Par};

use crate::Result;
use crate::linear::kernel;
use crate::matrix::Matrix;

/// Singular values below this share of the largest cannot be told from rounding in f32 data.
const RANK: f64 = 1e-4;

/// The singular values of one run's trials, without what components of noise explain.
#[derive(Debug)]
pub(super) struct Factor {
    n_times: usize,
    n_trials: usize,
    singular: Vec<f64>,
    /// Volumes × rank.
    u: Vec<f32>,
    /// Rank × trials, column-major: Vᵀ.
    v_transposed: Vec<f32>,
}

/// The fraction of a place among `n`, from 1 down to 1 / n.
pub(super) fn fraction(place: usize, n: usize) -> f64 {
    1.0 - place as f64 / n as f64
}

impl Factor {
    /// Of a design (volumes × trials) from which orthonormal `components` (volumes × any) are taken.
    pub(super) fn of(design: &Mat<f64>, components: Option<&Mat<f64>>) -> Result<Self> {
        let without = components.map(|c| design - c * (c.transpose() * design));
        let x = without.as_ref().unwrap_or(design);
        // In f64 the eigenvalues of XᵀX, of which singular values are roots, lose nothing above RANK.
        let (values, vectors) = kernel::eigen(&(x.transpose() * x))?;
        let most = values.last().copied().unwrap_or(0.0).sqrt();
        let kept: Vec<usize> = (0..values.len())
            .filter(|&i| values[i].sqrt() > RANK * most && most > 0.0)
            .collect();
        let singular: Vec<f64> = kept.iter().map(|&i| values[i].sqrt()).collect();
        let v = Mat::from_fn(x.ncols(), kept.len(), |r, k| vectors[(r, kept[k])]);
        let u = x * &v;
        let (n_times, n_trials) = (x.nrows(), x.ncols());
        let columns = (0..kept.len()).zip(&singular);
        Ok(Self {
            n_times,
            n_trials,
            u: columns
                .flat_map(|(k, s)| (0..n_times).map(move |t| (t, k, s)))
                .map(|(t, k, s)| (u[(t, k)] / s) as f32)
                .collect(),
            v_transposed: (0..n_trials)
                .flat_map(|r| (0..kept.len()).map(move |k| (r, k)))
                .map(|(r, k)| v[(r, k)] as f32)
                .collect(),
            singular,
        })
    }

    fn rank(&self) -> usize {
        self.singular.len()
    }

    /// Uᵀ y of some voxels, voxels × rank column-major.
    pub(super) fn along(
        &self,
        courses: &Matrix,
        voxels: &(impl Iterator<Item = usize> + Clone),
    ) -> Vec<f32> {
        let width = voxels.clone().count();
        let mut y = Vec::with_capacity(width * self.n_times);
        for course in courses.rows() {
            y.extend(voxels.clone().map(|v| course[v]));
        }
        let mut along = vec![0.0f32; width * self.rank()];
        matmul(
            MatMut::from_column_major_slice_mut(&mut along, width, self.rank()),
            Accum::Replace,
            MatRef::from_column_major_slice(&y, width, self.n_times),
            MatRef::from_column_major_slice(&self.u, self.n_times, self.rank()),
            1.0,
            Par::Seq,
        );
        along
    }

    /// The trials (rows) of some voxels at each of `n` fractions.
    pub(super) fn at_fractions(&self, courses: &Matrix, voxels: &[usize], n: usize) -> Vec<Matrix> {
        let along = self.along(courses, &voxels.iter().copied());
        let mut penalties = vec![0.0; voxels.len()];
        (0..n)
            .map(|place| {
                for (v, penalty) in penalties.iter_mut().enumerate() {
                    let one = self.one(&along, v, voxels.len());
                    *penalty = self.penalty(&one, fraction(place, n), *penalty);
                }
                self.weights(&along, &penalties)
            })
            .collect()
    }

    /// The trials (rows) of some voxels, each at its fraction, on the line that fits what is not shrunk best (slope
    /// and offset; as they are where the slope would be negative).
    pub(super) fn shrunk(&self, courses: &Matrix, voxels: &[usize], fractions: &[f64]) -> Matrix {
        let width = voxels.len();
        let along = self.along(courses, &voxels.iter().copied());
        let penalties: Vec<f64> = fractions
            .iter()
            .enumerate()
            .map(|(v, fraction)| self.penalty(&self.one(&along, v, width), *fraction, 0.0))
            .collect();
        let free = self.weights(&along, &vec![0.0; width]);
        let mut shrunk = self.weights(&along, &penalties);
        let n = self.n_trials as f64;
        for v in (0..width).filter(|&v| penalties[v] > 0.0) {
            let pairs = || {
                free.rows()
                    .zip(shrunk.rows())
                    .map(|(f, s)| (f64::from(f[v]), f64::from(s[v])))
            };
            let (free_mean, mean) =
                pairs().fold((0.0, 0.0), |sum, (f, s)| (sum.0 + f / n, sum.1 + s / n));
            let (covariance, variance) = pairs().fold((0.0, 0.0), |sum, (f, s)| {
                (
                    sum.0 + (f - free_mean) * (s - mean),
                    sum.1 + (s - mean).powi(2),
                )
            });
            let slope = covariance / variance;
            if slope > 0.0 && slope.is_finite() {
                for i in 0..self.n_trials {
                    let value = &mut shrunk.row_mut(i)[v];
                    *value = (free_mean + slope * (f64::from(*value) - mean)) as f32;
                }
            }
        }
        shrunk
    }

    /// (s, Uᵀ y) of one voxel of a block.
    fn one(&self, along: &[f32], voxel: usize, width: usize) -> Vec<(f64, f64)> {
        let values = self.singular.iter().enumerate();
        values
            .map(|(k, s)| (*s, f64::from(along[k * width + voxel])))
            .collect()
    }

    /// α at which weights are `fraction` of their length at 0; at least `from`, a penalty of a larger fraction.
    fn penalty(&self, one: &[(f64, f64)], fraction: f64, from: f64) -> f64 {
        if fraction >= 1.0 {
            return 0.0;
        }
        let squares = |alpha: f64| -> (f64, f64) {
            one.iter().fold((0.0, 0.0), |(sum, slope), (s, a)| {
                let d = s * s + alpha;
                let square = (s * a / d).powi(2);
                (sum + square, slope - 2.0 * square / d)
            })
        };
        let goal = fraction * squares(0.0).0.sqrt();
        if goal.is_nan() || goal <= 0.0 {
            return 0.0;
        }
        let mut alpha = from;
        for _ in 0..60 {
            let (sum, slope) = squares(alpha);
            let length = sum.sqrt();
            // d(1 / length) / dα = −slope / (2 length³)
            let step = (1.0 / goal - 1.0 / length) * -2.0 * length * sum / slope;
            let next = (alpha + step).max(0.0);
            if (next - alpha).abs() <= 1e-9 * next.max(1e-300) {
                return next;
            }
            alpha = next;
        }
        alpha
    }

    /// The squares of each voxel's course that trials of these heights (trials × voxels) explain: |y|² − |y − X b|². `along` is
    /// [`Self::along`] of the same voxels.
    pub(super) fn explained(&self, along: &[f32], heights: &Matrix) -> Vec<f64> {
        let width = heights.n_cols;
        let mut turned = vec![0.0f32; along.len()];
        matmul(
            MatMut::from_column_major_slice_mut(&mut turned, width, self.rank()),
            Accum::Replace,
            MatRef::from_column_major_slice(&heights.values, width, self.n_trials),
            MatRef::from_column_major_slice(&self.v_transposed, self.rank(), self.n_trials)
                .transpose(),
            1.0,
            Par::Seq,
        );
        let mut sums = vec![0.0f64; width];
        let columns = turned.chunks(width.max(1)).zip(along.chunks(width.max(1)));
        for (s, (turned, along)) in self.singular.iter().zip(columns) {
            for ((sum, x), a) in sums.iter_mut().zip(turned).zip(along) {
                let x = s * f64::from(*x);
                *sum += x * (2.0 * f64::from(*a) - x);
            }
        }
        sums
    }

    /// Trials × voxels, each voxel at its penalty.
    pub(super) fn weights(&self, along: &[f32], penalties: &[f64]) -> Matrix {
        let width = penalties.len();
        let mut scaled = vec![0.0f32; along.len()];
        for (k, s) in self.singular.iter().enumerate() {
            let column = k * width..(k + 1) * width;
            let pairs = scaled[column.clone()].iter_mut().zip(&along[column]);
            for ((out, a), penalty) in pairs.zip(penalties) {
                *out = (f64::from(*a) * s / (s * s + penalty)) as f32;
            }
        }
        let mut out = Matrix::zeros(self.n_trials, width);
        matmul(
            MatMut::from_column_major_slice_mut(&mut out.values, width, self.n_trials),
            Accum::Replace,
            MatRef::from_column_major_slice(&scaled, width, self.rank()),
            MatRef::from_column_major_slice(&self.v_transposed, self.rank(), self.n_trials),
            1.0,
            Par::Seq,
        );
        out
    }
}
