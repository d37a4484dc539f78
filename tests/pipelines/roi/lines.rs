//! Lines drawn by hand, on slices and on what is seen of a surface.

use std::f64::consts::{PI, TAU};

use fusiform_pipelines::roi::lasso::{holds, on_plane};
use fusiform_pipelines::roi::seen::Seen;
use glam::{DVec2, DVec3, Vec2, Vec3};

use super::{Dice, oblique};

/// How often a polygon goes round a point, by summing angles.
fn turns(polygon: &[DVec2], at: DVec2) -> i64 {
    let mut sum = 0.0;
    for (n, &a) in polygon.iter().enumerate() {
        let b = polygon[(n + 1) % polygon.len()];
        sum += (a - at).angle_to(b - at);
    }
    (sum / TAU).round() as i64
}

#[test]
fn points_within_a_line_are_those_it_goes_round() {
    let mut dice = Dice::new(11);
    let mut point = || DVec2::new(dice.part() * 10.0, dice.part() * 10.0);
    for n in [3, 4, 7, 15] {
        // Such lines cross themselves again and again.
        let polygon: Vec<DVec2> = (0..n).map(|_| point()).collect();
        for _ in 0..500 {
            let at = point();
            assert_eq!(
                holds(&polygon, at),
                turns(&polygon, at) != 0,
                "{polygon:?} {at}"
            );
        }
    }
    // Neither has corners at the heights of others spoilt it, nor is nothing held by nothing.
    let diamond = [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)].map(|(x, y)| DVec2::new(x, y));
    assert!(holds(&diamond, DVec2::new(-0.5, 0.0)));
    assert!(!holds(&diamond, DVec2::new(-1.5, 0.0)) && !holds(&[], DVec2::ZERO));
}

#[test]
fn a_line_on_a_slice_takes_the_voxels_whose_centres_it_holds() {
    let grid = oblique([12, 14, 10]);
    let (low, high) = grid.world_bounds();
    let middle = (low + high) / 2.0;
    for (normal, right, down) in [
        (DVec3::Z, DVec3::X, DVec3::NEG_Y),
        (DVec3::Y, DVec3::NEG_X, DVec3::NEG_Z),
        (DVec3::X, DVec3::NEG_Y, DVec3::NEG_Z),
    ] {
        // A star, drawn on the plane through a point off the middle.
        let origin = middle + normal * 1.7;
        let corner = |n: usize| {
            let radius = if n.is_multiple_of(2) { 9.0 } else { 4.0 };
            let angle = n as f64 / 10.0 * TAU;
            DVec2::new(radius * angle.cos(), radius * angle.sin())
        };
        let star: Vec<DVec2> = (0..10).map(corner).collect();
        let polygon: Vec<DVec3> = star
            .iter()
            .map(|p| origin + right * p.x + down * p.y)
            .collect();
        let flat = |at: DVec3| DVec2::new((at - origin).dot(right), (at - origin).dot(down));
        let off = |at: DVec3| (at - origin).dot(normal);
        let places = || (0..grid.n_voxels()).map(|v| (v as u32, grid.world(grid.ijk(v))));

        for slab_mm in [7.0, 12.0] {
            let expected: Vec<u32> = places()
                .filter(|(_, at)| off(*at).abs() <= slab_mm / 2.0 && turns(&star, flat(*at)) != 0)
                .map(|(v, _)| v)
                .collect();
            assert!(expected.len() > 15);
            assert_eq!(
                on_plane(&grid, &polygon, normal, slab_mm).voxels(),
                expected,
                "{normal} {slab_mm}"
            );
        }
        // Without a slab: in every column along the axis that is nearest to the normal one voxel, the one cut.
        let layer = on_plane(&grid, &polygon, normal, 0.0);
        let m = grid.world_from_voxel.matrix3;
        let axes = [m.x_axis, m.y_axis, m.z_axis];
        let along = (0..3)
            .max_by(|&a, &b| {
                let cosine = |axis: usize| axes[axis].normalize_or_zero().dot(normal).abs();
                cosine(a).total_cmp(&cosine(b))
            })
            .unwrap();
        let half = axes[along].dot(normal).abs() / 2.0;
        let mut columns: Vec<[usize; 2]> = Vec::new();
        for &v in layer.voxels() {
            let ijk = grid.ijk(v as usize);
            assert!(off(grid.world(ijk)).abs() <= half + 1e-9);
            columns.push([ijk[(along + 1) % 3], ijk[(along + 2) % 3]]);
        }
        let n = columns.len();
        columns.sort_unstable();
        columns.dedup();
        assert!(
            n > 8 && columns.len() == n,
            "{n} voxels in {} columns",
            columns.len()
        );
        assert!(on_plane(&grid, &polygon[..2], normal, 5.0).is_empty());
        assert!(on_plane(&grid, &polygon, DVec3::ZERO, 5.0).is_empty());
    }
}

/// A ball before a sheet, in pixels, and its triangles.
fn scene() -> (Vec<Vec3>, Vec<[u32; 3]>) {
    let (rings, around) = (12, 20);
    let mut points = Vec::new();
    for ring in 0..=rings {
        for step in 0..around {
            let (polar, angle) = (PI * f64::from(ring) / 12.0, TAU * f64::from(step) / 20.0);
            // Turned a little, so that no edge lies exactly on another.
            let ball = DVec3::new(
                polar.sin() * angle.cos(),
                polar.cos(),
                polar.sin() * angle.sin(),
            );
            let at = glam::DQuat::from_euler(glam::EulerRot::XYZ, 0.3, 0.2, 0.1) * ball;
            points.push(Vec3::new(
                100.0 + 40.0 * at.x as f32,
                80.0 + 40.0 * at.y as f32,
                0.5 + 0.2 * at.z as f32,
            ));
        }
    }
    let mut triangles = Vec::new();
    for ring in 0..rings as u32 {
        for step in 0..around as u32 {
            let (a, b) = (ring * 20 + step, ring * 20 + (step + 1) % 20);
            triangles.extend([[a, b, a + 20], [b, b + 20, a + 20]]);
        }
    }
    let first = points.len() as u32;
    for row in 0..9 {
        for column in 0..9 {
            points.push(Vec3::new(
                40.0 + 17.3 * column as f32,
                13.0 + 16.1 * row as f32,
                0.9,
            ));
        }
    }
    for row in 0..8 {
        for column in 0..8 {
            let v = first + row * 9 + column;
            triangles.extend([[v, v + 1, v + 9], [v + 1, v + 10, v + 9]]);
        }
    }
    // What cannot be drawn harms nothing.
    points.push(Vec3::NAN);
    triangles.push([0, 1, points.len() as u32 - 1]);
    triangles.push([0, 1, 9999]);
    (points, triangles)
}

/// The depth of a triangle at a point, when it lies over it: by the signs of three areas.
fn depth_over(corners: [Vec3; 3], at: Vec2) -> Option<f64> {
    let [a, b, c] = corners.map(|p| p.as_dvec3());
    let at = at.as_dvec2().extend(0.0);
    let area = |p: DVec3, q: DVec3, r: DVec3| (q - p).cross(r - p).z;
    let (u, v, w) = (area(b, c, at), area(c, a, at), area(a, b, at));
    let whole = u + v + w;
    let inside = (u >= 0.0 && v >= 0.0 && w >= 0.0) || (u <= 0.0 && v <= 0.0 && w <= 0.0);
    (inside && whole != 0.0).then(|| (u * a.z + v * b.z + w * c.z) / whole)
}

#[test]
fn what_is_seen_is_what_no_triangle_hides() {
    let (points, triangles) = scene();
    let seen = Seen::new(points.clone(), triangles.clone(), [200.0, 160.0]);
    let corners = |t: &[u32; 3]| {
        let at = |v: u32| points.get(v as usize).copied().filter(|p| p.is_finite());
        Some([at(t[0])?, at(t[1])?, at(t[2])?])
    };
    let sees = |vertex: usize| {
        let point = points[vertex];
        triangles.iter().all(|t| {
            let hides = corners(t).and_then(|c| depth_over(c, point.truncate()));
            t.contains(&(vertex as u32))
                || hides.is_none_or(|depth| depth > f64::from(point.z) - 1e-4)
        })
    };
    let drawn = points.len() - 1;
    let mut n_hidden = 0;
    for (vertex, place) in points.iter().enumerate().take(drawn) {
        assert_eq!(
            seen.sees(vertex),
            sees(vertex),
            "vertex {vertex} at {place}"
        );
        n_hidden += usize::from(!sees(vertex));
    }
    assert!(
        n_hidden > 100 && n_hidden < drawn - 100,
        "{n_hidden} of {drawn} are hidden"
    );
    assert!(!seen.sees(drawn), "what is nowhere is not seen");

    let circle: Vec<Vec2> = (0..40)
        .map(|n| Vec2::from_angle(n as f32 / 40.0 * TAU as f32) * 37.0 + Vec2::new(85.0, 75.0))
        .collect();
    let polygon: Vec<DVec2> = circle.iter().map(Vec2::as_dvec2).collect();
    let expected: Vec<u32> = (0..drawn)
        .filter(|&v| turns(&polygon, points[v].truncate().as_dvec2()) != 0 && sees(v))
        .map(|v| v as u32)
        .collect();
    assert!(expected.len() > 30);
    assert_eq!(seen.within(&circle), expected);

    let mut dice = Dice::new(8);
    for _ in 0..300 {
        let at = Vec2::new(dice.part() as f32 * 200.0, dice.part() as f32 * 160.0);
        let nearest = triangles
            .iter()
            .filter_map(|t| Some((depth_over(corners(t)?, at)?, t)))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match (seen.vertex_at(at), nearest) {
            (Some(vertex), Some((_, triangle))) => assert!(triangle.contains(&(vertex as u32))),
            (None, None) => {}
            (found, expected) => panic!("{found:?} where {expected:?} is, at {at}"),
        }
    }
}
