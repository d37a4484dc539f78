//! The workbench in a window of the desktop. A window ends with its graphics device, the workbench does not: another
//! window takes it over, with all that is loaded, computed and shown.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{anyhow, bail};
use fusiform_render::gpu::NO_DRIVER;

use super::Workbench;
use crate::gpu::{self, Easel};
use crate::layout::{self, Layout};
use crate::log::LogBuffer;

/// The size of the first window, points.
const SIZE: [f32; 2] = [1440.0, 900.0];
/// Smaller than this nothing is readable, points.
const MIN_SIZE: [f32; 2] = [1024.0, 680.0];
/// A device that lasted so long was no bad one: its loss (a laptop that slept, a driver's update) is the first again.
const STEADY: Duration = Duration::from_secs(120);

/// How much a window asks of its device: less after each loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// All pictures, on the best device.
    Full,
    /// The same once more, after a loss.
    Again,
    /// The window alone: the CPU draws the pictures.
    Window,
    /// The same, on a software driver where there is one.
    Software,
}

impl Trust {
    fn after_loss(self) -> Option<Self> {
        match self {
            Self::Full => Some(Self::Again),
            Self::Again => Some(Self::Window),
            Self::Window => Some(Self::Software),
            Self::Software => None,
        }
    }

    fn easel(self, state: Option<&eframe::egui_wgpu::RenderState>) -> Easel {
        match (self, state) {
            (_, None) => Easel::without_gpu(),
            (Self::Full | Self::Again, Some(state)) => Easel::on(state.clone()),
            (Self::Window | Self::Software, Some(state)) => Easel::beside(state),
        }
    }
}

/// Opens the window on `paths` (a study, or loose files); on the demo study when there are none.
///
/// Errors when there is no display or no graphics driver, with words that say so, and where device after device is lost.
pub fn run(paths: &[PathBuf]) -> anyhow::Result<()> {
    let mut started = Some(Instant::now());
    let log = crate::log::install();
    let mut bench = None;
    let mut trust = Trust::Full;
    loop {
        let opened = Instant::now();
        let asked = Asked {
            paths: paths.to_vec(),
            log: log.clone(),
            trust,
            started: started.take(),
        };
        let how = match window(&mut bench, asked) {
            Ok(End::Closed) => return Ok(()),
            Ok(End::Lost(how)) => how,
            Ok(End::Broken(how)) => bail!(
                "{how} while the window was being painted; the layout is saved: start fusiform again"
            ),
            Err(error) if trust == Trust::Full => return Err(no_window(&error)),
            Err(error) => bail!(
                "no other window could be opened after the graphics device was lost ({error}); the layout is saved: start \
                 fusiform again"
            ),
        };
        if opened.elapsed() > STEADY {
            trust = Trust::Full;
        }
        let Some(less) = trust.after_loss() else {
            bail!(
                "{how}, and others before it; the layout is saved: update the graphics driver, or start fusiform again"
            );
        };
        trust = less;
        log::warn!("{how}: another window is opened");
    }
}

/// What a window is opened with.
struct Asked {
    paths: Vec<PathBuf>,
    log: LogBuffer,
    trust: Trust,
    started: Option<Instant>,
}

/// Why a window is no longer there.
enum End {
    /// The user closed it.
    Closed,
    /// Its device was lost, and how. Another can be opened.
    Lost(String),
    /// The same, in the midst of the toolkit's work, which cannot open another after that.
    Broken(String),
}

/// Shows the workbench, made if there is none, until its window ends.
fn window(bench: &mut Option<Workbench>, asked: Asked) -> Result<End, eframe::Error> {
    let options = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title("Fusiform")
            .with_app_id("fusiform")
            .with_inner_size(SIZE)
            .with_min_inner_size(MIN_SIZE),
        renderer: eframe::Renderer::Wgpu,
        wgpu_options: gpu::device_options(asked.trust == Trust::Software),
        ..eframe::NativeOptions::default()
    };
    let shown = &mut *bench;
    let ended = catch_unwind(AssertUnwindSafe(|| {
        eframe::run_native(
            "fusiform",
            options,
            Box::new(move |cc| Ok(Box::new(Window::open(shown, cc, asked)))),
        )
    }));
    let how = bench.as_mut().and_then(Workbench::lost_device);
    match (ended, how) {
        (Ok(Err(error)), _) => Err(error),
        (Ok(Ok(())), None) => Ok(End::Closed),
        (Ok(Ok(())), Some(how)) => Ok(End::Lost(how)),
        (Err(panic), how) => {
            rescue(bench.as_ref());
            // With a device that answers it is a fault of the program, and not to be hidden.
            how.map_or_else(|| resume_unwind(panic), |how| Ok(End::Broken(how)))
        }
    }
}

/// Where the layout is kept of a window that could not save it itself.
fn rescued() -> Option<PathBuf> {
    Some(eframe::storage_dir("fusiform")?.join("rescued-layout.json"))
}

fn rescue(bench: Option<&Workbench>) {
    let (Some(path), Some(bench)) = (rescued(), bench) else {
        return;
    };
    let saved = path
        .parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&path, bench.layout.to_text()));
    if let Err(error) = saved {
        log::error!("{}: the layout could not be saved: {error}", path.display());
    }
}

/// The layout of the last window.
///
/// With it, which parts of it could not be read, and its text where there are such.
fn last_layout(storage: Option<&dyn eframe::Storage>) -> (Layout, Vec<String>, Option<String>) {
    let left = rescued().and_then(|path| {
        let text = std::fs::read_to_string(&path).ok()?;
        // Once: what is saved from now on is newer.
        std::fs::remove_file(path).ok()?;
        Some(text)
    });
    let kept = || {
        let storage = storage?;
        layout::STORAGE_KEYS
            .iter()
            .find_map(|key| storage.get_string(key))
    };
    let saved = left.or_else(kept);
    let (layout, left_out) = saved
        .as_deref()
        .map_or_else(Default::default, Layout::from_text);
    let damaged = saved.filter(|_| !left_out.is_empty());
    (layout, left_out, damaged)
}

fn no_window(error: &eframe::Error) -> anyhow::Error {
    let unset = |name| std::env::var_os(name).is_none_or(|v| v.is_empty());
    if cfg!(target_os = "linux") && unset("DISPLAY") && unset("WAYLAND_DISPLAY") {
        return anyhow!(
            "no display found (neither DISPLAY nor WAYLAND_DISPLAY is set): start it on a desktop, or use \
             “fusiform demo”, which runs without one"
        );
    }
    match error {
        eframe::Error::Wgpu(error) => {
            log::debug!("no device: {error}");
            anyhow!(
                "the window cannot be opened: {NO_DRIVER}; “fusiform demo” and “fusiform render” run without"
            )
        }
        error => anyhow!("the window cannot be opened ({error}): “fusiform demo” runs without one"),
    }
}

/// The workbench in one window, which says once how long it took to appear.
struct Window<'a> {
    bench: &'a mut Workbench,
    /// A saved layout of which a part could not be read.
    damaged: Option<String>,
    started: Option<Instant>,
    drawn: bool,
}

impl<'a> Window<'a> {
    fn open(
        bench: &'a mut Option<Workbench>,
        cc: &eframe::CreationContext<'_>,
        asked: Asked,
    ) -> Self {
        let easel = asked.trust.easel(cc.wgpu_render_state.as_ref());
        easel.guard(&cc.egui_ctx);
        log::info!("graphics: {}", easel.driver());
        let mut damaged = None;
        let bench = match bench.take() {
            Some(mut kept) => {
                kept.move_to(&cc.egui_ctx, easel);
                bench.insert(kept)
            }
            None => {
                let (layout, left_out, text) = last_layout(cc.storage);
                damaged = text;
                let mut new = Workbench::new(&cc.egui_ctx, easel, layout, asked.log, asked.paths);
                new.say_left_out(&left_out);
                if let Some(folder) = eframe::storage_dir("fusiform") {
                    new.keep_attempts(folder.join("attempts"));
                }
                bench.insert(new)
            }
        };
        Self {
            bench,
            damaged,
            started: asked.started,
            drawn: false,
        }
    }
}

impl eframe::App for Window<'_> {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        if let Some(started) = self.started.take_if(|_| self.drawn) {
            log::info!(
                "first frame {:.2} s after the start",
                started.elapsed().as_secs_f64()
            );
        }
        if self.bench.lost_device().is_some() {
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
        self.bench.logic(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.bench.ui(ui);
        self.drawn = true;
    }

    fn save(&mut self, storage: &mut dyn eframe::Storage) {
        storage.set_string(layout::STORAGE_KEYS[0], self.bench.layout.to_text());
        if let Some(damaged) = self.damaged.take() {
            storage.set_string(layout::DAMAGED_KEY, damaged);
        }
    }

    fn persist_egui_memory(&self) -> bool {
        false
    }
}
