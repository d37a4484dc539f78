//! The same model through burn: what runs on a GPU, here on burn's own device of the processor.

use super::*;

/// As the processor's, but products go through tensors as on a GPU.
fn through_tensors() -> Compute {
    Compute {
        name: "tensors".into(),
        ..Compute::cpu()
    }
}

/// Responses of 60 trials in 6 runs to features of their own, with noise.
fn planted(n_features: usize) -> (Betas, features::Design) {
    let (n, t) = (60, 7);
    let values = |n_cols: usize, seed: f64| Matrix {
        n_rows: n,
        n_cols,
        values: made(n, n_cols, seed).iter().map(|v| *v as f32).collect(),
    };
    let (x, mut y) = (values(n_features, 11.0), values(t, 12.0));
    for row in 0..n {
        for target in 0..t {
            y.row_mut(row)[target] += 2.0 * x.row(row)[target % n_features];
        }
    }
    let trials = (0..n).map(|i| trial(&format!("{}", i / 10), None));
    let betas = Betas {
        values: y,
        trials: trials.collect(),
        columns: Columns::Points(vec![glam::Vec3::ZERO; t]),
        method: String::new(),
    };
    let half = n_features / 2;
    let design = features::Design {
        x,
        spaces: vec![
            ("first".into(), 0..half),
            ("second".into(), half..n_features),
        ],
        trials: (0..n).collect(),
        warnings: Vec::new(),
    };
    (betas, design)
}

/// On the side of features (8 of them) and of trials (90 features): the same scores, penalties and parts.
#[test]
fn scores_through_tensors_are_those_of_the_processor() {
    for (n_features, is_primal) in [(8, true), (90, false)] {
        let (betas, design) = planted(n_features);
        let plan = EncodePlan {
            n_folds: 3,
            n_shuffles: 1,
            ..EncodePlan::default()
        };
        let on = |compute: &Compute| {
            quietly(|run| encode(&betas, &design, &plan, compute, run)).unwrap()
        };
        let (here, there) = (on(&Compute::cpu()), on(&through_tensors()));
        assert_eq!(there.device, "tensors");
        assert_eq!(here.is_primal, is_primal);
        assert_eq!(here.alpha, there.alpha);
        assert_eq!(here.weights, there.weights);
        for (a, b) in [
            (&here.r2, &there.r2),
            (&here.r, &there.r),
            (&here.by_space[1], &there.by_space[1]),
            (&here.r_shuffled[0], &there.r_shuffled[0]),
        ] {
            assert_close(&as_f64(a), &as_f64(b), 1e-4);
        }
        assert!(
            !is_primal || mean_over(&here.r2, &[0, 1, 2, 3, 4, 5, 6]) > 0.3,
            "a model that finds nothing compares nothing"
        );
    }
}
