//! Loading by what a file holds: where each kind of data meets all the formats that keep it.
//!
//! A file that is none of them goes to the reader of the commonest, whose error says what to give.

use std::path::Path;

use crate::io::cifti::{self, Cifti};
use crate::io::detect::{self, Kind};
use crate::io::freesurfer::{self, mgh};
use crate::io::{gifti, nifti};
use crate::run::{Run, Stop};
use crate::study::Load;
use crate::surface::{Hemisphere, Surface, VertexLabels, VertexMap};
use crate::volume::{Series, Volume};
use crate::{Error, Result};

impl Load for Surface {
    fn load(path: &Path, run: &Run<'_>) -> std::result::Result<Self, Stop> {
        run.check()?;
        Ok(match detect::kind(path) {
            Ok(Kind::FreesurferSurface) => freesurfer::read_surface(path)?,
            _ => gifti::read_surface(path)?,
        })
    }
}

impl Load for VertexMap {
    /// The first map of the file.
    fn load(path: &Path, run: &Run<'_>) -> std::result::Result<Self, Stop> {
        run.check()?;
        let (map, n_maps) = match detect::kind(path) {
            Ok(Kind::FreesurferMap) => (freesurfer::read_curv(path)?, 1),
            Ok(Kind::Mgh) => first(mgh::read_map(path, run)?),
            Ok(Kind::Cifti) => {
                let file = cifti::read(path, run)?;
                let map = file.surface_map(side_of(path, &file)?, 0);
                (named(path, map)?, file.n_maps())
            }
            _ => first(gifti::read_map(path)?),
        };
        warn_of_more(path, n_maps, run);
        Ok(map)
    }
}

impl Load for VertexLabels {
    /// The first labels of the file.
    fn load(path: &Path, run: &Run<'_>) -> std::result::Result<Self, Stop> {
        run.check()?;
        Ok(match detect::kind(path) {
            Ok(Kind::FreesurferAnnot) => freesurfer::read_annot(path)?,
            Ok(Kind::Cifti) => {
                let file = cifti::read(path, run)?;
                warn_of_more(path, file.n_maps(), run);
                let labels = file.surface_labels(side_of(path, &file)?, 0);
                named(path, labels)?
            }
            _ => gifti::read_labels(path)?,
        })
    }
}

impl Load for Volume {
    fn load(path: &Path, run: &Run<'_>) -> std::result::Result<Self, Stop> {
        run.check()?;
        match detect::kind(path) {
            Ok(Kind::Mgh) => mgh::read_volume(path, run),
            _ => nifti::read_volume(path, run),
        }
    }
}

impl Load for Series {
    fn load(path: &Path, run: &Run<'_>) -> std::result::Result<Self, Stop> {
        run.check()?;
        match detect::kind(path) {
            Ok(Kind::Mgh) => mgh::read_series(path, run),
            _ => nifti::read_series(path, run),
        }
    }
}

/// The first of some maps, of which readers give at least one, and how many there are.
fn first(mut maps: Vec<VertexMap>) -> (VertexMap, usize) {
    let n_maps = maps.len();
    (maps.swap_remove(0), n_maps)
}

fn warn_of_more(path: &Path, n_maps: usize, run: &Run<'_>) {
    if n_maps > 1 {
        run.warn(format!(
            "{}: holds {n_maps} maps; used the first",
            path.display()
        ));
    }
}

/// The hemisphere to take from a table: the only one in it, else the one that its name tells of.
fn side_of(path: &Path, file: &Cifti) -> Result<Hemisphere> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match file.hemispheres().as_slice() {
        [] => Err(Error::file(
            path,
            "has no values on the cortex: give a file with a cortical surface",
        )),
        [only] => Ok(*only),
        _ => gifti::hemisphere_in_name(&name).ok_or_else(|| {
            Error::file(
                path,
                "holds both hemispheres: put lh or rh into its name to say which to take, or part it with wb_command -cifti-separate",
            )
        }),
    }
}

/// Lets an error that speaks of no file speak of this one.
fn named<T>(path: &Path, result: Result<T>) -> Result<T> {
    result.map_err(|e| match e {
        Error::Data(problem) | Error::Choice(problem) => Error::file(path, problem),
        e => e,
    })
}
