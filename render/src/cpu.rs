//! The reference renderer: slow, obvious, and without a driver.

pub(crate) mod pick;
mod slice;
mod surface;

use crate::check;
use crate::gpu::RenderError;
use crate::scene::{Pick, Picture, Scene, View};

/// Samples along each side of a pixel of surfaces in [`picture`].
const SAMPLES_A_SIDE: u32 = 2;

/// Draws a scene without a GPU, surfaces with four samples a pixel.
pub fn picture(scene: &Scene, size: [u32; 2]) -> Result<Picture, RenderError> {
    picture_sampled(scene, size, SAMPLES_A_SIDE)
}

/// As [`picture`], with `samples_a_side`² samples a pixel of surfaces (slices always have one).
pub fn picture_sampled(
    scene: &Scene,
    size: [u32; 2],
    samples_a_side: u32,
) -> Result<Picture, RenderError> {
    check::scene(scene, size)?;
    let rgba = match &scene.view {
        View::Slice(view) => slice::pixels(view, scene.background, size),
        View::Surfaces(view) => {
            surface::pixels(view, scene.background, size, samples_a_side.clamp(1, 8))?
        }
    };
    Ok(Picture {
        width: size[0],
        height: size[1],
        rgba,
    })
}

pub(crate) use slice::voxel_at;

/// What is under a pixel of a surface view, by a ray against every triangle. Nothing for slices.
pub fn pick(scene: &Scene, size: [u32; 2], pixel: [u32; 2]) -> Result<Option<Pick>, RenderError> {
    check::scene(scene, size)?;
    match &scene.view {
        View::Surfaces(view) if pixel[0] < size[0] && pixel[1] < size[1] => {
            pick::pick(view, size, pixel)
        }
        View::Surfaces(_) | View::Slice(_) => Ok(None),
    }
}

/// Straight RGBA bytes from premultiplied floats, one pixel.
fn straight([r, g, b, a]: [f32; 4]) -> [u8; 4] {
    if a <= 0.0 {
        return [0; 4];
    }
    [r / a, g / a, b / a, a].map(crate::colormap::byte)
}

/// Premultiplied floats from straight bytes.
fn premultiplied([r, g, b, a]: [u8; 4]) -> [f32; 4] {
    let [r, g, b, a] = [r, g, b, a].map(|c| f32::from(c) / 255.0);
    [r * a, g * a, b * a, a]
}

/// A premultiplied colour over another.
fn over(top: [f32; 4], below: [f32; 4]) -> [f32; 4] {
    std::array::from_fn(|c| top[c] + below[c] * (1.0 - top[3]))
}
