//! Responses of single trials, regularised in the manner of GLMsingle (Prince et al. 2022, *eLife* 11, e77599).
//!
//! Three things are chosen: for each voxel the response of a library under which one regressor a trial explains most;
//! how many components of voxels without a response are taken out as noise; for each voxel the fraction to which ridge
//! regression shrinks its responses (Rokem & Kay 2020, *GigaScience* 9, giaa133). The last two are chosen by how well
//! repeats of a stimulus predict each other. What is chosen is a value ([`Choice`]) made from the runs that are named
//! and applied to any: a fold of a cross-validation chooses on its training runs alone.
//!
//! Unlike GLMsingle, nothing fails without repeats across runs: repeats within runs are used instead, or nothing is
//! shrunk, and [`Choice::words`] says so.

mod denoise;
mod repeats;
mod ridge;

use std::collections::BTreeMap;

use faer::Mat;
use rayon::prelude::*;

use crate::betas::{Betas, Columns, Trial};
use crate::glm::readout::{Regressors, regressors};
use crate::glm::response::{LIBRARY_SIZE, library_at, library_length_secs};
use crate::glm::{
    BetasPlan, clean, count_repeats, courses, events_of, hrf, label_of, other_grid, region,
    report_voxels, scale, tr_of, trial,
};
use crate::mask::Mask;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::study::select::Selection;
use crate::{Error, Result};

use repeats::Repeats;
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
    /// What the mean response to any trial explains of each voxel's squares, one map a response of the library.
    explained: Vec<Vec<f32>>,
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

/// Reads the runs of a selection and makes a regressor for each trial and each response of the library.
pub fn prepare(
    selection: &Selection<'_>,
    plan: &BetasPlan,
    run: &Run<'_>,
) -> Result<Prepared, Stop> {
    let Some(first) = selection.runs.first() else {
        return Err(Error::Choice(format!(
            "subject {} has no BOLD runs, and responses of single trials need them: loosen the options",
            selection.subject.id
        ))
        .into());
    };
    run.stage("reading the mask");
    let chosen = region::mask(selection, run)?;
    let mut mask = chosen.as_ref().map(|region| region.mask.clone());
    let mut prepared = Vec::new();
    let mut trials = Vec::new();
    for (done, bold) in selection.runs.iter().enumerate() {
        run.check()?;
        run.stage(format!(
            "reading {} ({} of {})",
            label_of(bold),
            done + 1,
            selection.runs.len()
        ));
        run.progress(done, selection.runs.len());
        let open = courses::open(bold, run)?;
        let mask = mask.get_or_insert_with(|| {
            run.warn("no mask was named: all voxels of the volume are used");
            Mask::new(open.grid.clone(), |_| true)
        });
        if !mask.grid().same_as(&open.grid) {
            let (what, path) = match &chosen {
                Some(region) => (region.name.as_str(), region.path.as_deref()),
                None => ("the first run", first.bold.path()),
            };
            return Err(other_grid(what, path, mask, bold, &open.grid).into());
        }
        let tr_secs = tr_of(bold, open.tr_secs)?;
        let mut rows = events_of(bold, plan, run)?;
        let end = open.n_times as f64 * tr_secs;
        let n_rows = rows.len();
        rows.retain(|row| row.onset_secs < end);
        if rows.len() < n_rows {
            run.warn(format!(
                "{}: {} of {n_rows} events begin after its last volume and are left out",
                label_of(bold),
                n_rows - rows.len()
            ));
        }
        let mut shifted = rows.clone();
        shifted
            .iter_mut()
            .for_each(|row| row.onset_secs -= plan.slice_time_ref * tr_secs);
        let drifts = clean::drifts(open.n_times, plan.detrend_order);
        let of_response = |index: usize| -> Result<Regressors> {
            let sums = hrf::Sums::of(
                |t| library_at(index, t),
                library_length_secs(index),
                tr_secs,
            );
            let time = (open.n_times, tr_secs);
            regressors(
                &shifted,
                &drifts,
                time,
                &label_of(bold),
                |onset, duration, n| sums.regressor(onset, duration, n),
            )
        };
        // The same trials for every response: those that the canonical one can read.
        let kept = of_response(CANONICAL)?.kept;
        if kept.len() < rows.len() {
            run.warn(format!(
                "{}: {} of {} events are left out because their response lies outside the run",
                label_of(bold),
                rows.len() - kept.len(),
                rows.len()
            ));
        }
        shifted = kept.iter().map(|&r| shifted[r].clone()).collect();
        let designs = (0..LIBRARY_SIZE)
            .map(|index| {
                let sums = hrf::Sums::of(
                    |t| library_at(index, t),
                    library_length_secs(index),
                    tr_secs,
                );
                let column = |row: &crate::study::events::EventRow| {
                    let mut x = sums.regressor(row.onset_secs, row.duration_secs, open.n_times);
                    clean::without(&mut x, &drifts);
                    x
                };
                let columns: Vec<Vec<f64>> = shifted.iter().map(column).collect();
                Mat::from_fn(open.n_times, columns.len(), |t, i| columns[i][t])
            })
            .collect::<Vec<_>>();
        let cleaned = clean::flattened(&open.courses(mask, run)?, plan.detrend_order, run)?;
        report_voxels(&cleaned, mask, bold, chosen.is_some(), run)?;
        let explained = designs
            .par_iter()
            .map(|design| mean_response(design, &cleaned.values, run))
            .collect::<Result<Vec<_>, Stop>>()?;
        let first = trials.len();
        trials.extend(
            kept.iter()
                .map(|&r| trial(&rows[r], bold, &selection.subject.id)),
        );
        prepared.push(PreparedRun {
            label: bold.label.clone(),
            courses: cleaned.values,
            percent: cleaned.percent,
            designs,
            explained,
            first,
        });
    }
    run.progress(selection.runs.len(), selection.runs.len());
    let Some(mask) = mask.filter(|_| !trials.is_empty()) else {
        return Err(Error::data(format!(
            "the events of subject {} name no trial besides rest: check the trial_type column",
            selection.subject.id
        ))
        .into());
    };
    count_repeats(&mut trials);
    Ok(Prepared {
        plan: plan.clone(),
        mask,
        runs: prepared,
        trials,
    })
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
        let response = self.responses(&used);
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
            "single trials with a response per voxel from a library of {LIBRARY_SIZE}, {} noise components of {} voxels, shrunk to a median of {:.2} of their length, {how}",
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
        for (prepared, components) in self.runs.iter().zip(&components) {
            run.check()?;
            let mut block = prepared.read(choice, components.as_ref(), run)?;
            scale(&mut block, self.plan.units, &prepared.percent);
            values = values.stacked(&block)?;
        }
        let units = match self.plan.units {
            crate::glm::TrialUnits::Percent => "in per cent of each voxel's mean",
            crate::glm::TrialUnits::ZScored => "z-scored per voxel within each run",
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

    /// For each voxel the response that is most probable, given what trials explain under each and how common each is
    /// among the voxels that respond.
    ///
    /// The evidence is what the mean response to any trial explains. (With one regressor a trial, as in GLMsingle, noise
    /// that carries over in time prefers one response to another wherever there is little signal.) How common responses
    /// are is estimated first, by expectation maximisation over all voxels; a voxel departs from the common ones as far as
    /// its own evidence goes.
    fn responses(&self, used: &[usize]) -> Vec<u8> {
        let n_values: f64 = used
            .iter()
            .map(|&r| self.runs[r].courses.n_rows as f64)
            .sum();
        let log_likelihoods: Vec<[f64; LIBRARY_SIZE]> = (0..self.mask.len())
            .into_par_iter()
            .map(|v| {
                let explained: [f64; LIBRARY_SIZE] = std::array::from_fn(|k| {
                    used.iter()
                        .map(|&r| f64::from(self.runs[r].explained[k][v]))
                        .sum()
                });
                let most = explained.iter().copied().fold(0.0, f64::max);
                // Courses have a variance of 1, so what is not explained is what is left of their number.
                let noise = ((n_values - most) / n_values).max(1e-6);
                explained.map(|e| (e - most) / (2.0 * noise))
            })
            .collect();
        let mut common = [1.0 / LIBRARY_SIZE as f64; LIBRARY_SIZE];
        for _ in 0..50 {
            let posteriors = log_likelihoods.iter().map(|log| {
                let joint: [f64; LIBRARY_SIZE] = std::array::from_fn(|k| common[k] * log[k].exp());
                let sum: f64 = joint.iter().sum();
                joint.map(|p| p / sum)
            });
            let mut sums = [1e-3; LIBRARY_SIZE];
            for posterior in posteriors {
                sums.iter_mut().zip(posterior).for_each(|(s, p)| *s += p);
            }
            let total: f64 = sums.iter().sum();
            common = sums.map(|s| s / total);
        }
        let best = |log: &[f64; LIBRARY_SIZE]| {
            let of = |k: usize| log[k] + common[k].ln();
            (0..LIBRARY_SIZE).fold(CANONICAL, |best, k| if of(k) > of(best) { k } else { best })
                as u8
        };
        log_likelihoods.par_iter().map(best).collect()
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

/// The squares that the sum of all regressors explains, a voxel.
fn mean_response(design: &Mat<f64>, courses: &Matrix, run: &Run<'_>) -> Result<Vec<f32>, Stop> {
    let mean = Mat::from_fn(design.nrows(), 1, |t, _| {
        (0..design.ncols()).map(|i| design[(t, i)]).sum::<f64>()
    });
    Factor::of(&mean, None)?.explained(courses, run)
}

/// The voxels of each response.
fn by_response(response: &[u8]) -> BTreeMap<usize, Vec<usize>> {
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (v, index) in response.iter().enumerate() {
        groups.entry(usize::from(*index)).or_default().push(v);
    }
    groups
}
