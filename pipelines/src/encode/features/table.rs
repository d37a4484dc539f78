//! Features from a file: a table keyed by stimulus, or an array with a row a stimulus or a trial.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Shown, Space};
use crate::io::array::{self, Address};
use crate::io::table;
use crate::matrix::Matrix;
use crate::study::Stimulus;
use crate::{Error, Result};

/// Reads it. Text tables name stimuli in a column `stimulus` or `stim_file`, all others hold numbers; arrays have a row
/// for each stimulus of the study in its order, or one for each trial.
pub(super) fn space(
    path: &Path,
    name: &str,
    shown: &Shown<'_>,
    stimuli: &[Stimulus],
) -> Result<Space> {
    let text = path.extension().is_some_and(|e| {
        ["tsv", "csv", "txt"]
            .iter()
            .any(|t| e.eq_ignore_ascii_case(t))
    });
    let (values, row_of_trial) = if text {
        keyed(path, shown)?
    } else {
        by_row(path, shown, stimuli)?
    };
    Ok(Space {
        name: name.to_owned(),
        values,
        levels: Vec::new(),
        scaled: true,
        row_of_trial,
    })
}

fn keyed(path: &Path, shown: &Shown<'_>) -> Result<(Matrix, Vec<Option<usize>>)> {
    let table = table::read(path)?;
    let key = ["stimulus", "stim_file", "condition"]
        .iter()
        .find_map(|c| table.column(c))
        .ok_or_else(|| {
            Error::file(
                path,
                format!(
                    "no column names the stimuli (it has {}): call it stimulus",
                    table.columns.join(", ")
                ),
            )
        })?;
    let names = table.columns.iter().enumerate().filter(|(c, _)| *c != key);
    let columns: Vec<Vec<Option<f64>>> = names
        .map(|(_, name)| table.numbers(path, name))
        .collect::<Result<_>>()?;
    if columns.is_empty() {
        return Err(Error::file(
            path,
            "holds no features: add columns of numbers",
        ));
    }
    let mut values = Matrix::zeros(table.rows.len(), columns.len());
    for (c, column) in columns.iter().enumerate() {
        for (r, value) in column.iter().enumerate() {
            values.row_mut(r)[c] = value.map_or(f32::NAN, |v| v as f32);
        }
    }
    let rows: BTreeMap<&str, usize> = table
        .rows
        .iter()
        .enumerate()
        .filter_map(|(r, cells)| Some((cells.get(key)?.trim(), r)))
        .collect();
    let of = |&item: &usize| rows.get(shown.items[item].key).copied();
    let row_of_trial: Vec<Option<usize>> = shown.of_trial.iter().map(of).collect();
    if row_of_trial.iter().all(Option::is_none) {
        return Err(Error::file(
            path,
            format!(
                "names none of the stimuli that were shown (“{}”, …): name them as the events do",
                shown.items.first().map_or("", |i| i.key)
            ),
        ));
    }
    Ok((values, row_of_trial))
}

fn by_row(
    path: &Path,
    shown: &Shown<'_>,
    stimuli: &[Stimulus],
) -> Result<(Matrix, Vec<Option<usize>>)> {
    let mut assumptions = Vec::new();
    let address = Address {
        path: path.to_path_buf(),
        name: None,
    };
    let values = array::read(&address, &mut assumptions)?;
    let (n, n_trials) = (values.n_rows, shown.of_trial.len());
    let row_of_trial = if n == stimuli.len() {
        let rows: BTreeMap<&str, usize> = stimuli
            .iter()
            .enumerate()
            .map(|(r, s)| (s.id.as_str(), r))
            .collect();
        let of = |&item: &usize| rows.get(shown.items[item].key).copied();
        shown.of_trial.iter().map(of).collect()
    } else if n == n_trials {
        (0..n).map(Some).collect()
    } else {
        return Err(Error::file(
            path,
            format!(
                "has {n} rows, but the study has {} stimuli and {n_trials} trials: give a row for each stimulus in the study's order, or for each trial",
                stimuli.len()
            ),
        ));
    };
    Ok((values, row_of_trial))
}
