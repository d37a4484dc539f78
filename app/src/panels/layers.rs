//! Maps over each other: a row a layer, the topmost first, and the anatomy below them.

use egui::{Align, Layout as Flow, Ui, vec2};

use super::icons::{self, Icon};
use super::{Ctx, overlay, short, toolbar, weak};
use crate::command::{Change, Command};
use crate::compose;
use crate::layout::{Layer, MapLook, ModulationLook};
use crate::session::{MapId, OverlayMap};

/// Rows that are in sight at once; more are scrolled.
const ROWS: f32 = 3.0;
/// The height of a row, points.
const ROW: f32 = 27.0;

const ON_SURFACE: &str = "Slices draw every layer. The cortex draws the topmost volume in every pixel, over the topmost \
    map of the sheet itself.";

/// The button that opens and closes the list.
pub fn toggle(ui: &mut Ui, ctx: &Ctx<'_>, open: &mut bool) {
    let n = ctx.layout.view.layers().len();
    // Room for the sign behind it.
    let button = egui::Button::selectable(*open, format!("Layers {n}     "));
    let hint = format!("Any number of maps over each other, each with its own look. {ON_SURFACE}");
    let button = ui.add(button).accessible_name("Layers").on_hover_text(hint);
    icons::sign(
        ui,
        !*open,
        egui::pos2(button.rect.right() - 13.0, button.rect.center().y),
    );
    if button.clicked() {
        *open = !*open;
    }
}

/// The list.
pub fn list(ui: &mut Ui, ctx: &Ctx<'_>) {
    let layers = ctx.layout.view.layers();
    let height = (ROW + 3.0) * (layers.len() as f32).min(ROWS);
    egui::ScrollArea::vertical()
        .id_salt("layers")
        .max_height(height)
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            for at in (0..layers.len()).rev() {
                if let Some(map) = ctx.session.map(layers[at].map) {
                    ui.push_id(map.id, |ui| row(ui, ctx, &layers, at, map));
                }
            }
        });
    toolbar::row(ui, |ui| {
        underlay(ui, ctx);
        add(ui, ctx, &layers);
        modulation(ui, ctx);
    });
}

fn row(ui: &mut Ui, ctx: &Ctx<'_>, layers: &[Layer], at: usize, map: &OverlayMap) {
    let Layer { map: id, visible } = layers[at];
    let name = map.name.as_str();
    let worked_on = ctx.layout.view.map == Some(id);
    let set = |layers: Vec<Layer>| ctx.change(Change::Layers(layers, Some(id)));
    ui.horizontal(|ui| {
        ui.set_min_height(ROW - 5.0);
        let icon = if visible { Icon::Eye } else { Icon::Closed };
        let eye = icons::button(ui, icon, true)
            .accessible_name(format!("Show {name}"))
            .on_hover_text("Show or hide this layer. Key V does it for the one that is worked on.");
        if eye.clicked() {
            let layers = ctx.layout.view.with_visible(id, !visible);
            ctx.change(Change::Layers(layers, ctx.layout.view.map));
        }
        let title = egui::Button::selectable(worked_on, overlay::shortened(name));
        let title = ui
            .add(title)
            .accessible_name(format!("Layer {name}"))
            .on_hover_text(format!(
                "{name}\n{}\nWork on this layer. Keys [ and ].",
                map.meaning
            ));
        if title.clicked() {
            ctx.change(Change::Layers(layers.to_vec(), Some(id)));
        }
        let look = ctx.layout.view.look(map);
        overlay::strip(ui, look.colormap, 44.0);
        ui.label(weak(ctx, value_here(ctx, map)))
            .on_hover_text(format!("The number at the crosshair ({}).", map.unit));
        ui.with_layout(Flow::right_to_left(Align::Center), |ui| {
            let remove = ui
                .add(egui::Button::new("×").min_size(vec2(24.0, 22.0)))
                .accessible_name(format!("Take away: {name}"))
                .on_hover_text("Take the layer away; the map stays in the list of maps.");
            if remove.clicked() {
                let mut left = layers.to_vec();
                left.remove(at);
                ctx.change(Change::Layers(left, ctx.layout.view.map));
            }
            for (icon, can, other, does) in [
                (Icon::Down, at > 0, at.wrapping_sub(1), "One layer down"),
                (Icon::Up, at + 1 < layers.len(), at + 1, "One layer up"),
            ] {
                let moves = icons::button(ui, icon, can)
                    .accessible_name(format!("{does}: {name}"))
                    .on_hover_text(does);
                if moves.clicked() && can {
                    let mut moved = layers.to_vec();
                    moved.swap(at, other);
                    set(moved);
                }
            }
            let mut percent = (look.opacity * 100.0).round();
            let opacity = ui
                .add(
                    egui::DragValue::new(&mut percent)
                        .range(0.0..=100.0)
                        .suffix(" %")
                        .speed(0.5)
                        .max_decimals(0),
                )
                .accessible_name(format!("Opacity of {name}"))
                .on_hover_text("Opacity of this layer.");
            if opacity.changed() {
                let opacity_share = percent / 100.0;
                let look = MapLook {
                    opacity: opacity_share,
                    ..look
                };
                ctx.drag(
                    Change::Look(id, look),
                    !opacity.dragged() || opacity.drag_started(),
                );
            }
            ui.label(weak(ctx, shown_from(&look)))
                .on_hover_text(format!("What is shown of it ({}).", map.unit));
        });
    });
}

/// The number at the crosshair, in few letters.
fn value_here(ctx: &Ctx<'_>, map: &OverlayMap) -> String {
    let value = map.volume().and_then(|volume| {
        let at = ctx.layout.view.crosshair()?;
        volume.at_world(at)
    });
    value.map_or_else(String::new, |v| short(f64::from(v)))
}

fn shown_from(look: &MapLook) -> String {
    let from = short(f64::from(look.threshold));
    if look.two_sided {
        format!("|·| ≥ {from}")
    } else {
        format!("≥ {from}")
    }
}

/// The anatomy: what is black and what is white.
fn underlay(ui: &mut Ui, ctx: &Ctx<'_>) {
    let Some(underlay) = ctx.session.underlay() else {
        return;
    };
    let (low, high) = ctx.layout.view.grey.unwrap_or(underlay.window);
    let span = f64::from(underlay.window.1 - underlay.window.0);
    ui.label(super::capitalised(&underlay.name));
    let (mut new_low, mut new_high) = (low, high);
    let end = |ui: &mut Ui, value: &mut f32, name: &str| {
        let drag = egui::DragValue::new(value)
            .speed(span / 300.0)
            .max_decimals(2);
        ui.add(drag).accessible_name(name.to_owned()).on_hover_text(
                "The number shown black and the number shown white, in the units of the file. Drag, type, or drag on a \
                 slice with the right button.",
            )
    };
    ui.label(weak(ctx, "black"));
    let first = end(ui, &mut new_low, "Black");
    ui.label(weak(ctx, "white"));
    let second = end(ui, &mut new_high, "White");
    if first.changed() || second.changed() {
        let continues = [&first, &second]
            .iter()
            .any(|r| r.dragged() && !r.drag_started());
        ctx.drag(Change::Grey(Some((new_low, new_high))), !continues);
    }
    let reset = ui
        .add_enabled(ctx.layout.view.grey.is_some(), egui::Button::new("Reset"))
        .on_hover_text("Black and white as they come: where 96 % of the numbers lie.")
        .on_disabled_hover_text("Black and white are as they come.");
    if reset.clicked() {
        ctx.change(Change::Grey(None));
    }
    ui.separator();
}

/// Another layer on top, from the maps there are or from files.
fn add(ui: &mut Ui, ctx: &Ctx<'_>, layers: &[Layer]) {
    ui.menu_button("Add layer", |ui| {
        ui.set_min_width(200.0);
        overlay::choices(ui, ctx, None, |id| {
            let mut more = layers.to_vec();
            more.retain(|layer| layer.map != id);
            more.push(Layer::shown(id));
            ctx.change(Change::Layers(more, Some(id)));
        });
        ui.separator();
        if ui
            .button("From files…")
            .on_hover_text(
                "Volumes, vertex maps, tables of region values; or drop them on the window.",
            )
            .clicked()
        {
            ctx.send(Command::AskMore);
        }
    })
    .response
    .on_hover_text("Lay another map over the others.");
}

/// Opacity of the map that is worked on from the magnitudes of another.
fn modulation(ui: &mut Ui, ctx: &Ctx<'_>) {
    let Some((map, look)) = compose::map(ctx.session, &ctx.layout.view) else {
        return;
    };
    if map.on_grid.is_none() {
        return;
    }
    let others: Vec<&OverlayMap> = ctx
        .session
        .maps
        .iter()
        .filter(|other| other.id != map.id && other.on_grid.is_some())
        .collect();
    let by = look.modulation.and_then(|m| ctx.session.map(m.by));
    ui.separator();
    ui.label("opacity by");
    let set = |modulation: Option<ModulationLook>| {
        ctx.change(Change::Look(map.id, MapLook { modulation, ..look }));
    };
    let combo = egui::ComboBox::from_id_salt("opacity by")
        .selected_text(by.map_or("nothing".into(), |by| overlay::shortened(&by.name)))
        .width(120.0)
        .show_ui(ui, |ui| {
            if ui.selectable_label(by.is_none(), "nothing").clicked() {
                set(None);
            }
            for other in others {
                let chosen = by.is_some_and(|by| by.id == other.id);
                if ui.selectable_label(chosen, &other.name).clicked() {
                    set(Some(modulated_by(other)));
                }
            }
        });
    combo
        .response
        .accessible_name("Opacity by")
        .on_hover_text("Another map makes this one clear where its magnitude is small.");
    let (Some(modulation), Some(by)) = (look.modulation, by) else {
        return;
    };
    let mut new = modulation;
    let speed = f64::from(by.robust.1 - by.robust.0).max(1e-6) / 200.0;
    let end = |ui: &mut Ui, value: &mut f32, name: &str| {
        let drag = egui::DragValue::new(value).speed(speed).max_decimals(3);
        ui.add(drag)
            .accessible_name(name.to_owned())
            .on_hover_text(format!(
                "The magnitude of {} ({}) at which this map is {name}.",
                by.name, by.unit
            ))
    };
    let first = end(ui, &mut new.range.0, "clear");
    let second = end(ui, &mut new.range.1, "opaque");
    if first.changed() || second.changed() {
        let look = MapLook {
            modulation: Some(new),
            ..look
        };
        let continues = [&first, &second]
            .iter()
            .any(|r| r.dragged() && !r.drag_started());
        ctx.drag(Change::Look(map.id, look), !continues);
    }
}

fn modulated_by(map: &OverlayMap) -> ModulationLook {
    let (low, high) = map.robust;
    let range = if low < 0.0 {
        (0.0, low.abs().max(high))
    } else {
        (low, high)
    };
    ModulationLook { by: map.id, range }
}

/// The layer after the one that is worked on, or before it.
pub fn neighbour(ctx: &Ctx<'_>, up: bool) -> Option<MapId> {
    let layers = ctx.layout.view.layers();
    let here = layers
        .iter()
        .position(|layer| Some(layer.map) == ctx.layout.view.map)?;
    let next = if up {
        (here + 1) % layers.len()
    } else {
        (here + layers.len() - 1) % layers.len()
    };
    Some(layers[next].map)
}
