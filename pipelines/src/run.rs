//! What a running pipeline may say, and the one thing it must hear.
//!
//! A pipeline gets a [`Run`] and nothing else of its surroundings. The window,
//! the terminal and the tests drive the same function by giving it different
//! listeners.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::Error;

/// Something a pipeline says while it works. Small: heavy values go through a slot.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A new stretch of work begins, in words for the user ("fitting run 3 of 8").
    Stage(String),
    /// How far the stage is. `total` is 0 when unknown.
    Progress {
        /// Units finished.
        done: u64,
        /// Units in all.
        total: u64,
    },
    /// Something the user should know that does not stop the work.
    Warning(String),
}

/// Why a pipeline ended without a value.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// Somebody asked it to.
    #[error("cancelled")]
    Cancelled,
    /// It could not go on.
    #[error(transparent)]
    Failed(#[from] Error),
}

/// Asks a pipeline to stop at its next check. Clones share one flag.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// Asks for the stop.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the stop was asked for.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The surroundings of one run of a pipeline.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    emit: &'a (dyn Fn(Event) + Sync),
    cancel: &'a CancelToken,
}

impl std::fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Run")
            .field("cancel", self.cancel)
            .finish_non_exhaustive()
    }
}

impl<'a> Run<'a> {
    /// A run that tells `emit` and listens to `cancel`.
    pub fn new(emit: &'a (dyn Fn(Event) + Sync), cancel: &'a CancelToken) -> Self {
        Self { emit, cancel }
    }

    /// Stops here if asked to. Called at least every 100 ms of work.
    pub fn check(&self) -> Result<(), Stop> {
        if self.cancel.is_cancelled() {
            Err(Stop::Cancelled)
        } else {
            Ok(())
        }
    }

    /// Announces a stretch of work.
    pub fn stage(&self, text: impl Into<String>) {
        (self.emit)(Event::Stage(text.into()));
    }

    /// Announces how far the stage is.
    pub fn progress(&self, done: usize, total: usize) {
        (self.emit)(Event::Progress {
            done: done as u64,
            total: total as u64,
        });
    }

    /// Tells the user something that does not stop the work.
    pub fn warn(&self, text: impl Into<String>) {
        (self.emit)(Event::Warning(text.into()));
    }
}

/// Runs `f` with nobody listening and nobody to cancel it: for tests and short calls.
pub fn quietly<T>(f: impl FnOnce(&Run<'_>) -> T) -> T {
    let cancel = CancelToken::default();
    f(&Run::new(&|_| {}, &cancel))
}
