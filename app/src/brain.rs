//! A subject's still parts, loaded: what figures show.

use std::sync::Arc;

use fusiform_pipelines::Run;
use fusiform_pipelines::project;
use fusiform_pipelines::study::{CorticalSurface, Load, Source, Subject};
use fusiform_pipelines::surface::{Hemisphere, Shape, Surface, VertexLabels, VertexMap};
use fusiform_pipelines::volume::{Atlas, Volume};

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
}

impl HemisphereShapes {
    fn load(files: &CorticalSurface, run: &Run<'_>) -> anyhow::Result<Self> {
        let mut shapes = Vec::new();
        for (shape, source) in &files.shapes {
            shapes.push((*shape, source.load(run)?));
        }
        Ok(Self {
            side: files.hemisphere,
            shapes,
            sulcal: load_optional(files.sulcal.as_ref(), run)?,
            labels: load_optional(files.labels.as_ref(), run)?,
        })
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

fn load_optional<T: Load>(
    source: Option<&Source<T>>,
    run: &Run<'_>,
) -> anyhow::Result<Option<Arc<T>>> {
    Ok(source.map(|s| s.load(run)).transpose()?)
}
