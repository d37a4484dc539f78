//! Standard views show the sides that anatomists expect.

use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::cpu;
use fusiform_render::scene::{SurfaceView, View};
use glam::{Vec2, Vec3};

use crate::centroid;
use crate::shapes::{folded, scene};

/// Subject's right, front, top.
const RIGHT: Vec3 = Vec3::new(30.0, 0.0, 0.0);
const FRONT: Vec3 = Vec3::new(0.0, 45.0, 0.0);
const TOP: Vec3 = Vec3::new(0.0, 0.0, 25.0);

/// For each view: where in the picture (x right, y up; nothing: towards or away from the viewer) right, front and top
/// lie, and which is nearest to the viewer.
type Expected = (StandardView, [Option<[f32; 2]>; 3], Vec3);
const EXPECTED: [Expected; 6] = [
    (
        StandardView::Left,
        [None, Some([-1.0, 0.0]), Some([0.0, 1.0])],
        Vec3::NEG_X,
    ),
    (
        StandardView::Right,
        [None, Some([1.0, 0.0]), Some([0.0, 1.0])],
        Vec3::X,
    ),
    (
        StandardView::Superior,
        [Some([1.0, 0.0]), Some([0.0, 1.0]), None],
        Vec3::Z,
    ),
    (
        StandardView::Inferior,
        [Some([-1.0, 0.0]), Some([0.0, 1.0]), None],
        Vec3::NEG_Z,
    ),
    (
        StandardView::Anterior,
        [Some([-1.0, 0.0]), None, Some([0.0, 1.0])],
        Vec3::Y,
    ),
    (
        StandardView::Posterior,
        [Some([1.0, 0.0]), None, Some([0.0, 1.0])],
        Vec3::NEG_Y,
    ),
];

#[test]
fn markers_appear_on_the_anatomical_side() {
    let size = [160, 160];
    for (standard, places, towards) in EXPECTED {
        for (marker, place) in [RIGHT, FRONT, TOP].into_iter().zip(places) {
            for fov_degrees in [0.0, 30.0] {
                let mut glass = folded(3);
                glass.opacity = 0.3;
                let mut camera =
                    Camera::fit((Vec3::splat(-55.0), Vec3::splat(55.0)), standard, 1.0);
                camera.fov_degrees = fov_degrees;
                let view = SurfaceView {
                    solids: Vec::new(),
                    clips: Vec::new(),
                    camera,
                    meshes: vec![glass],
                    marker: Some((marker, 5.0, [0, 255, 0, 255])),
                };
                let picture = cpu::picture(&scene(View::Surfaces(view)), size).unwrap();
                let ([x, y], n) = centroid(&picture, |[r, g, ..]| {
                    g > 60 && f32::from(g) > 1.3 * f32::from(r)
                });
                assert!(n > 20, "{standard:?}: the marker shows through");
                let seen = Vec2::new((x as f32 - 80.0) / 80.0, (80.0 - y as f32) / 80.0);
                match place {
                    Some(direction) => {
                        let direction = Vec2::from_array(direction);
                        assert!(seen.dot(direction) > 0.3, "{standard:?} {marker}: {seen}");
                        assert!(
                            seen.perp_dot(direction).abs() < 0.05,
                            "{standard:?} {marker}: {seen}"
                        );
                    }
                    None => assert!(seen.length() < 0.05, "{standard:?} {marker}: {seen}"),
                }
            }
        }
        let camera = Camera::fit((Vec3::splat(-1.0), Vec3::ONE), standard, 1.0);
        let depth = |p: Vec3| camera.clip_from_world(1.0).project_point3(p).z;
        assert!(
            depth(towards) < depth(Vec3::ZERO) && depth(Vec3::ZERO) < depth(-towards),
            "{standard:?}"
        );
    }
}

#[test]
fn fitting_fills_the_picture() {
    let bounds = (
        Vec3::new(-70.0, -100.0, -40.0),
        Vec3::new(-10.0, 60.0, 80.0),
    );
    for (standard, ..) in EXPECTED {
        for aspect in [0.5, 1.0, 2.0] {
            let clip = Camera::fit(bounds, standard, aspect).clip_from_world(aspect);
            let mut reach = Vec2::ZERO;
            for corner in 0..8 {
                let side =
                    |bit: u32, low: f32, high: f32| if corner & bit == 0 { low } else { high };
                let p = Vec3::new(
                    side(1, bounds.0.x, bounds.1.x),
                    side(2, bounds.0.y, bounds.1.y),
                    side(4, bounds.0.z, bounds.1.z),
                );
                reach = reach.max(clip.project_point3(p).truncate().abs());
            }
            assert!(
                (0.9..0.99).contains(&reach.max_element()),
                "{standard:?} {aspect}: {reach}"
            );
        }
    }
}

#[test]
fn dragging_right_turns_the_front_to_the_right() {
    let camera = Camera::fit((Vec3::splat(-1.0), Vec3::ONE), StandardView::Anterior, 1.0);
    let x = |camera: Camera| camera.clip_from_world(1.0).project_point3(Vec3::Y).x;
    assert!(x(camera).abs() < 1e-6 && x(camera.turned(0.3, 0.0)) > 0.1);
    let y = |camera: Camera| camera.clip_from_world(1.0).project_point3(Vec3::Y).y;
    assert!(y(camera.turned(0.0, 0.3)) < -0.1);
    assert!((camera.turned(1.0, 2.0).rotation.length() - 1.0).abs() < 1e-6);
}
