//! The canonical haemodynamic response and the regressor of one event.

/// Steps a TR is divided into when an event is convolved with the response.
const OVERSAMPLING: usize = 50;

/// Seconds after which the response is taken to be over.
const LENGTH_SECS: f64 = 32.0;

/// The Glover response `seconds` after an impulse, up to scale.
///
/// Γ(t; 6/0.9, 0.9) − 0.48 · Γ(t; 12/0.9, 0.9), Γ(t; shape, scale) being the gamma density:
/// Glover (1999), NeuroImage 9, 416–429, with the constants that nilearn uses.
pub fn glover(seconds: f64) -> f64 {
    gamma_density(seconds, 6.0 / 0.9, 0.9) - 0.48 * gamma_density(seconds, 12.0 / 0.9, 0.9)
}

pub(super) fn gamma_density(x: f64, shape: f64, scale: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    ((shape - 1.0) * (x / scale).ln() - x / scale - ln_gamma(shape)).exp() / scale
}

/// ln Γ(x) for x > 0 by Stirling's series after a shift to x ≥ 10, where the terms kept are
/// exact to 1e-14.
pub(crate) fn ln_gamma(x: f64) -> f64 {
    let mut shift = 0.0;
    let mut x = x;
    while x < 10.0 {
        shift += x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series =
        inverse * (1.0 / 12.0 - square * (1.0 / 360.0 - square * (1.0 / 1260.0 - square / 1680.0)));
    (x - 0.5) * x.ln() - x + 0.5 * (2.0 * std::f64::consts::PI).ln() + series - shift
}

/// The expected response to an event (a boxcar of height 1) at the time of every volume.
///
/// The boxcar and [`glover`] (scaled to sum 1) are sampled 50 times a TR and convolved; volume
/// `v` is acquired at `v · tr_secs`. An event of no duration lasts one step.
pub fn regressor(onset_secs: f64, duration_secs: f64, n_times: usize, tr_secs: f64) -> Vec<f64> {
    Sums::of(glover, LENGTH_SECS, tr_secs).regressor(onset_secs, duration_secs, n_times)
}

/// Running sums of a response, of which regressors are differences.
pub(super) struct Sums {
    tr_secs: f64,
    step: f64,
    sums: Vec<f64>,
}

impl Sums {
    /// Of a response that is over after `length_secs`, scaled to sum 1.
    pub(super) fn of(response: impl Fn(f64) -> f64, length_secs: f64, tr_secs: f64) -> Self {
        let step = tr_secs / OVERSAMPLING as f64;
        let n = (length_secs / step).ceil().max(1.0) as usize;
        let values: Vec<f64> = (0..n).map(|i| response((i as f64 + 0.5) * step)).collect();
        let total: f64 = values.iter().sum();
        // The convolution with a boxcar is a difference of running sums.
        let mut sums = Vec::with_capacity(n + 1);
        sums.push(0.0);
        for value in &values {
            sums.push(sums.last().copied().unwrap_or(0.0) + value / total);
        }
        Self {
            tr_secs,
            step,
            sums,
        }
    }

    /// As [`regressor`].
    pub(super) fn regressor(
        &self,
        onset_secs: f64,
        duration_secs: f64,
        n_times: usize,
    ) -> Vec<f64> {
        let n = self.sums.len() - 1;
        let upto = |secs: f64| {
            let at = (secs / self.step).clamp(0.0, n as f64);
            let low = (at.floor() as usize).min(n - 1);
            self.sums[low] + (at - low as f64) * (self.sums[low + 1] - self.sums[low])
        };
        let duration = duration_secs.max(self.step);
        (0..n_times)
            .map(|v| {
                let since_onset = v as f64 * self.tr_secs - onset_secs;
                upto(since_onset) - upto(since_onset - duration)
            })
            .collect()
    }
}
