//! Models of the haemodynamic response: canonical shapes with derivatives, finite impulse responses, a library.
//!
//! Canonical kernels are sampled as nilearn samples them, so that designs agree to rounding.

use std::fmt;
use std::str::FromStr;

use crate::glm::hrf::gamma_density;

/// What the events of a condition are convolved with.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// A difference of two gamma densities, one column a condition and one a derivative.
    Canonical {
        /// Its constants.
        shape: Canonical,
        /// What may differ from it.
        derivatives: Derivatives,
    },
    /// Finite impulse response: one column for each delay, in volumes.
    Fir {
        /// Volumes after the event, ascending.
        delays: Vec<usize>,
    },
    /// One shape of [`LIBRARY_SIZE`].
    Library(usize),
}

/// The constants of a canonical response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Canonical {
    /// Friston et al. (1998): peak near 5 s, undershoot 1/6.
    Spm,
    /// Glover (1999): peak near 5 s, deeper and earlier undershoot.
    Glover,
}

/// How a response may differ from the canonical one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derivatives {
    /// Not at all.
    None,
    /// In time.
    Time,
    /// In time and width.
    TimeAndDispersion,
}

/// Responses in the library.
pub const LIBRARY_SIZE: usize = 20;

/// Samples a volume is divided into.
pub(super) const OVERSAMPLING: usize = 50;

/// Seconds after which a canonical response is over.
const LENGTH_SECS: f64 = 32.0;

impl Default for Response {
    fn default() -> Self {
        Self::Canonical {
            shape: Canonical::Glover,
            derivatives: Derivatives::None,
        }
    }
}

impl Response {
    /// The names of the columns that a condition becomes; the first is the condition's own unless it is a finite
    /// impulse response.
    pub fn column_names(&self, condition: &str) -> Vec<String> {
        match self {
            Self::Canonical { derivatives, .. } => {
                let endings: &[&str] = match derivatives {
                    Derivatives::None => &[""],
                    Derivatives::Time => &["", "_derivative"],
                    Derivatives::TimeAndDispersion => &["", "_derivative", "_dispersion"],
                };
                endings.iter().map(|e| format!("{condition}{e}")).collect()
            }
            Self::Fir { delays } => delays
                .iter()
                .map(|delay| format!("{condition}_delay_{delay}"))
                .collect(),
            Self::Library(_) => vec![condition.to_owned()],
        }
    }

    /// The kernels at steps of `tr_secs` / 50, one a column.
    pub(super) fn kernels(&self, tr_secs: f64) -> Vec<Vec<f64>> {
        match self {
            Self::Canonical { shape, derivatives } => {
                let constants = Constants::of(*shape);
                let main = constants.sampled(tr_secs, 0.0);
                let mut kernels = vec![main.clone()];
                if *derivatives != Derivatives::None {
                    let later = constants.sampled(tr_secs, 0.1);
                    kernels.push(slope(&main, &later, 0.1));
                }
                if *derivatives == Derivatives::TimeAndDispersion {
                    // nilearn leaves the undershoot's width at 1 here, for Glover's response too.
                    let narrow = Constants {
                        undershoot_dispersion: 1.0,
                        ..constants
                    };
                    let wide = Constants {
                        dispersion: constants.dispersion + 0.01,
                        ..narrow
                    };
                    kernels.push(slope(
                        &narrow.sampled(tr_secs, 0.0),
                        &wide.sampled(tr_secs, 0.0),
                        0.01,
                    ));
                }
                kernels
            }
            Self::Fir { delays } => delays
                .iter()
                .map(|delay| {
                    let mut kernel = vec![0.0; delay * OVERSAMPLING];
                    kernel.extend([1.0 / OVERSAMPLING as f64; OVERSAMPLING]);
                    kernel
                })
                .collect(),
            Self::Library(index) => vec![library(*index, tr_secs)],
        }
    }
}

impl FromStr for Response {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut parts = text.split('+').map(str::trim);
        let name = parts.next().unwrap_or_default().to_lowercase();
        let endings: Vec<String> = parts.map(str::to_lowercase).collect();
        let endings: Vec<&str> = endings.iter().map(String::as_str).collect();
        let shape = match name.as_str() {
            "spm" => Canonical::Spm,
            "glover" => Canonical::Glover,
            "fir" if endings.is_empty() => {
                return Ok(Self::Fir {
                    delays: (0..10).collect(),
                });
            }
            _ => {
                return Err(format!(
                    "“{text}” is no response: use glover, spm (with + derivative, or + derivative + dispersion), fir or library"
                ));
            }
        };
        let derivatives = match endings.as_slice() {
            [] => Derivatives::None,
            ["derivative"] => Derivatives::Time,
            ["derivative", "dispersion"] => Derivatives::TimeAndDispersion,
            _ => {
                return Err(format!(
                    "“{text}”: what follows the response is “+ derivative” or “+ derivative + dispersion”"
                ));
            }
        };
        Ok(Self::Canonical { shape, derivatives })
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Canonical { shape, derivatives } => {
                let shape = match shape {
                    Canonical::Spm => "spm",
                    Canonical::Glover => "glover",
                };
                let derivatives = match derivatives {
                    Derivatives::None => "",
                    Derivatives::Time => " + derivative",
                    Derivatives::TimeAndDispersion => " + derivative + dispersion",
                };
                write!(f, "{shape}{derivatives}")
            }
            Self::Fir { delays } => write!(f, "fir, {} delays", delays.len()),
            Self::Library(index) => write!(f, "library, response {} of {LIBRARY_SIZE}", index + 1),
        }
    }
}

/// Γ(t; delay/dispersion, dispersion) − ratio · Γ(t; undershoot/…, …).
#[derive(Clone, Copy)]
struct Constants {
    delay: f64,
    undershoot: f64,
    dispersion: f64,
    undershoot_dispersion: f64,
    ratio: f64,
}

impl Constants {
    fn of(shape: Canonical) -> Self {
        match shape {
            Canonical::Spm => Self {
                delay: 6.0,
                undershoot: 16.0,
                dispersion: 1.0,
                undershoot_dispersion: 1.0,
                ratio: 0.167,
            },
            Canonical::Glover => Self {
                delay: 6.0,
                undershoot: 12.0,
                dispersion: 0.9,
                undershoot_dispersion: 0.9,
                ratio: 0.48,
            },
        }
    }

    /// Shifted by `onset` seconds and scaled to sum 1, at nilearn's sampling points.
    fn sampled(&self, tr_secs: f64, onset: f64) -> Vec<f64> {
        let step = tr_secs / OVERSAMPLING as f64;
        let n = ((LENGTH_SECS / step).round() as usize).max(2);
        let spacing = LENGTH_SECS / (n - 1) as f64;
        let values = (0..n)
            .map(|i| {
                let t = i as f64 * spacing - onset - step;
                let peak = gamma_density(t, self.delay / self.dispersion, self.dispersion);
                let shape = self.undershoot / self.undershoot_dispersion;
                peak - self.ratio * gamma_density(t, shape, self.undershoot_dispersion)
            })
            .collect();
        to_sum_one(values)
    }
}

fn to_sum_one(values: Vec<f64>) -> Vec<f64> {
    let sum: f64 = values.iter().sum();
    values.into_iter().map(|v| v / sum).collect()
}

fn slope(before: &[f64], after: &[f64], step: f64) -> Vec<f64> {
    before
        .iter()
        .zip(after)
        .map(|(b, a)| (b - a) / step)
        .collect()
}

/// A response of the library, up to scale: SPM's stretched in time so that it peaks after 3.5 to 8 s in even ratios. The
/// responses that Allen et al. (2022, *Nature Neuroscience* 25, 116–126) found in visual cortex lie along such a line.
pub(super) fn library_at(index: usize, secs: f64) -> f64 {
    let constants = Constants::of(Canonical::Spm);
    let t = secs / stretch(index);
    gamma_density(t, constants.delay, 1.0)
        - constants.ratio * gamma_density(t, constants.undershoot, 1.0)
}

/// Seconds after which a response of the library is over.
pub(super) fn library_length_secs(index: usize) -> f64 {
    LENGTH_SECS * stretch(index).max(1.0)
}

/// SPM's response peaks after 5 s.
fn stretch(index: usize) -> f64 {
    library_peak_secs(index) / 5.0
}

fn library(index: usize, tr_secs: f64) -> Vec<f64> {
    let step = tr_secs / OVERSAMPLING as f64;
    let n = ((library_length_secs(index) / step).ceil() as usize).max(2);
    to_sum_one((0..n).map(|i| library_at(index, i as f64 * step)).collect())
}

/// When the response at `along` (0 to 1) of the library peaks.
fn peak_secs(along: f64) -> f64 {
    3.5 * (8.0f64 / 3.5).powf(along)
}

/// When a response of the library peaks after a short event, in seconds.
pub fn library_peak_secs(index: usize) -> f64 {
    peak_secs(index.min(LIBRARY_SIZE - 1) as f64 / (LIBRARY_SIZE - 1) as f64)
}
