//! Every attempt, newest first. A click brings one back.

use egui::{Align2, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fusiform_pipelines::select::history::Attempt;

use super::heading;
use super::scores::p_text;
use crate::command::{Command, Select as Ask};
use crate::panels::{Ctx, weak};
use crate::theme;

/// Height of a row, points.
const ROW: f32 = 19.0;

pub(super) fn ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    heading(
        ui,
        "History",
        "Every attempt on this study; nothing is ever taken out. Click one: its contrast, features, basket, classifier and view come back.",
    );
    let Some(history) = &ctx.session.selected.history else {
        return;
    };
    if history.attempts.is_empty() {
        ui.label(weak(ctx, "No attempt yet."));
        return;
    }
    ui.horizontal(|ui| {
        if ui
            .small_button("Export…")
            .on_hover_text("As .csv, .tsv or .json, by the ending of the name.")
            .clicked()
        {
            ctx.send(Command::AskAttempts);
        }
        if ui
            .small_button("Copy")
            .on_hover_text("The table as tab-separated text, for a spreadsheet.")
            .clicked()
        {
            let table = history.table();
            let lines = std::iter::once(&table.columns).chain(&table.rows);
            let text: Vec<String> = lines.map(|cells| cells.join("\t")).collect();
            ui.ctx().copy_text(text.join("\n"));
        }
        for damaged in history.damaged.iter().take(1) {
            ui.label(weak(ctx, "some lines cannot be read"))
                .on_hover_text(damaged);
        }
    });
    let columns = Columns::of(ui.available_width());
    let head = ["", "classes", "by", "fixed", "re-picked", "p"].map(str::to_owned);
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    columns.draw(ui, rect, &head, [ctx.theme.weak; 6]);
    ui.spacing_mut().item_spacing.y = 0.0;
    // The column scrolls as a whole, so that a row reached by the keyboard comes into sight.
    for attempt in history.attempts.iter().rev() {
        row(ui, ctx, attempt, &columns);
    }
    ui.reset_style();
}

fn row(ui: &mut Ui, ctx: &Ctx<'_>, attempt: &Attempt, columns: &Columns) {
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let outcome = &attempt.outcome;
    let shown = ctx
        .session
        .selected
        .scored
        .as_ref()
        .is_some_and(|s| s.number == attempt.id);
    let classes = outcome.classes.join(" / ");
    let words = format!(
        "Attempt {}: {classes}, {}, fixed {:.3}, re-picked {:.3}",
        attempt.id,
        attempt.recipe.kind.word(),
        outcome.fixed.accuracy,
        outcome.repicked.accuracy
    );
    response.widget_info(|| WidgetInfo::selected(Role::Button, true, shown, &words));
    if shown {
        ui.painter().rect_filled(rect, 2.0, ctx.theme.selected);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 2.0, ctx.theme.raised);
    }
    let fixed = if outcome.optimistic.is_some() {
        ctx.theme.badge
    } else {
        ctx.theme.text
    };
    let cells = [
        attempt.id.to_string(),
        classes,
        format!(
            "{} {}",
            outcome.basket.features.len(),
            attempt.recipe.kind.word()
        ),
        format!("{:.3}", outcome.fixed.accuracy),
        format!("{:.3}", outcome.repicked.accuracy),
        outcome.repicked.p.map_or_else(|| "–".into(), p_text),
    ];
    let text = ctx.theme.text;
    columns.draw(
        ui,
        rect,
        &cells,
        [ctx.theme.weak, text, text, fixed, ctx.theme.strong, text],
    );
    if response.clicked() {
        ctx.send(Command::Select(Ask::Restore(attempt.id)));
    }
    let mut more = format!(
        "{words}\n{}, {} rows, {}\n{}, {:.1} s, version {}",
        attempt.recipe.plan.model.name(),
        outcome.n_rows,
        outcome.split,
        attempt.time,
        attempt.seconds,
        attempt.version
    );
    if let Some(why) = &outcome.optimistic {
        more.push_str(&format!("\nfixed score {why}"));
    }
    if let Some(parent) = attempt.parent {
        more.push_str(&format!("\ngone on from attempt {parent}"));
    }
    if !attempt.note.is_empty() {
        more.push_str(&format!("\n{}", attempt.note));
    }
    response.on_hover_text(more);
}

/// Where the columns end (numbers) or begin (words), from the left.
struct Columns {
    places: [f32; 6],
}

impl Columns {
    fn of(width: f32) -> Self {
        let p = width - 4.0;
        let repicked = p - 44.0;
        let fixed = repicked - 62.0;
        let by = (fixed - 112.0).max(70.0);
        Self {
            places: [20.0, 28.0, by, fixed, repicked, p],
        }
    }

    fn draw(&self, ui: &Ui, rect: egui::Rect, cells: &[String; 6], inks: [egui::Color32; 6]) {
        let font = theme::small_font();
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        for (n, text) in cells.iter().enumerate() {
            let at = pos2(rect.left() + self.places[n], rect.center().y);
            if n == 1 || n == 2 {
                let end = if n == 1 {
                    self.places[2]
                } else {
                    self.places[3] - 38.0
                };
                let room = (end - self.places[n] - 6.0).max(10.0);
                let mut job =
                    egui::text::LayoutJob::simple(text.clone(), font.clone(), inks[n], room);
                job.wrap.max_rows = 1;
                job.wrap.break_anywhere = true;
                let galley = painter.layout_job(job);
                let top = at - vec2(0.0, galley.size().y / 2.0);
                painter.galley(top, galley, inks[n]);
            } else {
                painter.text(at, Align2::RIGHT_CENTER, text, font.clone(), inks[n]);
            }
        }
    }
}
