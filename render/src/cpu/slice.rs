//! Slices, pixel by pixel.

use std::f32::consts::FRAC_1_SQRT_2;

use rayon::prelude::*;

use super::{over, premultiplied, straight};
use crate::field::Field;
use crate::mesh::{label, region_colour, sorted_regions};
use crate::sampling::{CROSS_HALF_GAP_PX, CROSS_HALF_WIDTH_PX, Sampling, Steps};
use crate::scene::{Modulation, SliceView, VolumeData, VolumeLayer};

/// Eight directions around a pixel.
const RING: [[f32; 2]; 8] = [
    [1.0, 0.0],
    [FRAC_1_SQRT_2, FRAC_1_SQRT_2],
    [0.0, 1.0],
    [-FRAC_1_SQRT_2, FRAC_1_SQRT_2],
    [-1.0, 0.0],
    [-FRAC_1_SQRT_2, -FRAC_1_SQRT_2],
    [0.0, -1.0],
    [FRAC_1_SQRT_2, -FRAC_1_SQRT_2],
];

/// A volume and where its voxels are in the picture.
struct Laid<'a> {
    field: Field<'a>,
    sampling: Sampling,
}

impl<'a> Laid<'a> {
    fn new(view: &SliceView, volume: &'a VolumeData, steps: Steps) -> Self {
        Self {
            field: Field::new(volume),
            sampling: Sampling::new(view, volume, steps),
        }
    }

    /// The region at an offset from the picture's middle.
    fn label(&self, x: f32, y: f32) -> i32 {
        self.field
            .nearest(self.sampling.voxel(x, y, 0))
            .map_or(0, |i| label(self.field.at(i)))
    }
}

/// A layer and where its voxels are in the picture.
struct LaidLayer<'a> {
    layer: &'a VolumeLayer,
    steps: Steps,
    laid: Laid<'a>,
    modulation: Option<(&'a Modulation, Laid<'a>)>,
}

impl<'a> LaidLayer<'a> {
    fn new(view: &SliceView, layer: &'a VolumeLayer) -> Self {
        let steps = Steps::new(view, &layer.volume);
        Self {
            layer,
            steps,
            laid: Laid::new(view, &layer.volume, steps),
            modulation: layer
                .modulation
                .as_ref()
                .map(|m| (m, Laid::new(view, &m.volume, steps))),
        }
    }

    /// The number that is shown and the step at which it lies: of those on the way through the slab the weightiest.
    fn shown(&self, x: f32, y: f32) -> Option<(f32, u32)> {
        let mut best: Option<(f32, u32)> = None;
        for step in 0..self.steps.n {
            let v = self.laid.sampling.voxel(x, y, step);
            let value = self.laid.field.sample(v, self.layer.linear);
            let weight = |value| self.layer.look.weight(value);
            if !value.is_nan() && best.is_none_or(|(most, _)| weight(value) > weight(most)) {
                best = Some((value, step));
            }
        }
        best
    }

    fn colour(&self, x: f32, y: f32) -> [f32; 4] {
        let look = &self.layer.look;
        let Some((value, step)) = self.shown(x, y) else {
            return [0.0; 4];
        };
        let mut alpha = look.alpha() * look.coverage(value);
        if let Some((modulation, laid)) = &self.modulation {
            let v = laid.sampling.voxel(x, y, step);
            alpha *= modulation.opacity(laid.field.sample(v, self.layer.linear));
        }
        let [r, g, b] = look.colormap.colour_at(look.position_unthresholded(value));
        [r, g, b, 1.0].map(|c| c * alpha)
    }
}

/// The voxel of a layer that a slice shows at a position (pixel centres at halves) of a `size` picture; nothing outside
/// the volume. Exact: what the picture shows there is that voxel's number (of a linear layer, the voxel in which the
/// sample lies).
pub(crate) fn voxel_at(
    view: &SliceView,
    layer: &VolumeLayer,
    pixel: [f32; 2],
    size: [u32; 2],
) -> Option<[usize; 3]> {
    let laid = LaidLayer::new(view, layer);
    let x = pixel[0] - size[0] as f32 / 2.0;
    let y = pixel[1] - size[1] as f32 / 2.0;
    let step = if laid.steps.n == 1 {
        0
    } else {
        laid.shown(x, y)?.1
    };
    let i = laid
        .laid
        .field
        .nearest(laid.laid.sampling.voxel(x, y, step))?;
    Some(i.to_array().map(|i| i as usize))
}

/// Straight RGBA of all pixels.
pub(super) fn pixels(view: &SliceView, background: [u8; 4], size: [u32; 2]) -> Vec<u8> {
    let layers: Vec<LaidLayer<'_>> = view
        .layers
        .iter()
        .map(|layer| LaidLayer::new(view, layer))
        .collect();
    let flat = SliceView {
        slab_mm: None,
        ..view.clone()
    };
    let outlines = view.outlines.iter().map(|outlines| {
        let steps = Steps::new(&flat, &outlines.labels);
        (
            Laid::new(&flat, &outlines.labels, steps),
            sorted_regions(&outlines.colours),
            outlines.width_px.max(0.0),
        )
    });
    let outlines: Vec<_> = outlines.collect();
    let cross = view
        .crosshair
        .map(|(at_mm, colour)| (view.pixel_at(at_mm, size), colour));
    let [width, height] = size;
    let mut rgba = vec![0; width as usize * height as usize * 4];
    rgba.par_chunks_exact_mut(width as usize * 4)
        .enumerate()
        .for_each(|(row, line)| {
            for (column, pixel) in line.chunks_exact_mut(4).enumerate() {
                let at = [column as f32 + 0.5, row as f32 + 0.5];
                let (x, y) = (at[0] - width as f32 / 2.0, at[1] - height as f32 / 2.0);
                let mut colour = premultiplied(background);
                for layer in &layers {
                    colour = quantised(over(layer.colour(x, y), colour));
                }
                for (laid, regions, width_px) in &outlines {
                    colour =
                        quantised(over(outline_colour(laid, regions, *width_px, x, y), colour));
                }
                if let Some((cross_at, cross_colour)) = cross {
                    colour = quantised(over(cross_over(at, cross_at, cross_colour), colour));
                }
                pixel.copy_from_slice(&straight(colour));
            }
        });
    rgba
}

/// To bytes and back, as the GPU's target holds them between layers.
fn quantised(colour: [f32; 4]) -> [f32; 4] {
    colour.map(|c| f32::from(crate::colormap::byte(c)) / 255.0)
}

fn outline_colour(
    laid: &Laid<'_>,
    regions: &[(i32, [u8; 4])],
    width_px: f32,
    x: f32,
    y: f32,
) -> [f32; 4] {
    let mut sum = [0.0; 4];
    for part in 0..4 {
        let dx = (part & 1) as f32 * 0.5 - 0.25;
        let dy = (part >> 1) as f32 * 0.5 - 0.25;
        let line = line_colour(laid, regions, width_px, x + dx, y + dy);
        sum = std::array::from_fn(|c| sum[c] + line[c] * 0.25);
    }
    sum
}

/// The line at a point: where the label differs within half a line's width, in the colour of the region it lies in, or
/// of the neighbour when it lies outside all regions.
fn line_colour(
    laid: &Laid<'_>,
    regions: &[(i32, [u8; 4])],
    width_px: f32,
    x: f32,
    y: f32,
) -> [f32; 4] {
    let here = laid.label(x, y);
    for [dx, dy] in RING {
        let there = laid.label(x + dx * (width_px * 0.5), y + dy * (width_px * 0.5));
        if there != here {
            let own = region_colour(regions, here);
            let colour = if own[3] > 0 {
                own
            } else {
                region_colour(regions, there)
            };
            if colour[3] > 0 {
                return premultiplied(colour);
            }
        }
    }
    [0.0; 4]
}

fn cross_over(at: [f32; 2], cross_at: [f32; 2], colour: [u8; 4]) -> [f32; 4] {
    let d = [(at[0] - cross_at[0]).abs(), (at[1] - cross_at[1]).abs()];
    let line = d.map(|d| (CROSS_HALF_WIDTH_PX + 0.5 - d).clamp(0.0, 1.0));
    let beyond = d.map(|d| (d - CROSS_HALF_GAP_PX + 0.5).clamp(0.0, 1.0));
    let coverage = (line[0] * beyond[1]).max(line[1] * beyond[0]);
    premultiplied(colour).map(|c| c * coverage)
}
