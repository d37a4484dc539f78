//! The flat object of `metrics.json` and `--json`.

use serde_json::{Map, Value, json};

use super::Selected;
use crate::select::{FoldScore, Scored};

/// The two scores with their companions, flat, in snake_case; fractions, not percent. What does not exist is left out.
pub fn select_metrics(selected: &Selected<'_>) -> Map<String, Value> {
    let (evaluation, plan, table) = (selected.evaluation, selected.plan, selected.table);
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            out.insert(name.to_owned(), value);
        }
    };
    let mut of = |way: &str, scored: &Scored| {
        put(&format!("accuracy_{way}"), json!(scored.accuracy));
        put(
            &format!("balanced_accuracy_{way}"),
            json!(scored.balanced_accuracy),
        );
        put(&format!("auc_{way}"), json!(scored.auc));
        let accuracies: Vec<f64> = scored.folds.iter().map(FoldScore::accuracy).collect();
        put(&format!("fold_accuracies_{way}"), json!(accuracies));
    };
    of("repicked", &evaluation.repicked);
    of("fixed", &evaluation.fixed);
    put("accuracy_chance", json!(evaluation.chance));
    put(
        "balanced_accuracy_chance",
        json!(evaluation.chance_balanced),
    );
    let n = evaluation.null.len() as f64;
    if n > 1.0 {
        let mean = evaluation.null.iter().sum::<f64>() / n;
        let squares: f64 = evaluation.null.iter().map(|v| (v - mean).powi(2)).sum();
        put("accuracy_shuffled", json!(mean));
        put("accuracy_shuffled_sd", json!((squares / (n - 1.0)).sqrt()));
    }
    put("p", json!(evaluation.repicked.p));
    put("p_fixed", json!(evaluation.fixed.p));
    put(
        "fixed_is_optimistic",
        json!(evaluation.optimistic.is_some()),
    );
    put("fixed_why_optimistic", json!(evaluation.optimistic));
    put("study", json!(selected.study));
    put("subject", json!(selected.subject));
    put("classes", json!(evaluation.classes));
    put("class_counts", json!(table.class_counts()));
    put("n_rows", json!(evaluation.n_rows));
    put("row_is", json!(table.kind.row_is()));
    let n_trials: usize = table.rows.iter().map(|row| row.trials.len()).sum();
    put("n_trials", json!(n_trials));
    put("n_runs", json!(table.runs().len()));
    put("features", json!(table.kind.word()));
    put("n_features", json!(table.n_features()));
    put("n_picked", json!(evaluation.basket.features.len()));
    let picked: Vec<String> = evaluation
        .basket
        .features
        .iter()
        .map(ToString::to_string)
        .collect();
    if picked.len() <= 100 {
        put("picked", json!(picked));
    }
    let choices: Vec<&String> = evaluation
        .repicked
        .folds
        .iter()
        .filter_map(|f| f.choice.as_ref())
        .collect();
    if !choices.is_empty() {
        put("choices", json!(choices));
    }
    put("statistic", json!(plan.pick.statistic));
    put(
        "n_q_below_5_percent",
        json!(selected.map.q.iter().filter(|q| **q <= 0.05).count()),
    );
    put(
        "map_threshold_anywhere",
        json!(selected.null.threshold(0.05)),
    );
    put("top", json!(plan.pick.n));
    put("min_distance_mm", json!(plan.pick.min_distance_mm));
    put("one_per_region", json!(plan.pick.one_per_region));
    put("search", json!(plan.search));
    put("model", json!(plan.model.name()));
    put("split", json!(evaluation.split));
    put("n_folds", json!(evaluation.repicked.folds.len()));
    put("stimuli_seen_in_training", json!(evaluation.stimuli_shared));
    put("n_permutations", json!(evaluation.null.len()));
    put("n_labellings", json!(evaluation.n_labellings));
    put("seed", json!(plan.seed));
    put("seconds", json!(selected.seconds));
    put("extraction", json!(table.extraction));
    put("data", json!(table.data));
    put("notes", json!(evaluation.notes));
    out
}
