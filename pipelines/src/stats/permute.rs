//! Permutation tests of the difference between two conditions, corrected for the number of voxels.
//!
//! The labels of the trials change places; the largest |t| of all voxels and the largest patch beyond a threshold in
//! each permuted map are what chance alone makes of them (Nichols & Holmes 2002, *Human Brain Mapping* 15, 1–25).
//! p = (1 + number of permutations that reach the value) / (1 + number of permutations): never 0
//! (Phipson & Smyth 2010, *Statistical Applications in Genetics and Molecular Biology* 9, 39).

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use rand::SeedableRng;
use rand::rngs::StdRng;
use rayon::prelude::*;

use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::neighbours::Neighbours;
use crate::stats::{by_columns_silently, groups};
use crate::{Error, Result};

mod exchange;

pub use exchange::Exchange;

/// Which differences count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// Either way.
    Both,
    /// The first set has more.
    Greater,
}

/// How to permute.
#[derive(Clone, Debug)]
pub struct Plan<'a> {
    /// Permutations beside the true labels.
    pub n_permutations: usize,
    /// The same seed gives the same p.
    pub seed: u64,
    /// Which differences count.
    pub tail: Tail,
    /// Patches to look for: beyond this t, of columns that touch.
    pub patches: Option<(f32, &'a Neighbours)>,
}

/// A connected patch of columns beyond the threshold, all of one sign.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Ascending.
    pub columns: Vec<usize>,
    /// Voxels, or mm² on a surface.
    pub extent: f64,
    /// The column of the largest |t|.
    pub peak: usize,
    /// How likely so large a patch is anywhere, by chance.
    pub p: f64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Permuted {
    /// The pooled t of every column; NaN where there is none.
    pub t: Vec<f32>,
    /// p of each column by itself.
    pub p_alone: Vec<f64>,
    /// p corrected for all columns: how likely so large a t is anywhere.
    pub p_anywhere: Vec<f64>,
    /// The largest t (|t| for both tails) of every permuted map.
    pub largest: Vec<f32>,
    /// The patches, largest first; empty when none were asked for.
    pub patches: Vec<Patch>,
    /// The largest patch of every permuted map; empty when none were asked for.
    pub largest_patches: Vec<f64>,
}

/// Permutations whose maps are held at once.
const AT_ONCE: usize = 64;
/// What a product of f32 may round off: a permutation that repeats the true labels must count as reaching them.
const ROUNDING: f32 = 1e-5;

/// Tests the rows `a` against the rows `b` by exchanging their labels as `exchange` allows.
///
/// The statistic is the pooled t, which follows from one product of labels and data: its p is exact when trials are
/// exchangeable. Warns when fewer different labellings exist than were asked for.
pub fn two_sample(
    values: &Matrix,
    a: &[usize],
    b: &[usize],
    exchange: &Exchange,
    plan: &Plan<'_>,
    run: &Run<'_>,
) -> Result<Permuted, Stop> {
    groups::check(values, &[a, b])?;
    groups::require(&[a, b], 2)?;
    check_patches(plan, values.n_cols)?;
    let units = exchange.units(a, b, values.n_rows)?;
    let possible = units.n_labellings();
    if possible < plan.n_permutations as f64 + 1.0 {
        run.warn(format!(
            "The labels can be exchanged in {possible:.0} ways only, so p cannot fall below {:.2}.",
            1.0 / possible
        ));
    }
    run.stage("permuting labels");
    let data = Data {
        values,
        rows: &a.iter().chain(b).copied().collect::<Vec<_>>(),
        n_a: a.len(),
    };
    let truth: Vec<f32> = (0..a.len() + b.len())
        .map(|i| f32::from(u8::from(i < a.len())))
        .collect();
    let t = data.maps(&truth, run)?;
    let mut tally = Tally::new(&t, plan);
    let mut random = StdRng::seed_from_u64(plan.seed);
    let mut left = plan.n_permutations;
    while left > 0 {
        let n = left.min(AT_ONCE);
        let labels: Vec<f32> = (0..n).flat_map(|_| units.shuffled(&mut random)).collect();
        let maps = data.maps(&labels, run)?;
        tally.add(&maps, run)?;
        left -= n;
        run.progress(plan.n_permutations - left, plan.n_permutations);
    }
    Ok(tally.finish(t))
}

fn check_patches(plan: &Plan<'_>, n_cols: usize) -> Result<()> {
    let Some((threshold, neighbours)) = plan.patches else {
        return Ok(());
    };
    if neighbours.len() != n_cols {
        return Err(Error::data(format!(
            "the neighbours are of {} voxels, the data of {n_cols}: make them from the mask of the data",
            neighbours.len()
        )));
    }
    if threshold > 0.0 {
        return Ok(());
    }
    Err(Error::data(format!(
        "patches beyond t = {threshold} would be the whole brain: choose a threshold above 0, such as 3"
    )))
}

/// The trials that are compared.
struct Data<'a> {
    values: &'a Matrix,
    /// Rows of `values`; labels are in this order.
    rows: &'a [usize],
    n_a: usize,
}

impl Data<'_> {
    /// t maps, one after the other, for labellings one after the other (1 for the first set, 0 for the second).
    fn maps(&self, labels: &[f32], run: &Run<'_>) -> Result<Vec<f32>, Stop> {
        let n = self.rows.len();
        let n_maps = labels.len() / n;
        let n_cols = self.values.n_cols;
        let blocks = by_columns_silently(n_cols, run, |columns| {
            let width = columns.len();
            let scaled = self.scaled(columns);
            let mut sums = vec![0.0; width * n_maps];
            matmul(
                MatMut::from_column_major_slice_mut(&mut sums, width, n_maps),
                Accum::Replace,
                MatRef::from_column_major_slice(&scaled, width, n),
                MatRef::from_column_major_slice(labels, n, n_maps),
                1.0,
                Par::Seq,
            );
            (width, sums)
        })?;
        let mut maps = vec![0.0; n_cols * n_maps];
        let mut first = 0;
        for (width, sums) in blocks {
            for (map, sums) in maps.chunks_mut(n_cols).zip(sums.chunks(width)) {
                for (t, sum) in map[first..first + width].iter_mut().zip(sums) {
                    *t = self.t(*sum);
                }
            }
            first += width;
        }
        Ok(maps)
    }

    /// The trials of some columns, each column of mean 0 and length 1; NaN where it does not vary.
    fn scaled(&self, columns: std::ops::Range<usize>) -> Vec<f32> {
        let moments = groups::of_block(self.values, self.rows, columns.clone());
        let mut out = Vec::with_capacity(columns.len() * self.rows.len());
        for &row in self.rows {
            let row = self.values.row(row)[columns.clone()].iter();
            let moments = moments.mean.iter().zip(&moments.squares);
            out.extend(row.zip(moments).map(|(value, (mean, squares))| {
                let scaled = (f64::from(*value) - mean) / squares.sqrt();
                if scaled.is_finite() {
                    scaled as f32
                } else {
                    f32::NAN
                }
            }));
        }
        out
    }

    /// The pooled t from the sum of the scaled trials of the first set: r = sum · √(1/n_a + 1/n_b) is their
    /// point-biserial correlation, t = r √((n − 2) / (1 − r²)).
    fn t(&self, sum: f32) -> f32 {
        let n = self.rows.len() as f64;
        let (n_a, n_b) = (self.n_a as f64, n - self.n_a as f64);
        let r = f64::from(sum) * (1.0 / n_a + 1.0 / n_b).sqrt();
        (r * ((n - 2.0) / (1.0 - r * r).max(1e-12)).sqrt()) as f32
    }
}

/// Counts of permutations that reach the true values.
struct Tally<'a> {
    plan: &'a Plan<'a>,
    /// What is compared: t, or |t| for both tails.
    truth: Vec<f32>,
    reached: Vec<u32>,
    largest: Vec<f32>,
    patches: Vec<Vec<usize>>,
    largest_patches: Vec<f64>,
}

impl<'a> Tally<'a> {
    fn new(t: &[f32], plan: &'a Plan<'a>) -> Self {
        Self {
            plan,
            truth: t.iter().map(|t| size(*t, plan.tail)).collect(),
            reached: vec![0; t.len()],
            largest: Vec::with_capacity(plan.n_permutations),
            patches: patches(t, plan),
            largest_patches: Vec::new(),
        }
    }

    fn add(&mut self, maps: &[f32], run: &Run<'_>) -> Result<(), Stop> {
        let (plan, n_cols) = (self.plan, self.truth.len());
        let found: Vec<(f32, f64)> = maps
            .par_chunks(n_cols.max(1))
            .map(|map| {
                run.check()?;
                let largest = map
                    .iter()
                    .map(|t| size(*t, plan.tail))
                    .fold(f32::NEG_INFINITY, f32::max);
                let extents = patches(map, plan).into_iter().filter_map(|patch| {
                    let (_, neighbours) = plan.patches?;
                    Some(neighbours.extent(&patch))
                });
                Ok((largest, extents.fold(0.0, f64::max)))
            })
            .collect::<Result<_, Stop>>()?;
        for map in maps.chunks(n_cols.max(1)) {
            for ((reached, truth), t) in self.reached.iter_mut().zip(&self.truth).zip(map) {
                *reached += u32::from(reaches(size(*t, plan.tail), *truth));
            }
        }
        self.largest.extend(found.iter().map(|f| f.0));
        if plan.patches.is_some() {
            self.largest_patches.extend(found.iter().map(|f| f.1));
        }
        Ok(())
    }

    fn finish(self, t: Vec<f32>) -> Permuted {
        let n = self.plan.n_permutations;
        let p = |reached: usize| (1 + reached) as f64 / (1 + n) as f64;
        let mut ascending = self.largest.clone();
        ascending.sort_by(f32::total_cmp);
        let p_anywhere = |truth: &f32| {
            if truth.is_nan() {
                return f64::NAN;
            }
            p(n - ascending.partition_point(|largest| !reaches(*largest, *truth)))
        };
        let p_alone = self
            .truth
            .iter()
            .zip(&self.reached)
            .map(|(truth, &reached)| {
                if truth.is_nan() {
                    f64::NAN
                } else {
                    p(reached as usize)
                }
            });
        let mut patches: Vec<Patch> = self
            .patches
            .into_iter()
            .filter_map(|columns| {
                let (_, neighbours) = self.plan.patches?;
                let extent = neighbours.extent(&columns);
                let as_large = |largest: &&f64| **largest >= extent * (1.0 - 1e-9);
                let peak = columns
                    .iter()
                    .copied()
                    .max_by(|&i, &j| t[i].abs().total_cmp(&t[j].abs()))?;
                Some(Patch {
                    extent,
                    peak,
                    p: p(self.largest_patches.iter().filter(as_large).count()),
                    columns,
                })
            })
            .collect();
        patches.sort_by(|x, y| y.extent.total_cmp(&x.extent));
        Permuted {
            p_alone: p_alone.collect(),
            p_anywhere: self.truth.iter().map(p_anywhere).collect(),
            largest: self.largest,
            patches,
            largest_patches: self.largest_patches,
            t,
        }
    }
}

fn size(t: f32, tail: Tail) -> f32 {
    match tail {
        Tail::Both => t.abs(),
        Tail::Greater => t,
    }
}

fn reaches(t: f32, truth: f32) -> bool {
    t >= truth - ROUNDING * truth.abs().max(1.0)
}

/// The patches beyond the threshold; of both signs, never mixed, when both tails count.
fn patches(t: &[f32], plan: &Plan<'_>) -> Vec<Vec<usize>> {
    let Some((threshold, neighbours)) = plan.patches else {
        return Vec::new();
    };
    let mut found = neighbours.patches(|c| t[c] > threshold);
    if plan.tail == Tail::Both {
        found.extend(neighbours.patches(|c| t[c] < -threshold));
    }
    found
}
