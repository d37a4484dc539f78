//! A coarser mesh for what moves: of each small patch of vertices one is kept.
//!
//! Patches grow over the mesh's edges, so that two banks of a sulcus are never joined however near they lie, and the same
//! triangles serve every shape of a surface. They name vertices of the whole mesh: places, maps, labels and the ends of
//! ways through the cortex come along by themselves.

use std::collections::VecDeque;

/// Meshes of so many vertices are quick enough as they are.
const FEW: usize = 50_000;
/// Those of more are thinned twice as much.
const MANY: usize = 100_000;
/// No patch.
const NONE: u32 = u32::MAX;

/// The triangles between the kept vertices; nothing where the mesh is small enough to be drawn whole. Triangles that name
/// a missing vertex are passed over.
pub(crate) fn coarser(n_vertices: usize, triangles: &[[u32; 3]]) -> Option<Vec<[u32; 3]>> {
    match n_vertices {
        0..=FEW => None,
        n if n <= MANY => Some(patched(n_vertices, triangles, 1)),
        _ => Some(patched(n_vertices, triangles, 2)),
    }
}

/// Keeps vertices so that no two are within `apart` edges of each other and no more can be kept; every other vertex
/// belongs to the nearest kept one. A triangle that touches three patches becomes one between their kept vertices.
fn patched(n_vertices: usize, triangles: &[[u32; 3]], apart: u32) -> Vec<[u32; 3]> {
    let edges = Edges::new(n_vertices, triangles);
    // The last kept vertex that is near.
    let mut near = vec![NONE; n_vertices];
    let mut patch = vec![NONE; n_vertices];
    let mut queue = VecDeque::new();
    let mut around = Vec::new();
    for kept in 0..n_vertices as u32 {
        if near[kept as usize] != NONE {
            continue;
        }
        near[kept as usize] = kept;
        patch[kept as usize] = kept;
        queue.push_back(kept);
        around.clear();
        around.push(kept);
        let mut first = 0;
        for _ in 0..apart {
            let last = around.len();
            for at in first..last {
                for &other in edges.of(around[at]) {
                    if near[other as usize] != kept {
                        near[other as usize] = kept;
                        around.push(other);
                    }
                }
            }
            first = last;
        }
    }
    while let Some(v) = queue.pop_front() {
        for &other in edges.of(v) {
            if patch[other as usize] == NONE {
                patch[other as usize] = patch[v as usize];
                queue.push_back(other);
            }
        }
    }
    let kept = triangles.iter().filter_map(|triangle| {
        let mut corners = [NONE; 3];
        for (corner, v) in corners.iter_mut().zip(triangle) {
            *corner = *patch.get(*v as usize)?;
        }
        let [a, b, c] = corners;
        (a != b && b != c && c != a).then_some(corners)
    });
    kept.collect()
}

/// The vertices that share an edge with each vertex; those of inner edges twice.
struct Edges {
    starts: Vec<u32>,
    ends: Vec<u32>,
}

impl Edges {
    fn new(n_vertices: usize, triangles: &[[u32; 3]]) -> Self {
        let whole = || {
            let there = |t: &&[u32; 3]| t.iter().all(|&v| (v as usize) < n_vertices);
            triangles.iter().filter(there)
        };
        let mut starts = vec![0u32; n_vertices + 1];
        for &v in whole().flatten() {
            starts[v as usize + 1] += 2;
        }
        for v in 0..n_vertices {
            starts[v + 1] += starts[v];
        }
        let mut next = starts.clone();
        let mut ends = vec![0; starts[n_vertices] as usize];
        for &[a, b, c] in whole() {
            for (v, others) in [(a, [b, c]), (b, [c, a]), (c, [a, b])] {
                let at = next[v as usize] as usize;
                ends[at..at + 2].copy_from_slice(&others);
                next[v as usize] += 2;
            }
        }
        Self { starts, ends }
    }

    fn of(&self, v: u32) -> &[u32] {
        let v = v as usize;
        &self.ends[self.starts[v] as usize..self.starts[v + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A sheet of n × n vertices.
    fn sheet(n: u32) -> Vec<[u32; 3]> {
        let mut triangles = Vec::new();
        for y in 0..n - 1 {
            for x in 0..n - 1 {
                let a = y * n + x;
                triangles.push([a, a + 1, a + n]);
                triangles.push([a + 1, a + n + 1, a + n]);
            }
        }
        triangles
    }

    #[test]
    fn a_coarser_sheet_still_covers_it() {
        let n = 60u32;
        for (apart, least, most) in [(1, 3.0, 6.0), (2, 7.0, 16.0)] {
            let coarse = patched((n * n) as usize, &sheet(n), apart);
            let mut used: Vec<u32> = coarse.iter().flatten().copied().collect();
            used.sort_unstable();
            used.dedup();
            let ratio = f64::from(n * n) / used.len() as f64;
            assert!((least..most).contains(&ratio), "{apart}: {ratio}");
            // Turned the same way, and without holes or overlaps but for a frayed rim.
            let at = |v: u32| [f64::from(v % n), f64::from(v / n)];
            let areas = coarse.iter().map(|t| {
                let [a, b, c] = t.map(at);
                0.5 * ((b[0] - a[0]) * (c[1] - a[1]) - (c[0] - a[0]) * (b[1] - a[1]))
            });
            assert!(areas.clone().all(|area| area > -1e-9));
            let share = areas.sum::<f64>() / f64::from((n - 1) * (n - 1));
            assert!((0.85..=1.0).contains(&share), "{apart}: {share}");
        }
    }

    #[test]
    fn two_sheets_are_never_joined() {
        let mut both = sheet(20);
        both.extend(sheet(20).iter().map(|t| t.map(|v| v + 400)));
        let coarse = patched(800, &both, 2);
        assert!(coarse.iter().any(|t| t[0] < 400) && coarse.iter().any(|t| t[0] >= 400));
        assert!(
            coarse
                .iter()
                .all(|t| t.iter().all(|v| (*v < 400) == (t[0] < 400)))
        );
    }

    #[test]
    fn only_large_meshes_are_thinned_and_missing_vertices_passed_over() {
        assert_eq!(coarser(3600, &sheet(60)), None);
        let mut broken = sheet(20);
        broken.push([0, 1, 9999]);
        assert_eq!(patched(400, &broken, 1), patched(400, &sheet(20), 1));
    }
}
