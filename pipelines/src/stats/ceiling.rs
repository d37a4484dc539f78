//! How much of a response is there to be explained: the noise ceiling, from repeats of a stimulus.
//!
//! One core with two faces: NSD's ncsnr (Allen et al. 2022, *Nature Neuroscience* 25, 116–126) and the explainable
//! variance of the encoding literature (Sahani & Linden 2003; Hsu, Borst & Theunissen 2004). With as many repeats of
//! every stimulus the corrected explainable variance is the ceiling of a single trial, up to degrees of freedom.

use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::groups::{self, of_block};
use crate::stats::{by_columns, finite, to_f32};
use crate::{Error, Result};

/// What repeats tell of every column.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseCeiling {
    /// The variance between repeats of one stimulus, mean over stimuli; NaN where the column does not vary.
    pub noise_variance: Vec<f32>,
    /// The variance of all trials less that of the noise, at least 0.
    pub signal_variance: Vec<f32>,
    /// The SD of the signal over that of the noise.
    pub ncsnr: Vec<f32>,
}

impl NoiseCeiling {
    /// The share of the variance that a perfect model explains (an upper bound on R²; on r it is the root), for tests
    /// on means of repeats: `n_repeats` are those of every tested stimulus, which may differ.
    ///
    /// ncsnr² / (ncsnr² + mean of 1/n). NSD gives it in percent.
    pub fn share(&self, n_repeats: &[usize]) -> Vec<f32> {
        let inverse: f64 = n_repeats.iter().map(|&n| 1.0 / n as f64).sum();
        let noise = inverse / n_repeats.len() as f64;
        let share = |snr: &f32| {
            let squared = f64::from(*snr) * f64::from(*snr);
            finite(squared / (squared + noise)) as f32
        };
        self.ncsnr.iter().map(share).collect()
    }
}

/// The noise ceiling from the rows of each repeated stimulus, and the rows of `all` trials.
///
/// Stimuli shown once have no say in the noise, but all trials have one in the total variance. NSD z-scores each voxel
/// within each session first: without it, drifts between sessions pass for signal or noise.
pub fn noise_ceiling(
    values: &Matrix,
    repeats: &[Vec<usize>],
    all: &[usize],
    run: &Run<'_>,
) -> Result<NoiseCeiling, Stop> {
    groups::check(values, &[all])?;
    if all.len() < 2 {
        return Err(Error::data("a noise ceiling needs the trials of two stimuli or more").into());
    }
    let core = core(values, repeats, run)?;
    let totals = by_columns(values.n_cols, run, |columns| {
        of_block(values, all, columns).squares
    })?;
    let (mut signal, mut ncsnr) = (Vec::new(), Vec::new());
    for (squares, noise) in totals.into_iter().flatten().zip(&core.noise) {
        let total = squares / (all.len() as f64 - 1.0);
        let varies = if total > 0.0 && *noise > 0.0 {
            0.0
        } else {
            f64::NAN
        };
        let left = (total - noise).max(0.0) + varies;
        signal.push(left);
        ncsnr.push(finite((left / noise).sqrt()));
    }
    let noise = core.noise.iter().zip(&signal);
    Ok(NoiseCeiling {
        noise_variance: noise.map(|(n, s)| (n + 0.0 * s) as f32).collect(),
        signal_variance: to_f32(&signal),
        ncsnr: to_f32(&ncsnr),
    })
}

/// The share of the variance of a single trial that its stimulus explains, one a column, from the rows of each
/// stimulus (equally many of each, two or more).
///
/// The variance over stimuli of the mean over repeats, over the mean over repeats of the variance over stimuli. The
/// mean of few repeats still holds noise: `corrected` takes it out, EV − (1 − EV) / (repeats − 1), which is negative
/// now and then where there is nothing to explain.
pub fn explainable_variance(
    values: &Matrix,
    repeats: &[Vec<usize>],
    corrected: bool,
    run: &Run<'_>,
) -> Result<Vec<f32>, Stop> {
    let n_repeats = repeats.first().map_or(0, Vec::len);
    if repeats.len() < 2 || repeats.iter().any(|rows| rows.len() != n_repeats) {
        return Err(Error::data(
            "explainable variance needs two stimuli or more with equally many repeats: choose those, or use the noise ceiling",
        )
        .into());
    }
    let core = core(values, repeats, run)?;
    let mut single = vec![0.0; values.n_cols];
    for repeat in 0..n_repeats {
        let rows: Vec<usize> = repeats.iter().map(|rows| rows[repeat]).collect();
        let squares = by_columns(values.n_cols, run, |c| of_block(values, &rows, c).squares)?;
        for (single, squares) in single.iter_mut().zip(squares.into_iter().flatten()) {
            *single += squares / (rows.len() as f64 - 1.0) / n_repeats as f64;
        }
    }
    let explained = core.of_means.iter().zip(&single).map(|(means, single)| {
        let share = finite(means / single);
        let rest = if corrected {
            (1.0 - share) / (n_repeats as f64 - 1.0)
        } else {
            0.0
        };
        (share - rest) as f32
    });
    Ok(explained.collect())
}

/// A score of explained variance as a share of what can be explained; NaN where the ceiling is below `least` (0.05,
/// say): a ratio to next to nothing is noise.
pub fn normalised(scores: &[f32], ceiling: &[f32], least: f32) -> Vec<f32> {
    let ratio = |(score, ceiling): (&f32, &f32)| {
        if *ceiling >= least {
            score / ceiling
        } else {
            f32::NAN
        }
    };
    scores.iter().zip(ceiling).map(ratio).collect()
}

/// Variances of every column.
struct Core {
    /// Between the repeats of a stimulus, mean over stimuli.
    noise: Vec<f64>,
    /// Between the means of stimuli.
    of_means: Vec<f64>,
}

fn core(values: &Matrix, repeats: &[Vec<usize>], run: &Run<'_>) -> Result<Core, Stop> {
    let borrowed: Vec<&[usize]> = repeats.iter().map(Vec::as_slice).collect();
    groups::check(values, &borrowed)?;
    if repeats.is_empty() || repeats.iter().any(|rows| rows.len() < 2) {
        return Err(Error::data(
            "noise is what differs between repeats of one stimulus, but none was shown twice: choose trials with repeats",
        )
        .into());
    }
    let n = repeats.len() as f64;
    let blocks = by_columns(values.n_cols, run, |columns| {
        let mut noise = vec![0.0; columns.len()];
        let mut first: Option<Vec<f64>> = None;
        let (mut sums, mut squares) = (noise.clone(), noise.clone());
        for rows in repeats {
            let moments = of_block(values, rows, columns.clone());
            let first = first.get_or_insert_with(|| moments.mean.clone());
            for (c, (mean, square)) in moments.mean.iter().zip(&moments.squares).enumerate() {
                noise[c] += square / (moments.n - 1.0) / n;
                let from_first = mean - first[c];
                sums[c] += from_first;
                squares[c] += from_first * from_first;
            }
        }
        let of_means = sums.iter().zip(&squares);
        let of_means = of_means.map(|(sum, square)| (square - sum * sum / n) / (n - 1.0));
        (noise, of_means.collect::<Vec<f64>>())
    })?;
    let (noise, of_means): (Vec<_>, Vec<_>) = blocks.into_iter().unzip();
    Ok(Core {
        noise: noise.concat(),
        of_means: of_means.concat(),
    })
}
