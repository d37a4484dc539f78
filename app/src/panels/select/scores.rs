//! Two scores side by side: of the basket as it is, and of features picked anew in every fold.

use egui::{Align2, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fusiform_pipelines::select::history::Outcome;
use fusiform_pipelines::select::{Scored, Search};

use super::{feature_name, folds, grouped, plural, train};
use crate::jobs::Kind;
use crate::panels::{Ctx, confusion, short, weak};
use crate::session::selected::{Purpose, ScoredParts};
use crate::theme::{self, GAP};

/// Features listed by how often folds picked them.
const LISTED: usize = 6;
/// Height of a score card, points.
const CARD: f32 = 122.0;

pub(super) fn ui(ui: &mut Ui, ctx: &Ctx<'_>, shows_fixed: &mut bool) {
    let Some(parts) = &ctx.session.selected.scored else {
        return;
    };
    let outcome = &parts.outcome;
    ui.add_space(4.0);
    let running = ctx.jobs.is_running(Kind::Score);
    let title = format!(
        "Attempt {}{}",
        parts.number,
        if running {
            ", the one before what is under way"
        } else if parts.is_of(&ctx.layout.view.select) {
            ""
        } else {
            ": settings have changed since"
        }
    );
    ui.label(weak(ctx, title));
    let width = (ui.available_width() - GAP) / 2.0;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = GAP;
        fixed_card(ui, ctx, outcome, width);
        repicked_card(ui, ctx, parts, width);
    });
    let facts = format!(
        "{} rows · {} · {}",
        grouped(outcome.n_rows),
        outcome.split,
        parts.look.plan.model.name()
    );
    ui.add(egui::Label::new(weak(ctx, facts)).wrap());
    folds::ui(ui, ctx, parts);
    matrices(ui, ctx, outcome, shows_fixed);
    details(ui, ctx, parts);
}

fn fraction(value: f64) -> String {
    format!("{value:.3}")
}

fn p_words(scored: &Scored) -> String {
    scored
        .p
        .map_or_else(|| "no p".to_owned(), |p| format!("p = {}", p_text(p)))
}

/// A probability with as many digits as permutations give it.
pub(super) fn p_text(p: f64) -> String {
    if p >= 0.000_5 {
        format!("{p:.3}")
    } else {
        short(p)
    }
}

fn fixed_card(ui: &mut Ui, ctx: &Ctx<'_>, outcome: &Outcome, width: f32) {
    let scored = &outcome.fixed;
    let n = outcome.basket.features.len();
    let badge = outcome
        .optimistic
        .as_ref()
        .map(|_| "optimistic: picked on the same runs");
    let card = Card {
        name: "Fixed basket",
        scored,
        chance: outcome.chance,
        below: format!("{n} feature{}", if n == 1 { "" } else { "s" }),
        badge,
        good: badge.is_none() && scored.p.is_some_and(|p| p < 0.05),
    };
    let hint = match &outcome.optimistic {
        Some(why) => format!(
            "{}.\nNo exchange of labels is a control for it, so there is no p. What new data would give stands beside it.",
            crate::panels::capitalised(why)
        ),
        None => "The features were picked without looking at the runs that are scored.".to_owned(),
    };
    card.ui(ui, ctx, width, &hint);
}

fn repicked_card(ui: &mut Ui, ctx: &Ctx<'_>, parts: &ScoredParts, width: f32) {
    let outcome = &parts.outcome;
    let below = match (parts.purpose, parts.look.plan.search) {
        (Purpose::Basket, _) => format!("{} a fold", parts.look.plan.pick.n),
        (Purpose::BestCombination, Search::None) => train::search_words(Search::Prefixes).into(),
        (Purpose::BestCombination, search) => train::search_words(search).to_owned(),
    };
    let card = Card {
        name: "Re-picked every fold",
        scored: &outcome.repicked,
        chance: outcome.chance,
        below,
        badge: None,
        good: outcome.repicked.p.is_some_and(|p| p < 0.05),
    };
    card.ui(
        ui,
        ctx,
        width,
        "The features were picked anew in every fold, from its training runs alone: this is what new data would give. p is the share of exchanged labels that do as well, picking included.",
    );
}

/// A score with what it stands beside.
struct Card<'a> {
    name: &'a str,
    scored: &'a Scored,
    chance: f64,
    below: String,
    badge: Option<&'a str>,
    good: bool,
}

impl Card<'_> {
    fn ui(&self, ui: &mut Ui, ctx: &Ctx<'_>, width: f32, hint: &str) {
        let (rect, response) = ui.allocate_exact_size(vec2(width, CARD), Sense::hover());
        let p = p_words(self.scored);
        let mut words = format!(
            "{}: accuracy {}, chance {}, {p}",
            self.name,
            fraction(self.scored.accuracy),
            fraction(self.chance)
        );
        if let Some(badge) = self.badge {
            words.push_str(&format!(", {badge}"));
        }
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        painter.rect_filled(rect, 5.0, ctx.theme.raised);
        let small = theme::small_font();
        let left = rect.left() + 9.0;
        let line = |text: &str, top: f32, ink| {
            let mut job = egui::text::LayoutJob::simple(
                text.to_owned(),
                small.clone(),
                ink,
                rect.width() - 16.0,
            );
            job.wrap.max_rows = 1;
            job.wrap.break_anywhere = true;
            let galley = painter.layout_job(job);
            painter.galley(pos2(left, rect.top() + top), galley, ink);
        };
        line(self.name, 6.0, ctx.theme.weak);
        let ink = match (self.badge, self.good) {
            (Some(_), _) => ctx.theme.badge,
            (None, true) => ctx.theme.good,
            (None, false) => ctx.theme.strong,
        };
        let number = egui::FontId::new(theme::NUMBER + 3.0, egui::FontFamily::Proportional);
        let value = painter.text(
            pos2(left, rect.top() + 22.0),
            Align2::LEFT_TOP,
            fraction(self.scored.accuracy),
            number,
            ink,
        );
        let below = painter.layout_no_wrap(self.below.clone(), small.clone(), ctx.theme.weak);
        let at = pos2(rect.right() - 8.0 - below.size().x, rect.top() + 29.0);
        if at.x > value.right() + 6.0 {
            painter.galley(at, below, ctx.theme.weak);
        }
        line(
            &format!("chance {}", fraction(self.chance)),
            50.0,
            ctx.theme.text,
        );
        line(&p, 67.0, ctx.theme.text);
        match self.badge {
            Some(badge) => pill(ui, ctx, rect, badge),
            None => {
                let balanced = format!("balanced {}", fraction(self.scored.balanced_accuracy));
                let more = match self.scored.auc {
                    Some(auc) if rect.width() < 190.0 => format!("AUC {}", fraction(auc)),
                    Some(auc) => format!("AUC {}, {balanced}", fraction(auc)),
                    None => balanced,
                };
                line(&more, 88.0, ctx.theme.weak);
            }
        }
        let balanced = fraction(self.scored.balanced_accuracy);
        let below = &self.below;
        response.on_hover_text(format!(
            "{words}\nbalanced accuracy {balanced}, {below}\n{hint}"
        ));
    }
}

/// The orange badge at the foot of a card.
fn pill(ui: &Ui, ctx: &Ctx<'_>, card: Rect, text: &str) {
    let ink = ctx.theme.on_badge();
    let mut job = egui::text::LayoutJob::simple(
        text.to_owned(),
        egui::FontId::new(11.5, egui::FontFamily::Proportional),
        ink,
        card.width() - 18.0,
    );
    job.wrap.max_rows = 2;
    let galley = ui.painter().layout_job(job);
    let size = galley.size() + vec2(10.0, 4.0);
    let rect = Rect::from_min_size(pos2(card.left() + 6.0, card.bottom() - size.y - 5.0), size);
    ui.painter().rect_filled(rect, 4.0, ctx.theme.badge);
    ui.painter().galley(rect.min + vec2(5.0, 2.0), galley, ink);
}

fn matrices(ui: &mut Ui, ctx: &Ctx<'_>, outcome: &Outcome, shows_fixed: &mut bool) {
    ui.horizontal(|ui| {
        ui.label(weak(ctx, "Shown (rows), named"));
        ui.selectable_value(shows_fixed, false, "re-picked")
            .on_hover_text("Of features picked anew in every fold.");
        ui.selectable_value(shows_fixed, true, "fixed")
            .on_hover_text("Of the basket as it is.");
    });
    let scored = if *shows_fixed {
        &outcome.fixed
    } else {
        &outcome.repicked
    };
    confusion::matrix(ui, ctx, &outcome.classes, &scored.confusion, 30.0);
}

/// What the user should know, and which features folds agree on.
fn details(ui: &mut Ui, ctx: &Ctx<'_>, parts: &ScoredParts) {
    let Some(evaluation) = &parts.evaluation else {
        let words = "An earlier attempt: train again for the spread of exchanged labels.";
        ui.add(egui::Label::new(weak(ctx, words)).wrap());
        return;
    };
    for note in &evaluation.notes {
        ui.add(egui::Label::new(weak(ctx, note)).wrap());
    }
    let table = ctx.session.selected.extracted.as_ref().map(|e| &e.table);
    let Some(table) = table.filter(|t| t.n_features() == parts.n_features) else {
        return;
    };
    let n_folds = evaluation.repicked.folds.len();
    let title = format!(
        "Picked by folds, of {} {}",
        grouped(parts.n_features),
        plural(&table.kind)
    );
    egui::CollapsingHeader::new(weak(ctx, title))
        .id_salt("picked by folds")
        .show(ui, |ui| {
            for picked in evaluation.frequency.iter().take(LISTED) {
                let name = feature_name(table, picked.column);
                let words = format!("{name}: {} of {n_folds} folds", picked.n_folds);
                ui.label(weak(ctx, words));
            }
        });
}
