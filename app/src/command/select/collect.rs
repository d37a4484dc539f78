//! Into the basket: what somebody points at, all of its cluster or region, or the strongest of the map.

use fusiform_pipelines::select::cluster::cluster_of;
use fusiform_pipelines::select::pick::pick;
use fusiform_pipelines::select::{Basket, FeatureKind, FeatureRef, Table};
use fusiform_pipelines::surface::{Hemisphere, Shape};
use glam::DVec3;

use super::{TITLE, change};
use crate::jobs::Jobs;
use crate::layout::Layout;
use crate::session::selected::Extracted;
use crate::session::{Grade, HemisphereData, Session};

/// A single feature this far from where somebody points (mm) is not meant.
const REACH_MM: f64 = 6.0;

/// The column of the feature at a world point.
pub(super) fn column_at(session: &Session, extracted: &Extracted, at: DVec3) -> Option<usize> {
    let table = &extracted.table;
    match &table.kind {
        FeatureKind::Voxels => {
            if let Some(grid) = extracted.grid() {
                let ijk = grid.voxel_at(at)?;
                return table.column_of(&FeatureRef::Voxel { ijk });
            }
            nearest(table, at, REACH_MM)
        }
        FeatureKind::Vertices => nearest(table, at, REACH_MM),
        FeatureKind::Mixed(mix) if mix.voxels || mix.vertices => nearest(table, at, REACH_MM),
        _ => {
            let region = &session.region_at(at)?.name;
            let place = table.regions.iter().position(|r| r == region)?;
            let order = &session.selected.map.as_ref()?.order;
            let of_region = |c: &&usize| table.columns[**c].region == Some(place);
            order.iter().find(of_region).copied()
        }
    }
}

/// The voxel, vertex or point nearest to a place; regions have a centre, which nobody means.
fn nearest(table: &Table, at: DVec3, reach_mm: f64) -> Option<usize> {
    let far = |c: usize| {
        let column = &table.columns[c];
        let is_spot = column.feature.is_spot();
        let world = column.world_mm.filter(|_| is_spot)?;
        Some((world.distance(at), c))
    };
    let near = (0..table.n_features()).filter_map(far);
    near.filter(|(mm, _)| *mm <= reach_mm)
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, c)| c)
}

pub(super) fn collect(
    session: &mut Session,
    layout: &mut Layout,
    jobs: &mut Jobs,
    column: usize,
    whole: bool,
) {
    let Some(extracted) = session.selected.extracted.clone() else {
        return;
    };
    let table = &extracted.table;
    let columns = if whole {
        around(session, &extracted, column)
    } else {
        vec![column]
    };
    let runs = session.selected.map.as_ref().map(|now| &now.map.runs);
    let seen = runs.cloned().unwrap_or_default();
    let mut look = layout.view.select.clone();
    let of_this_table = |f: &FeatureRef| table.column_of(f).is_some();
    if !look.basket.features.iter().all(of_this_table) {
        look.basket = Basket::default();
    }
    let before = look.basket.features.len();
    for column in columns {
        let Some(feature) = table.columns.get(column).map(|c| &c.feature) else {
            continue;
        };
        if !look.basket.features.contains(feature) {
            look.basket.features.push(feature.clone());
        }
    }
    for run in seen {
        if !look.basket.seen_runs.contains(&run) {
            look.basket.seen_runs.push(run);
        }
    }
    if look.basket.features.len() > before {
        change(session, layout, jobs, look);
    }
}

/// All that one click means with Shift: the cluster of what is shown, else what is shown of the region, else the region.
fn around(session: &Session, extracted: &Extracted, column: usize) -> Vec<usize> {
    let table = &extracted.table;
    let Some(now) = &session.selected.map else {
        return vec![column];
    };
    let cortex = &session.subject.cortex;
    let triangles = |side: Hemisphere| {
        let hemisphere = cortex.iter().find(|h| h.hemisphere == side);
        let whole = |h: &&HemisphereData| {
            let shape = h.shapes.iter().find(|s| s.0 != Shape::Flat);
            shape.map(|(_, surface, _)| surface.triangles.to_vec())
        };
        hemisphere.as_ref().and_then(whole).unwrap_or_default()
    };
    let cluster = cluster_of(table, &now.shown, column, &triangles);
    if !cluster.is_empty() {
        return cluster;
    }
    let region = table.columns.get(column).and_then(|c| c.region);
    let of_region = |c: &usize| {
        region.is_some() && table.columns[*c].region == region && now.map.values[*c].is_finite()
    };
    let all: Vec<usize> = (0..table.n_features()).filter(of_region).collect();
    let shown: Vec<usize> = all.iter().copied().filter(|&c| now.shown[c]).collect();
    match (shown.is_empty(), all.is_empty()) {
        (false, _) => shown,
        (true, false) => all,
        (true, true) => vec![column],
    }
}

pub(super) fn auto_pick(session: &mut Session, layout: &mut Layout, jobs: &mut Jobs) {
    let (Some(extracted), Some(now)) = (&session.selected.extracted, &session.selected.map) else {
        return;
    };
    let mut look = layout.view.select.clone();
    let columns = pick(&extracted.table, &now.map.values, &look.pick());
    if columns.is_empty() {
        session.say(
            Grade::Failure,
            TITLE,
            "No feature can be picked: all of them are constant or hold values that are not finite.",
        );
        return;
    }
    look.basket = Basket::of(&extracted.table, &columns, &now.map.runs);
    change(session, layout, jobs, look);
}
