//! The standard figures: views of the cortex, flat maps, slices, mosaics, glass brains, volumes cut open.

mod cast;
mod cells;
mod cortex;
mod first_look;
mod glass;
mod mosaic;
mod slices;

use std::sync::Arc;

use fusiform_pipelines::surface::{Hemisphere, Shape};
use fusiform_pipelines::volume::Volume;
use fusiform_render::scene::Look;
use serde::{Deserialize, Serialize};

use crate::figure::{BAR_PT, Bar, Sheet, short};
use first_look::{first_look, suit_classes, whole_numbers};

pub use cast::cut_open;
pub use cortex::{Angle, FreeCamera, camera_on, cortex, flat_map, mesh_layer};
pub(crate) use first_look::{colours, told};
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
    /// The whole numbers that its colours stand for where these are colours of classes, and what each is called.
    pub classes: Vec<(i32, String)>,
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
    /// A map with the look that suits its numbers ([`first_look`]). `signed`: it says of itself that it is a statistic
    /// with a sign.
    pub fn new(values: Values, label: &str, signed: bool) -> Self {
        let on_grid = matches!(values, Values::Volume(_));
        let look = first_look(&told(values.all(), signed), on_grid);
        Self {
            values,
            label: label.to_owned(),
            look,
            classes: Vec::new(),
        }
    }

    /// Gives it colours that stand for its whole numbers, one each while there are enough.
    ///
    /// # Errors
    /// When it has other numbers.
    pub fn in_classes(&mut self) -> anyhow::Result<()> {
        let present = whole_numbers(self.values.all());
        if present.is_empty() {
            anyhow::bail!(
                "the colours of classes are for maps of whole numbers, and {} has others: choose another --colormap",
                self.label
            );
        }
        suit_classes(&present, &mut self.look);
        let known = std::mem::take(&mut self.classes);
        let name = |key: i32| {
            known
                .iter()
                .find(|(k, _)| *k == key)
                .map(|(_, name)| name.clone())
        };
        self.classes = present
            .into_iter()
            .map(|key| (key, name(key).unwrap_or_else(|| key.to_string())))
            .collect();
        Ok(())
    }

    /// Whether numbers lie between its numbers: not between classes.
    fn flows(&self) -> bool {
        self.look.colormap.n_classes().is_none()
    }

    /// Says what of a map is not seen because its negative numbers were taken for nothing; nothing where all is seen.
    pub fn unseen(&self) -> Option<String> {
        let told = told(self.values.all(), false);
        (!self.look.two_sided && told.n_negative > 0).then(|| {
            format!(
                "{} of {} numbers are negative, the lowest {}: so few or so small that the map is shown one-sided; \
                 --two-sided shows them",
                told.n_negative, told.n, told.lowest
            )
        })
    }

    /// The numbers, if they are on a grid.
    pub fn volume(&self) -> Option<&Volume> {
        match &self.values {
            Values::Volume(volume) => Some(volume),
            Values::Sheet(_) => None,
        }
    }
}

impl Values {
    /// Every number.
    pub(crate) fn all(&self) -> impl Iterator<Item = f32> {
        let (volume, sides) = match self {
            Self::Volume(volume) => (&volume.data[..], &[][..]),
            Self::Sheet(sides) => (&[][..], &sides[..]),
        };
        let on_sheet = sides.iter().flat_map(|(_, values)| values.iter());
        volume.iter().chain(on_sheet).copied()
    }
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
    /// Whether the names of regions are written on the cortex.
    pub names: bool,
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
            names: false,
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
        classes: &map.classes,
        ink: style.ink,
    };
    let [width, height] = sheet.size_pt;
    let long = (width * 0.4).clamp(90.0, 190.0).min(width - 40.0);
    sheet.colour_bar(&bar, width / 2.0, height - MARGIN_PT - BAR_PT, long)
}

fn label_with_threshold(map: &Map) -> String {
    if map.look.threshold <= 0.0 || map.look.colormap.n_classes().is_some() {
        return map.label.clone();
    }
    // A letter says it best: t (|t| ≥ 3).
    let name = if map.label.chars().count() == 1 {
        map.label.as_str()
    } else {
        "value"
    };
    let of = if map.look.two_sided {
        format!("|{name}|")
    } else {
        name.to_owned()
    };
    let soft = if map.look.soft { "fading below" } else { "≥" };
    format!("{} ({of} {soft} {})", map.label, short(map.look.threshold))
}
