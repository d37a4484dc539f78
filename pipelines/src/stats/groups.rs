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
    let n = rows.len() as f64;
    let width = columns.len();
    let mut sums = vec![0.0; width];
    let mut squares = vec![0.0; width];
    // Deviations from the first row: what is constant then cancels exactly, and little is lost of a small variance on
    // a large mean.
    let nothing = vec![f32::NAN; width];
    let first = match rows.first() {
        Some(&row) => &values.row(row)[columns.clone()],
        None => &nothing,
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
            let sums = sums.iter_mut().zip(&mut squares);
            for ((((a, b), (c, d)), first), (sum, square)) in rows.zip(first).zip(sums) {
                let first = f64::from(*first);
                let (a, b) = (f64::from(*a) - first, f64::from(*b) - first);
                let (c, d) = (f64::from(*c) - first, f64::from(*d) - first);
                *sum += (a + b) + (c + d);
                *square += (a * a + b * b) + (c * c + d * d);
            }
        }
        for ((sum, square), first) in sums.iter_mut().zip(&mut squares).zip(first) {
            // `max` would make a 0 of NaN: the last summand brings it back.
            *square = (*square - *sum * *sum / n).max(0.0) + 0.0 * *sum;
            *sum = f64::from(*first) + *sum / n;
        }
    });
    Moments {
        n,
        mean: sums,
        squares,
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
