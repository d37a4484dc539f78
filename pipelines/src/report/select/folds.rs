//! Both scores, fold by fold.

use plotters::element::{Circle, PathElement, Text};
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, FontTransform};

use super::DROP;
use crate::Result;
use crate::report::draw::{
    self, Area, BLUE, Draw, Drawn, FAINT, Figure, INK, ORANGE, RULE, short, text,
};
use crate::select::Evaluation;

/// Both accuracies, fold by fold.
pub(super) fn folds(evaluation: &Evaluation) -> Result<Figure> {
    let folds = evaluation
        .repicked
        .folds
        .iter()
        .zip(&evaluation.fixed.folds);
    draw::figure(&Folds {
        folds: folds
            .map(|(a, b)| (a.label.clone(), a.accuracy(), b.accuracy()))
            .collect(),
        chance: evaluation.chance,
        optimistic: evaluation.optimistic.is_some(),
    })
}

struct Folds {
    /// What was left out, re-picked, fixed.
    folds: Vec<(String, f64, f64)>,
    chance: f64,
    optimistic: bool,
}

const FOLD_LEFT: i32 = 56;
const FOLD_TOP: i32 = 44;
const FOLD_HEIGHT: i32 = 220;

impl Folds {
    fn step(&self) -> i32 {
        (560 / self.folds.len().max(1) as i32).clamp(14, 64)
    }
}

impl Draw for Folds {
    fn size(&self) -> (u32, u32) {
        let width = FOLD_LEFT + (self.step() * self.folds.len() as i32).max(360) + 30;
        let labels = if self.long_labels() { 96 } else { 50 };
        (width as u32, (FOLD_TOP + FOLD_HEIGHT + labels) as u32)
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let k = area.k as i32;
        let font = |height: u32, colour: RGBColor, h, v| text(height * area.k, colour, h, v);
        let y = |value: f64| {
            (f64::from((FOLD_TOP + FOLD_HEIGHT) * k) - value * f64::from(FOLD_HEIGHT * k)).round()
                as i32
        };
        let right = FOLD_LEFT + self.step() * self.folds.len() as i32;
        for tick in 0..=5 {
            let value = 0.2 * f64::from(tick);
            let line = vec![(FOLD_LEFT * k, y(value)), (right * k, y(value))];
            area.draw(&PathElement::new(line, RULE.stroke_width(area.k)))?;
            let style = font(12, FAINT, HPos::Right, VPos::Center);
            area.draw(&Text::new(
                format!("{value:.1}"),
                ((FOLD_LEFT - 8) * k, y(value) + DROP * k),
                style,
            ))?;
        }
        let line = vec![(FOLD_LEFT * k, y(self.chance)), (right * k, y(self.chance))];
        area.draw(&PathElement::new(line, INK.stroke_width(2 * area.k)))?;
        let fixed_colour = if self.optimistic { ORANGE } else { FAINT };
        for (i, (label, honest, fixed)) in self.folds.iter().enumerate() {
            let x = (FOLD_LEFT + self.step() * i as i32 + self.step() / 2) * k;
            // Apart by a little, so that equal scores are both seen.
            let (xh, xf) = (x - 4 * k, x + 4 * k);
            area.draw(&PathElement::new(
                vec![(xh, y(*honest)), (xf, y(*fixed))],
                RULE.stroke_width(2 * area.k),
            ))?;
            self.ring(area, (xf, y(*fixed)), fixed_colour)?;
            area.draw(&Circle::new((xh, y(*honest)), 4 * k, BLUE.filled()))?;
            let foot = (FOLD_TOP + FOLD_HEIGHT + 8) * k;
            let style = if self.long_labels() {
                font(11, FAINT, HPos::Right, VPos::Center).transform(FontTransform::Rotate270)
            } else {
                font(12, FAINT, HPos::Center, VPos::Top)
            };
            area.draw(&Text::new(short(label, 12), (x, foot), style))?;
        }
        let style = font(13, INK, HPos::Center, VPos::Center).transform(FontTransform::Rotate270);
        let side = (14 * k, y(0.5));
        area.draw(&Text::new("accuracy", side, style))?;
        let mut x = FOLD_LEFT * k;
        let legend = 20 * k;
        let style = || font(12, FAINT, HPos::Left, VPos::Center);
        area.draw(&Circle::new((x + 4 * k, legend), 4 * k, BLUE.filled()))?;
        area.draw(&Text::new(
            "re-picked",
            (x + 14 * k, legend + DROP * k),
            style(),
        ))?;
        x += 90 * k;
        self.ring(area, (x + 4 * k, legend), fixed_colour)?;
        let fixed = if self.optimistic {
            "fixed (optimistic)"
        } else {
            "fixed"
        };
        area.draw(&Text::new(fixed, (x + 14 * k, legend + DROP * k), style()))?;
        x += 138 * k;
        area.draw(&PathElement::new(
            vec![(x, legend), (x + 20 * k, legend)],
            INK.stroke_width(2 * area.k),
        ))?;
        area.draw(&Text::new(
            "chance",
            (x + 27 * k, legend + DROP * k),
            style(),
        ))?;
        let foot = self.size().1 as i32 - 8 * k;
        let middle = (FOLD_LEFT + (right - FOLD_LEFT) / 2) * k;
        area.draw(&Text::new(
            "left out",
            (middle, foot),
            font(13, INK, HPos::Center, VPos::Bottom),
        ))
    }
}

impl Folds {
    /// A ring as two discs: strokes of circles are ragged.
    fn ring<DB: DrawingBackend>(
        &self,
        area: &Area<DB>,
        at: (i32, i32),
        colour: RGBColor,
    ) -> Drawn<DB> {
        let k = area.k as i32;
        area.draw(&Circle::new(at, 5 * k, colour.filled()))?;
        area.draw(&Circle::new(at, 3 * k, RGBColor(255, 255, 255).filled()))
    }

    fn long_labels(&self) -> bool {
        let longest = self
            .folds
            .iter()
            .map(|f| f.0.chars().count())
            .max()
            .unwrap_or(0);
        longest as i32 * 7 > self.step()
    }
}
