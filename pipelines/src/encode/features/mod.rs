//! What stimuli are described by: tables that know nothing of the brain.
//!
//! A [`Space`] is a table of numbers, a row a stimulus (or a trial). Built-in ones are read off the pictures
//! ([`gabor`], [`pixels`]), their categories and their captions ([`words`]); any other comes from a file
//! ([`table`]). What an image model makes of the pictures is one more function that returns a [`Space`].

pub mod gabor;
pub mod pixels;
pub mod table;
pub mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

use image::RgbImage;
use image::imageops::{self, FilterType};
use rayon::prelude::*;

use crate::betas::Betas;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::study::Stimulus;
use crate::{Error, Result};

/// Which features.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Features {
    /// Contrast energy at several scales and orientations, on grids.
    Gabor,
    /// Luminance and two opponent colours, on grids from coarse to fine.
    Pixels,
    /// One column a category of the stimuli; of conditions, where stimuli have none.
    Category,
    /// One column a word of the captions.
    Words,
    /// A table: TSV, CSV, NumPy, MATLAB or HDF5.
    File(PathBuf),
}

impl Features {
    /// What it is called in tables and maps.
    pub fn name(&self) -> String {
        match self {
            Self::Gabor => "gabor".into(),
            Self::Pixels => "pixels".into(),
            Self::Category => "category".into(),
            Self::Words => "words".into(),
            Self::File(path) => path
                .file_stem()
                .map_or_else(|| "file".into(), |s| s.to_string_lossy().into_owned()),
        }
    }
}

impl FromStr for Features {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text.trim() {
            "gabor" => Self::Gabor,
            "pixels" => Self::Pixels,
            "category" => Self::Category,
            "words" => Self::Words,
            other if other.contains(['.', '/', '\\']) => Self::File(other.into()),
            other => {
                return Err(format!(
                    "there are no features “{other}”: choose gabor, pixels, category, words, or a file of numbers (.tsv, .csv, .npy, .npz, .mat, .h5)"
                ));
            }
        })
    }
}

/// A table of features.
#[derive(Clone, Debug)]
pub struct Space {
    /// Its name.
    pub name: String,
    /// Rows × features.
    pub values: Matrix,
    /// Columns that belong together (a scale of a pyramid) and weigh as much as any other such group; none when all do.
    pub levels: Vec<Range<usize>>,
    /// Whether columns are brought to one variance; else they keep the variances they have.
    pub scaled: bool,
    /// The row of each trial; none where its stimulus has no features.
    pub row_of_trial: Vec<Option<usize>>,
}

/// What each trial shows, once.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The distinct stimuli (conditions, where trials have no stimulus), in the order they are met.
    pub items: Vec<Item<'a>>,
    /// The item of every trial.
    pub of_trial: Vec<usize>,
}

/// Something that was shown.
#[derive(Debug)]
pub struct Item<'a> {
    /// The stimulus id, else the condition.
    pub key: &'a str,
    /// The condition of its first trial.
    pub condition: &'a str,
    /// What the study knows of it.
    pub stimulus: Option<&'a Stimulus>,
}

impl<'a> Shown<'a> {
    /// Of the trials of some responses.
    pub fn new(betas: &'a Betas, stimuli: &'a [Stimulus]) -> Self {
        let by_id: BTreeMap<&str, &Stimulus> = stimuli.iter().map(|s| (s.id.as_str(), s)).collect();
        let mut items: Vec<Item<'a>> = Vec::new();
        let mut place: BTreeMap<(bool, &str), usize> = BTreeMap::new();
        let mut of_trial = Vec::new();
        for trial in &betas.trials {
            let id = trial.stimulus.as_deref();
            let key = id.unwrap_or(&trial.condition);
            let item = *place.entry((id.is_some(), key)).or_insert_with(|| {
                items.push(Item {
                    key,
                    condition: &trial.condition,
                    stimulus: id.and_then(|id| by_id.get(id).copied()),
                });
                items.len() - 1
            });
            of_trial.push(item);
        }
        Self { items, of_trial }
    }

    /// A space of a row an item; trials of items for which `has` is false have no row.
    fn space(
        &self,
        name: &str,
        values: Matrix,
        levels: Vec<Range<usize>>,
        scaled: bool,
        has: &[bool],
    ) -> Space {
        let row = |&item: &usize| has[item].then_some(item);
        Space {
            name: name.to_owned(),
            values,
            levels,
            scaled,
            row_of_trial: self.of_trial.iter().map(row).collect(),
        }
    }

    /// The pictures, each as `describe` sees it at `side` × `side` pixels; a row an item.
    fn pictures(
        &self,
        name: &str,
        side: u32,
        levels: Vec<Range<usize>>,
        run: &Run<'_>,
        describe: impl Fn(&RgbImage) -> Vec<f32> + Sync,
    ) -> Result<Space, Stop> {
        run.stage(format!("looking at {} pictures ({name})", self.items.len()));
        let width = levels.last().map_or(0, |l| l.end);
        let rows: Vec<Option<Vec<f32>>> = self
            .items
            .par_iter()
            .map(|item| {
                run.check()?;
                let Some(source) = item.stimulus.and_then(|s| s.image.as_ref()) else {
                    return Ok(None);
                };
                let picture = source.load(run)?;
                let picture = imageops::resize(picture.as_ref(), side, side, FilterType::Triangle);
                Ok(Some(describe(&picture)))
            })
            .collect::<Result<_, Stop>>()?;
        let has: Vec<bool> = rows.iter().map(Option::is_some).collect();
        if !has.contains(&true) {
            return Err(Error::data(format!(
                "no trial shows a picture that the study has, so there are no {name} features: choose category, or a file"
            ))
            .into());
        }
        let mut values = Matrix::zeros(rows.len(), width);
        for (row, described) in rows.iter().enumerate() {
            if let Some(described) = described {
                values.row_mut(row).copy_from_slice(described);
            }
        }
        Ok(self.space(name, values, levels, true, &has))
    }
}

/// Makes the space of some features.
pub fn space(
    features: &Features,
    shown: &Shown<'_>,
    stimuli: &[Stimulus],
    run: &Run<'_>,
) -> Result<Space, Stop> {
    match features {
        Features::Gabor => gabor::space(shown, run),
        Features::Pixels => pixels::space(shown, run),
        Features::Category => Ok(category(shown)?),
        Features::Words => Ok(words::space(shown)?),
        Features::File(path) => Ok(table::space(path, &features.name(), shown, stimuli)?),
    }
}

fn category(shown: &Shown<'_>) -> Result<Space> {
    let of = |item: &Item<'_>| -> String {
        let category = item.stimulus.and_then(|s| s.category.clone());
        category.unwrap_or_else(|| item.condition.to_owned())
    };
    let named: Vec<String> = shown.items.iter().map(of).collect();
    let all: Vec<&String> = named.iter().collect::<BTreeSet<_>>().into_iter().collect();
    if all.len() < 2 {
        return Err(Error::data(
            "all trials are of one category, which tells nothing: choose other features",
        ));
    }
    let mut values = Matrix::zeros(named.len(), all.len());
    for (row, name) in named.iter().enumerate() {
        if let Ok(column) = all.binary_search(&name) {
            values.row_mut(row)[column] = 1.0;
        }
    }
    let has = vec![true; named.len()];
    Ok(shown.space("category", values, Vec::new(), false, &has))
}

/// Spaces side by side, for the trials that all of them know.
#[derive(Clone, Debug)]
pub struct Design {
    /// Trials used × features, scaled so that rows of every space have a mean squared length of 1 about their mean.
    pub x: Matrix,
    /// The name and columns of each space.
    pub spaces: Vec<(String, Range<usize>)>,
    /// The trials used.
    pub trials: Vec<usize>,
    /// What should be known of it, in sentences.
    pub warnings: Vec<String>,
}

/// Puts spaces together.
///
/// Columns lose their mean and, where a space says so, get one variance, over the stimuli and before any response is
/// looked at; columns that do not vary are left out. Trials that a space has no finite row for are left out with a
/// sentence.
///
/// # Errors
/// When fewer than two trials or no columns are left.
pub fn design(spaces: &[Space]) -> Result<Design> {
    let n_trials = spaces.first().map_or(0, |s| s.row_of_trial.len());
    let mut warnings = Vec::new();
    let mut used = vec![true; n_trials];
    for space in spaces {
        let finite: Vec<bool> = space
            .values
            .rows()
            .map(|r| r.iter().all(|v| v.is_finite()))
            .collect();
        let knows =
            |row: &Option<usize>| row.is_some_and(|r| finite.get(r).copied().unwrap_or(false));
        let missing = space.row_of_trial.iter().filter(|row| !knows(row)).count();
        if missing > 0 {
            warnings.push(format!(
                "{missing} of {n_trials} trials show what {} has no (finite) features for: they are left out.",
                space.name
            ));
        }
        used.iter_mut()
            .zip(&space.row_of_trial)
            .for_each(|(used, row)| *used &= knows(row));
    }
    let trials: Vec<usize> = (0..n_trials).filter(|&t| used[t]).collect();
    if trials.len() < 2 {
        return Err(Error::data(format!(
            "{} of {n_trials} trials have all the features: give features for the stimuli that were shown",
            trials.len()
        )));
    }
    let mut blocks = Vec::new();
    let mut named = Vec::new();
    let mut width = 0;
    for space in spaces {
        let block = prepared(space, &trials);
        if block.n_cols == 0 {
            return Err(Error::data(format!(
                "the features of {} do not vary over the trials: leave it out",
                space.name
            )));
        }
        let twice = named
            .iter()
            .any(|(name, _): &(String, _)| *name == space.name);
        if twice {
            return Err(Error::data(format!(
                "two feature spaces are called {}: name each once",
                space.name
            )));
        }
        named.push((space.name.clone(), width..width + block.n_cols));
        width += block.n_cols;
        blocks.push(block);
    }
    let mut x = Matrix::zeros(trials.len(), width);
    for (block, (_, columns)) in blocks.iter().zip(&named) {
        for row in 0..trials.len() {
            x.row_mut(row)[columns.clone()].copy_from_slice(block.row(row));
        }
    }
    Ok(Design {
        x,
        spaces: named,
        trials,
        warnings,
    })
}

/// The rows of the trials, centred and scaled.
fn prepared(space: &Space, trials: &[usize]) -> Matrix {
    let rows: Vec<usize> = trials
        .iter()
        .filter_map(|&t| space.row_of_trial[t])
        .collect();
    let distinct: Vec<usize> = rows
        .iter()
        .copied()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let n = distinct.len().max(1) as f64;
    let width = space.values.n_cols;
    let (mut mean, mut variance) = (vec![0.0f64; width], vec![0.0f64; width]);
    for &row in &distinct {
        let values = space.values.row(row);
        mean.iter_mut()
            .zip(values)
            .for_each(|(m, v)| *m += f64::from(*v) / n);
    }
    for &row in &distinct {
        let values = space.values.row(row).iter().zip(&mean);
        variance
            .iter_mut()
            .zip(values)
            .for_each(|(s, (v, m))| *s += (f64::from(*v) - m).powi(2) / n);
    }
    let mut kept: Vec<(usize, f64)> = Vec::new();
    let whole: Vec<Range<usize>> = std::iter::once(0..width).collect();
    let levels = if space.levels.is_empty() {
        &whole
    } else {
        &space.levels
    };
    for level in levels {
        let varying: Vec<usize> = level
            .clone()
            .filter(|&c| variance[c] > 1e-10 * (mean[c] * mean[c]).max(1e-12))
            .collect();
        let total: f64 = match space.scaled {
            true => varying.len() as f64,
            false => varying.iter().map(|&c| variance[c]).sum(),
        };
        let factor = |c: usize| {
            let own = if space.scaled {
                variance[c].sqrt()
            } else {
                1.0
            };
            1.0 / (own * total.sqrt())
        };
        kept.extend(varying.into_iter().map(|c| (c, factor(c))));
    }
    let n_levels = levels.len().max(1) as f64;
    let mut out = Matrix::zeros(rows.len(), kept.len());
    for (to, &from) in rows.iter().enumerate() {
        let values = space.values.row(from);
        for (out, &(c, factor)) in out.row_mut(to).iter_mut().zip(&kept) {
            *out = ((f64::from(values[c]) - mean[c]) * factor / n_levels.sqrt()) as f32;
        }
    }
    out
}

/// The features of earlier time points beside each other, for responses that come later: column block d holds the row
/// `delays[d]` before, zeros before the beginning of a run (finite impulse response model).
pub fn delayed(x: &Matrix, runs: &[Range<usize>], delays: &[usize]) -> Matrix {
    let mut out = Matrix::zeros(x.n_rows, x.n_cols * delays.len());
    for run in runs {
        for row in run.clone() {
            for (d, &delay) in delays.iter().enumerate() {
                if row >= run.start + delay {
                    let to = d * x.n_cols..(d + 1) * x.n_cols;
                    out.row_mut(row)[to].copy_from_slice(x.row(row - delay));
                }
            }
        }
    }
    out
}
