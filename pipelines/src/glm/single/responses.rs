//! Which response of the library each voxel has.
//!
//! GLMsingle takes for each voxel the response under which its trials explain most. With one regressor a trial, noise that
//! carries over in time prefers one response to another wherever there is little signal, and a wrong response costs more
//! than the right one gains. Here each run is predicted from the others: every trial at the mean height that its stimulus
//! had there, or that all trials had where it was not shown. One response serves all voxels, the canonical one unless
//! another is clearly better over runs, and a voxel departs from it only where its own gain is clear.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::ridge::Factor;
use super::{BLOCK, CANONICAL, LIBRARY_SIZE, Prepared};
use crate::Result;
use crate::betas::Trial;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::tails;

/// The probability, by Student's t over runs, below which a gain is no accident.
const CLEAR: f64 = 0.01;

/// What was chosen.
pub(super) struct Responses {
    /// A response of the library, a voxel.
    pub(super) of_voxel: Vec<u8>,
    /// The one that serves where nothing speaks clearly for another.
    pub(super) common: usize,
    /// Voxels with another.
    pub(super) n_own: usize,
}

/// Squares of one voxel that a response explains in each run, predicted from the others: runs × responses.
type Explained = Vec<[f64; LIBRARY_SIZE]>;

/// Chooses from some runs. From fewer than two with trials nothing can be judged: the canonical response serves all.
pub(super) fn choose(
    prepared: &Prepared,
    used: &[usize],
    run: &Run<'_>,
) -> Result<Responses, Stop> {
    let n_voxels = prepared.mask.len();
    let with_trials = |r: &usize| prepared.runs[*r].designs[CANONICAL].ncols() > 0;
    let used: Vec<usize> = used.iter().copied().filter(with_trials).collect();
    if used.len() < 2 {
        return Ok(Responses {
            of_voxel: vec![CANONICAL as u8; n_voxels],
            common: CANONICAL,
            n_own: 0,
        });
    }
    let factors: Vec<Vec<Factor>> = (0..LIBRARY_SIZE)
        .into_par_iter()
        .map(|k| {
            run.check()?;
            let of_run = |&r: &usize| Factor::of(&prepared.runs[r].designs[k], None);
            Ok(used.iter().map(of_run).collect::<Result<Vec<_>>>()?)
        })
        .collect::<Result<_, Stop>>()?;
    let shown = Shown::of(prepared, &used);
    let voxels: Vec<usize> = (0..n_voxels).collect();
    let explained: Vec<Explained> = voxels
        .par_chunks(BLOCK)
        .map(|voxels| {
            run.check()?;
            let mut of_block: Vec<Explained> =
                vec![vec![[0.0; LIBRARY_SIZE]; used.len()]; voxels.len()];
            for (k, factors) in factors.iter().enumerate() {
                let runs = used.iter().zip(factors);
                let along: Vec<Vec<f32>> = runs
                    .map(|(&r, f)| f.along(&prepared.runs[r].courses, &voxels.iter().copied()))
                    .collect();
                let heights: Vec<Matrix> = factors
                    .iter()
                    .zip(&along)
                    .map(|(f, along)| f.weights(along, &vec![0.0; voxels.len()]))
                    .collect();
                for (place, predicted) in shown.predicted(&heights).iter().enumerate() {
                    let squares = factors[place].explained(&along[place], predicted);
                    for (explained, squares) in of_block.iter_mut().zip(squares) {
                        explained[place][k] = squares;
                    }
                }
            }
            Ok(of_block)
        })
        .collect::<Result<Vec<_>, Stop>>()?
        .concat();
    Ok(chosen(&explained, used.len()))
}

/// Which stimulus the trials of each run show.
struct Shown {
    of_runs: Vec<Vec<usize>>,
    n_stimuli: usize,
}

impl Shown {
    fn of(prepared: &Prepared, used: &[usize]) -> Self {
        let mut known = BTreeMap::new();
        let of_runs = used.iter().map(|&r| {
            let of_run = &prepared.runs[r];
            let trials = &prepared.trials[of_run.first..][..of_run.designs[CANONICAL].ncols()];
            let number = |trial: &Trial| {
                let next = known.len();
                let name = trial.stimulus.as_ref().unwrap_or(&trial.condition);
                *known
                    .entry((trial.stimulus.is_some(), name.clone()))
                    .or_insert(next)
            };
            trials.iter().map(number).collect()
        });
        let of_runs = of_runs.collect();
        Self {
            of_runs,
            n_stimuli: known.len(),
        }
    }

    /// For each run the heights (trials × voxels) that the other runs give its trials.
    fn predicted(&self, heights: &[Matrix]) -> Vec<Matrix> {
        // The last row holds all trials.
        let sums: Vec<(Matrix, Vec<f32>)> = heights
            .iter()
            .zip(&self.of_runs)
            .map(|(heights, shown)| {
                let mut sums = Matrix::zeros(self.n_stimuli + 1, heights.n_cols);
                let mut counts = vec![0.0; self.n_stimuli + 1];
                for (row, &stimulus) in heights.rows().zip(shown) {
                    for place in [stimulus, self.n_stimuli] {
                        counts[place] += 1.0;
                        let sum = sums.row_mut(place).iter_mut();
                        sum.zip(row).for_each(|(s, h)| *s += h);
                    }
                }
                (sums, counts)
            })
            .collect();
        let of_run = |(r, shown): (usize, &Vec<usize>)| {
            let mut out = Matrix::zeros(shown.len(), heights[r].n_cols);
            for (i, &stimulus) in shown.iter().enumerate() {
                let others = || (0..sums.len()).filter(|&o| o != r);
                let count = |place: usize| others().map(|o| sums[o].1[place]).sum::<f32>();
                let place = match count(stimulus) > 0.0 {
                    true => stimulus,
                    false => self.n_stimuli,
                };
                let share = 1.0 / count(place).max(1.0);
                for other in others().filter(|&o| sums[o].1[place] > 0.0) {
                    let row = out.row_mut(i).iter_mut().zip(sums[other].0.row(place));
                    row.for_each(|(out, sum)| *out += share * sum);
                }
            }
            out
        };
        self.of_runs.iter().enumerate().map(of_run).collect()
    }
}

fn chosen(explained: &[Explained], n_runs: usize) -> Responses {
    let total = |of_voxel: &Explained| -> [f64; LIBRARY_SIZE] {
        std::array::from_fn(|k| of_voxel.iter().map(|of_run| of_run[k]).sum())
    };
    // The sum over the voxels of which something can be predicted.
    let mut all = vec![[0.0; LIBRARY_SIZE]; n_runs];
    for of_voxel in explained {
        if total(of_voxel).iter().all(|e| *e <= 0.0) {
            continue;
        }
        for (sums, of_run) in all.iter_mut().zip(of_voxel) {
            sums.iter_mut().zip(of_run).for_each(|(s, e)| *s += e);
        }
    }
    let foremost = best(&total(&all), CANONICAL);
    let common = match is_clear(&all, foremost, CANONICAL) {
        true => foremost,
        false => CANONICAL,
    };
    let of_voxel: Vec<u8> = explained
        .par_iter()
        .map(|of_voxel| {
            let total = total(of_voxel);
            let own = best(&total, common);
            let clear = total[own] > 0.0 && is_clear(of_voxel, own, common);
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

/// Whether a response explains more than another, run by run, beyond what [`CLEAR`] leaves to chance.
fn is_clear(explained: &Explained, response: usize, than: usize) -> bool {
    let n = explained.len() as f64;
    let gains: Vec<f64> = explained.iter().map(|e| e[response] - e[than]).collect();
    let mean = gains.iter().sum::<f64>() / n;
    let variance = gains.iter().map(|g| (g - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let t = mean / (variance / n).sqrt();
    mean > 0.0 && (variance == 0.0 || tails::ln_t_above(t, n - 1.0) < CLEAR.ln())
}
