//! The two scores side by side.

use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::{DROP, PALE_BLUE, PALE_ORANGE};
use crate::Result;
use crate::report::draw::{self, Area, BLUE, Draw, Drawn, FAINT, Figure, INK, ORANGE, RULE, text};
use crate::select::{Evaluation, Scored};

/// The two scores side by side: bars, a point a fold, chance as a line, permutations as a strip.
pub(super) fn scores(evaluation: &Evaluation) -> Result<Figure> {
    let way = |name: &'static str, scored: &Scored, badge: bool| Way {
        name,
        accuracy: scored.accuracy,
        folds: scored
            .folds
            .iter()
            .map(|f| (f.accuracy(), f.n_test))
            .collect(),
        p: scored.p,
        badge,
    };
    let words = format!(
        "{}; {} rows; {}",
        evaluation.split,
        evaluation.n_rows,
        match evaluation.null.len() {
            0 => "no permutations".to_owned(),
            n => format!("{n} permutations of labels within runs"),
        }
    );
    draw::figure(&Scores {
        ways: vec![
            way("re-picked in every fold", &evaluation.repicked, false),
            way(
                "fixed basket",
                &evaluation.fixed,
                evaluation.optimistic.is_some(),
            ),
        ],
        chance: evaluation.chance,
        null: evaluation.null.clone(),
        words,
    })
}

struct Way {
    name: &'static str,
    accuracy: f64,
    /// Accuracy and rows of every fold.
    folds: Vec<(f64, usize)>,
    p: Option<f64>,
    badge: bool,
}

struct Scores {
    ways: Vec<Way>,
    chance: f64,
    null: Vec<f64>,
    words: String,
}

const LEFT: i32 = 190;
const WIDTH: i32 = 400;
const RIGHT: i32 = 150;
const TOP: i32 = 48;
const WAY: i32 = 78;

impl Draw for Scores {
    fn size(&self) -> (u32, u32) {
        let height = TOP + WAY * self.ways.len() as i32 + 62;
        ((LEFT + WIDTH + RIGHT) as u32, height as u32)
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let k = area.k as i32;
        let at = |x: i32, y: i32| (x * k, y * k);
        let font = |height: u32, colour: RGBColor, h, v| text(height * area.k, colour, h, v);
        let x = |value: f64| {
            (f64::from(LEFT * k) + value.clamp(0.0, 1.0) * f64::from(WIDTH * k)).round() as i32
        };
        let bottom = TOP + WAY * self.ways.len() as i32;
        for tick in 0..=5 {
            let value = 0.2 * f64::from(tick);
            let line = vec![(x(value), TOP * k), (x(value), bottom * k)];
            area.draw(&PathElement::new(line, RULE.stroke_width(area.k)))?;
            let style = font(12, FAINT, HPos::Center, VPos::Top);
            area.draw(&Text::new(
                format!("{value:.1}"),
                (x(value), (bottom + 8) * k),
                style,
            ))?;
        }
        area.draw(&Text::new(
            "accuracy on held-out rows",
            at(LEFT + WIDTH / 2, bottom + 24),
            font(13, INK, HPos::Center, VPos::Top),
        ))?;
        area.draw(&Text::new(
            self.words.clone(),
            at(LEFT + WIDTH / 2, bottom + 44),
            font(11, FAINT, HPos::Center, VPos::Top),
        ))?;
        for (i, way) in self.ways.iter().enumerate() {
            self.way(area, way, TOP + WAY * i as i32 + WAY / 2, &x)?;
        }
        let line = vec![
            (x(self.chance), (TOP - 6) * k),
            (x(self.chance), bottom * k),
        ];
        area.draw(&PathElement::new(line, INK.stroke_width(2 * area.k)))?;
        self.legend(area)
    }
}

impl Scores {
    fn way<DB: DrawingBackend>(
        &self,
        area: &Area<DB>,
        way: &Way,
        middle: i32,
        x: &impl Fn(f64) -> i32,
    ) -> Drawn<DB> {
        let k = area.k as i32;
        let font = |height: u32, colour: RGBColor, h, v| text(height * area.k, colour, h, v);
        let (fill, dark) = if way.badge {
            (PALE_ORANGE, ORANGE)
        } else {
            (PALE_BLUE, BLUE)
        };
        let (top, base) = (middle - 17, middle + 17);
        area.draw(&Text::new(
            way.name,
            ((LEFT - 12) * k, (middle + DROP) * k),
            font(14, INK, HPos::Right, VPos::Center),
        ))?;
        area.draw(&Rectangle::new(
            [(x(0.0), top * k), (x(way.accuracy), base * k)],
            fill.filled(),
        ))?;
        let edge = vec![(x(way.accuracy), top * k), (x(way.accuracy), base * k)];
        area.draw(&PathElement::new(edge, dark.stroke_width(3 * area.k)))?;
        // Folds that score alike are stacked around the middle of the bar.
        let mut sorted: Vec<f64> = way.folds.iter().map(|f| f.0).collect();
        sorted.sort_by(f64::total_cmp);
        for alike in sorted.chunk_by(|a, b| (a - b).abs() < 0.012) {
            let step = (26.0 / alike.len() as f64).min(7.0);
            for (i, value) in alike.iter().enumerate() {
                let off = step * (i as f64 - 0.5 * (alike.len() as f64 - 1.0));
                let y = (f64::from(middle * k) + off * f64::from(k)).round() as i32;
                for (colour, radius) in [(RGBColor(255, 255, 255), 4), (dark, 3)] {
                    area.draw(&Circle::new((x(*value), y), radius * k, colour.filled()))?;
                }
            }
        }
        if !way.badge && !self.null.is_empty() {
            let mut null = self.null.clone();
            null.sort_by(f64::total_cmp);
            let at = |share: f64| null[((null.len() - 1) as f64 * share).round() as usize];
            let y = base + 7;
            let strip = |from: f64, to: f64| [(x(from), (y - 3) * k), (x(to), (y + 3) * k)];
            area.draw(&Rectangle::new(strip(at(0.025), at(0.975)), RULE.filled()))?;
            let median = vec![(x(at(0.5)), (y - 3) * k), (x(at(0.5)), (y + 3) * k)];
            area.draw(&PathElement::new(median, FAINT.stroke_width(2 * area.k)))?;
        }
        let right = (LEFT + WIDTH + 14) * k;
        let below = match (way.badge, way.p) {
            (true, _) => Some(("optimistic".to_owned(), ORANGE)),
            (false, Some(p)) => Some((format!("p = {}", small(p)), FAINT)),
            (false, None) => None,
        };
        let rise = if below.is_some() { -9 } else { 0 };
        area.draw(&Text::new(
            format!("{:.3}", way.accuracy),
            (right, (middle + rise + DROP) * k),
            font(16, INK, HPos::Left, VPos::Center),
        ))?;
        if let Some((words, colour)) = below {
            let y = (middle + 11) * k;
            if way.badge {
                let corners = [(right - 4 * k, y - 10 * k), (right + 62 * k, y + 10 * k)];
                area.draw(&Rectangle::new(corners, colour.filled()))?;
                let style = font(13, RGBColor(255, 255, 255), HPos::Left, VPos::Center);
                area.draw(&Text::new(words, (right + 2 * k, y + DROP * k), style))?;
            } else {
                let style = font(13, colour, HPos::Left, VPos::Center);
                area.draw(&Text::new(words, (right, y + DROP * k), style))?;
            }
        }
        Ok(())
    }

    fn legend<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let k = area.k as i32;
        let y = 22 * k;
        let font = || text(12 * area.k, FAINT, HPos::Left, VPos::Center);
        let mut x = LEFT * k;
        area.draw(&PathElement::new(
            vec![(x, y - 8 * k), (x, y + 8 * k)],
            INK.stroke_width(2 * area.k),
        ))?;
        let chance = format!("chance {:.3}", self.chance);
        area.draw(&Text::new(chance, (x + 8 * k, y + DROP * k), font()))?;
        x += 104 * k;
        area.draw(&Circle::new((x + 3 * k, y), 3 * k, FAINT.filled()))?;
        area.draw(&Text::new("a fold", (x + 12 * k, y + DROP * k), font()))?;
        x += 68 * k;
        if !self.null.is_empty() {
            let strip = [(x, y - 3 * k), (x + 24 * k, y + 3 * k)];
            area.draw(&Rectangle::new(strip, RULE.filled()))?;
            let words = "95 % of permuted labels, and their median";
            area.draw(&Text::new(words, (x + 32 * k, y + DROP * k), font()))?;
        }
        Ok(())
    }
}

/// A p value as papers print it.
fn small(p: f64) -> String {
    if p < 0.0995 {
        format!("{p:.3}")
    } else {
        format!("{p:.2}")
    }
}
