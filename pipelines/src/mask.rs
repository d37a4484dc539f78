//! The one bridge between volumes and matrices.

use std::ops::Range;
use std::sync::Arc;

use crate::matrix::Matrix;
use crate::space::Grid;
use crate::volume::{Series, Volume};
use crate::{Error, Result};

/// A set of voxels of a grid, in ascending order of their flat index.
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    grid: Grid,
    voxels: Arc<[u32]>,
}

/// Voxels of a mask that follow each other without a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    /// Their flat indices.
    pub(crate) voxels: Range<usize>,
    /// The column of the first of them.
    pub(crate) first_column: usize,
}

impl Mask {
    /// The voxels for which `keep` holds.
    pub fn new(grid: Grid, keep: impl Fn(usize) -> bool) -> Self {
        let voxels = (0..grid.n_voxels())
            .filter(|&v| keep(v))
            .map(|v| v as u32)
            .collect();
        Self { grid, voxels }
    }

    /// Voxels by their flat indices, in any order; those beyond the grid are left out.
    pub fn of(grid: Grid, mut voxels: Vec<u32>) -> Self {
        let n = grid.n_voxels();
        voxels.retain(|&v| (v as usize) < n);
        voxels.sort_unstable();
        voxels.dedup();
        Self {
            grid,
            voxels: voxels.into(),
        }
    }

    /// The voxels of `volume` that are above 0.5: the rule for masks that were resampled and hold
    /// fractions. NaN is outside.
    pub fn from_volume(volume: &Volume) -> Self {
        Self::new(volume.grid.clone(), |v| volume.data[v] > 0.5)
    }

    /// The grid the voxels belong to.
    pub fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Flat indices, ascending.
    pub fn voxels(&self) -> &[u32] {
        &self.voxels
    }

    /// How many voxels.
    pub fn len(&self) -> usize {
        self.voxels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.voxels.is_empty()
    }

    /// The column of a voxel in a gathered matrix.
    pub fn column_of(&self, ijk: [usize; 3]) -> Option<usize> {
        self.voxels
            .binary_search(&(self.grid.index(ijk) as u32))
            .ok()
    }

    /// The voxels that are in both.
    pub fn and(&self, other: &Self) -> Result<Self> {
        self.require_grid(&other.grid, "the other mask")?;
        Ok(Self::new(self.grid.clone(), |v| {
            self.voxels.binary_search(&(v as u32)).is_ok()
                && other.voxels.binary_search(&(v as u32)).is_ok()
        }))
    }

    /// The voxels of the named columns.
    pub fn subset(&self, columns: &[usize]) -> Self {
        let mut voxels: Vec<u32> = columns.iter().map(|&c| self.voxels[c]).collect();
        voxels.sort_unstable();
        Self {
            grid: self.grid.clone(),
            voxels: voxels.into(),
        }
    }

    /// `n_times × n_voxels` of a series on the same grid.
    pub fn gather(&self, series: &Series) -> Result<Matrix> {
        self.require_grid(&series.grid, "the series")?;
        let stretches = self.stretches();
        let mut out = Matrix::zeros(series.n_times, self.len());
        for t in 0..series.n_times {
            let (volume, row) = (series.values_at(t), out.row_mut(t));
            for Stretch {
                voxels,
                first_column,
            } in &stretches
            {
                let columns = *first_column..first_column + voxels.len();
                row[columns].copy_from_slice(&volume[voxels.clone()]);
            }
        }
        Ok(out)
    }

    /// A volume with one value a masked voxel, `outside` elsewhere.
    pub fn scatter(&self, values: &[f32], outside: f32) -> Result<Volume> {
        if values.len() != self.len() {
            return Err(Error::data(format!(
                "{} values do not fit a mask of {} voxels",
                values.len(),
                self.len()
            )));
        }
        let mut data = vec![outside; self.grid.n_voxels()];
        for (&v, &value) in self.voxels.iter().zip(values) {
            data[v as usize] = value;
        }
        Ok(Volume {
            grid: self.grid.clone(),
            data: data.into(),
            assumptions: Vec::new(),
        })
    }

    /// The voxels in as few ranges as possible, ascending: most masks are much fewer ranges than
    /// voxels, and a range is copied at once.
    pub(crate) fn stretches(&self) -> Vec<Stretch> {
        let mut stretches: Vec<Stretch> = Vec::new();
        for (column, &voxel) in self.voxels.iter().enumerate() {
            let voxel = voxel as usize;
            match stretches.last_mut() {
                Some(last) if last.voxels.end == voxel => last.voxels.end += 1,
                _ => stretches.push(Stretch {
                    voxels: voxel..voxel + 1,
                    first_column: column,
                }),
            }
        }
        stretches
    }

    /// Refuses a grid that is not the mask's; `what` lies on it.
    pub(crate) fn require_grid(&self, grid: &Grid, what: &str) -> Result<()> {
        if self.grid.same_as(grid) {
            return Ok(());
        }
        Err(Error::data(format!(
            "the mask is on a grid of {:?} voxels ({}), {what} on one of {:?} ({}): resample one onto the other first",
            self.grid.shape,
            self.grid.orientation(),
            grid.shape,
            grid.orientation()
        )))
    }
}
