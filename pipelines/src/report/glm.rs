//! The maps, tables and pictures of a model of time courses, as a BIDS derivative.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::clusters::{ClusterPlan, clusters, table as cluster_table};
use crate::glm::first_level::{Answer, FirstLevel, FirstLevelPlan, Units};
use crate::glm::fit::Noise;
use crate::glm::response::library_peak_secs;
use crate::io::picture::write_png;
use crate::io::table::{self, Table};
use crate::io::write::{make_folder, write_text};
use crate::project::{Interpolation, Projection, Way, sampled};
use crate::report::design;
use crate::run::{Run, Stop};
use crate::stats::{fdr, tails};
use crate::study::derivative::{self, About};
use crate::study::{Entities, Subject};
use crate::surface::{Hemisphere, Shape};
use crate::volume::Volume;
use crate::{Error, Result};

/// What the maps say about themselves.
#[derive(Clone, Debug)]
pub struct GlmContext<'a> {
    /// The study's name.
    pub study: String,
    /// The subject, with the surfaces that maps are put on.
    pub subject: &'a Subject,
    /// What the runs have in common (task, space, …), for the names of files.
    pub entities: Entities,
    /// How it was modelled.
    pub plan: FirstLevelPlan,
    /// Clusters are of |z| above this; `None` takes what a false discovery rate of 0.05 asks for.
    pub threshold: Option<f64>,
}

/// The false discovery rate of tables.
const RATE: f64 = 0.05;

/// Writes everything into `out`, which is made when it is not there. Gives the paths.
///
/// For each contrast `stat-effect`, `stat-variance`, `stat-t` (or `stat-F`), `stat-z` and `stat-p` maps with sidecars,
/// the z map on the subject's surfaces, a table of its clusters; for each run its design as a table and a picture;
/// `contrasts.tsv`; maps of R², of φ and of the response of the library.
pub fn write_glm(
    out: &Path,
    context: &GlmContext<'_>,
    level: &FirstLevel,
    run: &Run<'_>,
) -> Result<Vec<PathBuf>, Stop> {
    make_folder(out)?;
    derivative::describe(out, &format!("Model of {}", context.study), "derivative")?;
    let folder = out.join(format!("sub-{}", context.subject.id)).join("func");
    make_folder(&folder)?;
    let mut entities = context.entities.clone();
    entities.insert("sub".to_owned(), context.subject.id.clone());
    entities.remove("desc");
    let mut files = Vec::new();
    for modelled in &level.runs {
        run.check()?;
        let mut entities = entities.clone();
        let label = modelled
            .label
            .rsplit("run-")
            .next()
            .unwrap_or(&modelled.label);
        entities.insert("run".to_owned(), label.to_owned());
        let at =
            |extension: &str| folder.join(derivative::file_name(&entities, "design", extension));
        let columns = modelled
            .design
            .columns
            .iter()
            .map(|c| c.name.clone())
            .collect();
        let rows = (0..modelled.design.frame_times.len())
            .map(|t| {
                modelled
                    .design
                    .columns
                    .iter()
                    .map(|c| format!("{:.9}", c.values[t]))
                    .collect()
            })
            .collect();
        table::write(&at("tsv"), &Table { columns, rows })?;
        let picture = design::picture(&modelled.design, &format!("run {}", modelled.label))?;
        write_png(&at("png"), &picture.png)?;
        write_text(&at("svg"), &picture.svg)?;
        files.extend(["tsv", "png", "svg"].map(at));
    }
    let maps = Maps {
        folder: &folder,
        entities: &entities,
        context,
        level,
        sheets: sheets(context.subject, level, run)?,
    };
    for answer in &level.answers {
        run.check()?;
        maps.answer(answer, &mut files)?;
    }
    maps.of_the_model(&mut files)?;
    let path = out.join("contrasts.tsv");
    table::write(&path, &contrasts(context, level))?;
    files.push(path);
    let path = out.join("metrics.json");
    let text = serde_json::to_string_pretty(&glm_metrics(context, level))
        .map_err(|e| Error::data(format!("the metrics cannot be written as JSON: {e}")))?;
    write_text(&path, &(text + "\n"))?;
    files.push(path);
    Ok(files)
}

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

fn hrf(plan: &FirstLevelPlan) -> String {
    match plan.library {
        true => "library, chosen per voxel".to_owned(),
        false => plan.design.response.to_string(),
    }
}

fn noise(noise: Noise) -> &'static str {
    match noise {
        Noise::Ols => "ols",
        Noise::Ar1 => "ar1",
    }
}

fn units(units: Units) -> &'static str {
    match units {
        Units::Percent => "percent of the mean over the run",
        Units::Raw => "as the data",
    }
}

/// What a z map holds beyond a threshold.
struct Found {
    threshold: f64,
    highest: f32,
    lowest: f32,
    n_above: usize,
    n_below: usize,
}

impl Found {
    /// Without a threshold, the smallest |z| that is among the discoveries at a false discovery rate of 0.05 (two
    /// sided; F: one-sided); infinite when there are none.
    fn of(answer: &Answer, threshold: Option<f64>) -> Self {
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

fn contrasts(context: &GlmContext<'_>, level: &FirstLevel) -> Table {
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

/// From the grid of the mask to each hemisphere, where the subject has surfaces.
fn sheets(
    subject: &Subject,
    level: &FirstLevel,
    run: &Run<'_>,
) -> Result<Vec<(Hemisphere, Projection)>, Stop> {
    let mut sheets = Vec::new();
    for cortex in &subject.surfaces {
        let load = |shape: Shape| match cortex.shapes.iter().find(|(s, _)| *s == shape) {
            Some((_, source)) => source.load(run).map(Some),
            None => Ok(None),
        };
        let (white, pial) = (load(Shape::White)?, load(Shape::Pial)?);
        let way = match (&white, &pial) {
            (Some(inner), Some(outer)) => Way::Depth {
                inner,
                outer,
                n: 10,
            },
            (Some(surface), None) | (None, Some(surface)) => Way::Line {
                surface,
                radius_mm: 3.0,
                n: 10,
            },
            (None, None) => continue,
        };
        let projection = sampled(level.mask.grid(), way, Interpolation::Linear)?;
        sheets.push((cortex.hemisphere, projection));
    }
    Ok(sheets)
}

struct Maps<'a> {
    folder: &'a Path,
    entities: &'a Entities,
    context: &'a GlmContext<'a>,
    level: &'a FirstLevel,
    sheets: Vec<(Hemisphere, Projection)>,
}

impl Maps<'_> {
    fn volume(&self, values: &[f32]) -> Result<Volume> {
        self.level.mask.scatter(values, f32::NAN)
    }

    /// The name of a map of a statistic.
    fn named(&self, contrast: Option<&str>, stat: &str) -> Entities {
        let mut entities = self.entities.clone();
        if let Some(contrast) = contrast {
            entities.insert("contrast".to_owned(), contrast.to_owned());
        }
        entities.insert("stat".to_owned(), stat.to_owned());
        entities
    }

    fn about(&self, description: String, units: &str, runs: &[String]) -> About {
        let plan = &self.context.plan;
        let more = json!({
            "Runs": runs,
            "HaemodynamicResponse": hrf(plan),
            "NoiseModel": noise(plan.noise),
            "Drift": plan.design.drift.to_string(),
            "Confounds": plan.design.confounds,
            "SliceTimeReference": plan.design.slice_time_ref,
            "Assumptions": self.level.assumptions,
        });
        About {
            description,
            units: units.to_owned(),
            sources: vec![self.context.study.clone()],
            more: more.as_object().cloned().unwrap_or_default(),
        }
    }

    fn answer(&self, answer: &Answer, files: &mut Vec<PathBuf>) -> Result<()> {
        let (question, tested) = (&answer.question, &answer.tested);
        let in_units = units(self.level.units);
        let df = tested.df.1;
        let p: Vec<f32> = tested.p.iter().map(|p| *p as f32).collect();
        let (letter, statistic) = match question.is_f() {
            true => (
                "F",
                format!(
                    "F of {} with {} and {df} degrees of freedom",
                    question.text, tested.df.0
                ),
            ),
            false => (
                "t",
                format!("t of {} with {df} degrees of freedom", question.text),
            ),
        };
        let effect = match question.is_f() {
            true => format!("Root mean square of the effects {}", question.text),
            false => format!("Effect {}, mean over runs", question.text),
        };
        let maps: [(&str, &[f32], String, &str); 5] = [
            ("effect", &tested.effect, effect, in_units),
            (
                "variance",
                &tested.variance,
                "Variance of the effect".to_owned(),
                in_units,
            ),
            (letter, &tested.statistic, statistic, "arbitrary"),
            (
                "z",
                &tested.z,
                format!(
                    "Standard normal value as unlikely as the {letter} of {}",
                    question.text
                ),
                "arbitrary",
            ),
            (
                "p",
                &p,
                format!(
                    "Probability of so large a {letter} without an effect{}",
                    if question.is_f() { "" } else { ", one-sided" }
                ),
                "arbitrary",
            ),
        ];
        for (stat, values, description, units) in maps {
            let entities = self.named(Some(&question.name), stat);
            let about = self.about(
                format!("{description}. NaN outside the mask and where a voxel has no result."),
                units,
                &answer.runs,
            );
            files.push(derivative::write_map(
                self.folder,
                &entities,
                "statmap",
                &self.volume(values)?,
                &about,
            )?);
        }
        let z = self.volume(&tested.z)?;
        let entities = self.named(Some(&question.name), "z");
        for (hemisphere, projection) in &self.sheets {
            let about = self.about(
                format!(
                    "z of {} on the cortex: mean of trilinear samples from white to pial surface",
                    question.text
                ),
                "arbitrary",
                &answer.runs,
            );
            let map = projection.map(&z.data, &format!("z of {}", question.text));
            files.push(derivative::write_vertex_map(
                self.folder,
                &entities,
                "statmap",
                (*hemisphere, &map),
                &about,
            )?);
        }
        let found = Found::of(answer, self.context.threshold);
        let plan = ClusterPlan {
            // Strictly above: what is just at the threshold belongs to it.
            threshold: (found.threshold * (1.0 - 1e-6)) as f32,
            two_sided: !question.is_f(),
            ..ClusterPlan::default()
        };
        let listed = cluster_table(&z, &clusters(&z, &plan)?, None);
        let path = self
            .folder
            .join(derivative::file_name(&entities, "clusters", "tsv"));
        table::write(&path, &listed)?;
        files.push(path);
        Ok(())
    }

    fn of_the_model(&self, files: &mut Vec<PathBuf>) -> Result<()> {
        let runs: Vec<String> = self.level.runs.iter().map(|r| r.label.clone()).collect();
        let mut write =
            |stat: &str, values: &[f32], description: &str, units: &str| -> Result<()> {
                let about = self.about(description.to_owned(), units, &runs);
                let path = derivative::write_map(
                    self.folder,
                    &self.named(None, stat),
                    "statmap",
                    &self.volume(values)?,
                    &about,
                )?;
                files.push(path);
                Ok(())
            };
        write(
            "rsquared",
            &self.level.r_squared,
            "Share of the variance over time that the ordinary least-squares fit explains, drifts included, mean over runs.",
            "arbitrary",
        )?;
        if self.context.plan.noise == Noise::Ar1 {
            write(
                "phi",
                &self.level.phi,
                "First-order autoregression of the noise (Yule-Walker, cut to hundredths), mean over runs.",
                "arbitrary",
            )?;
        }
        if let Some(response) = &self.level.response {
            let peaks: Vec<f32> = response
                .iter()
                .map(|k| library_peak_secs(usize::from(*k)) as f32)
                .collect();
            write(
                "hrfpeak",
                &peaks,
                "When the response of the library that was chosen for the voxel peaks after a short event.",
                "s",
            )?;
        }
        Ok(())
    }
}
