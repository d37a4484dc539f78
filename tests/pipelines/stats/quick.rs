//! The map that is made while trials are chosen sums in f32: it must be the tested one all the same, whatever the data.

use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::stats::{self, Measure, Variance};

use super::{map, noise};

const MEASURES: [Measure; 4] = [
    Measure::T(Variance::Pooled),
    Measure::T(Variance::Separate),
    Measure::SignedR2,
    Measure::DPrime,
];

fn quick(values: &Matrix, a: &[usize], b: &[usize], measure: Measure) -> Vec<f32> {
    quietly(|run| stats::map(values, a, b, measure, run)).unwrap()
}

/// Two-pass means and variances in f64: slow, and nothing can cancel.
fn oracle(values: &Matrix, a: &[usize], b: &[usize], measure: Measure, column: usize) -> f64 {
    let of = |rows: &[usize]| {
        let x: Vec<f64> = rows
            .iter()
            .map(|&r| f64::from(values.row(r)[column]))
            .collect();
        let n = x.len() as f64;
        let mean = x.iter().sum::<f64>() / n;
        let squares: f64 = x.iter().map(|v| (v - mean).powi(2)).sum();
        (n, mean, squares)
    };
    let ((n, mean, squares), (m, other, others)) = (of(a), of(b));
    let (difference, df) = (mean - other, n + m - 2.0);
    let pooled = difference / ((squares + others) / df * (1.0 / n + 1.0 / m)).sqrt();
    let (va, vb) = (squares / (n - 1.0), others / (m - 1.0));
    match measure {
        Measure::T(Variance::Pooled) | Measure::Auc => pooled,
        Measure::T(Variance::Separate) => difference / (va / n + vb / m).sqrt(),
        Measure::SignedR2 => pooled * pooled.abs() / (pooled * pooled + df),
        Measure::DPrime => difference / (0.5 * (va + vb)).sqrt(),
    }
}

/// Every column by the oracle, to `tolerance` of a value that is 1 or more.
fn assert_right(values: &Matrix, a: &[usize], b: &[usize], tolerance: f64) {
    for measure in MEASURES {
        let got = quick(values, a, b, measure);
        for (column, got) in got.iter().enumerate() {
            let want = oracle(values, a, b, measure, column);
            let off = (f64::from(*got) - want).abs() / want.abs().max(1.0);
            assert!(
                off < tolerance,
                "{measure:?}, column {column}: {got} is not {want}"
            );
        }
    }
}

fn every_other(n: usize) -> (Vec<usize>, Vec<usize>) {
    (0..n).partition(|row| row % 2 == 0)
}

/// Signal of many sizes, up to t of a few hundred.
fn data(n_rows: usize, n_cols: usize) -> Matrix {
    let mut values = noise(n_rows, n_cols, 8);
    for row in 0..n_rows {
        for (c, value) in values.row_mut(row).iter_mut().enumerate() {
            *value += 0.03 * (row % 2 * (c % 1000)) as f32;
        }
    }
    values
}

#[test]
fn a_quick_map_is_right_on_blocks_of_any_length() {
    // One column, less than a block, and several blocks with a remainder; rows that fill no sixteen.
    for n_cols in [1, 700, 5003] {
        for n_rows in [31, 64, 75] {
            let (a, b) = every_other(n_rows);
            assert_right(&data(n_rows, n_cols), &a, &b, 2e-6);
        }
    }
}

#[test]
fn huge_offsets_cost_a_quick_map_no_digits() {
    for offset in [1e4f32, -3e5, 2e6] {
        let mut values = data(48, 500);
        values.values.iter_mut().for_each(|v| *v += offset);
        let (a, b) = every_other(48);
        assert_right(&values, &a, &b, 1e-5);
    }
}

/// The first row of a group is what others are held against: one that is far from all others must not spoil them.
#[test]
fn an_outlier_in_the_first_row_costs_a_quick_map_no_digits() {
    // In few columns (summed again by themselves), and in all (the block is).
    for every in [200, 1] {
        for far in [1e3f32, 1e5, 1e12, 3e25] {
            let mut values = data(400, 600);
            for c in (0..600).step_by(every) {
                values.row_mut(0)[c] = far;
                values.row_mut(1)[c] = -far;
            }
            // Rows 0 and 1 themselves take part, and then the spread is theirs; without them it is that of the noise.
            let (a, b) = every_other(400);
            assert_right(&values, &a, &b, 1e-5);
        }
    }
}

#[test]
fn groups_of_two_and_of_one_value_have_the_maps_of_the_oracle() {
    let values = data(12, 90);
    for (a, b) in [
        (vec![0, 2], vec![1, 3]),
        (vec![4, 2], vec![1, 3, 5, 7, 9, 11]),
        (vec![0, 2, 4], vec![11, 1]),
    ] {
        assert_right(&values, &a, &b, 1e-4);
    }
    // One group that does not vary has a mean, and its t follows from the other's spread.
    let mut values = data(12, 90);
    for row in (0..12).step_by(2) {
        values.row_mut(row)[7] = 7.7;
    }
    let (a, b) = every_other(12);
    assert_right(&values, &a, &b, 2e-6);
}

#[test]
fn what_has_no_statistic_is_nan_in_the_quick_map_and_in_the_tested_one() {
    let mut values = data(75, 1500);
    for row in 0..75 {
        values.row_mut(row)[3] = 7.7;
        values.row_mut(row)[6] = 1e9;
        values.row_mut(row)[8] = if row % 2 == 0 { 0.1 } else { 0.3 };
    }
    values.row_mut(20)[4] = f32::NAN;
    values.row_mut(0)[9] = f32::NAN;
    values.row_mut(21)[5] = f32::INFINITY;
    values.row_mut(1)[10] = f32::NEG_INFINITY;
    let (a, b) = every_other(75);
    for measure in MEASURES {
        let want = map(&values, &a, &b, measure).values;
        let got = quick(&values, &a, &b, measure);
        for (c, (got, want)) in got.iter().zip(&want).enumerate() {
            assert_eq!(
                got.is_nan(),
                (3..=6).contains(&c) || (8..=10).contains(&c),
                "{measure:?} {c}"
            );
            assert_eq!(got.is_nan(), want.is_nan(), "{measure:?} {c}");
            assert!(got.is_nan() || (got - want).abs() < 1e-5 * want.abs().max(1.0));
        }
    }
    assert!(quietly(|run| stats::map(&values, &[0], &[1, 3], MEASURES[0], run)).is_err());
}

#[test]
fn a_quick_map_is_the_same_on_any_number_of_threads() {
    let (values, (a, b)) = (data(40, 9000), every_other(40));
    let on = |n: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(n)
            .build()
            .unwrap();
        pool.install(|| quick(&values, &a, &b, Measure::DPrime))
    };
    assert_eq!(on(1), on(3));
}
