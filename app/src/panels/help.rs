//! Keys and mouse, and what this program is.

use egui::{Align2, Context, Key, Modifiers, vec2};
use fusiform_render::camera::StandardView;
use glam::DVec3;

use super::{Ctx, layers, slices, weak};
use crate::command::{Change, Command};
use crate::compose;
use crate::layout::{CortexLook, MapLook, SliceMode};

/// By how much a key changes the opacity of a map.
const OPACITY_STEP: f32 = 0.1;

/// What the mouse does elsewhere than on slices, where its preset says.
const MOUSE: [(&str, &str); 8] = [
    ("Double right click", "black and white as they come"),
    ("Surface: drag, wheel", "turn, zoom"),
    ("Surface: Shift or middle + drag", "move"),
    ("Surface: click", "crosshair to that place in the cortex"),
    ("Table, cluster: click", "crosshair to its peak"),
    ("Time course: click", "mark that volume"),
    (
        "Time course: drag, Ctrl + wheel",
        "move, zoom; double click shows all",
    ),
    (
        "Drop files or a folder",
        "add maps and regions, open studies",
    ),
];

const KEYS: [(&str, &str); 14] = [
    ("Left, Right / Up, Down", "crosshair along x / y, one voxel"),
    ("Page Up, Page Down", "crosshair along z, one voxel"),
    ("T, M, G", "three slices, mosaic, glass brain"),
    ("Z, Y, X", "the axial, coronal, sagittal slice alone"),
    ("V", "the map on, off"),
    ("[, ]", "the layer below, above"),
    ("−, +", "opacity of the map down, up by 10 %"),
    ("Comma, Period", "the volume before, after"),
    (
        "Ctrl + Z, Ctrl + Shift + Z",
        "undo, redo a change of the view",
    ),
    ("Ctrl + O", "open a study folder"),
    ("W, P, I, F", "white, pial, inflated surface, flat map"),
    (
        "1 to 6",
        "surface from left, right, top, bottom, front, back",
    ),
    ("R, B", "radiological, region borders"),
    ("?, Esc", "show, hide this help"),
];

/// The help over the window, when it is open.
pub fn ui(egui: &Context, ctx: &Ctx<'_>) {
    if !ctx.help_open.get() {
        return;
    }
    let mut open = true;
    egui::Window::new("Help: mouse and keys")
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .collapsible(false)
        .resizable(false)
        .open(&mut open)
        .show(egui, |ui| {
            ui.horizontal_top(|ui| {
                let mouse = ctx.layout.mouse;
                let on_slices = mouse.words().into_iter();
                let on_slices = on_slices.map(|(gesture, does)| (format!("Slices: {gesture}"), does));
                let own = |lines: &[(&str, &'static str)]| -> Vec<(String, &'static str)> {
                    lines.iter().map(|(what, does)| ((*what).to_owned(), *does)).collect()
                };
                let mouse_lines: Vec<_> = on_slices.chain(own(&MOUSE)).collect();
                let title = format!("Mouse, as in {} (menu View)", mouse.name());
                for (title, lines) in [(title.as_str(), mouse_lines), ("Keys", own(&KEYS))] {
                    ui.vertical(|ui| {
                        ui.heading(title);
                        egui::Grid::new(title).num_columns(2).spacing(vec2(18.0, 4.0)).show(ui, |ui| {
                            for (what, does) in lines {
                                ui.strong(what);
                                ui.label(does);
                                ui.end_row();
                            }
                        });
                    });
                    ui.add_space(14.0);
                }
            });
            ui.separator();
            ui.label(weak(
                ctx,
                format!(
                    "Fusiform {}: a workbench for decoding the brain from fMRI. World coordinates are millimetres, \
                     right, anterior and superior positive. Drawn by: {}.",
                    env!("CARGO_PKG_VERSION"),
                    ctx.easel.borrow().driver()
                ),
            ));
        });
    if !open {
        ctx.help_open.set(false);
    }
}

/// Acts on the keys of the help, unless text is being typed.
pub fn keys(egui: &Context, ctx: &Ctx<'_>) {
    if egui.egui_wants_keyboard_input() {
        return;
    }
    let pressed = |key| egui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
    let with_ctrl =
        |extra: Modifiers, key| egui.input_mut(|i| i.consume_key(Modifiers::COMMAND | extra, key));
    if with_ctrl(Modifiers::SHIFT, Key::Z) || with_ctrl(Modifiers::NONE, Key::Y) {
        ctx.send(Command::Redo);
    } else if with_ctrl(Modifiers::NONE, Key::Z) {
        ctx.send(Command::Undo);
    }
    if with_ctrl(Modifiers::NONE, Key::O) {
        ctx.send(Command::AskFolder);
    }
    // Keyboards differ in whether `?` comes as a key, as text, or as both.
    let asked = egui.input(|i| {
        i.key_pressed(Key::Questionmark)
            || i.events
                .iter()
                .any(|e| matches!(e, egui::Event::Text(text) if text == "?"))
    });
    if asked {
        egui.request_repaint();
        ctx.help_open.set(!ctx.help_open.get());
    }
    if pressed(Key::Escape) {
        ctx.help_open.set(false);
    }
    for (key, morph) in [(Key::W, 0.0), (Key::P, 1.0), (Key::I, 2.0), (Key::F, 4.0)] {
        if pressed(key) {
            let cortex = ctx.layout.view.cortex;
            ctx.change(Change::Cortex(CortexLook { morph, ..cortex }));
        }
    }
    for (key, mode) in [
        (Key::T, SliceMode::Three),
        (Key::M, SliceMode::Mosaic),
        (Key::G, SliceMode::Glass),
        (Key::Z, SliceMode::Axial),
        (Key::Y, SliceMode::Coronal),
        (Key::X, SliceMode::Sagittal),
    ] {
        if pressed(key) {
            ctx.change(Change::Slices(mode));
        }
    }
    for (key, view) in [
        (Key::Num1, StandardView::Left),
        (Key::Num2, StandardView::Right),
        (Key::Num3, StandardView::Superior),
        (Key::Num4, StandardView::Inferior),
        (Key::Num5, StandardView::Anterior),
        (Key::Num6, StandardView::Posterior),
    ] {
        if pressed(key) {
            ctx.change(Change::Rotation(view.rotation().to_array()));
        }
    }
    if pressed(Key::R) {
        ctx.change(Change::Radiological(!ctx.layout.view.radiological));
    }
    if pressed(Key::B) {
        ctx.change(Change::SliceOutlines(!ctx.layout.view.slice_outlines));
    }
    map_keys(ctx, &pressed);
    let Some(at) = ctx.layout.view.crosshair() else {
        return;
    };
    for (key, towards) in [
        (Key::ArrowLeft, DVec3::NEG_X),
        (Key::ArrowRight, DVec3::X),
        (Key::ArrowUp, DVec3::Y),
        (Key::ArrowDown, DVec3::NEG_Y),
        (Key::PageUp, DVec3::Z),
        (Key::PageDown, DVec3::NEG_Z),
    ] {
        if pressed(key) {
            ctx.change(Change::Crosshair(at + towards * slices::step_mm(ctx)));
        }
    }
}

/// Keys for the maps over the anatomy and the volumes of the run.
fn map_keys(ctx: &Ctx<'_>, pressed: &impl Fn(Key) -> bool) {
    let view = &ctx.layout.view;
    if let Some((map, look)) = compose::map(ctx.session, view) {
        let layers = view.layers();
        if pressed(Key::V) {
            let shown = layers
                .iter()
                .any(|layer| layer.map == map.id && layer.visible);
            let layers = view.with_visible(map.id, !shown);
            ctx.change(Change::Layers(layers, Some(map.id)));
        }
        for (key, up) in [(Key::OpenBracket, false), (Key::CloseBracket, true)] {
            if pressed(key) {
                ctx.change(Change::Layers(layers.clone(), layers::neighbour(ctx, up)));
            }
        }
        let fainter = pressed(Key::Minus);
        let stronger = pressed(Key::Plus) || pressed(Key::Equals);
        if fainter || stronger {
            let step = if stronger {
                OPACITY_STEP
            } else {
                -OPACITY_STEP
            };
            let opacity = (look.opacity + step).clamp(0.0, 1.0);
            ctx.change(Change::Look(map.id, MapLook { opacity, ..look }));
        }
    }
    let n_times = ctx.session.run.as_ref().map_or(0, |run| run.series.n_times);
    if n_times > 0 {
        if pressed(Key::Comma) {
            ctx.change(Change::Frame(view.frame.saturating_sub(1)));
        }
        if pressed(Key::Period) {
            ctx.change(Change::Frame((view.frame + 1).min(n_times - 1)));
        }
    }
}
