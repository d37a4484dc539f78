//! The matrix that everything here works on: rows to be told apart, and typed columns.

use std::borrow::Cow;

use faer::Mat;

use crate::linear::kernel;
use crate::matrix::Matrix;
use crate::select::feature::{Column, FeatureKind, FeatureRef};
use crate::{Error, Result};

/// A row: a trial, the mean of some, or a window.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its class: an index into the table's classes.
    pub class: usize,
    /// Its run.
    pub run: String,
    /// Its session; empty without sessions.
    pub session: String,
    /// The stimuli shown in it.
    pub stimuli: Vec<String>,
    /// The trials it is made of: rows of the betas.
    pub trials: Vec<usize>,
}

/// Rows × features.
#[derive(Clone, Debug)]
pub struct Table {
    /// What the columns are.
    pub kind: FeatureKind,
    /// The classes of the contrast.
    pub classes: Vec<String>,
    /// One a row of the matrix.
    pub rows: Vec<Row>,
    /// One a feature.
    pub columns: Vec<Column>,
    /// The names of the regions that columns refer to.
    pub regions: Vec<String>,
    /// What the user should know of it, in sentences (how many windows, what was left out).
    pub notes: Vec<String>,
    /// The id of the extraction it was made by.
    pub extraction: String,
    /// The id of the data it was made from.
    pub data: String,
    /// Rows × columns or, where columns are components, rows × voxels.
    pub(super) values: Matrix,
    /// Where columns are components: the columns of `values` of each region.
    pub(super) patterns: Option<Patterns>,
}

/// Regions of which principal components are taken.
#[derive(Clone, Debug)]
pub(super) struct Patterns {
    /// The columns of the values of each region.
    pub(super) regions: Vec<Vec<usize>>,
    /// Components of each.
    pub(super) n_components: Vec<usize>,
}

impl Table {
    /// Rows.
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Features.
    pub fn n_features(&self) -> usize {
        self.columns.len()
    }

    /// The runs in order of first appearance.
    pub fn runs(&self) -> Vec<String> {
        let mut runs: Vec<String> = Vec::new();
        for row in &self.rows {
            if !runs.contains(&row.run) {
                runs.push(row.run.clone());
            }
        }
        runs
    }

    /// The class of every row.
    pub fn labels(&self) -> Vec<usize> {
        self.rows.iter().map(|row| row.class).collect()
    }

    /// Rows of every class.
    pub fn class_counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes.len()];
        for row in &self.rows {
            counts[row.class] += 1;
        }
        counts
    }

    /// The column of a feature, when the table has it.
    pub fn column_of(&self, feature: &FeatureRef) -> Option<usize> {
        self.columns.iter().position(|c| c.feature == *feature)
    }

    /// Whether the features depend on the rows they are fitted on.
    pub fn is_fitted(&self) -> bool {
        self.patterns.is_some()
    }

    /// Rows × features, with what has to be fitted (components of regions) fitted on the rows `train` alone.
    ///
    /// # Errors
    /// When components cannot be found for values that are not finite.
    pub fn fitted(&self, train: &[usize]) -> Result<Cow<'_, Matrix>> {
        let Some(patterns) = &self.patterns else {
            return Ok(Cow::Borrowed(&self.values));
        };
        let mut out = Matrix::zeros(self.values.n_rows, self.columns.len());
        let mut first = 0;
        for (columns, &n) in patterns.regions.iter().zip(&patterns.n_components) {
            let region = self.values.select_columns(columns);
            let scores = components(&region, train, n)?;
            for (row, scores) in scores.iter().enumerate() {
                out.row_mut(row)[first..first + n].copy_from_slice(scores);
            }
            first += n;
        }
        Ok(Cow::Owned(out))
    }

    /// The same table with some of the rows.
    pub fn of_rows(&self, rows: &[usize]) -> Self {
        Self {
            rows: rows.iter().map(|&r| self.rows[r].clone()).collect(),
            values: self.values.select_rows(rows),
            ..self.clone()
        }
    }

    /// Features that hold a value that is not finite, and features that do not vary over the rows; neither can be picked.
    pub fn unusable(&self) -> (usize, usize) {
        let n = self.values.n_cols;
        let (mut finite, mut varies) = (vec![true; n], vec![false; n]);
        let first = self.values.rows().next().map(<[f32]>::to_vec);
        let first = first.unwrap_or_default();
        for row in self.values.rows() {
            for (at, value) in row.iter().enumerate() {
                finite[at] &= value.is_finite();
                varies[at] |= *value != first[at];
            }
        }
        let not_finite = finite.iter().filter(|f| !**f).count();
        let constant = finite.iter().zip(&varies).filter(|(f, v)| **f && !**v);
        (not_finite, constant.count())
    }
}

/// The scores of every row on the first `n` principal components of the rows `train`, from their kernel: voxels are
/// many, rows are few. The sign of a component is that of its largest training score. Components beyond the rank are 0.
fn components(x: &Matrix, train: &[usize], n: usize) -> Result<Vec<Vec<f32>>> {
    let all: Vec<usize> = (0..x.n_rows).collect();
    let means = kernel::column_means(x, train);
    let centred = kernel::minus(x, &means);
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        let products = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b));
        products.sum()
    };
    let product = |rows: &[usize]| {
        Mat::from_fn(rows.len(), train.len(), |r, c| {
            dot(centred.row(rows[r]), centred.row(train[c]))
        })
    };
    let (values, vectors) = kernel::eigen(&product(train))?;
    let across = product(&all);
    let largest = values.last().copied().unwrap_or(0.0);
    let mut scores = vec![vec![0.0; n]; x.n_rows];
    for component in 0..n.min(values.len()) {
        let at = values.len() - 1 - component;
        if values[at] <= 1e-10 * largest || !values[at].is_finite() {
            break;
        }
        let along = |row: usize| -> f64 {
            let products = (0..train.len()).map(|t| across[(row, t)] * vectors[(t, at)]);
            products.sum::<f64>() / values[at].sqrt()
        };
        let strongest = train.iter().map(|&row| along(row)).fold(0.0f64, |best, v| {
            if v.abs() > best.abs() { v } else { best }
        });
        for (row, scores) in scores.iter_mut().enumerate() {
            scores[component] = (along(row) * 1f64.copysign(strongest)) as f32;
        }
    }
    Ok(scores)
}

/// A table of plain features made by hand: for tests and other sources of features.
///
/// # Errors
/// When sizes do not agree or a class does not exist.
pub fn made(
    kind: FeatureKind,
    classes: Vec<String>,
    rows: Vec<Row>,
    columns: Vec<Column>,
    values: Matrix,
) -> Result<Table> {
    if values.n_rows != rows.len() || values.n_cols != columns.len() {
        return Err(Error::data(format!(
            "{} rows and {} columns are described, the values are {} × {}",
            rows.len(),
            columns.len(),
            values.n_rows,
            values.n_cols
        )));
    }
    if rows.iter().any(|row| row.class >= classes.len()) {
        return Err(Error::data("a row has a class beyond those that are named"));
    }
    let mut hasher = super::id::Hasher::new();
    hasher.numbers(&values.values);
    Ok(Table {
        kind,
        classes,
        rows,
        columns,
        regions: Vec::new(),
        notes: Vec::new(),
        extraction: String::new(),
        data: hasher.finish(),
        values,
        patterns: None,
    })
}
