//! The features of the basket, where they are: rings on slices and on the cortex.

use fusiform_pipelines::select::FeatureRef;
use fusiform_pipelines::surface::Shape;
use glam::DVec3;

use crate::session::{HemisphereData, NEAR_CORTEX_MM};

/// A feature of the basket.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// What it is.
    pub feature: FeatureRef,
    /// Its column; none when the features at hand are of another kind.
    pub column: Option<usize>,
    /// Where it is, world mm.
    pub world_mm: Option<DVec3>,
    /// Where it is on the cortex.
    pub on_cortex: Option<OnCortex>,
}

/// A place on the cortex.
#[derive(Clone, Debug, PartialEq)]
pub struct OnCortex {
    /// Which of the subject's hemispheres.
    pub hemisphere: usize,
    /// The vertex.
    pub vertex: usize,
    /// The triangles around it, from which its normal follows whatever shape is shown.
    pub triangles: Vec<[u32; 3]>,
}

/// The vertex of the cortex that a feature is nearest to.
pub(super) fn on_cortex(
    feature: &FeatureRef,
    world_mm: Option<DVec3>,
    cortex: &[HemisphereData],
) -> Option<OnCortex> {
    let (hemisphere, vertex) = match feature {
        FeatureRef::Vertex { hemisphere, index } => {
            let place = cortex.iter().position(|h| h.hemisphere == *hemisphere)?;
            (place, *index)
        }
        _ => nearest(world_mm?, cortex)?,
    };
    let shapes = &cortex.get(hemisphere)?.shapes;
    let (_, surface, _) = shapes
        .iter()
        .find(|(shape, ..)| *shape != Shape::Flat)
        .or(shapes.first())?;
    let touches = |t: &&[u32; 3]| t.iter().any(|&v| v as usize == vertex);
    Some(OnCortex {
        hemisphere,
        vertex,
        triangles: surface.triangles.iter().filter(touches).copied().collect(),
    })
}

fn nearest(world_mm: DVec3, cortex: &[HemisphereData]) -> Option<(usize, usize)> {
    let at = world_mm.as_vec3();
    let mut best = (NEAR_CORTEX_MM * NEAR_CORTEX_MM, None);
    for (place, hemisphere) in cortex.iter().enumerate() {
        let n = hemisphere.shapes.first().map_or(0, |s| s.1.vertices.len());
        for vertex in 0..n {
            let Some(there) = hemisphere.anatomical_mm(vertex) else {
                break;
            };
            let distance = there.distance_squared(at);
            if distance < best.0 {
                best = (distance, Some((place, vertex)));
            }
        }
    }
    best.1
}
