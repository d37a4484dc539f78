//! The map: which statistic, how much of it, how its numbers are spread, and the features that have no place on slices.

use egui::{RichText, Ui};
use fusiform_pipelines::select::Statistic;

use super::{Edit, choose, grouped, heading, histogram, matrix, plural, ranked, statistic_name};
use crate::command::Change;
use crate::jobs::Kind;
use crate::layout::Shown;
use crate::panels::{Ctx, short, weak};
use crate::session::MapId;
use crate::session::selected::{MapNow, Seen, seen};
use crate::theme;

/// What is drawn once and shown until the map is another.
#[derive(Debug, Default)]
pub(super) struct Picture {
    matrix: matrix::Picture,
    histogram: histogram::Picture,
}

impl Picture {
    pub(super) fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
        heading(
            ui,
            "Map",
            "How well each feature by itself tells the classes apart, over the ticked runs.",
        );
        ui.horizontal(|ui| {
            statistic(ui, ctx, edit);
            on_brain(ui, ctx);
        });
        let selected = &ctx.session.selected;
        if let Some(problem) = &selected.problem {
            let words = RichText::new(problem)
                .size(theme::SMALL)
                .color(ctx.theme.warn);
            ui.add(egui::Label::new(words).wrap());
            return;
        }
        let (Some(extracted), Some(now)) = (&selected.extracted, &selected.map) else {
            let words = if ctx.jobs.is_running(Kind::Extract) {
                "The map is being made."
            } else {
                "No map yet. Name two conditions on the left and press Enter."
            };
            ui.label(weak(ctx, words));
            return;
        };
        rule(ui, edit);
        said(ui, ctx, now, plural(&extracted.table.kind));
        self.histogram.ui(ui, ctx, now);
        match seen(&extracted.table.kind) {
            Seen::Matrix => self.matrix.ui(ui, ctx, &extracted.table, now),
            Seen::List => ranked::ui(ui, ctx, &extracted.table, now),
            Seen::Volume | Seen::Sheet => {}
        }
    }
}

/// What is seen on the brain or in the matrix as a list, for those who want names.
pub(super) fn strongest(ui: &mut Ui, ctx: &Ctx<'_>) {
    let selected = &ctx.session.selected;
    let (Some(extracted), Some(now)) = (&selected.extracted, &selected.map) else {
        return;
    };
    if seen(&extracted.table.kind) != Seen::List {
        ui.add_space(4.0);
        ranked::ui(ui, ctx, &extracted.table, now);
    }
}

fn statistic(ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
    let values = [
        (
            Statistic::R2,
            "The share of the variance that lies between the classes (η²; for two classes the squared point-biserial correlation).",
        ),
        (
            Statistic::SignedR2,
            "That, negative where B has more than A.",
        ),
        (Statistic::T, "Welch's t, A minus B."),
        (
            Statistic::DPrime,
            "Difference of the means over the root of the mean variance.",
        ),
        (
            Statistic::Auc,
            "How often a trial of A has more than one of B of the same run; ½ is nothing.",
        ),
        (
            Statistic::MutualInformation,
            "What the quarter of its run in which a trial lies tells of its class, in bits: differences of spread and shape count too. Chance gives more than 0; the yellow line shows how much.",
        ),
    ]
    .map(|(statistic, hint)| (statistic, statistic_name(statistic), hint));
    let n_classes = ctx
        .session
        .selected
        .extracted
        .as_ref()
        .map_or(2, |e| e.table.classes.len());
    ui.scope(|ui| {
        ui.set_max_width(150.0);
        let name = ("statistic", "Statistic");
        choose(ui, name, &mut edit.look.statistic, &values, |statistic| {
            (statistic.needs_two() && n_classes != 2)
                .then(|| format!("It compares two classes, and there are {n_classes}."))
        });
    });
}

/// Brings the map back over the anatomy when another one lies there.
fn on_brain(ui: &mut Ui, ctx: &Ctx<'_>) {
    let layers = ctx.layout.view.layers();
    let there = ctx.session.map(MapId::Select).is_some();
    let shown = layers
        .iter()
        .any(|layer| layer.map == MapId::Select && layer.visible);
    if there && !shown {
        let button = ui
            .small_button("Show on the brain")
            .on_hover_text("Lays the map over the anatomy, on top of the other maps.");
        if button.clicked() {
            let mut view = ctx.layout.view.clone();
            view.put_on_top(MapId::Select);
            ctx.change(Change::Layers(view.layers(), Some(MapId::Select)));
        }
    }
}

/// How much of the map is shown.
fn rule(ui: &mut Ui, edit: &mut Edit) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let (mut q, mut n) = match edit.look.shown {
            Shown::Q(q) => (q, 200),
            Shown::Strongest(n) => (0.05, n),
            Shown::All => (0.05, 200),
        };
        let by_q = matches!(edit.look.shown, Shown::Q(_));
        let by_n = matches!(edit.look.shown, Shown::Strongest(_));
        let hint = "Features with a false discovery rate (Benjamini & Hochberg) of at most so much are shown.";
        if ui.selectable_label(by_q, "q ≤").on_hover_text(hint).clicked() {
            edit.look.shown = Shown::Q(q);
        }
        if by_q {
            let drag = egui::DragValue::new(&mut q)
                .range(0.0..=1.0)
                .speed(0.001)
                .max_decimals(4);
            let drag = ui.add(drag).accessible_name("q at most").on_hover_text(hint);
            if drag.changed() {
                edit.look.shown = Shown::Q(q);
            }
            edit.dragged(&drag);
        }
        let hint = "So many features, the strongest, are shown.";
        if ui.selectable_label(by_n, "strongest").on_hover_text(hint).clicked() {
            edit.look.shown = Shown::Strongest(n);
        }
        if by_n {
            let drag = egui::DragValue::new(&mut n).range(1..=1_000_000);
            let drag = ui.add(drag).accessible_name("Features shown").on_hover_text(hint);
            if drag.changed() {
                edit.look.shown = Shown::Strongest(n);
            }
            edit.dragged(&drag);
        }
        let all = edit.look.shown == Shown::All;
        if ui
            .selectable_label(all, "all")
            .on_hover_text("Every feature that has a value is shown.")
            .clicked()
        {
            edit.look.shown = Shown::All;
        }
    });
}

/// How many features are shown, in a sentence.
fn said(ui: &mut Ui, ctx: &Ctx<'_>, now: &MapNow, what: &str) {
    let n = grouped(now.order.len());
    let shown = grouped(now.n_shown);
    let words = match (ctx.layout.view.select.shown, now.n_shown) {
        (Shown::Q(q), 0) => {
            let least = now.smallest_q().unwrap_or(1.0);
            format!(
                "None of {n} {what} at q ≤ {q}; the smallest q is {}",
                short(least)
            )
        }
        (Shown::Q(q), _) => format!("{shown} of {n} {what} at q ≤ {q}"),
        (Shown::Strongest(_), _) => format!("The {shown} strongest of {n} {what}"),
        (Shown::All, _) => format!("All {n} {what}"),
    };
    let per_class: Vec<String> = now.map.n.iter().map(ToString::to_string).collect();
    ui.add(egui::Label::new(weak(ctx, words)).wrap())
        .on_hover_text(format!(
            "From {} rows (classes: {}) of {} runs.",
            now.map.n.iter().sum::<usize>(),
            per_class.join(", "),
            now.map.runs.len()
        ));
}
