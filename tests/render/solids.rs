//! Morphing, sampling through the cortex, and looking into volumes: against formulas and against the twin.

use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::colormap::Colormap;
use fusiform_render::cpu;
use fusiform_render::scene::{
    Cast, ClipPlane, Look, MeshLayer, Modulation, Pick, Picture, Places, Plane, Sampled, Scene,
    SolidLayer, SurfaceView, View, VolumeData, VolumeLayer,
};
use glam::{Affine3A, Quat, Vec3};

use crate::shapes::{
    blobs, fresh_key, icosphere, look, painted_cortex, plain, scene, slice, volume,
};
use crate::surfaces::{painted, seen};
use crate::{differing, on_gpu, pixel};

const SIZE: [u32; 2] = [240, 200];

fn places(vertices: impl Iterator<Item = Vec3>) -> Places {
    Places {
        key: fresh_key(),
        vertices: vertices.collect(),
    }
}

/// A blob of matter in a box of 40 × 50 × 36 mm on an oblique grid around the origin.
pub(crate) fn matter() -> VolumeData {
    let turn = Quat::from_rotation_z(0.4) * Quat::from_rotation_x(-0.3);
    let affine = Affine3A::from_scale_rotation_translation(
        Vec3::new(2.0, 2.5, 1.5),
        turn,
        turn * Vec3::new(-19.0, -24.0, -17.5),
    );
    volume([20, 20, 24], affine, |[i, j, k]| {
        let p = Vec3::new(i as f32 - 9.5, j as f32 - 9.5, k as f32 - 11.5) / 10.0;
        if i > 16 {
            return f32::NAN;
        }
        10.0 * (1.0 - p.length()) + 2.0 * (p.x * 9.0).sin() * (p.y * 7.0).cos()
    })
}

fn layer(volume: VolumeData, linear: bool, look: Look) -> VolumeLayer {
    VolumeLayer {
        volume,
        linear,
        look,
        modulation: None,
    }
}

pub(crate) fn solid(cast: Cast) -> SolidLayer {
    let look = Look {
        threshold: 3.0,
        opacity: 0.7,
        ..look(Colormap::Viridis, (0.0, 10.0))
    };
    SolidLayer {
        layer: layer(matter(), true, look),
        cast,
        step_voxels: 0.5,
    }
}

pub(crate) fn looked_into(
    solids: Vec<SolidLayer>,
    meshes: Vec<MeshLayer>,
    fov_degrees: f32,
) -> Scene {
    let camera = Camera {
        fov_degrees,
        ..Camera::fit(
            (Vec3::splat(-26.0), Vec3::splat(26.0)),
            StandardView::Left,
            1.2,
        )
    };
    scene(View::Surfaces(SurfaceView {
        camera: camera.turned(0.5, 0.3),
        meshes,
        solids,
        clips: Vec::new(),
        marker: None,
    }))
}

pub(crate) fn cut(mut scene: Scene) -> Scene {
    if let View::Surfaces(view) = &mut scene.view {
        view.clips = vec![
            ClipPlane {
                normal: Vec3::NEG_X,
                distance_mm: 4.0,
            },
            ClipPlane {
                normal: Vec3::Z,
                distance_mm: 9.0,
            },
        ];
    }
    scene
}

pub(crate) fn ball(radius_mm: f32, at_mm: Vec3) -> MeshLayer {
    let (sphere, triangles) = icosphere(4);
    let mut ball = plain(sphere.iter().map(|&p| p * radius_mm).collect(), triangles);
    ball.offset_mm = at_mm;
    ball
}

fn agree(what: &str, scene: &Scene) {
    let twin = cpu::picture(scene, SIZE).unwrap();
    on_gpu(|renderer| {
        let drawn = renderer.picture(scene, SIZE).unwrap();
        let off = differing(&drawn, &twin, 20);
        assert!(
            off < 0.015,
            "{what}: {:.2} % of pixels differ by more than 20",
            off * 100.0
        );
        let close = differing(&drawn, &twin, 4);
        assert!(
            close < 0.06,
            "{what}: {:.2} % of pixels differ by more than 4",
            close * 100.0
        );
    });
    let plain = twin
        .rgba
        .chunks_exact(4)
        .filter(|p| p[..3] != [0, 0, 0])
        .count();
    assert!(plain > 2000, "{what}: the picture is empty");
}

#[test]
fn morphed_and_sampled_meshes_agree_with_the_twin() {
    let mut half = painted(5);
    let (sphere, _) = icosphere(5);
    half.toward = Some((places(sphere.iter().map(|&p| p * 42.0)), 0.5));
    agree(
        "half way to a sphere",
        &seen(vec![half.clone()], StandardView::Superior, 0.0),
    );
    half.opacity = 0.5;
    agree(
        "see-through, half way",
        &seen(vec![half], StandardView::Left, 30.0),
    );
    for (linear, n_layers) in [(false, 1), (true, 1), (false, 8), (true, 5)] {
        let mut cortex = painted_cortex(5, linear, n_layers);
        agree(
            "sampled",
            &seen(vec![cortex.clone()], StandardView::Superior, 0.0),
        );
        cortex.relief = 0.0;
        let sampled = cortex.sampled.as_mut().unwrap();
        sampled.layer.look.soft = true;
        sampled.layer.modulation = Some(Modulation {
            volume: matter(),
            range: (0.0, 8.0),
        });
        agree(
            "modulated",
            &seen(vec![cortex], StandardView::Superior, 0.0),
        );
    }
}

/// At either end of the slider the picture is that of the shape itself.
#[test]
fn a_morph_ends_in_its_shapes() {
    let start = painted(4);
    let (sphere, triangles) = icosphere(4);
    let end_places: Vec<Vec3> = sphere.iter().map(|&p| p * 42.0).collect();
    let mut end = plain(end_places.clone(), triangles);
    end.sulcal = start.sulcal.clone();
    end.overlay = start.overlay.clone();
    end.outlines = start.outlines.clone();
    let at = |share: f32| {
        let mut layer = start.clone();
        layer.toward = Some((places(end_places.iter().copied()), share));
        layer
    };
    let same = |draw: &mut dyn FnMut(&Scene) -> Picture| {
        let mut scene_of = |layer: MeshLayer| {
            let mut scene = seen(vec![end.clone()], StandardView::Left, 0.0);
            if let View::Surfaces(view) = &mut scene.view {
                view.meshes = vec![layer];
            }
            draw(&scene)
        };
        assert!(differing(&scene_of(at(0.0)), &scene_of(start.clone()), 1) < 0.001);
        assert!(differing(&scene_of(at(1.0)), &scene_of(end.clone()), 2) < 0.001);
        assert!(differing(&scene_of(at(0.5)), &scene_of(start.clone()), 8) > 0.02);
    };
    same(&mut |scene| cpu::picture(scene, SIZE).unwrap());
    on_gpu(|renderer| same(&mut |scene| renderer.picture(scene, SIZE).unwrap()));
}

/// A volume whose number is the height above an inner plane, sampled between two planes: the depth is read off the colour.
#[test]
fn the_depth_slider_reads_the_right_depth() {
    let corner = |x: f32, y: f32| Vec3::new(x, y, 0.0);
    let flat = [
        corner(-10.0, -10.0),
        corner(10.0, -10.0),
        corner(10.0, 10.0),
        corner(-10.0, 10.0),
    ];
    let affine = Affine3A::from_translation(Vec3::new(-12.0, -12.0, -2.0));
    let heights = volume([25, 25, 9], affine, |[_, _, k]| k as f32 - 2.0);
    let mut sheet = plain(flat.to_vec(), vec![[0, 1, 2], [0, 2, 3]]);
    sheet.relief = 0.0;
    let read = |depth: (f32, f32), n_layers: u32| {
        let mut sheet = sheet.clone();
        sheet.sampled = Some(Sampled {
            inner: places(flat.into_iter()),
            outer: places(flat.into_iter().map(|p| p + Vec3::Z * 4.0)),
            layer: layer(heights.clone(), true, look(Colormap::Grey, (0.0, 4.0))),
            depth,
            n_layers,
        });
        let scene = seen(vec![sheet], StandardView::Superior, 0.0);
        let twin = pixel(&cpu::picture(&scene, [60, 50]).unwrap(), 30, 25);
        on_gpu(|renderer| {
            let drawn = pixel(&renderer.picture(&scene, [60, 50]).unwrap(), 30, 25);
            assert!(drawn[0].abs_diff(twin[0]) <= 1, "{drawn:?} {twin:?}");
        });
        f32::from(twin[0]) / 255.0 * 4.0
    };
    for (depth, n_layers, expected) in [
        ((0.0, 0.0), 1, 0.0),
        ((1.0, 1.0), 1, 4.0),
        ((0.25, 0.25), 7, 1.0),
        ((0.0, 1.0), 1, 2.0),
        ((0.0, 1.0), 32, 2.0),
        ((0.5, 1.0), 3, 3.0),
    ] {
        let seen = read(depth, n_layers);
        assert!(
            (seen - expected).abs() < 0.03,
            "{depth:?} {n_layers}: {seen} is not {expected}"
        );
    }
}

#[test]
fn looking_into_volumes_agrees_with_the_twin() {
    for fov_degrees in [0.0, 35.0] {
        for cast in [Cast::Shaded, Cast::Maximum] {
            agree(
                "a volume",
                &looked_into(vec![solid(cast)], Vec::new(), fov_degrees),
            );
            agree(
                "cut",
                &cut(looked_into(vec![solid(cast)], Vec::new(), fov_degrees)),
            );
            let with = vec![
                ball(9.0, Vec3::new(-14.0, 4.0, 6.0)),
                ball(8.0, Vec3::new(2.0, -6.0, 0.0)),
            ];
            agree(
                "with balls",
                &looked_into(vec![solid(cast)], with, fov_degrees),
            );
        }
        let mut shell = ball(24.0, Vec3::ZERO);
        shell.opacity = 0.3;
        agree(
            "within a shell",
            &looked_into(vec![solid(Cast::Shaded)], vec![shell], fov_degrees),
        );
    }
    let mut nearest = solid(Cast::Shaded);
    nearest.layer.linear = false;
    nearest.layer.look.opacity = 1.0;
    agree("voxels", &looked_into(vec![nearest], Vec::new(), 20.0));
}

/// A ball before the volume hides it, one behind is hidden by it, and one inside is where it should be.
#[test]
fn volumes_and_meshes_hide_each_other() {
    let block = volume(
        [20, 20, 20],
        Affine3A::from_translation(Vec3::splat(-9.5)),
        |_| 5.0,
    );
    let mut solid = SolidLayer {
        layer: layer(block, false, look(Colormap::Grey, (0.0, 10.0))),
        cast: Cast::Shaded,
        step_voxels: 0.5,
    };
    let colour_of = |solid: &SolidLayer, at_mm: Vec3| {
        let mut ball = ball(4.0, at_mm);
        ball.overlay = Some((
            crate::shapes::values(ball.mesh.vertices.iter().map(|_| 1.0)),
            look(Colormap::Viridis, (0.0, 1.0)),
        ));
        ball.relief = 0.0;
        let camera = Camera::fit(
            (Vec3::splat(-15.0), Vec3::splat(15.0)),
            StandardView::Superior,
            1.2,
        );
        let scene = scene(View::Surfaces(SurfaceView {
            camera,
            meshes: vec![ball],
            solids: vec![solid.clone()],
            clips: Vec::new(),
            marker: None,
        }));
        let twin = pixel(&cpu::picture(&scene, [120, 100]).unwrap(), 60, 50);
        on_gpu(|renderer| {
            let drawn = pixel(&renderer.picture(&scene, [120, 100]).unwrap(), 60, 50);
            assert!(crate::close(drawn, twin, 3), "{drawn:?} {twin:?}");
        });
        twin
    };
    // Viridis ends in yellow, where blue is low; the block is grey.
    let yellow = |c: [u8; 4]| c[0] > 200 && c[2] < 90;
    assert!(
        yellow(colour_of(&solid, Vec3::new(0.0, 0.0, 14.0))),
        "before"
    );
    assert!(
        !yellow(colour_of(&solid, Vec3::new(0.0, 0.0, -14.0))),
        "behind"
    );
    assert!(
        !yellow(colour_of(&solid, Vec3::ZERO)),
        "inside of what is opaque"
    );
    solid.layer.look.opacity = 0.02;
    assert!(
        yellow(colour_of(&solid, Vec3::ZERO)),
        "inside of what is clear"
    );
}

/// The gradient within matter is noise: a cut through it is lit as the flat face it is.
#[test]
fn a_cut_face_is_flat() {
    let mut turn = 1_u32;
    let noise = std::cell::RefCell::new(move || {
        turn = turn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (turn >> 8) as f32 / 2f32.powi(24)
    });
    let block = volume(
        [30, 30, 30],
        Affine3A::from_scale_rotation_translation(
            Vec3::new(1.0, 1.5, 1.0),
            Quat::from_rotation_z(0.3),
            Vec3::new(-8.0, -24.0, -14.5),
        ),
        |_| 5.0 + (noise.borrow_mut())(),
    );
    let mut solid = solid(Cast::Shaded);
    solid.layer = layer(
        block,
        true,
        Look {
            threshold: 3.0,
            opacity: 0.6,
            // All of one colour.
            ..look(Colormap::Grey, (0.0, 4.0))
        },
    );
    let mut scene = cut(looked_into(vec![solid], Vec::new(), 20.0));
    if let View::Surfaces(view) = &mut scene.view {
        view.clips.truncate(1);
        view.camera.rotation = StandardView::Left.rotation();
    }
    let flat = |picture: &Picture| {
        let middle: Vec<u8> = (70..130)
            .flat_map(|y| (90..150).map(move |x| (x, y)))
            .map(|(x, y)| pixel(picture, x, y)[0])
            .collect();
        let (least, most) = (middle.iter().min().unwrap(), middle.iter().max().unwrap());
        assert!(*least > 150 && most - least <= 6, "{least} to {most}");
    };
    flat(&cpu::picture(&scene, SIZE).unwrap());
    on_gpu(|renderer| flat(&renderer.picture(&scene, SIZE).unwrap()));
    agree("a cut face", &scene);
}

/// Clear parts are leapt over, and nothing is lost by it: small things far apart in a large volume.
#[test]
fn leaps_lose_nothing() {
    let sparse = volume(
        [120, 90, 70],
        Affine3A::from_scale_rotation_translation(
            Vec3::new(0.4, 0.5, 0.6),
            Quat::from_rotation_y(0.2),
            Vec3::new(-24.0, -22.0, -20.0),
        ),
        |[i, j, k]| {
            let near = |c: [i32; 3], r: f32| {
                let d = [i as i32 - c[0], j as i32 - c[1], k as i32 - c[2]].map(|d| d as f32);
                (r - (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt()).max(0.0)
            };
            2.0 * near([8, 8, 8], 11.0)
                + near([60, 40, 33], 19.0)
                + 3.0 * near([111, 80, 60], 9.0)
                + 5.0 * near([64, 12, 62], 4.0)
                - 4.0 * near([30, 75, 12], 11.0)
        },
    );
    for cast in [Cast::Shaded, Cast::Maximum] {
        for (linear, two_sided) in [(true, false), (false, true)] {
            let mut solid = solid(cast);
            solid.layer = layer(
                sparse.clone(),
                linear,
                Look {
                    threshold: 2.0,
                    opacity: 0.8,
                    two_sided,
                    ..look(Colormap::Viridis, (0.0, 10.0))
                },
            );
            for fov_degrees in [0.0, 35.0] {
                let whole = looked_into(vec![solid.clone()], Vec::new(), fov_degrees);
                agree("sparse", &whole);
            }
            // Along an axis of the grid.
            let mut along = looked_into(vec![solid], Vec::new(), 0.0);
            if let View::Surfaces(view) = &mut along.view {
                let turn = Quat::from_rotation_y(0.2).inverse();
                view.camera.rotation = StandardView::Superior.rotation() * turn;
            }
            agree("sparse, along an axis", &along);
        }
    }
}

/// One thousand points of each kind of view.
#[test]
fn a_thousand_picks_are_exact() {
    let mut turn = 12_345_u32;
    let mut random = |n: u32| {
        turn = turn.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (turn >> 8) % n
    };
    let points: Vec<[u32; 2]> = (0..1000)
        .map(|_| [random(SIZE[0]), random(SIZE[1])])
        .collect();

    // Slices: the picture's own grey tells the voxel, one coordinate at a time.
    let affine = matter().world_from_voxel;
    let indices: [VolumeData; 3] =
        std::array::from_fn(|axis| volume([20, 20, 24], affine, |ijk| ijk[axis] as f32));
    for plane in [Plane::Axial, Plane::Coronal, Plane::Sagittal] {
        let mut view = slice(plane, Vec3::new(0.3, -0.2, 0.7), 0.31);
        let shown = |view: &mut fusiform_render::scene::SliceView, axis: usize| {
            let look = look(Colormap::Grey, (0.0, 51.0));
            view.layers = vec![layer(indices[axis].clone(), false, look)];
            scene(View::Slice(view.clone()))
        };
        on_gpu(|renderer| {
            let pictures =
                [0, 1, 2].map(|axis| renderer.picture(&shown(&mut view, axis), SIZE).unwrap());
            let mut n_inside = 0;
            for &[x, y] in &points {
                let at = [x as f32 + 0.5, y as f32 + 0.5];
                let picked = view.voxel_at(&view.layers[0], at, SIZE);
                let read = [0, 1, 2].map(|axis| usize::from(pixel(&pictures[axis], x, y)[0]) / 5);
                match picked {
                    Some(voxel) => {
                        n_inside += 1;
                        assert_eq!(voxel, read, "{plane:?} at {x}, {y}");
                    }
                    None => assert_eq!(read, [0; 3], "{plane:?} at {x}, {y}"),
                }
            }
            assert!((300..1000).contains(&n_inside), "{n_inside}");
        });
    }

    // Surfaces, morphed half way, and a volume with a ball in it: the device against rays.
    let (sphere, _) = icosphere(4);
    let mut half = painted(4);
    half.toward = Some((places(sphere.iter().map(|&p| p * 42.0)), 0.5));
    let views = [
        seen(vec![half], StandardView::Superior, 20.0),
        looked_into(
            vec![solid(Cast::Shaded)],
            vec![ball(9.0, Vec3::new(-14.0, 4.0, 6.0))],
            20.0,
        ),
        looked_into(
            vec![solid(Cast::Maximum)],
            vec![ball(9.0, Vec3::new(14.0, 4.0, 6.0))],
            0.0,
        ),
    ];
    on_gpu(|renderer| {
        for (n, scene) in views.iter().enumerate() {
            let (mut on_meshes, mut in_volumes) = (0, 0);
            for &point in &points {
                let gpu = renderer.pick(scene, SIZE, point).unwrap();
                let cpu = cpu::pick(scene, SIZE, point).unwrap();
                match (gpu, cpu) {
                    (None, None) => {}
                    (
                        Some(Pick::Vertex {
                            mesh: a, vertex: b, ..
                        }),
                        Some(Pick::Vertex { mesh, vertex, .. }),
                    ) => {
                        assert_eq!((a, b), (mesh, vertex), "view {n} at {point:?}");
                        on_meshes += 1;
                    }
                    (
                        Some(Pick::Voxel {
                            solid: a, voxel: b, ..
                        }),
                        Some(Pick::Voxel { solid, voxel, .. }),
                    ) => {
                        assert_eq!((a, b), (solid, voxel), "view {n} at {point:?}");
                        in_volumes += 1;
                    }
                    _ => panic!("view {n} at {point:?}: {gpu:?} {cpu:?}"),
                }
            }
            assert!(on_meshes > 10, "view {n}: {on_meshes}");
            assert!((in_volumes > 100) == (n > 0), "view {n}: {in_volumes}");
        }
    });
}

/// A volume longer than the device holds is thinned, drawn in its place, and said to be.
#[test]
fn a_volume_too_large_is_thinned_and_said_to_be() {
    let affine = Affine3A::from_translation(Vec3::new(-20.0, -15.0, -5.0));
    let smooth = volume([41, 31, 11], affine, |[i, j, _]| (i + j) as f32);
    let mut view = slice(Plane::Axial, Vec3::ZERO, 0.25);
    view.layers = vec![layer(smooth, true, look(Colormap::Grey, (0.0, 70.0)))];
    let scene = scene(View::Slice(view));
    on_gpu(|renderer| {
        let whole = renderer.picture(&scene, SIZE).unwrap();
        assert_eq!(renderer.take_notes(), Vec::<String>::new());
        renderer.limit_volumes(24);
        let mut again = scene.clone();
        if let View::Slice(view) = &mut again.view {
            view.layers[0].volume.key = fresh_key();
        }
        let thinned = renderer.picture(&again, SIZE);
        renderer.limit_volumes(u32::MAX);
        let thinned = thinned.unwrap();
        let notes = renderer.take_notes();
        assert_eq!(notes.len(), 1, "{notes:?}");
        assert!(
            notes[0].contains("41 × 31 × 11") && notes[0].contains("24"),
            "{notes:?}"
        );
        let off = differing(&whole, &thinned, 6);
        assert!(off < 0.1, "a smooth ramp stays where it is: {off}");
    });
}

/// A look changes, a volume stays: the threshold's drag uploads nothing.
#[test]
fn a_threshold_costs_no_upload() {
    let affine = Affine3A::from_translation(Vec3::splat(-10.0));
    let mut view = slice(Plane::Axial, Vec3::ZERO, 0.25);
    view.layers = vec![layer(
        volume([20; 3], affine, blobs),
        true,
        look(Colormap::Hot, (0.0, 4.0)),
    )];
    on_gpu(|renderer| {
        renderer
            .picture(&scene(View::Slice(view.clone())), SIZE)
            .unwrap();
        let before = renderer.n_volume_uploads();
        for step in 0..10 {
            view.layers[0].look.threshold = step as f32 * 0.2;
            renderer
                .picture(&scene(View::Slice(view.clone())), SIZE)
                .unwrap();
        }
        assert_eq!(renderer.n_volume_uploads(), before);
    });
}
