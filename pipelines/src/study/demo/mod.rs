//! The demo study: subjects made from a seed, with a known truth.
//!
//! It is a caricature. Modelled: folded cortices, the look of a T1-weighted and of an echo-planar
//! scan, visual areas at plausible places that differ from subject to subject, retinotopic receptive
//! fields in early areas and tastes for categories and traits in late ones, the canonical
//! haemodynamic response, slow drifts and autocorrelated noise of known size. Not modelled: head
//! motion, heart and breath, slice timing, distortion, responses that differ in shape, and whatever
//! else makes real data hard. So a method that fails here is broken; one that succeeds here has
//! still to be tried on real data.
//!
//! Every subject sees the shared pictures three times, within one run, and its own pictures once.
//! Brains, runs and pictures are made when something asks for them: brains are kept with the study,
//! runs and pictures are not. The same seed gives the same bits on every machine and with any
//! number of threads.

mod anatomy;
mod atlas;
mod bold;
mod canvas;
mod cortex;
mod grounds;
mod hull;
mod mesh;
mod person;
mod pictures;
mod plan;
mod response;
mod scenes;
mod setting;
mod stream;
mod sulci;
mod things;
mod write;

use std::sync::Arc;

pub use plan::{DemoPlan, Size};
pub use write::write_bids;

use crate::run::{Run, Stop};
use crate::study::{Maker, Source, Stimulus, Study};
use crate::volume::Volume;
use person::Person;

/// The study and what only its maker knows.
#[derive(Clone, Debug)]
pub struct Demo {
    /// As any other study.
    pub study: Study,
    /// The planted signal-to-noise of every voxel of the first subject, on the BOLD grid; 0 where
    /// there is none. It is the SD, over pictures, of the peak response to one picture, over the
    /// SD, over time, of the noise (drifts left out). See [`explainable`].
    pub truth_snr: Arc<Volume>,
    /// The planted responses of the first subject.
    pub truth_responses: Arc<Planted>,
}

/// What was planted: the response of every voxel that has one to every picture the subject saw.
#[derive(Clone, Debug)]
pub struct Planted {
    /// Flat indices on the BOLD grid, ascending.
    pub voxels: Vec<usize>,
    /// Ids of the pictures.
    pub stimuli: Vec<String>,
    /// A row a picture, a column a voxel; columns have mean 0 and variance 1.
    pub responses: Vec<Vec<f32>>,
}

/// The subject that is meant when none is named.
pub const FIRST_SUBJECT: &str = "01";

/// The part of the variance of single-trial responses, as least squares estimates them, that the
/// pictures explain at a planted signal-to-noise of `snr`.
pub fn explainable(snr: f32) -> f32 {
    snr * snr / (snr * snr + response::TRIAL_NOISE)
}

/// The demo study, with nothing made yet: what is asked for is made then. Comes at once.
pub fn study(plan: &DemoPlan) -> Study {
    study_of(plan, &persons(plan))
}

/// The demo study with the first subject made, and its truth; the same seed gives the same study on
/// every machine.
pub fn generate(plan: &DemoPlan, run: &Run<'_>) -> Result<Demo, Stop> {
    generate_with(plan, run, &|_| {})
}

/// As [`generate`]; `publish` gets the study without its runs as soon as the brain of the first
/// subject is there.
pub fn generate_with(
    plan: &DemoPlan,
    run: &Run<'_>,
    publish: &dyn Fn(Study),
) -> Result<Demo, Stop> {
    let persons = persons(plan);
    let study = study_of(plan, &persons);
    let first = &persons[0];
    first.body(run)?;
    let mut early = study.clone();
    early.subjects.iter_mut().for_each(|s| s.runs.clear());
    publish(early);
    let truth_snr = Arc::new(first.snr(run)?);
    Ok(Demo {
        study,
        truth_snr,
        truth_responses: Arc::new(first.planted(run)?),
    })
}

/// The subjects of a plan, at least one.
fn persons(plan: &DemoPlan) -> Vec<Arc<Person>> {
    (0..plan.n_subjects.max(1))
        .map(|index| Arc::new(Person::new(plan, index)))
        .collect()
}

fn study_of(plan: &DemoPlan, persons: &[Arc<Person>]) -> Study {
    let name_of = |picture: usize| {
        let category = pictures::category_name(picture);
        (picture_id(picture), category.to_owned())
    };
    Study {
        name: format!("Demo study (made from seed {})", plan.seed),
        subjects: persons.iter().map(|p| p.subject(&name_of)).collect(),
        stimuli: (0..plan.layout().n_pictures())
            .map(|number| stimulus(plan.seed, number))
            .collect(),
        ..Study::default()
    }
}

/// What events call a picture: the name of its file, when it is written to one.
fn picture_id(picture: usize) -> String {
    format!("demo-{:04}.png", picture + 1)
}

fn stimulus(seed: u64, number: usize) -> Stimulus {
    // A picture of no pixels is described as fast as it is drawn.
    let described = pictures::picture(seed, number, 0);
    let id = picture_id(number);
    Stimulus {
        image: Some(Source::Made(Maker {
            make: Arc::new(move |run| {
                run.check()?;
                Ok(pictures::picture(seed, number, pictures::SIDE).image)
            }),
            label: id.clone(),
            outline: None,
        })),
        caption: Some(described.caption),
        category: Some(pictures::category_name(number).to_owned()),
        id,
    }
}
