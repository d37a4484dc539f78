//! What the voxel at the crosshair answers to: tuning, stimuli, course around events, voxels alike.

mod around;
mod model;
mod tuning;

use std::sync::Arc;

use egui::{Rect, Role, Sense, Ui, WidgetInfo, vec2};
use fusiform_pipelines::selectivity::{self, Answer, Profile, ProfilePlan, Responses};

use super::{Ctx, picture_ui, placeholder, short, weak};
use crate::command::{Change, Command};
use crate::jobs::Kind;
use crate::theme::GAP;

/// Points a side of a stimulus.
const PICTURE: f32 = 58.0;
/// Points between stimuli.
const BETWEEN: f32 = 5.0;
/// Narrower panels show one thing below the other.
const TWO_COLUMNS: f32 = 540.0;

/// The voxel that was read last.
#[derive(Debug, Default)]
pub struct Voxel {
    of: Option<(usize, usize)>,
    profile: Option<Profile>,
    model: model::Model,
}

impl Voxel {
    /// Draws the panel.
    pub fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let Some(responses) = &ctx.session.responses else {
            if ctx.session.wants_responses() && !ctx.jobs.is_running(Kind::Open) {
                ctx.send(Command::ReadResponses);
            }
            let idle = "No single-trial responses: open a study with events, and see the log for what was missing.";
            placeholder(ui, ctx, &[Kind::Responses, Kind::Open], idle);
            return;
        };
        let at = ctx.layout.view.crosshair();
        let Some(column) = at.and_then(|at| responses.column_at(at)) else {
            let idle = "The crosshair lies outside the voxels that were read: click on a slice or the surface inside the mask.";
            placeholder(ui, ctx, &[], idle);
            return;
        };
        let of = (Arc::as_ptr(responses).addr(), column);
        if self.of != Some(of) {
            self.of = Some(of);
            self.profile = selectivity::profile(responses, column, &ProfilePlan::default());
        }
        let Some(profile) = &self.profile else {
            placeholder(ui, ctx, &[], "This voxel holds no numbers in some trials.");
            return;
        };
        facts(ui, ctx, responses, profile);
        let model = &mut self.model;
        egui::ScrollArea::vertical()
            .auto_shrink(false)
            .show(ui, |ui| body(ui, ctx, responses, profile, model));
    }
}

fn body(
    ui: &mut Ui,
    ctx: &Ctx<'_>,
    responses: &Responses,
    profile: &Profile,
    model: &mut model::Model,
) {
    let width = ui.available_width();
    if width < TWO_COLUMNS {
        tuning::ui(ui, ctx, responses, profile);
        model.ui(ui, ctx, profile.column);
        stimuli(ui, ctx, profile);
        around::ui(ui, ctx, &responses.categories);
        alike(ui, ctx, profile);
        return;
    }
    ui.horizontal_top(|ui| {
        let left = (width - 2.0 * GAP) * 0.52;
        ui.allocate_ui(vec2(left, 0.0), |ui| {
            ui.vertical(|ui| {
                ui.set_width(left);
                tuning::ui(ui, ctx, responses, profile);
                around::ui(ui, ctx, &responses.categories);
            });
        });
        ui.add_space(GAP);
        ui.vertical(|ui| {
            model.ui(ui, ctx, profile.column);
            stimuli(ui, ctx, profile);
            alike(ui, ctx, profile);
        });
    });
}

/// Where the voxel is and how far its responses can be trusted.
fn facts(ui: &mut Ui, ctx: &Ctx<'_>, responses: &Responses, profile: &Profile) {
    let Some(at) = responses.world_of(profile.column) else {
        return;
    };
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        let regions = ctx
            .session
            .region_names_at(&ctx.layout.view.regions, at);
        let named = if regions.is_empty() {
            "No region".to_owned()
        } else {
            regions.join(", ")
        };
        ui.strong(named)
            .on_hover_text("The regions that hold the voxel: your own, then the atlas's.");
        ui.label(weak(
            ctx,
            format!("{:.1}, {:.1}, {:.1} mm", at.x, at.y, at.z),
        ))
        .on_hover_text("The middle of the voxel in world coordinates: right, anterior, superior.");
        let share = |share: f32| {
            if share.is_finite() {
                format!("{:.0} %", 100.0 * share)
            } else {
                "none".into()
            }
        };
        let fact = |ui: &mut Ui, name: &str, value: String, hint: &str| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 4.0;
                ui.label(weak(ctx, name));
                ui.label(value);
            })
            .response
            .on_hover_text(hint);
        };
        if let Some(ceiling) = &responses.ceiling {
            let hint = "The share of a single trial's variance that comes back when its stimulus does: no model can explain more (noise ceiling from ncsnr, Allen et al. 2022).";
            fact(ui, "noise ceiling", share(ceiling[profile.column]), hint);
        }
        if let Some(halves) = &responses.split_half {
            let r = short(f64::from(halves[profile.column]));
            let hint = "Correlation, over stimuli, between the means of odd and even repeats.";
            fact(ui, "split-half r", r, hint);
        }
        let hint = "The share of the variance over trials that categories explain (η²), on the same trials as everything here: it is high by chance where trials are few.";
        fact(ui, "by category", share(profile.eta_squared), hint);
        ui.label(weak(ctx, format!("{}\u{a0}trials", responses.trials.len())))
            .on_hover_text(&responses.method);
    });
    ui.add_space(2.0);
}

/// The stimuli it answers to most and least.
fn stimuli(ui: &mut Ui, ctx: &Ctx<'_>, profile: &Profile) {
    for (title, answers) in [
        ("Largest responses", &profile.best),
        ("Smallest responses", &profile.worst),
    ] {
        if answers.is_empty() {
            continue;
        }
        ui.strong(title)
            .on_hover_text("Mean over repeats, and how many there were. In the order of what is expected of another presentation: the fewer the repeats and the lower the noise ceiling, the nearer that is to the mean of all. Click one to select it.");
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = BETWEEN;
            // What the row has no room for is left out, from the less extreme end.
            let room = (ui.available_width() + BETWEEN) / (PICTURE + BETWEEN);
            for answer in answers.iter().take(room.floor().max(1.0) as usize) {
                stimulus(ui, ctx, answer);
            }
        });
        ui.add_space(GAP * 0.5);
    }
}

fn stimulus(ui: &mut Ui, ctx: &Ctx<'_>, answer: &Answer) {
    let id = &answer.stimulus;
    let (cell, response) = ui.allocate_exact_size(vec2(PICTURE, PICTURE + 17.0), Sense::click());
    let words = format!("Response {} to {id}", short(f64::from(answer.mean)));
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &words));
    let square = Rect::from_min_size(cell.min, vec2(PICTURE, PICTURE));
    let picture = ctx.session.pictures.get(id);
    picture_ui(
        ui,
        ctx,
        square,
        picture,
        &format!("Picture of {id}, ranked"),
    );
    if ctx.layout.view.stimulus.as_ref() == Some(id) {
        let line = egui::Stroke::new(2.0, ctx.theme.accent);
        ui.painter()
            .rect_stroke(square, 3.0, line, egui::StrokeKind::Inside);
    }
    ui.painter().text(
        square.center_bottom() + vec2(0.0, 2.0),
        egui::Align2::CENTER_TOP,
        format!("{:.1} ×{}", answer.mean, answer.n_repeats),
        crate::theme::small_font(),
        ctx.theme.text,
    );
    if response.clicked() {
        ctx.change(Change::Stimulus(id.clone()));
    }
    response.on_hover_ui(|ui| {
        ui.strong(id);
        let stimulus = ctx.session.study.as_ref().and_then(|s| s.stimulus(id));
        if let Some(caption) = stimulus.and_then(|s| s.caption.as_deref()) {
            ui.label(caption);
        }
        let (mean, expected) = (f64::from(answer.mean), f64::from(answer.expected));
        ui.label(format!(
            "mean {} of {} presentations, expected again {}",
            short(mean),
            answer.n_repeats,
            short(expected)
        ));
    });
}

/// Voxels elsewhere that answer alike.
fn alike(ui: &mut Ui, ctx: &Ctx<'_>, profile: &Profile) {
    if profile.alike.is_empty() {
        return;
    }
    ui.strong("Voxels that answer alike").on_hover_text(
        "Correlation over trials: of what is signal and of noise that both share. At least 10 mm from here and from each other.",
    );
    egui::Grid::new("alike")
        .num_columns(3)
        .spacing(vec2(12.0, 2.0))
        .striped(true)
        .show(ui, |ui| {
            for voxel in &profile.alike {
                let at = voxel.world_mm;
                ui.label(format!("r {:.2}", voxel.r));
                let words = format!("{:.0}, {:.0}, {:.0} mm", at.x, at.y, at.z);
                let link = ui.link(words).on_hover_text("Move the crosshair there.");
                if link.clicked() {
                    ctx.change(Change::Crosshair(at));
                }
                let region = ctx.session.region_at(at);
                ui.label(weak(ctx, region.map_or("", |r| r.name.as_str())));
                ui.end_row();
            }
        });
}
