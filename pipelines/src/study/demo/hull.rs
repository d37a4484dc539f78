//! The gross shape of the head's contents, as functions that are negative inside.
//!
//! A hemisphere is described once, in *lateral* coordinates: (distance from the mid-plane,
//! y, z) in mm, so that both halves share it. The numbers follow the usual proportions of an
//! adult brain in a stereotaxic frame; they are no individual's.

use glam::Vec3;

use super::stream::sin_cos;

/// Roughly the distance to an ellipsoid.
pub(super) fn ellipsoid(p: Vec3, centre: Vec3, half: Vec3) -> f32 {
    let q = (p - centre) / half;
    let k = q.length();
    k * (k - 1.0) / (q / half).length().max(1e-6)
}

/// The distance to a rounded rod.
pub(super) fn capsule(p: Vec3, from: Vec3, to: Vec3, radius: f32) -> f32 {
    let along = to - from;
    let t = ((p - from).dot(along) / along.length_squared()).clamp(0.0, 1.0);
    p.distance(from + along * t) - radius
}

/// The smaller of two distances, blended where they are within `round` of each other.
pub(super) fn blend(a: f32, b: f32, round: f32) -> f32 {
    let h = (round - (a - b).abs()).max(0.0) / round;
    a.min(b) - h * h * round * 0.25
}

/// A hemisphere's hull at a point in lateral coordinates: about the distance in mm, negative inside.
pub(super) fn hemisphere(p: Vec3) -> f32 {
    // The long axis is arched: both poles lie below the crown.
    let along = (p.y + 17.0) / 86.0;
    let arched = Vec3::new(p.x * (1.0 + 0.10 * along), p.y, p.z + 15.0 * along * along);
    let dome = ellipsoid(
        arched,
        Vec3::new(0.0, -17.0, 24.0),
        Vec3::new(66.0, 87.0, 53.0),
    );
    // The base of the frontal lobe and the tentorium behind.
    let base = -17.0 - 5.0 * along - p.z;
    let cerebrum = -blend(-dome, -base, 22.0);
    let temporal = capsule(
        p,
        Vec3::new(44.0, -50.0, -3.0),
        Vec3::new(41.0, 3.0, -23.0),
        21.0,
    );
    let parahippocampal = capsule(
        p,
        Vec3::new(24.0, -52.0, -6.0),
        Vec3::new(27.0, -6.0, -23.0),
        14.0,
    );
    let whole = blend(cerebrum, blend(temporal, parahippocampal, 10.0), 9.0);
    -blend(-whole, -(2.3 - p.x), 18.0)
}

/// The outward unit normal of [`hemisphere`].
pub(super) fn hemisphere_normal(p: Vec3) -> Vec3 {
    let step = 0.5;
    let slope = |axis: Vec3| hemisphere(p + axis * step) - hemisphere(p - axis * step);
    Vec3::new(slope(Vec3::X), slope(Vec3::Y), slope(Vec3::Z)).normalize_or_zero()
}

/// One step from `p` towards the hull.
pub(super) fn toward_hemisphere(p: Vec3) -> Vec3 {
    p - hemisphere_normal(p) * hemisphere(p) * 0.9
}

/// The point of the hull near `p`.
pub(super) fn onto_hemisphere(p: Vec3) -> Vec3 {
    (0..4).fold(p, |p, _| toward_hemisphere(p))
}

/// Where the ray from within the hemisphere in `direction` leaves it.
pub(super) fn leave_hemisphere(direction: Vec3) -> Vec3 {
    let centre = Vec3::new(30.0, -17.0, 12.0);
    let (mut inside, mut outside) = (0.0, 150.0);
    for _ in 0..24 {
        let middle = f32::midpoint(inside, outside);
        if hemisphere(centre + direction * middle) < 0.0 {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    centre + direction * inside
}

/// The cerebellum, both halves, in lateral coordinates.
pub(super) fn cerebellum(p: Vec3) -> f32 {
    let half = ellipsoid(
        p,
        Vec3::new(22.0, -66.0, -36.0),
        Vec3::new(29.0, 25.0, 17.0),
    );
    let vermis = ellipsoid(p, Vec3::new(0.0, -62.0, -30.0), Vec3::new(12.0, 22.0, 18.0));
    blend(half, vermis, 8.0)
}

/// The folia of the cerebellum: from −1 (white) to 1 (grey) across its leaves.
pub(super) fn folia(p: Vec3) -> f32 {
    let radius = p.distance(Vec3::new(8.0, -48.0, -30.0));
    sin_cos(radius * 1.35).0
}

/// Pons and medulla.
pub(super) fn brainstem(p: Vec3) -> f32 {
    let pons = ellipsoid(p, Vec3::new(0.0, -26.0, -30.0), Vec3::new(17.0, 13.0, 15.0));
    let medulla = capsule(
        p,
        Vec3::new(0.0, -30.0, -38.0),
        Vec3::new(0.0, -42.0, -78.0),
        7.5,
    );
    let midbrain = capsule(
        p,
        Vec3::new(6.0, -22.0, -22.0),
        Vec3::new(5.0, -18.0, -4.0),
        9.0,
    );
    blend(blend(pons, medulla, 8.0), midbrain, 6.0)
}

/// Thalamus, putamen and caudate: the deep grey.
pub(super) fn deep_grey(p: Vec3) -> f32 {
    let thalamus = ellipsoid(p, Vec3::new(10.0, -19.0, 8.0), Vec3::new(8.5, 15.0, 9.0));
    let putamen = ellipsoid(p, Vec3::new(26.0, 2.0, 1.0), Vec3::new(6.0, 17.0, 10.0));
    let caudate = capsule(
        p,
        Vec3::new(12.0, 16.0, 6.0),
        Vec3::new(15.0, -6.0, 20.0),
        5.0,
    );
    thalamus.min(putamen).min(caudate)
}

/// The corpus callosum, an arch of white matter over the mid-plane.
pub(super) fn callosum(p: Vec3) -> f32 {
    let q = Vec3::new(0.0, p.y + 5.0, (p.z - 2.0) * 1.55);
    let arch = ((q.length() - 33.0).abs() - 3.6).max(-p.z);
    arch.max(p.x - 9.0)
}

/// Lateral and third ventricles.
pub(super) fn ventricles(p: Vec3) -> f32 {
    let body = capsule(
        p,
        Vec3::new(6.0, 22.0, 10.0),
        Vec3::new(9.0, -14.0, 20.0),
        4.5,
    );
    let atrium = capsule(
        p,
        Vec3::new(9.0, -14.0, 20.0),
        Vec3::new(25.0, -42.0, 9.0),
        4.8,
    );
    let third = ellipsoid(p, Vec3::new(0.0, -16.0, 4.0), Vec3::new(2.2, 14.0, 10.0));
    let fourth = ellipsoid(p, Vec3::new(0.0, -43.0, -32.0), Vec3::new(7.0, 4.0, 9.0));
    blend(body, atrium, 5.0).min(third).min(fourth)
}

/// Everything within the dura: both halves of the brain, in lateral coordinates.
pub(super) fn brain(p: Vec3) -> f32 {
    blend(hemisphere(p), blend(cerebellum(p), brainstem(p), 6.0), 6.0)
}

/// The outside of the head, in lateral coordinates: a skull cap over a neck and a face.
pub(super) fn head(p: Vec3) -> f32 {
    let cap = ellipsoid(p, Vec3::new(0.0, -14.0, 14.0), Vec3::new(84.0, 104.0, 84.0));
    let face = ellipsoid(p, Vec3::new(0.0, 46.0, -50.0), Vec3::new(58.0, 56.0, 62.0));
    let nose = ellipsoid(p, Vec3::new(0.0, 98.0, -44.0), Vec3::new(14.0, 20.0, 20.0));
    let neck = capsule(
        p,
        Vec3::new(0.0, -30.0, -40.0),
        Vec3::new(0.0, -50.0, -160.0),
        56.0,
    );
    blend(blend(blend(cap, face, 26.0), neck, 26.0), nose, 12.0)
}
