//! The options that the study commands share.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, ValueEnum};
use fusiform_pipelines::device::{self, Compute, DeviceChoice};
use fusiform_pipelines::glm::{BetasPlan, TrialModel};
use fusiform_pipelines::run::Run;
use fusiform_pipelines::study::select::Query;
use fusiform_pipelines::study::{BoldRun, Entities, Study, demo};
use fusiform_render::renderer::Backend;

use crate::gpu::off_screen;

/// Which study, and which part of it.
#[derive(Args, Clone, Debug)]
pub(super) struct StudyArgs {
    /// A BIDS folder, a study.toml (or its folder), or the word `demo`
    pub(super) study: PathBuf,
    /// Subject id, without `sub-`
    #[arg(long)]
    pub(super) subject: Option<String>,
    /// Session id, without `ses-`
    #[arg(long)]
    pub(super) session: Option<String>,
    /// Task name
    #[arg(long)]
    pub(super) task: Option<String>,
    /// BIDS space of the volumes
    #[arg(long)]
    pub(super) space: Option<String>,
    /// BIDS desc of the volumes; a mask with the same desc is taken by itself
    #[arg(long)]
    pub(super) desc: Option<String>,
    /// Run labels, separated by commas (default: all)
    #[arg(long, value_delimiter = ',')]
    pub(super) runs: Vec<String>,
    /// A mask of the study by name, or a NIfTI file
    #[arg(long)]
    pub(super) mask: Option<String>,
    /// Regions of the study's atlas to keep, separated by commas
    #[arg(long, value_delimiter = ',')]
    pub(super) roi: Vec<String>,
}

impl StudyArgs {
    /// What they ask of the study. The demo study's first subject is meant where none is named.
    pub(super) fn query(&self) -> Query {
        let subject = match self.subject_left_open() {
            true => Some(demo::FIRST_SUBJECT.to_owned()),
            false => self.subject.clone(),
        };
        Query {
            subject,
            session: self.session.clone(),
            task: self.task.clone(),
            space: self.space.clone(),
            desc: self.desc.clone(),
            runs: self.runs.clone(),
            mask: self.mask.clone(),
            rois: self.roi.clone(),
        }
    }

    fn subject_left_open(&self) -> bool {
        self.subject.is_none() && is_demo(&self.study)
    }

    /// Opens the study, and says which subject is meant where that was left open.
    pub(super) fn open(&self, run: &Run<'_>) -> anyhow::Result<Study> {
        let study = open(&self.study, run)?;
        if self.subject_left_open() {
            run.warn(format!(
                "subject {} of {} is taken: choose another with --subject",
                demo::FIRST_SUBJECT,
                study.subjects.len()
            ));
        }
        Ok(study)
    }
}

/// How responses of single trials are fitted.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Trials {
    /// Least squares, all trials at once
    Lsa,
    /// Least squares, each trial against all others together
    Lss,
    /// As GLMsingle: a response per voxel from a library, noise components, ridge per voxel; chosen on training runs
    Ridge,
}

impl Trials {
    /// The model meant.
    pub(super) fn model(self) -> TrialModel {
        match self {
            Self::Lsa => TrialModel::LeastSquares,
            Self::Lss => TrialModel::LeastSquaresSeparate,
            Self::Ridge => TrialModel::Ridge,
        }
    }
}

/// How trials are read off the runs.
#[derive(Args, Clone, Debug)]
pub(super) struct TrialArgs {
    /// Block means, this many volumes after each event's own
    #[arg(long, value_name = "N", conflicts_with = "glm")]
    pub(super) lag_volumes: Option<usize>,
    /// One regressor a trial with a canonical haemodynamic response: --trials lsa
    #[arg(long)]
    pub(super) glm: bool,
    /// How responses of single trials are fitted
    #[arg(long, value_enum, conflicts_with_all = ["lag_volumes", "glm"])]
    pub(super) trials: Option<Trials>,
    /// When in a volume it counts as acquired, as a share of the TR (0.5 after fMRIPrep's slice-time correction)
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(super) slice_time_ref: Option<f64>,
    /// Order of the polynomial drift taken out of each run (1 is linear)
    #[arg(long, value_name = "ORDER")]
    pub(super) detrend: Option<usize>,
}

impl TrialArgs {
    /// `plan` with what was said on the command line.
    pub(super) fn apply(&self, mut plan: BetasPlan) -> BetasPlan {
        if self.glm {
            plan.model = TrialModel::LeastSquares;
        }
        if let Some(trials) = self.trials {
            plan.model = trials.model();
        }
        if let Some(share) = self.slice_time_ref {
            plan.slice_time_ref = share;
        }
        if let Some(lag_volumes) = self.lag_volumes {
            plan.model = TrialModel::BlockMean { lag_volumes };
        }
        if let Some(order) = self.detrend {
            plan.detrend_order = order;
        }
        plan
    }

    /// As [`Self::apply`], for those who read trials once and cut folds of them afterwards.
    pub(super) fn apply_before_folds(&self, plan: BetasPlan) -> anyhow::Result<BetasPlan> {
        let plan = self.apply(plan);
        if plan.model == TrialModel::Ridge {
            anyhow::bail!(
                "--trials ridge chooses how far to shrink by repeats of stimuli in all runs, those that are tested on too: use --trials lsa or lss here (decode chooses anew in every fold)"
            );
        }
        Ok(plan)
    }
}

/// A share of the TR.
pub(super) fn share(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("a share of the TR is a number from 0 to 1".to_owned()),
    }
}

/// Seed and processor.
#[derive(Args, Clone, Debug)]
pub(super) struct RunArgs {
    /// Everything random follows from it
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// auto (a real GPU if there is one), cpu, or wgpu
    #[arg(long, default_value = "auto")]
    pub(super) device: DeviceChoice,
}

impl RunArgs {
    /// The device asked for.
    pub(super) fn compute(&self) -> anyhow::Result<Compute> {
        Ok(device::choose(self.device)?)
    }
}

/// Opens the study named on the command line. `demo` is the built-in one; a folder of that name is `./demo`.
pub(super) fn open(path: &Path, run: &Run<'_>) -> anyhow::Result<Study> {
    if is_demo(path) {
        return Ok(demo::study(&demo::DemoPlan::default()));
    }
    if !path.exists() {
        return Err(fusiform_pipelines::Error::file(
            path,
            "there is no such file or folder; name a study, or `demo` for the built-in one",
        )
        .into());
    }
    Ok(Study::open(path, run)?)
}

/// Whether the built-in study is meant.
pub(super) fn is_demo(path: &Path) -> bool {
    path == Path::new("demo")
}

/// What draws: the graphics device, or the CPU where there is none or `cpu` asks for it.
pub(super) fn backend(cpu: bool, run: &Run<'_>) -> Backend {
    if cpu {
        return Backend::Cpu;
    }
    let (backend, why_not_gpu) = off_screen();
    if let Some(why) = why_not_gpu {
        run.warn(why);
    }
    backend
}

/// Makes a folder for results, so that a typo is noticed before the work and not after it.
pub(super) fn prepare_folder(path: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(path).with_context(|| {
        format!(
            "{}: cannot make this folder; choose another with --out",
            path.display()
        )
    })
}

/// The entities that all runs share.
pub(super) fn in_common(runs: &[&BoldRun]) -> Entities {
    let Some((first, others)) = runs.split_first() else {
        return Entities::new();
    };
    let shared = |(key, value): &(&String, &String)| {
        others
            .iter()
            .all(|run| run.entities.get(*key) == Some(*value))
    };
    let shared = first.entities.iter().filter(shared);
    shared.map(|(k, v)| (k.clone(), v.clone())).collect()
}
