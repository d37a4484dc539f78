//! A scene on the screen, or the words why it is not there.

use egui::{Align2, Color32, Pos2, Rect, Ui, pos2, vec2};
use fusiform_render::scene::{Scene, View};

use super::Ctx;
use crate::gpu::Slot;
use crate::theme;

/// Draws a scene into a rectangle.
pub fn show(ui: &Ui, ctx: &Ctx<'_>, slot: Slot, rect: Rect, scene: &Scene, size: [u32; 2]) {
    let moves = moves(ui);
    let drawn = ctx
        .easel
        .borrow_mut()
        .show(ui.ctx(), slot, scene, size, moves);
    match drawn {
        Ok(texture) => {
            let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
            ui.painter().image(texture, rect, whole, Color32::WHITE);
        }
        Err(error) => {
            ui.painter()
                .rect_filled(rect, 2.0, ctx.theme.canvas_colour());
            ui.painter().text(
                rect.center(),
                Align2::CENTER_CENTER,
                error,
                theme::small_font(),
                ctx.theme.on_canvas(),
            );
        }
    }
}

/// A rectangle on whole pixels, and how many of `per_point` pixels a point it holds.
pub fn on_pixels(ui: &Ui, rect: Rect, per_point: f32) -> (Rect, [u32; 2]) {
    let ppp = ui.pixels_per_point();
    let round = |at: Pos2| pos2((at.x * ppp).round() / ppp, (at.y * ppp).round() / ppp);
    let rect = Rect::from_min_max(round(rect.min), round(rect.max));
    let size = [rect.width(), rect.height()].map(|side| (side * per_point).round().max(1.0) as u32);
    (rect, size)
}

/// Pixels a point: those of the screen, or half as many of what moves where drawing is slow.
pub fn pixels_per_point(ui: &Ui, ctx: &Ctx<'_>) -> f32 {
    let coarse = moves(ui) && ctx.easel.borrow().is_slow();
    ui.pixels_per_point() * if coarse { 0.5 } else { 1.0 }
}

/// Makes the borders on a slice as wide in points on every screen.
pub fn widen(scene: &mut Scene, per_point: f32) {
    if let View::Slice(slice) = &mut scene.view {
        for outline in &mut slice.outlines {
            outline.width_px *= per_point;
        }
    }
}

/// Small text on a dark plate, readable over any picture.
pub fn plate(ui: &Ui, ctx: &Ctx<'_>, at: Pos2, align: Align2, text: &str) {
    let galley =
        ui.painter()
            .layout_no_wrap(text.to_owned(), theme::small_font(), ctx.theme.on_canvas());
    let rect = align.anchor_size(at, galley.size());
    ui.painter()
        .rect_filled(rect.expand2(vec2(3.0, 0.0)), 2.0, ctx.theme.veil());
    ui.painter().galley(rect.min, galley, ctx.theme.on_canvas());
}

/// Whether something is being dragged.
fn moves(ui: &Ui) -> bool {
    ui.input(|i| i.pointer.any_down() && i.pointer.is_moving())
}
