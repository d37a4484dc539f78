//! A dense row-major matrix of `f32`: plain data between modules.

use crate::{Error, Result};

/// `n_rows × n_cols`, row after row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    /// Rows (trials, time points, images).
    pub n_rows: usize,
    /// Columns (voxels, pixels, features).
    pub n_cols: usize,
    /// The values; element (r, c) is at `r * n_cols + c`.
    pub values: Vec<f32>,
}

impl Matrix {
    /// A matrix of zeros.
    pub fn zeros(n_rows: usize, n_cols: usize) -> Self {
        Self {
            n_rows,
            n_cols,
            values: vec![0.0; n_rows * n_cols],
        }
    }

    /// Takes `values` as a matrix; an error if the length does not fit.
    pub fn from_values(n_rows: usize, n_cols: usize, values: Vec<f32>) -> Result<Self> {
        if values.len() != n_rows * n_cols {
            return Err(Error::data(format!(
                "{} values do not fill a {n_rows} × {n_cols} matrix",
                values.len()
            )));
        }
        Ok(Self {
            n_rows,
            n_cols,
            values,
        })
    }

    /// One row.
    pub fn row(&self, row: usize) -> &[f32] {
        &self.values[row * self.n_cols..(row + 1) * self.n_cols]
    }

    /// One row, to be written.
    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.values[row * self.n_cols..(row + 1) * self.n_cols]
    }

    /// All rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        (0..self.n_rows).map(|r| self.row(r))
    }

    /// The named rows, in that order.
    pub fn select_rows(&self, rows: &[usize]) -> Self {
        let values = rows
            .iter()
            .flat_map(|&r| self.row(r).iter().copied())
            .collect();
        Self {
            n_rows: rows.len(),
            n_cols: self.n_cols,
            values,
        }
    }

    /// The named columns, in that order.
    pub fn select_columns(&self, columns: &[usize]) -> Self {
        let mut values = Vec::with_capacity(self.n_rows * columns.len());
        for row in self.rows() {
            values.extend(columns.iter().map(|&c| row[c]));
        }
        Self {
            n_rows: self.n_rows,
            n_cols: columns.len(),
            values,
        }
    }

    /// Rows become columns.
    pub fn transposed(&self) -> Self {
        let mut out = Self::zeros(self.n_cols, self.n_rows);
        for r in 0..self.n_rows {
            for c in 0..self.n_cols {
                out.values[c * self.n_rows + r] = self.values[r * self.n_cols + c];
            }
        }
        out
    }

    /// `self`'s rows followed by `below`'s.
    pub fn stacked(mut self, below: &Self) -> Result<Self> {
        if self.n_rows > 0 && self.n_cols != below.n_cols {
            return Err(Error::data(format!(
                "cannot stack {} columns on {}",
                below.n_cols, self.n_cols
            )));
        }
        self.n_cols = below.n_cols;
        self.n_rows += below.n_rows;
        self.values.extend_from_slice(&below.values);
        Ok(self)
    }
}
