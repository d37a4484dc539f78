//! A closed line drawn by hand over a picture.

use egui::{PointerButton, Pos2, Response, Stroke, Ui};

use super::Ctx;

/// Points between two corners of the line.
const STEP: f32 = 2.5;

/// The tool: on or off, and the line that is being drawn.
#[derive(Debug, Default)]
pub struct Lasso {
    /// Whether a drag draws a line.
    pub on: bool,
    /// Over which picture of the panel it began.
    over: usize,
    line: Vec<Pos2>,
    /// Whether the pointer was over a picture of the panel in the last frame.
    near: bool,
}

impl Lasso {
    /// The switch.
    pub fn toggle(&mut self, ui: &mut Ui, hint: &str) {
        let pressed = ui
            .selectable_label(self.on, "Lasso")
            .on_hover_text(hint)
            .clicked();
        // The key means the picture that is under the pointer.
        let typed = std::mem::take(&mut self.near)
            && !ui.ctx().egui_wants_keyboard_input()
            && ui.input_mut(|i| i.consume_key(egui::Modifiers::NONE, egui::Key::L));
        if pressed || typed {
            self.on = !self.on;
            self.line.clear();
        }
    }

    /// Whether the pointer is the tool's in this frame; wheel, clicks and other buttons are not.
    pub fn takes(&mut self, response: &Response) -> bool {
        self.near |= response.contains_pointer();
        self.on && (response.dragged_by(PointerButton::Primary) || response.drag_stopped())
    }

    /// Follows the pointer over picture `over`; gives the line once it is closed, by letting go. Escape forgets it.
    pub fn follow(&mut self, ui: &Ui, response: &Response, over: usize) -> Option<Vec<Pos2>> {
        if !self.on {
            return None;
        }
        if response.drag_started_by(PointerButton::Primary) {
            self.over = over;
            self.line.clear();
            // Where the button went down, not where the drag was recognised.
            self.line.extend(ui.input(|i| i.pointer.press_origin()));
        }
        if self.over != over {
            return None;
        }
        if ui.input(|i| i.key_pressed(egui::Key::Escape)) {
            self.line.clear();
        }
        if response.dragged_by(PointerButton::Primary)
            && !self.line.is_empty()
            && let Some(at) = response.interact_pointer_pos()
            && self
                .line
                .last()
                .is_none_or(|last| last.distance(at) >= STEP)
        {
            self.line.push(at);
        }
        if response.drag_stopped() {
            let line = std::mem::take(&mut self.line);
            return (line.len() >= 3).then_some(line);
        }
        None
    }

    /// Draws the line so far over picture `over`.
    pub fn draw(&self, ui: &Ui, ctx: &Ctx<'_>, response: &Response, over: usize) {
        if !self.on || self.over != over {
            return;
        }
        let painter = ui.painter().with_clip_rect(response.rect);
        if let (Some(&first), Some(&last)) = (self.line.first(), self.line.last()) {
            let dark = Stroke::new(3.0, ctx.theme.veil());
            let bright = Stroke::new(1.5, ctx.theme.accent);
            painter.add(egui::Shape::line(self.line.clone(), dark));
            painter.add(egui::Shape::line(self.line.clone(), bright));
            painter.extend(egui::Shape::dashed_line(&[last, first], bright, 4.0, 4.0));
        }
    }
}
