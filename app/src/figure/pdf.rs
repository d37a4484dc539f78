//! A sheet as PDF: text in an embedded font, lines as vectors, pictures as images.

use std::collections::BTreeMap;
use std::io::Write;

use ab_glyph::Font;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{
    CidFontType, FontFlags, LineCapStyle, LineJoinStyle, SystemInfo, TextRenderingMode as Mode,
    UnicodeCmap,
};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str};

use super::font::{TRUETYPE, font, text_width};
use super::{Align, HALO_PT, Item, Paint, Sheet, png};

const FONT_NAME: Name<'static> = Name(b"Ubuntu-Light");
const FONT: Name<'static> = Name(b"F");
const IDENTITY: SystemInfo<'static> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

const CATALOG: Ref = Ref::new(1);
const PAGES: Ref = Ref::new(2);
const PAGE: Ref = Ref::new(3);
const CONTENT: Ref = Ref::new(4);
const TYPE0: Ref = Ref::new(5);
const CID_FONT: Ref = Ref::new(6);
const DESCRIPTOR: Ref = Ref::new(7);
const FONT_FILE: Ref = Ref::new(8);
const TO_UNICODE: Ref = Ref::new(9);
const INFO: Ref = Ref::new(10);
const FIRST_PICTURE: i32 = 11;

/// The whole file, one page of the sheet's size.
pub(super) fn bytes(sheet: &Sheet) -> anyhow::Result<Vec<u8>> {
    let mut pdf = Pdf::new();
    let mut content = Content::new();
    let mut glyphs: BTreeMap<u16, char> = BTreeMap::new();
    let mut names = Vec::new();
    let [width, height] = sheet.size_pt;

    // From here on y goes down, as on the sheet.
    content.transform([1.0, 0.0, 0.0, -1.0, 0.0, height]);
    content.set_line_cap(LineCapStyle::RoundCap);
    content.set_line_join(LineJoinStyle::RoundJoin);
    let [r, g, b] = share(sheet.paper);
    content.set_fill_rgb(r, g, b);
    content.rect(0.0, 0.0, width, height).fill_nonzero();
    for item in &sheet.items {
        match item {
            Item::Picture {
                picture,
                corner_pt: [x, y],
                size_pt: [w, h],
            } => {
                let name = format!("P{}", names.len());
                let id = Ref::new(FIRST_PICTURE + names.len() as i32);
                let data = deflated(&png::opaque(picture))?;
                let mut image = pdf.image_xobject(id, &data);
                image.filter(Filter::FlateDecode);
                image.width(picture.width as i32);
                image.height(picture.height as i32);
                image.color_space().device_rgb();
                image.bits_per_component(8);
                image.finish();
                content.save_state();
                content.transform([*w, 0.0, 0.0, -h, *x, y + h]);
                content.x_object(Name(name.as_bytes()));
                content.restore_state();
                names.push((name, id));
            }
            Item::Text {
                text,
                anchor_pt: [x, y],
                align,
                letter_pt,
                colour,
                halo,
            } => {
                let wide = text_width(text, *letter_pt)?;
                let x = match align {
                    Align::Left => *x,
                    Align::Centre => x - wide / 2.0,
                    Align::Right => x - wide,
                };
                let shown = encoded(text, &mut glyphs)?;
                if let Some(halo) = halo {
                    let [r, g, b] = share(*halo);
                    content.set_stroke_rgb(r, g, b);
                    content.set_line_width(2.0 * HALO_PT);
                    // Who copies the text gets it once.
                    content.begin_marked_content(Name(b"Artifact"));
                    write(&mut content, &shown, [x, *y], *letter_pt, Mode::Stroke);
                    content.end_marked_content();
                }
                let [r, g, b] = share(*colour);
                content.set_fill_rgb(r, g, b);
                write(&mut content, &shown, [x, *y], *letter_pt, Mode::Fill);
            }
            Item::Path {
                lines,
                closed,
                paint,
            } => {
                for line in lines {
                    for (index, &[x, y]) in line.iter().enumerate() {
                        if index == 0 {
                            content.move_to(x, y);
                        } else {
                            content.line_to(x, y);
                        }
                    }
                    if *closed {
                        content.close_path();
                    }
                }
                match paint {
                    Paint::Fill(colour) => {
                        let [r, g, b] = share(*colour);
                        content.set_fill_rgb(r, g, b);
                        content.fill_even_odd();
                    }
                    Paint::Stroke(colour, width) => {
                        let [r, g, b] = share(*colour);
                        content.set_stroke_rgb(r, g, b);
                        content.set_line_width(*width);
                        content.stroke();
                    }
                }
            }
        }
    }

    pdf.catalog(CATALOG).pages(PAGES);
    pdf.pages(PAGES).kids([PAGE]).count(1);
    let mut page = pdf.page(PAGE);
    page.media_box(Rect::new(0.0, 0.0, width, height));
    page.parent(PAGES);
    page.contents(CONTENT);
    let mut resources = page.resources();
    resources.fonts().pair(FONT, TYPE0);
    let mut pictures = resources.x_objects();
    for (name, id) in &names {
        pictures.pair(Name(name.as_bytes()), *id);
    }
    pictures.finish();
    resources.finish();
    page.finish();
    let drawing = deflated(&content.finish())?;
    pdf.stream(CONTENT, &drawing).filter(Filter::FlateDecode);
    embed_font(&mut pdf, &glyphs)?;
    pdf.document_info(INFO)
        .producer(pdf_writer::TextStr("Fusiform"));
    Ok(pdf.finish())
}

/// A line of glyphs, upright although y goes down.
fn write(content: &mut Content, glyphs: &[u8], [x, y]: [f32; 2], letter_pt: f32, mode: Mode) {
    content.begin_text();
    content.set_text_rendering_mode(mode);
    content.set_font(FONT, letter_pt);
    content.set_text_matrix([1.0, 0.0, 0.0, -1.0, x, y]);
    content.show(Str(glyphs));
    content.end_text();
}

/// Two bytes a glyph, and which character each glyph stands for.
fn encoded(text: &str, glyphs: &mut BTreeMap<u16, char>) -> anyhow::Result<Vec<u8>> {
    let font = font()?;
    let mut shown = Vec::with_capacity(text.len() * 2);
    for character in text.chars() {
        let glyph = font.glyph_id(character).0;
        glyphs.entry(glyph).or_insert(character);
        shown.extend(glyph.to_be_bytes());
    }
    Ok(shown)
}

/// The built-in font, whole, with the widths and characters of the glyphs that are used.
fn embed_font(pdf: &mut Pdf, glyphs: &BTreeMap<u16, char>) -> anyhow::Result<()> {
    let font = font()?;
    let per_em = 1000.0 / font.units_per_em().unwrap_or(1000.0);
    pdf.type0_font(TYPE0)
        .base_font(FONT_NAME)
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(CID_FONT)
        .to_unicode(TO_UNICODE);
    let mut cid = pdf.cid_font(CID_FONT);
    cid.subtype(CidFontType::Type2);
    cid.base_font(FONT_NAME);
    cid.system_info(IDENTITY);
    cid.font_descriptor(DESCRIPTOR);
    cid.default_width(0.0);
    cid.cid_to_gid_map_predefined(Name(b"Identity"));
    let mut widths = cid.widths();
    for &glyph in glyphs.keys() {
        let advance = font.h_advance_unscaled(ab_glyph::GlyphId(glyph)) * per_em;
        widths.consecutive(glyph, [advance]);
    }
    widths.finish();
    cid.finish();
    let (ascent, descent) = (
        font.ascent_unscaled() * per_em,
        font.descent_unscaled() * per_em,
    );
    pdf.font_descriptor(DESCRIPTOR)
        .name(FONT_NAME)
        .flags(FontFlags::NON_SYMBOLIC)
        .bbox(Rect::new(-200.0, descent, 1500.0, ascent))
        .italic_angle(0.0)
        .ascent(ascent)
        .descent(descent)
        .cap_height(700.0)
        .stem_v(60.0)
        .font_file2(FONT_FILE);
    let file = deflated(TRUETYPE)?;
    pdf.stream(FONT_FILE, &file)
        .filter(Filter::FlateDecode)
        .pair(Name(b"Length1"), TRUETYPE.len() as i32);
    let mut characters = UnicodeCmap::new(Name(b"Fusiform"), IDENTITY);
    for (&glyph, &character) in glyphs {
        characters.pair(glyph, character);
    }
    pdf.cmap(TO_UNICODE, &characters.finish());
    Ok(())
}

fn deflated(bytes: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    Ok(encoder.finish()?)
}

fn share(colour: [u8; 3]) -> [f32; 3] {
    colour.map(|c| f32::from(c) / 255.0)
}
