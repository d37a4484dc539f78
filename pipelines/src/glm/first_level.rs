//! The runs of a subject, each fitted with its own design, combined into maps of contrasts.
//!
//! A run is read, fitted and forgotten: memory holds one run and what contrasts need. Runs are combined as fixed
//! effects, the mean over runs, as nilearn's `FirstLevelModel` does.

mod library;
mod open;
mod sums;

use crate::glm::contrast::{Question, Tested};
use crate::glm::design::{Design, DesignPlan};
use crate::glm::fit::{Noise, fit};
use crate::glm::{region, require_grid};
use crate::mask::Mask;
use crate::run::{Run, Stop};
use crate::study::select::Selection;
use crate::{Error, Result};

use open::{Opened, open};
use sums::{Part, Sums};

/// How runs are modelled.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FirstLevelPlan {
    /// Their designs.
    pub design: DesignPlan,
    /// Their noise.
    pub noise: Noise,
    /// Take for each voxel the response of the library that explains most of its variance over all runs, instead of the
    /// design's.
    pub library: bool,
}

/// One run as it was modelled.
#[derive(Clone, Debug)]
pub struct ModelledRun {
    /// Its label.
    pub label: String,
    /// Its design; with a library of responses, that of the middle one.
    pub design: Design,
    /// Seconds from volume to volume.
    pub tr_secs: f64,
    /// Volumes less the rank of the design.
    pub df: f64,
}

/// A question with its answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was asked.
    pub question: Question,
    /// The maps, one number a voxel of the mask.
    pub tested: Tested,
    /// Runs that could answer.
    pub runs: Vec<String>,
}

/// What effects are measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Per cent of the voxel's mean over its run.
    Percent,
    /// As the data are.
    Raw,
}

/// A subject's model.
#[derive(Clone, Debug)]
pub struct FirstLevel {
    /// The voxels.
    pub mask: Mask,
    /// The runs.
    pub runs: Vec<ModelledRun>,
    /// The answers, in the order of the questions.
    pub answers: Vec<Answer>,
    /// The share of each voxel's variance that the design explains, mean over runs.
    pub r_squared: Vec<f32>,
    /// φ of the noise, mean over runs; 0 for ordinary least squares.
    pub phi: Vec<f32>,
    /// Which response of the library was taken, a voxel.
    pub response: Option<Vec<u8>>,
    /// What effects are measured in.
    pub units: Units,
    /// Voxels without a result because a run holds NaN or infinity there.
    pub n_not_finite: usize,
    /// Voxels without a result because they do not vary in some run.
    pub n_constant: usize,
    /// What was assumed, in sentences.
    pub assumptions: Vec<String>,
}

/// Fits every run of `selection` and answers `questions`.
///
/// Fails when there are no runs, when a run has no events, or when a question names nothing in any run. A run that
/// cannot answer a question (a condition did not occur) is left out of that answer with a warning.
pub fn first_level(
    selection: &Selection<'_>,
    plan: &FirstLevelPlan,
    questions: &[Question],
    run: &Run<'_>,
) -> Result<FirstLevel, Stop> {
    if selection.runs.is_empty() {
        return Err(Error::Choice(format!(
            "subject {} has no BOLD runs that fit the options, and a model of time courses needs them: loosen the options",
            selection.subject.id
        ))
        .into());
    }
    run.stage("reading the mask");
    let chosen = region::mask(selection, run)?;
    let opened = open(selection, plan, run)?;
    let mask = match &chosen {
        Some(region) => region.mask.clone(),
        None => {
            let grid = opened[0].open.grid.clone();
            run.warn(
                "no mask was named: all voxels are fitted, and those that do not vary get NaN",
            );
            Mask::new(grid, |_| true)
        }
    };
    for (bold, opened) in selection.runs.iter().zip(&opened) {
        let first = selection.runs[0];
        require_grid(&mask, chosen.as_ref(), first, bold, &opened.open.grid)?;
    }
    let weights = weights(&opened, questions, run)?;
    let response = match plan.library {
        true => Some(library::choose(&opened, &mask, run)?),
        false => None,
    };
    let mut state = Sums::new(mask.len(), questions.len());
    for (done, opened) in opened.iter().enumerate() {
        run.check()?;
        run.stage(format!(
            "fitting {} ({} of {})",
            opened.label,
            done + 1,
            selection.runs.len()
        ));
        run.progress(done, selection.runs.len());
        let courses = opened.open.courses(&mask, run)?;
        state.scale(&courses);
        let wanted: Vec<Option<&Vec<Vec<f64>>>> =
            weights.iter().map(|of| of[done].as_ref()).collect();
        let part = match &response {
            None => Part::of(&fit(&courses, opened.design(), plan.noise, run)?, &wanted),
            Some(response) => {
                library::fitted(&courses, opened, response, plan.noise, &wanted, run)?
            }
        };
        state.add(part, opened, questions, run);
    }
    run.progress(selection.runs.len(), selection.runs.len());
    state.finish(mask, opened, questions, response, plan, run)
}

/// The weights of each question in each run; `None` where the run has not what it asks for.
type Weights = Vec<Vec<Option<Vec<Vec<f64>>>>>;

fn weights(opened: &[Opened<'_>], questions: &[Question], run: &Run<'_>) -> Result<Weights> {
    let mut all = Vec::with_capacity(questions.len());
    for (q, question) in questions.iter().enumerate() {
        if questions[..q]
            .iter()
            .any(|other| other.name == question.name)
        {
            return Err(Error::Choice(format!(
                "two contrasts are called {}: name one of them, as in NAME = {}",
                question.name, question.text
            )));
        }
        let mut of_runs = Vec::with_capacity(opened.len());
        let mut first_error = None;
        let mut without = Vec::new();
        for opened in opened {
            match question.weights(opened.design()) {
                Ok(weights) => of_runs.push(Some(weights)),
                Err(error) => {
                    first_error.get_or_insert(error);
                    without.push(opened.short.clone());
                    of_runs.push(None);
                }
            }
        }
        match first_error {
            Some(error) if without.len() == opened.len() => return Err(error),
            Some(_) => run.warn(format!(
                "contrast “{}”: a condition it names did not occur in run {}, so it is estimated from the other {}",
                question.text,
                without.join(", "),
                opened.len() - without.len()
            )),
            None => {}
        }
        all.push(of_runs);
    }
    Ok(all)
}
