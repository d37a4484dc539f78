//! Views of the cortex with one map: from the sides, from below, from anywhere, and laid flat.

mod layer;
mod shot;

use fusiform_pipelines::surface::{Hemisphere, Shape};
use fusiform_render::camera::StandardView;
use fusiform_render::renderer::Backend;
use fusiform_render::scene::MeshLayer;
use glam::Quat;
use serde::{Deserialize, Serialize};

use super::{Map, Style};
use crate::brain::Brain;
use crate::bridge::{self, Keys};
use crate::figure::Sheet;
use layer::drawn_shape;
pub use layer::{camera_on, mesh_layer};
use shot::{Shot, draw};

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
    let sides: Vec<Hemisphere> = layers.iter().map(|(side, _)| *side).collect();
    let mut rows: Vec<Vec<Shot>> = Vec::new();
    let mut half_filled = false;
    for angle in angles {
        match angle.of_both() {
            None => {
                let shots = layers.iter().map(|(side, layer)| Shot {
                    title: format!("{} {}", side_name(*side), angle.title()),
                    meshes: vec![layer.clone()],
                    sides: vec![*side],
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
                    sides: sides.clone(),
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
            sides: sides.clone(),
            rotation: Quat::from_array(camera.rotation).normalize(),
            zoom: camera.zoom,
            marked: false,
        }]);
    }
    draw(brain, &rows, map, style, backend)
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
        sides: vec![side],
        rotation: StandardView::Superior.rotation(),
        zoom: 1.0,
        marked: false,
    });
    draw(brain, &[row.collect()], map, style, backend)
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

fn side_name(side: Hemisphere) -> &'static str {
    match side {
        Hemisphere::Left => "left",
        Hemisphere::Right => "right",
    }
}
