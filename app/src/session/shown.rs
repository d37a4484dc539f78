//! Values ready to be drawn: each with the keys by which the renderer caches it.

use std::sync::Arc;

use fusiform_pipelines::roi::listing::Listed;
use fusiform_pipelines::surface::{Hemisphere, Shape, Surface, VertexLabels};
use fusiform_pipelines::volume::{Atlas, Region, Volume};
use fusiform_render::scene::{MeshData, OutlineLayer, RegionColours, VertexData, VolumeData};
use glam::{DVec3, Vec3};

use super::regions::{Names, names_of};
use super::{GreyParts, HemisphereParts};
use crate::bridge::{self, Keys};

/// The maps that can lie over the anatomy.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub enum MapId {
    /// Temporal signal-to-noise of the run.
    Tsnr,
    /// Mean BOLD of the run.
    Mean,
    /// One volume of the run.
    Frame,
    /// Ridge weights: the voxels that drove the decode.
    Drive,
}

impl MapId {
    /// All, in the order of the menu.
    pub const ALL: [Self; 4] = [Self::Tsnr, Self::Mean, Self::Frame, Self::Drive];

    /// Its name for the user.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tsnr => "Temporal SNR",
            Self::Mean => "Mean BOLD",
            Self::Frame => "BOLD, one volume",
            Self::Drive => "Voxels that drove the decode",
        }
    }

    /// Its unit for the user.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Tsnr => "mean / SD",
            Self::Mean | Self::Frame => "scanner units",
            Self::Drive => "weight norm",
        }
    }

    /// What its numbers mean.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Tsnr => {
                "Mean over time divided by standard deviation over time, voxel by voxel: how steady the signal is."
            }
            Self::Mean => "The mean of the run over time, in the scanner's own units.",
            Self::Frame => {
                "The volume that is marked in the time course, in the scanner's own units. Click there, or press Play."
            }
            Self::Drive => {
                "Length (L2 norm) of each voxel's ridge weights, mean over folds: how much the reconstruction listens to it."
            }
        }
    }
}

/// A map over the anatomy.
#[derive(Clone, Debug)]
pub struct OverlayMap {
    /// Which.
    pub id: MapId,
    /// The numbers.
    pub volume: Arc<Volume>,
    /// The same for the renderer.
    pub data: VolumeData,
    /// Where most of its numbers lie.
    pub robust: (f32, f32),
}

impl OverlayMap {
    /// Tells this map's numbers from all others, earlier ones of the same map too.
    pub fn revision(&self) -> u64 {
        (self.data.key.id << 24) | (self.data.key.revision & 0xff_ffff)
    }
}

/// A volume in grey under everything.
#[derive(Clone, Debug)]
pub struct Underlay {
    /// What it is, for the user ("anatomy", "mean BOLD").
    pub name: String,
    /// The numbers.
    pub volume: Arc<Volume>,
    /// The same for the renderer.
    pub data: VolumeData,
    /// The numbers shown black and white.
    pub window: (f32, f32),
    /// The box of what is not air, world mm.
    pub bounds_mm: (DVec3, DVec3),
    /// The outline of what is not air seen along z, y and x.
    pub silhouettes: Option<[OutlineLayer; 3]>,
}

/// An atlas ready to be drawn.
#[derive(Clone, Debug)]
pub struct AtlasData {
    /// Its name.
    pub name: String,
    /// The regions.
    pub atlas: Arc<Atlas>,
    /// Their borders.
    pub outlines: OutlineLayer,
    /// Their names by key.
    pub names: Names,
}

/// A hemisphere ready to be drawn.
#[derive(Clone, Debug)]
pub struct HemisphereData {
    /// Left or right.
    pub hemisphere: Hemisphere,
    /// Its shapes.
    pub shapes: Vec<(Shape, Arc<Surface>, MeshData)>,
    /// The shape before the flat one, with the flat one's triangles: from where the sheet is laid flat.
    pub cut: Option<MeshData>,
    /// Sulcal depth.
    pub sulcal: Option<VertexData>,
    /// Region borders and colours.
    pub outlines: Option<(VertexData, RegionColours)>,
    /// The regions of `outlines` with the key of each vertex.
    pub labels: Option<Arc<VertexLabels>>,
    /// Their names by key.
    pub names: Option<Names>,
}

impl HemisphereData {
    /// The surface and mesh of a shape.
    pub fn shape(&self, shape: Shape) -> Option<(&Arc<Surface>, &MeshData)> {
        self.shapes
            .iter()
            .find(|(s, ..)| *s == shape)
            .map(|(_, surface, mesh)| (surface, mesh))
    }

    /// Where a vertex is in the brain (world mm): half way through the cortex, whatever shape is shown.
    pub fn anatomical_mm(&self, vertex: usize) -> Option<Vec3> {
        let at = |shape| {
            self.shape(shape)
                .and_then(|(s, _)| s.vertices.get(vertex).copied())
        };
        match (at(Shape::White), at(Shape::Pial)) {
            (Some(white), Some(pial)) => Some((white + pial) / 2.0),
            (one, other) => at(Shape::Midthickness).or(one).or(other),
        }
    }

    /// The region of a vertex.
    pub fn region(&self, vertex: usize) -> Option<&Region> {
        let labels = self.labels.as_ref()?;
        let key = *labels.keys.get(vertex)?;
        labels.regions.iter().find(|r| r.key == key && key != 0)
    }
}

/// The current subject, ready to be drawn.
#[derive(Clone, Debug, Default)]
pub struct SubjectData {
    /// Subject id.
    pub id: String,
    /// The structural volume.
    pub anatomy: Option<Underlay>,
    /// The atlas.
    pub atlas: Option<AtlasData>,
    /// The hemispheres.
    pub cortex: Vec<HemisphereData>,
    /// The regions of the atlas and of the hemispheres, as they stand in a list.
    pub regions: Arc<[Listed]>,
}

/// A map on the cortical sheet, ready to be drawn.
#[derive(Clone, Debug)]
pub struct Projected {
    /// Which map.
    pub map: MapId,
    /// The revision of the map it was made from.
    pub revision: u64,
    /// In the order of the subject's hemispheres.
    pub hemispheres: Vec<VertexData>,
}

pub(super) fn underlay(keys: &mut Keys, name: &str, parts: &GreyParts) -> Underlay {
    Underlay {
        name: name.into(),
        data: bridge::volume_data(keys.fresh(), &parts.volume),
        volume: Arc::clone(&parts.volume),
        window: parts.window,
        bounds_mm: parts.bounds_mm,
        silhouettes: parts
            .silhouettes
            .as_ref()
            .map(|flat| flat.each_ref().map(|s| bridge::silhouette(keys.fresh(), s))),
    }
}

pub(super) fn hemisphere_data(keys: &mut Keys, parts: HemisphereParts) -> HemisphereData {
    let shapes: Vec<(Shape, Arc<Surface>, MeshData)> = parts
        .shapes
        .into_iter()
        .map(|(shape, surface)| {
            let mesh = bridge::mesh_data(keys.fresh(), &surface);
            (shape, surface, mesh)
        })
        .collect();
    let of = |shape| shapes.iter().find(|(s, ..)| *s == shape);
    let before = [Shape::Sphere, Shape::Inflated, Shape::Pial, Shape::White];
    let before = before.into_iter().find_map(of);
    let cut = of(Shape::Flat)
        .zip(before)
        .filter(|((_, flat, _), (_, before, _))| flat.vertices.len() == before.vertices.len())
        .map(|((_, flat, _), (_, before, _))| MeshData {
            key: keys.fresh(),
            vertices: Arc::clone(&before.vertices),
            triangles: Arc::clone(&flat.triangles),
        });
    HemisphereData {
        hemisphere: parts.hemisphere,
        cut,
        shapes,
        sulcal: parts
            .sulcal
            .map(|map| bridge::vertex_data(keys.fresh(), &map)),
        outlines: parts
            .labels
            .as_ref()
            .map(|labels| bridge::vertex_outlines(keys.fresh(), labels)),
        names: parts
            .labels
            .as_ref()
            .map(|labels| names_of(&labels.regions)),
        labels: parts.labels,
    }
}
