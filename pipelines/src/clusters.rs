//! Clusters of a map above a threshold, and what a map holds in each region.

use std::collections::BTreeMap;

use glam::DVec3;

use crate::io::table::Table;
use crate::space::Grid;
use crate::volume::{Atlas, Volume};
use crate::{Error, Result};

/// Which voxels belong together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connectivity {
    /// Those that share a face (6 neighbours), as in nilearn.
    #[default]
    Faces,
    /// Those that share an edge (18 neighbours), as in SPM.
    Edges,
    /// Those that share a corner (26 neighbours), as in FSL.
    Corners,
}

/// How clusters are found.
#[derive(Clone, Copy, Debug)]
pub struct ClusterPlan {
    /// Numbers strictly above it belong to clusters.
    pub threshold: f32,
    /// Whether numbers below −`threshold` do as well, in clusters of their own.
    pub two_sided: bool,
    /// Which voxels belong together.
    pub connectivity: Connectivity,
    /// Clusters of fewer voxels are left out.
    pub least_voxels: usize,
    /// Further peaks of a cluster are as far as this from each other and from the first, mm.
    pub peak_distance_mm: f64,
    /// Further peaks of a cluster, at most.
    pub n_further_peaks: usize,
}

impl Default for ClusterPlan {
    /// As `nilearn.reporting.get_clusters_table`: one-sided, faces, peaks 8 mm apart, three of them.
    fn default() -> Self {
        Self {
            threshold: 0.0,
            two_sided: false,
            connectivity: Connectivity::Faces,
            least_voxels: 1,
            peak_distance_mm: 8.0,
            n_further_peaks: 3,
        }
    }
}

/// A place where a map is highest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peak {
    /// The voxel.
    pub voxel: [usize; 3],
    /// Its centre, world mm.
    pub world_mm: DVec3,
    /// The number there.
    pub value: f32,
}

/// Voxels that belong together.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The highest place (the lowest of a negative cluster).
    pub peak: Peak,
    /// Further local peaks, by falling magnitude.
    pub further: Vec<Peak>,
    /// Its voxels' flat indices, ascending.
    pub voxels: Vec<usize>,
    /// Its size.
    pub volume_mm3: f64,
    /// Mean of its voxels' centres, each weighted by its magnitude, world mm.
    pub centre_mm: DVec3,
}

/// The clusters of a map, positive ones first, each sort by falling magnitude of the peak. NaN belongs to none.
pub fn clusters(map: &Volume, plan: &ClusterPlan) -> Result<Vec<Cluster>> {
    if plan.threshold.is_nan() || (plan.two_sided && plan.threshold < 0.0) {
        return Err(Error::data(format!(
            "clusters of both signs need a threshold of 0 or more, not {}",
            plan.threshold
        )));
    }
    let mut found = of_sign(map, plan, 1.0);
    if plan.two_sided {
        found.extend(of_sign(map, plan, -1.0));
    }
    Ok(found)
}

fn of_sign(map: &Volume, plan: &ClusterPlan, sign: f32) -> Vec<Cluster> {
    let inside = |v: usize| map.data[v] * sign > plan.threshold;
    let mut seen = vec![false; map.data.len()];
    let mut found = Vec::new();
    let mut open = Vec::new();
    for start in 0..map.data.len() {
        if seen[start] || !inside(start) {
            continue;
        }
        seen[start] = true;
        open.push(start);
        let mut voxels = Vec::new();
        while let Some(v) = open.pop() {
            voxels.push(v);
            for n in neighbours(&map.grid, v, plan.connectivity) {
                if !seen[n] && inside(n) {
                    seen[n] = true;
                    open.push(n);
                }
            }
        }
        if voxels.len() >= plan.least_voxels {
            voxels.sort_unstable();
            found.push(described(map, plan, sign, voxels));
        }
    }
    found.sort_by(|a, b| b.peak.value.abs().total_cmp(&a.peak.value.abs()));
    found
}

/// The voxels around a voxel.
pub(crate) fn neighbours(
    grid: &Grid,
    voxel: usize,
    connectivity: Connectivity,
) -> impl Iterator<Item = usize> + '_ {
    let reach = match connectivity {
        Connectivity::Faces => 1,
        Connectivity::Edges => 2,
        Connectivity::Corners => 3,
    };
    let at = grid.ijk(voxel).map(|i| i as i64);
    let shape = grid.shape.map(|n| n as i64);
    (0..27i64).filter_map(move |code| {
        let step = [code % 3 - 1, code / 3 % 3 - 1, code / 9 - 1];
        let n_moved = step.iter().filter(|s| **s != 0).count();
        let to: [i64; 3] = std::array::from_fn(|a| at[a] + step[a]);
        let within = (0..3).all(|a| (0..shape[a]).contains(&to[a]));
        (n_moved > 0 && n_moved <= reach && within).then(|| grid.index(to.map(|i| i as usize)))
    })
}

fn described(map: &Volume, plan: &ClusterPlan, sign: f32, voxels: Vec<usize>) -> Cluster {
    let peak_at = |v: usize| Peak {
        voxel: map.grid.ijk(v),
        world_mm: map.grid.world(map.grid.ijk(v)),
        value: map.data[v],
    };
    // Higher than all around, within the cluster or not; of equals the first.
    let is_peak = |v: usize| {
        neighbours(&map.grid, v, Connectivity::Corners).all(|n| {
            let (here, there) = (map.data[v] * sign, map.data[n] * sign);
            there.is_nan() || here > there || (here == there && v < n)
        })
    };
    let mut peaks: Vec<Peak> = voxels
        .iter()
        .copied()
        .filter(|&v| is_peak(v))
        .map(peak_at)
        .collect();
    peaks.sort_by(|a, b| b.value.abs().total_cmp(&a.value.abs()));
    let highest = voxels.iter().copied().max_by(|&a, &b| {
        (map.data[a] * sign)
            .total_cmp(&(map.data[b] * sign))
            .then(b.cmp(&a))
    });
    let peak = peak_at(highest.unwrap_or_default());
    let mut kept = vec![peak];
    for candidate in peaks {
        let far = |p: &Peak| p.world_mm.distance(candidate.world_mm) >= plan.peak_distance_mm;
        if kept.len() <= plan.n_further_peaks && kept.iter().all(far) {
            kept.push(candidate);
        }
    }
    let weights = || voxels.iter().map(|&v| (v, f64::from(map.data[v].abs())));
    let total: f64 = weights().map(|(_, w)| w).sum();
    let sum: DVec3 = weights()
        .map(|(v, w)| map.grid.world(map.grid.ijk(v)) * w)
        .sum();
    Cluster {
        peak,
        further: kept.split_off(1),
        volume_mm3: voxels.len() as f64 * map.grid.voxel_mm3(),
        centre_mm: if total > 0.0 {
            sum / total
        } else {
            peak.world_mm
        },
        voxels,
    }
}

/// The share of a cluster in each region, by name, largest first; the rest lies in none.
pub fn shares(map: &Volume, cluster: &Cluster, atlas: &Atlas) -> Vec<(String, f64)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for &v in &cluster.voxels {
        if let Some(region) = atlas.region_at_world(map.grid.world(map.grid.ijk(v))) {
            *counts.entry(&region.name).or_default() += 1;
        }
    }
    let n = cluster.voxels.len().max(1) as f64;
    let mut shares: Vec<(String, f64)> = counts
        .into_iter()
        .map(|(name, count)| (name.to_owned(), count as f64 / n))
        .collect();
    shares.sort_by(|a, b| b.1.total_cmp(&a.1));
    shares
}

/// Clusters as rows: `cluster` (1, and 1a, 1b for further peaks), `x`, `y`, `z` (mm), `peak`, `voxels`, `volume_mm3`,
/// and with an atlas `region` at the peak and `regions` with the shares.
pub fn table(map: &Volume, clusters: &[Cluster], atlas: Option<&Atlas>) -> Table {
    let mut columns = ["cluster", "x", "y", "z", "peak", "voxels", "volume_mm3"]
        .map(str::to_owned)
        .to_vec();
    if atlas.is_some() {
        columns.extend(["region".to_owned(), "regions".to_owned()]);
    }
    let region = |at: DVec3| {
        let found = atlas.and_then(|atlas| atlas.region_at_world(at));
        found.map_or_else(|| "n/a".to_owned(), |region| region.name.clone())
    };
    let row = |name: String, peak: &Peak| {
        let at = peak.world_mm;
        let mut row = vec![name];
        row.extend(at.to_array().map(|mm| format!("{mm:.1}")));
        row.push(format!("{:.4}", peak.value));
        row
    };
    let mut rows = Vec::new();
    for (n, cluster) in clusters.iter().enumerate() {
        let mut main = row(format!("{}", n + 1), &cluster.peak);
        main.push(cluster.voxels.len().to_string());
        main.push(format!("{:.0}", cluster.volume_mm3));
        if let Some(atlas) = atlas {
            main.push(region(cluster.peak.world_mm));
            let parts: Vec<String> = shares(map, cluster, atlas)
                .iter()
                .map(|(name, share)| format!("{name} {:.0} %", share * 100.0))
                .collect();
            main.push(if parts.is_empty() {
                "n/a".to_owned()
            } else {
                parts.join(", ")
            });
        }
        rows.push(main);
        for (letter, peak) in ('a'..='z').zip(&cluster.further) {
            let mut further = row(format!("{}{letter}", n + 1), peak);
            further.extend(["n/a".to_owned(), "n/a".to_owned()]);
            if atlas.is_some() {
                further.extend([region(peak.world_mm), "n/a".to_owned()]);
            }
            rows.push(further);
        }
    }
    Table { columns, rows }
}

/// What a map holds in a region.
#[derive(Clone, Debug, PartialEq)]
pub struct RegionStatistics {
    /// The region's name.
    pub name: String,
    /// Its voxels that are not NaN.
    pub n_voxels: usize,
    /// Mean.
    pub mean: f64,
    /// Standard deviation (n − 1 in the denominator); NaN of one voxel.
    pub sd: f64,
    /// Median.
    pub median: f64,
    /// Least and largest number.
    pub range: (f32, f32),
    /// Where the largest magnitude is, world mm.
    pub peak_mm: DVec3,
}

/// What a map holds in each region of an atlas, in the atlas's order; voxels of the map whose centre lies in the region
/// (the grids may differ). Regions without any are left out.
pub fn by_region(map: &Volume, atlas: &Atlas) -> Vec<RegionStatistics> {
    let mut members: BTreeMap<i32, Vec<usize>> = BTreeMap::new();
    let same = map.grid.same_as(&atlas.grid);
    for v in (0..map.data.len()).filter(|&v| !map.data[v].is_nan()) {
        let key = if same {
            atlas.keys[v]
        } else {
            let at = map.grid.world(map.grid.ijk(v));
            atlas.region_at_world(at).map_or(0, |region| region.key)
        };
        if key != 0 {
            members.entry(key).or_default().push(v);
        }
    }
    let statistics = |name: &str, voxels: &[usize]| {
        let mut values: Vec<f32> = voxels.iter().map(|&v| map.data[v]).collect();
        values.sort_by(f32::total_cmp);
        let n = values.len();
        let mean = values.iter().map(|&x| f64::from(x)).sum::<f64>() / n as f64;
        let squares = values.iter().map(|&x| (f64::from(x) - mean).powi(2));
        let peak = voxels
            .iter()
            .copied()
            .max_by(|&a, &b| map.data[a].abs().total_cmp(&map.data[b].abs()));
        RegionStatistics {
            name: name.to_owned(),
            n_voxels: n,
            mean,
            sd: (squares.sum::<f64>() / (n as f64 - 1.0)).sqrt(),
            median: f64::from(values[n / 2] + values[(n - 1) / 2]) / 2.0,
            range: (values[0], values[n - 1]),
            peak_mm: map.grid.world(map.grid.ijk(peak.unwrap_or_default())),
        }
    };
    atlas
        .regions
        .iter()
        .filter_map(|region| Some(statistics(&region.name, members.get(&region.key)?)))
        .collect()
}

/// Region statistics as rows: `region`, `voxels`, `mean`, `sd`, `median`, `min`, `max`, and the peak's `x`, `y`, `z` (mm).
pub fn region_table(statistics: &[RegionStatistics]) -> Table {
    let columns = [
        "region", "voxels", "mean", "sd", "median", "min", "max", "x", "y", "z",
    ];
    let row = |s: &RegionStatistics| {
        let mut row = vec![s.name.clone(), s.n_voxels.to_string()];
        let numbers = [
            s.mean,
            s.sd,
            s.median,
            f64::from(s.range.0),
            f64::from(s.range.1),
        ];
        row.extend(numbers.map(|x| {
            if x.is_finite() {
                format!("{x:.5}")
            } else {
                "n/a".to_owned()
            }
        }));
        row.extend(s.peak_mm.to_array().map(|mm| format!("{mm:.1}")));
        row
    };
    Table {
        columns: columns.map(str::to_owned).to_vec(),
        rows: statistics.iter().map(row).collect(),
    }
}
