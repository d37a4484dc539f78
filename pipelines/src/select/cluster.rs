//! Features that lie together: what one click takes when a whole cluster is meant.

use std::collections::{BTreeMap, BTreeSet};

use crate::select::feature::FeatureRef;
use crate::select::table::Table;
use crate::surface::Hemisphere;

/// The columns that hang together with `from` by way of others for which `shown` holds: voxels by their faces, vertices by
/// the edges of `triangles`, `from` among them. Empty when `from` itself is not shown, or is of another kind.
pub fn cluster_of(
    table: &Table,
    shown: &[bool],
    from: usize,
    triangles: &dyn Fn(Hemisphere) -> Vec<[u32; 3]>,
) -> Vec<usize> {
    let is_shown = |c: usize| shown.get(c).copied().unwrap_or(false);
    let Some(first) = table.columns.get(from).filter(|_| is_shown(from)) else {
        return Vec::new();
    };
    let place: BTreeMap<&FeatureRef, usize> = (0..table.n_features())
        .filter(|&c| is_shown(c))
        .map(|c| (&table.columns[c].feature, c))
        .collect();
    let mut beside: BTreeMap<usize, BTreeSet<usize>> = BTreeMap::new();
    match &first.feature {
        FeatureRef::Voxel { .. } => {}
        FeatureRef::Vertex { hemisphere, .. } => {
            for triangle in triangles(*hemisphere) {
                for (a, b) in [(0, 1), (1, 2), (2, 0)] {
                    let (a, b) = (triangle[a] as usize, triangle[b] as usize);
                    beside.entry(a).or_default().insert(b);
                    beside.entry(b).or_default().insert(a);
                }
            }
        }
        _ => return Vec::new(),
    }
    let neighbours = |feature: &FeatureRef| -> Vec<FeatureRef> {
        match feature {
            FeatureRef::Voxel { ijk } => faces(*ijk),
            FeatureRef::Vertex { hemisphere, index } => {
                let around = beside.get(index).into_iter().flatten();
                around
                    .map(|&index| FeatureRef::Vertex {
                        hemisphere: *hemisphere,
                        index,
                    })
                    .collect()
            }
            _ => Vec::new(),
        }
    };
    let mut found = BTreeSet::from([from]);
    let mut open = vec![from];
    while let Some(column) = open.pop() {
        for neighbour in neighbours(&table.columns[column].feature) {
            if let Some(&next) = place.get(&neighbour)
                && found.insert(next)
            {
                open.push(next);
            }
        }
    }
    found.into_iter().collect()
}

fn faces(ijk: [usize; 3]) -> Vec<FeatureRef> {
    let mut all = Vec::with_capacity(6);
    for axis in 0..3 {
        for up in [false, true] {
            let moved = if up {
                ijk[axis].checked_add(1)
            } else {
                ijk[axis].checked_sub(1)
            };
            if let Some(moved) = moved {
                let mut ijk = ijk;
                ijk[axis] = moved;
                all.push(FeatureRef::Voxel { ijk });
            }
        }
    }
    all
}
