//! Ridge regressions as matrices that make predictions of responses.
//!
//! With A = XᵀX of the scaled features (primal) or XXᵀ (dual), both centred on the training rows, and R the rows to be
//! predicted on the same side, predictions are R (A + α)⁻¹ · right side: XᵀY or Y. R (A + α)⁻¹ knows no target.

use faer::linalg::matmul::matmul;
use faer::{Accum, Mat, MatRef, Par};
use rayon::prelude::*;

use super::{Asked, LARGE, Model, Problem, Split};
use crate::linear::cholesky::Symmetric;
use crate::linear::product::Fixed;
use crate::linear::{kernel, penalties};
use crate::matrix::Matrix;
use crate::run::{Run, Stop};

/// The hats of all penalties for the rows of one part.
#[derive(Debug)]
pub(super) struct Hats {
    /// Curves · rows × width of the right side.
    pub(super) fixed: Fixed,
    /// Penalties × curves: each penalty's hat is this sum of the curves'.
    pub(super) parts: Vec<Vec<f64>>,
}

/// For every γ and split the hats of what the split says, in that order.
pub(super) fn of_splits(
    problem: &Problem<'_>,
    splits: &[Split],
    gammas: &[&[f64]],
    alphas: &[f64],
    run: &Run<'_>,
) -> Result<Vec<Vec<Vec<Hats>>>, Stop> {
    let one = |gamma: &[f64], split: &Split, par: Par| -> Result<Vec<Hats>, Stop> {
        run.check()?;
        let rows: Vec<Mat<f64>> = split
            .says
            .iter()
            .map(|&(_, part)| problem.asked(&split.without, Asked::Part(part), gamma, None))
            .collect();
        let narrow = |hat: MatRef<'_, f64>| problem.narrowed(hat, gamma);
        let without = &split.without;
        let made = if problem.side.width(problem.n_train(without)) > LARGE {
            let system = problem.system(without, gamma, |n, at| Symmetric::from_fn(n, at));
            by_factors(&system, &rows, alphas, par, &narrow, run)?
        } else {
            // The lower half is all that is read.
            let lower =
                |at: &dyn Fn(usize, usize) -> f64, r, c| if r >= c { at(r, c) } else { 0.0 };
            let system = problem.system(without, gamma, |n, at| {
                Mat::from_fn(n, n, |r, c| lower(at, r, c))
            });
            by_eigenvectors(system, &rows, alphas, par, &narrow, run)?
        };
        let finish = |(stacked, parts): (Matrix, Vec<Vec<f64>>)| Hats {
            fixed: Fixed::new(stacked, problem.compute),
            parts,
        };
        Ok(made.into_iter().map(finish).collect())
    };
    let units: Vec<(&[f64], &Split)> = gammas
        .iter()
        .flat_map(|gamma| splits.iter().map(move |split| (*gamma, split)))
        .collect();
    let large = splits
        .iter()
        .any(|s| problem.side.width(problem.n_train(&s.without)) > LARGE);
    let made: Vec<Vec<Hats>> = if large || units.len() == 1 {
        let all = units.iter().map(|(g, s)| one(g, s, Par::rayon(0)));
        all.collect::<Result<_, Stop>>()?
    } else {
        let all = units.par_iter().map(|(g, s)| one(g, s, Par::Seq));
        all.collect::<Result<_, Stop>>()?
    };
    let mut made = made.into_iter();
    Ok(gammas
        .iter()
        .map(|_| made.by_ref().take(splits.len()).collect())
        .collect())
}

/// The hat of a model for one γ and α; with `by_space` one below the other for each space alone.
pub(super) fn exact(
    problem: &Problem<'_>,
    model: &Model,
    gamma: &[f64],
    alpha: f64,
    by_space: bool,
    par: Par,
    run: &Run<'_>,
) -> Result<Matrix, Stop> {
    let spaces: Vec<Option<usize>> = match by_space {
        true => (0..gamma.len()).map(Some).collect(),
        false => vec![None],
    };
    let rows: Vec<Mat<f64>> = spaces
        .into_iter()
        .map(|space| problem.asked(&model.without, model.asked, gamma, space))
        .collect();
    let mut solved = stacked(&rows).transpose().to_owned();
    drop(rows);
    let system = problem.system(&model.without, gamma, |n, at| Symmetric::from_fn(n, at));
    let factor = system.factor(alpha, par, run)?;
    factor.solve(&mut solved, par, run)?;
    drop(factor);
    Ok(problem.narrowed(solved.transpose(), gamma))
}

fn stacked(parts: &[Mat<f64>]) -> Mat<f64> {
    let n_rows = parts.iter().map(Mat::nrows).sum();
    let mut out = Mat::zeros(n_rows, parts.first().map_or(0, Mat::ncols));
    let mut at = 0;
    for part in parts {
        out.subrows_mut(at, part.nrows()).copy_from(part);
        at += part.nrows();
    }
    out
}

type Made = Vec<(Matrix, Vec<Vec<f64>>)>;

/// One eigendecomposition, and a product a curve.
fn by_eigenvectors(
    system: Mat<f64>,
    rows: &[Mat<f64>],
    alphas: &[f64],
    par: Par,
    narrow: &dyn Fn(MatRef<'_, f64>) -> Matrix,
    run: &Run<'_>,
) -> Result<Made, Stop> {
    let (values, vectors) = kernel::eigen_by(&system, par)?;
    drop(system);
    run.check()?;
    let curves = penalties::curves(&values, alphas)?;
    let mut made = Vec::new();
    for rows in rows {
        let (n, m) = (rows.nrows(), values.len());
        let mut along = Mat::<f64>::zeros(n, m);
        matmul(&mut along, Accum::Replace, rows, &vectors, 1.0, par);
        let (mut scaled, mut hat) = (Mat::<f64>::zeros(n, m), Mat::<f64>::zeros(n, m));
        let mut all = Matrix::default();
        all.values.reserve_exact(n * m * curves.factors.len());
        for factors in &curves.factors {
            run.check()?;
            for (c, factor) in factors.iter().enumerate() {
                for r in 0..n {
                    scaled[(r, c)] = along[(r, c)] * factor;
                }
            }
            let back = vectors.transpose();
            matmul(&mut hat, Accum::Replace, &scaled, back, 1.0, par);
            all = all.stacked(&narrow(hat.as_ref()))?;
        }
        made.push((all, curves.parts.clone()));
    }
    Ok(made)
}

/// A Cholesky factor for each penalty: cheaper than eigenvectors where the system is large.
fn by_factors(
    system: &Symmetric,
    rows: &[Mat<f64>],
    alphas: &[f64],
    par: Par,
    narrow: &dyn Fn(MatRef<'_, f64>) -> Matrix,
    run: &Run<'_>,
) -> Result<Made, Stop> {
    let together = stacked(rows);
    let mut all = vec![Matrix::default(); rows.len()];
    for &alpha in alphas {
        let factor = system.clone().factor(alpha, par, run)?;
        let mut solved = together.transpose().to_owned();
        factor.solve(&mut solved, par, run)?;
        let mut at = 0;
        for (all, rows) in all.iter_mut().zip(rows) {
            let own = solved.subcols(at, rows.nrows()).transpose();
            *all = std::mem::take(all).stacked(&narrow(own))?;
            at += rows.nrows();
        }
    }
    let own = |a: usize| {
        (0..alphas.len())
            .map(|k| f64::from(u8::from(k == a)))
            .collect()
    };
    let parts: Vec<Vec<f64>> = (0..alphas.len()).map(own).collect();
    Ok(all.into_iter().map(|hats| (hats, parts.clone())).collect())
}
