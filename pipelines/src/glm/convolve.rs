//! Events convolved with a response and sampled when the volumes were acquired.
//!
//! Events begin and end on a grid of 50 steps a volume that starts 24 s before the first one, as in nilearn. A
//! regressor is then a sum of differences of running sums of the kernel: nothing is convolved step by step.

use crate::glm::response::OVERSAMPLING;

/// Seconds before the first volume from which events count.
pub(super) const EARLIEST_SECS: f64 = -24.0;

/// The fine grid of a run.
#[derive(Debug)]
pub(super) struct FineGrid {
    times: Vec<f64>,
    frame_times: Vec<f64>,
}

/// An event in steps of the fine grid: `amplitude` from `start` up to, not including, `stop`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    start: usize,
    stop: usize,
    amplitude: f64,
}

/// `n` even values from `first` to `last`, with NumPy's rounding: where an onset falls on a step must not depend on it.
pub(super) fn linspace(first: f64, last: f64, n: usize) -> Vec<f64> {
    if n < 2 {
        return vec![first; n];
    }
    let step = (last - first) / (n - 1) as f64;
    let mut values: Vec<f64> = (0..n).map(|i| i as f64 * step + first).collect();
    values[n - 1] = last;
    values
}

impl FineGrid {
    /// Of at least two volumes.
    pub(super) fn new(frame_times: &[f64]) -> Self {
        let n = frame_times.len();
        let (first, last) = (frame_times[0], frame_times[n - 1]);
        let end = last * (1.0 + 1.0 / (n as f64 - 1.0));
        let n_fine =
            (n as f64 - 1.0) / (last - first) * (end - first - EARLIEST_SECS) * OVERSAMPLING as f64
                + 1.0;
        Self {
            times: linspace(first + EARLIEST_SECS, end, n_fine.round() as usize),
            frame_times: frame_times.to_vec(),
        }
    }

    /// Where an event lies; an event of no duration lasts one step.
    pub(super) fn step(&self, onset_secs: f64, duration_secs: f64, amplitude: f64) -> Step {
        let last = self.times.len() - 1;
        let at = |secs: f64| self.times.partition_point(|t| *t < secs).min(last);
        let start = at(onset_secs);
        let mut stop = at(onset_secs + duration_secs);
        if stop == start && stop < last {
            stop += 1;
        }
        Step {
            start,
            stop,
            amplitude,
        }
    }

    /// The regressor of some events: one value a volume. A finite impulse response (`shifted`) is read a volume later,
    /// less one step.
    pub(super) fn regressor(&self, steps: &[Step], kernel: &[f64], shifted: bool) -> Vec<f64> {
        let mut sums = Vec::with_capacity(kernel.len() + 1);
        sums.push(0.0);
        for value in kernel {
            sums.push(sums.last().copied().unwrap_or(0.0) + value);
        }
        let sum_to = |n: usize| sums[n.min(kernel.len())];
        let value_at = |i: usize| -> f64 {
            steps
                .iter()
                .map(|step| {
                    let since = |from: usize| sum_to((i + 1).saturating_sub(from));
                    step.amplitude * (since(step.start) - since(step.stop))
                })
                .sum()
        };
        let offset = if shifted { OVERSAMPLING - 1 } else { 0 };
        let n_known = self.times.len() - offset;
        self.frame_times
            .iter()
            .map(|&secs| {
                let high = self.times[..n_known]
                    .partition_point(|t| *t < secs)
                    .clamp(1, n_known - 1);
                let low = high - 1;
                let part = (secs - self.times[low]) / (self.times[high] - self.times[low]);
                let (before, after) = (value_at(low + offset), value_at(high + offset));
                before + part * (after - before)
            })
            .collect()
    }
}

/// Makes every column orthogonal to those before it.
pub(super) fn orthogonalise(columns: &mut [Vec<f64>]) {
    for i in 1..columns.len() {
        let (before, rest) = columns.split_at_mut(i);
        let column = &mut rest[0];
        let along: Vec<f64> = before
            .iter()
            .map(|b| dot(column, b) / dot(b, b).max(f64::MIN_POSITIVE))
            .collect();
        for (b, share) in before.iter().zip(along) {
            column.iter_mut().zip(b).for_each(|(x, b)| *x -= share * b);
        }
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
