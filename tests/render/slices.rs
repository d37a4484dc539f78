//! Slices: against formulas, against the twin, and against themselves turned around.

use fusiform_render::colormap::Colormap;
use fusiform_render::cpu;
use fusiform_render::gpu::{Gpu, RenderError, Renderer};
use fusiform_render::scene::{
    Look, OutlineLayer, Picture, Plane, SliceView, View, VolumeData, VolumeLayer,
};
use glam::{Affine3A, Mat3, Quat, Vec3};

use crate::shapes::{blobs, fresh_key, look, scene, slice, volume};
use crate::{close, differing, on_gpu, pixel};

const SIZE: [u32; 2] = [180, 140];

fn oblique() -> Affine3A {
    Affine3A::from_scale_rotation_translation(
        Vec3::new(2.0, 2.5, 3.1),
        Quat::from_euler(glam::EulerRot::XYZ, 0.3, -0.2, 0.5),
        Vec3::new(-20.0, -25.0, -18.0),
    )
}

fn layer(volume: &VolumeData, linear: bool, look: Look) -> VolumeLayer {
    VolumeLayer {
        modulation: None,
        volume: volume.clone(),
        linear,
        look,
    }
}

/// Views that together use everything a slice can show.
fn everything() -> Vec<(&'static str, SliceView)> {
    let shape = [20, 22, 16];
    let below = volume(shape, oblique(), |[i, j, k]| (i + j + k) as f32);
    let above = volume(
        [30, 24, 18],
        Affine3A::from_translation(Vec3::new(-14.0, -12.0, -9.0)),
        blobs,
    );
    let labels = volume(shape, oblique(), |[i, j, _]| ((i / 6) * 3 + j / 8) as f32);
    let drawn = volume(
        [9, 9, 7],
        Affine3A::from_translation(Vec3::new(-3.0, -4.0, -4.0)),
        |v| f32::from(u8::from(v.iter().all(|&i| (2..6).contains(&i)))),
    );
    let two_sided = Look {
        two_sided: true,
        threshold: 0.8,
        opacity: 0.7,
        ..look(Colormap::ColdHot, (0.5, 4.0))
    };
    let mut views = Vec::new();
    for (plane, name) in [
        (Plane::Axial, "axial"),
        (Plane::Coronal, "coronal"),
        (Plane::Sagittal, "sagittal"),
    ] {
        for linear in [false, true] {
            let mut view = slice(plane, Vec3::new(1.3, -2.1, 0.7), 0.43);
            view.radiological = linear;
            view.layers = vec![
                layer(&below, linear, look(Colormap::Viridis, (0.0, 50.0))),
                layer(&above, linear, two_sided.clone()),
            ];
            views.push((name, view.clone()));
            view.outlines = vec![OutlineLayer {
                labels: labels.clone(),
                colours: vec![
                    (4, [255, 0, 0, 255]),
                    (1, [0, 255, 0, 200]),
                    (7, [250, 250, 250, 255]),
                ]
                .into(),
                width_px: 2.0,
            }];
            // A second layer crosses the first, on a grid of its own.
            view.outlines.push(OutlineLayer {
                labels: drawn.clone(),
                colours: vec![(1, [90, 160, 255, 255])].into(),
                width_px: 3.0,
            });
            view.crosshair = Some((Vec3::new(4.0, 3.0, -2.0), [255, 255, 0, 255]));
            views.push((name, view));
        }
    }
    views
}

#[test]
fn the_device_and_the_twin_agree() {
    on_gpu(|renderer| {
        for (name, view) in everything() {
            let scene = scene(View::Slice(view));
            let gpu = renderer.picture(&scene, SIZE).unwrap();
            let cpu = cpu::picture(&scene, SIZE).unwrap();
            let share = differing(&gpu, &cpu, 2);
            assert!(
                share <= 0.001,
                "{name}: {:.3} % of pixels differ by more than 2",
                share * 100.0
            );
            assert!(
                differing(&gpu, &cpu::picture(&blank(), SIZE).unwrap(), 2) > 0.1,
                "{name} shows something"
            );
        }
    });
}

fn blank() -> fusiform_render::scene::Scene {
    scene(View::Slice(slice(Plane::Axial, Vec3::ZERO, 1.0)))
}

#[test]
fn a_device_without_features_and_with_default_limits_suffices() {
    // What a window's toolkit hands over.
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    on_gpu(|renderer| {
        let adapter =
            pollster::block_on(instance.request_adapter(&wgpu::RequestAdapterOptions::default()))
                .unwrap();
        let (device, queue) =
            pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).unwrap();
        assert!(device.features().is_empty());
        let mut modest = Renderer::new(Gpu::from_parts(device, queue, &adapter.get_info()));
        let (_, view) = everything().remove(3);
        let wide = modest.picture(&blank(), [9000, 2]).unwrap_err().to_string();
        assert!(wide.contains("9000 × 2 pixels is larger than"), "{wide}");
        let scene = scene(View::Slice(view));
        assert_eq!(
            differing(
                &modest.picture(&scene, SIZE).unwrap(),
                &renderer.picture(&scene, SIZE).unwrap(),
                0
            ),
            0.0
        );
    });
}

/// A trilinear picture of a linear function of the world is that function at each pixel's world point.
#[test]
fn a_ramp_is_reproduced_between_voxels() {
    let affine = oblique();
    let middle = affine.transform_point3(Vec3::new(9.5, 10.5, 7.5));
    let f = |p: Vec3| (p - middle).dot(Vec3::new(2.0, -1.0, 3.0)) + 10.0;
    let ramp = volume([20, 22, 16], affine, |i| {
        f(affine.transform_point3(Vec3::from_array(i.map(|n| n as f32))))
    });
    let mut view = slice(Plane::Coronal, middle, 0.15);
    view.layers = vec![layer(&ramp, true, look(Colormap::Grey, (-100.0, 155.0)))];
    let check = |picture: &Picture| {
        for y in (5..140).step_by(15) {
            for x in (5..180).step_by(15) {
                let world = view.world_at([x as f32 + 0.5, y as f32 + 0.5], SIZE);
                let grey = (f(world) + 100.0).round() as u8;
                let shown = pixel(picture, x, y);
                assert!(
                    close(shown, [grey, grey, grey, 255], 1),
                    "{shown:?} at {x}, {y}, expected {grey}"
                );
            }
        }
    };
    let scene = scene(View::Slice(view.clone()));
    check(&cpu::picture(&scene, SIZE).unwrap());
    on_gpu(|renderer| check(&renderer.picture(&scene, SIZE).unwrap()));
}

/// A voxel covers half a voxel each way around its centre, and nothing is drawn outside the grid or at NaN.
#[test]
fn voxel_coordinates_are_centres() {
    let grid = volume(
        [2, 2, 1],
        Affine3A::from_scale(Vec3::splat(10.0)),
        |[i, j, _]| match (i, j) {
            (0, 0) => 0.0,
            (1, 0) => 1.0,
            (0, 1) => f32::NAN,
            _ => 0.6,
        },
    );
    for linear in [false, true] {
        let mut view = slice(Plane::Axial, Vec3::new(5.0, 5.0, 0.0), 1.0);
        view.layers = vec![layer(&grid, linear, look(Colormap::Grey, (0.0, 1.0)))];
        let mut scene = scene(View::Slice(view.clone()));
        scene.background = [9, 8, 7, 255];
        let picture = cpu::picture(&scene, [40, 40]).unwrap();
        let at = |x: f32, y: f32| {
            let [px, py] = view.pixel_at(Vec3::new(x, y, 0.0), [40, 40]);
            pixel(&picture, px as u32, py as u32)
        };
        let outside = [9, 8, 7, 255];
        assert_eq!(at(-5.5, 0.0), outside);
        assert_eq!(at(15.5, 0.0), outside);
        assert_eq!(at(0.0, -5.5), outside);
        assert_eq!(at(0.0, 12.0), outside, "NaN");
        assert_eq!(at(-4.5, -4.5), [0, 0, 0, 255]);
        assert_eq!(at(14.5, -4.5), [255; 4]);
        // Half way from black to white, and just beside the border of the two voxels.
        let middle = if linear { 115 } else { 0 };
        assert!(
            close(at(4.5, -4.5), [middle, middle, middle, 255], 1),
            "{:?}",
            at(4.5, -4.5)
        );
    }
}

/// The slice is where it says in depth, too.
#[test]
fn the_off_plane_coordinate_picks_the_slice() {
    let grid = volume(
        [9, 9, 9],
        Affine3A::from_translation(Vec3::splat(-4.0)),
        |[i, j, k]| (i + 10 * j + 100 * k) as f32,
    );
    let middles = [
        (Plane::Axial, Vec3::new(0.0, 0.0, 3.0), 4 + 40 + 700),
        (Plane::Coronal, Vec3::new(0.0, -2.0, 0.0), 4 + 20 + 400),
        (Plane::Sagittal, Vec3::new(-3.0, 0.0, 0.0), 1 + 40 + 400),
    ];
    for (plane, centre, expected) in middles {
        let mut view = slice(plane, centre, 0.1);
        let window = (expected as f32 - 0.5, expected as f32 + 0.5);
        view.layers = vec![layer(&grid, false, look(Colormap::Grey, window))];
        let picture = cpu::picture(&scene(View::Slice(view)), [5, 5]).unwrap();
        assert!(
            close(pixel(&picture, 2, 2), [128, 128, 128, 255], 1),
            "{plane:?}: {:?}",
            pixel(&picture, 2, 2)
        );
    }
}

/// All 48 ways to store the same brain, with the affine that says so, give one picture.
#[test]
fn storage_order_does_not_show() {
    let shape = [9, 11, 7];
    let base = Affine3A::from_mat3_translation(
        Mat3::from_diagonal(Vec3::new(2.0, 1.5, 2.5)),
        Vec3::new(-8.3, -7.9, -7.4),
    );
    let value = |[i, j, k]: [usize; 3]| (i * 7 + j * 13 + k * 29) as f32 % 40.0;
    let mut reference: Option<Vec<Picture>> = None;
    let mut n = 0;
    for axes in [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ] {
        for flips in 0..8_u32 {
            // Stored axis s runs along original axis axes[s], backwards where its bit is set.
            let stored_shape = axes.map(|a| shape[a]);
            let mut linear = Mat3::ZERO;
            let mut start = Vec3::ZERO;
            for s in 0..3 {
                let back = flips >> s & 1 == 1;
                linear.col_mut(s)[axes[s]] = if back { -1.0 } else { 1.0 };
                start[axes[s]] = if back {
                    (shape[axes[s]] - 1) as f32
                } else {
                    0.0
                };
            }
            let original_from_stored = Affine3A::from_mat3_translation(linear, start);
            let stored = volume(stored_shape, base * original_from_stored, |v| {
                let v =
                    original_from_stored.transform_point3(Vec3::from_array(v.map(|x| x as f32)));
                value(v.to_array().map(|x| x.round() as usize))
            });
            let pictures: Vec<Picture> = [Plane::Axial, Plane::Coronal, Plane::Sagittal]
                .into_iter()
                .flat_map(|plane| [false, true].map(|smooth| (plane, smooth)))
                .map(|(plane, smooth)| {
                    let mut view = slice(plane, Vec3::new(0.37, 0.41, 0.29), 0.31);
                    view.layers = vec![layer(&stored, smooth, look(Colormap::Magma, (0.0, 40.0)))];
                    cpu::picture(&scene(View::Slice(view)), [60, 70]).unwrap()
                })
                .collect();
            let reference = reference.get_or_insert_with(|| pictures.clone());
            for (picture, first) in pictures.iter().zip(reference.iter()) {
                assert_eq!(
                    differing(picture, first, 1),
                    0.0,
                    "axes {axes:?}, flips {flips:03b}"
                );
            }
            n += 1;
        }
    }
    assert_eq!(n, 48);
    let first = &reference.unwrap()[0];
    assert!(
        first.rgba.chunks_exact(4).any(|p| p != &first.rgba[..4]),
        "the picture is not uniform"
    );
}

#[test]
fn radiological_mirrors_left_and_right() {
    let mut view = slice(Plane::Axial, Vec3::ZERO, 0.5);
    view.layers = vec![layer(
        &volume(
            [30, 24, 18],
            Affine3A::from_translation(Vec3::new(-14.6, -12.0, -9.0)),
            blobs,
        ),
        true,
        look(Colormap::Viridis, (-6.0, 6.0)),
    )];
    let size = [81, 60];
    let neurological = cpu::picture(&scene(View::Slice(view.clone())), size).unwrap();
    view.radiological = true;
    let radiological = cpu::picture(&scene(View::Slice(view)), size).unwrap();
    let mut mirrored = neurological.clone();
    for (row, source) in mirrored
        .rgba
        .chunks_exact_mut(81 * 4)
        .zip(neurological.rgba.chunks_exact(81 * 4))
    {
        for (pixel, from) in row.chunks_exact_mut(4).zip(source.chunks_exact(4).rev()) {
            pixel.copy_from_slice(from);
        }
    }
    assert!(differing(&radiological, &mirrored, 2) < 0.001);
    assert!(differing(&radiological, &neurological, 2) > 0.2);
}

#[test]
fn pixels_and_world_points_are_inverse() {
    for plane in [Plane::Axial, Plane::Coronal, Plane::Sagittal] {
        for radiological in [false, true] {
            let mut view = slice(plane, Vec3::new(12.0, -7.0, 3.0), 0.37);
            view.radiological = radiological;
            let at = view.world_at([33.5, 71.25], SIZE);
            let [x, y] = view.pixel_at(at, SIZE);
            assert!(
                (x - 33.5).abs() < 1e-3 && (y - 71.25).abs() < 1e-3,
                "{x} {y}"
            );
            // Moving right by a pixel moves by the zoom, and not off the plane.
            let step = view.world_at([34.5, 71.25], SIZE) - at;
            assert!((step.length() - 0.37).abs() < 1e-5);
            let normal = match plane {
                Plane::Axial => step.z,
                Plane::Coronal => step.y,
                Plane::Sagittal => step.x,
            };
            assert!(normal.abs() < 1e-5);
        }
    }
    // Sagittal: anterior (+y) is on the left; axial: anterior up, and the subject's right on the right.
    let view = slice(Plane::Sagittal, Vec3::ZERO, 1.0);
    assert!(
        view.world_at([0.0, 50.0], [100, 100]).y > 0.0
            && view.world_at([50.0, 0.0], [100, 100]).z > 0.0
    );
    let view = slice(Plane::Axial, Vec3::ZERO, 1.0);
    assert!(
        view.world_at([50.0, 0.0], [100, 100]).y > 0.0
            && view.world_at([100.0, 50.0], [100, 100]).x > 0.0
    );
}

#[test]
fn a_fitted_slice_shows_the_whole_volume() {
    let grid = volume(
        [10, 20, 30],
        Affine3A::from_translation(Vec3::new(5.0, 6.0, 7.0)),
        |_| 1.0,
    );
    assert_eq!(
        grid.bounds_mm(),
        (Vec3::new(4.5, 5.5, 6.5), Vec3::new(14.5, 25.5, 36.5))
    );
    for (plane, mm_per_pixel) in [
        (Plane::Axial, 0.2),
        (Plane::Coronal, 0.3),
        (Plane::Sagittal, 0.3),
    ] {
        let view = slice(plane, Vec3::new(9.0, 9.0, 9.0), 1.0).fitted(grid.bounds_mm(), [100, 100]);
        assert!((view.mm_per_pixel - mm_per_pixel).abs() < 1e-6);
        for corner in [Vec3::new(4.5, 5.5, 6.5), Vec3::new(14.5, 25.5, 36.5)] {
            let [x, y] = view.pixel_at(corner, [100, 100]);
            assert!(
                (-0.01..=100.01).contains(&x) && (-0.01..=100.01).contains(&y),
                "{plane:?} {x} {y}"
            );
        }
        assert_eq!(
            (view.world_at([50.0, 50.0], [100, 100]) - Vec3::splat(9.0))
                .abs()
                .min_element(),
            0.0
        );
    }
}

/// A 10 × 10 mm region at 10 pixels a mm, line 4 pixels wide: the line is centred on the border.
#[test]
fn outlines_lie_on_the_border() {
    let labels = volume(
        [5, 5, 1],
        Affine3A::from_scale(Vec3::new(10.0, 10.0, 1.0)),
        |v| {
            if v == [2, 2, 0] { 8.0 } else { 0.0 }
        },
    );
    let mut view = slice(Plane::Axial, Vec3::new(20.0, 20.0, 0.0), 0.1);
    view.outlines = vec![OutlineLayer {
        labels,
        colours: vec![(8, [10, 200, 30, 255])].into(),
        width_px: 4.0,
    }];
    let check = |picture: &Picture| {
        // The border is 50 pixels left of the middle (100, 100).
        for (x, on) in [
            (46, false),
            (49, true),
            (50, true),
            (53, false),
            (100, false),
            (149, true),
            (155, false),
        ] {
            let shown = pixel(picture, x, 100);
            let expected = if on {
                [10, 200, 30, 255]
            } else {
                [0, 0, 0, 255]
            };
            assert_eq!(shown, expected, "column {x}");
        }
        let covered: f64 = picture
            .rgba
            .chunks_exact(4)
            .map(|p| f64::from(p[1]) / 200.0)
            .sum();
        // Four sides of 100 pixels and 4 wide; corners are rounded by less than 16 pixels in all.
        assert!((covered - 1600.0).abs() < 40.0, "{covered} pixels of line");
    };
    let scene = scene(View::Slice(view));
    check(&cpu::picture(&scene, [200, 200]).unwrap());
    on_gpu(|renderer| check(&renderer.picture(&scene, [200, 200]).unwrap()));
}

#[test]
fn the_crosshair_marks_its_point() {
    let mut view = slice(Plane::Coronal, Vec3::ZERO, 1.0);
    view.crosshair = Some((Vec3::new(10.0, 55.0, -20.0), [255, 255, 255, 255]));
    let picture = cpu::picture(&scene(View::Slice(view)), [100, 100]).unwrap();
    let bright = |x, y| u32::from(pixel(&picture, x, y)[0]);
    // At (60, 70): lines of 1.2 pixels between two pixel columns, with a gap in the middle.
    assert!(
        (bright(59, 10) + bright(60, 10)).abs_diff(306) <= 6,
        "{} {}",
        bright(59, 10),
        bright(60, 10)
    );
    assert_eq!(bright(59, 70) + bright(60, 69), 0, "the gap");
    assert!(bright(10, 69) > 100 && bright(10, 60) == 0 && bright(50, 50) == 0);
}

#[test]
fn a_see_through_background_stays() {
    let grid = volume([4, 4, 1], Affine3A::IDENTITY, |_| 1.0);
    let mut view = slice(Plane::Axial, Vec3::new(1.5, 1.5, 0.0), 0.1);
    let half = Look {
        opacity: 0.5,
        ..look(Colormap::Grey, (0.0, 1.0))
    };
    view.layers = vec![layer(&grid, false, half)];
    let mut scene = scene(View::Slice(view));
    scene.background = [0; 4];
    let check = |picture: &Picture| {
        assert_eq!(pixel(picture, 0, 0), [0; 4]);
        assert!(
            close(pixel(picture, 40, 40), [255, 255, 255, 128], 1),
            "straight, not premultiplied"
        );
    };
    check(&cpu::picture(&scene, [80, 80]).unwrap());
    on_gpu(|renderer| check(&renderer.picture(&scene, [80, 80]).unwrap()));
}

#[test]
fn malformed_scenes_are_refused_in_words() {
    let mut short = volume([4, 4, 4], Affine3A::IDENTITY, |_| 0.0);
    short.data = vec![0.0; 7].into();
    let flat = volume(
        [2, 2, 2],
        Affine3A::from_scale(Vec3::new(1.0, 1.0, 0.0)),
        |_| 0.0,
    );
    let cases = [
        (short, 1.0, "7 numbers"),
        (flat.clone(), 1.0, "cannot be inverted"),
        (flat, 0.0, "positive zoom"),
    ];
    for (volume, mm_per_pixel, words) in cases {
        let mut view = slice(Plane::Axial, Vec3::ZERO, mm_per_pixel);
        view.layers = vec![layer(&volume, false, look(Colormap::Grey, (0.0, 1.0)))];
        let scene = scene(View::Slice(view));
        let error = cpu::picture(&scene, [8, 8]).unwrap_err();
        assert!(
            matches!(&error, RenderError::Scene(said) if said.contains(words)),
            "{error}"
        );
        on_gpu(|renderer| {
            assert_eq!(
                renderer.picture(&scene, [8, 8]).unwrap_err().to_string(),
                error.to_string()
            );
        });
    }
    let huge = scene(View::Slice(slice(Plane::Axial, Vec3::ZERO, 1.0)));
    assert!(cpu::picture(&huge, [0, 8]).is_err() && cpu::picture(&huge, [1 << 20, 8]).is_err());
}

/// The cache follows keys: a new revision is uploaded, an old picture stays what it was.
#[test]
fn a_new_revision_is_drawn() {
    on_gpu(|renderer| {
        let key = fresh_key();
        for revision in 0..40 {
            let mut grid = volume([3, 3, 3], Affine3A::IDENTITY, |_| revision as f32);
            grid.key = fusiform_render::scene::Key {
                id: key.id,
                revision,
            };
            let mut view = slice(Plane::Axial, Vec3::ONE, 0.1);
            view.layers = vec![layer(&grid, false, look(Colormap::Grey, (0.0, 51.0)))];
            let picture = renderer.picture(&scene(View::Slice(view)), [4, 4]).unwrap();
            assert_eq!(pixel(&picture, 1, 1)[0], revision as u8 * 5);
        }
    });
}
