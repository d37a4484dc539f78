//! Which voxels: the mask of a selection, cut down to its regions.

use std::path::PathBuf;

use crate::mask::Mask;
use crate::run::{Run, Stop};
use crate::study::select::Selection;
use crate::volume::{Atlas, Volume};
use crate::{Error, Result};

/// The voxels chosen, and where the choice came from for error messages.
pub(super) struct Region {
    pub(super) mask: Mask,
    pub(super) name: String,
    pub(super) path: Option<PathBuf>,
}

/// The mask of `selection` ∩ its regions; `None` when it names neither.
pub(super) fn mask(selection: &Selection<'_>, run: &Run<'_>) -> Result<Option<Region>, Stop> {
    let masked = match &selection.mask {
        Some(named) => {
            let volume = named.source.load(run)?;
            Some(from_mask(
                &volume,
                &named.name,
                named.source.path().map(PathBuf::from),
            )?)
        }
        None => None,
    };
    if selection.rois.is_empty() {
        return Ok(masked);
    }
    let Some(named) = &selection.atlas else {
        return Err(Error::Choice(
            "regions were named but the study has no atlas in the space of the runs: add a …_dseg.nii.gz, or drop --roi".into(),
        )
        .into());
    };
    let atlas = named.source.load(run)?;
    let regions = in_regions(&atlas, &selection.rois)?;
    let path = named.source.path().map(PathBuf::from);
    let Some(masked) = masked else {
        return Ok(Some(Region {
            mask: regions,
            name: format!("atlas {}", named.name),
            path,
        }));
    };
    if !masked.mask.grid().same_as(&atlas.grid) {
        let problem = format!(
            "atlas {} has {:?} voxels but {} ({}) has {:?}: resample one onto the other",
            named.name,
            atlas.grid.shape,
            masked.name,
            masked
                .path
                .as_ref()
                .map_or_else(|| "in memory".to_owned(), |p| p.display().to_string()),
            masked.mask.grid().shape
        );
        return Err(match path {
            Some(path) => Error::file(path, problem),
            None => Error::data(problem),
        }
        .into());
    }
    let both = masked.mask.and(&regions)?;
    if both.is_empty() {
        return Err(Error::Choice(format!(
            "no voxel lies both in {} and in {}: choose another mask or region",
            masked.name,
            selection.rois.join(", ")
        ))
        .into());
    }
    Ok(Some(Region {
        mask: both,
        ..masked
    }))
}

fn from_mask(volume: &Volume, name: &str, path: Option<PathBuf>) -> Result<Region> {
    let mask = Mask::from_volume(volume);
    if mask.is_empty() {
        let problem = "this mask holds no voxel above 0.5: choose another";
        return Err(match path {
            Some(path) => Error::file(path, problem),
            None => Error::data(format!("mask {name}: {problem}")),
        });
    }
    Ok(Region {
        mask,
        name: format!("mask {name}"),
        path,
    })
}

/// The voxels of the named regions; names are compared without regard to case.
pub(super) fn in_regions(atlas: &Atlas, names: &[String]) -> Result<Mask> {
    let mut keys = Vec::new();
    for name in names {
        let found: Vec<i32> = atlas
            .regions
            .iter()
            .filter(|r| r.name.eq_ignore_ascii_case(name))
            .map(|r| r.key)
            .collect();
        if found.is_empty() {
            let all: Vec<&str> = atlas.regions.iter().map(|r| r.name.as_str()).collect();
            return Err(Error::Choice(format!(
                "no region is called “{name}”; there are: {}",
                all.join(", ")
            )));
        }
        keys.extend(found);
    }
    let mask = Mask::new(atlas.grid.clone(), |v| keys.contains(&atlas.keys[v]));
    if mask.is_empty() {
        return Err(Error::Choice(format!(
            "the atlas names {} but gives it no voxel",
            names.join(", ")
        )));
    }
    Ok(mask)
}
