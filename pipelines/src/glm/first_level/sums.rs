//! What runs give, gathered one after another.

use super::open::Opened;
use super::{Answer, FirstLevel, FirstLevelPlan, ModelledRun, Units};
use crate::glm::contrast::{Effects, Question, effects, test};
use crate::glm::fit::Fit;
use crate::mask::Mask;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// What one run gives.
pub(super) struct Part {
    /// One a question; `None` where the run cannot answer.
    pub(super) effects: Vec<Option<Effects>>,
    /// Questions whose weights mean nothing with this design.
    pub(super) not_estimable: Vec<usize>,
    pub(super) r_squared: Vec<f32>,
    pub(super) phi: Vec<f32>,
    pub(super) df: f64,
    pub(super) n_not_finite: usize,
    pub(super) n_constant: usize,
}

impl Part {
    pub(super) fn of(fit: &Fit, wanted: &[Option<&Vec<Vec<f64>>>]) -> Self {
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

/// What is gathered over runs.
pub(super) struct Sums {
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
    pub(super) fn new(n_voxels: usize, n_questions: usize) -> Self {
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
    pub(super) fn scale(&mut self, courses: &Matrix) {
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

    /// Takes in a run that was scaled last.
    pub(super) fn add(
        &mut self,
        part: Part,
        opened: &Opened<'_>,
        questions: &[Question],
        run: &Run<'_>,
    ) {
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

    /// Tests the questions on what was gathered.
    pub(super) fn finish(
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
