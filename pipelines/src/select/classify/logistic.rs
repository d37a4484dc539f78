//! Logistic regression: scikit-learn's objective, ½‖w‖² + C · Σ loss, intercepts free, by L-BFGS.
//!
//! Nocedal & Wright (2006), *Numerical Optimization*, algorithms 7.4 and 3.1 (backtracking; the problem is convex and
//! smooth, so that the curvature condition is checked and not sought).

use std::collections::VecDeque;

use faer::Mat;

use super::Classifier;
use crate::{Error, Result};

/// Pairs of steps kept.
const MEMORY: usize = 12;
const MOST_STEPS: usize = 5_000;

pub(super) fn fit(x: &Mat<f64>, y: &[usize], n_classes: usize, c: f64) -> Result<Classifier> {
    let p = x.ncols();
    let present: Vec<usize> = (0..n_classes).filter(|k| y.contains(k)).collect();
    let place: Vec<usize> = y
        .iter()
        .map(|class| present.iter().position(|k| k == class).unwrap_or(0))
        .collect();
    let binary = present.len() == 2;
    let n_sets = if binary { 1 } else { present.len() };
    let rows: Vec<Vec<f64>> = (0..x.nrows())
        .map(|r| (0..p).map(|f| x[(r, f)]).collect())
        .collect();
    let width = p + 1;
    // The data's loss is divided by C·n and so is the penalty: gradients are of order 1 whatever C is.
    let scale = 1.0 / (c * rows.len() as f64);
    let loss = |w: &[f64], gradient: &mut [f64]| -> f64 {
        gradient.fill(0.0);
        let mut total = 0.0;
        let mut scores = vec![0.0; n_sets];
        for (row, &class) in rows.iter().zip(&place) {
            for (set, score) in scores.iter_mut().enumerate() {
                let w = &w[set * width..(set + 1) * width];
                *score = w[p] + row.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
            }
            if binary {
                // Class 1 is the positive one.
                let sign = if class == 1 { 1.0 } else { -1.0 };
                let margin = sign * scores[0];
                total += softplus(-margin);
                scores[0] = -sign * sigmoid(-margin);
            } else {
                let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let sum: f64 = scores.iter().map(|s| (s - largest).exp()).sum();
                total += largest + sum.ln() - scores[class];
                for (k, score) in scores.iter_mut().enumerate() {
                    *score = (*score - largest).exp() / sum - f64::from(u8::from(k == class));
                }
            }
            for (set, by) in scores.iter().enumerate() {
                let g = &mut gradient[set * width..(set + 1) * width];
                g[p] += by;
                for (g, x) in g.iter_mut().zip(row) {
                    *g += by * x;
                }
            }
        }
        let n = rows.len() as f64;
        let mut value = total / n;
        for g in gradient.iter_mut() {
            *g /= n;
        }
        for set in 0..n_sets {
            for f in 0..p {
                let w = w[set * width + f];
                value += 0.5 * scale * w * w;
                gradient[set * width + f] += scale * w;
            }
        }
        value
    };
    let w = minimum(vec![0.0; n_sets * width], loss)?;
    let mut weights = Mat::<f64>::zeros(n_classes, p);
    let mut offsets = vec![f64::NEG_INFINITY; n_classes];
    for (k, &class) in present.iter().enumerate() {
        // One set of weights says how much more likely the second class is: half of it for, half against.
        let (set, share) = match (binary, k) {
            (true, 0) => (0, -0.5),
            (true, _) => (0, 0.5),
            (false, k) => (k, 1.0),
        };
        offsets[class] = share * w[set * width + p];
        for f in 0..p {
            weights[(class, f)] = share * w[set * width + f];
        }
    }
    Ok(Classifier { weights, offsets })
}

/// ln(1 + eˣ) without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 {
        1.0 / (1.0 + (-x).exp())
    } else {
        let e = x.exp();
        e / (1.0 + e)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The minimum of a smooth convex function that gives its value and writes its gradient.
fn minimum(mut w: Vec<f64>, f: impl Fn(&[f64], &mut [f64]) -> f64) -> Result<Vec<f64>> {
    let mut gradient = vec![0.0; w.len()];
    let mut value = f(&w, &mut gradient);
    let mut past: VecDeque<(Vec<f64>, Vec<f64>)> = VecDeque::new();
    let mut next_gradient = gradient.clone();
    // Steps in a row that gained no more than the rounding of the value.
    let mut n_idle = 0;
    for _ in 0..MOST_STEPS {
        let steepest = gradient.iter().fold(0.0f64, |most, g| most.max(g.abs()));
        if steepest < 1e-9 || n_idle > 5 && steepest < 1e-5 {
            return Ok(w);
        }
        let direction = direction(&gradient, &past);
        let slope = dot(&direction, &gradient);
        let mut step = if past.is_empty() {
            1.0 / steepest.max(1.0)
        } else {
            1.0
        };
        let (next, next_value) = loop {
            let next: Vec<f64> = w
                .iter()
                .zip(&direction)
                .map(|(w, d)| w + step * d)
                .collect();
            let next_value = f(&next, &mut next_gradient);
            if next_value <= value + 1e-4 * step * slope {
                break (next, next_value);
            }
            step *= 0.5;
            if step < 1e-14 {
                // What is left to gain is below the rounding of the value.
                return if steepest < 1e-5 {
                    Ok(w)
                } else {
                    Err(Error::data(
                        "the logistic regression found no way down: check the features for values of very different size",
                    ))
                };
            }
        };
        let moved: Vec<f64> = next.iter().zip(&w).map(|(a, b)| a - b).collect();
        let turned: Vec<f64> = next_gradient
            .iter()
            .zip(&gradient)
            .map(|(a, b)| a - b)
            .collect();
        if dot(&moved, &turned) > 1e-14 * dot(&turned, &turned).max(1e-300) {
            past.push_back((moved, turned));
            if past.len() > MEMORY {
                past.pop_front();
            }
        }
        n_idle = if value - next_value > 1e-15 * value.abs() {
            0
        } else {
            n_idle + 1
        };
        w = next;
        value = next_value;
        std::mem::swap(&mut gradient, &mut next_gradient);
    }
    Err(Error::data(format!(
        "the logistic regression did not converge in {MOST_STEPS} steps: choose a smaller C"
    )))
}

/// The two-loop recursion.
fn direction(gradient: &[f64], past: &VecDeque<(Vec<f64>, Vec<f64>)>) -> Vec<f64> {
    let mut d: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut along = Vec::with_capacity(past.len());
    for (moved, turned) in past.iter().rev() {
        let a = dot(moved, &d) / dot(moved, turned);
        d.iter_mut().zip(turned).for_each(|(d, t)| *d -= a * t);
        along.push(a);
    }
    if let Some((moved, turned)) = past.back() {
        let by = dot(moved, turned) / dot(turned, turned);
        d.iter_mut().for_each(|d| *d *= by);
    }
    for ((moved, turned), a) in past.iter().zip(along.into_iter().rev()) {
        let b = dot(turned, &d) / dot(moved, turned);
        d.iter_mut().zip(moved).for_each(|(d, m)| *d += (a - b) * m);
    }
    d
}
