//! The table of trials as tab-separated text, for a spreadsheet.

use fusiform_pipelines::decode::{Decoded, DecodedTrial};

const HEADINGS: [&str; 10] = [
    "trial",
    "run",
    "stimulus",
    "condition",
    "named",
    "pixcorr",
    "ssim",
    "two_way",
    "rank",
    "candidates",
];

/// Trials in an order; what a trial lacks is `n/a`.
pub(super) fn of(decoded: &Decoded, order: &[usize]) -> String {
    let trials = order.iter().filter_map(|&n| decoded.trials.get(n));
    let mut text = HEADINGS.join("\t");
    text.push('\n');
    for trial in trials {
        text.push_str(&cells(trial).join("\t"));
        text.push('\n');
    }
    text
}

fn cells(trial: &DecodedTrial) -> [String; 10] {
    let number = |value: Option<f64>| value.map_or_else(none, |v| format!("{v}"));
    let count = |value: Option<usize>| value.map_or_else(none, |v| format!("{v}"));
    let words = |value: Option<&str>| value.map_or_else(none, |v| v.replace(['\t', '\n'], " "));
    [
        format!("{}", trial.trial + 1),
        words(Some(&trial.fold)),
        words(trial.stimulus_id.as_deref()),
        words(Some(&trial.condition)),
        words(trial.predicted_condition.as_deref()),
        number(trial.pixcorr),
        number(trial.ssim),
        number(trial.two_way),
        count(trial.retrieval_rank),
        count(trial.n_candidates),
    ]
}

fn none() -> String {
    "n/a".to_owned()
}
