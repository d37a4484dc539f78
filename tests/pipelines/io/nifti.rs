//! NIfTI against nibabel, and what nibabel cannot be asked against arithmetic.

use std::path::Path;
use std::sync::Mutex;

use fusiform_pipelines::io::{ByteOrder, Datatype, nifti};
use fusiform_pipelines::run::{CancelToken, Event, Run, Stop, quietly};
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::study::{Load, Source};
use fusiform_pipelines::volume::{Atlas, Series, Volume};
use glam::{DAffine3, DMat3, DVec3};

use super::{expected, fixture, numbers, read, refusal};

fn rows(affine: &DAffine3) -> Vec<f64> {
    let m = affine.matrix3;
    (0..3)
        .flat_map(|r| [m.x_axis[r], m.y_axis[r], m.z_axis[r], affine.translation[r]])
        .collect()
}

#[test]
fn every_fixture_reads_as_nibabel_reads_it() {
    for (name, truth) in expected("nifti") {
        let path = fixture(&name);
        let header = nifti::read_header(&path).unwrap_or_else(|e| panic!("{e}"));
        let shape: Vec<usize> = numbers(&truth["shape"])
            .iter()
            .map(|&n| n as usize)
            .collect();
        assert_eq!(header.shape, shape, "{name}");
        let affine = numbers(&truth["affine"]);
        for (ours, theirs) in rows(&header.grid.world_from_voxel).iter().zip(&affine) {
            assert!(
                (ours - theirs).abs() < 1e-6,
                "{name}: affine {ours} and {theirs}"
            );
        }
        let data = read(&path, nifti::read_series).data;
        let values = numbers(&truth["values"]);
        assert_eq!(data.len(), values.len(), "{name}");
        for (&ours, &theirs) in data.iter().zip(&values) {
            assert_eq!(ours, theirs as f32, "{name}");
        }
    }
}

#[test]
fn headers_say_what_was_stored() {
    let header = nifti::read_header(&fixture("uint16_be.nii")).unwrap();
    assert_eq!(
        (header.datatype, header.byte_order),
        (Datatype::U16, ByteOrder::Big)
    );
    assert_eq!((header.version, header.scaling), (1, None));
    assert_eq!(
        nifti::read_header(&fixture("nifti2_le.nii"))
            .unwrap()
            .version,
        2
    );
    let slope = nifti::read_header(&fixture("slope.nii")).unwrap();
    assert_eq!(slope.scaling, Some((0.5, -1.0)));
    for untouched in ["slope_zero.nii", "slope_nan.nii"] {
        assert_eq!(
            nifti::read_header(&fixture(untouched)).unwrap().scaling,
            None
        );
    }
    let forms = nifti::read_header(&fixture("forms_differ.nii")).unwrap();
    assert_eq!(
        (forms.sform.unwrap().code, forms.qform.unwrap().code),
        (4, 1)
    );
    assert!(
        forms
            .assumptions
            .iter()
            .any(|a| a.contains("differ by up to")),
        "{forms:?}"
    );
    let none = nifti::read_header(&fixture("no_form.nii")).unwrap();
    assert!(
        none.assumptions
            .iter()
            .any(|a| a.starts_with("no orientation")),
        "{none:?}"
    );
    assert!(none.sform.is_none() && none.qform.is_none());
}

#[test]
fn a_pair_is_read_from_either_of_its_files() {
    for (header, image) in [
        ("pair.hdr", "pair.img"),
        ("pair_packed.hdr", "pair_packed.img.gz"),
        ("pair_offset.hdr", "pair_offset.img"),
    ] {
        let by_header = read(&fixture(header), nifti::read_volume);
        let by_image = read(&fixture(image), nifti::read_volume);
        assert_eq!(by_header.data, by_image.data);
        // make.py wrote 0, 1, … 11.
        assert!(
            by_image
                .data
                .iter()
                .enumerate()
                .all(|(i, &v)| v == i as f32),
            "{image}"
        );
    }
}

#[test]
fn the_repetition_time_comes_in_seconds_from_any_unit() {
    assert_eq!(
        read(&fixture("series.nii.gz"), nifti::read_series).tr_secs,
        Some(1.25)
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("units.nii");
    // (xyzt_units, pixdim[4]) → seconds, by the standard's table of units; the last two as documented.
    for (units, step, secs) in [
        (2 + 8, 2.0f32, Some(2.0)),
        (2 + 24, 2e6, Some(2.0)),
        (2, 0.0, None),
        (2 + 32, 2.0, None),
        (2, 1.5, Some(1.5)),
        (2, 1500.0, Some(1.5)),
        (2 + 8, 2000.0, Some(2.0)),
    ] {
        let mut bytes = plain_series();
        bytes[123] = units;
        bytes[92..96].copy_from_slice(&step.to_le_bytes());
        std::fs::write(&path, &bytes).unwrap();
        assert_eq!(
            read(&path, nifti::read_series).tr_secs,
            secs,
            "{units} {step}"
        );
    }
}

#[test]
fn metres_and_micrometres_become_millimetres() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("units.nii");
    for (units, factor) in [(1u8, 1e3), (2, 1.0), (3, 1e-3), (0, 1.0)] {
        let mut bytes = plain_series();
        bytes[123] = units;
        std::fs::write(&path, &bytes).unwrap();
        let header = nifti::read_header(&path).unwrap();
        let expected = DVec3::new(2.0, 3.0, 4.0) * factor;
        assert!(
            (header.grid.voxel_size_mm() - expected).length() < 1e-9 * factor,
            "{units}"
        );
        assert_eq!(
            header
                .assumptions
                .iter()
                .any(|a| a.contains("unit unknown")),
            units == 0
        );
    }
}

/// A 2 × 2 × 2 series of 2 volumes of int16 with voxels of 2 × 3 × 4, made field by field.
fn plain_series() -> Vec<u8> {
    let mut bytes = vec![0u8; 352];
    bytes[0..4].copy_from_slice(&348i32.to_le_bytes());
    for (i, d) in [4i16, 2, 2, 2, 2, 1, 1, 1].iter().enumerate() {
        bytes[40 + 2 * i..42 + 2 * i].copy_from_slice(&d.to_le_bytes());
    }
    bytes[70..72].copy_from_slice(&4i16.to_le_bytes());
    bytes[72..74].copy_from_slice(&16i16.to_le_bytes());
    for (i, p) in [1.0f32, 2.0, 3.0, 4.0, 1.0].iter().enumerate() {
        bytes[76 + 4 * i..80 + 4 * i].copy_from_slice(&p.to_le_bytes());
    }
    bytes[108..112].copy_from_slice(&352f32.to_le_bytes());
    bytes[123] = 10;
    bytes[254..256].copy_from_slice(&1i16.to_le_bytes());
    for (row, size) in [2.0f32, 3.0, 4.0].iter().enumerate() {
        bytes[280 + 20 * row..284 + 20 * row].copy_from_slice(&size.to_le_bytes());
    }
    bytes[344..348].copy_from_slice(b"n+1\0");
    bytes.extend((0..16i16).flat_map(i16::to_le_bytes));
    bytes
}

#[test]
fn labels_are_exact_and_fractions_are_no_labels() {
    // As put into make.py; 2^24 + 1 is what a float cannot hold.
    let truth = [
        0,
        1,
        -5,
        (1 << 24) + 1,
        i32::MAX,
        i32::MIN,
        11,
        12,
        1001,
        2035,
        0,
        7,
    ];
    let (_, keys) = read(&fixture("labels.nii"), nifti::read_labels);
    assert_eq!(keys, truth);
    let (_, keys) = read(&fixture("labels_float.nii"), nifti::read_labels);
    assert_eq!(keys.len(), 12);
    let path = fixture("float32_le.nii");
    let text = refusal(&path, quietly(|run| nifti::read_labels(&path, run)));
    assert!(text.contains("whole numbers"), "{text}");
}

#[test]
fn a_series_is_no_volume_and_says_so() {
    let path = fixture("series.nii.gz");
    let text = refusal(&path, quietly(|run| nifti::read_volume(&path, run)));
    assert!(text.contains("series of 4 volumes"), "{text}");
    // One volume in four dimensions is a volume.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.nii");
    let mut bytes = plain_series();
    bytes[48..50].copy_from_slice(&1i16.to_le_bytes());
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(read(&path, nifti::read_volume).data.len(), 8);
}

#[test]
fn a_cancel_is_heard_before_the_end_and_progress_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.nii.gz");
    let grid = Grid {
        shape: [64, 64, 64],
        world_from_voxel: DAffine3::IDENTITY,
    };
    let series = Series {
        n_times: 6,
        tr_secs: Some(2.0),
        data: (0..64 * 64 * 64 * 6).map(|i| (i % 1013) as f32).collect(),
        grid,
        assumptions: vec![],
    };
    nifti::write_series(&path, &series).unwrap();
    let events = Mutex::new(Vec::new());
    let cancel = CancelToken::default();
    let emit = |event: Event| events.lock().unwrap().push(event);
    let back = nifti::read_series(&path, &Run::new(&emit, &cancel)).unwrap();
    assert_eq!(back.data, series.data);
    assert_eq!(back.tr_secs, Some(2.0));
    let total = 64 * 64 * 64 * 6 * 4;
    let last = events.lock().unwrap().last().cloned();
    assert_eq!(last, Some(Event::Progress { done: total, total }));

    events.lock().unwrap().clear();
    let emit = |event: Event| {
        events.lock().unwrap().push(event);
        cancel.cancel();
    };
    let stopped = nifti::read_series(&path, &Run::new(&emit, &cancel));
    assert!(matches!(stopped, Err(Stop::Cancelled)));
    assert_eq!(
        events.lock().unwrap().len(),
        1,
        "one chunk, then the cancel"
    );
}

#[test]
fn what_is_written_is_read_back() {
    let folder = tempfile::tempdir().unwrap();
    let grid = Grid {
        shape: [3, 4, 5],
        world_from_voxel: DAffine3 {
            // A shear, which only the sform can hold.
            matrix3: DMat3::from_cols(
                DVec3::new(-2.0, 0.1, 0.0),
                DVec3::new(0.3, 2.5, -0.2),
                DVec3::new(0.0, 0.4, 3.0),
            ),
            translation: DVec3::new(40.0, -50.25, 11.0),
        },
    };
    let data: Vec<f32> = (0..60)
        .map(|i| if i == 7 { f32::NAN } else { i as f32 * 0.1 })
        .collect();
    let volume = Volume {
        grid: grid.clone(),
        data: data.clone().into(),
        assumptions: vec![],
    };
    for name in ["v.nii", "v.nii.gz"] {
        let path = folder.path().join(name);
        nifti::write_volume(&path, &volume).unwrap();
        let gzip = std::fs::read(&path).unwrap().starts_with(&[0x1f, 0x8b]);
        assert_eq!(gzip, name.ends_with("gz"));
        let back = read(&path, Volume::load);
        assert!(back.grid.same_as(&grid));
        assert!(
            back.data
                .iter()
                .zip(&data)
                .all(|(a, b)| a.to_bits() == b.to_bits())
        );
        assert_eq!(back.assumptions, Vec::<String>::new());
    }
    for (keys, stored) in [
        ((0..60).collect::<Vec<i32>>(), Datatype::U8),
        ((0..60).map(|k| k * 100 - 9).collect(), Datatype::I16),
        ((0..60).map(|k| k * 40_000_000 - 5).collect(), Datatype::I32),
    ] {
        let path = folder.path().join("labels.nii.gz");
        nifti::write_labels(&path, &grid, &keys).unwrap();
        assert_eq!(nifti::read_header(&path).unwrap().datatype, stored);
        assert_eq!(read(&path, nifti::read_labels).1, keys);
    }
    let too_few = nifti::write_labels(&folder.path().join("x.nii"), &grid, &[1, 2]);
    assert!(too_few.is_err() && !folder.path().join("x.nii").exists());
}

#[test]
fn an_atlas_takes_its_names_from_the_table_beside_it_or_above() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join("sub-1/anat");
    std::fs::create_dir_all(&folder).unwrap();
    let grid = Grid {
        shape: [2, 2, 1],
        world_from_voxel: DAffine3::IDENTITY,
    };
    let path = folder.join("sub-1_space-MNI_desc-V1_dseg.nii.gz");
    nifti::write_labels(&path, &grid, &[0, 3, 9, 3]).unwrap();
    let names = |path: &Path| -> Vec<(i32, String)> {
        let source: Source<Atlas> = Source::File(path.to_path_buf());
        let atlas = quietly(|run| source.load(run)).unwrap();
        atlas
            .regions
            .iter()
            .map(|r| (r.key, r.name.clone()))
            .collect()
    };
    let region = |key: i32, name: &str| (key, name.to_owned());
    assert_eq!(names(&path), [region(3, "region 3"), region(9, "region 9")]);
    // Of the tables above, the one that shares most entities; one of another subject never.
    std::fs::write(
        root.path().join("dseg.tsv"),
        "index\tname\n3\tthree\n9\tnine\n",
    )
    .unwrap();
    std::fs::write(
        root.path().join("sub-2_dseg.tsv"),
        "index\tname\n3\tother\n",
    )
    .unwrap();
    assert_eq!(names(&path), [region(3, "three"), region(9, "nine")]);
    std::fs::write(
        root.path().join("desc-V1_dseg.tsv"),
        "index\tname\n3\tV1v\n12\tV1d\n",
    )
    .unwrap();
    assert_eq!(
        names(&path),
        [region(3, "V1v"), region(9, "region 9"), region(12, "V1d")]
    );
    // Beside it, with a colour.
    let table = "index\tname\tcolor\n3\tbeside\t#ff8000\n0\tnone\tn/a\n";
    std::fs::write(folder.join("sub-1_space-MNI_desc-V1_dseg.tsv"), table).unwrap();
    let atlas = read(&path, Atlas::load);
    assert_eq!(atlas.region(3).unwrap().colour, [255, 128, 0]);
    assert!(atlas.region(0).is_none());
    std::fs::write(
        folder.join("sub-1_space-MNI_desc-V1_dseg.tsv"),
        "index\tname\nx\ty\n",
    )
    .unwrap();
    let text = quietly(|run| Atlas::load(&path, run))
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("dseg.tsv") && text.contains("line 2"),
        "{text}"
    );
}

#[test]
fn generated_colours_keep_neighbours_apart() {
    let colour = fusiform_pipelines::io::atlas::colour_of_key;
    assert_eq!(colour(5), colour(5));
    for key in -3..60 {
        for other in key + 1..key + 4 {
            let (a, b) = (colour(key), colour(other));
            let apart: i32 = (0..3)
                .map(|c| (i32::from(a[c]) - i32::from(b[c])).abs())
                .sum();
            assert!(apart > 60, "{key} {a:?} and {other} {b:?}");
        }
    }
}
