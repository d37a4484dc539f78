//! Labels that change places within runs: what scores are without a difference between classes.

use std::collections::BTreeMap;

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;

use crate::glm::hrf::ln_gamma;
use crate::select::split::joined_by_stimulus;
use crate::select::table::Table;

/// Rows that keep one label, in classes of those that may change it.
#[derive(Debug)]
pub(super) struct Shuffler {
    labels: Vec<usize>,
    /// `[class of units][unit] = rows`.
    exchangeable: Vec<Vec<Vec<usize>>>,
    seed: u64,
    /// How many labellings there are, the true one among them.
    pub(super) n_labellings: f64,
    /// What the user should know, in sentences.
    pub(super) notes: Vec<String>,
}

impl Shuffler {
    /// Rows of one stimulus change labels together, with others that were shown in the same runs as often.
    pub(super) fn new(table: &Table, seed: u64) -> Self {
        let labels = table.labels();
        let single: Vec<usize> = (0..table.n_rows()).collect();
        let unit_of = joined_by_stimulus(&table.rows, &single, table.n_rows());
        let mut notes = Vec::new();
        let mut units = gathered(&unit_of);
        let mixed = units
            .iter()
            .any(|u| u.iter().any(|&r| labels[r] != labels[u[0]]));
        let n_units_of = |class: usize, units: &[Vec<usize>]| {
            units.iter().filter(|u| labels[u[0]] == class).count()
        };
        let only_one = (0..table.classes.len()).any(|c| n_units_of(c, &units) < 2);
        let repeats = units.len() < table.n_rows();
        if repeats && (mixed || only_one) {
            notes.push(
                if mixed {
                    "Some stimuli are in two classes: for the control, rows change labels one by one."
                } else {
                    "A class is shown by one stimulus: for the control, rows change labels one by one."
                }
                .to_owned(),
            );
            units = single.iter().map(|&row| vec![row]).collect();
        }
        let runs = table.runs();
        let run_of = |row: usize| runs.iter().position(|r| *r == table.rows[row].run);
        let within = |unit: &[usize]| {
            let mut runs: Vec<Option<usize>> = unit.iter().map(|&row| run_of(row)).collect();
            runs.sort_unstable();
            runs
        };
        let mut shuffler = Self {
            exchangeable: classed(&units, within),
            labels,
            seed,
            n_labellings: 1.0,
            notes,
        };
        shuffler.n_labellings = shuffler.count();
        if shuffler.n_labellings < 1.5 && repeats {
            // Repeats are spread over runs differently from stimulus to stimulus.
            shuffler.exchangeable = classed(&units, <[usize]>::len);
            shuffler.n_labellings = shuffler.count();
            if shuffler.n_labellings >= 1.5 {
                shuffler.notes.push("Repeats of stimuli are spread over runs, so the control exchanges labels of whole stimuli between runs.".into());
            }
        }
        if shuffler.n_labellings < 1.5 {
            shuffler.notes.push("No labels can be exchanged, for every run shows one class only: there is no control, and slow differences between runs may pass for a difference between classes.".into());
        }
        shuffler
    }

    /// The labels of permutation `number`; the same each time.
    pub(super) fn labels(&self, number: usize) -> Vec<usize> {
        let mixed = (self.seed ^ 0x5bd1_e995).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut random = StdRng::seed_from_u64(mixed.wrapping_add(number as u64));
        let mut labels = self.labels.clone();
        for units in &self.exchangeable {
            let mut of_units: Vec<usize> = units.iter().map(|u| self.labels[u[0]]).collect();
            of_units.shuffle(&mut random);
            for (unit, label) in units.iter().zip(of_units) {
                for &row in unit {
                    labels[row] = label;
                }
            }
        }
        labels
    }

    fn count(&self) -> f64 {
        let ln_choices = |units: &Vec<Vec<usize>>| {
            let mut counts: BTreeMap<usize, f64> = BTreeMap::new();
            for unit in units {
                *counts.entry(self.labels[unit[0]]).or_default() += 1.0;
            }
            ln_gamma(units.len() as f64 + 1.0)
                - counts.values().map(|n| ln_gamma(n + 1.0)).sum::<f64>()
        };
        let count = self.exchangeable.iter().map(ln_choices).sum::<f64>().exp();
        // Logarithms leave a whole number a little beside itself.
        if count < 1e9 { count.round() } else { count }
    }
}

fn gathered(unit_of: &[usize]) -> Vec<Vec<usize>> {
    let n = unit_of.iter().max().map_or(0, |u| u + 1);
    let mut units = vec![Vec::new(); n];
    for (row, &unit) in unit_of.iter().enumerate() {
        units[unit].push(row);
    }
    units
}

fn classed<K: Ord>(units: &[Vec<usize>], key: impl Fn(&[usize]) -> K) -> Vec<Vec<Vec<usize>>> {
    let mut classes: BTreeMap<K, Vec<Vec<usize>>> = BTreeMap::new();
    for unit in units {
        classes.entry(key(unit)).or_default().push(unit.clone());
    }
    classes.into_values().collect()
}
