//! MATLAB's `.mat` files of version 5 to 7: numeric arrays, also inside structs.
//!
//! Format: MathWorks, “MAT-File Format” (R2019b), chapter 1. A file is a header of 128 bytes and then
//! elements, each a tag (type, length) and its bytes; an array is an element made of elements, and
//! may be packed with zlib. Version 7.3 is HDF5: [`super::hdf5`].

use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;

use crate::io::array::{Array, ArrayInfo, Order, no_such_array};
use crate::io::bytes::Bytes;
use crate::io::dtype::{ByteOrder, Datatype, decode};
use crate::{Error, Result};

const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;

/// Deflate makes at best 258 bytes of 2 bits.
const MOST_INFLATION: usize = 1032;

/// Structs in structs beyond this depth are damage.
const MOST_DEPTH: usize = 16;

/// Whether the file has the header of a MATLAB file of version 5 to 7.
///
/// # Errors
/// When it cannot be read.
pub fn is_mat(path: &Path) -> Result<bool> {
    Ok(byte_order(&Bytes::open(path)?.up_to(128)?).is_some())
}

/// The arrays of a file; those in structs as `struct.field`.
///
/// # Errors
/// When it is no such file or damaged.
pub fn list(path: &Path) -> Result<Vec<ArrayInfo>> {
    let mut all = Vec::new();
    visit(path, &mut |array, _| {
        all.push(ArrayInfo {
            name: array.name.clone(),
            shape: array.shape.clone(),
            datatype: class_name(array.class).to_owned(),
        });
        Ok(true)
    })?;
    Ok(all)
}

/// Reads a numeric array by its name. Imaginary parts are an error, logicals are 0 and 1.
///
/// # Errors
/// As [`list`]; when there is no such array (the text lists those there are) or it holds no plain
/// numbers.
pub fn read(path: &Path, name: &str) -> Result<Array> {
    let mut found = None;
    visit(path, &mut |array, order| {
        if array.name != name {
            return Ok(true);
        }
        let values = numbers(array, order)
            .map_err(|problem| Error::file(path, format!("its array “{name}” {problem}")))?;
        found = Some(Array {
            shape: array.shape.clone(),
            order: Order::FirstFastest,
            values,
        });
        Ok(false)
    })?;
    match found {
        Some(array) => Ok(array),
        None => Err(no_such_array(path, name, &list(path)?)),
    }
}

/// An array element taken apart as far as its name.
struct RawArray<'a> {
    name: String,
    class: u8,
    is_complex: bool,
    shape: Vec<usize>,
    /// The elements after the name.
    rest: &'a [u8],
}

/// A tag and its bytes.
struct Element<'a> {
    kind: u32,
    bytes: &'a [u8],
}

type Visitor<'v> = dyn FnMut(&RawArray<'_>, ByteOrder) -> Result<bool> + 'v;

/// Shows every array to `see` until it says `false`.
fn visit(path: &Path, see: &mut Visitor<'_>) -> Result<()> {
    let mut file = Bytes::open(path)?;
    let header = file.up_to(128)?;
    let Some(order) = byte_order(&header) else {
        return Err(Error::file(
            path,
            "is no MATLAB file of version 5 to 7: save it in MATLAB with -v7 or -v7.3",
        ));
    };
    let damaged = || Error::file(path, "is damaged or cut short: copy or save it again");
    loop {
        let tag = file.up_to(8)?;
        if tag.is_empty() {
            return Ok(());
        }
        let (kind, len) = (u32_at(&tag, 0, order), u32_at(&tag, 4, order));
        let (Some(kind), Some(len)) = (kind, len) else {
            return Err(damaged());
        };
        let body = file.up_to(len.into())?;
        if body.len() as u64 != u64::from(len) {
            return Err(damaged());
        }
        let go_on = match kind {
            MATRIX => visit_array(&body, "", order, 0, see)?,
            COMPRESSED => {
                let inflated = inflate(&body, order).ok_or_else(damaged)?;
                visit_array(&inflated, "", order, 0, see)?
            }
            // Subsystem data and what else MATLAB may add.
            _ => Some(true),
        };
        if !go_on.ok_or_else(damaged)? {
            return Ok(());
        }
    }
}

/// The bytes of the one array element inside a compressed one.
fn inflate(body: &[u8], order: ByteOrder) -> Option<Vec<u8>> {
    let mut stream = ZlibDecoder::new(body);
    let mut tag = [0; 8];
    stream.read_exact(&mut tag).ok()?;
    let len = u32_at(&tag, 4, order)? as usize;
    if u32_at(&tag, 0, order)? != MATRIX || len > body.len().saturating_mul(MOST_INFLATION) {
        return None;
    }
    let mut bytes = Vec::new();
    stream.take(len as u64).read_to_end(&mut bytes).ok()?;
    (bytes.len() == len).then_some(bytes)
}

/// Shows an array, or what a struct is made of; `None` for damage.
fn visit_array(
    body: &[u8],
    prefix: &str,
    order: ByteOrder,
    depth: usize,
    see: &mut Visitor<'_>,
) -> Result<Option<bool>> {
    // An empty element stands for an empty cell or field.
    if body.is_empty() {
        return Ok(Some(true));
    }
    let Some(array) = parse(body, prefix, order).filter(|_| depth < MOST_DEPTH) else {
        return Ok(None);
    };
    match array.class {
        1 | 2 => visit_members(&array, order, depth, see),
        _ => see(&array, order).map(Some),
    }
}

/// The fields of a struct, or the cells of a cell array, one after another.
fn visit_members(
    array: &RawArray<'_>,
    order: ByteOrder,
    depth: usize,
    see: &mut Visitor<'_>,
) -> Result<Option<bool>> {
    let mut rest = array.rest;
    let mut fields = Vec::new();
    if array.class == 2 {
        let (Some(width), Some(names)) = (next(&mut rest, order), next(&mut rest, order)) else {
            return Ok(None);
        };
        let width = u32_at(width.bytes, 0, order).unwrap_or(0) as usize;
        if width == 0 {
            return Ok(if names.bytes.is_empty() {
                Some(true)
            } else {
                None
            });
        }
        fields.extend(names.bytes.chunks_exact(width).map(text));
    }
    let n_elements: usize = array.shape.iter().product();
    let mut index = 0;
    while let Some(element) = next(&mut rest, order) {
        let name = match fields.len() {
            0 => format!("{}{{{}}}", array.name, index + 1),
            n => {
                let of = if n_elements > 1 {
                    format!("({})", index / n + 1)
                } else {
                    String::new()
                };
                format!("{}{of}.{}", array.name, fields[index % n])
            }
        };
        if element.kind != MATRIX {
            return Ok(None);
        }
        match visit_array(element.bytes, &name, order, depth + 1, see)? {
            Some(true) => {}
            stop => return Ok(stop),
        }
        index += 1;
    }
    Ok(rest.is_empty().then_some(true))
}

/// Flags, dimensions and name. Inside structs arrays have no name of their own: `given` is theirs.
fn parse<'a>(body: &'a [u8], given: &str, order: ByteOrder) -> Option<RawArray<'a>> {
    let mut rest = body;
    let flags = u32_at(next(&mut rest, order)?.bytes, 0, order)?;
    let dims = next(&mut rest, order)?;
    let shape: Option<Vec<usize>> = (0..dims.bytes.len() / 4)
        .map(|d| usize::try_from(u32_at(dims.bytes, 4 * d, order)? as i32).ok())
        .collect();
    let shape = shape.filter(|s| s.len() >= 2 && s.len() <= 32)?;
    shape
        .iter()
        .try_fold(1usize, |n, &size| n.checked_mul(size))?;
    let own = text(next(&mut rest, order)?.bytes);
    Some(RawArray {
        name: if given.is_empty() {
            own
        } else {
            given.to_owned()
        },
        class: flags as u8,
        is_complex: flags & 0x800 != 0,
        shape,
        rest,
    })
}

/// The numbers of an array; else what is the matter with it.
fn numbers(array: &RawArray<'_>, order: ByteOrder) -> Result<Vec<f32>, String> {
    if !(6..=15).contains(&array.class) || array.is_complex {
        let what = if array.is_complex {
            "complex numbers"
        } else {
            class_name(array.class)
        };
        return Err(format!(
            "holds {what} and not plain numbers: save it as single or double"
        ));
    }
    let mut rest = array.rest;
    let cut_short = || "is damaged or cut short: save it again".to_owned();
    let element = next(&mut rest, order).ok_or_else(cut_short)?;
    // MATLAB stores doubles in the smallest type that holds them.
    let datatype = match element.kind {
        1 => Datatype::I8,
        2 => Datatype::U8,
        3 => Datatype::I16,
        4 => Datatype::U16,
        5 => Datatype::I32,
        6 => Datatype::U32,
        7 => Datatype::F32,
        9 => Datatype::F64,
        12 => Datatype::I64,
        13 => Datatype::U64,
        _ => return Err(cut_short()),
    };
    let n = array.shape.iter().product::<usize>();
    if n.checked_mul(datatype.size())
        .is_none_or(|bytes| bytes > element.bytes.len())
    {
        return Err(cut_short());
    }
    let mut values = vec![0.0; n];
    decode(datatype, order, element.bytes, &mut values, |v| v as f32);
    Ok(values)
}

/// Takes the next element off `rest`. A length above 0 in the upper half of the first word marks
/// the short form: up to 4 bytes, in the tag itself. Elements begin at multiples of 8.
fn next<'a>(rest: &mut &'a [u8], order: ByteOrder) -> Option<Element<'a>> {
    let all = *rest;
    let word = u32_at(all, 0, order)?;
    let short = (word >> 16) as usize;
    let (kind, bytes, used) = if short > 0 {
        (word & 0xffff, all.get(4..8)?.get(..short)?, 8)
    } else {
        let len = u32_at(all, 4, order)? as usize;
        let bytes = all.get(8..)?.get(..len)?;
        (word, bytes, 8 + len.next_multiple_of(8))
    };
    // The last element may come without its padding.
    *rest = all.get(used..).unwrap_or_default();
    Some(Element { kind, bytes })
}

fn byte_order(header: &[u8]) -> Option<ByteOrder> {
    // Version 0x0100; 7.3 has 0x0200 here.
    match (header.get(124..126)?, header.get(126..128)?) {
        ([0, 1], b"IM") => Some(ByteOrder::Little),
        ([1, 0], b"MI") => Some(ByteOrder::Big),
        _ => None,
    }
}

fn u32_at(bytes: &[u8], at: usize, order: ByteOrder) -> Option<u32> {
    let word = bytes.get(at..)?.first_chunk()?;
    Some(match order {
        ByteOrder::Little => u32::from_le_bytes(*word),
        ByteOrder::Big => u32::from_be_bytes(*word),
    })
}

/// Text up to its first zero byte.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&b| b == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

fn class_name(class: u8) -> &'static str {
    match class {
        3 => "object",
        4 => "text",
        5 => "sparse",
        6 => "double",
        7 => "single",
        8 => "int8",
        9 => "uint8",
        10 => "int16",
        11 => "uint16",
        12 => "int32",
        13 => "uint32",
        14 => "int64",
        15 => "uint64",
        _ => "unknown",
    }
}
