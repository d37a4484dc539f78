//! How near predictions come to what can be predicted: voxel by voxel, and region by region.

use plotters::element::{Circle, PathElement, Rectangle, Text};
use plotters::prelude::{DrawingBackend, RGBColor};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, FontTransform};

use super::EncodeContext;
use crate::Result;
use crate::encode::{Encoded, mean_over};
use crate::report::draw::{self, Area, BLUE, Draw, Drawn, FAINT, Figure, INK, RULE, short, text};

const ORANGE: RGBColor = RGBColor(240, 140, 20);
/// What stands for feature spaces, in their order (Okabe & Ito's colours without black).
const SPACES: [RGBColor; 6] = [
    BLUE,
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(213, 94, 0),
];
/// What plotters sets vertically centred text too high by, at the sizes used here.
const DROP: i32 = 2;

/// Voxels by the largest r that their noise allows and the r that the model has; without ceilings, the r of the model
/// against those of shuffles.
pub(super) fn against_ceiling(encoded: &Encoded) -> Result<Figure> {
    let counted = encoded.counted();
    let points: Vec<(f64, f64)> = match &encoded.ceiling {
        Some(ceiling) => counted
            .iter()
            .map(|&v| (f64::from(ceiling[v]).sqrt(), f64::from(encoded.r[v])))
            .filter(|(_, r)| r.is_finite())
            .collect(),
        None => Vec::new(),
    };
    if points.is_empty() {
        let finite = |map: &[f32]| -> Vec<f64> {
            let values = counted.iter().map(|&v| f64::from(map[v]));
            values.filter(|v| v.is_finite()).collect()
        };
        let shuffled = encoded.r_shuffled.iter().flat_map(|map| finite(map));
        return draw::figure(&Histogram {
            r: finite(&encoded.r),
            shuffled: shuffled.collect(),
        });
    }
    draw::figure(&Cloud { points })
}

/// A plot area in pixels with linear axes.
#[derive(Clone, Copy)]
struct Frame {
    left: i32,
    top: i32,
    width: i32,
    height: i32,
    x: (f64, f64),
    y: (f64, f64),
    k: i32,
}

impl Frame {
    fn at(&self, x: f64, y: f64) -> (i32, i32) {
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

    fn grid<DB: DrawingBackend>(&self, area: &Area<DB>, x: &str, y: &str) -> Drawn<DB> {
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

/// A histogram in two dimensions, with the line that no model can pass.
struct Cloud {
    points: Vec<(f64, f64)>,
}

/// Bins of a histogram for a range of 1, and of one in two dimensions.
const CELLS: f64 = 50.0;
const COARSE: f64 = 25.0;

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
                mixed(0.15 + 0.85 * share).filled(),
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

/// White at 0, blue at 1.
fn mixed(share: f64) -> RGBColor {
    let mix = |end: u8| (255.0 + (f64::from(end) - 255.0) * share.clamp(0.0, 1.0)).round() as u8;
    RGBColor(mix(BLUE.0), mix(BLUE.1), mix(BLUE.2))
}

/// The r of voxels, and of the same voxels when shuffled.
struct Histogram {
    r: Vec<f64>,
    shuffled: Vec<f64>,
}

impl Draw for Histogram {
    fn size(&self) -> (u32, u32) {
        (560, 360)
    }

    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB> {
        let all = self.r.iter().chain(&self.shuffled);
        let (low, high) = all.fold((0.0f64, 0.1f64), |(l, h), v| (l.min(*v), h.max(*v)));
        let (low, high) = ((low * 10.0).floor() / 10.0, (high * 10.0).ceil() / 10.0);
        let shares = |values: &[f64]| -> Vec<f64> {
            let mut bins = vec![0.0; ((high - low) * CELLS).ceil().max(1.0) as usize];
            for value in values {
                let bin = ((value - low) * CELLS) as usize;
                if let Some(bin) = bins.get_mut(bin) {
                    *bin += 1.0 / values.len() as f64;
                }
            }
            bins
        };
        let (own, null) = (shares(&self.r), shares(&self.shuffled));
        let most = own.iter().chain(&null).copied().fold(1e-6, f64::max);
        let frame = Frame {
            left: 40,
            top: 44,
            width: 480,
            height: 250,
            x: (low, high),
            y: (0.0, most),
            k: area.k as i32,
        };
        frame.grid(area, "r of held-out trials", "")?;
        for (bin, share) in own.iter().enumerate() {
            let x = low + bin as f64 / CELLS;
            let corners = [frame.at(x, *share), frame.at(x + 1.0 / CELLS, 0.0)];
            area.draw(&Rectangle::new(corners, BLUE.filled()))?;
        }
        let line = null.iter().enumerate().flat_map(|(bin, share)| {
            let x = low + bin as f64 / CELLS;
            [frame.at(x, *share), frame.at(x + 1.0 / CELLS, *share)]
        });
        area.draw(&PathElement::new(
            line.collect::<Vec<_>>(),
            ORANGE.stroke_width(2 * area.k),
        ))?;
        let title = format!(
            "share of {} voxels; the line is the shuffled control",
            self.r.len()
        );
        let style = text(13 * area.k, FAINT, HPos::Left, VPos::Center);
        area.draw(&Text::new(
            title,
            (40 * area.k as i32, 22 * area.k as i32),
            style,
        ))
    }
}

/// A bar a region: what each feature space predicts, within what can be predicted.
pub(super) fn regions(context: &EncodeContext<'_>, encoded: &Encoded) -> Result<Figure> {
    let counts: std::collections::BTreeSet<usize> = encoded.counted().into_iter().collect();
    let rows = context.regions.iter().filter_map(|(name, voxels)| {
        let counted: Vec<usize> = voxels
            .iter()
            .copied()
            .filter(|v| counts.contains(v))
            .collect();
        let r2 = encoded.r2_over(&counted);
        r2.value.is_finite().then(|| Bar {
            name: name.clone(),
            n: counted.len(),
            parts: encoded
                .by_space
                .iter()
                .map(|map| mean_over(map, &counted))
                .collect(),
            r2: r2.value,
            shuffled: r2.shuffled,
            ceiling: encoded.ceiling.as_ref().map(|c| mean_over(c, &counted)),
        })
    });
    let rows: Vec<Bar> = rows.take(40).collect();
    draw::figure(&Bars {
        rows,
        spaces: encoded.spaces.iter().map(|s| s.0.clone()).collect(),
    })
}

struct Bar {
    name: String,
    n: usize,
    parts: Vec<f64>,
    r2: f64,
    shuffled: f64,
    ceiling: Option<f64>,
}

struct Bars {
    rows: Vec<Bar>,
    spaces: Vec<String>,
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
