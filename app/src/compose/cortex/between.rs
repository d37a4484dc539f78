//! The shapes of the cortical sheet: which two are shown, how far from one to the other, and where the halves stand.

use fusiform_pipelines::surface::{Hemisphere, Shape};
use fusiform_render::scene::MeshData;
use glam::Vec3;

use crate::bridge;
use crate::session::HemisphereData;

/// Where the shapes stand on the slider, and their names.
pub const STOPS: [(Shape, f32, &str); 5] = [
    (Shape::White, 0.0, "White"),
    (Shape::Pial, 1.0, "Pial"),
    (Shape::Inflated, 2.0, "Inflated"),
    (Shape::Sphere, 3.0, "Sphere"),
    (Shape::Flat, 4.0, "Flat"),
];

/// Millimetres between hemispheres that would overlap.
const GAP_MM: f32 = 6.0;
/// Two shapes of a hemisphere and how far the second is reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Between<'a> {
    pub(super) from: &'a MeshData,
    pub(super) to: Option<(&'a MeshData, f32)>,
    /// How flat it is, 0 to 1.
    pub(super) flat: f32,
}

/// Which shapes a hemisphere shows at a place on the slider.
pub(super) fn between(hemisphere: &HemisphereData, morph: f32) -> Option<Between<'_>> {
    let there: Vec<(Shape, f32, &MeshData)> = STOPS
        .iter()
        .filter_map(|&(shape, at, _)| Some((shape, at, hemisphere.shape(shape)?.1)))
        .collect();
    if there.is_empty() {
        let (_, mesh) = hemisphere.shape(Shape::Midthickness)?;
        return Some(Between {
            from: mesh,
            to: None,
            flat: 0.0,
        });
    }
    let below = there.iter().rev().find(|(_, at, _)| *at <= morph);
    let above = there.iter().find(|(_, at, _)| *at > morph);
    match (below, above) {
        (Some((_, low, from)), Some((shape, high, to))) => {
            let share = (morph - low) / (high - low);
            let flat = f32::from(u8::from(*shape == Shape::Flat)) * share;
            if share <= 0.0 {
                return Some(Between {
                    from,
                    to: None,
                    flat: 0.0,
                });
            }
            // Only the flat map's own triangles are laid flat.
            let from = hemisphere
                .cut
                .as_ref()
                .filter(|_| flat > 0.0)
                .unwrap_or(from);
            Some(Between {
                from,
                to: Some((to, share)),
                flat,
            })
        }
        (one, other) => {
            let &(shape, _, from) = one.or(other)?;
            Some(Between {
                from,
                to: None,
                flat: f32::from(u8::from(shape == Shape::Flat)),
            })
        }
    }
}

/// How far each hemisphere is moved, mm: apart where they would overlap, and as far as asked for.
pub(super) fn offsets(parts: &[(usize, &HemisphereData, Between<'_>)], apart_mm: f32) -> Vec<Vec3> {
    let of = |side| parts.iter().find(|(_, h, _)| h.hemisphere == side);
    let (mut left_mm, mut right_mm) = (Vec3::ZERO, Vec3::ZERO);
    if let (Some((.., left)), Some((.., right))) = (of(Hemisphere::Left), of(Hemisphere::Right)) {
        let at = |pick: fn(Between<'_>) -> Option<&MeshData>| {
            let (l, r) = (pick(*left)?, pick(*right)?);
            Some(bridge::side_by_side(&l.vertices, &r.vertices, GAP_MM))
        };
        let start = at(|b| Some(b.from)).unwrap_or_default();
        let share = left.to.map_or(0.0, |(_, share)| share);
        let end = at(|b| b.to.map(|(to, _)| to)).unwrap_or(start);
        left_mm = start.0.lerp(end.0, share);
        right_mm = start.1.lerp(end.1, share);
    }
    let apart = Vec3::X * apart_mm / 2.0;
    parts
        .iter()
        .map(|(_, h, _)| match h.hemisphere {
            Hemisphere::Left => left_mm - apart,
            Hemisphere::Right => right_mm + apart,
        })
        .collect()
}

/// The box of a morphed shape: between the boxes of its ends. Of a flat map only what its triangles hold.
pub(super) fn reach(shapes: Between<'_>) -> (Vec3, Vec3) {
    let of = |mesh: &MeshData| {
        let used = mesh.triangles.iter().flatten();
        let used = used.filter_map(|&v| mesh.vertices.get(v as usize));
        used.fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), &v| {
            (low.min(v), high.max(v))
        })
    };
    let start = of(shapes.from);
    match shapes.to {
        Some((to, share)) => {
            let end = of(to);
            (start.0.lerp(end.0, share), start.1.lerp(end.1, share))
        }
        None => start,
    }
}
