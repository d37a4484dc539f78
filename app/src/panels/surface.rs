//! The cortical sheet in three dimensions, lit, with the map of the slices on it.

use egui::{Color32, PointerButton, Pos2, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fusiform_pipelines::surface::{Hemisphere, Shape};
use fusiform_render::camera::{Camera, StandardView};
use fusiform_render::scene::{MeshLayer, Pick, Scene, SurfaceView, View};
use glam::{DVec3, Quat, Vec3};

use super::slices::plate;
use super::{Ctx, overlay, placeholder, short};
use crate::bridge;
use crate::command::Change;
use crate::gpu::Slot;
use crate::jobs::Kind;
use crate::session::{HemisphereData, MapId};
use crate::theme;

/// Radians a point of drag.
const TURN: f32 = 0.008;
/// Millimetres between hemispheres that would overlap.
const HEMISPHERE_GAP_MM: f32 = 6.0;
/// A crosshair farther than this from the cortex (mm) has no place on it.
const NEAR_CORTEX_MM: f32 = 8.0;
/// Radius of the marker at the crosshair, mm.
const MARKER_MM: f32 = 2.2;

const SHAPES: [(Shape, &str); 5] = [
    (Shape::White, "White"),
    (Shape::Midthickness, "Mid"),
    (Shape::Pial, "Pial"),
    (Shape::Inflated, "Inflated"),
    (Shape::Sphere, "Sphere"),
];

const VIEWS: [(StandardView, &str); 6] = [
    (StandardView::Left, "Left"),
    (StandardView::Right, "Right"),
    (StandardView::Superior, "Top"),
    (StandardView::Inferior, "Bottom"),
    (StandardView::Anterior, "Front"),
    (StandardView::Posterior, "Back"),
];

/// What was last worked out from heavy values, with the value it belongs to.
#[derive(Debug, Default)]
pub struct SurfacePanel {
    place: Option<(u64, Place)>,
    nearest: Option<Nearest>,
}

/// The hemisphere and vertex nearest to a crosshair.
#[derive(Clone, Copy, Debug)]
struct Nearest {
    /// The sum of the meshes' keys, and the bits of the crosshair.
    print: (u64, [u64; 3]),
    found: Option<(usize, usize)>,
}

/// Where the hemispheres of a shape are.
#[derive(Clone, Copy, Debug)]
struct Place {
    offsets_mm: [Vec3; 2],
    centre_mm: Vec3,
    extent_mm: Vec3,
}

impl SurfacePanel {
    /// Draws the panel.
    pub fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let cortex = &ctx.session.subject.cortex;
        let Some(shape) = shown_shape(ctx, cortex) else {
            placeholder(
                ui,
                ctx,
                &[Kind::Open, Kind::Subject],
                "This subject has no cortical surfaces.",
            );
            return;
        };
        ui.horizontal_wrapped(|ui| {
            ui.label("Shape");
            for (choice, name) in SHAPES {
                if cortex.iter().any(|h| h.shape(choice).is_some())
                    && ui
                        .selectable_label(choice == shape, name)
                        .on_hover_text(meaning(choice))
                        .clicked()
                {
                    ctx.change(Change::Shape(choice));
                }
            }
        });
        ui.horizontal_wrapped(|ui| {
            ui.label("From");
            for (view, name) in VIEWS {
                let rotation = view.rotation().to_array();
                let chosen = ctx.layout.view.rotation == rotation;
                if ui.selectable_label(chosen, name).clicked() {
                    ctx.change(Change::Rotation(rotation));
                }
            }
            let mut outlines = ctx.layout.view.surface_outlines;
            let there = cortex.iter().any(|h| h.outlines.is_some());
            let regions = ui
                .add_enabled(there, egui::Checkbox::new(&mut outlines, "Regions"))
                .on_hover_text("The borders of the parcellation's regions.")
                .on_disabled_hover_text("These surfaces have no parcellation.");
            if regions.changed() {
                ctx.change(Change::SurfaceOutlines(outlines));
            }
        });
        ui.add_space(2.0);
        let rect = ui.available_rect_before_wrap();
        if rect.width() > 40.0 && rect.height() > 40.0 {
            self.canvas(ui, ctx, cortex, shape, rect);
        }
    }

    fn canvas(
        &mut self,
        ui: &mut Ui,
        ctx: &Ctx<'_>,
        cortex: &[HemisphereData],
        shape: Shape,
        rect: Rect,
    ) {
        let response = ui.interact(rect, ui.scope_id().with("cortex"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Cortical surface"));
        let place = self.place(cortex, shape);
        let camera = camera(ctx, place, rect.aspect_ratio());
        let meshes = meshes(ctx, cortex, shape, place);
        let marker = self
            .marker(ctx, cortex, shape, place)
            .map(|at| (at, MARKER_MM, ctx.theme.crosshair));
        let scene = Scene {
            background: ctx.theme.canvas,
            view: View::Surfaces(SurfaceView {
                solids: Vec::new(),
                clips: Vec::new(),
                camera,
                meshes,
                marker,
            }),
        };
        // A turning brain is drawn coarser where drawing is slow.
        let coarse = response.dragged() && ctx.easel.borrow().is_slow();
        let scale = ui.pixels_per_point() * if coarse { 0.5 } else { 1.0 };
        let size = [rect.width(), rect.height()].map(|side| (side * scale).round().max(1.0) as u32);
        let drawn = ctx
            .easel
            .borrow_mut()
            .show(ui.ctx(), Slot::Surface, &scene, size);
        match drawn {
            Ok(texture) => {
                let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
                ui.painter().image(texture, rect, whole, Color32::WHITE);
            }
            Err(error) => {
                ui.painter()
                    .rect_filled(rect, 2.0, ctx.theme.canvas_colour());
                plate(
                    ui,
                    ctx,
                    rect.center(),
                    egui::Align2::CENTER_CENTER,
                    &error.to_string(),
                );
            }
        }
        caption(ui, ctx, rect);
        pointer(ui, ctx, &response, (&scene, size), cortex);
    }

    fn place(&mut self, cortex: &[HemisphereData], shape: Shape) -> Place {
        let print = cortex
            .iter()
            .filter_map(|h| h.shape(shape))
            .map(|(_, mesh)| mesh.key.id)
            .sum::<u64>();
        if let Some((_, place)) = self.place.filter(|(p, _)| *p == print) {
            return place;
        }
        let surface = |side| {
            cortex
                .iter()
                .find(|h| h.hemisphere == side)
                .and_then(|h| h.shape(shape))
                .map(|(s, _)| s)
        };
        let offsets_mm = match (surface(Hemisphere::Left), surface(Hemisphere::Right)) {
            (Some(left), Some(right)) => {
                let (l, r) = bridge::side_by_side(left, right, HEMISPHERE_GAP_MM);
                [l, r]
            }
            _ => [Vec3::ZERO; 2],
        };
        let (mut low, mut high) = (Vec3::INFINITY, Vec3::NEG_INFINITY);
        for hemisphere in cortex {
            let offset = offsets_mm[usize::from(hemisphere.hemisphere == Hemisphere::Right)];
            for vertex in hemisphere
                .shape(shape)
                .map(|(s, _)| s.vertices.iter())
                .into_iter()
                .flatten()
            {
                low = low.min(*vertex + offset);
                high = high.max(*vertex + offset);
            }
        }
        let place = if low.is_finite() && high.is_finite() {
            Place {
                offsets_mm,
                centre_mm: (low + high) / 2.0,
                extent_mm: high - low,
            }
        } else {
            Place {
                offsets_mm,
                centre_mm: Vec3::ZERO,
                extent_mm: Vec3::splat(200.0),
            }
        };
        self.place = Some((print, place));
        place
    }

    /// Where the crosshair is on the shape that is shown.
    fn marker(
        &mut self,
        ctx: &Ctx<'_>,
        cortex: &[HemisphereData],
        shape: Shape,
        place: Place,
    ) -> Option<Vec3> {
        let at = ctx.layout.view.crosshair()?;
        let print = cortex
            .iter()
            .flat_map(|h| &h.shapes)
            .map(|(.., mesh)| mesh.key.id)
            .sum::<u64>();
        let print = (print, at.to_array().map(f64::to_bits));
        if self.nearest.is_none_or(|n| n.print != print) {
            let found = nearest_vertex(cortex, at);
            self.nearest = Some(Nearest { print, found });
        }
        let (hemisphere, vertex) = self.nearest?.found?;
        let hemisphere = cortex.get(hemisphere)?;
        let offset = place.offsets_mm[usize::from(hemisphere.hemisphere == Hemisphere::Right)];
        hemisphere
            .shape(shape)
            .and_then(|(s, _)| s.vertices.get(vertex))
            .map(|v| *v + offset)
    }
}

fn shown_shape(ctx: &Ctx<'_>, cortex: &[HemisphereData]) -> Option<Shape> {
    let has = |shape: &Shape| cortex.iter().any(|h| h.shape(*shape).is_some());
    let wanted = ctx.layout.view.shape;
    std::iter::once(wanted)
        .chain(SHAPES.map(|(s, _)| s))
        .find(has)
}

fn meaning(shape: Shape) -> &'static str {
    match shape {
        Shape::White => "The border of white and grey matter.",
        Shape::Midthickness => "Half way between white and pial.",
        Shape::Pial => "The outer border of grey matter.",
        Shape::Inflated => "Sulci blown out, so that their walls can be seen.",
        Shape::Sphere => "Each hemisphere as a sphere.",
        Shape::Flat => "Cut and laid flat.",
    }
}

/// Shows all of it: as large as the ellipsoid around it allows from this side.
fn camera(ctx: &Ctx<'_>, place: Place, aspect: f32) -> Camera {
    let turn = Quat::from_array(ctx.layout.view.rotation).inverse();
    let reach = |direction: Vec3| (place.extent_mm / 2.0 * (turn * direction)).length();
    let radius = reach(Vec3::Y).max(reach(Vec3::X) / aspect) * 1.16;
    ctx.layout.view.camera(place.centre_mm, radius)
}

fn meshes(ctx: &Ctx<'_>, cortex: &[HemisphereData], shape: Shape, place: Place) -> Vec<MeshLayer> {
    let overlay = overlay::current(ctx).and_then(|(map, look)| {
        Some((
            ctx.session.projected.as_ref().filter(|p| p.map == map.id)?,
            map.id,
            look,
        ))
    });
    cortex
        .iter()
        .enumerate()
        .filter_map(|(n, hemisphere)| {
            let (_, mesh) = hemisphere.shape(shape)?;
            Some(MeshLayer {
                toward: None,
                sampled: None,
                relief: 1.0,
                mesh: mesh.clone(),
                offset_mm: place.offsets_mm
                    [usize::from(hemisphere.hemisphere == Hemisphere::Right)],
                sulcal: hemisphere.sulcal.clone(),
                overlay: overlay.and_then(|(projected, id, look)| {
                    Some((projected.hemispheres.get(n)?.clone(), look.look(id)))
                }),
                outlines: hemisphere
                    .outlines
                    .clone()
                    .filter(|_| ctx.layout.view.surface_outlines),
                opacity: 1.0,
            })
        })
        .collect()
}

fn nearest_vertex(cortex: &[HemisphereData], at: DVec3) -> Option<(usize, usize)> {
    let at = at.as_vec3();
    let mut best = (NEAR_CORTEX_MM * NEAR_CORTEX_MM, None);
    for (n, hemisphere) in cortex.iter().enumerate() {
        let n_vertices = hemisphere
            .shapes
            .first()
            .map_or(0, |(_, s, _)| s.vertices.len());
        for vertex in 0..n_vertices {
            let Some(place) = hemisphere.anatomical_mm(vertex) else {
                break;
            };
            let distance = place.distance_squared(at);
            if distance < best.0 {
                best = (distance, Some((n, vertex)));
            }
        }
    }
    best.1
}

fn pointer(
    ui: &Ui,
    ctx: &Ctx<'_>,
    response: &egui::Response,
    (scene, size): (&Scene, [u32; 2]),
    cortex: &[HemisphereData],
) {
    if response.dragged_by(PointerButton::Primary) && response.drag_delta() != egui::Vec2::ZERO {
        let View::Surfaces(view) = &scene.view else {
            return;
        };
        let turned = view.camera.turned(
            response.drag_delta().x * TURN,
            response.drag_delta().y * TURN,
        );
        ctx.drag(
            Change::Rotation(turned.rotation.to_array()),
            response.drag_started(),
        );
    }
    if let Some(at) = response
        .interact_pointer_pos()
        .filter(|_| response.clicked())
    {
        let from = at - response.rect.min;
        let scale = size[0] as f32 / response.rect.width();
        let pixel = [from.x, from.y].map(|side| (side * scale).max(0.0) as u32);
        if pixel[0] < size[0] && pixel[1] < size[1] {
            pick(ctx, scene, size, pixel, cortex);
        }
    }
    if response.hovered() {
        let (turns, magnify) = ui.input(|i| (i.smooth_scroll_delta().y, i.zoom_delta()));
        let factor = magnify * (turns * 0.004).exp();
        if (factor - 1.0).abs() > 1e-4 {
            ctx.drag(
                Change::SurfaceZoom(ctx.layout.view.surface_zoom * factor),
                false,
            );
        }
    }
}

/// Moves the crosshair to the place in the cortex that is under a pixel.
fn pick(ctx: &Ctx<'_>, scene: &Scene, size: [u32; 2], pixel: [u32; 2], cortex: &[HemisphereData]) {
    match ctx.easel.borrow_mut().pick(scene, size, pixel) {
        Ok(picked) => {
            let place = picked.and_then(|pick| match pick {
                Pick::Vertex { mesh, vertex, .. } => {
                    cortex.get(mesh)?.anatomical_mm(vertex as usize)
                }
                Pick::Voxel { point_mm, .. } => Some(point_mm),
            });
            if let Some(place) = place {
                ctx.change(Change::Crosshair(place.as_dvec3()));
            }
        }
        Err(error) => log::warn!("picking on the surface: {error}"),
    }
}

fn caption(ui: &Ui, ctx: &Ctx<'_>, rect: Rect) {
    if let Some((map, look)) = overlay::current(ctx) {
        let range = format!(
            "{}: {} to {} {}, shown from {}",
            map.id.name(),
            short(f64::from(look.low)),
            short(f64::from(look.high)),
            map.id.unit(),
            short(f64::from(look.threshold))
        );
        plate(
            ui,
            ctx,
            rect.left_bottom() + vec2(6.0, -5.0),
            egui::Align2::LEFT_BOTTOM,
            &range,
        );
    }
    if ctx.jobs.is_running(Kind::Project) {
        let name = ctx.layout.view.map.map_or("the map", MapId::name);
        let words = format!("Painting {name}…");
        plate(
            ui,
            ctx,
            rect.left_top() + vec2(6.0, 5.0),
            egui::Align2::LEFT_TOP,
            &words,
        );
    }
    let quiet = ctx.theme.on_canvas().gamma_multiply(0.6);
    let words = "drag: turn · wheel: zoom · click: pick".to_owned();
    let hint = ui
        .painter()
        .layout_no_wrap(words, theme::small_font(), quiet);
    if rect.width() > 420.0 {
        ui.painter().galley(
            rect.right_top() + vec2(-hint.size().x - 8.0, 5.0),
            hint,
            ctx.theme.weak,
        );
    }
}
