//! Ready-made betas: a matrix, the table of its trials, the coordinates of its voxels.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use glam::Vec3;

use crate::betas::{Betas, Columns, Trial};
use crate::io::array::{self, Address};
use crate::io::table;
use crate::study::events::{cell, number};
use crate::study::names::{did_you_mean, file_name};
use crate::study::{Stimulus, stimuli};
use crate::{Error, Result};

/// The stimuli known so far: those of the table or, without one, those met in trials and events.
pub(super) struct KnownStimuli {
    /// The table; any other stimulus is a mistake then.
    table: Option<PathBuf>,
    /// In the order of the table, or as met.
    pub(super) rows: Vec<Stimulus>,
    /// Where in `rows` an id is.
    index: BTreeMap<String, usize>,
}

impl KnownStimuli {
    /// Those of a table ([`stimuli::from_table`]), or none yet.
    pub(super) fn of(table: Option<PathBuf>) -> Result<Self> {
        let rows = match &table {
            Some(table) => stimuli::from_table(table)?,
            None => Vec::new(),
        };
        let index = rows
            .iter()
            .enumerate()
            .map(|(index, row)| (row.id.clone(), index))
            .collect();
        Ok(Self { table, rows, index })
    }

    /// Checks or notes a stimulus that line `line` of `file` names.
    pub(super) fn meet(&mut self, id: &str, file: &Path, line: usize) -> Result<()> {
        if self.index.contains_key(id) {
            return Ok(());
        }
        let Some(table) = &self.table else {
            self.index.insert(id.to_owned(), self.rows.len());
            self.rows.push(stimuli::nameless(id));
            return Ok(());
        };
        let ids: Vec<&str> = self.rows.iter().map(|known| known.id.as_str()).collect();
        let hint = did_you_mean(id, &ids)
            .map_or_else(String::new, |near| format!(" (did you mean “{near}”?)"));
        Err(Error::file(
            file,
            format!(
                "line {line} names the stimulus “{id}”, which {} does not list{hint}: add it there or correct the line",
                file_name(table)
            ),
        ))
    }

    fn category(&self, id: &str) -> Option<&str> {
        self.rows.get(*self.index.get(id)?)?.category.as_deref()
    }
}

/// Reads betas (trials × voxels), the table of their trials and, where given, the coordinates of
/// their voxels (voxels × 3, world mm).
///
/// # Errors
/// When a file cannot be read, the sizes do not fit, a coordinate is not finite, or a trial is
/// incomplete or names an unknown stimulus: the text names file, line and column. Betas that are
/// not finite are left to those who use them.
pub(super) fn read(
    subject: &str,
    betas: &Address,
    trials_path: &Path,
    coordinates: Option<&Address>,
    known: &mut KnownStimuli,
    assumptions: &mut Vec<String>,
) -> Result<Betas> {
    let betas_path = &betas.path;
    let values = array::read(betas, assumptions)?;
    let trials = read_trials(subject, trials_path, known)?;
    if values.n_rows != trials.len() {
        return Err(Error::file(
            betas_path,
            format!(
                "{} rows of betas for the {} trials of {}: give one row a trial",
                values.n_rows,
                trials.len(),
                file_name(trials_path)
            ),
        ));
    }
    let points = match coordinates {
        Some(address) => read_coordinates(address, values.n_cols, assumptions)?,
        None => Vec::new(),
    };
    Ok(Betas {
        values,
        trials,
        columns: Columns::Points(points),
        method: format!("ready-made, from {}", file_name(betas_path)),
    })
}

fn read_coordinates(
    address: &Address,
    n_voxels: usize,
    assumptions: &mut Vec<String>,
) -> Result<Vec<Vec3>> {
    let path = &address.path;
    let matrix = array::read(address, assumptions)?;
    if (matrix.n_rows, matrix.n_cols) != (n_voxels, 3) {
        return Err(Error::file(
            path,
            format!(
                "an array of {} × {} for {n_voxels} voxels: give x, y, z in mm for each, {n_voxels} × 3",
                matrix.n_rows, matrix.n_cols
            ),
        ));
    }
    if let Some(index) = matrix.values.iter().position(|value| !value.is_finite()) {
        return Err(Error::file(
            path,
            format!(
                "row {} (from 0) holds no finite number: leave that voxel out",
                index / 3
            ),
        ));
    }
    Ok((0..n_voxels)
        .map(|row| Vec3::from_slice(matrix.row(row)))
        .collect())
}

/// The trial table. Where it has no `condition`, a trial's is its stimulus's category, else the
/// stimulus; where it has no `repeat`, presentations of a stimulus (or condition) are counted.
fn read_trials(subject: &str, path: &Path, known: &mut KnownStimuli) -> Result<Vec<Trial>> {
    let table = table::read(path)?;
    let names = [
        "stimulus",
        "condition",
        "session",
        "repeat",
        "onset",
        "duration",
    ];
    let [stimulus, condition, session, repeat, onset, duration] =
        names.map(|name| table.column(name));
    let has = table.columns.join(", ");
    let run = table.column("run").ok_or_else(|| {
        Error::file(
            path,
            format!("no column run (it has {has}): add it, decoding leaves runs out"),
        )
    })?;
    if stimulus.is_none() && condition.is_none() {
        let problem =
            format!("no column says what was shown (it has {has}): add stimulus or condition");
        return Err(Error::file(path, problem));
    }
    let mut trials: Vec<Trial> = Vec::with_capacity(table.rows.len());
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for (index, row) in table.rows.iter().enumerate() {
        let line = index + 2;
        let get = |column: Option<usize>| column.and_then(|c| row.get(c));
        let run = cell(get(Some(run))).ok_or_else(|| {
            Error::file(
                path,
                format!("line {line} names no run: every trial needs one"),
            )
        })?;
        let stimulus = cell(get(stimulus)).map(str::to_owned);
        if let Some(id) = &stimulus {
            known.meet(id, path, line)?;
        }
        let condition = cell(get(condition))
            .or_else(|| stimulus.as_deref().and_then(|id| known.category(id)))
            .or(stimulus.as_deref())
            .ok_or_else(|| {
                Error::file(
                    path,
                    format!("line {line} has neither stimulus nor condition: give one"),
                )
            })?
            .to_owned();
        let met = seen
            .entry(stimulus.clone().unwrap_or_else(|| condition.clone()))
            .or_default();
        let repeat = match number(path, line, "repeat", get(repeat))? {
            None => *met,
            Some(n) if n >= 0.0 && n.fract() == 0.0 => n as usize,
            Some(n) => {
                let problem =
                    format!("line {line}, column repeat: {n} is no count: give 0, 1, 2, …");
                return Err(Error::file(path, problem));
            }
        };
        *met += 1;
        let session = cell(get(session)).unwrap_or_default().to_owned();
        trials.push(Trial {
            subject: subject.to_owned(),
            run: if session.is_empty() {
                run.to_owned()
            } else {
                format!("ses-{session}_run-{run}")
            },
            session,
            onset_secs: number(path, line, "onset", get(onset))?.unwrap_or(0.0),
            duration_secs: number(path, line, "duration", get(duration))?.unwrap_or(0.0),
            condition,
            stimulus,
            repeat,
        });
    }
    Ok(trials)
}
