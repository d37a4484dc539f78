//! A response of the library for each voxel.

use super::open::Opened;
use super::sums::Part;
use crate::glm::contrast::Effects;
use crate::glm::fit::{Noise, fit};
use crate::glm::response::LIBRARY_SIZE;
use crate::mask::Mask;
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::{Error, Result};

/// For each voxel the response under which its design explains most, summed over runs.
pub(super) fn choose(opened: &[Opened<'_>], mask: &Mask, run: &Run<'_>) -> Result<Vec<u8>, Stop> {
    let mut explained = vec![vec![0.0f32; mask.len()]; LIBRARY_SIZE];
    for (done, opened) in opened.iter().enumerate() {
        run.stage(format!("choosing each voxel's response, {}", opened.label));
        run.progress(done, LIBRARY_SIZE);
        let courses = opened.open.courses(mask, run)?;
        for (index, (design, explained)) in opened.designs.iter().zip(&mut explained).enumerate() {
            let fit = fit(&courses, design, Noise::Ols, run)?;
            for (sum, share) in explained.iter_mut().zip(&fit.r_squared) {
                *sum += share;
            }
            run.progress(index + 1, LIBRARY_SIZE);
        }
    }
    let best = |v: usize| {
        let of = |k: usize| explained[k][v];
        (0..LIBRARY_SIZE).fold(
            LIBRARY_SIZE / 2,
            |best, k| if of(k) > of(best) { k } else { best },
        ) as u8
    };
    Ok((0..mask.len()).map(best).collect())
}

/// The voxels of each response fitted with its design, put together again.
pub(super) fn fitted(
    courses: &Matrix,
    opened: &Opened<'_>,
    response: &[u8],
    noise: Noise,
    wanted: &[Option<&Vec<Vec<f64>>>],
    run: &Run<'_>,
) -> Result<Part, Stop> {
    let n = courses.n_cols;
    let mut whole: Option<Part> = None;
    for (index, design) in opened.designs.iter().enumerate() {
        let columns: Vec<usize> = (0..n)
            .filter(|&v| usize::from(response[v]) == index)
            .collect();
        if columns.is_empty() {
            continue;
        }
        let part = Part::of(
            &fit(&courses.select_columns(&columns), design, noise, run)?,
            wanted,
        );
        let whole = whole.get_or_insert_with(|| Part {
            effects: part
                .effects
                .iter()
                .map(|e| e.as_ref().map(|e| e.blank(n)))
                .collect(),
            not_estimable: part.not_estimable.clone(),
            r_squared: vec![f32::NAN; n],
            phi: vec![0.0; n],
            df: part.df,
            n_not_finite: 0,
            n_constant: 0,
        });
        for (to, from) in whole.effects.iter_mut().zip(&part.effects) {
            if let (Some(to), Some(from)) = (to, from) {
                to.put(&columns, from);
            }
        }
        for (i, &v) in columns.iter().enumerate() {
            whole.r_squared[v] = part.r_squared[i];
            whole.phi[v] = part.phi[i];
        }
        whole.df = whole.df.min(part.df);
        whole.n_not_finite += part.n_not_finite;
        whole.n_constant += part.n_constant;
    }
    whole.ok_or_else(|| Error::data("the mask holds no voxel").into())
}

impl Effects {
    /// As many sums of `n` voxels, all NaN.
    fn blank(&self, n: usize) -> Self {
        let blank = |rows: &Vec<Vec<f64>>| vec![vec![f64::NAN; n]; rows.len()];
        Self {
            effect: blank(&self.effect),
            covariance: blank(&self.covariance),
            ..*self
        }
    }

    fn put(&mut self, voxels: &[usize], part: &Self) {
        let effects = self.effect.iter_mut().zip(&part.effect);
        let covariances = self.covariance.iter_mut().zip(&part.covariance);
        for (to, from) in effects.chain(covariances) {
            for (&v, value) in voxels.iter().zip(from) {
                to[v] = *value;
            }
        }
    }
}
