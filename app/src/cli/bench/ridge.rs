//! Ridge regressions on arrays: encoding, banded encoding, decoding. The limit is the arithmetic of the products that
//! are needed, at the rate at which this machine multiplies matrices in f32.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use fusiform_pipelines::device::Compute;
use fusiform_pipelines::encode;
use fusiform_pipelines::io::npy;
use fusiform_pipelines::linear::search::{self, Asked, Grid, Predicted, Problem};
use fusiform_pipelines::linear::{product, ridge, single};
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::metrics::correlation;
use fusiform_pipelines::run::{Run, Stop};
use serde_json::json;

use super::meter::{Meter, peak_mib};
use super::{Measured, median};

/// Folds, and penalties 10⁻¹ to 10⁸.
const FOLDS: usize = 5;
const ALPHAS: i32 = 10;

/// What is measured.
#[derive(Clone, Debug)]
pub(super) enum Task {
    /// One penalty a target.
    Ridge,
    /// Weights of two halves of the features, from a file or drawn.
    Banded {
        draws: usize,
        weights: Option<PathBuf>,
    },
    /// The same penalty for all, or one a target.
    Decode { search: bool },
}

struct Data {
    x: Matrix,
    y: Matrix,
    x_test: Matrix,
    y_test: Matrix,
}

/// Reads `SET_X_train.npy` and the other three, less the means of the training rows. Decoding turns X and Y round and
/// takes 768 of the features.
fn read(folder: &Path, set: &str, decode: bool) -> anyhow::Result<Data> {
    let part = |name: &str| npy::read(&folder.join(format!("{set}_{name}.npy")));
    let (x, y) = if decode { ("Y", "X") } else { ("X", "Y") };
    let mut data = Data {
        x: part(&format!("{x}_train"))?,
        y: part(&format!("{y}_train"))?,
        x_test: part(&format!("{x}_test"))?,
        y_test: part(&format!("{y}_test"))?,
    };
    if decode {
        let columns: Vec<usize> = (0..data.y.n_cols.min(768)).collect();
        data.y = data.y.select_columns(&columns);
        data.y_test = data.y_test.select_columns(&columns);
    }
    centre(&mut data.x, &mut data.x_test);
    centre(&mut data.y, &mut data.y_test);
    Ok(data)
}

fn centre(train: &mut Matrix, test: &mut Matrix) {
    let mut means = vec![0.0f64; train.n_cols];
    for row in train.rows() {
        means
            .iter_mut()
            .zip(row)
            .for_each(|(m, v)| *m += f64::from(*v));
    }
    let n = train.n_rows as f64;
    for m in [train, test] {
        for r in 0..m.n_rows {
            let row = m.row_mut(r).iter_mut().zip(&means);
            row.for_each(|(v, mean)| *v = (f64::from(*v) - mean / n) as f32);
        }
    }
}

/// Contiguous folds, as scikit-learn's KFold makes them.
fn folds(n: usize) -> Vec<Vec<usize>> {
    let mut start = 0;
    (0..FOLDS)
        .map(|f| {
            let size = n / FOLDS + usize::from(f < n % FOLDS);
            start += size;
            (start - size..start).collect()
        })
        .collect()
}

/// Runs it `reps` times.
pub(super) fn run(
    folder: &Path,
    set: &str,
    task: &Task,
    reps: u32,
    run: &Run<'_>,
) -> anyhow::Result<Measured> {
    // As the command that encodes does.
    crate::cli::allocator::give_back_large_blocks();
    let compute = Compute::cpu();
    let data = read(folder, set, matches!(task, Task::Decode { .. }))?;
    let mut measured = Measured::of(match task {
        Task::Ridge => "ridge",
        Task::Banded { .. } => "banded",
        Task::Decode { .. } => "decode_ridge",
    });
    measured.size = format!("{}x{} -> {}", data.x.n_rows, data.x.n_cols, data.y.n_cols);
    let input_mib = peak_mib();
    let grid = Grid {
        alphas: (0..ALPHAS).map(|e| 10f64.powi(e - 1)).collect(),
        gammas: match task {
            Task::Banded { draws, weights } => weights_of(*draws, weights.as_deref())?,
            Task::Ridge | Task::Decode { .. } => vec![vec![1.0]],
        },
    };
    let half = data.x.n_cols / 2;
    let mut spaces = vec![0..half, half..data.x.n_cols];
    if grid.gammas[0].len() == 1 {
        spaces = std::iter::once(0..data.x.n_cols).collect();
    }
    let mut flops = 0.0;
    for _ in 0..reps {
        let meter = Meter::start();
        let (said, alphas) = if matches!(task, Task::Decode { search: false }) {
            let model = single::fit(&data.x, &data.y, 1e5, &compute, run)?;
            flops = of_one_penalty(&data);
            (
                ridge::predict(&model, &data.x_test, &compute, run)?,
                vec![1e5],
            )
        } else {
            let (said, alphas, counted) = searched(&data, &spaces, &grid, &compute, run)?;
            flops = counted;
            (said, alphas)
        };
        measured.add(&meter);
        // The peak is that of the work, not of judging it.
        measured.peak_mib = measured.peak_mib.or_else(peak_mib);
        measured.limit.push(flops / gemm_rate(&compute, run)?);
        measured.quality = quality(&said, &data.y_test, &alphas);
    }
    let rate = flops / median(&measured.limit) / 1e9;
    if let Some(quality) = measured.quality.as_object_mut() {
        quality.insert("gemm_gflops".into(), json!(rate));
        quality.insert("needed_gflop".into(), json!(flops / 1e9));
        quality.insert(
            "share_of_gemm_rate".into(),
            json!(median(&measured.limit) / median(&measured.all)),
        );
        quality.insert("input_mib".into(), json!(input_mib));
    }
    Ok(measured)
}

fn weights_of(draws: usize, file: Option<&Path>) -> anyhow::Result<Vec<Vec<f64>>> {
    let Some(file) = file else {
        let mut weights = encode::weights(2, draws, 0);
        weights.truncate(draws);
        return Ok(weights);
    };
    let table = npy::read(file)?;
    Ok(table
        .rows()
        .map(|r| r.iter().map(|v| f64::from(*v)).collect())
        .collect())
}

fn searched(
    data: &Data,
    spaces: &[std::ops::Range<usize>],
    grid: &Grid,
    compute: &Compute,
    run: &Run<'_>,
) -> Result<(Matrix, Vec<f64>, f64), Stop> {
    let parts = folds(data.x.n_rows);
    run.stage("multiplying features");
    let problem = Problem::new(
        (&data.x, &data.y),
        spaces,
        &parts,
        Some(&data.x_test),
        compute,
        run,
    )?;
    let (models, splits) = search::plain(parts.len(), Asked::Extra);
    run.stage("choosing penalties");
    let orders = [Vec::new()];
    let found = search::search(&problem, 1, &splits, grid, &orders, run)?;
    run.stage("predicting");
    let said = Mutex::new(Matrix::zeros(data.x_test.n_rows, data.y.n_cols));
    let consume = |told: &Predicted<'_>| {
        let mut said = said
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        for r in 0..told.by_space[0].n_rows {
            let row = said.row_mut(r);
            for (i, &t) in told.targets.iter().enumerate() {
                row[t] = told.by_space.iter().map(|s| s.row(r)[i]).sum::<f32>() + told.mean[i];
            }
        }
    };
    search::predict(
        &problem,
        &models,
        grid,
        (&orders, &found),
        &|_| false,
        run,
        &consume,
    )?;
    let alphas = found[0][0]
        .alpha
        .iter()
        .map(|&a| grid.alphas[usize::from(a)])
        .collect();
    let said = said
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    Ok((said, alphas, problem.flops() as f64))
}

/// Half of X Xᵀ, a Cholesky factor, two triangular solves, weights, predictions.
fn of_one_penalty(data: &Data) -> f64 {
    let [n, p, t, n_test] = [
        data.x.n_rows,
        data.x.n_cols,
        data.y.n_cols,
        data.x_test.n_rows,
    ]
    .map(|n| n as f64);
    n * n * p + n * n * n / 3.0 + 2.0 * n * n * t + 2.0 * p * n * t + 2.0 * n_test * p * t
}

/// Operations a second of a product of two matrices of 2048 × 2048, best of five.
fn gemm_rate(compute: &Compute, run: &Run<'_>) -> Result<f64, Stop> {
    const N: usize = 2048;
    let a = Matrix {
        n_rows: N,
        n_cols: N,
        values: (0..N * N).map(|i| (i % 977) as f32 / 977.0 - 0.5).collect(),
    };
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let meter = Meter::start();
        std::hint::black_box(product::times(&a, &a, compute, run)?);
        best = best.min(meter.secs());
    }
    Ok(2.0 * (N * N * N) as f64 / best)
}

fn quality(said: &Matrix, truth: &Matrix, alphas: &[f64]) -> serde_json::Value {
    let (mut r, mut r2) = (0.0, 0.0);
    let n = truth.n_cols as f64;
    let rows = |m: &Matrix, c: usize| -> Vec<f32> { m.rows().map(|row| row[c]).collect() };
    for c in 0..truth.n_cols {
        let (a, b) = (rows(said, c), rows(truth, c));
        r += correlation::pearson(&a, &b) / n;
        let mean = b.iter().map(|v| f64::from(*v)).sum::<f64>() / b.len() as f64;
        let total: f64 = b.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum();
        let error: f64 = a
            .iter()
            .zip(&b)
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
            .sum();
        r2 += (1.0 - error / total) / n;
    }
    let logs = alphas.iter().map(|a| a.log10()).sum::<f64>() / alphas.len() as f64;
    json!({ "mean_r": r, "mean_r2": r2, "mean_log10_alpha": logs })
}
