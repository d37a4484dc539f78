//! Which trials may change labels with which: within a run, and repeats of a stimulus together.

use std::collections::BTreeMap;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::betas::Trial;
use crate::glm::hrf::ln_gamma;
use crate::{Error, Result};

/// What holds trials together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The block of every row: labels stay within it.
    pub block: Vec<usize>,
    /// The unit of every row: its rows have one label, before and after.
    pub unit: Vec<usize>,
}

impl Exchange {
    /// The rule for single trials: labels stay within their run, and all repeats of one stimulus keep a common label.
    /// A trial without a stimulus is a unit of its own.
    pub fn of_trials(trials: &[Trial]) -> Self {
        let mut runs: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let mut stimuli: BTreeMap<(&str, &str), usize> = BTreeMap::new();
        let block = trials.iter().map(|trial| {
            let next = runs.len();
            *runs.entry((&trial.subject, &trial.run)).or_insert(next)
        });
        let block = block.collect();
        let unit = trials.iter().enumerate().map(|(row, trial)| {
            let Some(stimulus) = &trial.stimulus else {
                return row;
            };
            *stimuli.entry((&trial.subject, stimulus)).or_insert(row)
        });
        Self {
            block,
            unit: unit.collect(),
        }
    }

    /// Any trial may change with any other.
    pub fn free(n_rows: usize) -> Self {
        Self {
            block: vec![0; n_rows],
            unit: (0..n_rows).collect(),
        }
    }

    /// The units of the compared rows, in classes of those that may change labels: the ones that have as many rows in
    /// each block.
    pub(super) fn units(&self, a: &[usize], b: &[usize], n_rows: usize) -> Result<Units> {
        if self.block.len() != n_rows || self.unit.len() != n_rows {
            return Err(Error::data(format!(
                "blocks were given for {} trials, but there are {n_rows}",
                self.block.len().min(self.unit.len())
            )));
        }
        let mut units: BTreeMap<usize, (bool, Vec<usize>)> = BTreeMap::new();
        for (place, &row) in a.iter().chain(b).enumerate() {
            let in_a = place < a.len();
            let unit = units
                .entry(self.unit[row])
                .or_insert_with(|| (in_a, Vec::new()));
            if unit.0 != in_a {
                return Err(Error::data(format!(
                    "trial {} shows the same stimulus as one of the other condition, so their labels cannot be exchanged as a whole: compare conditions that share no stimulus",
                    row + 1
                )));
            }
            unit.1.push(place);
        }
        let mut classes: BTreeMap<Vec<usize>, Vec<(bool, Vec<usize>)>> = BTreeMap::new();
        let rows: Vec<usize> = a.iter().chain(b).copied().collect();
        for (in_a, places) in units.into_values() {
            let mut blocks: Vec<usize> = places.iter().map(|&p| self.block[rows[p]]).collect();
            blocks.sort_unstable();
            classes.entry(blocks).or_default().push((in_a, places));
        }
        let units = Units {
            n_rows: rows.len(),
            classes: classes.into_values().collect(),
        };
        if units.n_labellings() < 1.5 {
            return Err(Error::data(
                "no labels can be exchanged: every run shows one of the two conditions only; compare conditions that occur in the same run",
            ));
        }
        Ok(units)
    }
}

/// Units by class: the label of each and the places of its rows among the compared ones.
#[derive(Debug)]
pub(super) struct Units {
    n_rows: usize,
    classes: Vec<Vec<(bool, Vec<usize>)>>,
}

impl Units {
    /// How many different labellings there are, the true one among them.
    pub(super) fn n_labellings(&self) -> f64 {
        let ln_choices = |class: &Vec<(bool, Vec<usize>)>| {
            let n = class.len() as f64;
            let in_a = class.iter().filter(|unit| unit.0).count() as f64;
            ln_gamma(n + 1.0) - ln_gamma(in_a + 1.0) - ln_gamma(n - in_a + 1.0)
        };
        self.classes.iter().map(ln_choices).sum::<f64>().exp()
    }

    /// Labels of the compared rows, 1 for the first set, after the units of each class changed them.
    pub(super) fn shuffled(&self, random: &mut StdRng) -> Vec<f32> {
        let mut labels = vec![0.0; self.n_rows];
        for class in &self.classes {
            let mut mixed: Vec<bool> = class.iter().map(|unit| unit.0).collect();
            mixed.shuffle(random);
            for (in_a, (_, places)) in mixed.into_iter().zip(class) {
                for &place in places {
                    labels[place] = f32::from(u8::from(in_a));
                }
            }
        }
        labels
    }
}
