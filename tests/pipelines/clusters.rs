//! Clusters and regions of a map: against nilearn, and against what can be counted.

#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail by panicking, as the test does"
)]

use fusiform_pipelines::clusters::{
    ClusterPlan, Connectivity, by_region, clusters, region_table, shares, table,
};
use fusiform_pipelines::io::nifti;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::volume::{Atlas, Region, Volume};
use glam::{DAffine3, DVec3};

use crate::io::fixture;
use crate::real_data;

#[test]
fn clusters_are_nilearns() {
    let Some(folder) = real_data("nilearn_fsaverage5") else {
        return;
    };
    let map = quietly(|run| nifti::read_volume(&folder.join("image_10426.nii.gz"), run)).unwrap();
    let text = std::fs::read_to_string(fixture("clusters.json")).unwrap();
    let expected: serde_json::Value = serde_json::from_str(&text).unwrap();
    let edge = map.grid.voxel_size_mm().max_element();
    for (name, two_sided, least_voxels) in [
        ("one_sided", false, 1),
        ("two_sided", true, 1),
        ("large", false, 20),
    ] {
        let plan = ClusterPlan {
            threshold: 2.5,
            two_sided,
            least_voxels,
            ..ClusterPlan::default()
        };
        let mut ours: Vec<(f64, f64, DVec3)> = clusters(&map, &plan)
            .unwrap()
            .iter()
            .map(|c| (f64::from(c.peak.value), c.volume_mm3, c.peak.world_mm))
            .collect();
        let theirs = expected[name].as_array().unwrap();
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for row in theirs {
            let row: Vec<f64> = row
                .as_array()
                .unwrap()
                .iter()
                .map(|x| x.as_f64().unwrap())
                .collect();
            let at = DVec3::new(row[0], row[1], row[2]);
            let same = ours
                .iter()
                .position(|(peak, mm3, _)| {
                    (peak - row[3]).abs() < 1e-4 && (mm3 - row[4]).abs() <= 1.0
                })
                .unwrap_or_else(|| panic!("{name}: no cluster like {row:?}"));
            let (peak, _, place) = ours.remove(same);
            // The map ends at 7.94: where several voxels hold that, nilearn gives the middle of them.
            assert!(
                peak.abs() > 7.94 || place.distance(at) < 0.5 * edge,
                "{name}: {place} is far from {at}"
            );
        }
    }
}

fn map(shape: [usize; 3], world_from_voxel: DAffine3, f: impl Fn([usize; 3]) -> f32) -> Volume {
    let grid = Grid {
        shape,
        world_from_voxel,
    };
    let data = (0..grid.n_voxels()).map(|v| f(grid.ijk(v))).collect();
    Volume {
        grid,
        data,
        assumptions: Vec::new(),
    }
}

#[test]
fn neighbours_signs_and_peaks() {
    let scale = DAffine3::from_scale(DVec3::new(2.0, 2.0, 3.0));
    // Two voxels that share an edge, one that shares a corner with the second, and a negative pair.
    let small = map([6, 6, 6], scale, |ijk| match ijk {
        [1, 1, 1] => 5.0,
        [2, 2, 1] => 4.0,
        [3, 3, 2] => 3.0,
        [5, 5, 5] => -6.0,
        [5, 5, 4] => -2.0,
        [0, 5, 0] => f32::NAN,
        _ => 0.0,
    });
    let count = |connectivity, two_sided| {
        let plan = ClusterPlan {
            threshold: 1.0,
            two_sided,
            connectivity,
            ..ClusterPlan::default()
        };
        let found = clusters(&small, &plan).unwrap();
        found.iter().map(|c| c.voxels.len()).collect::<Vec<_>>()
    };
    assert_eq!(count(Connectivity::Faces, false), [1, 1, 1]);
    assert_eq!(count(Connectivity::Edges, false), [2, 1]);
    assert_eq!(count(Connectivity::Corners, false), [3]);
    assert_eq!(count(Connectivity::Corners, true), [3, 2]);
    let plan = ClusterPlan {
        threshold: 1.0,
        two_sided: true,
        connectivity: Connectivity::Corners,
        peak_distance_mm: 4.0,
        ..ClusterPlan::default()
    };
    let found = clusters(&small, &plan).unwrap();
    assert_eq!(found[0].peak.voxel, [1, 1, 1]);
    assert_eq!(found[0].volume_mm3, 36.0);
    assert_eq!(
        (found[1].peak.value, found[1].peak.world_mm),
        (-6.0, DVec3::new(10.0, 10.0, 15.0))
    );
    let weighed = (DVec3::new(2.0, 2.0, 3.0) * 5.0
        + DVec3::new(4.0, 4.0, 3.0) * 4.0
        + DVec3::new(6.0, 6.0, 6.0) * 3.0)
        / 12.0;
    assert!(found[0].centre_mm.distance(weighed) < 1e-9);
    let negative = ClusterPlan {
        threshold: -1.0,
        two_sided: true,
        ..ClusterPlan::default()
    };
    assert!(clusters(&small, &negative).is_err());

    // Two bumps in one cluster: the second peak is listed when it is far enough away.
    let bumps = map([20, 5, 5], DAffine3::IDENTITY, |[i, j, k]| {
        let near = |at: f32| {
            (-((i as f32 - at).powi(2) + (j as f32 - 2.0).powi(2) + (k as f32 - 2.0).powi(2))
                / 18.0)
                .exp()
        };
        3.0 * near(5.0) + 2.5 * near(14.0) + 0.4
    });
    let peaks = |peak_distance_mm| {
        let plan = ClusterPlan {
            threshold: 0.5,
            peak_distance_mm,
            ..ClusterPlan::default()
        };
        let found = clusters(&bumps, &plan).unwrap();
        assert_eq!(found.len(), 1);
        found[0].further.iter().map(|p| p.voxel).collect::<Vec<_>>()
    };
    assert_eq!(peaks(8.0), [[14, 2, 2]]);
    assert_eq!(peaks(10.0), Vec::<[usize; 3]>::new());
}

#[test]
fn regions_are_counted_and_named() {
    let region = |key, name: &str| Region {
        key,
        name: name.to_owned(),
        colour: [1, 2, 3],
    };
    let numbers = map([4, 4, 1], DAffine3::IDENTITY, |[i, j, _]| {
        if [i, j] == [3, 3] {
            f32::NAN
        } else {
            (i + 4 * j) as f32
        }
    });
    let atlas = Atlas {
        grid: numbers.grid.clone(),
        keys: (0..16).map(|v| if v % 4 < 2 { 1 } else { 7 }).collect(),
        regions: vec![region(7, "right"), region(1, "left"), region(9, "nowhere")],
    };
    let found = by_region(&numbers, &atlas);
    let names: Vec<&str> = found.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["right", "left"]);
    // right: 2, 3, 6, 7, 10, 11, 14 (15 is NaN); left: 0, 1, 4, 5, 8, 9, 12, 13.
    assert_eq!((found[0].n_voxels, found[1].n_voxels), (7, 8));
    assert!((found[0].mean - 53.0 / 7.0).abs() < 1e-9 && found[0].median == 7.0);
    assert_eq!(
        (found[1].mean, found[1].median, found[1].range),
        (6.5, 6.5, (0.0, 13.0))
    );
    assert!(
        (found[1].sd - (162.0f64 / 7.0).sqrt()).abs() < 1e-9,
        "{}",
        found[1].sd
    );
    assert_eq!(found[1].peak_mm, DVec3::new(1.0, 3.0, 0.0));
    assert_eq!(region_table(&found).rows[1][..3], ["left", "8", "6.50000"]);

    let plan = ClusterPlan {
        threshold: 7.5,
        ..ClusterPlan::default()
    };
    let above = clusters(&numbers, &plan).unwrap();
    assert_eq!(above.len(), 1);
    // 8, 9, 12, 13 lie left; 10, 11, 14 right.
    let parts = shares(&numbers, &above[0], &atlas);
    assert_eq!(parts[0].0, "left");
    assert!((parts[0].1 - 4.0 / 7.0).abs() < 1e-9);
    let rows = table(&numbers, &above, Some(&atlas)).rows;
    assert_eq!(rows[0][7..], ["right", "left 57 %, right 43 %"]);
}
