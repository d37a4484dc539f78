//! The regions of the atlas and the user's own: found, shown, coloured, combined, written.

use std::path::PathBuf;

use egui::{Align, Layout, Role, Sense, Ui, WidgetInfo};
use fusiform_pipelines::roi::Op;
use fusiform_pipelines::roi::files::ENDINGS;
use fusiform_pipelines::roi::listing::Listed;

use super::icons::{self, Icon};
use super::{Ctx, overlay, placeholder, short, toolbar, weak};
use crate::command::{Change, Command};
use crate::jobs::Kind;
use crate::layout::RegionChange;
use crate::workbench::draw::Drawing;

/// The height of a row, points.
const ROW: f32 = 25.0;
/// Room for the sizes at the right, points.
const SIZES: f32 = 190.0;

/// What is looked for, ticked and typed.
#[derive(Debug, Default)]
pub struct Regions {
    wanted: String,
    /// In the order in which they were ticked.
    ticked: Vec<String>,
    new_name: String,
    path: String,
}

impl Regions {
    /// Draws the panel.
    pub fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let all: Vec<&Listed> = ctx.session.listed_regions().collect();
        if ctx.session.study.is_none() || (all.is_empty() && ctx.session.underlay().is_none()) {
            let idle =
                "No regions yet. An atlas brings some; a map or a line drawn by hand makes others.";
            placeholder(ui, ctx, &[Kind::Open, Kind::Subject], idle);
            return;
        }
        self.ticked
            .retain(|name| all.iter().any(|r| r.name == *name));
        toolbar::row(ui, |ui| self.finding(ui, ctx, &all));
        toolbar::row(ui, |ui| making(ui, ctx));
        toolbar::row(ui, |ui| self.combining(ui, ctx));
        ui.separator();
        let wanted = self.wanted.trim().to_lowercase();
        let found: Vec<&Listed> = all
            .iter()
            .copied()
            .filter(|r| r.name.to_lowercase().contains(&wanted))
            .collect();
        let room = (ui.available_height() - ROW - 12.0).max(ROW * 2.0);
        egui::ScrollArea::vertical()
            .auto_shrink(false)
            .max_height(room)
            .show_rows(ui, ROW, found.len(), |ui, rows| {
                for region in found.get(rows).unwrap_or_default() {
                    self.row(ui, ctx, region);
                }
            });
        if found.is_empty() {
            ui.label(weak(ctx, format!("No region's name holds “{wanted}”.")));
        }
        self.exporting(ui, ctx, &all);
    }

    /// The search field, and switches for all regions.
    fn finding(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, all: &[&Listed]) {
        let field = egui::TextEdit::singleline(&mut self.wanted)
            .desired_width(130.0)
            .hint_text("Find a region");
        ui.add(field).accessible_name("Find a region");
        let regions = &ctx.layout.view.regions;
        let names = || all.iter().map(|r| r.name.clone()).collect::<Vec<_>>();
        let some_hidden = regions.only.is_some() || !regions.hidden.is_empty();
        let show = ui
            .add_enabled(some_hidden, egui::Button::new("Show all"))
            .on_hover_text("Show the borders of all regions.")
            .on_disabled_hover_text("All are shown.");
        if show.clicked() {
            ctx.change(Change::Regions(RegionChange::Show(names(), true)));
        }
        let hide = ui
            .button("Hide all")
            .on_hover_text("Hide the borders of all regions, to show a few again.");
        if hide.clicked() {
            ctx.change(Change::Regions(RegionChange::Show(names(), false)));
        }
        let mut written = regions.names;
        let names_box = ui.checkbox(&mut written, "Names").on_hover_text(
            "The names of regions on slices and surface, where they do not cover each other.",
        );
        if names_box.changed() {
            ctx.change(Change::Regions(RegionChange::Names(written)));
        }
    }

    /// What can be made of the ticked regions.
    fn combining(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        if self.ticked.is_empty() {
            ui.label(weak(ctx, "Tick regions to combine, change or export them."));
            return;
        }
        if self.ticked.len() > 1 {
            for (op, name) in [
                (Op::Union, "Union"),
                (Op::Intersection, "Intersection"),
                (Op::Difference, "Difference"),
            ] {
                let words = self.ticked.join(&format!(" {} ", op.word()));
                if ui
                    .button(name)
                    .on_hover_text(format!("A new region: {words}."))
                    .clicked()
                {
                    ctx.send(Command::Draw(Drawing::Combined(op, self.ticked.clone())));
                }
            }
        }
        let own = |name: &String| ctx.layout.view.regions.own(name).is_some();
        if let [one] = self.ticked.as_slice() {
            let where_ = if own(one) { "" } else { ", as a new region" };
            for (name, drawing, hint) in [
                (
                    "Larger",
                    Drawing::Grown(one.clone()),
                    "Grown by one voxel and one vertex",
                ),
                (
                    "Smaller",
                    Drawing::Shrunk(one.clone()),
                    "Shrunk by one voxel and one vertex",
                ),
            ] {
                if ui
                    .button(name)
                    .on_hover_text(format!("{hint}{where_}."))
                    .clicked()
                {
                    ctx.send(Command::Draw(drawing));
                }
            }
            for (name, drawing, hint) in [
                (
                    "Copy",
                    Drawing::Copied(one.clone()),
                    "Another region like it, which can be renamed and changed.",
                ),
                (
                    "Complement",
                    Drawing::Complement(one.clone()),
                    "A new region of all voxels of the head that are not in it: those of the mean BOLD, else of the \
                     anatomy, that are brighter than air.",
                ),
            ] {
                if ui.button(name).on_hover_text(hint).clicked() {
                    ctx.send(Command::Draw(drawing));
                }
            }
        }
        if !self.ticked.iter().all(own) {
            return;
        }
        let hint = "Take the ticked regions away. Undo brings them back.";
        if ui.button("Delete").on_hover_text(hint).clicked() {
            ctx.change(Change::Regions(RegionChange::Remove(self.ticked.clone())));
        }
        if let [from] = self.ticked.as_slice() {
            let field = egui::TextEdit::singleline(&mut self.new_name)
                .desired_width(110.0)
                .hint_text(from);
            let field = ui.add(field).accessible_name("New name");
            let entered = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
            let typed = !self.new_name.trim().is_empty();
            let button = ui
                .add_enabled(typed, egui::Button::new("Rename"))
                .on_disabled_hover_text("Type a name first.");
            if typed && (button.clicked() || entered) {
                let (from, to) = (from.clone(), std::mem::take(&mut self.new_name));
                ctx.change(Change::Regions(RegionChange::Rename { from, to }));
            }
        }
    }

    fn row(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, region: &Listed) {
        let regions = &ctx.layout.view.regions;
        let name = &region.name;
        ui.horizontal(|ui| {
            ui.set_height(ROW - ui.spacing().item_spacing.y);
            let mut ticked = self.ticked.contains(name);
            let tick = ui.checkbox(&mut ticked, "");
            let tick = tick.accessible_name(format!("Tick {name}"));
            if tick.changed() {
                self.ticked.retain(|other| other != name);
                if ticked {
                    self.ticked.push(name.clone());
                }
            }
            let shown = regions.shows(name);
            let icon = if shown { Icon::Eye } else { Icon::Closed };
            let eye = icons::button(ui, icon, true);
            eye.widget_info(|| {
                WidgetInfo::selected(Role::CheckBox, true, shown, format!("Show {name}"))
            });
            if eye
                .on_hover_text(if shown {
                    "Shown. Click to hide."
                } else {
                    "Hidden. Click to show."
                })
                .clicked()
            {
                ctx.change(Change::Regions(RegionChange::Show(
                    vec![name.clone()],
                    !shown,
                )));
            }
            let only = regions.only.as_ref() == Some(name);
            let button = ui
                .add(egui::Button::selectable(only, "only"))
                .accessible_name(format!("Only {name}"))
                .on_hover_text("This one alone; again for all.");
            if button.clicked() {
                let only = (!only).then(|| name.clone());
                ctx.change(Change::Regions(RegionChange::Only(only)));
            }
            let first = regions.colour(name, region.colour);
            let mut colour = first;
            let swatch = ui.color_edit_button_srgb(&mut colour);
            let swatch = swatch.accessible_name(format!("Colour of {name}"));
            swatch.on_hover_text("Click to choose another colour.");
            if colour != first {
                // One step of undo, however long the colours are tried.
                let change = RegionChange::Colour(name.clone(), colour);
                ctx.drag(Change::Regions(change), false);
            }
            let room = (ui.available_width() - SIZES).max(60.0);
            let label = egui::Label::new(name).sense(Sense::click()).truncate();
            let label = ui
                .allocate_ui_with_layout(
                    egui::vec2(room, ROW),
                    Layout::left_to_right(Align::Center),
                    |ui| {
                        ui.set_min_width(room);
                        ui.add(label)
                    },
                )
                .inner
                .on_hover_text(format!("{name}: click to go to its middle voxel."));
            if label.clicked()
                && let Some(heart) = region.heart_mm
            {
                ctx.change(Change::Crosshair(heart));
            }
            ui.label(weak(ctx, size(region)));
        });
    }

    /// Where the ticked regions, or all that are shown, are written to.
    fn exporting(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, all: &[&Listed]) {
        let regions = &ctx.layout.view.regions;
        let shown = || all.iter().filter(|r| regions.shows(&r.name));
        let names = || {
            if self.ticked.is_empty() {
                shown().map(|r| r.name.clone()).collect()
            } else {
                self.ticked.clone()
            }
        };
        let what = match (self.ticked.len(), shown().count()) {
            (0, n) => format!("all {n} that are shown"),
            (1, _) => "the ticked one".to_owned(),
            (n, _) => format!("the {n} ticked ones"),
        };
        ui.horizontal(|ui| {
            ui.label("Export").on_hover_text(format!(
                "Writes {what}, in the format of the name's ending: {ENDINGS}."
            ));
            let width = (ui.available_width() - 150.0).max(80.0);
            let field = egui::TextEdit::singleline(&mut self.path)
                .desired_width(width)
                .hint_text("regions.nii.gz");
            let field = ui.add(field).accessible_name("Export to");
            let entered = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
            let typed = !self.path.trim().is_empty();
            let write = ui
                .add_enabled(typed, egui::Button::new("Write"))
                .on_hover_text(format!("Write {what}."))
                .on_disabled_hover_text(format!("Type a path that ends in {ENDINGS}."));
            if typed && (write.clicked() || entered) {
                let path = PathBuf::from(self.path.trim());
                ctx.send(Command::Export(names(), path));
            }
            if ui
                .button("Browse…")
                .on_hover_text(format!("Choose where to write {what}."))
                .clicked()
            {
                ctx.send(Command::AskExport(names()));
            }
        });
    }
}

/// Regions from the map.
fn making(ui: &mut Ui, ctx: &Ctx<'_>) {
    let map = overlay::current(ctx);
    let words = map.as_ref().map_or_else(
        || "No map is shown.".to_owned(),
        |(map, look)| format!("{} above {}", map.name, short(f64::from(look.threshold))),
    );
    ui.add_enabled_ui(map.is_some(), |ui| {
        for (name, cluster, hint) in [
            (
                "From map",
                false,
                "A new region of all voxels of the map above its threshold",
            ),
            (
                "From cluster",
                true,
                "A new region of the voxels above the threshold that are joined to the crosshair",
            ),
        ] {
            let button = ui
                .button(name)
                .on_hover_text(format!("{hint}: {words}."))
                .on_disabled_hover_text(&words);
            if button.clicked() {
                ctx.send(Command::Draw(Drawing::FromMap { cluster }));
            }
        }
    });
    ui.label(weak(ctx, "or Lasso on slices and surface"));
}

fn size(region: &Listed) -> String {
    match (region.n_voxels, region.n_vertices) {
        (0, n) => format!("{n} vertices"),
        (n, _) => format!("{n} voxels, {:.0} mm³", region.volume_mm3),
    }
}
