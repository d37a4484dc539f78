//! Many axial slices at once.

use egui::{Align2, Rect, Role, Sense, Ui, WidgetInfo, vec2};
use fusiform_render::scene::{Plane, View};

use super::{edges, position};
use crate::command::Change;
use crate::compose::slices::scene;
use crate::gpu::Slot;
use crate::panels::canvas::{self, plate};
use crate::panels::{Ctx, overlay};
use crate::session::Underlay;

/// Slices of a mosaic, at least.
const TILES: usize = 12;

/// Axial slices from bottom to top, evenly spaced. A click goes there.
pub(super) fn ui(ui: &mut Ui, ctx: &Ctx<'_>, underlay: &Underlay, area: Rect) {
    let (mut low, mut high) = underlay.bounds_mm;
    let extent = high - low;
    // Where there is a map, only where it is.
    let map = overlay::current(ctx).and_then(|(map, _)| map.volume());
    if let Some(volume) = map {
        let (from, to) = volume.grid.world_bounds();
        (low.z, high.z) = (low.z.max(from.z), high.z.min(to.z));
    }
    let shape = (extent.y / extent.x.max(1.0)) as f32;
    // The fewest columns that give a dozen slices, all of them in sight.
    let rows_of = |columns: usize| {
        let height = area.width() / columns as f32 * shape;
        ((area.height() / height) as usize).max(1)
    };
    let columns = (3..=10).find(|&c| c * rows_of(c) >= TILES).unwrap_or(8);
    let rows = rows_of(columns).min(8);
    let (width, height) = (area.width() / columns as f32, area.height() / rows as f32);
    let n = columns * rows;
    let fit = (extent.x / f64::from(width)).max(extent.y / f64::from(height));
    let mm_per_point = fit * 1.04;
    for tile in 0..n {
        let part = (tile as f64 + 0.5) / n as f64;
        let at = low.z + part * (high.z - low.z);
        let corner = vec2(
            (tile % columns) as f32 * width,
            (tile / columns) as f32 * height,
        );
        let rect = Rect::from_min_size(area.min + corner, vec2(width, height)).shrink(1.0);
        let ppp = ui.pixels_per_point();
        let (rect, size) = canvas::on_pixels(ui, rect, ppp);
        let mm = mm_per_point / f64::from(ppp);
        let scene = scene(
            ctx.session,
            &ctx.layout.view,
            underlay,
            0,
            (at, mm),
            ctx.theme.paint(),
        );
        canvas::show(ui, ctx, Slot::Tile(tile as u8), rect, &scene, size);
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
            let [left, right, ..] = edges(ctx, Plane::Axial);
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
        let clicked = response
            .interact_pointer_pos()
            .filter(|_| response.clicked());
        if let (Some(at), View::Slice(slice)) = (clicked, &scene.view) {
            let from = (at - rect.min) * ppp;
            ctx.change(Change::Crosshair(
                slice.world_at([from.x, from.y], size).as_dvec3(),
            ));
        }
    }
}
