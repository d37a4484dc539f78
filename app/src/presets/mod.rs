//! The standard figures: views of the cortex, flat maps, slices, mosaics, glass brains, volumes cut open.

mod cast;
mod cells;
mod cortex;
mod glass;
mod mosaic;
mod slices;

use std::sync::Arc;

use fusiform_pipelines::surface::{Hemisphere, Shape};
use fusiform_pipelines::volume::Volume;
use fusiform_render::colormap::Colormap;
use fusiform_render::scene::Look;
use serde::{Deserialize, Serialize};

use crate::figure::{BAR_PT, Bar, Sheet, short};

pub use cast::cut_open;
pub use cortex::{Angle, FreeCamera, camera_on, cortex, flat_map, mesh_layer};
pub use glass::glass_brain;
pub use mosaic::{Row, mosaic, parse_rows};
pub use slices::slices;

/// A statistic to show, with its colours.
#[derive(Clone, Debug)]
pub struct Map {
    /// The numbers.
    pub values: Values,
    /// Name and unit.
    pub label: String,
    /// Colours.
    pub look: Look,
}

/// Where a map's numbers are.
#[derive(Clone, Debug)]
pub enum Values {
    /// On a grid.
    Volume(Arc<Volume>),
    /// On the vertices of one or both hemispheres.
    Sheet(Vec<(Hemisphere, Arc<[f32]>)>),
}

impl Map {
    /// A map with a sensible look: two-sided if it has negative numbers, up to its 99.5th percentile; small numbers of
    /// a volume are hidden.
    pub fn new(values: Values, label: &str) -> Self {
        let parts: Vec<&[f32]> = match &values {
            Values::Volume(volume) => vec![&volume.data],
            Values::Sheet(sides) => sides.iter().map(|(_, values)| &values[..]).collect(),
        };
        let all = || parts.iter().flat_map(|part| part.iter().copied());
        let mut sizes: Vec<f32> = all()
            .filter(|v| v.is_finite() && *v != 0.0)
            .map(f32::abs)
            .collect();
        sizes.sort_by(f32::total_cmp);
        let top = sizes
            .get(sizes.len().saturating_sub(1) * 995 / 1000)
            .copied()
            .unwrap_or(1.0);
        let two_sided = all().any(|v| v < 0.0);
        let on_grid = matches!(values, Values::Volume(_));
        let look = Look {
            soft: false,
            colormap: match (two_sided, on_grid) {
                (true, true) => Colormap::ColdHot,
                (true, false) => Colormap::BlueRed,
                (false, true) => Colormap::Hot,
                (false, false) => Colormap::Viridis,
            },
            range: (0.0, round_up(top)),
            threshold: if on_grid { round_up(0.1 * top) } else { 0.0 },
            two_sided,
            opacity: 1.0,
        };
        Self {
            values,
            label: label.to_owned(),
            look,
        }
    }

    /// The numbers, if they are on a grid.
    pub fn volume(&self) -> Option<&Volume> {
        match &self.values {
            Values::Volume(volume) => Some(volume),
            Values::Sheet(_) => None,
        }
    }
}

/// The next number up with two leading digits.
fn round_up(value: f32) -> f32 {
    if value.is_nan() || value <= 0.0 {
        return 1.0;
    }
    let unit = 10f32.powf(value.log10().floor() - 1.0);
    (value / unit).ceil() * unit
}

/// How a volume is put on the cortex.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Sample {
    /// At every pixel, between white and pial: voxels stay visible.
    #[default]
    Pixel,
    /// At every vertex, even between them.
    Vertex,
}

/// How figures look.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Across, as printed. Journals ask for about 89 (one column) or 183 (two).
    pub width_mm: f32,
    /// Pixels an inch.
    pub dpi: f32,
    /// Pixels across and down instead of `dpi` and a height that follows from the content.
    pub size: Option<[u32; 2]>,
    /// The sheet.
    pub paper: [u8; 3],
    /// Text on it.
    pub ink: [u8; 3],
    /// The cortex's layout.
    pub shape: Shape,
    /// Whether region borders are drawn.
    pub outlines: bool,
    /// How volumes are put on the cortex.
    pub sample: Sample,
    /// Whether the subject's right is on the left of axial and coronal slices.
    pub radiological: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            width_mm: 183.0,
            dpi: 300.0,
            size: None,
            paper: [255; 3],
            ink: [30, 30, 36],
            shape: Shape::Inflated,
            outlines: true,
            sample: Sample::Pixel,
            radiological: false,
        }
    }
}

/// Sizes of letters, points at print size.
const TITLE_PT: f32 = 8.0;
const LETTER_PT: f32 = 7.0;
const MARGIN_PT: f32 = 6.0;
const GAP_PT: f32 = 5.0;
const OUTLINE_PT: f32 = 0.7;

impl Style {
    /// The same on dark paper.
    #[must_use]
    pub fn dark(self) -> Self {
        Self {
            paper: [18, 18, 22],
            ink: [235; 3],
            ..self
        }
    }

    /// The width of the sheet.
    fn width_pt(&self) -> f32 {
        self.width_mm / 25.4 * 72.0
    }

    fn real_dpi(&self) -> f32 {
        self.size
            .map_or(self.dpi, |[width, _]| width as f32 / (self.width_mm / 25.4))
    }

    /// The height of the sheet, if it is settled.
    fn height_pt(&self) -> Option<f32> {
        self.size
            .map(|[_, height]| height as f32 * 72.0 / self.real_dpi())
    }

    /// An empty sheet, as tall as settled or else as its content.
    fn sheet(&self, content_pt: f32) -> Sheet {
        Sheet {
            size_pt: [self.width_pt(), self.height_pt().unwrap_or(content_pt)],
            dpi: self.real_dpi(),
            paper: self.paper,
            items: Vec::new(),
        }
    }

    fn opaque_paper(&self) -> [u8; 4] {
        let [r, g, b] = self.paper;
        [r, g, b, 255]
    }
}

/// The room a map's colour bar takes at the foot of a sheet.
fn footer(map: Option<&Map>) -> f32 {
    map.map_or(0.0, |_| BAR_PT + GAP_PT)
}

/// The map's colour bar at the foot of the sheet.
fn put_bar(sheet: &mut Sheet, map: Option<&Map>, style: &Style) -> anyhow::Result<()> {
    let Some(map) = map else {
        return Ok(());
    };
    let bar = Bar {
        look: &map.look,
        label: &label_with_threshold(map),
        ink: style.ink,
    };
    let [width, height] = sheet.size_pt;
    let long = (width * 0.4).clamp(90.0, 190.0).min(width - 40.0);
    sheet.colour_bar(&bar, width / 2.0, height - MARGIN_PT - BAR_PT, long)
}

fn label_with_threshold(map: &Map) -> String {
    if map.look.threshold <= 0.0 {
        return map.label.clone();
    }
    let of = if map.look.two_sided {
        "|value|"
    } else {
        "value"
    };
    let soft = if map.look.soft { "fading below" } else { "≥" };
    format!("{} ({of} {soft} {})", map.label, short(map.look.threshold))
}
