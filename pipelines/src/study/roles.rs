//! What a single file is to a subject: its run, its anatomy, its regions, a surface of it, or a map over it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::io::atlas;
use crate::io::detect::{self, Kind};
use crate::run::{Run, Stop};
use crate::study::Load;
use crate::study::companions::head_of;
use crate::study::surfaces::{self, SheetPart};
use crate::surface::Shape;
use crate::volume::Volume;
use crate::{Error, Result};

/// What a file is to a subject.
#[derive(Clone, Debug)]
pub enum Role {
    /// A series of volumes.
    Run,
    /// A single volume, read.
    Volume(VolumeRole, Volume),
    /// Vertices and triangles.
    Surface(Shape),
    /// Regions of a hemisphere.
    Labels,
    /// Sulcal depth or curvature, by its name: how surfaces are shaded.
    Shading,
    /// Other numbers on the vertices of a hemisphere.
    SheetMap,
    /// Numbers or regions on both hemispheres and in voxels (CIFTI-2).
    Grayordinates,
    /// A table of text.
    Table,
    /// Not something to be looked at; the words say what.
    Other(&'static str),
}

/// What a single volume is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VolumeRole {
    /// Zeros and ones, or a mask by its name.
    Mask,
    /// Whole numbers in patches, or beside a table of names, which is named here.
    Atlas(Option<PathBuf>),
    /// An anatomy by its name.
    Anatomy,
    /// No number is negative.
    Plain,
    /// Some are, as in a statistic.
    Signed,
}

/// What a file is, by its content, and by its name where that does not tell.
///
/// # Errors
/// When it cannot be read or is of no known kind.
pub fn of(path: &Path, run: &Run<'_>) -> Result<Role, Stop> {
    let shades = matches!(
        surfaces::part_of(path),
        Some(SheetPart::SulcalDepth | SheetPart::Curvature)
    );
    Ok(match detect::kind(path)? {
        Kind::GiftiMap | Kind::FreesurferMap | Kind::Cifti if shades => Role::Shading,
        Kind::Mgh if is_sheet_map(path)? => Role::SheetMap,
        Kind::Nifti | Kind::Mgh => {
            if head_of(path)?.n_volumes > 1 {
                return Ok(Role::Run);
            }
            let (role, volume) = of_volume(path, run)?;
            Role::Volume(role, volume)
        }
        Kind::GiftiSurface | Kind::FreesurferSurface => {
            let shape = match surfaces::part_of(path) {
                Some(SheetPart::Shape(shape)) => shape,
                _ => Shape::Pial,
            };
            Role::Surface(shape)
        }
        Kind::GiftiMap | Kind::FreesurferMap => Role::SheetMap,
        Kind::GiftiLabels | Kind::FreesurferAnnot => Role::Labels,
        Kind::Cifti => Role::Grayordinates,
        Kind::Table => Role::Table,
        Kind::FreesurferLabel | Kind::FreesurferPatch => {
            Role::Other("a piece of a surface: give the whole surface")
        }
        Kind::Picture => Role::Other("a picture: stimuli come with a study"),
        Kind::Npy | Kind::Npz => {
            Role::Other("arrays of numbers: name them as betas in a study.toml")
        }
    })
}

/// What a file of one volume is, and the volume.
pub(super) fn of_volume(path: &Path, run: &Run<'_>) -> Result<(VolumeRole, Volume), Stop> {
    let volume = Volume::load(path, run)?;
    let table = atlas::table_of(path);
    let role = if is_mask(&volume) || has_word(path, &["mask"]) {
        VolumeRole::Mask
    } else if is_whole(&volume) && (table.is_some() || is_patchy(&volume)) {
        VolumeRole::Atlas(table)
    } else if has_word(path, &["t1", "t1w", "anat", "mprage"]) || is_freesurfer_anatomy(path) {
        VolumeRole::Anatomy
    } else if volume.data.iter().any(|&value| value < 0.0) {
        VolumeRole::Signed
    } else {
        VolumeRole::Plain
    };
    Ok((role, volume))
}

/// Whether an MGH file holds values of vertices: n × 1 × 1.
pub(super) fn is_sheet_map(path: &Path) -> Result<bool, Error> {
    let [_, nj, nk] = head_of(path)?.grid.shape;
    Ok(nj == 1 && nk == 1)
}

/// Whether a file is one of the structural volumes in FreeSurfer's folder `mri`.
fn is_freesurfer_anatomy(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let names = ["brain", "brainmask", "norm", "nu", "orig", "rawavg"];
    name.strip_suffix(".mgz")
        .or_else(|| name.strip_suffix(".mgh"))
        .is_some_and(|stem| names.contains(&stem))
}

/// Whether one of these is a word of the file's name.
fn has_word(path: &Path, wanted: &[&str]) -> bool {
    surfaces::words_of(path)
        .iter()
        .any(|word| wanted.contains(&word.as_str()))
}

fn is_mask(volume: &Volume) -> bool {
    volume
        .data
        .iter()
        .all(|&value| value == 0.0 || value == 1.0)
        && volume.data.contains(&1.0)
}

fn is_whole(volume: &Volume) -> bool {
    volume.data.iter().all(|value| value.fract() == 0.0)
}

/// Whether the values form patches, as labels do and grey values do not: few different ones, and
/// most neighbours along i alike where either is not 0.
fn is_patchy(volume: &Volume) -> bool {
    const MOST_REGIONS: usize = 2000;
    let mut values = BTreeSet::new();
    let (mut n_alike, mut n_pairs) = (0usize, 0usize);
    for row in volume.data.chunks_exact(volume.grid.shape[0].max(1)) {
        for pair in row.windows(2) {
            if let [a, b] = pair
                && (*a != 0.0 || *b != 0.0)
            {
                n_pairs += 1;
                n_alike += usize::from(a == b);
            }
        }
        values.extend(row.iter().map(|value| *value as i64));
        if values.len() > MOST_REGIONS {
            return false;
        }
    }
    2 * n_alike > n_pairs
}
