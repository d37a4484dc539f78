//! FreeSurfer patches: a piece of a surface, cut out and, most often, laid flat (`lh.cortex.patch.flat`).

use std::path::Path;

use glam::Vec3;

use super::{MOST_VERTICES, Rest, point, whole};
use crate::surface::Surface;
use crate::{Error, Result};

/// A piece of a surface.
#[derive(Clone, Debug, PartialEq)]
pub struct Patch {
    /// Its vertices, in the order of the file.
    pub vertices: Vec<PatchVertex>,
}

/// A vertex of a patch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PatchVertex {
    /// Its number on the whole surface.
    pub vertex: u32,
    /// Where the patch has it, in millimetres; z is 0 where the patch is flat.
    pub position: Vec3,
    /// Whether it lies on the cut.
    pub border: bool,
}

/// Reads a patch.
///
/// # Errors
/// When the file is no binary patch, is cut short, or a vertex has no finite place.
pub fn read_patch(path: &Path) -> Result<Patch> {
    let bytes = whole(path)?;
    let mut rest = Rest::new(path, &bytes);
    if rest.i32().ok() != Some(-1) {
        return Err(Error::file(
            path,
            "is not a FreeSurfer patch: give one such as lh.cortex.patch.flat",
        ));
    }
    let n_vertices = rest.count("vertices")?;
    let mut vertices = Vec::new();
    for item in rest.items::<16>(n_vertices)? {
        let (id, place) = item.split_at(4);
        let id = i32::from_be_bytes(std::array::from_fn(|i| id[i]));
        let position = point(&std::array::from_fn(|i| place[i]));
        // Vertex v is stored as v + 1, so that the sign can tell of the border.
        let vertex = id.unsigned_abs().wrapping_sub(1);
        if vertex as usize >= MOST_VERTICES || !position.is_finite() {
            return Err(Error::file(
                path,
                format!(
                    "has a damaged vertex (number {id} at {position}): copy or download it again"
                ),
            ));
        }
        vertices.push(PatchVertex {
            vertex,
            position,
            border: id < 0,
        });
    }
    Ok(Patch { vertices })
}

/// The surface in the shape of the patch: as many vertices as `surface` has, so that maps fit it,
/// but only the triangles whose three corners are in the patch. A vertex outside the patch is part
/// of no triangle and lies at the middle of the patch.
///
/// # Errors
/// When the patch is empty or names a vertex that the surface does not have.
pub fn flat_surface(patch: &Patch, surface: &Surface) -> Result<Surface> {
    let n = surface.vertices.len();
    let outside = patch.vertices.iter().find(|v| v.vertex as usize >= n);
    if let Some(PatchVertex { vertex, .. }) = outside {
        return Err(Error::data(format!(
            "the patch names the vertex {vertex} and the surface has {n}: take the surface it was cut from"
        )));
    }
    if patch.vertices.is_empty() {
        return Err(Error::data(
            "the patch has no vertices: cut it from the surface again",
        ));
    }
    let sum: Vec3 = patch.vertices.iter().map(|v| v.position).sum();
    let mut vertices = vec![sum / patch.vertices.len() as f32; n];
    let mut inside = vec![false; n];
    for v in &patch.vertices {
        vertices[v.vertex as usize] = v.position;
        inside[v.vertex as usize] = true;
    }
    let is_inside = |t: &&[u32; 3]| {
        t.iter()
            .all(|&v| inside.get(v as usize).copied().unwrap_or(false))
    };
    Ok(Surface {
        vertices: vertices.into(),
        triangles: surface
            .triangles
            .iter()
            .filter(is_inside)
            .copied()
            .collect(),
        hemisphere: surface.hemisphere,
        assumptions: surface.assumptions.clone(),
    })
}
