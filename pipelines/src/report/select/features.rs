//! The strongest features as bars.

use plotters::element::{PathElement, Rectangle, Text};
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::{DROP, PALE_BLUE, Selected};
use crate::Result;
use crate::report::draw::{self, Area, BLUE, Draw, Drawn, FAINT, Figure, INK, short, text};
use crate::select::FeatureRef;

/// The strongest features, with how many folds picked them.
pub(super) fn features(selected: &Selected<'_>) -> Result<Figure> {
    let map = selected.map;
    let n_folds = super::n_folds(selected);
    let strength = |c: usize| (map.values[c] - map.statistic.none()).abs();
    let mut order: Vec<usize> = (0..map.values.len())
        .filter(|&c| map.values[c].is_finite())
        .collect();
    order.sort_by(|&a, &b| strength(b).total_cmp(&strength(a)));
    // What was picked comes first where neighbours of the picked crowd the list.
    let basket = &selected.evaluation.basket.features;
    let few = order.len() <= 40;
    let shown: Vec<usize> = order
        .into_iter()
        .filter(|&c| few || basket.contains(&selected.table.columns[c].feature))
        .take(40)
        .collect();
    let label = |c: usize| {
        let column = &selected.table.columns[c];
        let region = column.region.and_then(|r| selected.table.regions.get(r));
        match (&column.feature, region) {
            (FeatureRef::Voxel { .. } | FeatureRef::Vertex { .. }, Some(region)) => {
                format!("{} ({region})", column.feature)
            }
            (feature, _) => feature.to_string(),
        }
    };
    draw::figure(&Bars {
        rows: shown
            .into_iter()
            .map(|c| Bar {
                label: label(c),
                value: f64::from(map.values[c]),
                n_folds: n_folds[c],
                sure: map.q[c] <= 0.05,
            })
            .collect(),
        none: f64::from(map.statistic.none()),
        name: map.statistic.name(),
        n_folds: selected.evaluation.repicked.folds.len(),
        threshold: selected.null.threshold(0.05).map(f64::from),
    })
}

struct Bar {
    label: String,
    value: f64,
    n_folds: usize,
    sure: bool,
}

struct Bars {
    rows: Vec<Bar>,
    none: f64,
    name: &'static str,
    n_folds: usize,
    threshold: Option<f64>,
}

const BAR: i32 = 20;
const BAR_LEFT: i32 = 220;
const BAR_WIDTH: i32 = 360;
const BAR_TOP: i32 = 46;

impl Draw for Bars {
    fn size(&self) -> (u32, u32) {
        let height = BAR_TOP + BAR * self.rows.len().max(1) as i32 + 46;
        ((BAR_LEFT + BAR_WIDTH + 110) as u32, height as u32)
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let k = area.k as i32;
        let font = |height: u32, colour: RGBColor, h, v| text(height * area.k, colour, h, v);
        let values = || self.rows.iter().map(|r| r.value).chain([self.none]);
        let reach = |v: f64| {
            self.threshold
                .map_or(v, |t| if self.none + t > v { self.none + t } else { v })
        };
        let (low, high) = (
            values().fold(f64::INFINITY, f64::min),
            values().fold(f64::NEG_INFINITY, f64::max),
        );
        let high = reach(high);
        let span = (high - low).max(1e-9);
        let x = |v: f64| {
            (f64::from(BAR_LEFT * k) + (v - low) / span * f64::from(BAR_WIDTH * k)).round() as i32
        };
        let bottom = BAR_TOP + BAR * self.rows.len() as i32;
        let zero = vec![(x(self.none), BAR_TOP * k), (x(self.none), bottom * k)];
        for (i, bar) in self.rows.iter().enumerate() {
            let middle = BAR_TOP + BAR * i as i32 + BAR / 2;
            area.draw(&Text::new(
                short(&bar.label, 30),
                ((BAR_LEFT - 10) * k, (middle + DROP) * k),
                font(12, INK, HPos::Right, VPos::Center),
            ))?;
            let (from, to) = (
                x(self.none).min(x(bar.value)),
                x(self.none).max(x(bar.value)),
            );
            let colour = if bar.sure { BLUE } else { PALE_BLUE };
            area.draw(&Rectangle::new(
                [(from, (middle - 6) * k), (to, (middle + 6) * k)],
                colour.filled(),
            ))?;
            area.draw(&Text::new(
                format!("{} / {}", bar.n_folds, self.n_folds),
                ((BAR_LEFT + BAR_WIDTH + 60) * k, (middle + DROP) * k),
                font(12, FAINT, HPos::Center, VPos::Center),
            ))?;
        }
        area.draw(&PathElement::new(zero, INK.stroke_width(area.k)))?;
        let signed = low < self.none - 1e-9;
        let limits = self.threshold.into_iter().flat_map(|t| {
            let below = signed.then_some(self.none - t);
            std::iter::once(self.none + t).chain(below)
        });
        for limit in limits.filter(|l| *l >= low - 1e-9 && *l <= high + 1e-9) {
            // Dashes by hand: the same on every backend.
            let mut y = BAR_TOP;
            while y < bottom {
                let dash = vec![(x(limit), y * k), (x(limit), (y + 5).min(bottom) * k)];
                area.draw(&PathElement::new(dash, INK.stroke_width(area.k)))?;
                y += 9;
            }
        }
        for value in [low, high] {
            let style = font(12, FAINT, HPos::Center, VPos::Top);
            area.draw(&Text::new(
                format!("{value:.2}"),
                (x(value), (bottom + 6) * k),
                style,
            ))?;
        }
        area.draw(&Text::new(
            self.name,
            ((BAR_LEFT + BAR_WIDTH / 2) * k, (bottom + 20) * k),
            font(13, INK, HPos::Center, VPos::Top),
        ))?;
        area.draw(&Text::new(
            "picked by folds",
            ((BAR_LEFT + BAR_WIDTH + 60) * k, (BAR_TOP - 12) * k),
            font(12, FAINT, HPos::Center, VPos::Center),
        ))?;
        self.legend(area)
    }
}

impl Bars {
    fn legend<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let k = area.k as i32;
        let font = || text(12 * area.k, FAINT, HPos::Left, VPos::Center);
        let y = 16 * k;
        let mut x = 16 * k;
        for (colour, words, width) in [(BLUE, "q ≤ 0.05", 86), (PALE_BLUE, "q > 0.05", 86)] {
            area.draw(&Rectangle::new(
                [(x, y - 6 * k), (x + 14 * k, y + 6 * k)],
                colour.filled(),
            ))?;
            area.draw(&Text::new(words, (x + 20 * k, y + DROP * k), font()))?;
            x += width * k;
        }
        if self.threshold.is_some() {
            for part in 0..2 {
                let from = y + (9 * part - 7) * k;
                area.draw(&PathElement::new(
                    vec![(x + 3 * k, from), (x + 3 * k, from + 5 * k)],
                    INK.stroke_width(area.k),
                ))?;
            }
            let words = "largest of the map in 5 % of permuted labels";
            area.draw(&Text::new(words, (x + 12 * k, y + DROP * k), font()))?;
        }
        Ok(())
    }
}
