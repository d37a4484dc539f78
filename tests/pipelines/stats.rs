//! Statistics against numpy, scipy and scikit-learn, against exact enumeration, and on what makes them fail.
//!
//! `fixtures/stats.py` made the constants in `fixtures/stats.json`; its `made` is repeated here.

#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail by panicking, as the test does"
)]

use std::sync::{Arc, Mutex};

use fusiform_pipelines::betas::Trial;
use fusiform_pipelines::clusters::Connectivity;
use fusiform_pipelines::mask::Mask;
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::run::{CancelToken, Event, Run, Stop, quietly};
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::stats::neighbours::Neighbours;
use fusiform_pipelines::stats::permute::{self, Exchange, Permuted, Plan, Tail};
use fusiform_pipelines::stats::{
    Measure, StatMap, Variance, anova, ceiling, contrast, fdr, reliability, roi, tails, two_sample,
};
use fusiform_pipelines::surface::Surface;
use fusiform_pipelines::volume::{Atlas, Region};
use glam::{DAffine3, Vec3};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;

use crate::linear::{assert_close, made_at};

mod permutations;
mod planted;
mod quick;

fn fixture(name: &str) -> Vec<f64> {
    serde_json::from_value(json(name)).unwrap()
}

fn json(name: &str) -> serde_json::Value {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/stats.json")).unwrap();
    all.get(name).unwrap().clone()
}

fn matrix(n_cols: usize, values: impl Iterator<Item = f64>) -> Matrix {
    let values: Vec<f32> = values.map(|v| v as f32).collect();
    Matrix::from_values(values.len() / n_cols, n_cols, values).unwrap()
}

fn made(n_rows: usize, n_cols: usize, seed: f64) -> Vec<f64> {
    (0..n_rows * n_cols)
        .map(|i| f64::from(made_at(i, seed) as f32))
        .collect()
}

fn noise(n_rows: usize, n_cols: usize, seed: u64) -> Matrix {
    let mut random = StdRng::seed_from_u64(seed);
    let values = (0..n_rows * n_cols).map(|_| random.sample::<f32, _>(StandardNormal));
    Matrix::from_values(n_rows, n_cols, values.collect()).unwrap()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

const N_A: usize = 11;
const N_B: usize = 17;

/// The two samples of the script: its first 11 trials against the other 17.
fn samples() -> (Matrix, Vec<usize>, Vec<usize>) {
    let values = made(N_A + N_B, 9, 3.0).into_iter().enumerate();
    let values = values.map(|(i, v)| {
        let shift = (0.4 * (i % 9) as f64 - 0.8) as f32;
        if i / 9 < N_A { v + f64::from(shift) } else { v }
    });
    let rows = |range: std::ops::Range<usize>| range.collect();
    (matrix(9, values), rows(0..N_A), rows(N_A..N_A + N_B))
}

fn map(values: &Matrix, a: &[usize], b: &[usize], measure: Measure) -> StatMap {
    quietly(|run| two_sample(values, a, b, measure, run)).unwrap()
}

/// p values agree in their leading digits, however small.
fn assert_same_p(got: &[f64], want: &[f64], relative: f64) {
    assert_eq!(got.len(), want.len());
    for (g, w) in got.iter().zip(want) {
        assert!((g - w).abs() <= relative * w, "{g} is not {w}");
    }
}

#[test]
fn t_is_scipys() {
    let (values, a, b) = samples();
    for (name, variance) in [("pooled", Variance::Pooled), ("welch", Variance::Separate)] {
        let found = map(&values, &a, &b, Measure::T(variance));
        let wanted = fixture(&format!("t_{name}"));
        assert_close(&wide(&found.values), &wanted, 2e-6);
        assert_same_p(&found.p, &fixture(&format!("p_{name}")), 1e-10);
        let by_contrast =
            quietly(|run| contrast(&values, &[&a, &b], &[1.0, -1.0], variance, run)).unwrap();
        assert_close(&wide(&by_contrast.t), &wanted, 2e-6);
        assert_close(
            &wide(&by_contrast.df),
            &fixture(&format!("df_{name}")),
            2e-6,
        );
        for (greater, (t, p)) in found
            .p_greater()
            .iter()
            .zip(found.values.iter().zip(&found.p))
        {
            assert_eq!(*greater < 0.5, *t > 0.0);
            assert!((greater.min(1.0 - greater) - 0.5 * p).abs() < 1e-12);
        }
    }
}

#[test]
fn signed_r2_and_d_prime_are_numpys() {
    let (values, a, b) = samples();
    let r2 = map(&values, &a, &b, Measure::SignedR2);
    assert_close(&wide(&r2.values), &fixture("signed_r2"), 1e-7);
    assert_same_p(&r2.p, &fixture("p_pooled"), 1e-10);
    let d = map(&values, &a, &b, Measure::DPrime);
    assert_close(&wide(&d.values), &fixture("d_prime"), 1e-6);
}

#[test]
fn the_area_under_the_curve_is_scikit_learns_with_ties_and_without() {
    let (values, a, b) = samples();
    // Half to even, as numpy rounds; zeros of both signs are one value.
    let coarse = values
        .values
        .iter()
        .map(|v| f64::from(v * 3.0).round_ties_even());
    let coarse = matrix(9, coarse);
    assert!(
        coarse
            .values
            .iter()
            .any(|v| *v == 0.0 && v.is_sign_negative())
    );
    for (name, values) in [("", &values), ("_ties", &coarse)] {
        let found = map(values, &a, &b, Measure::Auc);
        assert_close(&wide(&found.values), &fixture(&format!("auc{name}")), 1e-7);
        assert_same_p(&found.p, &fixture(&format!("auc{name}_p")), 1e-9);
    }
}

#[test]
fn contrasts_and_f_are_least_squares() {
    let (values, ..) = samples();
    let groups: Vec<Vec<usize>> = (0..3)
        .map(|g| (0..values.n_rows).filter(|r| r % 3 == g).collect())
        .collect();
    let groups: Vec<&[usize]> = groups.iter().map(Vec::as_slice).collect();
    let weights = [1.0, -0.25, -0.75];
    let found = quietly(|run| contrast(&values, &groups, &weights, Variance::Pooled, run)).unwrap();
    assert_close(&wide(&found.effect), &fixture("contrast"), 1e-6);
    assert_close(&wide(&found.t), &fixture("contrast_t"), 2e-6);
    let found = quietly(|run| anova(&values, &groups, run)).unwrap();
    assert_close(&wide(&found.f), &fixture("f"), 2e-6);
    assert_same_p(&found.p, &fixture("f_p"), 1e-10);
    for (f, eta) in found.f.iter().zip(&found.eta_squared) {
        let expected = 2.0 * f / (2.0 * f + 25.0);
        assert!((eta - expected).abs() < 1e-6);
    }
}

#[test]
fn tails_are_scipys_however_far_out() {
    let rows = |name: &str| -> Vec<Vec<f64>> { serde_json::from_value(json(name)).unwrap() };
    let close = |got: f64, want: f64, at: &[f64]| {
        // Below the smallest f64 both are 0 or next to it.
        let near = (got - want).abs() <= 1e-8 * want || (got < 1e-290 && want < 1e-290);
        assert!(near, "{got} is not {want} at {at:?}");
    };
    for row in rows("tail_t") {
        close(tails::two_sided_t(row[0], row[1]), row[2], &row);
        close(tails::two_sided_t(-row[0], row[1]), row[2], &row);
    }
    for row in rows("tail_f") {
        close(tails::f_above(row[0], row[1], row[2]), row[3], &row);
    }
    for row in rows("tail_z") {
        close(tails::two_sided_normal(row[0]), row[1], &row);
    }
    assert!(tails::two_sided_t(f64::NAN, 3.0).is_nan());
    assert!(tails::two_sided_t(1.0, 0.0).is_nan());
    assert_eq!(tails::two_sided_t(f64::INFINITY, 3.0), 0.0);
}

#[test]
fn false_discovery_rates_are_scipys_and_leave_out_what_was_not_tested() {
    let p = fixture("fdr_p");
    let q = fixture("fdr_q");
    assert_close(&fdr::q_values(&p), &q, 1e-12);
    let with_gaps: Vec<f64> = p.iter().flat_map(|p| [*p, f64::NAN]).collect();
    let found = fdr::q_values(&with_gaps);
    assert!(found.iter().skip(1).step_by(2).all(|q| q.is_nan()));
    let kept: Vec<f64> = found.iter().copied().step_by(2).collect();
    assert_close(&kept, &q, 1e-12);
    let n = fdr::discoveries(&with_gaps, 0.1)
        .iter()
        .filter(|d| **d)
        .count();
    assert_eq!(n, q.iter().filter(|q| **q <= 0.1).count());
    assert!(fdr::q_values(&[]).is_empty());
}

/// The betas of the script: 3 repeats of 12 images, 6 voxels.
fn repeated() -> (Matrix, Vec<Vec<usize>>) {
    let signal = made(12, 6, 13.0);
    let values = made(36, 6, 11.0).into_iter().enumerate();
    let values = values.map(|(i, v)| v + signal[i % 72] * (i % 6) as f64);
    let repeats = (0..12).map(|image| vec![image, image + 12, image + 24]);
    (matrix(6, values), repeats.collect())
}

#[test]
fn ceilings_are_those_of_nsd_and_of_the_encoding_literature() {
    let (values, repeats) = repeated();
    let all: Vec<usize> = (0..36).collect();
    let found = quietly(|run| ceiling::noise_ceiling(&values, &repeats, &all, run)).unwrap();
    assert_close(
        &wide(&found.noise_variance),
        &fixture("noise_variance"),
        1e-6,
    );
    assert_close(
        &wide(&found.signal_variance),
        &fixture("signal_variance"),
        1e-6,
    );
    assert_close(&wide(&found.ncsnr), &fixture("ncsnr"), 1e-5);
    assert_close(&wide(&found.share(&[3; 5])), &fixture("ceiling_3"), 1e-6);
    let [raw, corrected] = [false, true].map(|corrected| {
        quietly(|run| ceiling::explainable_variance(&values, &repeats, corrected, run)).unwrap()
    });
    assert_close(&wide(&raw), &fixture("ev"), 1e-6);
    assert_close(&wide(&corrected), &fixture("ev_corrected"), 1e-6);
    // One core: the ceiling of a mean of n repeats is Spearman and Brown's of that of one.
    let one = found.share(&[1]);
    for (one, three) in one.iter().zip(found.share(&[3])) {
        assert!((reliability::spearman_brown(*one, 3.0) - three).abs() < 1e-5);
    }
    // Of 1 and 3 repeats: the mean of 1 and 1/3 takes the place of 1/n.
    for (snr, share) in found.ncsnr.iter().zip(found.share(&[1, 3])) {
        assert!((snr * snr / (snr * snr + 2.0 / 3.0) - share).abs() < 1e-5);
    }
    let shares = ceiling::normalised(&[0.1, 0.1, 0.1], &[0.2, 0.01, f32::NAN], 0.05);
    assert_eq!(shares[0], 0.5);
    assert!(shares[1].is_nan() && shares[2].is_nan());
}

#[test]
fn both_ceilings_estimate_what_was_planted() {
    // 400 images of 3 repeats, signal variance 0.25 on noise of 1: a fifth of a trial can be explained.
    let (n, p) = (400, 300);
    let (signal, mut values) = (noise(n, p, 1), noise(3 * n, p, 2));
    for row in 0..3 * n {
        let signal = signal.row(row % n);
        let row = values.row_mut(row).iter_mut().zip(signal);
        row.for_each(|(value, signal)| *value += 0.5 * signal);
    }
    let repeats: Vec<Vec<usize>> = (0..n).map(|i| vec![i, i + n, i + 2 * n]).collect();
    let all: Vec<usize> = (0..3 * n).collect();
    let median = |values: &[f32]| {
        quietly(|_| roi::summaries(values, &[&(0..p).collect::<Vec<_>>()])).unwrap()[0].median
    };
    let found = quietly(|run| ceiling::noise_ceiling(&values, &repeats, &all, run)).unwrap();
    let nsd = median(&found.share(&[1]));
    let ev = quietly(|run| ceiling::explainable_variance(&values, &repeats, true, run)).unwrap();
    let r = quietly(|run| reliability::repeat_correlation(&values, &repeats, run)).unwrap();
    for (name, value) in [("ncsnr", nsd), ("EV", median(&ev)), ("r", median(&r))] {
        assert!((value - 0.2).abs() < 0.01, "{name}: {value}");
    }
}

#[test]
fn reliability_is_numpys() {
    let (values, repeats) = repeated();
    let half = quietly(|run| reliability::split_half(&values, &repeats, run)).unwrap();
    assert_close(&wide(&half), &fixture("split_half"), 1e-6);
    let pairs = quietly(|run| reliability::repeat_correlation(&values, &repeats, run)).unwrap();
    assert_close(&wide(&pairs), &fixture("repeat_correlation"), 1e-6);
}

fn trial(run: &str, stimulus: Option<&str>) -> Trial {
    Trial {
        subject: "01".into(),
        session: String::new(),
        run: run.into(),
        onset_secs: 0.0,
        duration_secs: 2.0,
        condition: "any".into(),
        stimulus: stimulus.map(Into::into),
        repeat: 0,
    }
}

#[test]
fn repeats_are_rows_of_one_stimulus() {
    let trials = [
        trial("1", Some("b")),
        trial("1", Some("a")),
        trial("1", None),
        trial("2", Some("b")),
        trial("2", None),
        trial("2", Some("c")),
    ];
    assert_eq!(reliability::repeats(&trials), [vec![0, 3]]);
}

#[test]
fn clusters_are_scipys_by_every_connectivity() {
    let values = made(1, 7 * 6 * 5, 19.0);
    let grid = Grid {
        shape: [7, 6, 5],
        world_from_voxel: DAffine3::IDENTITY,
    };
    for (name, connectivity) in [
        ("faces", Connectivity::Faces),
        ("edges", Connectivity::Edges),
        ("corners", Connectivity::Corners),
    ] {
        let neighbours = Neighbours::of_voxels(&Mask::new(grid.clone(), |_| true), connectivity);
        let whole = neighbours.clusters(|v| values[v] > 0.45);
        let mut sizes: Vec<f64> = whole.iter().map(|p| p.len() as f64).collect();
        sizes.sort_by(|a, b| b.total_cmp(a));
        assert_eq!(sizes, fixture(&format!("clusters_{name}")));
        // The same voxels as a mask of their own.
        let mask = Mask::new(grid.clone(), |v| values[v] > 0.45);
        let alone = Neighbours::of_voxels(&mask, connectivity).clusters(|_| true);
        let voxels = |cluster: &Vec<usize>| -> Vec<usize> {
            cluster.iter().map(|&c| mask.voxels()[c] as usize).collect()
        };
        assert_eq!(alone.iter().map(voxels).collect::<Vec<_>>(), whole);
    }
}

#[test]
fn clusters_of_a_surface_follow_its_edges_and_have_its_area() {
    // Two squares of 2 mm that share no vertex, the second far away.
    let square = |x: f32| {
        [(0.0, 0.0), (2.0, 0.0), (0.0, 2.0), (2.0, 2.0)].map(|(u, v)| Vec3::new(x + u, v, 0.0))
    };
    let surface = Surface {
        vertices: [square(0.0), square(9.0)].concat().into(),
        triangles: vec![[0, 1, 2], [1, 3, 2], [4, 5, 6], [5, 7, 6]].into(),
        hemisphere: None,
        assumptions: Vec::new(),
    };
    let neighbours = Neighbours::of_vertices(&surface).unwrap();
    assert_eq!(neighbours.around(1), [0, 2, 3]);
    let clusters = neighbours.clusters(|_| true);
    assert_eq!(clusters, [vec![0, 1, 2, 3], vec![4, 5, 6, 7]]);
    assert!((neighbours.extent(&clusters[1]) - 4.0).abs() < 1e-6);
    // 0 and 3 are across a diagonal that is no edge.
    assert_eq!(neighbours.clusters(|v| v == 0 || v == 3).len(), 2);
    let broken = Surface {
        triangles: vec![[0, 1, 8]].into(),
        ..surface
    };
    assert!(Neighbours::of_vertices(&broken).is_err());
}

#[test]
fn regions_are_tested_as_voxels_are() {
    let grid = Grid {
        shape: [4, 1, 1],
        world_from_voxel: DAffine3::IDENTITY,
    };
    let region = |key: i32, name: &str| Region {
        key,
        name: name.into(),
        colour: [0; 3],
    };
    let atlas = Atlas {
        grid: grid.clone(),
        keys: Arc::new([2, 1, 2, 0]),
        regions: vec![region(2, "two"), region(1, "one"), region(5, "absent")],
    };
    let mask = Mask::new(grid, |_| true);
    let found = roi::columns_of(&mask, &atlas).unwrap();
    let names: Vec<(&str, &[usize])> = found
        .iter()
        .map(|(region, columns)| (region.name.as_str(), columns.as_slice()))
        .collect();
    assert_eq!(names, [("one", [1].as_slice()), ("two", &[0, 2])]);
    let regions: Vec<&[usize]> = found.iter().map(|r| r.1.as_slice()).collect();
    let mut values = matrix(4, (0..12).map(f64::from));
    let means = quietly(|run| roi::means(&values, &regions, run)).unwrap();
    assert_eq!(means.values, [1.0, 1.0, 5.0, 5.0, 9.0, 9.0]);
    // A voxel that is lost in one trial is left out of all.
    values.values[4] = f32::NAN;
    values.values[1] = f32::INFINITY;
    let means = quietly(|run| roi::means(&values, &regions, run)).unwrap();
    let [lost, kept] = [0, 1].map(|r| means.rows().map(|row| row[r]).collect::<Vec<_>>());
    assert!(lost.iter().all(|v| v.is_nan()));
    assert_eq!(kept, [2.0, 6.0, 10.0]);

    let map = [1.0, f32::NAN, 4.0, 2.0];
    let both = roi::summaries(&map, &[&[0, 1, 2, 3], &[1]]).unwrap();
    assert_eq!((both[0].n_voxels, both[0].n_values), (4, 3));
    assert_eq!(
        (both[0].least, both[0].median, both[0].most),
        (1.0, 2.0, 4.0)
    );
    assert!((both[0].sd - (7.0f32 / 3.0).sqrt()).abs() < 1e-6);
    assert!(both[1].mean.is_nan() && both[1].median.is_nan() && both[1].n_values == 0);
    assert!(roi::summaries(&map, &[&[4]]).is_err());
}

#[test]
fn voxels_without_a_statistic_are_nan_and_harm_no_other() {
    let (clean, a, b) = samples();
    let mut values = clean.clone();
    for row in 0..values.n_rows {
        let row_values = values.row_mut(row);
        row_values[1] = 7.3;
        row_values[4] = if row < N_A { 0.1 } else { 0.7 };
        if row == 20 {
            row_values[2] = f32::NAN;
            row_values[3] = f32::INFINITY;
        }
    }
    let measures = [
        Measure::T(Variance::Pooled),
        Measure::T(Variance::Separate),
        Measure::SignedR2,
        Measure::DPrime,
        Measure::Auc,
    ];
    for measure in measures {
        let (found, without) = (map(&values, &a, &b, measure), map(&clean, &a, &b, measure));
        for c in 0..values.n_cols {
            // Ranks need no variance within the sets: a perfect separation is an AUC of 0.
            let lost = matches!(c, 1..=3) || (c == 4 && measure != Measure::Auc);
            assert_eq!(found.values[c].is_nan(), lost, "{measure:?}, voxel {c}");
            assert_eq!(found.p[c].is_nan(), lost, "{measure:?}, voxel {c}");
            if !lost && c != 4 {
                assert_eq!(found.values[c], without.values[c]);
            }
        }
    }
    let repeats: Vec<Vec<usize>> = (0..9).map(|i| vec![i, i + 9, i + 18]).collect();
    let all: Vec<usize> = (0..27).collect();
    let ceiling = quietly(|run| ceiling::noise_ceiling(&values, &repeats, &all, run)).unwrap();
    let ev = quietly(|run| ceiling::explainable_variance(&values, &repeats, true, run)).unwrap();
    let half = quietly(|run| reliability::split_half(&values, &repeats, run)).unwrap();
    for map in [
        &ceiling.ncsnr,
        &ceiling.noise_variance,
        &ceiling.share(&[3]),
        &ev,
    ] {
        for (c, value) in map.iter().enumerate() {
            assert_eq!(value.is_nan(), matches!(c, 1..=3), "voxel {c}: {value}");
        }
    }
    assert!(half[1].is_nan() && !half[0].is_nan());
}

#[test]
fn impossible_questions_are_refused_in_a_sentence() {
    let (values, a, b) = samples();
    let refused = |found: Result<StatMap, Stop>| match found {
        Err(Stop::Failed(error)) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    };
    let ask = |a: &[usize], b: &[usize], measure| {
        refused(quietly(|run| two_sample(&values, a, b, measure, run)))
    };
    for measure in [Measure::Auc, Measure::T(Variance::Pooled)] {
        assert!(ask(&a, &[], measure).contains("at least 2"));
        assert!(ask(&a, &[20, 99], measure).contains("there are 28"));
        assert!(ask(&a, &[3, 20], measure).contains("two of the compared groups"));
    }
    let unequal = [vec![0, 1], vec![2, 3, 4]];
    let refused = quietly(|run| ceiling::explainable_variance(&values, &unequal, true, run));
    assert!(refused.unwrap_err().to_string().contains("equally many"));
    let none: [Vec<usize>; 0] = [];
    assert!(quietly(|run| ceiling::noise_ceiling(&values, &none, &a, run)).is_err());
    assert!(quietly(|run| reliability::split_half(&values, &none, run)).is_err());
    assert!(quietly(|run| reliability::repeat_correlation(&values, &none, run)).is_err());
    assert!(quietly(|run| anova(&values, &[&a], run)).is_err());
    let cancel = CancelToken::default();
    cancel.cancel();
    let stopped = two_sample(&values, &a, &b, Measure::Auc, &Run::new(&|_| {}, &cancel));
    assert!(matches!(stopped, Err(Stop::Cancelled)));
    // No voxels are no error.
    let empty = Matrix::zeros(28, 0);
    assert!(map(&empty, &a, &b, Measure::Auc).values.is_empty());
    assert!(map(&empty, &a, &b, Measure::DPrime).values.is_empty());
}
