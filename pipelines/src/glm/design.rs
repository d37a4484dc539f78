//! The design matrix of a run: what is expected of a voxel that answers to the events, and what is not of interest.
//!
//! Columns are those of nilearn's `make_first_level_design_matrix`, in its order: conditions by name, confounds,
//! drifts, a constant.

use std::collections::BTreeMap;

use crate::glm::convolve::{EARLIEST_SECS, FineGrid, Step, dot, linspace, orthogonalise};
use crate::glm::drift::Drift;
use crate::glm::response::Response;
use crate::matrix::Matrix;
use crate::run::Run;
use crate::study::confounds::Confounds;
use crate::study::events::EventRow;
use crate::{Error, Result};

/// How a design is made.
#[derive(Clone, Debug, PartialEq)]
pub struct DesignPlan {
    /// What events are convolved with.
    pub response: Response,
    /// Slow drifts.
    pub drift: Drift,
    /// When in a volume its reference slice was acquired, as a share of the TR: 0 where slice timing was not corrected
    /// or refers to the first slice, 0.5 after fMRIPrep's correction. Volume `v` is taken to be acquired at
    /// (v + `slice_time_ref`) · TR.
    pub slice_time_ref: f64,
    /// Nuisance regressors by name; `motion` is the six of rigid motion, a name may end in `*`.
    pub confounds: Vec<String>,
    /// Events of this type are the baseline and get no column.
    pub rest: Vec<String>,
}

impl Default for DesignPlan {
    fn default() -> Self {
        Self {
            response: Response::default(),
            drift: Drift::default(),
            slice_time_ref: 0.0,
            confounds: Vec::new(),
            rest: ["rest", "baseline", "fixation"].map(str::to_owned).to_vec(),
        }
    }
}

impl DesignPlan {
    /// What was assumed of it, in a sentence.
    pub fn assumed(&self) -> String {
        format!(
            "assumed: slice_time_ref {} (volume v acquired at (v + {}) TR; 0.5 after fMRIPrep's slice-time correction, set it with --slice-time-ref)",
            self.slice_time_ref, self.slice_time_ref
        )
    }

    pub(super) fn is_rest(&self, row: &EventRow) -> bool {
        self.rest
            .iter()
            .any(|rest| rest.eq_ignore_ascii_case(row.trial_type.trim()))
    }
}

/// What a column is there for.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// The response to a condition, or a derivative or delay of it.
    Condition(String),
    /// Nuisance.
    Confound,
    /// Drift or constant.
    Drift,
}

/// One regressor.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Unique in its design.
    pub name: String,
    /// What for.
    pub role: Role,
    /// One a volume.
    pub values: Vec<f64>,
}

/// Volumes × regressors.
#[derive(Clone, Debug, PartialEq)]
pub struct Design {
    /// When each volume was acquired, seconds.
    pub frame_times: Vec<f64>,
    /// The regressors.
    pub columns: Vec<Column>,
}

/// A regressor that others make up: its own weight means nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependent {
    /// Its name.
    pub name: String,
    /// The columns before it that add up to it; none when it holds only zeros.
    pub on: Vec<String>,
}

/// The design of one run.
///
/// Events that begin after the run has ended, or end 24 s before it begins, are left out with a warning. Fails when
/// there are no others, when a confound is missing or of another length, and when two columns have one name.
pub fn design(
    events: &[EventRow],
    confounds: Option<&Confounds>,
    plan: &DesignPlan,
    (n_times, tr_secs): (usize, f64),
    label: &str,
    run: &Run<'_>,
) -> Result<Design> {
    if n_times < 3 {
        return Err(Error::data(format!(
            "{label} has {n_times} volumes, too few for a model: leave it out with --runs"
        )));
    }
    if !(0.0..=1.0).contains(&plan.slice_time_ref) {
        return Err(Error::Choice(format!(
            "slice_time_ref is a share of the TR from 0 to 1, not {}",
            plan.slice_time_ref
        )));
    }
    let at = |volume: usize| (volume as f64 + plan.slice_time_ref) * tr_secs;
    let frame_times = linspace(at(0), at(n_times - 1), n_times);
    let kept = within(events, plan, n_times as f64 * tr_secs, label, run)?;
    let mut columns = conditions(&kept, plan, &frame_times);
    columns.extend(nuisance(confounds, plan, n_times, label)?);
    let drifts = plan.drift.columns(&frame_times).into_iter();
    columns.extend(drifts.map(|(name, values)| Column {
        name,
        role: Role::Drift,
        values,
    }));
    for (c, column) in columns.iter().enumerate() {
        if columns[..c].iter().any(|other| other.name == column.name) {
            return Err(Error::data(format!(
                "{label}: two columns of its design are called “{}”: rename the condition or the confound",
                column.name
            )));
        }
    }
    Ok(Design {
        frame_times,
        columns,
    })
}

/// The events that the run saw, rest left out.
fn within<'a>(
    events: &'a [EventRow],
    plan: &DesignPlan,
    end_secs: f64,
    label: &str,
    run: &Run<'_>,
) -> Result<Vec<&'a EventRow>> {
    let wanted: Vec<&EventRow> = events.iter().filter(|row| !plan.is_rest(row)).collect();
    let late = |row: &&&EventRow| row.onset_secs >= end_secs || !row.onset_secs.is_finite();
    let early = |row: &&&EventRow| row.onset_secs + row.duration_secs < EARLIEST_SECS;
    let kept: Vec<&EventRow> = wanted
        .iter()
        .filter(|row| !late(row) && !early(row))
        .copied()
        .collect();
    let told = |row: Option<&&EventRow>| {
        row.map_or_else(String::new, |row| {
            format!("“{}” at {:.1} s", row.trial_type, row.onset_secs)
        })
    };
    if kept.is_empty() {
        let first = told(wanted.first());
        return Err(Error::data(match wanted.is_empty() {
            true => format!(
                "{label} has no events besides rest, so there is nothing to model: leave it out with --runs"
            ),
            false => format!(
                "{label} ends at {end_secs:.1} s and none of its {} events lies within it (first: {first}): check that its events table belongs to it and that onsets are in seconds",
                wanted.len()
            ),
        }));
    }
    let n_late = wanted.iter().filter(late).count();
    if n_late > 0 {
        let first = told(wanted.iter().find(late));
        run.warn(format!(
            "{label}: {n_late} of {} events begin after its last volume (it ends at {end_secs:.1} s; first: {first}) and are left out: check that the table belongs to this run",
            wanted.len()
        ));
    }
    let n_early = wanted.iter().filter(early).count();
    if n_early > 0 {
        run.warn(format!(
            "{label}: {n_early} of {} events ended more than 24 s before its first volume and are left out",
            wanted.len()
        ));
    }
    Ok(kept)
}

fn conditions(events: &[&EventRow], plan: &DesignPlan, frame_times: &[f64]) -> Vec<Column> {
    let grid = FineGrid::new(frame_times);
    let tr_secs = frame_times
        .windows(2)
        .map(|pair| pair[1] - pair[0])
        .fold(f64::INFINITY, f64::min);
    let kernels = plan.response.kernels(tr_secs);
    let is_fir = matches!(plan.response, Response::Fir { .. });
    let mut steps: BTreeMap<&str, Vec<Step>> = BTreeMap::new();
    for row in events {
        let name = match row.trial_type.trim() {
            "" => "events",
            name => name,
        };
        let step = grid.step(row.onset_secs, row.duration_secs, row.modulation);
        steps.entry(name).or_default().push(step);
    }
    let mut columns = Vec::new();
    for (condition, steps) in steps {
        let mut regressors: Vec<Vec<f64>> = kernels
            .iter()
            .map(|kernel| grid.regressor(&steps, kernel, is_fir))
            .collect();
        if !is_fir {
            orthogonalise(&mut regressors);
        }
        let names = plan.response.column_names(condition);
        columns.extend(
            names
                .into_iter()
                .zip(regressors)
                .map(|(name, values)| Column {
                    name,
                    role: Role::Condition(condition.to_owned()),
                    values,
                }),
        );
    }
    columns
}

/// The confounds that the plan names.
fn nuisance(
    confounds: Option<&Confounds>,
    plan: &DesignPlan,
    n_times: usize,
    label: &str,
) -> Result<Vec<Column>> {
    if plan.confounds.is_empty() {
        return Ok(Vec::new());
    }
    let Some(confounds) = confounds else {
        return Err(Error::Choice(format!(
            "{label} has no confounds table: put a …_desc-confounds_timeseries.tsv beside it, or drop --confounds"
        )));
    };
    let names = expanded(&plan.confounds, &confounds.names);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let values: Matrix = confounds.select(&names)?;
    if values.n_rows != n_times {
        return Err(Error::data(format!(
            "{label} has {n_times} volumes but its confounds table has {} rows: it belongs to another run",
            values.n_rows
        )));
    }
    let column = |(c, name): (usize, &&str)| Column {
        name: (*name).to_owned(),
        role: Role::Confound,
        values: values.rows().map(|row| f64::from(row[c])).collect(),
    };
    Ok(names.iter().enumerate().map(column).collect())
}

/// `motion` and names that end in `*` as the names they stand for.
fn expanded(wanted: &[String], known: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in wanted {
        let these: Vec<String> = match (name.as_str(), name.strip_suffix('*')) {
            ("motion", _) if !known.contains(name) => {
                ["trans_x", "trans_y", "trans_z", "rot_x", "rot_y", "rot_z"]
                    .map(str::to_owned)
                    .to_vec()
            }
            (_, Some(start)) => {
                let found = known.iter().filter(|k| k.starts_with(start));
                found.cloned().collect()
            }
            _ => vec![name.clone()],
        };
        // A pattern that fits nothing stays, so that the error can name it.
        let these = if these.is_empty() {
            vec![name.clone()]
        } else {
            these
        };
        for name in these {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

impl Design {
    /// Where a column is.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }

    /// The conditions, by name.
    pub fn conditions(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for column in &self.columns {
            if let Role::Condition(name) = &column.role
                && names.last() != Some(&name.as_str())
            {
                names.push(name);
            }
        }
        names
    }

    /// The columns that others before them make up, within rounding.
    pub fn dependent(&self) -> Vec<Dependent> {
        // Columns of length 1 that are not explained, orthogonalised, and what each was made of.
        let mut basis: Vec<Vec<f64>> = Vec::new();
        let mut known: Vec<usize> = Vec::new();
        let mut made_of: Vec<Vec<f64>> = Vec::new();
        let mut found = Vec::new();
        for (c, column) in self.columns.iter().enumerate() {
            let norm = dot(&column.values, &column.values).sqrt();
            let mut rest: Vec<f64> = column.values.iter().map(|v| v / norm).collect();
            let mut along = vec![0.0; basis.len()];
            // Twice, for rounding.
            for _ in 0..2 {
                for (b, along) in basis.iter().zip(&mut along) {
                    let share = dot(&rest, b);
                    *along += share;
                    rest.iter_mut().zip(b).for_each(|(x, b)| *x -= share * b);
                }
            }
            let left = dot(&rest, &rest).sqrt();
            if norm > 0.0 && left > 1e-8 {
                // In terms of the columns themselves: (column − Σ along · basis) / left.
                let mut own = vec![0.0; self.columns.len()];
                own[c] = 1.0 / (norm * left);
                for (share, made) in along.iter().zip(&made_of) {
                    own.iter_mut()
                        .zip(made)
                        .for_each(|(o, m)| *o -= share * m / left);
                }
                rest.iter_mut().for_each(|x| *x /= left);
                basis.push(rest);
                made_of.push(own);
                known.push(c);
                continue;
            }
            let weight = |k: usize| -> f64 {
                let share: f64 = along
                    .iter()
                    .zip(&made_of)
                    .map(|(s, made)| s * made[k])
                    .sum();
                let other = &self.columns[k].values;
                share.abs() * dot(other, other).sqrt()
            };
            let on = known.iter().filter(|&&k| norm > 0.0 && weight(k) > 1e-6);
            found.push(Dependent {
                name: column.name.clone(),
                on: on.map(|&k| self.columns[k].name.clone()).collect(),
            });
        }
        found
    }

    /// Says which columns are made up of others, if any are.
    pub(super) fn warn_of_dependent(&self, label: &str, run: &Run<'_>) {
        for Dependent { name, on } in self.dependent() {
            run.warn(match on.is_empty() {
                true => format!("{label}: column “{name}” of the design holds only zeros, so nothing can be said of it"),
                false => format!("{label}: column “{name}” of the design is a sum of {}: their weights cannot be told apart, and contrasts that need them are left out", quoted(&on)),
            });
        }
    }
}

fn quoted(names: &[String]) -> String {
    let all: Vec<String> = names.iter().map(|n| format!("“{n}”")).collect();
    all.join(", ")
}
