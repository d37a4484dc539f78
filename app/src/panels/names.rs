//! Names on pictures: of regions at their middles, and of what is under the pointer.

use egui::{
    Align2, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};
use glam::Vec2;

use super::Ctx;
use super::canvas::plate;
use crate::compose::names::Name;
use crate::compose::names::room::{Area, with_room};
use crate::theme;

/// Writes names, each unless it would cover one before it, what is `taken`, or the edge of the picture. Says where they
/// stand.
pub fn write(
    ui: &Ui,
    ctx: &Ctx<'_>,
    rect: Rect,
    names: &[Name],
    points_a_pixel: f32,
    taken: &[Rect],
) -> Vec<Rect> {
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
    let mut written = Vec::new();
    for (text, at) in with_room(names, points_a_pixel, area(&rect), &taken, extent) {
        let at = pos2(at.x, at.y);
        let size = extent(text);
        written.push(Rect::from_center_size(at, vec2(size.x, size.y)));
        plate(ui, ctx, at, Align2::CENTER_CENTER, text);
    }
    written
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

/// Writes the names of what is under the pointer near it, while nothing is being dragged: where it covers none of the
/// names that stand there, else where it covers the least of them, and then so that they do not shine through.
pub fn under_pointer(
    ui: &Ui,
    ctx: &Ctx<'_>,
    response: &Response,
    taken: &[Rect],
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
    let words = names.join(" · ");
    let ink = ctx.theme.on_canvas();
    let galley = ui
        .painter()
        .layout_no_wrap(words.clone(), theme::small_font(), ink);
    let place = beside(at, galley.size() + vec2(6.0, 0.0), response.rect, taken);
    ui.painter()
        .rect_filled(place, 2.0, ctx.theme.canvas_colour());
    ui.painter().rect_stroke(
        place,
        2.0,
        Stroke::new(1.0, ctx.theme.accent),
        StrokeKind::Outside,
    );
    ui.painter().galley(place.min + vec2(3.0, 0.0), galley, ink);
    // For assistive tools.
    let said = ui.interact(
        place,
        ui.scope_id().with("under the pointer"),
        Sense::hover(),
    );
    said.widget_info(|| {
        WidgetInfo::labeled(Role::Label, true, format!("Under the pointer: {words}"))
    });
}

/// The place near a point, within a picture, that covers the least of what is taken; the nearest of several.
fn beside(at: Pos2, size: egui::Vec2, picture: Rect, taken: &[Rect]) -> Rect {
    let (right, below) = (vec2(14.0, 0.0), vec2(0.0, 20.0));
    let corners = [
        (Align2::LEFT_BOTTOM, vec2(12.0, -8.0)),
        (Align2::RIGHT_BOTTOM, vec2(-10.0, -8.0)),
        (Align2::LEFT_TOP, vec2(12.0, 18.0)),
        (Align2::RIGHT_TOP, vec2(-10.0, 18.0)),
    ];
    let away = [1.0, 2.0, 3.0, 4.0].into_iter().flat_map(|step: f32| {
        let mut places = corners.map(|(align, by)| (align, by * step)).to_vec();
        places.push((Align2::CENTER_BOTTOM, -below * step));
        places.push((Align2::CENTER_TOP, below * step));
        places.push((Align2::LEFT_CENTER, right * step));
        places.push((Align2::RIGHT_CENTER, -right * step));
        places
    });
    let within = |rect: Rect| {
        let low = (picture.max - size).max(picture.min);
        Rect::from_min_size(rect.min.clamp(picture.min, low), size)
    };
    let covered = |place: &Rect| -> f32 {
        let on = |rect: &Rect| {
            let both = rect.intersect(*place);
            both.width().max(0.0) * both.height().max(0.0)
        };
        let pointer = if place.expand(2.0).contains(at) {
            1e4
        } else {
            0.0
        };
        taken.iter().map(on).sum::<f32>() + pointer
    };
    let places = away.map(|(align, by)| within(align.anchor_size(at + by, size)));
    places
        .map(|place| (covered(&place), place))
        .reduce(|best, next| if next.0 < best.0 { next } else { best })
        .map_or(Rect::from_min_size(at, size), |(_, place)| place)
}

#[cfg(test)]
mod tests {
    use egui::pos2;

    use super::*;

    #[test]
    fn the_name_under_the_pointer_covers_no_other_where_there_is_room() {
        let picture = Rect::from_min_size(pos2(10.0, 10.0), vec2(300.0, 200.0));
        let size = vec2(60.0, 16.0);
        let name = |x: f32, y: f32| Rect::from_center_size(pos2(x, y), vec2(40.0, 16.0));
        for at in [pos2(150.0, 100.0), pos2(12.0, 12.0), pos2(309.0, 209.0)] {
            let names = [
                name(at.x, at.y - 16.0),
                name(at.x + 40.0, at.y),
                name(at.x, at.y + 26.0),
            ];
            let place = beside(at, size, picture, &names);
            assert!(picture.contains_rect(place), "{place}");
            // Edges may touch.
            let inside = place.shrink(0.5);
            assert!(names.iter().all(|name| !name.intersects(inside)), "{place}");
            assert!(!place.contains(at));
        }
    }
}
