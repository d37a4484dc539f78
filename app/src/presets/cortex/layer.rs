//! One hemisphere as the figures show it: its shape, the map on it, the borders of its regions.

use std::sync::Arc;

use anyhow::Context;
use fusiform_pipelines::surface::{Shape, Surface};
use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::scene::{MeshLayer, Places, Sampled, VertexData, VolumeLayer};
use glam::Vec3;

use super::super::{Map, Sample, Style, Values};
use crate::brain::HemisphereShapes;
use crate::bridge::{self, Keys};

/// The style's shape, or the nearest there is.
pub(super) fn drawn_shape(hemisphere: &HemisphereShapes, style: Style) -> Option<&Arc<Surface>> {
    let order = [
        style.shape,
        Shape::Inflated,
        Shape::Pial,
        Shape::Midthickness,
        Shape::White,
    ];
    order.into_iter().find_map(|s| hemisphere.shape(s))
}

/// One hemisphere in the style's shape (or the nearest there is), with its map and borders.
pub fn mesh_layer(
    hemisphere: &HemisphereShapes,
    map: Option<&Map>,
    style: Style,
    keys: &mut Keys,
) -> anyhow::Result<MeshLayer> {
    let surface = drawn_shape(hemisphere, style)
        .context("no surface of a kind that can be drawn (white, pial, inflated)")?;
    let mut sampled = None;
    let mut overlay = None;
    if let Some(map) = map {
        match &map.values {
            Values::Volume(volume) => {
                let ends = (
                    hemisphere.shape(Shape::White),
                    hemisphere.shape(Shape::Pial),
                );
                if let (Sample::Pixel, (Some(white), Some(pial))) = (style.sample, ends) {
                    let mut places = |surface: &Surface| Places {
                        key: keys.fresh(),
                        vertices: Arc::clone(&surface.vertices),
                    };
                    sampled = Some(Sampled {
                        inner: places(white),
                        outer: places(pial),
                        layer: VolumeLayer {
                            volume: bridge::volume_data(keys.fresh(), volume),
                            linear: map.flows(),
                            look: map.look.clone(),
                            modulation: None,
                        },
                        depth: (0.0, 1.0),
                        n_layers: 5,
                    });
                } else {
                    let values = hemisphere.project(volume)?;
                    let data = bridge::vertex_data(keys.fresh(), &values);
                    overlay = Some((data, map.look.clone()));
                }
            }
            Values::Sheet(sides) => {
                let values = sides.iter().find(|(side, _)| *side == hemisphere.side);
                overlay = values.map(|(_, values)| {
                    let data = VertexData {
                        key: keys.fresh(),
                        values: Arc::clone(values),
                    };
                    (data, map.look.clone())
                });
            }
        }
    }
    let outlines: Vec<_> = hemisphere
        .labels
        .as_ref()
        .filter(|_| style.outlines)
        .map(|labels| bridge::vertex_outlines(keys.fresh(), labels))
        .into_iter()
        .collect();
    Ok(MeshLayer {
        toward: None,
        sampled,
        relief: if style.shape == Shape::Flat { 0.0 } else { 1.0 },
        coarse: false,
        mesh: bridge::mesh_data(keys.fresh(), surface),
        offset_mm: Vec3::ZERO,
        sulcal: hemisphere.sulcal.as_ref().map(|map| VertexData {
            key: keys.fresh(),
            values: Arc::clone(&map.values),
        }),
        overlay,
        outlines,
        opacity: 1.0,
    })
}

/// An orthographic camera that has all meshes in the picture.
pub fn camera_on(meshes: &[MeshLayer], view: StandardView, size: [u32; 2]) -> Camera {
    let bounds = fusiform_render::scene::bounds(meshes).unwrap_or((Vec3::NEG_ONE, Vec3::ONE));
    Camera::fit(bounds, view, size[0] as f32 / size[1] as f32)
}
