//! The search itself: errors of every γ and α on the rows left out, target by target.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{Chosen, Grid, Problem, Split, each, hats, losses};
use crate::linear::product;
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// Finds γ and α of every target, for each of `n_models` and each order of the responses: `found[order][model]`.
///
/// `orders` say which row of the responses goes with each row of the features (an empty one: its own). Of penalties
/// with equal errors the larger is taken, of weights the earlier.
pub fn search(
    problem: &Problem<'_>,
    n_models: usize,
    splits: &[Split],
    grid: &Grid,
    orders: &[Vec<usize>],
    run: &Run<'_>,
) -> Result<Vec<Vec<Chosen>>, Stop> {
    check(problem, splits, grid)?;
    let n_targets = problem.y.n_cols;
    let blank = Chosen {
        alpha: vec![0; n_targets],
        gamma: vec![0; n_targets],
        error: vec![f32::INFINITY; n_targets],
    };
    let best = Mutex::new(vec![vec![blank; n_models]; orders.len()]);
    let says: Vec<usize> = (0..n_models)
        .map(|m| {
            splits
                .iter()
                .flat_map(|s| &s.says)
                .filter(|s| s.0 == m)
                .count()
        })
        .collect();
    let done = AtomicUsize::new(0);
    let n_units = grid.gammas.len() * splits.len() * orders.len() * n_targets;
    let n_alphas = grid.alphas.len();
    let groups = grouped(problem, splits, n_alphas);
    let several = groups.len() > 1;
    // Where all splits fit, several weights are worked on at once.
    let at_once = if several {
        1
    } else {
        (most_hats(problem, splits, n_alphas) / of_hats(problem, splits, n_alphas).max(1)).max(1)
    };
    let gammas: Vec<(usize, &Vec<f64>)> = grid.gammas.iter().enumerate().collect();
    for gammas in gammas.chunks(at_once) {
        run.check()?;
        // errors[order][model][alpha × target], when not all splits are worked on at once.
        let blank = || vec![vec![0.0f32; n_alphas * n_targets]; n_models];
        let errors = Mutex::new(match several {
            true => (0..orders.len()).map(|_| blank()).collect(),
            false => Vec::new(),
        });
        for group in &groups {
            let splits = &splits[group.clone()];
            let weighed: Vec<&[f64]> = gammas.iter().map(|g| g.1.as_slice()).collect();
            let hats = hats::of_splits(problem, splits, &weighed, &grid.alphas, run)?;
            let height = hats
                .iter()
                .flatten()
                .flatten()
                .map(|h| h.fixed.n_rows())
                .max();
            let batches = batches(n_targets, problem.batch(height.unwrap_or(0)));
            let units: Vec<(usize, Range<usize>)> = batches
                .iter()
                .flat_map(|b| (0..orders.len()).map(move |o| (o, b.clone())))
                .collect();
            each(problem.compute, &units, |(order, columns)| {
                let targets: Vec<usize> = columns.clone().collect();
                let n = targets.len();
                let batch = problem.gather(&targets, &orders[*order], true)?;
                let mut found = vec![vec![vec![0.0f32; n_alphas * n]; n_models]; gammas.len()];
                for (s, split) in splits.iter().enumerate() {
                    run.check()?;
                    let mean = problem.train_mean(&batch, &split.without);
                    let right = problem.right_side(&batch, &split.without, &mean)?;
                    for (found, hats) in found.iter_mut().zip(&hats) {
                        for (&(model, part), hat) in split.says.iter().zip(&hats[s]) {
                            let z = problem.times(&hat.fixed, &right)?;
                            let observed = product::rows(&batch.y, problem.bounds[part].clone());
                            let rows = problem.parts[part].len() * says[model];
                            let weight = 1.0 / rows.max(1) as f64;
                            losses::add(&z, observed, &mean, hat, weight, &mut found[model]);
                        }
                        let n = done.fetch_add(n, Ordering::Relaxed) + n;
                        run.progress(n, n_units);
                    }
                }
                // What stands in for a target that is not finite has no error.
                let not = (0..n).filter(|&t| !batch.finite[t]);
                not.for_each(|t| {
                    let errors = found
                        .iter_mut()
                        .flatten()
                        .flat_map(|e| e.chunks_exact_mut(n));
                    errors.for_each(|e| e[t] = f32::NAN);
                });
                if several {
                    let mut errors = lock(&errors);
                    for (all, found) in errors[*order].iter_mut().zip(&found[0]) {
                        for (a, found) in found.chunks_exact(n).enumerate() {
                            let all = &mut all[a * n_targets + columns.start..][..n];
                            all.iter_mut().zip(found).for_each(|(a, f)| *a += f);
                        }
                    }
                } else {
                    let mut best = lock(&best);
                    for (&(g, _), found) in gammas.iter().zip(&found) {
                        for (best, found) in best[*order].iter_mut().zip(found) {
                            improve(best, columns.start, found, n, g);
                        }
                    }
                }
                Ok(())
            })?;
        }
        if several {
            let mut best = lock(&best);
            for (best, found) in best.iter_mut().zip(lock(&errors).iter()) {
                for (best, found) in best.iter_mut().zip(found) {
                    improve(best, 0, found, n_targets, gammas[0].0);
                }
            }
        }
    }
    Ok(best
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Takes over what is better than the best so far; `found` is alphas × targets.
fn improve(best: &mut Chosen, first: usize, found: &[f32], n: usize, gamma: usize) {
    for t in 0..n {
        let of = |a: usize| found[a * n + t];
        let least = (0..found.len() / n).map(of).fold(f32::INFINITY, f32::min);
        if !least.is_finite() {
            best.error[first + t] = f32::NAN;
            continue;
        }
        if least < best.error[first + t] {
            let equal = (0..found.len() / n).rev().find(|&a| of(a) <= least);
            best.error[first + t] = least;
            best.alpha[first + t] = equal.unwrap_or(0) as u16;
            best.gamma[first + t] = gamma as u16;
        }
    }
}

fn check(problem: &Problem<'_>, splits: &[Split], grid: &Grid) -> Result<()> {
    let positive = |a: &f64| a.is_finite() && *a > 0.0;
    if grid.alphas.is_empty() || !grid.alphas.iter().all(positive) || grid.alphas.len() > 1000 {
        return Err(Error::data(
            "the ridge penalties must be positive numbers, at least one and at most a thousand",
        ));
    }
    let fits = |g: &Vec<f64>| g.len() == problem.spaces.len() && g.iter().all(|w| *w >= 0.0);
    if grid.gammas.is_empty() || !grid.gammas.iter().all(fits) {
        return Err(Error::data(format!(
            "the weights of feature spaces must be lists of {} numbers that are not negative",
            problem.spaces.len()
        )));
    }
    for split in splits {
        let n = problem.n_train(&split.without);
        if n < 2 {
            return Err(Error::data(format!(
                "a fold leaves {n} rows to train on: use fewer folds, or more runs"
            )));
        }
    }
    Ok(())
}

/// Splits whose matrices fit into memory together.
fn grouped(problem: &Problem<'_>, splits: &[Split], n_alphas: usize) -> Vec<Range<usize>> {
    let most = most_hats(problem, splits, n_alphas);
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut held = 0;
    for (s, split) in splits.iter().enumerate() {
        let bytes = of_hats(problem, std::slice::from_ref(split), n_alphas);
        match groups.last_mut() {
            Some(group) if held + bytes <= most => {
                group.end = s + 1;
                held += bytes;
            }
            _ => {
                groups.push(s..s + 1);
                held = bytes;
            }
        }
    }
    groups
}

fn most_hats(problem: &Problem<'_>, splits: &[Split], n_alphas: usize) -> usize {
    let bytes = |split| of_hats(problem, std::slice::from_ref(split), n_alphas);
    problem.most_hats(splits.iter().map(bytes).max().unwrap_or(0))
}

/// Bytes that the hats of some splits take, when three of four penalties need one of their own.
fn of_hats(problem: &Problem<'_>, splits: &[Split], n_alphas: usize) -> usize {
    let bytes = |split: &Split| {
        let width = problem.side.width(problem.n_train(&split.without));
        let rows = split
            .says
            .iter()
            .map(|&(_, part)| problem.parts[part].len());
        3 * rows.sum::<usize>() * width * n_alphas
    };
    splits.iter().map(bytes).sum()
}

fn batches(n: usize, size: usize) -> Vec<Range<usize>> {
    let size = size.max(1);
    (0..n).step_by(size).map(|b| b..(b + size).min(n)).collect()
}
