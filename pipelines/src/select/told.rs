//! What the place of a feature among the rows of its run tells of the class, in bits: differences of spread and shape
//! count as differences of the mean do.

use crate::matrix::Matrix;
use crate::select::sums::Group;
use crate::stats::tails;
use crate::{Error, Result};

/// Equal shares of the ranks of a run that are told from each other.
const SHARES: usize = 4;
/// Digits of a packed count; three of them fit into what f64 adds exactly.
const DIGIT: u32 = 17;

/// Ranks within cells (1 is least) as packed counts: a row in share s is 2^(17 s), one in the last share 0, so that a
/// plain sum over rows holds how many are in each share. NaN stays.
///
/// # Errors
/// With more rows than a digit can count.
pub(super) fn packed(ranks: &Matrix, cell: &[usize]) -> Result<Matrix> {
    if ranks.n_rows >= 1 << DIGIT {
        return Err(Error::Choice(format!(
            "mutual information counts fewer than {} rows, and there are {}: choose another statistic",
            1 << DIGIT,
            ranks.n_rows
        )));
    }
    let mut n_of = vec![0.0f32; cell.iter().max().map_or(0, |c| c + 1)];
    cell.iter().for_each(|&c| n_of[c] += 1.0);
    let mut out = ranks.clone();
    for (row, &cell) in cell.iter().enumerate() {
        let n = n_of[cell];
        for value in out.row_mut(row) {
            if value.is_nan() {
                continue;
            }
            let share = ((*value - 0.5) / n * SHARES as f32) as usize;
            *value = if share < SHARES - 1 {
                (1u64 << (DIGIT * share as u32)) as f32
            } else {
                0.0
            };
        }
    }
    Ok(out)
}

/// How many rows of a group are in each share, from the sum of its packed counts.
fn counts(n: f64, sum: f64) -> [f64; SHARES] {
    let mut left = sum as u64;
    let mut out = [0.0; SHARES];
    for count in &mut out[..SHARES - 1] {
        *count = (left % (1 << DIGIT)) as f64;
        left >>= DIGIT;
    }
    out[SHARES - 1] = n - out.iter().sum::<f64>();
    out
}

/// Bits and the p of the G test of one feature; NaN where its rows share one place, or hold a value that is not finite.
fn of_feature(groups: &[Group], feature: usize) -> (f64, f64) {
    let n: f64 = groups.iter().map(|g| g.n).sum();
    let sum: f64 = groups.iter().map(|g| g.sum[feature]).sum();
    let of_share = if sum.is_nan() {
        return (f64::NAN, f64::NAN);
    } else {
        counts(n, sum)
    };
    let n_shares = of_share.iter().filter(|c| **c > 0.0).count();
    let n_classes = groups.iter().filter(|g| g.n > 0.0).count();
    if n_shares < 2 || n_classes < 2 {
        return (f64::NAN, f64::NAN);
    }
    let mut nats = 0.0;
    for group in groups {
        let of_group = counts(group.n, group.sum[feature]);
        for (both, share) in of_group.iter().zip(of_share) {
            if *both > 0.0 {
                nats += both / n * (both * n / (group.n * share)).ln();
            }
        }
    }
    let nats = f64::max(nats, 0.0);
    let p = tails::chi_squared_above(2.0 * n * nats, (n_shares - 1) * (n_classes - 1));
    (nats / std::f64::consts::LN_2, p)
}

/// Mutual information and p of every feature, from the packed counts of classes.
pub(super) fn of_groups(groups: &[Group]) -> (Vec<f32>, Vec<f64>) {
    let n_features = groups.first().map_or(0, |g| g.sum.len());
    (0..n_features)
        .map(|feature| {
            let (bits, p) = of_feature(groups, feature);
            (bits as f32, p)
        })
        .unzip()
}
