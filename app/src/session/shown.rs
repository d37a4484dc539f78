//! Values ready to be drawn: each with the keys by which the renderer caches it.

use std::path::PathBuf;
use std::sync::Arc;

use fusiform_pipelines::roi::listing::Listed;
use fusiform_pipelines::surface::{Hemisphere, Shape, Surface, VertexLabels};
use fusiform_pipelines::volume::{Atlas, Region, Volume};
use fusiform_render::scene::{MeshData, OutlineLayer, RegionColours, VertexData, VolumeData};
use glam::{DVec3, Vec3};

use super::regions::Names;
use super::{GreyParts, HemisphereParts, MapId};
use crate::bridge::{self, Keys};

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
    /// The file of its first shape; nothing for surfaces made by the program.
    pub file: Option<PathBuf>,
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
    HemisphereData {
        hemisphere: parts.hemisphere,
        cut: cut(keys, &shapes),
        shapes,
        file: parts.file,
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
            .map(|labels| Names::of(&labels.regions)),
        labels: parts.labels,
    }
}

/// The shape before the flat one, with the flat one's triangles.
pub(super) fn cut(keys: &mut Keys, shapes: &[(Shape, Arc<Surface>, MeshData)]) -> Option<MeshData> {
    let of = |shape| shapes.iter().find(|(s, ..)| *s == shape);
    let before = [Shape::Sphere, Shape::Inflated, Shape::Pial, Shape::White];
    let ((_, flat, _), (_, before, _)) = of(Shape::Flat).zip(before.into_iter().find_map(of))?;
    (flat.vertices.len() == before.vertices.len()).then(|| MeshData {
        key: keys.fresh(),
        vertices: Arc::clone(&before.vertices),
        triangles: Arc::clone(&flat.triangles),
    })
}
