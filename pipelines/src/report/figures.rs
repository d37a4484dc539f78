//! The scores beside their controls, and the confusion matrix.

use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, FontTransform};

use crate::Result;
use crate::decode::{Score, Scores};
use crate::report::draw::{
    self, Area, BLUE, Draw, Drawn, FAINT, Figure, INK, RULE, longest, shade, short, text,
};

/// Bars of the scores, with chance as a line and the shuffled control as a dot with its spread.
pub(super) fn scores(scores: &Scores) -> Result<Figure> {
    let rows = scores
        .named()
        .into_iter()
        .filter_map(|(name, score)| Some((name, score?)))
        .collect();
    draw::figure(&Bars { rows })
}

struct Bars {
    rows: Vec<(&'static str, Score)>,
}

/// What plotters sets vertically centred text too high by, at the sizes used here.
const DROP: i32 = 2;

const ROW: i32 = 46;
const BARS_LEFT: i32 = 190;
const BARS_WIDTH: i32 = 400;
const BARS_TOP: i32 = 52;

impl Draw for Bars {
    fn size(&self) -> (u32, u32) {
        (
            680,
            (BARS_TOP as u32 + ROW as u32 * self.rows.len() as u32 + 40),
        )
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let k = area.k as i32;
        let at = |x: i32, y: i32| (x * k, y * k);
        let font = |height: u32, colour: RGBColor, h, v| text(height * area.k, colour, h, v);
        let lowest = self
            .rows
            .iter()
            .map(|(_, s)| s.value.min(s.chance).min(s.shuffled))
            .fold(0.0, f64::min);
        let low = (lowest * 5.0).floor() / 5.0;
        let x = |value: f64| {
            let share = ((value - low) / (1.0 - low)).clamp(0.0, 1.0);
            (f64::from(BARS_LEFT * k) + share * f64::from(BARS_WIDTH * k)).round() as i32
        };
        let bottom = BARS_TOP + ROW * self.rows.len() as i32;

        let n_ticks = ((1.0 - low) / 0.2).round() as i32;
        for tick in 0..=n_ticks {
            let value = low + 0.2 * f64::from(tick);
            let line = vec![(x(value), BARS_TOP * k), (x(value), bottom * k)];
            area.draw(&PathElement::new(line, RULE.stroke_width(area.k)))?;
            let label = format!("{:.1}", if value.abs() < 1e-9 { 0.0 } else { value });
            area.draw(&Text::new(
                label,
                (x(value), (bottom + 8) * k),
                font(12, FAINT, HPos::Center, VPos::Top),
            ))?;
        }
        for (i, (name, score)) in self.rows.iter().enumerate() {
            let middle = BARS_TOP + ROW * i as i32 + ROW / 2;
            let (top, base) = ((middle - 12) * k, (middle + 12) * k);
            area.draw(&Text::new(
                *name,
                at(BARS_LEFT - 12, middle + DROP),
                font(14, INK, HPos::Right, VPos::Center),
            ))?;
            let (from, to) = (x(0.0).min(x(score.value)), x(0.0).max(x(score.value)));
            area.draw(&Rectangle::new([(from, top), (to, base)], BLUE.filled()))?;
            let chance = vec![
                (x(score.chance), top - 5 * k),
                (x(score.chance), base + 5 * k),
            ];
            area.draw(&PathElement::new(chance, INK.stroke_width(2 * area.k)))?;
            if score.shuffled.is_finite() {
                let y = middle * k;
                let spread = [
                    score.shuffled - score.shuffled_sd,
                    score.shuffled + score.shuffled_sd,
                ];
                // White below the orange keeps the mark visible on the bar.
                for (colour, width, radius) in [
                    (RGBColor(255, 255, 255), 5, 7),
                    (RGBColor(240, 140, 20), 2, 5),
                ] {
                    let line = spread.iter().map(|v| (x(*v), y)).collect::<Vec<_>>();
                    area.draw(&PathElement::new(line, colour.stroke_width(width * area.k)))?;
                    area.draw(&Circle::new(
                        (x(score.shuffled), y),
                        radius * k,
                        colour.filled(),
                    ))?;
                }
            }
            let value = format!("{:.3}", score.value);
            let place = at(BARS_LEFT + BARS_WIDTH + 14, middle + DROP);
            area.draw(&Text::new(
                value,
                place,
                font(15, INK, HPos::Left, VPos::Center),
            ))?;
        }
        self.legend(area)
    }
}

impl Bars {
    fn legend<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let k = area.k as i32;
        let y = 24 * k;
        let font = || text(13 * area.k, FAINT, HPos::Left, VPos::Center);
        let mut x = BARS_LEFT * k;
        area.draw(&Rectangle::new(
            [(x, y - 6 * k), (x + 18 * k, y + 6 * k)],
            BLUE.filled(),
        ))?;
        area.draw(&Text::new(
            "held-out trials",
            (x + 26 * k, y + DROP * k),
            font(),
        ))?;
        x += 152 * k;
        area.draw(&PathElement::new(
            vec![(x, y - 8 * k), (x, y + 8 * k)],
            INK.stroke_width(2 * area.k),
        ))?;
        area.draw(&Text::new("chance", (x + 8 * k, y + DROP * k), font()))?;
        x += 86 * k;
        let orange = RGBColor(240, 140, 20);
        area.draw(&PathElement::new(
            vec![(x, y), (x + 22 * k, y)],
            orange.stroke_width(2 * area.k),
        ))?;
        area.draw(&Circle::new((x + 11 * k, y), 5 * k, orange.filled()))?;
        area.draw(&Text::new(
            "shuffled brain ± SD",
            (x + 30 * k, y + DROP * k),
            font(),
        ))
    }
}

/// Trials by condition shown (rows) and named (columns).
pub(super) fn confusion(conditions: &[String], counts: &[Vec<usize>]) -> Result<Figure> {
    draw::figure(&Confusion {
        conditions: conditions.to_vec(),
        counts: counts.to_vec(),
    })
}

/// Longer names are cut.
const MOST_LETTERS: usize = 16;

struct Confusion {
    conditions: Vec<String>,
    counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// Room for the longest name, beside the grid and above it.
    fn labels(&self) -> i32 {
        (longest(&self.conditions, MOST_LETTERS) * 9 + 24).max(84)
    }

    fn cell(&self) -> i32 {
        (560 / self.conditions.len().max(1) as i32).clamp(12, 64)
    }
}

impl Draw for Confusion {
    fn size(&self) -> (u32, u32) {
        let (grid, labels) = (self.cell() * self.conditions.len() as i32, self.labels());
        ((labels + grid + 40) as u32, (labels + grid + 24) as u32)
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let k = area.k as i32;
        let (cell, labels) = (self.cell(), self.labels());
        let n = self.conditions.len() as i32;
        let font = |height: u32, colour: RGBColor, h, v| text(height * area.k, colour, h, v);
        let label = (cell as u32 * 2 / 3).clamp(8, 14);
        for (r, (name, row)) in self.conditions.iter().zip(&self.counts).enumerate() {
            let y = labels + r as i32 * cell;
            let total = row.iter().sum::<usize>().max(1) as f64;
            let style = font(label, INK, HPos::Right, VPos::Center);
            area.draw(&Text::new(
                short(name, MOST_LETTERS),
                ((labels - 10) * k, (y + cell / 2) * k),
                style,
            ))?;
            for (c, &count) in row.iter().enumerate() {
                let x = labels + c as i32 * cell;
                let share = count as f64 / total;
                let corners = [(x * k, y * k), ((x + cell) * k, (y + cell) * k)];
                area.draw(&Rectangle::new(corners, shade(share).filled()))?;
                if count > 0 && cell >= 18 {
                    let colour = if share > 0.5 {
                        RGBColor(255, 255, 255)
                    } else {
                        INK
                    };
                    let style = font(
                        (cell as u32 / 3).clamp(9, 16),
                        colour,
                        HPos::Center,
                        VPos::Center,
                    );
                    let middle = ((x + cell / 2) * k, (y + cell / 2) * k);
                    area.draw(&Text::new(count.to_string(), middle, style))?;
                }
            }
        }
        for (c, name) in self.conditions.iter().enumerate() {
            let x = labels + c as i32 * cell + cell / 2;
            let style =
                font(label, INK, HPos::Left, VPos::Center).transform(FontTransform::Rotate270);
            area.draw(&Text::new(
                short(name, MOST_LETTERS),
                (x * k, (labels - 10) * k),
                style,
            ))?;
        }
        for i in 0..=n {
            let (near, far, at) = (labels * k, (labels + n * cell) * k, (labels + i * cell) * k);
            area.draw(&PathElement::new(
                vec![(near, at), (far, at)],
                RULE.stroke_width(area.k),
            ))?;
            area.draw(&PathElement::new(
                vec![(at, near), (at, far)],
                RULE.stroke_width(area.k),
            ))?;
        }
        let corner = |y: i32| ((labels - 10) * k, y * k);
        area.draw(&Text::new(
            "shown ↓",
            corner(labels - 24),
            font(13, FAINT, HPos::Right, VPos::Center),
        ))?;
        area.draw(&Text::new(
            "named →",
            corner(labels - 44),
            font(13, FAINT, HPos::Right, VPos::Center),
        ))
    }
}
