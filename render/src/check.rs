//! What a scene must fulfil before it is drawn; both renderers ask here, so both refuse alike.

use crate::gpu::RenderError;
use crate::scene::{
    ClipPlane, MeshLayer, Scene, SliceView, SurfaceView, View, VolumeData, VolumeLayer,
};
use crate::solid::MOST_CLIPS;

/// The largest picture side either renderer accepts, pixels.
const MAX_SIDE: u32 = 16384;

/// Sizes, shapes and lengths; not the triangles' indices, which are checked once at upload.
pub(crate) fn scene(scene: &Scene, size: [u32; 2]) -> Result<(), RenderError> {
    if size.contains(&0) || size[0] > MAX_SIDE || size[1] > MAX_SIDE {
        return Err(RenderError::Scene(format!(
            "a picture of {} × {} pixels cannot be drawn: each side must be 1 to {MAX_SIDE}",
            size[0], size[1]
        )));
    }
    match &scene.view {
        View::Slice(view) => slice(view),
        View::Surfaces(view) => surfaces(view),
    }
}

fn slice(view: &SliceView) -> Result<(), RenderError> {
    if !(view.mm_per_pixel.is_finite() && view.mm_per_pixel > 0.0 && view.centre_mm.is_finite()) {
        return Err(RenderError::Scene(format!(
            "a slice needs a finite centre and a positive zoom; it has {} and {} mm a pixel",
            view.centre_mm, view.mm_per_pixel
        )));
    }
    if view.slab_mm.is_some_and(f32::is_nan) {
        return Err(RenderError::Scene("a slab needs a thickness".into()));
    }
    view.layers.iter().try_for_each(volume_layer)?;
    let outlines = view.outlines.iter();
    outlines.map(|o| &o.labels).try_for_each(volume)
}

fn volume_layer(layer: &VolumeLayer) -> Result<(), RenderError> {
    volume(&layer.volume)?;
    let modulation = layer.modulation.as_ref();
    modulation.map_or(Ok(()), |modulation| volume(&modulation.volume))
}

fn volume(volume: &VolumeData) -> Result<(), RenderError> {
    let [i, j, k] = volume.shape;
    let n_voxels = i.checked_mul(j).and_then(|ij| ij.checked_mul(k));
    if n_voxels != Some(volume.data.len())
        || volume.data.is_empty()
        || volume.shape.iter().any(|&n| n > 1 << 20)
    {
        return Err(RenderError::Scene(format!(
            "a volume of {i} × {j} × {k} voxels comes with {} numbers",
            volume.data.len()
        )));
    }
    let determinant = volume.world_from_voxel.as_daffine3().matrix3.determinant();
    if !(volume.world_from_voxel.is_finite() && determinant.abs() > 1e-12) {
        return Err(RenderError::Scene(
            "the volume's affine cannot be inverted, so its voxels have no place in the world"
                .into(),
        ));
    }
    Ok(())
}

fn surfaces(view: &SurfaceView) -> Result<(), RenderError> {
    let camera = &view.camera;
    if !(camera.target_mm.is_finite()
        && camera.rotation.is_finite()
        && camera.half_height_mm.is_finite())
    {
        return Err(RenderError::Scene(
            "the camera's position is not finite".into(),
        ));
    }
    if view.clips.len() > MOST_CLIPS {
        return Err(RenderError::Scene(format!(
            "{} cuts at once: at most {MOST_CLIPS} can be drawn",
            view.clips.len()
        )));
    }
    let whole = |clip: &ClipPlane| clip.normal.is_finite() && clip.distance_mm.is_finite();
    if !view.clips.iter().all(whole) {
        return Err(RenderError::Scene("a cut is not finite".into()));
    }
    view.solids
        .iter()
        .try_for_each(|solid| volume_layer(&solid.layer))?;
    view.meshes.iter().try_for_each(mesh_layer)
}

fn mesh_layer(layer: &MeshLayer) -> Result<(), RenderError> {
    let n_vertices = layer.mesh.vertices.len();
    let maps = [
        ("sulcal map", layer.sulcal.as_ref()),
        ("overlay", layer.overlay.as_ref().map(|(data, _)| data)),
    ];
    let regions = layer
        .outlines
        .iter()
        .map(|(data, _)| ("region map", Some(data)));
    for (what, data) in maps.into_iter().chain(regions) {
        let n_values = data.map_or(n_vertices, |data| data.values.len());
        if n_values != n_vertices {
            return Err(RenderError::Scene(format!(
                "the {what} has {n_values} values but the mesh has {n_vertices} vertices: choose a file made for this \
                 mesh"
            )));
        }
    }
    let sampled = layer.sampled.as_ref();
    let shapes = [
        (
            "other shape",
            layer.toward.as_ref().map(|(places, _)| places),
        ),
        ("inner surface", sampled.map(|sampled| &sampled.inner)),
        ("outer surface", sampled.map(|sampled| &sampled.outer)),
    ];
    for (what, places) in shapes {
        let n_places = places.map_or(n_vertices, |places| places.vertices.len());
        if n_places != n_vertices {
            return Err(RenderError::Scene(format!(
                "the {what} has {n_places} vertices but the mesh has {n_vertices}: choose surfaces of one subject"
            )));
        }
    }
    sampled.map_or(Ok(()), |sampled| volume_layer(&sampled.layer))
}

/// Every triangle must name vertices that exist.
pub(crate) fn triangles(layer: &MeshLayer) -> Result<(), RenderError> {
    let n_vertices = layer.mesh.vertices.len();
    match layer
        .mesh
        .triangles
        .iter()
        .flatten()
        .find(|&&v| v as usize >= n_vertices)
    {
        Some(v) => Err(RenderError::Scene(format!(
            "a triangle names vertex {v} of a mesh of {n_vertices} vertices"
        ))),
        None => Ok(()),
    }
}
