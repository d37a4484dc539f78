//! How well each feature tells the classes apart.

use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::select::sums::{self, Group, Sums};
use crate::select::table::Table;
use crate::select::told;
use crate::stats::{fdr, tails};
use crate::{Error, Result};

/// What a map shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Statistic {
    /// The share of the variance between classes (η², the squared point-biserial correlation for two).
    #[default]
    R2,
    /// That with the sign of the difference, first class minus second.
    SignedR2,
    /// Welch's t, first class minus second.
    T,
    /// Difference of the means over the root of the mean of the two variances.
    DPrime,
    /// The probability that a row of the first class has more than one of the second *of the same run*, ties counting
    /// half; z and p by the normal approximation, stratified by run (van Elteren 1960, with equal weight of all pairs).
    Auc,
    /// What the quarter of the rows of its run in which a row lies tells of its class, in bits: differences of spread and
    /// shape count too, for any number of classes. It is what is found in the rows, which by chance is above 0 (by about
    /// 2.2 bits for each class but one over the number of rows); p is that of the G test.
    MutualInformation,
}

impl Statistic {
    /// Whether it is about two classes only.
    pub fn needs_two(self) -> bool {
        !matches!(self, Self::R2 | Self::MutualInformation)
    }

    /// Whether it is made from the ranks of rows within their run.
    pub fn is_of_ranks(self) -> bool {
        matches!(self, Self::Auc | Self::MutualInformation)
    }

    /// Its value where nothing differs.
    pub fn none(self) -> f32 {
        if self == Self::Auc { 0.5 } else { 0.0 }
    }

    /// Whether it has a sign.
    pub fn is_signed(self) -> bool {
        self.needs_two()
    }

    /// Its name for headings.
    pub fn name(self) -> &'static str {
        match self {
            Self::R2 => "R²",
            Self::SignedR2 => "signed R²",
            Self::T => "Welch's t",
            Self::DPrime => "d′",
            Self::Auc => "AUC within runs",
            Self::MutualInformation => "mutual information, bits",
        }
    }
}

/// One number a feature, with its companions.
#[derive(Clone, Debug, PartialEq)]
pub struct Map {
    /// What it shows.
    pub statistic: Statistic,
    /// The values; NaN where there is none (constant features, values that are not finite).
    pub values: Vec<f32>,
    /// Two-sided p: of F for R², of the pooled t for signed R², of Welch's t for t and d′, of the rank-sum z for the AUC, of
    /// the G test for mutual information.
    pub p: Vec<f64>,
    /// Benjamini and Hochberg's q over the features that have a value.
    pub q: Vec<f64>,
    /// Rows of each class.
    pub n: Vec<usize>,
    /// The runs it was made from.
    pub runs: Vec<String>,
}

/// What maps are made from: the sums of a table, run by run. Making one from it costs as much as there are features, so
/// a run can be ticked and unticked while one looks.
#[derive(Clone, Debug)]
pub struct MapSource {
    /// The runs, in the order of the cells of the sums.
    pub runs: Vec<String>,
    sums: Sums,
    ranks: Option<Sums>,
    shares: Option<Sums>,
}

/// Sums up a table. `with_ranks` adds what [`Statistic::Auc`] (of two classes) and [`Statistic::MutualInformation`] need,
/// which takes a sort of every column.
///
/// # Errors
/// When cancelled. Components of regions are fitted on all rows here; they are fitted anew in every fold of an evaluation.
pub fn prepare(table: &Table, with_ranks: bool, run: &Run<'_>) -> Result<MapSource, Stop> {
    let runs = table.runs();
    let all: Vec<usize> = (0..table.n_rows()).collect();
    let values = table.fitted(&all)?;
    let place = |run: &String| runs.iter().position(|r| r == run).unwrap_or(0);
    let cell: Vec<usize> = table.rows.iter().map(|row| place(&row.run)).collect();
    let (class, n_classes) = (table.labels(), table.classes.len());
    let summed = |values: &Matrix| Sums::new(values, &cell, &class, n_classes, run);
    let (mut ranks, mut shares) = (None, None);
    if with_ranks {
        let of_rows = sums::ranks(&values, &cell, run)?;
        shares = Some(summed(&told::packed(&of_rows, &cell)?)?);
        if n_classes == 2 {
            ranks = Some(summed(&of_rows)?);
        }
    }
    Ok(MapSource {
        sums: summed(&values)?,
        runs,
        ranks,
        shares,
    })
}

/// The map over the ticked runs: `ticked[i]` is about `source.runs[i]`.
///
/// # Errors
/// When the statistic wants two classes and there are more, a class has fewer than two rows in the ticked runs, or what
/// needs ranks is asked for without them.
pub fn map(source: &MapSource, statistic: Statistic, ticked: &[bool]) -> Result<Map> {
    let sums = match statistic {
        // With more classes than two it has no ranks, and is refused for that.
        Statistic::Auc if source.sums.n_classes() == 2 => source.ranks.as_ref(),
        Statistic::MutualInformation => source.shares.as_ref(),
        _ => Some(&source.sums),
    };
    let Some(sums) = sums else {
        return Err(Error::data(format!(
            "{} needs the ranks of the rows: prepare the maps with them",
            statistic.name()
        )));
    };
    let n = sums.over(ticked);
    check(statistic, &n)?;
    let (values, p) = match statistic {
        Statistic::Auc => auc(sums, ticked),
        Statistic::MutualInformation => told::of_groups(&n),
        _ => of_groups(statistic, &n),
    };
    let runs = source.runs.iter().zip(ticked).filter(|(_, t)| **t);
    Ok(Map {
        statistic,
        q: fdr::q_values(&p),
        values,
        p,
        n: n.iter().map(|group| group.n as usize).collect(),
        runs: runs.map(|(run, _)| run.clone()).collect(),
    })
}

pub(super) fn check(statistic: Statistic, groups: &[Group]) -> Result<()> {
    if statistic.needs_two() && groups.len() != 2 {
        return Err(Error::Choice(format!(
            "{} compares two classes and there are {}: choose R² (--statistic r2)",
            statistic.name(),
            groups.len()
        )));
    }
    match groups.iter().position(|group| group.n < 2.0) {
        None => Ok(()),
        Some(class) => Err(Error::Choice(format!(
            "class {} has {} row(s) in the runs that are used and needs at least 2: tick more runs or loosen its filter",
            class + 1,
            groups[class].n
        ))),
    }
}

/// A squared deviation below this share of the sum of squares is rounding.
const CONSTANT: f64 = 1e-12;

/// Values and p from the sums of classes.
fn of_groups(statistic: Statistic, groups: &[Group]) -> (Vec<f32>, Vec<f64>) {
    let n_features = groups.first().map_or(0, |g| g.sum.len());
    (0..n_features)
        .map(|feature| {
            let (value, p) = of_feature(statistic, groups, feature);
            (value as f32, p)
        })
        .unzip()
}

/// What takes the place of the values where the statistic is of ranks: the ranks within cells, or counts of their shares.
pub(super) fn ranked(
    statistic: Statistic,
    values: &Matrix,
    cell: &[usize],
    run: &Run<'_>,
) -> Result<Option<Matrix>, Stop> {
    Ok(match statistic {
        Statistic::Auc => Some(sums::ranks(values, cell, run)?),
        Statistic::MutualInformation => Some(told::packed(&sums::ranks(values, cell, run)?, cell)?),
        _ => None,
    })
}

/// The values alone, from sums over the used cells (of what [`ranked`] gives, where the statistic is of ranks): what
/// picking needs.
pub(super) fn values_of(statistic: Statistic, sums: &Sums, used: &[bool]) -> Vec<f32> {
    match statistic {
        Statistic::Auc => auc(sums, used).0,
        Statistic::MutualInformation => told::of_groups(&sums.over(used)).0,
        _ => values_of_groups(statistic, &sums.over(used)),
    }
}

fn values_of_groups(statistic: Statistic, groups: &[Group]) -> Vec<f32> {
    let n_features = groups.first().map_or(0, |g| g.sum.len());
    (0..n_features)
        .map(|feature| value_of(statistic, groups, feature).0 as f32)
        .collect()
}

fn of_feature(statistic: Statistic, groups: &[Group], feature: usize) -> (f64, f64) {
    let (value, test, df) = value_of(statistic, groups, feature);
    let p = match statistic {
        Statistic::R2 => tails::f_above(test, groups.len() as f64 - 1.0, df),
        _ => tails::two_sided_t(test, df),
    };
    (value, p)
}

/// Value, and F (R²) or t (the others) with its degrees of freedom.
fn value_of(statistic: Statistic, groups: &[Group], f: usize) -> (f64, f64, f64) {
    const NONE: (f64, f64, f64) = (f64::NAN, f64::NAN, f64::NAN);
    let n: f64 = groups.iter().map(|g| g.n).sum();
    let sum: f64 = groups.iter().map(|g| g.sum[f]).sum();
    let square: f64 = groups.iter().map(|g| g.square[f]).sum();
    let total = square - sum * sum / n;
    if !(total > CONSTANT * square && total.is_finite()) {
        return NONE;
    }
    let between: f64 = groups.iter().map(|g| g.sum[f] * g.sum[f] / g.n).sum();
    let between = (between - sum * sum / n).clamp(0.0, total);
    let within = total - between;
    let df = n - groups.len() as f64;
    match statistic {
        Statistic::R2 => {
            let f = (between / (groups.len() as f64 - 1.0)) / (within / df);
            (between / total, f, df)
        }
        Statistic::SignedR2
        | Statistic::T
        | Statistic::DPrime
        | Statistic::Auc
        | Statistic::MutualInformation => {
            let [a, b] = groups else { return NONE };
            let difference = a.sum[f] / a.n - b.sum[f] / b.n;
            let variance = |g: &Group| {
                let squares = (g.square[f] - g.sum[f] * g.sum[f] / g.n).max(0.0);
                if squares > CONSTANT * g.square[f] {
                    squares / (g.n - 1.0)
                } else {
                    0.0
                }
            };
            if statistic == Statistic::SignedR2 {
                let t = difference / (within / df * (1.0 / a.n + 1.0 / b.n)).sqrt();
                return ((between / total).copysign(difference), t, df);
            }
            let (va, vb) = (variance(a), variance(b));
            let (ea, eb) = (va / a.n, vb / b.n);
            let t = difference / (ea + eb).sqrt();
            if !t.is_finite() {
                return NONE;
            }
            let df = (ea + eb) * (ea + eb) / (ea * ea / (a.n - 1.0) + eb * eb / (b.n - 1.0));
            if statistic == Statistic::DPrime {
                (difference / (0.5 * (va + vb)).sqrt(), t, df)
            } else {
                (t, t, df)
            }
        }
    }
}

/// AUC and p from sums of ranks within cells.
fn auc(ranks: &Sums, used: &[bool]) -> (Vec<f32>, Vec<f64>) {
    let cells: Vec<usize> = (0..ranks.n_cells()).filter(|&c| used[c]).collect();
    (0..ranks.n_features)
        .map(|feature| {
            let (mut wins, mut pairs, mut expected, mut variance) = (0.0, 0.0, 0.0, 0.0);
            for &cell in &cells {
                let (n_a, sum_a, square_a) = ranks.cell(cell, 0);
                let (n_b, sum_b, square_b) = ranks.cell(cell, 1);
                let n = n_a + n_b;
                if n_a * n_b == 0.0 {
                    continue;
                }
                wins += sum_a[feature] - 0.5 * n_a * (n_a + 1.0);
                expected += 0.5 * n_a * n_b;
                pairs += n_a * n_b;
                let sum = sum_a[feature] + sum_b[feature];
                let spread = square_a[feature] + square_b[feature] - sum * sum / n;
                variance += n_a * n_b / (n * (n - 1.0)) * spread;
            }
            if pairs > 0.0 && variance > 1e-9 {
                let z = (wins - expected) / variance.sqrt();
                ((wins / pairs) as f32, tails::two_sided_normal(z))
            } else {
                (f32::NAN, f64::NAN)
            }
        })
        .unzip()
}
