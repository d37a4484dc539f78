//! What a file is, by its first bytes; by more of its content where formats share them; by its name
//! only where a format has no mark at all.

use std::path::Path;

use crate::io::bytes::Bytes;
use crate::io::freesurfer;
use crate::io::freesurfer::mgh::is_mgh;
use crate::{Error, Result};

/// A kind of file that this program reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A volume or a series: [`crate::io::nifti`].
    Nifti,
    /// Vertices and voxels in one table: [`crate::io::cifti`].
    Cifti,
    /// A surface: [`crate::io::gifti::read_surface`].
    GiftiSurface,
    /// Maps over vertices: [`crate::io::gifti::read_map`].
    GiftiMap,
    /// Labels of vertices: [`crate::io::gifti::read_labels`].
    GiftiLabels,
    /// A surface: [`freesurfer::read_surface`].
    FreesurferSurface,
    /// A map over vertices: [`freesurfer::read_curv`].
    FreesurferMap,
    /// Labels of vertices: [`freesurfer::read_annot`].
    FreesurferAnnot,
    /// A list of vertices: [`freesurfer::read_label`].
    FreesurferLabel,
    /// A cut piece of a surface: [`freesurfer::read_patch`].
    FreesurferPatch,
    /// A volume, a series or a map: [`freesurfer::mgh`].
    Mgh,
    /// An array: [`crate::io::npy`].
    Npy,
    /// Several arrays: [`crate::io::npz`].
    Npz,
    /// PNG or JPEG: [`crate::io::picture`].
    Picture,
    /// TSV or CSV: [`crate::io::table`].
    Table,
}

/// Enough for every mark, and for the header of a NIfTI-2.
const START: u64 = 4096;

/// Formats without a mark are small: beyond this length none is looked for.
const MOST_CONTENT: u64 = 1 << 28;

/// The kind of a file, packed with gzip or not.
///
/// # Errors
/// When the file cannot be opened, or is of no kind that is read here.
pub fn kind(path: &Path) -> Result<Kind> {
    let mut file = Bytes::open(path)?;
    let start = file.up_to(START)?;
    if let Some(kind) = by_mark(&start) {
        return Ok(kind);
    }
    let mut bytes = start;
    bytes.extend(file.up_to(MOST_CONTENT)?);
    by_content(path, &bytes)
        .or_else(|| by_name(path))
        .ok_or_else(|| {
            Error::file(
                path,
                "is of no kind that is read here: give NIfTI, CIFTI-2, GIFTI, FreeSurfer, .npy, .npz, PNG, JPEG, TSV or CSV",
            )
        })
}

/// By the bytes at its beginning.
fn by_mark(start: &[u8]) -> Option<Kind> {
    let little = start.first_chunk().map(|b| i32::from_le_bytes(*b));
    match (little, little.map(i32::swap_bytes)) {
        (Some(348), _) | (_, Some(348)) => return Some(Kind::Nifti),
        (Some(540), _) | (_, Some(540)) => {
            let intent = start.get(504..)?.first_chunk();
            let intent = intent.map(|b| i32::from_le_bytes(*b))?;
            let is_cifti = [intent, intent.swap_bytes()]
                .iter()
                .any(|i| (3000..3100).contains(i));
            return Some(if is_cifti { Kind::Cifti } else { Kind::Nifti });
        }
        _ => {}
    }
    let marks: [(&[u8], Kind); 7] = [
        (b"\x93NUMPY", Kind::Npy),
        (b"PK\x03\x04", Kind::Npz),
        (b"\x89PNG\r\n\x1a\n", Kind::Picture),
        (b"\xff\xd8\xff", Kind::Picture),
        (b"\xff\xff\xff\xff", Kind::FreesurferPatch),
        (b"\xff\xff\xfe", Kind::FreesurferSurface),
        (b"\xff\xff\xfd", Kind::FreesurferSurface),
    ];
    let marked = marks.iter().find(|(mark, _)| start.starts_with(mark));
    let mgh = is_mgh(start).then_some(Kind::Mgh);
    marked.map(|(_, kind)| *kind).or(mgh)
}

/// By what all of it holds.
fn by_content(path: &Path, bytes: &[u8]) -> Option<Kind> {
    if bytes.starts_with(&[0xff; 3]) {
        return Some(if freesurfer::is_new_curv(bytes) {
            Kind::FreesurferMap
        } else {
            Kind::FreesurferSurface
        });
    }
    if has(&bytes[..bytes.len().min(START as usize)], b"<GIFTI") {
        return Some(if has(bytes, b"NIFTI_INTENT_POINTSET") {
            Kind::GiftiSurface
        } else if has(bytes, b"NIFTI_INTENT_LABEL") {
            Kind::GiftiLabels
        } else {
            Kind::GiftiMap
        });
    }
    let is_text = !bytes.is_empty() && !bytes.contains(&0);
    if is_text {
        let is_label = bytes.starts_with(b"#") && freesurfer::parse_label(path, bytes).is_ok();
        return is_label.then_some(Kind::FreesurferLabel);
    }
    if freesurfer::is_old_curv(bytes) {
        return Some(Kind::FreesurferMap);
    }
    freesurfer::is_annot(path, bytes).then_some(Kind::FreesurferAnnot)
}

/// By its name: tables, which may hold any text, and the data half of a NIfTI pair.
fn by_name(path: &Path) -> Option<Kind> {
    let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    match name.rsplit_once('.')?.1 {
        "tsv" | "csv" => Some(Kind::Table),
        "img" => Some(Kind::Nifti),
        _ => None,
    }
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|w| w == wanted)
}
