//! Connections as a matrix.

use plotters::element::{Rectangle, Text};
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, FontTransform};

use super::Selected;
use crate::Result;
use crate::report::draw::{
    self, Area, Draw, Drawn, FAINT, Figure, INK, RULE, longest, shade, short, text,
};
use crate::select::FeatureRef;

/// The statistic of every edge, regions × regions; what the basket holds is framed.
pub(super) fn edges(selected: &Selected<'_>) -> Result<Figure> {
    let names = selected.table.regions.clone();
    let mut cells = Vec::new();
    let basket = &selected.evaluation.basket.features;
    for (column, value) in selected.table.columns.iter().zip(&selected.map.values) {
        if let FeatureRef::FcEdge { a, b } = &column.feature {
            let place = |name: &String| names.iter().position(|n| n == name).unwrap_or(0);
            let (a, b) = (place(a), place(b));
            cells.push(Cell {
                row: a.max(b),
                column: a.min(b),
                value: f64::from(*value - selected.map.statistic.none()),
                framed: basket.contains(&column.feature),
            });
        }
    }
    draw::figure(&Edges {
        names,
        cells,
        name: selected.map.statistic.name(),
    })
}

struct Cell {
    row: usize,
    column: usize,
    value: f64,
    framed: bool,
}

struct Edges {
    names: Vec<String>,
    cells: Vec<Cell>,
    name: &'static str,
}

impl Edges {
    fn cell(&self) -> i32 {
        (560 / self.names.len().max(1) as i32).clamp(6, 32)
    }

    fn labels(&self) -> i32 {
        (longest(&self.names, 16) * 8 + 20).max(60)
    }
}

impl Draw for Edges {
    fn size(&self) -> (u32, u32) {
        let side = self.labels() + self.cell() * self.names.len() as i32 + 24;
        let side = side.max(360) as u32;
        (side, side)
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let k = area.k as i32;
        let (cell, labels) = (self.cell(), self.labels());
        let n = self.names.len() as i32;
        let font = |height: u32, colour: RGBColor, h, v| text(height * area.k, colour, h, v);
        let most = self
            .cells
            .iter()
            .map(|c| c.value.abs())
            .filter(|v| v.is_finite())
            .fold(1e-9, f64::max);
        let top = 16;
        for c in &self.cells {
            let (x, y) = (labels + c.column as i32 * cell, top + c.row as i32 * cell);
            let colour = if c.value.is_finite() {
                shade(c.value / most)
            } else {
                RULE
            };
            area.draw(&Rectangle::new(
                [(x * k, y * k), ((x + cell) * k, (y + cell) * k)],
                colour.filled(),
            ))?;
        }
        for c in self.cells.iter().filter(|c| c.framed) {
            let (x, y) = (labels + c.column as i32 * cell, top + c.row as i32 * cell);
            let corners = [(x * k, y * k), ((x + cell) * k, (y + cell) * k)];
            area.draw(&Rectangle::new(corners, INK.stroke_width(2 * area.k)))?;
        }
        let size = (cell as u32).clamp(7, 12);
        for (i, name) in self.names.iter().enumerate() {
            let middle = i as i32 * cell + cell / 2;
            // The first has no row, the last no column.
            if i > 0 {
                let place = ((labels - 8) * k, (top + middle) * k);
                let style = font(size, INK, HPos::Right, VPos::Center);
                area.draw(&Text::new(short(name, 16), place, style))?;
            }
            if i as i32 + 1 < n {
                let place = ((labels + middle) * k, (top + n * cell + 8) * k);
                let style =
                    font(size, INK, HPos::Right, VPos::Center).transform(FontTransform::Rotate270);
                area.draw(&Text::new(short(name, 16), place, style))?;
            }
        }
        self.legend(area, most)
    }
}

impl Edges {
    /// Colours from nothing to the most, in the free corner.
    fn legend<DB: DrawingBackend>(&self, area: &Area<DB>, most: f64) -> Drawn<DB> {
        let k = area.k as i32;
        let style = |h| text(12 * area.k, FAINT, h, VPos::Center);
        let signed = self.cells.iter().any(|c| c.value < 0.0);
        let low = if signed { -1.0 } else { 0.0 };
        let right = self.labels() + self.cell() * self.names.len() as i32;
        let (from, top) = (right - 120, 26);
        for step in 0..120 {
            let share = low + (1.0 - low) * f64::from(step) / 119.0;
            let corners = [
                ((from + step) * k, top * k),
                ((from + step + 1) * k, (top + 12) * k),
            ];
            area.draw(&Rectangle::new(corners, shade(share).filled()))?;
        }
        let frame = [(from * k, top * k), (right * k, (top + 12) * k)];
        area.draw(&Rectangle::new(frame, RULE.stroke_width(area.k)))?;
        let below = (top + 24) * k;
        let least = format!("{:.2}", low * most);
        area.draw(&Text::new(least, (from * k, below), style(HPos::Left)))?;
        area.draw(&Text::new(
            format!("{most:.2}"),
            (right * k, below),
            style(HPos::Right),
        ))?;
        area.draw(&Text::new(
            self.name,
            (right * k, 14 * k),
            style(HPos::Right),
        ))?;
        if self.cells.iter().any(|c| c.framed) {
            let words = "framed: in the basket";
            let place = (right * k, (top + 42) * k);
            area.draw(&Text::new(words, place, style(HPos::Right)))?;
        }
        Ok(())
    }
}
