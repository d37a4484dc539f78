//! How betas are made when nobody says.

use std::sync::Arc;

use crate::glm::{BetasPlan, TrialModel, courses, is_tr, tr_of};
use crate::run::{Run, Stop};
use crate::study::events::Events;
use crate::study::select::Selection;

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
