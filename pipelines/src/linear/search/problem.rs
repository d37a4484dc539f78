//! Features and responses of a search: what is made of them once, and batches of targets.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use super::side::Side;
use super::{Asked, BATCH_BYTES, DUAL_BYTES, LARGE, PRIMAL_BYTES};
use crate::device::Compute;
use crate::linear::product::{self, Fixed};
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// Features and responses, row by row, and which rows belong together.
#[derive(Debug)]
pub struct Problem<'a> {
    pub(super) x: &'a Matrix,
    pub(super) y: &'a Matrix,
    pub(super) spaces: Vec<Range<usize>>,
    pub(super) parts: Vec<Vec<usize>>,
    /// All rows of the parts, part after part.
    pub(super) rows: Vec<usize>,
    /// Where each part is in `rows`.
    pub(super) bounds: Vec<Range<usize>>,
    /// Rows that nothing is fitted on.
    pub(super) extra: Option<&'a Matrix>,
    pub(super) side: Side,
    pub(super) compute: &'a Compute,
    /// Floating-point operations of f32 products so far.
    pub(super) flops: AtomicU64,
}

impl<'a> Problem<'a> {
    /// Prepares the products of rows or features, whichever are fewer.
    ///
    /// `spaces` divide the columns of `x`; `parts` hold rows, none twice. Fails when rows do not match.
    pub fn new(
        (x, y): (&'a Matrix, &'a Matrix),
        spaces: &[Range<usize>],
        parts: &[Vec<usize>],
        extra: Option<&'a Matrix>,
        compute: &'a Compute,
        run: &Run<'_>,
    ) -> Result<Self, Stop> {
        if x.n_rows != y.n_rows || x.n_cols == 0 || y.n_cols == 0 {
            return Err(Error::data(format!(
                "{} × {} features do not go with {} × {} responses: give both for the same rows",
                x.n_rows, x.n_cols, y.n_rows, y.n_cols
            ))
            .into());
        }
        if let Some(extra) = extra.filter(|e| e.n_cols != x.n_cols) {
            return Err(Error::data(format!(
                "the rows to predict have {} features, those to fit {}: give them the same",
                extra.n_cols, x.n_cols
            ))
            .into());
        }
        let rows: Vec<usize> = parts.concat();
        let mut bounds = Vec::new();
        let mut start = 0;
        for part in parts {
            bounds.push(start..start + part.len());
            start += part.len();
        }
        let side = Side::new(x, spaces, &rows, &bounds, extra, compute, run)?;
        Ok(Self {
            x,
            y,
            spaces: spaces.to_vec(),
            parts: parts.to_vec(),
            rows,
            bounds,
            extra,
            side,
            compute,
            flops: AtomicU64::new(0),
        })
    }

    /// The mean squared length of a row of features less the mean row: what penalties can be measured by.
    pub fn scale(&self) -> f64 {
        self.side.scale(self.rows.len())
    }

    /// Whether the smaller side is that of the features.
    pub fn is_primal(&self) -> bool {
        matches!(self.side, Side::Primal(_))
    }

    /// Floating-point operations that f32 products with responses have taken so far.
    pub fn flops(&self) -> u64 {
        self.flops.load(Ordering::Relaxed)
    }

    /// `hat · right`, counted.
    pub(super) fn times(&self, hat: &Fixed, right: &Matrix) -> Result<Matrix> {
        let n = 2 * hat.n_rows() as u64 * hat.n_cols() as u64 * right.n_cols as u64;
        self.flops.fetch_add(n, Ordering::Relaxed);
        hat.times(product::view(right), self.compute)
    }

    /// Rows trained on when some parts are left out.
    pub(super) fn n_train(&self, without: &[usize]) -> usize {
        let left_out: usize = without.iter().map(|&p| self.parts[p].len()).sum();
        self.rows.len() - left_out
    }

    pub(super) fn n_asked(&self, asked: Asked) -> usize {
        match asked {
            Asked::Part(part) => self.parts[part].len(),
            Asked::Extra => self.extra.map_or(0, |e| e.n_rows),
        }
    }

    /// Bytes that the hats of the splits worked on together may take; `largest` is what those of one split take.
    pub(super) fn most_hats(&self, largest: usize) -> usize {
        let half = 2 * (self.x.values.len() + self.y.values.len());
        match &self.side {
            Side::Primal(_) => PRIMAL_BYTES.max(half),
            // Responses are merely copied anew for other splits, so a split a thread is enough; large ones take all
            // threads by themselves.
            Side::Dual(_) if self.rows.len() > LARGE => DUAL_BYTES.max(half),
            Side::Dual(_) => DUAL_BYTES
                .max(half)
                .max(rayon::current_num_threads() * largest),
        }
    }

    /// Targets that fit a thread's share of memory, when products have `height` rows.
    pub(super) fn batch(&self, height: usize) -> usize {
        let products = match &self.side {
            Side::Primal(_) => (self.parts.len() + 2) * self.x.n_cols,
            Side::Dual(_) => self.rows.len(),
        };
        let per_target = 4 * (self.rows.len() + products + height);
        let inputs = 4 * (self.x.values.len() + self.y.values.len());
        let most = (inputs / 8).clamp(BATCH_BYTES / 4, BATCH_BYTES);
        (most / per_target.max(1)).clamp(32, 1024) / 16 * 16
    }

    /// Responses of some targets in an order, the rows as in `self.rows`, each target from its mean.
    pub(super) fn gather(
        &self,
        targets: &[usize],
        order: &[usize],
        products: bool,
    ) -> Result<Batch, Stop> {
        let n = targets.len();
        let mut y = Matrix::zeros(self.rows.len(), n);
        let mut sums = vec![0.0f64; n];
        let adjacent = targets.windows(2).all(|w| w[1] == w[0] + 1);
        for (at, &row) in self.rows.iter().enumerate() {
            let from = self.y.row(order.get(row).copied().unwrap_or(row));
            let to = y.row_mut(at);
            if adjacent {
                to.copy_from_slice(&from[targets[0]..targets[0] + n]);
            } else {
                to.iter_mut()
                    .zip(targets)
                    .for_each(|(to, &t)| *to = from[t]);
            }
            sums.iter_mut()
                .zip(to)
                .for_each(|(s, v)| *s += f64::from(*v));
        }
        let n_rows = self.rows.len().max(1) as f64;
        let means: Vec<f32> = sums.iter().map(|s| (s / n_rows) as f32).collect();
        let finite: Vec<bool> = means.iter().map(|m| m.is_finite()).collect();
        let all_finite = finite.iter().all(|f| *f);
        let mut part_sums = Vec::new();
        for bounds in &self.bounds {
            let mut sums = vec![0.0f64; n];
            for at in bounds.clone() {
                let row = y.row_mut(at);
                for ((value, mean), sum) in row.iter_mut().zip(&means).zip(&mut sums) {
                    *value -= mean;
                    *sum += f64::from(*value);
                }
                if !all_finite {
                    let targets = row.iter_mut().zip(&finite).zip(&mut sums);
                    for ((value, _), sum) in targets.filter(|((_, finite), _)| !**finite) {
                        (*value, *sum) = (0.0, 0.0);
                    }
                }
            }
            part_sums.push(sums);
        }
        let products = match (&self.side, products) {
            (Side::Primal(primal), true) => {
                let flops = 2 * self.rows.len() as u64 * self.x.n_cols as u64 * n as u64;
                self.flops.fetch_add(flops, Ordering::Relaxed);
                primal.products(&y, &self.bounds, self.compute)?
            }
            _ => Vec::new(),
        };
        Ok(Batch {
            y,
            means,
            finite,
            sums: part_sums,
            products,
        })
    }

    /// The mean of the training rows, from that of all.
    pub(super) fn train_mean(&self, batch: &Batch, without: &[usize]) -> Vec<f32> {
        let n = self.n_train(without).max(1) as f64;
        let mut mean = vec![0.0f64; batch.means.len()];
        for (part, sums) in batch.sums.iter().enumerate() {
            if !without.contains(&part) {
                mean.iter_mut().zip(sums).for_each(|(m, s)| *m += s / n);
            }
        }
        mean.into_iter().map(|m| m as f32).collect()
    }

    /// What hats are multiplied by.
    pub(super) fn right_side(
        &self,
        batch: &Batch,
        without: &[usize],
        mean: &[f32],
    ) -> Result<Matrix> {
        match &self.side {
            Side::Primal(primal) => primal.right_side(batch, without, mean, self.n_train(without)),
            Side::Dual(_) => {
                let mut out = Matrix::zeros(self.n_train(without), batch.y.n_cols);
                let mut to = 0;
                for (part, bounds) in self.bounds.iter().enumerate() {
                    if !without.contains(&part) {
                        let from = bounds.start * out.n_cols..bounds.end * out.n_cols;
                        let n = from.len();
                        out.values[to..to + n].copy_from_slice(&batch.y.values[from]);
                        to += n;
                    }
                }
                Ok(out)
            }
        }
    }
}

/// Some targets, gathered.
pub(super) struct Batch {
    /// Rows of the parts × targets, from the mean of all rows; 0 where a target is not finite.
    pub(super) y: Matrix,
    pub(super) means: Vec<f32>,
    pub(super) finite: Vec<bool>,
    /// Sums of `y` over each part.
    pub(super) sums: Vec<Vec<f64>>,
    /// Features × targets: Xᵀ Y of each part, in the primal form.
    pub(super) products: Vec<Matrix>,
}
