//! What is done to responses before they are told apart: scaling, smoothing, averaging, components.

use std::sync::Arc;

use fusiform_pipelines::betas::{Betas, Columns};
use fusiform_pipelines::mask::Mask;
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::select::extract::table;
use fusiform_pipelines::select::extraction::{RoiColumns, load};
use fusiform_pipelines::select::{
    Averaging, Contrast, Extraction, FeatureKind, Scale, Source, Table,
};
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::study::{ReadyBetas, Study, Subject};
use glam::{DAffine3, DVec3};

use super::{noise, trial};

const SIDE: usize = 9;

/// Two runs of two sessions, eight trials each, on a grid of 2 mm voxels.
fn study(values: Matrix) -> Study {
    let grid = Grid {
        shape: [SIDE; 3],
        world_from_voxel: DAffine3::from_scale(DVec3::splat(2.0)),
    };
    let n = values.n_cols;
    let trials = (0..values.n_rows).map(|i| {
        let run = if i < values.n_rows / 2 { "01" } else { "02" };
        let mut trial = trial(run, ["a", "b"][i % 2], Some(&format!("{run}-{}", i % 4)));
        trial.session = format!("s{run}");
        trial
    });
    let betas = Betas {
        trials: trials.collect(),
        values,
        columns: Columns::Voxels(Mask::new(grid, |v| v < n)),
        method: "made up".into(),
    };
    Study {
        subjects: vec![Subject {
            id: "1".into(),
            betas: Some(ReadyBetas::Memory(Arc::new(betas))),
            ..Subject::default()
        }],
        ..Study::default()
    }
}

pub(super) fn loaded(values: &Matrix, extraction: &Extraction) -> Source {
    quietly(|run| load(&study(values.clone()), extraction, run)).unwrap()
}

fn tabled(source: &Source, kind: FeatureKind) -> Table {
    let labels = Contrast::two("a", "b")
        .unwrap()
        .label(&source.trials)
        .unwrap();
    quietly(|run| table(&Study::default(), source, &kind, &labels, run)).unwrap()
}

#[test]
fn voxels_are_scaled_over_what_was_asked_for() {
    let mut values = noise(16, 5, 1);
    for r in 8..16 {
        values
            .row_mut(r)
            .iter_mut()
            .for_each(|v| *v = 3.0 * *v + 10.0);
    }
    let of = |scale| {
        let extraction = Extraction {
            scale,
            ..Extraction::default()
        };
        loaded(&values, &extraction).betas.values
    };
    assert_eq!(of(Scale::None), values);
    let by_run = of(Scale::Run);
    assert_eq!(by_run, of(Scale::Session), "each session has one run");
    for run in 0..2 {
        for c in 0..5 {
            let column: Vec<f32> = (8 * run..8 * run + 8).map(|r| by_run.row(r)[c]).collect();
            let mean = column.iter().sum::<f32>() / 8.0;
            let variance = column.iter().map(|v| v * v).sum::<f32>() / 8.0;
            assert!(mean.abs() < 1e-5 && (variance - 1.0).abs() < 1e-4);
        }
    }
}

#[test]
fn ids_tell_settings_and_data_apart() {
    let values = noise(16, 5, 1);
    let plain = loaded(&values, &Extraction::default());
    assert_eq!(plain.id, loaded(&values, &Extraction::default()).id);
    let other = Extraction {
        averaging: Averaging::Classes,
        ..Extraction::default()
    };
    assert_ne!(plain.id, loaded(&values, &other).id);
    let mut changed = values.clone();
    changed.row_mut(3)[2] += 1e-3;
    assert_ne!(plain.data, loaded(&changed, &Extraction::default()).data);
}

#[test]
fn smoothing_is_a_gaussian_of_that_width_and_keeps_a_constant() {
    let n = SIDE * SIDE * SIDE;
    let mut values = Matrix::zeros(8, n);
    let middle = |d: usize| 4 + d + SIDE * (4 + SIDE * 4);
    values.row_mut(0)[middle(0)] = 1.0;
    values.row_mut(1).fill(2.5);
    let extraction = Extraction {
        scale: Scale::None,
        smoothing_fwhm_mm: 4.0,
        ..Extraction::default()
    };
    let smooth = loaded(&values, &extraction).betas.values;
    let at = |d| smooth.row(0)[middle(d)];
    // Two millimetres away, one voxel, is half the width: half the height.
    assert!((at(1) / at(0) - 0.5).abs() < 1e-3, "{}", at(1) / at(0));
    assert!((at(2) / at(0) - 0.0625).abs() < 1e-3);
    assert!(smooth.row(1).iter().all(|v| (v - 2.5).abs() < 1e-5));
    // What was spread is all there where no border is near: the sum of the map stays about 1.
    assert!((smooth.row(0).iter().sum::<f32>() - 1.0).abs() < 0.02);
}

#[test]
fn trials_are_averaged_within_runs_and_classes() {
    let values = noise(16, 5, 1);
    let of = |averaging| {
        let extraction = Extraction {
            scale: Scale::None,
            averaging,
            ..Extraction::default()
        };
        tabled(&loaded(&values, &extraction), FeatureKind::Voxels)
    };
    assert_eq!(of(Averaging::None).n_rows(), 16);
    let stimuli = of(Averaging::Stimuli);
    assert_eq!(stimuli.n_rows(), 8, "four stimuli a run, each twice");
    assert_eq!(stimuli.rows[0].trials, [0, 4]);
    let mean = 0.5 * (values.row(0)[3] + values.row(4)[3]);
    assert!((stimuli.fitted(&[]).unwrap().row(0)[3] - mean).abs() < 1e-6);
    let classes = of(Averaging::Classes);
    assert_eq!(classes.n_rows(), 4);
    assert_eq!(classes.rows[1].trials, [1, 3, 5, 7]);
    assert_eq!(classes.rows[1].stimuli, ["01-1", "01-3"]);
}

/// Components are those of the training rows, whatever the held-out rows hold.
#[test]
fn components_know_nothing_of_held_out_rows() {
    let values = noise(16, 12, 1);
    let kind = FeatureKind::RoiPatterns { n_components: 3 };
    let patterns = |values: &Matrix| {
        let extraction = Extraction {
            scale: Scale::None,
            ..Extraction::default()
        };
        let mut source = loaded(values, &extraction);
        source.regions = vec![
            RoiColumns {
                name: "one".into(),
                columns: (0..8).collect(),
                centre_mm: None,
            },
            RoiColumns {
                name: "small".into(),
                columns: vec![8, 9],
                centre_mm: None,
            },
        ];
        tabled(&source, kind)
    };
    let table = patterns(&values);
    assert_eq!(
        table.n_features(),
        5,
        "a region of two voxels has two components"
    );
    let train: Vec<usize> = (0..12).collect();
    let scores = table.fitted(&train).unwrap().into_owned();
    // Over the training rows: no mean, no correlation, falling variance that sums to that of the voxels.
    let product = |a: usize, b: usize| -> f64 {
        train
            .iter()
            .map(|&r| f64::from(scores.row(r)[a] * scores.row(r)[b]))
            .sum()
    };
    assert!(product(0, 0) > product(1, 1) && product(1, 1) > product(2, 2));
    assert!(product(0, 1).abs() < 1e-4 * product(0, 0));
    let total: f64 = (8..10)
        .map(|c| {
            let column: Vec<f64> = train.iter().map(|&r| f64::from(values.row(r)[c])).collect();
            let mean = column.iter().sum::<f64>() / 12.0;
            column.iter().map(|v| (v - mean).powi(2)).sum::<f64>()
        })
        .sum();
    assert!((product(3, 3) + product(4, 4) - total).abs() < 1e-4 * total);

    let mut changed = values.clone();
    changed
        .row_mut(14)
        .iter_mut()
        .for_each(|v| *v = 100.0 * *v + 7.0);
    let other = patterns(&changed).fitted(&train).unwrap().into_owned();
    for &r in &train {
        assert_eq!(other.row(r), scores.row(r));
    }
    assert_ne!(other.row(14), scores.row(14));
}
