//! Squared errors of all penalties, from the products of the few curves they are made of.

use std::ops::Range;

use faer::MatRef;

use super::hats::Hats;
use crate::matrix::Matrix;

/// Targets worked on at once: their sums stay in registers and the first cache.
const WIDE: usize = 16;
/// Rows after which f32 sums are added up in f64.
const ROWS: usize = 128;

/// Adds `weight` times the squared error of every penalty to `errors` (penalties × targets).
///
/// `z` holds what the curves predict (curves · rows × targets), `observed` what was measured, `mean` the mean of the
/// training rows. With ŷ = Σ c_k z_k the error is Σ (y − ŷ)² = y·y − 2 Σ c_k z_k·y + Σ c_k c_l z_k·z_l.
pub(super) fn add(
    z: &Matrix,
    observed: MatRef<'_, f32>,
    mean: &[f32],
    hats: &Hats,
    weight: f64,
    errors: &mut [f32],
) {
    let n_rows = observed.nrows();
    let n_targets = observed.ncols();
    let n_curves = z.n_rows.checked_div(n_rows).unwrap_or(0);
    let arch = pulp::Arch::new();
    for first in (0..n_targets).step_by(WIDE) {
        let width = WIDE.min(n_targets - first);
        let mut sums = vec![[0.0f64; WIDE]; 1 + n_curves + n_curves * (n_curves + 1) / 2];
        for top in (0..n_rows).step_by(ROWS) {
            let rows = top..(top + ROWS).min(n_rows);
            arch.dispatch(Tile {
                z,
                observed,
                mean,
                n_rows,
                n_curves,
                first,
                width,
                rows,
                out: &mut sums,
            });
        }
        for (a, parts) in hats.parts.iter().enumerate() {
            for j in 0..width {
                let mut error = sums[0][j];
                let mut at = 1 + n_curves;
                for (k, part) in parts.iter().enumerate() {
                    error -= 2.0 * part * sums[1 + k][j];
                    for (l, other) in parts[..=k].iter().enumerate() {
                        let twice = if l == k { 1.0 } else { 2.0 };
                        error += twice * part * other * sums[at + l][j];
                    }
                    at += k + 1;
                }
                errors[a * n_targets + first + j] += (weight * error.max(0.0)) as f32;
            }
        }
    }
}

struct Tile<'a> {
    z: &'a Matrix,
    observed: MatRef<'a, f32>,
    mean: &'a [f32],
    n_rows: usize,
    n_curves: usize,
    first: usize,
    width: usize,
    rows: Range<usize>,
    /// y·y, then z_k·y of every curve, then z_k·z_l of every pair with l ≤ k, added to what is there.
    out: &'a mut [[f64; WIDE]],
}

impl pulp::NullaryFnOnce for Tile<'_> {
    type Output = ();

    // Inlined into a function for the widest registers that this processor has.
    #[inline(always)]
    fn call(self) {
        sums_of(self);
    }
}

#[inline(always)]
fn sums_of(tile: Tile<'_>) {
    let mut sums = vec![[0.0f32; WIDE]; tile.out.len()];
    let mut z = vec![[0.0f32; WIDE]; tile.n_curves];
    let mut y = [0.0f32; WIDE];
    for row in tile.rows {
        for (j, y) in y.iter_mut().enumerate().take(tile.width) {
            *y = tile.observed[(row, tile.first + j)] - tile.mean[tile.first + j];
        }
        for (k, z) in z.iter_mut().enumerate() {
            let from = &tile.z.row(k * tile.n_rows + row)[tile.first..tile.first + tile.width];
            z[..tile.width].copy_from_slice(from);
        }
        let (squares, rest) = sums.split_at_mut(1);
        let (with_y, pairs) = rest.split_at_mut(tile.n_curves);
        for j in 0..WIDE {
            squares[0][j] += y[j] * y[j];
        }
        let mut at = 0;
        for k in 0..tile.n_curves {
            let own = z[k];
            for j in 0..WIDE {
                with_y[k][j] += own[j] * y[j];
            }
            for (sum, other) in pairs[at..=at + k].iter_mut().zip(&z) {
                for j in 0..WIDE {
                    sum[j] += own[j] * other[j];
                }
            }
            at += k + 1;
        }
    }
    for (out, sum) in tile.out.iter_mut().zip(&sums) {
        for j in 0..WIDE {
            out[j] += f64::from(sum[j]);
        }
    }
}
