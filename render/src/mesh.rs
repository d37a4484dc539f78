//! Geometry of triangle meshes: normals, region borders, the marker's sphere.

use std::f32::consts::PI;

use glam::Vec3;

/// Unit normals at the vertices: the mean of the adjacent triangles' normals, weighted by area. Zero at a vertex that no
/// triangle uses. Triangles that name a missing vertex are passed over.
pub fn normals(vertices: &[Vec3], triangles: &[[u32; 3]]) -> Vec<Vec3> {
    let mut sums = vec![Vec3::ZERO; vertices.len()];
    for triangle in triangles {
        let [Some(&a), Some(&b), Some(&c)] = triangle.map(|v| vertices.get(v as usize)) else {
            continue;
        };
        // Twice the area long, so summing weighs by area.
        let normal = (b - a).cross(c - a);
        for &v in triangle {
            sums[v as usize] += normal;
        }
    }
    for normal in &mut sums {
        *normal = normal.normalize_or_zero();
    }
    sums
}

/// A triangle whose corners lie in different regions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BorderTriangle {
    /// Its place among the mesh's triangles.
    pub(crate) index: u32,
    pub(crate) vertices: [u32; 3],
    pub(crate) labels: [i32; 3],
    /// Straight sRGB; alpha 0 is a region with no outline.
    pub(crate) colours: [[u8; 4]; 3],
}

/// The triangles that a region border crosses.
pub(crate) fn border_triangles(
    triangles: &[[u32; 3]],
    labels: &[f32],
    colours: &[(i32, [u8; 4])],
) -> Vec<BorderTriangle> {
    let regions = sorted_regions(colours);
    triangles
        .iter()
        .zip(0..)
        .filter_map(|(&vertices, index)| {
            let corner = vertices.map(|v| label(labels.get(v as usize).copied().unwrap_or(0.0)));
            if corner[0] == corner[1] && corner[1] == corner[2] {
                return None;
            }
            let colours = corner.map(|key| region_colour(&regions, key));
            colours.iter().any(|c| c[3] > 0).then_some(BorderTriangle {
                index,
                vertices,
                labels: corner,
                colours,
            })
        })
        .collect()
}

/// A region key; NaN is no region.
pub(crate) fn label(value: f32) -> i32 {
    if value.is_nan() {
        0
    } else {
        value.round() as i32
    }
}

/// Ordered by key, for the binary search here and in the shader. Key 0 is no region and never outlined.
pub(crate) fn sorted_regions(colours: &[(i32, [u8; 4])]) -> Vec<(i32, [u8; 4])> {
    let mut regions: Vec<_> = colours
        .iter()
        .copied()
        .filter(|&(key, _)| key != 0)
        .collect();
    regions.sort_by_key(|&(key, _)| key);
    regions.dedup_by_key(|&mut (key, _)| key);
    regions
}

/// The colour of a key among [`sorted_regions`], or transparent.
pub(crate) fn region_colour(regions: &[(i32, [u8; 4])], key: i32) -> [u8; 4] {
    match regions.binary_search_by_key(&key, |&(k, _)| k) {
        Ok(i) => regions[i].1,
        Err(_) => [0; 4],
    }
}

/// The spread of a sulcal map: its root mean square about zero, the unit in which gyri turn into sulci.
pub(crate) fn sulcal_spread(values: &[f32]) -> f32 {
    let (mut sum, mut n) = (0.0_f64, 0_u32);
    for &x in values.iter().filter(|x| x.is_finite()) {
        sum += f64::from(x) * f64::from(x);
        n += 1;
    }
    let spread = (sum / f64::from(n.max(1))).sqrt() as f32;
    if spread > 0.0 { spread } else { 1.0 }
}

/// A unit sphere: vertices (also their normals) and triangles, counter-clockwise from outside.
pub(crate) fn unit_sphere() -> (Vec<Vec3>, Vec<[u32; 3]>) {
    const RINGS: u32 = 24;
    const SEGMENTS: u32 = 48;
    let mut vertices = Vec::new();
    for ring in 0..=RINGS {
        let polar = PI * ring as f32 / RINGS as f32;
        for segment in 0..SEGMENTS {
            let turn = 2.0 * PI * segment as f32 / SEGMENTS as f32;
            vertices.push(Vec3::new(
                polar.sin() * turn.cos(),
                polar.sin() * turn.sin(),
                polar.cos(),
            ));
        }
    }
    let mut triangles = Vec::new();
    for ring in 0..RINGS {
        for segment in 0..SEGMENTS {
            let next = (segment + 1) % SEGMENTS;
            let (a, b) = (ring * SEGMENTS + segment, ring * SEGMENTS + next);
            let (c, d) = (a + SEGMENTS, b + SEGMENTS);
            triangles.push([a, c, b]);
            triangles.push([b, c, d]);
        }
    }
    (vertices, triangles)
}
