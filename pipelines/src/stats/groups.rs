//! Count, mean and squared deviations of groups of trials: what every test of means is made from, in one pass.

use std::ops::Range;

use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::by_columns;
use crate::wide::wide;
use crate::{Error, Result};

/// One group of rows, column by column.
#[derive(Clone, Debug)]
pub(super) struct Moments {
    /// Rows.
    pub(super) n: f64,
    /// Means.
    pub(super) mean: Vec<f64>,
    /// Sums of the squared deviations from the mean.
    pub(super) squares: Vec<f64>,
}

/// The moments of every group. A group of rows that are all equal has squares of exactly 0.
pub(super) fn moments(
    values: &Matrix,
    groups: &[&[usize]],
    run: &Run<'_>,
) -> Result<Vec<Moments>, Stop> {
    check(values, groups)?;
    let blocks = by_columns(values.n_cols, run, |columns| {
        groups
            .iter()
            .map(|rows| of_block(values, rows, columns.clone()))
            .collect::<Vec<_>>()
    })?;
    let mut out: Vec<Moments> = groups
        .iter()
        .map(|rows| Moments {
            n: rows.len() as f64,
            mean: Vec::with_capacity(values.n_cols),
            squares: Vec::with_capacity(values.n_cols),
        })
        .collect();
    for block in blocks {
        for (whole, part) in out.iter_mut().zip(block) {
            whole.mean.extend(part.mean);
            whole.squares.extend(part.squares);
        }
    }
    Ok(out)
}

/// The moments of some rows in some columns.
pub(super) fn of_block(values: &Matrix, rows: &[usize], columns: Range<usize>) -> Moments {
    let width = columns.len();
    // Deviations from the first row: what is constant then cancels exactly, and little is lost of a small variance on
    // a large mean.
    let nothing = vec![f32::NAN; width];
    let first = match rows.first() {
        Some(&row) => &values.row(row)[columns.clone()],
        None => &nothing,
    };
    let mut moments = Moments {
        n: rows.len() as f64,
        mean: vec![0.0; width],
        squares: vec![0.0; width],
    };
    wide(|| {
        // Several rows at a time save most of the traffic of the sums; the first row in place of one that is not
        // there adds 0.
        for some in rows.chunks(4) {
            let row = |i: usize| match some.get(i) {
                Some(&row) => &values.row(row)[columns.clone()],
                None => first,
            };
            let rows = row(0).iter().zip(row(1)).zip(row(2).iter().zip(row(3)));
            let sums = moments.mean.iter_mut().zip(&mut moments.squares);
            for ((((a, b), (c, d)), first), (sum, square)) in rows.zip(first).zip(sums) {
                let first = f64::from(*first);
                let (a, b) = (f64::from(*a) - first, f64::from(*b) - first);
                let (c, d) = (f64::from(*c) - first, f64::from(*d) - first);
                *sum += (a + b) + (c + d);
                *square += (a * a + b * b) + (c * c + d * d);
            }
        }
    });
    moments.around(first);
    moments
}

/// As [`of_block`], but sums of sixteen rows are f32: good to about 1e-5 of a t, which is all that a map that is looked
/// at can show, in half the time.
///
/// What f32 cannot tell is summed again by [`of_block`]: deviations so much larger than their spread that it would
/// drown in their rounding (the first row is far from all others), or too large to be squared.
pub(super) fn of_block_quickly(values: &Matrix, rows: &[usize], columns: Range<usize>) -> Moments {
    let width = columns.len();
    let nothing = vec![f32::NAN; width];
    let first = match rows.first() {
        Some(&row) => &values.row(row)[columns.clone()],
        None => &nothing,
    };
    let mut moments = Moments {
        n: rows.len() as f64,
        mean: vec![0.0; width],
        squares: vec![0.0; width],
    };
    let mut few = vec![0.0f32; width];
    let mut few_squares = vec![0.0f32; width];
    wide(|| {
        for sixteen in rows.chunks(16) {
            for eight in sixteen.chunks(8) {
                let row = |i: usize| match eight.get(i) {
                    Some(&row) => &values.row(row)[columns.clone()],
                    None => first,
                };
                let four = |i: usize| {
                    let (a, b) = (row(i).iter().zip(row(i + 1)), row(i + 2));
                    a.zip(b.iter().zip(row(i + 3)))
                };
                let sums = few.iter_mut().zip(&mut few_squares);
                let rows = four(0).zip(four(4)).zip(first);
                for (((((a, b), (c, d)), ((e, f), (g, h))), first), (sum, square)) in rows.zip(sums)
                {
                    let (a, b, c, d) = (a - first, b - first, c - first, d - first);
                    let (e, f, g, h) = (e - first, f - first, g - first, h - first);
                    *sum += ((a + b) + (c + d)) + ((e + f) + (g + h));
                    *square +=
                        ((a * a + b * b) + (c * c + d * d)) + ((e * e + f * f) + (g * g + h * h));
                }
            }
            let wholes = moments.mean.iter_mut().zip(&mut moments.squares);
            let parts = few.iter_mut().zip(&mut few_squares);
            for ((sum, square), (few, few_squares)) in wholes.zip(parts) {
                *sum += f64::from(*few);
                *square += f64::from(*few_squares);
                (*few, *few_squares) = (0.0, 0.0);
            }
        }
    });
    let raw = moments.squares.clone();
    moments.around(first);
    let rounded = |&c: &usize| raw[c] == f64::INFINITY || raw[c] > ROUNDED * moments.squares[c];
    let again: Vec<usize> = (0..width).filter(rounded).collect();
    let mut replace = |c: usize, exact: &Moments, at: usize| {
        moments.mean[c] = exact.mean[at];
        moments.squares[c] = exact.squares[at];
    };
    if again.len() > width / 16 {
        let exact = of_block(values, rows, columns);
        again.into_iter().for_each(|c| replace(c, &exact, c));
    } else {
        for c in again {
            let column = columns.start + c;
            replace(c, &of_block(values, rows, column..column + 1), 0);
        }
    }
    moments
}

/// Squares around the first row that are so many times those around the mean have lost too many digits in f32.
const ROUNDED: f64 = 64.0;

impl Moments {
    /// From sums and sums of squares of deviations from a row to means and squares around them.
    #[inline(always)]
    fn around(&mut self, first: &[f32]) {
        let n = self.n;
        let sums = self.mean.iter_mut().zip(&mut self.squares);
        for ((sum, square), first) in sums.zip(first) {
            // `max` would make a 0 of NaN: the last summand brings it back.
            *square = (*square - *sum * *sum / n).max(0.0) + 0.0 * *sum;
            *sum = f64::from(*first) + *sum / n;
        }
    }
}

/// Refuses rows that are not there, or are in two groups.
pub(super) fn check(values: &Matrix, groups: &[&[usize]]) -> Result<()> {
    let mut seen = vec![false; values.n_rows];
    for &row in groups.iter().copied().flatten() {
        match seen.get_mut(row) {
            None => {
                return Err(Error::data(format!(
                    "trial {} was asked for, but there are {}",
                    row + 1,
                    values.n_rows
                )));
            }
            Some(seen) if *seen => {
                return Err(Error::data(format!(
                    "trial {} is in two of the compared groups: let each trial be in one",
                    row + 1
                )));
            }
            Some(seen) => *seen = true,
        }
    }
    Ok(())
}

/// Refuses groups of fewer rows than `least`.
pub(super) fn require(groups: &[&[usize]], least: usize) -> Result<()> {
    match groups.iter().position(|rows| rows.len() < least) {
        None => Ok(()),
        Some(group) => Err(Error::data(format!(
            "group {} of the comparison has {} trial(s) and needs at least {least}: choose conditions with more",
            group + 1,
            groups[group].len()
        ))),
    }
}
