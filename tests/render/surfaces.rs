//! Surfaces: against formulas and against the twin.

use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::colormap::Colormap;
use fusiform_render::cpu;
use fusiform_render::gpu::RenderError;
use fusiform_render::mesh::normals;
use fusiform_render::scene::{Look, MeshLayer, Picture, Places, Scene, SurfaceView, View, bounds};
use glam::Vec3;

use crate::shapes::{
    folded, fresh_key, icosphere, look, plain, region_colours, regions, scene, values,
};
use crate::{centroid, close, differing, on_gpu, pixel};

const SIZE: [u32; 2] = [240, 200];

pub(crate) fn seen(meshes: Vec<MeshLayer>, view: StandardView, fov_degrees: f32) -> Scene {
    let mut camera = Camera::fit(bounds(&meshes).unwrap(), view, 1.2);
    camera.fov_degrees = fov_degrees;
    scene(View::Surfaces(SurfaceView {
        solids: Vec::new(),
        clips: Vec::new(),
        camera,
        meshes,
        marker: None,
    }))
}

/// A brain with all that can be painted on it.
pub(crate) fn painted(n: u32) -> MeshLayer {
    let mut layer = folded(n);
    let map = values(layer.mesh.vertices.iter().map(|p| {
        if p.distance(Vec3::new(20.0, 30.0, 20.0)) < 12.0 {
            f32::NAN
        } else {
            (p.x * 0.12).sin() * 4.0 + p.z * 0.05
        }
    }));
    layer.overlay = Some((
        map,
        Look {
            threshold: 1.5,
            two_sided: true,
            opacity: 0.9,
            ..look(Colormap::BlueRed, (0.0, 5.0))
        },
    ));
    layer.outlines = vec![(regions(&layer), region_colours())];
    layer
}

fn both(scene: &Scene, size: [u32; 2], check: impl Fn(&Picture)) {
    check(&cpu::picture(scene, size).unwrap());
    on_gpu(|renderer| check(&renderer.picture(scene, size).unwrap()));
}

#[test]
fn the_device_and_the_twin_agree() {
    let mut glass = painted(4);
    glass.opacity = 0.4;
    glass.offset_mm = Vec3::new(40.0, 5.0, 0.0);
    let cases = [
        (
            "plain",
            seen(
                vec![plain(icosphere(3).0, icosphere(3).1)],
                StandardView::Left,
                0.0,
            ),
        ),
        (
            "painted",
            seen(vec![painted(5)], StandardView::Superior, 0.0),
        ),
        (
            "perspective",
            seen(vec![painted(5)], StandardView::Right, 40.0),
        ),
        (
            "see-through",
            seen(vec![glass, painted(4)], StandardView::Superior, 20.0),
        ),
    ];
    on_gpu(|renderer| {
        for (name, mut scene) in cases {
            let View::Surfaces(view) = &mut scene.view else {
                unreachable!()
            };
            view.marker = Some((Vec3::new(10.0, 12.0, 34.0), 6.0, [250, 200, 0, 255]));
            // One sample each, so that the two ask for colour at the same points.
            let quality = renderer.picture_samples;
            renderer.picture_samples = 1;
            let gpu = renderer.picture(&scene, SIZE).unwrap();
            renderer.picture_samples = quality;
            let cpu = cpu::picture_sampled(&scene, SIZE, 1).unwrap();
            // Silhouettes may fall to either side of a sample, and slopes are taken over two pixels by the device.
            let share = differing(&gpu, &cpu, 3);
            assert!(
                share <= 0.006,
                "{name}: {:.2} % of pixels differ by more than 3",
                share * 100.0
            );
            // With many samples each, edges agree too.
            let (fine, finer) = (
                renderer.picture(&scene, SIZE).unwrap(),
                cpu::picture(&scene, SIZE).unwrap(),
            );
            let share = differing(&fine, &finer, 24);
            assert!(
                share <= 0.01,
                "{name}: {:.2} % of pixels differ by more than 24",
                share * 100.0
            );
        }
    });
}

/// While it moves a large mesh is drawn with fewer triangles: by both alike, and near to what the whole looks like, with
/// all that is painted on it.
#[test]
fn a_coarse_mesh_is_near_the_whole() {
    let mut layer = painted(7);
    let (sphere, _) = icosphere(7);
    layer.toward = Some((
        Places {
            key: fresh_key(),
            vertices: sphere.iter().map(|&p| p * 42.0).collect(),
        },
        0.3,
    ));
    let whole = seen(vec![layer], StandardView::Superior, 20.0);
    let View::Surfaces(view) = &whole.view else {
        unreachable!()
    };
    let coarse = scene(View::Surfaces(view.clone().draft()));
    let drawn = |scene: &Scene| cpu::picture_sampled(scene, SIZE, 1).unwrap();
    let (twin, fine) = (drawn(&coarse), drawn(&whole));
    let off = differing(&twin, &fine, 40);
    assert!((0.002..0.06).contains(&off), "{off}");
    on_gpu(|renderer| {
        let quality = renderer.picture_samples;
        renderer.picture_samples = 1;
        let drawn = renderer.picture(&coarse, SIZE).unwrap();
        let again = renderer.picture(&whole, SIZE).unwrap();
        renderer.picture_samples = quality;
        assert!(
            differing(&drawn, &twin, 3) < 0.008,
            "{}",
            differing(&drawn, &twin, 3)
        );
        assert!(
            differing(&again, &fine, 3) < 0.008,
            "{}",
            differing(&again, &fine, 3)
        );
        // A pick finds the vertex of the whole mesh.
        let at = [SIZE[0] / 2 + 13, SIZE[1] / 2 - 9];
        let picked = renderer.pick(&coarse, SIZE, at).unwrap();
        assert_eq!(picked, renderer.pick(&whole, SIZE, at).unwrap());
        assert!(picked.is_some());
    });
}

/// What faces the viewer shows the colours of the colour bar: a number on a flat sheet has exactly the map's colour.
#[test]
fn a_flat_sheet_has_the_colours_of_the_map() {
    let corners = vec![
        Vec3::new(-10.0, -10.0, 0.0),
        Vec3::new(10.0, -10.0, 0.0),
        Vec3::new(-10.0, 10.0, 0.0),
        Vec3::new(10.0, 10.0, 0.0),
    ];
    for winding in [[[0, 1, 2], [2, 1, 3]], [[0, 2, 1], [2, 3, 1]]] {
        let mut sheet = plain(corners.clone(), winding.to_vec());
        let look = look(Colormap::Viridis, (-10.0, 10.0));
        sheet.overlay = Some((values(corners.iter().map(|p| p.x)), look.clone()));
        let view = seen(vec![sheet], StandardView::Superior, 0.0);
        let View::Surfaces(surfaces) = &view.view else {
            unreachable!()
        };
        let mm_per_pixel = 2.0 * surfaces.camera.half_height_mm / SIZE[1] as f32;
        both(&view, SIZE, |picture| {
            for x in (40..200).step_by(7) {
                let value = (x as f32 + 0.5 - SIZE[0] as f32 / 2.0) * mm_per_pixel;
                let expected = look.colour(value).unwrap();
                let shown = pixel(picture, x, 100);
                assert!(
                    close(shown, expected, 2),
                    "{value}: {shown:?}, expected {expected:?}"
                );
            }
        });
    }
}

/// The threshold cuts where the interpolated number passes it, not at vertices, and NaN ends half way to the next vertex.
#[test]
fn thresholds_and_nan_end_within_triangles() {
    let corners = vec![
        Vec3::new(-10.0, -10.0, 0.0),
        Vec3::new(10.0, -10.0, 0.0),
        Vec3::new(-10.0, 10.0, 0.0),
        Vec3::new(10.0, 10.0, 0.0),
    ];
    let triangles = vec![[0, 1, 2], [2, 1, 3]];
    let red_width = |picture: &Picture| {
        let row = (0..SIZE[0]).map(|x| pixel(picture, x, 100));
        row.map(|[r, g, ..]| f64::from(r.saturating_sub(g)) / 255.0)
            .sum::<f64>()
    };
    for (left, right, threshold, share) in [
        (0.0, 4.0, 1.0, 0.75),
        // A one-sided map: large negative numbers are below its threshold.
        (-4.0, 4.0, 3.0, 0.125),
        (f32::NAN, 4.0, 0.0, 0.5),
    ] {
        let mut sheet = plain(corners.clone(), triangles.clone());
        // One colour for all numbers, a third up the hot map: red.
        let look = Look {
            threshold,
            ..look(Colormap::Hot, (-1e9, 2e9))
        };
        sheet.overlay = Some((
            values(corners.iter().map(|p| if p.x < 0.0 { left } else { right })),
            look,
        ));
        let view = seen(vec![sheet], StandardView::Superior, 0.0);
        let View::Surfaces(surfaces) = &view.view else {
            unreachable!()
        };
        let width = 20.0 * f64::from(SIZE[1]) / f64::from(2.0 * surfaces.camera.half_height_mm);
        both(&view, SIZE, |picture| {
            let red = pixel(picture, SIZE[0] / 2 + (width * 0.45) as u32, 100);
            let full = f64::from(red[0].saturating_sub(red[1])) / 255.0;
            let shown = red_width(picture) / full / width;
            assert!(
                (shown - share).abs() < 0.01,
                "{left} to {right} from {threshold}: {shown} of the sheet, expected {share}"
            );
        });
    }
}

/// A sphere covers πr² and is seen where its centre is; nothing shines through it.
#[test]
fn the_marker_is_a_ball() {
    let mut view = seen(vec![folded(3)], StandardView::Anterior, 0.0);
    let View::Surfaces(surfaces) = &mut view.view else {
        unreachable!()
    };
    surfaces.marker = Some((Vec3::new(12.0, 80.0, 8.0), 5.0, [0, 0, 255, 255]));
    let mm_per_pixel = f64::from(2.0 * surfaces.camera.half_height_mm / SIZE[1] as f32);
    both(&view, SIZE, |picture| {
        let ([x, y], n) = centroid(picture, |[r, _, b, _]| b > 60 && b > r.saturating_mul(2));
        let area = n as f64 * mm_per_pixel * mm_per_pixel;
        assert!(
            (area / (std::f64::consts::PI * 25.0) - 1.0).abs() < 0.12,
            "{area} mm²"
        );
        // From the front the subject's right (+x) is on the left of the picture.
        assert!(
            (x - (120.0 - 12.0 / mm_per_pixel)).abs() < 1.0
                && (y - (100.0 - 8.0 / mm_per_pixel)).abs() < 1.0,
            "{x} {y}"
        );
    });
}

#[test]
fn near_things_hide_far_ones_whatever_the_order() {
    let ball = |at: Vec3, value: f32| {
        let (sphere, triangles) = icosphere(3);
        let mut layer = plain(sphere.iter().map(|&p| p * 10.0).collect(), triangles);
        layer.offset_mm = at;
        layer.overlay = Some((
            values(sphere.iter().map(|_| value)),
            look(Colormap::Grey, (0.0, 1.0)),
        ));
        layer
    };
    let near = ball(Vec3::new(0.0, 0.0, 30.0), 0.0);
    let far = ball(Vec3::ZERO, 1.0);
    for meshes in [
        vec![near.clone(), far.clone()],
        vec![far.clone(), near.clone()],
    ] {
        both(
            &seen(meshes, StandardView::Superior, 0.0),
            SIZE,
            |picture| {
                assert!(
                    pixel(picture, 120, 100)[0] < 40,
                    "the dark ball is in front"
                );
            },
        );
    }
    let mut glass = near;
    glass.opacity = 0.5;
    both(
        &seen(vec![glass, far], StandardView::Superior, 0.0),
        SIZE,
        |picture| {
            let shown = pixel(picture, 120, 100)[0];
            assert!(
                (100..155).contains(&shown),
                "half of the white ball shines through: {shown}"
            );
        },
    );
}

/// A line a region, on the border: between x < 0 and x > 0 on a strip it runs down the middle.
#[test]
fn region_lines_run_between_vertices() {
    let n = 8;
    let corners: Vec<Vec3> = (0..=n)
        .flat_map(|i| [-10.0_f32, 10.0].map(|y| Vec3::new(i as f32 * 4.0 - 16.0, y, 0.0)))
        .collect();
    let triangles: Vec<[u32; 3]> = (0..n)
        .flat_map(|i| {
            [
                [2 * i, 2 * i + 2, 2 * i + 1],
                [2 * i + 1, 2 * i + 2, 2 * i + 3],
            ]
        })
        .collect();
    let mut strip = plain(corners.clone(), triangles);
    // The border lies half way between the vertex columns at −4 and 0, at −2 mm. The red layer lies over a green one.
    let west = || corners.iter().map(|p| if p.x < -3.0 { 7.0 } else { 0.0 });
    strip.outlines = vec![
        (values(west()), vec![(7, [0, 255, 0, 255])].into()),
        (values(west()), vec![(7, [255, 0, 0, 255])].into()),
    ];
    let view = seen(vec![strip], StandardView::Superior, 0.0);
    let View::Surfaces(surfaces) = &view.view else {
        unreachable!()
    };
    let mm_per_pixel = f64::from(2.0 * surfaces.camera.half_height_mm / SIZE[1] as f32);
    both(&view, SIZE, |picture| {
        for y in [80, 100, 120] {
            let reds: Vec<(f64, f64)> = (0..SIZE[0])
                .map(|x| (f64::from(x) + 0.5, pixel(picture, x, y)))
                .map(|(x, [r, g, ..])| (x, f64::from(r.saturating_sub(g)) / 255.0))
                .collect();
            let width: f64 = reds.iter().map(|(_, red)| red).sum();
            let middle: f64 = reds.iter().map(|(x, red)| x * red).sum::<f64>() / width;
            assert!(
                (middle - (120.0 - 2.0 / mm_per_pixel)).abs() < 0.4,
                "row {y}: {middle}"
            );
            assert!((1.2..2.2).contains(&width), "row {y}: {width} pixels wide");
        }
    });
}

#[test]
fn infinities_have_the_colours_of_the_ends() {
    let (sphere, triangles) = icosphere(3);
    let mut layer = plain(sphere.clone(), triangles);
    let ends = sphere.iter().map(|p| {
        if p.x < 0.0 {
            f32::NEG_INFINITY
        } else {
            f32::INFINITY
        }
    });
    layer.overlay = Some((values(ends), look(Colormap::Viridis, (0.0, 1.0))));
    both(
        &seen(vec![layer], StandardView::Superior, 0.0),
        SIZE,
        |picture| {
            let (low, high) = (pixel(picture, 90, 100), pixel(picture, 150, 100));
            assert!(
                low[2] > low[1] + 40 && high[1] > high[2] + 40,
                "{low:?} {high:?}"
            );
        },
    );
}

#[test]
fn sulci_are_darker_than_gyri() {
    let (sphere, triangles) = icosphere(4);
    let mut layer = plain(sphere.clone(), triangles);
    layer.sulcal = Some(values(sphere.iter().map(|p| p.x)));
    both(
        &seen(vec![layer], StandardView::Superior, 0.0),
        SIZE,
        |picture| {
            let (left, right) = (pixel(picture, 100, 100), pixel(picture, 140, 100));
            assert!(left[0] > right[0] + 40, "{left:?} {right:?}");
            assert_eq!([left[0], left[0]], [left[1], left[2]], "greys");
        },
    );
}

#[test]
fn normals_of_a_sphere_point_outwards() {
    let (vertices, triangles) = icosphere(3);
    for (normal, vertex) in normals(&vertices, &triangles).iter().zip(&vertices) {
        assert!(normal.dot(*vertex) > 0.999 && (normal.length() - 1.0).abs() < 1e-5);
    }
    assert_eq!(
        normals(&[Vec3::ONE], &[[0, 9, 0]]),
        vec![Vec3::ZERO],
        "a lone vertex and a wrong triangle"
    );
}

#[test]
fn mismatched_files_are_named() {
    let mut layer = folded(2);
    layer.overlay = Some((
        values([1.0, 2.0].into_iter()),
        look(Colormap::Hot, (0.0, 1.0)),
    ));
    let mut wrong = folded(1);
    wrong.mesh.triangles = vec![[0, 1, 9999]].into();
    for (layer, words) in [
        (layer, "2 values but the mesh has 162 vertices"),
        (wrong, "names vertex 9999"),
    ] {
        let scene = seen(vec![layer], StandardView::Left, 0.0);
        let error = cpu::picture(&scene, SIZE).unwrap_err();
        assert!(
            matches!(&error, RenderError::Scene(said) if said.contains(words)),
            "{error}"
        );
        on_gpu(|renderer| {
            assert_eq!(
                renderer.picture(&scene, SIZE).unwrap_err().to_string(),
                error.to_string()
            );
        });
    }
}

/// `draw` keeps its slot's texture, and both numbers of samples work.
#[test]
fn drawing_into_slots() {
    on_gpu(|renderer| {
        let scene = seen(vec![painted(3)], StandardView::Left, 0.0);
        let samples = renderer.samples;
        for n in [1, 4] {
            renderer.samples = n;
            let view = renderer.draw(77, &scene, [64, 48]).unwrap();
            assert_eq!(
                view,
                renderer.draw(77, &scene, [64, 48]).unwrap(),
                "the same texture"
            );
        }
        let other = renderer.draw(77, &scene, [65, 48]).unwrap();
        assert_eq!(other.texture().width(), 65);
        renderer.samples = samples;
        renderer.release(77);
    });
}
