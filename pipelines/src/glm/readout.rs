//! A trial as a weighted sum over the volumes of its run.

use faer::Mat;

use crate::glm::convolve::dot;
use crate::glm::{BetasPlan, TrialModel, clean, hrf};
use crate::run::Run;
use crate::study::events::EventRow;
use crate::{Error, Result};

/// Singular values of unit-length regressors below this share of the largest: the design cannot
/// tell its trials apart in f32 data.
const RANK: f64 = 1e-4;

/// The weights that turn a detrended, z-scored time course into trials.
#[derive(Debug)]
pub struct Readout {
    /// Which of the events could be read, in order.
    pub kept: Vec<usize>,
    /// `kept × n_times`.
    pub weights: Mat<f64>,
}

/// Builds the readout of one run for `rows`, which hold no rest.
///
/// An event that starts after the run has ended is an error: events and BOLD do not belong
/// together. One whose response falls outside is left out with a warning.
pub fn readout(
    rows: &[EventRow],
    plan: &BetasPlan,
    n_times: usize,
    tr_secs: f64,
    label: &str,
    run: &Run<'_>,
) -> Result<Readout> {
    let end = n_times as f64 * tr_secs;
    for row in rows {
        if !row.onset_secs.is_finite() || row.onset_secs >= end {
            return Err(Error::data(format!(
                "{label} ends at {end:.1} s ({n_times} volumes of {tr_secs} s) but an event “{}” starts at {:.1} s: check that its events table belongs to it and that onsets are in seconds",
                row.trial_type, row.onset_secs
            )));
        }
    }
    // As if every volume were acquired at its beginning.
    let shifted: Vec<EventRow> = rows
        .iter()
        .map(|row| EventRow {
            onset_secs: row.onset_secs - plan.slice_time_ref * tr_secs,
            ..row.clone()
        })
        .collect();
    let time = (n_times, tr_secs);
    let (kept, weights) = match plan.model {
        TrialModel::BlockMean { lag_volumes } => {
            block_means(&shifted, lag_volumes, n_times, tr_secs)
        }
        TrialModel::LeastSquares | TrialModel::Ridge => {
            least_squares(&shifted, plan.detrend_order, time, label)?
        }
        TrialModel::LeastSquaresSeparate => separate(&shifted, plan.detrend_order, time, label)?,
    };
    if kept.len() < rows.len() {
        run.warn(format!(
            "{label}: {} of {} events are left out because their response lies outside the run",
            rows.len() - kept.len(),
            rows.len()
        ));
    }
    Ok(Readout { kept, weights })
}

/// The mean over the volumes acquired in [onset, onset + duration), `lag` volumes later. An
/// event that holds no acquisition time takes the first one after its onset.
fn block_means(
    rows: &[EventRow],
    lag: usize,
    n_times: usize,
    tr_secs: f64,
) -> (Vec<usize>, Mat<f64>) {
    // A hundredth of a TR forgives onsets that were rounded when written.
    let slack = 0.01;
    let lag = lag.min(n_times);
    let windows: Vec<(usize, Vec<usize>)> = rows
        .iter()
        .enumerate()
        .filter_map(|(r, row)| {
            let start = (row.onset_secs / tr_secs - slack).ceil();
            let stop = (row.onset_secs + row.duration_secs.max(0.0)) / tr_secs - slack;
            let stop = stop.ceil().max(start + 1.0);
            // Cut to the run before counting: a table may say anything.
            let first = start.max(-(lag as f64)) as i64;
            let volumes: Vec<usize> = (first..stop.min(n_times as f64) as i64)
                .map(|v| v + lag as i64)
                .filter_map(|v| usize::try_from(v).ok().filter(|v| *v < n_times))
                .collect();
            (!volumes.is_empty()).then_some((r, volumes))
        })
        .collect();
    let mut weights = Mat::zeros(windows.len(), n_times);
    for (i, (_, volumes)) in windows.iter().enumerate() {
        for &v in volumes {
            weights[(i, v)] = 1.0 / volumes.len() as f64;
        }
    }
    (windows.into_iter().map(|(r, _)| r).collect(), weights)
}

/// The events whose response lies within a run, and their regressors without drifts.
pub(super) struct Regressors {
    /// Which of the events.
    pub(super) kept: Vec<usize>,
    /// One each.
    pub(super) columns: Vec<Vec<f64>>,
}

/// One regressor an event, made by `response(onset, duration, volumes)`, without what `drifts` (orthonormal) explain.
/// Fails when there are too many for the volumes.
pub(super) fn regressors(
    rows: &[EventRow],
    drifts: &Mat<f64>,
    (n_times, tr_secs): (usize, f64),
    label: &str,
    response: impl Fn(f64, f64, usize) -> Vec<f64>,
) -> Result<Regressors> {
    let mut found = Regressors {
        kept: Vec::new(),
        columns: Vec::new(),
    };
    for (r, row) in rows.iter().enumerate() {
        let mut regressor = response(row.onset_secs, row.duration_secs, n_times);
        // The peak of the whole response, had the run gone on: a tail of it cannot be fitted.
        let longer = (40.0 / tr_secs).ceil() as usize + n_times;
        let whole = response(0.0, row.duration_secs, longer);
        let peak = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
        if peak(&regressor) < 0.5 * peak(&whole) {
            continue;
        }
        clean::without(&mut regressor, drifts);
        found.kept.push(r);
        found.columns.push(regressor);
    }
    let n = found.kept.len();
    let vanishes = |column: &Vec<f64>| column.iter().map(|x| x * x).sum::<f64>() < 1e-18;
    if n + drifts.ncols() > n_times || found.columns.iter().any(vanishes) {
        return Err(Error::data(format!(
            "{label} has {n} trials and {n_times} volumes, too few to fit one response a trial: use block means (--lag-volumes)"
        )));
    }
    Ok(found)
}

fn canonical(
    rows: &[EventRow],
    order: usize,
    (n_times, tr_secs): (usize, f64),
    label: &str,
) -> Result<Regressors> {
    let drifts = clean::drifts(n_times, order);
    regressors(
        rows,
        &drifts,
        (n_times, tr_secs),
        label,
        |onset, duration, n| hrf::regressor(onset, duration, n, tr_secs),
    )
}

/// Least squares separate: each trial fitted with one regressor of its own and one of all others together (Mumford et
/// al. 2012, *NeuroImage* 59, 2636–2643). With x the trial and s the others, both without drifts, the trial's weight is
/// ((s·s) x − (x·s) s)·y / ((x·x)(s·s) − (x·s)²): nothing is fitted trial by trial.
fn separate(
    rows: &[EventRow],
    order: usize,
    (n_times, tr_secs): (usize, f64),
    label: &str,
) -> Result<(Vec<usize>, Mat<f64>)> {
    let Regressors { kept, columns } = canonical(rows, order, (n_times, tr_secs), label)?;
    let all: Vec<f64> = (0..n_times)
        .map(|t| columns.iter().map(|x| x[t]).sum())
        .collect();
    let mut weights = Mat::zeros(kept.len(), n_times);
    for (i, x) in columns.iter().enumerate() {
        let others: Vec<f64> = all.iter().zip(x).map(|(all, x)| all - x).collect();
        let (xx, ss, xs) = (dot(x, x), dot(&others, &others), dot(x, &others));
        if ss <= 1e-12 * xx {
            // A single trial has no others.
            (0..n_times).for_each(|t| weights[(i, t)] = x[t] / xx);
            continue;
        }
        let determinant = xx * ss - xs * xs;
        if determinant <= RANK * RANK * xx * ss {
            return Err(Error::data(format!(
                "{label}: the response to the event at {:.1} s cannot be told apart from those to all others; use block means (--lag-volumes)",
                rows[kept[i]].onset_secs
            )));
        }
        for t in 0..n_times {
            weights[(i, t)] = (ss * x[t] - xs * others[t]) / determinant;
        }
    }
    Ok((kept, weights))
}

/// Least squares all: the rows of the pseudo-inverse of [trials | drifts] that belong to trials.
fn least_squares(
    rows: &[EventRow],
    order: usize,
    (n_times, tr_secs): (usize, f64),
    label: &str,
) -> Result<(Vec<usize>, Mat<f64>)> {
    let Regressors { kept, columns } = canonical(rows, order, (n_times, tr_secs), label)?;
    let n = kept.len();
    if n == 0 {
        return Ok((kept, Mat::zeros(0, n_times)));
    }
    let regressors: Vec<(Vec<f64>, f64)> = columns
        .into_iter()
        .map(|x| {
            let norm = dot(&x, &x).sqrt();
            (x, norm)
        })
        .collect();
    let design = Mat::from_fn(n_times, n, |t, i| regressors[i].0[t] / regressors[i].1);
    let svd = design.thin_svd().map_err(|e| {
        Error::data(format!(
            "{label}: the singular values of the design were not found ({e:?})"
        ))
    })?;
    let values: Vec<f64> = (0..n).map(|i| svd.S()[i]).collect();
    if values[n - 1] < RANK * values[0] {
        let (a, b) = most_alike(&design);
        return Err(Error::data(format!(
            "{label}: the responses of its trials overlap so far that they cannot be told apart (closest: the events at {:.1} s and {:.1} s); merge them or use block means (--lag-volumes)",
            rows[kept[a]].onset_secs, rows[kept[b]].onset_secs
        )));
    }
    let weights = Mat::from_fn(n, n_times, |i, t| {
        (0..n)
            .map(|k| svd.V()[(i, k)] * svd.U()[(t, k)] / values[k])
            .sum::<f64>()
            / regressors[i].1
    });
    Ok((kept, weights))
}

/// The two columns of unit length with the largest product.
fn most_alike(design: &Mat<f64>) -> (usize, usize) {
    let mut best = (f64::NEG_INFINITY, 0, 0);
    for a in 0..design.ncols() {
        for b in a + 1..design.ncols() {
            let product: f64 = (0..design.nrows())
                .map(|t| design[(t, a)] * design[(t, b)])
                .sum();
            if product > best.0 {
                best = (product, a, b);
            }
        }
    }
    (best.1, best.2)
}
