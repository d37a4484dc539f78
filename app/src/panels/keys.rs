//! What keys do. One table serves the help and the menus.

use egui::{Context, Key, Modifiers};
use fusiform_render::camera::StandardView;
use glam::DVec3;

use super::{Ctx, layers, select, slices};
use crate::command::{Change, Command};
use crate::compose;
use crate::jobs::Kind;
use crate::layout::{CortexLook, Halves, MapLook, Pane, RegionChange, SliceMode, View};
use crate::session::Saved;

/// By how much a key changes the opacity of a map.
const OPACITY_STEP: f32 = 0.1;

/// With Ctrl: the panels, in the order of [`Pane::ALL`].
const PANE_KEYS: [Key; 10] = [
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
    Key::Num0,
];

/// Keys and what they do, for the help: of views, and of everything else.
pub const VIEWS: [(&str, &str); 14] = [
    ("Left, Right", "crosshair along x by one voxel"),
    ("Up, Down", "crosshair along y by one voxel"),
    ("Page Up, Page Down", "crosshair along z by one voxel"),
    ("T, M, G", "three slices, mosaic, glass brain"),
    ("Z, Y, X", "the axial, coronal, sagittal slice alone"),
    ("R", "radiological: right on the left"),
    ("W, P, I, F", "white, pial, inflated surface, flat map"),
    (
        "1 to 6",
        "cortex from left, right, top, bottom, front, back",
    ),
    ("H", "left, right, both hemispheres"),
    ("B, K", "borders, names of regions"),
    ("L", "lasso on the picture under the pointer"),
    ("0", "slices and cortex whole, in the middle"),
    ("Ctrl + Z", "undo a change of the view or of regions"),
    ("Ctrl + Shift + Z", "redo it"),
];

/// The others.
pub const OTHERS: [(&str, &str); 11] = [
    ("V", "the map on, off"),
    ("[, ]", "the layer below, above"),
    ("−, +", "opacity of the map down, up by 10 %"),
    ("O", "map smooth between voxels, or in blocks"),
    ("Comma, Period", "the volume before, after"),
    ("Space", "play, pause, where the time course is seen"),
    ("D", "decode"),
    ("Ctrl + O, + Shift", "open a study folder, files"),
    (
        "Ctrl + S, + Shift",
        "save the view, a picture of the slices",
    ),
    (
        "Ctrl + 1 to 9, 0",
        "a panel to the front, as in the menu View",
    ),
    ("?, Esc", "show, hide this help"),
];

/// The key that brings a panel to the front, for the menu.
pub fn of_pane(pane: Pane) -> String {
    let place = Pane::ALL.iter().position(|p| *p == pane).unwrap_or(0);
    format!("Ctrl+{}", (place + 1) % 10)
}

/// Acts on the keys of the help, unless text is being typed.
pub fn act(egui: &Context, ctx: &Ctx<'_>) {
    select::keys::always(egui, ctx);
    if egui.egui_wants_keyboard_input() {
        return;
    }
    select::keys::letters(egui, ctx);
    let pressed = |key| egui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
    with_ctrl(egui, ctx);
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
    if pressed(Key::D) && ctx.session.study.is_some() && !ctx.jobs.is_running(Kind::Decode) {
        ctx.send(Command::Reveal(Pane::Trials));
        ctx.send(Command::Decode);
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
    view_keys(ctx, &pressed);
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

/// Keys with Ctrl (Cmd): files, undo, panels.
fn with_ctrl(egui: &Context, ctx: &Ctx<'_>) {
    let pressed =
        |extra: Modifiers, key| egui.input_mut(|i| i.consume_key(Modifiers::COMMAND | extra, key));
    if pressed(Modifiers::SHIFT, Key::Z) || pressed(Modifiers::NONE, Key::Y) {
        ctx.send(Command::Redo);
    } else if pressed(Modifiers::NONE, Key::Z) {
        ctx.send(Command::Undo);
    }
    if pressed(Modifiers::SHIFT, Key::O) {
        ctx.send(Command::AskFiles);
    } else if pressed(Modifiers::NONE, Key::O) {
        ctx.send(Command::AskFolder);
    }
    if ctx.session.study.is_some() {
        if pressed(Modifiers::SHIFT, Key::S) {
            ctx.send(Command::AskSave(Saved::Picture(Pane::Slices)));
        } else if pressed(Modifiers::NONE, Key::S) {
            ctx.send(Command::AskSave(Saved::View(Pane::Slices)));
        }
    }
    for (key, pane) in PANE_KEYS.into_iter().zip(Pane::ALL) {
        if pressed(Modifiers::NONE, key) {
            ctx.send(Command::Reveal(pane));
        }
    }
}

/// Keys for what lies over the anatomy and how it is laid out.
fn view_keys(ctx: &Ctx<'_>, pressed: &impl Fn(Key) -> bool) {
    let view = &ctx.layout.view;
    if pressed(Key::B) {
        // Both at once, as one step of undo: where one is off, both come on.
        let on = !(view.slice_outlines && view.surface_outlines);
        ctx.change(Change::Whole(Box::new(View {
            slice_outlines: on,
            surface_outlines: on,
            ..view.clone()
        })));
    }
    if pressed(Key::K) {
        let names = RegionChange::Names(!view.regions.names);
        ctx.change(Change::Regions(names));
    }
    if pressed(Key::O) {
        ctx.change(Change::SmoothMap(!view.smooth_map));
    }
    if pressed(Key::H) {
        let halves = match view.cortex.halves {
            Halves::Both => Halves::Left,
            Halves::Left => Halves::Right,
            Halves::Right => Halves::Both,
        };
        let cortex = view.cortex;
        ctx.change(Change::Cortex(CortexLook { halves, ..cortex }));
    }
    if pressed(Key::Num0) {
        ctx.change(Change::Whole(Box::new(View {
            zoom: 1.0,
            centre_mm: None,
            surface_shift_mm: [0.0; 2],
            surface_zoom: 1.0,
            ..view.clone()
        })));
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
