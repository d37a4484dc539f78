//! Voxels, means of regions and connections in one table and one basket.

use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::select::extract::table;
use fusiform_pipelines::select::extraction::RoiColumns;
use fusiform_pipelines::select::{
    Averaging, Basket, Candidate, Contrast, EvaluationPlan, Extraction, FeatureKind, FeatureRef,
    Mix, Scale, Source, Table, Windows, evaluate,
};
use fusiform_pipelines::study::Study;

use super::extracted::loaded;
use super::noise;

/// Two runs of 48 trials, two classes in turn, 40 voxels; five regions of eight. Regions 1 and 2 go together in class a
/// alone, and voxel 39 has more in class a.
fn source(averaging: Averaging) -> Source {
    let mut values = noise(96, 40, 11);
    let shared = noise(96, 1, 12);
    for r in 0..96 {
        let is_a = r % 2 == 0;
        if is_a {
            for c in 0..16 {
                values.row_mut(r)[c] += 3.0 * shared.row(r)[0];
            }
            values.row_mut(r)[39] += 1.5;
        }
    }
    let extraction = Extraction {
        scale: Scale::None,
        averaging,
        ..Extraction::default()
    };
    let mut source = loaded(&values, &extraction);
    source.regions = (0..5)
        .map(|r| RoiColumns {
            name: format!("region {}", r + 1),
            columns: (8 * r..8 * (r + 1)).collect(),
            centre_mm: None,
        })
        .collect();
    source
}

fn tabled(source: &Source, kind: FeatureKind) -> Table {
    let labels = Contrast::two("a", "b")
        .unwrap()
        .label(&source.trials)
        .unwrap();
    quietly(|run| table(&Study::default(), source, &kind, &labels, run)).unwrap()
}

fn mixed(kinds: &[FeatureKind]) -> FeatureKind {
    FeatureKind::Mixed(Mix::of(kinds).unwrap())
}

fn values(table: &Table) -> Matrix {
    table.fitted(&[]).unwrap().into_owned()
}

const WINDOWS: Windows = Windows::Trials(6);

#[test]
fn kinds_of_single_trials_stand_beside_each_other() {
    for averaging in [Averaging::None, Averaging::Stimuli] {
        let source = source(averaging);
        let voxels = tabled(&source, FeatureKind::Voxels);
        let means = tabled(&source, FeatureKind::RoiMeans);
        let both = tabled(
            &source,
            mixed(&[FeatureKind::RoiMeans, FeatureKind::Voxels]),
        );
        assert_eq!(both.kind.word(), "voxels+rois");
        assert_eq!(both.kind.row_is(), "trial");
        assert_eq!(both.rows, voxels.rows);
        assert_eq!(both.n_features(), 45);
        let (both, voxels, means) = (values(&both), values(&voxels), values(&means));
        for r in 0..both.n_rows {
            assert_eq!(&both.row(r)[..40], voxels.row(r));
            assert_eq!(&both.row(r)[40..], means.row(r));
        }
    }
}

#[test]
fn beside_connections_voxels_are_means_over_the_trials_of_a_window() {
    let source = source(Averaging::None);
    let edges = tabled(&source, FeatureKind::FcEdges(WINDOWS));
    let kinds = [
        FeatureKind::Voxels,
        FeatureKind::RoiMeans,
        FeatureKind::FcEdges(WINDOWS),
        FeatureKind::FcNodeStrengths(WINDOWS),
    ];
    let all = tabled(&source, mixed(&kinds));
    assert_eq!(all.kind.row_is(), "window");
    assert_eq!(all.rows, edges.rows);
    assert_eq!((all.n_rows(), all.n_features()), (16, 40 + 5 + 10 + 5));
    let of_all = values(&all);
    for (r, row) in all.rows.iter().enumerate() {
        assert_eq!(row.trials.len(), 6);
        for c in [0, 17, 39] {
            let trials = row.trials.iter();
            let mean = trials.map(|&t| source.betas.values.row(t)[c]).sum::<f32>() / 6.0;
            assert!((of_all.row(r)[c] - mean).abs() < 1e-6);
        }
        assert_eq!(&of_all.row(r)[45..55], values(&edges).row(r));
    }
    let said = all.notes.join(" ");
    assert!(
        said.contains("averaged over its trials") && said.contains("n is 16 windows"),
        "{said}"
    );

    // One basket of three kinds is scored; without one, what is picked may be of any.
    let basket = Basket {
        features: vec![
            FeatureRef::Voxel { ijk: [3, 4, 0] },
            FeatureRef::RoiMean {
                roi: "region 5".into(),
            },
            FeatureRef::FcEdge {
                a: "region 1".into(),
                b: "region 2".into(),
            },
        ],
        seen_runs: Vec::new(),
    };
    let plan = EvaluationPlan {
        n_permutations: 0,
        ..EvaluationPlan::default()
    };
    let candidates = [Candidate {
        name: "",
        table: &all,
    }];
    let got = quietly(|run| evaluate(&candidates, Some(&basket), &plan, run)).unwrap();
    assert_eq!(got.basket, basket);
    assert!(got.fixed.accuracy >= 0.75, "{}", got.fixed.accuracy);
    assert_eq!(got.n_rows, 16);
}

#[test]
fn what_cannot_be_mixed_is_said() {
    let patterns = FeatureKind::RoiPatterns { n_components: 2 };
    let error = Mix::of(&[FeatureKind::Voxels, patterns])
        .unwrap_err()
        .to_string();
    assert!(error.contains("fitted anew in every fold"), "{error}");
    let error = Mix::of(&[FeatureKind::Voxels, FeatureKind::Voxels])
        .unwrap_err()
        .to_string();
    assert!(error.contains("two different kinds"), "{error}");
    let source = source(Averaging::None);
    let labels = Contrast::two("a", "b")
        .unwrap()
        .label(&source.trials)
        .unwrap();
    let nothing = FeatureKind::Mixed(Mix::default());
    let refused = quietly(|run| table(&Study::default(), &source, &nothing, &labels, run));
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("choose two kinds")
    );
}

#[test]
fn a_mix_survives_being_written() {
    let kind = mixed(&[
        FeatureKind::Voxels,
        FeatureKind::FcEdges(Windows::Blocks),
        FeatureKind::BandPower,
    ]);
    let text = serde_json::to_string(&kind).unwrap();
    assert_eq!(serde_json::from_str::<FeatureKind>(&text).unwrap(), kind);
    assert_eq!(kind.word(), "voxels+fc+power");
}
