//! The font of figures and the width of text in it.

use ab_glyph::{Font, FontRef};
use anyhow::Context;

/// What other programs should look for, best first.
pub(super) const FAMILIES: &str = "Ubuntu, 'DejaVu Sans', Arial, Helvetica, sans-serif";

/// The bytes of the built-in TrueType font.
pub(super) const TRUETYPE: &[u8] = epaint_default_fonts::UBUNTU_LIGHT;

pub(super) fn font() -> anyhow::Result<FontRef<'static>> {
    FontRef::try_from_slice(TRUETYPE).context("the built-in font")
}

/// The size of the font's unit for letters of one point: letters are as tall as their em.
pub(super) fn unit(font: &FontRef<'_>) -> f32 {
    1.0 / font.units_per_em().unwrap_or(1000.0)
}

/// How wide a line of text is, in the unit of `letter`. No kerning, so that every form of a figure agrees.
pub fn text_width(text: &str, letter: f32) -> anyhow::Result<f32> {
    let font = font()?;
    let units: f32 = text
        .chars()
        .map(|c| font.h_advance_unscaled(font.glyph_id(c)))
        .sum();
    Ok(units * unit(&font) * letter)
}
