//! Responses to single trials: the matrix that everything downstream works on.

use crate::mask::Mask;
use crate::matrix::Matrix;

/// One presentation of one stimulus (or one block of a condition).
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Trial {
    /// Subject id, without `sub-`.
    pub subject: String,
    /// Session id; empty when the study has none.
    pub session: String,
    /// Run label, unique within the subject ("01", or "ses-02_run-01" when there are sessions).
    pub run: String,
    /// Seconds from the first volume of the run.
    pub onset_secs: f64,
    /// Seconds.
    pub duration_secs: f64,
    /// The condition (`trial_type`).
    pub condition: String,
    /// The stimulus id (a row of the study's stimuli), when one was shown.
    pub stimulus: Option<String>,
    /// 0 for the first time this stimulus (or condition) is met by this subject, 1 for the second, …
    pub repeat: usize,
}

/// Where the columns of a beta matrix are.
#[derive(Clone, Debug)]
pub enum Columns {
    /// Voxels of a grid.
    Voxels(Mask),
    /// Points without a grid, world mm; empty when the study gives none.
    Points(Vec<glam::Vec3>),
}

/// Trials × voxels.
#[derive(Clone, Debug)]
pub struct Betas {
    /// `n_trials × n_voxels`, in the units that `method` says.
    pub values: Matrix,
    /// One a row.
    pub trials: Vec<Trial>,
    /// Where the columns are.
    pub columns: Columns,
    /// How they were made, in words ("block mean, lag 2 volumes; linear detrend, z-score per run").
    pub method: String,
}

impl Betas {
    /// Rows.
    pub fn n_trials(&self) -> usize {
        self.values.n_rows
    }

    /// Columns.
    pub fn n_voxels(&self) -> usize {
        self.values.n_cols
    }

    /// The run labels in order of first appearance.
    pub fn runs(&self) -> Vec<String> {
        let mut runs: Vec<String> = Vec::new();
        for trial in &self.trials {
            if !runs.contains(&trial.run) {
                runs.push(trial.run.clone());
            }
        }
        runs
    }
}
