//! Regions' time courses during blocks: samples for connections, and power in bands.

use crate::betas::Columns;
use crate::glm::{self, BetasPlan, TrialModel, clean, courses};
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::select::contrast::Labels;
use crate::select::extract::windows::{Window, row_of};
use crate::select::extract::{empty, require_regions};
use crate::select::extraction::Source;
use crate::select::feature::{Column, FeatureKind, FeatureRef};
use crate::select::table::Table;
use crate::study::Study;
use crate::study::select::select;
use crate::{Error, Result};

/// Bands of slow fluctuations, Hz: Penttonen & Buzsáki (2003), *Thalamus & Related Systems* 2, 145–152; Zuo et al.
/// (2010), *NeuroImage* 49, 1432–1445. The last is open to what faster scanners see.
const BANDS: [(&str, f64, f64); 5] = [
    ("slow-5", 0.01, 0.027),
    ("slow-4", 0.027, 0.073),
    ("slow-3", 0.073, 0.198),
    ("slow-2", 0.198, 0.25),
    ("above 0.25 Hz", 0.25, 0.5),
];

/// Volumes of the response to a block after its onset, when the trial model is no block mean.
const LAG_SECS: f64 = 4.0;

/// Fewer volumes hold no cycle that could be told from a drift.
const LEAST_VOLUMES: usize = 8;

/// A run's regions: volumes × regions, without drift, and its repetition time.
struct Course {
    run: String,
    tr_secs: f64,
    values: Matrix,
}

fn of_runs(study: &Study, source: &Source, run: &Run<'_>) -> Result<Vec<Course>, Stop> {
    let selection = select(study, &source.extraction.query)?;
    let Columns::Voxels(mask) = &source.betas.columns else {
        return Err(no_bold().into());
    };
    if selection.runs.is_empty() {
        return Err(no_bold().into());
    }
    let mut out = Vec::new();
    for (done, bold) in selection.runs.iter().enumerate() {
        run.check()?;
        run.progress(done, selection.runs.len());
        let open = courses::open(bold, run)?;
        let tr_secs = glm::tr_of(bold, open.tr_secs)?;
        let voxels = open.courses(mask, run)?;
        let drifts = clean::drifts(voxels.n_rows, source.extraction.betas.detrend_order);
        let mut values = Matrix::zeros(voxels.n_rows, source.regions.len());
        for (at, region) in source.regions.iter().enumerate() {
            let mut mean: Vec<f64> = voxels
                .rows()
                .map(|row| {
                    let finite = region.columns.iter().map(|&c| f64::from(row[c]));
                    let (sum, n) = finite
                        .filter(|v| v.is_finite())
                        .fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
                    sum / f64::max(n, 1.0)
                })
                .collect();
            for column in 0..drifts.ncols() {
                let along: f64 = mean
                    .iter()
                    .enumerate()
                    .map(|(t, v)| v * drifts[(t, column)])
                    .sum();
                for (t, v) in mean.iter_mut().enumerate() {
                    *v -= along * drifts[(t, column)];
                }
            }
            for (t, v) in mean.iter().enumerate() {
                values.row_mut(t)[at] = *v as f32;
            }
        }
        out.push(Course {
            run: bold.label.clone(),
            tr_secs,
            values,
        });
    }
    Ok(out)
}

fn no_bold() -> Error {
    Error::Choice(
        "this study holds responses of trials and no BOLD runs, so blocks have no time courses: use windows of trials (--window trials:8)".into(),
    )
}

/// The volumes of every labelled block, each region's course in them.
pub(super) fn blocks(
    study: &Study,
    source: &Source,
    labels: &Labels,
    least_volumes: usize,
    run: &Run<'_>,
) -> Result<Vec<Window>, Stop> {
    let remedy = "use windows of trials (--window trials:8)";
    Ok(
        timed_blocks(study, source, labels, least_volumes, remedy, run)?
            .into_iter()
            .map(|(window, _)| window)
            .collect(),
    )
}

fn timed_blocks(
    study: &Study,
    source: &Source,
    labels: &Labels,
    least_volumes: usize,
    remedy: &str,
    run: &Run<'_>,
) -> Result<Vec<(Window, f64)>, Stop> {
    run.stage("reading time courses of regions");
    let courses = of_runs(study, source, run)?;
    let mut windows = Vec::new();
    let mut n_short = 0;
    for (at, class) in labels.of_trial.iter().enumerate() {
        let (Some(class), trial) = (*class, &source.betas.trials[at]) else {
            continue;
        };
        let Some(course) = courses.iter().find(|c| c.run == trial.run) else {
            continue;
        };
        let tr = course.tr_secs;
        let lag = lag_volumes(&source.extraction.betas, tr);
        // A hundredth of a TR forgives onsets that were rounded when written.
        let volume = |secs: f64| ((secs / tr - 0.01).ceil().max(0.0) as usize) + lag;
        let (first, end) = (
            volume(trial.onset_secs),
            volume(trial.onset_secs + trial.duration_secs.max(0.0)).min(course.values.n_rows),
        );
        if end < first + least_volumes {
            n_short += 1;
            continue;
        }
        let volumes: Vec<usize> = (first..end).collect();
        let window = Window {
            row: row_of(source, class, &[at]),
            samples: course.values.select_rows(&volumes),
        };
        windows.push((window, tr));
    }
    if windows.is_empty() {
        return Err(Error::Choice(format!(
            "the trials are shorter than the {least_volumes} volumes that are needed: {remedy}"
        ))
        .into());
    }
    if n_short > 0 {
        run.warn(format!(
            "{n_short} of {} blocks are shorter than {least_volumes} volumes and are left out",
            n_short + windows.len()
        ));
    }
    Ok(windows)
}

fn lag_volumes(plan: &BetasPlan, tr_secs: f64) -> usize {
    if let TrialModel::BlockMean { lag_volumes } = plan.model {
        lag_volumes
    } else {
        (LAG_SECS / tr_secs).round() as usize
    }
}

/// Log power of every region in the bands that the blocks can tell: a band needs a whole cycle within the block, and
/// must lie below half the sampling rate.
pub(super) fn power(
    study: &Study,
    source: &Source,
    labels: &Labels,
    run: &Run<'_>,
) -> Result<Table, Stop> {
    require_regions(source, 1, "power in bands")?;
    let blocks = timed_blocks(
        study,
        source,
        labels,
        LEAST_VOLUMES,
        "use another kind of features",
        run,
    )?;
    let shortest = blocks
        .iter()
        .map(|(w, tr)| w.samples.n_rows as f64 * tr)
        .fold(f64::INFINITY, f64::min);
    let slowest_tr = blocks.iter().map(|b| b.1).fold(0.0, f64::max);
    let nyquist = 0.5 / slowest_tr;
    let fitting = |&&(_, low, high): &&(&str, f64, f64)| {
        let lines = lines(shortest, low, high.min(nyquist));
        low < nyquist && !lines.is_empty()
    };
    let bands: Vec<&(&str, f64, f64)> = BANDS.iter().filter(fitting).collect();
    if bands.is_empty() {
        return Err(Error::Choice(format!(
            "blocks of {shortest:.0} s sampled every {slowest_tr} s tell no band apart (from {:.3} to {nyquist:.3} Hz): use another kind of features",
            1.0 / shortest
        ))
        .into());
    }
    let mut table = empty(source, FeatureKind::BandPower, labels);
    table.notes.push(format!(
        "Power is of blocks of {shortest:.0} s sampled every {slowest_tr} s: bands from {:.3} to {nyquist:.3} Hz can be told, which is blood and not nerve rhythms.",
        1.0 / shortest
    ));
    let mut values = Vec::new();
    for (window, tr) in blocks {
        run.check()?;
        let n = (shortest / tr).round() as usize;
        for region in 0..source.regions.len() {
            let course: Vec<f64> = (0..n.min(window.samples.n_rows))
                .map(|t| f64::from(window.samples.row(t)[region]))
                .collect();
            for (_, low, high) in &bands {
                values.push(log_power(&course, tr, *low, high.min(nyquist)) as f32);
            }
        }
        table.rows.push(window.row);
    }
    for (place, region) in source.regions.iter().enumerate() {
        for (band, _, _) in &bands {
            table.columns.push(Column {
                feature: FeatureRef::BandPower {
                    roi: region.name.clone(),
                    band: (*band).to_owned(),
                },
                world_mm: region.centre_mm,
                region: Some(place),
            });
        }
    }
    table.values = Matrix::from_values(table.rows.len(), table.columns.len(), values)?;
    Ok(table)
}

/// The multiples of 1/`secs` within a band.
fn lines(secs: f64, low: f64, high: f64) -> std::ops::Range<usize> {
    let first = ((low * secs - 1e-9).ceil() as usize).max(1);
    let end = (high * secs + 1e-9).ceil() as usize;
    first..end.max(first)
}

/// ln of the summed power of a band, the course less its mean and tapered by a Hann window.
fn log_power(course: &[f64], tr_secs: f64, low: f64, high: f64) -> f64 {
    use std::f64::consts::TAU;
    let n = course.len() as f64;
    let mean = course.iter().sum::<f64>() / n;
    let tapered: Vec<f64> = course
        .iter()
        .enumerate()
        .map(|(t, v)| (v - mean) * 0.5 * (1.0 - (TAU * (t as f64 + 0.5) / n).cos()))
        .collect();
    let power: f64 = lines(n * tr_secs, low, high)
        .map(|line| {
            let turn = TAU * line as f64 / n;
            let parts = tapered.iter().enumerate().map(|(t, v)| {
                let angle = turn * t as f64;
                (v * angle.cos(), v * angle.sin())
            });
            let (re, im) = parts.fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d));
            re * re + im * im
        })
        .sum();
    // A course that does not vary has no power, and no logarithm of it.
    if power > 0.0 { power.ln() } else { f64::NAN }
}
