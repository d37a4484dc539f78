//! What each cell of a figure of the cortex shows, and how it gets on the sheet: picture, borders, names, letters.

use fusiform_pipelines::roi::listing::{self, Listed};
use fusiform_pipelines::surface::{Hemisphere, Shape};
use fusiform_render::camera::Camera;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::{MeshLayer, Scene, SurfaceView, View};
use glam::{Quat, Vec2, Vec3};

use super::super::cells::{Cell, Rows, Share, lay_out};
use super::super::{LETTER_PT, Map, OUTLINE_PT, Style, TITLE_PT, footer, put_bar};
use crate::brain::Brain;
use crate::compose::crisp::crisp;
use crate::compose::names;
use crate::compose::names::room::{self, Area};
use crate::figure::{Align, Ink, Sheet, mesh_outlines};

/// What one cell shows.
pub(super) struct Shot {
    pub(super) title: String,
    pub(super) meshes: Vec<MeshLayer>,
    /// Which hemisphere each mesh is.
    pub(super) sides: Vec<Hemisphere>,
    pub(super) rotation: Quat,
    pub(super) zoom: f32,
    /// Whether left and right are marked at its sides.
    pub(super) marked: bool,
}

/// All of them at one scale on a sheet, with the map's colour bar.
pub(super) fn draw(
    brain: &Brain,
    rows: &[Vec<Shot>],
    map: Option<&Map>,
    style: Style,
    backend: &mut Backend,
) -> anyhow::Result<Sheet> {
    const ROOM: f32 = 1.03;
    let extents: Vec<Vec<(Vec3, Vec3)>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|shot| seen_box(&shot.meshes, shot.rotation))
                .collect()
        })
        .collect();
    let sizes: Vec<Vec<[f32; 2]>> = extents
        .iter()
        .map(|row| {
            let size =
                |(low, high): &(Vec3, Vec3)| [(high.x - low.x) * ROOM, (high.y - low.y) * ROOM];
            row.iter().map(size).collect()
        })
        .collect();
    suit_samples(backend);
    let Rows {
        mut sheet,
        cells,
        pt_per_mm,
    } = lay_out(&sizes, Share::Even, footer(map), &style);
    let regions = if style.names {
        listed(brain)
    } else {
        Vec::new()
    };
    for ((shots, cells), extents) in rows.iter().zip(&cells).zip(&extents) {
        for ((shot, cell), (low, high)) in shots.iter().zip(cells).zip(extents) {
            let camera = Camera {
                target_mm: shot.rotation.inverse() * ((*low + *high) / 2.0),
                rotation: shot.rotation,
                half_height_mm: cell.size[1] / pt_per_mm / 2.0 / shot.zoom.max(1e-3),
                fov_degrees: 0.0,
            };
            shoot(&mut sheet, *cell, shot, camera, style, backend)?;
            write_names(&mut sheet, *cell, shot, camera, &regions, style);
        }
    }
    put_bar(&mut sheet, map, &style)?;
    Ok(sheet)
}

/// The regions of the surfaces.
fn listed(brain: &Brain) -> Vec<Listed> {
    let order = [
        Shape::Midthickness,
        Shape::White,
        Shape::Pial,
        Shape::Inflated,
    ];
    let labels = brain.hemispheres.iter().filter_map(|h| {
        let surface = order.into_iter().find_map(|shape| h.shape(shape))?;
        Some((h.side, h.labels.as_deref()?, &**surface))
    });
    listing::list(None, &labels.collect::<Vec<_>>())
}

/// Names at the hearts of the regions that are seen, as many as have room.
fn write_names(
    sheet: &mut Sheet,
    cell: Cell,
    shot: &Shot,
    camera: Camera,
    regions: &[Listed],
    style: Style,
) {
    if regions.is_empty() {
        return;
    }
    let view = SurfaceView {
        camera,
        meshes: shot.meshes.clone(),
        solids: Vec::new(),
        clips: Vec::new(),
        marker: None,
    };
    let (seen, starts) = names::seen(&view, Vec2::from_array(cell.size));
    let found = names::at_hearts(regions, |_| true, (&seen, &starts), &shot.sides);
    let ink = Ink {
        letters: style.ink,
        halo: style.paper,
    };
    let low = Vec2::from_array(cell.corner);
    let part = Area {
        low,
        high: low + Vec2::from_array(cell.size),
    };
    room::write(sheet, &found, 1.0, part, &[], ink);
}

/// Four samples a pixel are smooth, for the edges of maps and borders are; sixteen cost software drivers seconds.
fn suit_samples(backend: &mut Backend) {
    if let Backend::Gpu(renderer) = backend
        && renderer.gpu().is_software
    {
        renderer.picture_samples = 4;
    }
}

fn shoot(
    sheet: &mut Sheet,
    cell: Cell,
    shot: &Shot,
    camera: Camera,
    style: Style,
    backend: &mut Backend,
) -> anyhow::Result<()> {
    let mut view = SurfaceView {
        camera,
        meshes: shot.meshes.clone(),
        solids: Vec::new(),
        clips: Vec::new(),
        marker: None,
    };
    let pixels = cell.pixels(sheet);
    let inset_px = OUTLINE_PT / 2.0 * sheet.dpi / 72.0;
    let regions = mesh_outlines(&view, pixels, inset_px);
    for mesh in &mut view.meshes {
        mesh.outlines.clear();
        if let Some(cut) = crisp(mesh) {
            *mesh = cut;
        }
    }
    let scene = Scene {
        background: style.opaque_paper(),
        view: View::Surfaces(view),
    };
    sheet.picture(backend.picture(&scene, pixels)?, cell.corner);
    sheet.regions(regions, cell.corner, OUTLINE_PT);
    sheet.text(
        &shot.title,
        cell.title(),
        TITLE_PT,
        Align::Centre,
        style.ink,
    );
    if shot.marked {
        let rightwards = (camera.rotation * Vec3::X).x > 0.0;
        let (near, far) = if rightwards { ("L", "R") } else { ("R", "L") };
        // In the upper corners of the brain's box, which is round there.
        let (low, high) = seen_box(&shot.meshes, shot.rotation);
        let pt_per_mm = cell.size[1] / (2.0 * camera.half_height_mm);
        let half = [high.x - low.x, high.y - low.y].map(|mm| mm / 2.0 * pt_per_mm);
        let [x, y] = cell.middle();
        let top = y - half[1] + LETTER_PT;
        let ink = style.ink;
        sheet.text(near, [x - half[0], top], LETTER_PT, Align::Left, ink);
        sheet.text(far, [x + half[0], top], LETTER_PT, Align::Right, ink);
    }
    Ok(())
}

/// The box around meshes in the camera's axes, mm.
fn seen_box(meshes: &[MeshLayer], rotation: Quat) -> (Vec3, Vec3) {
    let none = (Vec3::INFINITY, Vec3::NEG_INFINITY);
    let (low, high) = meshes
        .iter()
        .flat_map(|m| m.mesh.vertices.iter().map(|v| *v + m.offset_mm))
        .filter(|v| v.is_finite())
        .map(|v| rotation * v)
        .fold(none, |(low, high), v| (low.min(v), high.max(v)));
    if low.x > high.x {
        return (Vec3::NEG_ONE, Vec3::ONE);
    }
    (low, high)
}
