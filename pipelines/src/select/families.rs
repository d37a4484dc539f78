//! Which kind of features does better: paired over folds, with the correction that folds share their training rows.

use crate::select::evaluate::Evaluation;
use crate::stats::tails;
use crate::{Error, Result};

/// The difference of two re-picked scores, fold by fold.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Difference {
    /// Folds that both have, in order.
    pub folds: Vec<String>,
    /// Accuracy of the first less that of the second, one a fold.
    pub differences: Vec<f64>,
    /// Their mean.
    pub mean: f64,
    /// Corrected resampled t; NaN where all differences are equal.
    pub t: f64,
    /// Folds − 1.
    pub df: f64,
    /// Two-sided p of t.
    pub p: f64,
}

/// Compares the re-picked accuracies of two evaluations over the folds they share.
///
/// The variance of the mean difference is that of the folds times 1/k + n_test/n_train, for training sets overlap
/// (Nadeau & Bengio 2003, *Machine Learning* 52, 239–281, equation 9). With few folds this test finds large differences
/// alone. Where rows are trials in one and windows in the other, the folds are the same runs but not the same rows.
///
/// # Errors
/// When they share fewer than two folds.
pub fn difference(a: &Evaluation, b: &Evaluation) -> Result<Difference> {
    let mut out = Difference {
        folds: Vec::new(),
        differences: Vec::new(),
        mean: 0.0,
        t: f64::NAN,
        df: f64::NAN,
        p: f64::NAN,
    };
    let mut ratio = 0.0;
    for of_a in &a.repicked.folds {
        let Some(of_b) = b.repicked.folds.iter().find(|f| f.label == of_a.label) else {
            continue;
        };
        out.folds.push(of_a.label.clone());
        out.differences.push(of_a.accuracy() - of_b.accuracy());
        ratio += of_a.n_test as f64 / of_a.n_train.max(1) as f64;
    }
    let k = out.differences.len() as f64;
    if k < 2.0 {
        return Err(Error::Choice(
            "the two share fewer than two folds: score them with the same split".into(),
        ));
    }
    out.mean = out.differences.iter().sum::<f64>() / k;
    let squares: f64 = out.differences.iter().map(|d| (d - out.mean).powi(2)).sum();
    let error = (squares / (k - 1.0) * (1.0 / k + ratio / k)).sqrt();
    out.df = k - 1.0;
    if error > 1e-12 {
        out.t = out.mean / error;
        out.p = tails::two_sided_t(out.t, out.df);
    }
    Ok(out)
}
