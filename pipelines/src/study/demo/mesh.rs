//! What the folding model needs of a triangle mesh: refinement, normals, the Laplacian.

use std::collections::HashMap;

use glam::Vec3;

/// Where a vertex of a refined mesh lies in the mesh it came from: three vertices and their weights.
pub(super) type Parent = ([u32; 3], [f32; 3]);

/// The regular icosahedron, on the unit sphere, counter-clockwise seen from outside.
pub(super) fn icosahedron() -> (Vec<Vec3>, Vec<[u32; 3]>) {
    let golden = f32::midpoint(1.0, 5.0f32.sqrt());
    let mut vertices = Vec::with_capacity(12);
    for axis in 0..3 {
        for (s, t) in [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)] {
            let mut v = [0.0; 3];
            v[axis] = s;
            v[(axis + 1) % 3] = t * golden;
            vertices.push(Vec3::from_array(v).normalize_or_zero());
        }
    }
    let mut triangles = Vec::with_capacity(20);
    let touching = |a: usize, b: usize| vertices[a].distance(vertices[b]) < 1.1;
    for a in 0..12 {
        for b in a + 1..12 {
            for c in b + 1..12 {
                if touching(a, b) && touching(b, c) && touching(a, c) {
                    let outward = (vertices[b] - vertices[a])
                        .cross(vertices[c] - vertices[a])
                        .dot(vertices[a]);
                    let (b, c) = if outward > 0.0 { (b, c) } else { (c, b) };
                    triangles.push([a as u32, b as u32, c as u32]);
                }
            }
        }
    }
    (vertices, triangles)
}

/// Splits every edge into `n` and every triangle into `n²`. The old vertices come first.
pub(super) fn split(
    n_vertices: usize,
    triangles: &[[u32; 3]],
    n: u32,
) -> (Vec<Parent>, Vec<[u32; 3]>) {
    let mut parents: Vec<Parent> = (0..n_vertices as u32)
        .map(|v| ([v; 3], [1.0, 0.0, 0.0]))
        .collect();
    let mut on_edges: HashMap<(u32, u32, u32), u32> = HashMap::new();
    let mut refined = Vec::with_capacity(triangles.len() * (n * n) as usize);
    for &[a, b, c] in triangles {
        let mut at = |i: u32, j: u32| {
            // The point (n − i − j) a + i b + j c, over n.
            let h = n - i - j;
            let corners: Vec<(u32, u32)> = [(a, h), (b, i), (c, j)]
                .into_iter()
                .filter(|p| p.1 > 0)
                .collect();
            let mut fresh = |ids: [u32; 3], parts: [u32; 3]| {
                parents.push((ids, parts.map(|p| p as f32 / n as f32)));
                parents.len() as u32 - 1
            };
            match corners.as_slice() {
                [(v, _)] => *v,
                [p, q] => {
                    let (p, q) = if p.0 < q.0 { (p, q) } else { (q, p) };
                    *on_edges
                        .entry((p.0, q.0, p.1))
                        .or_insert_with(|| fresh([p.0, q.0, p.0], [p.1, q.1, 0]))
                }
                _ => fresh([a, b, c], [h, i, j]),
            }
        };
        let grid: Vec<Vec<u32>> = (0..=n)
            .map(|i| (0..=n - i).map(|j| at(i, j)).collect())
            .collect();
        for (i, row) in grid.iter().enumerate() {
            for j in 0..row.len().saturating_sub(1) {
                refined.push([row[j], grid[i + 1][j], row[j + 1]]);
                if j + 1 < grid[i + 1].len() {
                    refined.push([grid[i + 1][j], grid[i + 1][j + 1], row[j + 1]]);
                }
            }
        }
    }
    (parents, refined)
}

/// Points of the refined mesh from those of its parent.
pub(super) fn interpolate_points(parents: &[Parent], points: &[Vec3]) -> Vec<Vec3> {
    parents
        .iter()
        .map(|(ids, parts)| (0..3).map(|i| points[ids[i] as usize] * parts[i]).sum())
        .collect()
}

/// Values of the refined mesh from those of its parent.
pub(super) fn interpolate_values(parents: &[Parent], values: &[f32]) -> Vec<f32> {
    parents
        .iter()
        .map(|(ids, parts)| (0..3).map(|i| values[ids[i] as usize] * parts[i]).sum())
        .collect()
}

/// Twice the area of a triangle times its outward normal.
pub(super) fn area_vector(vertices: &[Vec3], [a, b, c]: [u32; 3]) -> Vec3 {
    let a = vertices[a as usize];
    (vertices[b as usize] - a).cross(vertices[c as usize] - a)
}

/// Unit normals, the area-weighted mean of the triangles around each vertex.
pub(super) fn normals(vertices: &[Vec3], triangles: &[[u32; 3]]) -> Vec<Vec3> {
    let mut sums = vec![Vec3::ZERO; vertices.len()];
    for &triangle in triangles {
        let area = area_vector(vertices, triangle);
        for v in triangle {
            sums[v as usize] += area;
        }
    }
    sums.into_iter().map(Vec3::normalize_or_zero).collect()
}

/// Surface area, mm².
pub(super) fn area(vertices: &[Vec3], triangles: &[[u32; 3]]) -> f64 {
    triangles
        .iter()
        .map(|&t| 0.5 * f64::from(area_vector(vertices, t).length()))
        .sum()
}

/// Moves every vertex to the area-weighted mean of the triangles around it: evens out their sizes.
pub(super) fn even_out(vertices: &mut [Vec3], triangles: &[[u32; 3]]) {
    let mut sums = vec![(Vec3::ZERO, 0.0f32); vertices.len()];
    for &triangle in triangles {
        let area = area_vector(vertices, triangle).length();
        let centre = triangle.iter().map(|&v| vertices[v as usize]).sum::<Vec3>() / 3.0;
        for v in triangle {
            let (sum, weight) = &mut sums[v as usize];
            *sum += centre * area;
            *weight += area;
        }
    }
    for (vertex, (sum, weight)) in vertices.iter_mut().zip(sums) {
        if weight > 0.0 {
            *vertex = sum / weight;
        }
    }
}

/// Each vertex's neighbours, one row a vertex.
#[derive(Debug)]
pub(super) struct Neighbours {
    starts: Vec<u32>,
    ids: Vec<u32>,
}

impl Neighbours {
    /// The neighbours along the edges of `triangles` (a closed, consistently wound mesh).
    pub(super) fn new(n_vertices: usize, triangles: &[[u32; 3]]) -> Self {
        let mut edges: Vec<(u32, u32)> = triangles
            .iter()
            .flat_map(|&[a, b, c]| [(a, b), (b, c), (c, a)])
            .collect();
        edges.sort_unstable();
        let mut starts = vec![0u32; n_vertices + 1];
        for &(from, _) in &edges {
            starts[from as usize + 1] += 1;
        }
        for v in 0..n_vertices {
            starts[v + 1] += starts[v];
        }
        Self {
            starts,
            ids: edges.into_iter().map(|e| e.1).collect(),
        }
    }

    /// The neighbours of a vertex.
    pub(super) fn of(&self, vertex: usize) -> &[u32] {
        &self.ids[self.starts[vertex] as usize..self.starts[vertex + 1] as usize]
    }

    /// Draws every value a `part` of the way to the mean of its neighbours.
    pub(super) fn smooth<T>(&self, values: &[T], part: f32) -> Vec<T>
    where
        T: Copy + std::iter::Sum + std::ops::Mul<f32, Output = T> + std::ops::Add<Output = T>,
    {
        (0..values.len())
            .map(|v| {
                let near = self.of(v);
                let sum: T = near.iter().map(|&n| values[n as usize]).sum();
                values[v] * (1.0 - part) + sum * (part / near.len().max(1) as f32)
            })
            .collect()
    }
}

/// The Laplace–Beltrami operator by cotangent weights (Pinkall & Polthier 1993).
#[derive(Debug)]
pub(super) struct Laplacian {
    starts: Vec<u32>,
    entries: Vec<(u32, f32)>,
    /// No eigenvalue of −Δ exceeds this (Gershgorin), 1/mm².
    pub(super) bound: f32,
}

impl Laplacian {
    /// The operator of a closed mesh in mm.
    pub(super) fn new(vertices: &[Vec3], triangles: &[[u32; 3]]) -> Self {
        let mut areas = vec![0.0f32; vertices.len()];
        let mut edges: Vec<(u32, u32, f32)> = Vec::with_capacity(triangles.len() * 6);
        for &t in triangles {
            let twice_area = area_vector(vertices, t).length().max(1e-9);
            for corner in 0..3 {
                let (a, b, c) = (t[corner], t[(corner + 1) % 3], t[(corner + 2) % 3]);
                areas[a as usize] += twice_area / 6.0;
                let at = vertices[a as usize];
                let cotangent =
                    (vertices[b as usize] - at).dot(vertices[c as usize] - at) / twice_area;
                edges.push((b, c, 0.5 * cotangent));
                edges.push((c, b, 0.5 * cotangent));
            }
        }
        edges.sort_by_key(|e| (e.0, e.1));
        let mut starts = vec![0u32; vertices.len() + 1];
        let mut entries: Vec<(u32, f32)> = Vec::with_capacity(edges.len() / 2);
        let mut bound = 0.0f32;
        let mut next = edges.iter().peekable();
        for (v, &area) in areas.iter().enumerate() {
            let first = entries.len();
            while let Some(&&(_, column, weight)) = next.peek().filter(|e| e.0 as usize == v) {
                next.next();
                if entries.len() > first && entries.last().is_some_and(|l| l.0 == column) {
                    entries
                        .pop()
                        .into_iter()
                        .for_each(|l| entries.push((column, l.1 + weight)));
                } else {
                    entries.push((column, weight));
                }
            }
            let mut total = 0.0;
            for entry in &mut entries[first..] {
                // Obtuse pairs give negative weights; without them the operator stays monotone.
                entry.1 = entry.1.max(0.0) / area;
                total += entry.1;
            }
            bound = bound.max(2.0 * total);
            starts[v + 1] = entries.len() as u32;
        }
        Self {
            starts,
            entries,
            bound,
        }
    }

    /// Δ`values` into `out`.
    pub(super) fn apply(&self, values: &[f32], out: &mut [f32]) {
        for (v, out) in out.iter_mut().enumerate() {
            let row = &self.entries[self.starts[v] as usize..self.starts[v + 1] as usize];
            let here = values[v];
            *out = row
                .iter()
                .map(|&(n, w)| w * (values[n as usize] - here))
                .sum();
        }
    }
}

/// The gradient of a function on the mesh at every vertex, area-weighted over its triangles.
pub(super) fn gradient(vertices: &[Vec3], triangles: &[[u32; 3]], values: &[f32]) -> Vec<Vec3> {
    let mut sums = vec![(Vec3::ZERO, 0.0f32); vertices.len()];
    for &t in triangles {
        let area = area_vector(vertices, t);
        let size = area.length().max(1e-9);
        let normal = area / size;
        let [a, b, c] = t.map(|v| vertices[v as usize]);
        let [fa, fb, fc] = t.map(|v| values[v as usize]);
        let slope = normal.cross((c - b) * fa + (a - c) * fb + (b - a) * fc);
        // slope is 2·area times the gradient, which is the weight wanted.
        for v in t {
            sums[v as usize].0 += slope;
            sums[v as usize].1 += size;
        }
    }
    sums.into_iter()
        .map(|(sum, weight)| sum / weight.max(1e-9))
        .collect()
}
