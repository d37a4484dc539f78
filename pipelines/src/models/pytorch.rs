//! PyTorch's own files of weights, seen from outside: which kind, whole or cut short, how much data.
//!
//! Names and shapes are inside a pickle, a program for Python's machine, which is not run here.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::{Error, Result};

/// The kind of a file that `torch.save` wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A zip archive (PyTorch 1.6 and later) with so many entries.
    Zip {
        /// Entries of the archive: one a storage, and a few more.
        n_entries: u64,
    },
    /// Pickles one after another (before 1.6).
    Legacy,
}

/// The last record of a zip archive, its comment included, is never longer.
const MOST_TAIL: u64 = 22 + 0xffff;

/// What kind of file it is; `None` when `torch.save` did not write it.
///
/// # Errors
/// When it cannot be read, and when it is an archive without its end.
pub fn kind(path: &Path) -> Result<Option<Kind>> {
    let io = |e| Error::io(path, e);
    let mut file = File::open(path).map_err(io)?;
    let len = file.metadata().map_err(io)?.len();
    let mut start = Vec::new();
    Read::by_ref(&mut file)
        .take(16)
        .read_to_end(&mut start)
        .map_err(io)?;
    // Protocol 2, then the number 0x1950a86a20f9469cfc6c as a ten-byte integer.
    if start.starts_with(&[
        0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8,
    ]) {
        return Ok(Some(Kind::Legacy));
    }
    if !start.starts_with(b"PK\x03\x04") {
        return Ok(None);
    }
    let tail_len = len.min(MOST_TAIL);
    file.seek(SeekFrom::Start(len - tail_len)).map_err(io)?;
    let mut tail = Vec::new();
    file.take(tail_len).read_to_end(&mut tail).map_err(io)?;
    let end = tail.windows(4).rposition(|four| four == b"PK\x05\x06");
    let record = end
        .and_then(|end| tail.get(end..))
        .filter(|record| record.len() >= 22);
    let Some(record) = record else {
        return Err(Error::file(
            path,
            "is a PyTorch archive without its end: copy or download it again",
        ));
    };
    let mut n_entries = u64::from(u16::from_le_bytes([record[10], record[11]]));
    // More than 65 534 entries, or more than 4 GB: the number is in a record before this one.
    if n_entries == 0xffff
        && let Some(at) = tail.windows(4).rposition(|four| four == b"PK\x06\x06")
        && let Some(bytes) = tail.get(at + 32..at + 40)
        && let Ok(bytes) = <[u8; 8]>::try_from(bytes)
    {
        n_entries = u64::from_le_bytes(bytes);
    }
    Ok(Some(Kind::Zip { n_entries }))
}
