//! Picking and fitting on sets of training rows: the part of an evaluation that is done again for every fold and every
//! permutation.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use faer::Mat;

use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::select::classify::{self, Model, named};
use crate::select::map::{self, Statistic};
use crate::select::pick::{PickPlan, Picker};
use crate::select::score::Prediction;
use crate::select::sums::Sums;
use crate::select::table::Table;
use crate::{Error, Result};

/// A table, made ready for picking on certain sets of its rows.
pub(super) struct Ready<'a> {
    pub(super) table: &'a Table,
    sets: Arc<[Vec<usize>]>,
    data: Data<'a>,
    /// Features with a value that is not finite in any row: what is fitted without it could not be applied to it.
    broken: Vec<usize>,
}

enum Data<'a> {
    /// Features that do not depend on the set: one sum over rows that are always in or out together serves all sets.
    Shared {
        values: Cow<'a, Matrix>,
        /// What is summed up instead, where the statistic is of ranks.
        ranks: Option<Matrix>,
        cell: Vec<usize>,
        /// `[set][cell]`
        used: Vec<Vec<bool>>,
    },
    /// Features fitted on each set.
    OfSet(Vec<Matrix>),
}

/// The sums that belong to one labelling of the rows.
pub(super) enum Labelled {
    Shared(Sums),
    OfSet(Vec<usize>),
}

impl<'a> Ready<'a> {
    pub(super) fn new(
        table: &'a Table,
        sets: Arc<[Vec<usize>]>,
        statistic: Statistic,
        run: &Run<'_>,
    ) -> Result<Self, Stop> {
        if statistic.needs_two() && table.classes.len() != 2 {
            return Err(Error::Choice(format!(
                "{} compares two classes and there are {}: pick by R² (--statistic r2)",
                statistic.name(),
                table.classes.len()
            ))
            .into());
        }
        let by_rank = statistic.is_of_ranks();
        if table.is_fitted() {
            if by_rank {
                return Err(Error::Choice(
                    "components are fitted anew in every fold and cannot be ranked beforehand: pick them by R² (--statistic r2)".into(),
                )
                .into());
            }
            let mut values = Vec::with_capacity(sets.len());
            for set in sets.iter() {
                run.check()?;
                values.push(table.fitted(set)?.into_owned());
            }
            return Ok(Self {
                table,
                sets,
                data: Data::OfSet(values),
                broken: Vec::new(),
            });
        }
        let values = table.fitted(&[])?;
        let (cell, used) = cells(table, &sets, by_rank.then_some(statistic))?;
        let ranks = map::ranked(statistic, &values, &run_of(table), run)?;
        Ok(Self {
            table,
            sets,
            broken: broken(&values),
            data: Data::Shared {
                values,
                ranks,
                cell,
                used,
            },
        })
    }

    /// Sums for the true labels, or shuffled ones.
    pub(super) fn labelled(&self, labels: &[usize], run: &Run<'_>) -> Result<Labelled, Stop> {
        match &self.data {
            Data::OfSet(_) => Ok(Labelled::OfSet(labels.to_vec())),
            Data::Shared {
                values,
                ranks,
                cell,
                ..
            } => {
                let of = ranks.as_ref().unwrap_or(values);
                let n_classes = self.table.classes.len();
                Ok(Labelled::Shared(Sums::new(
                    of, cell, labels, n_classes, run,
                )?))
            }
        }
    }

    /// The columns that the rows of a set pick, strongest first.
    pub(super) fn pick(
        &self,
        set: usize,
        labelled: &Labelled,
        picker: &Picker<'_>,
        plan: &PickPlan,
        run: &Run<'_>,
    ) -> Result<Vec<usize>, Stop> {
        run.check()?;
        let mut values = match (&self.data, labelled) {
            (Data::Shared { used, .. }, Labelled::Shared(sums)) => {
                map::values_of(plan.statistic, sums, &used[set])
            }
            (Data::OfSet(values), Labelled::OfSet(labels)) => {
                let mut cell = vec![1; self.table.n_rows()];
                self.sets[set].iter().for_each(|&row| cell[row] = 0);
                let n_classes = self.table.classes.len();
                let sums = Sums::new(&values[set], &cell, labels, n_classes, run)?;
                let mut used = vec![false; sums.n_cells()];
                if let Some(first) = used.first_mut() {
                    *first = true;
                }
                map::values_of(plan.statistic, &sums, &used)
            }
            _ => Vec::new(),
        };
        for &column in &self.broken {
            if let Some(value) = values.get_mut(column) {
                *value = f32::NAN;
            }
        }
        Ok(picker.pick(&values))
    }

    /// What a classifier of the rows of a set says of `test`.
    pub(super) fn predict(
        &self,
        set: usize,
        test: &[usize],
        columns: &[usize],
        labels: &[usize],
        model: Model,
    ) -> Result<Vec<Prediction>> {
        if columns.is_empty() {
            return Err(Error::Choice(
                "no feature can be picked: all of them are constant or hold values that are not finite in the training rows; check the mask".into(),
            ));
        }
        let values: &Matrix = match &self.data {
            Data::Shared { values, .. } => values,
            Data::OfSet(values) => &values[set],
        };
        let train = &self.sets[set];
        let gathered = |rows: &[usize]| {
            Mat::from_fn(rows.len(), columns.len(), |r, c| {
                f64::from(values.row(rows[r])[columns[c]])
            })
        };
        let (mut x, mut held) = (gathered(train), gathered(test));
        if model.wants_scaling() {
            scale(&mut x, &mut held);
        }
        let y: Vec<usize> = train.iter().map(|&r| labels[r]).collect();
        let n_classes = self.table.classes.len();
        let classifier = classify::fit(model, &x, &y, n_classes)?;
        Ok(test
            .iter()
            .enumerate()
            .map(|(i, &row)| {
                let features: Vec<f64> = (0..columns.len()).map(|c| held[(i, c)]).collect();
                let scores = classifier.scores(&features);
                let named = named(&scores);
                let score = match scores.as_slice() {
                    [a, b] => a - b,
                    _ => scores[named],
                };
                Prediction { row, named, score }
            })
            .collect())
    }
}

/// Mean 0 and standard deviation 1 over the training rows, for both; features that do not vary become 0.
fn scale(train: &mut Mat<f64>, held: &mut Mat<f64>) {
    let n = train.nrows() as f64;
    for c in 0..train.ncols() {
        let mean = (0..train.nrows()).map(|r| train[(r, c)]).sum::<f64>() / n;
        let squares: f64 = (0..train.nrows())
            .map(|r| (train[(r, c)] - mean).powi(2))
            .sum();
        let sd = (squares / n).sqrt();
        let by = if sd > 1e-12 * mean.abs() && sd > 0.0 {
            1.0 / sd
        } else {
            0.0
        };
        for part in [&mut *train, &mut *held] {
            for r in 0..part.nrows() {
                part[(r, c)] = (part[(r, c)] - mean) * by;
            }
        }
    }
}

fn broken(values: &Matrix) -> Vec<usize> {
    let mut finite = vec![true; values.n_cols];
    for row in values.rows() {
        for (finite, value) in finite.iter_mut().zip(row) {
            *finite &= value.is_finite();
        }
    }
    (0..values.n_cols).filter(|&c| !finite[c]).collect()
}

fn run_of(table: &Table) -> Vec<usize> {
    let runs = table.runs();
    let place = |run: &String| runs.iter().position(|r| r == run).unwrap_or(0);
    table.rows.iter().map(|row| place(&row.run)).collect()
}

/// A cell for every row, and the cells of every set. Rows of a cell are in the same sets; a statistic of ranks keeps runs
/// whole.
fn cells(
    table: &Table,
    sets: &[Vec<usize>],
    of_ranks: Option<Statistic>,
) -> Result<(Vec<usize>, Vec<Vec<bool>>)> {
    let mut signature = vec![vec![false; sets.len()]; table.n_rows()];
    for (set, rows) in sets.iter().enumerate() {
        for &row in rows {
            signature[row][set] = true;
        }
    }
    let runs = run_of(table);
    let mut number: BTreeMap<(usize, Vec<bool>), usize> = BTreeMap::new();
    let mut cell = Vec::with_capacity(table.n_rows());
    for (row, signature) in signature.into_iter().enumerate() {
        let run = if of_ranks.is_some() { runs[row] } else { 0 };
        let next = number.len();
        cell.push(*number.entry((run, signature)).or_insert(next));
    }
    if let Some(statistic) = of_ranks
        && number.len() > table.runs().len()
    {
        return Err(Error::Choice(format!(
            "{} ranks rows within whole runs, and this split takes runs apart: pick by another statistic (--statistic r2)",
            statistic.name()
        )));
    }
    let mut used = vec![vec![false; number.len()]; sets.len()];
    for ((_, signature), cell) in number {
        for (set, is_in) in signature.into_iter().enumerate() {
            used[set][cell] = is_in;
        }
    }
    Ok((cell, used))
}
