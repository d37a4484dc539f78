//! How long frames take, on made-up brains: nothing to name, so that anybody can compare.

use std::time::Instant;

use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::colormap::Colormap;
use fusiform_render::gpu::{Gpu, Renderer};
use fusiform_render::scene::{
    Cast, Key, Look, MeshData, MeshLayer, Places, Plane, Sampled, Scene, SliceView, SolidLayer,
    SurfaceView, VertexData, View, VolumeData, VolumeLayer, bounds,
};
use glam::{Affine3A, Vec3};
use serde_json::{Value, json};

/// Rings of vertices of a hemisphere: with twice as many in each ring 163 592, as fsaverage has.
const RINGS: u32 = 286;
/// Pixels of a frame.
const SIZE: [u32; 2] = [1280, 800];
/// Pixels of one of three slices in such a window.
const SLICE: [u32; 2] = [424, 420];
/// Voxels a side of the volume that is looked into.
const VOXELS: usize = 256;

/// Seconds of frames: the median and the least of `reps` after the first.
struct Frames {
    median_ms: f64,
    least_ms: f64,
}

/// Measures; gives the object to print and the text.
pub(super) fn run(reps: u32) -> anyhow::Result<(Value, String)> {
    let mut renderer = Renderer::new(Gpu::headless()?);
    let driver = renderer.gpu().adapter_name.clone();
    let (mut json, mut text) = (serde_json::Map::new(), format!("{driver}\n"));
    let mut add = |name: &str, words: &str, frames: &Frames| {
        json.insert(format!("{name}_ms"), json!(frames.median_ms));
        json.insert(format!("{name}_least_ms"), json!(frames.least_ms));
        json.insert(format!("{name}_fps"), json!(1e3 / frames.median_ms));
        text += &format!(
            "{words:58}{:>8.1} ms{:>8.1} frames/s\n",
            frames.median_ms,
            1e3 / frames.median_ms
        );
    };
    let halves = [hemisphere(1, -38.0), hemisphere(2, 38.0)];
    let n_vertices: usize = halves.iter().map(|h| h.mesh.vertices.len()).sum();
    let surfaces = surfaces(halves.to_vec());
    let half = SIZE.map(|side| side / 2);
    let whole = time(&mut renderer, &surfaces, &[SIZE], reps)?;
    let words = format!(
        "{n_vertices} vertices, volume in every pixel, {} × {}",
        SIZE[0], SIZE[1]
    );
    add("surface", &words, &whole);
    let draft = time(&mut renderer, &drafted(&surfaces), &[half], reps)?;
    add(
        "surface_draft",
        "  the same while dragging (half the pixels a side)",
        &draft,
    );
    let slices = slices();
    let three = time(&mut renderer, &slices, &[SLICE; 3], reps)?;
    let words = format!(
        "three slices of three layers, {} × {} each",
        SLICE[0], SLICE[1]
    );
    add("slices", &words, &three);
    let few = SLICE.map(|side| side / 2);
    let three = time(&mut renderer, &slices, &[few; 3], reps)?;
    add(
        "slices_draft",
        "  the same while dragging (half the pixels a side)",
        &three,
    );
    let rays = rays();
    let cast = time(&mut renderer, &rays, &[SIZE], reps)?;
    let words = format!("rays through {VOXELS}³ voxels, {} × {}", SIZE[0], SIZE[1]);
    add("rays", &words, &cast);
    let draft = time(&mut renderer, &drafted(&rays), &[half], reps)?;
    add(
        "rays_draft",
        "  the same while dragging (half the pixels a side)",
        &draft,
    );
    json.insert("driver".to_owned(), json!(driver));
    json.insert("n_vertices".to_owned(), json!(n_vertices));
    json.insert("reps".to_owned(), json!(reps));
    Ok((Value::Object(json), text))
}

/// Turns or moves the scenes by a little each frame, so that nothing can be kept from the last.
fn time(
    renderer: &mut Renderer,
    scenes: &[Scene],
    sizes: &[[u32; 2]],
    reps: u32,
) -> anyhow::Result<Frames> {
    let mut scenes = scenes.to_vec();
    let mut times = Vec::new();
    for frame in 0..=reps.max(3) {
        for scene in &mut scenes {
            match &mut scene.view {
                View::Surfaces(view) => view.camera = view.camera.turned(0.03, 0.0),
                View::Slice(view) => view.centre_mm += Vec3::splat(0.2),
            }
        }
        let start = Instant::now();
        for (slot, (scene, size)) in scenes.iter().zip(sizes).enumerate() {
            renderer.draw(slot as u64, scene, *size)?;
        }
        renderer.finish()?;
        // The first frame compiles and uploads.
        if frame > 0 {
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    Ok(Frames {
        median_ms: super::median(&times),
        least_ms: times.iter().copied().fold(f64::INFINITY, f64::min),
    })
}

fn drafted(scenes: &[Scene]) -> Vec<Scene> {
    let draft = |scene: &Scene| {
        let mut scene = scene.clone();
        if let View::Surfaces(view) = scene.view {
            scene.view = View::Surfaces(view.draft());
        }
        scene
    };
    scenes.iter().map(draft).collect()
}

fn surfaces(meshes: Vec<MeshLayer>) -> Vec<Scene> {
    let camera = Camera::fit(
        bounds(&meshes).unwrap_or_default(),
        StandardView::Superior,
        SIZE[0] as f32 / SIZE[1] as f32,
    );
    vec![Scene {
        background: [0, 0, 0, 255],
        view: View::Surfaces(SurfaceView {
            camera: camera.turned(0.3, 0.4),
            meshes,
            solids: Vec::new(),
            clips: Vec::new(),
            marker: None,
        }),
    }]
}

fn slices() -> Vec<Scene> {
    let grey = Look {
        opacity: 1.0,
        ..look(Colormap::Grey)
    };
    let layers = [
        layer(volume(101, 181, 1.0), grey),
        layer(volume(102, 60, 3.0), look(Colormap::Viridis)),
        layer(volume(103, 60, 3.0), look(Colormap::Hot)),
    ];
    [Plane::Axial, Plane::Coronal, Plane::Sagittal]
        .map(|plane| Scene {
            background: [0, 0, 0, 255],
            view: View::Slice(SliceView {
                plane,
                centre_mm: Vec3::ZERO,
                mm_per_pixel: 0.45,
                radiological: false,
                nose_right: false,
                slab_mm: None,
                layers: layers.to_vec(),
                outlines: Vec::new(),
                crosshair: Some((Vec3::ZERO, [0, 255, 0, 255])),
            }),
        })
        .to_vec()
}

fn rays() -> Vec<Scene> {
    let edge = 180.0 / VOXELS as f32;
    let solid = SolidLayer {
        layer: layer(volume(104, VOXELS, edge), look(Colormap::Viridis)),
        cast: Cast::Shaded,
        step_voxels: 0.75,
    };
    let mut scenes = surfaces(Vec::new());
    let box_mm = (Vec3::splat(-95.0), Vec3::splat(95.0));
    if let View::Surfaces(view) = &mut scenes[0].view {
        let aspect = SIZE[0] as f32 / SIZE[1] as f32;
        view.camera = Camera::fit(box_mm, StandardView::Left, aspect).turned(0.4, 0.2);
        view.solids = vec![solid];
    }
    scenes
}

fn look(colormap: Colormap) -> Look {
    Look {
        colormap,
        range: (0.0, 3.0),
        threshold: 1.0,
        soft: false,
        two_sided: false,
        opacity: 0.6,
    }
}

fn layer(volume: VolumeData, look: Look) -> VolumeLayer {
    VolumeLayer {
        volume,
        linear: true,
        look,
        modulation: None,
    }
}

/// A blob around the origin with waves on it.
fn volume(id: u64, side: usize, edge_mm: f32) -> VolumeData {
    let half = (side as f32 - 1.0) / 2.0;
    let at = |i: usize| (i as f32 - half) * edge_mm;
    let mut data = Vec::with_capacity(side * side * side);
    for k in 0..side {
        for j in 0..side {
            for i in 0..side {
                let p = Vec3::new(at(i), at(j), at(k));
                let wave = (p.x * 0.11).sin() * (p.y * 0.13).cos() + (p.z * 0.12).sin();
                data.push(3.4 - p.length() / 28.0 + wave * 0.5);
            }
        }
    }
    VolumeData {
        key: key(id, 0),
        shape: [side; 3],
        world_from_voxel: Affine3A::from_scale_rotation_translation(
            Vec3::splat(edge_mm),
            glam::Quat::IDENTITY,
            Vec3::splat(-half * edge_mm),
        ),
        data: data.into(),
    }
}

fn key(id: u64, part: u64) -> Key {
    Key {
        id: 1000 + id * 10 + part,
        revision: 0,
    }
}

/// A folded egg with a sulcal map and a volume sampled 2 mm to either side of it.
fn hemisphere(id: u64, x_mm: f32) -> MeshLayer {
    let segments = 2 * RINGS;
    let (mut vertices, mut folds) = (Vec::new(), Vec::new());
    for ring in 0..RINGS {
        for segment in 0..segments {
            let polar = std::f32::consts::PI * (ring as f32 + 0.5) / RINGS as f32;
            let turn = std::f32::consts::TAU * segment as f32 / segments as f32;
            let p = Vec3::new(
                polar.sin() * turn.cos(),
                polar.sin() * turn.sin(),
                polar.cos(),
            );
            let fold = (9.0 * p.x + 3.0 * (4.0 * p.y).sin()).sin()
                * (8.0 * p.z + 2.0 * (5.0 * p.x).cos()).cos();
            let place = p * (1.0 - 0.06 * fold) * Vec3::new(34.0, 85.0, 55.0);
            vertices.push(place + Vec3::X * x_mm);
            folds.push(fold);
        }
    }
    let mut triangles = Vec::new();
    for ring in 0..RINGS - 1 {
        for segment in 0..segments {
            let next = (segment + 1) % segments;
            let (a, b) = (ring * segments + segment, ring * segments + next);
            triangles.push([a, a + segments, b]);
            triangles.push([b, a + segments, b + segments]);
        }
    }
    let middle = Vec3::X * x_mm;
    let end = |part, factor: f32| Places {
        key: key(id, part),
        vertices: vertices
            .iter()
            .map(|&p| middle + (p - middle) * factor)
            .collect(),
    };
    let sampled = Sampled {
        inner: end(3, 0.96),
        outer: end(4, 1.04),
        layer: layer(volume(110, 91, 2.0), look(Colormap::Viridis)),
        depth: (0.0, 1.0),
        n_layers: 5,
    };
    MeshLayer {
        mesh: MeshData {
            key: key(id, 1),
            vertices: vertices.into(),
            triangles: triangles.into(),
        },
        toward: None,
        offset_mm: Vec3::ZERO,
        sulcal: Some(VertexData {
            key: key(id, 2),
            values: folds.into(),
        }),
        overlay: None,
        sampled: Some(sampled),
        outlines: Vec::new(),
        opacity: 1.0,
        relief: 1.0,
        coarse: false,
    }
}
