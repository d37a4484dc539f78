//! Three slices through one point, and what every figure of slices is made of.

use std::collections::BTreeSet;

use anyhow::Context;
use fusiform_pipelines::volume::Volume;
use fusiform_render::colormap::Colormap;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::{Look, OutlineLayer, Plane, Scene, SliceView, View, VolumeLayer};
use glam::{DVec3, Vec3};

use super::cells::{Cell, Rows, Share, lay_out};
use super::{LETTER_PT, Map, OUTLINE_PT, Style, TITLE_PT, footer, put_bar};
use crate::brain::Brain;
use crate::bridge::{self, Keys};
use crate::figure::{Align, Sheet, slice_outlines};

/// Letters on the dark ground of slices.
const ON_DARK: [u8; 3] = [235; 3];

/// Axial, coronal and sagittal slices through `at_mm` (default: the map's peak, else the middle).
pub fn slices(
    brain: &Brain,
    map: Option<&Map>,
    at_mm: Option<Vec3>,
    style: Style,
    backend: &mut Backend,
) -> anyhow::Result<Sheet> {
    let stack = Stack::of(brain, map, style)?;
    let at = at_mm.unwrap_or_else(|| match map.and_then(Map::volume) {
        Some(volume) => peak(volume),
        None => stack.middle(),
    });
    let planes = [Plane::Axial, Plane::Coronal, Plane::Sagittal];
    let sizes = vec![planes.map(|plane| stack.extent_mm(plane)).to_vec()];
    let Rows {
        mut sheet,
        cells,
        pt_per_mm,
    } = lay_out(&sizes, Share::Tight, footer(map), &style);
    for (cell, plane) in cells.iter().flatten().zip(planes) {
        stack.draw(&mut sheet, *cell, plane, at, pt_per_mm, backend)?;
        let view = stack.view(plane, at, pt_per_mm, &sheet);
        crosshair(&mut sheet, *cell, &view, at);
        sheet.text(
            &position_text(plane, at),
            cell.title(),
            TITLE_PT,
            Align::Centre,
            style.ink,
        );
        letters(&mut sheet, *cell, plane, style);
    }
    put_bar(&mut sheet, map, &style)?;
    Ok(sheet)
}

/// Volumes over each other, ready to be cut anywhere.
pub(super) struct Stack {
    layers: Vec<VolumeLayer>,
    outlines: Option<OutlineLayer>,
    /// What is shown of the world, mm.
    pub(super) bounds: (Vec3, Vec3),
    radiological: bool,
}

impl Stack {
    pub(super) fn of(brain: &Brain, map: Option<&Map>, style: Style) -> anyhow::Result<Self> {
        let volume = map.and_then(Map::volume);
        let base = brain
            .anatomy
            .as_deref()
            .or(volume)
            .context("there is no volume to slice: name one with --anatomy or --map")?;
        let mut keys = Keys::default();
        let mut layers = Vec::new();
        if let Some(anatomy) = &brain.anatomy {
            layers.push(VolumeLayer {
                modulation: None,
                volume: bridge::volume_data(keys.fresh(), anatomy),
                linear: true,
                look: Look {
                    soft: false,
                    colormap: Colormap::Grey,
                    range: (0.0, percentile(anatomy, 0.995)),
                    threshold: 0.0,
                    two_sided: false,
                    opacity: 1.0,
                },
            });
        }
        if let (Some(map), Some(volume)) = (map, volume) {
            layers.push(VolumeLayer {
                modulation: None,
                volume: bridge::volume_data(keys.fresh(), volume),
                linear: map.flows(),
                look: map.look.clone(),
            });
        }
        let outlines = brain
            .atlas
            .as_deref()
            .filter(|_| style.outlines)
            .map(|atlas| bridge::atlas_outlines(keys.fresh(), atlas, 1.0));
        Ok(Self {
            layers,
            outlines,
            bounds: filled_box(base),
            radiological: style.radiological,
        })
    }

    pub(super) fn middle(&self) -> Vec3 {
        (self.bounds.0 + self.bounds.1) / 2.0
    }

    /// Millimetres across and down.
    pub(super) fn extent_mm(&self, plane: Plane) -> [f32; 2] {
        let extent = self.bounds.1 - self.bounds.0;
        match plane {
            Plane::Axial => [extent.x, extent.y],
            Plane::Coronal => [extent.x, extent.z],
            Plane::Sagittal => [extent.y, extent.z],
        }
    }

    /// The view of a plane through a point.
    pub(super) fn view(&self, plane: Plane, at: Vec3, pt_per_mm: f32, sheet: &Sheet) -> SliceView {
        let middle = self.middle();
        let centre_mm = match plane {
            Plane::Axial => Vec3::new(middle.x, middle.y, at.z),
            Plane::Coronal => Vec3::new(middle.x, at.y, middle.z),
            Plane::Sagittal => Vec3::new(at.x, middle.y, middle.z),
        };
        SliceView {
            plane,
            centre_mm,
            mm_per_pixel: 72.0 / sheet.dpi / pt_per_mm,
            radiological: self.radiological,
            nose_right: false,
            slab_mm: None,
            layers: self.layers.clone(),
            outlines: Vec::new(),
            crosshair: None,
        }
    }

    /// Puts a slice and the borders of its regions into a cell.
    pub(super) fn draw(
        &self,
        sheet: &mut Sheet,
        cell: Cell,
        plane: Plane,
        at: Vec3,
        pt_per_mm: f32,
        backend: &mut Backend,
    ) -> anyhow::Result<()> {
        let view = self.view(plane, at, pt_per_mm, sheet);
        let pixels = cell.pixels(sheet);
        let inset_px = OUTLINE_PT / 2.0 * sheet.dpi / 72.0;
        let regions = self
            .outlines
            .as_ref()
            .map(|layer| slice_outlines(&view, layer, pixels, inset_px));
        let scene = Scene {
            background: [0, 0, 0, 255],
            view: View::Slice(view),
        };
        sheet.picture(backend.picture(&scene, pixels)?, cell.corner);
        sheet.regions(regions.unwrap_or_default(), cell.corner, OUTLINE_PT);
        Ok(())
    }
}

/// Where a world point lies on the sheet.
pub(super) fn place(sheet: &Sheet, cell: Cell, view: &SliceView, world_mm: Vec3) -> [f32; 2] {
    let pixel = view.pixel_at(world_mm, cell.pixels(sheet));
    [0, 1].map(|a| cell.corner[a] + pixel[a] * 72.0 / sheet.dpi)
}

/// Thin lines through a point, open around it.
fn crosshair(sheet: &mut Sheet, cell: Cell, view: &SliceView, at: Vec3) {
    const OPEN_PT: f32 = 5.0;
    let [x, y] = place(sheet, cell, view, at);
    let [left, top] = cell.corner;
    let [right, bottom] = [left + cell.size[0], top + cell.size[1]];
    if !(left..=right).contains(&x) || !(top..=bottom).contains(&y) {
        return;
    }
    let lines = [
        [[left, y], [x - OPEN_PT, y]],
        [[x + OPEN_PT, y], [right, y]],
        [[x, top], [x, y - OPEN_PT]],
        [[x, y + OPEN_PT], [x, bottom]],
    ];
    let lines = lines
        .into_iter()
        .filter(|[a, b]| a[0] <= b[0] && a[1] <= b[1])
        .map(|line| line.to_vec())
        .collect();
    sheet.stroke(lines, false, [190; 3], 0.4);
}

/// Left and right, or front and back, in the upper corners of a cell.
pub(super) fn letters(sheet: &mut Sheet, cell: Cell, plane: Plane, style: Style) {
    letters_in(sheet, cell, plane, style.radiological, ON_DARK);
}

pub(super) fn letters_in(
    sheet: &mut Sheet,
    cell: Cell,
    plane: Plane,
    radiological: bool,
    colour: [u8; 3],
) {
    let [near, far] = match (plane, radiological) {
        (Plane::Sagittal, _) => ["A", "P"],
        (_, false) => ["L", "R"],
        (_, true) => ["R", "L"],
    };
    // In the corners, where heads are round.
    let [left, top] = cell.corner;
    let y = top + LETTER_PT + 1.5;
    sheet.text(near, [left + 2.5, y], LETTER_PT, Align::Left, colour);
    let right = left + cell.size[0] - 2.5;
    sheet.text(far, [right, y], LETTER_PT, Align::Right, colour);
}

/// "z = −12 mm".
pub(super) fn position_text(plane: Plane, at: Vec3) -> String {
    let (axis, mm) = match plane {
        Plane::Axial => ("z", at.z),
        Plane::Coronal => ("y", at.y),
        Plane::Sagittal => ("x", at.x),
    };
    // No −0.
    let mm = mm.round() + 0.0;
    format!("{axis} = {mm:.0} mm").replace('-', "−")
}

/// The box around the voxels that are not background, with a margin, within the volume (world mm).
pub(super) fn filled_box(volume: &Volume) -> (Vec3, Vec3) {
    const MARGIN_MM: f32 = 4.0;
    let floor = 0.05 * percentile(volume, 0.99);
    let shape = volume.grid.shape;
    let mut low = shape;
    let mut high = [0usize; 3];
    for (index, value) in volume.data.iter().enumerate() {
        if value.abs() > floor {
            let ijk = volume.grid.ijk(index);
            for axis in 0..3 {
                low[axis] = low[axis].min(ijk[axis]);
                high[axis] = high[axis].max(ijk[axis]);
            }
        }
    }
    let (outer_low, outer_high) = volume.grid.world_bounds();
    let outer = (outer_low.as_vec3(), outer_high.as_vec3());
    if low[0] > high[0] {
        return outer;
    }
    let corners = (0..8usize).map(|corner| {
        let pick = |axis: usize| {
            if corner >> axis & 1 == 1 {
                high[axis]
            } else {
                low[axis]
            }
        };
        volume.grid.world([pick(0), pick(1), pick(2)]).as_vec3()
    });
    let none = (Vec3::INFINITY, Vec3::NEG_INFINITY);
    let (low, high) = corners.fold(none, |(l, h), c| (l.min(c), h.max(c)));
    (
        (low - MARGIN_MM).max(outer.0),
        (high + MARGIN_MM).min(outer.1),
    )
}

/// Where a map is largest: of the voxels around its extreme that are within 5 % of it, the one in their middle, for a
/// map that was cut off at a number has no one peak.
pub(super) fn peak(volume: &Volume) -> Vec3 {
    const NEAR: f32 = 0.95;
    let sizes = volume.data.iter().map(|v| v.abs()).enumerate();
    let largest = sizes
        .filter(|(_, size)| size.is_finite())
        .max_by(|a, b| a.1.total_cmp(&b.1));
    let Some((first, size)) = largest else {
        return Vec3::ZERO;
    };
    let grid = &volume.grid;
    let sign = volume.data[first].signum();
    let is_near = |index: usize| volume.data[index] * sign >= NEAR * size;
    let mut seen = BTreeSet::from([first]);
    let mut piece = vec![first];
    let mut next = 0;
    while let Some(&index) = piece.get(next) {
        next += 1;
        let ijk = grid.ijk(index);
        for (axis, forward) in [0, 1, 2].into_iter().flat_map(|a| [(a, false), (a, true)]) {
            let mut there = ijk;
            there[axis] = match (forward, ijk[axis]) {
                (false, 0) => continue,
                (false, i) => i - 1,
                (true, i) if i + 1 < grid.shape[axis] => i + 1,
                (true, _) => continue,
            };
            let there = grid.index(there);
            if is_near(there) && seen.insert(there) {
                piece.push(there);
            }
        }
    }
    let at = |index: usize| grid.world(grid.ijk(index));
    let middle = piece.iter().map(|&i| at(i)).sum::<DVec3>() / piece.len() as f64;
    let far = |index: &usize| at(*index).distance_squared(middle);
    let best = piece
        .iter()
        .copied()
        .min_by(|a, b| far(a).total_cmp(&far(b)));
    at(best.unwrap_or(first)).as_vec3()
}

pub(super) fn percentile(volume: &Volume, part: f64) -> f32 {
    let mut values: Vec<f32> = volume
        .data
        .iter()
        .copied()
        .filter(|v| v.is_finite() && *v > 0.0)
        .collect();
    let n = values.len();
    if n == 0 {
        return 1.0;
    }
    let at = ((n - 1) as f64 * part) as usize;
    *values.select_nth_unstable_by(at, f32::total_cmp).1
}

#[cfg(test)]
mod tests {
    use fusiform_pipelines::space::Grid;

    use super::*;

    #[test]
    fn a_map_that_was_cut_off_peaks_in_the_middle() {
        let grid = Grid {
            shape: [9, 5, 5],
            world_from_voxel: glam::DAffine3::from_scale(DVec3::splat(2.0)),
        };
        let mut data = vec![0.0f32; grid.n_voxels()];
        // A plateau of five voxels; a lone one of the other sign that is a little less.
        for i in 3..8 {
            data[grid.index([i, 2, 2])] = -7.94;
        }
        data[grid.index([0, 0, 0])] = 7.9;
        data[grid.index([8, 4, 4])] = f32::NAN;
        let volume = Volume {
            data: data.into(),
            grid,
            assumptions: Vec::new(),
        };
        assert_eq!(peak(&volume), Vec3::new(10.0, 4.0, 4.0));
    }
}
