//! The signal of the voxel around the events of the run that is shown, condition by condition.

use egui::Ui;
use egui_plot::{Legend, Line, Plot, PlotPoints, Polygon, VLine};
use fusiform_pipelines::selectivity::{PeriEventCourse, peri_event};

use super::super::{Ctx, weak};
use crate::theme;

/// Seconds shown before an onset.
const BEFORE_SECS: f64 = 4.0;
/// Seconds shown after the end of an event: the blood comes back by then.
const AFTER_SECS: f64 = 16.0;
/// Height of the plot, points.
const HEIGHT: f32 = 170.0;

/// Draws the courses; nothing for a run without events or repetition time.
pub(super) fn ui(ui: &mut Ui, ctx: &Ctx<'_>) {
    let Some(run) = &ctx.session.run else {
        return;
    };
    let (Some(events), Some(tr_secs), Some(at)) =
        (&run.events, run.tr_secs, ctx.layout.view.crosshair())
    else {
        return;
    };
    let Some(voxel) = run.series.grid.voxel_at(at) else {
        return;
    };
    let course = run.series.time_course(voxel);
    let longest = events.rows.iter().map(|e| e.duration_secs);
    let longest = longest.filter(|d| d.is_finite()).fold(0.0, f64::max);
    let onsets: Vec<(f64, &str)> = events
        .rows
        .iter()
        .map(|e| (e.onset_secs, e.trial_type.as_str()))
        .collect();
    let found = peri_event(&course, tr_secs, &onsets, BEFORE_SECS, longest + AFTER_SECS);
    ui.horizontal_wrapped(|ui| {
        ui.strong("Signal around events").on_hover_text(
            "Mean over the events of the run that is shown, from the mean before the onset; bands are ± 1 standard error. Events that follow each other closely overlap here: an average does not take them apart.",
        );
        let mut words = format!("run {}", run.label);
        if found.n_left_out > 0 {
            words += &format!(", {} events at its ends left out", found.n_left_out);
        }
        ui.label(weak(ctx, words));
    });
    if found.courses.is_empty() {
        ui.label(weak(
            ctx,
            "No event of this run has its whole course in it.",
        ));
        return;
    }
    let named = found.courses.len() <= 10;
    Plot::new("signal around events")
        .height(HEIGHT)
        .x_axis_label(egui::RichText::new("From the onset (s)").size(theme::SMALL))
        .y_axis_label(egui::RichText::new("Signal change (%)").size(theme::SMALL))
        .grid_color(ctx.theme.line)
        .show_background(false)
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_boxed_zoom(false)
        .legend(Legend::default())
        .show(ui, |plot| {
            plot.vline(VLine::new("", 0.0).color(ctx.theme.weak).width(1.0));
            for (n, course) in found.courses.iter().enumerate() {
                let colour = ctx.theme.condition(n);
                if let Some(band) = band(&found.times_secs, course, colour) {
                    plot.polygon(band);
                }
                let points: Vec<[f64; 2]> = found
                    .times_secs
                    .iter()
                    .zip(&course.mean)
                    .map(|(t, v)| [*t, f64::from(*v)])
                    .collect();
                let name = if named { course.condition.as_str() } else { "" };
                let name = format!("{name} ({})", course.n_events);
                let name = if named { name } else { String::new() };
                plot.line(
                    Line::new(name, PlotPoints::from(points))
                        .color(colour)
                        .width(1.6),
                );
            }
        });
}

fn band<'a>(times: &[f64], course: &PeriEventCourse, colour: egui::Color32) -> Option<Polygon<'a>> {
    if course.sem.iter().any(|s| !s.is_finite()) {
        return None;
    }
    let edge = |sign: f64| {
        let values = times.iter().zip(course.mean.iter().zip(&course.sem));
        values.map(move |(t, (mean, sem))| [*t, f64::from(*mean) + sign * f64::from(*sem)])
    };
    let outline: Vec<[f64; 2]> = edge(1.0).chain(edge(-1.0).rev()).collect();
    let shape = Polygon::new("", PlotPoints::from(outline))
        .fill_color(colour.gamma_multiply(0.18))
        .stroke(egui::Stroke::NONE)
        .allow_hover(false);
    Some(shape)
}
