//! What a decode gives.

use std::sync::Arc;

use image::RgbImage;

use crate::betas::Columns;
use crate::volume::Volume;

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
    /// What guessing gets: the share of the commonest condition (accuracy), 1/2 (two-way), one in
    /// the number of candidates (retrieval); for pixel correlation and structural similarity what the mean training
    /// picture gets, the best guess without a brain.
    pub chance: f64,
    /// What the same pipeline gets when trials are shuffled against their labels, mean over
    /// shuffles; NaN while there are none.
    pub shuffled: f64,
    /// Standard deviation over shuffles; NaN while there are none.
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
    /// The median over code dimensions of the penalties chosen in each fold, as in the plan.
    pub alphas: Vec<f64>,
    /// The device used.
    pub device: String,
    /// Wall-clock seconds.
    pub seconds: f64,
    /// What the user should know about these scores.
    pub warnings: Vec<String>,
}

impl Decoded {
    /// The voxels that drove the reconstructions as a volume, NaN outside the mask; none for points without a grid or a
    /// study without pictures.
    pub fn drive_map(&self, columns: &Columns) -> Option<Volume> {
        match columns {
            Columns::Voxels(mask) => mask.scatter(&self.voxel_weights, f32::NAN).ok(),
            Columns::Points(_) => None,
        }
    }
}

impl Scores {
    /// All of them with their names for readers, in the order in which they are shown.
    pub fn named(&self) -> [(&'static str, Option<Score>); 5] {
        [
            ("Category accuracy", self.accuracy),
            ("Pixel correlation", self.pixcorr),
            ("Structural similarity", self.ssim),
            ("Two-way identification", self.two_way),
            ("Retrieval, first place", self.retrieval_top1),
        ]
    }
}
