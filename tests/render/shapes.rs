//! Made-up brains: volumes and meshes whose contents are formulas.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fusiform_render::colormap::Colormap;
use fusiform_render::scene::{
    Key, Look, MeshData, MeshLayer, Places, Plane, Sampled, Scene, SliceView, VertexData, View,
    VolumeData, VolumeLayer,
};
use glam::{Affine3A, Vec3};

/// A key that no other value has.
pub(crate) fn fresh_key() -> Key {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Key {
        id: NEXT.fetch_add(1, Ordering::Relaxed),
        revision: 0,
    }
}

pub(crate) fn volume(
    shape: [usize; 3],
    world_from_voxel: Affine3A,
    f: impl Fn([usize; 3]) -> f32,
) -> VolumeData {
    let mut data = Vec::new();
    for k in 0..shape[2] {
        for j in 0..shape[1] {
            for i in 0..shape[0] {
                data.push(f([i, j, k]));
            }
        }
    }
    VolumeData {
        key: fresh_key(),
        shape,
        world_from_voxel,
        data: data.into(),
    }
}

/// Smooth, with a hole of NaN and both signs.
pub(crate) fn blobs([i, j, k]: [usize; 3]) -> f32 {
    let p = Vec3::new(i as f32, j as f32, k as f32);
    if p.distance(Vec3::new(6.0, 14.0, 8.0)) < 3.0 {
        return f32::NAN;
    }
    let wave = (p.x * 0.7).sin() + (p.y * 0.45).cos() * (p.z * 0.6).sin();
    wave * 3.0 + p.x * 0.05
}

pub(crate) fn look(colormap: Colormap, range: (f32, f32)) -> Look {
    Look {
        soft: false,
        colormap,
        range,
        threshold: 0.0,
        two_sided: false,
        opacity: 1.0,
    }
}

pub(crate) fn slice(plane: Plane, centre_mm: Vec3, mm_per_pixel: f32) -> SliceView {
    SliceView {
        nose_right: false,
        slab_mm: None,
        plane,
        centre_mm,
        mm_per_pixel,
        radiological: false,
        layers: Vec::new(),
        outlines: Vec::new(),
        crosshair: None,
    }
}

pub(crate) fn scene(view: View) -> Scene {
    Scene {
        background: [0, 0, 0, 255],
        view,
    }
}

/// A sphere by repeated halving of an icosahedron's edges: 10 · 4ⁿ + 2 vertices at distance 1, counter-clockwise from
/// outside.
pub(crate) fn icosphere(n: u32) -> (Vec<Vec3>, Vec<[u32; 3]>) {
    let g = (1.0 + 5.0_f32.sqrt()) / 2.0;
    let mut vertices: Vec<Vec3> = [
        [-1.0, g, 0.0],
        [1.0, g, 0.0],
        [-1.0, -g, 0.0],
        [1.0, -g, 0.0],
        [0.0, -1.0, g],
        [0.0, 1.0, g],
        [0.0, -1.0, -g],
        [0.0, 1.0, -g],
        [g, 0.0, -1.0],
        [g, 0.0, 1.0],
        [-g, 0.0, -1.0],
        [-g, 0.0, 1.0],
    ]
    .map(|p| Vec3::from_array(p).normalize_or_zero())
    .to_vec();
    let mut triangles: Vec<[u32; 3]> = vec![
        [0, 11, 5],
        [0, 5, 1],
        [0, 1, 7],
        [0, 7, 10],
        [0, 10, 11],
        [1, 5, 9],
        [5, 11, 4],
        [11, 10, 2],
        [10, 7, 6],
        [7, 1, 8],
        [3, 9, 4],
        [3, 4, 2],
        [3, 2, 6],
        [3, 6, 8],
        [3, 8, 9],
        [4, 9, 5],
        [2, 4, 11],
        [6, 2, 10],
        [8, 6, 7],
        [9, 8, 1],
    ];
    for _ in 0..n {
        let mut middles: BTreeMap<(u32, u32), u32> = BTreeMap::new();
        let mut middle = |a: u32, b: u32| {
            *middles.entry((a.min(b), a.max(b))).or_insert_with(|| {
                vertices.push((vertices[a as usize] + vertices[b as usize]).normalize_or_zero());
                vertices.len() as u32 - 1
            })
        };
        triangles = triangles
            .iter()
            .flat_map(|&[a, b, c]| {
                let (ab, bc, ca) = (middle(a, b), middle(b, c), middle(c, a));
                [[a, ab, ca], [b, bc, ab], [c, ca, bc], [ab, bc, ca]]
            })
            .collect();
    }
    (vertices, triangles)
}

/// How far a direction lies in a fold, −1 (crest) to 1 (bottom).
pub(crate) fn fold(p: Vec3) -> f32 {
    (9.0 * p.x + 3.0 * (4.0 * p.y).sin()).sin() * (8.0 * p.z + 2.0 * (5.0 * p.x).cos()).cos()
}

/// A folded egg of about 70 × 100 × 60 mm around the origin with a sulcal map.
pub(crate) fn folded(n: u32) -> MeshLayer {
    let (sphere, triangles) = icosphere(n);
    let vertices: Vec<Vec3> = sphere
        .iter()
        .map(|&p| p * (1.0 - 0.06 * fold(p)) * Vec3::new(35.0, 50.0, 30.0))
        .collect();
    let mut layer = plain(vertices, triangles);
    layer.sulcal = Some(values(sphere.iter().map(|&p| fold(p))));
    layer
}

pub(crate) fn plain(vertices: Vec<Vec3>, triangles: Vec<[u32; 3]>) -> MeshLayer {
    let mesh = MeshData {
        key: fresh_key(),
        vertices: vertices.into(),
        triangles: triangles.into(),
    };
    MeshLayer {
        toward: None,
        sampled: None,
        relief: 1.0,
        coarse: false,
        mesh,
        offset_mm: Vec3::ZERO,
        sulcal: None,
        overlay: None,
        outlines: Vec::new(),
        opacity: 1.0,
    }
}

pub(crate) fn values(f: impl Iterator<Item = f32>) -> VertexData {
    VertexData {
        key: fresh_key(),
        values: f.collect(),
    }
}

/// Six regions: octant-like patches.
pub(crate) fn regions(layer: &MeshLayer) -> VertexData {
    values(layer.mesh.vertices.iter().map(|p| {
        f32::from(u8::from(p.x > 5.0))
            + 2.0 * f32::from(u8::from(p.z > 3.0))
            + if p.y > 20.0 { 2.0 } else { 0.0 }
    }))
}

pub(crate) fn region_colours() -> Arc<[(i32, [u8; 4])]> {
    Arc::new([
        (1, [230, 60, 40, 255]),
        (2, [40, 160, 60, 255]),
        (3, [20, 20, 20, 255]),
        (5, [250, 220, 40, 255]),
    ])
}

/// A folded egg whose colours are sampled from a volume, 3 mm inwards and 2 mm outwards of its surface.
pub(crate) fn painted_cortex(n: u32, linear: bool, n_layers: u32) -> MeshLayer {
    let mut layer = folded(n);
    let ends = |factor: f32| Places {
        key: fresh_key(),
        vertices: layer.mesh.vertices.iter().map(|&p| p * factor).collect(),
    };
    let affine = Affine3A::from_scale_rotation_translation(
        Vec3::splat(4.0),
        glam::Quat::from_rotation_z(0.3),
        Vec3::new(-40.0, -66.0, -38.0),
    );
    let look = Look {
        threshold: 1.2,
        two_sided: true,
        ..look(Colormap::BlueRed, (0.0, 4.0))
    };
    layer.sampled = Some(Sampled {
        inner: ends(0.93),
        outer: ends(1.04),
        layer: VolumeLayer {
            volume: volume([26, 34, 20], affine, blobs),
            linear,
            look,
            modulation: None,
        },
        depth: (0.0, 1.0),
        n_layers,
    });
    layer
}
