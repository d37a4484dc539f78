//! Features by strength, as bars. A click puts one into the basket, or takes it out.

use egui::{Align2, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use fusiform_pipelines::select::Table;

use super::{feature_name, plural, statistic_name};
use crate::command::{Command, Select as Ask};
use crate::panels::{Ctx, short, weak};
use crate::session::selected::{MapNow, Seen, seen};
use crate::theme;

/// Height of a row, points.
const ROW: f32 = 19.0;
/// Rows in sight.
const IN_SIGHT: f32 = 7.0;
/// Voxels and vertices are seen on the brain: the list names the strongest alone.
const MOST: usize = 200;

pub(super) fn ui(ui: &mut Ui, ctx: &Ctx<'_>, table: &Table, now: &MapNow) {
    let n = match seen(&table.kind) {
        Seen::List => now.order.len(),
        _ => now.order.len().min(MOST),
    };
    if n == 0 {
        ui.label(weak(ctx, "No feature has a value: all are constant."));
        return;
    }
    let hint = format!(
        "The strongest {}. Click: into the basket, or out of it. Shift + click: with the cluster or region around it.",
        plural(&table.kind)
    );
    ui.label(weak(ctx, "Strongest first")).on_hover_text(hint);
    let (low, none, high) = ends(now);
    ui.spacing_mut().item_spacing.y = 0.0;
    egui::ScrollArea::vertical()
        .id_salt("ranked")
        .max_height(ROW * IN_SIGHT)
        .show_rows(ui, ROW, n, |ui, range| {
            for rank in range {
                row(ui, ctx, table, now, rank, (low, none, high));
            }
        });
    ui.reset_style();
}

/// The lowest value, the one where bars begin, and the highest.
fn ends(now: &MapNow) -> (f32, f32, f32) {
    let none = now.map.statistic.none();
    let values = now.order.iter().map(|&c| now.map.values[c]);
    let (low, high) = values.fold((none, none), |(l, h), v| (l.min(v), h.max(v)));
    (low, none, high.max(low + 1e-6))
}

fn row(
    ui: &mut Ui,
    ctx: &Ctx<'_>,
    table: &Table,
    now: &MapNow,
    rank: usize,
    ends: (f32, f32, f32),
) {
    let column = now.order[rank];
    let value = now.map.values[column];
    let name = feature_name(table, column);
    let members = &ctx.session.selected.members;
    let place = members.iter().position(|m| m.column == Some(column));
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let words = format!(
        "{name}: {} {}, q {}",
        statistic_name(now.map.statistic),
        short(f64::from(value)),
        short(now.map.q[column])
    );
    response.widget_info(|| {
        WidgetInfo::selected(
            Role::Button,
            true,
            place.is_some(),
            format!("Feature {words}"),
        )
    });
    if response.clicked() {
        let whole = ui.input(|i| i.modifiers.shift);
        let ask = match place {
            Some(place) if !whole => Ask::Remove(place),
            _ => Ask::CollectColumn(column, whole),
        };
        ctx.send(Command::Select(ask));
    }
    draw(
        ui,
        ctx,
        rect,
        (&name, value),
        now.shown[column],
        place.is_some(),
        ends,
        response.hovered() || response.has_focus(),
    );
    let mean = "p without regard to how many features there are";
    response.on_hover_text(format!("{words}\n{mean}: {}", short(now.map.p[column])));
}

fn draw(
    ui: &Ui,
    ctx: &Ctx<'_>,
    rect: Rect,
    (name, value): (&str, f32),
    shown: bool,
    taken: bool,
    (low, none, high): (f32, f32, f32),
    lit: bool,
) {
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    if taken {
        painter.rect_filled(rect, 2.0, ctx.theme.selected);
    } else if lit {
        painter.rect_filled(rect, 2.0, ctx.theme.raised);
    }
    let font = theme::small_font();
    let names = (rect.width() * 0.5).min(190.0);
    let numbers = 46.0;
    let ink = if shown {
        ctx.theme.text
    } else {
        ctx.theme.weak
    };
    let mut job = egui::text::LayoutJob::simple(name.to_owned(), font.clone(), ink, names - 6.0);
    job.wrap.max_rows = 1;
    job.wrap.break_anywhere = true;
    let galley = painter.layout_job(job);
    let top = rect.center().y - galley.size().y / 2.0;
    painter.galley(pos2(rect.left() + 3.0, top), galley, ink);
    let room = Rect::from_min_max(
        pos2(rect.left() + names, rect.top() + 4.0),
        pos2(rect.right() - numbers, rect.bottom() - 4.0),
    );
    let x_of = |v: f32| room.left() + room.width() * (v - low) / (high - low);
    let (from, to) = (x_of(none), x_of(value));
    let bar = Rect::from_x_y_ranges(from.min(to)..=from.max(to), room.y_range());
    let colour = if value < none {
        ctx.theme.condition(1)
    } else {
        ctx.theme.condition(0)
    };
    let colour = if shown {
        colour
    } else {
        colour.gamma_multiply(0.4)
    };
    painter.rect_filled(bar, 1.0, colour);
    painter.vline(from, rect.y_range(), Stroke::new(1.0, ctx.theme.line));
    painter.text(
        pos2(rect.right() - 2.0, rect.center().y),
        Align2::RIGHT_CENTER,
        short(f64::from(value)),
        font,
        ink,
    );
}
