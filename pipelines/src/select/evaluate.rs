//! Two scores side by side: of the features that were picked by looking at everything, and of features picked anew in
//! every fold from its training rows. The first flatters; the second is what new data would give.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::run::{Run, Stop};
use crate::select::classify::Model;
use crate::select::pick::{Basket, PickPlan};
use crate::select::procedure::{Outcome, Procedure};
use crate::select::score::{self, Prediction, Scored};
use crate::select::search::{Chosen, Search};
use crate::select::shuffle::Shuffler;
use crate::select::split::{self, SplitRule};
use crate::select::table::Table;
use crate::{Error, Result};

/// How features are scored. An evaluation is repeatable from it, the tables and the basket.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct EvaluationPlan {
    /// How features are picked, over all rows for the fixed basket and in every fold for the re-picked one.
    pub pick: PickPlan,
    /// What else the training rows of a fold choose.
    pub search: Search,
    /// The classifier.
    pub model: Model,
    /// What is held out.
    pub split: SplitRule,
    /// Permutations of labels for p; 0 for none.
    pub n_permutations: usize,
    /// For the permutations.
    pub seed: u64,
}

impl Default for EvaluationPlan {
    fn default() -> Self {
        Self {
            pick: PickPlan::default(),
            search: Search::None,
            model: Model::Lda,
            split: SplitRule::Runs,
            n_permutations: 1000,
            seed: 1,
        }
    }
}

/// One way of getting features from the data; of several, the training rows of each fold choose.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// Its name for readers ("lag 2 volumes").
    pub name: &'a str,
    /// Rows and classes are the same in all candidates.
    pub table: &'a Table,
}

/// How often a feature was picked.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Picked {
    /// The candidate it is of.
    pub candidate: usize,
    /// Its column there.
    pub column: usize,
    /// Folds that picked it.
    pub n_folds: usize,
}

/// What an evaluation gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluation {
    /// The classes.
    pub classes: Vec<String>,
    /// Features picked anew in every fold: honest.
    pub repicked: Scored,
    /// The basket as it is.
    pub fixed: Scored,
    /// Why the fixed score flatters; `None` where the basket owes nothing to the runs it is scored on.
    pub optimistic: Option<String>,
    /// The basket that was scored.
    pub basket: Basket,
    /// The candidate that the basket is of.
    pub basket_candidate: usize,
    /// The share of the commonest class among the tested rows: what guessing gets.
    pub chance: f64,
    /// One in the number of classes: what guessing gets of balanced accuracy.
    pub chance_balanced: f64,
    /// The accuracy of the re-picked way for each permutation of the labels.
    pub null: Vec<f64>,
    /// Different labellings there are, the true one among them: p cannot fall below one in this number.
    pub n_labellings: f64,
    /// Features by the number of folds that picked them, most often first.
    pub frequency: Vec<Picked>,
    /// Rows that were tested.
    pub n_rows: usize,
    /// How rows were held out, in words.
    pub split: String,
    /// Whether stimuli of test rows were among the training rows.
    pub stimuli_shared: bool,
    /// What was said of the re-picked way of every tested row, fold by fold.
    pub predictions: Vec<Vec<Prediction>>,
    /// What the user should know, in sentences.
    pub notes: Vec<String>,
}

/// Scores the candidates: features picked anew in every fold, beside the basket (without one, what the plan picks from
/// all rows).
///
/// With several candidates, or a [`Search`], each fold chooses by leaving out one of its training runs at a time; the
/// permutations repeat all of it.
///
/// # Errors
/// Those of [`split::split`]; when candidates differ in their rows; when the statistic does not suit the classes; when
/// no feature can be picked, or the basket names one that is not there.
pub fn evaluate(
    candidates: &[Candidate<'_>],
    basket: Option<&Basket>,
    plan: &EvaluationPlan,
    run: &Run<'_>,
) -> Result<Evaluation, Stop> {
    let Some(first) = candidates.first() else {
        return Err(Error::data("there is no table of features to score").into());
    };
    let table = first.table;
    check_same_rows(candidates)?;
    let split = split::split(table, plan.split)?;
    let mut notes = table.notes.clone();
    notes.extend(split.notes.clone());
    note_unusable(candidates, &mut notes);
    let procedure = Procedure::new(candidates, &split.folds, plan, run)?;
    let labels = table.labels();

    run.stage("picking features in every fold");
    let honest = procedure.folds(&labels, run)?;
    let mut repicked = score::scored(table, &honest.predictions, procedure.fold_scores(&honest));

    run.stage("scoring the fixed basket");
    let (basket, basket_candidate) = match basket {
        Some(basket) => {
            let holds = |c: &Candidate<'_>| basket.columns(c.table).is_ok();
            let place = candidates.iter().position(holds).unwrap_or(0);
            (basket.clone(), place)
        }
        None => procedure.picked_on_all(&labels, run)?,
    };
    let columns = basket.columns(candidates[basket_candidate].table)?;
    let optimistic = basket.optimistic(table);
    let predictions = procedure.fixed(basket_candidate, &columns, &labels)?;
    let outcome = Outcome {
        chosen: vec![
            Chosen {
                candidate: basket_candidate,
                columns: columns.clone(),
                words: None,
            };
            split.folds.len()
        ],
        predictions,
    };
    let mut fixed = score::scored(table, &outcome.predictions, procedure.fold_scores(&outcome));

    let shuffler = Shuffler::new(table, plan.seed);
    let mut null = Vec::new();
    if plan.n_permutations > 0 {
        notes.extend(shuffler.notes.clone());
    }
    if plan.n_permutations > 0 && shuffler.n_labellings >= 1.5 {
        if shuffler.n_labellings < plan.n_permutations as f64 + 1.0 {
            notes.push(format!(
                "The labels can be exchanged in {:.0} ways only: p cannot fall much below {:.3}.",
                shuffler.n_labellings,
                1.0 / shuffler.n_labellings
            ));
        }
        run.stage("permuting labels within runs");
        let with_fixed = optimistic.is_none();
        let done = AtomicUsize::new(0);
        let scores = (0..plan.n_permutations)
            .into_par_iter()
            .map(|number| {
                let labels = shuffler.labels(number);
                let outcome = procedure.folds(&labels, run)?;
                let score = score::accuracy(&outcome.predictions, &labels);
                let of_fixed = match with_fixed {
                    true => {
                        let said = procedure.fixed(basket_candidate, &columns, &labels)?;
                        score::accuracy(&said, &labels)
                    }
                    false => 0.0,
                };
                run.progress(
                    done.fetch_add(1, Ordering::Relaxed) + 1,
                    plan.n_permutations,
                );
                Ok((score, of_fixed))
            })
            .collect::<Result<Vec<(f64, f64)>, Stop>>()?;
        null = scores.iter().map(|s| s.0).collect();
        repicked.p = Some(p_of(repicked.accuracy, null.iter().copied()));
        if with_fixed {
            fixed.p = Some(p_of(fixed.accuracy, scores.iter().map(|s| s.1)));
        }
    }

    let mut tested = vec![0; table.classes.len()];
    for prediction in honest.predictions.iter().flatten() {
        tested[labels[prediction.row]] += 1;
    }
    let n_rows: usize = tested.iter().sum();
    let commonest = tested.iter().copied().max().unwrap_or(0);
    Ok(Evaluation {
        classes: table.classes.clone(),
        frequency: frequency(&honest.chosen),
        repicked,
        fixed,
        optimistic,
        basket,
        basket_candidate,
        chance: commonest as f64 / n_rows.max(1) as f64,
        chance_balanced: 1.0 / table.classes.len() as f64,
        null,
        n_labellings: shuffler.n_labellings,
        n_rows,
        split: split.words,
        stimuli_shared: split.stimuli_shared,
        predictions: honest.predictions,
        notes,
    })
}

/// Rounding must not keep an equal score from counting.
fn p_of(score: f64, null: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = null.len() as f64;
    let reached = null.filter(|s| *s >= score - 1e-9).count() as f64;
    (1.0 + reached) / (1.0 + n)
}

fn check_same_rows(candidates: &[Candidate<'_>]) -> Result<()> {
    let Some((first, others)) = candidates.split_first() else {
        return Ok(());
    };
    for other in others {
        let same = first.table.n_rows() == other.table.n_rows()
            && first
                .table
                .rows
                .iter()
                .zip(&other.table.rows)
                .all(|(a, b)| a.class == b.class && a.run == b.run);
        if !same || first.table.classes != other.table.classes {
            return Err(Error::data(format!(
                "“{}” has {} rows and “{}” has {} (or in another order): only ways that read the same trials can be chosen between",
                first.name,
                first.table.n_rows(),
                other.name,
                other.table.n_rows()
            )));
        }
    }
    Ok(())
}

fn note_unusable(candidates: &[Candidate<'_>], notes: &mut Vec<String>) {
    for candidate in candidates {
        let table = candidate.table;
        let (not_finite, constant) = table.unusable();
        let what = table.kind.word();
        for (n, why) in [
            (not_finite, "hold a value that is not finite"),
            (constant, "do not vary"),
        ] {
            if n > 0 {
                let note = format!(
                    "{n} of {} {what} {why} and are never picked.",
                    table.n_features()
                );
                if !notes.contains(&note) {
                    notes.push(note);
                }
            }
        }
    }
}

fn frequency(chosen: &[Chosen]) -> Vec<Picked> {
    let mut counts: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for fold in chosen {
        for &column in &fold.columns {
            *counts.entry((fold.candidate, column)).or_default() += 1;
        }
    }
    let mut picked: Vec<Picked> = counts
        .into_iter()
        .map(|((candidate, column), n_folds)| Picked {
            candidate,
            column,
            n_folds,
        })
        .collect();
    picked.sort_by_key(|p| (std::cmp::Reverse(p.n_folds), p.candidate, p.column));
    picked
}
