//! Many axial slices at once: how many, where and how large.

use super::map;
use crate::layout::View;
use crate::session::{Session, Underlay};

/// Slices at least.
const TILES: usize = 12;
/// Empty border around each, as a share of its size.
const BORDER: f64 = 1.04;

/// A grid of axial slices, row after row from the lowest up.
#[derive(Clone, Debug)]
pub struct Mosaic {
    /// Slices in a row.
    pub columns: usize,
    /// Across and down of one, in the unit of the area.
    pub cell: [f32; 2],
    /// The zoom: millimetres a unit of the area.
    pub mm_per_unit: f64,
    /// Where each slice is, z in world mm.
    pub at_mm: Vec<f64>,
}

impl Mosaic {
    /// The upper left corner of a slice in the area.
    pub fn corner(&self, tile: usize) -> [f32; 2] {
        let [width, height] = self.cell;
        let columns = self.columns.max(1);
        [
            (tile % columns) as f32 * width,
            (tile / columns) as f32 * height,
        ]
    }
}

/// The grid for an area: the fewest columns that give a dozen slices in sight, through the map where there is one.
pub fn mosaic(
    session: &Session,
    view: &View,
    underlay: &Underlay,
    [across, down]: [f32; 2],
) -> Mosaic {
    let (mut low, mut high) = underlay.bounds_mm;
    let extent = high - low;
    if let Some(volume) = map(session, view).and_then(|(map, _)| map.volume()) {
        let (from, to) = volume.grid.world_bounds();
        (low.z, high.z) = (low.z.max(from.z), high.z.min(to.z));
    }
    let shape = (extent.y / extent.x.max(1.0)) as f32;
    let rows_of = |columns: usize| {
        let height = across / columns as f32 * shape;
        ((down / height) as usize).max(1)
    };
    let columns = (3..=10).find(|&c| c * rows_of(c) >= TILES).unwrap_or(8);
    let rows = rows_of(columns).min(8);
    let cell = [across / columns as f32, down / rows as f32];
    let n = columns * rows;
    let fit = (extent.x / f64::from(cell[0])).max(extent.y / f64::from(cell[1]));
    let part = |tile: usize| (tile as f64 + 0.5) / n as f64;
    Mosaic {
        columns,
        cell,
        mm_per_unit: fit * BORDER,
        at_mm: (0..n).map(|t| low.z + part(t) * (high.z - low.z)).collect(),
    }
}
