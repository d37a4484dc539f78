//! Volumes and series of volumes: numbers on a grid, with their place in the world.

use std::sync::Arc;

use glam::DVec3;

use crate::space::Grid;

/// One number a voxel.
#[derive(Clone, Debug)]
pub struct Volume {
    /// Shape and place.
    pub grid: Grid,
    /// The values, i fastest, then j, then k, as on disk.
    pub data: Arc<[f32]>,
    /// What was assumed while reading, in sentences for the user ("sform and qform differ by 3 mm: used sform").
    pub assumptions: Vec<String>,
}

impl Volume {
    /// The value at a voxel.
    pub fn at(&self, ijk: [usize; 3]) -> f32 {
        self.data[self.grid.index(ijk)]
    }

    /// The value of the voxel nearest to a world point, if the point lies in the grid.
    pub fn at_world(&self, world_mm: DVec3) -> Option<f32> {
        self.grid.voxel_at(world_mm).map(|ijk| self.at(ijk))
    }

    /// The trilinear value at a world point; `None` outside the hull of the voxel centres.
    pub fn trilinear(&self, world_mm: DVec3) -> Option<f32> {
        let v = self.grid.voxel_from_world(world_mm);
        let mut low = [0usize; 3];
        let mut part = [0.0f64; 3];
        for axis in 0..3 {
            let last = self.grid.shape[axis] as f64 - 1.0;
            if !(v[axis] >= -1e-6 && v[axis] <= last + 1e-6) {
                return None;
            }
            let clamped = v[axis].clamp(0.0, last);
            low[axis] = (clamped.floor() as usize).min(self.grid.shape[axis].saturating_sub(2));
            part[axis] = clamped - low[axis] as f64;
        }
        let mut sum = 0.0;
        for corner in 0..8usize {
            let mut weight = 1.0;
            let mut ijk = low;
            for axis in 0..3 {
                if corner >> axis & 1 == 1 {
                    weight *= part[axis];
                    ijk[axis] += 1;
                } else {
                    weight *= 1.0 - part[axis];
                }
            }
            if weight > 0.0 {
                sum += weight * f64::from(self.at(ijk));
            }
        }
        Some(sum as f32)
    }
}

/// A volume at every time point: a BOLD run.
#[derive(Clone, Debug)]
pub struct Series {
    /// Shape and place of each volume.
    pub grid: Grid,
    /// Volumes.
    pub n_times: usize,
    /// Seconds from one volume to the next; `None` when the file does not say.
    pub tr_secs: Option<f64>,
    /// The values, volume after volume, each i fastest.
    pub data: Arc<[f32]>,
    /// What was assumed while reading, in sentences for the user.
    pub assumptions: Vec<String>,
}

impl Series {
    /// The values of one volume.
    pub fn values_at(&self, time: usize) -> &[f32] {
        let n = self.grid.n_voxels();
        &self.data[time * n..(time + 1) * n]
    }

    /// The time course of one voxel.
    pub fn time_course(&self, ijk: [usize; 3]) -> Vec<f32> {
        let voxel = self.grid.index(ijk);
        (0..self.n_times)
            .map(|t| self.values_at(t)[voxel])
            .collect()
    }

    /// The mean over time of every voxel.
    pub fn mean(&self) -> Volume {
        let mut sums = vec![0.0f64; self.grid.n_voxels()];
        for t in 0..self.n_times {
            for (sum, &value) in sums.iter_mut().zip(self.values_at(t)) {
                *sum += f64::from(value);
            }
        }
        let n = self.n_times.max(1) as f64;
        Volume {
            grid: self.grid.clone(),
            data: sums.iter().map(|s| (s / n) as f32).collect(),
            assumptions: self.assumptions.clone(),
        }
    }
}

/// A named region of an [`Atlas`].
#[derive(Clone, Debug, PartialEq)]
pub struct Region {
    /// The number that stands for it in the volume or label file.
    pub key: i32,
    /// Its name.
    pub name: String,
    /// Its colour, sRGB.
    pub colour: [u8; 3],
}

/// A whole number a voxel, with names. 0 is no region.
#[derive(Clone, Debug)]
pub struct Atlas {
    /// Shape and place.
    pub grid: Grid,
    /// The region key of every voxel, i fastest.
    pub keys: Arc<[i32]>,
    /// The regions that occur or are named, by key.
    pub regions: Vec<Region>,
}

impl Atlas {
    /// The region of a key.
    pub fn region(&self, key: i32) -> Option<&Region> {
        self.regions.iter().find(|r| r.key == key)
    }

    /// The region at a world point.
    pub fn region_at_world(&self, world_mm: DVec3) -> Option<&Region> {
        let ijk = self.grid.voxel_at(world_mm)?;
        self.region(self.keys[self.grid.index(ijk)])
    }
}
