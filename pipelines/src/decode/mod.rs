//! From trials to images and categories, with the controls that keep the scores honest.
//!
//! One run is left out at a time. Whatever is fitted (picture components, centring, ridge penalty,
//! weights, classifier) is fitted on the other runs alone; the penalty is chosen by leaving
//! out one of those in turn. The whole of it is repeated with trials shuffled against their
//! pictures and labels within each run: what remains of a score then is what it owes to the
//! method, not to the brain.

mod fold;
mod pictures;
mod plan;
mod result;
mod shuffle;
mod tally;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

pub use plan::{Code, DecodePlan};
use rayon::prelude::*;
pub use result::{Decoded, DecodedTrial, Score, Scores};

use crate::betas::Betas;
use crate::decode::fold::{Brain, FoldPictures, Known};
use crate::decode::pictures::Pictures;
use crate::decode::tally::Tally;
use crate::device::Compute;
use crate::linear::folds::{self, Fold, Folds};
use crate::linear::ridge::Design;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::study::Stimulus;
use crate::{Error, Result};

/// Decodes every trial from models fitted without its run.
///
/// Pictures are reconstructed by ridge regression onto the plan's code, conditions are named by
/// [`lda`](crate::linear::lda); a study without pictures gets the conditions alone, one with a single
/// condition the pictures alone. Single trials are decoded, never means over repeats. Candidates
/// for two-way identification and retrieval are the distinct pictures of the held-out run; where
/// runs share pictures, all pictures of the study. Runs that share pictures are left out
/// together where that leaves something to train on; where it does not,
/// [`Decoded::stimuli_seen_in_training`] says so.
///
/// `publish` gets the state after each fold (its scores cover the folds done so far and carry
/// no shuffles yet); the value returned is complete. Fails with fewer than two runs, values that
/// are not finite, or nothing to decode.
pub fn decode(
    betas: &Betas,
    stimuli: &[Stimulus],
    plan: &DecodePlan,
    compute: &Compute,
    run: &Run<'_>,
    publish: &dyn Fn(Decoded),
) -> Result<Decoded, Stop> {
    decode_anew(betas, None, stimuli, plan, compute, run, publish)
}

/// Reads all trials (as many rows and columns as the betas) with choices made from the runs of these labels alone.
pub type ReadAnew<'a> = dyn Fn(&[&str], &Run<'_>) -> Result<Matrix, Stop> + 'a;

/// As [`decode`], with trials read anew for each fold where `read` is given: what their model chooses (responses,
/// shrinkage) is then chosen on the training runs of the fold.
pub fn decode_anew(
    betas: &Betas,
    read: Option<&ReadAnew<'_>>,
    stimuli: &[Stimulus],
    plan: &DecodePlan,
    compute: &Compute,
    run: &Run<'_>,
    publish: &dyn Fn(Decoded),
) -> Result<Decoded, Stop> {
    let started = Instant::now();
    check(betas, plan)?;
    let Folds {
        folds,
        split,
        stimuli_shared,
        runs_share_stimuli,
    } = folds::leave_one_run_out(&betas.trials)?;
    run.stage("reading pictures");
    let mut warnings = Vec::new();
    let pictures = pictures::gather(betas, stimuli, plan.code, &mut warnings, run)?;
    let conditions = conditions(betas);
    let decodes_conditions = conditions.len() >= 2;
    if pictures.is_none() && !decodes_conditions {
        return Err(Error::data(
            "there is nothing to decode: the trials have one condition only and no two stimuli with pictures",
        )
        .into());
    }
    let known = Known {
        labels: betas
            .trials
            .iter()
            .map(|t| {
                conditions
                    .iter()
                    .position(|c| *c == t.condition)
                    .unwrap_or(0)
            })
            .collect(),
        pictures: pictures
            .as_ref()
            .map_or_else(Vec::new, |p| p.of_trial.clone()),
    };
    let shuffles = shuffle::shuffles(betas, &known, plan, &mut warnings);
    run.stage("multiplying trials");
    let brain = Brain {
        design: Design::new(&betas.values, compute, run)?,
        trials: &betas.trials,
        compute,
    };

    let stimuli_seen_in_training = stimuli_shared && pictures.is_some();
    if stimuli_seen_in_training {
        warnings.push(
            "Pictures shown in the held-out run were also shown in training runs: the scores tell how well known pictures are recognised, not how well new ones are reconstructed."
                .to_owned(),
        );
    }
    warn_of_folds(
        betas,
        &folds,
        decodes_conditions,
        pictures.is_some(),
        &mut warnings,
    );

    let mut state = Decoded {
        trials: Vec::new(),
        scores: Scores::default(),
        split,
        stimuli_seen_in_training,
        voxel_weights: if pictures.is_some() {
            vec![0.0; betas.n_voxels()]
        } else {
            Vec::new()
        },
        confusion: vec![vec![0; conditions.len()]; conditions.len()],
        conditions,
        alphas: Vec::new(),
        device: compute.name.clone(),
        seconds: 0.0,
        warnings,
    };
    let mut real = Tally::default();
    let mut controls = vec![Tally::default(); shuffles.len()];
    let n_units = folds.len() * (1 + shuffles.len());
    let done = AtomicUsize::new(0);
    let step = || run.progress(done.fetch_add(1, Ordering::Relaxed) + 1, n_units);
    let mut norms = vec![0.0f64; state.voxel_weights.len()];

    for (f, fold) in folds.iter().enumerate() {
        run.stage(format!(
            "decoding run {} ({} of {})",
            fold.label,
            f + 1,
            folds.len()
        ));
        let anew = match read {
            Some(read) => Some(read(&runs_of(betas, &fold.train), run)?),
            None => None,
        };
        let brain_anew = match &anew {
            Some(values) => Some(Brain {
                design: Design::new(values, compute, run)?,
                trials: &betas.trials,
                compute,
            }),
            None => None,
        };
        let brain = brain_anew.as_ref().unwrap_or(&brain);
        let prepared = match &pictures {
            Some(pictures) => {
                FoldPictures::prepare(brain, fold, pictures, plan, runs_share_stimuli, run)?
            }
            None => None,
        };
        let n_classes = if decodes_conditions {
            state.conditions.len()
        } else {
            0
        };
        let outcome = fold::outcome(brain, fold, prepared.as_ref(), &known, n_classes, plan, run)?;
        if let Some(prepared) = &prepared {
            state.alphas.push(median(&outcome.alphas));
            for (sum, norm) in
                norms
                    .iter_mut()
                    .zip(prepared.voxel_norms(brain, &known, &outcome.alphas, run)?)
            {
                *sum += f64::from(norm);
            }
            real.add_guess(&prepared.guess());
        }
        real.add(&outcome);
        record(&mut state, betas, fold, &outcome, pictures.as_ref());
        for (weight, sum) in state.voxel_weights.iter_mut().zip(&norms) {
            *weight = (sum / (f + 1) as f64) as f32;
        }
        state.scores = tally::scores(&real, &[], &state.confusion);
        state.seconds = started.elapsed().as_secs_f64();
        step();
        publish(state.clone());

        run.stage(format!(
            "shuffled control of run {} ({} of {})",
            fold.label,
            f + 1,
            folds.len()
        ));
        let outcomes: Result<Vec<_>, Stop> = shuffles
            .par_iter()
            .map(|order| {
                run.check()?;
                let shuffled = known.reordered(order);
                let outcome = fold::outcome(
                    brain,
                    fold,
                    prepared.as_ref(),
                    &shuffled,
                    n_classes,
                    plan,
                    run,
                )?;
                step();
                Ok(outcome)
            })
            .collect();
        for (control, outcome) in controls.iter_mut().zip(outcomes?) {
            control.add(&outcome);
        }
    }
    state.trials.sort_by_key(|t| t.trial);
    state.scores = tally::scores(&real, &controls, &state.confusion);
    state.seconds = started.elapsed().as_secs_f64();
    Ok(state)
}

fn check(betas: &Betas, plan: &DecodePlan) -> Result<()> {
    if betas.n_voxels() == 0 || betas.trials.len() != betas.n_trials() {
        return Err(Error::data(format!(
            "the betas hold {} trials ({} described) of {} voxels: nothing can be decoded from them",
            betas.n_trials(),
            betas.trials.len(),
            betas.n_voxels()
        )));
    }
    let n_bad = betas
        .values
        .values
        .iter()
        .filter(|v| !v.is_finite())
        .count();
    if n_bad > 0 {
        return Err(Error::data(format!(
            "{n_bad} of {} betas are NaN or infinite: leave those voxels out of the mask, or repair the runs",
            betas.values.values.len()
        )));
    }
    if plan.alphas.is_empty() || plan.alphas.iter().any(|a| !a.is_finite() || *a <= 0.0) {
        return Err(Error::data(
            "the ridge penalties must be positive numbers, at least one",
        ));
    }
    Ok(())
}

/// The distinct conditions, sorted; none when only one occurs.
fn conditions(betas: &Betas) -> Vec<String> {
    let mut all: Vec<String> = betas.trials.iter().map(|t| t.condition.clone()).collect();
    all.sort();
    all.dedup();
    if all.len() < 2 { Vec::new() } else { all }
}

fn warn_of_folds(
    betas: &Betas,
    folds: &[Fold],
    decodes_conditions: bool,
    has_pictures: bool,
    warnings: &mut Vec<String>,
) {
    let runs_in = |rows: &[usize]| {
        let mut runs: Vec<&str> = rows.iter().map(|&r| betas.trials[r].run.as_str()).collect();
        runs.sort_unstable();
        runs.dedup();
        runs.len()
    };
    if has_pictures && folds.iter().any(|f| runs_in(&f.train) < 2) {
        warnings.push(
            "With a single training run the ridge penalty cannot be chosen by cross-validation: the middle one of the list was taken."
                .to_owned(),
        );
    }
    let unseen = folds
        .iter()
        .flat_map(|f| f.test.iter().map(move |t| (f, t)))
        .filter(|(f, t)| {
            !f.train
                .iter()
                .any(|r| betas.trials[*r].condition == betas.trials[**t].condition)
        })
        .count();
    if decodes_conditions && unseen > 0 {
        warnings.push(format!(
            "{unseen} trials have a condition that no training run holds and can only be named wrongly."
        ));
    }
}

/// Writes a fold's trials and confusions into the state.
fn record(
    state: &mut Decoded,
    betas: &Betas,
    fold: &Fold,
    outcome: &fold::Outcome,
    pictures: Option<&Pictures>,
) {
    for (i, &row) in fold.test.iter().enumerate() {
        let trial = &betas.trials[row];
        let predicted = outcome
            .named
            .get(i)
            .and_then(|&c| state.conditions.get(c))
            .cloned();
        if let (Some(&named), Some(shown)) = (
            outcome.named.get(i),
            state.conditions.iter().position(|c| *c == trial.condition),
        ) {
            state.confusion[shown][named] += 1;
        }
        let drawn = outcome.drawn.iter().find(|d| d.trial == row);
        state.trials.push(DecodedTrial {
            trial: row,
            stimulus: pictures.and_then(|p| p.of_trial[row].map(|i| Arc::clone(&p.images[i]))),
            reconstruction: drawn
                .zip(pictures)
                .map(|(d, p)| Arc::new(p.image(&d.pixels))),
            stimulus_id: trial.stimulus.clone(),
            condition: trial.condition.clone(),
            predicted_condition: predicted,
            pixcorr: drawn.map(|d| d.pixcorr),
            ssim: drawn.and_then(|d| d.ssim),
            two_way: drawn.and_then(|d| d.two_way),
            retrieval_rank: drawn.and_then(|d| d.rank),
            n_candidates: drawn.map(|d| d.n_candidates),
            fold: fold.label.clone(),
        });
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The labels of the runs that some rows are of.
fn runs_of<'a>(betas: &'a Betas, rows: &[usize]) -> Vec<&'a str> {
    let mut labels: Vec<&str> = Vec::new();
    for &row in rows {
        let label = betas.trials[row].run.as_str();
        if !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}
