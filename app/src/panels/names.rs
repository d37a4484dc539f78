//! Names on pictures: of regions at their middles, and of what is under the pointer.

use egui::{Align2, Pos2, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use glam::Vec2;

use super::Ctx;
use super::canvas::plate;
use crate::compose::names::Name;
use crate::compose::names::room::{Area, with_room};
use crate::theme;

/// Writes names, each unless it would cover one before it, what is `taken`, or the edge of the picture.
pub fn write(
    ui: &Ui,
    ctx: &Ctx<'_>,
    rect: Rect,
    names: &[Name],
    points_a_pixel: f32,
    taken: &[Rect],
) {
    let corner = |at: Pos2| Vec2::new(at.x, at.y);
    let area = |rect: &Rect| Area {
        low: corner(rect.min),
        high: corner(rect.max),
    };
    let taken: Vec<Area> = taken.iter().map(area).collect();
    let extent = |text: &str| {
        let ink = ctx.theme.on_canvas();
        let galley = ui
            .painter()
            .layout_no_wrap(text.to_owned(), theme::small_font(), ink);
        Vec2::new(galley.size().x + 8.0, galley.size().y + 2.0)
    };
    for (text, at) in with_room(names, points_a_pixel, area(&rect), &taken, extent) {
        plate(ui, ctx, pos2(at.x, at.y), Align2::CENTER_CENTER, text);
    }
}

/// Where the letters on the edges of a slice and its position are.
pub fn edges(rect: Rect) -> [Rect; 5] {
    let letter = vec2(18.0, 18.0);
    [
        Rect::from_center_size(rect.left_center() + vec2(10.0, 0.0), letter),
        Rect::from_center_size(rect.right_center() - vec2(10.0, 0.0), letter),
        Rect::from_center_size(rect.center_top() + vec2(0.0, 10.0), letter),
        Rect::from_center_size(rect.center_bottom() - vec2(0.0, 10.0), letter),
        Rect::from_min_max(
            rect.left_bottom() - vec2(0.0, 22.0),
            rect.left_bottom() + vec2(96.0, 0.0),
        ),
    ]
}

/// Writes the names of what is under the pointer beside it, while nothing is being dragged.
pub fn under_pointer(
    ui: &Ui,
    ctx: &Ctx<'_>,
    response: &Response,
    names: impl FnOnce(Pos2) -> Vec<String>,
) {
    let Some(at) = response
        .hover_pos()
        .filter(|_| !ui.input(|i| i.pointer.any_down()))
    else {
        return;
    };
    let names = names(at);
    if names.is_empty() {
        return;
    }
    let rect = response.rect;
    // Away from the pointer, and within the picture.
    let (right, above) = (at.x > rect.center().x, at.y > rect.top() + 40.0);
    let align = match (right, above) {
        (true, true) => Align2::RIGHT_BOTTOM,
        (true, false) => Align2::RIGHT_TOP,
        (false, true) => Align2::LEFT_BOTTOM,
        (false, false) => Align2::LEFT_TOP,
    };
    let x = if right { at.x - 10.0 } else { at.x + 12.0 };
    let y = if above { at.y - 8.0 } else { at.y + 18.0 };
    let words = names.join(" · ");
    plate(ui, ctx, pos2(x, y), align, &words);
    // For assistive tools.
    let place = align.anchor_size(pos2(x, y), vec2(10.0, 10.0));
    let said = ui.interact(
        place,
        ui.scope_id().with("under the pointer"),
        Sense::hover(),
    );
    said.widget_info(|| {
        WidgetInfo::labeled(Role::Label, true, format!("Under the pointer: {words}"))
    });
}
