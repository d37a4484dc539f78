//! The folded cortex: a stripe pattern that grows on a smooth hull, buckled into gyri and sulci.
//!
//! 1. A geodesic sphere is laid on the hull of a hemisphere and its triangles are evened out.
//! 2. On it the Swift–Hohenberg equation (Swift & Hohenberg 1977) grows a labyrinth of a fixed
//!    wavelength from random beginnings, drawn along the courses of the primary sulci.
//! 3. The pattern buckles the sheet as a trochoid: crests stay broad and round, troughs are
//!    drawn together and pushed in, as sulci are.
//! 4. From this sheet the pial surface is grown outwards and the white one inwards.

use std::sync::Arc;

use glam::Vec3;

use super::hull;
use super::mesh::{self, Laplacian, Neighbours};
use super::stream::{Stream, bell, smoothstep};
use super::sulci::Courses;
use crate::run::{Run, Stop};
use crate::surface::Hemisphere;

/// One hemisphere. All shapes share the vertices' order; positions are world mm.
#[derive(Debug)]
pub(super) struct Cortex {
    /// Which one.
    pub(super) hemisphere: Hemisphere,
    /// Counter-clockwise seen from outside.
    pub(super) triangles: Arc<[[u32; 3]]>,
    /// A sphere of 100 mm about the origin.
    pub(super) sphere: Vec<Vec3>,
    /// The hull under each vertex, in lateral coordinates: where a vertex is in the folding-free brain.
    pub(super) hull: Vec<Vec3>,
    /// Smooth and blown up.
    pub(super) inflated: Vec<Vec3>,
    /// Outer border of the grey matter.
    pub(super) pial: Vec<Vec3>,
    /// Inner border of the grey matter.
    pub(super) white: Vec<Vec3>,
    /// Depth below the hull less its mean, mm: positive in sulci.
    pub(super) sulcal: Vec<f32>,
    /// 1 where there is cortex, 0 in the medial wall.
    pub(super) cortical: Vec<f32>,
}

impl Cortex {
    /// Half way between white and pial.
    pub(super) fn midthickness(&self) -> Vec<Vec3> {
        self.white
            .iter()
            .zip(&self.pial)
            .map(|(w, p)| (*w + *p) * 0.5)
            .collect()
    }

    /// Laid flat, mm: the sphere without the medial wall in Lambert's azimuthal equal-area projection, as seen from the
    /// side, with the area of the inflated surface. Superior is up and the occipital poles of both halves face each
    /// other. As the sphere's triangles are even, areas are kept all over; towards the rim shapes are drawn out.
    pub(super) fn flat(&self) -> (Vec<Vec3>, Vec<[u32; 3]>) {
        let side = self.hemisphere.side();
        let lateral = |p: Vec3| Vec3::new(side * p.x, p.y, p.z).normalize_or_zero();
        let wall: Vec3 = self
            .sphere
            .iter()
            .zip(&self.cortical)
            .map(|(&p, cortical)| lateral(p) * (1.0 - cortical))
            .sum();
        let middle = -wall.normalize_or_zero();
        let ahead = Vec3::Z.cross(middle).normalize_or_zero();
        let up = middle.cross(ahead);
        let places: Vec<Vec3> = self
            .sphere
            .iter()
            .map(|&p| {
                let p = lateral(p);
                let stretch = (2.0 / (1.0 + p.dot(middle)).max(1e-3)).sqrt();
                Vec3::new(side * p.dot(ahead), p.dot(up), 0.0) * stretch
            })
            .collect();
        let triangles: Vec<[u32; 3]> = self
            .triangles
            .iter()
            .copied()
            .filter(|t| t.iter().all(|&v| self.cortical[v as usize] > 0.5))
            .collect();
        let wanted = mesh::area(&self.inflated, &triangles);
        let scale = (wanted / mesh::area(&places, &triangles)).sqrt() as f32;
        let reach = places.iter().zip(&self.cortical);
        let reach = reach.filter(|(_, cortical)| **cortical > 0.5);
        let edge = reach.fold(0.0f32, |edge, (p, _)| edge.max(p.x.abs())) * scale;
        // The vertices of the wall are kept, so that maps fit, but belong to no triangle.
        let places = places
            .into_iter()
            .map(|p| p * scale + Vec3::X * side * (edge + 6.0))
            .collect();
        (places, triangles)
    }

    /// A world point of this hemisphere from lateral coordinates.
    fn world(side: f32, p: Vec3) -> Vec3 {
        Vec3::new(side * p.x, p.y, p.z)
    }
}

/// Distance from one sulcus to the next on the hull, mm.
const WAVELENGTH_MM: f32 = 15.8;

/// Grows a hemisphere; the last refinement splits edges into `finest` (1: 5 762 vertices, 2:
/// 23 042, 3: 51 842).
pub(super) fn grow(
    seed: u64,
    hemisphere: Hemisphere,
    finest: u32,
    run: &Run<'_>,
) -> Result<Cortex, Stop> {
    let side = hemisphere.side();
    let stream = match hemisphere {
        Hemisphere::Left => 1,
        Hemisphere::Right => 2,
    };
    let mut stream = Stream::new(seed, &[1, stream]);
    let courses = Courses::new(&mut stream);
    let waves = Stream::new(stream.bits(), &[]);
    let (sphere, points, triangles, pattern) = pattern_on_hull(&courses, &mut stream, finest, run)?;
    let neighbours = Neighbours::new(points.len(), &triangles);
    run.check()?;

    let normals: Vec<Vec3> = points.iter().map(|&p| hull::hemisphere_normal(p)).collect();
    // Where the forcing made the pattern steeper than a free stripe, it is held back: the sheet
    // must not be drawn over itself.
    let pattern: Vec<f32> = pattern
        .into_iter()
        .map(|u| 1.12 * u / (1.0 + 0.25 * u * u).sqrt())
        .collect();
    let slopes = mesh::gradient(&points, &triangles, &pattern);
    let distances = courses.distances(&points);
    let mut cortical = Vec::with_capacity(points.len());
    let mut troughs = Vec::with_capacity(points.len());
    let mut depths = Vec::with_capacity(points.len());
    let k = std::f32::consts::TAU / WAVELENGTH_MM;
    for v in 0..points.len() {
        let p = points[v];
        let (fissure, primary) = distances[v];
        let wall = medial_wall(p);
        let trough = wall * (0.5 - 0.5 * pattern[v]).clamp(0.0, 1.0);
        let deepest = 14.0
            + 2.0 * undulation(p, &waves)
            + 3.5 * bell(primary / 5.0)
            + 6.0 * bell(fissure / 4.5);
        let depth = within(p, normals[v], deepest * trough * trough.sqrt());
        cortical.push(wall);
        troughs.push(trough);
        depths.push(depth);
    }
    for _ in 0..3 {
        depths = neighbours.smooth(&depths, 0.5);
    }
    let mut sheet: Vec<Vec3> = (0..points.len())
        .map(|v| {
            let drawn = slopes[v] * (-0.68 * cortical[v] / (k * k));
            points[v] + drawn - normals[v] * depths[v]
        })
        .collect();
    for part in [0.5, -0.5, 0.3] {
        sheet = neighbours.smooth(&sheet, part);
    }
    untangle(&mut sheet, &triangles, &neighbours, &normals);
    run.check()?;
    // Thick on the crowns, thin in the fundi, where there is no room to grow outwards.
    let outwards: Vec<f32> = troughs.iter().map(|t| 0.1 + 1.7 * (1.0 - t * t)).collect();
    let inwards: Vec<f32> = troughs.iter().map(|t| -1.3 - 0.8 * t).collect();
    let pial = follow_normals(&sheet, &triangles, &neighbours, outwards, 0.0, run)?;
    run.check()?;
    let white = follow_normals(&sheet, &triangles, &neighbours, inwards, 0.3, run)?;
    run.check()?;
    let inflated = inflate(&points, &triangles, &neighbours);

    let mean_depth = depths.iter().sum::<f32>() / depths.len().max(1) as f32;
    let outward = |mut t: [u32; 3]| {
        if side < 0.0 {
            t.swap(1, 2);
        }
        t
    };
    let place = |points: Vec<Vec3>| -> Vec<Vec3> {
        points.into_iter().map(|p| Cortex::world(side, p)).collect()
    };
    Ok(Cortex {
        hemisphere,
        triangles: triangles.into_iter().map(outward).collect(),
        sphere: place(sphere.into_iter().map(|p| p * 100.0).collect()),
        inflated: place(inflated),
        pial: place(pial),
        white: place(white),
        sulcal: depths.iter().map(|d| d - mean_depth).collect(),
        hull: points,
        cortical,
    })
}

/// The sphere, the hull's points, the triangles, and the pattern (crests near 1, troughs near −1).
type Patterned = (Vec<Vec3>, Vec<Vec3>, Vec<[u32; 3]>, Vec<f32>);

fn pattern_on_hull(
    courses: &Courses,
    stream: &mut Stream,
    finest: u32,
    run: &Run<'_>,
) -> Result<Patterned, Stop> {
    let (mut sphere, mut triangles) = mesh::icosahedron();
    // Half way between an even sphere and an even ellipsoid: the triangles start out alike.
    let toward =
        |u: Vec3| hull::leave_hemisphere((u * Vec3::new(0.75, 1.2, 1.0)).normalize_or_zero());
    let mut points: Vec<Vec3> = Vec::new();
    let mut pattern: Vec<f32> = Vec::new();
    for (pieces, n_even) in [(3, 0), (2, 60), (2, 50), (2, 25), (finest, 5)] {
        if pieces == 1 {
            continue;
        }
        let (parents, finer) = mesh::split(sphere.len(), &triangles, pieces);
        triangles = finer;
        sphere = mesh::interpolate_points(&parents, &sphere)
            .into_iter()
            .map(Vec3::normalize_or_zero)
            .collect();
        points = if points.is_empty() {
            sphere.iter().map(|&u| toward(u)).collect()
        } else {
            mesh::interpolate_points(&parents, &points)
        };
        for _ in 0..n_even {
            run.check()?;
            mesh::even_out(&mut points, &triangles);
            points
                .iter_mut()
                .for_each(|p| *p = hull::toward_hemisphere(*p));
        }
        // The pattern forms where the mesh is just fine enough for it, and is cleaned at the finest.
        match sphere.len() {
            5762 => {
                pattern = (0..points.len()).map(|_| 0.1 * stream.normal()).collect();
                fold(&mut pattern, &points, &triangles, 45.0, courses, run)?;
            }
            23_042 | 51_842 => {
                pattern = mesh::interpolate_values(&parents, &pattern);
                fold(&mut pattern, &points, &triangles, 0.4, courses, run)?;
            }
            _ => {}
        }
    }
    Ok((sphere, points, triangles, pattern))
}

/// Runs ∂u/∂t = ε u − (1 + Δ/k²)² u − u³ − f for `time` and scales the stripes to ±1. The
/// forcing f draws troughs along the primary sulci.
fn fold(
    pattern: &mut [f32],
    points: &[Vec3],
    triangles: &[[u32; 3]],
    time: f32,
    courses: &Courses,
    run: &Run<'_>,
) -> Result<(), Stop> {
    let growth = 0.45f32;
    let k = std::f32::consts::TAU / WAVELENGTH_MM;
    let laplacian = Laplacian::new(points, triangles);
    let stiffest = (laplacian.bound / (k * k) - 1.0).max(1.0);
    let n_steps = (time * stiffest * stiffest / 1.6).ceil();
    let dt = time / n_steps;
    let amplitude = (4.0 * growth / 3.0).sqrt();
    let force: Vec<f32> = courses
        .distances(points)
        .into_iter()
        .map(|(fissure, primary)| 0.36 * bell(primary / 3.0) + 0.8 * bell(fissure / 3.0))
        .collect();
    pattern.iter_mut().for_each(|u| *u *= amplitude);
    let mut curved = vec![0.0; pattern.len()];
    let mut twice = vec![0.0; pattern.len()];
    for step in 0..n_steps as usize {
        if step % 50 == 0 {
            run.check()?;
        }
        laplacian.apply(pattern, &mut curved);
        for (c, u) in curved.iter_mut().zip(pattern.iter()) {
            *c = *c / (k * k) + u;
        }
        laplacian.apply(&curved, &mut twice);
        for v in 0..pattern.len() {
            let u = pattern[v];
            let bent = curved[v] + twice[v] / (k * k);
            pattern[v] = u + dt * (growth * u - bent - u * u * u - force[v]);
        }
    }
    pattern.iter_mut().for_each(|u| *u /= amplitude);
    Ok(())
}

/// `depth`, or as much of it as there is room for: at an edge of the hull a long way in would meet
/// the way in from the other side.
fn within(p: Vec3, normal: Vec3, mut depth: f32) -> f32 {
    for _ in 0..8 {
        if -hull::hemisphere(p - normal * depth) > 0.72 * depth {
            break;
        }
        depth *= 0.85;
    }
    depth
}

/// 0 within the medial wall (callosum, thalamus, brainstem), 1 on the cortex.
fn medial_wall(p: Vec3) -> f32 {
    let q = Vec3::new(0.0, (p.y + 8.0) / 39.0, (p.z - 4.0) / 22.0);
    let edge = smoothstep(0.9, 1.25, q.length());
    edge.max(smoothstep(8.0, 14.0, p.x))
}

/// A smooth random variation of about ±1 over tens of millimetres.
fn undulation(p: Vec3, waves: &Stream) -> f32 {
    let mut waves = waves.clone();
    (0..5)
        .map(|_| {
            let wave = Vec3::new(waves.normal(), waves.normal(), waves.normal()) * 0.09;
            let phase = waves.between(0.0, std::f32::consts::TAU);
            0.6 * super::stream::sin_cos(wave.dot(p) + phase).0
        })
        .sum()
}

/// Which vertices belong to a triangle that has turned over against `normals`.
fn turned_over(points: &[Vec3], triangles: &[[u32; 3]], normals: &[Vec3]) -> Vec<bool> {
    let mut over = vec![false; points.len()];
    for &t in triangles {
        let area = mesh::area_vector(points, t);
        let normal: Vec3 = t.iter().map(|&v| normals[v as usize]).sum();
        if area.dot(normal) < 0.1 * area.length() {
            t.iter().for_each(|&v| over[v as usize] = true);
        }
    }
    over
}

/// Smooths a sheet where it has turned over against the hull's `normals`.
fn untangle(sheet: &mut [Vec3], triangles: &[[u32; 3]], neighbours: &Neighbours, normals: &[Vec3]) {
    for _ in 0..40 {
        let over = turned_over(sheet, triangles, normals);
        if !over.contains(&true) {
            return;
        }
        let smooth = neighbours.smooth(sheet, 0.7);
        for ((point, smooth), _) in sheet.iter_mut().zip(smooth).zip(over).filter(|(_, o)| *o) {
            *point = smooth;
        }
    }
}

/// Follows the normals of a sheet for `distances` (mm, outwards positive) in small steps, evening
/// out by `smoothing` at each, so that narrow gyri keep a core. Where the sheet would turn over,
/// as in tight fundi, it goes less far.
fn follow_normals(
    sheet: &[Vec3],
    triangles: &[[u32; 3]],
    neighbours: &Neighbours,
    mut distances: Vec<f32>,
    smoothing: f32,
    run: &Run<'_>,
) -> Result<Vec<Vec3>, Stop> {
    let n_steps = 5;
    let start = mesh::normals(sheet, triangles);
    let mut points = sheet.to_vec();
    for _ in 0..7 {
        run.check()?;
        points.copy_from_slice(sheet);
        for _ in 0..n_steps {
            let mut normals = mesh::normals(&points, triangles);
            for _ in 0..2 {
                normals = neighbours.smooth(&normals, 0.6);
            }
            for ((point, normal), distance) in points.iter_mut().zip(&normals).zip(&distances) {
                *point += normal.normalize_or_zero() * (distance / n_steps as f32);
            }
            if smoothing > 0.0 {
                points = neighbours.smooth(&points, smoothing);
            }
        }
        let over = turned_over(&points, triangles, &start);
        if !over.contains(&true) {
            break;
        }
        for (v, distance) in distances.iter_mut().enumerate() {
            if over[v] || neighbours.of(v).iter().any(|&n| over[n as usize]) {
                *distance *= 0.6;
            }
        }
    }
    Ok(points)
}

/// The hull without its grooves, grown to one and a half times its area, clear of the mid-plane.
fn inflate(points: &[Vec3], triangles: &[[u32; 3]], neighbours: &Neighbours) -> Vec<Vec3> {
    let mut smooth = points.to_vec();
    for _ in 0..60 {
        smooth = neighbours.smooth(&smooth, 0.8);
    }
    let grown =
        (1.5 * mesh::area(points, triangles) / mesh::area(&smooth, triangles)).sqrt() as f32;
    let centre = smooth.iter().sum::<Vec3>() / smooth.len().max(1) as f32;
    for p in &mut smooth {
        *p = centre + (*p - centre) * grown;
    }
    let nearest = smooth.iter().map(|p| p.x).fold(f32::INFINITY, f32::min);
    smooth.iter_mut().for_each(|p| p.x += 1.5 - nearest);
    smooth
}
