//! The log: a ring of the last lines for the log panel, and the terminal behind it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use log::{Level, LevelFilter, Log, Metadata, Record};

/// Lines kept.
const CAPACITY: usize = 2000;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its number since the start: tells whether something new came.
    pub number: u64,
    /// How grave.
    pub level: Level,
    /// The module that spoke.
    pub target: String,
    /// The words.
    pub text: String,
}

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<Line>,
    next_number: u64,
}

/// The last lines of the log. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct LogBuffer(Arc<Mutex<Ring>>);

impl LogBuffer {
    /// The lines at `level` or graver, oldest first.
    pub fn lines(&self, level: LevelFilter) -> Vec<Line> {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ring.lines
            .iter()
            .filter(|l| l.level <= level)
            .cloned()
            .collect()
    }

    /// How many lines were ever written.
    pub fn written(&self) -> u64 {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next_number
    }

    fn push(&self, record: &Record<'_>) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.lines.len() == CAPACITY {
            ring.lines.pop_front();
        }
        let number = ring.next_number;
        ring.next_number += 1;
        ring.lines.push_back(Line {
            number,
            level: record.level(),
            target: record.target().into(),
            text: record.args().to_string(),
        });
    }
}

/// Writes each record to the ring and to the terminal.
struct Tee {
    ring: LogBuffer,
    terminal: env_logger::Logger,
}

impl Log for Tee {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata.target()) || metadata.level() <= Level::Warn
    }

    fn log(&self, record: &Record<'_>) {
        if self.enabled(record.metadata()) {
            self.ring.push(record);
        }
        if self.terminal.matches(record) {
            self.terminal.log(record);
        }
    }

    fn flush(&self) {
        self.terminal.flush();
    }
}

fn is_ours(target: &str) -> bool {
    target.starts_with("fusiform")
}

/// Makes the ring the program's logger, with the terminal behind it (`RUST_LOG` chooses what the terminal
/// shows; warnings by default). The log is one a process: a second call gives the first ring.
pub fn install() -> LogBuffer {
    static RING: OnceLock<LogBuffer> = OnceLock::new();
    RING.get_or_init(|| {
        let ring = LogBuffer::default();
        let terminal = env_logger::Builder::new()
            .filter_level(LevelFilter::Warn)
            .parse_default_env()
            .build();
        let tee = Tee {
            ring: ring.clone(),
            terminal,
        };
        // Another logger that came first keeps the terminal; the panel then says nothing, the program runs on.
        if log::set_boxed_logger(Box::new(tee)).is_ok() {
            log::set_max_level(LevelFilter::Debug);
        }
        ring
    })
    .clone()
}
