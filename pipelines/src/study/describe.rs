//! A study in numbers: what `fusiform info` prints.
//!
//! Of runs and the anatomy only headers are read; masks, atlases and one shape a hemisphere are
//! read to be counted.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use serde::Serialize;

use crate::mask::Mask;
use crate::placement;
use crate::run::{Run, Stop};
use crate::study::companions::{grid_of, head_of, series_grid};
use crate::study::names::file_name;
use crate::study::{BoldRun, Load, Source, Study, Subject};
use crate::surface::{Hemisphere, Shape};

/// A study in numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StudySummary {
    /// Its name.
    pub name: String,
    /// Where it was opened from.
    pub root: Option<PathBuf>,
    /// Its subjects.
    pub subjects: Vec<SubjectSummary>,
    /// Its stimuli.
    pub stimuli: StimuliSummary,
    /// What was assumed while opening it.
    pub assumptions: Vec<String>,
}

/// One subject.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SubjectSummary {
    /// Id without `sub-`.
    pub id: String,
    /// Voxels of the anatomy along i, j, k.
    pub anatomy_shape: Option<[usize; 3]>,
    /// BOLD runs.
    pub runs: Vec<RunSummary>,
    /// Masks.
    pub masks: Vec<MaskSummary>,
    /// Atlases.
    pub atlases: Vec<AtlasSummary>,
    /// Hemispheres.
    pub surfaces: Vec<SurfaceSummary>,
    /// Ready-made betas.
    pub betas: Option<BetasSummary>,
}

/// One BOLD run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunSummary {
    /// Its label.
    pub label: String,
    /// BIDS `task`.
    pub task: Option<String>,
    /// BIDS `space`.
    pub space: Option<String>,
    /// BIDS `desc`.
    pub desc: Option<String>,
    /// Voxels along i, j, k.
    pub shape: [usize; 3],
    /// Volumes.
    pub n_volumes: usize,
    /// Seconds from one volume to the next, from the sidecar or the header.
    pub tr_secs: Option<f64>,
    /// Lines of the events table, when there is one.
    pub n_events: Option<usize>,
    /// How often each condition occurs.
    pub conditions: BTreeMap<String, usize>,
}

/// One mask.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MaskSummary {
    /// Its name.
    pub name: String,
    /// Voxels along i, j, k.
    pub shape: [usize; 3],
    /// Voxels inside.
    pub n_voxels: usize,
}

/// One atlas.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AtlasSummary {
    /// Its name.
    pub name: String,
    /// Voxels along i, j, k.
    pub shape: [usize; 3],
    /// Names of its regions.
    pub regions: Vec<String>,
}

/// One hemisphere.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SurfaceSummary {
    /// Left or right.
    pub hemisphere: Hemisphere,
    /// The shapes there are.
    pub shapes: Vec<Shape>,
    /// Vertices of the first shape.
    pub n_vertices: usize,
    /// Whether there is sulcal depth or curvature to shade it.
    pub sulcal: bool,
    /// Whether there is a parcellation.
    pub labels: bool,
}

/// Ready-made betas.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct BetasSummary {
    /// Rows.
    pub n_trials: usize,
    /// Columns.
    pub n_voxels: usize,
    /// Run labels.
    pub runs: Vec<String>,
}

/// How many stimuli there are, and what is known of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct StimuliSummary {
    /// All.
    pub n: usize,
    /// With a picture.
    pub n_pictures: usize,
    /// With a caption.
    pub n_captions: usize,
    /// With a category.
    pub n_categories: usize,
}

/// Counts what a study holds.
///
/// # Errors
/// When a header, a mask, an atlas, a surface or an events table cannot be read.
pub fn describe(study: &Study, run: &Run<'_>) -> Result<StudySummary, Stop> {
    run.stage("counting what the study holds");
    let mut subjects = Vec::with_capacity(study.subjects.len());
    for (index, subject) in study.subjects.iter().enumerate() {
        run.progress(index, study.subjects.len());
        subjects.push(describe_subject(subject, run)?);
    }
    let mut assumptions = study.assumptions.clone();
    for subject in &study.subjects {
        for warning in misplaced(subject, run)? {
            // Loose files were held against each other when they were opened.
            if !assumptions.contains(&warning) {
                assumptions.push(warning);
            }
        }
    }
    let stimuli = &study.stimuli;
    Ok(StudySummary {
        name: study.name.clone(),
        root: study.root.clone(),
        subjects,
        stimuli: StimuliSummary {
            n: stimuli.len(),
            n_pictures: stimuli.iter().filter(|s| s.image.is_some()).count(),
            n_captions: stimuli.iter().filter(|s| s.caption.is_some()).count(),
            n_categories: stimuli.iter().filter(|s| s.category.is_some()).count(),
        },
        assumptions,
    })
}

/// The surfaces of a subject that lie outside its anatomy, or else outside its first run: one
/// anatomical shape of each hemisphere is looked at.
fn misplaced(subject: &Subject, run: &Run<'_>) -> Result<Vec<String>, Stop> {
    let (grid, name) = match (&subject.anatomy, subject.runs.first()) {
        (Some(anatomy), _) => (
            grid_of(anatomy, |volume| &volume.grid)?,
            short(anatomy, "the anatomy"),
        ),
        (None, Some(bold)) => (series_grid(bold)?, short(&bold.bold, "the first run")),
        (None, None) => return Ok(Vec::new()),
    };
    let mut warnings = Vec::new();
    for sheet in &subject.surfaces {
        run.check()?;
        let anatomical =
            |shape: &Shape| matches!(shape, Shape::White | Shape::Midthickness | Shape::Pial);
        let Some((shape, source)) = sheet.shapes.iter().find(|(shape, _)| anatomical(shape)) else {
            continue;
        };
        let fit = placement::surface_fits(&*source.load(run)?, &grid);
        let what = format!("{:?} {:?}", sheet.hemisphere, shape).to_lowercase();
        warnings.extend(fit.warning(&short(source, &what), &name));
    }
    Ok(warnings)
}

/// A source by the name of its file, else in words.
fn short<T: Load>(source: &Source<T>, words: &str) -> String {
    source.path().map_or_else(|| words.to_owned(), file_name)
}

fn describe_subject(subject: &Subject, run: &Run<'_>) -> Result<SubjectSummary, Stop> {
    let mut runs = Vec::with_capacity(subject.runs.len());
    for bold in &subject.runs {
        runs.push(describe_run(bold, run)?);
    }
    let mut masks = Vec::with_capacity(subject.masks.len());
    for mask in &subject.masks {
        run.check()?;
        let volume = mask.source.load(run)?;
        let n_voxels = Mask::from_volume(&volume).len();
        masks.push(MaskSummary {
            name: mask.name.clone(),
            shape: volume.grid.shape,
            n_voxels,
        });
    }
    let mut atlases = Vec::with_capacity(subject.atlases.len());
    for atlas in &subject.atlases {
        run.check()?;
        let loaded = atlas.source.load(run)?;
        let regions = loaded
            .regions
            .iter()
            .map(|region| region.name.clone())
            .collect();
        atlases.push(AtlasSummary {
            name: atlas.name.clone(),
            shape: loaded.grid.shape,
            regions,
        });
    }
    let mut surfaces = Vec::with_capacity(subject.surfaces.len());
    for sheet in &subject.surfaces {
        run.check()?;
        let n_vertices = match sheet.shapes.first() {
            Some((_, source)) => source.load(run)?.vertices.len(),
            None => 0,
        };
        surfaces.push(SurfaceSummary {
            hemisphere: sheet.hemisphere,
            shapes: sheet.shapes.iter().map(|(shape, _)| *shape).collect(),
            n_vertices,
            sulcal: sheet.sulcal.is_some(),
            labels: sheet.labels.is_some(),
        });
    }
    let anatomy_shape = match &subject.anatomy {
        Some(source) => Some(grid_of(source, |volume| &volume.grid)?.shape),
        None => None,
    };
    Ok(SubjectSummary {
        id: subject.id.clone(),
        anatomy_shape,
        runs,
        masks,
        atlases,
        surfaces,
        betas: subject.betas.as_ref().map(|betas| BetasSummary {
            n_trials: betas.trials().len(),
            n_voxels: betas.n_voxels(),
            runs: betas.runs(),
        }),
    })
}

fn describe_run(bold: &BoldRun, run: &Run<'_>) -> Result<RunSummary, Stop> {
    run.check()?;
    let (shape, n_volumes, header_tr) = match &bold.bold {
        Source::File(path) | Source::Entry { path, .. } => {
            let head = head_of(path)?;
            (head.grid.shape, head.n_volumes, head.tr_secs)
        }
        Source::Memory(series) => (series.grid.shape, series.n_times, series.tr_secs),
        Source::Made(maker) => match &maker.outline {
            Some(outline) => (outline.grid.shape, outline.n_times, outline.tr_secs),
            None => {
                let series = bold.bold.load(run)?;
                (series.grid.shape, series.n_times, series.tr_secs)
            }
        },
    };
    let events = match &bold.events {
        Some(source) => Some(source.load(run)?),
        None => None,
    };
    let mut conditions = BTreeMap::new();
    for row in events.iter().flat_map(|events| &events.rows) {
        let condition = match (row.trial_type.as_str(), &row.stim_file) {
            ("", Some(stimulus)) => stimulus.as_str(),
            ("", None) => "n/a",
            (condition, _) => condition,
        };
        *conditions.entry(condition.to_owned()).or_insert(0) += 1;
    }
    let entity = |key: &str| bold.entities.get(key).cloned();
    Ok(RunSummary {
        label: bold.label.clone(),
        task: entity("task"),
        space: entity("space"),
        desc: entity("desc"),
        shape,
        n_volumes,
        tr_secs: bold.tr_secs.or(header_tr),
        n_events: events.map(|events| events.rows.len()),
        conditions,
    })
}

/// The summary as a page for the terminal, in aligned columns.
pub fn to_text(summary: &StudySummary) -> String {
    let mut lines = vec![summary.name.clone()];
    if let Some(root) = &summary.root {
        lines.push(root.display().to_string());
    }
    for subject in &summary.subjects {
        lines.push(String::new());
        lines.push(format!("subject {}", subject.id));
        lines.extend(subject_lines(subject));
    }
    let stimuli = summary.stimuli;
    lines.push(String::new());
    lines.push(match stimuli.n {
        0 => "stimuli  none".into(),
        n => format!(
            "stimuli  {n}: {} with a picture, {} with a caption, {} with a category",
            stimuli.n_pictures, stimuli.n_captions, stimuli.n_categories
        ),
    });
    if !summary.assumptions.is_empty() {
        lines.push(String::new());
        lines.push("assumed".into());
        lines.extend(
            summary
                .assumptions
                .iter()
                .map(|sentence| format!("  {sentence}")),
        );
    }
    lines.push(String::new());
    lines.join("\n")
}

fn subject_lines(subject: &SubjectSummary) -> Vec<String> {
    let mut facts: Vec<[String; 2]> = Vec::new();
    let mut fact = |what: &str, text: String| facts.push([what.to_owned(), text]);
    for (condition, count) in total_conditions(&subject.runs) {
        fact("condition", format!("{condition}, {count} times"));
    }
    if let Some(shape) = subject.anatomy_shape {
        fact("anatomy", shape_text(shape));
    }
    for mask in &subject.masks {
        let shape = shape_text(mask.shape);
        fact(
            "mask",
            format!("{}, {} of {shape} voxels", mask.name, mask.n_voxels),
        );
    }
    for atlas in &subject.atlases {
        fact(
            "atlas",
            format!("{}, {}", atlas.name, regions_text(&atlas.regions)),
        );
    }
    for surface in &subject.surfaces {
        fact("surface", surface_text(surface));
    }
    if let Some(betas) = &subject.betas {
        let runs = betas.runs.len();
        fact(
            "betas",
            format!(
                "{} trials × {} voxels, {runs} runs",
                betas.n_trials, betas.n_voxels
            ),
        );
    }
    let mut lines = run_lines(&subject.runs);
    let mut last = String::new();
    for [what, text] in facts {
        let shown = if what == last { "" } else { &what };
        lines.push(format!("  {shown:<9}  {text}"));
        last = what;
    }
    lines
}

fn total_conditions(runs: &[RunSummary]) -> BTreeMap<&str, usize> {
    let mut totals = BTreeMap::new();
    for (condition, count) in runs.iter().flat_map(|run| &run.conditions) {
        *totals.entry(condition.as_str()).or_insert(0) += count;
    }
    totals
}

fn run_lines(runs: &[RunSummary]) -> Vec<String> {
    if runs.is_empty() {
        return Vec::new();
    }
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    let mut rows: Vec<[String; 8]> = vec![
        [
            "run", "task", "space", "desc", "voxels", "volumes", "TR", "events",
        ]
        .map(str::to_owned),
    ];
    rows.extend(runs.iter().map(|run| {
        [
            run.label.clone(),
            or_dash(run.task.clone()),
            or_dash(run.space.clone()),
            or_dash(run.desc.clone()),
            shape_text(run.shape),
            run.n_volumes.to_string(),
            or_dash(run.tr_secs.map(|secs| format!("{secs} s"))),
            or_dash(run.n_events.map(|n| n.to_string())),
        ]
    }));
    let widths: [usize; 8] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    // A column that says nothing in any run is left out.
    let says: [bool; 8] =
        std::array::from_fn(|column| rows.iter().skip(1).any(|row| row[column] != "-"));
    let line = |row: &[String; 8]| {
        let mut line = String::from("  ");
        for ((cell, width), _) in row.iter().zip(widths).zip(says).filter(|(_, says)| *says) {
            // Writing to a string cannot fail.
            let _ = write!(line, "{cell:<width$}  ");
        }
        line.trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

fn shape_text([i, j, k]: [usize; 3]) -> String {
    format!("{i} × {j} × {k}")
}

/// All names of a short list, the first few of a long one.
fn regions_text(regions: &[String]) -> String {
    const SHOWN: usize = 12;
    let more = if regions.len() > SHOWN { ", …" } else { "" };
    let names: Vec<&str> = regions.iter().take(SHOWN).map(String::as_str).collect();
    format!("{} regions: {}{more}", regions.len(), names.join(", "))
}

fn surface_text(surface: &SurfaceSummary) -> String {
    let side = match surface.hemisphere {
        Hemisphere::Left => "left",
        Hemisphere::Right => "right",
    };
    let shapes: Vec<String> = surface
        .shapes
        .iter()
        .map(|shape| format!("{shape:?}").to_lowercase())
        .collect();
    let extras = [(surface.sulcal, ", sulci"), (surface.labels, ", labels")];
    let extras: String = extras
        .iter()
        .filter(|(has, _)| *has)
        .map(|(_, text)| *text)
        .collect();
    format!(
        "{side}, {} vertices: {}{extras}",
        surface.n_vertices,
        shapes.join(", ")
    )
}
