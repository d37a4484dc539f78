//! How many voxels have which r, beside the same when shuffled.

use plotters::element::{PathElement, Rectangle, Text};
use plotters::prelude::DrawingBackend;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::ORANGE;
use super::frame::Frame;
use crate::report::draw::{Area, BLUE, Draw, Drawn, FAINT, text};

/// Bins of the histogram for a range of 1.
const CELLS: f64 = 50.0;

/// The r of voxels, and of the same voxels when shuffled.
pub(super) struct Histogram {
    pub(super) r: Vec<f64>,
    pub(super) shuffled: Vec<f64>,
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
