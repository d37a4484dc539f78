//! The road from a study to scores, in one page: `cargo run --release --example decode_a_study -- STUDY`.

use std::path::Path;

use fusiform_pipelines::decode::{DecodePlan, decode};
use fusiform_pipelines::device::Compute;
use fusiform_pipelines::run::{CancelToken, Event, Run};
use fusiform_pipelines::study::Study;
use fusiform_pipelines::study::select::{Query, select};
use fusiform_pipelines::{Stop, glm};

fn main() -> Result<(), Stop> {
    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "study".to_owned());
    // A pipeline says what it does through a run, and stops when the token is cancelled.
    let say = |event: Event| eprintln!("{event:?}");
    let cancel = CancelToken::default();
    let run = Run::new(&say, &cancel);

    let study = Study::open(Path::new(&path), &run)?;
    let selection = select(&study, &Query::default())?;
    let plan = glm::plan_for(&selection, &run)?;
    let betas = glm::betas(&selection, &plan, &run)?;
    let decoded = decode(
        &betas,
        &study.stimuli,
        &DecodePlan::default(),
        &Compute::cpu(),
        &run,
        &|so_far| eprintln!("{} trials decoded", so_far.trials.len()),
    )?;
    eprintln!("{}: {:?}", decoded.split, decoded.scores);
    Ok(())
}
