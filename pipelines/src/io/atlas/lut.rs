//! Look-up tables of atlases: what programs write to name the numbers of a label volume.
//!
//! | table | written by |
//! |---|---|
//! | TSV, CSV with a heading | BIDS, spreadsheets |
//! | `index name R G B A` | FreeSurfer (`.ctab`, `FreeSurferColorLUT.txt`) |
//! | `index R G B A visible mesh "name"` | ITK-SNAP |
//! | XML `<atlas>` | FSL |
//! | JSON `{"1": "V1"}`, `{"V1": 1}`, `[{"index": 1, "name": "V1"}]` | scripts |

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::colour_of_key;
use crate::io::bytes::Bytes;
use crate::io::table;
use crate::volume::Region;
use crate::{Error, Result};

/// Reads a look-up table, of the kind that its content tells.
///
/// # Errors
/// When the file names no regions, an index is no whole number, or a colour is no colour: the text
/// names the line where there is one.
pub fn read_regions(path: &Path) -> Result<Vec<Region>> {
    let is_table = path
        .extension()
        .is_some_and(|e| e.eq_ignore_ascii_case("tsv") || e.eq_ignore_ascii_case("csv"));
    if is_table {
        return read_columns(path);
    }
    let text = Bytes::open(path)?.text()?;
    let text = text.trim_start_matches('\u{feff}');
    match text.trim_start().chars().next() {
        Some('<') => read_xml(path, text).map(|atlas| atlas.regions),
        Some('{' | '[') => read_json(path, text),
        _ => read_lines(path, text),
    }
}

/// A table with the columns `index` (or `key`, `id`) and `name` (or `label`), and perhaps `color`
/// (`#rrggbb`) and `hemisphere`, which is put before names.
fn read_columns(path: &Path) -> Result<Vec<Region>> {
    let table = table::read(path)?;
    let column = |names: &[&str]| {
        names.iter().find_map(|name| {
            table
                .columns
                .iter()
                .position(|c| c.eq_ignore_ascii_case(name))
        })
    };
    let missing = |name: &str| {
        let found = table.columns.join(", ");
        Error::file(
            path,
            format!("names no regions, for it has no column {name} (it has {found}): add it"),
        )
    };
    let index = column(&["index", "key", "id"]).ok_or_else(|| missing("index"))?;
    let name = column(&["name", "label"]).ok_or_else(|| missing("name"))?;
    let colour = column(&["color", "colour"]);
    let hemisphere = column(&["hemisphere"]);
    let mut regions = Vec::with_capacity(table.rows.len());
    for (r, row) in table.rows.iter().enumerate() {
        let cell = |column: usize| table::said(&row[column]);
        let wrong = |what: &str, text: &str, remedy: &str| {
            Error::file(
                path,
                format!("line {}: the {what} “{text}” is none: {remedy}", r + 2),
            )
        };
        let text = cell(index).unwrap_or_default();
        let key = text
            .parse()
            .map_err(|_no_number: std::num::ParseIntError| {
                wrong("index", text, "give a whole number")
            })?;
        let given = match colour.and_then(cell) {
            Some(text) => {
                Some(parse_colour(text).ok_or_else(|| wrong("colour", text, "write #rrggbb"))?)
            }
            None => None,
        };
        let side = hemisphere
            .and_then(cell)
            .map(|side| format!("{side} "))
            .unwrap_or_default();
        regions.push(Region {
            key,
            name: cell(name)
                .map_or_else(|| format!("region {key}"), |name| format!("{side}{name}")),
            colour: given.unwrap_or_else(|| colour_of_key(key)),
        });
    }
    Ok(regions)
}

/// FreeSurfer's and ITK-SNAP's lines, told apart by the quotes around ITK-SNAP's names.
fn read_lines(path: &Path, text: &str) -> Result<Vec<Region>> {
    let mut regions = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let region = itk_snap_line(line)
            .or_else(|| freesurfer_line(line))
            .ok_or_else(|| {
                Error::file(
                    path,
                    format!(
                        "line {}: “{}” names no region: write index, name, red, green, blue, alpha",
                        index + 1,
                        line.chars().take(60).collect::<String>()
                    ),
                )
            })?;
        regions.push(region);
    }
    if regions.is_empty() {
        return Err(Error::file(
            path,
            "names no regions: give a table with an index and a name a line",
        ));
    }
    Ok(regions)
}

/// `17 Left-Hippocampus 220 216 20 0`, or without the colour.
fn freesurfer_line(line: &str) -> Option<Region> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (key, words) = words.split_first()?;
    let key = key.parse().ok()?;
    let n_numbers = words
        .iter()
        .rev()
        .take_while(|w| w.parse::<u8>().is_ok())
        .count();
    let (name, colour) = match words.len() {
        0 => return None,
        // A name may be a number itself, and may hold spaces.
        n if n > 4 && n_numbers >= 4 => words.split_at(n - 4),
        n if n > 3 && n_numbers == 3 => words.split_at(n - 3),
        n => words.split_at(n),
    };
    let colour = match colour {
        [r, g, b, ..] => [r.parse().ok()?, g.parse().ok()?, b.parse().ok()?],
        _ => colour_of_key(key),
    };
    Some(Region {
        key,
        name: name.join(" "),
        colour,
    })
}

/// `1 255 0 0 1 1 1 "Caudate"`.
fn itk_snap_line(line: &str) -> Option<Region> {
    let (numbers, name) = line.strip_suffix('"')?.split_once('"')?;
    let numbers: Vec<&str> = numbers.split_whitespace().collect();
    let [key, r, g, b, _alpha, _visible, _mesh] = numbers.as_slice() else {
        return None;
    };
    let colour = [r.parse().ok()?, g.parse().ok()?, b.parse().ok()?];
    Some(Region {
        key: key.parse().ok()?,
        name: name.to_owned(),
        colour,
    })
}

/// An FSL atlas: its regions and the images it is about.
struct FslAtlas {
    regions: Vec<Region>,
    /// Base names, without folder and extension.
    images: Vec<String>,
}

/// FSL counts labels from 0. In the images of a `Label` atlas that number is the value; in the
/// maximum-probability images of a `Probabilistic` one it is the value less one, for 0 is outside.
fn read_xml(path: &Path, text: &str) -> Result<FslAtlas> {
    let document = roxmltree::Document::parse(text)
        .map_err(|e| Error::file(path, format!("is no readable XML ({e}): correct it")))?;
    let texts = |tag: &'static str| {
        let nodes = document.descendants().filter(move |n| n.has_tag_name(tag));
        nodes.filter_map(|n| n.text().map(str::trim))
    };
    let is_label = texts("type").any(|t| t.eq_ignore_ascii_case("label"));
    let mut regions = Vec::new();
    for node in document.descendants().filter(|n| n.has_tag_name("label")) {
        let index = node.attribute("index").unwrap_or_default();
        let key = index
            .trim()
            .parse::<i32>()
            .ok()
            .and_then(|i| i.checked_add(i32::from(!is_label)));
        let key = key.ok_or_else(|| {
            Error::file(
                path,
                format!("has a label with the index “{index}”: give a whole number"),
            )
        })?;
        let name = node.text().unwrap_or_default().trim().to_owned();
        regions.push(Region {
            key,
            name,
            colour: colour_of_key(key),
        });
    }
    if regions.is_empty() {
        return Err(Error::file(
            path,
            "names no regions: an FSL atlas has <label index=\"0\">name</label>",
        ));
    }
    let base = |name: &str| {
        let name = name.rsplit('/').next().unwrap_or_default();
        name.trim_end_matches(".gz")
            .trim_end_matches(".nii")
            .to_owned()
    };
    let images = texts("imagefile")
        .chain(texts("summaryimagefile"))
        .map(base)
        .collect();
    Ok(FslAtlas { regions, images })
}

/// The FSL atlas that lists the volume `stem`, in the volume's folder or the one above.
pub(super) fn fsl_table(folder: &Path, stem: &str) -> Option<PathBuf> {
    for folder in [Some(folder), folder.parent()].into_iter().flatten() {
        let Ok(listing) = std::fs::read_dir(folder) else {
            continue;
        };
        let mut tables: Vec<PathBuf> = listing
            .flatten()
            .map(|entry| entry.path())
            .filter(|p| p.extension().is_some_and(|e| e == "xml"))
            .collect();
        tables.sort();
        let lists = |table: &PathBuf| {
            let text = Bytes::open(table).and_then(Bytes::text).unwrap_or_default();
            read_xml(table, &text).is_ok_and(|atlas| atlas.images.iter().any(|i| i == stem))
        };
        if let Some(table) = tables.into_iter().find(lists) {
            return Some(table);
        }
    }
    None
}

fn read_json(path: &Path, text: &str) -> Result<Vec<Region>> {
    let value: Value = serde_json::from_str(text)
        .map_err(|e| Error::file(path, format!("is no readable JSON ({e}): correct it")))?;
    let inner = ["regions", "labels", "LabelMap"]
        .iter()
        .find_map(|key| value.get(key));
    let regions: Option<Vec<Region>> = match inner.unwrap_or(&value) {
        Value::Array(items) => items.iter().map(json_item).collect(),
        Value::Object(pairs) => pairs
            .iter()
            .map(|(key, value)| json_pair(key, value))
            .collect(),
        _ => None,
    };
    regions.filter(|r| !r.is_empty()).ok_or_else(|| {
        Error::file(
            path,
            "names no regions: write {\"1\": \"V1\"} or [{\"index\": 1, \"name\": \"V1\"}]",
        )
    })
}

fn json_item(item: &Value) -> Option<Region> {
    let first = |keys: &[&str]| keys.iter().find_map(|key| item.get(key));
    let key = i32::try_from(first(&["index", "key", "id", "value"])?.as_i64()?).ok()?;
    let name = first(&["name", "label"])?.as_str()?.to_owned();
    let colour = match first(&["color", "colour", "rgb"]) {
        Some(Value::String(text)) => parse_colour(text),
        Some(Value::Array(parts)) => parts
            .iter()
            .take(3)
            .map(|p| p.as_u64().and_then(|p| u8::try_from(p).ok()))
            .collect::<Option<Vec<u8>>>()
            .and_then(|parts| parts.try_into().ok()),
        _ => None,
    };
    Some(Region {
        key,
        name,
        colour: colour.unwrap_or_else(|| colour_of_key(key)),
    })
}

/// `"1": "V1"` or `"V1": 1`.
fn json_pair(key: &str, value: &Value) -> Option<Region> {
    let (key, name) = match value {
        Value::String(name) => (key.trim().parse().ok()?, name.clone()),
        Value::Number(number) => (i32::try_from(number.as_i64()?).ok()?, key.to_owned()),
        _ => return None,
    };
    Some(Region {
        key,
        name,
        colour: colour_of_key(key),
    })
}

/// `#1f77b4`, with or without the `#`.
fn parse_colour(text: &str) -> Option<[u8; 3]> {
    let digits = text.strip_prefix('#').unwrap_or(text);
    if digits.len() != 6 || !digits.is_ascii() {
        return None;
    }
    let rgb = u32::from_str_radix(digits, 16).ok()?;
    Some([(rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8])
}
