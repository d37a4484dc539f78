//! What predictions of held-out rows are worth.

use crate::select::table::Table;

/// What was said of a held-out row.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// The row of the table.
    pub row: usize,
    /// The class the classifier names.
    pub named: usize,
    /// Of two classes: the score of the first less that of the second; else the score of the named class.
    pub score: f64,
}

/// One fold.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct FoldScore {
    /// What was left out.
    pub label: String,
    /// Training rows.
    pub n_train: usize,
    /// Rows that were tested.
    pub n_test: usize,
    /// Of them named rightly.
    pub n_correct: usize,
    /// The features it was scored with, as they are written for readers.
    pub features: Vec<String>,
    /// What the training rows chose, where something was to choose: an extraction, a number of features, a region.
    pub choice: Option<String>,
}

impl FoldScore {
    /// The share that is right.
    pub fn accuracy(&self) -> f64 {
        self.n_correct as f64 / self.n_test.max(1) as f64
    }
}

/// The score of one way of taking features.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Scored {
    /// The share of held-out rows that are named rightly.
    pub accuracy: f64,
    /// The mean over classes of that share: chance is one in the number of classes however many rows each has.
    pub balanced_accuracy: f64,
    /// Of two classes: how often a row of the first scores higher than one of the second of the same fold.
    pub auc: Option<f64>,
    /// `confusion[shown][named]`, rows.
    pub confusion: Vec<Vec<usize>>,
    /// One a fold.
    pub folds: Vec<FoldScore>,
    /// (1 + permutations at least as accurate) / (1 + permutations); none without permutations, and none for a basket
    /// that was picked by looking, for whose score no permutation of labels is a control.
    pub p: Option<f64>,
}

/// The share of `labels` that is named rightly.
pub(super) fn accuracy(predictions: &[Vec<Prediction>], labels: &[usize]) -> f64 {
    let (mut right, mut n) = (0, 0);
    for prediction in predictions.iter().flatten() {
        n += 1;
        right += usize::from(prediction.named == labels[prediction.row]);
    }
    f64::from(right as u32) / f64::from(n.max(1) as u32)
}

/// Scores the predictions of every fold.
pub(super) fn scored(
    table: &Table,
    predictions: &[Vec<Prediction>],
    folds: Vec<FoldScore>,
) -> Scored {
    let n_classes = table.classes.len();
    let labels = table.labels();
    let mut confusion = vec![vec![0; n_classes]; n_classes];
    for prediction in predictions.iter().flatten() {
        confusion[labels[prediction.row]][prediction.named] += 1;
    }
    let recalls: Vec<f64> = (0..n_classes)
        .filter_map(|class| {
            let n: usize = confusion[class].iter().sum();
            (n > 0).then(|| confusion[class][class] as f64 / n as f64)
        })
        .collect();
    Scored {
        accuracy: accuracy(predictions, &labels),
        balanced_accuracy: recalls.iter().sum::<f64>() / recalls.len().max(1) as f64,
        auc: (n_classes == 2)
            .then(|| auc(predictions, &labels))
            .flatten(),
        confusion,
        folds,
        p: None,
    }
}

/// Pairs of one fold alone are compared: scores of different classifiers have no common zero.
fn auc(predictions: &[Vec<Prediction>], labels: &[usize]) -> Option<f64> {
    let (mut wins, mut pairs) = (0.0, 0.0);
    for fold in predictions {
        let of = |class: usize| fold.iter().filter(move |p| labels[p.row] == class);
        for a in of(0) {
            for b in of(1) {
                pairs += 1.0;
                if a.score > b.score {
                    wins += 1.0;
                } else if a.score == b.score {
                    wins += 0.5;
                }
            }
        }
    }
    (pairs > 0.0).then_some(wins / pairs)
}
