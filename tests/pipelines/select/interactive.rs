//! What a window asks for while somebody looks: exchanged labels, whole clusters, attempts that last as long as it.

use fusiform_pipelines::run::quietly;
use fusiform_pipelines::select::cluster::cluster_of;
use fusiform_pipelines::select::history::{Entry, History, Outcome, Recipe};
use fusiform_pipelines::select::null::null;
use fusiform_pipelines::select::{
    Candidate, Column, Contrast, EvaluationPlan, Extraction, FeatureKind, FeatureRef, Statistic,
    Table, evaluate, map,
};
use fusiform_pipelines::surface::Hemisphere;

use super::{noise, row, table_of};

/// Eight runs of five rows a class; column 7 differs between classes.
fn planted() -> Table {
    let rows: Vec<_> = (0..80).map(|i| row(i % 2, i / 10, None)).collect();
    let mut values = noise(80, 300, 5);
    for r in (0..80).filter(|r| r % 2 == 0) {
        values.row_mut(r)[7] += 2.0;
    }
    table_of(rows, values)
}

#[test]
fn exchanged_labels_give_the_distribution_of_nothing() {
    let table = planted();
    let ticked = vec![true; 8];
    let found = |statistic| quietly(|run| null(&table, statistic, 200, 3, run)).unwrap();
    // R² of nothing is t² / (t² + 78) with 78 degrees of freedom; t at 0.975 is 1.9908 (R: qt(.975, 78)).
    let of_r2 = found(Statistic::R2);
    let want = 1.9908f32.powi(2) / (1.9908f32.powi(2) + 78.0);
    let got = of_r2.quantile(0.95).unwrap();
    assert!((got - want).abs() < 0.1 * want, "{got} {want}");
    // Of 299 features of noise the strongest is at about 1 − 0.05 / 299 two-sided: t = 3.92 (R: qt(1 - .025/299, 78)).
    let of_t = found(Statistic::T);
    let got = of_t.threshold(0.05).unwrap();
    assert!((3.5..4.4).contains(&got), "{got}");
    // What was planted lies beyond, and nothing else.
    let maps = quietly(|run| map::prepare(&table, true, run)).unwrap();
    let seen = map::map(&maps, Statistic::T, &ticked).unwrap();
    let beyond: Vec<usize> = (0..300).filter(|&c| seen.values[c].abs() > got).collect();
    assert_eq!(beyond, [7]);
    // Half is nothing to the AUC.
    let of_auc = found(Statistic::Auc);
    let middle = of_auc.values[of_auc.values.len() / 2];
    assert!((middle - 0.5).abs() < 0.02, "{middle}");
}

#[test]
fn a_cluster_ends_where_nothing_is_shown() {
    let table = planted();
    let shown: Vec<bool> = (0..300).map(|c| (10..14).contains(&c) || c == 15).collect();
    let none = |_: Hemisphere| Vec::new();
    assert_eq!(cluster_of(&table, &shown, 12, &none), [10, 11, 12, 13]);
    assert_eq!(cluster_of(&table, &shown, 15, &none), [15]);
    assert!(cluster_of(&table, &shown, 14, &none).is_empty());

    // Two triangles that share an edge, and one apart.
    let vertex = |index| Column {
        feature: FeatureRef::Vertex {
            hemisphere: Hemisphere::Left,
            index,
        },
        world_mm: None,
        region: None,
    };
    let rows = planted().rows;
    let columns = (0..7).map(vertex).collect();
    let classes = vec!["a".into(), "b".into()];
    let sheet = fusiform_pipelines::select::table::made(
        FeatureKind::Vertices,
        classes,
        rows,
        columns,
        noise(80, 7, 2),
    )
    .unwrap();
    let triangles = |_: Hemisphere| vec![[0, 1, 2], [1, 2, 3], [4, 5, 6]];
    let all = vec![true; 7];
    assert_eq!(cluster_of(&sheet, &all, 0, &triangles), [0, 1, 2, 3]);
    let without_bridge = vec![true, false, false, true, true, true, true];
    assert_eq!(cluster_of(&sheet, &without_bridge, 0, &triangles), [0]);
}

#[test]
fn attempts_last_as_long_as_their_history_and_keep_what_was_shown() {
    let table = planted();
    let plan = EvaluationPlan {
        n_permutations: 0,
        ..EvaluationPlan::default()
    };
    let candidate = Candidate {
        name: "voxels",
        table: &table,
    };
    let evaluation = quietly(|run| evaluate(&[candidate], None, &plan, run)).unwrap();
    let entry = || Entry {
        time: "2026-11-25T10:00:00Z".into(),
        seconds: 1.0,
        note: String::new(),
        parent: None,
        recipe: Recipe {
            study: "demo".into(),
            extractions: vec![Extraction::default()],
            contrast: Contrast::two("a", "b").unwrap(),
            kind: FeatureKind::Voxels,
            plan: plan.clone(),
            basket: None,
            data: table.data.clone(),
        },
        outcome: Outcome::from(&evaluation),
    };
    let view = serde_json::json!({ "zoom": 2.0 });
    let mut memory = History::in_memory();
    assert_eq!(
        memory
            .append_shown(entry(), Some(view.clone()), false)
            .unwrap(),
        1
    );
    assert!(
        memory.append(entry(), false).is_err(),
        "a repeat is refused"
    );
    assert_eq!(memory.reopened().unwrap().attempts, memory.attempts);

    let folder = tempfile::tempdir().unwrap();
    let mut on_disk = History::open(&folder.path().join("new/attempts.jsonl")).unwrap();
    on_disk
        .append_shown(entry(), Some(view.clone()), false)
        .unwrap();
    let again = on_disk.reopened().unwrap();
    assert_eq!(again.attempts[0].view, Some(view));
    assert_eq!(again.attempts[0].outcome, memory.attempts[0].outcome);
}
