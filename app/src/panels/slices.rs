//! Axial, coronal and sagittal slices, linked by one crosshair.

use egui::{Align2, Color32, PointerButton, Pos2, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fusiform_render::colormap::Colormap;
use fusiform_render::scene::{Look, Plane, Scene, SliceView, View, VolumeLayer};
use glam::DVec3;

use super::{Ctx, overlay, placeholder, short};
use crate::command::Change;
use crate::gpu::Slot;
use crate::jobs::Kind;
use crate::session::Underlay;
use crate::theme;

/// Points of wheel travel that make one slice, for wheels that report points.
const POINTS_A_SLICE: f32 = 40.0;
/// Empty border around the volume, as a share of its size.
const BORDER: f64 = 1.1;
/// Lines of read-out below the slices, points.
const READ_OUT: f32 = 46.0;

/// The three planes: slot, name, and the world axes across, down and through.
const PLANES: [(Plane, Slot, &str, [usize; 3]); 3] = [
    (Plane::Axial, Slot::Axial, "Axial slice", [0, 1, 2]),
    (Plane::Coronal, Slot::Coronal, "Coronal slice", [0, 2, 1]),
    (Plane::Sagittal, Slot::Sagittal, "Sagittal slice", [1, 2, 0]),
];

/// A drag or a turn of the wheel in progress.
#[derive(Debug, Default)]
pub struct Slices {
    dragging: bool,
    wheel: f32,
}

impl Slices {
    /// Draws the panel.
    pub fn ui(&mut self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let Some(underlay) = ctx.session.underlay() else {
            placeholder(
                ui,
                ctx,
                &[Kind::Open, Kind::Subject, Kind::Run],
                "No volume to show. Open a study folder or drop files on the window.",
            );
            return;
        };
        ui.horizontal_wrapped(|ui| {
            overlay::controls(ui, ctx);
        });
        ui.horizontal_wrapped(|ui| self.switches(ui, ctx));
        ui.add_space(2.0);
        let area = ui.available_rect_before_wrap();
        let below = Rect::from_min_max(pos2(area.left(), area.bottom() - READ_OUT), area.max);
        let bar_width = if overlay::current(ctx).is_some() {
            overlay::BAR_WIDTH
        } else {
            0.0
        };
        let views = Rect::from_min_max(area.min, pos2(area.right() - bar_width, below.top() - 4.0));
        if views.width() > 60.0 && views.height() > 60.0 {
            self.views(ui, ctx, underlay, views);
            let bar = Rect::from_min_max(
                pos2(views.right() + 8.0, views.top()),
                pos2(area.right(), views.bottom()),
            );
            overlay::colour_bar(ui, ctx, bar);
        }
        ui.scope_builder(egui::UiBuilder::new().max_rect(below), |ui| {
            read_out(ui, ctx, underlay);
        });
    }

    fn switches(&self, ui: &mut Ui, ctx: &Ctx<'_>) {
        let view = &ctx.layout.view;
        let mut outlines = view.slice_outlines;
        let has_atlas = ctx.session.subject.atlas.is_some();
        let regions = ui
            .add_enabled(
                has_atlas,
                egui::Checkbox::new(&mut outlines, "Region borders"),
            )
            .on_hover_text("The borders of the atlas's regions.")
            .on_disabled_hover_text("This subject has no atlas.");
        if regions.changed() {
            ctx.change(Change::SliceOutlines(outlines));
        }
        let mut radiological = view.radiological;
        let side = ui.checkbox(&mut radiological, "Radiological (right on the left)").on_hover_text(
            "On: the subject's right is on the left of axial and coronal slices, as if seen from the feet or the \
             front. Off (neurological): right is right.",
        );
        if side.changed() {
            ctx.change(Change::Radiological(radiological));
        }
        let moved = view.zoom != 1.0 || view.centre_mm.is_some();
        let fit = ui
            .add_enabled(moved, egui::Button::new("Fit"))
            .on_hover_text("Show the whole volume.")
            .on_disabled_hover_text("The whole volume is shown. Ctrl + wheel magnifies.");
        if fit.clicked() {
            ctx.change(Change::FitSlices);
        }
    }

    fn views(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, underlay: &Underlay, area: Rect) {
        let (low, high) = underlay.bounds_mm;
        let extent = high - low;
        let gap = 4.0;
        let in_a_row = area.width() > 1.25 * area.height();
        let rects: [Rect; 3] = if in_a_row {
            let across = PLANES.map(|(.., axes)| extent[axes[0]].max(1.0));
            let total: f64 = across.iter().sum();
            let room = f64::from(area.width() - 2.0 * gap);
            let mut left = area.left();
            across.map(|width| {
                let rect = Rect::from_min_size(
                    pos2(left, area.top()),
                    vec2((room * width / total) as f32, area.height()),
                );
                left = rect.right() + gap;
                rect
            })
        } else {
            let half = vec2((area.width() - gap) / 2.0, (area.height() - gap) / 2.0);
            let at = |col: f32, row: f32| {
                Rect::from_min_size(
                    area.min + vec2(col * (half.x + gap), row * (half.y + gap)),
                    half,
                )
            };
            [at(0.0, 0.0), at(0.0, 1.0), at(1.0, 1.0)]
        };
        let mm_per_point = PLANES
            .iter()
            .zip(&rects)
            .map(|((.., axes), rect)| {
                (extent[axes[0]] / f64::from(rect.width()))
                    .max(extent[axes[1]] / f64::from(rect.height()))
            })
            .fold(0.0, f64::max)
            * BORDER
            / f64::from(ctx.layout.view.zoom);
        for ((plane, slot, name, axes), rect) in PLANES.into_iter().zip(rects) {
            self.view(
                ui,
                ctx,
                underlay,
                rect,
                mm_per_point,
                (plane, slot, name, axes),
            );
        }
    }

    fn view(
        &mut self,
        ui: &mut Ui,
        ctx: &Ctx<'_>,
        underlay: &Underlay,
        rect: Rect,
        mm_per_point: f64,
        (plane, slot, name, axes): (Plane, Slot, &str, [usize; 3]),
    ) {
        let ppp = ui.pixels_per_point();
        let rect = Rect::from_min_max(
            pos2(
                (rect.left() * ppp).round() / ppp,
                (rect.top() * ppp).round() / ppp,
            ),
            pos2(
                (rect.right() * ppp).round() / ppp,
                (rect.bottom() * ppp).round() / ppp,
            ),
        );
        let size = [
            (rect.width() * ppp).round().max(1.0) as u32,
            (rect.height() * ppp).round().max(1.0) as u32,
        ];
        let (low, high) = underlay.bounds_mm;
        let crosshair = ctx.layout.view.crosshair().unwrap_or((low + high) / 2.0);
        let mut centre = ctx
            .layout
            .view
            .centre_mm
            .map_or((low + high) / 2.0, DVec3::from_array);
        centre[axes[2]] = crosshair[axes[2]];
        let slice = SliceView {
            nose_right: false,
            slab_mm: None,
            plane,
            centre_mm: centre.as_vec3(),
            mm_per_pixel: (mm_per_point / f64::from(ppp)) as f32,
            radiological: ctx.layout.view.radiological,
            layers: layers(ctx, underlay),
            outlines: ctx
                .session
                .subject
                .atlas
                .as_ref()
                .filter(|_| ctx.layout.view.slice_outlines)
                .map(|atlas| atlas.outlines.clone()),
            crosshair: Some((crosshair.as_vec3(), ctx.theme.crosshair)),
        };
        let response = ui.interact(rect, ui.scope_id().with(name), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        self.pointer(ui, ctx, &response, (&slice, size, ppp), crosshair, axes);

        let scene = Scene {
            background: ctx.theme.canvas,
            view: View::Slice(slice),
        };
        match ctx.easel.borrow_mut().show(ui.ctx(), slot, &scene, size) {
            Ok(texture) => {
                let whole = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
                ui.painter().image(texture, rect, whole, Color32::WHITE);
            }
            Err(error) => {
                ui.painter()
                    .rect_filled(rect, 2.0, ctx.theme.canvas_colour());
                ui.painter().text(
                    rect.center(),
                    Align2::CENTER_CENTER,
                    error,
                    theme::small_font(),
                    ctx.theme.on_canvas(),
                );
            }
        }
        letters(ui, ctx, rect, plane);
        let title = format!(
            "{} = {} mm",
            ["x", "y", "z"][axes[2]],
            tenth(crosshair[axes[2]])
        );
        plate(
            ui,
            ctx,
            rect.left_bottom() + vec2(5.0, -5.0),
            Align2::LEFT_BOTTOM,
            &title,
        );
    }

    fn pointer(
        &mut self,
        ui: &Ui,
        ctx: &Ctx<'_>,
        response: &egui::Response,
        (slice, size, ppp): (&SliceView, [u32; 2], f32),
        crosshair: DVec3,
        axes: [usize; 3],
    ) {
        let world = |at: Pos2| {
            let from = at - response.rect.min;
            slice
                .world_at([from.x * ppp, from.y * ppp], size)
                .as_dvec3()
        };
        let pans = response.dragged_by(PointerButton::Middle)
            || (response.dragged_by(PointerButton::Primary) && ui.input(|i| i.modifiers.alt));
        if pans {
            let from = world(response.rect.center());
            let to = world(response.rect.center() - response.drag_delta());
            let zoom = ctx.layout.view.zoom;
            let centre_mm = slice.centre_mm.as_dvec3() + (to - from);
            ctx.drag(Change::Zoom { zoom, centre_mm }, response.drag_started());
        } else if response.clicked() || response.dragged_by(PointerButton::Primary) {
            if let Some(at) = response.interact_pointer_pos() {
                let mut to = world(at);
                to[axes[2]] = crosshair[axes[2]];
                if to.distance(crosshair) > 1e-3 {
                    ctx.drag(Change::Crosshair(to), !self.dragging);
                }
                self.dragging = response.dragged();
            }
        } else if response.drag_stopped() {
            self.dragging = false;
        }
        let Some(pointer) = response.hover_pos() else {
            return;
        };
        let magnify = ui.input(egui::InputState::zoom_delta);
        if magnify != 1.0 {
            let zoom = (ctx.layout.view.zoom * magnify).clamp(1.0, 40.0);
            let kept = 1.0 - f64::from(ctx.layout.view.zoom / zoom);
            let centre = slice.centre_mm.as_dvec3();
            let centre_mm = centre + (world(pointer) - centre) * kept;
            ctx.drag(Change::Zoom { zoom, centre_mm }, true);
        }
        let turned = ui.input(|i| {
            let turns = i.events.iter().filter_map(|event| match event {
                egui::Event::MouseWheel {
                    unit,
                    delta,
                    modifiers,
                    ..
                } if !modifiers.command => Some(match unit {
                    egui::MouseWheelUnit::Point => delta.y / POINTS_A_SLICE,
                    egui::MouseWheelUnit::Line | egui::MouseWheelUnit::Page => delta.y,
                }),
                _ => None,
            });
            turns.sum::<f32>()
        });
        self.wheel += turned;
        let steps = self.wheel.trunc();
        if steps != 0.0 {
            self.wheel -= steps;
            let mut to = crosshair;
            to[axes[2]] += f64::from(steps) * step_mm(ctx);
            ctx.drag(Change::Crosshair(to), true);
        }
    }
}

/// One slice: the smallest voxel edge of what lies underneath, mm.
pub fn step_mm(ctx: &Ctx<'_>) -> f64 {
    ctx.session.underlay().map_or(1.0, |u| {
        u.volume.grid.voxel_size_mm().min_element().max(0.1)
    })
}

fn layers(ctx: &Ctx<'_>, underlay: &Underlay) -> Vec<VolumeLayer> {
    let grey = Look {
        soft: false,
        colormap: Colormap::Grey,
        range: underlay.window,
        threshold: 0.0,
        two_sided: false,
        opacity: 1.0,
    };
    let mut layers = vec![VolumeLayer {
        modulation: None,
        volume: underlay.data.clone(),
        linear: true,
        look: grey,
    }];
    if let Some((map, look)) = overlay::current(ctx) {
        // The nearest voxel, so that what is seen is what was measured.
        layers.push(VolumeLayer {
            modulation: None,
            volume: map.data.clone(),
            linear: false,
            look: look.look(map.id),
        });
    }
    layers
}

fn letters(ui: &Ui, ctx: &Ctx<'_>, rect: Rect, plane: Plane) {
    let (left, right) = if ctx.layout.view.radiological {
        ("R", "L")
    } else {
        ("L", "R")
    };
    let [left, right, top, bottom] = match plane {
        Plane::Axial => [left, right, "A", "P"],
        Plane::Coronal => [left, right, "S", "I"],
        Plane::Sagittal => ["A", "P", "S", "I"],
    };
    plate(
        ui,
        ctx,
        rect.left_center() + vec2(4.0, 0.0),
        Align2::LEFT_CENTER,
        left,
    );
    plate(
        ui,
        ctx,
        rect.right_center() - vec2(4.0, 0.0),
        Align2::RIGHT_CENTER,
        right,
    );
    plate(
        ui,
        ctx,
        rect.center_top() + vec2(0.0, 3.0),
        Align2::CENTER_TOP,
        top,
    );
    plate(
        ui,
        ctx,
        rect.center_bottom() - vec2(0.0, 4.0),
        Align2::CENTER_BOTTOM,
        bottom,
    );
}

/// Small text on a dark plate, readable over any picture.
pub fn plate(ui: &Ui, ctx: &Ctx<'_>, at: Pos2, align: Align2, text: &str) {
    let galley =
        ui.painter()
            .layout_no_wrap(text.to_owned(), theme::small_font(), ctx.theme.on_canvas());
    let rect = align.anchor_size(at, galley.size());
    ui.painter()
        .rect_filled(rect.expand2(vec2(3.0, 0.0)), 2.0, ctx.theme.veil());
    ui.painter().galley(rect.min, galley, ctx.theme.on_canvas());
}

fn read_out(ui: &mut Ui, ctx: &Ctx<'_>, underlay: &Underlay) {
    let Some(at) = ctx.layout.view.crosshair() else {
        return;
    };
    ui.spacing_mut().item_spacing.y = 2.0;
    let voxel = |ijk: Option<[usize; 3]>| {
        ijk.map_or_else(
            || "outside".to_owned(),
            |[i, j, k]| format!("voxel {i}, {j}, {k}"),
        )
    };
    ui.horizontal(|ui| {
        pair(
            ui,
            ctx,
            "World (RAS)",
            &format!("{}, {}, {} mm", tenth(at.x), tenth(at.y), tenth(at.z)),
        )
        .on_hover_text("Right, anterior and superior of the origin are positive.");
        let region = ctx
            .session
            .region_at(at)
            .map_or("none", |r| r.name.as_str());
        pair(ui, ctx, "Region", region).on_hover_text("The atlas's region at the crosshair.");
        if let Some((map, _)) = overlay::current(ctx) {
            let value = map
                .volume
                .at_world(at)
                .map_or_else(|| "outside".into(), |v| short(f64::from(v)));
            pair(
                ui,
                ctx,
                map.id.name(),
                &format!("{value} ({})", map.id.unit()),
            )
            .on_hover_text(map.id.meaning());
        }
    });
    ui.horizontal(|ui| {
        let ijk = underlay.volume.grid.voxel_at(at);
        let value = ijk.map_or_else(String::new, |v| {
            format!(" = {}", short(f64::from(underlay.volume.at(v))))
        });
        pair(
            ui,
            ctx,
            &super::capitalised(&underlay.name),
            &format!("{}{value}", voxel(ijk)),
        )
        .on_hover_text("Voxel indices i, j, k from 0, and the value in the file's own units.");
        if let Some(grid) = ctx.session.bold_grid() {
            pair(ui, ctx, "BOLD", &voxel(grid.voxel_at(at)))
                .on_hover_text("The voxel of the run whose time course is shown.");
        }
    });
}

/// Millimetres to a tenth, without a minus before zero.
fn tenth(mm: f64) -> String {
    let rounded = (mm * 10.0).round() / 10.0;
    format!("{:.1}", if rounded == 0.0 { 0.0 } else { rounded })
}

fn pair(ui: &mut Ui, ctx: &Ctx<'_>, name: &str, value: &str) -> egui::Response {
    let mut job = egui::text::LayoutJob::default();
    let format = |color| egui::TextFormat {
        font_id: theme::small_font(),
        color,
        ..Default::default()
    };
    job.append(name, 0.0, format(ctx.theme.weak));
    job.append(value, 6.0, format(ctx.theme.strong));
    let response = ui.label(job);
    ui.add_space(4.0);
    response
}
