//! Where `pipelines` and `render` meet: values of the one become scenes of the other.

use std::sync::Arc;

use fusiform_pipelines::space::Grid;
use fusiform_pipelines::surface::{Surface, VertexLabels, VertexMap};
use fusiform_pipelines::volume::{Atlas, Volume};
use fusiform_render::scene::{Key, MeshData, OutlineLayer, RegionColours, VertexData, VolumeData};
use glam::{Affine3A, Vec3};

use crate::compose::silhouette::Silhouette;

/// Hands out keys for the renderer's caches. One per session, so that no two values share a key.
#[derive(Debug, Default)]
pub struct Keys(u64);

impl Keys {
    /// A key nobody has.
    pub fn fresh(&mut self) -> Key {
        self.0 += 1;
        Key {
            id: self.0,
            revision: 0,
        }
    }
}

/// World millimetres of voxel centres, for the renderer.
pub fn affine(grid: &Grid) -> Affine3A {
    grid.world_from_voxel.as_affine3a()
}

/// A volume for the renderer; shares the values.
pub fn volume_data(key: Key, volume: &Volume) -> VolumeData {
    VolumeData {
        key,
        shape: volume.grid.shape,
        world_from_voxel: affine(&volume.grid),
        data: Arc::clone(&volume.data),
    }
}

/// An atlas as outlines in its own colours.
pub fn atlas_outlines(key: Key, atlas: &Atlas, width_px: f32) -> OutlineLayer {
    OutlineLayer {
        labels: VolumeData {
            key,
            shape: atlas.grid.shape,
            world_from_voxel: affine(&atlas.grid),
            data: atlas.keys.iter().map(|&k| k as f32).collect(),
        },
        colours: region_colours(&atlas.regions),
        width_px,
    }
}

/// A silhouette as an outline in quiet grey.
pub fn silhouette(key: Key, flat: &Silhouette) -> OutlineLayer {
    OutlineLayer {
        labels: VolumeData {
            key,
            shape: flat.shape,
            world_from_voxel: flat.world_from_voxel,
            data: Arc::clone(&flat.data),
        },
        colours: vec![(1, [150, 152, 160, 255])].into(),
        width_px: 1.5,
    }
}

/// The colours of regions, opaque.
pub fn region_colours(regions: &[fusiform_pipelines::volume::Region]) -> RegionColours {
    regions
        .iter()
        .filter(|r| r.key != 0)
        .map(|r| (r.key, [r.colour[0], r.colour[1], r.colour[2], 255]))
        .collect()
}

/// A surface for the renderer; shares vertices and triangles.
pub fn mesh_data(key: Key, surface: &Surface) -> MeshData {
    MeshData {
        key,
        vertices: Arc::clone(&surface.vertices),
        triangles: Arc::clone(&surface.triangles),
    }
}

/// A vertex map for the renderer; shares the values.
pub fn vertex_data(key: Key, map: &VertexMap) -> VertexData {
    VertexData {
        key,
        values: Arc::clone(&map.values),
    }
}

/// Vertex labels for the renderer, with their colours.
pub fn vertex_outlines(key: Key, labels: &VertexLabels) -> (VertexData, RegionColours) {
    let values = labels.keys.iter().map(|&k| k as f32).collect();
    (VertexData { key, values }, region_colours(&labels.regions))
}

/// How far to move a hemisphere so that the pair stands side by side with a gap, world mm.
///
/// Inflated and spherical shapes are centred on the origin and would overlap; anatomical shapes are
/// left where they are.
pub fn side_by_side(left: &[Vec3], right: &[Vec3], gap_mm: f32) -> (Vec3, Vec3) {
    let edge = |vertices: &[Vec3], pick: fn(f32, f32) -> f32, start: f32| {
        vertices.iter().fold(start, |e, v| pick(e, v.x))
    };
    let left_edge = edge(left, f32::max, f32::NEG_INFINITY);
    let right_edge = edge(right, f32::min, f32::INFINITY);
    let overlap = left_edge - right_edge + gap_mm;
    if !overlap.is_finite() || overlap <= gap_mm.max(4.0) {
        return (Vec3::ZERO, Vec3::ZERO);
    }
    (
        Vec3::new(-overlap / 2.0, 0.0, 0.0),
        Vec3::new(overlap / 2.0, 0.0, 0.0),
    )
}
