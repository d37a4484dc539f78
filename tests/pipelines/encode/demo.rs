//! The demo study: how near its known ceilings an encoding model comes. Features are read off pictures and captions.

use fusiform_pipelines::glm;
use fusiform_pipelines::stats::roi;
use fusiform_pipelines::study::demo::{DemoPlan, explainable, generate};
use fusiform_pipelines::study::select::{Query, select};

use super::*;

/// The least part of a ceiling that a model must reach in every area.
const REACHED: f64 = 0.85;

/// A region: its mean R², the mean of what was planted, and that of the ceiling which repeats of pictures give.
struct Region {
    name: String,
    r2: f64,
    planted: f64,
    measured: f64,
}

impl Region {
    /// Fails unless R² is near the larger of both ceilings, and not above them.
    fn check(&self) {
        let Self {
            name,
            r2,
            planted,
            measured,
        } = self;
        println!("{name}: {r2:.3}, planted {planted:.3}, by repeats {measured:.3}");
        // Ceilings are counted as least squares sees single trials; responses that know of autocorrelation have a
        // little less noise.
        let ceiling = planted.max(*measured);
        assert!(*r2 >= REACHED * ceiling, "{name}: {r2:.3} of {ceiling:.3}");
        assert!(*r2 <= 1.12 * ceiling, "{name}: {r2:.3} of {ceiling:.3}");
    }
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
        let control = found.r_over(&found.counted());
        assert!(control.shuffled.abs() < 0.03, "{control:?}");
        let planted: Vec<f32> = mask
            .voxels()
            .iter()
            .map(|&v| explainable(demo.truth_snr.data[v as usize]))
            .collect();
        let measured = found.ceiling.as_ref().unwrap();
        let region = |(region, voxels): (fusiform_pipelines::volume::Region, Vec<usize>)| Region {
            name: region.name,
            r2: mean_over(&found.r2, &voxels),
            planted: mean_over(&planted, &voxels),
            measured: mean_over(measured, &voxels),
        };
        let all = roi::columns_of(mask, &atlas).unwrap();
        all.into_iter().map(region).collect()
    })
}

/// Receptive fields and what they see of colour and contrast are learned from 10 runs.
#[test]
fn early_areas_reach_their_ceiling() {
    let areas = ["V1", "V2", "V3", "V4"];
    let found = regions(10, &areas, &[Features::Pixels, Features::Gabor], 10);
    assert_eq!(found.len(), 4);
    found.iter().for_each(Region::check);
}

/// What late areas make of category, kind, colours, light and openness stands in the captions; the weights of so many
/// words are learned from 40 runs, as many as in the Natural Scenes Dataset.
#[test]
fn late_areas_reach_their_ceiling() {
    let areas = [
        "LO", "OFA", "FFA", "EBA", "PPA", "OPA", "RSC", "VWFA", "FOOD",
    ];
    let found = regions(40, &areas, &[Features::Category, Features::Words], 10);
    assert_eq!(found.len(), 9);
    found.iter().for_each(Region::check);
}
