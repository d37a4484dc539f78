//! The regions that atlases and annotations hold, each by its name: how large, and where their hearts are.

use std::collections::BTreeMap;
use std::sync::Arc;

use glam::DVec3;

use super::{Patch, Roi};
use crate::mask::Mask;
use crate::surface::{Hemisphere, Surface, VertexLabels};
use crate::volume::Atlas;

/// A region as it stands in a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its colour, sRGB.
    pub colour: [u8; 3],
    /// Its voxels.
    pub n_voxels: usize,
    /// Their volume.
    pub volume_mm3: f64,
    /// Its vertices over both hemispheres.
    pub n_vertices: usize,
    /// The member nearest to the middle of all: a voxel's centre, or a vertex where it has no voxels (world mm).
    pub heart_mm: Option<DVec3>,
    /// Of each hemisphere it reaches to, the vertex nearest to the middle of its vertices there.
    pub heart_vertices: Vec<(Hemisphere, u32)>,
}

impl Listed {
    /// A region that was drawn, as it stands in the list. `surfaces` are where the vertices are in the brain.
    pub fn of(roi: &Roi, surfaces: &[(Hemisphere, &Surface)]) -> Self {
        let mut listed = Self {
            name: roi.name.clone(),
            colour: roi.colour,
            n_voxels: roi.n_voxels(),
            volume_mm3: roi.volume_mm3(),
            n_vertices: roi.n_vertices(),
            heart_mm: roi.heart_mm(),
            heart_vertices: Vec::new(),
        };
        for patch in &roi.patches {
            let surface = surfaces.iter().find(|(side, _)| *side == patch.hemisphere);
            if let Some((_, surface)) = surface {
                let heart = heart_vertex(surface, &patch.vertices);
                listed.takes_heart(patch.hemisphere, surface, heart);
            }
        }
        listed
    }

    fn takes_heart(&mut self, hemisphere: Hemisphere, surface: &Surface, heart: Option<u32>) {
        let Some(vertex) = heart else {
            return;
        };
        self.heart_vertices.push((hemisphere, vertex));
        if self.heart_mm.is_none() {
            self.heart_mm = surface
                .vertices
                .get(vertex as usize)
                .map(glam::Vec3::as_dvec3);
        }
    }
}

/// The vertex nearest to the middle of some.
fn heart_vertex(surface: &Surface, vertices: &[u32]) -> Option<u32> {
    let places = || {
        let known = vertices.iter().copied();
        known.filter_map(|v| Some((v, surface.vertices.get(v as usize)?.as_dvec3())))
    };
    let middle = places().map(|(_, at)| at).sum::<DVec3>() / places().count().max(1) as f64;
    places()
        .min_by(|a, b| {
            let (a, b) = (a.1.distance_squared(middle), b.1.distance_squared(middle));
            a.total_cmp(&b)
        })
        .map(|(v, _)| v)
}

/// The regions of an atlas and of the annotations of hemispheres (with the surface where they lie in the brain), in the
/// order in which they are named; those of one name are one. Regions without any voxel or vertex are left out.
pub fn list(
    atlas: Option<&Atlas>,
    labels: &[(Hemisphere, &VertexLabels, &Surface)],
) -> Vec<Listed> {
    let mut listed: Vec<Listed> = Vec::new();
    if let Some(atlas) = atlas {
        in_volume(atlas, &mut listed);
    }
    for (hemisphere, labels, surface) in labels {
        let mut members: BTreeMap<i32, Vec<u32>> = BTreeMap::new();
        for (vertex, &key) in (0..).zip(labels.keys.iter()) {
            if key != 0 {
                members.entry(key).or_default().push(vertex);
            }
        }
        for region in &labels.regions {
            let Some(vertices) = members.get(&region.key) else {
                continue;
            };
            let heart = heart_vertex(surface, vertices);
            let entry = entry(&mut listed, &region.name, region.colour);
            entry.n_vertices += vertices.len();
            entry.takes_heart(*hemisphere, surface, heart);
        }
    }
    listed
}

fn in_volume(atlas: &Atlas, listed: &mut Vec<Listed>) {
    let grid = &atlas.grid;
    // Keys of one name are one region.
    let mut place_of: BTreeMap<i32, usize> = BTreeMap::new();
    for region in atlas.regions.iter().filter(|r| r.key != 0) {
        entry(listed, &region.name, region.colour);
        let place = listed.iter().position(|l| l.name == region.name);
        place_of.insert(region.key, place.unwrap_or_default());
    }
    let members = || {
        let keyed = atlas.keys.iter().enumerate().filter(|(_, key)| **key != 0);
        keyed.filter_map(|(v, key)| Some((v, *place_of.get(key)?)))
    };
    let mut sums = vec![DVec3::ZERO; listed.len()];
    for (v, place) in members() {
        listed[place].n_voxels += 1;
        sums[place] += DVec3::from_array(grid.ijk(v).map(|i| i as f64));
    }
    let middle = |place: usize| sums[place] / listed[place].n_voxels.max(1) as f64;
    let middles: Vec<DVec3> = (0..listed.len())
        .map(|place| grid.world_from_voxel.transform_point3(middle(place)))
        .collect();
    let mut best = vec![f64::INFINITY; listed.len()];
    for (v, place) in members() {
        let at = grid.world(grid.ijk(v));
        let distance = at.distance_squared(middles[place]);
        if distance < best[place] {
            best[place] = distance;
            listed[place].heart_mm = Some(at);
        }
    }
    listed.retain(|l| l.n_voxels > 0);
    for entry in listed {
        entry.volume_mm3 = entry.n_voxels as f64 * grid.voxel_mm3();
    }
}

fn entry<'a>(listed: &'a mut Vec<Listed>, name: &str, colour: [u8; 3]) -> &'a mut Listed {
    let at = listed
        .iter()
        .position(|l| l.name == name)
        .unwrap_or_else(|| {
            listed.push(Listed {
                name: name.to_owned(),
                colour,
                ..Listed::default()
            });
            listed.len() - 1
        });
    &mut listed[at]
}

/// A region of an atlas and of annotations by its name; nothing when none has it.
pub fn find(
    name: &str,
    atlas: Option<&Atlas>,
    labels: &[(Hemisphere, &VertexLabels)],
) -> Option<Roi> {
    let mut colour = None;
    let mut voxels = None;
    if let Some(atlas) = atlas {
        let named = atlas
            .regions
            .iter()
            .filter(|r| r.name == name && r.key != 0);
        let keys: Vec<i32> = named.clone().map(|r| r.key).collect();
        colour = named.map(|r| r.colour).next();
        // A name that the atlas lacks is not known there, rather than empty.
        if !keys.is_empty() {
            voxels = Some(Mask::new(atlas.grid.clone(), |v| {
                keys.contains(&atlas.keys[v])
            }));
        }
    }
    let mut patches = Vec::new();
    for (hemisphere, labels) in labels {
        let named = labels
            .regions
            .iter()
            .filter(|r| r.name == name && r.key != 0);
        let keys: Vec<i32> = named.clone().map(|r| r.key).collect();
        colour = colour.or_else(|| named.map(|r| r.colour).next());
        let all = (0..).zip(labels.keys.iter());
        let vertices = all.filter(|(_, key)| keys.contains(key)).map(|(v, _)| v);
        let patch = Patch {
            hemisphere: *hemisphere,
            n_vertices: labels.keys.len(),
            vertices: vertices.collect::<Arc<[u32]>>(),
        };
        if !keys.is_empty() {
            patches.push(patch);
        }
    }
    Some(Roi {
        name: name.to_owned(),
        colour: colour?,
        voxels,
        patches,
    })
}
