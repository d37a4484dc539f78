//! How a region is kept in a saved layout or view: short, and checked when it comes back.

use glam::DAffine3;
use serde::{Deserialize, Serialize};

use super::{Patch, Roi, sets};
use crate::mask::Mask;
use crate::space::Grid;
use crate::surface::Hemisphere;

/// A region as text: sets as stretches (first, length, first, length …), the affine column after column.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    name: String,
    colour: [u8; 3],
    voxels: Option<SavedVoxels>,
    patches: Vec<SavedPatch>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedVoxels {
    shape: [usize; 3],
    world_from_voxel: [f64; 12],
    stretches: Vec<u32>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SavedPatch {
    hemisphere: Hemisphere,
    n_vertices: usize,
    stretches: Vec<u32>,
}

impl From<Roi> for Saved {
    fn from(roi: Roi) -> Self {
        Self {
            voxels: roi.voxels.as_ref().map(|mask| SavedVoxels {
                shape: mask.grid().shape,
                world_from_voxel: mask.grid().world_from_voxel.to_cols_array(),
                stretches: sets::stretches(mask.voxels()),
            }),
            patches: roi
                .patches
                .iter()
                .map(|patch| SavedPatch {
                    hemisphere: patch.hemisphere,
                    n_vertices: patch.n_vertices,
                    stretches: sets::stretches(&patch.vertices),
                })
                .collect(),
            name: roi.name,
            colour: roi.colour,
        }
    }
}

impl TryFrom<Saved> for Roi {
    type Error = String;

    fn try_from(saved: Saved) -> Result<Self, String> {
        let damaged = || format!("the saved region “{}” is damaged", saved.name);
        let voxels = match &saved.voxels {
            None => None,
            Some(kept) => {
                let n = kept
                    .shape
                    .iter()
                    .try_fold(1usize, |n, &side| n.checked_mul(side));
                let n = n.filter(|&n| n <= u32::MAX as usize);
                let world_from_voxel = DAffine3::from_cols_array(&kept.world_from_voxel);
                let sane = world_from_voxel.is_finite()
                    && world_from_voxel.matrix3.determinant().abs() > 1e-12;
                let members = n
                    .filter(|_| sane)
                    .and_then(|n| sets::from_stretches(&kept.stretches, n));
                let grid = Grid {
                    shape: kept.shape,
                    world_from_voxel,
                };
                Some(Mask::of(grid, members.ok_or_else(damaged)?))
            }
        };
        let mut patches: Vec<Patch> = Vec::new();
        for kept in &saved.patches {
            let vertices = sets::from_stretches(&kept.stretches, kept.n_vertices);
            if patches.iter().any(|p| p.hemisphere == kept.hemisphere) {
                return Err(damaged());
            }
            patches.push(Patch {
                hemisphere: kept.hemisphere,
                n_vertices: kept.n_vertices,
                vertices: vertices.ok_or_else(damaged)?.into(),
            });
        }
        Ok(Self {
            name: saved.name,
            colour: saved.colour,
            voxels,
            patches,
        })
    }
}
