//! Buttons with a drawn sign instead of text: the window's font has letters only.

use egui::{Pos2, Response, Sense, Shape, Stroke, Ui, pos2, vec2};

/// A sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Icon {
    /// An eye: drawn.
    Eye,
    /// An eye struck through: not drawn.
    Closed,
    /// A triangle that points up.
    Up,
    /// One that points down.
    Down,
}

/// A small button. Its name and tooltip are the caller's.
pub fn button(ui: &mut Ui, icon: Icon, enabled: bool) -> Response {
    let sense = if enabled {
        Sense::click()
    } else {
        Sense::hover()
    };
    let (rect, response) = ui.allocate_exact_size(vec2(26.0, 22.0), sense);
    if ui.is_rect_visible(rect) {
        let visuals = ui.style().interact(&response);
        let mut ink = visuals.fg_stroke.color;
        if !enabled {
            ink = ink.gamma_multiply(0.35);
        }
        let painter = ui.painter();
        if enabled {
            painter.rect_filled(rect, visuals.corner_radius, visuals.weak_bg_fill);
        }
        let at = |x: f32, y: f32| rect.center() + vec2(x, y);
        match icon {
            Icon::Eye | Icon::Closed => {
                if icon == Icon::Closed {
                    ink = ink.gamma_multiply(0.6);
                }
                let lid = |sign: f32| -> Vec<Pos2> {
                    let steps = (-8..=8).map(|n| n as f32 / 8.0);
                    steps
                        .map(|x| at(8.0 * x, sign * 5.0 * (1.0 - x * x)))
                        .collect()
                };
                for sign in [-1.0, 1.0] {
                    painter.add(Shape::line(lid(sign), Stroke::new(1.3, ink)));
                }
                painter.circle_filled(at(0.0, 0.0), 2.4, ink);
                if icon == Icon::Closed {
                    let ends = [at(-6.5, 6.5), at(6.5, -6.5)];
                    painter.line_segment(ends, Stroke::new(1.3, ink));
                }
            }
            Icon::Up | Icon::Down => {
                let sign = if icon == Icon::Up { -1.0 } else { 1.0 };
                let corners = [
                    at(-5.0, -3.0 * sign),
                    at(5.0, -3.0 * sign),
                    at(0.0, 4.0 * sign),
                ];
                painter.add(Shape::convex_polygon(corners.to_vec(), ink, Stroke::NONE));
            }
        }
    }
    response
}

/// A sign among text, such as whether a list is open; `at` is its middle.
pub fn sign(ui: &Ui, down: bool, at: Pos2) {
    let ink = ui.visuals().text_color();
    let sign = if down { 1.0 } else { -1.0 };
    let corners = [(-4.0, -2.0), (4.0, -2.0), (0.0, 3.0)];
    let corners = corners.map(|(x, y)| pos2(at.x + x, at.y + y * sign));
    let shape = Shape::convex_polygon(corners.to_vec(), ink, Stroke::NONE);
    ui.painter().add(shape);
}
