//! Volume atlases: a label volume, and the table beside it that names its numbers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::io::{nifti, table};
use crate::run::{Run, Stop};
use crate::study::Load;
use crate::volume::{Atlas, Region};
use crate::{Error, Result};

impl Load for Atlas {
    /// Reads a label volume and its look-up table ([`table_of`]). Regions that no table names are
    /// called by their number; regions without a colour get one.
    fn load(path: &Path, run: &Run<'_>) -> std::result::Result<Self, Stop> {
        let (grid, keys) = nifti::read_labels(path, run)?;
        let mut regions: BTreeMap<i32, Region> = BTreeMap::new();
        if let Some(table) = table_of(path) {
            let named = read_regions(&table)?;
            regions.extend(named.into_iter().map(|region| (region.key, region)));
        }
        let mut met = BTreeSet::new();
        let mut last = 0;
        for &key in &keys {
            // Neighbours are mostly alike.
            if key != last {
                met.insert(key);
                last = key;
            }
        }
        for key in met {
            regions.entry(key).or_insert_with(|| Region {
                key,
                name: format!("region {key}"),
                colour: colour_of_key(key),
            });
        }
        regions.remove(&0);
        Ok(Self {
            grid,
            keys: keys.into(),
            regions: regions.into_values().collect(),
        })
    }
}

/// Reads a look-up table: the columns `index` (or `key`, `id`) and `name` (or `label`), and perhaps
/// `color` (`#rrggbb`) and `hemisphere`, which is put before names.
///
/// # Errors
/// When those columns are missing, an index is no whole number, or a colour is no colour.
pub fn read_regions(path: &Path) -> Result<Vec<Region>> {
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

/// The look-up table of a label volume: the `.tsv` (or `.csv`) of the same name beside it; else, for
/// a BIDS file, the `_dseg.tsv` in its folder or one above whose entities it all shares, the one
/// with the most (BIDS's inheritance principle).
pub fn table_of(volume: &Path) -> Option<PathBuf> {
    let name = volume.file_name()?.to_str()?;
    let stem = name.strip_suffix(".gz").unwrap_or(name);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let folder = volume.parent()?;
    let beside = ["tsv", "csv"].map(|e| folder.join(format!("{stem}.{e}")));
    if let Some(table) = beside.into_iter().find(|p| p.is_file()) {
        return Some(table);
    }
    let (entities, suffix) = stem.rsplit_once('_')?;
    let entities: BTreeSet<&str> = entities.split('_').collect();
    if suffix != "dseg" || !entities.iter().all(|e| e.contains('-')) {
        return None;
    }
    // From the file's folder up to the one that is the data set's root.
    let mut folder = Some(folder);
    for _ in 0..6 {
        let here = folder?;
        let listing = std::fs::read_dir(if here.as_os_str().is_empty() {
            Path::new(".")
        } else {
            here
        });
        let candidates = listing.ok()?.flatten().filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let stem = name
                .strip_suffix("_dseg.tsv")
                .or((name == "dseg.tsv").then_some(""))?;
            let shared: Vec<&str> = stem.split('_').filter(|e| !e.is_empty()).collect();
            let fits = shared.iter().all(|e| entities.contains(e));
            fits.then_some((shared.len(), name))
        });
        // Among equals the name decides, so that the order of the listing does not.
        if let Some((_, name)) = candidates.max() {
            return Some(here.join(name));
        }
        if here.join("dataset_description.json").is_file() {
            return None;
        }
        folder = here.parent();
    }
    None
}

/// A colour for a region that has none: the same for the same key everywhere.
///
/// Hues go round by the golden angle, so that neighbouring keys are far apart, and lightness goes
/// through five steps, so that regions stay apart for eyes that do not tell all hues. Computed in
/// Oklch (Ottosson 2020, <https://bottosson.github.io/posts/oklab/>).
pub fn colour_of_key(key: i32) -> [u8; 3] {
    let step = f64::from(key);
    let hue = (step * 137.507_764).to_radians();
    let lightness = [0.70, 0.52, 0.86, 0.60, 0.78][key.rem_euclid(5) as usize];
    let (a, b) = (0.12 * hue.cos(), 0.12 * hue.sin());
    let l = (lightness + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
    let m = (lightness - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
    let s = (lightness - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
    let linear = [
        4.076_741_662_1 * l - 3.307_711_591_3 * m + 0.230_969_929_2 * s,
        -1.268_438_004_6 * l + 2.609_757_401_1 * m - 0.341_319_396_5 * s,
        -0.004_196_086_3 * l - 0.703_418_614_7 * m + 1.707_614_701 * s,
    ];
    linear.map(|c| {
        let c: f64 = if c <= 0.003_130_8 {
            12.92 * c
        } else {
            1.055 * c.powf(1.0 / 2.4) - 0.055
        };
        (c.clamp(0.0, 1.0) * 255.0).round() as u8
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
