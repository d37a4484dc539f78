//! NumPy's `.npy`, versions 1 to 3: header text, then the numbers.
//! Format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.

use std::io::Write;
use std::path::Path;

use crate::io::bytes::Bytes;
use crate::io::dtype::{ByteOrder, Datatype, decode};
use crate::io::write;
use crate::matrix::Matrix;
use crate::{Error, Result};

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// Numbers read at once.
const AT_ONCE: usize = 1 << 18;

/// Reads an array of one dimension (as a column) or two (rows × columns) of any integer or float
/// type, in either byte order and either memory order. Numbers become `f32`.
///
/// # Errors
/// When the file is no `.npy`, holds other than plain numbers, has three or more dimensions, or is
/// shorter than its header says.
pub fn read(path: &Path) -> Result<Matrix> {
    read_from(path, Bytes::open(path)?)
}

/// As [`read`], from an open file; errors call it `path`.
pub(super) fn read_from(path: &Path, mut file: Bytes) -> Result<Matrix> {
    let available = file.at_most();
    let not_npy = || Error::file(path, "is not a .npy file: save the array with numpy.save");
    let mut start = [0; 8];
    file.fill(&mut start).map_err(|_short| not_npy())?;
    if &start[..6] != MAGIC || !(1..=3).contains(&start[6]) {
        return Err(not_npy());
    }
    let (len, header_at) = if start[6] == 1 {
        let mut len = [0; 2];
        file.fill(&mut len)?;
        (u64::from(u16::from_le_bytes(len)), 10)
    } else {
        let mut len = [0; 4];
        file.fill(&mut len)?;
        (u64::from(u32::from_le_bytes(len)), 12)
    };
    // NumPy itself refuses headers beyond 10 000 characters.
    if len > 10_000 {
        return Err(Error::file(
            path,
            "has an implausibly long .npy header: save the array again",
        ));
    }
    let mut header = vec![0; len as usize];
    file.fill(&mut header)?;
    let header = String::from_utf8_lossy(&header);

    let (datatype, order) = number_type(path, &header)?;
    let column_after_column =
        field(&header, "fortran_order").is_some_and(|f| f.starts_with("True"));
    let (n_rows, n_cols) = shape(path, &header)?;
    if n_rows == 0 || n_cols == 0 {
        return Err(Error::file(
            path,
            format!("is empty ({n_rows} × {n_cols}): save an array with values"),
        ));
    }
    let n_bytes = n_rows
        .checked_mul(n_cols)
        .and_then(|n| n.checked_mul(datatype.size()))
        .filter(|&n| n as u64 <= available.saturating_sub(header_at + len))
        .ok_or_else(|| {
            Error::file(
                path,
                format!(
                    "is too short for the {n_rows} × {n_cols} array its header promises: save or copy it again"
                ),
            )
        })?;
    // Piece by piece: the bytes of a large array are never in memory beside its numbers.
    let mut values = vec![0.0; n_rows * n_cols];
    let mut bytes = vec![0; n_bytes.min(AT_ONCE * datatype.size())];
    for values in values.chunks_mut(AT_ONCE) {
        let bytes = &mut bytes[..values.len() * datatype.size()];
        file.fill(bytes)?;
        decode(datatype, order, bytes, values, |v| v as f32);
    }
    file.finish()?;
    if column_after_column {
        return Ok(Matrix::from_values(n_cols, n_rows, values)?.transposed());
    }
    Matrix::from_values(n_rows, n_cols, values)
}

/// Writes a matrix as little-endian `float32`, row after row.
///
/// # Errors
/// When the file cannot be written.
pub fn write(path: &Path, matrix: &Matrix) -> Result<()> {
    let mut header = format!(
        "{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}",
        matrix.n_rows, matrix.n_cols
    );
    // Padded so that the numbers begin at a multiple of 64.
    while (10 + header.len() + 1) % 64 != 0 {
        header.push(' ');
    }
    header.push('\n');
    write::atomically(path, |file| {
        let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(|e| Error::io(path, e));
        put(MAGIC)?;
        put(&[1, 0])?;
        put(&(header.len() as u16).to_le_bytes())?;
        put(header.as_bytes())?;
        for value in &matrix.values {
            put(&value.to_le_bytes())?;
        }
        Ok(())
    })
}

/// What follows `'name':` in the header's Python dictionary.
fn field<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let quoted = [format!("'{name}'"), format!("\"{name}\"")];
    let after = quoted.iter().find_map(|q| header.split_once(q.as_str()))?.1;
    Some(after.trim_start().strip_prefix(':')?.trim_start())
}

fn number_type(path: &Path, header: &str) -> Result<(Datatype, ByteOrder)> {
    let descr = field(header, "descr").unwrap_or_default();
    let text = descr
        .strip_prefix(['\'', '"'])
        .and_then(|d| d.split(['\'', '"']).next());
    let refused = || {
        Error::file(
            path,
            format!(
                "holds {} and not plain numbers: save it as float32 (array.astype('float32'))",
                text.map_or_else(|| "records".to_owned(), |t| format!("the type {t}"))
            ),
        )
    };
    let text = text.ok_or_else(refused)?;
    let (order, code) = match text.split_at_checked(1) {
        Some(("<" | "|", code)) => (ByteOrder::Little, code),
        Some((">", code)) => (ByteOrder::Big, code),
        _ => return Err(refused()),
    };
    let datatype = match code {
        "u1" | "b1" => Datatype::U8,
        "i1" => Datatype::I8,
        "u2" => Datatype::U16,
        "i2" => Datatype::I16,
        "u4" => Datatype::U32,
        "i4" => Datatype::I32,
        "u8" => Datatype::U64,
        "i8" => Datatype::I64,
        "f4" => Datatype::F32,
        "f8" => Datatype::F64,
        _ => return Err(refused()),
    };
    Ok((datatype, order))
}

fn shape(path: &Path, header: &str) -> Result<(usize, usize)> {
    let damaged = || {
        Error::file(
            path,
            "has a .npy header without a readable shape: save the array again",
        )
    };
    let inside = field(header, "shape")
        .and_then(|s| s.strip_prefix('('))
        .and_then(|s| s.split(')').next())
        .ok_or_else(damaged)?;
    let sizes: Option<Vec<usize>> = inside
        .split(',')
        .map(|s| s.trim().trim_end_matches('L'))
        .filter(|s| !s.is_empty())
        .map(|s| s.parse().ok())
        .collect();
    match sizes.ok_or_else(damaged)?.as_slice() {
        [] => Ok((1, 1)),
        &[n] => Ok((n, 1)),
        &[rows, cols] => Ok((rows, cols)),
        more => Err(Error::file(
            path,
            format!(
                "has {} dimensions where a table needs two: reshape it to rows × columns",
                more.len()
            ),
        )),
    }
}
