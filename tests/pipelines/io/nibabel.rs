//! What nibabel itself reads, where there is a Python that has it: from our files what we wrote,
//! from others' what we read.
//!
//! `FUSIFORM_PYTHON` names the Python; else it is `python3`.

use std::path::{Path, PathBuf};
use std::process::Command;

use fusiform_pipelines::io::{Datatype, gifti, nifti, npy};
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::surface::{Hemisphere, Surface, VertexLabels, VertexMap};
use fusiform_pipelines::volume::{Region, Series, Volume};
use glam::{DAffine3, DMat3, DQuat, DVec3, Vec3};
use serde_json::{Value, json};

use super::{numbers, refusal};
use crate::real_data;

/// What nibabel says of each file, and its values; `None` with a printed line when there is none.
fn nibabel(paths: &[PathBuf]) -> Option<Vec<(Value, Vec<f64>)>> {
    let python = std::env::var_os("FUSIFORM_PYTHON").unwrap_or_else(|| "python3".into());
    let there = Command::new(&python)
        .args(["-c", "import nibabel"])
        .output();
    if !there.is_ok_and(|found| found.status.success()) {
        println!("skipped: no Python with nibabel (set FUSIFORM_PYTHON)");
        return None;
    }
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../tests/pipelines/io/as_nibabel_reads.py"
    );
    let out = tempfile::tempdir().unwrap();
    let found = Command::new(&python)
        .arg(script)
        .arg(out.path())
        .args(paths)
        .output()
        .unwrap();
    let text = String::from_utf8(found.stdout).unwrap();
    let said: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let error = String::from_utf8_lossy(&found.stderr);
    assert_eq!(said.len(), paths.len(), "{error}");
    let values = |n: usize| -> Vec<f64> {
        let bytes = std::fs::read(out.path().join(n.to_string())).unwrap_or_default();
        let numbers = bytes.as_chunks::<8>().0.iter();
        numbers.map(|b| f64::from_le_bytes(*b)).collect()
    };
    Some(
        said.into_iter()
            .enumerate()
            .map(|(n, s)| (s, values(n)))
            .collect(),
    )
}

fn same(ours: &[f32], theirs: &[f64], what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (&a, &b) in ours.iter().zip(theirs) {
        let near = (f64::from(a) - b).abs() <= 1e-6 * b.abs();
        assert!(near || a.is_nan() && b.is_nan(), "{what}: {a} and {b}");
    }
}

fn same_place(grid: &Grid, rows: &Value, what: &str) {
    let m = grid.world_from_voxel;
    let theirs = numbers(rows);
    for row in 0..3 {
        let ours = m.matrix3.row(row).extend(m.translation[row]).to_array();
        for (a, b) in ours.iter().zip(&theirs[4 * row..]) {
            assert!((a - b).abs() < 1e-4, "{what}: affine {a} and {b}");
        }
    }
}

/// Left-handed, oblique, with voxels of 2 × 2.5 × 3 mm.
fn oblique(shape: [usize; 3]) -> Grid {
    let turn = DMat3::from_quat(DQuat::from_euler(glam::EulerRot::XYZ, 0.3, -0.2, 0.1));
    Grid {
        shape,
        world_from_voxel: DAffine3 {
            matrix3: turn * DMat3::from_diagonal(DVec3::new(-2.0, 2.5, 3.0)),
            translation: DVec3::new(30.5, -41.25, 12.0),
        },
    }
}

#[test]
fn nibabel_reads_the_volumes_that_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let grid = oblique([3, 4, 5]);
    let values = |n: usize| -> Vec<f32> { (0..n).map(|i| i as f32 * 0.37 - 9.0).collect() };
    let volume = |grid: &Grid| Volume {
        grid: grid.clone(),
        data: values(grid.n_voxels()).into(),
        assumptions: vec![],
    };
    let series = |data: Vec<f32>| Series {
        grid: grid.clone(),
        n_times: data.len() / 60,
        tr_secs: Some(1.25),
        data: data.into(),
        assumptions: vec![],
    };
    let long = oblique([40_000, 2, 1]);
    let keys: Vec<i32> = (0..60).map(|k| k * 70_000 - 3).collect();
    // Whole steps of a quarter from −3: what int16 with slope 0.25 and intercept −3 holds exactly.
    let quarters: Vec<f32> = (0..120).map(|i| i as f32 * 0.25 - 3.0).collect();
    nifti::write_volume(&path("v.nii.gz"), &volume(&grid)).unwrap();
    nifti::write_series(&path("s.nii.gz"), &series(values(240))).unwrap();
    nifti::write_labels(&path("l.nii"), &grid, &keys).unwrap();
    nifti::write_volume(&path("long.nii.gz"), &volume(&long)).unwrap();
    let scaling = (0.25, -3.0);
    nifti::write_scaled(
        &path("i.nii"),
        &series(quarters.clone()),
        Datatype::I16,
        scaling,
    )
    .unwrap();

    let names = ["v.nii.gz", "s.nii.gz", "l.nii", "long.nii.gz", "i.nii"];
    let Some(found) = nibabel(&names.map(path)) else {
        return;
    };
    let key_values: Vec<f32> = keys.iter().map(|&k| k as f32).collect();
    let written = [
        values(60),
        values(240),
        key_values,
        values(80_000),
        quarters,
    ];
    let stored = ["float32", "float32", "int32", "float32", "int16"];
    for (n, (said, theirs)) in found.iter().enumerate() {
        same(&written[n], theirs, names[n]);
        same_place(
            if n == 3 { &long } else { &grid },
            &said["affine"],
            names[n],
        );
        same_place(if n == 3 { &long } else { &grid }, &said["qform"], names[n]);
        assert_eq!(said["forms"], json!([2, 2]), "{}", names[n]);
        assert_eq!(said["stored"], stored[n], "{}", names[n]);
        assert_eq!(said["version"], if n == 3 { 2 } else { 1 }, "{}", names[n]);
    }
    assert_eq!(found[1].0["shape"], json!([3, 4, 5, 4]));
    assert_eq!(numbers(&found[1].0["zooms"])[3], 1.25);
    assert_eq!(found[1].0["units"], json!(["mm", "sec"]));
    assert_eq!(found[4].0["scaling"], json!([0.25, -3.0]));
}

#[test]
fn nibabel_and_numpy_read_the_surfaces_and_arrays_that_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let map: Vec<f32> = vec![0.5, -1e-9, f32::NAN, 4.0];
    let gifti_map = VertexMap {
        name: "thickness <mm> & more".into(),
        values: map.clone().into(),
    };
    let region = |key: i32, name: &str, colour: [u8; 3]| Region {
        key,
        name: name.into(),
        colour,
    };
    let labels = VertexLabels {
        keys: vec![0, 7, 7, -2].into(),
        regions: vec![
            region(-2, "V1 & V2", [255, 0, 128]),
            region(7, "hMT+", [1, 2, 3]),
        ],
    };
    let surface = Surface {
        vertices: vec![Vec3::ZERO, Vec3::X, Vec3::new(0.1, 2.0, -3.0), Vec3::Z].into(),
        triangles: vec![[0, 1, 2], [0, 2, 3]].into(),
        hemisphere: Some(Hemisphere::Left),
        assumptions: vec![],
    };
    let matrix = Matrix::from_values(2, 3, vec![1.0, 2.0, 3.5, -4.0, 0.0, 6.0]).unwrap();
    gifti::write_map(&path("m.func.gii"), &gifti_map).unwrap();
    gifti::write_labels(&path("l.label.gii"), &labels, Some(Hemisphere::Left)).unwrap();
    gifti::write_surface(&path("lh.s.surf.gii"), &surface).unwrap();
    npy::write(&path("m.npy"), &matrix).unwrap();

    let names = ["m.func.gii", "l.label.gii", "lh.s.surf.gii", "m.npy"];
    let Some(found) = nibabel(&names.map(path)) else {
        return;
    };
    same(&map, &found[0].1, "map");
    same(&[0.0, 7.0, 7.0, -2.0], &found[1].1, "labels");
    // NIFTI_INTENT_LABEL, _POINTSET and _TRIANGLE.
    assert_eq!(found[1].0["intents"], json!([1002]));
    assert_eq!(found[1].0["names"]["7"], "hMT+");
    assert_eq!(found[1].0["names"]["-2"], "V1 & V2");
    let points = surface.vertices.iter().flat_map(Vec3::to_array);
    let corners = surface.triangles.iter().flatten().map(|&v| v as f32);
    same(
        &points.chain(corners).collect::<Vec<_>>(),
        &found[2].1,
        "surface",
    );
    assert_eq!(found[2].0["intents"], json!([1008, 1009]));
    assert_eq!(found[2].0["shape"], json!([[4, 3], [2, 3]]));
    same(&matrix.values, &found[3].1, "matrix");
    assert_eq!(found[3].0["shape"], json!([2, 3]));
}

/// Read by nibabel and refused here, each with its reason.
const REFUSED: [&str; 1] = [
    // An axis of length 0: nibabel gives an array of nothing.
    "dim0.nii",
];

#[test]
fn every_file_of_the_conformance_set_reads_as_nibabel_reads_it_or_is_refused() {
    let Some(folder) = real_data("nifti_conformance") else {
        return;
    };
    let mut paths = Vec::new();
    collect(&folder, &mut paths);
    paths.sort();
    assert!(paths.len() > 50, "{paths:?}");
    let theirs = nibabel(&paths);
    for (n, path) in paths.iter().enumerate() {
        let ours = quietly(|run| nifti::read_series(path, run));
        let name = path.file_name().unwrap().to_string_lossy();
        let read_by_nibabel = theirs
            .as_ref()
            .map(|found| &found[n])
            .filter(|(said, _)| said.get("error").is_none());
        match (ours, read_by_nibabel) {
            (Ok(series), Some((said, values))) => {
                same(&series.data, values, &name);
                same_place(&series.grid, &said["affine"], &name);
                let header = nifti::read_header(path).unwrap();
                let extensions: Vec<_> = header
                    .extensions
                    .iter()
                    .map(|e| json!([e.code, e.n_bytes]))
                    .collect();
                assert_eq!(said["extensions"], json!(extensions), "{name}");
            }
            (Err(error), Some(_)) => {
                assert!(REFUSED.contains(&&*name), "nibabel reads {name}: {error}");
            }
            (Err(error), None) => {
                refusal::<(), _>(path, Err(error));
            }
            (Ok(_), None) => {}
        }
    }
}

/// All NIfTI files below a folder, the damaged ones included.
fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let nifti = [".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz"];
        if path.is_dir() {
            collect(&path, paths);
        } else if nifti.iter().any(|e| name.ends_with(e)) || name.starts_with("crash-") {
            paths.push(path);
        }
    }
}
