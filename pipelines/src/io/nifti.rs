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
mod colour;
mod encode;
mod extensions;
pub(in crate::io) mod fields;
mod meaning;
mod pair;
mod stream;
mod write;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use glam::DAffine3;

use crate::io::bytes::Bytes;
use crate::io::dtype::{ByteOrder, Datatype, decode};
use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::volume::{Series, Volume};
use crate::{Error, Result};

use stream::{each_chunk, scaled};

pub use colour::read_rgb;
pub use extensions::Extension;
pub use stream::{OnVolume, read_first_volume, read_masked, read_time_course, stream};
pub use write::{write_labels, write_scaled, write_series, write_volume};

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
    /// What other programs put between the header and the values; passed over.
    pub extensions: Vec<Extension>,
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

    /// Values in all.
    fn n_values(&self) -> usize {
        self.grid.n_voxels() * self.n_volumes()
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
    let scaling = fields.scaling_of(datatype, &mut assumptions)?;
    let mm = fields.mm_per_unit(&mut assumptions);
    let forms = affine::choose(&fields, &shape, mm, &mut assumptions);
    let padded: [usize; 3] = std::array::from_fn(|axis| shape.get(axis).copied().unwrap_or(1));
    let tr_secs = if shape.len() > 3 {
        fields.tr_secs(&mut assumptions)
    } else {
        None
    };
    let mut header = Header {
        version: fields.version,
        datatype,
        byte_order: fields.order,
        scaling,
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
        extensions: Vec::new(),
        assumptions,
    };
    require_length(path, &header)?;
    // Only now that the place where the values begin is known to lie in the file.
    let (extensions, broken) = fields.extensions(header.data_offset)?;
    header.extensions = extensions;
    if broken {
        header
            .assumptions
            .push("the extensions of the header are damaged: passed over the rest of them".into());
    }
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

/// Reads a series of volumes; one volume is a series of length one. Of a file with more than four
/// dimensions (several values at each voxel and time) the volumes come in file order.
///
/// # Errors
/// As [`read_header`]; when the values are cut short.
pub fn read_series(path: &Path, run: &Run<'_>) -> std::result::Result<Series, Stop> {
    let mut header = read_header(path)?;
    let data = read_scaled(&header, run)?;
    let n_times = header.n_volumes();
    let is_time = n_times == header.shape.get(3).copied().unwrap_or(1);
    if !is_time {
        header.assumptions.push(format!(
            "the file holds {} values, several at each voxel and time: listed its {n_times} volumes in file order, as if it were one series",
            times(&header.shape)
        ));
    }
    Ok(Series {
        n_times,
        tr_secs: header.tr_secs.filter(|_| is_time),
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
    require_memory::<i32>(&header, header.n_values())?;
    let mut keys = vec![0; header.n_values()];
    let (slope, inter) = header.scaling.unwrap_or((1.0, 0.0));
    let mut odd = None;
    each_chunk(&header, run, |first, bytes| {
        let (datatype, order) = (header.datatype, header.byte_order);
        decode(datatype, order, bytes, &mut keys[first..], |stored| {
            let value = stored * slope + inter;
            let key = value as i32;
            if f64::from(key) != value {
                odd = odd.or(Some(value));
            }
            key
        });
        Ok(())
    })?;
    if let Some(value) = odd {
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
    require_memory::<f32>(header, header.n_values())?;
    let mut data = zeros(header.n_values());
    // The only handle there is, so this copies nothing.
    let out = Arc::make_mut(&mut data);
    each_chunk(header, run, |first, bytes| {
        scaled(header, bytes, &mut out[first..]);
        Ok(())
    })?;
    Ok(data)
}

/// Zeros that the system gives page by page when they are first written to. To write them here
/// would take as long as a third of the inflation, and nothing could go on beside it.
fn zeros(n: usize) -> Arc<[f32]> {
    let data = Arc::<[f32]>::new_zeroed_slice(n);
    #[allow(
        unsafe_code,
        reason = "the standard library has no safe way to ask for zeroed pages in an Arc"
    )]
    // SAFETY: all bits zero is the f32 0.0.
    unsafe {
        data.assume_init()
    }
}

/// Asks whether there is memory for `n` values before they are made.
fn require_memory<T>(header: &Header, n: usize) -> Result<()> {
    Vec::<T>::new().try_reserve_exact(n).map_err(|_no_memory| {
        Error::file(
            &header.data_path,
            format!(
                "needs {:.1} GB of memory, more than this machine gives: crop it or read it on a larger one",
                n as f64 * size_of::<T>() as f64 / 1e9
            ),
        )
    })
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
