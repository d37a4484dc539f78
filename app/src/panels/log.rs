//! What happened, line by line.

use egui::{Ui, text::LayoutJob};
use log::{Level, LevelFilter};

use super::{Ctx, toolbar};
use crate::log::Line;

const LEVELS: [(LevelFilter, &str); 4] = [
    (LevelFilter::Error, "Errors"),
    (LevelFilter::Warn, "Warnings"),
    (LevelFilter::Info, "Info"),
    (LevelFilter::Debug, "Everything"),
];

/// From which gravity on lines are shown.
#[derive(Debug)]
pub struct LogPanel {
    level: LevelFilter,
    // The lines as of a count of lines and a level: the log is not copied in each frame.
    lines: Vec<Line>,
    as_of: Option<(u64, LevelFilter)>,
}

impl Default for LogPanel {
    fn default() -> Self {
        Self {
            level: LevelFilter::Info,
            lines: Vec::new(),
            as_of: None,
        }
    }
}

impl LogPanel {
    /// Draws the panel.
    pub fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let now = Some((ctx.log.written(), self.level));
        if self.as_of != now {
            self.lines = ctx.log.lines(self.level);
            self.as_of = now;
        }
        toolbar::row(ui, |ui| {
            for (level, name) in LEVELS {
                ui.selectable_value(&mut self.level, level, name);
            }
            let copy = ui
                .add_enabled(!self.lines.is_empty(), egui::Button::new("Copy"))
                .on_hover_text("Copy the lines shown, for a report.")
                .on_disabled_hover_text("There is nothing to copy.");
            if copy.clicked() {
                let text: Vec<String> = self
                    .lines
                    .iter()
                    .map(|l| format!("{} {}: {}", l.level, l.target, l.text))
                    .collect();
                ui.ctx().copy_text(text.join("\n"));
            }
        });
        egui::ScrollArea::vertical()
            .auto_shrink(false)
            .stick_to_bottom(true)
            .show(ui, |ui| {
                for line in &self.lines {
                    ui.add(
                        egui::Label::new(layout(ui, ctx, line))
                            .wrap()
                            .selectable(true),
                    );
                }
            });
    }
}

fn layout(ui: &Ui, ctx: &Ctx<'_>, line: &Line) -> LayoutJob {
    let colour = match line.level {
        Level::Error => ctx.theme.bad,
        Level::Warn => ctx.theme.warn,
        Level::Info => ctx.theme.text,
        Level::Debug | Level::Trace => ctx.theme.weak,
    };
    let font_id = egui::TextStyle::Monospace.resolve(ui.style());
    let format = |color| egui::TextFormat {
        font_id: font_id.clone(),
        color,
        ..Default::default()
    };
    let mut job = LayoutJob::default();
    job.append(
        &format!("{:<5} ", line.level.as_str().to_lowercase()),
        0.0,
        format(colour),
    );
    job.append(&line.text, 0.0, format(ctx.theme.text));
    job
}
