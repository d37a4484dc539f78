//! The standard figures: four views of the cortex, three slices.

mod cortex;
mod slices;

use fusiform_pipelines::surface::Shape;
use fusiform_pipelines::volume::Volume;
use fusiform_render::colormap::Colormap;
use fusiform_render::scene::Look;

pub use cortex::{camera_on, four_views, mesh_layer};
pub use slices::slices;

/// A statistic to show, with its colours.
#[derive(Clone, Debug)]
pub struct Map {
    /// The numbers.
    pub volume: Volume,
    /// Name and unit.
    pub label: String,
    /// Colours.
    pub look: Look,
}

impl Map {
    /// A map with a sensible look: two-sided if it has negative numbers, up to its 99.5th percentile,
    /// small numbers hidden.
    pub fn new(volume: &Volume, label: &str) -> Self {
        let mut sizes: Vec<f32> = volume
            .data
            .iter()
            .filter(|v| v.is_finite() && **v != 0.0)
            .map(|v| v.abs())
            .collect();
        sizes.sort_by(f32::total_cmp);
        let top = sizes
            .get(sizes.len().saturating_sub(1) * 995 / 1000)
            .copied()
            .unwrap_or(1.0);
        let two_sided = volume.data.iter().any(|v| *v < 0.0);
        let look = Look {
            soft: false,
            colormap: if two_sided {
                Colormap::ColdHot
            } else {
                Colormap::Hot
            },
            range: (0.0, round_up(top)),
            threshold: round_up(0.1 * top),
            two_sided,
            opacity: 1.0,
        };
        Self {
            volume: volume.clone(),
            label: label.to_owned(),
            look,
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

/// How figures look.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Pixels across and down.
    pub size: [u32; 2],
    /// The sheet.
    pub paper: [u8; 3],
    /// Text on it.
    pub ink: [u8; 3],
    /// The cortex's layout.
    pub shape: Shape,
    /// Whether region borders are drawn.
    pub outlines: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            size: [1600, 1200],
            paper: [255; 3],
            ink: [30, 30, 36],
            shape: Shape::Inflated,
            outlines: true,
        }
    }
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
    format!(
        "{} ({of} ≥ {})",
        map.label,
        crate::figure::short(map.look.threshold)
    )
}
