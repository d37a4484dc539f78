//! Classifiers against scikit-learn; `fixtures/selection.py` made the constants, its `made` is repeated here.

use faer::Mat;
use fusiform_pipelines::select::classify::{Classifier, Model, fit};

use crate::linear::{assert_close, made_at};

const CASES: [(&str, usize, usize, usize); 4] = [
    ("tall_two", 40, 6, 2),
    ("tall_four", 48, 6, 4),
    ("wide_two", 24, 60, 2),
    ("wide_three", 30, 80, 3),
];

fn numbers(name: &str) -> Vec<f64> {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../../fixtures/selection.json")).unwrap();
    serde_json::from_value(all[name].clone()).unwrap()
}

fn data(n: usize, p: usize, k: usize) -> (Mat<f64>, Vec<usize>) {
    let labels: Vec<usize> = (0..n).map(|i| i % k).collect();
    let x = Mat::from_fn(n, p, |r, c| {
        let shift = if c < 3 && labels[r] == c { 0.8 } else { 0.0 };
        let plain = f64::from(made_at(r * p + c, 7.0) as f32);
        (plain + shift) * (1.0 + (c % 5) as f64) + (c % 3) as f64
    });
    (x, labels)
}

/// Scores of the last eight rows by a classifier of the others.
fn scores(model: Model, (n, p, k): (usize, usize, usize)) -> Vec<Vec<f64>> {
    let (x, labels) = data(n, p, k);
    let train = Mat::from_fn(n - 8, p, |r, c| x[(r, c)]);
    let fitted: Classifier = fit(model, &train, &labels[..n - 8], k).unwrap();
    (n - 8..n)
        .map(|r| fitted.scores(&(0..p).map(|c| x[(r, c)]).collect::<Vec<f64>>()))
        .collect()
}

/// Two classes have one score, the second less the first; for more, what is added to all classes of a row means nothing.
fn compare(kind: &str, model: Model, tolerance: f64, absolute: bool) {
    for (name, n, p, k) in CASES {
        let want = numbers(&format!("{name}_{kind}"));
        let got = scores(model, (n, p, k));
        if k == 2 {
            let got: Vec<f64> = got.iter().map(|s| s[1] - s[0]).collect();
            assert_close(&got, &want, tolerance);
            continue;
        }
        for (got, want) in got.iter().zip(want.chunks(k)) {
            let from = |s: &[f64]| -> Vec<f64> {
                let zero = if absolute { 0.0 } else { s[0] };
                s.iter().map(|v| v - zero).collect()
            };
            assert_close(&from(got), &from(want), tolerance);
        }
    }
}

#[test]
fn discriminants_are_those_of_scikit_learn() {
    compare("lda", Model::Lda, 1e-6, false);
}

#[test]
fn logistic_regression_is_that_of_scikit_learn() {
    compare("logistic", Model::Logistic { c: 0.5 }, 1e-5, false);
}

#[test]
fn support_vectors_are_those_of_scikit_learn() {
    compare("svm", Model::Svm { c: 0.3 }, 1e-5, true);
}

#[test]
fn the_nearest_centroid_is_that_of_scikit_learn() {
    for (name, n, p, k) in CASES {
        let named = scores(Model::Centroid, (n, p, k)).into_iter().map(|s| {
            let best = s.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            s.iter().position(|v| *v == best).unwrap() as f64
        });
        let named: Vec<f64> = named.collect();
        assert_eq!(named, numbers(&format!("{name}_centroid")), "{name}");
    }
}

#[test]
fn what_cannot_be_learnt_is_refused() {
    let x = Mat::<f64>::zeros(4, 2);
    let error = |model, x: &Mat<f64>, y: &[usize]| fit(model, x, y, 2).unwrap_err().to_string();
    assert!(error(Model::Lda, &x, &[0, 0, 0, 0]).contains("two classes"));
    assert!(error(Model::Svm { c: -1.0 }, &x, &[0, 1, 0, 1]).contains("positive"));
    let mut broken = x.clone();
    broken[(1, 1)] = f64::NAN;
    assert!(error(Model::Lda, &broken, &[0, 1, 0, 1]).contains("not finite"));
    // Features without any variance are no failure: all scores are equal but for the priors.
    for model in [
        Model::Lda,
        Model::Logistic { c: 1.0 },
        Model::Svm { c: 1.0 },
        Model::Centroid,
    ] {
        let fitted = fit(model, &x, &[0, 1, 0, 1], 2).unwrap();
        assert!(fitted.scores(&[0.0, 0.0]).iter().all(|s| s.is_finite()));
    }
}

#[test]
fn a_class_without_training_rows_is_never_named() {
    let (x, _) = data(12, 5, 2);
    let labels: Vec<usize> = (0..12).map(|i| 2 * (i % 2)).collect();
    for model in [
        Model::Lda,
        Model::Logistic { c: 1.0 },
        Model::Svm { c: 1.0 },
        Model::Centroid,
    ] {
        let fitted = fit(model, &x, &labels, 3).unwrap();
        let scores = fitted.scores(&[0.3; 5]);
        assert_eq!(scores[1], f64::NEG_INFINITY);
        assert!(scores[0].is_finite() && scores[2].is_finite());
    }
}
