//! One fold: everything that is fitted without the held-out trials, and what it says of them.

use rayon::prelude::*;

use crate::betas::Trial;
use crate::decode::pictures::Pictures;
use crate::decode::{Code, DecodePlan};
use crate::device::Compute;
use crate::linear::folds::{self, Fold};
use crate::linear::ridge::{self, Design, Factor, Inner};
use crate::linear::{kernel, lda, pca};
use crate::matrix::Matrix;
use crate::metrics::{correlation, identify, ssim};
use crate::run::{Run, Stop};

/// What does not depend on pictures or labels.
pub(super) struct Brain<'a> {
    pub(super) design: Design<'a>,
    pub(super) trials: &'a [Trial],
    pub(super) compute: &'a Compute,
}

/// What each trial is said to be; shuffles reorder it.
#[derive(Clone)]
pub(super) struct Known {
    /// Condition numbers.
    pub(super) labels: Vec<usize>,
    /// Picture numbers; empty in a study without pictures.
    pub(super) pictures: Vec<Option<usize>>,
}

impl Known {
    pub(super) fn reordered(&self, order: &[usize]) -> Self {
        Self {
            labels: order.iter().map(|&row| self.labels[row]).collect(),
            pictures: order
                .iter()
                .filter_map(|&row| self.pictures.get(row).copied())
                .collect(),
        }
    }
}

/// A reconstruction and its scores.
pub(super) struct Drawn {
    pub(super) trial: usize,
    pub(super) pixels: Vec<f32>,
    pub(super) pixcorr: f64,
    pub(super) ssim: Option<f64>,
    pub(super) two_way: Option<f64>,
    pub(super) rank: Option<usize>,
    pub(super) n_candidates: usize,
}

/// What a fold says of its held-out trials.
pub(super) struct Outcome {
    /// The condition named for each; empty when conditions are not decoded.
    pub(super) named: Vec<usize>,
    /// Whether it is right.
    pub(super) correct: Vec<bool>,
    /// Reconstructions of those that show a picture.
    pub(super) drawn: Vec<Drawn>,
    /// The penalty chosen for each dimension of the code; empty without pictures.
    pub(super) alphas: Vec<f64>,
}

/// The picture side of a fold, without the order of the pictures: shuffles share it.
pub(super) struct FoldPictures<'a> {
    pictures: &'a Pictures,
    /// Held-out trials with a picture.
    test: Vec<usize>,
    /// The pictures a reconstruction is compared with.
    candidates: Vec<usize>,
    mean: Vec<f32>,
    basis: Option<pca::Pca>,
    /// Pictures × code.
    codes: Matrix,
    factor: Factor,
    projected: faer::Mat<f64>,
    inner: Vec<Inner>,
}

impl<'a> FoldPictures<'a> {
    /// Fits what depends on the training pictures as a set and on the training trials; `None`
    /// when too few training or no test trials show a picture.
    pub(super) fn prepare(
        brain: &Brain<'_>,
        fold: &Fold,
        pictures: &'a Pictures,
        plan: &DecodePlan,
        runs_share_stimuli: bool,
        run: &Run<'_>,
    ) -> Result<Option<Self>, Stop> {
        let shown = |rows: &[usize]| -> Vec<usize> {
            rows.iter()
                .copied()
                .filter(|&row| pictures.of_trial[row].is_some())
                .collect()
        };
        let distinct = |rows: &[usize]| {
            let mut numbers: Vec<usize> = rows
                .iter()
                .filter_map(|&row| pictures.of_trial[row])
                .collect();
            numbers.sort_unstable();
            numbers.dedup();
            numbers
        };
        let (train, test) = (shown(&fold.train), shown(&fold.test));
        if train.len() < 2 || test.is_empty() {
            return Ok(None);
        }
        let trained = pictures.pixels.select_rows(&distinct(&train));
        let mean = kernel::column_means(&trained, &(0..trained.n_rows).collect::<Vec<_>>());
        let basis = match plan.code {
            Code::Pixels { .. } => None,
            Code::Components { n, .. } => Some(pca::fit(&trained, n, brain.compute, run)?),
        };
        let codes = match &basis {
            Some(basis) => pca::encode(basis, &pictures.pixels, brain.compute, run)?,
            None => pictures.pixels.clone(),
        };
        let mut candidates = distinct(&test);
        if runs_share_stimuli || candidates.len() < 2 {
            candidates = (0..pictures.images.len()).collect();
        }
        let factor = Factor::new(&brain.design, &train, brain.compute, run)?;
        let projected = factor.project(&brain.design, &test);
        let inner = folds::inner(brain.trials, &train)
            .par_iter()
            .map(|fold| Inner::new(&brain.design, &fold.train, &fold.test, brain.compute, run))
            .collect::<Result<Vec<_>, Stop>>()?;
        Ok(Some(Self {
            pictures,
            test,
            candidates,
            mean,
            basis,
            codes,
            factor,
            projected,
            inner,
        }))
    }

    /// The code of every trial's picture: trials × code, in f64.
    fn targets(&self, known: &Known) -> faer::Mat<f64> {
        faer::Mat::from_fn(known.pictures.len(), self.codes.n_cols, |row, c| {
            known.pictures[row].map_or(0.0, |picture| f64::from(self.codes.row(picture)[c]))
        })
    }

    fn draw(
        &self,
        brain: &Brain<'_>,
        known: &Known,
        plan: &DecodePlan,
        run: &Run<'_>,
    ) -> Result<(Vec<f64>, Vec<Drawn>), Stop> {
        let y = self.targets(known);
        let alphas = ridge::choose_alphas(&self.inner, &y, &plan.alphas, run)?;
        let codes = ridge::narrow(&self.factor.predict(
            &self.projected,
            &self.factor.targets(&y),
            |dimension| alphas[dimension],
        ));
        let pixels = match &self.basis {
            Some(basis) => pca::decode(basis, &codes, brain.compute, run)?,
            None => codes,
        };
        run.check()?;
        let drawn = self
            .test
            .par_iter()
            .enumerate()
            .filter_map(|(i, &row)| {
                let picture = known.pictures[row]?;
                let pixels = pixels.row(i).iter().map(|v| v.clamp(0.0, 1.0)).collect();
                Some(self.scored(row, picture, pixels))
            })
            .collect();
        Ok((alphas, drawn))
    }

    fn scored(&self, trial: usize, picture: usize, pixels: Vec<f32>) -> Drawn {
        let likeness: Vec<f64> = self
            .candidates
            .iter()
            .map(|&c| correlation::pearson(&pixels, self.pictures.pixels.row(c)))
            .collect();
        let truth = self.candidates.iter().position(|&c| c == picture);
        let side = self.pictures.side;
        let grey = |pixels: &[f32]| self.pictures.grey(pixels);
        let shown = self.pictures.pixels.row(picture);
        Drawn {
            trial,
            pixcorr: correlation::pearson(&pixels, shown),
            ssim: ssim::ssim(&grey(&pixels), &grey(shown), side, side),
            two_way: truth.and_then(|t| identify::two_way(&likeness, t)),
            rank: truth.and_then(|t| identify::rank(&likeness, t)),
            n_candidates: self.candidates.len(),
            pixels,
        }
    }

    /// What the mean training picture scores for every test trial: a guess without a brain.
    pub(super) fn guess(&self) -> Vec<Drawn> {
        let score =
            |row: usize| Some(self.scored(row, self.pictures.of_trial[row]?, self.mean.clone()));
        self.test.iter().filter_map(|&row| score(row)).collect()
    }

    /// How much each voxel weighs in the fold's ridge, in pixel space up to the orthonormal basis.
    pub(super) fn voxel_norms(
        &self,
        brain: &Brain<'_>,
        known: &Known,
        alphas: &[f64],
        run: &Run<'_>,
    ) -> Result<Vec<f32>, Stop> {
        let targets = self.factor.targets(&self.targets(known));
        ridge::voxel_norms(
            &self
                .factor
                .model(&brain.design, &targets, |dimension| alphas[dimension]),
            brain.compute,
            run,
        )
    }
}

/// Names conditions (when `n_classes` ≥ 2) and draws pictures for the held-out trials, as if
/// every trial were what `known` says.
pub(super) fn outcome(
    brain: &Brain<'_>,
    fold: &Fold,
    pictures: Option<&FoldPictures<'_>>,
    known: &Known,
    n_classes: usize,
    plan: &DecodePlan,
    run: &Run<'_>,
) -> Result<Outcome, Stop> {
    let named = if n_classes >= 2 {
        let n_voxels = brain.design.x.n_cols;
        lda::classify(
            &brain.design.kernel,
            &fold.train,
            &fold.test,
            &known.labels,
            n_classes,
            n_voxels,
        )?
    } else {
        Vec::new()
    };
    let correct = named
        .iter()
        .zip(&fold.test)
        .map(|(named, &row)| *named == known.labels[row])
        .collect();
    let (alphas, drawn) = match pictures {
        Some(pictures) => pictures.draw(brain, known, plan, run)?,
        None => (Vec::new(), Vec::new()),
    };
    Ok(Outcome {
        named,
        correct,
        drawn,
        alphas,
    })
}
