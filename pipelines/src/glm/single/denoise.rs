//! Components of voxels without a response, taken out as noise (GLMdenoise: Kay et al. 2013, *Frontiers in
//! Neuroscience* 7, 247).
//!
//! The noise pool are voxels of which the response to any event in some runs predicts nothing of the others. How many of
//! the first components of their time courses are taken out is chosen by how well repeats predict each other in the
//! voxels that do respond, all with the canonical response.

use faer::Mat;
use rayon::prelude::*;

use crate::Result;
use crate::glm::single::repeats::Repeats;
use crate::glm::single::ridge::Factor;
use crate::glm::single::{CANONICAL, MOST_COMPONENTS, Prepared};
use crate::linear::kernel;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};

/// A pool of fewer voxels has no components worth the name.
const LEAST_POOL: usize = 50;
/// Voxels that choose the number of components, at most.
const MOST_JUDGES: usize = 2000;
/// A larger number of components has to be better by so many standard errors over runs.
const BETTER: f64 = 2.0;

/// The pool, and how many of its components are taken out.
pub(super) struct Noise {
    pub(super) pool: Vec<usize>,
    pub(super) n_components: usize,
}

/// Chooses from the runs `used`. No components with one run, without repeats, or where nearly every voxel responds.
pub(super) fn choose(
    prepared: &Prepared,
    used: &[usize],
    repeats: &Option<Repeats>,
    run: &Run<'_>,
) -> Result<Noise, Stop> {
    let nothing = Noise {
        pool: Vec::new(),
        n_components: 0,
    };
    let Some(repeats) = repeats else {
        return Ok(nothing);
    };
    if used.len() < 2 {
        return Ok(nothing);
    }
    let predicted = on_off(prepared, used);
    let pool: Vec<usize> = (0..predicted.len())
        .filter(|&v| predicted[v] < 0.0)
        .collect();
    let mut judges: Vec<usize> = (0..predicted.len())
        .filter(|&v| predicted[v] > 0.0)
        .collect();
    judges.sort_by(|&a, &b| predicted[b].total_cmp(&predicted[a]));
    judges.truncate(MOST_JUDGES);
    if pool.len() < LEAST_POOL || judges.is_empty() {
        return Ok(nothing);
    }
    let all = components(prepared, &pool, MOST_COMPONENTS)?;
    // What is left unexplained in each run, mean over the voxels that judge.
    let losses = |n: usize| -> Result<Vec<f64>, Stop> {
        run.check()?;
        let mut trials = Matrix::zeros(prepared.trials.len(), judges.len());
        for &r in used {
            let of_run = &prepared.runs[r];
            let first = all[r].as_ref().map(|c| first_columns(c, n));
            let factor = Factor::of(&of_run.designs[CANONICAL], first.as_ref())?;
            let free = factor.at_fractions(&of_run.courses, &judges, 1);
            for i in 0..free[0].n_rows {
                trials
                    .row_mut(of_run.first + i)
                    .copy_from_slice(free[0].row(i));
            }
        }
        let of_run = |&r: &usize| {
            let losses = repeats.loss(&trials, &trials, |trial| prepared.run_of(trial) == r);
            losses.iter().sum::<f64>() / losses.len() as f64
        };
        Ok(used.iter().map(of_run).collect())
    };
    let losses: Vec<Vec<f64>> = (0..=MOST_COMPONENTS)
        .into_par_iter()
        .map(losses)
        .collect::<Result<_, Stop>>()?;
    let mut best = 0;
    for n in 1..losses.len() {
        if is_better(&losses[n], &losses[best]) {
            best = n;
        }
    }
    Ok(Noise {
        pool,
        n_components: best,
    })
}

/// Whether losses are smaller in nearly all runs: by [`BETTER`] standard errors of the paired difference.
fn is_better(losses: &[f64], than: &[f64]) -> bool {
    let n = losses.len() as f64;
    let gains: Vec<f64> = losses.iter().zip(than).map(|(l, t)| t - l).collect();
    let mean = gains.iter().sum::<f64>() / n;
    let variance = gains.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (n - 1.0);
    mean > BETTER * (variance / n).sqrt() && mean > 0.0
}

/// How much of each voxel's variance in one run its mean response to any event in the others predicts, all runs
/// together.
fn on_off(prepared: &Prepared, used: &[usize]) -> Vec<f64> {
    let regressors: Vec<Vec<f64>> = used
        .iter()
        .map(|&r| {
            let design = &prepared.runs[r].designs[CANONICAL];
            (0..design.nrows())
                .map(|t| (0..design.ncols()).map(|i| design[(t, i)]).sum())
                .collect()
        })
        .collect();
    let n_voxels = prepared.mask.len();
    let products: Vec<(f64, Vec<f64>)> = used
        .iter()
        .zip(&regressors)
        .map(|(&r, x)| {
            let mut along = vec![0.0f64; n_voxels];
            for (course, x) in prepared.runs[r].courses.rows().zip(x) {
                along
                    .iter_mut()
                    .zip(course)
                    .for_each(|(a, y)| *a += x * f64::from(*y));
            }
            (x.iter().map(|x| x * x).sum(), along)
        })
        .collect();
    let n = used.len() as f64;
    (0..n_voxels)
        .map(|v| {
            let slopes = || {
                products
                    .iter()
                    .map(|(square, along)| along[v] / square.max(1e-12))
            };
            let all: f64 = slopes().sum();
            // ‖y‖² − ‖y − x b‖² = 2 b x·y − b² x·x, b the mean slope of the other runs.
            products
                .iter()
                .zip(slopes())
                .map(|((square, along), own)| {
                    let b = (all - own) / (n - 1.0);
                    2.0 * b * along[v] - b * b * square
                })
                .sum()
        })
        .collect()
}

/// The first `n` components of the pool's time courses, each of length 1, for every run; `None` where none are asked
/// for.
pub(super) fn components(
    prepared: &Prepared,
    pool: &[usize],
    n: usize,
) -> Result<Vec<Option<Mat<f64>>>> {
    if n == 0 || pool.is_empty() {
        return Ok(prepared.runs.iter().map(|_| None).collect());
    }
    prepared
        .runs
        .par_iter()
        .map(|of_run| {
            let courses = of_run.courses.select_columns(pool);
            // z-scored courses have one length; those that do not vary are 0.
            let n_times = courses.n_rows;
            let wide = Mat::from_fn(n_times, pool.len(), |t, v| courses.row(t)[v]);
            let gram = &wide * wide.transpose();
            let gram = Mat::from_fn(n_times, n_times, |i, j| f64::from(gram[(i, j)]));
            let (_, vectors) = kernel::eigen(&gram)?;
            let n = n.min(n_times / 2);
            Ok(Some(Mat::from_fn(n_times, n, |t, k| {
                vectors[(t, n_times - 1 - k)]
            })))
        })
        .collect()
}

fn first_columns(components: &Mat<f64>, n: usize) -> Mat<f64> {
    Mat::from_fn(components.nrows(), n.min(components.ncols()), |t, k| {
        components[(t, k)]
    })
}
