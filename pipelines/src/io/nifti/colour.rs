//! Colours, a byte a channel.

use std::path::Path;

use super::{read_header, require_memory};
use crate::Error;
use crate::io::dtype::Datatype;
use crate::run::{Run, Stop};
use crate::space::Grid;

use super::stream::each_chunk;

/// Reads a colour file: red, green, blue and, when the file has it, opacity, each a plane of
/// `n_voxels × n_volumes` bytes, i fastest. As numbers the same file reads as its luminance.
///
/// # Errors
/// As [`read_header`]; when the file holds no colours; when the values are cut short.
pub fn read_rgb(path: &Path, run: &Run<'_>) -> Result<(Grid, Vec<Vec<u8>>), Stop> {
    let header = read_header(path)?;
    if !matches!(header.datatype, Datatype::Rgb | Datatype::Rgba) {
        let problem = format!(
            "holds {} values and no colours: read it as a volume",
            header.datatype.name()
        );
        return Err(Error::file(path, problem).into());
    }
    let n_channels = header.datatype.size();
    require_memory::<u8>(&header, header.n_values() * n_channels)?;
    let mut planes = vec![vec![0; header.n_values()]; n_channels];
    each_chunk(&header, run, |first, bytes| {
        for (channel, plane) in planes.iter_mut().enumerate() {
            let stored = bytes.iter().skip(channel).step_by(n_channels);
            for (out, &byte) in plane[first..].iter_mut().zip(stored) {
                *out = byte;
            }
        }
        Ok(())
    })?;
    Ok((header.grid, planes))
}
