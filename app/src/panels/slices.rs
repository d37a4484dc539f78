//! Axial, coronal and sagittal slices, linked by one crosshair.

mod mosaic;
mod pointer;
mod read_out;

use egui::{Align2, Pos2, Rect, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use fusiform_render::scene::{Plane, SliceView, View};

use self::pointer::{OnScreen, Pointer};
use super::canvas::{self, plate};
use super::lasso::Lasso;
use super::select::marks;
use super::{Ctx, colour_bar, layers, names, overlay, placeholder, toolbar};
use crate::command::{Change, Command};
use crate::compose::names::on_slice;
use crate::compose::slices::{PLANES, edges, mm_per_pixel, plane_mm_per_pixel, scene};
use crate::gpu::Slot;
use crate::jobs::Kind;
use crate::layout::SliceMode;
use crate::session::Underlay;
use crate::workbench::draw::Drawing;

/// Lines of read-out below the slices, points.
const READ_OUT: f32 = 46.0;

/// A panel of less width keeps what is seldom used in a menu, points.
const ROOMY: f32 = 720.0;

/// In a slice of less width the position does not fit beside the letter of the lower edge, points.
const NARROW: f32 = 190.0;

/// Where each plane is drawn, and its name.
const SLOTS: [(Slot, &str); 3] = [
    (Slot::Axial, "Axial slice"),
    (Slot::Coronal, "Coronal slice"),
    (Slot::Sagittal, "Sagittal slice"),
];
/// What the mouse is doing, and whether the list of layers is open.
#[derive(Debug, Default)]
pub struct Slices {
    pointer: Pointer,
    /// Until somebody says otherwise it is open when there are several layers.
    layers_open: Option<bool>,
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
        let several = ctx.layout.view.layers().len() > 1;
        let mut open = self.layers_open.unwrap_or(several);
        let roomy = ui.available_width() >= ROOMY;
        toolbar::row(ui, |ui| overlay::controls(ui, ctx));
        toolbar::row(ui, |ui| {
            layers::toggle(ui, ctx, &mut open);
            ui.separator();
            modes(ui, ctx);
            ui.separator();
            if roomy {
                habits(ui, ctx);
            }
            fit(ui, ctx);
            self.drawing(ui);
            if !roomy {
                toolbar::more(
                    ui,
                    "Borders of regions, which side is left, how voxels look.",
                    |ui| {
                        habits(ui, ctx);
                    },
                );
            }
        });
        if open != self.layers_open.unwrap_or(several) {
            self.layers_open = Some(open);
        }
        if open {
            layers::list(ui, ctx);
        }
        ui.add_space(2.0);
        let area = ui.available_rect_before_wrap();
        let below = Rect::from_min_max(pos2(area.left(), area.bottom() - READ_OUT), area.max);
        let bar_width = if colour_bar::is_needed(ctx) {
            colour_bar::BAR_WIDTH
        } else {
            0.0
        };
        let views = Rect::from_min_max(area.min, pos2(area.right() - bar_width, below.top() - 4.0));
        if views.width() > 60.0 && views.height() > 60.0 {
            match ctx.layout.view.slices {
                SliceMode::Mosaic => mosaic::ui(ui, ctx, underlay, views),
                _ => self.views(ui, ctx, underlay, views),
            }
            let bar = Rect::from_min_max(
                pos2(views.right() + 8.0, views.top()),
                pos2(area.right(), views.bottom()),
            );
            colour_bar::bars(ui, ctx, bar);
        }
        ui.scope_builder(egui::UiBuilder::new().max_rect(below), |ui| {
            read_out::ui(ui, ctx, underlay);
        });
    }

    /// The tool that draws regions.
    fn drawing(&mut self, ui: &mut Ui) {
        let hint = "Draw round voxels with the mouse; let go, and they become a region of your own. Escape forgets the \
                    line. Key L";
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

    fn views(&mut self, ui: &mut Ui, ctx: &Ctx<'_>, underlay: &Underlay, area: Rect) {
        let (low, high) = underlay.bounds_mm;
        let extent = high - low;
        if let Some(plane) = ctx.layout.view.slices.alone() {
            let size = [area.width(), area.height()].map(f64::from);
            let zoom = f64::from(ctx.layout.view.zoom);
            let mm_per_point = plane_mm_per_pixel(underlay, plane, size, zoom);
            self.view(ui, ctx, underlay, area, mm_per_point, plane);
            return;
        }
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
        let mut scene = scene(
            ctx.session,
            &ctx.layout.view,
            underlay,
            number,
            zoom,
            ctx.theme.paint(),
        );
        canvas::widen(&mut scene, ppp);
        let response = ui.interact(rect, ui.scope_id().with(name), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        if let View::Slice(slice) = &scene.view {
            let on = OnScreen {
                slice,
                size,
                per_point: ppp,
                axes,
                crosshair,
                underlay,
            };
            let glass = ctx.layout.view.slices == SliceMode::Glass;
            if !glass {
                self.draw(ui, ctx, &response, (slice, size, ppp), number);
            }
            if glass || !self.lasso.takes(&response) {
                self.pointer.act(ui, ctx, &response, on);
            }
        }
        canvas::show(ui, ctx, slot, rect, &scene, size);
        if let View::Slice(slice) = &scene.view {
            marks::on_slice(ui, ctx, rect, slice, size);
        }
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
        // Above the letter of the lower edge where there is no room beside it.
        let lift = if rect.width() < NARROW { 22.0 } else { 5.0 };
        let at = rect.left_bottom() + vec2(5.0, -lift);
        plate(ui, ctx, at, Align2::LEFT_BOTTOM, &title);
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
    let mut taken = Vec::new();
    if view.regions.names && view.slice_outlines && !glass {
        let names = on_slice(ctx.session, &view.regions, slice, size);
        let edges = names::edges(response.rect);
        taken = names::write(ui, ctx, response.rect, &names, 1.0 / ppp, &edges);
    }
    if !glass {
        names::under_pointer(ui, ctx, response, &taken, |at| {
            let from = (at - response.rect.min) * ppp;
            let world_mm = slice.world_at([from.x, from.y], size).as_dvec3();
            ctx.session.region_names_at(&view.regions, world_mm)
        });
    }
}

/// How slices are arranged.
fn modes(ui: &mut Ui, ctx: &Ctx<'_>) {
    let view = &ctx.layout.view;
    for (mode, name, hint) in [
        (
            SliceMode::Three,
            "Three",
            "Axial, coronal and sagittal through the crosshair. Key T; Z, Y and X show one of them alone",
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
}

/// How slices are drawn, as the user is used to.
fn habits(ui: &mut Ui, ctx: &Ctx<'_>) {
    let view = &ctx.layout.view;
    let mut outlines = view.slice_outlines;
    let has_atlas = ctx.session.listed_regions().next().is_some();
    let regions = ui
        .add_enabled(
            has_atlas,
            egui::Checkbox::new(&mut outlines, "Region borders"),
        )
        .on_hover_text("The borders of the atlas's regions and of your own. Key B")
        .on_disabled_hover_text("This subject has no atlas, and no region was drawn.");
    if regions.changed() {
        ctx.change(Change::SliceOutlines(outlines));
    }
    let mut radiological = view.radiological;
    let side = ui.checkbox(&mut radiological, "Radiological").on_hover_text(
        "On: the subject's right is on the left of axial and coronal slices, as if seen from the feet or the \
         front. Off (neurological): right is right. Key R",
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
        "On: the map runs evenly between voxel centres. Off: each voxel is a block, as it was measured. Key O",
    );
    if smooth_box.changed() {
        ctx.change(Change::SmoothMap(smooth));
    }
}

fn fit(ui: &mut Ui, ctx: &Ctx<'_>) {
    let view = &ctx.layout.view;
    let moved = view.zoom != 1.0 || view.centre_mm.is_some();
    let fit = ui
        .add_enabled(moved, egui::Button::new("Fit"))
        .on_hover_text("Show the whole volume. Key 0")
        .on_disabled_hover_text("The whole volume is shown. Ctrl + wheel magnifies.");
    if fit.clicked() {
        ctx.change(Change::FitSlices);
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

fn letters(ui: &Ui, ctx: &Ctx<'_>, rect: Rect, plane: Plane) {
    let [left, right, top, bottom] = edges(&ctx.layout.view, plane);
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

/// Millimetres to a tenth, without a minus before zero.
fn tenth(mm: f64) -> String {
    let rounded = (mm * 10.0).round() / 10.0;
    format!("{:.1}", if rounded == 0.0 { 0.0 } else { rounded })
}
