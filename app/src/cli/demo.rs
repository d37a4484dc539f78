//! `fusiform demo`: the main job from end to end on the built-in study, with no display.

use std::path::PathBuf;

use fusiform_pipelines::study::demo::{DemoPlan, FIRST_SUBJECT, generate};
use fusiform_pipelines::study::select::Query;
use serde_json::Value;

use super::Output;
use super::args::{RunArgs, TrialArgs, backend, prepare_folder};
use super::decode::{DecodingArgs, Job};
use super::progress::shown;
use crate::presets;

/// What `demo` takes.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// Folder for the report, the sheet and the figures
    #[arg(long, default_value = "fusiform-demo")]
    out: PathBuf,
    #[command(flatten)]
    trials: TrialArgs,
    #[command(flatten)]
    decoding: DecodingArgs,
    #[command(flatten)]
    run: RunArgs,
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    prepare_folder(&args.out)?;
    let finished = shown(output.quiet, |run| -> anyhow::Result<_> {
        let demo = generate(
            &DemoPlan {
                seed: args.run.seed,
                ..DemoPlan::default()
            },
            run,
        )?;
        run.warn(format!(
            "subject {FIRST_SUBJECT} of {} is taken: decode demo --subject decodes another",
            demo.study.subjects.len()
        ));
        run.stage("drawing the brain");
        let map = presets::Map::new(
            presets::Values::Volume(std::sync::Arc::clone(&demo.truth_snr)),
            "planted signal-to-noise ratio",
            false,
        );
        let scene = crate::brain::Brain::load(&demo.study.subjects[0], run)?;
        let mut backend = backend(false, run);
        for (name, drawn) in [
            (
                "surface.png",
                presets::cortex(
                    &scene,
                    Some(&map),
                    &[presets::Angle::Lateral, presets::Angle::Medial],
                    None,
                    presets::Style::default(),
                    &mut backend,
                )?,
            ),
            (
                "slices.png",
                presets::slices(
                    &scene,
                    Some(&map),
                    None,
                    presets::Style::default(),
                    &mut backend,
                )?,
            ),
        ] {
            drawn.write(&args.out.join(name))?;
        }
        let plan = args.decoding.plan(args.run.seed);
        let job = Job {
            study: &demo.study,
            query: Query {
                subject: Some(FIRST_SUBJECT.to_owned()),
                ..Query::default()
            },
            trials: &args.trials,
            plan,
            run: &args.run,
        };
        job.run(Some(&args.out), run)
    })?;
    let text = format!(
        "{}\nreport: {}",
        finished.text,
        args.out.join("report.html").display()
    );
    output.result(&Value::Object(finished.metrics), &text)
}
