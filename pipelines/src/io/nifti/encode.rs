//! The bytes of a header, NIfTI-1 or NIfTI-2 by the length of the longest axis.

use std::path::Path;

use glam::{DMat3, DQuat, DVec3};

use super::meaning::code_of;
use crate::io::dtype::Datatype;
use crate::space::Grid;
use crate::{Error, Result};

/// Code 2, "aligned": the world is a real one, but which is not known here.
const ALIGNED: i16 = 2;

/// What a header says, in the types of NIfTI-2.
struct Said {
    dim: [i64; 8],
    datatype: Datatype,
    scaling: (f64, f64),
    pixdim: [f64; 5],
    /// The units of space and time.
    units: u8,
    /// The vector part of the rotation and the shift; `None` when the axes are not at right angles.
    qform: Option<[f64; 6]>,
    /// The affine row by row.
    srow: [f64; 12],
}

/// The header and the four bytes that say that no extension follows. `time` is the number of
/// volumes and the TR, `scaling` slope and intercept.
pub(super) fn header(
    path: &Path,
    grid: &Grid,
    time: Option<(usize, Option<f64>)>,
    datatype: Datatype,
    scaling: (f64, f64),
    n_values: usize,
) -> Result<Vec<u8>> {
    let n_times = time.map_or(1, |(n, _)| n);
    if n_values != grid.n_voxels() * n_times {
        return Err(Error::data(format!(
            "{n_values} values do not fill {n_times} volumes of {:?} voxels, so {} was not written",
            grid.shape,
            path.display()
        )));
    }
    let mut dim = [1; 8];
    dim[0] = if time.is_some() { 4 } else { 3 };
    for (out, n) in dim[1..]
        .iter_mut()
        .zip(grid.shape.into_iter().chain([n_times]))
    {
        *out = n as i64;
    }
    let (qfac, quaternion) = quaternion(grid);
    let size = grid.voxel_size_mm();
    let tr = time.and_then(|(_, tr)| tr);
    let shift = grid.world_from_voxel.translation;
    let [x, y, z] = [0, 1, 2].map(|row| grid.world_from_voxel.matrix3.row(row));
    let said = Said {
        dim,
        datatype,
        scaling,
        pixdim: [qfac, size.x, size.y, size.z, tr.unwrap_or(0.0)],
        // Millimetres and, when the TR is known, seconds.
        units: if tr.is_some() { 2 + 8 } else { 2 },
        qform: quaternion.map(|[b, c, d]| [b, c, d, shift.x, shift.y, shift.z]),
        srow: [
            x.x, x.y, x.z, shift.x, y.x, y.y, y.z, shift.y, z.x, z.y, z.z, shift.z,
        ],
    };
    let fits = dim.iter().all(|&n| n <= i64::from(i16::MAX));
    Ok(if fits {
        version_1(&said)
    } else {
        version_2(&said)
    })
}

fn version_1(said: &Said) -> Vec<u8> {
    let mut bytes = vec![0; 352];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &348i32.to_le_bytes());
    put(38, b"r");
    put(40, &all(&said.dim, |n| (n as i16).to_le_bytes()));
    put(70, &code_of(said.datatype).to_le_bytes());
    put(72, &bits(said.datatype).to_le_bytes());
    let single = |x: f64| (x as f32).to_le_bytes();
    put(76, &all(&said.pixdim, single));
    put(108, &single(352.0));
    put(112, &single(said.scaling.0));
    put(116, &single(said.scaling.1));
    put(123, &[said.units]);
    put(148, b"Fusiform");
    if let Some(qform) = said.qform {
        put(252, &ALIGNED.to_le_bytes());
        put(256, &all(&qform, single));
    }
    put(254, &ALIGNED.to_le_bytes());
    put(280, &all(&said.srow, single));
    put(344, b"n+1\0");
    bytes
}

fn version_2(said: &Said) -> Vec<u8> {
    let mut bytes = vec![0; 544];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &540i32.to_le_bytes());
    put(4, b"n+2\0\r\n\x1a\n");
    put(12, &code_of(said.datatype).to_le_bytes());
    put(14, &bits(said.datatype).to_le_bytes());
    put(16, &all(&said.dim, i64::to_le_bytes));
    put(104, &all(&said.pixdim, f64::to_le_bytes));
    put(168, &544i64.to_le_bytes());
    put(176, &said.scaling.0.to_le_bytes());
    put(184, &said.scaling.1.to_le_bytes());
    put(240, b"Fusiform");
    if let Some(qform) = said.qform {
        put(344, &i32::from(ALIGNED).to_le_bytes());
        put(352, &all(&qform, f64::to_le_bytes));
    }
    put(348, &i32::from(ALIGNED).to_le_bytes());
    put(400, &all(&said.srow, f64::to_le_bytes));
    put(500, &i32::from(said.units).to_le_bytes());
    bytes
}

fn bits(datatype: Datatype) -> i16 {
    8 * datatype.size() as i16
}

fn all<T: Copy, const N: usize>(numbers: &[T], encode: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    numbers.iter().flat_map(|&number| encode(number)).collect()
}

/// The qform of the grid: qfac and the vector part of the rotation; `None` when the axes are not at
/// right angles, which a qform cannot say.
fn quaternion(grid: &Grid) -> (f64, Option<[f64; 3]>) {
    let m = grid.world_from_voxel.matrix3;
    let mut axes = [m.x_axis, m.y_axis, m.z_axis].map(DVec3::normalize_or_zero);
    let across = [
        axes[0].dot(axes[1]),
        axes[1].dot(axes[2]),
        axes[2].dot(axes[0]),
    ];
    let qfac = if m.determinant() < 0.0 { -1.0 } else { 1.0 };
    if across.iter().any(|cosine| cosine.abs() > 1e-5) || m.determinant() == 0.0 {
        return (qfac, None);
    }
    axes[2] *= qfac;
    let q = DQuat::from_mat3(&DMat3::from_cols(axes[0], axes[1], axes[2]));
    let q = if q.w < 0.0 { -q } else { q };
    (qfac, Some([q.x, q.y, q.z]))
}
