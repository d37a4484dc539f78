//! t and F of the means of conditions, one a voxel.

use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::groups::{self, Moments, moments};
use crate::stats::{Measure, by_blocks, finite, tails, to_f32};
use crate::{Error, Result};

/// What is assumed of the variances of the conditions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// They are equal, and estimated from all groups together (Student).
    Pooled,
    /// They may differ; degrees of freedom by Welch and Satterthwaite. The t of NSD's category localiser.
    Separate,
}

/// A weighted sum of the means of conditions, one a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Contrast {
    /// The weighted sum, in the units of the data.
    pub effect: Vec<f32>,
    /// The effect over its standard error; NaN where there is none.
    pub t: Vec<f32>,
    /// Degrees of freedom.
    pub df: Vec<f32>,
    /// Two-sided p.
    pub p: Vec<f64>,
}

/// The contrast Σ `weights[g]` · mean of the rows `groups[g]`.
///
/// With pooled variances this is the contrast of a one-way analysis of variance: groups of weight 0 take part in the
/// estimate of the noise. Weights should sum to 0, which is not asked for (one group of weight 1 tests its mean
/// against 0). Each group needs a row, with separate variances two.
pub fn contrast(
    values: &Matrix,
    groups: &[&[usize]],
    weights: &[f64],
    variance: Variance,
    run: &Run<'_>,
) -> Result<Contrast, Stop> {
    check(groups, weights, variance)?;
    let moments = moments(values, groups, run)?;
    let found: Vec<(f64, f64, f64)> = (0..values.n_cols)
        .map(|column| t_of(&moments, weights, variance, column))
        .collect();
    let t: Vec<f64> = found.iter().map(|f| f.1).collect();
    Ok(Contrast {
        effect: found.iter().map(|f| f.0 as f32).collect(),
        t: to_f32(&t),
        df: found.iter().map(|f| f.2 as f32).collect(),
        p: found
            .iter()
            .map(|&(_, t, df)| tails::two_sided_t(t, df))
            .collect(),
    })
}

fn check(groups: &[&[usize]], weights: &[f64], variance: Variance) -> Result<()> {
    if groups.len() != weights.len() {
        return Err(Error::data(format!(
            "a contrast of {} conditions needs as many weights, not {}",
            groups.len(),
            weights.len()
        )));
    }
    let least = match variance {
        Variance::Pooled => 1,
        Variance::Separate => 2,
    };
    groups::require(groups, least)?;
    let n_rows: usize = groups.iter().map(|rows| rows.len()).sum();
    if n_rows <= groups.len() {
        return Err(Error::data(
            "a contrast needs more trials than conditions: the spread of single trials is its noise",
        ));
    }
    Ok(())
}

/// Effect, t and degrees of freedom.
fn t_of(moments: &[Moments], weights: &[f64], variance: Variance, c: usize) -> (f64, f64, f64) {
    let weighted = || moments.iter().zip(weights);
    let effect: f64 = weighted().map(|(m, w)| w * m.mean[c]).sum();
    let (error, df) = match variance {
        Variance::Pooled => {
            let squares: f64 = moments.iter().map(|m| m.squares[c]).sum();
            let df = moments.iter().map(|m| m.n - 1.0).sum::<f64>();
            let spread: f64 = weighted().map(|(m, w)| w * w / m.n).sum();
            (squares / df * spread, df)
        }
        Variance::Separate => {
            let parts = || weighted().map(|(m, w)| (w * w * m.squares[c] / (m.n - 1.0) / m.n, m.n));
            let error: f64 = parts().map(|(part, _)| part).sum();
            let spread: f64 = parts().map(|(part, n)| part * part / (n - 1.0)).sum();
            (error, error * error / spread)
        }
    };
    let t = finite(effect / error.sqrt());
    let df = if t.is_nan() { f64::NAN } else { df };
    (finite(effect), t, df)
}

/// Columns of a block of a map, at least and at most: long stretches of each row, and sums that stay in the cache.
const BLOCK: (usize, usize) = (1024, 8192);

/// Values of a measure that follows from means and variances, and two-sided p when asked for.
pub(super) fn two(
    values: &Matrix,
    a: &[usize],
    b: &[usize],
    measure: Measure,
    with_p: bool,
    run: &Run<'_>,
) -> Result<(Vec<f32>, Vec<f64>), Stop> {
    let groups = [a, b];
    groups::check(values, &groups)?;
    groups::require(&groups, 2)?;
    let variance = match measure {
        Measure::T(variance) => variance,
        Measure::DPrime => Variance::Separate,
        Measure::SignedR2 | Measure::Auc => Variance::Pooled,
    };
    let size = values.n_cols / (2 * rayon::current_num_threads());
    let blocks = by_blocks(
        values.n_cols,
        size.clamp(BLOCK.0, BLOCK.1),
        run,
        |columns| {
            let moments = groups.map(|rows| match with_p {
                true => groups::of_block(values, rows, columns.clone()),
                false => groups::of_block_quickly(values, rows, columns.clone()),
            });
            let mut map = Vec::with_capacity(columns.len());
            let mut p = Vec::new();
            for c in 0..columns.len() {
                let (effect, t, df) = t_of(&moments, &[1.0, -1.0], variance, c);
                let value = match measure {
                    Measure::SignedR2 => t * t.abs() / (t * t + df),
                    Measure::DPrime => {
                        let spread: f64 = moments.iter().map(|m| m.squares[c] / (m.n - 1.0)).sum();
                        finite(effect / (0.5 * spread).sqrt())
                    }
                    Measure::T(_) | Measure::Auc => t,
                };
                map.push(value as f32);
                p.extend(with_p.then(|| tails::two_sided_t(t, df)));
            }
            (map, p)
        },
    )?;
    let (mut map, mut p) = (Vec::with_capacity(values.n_cols), Vec::new());
    for (of_block, p_of_block) in blocks {
        map.extend(of_block);
        p.extend(p_of_block);
    }
    Ok((map, p))
}

/// Whether the means of conditions differ at all, one number a column.
#[derive(Clone, Debug, PartialEq)]
pub struct Anova {
    /// Mean square between over mean square within; NaN where there is none.
    pub f: Vec<f32>,
    /// The share of the variance that lies between conditions (η²).
    pub eta_squared: Vec<f32>,
    /// How likely so large an F is without a difference.
    pub p: Vec<f64>,
}

/// The one-way analysis of variance: scikit-learn's `f_classif`, scipy's `f_oneway`.
///
/// Needs two groups, a row in each and more rows than groups.
pub fn anova(values: &Matrix, groups: &[&[usize]], run: &Run<'_>) -> Result<Anova, Stop> {
    if groups.len() < 2 {
        return Err(Error::data("an analysis of variance needs two conditions or more").into());
    }
    check(groups, &vec![0.0; groups.len()], Variance::Pooled)?;
    let moments = moments(values, groups, run)?;
    let n: f64 = moments.iter().map(|m| m.n).sum();
    let (df_between, df_within) = (groups.len() as f64 - 1.0, n - groups.len() as f64);
    let mut out = Anova {
        f: Vec::with_capacity(values.n_cols),
        eta_squared: Vec::with_capacity(values.n_cols),
        p: Vec::with_capacity(values.n_cols),
    };
    for c in 0..values.n_cols {
        let grand = moments.iter().map(|m| m.n * m.mean[c]).sum::<f64>() / n;
        let deviations = moments.iter().map(|m| m.n * (m.mean[c] - grand).powi(2));
        let between: f64 = deviations.sum();
        let within: f64 = moments.iter().map(|m| m.squares[c]).sum();
        let f = finite((between / df_between) / (within / df_within));
        out.f.push(f as f32);
        let share = if f.is_nan() {
            f
        } else {
            between / (between + within)
        };
        out.eta_squared.push(share as f32);
        out.p.push(tails::f_above(f, df_between, df_within));
    }
    Ok(out)
}
