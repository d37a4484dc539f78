//! From responses of trials to rows × features of one kind.

mod courses;
mod mixed;
mod vertices;
mod windows;

use std::collections::BTreeMap;

use crate::betas::Columns;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::select::contrast::Labels;
use crate::select::extraction::{Averaging, Source};
use crate::select::feature::{Column, FeatureKind, FeatureRef};
use crate::select::table::{Patterns, Row, Table};
use crate::stats::roi;
use crate::study::Study;
use crate::{Error, Result};

/// Makes the table of one kind of features for the trials that `labels` gives a class.
///
/// `study` is asked for surfaces (vertices) and BOLD runs (windows and power of blocks).
///
/// # Errors
/// When the kind needs something that is not there (regions, surfaces, blocks long enough): the text says what.
pub fn table(
    study: &Study,
    source: &Source,
    kind: &FeatureKind,
    labels: &Labels,
    run: &Run<'_>,
) -> Result<Table, Stop> {
    run.stage(format!("gathering {}", kind.word()));
    if labels.of_trial.len() != source.betas.n_trials() {
        return Err(Error::data(format!(
            "classes are given to {} trials, but there are {}: label the trials that were read",
            labels.of_trial.len(),
            source.betas.n_trials()
        ))
        .into());
    }
    let table = table_of(study, source, kind, labels, run)?;
    run.check()?;
    Ok(table)
}

fn table_of(
    study: &Study,
    source: &Source,
    kind: &FeatureKind,
    labels: &Labels,
    run: &Run<'_>,
) -> Result<Table, Stop> {
    match kind {
        FeatureKind::Voxels | FeatureKind::Vertices | FeatureKind::RoiMeans => {
            of_rows(study, source, kind, labels, rows(source, labels), run)
        }
        FeatureKind::RoiPatterns { n_components } => Ok(patterns(source, labels, *n_components)?),
        FeatureKind::FcEdges(over) | FeatureKind::FcNodeStrengths(over) => {
            windows::table(study, source, labels, kind, *over, run)
        }
        FeatureKind::BandPower => courses::power(study, source, labels, run),
        FeatureKind::Mixed(mix) => mixed::table(study, source, labels, *mix, run),
    }
}

/// The table of features that are measured in single trials, averaged over the trials of each row.
fn of_rows(
    study: &Study,
    source: &Source,
    kind: &FeatureKind,
    labels: &Labels,
    rows: Vec<Row>,
    run: &Run<'_>,
) -> Result<Table, Stop> {
    let mut table = empty(source, *kind, labels);
    table.rows = rows;
    match kind {
        FeatureKind::Vertices => vertices::fill(&mut table, study, source, run)?,
        FeatureKind::RoiMeans => roi_means(&mut table, source, run)?,
        _ => voxels(&mut table, source),
    }
    Ok(table)
}

/// A table without rows, columns and values yet.
fn empty(source: &Source, kind: FeatureKind, labels: &Labels) -> Table {
    Table {
        kind,
        classes: labels.classes.clone(),
        rows: Vec::new(),
        columns: Vec::new(),
        regions: source.regions.iter().map(|r| r.name.clone()).collect(),
        notes: source.notes.clone(),
        extraction: source.id.clone(),
        data: source.data.clone(),
        values: Matrix::default(),
        patterns: None,
    }
}

/// The rows that the labelled trials make, averaged as the extraction says.
fn rows(source: &Source, labels: &Labels) -> Vec<Row> {
    let trials = &source.betas.trials;
    let mut rows: Vec<Row> = Vec::new();
    let mut place: BTreeMap<(&str, usize, Option<&str>), usize> = BTreeMap::new();
    for (at, class) in labels.of_trial.iter().enumerate() {
        let (Some(class), trial) = (*class, &trials[at]) else {
            continue;
        };
        let stimulus = trial.stimulus.as_deref();
        let key = match (source.extraction.averaging, stimulus) {
            (Averaging::None, _) | (Averaging::Stimuli, None) => None,
            (Averaging::Stimuli, Some(id)) => Some((trial.run.as_str(), class, Some(id))),
            (Averaging::Classes, _) => Some((trial.run.as_str(), class, None)),
        };
        let known = key.and_then(|key| place.get(&key).copied());
        let row = known.unwrap_or_else(|| {
            if let Some(key) = key {
                place.insert(key, rows.len());
            }
            rows.push(Row {
                class,
                run: trial.run.clone(),
                session: trial.session.clone(),
                stimuli: Vec::new(),
                trials: Vec::new(),
            });
            rows.len() - 1
        });
        rows[row].trials.push(at);
        if let Some(id) = stimulus.filter(|id| rows[row].stimuli.iter().all(|s| s != id)) {
            rows[row].stimuli.push(id.to_owned());
        }
    }
    rows
}

/// The mean over the trials of every row.
fn averaged(values: &Matrix, rows: &[Row]) -> Matrix {
    let mut out = Matrix::zeros(rows.len(), values.n_cols);
    for (at, row) in rows.iter().enumerate() {
        if let [trial] = row.trials[..] {
            out.row_mut(at).copy_from_slice(values.row(trial));
            continue;
        }
        let n = row.trials.len() as f32;
        for &trial in &row.trials {
            for (sum, value) in out.row_mut(at).iter_mut().zip(values.row(trial)) {
                *sum += value / n;
            }
        }
    }
    out
}

fn voxels(table: &mut Table, source: &Source) {
    table.values = averaged(&source.betas.values, &table.rows);
    let mut region = vec![None; source.betas.n_voxels()];
    for (place, roi) in source.regions.iter().enumerate() {
        for &column in &roi.columns {
            region[column] = Some(place);
        }
    }
    let column = |at: usize| {
        let (feature, world_mm) = match &source.betas.columns {
            Columns::Voxels(mask) => {
                let ijk = mask.grid().ijk(mask.voxels()[at] as usize);
                (FeatureRef::Voxel { ijk }, Some(mask.grid().world(ijk)))
            }
            Columns::Points(points) => (
                FeatureRef::Point { index: at },
                points.get(at).map(glam::Vec3::as_dvec3),
            ),
        };
        Column {
            feature,
            world_mm,
            region: region[at],
        }
    };
    table.columns = (0..source.betas.n_voxels()).map(column).collect();
}

/// Refuses a study without regions.
fn require_regions(source: &Source, least: usize, what: &str) -> Result<()> {
    if source.regions.len() >= least {
        return Ok(());
    }
    Err(Error::Choice(format!(
        "{what} need {least} region(s) or more with voxels in the mask, and there are {}: add an atlas in the space of the runs (…_dseg.nii.gz), widen the mask, or use voxels",
        source.regions.len()
    )))
}

fn roi_means(table: &mut Table, source: &Source, run: &Run<'_>) -> Result<(), Stop> {
    require_regions(source, 1, "means of regions")?;
    let columns: Vec<&[usize]> = source
        .regions
        .iter()
        .map(|r| r.columns.as_slice())
        .collect();
    let means = roi::means(&source.betas.values, &columns, run)?;
    table.values = averaged(&means, &table.rows);
    table.columns = source
        .regions
        .iter()
        .enumerate()
        .map(|(place, region)| Column {
            feature: FeatureRef::RoiMean {
                roi: region.name.clone(),
            },
            world_mm: region.centre_mm,
            region: Some(place),
        })
        .collect();
    Ok(())
}

fn patterns(source: &Source, labels: &Labels, n_components: usize) -> Result<Table> {
    require_regions(source, 1, "patterns of regions")?;
    if n_components == 0 {
        return Err(Error::Choice(
            "patterns of regions need one component or more".into(),
        ));
    }
    let kind = FeatureKind::RoiPatterns { n_components };
    let mut table = empty(source, kind, labels);
    table.rows = rows(source, labels);
    table.values = averaged(&source.betas.values, &table.rows);
    let mut patterns = Patterns {
        regions: Vec::new(),
        n_components: Vec::new(),
    };
    for (place, region) in source.regions.iter().enumerate() {
        // Voxels with values that are not finite would spoil the components of their region.
        let finite = |&&c: &&usize| table.values.rows().all(|row| row[c].is_finite());
        let columns: Vec<usize> = region.columns.iter().filter(finite).copied().collect();
        let n = n_components.min(columns.len());
        table.columns.extend((0..n).map(|component| Column {
            feature: FeatureRef::RoiPattern {
                roi: region.name.clone(),
                component,
            },
            world_mm: region.centre_mm,
            region: Some(place),
        }));
        patterns.regions.push(columns);
        patterns.n_components.push(n);
    }
    table.patterns = Some(patterns);
    table.notes.push(
        "Components of regions are fitted on the training rows of each fold; a component of one fold need not be that of another.".to_owned(),
    );
    Ok(table)
}
