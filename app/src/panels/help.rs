//! Keys and mouse, and what this program is.

use egui::{Align2, Context, Key, Modifiers, vec2};
use fusiform_render::camera::StandardView;
use glam::DVec3;

use super::{Ctx, slices, weak};
use crate::command::{Change, Command};
use crate::layout::{CortexLook, SliceMode};

const MOUSE: [(&str, &str); 9] = [
    ("Slices: click or drag", "move the crosshair"),
    ("Slices: wheel", "one slice on or back"),
    ("Slices: Ctrl + wheel", "magnify about the pointer"),
    ("Slices: middle or Alt + drag", "move the picture"),
    ("Surface: drag, wheel", "turn, zoom"),
    ("Surface: click", "crosshair to that place in the cortex"),
    ("Time course: click", "mark that volume"),
    (
        "Time course: drag, Ctrl + wheel",
        "move, zoom; double click shows all",
    ),
    ("Drop files or a folder", "open them"),
];

const KEYS: [(&str, &str); 9] = [
    ("Left, Right / Up, Down", "crosshair along x / y, one voxel"),
    ("Page Up, Page Down", "crosshair along z, one voxel"),
    (
        "Ctrl + Z, Ctrl + Shift + Z",
        "undo, redo a change of the view",
    ),
    ("Ctrl + O", "open a study folder"),
    ("W, P, I, F", "white, pial, inflated surface, flat map"),
    ("T, M, G", "three slices, mosaic, glass brain"),
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
                for (title, lines) in [("Mouse", &MOUSE[..]), ("Keys", &KEYS[..])] {
                    ui.vertical(|ui| {
                        ui.heading(title);
                        egui::Grid::new(title).num_columns(2).spacing(vec2(18.0, 5.0)).show(ui, |ui| {
                            for (what, does) in lines {
                                ui.strong(*what);
                                ui.label(*does);
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
