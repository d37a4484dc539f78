//! Count, sum and sum of squares of every class in every cell of rows: whatever rows are used then, a map costs as
//! much as it has features, not trials.
//!
//! A cell is a run, or rows that are always in or out together. The same sums over within-run ranks instead of values
//! give the rank-sum test.

use std::ops::Range;

use rayon::prelude::*;

use crate::matrix::Matrix;
use crate::run::{Run, Stop};

/// Features worked on at once.
const BLOCK: usize = 1024;

/// Sums by cell and class.
#[derive(Clone, Debug)]
pub struct Sums {
    /// Features.
    pub n_features: usize,
    /// Rows of each class in each cell.
    pub n: Vec<Vec<usize>>,
    /// `[cell][class]`, one a feature.
    sum: Vec<Vec<Vec<f64>>>,
    square: Vec<Vec<Vec<f64>>>,
}

/// One class over some cells.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    /// Rows.
    pub(super) n: f64,
    /// One a feature.
    pub(super) sum: Vec<f64>,
    /// One a feature.
    pub(super) square: Vec<f64>,
}

/// The sums of some features, cell after cell, class after class.
struct Part {
    width: usize,
    sum: Vec<f64>,
    square: Vec<f64>,
}

impl Part {
    fn place(&self, number: usize) -> Range<usize> {
        number * self.width..(number + 1) * self.width
    }
}

impl Sums {
    /// Sums of the rows of `values`; `cell` and `class` say where each belongs.
    pub fn new(
        values: &Matrix,
        cell: &[usize],
        class: &[usize],
        n_classes: usize,
        run: &Run<'_>,
    ) -> Result<Self, Stop> {
        let n_cells = cell.iter().max().map_or(0, |c| c + 1);
        let mut n = vec![vec![0; n_classes]; n_cells];
        for (&cell, &class) in cell.iter().zip(class) {
            n[cell][class] += 1;
        }
        let blocks: Vec<Range<usize>> = (0..values.n_cols.div_ceil(BLOCK))
            .map(|b| b * BLOCK..((b + 1) * BLOCK).min(values.n_cols))
            .collect();
        let parts = blocks
            .into_par_iter()
            .map(|columns| {
                run.check()?;
                let width = columns.len();
                let mut part = Part {
                    width,
                    sum: vec![0.0; width * n_cells * n_classes],
                    square: vec![0.0; width * n_cells * n_classes],
                };
                for (row, (&cell, &class)) in cell.iter().zip(class).enumerate() {
                    let place = part.place(cell * n_classes + class);
                    let sums = part.sum[place.clone()].iter_mut();
                    let squares = part.square[place].iter_mut();
                    let row = &values.row(row)[columns.clone()];
                    for ((value, sum), square) in row.iter().zip(sums).zip(squares) {
                        let value = f64::from(*value);
                        *sum += value;
                        *square += value * value;
                    }
                }
                Ok(part)
            })
            .collect::<Result<Vec<Part>, Stop>>()?;
        let gather = |of: fn(&Part) -> &[f64]| -> Vec<Vec<Vec<f64>>> {
            let joined = |cell: usize, class: usize| {
                let place = cell * n_classes + class;
                let parts = parts.iter().map(|part| &of(part)[part.place(place)]);
                parts.flatten().copied().collect()
            };
            let of_cell = |cell| (0..n_classes).map(|class| joined(cell, class)).collect();
            (0..n_cells).map(of_cell).collect()
        };
        Ok(Self {
            n_features: values.n_cols,
            n,
            sum: gather(|part| &part.sum),
            square: gather(|part| &part.square),
        })
    }

    /// Cells.
    pub fn n_cells(&self) -> usize {
        self.n.len()
    }

    /// Classes.
    pub fn n_classes(&self) -> usize {
        self.n.first().map_or(0, Vec::len)
    }

    /// The classes over the cells for which `used` holds.
    pub(super) fn over(&self, used: &[bool]) -> Vec<Group> {
        let mut groups = vec![
            Group {
                n: 0.0,
                sum: vec![0.0; self.n_features],
                square: vec![0.0; self.n_features],
            };
            self.n_classes()
        ];
        for (cell, _) in used.iter().enumerate().filter(|(_, used)| **used) {
            for (class, group) in groups.iter_mut().enumerate() {
                group.n += self.n[cell][class] as f64;
                for (total, part) in group.sum.iter_mut().zip(&self.sum[cell][class]) {
                    *total += part;
                }
                for (total, part) in group.square.iter_mut().zip(&self.square[cell][class]) {
                    *total += part;
                }
            }
        }
        groups
    }

    /// The sums of one class in one cell.
    pub(super) fn cell(&self, cell: usize, class: usize) -> (f64, &[f64], &[f64]) {
        (
            self.n[cell][class] as f64,
            &self.sum[cell][class],
            &self.square[cell][class],
        )
    }
}

/// The values of each column replaced by their ranks within each cell (1 is least, ties get their mean rank); NaN where a
/// cell holds a value that is not finite.
pub(super) fn ranks(values: &Matrix, cell: &[usize], run: &Run<'_>) -> Result<Matrix, Stop> {
    let n_cells = cell.iter().max().map_or(0, |c| c + 1);
    let mut rows_of = vec![Vec::new(); n_cells];
    for (row, &cell) in cell.iter().enumerate() {
        rows_of[cell].push(row);
    }
    let columns: Vec<Vec<f32>> = (0..values.n_cols)
        .into_par_iter()
        .with_min_len(64)
        .map(|column| {
            if column % 256 == 0 {
                run.check()?;
            }
            let mut out = vec![f32::NAN; values.n_rows];
            for rows in &rows_of {
                let mut order: Vec<(f32, usize)> =
                    rows.iter().map(|&r| (values.row(r)[column], r)).collect();
                if order.iter().any(|(v, _)| !v.is_finite()) {
                    continue;
                }
                order.sort_by(|a, b| a.0.total_cmp(&b.0));
                let mut before = 0;
                for equal in order.chunk_by(|a, b| a.0 == b.0) {
                    let rank = before as f32 + 0.5 * (equal.len() as f32 + 1.0);
                    for &(_, row) in equal {
                        out[row] = rank;
                    }
                    before += equal.len();
                }
            }
            Ok(out)
        })
        .collect::<Result<_, Stop>>()?;
    let mut out = Matrix::zeros(values.n_rows, values.n_cols);
    for (column, ranks) in columns.into_iter().enumerate() {
        for (row, rank) in ranks.into_iter().enumerate() {
            out.row_mut(row)[column] = rank;
        }
    }
    Ok(out)
}
