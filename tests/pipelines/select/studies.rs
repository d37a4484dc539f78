//! Published recordings and the demo study.

use std::path::Path;

use fusiform_pipelines::glm::TrialModel;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::select::extract::table;
use fusiform_pipelines::select::extraction::{RoiColumns, load};
use fusiform_pipelines::select::{
    Candidate, Contrast, Evaluation, EvaluationPlan, Extraction, FeatureKind, Source, SplitRule,
    Statistic, Table, Windows, evaluate, map,
};
use fusiform_pipelines::study::Study;
use fusiform_pipelines::study::demo::{self, DemoPlan};
use fusiform_pipelines::study::select::Query;

use crate::real_data;

fn open(path: &Path) -> Study {
    quietly(|run| Study::open(path, run)).unwrap()
}

fn haxby(path: &Path) -> (Study, Source) {
    let study = open(path);
    let query = Query {
        desc: Some("oneslice".into()),
        ..Query::default()
    };
    let source = quietly(|run| {
        let extraction = Extraction::usual(&study, &query, run)?;
        load(&study, &extraction, run)
    });
    (study, source.unwrap())
}

fn tabled(study: &Study, source: &Source, contrast: &Contrast, kind: FeatureKind) -> Table {
    let labels = contrast.label(&source.trials).unwrap();
    quietly(|run| table(study, source, &kind, &labels, run)).unwrap()
}

fn scored(table: &Table, plan: &EvaluationPlan) -> Evaluation {
    let candidates = [Candidate { name: "", table }];
    quietly(|run| evaluate(&candidates, None, plan, run)).unwrap()
}

/// Haxby et al. 2001, one slice of one subject, with everything left as it is by default.
#[test]
fn faces_and_houses_and_eight_categories_are_told_apart() {
    let Some(path) = real_data("haxby2001_sub001") else {
        return;
    };
    let (study, source) = haxby(&path);
    let plan = EvaluationPlan {
        n_permutations: 99,
        ..EvaluationPlan::default()
    };
    let two = Contrast::two("face", "house").unwrap();
    let got = scored(&tabled(&study, &source, &two, FeatureKind::Voxels), &plan);
    println!(
        "face against house: re-picked {:.3} (p {:.3}), fixed {:.3}; {}",
        got.repicked.accuracy,
        got.repicked.p.unwrap(),
        got.fixed.accuracy,
        got.split
    );
    assert_eq!((got.n_rows, got.chance), (16, 0.5));
    assert!(got.repicked.accuracy >= 0.9);
    assert!(got.optimistic.is_some());
    let all = Contrast::all(&source.trials).unwrap();
    let got = scored(&tabled(&study, &source, &all, FeatureKind::Voxels), &plan);
    println!(
        "eight categories: re-picked {:.3} (p {:.3}), fixed {:.3}",
        got.repicked.accuracy,
        got.repicked.p.unwrap(),
        got.fixed.accuracy
    );
    assert_eq!((got.n_rows, got.chance), (64, 0.125));
    assert!(got.repicked.accuracy >= 0.65);
    assert_eq!(got.repicked.p, Some(0.01));
}

/// Yamada et al. 2015: five shapes, each the same picture in every run. The lag, or the GLM, is chosen in every fold by
/// its training runs alone.
#[test]
fn shapes_are_told_apart_with_the_trial_model_chosen_on_training_runs() {
    let Some(path) = real_data("yamada2015_shapes") else {
        return;
    };
    let study = open(&path);
    let usual = quietly(|run| Extraction::usual(&study, &Query::default(), run)).unwrap();
    let mut models: Vec<TrialModel> = (0..4)
        .map(|lag_volumes| TrialModel::BlockMean { lag_volumes })
        .collect();
    models.push(TrialModel::LeastSquares);
    let tables: Vec<(String, Table)> = models
        .into_iter()
        .map(|model| {
            let name = format!("{model:?}");
            let mut extraction = usual.clone();
            extraction.betas.model = model;
            let source = quietly(|run| load(&study, &extraction, run)).unwrap();
            let all = Contrast::all(&source.trials).unwrap();
            (name, tabled(&study, &source, &all, FeatureKind::Voxels))
        })
        .collect();
    let candidates: Vec<Candidate<'_>> = tables
        .iter()
        .map(|(name, table)| Candidate { name, table })
        .collect();
    let mut plan = EvaluationPlan {
        n_permutations: 99,
        ..EvaluationPlan::default()
    };
    // By default nothing is done: there is no picture that training runs do not hold.
    let error = quietly(|run| evaluate(&candidates, None, &plan, run)).unwrap_err();
    assert!(error.to_string().contains("--split known"), "{error}");
    plan.split = SplitRule::RunsOfKnownStimuli;
    let got = quietly(|run| evaluate(&candidates, None, &plan, run)).unwrap();
    println!(
        "shapes: re-picked {:.3} (p {:.3}), chosen {:?}",
        got.repicked.accuracy,
        got.repicked.p.unwrap(),
        got.repicked
            .folds
            .iter()
            .map(|f| f.choice.clone().unwrap())
            .collect::<Vec<_>>()
    );
    assert_eq!((got.n_rows, got.chance), (40, 0.2));
    assert!(got.stimuli_shared);
    assert!(got.repicked.accuracy >= 0.9);
    assert_eq!(got.repicked.p, Some(0.01));
    assert!(got.repicked.folds.iter().all(|f| f.choice.is_some()));
}

/// Blocks of a block design have connections and power of their own; regions are made of the slice here.
#[test]
fn blocks_have_connections_and_power() {
    let Some(path) = real_data("haxby2001_sub001") else {
        return;
    };
    let (study, mut source) = haxby(&path);
    let n = source.betas.n_voxels();
    source.regions = (0..6)
        .map(|r| RoiColumns {
            name: format!("part {}", r + 1),
            columns: (r * n / 6..(r + 1) * n / 6).collect(),
            centre_mm: None,
        })
        .collect();
    let two = Contrast::two("face", "house").unwrap();
    let edges = tabled(&study, &source, &two, FeatureKind::FcEdges(Windows::Blocks));
    assert_eq!((edges.n_rows(), edges.n_features()), (16, 15));
    let said = edges.notes.join(" ");
    assert!(
        said.contains("n is 16 windows (8 of face, 8 of house), not trials"),
        "{said}"
    );
    let strength = tabled(
        &study,
        &source,
        &two,
        FeatureKind::FcNodeStrengths(Windows::Blocks),
    );
    assert_eq!((strength.n_rows(), strength.n_features()), (16, 6));
    // A node's strength is the mean of its edges' sizes.
    let (edges, strength) = (edges.fitted(&[]).unwrap(), strength.fitted(&[]).unwrap());
    let first: f32 = edges.row(3)[..5].iter().map(|z| z.abs()).sum::<f32>() / 5.0;
    assert!((strength.row(3)[0] - first).abs() < 1e-5);

    // 9 volumes of 2.5 s: one line every 0.044 Hz, up to 0.2 Hz.
    let power = tabled(&study, &source, &two, FeatureKind::BandPower);
    let bands: Vec<String> = power.columns[..2]
        .iter()
        .map(|c| c.feature.to_string())
        .collect();
    assert_eq!(bands, ["part 1 slow-4", "part 1 slow-3"]);
    assert_eq!((power.n_rows(), power.n_features()), (16, 12));
    assert!(
        power
            .fitted(&[])
            .unwrap()
            .values
            .iter()
            .all(|v| v.is_finite())
    );

    let labels = two.label(&source.trials).unwrap();
    let error = |kind| {
        quietly(|run| table(&study, &source, &kind, &labels, run))
            .unwrap_err()
            .to_string()
    };
    let few = error(FeatureKind::FcEdges(Windows::Trials(8)));
    assert!(few.contains("no run holds 8 trials"), "{few}");
    let no_cortex = error(FeatureKind::Vertices);
    assert!(no_cortex.contains("use voxels"), "{no_cortex}");
    source.regions.clear();
    let none = quietly(|run| table(&study, &source, &FeatureKind::RoiMeans, &labels, run));
    assert!(none.unwrap_err().to_string().contains("add an atlas"));
}

/// What each category area of the demo study was made to like.
const PREFERRED: [(&str, &[&str]); 5] = [
    ("face", &["OFA", "FFA"]),
    ("body", &["EBA"]),
    ("place", &["PPA", "OPA", "RSC"]),
    ("word", &["VWFA"]),
    ("food", &["FOOD"]),
];

#[test]
fn regions_of_the_demo_rank_as_they_were_made() {
    let study = demo::study(&DemoPlan::default());
    let query = Query {
        subject: Some(demo::FIRST_SUBJECT.into()),
        ..Query::default()
    };
    let source = quietly(|run| {
        let extraction = Extraction::usual(&study, &query, run)?;
        load(&study, &extraction, run)
    })
    .unwrap();
    let ranked = |a: &str, b: &str| -> Vec<String> {
        let contrast = Contrast::two(a, b).unwrap();
        let table = tabled(&study, &source, &contrast, FeatureKind::RoiMeans);
        let map = quietly(|run| {
            let maps = map::prepare(&table, false, run).unwrap();
            map::map(&maps, Statistic::T, &vec![true; maps.runs.len()]).unwrap()
        });
        let mut order: Vec<usize> = (0..table.n_features()).collect();
        order.sort_by(|&a, &b| map.values[b].total_cmp(&map.values[a]));
        order
            .iter()
            .map(|&c| table.regions[table.columns[c].region.unwrap()].clone())
            .collect()
    };
    for (category, areas) in PREFERRED {
        let order = ranked(category, &format!("condition!={category}"));
        println!("{category}: {}", order.join(" > "));
        let mut first: Vec<&str> = order[..areas.len()].iter().map(String::as_str).collect();
        let mut want = areas.to_vec();
        first.sort_unstable();
        want.sort_unstable();
        assert_eq!(first, want, "{category}");
    }

    // Every kind of features tells faces from places, from its training runs alone.
    let two = Contrast::two("face", "place").unwrap();
    let plan = EvaluationPlan {
        n_permutations: 0,
        ..EvaluationPlan::default()
    };
    for (kind, least) in [
        (FeatureKind::Voxels, 0.85),
        (FeatureKind::Vertices, 0.85),
        (FeatureKind::RoiMeans, 0.9),
        (FeatureKind::RoiPatterns { n_components: 2 }, 0.9),
    ] {
        let table = tabled(&study, &source, &two, kind);
        let got = scored(&table, &plan);
        println!(
            "{}: {:.3} of {} rows",
            kind.word(),
            got.repicked.accuracy,
            got.n_rows
        );
        assert!(got.repicked.accuracy > least, "{kind:?}");
        assert_eq!(got.n_rows, table.n_rows());
        assert!(got.split.contains("10 runs"));
    }
    let windows = tabled(
        &study,
        &source,
        &two,
        FeatureKind::FcEdges(Windows::Trials(8)),
    );
    assert_eq!(windows.n_features(), 13 * 12 / 2);
    assert!(windows.rows.iter().all(|row| row.trials.len() == 8));
}
