//! From volumes to the cortical sheet: the weight of each voxel for each vertex, computed once and applied to any
//! number of volumes on the same grid.

mod ribbon;
mod samples;

use std::sync::Arc;

use rayon::prelude::*;

use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::surface::{Surface, VertexMap};
use crate::volume::Volume;
use crate::{Error, Result};

/// Between voxel centres, or the voxel in which a sample lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interpolation {
    /// The voxel whose centre is nearest: for labels, and to see what was measured.
    Nearest,
    /// Trilinear.
    Linear,
}

/// Where a vertex is sampled.
#[derive(Clone, Copy, Debug)]
pub enum Way<'a> {
    /// At the vertex.
    Point(&'a Surface),
    /// At `n` evenly spaced points of the normal, `radius_mm` to either side: nilearn's `vol_to_surf(kind="line")`,
    /// whose defaults are 3 mm and 10 points. Normals are the mean of the unit normals of the triangles around.
    Line {
        /// The surface.
        surface: &'a Surface,
        /// Half the length of the line, mm.
        radius_mm: f64,
        /// Points on it, both ends included.
        n: usize,
    },
    /// At `n` evenly spaced points from the inner to the outer surface, both ends included (1 takes the middle):
    /// nilearn's `kind="depth"`, whose default is 10 points.
    Depth {
        /// The white surface.
        inner: &'a Surface,
        /// The pial surface.
        outer: &'a Surface,
        /// Points.
        n: usize,
    },
}

/// A sparse matrix, vertices × voxels: the rows' weights sum to one.
#[derive(Clone, Debug)]
pub struct Projection {
    grid: Grid,
    /// Where each row begins, and where the last one ends.
    starts: Vec<usize>,
    voxels: Vec<u32>,
    weights: Vec<f32>,
}

/// The weights of samples along a way. Samples outside the grid (more than half a voxel below the first centre along
/// any axis, as in nilearn: below the first or a whole voxel beyond the last centre) are left out of a vertex's mean.
pub fn sampled(grid: &Grid, way: Way<'_>, interpolation: Interpolation) -> Result<Projection> {
    check(grid)?;
    let points = samples::points(way)?;
    let voxel_from_world = grid.world_from_voxel.inverse();
    let rows = points
        .par_iter()
        .map(|points| {
            let mut row = Vec::with_capacity(64);
            let mut n = 0.0;
            for &point in points {
                let v = voxel_from_world.transform_point3(point);
                let inside = samples::weigh(grid, v, interpolation, &mut row);
                n += f64::from(u8::from(inside));
            }
            row.iter_mut().for_each(|(_, weight)| *weight /= n);
            merged(row)
        })
        .collect();
    Ok(Projection::of(grid, rows))
}

/// The weights of the ribbon method of Connectome Workbench (`-ribbon-constrained`): the part of each voxel that lies in
/// the polyhedron which the triangles around a vertex span between two surfaces, found by cutting voxels in
/// `divisions`³ (3 is usual). A vertex whose polyhedron holds no sub-voxel has no weights.
///
/// # Errors
/// When the surfaces don't share their vertices, and when cancelled.
pub fn ribbon(
    grid: &Grid,
    inner: &Surface,
    outer: &Surface,
    divisions: usize,
    run: &Run<'_>,
) -> Result<Projection, Stop> {
    let mut rows = ribbon_parts(grid, inner, outer, divisions, run)?;
    for row in &mut rows {
        let total: f64 = row.iter().map(|(_, part)| part).sum();
        row.iter_mut().for_each(|(_, part)| *part /= total);
    }
    Ok(Projection::of(grid, rows))
}

/// Of each vertex, the voxels (ascending flat indices) that its polyhedron reaches into, as in [`ribbon`], each with the
/// part of it, 0 to 1, that lies inside.
///
/// # Errors
/// As [`ribbon`].
pub fn ribbon_parts(
    grid: &Grid,
    inner: &Surface,
    outer: &Surface,
    divisions: usize,
    run: &Run<'_>,
) -> Result<Vec<Vec<(u32, f64)>>, Stop> {
    check(grid)?;
    samples::matching(inner, outer)?;
    ribbon::parts(grid, inner, outer, divisions.clamp(1, 10), run)
}

/// A volume on the sheet between two surfaces, trilinear at `n` depths.
pub fn between(volume: &Volume, inner: &Surface, outer: &Surface, n: usize) -> Result<VertexMap> {
    let way = Way::Depth { inner, outer, n };
    Ok(sampled(&volume.grid, way, Interpolation::Linear)?.map(&volume.data, ""))
}

fn check(grid: &Grid) -> Result<()> {
    if grid.world_from_voxel.matrix3.determinant().abs() < 1e-12 {
        return Err(Error::data(
            "the volume's affine cannot be inverted, so its voxels have no place on the cortex",
        ));
    }
    if u32::try_from(grid.n_voxels()).is_err() {
        return Err(Error::data(
            "a volume of more than four thousand million voxels cannot be put on the cortex",
        ));
    }
    Ok(())
}

/// Voxels in ascending order, each once.
fn merged(mut row: Vec<(u32, f64)>) -> Vec<(u32, f64)> {
    row.sort_unstable_by_key(|&(voxel, _)| voxel);
    row.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    row.retain(|&(_, weight)| weight != 0.0);
    row
}

impl Projection {
    fn of(grid: &Grid, rows: Vec<Vec<(u32, f64)>>) -> Self {
        let mut starts = vec![0];
        let (mut voxels, mut weights) = (Vec::new(), Vec::new());
        for row in rows {
            for (voxel, weight) in row {
                voxels.push(voxel);
                weights.push(weight as f32);
            }
            starts.push(voxels.len());
        }
        Self {
            grid: grid.clone(),
            starts,
            voxels,
            weights,
        }
    }

    /// Vertices.
    pub fn n_vertices(&self) -> usize {
        self.starts.len() - 1
    }

    /// The grid whose volumes it takes.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// The voxels of a vertex (flat indices) and their weights.
    pub fn row(&self, vertex: usize) -> impl Iterator<Item = (usize, f32)> + '_ {
        let range = self.starts[vertex]..self.starts[vertex + 1];
        let voxels = self.voxels[range.clone()].iter().map(|&v| v as usize);
        voxels.zip(self.weights[range].iter().copied())
    }

    /// A volume's numbers (i fastest) on the sheet. NaN voxels are left out and the others' weights scaled up; NaN where
    /// nothing is left.
    pub fn apply(&self, data: &[f32]) -> Vec<f32> {
        // Most vertices have no NaN about them, and looking for one takes longer than the sum.
        let value = |vertex: usize| match self.mean(vertex, data, |_| false) {
            mean if mean.is_nan() => self.mean(vertex, data, f32::is_nan),
            mean => mean,
        };
        (0..self.n_vertices())
            .into_par_iter()
            .with_min_len(1024)
            .map(value)
            .collect()
    }

    /// The mean of the numbers at a vertex's voxels, but for some; NaN where nothing is left.
    #[inline]
    fn mean(&self, vertex: usize, data: &[f32], left_out: impl Fn(f32) -> bool) -> f32 {
        let range = self.starts[vertex]..self.starts[vertex + 1];
        let (mut sum, mut weight) = (0.0f64, 0.0f64);
        for (&voxel, &w) in self.voxels[range.clone()].iter().zip(&self.weights[range]) {
            let x = data.get(voxel as usize).copied().unwrap_or(f32::NAN);
            if !left_out(x) {
                sum += f64::from(w) * f64::from(x);
                weight += f64::from(w);
            }
        }
        if weight.abs() < 1e-9 {
            f32::NAN
        } else {
            (sum / weight) as f32
        }
    }

    /// As [`Projection::apply`], named.
    pub fn map(&self, data: &[f32], name: &str) -> VertexMap {
        VertexMap {
            name: name.to_owned(),
            values: self.apply(data).into(),
        }
    }

    /// The label that weighs most at each vertex (of two alike the smaller), 0 where there is none: labels must not be
    /// averaged.
    pub fn labels(&self, keys: &[i32]) -> Arc<[i32]> {
        let most = |vertex: usize| {
            let mut sums: Vec<(i32, f32)> = Vec::new();
            for (voxel, weight) in self.row(vertex) {
                let key = keys.get(voxel).copied().unwrap_or(0);
                match sums.iter_mut().find(|(k, _)| *k == key) {
                    Some((_, sum)) => *sum += weight,
                    None => sums.push((key, weight)),
                }
            }
            sums.sort_by_key(|&(key, _)| key);
            let heaviest =
                sums.iter().copied().reduce(
                    |best, next| {
                        if next.1 > best.1 + 1e-6 { next } else { best }
                    },
                );
            heaviest.map_or(0, |(key, _)| key)
        };
        (0..self.n_vertices()).map(most).collect()
    }
}
