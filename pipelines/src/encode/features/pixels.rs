//! Luminance and opponent colours on grids from coarse to fine.
//!
//! Coarse and fine cells side by side, each grid weighing the same, let a ridge prefer broad receptive fields without
//! forbidding narrow ones.

use std::ops::Range;

use image::RgbImage;

use super::{Shown, Space};
use crate::run::{Run, Stop};

/// Pixels a side that pictures are looked at with.
const SIDE: usize = 64;
/// Cells a side of the grids.
const GRIDS: [usize; 5] = [1, 2, 4, 8, 16];
/// Luminance, red against green, blue against yellow.
const CHANNELS: usize = 3;

fn levels() -> Vec<Range<usize>> {
    let mut start = 0;
    let level = |&cells: &usize| {
        let level = start..start + cells * cells * CHANNELS;
        start = level.end;
        level
    };
    GRIDS.iter().map(level).collect()
}

/// The space of the pictures shown.
pub(super) fn space(shown: &Shown<'_>, run: &Run<'_>) -> Result<Space, Stop> {
    shown.pictures("pixels", SIDE as u32, levels(), run, channels)
}

/// The channels of every cell, grid after grid.
pub fn channels(picture: &RgbImage) -> Vec<f32> {
    let side = picture.width().min(picture.height()) as usize;
    let mut out = Vec::new();
    for cells in GRIDS {
        let first = out.len();
        out.resize(first + cells * cells * CHANNELS, 0.0f32);
        let mut counts = vec![0.0f32; cells * cells];
        for y in 0..side {
            for x in 0..side {
                let [r, g, b] = picture.get_pixel(x as u32, y as u32).0.map(f32::from);
                let cell = (y * cells / side) * cells + x * cells / side;
                counts[cell] += 1.0;
                let here = [
                    0.2125 * r + 0.7154 * g + 0.0721 * b,
                    r - g,
                    b - 0.5 * (r + g),
                ];
                let sums = out[first + cell * CHANNELS..].iter_mut().zip(here);
                sums.for_each(|(sum, value)| *sum += value / 255.0);
            }
        }
        for (cell, n) in counts.iter().enumerate() {
            let values = &mut out[first + cell * CHANNELS..][..CHANNELS];
            values.iter_mut().for_each(|v| *v /= n.max(1.0));
        }
    }
    out
}
