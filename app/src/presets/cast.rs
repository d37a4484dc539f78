//! A volume cut open: rays through the anatomy and the map, three cuts through one point.

use anyhow::Context;
use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::colormap::Colormap;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::{
    Cast, ClipPlane, Look, Plane, Scene, SolidLayer, SurfaceView, View, VolumeLayer,
};
use glam::Vec3;

use super::cells::{Rows, Share, lay_out};
use super::slices::{Stack, peak, percentile, position_text};
use super::{Map, Style, TITLE_PT, footer, put_bar};
use crate::brain::Brain;
use crate::bridge::{self, Keys};
use crate::figure::{Align, Sheet};

/// The anatomy as a solid, cut at `at_mm` (default: the map's peak, else the middle) and seen from above, behind and the
/// left.
pub fn cut_open(
    brain: &Brain,
    map: Option<&Map>,
    at_mm: Option<Vec3>,
    style: Style,
    backend: &mut Backend,
) -> anyhow::Result<Sheet> {
    let anatomy = brain
        .anatomy
        .as_deref()
        .context("there is no anatomy to look into: name one with --anatomy")?;
    let stack = Stack::of(brain, map, style)?;
    let volume = map.and_then(Map::volume);
    let at = at_mm.unwrap_or_else(|| volume.map_or_else(|| stack.middle(), peak));
    let mut keys = Keys::default();
    let top = percentile(anatomy, 0.995);
    let solid = |volume, look: Look| SolidLayer {
        layer: VolumeLayer {
            volume,
            linear: look.colormap.n_classes().is_none(),
            look,
            modulation: None,
        },
        cast: Cast::Shaded,
        step_voxels: 1.0,
    };
    let mut solids = vec![solid(
        bridge::volume_data(keys.fresh(), anatomy),
        Look {
            soft: false,
            colormap: Colormap::Grey,
            range: (0.0, top),
            threshold: 0.15 * top,
            two_sided: false,
            opacity: 0.35,
        },
    )];
    if let (Some(map), Some(volume)) = (map, volume) {
        let look = Look {
            opacity: 0.9,
            ..map.look.clone()
        };
        solids.push(solid(bridge::volume_data(keys.fresh(), volume), look));
    }
    let shots = [
        (Plane::Axial, StandardView::Superior, Vec3::Z),
        (Plane::Coronal, StandardView::Posterior, Vec3::NEG_Y),
        (Plane::Sagittal, StandardView::Left, Vec3::NEG_X),
    ];
    let sizes = vec![shots.map(|(plane, ..)| stack.extent_mm(plane)).to_vec()];
    let Rows {
        mut sheet,
        cells,
        pt_per_mm,
    } = lay_out(&sizes, Share::Tight, footer(map), &style);
    for (cell, (plane, view, normal)) in cells.iter().flatten().zip(shots) {
        let scene = Scene {
            background: style.opaque_paper(),
            view: View::Surfaces(SurfaceView {
                camera: Camera {
                    target_mm: stack.middle(),
                    rotation: view.rotation(),
                    half_height_mm: cell.size[1] / pt_per_mm / 2.0,
                    fov_degrees: 0.0,
                },
                meshes: Vec::new(),
                solids: solids.clone(),
                clips: vec![ClipPlane {
                    normal,
                    distance_mm: normal.dot(at),
                }],
                marker: None,
            }),
        };
        let pixels = cell.pixels(&sheet);
        sheet.picture(backend.picture(&scene, pixels)?, cell.corner);
        let title = format!("cut at {}", position_text(plane, at));
        sheet.text(&title, cell.title(), TITLE_PT, Align::Centre, style.ink);
        super::slices::letters_in(&mut sheet, *cell, plane, false, style.ink);
    }
    put_bar(&mut sheet, map, &style)?;
    Ok(sheet)
}
