//! Weighted sums of betas with their covariance, added up over runs and tested.

use std::collections::BTreeMap;

use faer::linalg::solvers::Solve;
use faer::{Mat, Side};
use rayon::prelude::*;

use crate::glm::fit::Fit;
use crate::stats::tails;

/// What one run says to a question: effects and their covariance, a voxel.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// Sums × voxels, sum after sum.
    pub effect: Vec<Vec<f64>>,
    /// Their variances and covariances, upper triangle row by row, each a voxel.
    pub covariance: Vec<Vec<f64>>,
    /// Degrees of freedom.
    pub df: f64,
    /// Runs they are the sum of.
    pub n_runs: usize,
}

/// Effects of weighted sums of betas (`rows`, one a sum).
pub fn effects(fit: &Fit, rows: &[Vec<f64>]) -> Effects {
    let n = rows.len();
    let effect = rows
        .iter()
        .map(|weights| {
            let mut sum = vec![0.0; fit.betas.n_cols];
            for (c, w) in weights.iter().enumerate().filter(|(_, w)| **w != 0.0) {
                for (sum, beta) in sum.iter_mut().zip(fit.betas.row(c)) {
                    *sum += w * f64::from(*beta);
                }
            }
            sum
        })
        .collect();
    let mut known: BTreeMap<i16, Vec<f64>> = BTreeMap::new();
    let mut covariance = vec![Vec::with_capacity(fit.dispersion.len()); n * (n + 1) / 2];
    for (dispersion, phi) in fit.dispersion.iter().zip(&fit.phi_hundredths) {
        let upper = known.entry(*phi).or_insert_with(|| {
            let whole = fit.covariance(rows, *phi);
            let pairs = (0..n).flat_map(|i| (i..n).map(move |j| (i, j)));
            pairs.map(|(i, j)| whole[(i, j)]).collect()
        });
        for (out, factor) in covariance.iter_mut().zip(upper.iter()) {
            out.push(dispersion * factor);
        }
    }
    Effects {
        effect,
        covariance,
        df: fit.df,
        n_runs: 1,
    }
}

impl Effects {
    /// Adds those of another, independent run: variances add up. Both have one number of sums and voxels.
    pub fn plus(&mut self, other: &Self) {
        let pairs = self.effect.iter_mut().zip(&other.effect);
        let more = self.covariance.iter_mut().zip(&other.covariance);
        for (sum, part) in pairs.chain(more) {
            sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
        }
        self.df += other.df;
        self.n_runs += other.n_runs;
    }

    /// The mean over the runs that were added up: their fixed effects.
    pub fn mean(mut self) -> Self {
        let n = self.n_runs as f64;
        self.effect.iter_mut().flatten().for_each(|e| *e /= n);
        self.covariance
            .iter_mut()
            .flatten()
            .for_each(|v| *v /= n * n);
        self.n_runs = 1;
        self
    }
}

/// A tested question, one number a voxel; NaN where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Tested {
    /// The weighted sum of betas; of several, the root of their mean square.
    pub effect: Vec<f32>,
    /// Its variance; of several, the mean.
    pub variance: Vec<f32>,
    /// t, or F.
    pub statistic: Vec<f32>,
    /// The standard normal value that is as unlikely, with the sign of t.
    pub z: Vec<f32>,
    /// Probability of so large a t (one-sided) or F without an effect.
    pub p: Vec<f64>,
    /// Degrees of freedom: sums tested (0 for t) and of the noise.
    pub df: (f64, f64),
}

/// t of the first sum alone, without its probability.
pub fn t(effects: &Effects) -> Vec<f32> {
    let sums = effects.effect.first().zip(effects.covariance.first());
    let voxels = sums
        .into_iter()
        .flat_map(|(effect, variance)| effect.iter().zip(variance));
    voxels
        .map(|(effect, variance)| t_of(*effect, *variance) as f32)
        .collect()
}

fn t_of(effect: f64, variance: f64) -> f64 {
    if variance > 0.0 {
        effect / variance.sqrt()
    } else {
        f64::NAN
    }
}

/// t of one sum, F of several. z and p are exact far into the tails: z is found from the logarithm of p.
pub fn test(effects: &Effects) -> Tested {
    let (n_sums, df) = (effects.effect.len(), effects.df);
    let n_voxels = effects.effect.first().map_or(0, Vec::len);
    let voxels: Vec<[f64; 5]> = (0..n_voxels)
        .into_par_iter()
        .with_min_len(256)
        .map(|v| {
            if n_sums == 1 {
                let (effect, variance) = (effects.effect[0][v], effects.covariance[0][v]);
                let t = t_of(effect, variance);
                let ln_p = tails::ln_t_above(t, df);
                [effect, variance, t, tails::z_of_t(t, df), ln_p.exp()]
            } else {
                let f = wald(effects, v);
                let ln_p = tails::ln_f_above(f, n_sums as f64, df);
                let squares: f64 = effects.effect.iter().map(|e| e[v] * e[v]).sum();
                let spread = mean_variance(effects, v);
                let root = (squares / n_sums as f64).sqrt();
                [root, spread, f, tails::z_of_ln_above(ln_p), ln_p.exp()]
            }
        })
        .collect();
    let column = |i: usize| voxels.iter().map(|v| v[i] as f32).collect();
    Tested {
        effect: column(0),
        variance: column(1),
        statistic: column(2),
        z: column(3),
        p: voxels.iter().map(|v| v[4]).collect(),
        df: (if n_sums == 1 { 0.0 } else { n_sums as f64 }, df),
    }
}

fn mean_variance(effects: &Effects, v: usize) -> f64 {
    let n = effects.effect.len();
    let (mut place, mut sum) = (0, 0.0);
    for i in 0..n {
        sum += effects.covariance[place][v];
        place += n - i;
    }
    sum / n as f64
}

/// eᵀ C⁻¹ e over the number of sums.
fn wald(effects: &Effects, v: usize) -> f64 {
    let n = effects.effect.len();
    let at = |i: usize, j: usize| {
        let (i, j) = (i.min(j), i.max(j));
        effects.covariance[i * n - i * (i + 1) / 2 + j][v]
    };
    let covariance = Mat::from_fn(n, n, at);
    let effect = Mat::from_fn(n, 1, |i, _| effects.effect[i][v]);
    let Ok(factor) = covariance.llt(Side::Lower) else {
        return f64::NAN;
    };
    let solved = factor.solve(&effect);
    (0..n).map(|i| effect[(i, 0)] * solved[(i, 0)]).sum::<f64>() / n as f64
}
