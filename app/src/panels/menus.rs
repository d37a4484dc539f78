//! The menus, undo and redo, and which part of the study is worked on.

use egui::{Align, Layout, Ui};
use fusiform_pipelines::study::select::Query;

use super::{Ctx, capitalised, keys};
use crate::command::{Change, Command};
use crate::layout::{Mouse, Pane};
use crate::session::Saved;

/// The menus, undo and redo, and which part of the study is worked on.
pub fn top(ui: &mut Ui, ctx: &Ctx<'_>) {
    egui::MenuBar::new().ui(ui, |ui| {
        ui.menu_button("File", |ui| file_menu(ui, ctx));
        ui.menu_button("View", |ui| view_menu(ui, ctx));
        ui.menu_button("Help", |ui| {
            if ui
                .add(egui::Button::new("Mouse and keys").shortcut_text("?"))
                .clicked()
            {
                ctx.help_open.set(true);
            }
            if ui.button("About Fusiform").clicked() {
                ctx.help_open.set(true);
            }
        });
        ui.separator();
        let undo = ui
            .add_enabled(ctx.layout.can_undo(), egui::Button::new("Undo"))
            .on_hover_text("Ctrl + Z: the view as it was before.")
            .on_disabled_hover_text("There is nothing to undo.");
        if undo.clicked() {
            ctx.send(Command::Undo);
        }
        let redo = ui
            .add_enabled(ctx.layout.can_redo(), egui::Button::new("Redo"))
            .on_hover_text("Ctrl + Shift + Z: the undone change again.")
            .on_disabled_hover_text("There is nothing to redo.");
        if redo.clicked() {
            ctx.send(Command::Redo);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            query_editor(ui, ctx);
        });
    });
}

fn file_menu(ui: &mut Ui, ctx: &Ctx<'_>) {
    ui.set_min_width(250.0);
    if ui
        .add(egui::Button::new("Open study folder…").shortcut_text("Ctrl+O"))
        .clicked()
    {
        ctx.send(Command::AskFolder);
    }
    if ui
        .add(egui::Button::new("Open files…").shortcut_text("Ctrl+Shift+O"))
        .clicked()
    {
        ctx.send(Command::AskFiles);
    }
    let open = ctx.session.study.is_some();
    let add = ui
        .add_enabled(open, egui::Button::new("Add files…"))
        .on_hover_text(
            "Maps, regions, surfaces or a table of region values over what is open; dropping them on the window does \
             the same.",
        )
        .on_disabled_hover_text("Open a study first.");
    if add.clicked() {
        ctx.send(Command::AskMore);
    }
    if ui
        .button("Open a path…")
        .on_hover_text("Type or paste where it is.")
        .clicked()
    {
        ctx.send(Command::TypePath(true));
    }
    if ui
        .button("Open demo")
        .on_hover_text("A subject made from a seed: nothing to download.")
        .clicked()
    {
        ctx.send(Command::OpenDemo);
    }
    ui.separator();
    ui.add_enabled_ui(!ctx.layout.recent.is_empty(), |ui| {
        ui.menu_button("Recent", |ui| {
            for path in &ctx.layout.recent {
                if ui.button(path.display().to_string()).clicked() {
                    ctx.send(Command::Open(vec![path.clone()]));
                }
            }
        });
    });
    ui.separator();
    let there = ctx.session.study.is_some();
    ui.add_enabled_ui(there, |ui| {
        for (title, hint, save) in [
            (
                "Save view…",
                "What is shown as a file: open it again, or draw it with “fusiform render --scene”.",
                Saved::View as fn(Pane) -> Saved,
            ),
            (
                "Save picture…",
                "2400 × 1500 pixels at the best quality as PNG; as SVG or PDF with text, bars and borders as vectors.",
                Saved::Picture as fn(Pane) -> Saved,
            ),
        ] {
            ui.menu_button(title, |ui| {
                for pane in [Pane::Slices, Pane::Surface] {
                    if ui.button(pane.title()).on_hover_text(hint).clicked() {
                        ctx.send(Command::AskSave(save(pane)));
                    }
                }
            });
        }
    });
    ui.separator();
    if ui.button("Quit").clicked() {
        ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
    }
}

fn view_menu(ui: &mut Ui, ctx: &Ctx<'_>) {
    ui.set_min_width(210.0);
    let mut dark = ctx.layout.dark;
    if ui.radio_value(&mut dark, true, "Dark").clicked()
        || ui.radio_value(&mut dark, false, "Light").clicked()
    {
        ctx.send(Command::Dark(dark));
    }
    ui.separator();
    let mut radiological = ctx.layout.view.radiological;
    let radiology = ui
        .checkbox(&mut radiological, "Radiological")
        .on_hover_text("The subject's right on the left of axial and coronal slices. Key R");
    if radiology.changed() {
        ctx.change(Change::Radiological(radiological));
    }
    ui.menu_button(format!("Mouse: {}", ctx.layout.mouse.name()), |ui| {
        for mouse in Mouse::ALL {
            let chosen = ctx.layout.mouse == mouse;
            let lines = mouse.words().into_iter();
            let lines = lines.map(|(gesture, does)| format!("{gesture}: {does}"));
            let hint = lines.collect::<Vec<_>>().join("\n");
            if ui.radio(chosen, mouse.name()).on_hover_text(hint).clicked() {
                ctx.send(Command::Mouse(mouse));
            }
        }
    })
    .response
    .on_hover_text("What the mouse does on slices, as in the viewer you are used to.");
    if ui
        .button("Reset panel arrangement")
        .on_hover_text("Panels where they were at first.")
        .clicked()
    {
        ctx.send(Command::ResetArrangement);
    }
    ui.separator();
    for pane in Pane::ALL {
        if ui
            .add(egui::Button::new(pane.title()).shortcut_text(keys::of_pane(pane)))
            .on_hover_text("Bring this panel to the front.")
            .clicked()
        {
            ctx.send(Command::Reveal(pane));
        }
    }
}

/// Subject, desc and task, where the study leaves a choice. Laid out from the right.
fn query_editor(ui: &mut Ui, ctx: &Ctx<'_>) {
    let session = ctx.session;
    let Some(study) = &session.study else {
        return;
    };
    // Menus have no frames; boxes to choose from do.
    ui.reset_style();
    let query = &session.query;
    let tasks = session.entity_values("task");
    if tasks.len() > 1 {
        choose(ui, "task", &tasks, query.task.as_deref(), |task| {
            ctx.send(Command::Query(Query {
                task,
                ..query.clone()
            }));
        });
    }
    let descs = session.entity_values("desc");
    if descs.len() > 1 {
        choose(ui, "desc", &descs, query.desc.as_deref(), |desc| {
            ctx.send(Command::Query(Query {
                desc,
                ..query.clone()
            }));
        });
    }
    let subjects: Vec<String> = study.subjects.iter().map(|s| s.id.clone()).collect();
    if subjects.len() > 1 {
        let shown = session.subject_id.as_deref();
        choose(ui, "subject", &subjects, shown, |subject| {
            ctx.send(Command::Query(Query {
                subject,
                ..query.clone()
            }));
        });
    }
}

fn choose(
    ui: &mut Ui,
    name: &str,
    values: &[String],
    now: Option<&str>,
    set: impl Fn(Option<String>),
) {
    let text = now.unwrap_or("choose…");
    let combo = egui::ComboBox::from_id_salt(name)
        .selected_text(text)
        .width(96.0)
        .show_ui(ui, |ui| {
            for value in values {
                if ui.selectable_label(now == Some(value), value).clicked() {
                    set(Some(value.clone()));
                }
            }
        });
    combo.response.accessible_name(name);
    ui.label(capitalised(name));
}
