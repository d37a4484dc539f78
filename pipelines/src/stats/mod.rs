//! Statistics on voxels: maps of a difference, what is left of them after so many tests, and how much of a response
//! comes back when its stimulus does.
//!
//! | question | function |
//! |---|---|
//! | do these trials differ from those, voxel by voxel? | [`two_sample`] (t, signed r², d′, AUC; [`map`] without p), [`contrast`], [`anova`] |
//! | … in how many voxels by chance? | [`fdr::q_values`] |
//! | … by how much, or over how large a cluster, by chance? | [`permute::two_sample`] |
//! | how well does a response come back? | [`reliability::split_half`], [`reliability::repeat_correlation`] |
//! | how well can a model do at most? | [`ceiling::noise_ceiling`], [`ceiling::explainable_variance`] |
//!
//! All take trials × voxels and give one number a voxel. For regions, give them [`roi::means`] instead of voxels,
//! or summarise the map of the voxels by [`roi::summaries`]. A voxel that does not vary, or holds a value that is not
//! finite in a trial that is used, gets NaN: it has no statistic, which is not the same as a statistic of 0.
//! Data are f32 and sums f64, taken in the order of the rows, so results do not depend on the number of threads.

pub mod ceiling;
pub mod fdr;
mod groups;
pub mod neighbours;
pub mod permute;
mod ranks;
pub mod reliability;
pub mod roi;
pub mod tails;
mod tests_of_means;

use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use crate::run::{Run, Stop};

pub use tests_of_means::{Anova, Contrast, Variance, anova, contrast};

use crate::matrix::Matrix;

/// What a map of the difference between two sets of trials shows; positive where the first has more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Student's t, or Welch's when variances may differ.
    T(Variance),
    /// The share of the variance that the difference explains (η², the squared point-biserial correlation), with the
    /// sign of the difference: t² / (t² + n − 2) of the pooled t.
    SignedR2,
    /// Difference of the means over the root of the mean of the two variances.
    DPrime,
    /// The probability that a trial of the first set has more than one of the second, ties counting half: 0.5 is no
    /// difference.
    Auc,
}

impl Measure {
    /// Its value where nothing differs.
    pub fn none(self) -> f32 {
        match self {
            Self::Auc => 0.5,
            Self::T(_) | Self::SignedR2 | Self::DPrime => 0.0,
        }
    }
}

/// One number a voxel, and how likely one as far from nothing is without a difference.
#[derive(Clone, Debug, PartialEq)]
pub struct StatMap {
    /// What it shows.
    pub measure: Measure,
    /// The values; NaN where there is none.
    pub values: Vec<f32>,
    /// Two-sided p; NaN where there is no value. Of the t for t and r², of Welch's t for d′, of the Mann–Whitney test
    /// (normal approximation with correction for ties) for the AUC.
    pub p: Vec<f64>,
}

impl StatMap {
    /// p of "the first set has more" alone.
    pub fn p_greater(&self) -> Vec<f64> {
        let none = self.measure.none();
        let one_sided = |(&value, &p): (&f32, &f64)| {
            if value > none { 0.5 * p } else { 1.0 - 0.5 * p }
        };
        self.values.iter().zip(&self.p).map(one_sided).collect()
    }
}

/// How the trials of rows `a` differ from those of rows `b`, column by column.
///
/// Both need two rows, and no row may be in both.
pub fn two_sample(
    values: &Matrix,
    a: &[usize],
    b: &[usize],
    measure: Measure,
    run: &Run<'_>,
) -> Result<StatMap, Stop> {
    let (values, p) = match measure {
        Measure::Auc => ranks::auc(values, a, b, run)?,
        Measure::T(_) | Measure::SignedR2 | Measure::DPrime => {
            tests_of_means::two(values, a, b, measure, true, run)?
        }
    };
    Ok(StatMap { measure, values, p })
}

/// The values of [`two_sample`] without their p, for maps that are looked at while trials are chosen: one pass over
/// the data, but for the AUC.
pub fn map(
    values: &Matrix,
    a: &[usize],
    b: &[usize],
    measure: Measure,
    run: &Run<'_>,
) -> Result<Vec<f32>, Stop> {
    Ok(match measure {
        Measure::Auc => ranks::auc(values, a, b, run)?.0,
        Measure::T(_) | Measure::SignedR2 | Measure::DPrime => {
            tests_of_means::two(values, a, b, measure, false, run)?.0
        }
    })
}

/// Columns worked on at once: 2 KB of a row, so that memory is read in stretches, and sums that stay in the cache.
const BLOCK: usize = 512;

/// What `work` makes of each block of columns, in order, and how far it is. Cancelled between blocks.
fn by_columns<T: Send>(
    n_cols: usize,
    run: &Run<'_>,
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Result<Vec<T>, Stop> {
    let done = AtomicUsize::new(0);
    by_blocks(n_cols, BLOCK, run, |columns| {
        let n = columns.len();
        let made = work(columns);
        run.progress(done.fetch_add(n, Ordering::Relaxed) + n, n_cols);
        made
    })
}

/// What `work` makes of every `size` columns, in order. Cancelled between blocks.
pub(crate) fn by_blocks<T: Send>(
    n_cols: usize,
    size: usize,
    run: &Run<'_>,
    work: impl Fn(Range<usize>) -> T + Sync,
) -> Result<Vec<T>, Stop> {
    (0..n_cols.div_ceil(size))
        .into_par_iter()
        .map(|block| {
            run.check()?;
            Ok(work(block * size..((block + 1) * size).min(n_cols)))
        })
        .collect()
}

/// NaN instead of an infinity: a ratio to a variance of 0 says nothing.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

fn to_f32(values: &[f64]) -> Vec<f32> {
    values.iter().map(|v| *v as f32).collect()
}
