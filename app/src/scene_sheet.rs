//! A saved view as a figure: pictures of the renderer, and over them letters, positions, names, borders, crosshair and
//! colour bars as text and lines, which stay sharp in SVG and PDF.

use anyhow::Context;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::{Plane, SliceView, View as Drawn};
use glam::Vec2;

use crate::compose::cortex::Cortex;
use crate::compose::crisp::crisp;
use crate::compose::mosaic::mosaic;
use crate::compose::names::Name;
use crate::compose::names::room::{self, Area};
use crate::compose::names::{on_slice, on_surface, seen};
use crate::compose::slices::{PLANES, mm_per_pixel, plane_mm_per_pixel};
use crate::compose::{self, Paint};
use crate::figure::{Align, BAR_PT, Bar, Ink, Sheet, mesh_outlines, slice_outlines};
use crate::layout::{Pane, SliceMode, View};
use crate::scene_file::SceneFile;
use crate::session::{Session, Underlay};
use crate::theme::Theme;

/// The width at which its letters have the size of print, inches.
const WIDTH_IN: f32 = 12.0;
/// Fewer pixels an inch would make letters larger than pictures.
const LEAST_DPI: f32 = 72.0;
/// Pixels between slices.
const GAP: u32 = 8;
const LETTER_PT: f32 = 9.0;
const OUTLINE_PT: f32 = 0.9;
const CROSSHAIR_PT: f32 = 0.6;
/// The crosshair leaves its middle free, points.
const OPEN_PT: f32 = 5.0;
/// More colour bars than these would be too short to read.
const MOST_BARS: usize = 3;

/// Draws what a view shows of a session in the view's size.
///
/// # Errors
/// When there is nothing to draw, or the picture does not fit the device.
pub fn draw(session: &Session, scene: &SceneFile, backend: &mut Backend) -> anyhow::Result<Sheet> {
    let paint = Theme::of(scene.dark).paint();
    let [r, g, b, _] = paint.canvas;
    let dpi = (scene.size[0] as f32 / WIDTH_IN).max(LEAST_DPI);
    let mut page = Page {
        sheet: Sheet {
            size_pt: scene.size.map(|px| px as f32 * 72.0 / dpi),
            dpi,
            paper: [r, g, b],
            items: Vec::new(),
        },
        session,
        view: &scene.view,
        paint,
        ink: ink(scene.dark),
        backend,
    };
    let [across, down] = scene.size;
    let foot = page.foot_px().min(down / 2);
    let room = [across, down - foot];
    match scene.pane {
        Pane::Slices => page.slices(room)?,
        _ => page.cortex(room)?,
    }
    page.bars()?;
    Ok(page.sheet)
}

fn ink(dark: bool) -> [u8; 3] {
    let [r, g, b, _] = Theme::of(dark).on_canvas().to_array();
    [r, g, b]
}

/// A sheet that is being filled.
struct Page<'a> {
    sheet: Sheet,
    session: &'a Session,
    view: &'a View,
    paint: Paint,
    ink: [u8; 3],
    backend: &'a mut Backend,
}

impl Page<'_> {
    /// The room of the colour bars, pixels.
    fn foot_px(&self) -> u32 {
        if compose::maps(self.session, self.view).is_empty() {
            return 0;
        }
        self.sheet.px(BAR_PT + 8.0)
    }

    fn slices(&mut self, room: [u32; 2]) -> anyhow::Result<()> {
        let session = self.session;
        let underlay = session.underlay().context("there is no volume to slice")?;
        let (low, high) = underlay.bounds_mm;
        let at = self.view.crosshair().unwrap_or((low + high) / 2.0);
        let zoom = f64::from(self.view.zoom);
        if self.view.slices == SliceMode::Mosaic {
            return self.mosaic(underlay, room);
        }
        if let Some(plane) = self.view.slices.alone() {
            let mm = plane_mm_per_pixel(underlay, plane, room.map(f64::from), zoom);
            let at = at[PLANES[plane].1[2]];
            return self.slice(underlay, plane, (at, mm), [0, 0], room);
        }
        let extent = high - low;
        let across = PLANES.map(|(_, axes)| extent[axes[0]].max(1.0));
        let width = f64::from(room[0].saturating_sub(2 * GAP));
        let total: f64 = across.iter().sum();
        let widths = across.map(|part| (width * part / total).max(1.0) as u32);
        let sizes = widths.map(|w| [f64::from(w), f64::from(room[1])]);
        let mm = mm_per_pixel(underlay, sizes, zoom);
        let mut left = 0;
        for (plane, (_, axes)) in PLANES.iter().enumerate() {
            let size = [widths[plane], room[1]];
            self.slice(underlay, plane, (at[axes[2]], mm), [left, 0], size)?;
            left += widths[plane] + GAP;
        }
        Ok(())
    }

    fn mosaic(&mut self, underlay: &Underlay, room: [u32; 2]) -> anyhow::Result<()> {
        let grid = mosaic(
            self.session,
            self.view,
            underlay,
            room.map(|side| side as f32),
        );
        for (tile, at) in grid.at_mm.iter().enumerate() {
            let corner = grid.corner(tile).map(|side| side as u32);
            // One pixel stays free between neighbours.
            let size = grid.cell.map(|side| (side as u32).saturating_sub(1).max(1));
            self.slice(underlay, 0, (*at, grid.mm_per_unit), corner, size)?;
        }
        Ok(())
    }

    /// A slice of a plane at a place along its normal (mm), `corner` and `size` in pixels.
    fn slice(
        &mut self,
        underlay: &Underlay,
        plane: usize,
        at: (f64, f64),
        corner: [u32; 2],
        size: [u32; 2],
    ) -> anyhow::Result<()> {
        let mut scene =
            compose::slices::scene(self.session, self.view, underlay, plane, at, self.paint);
        let corner_pt = corner.map(|px| px as f32 * 72.0 / self.sheet.dpi);
        let Drawn::Slice(slice) = &mut scene.view else {
            return Ok(());
        };
        let outlines = std::mem::take(&mut slice.outlines);
        let crosshair = slice.crosshair.take();
        let flat = SliceView {
            slab_mm: None,
            ..slice.clone()
        };
        self.sheet
            .picture(self.backend.picture(&scene, size)?, corner_pt);
        let inset_px = OUTLINE_PT / 2.0 * self.sheet.dpi / 72.0;
        for layer in &outlines {
            let borders = slice_outlines(&flat, layer, size, inset_px);
            self.sheet.regions(borders, corner_pt, OUTLINE_PT);
        }
        let size_pt = size.map(|px| px as f32 * 72.0 / self.sheet.dpi);
        if let Some((at_mm, [r, g, b, _])) = crosshair {
            let place = flat.pixel_at(at_mm, size);
            let place = [0, 1].map(|a| corner_pt[a] + place[a] * 72.0 / self.sheet.dpi);
            let lines = cross(place, corner_pt, size_pt);
            self.sheet.stroke(lines, false, [r, g, b], CROSSHAIR_PT);
        }
        let (of, axes) = PLANES[plane];
        let small = matches!(self.view.slices, SliceMode::Mosaic | SliceMode::Glass);
        if !small && self.view.regions.names && self.view.slice_outlines {
            let names = on_slice(self.session, &self.view.regions, &flat, size);
            self.names(&names, corner_pt, size_pt);
        }
        self.letters(of, corner_pt, size_pt);
        if self.view.slices != SliceMode::Glass {
            let words = position(axes[2], at.0);
            let foot = [corner_pt[0] + 4.0, corner_pt[1] + size_pt[1] - 4.0];
            self.sheet
                .text(&words, foot, LETTER_PT, Align::Left, self.ink);
        }
        Ok(())
    }

    /// Names at their places (pixels) in a part of the sheet, clear of what is written at its edges.
    fn names(&mut self, names: &[Name], corner_pt: [f32; 2], size_pt: [f32; 2]) {
        let (corner, size) = (Vec2::from_array(corner_pt), Vec2::from_array(size_pt));
        let part = Area {
            low: corner,
            high: corner + size,
        };
        let letter = Vec2::splat(LETTER_PT + 4.0);
        let middles = [[0.0, 0.5], [1.0, 0.5], [0.5, 0.0], [0.5, 1.0]];
        let mut taken: Vec<Area> = middles
            .map(|at| {
                let at = Vec2::from_array(at);
                // Inwards by half a letter.
                Area::around(part.low + at * size + (0.5 - at) * letter, letter)
            })
            .to_vec();
        let position = Vec2::new(9.0 * LETTER_PT, LETTER_PT + 8.0);
        let foot = part.low + Vec2::new(position.x / 2.0, size.y - position.y / 2.0);
        taken.push(Area::around(foot, position));
        let [r, g, b, _] = self.paint.canvas;
        let ink = Ink {
            letters: [245; 3],
            halo: [r, g, b],
        };
        let pt_per_px = 72.0 / self.sheet.dpi;
        room::write(&mut self.sheet, names, pt_per_px, part, &taken, ink);
    }

    /// Which side is where, in the middle of the edges.
    fn letters(&mut self, plane: Plane, [left, top]: [f32; 2], [width, height]: [f32; 2]) {
        let [near, far, upper, lower] = compose::slices::edges(self.view, plane);
        let middle = [left + width / 2.0, top + height / 2.0 + LETTER_PT * 0.35];
        let right = left + width;
        for (text, at, align) in [
            (near, [left + 3.0, middle[1]], Align::Left),
            (far, [right - 3.0, middle[1]], Align::Right),
            (upper, [middle[0], top + LETTER_PT + 1.0], Align::Centre),
            (lower, [middle[0], top + height - 4.0], Align::Centre),
        ] {
            self.sheet.text(text, at, LETTER_PT, align, self.ink);
        }
    }

    fn cortex(&mut self, room: [u32; 2]) -> anyhow::Result<()> {
        let aspect = room[0] as f32 / room[1] as f32;
        let cortex = compose::cortex::scene(self.session, self.view, aspect, self.paint);
        let Cortex {
            mut scene,
            hemispheres,
        } = cortex.context("there is no surface and no volume to draw")?;
        let mut borders = Vec::new();
        let mut names = Vec::new();
        if let Drawn::Surfaces(surfaces) = &mut scene.view {
            // What is behind glass cannot be told by which surface is in front: there the picture has the borders.
            if self.view.regions.names && self.view.surface_outlines {
                let (seen, starts) = seen(surfaces, Vec2::new(room[0] as f32, room[1] as f32));
                let regions = &self.view.regions;
                names = on_surface(self.session, regions, (&seen, &starts), &hemispheres);
            }
            let solid = surfaces.meshes.iter().all(|mesh| mesh.opacity >= 1.0);
            if solid {
                let inset_px = OUTLINE_PT / 2.0 * self.sheet.dpi / 72.0;
                borders = mesh_outlines(surfaces, room, inset_px);
                for mesh in &mut surfaces.meshes {
                    mesh.outlines.clear();
                    if let Some(cut) = crisp(mesh) {
                        *mesh = cut;
                    }
                }
            }
        }
        self.sheet
            .picture(self.backend.picture(&scene, room)?, [0.0; 2]);
        self.sheet.regions(borders, [0.0; 2], OUTLINE_PT);
        let size_pt = room.map(|px| px as f32 * 72.0 / self.sheet.dpi);
        self.names(&names, [0.0; 2], size_pt);
        Ok(())
    }

    /// A bar for each of the topmost maps, side by side at the foot.
    fn bars(&mut self) -> anyhow::Result<()> {
        let maps = compose::maps(self.session, self.view);
        let shown: Vec<_> = maps.into_iter().rev().take(MOST_BARS).collect();
        let [width, height] = self.sheet.size_pt;
        let part = width / shown.len().max(1) as f32;
        for (n, (map, look)) in shown.iter().enumerate() {
            let label = format!("{} ({})", map.name, map.unit);
            let bar = Bar {
                look: &look.look(),
                label: &label,
                classes: &[],
                ink: self.ink,
            };
            let x = (n as f32 + 0.5) * part;
            let long = (part * 0.7).min(190.0);
            self.sheet
                .colour_bar(&bar, x, height - BAR_PT - 4.0, long)?;
        }
        Ok(())
    }
}

/// "z = −12.0 mm".
fn position(axis: usize, at_mm: f64) -> String {
    let tenth = (at_mm * 10.0).round() / 10.0 + 0.0;
    format!("{} = {tenth:.1} mm", ["x", "y", "z"][axis]).replace('-', "−")
}

/// Thin lines through a point of a picture, open around it.
fn cross([x, y]: [f32; 2], [left, top]: [f32; 2], [width, height]: [f32; 2]) -> Vec<Vec<[f32; 2]>> {
    let (right, bottom) = (left + width, top + height);
    let lines = [
        ([left, y], [(x - OPEN_PT).min(right), y]),
        ([(x + OPEN_PT).max(left), y], [right, y]),
        ([x, top], [x, (y - OPEN_PT).min(bottom)]),
        ([x, (y + OPEN_PT).max(top)], [x, bottom]),
    ];
    let inside = |[px, py]: [f32; 2]| (left..=right).contains(&px) && (top..=bottom).contains(&py);
    lines
        .into_iter()
        .filter(|(a, b)| inside(*a) && inside(*b) && a[0] <= b[0] && a[1] <= b[1])
        .map(|(a, b)| vec![a, b])
        .collect()
}
