//! Detrending and z-scoring of a run, voxel by voxel, and the trials read off the result.

use faer::Mat;
use rayon::prelude::*;

use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// Voxels worked on at once: their time courses of a few hundred volumes stay in the cache.
const BATCH: usize = 128;

/// A variance below this share of the mean square is rounding, not signal.
const CONSTANT: f64 = 1e-12;

/// What was read off one run.
#[derive(Debug)]
pub struct Cleaned {
    /// Trials × voxels of the mask, in units of the voxel's standard deviation over time.
    pub values: Matrix,
    /// Voxel by voxel: whether its time course is finite and varies.
    pub varies: Vec<bool>,
    /// Voxels with a value that is not finite.
    pub n_not_finite: usize,
    /// Finite voxels that do not vary once the trend is out.
    pub n_constant: usize,
    /// The standard deviation in per cent of the mean, a voxel; 0 where the mean is not above 0.
    pub percent: Vec<f32>,
}

/// An orthonormal basis of the Legendre polynomials of degree 0 to `order` on `n_times` even
/// steps: `n_times × (order + 1)`, or fewer columns when there are fewer volumes.
pub fn drifts(n_times: usize, order: usize) -> Mat<f64> {
    let n_columns = (order + 1).min(n_times);
    let at = |t: usize| {
        if n_times > 1 {
            2.0 * t as f64 / (n_times - 1) as f64 - 1.0
        } else {
            0.0
        }
    };
    let mut basis = Mat::<f64>::zeros(n_times, n_columns);
    for degree in 0..n_columns {
        for t in 0..n_times {
            basis[(t, degree)] = legendre(degree, at(t));
        }
        // Sampled Legendre polynomials are only nearly orthogonal: Gram–Schmidt, twice for rounding.
        for _ in 0..2 {
            for earlier in 0..degree {
                let along: f64 = (0..n_times)
                    .map(|t| basis[(t, degree)] * basis[(t, earlier)])
                    .sum();
                for t in 0..n_times {
                    basis[(t, degree)] -= along * basis[(t, earlier)];
                }
            }
        }
        let norm = (0..n_times)
            .map(|t| basis[(t, degree)].powi(2))
            .sum::<f64>()
            .sqrt();
        if norm > 1e-9 {
            for t in 0..n_times {
                basis[(t, degree)] /= norm;
            }
        }
    }
    basis
}

/// P_degree(x) by Bonnet's recursion.
fn legendre(degree: usize, x: f64) -> f64 {
    let (mut before, mut now) = (1.0, x);
    if degree == 0 {
        return before;
    }
    for n in 1..degree {
        let n = n as f64;
        (before, now) = (now, ((2.0 * n + 1.0) * x * now - n * before) / (n + 1.0));
    }
    now
}

/// The courses themselves, detrended and z-scored: volumes × voxels.
pub fn flattened(courses: &Matrix, order: usize, run: &Run<'_>) -> Result<Cleaned, Stop> {
    let basis = drifts(courses.n_rows, order);
    cleaned(courses, &basis, courses.n_rows, run, |course| {
        course.iter().map(|x| *x as f32).collect()
    })
}

/// Takes what orthonormal columns explain out of a course.
pub(super) fn without(course: &mut [f64], basis: &Mat<f64>) {
    for column in 0..basis.ncols() {
        let along: f64 = course
            .iter()
            .enumerate()
            .map(|(t, x)| x * basis[(t, column)])
            .sum();
        for (t, x) in course.iter_mut().enumerate() {
            *x -= along * basis[(t, column)];
        }
    }
}

/// Detrends and z-scores (population standard deviation) the time course of every voxel
/// (`courses`: `n_times × n_voxels`) and multiplies it by `weights` (`n_trials × n_times`).
/// Voxels that are not finite or do not vary give 0.
pub fn read(
    courses: &Matrix,
    order: usize,
    weights: &Mat<f64>,
    run: &Run<'_>,
) -> Result<Cleaned, Stop> {
    let n_times = courses.n_rows;
    if weights.ncols() != n_times {
        return Err(Error::data(format!(
            "the trials are weights of {} volumes, the run has {n_times}",
            weights.ncols()
        ))
        .into());
    }
    let basis = drifts(n_times, order);
    let n_trials = weights.nrows();
    cleaned(courses, &basis, n_trials, run, |course| {
        let trial = |r: usize| {
            let terms = course.iter().enumerate();
            terms.map(|(t, x)| weights[(r, t)] * x).sum::<f64>() as f32
        };
        (0..n_trials).map(trial).collect()
    })
}

/// What `read` makes of every course once it is detrended and z-scored: `n_out` numbers a voxel.
fn cleaned(
    courses: &Matrix,
    basis: &Mat<f64>,
    n_out: usize,
    run: &Run<'_>,
    read: impl Fn(&[f64]) -> Vec<f32> + Sync,
) -> Result<Cleaned, Stop> {
    let batches: Result<Vec<_>, Stop> = (0..courses.n_cols.div_ceil(BATCH))
        .into_par_iter()
        .map(|batch| {
            run.check()?;
            let voxels = batch * BATCH..((batch + 1) * BATCH).min(courses.n_cols);
            let voxels: Vec<(Kind, Vec<f32>, f32)> = voxels
                .map(|v| {
                    let course: Vec<f64> =
                        courses.rows().map(|volume| f64::from(volume[v])).collect();
                    let mean = course.iter().sum::<f64>() / course.len() as f64;
                    let (kind, course, sd) = z_scored(course, basis);
                    let values = match kind {
                        Kind::Varies => read(&course),
                        Kind::Constant | Kind::NotFinite => vec![0.0; n_out],
                    };
                    let percent = if mean > 0.0 { 100.0 * sd / mean } else { 0.0 };
                    (kind, values, percent as f32)
                })
                .collect();
            Ok(voxels)
        })
        .collect();
    let voxels: Vec<(Kind, Vec<f32>, f32)> = batches?.into_iter().flatten().collect();
    let mut values = Matrix::zeros(n_out, voxels.len());
    for (v, (_, of_voxel, _)) in voxels.iter().enumerate() {
        for (r, value) in of_voxel.iter().enumerate() {
            values.row_mut(r)[v] = *value;
        }
    }
    let count = |kind| voxels.iter().filter(|(k, ..)| *k == kind).count();
    Ok(Cleaned {
        values,
        varies: voxels.iter().map(|(k, ..)| *k == Kind::Varies).collect(),
        n_not_finite: count(Kind::NotFinite),
        n_constant: count(Kind::Constant),
        percent: voxels.iter().map(|(.., percent)| *percent).collect(),
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Varies,
    Constant,
    NotFinite,
}

/// The kind of a course, the course, and its standard deviation without trend.
fn z_scored(mut course: Vec<f64>, basis: &Mat<f64>) -> (Kind, Vec<f64>, f64) {
    if course.iter().any(|x| !x.is_finite()) {
        return (Kind::NotFinite, course, 0.0);
    }
    let n = course.len() as f64;
    let mean_square = course.iter().map(|x| x * x).sum::<f64>() / n;
    without(&mut course, basis);
    // The constant is in the basis, so the mean is already out.
    let variance = course.iter().map(|x| x * x).sum::<f64>() / n;
    if variance <= CONSTANT * mean_square || variance == 0.0 {
        return (Kind::Constant, course, 0.0);
    }
    let sd = variance.sqrt();
    for x in &mut course {
        *x /= sd;
    }
    (Kind::Varies, course, sd)
}

/// Gives every column mean 0 and (population) standard deviation 1 over the named rows; columns
/// that do not vary become 0.
pub fn z_score_rows(values: &mut Matrix, rows: &[usize]) {
    standardise(values, rows, true);
}

/// Gives every column mean 0 over the named rows, unless there is only one.
pub fn centre_rows(values: &mut Matrix, rows: &[usize]) {
    if rows.len() > 1 {
        standardise(values, rows, false);
    }
}

fn standardise(values: &mut Matrix, rows: &[usize], scale: bool) {
    let n = rows.len() as f64;
    let mut means = vec![0.0f64; values.n_cols];
    let mut squares = vec![0.0f64; values.n_cols];
    for &r in rows {
        for (mean, &x) in means.iter_mut().zip(values.row(r)) {
            *mean += f64::from(x) / n;
        }
    }
    for &r in rows {
        for ((square, mean), &x) in squares.iter_mut().zip(&means).zip(values.row(r)) {
            *square += (f64::from(x) - mean).powi(2) / n;
        }
    }
    for &r in rows {
        for ((x, mean), square) in values.row_mut(r).iter_mut().zip(&means).zip(&squares) {
            let constant = *square <= CONSTANT * mean * mean || *square == 0.0;
            let by = if !scale { 1.0 } else { square.sqrt() };
            *x = if constant {
                0.0
            } else {
                ((f64::from(*x) - mean) / by) as f32
            };
        }
    }
}
