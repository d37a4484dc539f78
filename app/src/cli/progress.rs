//! Progress of a pipeline on the terminal's stderr.

use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use fusiform_pipelines::run::{CancelToken, Event, Run};

/// Runs `work` and shows what it says: a line that rewrites itself on a terminal, a line a stage elsewhere.
pub(super) fn shown<T>(quiet: bool, work: impl FnOnce(&Run<'_>) -> T) -> T {
    let line = Mutex::new(Line::new(quiet));
    let listen = |event: Event| {
        // A listener that panicked elsewhere leaves a usable line behind.
        let mut line = line
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        line.show(event);
    };
    let cancel = CancelToken::default();
    let value = work(&Run::new(&listen, &cancel));
    line.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .end();
    value
}

struct Line {
    quiet: bool,
    terminal: bool,
    started: Instant,
    stage: String,
    last: Option<Instant>,
    open: bool,
}

impl Line {
    fn new(quiet: bool) -> Self {
        Self {
            quiet,
            terminal: std::io::stderr().is_terminal(),
            started: Instant::now(),
            stage: String::new(),
            last: None,
            open: false,
        }
    }

    fn show(&mut self, event: Event) {
        match event {
            Event::Warning(text) => {
                self.end();
                eprintln!("warning: {text}");
            }
            _ if self.quiet => {}
            Event::Stage(stage) => {
                self.end();
                self.stage = stage;
                self.last = None;
                if self.terminal {
                    self.draw("");
                } else {
                    eprintln!(
                        "{:6.1} s  {}",
                        self.started.elapsed().as_secs_f64(),
                        self.stage
                    );
                }
            }
            Event::Progress { done, total } => {
                let due = self
                    .last
                    .is_none_or(|last| last.elapsed() > Duration::from_millis(100));
                if self.terminal && total > 0 && (due || done >= total) {
                    self.last = Some(Instant::now());
                    self.draw(&format!("  {:3.0} %", 100.0 * done as f64 / total as f64));
                }
            }
        }
    }

    fn draw(&mut self, tail: &str) {
        // Nothing sensible can be done when stderr is gone.
        let mut stderr = std::io::stderr().lock();
        let _gone = write!(
            stderr,
            "\r\x1b[K{:6.1} s  {}{tail}",
            self.started.elapsed().as_secs_f64(),
            self.stage
        );
        let _gone = stderr.flush();
        self.open = true;
    }

    fn end(&mut self) {
        if self.open {
            eprintln!();
            self.open = false;
        }
    }
}
