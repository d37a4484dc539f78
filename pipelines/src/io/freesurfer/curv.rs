//! FreeSurfer maps over vertices ("curv" files): `lh.curv`, `lh.sulc`, `lh.thickness`, `lh.area`.

use std::path::Path;

use super::{Rest, map_name, whole};
use crate::surface::VertexMap;
use crate::{Error, Result};

/// Reads a map, of the newer form (floats) or the older (hundredths). In `curv` and `sulc`,
/// positive is into a sulcus.
///
/// # Errors
/// When the file is no such map or is cut short.
pub fn read_curv(path: &Path) -> Result<VertexMap> {
    let bytes = whole(path)?;
    let mut rest = Rest::new(path, &bytes);
    let values = if bytes.starts_with(&[0xff; 3]) {
        rest.take(3)?;
        let n_vertices = rest.count("vertices")?;
        rest.i32()?;
        let n_each = rest.i32()?;
        if n_each != 1 {
            return Err(Error::file(
                path,
                format!(
                    "is not a FreeSurfer map of one value a vertex (its header says {n_each}): give one such as lh.curv, lh.sulc or lh.thickness"
                ),
            ));
        }
        rest.items(n_vertices)?
            .iter()
            .map(|&v| f32::from_be_bytes(v))
            .collect()
    } else if is_old(&bytes) {
        let n_vertices = rest.u24()?;
        rest.u24()?;
        rest.items(n_vertices)?
            .iter()
            .map(|&v| f32::from(i16::from_be_bytes(v)) / 100.0)
            .collect()
    } else {
        return Err(Error::file(
            path,
            "is not a FreeSurfer map over vertices: give one such as lh.curv, lh.sulc or lh.thickness",
        ));
    };
    Ok(VertexMap {
        name: map_name(path),
        values,
    })
}

/// Whether a file is a map of the newer form. A surface of quadrangles has the same magic number;
/// its next twelve bytes, read as those of a map, promise more than there is.
pub(in crate::io) fn is_new(bytes: &[u8]) -> bool {
    let word = |at: usize| {
        let bytes = bytes.get(at..)?.first_chunk()?;
        u64::try_from(i32::from_be_bytes(*bytes)).ok()
    };
    bytes.starts_with(&[0xff; 3])
        && word(11) == Some(1)
        && word(3).is_some_and(|n| 15 + 4 * n <= bytes.len() as u64)
}

/// Whether a file can be a map of the older form. It has no magic number, but an exact length.
pub(in crate::io) fn is_old(bytes: &[u8]) -> bool {
    let n_vertices = bytes.first_chunk().map(|n| super::u24(*n));
    n_vertices.is_some_and(|n| n > 0 && bytes.len() == 6 + 2 * n)
}
