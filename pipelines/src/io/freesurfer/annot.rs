//! FreeSurfer annotations: one region a vertex, with the table of regions in both its versions.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;

use super::{MOST_VERTICES, Rest, whole};
use crate::io::write::atomically;
use crate::surface::VertexLabels;
use crate::volume::Region;
use crate::{Error, Result};

/// A colour entry: length of the name (at least 0), and four numbers.
const LEAST_ENTRY: usize = 20;

/// Reads an annotation. A region's key is its colour as the file has it, R + 256 G + 65536 B,
/// without the transparency. A vertex that is not in the file, or is of no region, has the key 0.
///
/// Regions of one colour cannot be told apart in such a file: they come as one, with both names.
///
/// # Errors
/// When the file is no annotation, is cut short, or names an absurd vertex.
pub fn read_annot(path: &Path) -> Result<VertexLabels> {
    parse(path, &whole(path)?)
}

/// Writes an annotation with its table (version 2). In such a file a region *is* its colour: of regions of one colour, or
/// black ones, the later get the nearest free blue, and what is returned says so.
///
/// # Errors
/// When the file cannot be written.
pub fn write_annot(path: &Path, labels: &VertexLabels) -> Result<Option<String>> {
    let mut value_of: BTreeMap<i32, i32> = BTreeMap::new();
    let mut taken = BTreeSet::from([0]);
    let mut entries: Vec<(&Region, [u8; 3])> = Vec::new();
    let mut changed = Vec::new();
    for region in labels.regions.iter().filter(|region| region.key != 0) {
        let [r, g, b] = region.colour;
        let value = |blue: u8| i32::from_le_bytes([r, g, blue, 0]);
        let mut blues: Vec<u8> = (0..=u8::MAX).collect();
        blues.sort_by_key(|blue| blue.abs_diff(b));
        // More than 256 regions of one red and green cannot be told apart: the last ones keep their colour.
        let free = blues
            .into_iter()
            .find(|blue| !taken.contains(&value(*blue)));
        let free = free.unwrap_or(b);
        if free != b {
            changed.push(region.name.as_str());
        }
        taken.insert(value(free));
        value_of.insert(region.key, value(free));
        entries.push((region, [r, g, free]));
    }
    let mut bytes: Vec<u8> = Vec::new();
    let put = |bytes: &mut Vec<u8>, n: i32| bytes.extend(n.to_be_bytes());
    let text = |bytes: &mut Vec<u8>, text: &str| {
        put(bytes, text.len() as i32 + 1);
        bytes.extend(text.bytes().chain([0]));
    };
    put(&mut bytes, labels.keys.len() as i32);
    for (vertex, key) in (0..).zip(labels.keys.iter()) {
        put(&mut bytes, vertex);
        put(&mut bytes, value_of.get(key).copied().unwrap_or(0));
    }
    put(&mut bytes, 1);
    put(&mut bytes, -2);
    put(&mut bytes, entries.len() as i32);
    text(&mut bytes, "fusiform");
    put(&mut bytes, entries.len() as i32);
    for (index, (region, colour)) in (0..).zip(&entries) {
        put(&mut bytes, index);
        text(&mut bytes, &region.name);
        for part in colour {
            put(&mut bytes, i32::from(*part));
        }
        put(&mut bytes, 0);
    }
    atomically(path, |file| {
        file.write_all(&bytes).map_err(|e| Error::io(path, e))
    })?;
    let words = format!(
        "an annotation tells regions by their colour, so that of {} was changed a little",
        changed.join(", ")
    );
    Ok((!changed.is_empty()).then_some(words))
}

fn parse(path: &Path, bytes: &[u8]) -> Result<VertexLabels> {
    let mut rest = Rest::new(path, bytes);
    let n_listed = rest.count("vertices")?;
    let pairs = rest.items::<8>(n_listed)?;
    let number =
        |bytes: &[u8; 8], at: usize| i32::from_be_bytes(std::array::from_fn(|i| bytes[at + i]));
    let mut keys = vec![0; n_listed];
    for pair in pairs {
        let listed = number(pair, 0);
        let vertex = usize::try_from(listed).ok().filter(|&v| v < MOST_VERTICES);
        let vertex = vertex.ok_or_else(|| {
            Error::file(
                path,
                format!("names the vertex {listed}: it is no FreeSurfer annotation or damaged, so give another .annot"),
            )
        })?;
        if vertex >= keys.len() {
            keys.resize(vertex + 1, 0);
        }
        keys[vertex] = match number(pair, 4) {
            -1 => 0,
            value => value & 0xff_ff_ff,
        };
    }

    // The table may be absent, with its mark or without.
    let has_table = !rest.bytes.is_empty() && rest.i32()? != 0;
    let mut regions = if has_table {
        read_table(&mut rest)?
    } else {
        Vec::new()
    };
    let named: std::collections::BTreeSet<i32> = regions.iter().map(|r| r.key).collect();
    let met: std::collections::BTreeSet<i32> = keys.iter().copied().collect();
    regions.extend(met.difference(&named).filter(|&&k| k != 0).map(|&key| {
        let [r, g, b, _] = key.to_le_bytes();
        Region {
            key,
            name: format!("region {key}"),
            colour: [r, g, b],
        }
    }));
    Ok(VertexLabels {
        keys: keys.into(),
        regions,
    })
}

/// Whether a file can be an annotation. It has no magic number: the length of its list must lead to
/// its end or to the mark of a table, and all of it must be readable.
pub(in crate::io) fn is_annot(path: &Path, bytes: &[u8]) -> bool {
    let n_listed = bytes.first_chunk().map_or(0, |n| i32::from_be_bytes(*n));
    let end = usize::try_from(n_listed).unwrap_or(0).saturating_mul(8);
    let fits = match bytes.get(4..).and_then(|b| b.get(end..)) {
        Some([] | [0, 0, 0, 0]) => true,
        Some(after) => after.starts_with(&[0, 0, 0, 1]),
        None => false,
    };
    n_listed > 0 && fits && parse(path, bytes).is_ok()
}

fn read_table(rest: &mut Rest<'_>) -> Result<Vec<Region>> {
    let first = rest.i32()?;
    let numbered = first < 0;
    if numbered && first != -2 {
        return Err(Error::file(
            rest.path,
            format!(
                "has a colour table of version {}, and 1 and 2 are known: write it again with FreeSurfer",
                -i64::from(first)
            ),
        ));
    }
    // The older table begins with its length, the newer with its version and its greatest index,
    // which may exceed its length; both then name the file they were made from.
    if numbered {
        rest.count("regions")?;
    }
    rest.text()?;
    let n_entries = if numbered {
        rest.count("regions")?
    } else {
        first as usize
    };
    let mut regions = Vec::<Region>::with_capacity(n_entries.min(rest.bytes.len() / LEAST_ENTRY));
    for _ in 0..n_entries {
        if numbered {
            rest.i32()?;
        }
        let name = rest.text()?;
        let parts = rest.items::<4>(4)?;
        let parts = parts.iter().map(|&p| u8::try_from(i32::from_be_bytes(p)));
        let parts: std::result::Result<Vec<u8>, _> = parts.collect();
        let Ok([r, g, b, _]) = parts.as_deref() else {
            return Err(Error::file(
                rest.path,
                format!(
                    "has a region “{name}” whose colour is not in 0 to 255: it is no FreeSurfer annotation or damaged, so give another .annot"
                ),
            ));
        };
        let key = i32::from_le_bytes([*r, *g, *b, 0]);
        if let Some(same) = regions.iter_mut().find(|region| region.key == key) {
            same.name = format!("{} or {name}", same.name);
        } else {
            regions.push(Region {
                key,
                name,
                colour: [*r, *g, *b],
            });
        }
    }
    Ok(regions)
}
