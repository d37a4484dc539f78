//! Values in the order of the file: inflated once, used while the next ones are being inflated.

use std::path::Path;

use rayon::prelude::*;

use super::{Header, read_header, require_memory, times};
use crate::Error;
use crate::io::bytes::{Bytes, Parts};
use crate::io::dtype::decode;
use crate::mask::{Mask, Stretch};
use crate::matrix::Matrix;
use crate::run::{Run, Stop};
use crate::volume::Volume;

/// Bytes inflated between two looks at the cancel flag: a few milliseconds of work, and little
/// enough to be still in the cache when they are converted.
const CHUNK: usize = 1 << 20;

/// Reads under way at once when single values are wanted; more gain nothing on a solid-state disk.
const READERS: usize = 4;

/// What is done with a volume: its number, and its values with i fastest.
pub type OnVolume<'a> = dyn FnMut(usize, &[f32]) -> Result<(), Stop> + Send + 'a;

/// Hands every volume of a file to `on_volume`, with its number, as soon as its last byte is
/// inflated: i fastest, scaled by slope and intercept. Never holds more than one volume, so a file
/// may be larger than memory; an error of `on_volume` ends the reading. Volumes of files with more
/// than four dimensions come in file order.
///
/// # Errors
/// As [`read_header`]; what `on_volume` returns; when the values are cut short.
pub fn stream(path: &Path, run: &Run<'_>, on_volume: &mut OnVolume<'_>) -> Result<(), Stop> {
    let header = read_header(path)?;
    let n_voxels = header.grid.n_voxels();
    require_memory::<f32>(&header, n_voxels)?;
    let mut volume = vec![0.0; n_voxels];
    each_chunk(&header, run, |first, bytes| {
        for part in by_volume(&header, first, bytes) {
            scaled(
                &header,
                part.bytes,
                &mut volume[part.first_voxel..part.end_voxel],
            );
            if part.end_voxel == n_voxels {
                on_volume(part.time, &volume)?;
            }
        }
        Ok(())
    })
}

/// The first volume of a file, scaled; of what follows nothing is inflated or read. So something can be seen while the
/// rest of a long run is on its way.
///
/// # Errors
/// As [`stream`].
pub fn read_first_volume(path: &Path, run: &Run<'_>) -> Result<Volume, Stop> {
    let header = read_header(path)?;
    let mut first: Option<Vec<f32>> = None;
    let ended = stream(path, run, &mut |_, values| {
        first = Some(values.to_vec());
        Err(Stop::Cancelled)
    });
    match first {
        Some(data) => Ok(Volume {
            grid: header.grid,
            data: data.into(),
            assumptions: header.assumptions,
        }),
        None => Err(ended
            .err()
            .unwrap_or_else(|| Error::file(path, "holds no volume: choose another file").into())),
    }
}

/// Reads the voxels of `mask` alone: `n_times × n_voxels` of the mask, scaled, in one pass that
/// holds nothing but the result and a few MB.
///
/// # Errors
/// As [`read_header`]; when the mask is on another grid; when the values are cut short.
pub fn read_masked(path: &Path, mask: &Mask, run: &Run<'_>) -> Result<Matrix, Stop> {
    let header = read_header(path)?;
    mask.require_grid(&header.grid, &path.display().to_string())?;
    let (n_times, n_columns) = (header.n_volumes(), mask.len());
    require_memory::<f32>(&header, n_times * n_columns)?;
    let mut out = Matrix::zeros(n_times, n_columns);
    let stretches = mask.stretches();
    each_chunk(&header, run, |first, bytes| {
        for part in by_volume(&header, first, bytes) {
            gather(&header, &part, &stretches, out.row_mut(part.time));
        }
        Ok(())
    })?;
    Ok(out)
}

/// Reads the time course of one voxel. Of a file that is not compressed nothing else is read.
///
/// # Errors
/// As [`read_header`]; when the voxel lies outside the grid; when the values are cut short.
pub fn read_time_course(path: &Path, ijk: [usize; 3], run: &Run<'_>) -> Result<Vec<f32>, Stop> {
    let header = read_header(path)?;
    let inside = ijk.iter().zip(header.grid.shape).all(|(&at, n)| at < n);
    if !inside {
        let [i, j, k] = ijk;
        let problem = format!(
            "has no voxel ({i}, {j}, {k}), for it is {}: name one from (0, 0, 0) on",
            times(&header.grid.shape)
        );
        return Err(Error::file(path, problem).into());
    }
    let voxel = header.grid.index(ijk);
    let mut course = vec![0.0; header.n_volumes()];
    match Parts::open(&header.data_path)? {
        Some(file) => read_points(&header, &file, voxel, &mut course, run)?,
        None => each_chunk(&header, run, |first, bytes| {
            let size = header.datatype.size();
            for part in by_volume(&header, first, bytes) {
                if (part.first_voxel..part.end_voxel).contains(&voxel) {
                    let at = (voxel - part.first_voxel) * size;
                    let value = &mut course[part.time..=part.time];
                    scaled(&header, &part.bytes[at..at + size], value);
                }
            }
            Ok(())
        })?,
    }
    Ok(course)
}

/// A few reads are under way at once, whatever the number of cores: of a file that is not in memory
/// the time goes into waiting for each.
fn read_points(
    header: &Header,
    file: &Parts,
    voxel: usize,
    course: &mut [f32],
    run: &Run<'_>,
) -> Result<(), Stop> {
    let size = header.datatype.size();
    let n_voxels = header.grid.n_voxels();
    let read_one = |bytes: &mut Vec<u8>, (time, value): (usize, &mut f32)| {
        run.check()?;
        let at = (time * n_voxels + voxel) * size;
        file.fill_at(header.data_offset + at as u64, bytes)?;
        scaled(header, bytes, std::slice::from_mut(value));
        Ok(())
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(READERS)
        .build()
        .map_err(|e| Error::io(&header.data_path, std::io::Error::other(e)))?;
    pool.install(|| {
        course
            .par_iter_mut()
            .enumerate()
            .try_for_each_init(|| vec![0; size], read_one)
    })
}

/// Gives all stored bytes, in order, to `use_chunk`, with the number of the first value in them.
/// While a chunk is used, the next is inflated beside it.
pub(super) fn each_chunk(
    header: &Header,
    run: &Run<'_>,
    mut use_chunk: impl FnMut(usize, &[u8]) -> Result<(), Stop> + Send,
) -> Result<(), Stop> {
    run.check()?;
    let mut file = Bytes::open(&header.data_path)?;
    file.skip(header.data_offset)?;
    let size = header.datatype.size();
    let total = header.n_values() * size;
    let step = CHUNK / size * size;
    let mut now = vec![0; step.min(total)];
    let mut next = now.clone();
    file.fill(&mut now)?;
    let mut done = 0;
    while done < total {
        run.check()?;
        next.truncate(total - done - now.len());
        let (filled, used) = rayon::join(|| file.fill(&mut next), || use_chunk(done / size, &now));
        used?;
        filled?;
        done += now.len();
        run.progress(done, total);
        std::mem::swap(&mut now, &mut next);
    }
    file.finish()?;
    Ok(())
}

/// Stored values as they are meant: scaled by slope and intercept.
pub(super) fn scaled(header: &Header, bytes: &[u8], out: &mut [f32]) {
    let (datatype, order) = (header.datatype, header.byte_order);
    match header.scaling {
        None => decode(datatype, order, bytes, out, |stored| stored as f32),
        Some((slope, inter)) => decode(datatype, order, bytes, out, |stored| {
            (stored * slope + inter) as f32
        }),
    }
}

/// Consecutive voxels of one volume, as stored.
struct Part<'a> {
    time: usize,
    first_voxel: usize,
    /// One after the last.
    end_voxel: usize,
    bytes: &'a [u8],
}

/// Cuts a chunk where one volume ends and the next begins. `first` is the number of its first
/// value in the file.
fn by_volume<'a>(
    header: &Header,
    first: usize,
    bytes: &'a [u8],
) -> impl Iterator<Item = Part<'a>> + use<'a> {
    let n_voxels = header.grid.n_voxels();
    let size = header.datatype.size();
    let end = first + bytes.len() / size;
    let mut at = first;
    std::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        let (time, first_voxel) = (at / n_voxels, at % n_voxels);
        let n = (n_voxels - first_voxel).min(end - at);
        let from = (at - first) * size;
        at += n;
        Some(Part {
            time,
            first_voxel,
            end_voxel: first_voxel + n,
            bytes: &bytes[from..from + n * size],
        })
    })
}

/// Puts the voxels of `part` that are in the mask into their columns of `row`.
fn gather(header: &Header, part: &Part<'_>, stretches: &[Stretch], row: &mut [f32]) {
    let size = header.datatype.size();
    let from = stretches.partition_point(|s| s.voxels.end <= part.first_voxel);
    for stretch in &stretches[from..] {
        let first = stretch.voxels.start.max(part.first_voxel);
        let end = stretch.voxels.end.min(part.end_voxel);
        if first >= end {
            break;
        }
        let column = stretch.first_column + first - stretch.voxels.start;
        let bytes = &part.bytes[(first - part.first_voxel) * size..(end - part.first_voxel) * size];
        scaled(header, bytes, &mut row[column..column + end - first]);
    }
}
