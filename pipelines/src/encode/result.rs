//! What an encoding model gives.

use super::LEAST_CEILING;

/// A fold of the cross-validation.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Fold {
    /// The runs (or how many pictures) left out.
    pub label: String,
    /// Trials that are predicted.
    pub n_test: usize,
    /// Trials that the model is fitted on.
    pub n_train: usize,
}

/// A mean over voxels with its companions.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Score {
    /// The score itself.
    pub value: f64,
    /// Mean over shuffles; NaN without any.
    pub shuffled: f64,
    /// Standard deviation over shuffles; NaN without two.
    pub shuffled_sd: f64,
    /// (1 + shuffles at least as good) / (1 + shuffles).
    pub p: f64,
}

/// What single voxels score when responses are shuffled, over all voxels and shuffles of the control.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Luck {
    /// The mean.
    pub mean: f32,
    /// What one voxel in twenty passes.
    pub passed_by_a_twentieth: f32,
}

impl Luck {
    fn of(shuffled: &[Vec<f32>]) -> Option<Self> {
        let mut all: Vec<f32> = shuffled.iter().flatten().copied().collect();
        all.retain(|v| v.is_finite());
        all.sort_unstable_by(f32::total_cmp);
        let at = (all.len() * 19 / 20).min(all.len().checked_sub(1)?);
        Some(Self {
            mean: (all.iter().map(|v| f64::from(*v)).sum::<f64>() / all.len() as f64) as f32,
            passed_by_a_twentieth: all[at],
        })
    }
}

/// Everything an encoding model gives: one number a voxel unless said otherwise, NaN where a voxel has none.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// The name of each feature space, and how many features vary.
    pub spaces: Vec<(String, usize)>,
    /// The folds.
    pub folds: Vec<Fold>,
    /// How trials were divided, in words.
    pub split: String,
    /// Whether pictures of a fold were also trained on.
    pub pictures_shared: bool,
    /// Whether trials of a run are on both sides.
    pub runs_shared: bool,
    /// Correlation of held-out responses with predictions, within folds; chance 0.
    pub r: Vec<f32>,
    /// The share of the variance of held-out single trials that is predicted; the mean of the training trials has 0.
    pub r2: Vec<f32>,
    /// The part of each space in R²; they sum to it.
    pub by_space: Vec<Vec<f32>>,
    /// The penalty chosen, geometric mean over folds, in the units of the plan.
    pub alpha: Vec<f32>,
    /// The weight chosen for each space, mean over folds.
    pub weights: Vec<Vec<f32>>,
    /// The same scores of each shuffle.
    pub r_shuffled: Vec<Vec<f32>>,
    /// R² of each shuffle.
    pub r2_shuffled: Vec<Vec<f32>>,
    /// The share of a single trial's variance that comes back with its picture (noise ceiling); none without repeats.
    pub ceiling: Option<Vec<f32>>,
    /// R² over the ceiling, where that is [`LEAST_CEILING`] or more.
    pub normalised: Option<Vec<f32>>,
    /// Trials used.
    pub n_trials: usize,
    /// Whether it was solved on the side of the features.
    pub is_primal: bool,
    /// The device used.
    pub device: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// What the user should know about these scores.
    pub warnings: Vec<String>,
}

impl Encoded {
    /// Voxels.
    pub fn n_voxels(&self) -> usize {
        self.r2.len()
    }

    /// Voxels that means are taken over: those with something to explain ([`LEAST_CEILING`]); without a ceiling, all
    /// that have a score.
    pub fn counted(&self) -> Vec<usize> {
        let counts = |v: &usize| {
            let explains = self.ceiling.as_ref().is_none_or(|c| c[*v] >= LEAST_CEILING);
            explains && self.r2[*v].is_finite()
        };
        (0..self.n_voxels()).filter(counts).collect()
    }

    /// The mean of r over some voxels.
    pub fn r_over(&self, voxels: &[usize]) -> Score {
        score(&self.r, &self.r_shuffled, voxels)
    }

    /// The mean of R² over some voxels.
    pub fn r2_over(&self, voxels: &[usize]) -> Score {
        score(&self.r2, &self.r2_shuffled, voxels)
    }

    /// Σ R² / Σ ceiling over some voxels: how much of what can be explained is.
    pub fn normalised_over(&self, voxels: &[usize]) -> Option<f64> {
        let ceiling = self.ceiling.as_ref()?;
        let both = voxels
            .iter()
            .filter(|&&v| self.r2[v].is_finite() && ceiling[v].is_finite());
        let (r2, most) = both.fold((0.0, 0.0), |(r2, most), &v| {
            (r2 + f64::from(self.r2[v]), most + f64::from(ceiling[v]))
        });
        (most > 0.0).then(|| r2 / most)
    }

    /// What r and R² a single voxel reaches by luck; none without shuffles.
    pub fn luck(&self) -> Option<(Luck, Luck)> {
        Luck::of(&self.r_shuffled).zip(Luck::of(&self.r2_shuffled))
    }

    /// The mean over shuffles of R², one a voxel; none without shuffles.
    pub fn r2_shuffled_mean(&self) -> Option<Vec<f32>> {
        let n = self.r2_shuffled.len() as f32;
        (n > 0.0).then(|| {
            let mean = |v: usize| self.r2_shuffled.iter().map(|s| s[v]).sum::<f32>() / n;
            (0..self.n_voxels()).map(mean).collect()
        })
    }
}

/// The mean of a map over some voxels that have a value.
pub fn mean_over(map: &[f32], voxels: &[usize]) -> f64 {
    let values = voxels
        .iter()
        .map(|&v| f64::from(map[v]))
        .filter(|v| v.is_finite());
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), v| (sum + v, n + 1.0));
    sum / n
}

fn score(map: &[f32], shuffled: &[Vec<f32>], voxels: &[usize]) -> Score {
    let value = mean_over(map, voxels);
    let null: Vec<f64> = shuffled.iter().map(|map| mean_over(map, voxels)).collect();
    let n = null.len() as f64;
    let mean = null.iter().sum::<f64>() / n;
    let variance = null.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let as_good = null.iter().filter(|v| **v >= value).count() as f64;
    Score {
        value,
        shuffled: mean,
        shuffled_sd: variance.sqrt(),
        p: (1.0 + as_good) / (1.0 + n),
    }
}
