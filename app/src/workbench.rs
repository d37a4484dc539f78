//! The window's contents: one [`Workbench`] that drains jobs, applies commands and draws panels.

pub(crate) mod add;
pub(crate) mod ask;
pub mod draw;
pub(crate) mod grey;
pub(crate) mod load;
pub(crate) mod select;
mod sort;
pub mod window;

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use egui::{Frame, Margin, Ui, WidgetText};
use egui_tiles::{Behavior, SimplificationOptions, TabState, TileId, Tiles, UiResponse};

use crate::command::{self, Command};
use crate::gpu::Easel;
use crate::jobs::{Jobs, Kind};
use crate::layout::{Layout, Pane};
use crate::log::LogBuffer;
use crate::panels::{Ctx, Panels, Pictures, bars, help, keys, menus, paths};
use crate::session::{Grade, Session};
use crate::theme::Theme;

/// The window's whole state.
#[derive(Debug)]
pub struct Workbench {
    session: Session,
    layout: Layout,
    jobs: Jobs,
    log: LogBuffer,
    theme: Theme,
    panels: Panels,
    path_field: paths::PathField,
    easel: RefCell<Easel>,
    pictures: RefCell<Pictures>,
    commands: RefCell<Vec<Command>>,
    help_open: Cell<bool>,
}

impl Workbench {
    /// A window on `paths`, or on the demo study when there are none. It draws with `easel`.
    pub fn new(
        ctx: &egui::Context,
        easel: Easel,
        layout: Layout,
        log: LogBuffer,
        paths: Vec<PathBuf>,
    ) -> Self {
        let theme = Theme::of(layout.dark);
        theme.install(ctx);
        let first = if paths.is_empty() {
            Command::OpenDemo
        } else {
            Command::Open(paths)
        };
        Self {
            session: Session::default(),
            layout,
            jobs: Jobs::new(ctx),
            log,
            theme,
            panels: Panels::default(),
            path_field: paths::PathField::default(),
            easel: RefCell::new(easel),
            pictures: RefCell::new(Pictures::default()),
            commands: RefCell::new(vec![first]),
            help_open: Cell::new(false),
        }
    }

    /// Keeps the attempts of the Select panel in files of a folder; else they last as long as the window.
    pub fn keep_attempts(&mut self, folder: PathBuf) {
        self.session.history_folder = Some(folder);
    }

    /// Goes on in another window, which draws with another easel.
    pub fn move_to(&mut self, ctx: &egui::Context, easel: Easel) {
        self.theme.install(ctx);
        self.jobs.move_to(ctx);
        let mut last = self.easel.replace(easel);
        // Textures are of the window that showed them.
        self.panels = Panels::default();
        self.pictures = RefCell::default();
        for note in last.take_notes() {
            self.session.say(Grade::Warning, "Drawing", note);
        }
        self.session.say(
            Grade::Warning,
            "The window was opened anew",
            format!(
                "Its graphics device was lost; what was loaded, computed and shown is here. Drawn by: {}",
                self.easel.borrow().driver()
            ),
        );
    }

    /// How the window's graphics device was lost, if it was.
    pub fn lost_device(&mut self) -> Option<String> {
        self.easel.get_mut().lost()
    }

    /// Says which parts of the saved layout could not be read.
    pub fn say_left_out(&mut self, parts: &[String]) {
        if parts.is_empty() {
            return;
        }
        let words = format!(
            "Left out, everything else is as it was:\n{}",
            parts.join("\n")
        );
        self.session.say(
            Grade::Warning,
            "A part of the saved layout cannot be read",
            words,
        );
    }

    /// What is loaded and computed.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// What is shown.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Whether work of a kind is under way.
    pub fn is_busy(&self, kind: Kind) -> bool {
        self.jobs.is_running(kind)
    }

    /// How many scenes were drawn so far.
    pub fn n_draws(&self) -> u64 {
        self.easel.borrow().n_draws()
    }

    /// Asks for something, as a panel would.
    pub fn send(&self, command: Command) {
        self.commands.borrow_mut().push(command);
    }

    /// Takes in what jobs sent and carries out what was asked for. Never waits.
    pub fn logic(&mut self, ctx: &egui::Context) {
        let mut commands = self.commands.take();
        commands.extend(
            self.jobs
                .drain()
                .into_iter()
                .map(|a| Command::Arrived(Box::new(a))),
        );
        for command in commands {
            command::apply(&mut self.session, &mut self.layout, &mut self.jobs, command);
        }
        for note in self.easel.borrow_mut().take_notes() {
            self.session.say(Grade::Warning, "Drawing", note);
        }
        if self.theme.dark != self.layout.dark {
            self.theme = Theme::of(self.layout.dark);
            self.theme.install(ctx);
        }
        self.pictures.borrow_mut().next_frame();
    }

    /// Draws everything. What is asked for is carried out in the next [`Self::logic`], which a repaint brings.
    pub fn ui(&mut self, ui: &mut Ui) {
        let ctx = Ctx {
            session: &self.session,
            layout: &self.layout,
            jobs: &self.jobs,
            log: &self.log,
            theme: &self.theme,
            easel: &self.easel,
            pictures: &self.pictures,
            commands: &self.commands,
            help_open: &self.help_open,
        };
        let bar = |x, y| {
            Frame::new()
                .fill(self.theme.base)
                .inner_margin(Margin::symmetric(x, y))
        };
        egui::Panel::top("menus")
            .frame(bar(10, 4))
            .show(ui, |ui| menus::top(ui, &ctx));
        egui::Panel::bottom("status")
            .frame(bar(12, 5))
            .show(ui, |ui| bars::bottom(ui, &ctx));
        egui::CentralPanel::no_frame()
            .frame(Frame::new().fill(self.theme.base))
            .show(ui, |ui| {
                let mut tree = self.layout.tree.clone();
                let mut arranged = Arranged {
                    panels: &mut self.panels,
                    ctx: &ctx,
                };
                tree.ui(&mut arranged, ui);
                // The arrangement goes first, so that a reset asked for in this frame is not undone by it.
                self.commands
                    .borrow_mut()
                    .insert(0, Command::Arrange(Box::new(tree)));
            });
        let egui = ui.ctx().clone();
        bars::messages(&egui, &ctx);
        self.path_field.ui(&egui, &ctx);
        help::ui(&egui, &ctx);
        paths::dropped(&egui, &ctx);
        keys::act(&egui, &ctx);
        if self
            .commands
            .borrow()
            .iter()
            .any(|c| !matches!(c, Command::Arrange(_)))
        {
            egui.request_repaint();
        }
    }
}

/// Draws the panels where the tile tree puts them.
struct Arranged<'a, 'b> {
    panels: &'a mut Panels,
    ctx: &'a Ctx<'b>,
}

impl Behavior<Pane> for Arranged<'_, '_> {
    fn pane_ui(&mut self, ui: &mut Ui, _id: TileId, pane: &mut Pane) -> UiResponse {
        let frame = Frame::new()
            .fill(self.ctx.theme.panel)
            .inner_margin(Margin::same(8));
        frame.show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            ui.push_id(pane.title(), |ui| self.panels.ui(*pane, ui, self.ctx));
        });
        UiResponse::None
    }

    fn tab_title_for_pane(&mut self, pane: &Pane) -> WidgetText {
        pane.title().into()
    }

    fn simplification_options(&self) -> SimplificationOptions {
        SimplificationOptions {
            all_panes_must_have_tabs: true,
            ..SimplificationOptions::default()
        }
    }

    fn gap_width(&self, _style: &egui::Style) -> f32 {
        4.0
    }

    fn tab_bar_height(&self, _style: &egui::Style) -> f32 {
        26.0
    }

    fn tab_bar_color(&self, _visuals: &egui::Visuals) -> egui::Color32 {
        self.ctx.theme.base
    }

    fn tab_bg_color(
        &self,
        _v: &egui::Visuals,
        _tiles: &Tiles<Pane>,
        _id: TileId,
        state: &TabState,
    ) -> egui::Color32 {
        if state.active {
            self.ctx.theme.panel
        } else {
            self.ctx.theme.base
        }
    }

    fn tab_text_color(
        &self,
        _v: &egui::Visuals,
        _tiles: &Tiles<Pane>,
        _id: TileId,
        state: &TabState,
    ) -> egui::Color32 {
        if state.active {
            self.ctx.theme.strong
        } else {
            self.ctx.theme.weak
        }
    }

    fn tab_outline_stroke(
        &self,
        _v: &egui::Visuals,
        _tiles: &Tiles<Pane>,
        _id: TileId,
        _state: &TabState,
    ) -> egui::Stroke {
        egui::Stroke::NONE
    }

    fn min_size(&self) -> f32 {
        120.0
    }
}
