//! FreeSurfer's own files: surfaces, maps and labels of their vertices, cut and flattened patches,
//! and MGH volumes.
//!
//! All their numbers are big-endian. Any of them may be packed with gzip. Layouts:
//! <https://surfer.nmr.mgh.harvard.edu/fswiki/FileFormats>, with nibabel's `freesurfer` package as
//! the judge where that page is silent.

mod annot;
mod curv;
mod label;
pub mod mgh;
mod patch;
mod surface;

use std::path::Path;

use crate::io::bytes::Bytes;
use crate::{Error, Result};

pub use annot::{read_annot, write_annot};
pub use curv::read_curv;
pub use label::{Label, read_label, write_label};
pub use patch::{Patch, PatchVertex, flat_surface, read_patch};
pub use surface::read_surface;

pub(in crate::io) use annot::is_annot;
pub(in crate::io) use curv::{is_new as is_new_curv, is_old as is_old_curv};
pub(in crate::io) use label::parse as parse_label;

/// No vertex number reaches this: the oldest formats count in three bytes, and the finest surface
/// FreeSurfer makes has a tenth of it.
const MOST_VERTICES: usize = 1 << 24;

/// The most that is read of a file that belongs to a surface. A surface of [`MOST_VERTICES`] fits.
const MOST_BYTES: u64 = 1 << 30;

/// The whole file, inflated.
fn whole(path: &Path) -> Result<Vec<u8>> {
    let bytes = Bytes::open(path)?.up_to(MOST_BYTES + 1)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Error::file(
            path,
            "holds more than 1 GiB, more than any FreeSurfer surface: check that it is the right file",
        ));
    }
    Ok(bytes)
}

/// What is still to be read of a file in memory. Nothing is asked of memory before the bytes that
/// shall fill it are known to be there.
struct Rest<'a> {
    path: &'a Path,
    bytes: &'a [u8],
}

impl<'a> Rest<'a> {
    fn new(path: &'a Path, bytes: &'a [u8]) -> Self {
        Self { path, bytes }
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(n).ok_or_else(|| {
            Error::file(
                self.path,
                "ends before its data do: copy or download it again",
            )
        })?;
        self.bytes = rest;
        Ok(taken)
    }

    /// `n` items of `N` bytes.
    fn items<const N: usize>(&mut self, n: usize) -> Result<&'a [[u8; N]]> {
        Ok(self.take(n.saturating_mul(N))?.as_chunks().0)
    }

    fn item<const N: usize>(&mut self) -> Result<[u8; N]> {
        Ok(self.items::<N>(1)?.first().copied().unwrap_or([0; N]))
    }

    fn i32(&mut self) -> Result<i32> {
        self.item().map(i32::from_be_bytes)
    }

    /// A count in four bytes, of `what`.
    fn count(&mut self, what: &str) -> Result<usize> {
        let count = self.i32()?;
        usize::try_from(count).map_err(|_negative| {
            Error::file(
                self.path,
                format!(
                    "says it holds {count} {what}: it is damaged, so copy or download it again"
                ),
            )
        })
    }

    /// An unsigned number in three bytes.
    fn u24(&mut self) -> Result<usize> {
        self.item().map(u24)
    }

    /// Text to the end of the line, without it.
    fn skip_line(&mut self) -> Result<()> {
        let end = self.bytes.iter().position(|&b| b == b'\n');
        self.take(end.map_or(usize::MAX, |end| end + 1)).map(drop)
    }

    /// Text of a stated length, up to its first NUL.
    fn text(&mut self) -> Result<String> {
        let n = self.count("characters in a name")?;
        let bytes = self.take(n)?;
        let end = bytes.iter().position(|&b| b == 0).unwrap_or(n);
        Ok(String::from_utf8_lossy(&bytes[..end]).trim().to_owned())
    }
}

fn u24([a, b, c]: [u8; 3]) -> usize {
    u32::from_be_bytes([0, a, b, c]) as usize
}

/// Three floats.
fn point(bytes: &[u8; 12]) -> glam::Vec3 {
    let part = |at: usize| f32::from_be_bytes(std::array::from_fn(|i| bytes[at + i]));
    glam::Vec3::new(part(0), part(4), part(8))
}

/// The name of a map: its file's, without the endings that tell only of the format.
fn map_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let bare = [".mgh", ".mgz"].iter().find_map(|e| name.strip_suffix(e));
    bare.unwrap_or(name).to_owned()
}
