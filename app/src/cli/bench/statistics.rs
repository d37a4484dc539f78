//! Models of time courses, permutation tests and maps of a difference, on arrays.

use std::path::Path;

use anyhow::Context;
use clap::ValueEnum;
use fusiform_pipelines::glm::contrast::{self, effects};
use fusiform_pipelines::glm::design::{Column, Design, Role};
use fusiform_pipelines::glm::fit::{Noise, fit};
use fusiform_pipelines::io::npy;
use fusiform_pipelines::limits::{pass_secs, product_secs};
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::run::Run;
use fusiform_pipelines::stats::permute::{self, Exchange, Plan, Tail};
use fusiform_pipelines::stats::{Measure, Variance, map, two_sample};
use serde_json::json;

use super::Measured;
use super::meter::{Meter, forget_peak, peak_mib, resident_mib};

/// What is assumed of the noise.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum NoiseModel {
    /// Ordinary least squares
    Ols,
    /// It carries over from one volume to the next
    Ar1,
}

/// What a map shows.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Shown {
    /// Student's t
    T,
    /// Welch's t
    Welch,
    /// F of a one-way analysis of variance: t²
    F,
    /// Signed r²
    R2,
    /// d′
    DPrime,
    /// Area under the ROC curve
    Auc,
}

/// The t map of the first column of a design; the limit is the two products it needs: of the data with the design, and
/// of the weights with the design.
pub(super) fn glm(
    design: &Path,
    data: &Path,
    noise: NoiseModel,
    reps: u32,
    run: &Run<'_>,
) -> anyhow::Result<Measured> {
    let (x, y) = (npy::read(design)?, npy::read(data)?);
    let columns = (0..x.n_cols).map(|c| Column {
        name: format!("column {}", c + 1),
        role: Role::Confound,
        values: x.rows().map(|row| f64::from(row[c])).collect(),
    });
    let columns = Design {
        frame_times: (0..x.n_rows).map(|t| t as f64).collect(),
        columns: columns.collect(),
    };
    let noise = match noise {
        NoiseModel::Ols => Noise::Ols,
        NoiseModel::Ar1 => Noise::Ar1,
    };
    let mut first = vec![0.0; x.n_cols];
    first[0] = 1.0;
    let mut measured = Measured::of("glm");
    let held = resident_mib();
    forget_peak();
    let mut t = Vec::new();
    for _ in 0..reps {
        let meter = Meter::start();
        let fitted = fit(&y, &columns, noise, run)?;
        t = contrast::t(&effects(&fitted, std::slice::from_ref(&first)));
        measured.add(&meter);
    }
    measured.peak_mib = peak_mib();
    let transposed = x.transposed();
    let weights = Matrix::zeros(x.n_cols, y.n_cols);
    for _ in 0..reps {
        measured
            .limit
            .push(product_secs(&transposed, &y) + product_secs(&x, &weights));
    }
    let half = t.len() / 2;
    let mean = |values: &[f32], of: fn(f64) -> f64| {
        values.iter().map(|t| of(f64::from(*t))).sum::<f64>() / values.len() as f64
    };
    measured.size = format!(
        "{} volumes x {} voxels, {} columns",
        y.n_rows, y.n_cols, x.n_cols
    );
    measured.quality = json!({
        "mean_null_abs_t": mean(&t[..half], f64::abs), "mean_effect_t": mean(&t[half..], |t| t),
        "false_pos_05": mean(&t[..half], |t| f64::from(u8::from(t.abs() > 1.968))), "input_mib": held,
    });
    Ok(measured)
}

/// Data and the rows of each label.
pub(super) fn labelled(
    data: &Path,
    labels: &Path,
) -> anyhow::Result<(Matrix, Vec<usize>, Vec<usize>)> {
    let (x, y) = (npy::read(data)?, npy::read(labels)?);
    anyhow::ensure!(
        y.values.len() == x.n_rows,
        "{}: {} labels for {} rows of data: give one a row",
        labels.display(),
        y.values.len(),
        x.n_rows
    );
    let of = |label: f32| (0..x.n_rows).filter(|&r| y.values[r] == label).collect();
    let (a, b) = (of(1.0), of(0.0));
    Ok((x, a, b))
}

/// Permutation test of a difference, corrected for the number of columns; the limit is the product of the data with as
/// many labellings.
pub(super) fn permuted(
    data: &Path,
    labels: &Path,
    n_columns: usize,
    n_permutations: usize,
    reps: u32,
    run: &Run<'_>,
) -> anyhow::Result<Measured> {
    let (x, a, b) = labelled(data, labels)?;
    let columns: Vec<usize> = (0..x.n_cols.min(n_columns)).collect();
    let x = x.select_columns(&columns);
    let plan = Plan {
        n_permutations,
        seed: 0,
        tail: Tail::Both,
        clusters: None,
    };
    let mut measured = Measured::of("permute");
    let held = resident_mib();
    forget_peak();
    let mut found = None;
    for _ in 0..reps {
        let meter = Meter::start();
        found = Some(permute::two_sample(
            &x,
            &a,
            &b,
            &Exchange::free(x.n_rows),
            &plan,
            run,
        )?);
        measured.add(&meter);
    }
    measured.peak_mib = peak_mib();
    let all = Matrix::zeros(n_permutations, x.n_rows);
    for _ in 0..reps {
        measured.limit.push(product_secs(&all, &x));
    }
    let found = found.context("nothing was measured: give --reps 1 or more")?;
    let mut largest = found.largest.clone();
    largest.sort_by(f32::total_cmp);
    let threshold = largest[(0.95 * (largest.len() - 1) as f64).round() as usize];
    measured.size = format!(
        "{} x {} columns, {n_permutations} permutations",
        x.n_rows, x.n_cols
    );
    measured.quality = json!({
        "max_t": found.t.iter().fold(0.0f32, |m, t| m.max(t.abs())), "thr95": threshold,
        "n_sig": found.t.iter().filter(|t| t.abs() > threshold).count(), "input_mib": held,
    });
    Ok(measured)
}

/// The map of a difference; the limit is reading the data once.
pub(super) fn two_samples(
    data: &Path,
    labels: &Path,
    shown: Shown,
    with_p: bool,
    reps: u32,
    run: &Run<'_>,
) -> anyhow::Result<Measured> {
    let (x, a, b) = labelled(data, labels)?;
    let measure = match shown {
        Shown::T | Shown::F => Measure::T(Variance::Pooled),
        Shown::Welch => Measure::T(Variance::Separate),
        Shown::R2 => Measure::SignedR2,
        Shown::DPrime => Measure::DPrime,
        Shown::Auc => Measure::Auc,
    };
    let mut measured = Measured::of("two-sample");
    let held = resident_mib();
    forget_peak();
    let mut values = Vec::new();
    for _ in 0..reps {
        let meter = Meter::start();
        values = match with_p {
            true => two_sample(&x, &a, &b, measure, run)?.values,
            false => map(&x, &a, &b, measure, run)?,
        };
        if matches!(shown, Shown::F) {
            values.iter_mut().for_each(|t| *t *= *t);
        }
        measured.add(&meter);
        measured.limit.push(pass_secs(&x.values));
    }
    measured.peak_mib = peak_mib();
    let none = measure.none();
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&i, &j| {
        (values[j] - none)
            .abs()
            .total_cmp(&(values[i] - none).abs())
    });
    let n_top = 2000.min(order.len());
    let top = order[..n_top].iter().filter(|c| **c < 2000).count() as f64 / n_top as f64;
    measured.size = format!("{} trials x {} voxels", x.n_rows, x.n_cols);
    measured.quality = json!({
        "sum_abs": values.iter().map(|v| f64::from(v.abs())).sum::<f64>(),
        "max": values.iter().fold(0.0f32, |m, v| m.max(v.abs())), "top2000_precision": top, "input_mib": held,
    });
    Ok(measured)
}
