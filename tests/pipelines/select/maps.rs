//! Maps from running sums against the statistics of whole columns, and picking from them.

use fusiform_pipelines::run::quietly;
use fusiform_pipelines::select::map::{map, prepare};
use fusiform_pipelines::select::pick::pick;
use fusiform_pipelines::select::{PickPlan, Sign, Statistic, Table};
use fusiform_pipelines::stats::{self, Measure, Variance};

use super::{balanced, noise, table_of};

fn assert_near(got: &[f32], want: &[f32], tolerance: f32) {
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let same = g.is_nan() && w.is_nan() || (g - w).abs() <= tolerance * w.abs().max(1.0);
        assert!(same, "feature {i}: {g} is not {w}");
    }
}

/// Some signal, some constant, some broken features, means far from 0.
fn table(n_classes: usize) -> Table {
    let rows = balanced(4, 3, n_classes);
    let mut values = noise(rows.len(), 30, 5);
    for (r, row) in rows.iter().enumerate() {
        for (f, value) in values.row_mut(r).iter_mut().enumerate() {
            *value += if f < 5 { 1.5 * row.class as f32 } else { 0.0 } + 20.0;
        }
        values.row_mut(r)[7] = 3.25;
    }
    values.row_mut(2)[9] = f32::NAN;
    values.row_mut(3)[11] = f32::INFINITY;
    table_of(rows, values)
}

fn rows_of(table: &Table, class: usize, ticked: &[bool]) -> Vec<usize> {
    let runs = table.runs();
    let is_ticked = |run: &String| ticked[runs.iter().position(|r| r == run).unwrap()];
    (0..table.n_rows())
        .filter(|&r| table.rows[r].class == class && is_ticked(&table.rows[r].run))
        .collect()
}

#[test]
fn maps_of_ticked_runs_equal_the_statistics_of_their_rows() {
    let table = table(2);
    let values = table.fitted(&[]).unwrap();
    quietly(|run| {
        let source = prepare(&table, true, run).unwrap();
        for ticked in [
            [true; 4],
            [true, false, true, true],
            [false, true, true, false],
        ] {
            let (a, b) = (rows_of(&table, 0, &ticked), rows_of(&table, 1, &ticked));
            for (statistic, measure) in [
                (Statistic::SignedR2, Measure::SignedR2),
                (Statistic::T, Measure::T(Variance::Separate)),
                (Statistic::DPrime, Measure::DPrime),
            ] {
                let got = map(&source, statistic, &ticked).unwrap();
                let want = stats::two_sample(&values, &a, &b, measure, run).unwrap();
                assert_near(&got.values, &want.values, 1e-4);
                let p = |p: &[f64]| p.iter().map(|p| *p as f32).collect::<Vec<f32>>();
                assert_near(&p(&got.p), &p(&want.p), 1e-4);
                assert_eq!(got.n, [a.len(), b.len()]);
            }
            let got = map(&source, Statistic::R2, &ticked).unwrap();
            let want = stats::anova(&values, &[&a, &b], run).unwrap();
            assert_near(&got.values, &want.eta_squared, 1e-4);
            // Feature 7 is constant; 9 and 11 are broken in the first run.
            for (broken, is_broken) in [(7, true), (9, ticked[0]), (11, ticked[0])] {
                assert_eq!(got.values[broken].is_nan(), is_broken);
                assert_eq!(got.q[broken].is_nan(), is_broken);
            }
        }
    });
}

#[test]
fn many_classes_have_an_eta_squared_and_no_sign() {
    let table = table(3);
    let values = table.fitted(&[]).unwrap();
    quietly(|run| {
        let source = prepare(&table, true, run).unwrap();
        let ticked = [true; 4];
        let groups: Vec<Vec<usize>> = (0..3).map(|c| rows_of(&table, c, &ticked)).collect();
        let groups: Vec<&[usize]> = groups.iter().map(Vec::as_slice).collect();
        let want = stats::anova(&values, &groups, run).unwrap();
        let got = map(&source, Statistic::R2, &ticked).unwrap();
        assert_near(&got.values, &want.eta_squared, 1e-4);
        let p = |p: &[f64]| p.iter().map(|p| *p as f32).collect::<Vec<f32>>();
        assert_near(&p(&got.p), &p(&want.p), 1e-4);
        for statistic in [Statistic::T, Statistic::Auc] {
            let error = map(&source, statistic, &ticked).unwrap_err().to_string();
            assert!(error.contains("two classes"), "{error}");
        }
    });
}

/// Within one run the stratified test is the ordinary one; over runs it is the mean over pairs of the same run.
#[test]
fn the_auc_ranks_within_runs() {
    let table = table(2);
    let values = table.fitted(&[]).unwrap();
    quietly(|run| {
        let source = prepare(&table, true, run).unwrap();
        let one = [false, true, false, false];
        let (a, b) = (rows_of(&table, 0, &one), rows_of(&table, 1, &one));
        let got = map(&source, Statistic::Auc, &one).unwrap();
        let want = stats::two_sample(&values, &a, &b, Measure::Auc, run).unwrap();
        assert_near(&got.values, &want.values, 1e-5);
        let p = |p: &[f64]| p.iter().map(|p| *p as f32).collect::<Vec<f32>>();
        assert_near(&p(&got.p), &p(&want.p), 1e-4);

        let all = map(&source, Statistic::Auc, &[true; 4]).unwrap();
        for f in 0..5 {
            let (mut wins, mut pairs) = (0.0, 0.0);
            for r in 0..4 {
                let mut only = [false; 4];
                only[r] = true;
                for a in rows_of(&table, 0, &only) {
                    for b in rows_of(&table, 1, &only) {
                        pairs += 1.0;
                        wins += f32::from(values.row(a)[f] > values.row(b)[f]);
                    }
                }
            }
            assert!((all.values[f] - wins / pairs).abs() < 1e-6);
        }
    });
}

#[test]
fn picked_features_are_apart_and_on_the_side_asked_for() {
    let table = table(2);
    let strengths: Vec<f32> = (0..30)
        .map(|f| {
            if f == 9 {
                f32::NAN
            } else {
                (30 - f) as f32 * if f % 2 == 0 { 1.0 } else { -1.0 }
            }
        })
        .collect();
    let plan = PickPlan {
        n: 4,
        statistic: Statistic::T,
        min_distance_mm: 0.0,
        ..PickPlan::default()
    };
    assert_eq!(pick(&table, &strengths, &plan), [0, 1, 2, 3]);
    // Voxels are 3 mm apart: 9 mm is three of them.
    let apart = PickPlan {
        min_distance_mm: 9.0,
        ..plan.clone()
    };
    assert_eq!(
        pick(&table, &strengths, &apart),
        [0, 3, 6, 10],
        "9 has no value"
    );
    let first = PickPlan {
        sign: Sign::First,
        ..plan.clone()
    };
    assert_eq!(pick(&table, &strengths, &first), [0, 2, 4, 6]);
    let second = PickPlan {
        sign: Sign::Second,
        ..plan.clone()
    };
    assert_eq!(pick(&table, &strengths, &second), [1, 3, 5, 7]);
    let all = PickPlan { n: 0, ..plan };
    assert_eq!(pick(&table, &strengths, &all).len(), 29);
}

#[test]
fn few_far_apart_are_found_among_many() {
    // The strongest thousand are neighbours: sorting a few must not be enough to stop.
    let rows = balanced(2, 2, 2);
    let table = table_of(rows, noise(8, 5000, 1));
    let strengths: Vec<f32> = (0..5000).map(|f| 1.0 / (1.0 + f as f32)).collect();
    let plan = PickPlan {
        n: 5,
        min_distance_mm: 2700.0,
        ..PickPlan::default()
    };
    assert_eq!(pick(&table, &strengths, &plan), [0, 900, 1800, 2700, 3600]);
}
