//! Linear support vectors with squared hinge, by dual coordinate descent.
//!
//! Hsieh, Chang, Lin, Keerthi & Sundararajan (2008), *Proc. ICML*, 408–415: LIBLINEAR's solver 1 and scikit-learn's
//! `LinearSVC`. As there, the intercept is the weight of one more feature that is always 1, and is penalised with the
//! others.

use faer::Mat;

use super::Classifier;
use crate::Result;

const MOST_PASSES: usize = 20_000;
/// The largest violation of the optimum, in units of the gradient.
const TOLERANCE: f64 = 1e-9;

pub(super) fn fit(x: &Mat<f64>, y: &[usize], n_classes: usize, c: f64) -> Result<Classifier> {
    let p = x.ncols();
    let rows: Vec<Vec<f64>> = (0..x.nrows())
        .map(|r| (0..p).map(|f| x[(r, f)]).chain([1.0]).collect())
        .collect();
    let present: Vec<usize> = (0..n_classes).filter(|k| y.contains(k)).collect();
    let mut weights = Mat::<f64>::zeros(n_classes, p);
    let mut offsets = vec![f64::NEG_INFINITY; n_classes];
    let against_rest = |class: usize| {
        let signs: Vec<f64> = y
            .iter()
            .map(|&of| if of == class { 1.0 } else { -1.0 })
            .collect();
        solve(&rows, &signs, c)
    };
    if let [first, second] = present[..] {
        let w = against_rest(second);
        for (class, share) in [(first, -0.5), (second, 0.5)] {
            offsets[class] = share * w[p];
            for f in 0..p {
                weights[(class, f)] = share * w[f];
            }
        }
    } else {
        for class in present {
            let w = against_rest(class);
            offsets[class] = w[p];
            for f in 0..p {
                weights[(class, f)] = w[f];
            }
        }
    }
    Ok(Classifier { weights, offsets })
}

/// ½‖w‖² + C Σ max(0, 1 − y w·x)², by its dual: min over α ≥ 0 of ½ αᵀ(Q + I/2C)α − Σα.
fn solve(rows: &[Vec<f64>], signs: &[f64], c: f64) -> Vec<f64> {
    let extra = 0.5 / c;
    let width = rows.first().map_or(0, Vec::len);
    let diagonal: Vec<f64> = rows
        .iter()
        .map(|row| row.iter().map(|x| x * x).sum::<f64>() + extra)
        .collect();
    let mut w = vec![0.0; width];
    let mut alpha = vec![0.0; rows.len()];
    for _ in 0..MOST_PASSES {
        let mut worst = 0.0f64;
        for (i, row) in rows.iter().enumerate() {
            let along: f64 = row.iter().zip(&w).map(|(x, w)| x * w).sum();
            let gradient = signs[i] * along - 1.0 + extra * alpha[i];
            let violation = if alpha[i] == 0.0 {
                gradient.min(0.0)
            } else {
                gradient
            };
            worst = worst.max(violation.abs());
            if violation == 0.0 {
                continue;
            }
            let next = (alpha[i] - gradient / diagonal[i]).max(0.0);
            let by = (next - alpha[i]) * signs[i];
            alpha[i] = next;
            w.iter_mut().zip(row).for_each(|(w, x)| *w += by * x);
        }
        // Where C is large this may not be reached; the last pass is then as near as it gets.
        if worst < TOLERANCE {
            break;
        }
    }
    w
}
