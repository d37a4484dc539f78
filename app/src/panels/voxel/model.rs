//! What an encoding model predicts of the voxel, beside what can be predicted at all.

use egui::{Align2, Color32, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use fusiform_pipelines::encode::features::Features;
use fusiform_pipelines::encode::{Encoded, Luck};

use super::super::{Ctx, weak};
use crate::command::Command;
use crate::jobs::Kind;
use crate::session::EncodedParts;
use crate::theme::{self, GAP};

/// Height of the bar, points.
const BAR: f32 = 20.0;

/// The features that can be chosen, with what they are.
const CHOICES: [(Features, &str, &str); 4] = [
    (
        Features::Pixels,
        "pixels",
        "Luminance and two opponent colours, on grids from coarse to fine.",
    ),
    (
        Features::Gabor,
        "gabor",
        "Contrast energy at four scales and four orientations, on grids.",
    ),
    (
        Features::Category,
        "category",
        "One feature a category of the stimuli.",
    ),
    (
        Features::Words,
        "words",
        "One feature a word that five captions or more hold.",
    ),
];

/// Which features are ticked.
#[derive(Debug)]
pub(super) struct Model {
    ticked: [bool; CHOICES.len()],
}

impl Default for Model {
    fn default() -> Self {
        Self {
            ticked: [true, false, true, true],
        }
    }
}

impl Model {
    /// Draws the scores of the voxel in a column, or what to do to get them.
    pub(super) fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, column: usize) {
        ui.strong("Encoding model").on_hover_text(
            "Ridge regression of the responses on features of the stimuli. Every fold of runs is predicted from the others; repeats of a picture stay together; the penalty and the weights of the feature spaces are chosen within the training folds.",
        );
        let of_these = |parts: &&EncodedParts| {
            let responses = ctx.session.responses.as_ref();
            responses.is_some_and(|r| std::sync::Arc::ptr_eq(r, &parts.of))
        };
        if let Some(parts) = ctx.session.encoded.as_ref().filter(of_these) {
            scores(ui, ctx, parts, column);
        }
        if let Some(job) = ctx.jobs.get(Kind::Encode) {
            ui.horizontal(|ui| {
                ui.add(egui::Spinner::new().size(14.0).color(ctx.theme.accent));
                let (done, total) = job.progress;
                let share = match total {
                    0 => String::new(),
                    total => format!(" {:.0} %", 100.0 * done as f64 / total as f64),
                };
                if ui.small_button("Stop").clicked() {
                    ctx.send(Command::Cancel(Kind::Encode));
                }
                let words = weak(ctx, format!("{}{share}", job.stage));
                ui.add(egui::Label::new(words).truncate());
            });
        } else {
            self.choice(ui, ctx);
        }
        ui.add_space(GAP * 0.5);
    }

    fn choice(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        ui.horizontal_wrapped(|ui| {
            for (ticked, (_, name, meaning)) in self.ticked.iter_mut().zip(&CHOICES) {
                ui.checkbox(ticked, *name).on_hover_text(*meaning);
            }
            let chosen = CHOICES.iter().zip(&self.ticked).filter(|(_, t)| **t);
            let features: Vec<Features> = chosen.map(|((f, ..), _)| f.clone()).collect();
            let button = egui::Button::new("Fit encoding model");
            let button = ui
                .add_enabled(!features.is_empty(), button)
                .on_hover_text("For every voxel; takes some seconds. More shuffles, other features and files: fusiform encode.")
                .on_disabled_hover_text("Tick the features to predict from.");
            if button.clicked() {
                ctx.send(Command::Encode(features));
            }
        });
    }
}

fn scores(ui: &mut Ui, ctx: &Ctx<'_>, parts: &EncodedParts, column: usize) {
    let encoded = &parts.encoded;
    if !encoded.r2[column].is_finite() {
        ui.label(weak(ctx, "This voxel does not vary and has no score."));
        return;
    }
    bar(ui, ctx, parts, column);
    table(ui, ctx, parts, column);
    if encoded.spaces.len() > 1 {
        spaces(ui, ctx, encoded, column);
    }
    ui.label(weak(
        ctx,
        format!("{} trials, {}", encoded.n_trials, encoded.split),
    ));
}

/// The scores above what chance and luck give, and what can be reached.
fn table(ui: &mut Ui, ctx: &Ctx<'_>, parts: &EncodedParts, column: usize) {
    let encoded = &parts.encoded;
    let percent = |share: f32| format!("{:.1} %", 100.0 * share);
    let plain = |r: f32| format!("{r:.2}");
    let n_shuffles = encoded.r2_shuffled.len();
    let luck = |of: fn(&Luck) -> f32| {
        let (r, r2) = parts.luck.as_ref().map(|(r, r2)| (of(r), of(r2))).unzip();
        let none = || "none".to_owned();
        (r2.map_or_else(none, percent), r.map_or_else(none, plain))
    };
    egui::Grid::new("model scores")
        .num_columns(3)
        .spacing(vec2(14.0, 1.0))
        .show(ui, |ui| {
            ui.label("");
            ui.label(weak(ctx, "R²")).on_hover_text(
                "Share of the variance of held-out single trials that is predicted; the mean of the training trials has 0.",
            );
            ui.label(weak(ctx, "r")).on_hover_text(
                "Correlation of held-out single trials with what is predicted, within folds.",
            );
            ui.end_row();
            ui.label("this voxel")
                .on_hover_text("On trials it was not fitted on.");
            ui.strong(percent(encoded.r2[column]));
            ui.strong(plain(encoded.r[column]));
            ui.end_row();
            let hint = format!(
                "The mean over voxels with responses shuffled within their runs, {n_shuffles} times: what the score owes to the method."
            );
            for (name, hint, (r2, r)) in [
                (
                    "chance",
                    "What predicting nothing scores.",
                    (percent(0.0), plain(0.0)),
                ),
                ("shuffled", hint.as_str(), luck(|l| l.mean)),
                (
                    "passed by 5 %",
                    "What one shuffled voxel in twenty passes: a single voxel below it tells nothing.",
                    luck(|l| l.passed_by_a_twentieth),
                ),
            ] {
                ui.label(weak(ctx, name)).on_hover_text(hint);
                ui.label(r2);
                ui.label(r);
                ui.end_row();
            }
            if let Some(ceiling) = &encoded.ceiling {
                let hint = "Share of a single trial's variance that comes back with its stimulus. Estimated from few repeats it is off by some percent, so that a model may pass it.";
                ui.label("ceiling").on_hover_text(hint);
                ui.label(percent(ceiling[column]));
                ui.end_row();
                let share = encoded.normalised.as_ref().map(|n| n[column]);
                if let Some(share) = share.filter(|s| s.is_finite()) {
                    ui.label("of the ceiling")
                        .on_hover_text("R² over the ceiling, where that is 5 % or more.");
                    ui.strong(format!("{:.0} %", 100.0 * share));
                    ui.end_row();
                }
            }
        });
}

/// The part of each feature space.
fn spaces(ui: &mut Ui, ctx: &Ctx<'_>, encoded: &Encoded, column: usize) {
    egui::Grid::new("spaces")
        .num_columns(4)
        .spacing(vec2(12.0, 1.0))
        .show(ui, |ui| {
            for (space, (name, n)) in encoded.spaces.iter().enumerate() {
                let (swatch, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
                ui.painter().rect_filled(swatch, 2.0, colour(ctx, space));
                ui.label(name).on_hover_text(format!("{n} features"));
                let part = encoded.by_space[space][column];
                ui.label(format!("{:+.1} %", 100.0 * part)).on_hover_text(
                    "Its part in R²: the parts sum to it. Negative where it takes back what another space says.",
                );
                let weight = 100.0 * encoded.weights[space][column];
                ui.label(weak(ctx, format!("weight {weight:.0} %")));
                ui.end_row();
            }
        });
}

fn colour(ctx: &Ctx<'_>, space: usize) -> Color32 {
    ctx.theme.condition(space)
}

/// What each space predicts, side by side, over the ceiling in grey.
fn bar(ui: &mut Ui, ctx: &Ctx<'_>, parts: &EncodedParts, column: usize) {
    let encoded = &parts.encoded;
    let ceiling = encoded.ceiling.as_ref().map(|c| c[column]);
    let lucky = parts.luck.map(|(_, r2)| r2.passed_by_a_twentieth);
    let width = ui.available_width().min(360.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, BAR), Sense::hover());
    let (r2, top) = (encoded.r2[column], ceiling.unwrap_or(0.0));
    let words = format!(
        "Encoding model: R² {:.3} of a ceiling of {}",
        r2,
        ceiling.map_or_else(|| "unknown height".to_owned(), |c| format!("{c:.3}"))
    );
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
    let parts: Vec<f32> = encoded.by_space.iter().map(|s| s[column]).collect();
    let positive: f32 = parts.iter().filter(|p| **p > 0.0).sum();
    let most = top
        .max(positive)
        .max(r2)
        .max(lucky.unwrap_or(0.0))
        .max(0.02)
        * 1.05;
    let x = |value: f32| rect.left() + rect.width() * (value / most).clamp(0.0, 1.0);
    let painter = ui.painter();
    let slab = |from: f32, to: f32, inset: f32| {
        Rect::from_x_y_ranges(x(from)..=x(to), rect.top() + inset..=rect.bottom() - inset)
    };
    painter.rect_filled(slab(0.0, top, 1.0), 2.0, ctx.theme.line);
    let mut from = 0.0;
    for (space, part) in parts.iter().enumerate().filter(|(_, p)| **p > 0.0) {
        painter.rect_filled(slab(from, from + part, 4.0), 0.0, colour(ctx, space));
        from += part;
    }
    if let Some(lucky) = lucky {
        let at = x(lucky);
        let dashes = Stroke::new(1.0, ctx.theme.weak);
        let line = [pos2(at, rect.top() - 2.0), pos2(at, rect.bottom() + 2.0)];
        painter.extend(egui::Shape::dashed_line(&line, dashes, 3.0, 2.0));
    }
    let ink = Stroke::new(2.0, ctx.theme.strong);
    let at = x(r2);
    painter.line_segment([pos2(at, rect.top()), pos2(at, rect.bottom())], ink);
    if ceiling.is_some() && x(top) - at > 60.0 {
        painter.text(
            pos2(x(top) - 4.0, rect.center().y),
            Align2::RIGHT_CENTER,
            "ceiling",
            theme::small_font(),
            ctx.theme.text,
        );
    }
    response.on_hover_text(format!(
        "{words}. Grey: the noise ceiling. Colours: the parts of the feature spaces. Line: R²; it stands left of the colours where a space takes something back. Dashes: what one shuffled voxel in twenty passes."
    ));
}
