//! Names on pictures: of regions at their middles, and of what is under the pointer.

use egui::{Align2, Pos2, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::Ctx;
use super::canvas::plate;
use crate::compose::names::Name;
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
    let mut taken = taken.to_vec();
    for name in names {
        let at = rect.min + vec2(name.at.x, name.at.y) * points_a_pixel;
        let ink = ctx.theme.on_canvas();
        let galley = ui
            .painter()
            .layout_no_wrap(name.text.clone(), theme::small_font(), ink);
        let size = galley.size() + vec2(6.0, 0.0);
        let place = Rect::from_center_size(at, size);
        if !rect.contains_rect(place) || taken.iter().any(|t| t.intersects(place)) {
            continue;
        }
        taken.push(place.expand(1.0));
        plate(ui, ctx, at, Align2::CENTER_CENTER, &name.text);
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
