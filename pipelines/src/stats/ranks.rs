//! The area under the ROC curve from ranks, one a voxel.

use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::{by_columns, groups, tails};

/// AUC and two-sided p of the Mann–Whitney test, by the normal approximation with correction for ties and none for
/// continuity.
pub(super) fn auc(
    values: &Matrix,
    a: &[usize],
    b: &[usize],
    run: &Run<'_>,
) -> Result<(Vec<f32>, Vec<f64>), Stop> {
    groups::check(values, &[a, b])?;
    groups::require(&[a, b], 2)?;
    let blocks = by_columns(values.n_cols, run, |columns| {
        // The block with voxels as rows: each is sorted as a whole.
        let n = a.len() + b.len();
        let mut sorted = vec![0u64; n * columns.len()];
        let mut is_finite = vec![true; columns.len()];
        let rows = a.iter().map(|r| (r, 1)).chain(b.iter().map(|r| (r, 0)));
        for (i, (&row, in_a)) in rows.enumerate() {
            for (c, &value) in values.row(row)[columns.clone()].iter().enumerate() {
                is_finite[c] &= value.is_finite();
                sorted[c * n + i] = u64::from(ascending(value)) << 1 | in_a;
            }
        }
        sorted
            .chunks_mut(n)
            .zip(is_finite)
            .map(|(trials, is_finite)| {
                trials.sort_unstable();
                let (auc, z) = of_sorted(trials, a.len() as f64, b.len() as f64);
                // Without a spread of ranks z is NaN, and there is no AUC.
                if is_finite && !z.is_nan() {
                    (auc as f32, tails::two_sided_normal(z))
                } else {
                    (f32::NAN, f64::NAN)
                }
            })
            .collect::<Vec<_>>()
    })?;
    Ok(blocks.into_iter().flatten().unzip())
}

/// A whole number that grows with the value; both zeros are one.
fn ascending(value: f32) -> u32 {
    let bits = (value + 0.0).to_bits();
    if bits >> 31 == 0 {
        bits | 1 << 31
    } else {
        !bits
    }
}

/// AUC and z from trials in ascending order, the lowest bit saying which are of the first set.
fn of_sorted(trials: &[u64], n_a: f64, n_b: f64) -> (f64, f64) {
    let n = n_a + n_b;
    let (mut rank_sum, mut ties, mut before) = (0.0, 0.0, 0.0);
    for equal in trials.chunk_by(|x, y| x >> 1 == y >> 1) {
        let count = equal.len() as f64;
        let in_a = equal.iter().filter(|t| *t & 1 == 1).count() as f64;
        rank_sum += in_a * (before + 0.5 * (count + 1.0));
        ties += count * (count * count - 1.0);
        before += count;
    }
    let auc = (rank_sum - 0.5 * n_a * (n_a + 1.0)) / (n_a * n_b);
    let variance = (n + 1.0 - ties / (n * (n - 1.0))) / (12.0 * n_a * n_b);
    let z = if variance > 1e-15 {
        (auc - 0.5) / variance.sqrt()
    } else {
        f64::NAN
    };
    (auc, z)
}
