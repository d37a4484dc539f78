//! Sampling points of vertices, and the voxels around a point.

use glam::DVec3;
use rayon::prelude::*;

use super::{Interpolation, Way};
use crate::space::Grid;
use crate::surface::Surface;
use crate::{Error, Result};

/// The points (world mm) of each vertex.
pub(super) fn points(way: Way<'_>) -> Result<Vec<Vec<DVec3>>> {
    Ok(match way {
        Way::Point(surface) => {
            let one = |v: &glam::Vec3| vec![v.as_dvec3()];
            surface.vertices.iter().map(one).collect()
        }
        Way::Line {
            surface,
            radius_mm,
            n,
        } => {
            let offsets: Vec<f64> = spaced(n)
                .iter()
                .map(|t| radius_mm * (1.0 - 2.0 * t))
                .collect();
            surface
                .vertices
                .par_iter()
                .zip(normals(surface))
                .map(|(vertex, normal)| {
                    let along = |offset: &f64| vertex.as_dvec3() + normal * *offset;
                    offsets.iter().map(along).collect()
                })
                .collect()
        }
        Way::Depth { inner, outer, n } => {
            matching(inner, outer)?;
            let depths = spaced(n);
            inner
                .vertices
                .par_iter()
                .zip(outer.vertices.par_iter())
                .map(|(inner, outer)| {
                    let (inner, outer) = (inner.as_dvec3(), outer.as_dvec3());
                    depths.iter().map(|t| inner.lerp(outer, *t)).collect()
                })
                .collect()
        }
    })
}

/// An error where two surfaces don't share their vertices.
pub(super) fn matching(inner: &Surface, outer: &Surface) -> Result<()> {
    if inner.vertices.len() == outer.vertices.len() {
        return Ok(());
    }
    Err(Error::data(format!(
        "the white surface has {} vertices and the pial surface {}: they must come from the same subject and mesh",
        inner.vertices.len(),
        outer.vertices.len()
    )))
}

/// `n` numbers from 0 to 1, both included; one lies in the middle.
fn spaced(n: usize) -> Vec<f64> {
    match n {
        0 | 1 => vec![0.5],
        n => (0..n).map(|i| i as f64 / (n - 1) as f64).collect(),
    }
}

/// The unit mean of the unit normals of the triangles around each vertex.
fn normals(surface: &Surface) -> Vec<DVec3> {
    let mut sums = vec![DVec3::ZERO; surface.vertices.len()];
    for triangle in surface.triangles.iter() {
        let corner = |v: u32| surface.vertices.get(v as usize).map(glam::Vec3::as_dvec3);
        let [Some(a), Some(b), Some(c)] = triangle.map(corner) else {
            continue;
        };
        let normal = (b - a).cross(c - a).normalize_or_zero();
        for &v in triangle {
            sums[v as usize] += normal;
        }
    }
    sums.iter().map(|n| n.normalize_or_zero()).collect()
}

/// Adds the voxels around a point (voxel coordinates) with their weights, and says whether it is within the grid. Beyond
/// the last centres the outermost cell is continued, as `scipy.interpolate.RegularGridInterpolator` does it for nilearn.
/// Points that follow each other in one cell share its eight entries; some may weigh nothing.
pub(super) fn weigh(
    grid: &Grid,
    v: DVec3,
    interpolation: Interpolation,
    row: &mut Vec<(u32, f64)>,
) -> bool {
    let shape = grid.shape;
    if interpolation == Interpolation::Nearest {
        let rounded = (v + 0.5).floor();
        let inside = (0..3).all(|a| rounded[a] >= 0.0 && rounded[a] < shape[a] as f64);
        if inside {
            let ijk = rounded.to_array().map(|i| i as usize);
            row.push((grid.index(ijk) as u32, 1.0));
        }
        return inside;
    }
    let mut low = [0usize; 3];
    let mut part = [0.0f64; 3];
    for axis in 0..3 {
        if !(v[axis] >= 0.0 && v[axis] < shape[axis] as f64) {
            return false;
        }
        low[axis] = (v[axis] as usize).min(shape[axis].saturating_sub(2));
        // A grid of one voxel along an axis has no neighbour to go to.
        part[axis] = if shape[axis] == 1 {
            0.0
        } else {
            v[axis] - low[axis] as f64
        };
    }
    let first = grid.index(low) as u32;
    let same_cell = row
        .len()
        .checked_sub(CORNERS)
        .filter(|&at| row[at].0 == first);
    let start = same_cell.unwrap_or_else(|| {
        let start = row.len();
        row.extend((0..CORNERS).map(|corner| {
            let ijk = std::array::from_fn(|axis| low[axis] + (corner >> axis & 1));
            (grid.index(ijk) as u32, 0.0)
        }));
        start
    });
    for (corner, (_, sum)) in row[start..].iter_mut().enumerate() {
        let along = |axis: usize| match corner >> axis & 1 {
            1 => part[axis],
            _ => 1.0 - part[axis],
        };
        *sum += along(0) * along(1) * along(2);
    }
    true
}

/// Of a cell of the grid.
const CORNERS: usize = 8;
