//! What is shown: the part of the layout that belongs to what is open, and that undo brings back.

use std::collections::BTreeMap;

use fusiform_render::camera::{Camera, StandardView};
use glam::{DVec3, Quat, Vec3};
use serde::{Deserialize, Serialize};

use super::{CodeChoice, CortexLook, InsideLook, Layer, MapLook, Regions, SliceMode, Sort};
use crate::session::{MapId, OverlayMap};

/// What is shown; every change of it can be undone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The crosshair, world mm (RAS+); none before a study is open.
    pub crosshair_mm: Option<[f64; 3]>,
    /// The middle of the slices, world mm; none is the middle of the volume.
    pub centre_mm: Option<[f64; 3]>,
    /// Magnification of the slices; 1 shows the whole volume.
    pub zoom: f32,
    /// Whether the subject's right is on the left of axial and coronal slices.
    pub radiological: bool,
    /// Whether region borders are drawn on slices.
    pub slice_outlines: bool,
    /// Whether region borders are drawn on surfaces.
    pub surface_outlines: bool,
    /// The map that is worked on: one of the layers.
    pub map: Option<MapId>,
    /// What lies over the anatomy, from bottom to top; see [`Self::layers`].
    #[serde(default)]
    pub stack: Vec<Layer>,
    /// How maps are coloured.
    pub looks: BTreeMap<MapId, MapLook>,
    /// The camera's rotation (x, y, z, w).
    pub rotation: [f32; 4],
    /// Magnification of the surfaces; 1 shows them whole.
    pub surface_zoom: f32,
    /// How surfaces are laid out and painted.
    pub cortex: CortexLook,
    /// How volumes are looked into.
    pub inside: InsideLook,
    /// How slices are arranged.
    pub slices: SliceMode,
    /// Whether anterior is on the right of sagittal slices.
    pub nose_right: bool,
    /// Whether the map runs evenly from voxel to voxel; else each voxel is a block.
    pub smooth_map: bool,
    /// The volume of the run that is marked in the time course and shown as the map of one volume, from 0.
    pub frame: usize,
    /// The selected decoded trial (row of the betas).
    pub trial: Option<usize>,
    /// The selected stimulus.
    pub stimulus: Option<String>,
    /// The order of decoded trials.
    pub sort: Sort,
    /// Whether that order is turned round.
    pub reversed: bool,
    /// The image code of the next decode.
    pub code: CodeChoice,
    /// Whether time courses are in percent of their mean.
    pub percent: bool,
    /// The numbers of the anatomy that are shown black and white; none is as it comes.
    #[serde(default)]
    pub grey: Option<(f32, f32)>,
    /// How far the surfaces are moved right and up in the picture, mm.
    #[serde(default)]
    pub surface_shift_mm: [f32; 2],
    /// Regions whose time courses are drawn beside that of the voxel, by name.
    #[serde(default)]
    pub pinned: Vec<String>,
    /// The user's own regions, and how all are shown.
    #[serde(default)]
    pub regions: Regions,
}

impl Default for View {
    fn default() -> Self {
        Self {
            crosshair_mm: None,
            centre_mm: None,
            zoom: 1.0,
            radiological: false,
            slice_outlines: true,
            surface_outlines: true,
            map: None,
            stack: Vec::new(),
            looks: BTreeMap::new(),
            rotation: from_behind(),
            surface_zoom: 1.0,
            cortex: CortexLook::default(),
            inside: InsideLook::default(),
            slices: SliceMode::Three,
            nose_right: false,
            smooth_map: false,
            frame: 0,
            trial: None,
            stimulus: None,
            sort: Sort::Trial,
            reversed: false,
            code: CodeChoice::Components,
            percent: true,
            grey: None,
            surface_shift_mm: [0.0; 2],
            pinned: Vec::new(),
            regions: Regions::default(),
        }
    }
}

/// From behind, a little to the left and below: where vision is.
fn from_behind() -> [f32; 4] {
    let camera = Camera {
        target_mm: Vec3::ZERO,
        rotation: StandardView::Posterior.rotation(),
        half_height_mm: 1.0,
        fov_degrees: 0.0,
    };
    camera.turned(0.5, -0.35).rotation.to_array()
}

impl View {
    /// The crosshair, world mm.
    pub fn crosshair(&self) -> Option<DVec3> {
        self.crosshair_mm.map(DVec3::from_array)
    }

    /// How a map is coloured.
    pub fn look(&self, map: &OverlayMap) -> MapLook {
        let chosen = self.looks.get(&map.id).copied();
        chosen.unwrap_or(map.first_look)
    }

    /// What belongs to a study, forgotten; habits stay.
    pub fn for_another_study(&self) -> Self {
        Self {
            radiological: self.radiological,
            slice_outlines: self.slice_outlines,
            surface_outlines: self.surface_outlines,
            cortex: self.cortex,
            slices: self.slices,
            nose_right: self.nose_right,
            smooth_map: self.smooth_map,
            sort: self.sort,
            reversed: self.reversed,
            code: self.code,
            percent: self.percent,
            // Kept under the name of the subject they were drawn on, once another is open.
            regions: self.regions.clone(),
            ..Self::default()
        }
    }

    pub(crate) fn is_sane(&self) -> bool {
        let point = |p: &Option<[f64; 3]>| p.is_none_or(|p| p.iter().all(|v| v.is_finite()));
        point(&self.crosshair_mm)
            && point(&self.centre_mm)
            && (0.1..=100.0).contains(&self.zoom)
            && (0.1..=100.0).contains(&self.surface_zoom)
            && (Quat::from_array(self.rotation).length() - 1.0).abs() < 0.01
            && self.looks.values().all(MapLook::is_sane)
            && self.cortex.is_sane()
            && self.inside.is_sane()
            && self
                .grey
                .is_none_or(|(low, high)| low.is_finite() && high.is_finite() && low < high)
            && self.surface_shift_mm.iter().all(|mm| mm.is_finite())
    }
}
