//! `fusiform decode`: BOLD to categories and pictures, scored with its controls.

use std::path::PathBuf;

use fusiform_pipelines::decode::{Code, DecodePlan, Decoded, ReadAnew, Score, decode_anew};
use fusiform_pipelines::glm::{TrialModel, single};
use fusiform_pipelines::run::Run;
use fusiform_pipelines::study::Study;
use fusiform_pipelines::study::select::{Query, select};
use fusiform_pipelines::{glm, report};
use serde_json::{Map, Value};

use super::Output;
use super::args::{RunArgs, StudyArgs, TrialArgs, in_common, prepare_folder};
use super::progress::shown;

const EXAMPLES: &str = "\
Examples:
  fusiform decode demo --out results
  fusiform decode study/ --desc oneslice --json
  fusiform decode study/ --roi V1,V2 --code pixels --shuffles 200 --out results

Every score comes with chance, a shuffled control and p; docs/guide/scores.md says what each means.";

/// What `decode` takes.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    study: StudyArgs,
    #[command(flatten)]
    trials: TrialArgs,
    #[command(flatten)]
    decoding: DecodingArgs,
    #[command(flatten)]
    run: RunArgs,
    /// Folder for sheet.png, trials.tsv, metrics.json, figures and report.html
    #[arg(long)]
    out: Option<PathBuf>,
}

/// How pictures are decoded.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct DecodingArgs {
    /// Image code: components (principal components of the training pictures) or pixels
    #[arg(long, default_value = "components", value_parser = ["components", "pixels"])]
    code: String,
    /// Components at most
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=4096))]
    components: u32,
    /// Pixels a side of the decoded pictures
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(4..=256))]
    side: u32,
    /// How often brain and labels are shuffled for the control
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    shuffles: u32,
}

impl DecodingArgs {
    /// The plan they stand for.
    pub(super) fn plan(&self, seed: u64) -> DecodePlan {
        let side = self.side as usize;
        let code = match self.code.as_str() {
            "pixels" => Code::Pixels { side },
            _ => Code::Components {
                n: self.components as usize,
                side,
            },
        };
        DecodePlan {
            code,
            seed,
            n_shuffles: self.shuffles as usize,
            ..DecodePlan::default()
        }
    }
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    if let Some(out) = &args.out {
        prepare_folder(out)?;
    }
    let (metrics, text) = shown(output.quiet, |run| -> anyhow::Result<_> {
        let study = args.study.open(run)?;
        let plan = args.decoding.plan(args.run.seed);
        let job = Job {
            study: &study,
            query: args.study.query(),
            trials: &args.trials,
            plan,
            run: &args.run,
        };
        let finished = job.run(args.out.as_deref(), run)?;
        Ok((finished.metrics, finished.text))
    })?;
    output.result(&Value::Object(metrics), &text)
}

/// One decode from a study to its report: shared by `decode` and `demo`.
pub(super) struct Job<'a> {
    /// The study.
    pub(super) study: &'a Study,
    /// Which part.
    pub(super) query: Query,
    /// How trials are read off.
    pub(super) trials: &'a TrialArgs,
    /// How they are decoded.
    pub(super) plan: DecodePlan,
    /// Seed and device.
    pub(super) run: &'a RunArgs,
}

/// What a decode leaves.
pub(super) struct Finished {
    /// The flat object of `metrics.json`.
    pub(super) metrics: Map<String, Value>,
    /// A table for the terminal.
    pub(super) text: String,
}

impl Job<'_> {
    /// Does it; writes into `out` when given.
    pub(super) fn run(
        self,
        out: Option<&std::path::Path>,
        run: &Run<'_>,
    ) -> anyhow::Result<Finished> {
        let compute = self.run.compute()?;
        let selection = select(self.study, &self.query)?;
        for line in &selection.assumptions {
            run.warn(line.clone());
        }
        let betas_plan = self.trials.apply(glm::plan_for(&selection, run)?);
        // What a regularised model chooses for the betas that are described is chosen on all runs; what is decoded is read
        // anew in each fold, chosen on its training runs.
        let prepared = match (
            betas_plan.model == TrialModel::Ridge,
            selection.runs.is_empty(),
        ) {
            (true, false) => Some(single::prepare(&selection, &betas_plan, run)?),
            _ => None,
        };
        let betas = match &prepared {
            Some(prepared) => prepared.betas(&prepared.choose(&prepared.runs(), run)?, run)?,
            None => glm::betas(&selection, &betas_plan, run)?,
        };
        let anew = |training: &[&str], run: &Run<'_>| match &prepared {
            Some(prepared) => {
                let choice = prepared.choose(training, run)?;
                Ok(prepared.betas(&choice, run)?.values)
            }
            None => Ok(betas.values.clone()),
        };
        let decoded = decode_anew(
            &betas,
            prepared.as_ref().map(|_| &anew as &ReadAnew<'_>),
            &self.study.stimuli,
            &self.plan,
            &compute,
            run,
            &|_| {},
        )?;
        for warning in &decoded.warnings {
            run.warn(warning.clone());
        }
        let context = report::ReportContext {
            study: self.study.name.clone(),
            subject: selection.subject.id.clone(),
            entities: in_common(&selection.runs),
            plan: self.plan.clone(),
        };
        let metrics = report::metrics(&context, &betas, &decoded);
        if let Some(out) = out {
            run.stage(format!("writing {}", out.display()));
            report::write_decode(out, &context, &betas, &decoded, run)?;
        }
        Ok(Finished {
            metrics,
            text: table(&decoded),
        })
    }
}

/// The scores as a person wants them in a terminal.
fn table(decoded: &Decoded) -> String {
    let scores = &decoded.scores;
    let lines = [
        ("category accuracy", scores.accuracy),
        ("pixel correlation", scores.pixcorr),
        ("SSIM", scores.ssim),
        ("two-way identification", scores.two_way),
        ("retrieval, top 1", scores.retrieval_top1),
    ];
    let mut text = format!(
        "{:24}{:>8}{:>9}{:>18}{:>9}\n",
        decoded.split, "score", "chance", "shuffled (sd)", "p"
    );
    for (name, score) in lines {
        let Some(Score {
            value,
            chance,
            shuffled,
            shuffled_sd,
            p,
        }) = score
        else {
            continue;
        };
        let control = format!("{shuffled:.3} ({shuffled_sd:.3})");
        text += &format!("{name:24}{value:>8.3}{chance:>9.3}{control:>18}{p:>9.3}\n");
    }
    text += &format!(
        "{} trials, {:.1} s on {}",
        decoded.trials.len(),
        decoded.seconds,
        decoded.device
    );
    text
}
