//! Keys of the Select panel. One table serves them, the help and the tooltips.

use egui::{Context, Key, Modifiers};

use super::contrast::field_ids;
use super::field::focus;
use crate::command::{Command, Select as Ask};
use crate::jobs::Kind;
use crate::layout::Pane;
use crate::panels::Ctx;
use crate::session::selected::Purpose;

/// For the help.
pub const KEYS: [(&str, &str); 6] = [
    (
        "S",
        "Select: name condition A; Enter goes on to B and to the map",
    ),
    ("E", "make the map"),
    ("N", "auto-pick the strongest features"),
    (
        "A, Shift + A",
        "what is at the crosshair into the basket, its cluster too",
    ),
    ("Ctrl + Enter", "train"),
    ("Tab, Enter", "from one control to the next, press it"),
];

/// Acts on keys that work while something is being typed, too.
pub fn always(egui: &Context, ctx: &Ctx<'_>) {
    let train = egui.input_mut(|i| i.consume_key(Modifiers::COMMAND, Key::Enter));
    if train && has_map(ctx) && !ctx.jobs.is_running(Kind::Score) {
        ctx.send(Command::Select(Ask::Score(Purpose::Basket, false)));
    }
}

/// Whether there is a map, or will be in a moment: what is pressed meanwhile is done then.
fn has_map(ctx: &Ctx<'_>) -> bool {
    let selected = &ctx.session.selected;
    selected.map.is_some() || ctx.jobs.is_running(Kind::Extract) || selected.awaits_map()
}

/// Acts on single letters. Nothing may be typed meanwhile.
pub fn letters(egui: &Context, ctx: &Ctx<'_>) {
    let pressed = |modifiers, key| egui.input_mut(|i| i.consume_key(modifiers, key));
    if pressed(Modifiers::NONE, Key::S) {
        ctx.send(Command::Reveal(Pane::Select));
        let [a, _] = field_ids();
        focus(egui, a);
    }
    let selected = &ctx.session.selected;
    if selected.offer.is_none() && !selected.awaits_map() {
        return;
    }
    let look = &ctx.layout.view.select;
    let named = look.every || !(look.a.is_empty() || look.b.is_empty());
    if named && pressed(Modifiers::NONE, Key::E) {
        ctx.send(Command::Select(Ask::Extract));
    }
    if has_map(ctx) && pressed(Modifiers::NONE, Key::N) {
        ctx.send(Command::Select(Ask::AutoPick));
    }
    if selected.map.is_none() {
        return;
    }
    let whole = pressed(Modifiers::SHIFT, Key::A);
    if (whole || pressed(Modifiers::NONE, Key::A))
        && let Some(at) = ctx.layout.view.crosshair()
    {
        ctx.send(Command::Select(Ask::Collect(at, whole)));
    }
}
