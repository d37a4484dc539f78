//! The whole way from labels to predictions: done once for the true labels, and again for every permutation of them.

use crate::linear::folds::Fold;
use crate::run::{Run, Stop};
use crate::select::evaluate::{Candidate, EvaluationPlan};
use crate::select::fitting::Ready;
use crate::select::pick::Basket;
use crate::select::score::{self, FoldScore, Prediction};
use crate::select::search::{Chosen, Options};
use crate::{Error, Result};

/// What one labelling of the rows leads to.
pub(super) struct Outcome {
    /// One a fold.
    pub(super) chosen: Vec<Chosen>,
    /// One list a fold.
    pub(super) predictions: Vec<Vec<Prediction>>,
}

/// The whole way from labels to predictions.
pub(super) struct Procedure<'a> {
    candidates: &'a [Candidate<'a>],
    folds: &'a [Fold],
    plan: &'a EvaluationPlan,
    options: Options<'a>,
}

impl<'a> Procedure<'a> {
    pub(super) fn new(
        candidates: &'a [Candidate<'a>],
        folds: &'a [Fold],
        plan: &'a EvaluationPlan,
        run: &Run<'_>,
    ) -> Result<Self, Stop> {
        Ok(Self {
            candidates,
            folds,
            plan,
            options: Options::new(candidates, folds, plan, run)?,
        })
    }

    pub(super) fn folds(&self, labels: &[usize], run: &Run<'_>) -> Result<Outcome, Stop> {
        let labelled = self.options.labelled(labels, run)?;
        let mut outcome = Outcome {
            chosen: Vec::with_capacity(self.folds.len()),
            predictions: Vec::with_capacity(self.folds.len()),
        };
        for (f, fold) in self.folds.iter().enumerate() {
            run.check()?;
            let chosen = self.options.choose(f, labels, &labelled, run)?;
            let ready: &Ready<'_> = self.options.ready(chosen.candidate);
            outcome.predictions.push(ready.predict(
                f,
                &fold.test,
                &chosen.columns,
                labels,
                self.plan.model,
            )?);
            outcome.chosen.push(chosen);
        }
        Ok(outcome)
    }

    /// The same columns in every fold.
    pub(super) fn fixed(
        &self,
        candidate: usize,
        columns: &[usize],
        labels: &[usize],
    ) -> Result<Vec<Vec<Prediction>>> {
        let ready = self.options.ready(candidate);
        let of_fold = |(f, fold): (usize, &Fold)| {
            ready.predict(f, &fold.test, columns, labels, self.plan.model)
        };
        self.folds.iter().enumerate().map(of_fold).collect()
    }

    /// What somebody would take who looks at all rows: of all options the one that scores best as a fixed basket.
    pub(super) fn picked_on_all(
        &self,
        labels: &[usize],
        run: &Run<'_>,
    ) -> Result<(Basket, usize), Stop> {
        let labelled = self.options.labelled(labels, run)?;
        let mut best: Option<(f64, usize, Vec<usize>)> = None;
        for (candidate, columns) in self.options.on_all(labels, &labelled, run)? {
            if columns.is_empty() {
                continue;
            }
            let said = self.fixed(candidate, &columns, labels)?;
            let score = score::accuracy(&said, labels);
            if best.as_ref().is_none_or(|b| score > b.0) {
                best = Some((score, candidate, columns));
            }
        }
        let Some((_, candidate, columns)) = best else {
            return Err(Error::Choice(
                "no feature can be picked: all of them are constant or hold values that are not finite; check the mask".into(),
            )
            .into());
        };
        let table = self.candidates[candidate].table;
        Ok((Basket::of(table, &columns, &table.runs()), candidate))
    }

    pub(super) fn fold_scores(&self, outcome: &Outcome) -> Vec<FoldScore> {
        let labels = self.candidates[0].table.labels();
        let parts = outcome.chosen.iter().zip(&outcome.predictions);
        self.folds
            .iter()
            .zip(parts)
            .map(|(fold, (chosen, predictions))| {
                let columns = &self.candidates[chosen.candidate].table.columns;
                let right = predictions.iter().filter(|p| p.named == labels[p.row]);
                let names = chosen
                    .columns
                    .iter()
                    .map(|&c| columns[c].feature.to_string());
                FoldScore {
                    label: fold.label.clone(),
                    n_train: fold.train.len(),
                    n_test: fold.test.len(),
                    n_correct: right.count(),
                    // Of very many features nobody reads the list.
                    features: names.take(200).collect(),
                    choice: chosen.words.clone(),
                }
            })
            .collect()
    }
}
