//! What was planted in the demo study is found again.

use super::*;

/// The double-gamma response by its formula in logarithms: a twin of the one under test.
fn double_gamma(t: f64) -> f64 {
    let gamma = |shape: u32| {
        let log_factorial: f64 = (1..shape).map(|i| f64::from(i).ln()).sum();
        ((f64::from(shape) - 1.0) * t.ln() - t - log_factorial).exp()
    };
    if t > 0.0 {
        gamma(6) - gamma(16) / 6.0
    } else {
        0.0
    }
}

/// Inverse of a symmetric positive matrix (Gauss–Jordan).
fn inverse(mut a: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let n = a.len();
    let mut b: Vec<Vec<f64>> = (0..n)
        .map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect())
        .collect();
    for pivot in 0..n {
        let scale = 1.0 / a[pivot][pivot];
        a[pivot]
            .iter_mut()
            .chain(&mut b[pivot])
            .for_each(|v| *v *= scale);
        let (row_a, row_b) = (a[pivot].clone(), b[pivot].clone());
        for i in (0..n).filter(|&i| i != pivot) {
            let f = a[i][pivot];
            a[i].iter_mut().zip(&row_a).for_each(|(v, r)| *v -= f * r);
            b[i].iter_mut().zip(&row_b).for_each(|(v, r)| *v -= f * r);
        }
    }
    b
}

/// The response to a picture shown for 2 s, `t` seconds after its onset, with a peak of 1.
fn response(t: f64) -> f64 {
    let boxcar = |t: f64| {
        (0..20)
            .map(|q| double_gamma(t - f64::from(q) * 0.1))
            .sum::<f64>()
    };
    static PEAK: LazyLock<f64> = LazyLock::new(|| {
        let at = |i: i32| (0..20).map(|q| double_gamma(f64::from(i - q) * 0.1)).sum();
        (0..200).map(at).fold(0.0, f64::max)
    });
    boxcar(t) / *PEAK
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A least-squares fit of one regressor for each list of onsets, and three slow cosines.
struct Fit {
    regressors: Vec<Vec<f64>>,
    /// A row a regressor: what makes its estimate of a time course.
    solver: Vec<Vec<f64>>,
    /// The solver's rows times the known covariance of the noise in time.
    coloured: Vec<Vec<f64>>,
}

impl Fit {
    fn new(onsets: &[Vec<f64>], n: usize) -> Self {
        let mut x: Vec<Vec<f64>> = onsets
            .iter()
            .map(|shown| {
                let at = |t: usize| shown.iter().map(|on| response(t as f64 * 2.0 - on)).sum();
                (0..n).map(at).collect()
            })
            .collect();
        for k in 0..3 {
            let phase = std::f64::consts::PI * f64::from(k) / n as f64;
            x.push((0..n).map(|t| (phase * t as f64).cos()).collect());
        }
        let products = x.iter().map(|a| x.iter().map(|b| dot(a, b)).collect());
        let solver: Vec<Vec<f64>> = inverse(products.collect())
            .iter()
            .map(|row| {
                let at = |t: usize| row.iter().zip(&x).map(|(g, x)| g * x[t]).sum();
                (0..n).map(at).collect()
            })
            .collect();
        let autocovariance =
            |lag: usize| 0.5 * f64::from(u8::from(lag == 0)) + 0.5 * 0.45f64.powi(lag as i32);
        let covariance: Vec<f64> = (0..n).map(autocovariance).collect();
        let coloured = solver
            .iter()
            .map(|row| {
                let at = |t: usize| (0..n).map(|s| row[s] * covariance[t.abs_diff(s)]).sum();
                (0..n).map(at).collect()
            })
            .collect();
        Self {
            regressors: x,
            solver,
            coloured,
        }
    }

    /// The variance of the estimates of the first `n`, in units of that of the noise.
    fn spread(&self, n: usize) -> f64 {
        let each = self.coloured.iter().zip(&self.solver).take(n);
        each.map(|(c, s)| dot(c, s)).sum::<f64>() / n as f64
    }
}

#[test]
fn what_is_explainable_follows_from_the_timing_of_the_trials() {
    let events = value(subject().runs[0].events.as_ref().unwrap());
    let onsets: Vec<Vec<f64>> = events.rows.iter().map(|r| vec![r.onset_secs]).collect();
    let last = events.rows.last().unwrap().onset_secs;
    let fit = Fit::new(&onsets, (last / 2.0) as usize + 8);
    // explainable(1) is 1 / (1 + the variance of a trial's estimate at a noise of 1).
    let noise = f64::from(1.0 / explainable(1.0)) - 1.0;
    let spread = fit.spread(onsets.len());
    assert!((spread / noise - 1.0).abs() < 0.12, "{spread} for {noise}");
}

/// Signal variance and noise variance of each voxel, by least squares with one regressor a
/// picture. The noise's autocorrelation is taken as known, so both are unbiased.
fn variances(voxels: &[usize]) -> Vec<(f64, f64)> {
    let mut found = vec![(0.0, 0.0); voxels.len()];
    let mut means: Vec<Vec<f64>> = vec![Vec::new(); voxels.len()];
    let mut excess = 0.0;
    let n_runs = subject().runs.len() as f64;
    for run in &subject().runs {
        let (bold, events) = (value(&run.bold), value(run.events.as_ref().unwrap()));
        let mut shown: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
        for row in &events.rows {
            let id = row.stim_file.as_deref().unwrap();
            shown.entry(id).or_default().push(row.onset_secs);
        }
        let n = bold.n_times;
        let onsets: Vec<Vec<f64>> = shown.into_values().collect();
        let fit = Fit::new(&onsets, n);
        excess += fit.spread(onsets.len()) / n_runs;
        let used = fit.coloured.iter().zip(&fit.regressors);
        let freedom = n as f64 - used.map(|(c, x)| dot(c, x)).sum::<f64>();
        for ((voxel, found), means) in voxels.iter().zip(&mut found).zip(&mut means) {
            let y: Vec<f64> = (0..n)
                .map(|t| f64::from(bold.values_at(t)[*voxel]))
                .collect();
            let betas: Vec<f64> = fit.solver.iter().map(|row| dot(row, &y)).collect();
            let mut rest = y;
            for (beta, x) in betas.iter().zip(&fit.regressors) {
                rest.iter_mut().zip(x).for_each(|(y, x)| *y -= beta * x);
            }
            found.1 += dot(&rest, &rest) / freedom / n_runs;
            means.extend(&betas[..onsets.len()]);
        }
    }
    for (found, betas) in found.iter_mut().zip(means) {
        let mean = betas.iter().sum::<f64>() / betas.len() as f64;
        let total = betas.iter().map(|b| (b - mean).powi(2)).sum::<f64>() / betas.len() as f64;
        found.0 = total - excess * found.1;
    }
    found
}

#[test]
fn least_squares_finds_the_planted_signal_to_noise() {
    let truth = &DEMO.truth_snr.data;
    let masks = &subject().masks;
    let brain = value(&masks.iter().find(|m| m.name == "brain").unwrap().source);
    let mut best: Vec<usize> = (0..truth.len()).filter(|&v| truth[v] > 0.0).collect();
    best.sort_by(|&a, &b| truth[b].total_cmp(&truth[a]));
    let middle = best.len() / 2;
    let silent: Vec<usize> = (0..truth.len())
        .filter(|&v| truth[v] == 0.0 && brain.data[v] > 0.5)
        .step_by(150)
        .collect();
    // One voxel's estimate is rough, so a hundred are pooled.
    let groups = [&best[..100], &best[middle - 50..middle + 50], &silent[..]];
    let found = variances(&groups.concat());
    let mut rest = found.as_slice();
    let pooled = groups.map(|voxels| {
        let (these, others) = rest.split_at(voxels.len());
        rest = others;
        let signal: f64 = these.iter().map(|(signal, noise)| signal / noise).sum();
        let planted: f64 = voxels.iter().map(|&v| f64::from(truth[v]).powi(2)).sum();
        (signal / voxels.len() as f64, planted / voxels.len() as f64)
    });
    let [
        (best, best_planted),
        (middling, middling_planted),
        (silent, _),
    ] = pooled;
    assert!(
        (best / best_planted - 1.0).abs() < 0.12,
        "best: found {best}, planted {best_planted}"
    );
    assert!(
        (middling - middling_planted).abs() < 0.04,
        "middling: found {middling}, planted {middling_planted}"
    );
    assert!(
        silent.abs() < 0.02,
        "signal where none was planted: {silent}"
    );
}
