//! Results as files: pictures to look at, tables to go on with, one page to hand around.

mod design;
mod draw;
mod encoding;
mod figures;
mod glm;
mod html;
mod metrics;
mod select;
mod sheet;
mod trials;
mod written;

use std::path::{Path, PathBuf};

pub use encoding::{EncodeContext, encode_folds, encode_metrics, encode_regions, write_encode};
pub use glm::{GlmContext, glm_metrics, write_glm};
pub use metrics::metrics;
pub use select::{Selected, select_metrics, write_select};
pub use trials::write_trials;

use crate::Result;
use crate::betas::Betas;
use crate::decode::{DecodePlan, Decoded, DecodedTrial};
use crate::io::picture::write_png;
use crate::io::table::Table;
use crate::report::written::Written;
use crate::run::{Run, Stop};
use crate::study::Entities;
use crate::study::derivative::{self, About};
use crate::volume::Volume;

/// What a report says about itself.
#[derive(Clone, Debug)]
pub struct ReportContext {
    /// The study's name.
    pub study: String,
    /// The subject's id.
    pub subject: String,
    /// What the runs have in common (subject, task, space, …), for the names of maps.
    pub entities: Entities,
    /// How it was decoded.
    pub plan: DecodePlan,
}

/// Writes the report of a decode into the folder `out`, which is made when it is not there.
///
/// `metrics.json`, `trials.tsv`, `report.html`, `scores.png`, `scores.svg`; with conditions
/// `confusion.png` and `confusion.svg`; with pictures `sheet.png`; with voxels on a grid, as a BIDS derivative, the map
/// of those that drove the reconstructions. Gives the paths. Each file
/// appears whole or not at all.
pub fn write_decode(
    out: &Path,
    context: &ReportContext,
    betas: &Betas,
    decoded: &Decoded,
    run: &Run<'_>,
) -> Result<Vec<PathBuf>, Stop> {
    let mut written = Written::into(out)?;
    written.json("metrics.json", &metrics(context, betas, decoded))?;
    written.table("trials.tsv", &trials(betas, decoded))?;
    run.check()?;

    let scores = figures::scores(&decoded.scores)?;
    written.figure("scores", &scores)?;
    let confusion = match decoded.conditions.is_empty() {
        true => None,
        false => Some(figures::confusion(&decoded.conditions, &decoded.confusion)?),
    };
    if let Some(confusion) = &confusion {
        written.figure("confusion", confusion)?;
    }
    run.check()?;
    let sheet = sheet::sheet(context, decoded)?;
    if let Some(sheet) = &sheet {
        write_png(&written.at("sheet.png"), &sheet.image)?;
    }
    run.check()?;
    let page = html::Page {
        context,
        betas,
        decoded,
        scores: &scores,
        confusion: confusion.as_ref(),
        sheet: sheet.as_ref(),
    };
    written.text("report.html", &html::page(&page)?)?;
    run.check()?;
    if let Some(map) = decoded.drive_map(&betas.columns) {
        written.files.push(drive(out, context, &map)?);
    }
    Ok(written.files)
}

/// Writes which voxels drove the reconstructions.
fn drive(out: &Path, context: &ReportContext, map: &Volume) -> Result<PathBuf> {
    let mut entities = context.entities.clone();
    entities.insert("sub".to_owned(), context.subject.clone());
    entities.insert("desc".to_owned(), "ridgeweights".to_owned());
    let about = About {
        description: "Length (L2 norm) of each voxel's ridge weights, mean over folds: how much the reconstruction \
                      listens to it. NaN outside the mask."
            .to_owned(),
        units: "arbitrary".to_owned(),
        sources: vec![context.study.clone()],
        ..About::default()
    };
    derivative::describe(out, &format!("Decoding of {}", context.study), "derivative")?;
    let folder = out.join(format!("sub-{}", context.subject)).join("func");
    derivative::write_map(&folder, &entities, "statmap", map, &about)
}

/// Trials by falling pixel correlation; those without a reconstruction are left out.
fn by_pixcorr(trials: &[DecodedTrial]) -> Vec<&DecodedTrial> {
    let mut drawn: Vec<&DecodedTrial> = trials
        .iter()
        .filter(|t| t.reconstruction.is_some())
        .collect();
    drawn.sort_by(|a, b| {
        b.pixcorr
            .unwrap_or(-1.0)
            .total_cmp(&a.pixcorr.unwrap_or(-1.0))
    });
    drawn
}

fn trials(betas: &Betas, decoded: &Decoded) -> Table {
    let columns = [
        "trial",
        "run",
        "onset",
        "condition",
        "predicted_condition",
        "stimulus",
        "pixcorr",
        "ssim",
        "two_way",
        "retrieval_rank",
        "n_candidates",
        "left_out",
    ];
    let number = |value: Option<f64>| value.map_or_else(|| "n/a".to_owned(), |v| format!("{v:.6}"));
    let count = |value: Option<usize>| value.map_or_else(|| "n/a".to_owned(), |v| v.to_string());
    let word = |value: Option<&str>| value.filter(|v| !v.is_empty()).unwrap_or("n/a").to_owned();
    let rows = decoded.trials.iter().map(|t| {
        let trial = betas.trials.get(t.trial);
        vec![
            t.trial.to_string(),
            word(trial.map(|t| t.run.as_str())),
            trial.map_or_else(|| "n/a".to_owned(), |t| t.onset_secs.to_string()),
            word(Some(&t.condition)),
            word(t.predicted_condition.as_deref()),
            word(t.stimulus_id.as_deref()),
            number(t.pixcorr),
            number(t.ssim),
            number(t.two_way),
            count(t.retrieval_rank),
            count(t.n_candidates),
            word(Some(&t.fold)),
        ]
    });
    Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows: rows.collect(),
    }
}
