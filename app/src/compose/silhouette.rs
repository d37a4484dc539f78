//! What is not air, seen through the whole head: the outline of a glass brain.

use std::sync::Arc;

use fusiform_pipelines::volume::Volume;
use glam::{Affine3A, DVec3, Mat3A, Vec3, Vec3A};

/// Share of the bright end of a volume below which a voxel is air.
pub(crate) const AIR: f32 = 0.15;

/// Millimetres a cell.
const CELL_MM: f64 = 1.0;
/// Thick enough to be met wherever the slice is, mm.
const THICK_MM: f32 = 4000.0;

/// 1 where a ray along an axis meets matter, as a volume of one layer.
#[derive(Clone, Debug)]
pub struct Silhouette {
    /// Cells across and down, and one layer.
    pub shape: [usize; 3],
    /// World mm of cell centres.
    pub world_from_voxel: Affine3A,
    /// 0 or 1, the first axis fastest.
    pub data: Arc<[f32]>,
}

/// Along z, y and x, of the voxels above `air` within a box (world mm). Right for oblique grids too.
pub fn of(volume: &Volume, air: f32, bounds_mm: (DVec3, DVec3)) -> [Silhouette; 3] {
    [[0, 1, 2], [0, 2, 1], [1, 2, 0]].map(|axes| along(volume, air, bounds_mm, axes))
}

/// `axes`: across, down and through.
fn along(volume: &Volume, air: f32, (low, high): (DVec3, DVec3), axes: [usize; 3]) -> Silhouette {
    let margin = 2.0 * CELL_MM;
    let size = |axis: usize| {
        (((high - low)[axis] + 2.0 * margin) / CELL_MM)
            .ceil()
            .max(1.0) as usize
    };
    let [across, down, through] = axes;
    let (n, m) = (size(across).min(2048), size(down).min(2048));
    let mut data = vec![0.0f32; n * m];
    let matrix = volume.grid.world_from_voxel.matrix3;
    // Half of the box that holds a voxel.
    let half = (matrix.x_axis.abs() + matrix.y_axis.abs() + matrix.z_axis.abs()) / 2.0;
    for (v, _) in volume
        .data
        .iter()
        .enumerate()
        .filter(|(_, value)| **value > air)
    {
        let at = volume.grid.world(volume.grid.ijk(v));
        let cells = |axis: usize, n: usize| {
            let first = (at[axis] - half[axis] - low[axis] + margin) / CELL_MM;
            let last = (at[axis] + half[axis] - low[axis] + margin) / CELL_MM;
            (first.floor().max(0.0) as usize).min(n)..(last.ceil().max(0.0) as usize).min(n)
        };
        for row in cells(down, m) {
            let columns = cells(across, n);
            data[row * n + columns.start..row * n + columns.end].fill(1.0);
        }
    }
    let mut step = [Vec3A::ZERO; 3];
    step[0][across] = CELL_MM as f32;
    step[1][down] = CELL_MM as f32;
    step[2][through] = THICK_MM;
    let mut origin = ((low + high) / 2.0).as_vec3();
    for axis in [across, down] {
        origin[axis] = (low[axis] - margin + 0.5 * CELL_MM) as f32;
    }
    Silhouette {
        shape: [n, m, 1],
        world_from_voxel: Affine3A {
            matrix3: Mat3A::from_cols(step[0], step[1], step[2]),
            translation: Vec3A::from(Vec3::new(origin.x, origin.y, origin.z)),
        },
        data: data.into(),
    }
}
