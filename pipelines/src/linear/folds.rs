//! Which trials are held out together: whole runs, and runs that share pictures where possible.

use std::collections::BTreeMap;

use crate::betas::Trial;
use crate::{Error, Result};

/// Trials held out together.
#[derive(Clone, Debug, PartialEq)]
pub struct Fold {
    /// The run or runs left out, for the user.
    pub label: String,
    /// Rows of the betas that are tested.
    pub test: Vec<usize>,
    /// Rows that are trained on.
    pub train: Vec<usize>,
}

/// All folds of a study.
#[derive(Clone, Debug, PartialEq)]
pub struct Folds {
    /// The folds; every trial is tested once.
    pub folds: Vec<Fold>,
    /// How it was split, in words.
    pub split: String,
    /// Whether some stimulus is in the test and in the training rows of a fold.
    pub stimuli_shared: bool,
    /// Whether some stimulus is in more than one run.
    pub runs_share_stimuli: bool,
}

/// Leaves one run out at a time. Runs that share a stimulus are left out together, unless that
/// would leave nothing to train on. Fails with fewer than two runs.
pub fn leave_one_run_out(trials: &[Trial]) -> Result<Folds> {
    let mut runs: Vec<(&str, Vec<usize>)> = Vec::new();
    for (row, trial) in trials.iter().enumerate() {
        match runs.iter_mut().find(|(label, _)| *label == trial.run) {
            Some((_, rows)) => rows.push(row),
            None => runs.push((&trial.run, vec![row])),
        }
    }
    if runs.len() < 2 {
        return Err(Error::data(format!(
            "decoding leaves one run out at a time and needs at least two runs with trials, but there is {}: name more with --runs",
            runs.len()
        )));
    }
    let groups = groups_by_stimulus(trials, &runs);
    let n_groups = groups.iter().max().map_or(0, |g| g + 1);
    let runs_share_stimuli = n_groups < runs.len();
    let together = n_groups >= 2;
    let n_folds = if together { n_groups } else { runs.len() };
    let fold_of = |run: usize| if together { groups[run] } else { run };
    let folds: Vec<Fold> = (0..n_folds)
        .map(|f| {
            let (held, kept): (Vec<usize>, Vec<usize>) =
                (0..runs.len()).partition(|&r| fold_of(r) == f);
            let rows = |which: &[usize]| {
                let mut rows: Vec<usize> = which
                    .iter()
                    .flat_map(|&r| runs[r].1.iter().copied())
                    .collect();
                rows.sort_unstable();
                rows
            };
            let label = held
                .iter()
                .map(|&r| runs[r].0)
                .collect::<Vec<_>>()
                .join(" + ");
            Fold {
                label,
                test: rows(&held),
                train: rows(&kept),
            }
        })
        .collect();
    let split = if n_folds == runs.len() {
        format!("leave one run out, {} runs", runs.len())
    } else {
        format!(
            "leave out runs that share stimuli, {} runs in {n_folds} groups",
            runs.len()
        )
    };
    Ok(Folds {
        folds,
        split,
        stimuli_shared: !together,
        runs_share_stimuli,
    })
}

/// A group number for every run: runs that share a stimulus, directly or by way of others, have
/// the same.
fn groups_by_stimulus(trials: &[Trial], runs: &[(&str, Vec<usize>)]) -> Vec<usize> {
    let mut parent: Vec<usize> = (0..runs.len()).collect();
    let root = |parent: &[usize], mut run: usize| {
        while parent[run] != run {
            run = parent[run];
        }
        run
    };
    let mut first_run_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (run, (_, rows)) in runs.iter().enumerate() {
        for id in rows
            .iter()
            .filter_map(|&row| trials[row].stimulus.as_deref())
        {
            let first = *first_run_of.entry(id).or_insert(run);
            let (a, b) = (root(&parent, first), root(&parent, run));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut number: BTreeMap<usize, usize> = BTreeMap::new();
    (0..runs.len())
        .map(|run| {
            let next = number.len();
            *number.entry(root(&parent, run)).or_insert(next)
        })
        .collect()
}

/// Splits of the training rows of a fold for choosing penalties: one training run is left out at
/// a time, together with those that share its pictures where possible. Empty when the
/// training rows are of one run.
pub fn inner(trials: &[Trial], train: &[usize]) -> Vec<Fold> {
    let subset: Vec<Trial> = train.iter().map(|&row| trials[row].clone()).collect();
    let Ok(inner) = leave_one_run_out(&subset) else {
        return Vec::new();
    };
    let back = |rows: Vec<usize>| rows.into_iter().map(|r| train[r]).collect();
    inner
        .folds
        .into_iter()
        .map(|f| Fold {
            label: f.label,
            test: back(f.test),
            train: back(f.train),
        })
        .filter(|f| f.train.len() >= 2)
        .collect()
}
