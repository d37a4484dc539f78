//! The history: an attempt comes back as it was, a repeat is refused, a torn file is no loss.

use std::io::Write;

use fusiform_pipelines::run::quietly;
use fusiform_pipelines::select::history::{Entry, History, Outcome, Recipe};
use fusiform_pipelines::select::{
    Candidate, Contrast, Evaluation, EvaluationPlan, Extraction, FeatureKind, Table, evaluate,
};

use super::{balanced, noise, table_of};

fn table() -> Table {
    table_of(balanced(4, 4, 2), noise(32, 60, 9))
}

fn scored(plan: &EvaluationPlan) -> Evaluation {
    let table = table();
    let candidates = [Candidate {
        name: "voxels",
        table: &table,
    }];
    quietly(|run| evaluate(&candidates, None, plan, run)).unwrap()
}

fn recipe(plan: &EvaluationPlan) -> Recipe {
    Recipe {
        study: "made up".into(),
        extractions: vec![Extraction::default()],
        contrast: Contrast::two("a", "caption~b & run!=02").unwrap(),
        kind: FeatureKind::Voxels,
        plan: plan.clone(),
        basket: None,
        data: table().data,
    }
}

fn entry(plan: &EvaluationPlan) -> Entry {
    Entry {
        time: "2026-11-25T10:00:00Z".into(),
        seconds: 0.5,
        note: "first, with a \"quote\", and a comma".into(),
        parent: None,
        recipe: recipe(plan),
        outcome: Outcome::from(&scored(plan)),
    }
}

fn plan(seed: u64) -> EvaluationPlan {
    EvaluationPlan {
        n_permutations: 19,
        seed,
        ..EvaluationPlan::default()
    }
}

#[test]
fn an_attempt_is_restored_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let mut history = History::open(&path).unwrap();
    let id = history.append(entry(&plan(1)), false).unwrap();
    let again = History::open(&path).unwrap();
    assert_eq!(again.attempts, history.attempts);
    let stored = again.attempt(id).unwrap();
    assert_eq!(stored.recipe, recipe(&plan(1)));
    // The scores follow from the recipe and the data alone.
    let repeated = Outcome::from(&scored(&stored.recipe.plan));
    assert_eq!(stored.outcome, repeated);
    assert!(
        again
            .attempt(7)
            .unwrap_err()
            .to_string()
            .contains("no attempt 7")
    );
}

#[test]
fn an_exact_repeat_is_refused_unless_forced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let mut history = History::open(&path).unwrap();
    assert_eq!(history.append(entry(&plan(1)), false).unwrap(), 1);
    let error = history
        .append(entry(&plan(1)), false)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("attempt 1") && error.contains("--force"),
        "{error}"
    );
    assert_eq!(
        history.append(entry(&plan(2)), false).unwrap(),
        2,
        "another seed is another attempt"
    );
    let mut child = entry(&plan(1));
    child.parent = Some(1);
    assert_eq!(history.append(child, true).unwrap(), 3);
    assert_eq!(History::open(&path).unwrap().attempts[2].parent, Some(1));
}

/// Whatever differs in a recipe makes another key.
#[test]
fn the_key_is_of_everything() {
    let base = recipe(&plan(1));
    let mut others = vec![base.clone(); 7];
    others[0].contrast = Contrast::two("a", "b").unwrap();
    others[1].kind = FeatureKind::RoiMeans;
    others[2].plan.pick.n = 21;
    others[3].plan.model = fusiform_pipelines::select::Model::Svm { c: 1.0 };
    others[4].extractions[0].smoothing_fwhm_mm = 5.0;
    others[5].data = "other".into();
    others[6].plan.n_permutations = 20;
    let mut keys: Vec<String> = others.iter().map(|r| r.key().unwrap()).collect();
    keys.push(base.key().unwrap());
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 8);
    assert_eq!(base.key().unwrap(), recipe(&plan(1)).key().unwrap());
}

#[test]
fn a_torn_line_costs_itself_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("history.jsonl");
    let mut history = History::open(&path).unwrap();
    history.append(entry(&plan(1)), false).unwrap();
    history.append(entry(&plan(2)), false).unwrap();
    // Power goes while the second line is written.
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 40]).unwrap();
    let mut torn = History::open(&path).unwrap();
    assert_eq!((torn.attempts.len(), torn.damaged.len()), (1, 1));
    assert!(torn.damaged[0].contains("line 2"));
    torn.append(entry(&plan(3)), false).unwrap();
    let after = History::open(&path).unwrap();
    assert_eq!(after.attempts.len(), 2);
    assert_eq!(after.attempts[1].recipe.plan.seed, 3);
    // Bytes that are no text at all.
    let mut file = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .unwrap();
    file.write_all(&[0xff, 0xfe, b'\n']).unwrap();
    assert_eq!(History::open(&path).unwrap().attempts.len(), 2);
}

#[test]
fn attempts_are_exported() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut history = History::open(&at("history.jsonl")).unwrap();
    history.append(entry(&plan(1)), false).unwrap();
    history.export_table(&at("h.csv")).unwrap();
    history.export_table(&at("h.tsv")).unwrap();
    history.export_json(&at("h.json")).unwrap();
    let csv = fusiform_pipelines::io::table::read(&at("h.csv")).unwrap();
    let tsv = fusiform_pipelines::io::table::read(&at("h.tsv")).unwrap();
    let note = csv.column("note").unwrap();
    assert_eq!(csv.rows[0][note], "first, with a \"quote\", and a comma");
    assert_eq!(csv.columns, tsv.columns);
    let json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(at("h.json")).unwrap()).unwrap();
    assert_eq!(json[0]["id"], 1);
}
