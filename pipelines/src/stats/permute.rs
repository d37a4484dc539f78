//! Permutation tests of the difference between two conditions, corrected for the number of voxels.
//!
//! The labels of the trials change places; the largest |t| of all voxels and the largest cluster beyond a threshold in
//! each permuted map are what chance alone makes of them (Nichols & Holmes 2002, *Human Brain Mapping* 15, 1–25).
//! p = (1 + number of permutations that reach the value) / (1 + number of permutations): never 0
//! (Phipson & Smyth 2010, *Statistical Applications in Genetics and Molecular Biology* 9, 39).

use rand::SeedableRng;
use rand::rngs::StdRng;
use rayon::prelude::*;

use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::groups;
use crate::stats::neighbours::Neighbours;
use crate::{Error, Result};

mod exchange;
mod heights;

pub use exchange::Exchange;
use heights::{Heights, Samples, reaching};

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
    /// Clusters to look for: beyond this t, of columns that touch.
    pub clusters: Option<(f32, &'a Neighbours)>,
}

/// A connected cluster of columns beyond the threshold, all of one sign.
#[derive(Clone, Debug, PartialEq)]
pub struct Cluster {
    /// Ascending.
    pub columns: Vec<usize>,
    /// Voxels, or mm² on a surface.
    pub extent: f64,
    /// The column of the largest |t|.
    pub peak: usize,
    /// How likely so large a cluster is anywhere, by chance.
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
    /// The clusters, largest first; empty when none were asked for.
    pub clusters: Vec<Cluster>,
    /// The largest cluster of every permuted map; empty when none were asked for.
    pub largest_clusters: Vec<f64>,
}

/// Permutations worked on at once: many, so that the data are scaled rarely.
const AT_ONCE: usize = 512;
/// The same where the voxels beyond a threshold are kept for each.
const AT_ONCE_WITH_CLUSTERS: usize = 64;

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
    check_clusters(plan, values.n_cols)?;
    let units = exchange.units(a, b, values.n_rows)?;
    let possible = units.n_labellings();
    if possible < plan.n_permutations as f64 + 1.0 {
        run.warn(format!(
            "The labels can be exchanged in {possible:.0} ways only, so p cannot fall below {:.2}.",
            1.0 / possible
        ));
    }
    run.stage("permuting labels");
    let samples = Samples {
        values,
        rows: &a.iter().chain(b).copied().collect::<Vec<_>>(),
        n_a: a.len(),
    };
    let truth: Vec<f32> = (0..a.len() + b.len())
        .map(|i| f32::from(u8::from(i < a.len())))
        .collect();
    let t = samples.t(&truth, run)?;
    let mut tally = Tally::new(&t, &samples, plan);
    let mut random = StdRng::seed_from_u64(plan.seed);
    let most = match plan.clusters {
        None => AT_ONCE,
        Some(_) => AT_ONCE_WITH_CLUSTERS,
    };
    let mut left = plan.n_permutations;
    while left > 0 {
        let n = left.min(most);
        let labels: Vec<f32> = (0..n).flat_map(|_| units.shuffled(&mut random)).collect();
        tally.add(&labels, run)?;
        left -= n;
        run.progress(plan.n_permutations - left, plan.n_permutations);
    }
    Ok(tally.finish(t))
}

fn check_clusters(plan: &Plan<'_>, n_cols: usize) -> Result<()> {
    let Some((threshold, neighbours)) = plan.clusters else {
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
        "clusters beyond t = {threshold} would be the whole brain: choose a threshold above 0, such as 3"
    )))
}

/// Counts of permutations that reach the true values.
struct Tally<'a> {
    plan: &'a Plan<'a>,
    samples: &'a Samples<'a>,
    /// What is compared: t, or |t| for both tails.
    truth: Vec<f32>,
    reached: Vec<u32>,
    largest: Vec<f32>,
    clusters: Vec<Vec<usize>>,
    largest_clusters: Vec<f64>,
}

impl<'a> Tally<'a> {
    fn new(t: &[f32], samples: &'a Samples<'a>, plan: &'a Plan<'a>) -> Self {
        let found = match plan.clusters {
            None => Vec::new(),
            Some((threshold, neighbours)) => {
                let beyond = |sign: f32| t.iter().map(|t| sign * t > threshold).collect::<Vec<_>>();
                clusters(&beyond(1.0), &beyond(-1.0), plan.tail, neighbours)
            }
        };
        Self {
            plan,
            samples,
            truth: t.iter().map(|t| size(*t, plan.tail)).collect(),
            reached: vec![0; t.len()],
            largest: Vec::with_capacity(plan.n_permutations),
            clusters: found,
            largest_clusters: Vec::new(),
        }
    }

    fn add(&mut self, labels: &[f32], run: &Run<'_>) -> Result<(), Stop> {
        let (plan, n_cols) = (self.plan, self.truth.len());
        let threshold = plan.clusters.map(|(threshold, _)| threshold);
        let Heights {
            largest,
            reached,
            beyond,
        } = self
            .samples
            .heights(labels, &self.truth, plan.tail, threshold, run)?;
        self.largest.extend(largest);
        for (sum, more) in self.reached.iter_mut().zip(reached) {
            *sum += more;
        }
        let Some((_, neighbours)) = plan.clusters else {
            return Ok(());
        };
        let extents: Vec<f64> = beyond
            .par_iter()
            .map(|columns| {
                run.check()?;
                let (mut above, mut below) = (vec![false; n_cols], vec![false; n_cols]);
                for &(column, is_below) in columns {
                    let side = if is_below { &mut below } else { &mut above };
                    side[column as usize] = true;
                }
                let found = clusters(&above, &below, plan.tail, neighbours);
                let extents = found.iter().map(|cluster| neighbours.extent(cluster));
                Ok(extents.fold(0.0, f64::max))
            })
            .collect::<Result<_, Stop>>()?;
        self.largest_clusters.extend(extents);
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
            p(n - ascending.partition_point(|largest| *largest < reaching(*truth)))
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
        let mut clusters: Vec<Cluster> = self
            .clusters
            .into_iter()
            .filter_map(|columns| {
                let (_, neighbours) = self.plan.clusters?;
                let extent = neighbours.extent(&columns);
                let as_large = |largest: &&f64| **largest >= extent * (1.0 - 1e-9);
                let peak = columns
                    .iter()
                    .copied()
                    .max_by(|&i, &j| t[i].abs().total_cmp(&t[j].abs()))?;
                Some(Cluster {
                    extent,
                    peak,
                    p: p(self.largest_clusters.iter().filter(as_large).count()),
                    columns,
                })
            })
            .collect();
        clusters.sort_by(|x, y| y.extent.total_cmp(&x.extent));
        Permuted {
            p_alone: p_alone.collect(),
            p_anywhere: self.truth.iter().map(p_anywhere).collect(),
            largest: self.largest,
            clusters,
            largest_clusters: self.largest_clusters,
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

/// The clusters of the columns above the threshold and, when both tails count, of those below; never mixed.
fn clusters(
    above: &[bool],
    below: &[bool],
    tail: Tail,
    neighbours: &Neighbours,
) -> Vec<Vec<usize>> {
    let mut found = neighbours.clusters(|c| above[c]);
    if tail == Tail::Both {
        found.extend(neighbours.clusters(|c| below[c]));
    }
    found
}
