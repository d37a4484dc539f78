//! A closed line drawn by hand: which points it holds, and which voxels of a slice.

use glam::{DVec2, DVec3};

use super::for_each_in;
use crate::mask::Mask;
use crate::space::Grid;

/// Whether a point lies within a polygon: its winding number is not 0, so that a line that crosses itself leaves no
/// holes (Sunday 2001, “Inclusion of a point in a polygon”).
pub fn holds(polygon: &[DVec2], at: DVec2) -> bool {
    let mut winding = 0;
    for (n, &a) in polygon.iter().enumerate() {
        let b = polygon[(n + 1) % polygon.len()];
        let left = (b - a).perp_dot(at - a);
        if a.y <= at.y && b.y > at.y && left > 0.0 {
            winding += 1;
        } else if a.y > at.y && b.y <= at.y && left < 0.0 {
            winding -= 1;
        }
    }
    winding != 0
}

/// The voxels whose centres lie within a polygon drawn on a plane (its corners are world mm, on the plane): those of the
/// layer that the plane cuts, and with `slab_mm` all whose centres are within half of it of the plane.
///
/// Nothing when the polygon has fewer than three corners or the normal no length.
pub fn on_plane(grid: &Grid, polygon_mm: &[DVec3], normal: DVec3, slab_mm: f64) -> Mask {
    let normal = normal.normalize_or_zero();
    let nothing = || Mask::of(grid.clone(), Vec::new());
    let (Some(&origin), true) = (polygon_mm.first(), normal != DVec3::ZERO) else {
        return nothing();
    };
    if polygon_mm.len() < 3 {
        return nothing();
    }
    let (right, down) = normal.any_orthonormal_pair();
    let flat = |at: DVec3| DVec2::new((at - origin).dot(right), (at - origin).dot(down));
    let polygon: Vec<DVec2> = polygon_mm.iter().map(|&at| flat(at)).collect();
    // How far off the plane a step leads along the axis of voxels that is nearest to the normal.
    let m = grid.world_from_voxel.matrix3;
    let steps = [m.x_axis, m.y_axis, m.z_axis].map(|axis| {
        let along = axis.dot(normal).abs();
        (along / axis.length().max(1e-12), along)
    });
    let nearest = steps.into_iter().max_by(|a, b| a.0.total_cmp(&b.0));
    let layer_mm = nearest.map_or(0.0, |(_, along)| along);
    let half = (slab_mm.max(layer_mm)) / 2.0;
    let reach = DVec3::splat(half);
    let bounds = polygon_mm.iter().fold(
        (DVec3::INFINITY, DVec3::NEG_INFINITY),
        |(low, high), &at| (low.min(at), high.max(at)),
    );
    let mut found = Vec::new();
    for_each_in(grid, (bounds.0 - reach, bounds.1 + reach), |ijk| {
        let at = grid.world(ijk);
        let off = (at - origin).dot(normal);
        // Half open, so that a plane between two layers takes one of them.
        if off >= -half && off < half && holds(&polygon, flat(at)) {
            found.push(grid.index(ijk) as u32);
        }
    });
    Mask::of(grid.clone(), found)
}
