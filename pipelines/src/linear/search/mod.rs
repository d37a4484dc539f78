//! The penalty of every target, found by cross-validation: ridge regression of very many targets on few or many features,
//! with one penalty in common to all features or one for each space of them (banded ridge).
//!
//! W = argmin ‖X W − Y‖² + α‖W‖² with X and Y centred on the training rows. With one space X is the data; with several,
//! space s enters as √γ_s X_s, and γ is searched for among given weights (Dupré la Tour et al. 2022, *NeuroImage* 264,
//! 119728): for each target the γ and α of the least squared error on the rows left out, mean over the splits.
//!
//! A ridge of given γ and α is a matrix that makes predictions of responses, whatever these are ([`hats`]). It is made
//! once for each split, in f64 from a Cholesky factor or the eigenvectors of the smaller of XᵀX (primal) and XXᵀ
//! (dual), and then meets all targets in one f32 product. So eigenvalues never meet f32, targets are worked on in
//! batches, and the work per target is `2 · test rows · min(rows, features)` a penalty ([`super::penalties`] says why
//! it is less).
//!
//! Memory beside inputs and results:
//! * products of the features ([`side`]), f32: p² a part and a copy of X (primal), or n² a space (dual);
//! * hats of the splits worked on together. Primal: [`PRIMAL_BYTES`] or half of the inputs, whichever is more, because
//!   other splits would mean multiplying X with the responses again. Dual: [`DUAL_BYTES`], half of the inputs or a split
//!   a thread, whichever is most;
//! * while hats are made, by each thread, five matrices in f64 of the smaller side (at most [`LARGE`]² each; larger
//!   systems are factored one at a time, in half a matrix and a copy of it);
//! * afterwards, by each thread, a batch: an eighth of the inputs, at most [`BATCH_BYTES`], at least a quarter of that.

mod choose;
mod hats;
mod losses;
mod predict;
mod problem;
mod side;

use rayon::prelude::*;

pub use choose::search;
pub use predict::predict;
pub use problem::Problem;

use crate::device::Compute;
use crate::matrix::Matrix;
use crate::run::Stop;

/// What a thread holds of a batch of targets.
const BATCH_BYTES: usize = 8 << 20;
/// What the hats of the splits that are worked on together may always take when features are the smaller side.
const PRIMAL_BYTES: usize = 64 << 20;
/// The same when rows are.
const DUAL_BYTES: usize = 8 << 20;
/// Systems of more rows than these are not worked on side by side, but one after the other by all threads.
const LARGE: usize = 2048;

/// Rows to be predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Those of a part.
    Part(usize),
    /// Those nothing is fitted on.
    Extra,
}

/// A model: fitted on all parts but some, to predict some rows.
#[derive(Clone, Debug)]
pub struct Model {
    /// Parts left out.
    pub without: Vec<usize>,
    /// What it predicts.
    pub asked: Asked,
}

/// A fit without some parts, and what is learned from each of them.
#[derive(Clone, Debug)]
pub struct Split {
    /// Parts left out.
    pub without: Vec<usize>,
    /// (model, part): the model whose penalty that part of those left out has a say in.
    pub says: Vec<(usize, usize)>,
}

/// Among what is searched.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Penalties, ascending.
    pub alphas: Vec<f64>,
    /// Weights of the spaces, one list a candidate.
    pub gammas: Vec<Vec<f64>>,
}

/// What was found for every target.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// Index of the penalty.
    pub alpha: Vec<u16>,
    /// Index of the weights of the spaces.
    pub gamma: Vec<u16>,
    /// Mean over splits of the mean squared error on rows left out; NaN where a target is not finite.
    pub error: Vec<f32>,
}

/// What a model says of some targets.
#[derive(Debug)]
pub struct Predicted<'a> {
    /// Which order of the responses, as they were given.
    pub order: usize,
    /// Which model.
    pub model: usize,
    /// Which targets.
    pub targets: &'a [usize],
    /// Rows × targets, from the mean of the training rows; empty for rows nothing is fitted on.
    pub observed: &'a Matrix,
    /// What each space contributes: rows × targets, to be added up and to the mean.
    pub by_space: &'a [Matrix],
    /// The mean of the training rows.
    pub mean: &'a [f32],
}

/// The splits that choose the penalty of one model per part (the part left out, for it is what the model will be
/// tested on) by all other parts in turn. A fit without two parts serves the models of both.
pub fn nested(n_parts: usize) -> (Vec<Model>, Vec<Split>) {
    let models = (0..n_parts).map(|part| Model {
        without: vec![part],
        asked: Asked::Part(part),
    });
    let pairs = (0..n_parts).flat_map(|b| (0..b).map(move |a| (a, b)));
    let splits = pairs.map(|(a, b)| Split {
        without: vec![a, b],
        says: vec![(a, b), (b, a)],
    });
    (models.collect(), splits.collect())
}

/// The splits that choose the penalty of one model of all parts by each part in turn.
pub fn plain(n_parts: usize, asked: Asked) -> (Vec<Model>, Vec<Split>) {
    let model = Model {
        without: Vec::new(),
        asked,
    };
    let splits = (0..n_parts).map(|part| Split {
        without: vec![part],
        says: vec![(0, part)],
    });
    (vec![model], splits.collect())
}

/// Works on every unit: on the CPU side by side, on a GPU one after the other.
fn each<T: Sync>(
    compute: &Compute,
    units: &[T],
    work: impl Fn(&T) -> Result<(), Stop> + Sync + Send,
) -> Result<(), Stop> {
    if compute.is_cpu() {
        units.par_iter().try_for_each(work)
    } else {
        units.iter().try_for_each(work)
    }
}
