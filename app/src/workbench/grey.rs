//! Volumes in grey: the numbers shown black and white, and where the head is.

use std::sync::Arc;

use fusiform_pipelines::space::Grid;
use fusiform_pipelines::volume::Volume;
use glam::DVec3;

use crate::compose::silhouette;
pub(crate) use crate::compose::silhouette::AIR;
use crate::session::GreyParts;

/// The numbers below which a share `low` and a share `high` of the finite values other than 0 lie, made at
/// least a little apart.
pub(crate) fn robust_range(data: &[f32], low: f64, high: f64) -> (f32, f32) {
    // A quantile needs no more than a sample of a large volume.
    let stride = (data.len() / 200_000).max(1);
    let mut values: Vec<f32> = data
        .iter()
        .step_by(stride)
        .copied()
        .filter(|v| v.is_finite() && *v != 0.0)
        .collect();
    if values.is_empty() {
        return (0.0, 1.0);
    }
    values.sort_by(f32::total_cmp);
    let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
    let (a, b) = (at(low), at(high));
    if b > a {
        (a, b)
    } else {
        (a.min(0.0), a.max(0.0).max(a.min(0.0) + 1e-3))
    }
}

/// A volume with its robust range of greys and the box of what is not air.
pub(crate) fn grey(volume: Arc<Volume>) -> GreyParts {
    let window = robust_range(&volume.data, 0.02, 0.995);
    let air = window.0.max(0.0) + AIR * (window.1 - window.0.max(0.0));
    let grid = &volume.grid;
    let (mut low, mut high) = (DVec3::INFINITY, DVec3::NEG_INFINITY);
    for (v, value) in volume.data.iter().enumerate() {
        if *value > air {
            let ijk = grid.ijk(v).map(|i| i as f64);
            low = low.min(DVec3::from_array(ijk) - 0.5);
            high = high.max(DVec3::from_array(ijk) + 0.5);
        }
    }
    let bounds_mm = if low.is_finite() {
        box_in_world(grid, low, high)
    } else {
        grid.world_bounds()
    };
    GreyParts {
        silhouettes: Some(Arc::new(silhouette::of(&volume, air, bounds_mm))),
        volume,
        window,
        bounds_mm,
    }
}

/// The box around a box of voxel coordinates, world mm.
fn box_in_world(grid: &Grid, low: DVec3, high: DVec3) -> (DVec3, DVec3) {
    let corners = (0..8).map(|corner| {
        let pick = |axis: usize| {
            if corner >> axis & 1 == 1 {
                high[axis]
            } else {
                low[axis]
            }
        };
        grid.world_from_voxel
            .transform_point3(DVec3::new(pick(0), pick(1), pick(2)))
    });
    corners.fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(a, b), c| {
        (a.min(c), b.max(c))
    })
}
