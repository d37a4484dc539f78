//! Encoding models: what every voxel says, predicted from what was shown, and how near that comes to what can be
//! predicted at all.
//!
//! Trials are divided into folds of whole runs, repeats of a picture together ([`folds`]). Each fold is predicted from
//! the others by ridge regression ([`crate::linear::search`]); penalty and weights of the feature spaces are chosen
//! voxel by voxel among the training folds alone. The whole is repeated with responses shuffled within their runs: what
//! is left of a score then is what it owes to the method. Scores stand beside the noise ceiling that repeats of pictures
//! give ([`crate::stats::ceiling`]).

pub mod features;
pub mod folds;
mod plan;
mod result;
mod scores;
pub mod series;

use std::ops::Range;
use std::sync::Mutex;
use std::time::Instant;

pub use plan::{EncodePlan, weights};
pub use result::{Encoded, Fold, Luck, Score, mean_over};

use crate::betas::{Betas, Trial};
use crate::device::Compute;
use crate::linear::search::{self, Grid, Predicted, Problem};
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::{ceiling, reliability};
use crate::{Error, Result};
use features::Design;
use scores::Sums;

/// Voxels with less to explain in a single trial have no normalised score, and no part in means: a ratio to next to
/// nothing is noise.
pub const LEAST_CEILING: f32 = 0.05;

/// Fits an encoding model to every voxel and scores it on the folds it was not fitted on.
///
/// `design` holds features of some of the trials of `betas`. A voxel that is not finite, or does not vary, has no score.
/// Fails when the trials cannot be divided into folds.
pub fn encode(
    betas: &Betas,
    design: &Design,
    plan: &EncodePlan,
    compute: &Compute,
    run: &Run<'_>,
) -> Result<Encoded, Stop> {
    let started = Instant::now();
    check(betas, design)?;
    let all = design.trials.len() == betas.n_trials();
    let chosen = (!all).then(|| betas.values.select_rows(&design.trials));
    let responses = chosen.as_ref().unwrap_or(&betas.values);
    let trials: Vec<&Trial> = design.trials.iter().map(|&t| &betas.trials[t]).collect();
    let owned: Vec<Trial> = trials.iter().map(|t| (*t).clone()).collect();
    let parts = folds::parts(&owned, plan.n_folds, plan.together, plan.seed)?;
    let mut warnings = design.warnings.clone();
    warn_of_folds(&parts, plan, &mut warnings);
    warn_of_voxels(responses, &mut warnings);

    run.stage("what comes back when a picture does");
    let ceiling = match ceiling_of(responses, &owned, run)? {
        Ok(ceiling) => Some(ceiling),
        Err(why) => {
            warnings.push(why);
            None
        }
    };
    let n_voxels = responses.n_cols;
    let spaces: Vec<Range<usize>> = design.spaces.iter().map(|s| s.1.clone()).collect();
    if parts.rows.len() < 3 {
        warnings.push(
            "With two folds there is nothing to choose a penalty by: the middle one of the list was taken, and spaces weigh the same."
                .to_owned(),
        );
    }
    let fit = Fit {
        x: &design.x,
        spaces: &spaces,
        parts: &parts.rows,
        plan,
        compute,
    };
    let own_order = [Vec::new()];
    let true_fit = fit.fold_by_fold(responses, &own_order, "", run)?;
    let control = control_voxels(responses, ceiling.as_deref(), plan.n_control);
    let orders = folds::shuffles(&trials, plan.n_shuffles, plan.seed);
    let shuffled = if orders.is_empty() || control.is_empty() {
        Vec::new()
    } else {
        let responses = responses.select_columns(&control);
        let all = fit
            .fold_by_fold(&responses, &orders, "shuffled control: ", run)?
            .totals;
        let place = |sums: &Vec<Sums>, of: fn(&Sums) -> f32| {
            let mut map = vec![f32::NAN; n_voxels];
            control.iter().zip(sums).for_each(|(&v, s)| map[v] = of(s));
            map
        };
        all.iter()
            .map(|sums| (place(sums, Sums::r), place(sums, Sums::r2)))
            .collect()
    };
    let (r_shuffled, r2_shuffled) = shuffled.into_iter().unzip();
    let truth = &true_fit.totals[0];
    let r2: Vec<f32> = truth.iter().map(Sums::r2).collect();
    let of_space = |space: usize| truth.iter().map(|s| s.r2_of(space)).collect();
    let normalised = ceiling
        .as_ref()
        .map(|c| ceiling::normalised(&r2, c, LEAST_CEILING));
    Ok(Encoded {
        spaces: design
            .spaces
            .iter()
            .map(|(name, c)| (name.clone(), c.len()))
            .collect(),
        folds: parts
            .labels
            .iter()
            .zip(&parts.rows)
            .map(|(label, rows)| Fold {
                label: label.clone(),
                n_test: rows.len(),
                n_train: design.trials.len() - rows.len(),
            })
            .collect(),
        split: parts.split.clone(),
        pictures_shared: parts.pictures_shared,
        runs_shared: parts.runs_shared,
        r: truth.iter().map(Sums::r).collect(),
        by_space: if spaces.len() > 1 {
            (0..spaces.len()).map(of_space).collect()
        } else {
            vec![r2.clone()]
        },
        r2,
        alpha: chosen_alphas(&true_fit.found, plan),
        weights: chosen_weights(&true_fit.found, &true_fit.gammas, spaces.len()),
        r_shuffled,
        r2_shuffled,
        ceiling,
        normalised,
        n_trials: design.trials.len(),
        is_primal: true_fit.is_primal,
        device: compute.name.clone(),
        seconds: started.elapsed().as_secs_f64(),
        warnings,
    })
}

/// What all orders of the responses share.
struct Fit<'a> {
    x: &'a Matrix,
    spaces: &'a [Range<usize>],
    parts: &'a [Vec<usize>],
    plan: &'a EncodePlan,
    compute: &'a Compute,
}

struct Fitted {
    /// An order a row, a voxel a column.
    totals: Vec<Vec<Sums>>,
    /// Of the first order: what was chosen in every fold.
    found: Vec<search::Chosen>,
    gammas: Vec<Vec<f64>>,
    is_primal: bool,
}

impl Fit<'_> {
    /// Predicts every fold from the others, for each order of the responses.
    fn fold_by_fold(
        &self,
        responses: &Matrix,
        orders: &[Vec<usize>],
        what: &str,
        run: &Run<'_>,
    ) -> Result<Fitted, Stop> {
        let n = responses.n_cols;
        run.stage(format!("{what}multiplying features"));
        let problem = Problem::new(
            (self.x, responses),
            self.spaces,
            self.parts,
            None,
            self.compute,
            run,
        )?;
        let scale = problem.scale();
        let grid = Grid {
            alphas: self.plan.alphas.iter().map(|a| a * scale).collect(),
            gammas: plan::weights(self.spaces.len(), self.plan.n_weights, self.plan.seed),
        };
        let (models, splits) = search::nested(self.parts.len());
        let found = if splits.len() < 2 {
            middle(&models, &grid, orders.len(), n)
        } else {
            run.stage(format!(
                "{what}choosing among {} penalties and {} weights of spaces for {n} voxels",
                grid.alphas.len(),
                grid.gammas.len()
            ));
            search::search(&problem, models.len(), &splits, &grid, orders, run)?
        };
        run.stage(format!("{what}predicting the folds left out"));
        // Folds are added up in their order at the end, so that sums do not depend on threads.
        let by_fold = Mutex::new(vec![
            vec![vec![Sums::default(); n]; models.len()];
            orders.len()
        ]);
        let consume = |told: &Predicted<'_>| {
            let sums = scores::sums(told);
            let mut all = by_fold
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            let all = &mut all[told.order][told.model];
            told.targets
                .iter()
                .zip(sums)
                .for_each(|(&target, sums)| all[target] = sums);
        };
        // Only what is shown space by space is computed so.
        let by_space = |order: usize| orders[order].is_empty();
        search::predict(
            &problem,
            &models,
            &grid,
            (orders, &found),
            &by_space,
            run,
            &consume,
        )?;
        let by_fold = by_fold
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let total = |folds: &Vec<Vec<Sums>>| -> Vec<Sums> {
            (0..n)
                .map(|v| Sums::of(folds.iter().map(|fold| &fold[v])))
                .collect()
        };
        Ok(Fitted {
            totals: by_fold.iter().map(total).collect(),
            found: found.into_iter().next().unwrap_or_default(),
            gammas: grid.gammas.clone(),
            is_primal: problem.is_primal(),
        })
    }
}

/// Voxels that the control is made for: those that vary and have something to explain, at most so many, evenly.
fn control_voxels(responses: &Matrix, ceiling: Option<&[f32]>, most: usize) -> Vec<usize> {
    let first = responses.row(0);
    let varies = |v: usize| responses.rows().any(|row| row[v] != first[v]);
    let all: Vec<usize> = (0..responses.n_cols)
        .filter(|&v| ceiling.is_none_or(|c| c[v] >= LEAST_CEILING))
        .filter(|&v| first[v].is_finite() && varies(v))
        .collect();
    let n = all.len().min(most);
    (0..n).map(|i| all[i * all.len() / n]).collect()
}

fn check(betas: &Betas, design: &Design) -> Result<()> {
    if design.x.n_rows != design.trials.len()
        || design.trials.iter().any(|&t| t >= betas.n_trials())
        || betas.trials.len() != betas.n_trials()
    {
        return Err(Error::data(format!(
            "the features are of {} trials and do not fit the {} responses: make them for the same trials",
            design.trials.len(),
            betas.n_trials()
        )));
    }
    if betas.n_voxels() == 0 {
        return Err(Error::data(
            "there are no voxels to predict: choose another mask",
        ));
    }
    Ok(())
}

fn warn_of_folds(parts: &folds::Parts, plan: &EncodePlan, warnings: &mut Vec<String>) {
    if parts.rows.len() < plan.n_folds {
        warnings.push(format!(
            "Only {} groups of runs can be told apart, so there are {0} folds and not {}.",
            parts.rows.len(),
            plan.n_folds
        ));
    }
    if parts.pictures_shared {
        warnings.push(
            "Pictures of a fold were also trained on: the scores tell how well known pictures are predicted, not new ones."
                .to_owned(),
        );
    }
    if parts.runs_shared {
        warnings.push(
            "Trials of one run are on both sides of a split, because runs share pictures: slow changes within runs may help the model."
                .to_owned(),
        );
    }
    if plan.n_shuffles == 0 {
        warnings
            .push("No shuffled control was asked for: the scores stand without one.".to_owned());
    }
}

fn warn_of_voxels(responses: &Matrix, warnings: &mut Vec<String>) {
    let mut finite = vec![true; responses.n_cols];
    let mut varies = vec![false; responses.n_cols];
    for row in responses.rows() {
        let first = responses.row(0);
        for (c, value) in row.iter().enumerate() {
            finite[c] &= value.is_finite();
            varies[c] |= *value != first[c];
        }
    }
    let n_bad = finite.iter().filter(|f| !**f).count();
    let n_still = finite
        .iter()
        .zip(&varies)
        .filter(|(f, v)| **f && !**v)
        .count();
    if n_bad > 0 {
        warnings.push(format!(
            "{n_bad} of {} voxels hold NaN or infinity in some trial and get no score.",
            responses.n_cols
        ));
    }
    if n_still > 0 {
        warnings.push(format!(
            "{n_still} of {} voxels do not vary over trials and get no score.",
            responses.n_cols
        ));
    }
}

/// The middle penalty and equal weights for everything.
fn middle(
    models: &[search::Model],
    grid: &Grid,
    n_orders: usize,
    n: usize,
) -> Vec<Vec<search::Chosen>> {
    let chosen = search::Chosen {
        alpha: vec![(grid.alphas.len() / 2) as u16; n],
        gamma: vec![0; n],
        error: vec![f32::NAN; n],
    };
    vec![vec![chosen; models.len()]; n_orders]
}

/// The share of a single trial's variance that its picture explains; a sentence where that cannot be known.
fn ceiling_of(
    responses: &Matrix,
    trials: &[Trial],
    run: &Run<'_>,
) -> Result<Result<Vec<f32>, String>, Stop> {
    let repeats = reliability::repeats(trials);
    if repeats.len() < 3 {
        return Ok(Err(format!(
            "{} pictures were shown more than once, which is too few for a noise ceiling: scores stand without one.",
            repeats.len()
        )));
    }
    let all: Vec<usize> = (0..trials.len()).collect();
    let found = ceiling::noise_ceiling(responses, &repeats, &all, run)?;
    Ok(Ok(found.share(&[1])))
}

/// The geometric mean over folds, as a multiple of the plan's unit.
fn chosen_alphas(found: &[search::Chosen], plan: &EncodePlan) -> Vec<f32> {
    let n = found.first().map_or(0, |f| f.alpha.len());
    let mean = |t: usize| {
        let logs = found
            .iter()
            .map(|f| plan.alphas[usize::from(f.alpha[t])].ln());
        (logs.sum::<f64>() / found.len() as f64).exp() as f32
    };
    (0..n).map(mean).collect()
}

/// The mean over folds of the weight of each space.
fn chosen_weights(found: &[search::Chosen], gammas: &[Vec<f64>], n_spaces: usize) -> Vec<Vec<f32>> {
    let n = found.first().map_or(0, |f| f.gamma.len());
    let mean = |space: usize, t: usize| {
        let weights = found.iter().map(|f| gammas[usize::from(f.gamma[t])][space]);
        (weights.sum::<f64>() / found.len() as f64) as f32
    };
    (0..n_spaces)
        .map(|s| (0..n).map(|t| mean(s, t)).collect())
        .collect()
}
