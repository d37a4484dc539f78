//! Arrays, tables and pictures.

use std::path::PathBuf;

use fusiform_pipelines::Error;
use fusiform_pipelines::io::table::{self, Table};
use fusiform_pipelines::io::{npy, picture, write};
use fusiform_pipelines::matrix::Matrix;
use image::{DynamicImage, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba, RgbaImage};

use super::{expected, fixture, numbers, refusal};

#[test]
fn arrays_read_as_numpy_reads_them() {
    for (name, truth) in expected("npy") {
        let matrix = npy::read(&fixture(&name)).unwrap_or_else(|e| panic!("{e}"));
        let shape: Vec<usize> = numbers(&truth["shape"])
            .iter()
            .map(|&n| n as usize)
            .collect();
        let n_rows = shape.first().copied().unwrap_or(1);
        let n_cols = shape.get(1).copied().unwrap_or(1);
        assert_eq!((matrix.n_rows, matrix.n_cols), (n_rows, n_cols), "{name}");
        let values: Vec<f32> = numbers(&truth["values"])
            .iter()
            .map(|&v| v as f32)
            .collect();
        assert_eq!(matrix.values, values, "{name}");
    }
}

#[test]
fn arrays_are_written_as_numpy_lays_them_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("m.npy");
    let matrix = Matrix::from_values(2, 3, vec![1.0, -2.5, 3.0, f32::MIN, 0.0, 7.25]).unwrap();
    npy::write(&path, &matrix).unwrap();
    assert_eq!(npy::read(&path).unwrap(), matrix);
    // The documented layout: magic, version, length, and data at a multiple of 64.
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!(&bytes[..8], b"\x93NUMPY\x01\x00");
    let header = usize::from(bytes[8]) + 256 * usize::from(bytes[9]);
    assert_eq!(((10 + header) % 64, bytes.len()), (0, 10 + header + 24));
    assert_eq!(bytes[10 + header - 1], b'\n');
}

fn table_of(text: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("events.tsv");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn words(cells: &[&str]) -> Vec<String> {
    cells.iter().map(|&c| c.to_owned()).collect()
}

#[test]
fn tables_bear_what_spreadsheets_do_to_them() {
    let (_folder, path) = table_of(
        b"\xef\xbb\xbfonset\tduration\tname\t\r\n0\t 1.5\t\"quoted\"\t\r\nn/a\t2e-1\t\t\r\n\r\n\n",
    );
    let table = table::read(&path).unwrap();
    assert_eq!(table.columns, ["onset", "duration", "name"]);
    assert_eq!(
        table.rows[0],
        ["0", " 1.5", "\"quoted\""],
        "quotes are plain text in TSV"
    );
    assert_eq!(table.numbers(&path, "onset").unwrap(), [Some(0.0), None]);
    assert_eq!(
        table.numbers(&path, "duration").unwrap(),
        [Some(1.5), Some(0.2)]
    );
    let text = refusal(&path, table.numbers(&path, "name"));
    assert!(text.contains("line 2, column name: “\"quoted\"”"), "{text}");
    let text = refusal(&path, table.numbers(&path, "trial"));
    assert!(text.contains("onset, duration, name"), "{text}");

    let (_folder, path) = table_of(b"caption\na cat, asleep\n");
    assert_eq!(table::read(&path).unwrap().rows, [["a cat, asleep"]]);

    let (_folder, path) = table_of(b"a,b\r\n\"x, \"\"y\"\"\",1\n\"two\nlines\",\n");
    let table = table::read(&path).unwrap();
    assert_eq!(
        table.rows,
        [words(&["x, \"y\"", "1"]), words(&["two\nlines", ""])]
    );
}

#[test]
fn uneven_tables_are_refused_by_line() {
    for (bytes, part) in [
        (
            b"a\tb\n1\t2\n3\n".as_slice(),
            "line 3 has 1 cells where the heading has 2",
        ),
        (b"a\tb\n1\t2\t3\n", "line 2 has 3 cells"),
        (b"a\ta\n1\t2\n", "two columns named “a”"),
        (b"", "empty table"),
        (b"\n\n", "empty table"),
        (b"a,b\n\"1,2\n", "never ends"),
        (b"\xff\xfea\0b\0", "UTF-16"),
        (b"a\tb\n\0\t1\n", "not a text file"),
    ] {
        let (_folder, path) = table_of(bytes);
        let text = refusal(&path, table::read(&path));
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn a_written_table_is_a_table_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.tsv");
    let table = Table {
        columns: words(&["name", "what"]),
        rows: vec![words(&["a\tb\nc", "é, \"q\""]), words(&["", "n/a"])],
    };
    table::write(&path, &table).unwrap();
    let back = table::read(&path).unwrap();
    assert_eq!(
        back.rows,
        [words(&["a b c", "é, \"q\""]), words(&["n/a", "n/a"])]
    );
}

#[test]
fn pictures_come_as_rgb_on_mid_grey() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.png");
    let save = |picture: DynamicImage| picture.save_with_format(&path, ImageFormat::Png).unwrap();

    let picture = RgbImage::from_fn(5, 3, |x, y| Rgb([x as u8 * 50, y as u8 * 100, 7]));
    picture::write_png(&path, &picture).unwrap();
    assert_eq!(picture::read(&path).unwrap(), picture);

    // Opaque, gone, and half way: round((200·128 + 128·127)/255) = 164.
    let clear = RgbaImage::from_fn(3, 1, |x, _| Rgba([200, 0, 0, [255, 0, 128][x as usize]]));
    save(clear.into());
    let read = picture::read(&path).unwrap();
    let pixels: Vec<[u8; 3]> = read.pixels().map(|p| p.0).collect();
    assert_eq!(pixels, [[200, 0, 0], [128, 128, 128], [164, 64, 64]]);

    save(DynamicImage::ImageLuma16(image::ImageBuffer::from_pixel(
        2,
        2,
        Luma([65535 / 3]),
    )));
    assert_eq!(picture::read(&path).unwrap().get_pixel(1, 1).0, [85; 3]);
    save(DynamicImage::ImageLumaA8(image::ImageBuffer::from_pixel(
        2,
        2,
        LumaA([0, 0]),
    )));
    assert_eq!(picture::read(&path).unwrap().get_pixel(0, 1).0, [128; 3]);

    // JPEG, told by its bytes and not by its name.
    let even = RgbImage::from_pixel(16, 16, Rgb([90, 120, 150]));
    even.save_with_format(&path, ImageFormat::Jpeg).unwrap();
    let read = picture::read(&path).unwrap();
    assert!(
        read.get_pixel(8, 8)
            .0
            .iter()
            .zip([90, 120, 150])
            .all(|(&a, b)| a.abs_diff(b) < 4)
    );
}

#[test]
fn a_failed_write_leaves_the_old_file_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("result.txt");
    write::write_text(&path, "old").unwrap();
    let failed = write::atomically(&path, |_| Err(Error::data("no")));
    assert!(failed.is_err());
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        1,
        "nothing else is left"
    );
    write::write_text(&path, "new").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "new");
    let nowhere = folder.path().join("absent/result.txt");
    let text = refusal(&nowhere, write::write_text(&nowhere, "x"));
    assert!(text.contains("no folder"), "{text}");
    refusal(folder.path(), write::write_text(folder.path(), "x"));
}

#[cfg(unix)]
#[test]
fn written_files_can_be_read_by_others() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (ours, plain) = (folder.path().join("ours"), folder.path().join("plain"));
    write::write_text(&ours, "x").unwrap();
    std::fs::write(&plain, "x").unwrap();
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&ours), mode(&plain));
}
