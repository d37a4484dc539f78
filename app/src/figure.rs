//! Figures: pictures of the renderer laid out with text and colour bars.

use std::path::Path;

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use anyhow::Context;
use fusiform_pipelines::io::picture;
use fusiform_render::colorbar::colorbar;
use fusiform_render::scene::{Look, Picture};

/// A picture being composed; sRGB, opaque.
#[derive(Debug)]
pub struct Canvas {
    picture: Picture,
}

/// Where text stands relative to its anchor point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// The anchor is the text's left end.
    Left,
    /// The anchor is its middle.
    Centre,
    /// The anchor is its right end.
    Right,
}

impl Canvas {
    /// An even sheet.
    pub fn new(width: u32, height: u32, background: [u8; 3]) -> Self {
        let [r, g, b] = background;
        let rgba = [r, g, b, 255].repeat((width * height) as usize);
        Self {
            picture: Picture {
                width,
                height,
                rgba,
            },
        }
    }

    /// Puts `picture` with its top left corner at (x, y), over what is there; parts outside are cut.
    pub fn put(&mut self, picture: &Picture, x: i64, y: i64) {
        for row in 0..i64::from(picture.height) {
            for column in 0..i64::from(picture.width) {
                let from = ((row * i64::from(picture.width) + column) * 4) as usize;
                let p = &picture.rgba[from..from + 4];
                self.blend(
                    x + column,
                    y + row,
                    [p[0], p[1], p[2]],
                    f32::from(p[3]) / 255.0,
                );
            }
        }
    }

    /// Writes a line of text. `y` is the top of its line, `height` the size of its letters in pixels.
    pub fn text(
        &mut self,
        text: &str,
        x: f32,
        y: f32,
        height: f32,
        align: Align,
        colour: [u8; 3],
    ) -> anyhow::Result<()> {
        let font = font()?;
        let scaled = font.as_scaled(PxScale::from(height));
        let shift = match align {
            Align::Left => 0.0,
            Align::Centre => text_width(text, height)? / 2.0,
            Align::Right => text_width(text, height)?,
        };
        let mut pen = x - shift;
        let baseline = y + scaled.ascent();
        let mut previous = None;
        for letter in text.chars() {
            let mut glyph: Glyph = scaled.scaled_glyph(letter);
            if let Some(previous) = previous {
                pen += scaled.kern(previous, glyph.id);
            }
            previous = Some(glyph.id);
            glyph.position = point(pen, baseline);
            pen += scaled.h_advance(glyph.id);
            if let Some(outline) = font.outline_glyph(glyph) {
                let bounds = outline.px_bounds();
                outline.draw(|dx, dy, cover| {
                    self.blend(
                        bounds.min.x as i64 + i64::from(dx),
                        bounds.min.y as i64 + i64::from(dy),
                        colour,
                        cover,
                    );
                });
            }
        }
        Ok(())
    }

    /// A horizontal colour bar with its numbers below and its name above, centred on `x`; `y` is the top of the name.
    pub fn colour_bar(
        &mut self,
        bar: &Bar<'_>,
        x: f32,
        y: f32,
        width: u32,
        letter: f32,
    ) -> anyhow::Result<()> {
        let height = (letter * 0.8) as u32;
        self.text(bar.label, x, y, letter, Align::Centre, bar.ink)?;
        let top = y + letter * 1.3;
        let left = x - width as f32 / 2.0;
        self.frame([left as i64, top as i64], [width, height], bar.ink);
        self.put(&colorbar(bar.look, width, height), left as i64, top as i64);
        for (part, number) in ticks(bar.look) {
            let at = left + part * width as f32;
            self.text(
                &number,
                at,
                top + height as f32 + letter * 0.2,
                letter * 0.9,
                Align::Centre,
                bar.ink,
            )?;
        }
        Ok(())
    }

    /// A thin line around a box that begins at `corner`.
    fn frame(&mut self, corner: [i64; 2], size: [u32; 2], ink: [u8; 3]) {
        let [width, height] = size.map(i64::from);
        for dx in -1..=width {
            for dy in [-1, height] {
                self.blend(corner[0] + dx, corner[1] + dy, ink, 0.5);
            }
        }
        for dy in 0..height {
            for dx in [-1, width] {
                self.blend(corner[0] + dx, corner[1] + dy, ink, 0.5);
            }
        }
    }

    /// The finished picture.
    pub fn into_picture(self) -> Picture {
        self.picture
    }

    fn blend(&mut self, x: i64, y: i64, colour: [u8; 3], cover: f32) {
        let inside = (0..i64::from(self.picture.width)).contains(&x)
            && (0..i64::from(self.picture.height)).contains(&y);
        if !inside || cover <= 0.0 {
            return;
        }
        let at = ((y * i64::from(self.picture.width) + x) * 4) as usize;
        for (channel, &ink) in colour.iter().enumerate() {
            let paper = f32::from(self.picture.rgba[at + channel]);
            let mixed = paper + (f32::from(ink) - paper) * cover.min(1.0);
            self.picture.rgba[at + channel] = mixed.round() as u8;
        }
    }
}

/// What a colour bar says.
#[derive(Clone, Copy, Debug)]
pub struct Bar<'a> {
    /// The colours and their numbers.
    pub look: &'a Look,
    /// Name and unit of the numbers.
    pub label: &'a str,
    /// Colour of the text.
    pub ink: [u8; 3],
}

/// The numbers under a colour bar: where (0 left to 1 right) and what.
pub fn ticks(look: &Look) -> Vec<(f32, String)> {
    let (low, high) = look.range;
    // The threshold is the number readers look for; it is left out where it would touch another.
    let threshold = Some(look.threshold)
        .filter(|t| *t > low)
        .map(|t| (t, (t - low) / (high - low)));
    let threshold = threshold.filter(|(_, part)| (0.2..0.8).contains(part));
    if look.two_sided {
        let mut all = vec![(0.0, format!("−{}", short(high))), (1.0, short(high))];
        match threshold {
            Some((t, part)) => {
                all.push((0.5 - part / 2.0, format!("−{}", short(t))));
                all.push((0.5 + part / 2.0, short(t)));
            }
            None => all.push((
                0.5,
                if low == 0.0 {
                    "0".to_owned()
                } else {
                    format!("±{}", short(low))
                },
            )),
        }
        return all;
    }
    let middle = threshold.map_or((0.5, short((low + high) / 2.0)), |(t, part)| {
        (part, short(t))
    });
    vec![(0.0, short(low)), middle, (1.0, short(high))]
}

/// A number with about three digits, a true minus sign and no needless zeros.
pub fn short(value: f32) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 0.1 || v == 0.0 => 2,
        _ => 4,
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    };
    text.replace('-', "−")
}

/// Writes an opaque picture as PNG.
pub fn write_png(path: &Path, figure: &Picture) -> anyhow::Result<()> {
    let rgb = figure
        .rgba
        .chunks_exact(4)
        .flat_map(|p| [p[0], p[1], p[2]])
        .collect();
    let image = image::RgbImage::from_raw(figure.width, figure.height, rgb)
        .context("a picture of another size")?;
    Ok(picture::write_png(path, &image)?)
}

/// Pixels across of a line of text.
pub fn text_width(text: &str, height: f32) -> anyhow::Result<f32> {
    let font = font()?;
    let scaled = font.as_scaled(PxScale::from(height));
    let mut width = 0.0;
    let mut previous = None;
    for letter in text.chars() {
        let id = scaled.glyph_id(letter);
        if let Some(previous) = previous {
            width += scaled.kern(previous, id);
        }
        width += scaled.h_advance(id);
        previous = Some(id);
    }
    Ok(width)
}

fn font() -> anyhow::Result<FontRef<'static>> {
    FontRef::try_from_slice(epaint_default_fonts::UBUNTU_LIGHT).context("the built-in font")
}
