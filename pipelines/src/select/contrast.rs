//! What is told apart: condition A against B, or many classes.

use crate::select::filter::{Filter, TrialTable};
use crate::{Error, Result};

/// Classes of trials, each by a filter. Two are a contrast in the usual sense: signs are positive where the first has
/// more.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Contrast {
    /// Two or more.
    pub classes: Vec<Filter>,
}

/// Trials by class.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// The names of the classes, in the order of the contrast.
    pub classes: Vec<String>,
    /// The class of every trial; none of those that take no part.
    pub of_trial: Vec<Option<usize>>,
}

/// How many trials of each class a run holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCount {
    /// The run.
    pub run: String,
    /// One a class.
    pub n: Vec<usize>,
}

impl Contrast {
    /// `a` against `b`, each as [`Filter::parse`] reads them.
    ///
    /// # Errors
    /// Those of the filters.
    pub fn two(a: &str, b: &str) -> Result<Self> {
        Self::of(&[a, b])
    }

    /// As many classes as texts.
    ///
    /// # Errors
    /// Those of the filters, and fewer than two.
    pub fn of(classes: &[&str]) -> Result<Self> {
        if classes.len() < 2 {
            return Err(Error::Choice(
                "something can be told apart from two classes on: name another condition".into(),
            ));
        }
        let classes: Result<Vec<Filter>> = classes.iter().map(|text| Filter::parse(text)).collect();
        Ok(Self { classes: classes? })
    }

    /// Every condition of the trials a class.
    ///
    /// # Errors
    /// When all trials have one condition.
    pub fn all(table: &TrialTable) -> Result<Self> {
        let names = table.conditions();
        if names.len() < 2 {
            return Err(Error::Choice(
                "the trials have one condition only: tell them apart by another column, such as --a \"caption~dog\" --b \"caption!~dog\"".into(),
            ));
        }
        let named: Vec<String> = names.iter().map(|n| format!("condition={n}")).collect();
        Self::of(&named.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Gives every trial its class.
    ///
    /// # Errors
    /// When a class is empty (the text lists the names there are) or a trial belongs to two.
    pub fn label(&self, table: &TrialTable) -> Result<Labels> {
        let mut of_trial: Vec<Option<usize>> = vec![None; table.trials.len()];
        for (class, filter) in self.classes.iter().enumerate() {
            let mut n = 0;
            for (trial, label) in of_trial.iter_mut().enumerate() {
                if !filter.holds(table, trial) {
                    continue;
                }
                if let Some(other) = label {
                    return Err(Error::Choice(format!(
                        "trial {} ({}, run {}) is both in “{}” and in “{filter}”: let the classes exclude each other",
                        trial + 1,
                        table.trials[trial].condition,
                        table.trials[trial].run,
                        self.classes[*other],
                    )));
                }
                *label = Some(class);
                n += 1;
            }
            if n == 0 {
                return Err(Error::Choice(format!(
                    "no trial is “{filter}”; conditions and categories are: {}",
                    some_of(&table.names())
                )));
            }
        }
        Ok(Labels {
            classes: self.names(),
            of_trial,
        })
    }

    /// The names of the classes, short where that is enough to tell them apart.
    pub fn names(&self) -> Vec<String> {
        let short: Vec<String> = self.classes.iter().map(Filter::name).collect();
        let mut distinct = short.clone();
        distinct.sort();
        distinct.dedup();
        if distinct.len() == short.len() {
            short
        } else {
            self.classes.iter().map(ToString::to_string).collect()
        }
    }
}

impl std::fmt::Display for Contrast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<String> = self.classes.iter().map(ToString::to_string).collect();
        f.write_str(&names.join(" against "))
    }
}

impl Labels {
    /// Trials of each class in each run, runs in order of first appearance.
    pub fn counts(&self, table: &TrialTable) -> Vec<RunCount> {
        let mut counts: Vec<RunCount> = Vec::new();
        for (trial, label) in table.trials.iter().zip(&self.of_trial) {
            let place = counts.iter().position(|c| c.run == trial.run);
            let place = place.unwrap_or_else(|| {
                counts.push(RunCount {
                    run: trial.run.clone(),
                    n: vec![0; self.classes.len()],
                });
                counts.len() - 1
            });
            if let Some(class) = label {
                counts[place].n[*class] += 1;
            }
        }
        counts
    }
}

/// At most twenty names.
fn some_of(names: &[String]) -> String {
    let shown = names
        .iter()
        .take(20)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    match names.len() {
        0..=20 => shown,
        n => format!("{shown} and {} more", n - 20),
    }
}
