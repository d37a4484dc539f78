//! The mean response to each category, with its standard error, as bars from zero.

use egui::{Align2, FontId, Rect, Role, Sense, Stroke, Ui, WidgetInfo, pos2, vec2};
use fusiform_pipelines::selectivity::{Profile, Responses, Tuned};

use super::super::{Ctx, short, weak};
use crate::theme::{self, GAP};

/// Height of a bar with its gap, points.
const ROW: f32 = 19.0;
/// More categories than these are cut to the strongest ones.
const MOST: usize = 24;
/// Room for a number, points.
const NUMBER: f32 = 42.0;

/// Draws the bars, largest first.
pub(super) fn ui(ui: &mut Ui, ctx: &Ctx<'_>, responses: &Responses, profile: &Profile) {
    let mut bars: Vec<&Tuned> = profile.tuning.iter().collect();
    bars.sort_by(|a, b| b.mean.total_cmp(&a.mean));
    let n_all = bars.len();
    bars.truncate(MOST);
    ui.strong("Response by category").on_hover_text(
        "Mean over trials; the line is ± 1 standard error of that mean. In the units of the responses: hover over the number of trials above.",
    );
    let font = theme::small_font();
    let name_width = names_width(ui, responses, &bars, &font).min(ui.available_width() * 0.4);
    let reach = |b: &&Tuned| (b.mean - sem(b), b.mean + sem(b));
    let (low, high) = bars.iter().map(reach).fold((0f32, 0f32), |all, one| {
        (all.0.min(one.0), all.1.max(one.1))
    });
    let width = ui.available_width();
    let left = name_width + GAP;
    let room = (width - left - NUMBER - GAP).max(20.0);
    let x_of = |value: f32| left + room * (value - low) / (high - low).max(f32::EPSILON);
    for bar in &bars {
        let (rect, response) = ui.allocate_exact_size(vec2(width, ROW), Sense::hover());
        let name = &responses.categories[bar.category];
        let words = format!(
            "{name}: mean {}, standard error {}, {} trials",
            short(f64::from(bar.mean)),
            short(f64::from(bar.sem)),
            bar.n_trials
        );
        response.widget_info(|| WidgetInfo::labeled(Role::Label, true, &words));
        draw(ui, ctx, rect, bar, name, &font, (&x_of, name_width));
        response.on_hover_text(words);
    }
    if n_all > bars.len() {
        ui.label(weak(ctx, format!("and {} more", n_all - bars.len())));
    }
    ui.add_space(GAP * 0.5);
}

/// A single trial has no error to draw.
fn sem(bar: &Tuned) -> f32 {
    if bar.sem.is_finite() { bar.sem } else { 0.0 }
}

fn names_width(ui: &Ui, responses: &Responses, bars: &[&Tuned], font: &FontId) -> f32 {
    let width = |bar: &&Tuned| {
        let name = responses.categories[bar.category].clone();
        let ink = egui::Color32::PLACEHOLDER;
        let galley = ui.painter().layout_no_wrap(name, font.clone(), ink);
        galley.size().x
    };
    bars.iter().map(width).fold(0.0, f32::max)
}

fn draw(
    ui: &Ui,
    ctx: &Ctx<'_>,
    rect: Rect,
    bar: &Tuned,
    name: &str,
    font: &FontId,
    (x_of, name_width): (&dyn Fn(f32) -> f32, f32),
) {
    let painter = ui.painter().with_clip_rect(rect);
    let middle = rect.center().y;
    let mut job = egui::text::LayoutJob::simple(
        name.to_owned(),
        font.clone(),
        ctx.theme.text,
        name_width + 1.0,
    );
    job.wrap.max_rows = 1;
    job.wrap.break_anywhere = true;
    let galley = painter.layout_job(job);
    let top = middle - galley.size().y / 2.0;
    let text_at = pos2(rect.left() + name_width - galley.size().x, top);
    painter.galley(text_at, galley, ctx.theme.text);

    let at = |value: f32| rect.left() + x_of(value);
    let (zero, end) = (at(0.0), at(bar.mean));
    let body = Rect::from_x_y_ranges(
        zero.min(end)..=zero.max(end),
        middle - 0.36 * ROW..=middle + 0.36 * ROW,
    );
    let colour = ctx.theme.condition(bar.category);
    painter.rect_filled(body, 1.5, colour.gamma_multiply(0.85));
    let ink = Stroke::new(1.3, ctx.theme.strong);
    let (from, to) = (at(bar.mean - sem(bar)), at(bar.mean + sem(bar)));
    painter.line_segment([pos2(from, middle), pos2(to, middle)], ink);
    for x in [from, to] {
        painter.line_segment([pos2(x, middle - 3.0), pos2(x, middle + 3.0)], ink);
    }
    painter.line_segment(
        [pos2(zero, rect.top()), pos2(zero, rect.bottom())],
        Stroke::new(1.0, ctx.theme.weak),
    );
    painter.text(
        pos2(rect.right(), middle),
        Align2::RIGHT_CENTER,
        short(f64::from(bar.mean)),
        font.clone(),
        ctx.theme.text,
    );
}
