//! Lines around regions: marching squares in a plane, pieces joined to runs, runs made light.

use std::collections::{BTreeMap, BTreeSet};

use fusiform_render::scene::{OutlineLayer, SliceView};
use glam::Vec3;

use super::outline::Drawn;

/// A straight piece of a border between two edges of a grid or mesh, each named by a number.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) edges: [u64; 2],
    pub(super) points: [[f32; 2]; 2],
}

/// Pieces joined where they share an edge. A ring ends with the point it began with.
pub(super) fn joined(pieces: &[Piece]) -> Vec<Vec<[f32; 2]>> {
    let runs = runs(pieces);
    runs.into_iter()
        .map(|run| run.into_iter().map(|(_, point)| point).collect())
        .collect()
}

/// The same with the edge of every point.
pub(super) fn runs(pieces: &[Piece]) -> Vec<Vec<(u64, [f32; 2])>> {
    let mut at_edge: BTreeMap<u64, Vec<usize>> = BTreeMap::new();
    for (index, piece) in pieces.iter().enumerate() {
        for edge in piece.edges {
            at_edge.entry(edge).or_default().push(index);
        }
    }
    let mut used = vec![false; pieces.len()];
    let mut found = Vec::new();
    // Open runs begin at their ends, rings anywhere.
    let open = (0..pieces.len()).flat_map(|i| [(i, 0), (i, 1)]);
    let open = open.filter(|&(i, end)| at_edge[&pieces[i].edges[end]].len() == 1);
    let rings = (0..pieces.len()).map(|i| (i, 0));
    for (first, end) in open.chain(rings).collect::<Vec<_>>() {
        if used[first] {
            continue;
        }
        let mut run = vec![(pieces[first].edges[end], pieces[first].points[end])];
        let (mut piece, mut from) = (first, end);
        loop {
            used[piece] = true;
            let to = 1 - from;
            let edge = pieces[piece].edges[to];
            run.push((edge, pieces[piece].points[to]));
            let Some(&next) = at_edge[&edge].iter().find(|&&next| !used[next]) else {
                break;
            };
            from = usize::from(pieces[next].edges[0] != edge);
            piece = next;
        }
        found.push(run);
    }
    found
}

/// A run whose inner points are drawn towards their neighbours, `times` over.
pub(super) fn smoothed(mut line: Vec<[f32; 2]>, times: usize) -> Vec<[f32; 2]> {
    let n = line.len();
    let ring = n > 3 && line.first() == line.last();
    for _ in 0..times {
        let old = line.clone();
        let mean = |a: [f32; 2], b: [f32; 2], c: [f32; 2]| {
            [0, 1].map(|axis| (a[axis] + 2.0 * b[axis] + c[axis]) / 4.0)
        };
        for i in 1..n.saturating_sub(1) {
            line[i] = mean(old[i - 1], old[i], old[i + 1]);
        }
        if ring {
            line[0] = mean(old[n - 2], old[0], old[1]);
            line[n - 1] = line[0];
        }
    }
    line
}

/// The fewest points of a run that keep it within `tolerance` (Douglas and Peucker 1973).
pub(super) fn simplified(line: &[[f32; 2]], tolerance: f32) -> Vec<[f32; 2]> {
    let n = line.len();
    if n < 3 {
        return line.to_vec();
    }
    let mut keep = vec![false; n];
    keep[0] = true;
    keep[n - 1] = true;
    let mut open = vec![(0, n - 1)];
    while let Some((from, to)) = open.pop() {
        let far = (from + 1..to)
            .map(|i| (i, off_line(line[i], line[from], line[to])))
            .max_by(|a, b| a.1.total_cmp(&b.1));
        if let Some((middle, _)) = far.filter(|(_, distance)| *distance > tolerance) {
            keep[middle] = true;
            open.push((from, middle));
            open.push((middle, to));
        }
    }
    let kept = line.iter().zip(&keep).filter(|(_, keep)| **keep);
    kept.map(|(point, _)| *point).collect()
}

fn off_line(p: [f32; 2], a: [f32; 2], b: [f32; 2]) -> f32 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let off = [p[0] - a[0], p[1] - a[1]];
    let length = along[0].hypot(along[1]);
    if length < 1e-6 {
        return off[0].hypot(off[1]);
    }
    (along[0] * off[1] - along[1] * off[0]).abs() / length
}

/// The border of where `inside` is true on a grid of `nx` × `ny` points, in grid units, moved inwards by `inset`.
pub(super) fn march(
    [nx, ny]: [usize; 2],
    inset: f32,
    inside: &dyn Fn(usize, usize) -> bool,
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for y in 0..ny.saturating_sub(1) {
        for x in 0..nx.saturating_sub(1) {
            let corners = [(x, y), (x + 1, y), (x + 1, y + 1), (x, y + 1)];
            let within = corners.map(|(x, y)| inside(x, y));
            let n = within.iter().filter(|w| **w).count();
            if n == 0 || n == 4 {
                continue;
            }
            let mixed: Vec<usize> = (0..4)
                .filter(|&edge| within[edge] != within[(edge + 1) % 4])
                .collect();
            let pairs: Vec<[usize; 2]> = match mixed.as_slice() {
                [a, b] => vec![[*a, *b]],
                // Two opposite corners: each is cut off alone.
                _ => (0..4)
                    .filter(|&c| within[c])
                    .map(|c| [(c + 3) % 4, c])
                    .collect(),
            };
            for pair in pairs {
                pieces.push(Piece {
                    edges: pair.map(|edge| edge_id(corners[edge], corners[(edge + 1) % 4], nx)),
                    points: pair.map(|edge| {
                        let (mut a, mut b) = (corners[edge], corners[(edge + 1) % 4]);
                        if within[edge] {
                            std::mem::swap(&mut a, &mut b);
                        }
                        let part = 0.5 + inset.clamp(0.0, 0.45);
                        let between = |a: usize, b: usize| a as f32 + part * (b as f32 - a as f32);
                        [between(a.0, b.0), between(a.1, b.1)]
                    }),
                });
            }
        }
    }
    pieces
}

fn edge_id(a: (usize, usize), b: (usize, usize), nx: usize) -> u64 {
    let first = a.min(b);
    let upright = u64::from(a.0 == b.0);
    2 * (first.1 * nx + first.0) as u64 + upright
}

/// The borders of the regions of a slice, in pixels of a `size` picture, each `inset_px` within its region.
pub fn slice_outlines(
    view: &SliceView,
    layer: &OutlineLayer,
    size: [u32; 2],
    inset_px: f32,
) -> Vec<Drawn> {
    let labels = &layer.labels;
    let voxel_from_world = labels.world_from_voxel.inverse();
    let axes = labels.world_from_voxel.matrix3;
    let voxel_mm = [axes.x_axis, axes.y_axis, axes.z_axis]
        .map(glam::Vec3A::length)
        .into_iter()
        .fold(f32::INFINITY, f32::min);
    let step = (voxel_mm / view.mm_per_pixel / 2.0).clamp(1.0, 64.0);
    let [nx, ny] = size.map(|px| (px as f32 / step).ceil() as usize + 1);
    let key_at = |world_mm: Vec3| -> i32 {
        let v = voxel_from_world.transform_point3(world_mm).round();
        let n = labels.shape;
        let within = (0..3).all(|a| v[a] >= 0.0 && v[a] < n[a] as f32);
        if !within {
            return 0;
        }
        let [i, j, k] = [v.x as usize, v.y as usize, v.z as usize];
        labels
            .data
            .get(i + n[0] * (j + n[1] * k))
            .map_or(0, |&v| v as i32)
    };
    let mut keys = Vec::with_capacity(nx * ny);
    for y in 0..ny {
        for x in 0..nx {
            keys.push(key_at(
                view.world_at([x as f32 * step, y as f32 * step], size),
            ));
        }
    }
    let present: BTreeSet<i32> = keys.iter().copied().collect();
    let coloured = layer
        .colours
        .iter()
        .filter(|(key, colour)| *key != 0 && colour[3] > 0 && present.contains(key));
    coloured
        .map(|&(key, [r, g, b, _])| {
            let pieces = march([nx, ny], inset_px / step, &|x, y| keys[y * nx + x] == key);
            let lines = joined(&pieces)
                .into_iter()
                .map(|line| {
                    let line = smoothed(line, 2);
                    let line = line
                        .into_iter()
                        .map(|p| p.map(|v| v * step))
                        .collect::<Vec<_>>();
                    simplified(&line, 0.2)
                })
                .collect();
            Drawn {
                colour: [r, g, b],
                lines,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_is_one_ring() {
        let inside = |x: usize, y: usize| (2..5).contains(&x) && (2..6).contains(&y);
        let rings = joined(&march([9, 9], 0.0, &inside));
        assert_eq!(rings.len(), 1);
        let ring = &rings[0];
        assert_eq!(ring.first(), ring.last());
        let low = ring.iter().fold(f32::INFINITY, |l, p| l.min(p[0]));
        let high = ring.iter().fold(0.0f32, |h, p| h.max(p[1]));
        assert_eq!((low, high), (1.5, 5.5));
    }

    #[test]
    fn corners_that_touch_are_two_rings() {
        let inside = |x: usize, y: usize| (x, y) == (2, 2) || (x, y) == (3, 3);
        assert_eq!(joined(&march([6, 6], 0.0, &inside)).len(), 2);
    }

    #[test]
    fn a_straight_run_keeps_its_ends() {
        let line: Vec<[f32; 2]> = (0..50).map(|i| [i as f32, 0.05 * (i % 2) as f32]).collect();
        assert_eq!(simplified(&line, 0.1).len(), 2);
        assert_eq!(simplified(&line, 0.01).len(), 50);
    }
}
