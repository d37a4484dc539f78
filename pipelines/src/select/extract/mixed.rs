//! Features of several kinds in one table: a basket may hold voxels, connections and means of regions.

use std::collections::BTreeMap;

use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::select::contrast::Labels;
use crate::select::extract::{empty, of_rows, rows, table_of};
use crate::select::extraction::Source;
use crate::select::feature::{FeatureKind, Mix};
use crate::select::table::{Row, Table};
use crate::study::Study;
use crate::{Error, Result};

/// The parts of a mix beside each other. Where one of them has windows or blocks for rows, these are the rows of all: what
/// is measured in single trials is averaged over the trials of each.
pub(super) fn table(
    study: &Study,
    source: &Source,
    labels: &Labels,
    mix: Mix,
    run: &Run<'_>,
) -> Result<Table, Stop> {
    let kinds = mix.kinds();
    if kinds.is_empty() {
        return Err(
            Error::Choice("a mix of no features has no table: choose two kinds".into()).into(),
        );
    }
    let (of_trials, of_windows): (Vec<FeatureKind>, Vec<FeatureKind>) =
        kinds.iter().partition(|kind| kind.row_is() == "trial");
    let mut windows = Vec::with_capacity(of_windows.len());
    for kind in &of_windows {
        windows.push(table_of(study, source, kind, labels, run)?);
    }
    let shared = match windows.as_slice() {
        [] => rows(source, labels),
        tables => in_all(tables)?,
    };
    let mut parts = Vec::with_capacity(kinds.len());
    let mut notes = source.notes.clone();
    for kind in &kinds {
        run.check()?;
        let part = match of_windows.iter().position(|of| of == kind) {
            Some(place) => matched(&windows[place], &shared),
            None => of_rows(study, source, kind, labels, shared.clone(), run)?,
        };
        for note in &part.notes {
            if !notes.contains(note) {
                notes.push(note.clone());
            }
        }
        parts.push(part);
    }
    if let (Some(first), false) = (windows.first(), of_trials.is_empty()) {
        notes.push(format!(
            "A row is a {}: what is measured in single trials is averaged over its trials.",
            first.kind.row_is()
        ));
    }
    let mut table = empty(source, FeatureKind::Mixed(mix), labels);
    table.notes = notes;
    table.values = beside(&parts, shared.len());
    table.columns = parts.into_iter().flat_map(|part| part.columns).collect();
    table.rows = shared;
    Ok(table)
}

/// The rows of the first table whose trials make a row in all others too.
fn in_all(tables: &[Table]) -> Result<Vec<Row>> {
    let mut shared: Vec<Row> = tables.first().map_or_else(Vec::new, |t| t.rows.clone());
    for table in tables {
        shared.retain(|row| table.rows.iter().any(|other| other.trials == row.trials));
    }
    if shared.is_empty() {
        return Err(Error::Choice(
            "connections and band power have no rows in common: take both over blocks (--window blocks), or one of them"
                .into(),
        ));
    }
    Ok(shared)
}

/// The rows of a table that are made of the trials of `rows`, in that order.
fn matched(table: &Table, rows: &[Row]) -> Table {
    let place: BTreeMap<&[usize], usize> = (0..table.n_rows())
        .map(|at| (table.rows[at].trials.as_slice(), at))
        .collect();
    let wanted: Vec<usize> = rows
        .iter()
        .filter_map(|row| place.get(row.trials.as_slice()).copied())
        .collect();
    table.of_rows(&wanted)
}

fn beside(parts: &[Table], n_rows: usize) -> Matrix {
    let n_cols = parts.iter().map(|part| part.columns.len()).sum();
    let mut out = Matrix::zeros(n_rows, n_cols);
    for row in 0..n_rows {
        let mut left = 0;
        for part in parts {
            let of_part = part.values.row(row);
            out.row_mut(row)[left..left + of_part.len()].copy_from_slice(of_part);
            left += of_part.len();
        }
    }
    out
}
