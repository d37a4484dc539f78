//! The score of every fold, both ways, against chance and against exchanged labels.

use egui::{Align2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};
use fusiform_pipelines::select::FoldScore;

use crate::panels::Ctx;
use crate::session::selected::ScoredParts;
use crate::theme;

/// Height of the plot, points.
const HEIGHT: f32 = 84.0;
/// Room for the numbers on the left, points.
const LEFT: f32 = 26.0;
/// Radius of a point.
const DOT: f32 = 3.6;

pub(super) fn ui(ui: &mut Ui, ctx: &Ctx<'_>, parts: &ScoredParts) {
    let outcome = &parts.outcome;
    let (repicked, fixed) = (&outcome.repicked.folds, &outcome.fixed.folds);
    if repicked.is_empty() {
        return;
    }
    let width = ui.available_width();
    let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT + 34.0), Sense::hover());
    let name = format!("Scores of {} folds", repicked.len());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
    let plot = Rect::from_min_max(
        rect.min + vec2(LEFT, 6.0),
        pos2(rect.right() - 4.0, rect.top() + 6.0 + HEIGHT),
    );
    let painter = ui.painter();
    let small = theme::small_font();
    let y_of = |share: f64| plot.bottom() - plot.height() * share as f32;
    for share in [0.0, 0.5, 1.0] {
        let y = y_of(share);
        painter.hline(plot.x_range(), y, Stroke::new(1.0, ctx.theme.line));
        let at = pos2(plot.left() - 4.0, y);
        let text = if share == 0.5 {
            ".5"
        } else if share == 0.0 {
            "0"
        } else {
            "1"
        };
        painter.text(
            at,
            Align2::RIGHT_CENTER,
            text,
            small.clone(),
            ctx.theme.weak,
        );
    }
    if let Some((low, high)) = middle_of_null(parts) {
        let band = Rect::from_min_max(pos2(plot.left(), y_of(high)), pos2(plot.right(), y_of(low)));
        painter.rect_filled(band, 0.0, ctx.theme.weak.gamma_multiply(0.22));
    }
    let chance = y_of(outcome.chance);
    painter.add(Shape::dashed_line(
        &[pos2(plot.left(), chance), pos2(plot.right(), chance)],
        Stroke::new(1.2, ctx.theme.text),
        5.0,
        4.0,
    ));
    let n = repicked.len();
    let step = plot.width() / n as f32;
    let mut hovered = None;
    for (place, fold) in repicked.iter().enumerate() {
        let x = plot.left() + (place as f32 + 0.5) * step;
        if let Some(other) = fixed.get(place) {
            let at = pos2(x - DOT - 0.5, y_of(other.accuracy()));
            painter.circle_stroke(at, DOT, Stroke::new(1.6, ctx.theme.badge));
        }
        let at = pos2(x + DOT + 0.5, y_of(fold.accuracy()));
        painter.circle_filled(at, DOT, ctx.theme.accent);
        let strip = Rect::from_min_max(
            pos2(x - step / 2.0, rect.top()),
            pos2(x + step / 2.0, rect.bottom()),
        );
        if response.hover_pos().is_some_and(|p| strip.contains(p)) {
            hovered = Some(place);
        }
    }
    let every = (26.0 / step).ceil().max(1.0) as usize;
    for (place, fold) in repicked.iter().enumerate().step_by(every) {
        let at = pos2(
            plot.left() + (place as f32 + 0.5) * step,
            plot.bottom() + 2.0,
        );
        let label: String = fold
            .label
            .chars()
            .take((step * every as f32 / 6.5) as usize)
            .collect();
        painter.text(at, Align2::CENTER_TOP, label, small.clone(), ctx.theme.weak);
    }
    legend(ui, ctx, pos2(plot.left(), plot.bottom() + 17.0));
    if let Some(place) = hovered {
        response.on_hover_text(words(&repicked[place], fixed.get(place)));
    }
}

/// Where nine in ten scores of exchanged labels lie.
fn middle_of_null(parts: &ScoredParts) -> Option<(f64, f64)> {
    let mut null = parts.evaluation.as_ref()?.null.clone();
    if null.len() < 20 {
        return None;
    }
    null.sort_by(f64::total_cmp);
    let at = |share: f64| null[((null.len() - 1) as f64 * share).round() as usize];
    Some((at(0.05), at(0.95)))
}

fn legend(ui: &Ui, ctx: &Ctx<'_>, at: egui::Pos2) {
    let painter = ui.painter();
    let small = theme::small_font();
    let mut x = at.x;
    let mut put = |text: &str, draw: &dyn Fn(egui::Pos2)| {
        let middle = pos2(x + 5.0, at.y + 8.0);
        draw(middle);
        let placed = painter.text(
            pos2(x + 14.0, at.y),
            Align2::LEFT_TOP,
            text,
            small.clone(),
            ctx.theme.weak,
        );
        x = placed.right() + 12.0;
    };
    put("fixed", &|p| {
        painter.circle_stroke(p, DOT, Stroke::new(1.6, ctx.theme.badge));
    });
    put("re-picked", &|p| {
        painter.circle_filled(p, DOT, ctx.theme.accent);
    });
    put("chance", &|p| {
        painter.hline(p.x - 5.0..=p.x + 5.0, p.y, Stroke::new(1.2, ctx.theme.text));
    });
    put("labels exchanged, 90 %", &|p| {
        let band = Rect::from_center_size(p, vec2(10.0, 8.0));
        painter.rect_filled(band, 0.0, ctx.theme.weak.gamma_multiply(0.35));
    });
}

fn words(repicked: &FoldScore, fixed: Option<&FoldScore>) -> String {
    let of = |fold: &FoldScore| {
        format!(
            "{:.3} ({} of {})",
            fold.accuracy(),
            fold.n_correct,
            fold.n_test
        )
    };
    let mut words = format!("Without {}: re-picked {}", repicked.label, of(repicked));
    if let Some(fixed) = fixed {
        words.push_str(&format!(", fixed {}", of(fixed)));
    }
    words.push_str(&format!("\n{} training rows", repicked.n_train));
    if let Some(choice) = &repicked.choice {
        words.push_str(&format!("; they chose {choice}"));
    }
    if !repicked.features.is_empty() {
        let some: Vec<&str> = repicked
            .features
            .iter()
            .take(8)
            .map(String::as_str)
            .collect();
        let more = repicked.features.len().saturating_sub(some.len());
        words.push_str(&format!("\npicked: {}", some.join(", ")));
        if more > 0 {
            words.push_str(&format!(" and {more} more"));
        }
    }
    words
}
