//! The signal of the BOLD voxel at the crosshair and of pinned regions, with what was shown.

mod regions;

use egui::{Color32, Rect, Response, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use egui_plot::{HoverPosition, Line, Plot, PlotPoints, Polygon, VLine};

use self::regions::Regions;
use super::{Ctx, placeholder, toolbar};
use crate::command::{Change, Command};
use crate::jobs::Kind;
use crate::session::{MapId, RunParts};
use crate::theme;

/// More conditions than this are not told apart by colour.
const MANY_CONDITIONS: usize = 10;

/// In a panel of less height the axis has room for few words, points.
const LOW: f32 = 260.0;

/// Volumes a second that are played.
const PLAYED: f64 = 6.0;

/// Whether the run is being played, and since when the marked volume is shown (seconds of the window's clock).
#[derive(Debug, Default)]
pub struct TimeCourse {
    playing: bool,
    since: f64,
    regions: Regions,
}

impl TimeCourse {
    /// Draws the panel.
    pub fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        if let Some(run) = &ctx.session.run {
            toolbar::row(ui, |ui| {
                controls(ui, ctx, run);
                self.regions.ui(ui, ctx);
                self.player(ui, ctx, run);
            });
        }
        course(ui, ctx);
    }

    /// Plays the run: the map of one volume on slices and surface, and the mark in the time course.
    fn player(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, run: &RunParts) {
        let name = if self.playing { "Pause" } else { "Play" };
        let hint = "Six volumes a second, over and over, as the map “BOLD, one volume”. Key Space";
        let typed = !ui.ctx().egui_wants_keyboard_input()
            && ui.input_mut(|i| i.consume_key(egui::Modifiers::NONE, egui::Key::Space));
        if ui.button(name).on_hover_text(hint).clicked() || typed {
            self.playing = !self.playing;
            if self.playing {
                ctx.change(Change::Map(Some(MapId::Frame)));
            }
        }
        let n_times = run.series.n_times.max(1);
        let words = format!("volume {} of {n_times}", ctx.layout.view.frame + 1);
        ui.add(egui::Label::new(super::weak(ctx, words)).extend())
            .on_hover_text(
                "The volume that is marked. Keys comma and period; a click in the plot.",
            );
        if !self.playing {
            return;
        }
        let now = ui.input(|i| i.time);
        if now - self.since >= 1.0 / PLAYED {
            self.since = now;
            ctx.drag(Change::Frame((ctx.layout.view.frame + 1) % n_times), false);
        }
        let wait = std::time::Duration::from_secs_f64(0.5 / PLAYED);
        ui.ctx().request_repaint_after(wait);
    }
}

fn course(ui: &mut Ui, ctx: &Ctx<'_>) {
    let Some(run) = &ctx.session.run else {
        let idle = "No BOLD run to show: this study holds none, or it could not be read.";
        placeholder(ui, ctx, &[Kind::Open, Kind::Run, Kind::Subject], idle);
        return;
    };
    let at = ctx.layout.view.crosshair();
    let Some(voxel) = at.and_then(|at| run.series.grid.voxel_at(at)) else {
        placeholder(
            ui,
            ctx,
            &[],
            "The crosshair lies outside the BOLD run: click on a slice inside it.",
        );
        return;
    };
    let course = run.series.time_course(voxel);
    let mean = course.iter().map(|v| f64::from(*v)).sum::<f64>() / course.len().max(1) as f64;
    let percent = ctx.layout.view.percent && mean.abs() > f64::EPSILON;
    let tr = run.tr_secs.unwrap_or(1.0);
    let points: Vec<[f64; 2]> = course
        .iter()
        .enumerate()
        .map(|(t, &v)| {
            let v = f64::from(v);
            [
                t as f64 * tr,
                if percent { 100.0 * (v / mean - 1.0) } else { v },
            ]
        })
        .collect();
    let (low, high) = points
        .iter()
        .map(|p| p[1])
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| {
            (a.min(v), b.max(v))
        });
    if low > high {
        placeholder(ui, ctx, &[], "This voxel holds no numbers.");
        return;
    }
    let x_label = if run.tr_secs.is_some() {
        "Time (s)"
    } else {
        "Volume (the file gives no repetition time)"
    };
    // Words that are longer than the axis run over what stands above it.
    let low_plot = ui.available_height() < LOW;
    let y_label = match (percent, low_plot) {
        (true, false) => "Change from the mean (%)",
        (true, true) => "Change (%)",
        (false, false) => "Signal (scanner units)",
        (false, true) => "Signal",
    };
    let selected = selected_onset(ctx, run);
    let lines = regions::lines(ctx, run, percent);
    let (low, high) = lines
        .iter()
        .flat_map(|line| &line.points)
        .fold((low, high), |(a, b), p| (a.min(p[1]), b.max(p[1])));
    let pad = 0.08 * (high - low).max(1e-9);
    toolbar::row(ui, |ui| {
        ui.spacing_mut().item_spacing = vec2(10.0, 1.0);
        regions::legend(ui, ctx, &lines);
        legend(ui, ctx, run);
    });
    Plot::new("time course")
        .x_axis_label(egui::RichText::new(x_label).size(theme::SMALL))
        .y_axis_label(egui::RichText::new(y_label).size(theme::SMALL))
        .grid_color(ctx.theme.line)
        .y_grid_spacer(egui_plot::uniform_grid_spacer(|input| {
            let step = round_step((input.bounds.1 - input.bounds.0) / 5.0);
            [step, 5.0 * step, 10.0 * step]
        }))
        .show_background(false)
        .allow_scroll(false)
        .allow_boxed_zoom(false)
        .label_formatter(move |hover| match hover {
            HoverPosition::NearDataPoint { position, .. }
            | HoverPosition::Elsewhere { position } => {
                let unit = if percent { " %" } else { "" };
                Some(format!(
                    "{:.1} s\n{}{unit}",
                    position.x,
                    super::short(position.y)
                ))
            }
        })
        .show(ui, |plot| {
            // A click marks the volume under it.
            if plot.response().clicked()
                && let Some(at) = plot.pointer_coordinate()
            {
                let frame = (at.x / tr).round().max(0.0) as usize;
                ctx.change(Change::Frame(
                    frame.min(run.series.n_times.saturating_sub(1)),
                ));
                select_shown(ctx, run, at.x);
            }
            for band in bands(ctx, run, (low - pad, high + pad)) {
                plot.polygon(band);
            }
            if let Some(onset) = selected {
                plot.vline(
                    VLine::new("selected trial", onset)
                        .color(ctx.theme.strong)
                        .width(1.5),
                );
            }
            plot.vline(
                VLine::new("marked volume", ctx.layout.view.frame as f64 * tr)
                    .color(ctx.theme.warn)
                    .width(1.0),
            );
            for line in lines {
                plot.line(
                    Line::new(line.name, PlotPoints::from(line.points))
                        .color(line.colour)
                        .width(1.4),
                );
            }
            plot.line(
                Line::new("voxel at the crosshair", PlotPoints::from(points))
                    .color(regions::voxel_colour(ctx))
                    .width(1.6),
            );
        });
}

/// The nearest of 1, 2 and 5 times a power of ten from above.
fn round_step(rough: f64) -> f64 {
    if !rough.is_finite() || rough <= 0.0 {
        return 1.0;
    }
    let decade = 10f64.powf(rough.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|digit| digit * decade)
        .find(|step| *step >= rough)
        .unwrap_or(10.0 * decade)
}

fn controls(ui: &mut Ui, ctx: &Ctx<'_>, run: &RunParts) {
    ui.label("Run");
    let combo = egui::ComboBox::from_id_salt("run")
        .selected_text(&run.label)
        .width(90.0)
        .show_ui(ui, |ui| {
            for choice in ctx.session.runs() {
                if ui
                    .selectable_label(choice.label == run.label, &choice.label)
                    .clicked()
                {
                    ctx.send(Command::ChooseRun(choice.label.clone()));
                }
            }
        });
    combo
        .response
        .accessible_name("Run")
        .on_hover_text("The run whose signal, mean and temporal SNR are shown.");
    let percent = ctx.layout.view.percent;
    if ui
        .selectable_label(percent, "% change")
        .on_hover_text("Percent change from the voxel's mean.")
        .clicked()
    {
        ctx.change(Change::Percent(true));
    }
    if ui
        .selectable_label(!percent, "Raw")
        .on_hover_text("The numbers of the file.")
        .clicked()
    {
        ctx.change(Change::Percent(false));
    }
    if let Some(tr) = run.tr_secs {
        ui.label(super::weak(ctx, format!("TR {tr:.2} s")));
    }
}

/// The conditions of a run in the order of their names; none when they are too many for colours.
fn conditions(run: &RunParts) -> Vec<&str> {
    let mut names: Vec<&str> = run
        .events
        .iter()
        .flat_map(|events| &events.rows)
        .map(|event| event.trial_type.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.len() > MANY_CONDITIONS {
        Vec::new()
    } else {
        names
    }
}

/// What the colours of the bands mean.
fn legend(ui: &mut Ui, ctx: &Ctx<'_>, run: &RunParts) {
    let names = conditions(run);
    if names.is_empty() && run.events.is_some() {
        ui.label(super::weak(ctx, "bands: when something was shown"));
    }
    for (n, name) in names.into_iter().enumerate() {
        let name = if name.is_empty() { "event" } else { name };
        entry(
            ui,
            ctx,
            Mark::Band(ctx.theme.condition(n)),
            name,
            Sense::hover(),
        );
    }
}

/// What stands before a name in the legend.
#[derive(Clone, Copy)]
enum Mark {
    Band(Color32),
    Line(Color32),
    Nothing,
}

/// A mark and its name, which stay together when the legend goes on in the next row.
fn entry(ui: &mut Ui, ctx: &Ctx<'_>, mark: Mark, name: &str, sense: Sense) -> Response {
    const CHIP: f32 = 16.0;
    let font = theme::small_font();
    let galley = ui
        .painter()
        .layout_no_wrap(name.to_owned(), font, ctx.theme.weak);
    let indent = match mark {
        Mark::Nothing => 0.0,
        _ => CHIP + 5.0,
    };
    let size = vec2(indent + galley.size().x, galley.size().y.max(17.0));
    let (rect, response) = ui.allocate_exact_size(size, sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, name));
    let chip = Rect::from_center_size(
        pos2(rect.left() + CHIP / 2.0, rect.center().y),
        vec2(CHIP, 10.0),
    );
    let painter = ui.painter();
    match mark {
        Mark::Band(colour) => {
            painter.rect_filled(chip.shrink2(vec2(3.0, 0.0)), 2.0, colour);
        }
        Mark::Line(colour) => {
            painter.hline(chip.x_range(), chip.center().y, Stroke::new(2.0, colour));
        }
        Mark::Nothing => {}
    }
    let ink = if response.hovered() && sense.senses_click() {
        ctx.theme.strong
    } else {
        ctx.theme.weak
    };
    let at = pos2(
        rect.left() + indent,
        rect.center().y - galley.size().y / 2.0,
    );
    painter.galley_with_override_text_color(at, galley, ink);
    response
}

/// One band an event, coloured by condition.
fn bands<'a>(ctx: &Ctx<'_>, run: &RunParts, (low, high): (f64, f64)) -> Vec<Polygon<'a>> {
    let names = conditions(run);
    let rows = run.events.iter().flat_map(|events| &events.rows);
    rows.map(|event| {
        let (from, to) = (
            event.onset_secs,
            event.onset_secs + event.duration_secs.max(0.2),
        );
        let colour = names
            .iter()
            .position(|name| *name == event.trial_type)
            .map_or(ctx.theme.weak, |n| ctx.theme.condition(n));
        Polygon::new(
            event.trial_type.clone(),
            vec![[from, low], [to, low], [to, high], [from, high]],
        )
        .fill_color(colour.gamma_multiply(0.28))
        .stroke(egui::Stroke::new(0.5, colour.gamma_multiply(0.4)))
        .allow_hover(false)
    })
    .collect()
}

/// Selects what was shown at a time: its trial where the run is decoded, else its stimulus.
fn select_shown(ctx: &Ctx<'_>, run: &RunParts, secs: f64) {
    let mut rows = run.events.iter().flat_map(|events| &events.rows);
    let shown = rows.rfind(|event| {
        let end = event.onset_secs + event.duration_secs.max(0.2);
        (event.onset_secs..=end).contains(&secs)
    });
    let Some(event) = shown else {
        return;
    };
    let decoded = ctx.session.decoded.as_ref();
    let trial = decoded.and_then(|decoded| {
        let mut onsets = decoded.onsets.iter();
        onsets.position(|(label, onset)| {
            *label == run.label && (onset - event.onset_secs).abs() < 1e-6
        })
    });
    let study = ctx.session.study.as_ref();
    let stimulus = event.stim_file.as_deref();
    let stimulus = stimulus.filter(|id| study.is_some_and(|s| s.stimulus(id).is_some()));
    if let Some(trial) = trial {
        ctx.change(Change::Trial(trial));
    } else if let Some(id) = stimulus {
        ctx.change(Change::Stimulus(id.to_owned()));
    }
}

/// The onset of the selected trial, when it belongs to this run.
fn selected_onset(ctx: &Ctx<'_>, run: &RunParts) -> Option<f64> {
    let decoded = ctx.session.decoded.as_ref()?;
    let (label, onset) = decoded.onsets.get(ctx.layout.view.trial?)?;
    (*label == run.label).then_some(*onset)
}
