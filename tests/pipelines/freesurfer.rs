//! FreeSurfer's files against what nibabel reads from them (`tests/fixtures/freesurfer.py`), real
//! ones where they are present, and the kinds of files told apart.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests stop where a test would"
)]

use std::path::{Path, PathBuf};

use fusiform_pipelines::io::detect::{self, Kind};
use fusiform_pipelines::io::freesurfer::{self, mgh};
use fusiform_pipelines::io::{cifti, gifti};
use fusiform_pipelines::run::{Stop, quietly};
use fusiform_pipelines::study::Load;
use fusiform_pipelines::surface::{Hemisphere, Surface, VertexLabels, VertexMap};
use fusiform_pipelines::volume::{Series, Volume};
use glam::{DVec3, Vec3};
use serde_json::Value;

use crate::io::{fixture, refusal};

fn file(name: &str) -> PathBuf {
    fixture("freesurfer").join(name)
}

fn expected(name: &str) -> Value {
    let text = std::fs::read_to_string(file("expected.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[name].clone()
}

/// All numbers in a JSON value, in order.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

#[test]
fn surfaces_of_every_kind_are_where_nibabel_puts_them() {
    for name in ["lh.oblique", "rh.plain", "lh.quad", "lh.quadf"] {
        let surface = freesurfer::read_surface(&file(name)).unwrap();
        let expected = expected(name);
        let vertices = numbers(&expected["vertices"]);
        assert_eq!(surface.vertices.len() * 3, vertices.len());
        let ours = surface.vertices.iter().flat_map(Vec3::to_array);
        for (ours, theirs) in ours.zip(vertices) {
            assert!((f64::from(ours) - theirs).abs() < 1e-5, "{name}");
        }
        let triangles = surface.triangles.as_flattened();
        let triangles: Vec<f64> = triangles.iter().map(|&v| f64::from(v)).collect();
        assert_eq!(triangles, numbers(&expected["triangles"]), "{name}");
    }
}

#[test]
fn surfaces_say_which_space_and_side_were_taken() {
    let oblique = freesurfer::read_surface(&file("lh.oblique")).unwrap();
    assert_eq!(oblique.hemisphere, Some(Hemisphere::Left));
    assert!(
        oblique.assumptions[0].contains("moved by (3.5, -20.2, 7.0) mm and turned"),
        "{:?}",
        oblique.assumptions
    );
    let plain = freesurfer::read_surface(&file("rh.plain")).unwrap();
    assert_eq!(plain.hemisphere, Some(Hemisphere::Right));
    // The trailer of the second says itself that it is not valid.
    for name in ["rh.plain", "lh.invalid"] {
        let surface = freesurfer::read_surface(&file(name)).unwrap();
        assert!(surface.assumptions[0].contains("no c_ras"), "{name}");
        assert_eq!(surface.vertices[0], Vec3::new(-1.5, -2.0, -3.0));
    }
}

#[test]
fn maps_new_and_old_are_what_nibabel_reads() {
    for name in ["lh.sulc", "lh.oldcurv"] {
        let map = freesurfer::read_curv(&file(name)).unwrap();
        let theirs: Vec<f32> = numbers(&expected(name)).iter().map(|&v| v as f32).collect();
        assert_eq!(*map.values, *theirs, "{name}");
        assert_eq!(map.name, name);
    }
}

fn assert_labels(labels: &VertexLabels, expected: &Value, name: &str) {
    let keys: Vec<f64> = labels.keys.iter().map(|&k| f64::from(k)).collect();
    assert_eq!(keys, numbers(&expected["keys"]), "{name}");
    let regions = expected["regions"].as_array().unwrap();
    assert_eq!(labels.regions.len(), regions.len(), "{name}");
    for (ours, theirs) in labels.regions.iter().zip(regions) {
        assert_eq!(i64::from(ours.key), theirs["key"].as_i64().unwrap());
        assert_eq!(ours.name, theirs["name"].as_str().unwrap());
        let colour = ours.colour.map(f64::from);
        assert_eq!(colour.as_slice(), numbers(&theirs["colour"]));
    }
}

#[test]
fn annotations_of_both_versions_are_what_nibabel_reads() {
    for name in ["lh.one.annot", "lh.two.annot"] {
        let labels = freesurfer::read_annot(&file(name)).unwrap();
        assert_labels(&labels, &expected(name), name);
        // The region "c" is half transparent, which is no part of its key.
        assert_eq!(labels.regions[2].key, 200 << 16);
    }
}

#[test]
fn annotations_with_holes_and_equal_colours_are_read() {
    let labels = freesurfer::read_annot(&file("lh.sparse.annot")).unwrap();
    let xy = 2 + 3 * 256;
    let keys: Vec<i32> = labels.keys.to_vec();
    assert_eq!(keys, [197_120, 0, 0, 0, 99, 197_120]);
    let names: Vec<(i32, &str)> = labels
        .regions
        .iter()
        .map(|r| (r.key, r.name.as_str()))
        .collect();
    assert_eq!(
        names,
        [(xy << 8, "x or y"), (99, "region 99")],
        "0 + 256 · 2 + 65536 · 3 is the colour of both"
    );
}

#[test]
fn a_label_is_a_list_of_vertices_and_a_mask() {
    let label = freesurfer::read_label(&file("lh.some.label")).unwrap();
    let expected = expected("lh.some.label");
    let vertices: Vec<f64> = label.vertices.iter().map(|&v| f64::from(v)).collect();
    assert_eq!(vertices, numbers(&expected["vertices"]));
    let values: Vec<f64> = label.values.iter().map(|&v| f64::from(v)).collect();
    assert_eq!(values, numbers(&expected["values"]));
    let mask = label.to_mask(8).unwrap();
    let inside: Vec<usize> = (0..8).filter(|&v| mask[v]).collect();
    assert_eq!(inside, [0, 5, 7]);
    assert!(label.to_mask(7).is_err());
}

#[test]
fn a_patch_keeps_only_whole_triangles() {
    let patch = freesurfer::read_patch(&file("lh.cut.patch.flat")).unwrap();
    assert_eq!(patch.vertices.len(), 6);
    for (v, vertex) in patch.vertices.iter().enumerate() {
        assert_eq!(vertex.vertex as usize, v);
        assert_eq!(vertex.border, v == 0 || v == 5);
        let place = Vec3::new(v as f32 * 1.5, v as f32 * -0.5, 0.0);
        assert_eq!(vertex.position, place);
    }
    let cube = freesurfer::read_surface(&file("rh.plain")).unwrap();
    let flat = freesurfer::flat_surface(&patch, &cube).unwrap();
    assert_eq!(flat.vertices.len(), 8);
    assert_eq!(flat.vertices[4], Vec3::new(6.0, -2.0, 0.0));
    // By hand: of the twelve, five name neither vertex 6 nor vertex 7.
    let whole = [[0, 1, 3], [0, 3, 2], [0, 4, 5], [0, 5, 1], [2, 4, 0]];
    assert_eq!(*flat.triangles, whole);
}

#[test]
fn volumes_of_every_type_are_what_nibabel_reads() {
    for name in [
        "u8.mgh",
        "u16.mgh",
        "i16.mgh",
        "i32.mgz",
        "f32.mgz",
        "series.mgz",
    ] {
        let series = quietly(|run| mgh::read_series(&file(name), run)).unwrap();
        let expected = expected(name);
        let mut shape = series.grid.shape.map(|n| n as f64).to_vec();
        shape.extend((series.n_times > 1).then_some(series.n_times as f64));
        assert_eq!(shape, numbers(&expected["shape"]), "{name}");
        let rows = numbers(&expected["affine"]);
        let affine = series.grid.world_from_voxel;
        for (column, ours) in affine.to_cols_array_2d().iter().enumerate() {
            for (row, ours) in ours.iter().enumerate() {
                let theirs = rows[4 * row + column];
                assert!((ours - theirs).abs() < 1e-5, "{name}: {ours} for {theirs}");
            }
        }
        let values: Vec<f32> = numbers(&expected["values"])
            .iter()
            .map(|&v| v as f32)
            .collect();
        assert_eq!(*series.data, *values, "{name}");
    }
    let series = quietly(|run| mgh::read_series(&file("series.mgz"), run)).unwrap();
    assert_eq!(series.tr_secs, Some(1.5));
    assert!(quietly(|run| mgh::read_volume(&file("series.mgz"), run)).is_err());
}

#[test]
fn a_volume_without_a_place_gets_the_default_and_says_so() {
    let volume = quietly(|run| mgh::read_volume(&file("nowhere.mgh"), run)).unwrap();
    assert!(volume.assumptions[0].contains("no orientation"));
    assert_eq!(volume.grid.orientation(), "LIA");
    // c_ras = 0 at voxel (1.5, 2.5, 3.5), voxels of 1 mm.
    assert_eq!(volume.grid.world([0, 0, 0]), DVec3::new(1.5, -3.5, 2.5));
}

#[test]
fn maps_kept_as_volumes_come_one_a_frame() {
    let maps = quietly(|run| mgh::read_map(&file("map.mgh"), run)).unwrap();
    assert_eq!(maps.len(), 2);
    assert_eq!(maps[1].name, "map 1");
    // Element (v, 0, 0, t) is 2 v + t.
    assert_eq!(*maps[1].values, [1.0, 3.0, 5.0, 7.0, 9.0, 11.0, 13.0, 15.0]);
    let refused = quietly(|run| mgh::read_map(&file("u8.mgh"), run));
    assert!(refusal(&file("u8.mgh"), refused).contains("open it as a volume"));
}

#[test]
fn the_wrong_file_is_refused_with_advice() {
    let refusals = [
        refusal(&file("lh.sulc"), freesurfer::read_surface(&file("lh.sulc"))),
        refusal(&file("lh.quad"), freesurfer::read_curv(&file("lh.quad"))),
        refusal(&file("u8.mgh"), freesurfer::read_annot(&file("u8.mgh"))),
        refusal(&file("lh.sulc"), freesurfer::read_label(&file("lh.sulc"))),
        refusal(&file("lh.sulc"), freesurfer::read_patch(&file("lh.sulc"))),
        refusal(
            &file("lh.sulc"),
            quietly(|run| mgh::read_volume(&file("lh.sulc"), run)),
        ),
    ];
    for text in refusals {
        assert!(text.contains(": ") && text.contains("give"), "{text}");
    }
}

#[test]
fn loading_takes_whatever_holds_such_data() {
    fn load<T: Load>(name: &str) -> T {
        quietly(|run| T::load(&fixture(name), run)).unwrap_or_else(|e| panic!("{e}"))
    }
    assert_eq!(load::<Surface>("freesurfer/lh.quad").triangles.len(), 12);
    assert_eq!(load::<Surface>("ascii.surf.gii").hemisphere, None);
    assert_eq!(load::<VertexMap>("freesurfer/lh.sulc").values[3], 1234.5);
    assert_eq!(load::<VertexMap>("freesurfer/map.mgh").values[7], 14.0);
    let labels = load::<VertexLabels>("freesurfer/lh.two.annot");
    assert_eq!(labels.regions.len(), 3);
    assert_eq!(load::<Volume>("freesurfer/u8.mgh").at([1, 0, 0]), 35.0);
    assert_eq!(load::<Series>("freesurfer/series.mgz").n_times, 4);
    assert!(load::<Volume>("float32_be.nii").grid.n_voxels() > 1);

    // Both hemispheres in one file: its name must say which is meant.
    let folder = tempfile::tempdir().unwrap();
    let both = fixture("cifti/areas.dlabel.nii");
    let text = refusal(&both, quietly(|run| VertexLabels::load(&both, run)));
    assert!(text.contains("both hemispheres"), "{text}");
    let right = folder.path().join("rh.areas.dlabel.nii");
    std::fs::copy(&both, &right).unwrap();
    let labels = quietly(|run| VertexLabels::load(&right, run)).unwrap();
    assert_eq!(*labels.keys, [0, 3, 0, 0, 3]);
    let map = quietly(|run| VertexMap::load(&right, run)).unwrap();
    assert_eq!(map.values[4], 3.0);
}

/// The kind each fixture was made as.
#[test]
fn fixtures_are_told_apart() {
    for (name, kind) in [
        ("freesurfer/lh.oblique", Kind::FreesurferSurface),
        ("freesurfer/lh.quad", Kind::FreesurferSurface),
        ("freesurfer/lh.quadf", Kind::FreesurferSurface),
        ("freesurfer/lh.sulc", Kind::FreesurferMap),
        ("freesurfer/lh.oldcurv", Kind::FreesurferMap),
        ("freesurfer/lh.one.annot", Kind::FreesurferAnnot),
        ("freesurfer/lh.sparse.annot", Kind::FreesurferAnnot),
        ("freesurfer/lh.some.label", Kind::FreesurferLabel),
        ("freesurfer/lh.cut.patch.flat", Kind::FreesurferPatch),
        ("freesurfer/u8.mgh", Kind::Mgh),
        ("freesurfer/series.mgz", Kind::Mgh),
        ("cifti/two.pscalar.nii", Kind::Cifti),
        ("nifti2_be.nii", Kind::Nifti),
        ("float32_be.nii", Kind::Nifti),
        ("pair.img", Kind::Nifti),
        ("gzip_in_disguise.nii", Kind::Nifti),
        ("whole.surf.gii.gz", Kind::GiftiSurface),
        ("maps.func.gii", Kind::GiftiMap),
        ("areas.label.gii", Kind::GiftiLabels),
        ("f4.npy", Kind::Npy),
        ("arrays.npz", Kind::Npz),
    ] {
        assert_eq!(detect::kind(&fixture(name)).unwrap(), kind, "{name}");
    }
    let script = fixture("freesurfer.py");
    assert!(refusal(&script, detect::kind(&script)).contains("give NIfTI"));
}

/// Every file of the real data, against what its name says it is.
#[test]
fn real_files_are_told_apart_and_read() {
    let Some(root) = crate::real_data("") else {
        return;
    };
    let mut folders = vec![root];
    let (mut n_files, mut wrong) = (0, Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                // Files that were damaged on purpose.
                folders.extend((!path.ends_with("fuzz_artifacts")).then_some(path));
                continue;
            }
            let told = detect::kind(&path);
            let kind = kind_by_name(&path);
            if told.as_ref().ok() != kind.as_ref() {
                wrong.push(format!("{}: {told:?} for {kind:?}", path.display()));
            }
            if let Some(problem) = told.ok().and_then(|kind| problem_of(&path, kind)) {
                wrong.push(problem);
            }
            n_files += 1;
        }
    }
    println!("{n_files} files");
    assert!(n_files > 0 && wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What keeps a file of FreeSurfer or CIFTI from being read.
fn problem_of(path: &Path, kind: Kind) -> Option<String> {
    match kind {
        Kind::FreesurferSurface => freesurfer::read_surface(path).err().map(Stop::from),
        Kind::FreesurferMap => freesurfer::read_curv(path).err().map(Stop::from),
        Kind::FreesurferAnnot => freesurfer::read_annot(path).err().map(Stop::from),
        Kind::FreesurferLabel => freesurfer::read_label(path).err().map(Stop::from),
        Kind::Mgh => quietly(|run| mgh::read_series(path, run)).err(),
        // Tables of places by places are refused.
        Kind::Cifti if path.to_string_lossy().ends_with(".dconn.nii") => None,
        Kind::Cifti => quietly(|run| cifti::read(path, run)).err(),
        _ => None,
    }
    .map(|stop| stop.to_string())
}

fn kind_by_name(path: &Path) -> Option<Kind> {
    let name = path.file_name()?.to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    Some(match ending {
        _ if [".dscalar.nii", ".dconn.nii"]
            .iter()
            .any(|e| name.ends_with(e)) =>
        {
            Kind::Cifti
        }
        "nii" | "hdr" | "img" => Kind::Nifti,
        "gii" if name.contains(".surf.") => Kind::GiftiSurface,
        "gii" if name.contains("label") || name.contains("annot") => Kind::GiftiLabels,
        "gii"
            if [
                "func",
                "curv",
                "thick",
                "sulc",
                "morph",
                "area",
                "gzipbase64",
            ]
            .iter()
            .any(|w| name.contains(w)) =>
        {
            Kind::GiftiMap
        }
        "gii" => Kind::GiftiSurface,
        "mgh" | "mgz" => Kind::Mgh,
        "annot" => Kind::FreesurferAnnot,
        "label" => Kind::FreesurferLabel,
        "curv" | "thickness" | "sulc" | "area" => Kind::FreesurferMap,
        "pial" | "tinysurface" => Kind::FreesurferSurface,
        "npy" => Kind::Npy,
        "npz" => Kind::Npz,
        "png" | "jpg" => Kind::Picture,
        "tsv" | "csv" => Kind::Table,
        _ => return None,
    })
}

/// Constants: nibabel 5.4.2 on the same files.
#[test]
fn real_freesurfer_files_are_what_nibabel_reads() {
    let Some(root) = crate::real_data("freesurfer_subject1") else {
        return;
    };
    let subject = root.join("neuroformats-rs/resources/subjects_dir/subject1");
    let thickness = freesurfer::read_curv(&subject.join("surf/lh.thickness")).unwrap();
    assert_eq!(thickness.values.len(), 149_244);
    let labels = freesurfer::read_annot(&subject.join("label/lh.aparc.annot")).unwrap();
    assert_eq!(labels.keys.len(), 149_244);
    // The table's, for the key 0 of vertices without a region is no region itself.
    assert_eq!(labels.regions.len(), 36);
    let label = subject.join("label/lh.entorhinal_exvivo.label");
    let label = freesurfer::read_label(&label).unwrap();
    let brain = quietly(|run| mgh::read_volume(&subject.join("mri/brain.mgz"), run)).unwrap();
    assert_eq!(brain.grid.shape, [256; 3]);
    assert_eq!(brain.grid.orientation(), "LIA");
    let corner = brain.grid.world([0, 0, 0]);
    let nibabel = DVec3::new(127.500_045_776, -98.627_258_301, 79.095_268_250);
    assert!((corner - nibabel).length() < 1e-5, "{corner}");
    let sum = |values: &[f32]| values.iter().map(|&v| f64::from(v)).sum::<f64>();
    assert!((sum(&thickness.values) - 363_777.130_895).abs() < 1e-3);
    let is_bankssts = |k: &&i32| {
        labels
            .regions
            .iter()
            .any(|r| r.key == **k && r.name == "bankssts")
    };
    assert_eq!(labels.keys.iter().filter(is_bankssts).count(), 1722);
    assert_eq!(labels.keys.iter().filter(|k| **k == 0).count(), 8394);
    assert_eq!((label.vertices.len(), label.vertices[0]), (1085, 88_791));
    assert!((sum(&label.values) - 461.777_785).abs() < 1e-4);
    assert_eq!(sum(&brain.data), 121_035_479.0);
    assert_eq!(brain.at([100, 120, 140]), 65.0);

    let pial = root.join("fsleyes/freesurfer/lh.pial");
    let pial = freesurfer::read_surface(&pial).unwrap();
    assert_eq!(
        (pial.vertices.len(), pial.triangles.len()),
        (32_492, 64_980)
    );
    let nibabel = Vec3::new(-18.901_936, 20.679_738, 49.289_284);
    assert!(pial.vertices[30_000].distance(nibabel) < 1e-5);
    assert_eq!(pial.triangles[64_979], [9, 8440, 21_432]);
    assert_eq!(pial.hemisphere, Some(Hemisphere::Left));

    // Two of a kind; only the GIFTI has points that differ.
    let tiny = root.join("freesurferformats/inst/extdata");
    let by_freesurfer = freesurfer::read_surface(&tiny.join("lh.tinysurface")).unwrap();
    let by_gifti = gifti::read_surface(&tiny.join("lh.tinysurface.gii")).unwrap();
    assert_eq!(by_freesurfer.triangles, by_gifti.triangles);
    assert!(
        by_freesurfer
            .vertices
            .iter()
            .all(|v| *v == Vec3::splat(0.3))
    );
}

#[test]
fn half_a_voxel_is_not_lost_where_sizes_are_odd() {
    let Some(root) = crate::real_data("nifti_conformance/made") else {
        return;
    };
    // 3 × 5 × 7 voxels of 1 × 2 × 3 mm, cut coronally, c_ras = (10, 20, 30): by hand.
    let odd = quietly(|run| mgh::read_volume(&root.join("odd.mgh"), run)).unwrap();
    assert_eq!(odd.grid.world([0, 0, 0]), DVec3::new(11.5, 9.5, 35.0));
    let ushort = quietly(|run| mgh::read_volume(&root.join("ushort.mgh"), run)).unwrap();
    assert!(ushort.data.iter().copied().eq((0..27u8).map(f32::from)));
}

#[test]
fn real_annotations_have_a_name_for_every_vertex() {
    let Some(root) = crate::real_data("enigma_fsa5_annots") else {
        return;
    };
    for (name, n_regions) in [
        ("aparc", 36),
        ("glasser_360", 181),
        ("schaefer_100", 51),
        ("schaefer_400", 201),
    ] {
        for side in ["lh", "rh"] {
            let path = root.join(format!("fsa5_{side}_{name}.annot"));
            let labels = freesurfer::read_annot(&path).unwrap();
            assert_eq!(labels.keys.len(), 10_242, "{name}");
            // All of them from the table, by nibabel's count: none had to be made up.
            assert_eq!(labels.regions.len(), n_regions, "{name}");
            let known = |k: &i32| labels.regions.iter().any(|r| r.key == *k);
            assert!(labels.keys.iter().all(known), "{name}");
        }
    }
}
