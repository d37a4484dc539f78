//! Around the panels: work under way, the status line, messages.

use std::time::Duration;

use egui::{Align2, Context, Frame, Margin, RichText, Stroke, Ui, vec2};
use fusiform_pipelines::placement::assumed_line;

use super::{Ctx, weak};
use crate::command::Command;
use crate::session::Grade;
use crate::theme;

/// Messages shown at a time; older ones wait.
const MESSAGES_SHOWN: usize = 3;

/// Work under way above, what is open below.
pub fn bottom(ui: &mut Ui, ctx: &Ctx<'_>) {
    ui.horizontal(|ui| {
        ui.set_min_height(24.0);
        work(ui, ctx);
    });
    ui.horizontal(|ui| {
        ui.set_min_height(20.0);
        status(ui, ctx);
    });
}

fn work(ui: &mut Ui, ctx: &Ctx<'_>) {
    let running = ctx.jobs.running();
    if running.len() == 0 {
        let words = ctx.jobs.last.as_ref().map_or_else(
            || "No work under way".to_owned(),
            |(name, took)| format!("No work under way. Last: {name}, {}", elapsed(*took)),
        );
        ui.label(weak(ctx, words));
        return;
    }
    for (kind, job) in running {
        ui.label(RichText::new(&job.name).color(ctx.theme.strong));
        if !job.stage.is_empty() {
            ui.label(weak(ctx, &job.stage));
        }
        let (done, total) = job.progress;
        if total > 0 {
            let share = done as f32 / total as f32;
            let bar = egui::ProgressBar::new(share)
                .desired_width(150.0)
                .desired_height(12.0)
                .fill(ctx.theme.accent);
            let words = format!("{done} of {total}");
            ui.add(bar)
                .accessible_name(format!("Progress of {}", job.name))
                .on_hover_text(words);
        } else {
            ui.add(egui::Spinner::new().size(14.0).color(ctx.theme.accent));
        }
        ui.label(weak(ctx, elapsed(job.started.elapsed())));
        if ui
            .small_button("Cancel")
            .on_hover_text(format!("Stop: {}", job.name))
            .clicked()
        {
            ctx.send(Command::Cancel(kind));
        }
        ui.add_space(10.0);
    }
    // The clock of a running job moves even when nothing else does.
    ui.ctx().request_repaint_after(Duration::from_millis(250));
}

fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!(
            "{:.0} min {:.0} s",
            (seconds / 60.0).floor(),
            seconds % 60.0
        )
    }
}

fn status(ui: &mut Ui, ctx: &Ctx<'_>) {
    let session = ctx.session;
    let Some(study) = &session.study else {
        ui.label(weak(ctx, "No study is open"));
        return;
    };
    ui.label(
        RichText::new(&study.name)
            .size(theme::SMALL)
            .color(ctx.theme.strong),
    );
    if let Some(subject) = &session.subject_id {
        let runs = session.study_subject().map_or(0, |s| s.runs.len());
        ui.label(weak(
            ctx,
            format!(
                "subject {subject}, {runs} runs, {} stimuli",
                study.stimuli.len()
            ),
        ));
    }
    let assumptions = session.assumptions();
    if assumptions.is_empty() {
        ui.label(weak(ctx, "nothing was assumed"));
        return;
    }
    let line = RichText::new(assumed_line(&assumptions))
        .size(theme::SMALL)
        .color(ctx.theme.warn);
    ui.add(egui::Label::new(line).truncate())
        .on_hover_text(assumptions.join("\n"));
}

/// What the user should read, over the panels at the top right, each with its way out.
pub fn messages(egui: &Context, ctx: &Ctx<'_>) {
    if ctx.session.messages.is_empty() {
        return;
    }
    egui::Area::new(egui::Id::unique("messages"))
        .anchor(Align2::RIGHT_TOP, vec2(-14.0, 46.0))
        .show(egui, |ui| {
            ui.set_width(440.0);
            for message in ctx.session.messages.iter().rev().take(MESSAGES_SHOWN) {
                let edge = match message.grade {
                    Grade::Note => ctx.theme.accent,
                    Grade::Warning => ctx.theme.warn,
                    Grade::Failure => ctx.theme.bad,
                };
                Frame::new()
                    .fill(ctx.theme.panel)
                    .stroke(Stroke::new(1.5, edge))
                    .corner_radius(5)
                    .inner_margin(Margin::symmetric(12, 9))
                    .show(ui, |ui| {
                        ui.set_width(416.0);
                        ui.horizontal(|ui| {
                            ui.add(
                                egui::Label::new(
                                    RichText::new(&message.title).strong().color(edge),
                                )
                                .truncate(),
                            );
                        });
                        ui.add(egui::Label::new(&message.text).wrap());
                        if ui.button("Dismiss").clicked() {
                            ctx.send(Command::Dismiss(message.number));
                        }
                    });
                ui.add_space(6.0);
            }
            let waiting = ctx.session.messages.len().saturating_sub(MESSAGES_SHOWN);
            if waiting > 0 {
                ui.label(weak(
                    ctx,
                    format!("{waiting} more wait behind these; all are in the log"),
                ));
            }
        });
}
