//! The demo study: how near its known ceilings an encoding model comes.

use super::*;
use fusiform_pipelines::glm;
use fusiform_pipelines::stats::roi;
use fusiform_pipelines::study::demo::{Demo, DemoPlan, explainable, generate};
use fusiform_pipelines::study::select::{Query, select};

fn fitted(plan: &DemoPlan, of: &[Features]) -> (Demo, Betas, Encoded, Vec<(String, Vec<usize>)>) {
    quietly(|run| {
        let demo = generate(plan, run).unwrap();
        let query = Query {
            subject: Some("01".into()),
            rois: std::env::var("ROI").map_or_else(
                |_| Vec::new(),
                |r| r.split(',').map(str::to_owned).collect(),
            ),
            ..Query::default()
        };
        let selection = select(&demo.study, &query).unwrap();
        let betas = glm::betas(&selection, &glm::plan_for(&selection, run).unwrap(), run).unwrap();
        let atlas = selection.atlas.as_ref().unwrap().source.load(run).unwrap();
        let Columns::Voxels(mask) = &betas.columns else {
            panic!("voxels")
        };
        let regions = roi::columns_of(mask, &atlas).unwrap();
        let regions = regions.into_iter().map(|(r, c)| (r.name, c)).collect();
        let plan = EncodePlan {
            n_shuffles: 2,
            n_weights: std::env::var("NW").map_or(10, |n| n.parse().unwrap()),
            ..EncodePlan::default()
        };
        let found = encoded(&betas, &demo.study.stimuli, of, &plan).unwrap();
        (demo, betas, found, regions)
    })
}

#[test]
fn explore() {
    let n_runs = std::env::var("N_RUNS").map_or(10, |n| n.parse().unwrap());
    let of: Vec<Features> = std::env::var("FEATURES")
        .unwrap_or_else(|_| "pixels,gabor,category,words".into())
        .split(',')
        .map(|f| f.parse().unwrap())
        .collect();
    let plan = DemoPlan {
        n_runs,
        ..DemoPlan::default()
    };
    let (demo, betas, found, regions) = fitted(&plan, &of);
    let Columns::Voxels(mask) = &betas.columns else {
        panic!("voxels")
    };
    println!(
        "{} {} trials, {:.1} s",
        found.split, found.n_trials, found.seconds
    );
    for (name, voxels) in &regions {
        let known: f64 = voxels
            .iter()
            .map(|&v| f64::from(explainable(demo.truth_snr.data[mask.voxels()[v] as usize])))
            .sum::<f64>()
            / voxels.len() as f64;
        let r2 = mean_over(&found.r2, voxels);
        let parts: Vec<String> = found
            .by_space
            .iter()
            .map(|s| format!("{:.3}", mean_over(s, voxels)))
            .collect();
        println!(
            "{name:12} {:4} r2 {r2:.3} known {known:.3} share {:.2} est ceiling {:.3} parts {parts:?} alpha {:.2}",
            voxels.len(),
            r2 / known,
            mean_over(found.ceiling.as_ref().unwrap(), voxels),
            found.alpha.iter().map(|a| a.log10()).sum::<f32>() / found.alpha.len() as f32,
        );
    }
}
