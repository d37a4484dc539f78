//! A sheet as pixels: pictures copied, text and lines drawn with smooth edges.

use ab_glyph::{Font, PxScale, point};
use anyhow::Context;
use fusiform_render::scene::Picture;
use image::ImageEncoder;

use super::font::{font, text_width, unit};
use super::{Align, HALO_PT, Item, Paint, Sheet};

/// Rows of samples a pixel when areas are filled.
const SAMPLES: usize = 5;

/// Draws everything, from bottom to top.
pub(super) fn raster(sheet: &Sheet) -> anyhow::Result<Picture> {
    let [width, height] = sheet.pixels();
    let [r, g, b] = sheet.paper;
    let rgba = [r, g, b, 255].repeat(width as usize * height as usize);
    let mut page = Picture {
        width,
        height,
        rgba,
    };
    let scale = sheet.dpi / 72.0;
    for item in &sheet.items {
        match item {
            Item::Picture {
                picture, corner_pt, ..
            } => {
                let at = corner_pt.map(|pt| (pt * scale).round() as i64);
                put(&mut page, picture, at);
            }
            Item::Text {
                text,
                anchor_pt,
                align,
                letter_pt,
                colour,
                halo,
            } => {
                let at = anchor_pt.map(|pt| pt * scale);
                let mut words = Mask::of_text(&page, text, at, letter_pt * scale, *align)?;
                if let Some(halo) = halo {
                    words.widened(HALO_PT * scale).paint(&mut page, *halo);
                    if lightness(*colour) > lightness(*halo) {
                        // Bright strokes of less than a pixel would drown in a dark rim.
                        words.cover.iter_mut().for_each(|c| *c = c.powf(0.6));
                    }
                }
                words.paint(&mut page, *colour);
            }
            Item::Path {
                lines,
                closed,
                paint,
            } => {
                let lines: Vec<Vec<[f32; 2]>> = lines
                    .iter()
                    .map(|line| line.iter().map(|p| p.map(|pt| pt * scale)).collect())
                    .collect();
                match paint {
                    Paint::Fill(colour) => fill(&mut page, &lines, *colour),
                    Paint::Stroke(colour, width) => {
                        stroke(&mut page, &lines, *closed, *colour, width * scale);
                    }
                }
            }
        }
    }
    Ok(page)
}

/// The sheet as a PNG file that knows its physical size.
pub(super) fn bytes(sheet: &Sheet) -> anyhow::Result<Vec<u8>> {
    let page = raster(sheet)?;
    let mut png = encoded(&page)?;
    // Signature (8) and header chunk (25) come first; the size of pixels must precede the data.
    let per_metre = (sheet.dpi / 0.0254).round() as u32;
    let mut chunk = b"pHYs".to_vec();
    chunk.extend(per_metre.to_be_bytes());
    chunk.extend(per_metre.to_be_bytes());
    chunk.push(1);
    let mut check = flate2::Crc::new();
    check.update(&chunk);
    let length = (chunk.len() as u32 - 4).to_be_bytes();
    let whole = [&length[..], &chunk, &check.sum().to_be_bytes()].concat();
    png.splice(33..33, whole);
    Ok(png)
}

/// An opaque picture as a PNG file.
pub(super) fn encoded(picture: &Picture) -> anyhow::Result<Vec<u8>> {
    let mut png = Vec::new();
    image::codecs::png::PngEncoder::new(&mut png)
        .write_image(
            &opaque(picture),
            picture.width,
            picture.height,
            image::ExtendedColorType::Rgb8,
        )
        .context("a picture could not be written as PNG")?;
    Ok(png)
}

/// Red, green and blue of every pixel.
pub(super) fn opaque(picture: &Picture) -> Vec<u8> {
    let pixels = picture.rgba.chunks_exact(4);
    pixels.flat_map(|p| [p[0], p[1], p[2]]).collect()
}

fn put(page: &mut Picture, picture: &Picture, [x, y]: [i64; 2]) {
    let within = x >= 0
        && y >= 0
        && x + i64::from(picture.width) <= i64::from(page.width)
        && y + i64::from(picture.height) <= i64::from(page.height);
    if within
        && picture
            .rgba
            .iter()
            .skip(3)
            .step_by(4)
            .all(|&alpha| alpha == 255)
    {
        let (row, pitch) = (picture.width as usize * 4, page.width as usize * 4);
        let start = y as usize * pitch + x as usize * 4;
        for (line, from) in picture.rgba.chunks_exact(row).enumerate() {
            let at = start + line * pitch;
            page.rgba[at..at + row].copy_from_slice(from);
        }
        return;
    }
    for row in 0..picture.height {
        for column in 0..picture.width {
            let from = ((row * picture.width + column) * 4) as usize;
            let p = &picture.rgba[from..from + 4];
            let at = [x + i64::from(column), y + i64::from(row)];
            blend(page, at, [p[0], p[1], p[2]], f32::from(p[3]) / 255.0);
        }
    }
}

/// So much denser is a rim than the letters it is grown from.
const RIM_GAIN: f32 = 2.5;

/// A mask of coverage over a box of pixels.
struct Mask {
    corner: [i64; 2],
    size: [usize; 2],
    cover: Vec<f32>,
}

impl Mask {
    /// A line of text, with room for a rim.
    fn of_text(
        page: &Picture,
        text: &str,
        at: [f32; 2],
        letter: f32,
        align: Align,
    ) -> anyhow::Result<Self> {
        let font = font()?;
        let wide = text_width(text, letter)?;
        let shift = match align {
            Align::Left => 0.0,
            Align::Centre => wide / 2.0,
            Align::Right => wide,
        };
        let unit = unit(&font) * letter;
        // ab_glyph scales to the height from the lowest to the highest letter; sheets to the em.
        let scale = PxScale::from(font.height_unscaled() * unit);
        let mut pen = at[0] - shift;
        let corners = [[pen, at[1] - letter], [pen + wide, at[1] + letter / 2.0]];
        let mut mask = Self::around(page, &[corners.to_vec()], letter / 2.0).unwrap_or(Self {
            corner: [0; 2],
            size: [0; 2],
            cover: Vec::new(),
        });
        for character in text.chars() {
            let id = font.glyph_id(character);
            let glyph = id.with_scale_and_position(scale, point(pen, at[1]));
            pen += font.h_advance_unscaled(id) * unit;
            if let Some(outline) = font.outline_glyph(glyph) {
                let bounds = outline.px_bounds();
                let (left, top) = (bounds.min.x as i64, bounds.min.y as i64);
                outline.draw(|dx, dy, cover| {
                    mask.add([left + i64::from(dx), top + i64::from(dy)], cover);
                });
            }
        }
        Ok(mask)
    }

    /// More coverage at a pixel of the page: letters that touch add up.
    fn add(&mut self, [x, y]: [i64; 2], cover: f32) {
        let (column, row) = (x - self.corner[0], y - self.corner[1]);
        let [width, height] = self.size.map(|side| side as i64);
        if (0..width).contains(&column) && (0..height).contains(&row) {
            let cell = &mut self.cover[(row * width + column) as usize];
            *cell = *cell + cover.clamp(0.0, 1.0) * (1.0 - *cell);
        }
    }

    /// The same, grown by so many pixels on all sides.
    fn widened(&self, by: f32) -> Self {
        let reach = by.ceil() as i64 + 1;
        let mut wide = Self {
            corner: self.corner,
            size: self.size,
            cover: vec![0.0; self.cover.len()],
        };
        let [width, height] = self.size.map(|side| side as i64);
        let within = |at: i64, side: i64| (at - reach).max(0)..(at + reach + 1).min(side);
        for (index, &cover) in self.cover.iter().enumerate().filter(|(_, c)| **c > 0.0) {
            let (x, y) = (index as i64 % width, index as i64 / width);
            // Strokes thinner than a pixel cover little of it; what is around them must hide the picture all the same.
            let cover = (RIM_GAIN * cover).min(1.0);
            for row in within(y, height) {
                for column in within(x, width) {
                    let away = ((row - y) as f32).hypot((column - x) as f32);
                    let part = cover * (by + 0.5 - away).clamp(0.0, 1.0);
                    let cell = &mut wide.cover[(row * width + column) as usize];
                    *cell = cell.max(part);
                }
            }
        }
        wide
    }

    /// Over the points and a margin, within the page.
    fn around(page: &Picture, lines: &[Vec<[f32; 2]>], margin: f32) -> Option<Self> {
        let points = || {
            lines
                .iter()
                .flatten()
                .filter(|p| p[0].is_finite() && p[1].is_finite())
        };
        points().next()?;
        let low = [0, 1].map(|a| points().fold(f32::INFINITY, |l, p| l.min(p[a])) - margin);
        let high = [0, 1].map(|a| points().fold(f32::NEG_INFINITY, |h, p| h.max(p[a])) + margin);
        let limit = [page.width as f32, page.height as f32];
        let corner = [0, 1].map(|a| low[a].floor().clamp(0.0, limit[a]) as i64);
        let end = [0, 1].map(|a| high[a].ceil().clamp(0.0, limit[a]) as i64);
        let size = [0, 1].map(|a| (end[a] - corner[a]).max(0) as usize);
        Some(Self {
            corner,
            size,
            cover: vec![0.0; size[0] * size[1]],
        })
    }

    fn paint(&self, page: &mut Picture, colour: [u8; 3]) {
        for (index, &cover) in self.cover.iter().enumerate() {
            if cover > 0.0 {
                let x = self.corner[0] + (index % self.size[0]) as i64;
                let y = self.corner[1] + (index / self.size[0]) as i64;
                blend(page, [x, y], colour, cover);
            }
        }
    }
}

fn lightness(colour: [u8; 3]) -> u32 {
    colour.iter().map(|&c| u32::from(c)).sum()
}

fn fill(page: &mut Picture, lines: &[Vec<[f32; 2]>], colour: [u8; 3]) {
    let Some(mut mask) = Mask::around(page, lines, 0.0) else {
        return;
    };
    let [width, height] = mask.size;
    for row in 0..height * SAMPLES {
        let y = mask.corner[1] as f32 + (row as f32 + 0.5) / SAMPLES as f32;
        let mut crossings: Vec<f32> = Vec::new();
        for line in lines {
            for (a, b) in line.iter().zip(line.iter().cycle().skip(1)) {
                if (a[1] <= y) != (b[1] <= y) {
                    crossings.push(a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]));
                }
            }
        }
        crossings.sort_by(f32::total_cmp);
        for span in crossings.chunks_exact(2) {
            let [from, to] = [span[0], span[1]].map(|x| x - mask.corner[0] as f32);
            for x in from.max(0.0) as usize..(to.ceil().max(0.0) as usize).min(width) {
                let part = to.min(x as f32 + 1.0) - from.max(x as f32);
                mask.cover[row / SAMPLES * width + x] += part.clamp(0.0, 1.0) / SAMPLES as f32;
            }
        }
    }
    mask.paint(page, colour);
}

fn stroke(page: &mut Picture, lines: &[Vec<[f32; 2]>], closed: bool, colour: [u8; 3], width: f32) {
    // Thinner than a pixel, a line grows paler instead.
    let (half, strength) = (width.max(1.0) / 2.0, width.min(1.0));
    let Some(mut mask) = Mask::around(page, lines, half + 1.0) else {
        return;
    };
    for line in lines {
        let ends = line.iter().cycle().skip(1);
        let n = if closed {
            line.len()
        } else {
            line.len().saturating_sub(1)
        };
        for (a, b) in line.iter().zip(ends).take(n) {
            segment(&mut mask, *a, *b, half, strength);
        }
    }
    mask.paint(page, colour);
}

/// One straight piece: coverage falls over the pixel around its edge.
fn segment(mask: &mut Mask, a: [f32; 2], b: [f32; 2], half: f32, strength: f32) {
    let local = |p: [f32; 2]| [p[0] - mask.corner[0] as f32, p[1] - mask.corner[1] as f32];
    let (a, b) = (local(a), local(b));
    if ![a, b].iter().flatten().all(|v| v.is_finite()) {
        return;
    }
    let along = [b[0] - a[0], b[1] - a[1]];
    let length2 = along[0] * along[0] + along[1] * along[1];
    let range = |axis: usize| {
        let low = (a[axis].min(b[axis]) - half - 1.0).max(0.0) as usize;
        let high = (a[axis].max(b[axis]) + half + 1.0).max(0.0).ceil() as usize;
        low..high.min(mask.size[axis])
    };
    for y in range(1) {
        for x in range(0) {
            let p = [x as f32 + 0.5 - a[0], y as f32 + 0.5 - a[1]];
            let t = if length2 > 0.0 {
                ((p[0] * along[0] + p[1] * along[1]) / length2).clamp(0.0, 1.0)
            } else {
                0.0
            };
            let distance = (p[0] - t * along[0]).hypot(p[1] - t * along[1]);
            let cover = (half + 0.5 - distance).clamp(0.0, 1.0) * strength;
            let at = y * mask.size[0] + x;
            mask.cover[at] = mask.cover[at].max(cover);
        }
    }
}

fn blend(page: &mut Picture, [x, y]: [i64; 2], colour: [u8; 3], cover: f32) {
    let inside =
        (0..i64::from(page.width)).contains(&x) && (0..i64::from(page.height)).contains(&y);
    if !inside || cover <= 0.0 {
        return;
    }
    let at = ((y * i64::from(page.width) + x) * 4) as usize;
    for (channel, &ink) in colour.iter().enumerate() {
        let paper = f32::from(page.rgba[at + channel]);
        let mixed = paper + (f32::from(ink) - paper) * cover.min(1.0);
        page.rgba[at + channel] = mixed.round() as u8;
    }
}
