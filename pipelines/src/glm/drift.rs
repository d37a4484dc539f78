//! Slow drifts of the scanner, as columns of a design.

use std::fmt;
use std::str::FromStr;

use crate::glm::convolve::orthogonalise;

/// What slow drifts are made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drift {
    /// Cosines up to a frequency, Hz: what is slower is taken out (nilearn's and SPM's default).
    Cosine {
        /// 0.01 Hz is a period of 100 s.
        high_pass_hz: f64,
    },
    /// Polynomials up to an order.
    Polynomial {
        /// 1 is linear.
        order: usize,
    },
    /// A constant alone.
    Constant,
}

impl Default for Drift {
    fn default() -> Self {
        Self::Cosine { high_pass_hz: 0.01 }
    }
}

impl Drift {
    /// Names and columns, the constant last.
    pub(super) fn columns(self, frame_times: &[f64]) -> Vec<(String, Vec<f64>)> {
        let n = frame_times.len();
        let mut columns = match self {
            Self::Cosine { high_pass_hz } => cosines(high_pass_hz, frame_times),
            Self::Polynomial { order } => {
                let last = frame_times[n - 1];
                let mut powers: Vec<Vec<f64>> = (0..=order.min(n - 1))
                    .map(|k| {
                        frame_times
                            .iter()
                            .map(|t| (t / last).powi(k as i32))
                            .collect()
                    })
                    .collect();
                orthogonalise(&mut powers);
                powers.split_off(1)
            }
            Self::Constant => Vec::new(),
        };
        columns.push(vec![1.0; n]);
        let last = columns.len();
        (1..)
            .zip(columns)
            .map(|(k, column)| match k == last {
                true => ("constant".to_owned(), column),
                false => (format!("drift_{k}"), column),
            })
            .collect()
    }
}

/// The discrete cosine transform (II) up to a frequency, without the constant.
fn cosines(high_pass_hz: f64, frame_times: &[f64]) -> Vec<Vec<f64>> {
    let n = frame_times.len();
    let step = (frame_times[n - 1] - frame_times[0]) / (n as f64 - 1.0);
    let order = ((2.0 * n as f64 * high_pass_hz * step).floor() as usize).min(n - 1);
    let scale = (2.0 / n as f64).sqrt();
    (1..=order)
        .map(|k| {
            let turn = std::f64::consts::PI / n as f64 * k as f64;
            (0..n)
                .map(|i| scale * (turn * (i as f64 + 0.5)).cos())
                .collect()
        })
        .collect()
}

impl FromStr for Drift {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, number) = text.split_once(':').unwrap_or((text, ""));
        let wrong = || {
            format!(
                "“{text}” is no drift: use cosine (or cosine:0.01, in Hz), polynomial:2 (an order) or none"
            )
        };
        match (name, number) {
            ("cosine", "") => Ok(Self::default()),
            ("cosine", hz) => match hz.parse() {
                Ok(high_pass_hz) if (0.0..10.0).contains(&high_pass_hz) => {
                    Ok(Self::Cosine { high_pass_hz })
                }
                _ => Err(wrong()),
            },
            ("polynomial", "") => Ok(Self::Polynomial { order: 1 }),
            ("polynomial", order) => match order.parse() {
                Ok(order) if order <= 20 => Ok(Self::Polynomial { order }),
                _ => Err(wrong()),
            },
            ("none", "") => Ok(Self::Constant),
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cosine { high_pass_hz } => write!(f, "cosines up to {high_pass_hz} Hz"),
            Self::Polynomial { order } => write!(f, "polynomials up to order {order}"),
            Self::Constant => write!(f, "a constant"),
        }
    }
}
