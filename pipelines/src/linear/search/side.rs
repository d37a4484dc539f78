//! The two sides on which a ridge can be solved: features (primal), when they are fewer, or rows (dual).

use std::ops::Range;

use faer::{Mat, MatRef, Par};

use super::problem::Batch;
use super::{Asked, Problem};
use crate::Result;
use crate::device::Compute;
use crate::linear::cholesky::Symmetric;
use crate::linear::{kernel, product};
use crate::matrix::Matrix;
use crate::run::{Run, Stop};

/// What is known of the features before any response is looked at.
#[derive(Debug)]
pub(super) enum Side {
    Primal(Primal),
    Dual(Dual),
}

/// Products of features with features.
#[derive(Debug)]
pub(super) struct Primal {
    /// Rows of the parts, part after part, less the mean of all.
    x: Matrix,
    /// The rows nothing is fitted on, less the same mean.
    extra: Option<Matrix>,
    /// XᵀX of each part, as f32 products gave them.
    grams: Vec<Matrix>,
    /// Column sums of each part.
    sums: Vec<Vec<f64>>,
}

/// Products of rows with rows, one a space.
#[derive(Debug)]
pub(super) struct Dual {
    /// XXᵀ of the rows of the parts, part after part, less the mean of all.
    kernels: Vec<Kernel>,
    /// The rows nothing is fitted on with those rows.
    extra: Vec<Kernel>,
}

/// Products of some rows with those of the parts.
#[derive(Debug)]
struct Kernel {
    values: Matrix,
    /// Of every row its sum over each part.
    sums: Vec<Vec<f64>>,
}

impl Kernel {
    fn new(values: Matrix, bounds: &[Range<usize>]) -> Self {
        let sums = values.rows().map(|row| {
            let of = |part: &Range<usize>| row[part.clone()].iter().map(|v| f64::from(*v)).sum();
            bounds.iter().map(of).collect()
        });
        Self {
            sums: sums.collect(),
            values,
        }
    }
}

impl Side {
    pub(super) fn new(
        x: &Matrix,
        spaces: &[Range<usize>],
        rows: &[usize],
        bounds: &[Range<usize>],
        extra: Option<&Matrix>,
        compute: &Compute,
        run: &Run<'_>,
    ) -> Result<Self, Stop> {
        let means = kernel::column_means(x, rows);
        // The fewest rows that are trained on: one part is left out.
        let most = bounds.iter().map(ExactSizeIterator::len).max().unwrap_or(0);
        if x.n_cols > rows.len() - most.min(rows.len()) {
            return Ok(Self::Dual(Dual::new(
                (x, extra),
                spaces,
                (rows, bounds),
                &means,
                compute,
                run,
            )?));
        }
        let x = kernel::minus(&x.select_rows(rows), &means);
        let (mut grams, mut sums) = (Vec::new(), Vec::new());
        for bounds in bounds {
            let part = product::rows(&x, bounds.clone());
            grams.push(product::product(part.transpose(), part, compute, run)?);
            let mut sum = vec![0.0f64; x.n_cols];
            for row in bounds.clone() {
                sum.iter_mut()
                    .zip(x.row(row))
                    .for_each(|(s, v)| *s += f64::from(*v));
            }
            sums.push(sum);
        }
        let extra = extra.map(|extra| kernel::minus(extra, &means));
        Ok(Self::Primal(Primal {
            x,
            extra,
            grams,
            sums,
        }))
    }

    /// Rows of the right side.
    pub(super) fn width(&self, n_train: usize) -> usize {
        match self {
            Self::Primal(primal) => primal.x.n_cols,
            Self::Dual(_) => n_train,
        }
    }

    pub(super) fn scale(&self, n_rows: usize) -> f64 {
        match self {
            Self::Primal(primal) => {
                primal.grams.iter().map(trace).sum::<f64>() / n_rows.max(1) as f64
            }
            Self::Dual(dual) => {
                let traces = dual.kernels.iter().map(|k| trace(&k.values));
                traces.sum::<f64>() / n_rows.max(1) as f64
            }
        }
    }
}

impl Primal {
    /// Xᵀ Y of each part.
    pub(super) fn products(
        &self,
        y: &Matrix,
        bounds: &[Range<usize>],
        compute: &Compute,
    ) -> Result<Vec<Matrix>, Stop> {
        let product = |bounds: &Range<usize>| {
            let x = product::rows(&self.x, bounds.clone());
            let y = product::rows(y, bounds.clone());
            product::alone(x.transpose(), y, compute)
        };
        Ok(bounds.iter().map(product).collect::<Result<_>>()?)
    }

    /// Xᵀ Y of the training rows, both from their means there.
    pub(super) fn right_side(
        &self,
        batch: &Batch,
        without: &[usize],
        mean: &[f32],
        n_train: usize,
    ) -> Result<Matrix> {
        let mut out = Matrix::zeros(self.x.n_cols, mean.len());
        let x_mean = self.train_mean(without, n_train);
        for (row, x_mean) in x_mean.iter().enumerate() {
            let shift = (x_mean * n_train as f64) as f32;
            let out = out.row_mut(row);
            out.iter_mut()
                .zip(mean)
                .for_each(|(out, mean)| *out = -shift * mean);
            for (part, product) in batch.products.iter().enumerate() {
                if !without.contains(&part) {
                    let from = product.row(row);
                    out.iter_mut().zip(from).for_each(|(out, v)| *out += v);
                }
            }
        }
        Ok(out)
    }

    fn train_mean(&self, without: &[usize], n_train: usize) -> Vec<f64> {
        let mut mean = vec![0.0; self.x.n_cols];
        for (part, sums) in self.sums.iter().enumerate() {
            if !without.contains(&part) {
                let n = n_train.max(1) as f64;
                mean.iter_mut().zip(sums).for_each(|(m, s)| *m += s / n);
            }
        }
        mean
    }
}

impl Dual {
    fn new(
        (x, extra): (&Matrix, Option<&Matrix>),
        spaces: &[Range<usize>],
        (rows, bounds): (&[usize], &[Range<usize>]),
        means: &[f32],
        compute: &Compute,
        run: &Run<'_>,
    ) -> Result<Self, Stop> {
        let in_order = rows.len() == x.n_rows && rows.iter().enumerate().all(|(i, r)| i == *r);
        let mut kernels = Vec::new();
        let mut across = Vec::new();
        for space in spaces {
            let all = space.len() == x.n_cols;
            let means = &means[space.clone()];
            // Only what is not as it should be already is copied.
            let copy = (!all || !in_order).then(|| part_of(x, rows, space));
            let here = copy.as_ref().unwrap_or(x);
            let half = Symmetric::kernel(here, means, Par::rayon(0), run)?;
            kernels.push(Kernel::new(half.narrowed(), bounds));
            if let Some(extra) = extra {
                let every: Vec<usize> = (0..extra.n_rows).collect();
                let copy = (!all).then(|| part_of(extra, &every, space));
                let extra = copy.as_ref().unwrap_or(extra);
                let products = kernel::across(extra, here, means, compute, run)?;
                across.push(Kernel::new(products, bounds));
            }
        }
        Ok(Self {
            kernels,
            extra: across,
        })
    }
}

fn trace(square: &Matrix) -> f64 {
    let diagonal = square.rows().enumerate().map(|(i, row)| f64::from(row[i]));
    diagonal.sum()
}

fn part_of(x: &Matrix, rows: &[usize], columns: &Range<usize>) -> Matrix {
    let values = rows
        .iter()
        .flat_map(|&r| x.row(r)[columns.clone()].iter().copied());
    Matrix {
        n_rows: rows.len(),
        n_cols: columns.len(),
        values: values.collect(),
    }
}

/// Kernels that have a weight, with it.
fn used<'k>(kernels: &'k [Kernel], gamma: &[f64]) -> Vec<(f64, &'k Matrix)> {
    let all = gamma.iter().zip(kernels).filter(|(g, _)| **g > 0.0);
    all.map(|(g, k)| (*g, &k.values)).collect()
}

/// An element of Σ γ K.
fn weighed(used: &[(f64, &Matrix)], row: usize, column: usize) -> f64 {
    let all = used.iter().map(|(g, k)| g * f64::from(k.row(row)[column]));
    all.sum()
}

impl Problem<'_> {
    /// A of the training rows: XᵀX or XXᵀ, centred on them, with every space weighed; what `make` makes of its size
    /// and its elements, so that no other copy is held.
    pub(super) fn system<T>(
        &self,
        without: &[usize],
        gamma: &[f64],
        make: impl FnOnce(usize, &dyn Fn(usize, usize) -> f64) -> T,
    ) -> T {
        let n_train = self.n_train(without);
        match &self.side {
            Side::Primal(primal) => {
                let mean = primal.train_mean(without, n_train);
                let root = self.roots(gamma);
                let used: Vec<&Matrix> = (0..primal.grams.len())
                    .filter(|part| !without.contains(part))
                    .map(|part| &primal.grams[part])
                    .collect();
                make(mean.len(), &|r, c| {
                    // Of the two halves, which f32 may have rounded apart, always the same one.
                    let (top, right) = (r.min(c), r.max(c));
                    let sum: f64 = used.iter().map(|g| f64::from(g.row(top)[right])).sum();
                    (sum - n_train as f64 * mean[r] * mean[c]) * root[r] * root[c]
                })
            }
            Side::Dual(dual) => {
                let rows = self.train(without);
                let means = self.train_means(&dual.kernels, &rows, without, gamma);
                let grand = means.iter().sum::<f64>() / means.len().max(1) as f64;
                let used = used(&dual.kernels, gamma);
                make(rows.len(), &|r, c| {
                    weighed(&used, rows[c], rows[r]) - means[r] - means[c] + grand
                })
            }
        }
    }

    /// R: the rows asked for on the same side, centred on the training rows; of one space alone, or of all.
    pub(super) fn asked(
        &self,
        without: &[usize],
        asked: Asked,
        gamma: &[f64],
        space: Option<usize>,
    ) -> Mat<f64> {
        let n_train = self.n_train(without);
        match &self.side {
            Side::Primal(primal) => {
                let mean = primal.train_mean(without, n_train);
                let root = self.roots(gamma);
                let (x, rows) = match (asked, &primal.extra) {
                    (Asked::Part(part), _) => (&primal.x, self.bounds[part].clone()),
                    (Asked::Extra, Some(extra)) => (extra, 0..extra.n_rows),
                    (Asked::Extra, None) => (&primal.x, 0..0),
                };
                let columns = space.map_or(0..x.n_cols, |s| self.spaces[s].clone());
                Mat::from_fn(rows.len(), x.n_cols, |r, c| {
                    if columns.contains(&c) {
                        (f64::from(x.row(rows.start + r)[c]) - mean[c]) * root[c]
                    } else {
                        0.0
                    }
                })
            }
            Side::Dual(dual) => {
                let mut only = gamma.to_vec();
                if let Some(space) = space {
                    let others = only.iter_mut().enumerate().filter(|(s, _)| *s != space);
                    others.for_each(|(_, g)| *g = 0.0);
                }
                let (kernels, rows) = match asked {
                    Asked::Part(part) => (&dual.kernels, self.bounds[part].clone().collect()),
                    Asked::Extra => (&dual.extra, (0..self.n_asked(asked)).collect::<Vec<_>>()),
                };
                let train = self.train(without);
                let of_asked = self.train_means(kernels, &rows, without, &only);
                let of_train = self.train_means(&dual.kernels, &train, without, &only);
                let grand = of_train.iter().sum::<f64>() / train.len().max(1) as f64;
                let used = used(kernels, &only);
                Mat::from_fn(rows.len(), train.len(), |r, c| {
                    weighed(&used, rows[r], train[c]) - of_asked[r] - of_train[c] + grand
                })
            }
        }
    }

    /// The mean of Σ γ K over the training rows, for some rows.
    fn train_means(
        &self,
        kernels: &[Kernel],
        rows: &[usize],
        without: &[usize],
        gamma: &[f64],
    ) -> Vec<f64> {
        let n = self.n_train(without).max(1) as f64;
        let mean = |&row: &usize| {
            let of = |kernel: &Kernel| -> f64 {
                let sums = kernel.sums[row].iter().enumerate();
                sums.filter(|(part, _)| !without.contains(part))
                    .map(|(_, s)| s)
                    .sum()
            };
            gamma
                .iter()
                .zip(kernels)
                .map(|(g, k)| g * of(k))
                .sum::<f64>()
                / n
        };
        rows.iter().map(mean).collect()
    }

    /// Hats as f32, for features that are not weighed.
    pub(super) fn narrowed(&self, hats: MatRef<'_, f64>, gamma: &[f64]) -> Matrix {
        let root = match &self.side {
            Side::Primal(_) => self.roots(gamma),
            Side::Dual(_) => Vec::new(),
        };
        let mut out = Matrix::zeros(hats.nrows(), hats.ncols());
        for c in 0..hats.ncols() {
            let root = root.get(c).copied().unwrap_or(1.0);
            for r in 0..hats.nrows() {
                out.values[r * hats.ncols() + c] = (hats[(r, c)] * root) as f32;
            }
        }
        out
    }

    /// √γ of every feature.
    fn roots(&self, gamma: &[f64]) -> Vec<f64> {
        let mut roots = vec![0.0; self.x.n_cols];
        for (space, gamma) in self.spaces.iter().zip(gamma) {
            roots[space.clone()].fill(gamma.sqrt());
        }
        roots
    }

    /// Places in `self.rows` that are trained on.
    fn train(&self, without: &[usize]) -> Vec<usize> {
        (0..self.bounds.len())
            .filter(|part| !without.contains(part))
            .flat_map(|part| self.bounds[part].clone())
            .collect()
    }
}
