//! Axial, coronal and sagittal slices, linked by one crosshair.

use egui::{Align2, PointerButton, Pos2, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fusiform_render::scene::{Plane, SliceView, View};
use glam::DVec3;

use super::canvas::{self, plate};
use super::lasso::Lasso;
use super::{Ctx, names, overlay, placeholder, short};
use crate::command::{Change, Command};
use crate::compose::names::on_slice;
use crate::compose::slices::{PLANES, mm_per_pixel, scene};
use crate::gpu::Slot;
use crate::jobs::Kind;
use crate::layout::SliceMode;
use crate::session::Underlay;
use crate::theme;
use crate::workbench::draw::Drawing;

/// Points of wheel travel that make one slice, for wheels that report points.
const POINTS_A_SLICE: f32 = 40.0;
/// Lines of read-out below the slices, points.
const READ_OUT: f32 = 46.0;

/// Where each plane is drawn, and its name.
const SLOTS: [(Slot, &str); 3] = [
    (Slot::Axial, "Axial slice"),
    (Slot::Coronal, "Coronal slice"),
    (Slot::Sagittal, "Sagittal slice"),
];
/// Slices of a mosaic, at least.
const TILES: usize = 12;

/// A drag or a turn of the wheel in progress.
#[derive(Debug, Default)]
pub struct Slices {
    dragging: bool,
    wheel: f32,
    lasso: Lasso,
    /// How far through the head a drawn line reaches, mm.
    slab_mm: f64,
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
        ui.horizontal_wrapped(|ui| {
            self.switches(ui, ctx);
            self.drawing(ui);
        });
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
            match ctx.layout.view.slices {
                SliceMode::Mosaic => mosaic(ui, ctx, underlay, views),
                SliceMode::Three | SliceMode::Glass => self.views(ui, ctx, underlay, views),
            }
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
        for (mode, name, hint) in [
            (
                SliceMode::Three,
                "Three",
                "Axial, coronal and sagittal through the crosshair. Key T",
            ),
            (
                SliceMode::Mosaic,
                "Mosaic",
                "Axial slices from bottom to top. Key M",
            ),
            (
                SliceMode::Glass,
                "Glass",
                "A glass brain: each pixel shows the map's largest number on the way through the head. Key G",
            ),
        ] {
            if ui
                .selectable_label(view.slices == mode, name)
                .on_hover_text(hint)
                .clicked()
            {
                ctx.change(Change::Slices(mode));
            }
        }
        ui.separator();
        let mut outlines = view.slice_outlines;
        let has_atlas = ctx.session.listed_regions().next().is_some();
        let regions = ui
            .add_enabled(
                has_atlas,
                egui::Checkbox::new(&mut outlines, "Region borders"),
            )
            .on_hover_text("The borders of the atlas's regions and of your own.")
            .on_disabled_hover_text("This subject has no atlas, and no region was drawn.");
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
        let mut nose_right = view.nose_right;
        let nose = ui
            .checkbox(&mut nose_right, "Nose right")
            .on_hover_text("On: anterior is on the right of sagittal slices. Off: on the left.");
        if nose.changed() {
            ctx.change(Change::NoseRight(nose_right));
        }
        let mut smooth = view.smooth_map;
        let smooth_box = ui.checkbox(&mut smooth, "Smooth map").on_hover_text(
            "On: the map runs evenly between voxel centres. Off: each voxel is a block, as it was measured.",
        );
        if smooth_box.changed() {
            ctx.change(Change::SmoothMap(smooth));
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

    /// The tool that draws regions.
    fn drawing(&mut self, ui: &mut Ui) {
        let hint = "Draw round voxels with the mouse; let go, and they become a region of your own. Escape forgets the \
                    line.";
        self.lasso.toggle(ui, hint);
        if self.lasso.on {
            let slab = egui::DragValue::new(&mut self.slab_mm)
                .range(0.0..=200.0)
                .speed(0.2)
                .suffix(" mm thick")
                .max_decimals(1);
            ui.add(slab).accessible_name("Thickness").on_hover_text(
                "How far the region reaches through the slice, to both sides together. 0: the one layer of voxels that \
                 is cut.",
            );
        }
    }

    fn views(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, underlay: &Underlay, area: Rect) {
        let (low, high) = underlay.bounds_mm;
        let extent = high - low;
        let gap = 4.0;
        let in_a_row = area.width() > 1.25 * area.height();
        let rects: [Rect; 3] = if in_a_row {
            let across = PLANES.map(|(_, axes)| extent[axes[0]].max(1.0));
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
        let sizes = rects.map(|r| [f64::from(r.width()), f64::from(r.height())]);
        let mm_per_point = mm_per_pixel(underlay, sizes, f64::from(ctx.layout.view.zoom));
        for (plane, rect) in rects.into_iter().enumerate() {
            self.view(ui, ctx, underlay, rect, mm_per_point, plane);
        }
    }

    fn view(
        &mut self,
        ui: &mut Ui,
        ctx: &Ctx<'_>,
        underlay: &Underlay,
        rect: Rect,
        mm_per_point: f64,
        number: usize,
    ) {
        let ppp = canvas::pixels_per_point(ui, ctx);
        let (rect, size) = canvas::on_pixels(ui, rect, ppp);
        let (plane, axes) = PLANES[number];
        let (slot, name) = SLOTS[number];
        let (low, high) = underlay.bounds_mm;
        let crosshair = ctx.layout.view.crosshair().unwrap_or((low + high) / 2.0);
        let zoom = (crosshair[axes[2]], mm_per_point / f64::from(ppp));
        let scene = scene(
            ctx.session,
            &ctx.layout.view,
            underlay,
            number,
            zoom,
            ctx.theme.paint(),
        );
        let response = ui.interact(rect, ui.scope_id().with(name), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        if let View::Slice(slice) = &scene.view {
            let glass = ctx.layout.view.slices == SliceMode::Glass;
            if !glass {
                self.draw(ui, ctx, &response, (slice, size, ppp), number);
            }
            if glass || !self.lasso.takes(&response) {
                self.pointer(ui, ctx, &response, (slice, size, ppp), crosshair, axes);
            }
        }
        canvas::show(ui, ctx, slot, rect, &scene, size);
        letters(ui, ctx, rect, plane);
        if let View::Slice(slice) = &scene.view {
            regions(ui, ctx, &response, (slice, size, ppp));
            self.lasso.draw(ui, ctx, &response, number);
        }
        let title = if ctx.layout.view.slices == SliceMode::Glass {
            "largest on the way through".to_owned()
        } else {
            position(axes[2], crosshair[axes[2]])
        };
        plate(
            ui,
            ctx,
            rect.left_bottom() + vec2(5.0, -5.0),
            Align2::LEFT_BOTTOM,
            &title,
        );
    }

    /// A line drawn by hand becomes a region.
    fn draw(
        &mut self,
        ui: &Ui,
        ctx: &Ctx<'_>,
        response: &egui::Response,
        (slice, size, ppp): (&SliceView, [u32; 2], f32),
        number: usize,
    ) {
        let Some(line) = self.lasso.follow(ui, response, number) else {
            return;
        };
        let corner = |at: &Pos2| {
            let from = (*at - response.rect.min) * ppp;
            slice.world_at([from.x, from.y], size).as_dvec3()
        };
        let (right, down) = slice.axes();
        ctx.send(Command::Draw(Drawing::OnSlice {
            polygon_mm: line.iter().map(corner).collect(),
            normal: right.cross(down).as_dvec3(),
            slab_mm: self.slab_mm,
        }));
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

/// The names of regions, and of those under the pointer.
fn regions(
    ui: &Ui,
    ctx: &Ctx<'_>,
    response: &egui::Response,
    (slice, size, ppp): (&SliceView, [u32; 2], f32),
) {
    let view = &ctx.layout.view;
    let glass = view.slices == SliceMode::Glass;
    if view.regions.names && view.slice_outlines && !glass {
        let names = on_slice(ctx.session, &view.regions, slice, size);
        let edges = names::edges(response.rect);
        names::write(ui, ctx, response.rect, &names, 1.0 / ppp, &edges);
    }
    if !glass {
        names::under_pointer(ui, ctx, response, |at| {
            let from = (at - response.rect.min) * ppp;
            let world_mm = slice.world_at([from.x, from.y], size).as_dvec3();
            ctx.session.region_names_at(&view.regions, world_mm)
        });
    }
}

/// One slice: the smallest voxel edge of what lies underneath, mm.
pub fn step_mm(ctx: &Ctx<'_>) -> f64 {
    ctx.session.underlay().map_or(1.0, |u| {
        u.volume.grid.voxel_size_mm().min_element().max(0.1)
    })
}

/// `z = −12.0 mm`.
fn position(axis: usize, at_mm: f64) -> String {
    format!("{} = {} mm", ["x", "y", "z"][axis], tenth(at_mm))
}

/// Axial slices from bottom to top, evenly spaced. A click goes there.
fn mosaic(ui: &mut Ui, ctx: &Ctx<'_>, underlay: &Underlay, area: Rect) {
    let (mut low, mut high) = underlay.bounds_mm;
    let extent = high - low;
    // Where there is a map, only where it is.
    if let Some((map, _)) = overlay::current(ctx) {
        let (from, to) = map.volume.grid.world_bounds();
        (low.z, high.z) = (low.z.max(from.z), high.z.min(to.z));
    }
    let shape = (extent.y / extent.x.max(1.0)) as f32;
    // The fewest columns that give a dozen slices, all of them in sight.
    let rows_of = |columns: usize| {
        let height = area.width() / columns as f32 * shape;
        ((area.height() / height) as usize).max(1)
    };
    let columns = (3..=10).find(|&c| c * rows_of(c) >= TILES).unwrap_or(8);
    let rows = rows_of(columns).min(8);
    let (width, height) = (area.width() / columns as f32, area.height() / rows as f32);
    let n = columns * rows;
    let fit = (extent.x / f64::from(width)).max(extent.y / f64::from(height));
    let mm_per_point = fit * 1.04;
    for tile in 0..n {
        let part = (tile as f64 + 0.5) / n as f64;
        let at = low.z + part * (high.z - low.z);
        let corner = vec2(
            (tile % columns) as f32 * width,
            (tile / columns) as f32 * height,
        );
        let rect = Rect::from_min_size(area.min + corner, vec2(width, height)).shrink(1.0);
        let ppp = ui.pixels_per_point();
        let (rect, size) = canvas::on_pixels(ui, rect, ppp);
        let mm = mm_per_point / f64::from(ppp);
        let scene = scene(
            ctx.session,
            &ctx.layout.view,
            underlay,
            0,
            (at, mm),
            ctx.theme.paint(),
        );
        canvas::show(ui, ctx, Slot::Tile(tile as u8), rect, &scene, size);
        let name = format!("Slice at {}", position(2, at));
        let response = ui.interact(rect, ui.scope_id().with(("tile", tile)), Sense::click());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
        plate(
            ui,
            ctx,
            rect.left_bottom() + vec2(4.0, -3.0),
            Align2::LEFT_BOTTOM,
            &position(2, at),
        );
        if tile == 0 {
            let [left, right, ..] = edges(ctx, Plane::Axial);
            let (at_left, at_right) = (rect.left_center(), rect.right_center());
            plate(ui, ctx, at_left + vec2(4.0, 0.0), Align2::LEFT_CENTER, left);
            plate(
                ui,
                ctx,
                at_right - vec2(4.0, 0.0),
                Align2::RIGHT_CENTER,
                right,
            );
        }
        if let View::Slice(slice) = &scene.view {
            regions(ui, ctx, &response, (slice, size, ppp));
        }
        let clicked = response
            .interact_pointer_pos()
            .filter(|_| response.clicked());
        if let (Some(at), View::Slice(slice)) = (clicked, &scene.view) {
            let from = (at - rect.min) * ppp;
            ctx.change(Change::Crosshair(
                slice.world_at([from.x, from.y], size).as_dvec3(),
            ));
        }
    }
}

/// What lies on the left, right, top and bottom.
fn edges(ctx: &Ctx<'_>, plane: Plane) -> [&'static str; 4] {
    let (left, right) = if ctx.layout.view.radiological {
        ("R", "L")
    } else {
        ("L", "R")
    };
    match plane {
        Plane::Axial => [left, right, "A", "P"],
        Plane::Coronal => [left, right, "S", "I"],
        Plane::Sagittal if ctx.layout.view.nose_right => ["P", "A", "S", "I"],
        Plane::Sagittal => ["A", "P", "S", "I"],
    }
}

fn letters(ui: &Ui, ctx: &Ctx<'_>, rect: Rect, plane: Plane) {
    let [left, right, top, bottom] = edges(ctx, plane);
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
