//! Connections as a matrix of regions: colour is the statistic, the name and the number are under the pointer.

use egui::{
    Align2, ColorImage, Pos2, Rect, Role, Sense, Stroke, TextureHandle, TextureOptions, Ui,
};
use egui::{WidgetInfo, pos2, vec2};
use fusiform_pipelines::select::{FeatureRef, Table};
use fusiform_render::scene::Look;

use super::statistic_name;
use crate::command::{Command, Select as Ask};
use crate::panels::{Ctx, short, weak};
use crate::session::placed;
use crate::session::selected::MapNow;
use crate::theme;

/// Room for region names, points.
const NAMES: f32 = 58.0;

/// The matrix as pixels, kept until the map is another.
#[derive(Default)]
pub(super) struct Picture {
    of: Option<(u64, bool)>,
    texture: Option<TextureHandle>,
    /// The column of the connection of two regions, both ways.
    columns: Vec<Option<usize>>,
    /// The regions that have connections, as the atlas orders them.
    regions: Vec<String>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Picture")
            .field("of", &self.of)
            .finish_non_exhaustive()
    }
}

impl Picture {
    pub(super) fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, table: &Table, now: &MapNow) {
        let of = (now.revision, ctx.theme.dark);
        if self.of != Some(of) {
            self.of = Some(of);
            self.paint(ui, ctx, table, now);
        }
        let n = self.regions.len();
        let Some(texture) = self.texture.as_ref().filter(|_| n > 1) else {
            return;
        };
        ui.label(weak(
            ctx,
            "Region × region. Click: into the basket, or out of it",
        ));
        let side = (ui.available_width() - NAMES).clamp(60.0, 330.0);
        let (rect, response) =
            ui.allocate_exact_size(vec2(NAMES + side, side + 4.0), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Connections of regions"));
        let square = Rect::from_min_size(rect.min + vec2(NAMES, 0.0), vec2(side, side));
        let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        ui.painter()
            .image(texture.id(), square, whole, egui::Color32::WHITE);
        ui.painter().rect_stroke(
            square,
            0.0,
            Stroke::new(1.0, ctx.theme.line),
            egui::StrokeKind::Outside,
        );
        let cell = side / n as f32;
        self.names(ui, ctx, square, cell);
        for member in &ctx.session.selected.members {
            for (a, b) in self.cells_of(member.column) {
                let at = square.min + vec2(b as f32, a as f32) * cell;
                let mark = Rect::from_min_size(at, vec2(cell, cell));
                ui.painter().rect_stroke(
                    mark,
                    0.0,
                    Stroke::new(1.5, ctx.theme.on_canvas()),
                    egui::StrokeKind::Inside,
                );
            }
        }
        let Some(pointer) = response.hover_pos().filter(|p| square.contains(*p)) else {
            return;
        };
        let at = ((pointer - square.min) / cell).floor();
        let (row, across) = ((at.y as usize).min(n - 1), (at.x as usize).min(n - 1));
        let Some(column) = self.columns[row * n + across] else {
            response.on_hover_text(&self.regions[row]);
            return;
        };
        if response.clicked() {
            let members = &ctx.session.selected.members;
            let ask = match members.iter().position(|m| m.column == Some(column)) {
                Some(place) => Ask::Remove(place),
                None => Ask::CollectColumn(column, false),
            };
            ctx.send(Command::Select(ask));
        }
        response.on_hover_text(format!(
            "{} – {}\n{} {}, q {}",
            self.regions[row],
            self.regions[across],
            statistic_name(now.map.statistic),
            short(f64::from(now.map.values[column])),
            short(now.map.q[column])
        ));
    }

    fn paint(&mut self, ui: &Ui, ctx: &Ctx<'_>, table: &Table, now: &MapNow) {
        let ends = |feature: &FeatureRef| match feature {
            FeatureRef::FcEdge { a, b } => Some((a.clone(), b.clone())),
            _ => None,
        };
        let edges: Vec<Option<(String, String)>> =
            table.columns.iter().map(|c| ends(&c.feature)).collect();
        let used = |name: &&String| {
            edges
                .iter()
                .flatten()
                .any(|(a, b)| a == *name || b == *name)
        };
        self.regions = table.regions.iter().filter(used).cloned().collect();
        let n = self.regions.len();
        let place = |name: &String| self.regions.iter().position(|r| r == name);
        self.columns = vec![None; n * n];
        for (column, edge) in edges.iter().enumerate() {
            if let Some((a, b)) = edge
                && let (Some(a), Some(b)) = (place(a), place(b))
            {
                self.columns[a * n + b] = Some(column);
                self.columns[b * n + a] = Some(column);
            }
        }
        let look = Look {
            opacity: 1.0,
            ..placed::look(now).look()
        };
        let none = now.map.statistic.none();
        let pixel = |column: &Option<usize>| match column {
            Some(c) if now.map.values[*c].is_finite() => {
                let value = now.map.values[*c] - none;
                let colour = look.colour(value).map_or(ctx.theme.panel, theme::opaque);
                if now.shown[*c] {
                    colour
                } else {
                    ctx.theme.panel.lerp_to_gamma(colour, 0.35)
                }
            }
            _ => ctx.theme.panel,
        };
        let pixels = self.columns.iter().map(pixel).collect();
        let image = ColorImage::new([n.max(1), n.max(1)], pixels);
        self.texture = (n > 0).then(|| {
            ui.ctx()
                .load_texture("connections", image, TextureOptions::NEAREST)
        });
    }

    fn cells_of(&self, column: Option<usize>) -> Vec<(usize, usize)> {
        let n = self.regions.len();
        let found = self.columns.iter().enumerate();
        found
            .filter(|(_, c)| c.is_some() && **c == column)
            .map(|(at, _)| (at / n, at % n))
            .collect()
    }

    /// Region names beside the rows, as many as there is room for.
    fn names(&self, ui: &Ui, ctx: &Ctx<'_>, square: Rect, cell: f32) {
        let every = (13.0 / cell).ceil().max(1.0) as usize;
        for (row, name) in self.regions.iter().enumerate().step_by(every) {
            let at = pos2(
                square.left() - 4.0,
                square.top() + (row as f32 + 0.5) * cell,
            );
            let short: String = name.chars().take(9).collect();
            ui.painter().text(
                at,
                Align2::RIGHT_CENTER,
                short,
                theme::small_font(),
                ctx.theme.weak,
            );
        }
    }
}
