//! Schedules: from pure noise to a latent in a few steps, each solver equal to that of diffusers step by step.

mod ancestral;
mod config;
mod multistep;
mod noise;
mod unipc;

pub use config::{Prediction, ScheduleConfig, Solver, Spacing};

use burn::tensor::{Tensor, TensorData};

use crate::{Error, Result};

/// One walk from noise to a latent. Numbers of the schedule are in f64, the latents in the network's own kind.
#[derive(Debug)]
pub struct Sampler {
    solver: Solver,
    config: ScheduleConfig,
    /// Products of the alphas at each training step.
    alphas: Vec<f64>,
    /// What the network is told at each step, falling.
    times: Vec<f64>,
    /// Noise over signal at each step and after the last.
    sigmas: Vec<f64>,
    step: usize,
    /// What the network said before, as predictions of the clean latent, newest last.
    before: Vec<Tensor<4>>,
    /// The latent the last prediction of UniPC started from, and its order.
    last: Option<(Tensor<4>, usize)>,
}

impl Sampler {
    /// A walk of `n_steps`. An error where the configuration asks for what isn't there.
    pub fn new(solver: Solver, config: &ScheduleConfig, n_steps: usize) -> Result<Self> {
        config.check(solver, n_steps)?;
        let alphas = noise::alphas(config, solver);
        let (times, sigmas) = noise::steps(solver, config, &alphas, n_steps)?;
        Ok(Self {
            solver,
            config: config.clone(),
            alphas,
            times,
            sigmas,
            step: 0,
            before: Vec::new(),
            last: None,
        })
    }

    /// The times the network is told, one a step.
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// How many steps have been taken.
    pub fn taken(&self) -> usize {
        self.step
    }

    /// The time of the next step; `None` at the end.
    pub fn time(&self) -> Option<f64> {
        self.times.get(self.step).copied()
    }

    /// What noise of variance one is multiplied by to begin with.
    pub fn initial_scale(&self) -> f64 {
        if self.solver != Solver::Euler {
            return 1.0;
        }
        let largest = self.sigmas.iter().copied().fold(0.0, f64::max);
        match self.config.spacing(self.solver) {
            Spacing::Leading => largest.hypot(1.0),
            Spacing::Linspace | Spacing::Trailing => largest,
        }
    }

    /// The latent as the network takes it at the next step.
    pub fn scaled(&self, latent: Tensor<4>) -> Tensor<4> {
        match (self.solver, self.sigmas.get(self.step)) {
            (Solver::Euler, Some(sigma)) => latent.div_scalar(sigma.hypot(1.0)),
            _ => latent,
        }
    }

    /// A clean latent with the noise of step `at` on it: where a walk begins that starts from a picture. The steps
    /// before `at` are passed over.
    pub fn start_at(&mut self, at: usize, clean: Tensor<4>, noise: Tensor<4>) -> Tensor<4> {
        self.step = at.min(self.times.len());
        let Some(&time) = self.times.get(self.step) else {
            return clean;
        };
        match self.solver {
            Solver::Euler => clean + noise.mul_scalar(self.sigmas[self.step]),
            Solver::DpmPlusPlus | Solver::UniPc => {
                let (alpha, sigma) = noise::split(self.sigmas[self.step]);
                clean.mul_scalar(alpha) + noise.mul_scalar(sigma)
            }
            Solver::Ddpm | Solver::Ddim => {
                let alpha = self.alphas[time as usize];
                clean.mul_scalar(alpha.sqrt()) + noise.mul_scalar((1.0 - alpha).sqrt())
            }
        }
    }

    /// Takes the next step, given what the network predicts from [`Self::scaled`] of `latent`. DDPM adds `noise` of
    /// variance one at every step but the last; the others need none. An error after the last step, or where noise is
    /// missing.
    pub fn step(
        &mut self,
        prediction: Tensor<4>,
        latent: Tensor<4>,
        noise: Option<Tensor<4>>,
    ) -> Result<Tensor<4>> {
        if self.step >= self.times.len() {
            return Err(Error::data(
                "a schedule was asked for a step beyond its last",
            ));
        }
        if prediction.dims() != latent.dims() {
            return Err(Error::data(format!(
                "a prediction of shape {:?} doesn't belong to a latent of shape {:?}",
                prediction.dims(),
                latent.dims()
            )));
        }
        let next = match self.solver {
            Solver::Ddpm => self.ddpm(prediction, latent, noise)?,
            Solver::Ddim => self.ddim(prediction, latent),
            Solver::Euler => self.euler(prediction, latent),
            Solver::DpmPlusPlus => self.dpm_plus_plus(prediction, latent),
            Solver::UniPc => self.unipc(prediction, latent),
        };
        self.step += 1;
        Ok(next)
    }

    /// The clean latent that a prediction means, where the noisy one is `alpha · clean + sigma · noise`.
    fn clean(&self, prediction: Tensor<4>, latent: Tensor<4>, alpha: f64, sigma: f64) -> Tensor<4> {
        match self.config.prediction_type {
            Prediction::Epsilon => (latent - prediction.mul_scalar(sigma)).div_scalar(alpha),
            Prediction::Velocity => latent.mul_scalar(alpha) - prediction.mul_scalar(sigma),
            Prediction::Sample => prediction,
        }
    }
}

/// Noise of variance one from a seed, the same on every device: `[batch, channels, height, width]`.
pub fn seeded_noise(seed: u64, shape: [usize; 4], device: &burn::tensor::Device) -> Tensor<4> {
    use rand::SeedableRng;
    use rand_distr::{Distribution, StandardNormal};
    let mut rng = rand::rngs::StdRng::seed_from_u64(seed);
    let values: Vec<f32> = (0..shape.iter().product())
        .map(|_| StandardNormal.sample(&mut rng))
        .collect();
    Tensor::from_data(TensorData::new(values, shape), device)
}
