//! From trials to images and categories, with the controls that keep the scores honest.

use std::sync::Arc;

use image::RgbImage;

use crate::betas::Betas;
use crate::device::Compute;
use crate::run::{Run, Stop};
use crate::study::Stimulus;

/// What an image is turned into before the brain is asked for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Code {
    /// Downsampled pixels, `side × side`, grey or RGB as the stimuli are.
    Pixels {
        /// Pixels a side.
        side: usize,
    },
    /// Principal components of the training images' pixels.
    Components {
        /// At most so many; fewer when the training images are fewer.
        n: usize,
        /// Pixels a side of the image they are taken from and drawn at.
        side: usize,
    },
}

/// How a decode is done. A run is repeatable from it.
#[derive(Clone, Debug, PartialEq)]
pub struct DecodePlan {
    /// The image code.
    pub code: Code,
    /// Ridge penalties to choose from, as multiples of the mean kernel diagonal; ascending.
    pub alphas: Vec<f64>,
    /// For the shuffles and for ties.
    pub seed: u64,
    /// How many times the brain is shuffled against the images for the control.
    pub n_shuffles: usize,
}

impl Default for DecodePlan {
    fn default() -> Self {
        Self {
            code: Code::Components { n: 64, side: 32 },
            alphas: (-3..=5).map(|e| 10f64.powi(e)).collect(),
            seed: 1,
            n_shuffles: 20,
        }
    }
}

/// Stimulus, reconstruction and scores of one held-out trial.
#[derive(Clone, Debug)]
pub struct DecodedTrial {
    /// Row of the betas.
    pub trial: usize,
    /// The picture that was shown, at the code's size; `None` in a study without pictures.
    pub stimulus: Option<Arc<RgbImage>>,
    /// What the brain says; `None` in a study without pictures.
    pub reconstruction: Option<Arc<RgbImage>>,
    /// The stimulus id.
    pub stimulus_id: Option<String>,
    /// The condition shown.
    pub condition: String,
    /// The condition the classifier names.
    pub predicted_condition: Option<String>,
    /// Pearson correlation of reconstruction and stimulus pixels.
    pub pixcorr: Option<f64>,
    /// Structural similarity.
    pub ssim: Option<f64>,
    /// Share of the other candidates that are less like the reconstruction than the stimulus is; chance 0.5.
    pub two_way: Option<f64>,
    /// Rank of the true stimulus among the candidates, 1 is best.
    pub retrieval_rank: Option<usize>,
    /// How many candidates there were.
    pub n_candidates: Option<usize>,
    /// The run that was left out when this trial was decoded.
    pub fold: String,
}

/// A score with its companions.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Score {
    /// The score itself.
    pub value: f64,
    /// What guessing gets.
    pub chance: f64,
    /// What the same pipeline gets when trials are shuffled against their labels, mean over shuffles.
    pub shuffled: f64,
    /// Standard deviation over shuffles.
    pub shuffled_sd: f64,
    /// (1 + shuffles at least as good) / (1 + shuffles).
    pub p: f64,
}

/// The scores of a decode. `None` where the study has no pictures (or one condition).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scores {
    /// Category accuracy, mean over trials.
    pub accuracy: Option<Score>,
    /// Mean pixel correlation.
    pub pixcorr: Option<Score>,
    /// Mean structural similarity.
    pub ssim: Option<Score>,
    /// Mean two-way identification.
    pub two_way: Option<Score>,
    /// Share of trials whose stimulus comes first among the candidates.
    pub retrieval_top1: Option<Score>,
}

/// Everything a decode gives.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// Held-out trials in the order of the betas.
    pub trials: Vec<DecodedTrial>,
    /// Over all of them.
    pub scores: Scores,
    /// The split in words ("leave one run out, 8 runs").
    pub split: String,
    /// Whether any test stimulus was also seen in its fold's training runs.
    pub stimuli_seen_in_training: bool,
    /// Per voxel: mean over folds of the L2 norm of its ridge weights (which voxels drove it); empty without pictures.
    pub voxel_weights: Vec<f32>,
    /// The condition names in the order of `confusion`.
    pub conditions: Vec<String>,
    /// `confusion[shown][named]`, trials.
    pub confusion: Vec<Vec<usize>>,
    /// The penalty chosen in each fold, as in the plan.
    pub alphas: Vec<f64>,
    /// The device used.
    pub device: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// What the user should know about these scores.
    pub warnings: Vec<String>,
}

/// Decodes every trial from models fitted without its run.
///
/// `publish` gets the state after each fold (its scores cover the folds done so far and carry
/// no shuffles yet); the value returned is complete.
pub fn decode(
    betas: &Betas,
    stimuli: &[Stimulus],
    plan: &DecodePlan,
    compute: &Compute,
    run: &Run<'_>,
    publish: &dyn Fn(Decoded),
) -> Result<Decoded, Stop> {
    let _ = (betas, stimuli, plan, compute, run, publish);
    Err(crate::Error::data("not written yet").into())
}
