//! The fields of a NIfTI header as the file has them, NIfTI-1 and -2 alike.

use std::path::{Path, PathBuf};

use super::extensions::{self, Extension};
use super::pair;
use crate::io::bytes::Bytes;
use crate::io::dtype::ByteOrder;
use crate::{Error, Result};

const LEN_1: usize = 348;
const LEN_2: usize = 540;

/// The fields that are used, in the types of NIfTI-2.
#[derive(Clone, Debug)]
pub(in crate::io) struct Fields {
    /// The header file: named in errors.
    pub(super) path: PathBuf,
    /// The `.img`, when that is the file that was asked for.
    pub(super) image: Option<PathBuf>,
    pub(in crate::io) version: u8,
    pub(in crate::io) order: ByteOrder,
    /// The values follow in the same file; else they are in the `.img`.
    pub(super) single_file: bool,
    pub(in crate::io) dim: [i64; 8],
    pub(super) datatype: i32,
    pub(super) pixdim: [f64; 8],
    pub(super) vox_offset: f64,
    pub(super) slope: f64,
    pub(super) inter: f64,
    pub(super) xyzt_units: i32,
    pub(super) qform_code: i32,
    pub(super) sform_code: i32,
    pub(super) quatern: [f64; 3],
    pub(super) qoffset: [f64; 3],
    pub(super) srow: [[f64; 4]; 3],
    pub(in crate::io) intent_code: i32,
    pub(super) intent_name: String,
    pub(super) description: String,
}

/// Reads the header of `path`, or of the pair that `path` is the `.img` of.
pub(in crate::io) fn read(path: &Path) -> Result<Fields> {
    let asked = path;
    let path = &pair::header_of(asked);
    let mut file = Bytes::open(path)?;
    let mut bytes = file.up_to(LEN_1 as u64)?;
    let first = bytes.first_chunk::<4>().copied().unwrap_or_default();
    let (order, len) = match (i32::from_le_bytes(first), i32::from_be_bytes(first)) {
        (348, _) => (ByteOrder::Little, LEN_1),
        (540, _) => (ByteOrder::Little, LEN_2),
        (_, 348) => (ByteOrder::Big, LEN_1),
        (_, 540) => (ByteOrder::Big, LEN_2),
        _ => return Err(not_nifti(path, &bytes)),
    };
    bytes.extend(file.up_to((len - LEN_1) as u64)?);
    if bytes.len() < len {
        return Err(Error::file(
            path,
            format!(
                "ends inside its header, after {} bytes: copy or download it again",
                bytes.len()
            ),
        ));
    }
    let fields = if len == LEN_1 {
        version_1(path, order, &bytes)?
    } else {
        version_2(path, order, &bytes)?
    };
    let image = (asked != path).then(|| asked.to_path_buf());
    Ok(Fields { image, ..fields })
}

impl Fields {
    /// The extensions, up to byte `data_offset` of a single file; and whether they are damaged.
    pub(super) fn extensions(&self, data_offset: u64) -> Result<(Vec<Extension>, bool)> {
        let len = if self.version == 1 { LEN_1 } else { LEN_2 } as u64;
        let end = if self.single_file {
            data_offset
        } else {
            u64::MAX
        };
        let mut file = Bytes::open(&self.path)?;
        file.skip(len)?;
        extensions::list(&mut file, self.order, len, end)
    }
}

fn version_1(path: &Path, order: ByteOrder, bytes: &[u8]) -> Result<Fields> {
    let magic = &bytes[344..348];
    if magic != nifti_magic(true) && magic != nifti_magic(false) {
        return Err(Error::file(
            path,
            "is an Analyze 7.5 header, which does not say where left and right are: convert it to NIfTI with the program that wrote it",
        ));
    }
    // The crate tells the byte order by dim[0] alone and would swap a header whose dim[0] is
    // damaged, so that field is held against the order found above first.
    let dim_0 = match order {
        ByteOrder::Little => i16::from_le_bytes([bytes[40], bytes[41]]),
        ByteOrder::Big => i16::from_be_bytes([bytes[40], bytes[41]]),
    };
    if !(1..=7).contains(&dim_0) {
        return Err(bad_dimensions(path, i64::from(dim_0)));
    }
    let h = ::nifti::NiftiHeader::from_reader(bytes).map_err(|e| {
        Error::file(
            path,
            format!("has a damaged NIfTI header ({e}): copy or download it again"),
        )
    })?;
    Ok(Fields {
        path: path.to_path_buf(),
        image: None,
        version: 1,
        order,
        single_file: magic == nifti_magic(true),
        // The crate has these unsigned; the standard, and files that abuse it, signed.
        dim: h.dim.map(|d| i64::from(d as i16)),
        datatype: i32::from(h.datatype),
        pixdim: h.pixdim.map(f64::from),
        vox_offset: f64::from(h.vox_offset),
        slope: f64::from(h.scl_slope),
        inter: f64::from(h.scl_inter),
        xyzt_units: i32::from(h.xyzt_units),
        qform_code: i32::from(h.qform_code),
        sform_code: i32::from(h.sform_code),
        quatern: [h.quatern_b, h.quatern_c, h.quatern_d].map(f64::from),
        qoffset: [h.quatern_x, h.quatern_y, h.quatern_z].map(f64::from),
        srow: [h.srow_x, h.srow_y, h.srow_z].map(|row| row.map(f64::from)),
        intent_code: i32::from(h.intent_code),
        intent_name: text(&h.intent_name),
        description: text(&h.descrip),
    })
}

fn nifti_magic(single_file: bool) -> &'static [u8] {
    if single_file { b"n+1\0" } else { b"ni1\0" }
}

fn version_2(path: &Path, order: ByteOrder, bytes: &[u8]) -> Result<Fields> {
    let magic = &bytes[4..8];
    if magic != b"n+2\0" && magic != b"ni2\0" {
        return Err(not_nifti(path, bytes));
    }
    let four = |at: usize| -> [u8; 4] { std::array::from_fn(|i| bytes[at + i]) };
    let eight = |at: usize| -> [u8; 8] { std::array::from_fn(|i| bytes[at + i]) };
    let int = |at| match order {
        ByteOrder::Little => i32::from_le_bytes(four(at)),
        ByteOrder::Big => i32::from_be_bytes(four(at)),
    };
    let long = |at| match order {
        ByteOrder::Little => i64::from_le_bytes(eight(at)),
        ByteOrder::Big => i64::from_be_bytes(eight(at)),
    };
    let double = |at| f64::from_bits(long(at) as u64);
    let short = match order {
        ByteOrder::Little => i16::from_le_bytes([bytes[12], bytes[13]]),
        ByteOrder::Big => i16::from_be_bytes([bytes[12], bytes[13]]),
    };
    let dim: [i64; 8] = std::array::from_fn(|i| long(16 + 8 * i));
    if !(1..=7).contains(&dim[0]) {
        return Err(bad_dimensions(path, dim[0]));
    }
    Ok(Fields {
        path: path.to_path_buf(),
        image: None,
        version: 2,
        order,
        single_file: magic == b"n+2\0",
        dim,
        datatype: i32::from(short),
        pixdim: std::array::from_fn(|i| double(104 + 8 * i)),
        vox_offset: long(168) as f64,
        slope: double(176),
        inter: double(184),
        xyzt_units: int(500),
        qform_code: int(344),
        sform_code: int(348),
        quatern: std::array::from_fn(|i| double(352 + 8 * i)),
        qoffset: std::array::from_fn(|i| double(376 + 8 * i)),
        srow: std::array::from_fn(|r| std::array::from_fn(|c| double(400 + 32 * r + 8 * c))),
        intent_code: int(504),
        intent_name: text(&bytes[508..524]),
        description: text(&bytes[240..320]),
    })
}

fn bad_dimensions(path: &Path, n_dims: i64) -> Error {
    Error::file(
        path,
        format!(
            "says it has {n_dims} dimensions (1 to 7 are possible): its header is damaged, so copy or download it again"
        ),
    )
}

/// Why `bytes`, the start of a file, are no NIfTI header.
fn not_nifti(path: &Path, bytes: &[u8]) -> Error {
    let is_text = !bytes.is_empty()
        && bytes
            .iter()
            .all(|b| matches!(b, b'\t' | b'\n' | b'\r' | 0x20..=0x7e | 0x80..));
    Error::file(
        path,
        if is_text {
            "holds text and no image: it may be a web page or a pointer saved in its place, so download it again"
        } else if bytes.get(128..132) == Some(b"DICM") {
            "is a DICOM file: convert it to NIfTI first (dcm2niix)"
        } else {
            "is not a NIfTI file: give a .nii, .nii.gz or .hdr/.img pair"
        },
    )
}

/// Text up to its first NUL.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).trim().to_owned()
}
