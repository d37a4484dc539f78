//! How the numbers of the map are spread, beside those of exchanged labels.

use std::sync::Arc;

use egui::{Align2, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use super::statistic_name;
use crate::panels::{Ctx, short};
use crate::session::selected::MapNow;
use crate::theme;

const BINS: usize = 56;
/// Height of the bars, points.
const HEIGHT: f32 = 52.0;

/// Counts, kept until the map or its null is another.
#[derive(Debug, Default)]
pub(super) struct Picture {
    of: Option<(u64, usize)>,
    range: (f32, f32),
    counts: Vec<usize>,
    shown: Vec<usize>,
    /// Share of the exchanged labels' numbers in each bin.
    null: Vec<f32>,
    /// Distances from nothing: of 95 % of single features, and of the strongest of all in 95 % of labellings.
    quantiles: Option<(f32, f32)>,
    n_permutations: usize,
}

impl Picture {
    pub(super) fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, now: &MapNow) {
        let null = ctx.session.selected.null.as_ref();
        let of = (now.revision, null.map_or(0, |n| Arc::as_ptr(n).addr()));
        if self.of != Some(of) {
            self.of = Some(of);
            self.count(ctx, now);
        }
        let width = ui.available_width().min(420.0);
        let (rect, response) = ui.allocate_exact_size(vec2(width, HEIGHT + 16.0), Sense::hover());
        let name = format!("Histogram of {}", statistic_name(now.map.statistic));
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
        let plot = Rect::from_min_size(rect.min, vec2(width, HEIGHT));
        let (low, high) = self.range;
        let x_of = |value: f32| plot.left() + width * (value - low) / (high - low);
        let most = self.counts.iter().copied().max().unwrap_or(1).max(1) as f32;
        // Most features differ little: a root shows the few that differ much.
        let height = |n: f32| HEIGHT * (n / most).sqrt();
        let painter = ui.painter();
        let bar = width / BINS as f32;
        for (bin, (all, shown)) in self.counts.iter().zip(&self.shown).enumerate() {
            let left = plot.left() + bin as f32 * bar;
            let column = |n: usize| {
                let top = plot.bottom() - height(n as f32);
                Rect::from_min_max(pos2(left, top), pos2(left + bar - 0.5, plot.bottom()))
            };
            painter.rect_filled(column(*all), 0.0, ctx.theme.lifted);
            if *shown > 0 {
                painter.rect_filled(column(*shown), 0.0, ctx.theme.accent);
            }
        }
        let n = now.order.len() as f32;
        if !self.null.is_empty() {
            let at = |(bin, share): (usize, &f32)| {
                let x = plot.left() + (bin as f32 + 0.5) * bar;
                pos2(x, plot.bottom() - height(share * n).min(HEIGHT))
            };
            let line: Vec<egui::Pos2> = self.null.iter().enumerate().map(at).collect();
            painter.add(Shape::line(line, Stroke::new(1.4, ctx.theme.warn)));
        }
        let none = now.map.statistic.none();
        let signed = now.map.statistic.is_signed();
        let font = theme::small_font();
        if let Some((_, largest)) = self.quantiles {
            let sides: &[f32] = if signed { &[-1.0, 1.0] } else { &[1.0] };
            for side in sides {
                let x = x_of(none + side * largest);
                if plot.x_range().contains(x) {
                    let line = Stroke::new(1.0, ctx.theme.warn);
                    painter.add(Shape::dashed_line(
                        &[pos2(x, plot.top()), pos2(x, plot.bottom())],
                        line,
                        3.0,
                        3.0,
                    ));
                }
            }
        }
        painter.hline(
            plot.x_range(),
            plot.bottom(),
            Stroke::new(1.0, ctx.theme.line),
        );
        let label = |value: f32, align: Align2, x: f32| {
            let at = pos2(x, plot.bottom() + 2.0);
            painter.text(
                at,
                align,
                short(f64::from(value)),
                font.clone(),
                ctx.theme.weak,
            );
        };
        label(low, Align2::LEFT_TOP, plot.left());
        label(high, Align2::RIGHT_TOP, plot.right());
        painter.text(
            pos2(plot.center().x, plot.bottom() + 2.0),
            Align2::CENTER_TOP,
            statistic_name(now.map.statistic),
            font,
            ctx.theme.weak,
        );
        response.on_hover_text(self.words(now));
    }

    fn count(&mut self, ctx: &Ctx<'_>, now: &MapNow) {
        let values = &now.map.values;
        let none = now.map.statistic.none();
        let finite = || now.order.iter().map(|&c| values[c]);
        let (least, most) = finite().fold((none, none), |(l, m), v| (l.min(v), m.max(v)));
        let null = ctx.session.selected.null.as_ref();
        let largest = null.and_then(|n| n.threshold(0.05));
        let reach = largest.unwrap_or(0.0) * 1.08;
        let signed = now.map.statistic.is_signed();
        self.range = if signed {
            let reach = (most - none).max(none - least).max(reach).max(1e-6);
            (none - reach, none + reach)
        } else {
            (none, (most).max(none + reach).max(none + 1e-6))
        };
        let (low, high) = self.range;
        let bin = |v: f32| {
            let share = (v - low) / (high - low);
            ((share * BINS as f32) as usize).min(BINS - 1)
        };
        self.counts = vec![0; BINS];
        self.shown = vec![0; BINS];
        for &column in &now.order {
            let bin = bin(values[column]);
            self.counts[bin] += 1;
            self.shown[bin] += usize::from(now.shown[column]);
        }
        self.null.clear();
        self.quantiles = None;
        if let Some(null) = null.filter(|n| !n.values.is_empty()) {
            let mut counts = vec![0usize; BINS];
            for &v in null.values.iter().filter(|v| (low..=high).contains(*v)) {
                counts[bin(v)] += 1;
            }
            let n = null.values.len() as f32;
            self.null = counts.into_iter().map(|c| c as f32 / n).collect();
            self.quantiles = null.quantile(0.95).zip(largest);
            self.n_permutations = null.largest.len();
        }
    }

    fn words(&self, now: &MapNow) -> String {
        let mut words = format!(
            "{} of {} features (heights by their root); blue are those shown.",
            statistic_name(now.map.statistic),
            now.order.len()
        );
        if let Some(threshold) = now.threshold() {
            let from = short(f64::from(threshold));
            words.push_str(&format!(" The weakest of them is {from} from nothing."));
        }
        match self.quantiles {
            Some((single, largest)) => words.push_str(&format!(
                "\nYellow: with labels exchanged within runs, {} times. 95 % of single features then stay below {}, and in 95 % of labellings the strongest of all stays below {} (dashed): what lies beyond is not found by searching many features.",
                self.n_permutations,
                short(f64::from(single)),
                short(f64::from(largest))
            )),
            None => words.push_str("\nWhat exchanged labels give is on its way, or labels cannot be exchanged."),
        }
        words
    }
}
