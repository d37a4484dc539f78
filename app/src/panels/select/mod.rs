//! Which features tell two conditions apart: contrast and features, map and basket, scores and history, from left to
//! right in the order in which they are used.

mod basket;
mod compare;
mod contrast;
mod extraction;
mod field;
mod folds;
mod histogram;
mod history;
pub mod keys;
mod map;
pub mod marks;
mod matrix;
mod ranked;
mod scores;
mod train;

use std::ops::ControlFlow;

use egui::{Rect, Response, RichText, Ui, UiBuilder, vec2};
use fusiform_pipelines::select::{FeatureKind, Statistic, Table};

use super::{Ctx, placeholder, weak};
use crate::command::{Change, Command, Select as Ask};
use crate::jobs::Kind;
use crate::layout::{SelectLook, tree_for_selecting};
use crate::theme::{self, GAP};

/// Narrower panels show one thing below the other.
const THREE_COLUMNS: f32 = 700.0;
/// Lower panels are offered more room, points.
const LOW: f32 = 420.0;

/// The panel's own state.
#[derive(Debug, Default)]
pub struct Select {
    contrast: contrast::Contrast,
    map: map::Picture,
    train: train::Train,
    compare: compare::Compare,
    shows_fixed: bool,
}

/// The settings as this frame leaves them.
struct Edit {
    look: SelectLook,
    /// Whether the change is part of a drag that began in an earlier frame.
    continues: bool,
}

impl Edit {
    /// Takes note of a widget that is dragged.
    fn dragged(&mut self, response: &Response) {
        self.continues |= response.dragged() && !response.drag_started();
    }

    /// Asks for what was changed.
    fn send(self, ctx: &Ctx<'_>) {
        if self.look != ctx.layout.view.select {
            let change = Change::Select(Box::new(self.look));
            ctx.drag(change, !self.continues);
        }
    }
}

impl Select {
    /// Draws the panel.
    pub fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let selected = &ctx.session.selected;
        let mut edit = Edit {
            look: ctx.layout.view.select.clone(),
            continues: false,
        };
        if selected.offer.is_none() {
            let waits = [Kind::Offer, Kind::Open];
            let may_ask = ctx.session.study.is_some() && !ctx.session.partial;
            if may_ask && selected.wants_offer() {
                ctx.send(Command::Select(Ask::Offer));
            }
            if may_ask && (selected.wants_offer() || ctx.jobs.is_running(Kind::Offer)) {
                let size = vec2(ui.available_width().min(300.0), 0.0);
                ui.allocate_ui(size, |ui| self.contrast.ui(ui, ctx, &mut edit));
                edit.send(ctx);
            }
            let idle = "No trials to tell apart: open a study with events or ready-made betas, and see the log for what was missing.";
            placeholder(ui, ctx, &waits, idle);
            return;
        }
        let area = ui.available_rect_before_wrap();
        make_room(ui, ctx, area);
        if area.width() < THREE_COLUMNS {
            egui::ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| {
                    for column in 0..3 {
                        self.column(column, ui, ctx, &mut edit);
                        ui.add_space(2.0 * GAP);
                    }
                });
        } else {
            let between = 2.0 * GAP + 1.0;
            let shares = [0.30, 0.34, 0.36];
            let room = area.width() - 2.0 * between;
            let mut left = area.left();
            for (column, share) in shares.into_iter().enumerate() {
                let size = vec2(room * share, area.height());
                let rect = Rect::from_min_size(egui::pos2(left, area.top()), size);
                if column > 0 {
                    let x = left - between / 2.0;
                    let line = egui::Stroke::new(1.0, ctx.theme.line);
                    ui.painter().vline(x, area.y_range(), line);
                }
                left += size.x + between;
                let part = UiBuilder::new().max_rect(rect).id_salt(("column", column));
                ui.scope_builder(part, |ui| {
                    egui::ScrollArea::vertical()
                        .id_salt(("column", column))
                        .auto_shrink(false)
                        .show(ui, |ui| self.column(column, ui, ctx, &mut edit));
                });
            }
        }
        edit.send(ctx);
    }

    fn column(&mut self, column: usize, ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
        ui.set_max_width(ui.available_width() - 4.0);
        match column {
            0 => {
                self.contrast.ui(ui, ctx, edit);
                extraction::ui(ui, ctx, edit);
            }
            1 => {
                self.map.ui(ui, ctx, edit);
                basket::ui(ui, ctx, edit);
                map::strongest(ui, ctx);
            }
            _ => {
                self.train.ui(ui, ctx, edit);
                scores::ui(ui, ctx, &mut self.shows_fixed);
                self.compare.ui(ui, ctx);
                history::ui(ui, ctx);
            }
        }
    }
}

/// Lower panels hide most of their parts: a button at the top right gives them the whole width.
fn make_room(ui: &mut Ui, ctx: &Ctx<'_>, area: Rect) {
    if area.width() < THREE_COLUMNS || area.height() > LOW {
        return;
    }
    let size = vec2(88.0, 20.0);
    let rect = Rect::from_min_size(egui::pos2(area.right() - size.x - 8.0, area.top()), size);
    let part = UiBuilder::new().max_rect(rect).id_salt("make room");
    ui.scope_builder(part, |ui| {
        let button = egui::Button::new("Make room").small();
        if ui
            .add(button)
            .on_hover_text(
                "This panel over the whole width below slices and surface; the others go behind it. “Reset panel arrangement” in the menu View brings them back.",
            )
            .clicked()
        {
            ctx.send(Command::Arrange(Box::new(tree_for_selecting())));
        }
    });
}

/// The heading of a part.
fn heading(ui: &mut Ui, text: &str, hint: &str) {
    ui.add_space(2.0);
    ui.label(RichText::new(text).size(theme::BODY).strong())
        .on_hover_text(hint);
}

/// A combo box of values with names; each with a hint, and a reason why it cannot be chosen.
fn choose<T: PartialEq + Clone>(
    ui: &mut Ui,
    (id, name): (&str, &str),
    now: &mut T,
    values: &[(T, String, &str)],
    refused: impl Fn(&T) -> Option<String>,
) -> Response {
    let text = values.iter().find(|v| v.0 == *now);
    let text = text.map_or_else(String::new, |v| v.1.clone());
    let width = ui.available_width().clamp(60.0, 230.0) - 4.0;
    let combo = egui::ComboBox::from_id_salt(id)
        .selected_text(text)
        .width(width)
        .truncate()
        .show_ui(ui, |ui| {
            for (value, name, hint) in values {
                let reason = refused(value);
                let button = egui::Button::selectable(value == now, name);
                let button = ui
                    .add_enabled(reason.is_none(), button)
                    .on_hover_text(*hint)
                    .on_disabled_hover_text(reason.unwrap_or_default());
                if button.clicked() {
                    *now = value.clone();
                }
            }
        });
    combo.response.accessible_name(name.to_owned())
}

/// A row of a form: its name on the left.
fn row<T>(ui: &mut Ui, ctx: &Ctx<'_>, name: &str, add: impl FnOnce(&mut Ui) -> T) -> T {
    ui.horizontal(|ui| {
        let size = vec2(74.0, ui.spacing().interact_size.y);
        let left = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(size, left, |ui| {
            ui.set_min_size(size);
            ui.label(weak(ctx, name));
        });
        add(ui)
    })
    .inner
}

/// The work of a kind under way, with its progress and a button that stops it. Nothing when there is none.
fn under_way(ui: &mut Ui, ctx: &Ctx<'_>, kind: Kind) -> ControlFlow<()> {
    let Some(job) = ctx.jobs.get(kind) else {
        return ControlFlow::Continue(());
    };
    ui.horizontal(|ui| {
        if ui
            .small_button("Cancel")
            .on_hover_text(format!("Stop: {}", job.name))
            .clicked()
        {
            ctx.send(Command::Cancel(kind));
        }
        let (done, total) = job.progress;
        if total > 0 {
            let bar = egui::ProgressBar::new(done as f32 / total as f32)
                .desired_width((ui.available_width() - 8.0).clamp(30.0, 110.0))
                .desired_height(10.0)
                .fill(ctx.theme.accent);
            ui.add(bar);
        } else {
            ui.add(egui::Spinner::new().size(14.0).color(ctx.theme.accent));
        }
    });
    let words = if job.stage.is_empty() {
        &job.name
    } else {
        &job.stage
    };
    ui.add(egui::Label::new(weak(ctx, super::capitalised(words))).truncate());
    ControlFlow::Break(())
}

/// A whole number in groups of three.
fn grouped(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out
}

/// The name of a statistic in letters that the window's font has.
fn statistic_name(statistic: Statistic) -> String {
    statistic.name().replace('′', "'")
}

/// A kind of features in the plural, for readers.
fn plural(kind: &FeatureKind) -> &'static str {
    match kind {
        FeatureKind::Voxels => "voxels",
        FeatureKind::Vertices => "vertices",
        FeatureKind::RoiMeans => "region means",
        FeatureKind::RoiPatterns { .. } => "region patterns",
        FeatureKind::FcEdges(_) => "connections",
        FeatureKind::FcNodeStrengths(_) => "node strengths",
        FeatureKind::BandPower => "band powers",
        FeatureKind::Mixed(_) => "mixed features",
    }
}

/// A feature and the region it lies in, for readers.
fn feature_name(table: &Table, column: usize) -> String {
    let Some(found) = table.columns.get(column) else {
        return String::new();
    };
    let name = found.feature.to_string();
    match found.region.and_then(|r| table.regions.get(r)) {
        Some(region) if !name.starts_with(region.as_str()) => format!("{name} · {region}"),
        _ => name,
    }
}
