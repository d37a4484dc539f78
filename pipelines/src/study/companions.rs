//! The mask and the atlas that go with a choice of runs, and whether they lie on the runs' grid.

use std::path::Path;

use crate::io::detect::{self, Kind};
use crate::io::freesurfer::mgh;
use crate::io::nifti;
use crate::run::{self, Stop};
use crate::space::Grid;
use crate::study::names::{file_stem, unknown};
use crate::study::{BoldRun, Entities, Named, Source, Subject};
use crate::volume::{Atlas, Series, Volume};
use crate::{Error, Result};

/// The mask that was named, or the one that goes with the runs by itself.
pub(super) fn choose_mask(
    subject: &Subject,
    runs: &[&BoldRun],
    wanted: Option<&str>,
    assumptions: &mut Vec<String>,
) -> Result<Option<Named<Volume>>> {
    let fitting: Vec<&Named<Volume>> = subject
        .masks
        .iter()
        .filter(|mask| fits(&mask.entities, runs))
        .collect();
    if let Some(wanted) = wanted {
        return if wanted == "none" {
            Ok(None)
        } else {
            named_mask(subject, &fitting, wanted).map(Some)
        };
    }
    let Some(first) = runs.first() else {
        return Ok(None);
    };
    let desc = first.entities.get("desc");
    let same_desc: Vec<&Named<Volume>> = fitting
        .iter()
        .copied()
        .filter(|mask| desc.is_some() && mask.entities.get("desc") == desc)
        .collect();
    let candidates = if same_desc.is_empty() {
        fitting
    } else {
        same_desc
    };
    let chosen = match candidates.as_slice() {
        [] => return Ok(None),
        [only] => *only,
        several => {
            let grid = series_grid(first)?;
            let mut on_grid = Vec::new();
            for mask in several {
                if grid_of(&mask.source, |volume| &volume.grid)?.same_as(&grid) {
                    on_grid.push(*mask);
                }
            }
            match on_grid.as_slice() {
                [only] => *only,
                [] => return Err(several_masks(several)),
                _ => return Err(several_masks(&on_grid)),
            }
        }
    };
    let why = if desc.is_some() && chosen.entities.get("desc") == desc {
        "it has the same desc as the runs"
    } else if subject.masks.len() == 1 {
        "it is the only one"
    } else {
        "it is the only one that fits the runs"
    };
    assumptions.push(format!("mask {} is used: {why}", chosen.name));
    Ok(Some(chosen.clone()))
}

fn several_masks(masks: &[&Named<Volume>]) -> Error {
    let names: Vec<&str> = masks.iter().map(|mask| mask.name.as_str()).collect();
    Error::Choice(format!(
        "several masks go with these runs ({}): choose one with --mask, or none",
        names.join(", ")
    ))
}

/// A mask by its name, by its `desc` among those that fit, or a file.
fn named_mask(
    subject: &Subject,
    fitting: &[&Named<Volume>],
    wanted: &str,
) -> Result<Named<Volume>> {
    if let Some(mask) = subject.masks.iter().find(|mask| mask.name == wanted) {
        return Ok(mask.clone());
    }
    let desc = wanted.strip_prefix("desc-").unwrap_or(wanted);
    let by_desc: Vec<&Named<Volume>> = fitting
        .iter()
        .copied()
        .filter(|mask| mask.entities.get("desc").is_some_and(|d| d == desc))
        .collect();
    match by_desc.as_slice() {
        [only] => return Ok((*only).clone()),
        [] => {}
        several => return Err(several_masks(several)),
    }
    let path = Path::new(wanted);
    if path.is_file() {
        return Ok(Named {
            name: file_stem(path),
            entities: Entities::new(),
            source: Source::File(path.to_path_buf()),
        });
    }
    let names: Vec<&str> = subject
        .masks
        .iter()
        .map(|mask| mask.name.as_str())
        .collect();
    if names.is_empty() {
        return Err(Error::Choice(format!(
            "there is no mask “{wanted}”: subject {} has no masks, and no file has that name",
            subject.id
        )));
    }
    let place = format!("subject {} (and no file has that name)", subject.id);
    Err(unknown("mask", wanted, &place, &names))
}

/// The atlas in the runs' space; where regions are named, one that has them all.
pub(super) fn choose_atlas(
    subject: &Subject,
    runs: &[&BoldRun],
    rois: &[String],
    assumptions: &mut Vec<String>,
) -> Result<Option<Named<Atlas>>> {
    let mut atlases: Vec<&Named<Atlas>> = subject
        .atlases
        .iter()
        .filter(|atlas| fits(&atlas.entities, runs))
        .collect();
    if let Some(desc) = runs.first().and_then(|run| run.entities.get("desc")) {
        atlases.sort_by_key(|atlas| atlas.entities.get("desc") != Some(desc));
    }
    let Some(first) = atlases.first() else {
        return match rois.first() {
            Some(roi) => Err(unknown(
                "region",
                roi,
                &format!("subject {}'s atlases", subject.id),
                &[],
            )),
            None => Ok(None),
        };
    };
    if rois.is_empty() {
        if atlases.len() > 1 {
            assumptions.push(format!(
                "atlas {}, the first of {}, is used",
                first.name,
                atlases.len()
            ));
        }
        return Ok(Some((*first).clone()));
    }
    let mut all_names: Vec<String> = Vec::new();
    for atlas in &atlases {
        let names = region_names(&atlas.source)?;
        if rois.iter().all(|roi| has_region(&names, roi)) {
            return Ok(Some((*atlas).clone()));
        }
        all_names.extend(names);
    }
    let names: Vec<&str> = all_names.iter().map(String::as_str).collect();
    let place = match atlases.as_slice() {
        [only] => format!("atlas {}", only.name),
        _ => format!("the atlases of subject {}", subject.id),
    };
    match rois.iter().find(|roi| !has_region(&all_names, roi)) {
        Some(missing) => Err(unknown("region", missing, &place, &names)),
        None => Err(Error::Choice(format!(
            "no single atlas has all of {}: name regions of one atlas",
            rois.join(", ")
        ))),
    }
}

/// Region names are compared without regard to case.
fn has_region(names: &[String], wanted: &str) -> bool {
    names.iter().any(|name| name.eq_ignore_ascii_case(wanted))
}

fn region_names(source: &Source<Atlas>) -> Result<Vec<String>> {
    let atlas = run::quietly(|run| source.load(run)).map_err(|stop| match stop {
        Stop::Failed(error) => error,
        Stop::Cancelled => Error::data("reading the atlas was cancelled"),
    })?;
    Ok(atlas
        .regions
        .iter()
        .map(|region| region.name.clone())
        .collect())
}

/// Whether a mask or atlas can belong to the runs by its name: the same space, and no session,
/// task, run or the like that one of them contradicts.
fn fits(entities: &Entities, runs: &[&BoldRun]) -> bool {
    runs.iter().all(|run| {
        entities.get("space") == run.entities.get("space")
            && entities
                .iter()
                .filter(|(key, _)| !matches!(key.as_str(), "desc" | "label" | "res" | "den"))
                .all(|(key, value)| run.entities.get(key).is_none_or(|other| other == value))
    })
}

/// The grid of a run.
pub(super) fn series_grid(run: &BoldRun) -> Result<Grid> {
    grid_of(&run.bold, |series: &Series| &series.grid)
}

/// What a file of volumes says of itself.
pub(super) struct Head {
    /// Shape and place of a volume.
    pub(super) grid: Grid,
    /// How many.
    pub(super) n_volumes: usize,
    /// Seconds from one to the next, when the file says so.
    pub(super) tr_secs: Option<f64>,
}

/// From a NIfTI header alone, or from all of an MGH file.
pub(super) fn head_of(path: &Path) -> Result<Head> {
    if !matches!(detect::kind(path), Ok(Kind::Mgh)) {
        let header = nifti::read_header(path)?;
        let (n_volumes, tr_secs) = (header.n_volumes(), header.tr_secs);
        return Ok(Head {
            grid: header.grid,
            n_volumes,
            tr_secs,
        });
    }
    let series = run::quietly(|run| mgh::read_series(path, run)).map_err(|stop| match stop {
        Stop::Failed(error) => error,
        Stop::Cancelled => Error::data("reading the volumes was cancelled"),
    })?;
    Ok(Head {
        grid: series.grid,
        n_volumes: series.n_times,
        tr_secs: series.tr_secs,
    })
}

/// The grid of a NIfTI file, from its header, of a value in memory, or of one still to be made.
pub(super) fn grid_of<T>(source: &Source<T>, of_value: impl Fn(&T) -> &Grid) -> Result<Grid> {
    match source {
        Source::File(path) | Source::Entry { path, .. } => head_of(path).map(|head| head.grid),
        Source::Memory(value) => Ok(of_value(value).clone()),
        Source::Made(maker) => match &maker.outline {
            Some(outline) => Ok(outline.grid.clone()),
            None => run::quietly(|run| (maker.make)(run))
                .map(|value| of_value(&value).clone())
                .map_err(|stop| match stop {
                    Stop::Failed(error) => error,
                    Stop::Cancelled => Error::data("making the volume was cancelled"),
                }),
        },
    }
}

/// How a message calls a source: its file, else `name`.
pub(super) fn place<T>(source: &Source<T>, name: &str) -> String {
    match source {
        Source::File(path) | Source::Entry { path, .. } => path.display().to_string(),
        Source::Memory(_) => name.to_owned(),
        Source::Made(maker) => maker.label.clone(),
    }
}

/// An error that names both when their grids differ; `remedy` ends it.
pub(super) fn require_same(
    name: &str,
    grid: &Grid,
    other_name: &str,
    other: &Grid,
    remedy: &str,
) -> Result<()> {
    if grid.same_as(other) {
        return Ok(());
    }
    let [i, j, k] = grid.shape;
    let [oi, oj, ok] = other.shape;
    let difference = if grid.shape == other.shape {
        "has as many voxels, but lies elsewhere (another affine)".to_owned()
    } else {
        format!("has {i} × {j} × {k} voxels, the other {oi} × {oj} × {ok}")
    };
    Err(Error::data(format!(
        "{name} is not on the grid of {other_name}: it {difference}; {remedy}"
    )))
}
