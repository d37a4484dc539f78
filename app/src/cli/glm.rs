//! `fusiform glm`: a model of every voxel's time course; maps of contrasts.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fusiform_pipelines::glm::contrast::Question;
use fusiform_pipelines::glm::design::DesignPlan;
use fusiform_pipelines::glm::drift::Drift;
use fusiform_pipelines::glm::first_level::{FirstLevelPlan, first_level};
use fusiform_pipelines::glm::fit::Noise;
use fusiform_pipelines::glm::response::Response;
use fusiform_pipelines::glm::{self, BetasPlan, TrialModel, TrialUnits};
use fusiform_pipelines::report::{GlmContext, glm_metrics, write_glm, write_trials};
use fusiform_pipelines::run::Run;
use fusiform_pipelines::study::select::{Selection, select};
use serde_json::{Map, Value, json};

use super::Output;
use super::args::{StudyArgs, Trials, in_common, prepare_folder, share};
use super::progress::shown;

const EXAMPLES: &str = "\
Examples:
  fusiform glm study/ --contrast \"face - house\" --out maps
  fusiform glm study/ --contrast \"face - 0.5*(house + chair)\" --contrast \"any = face, house, chair\" --out maps
  fusiform glm study/ --hrf fir --contrast \"face_delay_2 - face_delay_0\" --confounds motion,csf --out maps

A contrast is a weighted sum of columns of the design: conditions (the trial_type of the events), confounds by
name, drift_1 …, constant. Several sums separated by commas are tested together (F). NAME = … names the files.";

/// What `glm` takes.
#[derive(clap::Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    #[command(flatten)]
    study: StudyArgs,
    /// What to ask, as in "face - house"; give it as often as you like (default: each condition against the baseline)
    #[arg(long, value_name = "SUM", allow_hyphen_values = true)]
    contrast: Vec<String>,
    #[command(flatten)]
    model: ModelArgs,
    /// Responses of single trials instead of contrasts, in per cent of the mean, as a study that `decode` opens
    #[arg(long, value_enum, conflicts_with_all = ["contrast", "noise", "hrf", "drift", "confounds", "threshold"], requires = "out")]
    trials: Option<Trials>,
    /// With --trials: order of the polynomial drift taken out of each run (default: one per two minutes)
    #[arg(long, value_name = "ORDER", requires = "trials")]
    detrend: Option<usize>,
    /// Clusters and counts are of |z| above this (default: a false discovery rate of 0.05)
    #[arg(long, value_name = "Z")]
    threshold: Option<f64>,
    /// Folder for maps, designs and tables
    #[arg(long)]
    out: Option<PathBuf>,
}

/// How runs are modelled.
#[derive(clap::Args, Clone, Debug)]
struct ModelArgs {
    /// The expected response: glover or spm, with "+ derivative" or "+ derivative + dispersion"; fir (ten volumes);
    /// library (the one of 20 that fits each voxel best)
    #[arg(long, default_value = "glover", value_name = "RESPONSE")]
    hrf: String,
    /// Volumes after an event that a fir has a column for, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "VOLUMES")]
    fir_delays: Vec<usize>,
    /// Noise over time: ar1 (it carries over from volume to volume) or ols (it does not)
    #[arg(long, default_value = "ar1", value_parser = ["ar1", "ols"])]
    noise: String,
    /// Slow drifts: cosine (up to 0.01 Hz, or cosine:HZ), polynomial:ORDER, none
    #[arg(long, default_value = "cosine")]
    drift: Drift,
    /// Columns of the confounds table to add, separated by commas; `motion` is the six of rigid motion, and a name may
    /// end in *
    #[arg(long, value_delimiter = ',')]
    confounds: Vec<String>,
    /// When in a volume it counts as acquired, as a share of the TR: 0 without slice-time correction, 0.5 after
    /// fMRIPrep's
    #[arg(long, default_value_t = 0.0, value_name = "SHARE", value_parser = share)]
    slice_time_ref: f64,
}

impl ModelArgs {
    fn plan(&self) -> anyhow::Result<FirstLevelPlan> {
        let library = self.hrf.eq_ignore_ascii_case("library");
        let mut response = match library {
            true => Response::default(),
            false => self.hrf.parse::<Response>().map_err(anyhow::Error::msg)?,
        };
        match &mut response {
            Response::Fir { delays } if !self.fir_delays.is_empty() => {
                let sorted: BTreeSet<usize> = self.fir_delays.iter().copied().collect();
                *delays = sorted.into_iter().collect();
            }
            Response::Fir { .. } => {}
            _ if !self.fir_delays.is_empty() => anyhow::bail!("--fir-delays goes with --hrf fir"),
            _ => {}
        }
        Ok(FirstLevelPlan {
            design: DesignPlan {
                response,
                drift: self.drift,
                slice_time_ref: self.slice_time_ref,
                confounds: self.confounds.clone(),
                ..DesignPlan::default()
            },
            noise: match self.noise.as_str() {
                "ols" => Noise::Ols,
                _ => Noise::Ar1,
            },
            library,
        })
    }
}

/// Runs it.
pub(super) fn run(args: &Args, output: Output) -> anyhow::Result<()> {
    let plan = args.model.plan()?;
    let asked = args
        .contrast
        .iter()
        .map(|text| Question::parse(text))
        .collect::<Result<Vec<_>, _>>()?;
    if let Some(out) = &args.out {
        prepare_folder(out)?;
    }
    let (metrics, text) = shown(output.quiet, |run| -> anyhow::Result<_> {
        let study = args.study.open(run)?;
        let selection = select(&study, &args.study.query())?;
        for line in &selection.assumptions {
            run.warn(line.clone());
        }
        match args.trials {
            Some(trials) => single_trials(args, trials, &study.name, &selection, run),
            None => maps(args, &study.name, &selection, plan, asked, run),
        }
    })?;
    output.result(&Value::Object(metrics), &text)
}

fn maps(
    args: &Args,
    study: &str,
    selection: &Selection<'_>,
    plan: FirstLevelPlan,
    mut questions: Vec<Question>,
    run: &Run<'_>,
) -> anyhow::Result<(Map<String, Value>, String)> {
    if questions.is_empty() {
        questions = each_condition(selection, &plan, run)?;
        run.warn("no contrast was asked for: each condition is compared with the baseline (ask with --contrast)");
    }
    let level = first_level(selection, &plan, &questions, run)?;
    let context = GlmContext {
        study: study.to_owned(),
        subject: selection.subject,
        entities: in_common(&selection.runs),
        plan,
        threshold: args.threshold,
    };
    let mut metrics = glm_metrics(&context, &level);
    let mut text = format!(
        "{:32}{:>6}{:>8}{:>9}{:>9}{:>10}{:>8}{:>8}\n",
        "contrast", "runs", "df", "max z", "min z", "threshold", "above", "below"
    );
    for found in metrics["contrasts"].as_array().into_iter().flatten() {
        let number = |key: &str| {
            found[key]
                .as_f64()
                .map_or_else(|| "none".to_owned(), |v| format!("{v:.2}"))
        };
        // A long sum is called by its name.
        let short = ["contrast", "name"].map(|key| found[key].as_str().unwrap_or_default());
        let name = match short[0].chars().count() < 32 {
            true => short[0].to_owned(),
            false => short[1].chars().take(31).collect(),
        };
        text += &format!(
            "{name:32}{:>6}{:>8}{:>9}{:>9}{:>10}{:>8}{:>8}\n",
            found["n_runs"].to_string(),
            found["df"].to_string(),
            number("max_z"),
            number("min_z"),
            number("threshold_z"),
            found["n_above"].to_string(),
            found["n_below"].to_string(),
        );
    }
    if let Some(out) = &args.out {
        run.stage(format!("writing {}", out.display()));
        let files = write_glm(out, &context, &level, run)?;
        text += &wrote(out, files.len());
        metrics.insert("files".to_owned(), json!(files));
    } else {
        text += "nothing was written: name a folder for the maps with --out";
    }
    Ok((metrics, text))
}

/// Writes betas.npy, trials.tsv, coordinates and the study.toml that names them.
fn single_trials(
    args: &Args,
    trials: Trials,
    study: &str,
    selection: &Selection<'_>,
    run: &Run<'_>,
) -> anyhow::Result<(Map<String, Value>, String)> {
    let plan = BetasPlan {
        model: trials.model(),
        detrend_order: match args.detrend {
            Some(order) => order,
            None => glm::drift_order(selection, run)?,
        },
        slice_time_ref: args.model.slice_time_ref,
        units: TrialUnits::Percent,
        ..BetasPlan::default()
    };
    let assumed = DesignPlan {
        slice_time_ref: plan.slice_time_ref,
        ..DesignPlan::default()
    };
    run.warn(assumed.assumed());
    if plan.model == TrialModel::Ridge {
        run.warn(
            "responses, noise components and shrinkage are chosen on all runs: fit for maps and tables, but scores of a later cross-validation would flatter (decode --trials ridge chooses anew in every fold)",
        );
    }
    let betas = glm::betas(selection, &plan, run)?;
    let out = args.out.as_deref().unwrap_or(Path::new("."));
    let files = write_trials(out, study, &betas)?;
    let json = json!({
        "study": study, "subject": selection.subject.id, "n_trials": betas.n_trials(), "n_voxels": betas.n_voxels(),
        "n_runs": betas.runs().len(), "method": betas.method, "slice_time_ref": plan.slice_time_ref,
        "detrend_order": plan.detrend_order, "files": files,
    });
    let text = format!(
        "{} trials x {} voxels: {}\n{}",
        betas.n_trials(),
        betas.n_voxels(),
        betas.method,
        wrote(out, files.len())
    );
    Ok((json.as_object().cloned().unwrap_or_default(), text))
}

fn wrote(out: &Path, n: usize) -> String {
    format!("wrote {n} files into {}", out.display())
}

/// A question for every condition that occurs.
fn each_condition(
    selection: &Selection<'_>,
    plan: &FirstLevelPlan,
    run: &Run<'_>,
) -> anyhow::Result<Vec<Question>> {
    let mut names: BTreeSet<String> = BTreeSet::new();
    for bold in &selection.runs {
        for row in &bold.load_events(run)?.rows {
            let name = row.trial_type.trim();
            let rest = plan
                .design
                .rest
                .iter()
                .any(|r| r.eq_ignore_ascii_case(name));
            if !rest {
                names.insert(if name.is_empty() { "events" } else { name }.to_owned());
            }
        }
    }
    Ok(names
        .iter()
        .map(|name| Question::parse(name))
        .collect::<Result<_, _>>()?)
}
