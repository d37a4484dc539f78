//! Many axial slices at once.

use egui::{Align2, Rect, Role, Sense, Ui, WidgetInfo, vec2};
use fusiform_render::scene::{Plane, View};

use super::{position, regions};
use crate::command::Change;
use crate::compose::mosaic::mosaic;
use crate::compose::slices::{edges, scene};
use crate::gpu::Slot;
use crate::panels::Ctx;
use crate::panels::canvas::{self, plate};
use crate::panels::select::marks;
use crate::session::Underlay;

/// Axial slices from bottom to top, evenly spaced. A click goes there.
pub(super) fn ui(ui: &mut Ui, ctx: &Ctx<'_>, underlay: &Underlay, area: Rect) {
    let area_size = [area.width(), area.height()];
    let grid = mosaic(ctx.session, &ctx.layout.view, underlay, area_size);
    for (tile, &at) in grid.at_mm.iter().enumerate() {
        let [left, top] = grid.corner(tile);
        let rect = Rect::from_min_size(area.min + vec2(left, top), grid.cell.into()).shrink(1.0);
        let ppp = ui.pixels_per_point();
        let (rect, size) = canvas::on_pixels(ui, rect, ppp);
        let mm = grid.mm_per_unit / f64::from(ppp);
        let mut scene = scene(
            ctx.session,
            &ctx.layout.view,
            underlay,
            0,
            (at, mm),
            ctx.theme.paint(),
        );
        canvas::widen(&mut scene, ppp);
        canvas::show(ui, ctx, Slot::Tile(tile as u8), rect, &scene, size);
        if let View::Slice(slice) = &scene.view {
            marks::on_slice(ui, ctx, rect, slice, size);
        }
        let name = format!("Slice at {}", position(2, at));
        let response = ui.interact(rect, ui.scope_id().with(("tile", tile)), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
        plate(
            ui,
            ctx,
            rect.left_bottom() + vec2(4.0, -3.0),
            Align2::LEFT_BOTTOM,
            &position(2, at),
        );
        if tile == 0 {
            let [left, right, ..] = edges(&ctx.layout.view, Plane::Axial);
            let (at_left, at_right) = (rect.left_center(), rect.right_center());
            plate(ui, ctx, at_left + vec2(4.0, 0.0), Align2::LEFT_CENTER, left);
            plate(
                ui,
                ctx,
                at_right - vec2(4.0, 0.0),
                Align2::RIGHT_CENTER,
                right,
            );
        }
        if let View::Slice(slice) = &scene.view {
            regions(ui, ctx, &response, (slice, size, ppp));
        }
        let clicked = response
            .interact_pointer_pos()
            .filter(|_| response.clicked());
        if let (Some(at), View::Slice(slice)) = (clicked, &scene.view) {
            let from = (at - rect.min) * ppp;
            let to = slice.world_at([from.x, from.y], size).as_dvec3();
            ctx.change(Change::Crosshair(to));
            marks::clicked(ui, ctx, to);
        }
    }
}
