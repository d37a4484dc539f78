//! The help over the window: mouse, keys, and what this program is.

use egui::{Align2, Context, RichText, Ui, vec2};

use super::{Ctx, keys, select, weak};
use crate::theme;

/// What the mouse does elsewhere than on slices, where its preset says.
const MOUSE: [(&str, &str); 9] = [
    ("Surface: drag, wheel", "turn, zoom"),
    ("Surface: Shift or middle + drag", "move"),
    ("Surface: click", "crosshair to that place in the cortex"),
    ("Slices: double right click", "black and white as they come"),
    ("Tables: click on a row", "crosshair to its peak"),
    (
        "Tables: click on a heading",
        "order by it; again: the other way",
    ),
    ("Time course: click", "mark that volume"),
    (
        "Time course: drag, Ctrl + wheel",
        "move, zoom; double click: all",
    ),
    (
        "Drop files or a folder",
        "add maps and regions, open studies",
    ),
];

/// Room for a key or a gesture, points.
const WHAT: f32 = 126.0;
/// The least room for a column, points.
const COLUMN: f32 = 330.0;

/// A heading with its lines.
type Section = (String, Vec<(String, &'static str)>);

/// The help over the window, when it is open: in as many columns as there is room for, scrolled where it is high.
pub fn ui(egui: &Context, ctx: &Ctx<'_>) {
    if !ctx.help_open.get() {
        return;
    }
    let screen = egui.content_rect();
    let width = (screen.width() - 60.0).min(3.0 * (COLUMN + 40.0));
    let n_columns = ((width / COLUMN) as usize).clamp(1, 3);
    let mut open = true;
    egui::Window::new("Help: mouse and keys")
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .collapsible(false)
        .resizable(false)
        .open(&mut open)
        .show(egui, |ui| {
            ui.set_width(width);
            let columns = laid_out(sections(ctx), n_columns);
            // A window makes no room for what scrolls unless it is asked for.
            let height = (screen.height() - 190.0).max(200.0);
            egui::ScrollArea::vertical()
                .max_height(height)
                .min_scrolled_height(height)
                .show(ui, |ui| {
                    ui.columns(n_columns, |uis| {
                        for (ui, sections) in uis.iter_mut().zip(&columns) {
                            for section in sections {
                                lines(ui, ctx, section);
                            }
                        }
                    });
                });
            ui.separator();
            let about = format!(
                "Fusiform {}: a workbench for decoding the brain from fMRI. World coordinates are millimetres; right, \
                 anterior and superior are positive. Drawn by: {}.",
                env!("CARGO_PKG_VERSION"),
                ctx.easel.borrow().driver()
            );
            ui.add(egui::Label::new(weak(ctx, about)).wrap());
        });
    if !open {
        ctx.help_open.set(false);
    }
}

fn sections(ctx: &Ctx<'_>) -> Vec<Section> {
    let own = |lines: &[(&str, &'static str)]| -> Vec<(String, &'static str)> {
        let lines = lines.iter();
        lines
            .map(|(what, does)| ((*what).to_owned(), *does))
            .collect()
    };
    let mouse = ctx.layout.mouse;
    vec![
        (
            format!("Mouse on slices, as in {} (menu View)", mouse.name()),
            mouse.words(),
        ),
        ("Mouse elsewhere".to_owned(), own(&MOUSE)),
        ("Keys: what is seen".to_owned(), own(&keys::VIEWS)),
        ("Keys: maps, time, files".to_owned(), own(&keys::OTHERS)),
        ("Keys: Select".to_owned(), own(&select::keys::KEYS)),
    ]
}

/// Sections in their order, in columns of about the same height.
fn laid_out(sections: Vec<Section>, n_columns: usize) -> Vec<Vec<Section>> {
    let height = |section: &Section| section.1.len() + 2;
    let total: usize = sections.iter().map(height).sum();
    let mut columns: Vec<Vec<Section>> = (0..n_columns).map(|_| Vec::new()).collect();
    let mut before = 0;
    for section in sections {
        // By where the middle of the section falls.
        let middle = before + height(&section) / 2;
        let at = (middle * n_columns / total.max(1)).min(n_columns - 1);
        before += height(&section);
        columns[at].push(section);
    }
    columns
}

fn lines(ui: &mut Ui, ctx: &Ctx<'_>, (title, lines): &Section) {
    ui.add_space(4.0);
    ui.label(
        RichText::new(title)
            .size(theme::BODY)
            .color(ctx.theme.accent),
    );
    for (what, does) in lines {
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 10.0;
            let room = vec2(WHAT, 0.0);
            ui.allocate_ui(room, |ui| {
                ui.set_width(WHAT);
                let what = RichText::new(what)
                    .size(theme::SMALL)
                    .color(ctx.theme.strong);
                ui.add(egui::Label::new(what).wrap());
            });
            let does = RichText::new(*does)
                .size(theme::SMALL)
                .color(ctx.theme.text);
            ui.add(egui::Label::new(does).wrap());
        });
    }
    ui.add_space(6.0);
}
