//! Spaces and the ways between them.
//!
//! A *voxel* coordinate names a voxel centre by its index (i, j, k), which may be
//! fractional. A *world* coordinate is in millimetres, RAS+: x grows to the
//! subject's right, y to the front, z to the top. Every transform is named
//! `to_from_from`, as in `world_from_voxel`.

use glam::{DAffine3, DMat3, DVec3};

/// The shape of a voxel grid and its place in the world.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// Voxels along i, j, k.
    pub shape: [usize; 3],
    /// World millimetres (RAS+) of a voxel centre.
    pub world_from_voxel: DAffine3,
}

impl Grid {
    /// Voxels in all.
    pub fn n_voxels(&self) -> usize {
        self.shape.iter().product()
    }

    /// The flat index of a voxel: i fastest, as on disk.
    pub fn index(&self, ijk: [usize; 3]) -> usize {
        ijk[0] + self.shape[0] * (ijk[1] + self.shape[1] * ijk[2])
    }

    /// The voxel of a flat index.
    pub fn ijk(&self, index: usize) -> [usize; 3] {
        let (ni, nj) = (self.shape[0], self.shape[1]);
        [index % ni, index / ni % nj, index / (ni * nj)]
    }

    /// World millimetres of a voxel's centre.
    pub fn world(&self, ijk: [usize; 3]) -> DVec3 {
        self.world_from_voxel.transform_point3(DVec3::new(
            ijk[0] as f64,
            ijk[1] as f64,
            ijk[2] as f64,
        ))
    }

    /// Fractional voxel coordinates of a world point.
    pub fn voxel_from_world(&self, world_mm: DVec3) -> DVec3 {
        self.world_from_voxel.inverse().transform_point3(world_mm)
    }

    /// The voxel whose centre is nearest to a world point, if the point lies in the grid.
    pub fn voxel_at(&self, world_mm: DVec3) -> Option<[usize; 3]> {
        let v = self.voxel_from_world(world_mm);
        let mut ijk = [0; 3];
        for (axis, out) in ijk.iter_mut().enumerate() {
            let rounded = (v[axis] + 0.5).floor();
            if !(rounded >= 0.0 && rounded < self.shape[axis] as f64) {
                return None;
            }
            *out = rounded as usize;
        }
        Some(ijk)
    }

    /// Edge lengths of a voxel along i, j, k, in millimetres.
    pub fn voxel_size_mm(&self) -> DVec3 {
        let m = self.world_from_voxel.matrix3;
        DVec3::new(m.x_axis.length(), m.y_axis.length(), m.z_axis.length())
    }

    /// The volume of a voxel, cubic millimetres.
    pub fn voxel_mm3(&self) -> f64 {
        self.world_from_voxel.matrix3.determinant().abs()
    }

    /// The three letters nibabel calls `aff2axcodes`: where i, j and k grow to, e.g. `RAS` or `LPI`.
    pub fn orientation(&self) -> String {
        let mut left = [true; 3];
        let mut letters = ['?'; 3];
        // The strongest cosine is settled first, so that oblique grids get three different axes.
        let m = self.direction_cosines();
        for _ in 0..3 {
            let mut best = (-1.0, 0, 0);
            for (voxel_axis, letter) in letters.iter().enumerate() {
                for (world_axis, is_left) in left.iter().enumerate() {
                    let cosine = m.col(voxel_axis)[world_axis].abs();
                    if *letter == '?' && *is_left && cosine > best.0 {
                        best = (cosine, voxel_axis, world_axis);
                    }
                }
            }
            let (_, voxel_axis, world_axis) = best;
            let grows = m.col(voxel_axis)[world_axis] >= 0.0;
            left[world_axis] = false;
            letters[voxel_axis] =
                [['L', 'R'], ['P', 'A'], ['I', 'S']][world_axis][usize::from(grows)];
        }
        letters.iter().collect()
    }

    /// Whether two grids hold the same voxels at the same places (to a thousandth of a millimetre
    /// at every corner).
    pub fn same_as(&self, other: &Self) -> bool {
        self.shape == other.shape
            && (0..8).all(|corner| {
                let p = DVec3::from_array(std::array::from_fn(|a| {
                    if corner >> a & 1 == 1 {
                        self.shape[a] as f64
                    } else {
                        0.0
                    }
                }));
                let (a, b) = (
                    self.world_from_voxel.transform_point3(p),
                    other.world_from_voxel.transform_point3(p),
                );
                a.distance(b) < 1e-3
            })
    }

    /// The two opposite corners of the box that holds every voxel, edges included, world mm.
    pub fn world_bounds(&self) -> (DVec3, DVec3) {
        let mut low = DVec3::INFINITY;
        let mut high = DVec3::NEG_INFINITY;
        for corner in 0..8 {
            let p = DVec3::from_array(std::array::from_fn(|a| {
                if corner >> a & 1 == 1 {
                    self.shape[a] as f64 - 0.5
                } else {
                    -0.5
                }
            }));
            let w = self.world_from_voxel.transform_point3(p);
            low = low.min(w);
            high = high.max(w);
        }
        (low, high)
    }

    fn direction_cosines(&self) -> DMat3 {
        let m = self.world_from_voxel.matrix3;
        DMat3::from_cols(
            m.x_axis.normalize_or_zero(),
            m.y_axis.normalize_or_zero(),
            m.z_axis.normalize_or_zero(),
        )
    }
}
