//! What `select` prints for people.

use fusiform_pipelines::report::Selected;
use fusiform_pipelines::select::{RunCount, Scored};

use super::Comparison;

/// The two scores and what belongs to them.
pub(super) fn summary(
    selected: &Selected<'_>,
    counts: &[RunCount],
    compared: &[Comparison],
) -> String {
    let evaluation = selected.evaluation;
    let mut text = format!("{}\n", classes(selected, counts));
    text += &format!(
        "{:28}{:>9}{:>9}{:>9}{:>9}{:>9}\n",
        "", "accuracy", "balanced", "AUC", "chance", "p"
    );
    let line = |name: &str, scored: &Scored, badge: bool| {
        let or_dash =
            |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.3}"));
        format!(
            "{name:28}{:>9.3}{:>9.3}{:>9}{:>9.3}{:>9}{}\n",
            scored.accuracy,
            scored.balanced_accuracy,
            or_dash(scored.auc),
            evaluation.chance,
            or_dash(scored.p),
            if badge { "  ← optimistic" } else { "" }
        )
    };
    text += &line("re-picked in every fold", &evaluation.repicked, false);
    text += &line(
        "fixed basket",
        &evaluation.fixed,
        evaluation.optimistic.is_some(),
    );
    if let Some(why) = &evaluation.optimistic {
        text += &format!("  {why}\n");
    }
    for (name, accuracy, difference) in compared {
        let p = if difference.p.is_finite() {
            format!("p = {:.3}", difference.p)
        } else {
            "no spread over folds".to_owned()
        };
        text += &format!(
            "{:28}{accuracy:>9.3}   {} ahead by {:+.3} a fold ({p}, corrected resampled t, {} folds)\n",
            format!("{name}, re-picked"),
            selected.table.kind.word(),
            difference.mean,
            difference.differences.len()
        );
    }
    let choices: Vec<String> = evaluation
        .repicked
        .folds
        .iter()
        .filter_map(|f| Some(format!("{}: {}", f.label, f.choice.as_ref()?)))
        .collect();
    if !choices.is_empty() {
        text += &format!("chosen by training runs: {}\n", choices.join("; "));
    }
    text += &format!(
        "{}\n{} {}s, {} {}, {} picked, {}, {} permutations, {:.1} s",
        evaluation.split,
        evaluation.n_rows,
        selected.table.kind.row_is(),
        selected.table.n_features(),
        selected.table.kind.word(),
        evaluation.basket.features.len(),
        selected.plan.model.name(),
        evaluation.null.len(),
        selected.seconds
    );
    text
}

/// Classes with their counts, and whether all runs have as many.
fn classes(selected: &Selected<'_>, counts: &[RunCount]) -> String {
    let names: Vec<String> = selected
        .evaluation
        .classes
        .iter()
        .enumerate()
        .map(|(class, name)| {
            let n: Vec<usize> = counts.iter().map(|c| c.n[class]).collect();
            let total: usize = n.iter().sum();
            let (least, most) = (n.iter().min(), n.iter().max());
            match (least, most) {
                (Some(least), Some(most)) if least == most => {
                    format!("{name} ({total} trials, {least} a run)")
                }
                (Some(least), Some(most)) => {
                    format!("{name} ({total} trials, {least} to {most} a run)")
                }
                _ => name.clone(),
            }
        })
        .collect();
    names.join(" against ")
}
