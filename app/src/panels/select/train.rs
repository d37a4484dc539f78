//! How the basket is scored, and the button that does it.

use std::sync::Arc;

use egui::{RichText, Ui};
use fusiform_pipelines::select::{Model, Search, SplitRule, split};

use super::{Edit, choose, heading, row, under_way};
use crate::command::{Command, Select as Ask};
use crate::jobs::Kind;
use crate::panels::{Ctx, weak};
use crate::session::selected::Purpose;
use crate::theme;

/// Whether rows can be held out, kept until the features or the rule are others.
#[derive(Debug, Default)]
pub(super) struct Train {
    of: Option<(usize, SplitRule)>,
    problem: Option<String>,
}

impl Train {
    pub(super) fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
        if let Some(extracted) = &ctx.session.selected.extracted {
            let of = (Arc::as_ptr(&extracted.table).addr(), edit.look.plan.split);
            if self.of != Some(of) {
                self.of = Some(of);
                let split = split::split(&extracted.table, edit.look.plan.split);
                self.problem = split.err().map(|error| error.to_string());
            }
        }
        settings(ui, ctx, edit);
        button(ui, ctx, edit, self.problem.as_deref());
    }
}

fn settings(ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
    heading(
        ui,
        "Classifier",
        "It learns from some runs and is tested on the others.",
    );
    row(ui, ctx, "model", |ui| model(ui, edit));
    row(ui, ctx, "held out", |ui| {
        let values = [
            (
                SplitRule::Runs,
                "runs".to_owned(),
                "One run at a time; stimuli of the held-out run are never among the training trials.",
            ),
            (
                SplitRule::Sessions,
                "sessions".to_owned(),
                "One session at a time, in the same way.",
            ),
            (
                SplitRule::Stimuli(5),
                "stimuli, 5 folds".to_owned(),
                "Stimuli in five folds, whatever run they were shown in: training and test trials may be neighbours in time.",
            ),
            (
                SplitRule::RunsOfKnownStimuli,
                "runs, known stimuli".to_owned(),
                "One run at a time, though its stimuli were shown in training runs too: tells how well known stimuli are recognised.",
            ),
        ];
        choose(
            ui,
            ("split", "What is held out"),
            &mut edit.look.plan.split,
            &values,
            |_| None,
        );
    });
    row(ui, ctx, "labellings", |ui| {
        let number = egui::DragValue::new(&mut edit.look.plan.n_permutations)
            .range(0..=100_000)
            .speed(10.0);
        let number = ui
            .add(number)
            .accessible_name("Permutations")
            .on_hover_text("Exchanges of labels within runs, for p; each repeats everything, the picking too. 0 for none.");
        edit.dragged(&number);
        ui.label(weak(ctx, "seed"));
        let seed = egui::DragValue::new(&mut edit.look.plan.seed).speed(1.0);
        let seed = ui.add(seed).accessible_name("Seed");
        edit.dragged(&seed);
    });
    rows_of(ui, ctx, edit);
}

fn model(ui: &mut Ui, edit: &mut Edit) {
    let c = match edit.look.plan.model {
        Model::Logistic { c } | Model::Svm { c } => c,
        Model::Lda | Model::Centroid => 1.0,
    };
    ui.scope(|ui| {
        ui.set_max_width(170.0);
        let values = [
            (
                Model::Lda,
                "LDA, shrunk".to_owned(),
                "Linear discriminants; covariances are shrunk as Ledoit and Wolf say. Nothing to tune.",
            ),
            (
                Model::Logistic { c },
                "logistic".to_owned(),
                "Logistic regression with an L2 penalty.",
            ),
            (
                Model::Svm { c },
                "linear SVM".to_owned(),
                "Linear support vectors, squared hinge; one class against the rest for many.",
            ),
            (
                Model::Centroid,
                "nearest centroid".to_owned(),
                "The class whose mean is nearest.",
            ),
        ];
        choose(ui, ("model", "Classifier"), &mut edit.look.plan.model, &values, |_| None);
    });
    let dragged = match &mut edit.look.plan.model {
        Model::Logistic { c } | Model::Svm { c } => {
            let drag = egui::DragValue::new(c)
                .range(1e-4..=1e4)
                .speed(0.01)
                .prefix("C ");
            Some(
                ui.add(drag)
                    .accessible_name("C")
                    .on_hover_text("Weight of the data against the penalty."),
            )
        }
        Model::Lda | Model::Centroid => None,
    };
    if let Some(drag) = dragged {
        edit.dragged(&drag);
    }
}

/// Which runs are scored: with some left out of the map, those can be kept for an honest score of the basket.
fn rows_of(ui: &mut Ui, ctx: &Ctx<'_>, edit: &mut Edit) {
    let n_unticked = edit.look.unticked.len();
    if n_unticked == 0 {
        edit.look.unseen_only = false;
        return;
    }
    row(ui, ctx, "scored on", |ui| {
        let values = [
            (
                false,
                "all runs".to_owned(),
                "The map was drawn on some of them, so the fixed score flatters.",
            ),
            (
                true,
                format!("the {n_unticked} runs not in the map"),
                "Nobody looked at them while picking, so the fixed score is honest too.",
            ),
        ];
        choose(
            ui,
            ("scored on", "Scored on"),
            &mut edit.look.unseen_only,
            &values,
            |_| None,
        );
    });
}

fn button(ui: &mut Ui, ctx: &Ctx<'_>, edit: &Edit, split: Option<&str>) {
    ui.add_space(2.0);
    let selected = &ctx.session.selected;
    if let Some((number, purpose)) = selected.duplicate {
        duplicate(ui, ctx, number, purpose);
        return;
    }
    if under_way(ui, ctx, Kind::Score).is_break() {
        return;
    }
    let reason = why_not(ctx, edit, split);
    let train = egui::Button::new("Train").shortcut_text("Ctrl+Enter");
    let train = if reason.is_none() {
        train.fill(ctx.theme.selected)
    } else {
        train
    };
    ui.horizontal(|ui| {
        let train = ui
            .add_enabled(reason.is_none(), train)
            .accessible_name("Train")
            .on_hover_text("Scores the basket, and beside it features that are picked anew in every fold. Ctrl + Enter")
            .on_disabled_hover_text(reason.clone().unwrap_or_default());
        if train.clicked() {
            ctx.send(Command::Select(Ask::Score(Purpose::Basket, false)));
        }
    });
    if let Some(reason) = reason.filter(|_| selected.extracted.is_some()) {
        let words = RichText::new(reason)
            .size(theme::SMALL)
            .color(ctx.theme.warn);
        ui.add(egui::Label::new(words).wrap());
    }
}

/// Why nothing can be scored now.
fn why_not(ctx: &Ctx<'_>, edit: &Edit, split: Option<&str>) -> Option<String> {
    let selected = &ctx.session.selected;
    if selected.extracted.is_none() {
        return Some("Make a map first.".into());
    }
    if !selected.is_current(&edit.look) {
        return Some("The contrast or the features have changed: make the map again.".into());
    }
    if edit.look.basket.features.is_empty() {
        return Some(
            "The basket is empty: press N for the strongest features, or add some.".into(),
        );
    }
    if selected.members.iter().any(|m| m.column.is_none()) {
        return Some("The basket holds features of another kind: clear it.".into());
    }
    split.map(str::to_owned)
}

fn duplicate(ui: &mut Ui, ctx: &Ctx<'_>, number: u64, purpose: Purpose) {
    let history = ctx.session.selected.history.as_ref();
    let before = history.and_then(|h| h.attempts.iter().find(|a| a.id == number));
    let score = before.map_or_else(String::new, |a| {
        format!(", re-picked {:.3}", a.outcome.repicked.accuracy)
    });
    let words = format!("Tried before, as attempt {number}{score}.");
    ui.label(RichText::new(words).color(ctx.theme.warn));
    ui.horizontal(|ui| {
        let show = ui
            .button(format!("Show attempt {number}"))
            .on_hover_text("Brings back its settings and scores.");
        if show.clicked() {
            ctx.send(Command::Select(Ask::Restore(number)));
        }
        let anyway = ui.button("Run anyway").on_hover_text(
            "The same settings give the same scores; a new line is added to the history.",
        );
        if anyway.clicked() {
            ctx.send(Command::Select(Ask::Score(purpose, true)));
        }
        if ui.button("Leave").clicked() {
            ctx.send(Command::Select(Ask::Leave));
        }
    });
}

/// A search in words.
pub(super) fn search_words(search: Search) -> &'static str {
    match search {
        Search::None => "as picked",
        Search::Prefixes => "best number of the first",
        Search::Forward => "one by one",
        Search::Regions => "best region",
    }
}
