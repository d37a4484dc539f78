//! Numbers by region: read, matched by name, key and side, painted, and averaged over time, against loops by hand.

use std::sync::Arc;

use fusiform_pipelines::parcels::{
    matched, painted_sheet, painted_volume, read_values, region_courses, unmatched_sentence,
};
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::surface::{Hemisphere, VertexLabels};
use fusiform_pipelines::volume::{Atlas, Region, Series};
use glam::{DAffine3, DVec3};

fn region(key: i32, name: &str) -> Region {
    Region {
        key,
        name: name.into(),
        colour: [10, 20, 30],
    }
}

/// Two slabs along i of a 4 × 2 × 2 grid of 2 mm voxels: 7 and 9; the last plane is in none.
fn atlas() -> Atlas {
    let grid = Grid {
        shape: [4, 2, 2],
        world_from_voxel: DAffine3::from_scale(DVec3::splat(2.0)),
    };
    let keys = (0..16).map(|v| [7, 9, 9, 0][grid.ijk(v)[0]]).collect();
    Atlas {
        grid,
        keys,
        regions: vec![region(7, "V1"), region(9, "FFA"), region(11, "nowhere")],
    }
}

#[test]
fn a_table_is_read_and_what_is_wrong_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("values.tsv");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        read_values(&path)
    };
    let values = read("region\tthickness\nV1\t1.5\nFFA\tn/a\n11\t-2\n").unwrap();
    assert_eq!(values.name, "thickness");
    assert_eq!(values.rows, [("V1".into(), 1.5), ("11".into(), -2.0)]);
    for (text, word) in [
        ("region\tmean\tsd\nV1\t1\t2\n", "3 columns"),
        ("region\tmean\nV1\tlarge\n", "large"),
        ("region\tmean\nV1\t1\nv1\t2\n", "twice"),
        ("region\tmean\nV1\tn/a\n", "no region a number"),
    ] {
        let said = read(text).unwrap_err().to_string();
        assert!(said.contains(word) && said.contains("values.tsv"), "{said}");
    }
    // As a spreadsheet saves it.
    std::fs::write(&path, "region,mean\n\"V1\",3\n").unwrap();
    let csv = folder.path().join("values.csv");
    std::fs::rename(&path, &csv).unwrap();
    assert_eq!(read_values(&csv).unwrap().rows, [("V1".into(), 3.0)]);
}

#[test]
fn rows_find_their_regions_and_paint_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("values.tsv");
    std::fs::write(&path, "region\tx\nv1\t2\n9\t-4\nlh_FFA\t5\nMT\t1\n").unwrap();
    let values = read_values(&path).unwrap();
    let atlas = atlas();
    let found = matched(&values, &atlas.regions, None);
    assert_eq!(found.unmatched, ["lh_FFA", "MT"]);
    let volume = painted_volume(&atlas, &found.values);
    for (v, &value) in volume.data.iter().enumerate() {
        match atlas.grid.ijk(v)[0] {
            0 => assert_eq!(value, 2.0),
            1 | 2 => assert_eq!(value, -4.0),
            _ => assert!(value.is_nan()),
        }
    }
    let labels = VertexLabels {
        keys: Arc::from([0, 2, 2, 3]),
        regions: vec![region(2, "FFA"), region(3, "V1")],
    };
    let left = matched(&values, &labels.regions, Some(Hemisphere::Left));
    let painted = painted_sheet(&labels, &left.values, "x").values;
    assert!(painted[0].is_nan());
    assert_eq!(painted[1..], [5.0, 5.0, 2.0]);
    let right = matched(&values, &labels.regions, Some(Hemisphere::Right));
    assert_eq!(right.values.get(&2), None);
    let said = unmatched_sentence(&found.unmatched, &atlas.regions);
    for name in ["2 of the table", "lh_FFA", "MT", "V1", "FFA"] {
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn courses_are_the_means_of_the_voxels_in_each_region() {
    let atlas = atlas();
    // A finer run, moved by half a voxel of it: each voxel belongs to the region its centre lies in.
    let grid = Grid {
        shape: [8, 4, 4],
        world_from_voxel: DAffine3::from_translation(DVec3::splat(-0.5)),
    };
    let n_times = 5;
    let n = grid.n_voxels();
    let mut data: Vec<f32> = (0..n * n_times)
        .map(|i| ((i * 7919) % 1009) as f32 / 10.0)
        .collect();
    // A voxel of V1 without a value at one time is left out at all.
    let lost = grid.index([0, 1, 1]);
    data[2 * n + lost] = f32::NAN;
    let series = Series {
        grid: grid.clone(),
        n_times,
        tr_secs: None,
        data: data.clone().into(),
        assumptions: Vec::new(),
    };
    let courses = quietly(|run| region_courses(&series, &atlas, run)).unwrap();
    let names: Vec<&str> = courses.iter().map(|c| c.region.name.as_str()).collect();
    assert_eq!(names, ["V1", "FFA"], "regions without voxels are left out");
    for course in &courses {
        let members: Vec<usize> = (0..n)
            .filter(|&v| v != lost)
            .filter(|&v| {
                let here = atlas.region_at_world(grid.world(grid.ijk(v)));
                here.is_some_and(|r| r.name == course.region.name)
            })
            .collect();
        assert_eq!(course.n_voxels, members.len());
        for (time, value) in course.values.iter().enumerate() {
            let sum: f64 = members.iter().map(|&v| f64::from(data[time * n + v])).sum();
            let mean = sum / members.len() as f64;
            assert!((f64::from(*value) - mean).abs() < 1e-4, "{value} {mean}");
        }
    }
}
