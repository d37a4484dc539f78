//! How an encoding model is fitted.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::{Distribution, Gamma};

use super::folds::Together;

/// How an encoding model is fitted. A run is repeatable from it.
#[derive(Clone, Debug, PartialEq)]
pub struct EncodePlan {
    /// Penalties to choose from for every voxel, as multiples of the mean squared length of a row of features; ascending.
    pub alphas: Vec<f64>,
    /// Candidate weights of the feature spaces, when there are several; fewer than two is one penalty for all.
    pub n_weights: usize,
    /// Folds at most; every one is predicted from the others.
    pub n_folds: usize,
    /// What may not be divided between folds.
    pub together: Together,
    /// How often responses are shuffled against features for the control.
    pub n_shuffles: usize,
    /// Voxels the control is made for at most: of those with something to explain, evenly.
    pub n_control: usize,
    /// For the shuffles, the weights and folds of pictures.
    pub seed: u64,
}

impl Default for EncodePlan {
    fn default() -> Self {
        Self {
            alphas: (-2..=5).map(|e| 10f64.powi(e)).collect(),
            n_weights: 10,
            n_folds: 5,
            together: Together::default(),
            n_shuffles: 20,
            n_control: 2000,
            seed: 1,
        }
    }
}

/// Candidate weights of `n_spaces` spaces that sum to 1: equal ones, each space alone, then `n` draws from Dirichlet
/// distributions of concentration 0.1 (nearly one space alone) and 1 (anything) in turn, as in himalaya.
pub fn weights(n_spaces: usize, n: usize, seed: u64) -> Vec<Vec<f64>> {
    let equal = vec![1.0 / n_spaces as f64; n_spaces];
    if n_spaces < 2 {
        return vec![vec![1.0; n_spaces]];
    }
    let mut all = vec![equal.clone()];
    if n < 2 {
        return all;
    }
    let alone = |space: usize| {
        (0..n_spaces)
            .map(|s| f64::from(u8::from(s == space)))
            .collect()
    };
    all.extend((0..n_spaces).map(alone));
    let mut random = StdRng::seed_from_u64(seed ^ 0xba2d);
    for draw in 0..n {
        let concentration = if draw % 2 == 0 { 0.1 } else { 1.0 };
        let Ok(gamma) = Gamma::new(concentration, 1.0) else {
            break;
        };
        let draws: Vec<f64> = (0..n_spaces).map(|_| gamma.sample(&mut random)).collect();
        let sum: f64 = draws.iter().sum();
        if sum > 0.0 {
            all.push(draws.into_iter().map(|d| d / sum).collect());
        }
    }
    all
}
