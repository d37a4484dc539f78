//! Regions as files: NIfTI with a table of names, GIFTI labels, FreeSurfer's `.label` and `.annot`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::transfer::Sheet;
use super::{Patch, Roi, known_voxels, onto};
use crate::io::atlas::colour_of_key;
use crate::io::detect::{self, Kind};
use crate::io::gifti::hemisphere_in_name;
use crate::io::{freesurfer, gifti, nifti};
use crate::mask::Mask;
use crate::run::{Run, Stop};
use crate::study::{Load, derivative};
use crate::surface::{Hemisphere, VertexLabels};
use crate::volume::{Atlas, Region};
use crate::{Error, Result};

/// The endings that are written, for the user.
pub const ENDINGS: &str = ".nii.gz, .nii, .label.gii, .label or .annot";

/// A kind of file that holds regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A NIfTI volume of whole numbers, with a table of their names beside it (BIDS's `dseg.tsv`).
    Volume,
    /// GIFTI labels, one file a hemisphere.
    Gifti,
    /// FreeSurfer's list of vertices: one region and hemisphere a file.
    Label,
    /// FreeSurfer's annotation, one file a hemisphere.
    Annot,
}

impl Format {
    /// What the name of a file asks for.
    ///
    /// # Errors
    /// When it has none of the [`ENDINGS`].
    pub fn of(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.to_ascii_lowercase();
        let ends = |ending: &str| name.ends_with(ending);
        if ends(".nii") || ends(".nii.gz") {
            Ok(Self::Volume)
        } else if ends(".gii") {
            Ok(Self::Gifti)
        } else if ends(".label") {
            Ok(Self::Label)
        } else if ends(".annot") {
            Ok(Self::Annot)
        } else {
            let problem = format!("regions are not written under such a name: end it in {ENDINGS}");
            Err(Error::file(path, problem))
        }
    }
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Written {
    /// The files.
    pub paths: Vec<PathBuf>,
    /// What was settled without being asked for, in sentences.
    pub notes: Vec<String>,
}

/// Writes regions in the format that the name of the file asks for. In a volume, and in labels of vertices, they get the
/// numbers 1, 2, … in their order; what lies in several belongs to the first of them, and a note says how much that is.
/// Files of a hemisphere get `lh.` or `rh.` before their name, unless it says already which one is meant.
///
/// # Errors
/// When there are no regions, they lack what the format holds, the name asks for no format, or a file cannot be written.
pub fn write(path: &Path, rois: &[Roi], sheets: &[Sheet<'_>]) -> Result<Written> {
    let format = Format::of(path)?;
    if rois.is_empty() {
        return Err(Error::file(
            path,
            "there are no regions to write: choose some",
        ));
    }
    match format {
        Format::Volume => write_volume(path, rois),
        Format::Label if rois.len() > 1 => Err(Error::file(
            path,
            format!(
                "a .label file holds one region, not {}: write one at a time, or an .annot",
                rois.len()
            ),
        )),
        Format::Gifti | Format::Label | Format::Annot => write_sides(path, format, rois, sheets),
    }
}

fn write_volume(path: &Path, rois: &[Roi]) -> Result<Written> {
    let mut written = Written::default();
    let grid = known_voxels(&rois[0])?.grid().clone();
    let mut keys = vec![0; grid.n_voxels()];
    let mut n_shared = 0;
    for (roi, key) in rois.iter().zip(1..) {
        let voxels = known_voxels(roi)?;
        if !voxels.grid().same_as(&grid) {
            written.notes.push(format!(
                "{} was brought onto the grid of {} ({:?} voxels), nearest voxel",
                roi.name, rois[0].name, grid.shape
            ));
        }
        for &v in onto(voxels, &grid).voxels() {
            match &mut keys[v as usize] {
                free @ 0 => *free = key,
                _ => n_shared += 1,
            }
        }
    }
    written.notes.extend(shared(n_shared, "voxels"));
    nifti::write_labels(path, &grid, &keys)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = stem.strip_suffix(".nii").unwrap_or(stem);
    let table = path.with_file_name(format!("{stem}.tsv"));
    derivative::write_regions(&table, &regions(rois))?;
    written.paths = vec![path.to_path_buf(), table];
    Ok(written)
}

fn shared(n: usize, what: &str) -> Option<String> {
    let words = format!("{n} {what} lie in several regions: they went to the first of them");
    (n > 0).then_some(words)
}

fn regions(rois: &[Roi]) -> Vec<Region> {
    let numbered = rois.iter().zip(1..);
    numbered
        .map(|(roi, key)| Region {
            key,
            name: roi.name.clone(),
            colour: roi.colour,
        })
        .collect()
}

fn write_sides(path: &Path, format: Format, rois: &[Roi], sheets: &[Sheet<'_>]) -> Result<Written> {
    let mut written = Written::default();
    if let Some(roi) = rois.iter().find(|roi| roi.patches.is_empty()) {
        return Err(Error::data(format!(
            "{} has voxels and no vertices: write it as .nii.gz, or bring it onto a surface first",
            roi.name
        )));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let asked = hemisphere_in_name(&name);
    for (hemisphere, prefix) in [(Hemisphere::Left, "lh."), (Hemisphere::Right, "rh.")] {
        let patches = || rois.iter().filter_map(|roi| roi.patch(hemisphere));
        let n_members: usize = patches().map(|p| p.vertices.len()).sum();
        if n_members == 0 {
            continue;
        }
        if asked.is_some_and(|asked| asked != hemisphere) {
            written.notes.push(format!(
                "{n_members} vertices of the other hemisphere were left out, for the name says which one is meant"
            ));
            continue;
        }
        let path = match asked {
            Some(_) => path.to_path_buf(),
            None => path.with_file_name(format!("{prefix}{name}")),
        };
        let n_vertices = patches().map(|p| p.n_vertices).next().unwrap_or_default();
        if format == Format::Label {
            let sheet = sheets.iter().find(|s| s.hemisphere == hemisphere);
            let places = sheet.map(|s| &*s.inner.vertices);
            let vertices: Vec<u32> = patches().flat_map(|p| p.vertices.iter().copied()).collect();
            freesurfer::write_label(&path, &vertices, places)?;
        } else {
            let (labels, n_shared) = labels(rois, hemisphere, n_vertices)?;
            written.notes.extend(shared(n_shared, "vertices"));
            if format == Format::Gifti {
                gifti::write_labels(&path, &labels, Some(hemisphere))?;
            } else {
                written
                    .notes
                    .extend(freesurfer::write_annot(&path, &labels)?);
            }
        }
        written.paths.push(path);
    }
    if written.paths.is_empty() {
        return Err(Error::file(
            path,
            "the regions hold no vertex of that hemisphere: nothing was written",
        ));
    }
    Ok(written)
}

/// The labels of a hemisphere, and how many vertices lie in several regions.
fn labels(
    rois: &[Roi],
    hemisphere: Hemisphere,
    n_vertices: usize,
) -> Result<(VertexLabels, usize)> {
    let mut keys = vec![0; n_vertices];
    let mut n_shared = 0;
    for (roi, key) in rois.iter().zip(1..) {
        let Some(patch) = roi.patch(hemisphere) else {
            continue;
        };
        if patch.n_vertices != n_vertices {
            return Err(Error::data(format!(
                "{} is on a surface of {} vertices and {} on one of {n_vertices}: write them apart",
                roi.name, patch.n_vertices, rois[0].name
            )));
        }
        for &v in patch.vertices.iter() {
            match keys.get_mut(v as usize) {
                Some(free @ 0) => *free = key,
                _ => n_shared += 1,
            }
        }
    }
    let labels = VertexLabels {
        keys: keys.into(),
        regions: regions(rois),
    };
    Ok((labels, n_shared))
}

/// The regions that a file holds: a volume of whole numbers, GIFTI labels, an annotation, or a FreeSurfer label (for
/// which `n_vertices` says how many its surface has; without, as many as its last vertex asks for).
///
/// # Errors
/// When the file holds no regions, or those of a surface and neither its name nor its folder's says which hemisphere.
pub fn read(path: &Path, n_vertices: Option<usize>, run: &Run<'_>) -> Result<Vec<Roi>, Stop> {
    match detect::kind(path)? {
        Kind::Nifti | Kind::Mgh => Ok(of_atlas(&Atlas::load(path, run)?)),
        Kind::GiftiLabels => Ok(of_labels(&gifti::read_labels(path)?, side_of(path)?)),
        Kind::FreesurferAnnot => Ok(of_labels(&freesurfer::read_annot(path)?, side_of(path)?)),
        Kind::FreesurferLabel => {
            let label = freesurfer::read_label(path)?;
            let vertices = super::sets::ascending(label.vertices);
            let least = vertices.last().map_or(0, |v| *v as usize + 1);
            let n_vertices = n_vertices.unwrap_or(least);
            if least > n_vertices {
                return Err(Error::file(
                    path,
                    format!("names the vertex {} and the surface has {n_vertices}: take the surface it was drawn on", least - 1),
                )
                .into());
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let name = name.strip_suffix(".label").unwrap_or(&name);
            let bare = ["lh.", "rh."].iter().find_map(|side| name.strip_prefix(side));
            Ok(vec![Roi {
                name: bare.unwrap_or(name).to_owned(),
                colour: colour_of_key(1),
                voxels: None,
                patches: vec![Patch {
                    hemisphere: side_of(path)?,
                    n_vertices,
                    vertices: vertices.into(),
                }],
            }])
        }
        other => Err(Error::file(
            path,
            format!("holds no regions ({other:?}): name an atlas of whole numbers, .label.gii, .annot or .label"),
        )
        .into()),
    }
}

fn side_of(path: &Path) -> Result<Hemisphere> {
    let name = |path: &Path| Some(path.file_name()?.to_string_lossy().into_owned());
    let own = name(path).and_then(|name| hemisphere_in_name(&name));
    let folder = || hemisphere_in_name(&name(path.parent()?)?);
    own.or_else(folder).ok_or_else(|| {
        Error::file(
            path,
            "its name does not say which side of the brain it is: put lh, rh, left or right in the name",
        )
    })
}

/// The regions of an atlas in its order; keys of one name are one region, and those without a voxel are left out.
pub fn of_atlas(atlas: &Atlas) -> Vec<Roi> {
    let mut members: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
    for (v, &key) in (0..).zip(atlas.keys.iter()) {
        if key != 0 {
            members.entry(key).or_default().push(v);
        }
    }
    let mut rois: Vec<Roi> = Vec::new();
    for region in &atlas.regions {
        let Some(voxels) = members.remove(&region.key) else {
            continue;
        };
        match rois.iter_mut().find(|roi| roi.name == region.name) {
            Some(roi) => {
                let before = roi.voxels.iter().flat_map(Mask::voxels);
                let all = before.copied().chain(voxels).collect();
                roi.voxels = Some(Mask::of(atlas.grid.clone(), all));
            }
            None => rois.push(Roi::of_voxels(
                region.name.clone(),
                region.colour,
                Mask::of(atlas.grid.clone(), voxels),
            )),
        }
    }
    rois
}

/// The regions of labelled vertices, in their order; those without a vertex are left out.
pub fn of_labels(labels: &VertexLabels, hemisphere: Hemisphere) -> Vec<Roi> {
    let mut members: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
    for (v, &key) in (0..).zip(labels.keys.iter()) {
        if key != 0 {
            members.entry(key).or_default().push(v);
        }
    }
    let regions = labels.regions.iter();
    let roi = |region: &Region| {
        let patch = Patch {
            hemisphere,
            n_vertices: labels.keys.len(),
            vertices: members.get(&region.key)?.as_slice().into(),
        };
        Some(Roi {
            name: region.name.clone(),
            colour: region.colour,
            voxels: None,
            patches: vec![patch],
        })
    };
    regions.filter_map(roi).collect()
}
