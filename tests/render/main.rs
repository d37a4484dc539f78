//! Tests of the renderer.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test helper fails by panicking and says on stdout what it skips"
)]

mod backend;
mod cameras;
mod colours;
mod golden;
mod picking;
mod shapes;
mod slices;
mod solids;
mod surfaces;

use std::sync::{Mutex, OnceLock, PoisonError};

use fusiform_render::gpu::{Gpu, Renderer};
use fusiform_render::scene::Picture;

/// Runs a test on a device shared by all tests; where there is no driver, says so and passes, unless
/// `FUSIFORM_REQUIRE_GPU=1`.
fn on_gpu(test: impl FnOnce(&mut Renderer)) {
    static RENDERER: OnceLock<Option<Mutex<Renderer>>> = OnceLock::new();
    let renderer = RENDERER.get_or_init(|| match Gpu::headless() {
        Ok(gpu) => Some(Mutex::new(Renderer::new(gpu))),
        Err(error) => {
            let required = std::env::var("FUSIFORM_REQUIRE_GPU").is_ok_and(|value| value == "1");
            assert!(!required, "FUSIFORM_REQUIRE_GPU is set, but: {error}");
            None
        }
    });
    match renderer {
        // One failed test must not fail the others.
        Some(renderer) => test(&mut renderer.lock().unwrap_or_else(PoisonError::into_inner)),
        None => println!("skipped: no Vulkan driver (install mesa-vulkan-drivers libvulkan1)"),
    }
}

/// The share of pixels in which a channel differs by more than `tolerance`.
fn differing(a: &Picture, b: &Picture, tolerance: u8) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let n = a.rgba.chunks_exact(4).zip(b.rgba.chunks_exact(4));
    let total = a.rgba.len() / 4;
    n.filter(|(a, b)| a.iter().zip(*b).any(|(x, y)| x.abs_diff(*y) > tolerance))
        .count() as f64
        / total as f64
}

/// The RGBA bytes of a pixel.
fn pixel(picture: &Picture, x: u32, y: u32) -> [u8; 4] {
    let i = (y * picture.width + x) as usize * 4;
    [0, 1, 2, 3].map(|c| picture.rgba[i + c])
}

/// Where a colour's pixels are on average, and how many there are.
fn centroid(picture: &Picture, is: impl Fn([u8; 4]) -> bool) -> ([f64; 2], usize) {
    let mut sum = [0.0; 2];
    let mut n = 0;
    for y in 0..picture.height {
        for x in 0..picture.width {
            if is(pixel(picture, x, y)) {
                sum[0] += f64::from(x) + 0.5;
                sum[1] += f64::from(y) + 0.5;
                n += 1;
            }
        }
    }
    (sum.map(|s| s / n.max(1) as f64), n)
}

fn close(a: [u8; 4], b: [u8; 4], tolerance: u8) -> bool {
    a.iter().zip(b).all(|(x, y)| x.abs_diff(y) <= tolerance)
}
