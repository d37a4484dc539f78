//! Volumes on the cortical sheet: against nilearn, against geometry, and against each other.

#![allow(
    clippy::unwrap_used,
    reason = "a test's helpers fail by panicking, as the test does"
)]

use fusiform_pipelines::io::{gifti, nifti, npz};
use fusiform_pipelines::project::{Interpolation, Way, ribbon, sampled};
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::surface::Surface;
use glam::{DAffine3, DVec3, Vec3};

use crate::io::fixture;
use crate::real_data;

fn grid(shape: [usize; 3], world_from_voxel: DAffine3) -> Grid {
    Grid {
        shape,
        world_from_voxel,
    }
}

/// A flat sheet of 1 mm squares at a height, `n` + 1 vertices a side from the origin.
fn sheet(n: u32, height: f32) -> Surface {
    let side = n + 1;
    let vertices =
        (0..side * side).map(|v| Vec3::new((v % side) as f32, (v / side) as f32, height));
    let triangles = (0..n * n).flat_map(|cell| {
        let v = cell % n + side * (cell / n);
        [[v, v + 1, v + side + 1], [v, v + side + 1, v + side]]
    });
    Surface {
        vertices: vertices.collect(),
        triangles: triangles.collect(),
        hemisphere: None,
        assumptions: Vec::new(),
    }
}

#[test]
fn lines_and_depths_are_nilearns() {
    let Some(folder) = real_data("nilearn_fsaverage5") else {
        return;
    };
    let volume =
        quietly(|run| nifti::read_volume(&folder.join("image_10426.nii.gz"), run)).unwrap();
    let read = |name: &str| gifti::read_surface(&folder.join("fsaverage5").join(name)).unwrap();
    let (pial, white) = (read("pial_left.gii.gz"), read("white_left.gii.gz"));
    let line = |radius_mm, n| Way::Line {
        surface: &pial,
        radius_mm,
        n,
    };
    let depth = |n| Way::Depth {
        inner: &white,
        outer: &pial,
        n,
    };
    let expected = fixture("projection.npz");
    let vertices = npz::read(&expected, "vertices").unwrap();
    for (name, way) in [
        ("line", line(3.0, 10)),
        ("line_1mm_5", line(1.0, 5)),
        ("depth", depth(10)),
        ("depth_5", depth(5)),
    ] {
        let ours = sampled(&volume.grid, way, Interpolation::Linear)
            .unwrap()
            .apply(&volume.data);
        let theirs = npz::read(&expected, name).unwrap();
        let scale = theirs.values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        let mut n_seen = 0;
        for (&vertex, &value) in vertices.values.iter().zip(&theirs.values) {
            let own = ours[vertex as usize];
            assert_eq!(own.is_nan(), value.is_nan(), "{name}, vertex {vertex}");
            if !value.is_nan() {
                n_seen += 1;
                let tolerance = 1e-4 * value.abs().max(1e-2 * scale);
                assert!(
                    (own - value).abs() <= tolerance,
                    "{name}, vertex {vertex}: {own} is not {value}"
                );
            }
        }
        assert!(n_seen > 500, "{name}: {n_seen}");
    }
}

/// Between two flat sheets each voxel of a column counts by the length of it that lies between them.
#[test]
fn a_flat_ribbon_weighs_by_length() {
    let (low, high) = (1.25, 4.1);
    let (white, pial) = (sheet(8, low as f32), sheet(8, high as f32));
    let world_from_voxel = DAffine3::from_translation(DVec3::new(-0.5, -0.5, 0.0));
    let grid = grid([10, 10, 8], world_from_voxel);
    let projection = quietly(|run| ribbon(&grid, &white, &pial, 8, run)).unwrap();
    let mut levels = [0.0f64; 8];
    let vertex = 4 + 9 * 4;
    for (voxel, weight) in projection.row(vertex) {
        let [i, j, k] = grid.ijk(voxel);
        assert!((3..=6).contains(&i) && (3..=6).contains(&j), "{i} {j}");
        levels[k] += f64::from(weight);
    }
    for (k, weight) in levels.iter().enumerate() {
        let (below, above) = (k as f64 - 0.5, k as f64 + 0.5);
        let part = (above.min(high) - below.max(low)).max(0.0) / (high - low);
        assert!(
            (weight - part).abs() < 0.03,
            "level {k}: {weight} is not {part}"
        );
    }
}

#[test]
fn the_ribbon_of_a_brain_sums_to_one_and_stays_in_the_cortex() {
    let Some(folder) = real_data("nilearn_fsaverage5") else {
        return;
    };
    let volume =
        quietly(|run| nifti::read_volume(&folder.join("image_10426.nii.gz"), run)).unwrap();
    let read = |name: &str| gifti::read_surface(&folder.join("fsaverage5").join(name)).unwrap();
    let (pial, white) = (read("pial_left.gii.gz"), read("white_left.gii.gz"));
    let projection = quietly(|run| ribbon(&volume.grid, &white, &pial, 3, run)).unwrap();
    let size_mm = volume.grid.voxel_size_mm().max_element();
    let mut n_with = 0;
    for vertex in 0..projection.n_vertices() {
        let sum: f32 = projection.row(vertex).map(|(_, weight)| weight).sum();
        if sum == 0.0 {
            continue;
        }
        n_with += 1;
        assert!((sum - 1.0).abs() < 1e-5, "vertex {vertex}: {sum}");
        let middle = white.vertices[vertex]
            .lerp(pial.vertices[vertex], 0.5)
            .as_dvec3();
        for (voxel, _) in projection.row(vertex) {
            let away = volume.grid.world(volume.grid.ijk(voxel)).distance(middle);
            assert!(away < 14.0 + size_mm, "vertex {vertex}: {away} mm away");
        }
    }
    assert!(n_with > 9_800, "{n_with} of 10242 vertices have voxels");
    // Two methods, one map: alike, not equal.
    let by_ribbon = projection.apply(&volume.data);
    let way = Way::Depth {
        inner: &white,
        outer: &pial,
        n: 10,
    };
    let by_depth = sampled(&volume.grid, way, Interpolation::Linear)
        .unwrap()
        .apply(&volume.data);
    let pairs = || {
        by_ribbon
            .iter()
            .zip(&by_depth)
            .filter(|(a, b)| a.is_finite() && b.is_finite())
    };
    let mean =
        |f: &dyn Fn((&f32, &f32)) -> f64| pairs().map(f).sum::<f64>() / pairs().count() as f64;
    let (ma, mb) = (mean(&|(a, _)| f64::from(*a)), mean(&|(_, b)| f64::from(*b)));
    let cov = mean(&|(a, b)| (f64::from(*a) - ma) * (f64::from(*b) - mb));
    let sd = |m: f64, f: &dyn Fn((&f32, &f32)) -> f64| mean(&|p| (f(p) - m).powi(2)).sqrt();
    let r = cov / (sd(ma, &|(a, _)| f64::from(*a)) * sd(mb, &|(_, b)| f64::from(*b)));
    assert!(r > 0.95, "{r}");
}

/// A linear ramp is what it is wherever it is sampled linearly; voxels are met whole by the nearest.
#[test]
fn ramps_and_labels() {
    let world_from_voxel = DAffine3::from_scale_rotation_translation(
        DVec3::new(2.0, 1.5, 1.0),
        glam::DQuat::from_rotation_z(0.2),
        DVec3::new(-3.0, -4.0, -2.0),
    );
    let grid = grid([12, 14, 10], world_from_voxel);
    let ramp: Vec<f32> = (0..grid.n_voxels())
        .map(|v| {
            let w = grid.world(grid.ijk(v));
            (2.0 * w.x - w.y + 0.5 * w.z) as f32
        })
        .collect();
    let sheet = sheet(6, 2.3);
    let values = sampled(&grid, Way::Point(&sheet), Interpolation::Linear)
        .unwrap()
        .apply(&ramp);
    for (value, at) in values.iter().zip(sheet.vertices.iter()) {
        let expected = 2.0 * at.x - at.y + 0.5 * at.z;
        assert!((value - expected).abs() < 1e-4, "{value} is not {expected}");
    }
    let keys: Vec<i32> = (0..grid.n_voxels() as i32).collect();
    let nearest = sampled(&grid, Way::Point(&sheet), Interpolation::Nearest)
        .unwrap()
        .labels(&keys);
    for (key, at) in nearest.iter().zip(sheet.vertices.iter()) {
        assert_eq!(grid.voxel_at(at.as_dvec3()), Some(grid.ijk(*key as usize)));
    }
    let far = self::sheet(1, 500.0);
    let outside = sampled(&grid, Way::Point(&far), Interpolation::Linear).unwrap();
    assert!(outside.apply(&ramp).iter().all(|v| v.is_nan()));
    assert!(outside.labels(&keys).iter().all(|k| *k == 0));
    let other = self::sheet(2, 0.0);
    let way = Way::Depth {
        inner: &sheet,
        outer: &other,
        n: 3,
    };
    let refused = sampled(&grid, way, Interpolation::Linear)
        .unwrap_err()
        .to_string();
    assert!(refused.contains("49") && refused.contains('9'), "{refused}");
}
