//! From BOLD runs to responses of single trials.

use std::path::PathBuf;

use crate::betas::Betas;
use crate::run::{Run, Stop};
use crate::study::select::Selection;

/// How trials are read off a run.
#[derive(Clone, Debug, PartialEq)]
pub enum TrialModel {
    /// The mean of the volumes acquired during the event, shifted by a lag.
    BlockMean {
        /// Volumes to wait for the haemodynamic response.
        lag_volumes: usize,
    },
    /// One regressor a trial, all at once (least squares all), canonical HRF.
    LeastSquares,
}

/// How betas are made.
#[derive(Clone, Debug, PartialEq)]
pub struct BetasPlan {
    /// How trials are read off.
    pub model: TrialModel,
    /// Legendre polynomials up to this order are taken out of each run (1 = linear).
    pub detrend_order: usize,
    /// Trials of this condition are rest and left out.
    pub rest: Vec<String>,
}

impl Default for BetasPlan {
    fn default() -> Self {
        Self {
            model: TrialModel::BlockMean { lag_volumes: 2 },
            detrend_order: 1,
            rest: vec!["rest".into(), "baseline".into(), "fixation".into()],
        }
    }
}

/// Reads the runs of a selection one after another and gives trials × voxels of the mask.
pub fn betas(selection: &Selection<'_>, plan: &BetasPlan, run: &Run<'_>) -> Result<Betas, Stop> {
    let _ = (selection, plan, run, PathBuf::new());
    Err(crate::Error::data("not written yet").into())
}
