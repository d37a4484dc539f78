//! NIfTI: volumes, series and label volumes, with their place in the world.
//!
//! NIfTI-1 and -2, single files and `.hdr`/`.img` pairs, plain or gzip, in both byte orders. Header
//! fields of NIfTI-1 are parsed by the `nifti` crate; what follows from them is decided here,
//! because that crate takes a NaN slope at its word, starts at byte 352 whatever `vox_offset` says,
//! panics on some quaternions and refuses NIfTI-2 and gzip of several members.
//!
//! Standard: <https://nifti.nimh.nih.gov/nifti-1> (`nifti1.h`); choices between the three affines as
//! nibabel makes them.

mod affine;
pub(in crate::io) mod fields;
mod write;

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use glam::DAffine3;

use crate::io::bytes::Bytes;
use crate::io::dtype::{ByteOrder, Datatype, decode};
use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::volume::{Series, Volume};
use crate::{Error, Result};

pub use write::{write_labels, write_series, write_series_in_steps, write_volume};

/// Bytes converted between two looks at the cancel flag: a few milliseconds of work.
const CHUNK: usize = 1 << 20;

/// What a NIfTI file says of itself, checked and put into the program's units.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// 1 or 2.
    pub version: u8,
    /// Values along i, j, k, time, … as many as the file has dimensions.
    pub shape: Vec<usize>,
    /// How values are stored.
    pub datatype: Datatype,
    /// Which byte of them comes first.
    pub byte_order: ByteOrder,
    /// (slope, intercept) of the stored values; `None` when they are to be taken as they are.
    pub scaling: Option<(f64, f64)>,
    /// Shape and place of one volume.
    pub grid: Grid,
    /// World mm from voxel by the sform, when it is set.
    pub sform: Option<Form>,
    /// World mm from voxel by the qform, when it is set.
    pub qform: Option<Form>,
    /// Seconds from one volume to the next, when the file says so.
    pub tr_secs: Option<f64>,
    /// What the values mean ("t statistic", "labels"); empty when the file does not say.
    pub intent: String,
    /// Free text.
    pub description: String,
    /// The file that holds the values (the `.img` of a pair).
    pub data_path: PathBuf,
    /// Where they begin in it, in bytes after inflation.
    pub data_offset: u64,
    /// What was assumed, in sentences for the user.
    pub assumptions: Vec<String>,
}

/// One of the two affines a NIfTI file may carry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Form {
    /// 1 scanner, 2 aligned to another file, 3 Talairach, 4 MNI152, 5 another template.
    pub code: i32,
    /// World millimetres (RAS+) from voxel.
    pub world_from_voxel: DAffine3,
}

impl Header {
    /// Volumes: the product of all dimensions after the third.
    pub fn n_volumes(&self) -> usize {
        self.shape.iter().skip(3).product()
    }

    /// Stored bytes of all values.
    fn n_bytes(&self) -> usize {
        self.grid.n_voxels() * self.n_volumes() * self.datatype.size()
    }
}

/// Reads the header alone. `path` may be a `.nii`, a `.hdr` or the `.img` beside it.
///
/// # Errors
/// When the file is no NIfTI, holds a type that this program does not show, or is too short for
/// what it promises.
pub fn read_header(path: &Path) -> Result<Header> {
    let fields = fields::read(path)?;
    let mut assumptions = Vec::new();
    let shape = fields.shape()?;
    let datatype = fields.datatype()?;
    let mm = fields.mm_per_unit(&mut assumptions);
    let forms = affine::choose(&fields, &shape, mm, &mut assumptions);
    let padded: [usize; 3] = std::array::from_fn(|axis| shape.get(axis).copied().unwrap_or(1));
    let tr_secs = if shape.len() > 3 {
        fields.tr_secs(&mut assumptions)
    } else {
        None
    };
    let header = Header {
        version: fields.version,
        datatype,
        byte_order: fields.order,
        scaling: fields.scaling(),
        grid: Grid {
            shape: padded,
            world_from_voxel: forms.world_from_voxel,
        },
        sform: forms.sform,
        qform: forms.qform,
        tr_secs,
        intent: fields.intent(),
        description: fields.description.clone(),
        data_path: fields.data_path()?,
        data_offset: fields.data_offset()?,
        shape,
        assumptions,
    };
    require_length(path, &header)?;
    Ok(header)
}

/// Reads one volume. Values are scaled by slope and intercept.
///
/// # Errors
/// As [`read_header`]; when the file holds several volumes; when the values are cut short.
pub fn read_volume(path: &Path, run: &Run<'_>) -> std::result::Result<Volume, Stop> {
    let header = read_single(path)?;
    let data = read_scaled(&header, run)?;
    Ok(Volume {
        grid: header.grid,
        data,
        assumptions: header.assumptions,
    })
}

/// Reads a series of volumes; one volume is a series of length one.
///
/// # Errors
/// As [`read_header`]; when the file has a fifth dimension; when the values are cut short.
pub fn read_series(path: &Path, run: &Run<'_>) -> std::result::Result<Series, Stop> {
    let header = read_header(path)?;
    if header.shape.iter().skip(4).any(|&n| n > 1) {
        let problem = format!(
            "holds {} values, several at each voxel and time: split it into series of four dimensions",
            times(&header.shape)
        );
        return Err(Error::file(path, problem).into());
    }
    let data = read_scaled(&header, run)?;
    Ok(Series {
        n_times: header.n_volumes(),
        tr_secs: header.tr_secs,
        grid: header.grid,
        data,
        assumptions: header.assumptions,
    })
}

/// Reads a label volume: whole numbers, exactly as stored. Floats are accepted when all are whole.
///
/// # Errors
/// As [`read_volume`]; when a value is no whole number of 32 bits.
pub fn read_labels(path: &Path, run: &Run<'_>) -> std::result::Result<(Grid, Vec<i32>), Stop> {
    let header = read_single(path)?;
    let mut keys: Vec<i32> = zeros(&header, 0)?;
    let (slope, inter) = header.scaling.unwrap_or((1.0, 0.0));
    let odd = Cell::new(None);
    read_values(&header, &mut keys, run, |stored| {
        let value = stored * slope + inter;
        let key = value as i32;
        if f64::from(key) != value {
            odd.set(odd.get().or(Some(value)));
        }
        key
    })?;
    if let Some(value) = odd.get() {
        let problem = format!(
            "is no label volume, for it holds the value {value}: give one whose values are whole numbers"
        );
        return Err(Error::file(path, problem).into());
    }
    Ok((header.grid, keys))
}

fn read_single(path: &Path) -> Result<Header> {
    let header = read_header(path)?;
    if header.n_volumes() == 1 {
        return Ok(header);
    }
    Err(Error::file(
        path,
        format!(
            "is a series of {} volumes ({}) where one volume is needed: open it as a BOLD run, or save one of its volumes as a file of its own",
            header.n_volumes(),
            times(&header.shape)
        ),
    ))
}

fn read_scaled(header: &Header, run: &Run<'_>) -> std::result::Result<Arc<[f32]>, Stop> {
    let mut data: Arc<[f32]> = zeros(header, 0.0)?;
    // The only handle there is, so this copies nothing.
    let out = Arc::make_mut(&mut data);
    match header.scaling {
        None => read_values(header, out, run, |stored| stored as f32)?,
        Some((slope, inter)) => {
            read_values(header, out, run, |stored| (stored * slope + inter) as f32)?;
        }
    }
    Ok(data)
}

/// One value for each stored one, made in place, after asking whether there is memory for them.
fn zeros<T: Clone, C: FromIterator<T>>(header: &Header, zero: T) -> Result<C> {
    let n = header.n_bytes() / header.datatype.size();
    Vec::<T>::new().try_reserve_exact(n).map_err(|_no_memory| {
        Error::file(
            &header.data_path,
            format!(
                "needs {:.1} GB of memory, more than this machine gives: crop it or read it on a larger one",
                n as f64 * size_of::<T>() as f64 / 1e9
            ),
        )
    })?;
    Ok(std::iter::repeat_n(zero, n).collect())
}

/// Fills `out` with the stored values, chunk by chunk: inflating, converting and listening for a
/// cancel go hand in hand, so a compressed file is usable when its last byte is inflated.
fn read_values<T>(
    header: &Header,
    out: &mut [T],
    run: &Run<'_>,
    convert: impl Fn(f64) -> T,
) -> std::result::Result<(), Stop> {
    run.check()?;
    let mut file = Bytes::open(&header.data_path)?;
    file.skip(header.data_offset)?;
    let size = header.datatype.size();
    let total = out.len() * size;
    let mut bytes = vec![0; CHUNK.min(total)];
    let mut done = 0;
    for out in out.chunks_mut(CHUNK / size) {
        run.check()?;
        let bytes = &mut bytes[..out.len() * size];
        file.fill(bytes)?;
        decode(header.datatype, header.byte_order, bytes, out, &convert);
        done += bytes.len();
        run.progress(done, total);
    }
    file.finish()?;
    Ok(())
}

/// Holds what the header promises against the length of the file, before any memory is asked for.
fn require_length(path: &Path, header: &Header) -> Result<()> {
    let available = Bytes::open(&header.data_path)?.at_most();
    let needed = header
        .shape
        .iter()
        .try_fold(header.datatype.size() as u64, |n, &size| {
            n.checked_mul(size as u64)
        })
        .and_then(|n| n.checked_add(header.data_offset));
    if needed.is_some_and(|n| n <= available) {
        return Ok(());
    }
    Err(Error::file(
        path,
        format!(
            "promises {} values of {} but its data are only {available} bytes long at most: it is cut short or not the file it says, so copy or download it again",
            times(&header.shape),
            header.datatype.name()
        ),
    ))
}

/// `64 × 64 × 30`.
fn times(shape: &[usize]) -> String {
    shape
        .iter()
        .map(usize::to_string)
        .collect::<Vec<_>>()
        .join(" × ")
}
