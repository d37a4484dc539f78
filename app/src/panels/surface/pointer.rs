//! What the mouse does on the surfaces.

use egui::{PointerButton, Ui};
use fusiform_render::scene::{Pick, Scene, View};

use crate::command::Change;
use crate::compose::cortex::STOPS;
use crate::panels::Ctx;
use crate::panels::select::marks;

/// Radians a point of drag.
const TURN: f32 = 0.008;

/// Turns, moves, magnifies, and picks.
pub(super) fn act(
    ui: &Ui,
    ctx: &Ctx<'_>,
    response: &egui::Response,
    (scene, size): (&Scene, [u32; 2]),
    hemispheres: &[usize],
) {
    let View::Surfaces(view) = &scene.view else {
        return;
    };
    let moved = response.drag_delta();
    let shift = ui.input(|i| i.modifiers.shift || i.modifiers.alt);
    let pans = response.dragged_by(PointerButton::Middle)
        || (response.dragged_by(PointerButton::Primary) && shift);
    if pans && moved != egui::Vec2::ZERO {
        let mm_per_point = 2.0 * view.camera.half_height_mm / response.rect.height();
        let [right, up] = ctx.layout.view.surface_shift_mm;
        let shift_mm = [right + moved.x * mm_per_point, up - moved.y * mm_per_point];
        ctx.drag(Change::SurfaceShift(shift_mm), response.drag_started());
    } else if response.dragged_by(PointerButton::Primary) && moved != egui::Vec2::ZERO {
        // A flat map is not tilted.
        if ctx.layout.view.cortex.morph < STOPS[4].1 {
            let turned = view.camera.turned(moved.x * TURN, moved.y * TURN);
            ctx.drag(
                Change::Rotation(turned.rotation.to_array()),
                response.drag_started(),
            );
        }
    }
    if let Some(at) = response
        .interact_pointer_pos()
        .filter(|_| response.clicked())
    {
        let from = at - response.rect.min;
        let scale = size[0] as f32 / response.rect.width();
        let pixel = [from.x, from.y].map(|side| (side * scale).max(0.0) as u32);
        if pixel[0] < size[0] && pixel[1] < size[1] {
            pick(ui, ctx, scene, (size, pixel), hemispheres);
        }
    }
    if response.hovered() {
        let (turns, magnify) = ui.input(|i| (i.smooth_scroll_delta().y, i.zoom_delta()));
        let factor = magnify * (turns * 0.004).exp();
        if (factor - 1.0).abs() > 1e-4 {
            ctx.drag(
                Change::SurfaceZoom(ctx.layout.view.surface_zoom * factor),
                false,
            );
        }
    }
}

/// Moves the crosshair to the place in the brain that is under a pixel.
fn pick(
    ui: &Ui,
    ctx: &Ctx<'_>,
    scene: &Scene,
    (size, pixel): ([u32; 2], [u32; 2]),
    hemispheres: &[usize],
) {
    let picked = ctx.easel.borrow_mut().pick(scene, size, pixel);
    match picked {
        Ok(picked) => {
            let place = picked.and_then(|pick| match pick {
                Pick::Vertex { mesh, vertex, .. } => {
                    let hemisphere = *hemispheres.get(mesh)?;
                    let hemisphere = ctx.session.subject.cortex.get(hemisphere)?;
                    hemisphere.anatomical_mm(vertex as usize)
                }
                Pick::Voxel { point_mm, .. } => Some(point_mm),
            });
            if let Some(place) = place {
                ctx.change(Change::Crosshair(place.as_dvec3()));
                marks::clicked(ui, ctx, place.as_dvec3());
            }
        }
        Err(error) => log::warn!("picking on the surface: {error}"),
    }
}
