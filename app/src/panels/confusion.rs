//! Which conditions are taken for which.

use egui::{Align2, Rect, Sense, Ui, pos2, vec2};
use fusiform_pipelines::decode::Decoded;

use super::{Ctx, weak};
use crate::theme;

/// Room for the names of the rows, points.
const NAMES: f32 = 92.0;

/// Draws the matrix: a row for each condition shown, a column for each named.
pub fn ui(ui: &mut Ui, ctx: &Ctx<'_>, decoded: &Decoded) {
    let n = decoded.conditions.len().min(decoded.confusion.len());
    if n < 2 {
        ui.label(weak(
            ctx,
            "One condition only: there is nothing to take for another.",
        ));
        return;
    }
    ui.label(weak(ctx, "Trials: shown (rows), named (columns)"));
    let height = ui.available_height() - 40.0;
    let most = (height / n as f32).clamp(6.0, 46.0);
    matrix(ui, ctx, &decoded.conditions, &decoded.confusion, most);
}

/// The matrix alone: `counts[shown][named]`, its cells at most so many points wide.
pub fn matrix(
    ui: &mut Ui,
    ctx: &Ctx<'_>,
    conditions: &[String],
    confusion: &[Vec<usize>],
    most: f32,
) {
    let n = conditions.len().min(confusion.len()).max(1);
    let cell = ((ui.available_width() - NAMES) / n as f32)
        .min(most)
        .max(6.0);
    let size = vec2(NAMES + n as f32 * cell, n as f32 * cell + 20.0);
    let (area, _) = ui.allocate_exact_size(size, Sense::hover());
    let origin = area.min + vec2(NAMES, 0.0);
    let painter = ui.painter().clone();
    let font = theme::small_font();
    for (row, (name, counts)) in conditions.iter().zip(confusion).enumerate() {
        let total: usize = counts.iter().sum();
        let y = origin.y + row as f32 * cell;
        if cell >= 12.0 {
            let mut job = egui::text::LayoutJob::simple(
                name.clone(),
                font.clone(),
                ctx.theme.text,
                NAMES - 8.0,
            );
            job.wrap.max_rows = 1;
            let galley = painter.layout_job(job);
            let at = pos2(
                origin.x - 6.0 - galley.size().x,
                y + (cell - galley.size().y) / 2.0,
            );
            painter.galley(at, galley, ctx.theme.text);
        }
        for (column, &count) in counts.iter().take(n).enumerate() {
            let square = Rect::from_min_size(
                pos2(origin.x + column as f32 * cell, y),
                vec2(cell - 1.0, cell - 1.0),
            );
            let share = count as f32 / total.max(1) as f32;
            painter.rect_filled(square, 1.0, ctx.theme.heat(share));
            if cell >= 20.0 {
                painter.text(
                    square.center(),
                    Align2::CENTER_CENTER,
                    count,
                    font.clone(),
                    ctx.theme.strong,
                );
            }
            let response = ui.interact(
                square,
                ui.scope_id().with(("confusion", row, column)),
                Sense::hover(),
            );
            let named = conditions.get(column).map_or("", String::as_str);
            response.on_hover_text(format!(
                "{name} shown, {named} named: {count} of {total} trials"
            ));
        }
    }
    let below = pos2(area.left(), origin.y + n as f32 * cell + 4.0);
    painter.text(
        below,
        Align2::LEFT_TOP,
        "columns in the same order",
        font,
        ctx.theme.weak,
    );
}
