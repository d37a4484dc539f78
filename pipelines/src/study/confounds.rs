//! Nuisance regressors of a run: fMRIPrep's `*_desc-confounds_timeseries.tsv`.

use std::path::Path;

use crate::io::table;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::study::Load;
use crate::study::names::unknown;
use crate::{Error, Result};

/// Regressors by name, one value a volume.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Confounds {
    /// The names of the columns.
    pub names: Vec<String>,
    /// Volumes × regressors. NaN where the table says `n/a`, as derivatives do in the first volume.
    pub values: Matrix,
}

impl Load for Confounds {
    /// Reads the table; every cell must be a number or `n/a`.
    fn load(path: &Path, run: &Run<'_>) -> std::result::Result<Self, Stop> {
        run.check()?;
        let table = table::read(path)?;
        let (n_rows, n_cols) = (table.rows.len(), table.columns.len());
        let mut values = Matrix::zeros(n_rows, n_cols);
        for (column, name) in table.columns.iter().enumerate() {
            run.check()?;
            for (row, value) in table.numbers(path, name)?.into_iter().enumerate() {
                values.row_mut(row)[column] = value.map_or(f32::NAN, |v| v as f32);
            }
        }
        Ok(Self {
            names: table.columns,
            values,
        })
    }
}

impl Confounds {
    /// The named regressors, volumes × names; `n/a` becomes 0, as fMRIPrep's manual has it for the
    /// first volume of derivatives.
    ///
    /// # Errors
    /// When there is no regressor of a name: the text lists those there are.
    pub fn select(&self, names: &[&str]) -> Result<Matrix> {
        let all: Vec<&str> = self.names.iter().map(String::as_str).collect();
        let column = |name: &&str| -> Result<usize, Error> {
            let found = all.iter().position(|known| known == name);
            found.ok_or_else(|| unknown("regressor", name, "the confounds table", &all))
        };
        let columns = names.iter().map(column).collect::<Result<Vec<_>>>()?;
        let mut selected = self.values.select_columns(&columns);
        for value in &mut selected.values {
            if value.is_nan() {
                *value = 0.0;
            }
        }
        Ok(selected)
    }
}
