//! Regions whose mean signal is drawn beside that of the voxel: chosen from the atlas, each a line of its own colour.

use egui::{Color32, Sense, Ui};

use super::{Mark, entry};

use crate::command::Change;
use crate::jobs::Kind;
use crate::panels::Ctx;
use crate::session::RunParts;

/// More lines than these cannot be told apart.
const MOST_PINNED: usize = 12;

/// What is typed into the search.
#[derive(Debug, Default)]
pub(super) struct Regions {
    sought: String,
}

/// A line of the plot.
pub(super) struct RegionLine {
    pub(super) name: String,
    pub(super) colour: Color32,
    pub(super) n_voxels: usize,
    /// Seconds, and the signal or its change in percent.
    pub(super) points: Vec<[f64; 2]>,
}

impl Regions {
    /// The list to choose from.
    pub(super) fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let Some(atlas) = &ctx.session.subject.atlas else {
            return;
        };
        let pinned = &ctx.layout.view.pinned;
        let title = match pinned.len() {
            0 => "Regions".to_owned(),
            n => format!("Regions {n}"),
        };
        let button = egui::Button::new(title);
        egui::containers::menu::MenuButton::from_button(button)
            .config(
                egui::containers::menu::MenuConfig::new()
                    .close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside),
            )
            .ui(ui, |ui| {
                ui.set_min_width(220.0);
                let field = egui::TextEdit::singleline(&mut self.sought)
                    .hint_text("Search regions")
                    .desired_width(200.0);
                ui.add(field).accessible_name("Search regions");
                if let Some(here) = ctx
                    .layout
                    .view
                    .crosshair()
                    .and_then(|at| ctx.session.region_at(at))
                {
                    choice(
                        ui,
                        ctx,
                        &here.name,
                        &format!("{} (at the crosshair)", here.name),
                    );
                    ui.separator();
                }
                let sought = self.sought.to_lowercase();
                egui::ScrollArea::vertical()
                    .max_height(260.0)
                    .show(ui, |ui| {
                        let regions = atlas.atlas.regions.iter().filter(|region| region.key != 0);
                        for region in regions {
                            if region.name.to_lowercase().contains(&sought) {
                                choice(ui, ctx, &region.name, &region.name);
                            }
                        }
                    });
                if !pinned.is_empty() && ui.button("None of them").clicked() {
                    ctx.change(Change::Pinned(Vec::new()));
                }
            })
            .0
            .on_hover_text("The mean signal of whole regions beside that of the voxel.");
        if ctx.jobs.is_running(Kind::Courses) {
            ui.spinner();
        }
    }
}

fn choice(ui: &mut Ui, ctx: &Ctx<'_>, name: &str, text: &str) {
    let pinned = &ctx.layout.view.pinned;
    let mut on = pinned.iter().any(|p| p == name);
    let there = on || pinned.len() < MOST_PINNED;
    let check = ui
        .add_enabled(there, egui::Checkbox::new(&mut on, text))
        .on_disabled_hover_text(format!("No more than {MOST_PINNED} lines."));
    if check.changed() {
        let mut pinned = pinned.clone();
        pinned.retain(|p| p != name);
        if on {
            pinned.push(name.to_owned());
        }
        ctx.change(Change::Pinned(pinned));
    }
}

/// The lines of the pinned regions, as far as they are computed.
pub(super) fn lines(ctx: &Ctx<'_>, run: &RunParts, percent: bool) -> Vec<RegionLine> {
    let atlas = ctx.session.subject.atlas.as_ref();
    let courses = ctx.session.courses.as_ref();
    let Some(courses) = courses.filter(|c| atlas.is_some_and(|a| c.are_of(run, &a.atlas))) else {
        return Vec::new();
    };
    let tr = run.tr_secs.unwrap_or(1.0);
    let pinned = ctx.layout.view.pinned.iter();
    let found = pinned.filter_map(|name| courses.of(name));
    found
        .map(|course| {
            let values = || course.values.iter().map(|v| f64::from(*v));
            let mean = values().sum::<f64>() / course.values.len().max(1) as f64;
            let percent = percent && mean.abs() > f64::EPSILON;
            let shown = |v: f64| if percent { 100.0 * (v / mean - 1.0) } else { v };
            RegionLine {
                name: course.region.name.clone(),
                colour: ctx.theme.legible(course.region.colour),
                n_voxels: course.n_voxels,
                points: values()
                    .enumerate()
                    .map(|(t, v)| [t as f64 * tr, shown(v)])
                    .collect(),
            }
        })
        .collect()
}

/// The colour of the voxel's line, which is that of no region.
pub(super) fn voxel_colour(ctx: &Ctx<'_>) -> Color32 {
    if ctx.layout.view.pinned.is_empty() {
        ctx.theme.accent
    } else {
        ctx.theme.strong
    }
}

/// Whose line is whose; a click takes a region's away.
pub(super) fn legend(ui: &mut Ui, ctx: &Ctx<'_>, lines: &[RegionLine]) {
    if ctx.layout.view.pinned.is_empty() {
        return;
    }
    let sense = Sense::hover();
    let voxel = Mark::Line(voxel_colour(ctx));
    entry(ui, ctx, voxel, "voxel at the crosshair", sense);
    for line in lines {
        let mark = Mark::Line(line.colour);
        let label = entry(ui, ctx, mark, &line.name, Sense::click()).on_hover_text(format!(
            "Mean of {} voxels of {}. Click to take the line away.",
            line.n_voxels, line.name
        ));
        if label.clicked() {
            let mut pinned = ctx.layout.view.pinned.clone();
            pinned.retain(|name| *name != line.name);
            ctx.change(Change::Pinned(pinned));
        }
    }
    let lacking = ctx.layout.view.pinned.iter();
    let lacking = lacking.filter(|name| lines.iter().all(|line| line.name != **name));
    for name in lacking {
        let words = if ctx.jobs.is_running(Kind::Courses) {
            format!("{name}…")
        } else {
            format!("{name}: no voxel of the run")
        };
        entry(ui, ctx, Mark::Nothing, &words, sense);
    }
}
