//! Figures: a sheet of pictures, text and lines, composed once in points and written as PNG, SVG or PDF.

mod bar;
mod contour;
mod font;
mod outline;
mod pdf;
mod png;
mod svg;

use std::path::Path;

use fusiform_pipelines::Error;
use fusiform_pipelines::io::write;
use fusiform_render::scene::Picture;

pub use bar::{BAR_PT, Bar, short, swatches, ticks};
pub use contour::slice_outlines;
pub use font::text_width;
pub use outline::{Drawn, mesh_outlines, silhouette};

/// A figure: lengths are points (1/72 inch), x to the right and y down from the top left corner.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Across and down.
    pub size_pt: [f32; 2],
    /// Pixels an inch: the size of pictures on the sheet and of the whole as PNG.
    pub dpi: f32,
    /// Its colour.
    pub paper: [u8; 3],
    /// From bottom to top.
    pub items: Vec<Item>,
}

/// What lies on a sheet.
#[derive(Clone, Debug)]
pub enum Item {
    /// Pixels of the renderer, opaque.
    Picture {
        /// The pixels.
        picture: Picture,
        /// Its top left corner.
        corner_pt: [f32; 2],
        /// Across and down.
        size_pt: [f32; 2],
    },
    /// A line of text.
    Text {
        /// What it says.
        text: String,
        /// Where its base line begins, has its middle or ends.
        anchor_pt: [f32; 2],
        /// Which of these the anchor is.
        align: Align,
        /// The size of its letters.
        letter_pt: f32,
        /// Their colour.
        colour: [u8; 3],
        /// The colour of a rim around them, on pictures.
        halo: Option<[u8; 3]>,
    },
    /// Lines or areas of one colour.
    Path {
        /// Each a run of straight lines.
        lines: Vec<Vec<[f32; 2]>>,
        /// Whether each ends where it began.
        closed: bool,
        /// How it is drawn.
        paint: Paint,
    },
}

/// How a path is drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Paint {
    /// Its inside; where runs overlap an even number of times is outside.
    Fill([u8; 3]),
    /// A line of that width in points, with round joins and ends.
    Stroke([u8; 3], f32),
}

/// The colours of a name on a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ink {
    /// Of its letters.
    pub letters: [u8; 3],
    /// Of the rim around them.
    pub halo: [u8; 3],
}

/// The width of the rim around the letters of names, points.
const HALO_PT: f32 = 1.1;

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

/// The forms a figure is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Pixels.
    Png,
    /// Vectors for the web and for editing.
    Svg,
    /// Vectors for print.
    Pdf,
}

impl Format {
    /// The form that a file name asks for.
    pub fn of(path: &Path) -> Result<Self, Error> {
        let ending = path
            .extension()
            .map(|e| e.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        match ending.as_str() {
            "png" => Ok(Self::Png),
            "svg" => Ok(Self::Svg),
            "pdf" => Ok(Self::Pdf),
            _ => Err(Error::file(
                path,
                "figures are written as PNG, SVG or PDF: give a name that ends in .png, .svg or .pdf",
            )),
        }
    }
}

impl Sheet {
    /// Pixels across and down as PNG.
    pub fn pixels(&self) -> [u32; 2] {
        self.size_pt.map(|pt| self.px(pt).max(1))
    }

    /// A length in whole pixels.
    pub fn px(&self, pt: f32) -> u32 {
        (pt * self.dpi / 72.0).round() as u32
    }

    /// The nearest length that is a whole number of pixels, so that pictures are not sampled anew.
    pub fn snapped(&self, pt: f32) -> f32 {
        (pt * self.dpi / 72.0).round() * 72.0 / self.dpi
    }

    /// Puts a picture down; its corner should be [`Self::snapped`].
    pub fn picture(&mut self, picture: Picture, corner_pt: [f32; 2]) {
        let size_pt = [picture.width, picture.height].map(|px| px as f32 * 72.0 / self.dpi);
        self.items.push(Item::Picture {
            picture,
            corner_pt,
            size_pt,
        });
    }

    /// Writes a line of text on a base line.
    pub fn text(
        &mut self,
        text: &str,
        anchor_pt: [f32; 2],
        letter_pt: f32,
        align: Align,
        colour: [u8; 3],
    ) {
        self.items.push(Item::Text {
            text: text.to_owned(),
            anchor_pt,
            align,
            letter_pt,
            colour,
            halo: None,
        });
    }

    /// Writes the name of something into a picture, its middle at a point, with a rim that keeps it legible there.
    pub fn name(&mut self, text: &str, [x, y]: [f32; 2], letter_pt: f32, ink: Ink) {
        self.items.push(Item::Text {
            text: text.to_owned(),
            // Capitals are 0.7 em tall.
            anchor_pt: [x, y + 0.35 * letter_pt],
            align: Align::Centre,
            letter_pt,
            colour: ink.letters,
            halo: Some(ink.halo),
        });
    }

    /// Draws lines.
    pub fn stroke(
        &mut self,
        lines: Vec<Vec<[f32; 2]>>,
        closed: bool,
        colour: [u8; 3],
        width_pt: f32,
    ) {
        if !lines.is_empty() {
            let paint = Paint::Stroke(colour, width_pt);
            self.items.push(Item::Path {
                lines,
                closed,
                paint,
            });
        }
    }

    /// Fills a box.
    pub fn fill_box(&mut self, corner: [f32; 2], size: [f32; 2], colour: [u8; 3]) {
        self.items.push(Item::Path {
            lines: vec![box_line(corner, size)],
            closed: true,
            paint: Paint::Fill(colour),
        });
    }

    /// The lines of regions found in the pixels of a picture that lies at `corner_pt`.
    pub fn regions(&mut self, drawn: Vec<Drawn>, corner_pt: [f32; 2], width_pt: f32) {
        let pt = 72.0 / self.dpi;
        for Drawn { colour, lines } in drawn {
            let lines = lines
                .into_iter()
                .map(|line| {
                    let place = |[x, y]: [f32; 2]| [corner_pt[0] + x * pt, corner_pt[1] + y * pt];
                    line.into_iter().map(place).collect()
                })
                .collect();
            self.stroke(lines, false, colour, width_pt);
        }
    }

    /// The sheet as pixels.
    pub fn raster(&self) -> anyhow::Result<Picture> {
        png::raster(self)
    }

    /// The sheet as a file of that form.
    pub fn bytes(&self, format: Format) -> anyhow::Result<Vec<u8>> {
        match format {
            Format::Png => png::bytes(self),
            Format::Svg => Ok(svg::text(self)?.into_bytes()),
            Format::Pdf => pdf::bytes(self),
        }
    }

    /// Writes it in the form its name asks for.
    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        let bytes = self.bytes(Format::of(path)?)?;
        write::atomically(path, |file| {
            std::io::Write::write_all(file, &bytes).map_err(|e| Error::io(path, e))
        })?;
        Ok(())
    }
}

/// The corners of a box.
pub(crate) fn box_line([x, y]: [f32; 2], [width, height]: [f32; 2]) -> Vec<[f32; 2]> {
    vec![
        [x, y],
        [x + width, y],
        [x + width, y + height],
        [x, y + height],
    ]
}
