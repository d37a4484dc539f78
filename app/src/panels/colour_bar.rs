//! What the colours of the maps mean: a bar for each that is drawn, with its numbers and unit.

use egui::{Align2, Color32, ColorImage, Pos2, Rect, TextureOptions, Ui, pos2, vec2};

use super::{Ctx, short};
use crate::compose;
use crate::layout::MapLook;
use crate::session::OverlayMap;
use crate::theme;

/// Room for the colour bars with their numbers, points.
pub const BAR_WIDTH: f32 = 74.0;
/// More bars than these would be too short to read.
const MOST_BARS: usize = 3;

/// Whether there is a map to have a bar.
pub fn is_needed(ctx: &Ctx<'_>) -> bool {
    !compose::maps(ctx.session, &ctx.layout.view).is_empty()
}

/// The bars of the topmost maps below each other, each with its threshold marked.
pub fn bars(ui: &mut Ui, ctx: &Ctx<'_>, rect: Rect) {
    let maps = compose::maps(ctx.session, &ctx.layout.view);
    let shown: Vec<_> = maps.into_iter().rev().take(MOST_BARS).collect();
    let height = rect.height() / shown.len().max(1) as f32;
    for (n, (map, look)) in shown.iter().enumerate() {
        let top = rect.top() + n as f32 * height;
        let part = Rect::from_min_size(pos2(rect.left(), top), vec2(rect.width(), height));
        ui.push_id(("colour bar", n), |ui| {
            bar(ui, ctx, part, map, look, shown.len() > 1);
        });
    }
}

fn bar(ui: &Ui, ctx: &Ctx<'_>, rect: Rect, map: &OverlayMap, look: &MapLook, named: bool) {
    // Beside others, a bar says whose it is.
    let heading = if named {
        super::overlay::shortened(&map.name)
    } else {
        map.unit.clone()
    };
    let font = theme::small_font();
    let painter = ui.painter();
    let heading = painter.layout(heading, font.clone(), ctx.theme.weak, rect.width());
    let head = heading.size().y.min(34.0) + 8.0;
    let bar = Rect::from_min_max(
        rect.min + vec2(0.0, head),
        pos2(rect.left() + 14.0, rect.bottom() - 10.0),
    );
    if bar.height() < 30.0 {
        return;
    }
    let colours = fusiform_render::colorbar::colorbar(&look.look(), 1, 256);
    let image = ColorImage::from_rgba_unmultiplied([1, 256], &colours.rgba);
    let texture = ui.ctx().load_texture_cached(
        "colour bar",
        ui.scope_id().with("colour_bar"),
        image,
        TextureOptions::LINEAR,
    );
    painter.rect_filled(bar, 0.0, ctx.theme.canvas_colour());
    painter.image(
        texture.id(),
        bar,
        Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0)),
        Color32::WHITE,
    );
    painter.rect_stroke(
        bar,
        0.0,
        egui::Stroke::new(1.0, ctx.theme.line),
        egui::StrokeKind::Outside,
    );
    painter
        .with_clip_rect(rect)
        .galley(rect.min, heading, ctx.theme.weak);
    let (low, high) = if look.two_sided {
        (-look.high, look.high)
    } else {
        (look.low, look.high)
    };
    let height_of = |value: f32| {
        let share = ((value - low) / (high - low)).clamp(0.0, 1.0);
        bar.bottom() - share * bar.height()
    };
    let mut marks = vec![
        (high, ctx.theme.text),
        (low, ctx.theme.text),
        (look.threshold, ctx.theme.accent),
    ];
    if look.two_sided && look.threshold > 0.0 {
        marks.push((-look.threshold, ctx.theme.accent));
    }
    let mut taken: Vec<f32> = Vec::new();
    for (value, colour) in marks {
        let y = height_of(value);
        if taken.iter().any(|t| (t - y).abs() < 14.0) {
            continue;
        }
        taken.push(y);
        painter.hline(
            bar.right()..=bar.right() + 4.0,
            y,
            egui::Stroke::new(1.0, colour),
        );
        let at = pos2(bar.right() + 7.0, y);
        painter.text(
            at,
            Align2::LEFT_CENTER,
            short(f64::from(value)),
            font.clone(),
            colour,
        );
    }
    let response = ui.interact(
        rect,
        ui.scope_id().with("colour_bar_area"),
        egui::Sense::hover(),
    );
    let below = if look.two_sided {
        "of smaller magnitude than"
    } else {
        "below"
    };
    response.on_hover_text(format!(
        "{} ({}). {}\nTransparent {below} {}.",
        map.name,
        map.unit,
        map.meaning,
        short(f64::from(look.threshold))
    ));
}
