//! Draws a folded egg of 20 000 and of 160 000 vertices and prints how long a frame takes; writes the last one.
//!
//! `cargo run --release -p fusiform-render --example frame_times -- picture.png`

#![allow(clippy::print_stdout, reason = "its output is its purpose")]

use std::time::Instant;

use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::colormap::Colormap;
use fusiform_render::cpu;
use fusiform_render::gpu::{Gpu, Renderer};
use fusiform_render::scene::{
    Key, Look, MeshData, MeshLayer, Scene, SurfaceView, VertexData, View, bounds,
};
use glam::Vec3;

const SIZE: [u32; 2] = [1280, 800];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut renderer = Renderer::new(Gpu::headless()?);
    println!(
        "{} ({} × {} pixels)",
        renderer.gpu().adapter_name,
        SIZE[0],
        SIZE[1]
    );
    let mut last = None;
    for (id, rings) in [(1, 100), (2, 283)] {
        let mesh = egg(id, rings);
        let n_vertices = mesh.mesh.vertices.len();
        let mut camera = Camera::fit(
            bounds(std::slice::from_ref(&mesh)).unwrap_or_default(),
            StandardView::Left,
            1.6,
        );
        camera.fov_degrees = 25.0;
        let view = SurfaceView {
            solids: Vec::new(),
            clips: Vec::new(),
            camera,
            meshes: vec![mesh],
            marker: None,
        };
        let mut scene = Scene {
            background: [255; 4],
            view: View::Surfaces(view),
        };
        for samples in [1, 4] {
            renderer.samples = samples;
            let mut times: Vec<f64> = Vec::new();
            for _ in 0..12 {
                if let View::Surfaces(view) = &mut scene.view {
                    view.camera = view.camera.turned(0.02, 0.0);
                }
                let start = Instant::now();
                renderer.draw(0, &scene, SIZE)?;
                renderer
                    .gpu()
                    .device
                    .poll(wgpu::PollType::wait_indefinitely())?;
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
            let first = times.remove(0);
            times.sort_by(f64::total_cmp);
            println!(
                "{n_vertices} vertices, {samples} samples: {:.1} ms (first {first:.0} ms)",
                times[times.len() / 2]
            );
        }
        let start = Instant::now();
        renderer.pick(&scene, SIZE, [640, 400])?;
        println!(
            "{n_vertices} vertices, pick: {:.1} ms",
            start.elapsed().as_secs_f64() * 1e3
        );
        let start = Instant::now();
        last = Some(renderer.picture(&scene, [1600, 1200])?);
        println!(
            "{n_vertices} vertices, figure of 1600 × 1200: {:.0} ms",
            start.elapsed().as_secs_f64() * 1e3
        );
        let start = Instant::now();
        cpu::picture(&scene, [1600, 1200])?;
        println!(
            "{n_vertices} vertices, the same without a GPU: {:.0} ms",
            start.elapsed().as_secs_f64() * 1e3
        );
    }
    if let (Some(path), Some(picture)) = (std::env::args().nth(1), last) {
        image::save_buffer(
            path,
            &picture.rgba,
            picture.width,
            picture.height,
            image::ColorType::Rgba8,
        )?;
    }
    Ok(())
}

/// A folded egg with a sulcal map and a two-sided overlay; rings × 2 · rings vertices.
fn egg(id: u64, rings: u32) -> MeshLayer {
    let segments = 2 * rings;
    let mut vertices = Vec::new();
    let mut folds = Vec::new();
    let mut effect = Vec::new();
    for ring in 0..rings {
        for segment in 0..segments {
            let polar = std::f32::consts::PI * (ring as f32 + 0.5) / rings as f32;
            let turn = std::f32::consts::TAU * segment as f32 / segments as f32;
            let p = Vec3::new(
                polar.sin() * turn.cos(),
                polar.sin() * turn.sin(),
                polar.cos(),
            );
            let fold = (9.0 * p.x + 3.0 * (4.0 * p.y).sin()).sin()
                * (8.0 * p.z + 2.0 * (5.0 * p.x).cos()).cos();
            vertices.push(p * (1.0 - 0.06 * fold) * Vec3::new(35.0, 50.0, 30.0));
            folds.push(fold);
            effect.push(6.0 * (3.0 * p.y).sin() * (2.0 * p.z + 0.5).cos());
        }
    }
    let mut triangles = Vec::new();
    for ring in 0..rings - 1 {
        for segment in 0..segments {
            let (a, b) = (
                ring * segments + segment,
                ring * segments + (segment + 1) % segments,
            );
            triangles.push([a, a + segments, b]);
            triangles.push([b, a + segments, b + segments]);
        }
    }
    let key = |part| Key {
        id: id * 10 + part,
        revision: 0,
    };
    let look = Look {
        soft: false,
        colormap: Colormap::BlueRed,
        range: (1.0, 6.0),
        threshold: 2.5,
        two_sided: true,
        opacity: 1.0,
    };
    MeshLayer {
        toward: None,
        sampled: None,
        relief: 1.0,
        coarse: false,
        mesh: MeshData {
            key: key(0),
            vertices: vertices.into(),
            triangles: triangles.into(),
        },
        offset_mm: Vec3::ZERO,
        sulcal: Some(VertexData {
            key: key(1),
            values: folds.into(),
        }),
        overlay: Some((
            VertexData {
                key: key(2),
                values: effect.into(),
            },
            look,
        )),
        outlines: Vec::new(),
        opacity: 1.0,
    }
}
