//! Regions instead of voxels: mean responses to test, and summaries of maps.

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::mask::Mask;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::volume::{Atlas, Region};
use crate::{Error, Result};

/// The columns of every region of an atlas that has voxels in the mask, in the order of their keys. A key without a
/// name is left out, as is 0.
pub fn columns_of(mask: &Mask, atlas: &Atlas) -> Result<Vec<(Region, Vec<usize>)>> {
    mask.require_grid(&atlas.grid, "the atlas")?;
    let mut columns_of: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    for (column, &voxel) in mask.voxels().iter().enumerate() {
        let key = atlas.keys[voxel as usize];
        columns_of.entry(key).or_default().push(column);
    }
    columns_of.remove(&0);
    let named = columns_of
        .into_iter()
        .filter_map(|(key, columns)| Some((atlas.region(key)?.clone(), columns)));
    Ok(named.collect())
}

/// The mean response of every region in every trial, trials × regions, to be tested as voxels are.
///
/// Voxels with a value that is not finite are left out in all trials; a region without any other is NaN.
pub fn means(values: &Matrix, regions: &[&[usize]], run: &Run<'_>) -> Result<Matrix, Stop> {
    check(values.n_cols, regions)?;
    let mut is_whole = vec![true; values.n_cols];
    for row in values.rows() {
        run.check()?;
        for (whole, value) in is_whole.iter_mut().zip(row) {
            *whole &= value.is_finite();
        }
    }
    let used: Vec<Vec<usize>> = regions
        .iter()
        .map(|columns| columns.iter().copied().filter(|&c| is_whole[c]).collect())
        .collect();
    let rows: Vec<Vec<f32>> = (0..values.n_rows)
        .into_par_iter()
        .map(|row| {
            run.check()?;
            let row = values.row(row);
            let mean = |columns: &Vec<usize>| {
                let sum: f64 = columns.iter().map(|&c| f64::from(row[c])).sum();
                (sum / columns.len() as f64) as f32
            };
            Ok(used.iter().map(mean).collect())
        })
        .collect::<Result<_, Stop>>()?;
    Ok(Matrix::from_values(
        values.n_rows,
        regions.len(),
        rows.concat(),
    )?)
}

/// A map within a region.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// Voxels of the region.
    pub n_voxels: usize,
    /// Those that have a value; the rest is of them. Without any, the rest is NaN.
    pub n_values: usize,
    /// Their mean.
    pub mean: f32,
    /// Their standard deviation (n − 1); NaN for a single one.
    pub sd: f32,
    /// Their median.
    pub median: f32,
    /// The smallest.
    pub least: f32,
    /// The largest.
    pub most: f32,
}

/// A map within each region.
pub fn summaries(map: &[f32], regions: &[&[usize]]) -> Result<Vec<Summary>> {
    check(map.len(), regions)?;
    let summary = |columns: &&[usize]| {
        let mut values: Vec<f64> = columns
            .iter()
            .map(|&c| f64::from(map[c]))
            .filter(|v| v.is_finite())
            .collect();
        values.sort_by(f64::total_cmp);
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let at = |i: usize| values.get(i).copied().unwrap_or(f64::NAN);
        Summary {
            n_voxels: columns.len(),
            n_values: n,
            mean: mean as f32,
            sd: (squares / (n as f64 - 1.0)).sqrt() as f32,
            median: (0.5 * (at(n.saturating_sub(1) / 2) + at(n / 2))) as f32,
            least: at(0) as f32,
            most: at(n.saturating_sub(1)) as f32,
        }
    };
    Ok(regions.iter().map(summary).collect())
}

fn check(n_cols: usize, regions: &[&[usize]]) -> Result<()> {
    match regions.iter().copied().flatten().find(|c| **c >= n_cols) {
        None => Ok(()),
        Some(column) => Err(Error::data(format!(
            "a region holds voxel {column} of {n_cols}: make the regions from the mask of the data"
        ))),
    }
}
