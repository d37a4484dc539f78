//! The visual areas: where they lie, in what colours, on the surface and in the volume.

use glam::Vec3;

use super::anatomy::Lattice;
use super::cortex::Cortex;
use super::hull;
use super::mesh::area_vector;
use super::stream::Stream;
use super::sulci;
use crate::surface::Hemisphere;
use crate::volume::Region;

/// The areas; an area's key is its place here plus one. Keys 1..=3 ring the calcarine sulcus.
pub(super) const AREAS: [(&str, [u8; 3]); 13] = [
    ("V1", [214, 69, 65]),
    ("V2", [238, 140, 60]),
    ("V3", [244, 200, 76]),
    ("V4", [152, 196, 74]),
    ("LO", [64, 170, 110]),
    ("OFA", [72, 190, 190]),
    ("FFA", [58, 138, 214]),
    ("EBA", [92, 92, 210]),
    ("PPA", [152, 88, 204]),
    ("OPA", [200, 110, 210]),
    ("RSC", [222, 92, 156]),
    ("VWFA", [150, 112, 86]),
    ("FOOD", [120, 140, 150]),
];

/// Centre (lateral mm) and radius on the hull (mm) of the areas from V4 on.
const PATCHES: [(Vec3, f32); 10] = [
    (Vec3::new(28.0, -86.0, -10.0), 10.0),
    (Vec3::new(44.0, -80.0, 4.0), 10.0),
    (Vec3::new(43.0, -76.0, -14.0), 8.0),
    (Vec3::new(42.0, -52.0, -24.0), 10.0),
    (Vec3::new(56.0, -64.0, 6.0), 10.0),
    (Vec3::new(22.0, -44.0, -18.0), 10.5),
    (Vec3::new(34.0, -84.0, 26.0), 9.5),
    (Vec3::new(2.0, -52.0, 22.0), 9.5),
    (Vec3::new(54.0, -56.0, -18.0), 9.5),
    (Vec3::new(31.0, -66.0, -18.0), 8.5),
];

/// The key of the word area, which only the left hemisphere has.
const WORD_AREA: i32 = 12;

/// How far V1, V2 and V3 reach from the calcarine sulcus, mm on the hull.
const RINGS: [f32; 3] = [9.0, 15.0, 20.5];

/// One subject's layout of the areas: the common one, everywhere a little different.
#[derive(Clone, Debug)]
pub(super) struct Topography {
    /// How far V1, V2 and V3 reach from the calcarine sulcus, mm on the hull.
    pub(super) rings: [f32; 3],
    /// Centres (lateral mm) and radii (mm) of the other areas, left and right.
    patches: [[(Vec3, f32); 10]; 2],
}

impl Topography {
    /// The subject's own.
    pub(super) fn new(seed: u64) -> Self {
        let mut stream = Stream::new(seed, &[9]);
        // V1 differs between people by a factor of two in area (Dougherty et al. 2003).
        let reach = stream.between(0.88, 1.14);
        let mut side = || {
            PATCHES.map(|(centre, radius)| {
                let mut off = || stream.between(-2.5, 2.5);
                let away = Vec3::new(0.4 * off(), off(), off());
                let centre = hull::onto_hemisphere(centre + away);
                (centre, radius * stream.between(0.9, 1.15))
            })
        };
        Self {
            rings: RINGS.map(|ring| ring * reach),
            patches: [side(), side()],
        }
    }
}

/// The regions with names and colours.
pub(super) fn regions() -> Vec<Region> {
    (1..)
        .zip(AREAS)
        .map(|(key, (name, colour))| Region {
            key,
            name: name.to_owned(),
            colour,
        })
        .collect()
}

/// The area of every vertex; 0 is none.
pub(super) fn vertex_keys(cortex: &Cortex, topography: &Topography) -> Vec<i32> {
    let calcarine = sulci::calcarine();
    let patches = topography.patches[usize::from(cortex.hemisphere == Hemisphere::Right)];
    let key_at = |p: Vec3| {
        // Patches win over the rings, and the nearer patch over the farther.
        let mut best = (1.0, 0);
        for (key, (centre, radius)) in (4..).zip(patches) {
            let reach = p.distance(centre) / radius;
            if reach < best.0 && !(key == WORD_AREA && cortex.hemisphere == Hemisphere::Right) {
                best = (reach, key);
            }
        }
        if best.1 != 0 || p.y > -58.0 {
            return best.1;
        }
        let far = sulci::distance(p, &calcarine);
        (1..)
            .zip(topography.rings)
            .find(|(_, reach)| far < *reach)
            .map_or(0, |(key, _)| key)
    };
    cortex
        .hull
        .iter()
        .zip(&cortex.cortical)
        .map(|(&p, &cortical)| if cortical > 0.5 { key_at(p) } else { 0 })
        .collect()
}

/// What of the cortex a voxel holds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holding {
    /// The area that fills most of it; 0 is none.
    pub(super) key: i32,
    /// The part of the voxel that this area fills, 0..1.
    pub(super) part: f32,
    /// Where its cortex lies on the hull, lateral mm.
    pub(super) hull: Vec3,
    /// Most of it belongs to the right hemisphere.
    pub(super) right: bool,
}

/// Lets the cortex of every voxel vote for its area.
pub(super) fn holdings(
    lattice: &Lattice,
    halves: &[Cortex; 2],
    keys: &[Vec<i32>; 2],
) -> Vec<Holding> {
    let n_keys = AREAS.len() + 1;
    let mut votes = vec![0.0f32; lattice.n_voxels() * n_keys];
    let mut places = vec![(Vec3::ZERO, 0.0f32, 0.0f32); lattice.n_voxels()];
    for (cortex, keys) in halves.iter().zip(keys) {
        let side = if cortex.hemisphere == Hemisphere::Right {
            1.0
        } else {
            -1.0
        };
        for &t in cortex.triangles.iter() {
            let sheet = 0.25
                * (area_vector(&cortex.pial, t).length() + area_vector(&cortex.white, t).length());
            for v in t.map(|v| v as usize) {
                let (inner, outer) = (cortex.white[v], cortex.pial[v]);
                let share = sheet * inner.distance(outer) / 15.0;
                for depth in [0.1, 0.3, 0.5, 0.7, 0.9] {
                    let Some(voxel) = lattice.voxel(inner.lerp(outer, depth)) else {
                        continue;
                    };
                    votes[voxel * n_keys + keys[v] as usize] += share;
                    let place = &mut places[voxel];
                    place.0 += cortex.hull[v] * share;
                    place.1 += share;
                    place.2 += side * share;
                }
            }
        }
    }
    let volume = lattice.step * lattice.step * lattice.step;
    votes
        .chunks(n_keys)
        .zip(places)
        .map(|(votes, (sum, weight, side))| {
            let (mut key, mut most) = (0, 0.0);
            for (k, &vote) in (0..).zip(votes) {
                if vote > most {
                    (key, most) = (k, vote);
                }
            }
            // A sliver of cortex is not enough to name a voxel.
            if weight < 0.15 * volume {
                key = 0;
            }
            Holding {
                key,
                part: if key == 0 {
                    0.0
                } else {
                    (most / volume).min(1.0)
                },
                hull: sum / weight.max(1e-6),
                right: side > 0.0,
            }
        })
        .collect()
}
