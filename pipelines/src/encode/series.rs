//! Every volume of a run instead of trials: features of what was on the screen some volumes before (finite impulse
//! response model), which knows no haemodynamic response and needs no trial to be told from its neighbours.

use std::collections::BTreeMap;
use std::ops::Range;

use super::features::{self, Design};
use crate::betas::{Betas, Trial};
use crate::glm::{self, BetasPlan};
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::study::select::Selection;
use crate::{Error, Result};

/// The detrended, z-scored time courses of the voxels of `betas`, one row a volume, and their design: for each of
/// `delays` (volumes) the features of the trials that were on at that time before, weighed by how much of the volume
/// they were on; zeros where nothing was.
///
/// Rows are told apart by run and stand for no stimulus, so folds are of runs and there is no noise ceiling. Pictures
/// that come back in other runs are on both sides then, and a warning says so.
pub fn of_volumes(
    selection: &Selection<'_>,
    betas: &Betas,
    design: &Design,
    plan: &BetasPlan,
    delays: &[usize],
    run: &Run<'_>,
) -> Result<(Betas, Design), Stop> {
    if selection.runs.is_empty() {
        return Err(Error::Choice(
            "this study holds ready-made responses to trials and no volumes: leave --delays out"
                .into(),
        )
        .into());
    }
    let mut by_run: BTreeMap<&str, Vec<(usize, &Trial)>> = BTreeMap::new();
    for (row, &trial) in design.trials.iter().enumerate() {
        let trial = &betas.trials[trial];
        by_run.entry(&trial.run).or_default().push((row, trial));
    }
    let (mut values, mut x) = (Matrix::default(), Matrix::default());
    let mut trials = Vec::new();
    let mut runs: Vec<Range<usize>> = Vec::new();
    for bold in &selection.runs {
        run.check()?;
        let courses = glm::time_courses(bold, &betas.columns, plan, run)?;
        let n = courses.values.n_rows;
        let mut shown = Matrix::zeros(n, design.x.n_cols);
        for (row, trial) in by_run.get(bold.label.as_str()).into_iter().flatten() {
            for (volume, share) in volumes_of(trial, courses.tr_secs, n) {
                let to = shown.row_mut(volume).iter_mut().zip(design.x.row(*row));
                to.for_each(|(to, value)| *to += share * value);
            }
        }
        runs.push(trials.len()..trials.len() + n);
        trials.extend((0..n).map(|volume| Trial {
            subject: selection.subject.id.clone(),
            session: bold.session.clone(),
            run: bold.label.clone(),
            onset_secs: volume as f64 * courses.tr_secs,
            duration_secs: courses.tr_secs,
            condition: String::new(),
            stimulus: None,
            repeat: 0,
        }));
        values = values.stacked(&courses.values)?;
        x = x.stacked(&shown)?;
    }
    let width = x.n_cols;
    let x = features::delayed(&x, &runs, delays);
    // Spaces stay in one piece: all delays of a space beside each other.
    let mut order = Vec::new();
    let mut spaces = Vec::new();
    for (name, columns) in &design.spaces {
        let first = order.len();
        for delay in 0..delays.len() {
            order.extend(columns.clone().map(|c| delay * width + c));
        }
        spaces.push((name.clone(), first..order.len()));
    }
    let mut warnings = design.warnings.clone();
    let mut run_of: BTreeMap<&str, &str> = BTreeMap::new();
    let again = betas.trials.iter().any(|t| {
        let of = t
            .stimulus
            .as_deref()
            .map(|id| *run_of.entry(id).or_insert(&t.run));
        of.is_some_and(|first| first != t.run)
    });
    if again {
        warnings.push(
            "Some pictures come back in other runs, which volumes cannot be divided by: they are on both sides of a split."
                .to_owned(),
        );
    }
    let n_volumes = trials.len();
    let delayed = Design {
        x: x.select_columns(&order),
        spaces,
        trials: (0..n_volumes).collect(),
        warnings,
    };
    let series = Betas {
        values,
        trials,
        columns: betas.columns.clone(),
        method: format!(
            "volumes, features {delays:?} volumes before; detrended and z-scored per run"
        ),
    };
    Ok((series, delayed))
}

/// The volumes during which a trial was on, and how much of each.
fn volumes_of(trial: &Trial, tr_secs: f64, n: usize) -> Vec<(usize, f32)> {
    let (from, to) = (
        trial.onset_secs,
        trial.onset_secs + trial.duration_secs.max(1e-3),
    );
    let first = (from / tr_secs).floor().max(0.0) as usize;
    let last = ((to / tr_secs).ceil().max(0.0) as usize).min(n);
    (first..last)
        .map(|volume| {
            let start = volume as f64 * tr_secs;
            let on = to.min(start + tr_secs) - from.max(start);
            (volume, (on / tr_secs).max(0.0) as f32)
        })
        .filter(|(_, share)| *share > 0.0)
        .collect()
}
