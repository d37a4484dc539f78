//! A glass brain: the largest number on the way through the whole volume, within the brain's outline.

use anyhow::Context;
use fusiform_pipelines::surface::Shape;
use fusiform_render::camera::Camera;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::{MeshLayer, Plane, Scene, SliceView, View, VolumeLayer};
use glam::{Mat3, Quat, Vec3};

use super::cells::{Rows, Share, lay_out};
use super::slices::{filled_box, letters_in, percentile};
use super::{Map, Style, TITLE_PT, footer, put_bar};
use crate::brain::Brain;
use crate::bridge::{self, Keys};
use crate::compose::silhouette::{self as shadow, AIR};
use crate::figure::{Align, Drawn, box_line, silhouette, slice_outlines};

/// Views along the three axes of the whole map, with the outline of the cortex, or else of the anatomy, where there is one.
pub fn glass_brain(
    brain: &Brain,
    map: Option<&Map>,
    style: Style,
    backend: &mut Backend,
) -> anyhow::Result<crate::figure::Sheet> {
    let map = map.context("a glass brain shows a map: name a volume with --map")?;
    let volume = map.volume().context(
        "a glass brain shows a volume, and this map is on vertices: name a NIfTI file with --map",
    )?;
    let mut keys = Keys::default();
    let layer = VolumeLayer {
        modulation: None,
        volume: bridge::volume_data(keys.fresh(), volume),
        linear: map.flows(),
        look: map.look.clone(),
    };
    let meshes = sheets(brain, &mut keys);
    let anatomy = brain.anatomy.as_deref().filter(|_| meshes.is_empty());
    let bounds = match (fusiform_render::scene::bounds(&meshes), anatomy) {
        (Some((low, high)), _) => (low - 3.0, high + 3.0),
        (None, Some(anatomy)) => filled_box(anatomy),
        (None, None) => layer.volume.bounds_mm(),
    };
    let shadows = anatomy.map(|anatomy| {
        let air = AIR * percentile(anatomy, 0.995);
        let [axial, coronal, sagittal] =
            shadow::of(anatomy, air, (bounds.0.as_dvec3(), bounds.1.as_dvec3()));
        [sagittal, coronal, axial].map(|shadow| bridge::silhouette(keys.fresh(), &shadow))
    });
    let extent = bounds.1 - bounds.0;
    let planes = [
        (Plane::Sagittal, "from the left", [extent.y, extent.z]),
        (Plane::Coronal, "from behind", [extent.x, extent.z]),
        (Plane::Axial, "from above", [extent.x, extent.y]),
    ];
    let sizes = vec![planes.iter().map(|(_, _, mm)| *mm).collect()];
    let Rows {
        mut sheet,
        cells,
        pt_per_mm,
    } = lay_out(&sizes, Share::Tight, footer(Some(map)), &style);
    for (n, (cell, (plane, title, _))) in cells.iter().flatten().zip(planes).enumerate() {
        let pixels = cell.pixels(&sheet);
        let view = SliceView {
            plane,
            centre_mm: (bounds.0 + bounds.1) / 2.0,
            mm_per_pixel: 72.0 / sheet.dpi / pt_per_mm,
            radiological: style.radiological,
            nose_right: false,
            slab_mm: Some(f32::INFINITY),
            layers: vec![layer.clone()],
            outlines: Vec::new(),
            crosshair: None,
        };
        let camera = camera_of(&view, pixels);
        let flat = SliceView {
            slab_mm: None,
            ..view.clone()
        };
        let scene = Scene {
            background: style.opaque_paper(),
            view: View::Slice(view),
        };
        sheet.picture(backend.picture(&scene, pixels)?, cell.corner);
        let grey = [0, 1, 2].map(|c| style.ink[c] / 2 + style.paper[c] / 2);
        // Each hemisphere alone: the midline shows from the front and from above.
        let together = if plane == Plane::Sagittal { 2 } else { 1 };
        let lines: Vec<Vec<[f32; 2]>> = meshes
            .chunks(together)
            .flat_map(|meshes| silhouette(meshes, &camera, pixels))
            .chain(shadows.iter().flat_map(|shadows| {
                let drawn = slice_outlines(&flat, &shadows[n], pixels, 0.0);
                drawn.into_iter().flat_map(|drawn| drawn.lines)
            }))
            .collect();
        if lines.is_empty() {
            sheet.stroke(vec![box_line(cell.corner, cell.size)], true, grey, 0.5);
        }
        let outline = Drawn {
            colour: grey,
            lines,
        };
        sheet.regions(vec![outline], cell.corner, 0.7);
        sheet.text(title, cell.title(), TITLE_PT, Align::Centre, style.ink);
        letters_in(&mut sheet, *cell, plane, style.radiological, style.ink);
    }
    put_bar(&mut sheet, Some(map), &style)?;
    Ok(sheet)
}

/// The camera that sees what a slice's view shows.
fn camera_of(view: &SliceView, pixels: [u32; 2]) -> Camera {
    let (right, down) = view.axes();
    let up = -down;
    // A mirrored view (radiological) is seen from the other side: outlines are the same.
    let back = right.cross(up);
    Camera {
        target_mm: view.centre_mm,
        rotation: Quat::from_mat3(&Mat3::from_cols(right, up, back).transpose()),
        half_height_mm: view.mm_per_pixel * pixels[1] as f32 / 2.0,
        fov_degrees: 0.0,
    }
}

/// The outermost anatomical surfaces.
fn sheets(brain: &Brain, keys: &mut Keys) -> Vec<MeshLayer> {
    let order = [Shape::Pial, Shape::Midthickness, Shape::White];
    let surfaces = brain
        .hemispheres
        .iter()
        .filter_map(|h| order.into_iter().find_map(|s| h.shape(s)));
    surfaces
        .map(|surface| MeshLayer {
            mesh: bridge::mesh_data(keys.fresh(), surface),
            toward: None,
            offset_mm: Vec3::ZERO,
            sulcal: None,
            overlay: None,
            sampled: None,
            outlines: Vec::new(),
            opacity: 1.0,
            relief: 1.0,
            coarse: false,
        })
        .collect()
}
