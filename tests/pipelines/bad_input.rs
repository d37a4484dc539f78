//! Files that cannot be read: each is refused in one sentence that names it.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests stop where a test would"
)]

use std::path::Path;

use fusiform_pipelines::io::{gifti, nifti, npy, picture, table};
use fusiform_pipelines::run::quietly;

use crate::io::{fixture, refusal};
use crate::real_data;

/// New bytes and where they go.
type Change<'a> = (usize, &'a [u8]);

/// A NIfTI fixture with some bytes replaced.
fn nifti_with(folder: &Path, changes: &[Change<'_>]) -> std::path::PathBuf {
    let mut bytes = std::fs::read(fixture("slope.nii")).unwrap();
    for (at, change) in changes {
        bytes[*at..at + change.len()].copy_from_slice(change);
    }
    let path = folder.join("changed.nii");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn headers_that_promise_too_much_or_too_little() {
    let folder = tempfile::tempdir().unwrap();
    let dim = |d: [i16; 8]| -> Vec<u8> { d.iter().flat_map(|d| d.to_le_bytes()).collect() };
    let huge = dim([7, 32767, 32767, 32767, 32767, 32767, 32767, 32767]);
    let cases: &[(&[Change<'_>], &str)] = &[
        (
            &[(40, &dim([3, 32767, 32767, 32767, 1, 1, 1, 1]))],
            "cut short",
        ),
        (&[(40, &huge)], "cut short"),
        (&[(40, &dim([3, 3, 2, 3, 1, 1, 1, 1]))], "cut short"),
        (
            &[(40, &dim([3, 3, 0, 2, 1, 1, 1, 1]))],
            "voxels along its axes",
        ),
        (
            &[(40, &dim([3, 3, -2, 2, 1, 1, 1, 1]))],
            "voxels along its axes",
        ),
        (
            &[(40, &dim([3, -1, 1, 1, 1, 1, 1, 1]))],
            "FreeSurfer surface map",
        ),
        (&[(40, &dim([0, 3, 2, 2, 1, 1, 1, 1]))], "0 dimensions"),
        (&[(40, &dim([8, 3, 2, 2, 1, 1, 1, 1]))], "8 dimensions"),
        (&[(70, &2048i16.to_le_bytes())], "complex"),
        (&[(70, &1536i16.to_le_bytes())], "128-bit"),
        (&[(70, &77i16.to_le_bytes())], "unknown type (77)"),
        (&[(108, &100f32.to_le_bytes())], "inside its header"),
        (&[(108, &f32::NAN.to_le_bytes())], "inside its header"),
        (&[(108, &1e30f32.to_le_bytes())], "cut short"),
        (&[(344, b"ni1\0")], "is not there"),
        (&[(344, b"\0\0\0\0")], "Analyze"),
        (&[(0, b"\0\0\0\0")], "not a NIfTI"),
    ];
    for (changes, part) in cases {
        let path = nifti_with(folder.path(), changes);
        let text = refusal(&path, quietly(|run| nifti::read_volume(&path, run)));
        assert!(text.contains(part), "wanted “{part}” in: {text}");
        assert_eq!(
            refusal(&path, nifti::read_header(&path)),
            text,
            "the header alone says the same"
        );
    }
}

#[test]
fn broken_affines_are_passed_over_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let nan = f32::NAN.to_le_bytes();
    // An sform of zeros, and a qform of no numbers: the grid about the origin remains.
    let path = nifti_with(
        folder.path(),
        &[(254, &[1, 0]), (252, &[1, 0]), (256, &nan)],
    );
    let header = nifti::read_header(&path).unwrap();
    let said = header.assumptions.join("; ");
    assert!(
        said.contains("sform is not invertible") && said.contains("qform is not invertible"),
        "{said}"
    );
    assert!(said.contains("no orientation"), "{said}");
    assert!(header.grid.world_from_voxel.inverse().is_finite());
}

#[test]
fn files_that_are_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let mut dicom = vec![0; 400];
    dicom[128..132].copy_from_slice(b"DICM");
    let html = b"<!DOCTYPE html><title>Not found</title>".repeat(20);
    for (name, bytes, part) in [
        ("page.nii", html.as_slice(), "holds text"),
        ("page.nii.gz", &html, "holds text"),
        (
            "pointer.nii.gz",
            b"version https://git-lfs.github.com/spec/v1\n",
            "holds text",
        ),
        ("scan.nii", &dicom, "dcm2niix"),
        ("empty.nii", b"", "not a NIfTI"),
        ("half.nii", &348i32.to_le_bytes(), "inside its header"),
        ("half.nii.gz", &[0x1f, 0x8b], "ends before"),
        (
            "bad.nii.gz",
            &[0x1f, 0x8b, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9],
            "damaged",
        ),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let text = refusal(&path, nifti::read_header(&path));
        assert!(text.contains(part), "wanted “{part}” in: {text}");
        refusal(&path, gifti::read_surface(&path));
        refusal(&path, npy::read(&path));
        refusal(&path, picture::read(&path));
    }
    let absent = folder.path().join("absent.nii");
    let text = refusal(&absent, nifti::read_header(&absent));
    assert!(text.contains("no such file"), "{text}");
    for text in [
        refusal(&absent, gifti::read_map(&absent)),
        refusal(&absent, npy::read(&absent)),
        refusal(&absent, table::read(&absent)),
        refusal(&absent, picture::read(&absent)),
    ] {
        assert!(text.contains("no such file"), "{text}");
    }
    let text = refusal(folder.path(), nifti::read_header(folder.path()));
    assert!(text.contains("is a folder"), "{text}");
    #[cfg(unix)]
    {
        let link = folder.path().join("annexed.nii.gz");
        std::os::unix::fs::symlink(".git/annex/objects/xyz", &link).unwrap();
        let text = refusal(&link, nifti::read_header(&link));
        assert!(text.contains("not here"), "{text}");
    }
}

#[test]
fn compressed_files_cut_short_or_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(fixture("series.nii.gz")).unwrap();
    let path = folder.path().join("cut.nii.gz");
    std::fs::write(&path, &whole[..whole.len() * 2 / 3]).unwrap();
    let text = refusal(&path, quietly(|run| nifti::read_series(&path, run)));
    assert!(text.contains("ends before its data do"), "{text}");
    // The checksum is in the last eight bytes.
    let mut wrong = whole.clone();
    let at = wrong.len() - 7;
    wrong[at] ^= 1;
    std::fs::write(&path, &wrong).unwrap();
    let text = refusal(&path, quietly(|run| nifti::read_series(&path, run)));
    assert!(text.contains("damaged"), "{text}");
    // Padding after the end harms nobody.
    let padded: Vec<u8> = whole.iter().copied().chain([0; 100]).collect();
    std::fs::write(&path, padded).unwrap();
    assert!(quietly(|run| nifti::read_series(&path, run)).is_ok());
}

#[test]
fn surfaces_that_do_not_hold_together() {
    let folder = tempfile::tempdir().unwrap();
    let good = std::fs::read_to_string(fixture("ascii.surf.gii")).unwrap();
    let path = folder.path().join("broken.gii");
    for (from, to, part) in [
        ("Dim0=\"4\"", "Dim0=\"99999999999\"", "fewer numbers"),
        ("Dim1=\"3\"", "Dim1=\"99999999999999999999\"", "Dim1"),
        ("Dim1=\"3\"", "Dim1=\"2\"", "not n × 3"),
        ("Dim0=\"4\"", "Dim0=\"0\"", "whose Dim0 is “0”"),
        ("ASCII", "Morse", "Encoding"),
        ("ASCII", "Base64Binary", "damaged"),
        ("ASCII", "ExternalFileBinary", "own folder"),
        ("NIFTI_TYPE_FLOAT32", "NIFTI_TYPE_RGB24", "DataType"),
        (
            "NIFTI_INTENT_TRIANGLE",
            "NIFTI_INTENT_NONE",
            "not a surface",
        ),
        (
            "<Data>0 2 1",
            "<Data>0 4 1",
            "triangle 0 names the vertices [0.0, 4.0, 1.0] of 4",
        ),
        ("<Data>0 2 1", "<Data>0 -2 1", "triangle 0"),
        ("<Data>0 2 1", "<Data>0 NaN 1", "triangle 0"),
        (
            "<Data>  0.000000",
            "<Data>  nan",
            "vertex 0 has no finite place",
        ),
        ("</GIFTI>", "", "not a GIFTI"),
        ("GIFTI", "SVG", "not a GIFTI"),
    ] {
        assert!(good.contains(from), "{from}");
        std::fs::write(&path, good.replace(from, to)).unwrap();
        let text = refusal(&path, gifti::read_surface(&path));
        assert!(text.contains(part), "wanted “{part}” in: {text}");
    }
    let data_outside_the_folder = std::fs::read_to_string(fixture("external.surf.gii"))
        .unwrap()
        .replace("external.dat", "../../etc/passwd");
    std::fs::write(&path, data_outside_the_folder).unwrap();
    let text = refusal(&path, gifti::read_surface(&path));
    assert!(text.contains("own folder"), "{text}");
}

#[test]
fn a_packed_surface_with_one_wrong_bit() {
    use base64::Engine;
    let engine = base64::engine::general_purpose::STANDARD;
    let text = std::fs::read_to_string(fixture("lh.packed.surf.gii")).unwrap();
    let data = text
        .split("<Data>")
        .nth(1)
        .unwrap()
        .split("</Data>")
        .next()
        .unwrap();
    let mut bytes = engine.decode(data.trim()).unwrap();
    // The last byte of a zlib stream is part of its checksum.
    *bytes.last_mut().unwrap() ^= 1;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lh.packed.surf.gii");
    std::fs::write(&path, text.replace(data, &engine.encode(bytes))).unwrap();
    let text = refusal(&path, gifti::read_surface(&path));
    assert!(text.contains("damaged"), "{text}");
}

#[test]
fn arrays_that_are_not_plain_numbers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("array.npy");
    let with = |header: &str, n_bytes: usize| {
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(vec![0; n_bytes]);
        std::fs::write(&path, bytes).unwrap();
        refusal(&path, npy::read(&path))
    };
    for (header, part) in [
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }",
            "too short",
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
            "too short",
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,), }",
            "shape",
        ),
        (
            "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2, 2), }",
            "3 dimensions",
        ),
        (
            "{'descr': '<f4', 'fortran_order': True, 'shape': (0, 999999999999999999), }",
            "is empty",
        ),
        (
            "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }",
            "|O",
        ),
        (
            "{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }",
            "<c8",
        ),
        (
            "{'descr': '<U3', 'fortran_order': False, 'shape': (2,), }",
            "<U3",
        ),
        (
            "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }",
            "records",
        ),
        ("{}", "records"),
        ("{'descr': 'é'", "type é"),
    ] {
        let text = with(header, 40);
        assert!(text.contains(part), "wanted “{part}” in: {text}");
    }
}

#[test]
fn pictures_that_claim_an_absurd_size() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("huge.png");
    picture::write_png(&path, &image::RgbImage::new(4, 4)).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    // Width and height of the IHDR chunk, and the checksum over it.
    bytes[16..20].copy_from_slice(&12_000u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&12_000u32.to_be_bytes());
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    std::fs::write(&path, bytes).unwrap();
    let text = refusal(&path, picture::read(&path));
    assert!(text.contains("cannot hold"), "{text}");
}

#[test]
fn the_conformance_set_is_read_or_refused_as_its_makers_meant() {
    let Some(folder) = real_data("nifti_conformance/made") else {
        return;
    };
    for readable in [
        "plain", "slope0", "slopenan", "slope2", "qfac0", "qbad", "be", "voff", "u32", "f64", "n2",
        "rgb",
    ] {
        let path = folder.join(format!("{readable}.nii"));
        let volume =
            quietly(|run| nifti::read_volume(&path, run)).unwrap_or_else(|e| panic!("{e}"));
        let last = match readable {
            "slope2" => 12.0,
            "u32" => (1u64 << 31) as f32 + 26.0,
            "f64" => 26.1,
            // 78, 79, 80 by the weights of Rec. 709.
            "rgb" => 78.8596,
            _ => 26.0,
        };
        assert_eq!(volume.data[26], last, "{readable}");
    }
    for refused in ["f128", "neg1", "trunc", "dim0", "huge"] {
        let path = folder.join(format!("{refused}.nii"));
        refusal(&path, quietly(|run| nifti::read_volume(&path, run)));
    }
}
