//! The picture of a design matrix: volumes down, regressors across.

use plotters::element::{PathElement, Rectangle, Text};
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, FontTransform};

use crate::Result;
use crate::glm::design::{Design, Role};
use crate::report::draw::{
    self, Area, Draw, Drawn, FAINT, Figure, INK, longest, shade, short, text,
};

/// What plotters sets vertically centred text too high by, at the sizes used here.
const DROP: i32 = 2;
/// Longer names are cut.
const MOST_LETTERS: usize = 24;
const TOP_PAD: i32 = 16;
const LEFT: i32 = 64;
const HEIGHT: i32 = 440;

/// Every column scaled to its own largest magnitude: blue above 0, orange below.
pub(super) fn picture(design: &Design, title: &str) -> Result<Figure> {
    let n = design.frame_times.len();
    let columns: Vec<Vec<f64>> = design
        .columns
        .iter()
        .map(|c| {
            let most = c.values.iter().fold(0.0f64, |m, v| m.max(v.abs()));
            let scale = if most > 0.0 { 1.0 / most } else { 0.0 };
            c.values.iter().map(|v| v * scale).collect()
        })
        .collect();
    let group = |role: &Role| match role {
        Role::Condition(_) => "conditions",
        Role::Confound => "confounds",
        Role::Drift => "drifts",
    };
    let mut groups: Vec<(&'static str, usize)> = Vec::new();
    for column in &design.columns {
        let name = group(&column.role);
        match groups.last_mut() {
            Some((last, n)) if *last == name => *n += 1,
            _ => groups.push((name, 1)),
        }
    }
    draw::figure(&Picture {
        names: design.columns.iter().map(|c| c.name.clone()).collect(),
        columns,
        groups,
        n,
        last_secs: design.frame_times.last().copied().unwrap_or(0.0),
        title: title.to_owned(),
    })
}

struct Picture {
    names: Vec<String>,
    columns: Vec<Vec<f64>>,
    groups: Vec<(&'static str, usize)>,
    n: usize,
    last_secs: f64,
    title: String,
}

impl Picture {
    fn cell(&self) -> i32 {
        (760 / self.names.len().max(1) as i32).clamp(6, 26)
    }

    /// Room for the longest name above the columns.
    fn top(&self) -> i32 {
        TOP_PAD + 26 + longest(&self.names, MOST_LETTERS) * 8
    }

    /// The row where a volume begins, in final pixels.
    fn row(&self, volume: usize, k: i32) -> i32 {
        self.top() * k + (volume as i64 * i64::from(HEIGHT * k) / self.n as i64) as i32
    }
}

impl Draw for Picture {
    fn size(&self) -> (u32, u32) {
        let across = LEFT + self.cell() * self.names.len() as i32 + 24;
        let title = self.title.chars().count() as i32 * 8 + 40;
        (
            across.max(title).max(320) as u32,
            (self.top() + HEIGHT + 56) as u32,
        )
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let k = area.k as i32;
        let (cell, top) = (self.cell(), self.top());
        let font = |height: u32, colour: RGBColor, h, v| text(height * area.k, colour, h, v);
        area.draw(&Text::new(
            self.title.clone(),
            (16 * k, (TOP_PAD + DROP) * k),
            font(14, INK, HPos::Left, VPos::Center),
        ))?;
        for (c, (name, column)) in self.names.iter().zip(&self.columns).enumerate() {
            let (left, right) = (
                (LEFT + c as i32 * cell) * k,
                (LEFT + (c as i32 + 1) * cell) * k,
            );
            // Neighbouring volumes of one shade are one rectangle: small files, no seams.
            let mut first = 0;
            for t in 1..=self.n {
                if t < self.n && shade(column[t]) == shade(column[first]) {
                    continue;
                }
                let corners = [(left, self.row(first, k)), (right, self.row(t, k))];
                area.draw(&Rectangle::new(corners, shade(column[first]).filled()))?;
                first = t;
            }
            let size = (cell as u32 * 2 / 3).clamp(7, 13);
            let style =
                font(size, INK, HPos::Left, VPos::Center).transform(FontTransform::Rotate270);
            let place = ((LEFT + c as i32 * cell + cell / 2) * k, (top - 8) * k);
            area.draw(&Text::new(short(name, MOST_LETTERS), place, style))?;
        }
        let bottom = (top + HEIGHT) * k;
        let mut at = LEFT;
        let line = |x: i32| {
            let line = vec![(x * k, top * k), (x * k, bottom)];
            area.draw(&PathElement::new(line, FAINT.stroke_width(area.k)))
        };
        line(at)?;
        for (_, n) in &self.groups {
            at += *n as i32 * cell;
            line(at)?;
        }
        let mut at = LEFT;
        for (name, n) in &self.groups {
            let width = *n as i32 * cell;
            // A narrow group says nothing rather than write over its neighbour.
            if width >= name.chars().count() as i32 * 7 || self.groups.len() == 1 {
                let place = ((at + width / 2) * k, bottom + (18 + DROP) * k);
                area.draw(&Text::new(
                    *name,
                    place,
                    font(13, FAINT, HPos::Center, VPos::Center),
                ))?;
            }
            at += width;
        }
        for y in [top * k, bottom] {
            let line = vec![(LEFT * k, y), (at * k, y)];
            area.draw(&PathElement::new(line, FAINT.stroke_width(area.k)))?;
        }
        let step = [10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0]
            .into_iter()
            .find(|s| self.last_secs / s <= 8.0)
            .unwrap_or(1200.0);
        let n_ticks = (self.last_secs / step) as usize;
        for tick in 0..=n_ticks {
            let share = tick as f64 * step / self.last_secs.max(1e-9);
            let y = top * k + (share * f64::from(HEIGHT * k)) as i32;
            let label = format!(
                "{:.0}{}",
                tick as f64 * step,
                if tick == 0 { " s" } else { "" }
            );
            area.draw(&Text::new(
                label,
                ((LEFT - 8) * k, y + DROP * k),
                font(12, FAINT, HPos::Right, VPos::Center),
            ))?;
        }
        let legend = "each column by its largest magnitude: blue above 0, orange below";
        area.draw(&Text::new(
            legend,
            (LEFT * k, bottom + (38 + DROP) * k),
            font(12, FAINT, HPos::Left, VPos::Center),
        ))
    }
}
