//! Voxels by what their noise allows and what the model reaches.

use plotters::element::{PathElement, Rectangle, Text};
use plotters::prelude::DrawingBackend;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::frame::Frame;
use crate::report::draw::{Area, Draw, Drawn, FAINT, INK, shade, text};

/// Bins of the histogram for a range of 1.
const COARSE: f64 = 25.0;

/// A histogram in two dimensions, with the line that no model can pass.
pub(super) struct Cloud {
    pub(super) points: Vec<(f64, f64)>,
}

impl Draw for Cloud {
    fn size(&self) -> (u32, u32) {
        (560, 520)
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let tenth = |v: f64, up: bool| {
            if up {
                (v * 10.0).ceil() / 10.0
            } else {
                (v * 10.0).floor() / 10.0
            }
        };
        let most = self.points.iter().map(|p| p.0.max(p.1)).fold(0.0, f64::max);
        let least = self.points.iter().map(|p| p.1).fold(0.0, f64::min);
        let (low, high) = (tenth(least, false), tenth(most, true));
        let frame = Frame {
            left: 80,
            top: 44,
            width: 440,
            height: 400,
            x: (
                tenth(self.points.iter().map(|p| p.0).fold(1.0, f64::min), false),
                high,
            ),
            y: (low, high),
            k: area.k as i32,
        };
        frame.grid(
            area,
            "largest r that the noise allows (root of the ceiling)",
            "r of held-out trials",
        )?;
        let mut counts: std::collections::BTreeMap<(i64, i64), u32> =
            std::collections::BTreeMap::new();
        for (x, y) in &self.points {
            *counts
                .entry(((x * COARSE).floor() as i64, (y * COARSE).floor() as i64))
                .or_default() += 1;
        }
        let fullest = f64::from(counts.values().copied().max().unwrap_or(1));
        for ((i, j), n) in counts {
            let (x, y) = (i as f64 / COARSE, j as f64 / COARSE);
            let corners = [frame.at(x, y + 1.0 / COARSE), frame.at(x + 1.0 / COARSE, y)];
            let share = (f64::from(n) / fullest).sqrt();
            area.draw(&Rectangle::new(
                corners,
                shade(0.15 + 0.85 * share).filled(),
            ))?;
        }
        let from = frame.x.0.max(frame.y.0);
        let line = vec![frame.at(from, from), frame.at(high, high)];
        area.draw(&PathElement::new(line, INK.stroke_width(2 * area.k)))?;
        let zero = vec![frame.at(frame.x.0, 0.0), frame.at(high, 0.0)];
        area.draw(&PathElement::new(zero, FAINT.stroke_width(area.k)))?;
        let title = format!(
            "{} voxels, darker where there are more; the line is a perfect model",
            self.points.len()
        );
        let style = text(13 * area.k, FAINT, HPos::Left, VPos::Center);
        area.draw(&Text::new(
            title,
            (80 * area.k as i32, 22 * area.k as i32),
            style,
        ))
    }
}
