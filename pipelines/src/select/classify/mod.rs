//! Linear classifiers on few features and fewer trials, in f64 on the CPU.
//!
//! Each is the model of that name in scikit-learn, to the tolerance that `tests/pipelines/select/models.rs` states:
//! `LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")`, `LogisticRegression(C=…)`, `LinearSVC(C=…)`; the
//! nearest centroid is `NearestCentroid()`.

mod lda;
mod logistic;
mod svm;

use faer::Mat;

use crate::linear::kernel;
use crate::{Error, Result};

/// Which classifier.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// Linear discriminants; the covariance of each class is shrunk as Ledoit & Wolf (2004) say. Nothing to tune.
    #[default]
    Lda,
    /// Logistic regression, multinomial for many classes, with an L2 penalty.
    Logistic {
        /// Weight of the data against the penalty.
        c: f64,
    },
    /// Linear support vectors, squared hinge; one class against the rest for many.
    Svm {
        /// Weight of the data against the penalty.
        c: f64,
    },
    /// The class whose mean is nearest.
    Centroid,
}

impl Model {
    /// Its name for tables.
    pub fn name(self) -> String {
        match self {
            Self::Lda => "LDA, Ledoit–Wolf".to_owned(),
            Self::Logistic { c } => format!("logistic, C = {c}"),
            Self::Svm { c } => format!("linear SVM, C = {c}"),
            Self::Centroid => "nearest centroid".to_owned(),
        }
    }

    /// Whether it is fitted on features of unit variance over the training rows. Discriminants scale by themselves.
    pub(super) fn wants_scaling(self) -> bool {
        self != Self::Lda
    }
}

/// A fitted classifier: scores are linear in the features, and the largest names the class.
#[derive(Clone, Debug)]
pub struct Classifier {
    /// Classes × features.
    pub weights: Mat<f64>,
    /// One a class; −∞ for a class that was not among the training rows.
    pub offsets: Vec<f64>,
}

/// Fits `model` to rows × features and the class of each row.
///
/// # Errors
/// When there are fewer than two classes among the rows, a value is not finite, C is not positive, or numbers do not converge.
pub fn fit(model: Model, x: &Mat<f64>, y: &[usize], n_classes: usize) -> Result<Classifier> {
    check(model, x, y, n_classes)?;
    match model {
        Model::Lda => lda::fit(x, y, n_classes),
        Model::Centroid => Ok(centroid(x, y, n_classes)),
        Model::Logistic { c } => on_span(x, |z| logistic::fit(z, y, n_classes, c)),
        Model::Svm { c } => on_span(x, |z| svm::fit(z, y, n_classes, c)),
    }
}

fn check(model: Model, x: &Mat<f64>, y: &[usize], n_classes: usize) -> Result<()> {
    let mut seen = vec![false; n_classes];
    for &class in y {
        match seen.get_mut(class) {
            Some(seen) => *seen = true,
            None => return Err(Error::data(format!("row of class {class} of {n_classes}"))),
        }
    }
    if seen.iter().filter(|s| **s).count() < 2 || x.nrows() != y.len() {
        return Err(Error::data(
            "a classifier needs training rows of two classes",
        ));
    }
    if (0..x.ncols()).any(|c| (0..x.nrows()).any(|r| !x[(r, c)].is_finite())) {
        return Err(Error::data(
            "a feature holds a value that is not finite: leave it out",
        ));
    }
    match model {
        Model::Logistic { c } | Model::Svm { c } if !(c > 0.0 && c.is_finite()) => {
            Err(Error::data(format!(
                "the weight C = {c} of a classifier must be positive"
            )))
        }
        _ => Ok(()),
    }
}

impl Classifier {
    /// The score of a row for every class.
    pub fn scores(&self, row: &[f64]) -> Vec<f64> {
        (0..self.offsets.len())
            .map(|class| {
                let products = row.iter().enumerate();
                let along: f64 = products.map(|(f, x)| self.weights[(class, f)] * x).sum();
                along + self.offsets[class]
            })
            .collect()
    }
}

/// The class with the largest score; of equals the first.
pub(super) fn named(scores: &[f64]) -> usize {
    let mut best = 0;
    for (class, score) in scores.iter().enumerate() {
        if *score > scores[best] || scores[best].is_nan() {
            best = class;
        }
    }
    best
}

/// −½‖x − m‖² up to what all classes share.
fn centroid(x: &Mat<f64>, y: &[usize], n_classes: usize) -> Classifier {
    let (counts, means) = class_means(x, y, n_classes);
    let offsets = (0..n_classes).map(|class| {
        if counts[class] == 0.0 {
            return f64::NEG_INFINITY;
        }
        -0.5 * (0..x.ncols())
            .map(|f| means[(class, f)].powi(2))
            .sum::<f64>()
    });
    Classifier {
        offsets: offsets.collect(),
        weights: means,
    }
}

/// Rows of each class, and their means; 0 of a class without rows.
fn class_means(x: &Mat<f64>, y: &[usize], n_classes: usize) -> (Vec<f64>, Mat<f64>) {
    let mut counts = vec![0.0; n_classes];
    let mut means = Mat::<f64>::zeros(n_classes, x.ncols());
    for (row, &class) in y.iter().enumerate() {
        counts[class] += 1.0;
        for f in 0..x.ncols() {
            means[(class, f)] += x[(row, f)];
        }
    }
    for class in 0..n_classes {
        for f in 0..x.ncols() {
            means[(class, f)] /= f64::max(counts[class], 1.0);
        }
    }
    (counts, means)
}

/// Weights with an L2 penalty lie in the span of the rows: with more features than rows the fit is done in coordinates of
/// that span, which an orthonormal basis makes the same problem.
fn on_span(x: &Mat<f64>, fit: impl Fn(&Mat<f64>) -> Result<Classifier>) -> Result<Classifier> {
    let (n, p) = (x.nrows(), x.ncols());
    if p <= n {
        return fit(x);
    }
    let (values, vectors) = kernel::eigen(&(x * x.transpose()))?;
    let largest = values.last().copied().unwrap_or(0.0);
    let kept: Vec<usize> = (0..n).filter(|&i| values[i] > 1e-12 * largest).collect();
    let z = Mat::from_fn(n, kept.len(), |r, c| {
        vectors[(r, kept[c])] * values[kept[c]].sqrt()
    });
    let in_span = fit(&z)?;
    // w = Xᵀ U Λ^(−½) v
    let back = Mat::from_fn(n, kept.len(), |r, c| {
        vectors[(r, kept[c])] / values[kept[c]].sqrt()
    });
    Ok(Classifier {
        weights: in_span.weights * back.transpose() * x,
        offsets: in_span.offsets,
    })
}
