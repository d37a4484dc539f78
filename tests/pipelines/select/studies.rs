//! Published recordings and the demo study.

use std::path::Path;

use fusiform_pipelines::run::quietly;
use fusiform_pipelines::select::extract::table;
use fusiform_pipelines::select::extraction::load;
use fusiform_pipelines::select::{
    Candidate, Contrast, Evaluation, EvaluationPlan, Extraction, FeatureKind, Source, Table,
    evaluate,
};
use fusiform_pipelines::study::Study;
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
