//! NIfTI out: one `.nii`, or `.nii.gz` when the name says so. NIfTI-2 when an axis is longer than
//! NIfTI-1 can say (32767), else NIfTI-1.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::encode::header;
use crate::io::dtype::Datatype;
use crate::io::write::atomically;
use crate::space::Grid;
use crate::volume::{Series, Volume};
use crate::{Error, Result};

/// Values encoded between two writes.
const CHUNK: usize = 1 << 16;

/// The scaling that changes nothing.
const PLAIN: (f64, f64) = (1.0, 0.0);

/// Writes a volume as `float32`; compressed when `path` ends in `.gz`.
///
/// # Errors
/// When there are not as many values as the grid has voxels, or the file cannot be written.
pub fn write_volume(path: &Path, volume: &Volume) -> Result<()> {
    let header = header(
        path,
        &volume.grid,
        None,
        Datatype::F32,
        PLAIN,
        volume.data.len(),
    )?;
    write_values(path, &header, &volume.data, f32::to_le_bytes)
}

/// Writes a series as `float32` with its TR; compressed when `path` ends in `.gz`.
///
/// # Errors
/// As [`write_volume`].
pub fn write_series(path: &Path, series: &Series) -> Result<()> {
    let time = Some((series.n_times, series.tr_secs));
    let header = header(
        path,
        &series.grid,
        time,
        Datatype::F32,
        PLAIN,
        series.data.len(),
    )?;
    write_values(path, &header, &series.data, f32::to_le_bytes)
}

/// Writes a series as stored numbers of type `datatype` that `scaling` (slope, intercept) turns
/// into its values, as [`super::Header`] gives them of a file that was read: written with the
/// same two, the same numbers are stored again. Whole numbers are rounded to the nearest.
///
/// # Errors
/// As [`write_volume`]; when the slope is 0 or a value has no number of that type.
pub fn write_scaled(
    path: &Path,
    series: &Series,
    datatype: Datatype,
    scaling: (f64, f64),
) -> Result<()> {
    // As the header of NIfTI-1 will say them.
    let scaling = (f64::from(scaling.0 as f32), f64::from(scaling.1 as f32));
    let (slope, inter) = scaling;
    if slope == 0.0 || !slope.is_finite() || !inter.is_finite() {
        return Err(Error::data(format!(
            "a scaling of {slope} and {inter} cannot be undone, so {} was not written: give a slope that is not 0",
            path.display()
        )));
    }
    let time = Some((series.n_times, series.tr_secs));
    let values = &*series.data;
    let header = header(path, &series.grid, time, datatype, scaling, values.len())?;
    let stored = |value: f32| (f64::from(value) - inter) / slope;
    macro_rules! whole {
        ($number:ty) => {{
            let range = <$number>::MIN as f64..=<$number>::MAX as f64;
            let misfit = values.iter().find(|v| !range.contains(&stored(**v).round()));
            if let Some(value) = misfit {
                return Err(Error::data(format!(
                    "{value} cannot be stored as {} with slope {slope} and intercept {inter}, so {} was not written: choose a wider type or another scaling",
                    datatype.name(),
                    path.display()
                )));
            }
            write_values(path, &header, values, |v| {
                (stored(v).round() as $number).to_le_bytes()
            })
        }};
    }
    match datatype {
        Datatype::U8 => whole!(u8),
        Datatype::I8 => whole!(i8),
        Datatype::U16 => whole!(u16),
        Datatype::I16 => whole!(i16),
        Datatype::U32 => whole!(u32),
        Datatype::I32 => whole!(i32),
        Datatype::F32 => write_values(path, &header, values, |v| (stored(v) as f32).to_le_bytes()),
        Datatype::F64 => write_values(path, &header, values, |v| stored(v).to_le_bytes()),
        other => Err(Error::data(format!(
            "a series is not written as {}: choose float32 or whole numbers of up to 32 bits",
            other.name()
        ))),
    }
}

/// Writes region keys, i fastest, in the smallest integer type that holds them all; compressed when
/// `path` ends in `.gz`.
///
/// # Errors
/// As [`write_volume`].
pub fn write_labels(path: &Path, grid: &Grid, keys: &[i32]) -> Result<()> {
    let low = keys.iter().copied().min().unwrap_or(0);
    let high = keys.iter().copied().max().unwrap_or(0);
    if low >= 0 && high <= i32::from(u8::MAX) {
        let header = header(path, grid, None, Datatype::U8, PLAIN, keys.len())?;
        write_values(path, &header, keys, |key| [key as u8])
    } else if low >= i32::from(i16::MIN) && high <= i32::from(i16::MAX) {
        let header = header(path, grid, None, Datatype::I16, PLAIN, keys.len())?;
        write_values(path, &header, keys, |key| (key as i16).to_le_bytes())
    } else {
        let header = header(path, grid, None, Datatype::I32, PLAIN, keys.len())?;
        write_values(path, &header, keys, i32::to_le_bytes)
    }
}

fn write_values<T: Copy, const N: usize>(
    path: &Path,
    header: &[u8],
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
