//! Where the numbers of the Select panel's map lie: voxels and regions on a grid, vertices on the cortical sheet.

use std::collections::BTreeMap;

use fusiform_pipelines::select::{FeatureKind, FeatureRef, Statistic, Table};
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::surface::Hemisphere;
use fusiform_pipelines::volume::{Atlas, Volume};
use fusiform_render::colormap::Colormap;

use super::selected::{Extracted, MapNow};
use crate::layout::{MapLook, Shown};

/// The number of a feature as it is drawn: its distance from nothing; none of those that are not shown.
fn drawn(now: &MapNow, column: usize) -> f32 {
    if now.shown[column] {
        now.map.values[column] - now.map.statistic.none()
    } else {
        f32::NAN
    }
}

/// As a volume: voxels where they are, a region with the strongest of its features. Nothing of connections, vertices and
/// points without a grid.
pub fn on_grid(extracted: &Extracted, now: &MapNow, atlas: Option<&Atlas>) -> Option<Volume> {
    let table = &extracted.table;
    let columns = || table.columns.iter().enumerate();
    let (grid, data) = match &table.kind {
        FeatureKind::Voxels => {
            let grid = extracted.grid()?.clone();
            let data = voxels(&grid, table, now);
            (grid, data)
        }
        FeatureKind::Vertices | FeatureKind::FcEdges(_) => return None,
        // Of several kinds those that are spots are drawn where they are, the others are listed.
        FeatureKind::Mixed(mix) if mix.voxels => {
            let grid = extracted.grid()?.clone();
            let data = voxels(&grid, table, now);
            (grid, data)
        }
        FeatureKind::Mixed(mix) if mix.vertices => return None,
        FeatureKind::RoiMeans
        | FeatureKind::RoiPatterns { .. }
        | FeatureKind::FcNodeStrengths(_)
        | FeatureKind::BandPower
        | FeatureKind::Mixed(_) => {
            let atlas = atlas?;
            let mut of_region: BTreeMap<&str, f32> = BTreeMap::new();
            for (column, feature) in columns() {
                let Some(name) = feature.region.and_then(|r| table.regions.get(r)) else {
                    continue;
                };
                let value = drawn(now, column);
                let best = of_region.entry(name).or_insert(f32::NAN);
                if best.is_nan() || value.abs() > best.abs() {
                    *best = value;
                }
            }
            let of_key: BTreeMap<i32, f32> = atlas
                .regions
                .iter()
                .filter_map(|r| Some((r.key, *of_region.get(r.name.as_str())?)))
                .collect();
            let value = |key: &i32| of_key.get(key).copied().unwrap_or(f32::NAN);
            (atlas.grid.clone(), atlas.keys.iter().map(value).collect())
        }
    };
    Some(Volume {
        grid,
        data: data.into(),
        assumptions: Vec::new(),
    })
}

fn voxels(grid: &Grid, table: &Table, now: &MapNow) -> Vec<f32> {
    let mut data = vec![f32::NAN; grid.n_voxels()];
    for (column, feature) in table.columns.iter().enumerate() {
        if let FeatureRef::Voxel { ijk } = feature.feature {
            data[grid.index(ijk)] = drawn(now, column);
        }
    }
    data
}

/// On the vertices of hemispheres (each with its number of vertices); nothing of other features.
pub fn on_sheet(
    extracted: &Extracted,
    now: &MapNow,
    sides: &[(Hemisphere, usize)],
) -> Vec<Vec<f32>> {
    let table = &extracted.table;
    let has_vertices = match table.kind {
        FeatureKind::Mixed(mix) => mix.vertices,
        kind => kind == FeatureKind::Vertices,
    };
    if !has_vertices {
        return Vec::new();
    }
    let mut sheets: Vec<Vec<f32>> = sides.iter().map(|(_, n)| vec![f32::NAN; *n]).collect();
    for (column, feature) in table.columns.iter().enumerate() {
        if let FeatureRef::Vertex { hemisphere, index } = feature.feature
            && let Some(place) = sides.iter().position(|(side, _)| *side == hemisphere)
            && let Some(value) = sheets[place].get_mut(index)
        {
            *value = drawn(now, column);
        }
    }
    sheets
}

/// Its first look: from both sides where the statistic has a sign.
pub fn look(now: &MapNow) -> MapLook {
    let two_sided = now.map.statistic.is_signed();
    MapLook {
        colormap: if two_sided {
            Colormap::ColdHot
        } else {
            Colormap::Hot
        },
        threshold: 0.0,
        soft: false,
        low: 0.0,
        high: now.reach(),
        opacity: 0.95,
        two_sided,
        modulation: None,
    }
}

/// What its numbers mean, in a sentence or two.
pub fn meaning(now: &MapNow, classes: &[String]) -> String {
    let between = classes.join(" and ");
    let what = match now.map.statistic {
        Statistic::R2 => format!("The share of the variance that lies between {between} (η²)."),
        Statistic::SignedR2 => format!(
            "The share of the variance that lies between {between}, negative where the second has more."
        ),
        Statistic::T => format!("Welch's t of {between}: first minus second."),
        Statistic::DPrime => format!("d' of {between}: first minus second."),
        Statistic::Auc => format!(
            "How often the first of {between} has more in a pair of one run, less one half."
        ),
        Statistic::MutualInformation => format!(
            "What the quarter of its run in which a trial lies tells of {between}, in bits."
        ),
    };
    let rule = match now.rule() {
        Shown::Q(q) => format!("Features of q ≤ {q} alone."),
        Shown::Strongest(n) => format!("The {n} strongest features alone."),
        Shown::All => "All features.".to_owned(),
    };
    format!("{what} {rule} Runs: {}.", now.map.runs.join(", "))
}
