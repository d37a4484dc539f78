//! Views of the cortex with one map: from the sides, from below, from anywhere, and laid flat.

use std::sync::Arc;

use anyhow::Context;
use fusiform_pipelines::surface::{Hemisphere, Shape};
use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::renderer::Backend;
use fusiform_render::scene::{
    MeshLayer, Places, Sampled, Scene, SurfaceView, VertexData, View, VolumeLayer,
};
use glam::{Quat, Vec3};
use serde::{Deserialize, Serialize};

use super::cells::{Cell, Rows, Share, lay_out};
use super::{LETTER_PT, Map, OUTLINE_PT, Sample, Style, TITLE_PT, Values, footer, put_bar};
use crate::brain::{Brain, HemisphereShapes};
use crate::bridge::{self, Keys};
use crate::figure::{Align, Sheet, mesh_outlines};

/// From where the cortex is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Angle {
    /// Each hemisphere from outside.
    Lateral,
    /// Each hemisphere from the midline.
    Medial,
    /// Both from below.
    Ventral,
    /// Both from above.
    Dorsal,
    /// Both from the front.
    Anterior,
    /// Both from behind.
    Posterior,
}

impl Angle {
    fn title(self) -> &'static str {
        match self {
            Self::Lateral => "lateral",
            Self::Medial => "medial",
            Self::Ventral => "ventral",
            Self::Dorsal => "dorsal",
            Self::Anterior => "anterior",
            Self::Posterior => "posterior",
        }
    }

    /// For a view of both hemispheres.
    fn of_both(self) -> Option<StandardView> {
        match self {
            Self::Lateral | Self::Medial => None,
            Self::Ventral => Some(StandardView::Inferior),
            Self::Dorsal => Some(StandardView::Superior),
            Self::Anterior => Some(StandardView::Anterior),
            Self::Posterior => Some(StandardView::Posterior),
        }
    }

    fn of_one(self, side: Hemisphere) -> StandardView {
        match (self == Self::Medial, side) {
            (false, Hemisphere::Left) | (true, Hemisphere::Right) => StandardView::Left,
            (false, Hemisphere::Right) | (true, Hemisphere::Left) => StandardView::Right,
        }
    }
}

/// A view of both hemispheres as somebody turned and zoomed it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FreeCamera {
    /// Turns the world's axes into the camera's (x right, y up, z towards the viewer), as x, y, z, w.
    pub rotation: [f32; 4],
    /// Magnification; 1 shows the cortex whole.
    pub zoom: f32,
}

/// What one cell shows.
struct Shot {
    title: String,
    meshes: Vec<MeshLayer>,
    rotation: Quat,
    zoom: f32,
    /// Whether left and right are marked at its sides.
    marked: bool,
}

/// The cortex from each angle, and from `camera` if there is one, with the map's colour bar.
pub fn cortex(
    brain: &Brain,
    map: Option<&Map>,
    angles: &[Angle],
    camera: Option<FreeCamera>,
    style: Style,
    backend: &mut Backend,
) -> anyhow::Result<Sheet> {
    let mut keys = Keys::default();
    let layers = layers(brain, map, style, &mut keys)?;
    let pair = side_by_side(brain, &layers, style);
    let mut rows: Vec<Vec<Shot>> = Vec::new();
    let mut half_filled = false;
    for angle in angles {
        match angle.of_both() {
            None => {
                let shots = layers.iter().map(|(side, layer)| Shot {
                    title: format!("{} {}", side_name(*side), angle.title()),
                    meshes: vec![layer.clone()],
                    rotation: angle.of_one(*side).rotation(),
                    zoom: 1.0,
                    marked: false,
                });
                rows.push(shots.collect());
                half_filled = false;
            }
            Some(view) => {
                let shot = Shot {
                    title: angle.title().to_owned(),
                    meshes: pair.clone(),
                    rotation: view.rotation(),
                    zoom: 1.0,
                    marked: true,
                };
                match rows.last_mut().filter(|_| half_filled) {
                    Some(row) => row.push(shot),
                    None => rows.push(vec![shot]),
                }
                half_filled = !half_filled;
            }
        }
    }
    if layers.len() == 1 {
        // One hemisphere: its views go side by side.
        let mut shots = rows.into_iter().flatten().peekable();
        rows = Vec::new();
        while shots.peek().is_some() {
            rows.push(shots.by_ref().take(2).collect());
        }
    }
    if let Some(camera) = camera {
        rows.push(vec![Shot {
            title: String::new(),
            meshes: pair.clone(),
            rotation: Quat::from_array(camera.rotation).normalize(),
            zoom: camera.zoom,
            marked: false,
        }]);
    }
    draw(&rows, map, style, backend)
}

/// Both hemispheres cut and laid flat, with the map's colour bar.
pub fn flat_map(
    brain: &Brain,
    map: Option<&Map>,
    style: Style,
    backend: &mut Backend,
) -> anyhow::Result<Sheet> {
    if let Some(lacking) = brain
        .hemispheres
        .iter()
        .find(|h| h.shape(Shape::Flat).is_none())
    {
        anyhow::bail!(
            "there is no flat surface of the {} hemisphere: add one (such as lh.flat.surf.gii) to --surfaces",
            side_name(lacking.side)
        );
    }
    let style = Style {
        shape: Shape::Flat,
        ..style
    };
    let mut keys = Keys::default();
    let layers = layers(brain, map, style, &mut keys)?;
    let row = layers.into_iter().map(|(side, layer)| Shot {
        title: format!("{} hemisphere, flat", side_name(side)),
        meshes: vec![layer],
        rotation: StandardView::Superior.rotation(),
        zoom: 1.0,
        marked: false,
    });
    draw(&[row.collect()], map, style, backend)
}

fn layers(
    brain: &Brain,
    map: Option<&Map>,
    style: Style,
    keys: &mut Keys,
) -> anyhow::Result<Vec<(Hemisphere, MeshLayer)>> {
    if brain.hemispheres.is_empty() {
        anyhow::bail!(
            "there are no cortical surfaces to draw: name a folder that holds some with --surfaces"
        );
    }
    brain
        .hemispheres
        .iter()
        .map(|h| Ok((h.side, mesh_layer(h, map, style, keys)?)))
        .collect()
}

/// All hemispheres, apart from each other where their shapes would overlap.
fn side_by_side(brain: &Brain, layers: &[(Hemisphere, MeshLayer)], style: Style) -> Vec<MeshLayer> {
    let mut meshes: Vec<MeshLayer> = layers.iter().map(|(_, layer)| layer.clone()).collect();
    if let ([left, right], [a, b]) = (brain.hemispheres.as_slice(), meshes.as_mut_slice())
        && let (Some(left), Some(right)) = (drawn_shape(left, style), drawn_shape(right, style))
    {
        (a.offset_mm, b.offset_mm) = bridge::side_by_side(&left.vertices, &right.vertices, 4.0);
    }
    meshes
}

fn draw(
    rows: &[Vec<Shot>],
    map: Option<&Map>,
    style: Style,
    backend: &mut Backend,
) -> anyhow::Result<Sheet> {
    const ROOM: f32 = 1.03;
    let extents: Vec<Vec<(Vec3, Vec3)>> = rows
        .iter()
        .map(|row| {
            row.iter()
                .map(|shot| seen_box(&shot.meshes, shot.rotation))
                .collect()
        })
        .collect();
    let sizes: Vec<Vec<[f32; 2]>> = extents
        .iter()
        .map(|row| {
            let size =
                |(low, high): &(Vec3, Vec3)| [(high.x - low.x) * ROOM, (high.y - low.y) * ROOM];
            row.iter().map(size).collect()
        })
        .collect();
    suit_samples(backend);
    let Rows {
        mut sheet,
        cells,
        pt_per_mm,
    } = lay_out(&sizes, Share::Even, footer(map), &style);
    for ((shots, cells), extents) in rows.iter().zip(&cells).zip(&extents) {
        for ((shot, cell), (low, high)) in shots.iter().zip(cells).zip(extents) {
            let camera = Camera {
                target_mm: shot.rotation.inverse() * ((*low + *high) / 2.0),
                rotation: shot.rotation,
                half_height_mm: cell.size[1] / pt_per_mm / 2.0 / shot.zoom.max(1e-3),
                fov_degrees: 0.0,
            };
            shoot(&mut sheet, *cell, shot, camera, style, backend)?;
        }
    }
    put_bar(&mut sheet, map, &style)?;
    Ok(sheet)
}

/// Four samples a pixel are smooth, for the edges of maps and borders are; sixteen cost software drivers seconds.
fn suit_samples(backend: &mut Backend) {
    if let Backend::Gpu(renderer) = backend
        && renderer.gpu().is_software
    {
        renderer.picture_samples = 4;
    }
}

fn shoot(
    sheet: &mut Sheet,
    cell: Cell,
    shot: &Shot,
    camera: Camera,
    style: Style,
    backend: &mut Backend,
) -> anyhow::Result<()> {
    let mut view = SurfaceView {
        camera,
        meshes: shot.meshes.clone(),
        solids: Vec::new(),
        clips: Vec::new(),
        marker: None,
    };
    let pixels = cell.pixels(sheet);
    let inset_px = OUTLINE_PT / 2.0 * sheet.dpi / 72.0;
    let regions = mesh_outlines(&view, pixels, inset_px);
    for mesh in &mut view.meshes {
        mesh.outlines.clear();
    }
    let scene = Scene {
        background: style.opaque_paper(),
        view: View::Surfaces(view),
    };
    sheet.picture(backend.picture(&scene, pixels)?, cell.corner);
    sheet.regions(regions, cell.corner, OUTLINE_PT);
    sheet.text(
        &shot.title,
        cell.title(),
        TITLE_PT,
        Align::Centre,
        style.ink,
    );
    if shot.marked {
        let rightwards = (camera.rotation * Vec3::X).x > 0.0;
        let (near, far) = if rightwards { ("L", "R") } else { ("R", "L") };
        // In the upper corners of the brain's box, which is round there.
        let (low, high) = seen_box(&shot.meshes, shot.rotation);
        let pt_per_mm = cell.size[1] / (2.0 * camera.half_height_mm);
        let half = [high.x - low.x, high.y - low.y].map(|mm| mm / 2.0 * pt_per_mm);
        let [x, y] = cell.middle();
        let top = y - half[1] + LETTER_PT;
        let ink = style.ink;
        sheet.text(near, [x - half[0], top], LETTER_PT, Align::Left, ink);
        sheet.text(far, [x + half[0], top], LETTER_PT, Align::Right, ink);
    }
    Ok(())
}

/// The box around meshes in the camera's axes, mm.
fn seen_box(meshes: &[MeshLayer], rotation: Quat) -> (Vec3, Vec3) {
    let none = (Vec3::INFINITY, Vec3::NEG_INFINITY);
    let (low, high) = meshes
        .iter()
        .flat_map(|m| m.mesh.vertices.iter().map(|v| *v + m.offset_mm))
        .filter(|v| v.is_finite())
        .map(|v| rotation * v)
        .fold(none, |(low, high), v| (low.min(v), high.max(v)));
    if low.x > high.x {
        return (Vec3::NEG_ONE, Vec3::ONE);
    }
    (low, high)
}

/// The style's shape, or the nearest there is.
fn drawn_shape(
    hemisphere: &HemisphereShapes,
    style: Style,
) -> Option<&Arc<fusiform_pipelines::surface::Surface>> {
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
                    let mut places = |surface: &fusiform_pipelines::surface::Surface| Places {
                        key: keys.fresh(),
                        vertices: Arc::clone(&surface.vertices),
                    };
                    sampled = Some(Sampled {
                        inner: places(white),
                        outer: places(pial),
                        layer: VolumeLayer {
                            volume: bridge::volume_data(keys.fresh(), volume),
                            linear: true,
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

fn side_name(side: Hemisphere) -> &'static str {
    match side {
        Hemisphere::Left => "left",
        Hemisphere::Right => "right",
    }
}
