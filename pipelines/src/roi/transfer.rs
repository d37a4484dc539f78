//! From voxels to vertices and back, by the weights that put maps on the cortex.

use super::{Patch, Roi, sets};
use crate::mask::Mask;
use crate::project::{Interpolation, Way, ribbon_parts, sampled};
use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::surface::{Hemisphere, Surface};
use crate::{Error, Result};

/// Samples from white to pial.
const DEPTHS: usize = 5;
/// A voxel of which the cortex fills less takes no part.
const LEAST_CORTEX: f64 = 0.25;

/// A hemisphere's cortical sheet.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// Left or right.
    pub hemisphere: Hemisphere,
    /// The white surface, or the only one.
    pub inner: &'a Surface,
    /// The pial surface, or the only one.
    pub outer: &'a Surface,
}

impl Sheet<'_> {
    /// Whether there is one surface only.
    fn is_thin(&self) -> bool {
        std::ptr::eq(self.inner, self.outer)
            || self.inner.vertices.as_ptr() == self.outer.vertices.as_ptr()
    }
}

/// The vertices of a sheet that lie in voxels: those of which at least half of five samples from white to pial do, the
/// nearest voxel each.
///
/// # Errors
/// When the surfaces of the sheet don't share their vertices.
pub fn vertices_of(voxels: &Mask, sheet: &Sheet<'_>) -> Result<Patch> {
    let (inner, outer) = (sheet.inner, sheet.outer);
    let way = if sheet.is_thin() {
        Way::Point(inner)
    } else {
        Way::Depth {
            inner,
            outer,
            n: DEPTHS,
        }
    };
    let weights = sampled(voxels.grid(), way, Interpolation::Nearest)?;
    let inside = sets::Dense::new(voxels.grid().n_voxels(), voxels.voxels());
    let at_home = |vertex: &usize| {
        let row = weights.row(*vertex).filter(|(voxel, _)| inside.has(*voxel));
        // Weights of samples outside the grid are missing from the sum, so the others weigh more: as in a map.
        row.map(|(_, weight)| weight).sum::<f32>() >= 0.5 - 1e-6
    };
    let vertices = (0..weights.n_vertices()).filter(at_home);
    Ok(Patch {
        hemisphere: sheet.hemisphere,
        n_vertices: weights.n_vertices(),
        vertices: vertices.map(|v| v as u32).collect(),
    })
}

/// The voxels of a grid that patches fill: of those of which the cortex fills at least a quarter, the ones whose cortex
/// belongs at least by half to the patches' vertices (the ribbon method of Connectome Workbench says what belongs to
/// which). Where a sheet has one surface only: the voxels that more of the patch's vertices lie in than of others.
///
/// # Errors
/// When a patch has another number of vertices than its sheet, the surfaces of a sheet don't share their vertices, and
/// when cancelled.
pub fn voxels_of(
    patches: &[Patch],
    sheets: &[Sheet<'_>],
    grid: &Grid,
    run: &Run<'_>,
) -> Result<Mask, Stop> {
    let mut of_region = vec![0.0f64; grid.n_voxels()];
    let mut of_cortex = vec![0.0f64; grid.n_voxels()];
    let mut least = LEAST_CORTEX;
    for sheet in sheets {
        let patch = patches.iter().find(|p| p.hemisphere == sheet.hemisphere);
        let n = sheet.inner.vertices.len();
        if let Some(patch) = patch.filter(|p| p.n_vertices != n) {
            return Err(Error::data(format!(
                "the region is on a surface of {} vertices and this one has {n}: take the surface it was drawn on",
                patch.n_vertices
            ))
            .into());
        }
        let inside = sets::Dense::new(n, patch.map_or(&[], |p| &p.vertices));
        let parts = if sheet.is_thin() {
            least = least.min(1e-9);
            let weights = sampled(grid, Way::Point(sheet.inner), Interpolation::Nearest)?;
            let row = |v| {
                weights
                    .row(v)
                    .map(|(voxel, w)| (voxel as u32, f64::from(w)))
            };
            (0..weights.n_vertices())
                .map(|v| row(v).collect())
                .collect()
        } else {
            ribbon_parts(grid, sheet.inner, sheet.outer, 3, run)?
        };
        for (vertex, row) in parts.iter().enumerate() {
            for &(voxel, part) in row {
                of_cortex[voxel as usize] += part;
                if inside.has(vertex) {
                    of_region[voxel as usize] += part;
                }
            }
        }
    }
    Ok(Mask::new(grid.clone(), |v| {
        of_cortex[v] >= least && of_region[v] > 0.0 && of_region[v] >= 0.5 * of_cortex[v]
    }))
}

/// A region with the part it lacks, where that can be had: vertices from its voxels, voxels of `grid` from its vertices.
///
/// # Errors
/// As [`vertices_of`] and [`voxels_of`].
pub fn completed(
    mut roi: Roi,
    sheets: &[Sheet<'_>],
    grid: Option<&Grid>,
    run: &Run<'_>,
) -> Result<Roi, Stop> {
    match (&roi.voxels, roi.patches.is_empty(), grid) {
        (Some(voxels), true, _) => {
            let patches = sheets.iter().map(|sheet| vertices_of(voxels, sheet));
            roi.patches = patches.collect::<Result<_>>()?;
        }
        (None, false, Some(grid)) if !sheets.is_empty() => {
            roi.voxels = Some(voxels_of(&roi.patches, sheets, grid, run)?);
        }
        _ => {}
    }
    Ok(roi)
}
