//! The cortical sheet in any of its shapes, with the map of the slices on it, and volumes looked into.

use egui::{PointerButton, Pos2, Rect, Response, Role, Sense, Ui, WidgetInfo, vec2};
use fusiform_pipelines::roi::Patch;
use fusiform_pipelines::roi::seen::Seen;
use fusiform_render::camera::StandardView;
use fusiform_render::scene::{Pick, Scene, SurfaceView, View};

use super::canvas::{self, plate};
use super::lasso::Lasso;
use super::{Ctx, names, overlay, placeholder, short};
use crate::command::{Change, Command};
use crate::compose::cortex::{Cortex, STOPS};
use crate::compose::names::{on_surface, seen};
use crate::compose::{self, cortex};
use crate::gpu::Slot;
use crate::jobs::Kind;
use crate::layout::{CortexLook, Halves, Inside, InsideLook};
use crate::theme;
use crate::workbench::draw::Drawing;

/// Radians a point of drag.
const TURN: f32 = 0.008;

const VIEWS: [(StandardView, &str, &str); 6] = [
    (StandardView::Left, "Left", "From the subject's left. Key 1"),
    (
        StandardView::Right,
        "Right",
        "From the subject's right. Key 2",
    ),
    (
        StandardView::Superior,
        "Top",
        "From above, anterior up. Key 3",
    ),
    (
        StandardView::Inferior,
        "Bottom",
        "From below, anterior up. Key 4",
    ),
    (StandardView::Anterior, "Front", "From the front. Key 5"),
    (StandardView::Posterior, "Back", "From behind. Key 6"),
];

/// Vertices beyond which what is seen is not worked out while the picture moves.
const MANY: usize = 60_000;

/// The tool that draws regions, and what is seen of the meshes.
#[derive(Debug, Default)]
pub struct Surface {
    lasso: Lasso,
    /// With what it was made of.
    seen: Option<(Vec<u64>, Seen, Vec<usize>)>,
}

impl Surface {
    /// Draws the panel.
    pub fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let subject = &ctx.session.subject;
        if subject.cortex.is_empty() && ctx.session.underlay().is_none() {
            placeholder(
                ui,
                ctx,
                &[Kind::Open, Kind::Subject],
                "This subject has no cortical surfaces and no volume.",
            );
            return;
        }
        ui.horizontal_wrapped(|ui| shape_controls(ui, ctx));
        ui.horizontal_wrapped(|ui| {
        view_controls(ui, ctx);
        if !subject.cortex.is_empty() {
            let hint = "Draw round a part of the cortex with the mouse; let go, and the vertices that are seen within \
                        become a region of your own. Escape forgets the line.";
            self.lasso.toggle(ui, hint);
        }
    });
        ui.horizontal_wrapped(|ui| paint_controls(ui, ctx));
        ui.add_space(2.0);
        let rect = ui.available_rect_before_wrap();
        if rect.width() > 40.0 && rect.height() > 40.0 {
            self.picture(ui, ctx, rect);
        }
    }

    fn picture(&mut self, ui: &Ui, ctx: &Ctx<'_>, rect: Rect) {
        let response = ui.interact(rect, ui.scope_id().with("cortex"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "Cortical surface"));
        let view = &ctx.layout.view;
        let Some(Cortex {
            mut scene,
            hemispheres,
        }) = cortex::scene(ctx.session, view, rect.aspect_ratio(), ctx.theme.paint())
        else {
            let words = "No surface of this hemisphere. Volumes show from white to pial.";
            plate(ui, ctx, rect.center(), egui::Align2::CENTER_CENTER, words);
            return;
        };
        // What moves is drawn coarser where drawing is slow.
        let scale = canvas::pixels_per_point(ui, ctx);
        if scale < ui.pixels_per_point()
            && let View::Surfaces(surfaces) = scene.view
        {
            scene.view = View::Surfaces(surfaces.draft());
        }
        let size = [rect.width(), rect.height()].map(|side| (side * scale).round().max(1.0) as u32);
        canvas::show(ui, ctx, Slot::Surface, rect, &scene, size);
        caption(ui, ctx, rect);
        if !self.lasso.takes(&response) {
            pointer(ui, ctx, &response, (&scene, size), &hemispheres);
        }
        self.regions(ui, ctx, &response, &scene, &hemispheres);
    }

    /// What is seen of the meshes, made anew when they are seen otherwise; nothing of many vertices on the move.
    fn seen(&mut self, ui: &Ui, scene: &Scene, rect: Rect) -> Option<(&Seen, &[usize])> {
        let View::Surfaces(view) = &scene.view else {
            return None;
        };
        let print = print(view, rect);
        if self
            .seen
            .as_ref()
            .is_none_or(|(made_of, ..)| *made_of != print)
        {
            self.seen = None;
            let n: usize = view.meshes.iter().map(|m| m.mesh.vertices.len()).sum();
            if n > MANY && ui.input(|i| i.pointer.any_down()) {
                return None;
            }
            let size = glam::Vec2::new(rect.width(), rect.height());
            let (seen, starts) = seen(view, size);
            self.seen = Some((print, seen, starts));
        }
        self.seen
            .as_ref()
            .map(|(_, seen, starts)| (seen, &**starts))
    }

    /// A line drawn by hand becomes a region; names of regions, and of those under the pointer.
    fn regions(
        &mut self,
        ui: &Ui,
        ctx: &Ctx<'_>,
        response: &Response,
        scene: &Scene,
        hemispheres: &[usize],
    ) {
        let rect = response.rect;
        let view = &ctx.layout.view;
        let line = self.lasso.follow(ui, response, 0);
        let Some((seen, starts)) = self.seen(ui, scene, rect) else {
            return;
        };
        if let Some(line) = line {
            let patches = within(ctx, (seen, starts), hemispheres, &line, rect);
            ctx.send(Command::Draw(Drawing::OnSurface(patches)));
        }
        if view.regions.names && view.surface_outlines {
            let names = on_surface(ctx.session, &view.regions, (seen, starts), hemispheres);
            let taken = [Rect::from_min_max(
                rect.left_bottom() - vec2(0.0, 24.0),
                rect.right_bottom(),
            )];
            names::write(ui, ctx, rect, &names, 1.0, &taken);
        }
        names::under_pointer(ui, ctx, response, |at| {
            let from = at - rect.min;
            let vertex = seen.vertex_at(glam::Vec2::new(from.x, from.y));
            let found = vertex.and_then(|v| hemisphere_of(starts, hemispheres, v));
            found.map_or_else(Vec::new, |(hemisphere, vertex)| {
                ctx.session
                    .region_names_of(&view.regions, hemisphere, vertex)
            })
        });
        self.lasso.draw(ui, ctx, response, 0);
    }
}

/// Which hemisphere of the subject a vertex of all meshes is of, and which vertex of it.
fn hemisphere_of(starts: &[usize], hemispheres: &[usize], vertex: usize) -> Option<(usize, usize)> {
    let mesh = starts.iter().rposition(|&start| start <= vertex)?;
    Some((*hemispheres.get(mesh)?, vertex - starts.get(mesh)?))
}

/// The vertices that are seen within a line, one patch a hemisphere.
fn within(
    ctx: &Ctx<'_>,
    (seen, starts): (&Seen, &[usize]),
    hemispheres: &[usize],
    line: &[Pos2],
    rect: Rect,
) -> Vec<Patch> {
    let corner = |at: &Pos2| glam::Vec2::new(at.x - rect.min.x, at.y - rect.min.y);
    let polygon: Vec<glam::Vec2> = line.iter().map(corner).collect();
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); ctx.session.subject.cortex.len()];
    for vertex in seen.within(&polygon) {
        let found = hemisphere_of(starts, hemispheres, vertex as usize);
        if let Some((hemisphere, vertex)) = found
            && let Some(members) = members.get_mut(hemisphere)
        {
            members.push(vertex as u32);
        }
    }
    let cortex = ctx.session.subject.cortex.iter().zip(members);
    let patches = cortex.filter(|(_, members)| !members.is_empty());
    patches
        .map(|(hemisphere, members)| Patch {
            hemisphere: hemisphere.hemisphere,
            n_vertices: hemisphere
                .shapes
                .first()
                .map_or(0, |(_, s, _)| s.vertices.len()),
            vertices: members.into(),
        })
        .collect()
}

/// What tells one way of seeing the meshes from another.
fn print(view: &SurfaceView, rect: Rect) -> Vec<u64> {
    let camera = &view.camera;
    let mut floats = vec![rect.width(), rect.height(), camera.half_height_mm];
    floats.extend(camera.target_mm.to_array());
    floats.extend(camera.rotation.to_array());
    let mut print = Vec::new();
    for mesh in &view.meshes {
        print.extend([mesh.mesh.key.id, mesh.mesh.key.revision]);
        floats.extend(mesh.offset_mm.to_array());
        if let Some((places, share)) = &mesh.toward {
            print.push(places.key.id);
            floats.push(*share);
        }
    }
    print.extend(floats.iter().map(|x| u64::from(x.to_bits())));
    print
}

/// The shapes as stops of one slider.
fn shape_controls(ui: &mut Ui, ctx: &Ctx<'_>) {
    let look = ctx.layout.view.cortex;
    let there = |shape| {
        let cortex = &ctx.session.subject.cortex;
        cortex.iter().any(|h| h.shape(shape).is_some())
    };
    let last = STOPS
        .iter()
        .filter(|(shape, ..)| there(*shape))
        .map(|s| s.1);
    let last = last.fold(0.0, f32::max);
    if last > 0.0 {
        let mut morph = look.morph.min(last);
        ui.spacing_mut().slider_width = 150.0;
        let slider = ui
            .add(egui::Slider::new(&mut morph, 0.0..=last).show_value(false))
            .accessible_name("Shape")
            .on_hover_text(
                "From white matter over pia, inflated and sphere to the flat map, without a jump.",
            );
        if slider.changed() {
            // Near a shape, that shape.
            let near = STOPS.iter().find(|(_, at, _)| (at - morph).abs() < 0.03);
            let morph = near.map_or(morph, |(_, at, _)| *at);
            ctx.drag(
                Change::Cortex(CortexLook { morph, ..look }),
                slider.drag_started(),
            );
        }
    }
    for (shape, at, name) in STOPS {
        if there(shape)
            && ui
                .selectable_label(look.morph == at, name)
                .on_hover_text(meaning(at))
                .clicked()
        {
            ctx.change(Change::Cortex(CortexLook { morph: at, ..look }));
        }
    }
    let view = &ctx.layout.view;
    let moved = view.surface_zoom != 1.0 || view.surface_shift_mm != [0.0; 2];
    let fit = ui
        .add_enabled(moved, egui::Button::new("Fit"))
        .on_hover_text("Show the surfaces whole, in the middle.")
        .on_disabled_hover_text("They are shown whole. Wheel zooms; Shift + drag moves.");
    if fit.clicked() {
        ctx.change(Change::SurfaceShift([0.0; 2]));
        ctx.drag(Change::SurfaceZoom(1.0), false);
    }
}

fn meaning(stop: f32) -> &'static str {
    match stop as u32 {
        0 => "The border of white and grey matter. Key W",
        1 => "The outer border of grey matter. Key P",
        2 => "Sulci blown out, so that their walls can be seen. Key I",
        3 => "Each hemisphere as a sphere.",
        _ => {
            "Cut and laid flat: seen from above, unlit, so that colours are those of the bar. Key F"
        }
    }
}

/// From where, which halves, how far apart, how clear.
fn view_controls(ui: &mut Ui, ctx: &Ctx<'_>) {
    for (view, name, hint) in VIEWS {
        let rotation = view.rotation().to_array();
        let chosen = ctx.layout.view.rotation == rotation;
        if ui
            .selectable_label(chosen, name)
            .on_hover_text(hint)
            .clicked()
        {
            ctx.change(Change::Rotation(rotation));
        }
    }
    let look = ctx.layout.view.cortex;
    if ctx.session.subject.cortex.len() > 1 {
        ui.separator();
        for (halves, name) in [
            (Halves::Left, "L"),
            (Halves::Both, "L + R"),
            (Halves::Right, "R"),
        ] {
            let chosen = look.halves == halves;
            let hint = "Which hemispheres are drawn.";
            if ui
                .selectable_label(chosen, name)
                .on_hover_text(hint)
                .clicked()
            {
                ctx.change(Change::Cortex(CortexLook { halves, ..look }));
            }
        }
        let mut apart_mm = look.apart_mm;
        let drag = egui::DragValue::new(&mut apart_mm)
            .range(0.0..=200.0)
            .suffix(" mm")
            .max_decimals(0);
        let drag = ui
            .add_enabled(look.halves == Halves::Both, drag)
            .accessible_name("Gap between hemispheres")
            .on_hover_text("Hemispheres apart by so much: their medial sides can be seen.");
        if drag.changed() {
            let look = CortexLook { apart_mm, ..look };
            ctx.drag(Change::Cortex(look), drag.drag_started());
        }
    }
    let mut outlines = ctx.layout.view.surface_outlines;
    let there = ctx
        .session
        .subject
        .cortex
        .iter()
        .any(|h| h.outlines.is_some());
    let regions = ui
        .add_enabled(there, egui::Checkbox::new(&mut outlines, "Regions"))
        .on_hover_text("The borders of the parcellation's regions.")
        .on_disabled_hover_text("These surfaces have no parcellation.");
    if regions.changed() {
        ctx.change(Change::SurfaceOutlines(outlines));
    }
}

/// How the map is put on the sheet, and what is looked into.
fn paint_controls(ui: &mut Ui, ctx: &Ctx<'_>) {
    let look = ctx.layout.view.cortex;
    let mut new = look;
    let mut starts = false;
    let mut touched = false;
    let pixel = ui.checkbox(&mut new.per_pixel, "Per pixel").on_hover_text(
        "On: the map is sampled in every pixel between white and pial, so that voxels keep their edges. Off: at the \
         vertices, painted between them.",
    );
    touched |= pixel.changed();
    starts |= pixel.changed();
    if look.per_pixel {
        let mut n_layers = new.n_layers;
        let layers = ui
            .add(
                egui::DragValue::new(&mut n_layers)
                    .range(1..=32)
                    .speed(0.1)
                    .suffix(" depths"),
            )
            .accessible_name("Depths")
            .on_hover_text(
                "Samples from white to pial, averaged. With one, its depth can be chosen.",
            );
        new.n_layers = n_layers;
        touched |= layers.changed();
        starts |= layers.drag_started();
        if new.n_layers == 1 {
            ui.spacing_mut().slider_width = 70.0;
            let depth = ui
                .add(egui::Slider::new(&mut new.depth, 0.0..=1.0).show_value(false))
                .accessible_name("Depth")
                .on_hover_text(format!(
                    "Where the map is sampled: {:.0} % of the way from white to pial.",
                    new.depth * 100.0
                ));
            touched |= depth.changed();
            starts |= depth.drag_started();
        }
    }
    let mut percent = (new.opacity * 100.0).round();
    let opacity = ui
        .add(
            egui::DragValue::new(&mut percent)
                .range(0.0..=100.0)
                .suffix(" % solid")
                .speed(0.5)
                .max_decimals(0),
        )
        .accessible_name("Opacity of the surfaces")
        .on_hover_text("Below 100 % the cortex is glass: what lies inside shows.");
    new.opacity = percent / 100.0;
    touched |= opacity.changed();
    starts |= opacity.drag_started();
    if touched {
        ctx.drag(Change::Cortex(new), starts);
    }
    ui.separator();
    inside_controls(ui, ctx);
}

fn inside_controls(ui: &mut Ui, ctx: &Ctx<'_>) {
    let inside = ctx.layout.view.inside;
    let can = cortex::can_look_inside(ctx.session, &ctx.layout.view);
    let name = |what| match what {
        Inside::Nothing => "nothing",
        Inside::Anatomy => "anatomy",
        Inside::Map => "map",
        Inside::Both => "both",
    };
    ui.add_enabled_ui(can, |ui| {
        ui.label("Inside");
        let combo = egui::ComboBox::from_id_salt("inside")
            .selected_text(name(inside.what))
            .width(76.0)
            .show_ui(ui, |ui| {
                for what in [Inside::Nothing, Inside::Anatomy, Inside::Map, Inside::Both] {
                    if ui.selectable_label(inside.what == what, name(what)).clicked() {
                        ctx.change(Change::Inside(InsideLook { what, ..inside }));
                    }
                }
            });
        combo
            .response
            .accessible_name("Inside")
            .on_hover_text("Volumes looked into by rays. Make the surfaces glass, or cut the volume, to see it.")
            .on_disabled_hover_text("Only where the surfaces are where the brain is: white to pial.");
        if inside.what == Inside::Nothing {
            return;
        }
        let mut maximum = inside.maximum;
        let hint = "The largest number on each ray instead of lit matter.";
        if ui.checkbox(&mut maximum, "Maximum").on_hover_text(hint).changed() {
            ctx.change(Change::Inside(InsideLook { maximum, ..inside }));
        }
        ui.spacing_mut().slider_width = 56.0;
        let mut cuts = inside.cuts;
        for (axis, name) in ["x", "y", "z"].into_iter().enumerate() {
            ui.label(name);
            let slider = ui
                .add(egui::Slider::new(&mut cuts[axis], -1.0..=1.0).show_value(false))
                .accessible_name(format!("Cut along {name}"))
                .on_hover_text("Cut away from one end or the other; in the middle nothing is cut.");
            if slider.changed() {
                if cuts[axis].abs() < 0.03 {
                    cuts[axis] = 0.0;
                }
                let look = InsideLook { cuts, ..inside };
                ctx.drag(Change::Inside(look), slider.drag_started());
            }
        }
    });
}

fn pointer(
    ui: &Ui,
    ctx: &Ctx<'_>,
    response: &egui::Response,
    (scene, size): (&Scene, [u32; 2]),
    hemispheres: &[usize],
) {
    let View::Surfaces(view) = &scene.view else {
        return;
    };
    let moved = response.drag_delta();
    let shift = ui.input(|i| i.modifiers.shift || i.modifiers.alt);
    let pans = response.dragged_by(PointerButton::Middle)
        || (response.dragged_by(PointerButton::Primary) && shift);
    if pans && moved != egui::Vec2::ZERO {
        let mm_per_point = 2.0 * view.camera.half_height_mm / response.rect.height();
        let [right, up] = ctx.layout.view.surface_shift_mm;
        let shift_mm = [right + moved.x * mm_per_point, up - moved.y * mm_per_point];
        ctx.drag(Change::SurfaceShift(shift_mm), response.drag_started());
    } else if response.dragged_by(PointerButton::Primary) && moved != egui::Vec2::ZERO {
        // A flat map is not tilted.
        if ctx.layout.view.cortex.morph < STOPS[4].1 {
            let turned = view.camera.turned(moved.x * TURN, moved.y * TURN);
            ctx.drag(
                Change::Rotation(turned.rotation.to_array()),
                response.drag_started(),
            );
        }
    }
    if let Some(at) = response
        .interact_pointer_pos()
        .filter(|_| response.clicked())
    {
        let from = at - response.rect.min;
        let scale = size[0] as f32 / response.rect.width();
        let pixel = [from.x, from.y].map(|side| (side * scale).max(0.0) as u32);
        if pixel[0] < size[0] && pixel[1] < size[1] {
            pick(ctx, scene, size, pixel, hemispheres);
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

/// Moves the crosshair to the place in the brain that is under a pixel.
fn pick(ctx: &Ctx<'_>, scene: &Scene, size: [u32; 2], pixel: [u32; 2], hemispheres: &[usize]) {
    match ctx.easel.borrow_mut().pick(scene, size, pixel) {
        Ok(picked) => {
            let place = picked.and_then(|pick| match pick {
                Pick::Vertex { mesh, vertex, .. } => {
                    let hemisphere = *hemispheres.get(mesh)?;
                    let hemisphere = ctx.session.subject.cortex.get(hemisphere)?;
                    hemisphere.anatomical_mm(vertex as usize)
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
    let maps = compose::maps(ctx.session, &ctx.layout.view);
    if let Some((map, look)) = maps.last() {
        let (low, high) = if look.two_sided {
            (-look.high, look.high)
        } else {
            (look.low, look.high)
        };
        let range = format!(
            "{}: {} to {} {}, shown from {}{}",
            overlay::shortened(&map.name),
            short(f64::from(low)),
            short(f64::from(high)),
            map.unit,
            if look.two_sided { "±" } else { "" },
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
    if ctx.jobs.is_running(Kind::Project) && !ctx.layout.view.cortex.per_pixel {
        let words = "Painting the surface…".to_owned();
        plate(
            ui,
            ctx,
            rect.left_top() + vec2(6.0, 5.0),
            egui::Align2::LEFT_TOP,
            &words,
        );
    }
    let quiet = ctx.theme.on_canvas().gamma_multiply(0.6);
    let words = "drag: turn · Shift + drag: move · wheel: zoom · click: pick".to_owned();
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
