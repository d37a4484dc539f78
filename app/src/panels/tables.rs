//! Clusters of the map above its threshold, and what it holds in each region. A click on a row goes there; a click on a
//! heading orders by it.

mod lines;

use egui::{Align, Layout, Role, Sense, Ui, WidgetInfo};

use self::lines::{CLUSTERS, Column, Line, REGIONS, cluster_lines, in_order, region_lines, text};
use super::{Ctx, overlay, placeholder, short, toolbar, weak};
use crate::command::{Change, Command};
use crate::jobs::Kind;
use crate::session::MapId;
use crate::theme;

/// What is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Listed {
    #[default]
    Clusters,
    Regions,
}

/// The lists, with what they were made of.
#[derive(Debug, Default)]
pub struct Tables {
    listed: Listed,
    print: Option<(MapId, u64, u32, bool, bool)>,
    clusters: Vec<Line>,
    /// With those that are too many to be listed.
    n_clusters: usize,
    regions: Vec<Line>,
    /// By which column each list is ordered, and whether the other way round; none is as it was made.
    order: [Option<(usize, bool)>; 2],
}

impl Tables {
    /// Draws the panel.
    pub fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let Some((map, look)) = overlay::current(ctx) else {
            placeholder(
                ui,
                ctx,
                &[Kind::Open, Kind::Run],
                "No map is shown. Choose one above the slices.",
            );
            return;
        };
        let atlas = ctx.session.subject.atlas.as_ref();
        // A threshold that is being dragged would be listed for nothing.
        let print = (
            map.id,
            map.revision(),
            look.threshold.to_bits(),
            look.two_sided,
            atlas.is_some(),
        );
        let settled = !ui.input(|i| i.pointer.any_down());
        if self.print != Some(print) && (settled || self.print.is_none()) {
            self.print = Some(print);
            self.list(ctx);
        }
        toolbar::row(ui, |ui| {
            for (listed, name, hint) in [
                (
                    Listed::Clusters,
                    "Clusters",
                    "Voxels above the threshold that share a face.",
                ),
                (
                    Listed::Regions,
                    "Regions",
                    "What the map holds in each region of the atlas.",
                ),
            ] {
                let there = listed == Listed::Clusters || atlas.is_some();
                let button = egui::Button::selectable(self.listed == listed, name);
                let button = ui
                    .add_enabled(there, button)
                    .on_hover_text(hint)
                    .on_disabled_hover_text("This subject has no atlas.");
                if button.clicked() {
                    self.listed = listed;
                }
            }
            let words = format!(
                "{} {} {} {}",
                map.name,
                if look.two_sided { "beyond ±" } else { "above" },
                short(f64::from(look.threshold)),
                map.unit
            );
            ui.label(weak(ctx, words));
            let any = !self.lines().is_empty();
            let copy = ui
                .add_enabled(any, egui::Button::new("Copy"))
                .on_hover_text(
                    "The table as it is ordered, as tab-separated text for a spreadsheet.",
                )
                .on_disabled_hover_text("Nothing is listed.");
            if copy.clicked() {
                ui.ctx().copy_text(self.text());
            }
            let save = ui
                .add_enabled(any, egui::Button::new("Save…"))
                .on_hover_text(
                    "The table as it is ordered, in a file of tab-separated text (.tsv).",
                )
                .on_disabled_hover_text("Nothing is listed.");
            if save.clicked() {
                ctx.send(Command::AskTable(self.text()));
            }
        });
        ui.add_space(2.0);
        let on_sheet_alone = map.on_grid.is_none();
        let empty = match self.listed {
            _ if on_sheet_alone => Some(
                "This map is on the cortical sheet alone; clusters and regions are of volumes.",
            ),
            Listed::Clusters if self.clusters.is_empty() => {
                Some("Nothing lies above the threshold: lower “from” above the slices.")
            }
            Listed::Regions if self.regions.is_empty() => {
                Some("No region of the atlas has a voxel of this map.")
            }
            _ => None,
        };
        if let Some(words) = empty {
            placeholder(ui, ctx, &[], words);
            return;
        }
        if self.listed == Listed::Clusters && self.n_clusters > self.clusters.len() {
            let words = format!(
                "The first {} of {} clusters: a higher threshold leaves fewer.",
                self.clusters.len(),
                self.n_clusters
            );
            ui.label(
                egui::RichText::new(words)
                    .size(theme::SMALL)
                    .color(ctx.theme.warn),
            );
        }
        egui::ScrollArea::both()
            .auto_shrink(false)
            .show(ui, |ui| self.rows(ui, ctx));
    }

    fn list(&mut self, ctx: &Ctx<'_>) {
        (self.clusters, self.n_clusters, self.regions) = (Vec::new(), 0, Vec::new());
        let Some((map, look)) = overlay::current(ctx) else {
            return;
        };
        let Some(volume) = map.volume() else {
            return;
        };
        let atlas = ctx.session.subject.atlas.as_ref().map(|a| &*a.atlas);
        (self.clusters, self.n_clusters) = cluster_lines(volume, &look, atlas);
        self.regions = atlas.map_or_else(Vec::new, |atlas| region_lines(volume, atlas));
    }

    fn columns(&self) -> &'static [Column] {
        match self.listed {
            Listed::Clusters => &CLUSTERS,
            Listed::Regions => &REGIONS,
        }
    }

    /// What is listed, in its order.
    fn lines(&self) -> Vec<&Line> {
        let lines = match self.listed {
            Listed::Clusters => &self.clusters,
            Listed::Regions => &self.regions,
        };
        in_order(lines, self.order[self.listed as usize])
    }

    /// The same as tab-separated text.
    fn text(&self) -> String {
        text(self.columns(), &self.lines())
    }

    fn rows(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let columns = self.columns();
        egui::Grid::new(("table", self.listed as usize))
            .num_columns(columns.len())
            .striped(true)
            .show(ui, |ui| {
                self.head(ui, ctx);
                let crosshair = ctx.layout.view.crosshair();
                let voxel = overlay::current(ctx).and_then(|(map, _)| {
                    let grid = &map.volume()?.grid;
                    Some(grid.index(grid.voxel_at(crosshair?)?))
                });
                let region = crosshair.and_then(|at| ctx.session.region_at(at));
                for line in self.lines() {
                    let is_here = match self.listed {
                        Listed::Clusters => {
                            voxel.is_some_and(|v| line.voxels.binary_search(&v).is_ok())
                        }
                        Listed::Regions => region.is_some_and(|r| r.name == line.words),
                    };
                    row(ui, ctx, columns, line, is_here);
                    ui.end_row();
                }
            });
    }

    /// The headings: a click orders by one, the largest number or the first letter first; another turns it round.
    fn head(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let order = &mut self.order[self.listed as usize];
        let columns = match self.listed {
            Listed::Clusters => &CLUSTERS[..],
            Listed::Regions => &REGIONS[..],
        };
        for (n, column) in columns.iter().enumerate() {
            let by = order.filter(|(by, _)| *by == n);
            let words = egui::RichText::new(column.name).size(theme::SMALL);
            let words = match by {
                None => words.color(ctx.theme.weak),
                Some(_) => words.color(ctx.theme.accent).underline(),
            };
            let label = |ui: &mut Ui| {
                let label = ui.add(egui::Label::new(words).sense(Sense::click()));
                label.widget_info(|| {
                    let name = format!("Order by {}", column.name);
                    WidgetInfo::selected(Role::Button, true, by.is_some(), name)
                });
                label.on_hover_text(format!("{} Click to order by it.", column.meaning))
            };
            let response = if n + 1 == columns.len() {
                label(ui)
            } else {
                ui.with_layout(Layout::right_to_left(Align::Center), label)
                    .inner
            };
            if response.clicked() {
                *order = Some((n, by.is_some_and(|(_, turned)| !turned)));
            }
        }
        ui.end_row();
    }
}

/// A line; a click on any part of it goes to its peak. That of the crosshair stands out.
fn row(ui: &mut Ui, ctx: &Ctx<'_>, columns: &[Column], line: &Line, is_here: bool) {
    let cell = |ui: &mut Ui, text: &str| {
        let text = egui::RichText::new(text);
        let text = if is_here {
            text.color(ctx.theme.strong)
                .background_color(ctx.theme.selected)
        } else {
            text
        };
        let label = egui::Label::new(text).sense(Sense::click());
        if ui.add(label).on_hover_text("Go to the peak.").clicked() {
            ctx.change(Change::Crosshair(line.peak_mm));
        }
    };
    for (value, column) in line.numbers.iter().zip(columns) {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            cell(ui, &column.shown(*value));
        });
    }
    cell(ui, &line.words);
}
