//! Which trials are left out together: runs, and every repeat of a picture with the others.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::betas::Trial;
use crate::linear::folds;
use crate::{Error, Result};

/// What may not be divided between training and test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Together {
    /// Runs, together with those that share a picture with them; where that leaves everything together, pictures.
    #[default]
    RunsAndPictures,
    /// Pictures alone: the trials of a run may be on both sides.
    Pictures,
    /// Runs alone: pictures may be on both sides.
    Runs,
}

/// Parts of the trials, each left out in turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Parts {
    /// Rows of each part, ascending.
    pub rows: Vec<Vec<usize>>,
    /// What each part holds, for the user.
    pub labels: Vec<String>,
    /// How it was divided, in words.
    pub split: String,
    /// Whether some picture is in more than one part.
    pub pictures_shared: bool,
    /// Whether some run is in more than one part.
    pub runs_shared: bool,
}

/// Divides `trials` into at most `most` parts of about equal size.
///
/// # Errors
/// When there are fewer than two groups to divide.
pub fn parts(trials: &[Trial], most: usize, together: Together, seed: u64) -> Result<Parts> {
    if most < 2 {
        return Err(Error::data(
            "at least two folds are needed: one to test on, one to learn from",
        ));
    }
    let by_run = whole_runs(trials, together == Together::Runs);
    let (groups, what) = match together {
        Together::RunsAndPictures if by_run.len() < 2 => (by_picture(trials, seed), "pictures"),
        Together::Pictures => (by_picture(trials, seed), "pictures"),
        Together::RunsAndPictures | Together::Runs => (by_run, "runs"),
    };
    if groups.len() < 2 {
        return Err(Error::data(format!(
            "{} trials cannot be divided into folds: they are of one run and {} picture(s); add runs with --runs",
            trials.len(),
            groups.len()
        )));
    }
    let n_groups = groups.len();
    let n_parts = most.min(n_groups);
    let mut rows: Vec<Vec<usize>> = vec![Vec::new(); n_parts];
    let mut labels: Vec<Vec<String>> = vec![Vec::new(); n_parts];
    let mut order: Vec<usize> = (0..n_groups).collect();
    // The largest first, each into the part that has least.
    order.sort_by_key(|&g| std::cmp::Reverse(groups[g].1.len()));
    for group in order {
        let least = (0..n_parts).min_by_key(|&p| rows[p].len()).unwrap_or(0);
        rows[least].extend(&groups[group].1);
        labels[least].push(groups[group].0.clone());
    }
    rows.iter_mut().for_each(|r| r.sort_unstable());
    let labels = labels.into_iter().map(|mut of| {
        of.sort();
        match of.len() {
            n if n > 6 => format!("{n} {what}"),
            _ => of.join(" + "),
        }
    });
    let shared = |key: &dyn Fn(&Trial) -> Option<String>| {
        let mut part_of: BTreeMap<String, usize> = BTreeMap::new();
        rows.iter().enumerate().any(|(part, rows)| {
            rows.iter().any(|&r| {
                key(&trials[r]).is_some_and(|key| *part_of.entry(key).or_insert(part) != part)
            })
        })
    };
    let pictures_shared = shared(&|t| t.stimulus.clone());
    let runs_shared = shared(&|t| Some(t.run.clone()));
    let kept = match (pictures_shared, runs_shared) {
        (false, false) => "no run and no picture is in two of them",
        (false, true) => "no picture is in two of them, runs are",
        (true, false) => "no run is in two of them, pictures are",
        (true, true) => "runs and pictures are in several of them",
    };
    Ok(Parts {
        split: format!("{n_parts} folds of {what} ({n_groups} groups); {kept}"),
        labels: labels.collect(),
        rows,
        pictures_shared,
        runs_shared,
    })
}

/// Runs as groups; with those they share pictures with, unless `alone`.
fn whole_runs(trials: &[Trial], alone: bool) -> Vec<(String, Vec<usize>)> {
    let plain: Vec<Trial> = trials
        .iter()
        .map(|t| Trial {
            stimulus: t.stimulus.clone().filter(|_| !alone),
            ..t.clone()
        })
        .collect();
    match folds::leave_one_run_out(&plain) {
        Ok(found) if !found.stimuli_shared => {
            found.folds.into_iter().map(|f| (f.label, f.test)).collect()
        }
        _ => Vec::new(),
    }
}

/// Pictures as groups in random order; trials without one go by their condition in their run.
fn by_picture(trials: &[Trial], seed: u64) -> Vec<(String, Vec<usize>)> {
    let mut groups: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (row, trial) in trials.iter().enumerate() {
        let key = trial.stimulus.clone();
        let key = key.unwrap_or_else(|| format!("{} in {}", trial.condition, trial.run));
        groups.entry(key).or_default().push(row);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.shuffle(&mut StdRng::seed_from_u64(seed));
    groups
}

/// Orders of the rows in which responses are exchanged within their run, for the control.
pub(super) fn shuffles(trials: &[&Trial], n: usize, seed: u64) -> Vec<Vec<usize>> {
    let mut runs: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, trial) in trials.iter().enumerate() {
        runs.entry(&trial.run).or_default().push(row);
    }
    let mut random = StdRng::seed_from_u64(seed ^ 0x5eed);
    let shuffle = |_| {
        let mut order: Vec<usize> = (0..trials.len()).collect();
        for rows in runs.values() {
            let mut mixed = rows.clone();
            mixed.shuffle(&mut random);
            rows.iter()
                .zip(mixed)
                .for_each(|(&row, other)| order[row] = other);
        }
        order
    };
    (0..n).map(shuffle).collect()
}
