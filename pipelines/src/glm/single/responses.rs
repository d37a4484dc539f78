//! Which response of the library each voxel has.
//!
//! GLMsingle takes for each voxel the response under which its trials explain most. With one regressor a trial, noise that
//! carries over in time prefers one response to another wherever there is little signal, and a wrong response costs more
//! than the right one gains. Here the evidence is the mean response to any trial, judged in the runs that did not fit it.
//! One response serves all voxels, the canonical one unless another is clearly better over runs, and a voxel departs from
//! it only where its own gain is clear.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatMut, Par};
use rayon::prelude::*;

use super::{CANONICAL, LIBRARY_SIZE};
use crate::linear::product;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::{by_blocks, tails};

/// The probability, by Student's t over runs, below which a voxel's gain by its own response is no accident.
const CLEAR: f64 = 0.01;

/// The mean response to any trial of one run, under each response of the library.
#[derive(Debug)]
pub(super) struct MeanResponse {
    /// Voxels × responses: y · x / |x|, where x is the sum of the regressors of all trials.
    along: Matrix,
    /// |x|, 0 in a run without trials.
    lengths: [f64; LIBRARY_SIZE],
}

impl MeanResponse {
    /// Of the regressors (volumes × trials, one matrix a response) and the time courses (volumes × voxels) of a run.
    pub(super) fn of(designs: &[Mat<f64>], courses: &Matrix, run: &Run<'_>) -> Result<Self, Stop> {
        let n_times = courses.n_rows;
        let mut lengths = [0.0; LIBRARY_SIZE];
        let mut units = Matrix::zeros(n_times, LIBRARY_SIZE);
        for (k, (design, length)) in designs.iter().zip(&mut lengths).enumerate() {
            let sum = |t: usize| (0..design.ncols()).map(|i| design[(t, i)]).sum::<f64>();
            let x: Vec<f64> = (0..n_times).map(sum).collect();
            *length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
            if *length > 0.0 {
                (0..n_times).for_each(|t| units.row_mut(t)[k] = (x[t] / *length) as f32);
            }
        }
        let blocks = by_blocks(courses.n_cols, 512, run, |voxels| {
            let mut along = vec![0.0f32; voxels.len() * LIBRARY_SIZE];
            let y = product::view(courses).subcols(voxels.start, voxels.len());
            matmul(
                MatMut::from_row_major_slice_mut(&mut along, voxels.len(), LIBRARY_SIZE),
                Accum::Replace,
                y.transpose(),
                product::view(&units),
                1.0,
                Par::Seq,
            );
            along
        })?;
        Ok(Self {
            along: Matrix::from_values(courses.n_cols, LIBRARY_SIZE, blocks.concat())?,
            lengths,
        })
    }

    fn slope(&self, voxel: usize, response: usize) -> f64 {
        match self.lengths[response] {
            0.0 => 0.0,
            length => f64::from(self.along.row(voxel)[response]) / length,
        }
    }

    /// The squares that a response of this height explains: |y|² − |y − b x|².
    fn explained(&self, voxel: usize, response: usize, b: f64) -> f64 {
        let bx = b * self.lengths[response];
        bx * (2.0 * f64::from(self.along.row(voxel)[response]) - bx)
    }
}

/// What was chosen.
pub(super) struct Responses {
    /// A response of the library, a voxel.
    pub(super) of_voxel: Vec<u8>,
    /// The one that serves where nothing speaks clearly for another.
    pub(super) common: usize,
    /// Voxels with another.
    pub(super) n_own: usize,
}

/// Chooses from some runs. From fewer than two with trials nothing can be judged: the canonical response serves all.
pub(super) fn choose(runs: &[&MeanResponse], n_voxels: usize) -> Responses {
    let runs: Vec<&MeanResponse> = runs
        .iter()
        .copied()
        .filter(|r| r.lengths[CANONICAL] > 0.0)
        .collect();
    if runs.len() < 2 {
        return Responses {
            of_voxel: vec![CANONICAL as u8; n_voxels],
            common: CANONICAL,
            n_own: 0,
        };
    }
    // What the mean height in the other runs explains of each, all runs together.
    let totals: Vec<[f64; LIBRARY_SIZE]> = (0..n_voxels)
        .into_par_iter()
        .map(|v| std::array::from_fn(|k| predicted(&runs, v, k).iter().sum()))
        .collect();
    // The sum over the voxels of which something can be predicted.
    let mut sums = [0.0; LIBRARY_SIZE];
    let speaks = |total: &[f64; LIBRARY_SIZE]| total.iter().any(|e| *e > 0.0);
    for total in totals.iter().filter(|t| speaks(t)) {
        sums.iter_mut().zip(total).for_each(|(sum, e)| *sum += e);
    }
    let foremost = best(&sums, CANONICAL);
    let of_all = |k: usize| {
        let mut of_runs = vec![0.0; runs.len()];
        for (v, _) in totals.iter().enumerate().filter(|(_, t)| speaks(t)) {
            let explained = predicted(&runs, v, k);
            of_runs.iter_mut().zip(explained).for_each(|(s, e)| *s += e);
        }
        of_runs
    };
    let common = match is_clear(&of_all(foremost), &of_all(CANONICAL)) {
        true => foremost,
        false => CANONICAL,
    };
    let of_voxel: Vec<u8> = totals
        .par_iter()
        .enumerate()
        .map(|(v, total)| {
            let own = best(total, common);
            let clear = total[own] > 0.0
                && is_clear(&predicted(&runs, v, own), &predicted(&runs, v, common));
            (if clear { own } else { common }) as u8
        })
        .collect();
    let n_own = of_voxel.iter().filter(|k| usize::from(**k) != common);
    Responses {
        n_own: n_own.count(),
        common,
        of_voxel,
    }
}

/// The place of the largest, `usual` among equals.
fn best(values: &[f64; LIBRARY_SIZE], usual: usize) -> usize {
    (0..LIBRARY_SIZE).fold(
        usual,
        |best, k| if values[k] > values[best] { k } else { best },
    )
}

/// For each run the squares that the mean height of a voxel's response in the others explains.
fn predicted(runs: &[&MeanResponse], voxel: usize, response: usize) -> Vec<f64> {
    let slopes: Vec<f64> = runs.iter().map(|r| r.slope(voxel, response)).collect();
    let sum: f64 = slopes.iter().sum();
    let others = (runs.len() - 1) as f64;
    runs.iter()
        .zip(slopes)
        .map(|(run, own)| run.explained(voxel, response, (sum - own) / others))
        .collect()
}

/// Whether one response explains more than another, run by run, beyond what [`CLEAR`] leaves to chance.
fn is_clear(explained: &[f64], than: &[f64]) -> bool {
    let n = explained.len() as f64;
    let gains: Vec<f64> = explained.iter().zip(than).map(|(a, b)| a - b).collect();
    let mean = gains.iter().sum::<f64>() / n;
    let variance = gains.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let t = mean / (variance / n).sqrt();
    mean > 0.0 && (variance == 0.0 || tails::ln_t_above(t, n - 1.0) < CLEAR.ln())
}
