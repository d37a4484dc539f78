//! MGH and MGZ: FreeSurfer's volumes, series, and maps over vertices kept as volumes.
//! Layout: <https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat>.

use std::path::Path;
use std::sync::Arc;

use glam::{DAffine3, DMat3, DVec3};

use super::map_name;
use crate::io::bytes::Bytes;
use crate::io::dtype::{ByteOrder, Datatype, decode};
use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::surface::VertexMap;
use crate::volume::{Series, Volume};
use crate::{Error, Result};

const HEADER: usize = 284;

/// Bytes converted between two looks at the cancel flag: a few milliseconds of work.
const CHUNK: usize = 1 << 20;

/// Reads a volume of one frame.
///
/// # Errors
/// When the file is no MGH, holds several frames or a type that is not known, or is cut short.
pub fn read_volume(path: &Path, run: &Run<'_>) -> std::result::Result<Volume, Stop> {
    let series = read_series(path, run)?;
    if series.n_times != 1 {
        let problem = format!(
            "is a series of {} volumes where one volume is needed: open it as a BOLD run, or save one of its volumes as a file of its own",
            series.n_times
        );
        return Err(Error::file(path, problem).into());
    }
    Ok(Volume {
        grid: series.grid,
        data: series.data,
        assumptions: series.assumptions,
    })
}

/// Reads all frames, with the TR that stands behind them when there is one.
///
/// # Errors
/// As [`read_volume`], for any number of frames.
pub fn read_series(path: &Path, run: &Run<'_>) -> std::result::Result<Series, Stop> {
    run.check()?;
    let mut file = Bytes::open(path)?;
    let available = file.at_most();
    let header = parse(path, &file.up_to(HEADER as u64)?)?;
    let n_values = header.n_values(path, available)?;

    let mut data: Arc<[f32]> = std::iter::repeat_n(0.0, n_values).collect();
    // The only handle there is, so this copies nothing.
    let out = Arc::make_mut(&mut data);
    let size = header.datatype.size();
    let mut bytes = vec![0; CHUNK.min(n_values * size)];
    let mut done = 0;
    for out in out.chunks_mut(CHUNK / size) {
        run.check()?;
        let bytes = &mut bytes[..out.len() * size];
        file.fill(bytes)?;
        decode(header.datatype, ByteOrder::Big, bytes, out, |v| v as f32);
        done += bytes.len();
        run.progress(done, n_values * size);
    }
    // Behind the values, if the file goes on: TR in ms, flip angle, TE, TI.
    let tr_ms = file.up_to(4)?.first_chunk().map(|t| f32::from_be_bytes(*t));
    let tr_secs = tr_ms
        .filter(|t| t.is_finite() && *t > 0.0 && header.n_frames > 1)
        .map(|t| f64::from(t) * 1e-3);
    file.finish()?;
    Ok(Series {
        grid: header.grid,
        n_times: header.n_frames,
        tr_secs,
        data,
        assumptions: header.assumptions,
    })
}

/// Reads maps over vertices, kept as n × 1 × 1 voxels and one frame each.
///
/// # Errors
/// As [`read_series`]; when the file holds a volume of two or three dimensions.
pub fn read_map(path: &Path, run: &Run<'_>) -> std::result::Result<Vec<VertexMap>, Stop> {
    let series = read_series(path, run)?;
    let [ni, nj, nk] = series.grid.shape;
    if series.grid.shape.iter().filter(|&&n| n > 1).count() > 1 {
        let problem = format!(
            "is a volume of {ni} × {nj} × {nk} voxels and not a map over vertices: open it as a volume"
        );
        return Err(Error::file(path, problem).into());
    }
    let name = map_name(path);
    let maps = (0..series.n_times).map(|t| VertexMap {
        name: if series.n_times > 1 {
            format!("{name} {t}")
        } else {
            name.clone()
        },
        values: series.values_at(t).into(),
    });
    Ok(maps.collect())
}

struct Header {
    grid: Grid,
    n_frames: usize,
    datatype: Datatype,
    assumptions: Vec<String>,
}

impl Header {
    /// Values in all, once they are known to be in the file and to fit into memory.
    fn n_values(&self, path: &Path, available: u64) -> Result<usize> {
        let [ni, nj, nk] = self.grid.shape;
        let n_values = [ni, nj, nk, self.n_frames]
            .iter()
            .try_fold(1usize, |n, &size| n.checked_mul(size));
        let needed = n_values.and_then(|n| n.checked_mul(self.datatype.size()));
        let there = available.saturating_sub(HEADER as u64);
        let n_values = n_values.filter(|_| needed.is_some_and(|n| n as u64 <= there));
        let n_values = n_values.ok_or_else(|| {
            Error::file(
                path,
                format!(
                    "promises {ni} × {nj} × {nk} × {} values of {} but its data are only {there} bytes long at most: it is cut short or not the file it says, so copy or download it again",
                    self.n_frames,
                    self.datatype.name()
                ),
            )
        })?;
        Vec::<f32>::new()
            .try_reserve_exact(n_values)
            .map_err(|_no_memory| {
                Error::file(
                    path,
                    format!(
                        "needs {:.1} GB of memory, more than this machine gives: crop it or read it on a larger one",
                        n_values as f64 * 4e-9
                    ),
                )
            })?;
        Ok(n_values)
    }
}

/// Whether a file begins as an MGH does. It has no magic number, only a version, sizes and a type.
pub(in crate::io) fn is_mgh(start: &[u8]) -> bool {
    let word = |i: usize| {
        start
            .get(4 * i..)?
            .first_chunk()
            .map(|w| i32::from_be_bytes(*w))
    };
    word(0) == Some(1)
        && (1..5).all(|i| word(i).is_some_and(|n| n > 0))
        && matches!(word(5), Some(0 | 1 | 3 | 4 | 10))
        && start.len() >= HEADER
}

fn parse(path: &Path, bytes: &[u8]) -> Result<Header> {
    let words = bytes.as_chunks::<4>().0;
    let start: [i32; 6] =
        std::array::from_fn(|i| words.get(i).map_or(-1, |w| i32::from_be_bytes(*w)));
    let [version, ni, nj, nk, n_frames, datatype] = start;
    if version != 1 || bytes.len() < HEADER {
        return Err(Error::file(
            path,
            "is not an MGH file: give a .mgh or .mgz, or a NIfTI",
        ));
    }
    let size = |n: i32| usize::try_from(n).ok().filter(|&n| n > 0);
    let (Some(ni), Some(nj), Some(nk), Some(n_frames)) =
        (size(ni), size(nj), size(nk), size(n_frames))
    else {
        return Err(Error::file(
            path,
            format!(
                "says it has {ni} × {nj} × {nk} × {n_frames} values: its header is damaged, so copy or download it again"
            ),
        ));
    };
    let datatype = match datatype {
        0 => Datatype::U8,
        1 => Datatype::I32,
        3 => Datatype::F32,
        4 => Datatype::I16,
        10 => Datatype::U16,
        other => {
            return Err(Error::file(
                path,
                format!(
                    "holds values of an unknown type ({other}): convert it with mri_convert -odt float"
                ),
            ));
        }
    };
    let mut assumptions = Vec::new();
    Ok(Header {
        grid: Grid {
            shape: [ni, nj, nk],
            world_from_voxel: affine(bytes, [ni, nj, nk], &mut assumptions),
        },
        n_frames,
        datatype,
        assumptions,
    })
}

/// World from voxel. `c_ras` is the place of the point dims / 2, half a voxel off the middle of the
/// grid, and between two voxels when a size is odd: it is not to be rounded.
fn affine(header: &[u8], shape: [usize; 3], assumptions: &mut Vec<String>) -> DAffine3 {
    let has_place = header.get(28..30).is_some_and(|f| f == [0, 1]);
    let floats = header.get(30..).unwrap_or_default().as_chunks::<4>().0;
    let vector = |i: usize| {
        let part = |j: usize| {
            let bytes = floats.get(3 * i + j).copied().unwrap_or_default();
            f64::from(f32::from_be_bytes(bytes))
        };
        DVec3::new(part(0), part(1), part(2))
    };
    let [sizes, x_ras, y_ras, z_ras, c_ras] = std::array::from_fn(vector);
    let steps = DMat3::from_cols(x_ras * sizes.x, y_ras * sizes.y, z_ras * sizes.z);
    let half = DVec3::from_array(shape.map(|n| n as f64 / 2.0));
    let place = |steps: DMat3, c_ras: DVec3| DAffine3 {
        matrix3: steps,
        translation: c_ras - steps * half,
    };
    let told = place(steps, c_ras);
    let cell: f64 = (0..3).map(|i| steps.col(i).length()).product();
    if has_place && told.is_finite() && cell > 0.0 && (steps.determinant() / cell).abs() > 1e-6 {
        return told;
    }
    assumptions.push(
        "no orientation in the header: assumed voxels of 1 mm, cut coronally, centred on the origin"
            .into(),
    );
    place(
        DMat3::from_cols(DVec3::NEG_X, DVec3::NEG_Z, DVec3::Y),
        DVec3::ZERO,
    )
}
