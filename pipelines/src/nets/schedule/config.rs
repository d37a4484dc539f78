//! A schedule as published: `scheduler_config.json` of diffusers.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::nets::weights;
use crate::{Error, Result};

/// The way from step to step. Any of them can walk the schedule a network was trained with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solver {
    /// Ho et al. 2020: adds noise at every step.
    Ddpm,
    /// Song et al. 2021, deterministic.
    Ddim,
    /// Lu et al. 2022, second order in several steps.
    DpmPlusPlus,
    /// Zhao et al. 2023.
    UniPc,
    /// Karras et al. 2022, first order.
    Euler,
}

/// What a network predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Prediction {
    /// The noise.
    #[serde(rename = "epsilon")]
    Epsilon,
    /// The direction from noise to signal.
    #[serde(rename = "v_prediction")]
    Velocity,
    /// The clean latent.
    #[serde(rename = "sample")]
    Sample,
}

/// How the steps lie among those of training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Spacing {
    /// At the beginnings of equal stretches.
    Leading,
    /// Evenly from first to last.
    Linspace,
    /// At the ends of equal stretches.
    Trailing,
}

/// `scheduler_config.json`. What a file leaves out is as in diffusers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ScheduleConfig {
    /// Steps of training.
    pub num_train_timesteps: usize,
    /// Noise added at the first step.
    pub beta_start: f64,
    /// Noise added at the last step.
    pub beta_end: f64,
    /// `linear`, `scaled_linear` or `squaredcos_cap_v2`.
    pub beta_schedule: String,
    /// What the network predicts.
    pub prediction_type: Prediction,
    /// How steps lie; each solver has its own where a file says nothing.
    pub timestep_spacing: Option<Spacing>,
    /// Added to leading steps.
    pub steps_offset: usize,
    /// Whether the step before the first has no noise at all (DDIM).
    pub set_alpha_to_one: bool,
    /// Whether clean latents are kept within a range (DDPM and DDIM).
    pub clip_sample: bool,
    /// That range.
    pub clip_sample_range: f64,
    /// Clipping at a quantile, which is not there.
    pub thresholding: bool,
    /// Noise of DDPM: `fixed_small` or `fixed_large`.
    pub variance_type: String,
    /// Steps that DPM-Solver++ and UniPC look back on.
    pub solver_order: usize,
    /// `midpoint` or `heun` (DPM-Solver++); `bh1` or `bh2` (UniPC).
    pub solver_type: Option<String>,
    /// Whether the last steps look back less.
    pub lower_order_final: bool,
    /// Whether steps lie as Karras et al. propose.
    pub use_karras_sigmas: Option<bool>,
    /// `zero` or `sigma_min`: the noise left after the last step.
    pub final_sigmas_type: Option<String>,
    /// Whether the last step of training has no signal at all.
    pub rescale_betas_zero_snr: bool,
}

impl Default for ScheduleConfig {
    fn default() -> Self {
        Self {
            num_train_timesteps: 1000,
            beta_start: 0.0001,
            beta_end: 0.02,
            beta_schedule: "linear".into(),
            prediction_type: Prediction::Epsilon,
            timestep_spacing: None,
            steps_offset: 0,
            set_alpha_to_one: true,
            clip_sample: true,
            clip_sample_range: 1.0,
            thresholding: false,
            variance_type: "fixed_small".into(),
            solver_order: 2,
            solver_type: None,
            lower_order_final: true,
            use_karras_sigmas: None,
            final_sigmas_type: None,
            rescale_betas_zero_snr: false,
        }
    }
}

impl ScheduleConfig {
    /// The schedule in a folder (`scheduler` of a published pipeline).
    pub fn read(folder: &Path) -> Result<Self> {
        weights::config(folder, "scheduler_config.json")
    }

    pub(super) fn spacing(&self, solver: Solver) -> Spacing {
        self.timestep_spacing.unwrap_or(match solver {
            Solver::Ddpm | Solver::Ddim => Spacing::Leading,
            Solver::DpmPlusPlus | Solver::UniPc | Solver::Euler => Spacing::Linspace,
        })
    }

    pub(super) fn check(&self, solver: Solver, n_steps: usize) -> Result<()> {
        let refuse = |what: String| {
            Err(Error::data(format!(
                "this schedule can't be walked ({what}): choose other steps or another solver"
            )))
        };
        if n_steps == 0 || n_steps > self.num_train_timesteps {
            return refuse(format!(
                "{n_steps} steps of {} in training",
                self.num_train_timesteps
            ));
        }
        if self.thresholding {
            return refuse("it clips at a quantile".into());
        }
        let kind = self.solver_type.as_deref();
        match solver {
            Solver::DpmPlusPlus => {
                if !(1..=2).contains(&self.solver_order) {
                    return refuse(format!("order {} of DPM-Solver++", self.solver_order));
                }
                if !matches!(kind, None | Some("midpoint" | "heun")) {
                    return refuse(format!("solver type {kind:?} of DPM-Solver++"));
                }
            }
            Solver::UniPc => {
                if !(1..=3).contains(&self.solver_order) {
                    return refuse(format!("order {} of UniPC", self.solver_order));
                }
                if !matches!(kind, None | Some("bh1" | "bh2" | "midpoint" | "heun")) {
                    return refuse(format!("solver type {kind:?} of UniPC"));
                }
            }
            Solver::Ddpm => {
                if !matches!(self.variance_type.as_str(), "fixed_small" | "fixed_large") {
                    return refuse(format!("variance type {}", self.variance_type));
                }
            }
            Solver::Ddim | Solver::Euler => {}
        }
        if matches!(
            self.beta_schedule.as_str(),
            "linear" | "scaled_linear" | "squaredcos_cap_v2"
        ) {
            Ok(())
        } else {
            refuse(format!("beta schedule {}", self.beta_schedule))
        }
    }
}
