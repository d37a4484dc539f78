//! Predictions with what was chosen: one hat for all targets that share γ and α.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use faer::Par;
use rayon::prelude::*;

use super::{Asked, Chosen, Grid, LARGE, Model, Predicted, Problem, each, hats};
use crate::linear::product::Fixed;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};

/// Predicts what each model is asked for, with the γ and α chosen for every target, and hands the predictions to
/// `consume`, some targets at a time, from several threads. Contributions of single spaces are told apart for the
/// orders that `by_space` names, else one matrix holds all of them.
pub fn predict(
    problem: &Problem<'_>,
    models: &[Model],
    grid: &Grid,
    (orders, found): (&[Vec<usize>], &[Vec<Chosen>]),
    by_space: &(dyn Fn(usize) -> bool + Sync),
    run: &Run<'_>,
    consume: &(dyn Fn(&Predicted<'_>) + Sync),
) -> Result<(), Stop> {
    let mut jobs: Vec<Job> = Vec::new();
    for (m, _) in models.iter().enumerate() {
        // Orders share the hats of a pair, unless only some are told apart by space.
        let mut of_pair: BTreeMap<(u16, u16, bool), Wanted> = BTreeMap::new();
        for (o, found) in found.iter().enumerate() {
            let split = by_space(o) && problem.spaces.len() > 1;
            for t in 0..problem.y.n_cols {
                let (gamma, alpha) = (found[m].gamma[t], found[m].alpha[t]);
                let wanted = of_pair.entry((gamma, alpha, split)).or_default();
                match wanted.last_mut() {
                    Some((order, targets)) if *order == o => targets.push(t),
                    _ => wanted.push((o, vec![t])),
                }
            }
        }
        jobs.extend(
            of_pair
                .into_iter()
                .map(|((gamma, alpha, split), wanted)| Job {
                    model: m,
                    gamma: usize::from(gamma),
                    alpha: usize::from(alpha),
                    split,
                    wanted,
                }),
        );
    }
    let n_units = models.len() * orders.len() * problem.y.n_cols;
    let done = AtomicUsize::new(0);
    let step = |n: usize| run.progress(done.fetch_add(n, Ordering::Relaxed) + n, n_units);
    let large = problem.side.width(problem.rows.len()) > LARGE;
    let work = |job: &Job| {
        run.check()?;
        let model = &models[job.model];
        let par = if large { Par::rayon(0) } else { Par::Seq };
        let (gamma, alpha) = (&grid.gammas[job.gamma], grid.alphas[job.alpha]);
        let hat = hats::exact(problem, model, gamma, alpha, job.split, par, run)?;
        let hat = Fixed::new(hat, problem.compute);
        let n_spaces = if job.split { problem.spaces.len() } else { 1 };
        let size = problem.batch(hat.n_rows());
        for (order, targets) in &job.wanted {
            let chunks: Vec<&[usize]> = targets.chunks(size).collect();
            each(problem.compute, &chunks, |targets| {
                run.check()?;
                told(
                    problem,
                    (job.model, model),
                    (*order, &orders[*order]),
                    &hat,
                    n_spaces,
                    targets,
                    consume,
                )?;
                step(targets.len());
                Ok(())
            })?;
        }
        Ok(())
    };
    if large || !problem.compute.is_cpu() {
        jobs.iter().try_for_each(work)
    } else {
        jobs.par_iter().try_for_each(work)
    }
}

/// Targets by order of the responses.
type Wanted = Vec<(usize, Vec<usize>)>;

/// Targets of a model that share γ and α.
struct Job {
    model: usize,
    gamma: usize,
    alpha: usize,
    split: bool,
    wanted: Wanted,
}

fn told(
    problem: &Problem<'_>,
    (index, model): (usize, &Model),
    (order, rows): (usize, &[usize]),
    hat: &Fixed,
    n_spaces: usize,
    targets: &[usize],
    consume: &(dyn Fn(&Predicted<'_>) + Sync),
) -> Result<(), Stop> {
    let batch = problem.gather(targets, rows, true)?;
    let mut mean = problem.train_mean(&batch, &model.without);
    let right = problem.right_side(&batch, &model.without, &mean)?;
    let z = problem.times(hat, &right)?;
    let n = z.n_rows / n_spaces;
    let by_space: Vec<Matrix> = if n_spaces == 1 {
        vec![z]
    } else {
        let parts = z.values.chunks_exact((n * z.n_cols).max(1));
        let part = |values: &[f32]| Matrix {
            n_rows: n,
            n_cols: z.n_cols,
            values: values.to_vec(),
        };
        parts.map(part).collect()
    };
    let mut observed = Matrix::zeros(0, targets.len());
    if let Asked::Part(part) = model.asked {
        observed = batch
            .y
            .select_rows(&problem.bounds[part].clone().collect::<Vec<_>>());
        for row in 0..observed.n_rows {
            let values = observed.row_mut(row).iter_mut().zip(&mean);
            values.for_each(|(value, mean)| *value -= mean);
        }
    }
    for ((mean, all), finite) in mean.iter_mut().zip(&batch.means).zip(&batch.finite) {
        *mean = if *finite { *mean + all } else { f32::NAN };
    }
    consume(&Predicted {
        order,
        model: index,
        targets,
        observed: &observed,
        by_space: &by_space,
        mean: &mean,
    });
    Ok(())
}
