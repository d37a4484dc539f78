//! NumPy's `.npz`: a zip archive of `.npy` arrays.
//!
//! Zip: <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>. Only what NumPy writes is read:
//! entries that are stored or deflated, found by the directory at the end of the file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use flate2::Crc;
use flate2::read::DeflateDecoder;

use crate::io::bytes::Bytes;
use crate::io::npy;
use crate::matrix::Matrix;
use crate::{Error, Result};

const DIRECTORY_END: &[u8; 4] = b"PK\x05\x06";
const DIRECTORY_ENTRY: &[u8; 4] = b"PK\x01\x02";
const LOCAL_ENTRY: &[u8; 4] = b"PK\x03\x04";

/// A comment of up to 65535 bytes may follow the 22 of the directory's end.
const MOST_END: u64 = 22 + 0xffff;

/// Deflate makes at best 258 bytes of 2 bits.
const MOST_INFLATION: u64 = 1032;

/// The names of the arrays, in the order of the file.
///
/// # Errors
/// When the file is no zip archive or is damaged.
pub fn names(path: &Path) -> Result<Vec<String>> {
    // Opened once as bytes, for the errors about files that are not there.
    drop(Bytes::open(path)?);
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    let entries = directory(path, &mut file)?;
    Ok(entries.into_iter().map(|e| e.name).collect())
}

/// Reads one array, as [`npy::read`] does.
///
/// # Errors
/// As [`names`]; when there is no such array (the text lists those there are); as [`npy::read`].
pub fn read(path: &Path, name: &str) -> Result<Matrix> {
    drop(Bytes::open(path)?);
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    let entries = directory(path, &mut file)?;
    let Some(entry) = entries.iter().find(|e| e.name == name) else {
        let there: Vec<&str> = entries.iter().map(|e| e.name.as_str()).collect();
        return Err(Error::file(
            path,
            format!("has no array “{name}”: choose among {}", there.join(", ")),
        ));
    };
    let bytes = inflate(path, &mut file, entry)?;
    let inside = path.join(name);
    npy::read_from(&inside, Bytes::in_memory(&inside, bytes))
}

/// What the directory says of one entry.
struct Entry {
    name: String,
    encrypted: bool,
    method: u16,
    checksum: u32,
    n_packed: u32,
    n_bytes: u32,
    offset: u32,
}

fn damaged(path: &Path) -> Error {
    Error::file(
        path,
        "is a damaged or incomplete .npz archive: copy it or save it again",
    )
}

fn directory(path: &Path, file: &mut File) -> Result<Vec<Entry>> {
    let io = |e| Error::io(path, e);
    let file_len = file.metadata().map_err(io)?.len();
    let start = file_len.saturating_sub(MOST_END);
    let end = bytes_at(path, file, start, file_len - start)?;
    let at = end.windows(4).rposition(|w| w == DIRECTORY_END);
    let end = at.map(|at| &end[at..]).ok_or_else(|| {
        Error::file(
            path,
            "is not an .npz file: save the arrays with numpy.savez or numpy.savez_compressed",
        )
    })?;
    let read = |bytes: &[u8]| Some((u16_at(bytes, 10)?, u32_at(bytes, 12)?, u32_at(bytes, 16)?));
    let (n_entries, len, offset) = read(end).ok_or_else(|| damaged(path))?;
    let directory = bytes_at(path, file, offset.into(), len.into())?;
    let mut rest = directory.as_slice();
    let mut entries = Vec::new();
    for _ in 0..n_entries {
        let (entry, after) = parse_entry(rest).ok_or_else(|| damaged(path))?;
        entries.push(entry);
        rest = after;
    }
    Ok(entries)
}

/// The first entry of the rest of a directory, and what follows it.
fn parse_entry(bytes: &[u8]) -> Option<(Entry, &[u8])> {
    let fixed = bytes.strip_prefix(DIRECTORY_ENTRY).map(|_| bytes)?;
    let [n_name, n_extra, n_comment] = [28, 30, 32].map(|at| u16_at(fixed, at));
    let n_name = usize::from(n_name?);
    let name = String::from_utf8_lossy(bytes.get(46..46 + n_name)?).into_owned();
    let len = 46 + n_name + usize::from(n_extra?) + usize::from(n_comment?);
    let entry = Entry {
        name: name.strip_suffix(".npy").unwrap_or(&name).to_owned(),
        encrypted: u16_at(fixed, 8)? & 1 == 1,
        method: u16_at(fixed, 10)?,
        checksum: u32_at(fixed, 16)?,
        n_packed: u32_at(fixed, 20)?,
        n_bytes: u32_at(fixed, 24)?,
        offset: u32_at(fixed, 42)?,
    };
    Some((entry, bytes.get(len..)?))
}

fn inflate(path: &Path, file: &mut File, entry: &Entry) -> Result<Vec<u8>> {
    // The mark that the true sizes stand in a field of 64 bits.
    if [entry.n_packed, entry.n_bytes, entry.offset].contains(&u32::MAX) {
        return Err(Error::file(
            path,
            format!(
                "its array “{}” is larger than 4 GiB: save it as a .npy of its own",
                entry.name
            ),
        ));
    }
    if entry.encrypted || !matches!(entry.method, 0 | 8) {
        return Err(Error::file(
            path,
            format!(
                "its array “{}” is encrypted or packed in a way that NumPy does not use: save it with numpy.savez",
                entry.name
            ),
        ));
    }
    // The header before the data repeats the name, and its extra field has a length of its own.
    let header = bytes_at(path, file, entry.offset.into(), 30)?;
    let skip = |header: &[u8]| {
        header.strip_prefix(LOCAL_ENTRY)?;
        Some(30 + u64::from(u16_at(header, 26)?) + u64::from(u16_at(header, 28)?))
    };
    let start = u64::from(entry.offset) + skip(&header).ok_or_else(|| damaged(path))?;
    let packed = bytes_at(path, file, start, entry.n_packed.into())?;
    let n_bytes = u64::from(entry.n_bytes);
    let bytes = if entry.method == 0 {
        packed
    } else {
        if n_bytes > u64::from(entry.n_packed).saturating_mul(MOST_INFLATION) {
            return Err(damaged(path));
        }
        let mut bytes = Vec::new();
        DeflateDecoder::new(packed.as_slice())
            .take(n_bytes)
            .read_to_end(&mut bytes)
            .map_err(|_bad_stream| damaged(path))?;
        bytes
    };
    let mut crc = Crc::new();
    crc.update(&bytes);
    if bytes.len() as u64 != n_bytes || crc.sum() != entry.checksum {
        return Err(damaged(path));
    }
    Ok(bytes)
}

/// `len` bytes from `start`, if the file has them.
fn bytes_at(path: &Path, file: &mut File, start: u64, len: u64) -> Result<Vec<u8>> {
    let io = |e| Error::io(path, e);
    file.seek(SeekFrom::Start(start)).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(len).read_to_end(&mut bytes).map_err(io)?;
    if (bytes.len() as u64) < len {
        return Err(damaged(path));
    }
    Ok(bytes)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
