//! UniPC: each step predicted from those before and corrected once the network has seen where it led (Zhao et al. 2023).

use burn::tensor::Tensor;

use super::Sampler;
use super::noise::{lambda, split};

impl Sampler {
    pub(super) fn unipc(&mut self, prediction: Tensor<4>, latent: Tensor<4>) -> Tensor<4> {
        let at = self.step;
        let (alpha, sigma) = split(self.sigmas[at]);
        let clean = self.clean(prediction, latent.clone(), alpha, sigma);
        let latent = match self.last.take() {
            Some((start, order)) => self.moved(start, at - 1, order, Some(clean.clone())),
            None => latent,
        };
        self.before.push(clean);
        let left = self.times.len() - at;
        let mut order = self.config.solver_order.min(self.before.len());
        if self.config.lower_order_final {
            order = order.min(left);
        }
        let surplus = self.before.len().saturating_sub(self.config.solver_order);
        self.before.drain(..surplus);
        self.last = Some((latent.clone(), order));
        self.moved(latent, at, order, None)
    }

    /// From step `at` to the next, by the newest `order` predictions; `arrived` is the prediction made there, which
    /// turns the predictor into the corrector.
    fn moved(
        &self,
        latent: Tensor<4>,
        at: usize,
        order: usize,
        arrived: Option<Tensor<4>>,
    ) -> Tensor<4> {
        let (from, to) = (self.sigmas[at], self.sigmas[at + 1]);
        let (_, sigma_from) = split(from);
        let (alpha, sigma) = split(to);
        let Some(newest) = self.before.last().cloned() else {
            return latent;
        };
        let h = lambda(to) - lambda(from);
        let mut ratios = Vec::new();
        let mut slopes = Vec::new();
        for back in 1..order {
            let ratio = (lambda(self.sigmas[at - back]) - lambda(from)) / h;
            let older = self.before[self.before.len() - 1 - back].clone();
            slopes.push((older - newest.clone()).div_scalar(ratio));
            ratios.push(ratio);
        }
        let shrink = (-h).exp_m1();
        let scale = if self.config.solver_type.as_deref() == Some("bh1") {
            -h
        } else {
            shrink
        };
        let base =
            latent.mul_scalar(sigma / sigma_from) - newest.clone().mul_scalar(alpha * shrink);
        let weights = match (&arrived, order) {
            (None, 2) | (Some(_), 1) => vec![0.5],
            (None, _) => weights(&ratios, -h, scale),
            (Some(_), _) => {
                ratios.push(1.0);
                weights(&ratios, -h, scale)
            }
        };
        if let Some(arrived) = arrived {
            slopes.push(arrived - newest);
        }
        slopes
            .into_iter()
            .zip(weights)
            .fold(base, |x, (slope, weight)| {
                x - slope.mul_scalar(alpha * scale * weight)
            })
    }
}

/// Solves `Σ_j ratios_j^i w_j = φ_i` for the weights of the slopes.
fn weights(ratios: &[f64], hh: f64, scale: f64) -> Vec<f64> {
    let n = ratios.len();
    let mut phi = hh.exp_m1() / hh - 1.0;
    let mut factorial = 1.0;
    let mut rows: Vec<Vec<f64>> = Vec::with_capacity(n);
    for i in 0..n {
        let mut row: Vec<f64> = ratios.iter().map(|r| r.powi(i as i32)).collect();
        row.push(phi * factorial / scale);
        rows.push(row);
        factorial *= (i + 2) as f64;
        phi = phi / hh - 1.0 / factorial;
    }
    solve(rows)
}

/// Gauss–Jordan with pivots on at most three rows, right sides last.
fn solve(mut rows: Vec<Vec<f64>>) -> Vec<f64> {
    let n = rows.len();
    for col in 0..n {
        let pivot = (col..n)
            .max_by(|&a, &b| rows[a][col].abs().total_cmp(&rows[b][col].abs()))
            .unwrap_or(col);
        rows.swap(col, pivot);
        let lead = rows[col].clone();
        for (at, row) in rows.iter_mut().enumerate() {
            if at != col {
                let factor = row[col] / lead[col];
                for (value, l) in row.iter_mut().zip(&lead) {
                    *value -= factor * l;
                }
            }
        }
    }
    (0..n).map(|i| rows[i][n] / rows[i][i]).collect()
}
