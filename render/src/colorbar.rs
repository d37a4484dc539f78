//! Colour bars as plain pixels.

use crate::scene::{Look, Picture};

/// A colour bar: one-sided from `low` (left or bottom) to `high`; two-sided from −`high` to `high`. It lies when it is
/// wider than tall, else it stands. Numbers below the threshold are transparent, so the bar shows what the picture
/// shows; opacity is left out, so that the colours can be read. No text.
pub fn colorbar(look: &Look, width: u32, height: u32) -> Picture {
    let lying = width >= height;
    let length = if lying { width } else { height };
    let (low, high) = if look.two_sided {
        (-look.range.1, look.range.1)
    } else {
        look.range
    };
    let opaque = Look {
        opacity: 1.0,
        ..look.clone()
    };
    let along: Vec<[u8; 4]> = (0..length)
        .map(|i| {
            let t = (i as f32 + 0.5) / length as f32;
            opaque.colour(low + (high - low) * t).unwrap_or([0; 4])
        })
        .collect();
    let mut rgba = Vec::with_capacity(width as usize * height as usize * 4);
    for y in 0..height {
        for x in 0..width {
            let i = if lying { x } else { height - 1 - y };
            rgba.extend_from_slice(&along[i as usize]);
        }
    }
    Picture {
        width,
        height,
        rgba,
    }
}
