//! The only threads of the program.
//!
//! A job is a named thread that sends small events and keeps its newest heavy
//! value in a slot. The window drains both once a frame and never waits; dropping
//! a job asks it to stop.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use fusiform_pipelines::run::{CancelToken, Event};
use fusiform_pipelines::{Error, Run, Stop};

use crate::session::News;

/// Events that wait for the window; progress beyond it is dropped, as newer progress follows.
const EVENTS_WAITING: usize = 256;

/// A piece of work on a thread of its own.
#[derive(Debug)]
pub struct Job<T> {
    /// What it does, for the user.
    pub name: String,
    /// The stretch of work it is in.
    pub stage: String,
    /// Units finished and units in all (0 when unknown) of the stage.
    pub progress: (u64, u64),
    /// When it began.
    pub started: Instant,
    events: Receiver<Event>,
    end: Receiver<Result<(), Stop>>,
    slot: Arc<Mutex<Option<T>>>,
    cancel: CancelToken,
}

/// Does two things at once, the second on this thread: for the command line, which may wait.
pub fn both<A: Send, B>(beside: impl FnOnce() -> A + Send, here: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let beside = scope.spawn(beside);
        let here = here();
        let beside = beside.join();
        (
            beside.unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            here,
        )
    })
}

/// What a look at a job gave.
#[derive(Debug)]
pub struct Drained<T> {
    /// The newest value since the last look.
    pub latest: Option<T>,
    /// Warnings since the last look.
    pub warnings: Vec<String>,
    /// Set when the job is over.
    pub end: Option<Result<(), Stop>>,
}

impl<T: Send + 'static> Job<T> {
    /// Starts `work` on a thread. It gets its surroundings and a function that publishes values before the last
    /// one; `wake` is called whenever the window should look.
    pub fn start(
        name: impl Into<String>,
        wake: impl Fn() + Send + Sync + 'static,
        work: impl FnOnce(&Run<'_>, &dyn Fn(T)) -> Result<T, Stop> + Send + 'static,
    ) -> Self {
        let name = name.into();
        let (event_sender, events) = sync_channel(EVENTS_WAITING);
        let (end_sender, end) = sync_channel(1);
        let slot = Arc::new(Mutex::new(None));
        let cancel = CancelToken::default();
        let (thread_slot, thread_cancel) = (Arc::clone(&slot), cancel.clone());
        let thread_end = end_sender.clone();
        let spawned = std::thread::Builder::new()
            .name(name.clone())
            .spawn(move || {
                let put = |value: T| {
                    *thread_slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
                    wake();
                };
                let emit = |event: Event| {
                    send(&event_sender, event);
                    wake();
                };
                let run = Run::new(&emit, &thread_cancel);
                let result = catch_unwind(AssertUnwindSafe(|| work(&run, &put)))
                    .unwrap_or_else(|panic| Err(panicked(panic.as_ref())));
                // Nobody listens any more when the job was dropped.
                let _ = thread_end.send(result.map(put));
                wake();
            });
        if let Err(refusal) = spawned {
            let problem =
                format!("cannot start a thread ({refusal}): close other programs and try again");
            let _ = end_sender.send(Err(Error::data(problem).into()));
        }
        Self {
            name,
            stage: String::new(),
            progress: (0, 0),
            started: Instant::now(),
            events,
            end,
            slot,
            cancel,
        }
    }

    /// Takes everything that came since the last look.
    pub fn drain(&mut self) -> Drained<T> {
        // The end is read before the slot, so that the last value cannot slip in between.
        let end = match self.end.try_recv() {
            Ok(end) => Some(end),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => Some(Err(Error::data(
                "the work ended without a result: see the log",
            )
            .into())),
        };
        let mut warnings = Vec::new();
        for event in self.events.try_iter() {
            match event {
                Event::Stage(stage) => {
                    self.stage = stage;
                    self.progress = (0, 0);
                }
                Event::Progress { done, total } => self.progress = (done, total),
                Event::Warning(text) => warnings.push(text),
            }
        }
        let latest = self
            .slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        Drained {
            latest,
            warnings,
            end,
        }
    }
}

impl<T> Job<T> {
    /// Asks it to stop; it ends by itself within about 100 ms.
    pub fn cancel(&self) {
        self.cancel.cancel();
    }
}

impl<T> Drop for Job<T> {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Progress gives way when the window is slow; words do not.
fn send(sender: &SyncSender<Event>, event: Event) {
    if matches!(event, Event::Progress { .. }) {
        let _ = sender.try_send(event);
    } else {
        let _ = sender.send(event);
    }
}

fn panicked(panic: &(dyn Any + Send)) -> Stop {
    let words = panic
        .downcast_ref::<&str>()
        .map(|s| (*s).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "no message".into());
    Error::data(format!(
        "an internal check failed ({words}): please report it with the log"
    ))
    .into()
}

/// The kinds of work the window starts. One job of a kind runs at a time: a newer one replaces it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Opening or generating a study.
    Open,
    /// Reading a subject's anatomy, atlas and surfaces.
    Subject,
    /// Reading a BOLD run.
    Run,
    /// Sampling a map on the cortical sheet.
    Project,
    /// Reading files that are added to what is open.
    Add,
    /// Averaging a run over regions.
    Courses,
    /// Reading stimulus pictures.
    Pictures,
    /// Making single-trial responses for the voxel inspector.
    Responses,
    /// Reading events for the Select panel.
    Offer,
    /// Reading earlier attempts.
    History,
    /// Making features.
    Extract,
    /// Maps of exchanged labels.
    Null,
    /// Scoring features.
    Score,
    /// Comparing kinds of features.
    Compare,
    /// Fitting an encoding model.
    Encode,
    /// Decoding.
    Decode,
    /// Drawing a picture to be saved.
    Picture,
    /// Making a region; each is a work of its own.
    Region(u32),
    /// Writing regions.
    Export,
    /// Asking the desktop for paths.
    Dialog,
}

/// What a frame's look at all jobs gave.
#[derive(Debug)]
pub enum Arrival {
    /// A value came.
    News(News),
    /// A job says something that does not stop it.
    Warning {
        /// The job's name.
        job: String,
        /// The words.
        text: String,
    },
    /// A job is over.
    Ended {
        /// Which kind.
        kind: Kind,
        /// Its name.
        job: String,
        /// How it went.
        result: Result<(), Stop>,
        /// How long it took.
        took: Duration,
    },
}

/// All jobs under way.
#[derive(Debug)]
pub struct Jobs {
    /// The window to be woken, which may be followed by another.
    ctx: Arc<Mutex<egui::Context>>,
    running: Vec<(Kind, Job<News>)>,
    /// The last job that ended well, and how long it took.
    pub last: Option<(String, Duration)>,
}

impl Jobs {
    /// None yet; `ctx` is repainted when something arrives.
    pub fn new(ctx: &egui::Context) -> Self {
        Self {
            ctx: Arc::new(Mutex::new(ctx.clone())),
            running: Vec::new(),
            last: None,
        }
    }

    /// Wakes another window from now on.
    pub fn move_to(&self, ctx: &egui::Context) {
        *self.ctx.lock().unwrap_or_else(PoisonError::into_inner) = ctx.clone();
    }

    /// Starts work of a kind, in place of any that runs.
    pub fn start(
        &mut self,
        kind: Kind,
        name: impl Into<String>,
        work: impl FnOnce(&Run<'_>, &dyn Fn(News)) -> Result<News, Stop> + Send + 'static,
    ) {
        self.stop(kind);
        let ctx = Arc::clone(&self.ctx);
        let wake = move || {
            ctx.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .request_repaint();
        };
        let job = Job::start(name, wake, work);
        log::info!("{}: started", job.name);
        self.running.push((kind, job));
    }

    /// Drops the work of a kind: it is asked to stop and nothing of it arrives any more.
    pub fn stop(&mut self, kind: Kind) {
        self.running.retain(|(k, _)| *k != kind);
    }

    /// Drops everything but a dialog the user may still be looking at.
    pub fn stop_all(&mut self) {
        self.running.retain(|(k, _)| *k == Kind::Dialog);
    }

    /// Asks the work of a kind to stop; its end is reported.
    pub fn cancel(&self, kind: Kind) {
        for (_, job) in self.running.iter().filter(|(k, _)| *k == kind) {
            job.cancel();
        }
    }

    /// The job of a kind, if one runs.
    pub fn get(&self, kind: Kind) -> Option<&Job<News>> {
        self.running
            .iter()
            .find(|(k, _)| *k == kind)
            .map(|(_, job)| job)
    }

    /// Whether work of a kind runs.
    pub fn is_running(&self, kind: Kind) -> bool {
        self.get(kind).is_some()
    }

    /// All that run, oldest first.
    pub fn running(&self) -> impl ExactSizeIterator<Item = (Kind, &Job<News>)> {
        self.running.iter().map(|(kind, job)| (*kind, job))
    }

    /// Everything that came since the last frame.
    pub fn drain(&mut self) -> Vec<Arrival> {
        let mut arrivals = Vec::new();
        let mut ended = Vec::new();
        for (kind, job) in &mut self.running {
            let drained = job.drain();
            arrivals.extend(drained.warnings.into_iter().map(|text| Arrival::Warning {
                job: job.name.clone(),
                text,
            }));
            arrivals.extend(drained.latest.map(Arrival::News));
            if let Some(result) = drained.end {
                let took = job.started.elapsed();
                if result.is_ok() {
                    self.last = Some((job.name.clone(), took));
                }
                ended.push(*kind);
                arrivals.push(Arrival::Ended {
                    kind: *kind,
                    job: job.name.clone(),
                    result,
                    took,
                });
            }
        }
        self.running.retain(|(kind, _)| !ended.contains(kind));
        arrivals
    }
}
