//! Smoothing within a mask: what lies outside neither leaks in nor counts as nothing.

use rayon::prelude::*;

use crate::betas::{Betas, Columns};
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// FWHM of a Gaussian of standard deviation 1.
const FWHM_OF_SD: f64 = 2.354_820_045_030_949;

/// Convolves the map of every trial with a Gaussian and divides by the mask convolved alike.
pub(super) fn within_mask(betas: &mut Betas, fwhm_mm: f64, run: &Run<'_>) -> Result<(), Stop> {
    if !fwhm_mm.is_finite() {
        return Err(Error::data("the width of smoothing must be a number of millimetres").into());
    }
    let Columns::Voxels(mask) = &betas.columns else {
        return Err(Error::Choice(
            "these responses lie on no voxel grid and cannot be smoothed: leave --smoothing out"
                .into(),
        )
        .into());
    };
    let grid = mask.grid();
    let size = grid.voxel_size_mm();
    let kernels: Vec<Vec<f64>> = (0..3)
        .map(|axis| kernel(fwhm_mm / FWHM_OF_SD / size[axis], grid.shape[axis]))
        .collect();
    let scattered = |values: &dyn Fn(usize) -> f64| {
        let mut volume = vec![0.0; grid.n_voxels()];
        for (column, &voxel) in mask.voxels().iter().enumerate() {
            volume[voxel as usize] = values(column);
        }
        for (axis, kernel) in kernels.iter().enumerate() {
            volume = along(&volume, grid.shape, axis, kernel);
        }
        volume
    };
    let weight = scattered(&|_| 1.0);
    let n_cols = betas.values.n_cols;
    betas
        .values
        .values
        .par_chunks_mut(n_cols.max(1))
        .try_for_each(|row| {
            run.check()?;
            let smooth = scattered(&|column| f64::from(row[column]));
            for (value, &voxel) in row.iter_mut().zip(mask.voxels()) {
                *value = (smooth[voxel as usize] / weight[voxel as usize]) as f32;
            }
            Ok::<(), Stop>(())
        })?;
    betas.method = format!("{}; smoothed by {fwhm_mm} mm within the mask", betas.method);
    Ok(())
}

/// One side of a Gaussian, its middle first, to four standard deviations.
fn kernel(sd: f64, most: usize) -> Vec<f64> {
    let reach = ((4.0 * sd).ceil() as usize).min(most);
    (0..=reach)
        .map(|at| (-0.5 * (at as f64 / sd).powi(2)).exp())
        .map(|v| if v.is_nan() { 1.0 } else { v })
        .collect()
}

fn along(volume: &[f64], shape: [usize; 3], axis: usize, kernel: &[f64]) -> Vec<f64> {
    let step: usize = shape[..axis].iter().product();
    let n = shape[axis];
    let mut out = vec![0.0; volume.len()];
    for (at, out) in out.iter_mut().enumerate() {
        let place = at / step % n;
        let mut sum = kernel[0] * volume[at];
        for (by, weight) in kernel.iter().enumerate().skip(1) {
            if place >= by {
                sum += weight * volume[at - by * step];
            }
            if place + by < n {
                sum += weight * volume[at + by * step];
            }
        }
        *out = sum;
    }
    out
}
