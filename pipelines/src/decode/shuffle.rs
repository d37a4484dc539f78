//! Orders in which trials are mixed up for the control.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::betas::Betas;
use crate::decode::DecodePlan;
use crate::decode::fold::Known;

/// One order a shuffle: trial `i` is told to be what trial `order[i]` is.
///
/// Trials change places within their run only, so that a shuffled study has the same runs, the
/// same pictures in each and the same counts; with nothing to exchange within runs, over all of them.
pub(super) fn shuffles(
    betas: &Betas,
    known: &Known,
    plan: &DecodePlan,
    warnings: &mut Vec<String>,
) -> Vec<Vec<usize>> {
    if plan.n_shuffles == 0 {
        warnings
            .push("No shuffled control was asked for: the scores stand without one.".to_owned());
        return Vec::new();
    }
    let what = |row: usize| {
        (
            known.labels[row],
            known.pictures.get(row).copied().flatten(),
        )
    };
    let mut blocks: BTreeMap<(&str, bool), Vec<usize>> = BTreeMap::new();
    for (row, trial) in betas.trials.iter().enumerate() {
        blocks
            .entry((&trial.run, what(row).1.is_some()))
            .or_default()
            .push(row);
    }
    let mut blocks: Vec<Vec<usize>> = blocks.into_values().collect();
    let varies = |block: &Vec<usize>| block.iter().any(|&row| what(row) != what(block[0]));
    if !blocks.iter().any(varies) {
        warnings.push(
            "Every run shows one thing only, so the control exchanges trials between runs; slow differences between runs may pass for signal."
                .to_owned(),
        );
        let (with, without) =
            (0..betas.n_trials()).partition::<Vec<usize>, _>(|&row| what(row).1.is_some());
        blocks = vec![with, without];
    }
    let mut random = StdRng::seed_from_u64(plan.seed);
    (0..plan.n_shuffles)
        .map(|_| {
            let mut order: Vec<usize> = (0..betas.n_trials()).collect();
            for block in &blocks {
                let mut mixed = block.clone();
                mixed.shuffle(&mut random);
                for (&row, &other) in block.iter().zip(&mixed) {
                    order[row] = other;
                }
            }
            order
        })
        .collect()
}
