//! Solvers of first order: DDPM, DDIM and Euler.

use burn::tensor::Tensor;

use super::{Prediction, Sampler};
use crate::{Error, Result};

impl Sampler {
    /// Ho et al. 2020, equation 7.
    pub(super) fn ddpm(
        &self,
        prediction: Tensor<4>,
        latent: Tensor<4>,
        noise: Option<Tensor<4>>,
    ) -> Result<Tensor<4>> {
        let alpha = self.alpha_now();
        let next = self
            .times
            .get(self.step + 1)
            .map_or(1.0, |&t| self.alphas[t as usize]);
        let kept = alpha / next;
        let clean = self.clean(
            prediction,
            latent.clone(),
            alpha.sqrt(),
            (1.0 - alpha).sqrt(),
        );
        let clean = self.clipped(clean);
        let mean = clean.mul_scalar(next.sqrt() * (1.0 - kept) / (1.0 - alpha))
            + latent.mul_scalar(kept.sqrt() * (1.0 - next) / (1.0 - alpha));
        if self.times[self.step] <= 0.0 {
            return Ok(mean);
        }
        let variance = if self.config.variance_type == "fixed_large" {
            1.0 - kept
        } else {
            ((1.0 - next) / (1.0 - alpha) * (1.0 - kept)).max(1e-20)
        };
        let noise = noise.ok_or_else(|| {
            Error::data("DDPM adds noise at every step: give it, or choose another solver")
        })?;
        Ok(mean + noise.mul_scalar(variance.sqrt()))
    }

    /// Song et al. 2021, equation 12 with η = 0.
    pub(super) fn ddim(&self, prediction: Tensor<4>, latent: Tensor<4>) -> Tensor<4> {
        let alpha = self.alpha_now();
        let stretch = (self.config.num_train_timesteps / self.times.len()) as f64;
        let next = self.times[self.step] - stretch;
        let next = if next >= 0.0 {
            self.alphas[next as usize]
        } else if self.config.set_alpha_to_one {
            1.0
        } else {
            self.alphas[0]
        };
        let (signal, sigma) = (alpha.sqrt(), (1.0 - alpha).sqrt());
        let clean = self.clean(prediction.clone(), latent.clone(), signal, sigma);
        let noise = match self.config.prediction_type {
            Prediction::Epsilon => prediction,
            Prediction::Velocity => prediction.mul_scalar(signal) + latent.mul_scalar(sigma),
            Prediction::Sample => (latent - clean.clone().mul_scalar(signal)).div_scalar(sigma),
        };
        self.clipped(clean).mul_scalar(next.sqrt()) + noise.mul_scalar((1.0 - next).sqrt())
    }

    /// Karras et al. 2022, algorithm 1 without churn; latents here grow with their noise.
    pub(super) fn euler(&self, prediction: Tensor<4>, latent: Tensor<4>) -> Tensor<4> {
        let sigma = self.sigmas[self.step];
        let change = self.sigmas[self.step + 1] - sigma;
        let clean = match self.config.prediction_type {
            Prediction::Epsilon => latent.clone() - prediction.mul_scalar(sigma),
            Prediction::Velocity => {
                let size = sigma.hypot(1.0);
                prediction.mul_scalar(-sigma / size) + latent.clone().div_scalar(size * size)
            }
            Prediction::Sample => prediction,
        };
        let slope = (latent.clone() - clean).div_scalar(sigma);
        latent + slope.mul_scalar(change)
    }

    fn alpha_now(&self) -> f64 {
        self.alphas[self.times[self.step] as usize]
    }

    fn clipped(&self, clean: Tensor<4>) -> Tensor<4> {
        let range = self.config.clip_sample_range;
        if self.config.clip_sample {
            clean.clamp(-range, range)
        } else {
            clean
        }
    }
}
