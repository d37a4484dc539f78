//! The cortical sheet in any shape, what is painted on it, and what is looked into.

mod between;
mod inside;

use fusiform_pipelines::surface::{Hemisphere, Shape};
use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::scene::{
    Look, MeshData, MeshLayer, Places, Sampled, Scene, SurfaceView, VertexData, View as Picture,
};
use glam::{Quat, Vec3};

use super::{Paint, maps, topmost_on_grid, volume_layer};
use crate::layout::{Halves, View};
use crate::session::{HemisphereData, NEAR_CORTEX_MM, OverlayMap, Session};
pub use between::STOPS;
use between::{Between, between, offsets, reach};
pub use inside::can_look_inside;
use inside::{clips, solids};

/// Radius of the marker at the crosshair, mm.
const MARKER_MM: f32 = 2.2;
/// A scene of the cortex, and where its parts are.
#[derive(Clone, Debug)]
pub struct Cortex {
    /// To be drawn.
    pub scene: Scene,
    /// Which hemisphere of the subject each mesh is.
    pub hemispheres: Vec<usize>,
}

/// The cortex as the view wants it, in a picture of this aspect (width / height); nothing without surfaces and volumes.
pub fn scene(session: &Session, view: &View, aspect: f32, paint: Paint) -> Option<Cortex> {
    let cortex = &session.subject.cortex;
    let look = view.cortex;
    let wanted = |h: &HemisphereData| match look.halves {
        Halves::Both => true,
        Halves::Left => h.hemisphere == Hemisphere::Left,
        Halves::Right => h.hemisphere == Hemisphere::Right,
    };
    let parts: Vec<(usize, &HemisphereData, Between<'_>)> = cortex
        .iter()
        .enumerate()
        .filter(|(_, h)| wanted(h))
        .filter_map(|(n, h)| Some((n, h, between(h, look.morph)?)))
        .collect();
    let solids = solids(session, view);
    if parts.is_empty() && solids.is_empty() {
        return None;
    }
    let flat = parts.iter().map(|(.., b)| b.flat).fold(0.0, f32::max);
    let offsets = offsets(&parts, look.apart_mm);
    let mut meshes = Vec::new();
    let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
    for ((n, hemisphere, shapes), offset_mm) in parts.iter().zip(&offsets) {
        let (a, b) = reach(*shapes);
        (low, high) = (low.min(a + *offset_mm), high.max(b + *offset_mm));
        meshes.push(mesh(session, view, *n, hemisphere, *shapes, *offset_mm));
    }
    for solid in &solids {
        let (a, b) = solid.layer.volume.bounds_mm();
        (low, high) = (low.min(a), high.max(b));
    }
    let marker = marker(view, &parts, &meshes).map(|at| (at, MARKER_MM, paint.crosshair));
    let rotation = Quat::from_array(view.rotation)
        .slerp(StandardView::Superior.rotation(), flat)
        .normalize();
    let camera = camera(view, rotation, (low, high), flat, aspect);
    Some(Cortex {
        scene: Scene {
            background: paint.canvas,
            view: Picture::Surfaces(SurfaceView {
                camera,
                meshes,
                clips: clips(session, view),
                solids,
                marker,
            }),
        },
        hemispheres: parts.iter().map(|(n, ..)| *n).collect(),
    })
}

fn mesh(
    session: &Session,
    view: &View,
    number: usize,
    hemisphere: &HemisphereData,
    shapes: Between<'_>,
    offset_mm: Vec3,
) -> MeshLayer {
    let sampled = sampled(session, view, hemisphere);
    let overlay = overlay(session, view, number, sampled.is_some());
    MeshLayer {
        mesh: shapes.from.clone(),
        toward: shapes.to.map(|(to, share)| (places(to), share)),
        offset_mm,
        sulcal: hemisphere.sulcal.clone(),
        overlay,
        sampled,
        outlines: if view.surface_outlines {
            session.region_sheets(number, &view.regions)
        } else {
            Vec::new()
        },
        opacity: view.cortex.opacity,
        relief: 1.0 - shapes.flat,
        coarse: false,
    }
}

/// What is painted between the vertices: under a map sampled in every pixel the topmost map of the sheet itself; else the
/// topmost map there is, sampled at the vertices where it is on a grid.
fn overlay(
    session: &Session,
    view: &View,
    number: usize,
    under_sampled: bool,
) -> Option<(VertexData, Look)> {
    let maps = maps(session, view);
    let on_sheet = |map: &OverlayMap| map.on_sheet.get(number).cloned().flatten();
    let at_vertices = |map: &OverlayMap| {
        let projected = session.projected.as_ref()?;
        let values = (projected.map == map.id).then_some(&projected.hemispheres)?;
        values.get(number).cloned()
    };
    maps.iter().rev().find_map(|(map, look)| {
        let values = on_sheet(map).or_else(|| {
            let painted = !under_sampled && map.on_grid.is_some();
            painted.then(|| at_vertices(map)).flatten()
        });
        Some((values?, look.look()))
    })
}

fn places(mesh: &MeshData) -> Places {
    Places {
        key: mesh.key,
        vertices: mesh.vertices.clone(),
    }
}

/// The map sampled in every pixel, when that is wanted and both borders of the cortex are known.
fn sampled(session: &Session, view: &View, hemisphere: &HemisphereData) -> Option<Sampled> {
    let look = view.cortex;
    let (map, map_look) = topmost_on_grid(session, view).filter(|_| look.per_pixel)?;
    // A map of the sheet that lies over it hides it there.
    let above = maps(session, view);
    let above = above.iter().rev().take_while(|(m, _)| m.id != map.id);
    if above.into_iter().any(|(map, _)| map.is_on_sheet()) || map.is_on_sheet() {
        return None;
    }
    let (_, white) = hemisphere.shape(Shape::White)?;
    let (_, pial) = hemisphere.shape(Shape::Pial)?;
    Some(Sampled {
        inner: places(white),
        outer: places(pial),
        layer: volume_layer(session, view, map, &map_look)?,
        depth: if look.n_layers == 1 {
            (look.depth, look.depth)
        } else {
            (0.0, 1.0)
        },
        n_layers: look.n_layers,
    })
}

/// Shows all of it: as large as the ellipsoid around it allows from this side, or the box of a flat map.
fn camera(
    view: &View,
    rotation: Quat,
    (low, high): (Vec3, Vec3),
    flat: f32,
    aspect: f32,
) -> Camera {
    let half = (high - low) / 2.0;
    let turn = rotation.inverse();
    let round = |direction: Vec3| (half * (turn * direction)).length();
    let square = |direction: Vec3| (half * (turn * direction)).abs().element_sum();
    let reach = |direction: Vec3| round(direction) + (square(direction) - round(direction)) * flat;
    let radius = reach(Vec3::Y).max(reach(Vec3::X) / aspect) * (1.16 - 0.1 * flat);
    let [right, up] = view.surface_shift_mm;
    Camera {
        target_mm: (low + high) / 2.0 - turn * Vec3::new(right, up, 0.0),
        rotation,
        half_height_mm: radius / view.surface_zoom,
        fov_degrees: 0.0,
    }
}

/// Where the crosshair is on the shape that is shown.
fn marker(
    view: &View,
    parts: &[(usize, &HemisphereData, Between<'_>)],
    meshes: &[MeshLayer],
) -> Option<Vec3> {
    let at = view.crosshair()?.as_vec3();
    let mut best = (NEAR_CORTEX_MM * NEAR_CORTEX_MM, None);
    for (n, (_, hemisphere, _)) in parts.iter().enumerate() {
        for vertex in 0..meshes[n].mesh.vertices.len() {
            let Some(place) = hemisphere.anatomical_mm(vertex) else {
                break;
            };
            let distance = place.distance_squared(at);
            if distance < best.0 {
                best = (distance, Some((n, vertex)));
            }
        }
    }
    let (n, vertex) = best.1?;
    Some(meshes[n].vertex_mm(vertex)? + meshes[n].offset_mm)
}
