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
        mask: Some("grey".into()),
        ..Query::default()
    };
    let selection = select(&demo.study, &query).unwrap();
    let betas =
        quietly(|run| glm::betas(&selection, &glm::plan_for(&selection, run)?, run)).unwrap();
    let mask = mask_of(&betas);
    let atlas = quietly(|run| demo.study.subjects[0].atlases[0].source.load(run)).unwrap();
    let areas = roi::columns_of(mask, &atlas).unwrap();

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
        let found = fdr::discoveries(&t.p_greater(), 0.05);
        for ((best, t), found) in best.iter_mut().zip(&t.values).zip(found) {
            if found && *t > best.0 {
                *best = (*t, category);
            }
        }
    }
    // Early areas have tastes of their own for how pictures of a category look: they are left out of the search.
    let mut is_searched = vec![true; betas.n_voxels()];
    for (region, columns) in &areas {
        if PREFERRED.iter().all(|(area, _)| *area != region.name) {
            columns.iter().for_each(|&c| is_searched[c] = false);
        }
    }
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
        let both = of(&|c| planted[c] && best[c].1 == wanted);
        let dice = 2.0 * both / (of(&|c| planted[c]) + of(&|c| best[c].1 == wanted));
        println!(
            "{wanted}: dice {dice:.2} of {} planted voxels",
            of(&|c| planted[c])
        );
        assert!(dice >= 0.6, "{wanted}: dice {dice}");
    }

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
    let planted: Vec<f32> = mask
        .voxels()
        .iter()
        .map(|&v| explainable(demo.truth_snr.data[v as usize]))
        .collect();
    let summaries = |map: &[f32]| roi::summaries(map, &columns).unwrap();
    for (((region, _), found), planted) in
        areas.iter().zip(summaries(&share)).zip(summaries(&planted))
    {
        println!(
            "{}: ceiling {:.3}, planted {:.3}",
            region.name, found.mean, planted.mean
        );
        assert!(
            (found.mean - planted.mean).abs() < 0.08,
            "{}: {} for {}",
            region.name,
            found.mean,
            planted.mean
        );
    }
    let silent: Vec<usize> = (0..planted.len()).filter(|&c| planted[c] == 0.0).collect();
    let silent = roi::summaries(&share, &[&silent]).unwrap()[0];
    assert!(silent.median < 0.05, "{silent:?}");
}
