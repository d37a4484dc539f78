//! The fields of a NIfTI header as the file has them, NIfTI-1 and -2 alike, and what each means.

use std::path::{Path, PathBuf};

use crate::io::bytes::Bytes;
use crate::io::dtype::{ByteOrder, Datatype};
use crate::{Error, Result};

const LEN_1: usize = 348;
const LEN_2: usize = 540;

/// The fields that are used, in the types of NIfTI-2.
#[derive(Clone, Debug)]
pub(in crate::io) struct Fields {
    /// The header file: named in errors.
    path: PathBuf,
    /// The `.img`, when that is the file that was asked for.
    image: Option<PathBuf>,
    pub(in crate::io) version: u8,
    pub(in crate::io) order: ByteOrder,
    /// The values follow in the same file; else they are in the `.img`.
    single_file: bool,
    pub(in crate::io) dim: [i64; 8],
    datatype: i32,
    pub(super) pixdim: [f64; 8],
    vox_offset: f64,
    slope: f64,
    inter: f64,
    xyzt_units: i32,
    pub(super) qform_code: i32,
    pub(super) sform_code: i32,
    pub(super) quatern: [f64; 3],
    pub(super) qoffset: [f64; 3],
    pub(super) srow: [[f64; 4]; 3],
    pub(in crate::io) intent_code: i32,
    intent_name: String,
    pub(super) description: String,
}

/// Reads the header of `path`, or of the pair that `path` is the `.img` of.
pub(in crate::io) fn read(path: &Path) -> Result<Fields> {
    let asked = path;
    let path = &header_of(asked);
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

impl Fields {
    /// The dimensions, each at least 1.
    pub(super) fn shape(&self) -> Result<Vec<usize>> {
        let n_dims = self.dim[0] as usize;
        if self.version == 2 && (3000..=3099).contains(&self.intent_code) {
            return Err(Error::file(
                &self.path,
                "is a CIFTI file, which holds vertices and voxels together: give its parts as GIFTI and NIfTI (wb_command -cifti-separate)",
            ));
        }
        if self.version == 1 && self.dim[1] == -1 {
            return Err(Error::file(
                &self.path,
                "is a FreeSurfer surface map in a NIfTI file: convert it to GIFTI (mri_convert)",
            ));
        }
        self.dim[1..=n_dims]
            .iter()
            .map(|&d| usize::try_from(d).ok().filter(|&d| d > 0))
            .collect::<Option<_>>()
            .ok_or_else(|| {
                Error::file(
                    &self.path,
                    format!(
                        "says it has {:?} voxels along its axes: its header is damaged, so copy or download it again",
                        &self.dim[1..=n_dims]
                    ),
                )
            })
    }

    pub(in crate::io) fn datatype(&self) -> Result<Datatype> {
        let refused = match self.datatype {
            2 => return Ok(Datatype::U8),
            4 => return Ok(Datatype::I16),
            8 => return Ok(Datatype::I32),
            16 => return Ok(Datatype::F32),
            64 => return Ok(Datatype::F64),
            256 => return Ok(Datatype::I8),
            512 => return Ok(Datatype::U16),
            768 => return Ok(Datatype::U32),
            1024 => return Ok(Datatype::I64),
            1280 => return Ok(Datatype::U64),
            1 => "single bits: save it as uint8".to_owned(),
            32 | 1792 | 2048 => "complex numbers: save their magnitude as float32".to_owned(),
            128 | 2304 => {
                "RGB colours, not one number a voxel: save one channel as float32".to_owned()
            }
            1536 => "128-bit floats: save it as float32".to_owned(),
            other => format!("values of an unknown type ({other}): save it as float32"),
        };
        Err(Error::file(&self.path, format!("holds {refused}")))
    }

    /// Slope and intercept; `None` when the standard says to leave the values alone (slope 0 or
    /// not finite, which fMRIPrep's masks have: the intercept is then ignored too) or when they
    /// change nothing.
    pub(in crate::io) fn scaling(&self) -> Option<(f64, f64)> {
        if self.slope == 0.0 || !self.slope.is_finite() || !self.inter.is_finite() {
            return None;
        }
        (self.slope != 1.0 || self.inter != 0.0).then_some((self.slope, self.inter))
    }

    /// Millimetres in the header's unit of length.
    pub(super) fn mm_per_unit(&self, assumptions: &mut Vec<String>) -> f64 {
        match self.xyzt_units & 0o7 {
            1 => {
                assumptions.push("the header is in metres: converted to mm".into());
                1e3
            }
            2 => 1.0,
            3 => {
                assumptions.push("the header is in micrometres: converted to mm".into());
                1e-3
            }
            _ => {
                assumptions.push("spatial unit unknown: assumed mm".into());
                1.0
            }
        }
    }

    /// Seconds from volume to volume.
    pub(super) fn tr_secs(&self, assumptions: &mut Vec<String>) -> Option<f64> {
        let step = self.pixdim[4];
        if !(step > 0.0 && step.is_finite()) {
            return None;
        }
        // No scanner waits 50 s for a volume, and none takes less than 50 ms.
        let implausible = step >= 50.0;
        match self.xyzt_units & 0o70 {
            8 if implausible => {
                assumptions.push(format!(
                    "the header gives a TR of {step} s, which must be milliseconds: took it as {} s",
                    step * 1e-3
                ));
                Some(step * 1e-3)
            }
            8 => Some(step),
            16 => Some(step * 1e-3),
            24 => Some(step * 1e-6),
            // Hertz, ppm, radians: the fourth axis is not time.
            32.. => None,
            _ => {
                let (unit, in_secs) = if implausible {
                    ("ms", 1e-3)
                } else {
                    ("s", 1.0)
                };
                assumptions.push(format!(
                    "unit of time unknown: took the TR as {step} {unit}"
                ));
                Some(step * in_secs)
            }
        }
    }

    /// What the values mean.
    pub(super) fn intent(&self) -> String {
        let meaning = match self.intent_code {
            2 => "correlation",
            3 => "t statistic",
            4 => "F statistic",
            5 => "z score",
            6 => "chi-squared statistic",
            22 => "p value",
            23 => "−ln p",
            24 => "−log10 p",
            1001 => "estimate",
            1002 => "labels",
            1003 => "names",
            1006 => "displacement",
            1007 => "vector",
            2001 => "time series",
            _ => "",
        };
        match (meaning, self.intent_name.as_str()) {
            ("", name) => name.to_owned(),
            (meaning, "") => meaning.to_owned(),
            (meaning, name) => format!("{meaning} ({name})"),
        }
    }

    /// Where the values begin in their file.
    pub(in crate::io) fn data_offset(&self) -> Result<u64> {
        // The header, then four bytes that tell of extensions.
        let least = match (self.single_file, self.version) {
            (false, _) => 0.0,
            (true, 1) => 352.0,
            (true, _) => 544.0,
        };
        if self.vox_offset == 0.0 {
            return Ok(least as u64);
        }
        if self.vox_offset.is_finite() && self.vox_offset >= least {
            return Ok(self.vox_offset as u64);
        }
        Err(Error::file(
            &self.path,
            format!(
                "says its data begin at byte {}, which is inside its header: it is damaged, so copy or download it again",
                self.vox_offset
            ),
        ))
    }

    /// The file that holds the values.
    pub(super) fn data_path(&self) -> Result<PathBuf> {
        if self.single_file {
            return Ok(self.path.clone());
        }
        let (stem, _) = split_pair_name(&self.path).unwrap_or((self.path.clone(), ""));
        let candidates = ["img", "img.gz", "IMG"].map(|e| with_ending(&stem, e));
        let mut paths = self.image.iter().chain(&candidates);
        paths.find(|p| p.is_file()).cloned().ok_or_else(|| {
            Error::file(
                &self.path,
                format!(
                    "is the header of a pair and its data file {} is not there: put the two into one folder",
                    candidates[0].display()
                ),
            )
        })
    }
}

/// The header of the pair when `path` is its `.img`, else `path`.
fn header_of(path: &Path) -> PathBuf {
    match split_pair_name(path) {
        Some((stem, "img")) => ["hdr", "hdr.gz", "HDR"]
            .iter()
            .map(|e| with_ending(&stem, e))
            .find(|p| p.is_file())
            .unwrap_or_else(|| path.to_path_buf()),
        _ => path.to_path_buf(),
    }
}

/// `a/b.img.gz` → (`a/b`, `img`).
fn split_pair_name(path: &Path) -> Option<(PathBuf, &'static str)> {
    let plain = if path.extension()?.eq_ignore_ascii_case("gz") {
        path.with_extension("")
    } else {
        path.to_path_buf()
    };
    let kind = ["img", "hdr"]
        .into_iter()
        .find(|k| plain.extension().is_some_and(|e| e.eq_ignore_ascii_case(k)))?;
    Some((plain.with_extension(""), kind))
}

fn with_ending(stem: &Path, ending: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
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
