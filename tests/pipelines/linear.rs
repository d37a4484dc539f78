//! Linear models and metrics against numpy, scikit-learn, scikit-image and closed forms.
//!
//! `fixtures/linear.py` made the constants in `fixtures/linear.json`; its `made` is repeated here.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where its scaffolding fails"
)]

use faer::Mat;
use faer::prelude::Solve;
use fusiform_pipelines::betas::Trial;
use fusiform_pipelines::device::{self, Compute, DeviceChoice};
use fusiform_pipelines::linear::ridge::{self, Design, Factor, Form, Inner};
use fusiform_pipelines::linear::{folds, kernel, lda, pca, product};
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::metrics::{correlation, identify, ssim};
use fusiform_pipelines::run::{CancelToken, Run, Stop, quietly};

/// The formula of `fixtures/linear.py`, element `i` of a row-major matrix.
pub(crate) fn made_at(i: usize, seed: f64) -> f64 {
    let i = i as f64 + 1.0;
    ((i * i * 0.6180339887 + i * seed * 0.4142135624) % 1.0) * 2.0 - 1.0
}

fn made(n_rows: usize, n_cols: usize, seed: f64) -> Matrix {
    Matrix {
        n_rows,
        n_cols,
        values: (0..n_rows * n_cols)
            .map(|i| made_at(i, seed) as f32)
            .collect(),
    }
}

pub(crate) fn fixture(name: &str) -> serde_json::Value {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/linear.json")).unwrap();
    all.get(name)
        .unwrap_or_else(|| panic!("no {name} in linear.json"))
        .clone()
}

pub(crate) fn numbers(name: &str) -> Vec<f64> {
    serde_json::from_value(fixture(name)).unwrap()
}

pub(crate) fn assert_close(got: &[f64], want: &[f64], tolerance: f64) {
    assert_eq!(got.len(), want.len());
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        assert!(
            (g - w).abs() <= tolerance,
            "element {i}: {g} is not {w} within {tolerance}"
        );
    }
}

fn as_f64(matrix: &Matrix) -> Vec<f64> {
    matrix.values.iter().map(|v| f64::from(*v)).collect()
}

fn trial(run: &str, stimulus: Option<&str>) -> Trial {
    Trial {
        subject: "1".into(),
        session: String::new(),
        run: run.into(),
        onset_secs: 0.0,
        duration_secs: 1.0,
        condition: "a".into(),
        stimulus: stimulus.map(Into::into),
        repeat: 0,
    }
}

#[test]
fn products_on_the_device_equal_sums() {
    let (a, b) = (made(5, 7, 1.0), made(7, 3, 2.0));
    let compute = Compute::cpu();
    let got = quietly(|run| product::times(&a, &b, &compute, run)).unwrap();
    let again =
        quietly(|run| product::times_transposed(&a, &b.transposed(), &compute, run)).unwrap();
    for r in 0..5 {
        for c in 0..3 {
            let want: f32 = (0..7).map(|k| a.row(r)[k] * b.row(k)[c]).sum();
            assert!((got.row(r)[c] - want).abs() < 1e-5);
            assert!((again.row(r)[c] - want).abs() < 1e-5);
        }
    }
    assert!(quietly(|run| product::times(&a, &a, &compute, run)).is_err());
}

/// Both forms, both shapes: predictions and weight norms of scikit-learn's Ridge.
#[test]
fn ridge_equals_scikit_learn_in_both_forms() {
    let compute = Compute::cpu();
    for (name, n, p) in [("wide", 12, 40), ("tall", 40, 7)] {
        let (x, y) = (made(n, p, 3.0), ridge::wide(&made(n, 3, 5.0)));
        let (train, test): (Vec<usize>, Vec<usize>) = ((0..n - 4).collect(), (n - 4..n).collect());
        quietly(|run| {
            let design = Design::new(&x, &compute, run).unwrap();
            for form in [Form::Dual, Form::Primal] {
                let factor = Factor::with_form(&design, &train, form, &compute, run).unwrap();
                let targets = factor.targets(&y);
                let projected = factor.predict(&factor.project(&design, &test), &targets, |_| 0.3);
                assert_close(
                    &as_f64(&ridge::narrow(&projected)),
                    &numbers(&format!("ridge_{name}")),
                    2e-5,
                );
                let model = factor.model(&design, &targets, |_| 0.3);
                let predicted =
                    ridge::predict(&model, &x.select_rows(&test), &compute, run).unwrap();
                assert_close(
                    &as_f64(&predicted),
                    &numbers(&format!("ridge_{name}")),
                    2e-5,
                );
                let norms: Vec<f64> = ridge::voxel_norms(&model, &compute, run)
                    .unwrap()
                    .iter()
                    .map(|w| f64::from(*w))
                    .collect();
                assert_close(&norms, &numbers(&format!("ridge_{name}_norms")), 2e-5);
            }
        });
    }
}

/// The normal equations (XᵀX + λI) W = XᵀY, solved by a factorisation the library does not use.
#[test]
fn ridge_solves_the_normal_equations() {
    let compute = Compute::cpu();
    let (n, p, alpha) = (25, 9, 0.05);
    let (x, y) = (made(n, p, 17.0), ridge::wide(&made(n, 2, 19.0)));
    let rows: Vec<usize> = (0..n).collect();
    let centre = |m: &Mat<f64>| {
        Mat::from_fn(n, m.ncols(), |r, c| {
            m[(r, c)] - (0..n).map(|i| m[(i, c)]).sum::<f64>() / n as f64
        })
    };
    let (xc, yc) = (centre(&ridge::wide(&x)), centre(&y));
    let lambda = alpha * xc.squared_norm_l2() / n as f64;
    let left = xc.transpose() * &xc + Mat::from_fn(p, p, |r, c| if r == c { lambda } else { 0.0 });
    let weights = left.partial_piv_lu().solve(xc.transpose() * &yc);
    let want = &xc * &weights;
    quietly(|run| {
        let design = Design::new(&x, &compute, run).unwrap();
        let factor = Factor::new(&design, &rows, &compute, run).unwrap();
        let got = factor.predict(&factor.project(&design, &rows), &factor.targets(&y), |_| {
            alpha
        });
        let got = centre(&got);
        assert!(
            (&got - &want).norm_max() < 1e-5,
            "{}",
            (&got - &want).norm_max()
        );
    });
}

/// With a linear truth and hardly any noise a small penalty wins, with pure noise the largest.
#[test]
fn the_penalty_follows_the_signal() {
    let compute = Compute::cpu();
    let (n, p) = (40, 60);
    let x = made(n, p, 23.0);
    let alphas: Vec<f64> = (-3..=3).map(|e| 10f64.powi(e)).collect();
    let linear = Mat::from_fn(n, 1, |r, _| {
        f64::from(x.row(r)[0] + x.row(r)[1] - x.row(r)[2]) * 10.0
    });
    let noise = ridge::wide(&made(n, 1, 29.0));
    quietly(|run| {
        let design = Design::new(&x, &compute, run).unwrap();
        let inner: Vec<Inner> = (0..4)
            .map(|f| {
                let (test, train): (Vec<usize>, Vec<usize>) = (0..n).partition(|r| r % 4 == f);
                Inner::new(&design, &train, &test, &compute, run).unwrap()
            })
            .collect();
        // Chosen together, as targets of one ridge: each gets its own.
        let both = Mat::from_fn(n, 2, |r, c| {
            if c == 0 {
                linear[(r, 0)]
            } else {
                noise[(r, 0)]
            }
        });
        let chosen = ridge::choose_alphas(&inner, &both, &alphas, run).unwrap();
        let (of_signal, of_noise) = (chosen[0], chosen[1]);
        assert!(
            of_signal < of_noise,
            "{of_signal} for signal, {of_noise} for noise"
        );
        // Brute-force twin: refit from scratch for every penalty and fold.
        let brute = |y: &Mat<f64>| {
            let loss = |alpha: f64| -> f64 {
                (0..4)
                    .map(|f| {
                        let (test, train): (Vec<usize>, Vec<usize>) =
                            (0..n).partition(|r| r % 4 == f);
                        let factor =
                            Factor::with_form(&design, &train, Form::Primal, &compute, run)
                                .unwrap();
                        let model = factor.model(&design, &factor.targets(y), |_| alpha);
                        let got =
                            ridge::predict(&model, &x.select_rows(&test), &compute, run).unwrap();
                        test.iter()
                            .enumerate()
                            .map(|(i, &r)| (f64::from(got.row(i)[0]) - y[(r, 0)]).powi(2))
                            .sum::<f64>()
                    })
                    .sum()
            };
            alphas
                .iter()
                .copied()
                .min_by(|a, b| loss(*a).total_cmp(&loss(*b)))
                .unwrap()
        };
        assert_eq!(of_signal, brute(&linear));
        assert_eq!(of_noise, brute(&noise));
    });
}

#[test]
fn lda_names_what_scikit_learns_covariance_names() {
    let (n, p, k) = (30, 50, 3);
    let mut x = made(n, p, 7.0);
    for r in 0..n {
        x.row_mut(r)[r % k] += 0.6;
    }
    let labels: Vec<usize> = (0..n).map(|r| r % k).collect();
    let (train, test): (Vec<usize>, Vec<usize>) = ((0..21).collect(), (21..30).collect());
    let kernel = quietly(|run| kernel::linear_kernel(&x, &Compute::cpu(), run)).unwrap();
    let named = lda::classify(&kernel, &train, &test, &labels, k, p).unwrap();
    let want: Vec<usize> = serde_json::from_value(fixture("lda_named")).unwrap();
    assert_eq!(named, want);
}

/// One trial a class leaves no residual: the nearest training trial is named.
#[test]
fn lda_with_one_trial_a_class_names_the_nearest() {
    let x =
        Matrix::from_values(5, 2, vec![0.0, 0.0, 4.0, 0.0, 0.0, 4.0, 3.5, 0.4, 0.1, 2.9]).unwrap();
    let kernel = quietly(|run| kernel::linear_kernel(&x, &Compute::cpu(), run)).unwrap();
    let named = lda::classify(&kernel, &[0, 1, 2], &[3, 4], &[0, 1, 2, 1, 2], 3, 2).unwrap();
    assert_eq!(named, vec![1, 2]);
}

#[test]
fn components_equal_scikit_learns() {
    let compute = Compute::cpu();
    for (name, n, p) in [("wide", 6, 20), ("tall", 20, 6)] {
        let x = made(n, p, 11.0);
        quietly(|run| {
            let pca = pca::fit(&x, 4, &compute, run).unwrap();
            assert_close(
                &as_f64(&pca.components),
                &numbers(&format!("pca_{name}")),
                2e-4,
            );
            let all = pca::fit(&x, 100, &compute, run).unwrap();
            assert_eq!(all.components.n_rows, (n - 1).min(p), "rank after centring");
            let codes = pca::encode(&all, &x, &compute, run).unwrap();
            let back = pca::decode(&all, &codes, &compute, run).unwrap();
            assert_close(&as_f64(&back), &as_f64(&x), 1e-4);
        });
    }
}

#[test]
fn pictures_score_as_in_scikit_image() {
    let half = |m: Matrix| -> Vec<f64> { as_f64(&m).iter().map(|v| (v + 1.0) / 2.0).collect() };
    let (a, b) = (half(made(20, 24, 2.0)), half(made(20, 24, 9.0)));
    let b: Vec<f32> = a
        .iter()
        .zip(&b)
        .map(|(a, b)| (0.5 * a + 0.5 * b) as f32)
        .collect();
    let a: Vec<f32> = a.iter().map(|a| *a as f32).collect();
    let want = fixture("ssim").as_f64().unwrap();
    assert!((ssim::ssim(&a, &b, 24, 20).unwrap() - want).abs() < 1e-6);
    assert!((ssim::ssim(&a, &a, 24, 20).unwrap() - 1.0).abs() < 1e-12);
    assert_eq!(
        ssim::ssim(&a[..100], &b[..100], 10, 10),
        None,
        "smaller than the window"
    );
    assert!((correlation::pearson(&a, &b) - fixture("pearson").as_f64().unwrap()).abs() < 1e-6);
    assert_eq!(correlation::pearson(&a, &[0.5; 480]), 0.0);
}

#[test]
fn identification_counts_ties_against_the_truth() {
    assert_eq!(identify::two_way(&[0.1, 0.9, 0.9, 0.2], 1), Some(2.0 / 3.0));
    assert_eq!(identify::rank(&[0.1, 0.9, 0.9, 0.2], 1), Some(2));
    assert_eq!(identify::rank(&[0.1, 0.9, 0.3], 1), Some(1));
    assert_eq!(identify::two_way(&[0.4], 0), None);
    assert_eq!(identify::rank(&[0.4], 3), None);
}

#[test]
fn folds_keep_shared_pictures_together_where_they_can() {
    let apart = [
        trial("1", Some("a")),
        trial("2", Some("b")),
        trial("3", Some("c")),
    ];
    let folds = folds::leave_one_run_out(&apart).unwrap();
    assert_eq!(
        (
            folds.folds.len(),
            folds.stimuli_shared,
            folds.runs_share_stimuli
        ),
        (3, false, false)
    );

    let paired = [
        trial("1", Some("a")),
        trial("2", Some("b")),
        trial("3", Some("a")),
        trial("4", Some("b")),
    ];
    let folds = folds::leave_one_run_out(&paired).unwrap();
    assert_eq!(folds.folds[0].test, vec![0, 2]);
    assert_eq!(folds.folds[1].test, vec![1, 3]);
    assert!(!folds.stimuli_shared && folds.runs_share_stimuli);

    let all = [
        trial("1", Some("a")),
        trial("2", Some("a")),
        trial("3", Some("a")),
    ];
    let folds = folds::leave_one_run_out(&all).unwrap();
    assert_eq!((folds.folds.len(), folds.stimuli_shared), (3, true));

    let error = folds::leave_one_run_out(&all[..1]).unwrap_err().to_string();
    assert!(error.contains("at least two runs"), "{error}");
}

#[test]
fn a_cancelled_product_stops() {
    let cancel = CancelToken::default();
    cancel.cancel();
    let a = made(3, 3, 1.0);
    let stopped = product::times(&a, &a, &Compute::cpu(), &Run::new(&|_| {}, &cancel));
    assert!(matches!(stopped, Err(Stop::Cancelled)));
}

/// Every word of the option, and that asking for the CPU opens nothing else.
#[test]
fn devices_are_chosen_by_name() {
    assert_eq!("auto".parse(), Ok(DeviceChoice::Auto));
    assert_eq!("wgpu".parse(), Ok(DeviceChoice::Wgpu));
    assert!(
        "gpu"
            .parse::<DeviceChoice>()
            .unwrap_err()
            .contains("auto, cpu or wgpu")
    );
    assert_eq!(device::choose("cpu".parse().unwrap()).unwrap().name, "cpu");
}

/// The same products on the graphics driver; minutes on a software one, so by hand:
/// `cargo test -- --ignored products_on_wgpu`.
#[test]
#[ignore = "compiles shaders for minutes on a software driver"]
fn products_on_wgpu_equal_those_on_the_cpu() {
    let wgpu = device::choose(DeviceChoice::Wgpu).unwrap();
    let (a, b) = (made(70, 90, 1.0), made(50, 90, 2.0));
    let on = |compute: &Compute| {
        as_f64(&quietly(|run| product::times_transposed(&a, &b, compute, run)).unwrap())
    };
    assert_close(&on(&wgpu), &on(&Compute::cpu()), 1e-4);
}
