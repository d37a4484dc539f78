//! Pictures kept in `tests/snapshots/render`; `UPDATE_SNAPSHOTS=true` rewrites them from the reference renderer.

use std::path::PathBuf;

use fusiform_render::camera::StandardView;
use fusiform_render::colormap::Colormap;
use fusiform_render::cpu;
use fusiform_render::scene::{
    Cast, Look, Modulation, OutlineLayer, Picture, Places, Plane, Scene, View, VolumeLayer,
};
use glam::{Affine3A, Vec3};

use crate::shapes::{blobs, fresh_key, icosphere, look, painted_cortex, scene, slice, volume};
use crate::solids::{ball, cut, looked_into, solid};
use crate::surfaces::{painted, seen};
use crate::{differing, on_gpu};

/// The reference renderer must repeat itself: at most 0.1 % of pixels off by more than 2.
const SAME: (u8, f64) = (2, 0.001);
/// A device takes its samples elsewhere within a pixel: at most 2 % of pixels off by more than 20.
const ALIKE: (u8, f64) = (20, 0.02);

fn check(name: &str, scene: &Scene, size: [u32; 2]) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../tests/snapshots/render/{name}.png"));
    let drawn = cpu::picture(scene, size).unwrap();
    if std::env::var("UPDATE_SNAPSHOTS").is_ok_and(|value| value == "true") {
        image::save_buffer(
            &path,
            &drawn.rgba,
            drawn.width,
            drawn.height,
            image::ColorType::Rgba8,
        )
        .unwrap();
    }
    let kept = image::open(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
        .into_rgba8();
    let kept = Picture {
        width: kept.width(),
        height: kept.height(),
        rgba: kept.into_raw(),
    };
    let within = |drawn: &Picture, who: &str, (tolerance, share): (u8, f64)| {
        let off = differing(drawn, &kept, tolerance);
        assert!(
            off <= share,
            "{name}, {who}: {:.2} % of pixels differ by more than {tolerance}",
            off * 100.0
        );
    };
    within(&drawn, "reference renderer", SAME);
    on_gpu(|renderer| within(&renderer.picture(scene, size).unwrap(), "device", ALIKE));
}

#[test]
fn a_slice_with_everything() {
    let affine = Affine3A::from_translation(Vec3::new(-14.0, -12.0, -9.0));
    let mut view = slice(Plane::Axial, Vec3::new(0.6, -0.4, 0.2), 0.25);
    view.layers = vec![
        VolumeLayer {
            modulation: None,
            volume: volume([30, 24, 18], affine, |[i, j, _]| ((i * j) as f32).sqrt()),
            linear: true,
            look: look(Colormap::Grey, (0.0, 30.0)),
        },
        VolumeLayer {
            modulation: None,
            volume: volume([30, 24, 18], affine, blobs),
            linear: true,
            look: Look {
                threshold: 2.0,
                two_sided: true,
                opacity: 0.8,
                ..look(Colormap::ColdHot, (1.5, 4.5))
            },
        },
    ];
    view.outlines = vec![OutlineLayer {
        labels: volume([30, 24, 18], affine, |[i, j, _]| {
            if (i / 7 + j / 7) % 2 == 0 { 3.0 } else { 0.0 }
        }),
        colours: vec![(3, [120, 255, 160, 255])].into(),
        width_px: 1.5,
    }];
    view.crosshair = Some((Vec3::new(4.0, 3.0, 0.0), [255, 255, 255, 200]));
    check("slice", &scene(View::Slice(view)), [140, 110]);
}

#[test]
fn a_painted_brain() {
    let mut scene = seen(vec![painted(5)], StandardView::Superior, 25.0);
    scene.background = [255; 4];
    if let View::Surfaces(view) = &mut scene.view {
        view.camera = view.camera.turned(0.5, 0.6);
        view.marker = Some((Vec3::new(0.0, 10.0, 30.0), 4.0, [255, 210, 0, 255]));
    }
    check("brain", &scene, [180, 150]);
}

#[test]
fn a_glass_brain() {
    let mut glass = painted(4);
    glass.opacity = 0.35;
    glass.overlay = None;
    let mut scene = seen(vec![glass], StandardView::Left, 0.0);
    scene.background = [0; 4];
    if let View::Surfaces(view) = &mut scene.view {
        view.marker = Some((Vec3::new(0.0, 20.0, 5.0), 6.0, [255, 80, 40, 255]));
    }
    check("glass", &scene, [180, 120]);
}

#[test]
fn a_glass_brain_of_a_map() {
    let affine = Affine3A::from_translation(Vec3::new(-14.0, -12.0, -9.0));
    let mut view = slice(Plane::Sagittal, Vec3::new(0.6, -0.4, 0.2), 0.25);
    view.slab_mm = Some(f32::INFINITY);
    view.nose_right = true;
    view.layers = vec![VolumeLayer {
        modulation: Some(Modulation {
            volume: volume([30, 24, 18], affine, |[_, j, _]| j as f32),
            range: (4.0, 16.0),
        }),
        volume: volume([30, 24, 18], affine, blobs),
        linear: true,
        look: Look {
            threshold: 3.0,
            soft: true,
            two_sided: true,
            ..look(Colormap::ColdHot, (1.5, 5.0))
        },
    }];
    check("slab", &scene(View::Slice(view)), [140, 110]);
}

#[test]
fn the_other_kinds_of_view() {
    check(
        "sampled",
        &seen(
            vec![painted_cortex(5, false, 3)],
            StandardView::Superior,
            0.0,
        ),
        [180, 150],
    );
    let mut half = painted(5);
    half.toward = Some((
        Places {
            key: fresh_key(),
            vertices: icosphere(5).0.iter().map(|&p| p * 42.0).collect(),
        },
        0.5,
    ));
    check(
        "morph",
        &seen(vec![half], StandardView::Superior, 0.0),
        [180, 150],
    );
    let inside = || ball(8.0, Vec3::new(2.0, -6.0, 0.0));
    let cast = |cast, meshes| looked_into(vec![solid(cast)], meshes, 20.0);
    check("rays", &cut(cast(Cast::Shaded, vec![inside()])), [180, 150]);
    check(
        "maximum",
        &cast(Cast::Maximum, vec![ball(6.0, Vec3::new(-16.0, 4.0, 10.0))]),
        [180, 150],
    );
    let mut shell = ball(24.0, Vec3::ZERO);
    shell.opacity = 0.3;
    check("xray", &cast(Cast::Shaded, vec![shell]), [180, 150]);
}

#[test]
fn every_colour_map() {
    for map in Colormap::all() {
        let mut view = slice(Plane::Axial, Vec3::ZERO, 0.25);
        view.layers = vec![VolumeLayer {
            modulation: None,
            volume: volume(
                [64, 16, 1],
                Affine3A::from_translation(Vec3::new(-31.5, -7.5, 0.0)),
                |[i, j, _]| i as f32 + 6.0 * ((j as f32) * 0.5).sin(),
            ),
            linear: true,
            look: look(*map, (0.0, 63.0)),
        }];
        let name = format!("map-{}", map.name().replace([' ', '/'], "-").to_lowercase());
        check(&name, &scene(View::Slice(view)), [256, 64]);
    }
}
