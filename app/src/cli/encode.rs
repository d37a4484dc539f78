//! `fusiform encode`: from what was shown to what every voxel says, with ceilings and controls.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use fusiform_pipelines::betas::{Betas, Columns};
use fusiform_pipelines::encode::features::{self, Design, Features, Shown};
use fusiform_pipelines::encode::folds::Together;
use fusiform_pipelines::encode::series;
use fusiform_pipelines::encode::{EncodePlan, Encoded, LEAST_CEILING, encode};
use fusiform_pipelines::io::table::Table;
use fusiform_pipelines::run::Run;
use fusiform_pipelines::stats::roi;
use fusiform_pipelines::study::Study;
use fusiform_pipelines::study::select::{Selection, select};
use fusiform_pipelines::surface::Shape;
use fusiform_pipelines::{glm, report};
use serde_json::{Map, Value};

use super::Output;
use super::args::{RunArgs, StudyArgs, TrialArgs, in_common, prepare_folder};
use super::progress::shown;
use crate::brain::Brain;

const EXAMPLES: &str = "\
Examples:
  fusiform encode demo --features pixels,gabor --out early
  fusiform encode demo --features category,words --roi FFA,PPA --out late
  fusiform encode study/ --features gabor,embedding.npy --folds 10 --out maps
  fusiform encode study/ --features category --delays 2,3,4,5 --out series

Features: gabor (contrast energy at 4 scales and 4 orientations), pixels (luminance and colours on
grids), category, words (of captions), or a file: a table with a column `stimulus` and columns of
numbers, or an array with a row for each stimulus (in the order of the study) or each trial.
Several spaces are weighed against each other, voxel by voxel, and R² is divided among them.

Every fold is predicted from the others; repeats of a picture stay together. Beside each score stand
chance, a shuffled control and the noise ceiling: docs/guide/scores.md says what they mean.";

/// What `encode` takes.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    study: StudyArgs,
    #[command(flatten)]
    trials: TrialArgs,
    /// What stimuli are described by, separated by commas
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "pixels,gabor,category,words"
    )]
    features: Vec<Features>,
    /// Folds at most; each is predicted from the others
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=1000))]
    folds: u32,
    /// What is never divided between folds
    #[arg(long, value_enum, default_value_t = Kept::RunsAndPictures)]
    together: Kept,
    /// Candidate weights of feature spaces drawn at random; 0 weighs all spaces the same
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(0..=1000))]
    weights: u32,
    /// Ridge penalties to choose from, in multiples of the mean squared length of a row of features
    #[arg(long, value_delimiter = ',', value_name = "ALPHA,…")]
    alphas: Vec<f64>,
    /// How often responses are shuffled within runs for the control
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    shuffles: u32,
    /// Predict every volume instead of trials, from the features of so many volumes before (FIR)
    #[arg(long, value_delimiter = ',', value_name = "VOLUMES,…")]
    delays: Vec<usize>,
    #[command(flatten)]
    run: RunArgs,
    /// Folder for maps, regions.tsv, folds.tsv, metrics.json and figures
    #[arg(long)]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kept {
    /// Whole runs, with all repeats of their pictures; pictures alone where every run shows the same
    RunsAndPictures,
    /// Repeats of a picture; a run may be on both sides
    Pictures,
    /// Whole runs; a picture may be on both sides
    Runs,
}

impl Args {
    fn plan(&self) -> EncodePlan {
        let plan = EncodePlan::default();
        let mut alphas = self.alphas.clone();
        alphas.sort_by(f64::total_cmp);
        EncodePlan {
            alphas: if alphas.is_empty() {
                plan.alphas
            } else {
                alphas
            },
            n_weights: self.weights as usize,
            n_folds: self.folds as usize,
            together: match self.together {
                Kept::RunsAndPictures => Together::RunsAndPictures,
                Kept::Pictures => Together::Pictures,
                Kept::Runs => Together::Runs,
            },
            n_shuffles: self.shuffles as usize,
            seed: self.run.seed,
            ..plan
        }
    }
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    super::allocator::give_back_large_blocks();
    if let Some(out) = &args.out {
        prepare_folder(out)?;
    }
    let (metrics, text) = shown(output.quiet, |run| {
        let study = args.study.open(run)?;
        fitted(args, &study, run)
    })?;
    output.result(&Value::Object(metrics), &text)
}

fn fitted(
    args: &Args,
    study: &Study,
    run: &Run<'_>,
) -> anyhow::Result<(Map<String, Value>, String)> {
    let compute = args.run.compute()?;
    let selection = select(study, &args.study.query())?;
    for line in &selection.assumptions {
        run.warn(line.clone());
    }
    let betas_plan = args
        .trials
        .apply_before_folds(glm::plan_for(&selection, run)?)?;
    let betas = glm::betas(&selection, &betas_plan, run)?;
    let design = designed(&args.features, &betas, study, run)?;
    let (betas, design) = match args.delays.as_slice() {
        [] => (betas, design),
        delays => series::of_volumes(&selection, &betas, &design, &betas_plan, delays, run)?,
    };
    let plan = args.plan();
    let encoded = encode(&betas, &design, &plan, &compute, run)?;
    for warning in &encoded.warnings {
        run.warn(warning.clone());
    }
    let brain = match args.out {
        Some(_) => Brain::load(selection.subject, run)?,
        None => Brain::default(),
    };
    let context = report::EncodeContext {
        study: study.name.clone(),
        subject: selection.subject.id.clone(),
        entities: in_common(&selection.runs),
        plan: &plan,
        regions: regions(&selection, &betas, run)?,
        sheets: brain
            .hemispheres
            .iter()
            .filter_map(|h| {
                Some((
                    h.side,
                    h.shape(Shape::White)?.as_ref(),
                    h.shape(Shape::Pial)?.as_ref(),
                ))
            })
            .collect(),
    };
    let metrics = report::encode_metrics(&context, &betas, &encoded);
    if let Some(out) = &args.out {
        run.stage(format!("writing {}", out.display()));
        report::write_encode(out, &context, &betas, &encoded, run)?;
    }
    Ok((metrics, text(&context, &encoded, args.out.as_deref())))
}

fn designed(
    of: &[Features],
    betas: &Betas,
    study: &Study,
    run: &Run<'_>,
) -> anyhow::Result<Design> {
    let shown = Shown::new(betas, &study.stimuli);
    let mut spaces = Vec::new();
    for features in of {
        spaces.push(features::space(features, &shown, &study.stimuli, run)?);
    }
    Ok(features::design(&spaces)?)
}

/// The regions of the atlas that hold voxels; none without an atlas on the grid of the responses.
fn regions(
    selection: &Selection<'_>,
    betas: &Betas,
    run: &Run<'_>,
) -> anyhow::Result<Vec<(String, Vec<usize>)>> {
    let (Some(atlas), Columns::Voxels(mask)) = (&selection.atlas, &betas.columns) else {
        return Ok(Vec::new());
    };
    let atlas = atlas.source.load(run)?;
    match roi::columns_of(mask, &atlas) {
        Ok(found) => Ok(found
            .into_iter()
            .map(|(region, columns)| (region.name, columns))
            .collect()),
        Err(why) => {
            run.warn(format!("there are no scores of regions: {why}"));
            Ok(Vec::new())
        }
    }
}

/// The folds, the scores and the regions as a person wants them in a terminal.
fn text(context: &report::EncodeContext<'_>, encoded: &Encoded, out: Option<&Path>) -> String {
    let mut text = format!(
        "{}\n{}\n",
        encoded.split,
        aligned(&report::encode_folds(encoded))
    );
    let counted = encoded.counted();
    text += &format!(
        "\n{:22}{:>8}{:>8}{:>18}{:>8}\n",
        format!("{} voxels", counted.len()),
        "score",
        "chance",
        "shuffled (sd)",
        "p"
    );
    for (name, score) in [
        ("r", encoded.r_over(&counted)),
        ("R²", encoded.r2_over(&counted)),
    ] {
        let control = format!("{:.3} ({:.3})", score.shuffled, score.shuffled_sd);
        text += &format!(
            "{name:22}{:>8.3}{:>8.1}{control:>18}{:>8.3}\n",
            score.value, 0.0, score.p
        );
    }
    if let (Some(ceiling), Some(share)) = (&encoded.ceiling, encoded.normalised_over(&counted)) {
        let ceiling = fusiform_pipelines::encode::mean_over(ceiling, &counted);
        text += &format!(
            "{:22}{ceiling:>8.3}   (voxels with {LEAST_CEILING} or more are counted)\n",
            "noise ceiling"
        );
        text += &format!("{:22}{share:>8.3}\n", "R² / ceiling");
    }
    let regions = report::encode_regions(context, encoded);
    if !regions.rows.is_empty() {
        text += &format!("\n{}\n", aligned(&regions));
    }
    let side = if encoded.is_primal {
        "features"
    } else {
        "trials"
    };
    text += &format!(
        "\n{} trials, {} voxels, solved on the side of {side}, {:.1} s on {}",
        encoded.n_trials,
        encoded.n_voxels(),
        encoded.seconds,
        encoded.device
    );
    if let Some(out) = out {
        text += &format!("\nwrote {}", out.display());
    }
    text
}

fn aligned(table: &Table) -> String {
    let width = |c: usize| {
        let cells = table.rows.iter().filter_map(|row| row.get(c));
        cells
            .chain([&table.columns[c]])
            .map(|cell| cell.chars().count())
            .max()
            .unwrap_or(0)
    };
    let widths: Vec<usize> = (0..table.columns.len()).map(width).collect();
    let line = |row: &[String]| {
        let cells = row.iter().zip(&widths).enumerate().map(|(c, (cell, &w))| {
            let words = table
                .rows
                .iter()
                .any(|r| r[c] != "n/a" && r[c].parse::<f64>().is_err());
            if words {
                format!("{cell:w$}")
            } else {
                format!("{cell:>w$}")
            }
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let rows = table.rows.iter().map(|row| line(row));
    std::iter::once(line(&table.columns))
        .chain(rows)
        .collect::<Vec<_>>()
        .join("\n")
}
