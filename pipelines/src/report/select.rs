//! A selection of features as files: maps, tables, figures, the basket.

mod edges;
mod features;
mod folds;
mod metrics;
mod scores;

use std::path::{Path, PathBuf};

use plotters::prelude::RGBColor;

use crate::Result;
use crate::io::table::Table as Text;
use crate::mask::Mask;
use crate::report::written::Written;
use crate::run::{Run, Stop};
use crate::select::null::Null;
use crate::select::{Column, Evaluation, EvaluationPlan, FeatureKind, FeatureRef, Map, Table};
use crate::study::Entities;
use crate::study::derivative::{self, About};
use crate::surface::{Hemisphere, VertexMap};

pub use metrics::select_metrics;

const PALE_BLUE: RGBColor = RGBColor(165, 194, 224);
const PALE_ORANGE: RGBColor = RGBColor(246, 211, 164);
/// What plotters sets vertically centred text too high by, at the sizes used here.
const DROP: i32 = 2;

/// What a selection gave, and what it says about itself.
#[derive(Clone, Copy, Debug)]
pub struct Selected<'a> {
    /// The study's name.
    pub study: &'a str,
    /// The subject's id.
    pub subject: &'a str,
    /// What the runs have in common, for the names of maps.
    pub entities: &'a Entities,
    /// The table that maps and the basket are of.
    pub table: &'a Table,
    /// The grid of its voxels, when it has one.
    pub mask: Option<&'a Mask>,
    /// Vertices of each hemisphere, when there are surfaces.
    pub n_vertices: &'a [(Hemisphere, usize)],
    /// The map over all runs.
    pub map: &'a Map,
    /// What chance makes of the map.
    pub null: &'a Null,
    /// The plan.
    pub plan: &'a EvaluationPlan,
    /// The scores.
    pub evaluation: &'a Evaluation,
    /// Wall-clock seconds.
    pub seconds: f64,
}

/// Writes `metrics.json`, `features.tsv`, `folds.tsv`, `rows.tsv`, `basket.json`, `scores`, `folds`, `confusion` and
/// `features` as PNG and SVG and, for voxels and vertices, maps of the statistic, of q and of how many folds picked each
/// feature, under the names of BIDS. Gives the paths; each file appears whole or not at all.
pub fn write_select(
    out: &Path,
    selected: &Selected<'_>,
    run: &Run<'_>,
) -> Result<Vec<PathBuf>, Stop> {
    let mut written = Written::into(out)?;
    let evaluation = selected.evaluation;
    written.json("metrics.json", &select_metrics(selected))?;
    written.json("basket.json", &evaluation.basket)?;
    written.table("features.tsv", &feature_table(selected))?;
    written.table("folds.tsv", &fold_table(evaluation))?;
    written.table("rows.tsv", &row_table(selected))?;
    run.check()?;
    written.figure("scores", &scores::scores(evaluation)?)?;
    written.figure("folds", &folds::folds(evaluation)?)?;
    written.figure(
        "confusion",
        &super::figures::confusion(&evaluation.classes, &evaluation.repicked.confusion)?,
    )?;
    written.figure("features", &features::features(selected)?)?;
    run.check()?;
    let has_edges = match selected.table.kind {
        FeatureKind::Mixed(mix) => mix.fc_edges.is_some(),
        kind => matches!(kind, FeatureKind::FcEdges(_)),
    };
    if has_edges {
        written.figure("edges", &edges::edges(selected)?)?;
    }
    run.check()?;
    written.files.extend(maps(out, selected)?);
    Ok(written.files)
}

fn number(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.6}")
    } else {
        "n/a".to_owned()
    }
}

/// p and q keep their size however small they are.
fn chance(value: f64) -> String {
    if value.is_finite() {
        format!("{value:.4e}")
    } else {
        "n/a".to_owned()
    }
}

/// Folds that picked each column of the table's candidate.
fn n_folds(selected: &Selected<'_>) -> Vec<usize> {
    let mut counts = vec![0; selected.table.n_features()];
    for picked in &selected.evaluation.frequency {
        if picked.candidate == selected.evaluation.basket_candidate
            && let Some(count) = counts.get_mut(picked.column)
        {
            *count += picked.n_folds;
        }
    }
    counts
}

fn feature_table(selected: &Selected<'_>) -> Text {
    let (table, map) = (selected.table, selected.map);
    let columns = [
        "feature",
        "x",
        "y",
        "z",
        "region",
        "value",
        "p",
        "q",
        "p_anywhere",
        "n_folds",
        "in_basket",
    ];
    let n_folds = n_folds(selected);
    let basket = &selected.evaluation.basket.features;
    let rows = table.columns.iter().enumerate().map(|(c, column)| {
        let place = |axis: usize| {
            column
                .world_mm
                .map_or_else(|| "n/a".to_owned(), |p| format!("{:.2}", p[axis]))
        };
        let region = column.region.and_then(|r| table.regions.get(r));
        let value = map.values[c];
        vec![
            column.feature.to_string(),
            place(0),
            place(1),
            place(2),
            region.cloned().unwrap_or_default(),
            number(f64::from(value)),
            chance(map.p[c]),
            chance(map.q[c]),
            chance(selected.null.p_anywhere(value)),
            n_folds[c].to_string(),
            if basket.contains(&column.feature) {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
        ]
    });
    Text {
        columns: columns.map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

fn fold_table(evaluation: &Evaluation) -> Text {
    let columns = [
        "left_out",
        "n_train",
        "n_test",
        "accuracy_repicked",
        "accuracy_fixed",
        "choice",
        "features",
    ];
    let both = evaluation
        .repicked
        .folds
        .iter()
        .zip(&evaluation.fixed.folds);
    let rows = both.map(|(honest, fixed)| {
        vec![
            honest.label.clone(),
            honest.n_train.to_string(),
            honest.n_test.to_string(),
            number(honest.accuracy()),
            number(fixed.accuracy()),
            honest.choice.clone().unwrap_or_default(),
            honest.features.join("; "),
        ]
    });
    Text {
        columns: columns.map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}

fn row_table(selected: &Selected<'_>) -> Text {
    let columns = [
        "row", "run", "class", "named", "score", "left_out", "stimuli", "trials",
    ];
    let evaluation = selected.evaluation;
    let folds = evaluation
        .repicked
        .folds
        .iter()
        .zip(&evaluation.predictions);
    let mut rows = Vec::new();
    for (fold, predictions) in folds {
        for said in predictions {
            let row = &selected.table.rows[said.row];
            let trials: Vec<String> = row.trials.iter().map(ToString::to_string).collect();
            rows.push(vec![
                said.row.to_string(),
                row.run.clone(),
                evaluation.classes[row.class].clone(),
                evaluation.classes[said.named].clone(),
                number(said.score),
                fold.label.clone(),
                row.stimuli.join(" "),
                trials.join(" "),
            ]);
        }
    }
    Text {
        columns: columns.map(str::to_owned).to_vec(),
        rows,
    }
}

/// One number a feature, what its file is called, and what it is.
struct Layer {
    values: Vec<f32>,
    name: &'static str,
    stat: &'static str,
    description: String,
}

fn maps(out: &Path, selected: &Selected<'_>) -> Result<Vec<PathBuf>> {
    use crate::select::Statistic;
    let (table, map) = (selected.table, selected.map);
    let (has_voxels, has_vertices) = match table.kind {
        FeatureKind::Mixed(mix) => (mix.voxels, mix.vertices),
        kind => (kind == FeatureKind::Voxels, kind == FeatureKind::Vertices),
    };
    if !(has_voxels || has_vertices) {
        return Ok(Vec::new());
    }
    let contrast = table.classes.join(" against ");
    let name = match map.statistic {
        Statistic::R2 => "r2",
        Statistic::SignedR2 => "signedr2",
        Statistic::T => "t",
        Statistic::DPrime => "dprime",
        Statistic::Auc => "auc",
        Statistic::MutualInformation => "mi",
    };
    let layers = [
        Layer {
            values: map.values.clone(),
            name: "discriminability",
            stat: name,
            description: format!(
                "{} of {contrast}, over all runs. NaN where there is none.",
                map.statistic.name()
            ),
        },
        Layer {
            values: map.q.iter().map(|q| *q as f32).collect(),
            name: "discriminability",
            stat: "q",
            description: format!(
                "False discovery rate (Benjamini and Hochberg) of {contrast}, over all runs."
            ),
        },
        Layer {
            values: n_folds(selected).iter().map(|n| *n as f32).collect(),
            name: "picked",
            stat: "count",
            description: format!(
                "Folds of {} that picked the feature from their training rows.",
                selected.evaluation.repicked.folds.len()
            ),
        },
    ];
    derivative::describe(
        out,
        &format!("Selection in {}", selected.study),
        "derivative",
    )?;
    let folder = out.join(format!("sub-{}", selected.subject)).join("func");
    let mut files = Vec::new();
    for layer in layers {
        let mut entities = selected.entities.clone();
        entities.insert("sub".to_owned(), selected.subject.to_owned());
        entities.insert("desc".to_owned(), layer.name.to_owned());
        entities.insert("stat".to_owned(), layer.stat.to_owned());
        let about = About {
            description: layer.description,
            units: "arbitrary".to_owned(),
            sources: vec![selected.study.to_owned()],
            ..About::default()
        };
        if has_voxels && let Some(mask) = selected.mask {
            let parts = table.columns.iter().zip(&layer.values);
            let is_voxel =
                |(column, _): &(&Column, &f32)| matches!(column.feature, FeatureRef::Voxel { .. });
            let values: Vec<f32> = parts.filter(is_voxel).map(|(_, value)| *value).collect();
            let volume = mask.scatter(&values, f32::NAN)?;
            files.push(derivative::write_map(
                &folder, &entities, "statmap", &volume, &about,
            )?);
        }
        if has_vertices {
            for &(hemisphere, n) in selected.n_vertices {
                let mut values = vec![f32::NAN; n];
                for (column, value) in table.columns.iter().zip(&layer.values) {
                    if let FeatureRef::Vertex {
                        hemisphere: side,
                        index,
                    } = column.feature
                        && side == hemisphere
                        && let Some(place) = values.get_mut(index)
                    {
                        *place = *value;
                    }
                }
                let map = VertexMap {
                    name: layer.stat.to_owned(),
                    values: values.into(),
                };
                let on = (hemisphere, &map);
                files.push(derivative::write_vertex_map(
                    &folder, &entities, "statmap", on, &about,
                )?);
            }
        }
    }
    Ok(files)
}
