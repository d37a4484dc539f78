//! A line of text that names trials, with the names that fit below it.

use egui::{Id, Key, Modifiers, Popup, PopupCloseBehavior, Ui};

use super::super::{Ctx, weak};

/// Names offered at a time.
const OFFERED: usize = 10;
/// Columns of the trials that a filter can name.
const COLUMNS: [&str; 8] = [
    "category=",
    "condition=",
    "stimulus=",
    "caption~",
    "session=",
    "run=",
    "repeat>=",
    "trial!=",
];

/// What is being typed, until it is taken over.
#[derive(Debug, Default)]
pub(super) struct Field {
    text: String,
    /// What was last taken over from outside.
    known: String,
    /// The name that the arrow keys reached.
    chosen: Option<usize>,
    /// Whether names are offered.
    open: bool,
}

/// What came of a frame.
#[derive(Debug, PartialEq)]
pub(super) enum Typed {
    /// Nothing.
    Nothing,
    /// The text is taken over.
    Done(String),
    /// The same, and the user goes on with Enter.
    Entered(String),
}

/// Gives a field the keyboard as soon as it is there.
pub(super) fn focus(egui: &egui::Context, id: Id) {
    egui.data_mut(|data| data.insert_temp(id.with("wanted"), true));
    egui.request_repaint();
}

fn wanted(ui: &Ui, id: Id) -> bool {
    let flag = ui.data_mut(|data| data.remove_temp::<bool>(id.with("wanted")));
    flag.is_some()
}

impl Field {
    /// What stands in it now.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Draws it. `now` is the text that was taken over last, `names` are the conditions and categories.
    pub(super) fn ui(
        &mut self,
        ui: &mut Ui,
        ctx: &Ctx<'_>,
        (id, name): (Id, &str),
        now: &str,
        names: &[String],
    ) -> Typed {
        if self.known != now {
            now.clone_into(&mut self.known);
            now.clone_into(&mut self.text);
        }
        let focused = ui.memory(|m| m.has_focus(id));
        let offers = if focused || self.open {
            offers(&self.text, names)
        } else {
            Vec::new()
        };
        let mut took = None;
        if focused && self.open && !offers.is_empty() {
            took = self.keys(ui, &offers);
        }
        let edit = egui::TextEdit::singleline(&mut self.text)
            .id(id)
            .hint_text("such as face, or caption~dog")
            .desired_width(f32::INFINITY);
        let response = ui
            .add(edit)
            .accessible_name(name.to_owned())
            .on_hover_text(
                "A condition or category, or column test value: category=face,body · caption~dog · run!=03 · repeat>=2. \
                 Join tests with &. Arrow keys and Enter take one of the names offered.",
            );
        if wanted(ui, id) {
            response.request_focus();
        }
        if response.gained_focus() || response.changed() {
            self.open = true;
            self.chosen = None;
        }
        if let Some(text) = took {
            self.put(ui, id, text);
        }
        let mut clicked = None;
        if self.open && !offers.is_empty() {
            let popup = Popup::from_response(&response)
                .open(true)
                .close_behavior(PopupCloseBehavior::IgnoreClicks)
                .width(response.rect.width());
            let shown = popup.show(|ui| {
                for (n, offer) in offers.iter().enumerate() {
                    let button = egui::Button::selectable(self.chosen == Some(n), offer);
                    if ui.add(button).clicked() {
                        clicked = Some(offer.clone());
                    }
                }
                ui.label(weak(ctx, "Arrow down and Enter take one"));
            });
            let over = shown.is_some_and(|s| s.response.contains_pointer());
            if !response.has_focus() && !over && !response.gained_focus() {
                self.open = false;
            }
        }
        if let Some(offer) = clicked {
            let text = completed(&self.text, &offer);
            self.put(ui, id, text);
            if !self.open {
                return self.taken(Typed::Done);
            }
            response.request_focus();
        }
        if response.lost_focus() {
            let entered = ui.input(|i| i.key_pressed(Key::Enter));
            if entered && self.is_half() {
                response.request_focus();
                return Typed::Nothing;
            }
            if entered {
                self.open = false;
                return self.taken(Typed::Entered);
            }
            if !self.open && self.text != self.known {
                return self.taken(Typed::Done);
            }
        }
        Typed::Nothing
    }

    /// Puts text in, with the cursor behind it.
    fn put(&mut self, ui: &Ui, id: Id, text: String) {
        self.text = text;
        self.chosen = None;
        self.open = self.is_half();
        if let Some(mut state) = egui::TextEdit::load_state(ui.ctx(), id) {
            let end = egui::text::CCursor::new(self.text.chars().count());
            let range = egui::text::CCursorRange::one(end);
            state.cursor.set_char_range(Some(range));
            state.store(ui.ctx(), id);
        }
    }

    /// Whether a column still wants its value.
    fn is_half(&self) -> bool {
        self.text.trim_end().ends_with(['=', '~'])
    }

    fn taken(&mut self, how: fn(String) -> Typed) -> Typed {
        self.text = self.text.trim().to_owned();
        self.known.clone_from(&self.text);
        how(self.text.clone())
    }

    /// Arrow keys go through the names; Enter or Tab on one takes it.
    fn keys(&mut self, ui: &Ui, offers: &[String]) -> Option<String> {
        let pressed = |key| ui.input_mut(|i| i.consume_key(Modifiers::NONE, key));
        if pressed(Key::ArrowDown) {
            self.chosen = Some(self.chosen.map_or(0, |n| (n + 1) % offers.len()));
        }
        if pressed(Key::ArrowUp) {
            let last = offers.len() - 1;
            self.chosen = Some(self.chosen.map_or(last, |n| (n + last) % offers.len()));
        }
        if pressed(Key::Escape) {
            self.open = false;
        }
        let chosen = self.chosen.and_then(|n| offers.get(n))?;
        // Enter itself goes on to the field, which then is done.
        let enter = ui.input(|i| i.key_pressed(Key::Enter));
        enter.then(|| completed(&self.text, chosen))
    }
}

/// The names that go on from what is typed last, and the columns once a name is written out.
fn offers(text: &str, names: &[String]) -> Vec<String> {
    let last = text.rsplit('&').next().unwrap_or("");
    let value = last.rsplit(['=', '~', ',']).next().unwrap_or(last).trim();
    let typed = value.to_lowercase();
    let fits = |name: &&str| {
        let name = name.to_lowercase();
        name.contains(&typed) && name != typed
    };
    let after_sign = last.contains(['=', '~']);
    let columns = COLUMNS.iter().copied().filter(|_| !after_sign);
    let all = names.iter().map(String::as_str).chain(columns);
    let mut all: Vec<&str> = all.filter(fits).collect();
    // Those that begin so come first.
    all.sort_by_key(|name| !name.to_lowercase().starts_with(&typed));
    all.into_iter().take(OFFERED).map(str::to_owned).collect()
}

/// The text with what is typed last replaced by a name.
fn completed(text: &str, offer: &str) -> String {
    let at = text.rfind(['&', '=', '~', ',']).map_or(0, |at| at + 1);
    let (before, last) = text.split_at(at);
    let space = if last.starts_with(' ') && !before.is_empty() {
        " "
    } else {
        ""
    };
    format!("{before}{space}{offer}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_complete_what_is_typed_last() {
        let names = ["face".to_owned(), "place".to_owned(), "vehicle".to_owned()];
        assert_eq!(offers("fa", &names), ["face"]);
        assert_eq!(offers("face & category=pl", &names), ["place"]);
        assert!(offers("face", &names).iter().all(|o| o != "face"));
        assert_eq!(completed("fa", "face"), "face");
        assert_eq!(completed("face & ca", "category="), "face & category=");
        assert_eq!(
            completed("category=face,pl", "place"),
            "category=face,place"
        );
    }
}
