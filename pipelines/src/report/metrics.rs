//! The flat object of `metrics.json` and `--json`.

use serde_json::{Map, Value, json};

use crate::betas::Betas;
use crate::decode::{Code, Decoded, Score};
use crate::report::ReportContext;

/// The scores and where they come from, flat, in snake_case; fractions, not percent. Scores that
/// do not exist and controls that were not run are left out.
pub fn metrics(context: &ReportContext, betas: &Betas, decoded: &Decoded) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            out.insert(name.to_owned(), value);
        }
    };
    let scores = &decoded.scores;
    let named: [(&str, &str, Option<Score>); 5] = [
        ("accuracy", "accuracy", scores.accuracy),
        ("pixcorr", "pixcorr", scores.pixcorr),
        ("ssim", "ssim", scores.ssim),
        ("two_way", "two_way", scores.two_way),
        ("retrieval_top1", "retrieval", scores.retrieval_top1),
    ];
    for (name, prefix, score) in named {
        let Some(score) = score else { continue };
        // A number that is not finite becomes null in JSON, and is left out.
        put(name, json!(score.value));
        put(&format!("{prefix}_chance"), json!(score.chance));
        put(&format!("{prefix}_shuffled"), json!(score.shuffled));
        put(&format!("{prefix}_shuffled_sd"), json!(score.shuffled_sd));
        put(
            &format!("{prefix}_p"),
            if score.shuffled.is_finite() {
                json!(score.p)
            } else {
                Value::Null
            },
        );
    }
    put("study", json!(context.study));
    put("subject", json!(context.subject));
    put("n_trials", json!(decoded.trials.len()));
    put("n_voxels", json!(betas.n_voxels()));
    put("n_runs", json!(betas.runs().len()));
    put("n_conditions", json!(decoded.conditions.len()));
    put("n_candidates", n_candidates(decoded));
    put("n_shuffles", json!(context.plan.n_shuffles));
    put("split", json!(decoded.split));
    put(
        "stimuli_seen_in_training",
        json!(decoded.stimuli_seen_in_training),
    );
    put("seed", json!(context.plan.seed));
    put("device", json!(decoded.device));
    put("seconds", json!(decoded.seconds));
    put("code", json!(code(context.plan.code)));
    put(
        "alphas",
        json!(
            decoded
                .alphas
                .iter()
                .filter(|a| a.is_finite())
                .collect::<Vec<_>>()
        ),
    );
    put("method", json!(betas.method));
    put("warnings", json!(decoded.warnings));
    out
}

/// The number of candidates, the mean where it differs from trial to trial.
fn n_candidates(decoded: &Decoded) -> Value {
    let counts: Vec<usize> = decoded
        .trials
        .iter()
        .filter_map(|t| t.n_candidates)
        .collect();
    match counts.first() {
        None => Value::Null,
        Some(first) if counts.iter().all(|c| c == first) => json!(first),
        Some(_) => json!(counts.iter().sum::<usize>() as f64 / counts.len() as f64),
    }
}

/// The code in words.
pub(super) fn code(code: Code) -> String {
    match code {
        Code::Pixels { side } => format!("{side} × {side} pixels"),
        Code::Components { n, side } => {
            format!(
                "up to {n} principal components of the training pictures at {side} × {side} pixels"
            )
        }
    }
}
