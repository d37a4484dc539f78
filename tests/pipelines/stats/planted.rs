//! The category areas and ceilings that were planted in the demo study are found in its single trials.

use std::collections::BTreeMap;

use fusiform_pipelines::betas::{Betas, Columns};
use fusiform_pipelines::glm;
use fusiform_pipelines::study::demo::{DemoPlan, explainable, generate};
use fusiform_pipelines::study::select::{Query, select};

use super::*;

/// Preferred category of each area that has one beyond dispute.
const PREFERRED: [(&str, &str); 8] = [
    ("OFA", "face"),
    ("FFA", "face"),
    ("EBA", "body"),
    ("PPA", "place"),
    ("OPA", "place"),
    ("RSC", "place"),
    ("VWFA", "word"),
    ("FOOD", "food"),
];

fn mask_of(betas: &Betas) -> &Mask {
    match &betas.columns {
        Columns::Voxels(mask) => mask,
        Columns::Points(_) => panic!("the demo has voxels"),
    }
}

#[test]
fn planted_areas_and_ceilings_are_found() {
    let demo = quietly(|run| generate(&DemoPlan::default(), run)).unwrap();
    let query = Query {
        subject: Some("01".into()),
        mask: Some("grey".into()),
        ..Query::default()
    };
    let selection = select(&demo.study, &query).unwrap();
    let betas =
        quietly(|run| glm::betas(&selection, &glm::plan_for(&selection, run)?, run)).unwrap();
    let mask = mask_of(&betas);
    let atlas = quietly(|run| demo.study.subjects[0].atlases[0].source.load(run)).unwrap();
    let areas = roi::columns_of(mask, &atlas).unwrap();

    // Early areas and LO have tastes of their own for how pictures of a category look. They are left out before the
    // false discovery rate is set: one that holds in a larger search need not hold in a part of it.
    let mut is_searched = vec![true; betas.n_voxels()];
    for (region, columns) in &areas {
        if PREFERRED.iter().all(|(area, _)| *area != region.name) {
            columns.iter().for_each(|&c| is_searched[c] = false);
        }
    }

    // A voxel is a category's when it responds more to it than to all others at q ≤ 0.05, and to no other with a
    // larger t.
    let mut rows_of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, trial) in betas.trials.iter().enumerate() {
        rows_of.entry(&trial.condition).or_default().push(row);
    }
    assert_eq!(rows_of.len(), 8, "{:?}", rows_of.keys());
    let mut best: Vec<(f32, &str)> = vec![(0.0, ""); betas.n_voxels()];
    for (&category, rows) in &rows_of {
        let others: Vec<usize> = (0..betas.n_trials())
            .filter(|r| !rows.contains(r))
            .collect();
        let t = map(&betas.values, rows, &others, Measure::T(Variance::Separate));
        let mut p = t.p_greater();
        let p_searched = p.iter_mut().zip(&is_searched);
        p_searched.for_each(|(p, searched)| *p = if *searched { *p } else { f64::NAN });
        let found = fdr::discoveries(&p, 0.05);
        for ((best, t), found) in best.iter_mut().zip(&t.values).zip(found) {
            if found && *t > best.0 {
                *best = (*t, category);
            }
        }
    }
    let planted_snr: Vec<f32> = mask
        .voxels()
        .iter()
        .map(|&v| demo.truth_snr.data[v as usize])
        .collect();
    // Single voxels like categories that their area does not: discoveries elsewhere are false only where no signal is.
    let (mut n_discoveries, mut n_false) = (0.0, 0.0);
    let mut failed = Vec::new();
    for wanted in ["face", "body", "place", "word", "food"] {
        let mut planted = vec![false; betas.n_voxels()];
        for (region, columns) in &areas {
            if PREFERRED.contains(&(region.name.as_str(), wanted)) {
                columns.iter().for_each(|&c| planted[c] = true);
            }
        }
        let of = |is_in: &dyn Fn(usize) -> bool| {
            (0..betas.n_voxels())
                .filter(|&c| is_searched[c] && is_in(c))
                .count() as f64
        };
        let is_found = |c: usize| best[c].1 == wanted;
        let (n_planted, n_found) = (of(&|c| planted[c]), of(&is_found));
        let n_both = of(&|c| planted[c] && is_found(c));
        let dice = 2.0 * n_both / (n_planted + n_found);
        println!(
            "{wanted}: {n_found} voxels found, {n_planted} planted, {n_both} both: dice {dice:.2}"
        );
        n_discoveries += n_found;
        n_false += of(&|c| is_found(c) && planted_snr[c] == 0.0);
        failed.extend((dice < 0.6).then(|| format!("{wanted}: dice {dice}")));
    }
    println!("{n_false} of {n_discoveries} discoveries are false");
    failed.extend(
        (n_false > 0.08 * n_discoveries)
            .then(|| format!("{n_false} of {n_discoveries} discoveries are false")),
    );

    // Ceilings, area by area, from the shared pictures.
    let repeats = reliability::repeats(&betas.trials);
    let all: Vec<usize> = (0..betas.n_trials()).collect();
    let ceiling =
        quietly(|run| ceiling::noise_ceiling(&betas.values, &repeats, &all, run)).unwrap();
    let share = ceiling.share(&[1]);
    let columns: Vec<&[usize]> = areas
        .iter()
        .map(|(_, columns)| columns.as_slice())
        .collect();
    let planted: Vec<f32> = planted_snr.iter().map(|&snr| explainable(snr)).collect();
    let summaries = |map: &[f32]| roi::summaries(map, &columns).unwrap();
    for (((region, _), found), planted) in
        areas.iter().zip(summaries(&share)).zip(summaries(&planted))
    {
        println!(
            "{}: ceiling {:.3}, planted {:.3}",
            region.name, found.mean, planted.mean
        );
        let apart = found.mean - planted.mean;
        failed.extend((apart.abs() > 0.08).then(|| format!("{}: off by {apart}", region.name)));
    }
    let silent: Vec<usize> = (0..planted.len()).filter(|&c| planted[c] == 0.0).collect();
    let silent = roi::summaries(&share, &[&silent]).unwrap()[0];
    println!("elsewhere: {silent:?}");
    failed.extend(
        (silent.median > 0.05).then(|| format!("ceilings where nothing was planted: {silent:?}")),
    );
    assert!(failed.is_empty(), "{failed:#?}");
}
