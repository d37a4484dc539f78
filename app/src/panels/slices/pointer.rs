//! What the mouse does on a slice, as its preset says.

use egui::{Pos2, Rect, Ui};
use fusiform_render::scene::SliceView;
use glam::DVec3;

use super::step_mm;
use crate::command::Change;
use crate::layout::{Drag, Wheel};
use crate::panels::Ctx;
use crate::session::Underlay;
use crate::workbench::grey::robust_range;

/// Points of wheel travel that make one slice, for wheels that report points.
const POINTS_A_SLICE: f32 = 40.0;
/// How much one step of the wheel magnifies.
const ZOOM_A_STEP: f32 = 1.15;
/// A drag of so many points makes contrast, or magnification, e times as large.
const POINTS_AN_E: f32 = 180.0;
/// A drag of so many points moves the middle grey by all that is shown.
const POINTS_A_RANGE: f32 = 300.0;
/// A box with a shorter side is a slip of the hand, points.
const LEAST_BOX: f32 = 6.0;
/// The most that slices are magnified.
pub(super) const MOST_ZOOM: f32 = 40.0;

/// A slice on the screen.
#[derive(Clone, Copy, Debug)]
pub(super) struct OnScreen<'a> {
    pub(super) slice: &'a SliceView,
    /// Pixels across and down, and pixels a point.
    pub(super) size: [u32; 2],
    pub(super) per_point: f32,
    /// World axes across, down and through.
    pub(super) axes: [usize; 3],
    pub(super) crosshair: DVec3,
    pub(super) underlay: &'a Underlay,
}

impl OnScreen<'_> {
    fn world(&self, rect: Rect, at: Pos2) -> DVec3 {
        let from = (at - rect.min) * self.per_point;
        self.slice.world_at([from.x, from.y], self.size).as_dvec3()
    }
}

/// A drag in progress.
#[derive(Clone, Copy, Debug)]
struct Held {
    does: Drag,
    from: Pos2,
    /// Black and white, the magnification and the middle when it began.
    grey: (f32, f32),
    zoom: f32,
    centre: DVec3,
    started: bool,
}

/// What the mouse is doing.
#[derive(Debug, Default)]
pub(super) struct Pointer {
    held: Option<Held>,
    wheel: f32,
}

impl Pointer {
    /// Acts on this frame's gestures.
    pub(super) fn act(
        &mut self,
        ui: &Ui,
        ctx: &Ctx<'_>,
        response: &egui::Response,
        on: OnScreen<'_>,
    ) {
        self.press(ui, ctx, response, on);
        self.drag(ui, ctx, response, on);
        self.wheel(ui, ctx, response, on);
    }

    /// Clicks, and the beginning of drags.
    fn press(&mut self, ui: &Ui, ctx: &Ctx<'_>, response: &egui::Response, on: OnScreen<'_>) {
        let keys = ui.input(|i| i.modifiers);
        let view = &ctx.layout.view;
        if response.drag_started()
            && let Some(at) = ui.input(|i| i.pointer.press_origin())
        {
            let buttons = [
                egui::PointerButton::Primary,
                egui::PointerButton::Middle,
                egui::PointerButton::Secondary,
            ];
            let button = buttons.into_iter().find(|b| response.dragged_by(*b));
            self.held = button
                .and_then(|button| ctx.layout.mouse.drag(button, keys))
                .map(|does| Held {
                    does,
                    from: at,
                    grey: view.grey.unwrap_or(on.underlay.window),
                    zoom: view.zoom,
                    centre: on.slice.centre_mm.as_dvec3(),
                    started: false,
                });
        }
        if response.clicked()
            && let Some(at) = response.interact_pointer_pos()
        {
            self.crosshair(ctx, response, on, at, false);
        }
        if response.double_clicked_by(egui::PointerButton::Secondary) && view.grey.is_some() {
            ctx.change(Change::Grey(None));
        }
    }

    fn crosshair(
        &self,
        ctx: &Ctx<'_>,
        response: &egui::Response,
        on: OnScreen<'_>,
        at: Pos2,
        goes_on: bool,
    ) {
        let mut to = on.world(response.rect, at);
        to[on.axes[2]] = on.crosshair[on.axes[2]];
        if to.distance(on.crosshair) > 1e-3 {
            ctx.drag(Change::Crosshair(to), !goes_on);
        }
    }

    fn drag(&mut self, ui: &Ui, ctx: &Ctx<'_>, response: &egui::Response, on: OnScreen<'_>) {
        let Some(held) = self
            .held
            .filter(|_| response.dragged() || response.drag_stopped())
        else {
            return;
        };
        let Some(at) = response.interact_pointer_pos() else {
            self.held = None;
            return;
        };
        let moved = at - held.from;
        let first = !held.started;
        if response.dragged() {
            if let Some(held) = &mut self.held {
                held.started = true;
            }
            match held.does {
                Drag::Crosshair => self.crosshair(ctx, response, on, at, held.started),
                Drag::Pan => {
                    let shift = on.world(response.rect, held.from) - on.world(response.rect, at);
                    let zoom = held.zoom;
                    let centre_mm = held.centre + shift;
                    ctx.drag(Change::Zoom { zoom, centre_mm }, first);
                }
                Drag::Contrast => {
                    ctx.drag(
                        Change::Grey(Some(contrast(held.grey, on.underlay.window, moved))),
                        first,
                    );
                }
                Drag::Zoom => {
                    let zoom = (held.zoom * (-moved.y / POINTS_AN_E).exp()).clamp(1.0, MOST_ZOOM);
                    zoom_about(ctx, on, on.world(response.rect, held.from), zoom, first);
                }
                Drag::ContrastBox | Drag::ZoomBox => {
                    let drawn = Rect::from_two_pos(held.from, at).intersect(response.rect);
                    let stroke = egui::Stroke::new(1.5, ctx.theme.accent);
                    let inside = egui::StrokeKind::Inside;
                    // Over the picture, which is drawn after this.
                    let layer =
                        egui::LayerId::new(egui::Order::Foreground, egui::Id::unique("box"));
                    ui.ctx()
                        .layer_painter(layer)
                        .rect_stroke(drawn, 0.0, stroke, inside);
                }
            }
        } else {
            let drawn = Rect::from_two_pos(held.from, at).intersect(response.rect);
            if drawn.width().min(drawn.height()) >= LEAST_BOX {
                match held.does {
                    Drag::ContrastBox => {
                        let numbers = numbers_in(response.rect, on, drawn);
                        ctx.change(Change::Grey(Some(robust_range(&numbers, 0.02, 0.98))));
                    }
                    Drag::ZoomBox => zoom_to(ctx, response, on, drawn),
                    _ => {}
                }
            }
            self.held = None;
        }
    }

    fn wheel(&mut self, ui: &Ui, ctx: &Ctx<'_>, response: &egui::Response, on: OnScreen<'_>) {
        let Some(pointer) = response.hover_pos() else {
            return;
        };
        // Fingers that spread, and Ctrl + wheel, which egui takes for that.
        let magnify = ui.input(egui::InputState::zoom_delta);
        if magnify != 1.0 {
            let zoom = (ctx.layout.view.zoom * magnify).clamp(1.0, MOST_ZOOM);
            zoom_about(ctx, on, on.world(response.rect, pointer), zoom, false);
        }
        let turns = ui.input(|i| {
            let turn = |event: &egui::Event| match event {
                egui::Event::MouseWheel {
                    unit,
                    delta,
                    modifiers,
                    ..
                } if !modifiers.command => Some((
                    match unit {
                        egui::MouseWheelUnit::Point => delta.y / POINTS_A_SLICE,
                        egui::MouseWheelUnit::Line | egui::MouseWheelUnit::Page => delta.y,
                    },
                    *modifiers,
                )),
                _ => None,
            };
            i.events.iter().filter_map(turn).collect::<Vec<_>>()
        });
        for (turned, keys) in turns {
            match ctx.layout.mouse.wheel(keys) {
                Some(Wheel::Slice) => self.wheel += turned,
                Some(Wheel::Zoom) => {
                    let factor = ZOOM_A_STEP.powf(turned);
                    let zoom = (ctx.layout.view.zoom * factor).clamp(1.0, MOST_ZOOM);
                    zoom_about(ctx, on, on.world(response.rect, pointer), zoom, false);
                }
                None => {}
            }
        }
        let steps = self.wheel.trunc();
        if steps != 0.0 {
            self.wheel -= steps;
            let mut to = on.crosshair;
            to[on.axes[2]] += f64::from(steps) * step_mm(ctx);
            ctx.drag(Change::Crosshair(to), false);
        }
    }
}

/// Up is brighter, right is more contrast.
fn contrast((low, high): (f32, f32), shown: (f32, f32), moved: egui::Vec2) -> (f32, f32) {
    let span = (shown.1 - shown.0).max(f32::MIN_POSITIVE);
    let middle = (low + high) / 2.0 + moved.y / POINTS_A_RANGE * span;
    let width = (high - low) * (-moved.x / POINTS_AN_E).exp();
    let half = width.clamp(1e-3 * span, 20.0 * span) / 2.0;
    (middle - half, middle + half)
}

/// Magnifies so that a point of the world stays where it is.
fn zoom_about(ctx: &Ctx<'_>, on: OnScreen<'_>, at: DVec3, zoom: f32, starts: bool) {
    let kept = 1.0 - f64::from(ctx.layout.view.zoom / zoom);
    let centre = on.slice.centre_mm.as_dvec3();
    let centre_mm = centre + (at - centre) * kept;
    ctx.drag(Change::Zoom { zoom, centre_mm }, starts);
}

/// Magnifies until a box fills the picture.
fn zoom_to(ctx: &Ctx<'_>, response: &egui::Response, on: OnScreen<'_>, drawn: Rect) {
    let room = response.rect.size() / drawn.size();
    let zoom = (ctx.layout.view.zoom * room.x.min(room.y)).clamp(1.0, MOST_ZOOM);
    let centre_mm = on.world(response.rect, drawn.center());
    ctx.change(Change::Zoom { zoom, centre_mm });
}

/// The numbers of the anatomy in a box on the screen, a point apart.
fn numbers_in(rect: Rect, on: OnScreen<'_>, drawn: Rect) -> Vec<f32> {
    let volume = &on.underlay.volume;
    let (across, down) = (drawn.width() as usize, drawn.height() as usize);
    let places = (0..down).flat_map(|y| (0..across).map(move |x| egui::vec2(x as f32, y as f32)));
    let numbers = places.filter_map(|offset| {
        let at = on.world(rect, drawn.min + offset + egui::Vec2::splat(0.5));
        volume.at_world(at)
    });
    numbers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_is_brighter_and_right_is_more_contrast() {
        let shown = (0.0, 100.0);
        let (low, high) = contrast(shown, shown, egui::vec2(0.0, -30.0));
        // White and black both come at smaller numbers: the picture is brighter.
        assert!((low + 10.0).abs() < 1e-3 && (high - 90.0).abs() < 1e-3);
        let (low, high) = contrast(shown, shown, egui::vec2(POINTS_AN_E, 0.0));
        assert!((high - low - 100.0 / std::f32::consts::E).abs() < 1e-3);
        assert!(((low + high) / 2.0 - 50.0).abs() < 1e-3);
    }
}
