//! The maps, tables and pictures of a model of time courses, as a BIDS derivative.

mod maps;
mod metrics;

use std::path::{Path, PathBuf};

use crate::glm::design::Design;
use crate::glm::first_level::{FirstLevel, FirstLevelPlan, Units};
use crate::glm::fit::Noise;
use crate::io::table::Table;
use crate::report::design;
use crate::report::written::Written;
use crate::run::{Run, Stop};
use crate::study::derivative;
use crate::study::{Entities, Subject};

use maps::{Maps, sheets};
use metrics::contrasts;

pub use metrics::glm_metrics;

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
    let mut written = Written::into(out)?;
    derivative::describe(out, &format!("Model of {}", context.study), "derivative")?;
    let folder = out.join(format!("sub-{}", context.subject.id)).join("func");
    let mut entities = context.entities.clone();
    entities.insert("sub".to_owned(), context.subject.id.clone());
    entities.remove("desc");
    let mut designs = Written::into(&folder)?;
    for modelled in &level.runs {
        run.check()?;
        let mut entities = entities.clone();
        let label = modelled.label.rsplit("run-").next();
        let label = label.unwrap_or(&modelled.label);
        entities.insert("run".to_owned(), label.to_owned());
        let name = derivative::file_name(&entities, "design", "tsv");
        designs.table(&name, &design_table(&modelled.design))?;
        let picture = design::picture(&modelled.design, &format!("run {}", modelled.label))?;
        designs.figure(name.trim_end_matches(".tsv"), &picture)?;
    }
    written.files.append(&mut designs.files);
    let maps = Maps {
        folder: &folder,
        entities: &entities,
        context,
        level,
        sheets: sheets(context.subject, level, run)?,
    };
    for answer in &level.answers {
        run.check()?;
        maps.answer(answer, &mut written.files)?;
    }
    maps.of_the_model(&mut written.files)?;
    written.table("contrasts.tsv", &contrasts(context, level))?;
    written.json("metrics.json", &glm_metrics(context, level))?;
    Ok(written.files)
}

/// Volumes down, regressors across.
fn design_table(design: &Design) -> Table {
    let row = |t: usize| {
        let values = design.columns.iter().map(|c| format!("{:.9}", c.values[t]));
        values.collect()
    };
    Table {
        columns: design.columns.iter().map(|c| c.name.clone()).collect(),
        rows: (0..design.frame_times.len()).map(row).collect(),
    }
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
