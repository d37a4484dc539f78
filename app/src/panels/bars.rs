//! Around the panels: menus, work under way, the status line, messages, the path field.

use std::path::PathBuf;
use std::time::Duration;

use egui::{Align, Align2, Context, Frame, Layout, Margin, RichText, Stroke, Ui, vec2};
use fusiform_pipelines::placement::assumed_line;
use fusiform_pipelines::study::select::Query;

use super::{Ctx, capitalised, weak};
use crate::command::{Change, Command};
use crate::layout::Pane;
use crate::session::{Grade, Saved};
use crate::theme;

/// Messages shown at a time; older ones wait.
const MESSAGES_SHOWN: usize = 3;

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
    ui.set_min_width(230.0);
    if ui
        .add(egui::Button::new("Open study folder…").shortcut_text("Ctrl+O"))
        .clicked()
    {
        ctx.send(Command::AskFolder);
    }
    if ui.button("Open files…").clicked() {
        ctx.send(Command::AskFiles);
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
                "A PNG of 2400 × 1500 pixels at the best quality.",
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
    if ui.checkbox(&mut radiological, "Radiological").changed() {
        ctx.change(Change::Radiological(radiological));
    }
    if ui.button("Reset panel arrangement").clicked() {
        ctx.send(Command::ResetArrangement);
    }
    ui.separator();
    for pane in Pane::ALL {
        if ui
            .button(pane.title())
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

/// Work under way above, what is open below.
pub fn bottom(ui: &mut Ui, ctx: &Ctx<'_>) {
    ui.horizontal(|ui| {
        ui.set_min_height(24.0);
        work(ui, ctx);
    });
    ui.horizontal(|ui| {
        ui.set_min_height(20.0);
        status(ui, ctx);
    });
}

fn work(ui: &mut Ui, ctx: &Ctx<'_>) {
    let running = ctx.jobs.running();
    if running.len() == 0 {
        let words = ctx.jobs.last.as_ref().map_or_else(
            || "No work under way".to_owned(),
            |(name, took)| format!("No work under way. Last: {name}, {}", elapsed(*took)),
        );
        ui.label(weak(ctx, words));
        return;
    }
    for (kind, job) in running {
        ui.label(RichText::new(&job.name).color(ctx.theme.strong));
        if !job.stage.is_empty() {
            ui.label(weak(ctx, &job.stage));
        }
        let (done, total) = job.progress;
        if total > 0 {
            let share = done as f32 / total as f32;
            let bar = egui::ProgressBar::new(share)
                .desired_width(150.0)
                .desired_height(12.0)
                .fill(ctx.theme.accent);
            let words = format!("{done} of {total}");
            ui.add(bar)
                .accessible_name(format!("Progress of {}", job.name))
                .on_hover_text(words);
        } else {
            ui.add(egui::Spinner::new().size(14.0).color(ctx.theme.accent));
        }
        ui.label(weak(ctx, elapsed(job.started.elapsed())));
        if ui
            .small_button("Cancel")
            .on_hover_text(format!("Stop: {}", job.name))
            .clicked()
        {
            ctx.send(Command::Cancel(kind));
        }
        ui.add_space(10.0);
    }
    // The clock of a running job moves even when nothing else does.
    ui.ctx().request_repaint_after(Duration::from_millis(250));
}

fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 {
        format!("{seconds:.1} s")
    } else {
        format!(
            "{:.0} min {:.0} s",
            (seconds / 60.0).floor(),
            seconds % 60.0
        )
    }
}

fn status(ui: &mut Ui, ctx: &Ctx<'_>) {
    let session = ctx.session;
    let Some(study) = &session.study else {
        ui.label(weak(ctx, "No study is open"));
        return;
    };
    ui.label(
        RichText::new(&study.name)
            .size(theme::SMALL)
            .color(ctx.theme.strong),
    );
    if let Some(subject) = &session.subject_id {
        let runs = session.study_subject().map_or(0, |s| s.runs.len());
        ui.label(weak(
            ctx,
            format!(
                "subject {subject}, {runs} runs, {} stimuli",
                study.stimuli.len()
            ),
        ));
    }
    let assumptions = session.assumptions();
    if assumptions.is_empty() {
        ui.label(weak(ctx, "nothing was assumed"));
        return;
    }
    let line = RichText::new(assumed_line(&assumptions))
        .size(theme::SMALL)
        .color(ctx.theme.warn);
    ui.add(egui::Label::new(line).truncate())
        .on_hover_text(assumptions.join("\n"));
}

/// What the user should read, over the panels at the top right, each with its way out.
pub fn messages(egui: &Context, ctx: &Ctx<'_>) {
    if ctx.session.messages.is_empty() {
        return;
    }
    egui::Area::new(egui::Id::unique("messages"))
        .anchor(Align2::RIGHT_TOP, vec2(-14.0, 46.0))
        .show(egui, |ui| {
            ui.set_width(440.0);
            for message in ctx.session.messages.iter().rev().take(MESSAGES_SHOWN) {
                let edge = match message.grade {
                    Grade::Note => ctx.theme.accent,
                    Grade::Warning => ctx.theme.warn,
                    Grade::Failure => ctx.theme.bad,
                };
                Frame::new()
                    .fill(ctx.theme.panel)
                    .stroke(Stroke::new(1.5, edge))
                    .corner_radius(5)
                    .inner_margin(Margin::symmetric(12, 9))
                    .show(ui, |ui| {
                        ui.set_width(416.0);
                        ui.horizontal(|ui| {
                            ui.add(
                                egui::Label::new(
                                    RichText::new(&message.title).strong().color(edge),
                                )
                                .truncate(),
                            );
                        });
                        ui.add(egui::Label::new(&message.text).wrap());
                        if ui.button("Dismiss").clicked() {
                            ctx.send(Command::Dismiss(message.number));
                        }
                    });
                ui.add_space(6.0);
            }
            let waiting = ctx.session.messages.len().saturating_sub(MESSAGES_SHOWN);
            if waiting > 0 {
                ui.label(weak(
                    ctx,
                    format!("{waiting} more wait behind these; all are in the log"),
                ));
            }
        });
}

/// The field where a path can be typed, for desktops without a file dialog.
#[derive(Debug, Default)]
pub struct PathField {
    text: String,
    shown: bool,
}

impl PathField {
    /// Draws it when it is wanted.
    pub fn ui(&mut self, egui: &Context, ctx: &Ctx<'_>) {
        let appears = ctx.session.wants_path && !self.shown;
        self.shown = ctx.session.wants_path;
        if !self.shown {
            return;
        }
        egui::Window::new("Open a path")
            .anchor(Align2::CENTER_CENTER, vec2(0.0, -60.0))
            .collapsible(false)
            .resizable(false)
            .show(egui, |ui| {
                ui.set_width(480.0);
                ui.label("A study folder, a study.toml, or a volume (.nii, .nii.gz):");
                let field = egui::TextEdit::singleline(&mut self.text)
                    .desired_width(460.0)
                    .hint_text("/data/my-study");
                let field = ui.add(field).accessible_name("Path");
                if appears {
                    field.request_focus();
                }
                let path = PathBuf::from(self.text.trim());
                let typed = !self.text.trim().is_empty();
                let entered = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
                ui.horizontal(|ui| {
                    let open = ui
                        .add_enabled(typed, egui::Button::new("Open"))
                        .on_disabled_hover_text("Type a path first.");
                    if open.clicked() || (entered && typed) {
                        ctx.send(Command::Open(vec![path]));
                        ctx.send(Command::TypePath(false));
                    }
                    let escaped = ui.input(|i| i.key_pressed(egui::Key::Escape));
                    if ui.button("Close").clicked() || escaped {
                        ctx.send(Command::TypePath(false));
                    }
                });
            });
    }
}

/// Says that files held over the window can be dropped, and opens those that are.
pub fn dropped(egui: &Context, ctx: &Ctx<'_>) {
    let (hovered, dropped) = egui.input(|i| {
        let hovered: Vec<String> = i
            .raw
            .hovered_files
            .iter()
            .filter_map(|f| Some(f.path.as_ref()?.file_name()?.to_string_lossy().into_owned()))
            .collect();
        let dropped: Vec<PathBuf> = i
            .raw
            .dropped_files
            .iter()
            .map(|f| f.path().to_path_buf())
            .collect();
        (hovered, dropped)
    });
    if !dropped.is_empty() {
        ctx.send(Command::Open(dropped));
    }
    if hovered.is_empty() {
        return;
    }
    let painter = egui.layer_painter(egui::LayerId::new(
        egui::Order::Foreground,
        egui::Id::unique("drop"),
    ));
    let screen = egui.content_rect();
    painter.rect_filled(screen, 0.0, ctx.theme.veil());
    painter.rect_stroke(
        screen.shrink(16.0),
        8.0,
        Stroke::new(2.0, ctx.theme.accent),
        egui::StrokeKind::Inside,
    );
    let words = format!("Drop to open {}", hovered.join(", "));
    let font = egui::FontId::new(theme::NUMBER, egui::FontFamily::Proportional);
    painter.text(
        screen.center(),
        Align2::CENTER_CENTER,
        words,
        font,
        ctx.theme.on_canvas(),
    );
}
