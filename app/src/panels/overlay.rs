//! The map that is worked on: which, how much of it, in what colours.

use egui::{Ui, pos2, vec2};
use fusiform_render::colormap::Colormap;

use super::{Ctx, short};
use crate::command::Change;
use crate::compose;
use crate::layout::MapLook;
use crate::session::{MapId, OverlayMap};
use crate::theme;

/// The map that is shown and its look.
pub fn current<'a>(ctx: &Ctx<'a>) -> Option<(&'a OverlayMap, MapLook)> {
    compose::map(ctx.session, &ctx.layout.view)
}

/// The map that is worked on: which, its threshold, range, sides and opacity.
pub fn controls(ui: &mut Ui, ctx: &Ctx<'_>) {
    chooser(ui, ctx, "Map");
    let Some((map, look)) = current(ctx) else {
        return;
    };
    let mut new = look;
    let unit = &map.unit;
    let reach = map.robust.0.abs().max(map.robust.1.abs());
    let span = if look.two_sided {
        f64::from(reach)
    } else {
        f64::from(map.robust.1 - map.robust.0)
    };
    let speed = span.max(1e-6) / 200.0;
    let below = if look.two_sided {
        "numbers of smaller magnitude"
    } else {
        "numbers below it"
    };
    ui.label("from")
        .on_hover_text(format!("Threshold: {below} are transparent."));
    let top = look
        .high
        .max(if look.two_sided { reach } else { map.robust.1 });
    let bottom = if look.two_sided {
        0.0
    } else {
        map.robust.0.min(0.0).min(look.threshold)
    };
    let threshold = ui
        .add(egui::Slider::new(&mut new.threshold, bottom..=top).show_value(false))
        .accessible_name("Threshold")
        .on_hover_text(format!(
            "Threshold: {below}, {} {unit}, are transparent.",
            short(f64::from(look.threshold))
        ));
    ui.label("colours")
        .on_hover_text("The numbers at the two ends of the colour bar.");
    let end = |ui: &mut Ui, value: &mut f32, name: &str, hint: &str| {
        let drag = egui::DragValue::new(value)
            .speed(speed)
            .custom_formatter(|value, _| short(value));
        ui.add(drag)
            .accessible_name(name.to_owned())
            .on_hover_text(format!("{hint} ({unit}). Drag or type."))
    };
    let low_hint = if look.two_sided {
        "The magnitude at which the colours begin, on both sides"
    } else {
        "The number at the low end of the colours"
    };
    let low = end(ui, &mut new.low, "Low end of the colours", low_hint);
    ui.label("to");
    let high_hint = if look.two_sided {
        "The magnitude at which the colours end, on both sides"
    } else {
        "The number at the high end of the colours"
    };
    let high = end(ui, &mut new.high, "High end of the colours", high_hint);
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
        .on_hover_text("Opacity of the map. Keys − and +.");
    new.opacity = percent / 100.0;
    let soft = ui.checkbox(&mut new.soft, "soft").on_hover_text(
        "Off: nothing below the threshold is shown. On: what is below fades with its square, so that strong findings \
         stand out and weak ones are not hidden.",
    );
    let sides = ui.checkbox(&mut new.two_sided, "±").on_hover_text(
        "On: two-sided. Positive numbers take the upper half of the colours, negative ones the lower; threshold and ends \
         are magnitudes. Off: one range from low to high.",
    );
    let sides = sides.accessible_name("Two-sided");
    if sides.changed() {
        set_sides(&mut new, map);
    }
    colours(ui, &mut new);
    let touched = [threshold, low, high, opacity, soft];
    if new.colormap != look.colormap || sides.changed() {
        ctx.change(Change::Look(map.id, new));
        return;
    }
    if touched.iter().any(egui::Response::changed) && new.low < new.high {
        new.threshold = if new.two_sided {
            new.threshold.max(0.0)
        } else {
            new.threshold
        };
        let continues = touched.iter().any(|r| r.dragged() && !r.drag_started());
        ctx.drag(Change::Look(map.id, new), !continues);
    }
}

/// Range, threshold and colours that suit a map seen from one side or from both.
fn set_sides(look: &mut MapLook, map: &OverlayMap) {
    let (low, high) = map.robust;
    if look.two_sided {
        look.low = 0.0;
        look.high = low.abs().max(high.abs()).max(f32::MIN_POSITIVE);
        look.threshold = look.threshold.abs().min(look.high);
        if !matches!(look.colormap, Colormap::ColdHot | Colormap::BlueRed) {
            look.colormap = Colormap::ColdHot;
        }
    } else {
        (look.low, look.high) = (low, high.max(low + f32::MIN_POSITIVE));
        look.threshold = look.threshold.clamp(low, high);
        if matches!(look.colormap, Colormap::ColdHot | Colormap::BlueRed) {
            look.colormap = Colormap::Hot;
        }
    }
}

/// A strip of a colour map.
pub fn strip(ui: &mut Ui, map: Colormap, width: f32) {
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
}

/// The colour maps, each with its colours.
fn colours(ui: &mut Ui, look: &mut MapLook) {
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
    let shown = current(ctx).map(|(map, _)| map);
    let text = shown.map_or("None", |map| map.name.as_str());
    ui.label(label);
    let combo = egui::ComboBox::from_id_salt("map")
        .selected_text(shortened(text))
        .width(150.0)
        .show_ui(ui, |ui| {
            if ui.selectable_label(shown.is_none(), "None").clicked() {
                ctx.change(Change::Map(None));
            }
            choices(ui, ctx, shown.map(|map| map.id), |id| {
                ctx.change(Change::Map(Some(id)));
            });
        });
    combo
        .response
        .accessible_name("Map")
        .on_hover_text(shown.map_or("Nothing lies over the anatomy.", |map| map.meaning.as_str()));
}

/// The maps there are and those there could be, to choose from.
pub fn choices(ui: &mut Ui, ctx: &Ctx<'_>, shown: Option<MapId>, choose: impl Fn(MapId)) {
    for id in MapId::MADE {
        let there = ctx.session.map(id).is_some();
        let choice = ui
            .add_enabled(
                there,
                egui::Button::selectable(shown == Some(id), id.name()),
            )
            .on_hover_text(id.meaning())
            .on_disabled_hover_text(match id {
                MapId::Drive => "Press “Decode” first.",
                MapId::Select => "Name two conditions in the panel Select first. Key S",
                MapId::Encoded | MapId::OfCeiling => {
                    "Press “Fit encoding model” in the tab Voxel first."
                }
                _ => "No run is loaded.",
            });
        if choice.clicked() {
            choose(id);
        }
    }
    for map in &ctx.session.maps {
        if !matches!(map.id, MapId::File(_)) {
            continue;
        }
        let button = egui::Button::selectable(shown == Some(map.id), &map.name);
        if ui.add(button).on_hover_text(&map.meaning).clicked() {
            choose(map.id);
        }
    }
}

/// A name cut to what a box holds.
pub fn shortened(name: &str) -> String {
    const LETTERS: usize = 26;
    if name.chars().count() <= LETTERS {
        return name.to_owned();
    }
    let kept: String = name.chars().take(LETTERS - 1).collect();
    format!("{kept}…")
}
