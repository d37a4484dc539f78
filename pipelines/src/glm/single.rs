//! Responses of single trials, regularised in the manner of GLMsingle (Prince et al. 2022, *eLife* 11, e77599).
//!
//! Three things are chosen: for each voxel a response of a library, its own where other runs clearly bear it out and else
//! the one that serves all ([`responses`]); how many components of voxels without a response are taken out as noise; for
//! each voxel the fraction to which ridge regression shrinks its responses (Rokem & Kay 2020, *GigaScience* 9, giaa133).
//! The last two are chosen by how well repeats of a stimulus predict each other. What is chosen is a value ([`Choice`])
//! made from the runs that are named and applied to any: a fold of a cross-validation chooses on its training runs alone.
//!
//! Unlike GLMsingle, nothing fails without repeats across runs: repeats within runs are used instead, or nothing is
//! shrunk, and [`Choice::words`] says so.

mod denoise;
mod prepare;
mod repeats;
mod responses;
mod ridge;

use std::collections::BTreeMap;

use faer::Mat;
use rayon::prelude::*;

use crate::betas::{Betas, Columns, Trial};
use crate::glm::response::{LIBRARY_SIZE, library_peak_secs};
use crate::glm::{BetasPlan, TrialUnits, scale, units_of};
use crate::mask::Mask;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::{Error, Result};

pub use prepare::prepare;
use repeats::Repeats;
use responses::Responses;
use ridge::Factor;

/// Fractions that are tried, largest first.
const N_FRACTIONS: usize = 20;
/// Components of the noise that are tried, at most.
const MOST_COMPONENTS: usize = 10;
/// The response of the library that peaks near 5 s, for what is done before responses are chosen.
const CANONICAL: usize = 8;
/// Voxels worked on at once: all trials at all fractions of so many stay small.
const BLOCK: usize = 128;

/// Ridge regression of every column of `courses` (volumes × voxels) on `design` (volumes × trials) at fractions 1, …,
/// 1 / `n` of the unregularised length: trials × voxels for each.
pub fn fracridge(design: &Mat<f64>, courses: &Matrix, n: usize) -> Result<Vec<Matrix>> {
    let voxels: Vec<usize> = (0..courses.n_cols).collect();
    Ok(Factor::of(design, None)?.at_fractions(courses, &voxels, n))
}

/// Runs that are read and detrended, with their regressors.
#[derive(Debug)]
pub struct Prepared {
    plan: BetasPlan,
    mask: Mask,
    runs: Vec<PreparedRun>,
    /// All trials, run after run.
    trials: Vec<Trial>,
}

#[derive(Debug)]
struct PreparedRun {
    label: String,
    /// Volumes × voxels, detrended and z-scored.
    courses: Matrix,
    percent: Vec<f32>,
    /// Volumes × trials, without drifts, one a response of the library.
    designs: Vec<Mat<f64>>,
    /// The place of its first trial among all.
    first: usize,
}

/// What was chosen, and from what.
#[derive(Clone, Debug)]
pub struct Choice {
    /// A response of the library, a voxel.
    pub response: Vec<u8>,
    /// Components of the noise that are taken out.
    pub n_components: usize,
    /// Voxels whose time courses the components are of.
    pub noise_pool: Vec<usize>,
    /// The fraction of their unregularised length to which the responses of a voxel are shrunk.
    pub fraction: Vec<f32>,
    /// How it was chosen, for the user.
    pub words: String,
}

impl Prepared {
    /// The runs, by their labels.
    pub fn runs(&self) -> Vec<&str> {
        self.runs.iter().map(|r| r.label.as_str()).collect()
    }

    /// The trials, in the order of the rows of [`Self::betas`].
    pub fn trials(&self) -> &[Trial] {
        &self.trials
    }

    /// Chooses from the named runs alone.
    pub fn choose(&self, from: &[&str], run: &Run<'_>) -> Result<Choice, Stop> {
        let used: Vec<usize> = (0..self.runs.len())
            .filter(|&r| from.contains(&self.runs[r].label.as_str()))
            .collect();
        if used.is_empty() {
            return Err(Error::data("nothing can be chosen from no runs").into());
        }
        run.stage("choosing responses, noise components and shrinkage of single trials");
        let Responses {
            of_voxel: response,
            common,
            n_own,
        } = responses::choose(self, &used, run)?;
        let repeats = Repeats::of(&self.trials, &used, |trial| self.run_of(trial));
        let noise = denoise::choose(self, &used, &repeats, run)?;
        let fraction = match &repeats {
            Some(repeats) => self.fractions(&used, &response, &noise, repeats, run)?,
            None => vec![1.0; self.mask.len()],
        };
        let mut fractions = fraction.clone();
        fractions.sort_by(f32::total_cmp);
        let how = match &repeats {
            Some(repeats) if repeats.across_runs => {
                "chosen by how well repeats predict each other across runs"
            }
            Some(_) => {
                "chosen by repeats within runs, because no stimulus was repeated across runs: noise that a run's trials share can pass for signal"
            }
            None => {
                "not regularised, because no stimulus was shown twice and nothing says how much to shrink"
            }
        };
        let words = format!(
            "single trials with a response that peaks after {:.1} s, in {n_own} of {} voxels another of a library of {LIBRARY_SIZE}; {} noise components of {} voxels; shrunk to a median of {:.2} of their length, {how}",
            library_peak_secs(common),
            response.len(),
            noise.n_components,
            noise.pool.len(),
            fractions[fractions.len() / 2],
        );
        Ok(Choice {
            response,
            n_components: noise.n_components,
            noise_pool: noise.pool,
            fraction,
            words,
        })
    }

    /// All trials of all runs, read as was chosen; units by the plan.
    pub fn betas(&self, choice: &Choice, run: &Run<'_>) -> Result<Betas, Stop> {
        let mut values = Matrix::default();
        let components = denoise::components(self, &choice.noise_pool, choice.n_components)?;
        let percents: Vec<Vec<f32>> = self.runs.iter().map(|r| r.percent.clone()).collect();
        let units = units_of(self.plan.units, &percents, run);
        for (prepared, components) in self.runs.iter().zip(&components) {
            run.check()?;
            let mut block = prepared.read(choice, components.as_ref(), run)?;
            scale(&mut block, units, &prepared.percent);
            values = values.stacked(&block)?;
        }
        let units = match units {
            TrialUnits::Percent => "in per cent of each voxel's mean",
            TrialUnits::ZScored => "z-scored per voxel within each run",
            TrialUnits::OfCourse => "in standard deviations of each voxel's time course",
        };
        Ok(Betas {
            values,
            trials: self.trials.clone(),
            columns: Columns::Voxels(self.mask.clone()),
            method: format!("{}; {units}", choice.words),
        })
    }

    fn run_of(&self, trial: usize) -> usize {
        self.runs.partition_point(|r| r.first <= trial) - 1
    }

    /// For each voxel the fraction under which repeats predict each other best.
    fn fractions(
        &self,
        used: &[usize],
        response: &[u8],
        noise: &denoise::Noise,
        repeats: &Repeats,
        run: &Run<'_>,
    ) -> Result<Vec<f32>, Stop> {
        let components = denoise::components(self, &noise.pool, noise.n_components)?;
        let mut fraction = vec![1.0f32; self.mask.len()];
        let groups = by_response(response);
        let n_voxels = self.mask.len();
        let mut done = 0;
        for (index, voxels) in groups {
            let factors = used
                .par_iter()
                .map(|&r| Factor::of(&self.runs[r].designs[index], components[r].as_ref()))
                .collect::<Result<Vec<_>>>()?;
            let chosen: Vec<(usize, f32)> = voxels
                .par_chunks(BLOCK)
                .map(|voxels| {
                    run.check()?;
                    // Trials × voxels, one matrix a fraction; the first is not shrunk.
                    let mut tries =
                        vec![Matrix::zeros(self.trials.len(), voxels.len()); N_FRACTIONS];
                    for (&r, factor) in used.iter().zip(&factors) {
                        let of_run =
                            factor.at_fractions(&self.runs[r].courses, voxels, N_FRACTIONS);
                        for (whole, part) in tries.iter_mut().zip(of_run) {
                            for i in 0..part.n_rows {
                                whole
                                    .row_mut(self.runs[r].first + i)
                                    .copy_from_slice(part.row(i));
                            }
                        }
                    }
                    let (target, _) = tries.split_at(1);
                    let losses: Vec<Vec<f64>> = tries
                        .iter()
                        .map(|tried| repeats.loss(tried, &target[0], |_| true))
                        .collect();
                    let best = |v: usize| {
                        let smallest = (0..N_FRACTIONS)
                            .min_by(|&a, &b| losses[a][v].total_cmp(&losses[b][v]))
                            .unwrap_or(0);
                        (voxels[v], ridge::fraction(smallest, N_FRACTIONS) as f32)
                    };
                    Ok((0..voxels.len()).map(best).collect::<Vec<_>>())
                })
                .collect::<Result<Vec<_>, Stop>>()?
                .concat();
            for (v, best) in chosen {
                fraction[v] = best;
            }
            done += voxels.len();
            run.progress(done, n_voxels);
        }
        Ok(fraction)
    }
}

impl PreparedRun {
    /// Trials × voxels as chosen, brought back to the scale of what was not shrunk by a line through both.
    fn read(
        &self,
        choice: &Choice,
        components: Option<&Mat<f64>>,
        run: &Run<'_>,
    ) -> Result<Matrix, Stop> {
        let n_trials = self.designs[0].ncols();
        let mut out = Matrix::zeros(n_trials, choice.response.len());
        for (index, voxels) in by_response(&choice.response) {
            let factor = Factor::of(&self.designs[index], components)?;
            let blocks = voxels
                .par_chunks(BLOCK)
                .map(|voxels| {
                    run.check()?;
                    let fractions: Vec<f64> = voxels
                        .iter()
                        .map(|&v| f64::from(choice.fraction[v]))
                        .collect();
                    Ok((voxels, factor.shrunk(&self.courses, voxels, &fractions)))
                })
                .collect::<Result<Vec<_>, Stop>>()?;
            for (voxels, block) in blocks {
                for i in 0..n_trials {
                    for (&v, value) in voxels.iter().zip(block.row(i)) {
                        out.row_mut(i)[v] = *value;
                    }
                }
            }
        }
        Ok(out)
    }
}

/// The voxels of each response.
fn by_response(response: &[u8]) -> BTreeMap<usize, Vec<usize>> {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (v, index) in response.iter().enumerate() {
        groups.entry(usize::from(*index)).or_default().push(v);
    }
    groups
}
