//! What one voxel answers to: everything that an inspector shows of it, at once.
//!
//! [`prepare`] lays the responses out voxel by voxel, once; [`profile`] then reads one voxel in milliseconds. Nothing
//! here is a test: means and error bars describe the trials that were measured, and what was picked by looking at
//! them is not evidence. The ceilings say how much there is to describe.

mod peri_event;

use std::collections::BTreeMap;

use glam::DVec3;
use rayon::prelude::*;

use crate::betas::{Betas, Columns, Trial};
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::{ceiling, reliability};
use crate::study::Stimulus;
use crate::{Error, Result};

pub use peri_event::{PeriEvent, PeriEventCourse, peri_event};

/// The responses of a subject, voxel by voxel.
#[derive(Clone, Debug)]
pub struct Responses {
    /// One a response.
    pub trials: Vec<Trial>,
    /// Where the voxels are.
    pub columns: Columns,
    /// How the responses were made, in words.
    pub method: String,
    /// The distinct categories of the stimuli (conditions, where stimuli have none), sorted.
    pub categories: Vec<String>,
    /// The category of every trial.
    pub category_of: Vec<usize>,
    /// The distinct stimuli with their trials; none in a study without stimuli.
    pub shown: Vec<(String, Vec<usize>)>,
    /// Split-half correlation over stimuli shown twice or more, one a voxel; none without repeats.
    pub split_half: Option<Vec<f32>>,
    /// The share of a single trial's variance that a perfect model explains, one a voxel; none without repeats.
    pub ceiling: Option<Vec<f32>>,
    /// `n_voxels × n_trials`.
    by_voxel: Matrix,
    /// The mean of every voxel, and the root of its summed squared deviations.
    scale: Vec<(f32, f32)>,
}

/// The response to one category.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuned {
    /// Index into [`Responses::categories`].
    pub category: usize,
    /// Trials.
    pub n_trials: usize,
    /// Mean over trials.
    pub mean: f32,
    /// Standard error of that mean (SD / √n, n − 1 in the SD); NaN of a single trial.
    pub sem: f32,
}

/// The response to one stimulus.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The stimulus.
    pub stimulus: String,
    /// Mean over its repeats.
    pub mean: f32,
    /// What another presentation is expected to give, by which stimuli are ranked: the mean of few repeats is noise
    /// for the most part, and the largest of many such means would be luck.
    pub expected: f32,
    /// How often it was shown.
    pub n_repeats: usize,
}

/// A voxel that answers alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alike {
    /// Its column.
    pub column: usize,
    /// Where it is, world mm.
    pub world_mm: DVec3,
    /// Pearson's correlation over trials; what both share of signal and of noise.
    pub r: f32,
}

/// One voxel.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// Its column.
    pub column: usize,
    /// One a category, in the order of their names.
    pub tuning: Vec<Tuned>,
    /// The share of the variance over trials that categories explain (η²); NaN where nothing varies.
    pub eta_squared: f32,
    /// The stimuli with the largest expected responses, largest first.
    pub best: Vec<Answer>,
    /// The stimuli with the smallest expected responses, smallest first.
    pub worst: Vec<Answer>,
    /// Voxels that answer alike, most alike first.
    pub alike: Vec<Alike>,
}

/// What a profile holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ProfilePlan {
    /// Best stimuli, and as many worst ones.
    pub n_stimuli: usize,
    /// Voxels that answer alike.
    pub n_alike: usize,
    /// Those are at least this far from the voxel and from each other, mm: neighbours share noise and blood.
    pub apart_mm: f64,
}

impl Default for ProfilePlan {
    fn default() -> Self {
        Self {
            n_stimuli: 6,
            n_alike: 6,
            apart_mm: 10.0,
        }
    }
}

/// Lays responses out voxel by voxel, with categories and ceilings.
///
/// # Errors
/// When there are no trials, or when the work is cancelled.
pub fn prepare(betas: Betas, stimuli: &[Stimulus], run: &Run<'_>) -> Result<Responses, Stop> {
    if betas.trials.is_empty() || betas.trials.len() != betas.n_trials() {
        return Err(Error::data(format!(
            "the betas hold {} trials, {} of them described: there is nothing to inspect",
            betas.n_trials(),
            betas.trials.len()
        ))
        .into());
    }
    let category: BTreeMap<&str, &str> = stimuli
        .iter()
        .filter_map(|s| Some((s.id.as_str(), s.category.as_deref()?)))
        .collect();
    let of_trial = |trial: &Trial| {
        let known = trial.stimulus.as_deref().and_then(|id| category.get(id));
        known.map_or_else(|| trial.condition.clone(), |c| (*c).to_owned())
    };
    let named: Vec<String> = betas.trials.iter().map(of_trial).collect();
    let mut categories = named.clone();
    categories.sort();
    categories.dedup();
    let place = |name: &String| categories.partition_point(|c| c < name);
    let category_of = named.iter().map(place).collect();

    let mut shown: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, trial) in betas.trials.iter().enumerate() {
        if let Some(id) = &trial.stimulus {
            shown.entry(id).or_default().push(row);
        }
    }
    let shown = shown
        .into_iter()
        .map(|(id, r)| (id.to_owned(), r))
        .collect();

    run.stage("what comes back when a stimulus does");
    let repeats = reliability::repeats(&betas.trials);
    let (split_half, share) = if repeats.len() < 3 {
        (None, None)
    } else {
        let all: Vec<usize> = (0..betas.n_trials()).collect();
        let found = ceiling::noise_ceiling(&betas.values, &repeats, &all, run)?;
        let halves = reliability::split_half(&betas.values, &repeats, run)?;
        (Some(halves), Some(found.share(&[1])))
    };
    run.check()?;
    run.stage("laying responses out voxel by voxel");
    let by_voxel = betas.values.transposed();
    let scale = by_voxel.values.par_chunks(by_voxel.n_cols).map(scale_of);
    Ok(Responses {
        scale: scale.collect(),
        by_voxel,
        trials: betas.trials,
        columns: betas.columns,
        method: betas.method,
        categories,
        category_of,
        shown,
        split_half,
        ceiling: share,
    })
}

impl Responses {
    /// Voxels.
    pub fn n_voxels(&self) -> usize {
        self.by_voxel.n_rows
    }

    /// The response of a voxel to every trial.
    pub fn of_voxel(&self, column: usize) -> &[f32] {
        self.by_voxel.row(column)
    }

    /// The responses trial by trial, as models want them: a copy.
    pub fn betas(&self) -> Betas {
        Betas {
            values: self.by_voxel.transposed(),
            trials: self.trials.clone(),
            columns: self.columns.clone(),
            method: self.method.clone(),
        }
    }

    /// The column of the voxel that holds a world point; of responses without a grid, the nearest point within
    /// 5 mm.
    pub fn column_at(&self, world_mm: DVec3) -> Option<usize> {
        match &self.columns {
            Columns::Voxels(mask) => mask.column_of(mask.grid().voxel_at(world_mm)?),
            Columns::Points(points) => points
                .iter()
                .map(|p| p.as_dvec3().distance(world_mm))
                .enumerate()
                .filter(|(_, mm)| *mm <= 5.0)
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .map(|(column, _)| column),
        }
    }

    /// Where a column is, world mm; none of responses that know no place.
    pub fn world_of(&self, column: usize) -> Option<DVec3> {
        match &self.columns {
            Columns::Voxels(mask) => {
                let voxel = *mask.voxels().get(column)? as usize;
                Some(mask.grid().world(mask.grid().ijk(voxel)))
            }
            Columns::Points(points) => points.get(column).map(glam::Vec3::as_dvec3),
        }
    }
}

/// Reads one voxel. `None` where there is no such column, or where it holds a value that is not finite.
pub fn profile(responses: &Responses, column: usize, plan: &ProfilePlan) -> Option<Profile> {
    if column >= responses.n_voxels() {
        return None;
    }
    let values = responses.of_voxel(column);
    if values.iter().any(|v| !v.is_finite()) {
        return None;
    }
    let (tuning, eta_squared) = tuning(responses, values);
    let mut answers: Vec<Answer> = responses
        .shown
        .iter()
        .map(|(id, rows)| answer(responses, column, id, rows))
        .collect();
    answers.sort_by(|a, b| b.expected.total_cmp(&a.expected));
    // Few stimuli are not both best and worst.
    let n = plan.n_stimuli.min(answers.len() / 2);
    let worst = answers.iter().rev().take(n).cloned().collect();
    answers.truncate(n);
    Some(Profile {
        column,
        tuning,
        eta_squared,
        best: answers,
        worst,
        alike: alike(responses, column, plan),
    })
}

/// The response to one stimulus. What is expected of it again is drawn to the mean of all trials by as much as the
/// mean of its repeats is noise: by the ceiling of a single trial, and Spearman and Brown's formula.
fn answer(responses: &Responses, column: usize, id: &str, rows: &[usize]) -> Answer {
    let values = responses.of_voxel(column);
    let mean = rows.iter().map(|&r| values[r]).sum::<f32>() / rows.len() as f32;
    let (of_all, _) = responses.scale[column];
    let ceiling = responses.ceiling.as_ref().map(|c| c[column]);
    let trusted = match ceiling {
        Some(share) if share > 0.0 => reliability::spearman_brown(share, rows.len() as f32),
        // A voxel that says nothing of stimuli still has its extremes; so has one whose ceiling is not known.
        _ => 1.0,
    };
    Answer {
        stimulus: id.to_owned(),
        mean,
        expected: of_all + trusted * (mean - of_all),
        n_repeats: rows.len(),
    }
}

fn tuning(responses: &Responses, values: &[f32]) -> (Vec<Tuned>, f32) {
    let mut groups: Vec<Vec<f64>> = vec![Vec::new(); responses.categories.len()];
    for (&value, &category) in values.iter().zip(&responses.category_of) {
        groups[category].push(f64::from(value));
    }
    let (mut within, mut out) = (0.0, Vec::new());
    for (category, group) in groups.iter().enumerate() {
        let n = group.len() as f64;
        let mean = group.iter().sum::<f64>() / n;
        let squares: f64 = group.iter().map(|v| (v - mean).powi(2)).sum();
        within += squares;
        out.push(Tuned {
            category,
            n_trials: group.len(),
            mean: mean as f32,
            sem: (squares / (n - 1.0) / n).sqrt() as f32,
        });
    }
    let (_, norm) = scale_of(values);
    let total = f64::from(norm).powi(2);
    let eta = if total > 0.0 {
        (1.0 - within / total).clamp(0.0, 1.0) as f32
    } else {
        f32::NAN
    };
    (out, eta)
}

/// The mean, and the root of the summed squared deviations from it.
fn scale_of(values: &[f32]) -> (f32, f32) {
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64;
    let squares: f64 = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum();
    (mean as f32, squares.sqrt() as f32)
}

fn alike(responses: &Responses, column: usize, plan: &ProfilePlan) -> Vec<Alike> {
    let (mean, norm) = responses.scale[column];
    if norm <= 0.0 {
        return Vec::new();
    }
    let own: Vec<f32> = responses
        .of_voxel(column)
        .iter()
        .map(|v| (v - mean) / norm)
        .collect();
    // The deviations of `own` sum to nothing, so the other voxel's mean drops out.
    let rows = responses.by_voxel.values.par_chunks(own.len());
    let correlations: Vec<f32> = rows
        .zip(&responses.scale)
        .map(|(other, &(_, norm))| {
            let product: f32 = own.iter().zip(other).map(|(a, b)| a * b).sum();
            if norm > 0.0 { product / norm } else { f32::NAN }
        })
        .collect();
    let mut order: Vec<usize> = (0..correlations.len())
        .filter(|&c| c != column && correlations[c].is_finite())
        .collect();
    order.sort_by(|&a, &b| correlations[b].total_cmp(&correlations[a]));
    let mut taken: Vec<DVec3> = responses.world_of(column).into_iter().collect();
    let mut found = Vec::new();
    for candidate in order {
        if found.len() == plan.n_alike {
            break;
        }
        let Some(world_mm) = responses.world_of(candidate) else {
            break;
        };
        if taken.iter().any(|p| p.distance(world_mm) < plan.apart_mm) {
            continue;
        }
        taken.push(world_mm);
        found.push(Alike {
            column: candidate,
            world_mm,
            r: correlations[candidate].clamp(-1.0, 1.0),
        });
    }
    found
}
