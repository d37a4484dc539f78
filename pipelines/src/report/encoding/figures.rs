//! How near predictions come to what can be predicted: voxel by voxel, and region by region.

mod bars;
mod cloud;
mod frame;
mod histogram;

use plotters::prelude::RGBColor;

use super::EncodeContext;
use crate::Result;
use crate::encode::{Encoded, mean_over};
use crate::report::draw::{self, Figure};
use bars::{Bar, Bars};
use cloud::Cloud;
use histogram::Histogram;

const ORANGE: RGBColor = RGBColor(240, 140, 20);
/// What plotters sets vertically centred text too high by, at the sizes used here.
const DROP: i32 = 2;

/// Voxels by the largest r that their noise allows and the r that the model has; without ceilings, the r of the model
/// against those of shuffles.
pub(super) fn against_ceiling(encoded: &Encoded) -> Result<Figure> {
    let counted = encoded.counted();
    let points: Vec<(f64, f64)> = match &encoded.ceiling {
        Some(ceiling) => counted
            .iter()
            .map(|&v| (f64::from(ceiling[v]).sqrt(), f64::from(encoded.r[v])))
            .filter(|(_, r)| r.is_finite())
            .collect(),
        None => Vec::new(),
    };
    if points.is_empty() {
        let finite = |map: &[f32]| -> Vec<f64> {
            let values = counted.iter().map(|&v| f64::from(map[v]));
            values.filter(|v| v.is_finite()).collect()
        };
        let shuffled = encoded.r_shuffled.iter().flat_map(|map| finite(map));
        return draw::figure(&Histogram {
            r: finite(&encoded.r),
            shuffled: shuffled.collect(),
        });
    }
    draw::figure(&Cloud { points })
}

/// A bar a region: what each feature space predicts, within what can be predicted.
pub(super) fn regions(context: &EncodeContext<'_>, encoded: &Encoded) -> Result<Figure> {
    let counts: std::collections::BTreeSet<usize> = encoded.counted().into_iter().collect();
    let rows = context.regions.iter().filter_map(|(name, voxels)| {
        let counted: Vec<usize> = voxels
            .iter()
            .copied()
            .filter(|v| counts.contains(v))
            .collect();
        let r2 = encoded.r2_over(&counted);
        r2.value.is_finite().then(|| Bar {
            name: name.clone(),
            n: counted.len(),
            parts: encoded
                .by_space
                .iter()
                .map(|map| mean_over(map, &counted))
                .collect(),
            r2: r2.value,
            shuffled: r2.shuffled,
            ceiling: encoded.ceiling.as_ref().map(|c| mean_over(c, &counted)),
        })
    });
    let rows: Vec<Bar> = rows.take(40).collect();
    draw::figure(&Bars {
        rows,
        spaces: encoded.spaces.iter().map(|s| s.0.clone()).collect(),
    })
}
