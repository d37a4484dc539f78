//! A sheet as SVG: text stays text, lines stay lines, pictures are embedded as PNG.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Align, HALO_PT, Item, Paint, Sheet, font, png};

/// The whole document; its unit is the point.
pub(super) fn text(sheet: &Sheet) -> anyhow::Result<String> {
    let [width, height] = sheet.size_pt;
    let mut svg = format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}pt" height="{height}pt" viewBox="0 0 {width} {height}" font-family="{}" font-weight="300">
<rect width="{width}" height="{height}" fill="{}"/>
"#,
        font::FAMILIES,
        hex(sheet.paper)
    );
    for item in &sheet.items {
        match item {
            Item::Picture {
                picture,
                corner_pt: [x, y],
                size_pt: [width, height],
            } => {
                // The old form of the link: drawing programs of all ages read it.
                let data = STANDARD.encode(png::encoded(picture)?);
                writeln!(
                    svg,
                    r#"<image x="{x:.3}" y="{y:.3}" width="{width:.3}" height="{height:.3}" preserveAspectRatio="none" xlink:href="data:image/png;base64,{data}"/>"#
                )?;
            }
            Item::Text {
                text,
                anchor_pt: [x, y],
                align,
                letter_pt,
                colour,
                halo,
            } => {
                let anchor = match align {
                    Align::Left => "start",
                    Align::Centre => "middle",
                    Align::Right => "end",
                };
                let rim = halo.map_or_else(String::new, |halo| {
                    format!(
                        r#" stroke="{}" stroke-width="{:.2}" stroke-linejoin="round" paint-order="stroke""#,
                        hex(halo),
                        2.0 * HALO_PT
                    )
                });
                writeln!(
                    svg,
                    r#"<text x="{x:.2}" y="{y:.2}" font-size="{letter_pt:.2}" text-anchor="{anchor}" fill="{}"{rim}>{}</text>"#,
                    hex(*colour),
                    escaped(text)
                )?;
            }
            Item::Path {
                lines,
                closed,
                paint,
            } => {
                let d = path(lines, *closed)?;
                let look = match paint {
                    Paint::Fill(colour) => {
                        format!(r#"fill="{}" fill-rule="evenodd""#, hex(*colour))
                    }
                    Paint::Stroke(colour, width) => format!(
                        r#"fill="none" stroke="{}" stroke-width="{width:.2}" stroke-linejoin="round" stroke-linecap="round""#,
                        hex(*colour)
                    ),
                };
                writeln!(svg, r#"<path d="{d}" {look}/>"#)?;
            }
        }
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn path(lines: &[Vec<[f32; 2]>], closed: bool) -> Result<String, std::fmt::Error> {
    let mut d = String::new();
    for line in lines {
        for (index, [x, y]) in line.iter().enumerate() {
            let pen = if index == 0 { 'M' } else { 'L' };
            write!(d, "{pen}{x:.2} {y:.2}")?;
        }
        if closed {
            d.push('Z');
        }
    }
    Ok(d)
}

fn hex([r, g, b]: [u8; 3]) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// Text as XML wants it; characters XML cannot hold are left out.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            c if c.is_control() => {}
            c => safe.push(c),
        }
    }
    safe
}
