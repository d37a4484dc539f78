//! Volume atlases: a label volume, and the table beside it that names its numbers.

mod lut;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::Error;
use crate::io::detect::{self, Kind};
use crate::io::freesurfer::mgh;
use crate::io::nifti;
use crate::run::{Run, Stop};
use crate::space::Grid;
use crate::study::Load;
use crate::volume::{Atlas, Region};

pub use lut::read_regions;

impl Load for Atlas {
    /// Reads a label volume (NIfTI or MGH) and its look-up table ([`table_of`]). Regions that no table names are
    /// called by their number; regions without a colour get one.
    fn load(path: &Path, run: &Run<'_>) -> std::result::Result<Self, Stop> {
        let (grid, keys) = read_keys(path, run)?;
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
        // Below 0 is outside, as 0 is, unless a table names it.
        for key in met.into_iter().filter(|&key| key > 0) {
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

/// The keys of a label volume in NIfTI or FreeSurfer's MGH.
fn read_keys(path: &Path, run: &Run<'_>) -> std::result::Result<(Grid, Vec<i32>), Stop> {
    if !matches!(detect::kind(path), Ok(Kind::Mgh)) {
        return nifti::read_labels(path, run);
    }
    let volume = mgh::read_volume(path, run)?;
    if let Some(value) = volume.data.iter().find(|v| v.fract() != 0.0 || v.is_nan()) {
        let problem = format!(
            "is no label volume, for it holds the value {value}: give one whose values are whole numbers"
        );
        return Err(Error::file(path, problem).into());
    }
    Ok((volume.grid, volume.data.iter().map(|&v| v as i32).collect()))
}

/// The look-up table of a label volume. Beside it, under the same name: `.tsv` or `.csv`; `.ctab`,
/// `.lut`, `.txt` or `.label` (FreeSurfer, ITK-SNAP) and `.json` when they name regions. Else, for a
/// BIDS file, the `_dseg.tsv` in its folder or one above whose entities it all shares, the one with
/// the most (BIDS's inheritance principle). Else an FSL `.xml` in its folder or the one above that
/// lists the volume, or the colour table that NSD keeps in `nsddata/freesurfer/SUBJECT/label`.
pub fn table_of(volume: &Path) -> Option<PathBuf> {
    let name = volume.file_name()?.to_str()?;
    let stem = name.strip_suffix(".gz").unwrap_or(name);
    let stem = stem.rsplit_once('.').map_or(stem, |(stem, _)| stem);
    let folder = volume.parent()?;
    let beside = ["tsv", "csv"].map(|e| folder.join(format!("{stem}.{e}")));
    if let Some(table) = beside.into_iter().find(|p| p.is_file()) {
        return Some(table);
    }
    let names = [
        format!("{name}.ctab"),
        format!("{stem}.mgz.ctab"),
        format!("{stem}.ctab"),
        format!("{stem}.lut"),
        format!("{stem}.label"),
        format!("{stem}.txt"),
        format!("{stem}.json"),
    ];
    let mut beside = names.iter().map(|name| folder.join(name));
    // Such endings are common: only one that reads as a table is taken.
    if let Some(table) =
        beside.find(|p| p.is_file() && read_regions(p).is_ok_and(|r| !r.is_empty()))
    {
        return Some(table);
    }
    bids_table(folder, stem)
        .or_else(|| lut::fsl_table(folder, stem))
        .or_else(|| nsd_table(folder, stem))
}

/// Of `nsddata/ppdata/subj01/func1pt8mm/roi/lh.floc-faces.nii.gz`, which has no table beside it.
fn nsd_table(folder: &Path, stem: &str) -> Option<PathBuf> {
    let subject = folder.ancestors().find(|a| {
        a.parent()
            .and_then(Path::file_name)
            .is_some_and(|name| name == "ppdata")
    })?;
    let nsddata = subject.parent()?.parent()?;
    let both = stem
        .strip_prefix("lh.")
        .or(stem.strip_prefix("rh."))
        .unwrap_or(stem);
    let labels = nsddata
        .join("freesurfer")
        .join(subject.file_name()?)
        .join("label");
    [
        labels.join(format!("{both}.mgz.ctab")),
        nsddata.join("templates").join(format!("{both}.ctab")),
    ]
    .into_iter()
    .find(|p| p.is_file())
}

fn bids_table(folder: &Path, stem: &str) -> Option<PathBuf> {
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
