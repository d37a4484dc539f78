//! Families of features against each other, and maps against chance.

use fusiform_pipelines::run::quietly;
use fusiform_pipelines::select::families::difference;
use fusiform_pipelines::select::map::{map, prepare};
use fusiform_pipelines::select::null::null;
use fusiform_pipelines::select::{
    Candidate, Evaluation, EvaluationPlan, Statistic, Table, evaluate,
};
use fusiform_pipelines::stats::permute::{self, Exchange, Tail};
use fusiform_pipelines::stats::tails::two_sided_t;

use super::{balanced, noise, table_of};

fn table(signal: f32, n_cols: usize, seed: u64) -> Table {
    let rows = balanced(6, 4, 2);
    let mut values = noise(48, n_cols, seed);
    for (r, row) in rows.iter().enumerate() {
        for f in (0..n_cols).step_by(10).take(6) {
            values.row_mut(r)[f] += signal * (0.5 - row.class as f32);
        }
    }
    table_of(rows, values)
}

fn scored(table: &Table) -> Evaluation {
    let candidates = [Candidate { name: "", table }];
    let plan = EvaluationPlan {
        n_permutations: 0,
        ..EvaluationPlan::default()
    };
    quietly(|run| evaluate(&candidates, None, &plan, run)).unwrap()
}

/// Nadeau & Bengio's formula, written out.
#[test]
fn families_are_compared_fold_by_fold() {
    let (a, b) = (scored(&table(2.0, 60, 1)), scored(&table(0.0, 60, 2)));
    let got = difference(&a, &b).unwrap();
    let folds = a.repicked.folds.iter().zip(&b.repicked.folds);
    let d: Vec<f64> = folds.map(|(a, b)| a.accuracy() - b.accuracy()).collect();
    let mean = d.iter().sum::<f64>() / 6.0;
    let variance = d.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 5.0;
    let t = mean / (variance * (1.0 / 6.0 + 8.0 / 40.0)).sqrt();
    assert!((got.mean - mean).abs() < 1e-12 && (got.t - t).abs() < 1e-9);
    assert_eq!((got.df, got.p), (5.0, two_sided_t(got.t, 5.0)));
    assert!(got.mean > 0.2 && got.p < 0.05, "{got:?}");
    let same = difference(&a, &a).unwrap();
    assert!(same.mean == 0.0 && same.t.is_nan() && same.p.is_nan());
}

/// The same test in other words: the largest R² and the largest pooled t come from the same permutations.
#[test]
fn the_largest_of_permuted_maps_is_that_of_the_t_test() {
    let table = table(1.6, 300, 3);
    let values = table.fitted(&[]).unwrap();
    let of = |class: usize| -> Vec<usize> {
        (0..48).filter(|&r| table.rows[r].class == class).collect()
    };
    let exchange = Exchange {
        block: (0..48).map(|r| r / 8).collect(),
        unit: (0..48).collect(),
    };
    quietly(|run| {
        let plan = permute::Plan {
            n_permutations: 2000,
            seed: 4,
            tail: Tail::Both,
            clusters: None,
        };
        let by_t = permute::two_sample(&values, &of(0), &of(1), &exchange, &plan, run).unwrap();
        let mut largest = by_t.largest.clone();
        largest.sort_by(f32::total_cmp);
        let t = largest[1900];
        let want = t * t / (t * t + 46.0);
        let got = null(&table, Statistic::R2, 2000, 9, run).unwrap();
        let threshold = got.threshold(0.05).unwrap();
        assert!((threshold - want).abs() < 0.02, "{threshold} and {want}");

        let maps = prepare(&table, false, run).unwrap();
        let map = map(&maps, Statistic::R2, &[true; 6]).unwrap();
        for f in 0..300 {
            let (p, want) = (got.p_anywhere(map.values[f]), by_t.p_anywhere[f]);
            assert!((p - want).abs() < 0.05, "feature {f}: {p} and {want}");
        }
        assert!(got.p_anywhere(f32::NAN).is_nan());
        assert_eq!(got.p_anywhere(2.0), 1.0 / 2001.0);
        assert!(got.threshold(1e-6).is_none(), "too few permutations to say");
        for statistic in [
            Statistic::T,
            Statistic::DPrime,
            Statistic::Auc,
            Statistic::SignedR2,
        ] {
            let found = null(&table, statistic, 50, 9, run).unwrap();
            assert!(
                found.largest.iter().all(|v| v.is_finite() && *v > 0.0),
                "{statistic:?}"
            );
        }
    });
}
