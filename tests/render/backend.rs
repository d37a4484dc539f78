//! The door to both renderers, and what happens without a driver.

use fusiform_render::camera::StandardView;
use fusiform_render::cpu;
use fusiform_render::gpu::RenderError;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::Pick;

use crate::shapes::folded;
use crate::surfaces::seen;
use crate::{differing, on_gpu};

const SIZE: [u32; 2] = [64, 48];

#[test]
fn both_draw_and_pick_the_same() {
    let scene = seen(vec![folded(3)], StandardView::Left, 0.0);
    let (mut best, why_not) = Backend::best();
    assert_eq!(matches!(best, Backend::Cpu), why_not.is_some());
    assert!(!best.name().is_empty());
    let mut reference = Backend::Cpu;
    let drawn = reference.picture(&scene, SIZE).unwrap();
    assert_eq!(drawn, cpu::picture(&scene, SIZE).unwrap());
    assert!(differing(&drawn, &best.picture(&scene, SIZE).unwrap(), 24) < 0.02);
    let picked = reference.pick(&scene, SIZE, [32, 24]).unwrap().unwrap();
    let vertex = |pick| match pick {
        Pick::Vertex { vertex, .. } => vertex,
        Pick::Voxel { .. } => panic!("there is no volume"),
    };
    let also = best.pick(&scene, SIZE, [32, 24]).unwrap().unwrap();
    assert_eq!(vertex(also), vertex(picked));
}

/// Runs [`draws_without_a_driver`] in a process that looks for DirectX only, and so finds no driver.
#[test]
#[cfg(target_os = "linux")]
fn without_a_driver_the_reference_renderer_draws() {
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "backend::draws_without_a_driver",
            "--ignored",
            "--nocapture",
        ])
        .envs([("WGPU_BACKEND", "dx12"), ("FUSIFORM_REQUIRE_GPU", "0")])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}"
    );
}

#[test]
#[ignore = "started by without_a_driver_the_reference_renderer_draws"]
fn draws_without_a_driver() {
    let (mut backend, why_not) = Backend::best();
    assert!(matches!(backend, Backend::Cpu));
    let why_not = why_not.unwrap();
    assert!(why_not.contains("mesa-vulkan-drivers"), "{why_not}");
    let picture = backend
        .picture(&seen(vec![folded(2)], StandardView::Left, 0.0), SIZE)
        .unwrap();
    assert!(picture.rgba.chunks_exact(4).any(|p| p[0] > 100));
}

/// A backend on a device of its own, which may be lost; nothing where there is no driver.
fn own() -> Option<Backend> {
    let mut there = false;
    // Says what is skipped, or fails where a driver is required.
    on_gpu(|_| there = true);
    there.then(|| Backend::best().0)
}

fn lose(backend: &Backend) {
    let Backend::Gpu(renderer) = backend else {
        panic!("{} has no device", backend.name())
    };
    renderer.gpu().device.destroy();
    // What was under way comes to its end first.
    assert!(matches!(renderer.finish(), Err(RenderError::Lost(_))));
}

/// The first lost device is followed by another, the second by the reference renderer; each time somebody is told, once.
#[test]
fn lost_devices_cost_no_picture() {
    let Some(mut backend) = own() else { return };
    let scene = seen(vec![folded(3)], StandardView::Left, 0.0);
    let first = backend.picture(&scene, SIZE).unwrap();
    assert_eq!(backend.take_notes(), Vec::<String>::new());

    lose(&backend);
    assert_eq!(backend.picture(&scene, SIZE).unwrap(), first);
    assert!(backend.is_gpu());
    let notes = backend.take_notes();
    assert!(
        notes.len() == 1 && notes[0].contains("was lost") && notes[0].contains("a new one"),
        "{notes:?}"
    );

    lose(&backend);
    let third = backend.picture(&scene, SIZE).unwrap();
    assert_eq!(third, cpu::picture(&scene, SIZE).unwrap());
    assert!(!backend.is_gpu());
    let notes = backend.take_notes();
    assert!(
        notes.len() == 1 && notes[0].contains("on the CPU"),
        "{notes:?}"
    );
    assert_eq!(backend.take_notes(), Vec::<String>::new());
}

/// Picks stay exact when the device is lost between them.
#[test]
fn lost_devices_cost_no_pick() {
    let Some(mut backend) = own() else { return };
    let scene = seen(vec![folded(3)], StandardView::Left, 0.0);
    let pixels = || (4..SIZE[0]).step_by(3).map(|x| [x, x * 3 / 4]);
    let expected: Vec<_> = pixels()
        .map(|pixel| cpu::pick(&scene, SIZE, pixel).unwrap())
        .collect();
    let mut hits = 0;
    for (n, (pixel, expected)) in pixels().zip(expected).enumerate() {
        // One device after the other, while there is one.
        if n % 2 == 1 && backend.is_gpu() {
            lose(&backend);
        }
        let picked = backend.pick(&scene, SIZE, pixel).unwrap();
        match (picked, expected) {
            (
                Some(Pick::Vertex { mesh, vertex, .. }),
                Some(Pick::Vertex {
                    mesh: true_mesh,
                    vertex: true_vertex,
                    ..
                }),
            ) => {
                hits += 1;
                assert_eq!((mesh, vertex), (true_mesh, true_vertex), "at {pixel:?}");
            }
            (None, None) => {}
            _ => panic!("at {pixel:?}: {picked:?}, not {expected:?}"),
        }
    }
    assert!(hits > 8 && !backend.is_gpu(), "{hits}");
}

/// Lost between the recording of a picture and its end, as by a driver that was reset: an error that says so, no panic.
#[test]
fn a_device_lost_while_it_draws_is_an_error() {
    let Some(mut backend) = own() else { return };
    let scene = seen(vec![folded(3)], StandardView::Left, 0.0);
    let Backend::Gpu(renderer) = &mut backend else {
        return;
    };
    renderer.draw(0, &scene, SIZE).unwrap();
    renderer.lost_in = Some(2);
    let drawn = renderer.draw(0, &scene, SIZE);
    assert!(matches!(drawn, Err(RenderError::Lost(_))), "{drawn:?}");
    let again = renderer.draw(1, &scene, SIZE);
    assert!(matches!(again, Err(RenderError::Lost(_))), "{again:?}");
    let waited = renderer.finish();
    assert!(matches!(waited, Err(RenderError::Lost(_))), "{waited:?}");
    let picked = renderer.pick(&scene, SIZE, [32, 24]);
    assert!(matches!(picked, Err(RenderError::Lost(_))), "{picked:?}");
}
