//! Parts of a NIfTI file and unusual values: against the whole, against arithmetic.

use std::io::Write;
use std::path::Path;

use fusiform_pipelines::io::{Datatype, nifti};
use fusiform_pipelines::mask::Mask;
use fusiform_pipelines::run::{CancelToken, Run, Stop, quietly};
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::volume::Series;
use glam::DAffine3;

use super::{fixture, read, refusal};

/// A little-endian NIfTI-1 header with these dimensions, type code, slope and intercept.
fn header(dim: &[i16], code: i16, slope: f32, inter: f32) -> Vec<u8> {
    let mut bytes = vec![0u8; 352];
    let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
    put(0, &348i32.to_le_bytes());
    put(40, &(dim.len() as i16).to_le_bytes());
    for (axis, n) in dim.iter().enumerate() {
        put(42 + 2 * axis, &n.to_le_bytes());
        put(80 + 4 * axis, &2f32.to_le_bytes());
    }
    put(70, &code.to_le_bytes());
    put(108, &352f32.to_le_bytes());
    put(112, &slope.to_le_bytes());
    put(116, &inter.to_le_bytes());
    put(123, &[2 + 8]);
    put(254, &1i16.to_le_bytes());
    for row in 0..3 {
        put(280 + 20 * row, &2f32.to_le_bytes());
    }
    put(344, b"n+1\0");
    bytes
}

/// 37 × 31 × 29 voxels and 40 times of int16 with a scaling: 2.6 MB, so that chunks end inside
/// volumes. Plain and compressed.
fn large(folder: &Path) -> [std::path::PathBuf; 2] {
    let mut bytes = header(&[37, 31, 29, 40], 4, 0.5, -7.0);
    let n = 37 * 31 * 29 * 40u64;
    bytes.extend((0..n).flat_map(|i| ((i * 7919 % 65_521) as u16 as i16).to_le_bytes()));
    let [plain, packed] = ["large.nii", "large.nii.gz"].map(|name| folder.join(name));
    std::fs::write(&plain, &bytes).unwrap();
    let mut gz = flate2::write::GzEncoder::new(
        std::fs::File::create(&packed).unwrap(),
        flate2::Compression::fast(),
    );
    gz.write_all(&bytes).unwrap();
    gz.finish().unwrap();
    [plain, packed]
}

#[test]
fn the_values_are_those_that_were_stored() {
    let folder = tempfile::tempdir().unwrap();
    for path in large(folder.path()) {
        let series = read(&path, nifti::read_series);
        assert_eq!((series.n_times, series.tr_secs), (40, Some(2.0)));
        for (i, &value) in series.data.iter().enumerate() {
            let stored = (i * 7919 % 65_521) as u16 as i16;
            assert_eq!(value, f32::from(stored) * 0.5 - 7.0, "{i}");
        }
    }
}

#[test]
fn a_stream_gives_each_volume_once_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    for path in large(folder.path()) {
        let whole = read(&path, nifti::read_series);
        let mut next = 0;
        quietly(|run| {
            nifti::stream(&path, run, &mut |time, volume| {
                assert_eq!(time, next);
                assert_eq!(volume, whole.values_at(time));
                next += 1;
                Ok(())
            })
        })
        .unwrap();
        assert_eq!(next, 40);
        // It ends where it is told to.
        let mut n_seen = 0;
        let stopped = quietly(|run| {
            nifti::stream(&path, run, &mut |_, _| {
                n_seen += 1;
                if n_seen < 3 {
                    Ok(())
                } else {
                    Err(Stop::Cancelled)
                }
            })
        });
        assert!(matches!(stopped, Err(Stop::Cancelled)) && n_seen == 3);
    }
}

#[test]
fn a_masked_matrix_is_the_gathered_series() {
    let folder = tempfile::tempdir().unwrap();
    for path in large(folder.path()) {
        let series = read(&path, nifti::read_series);
        let masks = [
            Mask::new(series.grid.clone(), |v| v % 3 != 1 && v % 1000 > 200),
            Mask::new(series.grid.clone(), |_| true),
            Mask::new(series.grid.clone(), |v| v == 0 || v == 37 * 31 * 29 - 1),
            Mask::new(series.grid.clone(), |_| false),
        ];
        for mask in &masks {
            let matrix = read(&path, |path, run| nifti::read_masked(path, mask, run));
            assert_eq!((matrix.n_rows, matrix.n_cols), (40, mask.len()));
            for (time, row) in matrix.rows().enumerate() {
                let volume = series.values_at(time);
                let gathered = mask.voxels().iter().map(|&v| volume[v as usize]);
                assert!(gathered.eq(row.iter().copied()), "{time}");
            }
            assert!(mask.gather(&series).unwrap() == matrix);
        }
        let elsewhere = Grid {
            shape: [37, 31, 28],
            world_from_voxel: DAffine3::IDENTITY,
        };
        let mask = Mask::new(elsewhere, |_| true);
        let text = refusal(&path, quietly(|run| nifti::read_masked(&path, &mask, run)));
        assert!(text.contains("resample"), "{text}");
        let cancel = CancelToken::default();
        cancel.cancel();
        let stopped = nifti::read_masked(&path, &masks[0], &Run::new(&|_| {}, &cancel));
        assert!(matches!(stopped, Err(Stop::Cancelled)));
    }
}

#[test]
fn a_time_course_is_that_of_the_series() {
    let folder = tempfile::tempdir().unwrap();
    for path in large(folder.path()) {
        let series = read(&path, nifti::read_series);
        for ijk in [[0, 0, 0], [36, 30, 28], [17, 3, 22]] {
            let course = read(&path, |path, run| nifti::read_time_course(path, ijk, run));
            assert_eq!(course, series.time_course(ijk), "{ijk:?}");
        }
        let outside = quietly(|run| nifti::read_time_course(&path, [37, 0, 0], run));
        let text = refusal(&path, outside);
        assert!(text.contains("37 × 31 × 29"), "{text}");
    }
}

#[test]
fn colours_come_as_planes_and_as_luminance() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("colours.nii");
    for (code, n_channels) in [(128, 3), (2304, 4)] {
        let colours: Vec<u8> = (0..6 * n_channels).map(|i| (i * 37 % 256) as u8).collect();
        // The scaling says nothing of colours.
        let mut bytes = header(&[1, 3, 1, 2], code, 2.0, 5.0);
        bytes.extend(&colours);
        std::fs::write(&path, bytes).unwrap();
        let (grid, planes) = read(&path, nifti::read_rgb);
        assert_eq!((grid.shape, planes.len()), ([1, 3, 1], n_channels));
        let series = read(&path, nifti::read_series);
        for (voxel, colour) in colours.chunks(n_channels).enumerate() {
            assert!((0..n_channels).all(|c| planes[c][voxel] == colour[c]));
            // Rec. 709.
            let [r, g, b] = [0, 1, 2].map(|c| f64::from(colour[c]));
            let luma = 0.2126 * r + 0.7152 * g + 0.0722 * b;
            assert!((f64::from(series.data[voxel]) - luma).abs() < 1e-4);
        }
        let said = series.assumptions.join("; ");
        assert!(said.contains("luminance"), "{said}");
    }
    let plain = fixture("int16_le.nii");
    let text = refusal(&plain, quietly(|run| nifti::read_rgb(&plain, run)));
    assert!(text.contains("no colours"), "{text}");
}

#[test]
fn complex_numbers_come_as_magnitudes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("complex.nii");
    // 3-4-5, 5-12-13 and 8-15-17, with a slope of −2.
    let parts = [3.0f32, -4.0, -5.0, 12.0, 8.0, 15.0];
    let write = |code: i16, inter: f32, values: Vec<u8>| {
        let mut bytes = header(&[3, 1, 1], code, -2.0, inter);
        bytes.extend(values);
        std::fs::write(&path, bytes).unwrap();
    };
    let single: Vec<u8> = parts.iter().flat_map(|p| p.to_le_bytes()).collect();
    let double = |p: &f32| f64::from(*p).to_le_bytes();
    for (code, values) in [
        (32, single.clone()),
        (1792, parts.iter().flat_map(double).collect()),
    ] {
        write(code, 0.0, values);
        let volume = read(&path, nifti::read_volume);
        assert_eq!(*volume.data, [10.0, 26.0, 34.0]);
        let said = volume.assumptions.join("; ");
        assert!(said.contains("magnitude"), "{said}");
    }
    write(32, 1.0, single);
    let text = refusal(&path, quietly(|run| nifti::read_volume(&path, run)));
    assert!(text.contains("intercept"), "{text}");
}

#[test]
fn five_dimensions_are_listed_in_file_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vectors.nii");
    let mut bytes = header(&[2, 1, 1, 2, 3], 2, 0.0, 0.0);
    bytes.extend(0..12u8);
    std::fs::write(&path, bytes).unwrap();
    let series = read(&path, nifti::read_series);
    assert_eq!((series.n_times, series.tr_secs), (6, None));
    assert!(series.data.iter().enumerate().all(|(i, &v)| v == i as f32));
    let said = series.assumptions.join("; ");
    assert!(said.contains("2 × 1 × 1 × 2 × 3"), "{said}");
    let course = read(&path, |path, run| {
        nifti::read_time_course(path, [1, 0, 0], run)
    });
    assert_eq!(course, [1.0, 3.0, 5.0, 7.0, 9.0, 11.0]);
}

#[test]
fn extensions_are_listed_and_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("extended.nii");
    let with = |blocks: &[(i32, i32, usize)]| {
        let mut bytes = header(&[3, 1, 1], 2, 0.0, 0.0);
        bytes[348] = 1;
        for &(size, code, n_bytes) in blocks {
            bytes.extend(size.to_le_bytes());
            bytes.extend(code.to_le_bytes());
            bytes.extend(vec![0xff; n_bytes]);
        }
        let offset = bytes.len() as f32;
        bytes[108..112].copy_from_slice(&offset.to_le_bytes());
        bytes.extend([7, 8, 9]);
        std::fs::write(&path, bytes).unwrap();
        let header = nifti::read_header(&path).unwrap();
        assert_eq!(*read(&path, nifti::read_volume).data, [7.0, 8.0, 9.0]);
        let found: Vec<_> = header
            .extensions
            .iter()
            .map(|e| (e.n_bytes, e.code))
            .collect();
        (found, header.assumptions.join("; ").contains("damaged"))
    };
    assert_eq!(with(&[]), (vec![], false));
    let two = [(32, 6, 24), (16, 44, 8)];
    assert_eq!(with(&two), (vec![(32, 6), (16, 44)], false));
    // A length beyond the values, and one that would stand still.
    for broken in [(1 << 30, 6, 24), (0, 6, 24), (-16, 6, 24)] {
        assert_eq!(with(&[(16, 4, 8), broken]), (vec![(16, 4)], true));
    }
}

#[test]
fn stored_numbers_survive_a_reading_and_a_writing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("again.nii.gz");
    let series = |data: Vec<f32>| Series {
        grid: Grid {
            shape: [2, 3, 1],
            world_from_voxel: DAffine3::IDENTITY,
        },
        n_times: data.len() / 6,
        tr_secs: None,
        data: data.into(),
        assumptions: vec![],
    };
    for datatype in [
        Datatype::U8,
        Datatype::I16,
        Datatype::U16,
        Datatype::I32,
        Datatype::F64,
    ] {
        let scaling = (0.125, 3.0);
        let stored = [0.0f32, 1.0, 2.0, 99.0, 100.0, 127.0];
        let values = series(stored.iter().map(|s| s * 0.125 + 3.0).collect());
        nifti::write_scaled(&path, &values, datatype, scaling).unwrap();
        let header = nifti::read_header(&path).unwrap();
        assert_eq!((header.datatype, header.scaling), (datatype, Some(scaling)));
        assert_eq!(read(&path, nifti::read_series).data, values.data);
    }
    std::fs::remove_file(&path).unwrap();
    let misfits = [
        (vec![1e9; 6], Datatype::I16, (1.0, 0.0)),
        (vec![f32::NAN; 6], Datatype::U8, (1.0, 0.0)),
        (vec![-1.0; 6], Datatype::U32, (1.0, 0.0)),
        (vec![1.0; 6], Datatype::I16, (0.0, 0.0)),
        (vec![1.0; 6], Datatype::Rgb, (1.0, 0.0)),
    ];
    for (data, datatype, scaling) in misfits {
        let text = refusal(
            &path,
            nifti::write_scaled(&path, &series(data), datatype, scaling),
        );
        assert!(text.contains("not written"), "{text}");
        assert!(!path.exists());
    }
}

#[test]
fn an_axis_too_long_for_nifti_1_is_written_as_nifti_2() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long.nii");
    let grid = Grid {
        shape: [32_768, 1, 1],
        world_from_voxel: DAffine3::from_scale(glam::DVec3::new(-0.5, 2.0, 2.0)),
    };
    let keys: Vec<i32> = (0..32_768).collect();
    nifti::write_labels(&path, &grid, &keys).unwrap();
    let header = nifti::read_header(&path).unwrap();
    assert_eq!((header.version, &*header.shape), (2, &[32_768, 1, 1][..]));
    let (back, read_keys) = read(&path, nifti::read_labels);
    assert!(back.same_as(&grid) && read_keys == keys);
}

#[test]
fn the_first_volume_comes_alone() {
    let folder = tempfile::tempdir().unwrap();
    for path in large(folder.path()) {
        let whole = read(&path, nifti::read_series);
        let first = quietly(|run| nifti::read_first_volume(&path, run)).unwrap();
        assert_eq!(first.data[..], *whole.values_at(0));
        assert_eq!(first.grid, whole.grid);
        // Of a file that ends after it, it is all that is needed.
        if path.extension().is_some_and(|e| e == "nii") {
            let bytes = std::fs::read(&path).unwrap();
            let short = folder.path().join("short.nii");
            std::fs::write(&short, &bytes[..bytes.len() / 2]).unwrap();
            let cut = quietly(|run| nifti::read_first_volume(&short, run));
            assert!(cut.is_err(), "a file that is cut short is refused at once");
        }
    }
}

/// The series takes eight times the memory the process may ask for.
#[test]
#[cfg(target_os = "linux")]
fn a_file_larger_than_memory_is_read_in_parts() {
    const LIMIT_KIB: u64 = 1 << 20;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.nii");
    let (shape, n_times) = ([128usize, 128, 64], 1024usize);
    let n_voxels = shape.iter().product::<usize>();
    // Two bytes a voxel on disk, of which only what is written takes room; four in memory: 4 GiB.
    let small = fixture("int16_le.nii");
    let mut header = std::fs::read(small).unwrap()[..352].to_vec();
    for (i, n) in [4, shape[0], shape[1], shape[2], n_times, 1, 1, 1]
        .into_iter()
        .enumerate()
    {
        header[40 + 2 * i..42 + 2 * i].copy_from_slice(&(n as i16).to_le_bytes());
    }
    header[112..120].fill(0);
    std::fs::write(&path, &header).unwrap();
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(352 + 2 * (n_voxels * n_times) as u64).unwrap();
    for time in [0usize, 5, n_times - 1] {
        use std::io::{Seek, SeekFrom, Write};
        let place = 352 + 2 * (time * n_voxels + 7) as u64;
        file.seek(SeekFrom::Start(place)).unwrap();
        file.write_all(&(time as i16 + 1).to_le_bytes()).unwrap();
    }
    drop(file);
    let output = std::process::Command::new("sh")
        .args([
            "-c",
            &format!("ulimit -v {LIMIT_KIB} && exec \"$0\" \"$@\""),
        ])
        .arg(std::env::current_exe().unwrap())
        .args([
            "io::nifti_parts::reads_a_huge_file",
            "--exact",
            "--ignored",
            "--nocapture",
        ])
        .env("FUSIFORM_HUGE_FILE", &path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}\n{errors}"
    );
}

#[test]
#[ignore = "started by a_file_larger_than_memory_is_read_in_parts"]
fn reads_a_huge_file() {
    let Some(path) = std::env::var_os("FUSIFORM_HUGE_FILE").map(std::path::PathBuf::from) else {
        return;
    };
    let header = nifti::read_header(&path).unwrap();
    assert_eq!(header.n_volumes(), 1024);
    let first = quietly(|run| nifti::read_first_volume(&path, run)).unwrap();
    assert_eq!((first.data[6], first.data[7]), (0.0, 1.0));
    let course = quietly(|run| nifti::read_time_course(&path, [7, 0, 0], run)).unwrap();
    assert_eq!(
        (course[0], course[4], course[5], course[1023]),
        (1.0, 0.0, 6.0, 1024.0)
    );
    let mask = Mask::new(first.grid, |voxel| voxel < 4096);
    let matrix = quietly(|run| nifti::read_masked(&path, &mask, run)).unwrap();
    assert_eq!((matrix.row(5)[7], matrix.row(6)[7]), (6.0, 0.0));
    // The whole is refused in words, not by the end of the process.
    let whole = quietly(|run| nifti::read_series(&path, run))
        .unwrap_err()
        .to_string();
    assert!(
        whole.contains("huge.nii") && whole.contains("memory"),
        "{whole}"
    );
}
