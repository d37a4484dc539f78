//! The map over the anatomy: which, how much of it, and what its colours mean.

use egui::{Align2, Color32, ColorImage, Pos2, Rect, TextureOptions, Ui, pos2, vec2};
use fusiform_render::colormap::Colormap;

use super::{Ctx, short};
use crate::command::Change;
use crate::compose;
use crate::layout::MapLook;
use crate::session::{MapId, OverlayMap};
use crate::theme;

/// Room for the colour bar with its numbers, points.
pub const BAR_WIDTH: f32 = 74.0;

/// The map that is shown and its look.
pub fn current<'a>(ctx: &Ctx<'a>) -> Option<(&'a OverlayMap, MapLook)> {
    compose::map(ctx.session, &ctx.layout.view)
}

/// Which map, its threshold, range and opacity.
pub fn controls(ui: &mut Ui, ctx: &Ctx<'_>) {
    chooser(ui, ctx, "Map");
    let Some((map, look)) = current(ctx) else {
        return;
    };
    let mut new = look;
    let span = f64::from(map.robust.1 - map.robust.0).max(1e-6);
    let speed = span / 200.0;
    ui.label("from")
        .on_hover_text("Numbers below are transparent.");
    let top = look.high.max(map.robust.1);
    let bottom = map.robust.0.min(0.0).min(look.threshold);
    let threshold = ui
        .add(egui::Slider::new(&mut new.threshold, bottom..=top).show_value(false))
        .accessible_name("Threshold")
        .on_hover_text(format!(
            "Threshold: numbers below {} are transparent.",
            short(f64::from(look.threshold))
        ));
    ui.label("colours");
    let low = ui
        .add(
            egui::DragValue::new(&mut new.low)
                .speed(speed)
                .max_decimals(3),
        )
        .accessible_name("Low end of the colours")
        .on_hover_text(format!(
            "The number at the low end of the colours ({}). Drag or type.",
            map.id.unit()
        ));
    ui.label("to");
    let high = ui
        .add(
            egui::DragValue::new(&mut new.high)
                .speed(speed)
                .max_decimals(3),
        )
        .accessible_name("High end of the colours")
        .on_hover_text(format!(
            "The number at the high end of the colours ({}). Drag or type.",
            map.id.unit()
        ));
    let mut percent = (new.opacity * 100.0).round();
    let opacity = ui
        .add(
            egui::DragValue::new(&mut percent)
                .range(0.0..=100.0)
                .suffix(" %")
                .speed(0.5)
                .max_decimals(0),
        )
        .accessible_name("Opacity")
        .on_hover_text("Opacity of the map.");
    new.opacity = percent / 100.0;
    let soft = ui.checkbox(&mut new.soft, "soft").on_hover_text(
        "Off: nothing below the threshold is shown. On: what is below fades with its square, so that strong findings \
         stand out and weak ones are not hidden.",
    );
    colours(ui, &mut new);
    let touched = [threshold, low, high, opacity, soft];
    if new.colormap != look.colormap {
        ctx.change(Change::Look(map.id, new));
        return;
    }
    if touched.iter().any(egui::Response::changed) && new.low < new.high {
        let continues = touched.iter().any(|r| r.dragged() && !r.drag_started());
        ctx.drag(Change::Look(map.id, new), !continues);
    }
}

/// The colour maps, each with its colours.
fn colours(ui: &mut Ui, look: &mut MapLook) {
    let strip = |ui: &mut Ui, map: Colormap, width: f32| {
        let (rect, _) = ui.allocate_exact_size(vec2(width, 12.0), egui::Sense::hover());
        let mut mesh = egui::Mesh::default();
        for n in 0..=32 {
            let part = n as f32 / 32.0;
            let colour = theme::of_map(map.colour_at(part));
            let x = rect.left() + part * rect.width();
            mesh.colored_vertex(pos2(x, rect.top()), colour);
            mesh.colored_vertex(pos2(x, rect.bottom()), colour);
            if n > 0 {
                let i = 2 * n;
                mesh.add_triangle(i - 2, i - 1, i);
                mesh.add_triangle(i - 1, i + 1, i);
            }
        }
        ui.painter().add(mesh);
    };
    let combo = egui::ComboBox::from_id_salt("colour map")
        .selected_text(look.colormap.name())
        .width(84.0)
        .show_ui(ui, |ui| {
            for &map in Colormap::all() {
                ui.horizontal(|ui| {
                    strip(ui, map, 72.0);
                    ui.selectable_value(&mut look.colormap, map, map.name());
                });
            }
        });
    combo.response.accessible_name("Colours").on_hover_text(
        "The colour map. Viridis, magma and blue-red can be told apart by colour-blind readers.",
    );
}

/// A combo box of the maps there are.
pub fn chooser(ui: &mut Ui, ctx: &Ctx<'_>, label: &str) {
    let shown = ctx
        .layout
        .view
        .map
        .filter(|id| ctx.session.map(*id).is_some());
    let text = shown.map_or("None", |id| id.name());
    ui.label(label);
    let combo = egui::ComboBox::from_id_salt("map")
        .selected_text(text)
        .width(150.0)
        .show_ui(ui, |ui| {
            if ui.selectable_label(shown.is_none(), "None").clicked() {
                ctx.change(Change::Map(None));
            }
            for id in MapId::ALL {
                let there = ctx.session.map(id).is_some();
                let choice = ui
                    .add_enabled(
                        there,
                        egui::Button::selectable(shown == Some(id), id.name()),
                    )
                    .on_hover_text(id.meaning())
                    .on_disabled_hover_text(match id {
                        MapId::Drive => "Press “Decode” first.",
                        MapId::Tsnr | MapId::Mean | MapId::Frame => "No run is loaded.",
                    });
                if choice.clicked() {
                    ctx.change(Change::Map(Some(id)));
                }
            }
        });
    combo
        .response
        .accessible_name("Map")
        .on_hover_text(shown.map_or("Nothing lies over the anatomy.", |id| id.meaning()));
}

/// The colours with their numbers and unit, and a notch at the threshold.
pub fn colour_bar(ui: &mut Ui, ctx: &Ctx<'_>, rect: Rect) {
    let Some((map, look)) = current(ctx) else {
        return;
    };
    let bar = Rect::from_min_max(
        rect.min + vec2(0.0, 40.0),
        pos2(rect.left() + 14.0, rect.bottom() - 10.0),
    );
    if bar.height() < 40.0 {
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
    let painter = ui.painter();
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
    let font = theme::small_font();
    let height_of = |value: f32| {
        let share = ((value - look.low) / (look.high - look.low)).clamp(0.0, 1.0);
        bar.bottom() - share * bar.height()
    };
    let name = painter.layout(
        map.id.unit().to_owned(),
        font.clone(),
        ctx.theme.weak,
        rect.width(),
    );
    painter.galley(rect.min, name, ctx.theme.weak);
    let mut taken: Vec<f32> = Vec::new();
    for (value, colour) in [
        (look.high, ctx.theme.text),
        (look.low, ctx.theme.text),
        (look.threshold, ctx.theme.accent),
    ] {
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
    response.on_hover_text(format!(
        "{} ({}). {}\nTransparent below {}.",
        map.id.name(),
        map.id.unit(),
        map.id.meaning(),
        short(f64::from(look.threshold))
    ));
}
