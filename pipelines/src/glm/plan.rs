//! How betas are made, and how when nobody says.

use std::sync::Arc;

use crate::glm::{courses, is_tr, tr_of};
use crate::run::{Run, Stop};
use crate::study::events::{EventRow, Events};
use crate::study::select::Selection;

/// How trials are read off a run.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub enum TrialModel {
    /// The mean of the volumes acquired during the event, shifted by a lag.
    BlockMean {
        /// Volumes to wait for the haemodynamic response.
        lag_volumes: usize,
    },
    /// One regressor a trial, all at once (least squares all), canonical HRF.
    LeastSquares,
    /// Each trial against all others together (least squares separate), canonical HRF.
    LeastSquaresSeparate,
    /// One regressor a trial, all at once, regularised in the manner of GLMsingle: see [`single`](super::single).
    Ridge,
}

/// What trials are measured in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TrialUnits {
    /// Standard deviations of the voxel's time course, then z-scored over the trials of a run. A run of fewer than four
    /// trials keeps its scale.
    #[default]
    ZScored,
    /// Standard deviations of the voxel's time course, for those who scale trials themselves.
    OfCourse,
    /// Per cent of the voxel's mean over its run.
    Percent,
}

/// How betas are made.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct BetasPlan {
    /// How trials are read off.
    pub model: TrialModel,
    /// Legendre polynomials up to this order are taken out of each run (1 = linear).
    pub detrend_order: usize,
    /// Trials of this condition are rest and left out.
    pub rest: Vec<String>,
    /// When in a volume its reference slice was acquired, as a share of the TR: see [`DesignPlan`](super::design::DesignPlan).
    pub slice_time_ref: f64,
    /// What trials are measured in.
    pub units: TrialUnits,
}

impl Default for BetasPlan {
    fn default() -> Self {
        Self {
            model: TrialModel::BlockMean { lag_volumes: 2 },
            detrend_order: 1,
            rest: vec!["rest".into(), "baseline".into(), "fixation".into()],
            slice_time_ref: 0.0,
            units: TrialUnits::ZScored,
        }
    }
}

impl BetasPlan {
    /// The plan in words, for [`Betas::method`].
    pub(super) fn words(&self, units: TrialUnits, scaled: bool) -> String {
        let model = match self.model {
            TrialModel::BlockMean { lag_volumes } => {
                format!("block mean, lag {lag_volumes} volumes")
            }
            TrialModel::LeastSquares => "least squares all, Glover HRF".to_owned(),
            TrialModel::LeastSquaresSeparate => "least squares separate, Glover HRF".to_owned(),
            TrialModel::Ridge => "ridge-regularised single trials".to_owned(),
        };
        let trend = match self.detrend_order {
            0 => "mean removed".to_owned(),
            1 => "linear detrend".to_owned(),
            order => format!("Legendre detrend of order {order}"),
        };
        let shift = match self.slice_time_ref {
            0.0 => String::new(),
            share => format!(", volumes acquired {share} TR after their beginning"),
        };
        let units = match (units, scaled) {
            (TrialUnits::Percent, _) => " per run; in per cent of each voxel's mean",
            (TrialUnits::ZScored, true) => {
                " and z-score over time per run; trials z-scored per voxel within each run"
            }
            (TrialUnits::ZScored, false) | (TrialUnits::OfCourse, _) => {
                " and z-score over time per run"
            }
        };
        format!("{model}{shift}; {trend}{units}")
    }

    pub(super) fn is_rest(&self, row: &EventRow) -> bool {
        self.rest
            .iter()
            .any(|rest| rest.eq_ignore_ascii_case(row.trial_type.trim()))
    }
}

/// Seconds from the onset of a block to the plateau of its response: the canonical response
/// peaks 4 to 6 s after an impulse.
const LAG_SECS: f64 = 4.0;

/// Blocks (median event of at least 8 s and 4 volumes) are averaged after a lag of 4 s, rounded
/// to volumes; shorter events overlap in their responses and get one regressor each.
///
/// The rule follows from the haemodynamic response alone and never looks at scores.
pub fn default_plan(events: &[Arc<Events>], tr_secs: f64) -> BetasPlan {
    let plan = BetasPlan::default();
    let mut durations: Vec<f64> = events
        .iter()
        .flat_map(|e| &e.rows)
        .filter(|row| !plan.is_rest(row))
        .map(|row| row.duration_secs)
        .collect();
    durations.sort_by(f64::total_cmp);
    let median = durations.get(durations.len() / 2).copied().unwrap_or(0.0);
    let model = if median >= 8.0 && median >= 4.0 * tr_secs {
        TrialModel::BlockMean {
            lag_volumes: (LAG_SECS / tr_secs).round() as usize,
        }
    } else {
        TrialModel::LeastSquares
    };
    BetasPlan { model, ..plan }
}

/// The order of the polynomial drift that GLMsingle takes out of runs of this length: one for every two minutes, of the
/// longest run.
pub fn drift_order(selection: &Selection<'_>, run: &Run<'_>) -> Result<usize, Stop> {
    let mut longest = 0.0f64;
    for bold in &selection.runs {
        let open = courses::open(bold, run)?;
        longest = longest.max(open.n_times as f64 * tr_of(bold, open.tr_secs)?);
    }
    Ok(((longest / 120.0).round() as usize).max(1))
}

/// [`default_plan`] for a selection: reads its events, and the header of its first run when no sidecar tells the TR.
pub fn plan_for(selection: &Selection<'_>, run: &Run<'_>) -> Result<BetasPlan, Stop> {
    let Some(first) = selection.runs.first() else {
        return Ok(BetasPlan::default());
    };
    let tr_secs = match first.tr_secs.filter(|tr| is_tr(*tr)) {
        Some(tr) => tr,
        None => tr_of(first, courses::open(first, run)?.tr_secs)?,
    };
    let mut events = Vec::new();
    for bold in &selection.runs {
        if let Some(source) = &bold.events {
            events.push(source.load(run)?);
        }
    }
    Ok(default_plan(&events, tr_secs))
}
