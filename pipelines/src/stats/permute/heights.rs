//! How high permuted maps reach: products of data and permuted labels, summed up while they are in the cache.
//!
//! With data of mean 0 and length 1 and labels of √(1/n_a + 1/n_b) for the first set, 0 for the second, the product is
//! the point-biserial correlation r, and t = r √((n − 2) / (1 − r²)) grows with it: only what is kept is ever turned
//! into t, and no map is held as a whole.

use std::ops::Range;

use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};

use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::stats::permute::Tail;
use crate::stats::{by_blocks, groups};
use crate::wide::wide;

/// Columns of a block: their scaled trials and the products of a few hundred labellings stay in the cache.
const BLOCK: usize = 256;

/// What a product of f32 may round off: a permutation that repeats the true labels must count as reaching them.
const ROUNDING: f32 = 1e-5;

/// The trials that are compared.
pub(super) struct Samples<'a> {
    pub(super) values: &'a Matrix,
    /// Rows of `values`; labels are in this order.
    pub(super) rows: &'a [usize],
    pub(super) n_a: usize,
}

/// What is kept of permuted maps.
pub(super) struct Heights {
    /// The largest t (|t| for both tails) of each.
    pub(super) largest: Vec<f32>,
    /// How many reach the truth, a column.
    pub(super) reached: Vec<u32>,
    /// The columns beyond a threshold of each, ascending, and whether they are below minus it.
    pub(super) beyond: Vec<Vec<(u32, bool)>>,
}

/// The smallest value that reaches a true one.
pub(super) fn reaching(truth: f32) -> f32 {
    truth - ROUNDING * truth.abs().max(1.0)
}

/// The largest of a map, and one more for each column that reaches its goal.
#[inline(always)]
fn height(map: &[f32], goals: &[f32], reached: &mut [u32], size: impl Fn(f32) -> f32) -> f32 {
    let mut largest = [f32::NEG_INFINITY; 16];
    let mut maps = map.chunks_exact(16);
    for sixteen in &mut maps {
        for (largest, r) in largest.iter_mut().zip(sixteen) {
            let r = size(*r);
            *largest = if r > *largest { r } else { *largest };
        }
    }
    let rest = maps.remainder().iter().map(|r| size(*r));
    for ((r, goal), reached) in map.iter().zip(goals).zip(reached) {
        *reached += u32::from(size(*r) >= *goal);
    }
    // `max` passes NaN by: columns that do not vary are no height.
    largest
        .into_iter()
        .chain(rest)
        .fold(f32::NEG_INFINITY, f32::max)
}

impl Samples<'_> {
    /// The t map of one labelling (1 for the first set, 0 for the second).
    pub(super) fn t(&self, labels: &[f32], run: &Run<'_>) -> Result<Vec<f32>, Stop> {
        let labels = self.weighted(labels);
        let blocks = by_blocks(self.values.n_cols, BLOCK, run, |columns| {
            let r = self.products(columns, &labels);
            r.into_iter().map(|r| self.t_of(r)).collect::<Vec<_>>()
        })?;
        Ok(blocks.concat())
    }

    /// How high the maps of labellings, one after the other, reach.
    pub(super) fn heights(
        &self,
        labels: &[f32],
        truth: &[f32],
        tail: Tail,
        threshold: Option<f32>,
        run: &Run<'_>,
    ) -> Result<Heights, Stop> {
        let labels = self.weighted(labels);
        let n_maps = labels.len() / self.rows.len();
        let threshold = threshold.map(|t| self.r_of(t));
        let blocks = by_blocks(self.values.n_cols, BLOCK, run, |columns| {
            // A truth of NaN is reached by nothing.
            let goals: Vec<f32> = truth[columns.clone()]
                .iter()
                .map(|truth| self.r_of(reaching(*truth)))
                .collect();
            let first = columns.start as u32;
            let products = self.products(columns, &labels);
            let mut block = Heights {
                largest: Vec::with_capacity(n_maps),
                reached: vec![0; goals.len()],
                beyond: Vec::new(),
            };
            for map in products.chunks(goals.len()) {
                let reached = &mut block.reached;
                let largest = wide(|| match tail {
                    Tail::Both => height(map, &goals, reached, f32::abs),
                    Tail::Greater => height(map, &goals, reached, |r| r),
                });
                block.largest.push(largest);
                if let Some(threshold) = threshold {
                    let columns = (first..).zip(map).filter(|(_, r)| r.abs() > threshold);
                    block
                        .beyond
                        .push(columns.map(|(c, r)| (c, *r < 0.0)).collect());
                }
            }
            block
        })?;
        let mut whole = Heights {
            largest: vec![f32::NEG_INFINITY; n_maps],
            reached: Vec::with_capacity(truth.len()),
            beyond: vec![Vec::new(); if threshold.is_some() { n_maps } else { 0 }],
        };
        for block in blocks {
            for (largest, of_block) in whole.largest.iter_mut().zip(block.largest) {
                *largest = largest.max(of_block);
            }
            whole.reached.extend(block.reached);
            for (beyond, of_block) in whole.beyond.iter_mut().zip(block.beyond) {
                beyond.extend(of_block);
            }
        }
        for largest in &mut whole.largest {
            *largest = self.t_of(*largest);
        }
        Ok(whole)
    }

    /// Labels whose product with scaled data is r.
    fn weighted(&self, labels: &[f32]) -> Vec<f32> {
        let n = self.rows.len() as f64;
        let n_a = self.n_a as f64;
        let weight = (1.0 / n_a + 1.0 / (n - n_a)).sqrt() as f32;
        labels.iter().map(|label| label * weight).collect()
    }

    /// r of some columns, labelling after labelling.
    fn products(&self, columns: Range<usize>, labels: &[f32]) -> Vec<f32> {
        let (width, n) = (columns.len(), self.rows.len());
        let n_maps = labels.len() / n;
        let scaled = self.scaled(columns);
        let mut products = vec![0.0; width * n_maps];
        matmul(
            MatMut::from_column_major_slice_mut(&mut products, width, n_maps),
            Accum::Replace,
            MatRef::from_column_major_slice(&scaled, width, n),
            MatRef::from_column_major_slice(labels, n, n_maps),
            1.0,
            Par::Seq,
        );
        products
    }

    /// The trials of some columns, each column of mean 0 and length 1; NaN where it does not vary.
    fn scaled(&self, columns: Range<usize>) -> Vec<f32> {
        let moments = groups::of_block(self.values, self.rows, columns.clone());
        let scales: Vec<f64> = moments
            .squares
            .iter()
            .map(|squares| match squares.sqrt().recip() {
                scale if scale.is_finite() => scale,
                _ => f64::NAN,
            })
            .collect();
        let mut out = Vec::with_capacity(columns.len() * self.rows.len());
        for &row in self.rows {
            let row = self.values.row(row)[columns.clone()].iter();
            let moments = moments.mean.iter().zip(&scales);
            out.extend(
                row.zip(moments)
                    .map(|(value, (mean, scale))| ((f64::from(*value) - mean) * scale) as f32),
            );
        }
        out
    }

    fn t_of(&self, r: f32) -> f32 {
        let (n, r) = (self.rows.len() as f64, f64::from(r));
        (r * ((n - 2.0) / (1.0 - r * r).max(1e-12)).sqrt()) as f32
    }

    fn r_of(&self, t: f32) -> f32 {
        let (n, t) = (self.rows.len() as f64, f64::from(t));
        (t / (n - 2.0 + t * t).sqrt()) as f32
    }
}
