//! Slices, pixel by pixel.

use std::f32::consts::FRAC_1_SQRT_2;

use glam::{IVec3, Vec3};
use rayon::prelude::*;

use super::{over, premultiplied, straight};
use crate::mesh::{label, region_colour, sorted_regions};
use crate::sampling::{CROSS_HALF_GAP_PX, CROSS_HALF_WIDTH_PX, Sampling, TIE};
use crate::scene::{SliceView, VolumeData, VolumeLayer};

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
struct Placed<'a> {
    volume: &'a VolumeData,
    sampling: Sampling,
}

impl Placed<'_> {
    /// The voxel that holds a position; nothing outside the grid.
    fn nearest(&self, v: Vec3) -> Option<IVec3> {
        let i = (v + Vec3::splat(0.5 + TIE)).floor().as_ivec3();
        let inside = |i: i32, n: usize| i >= 0 && (i as usize) < n;
        let [ni, nj, nk] = self.sampling.shape;
        (inside(i.x, ni) && inside(i.y, nj) && inside(i.z, nk)).then_some(i)
    }

    fn at(&self, i: IVec3) -> f32 {
        let [ni, nj, nk] = self.sampling.shape;
        let within = |i: i32, n: usize| (i.max(0) as usize).min(n - 1);
        self.volume.data[within(i.x, ni) + ni * (within(i.y, nj) + nj * within(i.z, nk))]
    }

    /// Between the eight voxel centres around; see `trilinear` in `slice.wgsl`.
    fn trilinear(&self, v: Vec3) -> f32 {
        let base = v.floor();
        let f = v - base;
        let (mut sum, mut weight) = (0.0, 0.0);
        for corner in 0..8 {
            let o = IVec3::new(corner & 1, (corner >> 1) & 1, (corner >> 2) & 1);
            let x = self.at(base.as_ivec3() + o);
            let along = |f: f32, o: i32| if o == 1 { f } else { 1.0 - f };
            let w = along(f.x, o.x) * along(f.y, o.y) * along(f.z, o.z);
            if !x.is_nan() {
                sum += w * x;
                weight += w;
            }
        }
        if weight >= 0.5 {
            sum / weight
        } else {
            f32::NAN
        }
    }

    /// The region at an offset from the picture's middle.
    fn label(&self, x: f32, y: f32) -> i32 {
        self.nearest(self.sampling.voxel(x, y))
            .map_or(0, |i| label(self.at(i)))
    }
}

/// Straight RGBA of all pixels.
pub(super) fn pixels(view: &SliceView, background: [u8; 4], size: [u32; 2]) -> Vec<u8> {
    let place = |volume| Placed {
        volume,
        sampling: Sampling::new(view, volume),
    };
    let layers: Vec<(&VolumeLayer, Placed<'_>)> = view
        .layers
        .iter()
        .map(|layer| (layer, place(&layer.volume)))
        .collect();
    let outlines = view.outlines.as_ref().map(|outlines| {
        (
            place(&outlines.labels),
            sorted_regions(&outlines.colours),
            outlines.width_px.max(0.0),
        )
    });
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
                for (layer, placed) in &layers {
                    colour = quantised(over(layer_colour(layer, placed, x, y), colour));
                }
                if let Some((placed, regions, width_px)) = &outlines {
                    colour = quantised(over(
                        outline_colour(placed, regions, *width_px, x, y),
                        colour,
                    ));
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

fn layer_colour(layer: &VolumeLayer, placed: &Placed<'_>, x: f32, y: f32) -> [f32; 4] {
    let v = placed.sampling.voxel(x, y);
    let Some(i) = placed.nearest(v) else {
        return [0.0; 4];
    };
    let value = if layer.linear {
        placed.trilinear(v)
    } else {
        placed.at(i)
    };
    let Some(position) = layer.look.position(value) else {
        return [0.0; 4];
    };
    let [r, g, b] = layer.look.colormap.colour_at(position);
    [r, g, b, 1.0].map(|c| c * layer.look.alpha())
}

fn outline_colour(
    placed: &Placed<'_>,
    regions: &[(i32, [u8; 4])],
    width_px: f32,
    x: f32,
    y: f32,
) -> [f32; 4] {
    let mut sum = [0.0; 4];
    for part in 0..4 {
        let dx = (part & 1) as f32 * 0.5 - 0.25;
        let dy = (part >> 1) as f32 * 0.5 - 0.25;
        let line = line_colour(placed, regions, width_px, x + dx, y + dy);
        sum = std::array::from_fn(|c| sum[c] + line[c] * 0.25);
    }
    sum
}

/// The line at a point: where the label differs within half a line's width, in the colour of the region it lies in, or
/// of the neighbour when it lies outside all regions.
fn line_colour(
    placed: &Placed<'_>,
    regions: &[(i32, [u8; 4])],
    width_px: f32,
    x: f32,
    y: f32,
) -> [f32; 4] {
    let here = placed.label(x, y);
    for [dx, dy] in RING {
        let there = placed.label(x + dx * (width_px * 0.5), y + dy * (width_px * 0.5));
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
