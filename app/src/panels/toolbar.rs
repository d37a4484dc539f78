//! Rows of small controls above a panel's content: close together, going on in the next row where one is full, with a
//! menu for what a narrow panel has no room for.

use egui::{Ui, vec2};

/// A row of controls.
pub fn row(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    ui.horizontal_wrapped(|ui| {
        let spacing = ui.spacing_mut();
        spacing.item_spacing = vec2(5.0, 4.0);
        spacing.button_padding.x = 6.0;
        add(ui);
    });
}

/// A button that opens the controls a narrow panel has no room for. It stays open while they are used.
pub fn more(ui: &mut Ui, hint: &str, add: impl FnOnce(&mut Ui)) {
    use egui::containers::menu::{MenuButton, MenuConfig};
    let stays = MenuConfig::new().close_behavior(egui::PopupCloseBehavior::CloseOnClickOutside);
    MenuButton::new("More")
        .config(stays)
        .ui(ui, |ui| {
            // Menus have no frames; boxes and buttons among these controls do.
            ui.reset_style();
            ui.set_min_width(220.0);
            add(ui);
        })
        .0
        .on_hover_text(hint.to_owned());
}
