//! Which features are taken: the strongest of a map, not all from one spot.

use glam::DVec3;

use crate::select::feature::{Column, FeatureRef};
use crate::select::map::Statistic;
use crate::select::table::Table;
use crate::{Error, Result};

/// Which differences count for picking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sign {
    /// Either way.
    #[default]
    Both,
    /// The first class has more.
    First,
    /// The second class has more.
    Second,
}

/// How features are picked from a map.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PickPlan {
    /// At most so many; 0 takes all features that have a value.
    pub n: usize,
    /// By what.
    pub statistic: Statistic,
    /// Of signed statistics, which side counts.
    pub sign: Sign,
    /// Picked voxels, vertices or points are at least so far apart, mm; other features are never too near.
    pub min_distance_mm: f64,
    /// At most one a region.
    pub one_per_region: bool,
    /// Only features of these regions; empty is no restriction.
    pub regions: Vec<String>,
}

impl Default for PickPlan {
    /// The 20 strongest by R², 8 mm apart.
    fn default() -> Self {
        Self {
            n: 20,
            statistic: Statistic::R2,
            sign: Sign::Both,
            min_distance_mm: 8.0,
            one_per_region: false,
            regions: Vec::new(),
        }
    }
}

/// Features that somebody collected, and what was looked at while collecting.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Basket {
    /// In the order in which they were put in.
    pub features: Vec<FeatureRef>,
    /// The runs whose maps were seen: scores on any of them are optimistic.
    pub seen_runs: Vec<String>,
}

/// The columns picked from the values of a map, strongest first.
///
/// Features without a value are never picked; of two alike the earlier column comes first.
pub fn pick(table: &Table, values: &[f32], plan: &PickPlan) -> Vec<usize> {
    let picker = Picker::new(table, plan);
    picker.pick(values)
}

/// A plan made ready for a table: used again for each fold and each permutation.
#[derive(Debug)]
pub(super) struct Picker<'a> {
    columns: &'a [Column],
    plan: &'a PickPlan,
    allowed: Option<Vec<bool>>,
}

impl<'a> Picker<'a> {
    pub(super) fn new(table: &'a Table, plan: &'a PickPlan) -> Self {
        let named = |name: &String| plan.regions.iter().any(|r| r.eq_ignore_ascii_case(name));
        let named: Vec<bool> = table.regions.iter().map(named).collect();
        let inside = |column: &Column| column.region.is_some_and(|r| named.get(r) == Some(&true));
        let restricted = !plan.regions.is_empty();
        Self {
            columns: &table.columns,
            plan,
            allowed: restricted.then(|| table.columns.iter().map(inside).collect()),
        }
    }

    /// How strong a value is; below 0 is not to be picked.
    fn strength(&self, value: f32) -> f32 {
        let from_none = value - self.plan.statistic.none();
        match (self.plan.statistic.is_signed(), self.plan.sign) {
            (true, Sign::First) => from_none,
            (true, Sign::Second) => -from_none,
            _ => from_none.abs(),
        }
    }

    pub(super) fn pick(&self, values: &[f32]) -> Vec<usize> {
        let allowed = |c: usize| self.allowed.as_ref().is_none_or(|a| a[c]);
        let mut order: Vec<(f32, usize)> = (0..values.len().min(self.columns.len()))
            .filter(|&c| allowed(c))
            .map(|c| (self.strength(values[c]), c))
            .filter(|(strength, _)| *strength >= 0.0)
            .collect();
        let by_strength =
            |a: &(f32, usize), b: &(f32, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        if self.plan.n == 0 {
            let mut all: Vec<usize> = order.into_iter().map(|(_, c)| c).collect();
            all.sort_unstable();
            return all;
        }
        // Few of many are wanted: sort the strongest alone, more of them where too many are near each other.
        let mut n_sorted = (8 * self.plan.n).max(64);
        loop {
            let partial = n_sorted < order.len();
            if partial {
                order.select_nth_unstable_by(n_sorted, by_strength);
            }
            let end = n_sorted.min(order.len());
            order[..end].sort_unstable_by(by_strength);
            let taken = self.spread(&order[..end]);
            if taken.len() == self.plan.n || !partial {
                return taken;
            }
            n_sorted *= 4;
        }
    }

    /// The first of `order` that are apart as the plan says.
    fn spread(&self, order: &[(f32, usize)]) -> Vec<usize> {
        let mut taken: Vec<usize> = Vec::with_capacity(self.plan.n);
        for &(_, column) in order {
            if taken.len() == self.plan.n {
                break;
            }
            let candidate = &self.columns[column];
            let crowded = taken.iter().any(|&other| {
                let other = &self.columns[other];
                let near = match (spot(candidate), spot(other)) {
                    (Some(a), Some(b)) => a.distance(b) < self.plan.min_distance_mm,
                    _ => false,
                };
                let same = candidate.region.is_some() && candidate.region == other.region;
                near || self.plan.one_per_region && same
            });
            if !crowded {
                taken.push(column);
            }
        }
        taken
    }
}

/// Where a column is, if it is a spot.
fn spot(column: &Column) -> Option<DVec3> {
    column.world_mm.filter(|_| column.feature.is_spot())
}

impl Basket {
    /// The basket of picked columns; `seen_runs` are those of the map they were picked from.
    pub fn of(table: &Table, columns: &[usize], seen_runs: &[String]) -> Self {
        let feature = |&c: &usize| table.columns.get(c).map(|column| column.feature.clone());
        Self {
            features: columns.iter().filter_map(feature).collect(),
            seen_runs: seen_runs.to_vec(),
        }
    }

    /// The columns of its features in a table.
    ///
    /// # Errors
    /// When it is empty, or the table has not all of them.
    pub fn columns(&self, table: &Table) -> Result<Vec<usize>> {
        if self.features.is_empty() {
            return Err(Error::Choice(
                "the basket is empty: click features into it, or pick the strongest".into(),
            ));
        }
        let find = |feature: &FeatureRef| {
            table.column_of(feature).ok_or_else(|| {
                Error::Choice(format!(
                    "“{feature}” of the basket is none of the {} {} at hand: empty the basket, or go back to the features it was filled from",
                    table.n_features(),
                    table.kind.word()
                ))
            })
        };
        self.features.iter().map(find).collect()
    }

    /// Why a score of this basket on the rows of `table` flatters; `None` when it does not.
    pub fn optimistic(&self, table: &Table) -> Option<String> {
        let runs = table.runs();
        let seen = runs.iter().filter(|r| self.seen_runs.contains(r)).count();
        (seen > 0).then(|| {
            format!(
                "optimistic: the features were picked by looking at {seen} of the {} runs they are scored on",
                runs.len()
            )
        })
    }
}
