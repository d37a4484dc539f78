//! The door to both renderers, and what happens without a driver.

use fusiform_render::camera::StandardView;
use fusiform_render::cpu;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::Pick;

use crate::differing;
use crate::shapes::folded;
use crate::surfaces::seen;

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
