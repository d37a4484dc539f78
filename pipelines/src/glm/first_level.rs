//! The runs of a subject, each fitted with its own design, combined into maps of contrasts.
//!
//! A run is read, fitted and forgotten: memory holds one run and what contrasts need. Runs are combined as fixed
//! effects, the mean over runs, as nilearn's `FirstLevelModel` does.

use crate::glm::contrast::{Effects, Question, Tested, effects, test};
use crate::glm::courses::{self, OpenRun};
use crate::glm::design::{Design, DesignPlan, design};
use crate::glm::fit::{Fit, Noise, fit};
use crate::glm::response::{LIBRARY_SIZE, Response};
use crate::glm::{label_of, other_grid, region, tr_of};
use crate::mask::Mask;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::study::select::Selection;
use crate::{Error, Result};

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
        if !mask.grid().same_as(&opened.open.grid) {
            let (what, path) = match &chosen {
                Some(region) => (region.name.as_str(), region.path.as_deref()),
                None => ("the first run", selection.runs[0].bold.path()),
            };
            return Err(other_grid(what, path, &mask, bold, &opened.open.grid).into());
        }
    }
    let weights = weights(&opened, questions, run)?;
    let response = match plan.library {
        true => Some(choose_responses(&opened, &mask, run)?),
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
            Some(response) => by_response(&courses, opened, response, plan.noise, &wanted, run)?,
        };
        state.add(part, opened, questions, run);
    }
    run.progress(selection.runs.len(), selection.runs.len());
    state.finish(mask, opened, questions, response, plan, run)
}

/// A run whose header, events and designs are known.
struct Opened<'a> {
    open: OpenRun<'a>,
    label: String,
    short: String,
    tr_secs: f64,
    /// One, or one for each response of the library.
    designs: Vec<Design>,
}

impl Opened<'_> {
    fn design(&self) -> &Design {
        &self.designs[self.designs.len() / 2]
    }
}

fn open<'a>(
    selection: &Selection<'a>,
    plan: &FirstLevelPlan,
    run: &Run<'_>,
) -> Result<Vec<Opened<'a>>, Stop> {
    let one = |bold: &&'a crate::study::BoldRun| -> Result<Opened<'a>, Stop> {
        run.check()?;
        let open = courses::open(bold, run)?;
        let label = label_of(bold);
        let tr_secs = tr_of(bold, open.tr_secs)?;
        let events = bold.load_events(run)?;
        let confounds = match (&bold.confounds, plan.design.confounds.is_empty()) {
            (Some(source), false) => Some(source.load(run)?),
            _ => None,
        };
        let make = |plan: &DesignPlan, run: &Run<'_>| {
            let time = (open.n_times, tr_secs);
            design(&events.rows, confounds.as_deref(), plan, time, &label, run)
        };
        let designs = match plan.library {
            false => vec![make(&plan.design, run)?],
            true => {
                // Warnings once, not twenty times.
                let silent = crate::run::CancelToken::default();
                let nobody = Run::new(&|_| {}, &silent);
                (0..LIBRARY_SIZE)
                    .map(|index| {
                        let plan = DesignPlan {
                            response: Response::Library(index),
                            ..plan.design.clone()
                        };
                        make(&plan, if index == 0 { run } else { &nobody })
                    })
                    .collect::<Result<_>>()?
            }
        };
        let opened = Opened {
            short: bold.label.clone(),
            label,
            tr_secs,
            designs,
            open,
        };
        opened.design().warn_of_dependent(&opened.label, run);
        Ok(opened)
    };
    selection.runs.iter().map(one).collect()
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

/// For each voxel the response under which its design explains most, summed over runs.
fn choose_responses(opened: &[Opened<'_>], mask: &Mask, run: &Run<'_>) -> Result<Vec<u8>, Stop> {
    let mut explained = vec![vec![0.0f32; mask.len()]; LIBRARY_SIZE];
    for (done, opened) in opened.iter().enumerate() {
        run.stage(format!("choosing each voxel's response, {}", opened.label));
        run.progress(done, LIBRARY_SIZE);
        let courses = opened.open.courses(mask, run)?;
        for (index, (design, explained)) in opened.designs.iter().zip(&mut explained).enumerate() {
            let fit = fit(&courses, design, Noise::Ols, run)?;
            for (sum, share) in explained.iter_mut().zip(&fit.r_squared) {
                *sum += share;
            }
            run.progress(index + 1, LIBRARY_SIZE);
        }
    }
    let best = |v: usize| {
        let of = |k: usize| explained[k][v];
        (0..LIBRARY_SIZE).fold(
            LIBRARY_SIZE / 2,
            |best, k| if of(k) > of(best) { k } else { best },
        ) as u8
    };
    Ok((0..mask.len()).map(best).collect())
}

/// What one run gives.
struct Part {
    /// One a question; `None` where the run cannot answer.
    effects: Vec<Option<Effects>>,
    /// Questions whose weights mean nothing with this design.
    not_estimable: Vec<usize>,
    r_squared: Vec<f32>,
    phi: Vec<f32>,
    df: f64,
    n_not_finite: usize,
    n_constant: usize,
}

impl Part {
    fn of(fit: &Fit, wanted: &[Option<&Vec<Vec<f64>>>]) -> Self {
        let mut not_estimable = Vec::new();
        let effects = wanted
            .iter()
            .enumerate()
            .map(|(q, rows)| {
                let rows = (*rows)?;
                if rows.iter().all(|weights| fit.is_estimable(weights)) {
                    return Some(effects(fit, rows));
                }
                not_estimable.push(q);
                None
            })
            .collect();
        Self {
            effects,
            not_estimable,
            r_squared: fit.r_squared.clone(),
            phi: fit
                .phi_hundredths
                .iter()
                .map(|p| f32::from(*p) / 100.0)
                .collect(),
            df: fit.df,
            n_not_finite: fit.n_not_finite,
            n_constant: fit.n_constant,
        }
    }
}

/// The voxels of each response fitted with its design, put together again.
fn by_response(
    courses: &Matrix,
    opened: &Opened<'_>,
    response: &[u8],
    noise: Noise,
    wanted: &[Option<&Vec<Vec<f64>>>],
    run: &Run<'_>,
) -> Result<Part, Stop> {
    let n = courses.n_cols;
    let mut whole: Option<Part> = None;
    for (index, design) in opened.designs.iter().enumerate() {
        let columns: Vec<usize> = (0..n)
            .filter(|&v| usize::from(response[v]) == index)
            .collect();
        if columns.is_empty() {
            continue;
        }
        let part = Part::of(
            &fit(&courses.select_columns(&columns), design, noise, run)?,
            wanted,
        );
        let whole = whole.get_or_insert_with(|| Part {
            effects: part
                .effects
                .iter()
                .map(|e| e.as_ref().map(|e| e.blank(n)))
                .collect(),
            not_estimable: part.not_estimable.clone(),
            r_squared: vec![f32::NAN; n],
            phi: vec![0.0; n],
            df: part.df,
            n_not_finite: 0,
            n_constant: 0,
        });
        for (to, from) in whole.effects.iter_mut().zip(&part.effects) {
            if let (Some(to), Some(from)) = (to, from) {
                to.put(&columns, from);
            }
        }
        for (i, &v) in columns.iter().enumerate() {
            whole.r_squared[v] = part.r_squared[i];
            whole.phi[v] = part.phi[i];
        }
        whole.df = whole.df.min(part.df);
        whole.n_not_finite += part.n_not_finite;
        whole.n_constant += part.n_constant;
    }
    whole.ok_or_else(|| Error::data("the mask holds no voxel").into())
}

impl Effects {
    /// As many sums of `n` voxels, all NaN.
    fn blank(&self, n: usize) -> Self {
        let blank = |rows: &Vec<Vec<f64>>| vec![vec![f64::NAN; n]; rows.len()];
        Self {
            effect: blank(&self.effect),
            covariance: blank(&self.covariance),
            ..*self
        }
    }

    fn put(&mut self, voxels: &[usize], part: &Self) {
        let effects = self.effect.iter_mut().zip(&part.effect);
        let covariances = self.covariance.iter_mut().zip(&part.covariance);
        for (to, from) in effects.chain(covariances) {
            for (&v, value) in voxels.iter().zip(from) {
                to[v] = *value;
            }
        }
    }
}

/// What is gathered over runs.
struct Sums {
    effects: Vec<Vec<Effects>>,
    runs: Vec<Vec<String>>,
    r_squared: Vec<f32>,
    phi: Vec<f32>,
    dfs: Vec<f64>,
    units: Option<Units>,
    /// What multiplies this run's effects.
    factors: Vec<f64>,
    n_not_finite: usize,
    n_constant: usize,
}

impl Sums {
    fn new(n_voxels: usize, n_questions: usize) -> Self {
        Self {
            effects: vec![Vec::new(); n_questions],
            runs: vec![Vec::new(); n_questions],
            r_squared: vec![0.0; n_voxels],
            phi: vec![0.0; n_voxels],
            dfs: Vec::new(),
            units: None,
            factors: Vec::new(),
            n_not_finite: 0,
            n_constant: 0,
        }
    }

    /// Effects become per cent of the voxel's mean, unless the first run's means are small against its spread.
    fn scale(&mut self, courses: &Matrix) {
        let n = courses.n_rows as f64;
        let mut sums = vec![0.0f64; courses.n_cols];
        let mut squares = vec![0.0f64; courses.n_cols];
        for row in courses.rows() {
            for ((sum, square), y) in sums.iter_mut().zip(&mut squares).zip(row) {
                let y = f64::from(*y);
                *sum += y;
                *square += y * y;
            }
        }
        let means: Vec<f64> = sums.iter().map(|s| s / n).collect();
        let middle = |values: &mut dyn Iterator<Item = f64>| {
            let mut sorted: Vec<f64> = values.filter(|v| v.is_finite()).collect();
            sorted.sort_by(f64::total_cmp);
            sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
        };
        let varies = |(mean, square): &(&f64, &f64)| **square / n - **mean * **mean > 0.0;
        let pairs = || means.iter().zip(&squares).filter(varies);
        let level = middle(&mut pairs().map(|(mean, _)| *mean));
        let spread = middle(&mut pairs().map(|(m, s)| (s / n - m * m).sqrt()));
        let units = *self.units.get_or_insert(match level > 5.0 * spread {
            true => Units::Percent,
            false => Units::Raw,
        });
        self.factors = match units {
            Units::Raw => vec![1.0; means.len()],
            Units::Percent => means
                .iter()
                .map(|mean| 100.0 / mean.max(0.01 * level))
                .collect(),
        };
    }

    fn add(&mut self, part: Part, opened: &Opened<'_>, questions: &[Question], run: &Run<'_>) {
        for q in part.not_estimable {
            run.warn(format!(
                "contrast “{}” cannot be estimated in {}, where other columns make up what it asks for: the run is left out of it",
                questions[q].text, opened.label
            ));
        }
        for (q, effects) in part.effects.into_iter().enumerate() {
            let Some(mut effects) = effects else { continue };
            for sums in &mut effects.effect {
                sums.iter_mut()
                    .zip(&self.factors)
                    .for_each(|(e, f)| *e *= f);
            }
            for sums in &mut effects.covariance {
                sums.iter_mut()
                    .zip(&self.factors)
                    .for_each(|(v, f)| *v *= f * f);
            }
            // Two at a time, so that memory does not grow with the runs.
            let kept = &mut self.effects[q];
            match kept.first_mut() {
                Some(total) => total.plus(&effects),
                None => kept.push(effects),
            }
            self.runs[q].push(opened.short.clone());
        }
        for (sum, share) in self.r_squared.iter_mut().zip(&part.r_squared) {
            *sum += share;
        }
        for (sum, phi) in self.phi.iter_mut().zip(&part.phi) {
            *sum += phi;
        }
        self.n_not_finite = self.n_not_finite.max(part.n_not_finite);
        self.n_constant = self.n_constant.max(part.n_constant);
        self.dfs.push(part.df);
    }

    fn finish(
        mut self,
        mask: Mask,
        opened: Vec<Opened<'_>>,
        questions: &[Question],
        response: Option<Vec<u8>>,
        plan: &FirstLevelPlan,
        run: &Run<'_>,
    ) -> Result<FirstLevel, Stop> {
        run.stage("testing contrasts");
        let n_runs = opened.len() as f32;
        let mut answers = Vec::new();
        for ((question, sums), runs) in questions.iter().zip(self.effects).zip(self.runs) {
            run.check()?;
            let Some(total) = sums.into_iter().next() else {
                return Err(Error::data(format!(
                    "the contrast “{}” cannot be estimated in any run: the design confounds what it compares",
                    question.text
                ))
                .into());
            };
            answers.push(Answer {
                question: question.clone(),
                tested: test(&total.mean()),
                runs,
            });
        }
        let voxels = mask.len();
        if self.n_not_finite + self.n_constant > 0 {
            run.warn(format!(
                "{} of {voxels} voxels have no result: {} do not vary over time in some run, {} hold NaN or infinity",
                self.n_not_finite + self.n_constant,
                self.n_constant,
                self.n_not_finite
            ));
        }
        self.r_squared.iter_mut().for_each(|r| *r /= n_runs);
        self.phi.iter_mut().for_each(|r| *r /= n_runs);
        let units = self.units.unwrap_or(Units::Raw);
        let mut assumptions = vec![plan.design.assumed()];
        assumptions.push(match units {
            Units::Percent => "assumed: effects in per cent of each voxel's mean over its run".to_owned(),
            Units::Raw => "assumed: effects in the units of the data, because their mean is small against their spread (they seem to be centred already)".to_owned(),
        });
        if plan.library {
            assumptions.push("assumed: the response of each voxel is the one of the library under which the whole design explains most, over the same runs; F of all conditions is optimistic for it".to_owned());
        }
        for line in &assumptions {
            run.warn(line.clone());
        }
        let runs = opened
            .into_iter()
            .zip(self.dfs)
            .map(|(mut opened, df)| ModelledRun {
                label: opened.short,
                design: opened.designs.swap_remove(opened.designs.len() / 2),
                tr_secs: opened.tr_secs,
                df,
            });
        Ok(FirstLevel {
            runs: runs.collect(),
            mask,
            answers,
            r_squared: self.r_squared,
            phi: self.phi,
            response,
            units,
            n_not_finite: self.n_not_finite,
            n_constant: self.n_constant,
            assumptions,
        })
    }
}
