//! From trials to images and categories, with the controls that keep the scores honest.
//!
//! One run is left out at a time. Whatever is fitted (picture components, centring, ridge penalty,
//! weights, classifier) is fitted on the other runs alone; the penalty is chosen by leaving
//! out one of those in turn. The whole of it is repeated with trials shuffled against their
//! pictures and labels within each run: what remains of a score then is what it owes to the
//! method, not to the brain.

mod fold;
mod pictures;
mod shuffle;
mod tally;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use image::RgbImage;
use rayon::prelude::*;

use crate::betas::Betas;
use crate::decode::fold::{Brain, FoldPictures, Known};
use crate::decode::pictures::Pictures;
use crate::decode::tally::Tally;
use crate::device::Compute;
use crate::linear::folds::{self, Fold, Folds};
use crate::linear::ridge::Design;
use crate::run::{Run, Stop};
use crate::study::Stimulus;
use crate::{Error, Result};

/// What an image is turned into before the brain is asked for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Code {
    /// Downsampled pixels, `side × side`, grey or RGB as the stimuli are.
    Pixels {
        /// Pixels a side.
        side: usize,
    },
    /// Principal components of the training images' pixels.
    Components {
        /// At most so many; fewer when the training images are fewer.
        n: usize,
        /// Pixels a side of the image they are taken from and drawn at.
        side: usize,
    },
}

/// How a decode is done. A run is repeatable from it.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodePlan {
    /// The image code.
    pub code: Code,
    /// Ridge penalties to choose from, as multiples of the mean kernel diagonal; ascending.
    pub alphas: Vec<f64>,
    /// For the shuffles and for ties.
    pub seed: u64,
    /// How many times the brain is shuffled against the images for the control.
    pub n_shuffles: usize,
}

impl Default for DecodePlan {
    fn default() -> Self {
        Self {
            code: Code::Components { n: 64, side: 32 },
            alphas: (-3..=5).map(|e| 10f64.powi(e)).collect(),
            seed: 1,
            n_shuffles: 20,
        }
    }
}

/// Stimulus, reconstruction and scores of one held-out trial.
#[derive(Clone, Debug)]
pub struct DecodedTrial {
    /// Row of the betas.
    pub trial: usize,
    /// The picture that was shown, at the code's size; `None` in a study without pictures.
    pub stimulus: Option<Arc<RgbImage>>,
    /// What the brain says; `None` in a study without pictures.
    pub reconstruction: Option<Arc<RgbImage>>,
    /// The stimulus id.
    pub stimulus_id: Option<String>,
    /// The condition shown.
    pub condition: String,
    /// The condition the classifier names.
    pub predicted_condition: Option<String>,
    /// Pearson correlation of reconstruction and stimulus pixels.
    pub pixcorr: Option<f64>,
    /// Structural similarity.
    pub ssim: Option<f64>,
    /// Share of the other candidates that are less like the reconstruction than the stimulus is; chance 0.5.
    pub two_way: Option<f64>,
    /// Rank of the true stimulus among the candidates, 1 is best.
    pub retrieval_rank: Option<usize>,
    /// How many candidates there were.
    pub n_candidates: Option<usize>,
    /// The run that was left out when this trial was decoded.
    pub fold: String,
}

/// A score with its companions.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Score {
    /// The score itself.
    pub value: f64,
    /// What guessing gets: the share of the commonest condition (accuracy), 1/2 (two-way), one in
    /// the number of candidates (retrieval); for pixel correlation and structural similarity what the mean training
    /// picture gets, the best guess without a brain.
    pub chance: f64,
    /// What the same pipeline gets when trials are shuffled against their labels, mean over
    /// shuffles; NaN while there are none.
    pub shuffled: f64,
    /// Standard deviation over shuffles; NaN while there are none.
    pub shuffled_sd: f64,
    /// (1 + shuffles at least as good) / (1 + shuffles).
    pub p: f64,
}

/// The scores of a decode. `None` where the study has no pictures (or one condition).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Category accuracy, mean over trials.
    pub accuracy: Option<Score>,
    /// Mean pixel correlation.
    pub pixcorr: Option<Score>,
    /// Mean structural similarity.
    pub ssim: Option<Score>,
    /// Mean two-way identification.
    pub two_way: Option<Score>,
    /// Share of trials whose stimulus comes first among the candidates.
    pub retrieval_top1: Option<Score>,
}

/// Everything a decode gives.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Held-out trials in the order of the betas.
    pub trials: Vec<DecodedTrial>,
    /// Over all of them.
    pub scores: Scores,
    /// The split in words ("leave one run out, 8 runs").
    pub split: String,
    /// Whether any test stimulus was also seen in its fold's training runs.
    pub stimuli_seen_in_training: bool,
    /// Per voxel: mean over folds of the L2 norm of its ridge weights (which voxels drove it); empty without pictures.
    pub voxel_weights: Vec<f32>,
    /// The condition names in the order of `confusion`.
    pub conditions: Vec<String>,
    /// `confusion[shown][named]`, trials.
    pub confusion: Vec<Vec<usize>>,
    /// The penalty chosen in each fold, as in the plan.
    pub alphas: Vec<f64>,
    /// The device used.
    pub device: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// What the user should know about these scores.
    pub warnings: Vec<String>,
}

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
        let prepared = match &pictures {
            Some(pictures) => {
                FoldPictures::prepare(&brain, fold, pictures, plan, runs_share_stimuli, run)?
            }
            None => None,
        };
        let n_classes = if decodes_conditions {
            state.conditions.len()
        } else {
            0
        };
        let outcome = fold::outcome(
            &brain,
            fold,
            prepared.as_ref(),
            &known,
            n_classes,
            plan,
            run,
        )?;
        if let Some(prepared) = &prepared {
            state.alphas.push(outcome.alpha);
            for (sum, norm) in
                norms
                    .iter_mut()
                    .zip(prepared.voxel_norms(&brain, &known, outcome.alpha, run)?)
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
                    &brain,
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
