//! How large the largest value of a map is by chance: labels change places within runs, and the whole map is made again.

use std::borrow::Cow;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::run::{Run, Stop};
use crate::select::map::{self, Statistic};
use crate::select::shuffle::Shuffler;
use crate::select::sums::Sums;
use crate::select::table::Table;

/// The largest distance from “no difference” in every permuted map.
#[derive(Clone, Debug, PartialEq)]
pub struct Null {
    /// What maps show.
    pub statistic: Statistic,
    /// One a permutation, ascending; empty where no labels can be exchanged.
    pub largest: Vec<f32>,
    /// Values of evenly spaced features of every permutation, ascending: how single features are spread by chance.
    pub values: Vec<f32>,
}

/// Values kept of each permutation: a quantile needs no more.
const KEPT: usize = 2000;

/// Permutes the labels of a table as an evaluation does, and keeps the largest value of each map: a correction for all
/// features at once (Nichols & Holmes 2002, *Human Brain Mapping* 15, 1–25).
///
/// # Errors
/// When the statistic wants two classes and there are more, and when cancelled.
pub fn null(
    table: &Table,
    statistic: Statistic,
    n_permutations: usize,
    seed: u64,
    run: &Run<'_>,
) -> Result<Null, Stop> {
    run.stage("permuting the map");
    let shuffler = Shuffler::new(table, seed);
    let runs = table.runs();
    let place = |run: &String| runs.iter().position(|r| r == run).unwrap_or(0);
    let cell: Vec<usize> = table.rows.iter().map(|row| place(&row.run)).collect();
    let all: Vec<usize> = (0..table.n_rows()).collect();
    let values = table.fitted(&all)?;
    let values = match map::ranked(statistic, &values, &cell, run)? {
        Some(ranks) => Cow::Owned(ranks),
        None => values,
    };
    let used = vec![true; runs.len()];
    let n_classes = table.classes.len();
    let truth = Sums::new(&values, &cell, &table.labels(), n_classes, run)?;
    map::check(statistic, &truth.over(&used))?;
    if shuffler.n_labellings < 1.5 {
        return Ok(Null {
            statistic,
            largest: Vec::new(),
            values: Vec::new(),
        });
    }
    let done = AtomicUsize::new(0);
    let maps = (0..n_permutations)
        .into_par_iter()
        .map(|number| {
            let labels = shuffler.labels(number);
            let sums = Sums::new(&values, &cell, &labels, n_classes, run)?;
            let values = map::values_of(statistic, &sums, &used);
            run.progress(done.fetch_add(1, Ordering::Relaxed) + 1, n_permutations);
            let strengths = values.iter().map(|v| (v - statistic.none()).abs());
            let finite = values.iter().copied().filter(|v| v.is_finite());
            let kept: Vec<f32> = finite.step_by((values.len() / KEPT).max(1)).collect();
            Ok((strengths.fold(0.0f32, f32::max), kept))
        })
        .collect::<Result<Vec<(f32, Vec<f32>)>, Stop>>()?;
    let mut largest: Vec<f32> = maps.iter().map(|map| map.0).collect();
    let mut values: Vec<f32> = maps.into_iter().flat_map(|map| map.1).collect();
    largest.sort_by(f32::total_cmp);
    values.sort_by(f32::total_cmp);
    Ok(Null {
        statistic,
        largest,
        values,
    })
}

impl Null {
    /// The distance from “no difference” that a share of single features stays below by chance.
    pub fn quantile(&self, share: f64) -> Option<f32> {
        let none = self.statistic.none();
        let mut distances: Vec<f32> = self.values.iter().map(|v| (v - none).abs()).collect();
        distances.sort_by(f32::total_cmp);
        let place = (share * distances.len() as f64).ceil() as usize;
        distances.get(place.max(1) - 1).copied()
    }

    /// How likely so large a value is anywhere in the map, by chance: (1 + permutations that reach it) / (1 + permutations).
    /// NaN for NaN and without permutations.
    pub fn p_anywhere(&self, value: f32) -> f64 {
        if value.is_nan() || self.largest.is_empty() {
            return f64::NAN;
        }
        // Rounding must not keep a permutation that repeats the true labels from counting.
        let strength = (value - self.statistic.none()).abs() * (1.0 - 1e-5);
        let below = self.largest.partition_point(|l| *l < strength);
        let reached = (self.largest.len() - below) as f64;
        (1.0 + reached) / (1.0 + self.largest.len() as f64)
    }

    /// The distance from “no difference” that the largest value of a map reaches by chance with probability `alpha`;
    /// `None` where there are too few permutations to say.
    pub fn threshold(&self, alpha: f64) -> Option<f32> {
        let n = self.largest.len();
        let above = (alpha * (n as f64 + 1.0)).floor() as usize;
        (above >= 1 && above <= n).then(|| self.largest[n - above])
    }
}
