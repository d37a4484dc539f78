//! The penalty of every target, found by cross-validation: ridge regression of very many targets on few or many features,
//! with one penalty in common to all features or one for each space of them (banded ridge).
//!
//! W = argmin ‖X W − Y‖² + α‖W‖² with X and Y centred on the training rows. With one space X is the data; with several,
//! space s enters as √γ_s X_s, and γ is searched for among given weights (Dupré la Tour et al. 2022, *NeuroImage* 264,
//! 119728): for each target the γ and α of the least squared error on the rows left out, mean over the splits.
//!
//! A ridge of given γ and α is a matrix that makes predictions of responses, whatever these are ([`hats`]). It is made
//! once for each split, in f64 from a Cholesky factor or the eigenvectors of the smaller of XᵀX (primal) and XXᵀ
//! (dual), and then meets all targets in one f32 product. So eigenvalues never meet f32, targets are worked on in
//! batches, and the work per target is `2 · test rows · min(rows, features)` a penalty ([`super::penalties`] says why
//! it is less).
//!
//! Memory beside inputs and results: the matrices of the problem ([`side`]; n²/2 or p² a part, f64), those of the
//! splits worked on ([`HATS_BYTES`]), and [`BATCH_BYTES`] a thread.

mod hats;
mod losses;
mod side;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use faer::Par;
use rayon::prelude::*;

use crate::device::Compute;
use crate::linear::product::{self, Fixed};
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::{Error, Result};
use side::Side;

/// What a thread holds of a batch of targets.
const BATCH_BYTES: usize = 12 << 20;
/// What the matrices of the splits that are worked on together may take: this, or half of the inputs if that is more.
const HATS_BYTES: usize = 64 << 20;
/// Systems of more rows than these are not worked on side by side, but one after the other by all threads.
const LARGE: usize = 2048;

/// Features and responses, row by row, and which rows belong together.
#[derive(Debug)]
pub struct Problem<'a> {
    x: &'a Matrix,
    y: &'a Matrix,
    spaces: Vec<Range<usize>>,
    parts: Vec<Vec<usize>>,
    /// All rows of the parts, part after part.
    rows: Vec<usize>,
    /// Where each part is in `rows`.
    bounds: Vec<Range<usize>>,
    /// Rows that nothing is fitted on.
    extra: Option<&'a Matrix>,
    side: Side,
    compute: &'a Compute,
    /// Floating-point operations of f32 products so far.
    flops: AtomicU64,
}

/// Rows to be predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Those of a part.
    Part(usize),
    /// Those nothing is fitted on.
    Extra,
}

/// A model: fitted on all parts but some, to predict some rows.
#[derive(Clone, Debug)]
pub struct Model {
    /// Parts left out.
    pub without: Vec<usize>,
    /// What it predicts.
    pub asked: Asked,
}

/// A fit without some parts, and what is learned from each of them.
#[derive(Clone, Debug)]
pub struct Split {
    /// Parts left out.
    pub without: Vec<usize>,
    /// (model, part): the model whose penalty that part of those left out has a say in.
    pub says: Vec<(usize, usize)>,
}

/// Among what is searched.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Penalties, ascending.
    pub alphas: Vec<f64>,
    /// Weights of the spaces, one list a candidate.
    pub gammas: Vec<Vec<f64>>,
}

/// What was found for every target.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// Index of the penalty.
    pub alpha: Vec<u16>,
    /// Index of the weights of the spaces.
    pub gamma: Vec<u16>,
    /// Mean over splits of the mean squared error on rows left out; NaN where a target is not finite.
    pub error: Vec<f32>,
}

/// What a model says of some targets.
#[derive(Debug)]
pub struct Predicted<'a> {
    /// Which order of the responses, as they were given.
    pub order: usize,
    /// Which model.
    pub model: usize,
    /// Which targets.
    pub targets: &'a [usize],
    /// Rows × targets, from the mean of the training rows; empty for rows nothing is fitted on.
    pub observed: &'a Matrix,
    /// What each space contributes: rows × targets, to be added up and to the mean.
    pub by_space: &'a [Matrix],
    /// The mean of the training rows.
    pub mean: &'a [f32],
}

impl<'a> Problem<'a> {
    /// Prepares the products of rows or features, whichever are fewer.
    ///
    /// `spaces` divide the columns of `x`; `parts` hold rows, none twice. Fails when rows do not match.
    pub fn new(
        (x, y): (&'a Matrix, &'a Matrix),
        spaces: &[Range<usize>],
        parts: &[Vec<usize>],
        extra: Option<&'a Matrix>,
        compute: &'a Compute,
        run: &Run<'_>,
    ) -> Result<Self, Stop> {
        if x.n_rows != y.n_rows || x.n_cols == 0 || y.n_cols == 0 {
            return Err(Error::data(format!(
                "{} × {} features do not go with {} × {} responses: give both for the same rows",
                x.n_rows, x.n_cols, y.n_rows, y.n_cols
            ))
            .into());
        }
        if let Some(extra) = extra.filter(|e| e.n_cols != x.n_cols) {
            return Err(Error::data(format!(
                "the rows to predict have {} features, those to fit {}: give them the same",
                extra.n_cols, x.n_cols
            ))
            .into());
        }
        let rows: Vec<usize> = parts.concat();
        let mut bounds = Vec::new();
        let mut start = 0;
        for part in parts {
            bounds.push(start..start + part.len());
            start += part.len();
        }
        let side = Side::new(x, spaces, &rows, &bounds, extra, compute, run)?;
        Ok(Self {
            x,
            y,
            spaces: spaces.to_vec(),
            parts: parts.to_vec(),
            rows,
            bounds,
            extra,
            side,
            compute,
            flops: AtomicU64::new(0),
        })
    }

    /// The mean squared length of a row of features less the mean row: what penalties can be measured by.
    pub fn scale(&self) -> f64 {
        self.side.scale(self.rows.len())
    }

    /// Whether the smaller side is that of the features.
    pub fn is_primal(&self) -> bool {
        matches!(self.side, Side::Primal(_))
    }

    /// Floating-point operations that f32 products with responses have taken so far.
    pub fn flops(&self) -> u64 {
        self.flops.load(Ordering::Relaxed)
    }

    /// `hat · right`, counted.
    fn times(&self, hat: &Fixed, right: &Matrix) -> Result<Matrix> {
        let n = 2 * hat.n_rows() as u64 * hat.n_cols() as u64 * right.n_cols as u64;
        self.flops.fetch_add(n, Ordering::Relaxed);
        hat.times(product::view(right), self.compute)
    }

    /// Rows trained on when some parts are left out.
    fn n_train(&self, without: &[usize]) -> usize {
        let left_out: usize = without.iter().map(|&p| self.parts[p].len()).sum();
        self.rows.len() - left_out
    }

    fn n_asked(&self, asked: Asked) -> usize {
        match asked {
            Asked::Part(part) => self.parts[part].len(),
            Asked::Extra => self.extra.map_or(0, |e| e.n_rows),
        }
    }

    fn most_hats(&self) -> usize {
        HATS_BYTES.max(2 * (self.x.values.len() + self.y.values.len()))
    }

    /// Targets that fit a thread's share of memory, when products have `height` rows.
    fn batch(&self, height: usize) -> usize {
        let products = match &self.side {
            Side::Primal(_) => (self.parts.len() + 2) * self.x.n_cols,
            Side::Dual(_) => self.rows.len(),
        };
        let per_target = 4 * (self.rows.len() + products + height);
        (BATCH_BYTES / per_target.max(1)).clamp(32, 1024) / 16 * 16
    }

    /// Responses of some targets in an order, the rows as in `self.rows`, each target from its mean.
    fn gather(&self, targets: &[usize], order: &[usize], products: bool) -> Result<Batch, Stop> {
        let n = targets.len();
        let mut y = Matrix::zeros(self.rows.len(), n);
        let mut sums = vec![0.0f64; n];
        let adjacent = targets.windows(2).all(|w| w[1] == w[0] + 1);
        for (at, &row) in self.rows.iter().enumerate() {
            let from = self.y.row(order.get(row).copied().unwrap_or(row));
            let to = y.row_mut(at);
            if adjacent {
                to.copy_from_slice(&from[targets[0]..targets[0] + n]);
            } else {
                to.iter_mut()
                    .zip(targets)
                    .for_each(|(to, &t)| *to = from[t]);
            }
            sums.iter_mut()
                .zip(to)
                .for_each(|(s, v)| *s += f64::from(*v));
        }
        let n_rows = self.rows.len().max(1) as f64;
        let means: Vec<f32> = sums.iter().map(|s| (s / n_rows) as f32).collect();
        let finite: Vec<bool> = means.iter().map(|m| m.is_finite()).collect();
        let all_finite = finite.iter().all(|f| *f);
        let mut part_sums = Vec::new();
        for bounds in &self.bounds {
            let mut sums = vec![0.0f64; n];
            for at in bounds.clone() {
                let row = y.row_mut(at);
                for ((value, mean), sum) in row.iter_mut().zip(&means).zip(&mut sums) {
                    *value -= mean;
                    *sum += f64::from(*value);
                }
                if !all_finite {
                    let targets = row.iter_mut().zip(&finite).zip(&mut sums);
                    for ((value, _), sum) in targets.filter(|((_, finite), _)| !**finite) {
                        (*value, *sum) = (0.0, 0.0);
                    }
                }
            }
            part_sums.push(sums);
        }
        let products = match (&self.side, products) {
            (Side::Primal(primal), true) => {
                let flops = 2 * self.rows.len() as u64 * self.x.n_cols as u64 * n as u64;
                self.flops.fetch_add(flops, Ordering::Relaxed);
                primal.products(&y, &self.bounds, self.compute)?
            }
            _ => Vec::new(),
        };
        Ok(Batch {
            y,
            means,
            finite,
            sums: part_sums,
            products,
        })
    }

    /// The mean of the training rows, from that of all.
    fn train_mean(&self, batch: &Batch, without: &[usize]) -> Vec<f32> {
        let n = self.n_train(without).max(1) as f64;
        let mut mean = vec![0.0f64; batch.means.len()];
        for (part, sums) in batch.sums.iter().enumerate() {
            if !without.contains(&part) {
                mean.iter_mut().zip(sums).for_each(|(m, s)| *m += s / n);
            }
        }
        mean.into_iter().map(|m| m as f32).collect()
    }

    /// What hats are multiplied by.
    fn right_side(&self, batch: &Batch, without: &[usize], mean: &[f32]) -> Result<Matrix> {
        match &self.side {
            Side::Primal(primal) => primal.right_side(batch, without, mean, self.n_train(without)),
            Side::Dual(_) => {
                let mut out = Matrix::zeros(self.n_train(without), batch.y.n_cols);
                let mut to = 0;
                for (part, bounds) in self.bounds.iter().enumerate() {
                    if !without.contains(&part) {
                        let from = bounds.start * out.n_cols..bounds.end * out.n_cols;
                        let n = from.len();
                        out.values[to..to + n].copy_from_slice(&batch.y.values[from]);
                        to += n;
                    }
                }
                Ok(out)
            }
        }
    }
}

/// Some targets, gathered.
struct Batch {
    /// Rows of the parts × targets, from the mean of all rows; 0 where a target is not finite.
    y: Matrix,
    means: Vec<f32>,
    finite: Vec<bool>,
    /// Sums of `y` over each part.
    sums: Vec<Vec<f64>>,
    /// Features × targets: Xᵀ Y of each part, in the primal form.
    products: Vec<Matrix>,
}

/// The splits that choose the penalty of one model per part (the part left out, for it is what the model will be
/// tested on) by all other parts in turn. A fit without two parts serves the models of both.
pub fn nested(n_parts: usize) -> (Vec<Model>, Vec<Split>) {
    let models = (0..n_parts).map(|part| Model {
        without: vec![part],
        asked: Asked::Part(part),
    });
    let pairs = (0..n_parts).flat_map(|b| (0..b).map(move |a| (a, b)));
    let splits = pairs.map(|(a, b)| Split {
        without: vec![a, b],
        says: vec![(a, b), (b, a)],
    });
    (models.collect(), splits.collect())
}

/// The splits that choose the penalty of one model of all parts by each part in turn.
pub fn plain(n_parts: usize, asked: Asked) -> (Vec<Model>, Vec<Split>) {
    let model = Model {
        without: Vec::new(),
        asked,
    };
    let splits = (0..n_parts).map(|part| Split {
        without: vec![part],
        says: vec![(0, part)],
    });
    (vec![model], splits.collect())
}

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
        (problem.most_hats() / of_hats(problem, splits, n_alphas).max(1)).max(1)
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
                            improve(best, columns.start, found, n, g, &batch.finite);
                        }
                    }
                }
                Ok(())
            })?;
        }
        if several {
            let mut best = lock(&best);
            let finite = vec![true; n_targets];
            for (best, found) in best.iter_mut().zip(lock(&errors).iter()) {
                for (best, found) in best.iter_mut().zip(found) {
                    improve(best, 0, found, n_targets, gammas[0].0, &finite);
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
fn improve(
    best: &mut Chosen,
    first: usize,
    found: &[f32],
    n: usize,
    gamma: usize,
    finite: &[bool],
) {
    for t in 0..n {
        let of = |a: usize| found[a * n + t];
        let least = (0..found.len() / n).map(of).fold(f32::INFINITY, f32::min);
        if !finite[t] || !least.is_finite() {
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
    let mut groups: Vec<Range<usize>> = Vec::new();
    let mut held = 0;
    for (s, split) in splits.iter().enumerate() {
        let bytes = of_hats(problem, std::slice::from_ref(split), n_alphas);
        match groups.last_mut() {
            Some(group) if held + bytes <= problem.most_hats() => {
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

/// Works on every unit: on the CPU side by side, on a GPU one after the other.
fn each<T: Sync>(
    compute: &Compute,
    units: &[T],
    work: impl Fn(&T) -> Result<(), Stop> + Sync + Send,
) -> Result<(), Stop> {
    if compute.is_cpu() {
        units.par_iter().try_for_each(work)
    } else {
        units.iter().try_for_each(work)
    }
}

/// Predicts what each model is asked for, with the γ and α chosen for every target, and hands the predictions to
/// `consume`, some targets at a time, from several threads. Contributions of single spaces are told apart for the
/// orders that `by_space` names, else one matrix holds all of them.
pub fn predict(
    problem: &Problem<'_>,
    models: &[Model],
    grid: &Grid,
    (orders, found): (&[Vec<usize>], &[Vec<Chosen>]),
    by_space: &(dyn Fn(usize) -> bool + Sync),
    run: &Run<'_>,
    consume: &(dyn Fn(&Predicted<'_>) + Sync),
) -> Result<(), Stop> {
    let mut jobs: Vec<Job> = Vec::new();
    for (m, _) in models.iter().enumerate() {
        // Orders share the hats of a pair, unless only some are told apart by space.
        let mut of_pair: BTreeMap<(u16, u16, bool), Wanted> = BTreeMap::new();
        for (o, found) in found.iter().enumerate() {
            let split = by_space(o) && problem.spaces.len() > 1;
            for t in 0..problem.y.n_cols {
                let (gamma, alpha) = (found[m].gamma[t], found[m].alpha[t]);
                let wanted = of_pair.entry((gamma, alpha, split)).or_default();
                match wanted.last_mut() {
                    Some((order, targets)) if *order == o => targets.push(t),
                    _ => wanted.push((o, vec![t])),
                }
            }
        }
        jobs.extend(
            of_pair
                .into_iter()
                .map(|((gamma, alpha, split), wanted)| Job {
                    model: m,
                    gamma: usize::from(gamma),
                    alpha: usize::from(alpha),
                    split,
                    wanted,
                }),
        );
    }
    let n_units = models.len() * orders.len() * problem.y.n_cols;
    let done = AtomicUsize::new(0);
    let step = |n: usize| run.progress(done.fetch_add(n, Ordering::Relaxed) + n, n_units);
    let large = problem.side.width(problem.rows.len()) > LARGE;
    let work = |job: &Job| {
        run.check()?;
        let model = &models[job.model];
        let par = if large { Par::rayon(0) } else { Par::Seq };
        let (gamma, alpha) = (&grid.gammas[job.gamma], grid.alphas[job.alpha]);
        let hat = hats::exact(problem, model, gamma, alpha, job.split, par, run)?;
        let hat = Fixed::new(hat, problem.compute);
        let n_spaces = if job.split { problem.spaces.len() } else { 1 };
        let size = problem.batch(hat.n_rows());
        for (order, targets) in &job.wanted {
            let chunks: Vec<&[usize]> = targets.chunks(size).collect();
            each(problem.compute, &chunks, |targets| {
                run.check()?;
                told(
                    problem,
                    (job.model, model),
                    (*order, &orders[*order]),
                    &hat,
                    n_spaces,
                    targets,
                    consume,
                )?;
                step(targets.len());
                Ok(())
            })?;
        }
        Ok(())
    };
    if large || !problem.compute.is_cpu() {
        jobs.iter().try_for_each(work)
    } else {
        jobs.par_iter().try_for_each(work)
    }
}

/// Targets by order of the responses.
type Wanted = Vec<(usize, Vec<usize>)>;

/// Targets of a model that share γ and α.
struct Job {
    model: usize,
    gamma: usize,
    alpha: usize,
    split: bool,
    wanted: Wanted,
}

fn told(
    problem: &Problem<'_>,
    (index, model): (usize, &Model),
    (order, rows): (usize, &[usize]),
    hat: &Fixed,
    n_spaces: usize,
    targets: &[usize],
    consume: &(dyn Fn(&Predicted<'_>) + Sync),
) -> Result<(), Stop> {
    let batch = problem.gather(targets, rows, true)?;
    let mut mean = problem.train_mean(&batch, &model.without);
    let right = problem.right_side(&batch, &model.without, &mean)?;
    let z = problem.times(hat, &right)?;
    let n = z.n_rows / n_spaces;
    let by_space: Vec<Matrix> = z
        .values
        .chunks_exact((n * z.n_cols).max(1))
        .map(|values| Matrix {
            n_rows: n,
            n_cols: z.n_cols,
            values: values.to_vec(),
        })
        .collect();
    let mut observed = Matrix::zeros(0, targets.len());
    if let Asked::Part(part) = model.asked {
        observed = batch
            .y
            .select_rows(&problem.bounds[part].clone().collect::<Vec<_>>());
        for row in 0..observed.n_rows {
            let values = observed.row_mut(row).iter_mut().zip(&mean);
            values.for_each(|(value, mean)| *value -= mean);
        }
    }
    for ((mean, all), finite) in mean.iter_mut().zip(&batch.means).zip(&batch.finite) {
        *mean = if *finite { *mean + all } else { f32::NAN };
    }
    consume(&Predicted {
        order,
        model: index,
        targets,
        observed: &observed,
        by_space: &by_space,
        mean: &mean,
    });
    Ok(())
}
