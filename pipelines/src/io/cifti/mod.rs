//! CIFTI-2: values at vertices of both hemispheres and voxels below them, in one table.
//!
//! Standard: <https://www.nitrc.org/projects/cifti>. A file is a NIfTI-2 whose matrix follows a
//! description in XML. It says which vertices and voxels there are, not where the vertices lie:
//! that is in the surfaces of the same mesh, which are told by their number of vertices.

mod container;
mod xml;

use std::path::Path;

use crate::io::dtype::decode;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::surface::{Hemisphere, VertexLabels, VertexMap};
use crate::volume::{Region, Volume};
use crate::{Error, Result};

use container::Container;

/// Bytes converted between two looks at the cancel flag: a few milliseconds of work.
const CHUNK: usize = 1 << 20;

/// A CIFTI-2 file whose rows are maps: `dscalar`, `dtseries`, `dlabel`, and the same over parcels.
#[derive(Clone, Debug)]
pub struct Cifti {
    /// What the columns stand for.
    pub places: Places,
    /// What the rows stand for.
    pub maps: Maps,
    /// Maps × places. A label is its key.
    pub values: Matrix,
}

/// Where the columns of the values are in the brain.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Places {
    /// One a structure that is a surface.
    pub surfaces: Vec<SurfacePart>,
    /// One a structure that is made of voxels.
    pub voxels: Vec<VoxelPart>,
    /// The voxel grid, when there are voxels.
    pub grid: Option<Grid>,
    /// The names of the parcels, one a column; empty when a column is a vertex or voxel of its own.
    pub parcels: Vec<String>,
}

/// The vertices of one surface. In a parcellated file several vertices share a column.
#[derive(Clone, Debug, PartialEq)]
pub struct SurfacePart {
    /// The structure: `CORTEX_LEFT`, `CORTEX_RIGHT`, `CEREBELLUM`, …
    pub structure: String,
    /// Vertices of the whole surface, those without a value (the medial wall) included.
    pub n_vertices: usize,
    /// The vertices that have a value.
    pub vertices: Vec<u32>,
    /// The column of each.
    pub columns: Vec<u32>,
}

/// The voxels of one structure. In a parcellated file several voxels share a column.
#[derive(Clone, Debug, PartialEq)]
pub struct VoxelPart {
    /// The structure: `THALAMUS_LEFT`, …; empty in a parcellated file, which does not say.
    pub structure: String,
    /// The voxels that have a value.
    pub voxels: Vec<[u32; 3]>,
    /// The column of each.
    pub columns: Vec<u32>,
}

/// What the rows of the values are.
#[derive(Clone, Debug, PartialEq)]
pub enum Maps {
    /// Maps of numbers, by name.
    Scalars(Vec<String>),
    /// Points of a series.
    Series {
        /// Of the first point, in `unit`s.
        start: f64,
        /// From one point to the next, in `unit`s.
        step: f64,
        /// `SECOND`, `HERTZ`, `METER` or `RADIAN`.
        unit: String,
    },
    /// Maps of region keys.
    Labels(Vec<LabelMap>),
}

/// A map of region keys.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelMap {
    /// Its name.
    pub name: String,
    /// Its regions.
    pub regions: Vec<Region>,
}

/// Reads a CIFTI-2 file whole.
///
/// # Errors
/// When the file is no CIFTI-2 (CIFTI-1 is refused, with the command that converts it), joins places
/// with places (`dconn`), contradicts itself, or is cut short.
pub fn read(path: &Path, run: &Run<'_>) -> std::result::Result<Cifti, Stop> {
    run.check()?;
    let container = container::open(path)?;
    let table = xml::parse(path, &container.xml, container.dims)?;
    run.check()?;
    let values = read_values(path, container, table.places_first, run)?;
    Ok(Cifti {
        places: table.places,
        maps: table.maps,
        values,
    })
}

/// Reads the matrix as maps × places. On disk the first dimension runs fastest, and it is the maps
/// in all common files: one place has all its values side by side.
fn read_values(
    path: &Path,
    mut container: Container,
    places_first: bool,
    run: &Run<'_>,
) -> std::result::Result<Matrix, Stop> {
    let [n_fast, n_slow] = container.dims;
    let (n_maps, n_places) = if places_first {
        (n_slow, n_fast)
    } else {
        (n_fast, n_slow)
    };
    let mut values = Vec::new();
    values
        .try_reserve_exact(n_maps * n_places)
        .map_err(|_no_memory| {
            Error::file(
                path,
                format!(
                    "needs {:.1} GB of memory, more than this machine gives: read it on a larger one",
                    (n_maps * n_places) as f64 * 4e-9
                ),
            )
        })?;
    values.resize(n_maps * n_places, 0.0f32);

    let size = container.datatype.size();
    let lines_at_once = (CHUNK / size / n_fast).max(1);
    let mut bytes = vec![0; n_fast * size * lines_at_once.min(n_slow)];
    let mut stored = vec![0.0f32; n_fast * lines_at_once.min(n_slow)];
    let (slope, inter) = container.scaling.unwrap_or((1.0, 0.0));
    for first in (0..n_slow).step_by(lines_at_once) {
        run.check()?;
        let n_lines = lines_at_once.min(n_slow - first);
        let bytes = &mut bytes[..n_lines * n_fast * size];
        let stored = &mut stored[..n_lines * n_fast];
        container.file.fill(bytes)?;
        decode(container.datatype, container.order, bytes, stored, |v| {
            (v * slope + inter) as f32
        });
        if places_first {
            values[first * n_fast..][..stored.len()].copy_from_slice(stored);
        } else {
            for (map, row) in values.chunks_exact_mut(n_places).enumerate() {
                let column = stored.iter().skip(map).step_by(n_fast);
                for (value, stored) in row[first..first + n_lines].iter_mut().zip(column) {
                    *value = *stored;
                }
            }
        }
        run.progress(first + n_lines, n_slow);
    }
    container.file.finish()?;
    Ok(Matrix::from_values(n_maps, n_places, values)?)
}

impl Cifti {
    /// Rows of the values.
    pub fn n_maps(&self) -> usize {
        self.values.n_rows
    }

    /// The name of a map; of a point in a series, its place on the axis.
    pub fn map_name(&self, map: usize) -> String {
        match &self.maps {
            Maps::Scalars(names) => names.get(map).cloned().unwrap_or_default(),
            Maps::Labels(maps) => maps.get(map).map(|m| m.name.clone()).unwrap_or_default(),
            Maps::Series { start, step, unit } => {
                format!("{} {}", start + step * map as f64, unit.to_lowercase())
            }
        }
    }

    /// Seconds from one row to the next, when the rows are points in time.
    pub fn tr_secs(&self) -> Option<f64> {
        match &self.maps {
            Maps::Series { step, unit, .. } if unit == "SECOND" => Some(*step),
            _ => None,
        }
    }

    /// The hemispheres that have values.
    pub fn hemispheres(&self) -> Vec<Hemisphere> {
        let is_there = |side: &Hemisphere| self.cortex(*side).is_ok();
        let both = [Hemisphere::Left, Hemisphere::Right];
        both.into_iter().filter(is_there).collect()
    }

    /// One map over a hemisphere, NaN where the file has no value (the medial wall). The value of a
    /// parcel is at all its vertices.
    ///
    /// # Errors
    /// When the file has no such hemisphere or map.
    pub fn surface_map(&self, hemisphere: Hemisphere, map: usize) -> Result<VertexMap> {
        let part = self.cortex(hemisphere)?;
        let row = self.row(map)?;
        let mut values = vec![f32::NAN; part.n_vertices];
        for (&vertex, &column) in part.vertices.iter().zip(&part.columns) {
            values[vertex as usize] = row[column as usize];
        }
        Ok(VertexMap {
            name: self.map_name(map),
            values: values.into(),
        })
    }

    /// One map of region keys over a hemisphere, 0 where the file has no value.
    ///
    /// # Errors
    /// When the file has no such hemisphere or map, or its maps are not labels.
    pub fn surface_labels(&self, hemisphere: Hemisphere, map: usize) -> Result<VertexLabels> {
        let part = self.cortex(hemisphere)?;
        let row = self.row(map)?;
        let Maps::Labels(maps) = &self.maps else {
            return Err(Error::data(
                "the file's maps are numbers and not regions: give a dlabel file",
            ));
        };
        let mut keys = vec![0; part.n_vertices];
        for (&vertex, &column) in part.vertices.iter().zip(&part.columns) {
            let value = row[column as usize];
            let key = value as i32;
            if f64::from(key) != f64::from(value) {
                return Err(Error::data(format!(
                    "vertex {vertex} has the label {value}, which is no whole number: write the labels again"
                )));
            }
            keys[vertex as usize] = key;
        }
        Ok(VertexLabels {
            keys: keys.into(),
            regions: maps.get(map).map(|m| m.regions.clone()).unwrap_or_default(),
        })
    }

    /// One map on the voxel grid, NaN where the file has no value.
    ///
    /// # Errors
    /// When the file has no voxels or no such map.
    pub fn volume(&self, map: usize) -> Result<Volume> {
        let row = self.row(map)?;
        let Some(grid) = &self.places.grid else {
            return Err(Error::data(
                "the file has values on surfaces only and no voxels: show it on surfaces",
            ));
        };
        let mut data = vec![f32::NAN; grid.n_voxels()];
        for part in &self.places.voxels {
            for (voxel, &column) in part.voxels.iter().zip(&part.columns) {
                data[grid.index(voxel.map(|i| i as usize))] = row[column as usize];
            }
        }
        Ok(Volume {
            grid: grid.clone(),
            data: data.into(),
            assumptions: Vec::new(),
        })
    }

    fn row(&self, map: usize) -> Result<&[f32]> {
        if map < self.n_maps() {
            return Ok(self.values.row(map));
        }
        Err(Error::Choice(format!(
            "there is no map {map}: the file has {}, counted from 0",
            self.n_maps()
        )))
    }

    fn cortex(&self, hemisphere: Hemisphere) -> Result<&SurfacePart> {
        let wanted = match hemisphere {
            Hemisphere::Left => "CORTEX_LEFT",
            Hemisphere::Right => "CORTEX_RIGHT",
        };
        let surfaces = &self.places.surfaces;
        surfaces
            .iter()
            .find(|s| s.structure == wanted)
            .ok_or_else(|| {
                let there: Vec<&str> = surfaces.iter().map(|s| s.structure.as_str()).collect();
                Error::Choice(format!(
                    "the file has no surface {wanted}: choose among {there:?}"
                ))
            })
    }
}
