//! Four views of the cortex with one map.

use std::sync::Arc;

use anyhow::Context;
use fusiform_pipelines::surface::{Hemisphere, Shape};
use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::renderer::Backend;
use fusiform_render::scene::{MeshLayer, Picture, Scene, SurfaceView, VertexData, View};
use glam::Vec3;

use super::{Map, Style, label_with_threshold};
use crate::brain::{Brain, HemisphereShapes};
use crate::bridge::{self, Keys};
use crate::figure::{Align, Bar, Canvas};

/// Lateral and medial views of both hemispheres, with the map's colour bar.
pub fn four_views(
    brain: &Brain,
    map: Option<&Map>,
    style: Style,
    backend: &mut Backend,
) -> anyhow::Result<Picture> {
    if brain.hemispheres.is_empty() {
        anyhow::bail!(
            "there are no cortical surfaces to draw: name a folder that holds some with --surfaces"
        );
    }
    let [width, height] = style.size;
    let letter = height as f32 / 32.0;
    let footer = if map.is_some() {
        (letter * 4.4) as u32
    } else {
        (letter * 0.8) as u32
    };
    let header = (letter * 2.0) as u32;
    let cell = [
        width / brain.hemispheres.len() as u32,
        (height - header - footer) / 2,
    ];
    let mut canvas = Canvas::new(width, height, style.paper);
    let mut keys = Keys::default();

    // One zoom for all views, so that sizes compare.
    let mut layers = Vec::new();
    let mut half_height: f32 = 1.0;
    for hemisphere in &brain.hemispheres {
        let layer = mesh_layer(hemisphere, map, style, &mut keys)?;
        let (low, high) = bounds(&layer.mesh.vertices);
        let extent = high - low;
        let aspect = cell[0] as f32 / cell[1] as f32;
        half_height = half_height
            .max(extent.z / 2.0 * 1.06)
            .max(extent.y / 2.0 / aspect * 1.06);
        layers.push((hemisphere.side, layer, (low + high) / 2.0));
    }
    for (column, (side, layer, centre)) in layers.iter().enumerate() {
        let lateral = if *side == Hemisphere::Left {
            StandardView::Left
        } else {
            StandardView::Right
        };
        let medial = if *side == Hemisphere::Left {
            StandardView::Right
        } else {
            StandardView::Left
        };
        for (row, view) in [lateral, medial].into_iter().enumerate() {
            let scene = Scene {
                background: opaque(style.paper),
                view: View::Surfaces(SurfaceView {
                    solids: Vec::new(),
                    clips: Vec::new(),
                    camera: Camera {
                        target_mm: *centre,
                        rotation: view.rotation(),
                        half_height_mm: half_height,
                        fov_degrees: 0.0,
                    },
                    meshes: vec![layer.clone()],
                    marker: None,
                }),
            };
            let picture = backend.picture(&scene, cell)?;
            canvas.put(
                &picture,
                i64::from(cell[0]) * column as i64,
                i64::from(header + cell[1] * row as u32),
            );
        }
        let name = if *side == Hemisphere::Left {
            "left hemisphere"
        } else {
            "right hemisphere"
        };
        let middle = cell[0] as f32 * (column as f32 + 0.5);
        canvas.text(name, middle, letter * 0.6, letter, Align::Centre, style.ink)?;
    }
    if let Some(map) = map {
        let bar = Bar {
            look: &map.look,
            label: &label_with_threshold(map),
            ink: style.ink,
        };
        canvas.colour_bar(
            &bar,
            width as f32 / 2.0,
            (height - footer) as f32 + letter * 0.2,
            width / 4,
            letter,
        )?;
    }
    Ok(canvas.into_picture())
}

/// One hemisphere in the style's shape (or the nearest there is), with its map and borders.
pub fn mesh_layer(
    hemisphere: &HemisphereShapes,
    map: Option<&Map>,
    style: Style,
    keys: &mut Keys,
) -> anyhow::Result<MeshLayer> {
    let order = [
        style.shape,
        Shape::Inflated,
        Shape::Pial,
        Shape::Midthickness,
        Shape::White,
    ];
    let surface = order
        .into_iter()
        .find_map(|s| hemisphere.shape(s))
        .context("no surface of a kind that can be drawn (white, pial, inflated)")?;
    let overlay = match map {
        Some(map) => {
            let values = hemisphere.project(&map.volume)?;
            Some((bridge::vertex_data(keys.fresh(), &values), map.look.clone()))
        }
        None => None,
    };
    let outlines = hemisphere
        .labels
        .as_ref()
        .filter(|_| style.outlines)
        .map(|labels| bridge::vertex_outlines(keys.fresh(), labels));
    Ok(MeshLayer {
        toward: None,
        sampled: None,
        relief: 1.0,
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
    let (low, high) = meshes.iter().map(|m| bounds(&m.mesh.vertices)).fold(
        (Vec3::INFINITY, Vec3::NEG_INFINITY),
        |(low, high), (l, h)| (low.min(l), high.max(h)),
    );
    let extent = high - low;
    let aspect = size[0] as f32 / size[1] as f32;
    Camera {
        target_mm: (low + high) / 2.0,
        rotation: view.rotation(),
        half_height_mm: (extent.z / 2.0).max(extent.y / 2.0 / aspect) * 1.06,
        fov_degrees: 0.0,
    }
}

fn opaque([r, g, b]: [u8; 3]) -> [u8; 4] {
    [r, g, b, 255]
}

fn bounds(vertices: &[Vec3]) -> (Vec3, Vec3) {
    vertices
        .iter()
        .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), v| {
            (low.min(*v), high.max(*v))
        })
}
