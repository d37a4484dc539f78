//! Paths that come by hand: typed into a field, or dropped on the window.

use std::path::PathBuf;

use egui::{Align2, Context, Stroke, vec2};

use super::Ctx;
use crate::command::Command;
use crate::theme;

/// Files that are named while they are held over the window; the others are counted.
const NAMED: usize = 8;

/// The field where a path can be typed, for desktops without a file dialog.
#[derive(Debug, Default)]
pub struct PathField {
    text: String,
    shown: bool,
}

impl PathField {
    /// Draws it when it is wanted.
    pub fn ui(&mut self, egui: &Context, ctx: &Ctx<'_>) {
        let appears = ctx.session.wants_path && !self.shown;
        self.shown = ctx.session.wants_path;
        if !self.shown {
            return;
        }
        egui::Window::new("Open a path")
            .anchor(Align2::CENTER_CENTER, vec2(0.0, -60.0))
            .collapsible(false)
            .resizable(false)
            .show(egui, |ui| {
                ui.set_width(480.0);
                ui.label("A study folder, a study.toml, a saved view, or a file:");
                let field = egui::TextEdit::singleline(&mut self.text)
                    .desired_width(460.0)
                    .hint_text("/data/my-study");
                let field = ui.add(field).accessible_name("Path");
                if appears {
                    field.request_focus();
                }
                let path = PathBuf::from(self.text.trim());
                let typed = !self.text.trim().is_empty();
                let entered = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
                ui.horizontal(|ui| {
                    let open = ui
                        .add_enabled(typed, egui::Button::new("Open"))
                        .on_disabled_hover_text("Type a path first.");
                    if open.clicked() || (entered && typed) {
                        ctx.send(Command::Open(vec![path.clone()]));
                        ctx.send(Command::TypePath(false));
                    }
                    let there = ctx.session.study.is_some();
                    let add = ui
                        .add_enabled(typed && there, egui::Button::new("Add"))
                        .on_hover_text("As a map, regions or a surface over what is open.")
                        .on_disabled_hover_text("Type a path; a study must be open.");
                    if add.clicked() {
                        ctx.send(Command::Add(vec![path]));
                        ctx.send(Command::TypePath(false));
                    }
                    let escaped = ui.input(|i| i.key_pressed(egui::Key::Escape));
                    if ui.button("Close").clicked() || escaped {
                        ctx.send(Command::TypePath(false));
                    }
                });
            });
    }
}

/// Says that files held over the window can be dropped, and adds or opens those that are.
pub fn dropped(egui: &Context, ctx: &Ctx<'_>) {
    let (hovered, dropped) = egui.input(|i| {
        let hovered: Vec<String> = i
            .raw
            .hovered_files
            .iter()
            .filter_map(|f| Some(f.path.as_ref()?.file_name()?.to_string_lossy().into_owned()))
            .collect();
        let dropped: Vec<PathBuf> = i
            .raw
            .dropped_files
            .iter()
            .map(|f| f.path().to_path_buf())
            .collect();
        (hovered, dropped)
    });
    if !dropped.is_empty() {
        ctx.send(Command::Add(dropped));
    }
    if hovered.is_empty() {
        return;
    }
    let painter = egui.layer_painter(egui::LayerId::new(
        egui::Order::Foreground,
        egui::Id::unique("drop"),
    ));
    let screen = egui.content_rect();
    painter.rect_filled(screen, 0.0, ctx.theme.veil());
    painter.rect_stroke(
        screen.shrink(16.0),
        8.0,
        Stroke::new(2.0, ctx.theme.accent),
        egui::StrokeKind::Inside,
    );
    let does = if ctx.session.study.is_some() {
        "Drop to add, or to open if it is a study:"
    } else {
        "Drop to open:"
    };
    let mut words = format!("{does}\n{}", hovered[..hovered.len().min(NAMED)].join("\n"));
    if hovered.len() > NAMED {
        words.push_str(&format!("\nand {} more", hovered.len() - NAMED));
    }
    let font = egui::FontId::new(theme::NUMBER, egui::FontFamily::Proportional);
    let room = (screen.width() - 80.0).max(100.0);
    let galley = painter.layout(words, font, ctx.theme.on_canvas(), room);
    let at = Align2::CENTER_CENTER.anchor_size(screen.center(), galley.size());
    painter.galley(at.min, galley, ctx.theme.on_canvas());
}
