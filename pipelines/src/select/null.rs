//! What a map would be without a difference between classes: labels exchanged within runs, over and over.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::run::{Run, Stop};
use crate::select::map::{self, Statistic};
use crate::select::shuffle::Shuffler;
use crate::select::sums::{self, Sums};
use crate::select::table::Table;

/// Values kept of each permutation: a quantile needs no more.
const KEPT: usize = 2000;

/// Values of a statistic for exchanged labels.
#[derive(Clone, Debug)]
pub struct Null {
    /// Of what.
    pub statistic: Statistic,
    /// The runs whose labels were exchanged.
    pub runs: Vec<String>,
    /// Permutations.
    pub n_permutations: usize,
    /// Values, pooled over permutations and (evenly spaced) features, ascending.
    pub values: Vec<f32>,
    /// The largest distance from nothing of each permutation, ascending.
    pub largest: Vec<f32>,
}

impl Null {
    /// The distance from nothing that a share of single features stays below.
    pub fn quantile(&self, share: f64) -> Option<f32> {
        let none = self.statistic.none();
        let mut distances: Vec<f32> = self.values.iter().map(|v| (v - none).abs()).collect();
        distances.sort_by(f32::total_cmp);
        at(&distances, share)
    }

    /// The distance from nothing that the strongest feature of all stays below in a share of permutations: what lies
    /// above it is not found by searching many features (Nichols & Holmes 2002, *Human Brain Mapping* 15, 1–25).
    pub fn quantile_of_largest(&self, share: f64) -> Option<f32> {
        at(&self.largest, share)
    }
}

/// The smallest of `sorted` that a share of them does not exceed.
fn at(sorted: &[f32], share: f64) -> Option<f32> {
    let place = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(place.max(1) - 1).copied()
}

/// Exchanges labels within the ticked runs (`ticked[i]` is about the i-th of [`Table::runs`]) and maps each labelling.
/// `None` where no labels can be exchanged.
///
/// # Errors
/// Those of [`map::map`], and when cancelled.
pub fn null(
    table: &Table,
    statistic: Statistic,
    ticked: &[bool],
    (n_permutations, seed): (usize, u64),
    run: &Run<'_>,
) -> Result<Option<Null>, Stop> {
    run.stage("maps of exchanged labels");
    let runs = table.runs();
    let is_ticked = |name: &String| {
        let place = runs.iter().position(|r| r == name);
        place.is_some_and(|p| ticked.get(p).copied().unwrap_or(false))
    };
    let rows: Vec<usize> = (0..table.n_rows())
        .filter(|&r| is_ticked(&table.rows[r].run))
        .collect();
    let part = table.of_rows(&rows);
    let shuffler = Shuffler::new(&part, seed);
    if shuffler.n_labellings < 1.5 {
        return Ok(None);
    }
    let all: Vec<usize> = (0..part.n_rows()).collect();
    let values = part.fitted(&all)?;
    let part_runs = part.runs();
    let place = |name: &String| part_runs.iter().position(|r| r == name).unwrap_or(0);
    let cell: Vec<usize> = part.rows.iter().map(|row| place(&row.run)).collect();
    let ranks = match statistic {
        Statistic::Auc => Some(sums::ranks(&values, &cell, run)?),
        _ => None,
    };
    let of = ranks.as_ref().unwrap_or(&values);
    // Means and variances need no cells.
    let cell = if ranks.is_some() {
        cell
    } else {
        vec![0; part.n_rows()]
    };
    let n_classes = part.classes.len();
    let used = vec![true; part_runs.len()];
    let none = statistic.none();
    let done = AtomicUsize::new(0);
    let maps = (0..n_permutations)
        .into_par_iter()
        .map(|number| {
            run.check()?;
            let sums = Sums::new(of, &cell, &shuffler.labels(number), n_classes, run)?;
            let groups = sums.over(&used[..sums.n_cells()]);
            map::check(statistic, &groups)?;
            let values = if ranks.is_some() {
                map::auc(&sums, &used).0
            } else {
                map::values_of_groups(statistic, &groups)
            };
            let finite = || values.iter().copied().filter(|v| v.is_finite());
            let largest = finite().map(|v| (v - none).abs()).fold(0.0, f32::max);
            let step = (values.len() / KEPT).max(1);
            let kept: Vec<f32> = finite().step_by(step).collect();
            run.progress(done.fetch_add(1, Ordering::Relaxed) + 1, n_permutations);
            Ok((largest, kept))
        })
        .collect::<Result<Vec<_>, Stop>>()?;
    let mut largest: Vec<f32> = maps.iter().map(|m| m.0).collect();
    let mut values: Vec<f32> = maps.into_iter().flat_map(|m| m.1).collect();
    largest.sort_by(f32::total_cmp);
    values.sort_by(f32::total_cmp);
    Ok(Some(Null {
        statistic,
        runs: part_runs,
        n_permutations,
        values,
        largest,
    }))
}
