//! The cortical sheet in any of its shapes, with the map of the slices on it, and volumes looked into.

mod controls;
mod pointer;

use egui::{Pos2, Rect, Response, Role, Sense, Ui, WidgetInfo, vec2};
use fusiform_pipelines::roi::Patch;
use fusiform_pipelines::roi::seen::Seen;
use fusiform_render::scene::{Scene, SurfaceView, View};

use super::canvas::{self, plate};
use super::lasso::Lasso;
use super::select::marks;
use super::{Ctx, names, overlay, placeholder, short, toolbar};
use crate::command::Command;
use crate::compose::cortex::Cortex;
use crate::compose::names::{on_surface, seen};
use crate::compose::{self, cortex};
use crate::gpu::Slot;
use crate::jobs::Kind;
use crate::workbench::draw::Drawing;

/// A panel of less width keeps what is seldom used in a menu, points.
const ROOMY: f32 = 500.0;

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
        let has_cortex = !subject.cortex.is_empty();
        let roomy = ui.available_width() >= ROOMY;
        toolbar::row(ui, |ui| controls::shapes(ui, ctx));
        let lasso_hint = "Draw round a part of the cortex with the mouse; let go, and the vertices that are seen within \
                          become a region of your own. Escape forgets the line. Key L";
        toolbar::row(ui, |ui| {
            controls::views(ui, ctx);
            if roomy {
                ui.separator();
                controls::halves(ui, ctx);
                return;
            }
            if has_cortex {
                self.lasso.toggle(ui, lasso_hint);
            }
            let hint = "Hemispheres, borders, how the map is painted, what is looked into.";
            toolbar::more(ui, hint, |ui| {
                ui.horizontal(|ui| controls::halves(ui, ctx));
                ui.separator();
                ui.horizontal(|ui| controls::paint(ui, ctx));
            });
        });
        if roomy {
            toolbar::row(ui, |ui| {
                controls::paint(ui, ctx);
                if has_cortex {
                    ui.separator();
                    self.lasso.toggle(ui, lasso_hint);
                }
            });
        }
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
        if let View::Surfaces(surfaces) = &scene.view {
            marks::on_cortex(ui, ctx, rect, surfaces, &hemispheres);
        }
        caption(ui, ctx, rect, response.hovered());
        if !self.lasso.takes(&response) {
            pointer::act(ui, ctx, &response, (&scene, size), &hemispheres);
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
        let mut written = Vec::new();
        if view.regions.names && view.surface_outlines {
            let names = on_surface(ctx.session, &view.regions, (seen, starts), hemispheres);
            let taken = [Rect::from_min_max(
                rect.left_bottom() - vec2(0.0, 24.0),
                rect.right_bottom(),
            )];
            written = names::write(ui, ctx, rect, &names, 1.0, &taken);
        }
        names::under_pointer(ui, ctx, response, &written, |at| {
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

fn caption(ui: &Ui, ctx: &Ctx<'_>, rect: Rect, hovered: bool) {
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
    // Where it does not hide what somebody looks at.
    if hovered && rect.width() > 420.0 {
        let words = "drag: turn · Shift + drag: move · wheel: zoom · click: pick";
        let at = rect.right_top() + vec2(-6.0, 5.0);
        plate(ui, ctx, at, egui::Align2::RIGHT_TOP, words);
    }
}
