//! What an encoding model predicts of the voxel, beside what can be predicted at all.

use egui::{Align2, Color32, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use fusiform_pipelines::encode::Encoded;
use fusiform_pipelines::encode::features::Features;

use super::super::{Ctx, short, weak};
use crate::command::Command;
use crate::jobs::Kind;
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
        let of_these = |parts: &&crate::session::EncodedParts| {
            let responses = ctx.session.responses.as_ref();
            responses.is_some_and(|r| std::sync::Arc::ptr_eq(r, &parts.of))
        };
        if let Some(parts) = ctx.session.encoded.as_ref().filter(of_these) {
            scores(ui, ctx, &parts.encoded, column);
        }
        if let Some(job) = ctx.jobs.get(Kind::Encode) {
            ui.horizontal(|ui| {
                ui.add(egui::Spinner::new().size(14.0).color(ctx.theme.accent));
                let (done, total) = job.progress;
                let share = match total {
                    0 => String::new(),
                    total => format!(" {:.0} %", 100.0 * done as f64 / total as f64),
                };
                ui.label(weak(ctx, format!("{}{share}", job.stage)));
                if ui.small_button("Stop").clicked() {
                    ctx.send(Command::Cancel(Kind::Encode));
                }
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

fn scores(ui: &mut Ui, ctx: &Ctx<'_>, encoded: &Encoded, column: usize) {
    let (r, r2) = (encoded.r[column], encoded.r2[column]);
    if !r2.is_finite() {
        ui.label(weak(ctx, "This voxel does not vary and has no score."));
        return;
    }
    let ceiling = encoded.ceiling.as_ref().map(|c| c[column]);
    bar(ui, ctx, encoded, column, ceiling);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let fact = |ui: &mut Ui, name: &str, value: String, hint: &str| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                ui.label(weak(ctx, name));
                ui.label(value);
            })
            .response
            .on_hover_text(hint);
        };
        let percent = |share: f32| format!("{:.1} %", 100.0 * share);
        let hint = "Share of the variance of held-out single trials that is predicted; the mean of the training trials has 0.";
        fact(ui, "R²", percent(r2), hint);
        let hint = "Correlation of held-out single trials with what is predicted, within folds; chance is 0.";
        fact(ui, "r", short(f64::from(r)), hint);
        if let Some(ceiling) = ceiling {
            let hint = "Share of a single trial's variance that comes back with its stimulus; estimated from few repeats it is off by some percent, so that a model may pass it.";
            fact(ui, "ceiling", percent(ceiling), hint);
        }
        let normalised = encoded.normalised.as_ref().map(|n| n[column]);
        if let Some(share) = normalised.filter(|s| s.is_finite()) {
            let hint = "R² over the ceiling, where that is 5 % or more.";
            fact(ui, "of the ceiling", format!("{:.0} %", 100.0 * share), hint);
        }
        let shuffled = encoded.r2_over(&encoded.counted()).shuffled;
        if shuffled.is_finite() {
            let hint = format!(
                "R² with responses shuffled within runs, mean over {} shuffles and voxels with something to explain.",
                encoded.r2_shuffled.len()
            );
            fact(ui, "shuffled", percent(shuffled as f32), &hint);
        }
    });
    if encoded.spaces.len() > 1 {
        egui::Grid::new("spaces")
            .num_columns(4)
            .spacing(vec2(12.0, 1.0))
            .show(ui, |ui| {
                for (space, (name, n)) in encoded.spaces.iter().enumerate() {
                    let (swatch, _) = ui.allocate_exact_size(vec2(10.0, 10.0), Sense::hover());
                    ui.painter().rect_filled(swatch, 2.0, colour(ctx, space));
                    ui.label(name);
                    let part = encoded.by_space[space][column];
                    ui.label(format!("{:+.1} %", 100.0 * part))
                        .on_hover_text("Its part in R²: the parts sum to it. Negative where it takes back what another space says.");
                    let weight = 100.0 * encoded.weights[space][column];
                    ui.label(weak(ctx, format!("weight {weight:.0} %, {n} features")));
                    ui.end_row();
                }
            });
    }
    ui.label(weak(
        ctx,
        format!("{} trials, {}", encoded.n_trials, encoded.split),
    ));
}

fn colour(ctx: &Ctx<'_>, space: usize) -> Color32 {
    ctx.theme.condition(space)
}

/// What each space predicts, side by side, over the ceiling in grey.
fn bar(ui: &mut Ui, ctx: &Ctx<'_>, encoded: &Encoded, column: usize, ceiling: Option<f32>) {
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
    let most = top.max(positive).max(r2).max(0.02) * 1.05;
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
        "{words}. Grey: the noise ceiling. Colours: the parts of the feature spaces. Line: R²; it stands left of the colours where a space takes something back."
    ));
}
