//! The signal of the voxel around the events of the run that is shown, condition by condition.

use egui::Ui;
use egui_plot::{FilledArea, HoverPosition, Legend, Line, Plot, PlotPoints, VLine};
use fusiform_pipelines::selectivity::{PeriEventCourse, peri_event};

use super::super::{Ctx, weak};
use crate::theme;

/// Seconds shown before an onset.
const BEFORE_SECS: f64 = 4.0;
/// Seconds shown after the end of an event: the blood comes back by then.
const AFTER_SECS: f64 = 16.0;
/// Bands of more courses than these hide each other.
const MOST_BANDS: usize = 4;
/// Height of the plot, points.
const HEIGHT: f32 = 170.0;

/// What is shown.
const HINT: &str = "Mean over the events of the run that is shown, from the mean before the onset; bands (of four conditions or fewer) are ± 1 standard error. Events that follow each other closely overlap here: an average does not take them apart.";

/// Draws the courses, in the colours of `categories` where conditions are those; nothing for a run without events or repetition time.
pub(super) fn ui(ui: &mut Ui, ctx: &Ctx<'_>, categories: &[String]) {
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
        let left_out = match found.n_left_out {
            0 => String::new(),
            1 => "\nOne event is left out: the run begins or ends around it.".to_owned(),
            n => format!("\n{n} events are left out: the run begins or ends around them."),
        };
        ui.strong("Signal around events")
            .on_hover_text(format!("{HINT}{left_out}"));
        ui.label(weak(ctx, format!("run {}", run.label)));
    });
    if found.courses.is_empty() {
        ui.label(weak(
            ctx,
            "No event of this run has its whole course in it.",
        ));
        return;
    }
    // Conditions that are categories have the colours of the bars above, and need no other legend.
    let place = |c: &PeriEventCourse| categories.iter().position(|name| *name == c.condition);
    let known = found.courses.iter().all(|c| place(c).is_some());
    let named = !known && found.courses.len() <= 10;
    let bands = found.courses.len() <= MOST_BANDS;
    let plot = Plot::new("signal around events")
        .height(HEIGHT)
        .x_axis_label(egui::RichText::new("From the onset (s)").size(theme::SMALL))
        .y_axis_label(egui::RichText::new("Signal change (%)").size(theme::SMALL))
        .grid_color(ctx.theme.line)
        .show_background(false)
        .allow_scroll(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_boxed_zoom(false)
        .label_formatter(|hover| match hover {
            HoverPosition::NearDataPoint {
                plot_name,
                position,
                ..
            } => Some(format!(
                "{plot_name}\n{:.1} s\n{:.2} %",
                position.x, position.y
            )),
            HoverPosition::Elsewhere { .. } => None,
        });
    let plot = if named {
        plot.legend(Legend::default())
    } else {
        plot
    };
    plot.show(ui, |plot| {
        plot.vline(VLine::new("", 0.0).color(ctx.theme.weak).width(1.0));
        for (n, course) in found.courses.iter().enumerate() {
            let colour = ctx.theme.condition(place(course).unwrap_or(n));
            let band = band(&found.times_secs, course, colour).filter(|_| bands);
            if let Some(band) = band {
                plot.add(band);
            }
            let points: Vec<[f64; 2]> = found
                .times_secs
                .iter()
                .zip(&course.mean)
                .map(|(t, v)| [*t, f64::from(*v)])
                .collect();
            let name = format!("{} ({})", course.condition, course.n_events);
            plot.line(
                Line::new(name, PlotPoints::from(points))
                    .color(colour)
                    .width(1.6),
            );
        }
    });
}

fn band(times: &[f64], course: &PeriEventCourse, colour: egui::Color32) -> Option<FilledArea> {
    if course.sem.iter().any(|s| !s.is_finite()) {
        return None;
    }
    let edge = |sign: f64| -> Vec<f64> {
        let values = course.mean.iter().zip(&course.sem);
        values
            .map(|(mean, sem)| f64::from(*mean) + sign * f64::from(*sem))
            .collect()
    };
    let area = FilledArea::new("", times, &edge(-1.0), &edge(1.0));
    Some(area.fill_color(colour.gamma_multiply(0.22)))
}
