//! What is found in the maps, in numbers.

use serde_json::{Map, Value, json};

use super::{GlmContext, hrf, noise, units};
use crate::glm::first_level::{Answer, FirstLevel};
use crate::io::table::Table;
use crate::stats::{fdr, tails};

/// The false discovery rate of tables.
const RATE: f64 = 0.05;

/// What `--json` prints.
pub fn glm_metrics(context: &GlmContext<'_>, level: &FirstLevel) -> Map<String, Value> {
    let contrasts: Vec<Value> = level
        .answers
        .iter()
        .map(|answer| {
            let found = Found::of(answer, context.threshold);
            json!({
                "name": answer.question.name, "contrast": answer.question.text,
                "statistic": if answer.question.is_f() { "F" } else { "t" },
                "df": answer.tested.df.1, "n_runs": answer.runs.len(), "runs": answer.runs,
                "max_z": found.highest, "min_z": found.lowest, "threshold_z": found.threshold,
                "n_above": found.n_above, "n_below": found.n_below,
            })
        })
        .collect();
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
    put("study", json!(context.study));
    put("subject", json!(context.subject.id));
    put("n_runs", json!(level.runs.len()));
    put("n_voxels", json!(level.mask.len()));
    put("n_voxels_constant", json!(level.n_constant));
    put("n_voxels_not_finite", json!(level.n_not_finite));
    put("hrf", json!(hrf(&context.plan)));
    put("noise", json!(noise(context.plan.noise)));
    put("drift", json!(context.plan.design.drift.to_string()));
    put("confounds", json!(context.plan.design.confounds));
    put("slice_time_ref", json!(context.plan.design.slice_time_ref));
    put("units", json!(units(level.units)));
    put("assumptions", json!(level.assumptions));
    put("contrasts", json!(contrasts));
    out
}

/// What a z map holds beyond a threshold.
pub(super) struct Found {
    pub(super) threshold: f64,
    highest: f32,
    lowest: f32,
    n_above: usize,
    n_below: usize,
}

impl Found {
    /// Without a threshold, the smallest |z| that is among the discoveries at a false discovery rate of 0.05 (two
    /// sided; F: one-sided); infinite when there are none.
    pub(super) fn of(answer: &Answer, threshold: Option<f64>) -> Self {
        let z = &answer.tested.z;
        let threshold = threshold.unwrap_or_else(|| {
            let p: Vec<f64> = match answer.question.is_f() {
                true => answer.tested.p.clone(),
                false => z
                    .iter()
                    .map(|z| tails::two_sided_normal(f64::from(*z)))
                    .collect(),
            };
            fdr::discoveries(&p, RATE)
                .into_iter()
                .zip(z)
                .filter(|(found, _)| *found)
                .map(|(_, z)| f64::from(z.abs()))
                .fold(f64::INFINITY, f64::min)
        });
        let above = |z: &&f32| f64::from(**z) >= threshold;
        let below = |z: &&f32| !answer.question.is_f() && f64::from(**z) <= -threshold;
        let finite = || z.iter().copied().filter(|z| z.is_finite());
        Self {
            threshold,
            highest: finite().fold(f32::NEG_INFINITY, f32::max),
            lowest: finite().fold(f32::INFINITY, f32::min),
            n_above: z.iter().filter(above).count(),
            n_below: z.iter().filter(below).count(),
        }
    }
}

/// One row a contrast.
pub(super) fn contrasts(context: &GlmContext<'_>, level: &FirstLevel) -> Table {
    let columns = [
        "name",
        "contrast",
        "statistic",
        "df",
        "n_runs",
        "max_z",
        "min_z",
        "threshold_z",
        "n_above",
        "n_below",
    ];
    let rows = level.answers.iter().map(|answer| {
        let found = Found::of(answer, context.threshold);
        let number = |v: f64| match v.is_finite() {
            true => format!("{v:.4}"),
            false => "n/a".to_owned(),
        };
        vec![
            answer.question.name.clone(),
            answer.question.text.clone(),
            if answer.question.is_f() { "F" } else { "t" }.to_owned(),
            format!("{}", answer.tested.df.1),
            answer.runs.len().to_string(),
            number(f64::from(found.highest)),
            number(f64::from(found.lowest)),
            number(found.threshold),
            found.n_above.to_string(),
            found.n_below.to_string(),
        ]
    });
    Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}
