//! Events tables: what was shown when.

use std::path::Path;

use crate::Error;
use crate::io::table::{self, Table};
use crate::run::{Run, Stop};
use crate::study::Load;

/// One line of an events table.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// Seconds from the first volume.
    pub onset_secs: f64,
    /// Seconds; 0 where the table says `n/a`.
    pub duration_secs: f64,
    /// `trial_type`; empty for `n/a` and when the table has no such column.
    pub trial_type: String,
    /// `stim_file`, as written; `None` for `n/a`.
    pub stim_file: Option<String>,
    /// How strong a response is expected, against the others of its type: the column `modulation`; 1 where there is
    /// none.
    pub modulation: f64,
}

/// The events of one run, in order of onset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Events {
    /// The lines.
    pub rows: Vec<EventRow>,
}

impl Load for Events {
    /// Reads a BIDS events table; lines that begin together keep their order.
    ///
    /// # Errors
    /// Names the file, line and column where a number is missing, is no number or is impossible.
    fn load(path: &Path, run: &Run<'_>) -> Result<Self, Stop> {
        run.check()?;
        let mut rows: Vec<EventRow> = read_lines(path)?.into_iter().map(|(_, row)| row).collect();
        rows.sort_by(|a, b| a.onset_secs.total_cmp(&b.onset_secs));
        Ok(Self { rows })
    }
}

impl Events {
    /// Writes them as a BIDS table: onset, duration, trial_type, stim_file, and modulation where any is not 1.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn write(&self, path: &Path) -> Result<(), Error> {
        let or_na = |text: &str| {
            if text.is_empty() {
                "n/a".to_owned()
            } else {
                text.to_owned()
            }
        };
        let modulated = self.rows.iter().any(|row| row.modulation != 1.0);
        let rows = self.rows.iter().map(|row| {
            let mut cells = vec![
                row.onset_secs.to_string(),
                row.duration_secs.to_string(),
                or_na(&row.trial_type),
                or_na(row.stim_file.as_deref().unwrap_or_default()),
            ];
            cells.extend(modulated.then(|| row.modulation.to_string()));
            cells
        });
        let mut columns = ["onset", "duration", "trial_type", "stim_file"]
            .map(str::to_owned)
            .to_vec();
        columns.extend(modulated.then(|| "modulation".to_owned()));
        let rows = rows.collect();
        table::write(path, &Table { columns, rows })
    }
}

/// The rows in the order of the file, each with its line number (the heading is line 1).
///
/// # Errors
/// As [`Events::load`].
pub(super) fn read_lines(path: &Path) -> Result<Vec<(usize, EventRow)>, Error> {
    let table = table::read(path)?;
    let required = |name: &str| {
        table.column(name).ok_or_else(|| {
            Error::file(
                path,
                format!(
                    "an events table needs the columns onset and duration, and this one has no {name} (it has {}): add it",
                    table.columns.join(", ")
                ),
            )
        })
    };
    let (onset, duration) = (required("onset")?, required("duration")?);
    let (trial_type, stim_file) = (table.column("trial_type"), table.column("stim_file"));
    let modulation = table.column("modulation");
    let mut lines = Vec::with_capacity(table.rows.len());
    for (index, row) in table.rows.iter().enumerate() {
        let line = index + 2;
        let onset_secs = number(path, line, "onset", row.get(onset))?.ok_or_else(|| {
            Error::file(
                path,
                format!("line {line} has no onset: give seconds or delete the line"),
            )
        })?;
        let duration_secs = number(path, line, "duration", row.get(duration))?.unwrap_or(0.0);
        if duration_secs < 0.0 {
            return Err(Error::file(
                path,
                format!(
                    "line {line}, column duration: {duration_secs} seconds is negative: give 0 or more"
                ),
            ));
        }
        let text = |column: Option<usize>| cell(column.and_then(|c| row.get(c)));
        lines.push((
            line,
            EventRow {
                onset_secs,
                duration_secs,
                trial_type: text(trial_type).unwrap_or_default().to_owned(),
                stim_file: text(stim_file).map(str::to_owned),
                modulation: number(
                    path,
                    line,
                    "modulation",
                    modulation.and_then(|c| row.get(c)),
                )?
                .unwrap_or(1.0),
            },
        ));
    }
    Ok(lines)
}

/// A cell's text; `None` when it is absent, empty or `n/a`.
pub(super) fn cell(text: Option<&String>) -> Option<&str> {
    text.and_then(|text| table::said(text))
}

/// A cell's finite number; `None` when the cell says nothing.
pub(super) fn number(
    path: &Path,
    line: usize,
    column: &str,
    text: Option<&String>,
) -> Result<Option<f64>, Error> {
    let Some(text) = cell(text) else {
        return Ok(None);
    };
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some(value)),
        _ => Err(Error::file(
            path,
            format!("line {line}, column {column}: “{text}” is not a finite number: correct it"),
        )),
    }
}
