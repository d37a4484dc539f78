//! One voxel after another as the inspector shows them, on the demo study: the time a click costs.

use std::hint::black_box;

use fusiform_pipelines::selectivity::{ProfilePlan, prepare, profile};
use fusiform_pipelines::study::demo::{self, DemoPlan};
use fusiform_pipelines::study::select::{Query, select};
use fusiform_pipelines::{Run, glm};
use serde_json::json;

use super::Measured;
use super::meter::{Meter, peak_mib};

/// Voxels read, spread evenly over the brain.
const VOXELS: usize = 100;

/// A repetition is one voxel: the median and the slowest of all are those of a click.
pub(super) fn run(reps: u32, run: &Run<'_>) -> anyhow::Result<Measured> {
    let demo = demo::generate(&DemoPlan::default(), run)?;
    let query = Query {
        subject: Some(demo::FIRST_SUBJECT.to_owned()),
        ..Query::default()
    };
    let selection = select(&demo.study, &query)?;
    let betas = glm::betas(&selection, &glm::plan_for(&selection, run)?, run)?;
    let values = betas.values.values.clone();
    let responses = prepare(betas, &demo.study.stimuli, run)?;
    let n_voxels = responses.n_voxels();
    let mut measured = Measured::of("inspect");
    let (mut slowest, mut alike) = (0.0f64, 0.0f64);
    for n in 0..VOXELS * reps as usize {
        let column = (n % VOXELS) * n_voxels / VOXELS;
        let meter = Meter::start();
        let found = profile(&responses, column, &ProfilePlan::default());
        measured.add(&meter);
        slowest = slowest.max(meter.secs());
        let first = found.and_then(|p| p.alike.first().map(|a| a.r));
        alike += f64::from(first.unwrap_or(0.0)) / (VOXELS * reps as usize) as f64;

        // No voxel can be compared with all others faster than these are read from memory.
        let meter = Meter::start();
        black_box(
            values
                .iter()
                .map(|v| v.to_bits())
                .fold(0u32, u32::wrapping_add),
        );
        measured.limit.push(meter.secs());
    }
    measured.peak_mib = peak_mib();
    measured.size = format!("{} trials x {n_voxels} voxels", responses.trials.len());
    measured.quality = json!({ "slowest_seconds": slowest, "mean_r_of_most_alike": alike });
    Ok(measured)
}
