//! Drawing surfaces: one picture from one description, as PNG and as SVG.

use std::ops::Deref;

use image::RgbImage;
use plotters::coord::Shift;
use plotters::prelude::{
    BitMapBackend, DrawingArea, DrawingBackend, IntoDrawingArea, RGBColor, SVGBackend,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, FontStyle, IntoFont, TextStyle, register_font};

use crate::{Error, Result};

/// The bundled typeface, DejaVu Sans (its licence lies beside it).
static FONT: &[u8] = include_bytes!("../../../assets/fonts/DejaVuSans.ttf");

pub(super) const INK: RGBColor = RGBColor(33, 37, 41);
pub(super) const FAINT: RGBColor = RGBColor(108, 117, 125);
pub(super) const RULE: RGBColor = RGBColor(222, 226, 230);
pub(super) const BLUE: RGBColor = RGBColor(31, 98, 168);
/// Of what is below 0, and of what flatters.
pub(super) const ORANGE: RGBColor = RGBColor(222, 125, 20);

/// A figure in both forms.
pub(super) struct Figure {
    pub(super) png: RgbImage,
    pub(super) svg: String,
}

/// What a figure draws onto: the same calls for every backend.
pub(super) trait Draw {
    /// Across and down, in units of length.
    fn size(&self) -> (u32, u32);
    fn draw<DB: DrawingBackend>(&self, area: &Area<DB>) -> Drawn<DB>;
}

/// Where a figure is drawn.
pub(super) struct Area<DB: DrawingBackend> {
    area: DrawingArea<DB, Shift>,
    /// Pixels a unit of length.
    pub(super) k: u32,
}

impl<DB: DrawingBackend> Deref for Area<DB> {
    type Target = DrawingArea<DB, Shift>;

    fn deref(&self) -> &Self::Target {
        &self.area
    }
}

pub(super) type Drawn<DB> = std::result::Result<
    (),
    plotters::drawing::DrawingAreaErrorKind<<DB as DrawingBackend>::ErrorType>,
>;

/// Draws onto white, as PNG (twice the size, for print and dense screens) and as SVG.
pub(super) fn figure(what: &impl Draw) -> Result<Figure> {
    let (width, height) = what.size();
    let blank = RgbImage::from_pixel(width * 2, height * 2, image::Rgb([255; 3]));
    let png = onto(blank, what, 2)?;
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (width, height)).into_drawing_area();
        let area = Area { area, k: 1 };
        prepared()?;
        area.fill(&RGBColor(255, 255, 255))
            .map_err(|e| failed(&e))?;
        what.draw(&area).map_err(|e| failed(&e))?;
        area.present().map_err(|e| failed(&e))?;
    }
    Ok(Figure { png, svg })
}

/// Draws over a picture, `k` pixels a unit of length.
pub(super) fn onto(mut picture: RgbImage, what: &impl Draw, k: u32) -> Result<RgbImage> {
    prepared()?;
    let size = picture.dimensions();
    {
        let area = BitMapBackend::with_buffer(&mut picture, size).into_drawing_area();
        let area = Area { area, k };
        what.draw(&area).map_err(|e| failed(&e))?;
        area.present().map_err(|e| failed(&e))?;
    }
    Ok(picture)
}

/// Without system fonts, plotters draws with those it was told of.
fn prepared() -> Result<()> {
    let Ok(()) = register_font("sans-serif", FontStyle::Normal, FONT) else {
        return Err(Error::data(
            "the bundled typeface cannot be read: rebuild the program",
        ));
    };
    Ok(())
}

fn failed(why: &impl std::fmt::Display) -> Error {
    Error::data(format!("a figure could not be drawn: {why}"))
}

/// Text of a height, a colour and an anchor.
pub(super) fn text(height: u32, colour: RGBColor, h: HPos, v: VPos) -> TextStyle<'static> {
    ("sans-serif", height)
        .into_font()
        .color(&colour.to_rgba())
        .pos(Pos::new(h, v))
}

/// At most `n` characters, the last an ellipsis when some are cut.
pub(super) fn short(text: &str, n: usize) -> String {
    if text.chars().count() <= n {
        return text.to_owned();
    }
    text.chars()
        .take(n.saturating_sub(1))
        .chain(['…'])
        .collect()
}

/// Characters of the longest name, at most `most`: where names stand beside a matrix.
pub(super) fn longest(names: &[String], most: usize) -> i32 {
    let longest = names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
    longest.min(most) as i32
}

/// White at 0, blue at 1, orange at −1.
pub(super) fn shade(share: f64) -> RGBColor {
    let end = if share < 0.0 { ORANGE } else { BLUE };
    let by = share.abs().clamp(0.0, 1.0);
    let mix = |end: u8| (255.0 + (f64::from(end) - 255.0) * by).round() as u8;
    RGBColor(mix(end.0), mix(end.1), mix(end.2))
}
