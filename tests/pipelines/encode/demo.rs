//! The demo study: how near its known ceilings an encoding model comes. Features are read off pictures and captions.

use fusiform_pipelines::glm;
use fusiform_pipelines::stats::roi;
use fusiform_pipelines::study::demo::{DemoPlan, explainable, generate};
use fusiform_pipelines::study::select::{Query, select};

use super::*;

/// A region: its mean R², the mean of what the timing of trials and the noise leave to be explained, and the mean of
/// what of that shows in the pictures.
struct Region {
    name: String,
    r2: f64,
    explainable: f64,
    knowable: f64,
}

fn regions(n_runs: usize, areas: &[&str], of: &[Features], n_weights: usize) -> Vec<Region> {
    quietly(|run| {
        let plan = DemoPlan {
            n_runs,
            ..DemoPlan::default()
        };
        let demo = generate(&plan, run).unwrap();
        let query = Query {
            subject: Some("01".into()),
            rois: areas.iter().map(|a| (*a).to_owned()).collect(),
            ..Query::default()
        };
        let selection = select(&demo.study, &query).unwrap();
        let betas = glm::betas(&selection, &glm::plan_for(&selection, run).unwrap(), run).unwrap();
        let atlas = selection.atlas.as_ref().unwrap().source.load(run).unwrap();
        let Columns::Voxels(mask) = &betas.columns else {
            panic!("voxels")
        };
        let plan = EncodePlan {
            n_shuffles: 2,
            n_control: 100,
            n_weights,
            ..EncodePlan::default()
        };
        let found = encoded(&betas, &demo.study.stimuli, of, &plan).unwrap();
        let all: Vec<usize> = (0..betas.n_voxels()).collect();
        let control = found.r_over(&found.counted());
        assert!(control.shuffled.abs() < 0.03, "{control:?}");
        let truth = |volume: &[f32], v: usize| volume[mask.voxels()[v] as usize];
        let noise: Vec<f32> = all
            .iter()
            .map(|&v| explainable(truth(&demo.truth_snr.data, v)))
            .collect();
        let shown: Vec<f32> = all
            .iter()
            .map(|&v| noise[v] * truth(&demo.truth_knowable.data, v))
            .collect();
        let regions = roi::columns_of(mask, &atlas).unwrap();
        let region = |(region, voxels): (fusiform_pipelines::volume::Region, Vec<usize>)| Region {
            name: region.name,
            r2: mean_over(&found.r2, &voxels),
            explainable: mean_over(&noise, &voxels),
            knowable: mean_over(&shown, &voxels),
        };
        regions.into_iter().map(region).collect()
    })
}

/// Receptive fields and what they see of colour and contrast are learned from 10 runs.
#[test]
fn early_areas_reach_their_ceiling() {
    let areas = ["V1", "V2", "V3", "V4"];
    let found = regions(10, &areas, &[Features::Pixels, Features::Gabor], 10);
    assert_eq!(found.len(), 4);
    for Region {
        name,
        r2,
        explainable,
        knowable,
    } in found
    {
        println!("{name}: {r2:.3} of {explainable:.3}");
        assert_eq!(explainable, knowable, "{name}");
        assert!(
            r2 >= 0.85 * explainable,
            "{name}: {r2:.3} of {explainable:.3}"
        );
        assert!(
            r2 <= 1.1 * explainable,
            "{name}: {r2:.3} of {explainable:.3}"
        );
    }
}

/// Late areas answer to category and a dozen traits, weakly, and to what no picture shows: what does show is learned
/// from 40 runs, as many as in the Natural Scenes Dataset.
#[test]
fn late_areas_reach_what_pictures_show() {
    let areas = [
        "LO", "OFA", "FFA", "EBA", "PPA", "OPA", "RSC", "VWFA", "FOOD",
    ];
    let of = [Features::Pixels, Features::Category, Features::Words];
    let found = regions(40, &areas, &of, 0);
    assert_eq!(found.len(), 9);
    let (mut r2, mut knowable) = (0.0, 0.0);
    for region in &found {
        println!(
            "{}: {:.3} of {:.3}, of which {:.3} shows",
            region.name, region.r2, region.explainable, region.knowable
        );
        assert!(
            region.knowable < 0.95 * region.explainable,
            "{}",
            region.name
        );
        r2 += region.r2;
        knowable += region.knowable;
    }
    assert!(r2 >= 0.75 * knowable, "{r2:.3} of {knowable:.3}");
    assert!(r2 <= knowable, "{r2:.3} of {knowable:.3}");
}
