//! Encoding models as files: maps under BIDS names, a table of regions, figures, and the flat object of numbers.

mod figures;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::Result;
use crate::betas::{Betas, Columns};
use crate::encode::{EncodePlan, Encoded, Score, mean_over};
use crate::io::table::Table;
use crate::project;
use crate::report::written::Written;
use crate::run::{Run, Stop};
use crate::study::Entities;
use crate::study::derivative::{self, About};
use crate::surface::{Hemisphere, Surface};
use crate::volume::Volume;

/// Samples through the cortex when a map is put on it.
const DEPTHS: usize = 5;

/// What a report of an encoding model says about itself.
#[derive(Debug)]
pub struct EncodeContext<'a> {
    /// The study's name.
    pub study: String,
    /// The subject's id.
    pub subject: String,
    /// What the runs have in common, for the names of maps.
    pub entities: Entities,
    /// How it was fitted.
    pub plan: &'a EncodePlan,
    /// Regions by name, with their voxels (columns of the responses).
    pub regions: Vec<(String, Vec<usize>)>,
    /// White and pial surface of each hemisphere, for maps on the cortex.
    pub sheets: Vec<(Hemisphere, &'a Surface, &'a Surface)>,
}

/// A map with its name in files, its unit and what it means.
struct Named<'a> {
    desc: String,
    values: std::borrow::Cow<'a, [f32]>,
    units: &'static str,
    meaning: String,
}

fn maps(encoded: &Encoded) -> Vec<Named<'_>> {
    let mut maps: Vec<Named<'_>> = Vec::new();
    let mut add = |desc: String, values: &[f32], units, meaning: String| {
        maps.push(Named {
            desc,
            values: values.to_vec().into(),
            units,
            meaning,
        });
    };
    add(
        "encodingR".into(),
        &encoded.r,
        "correlation",
        "Correlation of held-out single-trial responses with what the encoding model predicts, within folds; chance is 0.".into(),
    );
    add(
        "encodingR2".into(),
        &encoded.r2,
        "share of variance",
        "Share of the variance of held-out single-trial responses that the encoding model predicts; the mean of the training trials has 0.".into(),
    );
    if let Some(shuffled) = encoded.r2_shuffled_mean() {
        add(
            "encodingR2shuffled".into(),
            &shuffled,
            "share of variance",
            "The same with responses shuffled against stimuli within each run, mean over shuffles."
                .into(),
        );
    }
    if let Some(ceiling) = &encoded.ceiling {
        add(
            "noiseceiling".into(),
            ceiling,
            "share of variance",
            "Share of a single trial's variance that comes back when its stimulus does (ncsnr² / (ncsnr² + 1)): no model can predict more.".into(),
        );
    }
    if let Some(normalised) = &encoded.normalised {
        add(
            "encodingR2normalised".into(),
            normalised,
            "share of the explainable variance",
            "R² over the noise ceiling, where that is 0.05 or more.".into(),
        );
    }
    add(
        "encodingalpha".into(),
        &encoded.alpha,
        "multiples of the mean squared length of a row of features",
        "Ridge penalty chosen by cross-validation within the training folds, geometric mean over folds.".into(),
    );
    if encoded.spaces.len() > 1 {
        for (space, (name, _)) in encoded.spaces.iter().enumerate() {
            add(
                format!("encodingR2{name}"),
                &encoded.by_space[space],
                "share of variance",
                format!(
                    "The part of {name} in R² (product measure): the parts of all feature spaces sum to it."
                ),
            );
            add(
                format!("encodingweight{name}"),
                &encoded.weights[space],
                "weight",
                format!(
                    "The weight of {name} among the feature spaces that cross-validation chose, mean over folds."
                ),
            );
        }
    }
    maps
}

/// The scores and where they come from, flat, in snake_case.
///
/// `r`, `r2` and their companions are means over the voxels with something to explain.
pub fn encode_metrics(
    context: &EncodeContext<'_>,
    betas: &Betas,
    encoded: &Encoded,
) -> Map<String, Value> {
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| {
        if !value.is_null() {
            out.insert(name.to_owned(), value);
        }
    };
    let counted = encoded.counted();
    for (name, score) in [
        ("r", encoded.r_over(&counted)),
        ("r2", encoded.r2_over(&counted)),
    ] {
        put(name, json!(score.value));
        put(&format!("{name}_chance"), json!(0.0));
        put(&format!("{name}_shuffled"), json!(score.shuffled));
        put(&format!("{name}_shuffled_sd"), json!(score.shuffled_sd));
        let p = score.shuffled.is_finite().then_some(score.p);
        put(&format!("{name}_p"), json!(p));
    }
    if let Some(ceiling) = &encoded.ceiling {
        put("ceiling", json!(mean_over(ceiling, &counted)));
        put("r2_normalised", json!(encoded.normalised_over(&counted)));
        put("least_ceiling", json!(crate::encode::LEAST_CEILING));
    }
    for (space, (name, n)) in encoded.spaces.iter().enumerate() {
        put(&format!("n_features_{name}"), json!(n));
        if encoded.spaces.len() > 1 {
            put(
                &format!("r2_{name}"),
                json!(mean_over(&encoded.by_space[space], &counted)),
            );
        }
    }
    put("n_voxels", json!(betas.n_voxels()));
    put("n_voxels_counted", json!(counted.len()));
    put("n_trials", json!(encoded.n_trials));
    put("n_runs", json!(betas.runs().len()));
    put("n_folds", json!(encoded.folds.len()));
    put("split", json!(encoded.split));
    put("pictures_shared", json!(encoded.pictures_shared));
    put("n_shuffles", json!(encoded.r2_shuffled.len()));
    put("n_alphas", json!(context.plan.alphas.len()));
    put(
        "solved",
        json!(if encoded.is_primal { "primal" } else { "dual" }),
    );
    put("study", json!(context.study));
    put("subject", json!(context.subject));
    put("seed", json!(context.plan.seed));
    put("device", json!(encoded.device));
    put("seconds", json!(encoded.seconds));
    put("method", json!(betas.method));
    put("warnings", json!(encoded.warnings));
    out
}

/// One row a region: scores, their controls, the ceiling and the parts of the spaces.
pub fn encode_regions(context: &EncodeContext<'_>, encoded: &Encoded) -> Table {
    let mut columns: Vec<String> = [
        "region",
        "n_voxels",
        "n_counted",
        "r",
        "r_shuffled",
        "r_shuffled_sd",
        "r_p",
        "r2",
        "r2_shuffled",
        "ceiling",
        "r2_normalised",
    ]
    .map(str::to_owned)
    .to_vec();
    if encoded.spaces.len() > 1 {
        columns.extend(encoded.spaces.iter().map(|(name, _)| format!("r2_{name}")));
    }
    let counts: std::collections::BTreeSet<usize> = encoded.counted().into_iter().collect();
    let number = |v: f64| {
        if v.is_finite() {
            format!("{v:.4}")
        } else {
            "n/a".to_owned()
        }
    };
    let rows = context.regions.iter().map(|(name, voxels)| {
        let counted: Vec<usize> = voxels
            .iter()
            .copied()
            .filter(|v| counts.contains(v))
            .collect();
        let (r, r2): (Score, Score) = (encoded.r_over(&counted), encoded.r2_over(&counted));
        let ceiling = encoded
            .ceiling
            .as_ref()
            .map_or(f64::NAN, |c| mean_over(c, &counted));
        let p = if r.shuffled.is_finite() {
            r.p
        } else {
            f64::NAN
        };
        let mut row = vec![
            name.clone(),
            voxels.len().to_string(),
            counted.len().to_string(),
        ];
        row.extend(
            [
                r.value,
                r.shuffled,
                r.shuffled_sd,
                p,
                r2.value,
                r2.shuffled,
                ceiling,
                encoded.normalised_over(&counted).unwrap_or(f64::NAN),
            ]
            .map(number),
        );
        if encoded.spaces.len() > 1 {
            row.extend(
                encoded
                    .by_space
                    .iter()
                    .map(|map| number(mean_over(map, &counted))),
            );
        }
        row
    });
    Table {
        rows: rows.collect(),
        columns,
    }
}

/// The folds, one a row.
pub fn encode_folds(encoded: &Encoded) -> Table {
    let row = |(i, fold): (usize, &crate::encode::Fold)| {
        vec![
            (i + 1).to_string(),
            fold.label.clone(),
            fold.n_test.to_string(),
            fold.n_train.to_string(),
        ]
    };
    Table {
        columns: ["fold", "left_out", "n_test", "n_train"]
            .map(str::to_owned)
            .to_vec(),
        rows: encoded.folds.iter().enumerate().map(row).collect(),
    }
}

/// Writes the report of an encoding model into the folder `out`, which is made when it is not there.
///
/// `metrics.json`, `folds.tsv`, `regions.tsv`, figures as PNG and SVG, and every map as a BIDS derivative: NIfTI for
/// voxels on a grid, GIFTI for each hemisphere with a white and a pial surface. Gives the paths.
pub fn write_encode(
    out: &Path,
    context: &EncodeContext<'_>,
    betas: &Betas,
    encoded: &Encoded,
    run: &Run<'_>,
) -> Result<Vec<PathBuf>, Stop> {
    let mut written = Written::into(out)?;
    written.json("metrics.json", &encode_metrics(context, betas, encoded))?;
    written.table("folds.tsv", &encode_folds(encoded))?;
    let regions = encode_regions(context, encoded);
    if !regions.rows.is_empty() {
        written.table("regions.tsv", &regions)?;
    }
    run.check()?;
    written.figure("r-against-ceiling", &figures::against_ceiling(encoded)?)?;
    if !context.regions.is_empty() {
        written.figure("regions", &figures::regions(context, encoded)?)?;
    }
    let Columns::Voxels(mask) = &betas.columns else {
        return Ok(written.files);
    };
    derivative::describe(
        out,
        &format!("Encoding models of {}", context.study),
        "derivative",
    )?;
    let folder = out.join(format!("sub-{}", context.subject)).join("func");
    for map in maps(encoded) {
        run.check()?;
        let volume = mask.scatter(&map.values, f32::NAN)?;
        let mut entities = context.entities.clone();
        entities.insert("sub".to_owned(), context.subject.clone());
        entities.insert("desc".to_owned(), map.desc.clone());
        let about = About {
            description: map.meaning.clone(),
            units: map.units.to_owned(),
            sources: vec![context.study.clone()],
            ..About::default()
        };
        written.files.push(derivative::write_map(
            &folder, &entities, "statmap", &volume, &about,
        )?);
        let on_cortex = on_cortex(&folder, &entities, context, &volume, &about)?;
        written.files.extend(on_cortex);
    }
    Ok(written.files)
}

fn on_cortex(
    folder: &Path,
    entities: &Entities,
    context: &EncodeContext<'_>,
    volume: &Volume,
    about: &About,
) -> Result<Vec<PathBuf>> {
    let write = |(hemisphere, white, pial): &(Hemisphere, &Surface, &Surface)| {
        let map = project::between(volume, white, pial, DEPTHS)?;
        derivative::write_vertex_map(folder, entities, "statmap", (*hemisphere, &map), about)
    };
    context.sheets.iter().map(write).collect()
}
