//! Tails of the t, F and normal distributions, accurate in the far tails where maps live.
//!
//! By the continued fractions of the incomplete beta and gamma functions (Abramowitz & Stegun 1964, 26.5.8 and 6.5.31),
//! evaluated as Lentz did (1976), *Applied Optics* 15, 668–671.

use std::f64::consts::LN_2;

use crate::glm::hrf::ln_gamma;

/// P(|T| ≥ |t|) for Student's t; NaN for NaN or `df` ≤ 0.
pub fn two_sided_t(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    incomplete_beta(0.5 * df, 0.5, t * t / df)
}

/// P(F ≥ f); NaN for NaN or degrees of freedom ≤ 0.
pub fn f_above(f: f64, df_between: f64, df_within: f64) -> f64 {
    if f.is_nan() || !(df_between > 0.0 && df_within > 0.0) {
        return f64::NAN;
    }
    let odds = df_between * f.max(0.0) / df_within;
    incomplete_beta(0.5 * df_within, 0.5 * df_between, odds)
}

/// P(|Z| ≥ |z|) for a standard normal Z; NaN for NaN.
pub fn two_sided_normal(z: f64) -> f64 {
    if z.is_nan() {
        return f64::NAN;
    }
    let half = 0.5 * z * z;
    if half < 1.5 {
        1.0 - erf_series(z.abs())
    } else {
        // Γ(½, z²/2) / √π, Γ(½) being √π.
        (-half).exp() * half.sqrt() / std::f64::consts::PI.sqrt() / normal_fraction(half)
    }
}

/// P(χ² ≥ x) with a whole number of degrees of freedom: from one or two degrees up by the recurrence of the incomplete
/// gamma function (Abramowitz & Stegun 26.4.8), whose summands are all positive.
pub fn chi_squared_above(x: f64, df: usize) -> f64 {
    if x.is_nan() || df == 0 {
        return f64::NAN;
    }
    let half = 0.5 * x.max(0.0);
    let (mut above, mut summand, mut at) = match df % 2 {
        1 => (
            two_sided_normal((2.0 * half).sqrt()),
            2.0 * (half / std::f64::consts::PI).sqrt() * (-half).exp(),
            1,
        ),
        _ => ((-half).exp(), half * (-half).exp(), 2),
    };
    while at < df {
        above += summand;
        at += 2;
        summand *= half / (0.5 * at as f64);
    }
    above.min(1.0)
}

/// ln P(T ≥ t) for Student's t: finite where the probability itself is too small for a number.
pub fn ln_t_above(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return f64::NAN;
    }
    let ln_beyond = ln_incomplete_beta(0.5 * df, 0.5, t * t / df) - LN_2;
    if t >= 0.0 {
        ln_beyond
    } else {
        (-ln_beyond.exp()).ln_1p()
    }
}

/// ln P(F ≥ f).
pub fn ln_f_above(f: f64, df_between: f64, df_within: f64) -> f64 {
    if f.is_nan() || !(df_between > 0.0 && df_within > 0.0) {
        return f64::NAN;
    }
    let odds = df_between * f.max(0.0) / df_within;
    ln_incomplete_beta(0.5 * df_within, 0.5 * df_between, odds)
}

/// The standard normal value that is as unlikely as t, with its sign.
pub fn z_of_t(t: f64, df: f64) -> f64 {
    z_of_ln_above(ln_t_above(t.abs(), df)).copysign(t)
}

/// The z of which ln P(Z ≥ z) is `ln_p`: by Newton's method on the logarithm. No lower than where 1 − p is 1e-16.
pub fn z_of_ln_above(ln_p: f64) -> f64 {
    if ln_p.is_nan() {
        return f64::NAN;
    }
    if ln_p > -LN_2 {
        let rest = (-ln_p.exp_m1()).max(1e-16);
        return -z_of_ln_above(rest.ln());
    }
    // Abramowitz & Stegun 26.2.23 to begin with.
    let y = (-2.0 * ln_p).sqrt();
    let top = 2.515517 + y * (0.802853 + y * 0.010328);
    let bottom = 1.0 + y * (1.432788 + y * (0.189269 + y * 0.001308));
    let mut z = (y - top / bottom).max(0.0);
    for _ in 0..50 {
        let ln_above = ln_normal_above(z);
        let density = -0.5 * z * z - 0.5 * (2.0 * std::f64::consts::PI).ln();
        let change = (ln_above - ln_p) / (density - ln_above).exp();
        z += change;
        if change.abs() < 1e-12 * z.max(1.0) {
            break;
        }
    }
    z
}

/// ln P(Z ≥ z) for z ≥ 0.
fn ln_normal_above(z: f64) -> f64 {
    let half = 0.5 * z * z;
    if half < 1.5 {
        (0.5 * (1.0 - erf_series(z))).ln()
    } else {
        let fraction = normal_fraction(half);
        -half + 0.5 * (half / std::f64::consts::PI).ln() - fraction.ln() - LN_2
    }
}

/// The continued fraction of Γ(½, half).
fn normal_fraction(half: f64) -> f64 {
    lentz(half + 0.5, |n| (-n * (n - 0.5), half + 2.0 * n + 0.5))
}

/// P(|Z| < z) by its power series, for small z.
fn erf_series(z: f64) -> f64 {
    let (mut term, mut sum) = (z, z);
    for n in 1..200 {
        term *= z * z / f64::from(2 * n + 1);
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    sum * (-0.5 * z * z).exp() * (2.0 / std::f64::consts::PI).sqrt()
}

/// The regularised incomplete beta function I_x(a, b) at x = 1 / (1 + `odds`): in this form nothing is lost when x is
/// near 1 or 0.
fn incomplete_beta(a: f64, b: f64, odds: f64) -> f64 {
    ln_incomplete_beta(a, b, odds).exp()
}

/// Its logarithm.
fn ln_incomplete_beta(a: f64, b: f64, odds: f64) -> f64 {
    if odds <= 0.0 {
        return 0.0;
    }
    if odds.is_infinite() {
        return f64::NEG_INFINITY;
    }
    let (x, rest) = (1.0 / (1.0 + odds), odds / (1.0 + odds));
    // a ln x + b ln (1 − x)
    let powers = -a * odds.ln_1p() - b * (1.0 / odds).ln_1p();
    // ln Γ(½), which every t needs.
    let ln_gamma_b = if b == 0.5 {
        0.5 * std::f64::consts::PI.ln()
    } else {
        ln_gamma(b)
    };
    let front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma_b + powers;
    if x < (a + 1.0) / (a + b + 2.0) {
        front - (a * beta_fraction(a, b, x)).ln()
    } else {
        (-front.exp() / (b * beta_fraction(b, a, rest))).ln_1p()
    }
}

fn beta_fraction(a: f64, b: f64, x: f64) -> f64 {
    lentz(1.0, |n| {
        let m = (n / 2.0).floor();
        let top = if n % 2.0 == 0.0 {
            m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        } else {
            -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        };
        (top, 1.0)
    })
}

/// b₀ + a₁/(b₁ + a₂/(b₂ + …)), `terms(n)` being (aₙ, bₙ).
fn lentz(first: f64, terms: impl Fn(f64) -> (f64, f64)) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |v: f64| if v.abs() < TINY { TINY } else { v };
    let mut value = away_from_zero(first);
    let (mut c, mut d) = (value, 0.0);
    // Convergence takes about √max(a, b) terms.
    for n in 1..100_000 {
        let (top, bottom) = terms(f64::from(n));
        d = 1.0 / away_from_zero(bottom + top * d);
        c = away_from_zero(bottom + top / c);
        value *= c * d;
        if (c * d - 1.0).abs() < 1e-15 {
            break;
        }
    }
    value
}
