//! The map of the Select panel after a run was taken out of it: the time a tick costs, beside that of making its sums anew.

use std::path::Path;

use anyhow::Context;
use fusiform_pipelines::Run;
use fusiform_pipelines::limits::pass_secs;
use fusiform_pipelines::select::table::made;
use fusiform_pipelines::select::{Column, FeatureKind, FeatureRef, Row, Statistic, map};
use serde_json::json;

use super::Measured;
use super::meter::{Meter, forget_peak, peak_mib, resident_mib};
use super::statistics::labelled;

/// Runs into which the trials are cut, one after the other.
const RUNS: usize = 10;

/// A repetition takes another run out; the limit is reading all trials once.
pub(super) fn untick(
    data: &Path,
    labels: &Path,
    reps: u32,
    run: &Run<'_>,
) -> anyhow::Result<Measured> {
    let (x, a, _) = labelled(data, labels)?;
    let n_trials = x.n_rows;
    let rows = (0..n_trials).map(|at| Row {
        class: usize::from(!a.contains(&at)),
        run: format!("{:02}", at * RUNS / n_trials + 1),
        session: String::new(),
        stimuli: Vec::new(),
        trials: vec![at],
    });
    let columns = (0..x.n_cols).map(|index| Column {
        feature: FeatureRef::Point { index },
        world_mm: None,
        region: None,
    });
    let classes = vec!["one".to_owned(), "zero".to_owned()];
    let (rows, columns) = (rows.collect(), columns.collect());
    let mut measured = Measured::of("untick");
    measured.size = format!("{n_trials} trials x {} voxels, {RUNS} runs", x.n_cols);
    for _ in 0..reps {
        measured.limit.push(pass_secs(&x.values));
    }
    let table = made(FeatureKind::Voxels, classes, rows, columns, x)?;
    let held = resident_mib();
    forget_peak();
    let meter = Meter::start();
    let source = map::prepare(&table, false, run)?;
    let prepare_secs = meter.secs();
    let mut found = None;
    for rep in 0..reps as usize {
        let ticked: Vec<bool> = (0..source.runs.len()).map(|r| r != rep % RUNS).collect();
        let meter = Meter::start();
        found = Some(map::map(&source, Statistic::R2, &ticked)?);
        measured.add(&meter);
    }
    measured.peak_mib = peak_mib();
    let found = found.context("nothing was measured: give --reps 1 or more")?;
    measured.quality = json!({
        "prepare_seconds": prepare_secs, "input_mib": held,
        "max": found.values.iter().fold(0.0f32, |m, v| m.max(*v)),
        "q_below_5_percent": found.q.iter().filter(|q| **q <= 0.05).count(),
    });
    Ok(measured)
}
