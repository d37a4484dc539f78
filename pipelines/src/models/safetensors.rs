//! The header of a safetensors file: names, types and shapes of its tensors, without a single value.
//!
//! Layout: 8 bytes little-endian length N, N bytes of JSON, then the values. Nothing the header says
//! is believed before it is held against the length of the file.
//! Source: the format's own description (safetensors 0.x, "Format").

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

use super::check::foreign;
use crate::{Error, Result};

/// The format's own limit on N.
const MOST_HEADER: u64 = 100_000_000;

/// One tensor, as the header describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tensor {
    /// Its name.
    pub name: String,
    /// Its type as the file spells it: F32, F16, BF16, I64, …
    pub dtype: String,
    /// Its shape, slowest axis first.
    pub shape: Vec<u64>,
    /// The byte of the file where its values start.
    pub offset: u64,
    /// Bytes of its values.
    pub len: u64,
}

impl Tensor {
    /// How many numbers it holds.
    pub fn n_values(&self) -> u64 {
        // Was checked not to overflow when it was read.
        self.shape.iter().product()
    }
}

/// What a file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Header {
    /// The tensors, in the order of their values.
    pub tensors: Vec<Tensor>,
    /// Free text that the writer left (`__metadata__`).
    pub metadata: BTreeMap<String, String>,
}

/// Reads the header and holds it against the length of the file.
///
/// # Errors
/// When the file is cut short, is something else, or contradicts itself.
pub fn header(path: &Path) -> Result<Header> {
    let mut file = File::open(path).map_err(|e| Error::io(path, e))?;
    let file_len = file.metadata().map_err(|e| Error::io(path, e))?.len();
    if let Some(what) = foreign(path)? {
        let problem = format!("is {what}, not safetensors: download it again");
        return Err(Error::file(path, problem));
    }
    let short = |needed: u64| {
        let problem = format!("ends after {file_len} of {needed} bytes: copy or download it again");
        Error::file(path, problem)
    };
    let mut n = [0; 8];
    if file_len < 8 {
        return Err(short(8));
    }
    file.read_exact(&mut n).map_err(|e| Error::io(path, e))?;
    let n = u64::from_le_bytes(n);
    let damaged = |problem: &str| {
        let remedy = "copy or download it again";
        Error::file(
            path,
            format!("is no sound safetensors file ({problem}): {remedy}"),
        )
    };
    if !(2..=MOST_HEADER).contains(&n) {
        return Err(damaged(&format!("a header of {n} bytes")));
    }
    if 8 + n > file_len {
        return Err(short(8 + n));
    }
    let mut text = vec![0; n as usize];
    file.read_exact(&mut text).map_err(|e| Error::io(path, e))?;
    let raw: Raw = serde_json::from_slice(&text).map_err(|e| damaged(&e.to_string()))?;
    let mut tensors = raw.tensors;
    tensors.sort_by_key(|(_, entry)| entry.data_offsets);
    let mut header = Header {
        tensors: Vec::with_capacity(tensors.len()),
        metadata: raw.metadata,
    };
    let mut end = 0;
    for (name, entry) in tensors {
        let [from, to] = entry.data_offsets;
        // Values follow each other without a gap: what is between them would be nobody's.
        if from != end || to < from {
            return Err(damaged(&format!(
                "“{name}” starts at byte {from}, not {end}"
            )));
        }
        let n_values = entry
            .shape
            .iter()
            .try_fold(1u64, |product, &side| product.checked_mul(side));
        let bits = bits(&entry.dtype)
            .ok_or_else(|| damaged(&format!("“{name}” has the unknown type {}", entry.dtype)))?;
        let len = n_values
            .and_then(|n| n.checked_mul(bits))
            .map(|b| b.div_ceil(8));
        if len != Some(to - from) {
            return Err(damaged(&format!(
                "“{name}” has {} bytes for the shape {:?} in {}",
                to - from,
                entry.shape,
                entry.dtype
            )));
        }
        end = to;
        header.tensors.push(Tensor {
            name,
            dtype: entry.dtype,
            shape: entry.shape,
            offset: (8 + n).saturating_add(from),
            len: to - from,
        });
    }
    match (8 + n).saturating_add(end) {
        needed if needed > file_len => Err(short(needed)),
        needed if needed < file_len => Err(damaged(&format!(
            "{} bytes after the last tensor",
            file_len - needed
        ))),
        _ => Ok(header),
    }
}

/// Bits of one value of a type.
fn bits(dtype: &str) -> Option<u64> {
    Some(match dtype {
        "F4" => 4,
        "F6_E2M3" | "F6_E3M2" => 6,
        "BOOL" | "U8" | "I8" | "F8_E5M2" | "F8_E4M3" | "F8_E8M0" | "F8_E5M2FNUZ"
        | "F8_E4M3FNUZ" => 8,
        "U16" | "I16" | "F16" | "BF16" => 16,
        "U32" | "I32" | "F32" => 32,
        "U64" | "I64" | "F64" | "C64" => 64,
        _ => return None,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: [u64; 2],
}

/// The header as it is written. A map of its own, since a name that comes twice must not pass.
struct Raw {
    tensors: Vec<(String, Entry)>,
    metadata: BTreeMap<String, String>,
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Raw, A::Error> {
        let mut seen = std::collections::BTreeSet::new();
        let mut raw = Raw {
            tensors: Vec::new(),
            metadata: BTreeMap::new(),
        };
        while let Some(name) = map.next_key::<String>()? {
            if !seen.insert(name.clone()) {
                return Err(serde::de::Error::custom(format!("“{name}” comes twice")));
            }
            if name == "__metadata__" {
                raw.metadata = map.next_value()?;
            } else {
                raw.tensors.push((name, map.next_value()?));
            }
        }
        Ok(raw)
    }
}
