//! Regions that can be edited: voxels of a grid, vertices of hemispheres, or both, under one name.
//!
//! | what | where |
//! |---|---|
//! | union, intersection, difference, complement | [`combine`], [`complement`] |
//! | larger or smaller by one | [`grown`], [`shrunk`] |
//! | voxels above a threshold, or the cluster at a place | [`above`], [`cluster_at`] |
//! | a line drawn by hand | [`lasso`], [`seen`] |
//! | from voxels to vertices and back | [`transfer`] |
//! | the regions of atlases and annotations | [`listing`] |
//! | files | [`files`] |
//!
//! A part that a region lacks is *not known*, which is not the same as empty: the union of voxels and of vertices has
//! neither, and is an error.

pub mod files;
pub mod lasso;
pub mod listing;
mod saved;
pub mod seen;
pub mod sets;
pub mod transfer;

use std::collections::BTreeSet;
use std::sync::Arc;

use glam::DVec3;

use crate::clusters::{Connectivity, neighbours};
use crate::mask::Mask;
use crate::space::Grid;
use crate::surface::Hemisphere;
use crate::volume::Volume;
use crate::{Error, Result};

/// A named region.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(into = "saved::Saved", try_from = "saved::Saved")]
pub struct Roi {
    /// Its name.
    pub name: String,
    /// Its colour, sRGB.
    pub colour: [u8; 3],
    /// Its voxels; `None` when they are not known.
    pub voxels: Option<Mask>,
    /// Its vertices, at most one patch a hemisphere. No patch at all: they are not known. A hemisphere that has none
    /// beside one that has: the region does not reach there.
    pub patches: Vec<Patch>,
}

/// Vertices of a hemisphere.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Left or right.
    pub hemisphere: Hemisphere,
    /// Vertices of the whole surface.
    pub n_vertices: usize,
    /// The region's, ascending.
    pub vertices: Arc<[u32]>,
}

/// How two regions become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// What is in either.
    Union,
    /// What is in both.
    Intersection,
    /// What is in the first and not in the second.
    Difference,
}

impl Op {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Union, Self::Intersection, Self::Difference];

    /// The word between the names of two regions.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Union => "or",
            Self::Intersection => "and",
            Self::Difference => "without",
        }
    }

    fn of(self, a: &[u32], b: &[u32]) -> Vec<u32> {
        match self {
            Self::Union => sets::union(a, b),
            Self::Intersection => sets::intersection(a, b),
            Self::Difference => sets::difference(a, b),
        }
    }
}

impl Roi {
    /// A region of voxels.
    pub fn of_voxels(name: impl Into<String>, colour: [u8; 3], voxels: Mask) -> Self {
        Self {
            name: name.into(),
            colour,
            voxels: Some(voxels),
            patches: Vec::new(),
        }
    }

    /// Voxels, 0 where they are not known.
    pub fn n_voxels(&self) -> usize {
        self.voxels.as_ref().map_or(0, Mask::len)
    }

    /// The volume of its voxels, mm³.
    pub fn volume_mm3(&self) -> f64 {
        self.voxels
            .as_ref()
            .map_or(0.0, |mask| mask.len() as f64 * mask.grid().voxel_mm3())
    }

    /// Vertices over both hemispheres.
    pub fn n_vertices(&self) -> usize {
        self.patches.iter().map(|p| p.vertices.len()).sum()
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.n_voxels() == 0 && self.n_vertices() == 0
    }

    /// The patch of a hemisphere.
    pub fn patch(&self, hemisphere: Hemisphere) -> Option<&Patch> {
        self.patches.iter().find(|p| p.hemisphere == hemisphere)
    }

    /// Whether a world point lies in one of its voxels.
    pub fn contains_mm(&self, world_mm: DVec3) -> bool {
        self.voxels.as_ref().is_some_and(|mask| {
            let voxel = mask.grid().voxel_at(world_mm);
            voxel.is_some_and(|ijk| mask.column_of(ijk).is_some())
        })
    }

    /// Whether a vertex is in it.
    pub fn contains_vertex(&self, hemisphere: Hemisphere, vertex: u32) -> bool {
        self.patch(hemisphere)
            .is_some_and(|p| p.vertices.binary_search(&vertex).is_ok())
    }

    /// The voxel nearest to the middle of all, a member itself (world mm).
    pub fn heart_mm(&self) -> Option<DVec3> {
        let mask = self.voxels.as_ref()?;
        let grid = mask.grid();
        let places = || {
            let voxels = mask.voxels().iter();
            voxels.map(|&v| grid.world(grid.ijk(v as usize)))
        };
        let middle = places().sum::<DVec3>() / mask.len().max(1) as f64;
        places().min_by(|a, b| {
            let (a, b) = (a.distance_squared(middle), b.distance_squared(middle));
            a.total_cmp(&b)
        })
    }
}

/// Two regions as one, in the colour of the first. Voxels of the second on another grid are brought onto the first's
/// ([`onto`]). Only what is known of both is known of the result.
///
/// # Errors
/// When one has voxels only and the other vertices only, or their surfaces differ.
pub fn combine(op: Op, a: &Roi, b: &Roi) -> Result<Roi> {
    let voxels = match (&a.voxels, &b.voxels) {
        (Some(ours), Some(theirs)) => {
            let theirs = onto(theirs, ours.grid());
            let both = op.of(ours.voxels(), theirs.voxels());
            Some(Mask::of(ours.grid().clone(), both))
        }
        _ => None,
    };
    let mut patches = Vec::new();
    if !a.patches.is_empty() && !b.patches.is_empty() {
        for hemisphere in [Hemisphere::Left, Hemisphere::Right] {
            let (ours, theirs) = (a.patch(hemisphere), b.patch(hemisphere));
            let Some(n_vertices) = ours.or(theirs).map(|p| p.n_vertices) else {
                continue;
            };
            if let (Some(ours), Some(theirs)) = (ours, theirs)
                && ours.n_vertices != theirs.n_vertices
            {
                return Err(Error::data(format!(
                    "{} is on a surface of {} vertices and {} on one of {}: take regions of one surface",
                    a.name, ours.n_vertices, b.name, theirs.n_vertices
                )));
            }
            let members =
                |p: Option<&Patch>| p.map_or_else(Arc::default, |p| Arc::clone(&p.vertices));
            patches.push(Patch {
                hemisphere,
                n_vertices,
                vertices: op.of(&members(ours), &members(theirs)).into(),
            });
        }
    }
    if voxels.is_none() && patches.is_empty() {
        return Err(Error::data(format!(
            "one of {} and {} has voxels only and the other vertices only: bring one over to the other first",
            a.name, b.name
        )));
    }
    Ok(Roi {
        name: format!("{} {} {}", a.name, op.word(), b.name),
        colour: a.colour,
        voxels,
        patches,
    })
}

/// The voxels of `within` that are not the region's.
///
/// # Errors
/// When the region's voxels are not known.
pub fn complement(roi: &Roi, within: &Mask) -> Result<Roi> {
    let voxels = known_voxels(roi)?;
    let voxels = onto(voxels, within.grid());
    let rest = sets::difference(within.voxels(), voxels.voxels());
    Ok(Roi {
        name: format!("not {}", roi.name),
        colour: roi.colour,
        voxels: Some(Mask::of(within.grid().clone(), rest)),
        patches: Vec::new(),
    })
}

/// The region's voxels.
///
/// # Errors
/// When they are not known.
pub fn known_voxels(roi: &Roi) -> Result<&Mask> {
    roi.voxels.as_ref().ok_or_else(|| {
        Error::data(format!(
            "{} has vertices and no voxels: bring it into a volume first",
            roi.name
        ))
    })
}

/// The voxels of `grid` whose centres lie in voxels of the mask.
pub fn onto(mask: &Mask, grid: &Grid) -> Mask {
    if mask.grid().same_as(grid) {
        return mask.clone();
    }
    let mut found = Vec::new();
    if let Some((low, high)) = world_box(mask) {
        let there_from_here = mask.grid().world_from_voxel.inverse() * grid.world_from_voxel;
        let inside = sets::Dense::new(mask.grid().n_voxels(), mask.voxels());
        for_each_in(grid, (low, high), |ijk| {
            let v = there_from_here.transform_point3(DVec3::from_array(ijk.map(|i| i as f64)));
            let nearest = [v.x, v.y, v.z].map(|x| (x + 0.5).floor());
            let shape = mask.grid().shape;
            let within = (0..3).all(|a| nearest[a] >= 0.0 && nearest[a] < shape[a] as f64);
            if within && inside.has(mask.grid().index(nearest.map(|x| x as usize))) {
                found.push(grid.index(ijk) as u32);
            }
        });
    }
    Mask::of(grid.clone(), found)
}

/// The box around a mask's voxels, edges included (world mm); nothing of an empty one.
pub fn world_box(mask: &Mask) -> Option<(DVec3, DVec3)> {
    let grid = mask.grid();
    let (mut low, mut high) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
    for &v in mask.voxels() {
        let at = DVec3::from_array(grid.ijk(v as usize).map(|i| i as f64));
        (low, high) = (low.min(at), high.max(at));
    }
    if !low.is_finite() {
        return None;
    }
    Some(turned_box((low - 0.5, high + 0.5), &grid.world_from_voxel))
}

/// The box around a box after a transform.
fn turned_box((low, high): (DVec3, DVec3), by: &glam::DAffine3) -> (DVec3, DVec3) {
    let corners = (0..8).map(|corner| {
        let pick = |axis: usize| {
            if corner >> axis & 1 == 1 {
                high[axis]
            } else {
                low[axis]
            }
        };
        by.transform_point3(DVec3::new(pick(0), pick(1), pick(2)))
    });
    corners.fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(a, b), c| {
        (a.min(c), b.max(c))
    })
}

/// Calls `see` for every voxel whose centre may lie in a box of the world, in ascending order.
pub(crate) fn for_each_in(grid: &Grid, bounds_mm: (DVec3, DVec3), mut see: impl FnMut([usize; 3])) {
    let (low, high) = turned_box(bounds_mm, &grid.world_from_voxel.inverse());
    let range = |axis: usize| {
        let n = grid.shape[axis] as f64;
        let first = low[axis].ceil().clamp(0.0, n) as usize;
        let end = (high[axis].floor() + 1.0).clamp(0.0, n) as usize;
        first..end.max(first)
    };
    for k in range(2) {
        for j in range(1) {
            for i in range(0) {
                see([i, j, k]);
            }
        }
    }
}

/// The voxels strictly above a threshold; with `two_sided` those below minus the threshold too. NaN is in none.
pub fn above(map: &Volume, threshold: f32, two_sided: bool) -> Mask {
    Mask::new(map.grid.clone(), |v| {
        let x = map.data[v];
        x > threshold || (two_sided && x < -threshold)
    })
}

/// The voxels above a threshold that are joined through faces to the voxel at a world point; with `two_sided` those of
/// its sign.
///
/// # Errors
/// When the point is outside the map or its voxel is not above the threshold.
pub fn cluster_at(map: &Volume, threshold: f32, two_sided: bool, at_mm: DVec3) -> Result<Mask> {
    let grid = &map.grid;
    let place = || format!("{:.1}, {:.1}, {:.1} mm", at_mm.x, at_mm.y, at_mm.z);
    let Some(seed) = grid.voxel_at(at_mm).map(|ijk| grid.index(ijk)) else {
        return Err(Error::data(format!(
            "{} lies outside the map: choose a place in it",
            place()
        )));
    };
    let value = map.data[seed];
    let sign = if two_sided && value < 0.0 { -1.0 } else { 1.0 };
    let inside = |v: usize| map.data[v] * sign > threshold;
    if !inside(seed) {
        return Err(Error::data(format!(
            "the map is {value} at {}, which is not above the threshold of {threshold}: choose a place in a cluster, or a lower threshold",
            place()
        )));
    }
    let mut seen = BTreeSet::from([seed]);
    let mut open = vec![seed];
    while let Some(v) = open.pop() {
        for n in neighbours(grid, v, Connectivity::Faces) {
            if inside(n) && seen.insert(n) {
                open.push(n);
            }
        }
    }
    let voxels = seen.into_iter().map(|v| v as u32).collect();
    Ok(Mask::of(grid.clone(), voxels))
}

/// Each part with its neighbours: voxels that share a face, vertices that share an edge. `triangles` are those of a
/// hemisphere's surface; a patch without any stays as it is.
pub fn grown<'a>(roi: &Roi, triangles: impl Fn(Hemisphere) -> Option<&'a [[u32; 3]]>) -> Roi {
    let voxels = roi.voxels.as_ref().map(|mask| {
        let grid = mask.grid();
        let mut all: Vec<u32> = mask.voxels().to_vec();
        for &v in mask.voxels() {
            let around = neighbours(grid, v as usize, Connectivity::Faces);
            all.extend(around.map(|n| n as u32));
        }
        Mask::of(grid.clone(), all)
    });
    let patches = roi.patches.iter().map(|patch| {
        let inside = sets::Dense::new(patch.n_vertices, &patch.vertices);
        let mut all: Vec<u32> = patch.vertices.to_vec();
        for triangle in triangles(patch.hemisphere).unwrap_or_default() {
            if triangle.iter().any(|&v| inside.has(v as usize)) {
                all.extend(
                    triangle
                        .iter()
                        .filter(|&&v| (v as usize) < patch.n_vertices),
                );
            }
        }
        Patch {
            vertices: sets::ascending(all).into(),
            ..patch.clone()
        }
    });
    Roi {
        voxels,
        patches: patches.collect(),
        ..roi.clone()
    }
}

/// Each part without its members that have a neighbour outside: voxels that share a face (beyond the grid is outside),
/// vertices that share an edge.
pub fn shrunk<'a>(roi: &Roi, triangles: impl Fn(Hemisphere) -> Option<&'a [[u32; 3]]>) -> Roi {
    let voxels = roi.voxels.as_ref().map(|mask| {
        let grid = mask.grid();
        let inside = sets::Dense::new(grid.n_voxels(), mask.voxels());
        let stays = |v: &u32| {
            let around = neighbours(grid, *v as usize, Connectivity::Faces);
            around.filter(|&n| inside.has(n)).count() == 6
        };
        let kept = mask.voxels().iter().copied().filter(stays).collect();
        Mask::of(grid.clone(), kept)
    });
    let patches = roi.patches.iter().map(|patch| {
        let inside = sets::Dense::new(patch.n_vertices, &patch.vertices);
        let mut edge = Vec::new();
        for triangle in triangles(patch.hemisphere).unwrap_or_default() {
            if triangle.iter().any(|&v| !inside.has(v as usize)) {
                edge.extend_from_slice(triangle);
            }
        }
        Patch {
            vertices: sets::difference(&patch.vertices, &sets::ascending(edge)).into(),
            ..patch.clone()
        }
    });
    Roi {
        voxels,
        patches: patches.collect(),
        ..roi.clone()
    }
}
