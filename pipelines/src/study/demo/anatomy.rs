//! The structural volume: what a T1-weighted scan of the made-up head would show.

use glam::{DAffine3, DVec3, Vec3};
use rayon::prelude::*;

use super::cortex::Cortex;
use super::hull;
use super::mesh::area_vector;
use super::stream::{Stream, bell};
use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::volume::Volume;

/// A grid of cubes whose i, j, k grow to the right, the front and the top.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lattice {
    /// Voxels along i, j, k.
    pub(super) shape: [usize; 3],
    /// Centre of the first voxel, world mm.
    pub(super) first: Vec3,
    /// Edge of a voxel, mm.
    pub(super) step: f32,
}

impl Lattice {
    /// As a grid.
    pub(super) fn grid(&self) -> Grid {
        let mut world_from_voxel = DAffine3::from_scale(DVec3::splat(f64::from(self.step)));
        world_from_voxel.translation = self.first.as_dvec3();
        Grid {
            shape: self.shape,
            world_from_voxel,
        }
    }

    /// Voxels in all.
    pub(super) fn n_voxels(&self) -> usize {
        self.shape.iter().product()
    }

    /// World mm of the centre of a voxel by flat index.
    pub(super) fn centre(&self, voxel: usize) -> Vec3 {
        let [ni, nj, _] = self.shape;
        let ijk = [voxel % ni, voxel / ni % nj, voxel / (ni * nj)];
        self.first + Vec3::from_array(ijk.map(|c| c as f32)) * self.step
    }

    /// The flat index of the voxel that holds a world point.
    pub(super) fn voxel(&self, world: Vec3) -> Option<usize> {
        let v = (world - self.first) / self.step + Vec3::splat(0.5);
        let [ni, nj, nk] = self.shape;
        let inside =
            v.min_element() >= 0.0 && v.x < ni as f32 && v.y < nj as f32 && v.z < nk as f32;
        inside.then(|| v.x as usize + ni * (v.y as usize + nj * v.z as usize))
    }
}

/// The part of every voxel that lies within a closed surface, 0..1. `rays` × `rays` rays run
/// through each row of voxels along x; along a ray the parts are exact.
pub(super) fn coverage(
    lattice: &Lattice,
    vertices: &[Vec3],
    triangles: &[[u32; 3]],
    rays: usize,
) -> Vec<f32> {
    let [ni, nj, nk] = lattice.shape;
    let (rows, columns) = (nk * rays, nj * rays);
    let fine = lattice.step / rays as f32;
    // Rays pass a little beside round numbers, so as not to meet vertices.
    let start =
        lattice.first - Vec3::splat(0.5 * lattice.step) + Vec3::splat(0.5 * fine + 0.000_37);
    let mut crossings: Vec<Vec<(f32, f32)>> = vec![Vec::new(); rows * columns];
    for &t in triangles {
        let corners = t.map(|v| vertices[v as usize]);
        let area = area_vector(vertices, t);
        if area.x == 0.0 {
            continue;
        }
        let bounds = |axis: usize, n: usize| {
            let values = corners.map(|c| (c[axis] - start[axis]) / fine);
            let low = values
                .iter()
                .copied()
                .fold(f32::INFINITY, f32::min)
                .ceil()
                .max(0.0);
            let high = values
                .iter()
                .copied()
                .fold(f32::NEG_INFINITY, f32::max)
                .floor();
            low as usize..((high + 1.0).max(0.0) as usize).min(n)
        };
        for row in bounds(2, rows) {
            for column in bounds(1, columns) {
                let (y, z) = (start.y + column as f32 * fine, start.z + row as f32 * fine);
                let within = (0..3).all(|side| {
                    let (a, b) = (t[side], t[(side + 1) % 3]);
                    // Both triangles of an edge must judge it by the very same number.
                    let (low, high) = (vertices[a.min(b) as usize], vertices[a.max(b) as usize]);
                    let turn = f64::from(high.y - low.y) * f64::from(z - low.z)
                        - f64::from(high.z - low.z) * f64::from(y - low.y);
                    (turn > 0.0) == ((a < b) == (area.x > 0.0))
                });
                if within {
                    let a = corners[0];
                    let x = a.x - ((y - a.y) * area.y + (z - a.z) * area.z) / area.x;
                    crossings[row * columns + column].push((x, -area.x.signum()));
                }
            }
        }
    }
    let mut covered = vec![0.0f32; lattice.n_voxels()];
    let share = 1.0 / (rays * rays) as f32;
    for (ray, hits) in crossings.iter_mut().enumerate() {
        hits.sort_by(|a, b| a.0.total_cmp(&b.0));
        let first = ni * (ray % columns / rays + nj * (ray / columns / rays));
        let mut winding = 0.0;
        for ends in hits.windows(2) {
            winding += ends[0].1;
            if winding <= 0.0 {
                continue;
            }
            let edge = |x: f32| ((x - lattice.first.x) / lattice.step + 0.5).clamp(0.0, ni as f32);
            let (from, to) = (edge(ends[0].0), edge(ends[1].0));
            for i in from as usize..(to.ceil() as usize).min(ni) {
                let part = to.min(i as f32 + 1.0) - from.max(i as f32);
                covered[first + i] += part.max(0.0) * share;
            }
        }
    }
    covered
}

/// The parts of every voxel inside the pial and inside the white surfaces of both hemispheres.
pub(super) fn tissue(lattice: &Lattice, halves: &[Cortex; 2], rays: usize) -> [Vec<f32>; 2] {
    let both = |points: fn(&Cortex) -> &Vec<Vec3>| {
        let (mut left, right) = rayon::join(
            || coverage(lattice, points(&halves[0]), &halves[0].triangles, rays),
            || coverage(lattice, points(&halves[1]), &halves[1].triangles, rays),
        );
        left.iter_mut()
            .zip(right)
            .for_each(|(l, r)| *l = (*l + r).min(1.0));
        left
    };
    [both(|c| &c.pial), both(|c| &c.white)]
}

/// A T1-weighted volume, 0..255: white matter bright, grey between, fluid dark, with partial
/// volumes, skull and scalp, a slow bias over the field and noise.
pub(super) fn t1(
    seed: u64,
    lattice: &Lattice,
    halves: &[Cortex; 2],
    run: &Run<'_>,
) -> Result<Volume, Stop> {
    run.stage("drawing the anatomy");
    let [pial, white] = tissue(lattice, halves, 2);
    run.check()?;
    let slice = lattice.shape[0] * lattice.shape[1];
    let mut data = vec![0.0f32; lattice.n_voxels()];
    data.par_chunks_mut(slice)
        .enumerate()
        .try_for_each(|(k, values)| {
            run.check()?;
            let mut noise = Stream::new(seed, &[2, k as u64]);
            for (i, value) in values.iter_mut().enumerate() {
                let voxel = k * slice + i;
                let p = lattice.centre(voxel);
                let lateral = Vec3::new(p.x.abs(), p.y, p.z);
                let bias = 1.0 + 0.06 * p.x / 90.0 - 0.09 * p.y / 110.0 + 0.06 * p.z / 100.0;
                let clean = intensity(lateral, pial[voxel], white[voxel], lattice.step);
                // The magnitude of a complex signal: noise in the air stays positive.
                let (re, im) = (clean * bias + 3.0 * noise.normal(), 3.0 * noise.normal());
                *value = (re * re + im * im).sqrt().min(255.0).round();
            }
            Ok::<(), Stop>(())
        })?;
    Ok(Volume {
        grid: lattice.grid(),
        data: data.into(),
        assumptions: Vec::new(),
    })
}

const AIR: f32 = 2.0;
const FLUID: f32 = 28.0;
const GREY: f32 = 108.0;
const WHITE: f32 = 168.0;

/// The noiseless intensity at a point in lateral coordinates, with the cortex's partial volumes.
fn intensity(p: Vec3, pial: f32, white: f32, step: f32) -> f32 {
    let outside = hull::head(p);
    if outside > step {
        return AIR;
    }
    let part = |distance: f32| (0.5 - distance / step).clamp(0.0, 1.0);
    let dura = hull::brain(p);
    // From the skin inwards: fat, muscle, bone with its marrow, fluid.
    let skin = -outside;
    let mut value = 88.0 + 4.0 * super::stream::sin_cos(0.21 * p.y + 0.13 * p.z).0;
    value += (205.0 - value) * bell((skin - 3.5) / 2.2);
    let bone = 16.0 + 62.0 * bell((dura - 5.0) / 1.2);
    value += (bone - value) * part(dura - 8.0);
    value += (FLUID - value) * part(dura - 1.8);
    value = AIR + (value - AIR) * part(outside);
    if dura > 2.0 {
        return value;
    }
    let hindbrain = part(hull::cerebellum(p));
    let leaves = GREY - 4.0 + 22.0 * (0.5 - 0.5 * hull::folia(p));
    value += (leaves - value) * hindbrain;
    value += (WHITE - 22.0 - value) * part(hull::brainstem(p));
    value = value * (1.0 - pial) + GREY * (pial - white).max(0.0) + WHITE * white.min(pial);
    value += (WHITE - value) * part(hull::callosum(p));
    value += (GREY + 16.0 - value) * part(hull::deep_grey(p));
    value + (FLUID - value) * part(hull::ventricles(p))
}
