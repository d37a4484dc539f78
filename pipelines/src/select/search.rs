//! What the training rows of a fold choose beside single features: how they were extracted, how many are taken, from
//! which region. Every choice is made by leaving out training runs in turn and never sees the held-out rows.

use std::sync::Arc;

use crate::linear::folds::Fold;
use crate::run::{Run, Stop};
use crate::select::evaluate::{Candidate, EvaluationPlan};
use crate::select::fitting::{Labelled, Ready};
use crate::select::pick::{PickPlan, Picker};
use crate::select::split;
use crate::{Error, Result};

/// Which combinations of features are tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Search {
    /// None: the strongest, as many as the plan says.
    #[default]
    None,
    /// The strongest one, two, three, … up to as many as the plan says (HappyFeat's “best combination”).
    Prefixes,
    /// Of as many as the plan says, one after the other the one that helps most, as long as one does.
    Forward,
    /// The strongest of a single region, region by region.
    Regions,
}

/// What a fold took.
#[derive(Clone, Debug)]
pub(super) struct Chosen {
    pub(super) candidate: usize,
    pub(super) columns: Vec<usize>,
    pub(super) words: Option<String>,
}

/// One thing to choose: a candidate and a rule for picking from it.
struct Choice<'a> {
    candidate: usize,
    plan: PickPlan,
    region: Option<&'a str>,
}

/// All choices, and everything that does not depend on labels.
pub(super) struct Options<'a> {
    plan: &'a EvaluationPlan,
    folds: &'a [Fold],
    candidates: &'a [Candidate<'a>],
    choices: Vec<Choice<'a>>,
    ready: Vec<Ready<'a>>,
    /// Inner folds of every outer fold, with the number of the set of their training rows.
    inner: Vec<Vec<(Fold, usize)>>,
}

impl<'a> Options<'a> {
    pub(super) fn new(
        candidates: &'a [Candidate<'a>],
        folds: &'a [Fold],
        plan: &'a EvaluationPlan,
        run: &Run<'_>,
    ) -> Result<Self, Stop> {
        let table = candidates[0].table;
        let choices = choices(candidates, plan)?;
        let nested = choices.len() > 1 || matches!(plan.search, Search::Prefixes | Search::Forward);
        // Sets of training rows: the outer ones, all rows, then the inner ones.
        let mut sets: Vec<Vec<usize>> = folds.iter().map(|f| f.train.clone()).collect();
        sets.push((0..table.n_rows()).collect());
        let mut inner = Vec::with_capacity(folds.len());
        for fold in folds {
            let mut of_fold = Vec::new();
            if nested {
                for part in split::inner(table, &fold.train, plan.split) {
                    of_fold.push((part.clone(), sets.len()));
                    sets.push(part.train);
                }
                if of_fold.is_empty() {
                    return Err(Error::Choice(format!(
                        "without {} no training run can be left out to choose by: take more runs, or leave the choice to nobody (one extraction, no search)",
                        fold.label
                    ))
                    .into());
                }
            }
            inner.push(of_fold);
        }
        let sets: Arc<[Vec<usize>]> = sets.into();
        let mut ready = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let sets = Arc::clone(&sets);
            ready.push(Ready::new(candidate.table, sets, plan.pick.statistic, run)?);
        }
        Ok(Self {
            plan,
            folds,
            candidates,
            choices,
            ready,
            inner,
        })
    }

    pub(super) fn ready(&self, candidate: usize) -> &Ready<'a> {
        &self.ready[candidate]
    }

    /// The sums of every candidate for one labelling.
    pub(super) fn labelled(&self, labels: &[usize], run: &Run<'_>) -> Result<Vec<Labelled>, Stop> {
        self.ready.iter().map(|r| r.labelled(labels, run)).collect()
    }

    fn pick(
        &self,
        choice: &Choice<'_>,
        set: usize,
        labelled: &[Labelled],
        run: &Run<'_>,
    ) -> Result<Vec<usize>, Stop> {
        let candidate = choice.candidate;
        let picker = Picker::new(self.candidates[candidate].table, &choice.plan);
        self.ready[candidate].pick(set, &labelled[candidate], &picker, &choice.plan, run)
    }

    /// What the training rows of fold `f` take.
    pub(super) fn choose(
        &self,
        f: usize,
        labels: &[usize],
        labelled: &[Labelled],
        run: &Run<'_>,
    ) -> Result<Chosen, Stop> {
        let (best, n) = match (self.choices.as_slice(), self.plan.search) {
            ([only], Search::None | Search::Regions) => (only, None),
            _ => self.best(f, labels, labelled, run)?,
        };
        let mut columns = self.pick(best, f, labelled, run)?;
        let mut words = Vec::new();
        if self.candidates.len() > 1 {
            words.push(self.candidates[best.candidate].name.to_owned());
        }
        words.extend(best.region.map(str::to_owned));
        match self.plan.search {
            Search::None | Search::Regions => {}
            Search::Prefixes => {
                columns.truncate(n.unwrap_or(columns.len()));
                words.push(format!("the first {}", columns.len()));
            }
            Search::Forward => {
                let ready = &self.ready[best.candidate];
                columns = forward(&columns, |columns| {
                    run.check()?;
                    let mut n_right = 0;
                    for (fold, set) in &self.inner[f] {
                        let test = (fold.test.as_slice(), columns);
                        n_right += right(ready, *set, test, labels, self.plan)?;
                    }
                    Ok(n_right)
                })?;
                words.push(format!("{} one by one", columns.len()));
            }
        }
        Ok(Chosen {
            candidate: best.candidate,
            columns,
            words: (!words.is_empty()).then(|| words.join(", ")),
        })
    }

    /// The choice (and, of prefixes, the number) that names most rows of left-out training runs rightly; of equals the
    /// first, and the smallest number.
    fn best(
        &self,
        f: usize,
        labels: &[usize],
        labelled: &[Labelled],
        run: &Run<'_>,
    ) -> Result<(&Choice<'a>, Option<usize>), Stop> {
        let mut best: Option<(usize, &Choice<'a>, Option<usize>)> = None;
        for choice in &self.choices {
            let mut n_right: Vec<usize> = Vec::new();
            for (fold, set) in &self.inner[f] {
                let columns = self.pick(choice, *set, labelled, run)?;
                let lengths = match self.plan.search {
                    Search::Prefixes => 1..=columns.len().max(1),
                    _ => columns.len()..=columns.len(),
                };
                for (place, n) in lengths.enumerate() {
                    if n_right.len() <= place {
                        n_right.push(0);
                    }
                    let part = columns.get(..n).unwrap_or_default();
                    if part.is_empty() {
                        continue;
                    }
                    let ready = &self.ready[choice.candidate];
                    let test = (fold.test.as_slice(), part);
                    n_right[place] += right(ready, *set, test, labels, self.plan)?;
                }
            }
            for (place, &n) in n_right.iter().enumerate() {
                if best.as_ref().is_none_or(|b| n > b.0) {
                    let length = (self.plan.search == Search::Prefixes).then_some(place + 1);
                    best = Some((n, choice, length));
                }
            }
        }
        best.map(|(_, choice, n)| (choice, n))
            .ok_or_else(|| Error::data("there is nothing to choose from").into())
    }

    /// What every choice takes when all rows are looked at: baskets that flatter.
    pub(super) fn on_all(
        &self,
        labels: &[usize],
        labelled: &[Labelled],
        run: &Run<'_>,
    ) -> Result<Vec<(usize, Vec<usize>)>, Stop> {
        let all = self.folds.len();
        let mut baskets = Vec::new();
        for choice in &self.choices {
            let columns = self.pick(choice, all, labelled, run)?;
            match self.plan.search {
                Search::None | Search::Regions => baskets.push((choice.candidate, columns)),
                Search::Prefixes => {
                    for n in 1..=columns.len() {
                        baskets.push((choice.candidate, columns[..n].to_vec()));
                    }
                }
                Search::Forward => {
                    let ready = &self.ready[choice.candidate];
                    let taken = forward(&columns, |columns| {
                        run.check()?;
                        let mut n_right = 0;
                        for (f, fold) in self.folds.iter().enumerate() {
                            n_right +=
                                right(ready, f, (&fold.test[..], columns), labels, self.plan)?;
                        }
                        Ok(n_right)
                    })?;
                    baskets.push((choice.candidate, taken));
                }
            }
        }
        Ok(baskets)
    }
}

fn choices<'a>(candidates: &'a [Candidate<'a>], plan: &EvaluationPlan) -> Result<Vec<Choice<'a>>> {
    let mut choices = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        let choice = |region: Option<&'a str>| Choice {
            candidate: place,
            plan: PickPlan {
                regions: region.map_or_else(|| plan.pick.regions.clone(), |r| vec![r.to_owned()]),
                ..plan.pick.clone()
            },
            region,
        };
        if plan.search != Search::Regions {
            choices.push(choice(None));
            continue;
        }
        let table = candidate.table;
        let allowed = |name: &&String| {
            let regions = &plan.pick.regions;
            regions.is_empty() || regions.iter().any(|r| r.eq_ignore_ascii_case(name))
        };
        let mut held = vec![false; table.regions.len()];
        for region in table.columns.iter().filter_map(|c| c.region) {
            held[region] = true;
        }
        let names = table.regions.iter().zip(held).filter(|(_, held)| *held);
        let names: Vec<&String> = names.map(|(name, _)| name).filter(allowed).collect();
        if names.is_empty() {
            return Err(Error::Choice(
                "there are no regions to go through: give the study an atlas in the space of the runs, or choose another search".into(),
            ));
        }
        choices.extend(names.into_iter().map(|name| choice(Some(name))));
    }
    Ok(choices)
}

/// Rows of a fold that are named rightly.
fn right(
    ready: &Ready<'_>,
    set: usize,
    (test, columns): (&[usize], &[usize]),
    labels: &[usize],
    plan: &EvaluationPlan,
) -> Result<usize> {
    let said = ready.predict(set, test, columns, labels, plan.model)?;
    Ok(said.iter().filter(|p| p.named == labels[p.row]).count())
}

/// Adds what raises `score` most, until nothing does; of equals the stronger.
fn forward(
    pool: &[usize],
    score: impl Fn(&[usize]) -> Result<usize, Stop>,
) -> Result<Vec<usize>, Stop> {
    let mut taken: Vec<usize> = Vec::new();
    let mut reached = 0;
    loop {
        let mut best = None;
        for &column in pool.iter().filter(|c| !taken.contains(c)) {
            let mut with = taken.clone();
            with.push(column);
            let n = score(&with)?;
            if n > reached {
                reached = n;
                best = Some(column);
            }
        }
        match best {
            Some(column) => taken.push(column),
            None if taken.is_empty() => return Ok(pool.iter().take(1).copied().collect()),
            None => return Ok(taken),
        }
    }
}
