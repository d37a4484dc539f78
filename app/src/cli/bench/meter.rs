//! What a stretch of work costs: time on the wall, time on all cores, memory.

use std::fs;
use std::time::Instant;

/// Runs from its making.
pub(super) struct Meter {
    start: Instant,
    cpu_start: Option<f64>,
}

impl Meter {
    pub(super) fn start() -> Self {
        Self {
            cpu_start: cpu_secs(),
            start: Instant::now(),
        }
    }

    /// Seconds on the wall.
    pub(super) fn secs(&self) -> f64 {
        self.start.elapsed().as_secs_f64()
    }

    /// Seconds of all cores together, user and system, in steps of 10 ms; `None` where the system
    /// has no `/proc`. On a machine shared with others this is what can be compared.
    pub(super) fn cpu_secs(&self) -> Option<f64> {
        Some(cpu_secs()? - self.cpu_start?)
    }
}

/// Fields 14 and 15 of `/proc/self/stat`, which Linux counts in hundredths of a second.
fn cpu_secs() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The second field is the program's name in brackets, which may hold spaces.
    let mut fields = stat.rsplit(')').next()?.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / 100.0)
}

/// The most memory this process has held since its start or [`forget_peak`], in MiB; `None` where the system has no
/// `/proc`.
pub(super) fn peak_mib() -> Option<f64> {
    status_mib("VmHWM:")
}

/// The memory this process holds now, in MiB.
pub(super) fn resident_mib() -> Option<f64> {
    status_mib("VmRSS:")
}

/// Lets [`peak_mib`] begin anew: what was needed to read the input does not count. Without `/proc` nothing happens.
pub(super) fn forget_peak() {
    let _no_proc = fs::write("/proc/self/clear_refs", "5");
}

fn status_mib(key: &str) -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    Some(line.split_whitespace().next()?.parse::<f64>().ok()? / 1024.0)
}
