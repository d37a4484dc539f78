//! Regions ready to be drawn and listed: the atlas's and the user's own.

use std::sync::Arc;

use fusiform_pipelines::mask::Mask;
use fusiform_pipelines::roi::listing::{self, Listed};
use fusiform_pipelines::roi::{Roi, sets};
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::surface::{Hemisphere, Shape, Surface};
use fusiform_pipelines::volume::Region;
use fusiform_render::scene::{OutlineLayer, RegionColours, VertexData, VolumeData};
use glam::{DAffine3, DVec3};

use super::{HemisphereData, Session, SubjectParts};
use crate::bridge::{self, Keys};
use crate::layout::Regions;

/// How region borders are drawn on slices, pixels.
pub(super) const OUTLINE_WIDTH_PX: f32 = 1.5;

/// Labels of one drawing, with the names of their keys.
#[derive(Clone, Debug)]
pub struct Names {
    /// Key, name, and the colour it has when none was chosen.
    entries: Vec<(i32, String, [u8; 3])>,
}

impl Names {
    pub(super) fn of(regions: &[Region]) -> Self {
        let named = regions.iter().filter(|r| r.key != 0);
        Self {
            entries: named.map(|r| (r.key, r.name.clone(), r.colour)).collect(),
        }
    }

    /// The colours of those that are shown.
    fn colours(&self, regions: &Regions) -> RegionColours {
        let shown = self
            .entries
            .iter()
            .filter(|(_, name, _)| regions.shows(name));
        shown
            .map(|(key, name, first)| {
                let [r, g, b] = regions.colour(name, *first);
                (*key, [r, g, b, 255])
            })
            .collect()
    }

    /// The name of a key.
    pub fn name(&self, key: i32) -> Option<&str> {
        let entry = self.entries.iter().find(|(k, ..)| *k == key)?;
        Some(&entry.1)
    }
}

/// The user's own regions as labels that do not overlap, a few in each, and as rows of a list.
#[derive(Debug, Default)]
pub struct Own {
    /// What it was made of, and for how many hemispheres.
    of: (Vec<Arc<Roi>>, usize),
    volumes: Vec<(VolumeData, Names)>,
    /// One list a hemisphere.
    sheets: Vec<Vec<(VertexData, Names)>>,
    listed: Vec<Listed>,
}

impl Own {
    fn is_of(&self, own: &[Arc<Roi>], n_hemispheres: usize) -> bool {
        let same = |(a, b): (&Arc<Roi>, &Arc<Roi>)| Arc::ptr_eq(a, b);
        self.of.1 == n_hemispheres
            && self.of.0.len() == own.len()
            && self.of.0.iter().zip(own).all(same)
    }

    fn new(own: &[Arc<Roi>], cortex: &[HemisphereData], keys: &mut Keys) -> Self {
        let surfaces = anatomical(cortex);
        Self {
            of: (own.to_vec(), cortex.len()),
            volumes: volumes(own, keys),
            sheets: cortex.iter().map(|h| sheet(own, h, keys)).collect(),
            listed: own.iter().map(|roi| Listed::of(roi, &surfaces)).collect(),
        }
    }
}

/// The surface of each hemisphere that lies where the brain is.
fn anatomical(cortex: &[HemisphereData]) -> Vec<(Hemisphere, &Surface)> {
    let order = [Shape::Midthickness, Shape::White, Shape::Pial];
    cortex
        .iter()
        .filter_map(|h| {
            let (surface, _) = order.into_iter().find_map(|shape| h.shape(shape))?;
            Some((h.hemisphere, &**surface))
        })
        .collect()
}

/// Regions side by side in as few lists as keep them from overlapping: in each list their places.
fn packed<'a>(members: impl Iterator<Item = (usize, &'a [u32])>) -> Vec<(Vec<u32>, Vec<usize>)> {
    let mut lists: Vec<(Vec<u32>, Vec<usize>)> = Vec::new();
    for (place, members) in members {
        let fits = lists
            .iter_mut()
            .find(|(taken, _)| sets::intersection(taken, members).is_empty());
        match fits {
            Some((taken, places)) => {
                *taken = sets::union(taken, members);
                places.push(place);
            }
            None => lists.push((members.to_vec(), vec![place])),
        }
    }
    lists
}

fn names(own: &[Arc<Roi>], places: &[usize]) -> Names {
    let entry = |(&place, key): (&usize, i32)| {
        let roi = own.get(place)?;
        Some((key, roi.name.clone(), roi.colour))
    };
    Names {
        entries: places.iter().zip(1..).filter_map(entry).collect(),
    }
}

fn volumes(own: &[Arc<Roi>], keys: &mut Keys) -> Vec<(VolumeData, Names)> {
    let mut grids: Vec<&Grid> = Vec::new();
    for mask in own.iter().filter_map(|roi| roi.voxels.as_ref()) {
        if grids.iter().all(|grid| !grid.same_as(mask.grid())) {
            grids.push(mask.grid());
        }
    }
    let mut volumes = Vec::new();
    for grid in grids {
        let here = own.iter().enumerate().filter_map(|(place, roi)| {
            let mask = roi.voxels.as_ref()?;
            (mask.grid().same_as(grid) && !mask.is_empty()).then_some((place, mask.voxels()))
        });
        for (taken, places) in packed(here) {
            let masks = places
                .iter()
                .filter_map(|&place| own.get(place)?.voxels.as_ref());
            let labels = cropped(grid, &taken, masks, keys);
            volumes.push((labels, names(own, &places)));
        }
    }
    volumes
}

/// The labels 1, 2, … of masks in the part of the grid that holds them all and a voxel around.
fn cropped<'a>(
    grid: &Grid,
    taken: &[u32],
    masks: impl Iterator<Item = &'a Mask>,
    keys: &mut Keys,
) -> VolumeData {
    let (mut low, mut high) = ([usize::MAX; 3], [0; 3]);
    for &v in taken {
        let ijk = grid.ijk(v as usize);
        for axis in 0..3 {
            low[axis] = low[axis].min(ijk[axis]);
            high[axis] = high[axis].max(ijk[axis]);
        }
    }
    let shape = [0, 1, 2].map(|axis| high[axis] + 3 - low[axis].min(high[axis]));
    let corner = DVec3::from_array(low.map(|i| i as f64 - 1.0));
    let part = Grid {
        shape,
        world_from_voxel: grid.world_from_voxel * DAffine3::from_translation(corner),
    };
    let mut data = vec![0.0f32; part.n_voxels()];
    for (mask, key) in masks.zip(1u16..) {
        for &v in mask.voxels() {
            let ijk = grid.ijk(v as usize);
            let at = part.index([0, 1, 2].map(|axis| ijk[axis] + 1 - low[axis]));
            data[at] = f32::from(key);
        }
    }
    VolumeData {
        key: keys.fresh(),
        shape,
        world_from_voxel: bridge::affine(&part),
        data: data.into(),
    }
}

fn sheet(
    own: &[Arc<Roi>],
    hemisphere: &HemisphereData,
    keys: &mut Keys,
) -> Vec<(VertexData, Names)> {
    let Some(n_vertices) = hemisphere.shapes.first().map(|(_, s, _)| s.vertices.len()) else {
        return Vec::new();
    };
    let vertices = |place: usize| {
        let patch = own.get(place)?.patch(hemisphere.hemisphere)?;
        (patch.n_vertices == n_vertices && !patch.vertices.is_empty()).then_some(&*patch.vertices)
    };
    let here = (0..own.len()).filter_map(|place| Some((place, vertices(place)?)));
    let lists = packed(here).into_iter().map(|(_, places)| {
        let mut values = vec![0.0f32; n_vertices];
        for (&place, key) in places.iter().zip(1u16..) {
            for &v in vertices(place).unwrap_or_default() {
                values[v as usize] = f32::from(key);
            }
        }
        let labels = VertexData {
            key: keys.fresh(),
            values: values.into(),
        };
        (labels, names(own, &places))
    });
    lists.collect()
}

impl Session {
    /// Makes ready to be drawn what the view has of the user's own regions, unless it is.
    pub(crate) fn follow_regions(&mut self, regions: &Regions) {
        if !self.own.is_of(&regions.own, self.subject.cortex.len()) {
            self.own = Own::new(&regions.own, &self.subject.cortex, &mut self.keys);
        }
    }

    /// Lists the regions of the atlas and of the hemispheres anew.
    pub(super) fn list_regions(&mut self) {
        let subject = &self.subject;
        let surfaces = anatomical(&subject.cortex);
        let surface = |side| surfaces.iter().find(|(s, _)| *s == side).map(|(_, s)| *s);
        let labels = subject.cortex.iter().filter_map(|h| {
            let labels = h.labels.as_deref()?;
            Some((h.hemisphere, labels, surface(h.hemisphere)?))
        });
        let labels: Vec<_> = labels.collect();
        let atlas = subject.atlas.as_ref().map(|a| &*a.atlas);
        self.subject.regions = listing::list(atlas, &labels).into();
    }

    /// Under which name the regions drawn on the current subject are kept.
    pub fn regions_kept_as(&self) -> Option<String> {
        self.study.as_ref()?;
        let subject = self.subject_id.as_ref()?;
        let opened: Vec<String> = self
            .opened
            .iter()
            .map(|p| p.display().to_string())
            .collect();
        let study = if self.opened.is_empty() {
            "demo".to_owned()
        } else {
            opened.join(", ")
        };
        Some(format!("{study}, subject {subject}"))
    }

    /// The regions there are: the user's own, then those of the atlas and the parcellation.
    pub fn listed_regions(&self) -> impl Iterator<Item = &Listed> {
        let own = self.own.listed.iter();
        own.chain(self.subject.regions.iter())
    }

    /// Borders on slices with the names of their keys: the atlas's, then the user's own.
    pub fn region_volumes(&self, regions: &Regions) -> Vec<(OutlineLayer, &Names)> {
        let atlas = self.subject.atlas.as_ref();
        let atlas = atlas.map(|atlas| (&atlas.outlines.labels, &atlas.names));
        let own = self
            .own
            .volumes
            .iter()
            .map(|(labels, names)| (labels, names));
        atlas
            .into_iter()
            .chain(own)
            .map(|(labels, names)| {
                let layer = OutlineLayer {
                    labels: labels.clone(),
                    colours: names.colours(regions),
                    width_px: OUTLINE_WIDTH_PX,
                };
                (layer, names)
            })
            .collect()
    }

    /// Borders on a hemisphere, by its place.
    pub fn region_sheets(
        &self,
        hemisphere: usize,
        regions: &Regions,
    ) -> Vec<(VertexData, RegionColours)> {
        let Some(data) = self.subject.cortex.get(hemisphere) else {
            return Vec::new();
        };
        let atlas = data.outlines.as_ref().zip(data.names.as_ref());
        let atlas = atlas.map(|((labels, _), names)| (labels.clone(), names.colours(regions)));
        let own = self.own.sheets.get(hemisphere).into_iter().flatten();
        let own = own.map(|(labels, names)| (labels.clone(), names.colours(regions)));
        atlas.into_iter().chain(own).collect()
    }

    /// The names of all regions at a world point: the user's own, then the atlas's.
    pub fn region_names_at(&self, regions: &Regions, world_mm: DVec3) -> Vec<String> {
        let own = regions.own.iter().filter(|roi| roi.contains_mm(world_mm));
        let atlas = self.region_at(world_mm).map(|region| region.name.clone());
        own.map(|roi| roi.name.clone()).chain(atlas).collect()
    }

    /// The names of all regions of a vertex of a hemisphere, by its place.
    pub fn region_names_of(
        &self,
        regions: &Regions,
        hemisphere: usize,
        vertex: usize,
    ) -> Vec<String> {
        let Some(data) = self.subject.cortex.get(hemisphere) else {
            return Vec::new();
        };
        let has = |roi: &&Arc<Roi>| roi.contains_vertex(data.hemisphere, vertex as u32);
        let own = regions.own.iter().filter(has).map(|roi| roi.name.clone());
        let atlas = data.region(vertex).map(|region| region.name.clone());
        own.chain(atlas).collect()
    }
}

/// The regions of a subject as rows of a list.
pub(crate) fn listed(parts: &SubjectParts) -> Vec<Listed> {
    let order = [Shape::Midthickness, Shape::White, Shape::Pial];
    let labels: Vec<_> = parts
        .cortex
        .iter()
        .filter_map(|h| {
            let shape = |wanted| h.shapes.iter().find(|(shape, _)| *shape == wanted);
            let (_, surface) = order.into_iter().find_map(shape).or(h.shapes.first())?;
            Some((h.hemisphere, &**h.labels.as_ref()?, &**surface))
        })
        .collect();
    let atlas = parts.atlas.as_ref().map(|(atlas, _)| &**atlas);
    listing::list(atlas, &labels)
}
