//! Clusters of the map above its threshold, and what it holds in each region. A click on a row goes there.

use egui::{Align, Layout, Sense, Ui};
use fusiform_pipelines::clusters::{ClusterPlan, RegionStatistics, by_region, clusters, shares};
use glam::DVec3;

use super::{Ctx, overlay, placeholder, short, weak};
use crate::command::Change;
use crate::jobs::Kind;
use crate::session::MapId;

/// Rows beyond these wait for a higher threshold.
const MOST_ROWS: usize = 200;

/// What is listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Listed {
    #[default]
    Clusters,
    Regions,
}

/// A cluster as it is listed.
#[derive(Clone, Debug)]
struct Row {
    peak_mm: DVec3,
    value: f32,
    n_voxels: usize,
    volume_mm3: f64,
    regions: String,
    /// Flat indices in the map, ascending.
    voxels: Vec<usize>,
}

/// The lists, with what they were made of.
#[derive(Debug, Default)]
pub struct Tables {
    listed: Listed,
    print: Option<(MapId, u64, u32, bool, bool)>,
    clusters: Vec<Row>,
    regions: Vec<RegionStatistics>,
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
        ui.horizontal_wrapped(|ui| {
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
            if ui
                .button("Copy")
                .on_hover_text("The table as tab-separated text, for a spreadsheet.")
                .clicked()
            {
                ui.ctx().copy_text(self.text());
            }
        });
        ui.add_space(2.0);
        egui::ScrollArea::both()
            .auto_shrink(false)
            .show(ui, |ui| match self.listed {
                Listed::Clusters => self.cluster_rows(ui, ctx),
                Listed::Regions => self.region_rows(ui, ctx),
            });
    }

    fn list(&mut self, ctx: &Ctx<'_>) {
        (self.clusters, self.regions) = (Vec::new(), Vec::new());
        let Some((map, look)) = overlay::current(ctx) else {
            return;
        };
        let Some(volume) = map.volume() else {
            return;
        };
        let plan = ClusterPlan {
            threshold: look.threshold,
            two_sided: look.two_sided,
            ..ClusterPlan::default()
        };
        let atlas = ctx.session.subject.atlas.as_ref().map(|a| &a.atlas);
        let found = clusters(volume, &plan).unwrap_or_default();
        self.clusters = found
            .iter()
            .take(MOST_ROWS)
            .map(|cluster| {
                let parts = atlas.map(|atlas| shares(volume, cluster, atlas));
                let parts = parts.unwrap_or_default();
                let words = parts.iter().filter(|part| part.1 >= 0.005).take(3);
                let words = words.map(|(name, share)| format!("{name} {:.0} %", share * 100.0));
                Row {
                    peak_mm: cluster.peak.world_mm,
                    value: cluster.peak.value,
                    n_voxels: cluster.voxels.len(),
                    volume_mm3: cluster.volume_mm3,
                    voxels: cluster.voxels.clone(),
                    regions: words.collect::<Vec<_>>().join(", "),
                }
            })
            .collect();
        self.regions = atlas
            .map(|atlas| by_region(volume, atlas))
            .unwrap_or_default();
    }

    fn cluster_rows(&self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let on_sheet_alone = overlay::current(ctx).is_some_and(|(map, _)| map.on_grid.is_none());
        if on_sheet_alone {
            ui.label(weak(
                ctx,
                "This map is on the cortical sheet alone; clusters and regions are of volumes.",
            ));
            return;
        }
        if self.clusters.is_empty() {
            ui.label(weak(ctx, "Nothing lies above the threshold."));
            return;
        }
        let columns = ["peak", "x", "y", "z (mm)", "voxels", "mm³", "regions"];
        egui::Grid::new("clusters")
            .num_columns(7)
            .striped(true)
            .show(ui, |ui| {
                head(ui, ctx, &columns);
                let here = overlay::current(ctx).and_then(|(map, _)| {
                    let grid = &map.volume()?.grid;
                    Some(grid.index(grid.voxel_at(ctx.layout.view.crosshair()?)?))
                });
                for row in &self.clusters {
                    let is_here = here.is_some_and(|v| row.voxels.binary_search(&v).is_ok());
                    let at = row.peak_mm;
                    let cells = [
                        short(f64::from(row.value)),
                        format!("{:.1}", at.x),
                        format!("{:.1}", at.y),
                        format!("{:.1}", at.z),
                        row.n_voxels.to_string(),
                        format!("{:.0}", row.volume_mm3),
                    ];
                    numbers(ui, ctx, &cells, at, is_here);
                    ui.label(weak(ctx, &row.regions));
                    ui.end_row();
                }
            });
    }

    fn region_rows(&self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let columns = ["voxels", "mean", "SD", "median", "min", "max", "region"];
        egui::Grid::new("regions")
            .num_columns(7)
            .striped(true)
            .show(ui, |ui| {
                head(ui, ctx, &columns);
                let crosshair = ctx.layout.view.crosshair();
                let here = crosshair.and_then(|at| ctx.session.region_at(at));
                for row in &self.regions {
                    let is_here = here.is_some_and(|region| region.name == row.name);
                    let cells = [
                        row.n_voxels.to_string(),
                        short(row.mean),
                        short(row.sd),
                        short(row.median),
                        short(f64::from(row.range.0)),
                        short(f64::from(row.range.1)),
                    ];
                    numbers(ui, ctx, &cells, row.peak_mm, is_here);
                    ui.label(marked(ctx, &row.name, is_here));
                    ui.end_row();
                }
            });
    }

    /// What is listed, tab-separated.
    fn text(&self) -> String {
        let mut lines = Vec::new();
        match self.listed {
            Listed::Clusters => {
                lines.push("peak\tx\ty\tz\tvoxels\tvolume_mm3\tregions".to_owned());
                lines.extend(self.clusters.iter().map(|row| {
                    let at = row.peak_mm;
                    format!(
                        "{}\t{:.1}\t{:.1}\t{:.1}\t{}\t{:.0}\t{}",
                        row.value, at.x, at.y, at.z, row.n_voxels, row.volume_mm3, row.regions
                    )
                }));
            }
            Listed::Regions => {
                lines.push("region\tvoxels\tmean\tsd\tmedian\tmin\tmax".to_owned());
                lines.extend(self.regions.iter().map(|row| {
                    let (low, high) = row.range;
                    format!(
                        "{}\t{}\t{}\t{}\t{}\t{low}\t{high}",
                        row.name, row.n_voxels, row.mean, row.sd, row.median
                    )
                }));
            }
        }
        lines.join("\n")
    }
}

fn head(ui: &mut Ui, ctx: &Ctx<'_>, columns: &[&str]) {
    for (n, name) in columns.iter().enumerate() {
        if n + 1 == columns.len() {
            ui.label(weak(ctx, *name));
        } else {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                ui.label(weak(ctx, *name));
            });
        }
    }
    ui.end_row();
}

/// The text of a row; that of the one at the crosshair stands out.
fn marked(ctx: &Ctx<'_>, text: &str, is_here: bool) -> egui::RichText {
    let text = egui::RichText::new(text);
    if is_here {
        text.color(ctx.theme.strong)
            .background_color(ctx.theme.selected)
    } else {
        text
    }
}

/// Cells of numbers; a click on any goes to a place.
fn numbers(ui: &mut Ui, ctx: &Ctx<'_>, cells: &[String], at: DVec3, is_here: bool) {
    for cell in cells {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let label = egui::Label::new(marked(ctx, cell, is_here)).sense(Sense::click());
            if ui.add(label).on_hover_text("Go to the peak.").clicked() {
                ctx.change(Change::Crosshair(at));
            }
        });
    }
}
