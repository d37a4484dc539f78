//! Whether a voxel says the same when it is asked again: correlations between repeats of stimuli.

use std::collections::BTreeMap;

use crate::betas::Trial;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::{by_columns, finite, groups};
use crate::{Error, Result};

/// The rows of every stimulus that a subject saw twice or more, in the order they were shown.
pub fn repeats(trials: &[Trial]) -> Vec<Vec<usize>> {
    let mut rows_of: BTreeMap<(&str, &str), Vec<usize>> = BTreeMap::new();
    for (row, trial) in trials.iter().enumerate() {
        if let Some(stimulus) = &trial.stimulus {
            let key = (trial.subject.as_str(), stimulus.as_str());
            rows_of.entry(key).or_default().push(row);
        }
    }
    let mut repeats: Vec<Vec<usize>> = rows_of.into_values().filter(|r| r.len() > 1).collect();
    repeats.sort();
    repeats
}

/// The correlation over stimuli between the mean of one half of the repeats and the mean of the other, one a column.
///
/// The first, third, … repeat against the second, fourth, …; of an odd number the last is left out, so that both halves
/// hold as many. What a mean of all repeats would reach is [`spearman_brown`] of it with a factor of 2.
pub fn split_half(
    values: &Matrix,
    repeats: &[Vec<usize>],
    run: &Run<'_>,
) -> Result<Vec<f32>, Stop> {
    let halves = repeats.iter().filter(|rows| rows.len() > 1).map(|rows| {
        let pairs = rows.chunks_exact(2);
        pairs.map(|pair| (pair[0], pair[1])).unzip()
    });
    correlation(values, &halves.collect::<Vec<_>>(), run)
}

/// The correlation over stimuli between two single repeats, mean over all pairs of repeats that three stimuli or more
/// have; one a column. It estimates the share of a single trial's variance that its stimulus explains.
pub fn repeat_correlation(
    values: &Matrix,
    repeats: &[Vec<usize>],
    run: &Run<'_>,
) -> Result<Vec<f32>, Stop> {
    let most = repeats.iter().map(Vec::len).max().unwrap_or(0);
    let mut sums = vec![0.0f64; values.n_cols];
    let mut n_pairs = 0;
    for (i, j) in (0..most).flat_map(|j| (0..j).map(move |i| (i, j))) {
        let both = repeats.iter().filter(|rows| rows.len() > j);
        let pairs: Vec<_> = both.map(|rows| (vec![rows[i]], vec![rows[j]])).collect();
        if pairs.len() < LEAST {
            continue;
        }
        let found = correlation(values, &pairs, run)?;
        sums.iter_mut()
            .zip(found)
            .for_each(|(sum, r)| *sum += f64::from(r));
        n_pairs += 1;
    }
    if n_pairs == 0 {
        return Err(too_few(repeats.len()).into());
    }
    Ok(sums
        .iter()
        .map(|s| (s / f64::from(n_pairs)) as f32)
        .collect())
}

/// The reliability of a measurement `factor` times as long (Spearman 1910, Brown 1910): k r / (1 + (k − 1) r).
pub fn spearman_brown(r: f32, factor: f32) -> f32 {
    factor * r / (1.0 + (factor - 1.0) * r)
}

/// Stimuli below which a correlation says nothing.
const LEAST: usize = 3;

fn too_few(n: usize) -> Error {
    Error::data(format!(
        "reliability needs {LEAST} stimuli or more that were shown twice, but there are {n}: choose trials with repeats"
    ))
}

/// Pearson's correlation, over pairs, of the mean of the left rows with the mean of the right rows.
fn correlation(
    values: &Matrix,
    pairs: &[(Vec<usize>, Vec<usize>)],
    run: &Run<'_>,
) -> Result<Vec<f32>, Stop> {
    if pairs.len() < LEAST {
        return Err(too_few(pairs.len()).into());
    }
    let all = pairs.iter().flat_map(|(left, right)| [left, right]);
    groups::check(values, &all.map(Vec::as_slice).collect::<Vec<_>>())?;
    let n = pairs.len() as f64;
    let blocks = by_columns(values.n_cols, run, |columns| {
        let mean = |rows: &[usize]| groups::of_block(values, rows, columns.clone()).mean;
        // Deviations from the first pair, so that what is constant cancels exactly.
        let mut first: Option<(Vec<f64>, Vec<f64>)> = None;
        let mut sums = vec![[0.0; 5]; columns.len()];
        for (left, right) in pairs {
            let (x, y) = (mean(left), mean(right));
            let (x0, y0) = first.get_or_insert_with(|| (x.clone(), y.clone()));
            for (c, sums) in sums.iter_mut().enumerate() {
                let (x, y) = (x[c] - x0[c], y[c] - y0[c]);
                for (sum, value) in sums.iter_mut().zip([x, y, x * x, y * y, x * y]) {
                    *sum += value;
                }
            }
        }
        sums.into_iter()
            .map(|[x, y, xx, yy, xy]| {
                let spread = (xx - x * x / n) * (yy - y * y / n);
                finite((xy - x * y / n) / spread.sqrt()).clamp(-1.0, 1.0) as f32
            })
            .collect::<Vec<f32>>()
    })?;
    Ok(blocks.concat())
}
