//! A subject's still parts, loaded: what figures show.

use std::path::PathBuf;
use std::sync::Arc;

use fusiform_pipelines::Run;
use fusiform_pipelines::project;
use fusiform_pipelines::study::{CorticalSurface, Load, Source, Subject};
use fusiform_pipelines::surface::{Hemisphere, Shape, Surface, VertexLabels, VertexMap};
use fusiform_pipelines::volume::{Atlas, Volume};

use crate::session::{HemisphereData, Session};

/// The parts of a subject that figures show.
#[derive(Debug, Default)]
pub struct Brain {
    /// A structural volume.
    pub anatomy: Option<Arc<Volume>>,
    /// Region borders.
    pub atlas: Option<Arc<Atlas>>,
    /// The hemispheres, left first.
    pub hemispheres: Vec<HemisphereShapes>,
}

/// One hemisphere, loaded.
#[derive(Debug)]
pub struct HemisphereShapes {
    /// Left or right.
    pub side: Hemisphere,
    /// Every shape there is.
    pub shapes: Vec<(Shape, Arc<Surface>)>,
    /// Positive in sulci.
    pub sulcal: Option<Arc<VertexMap>>,
    /// A parcellation.
    pub labels: Option<Arc<VertexLabels>>,
    /// The file of its first shape; nothing for surfaces made by the program.
    pub file: Option<PathBuf>,
}

impl HemisphereShapes {
    fn load(files: &CorticalSurface, run: &Run<'_>) -> anyhow::Result<Self> {
        let mut shapes = Vec::new();
        for (shape, source) in &files.shapes {
            shapes.push((*shape, source.load(run)?));
        }
        let mut sulcal = load_optional(files.sulcal.as_ref(), run)?;
        if sulcal.is_none() {
            let of_sulci = |name: &str| name.to_lowercase().contains("sulc");
            let named = files.maps.iter().find(|map| of_sulci(&map.name));
            sulcal = load_optional(named.map(|map| &map.source), run)?
                .map(|map| Arc::new(positive_in_sulci(&map, &shapes)));
        }
        Ok(Self {
            side: files.hemisphere,
            file: files
                .shapes
                .iter()
                .find_map(|(_, source)| source.path().map(PathBuf::from)),
            shapes,
            sulcal,
            labels: load_optional(files.labels.as_ref(), run)?,
        })
    }

    /// Vertices of every shape.
    pub fn n_vertices(&self) -> usize {
        self.shapes
            .first()
            .map_or(0, |(_, surface)| surface.vertices.len())
    }

    /// The surface of a shape.
    pub fn shape(&self, shape: Shape) -> Option<&Arc<Surface>> {
        self.shapes
            .iter()
            .find(|(s, _)| *s == shape)
            .map(|(_, surface)| surface)
    }

    /// A volume on this sheet, averaged from white to pial (or at the one anatomical surface there is).
    pub fn project(&self, volume: &Volume) -> anyhow::Result<VertexMap> {
        let inner = [Shape::White, Shape::Midthickness, Shape::Pial];
        let outer = [Shape::Pial, Shape::Midthickness, Shape::White];
        let first = |order: [Shape; 3]| order.into_iter().find_map(|s| self.shape(s));
        let (Some(white), Some(pial)) = (first(inner), first(outer)) else {
            anyhow::bail!(
                "no white or pial surface to sample the map at: add one beside the others"
            );
        };
        Ok(project::between(volume, white, pial, 5)?)
    }
}

impl Brain {
    /// What the window has open, for files to be held against.
    pub fn open_in(session: &Session) -> Self {
        let hemisphere = |h: &HemisphereData| HemisphereShapes {
            side: h.hemisphere,
            shapes: h
                .shapes
                .iter()
                .map(|(shape, surface, _)| (*shape, Arc::clone(surface)))
                .collect(),
            sulcal: None,
            labels: h.labels.clone(),
            file: h.file.clone(),
        };
        let subject = &session.subject;
        Self {
            anatomy: subject.anatomy.as_ref().map(|a| Arc::clone(&a.volume)),
            atlas: subject.atlas.as_ref().map(|a| Arc::clone(&a.atlas)),
            hemispheres: subject.cortex.iter().map(hemisphere).collect(),
        }
    }

    /// Loads what a subject has.
    pub fn load(subject: &Subject, run: &Run<'_>) -> anyhow::Result<Self> {
        let mut hemispheres = Vec::new();
        for files in &subject.surfaces {
            hemispheres.push(HemisphereShapes::load(files, run)?);
        }
        hemispheres.sort_by_key(|h| h.side);
        Ok(Self {
            anatomy: load_optional(subject.anatomy.as_ref(), run)?,
            atlas: load_optional(subject.atlases.first().map(|a| &a.source), run)?,
            hemispheres,
        })
    }
}

/// Sulcal depth with the sign of FreeSurfer. The HCP's is turned round: positive on gyri, which lie farther out.
fn positive_in_sulci(map: &VertexMap, shapes: &[(Shape, Arc<Surface>)]) -> VertexMap {
    let folded = [Shape::Midthickness, Shape::White, Shape::Pial];
    let surface = folded
        .into_iter()
        .find_map(|wanted| shapes.iter().find(|(shape, _)| *shape == wanted));
    let agrees = surface.is_none_or(|(_, surface)| {
        let n = surface.vertices.len().max(1) as f32;
        let middle = surface.vertices.iter().sum::<glam::Vec3>() / n;
        let pairs = surface.vertices.iter().zip(map.values.iter());
        let known = pairs.filter(|(_, depth)| depth.is_finite());
        let (mut out, mut in_, mut n_out, mut n_in) = (0.0, 0.0, 0.0f32, 0.0f32);
        for (vertex, depth) in known {
            let radius = vertex.distance(middle);
            if *depth > 0.0 {
                (in_, n_in) = (in_ + radius, n_in + 1.0);
            } else {
                (out, n_out) = (out + radius, n_out + 1.0);
            }
        }
        in_ / n_in.max(1.0) <= out / n_out.max(1.0)
    });
    VertexMap {
        name: map.name.clone(),
        values: if agrees {
            Arc::clone(&map.values)
        } else {
            map.values.iter().map(|v| -v).collect()
        },
    }
}

fn load_optional<T: Load>(
    source: Option<&Source<T>>,
    run: &Run<'_>,
) -> anyhow::Result<Option<Arc<T>>> {
    Ok(source.map(|s| s.load(run)).transpose()?)
}
