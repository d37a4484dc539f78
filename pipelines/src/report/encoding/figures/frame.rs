//! A plot area with linear axes, as the figures of encoding models have it.

use plotters::element::{PathElement, Text};
use plotters::prelude::DrawingBackend;
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, FontTransform};

use super::DROP;
use crate::report::draw::{Area, Drawn, FAINT, INK, RULE, text};

/// A plot area in pixels with linear axes.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: i32,
    pub(super) top: i32,
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) x: (f64, f64),
    pub(super) y: (f64, f64),
    pub(super) k: i32,
}

impl Frame {
    pub(super) fn at(&self, x: f64, y: f64) -> (i32, i32) {
        let share = |v: f64, (low, high): (f64, f64)| (v - low) / (high - low);
        let px = f64::from(self.left) + share(x, self.x) * f64::from(self.width);
        let py = f64::from(self.top) + (1.0 - share(y, self.y)) * f64::from(self.height);
        let k = f64::from(self.k);
        ((px * k).round() as i32, (py * k).round() as i32)
    }

    fn ticks((low, high): (f64, f64)) -> Vec<f64> {
        let step = if high - low > 0.6 { 0.2 } else { 0.1 };
        let first = (low / step - 1e-9).ceil() as i32;
        let last = (high / step + 1e-9).floor() as i32;
        (first..=last).map(|i| f64::from(i) * step).collect()
    }

    pub(super) fn grid<DB: DrawingBackend>(&self, area: &Area<DB>, x: &str, y: &str) -> Drawn<DB> {
        let (k, size) = (self.k as u32, 12 * self.k as u32);
        for tick in Self::ticks(self.x) {
            let (top, bottom) = (self.at(tick, self.y.1), self.at(tick, self.y.0));
            area.draw(&PathElement::new(vec![top, bottom], RULE.stroke_width(k)))?;
            let style = text(size, FAINT, HPos::Center, VPos::Top);
            let label = format!("{:.1}", tick + 0.0);
            area.draw(&Text::new(label, (bottom.0, bottom.1 + 6 * self.k), style))?;
        }
        if !y.is_empty() {
            for tick in Self::ticks(self.y) {
                let (left, right) = (self.at(self.x.0, tick), self.at(self.x.1, tick));
                area.draw(&PathElement::new(vec![left, right], RULE.stroke_width(k)))?;
                let style = text(size, FAINT, HPos::Right, VPos::Center);
                let label = format!("{:.1}", if tick.abs() < 1e-9 { 0.0 } else { tick });
                let place = (left.0 - 8 * self.k, left.1 + DROP * self.k);
                area.draw(&Text::new(label, place, style))?;
            }
            let style =
                text(14 * k, INK, HPos::Center, VPos::Center).transform(FontTransform::Rotate270);
            let middle = (self.top + self.height / 2) * self.k;
            area.draw(&Text::new(
                y.to_owned(),
                ((self.left - 52) * self.k, middle),
                style,
            ))?;
        }
        let style = text(14 * k, INK, HPos::Center, VPos::Top);
        let below = (self.top + self.height + 28) * self.k;
        let middle = (self.left + self.width / 2) * self.k;
        area.draw(&Text::new(x.to_owned(), (middle, below), style))
    }
}
