//! A number for each region: read from a table, painted on a parcellation, and averaged from a run.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::io::table;
use crate::run::{Run, Stop};
use crate::surface::{Hemisphere, VertexLabels, VertexMap};
use crate::volume::{Atlas, Region, Series, Volume};
use crate::{Error, Result};

/// Names that wait in an error message beyond these are counted only.
const MOST_NAMED: usize = 12;

/// Numbers by region, as a table gives them.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionValues {
    /// What the numbers are: the heading of their column.
    pub name: String,
    /// Each region by its name or its key, with its number.
    pub rows: Vec<(String, f32)>,
}

/// Reads a table of two columns, TSV or CSV with a heading: region name or key, and number. Rows without a number
/// (`n/a`, empty, `nan`) are left out.
///
/// # Errors
/// When it has another number of columns, a second column that is no number, a region twice, or no number at all.
pub fn read_values(path: &Path) -> Result<RegionValues> {
    let table = table::read(path)?;
    let [_, name] = table.columns.as_slice() else {
        let problem = format!(
            "has {} columns where a table of region values has two: region name or key, and number",
            table.columns.len()
        );
        return Err(Error::file(path, problem));
    };
    let numbers = table.numbers(path, name)?;
    let mut rows: Vec<(String, f32)> = Vec::new();
    let mut seen = BTreeSet::new();
    for (cells, number) in table.rows.iter().zip(numbers) {
        let region = cells.first().map(|cell| cell.trim()).unwrap_or_default();
        let Some(number) = number.filter(|n| n.is_finite() && !region.is_empty()) else {
            continue;
        };
        if !seen.insert(region.to_lowercase()) {
            let problem = format!("gives the region “{region}” twice: keep one row of it");
            return Err(Error::file(path, problem));
        }
        rows.push((region.to_owned(), number as f32));
    }
    if rows.is_empty() {
        return Err(Error::file(
            path,
            "gives no region a number: the second column holds them",
        ));
    }
    Ok(RegionValues {
        name: name.clone(),
        rows,
    })
}

/// Numbers by region key, and the rows that name no region.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matched {
    /// The number of each key.
    pub values: BTreeMap<i32, f32>,
    /// Regions of the table that are not among the regions.
    pub unmatched: Vec<String>,
}

/// Finds each row's region: by its name without regard to case, else by its key. Of one hemisphere a name may also carry
/// the side, as in `lh_cuneus`, `L_cuneus` or `left cuneus`.
pub fn matched(values: &RegionValues, regions: &[Region], side: Option<Hemisphere>) -> Matched {
    let mut found = Matched::default();
    for (name, value) in &values.rows {
        let called = |wanted: &str| -> Vec<i32> {
            let named = regions
                .iter()
                .filter(|r| r.name.eq_ignore_ascii_case(wanted));
            named.map(|region| region.key).collect()
        };
        let mut keys = called(name);
        if let (true, Some(bare)) = (keys.is_empty(), side.and_then(|s| without_side(name, s))) {
            keys = called(bare);
        }
        if keys.is_empty() {
            let key = name.parse::<i32>().ok();
            keys.extend(key.filter(|key| regions.iter().any(|region| region.key == *key)));
        }
        if keys.is_empty() {
            found.unmatched.push(name.clone());
        }
        found
            .values
            .extend(keys.into_iter().map(|key| (key, *value)));
    }
    found
}

/// A name without the side before it, if it has that side.
fn without_side(name: &str, side: Hemisphere) -> Option<&str> {
    let words = match side {
        Hemisphere::Left => ["lh", "l", "left"],
        Hemisphere::Right => ["rh", "r", "right"],
    };
    let (before, bare) = name.split_once(['_', '-', '.', ' '])?;
    let is_side = words.iter().any(|word| before.eq_ignore_ascii_case(word));
    (is_side && !bare.is_empty()).then_some(bare)
}

/// The sentence about rows that match no region: names them, and some of the regions there are.
pub fn unmatched_sentence(unmatched: &[String], regions: &[Region]) -> String {
    let listed = |names: Vec<&str>| {
        let more = names.len().saturating_sub(MOST_NAMED);
        let shown = names[..names.len() - more].join(", ");
        if more == 0 {
            shown
        } else {
            format!("{shown} and {more} more")
        }
    };
    let there = regions.iter().filter(|region| region.key != 0);
    format!(
        "the parcellation lacks {} ({} of the table); it has {}",
        listed(unmatched.iter().map(String::as_str).collect()),
        unmatched.len(),
        listed(there.map(|region| region.name.as_str()).collect())
    )
}

/// An atlas painted with numbers by key; NaN elsewhere.
pub fn painted_volume(atlas: &Atlas, values: &BTreeMap<i32, f32>) -> Volume {
    Volume {
        grid: atlas.grid.clone(),
        data: painted(&atlas.keys, values).collect(),
        assumptions: Vec::new(),
    }
}

/// A parcellation of a hemisphere painted with numbers by key; NaN elsewhere.
pub fn painted_sheet(labels: &VertexLabels, values: &BTreeMap<i32, f32>, name: &str) -> VertexMap {
    VertexMap {
        name: name.to_owned(),
        values: painted(&labels.keys, values).collect(),
    }
}

fn painted<'a>(keys: &'a [i32], values: &'a BTreeMap<i32, f32>) -> impl Iterator<Item = f32> + 'a {
    keys.iter()
        .map(|key| values.get(key).copied().unwrap_or(f32::NAN))
}

/// The mean signal of a region.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionCourse {
    /// The region.
    pub region: Region,
    /// Voxels of the run in it that have a value at every time.
    pub n_voxels: usize,
    /// Their mean at each time, in the run's unit.
    pub values: Vec<f32>,
}

/// The mean signal of every region of an atlas that has voxels in a run, in the atlas's order. A voxel of the run belongs
/// to the region its centre lies in; one with a value that is not finite is left out at all times.
pub fn region_courses(
    series: &Series,
    atlas: &Atlas,
    run: &Run<'_>,
) -> Result<Vec<RegionCourse>, Stop> {
    let n_voxels = series.grid.n_voxels();
    let same_grid = series.grid.same_as(&atlas.grid);
    let mut members: Vec<(usize, usize)> = Vec::new();
    let named = |key: i32| {
        let place = atlas.regions.iter().position(|region| region.key == key);
        place.filter(|_| key != 0)
    };
    let places: BTreeMap<i32, usize> = atlas
        .keys
        .iter()
        .copied()
        .collect::<BTreeSet<i32>>()
        .into_iter()
        .filter_map(|key| Some((key, named(key)?)))
        .collect();
    for voxel in 0..n_voxels {
        if voxel % 4096 == 0 {
            run.check()?;
        }
        let key = if same_grid {
            atlas.keys[voxel]
        } else {
            let at = series.grid.world(series.grid.ijk(voxel));
            let here = atlas.grid.voxel_at(at);
            here.map_or(0, |ijk| atlas.keys[atlas.grid.index(ijk)])
        };
        if let Some(&region) = places.get(&key) {
            members.push((voxel, region));
        }
    }
    let mut whole = vec![true; members.len()];
    for time in 0..series.n_times {
        run.check()?;
        let volume = series.values_at(time);
        for (whole, (voxel, _)) in whole.iter_mut().zip(&members) {
            *whole &= volume[*voxel].is_finite();
        }
    }
    let mut whole = whole.into_iter();
    members.retain(|_| whole.next().unwrap_or(false));
    let mut n_members = vec![0usize; atlas.regions.len()];
    for (_, region) in &members {
        n_members[*region] += 1;
    }
    let mut courses = vec![Vec::with_capacity(series.n_times); atlas.regions.len()];
    let mut sums = vec![0.0f64; atlas.regions.len()];
    for time in 0..series.n_times {
        run.check()?;
        run.progress(time, series.n_times);
        sums.fill(0.0);
        let volume = series.values_at(time);
        for (voxel, region) in &members {
            sums[*region] += f64::from(volume[*voxel]);
        }
        for ((course, sum), n) in courses.iter_mut().zip(&sums).zip(&n_members) {
            course.push((sum / *n as f64) as f32);
        }
    }
    let regions = atlas.regions.iter().zip(courses).zip(n_members);
    let with_voxels = regions.filter(|(_, n)| *n > 0);
    Ok(with_voxels
        .map(|((region, values), n_voxels)| RegionCourse {
            region: region.clone(),
            n_voxels,
            values,
        })
        .collect())
}
