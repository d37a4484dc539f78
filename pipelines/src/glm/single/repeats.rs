//! Presentations of one stimulus, and how badly some predict the others.

use std::collections::BTreeMap;

use crate::betas::Trial;
use crate::matrix::Matrix;

/// For each trial that can be predicted, the trials that predict it.
#[derive(Debug)]
pub(super) struct Repeats {
    predicted: Vec<(usize, Vec<usize>)>,
    /// Whether a trial is predicted by other runs; else by its own.
    pub(super) across_runs: bool,
}

impl Repeats {
    /// Among the trials of the runs `used`; by stimulus, or by condition where trials have none. `None` when nothing was
    /// shown twice.
    pub(super) fn of(
        trials: &[Trial],
        used: &[usize],
        run_of: impl Fn(usize) -> usize,
    ) -> Option<Self> {
        let mut groups: BTreeMap<(bool, &str), Vec<usize>> = BTreeMap::new();
        for (t, trial) in trials.iter().enumerate() {
            if !used.contains(&run_of(t)) {
                continue;
            }
            let key = match &trial.stimulus {
                Some(stimulus) => (true, stimulus.as_str()),
                None => (false, trial.condition.as_str()),
            };
            groups.entry(key).or_default().push(t);
        }
        let pairs = |across: bool| -> Vec<(usize, Vec<usize>)> {
            let mut found = Vec::new();
            for group in groups.values() {
                for &t in group {
                    let others = group.iter().copied().filter(|&other| match across {
                        true => run_of(other) != run_of(t),
                        false => other != t,
                    });
                    let others: Vec<usize> = others.collect();
                    if !others.is_empty() {
                        found.push((t, others));
                    }
                }
            }
            found
        };
        let (across, within) = (pairs(true), pairs(false));
        match (across.is_empty(), within.is_empty()) {
            (false, _) => Some(Self {
                predicted: across,
                across_runs: true,
            }),
            (true, false) => Some(Self {
                predicted: within,
                across_runs: false,
            }),
            (true, true) => None,
        }
    }

    /// How badly single trials in `tried` tell, a voxel, what the mean of the stimulus's other presentations in `target` is:
    /// the share of its variance that a rising line leaves unexplained, 1 − r², or 1 where r is negative. Of the trials for
    /// which `counts` holds.
    ///
    /// GLMsingle predicts one presentation from the mean of the others: with many of them the mean needs no shrinking, and
    /// says little of what single trials need. A line, because trials are brought back to their scale after shrinking: plain errors would favour shrinking
    /// wherever there is little signal, whatever it does to the differences between trials.
    pub(super) fn loss(
        &self,
        tried: &Matrix,
        target: &Matrix,
        counts: impl Fn(usize) -> bool,
    ) -> Vec<f64> {
        let n_voxels = target.n_cols;
        let mut sums = vec![[0.0f64; 5]; n_voxels];
        let mut mean = vec![0.0f32; n_voxels];
        let mut n = 0.0;
        for (trial, others) in self.predicted.iter().filter(|(trial, _)| counts(*trial)) {
            mean.fill(0.0);
            let share = 1.0 / others.len() as f32;
            for &other in others {
                let row = target.row(other);
                mean.iter_mut().zip(row).for_each(|(m, x)| *m += share * x);
            }
            for ((sums, x), y) in sums.iter_mut().zip(tried.row(*trial)).zip(&mean) {
                let (x, y) = (f64::from(*x), f64::from(*y));
                for (sum, term) in sums.iter_mut().zip([x, y, x * x, y * y, x * y]) {
                    *sum += term;
                }
            }
            n += 1.0;
        }
        let unexplained = |[x, y, xx, yy, xy]: [f64; 5]| {
            let (covariance, variances) = (xy - x * y / n, (xx - x * x / n) * (yy - y * y / n));
            match covariance > 0.0 && variances > 0.0 {
                true => 1.0 - covariance * covariance / variances,
                false => 1.0,
            }
        };
        sums.into_iter().map(unexplained).collect()
    }
}
