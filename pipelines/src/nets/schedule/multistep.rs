//! DPM-Solver++: first order, then second order from two predictions (Lu et al. 2022).

use burn::tensor::Tensor;

use super::Sampler;
use super::noise::{lambda, split};

impl Sampler {
    pub(super) fn dpm_plus_plus(&mut self, prediction: Tensor<4>, latent: Tensor<4>) -> Tensor<4> {
        let (from, to) = (self.sigmas[self.step], self.sigmas[self.step + 1]);
        let (alpha_from, sigma_from) = split(from);
        let (alpha, sigma) = split(to);
        let clean = self.clean(prediction, latent.clone(), alpha_from, sigma_from);
        let is_last = self.step + 1 == self.times.len();
        let ends_low =
            is_last && (to == 0.0 || (self.config.lower_order_final && self.times.len() < 15));
        let before = self.before.pop();
        self.before = vec![clean.clone()];
        let h = lambda(to) - lambda(from);
        let shrink = (-h).exp_m1();
        let first =
            latent.mul_scalar(sigma / sigma_from) - clean.clone().mul_scalar(alpha * shrink);
        let Some(before) = before.filter(|_| self.config.solver_order > 1 && !ends_low) else {
            return first;
        };
        let r = (lambda(from) - lambda(self.sigmas[self.step - 1])) / h;
        let slope = (clean - before).div_scalar(r);
        let weight = if self.config.solver_type.as_deref() == Some("heun") {
            alpha * (shrink / h + 1.0)
        } else {
            -0.5 * alpha * shrink
        };
        first + slope.mul_scalar(weight)
    }
}
