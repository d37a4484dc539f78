//! The panels: each reads a [`Ctx`] and sends commands.

pub mod bars;
pub mod canvas;
pub mod colour_bar;
pub mod confusion;
pub mod detail;
pub mod help;
pub mod icons;
pub mod keys;
pub mod lasso;
pub mod layers;
pub mod log;
pub mod menus;
pub mod names;
pub mod overlay;
pub mod paths;
pub mod regions;
pub mod scores;
pub mod select;
pub mod slices;
pub mod stimuli;
pub mod surface;
pub mod tables;
pub mod time_course;
pub mod toolbar;
pub mod trials;
pub mod voxel;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{ColorImage, Rect, Response, Role, TextureHandle, TextureOptions, Ui, WidgetInfo, vec2};
use image::RgbImage;

use crate::command::{Change, Command};
use crate::gpu::Easel;
use crate::jobs::{Jobs, Kind};
use crate::layout::{Layout, Pane};
use crate::log::LogBuffer;
use crate::session::Session;
use crate::theme::{self, Theme};

/// What a panel sees, and its one way to change anything.
#[derive(Debug)]
pub struct Ctx<'a> {
    /// What is loaded and computed.
    pub session: &'a Session,
    /// What is shown.
    pub layout: &'a Layout,
    /// What is under way.
    pub jobs: &'a Jobs,
    /// What happened.
    pub log: &'a LogBuffer,
    /// Colours and sizes.
    pub theme: &'a Theme,
    /// Draws scenes.
    pub easel: &'a RefCell<Easel>,
    /// Pictures on their way to the screen.
    pub pictures: &'a RefCell<Pictures>,
    /// What was asked for in this frame.
    pub commands: &'a RefCell<Vec<Command>>,
    /// Whether the help lies over the window.
    pub help_open: &'a Cell<bool>,
}

impl Ctx<'_> {
    /// Asks for something.
    pub fn send(&self, command: Command) {
        self.commands.borrow_mut().push(command);
    }

    /// Asks for a change of the view, undone by itself.
    pub fn change(&self, change: Change) {
        self.send(Command::Change {
            change,
            merge: false,
        });
    }

    /// Asks for a change of the view as part of a drag: undone with the frames before it.
    pub fn drag(&self, change: Change, starts: bool) {
        self.send(Command::Change {
            change,
            merge: !starts,
        });
    }
}

/// The panels' own state, lost on exit.
#[derive(Debug, Default)]
pub struct Panels {
    slices: slices::Slices,
    surface: surface::Surface,
    trials: trials::Trials,
    stimuli: stimuli::Stimuli,
    select: select::Select,
    time_course: time_course::TimeCourse,
    voxel: voxel::Voxel,
    tables: tables::Tables,
    regions: regions::Regions,
    log: log::LogPanel,
}

impl Panels {
    /// Draws one panel.
    pub fn ui(&mut self, pane: Pane, ui: &mut Ui, ctx: &Ctx<'_>) {
        match pane {
            Pane::Slices => self.slices.ui(ui, ctx),
            Pane::Surface => self.surface.ui(ui, ctx),
            Pane::Trials => self.trials.ui(ui, ctx),
            Pane::Stimuli => self.stimuli.ui(ui, ctx),
            Pane::Select => self.select.ui(ui, ctx),
            Pane::TimeCourse => self.time_course.ui(ui, ctx),
            Pane::Voxel => self.voxel.ui(ui, ctx),
            Pane::Tables => self.tables.ui(ui, ctx),
            Pane::Regions => self.regions.ui(ui, ctx),
            Pane::Log => self.log.ui(ui, ctx),
        }
    }
}

/// Frames a picture stays on the device after it was last shown.
const KEPT_FRAMES: u64 = 120;

/// Stimuli and reconstructions as textures, uploaded when first shown.
#[derive(Default)]
pub struct Pictures {
    frame: u64,
    // The picture is kept with its texture: its address is the key and must not be given to another.
    textures: BTreeMap<usize, (Arc<RgbImage>, TextureHandle, u64)>,
}

impl std::fmt::Debug for Pictures {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pictures")
            .field("n_textures", &self.textures.len())
            .finish()
    }
}

impl Pictures {
    /// Forgets textures that were not shown lately. Once a frame.
    pub fn next_frame(&mut self) {
        self.frame += 1;
        let frame = self.frame;
        self.textures
            .retain(|_, (_, _, seen)| *seen + KEPT_FRAMES > frame);
    }

    fn texture(&mut self, ctx: &egui::Context, picture: &Arc<RgbImage>) -> egui::TextureId {
        let frame = self.frame;
        let (_, texture, seen) = self
            .textures
            .entry(Arc::as_ptr(picture).addr())
            .or_insert_with(|| {
                let size = [picture.width() as usize, picture.height() as usize];
                let image = ColorImage::from_rgb(size, picture.as_raw());
                // Few pixels are shown as the squares they are.
                let options = if size[0].max(size[1]) <= 16 {
                    TextureOptions::NEAREST
                } else {
                    TextureOptions::LINEAR
                };
                (
                    Arc::clone(picture),
                    ctx.load_texture("picture", image, options),
                    frame,
                )
            });
        *seen = frame;
        texture.id()
    }
}

/// Draws a picture into a square, keeping its shape, under a name that assistive tools can read.
pub fn picture_ui(
    ui: &Ui,
    ctx: &Ctx<'_>,
    rect: Rect,
    picture: Option<&Arc<RgbImage>>,
    name: &str,
) -> Response {
    let response = ui.interact(
        rect,
        ui.scope_id().with(("picture", name)),
        egui::Sense::hover(),
    );
    let Some(picture) = picture else {
        ui.painter().rect_stroke(
            rect,
            3.0,
            egui::Stroke::new(1.0, ctx.theme.line),
            egui::StrokeKind::Inside,
        );
        return response;
    };
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    if ui.is_rect_visible(rect) {
        let id = ctx.pictures.borrow_mut().texture(ui.ctx(), picture);
        let (w, h) = (
            picture.width().max(1) as f32,
            picture.height().max(1) as f32,
        );
        let scale = (rect.width() / w).min(rect.height() / h);
        let inner = Rect::from_center_size(rect.center(), vec2(w, h) * scale);
        egui::Image::from_texture((id, inner.size()))
            .corner_radius(3)
            .paint_at(ui, inner);
    }
    response
}

/// Fills an empty panel with words: what will be here and what to do, or what is under way.
pub fn placeholder(ui: &mut Ui, ctx: &Ctx<'_>, waits_for: &[Kind], idle: &str) {
    let job = waits_for.iter().find_map(|kind| ctx.jobs.get(*kind));
    let height = ui.available_height();
    ui.vertical_centered(|ui| {
        ui.add_space((height * 0.4 - 20.0).max(8.0));
        match job {
            Some(job) => {
                ui.add(egui::Spinner::new().size(22.0).color(ctx.theme.accent));
                ui.add_space(4.0);
                let words = if job.stage.is_empty() {
                    &job.name
                } else {
                    &job.stage
                };
                ui.label(format!("{}…", capitalised(words.trim_end_matches('…'))));
            }
            None => {
                ui.add(egui::Label::new(egui::RichText::new(idle).color(ctx.theme.weak)).wrap());
            }
        }
    });
}

/// The first letter made large.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(letters).collect()
    })
}

/// A number with as many digits as help: three that count.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        "none".into()
    } else if size >= 1000.0 || value == 0.0 {
        format!("{value:.0}")
    } else if size >= 100.0 {
        format!("{value:.1}")
    } else if size >= 1.0 {
        format!("{value:.2}")
    } else if size >= 0.001 {
        format!("{value:.3}")
    } else {
        format!("{value:.1e}")
    }
}

/// Small grey text.
pub fn weak(ctx: &Ctx<'_>, text: impl Into<String>) -> egui::RichText {
    egui::RichText::new(text)
        .size(theme::SMALL)
        .color(ctx.theme.weak)
}
