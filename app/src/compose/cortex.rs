//! The cortical sheet in any shape, what is painted on it, and what is looked into.

use fusiform_pipelines::surface::{Hemisphere, Shape};
use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::colormap::Colormap;
use fusiform_render::scene::{
    Cast, ClipPlane, Look, MeshData, MeshLayer, Places, Sampled, Scene, SolidLayer, SurfaceView,
    VertexData, View as Picture, VolumeLayer,
};
use glam::{Quat, Vec3};

use super::{Paint, map, maps, topmost_on_grid, volume_layer};
use crate::bridge;
use crate::layout::{Halves, Inside, View};
use crate::session::{HemisphereData, NEAR_CORTEX_MM, OverlayMap, Session};

/// Where the shapes stand on the slider, and their names.
pub const STOPS: [(Shape, f32, &str); 5] = [
    (Shape::White, 0.0, "White"),
    (Shape::Pial, 1.0, "Pial"),
    (Shape::Inflated, 2.0, "Inflated"),
    (Shape::Sphere, 3.0, "Sphere"),
    (Shape::Flat, 4.0, "Flat"),
];

/// Millimetres between hemispheres that would overlap.
const GAP_MM: f32 = 6.0;
/// Radius of the marker at the crosshair, mm.
const MARKER_MM: f32 = 2.2;
/// Shapes past this place on the slider are no longer where the brain is.
const ANATOMICAL: f32 = 1.0;

/// Two shapes of a hemisphere and how far the second is reached.
#[derive(Clone, Copy, Debug)]
struct Between<'a> {
    from: &'a MeshData,
    to: Option<(&'a MeshData, f32)>,
    /// How flat it is, 0 to 1.
    flat: f32,
}

/// Which shapes a hemisphere shows at a place on the slider.
fn between(hemisphere: &HemisphereData, morph: f32) -> Option<Between<'_>> {
    let there: Vec<(Shape, f32, &MeshData)> = STOPS
        .iter()
        .filter_map(|&(shape, at, _)| Some((shape, at, hemisphere.shape(shape)?.1)))
        .collect();
    if there.is_empty() {
        let (_, mesh) = hemisphere.shape(Shape::Midthickness)?;
        return Some(Between {
            from: mesh,
            to: None,
            flat: 0.0,
        });
    }
    let below = there.iter().rev().find(|(_, at, _)| *at <= morph);
    let above = there.iter().find(|(_, at, _)| *at > morph);
    match (below, above) {
        (Some((_, low, from)), Some((shape, high, to))) => {
            let share = (morph - low) / (high - low);
            let flat = f32::from(u8::from(*shape == Shape::Flat)) * share;
            if share <= 0.0 {
                return Some(Between {
                    from,
                    to: None,
                    flat: 0.0,
                });
            }
            // Only the flat map's own triangles are laid flat.
            let from = hemisphere
                .cut
                .as_ref()
                .filter(|_| flat > 0.0)
                .unwrap_or(from);
            Some(Between {
                from,
                to: Some((to, share)),
                flat,
            })
        }
        (one, other) => {
            let &(shape, _, from) = one.or(other)?;
            Some(Between {
                from,
                to: None,
                flat: f32::from(u8::from(shape == Shape::Flat)),
            })
        }
    }
}

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

/// How far each hemisphere is moved, mm: apart where they would overlap, and as far as asked for.
fn offsets(parts: &[(usize, &HemisphereData, Between<'_>)], apart_mm: f32) -> Vec<Vec3> {
    let of = |side| parts.iter().find(|(_, h, _)| h.hemisphere == side);
    let (mut left_mm, mut right_mm) = (Vec3::ZERO, Vec3::ZERO);
    if let (Some((.., left)), Some((.., right))) = (of(Hemisphere::Left), of(Hemisphere::Right)) {
        let at = |pick: fn(Between<'_>) -> Option<&MeshData>| {
            let (l, r) = (pick(*left)?, pick(*right)?);
            Some(bridge::side_by_side(&l.vertices, &r.vertices, GAP_MM))
        };
        let start = at(|b| Some(b.from)).unwrap_or_default();
        let share = left.to.map_or(0.0, |(_, share)| share);
        let end = at(|b| b.to.map(|(to, _)| to)).unwrap_or(start);
        left_mm = start.0.lerp(end.0, share);
        right_mm = start.1.lerp(end.1, share);
    }
    let apart = Vec3::X * apart_mm / 2.0;
    parts
        .iter()
        .map(|(_, h, _)| match h.hemisphere {
            Hemisphere::Left => left_mm - apart,
            Hemisphere::Right => right_mm + apart,
        })
        .collect()
}

/// The box of a morphed shape: between the boxes of its ends. Of a flat map only what its triangles hold.
fn reach(shapes: Between<'_>) -> (Vec3, Vec3) {
    let of = |mesh: &MeshData| {
        let used = mesh.triangles.iter().flatten();
        let used = used.filter_map(|&v| mesh.vertices.get(v as usize));
        used.fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), &v| {
            (low.min(v), high.max(v))
        })
    };
    let start = of(shapes.from);
    match shapes.to {
        Some((to, share)) => {
            let end = of(to);
            (start.0.lerp(end.0, share), start.1.lerp(end.1, share))
        }
        None => start,
    }
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

/// Whether volumes can be looked into: only where the surfaces are where the brain is.
pub fn can_look_inside(session: &Session, view: &View) -> bool {
    session.underlay().is_some()
        && (view.cortex.morph <= ANATOMICAL || session.subject.cortex.is_empty())
}

fn solids(session: &Session, view: &View) -> Vec<SolidLayer> {
    let inside = view.inside;
    let mut solids = Vec::new();
    if !can_look_inside(session, view) {
        return solids;
    }
    let cast = if inside.maximum {
        Cast::Maximum
    } else {
        Cast::Shaded
    };
    let mut add = |layer| {
        solids.push(SolidLayer {
            layer,
            cast,
            step_voxels: 0.75,
        });
    };
    if let (Inside::Anatomy | Inside::Both, Some(underlay)) = (inside.what, session.underlay()) {
        let (low, high) = underlay.window;
        add(VolumeLayer {
            volume: underlay.data.clone(),
            linear: true,
            look: Look {
                colormap: Colormap::Grey,
                range: underlay.window,
                threshold: low.max(0.0) + 0.3 * (high - low.max(0.0)),
                soft: false,
                two_sided: false,
                opacity: if inside.maximum { 1.0 } else { 0.85 },
            },
            modulation: None,
        });
    }
    if let (Inside::Map | Inside::Both, Some((map, look))) = (inside.what, map(session, view))
        && let Some(layer) = volume_layer(session, view, map, &look)
    {
        add(layer);
    }
    solids
}

/// The cuts through what is looked into, from the shares of its extent.
fn clips(session: &Session, view: &View) -> Vec<ClipPlane> {
    let Some(underlay) = session.underlay() else {
        return Vec::new();
    };
    let (low, high) = (
        underlay.bounds_mm.0.as_vec3(),
        underlay.bounds_mm.1.as_vec3(),
    );
    let mut clips = Vec::new();
    for (axis, unit) in [Vec3::X, Vec3::Y, Vec3::Z].into_iter().enumerate() {
        let cut = view.inside.cuts[axis];
        let extent = high[axis] - low[axis];
        if cut > 0.0 {
            clips.push(ClipPlane {
                normal: unit,
                distance_mm: high[axis] - cut * extent,
            });
        } else if cut < 0.0 {
            clips.push(ClipPlane {
                normal: -unit,
                distance_mm: -(low[axis] - cut * extent),
            });
        }
    }
    clips
}
