//! The part of each voxel between two surfaces that belongs to a vertex.
//!
//! A vertex owns the polyhedron of the triangles around it: their outer and inner copies and, on the far side of each
//! triangle, a wall between them. A wall is bent, so both of its diagonals are tried, and what lies between counts half.

use std::sync::atomic::{AtomicUsize, Ordering};

use glam::{DVec2, DVec3};
use rayon::prelude::*;

use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::surface::Surface;

/// Sub-voxel centres are moved by this much of a voxel, so that none falls on the edge of a triangle by being round.
const NUDGE: DVec2 = DVec2::new(1.37e-6, 2.11e-6);

/// The voxels of each vertex, each with the part of it (0 to 1) that is the vertex's.
pub(super) fn parts(
    grid: &Grid,
    inner: &Surface,
    outer: &Surface,
    divisions: usize,
    run: &Run<'_>,
) -> Result<Vec<Vec<(u32, f64)>>, Stop> {
    let voxel_from_world = grid.world_from_voxel.inverse();
    let in_voxels = |surface: &Surface| -> Vec<DVec3> {
        let place = |v: &glam::Vec3| voxel_from_world.transform_point3(v.as_dvec3());
        surface.vertices.iter().map(place).collect()
    };
    let (inside, outside) = (in_voxels(inner), in_voxels(outer));
    let mut around: Vec<Vec<[u32; 2]>> = vec![Vec::new(); inside.len()];
    for &[a, b, c] in outer.triangles.iter() {
        for [v, next, last] in [[a, b, c], [b, c, a], [c, a, b]] {
            if let Some(fan) = around.get_mut(v as usize) {
                fan.push([next, last]);
            }
        }
    }
    let done = AtomicUsize::new(0);
    (0..around.len())
        .into_par_iter()
        .map(|vertex| {
            let n_done = done.fetch_add(1, Ordering::Relaxed) + 1;
            if n_done.is_multiple_of(4096) {
                run.check()?;
                run.progress(n_done, around.len());
            }
            let fan = &around[vertex];
            let missing = |v: u32| v as usize >= inside.len();
            if fan.iter().flatten().any(|&v| missing(v)) {
                return Ok(Vec::new());
            }
            Ok(row(grid, &walls(vertex, fan, &inside, &outside), divisions))
        })
        .collect()
}

/// The faces of a vertex's polyhedron: those that are the same in both, and the walls cut along either diagonal.
struct Walls {
    lids: Vec<[DVec3; 3]>,
    sides: [Vec<[DVec3; 3]>; 2],
}

fn walls(vertex: usize, fan: &[[u32; 2]], inside: &[DVec3], outside: &[DVec3]) -> Walls {
    let mut walls = Walls {
        lids: Vec::new(),
        sides: [Vec::new(), Vec::new()],
    };
    for [a, b] in fan.iter().map(|pair| pair.map(|v| v as usize)) {
        for sheet in [inside, outside] {
            walls.lids.push([sheet[vertex], sheet[a], sheet[b]]);
        }
        let [ai, bi, ao, bo] = [inside[a], inside[b], outside[a], outside[b]];
        walls.sides[0].extend([[ai, bi, bo], [ai, bo, ao]]);
        walls.sides[1].extend([[ai, bi, ao], [bi, bo, ao]]);
    }
    // Where the sheet ends at the vertex, its own edges are walls too: those that only one triangle of the fan has.
    let ends = |v: usize| fan.iter().flatten().filter(|&&w| w as usize == v).count() == 1;
    for v in fan
        .iter()
        .flatten()
        .map(|&v| v as usize)
        .filter(|&v| ends(v))
    {
        let [ai, bi, ao, bo] = [inside[vertex], inside[v], outside[vertex], outside[v]];
        walls.sides[0].extend([[ai, bi, bo], [ai, bo, ao]]);
        walls.sides[1].extend([[ai, bi, ao], [bi, bo, ao]]);
    }
    walls
}

fn row(grid: &Grid, walls: &Walls, divisions: usize) -> Vec<(u32, f64)> {
    let corners = || walls.lids.iter().flatten().copied();
    let low = corners().fold(DVec3::INFINITY, DVec3::min);
    let high = corners().fold(DVec3::NEG_INFINITY, DVec3::max);
    if !(low.is_finite() && high.is_finite()) {
        return Vec::new();
    }
    let range = |axis: usize| {
        let first = (low[axis] + 0.5).floor().max(0.0) as usize;
        let end = ((high[axis] + 0.5).floor() + 1.0).clamp(0.0, grid.shape[axis] as f64) as usize;
        first..end.max(first)
    };
    let part = |d: usize| (d as f64 + 0.5) / divisions as f64 - 0.5;
    let mut counts: Vec<(u32, f64)> = Vec::new();
    let (is, js, ks) = (range(0), range(1), range(2));
    let mut column = vec![0.0f64; ks.len()];
    for j in js {
        for i in is.clone() {
            column.iter_mut().for_each(|n| *n = 0.0);
            for d in 0..divisions * divisions {
                let at = DVec2::new(
                    i as f64 + part(d % divisions),
                    j as f64 + part(d / divisions),
                );
                let lids = crossings(&walls.lids, at + NUDGE);
                let sides = [0, 1].map(|n| crossings(&walls.sides[n], at + NUDGE));
                if lids.is_empty() && sides.iter().all(Vec::is_empty) {
                    continue;
                }
                for (n, k) in column.iter_mut().zip(ks.clone()) {
                    for e in 0..divisions {
                        let z = k as f64 + part(e);
                        let above = |all: &[f64]| all.iter().filter(|c| **c > z).count();
                        for side in &sides {
                            *n += 0.5 * ((above(&lids) + above(side)) % 2) as f64;
                        }
                    }
                }
            }
            for (&n, k) in column.iter().zip(ks.clone()) {
                if n > 0.0 {
                    counts.push((grid.index([i, j, k]) as u32, n));
                }
            }
        }
    }
    let whole = divisions.pow(3) as f64;
    counts.iter_mut().for_each(|(_, n)| *n /= whole);
    counts.sort_unstable_by_key(|&(voxel, _)| voxel);
    counts
}

/// Where a line along k through (i, j) passes through triangles: the k of each.
fn crossings(triangles: &[[DVec3; 3]], at: DVec2) -> Vec<f64> {
    let flat = |p: DVec3| p.truncate() - at;
    triangles
        .iter()
        .filter_map(|&[a, b, c]| {
            let (pa, pb, pc) = (flat(a), flat(b), flat(c));
            let (wa, wb, wc) = (pb.perp_dot(pc), pc.perp_dot(pa), pa.perp_dot(pb));
            let inside = (wa > 0.0 && wb > 0.0 && wc > 0.0) || (wa < 0.0 && wb < 0.0 && wc < 0.0);
            inside.then(|| (wa * a.z + wb * b.z + wc * c.z) / (wa + wb + wc))
        })
        .collect()
}
