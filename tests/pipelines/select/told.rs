//! Mutual information: scikit-learn's number, scipy's p, and at chance what chance gives.

use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::select::map::{map, prepare};
use fusiform_pipelines::select::null::null;
use fusiform_pipelines::select::{
    Candidate, EvaluationPlan, Map, PickPlan, Statistic, Table, evaluate,
};
use fusiform_pipelines::stats::tails::chi_squared_above;

use super::{balanced, noise, row, table_of};
use crate::linear::made_at;

fn fixture() -> serde_json::Value {
    serde_json::from_str(include_str!("../../fixtures/selection.json")).unwrap()
}

fn numbers(name: &str) -> Vec<f64> {
    serde_json::from_value(fixture()[name].clone()).unwrap()
}

fn told(table: &Table, ticked: &[bool]) -> Map {
    quietly(|run| {
        let source = prepare(table, true, run).unwrap();
        map(&source, Statistic::MutualInformation, ticked).unwrap()
    })
}

/// The rows of the script: four runs of 15, three classes.
fn of_script() -> Table {
    let rows = (0..60).map(|i| row(i % 3, i / 15, None)).collect();
    let values = (0..60 * 6).map(|i| {
        let (class, feature) = (i / 6 % 3, i % 6);
        let value = f64::from(made_at(i, 5.0) as f32);
        let value = match feature {
            0 => value + 0.5 * class as f64,
            1 => value * [0.2, 1.0, 3.0][class],
            2 | 3 => (2.0 * value).round_ties_even(),
            _ => value,
        };
        value as f32
    });
    table_of(rows, Matrix::from_values(60, 6, values.collect()).unwrap())
}

#[test]
fn mutual_information_is_scikit_learns_and_its_p_scipys() {
    let got = told(&of_script(), &[true; 4]);
    for (got, want) in got.values.iter().zip(numbers("told_bits")) {
        assert!((f64::from(*got) - want).abs() < 1e-6, "{got} is not {want}");
    }
    for (got, want) in got.p.iter().zip(numbers("told_p")) {
        assert!(
            (got - want).abs() < 1e-9 * want.max(1e-3),
            "{got} is not {want}"
        );
    }
    // A difference of spread alone is seen here, and not by R².
    assert!(got.p[1] < 1e-4, "{}", got.p[1]);
    let by_r2 = quietly(|run| {
        let source = prepare(&of_script(), false, run).unwrap();
        map(&source, Statistic::R2, &[true; 4]).unwrap()
    });
    assert!(by_r2.p[1] > 0.05, "{}", by_r2.p[1]);
    assert!(
        quietly(|run| prepare(&of_script(), false, run)
            .map(|source| { map(&source, Statistic::MutualInformation, &[true; 4]).unwrap_err() }))
        .is_ok()
    );
}

#[test]
fn tails_of_chi_squared_are_scipys() {
    let all: Vec<(f64, usize, f64)> =
        serde_json::from_value(fixture()["chi_squared"].clone()).unwrap();
    for (x, df, want) in all {
        let got = chi_squared_above(x, df);
        assert!(
            (got / want - 1.0).abs() < 1e-11,
            "{x}, {df}: {got} is not {want}"
        );
    }
    assert!(chi_squared_above(f64::NAN, 2).is_nan() && chi_squared_above(1.0, 0).is_nan());
}

#[test]
fn runs_that_are_not_ticked_and_offsets_of_runs_do_not_count() {
    let table = of_script();
    let some = [true, false, true, true];
    let kept: Vec<usize> = (0..60).filter(|r| some[r / 15]).collect();
    let alone = told(&table.of_rows(&kept), &[true; 3]);
    assert_eq!(told(&table, &some).values, alone.values);
    let mut moved = table.fitted(&[]).unwrap().into_owned();
    for r in 15..30 {
        moved
            .row_mut(r)
            .iter_mut()
            .for_each(|v| *v = *v * 7.0 + 100.0);
    }
    let moved = table_of(table.rows.clone(), moved);
    assert_eq!(
        told(&moved, &[true; 4]).values,
        told(&table, &[true; 4]).values
    );
}

#[test]
fn features_without_ranks_have_no_mutual_information() {
    let mut values = noise(40, 8, 3);
    for r in 0..40 {
        values.row_mut(r)[2] = 1.5;
    }
    values.row_mut(7)[5] = f32::NAN;
    let table = table_of(balanced(4, 5, 2), values);
    let got = told(&table, &[true; 4]);
    for (c, (value, p)) in got.values.iter().zip(&got.p).enumerate() {
        assert_eq!(value.is_nan(), [2, 5].contains(&c), "{c}");
        assert_eq!(p.is_nan(), value.is_nan());
    }
}

/// p is not too small, permutations show what chance gives, and picking by it stays honest.
#[test]
fn noise_tells_nothing_beyond_chance() {
    let table = table_of(balanced(6, 10, 2), noise(120, 3000, 4));
    let got = told(&table, &[true; 6]);
    let share = got.p.iter().filter(|p| **p <= 0.05).count() as f64 / 3000.0;
    assert!((0.03..0.075).contains(&share), "{share}");
    let mean = got.values.iter().sum::<f32>() / 3000.0;
    assert!((mean - 2.16 / 120.0).abs() < 0.004, "{mean}");
    let by_chance = quietly(|run| null(&table, Statistic::MutualInformation, 40, 1, run)).unwrap();
    let of_chance = by_chance.values.iter().sum::<f32>() / by_chance.values.len() as f32;
    assert!((of_chance - mean).abs() < 0.002, "{of_chance} {mean}");

    let plan = EvaluationPlan {
        pick: PickPlan {
            statistic: Statistic::MutualInformation,
            ..PickPlan::default()
        },
        n_permutations: 0,
        ..EvaluationPlan::default()
    };
    let candidates = [Candidate {
        name: "",
        table: &table,
    }];
    let got = quietly(|run| evaluate(&candidates, None, &plan, run)).unwrap();
    let error = (0.25f64 / 120.0).sqrt();
    assert!((got.repicked.accuracy - 0.5).abs() < 3.0 * error);
    assert!(got.fixed.accuracy > 0.65, "{}", got.fixed.accuracy);
}

#[test]
fn many_classes_are_picked_by_mutual_information() {
    let rows = balanced(5, 4, 3);
    let mut values = noise(60, 200, 9);
    for (r, row) in rows.iter().enumerate() {
        for f in 0..6 {
            values.row_mut(r)[30 * f] += 2.0 * (f32::from(u8::from(row.class == f % 3)));
        }
    }
    let plan = EvaluationPlan {
        pick: PickPlan {
            n: 6,
            statistic: Statistic::MutualInformation,
            ..PickPlan::default()
        },
        n_permutations: 19,
        ..EvaluationPlan::default()
    };
    let table = table_of(rows, values);
    let candidates = [Candidate {
        name: "",
        table: &table,
    }];
    let got = quietly(|run| evaluate(&candidates, None, &plan, run)).unwrap();
    assert!(got.repicked.accuracy > 0.6, "{}", got.repicked.accuracy);
    assert_eq!(got.repicked.p, Some(0.05));
    let right = got
        .frequency
        .iter()
        .filter(|f| f.n_folds == 5 && f.column % 30 == 0);
    assert!(right.count() >= 4);
}
