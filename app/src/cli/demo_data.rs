//! `fusiform demo-data`: the demo study on disk, as BIDS.

use std::path::PathBuf;

use clap::ValueEnum;
use fusiform_pipelines::study::demo::{DemoPlan, Size, study, write_bids};
use serde_json::json;

use super::Output;
use super::progress::shown;

/// What `demo-data` takes.
#[derive(clap::Args, Debug)]
pub(super) struct Args {
    /// The folder to write; it must not exist or be empty
    dir: PathBuf,
    /// Subjects
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=99))]
    subjects: u32,
    /// Runs of each subject
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=99))]
    runs: u32,
    /// How fine the brains are
    #[arg(long, default_value = "default")]
    size: SizeName,
    /// Everything follows from it
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SizeName {
    /// 6 000 vertices a hemisphere, 6 mm BOLD voxels, short runs
    Small,
    /// 23 000 vertices a hemisphere, 4 mm BOLD voxels
    Default,
    /// 52 000 vertices a hemisphere, 3 mm BOLD voxels
    Full,
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    let plan = DemoPlan {
        seed: args.seed,
        n_subjects: args.subjects as usize,
        n_runs: args.runs as usize,
        size: match args.size {
            SizeName::Small => Size::Small,
            SizeName::Default => Size::Standard,
            SizeName::Full => Size::Full,
        },
    };
    let study = study(&plan);
    shown(output.quiet, |run| write_bids(&study, &args.dir, run))?;
    let json = json!({
        "path": args.dir,
        "n_subjects": study.subjects.len(),
        "n_runs": plan.n_runs,
        "n_stimuli": study.stimuli.len(),
        "seed": plan.seed,
    });
    let text = format!(
        "{}: {} subjects, {} runs each, {} pictures\nfusiform decode {} --subject {}",
        args.dir.display(),
        study.subjects.len(),
        plan.n_runs,
        study.stimuli.len(),
        args.dir.display(),
        study.subjects.first().map_or("01", |s| s.id.as_str()),
    );
    output.result(&json, &text)
}
