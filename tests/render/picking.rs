//! Picking: against geometry, and the device against rays.

use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::cpu;
use fusiform_render::scene::{Pick, Scene, SurfaceView, View};
use glam::Vec3;

use crate::on_gpu;
use crate::shapes::{folded, icosphere, plain, scene};

const SIZE: [u32; 2] = [200, 160];

fn pair(fov_degrees: f32) -> Scene {
    let (left, mut right) = (folded(4), folded(4));
    right.offset_mm = Vec3::new(75.0, 0.0, 10.0);
    let meshes = vec![left, right];
    let mut camera = Camera::fit(
        fusiform_render::scene::bounds(&meshes).unwrap(),
        StandardView::Superior,
        1.25,
    );
    camera.fov_degrees = fov_degrees;
    scene(View::Surfaces(SurfaceView {
        solids: Vec::new(),
        clips: Vec::new(),
        camera: camera.turned(0.4, -0.3),
        meshes,
        marker: None,
    }))
}

#[test]
fn the_device_and_the_rays_agree() {
    on_gpu(|renderer| {
        for fov_degrees in [0.0, 35.0] {
            let scene = pair(fov_degrees);
            let View::Surfaces(view) = &scene.view else {
                unreachable!()
            };
            let (mut hits, mut misses) = (0, 0);
            for y in (2..SIZE[1]).step_by(12) {
                for x in (3..SIZE[0]).step_by(12) {
                    let gpu = renderer.pick(&scene, SIZE, [x, y]).unwrap();
                    let cpu = cpu::pick(&scene, SIZE, [x, y]).unwrap();
                    match (gpu, cpu) {
                        (None, None) => misses += 1,
                        (
                            Some(Pick::Vertex {
                                mesh,
                                vertex,
                                point_mm,
                            }),
                            Some(Pick::Vertex {
                                mesh: true_mesh,
                                vertex: true_vertex,
                                point_mm: true_mm,
                            }),
                        ) => {
                            hits += 1;
                            assert_eq!(mesh, true_mesh, "at {x}, {y}");
                            assert!(
                                point_mm.distance(true_mm) < 0.02,
                                "at {x}, {y}: {gpu:?} {cpu:?}"
                            );
                            assert_eq!(vertex, true_vertex, "at {x}, {y}");
                            // The nearest vertex of the whole mesh, by looking at all.
                            let vertices = &view.meshes[mesh].mesh.vertices;
                            let nearest = (0..vertices.len())
                                .min_by(|&a, &b| {
                                    let d = |v: usize| vertices[v].distance(true_mm);
                                    d(a).total_cmp(&d(b))
                                })
                                .unwrap();
                            assert_eq!(vertex as usize, nearest, "at {x}, {y}");
                        }
                        _ => panic!("at {x}, {y}: {gpu:?} {cpu:?}"),
                    }
                }
            }
            assert!(hits > 60 && misses > 20, "{hits} {misses}");
        }
    });
}

/// The middle of a sphere of radius 10 seen from the left is its point at x = −10.
#[test]
fn a_sphere_is_hit_on_the_near_side() {
    let (sphere, triangles) = icosphere(5);
    let mut ball = plain(sphere.iter().map(|&p| p * 10.0).collect(), triangles);
    ball.offset_mm = Vec3::new(3.0, -40.0, 12.0);
    let camera = Camera {
        target_mm: ball.offset_mm,
        ..Camera::fit((Vec3::ZERO, Vec3::splat(40.0)), StandardView::Left, 1.0)
    };
    let scene = scene(View::Surfaces(SurfaceView {
        solids: Vec::new(),
        clips: Vec::new(),
        camera,
        meshes: vec![ball],
        marker: None,
    }));
    let check = |pick: Option<Pick>| {
        let pick = pick.unwrap();
        assert!(
            pick.point_mm().distance(Vec3::new(-10.0, 0.0, 0.0)) < 0.05,
            "{pick:?}: before the offset"
        );
    };
    check(cpu::pick(&scene, [101, 101], [50, 50]).unwrap());
    assert_eq!(cpu::pick(&scene, [101, 101], [0, 0]).unwrap(), None);
    assert_eq!(cpu::pick(&scene, [101, 101], [500, 0]).unwrap(), None);
    on_gpu(|renderer| {
        check(renderer.pick(&scene, [101, 101], [50, 50]).unwrap());
        assert_eq!(renderer.pick(&scene, [101, 101], [0, 0]).unwrap(), None);
        assert_eq!(renderer.pick(&scene, [101, 101], [500, 0]).unwrap(), None);
    });
}
