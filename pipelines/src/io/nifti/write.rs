//! NIfTI-1 out: one `.nii`, or `.nii.gz` when the name says so.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use glam::{DMat3, DQuat, DVec3};

use crate::io::dtype::Datatype;
use crate::io::write::atomically;
use crate::space::Grid;
use crate::volume::{Series, Volume};
use crate::{Error, Result};

/// Values encoded between two writes.
const CHUNK: usize = 1 << 16;

/// Writes a volume as `float32`; compressed when `path` ends in `.gz`.
///
/// # Errors
/// When an axis is longer than NIfTI-1 can say (32767), or the file cannot be written.
pub fn write_volume(path: &Path, volume: &Volume) -> Result<()> {
    let header = header(path, &volume.grid, None, Datatype::F32, &volume.data)?;
    write_values(path, &header, &volume.data, f32::to_le_bytes)
}

/// Writes a series as `float32` with its TR; compressed when `path` ends in `.gz`.
///
/// # Errors
/// As [`write_volume`].
pub fn write_series(path: &Path, series: &Series) -> Result<()> {
    let time = Some((series.n_times, series.tr_secs));
    let header = header(path, &series.grid, time, Datatype::F32, &series.data)?;
    write_values(path, &header, &series.data, f32::to_le_bytes)
}

/// Writes a series as `int16` in steps of `step` (the header's slope), with its TR: a quarter of
/// the size. Values beyond ±32767 steps are cut off there.
///
/// # Errors
/// As [`write_volume`].
pub fn write_series_in_steps(path: &Path, series: &Series, step: f32) -> Result<()> {
    let time = Some((series.n_times, series.tr_secs));
    let mut header = header(path, &series.grid, time, Datatype::I16, &series.data)?;
    header[112..116].copy_from_slice(&step.to_le_bytes());
    write_values(path, &header, &series.data, |value: f32| {
        ((value / step).round() as i16).to_le_bytes()
    })
}

/// Writes region keys, i fastest, in the smallest integer type that holds them all; compressed when
/// `path` ends in `.gz`.
///
/// # Errors
/// As [`write_volume`]; when `keys` are not as many as the grid has voxels.
pub fn write_labels(path: &Path, grid: &Grid, keys: &[i32]) -> Result<()> {
    let low = keys.iter().copied().min().unwrap_or(0);
    let high = keys.iter().copied().max().unwrap_or(0);
    if low >= 0 && high <= i32::from(u8::MAX) {
        let header = header(path, grid, None, Datatype::U8, keys)?;
        write_values(path, &header, keys, |key| [key as u8])
    } else if low >= i32::from(i16::MIN) && high <= i32::from(i16::MAX) {
        let header = header(path, grid, None, Datatype::I16, keys)?;
        write_values(path, &header, keys, |key| (key as i16).to_le_bytes())
    } else {
        let header = header(path, grid, None, Datatype::I32, keys)?;
        write_values(path, &header, keys, i32::to_le_bytes)
    }
}

fn write_values<T: Copy, const N: usize>(
    path: &Path,
    header: &[u8; 352],
    values: &[T],
    encode: impl Fn(T) -> [u8; N],
) -> Result<()> {
    let put_all = |out: &mut dyn Write| -> std::io::Result<()> {
        out.write_all(header)?;
        let mut bytes = Vec::with_capacity(CHUNK * N);
        for values in values.chunks(CHUNK) {
            bytes.clear();
            bytes.extend(values.iter().flat_map(|&v| encode(v)));
            out.write_all(&bytes)?;
        }
        Ok(())
    };
    atomically(path, |file: &mut BufWriter<File>| {
        let compress = path
            .extension()
            .is_some_and(|e| e.eq_ignore_ascii_case("gz"));
        let written = if compress {
            let mut gz = GzEncoder::new(file, Compression::fast());
            put_all(&mut gz).and_then(|()| gz.finish().map(|_file| ()))
        } else {
            put_all(file)
        };
        written.map_err(|e| Error::io(path, e))
    })
}

/// The header and the four bytes that say that no extension follows. `time` is the number of
/// volumes and the TR.
fn header<T>(
    path: &Path,
    grid: &Grid,
    time: Option<(usize, Option<f64>)>,
    datatype: Datatype,
    values: &[T],
) -> Result<[u8; 352]> {
    let n_times = time.map_or(1, |(n, _)| n);
    if values.len() != grid.n_voxels() * n_times {
        return Err(Error::data(format!(
            "{} values do not fill {n_times} volumes of {:?} voxels, so {} was not written",
            values.len(),
            grid.shape,
            path.display()
        )));
    }
    let mut dim = [1i16; 8];
    dim[0] = if time.is_some() { 4 } else { 3 };
    for (out, n) in dim[1..]
        .iter_mut()
        .zip(grid.shape.into_iter().chain([n_times]))
    {
        *out = i16::try_from(n).map_err(|_too_long| {
            Error::file(
                path,
                format!(
                    "cannot be written as NIfTI-1, for an axis of {n} is longer than 32767: crop it"
                ),
            )
        })?;
    }
    let (code, bits) = match datatype {
        Datatype::U8 => (2i16, 8i16),
        Datatype::I16 => (4, 16),
        Datatype::I32 => (8, 32),
        _ => (16, 32),
    };
    let (qfac, quaternion) = quaternion(grid);
    let size = grid.voxel_size_mm();
    let tr = time.and_then(|(_, tr)| tr);
    // Millimetres and, when the TR is known, seconds.
    let units = if tr.is_some() { 2 + 8 } else { 2 };
    let pixdim = [qfac, size.x, size.y, size.z, tr.unwrap_or(0.0)];
    let [x, y, z] = [0, 1, 2].map(|row| grid.world_from_voxel.matrix3.row(row));
    let shift = grid.world_from_voxel.translation;

    let mut bytes = [0u8; 352];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &348i32.to_le_bytes());
    put(38, b"r");
    for (i, d) in dim.iter().enumerate() {
        put(40 + 2 * i, &d.to_le_bytes());
    }
    put(70, &code.to_le_bytes());
    put(72, &bits.to_le_bytes());
    for (i, &p) in pixdim.iter().enumerate() {
        put(76 + 4 * i, &(p as f32).to_le_bytes());
    }
    put(108, &352f32.to_le_bytes());
    put(112, &1f32.to_le_bytes());
    put(123, &[units]);
    put(148, b"Fusiform");
    // Code 2, "aligned": the world is a real one, but which is not known here.
    if let Some([b, c, d]) = quaternion {
        put(252, &2i16.to_le_bytes());
        for (i, value) in [b, c, d, shift.x, shift.y, shift.z].into_iter().enumerate() {
            put(256 + 4 * i, &(value as f32).to_le_bytes());
        }
    }
    put(254, &2i16.to_le_bytes());
    for (r, (row, shift)) in [(x, shift.x), (y, shift.y), (z, shift.z)]
        .into_iter()
        .enumerate()
    {
        for (c, value) in [row.x, row.y, row.z, shift].into_iter().enumerate() {
            put(280 + 16 * r + 4 * c, &(value as f32).to_le_bytes());
        }
    }
    put(344, b"n+1\0");
    Ok(bytes)
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
