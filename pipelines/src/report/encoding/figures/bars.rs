//! A bar a region: what each feature space predicts, within what can be predicted.

use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::frame::Frame;
use super::{DROP, ORANGE};
use crate::report::draw::{Area, BLUE, Draw, Drawn, FAINT, INK, RULE, short, text};

/// What stands for feature spaces, in their order (Okabe & Ito's colours without black).
const SPACES: [RGBColor; 6] = [
    BLUE,
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
];

pub(super) struct Bar {
    pub(super) name: String,
    pub(super) n: usize,
    pub(super) parts: Vec<f64>,
    pub(super) r2: f64,
    pub(super) shuffled: f64,
    pub(super) ceiling: Option<f64>,
}

pub(super) struct Bars {
    pub(super) rows: Vec<Bar>,
    pub(super) spaces: Vec<String>,
}

const ROW: i32 = 26;
const TOP: i32 = 64;
const LEFT: i32 = 150;
const WIDTH: i32 = 420;

impl Draw for Bars {
    fn size(&self) -> (u32, u32) {
        let height = TOP + ROW * self.rows.len() as i32 + 60;
        (690, height as u32)
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let k = area.k as i32;
        let reach = |b: &Bar| {
            b.ceiling
                .unwrap_or(0.0)
                .max(b.r2)
                .max(b.parts.iter().filter(|p| **p > 0.0).sum())
        };
        let high = self.rows.iter().map(reach).fold(0.05, f64::max);
        let low = self
            .rows
            .iter()
            .map(|b| {
                b.parts
                    .iter()
                    .filter(|p| **p < 0.0)
                    .sum::<f64>()
                    .min(b.shuffled.min(0.0))
            })
            .fold(0.0, f64::min);
        let frame = Frame {
            left: LEFT,
            top: TOP,
            width: WIDTH,
            height: ROW * self.rows.len() as i32,
            x: (low.min(-0.01) * 1.05, high * 1.05),
            y: (0.0, 1.0),
            k,
        };
        frame.grid(
            area,
            "share of the variance of held-out single trials (R²)",
            "",
        )?;
        for (i, bar) in self.rows.iter().enumerate() {
            let middle = TOP + ROW * i as i32 + ROW / 2;
            let x = |value: f64| frame.at(value, 0.0).0;
            let style = text(13 * area.k, INK, HPos::Right, VPos::Center);
            let place = ((LEFT - 10) * k, (middle + DROP) * k);
            area.draw(&Text::new(short(&bar.name, 18), place, style))?;
            if let Some(ceiling) = bar.ceiling {
                let corners = [(x(0.0), (middle - 10) * k), (x(ceiling), (middle + 10) * k)];
                area.draw(&Rectangle::new(corners, RULE.filled()))?;
            }
            let (mut up, mut down) = (0.0, 0.0);
            for (space, part) in bar.parts.iter().enumerate().filter(|p| p.1.is_finite()) {
                let from = if *part >= 0.0 { &mut up } else { &mut down };
                let corners = [
                    (x(*from), (middle - 7) * k),
                    (x(*from + part), (middle + 7) * k),
                ];
                area.draw(&Rectangle::new(
                    corners,
                    SPACES[space % SPACES.len()].filled(),
                ))?;
                *from += part;
            }
            let edge = vec![
                (x(bar.r2), (middle - 10) * k),
                (x(bar.r2), (middle + 10) * k),
            ];
            area.draw(&PathElement::new(edge, INK.stroke_width(2 * area.k)))?;
            if bar.shuffled.is_finite() {
                let place = (x(bar.shuffled), middle * k);
                area.draw(&Circle::new(place, 4 * k, RGBColor(255, 255, 255).filled()))?;
                area.draw(&Circle::new(place, 3 * k, ORANGE.filled()))?;
            }
            let of_ceiling = bar.ceiling.filter(|c| *c > 0.0);
            let words = match of_ceiling {
                Some(c) => format!("{:.0} %, {}", 100.0 * bar.r2 / c, bar.n),
                None => format!("{:.3}, {}", bar.r2, bar.n),
            };
            let style = text(12 * area.k, FAINT, HPos::Left, VPos::Center);
            let place = ((LEFT + WIDTH + 12) * k, (middle + DROP) * k);
            area.draw(&Text::new(words, place, style))?;
        }
        self.legend(area)
    }
}

impl Bars {
    fn legend<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let k = area.k as i32;
        let font = || text(13 * area.k, FAINT, HPos::Left, VPos::Center);
        let mut x = LEFT;
        let y = 20;
        for (space, name) in self.spaces.iter().enumerate() {
            let name = short(name, 14);
            let corners = [(x * k, (y - 6) * k), ((x + 14) * k, (y + 6) * k)];
            area.draw(&Rectangle::new(
                corners,
                SPACES[space % SPACES.len()].filled(),
            ))?;
            area.draw(&Text::new(
                name.clone(),
                ((x + 20) * k, (y + DROP) * k),
                font(),
            ))?;
            x += 34 + 8 * name.chars().count() as i32;
        }
        let (mut x, y) = (LEFT, 44);
        if self.rows.iter().any(|b| b.ceiling.is_some()) {
            let corners = [(x * k, (y - 7) * k), ((x + 14) * k, (y + 7) * k)];
            area.draw(&Rectangle::new(corners, RULE.filled()))?;
            area.draw(&Text::new(
                "noise ceiling",
                ((x + 20) * k, (y + DROP) * k),
                font(),
            ))?;
            x += 122;
        }
        let line = vec![(x * k, (y - 8) * k), (x * k, (y + 8) * k)];
        area.draw(&PathElement::new(line, INK.stroke_width(2 * area.k)))?;
        area.draw(&Text::new("model", ((x + 8) * k, (y + DROP) * k), font()))?;
        x += 66;
        area.draw(&Circle::new(((x + 4) * k, y * k), 3 * k, ORANGE.filled()))?;
        area.draw(&Text::new(
            "shuffled",
            ((x + 14) * k, (y + DROP) * k),
            font(),
        ))?;
        x += 86;
        area.draw(&Text::new(
            "right: share of the ceiling, voxels",
            (x * k, (y + DROP) * k),
            font(),
        ))
    }
}
