//! The demo study: a subject made from a seed, with a known truth.
//!
//! It is a caricature. Modelled: a folded cortex, the look of a T1-weighted and of an echo-planar
//! scan, visual areas at plausible places, retinotopic receptive fields in early areas and tastes
//! for categories and traits in late ones, the canonical haemodynamic response, slow drifts and
//! autocorrelated noise of known size. Not modelled: head motion, heart and breath, slice timing,
//! distortion, responses that differ in shape, and whatever else makes real data hard. So a
//! method that fails here is broken; one that succeeds here has still to be tried on real data.
//!
//! The same seed gives the same bits on every machine and with any number of threads.

mod anatomy;
mod atlas;
mod bold;
mod canvas;
mod cortex;
mod hull;
mod mesh;
mod pictures;
mod response;
mod scenes;
mod stream;
mod sulci;
mod things;

use std::sync::Arc;

use glam::Vec3;
use rayon::prelude::*;

use crate::run::{Run, Stop};
use crate::study::{BoldRun, CorticalSurface, Entities, Named, Source, Stimulus, Study, Subject};
use crate::surface::{Hemisphere, Shape, Surface, VertexLabels, VertexMap};
use crate::volume::{Atlas, Volume};
use anatomy::Lattice;
use cortex::Cortex;

/// How large and how noisy the demo is.
#[derive(Clone, Debug)]
pub struct DemoPlan {
    /// Everything follows from it.
    pub seed: u64,
}

impl Default for DemoPlan {
    fn default() -> Self {
        Self { seed: 1 }
    }
}

/// The study and what only its maker knows.
#[derive(Clone, Debug)]
pub struct Demo {
    /// As any other study.
    pub study: Study,
    /// The planted signal-to-noise of every voxel, on the BOLD grid; 0 where there is none. It is
    /// the SD, over pictures, of the peak response to one picture, over the SD, over time, of the
    /// noise (drifts left out).
    pub truth_snr: Arc<Volume>,
}

/// Runs of the demo subject.
const N_RUNS: usize = 10;

/// The grid of the BOLD runs, the masks and the atlas.
const BOLD: Lattice = Lattice {
    shape: [36, 44, 34],
    first: Vec3::new(-70.0, -104.0, -56.0),
    step: 4.0,
};

/// Makes the demo study in memory; the same seed gives the same study on every machine.
pub fn generate(plan: &DemoPlan, run: &Run<'_>) -> Result<Demo, Stop> {
    generate_with(plan, run, &|_| {})
}

/// As [`generate`]; `publish` gets the study once everything but the runs is there, so that the
/// brain and the pictures can be shown while the runs are made.
pub fn generate_with(
    plan: &DemoPlan,
    run: &Run<'_>,
    publish: &dyn Fn(Study),
) -> Result<Demo, Stop> {
    run.stage("folding the cortex");
    let (left, right) = rayon::join(
        || cortex::grow(plan.seed, Hemisphere::Left, run),
        || cortex::grow(plan.seed, Hemisphere::Right, run),
    );
    let halves = [left?, right?];
    let keys = [
        atlas::vertex_keys(&halves[0]),
        atlas::vertex_keys(&halves[1]),
    ];

    run.stage("drawing the anatomy and the pictures");
    let anatomy = anatomy::t1(plan.seed, &halves, run)?;
    let pictures: Vec<pictures::Picture> = (0..N_RUNS * bold::PICTURES_PER_RUN)
        .into_par_iter()
        .map(|number| pictures::picture(plan.seed, number))
        .collect();
    run.check()?;
    let [pial, white] = anatomy::tissue(&BOLD, &halves, 5);
    let holdings = atlas::holdings(&BOLD, &halves, &keys);
    let scene = bold::scene(plan.seed, &BOLD, &pial, &white);

    let volume = |value: &dyn Fn(usize) -> f32| Volume {
        grid: BOLD.grid(),
        data: (0..BOLD.n_voxels()).map(value).collect(),
        assumptions: Vec::new(),
    };
    let mask = |desc: &str, keep: &dyn Fn(usize) -> bool| Named {
        name: if desc == "demo" {
            "visual".to_owned()
        } else {
            desc.to_owned()
        },
        entities: entities(&[("desc", desc), ("space", "T1w")]),
        source: memory(volume(&|v| if keep(v) { 1.0 } else { 0.0 })),
    };
    let mut subject = Subject {
        id: "demo".to_owned(),
        anatomy: Some(memory(anatomy)),
        masks: vec![
            mask("demo", &|v| holdings[v].key > 0),
            mask("brain", &|v| scene.brain[v]),
            mask("grey", &|v| pial[v] - white[v] > 0.3),
        ],
        atlases: vec![Named {
            name: "visual areas".to_owned(),
            entities: entities(&[("space", "T1w")]),
            source: memory(Atlas {
                grid: BOLD.grid(),
                keys: holdings.iter().map(|h| h.key).collect(),
                regions: atlas::regions(),
            }),
        }],
        surfaces: halves
            .iter()
            .zip(keys)
            .map(|(half, keys)| surface(half, keys))
            .collect(),
        ..Subject::default()
    };
    let mut study = Study {
        name: format!("Demo subject (made from seed {})", plan.seed),
        stimuli: pictures.iter().enumerate().map(stimulus).collect(),
        subjects: vec![subject.clone()],
        ..Study::default()
    };
    publish(study.clone());

    run.stage("scanning");
    let tuning = response::tune(plan.seed, &holdings, &pictures);
    run.check()?;
    let series = bold::scan_all(plan.seed, N_RUNS, &BOLD, &scene, &tuning, run)?;
    subject.runs = (0..)
        .zip(series)
        .map(|(number, series)| {
            let label = format!("{:02}", number + 1);
            let (trials, _) = bold::schedule(plan.seed, number);
            let named = |p: usize| (id(p), pictures[p].category_name().to_owned());
            BoldRun {
                entities: entities(&[
                    ("task", "pictures"),
                    ("run", &label),
                    ("space", "T1w"),
                    ("desc", "demo"),
                ]),
                label,
                session: String::new(),
                tr_secs: Some(bold::TR_SECS),
                bold: memory(series),
                events: Some(memory(bold::events(&trials, named))),
                confounds: None,
            }
        })
        .collect();
    study.subjects = vec![subject];
    let mut snr = vec![0.0; BOLD.n_voxels()];
    for (&voxel, &planted) in tuning.voxels.iter().zip(&tuning.snr) {
        snr[voxel] = planted;
    }
    Ok(Demo {
        study,
        truth_snr: Arc::new(volume(&|v| snr[v])),
    })
}

fn memory<T>(value: T) -> Source<T> {
    Source::Memory(Arc::new(value))
}

fn entities(pairs: &[(&str, &str)]) -> Entities {
    pairs
        .iter()
        .map(|&(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

fn id(picture: usize) -> String {
    format!("demo-{:04}", picture + 1)
}

fn stimulus((number, picture): (usize, &pictures::Picture)) -> Stimulus {
    Stimulus {
        id: id(number),
        image: Some(memory(picture.image.clone())),
        caption: Some(picture.caption.clone()),
        category: Some(picture.category_name().to_owned()),
    }
}

fn surface(half: &Cortex, keys: Vec<i32>) -> CorticalSurface {
    let triangles: Arc<[[u32; 3]]> = half.triangles.as_slice().into();
    let sheet = |vertices: &[Vec3]| {
        memory(Surface {
            vertices: vertices.into(),
            triangles: Arc::clone(&triangles),
            hemisphere: Some(half.hemisphere),
            assumptions: Vec::new(),
        })
    };
    CorticalSurface {
        hemisphere: half.hemisphere,
        shapes: vec![
            (Shape::White, sheet(&half.white)),
            (Shape::Midthickness, sheet(&half.midthickness())),
            (Shape::Pial, sheet(&half.pial)),
            (Shape::Inflated, sheet(&half.inflated)),
            (Shape::Sphere, sheet(&half.sphere)),
        ],
        sulcal: Some(memory(VertexMap {
            name: "sulcal depth".to_owned(),
            values: half.sulcal.as_slice().into(),
        })),
        labels: Some(memory(VertexLabels {
            keys: keys.into(),
            regions: atlas::regions(),
        })),
        maps: Vec::new(),
    }
}
