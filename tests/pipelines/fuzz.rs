//! Damaged files must give errors: never a panic, never an absurd allocation, never a long wait.
//!
//! The damage is seeded, so a failure names the case that brings it back. `FUSIFORM_FUZZ_SECONDS`
//! says how long to look (2 by default), `FUSIFORM_FUZZ_SEED` where to begin, and `FUSIFORM_FUZZ_FORMAT` names
//! the one family of formats to look at: nifti, gifti, freesurfer, cifti, arrays, tables, pictures or weights.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "helpers of tests stop where a test would"
)]

use std::io::{Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use fusiform_pipelines::io::array::{self, Address};
use fusiform_pipelines::io::{
    atlas, cifti, detect, freesurfer, gifti, nifti, npy, npz, picture, table,
};
use fusiform_pipelines::models;
use fusiform_pipelines::run::{Stop, quietly};
use fusiform_pipelines::study::confounds::Confounds;
use fusiform_pipelines::study::events::Events;
use fusiform_pipelines::study::{Load, Study};
use fusiform_pipelines::surface::Hemisphere;
use fusiform_pipelines::volume::Atlas;

use crate::io::fixture;
use crate::models::checked::archive;
use crate::models::server::weights;

/// The work is done in a process of its own that may not ask for more than this many KiB: a
/// reader that allocates what a header promises ends that process.
const MEMORY_KIB: u64 = 3 << 20;

/// No damage to a file of a few KiB justifies a longer look.
const PATIENCE: Duration = Duration::from_secs(5);

#[test]
fn damaged_files_are_refused_quietly() {
    if let Some(folder) = std::env::var_os("FUSIFORM_FUZZ_FOLDER") {
        return damage_and_read(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    // Elsewhere the shell has no such limit.
    if cfg!(not(target_os = "linux")) {
        return damage_and_read(folder.path());
    }
    let output = std::process::Command::new("sh")
        .args([
            "-c",
            &format!("ulimit -v {MEMORY_KIB} && exec \"$0\" \"$@\""),
        ])
        .arg(std::env::current_exe().unwrap())
        .args([
            "fuzz::damaged_files_are_refused_quietly",
            "--exact",
            "--nocapture",
        ])
        .env("FUSIFORM_FUZZ_FOLDER", folder.path())
        .output()
        .unwrap();
    if !output.status.success() {
        let kept = folder.keep();
        panic!(
            "{}\n{}\nthe file that did it is in {}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            kept.display()
        );
    }
    println!("{}", String::from_utf8_lossy(&output.stdout));
}

fn damage_and_read(folder: &Path) {
    let from_env = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seconds = Duration::from_secs(from_env("FUSIFORM_FUZZ_SECONDS").unwrap_or(2));
    let first = from_env("FUSIFORM_FUZZ_SEED").unwrap_or(1);
    let wanted = std::env::var("FUSIFORM_FUZZ_FORMAT").ok();
    let mut sources = sources();
    sources.retain(|(name, _)| wanted.as_deref().is_none_or(|w| w == family(name)));
    assert!(!sources.is_empty(), "no family of formats is called so");
    let start = Instant::now();
    let (mut n_cases, mut n_read) = (0, 0);
    // At least one full round, however slow the machine.
    while start.elapsed() < seconds || n_cases < 200 {
        let seed = first + n_cases;
        let mut chance = Chance(seed);
        let (name, bytes) = chance.one_of(&sources);
        let (_, other) = chance.one_of(&sources);
        let damaged = damage(&mut chance, name, bytes, other);
        let (_, ending) = name.split_once('.').unwrap();
        let path = folder.join(format!("case.{ending}"));
        std::fs::write(&path, damaged).unwrap();
        let began = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| read_all(&path))) {
            Ok(read) => n_read += u64::from(read),
            Err(_) => panic!("panicked on {name} with FUSIFORM_FUZZ_SEED={seed}"),
        }
        let took = began.elapsed();
        assert!(
            took < PATIENCE,
            "took {took:?} on {name} with FUSIFORM_FUZZ_SEED={seed}"
        );
        std::fs::remove_file(&path).unwrap();
        n_cases += 1;
    }
    println!(
        "{}: {n_cases} damaged files in {} s, {n_read} still readable",
        wanted.as_deref().unwrap_or("all formats"),
        start.elapsed().as_secs()
    );
    assert!(
        n_read > 0 && n_read < n_cases,
        "the damage is either none or total"
    );
}

/// The family of formats a source belongs to.
fn family(name: &str) -> &'static str {
    match name.split_once('.').map_or("", |(_, ending)| ending) {
        "nii" | "nii.gz" => "nifti",
        "dscalar.nii" | "dlabel.nii" | "dtseries.nii" | "pscalar.nii" => "cifti",
        "surf" | "curv" | "annot" | "label" | "patch" | "mgh" | "mgz" => "freesurfer",
        "npy" | "npz" | "mat" | "h5" => "arrays",
        "png" | "jpg" => "pictures",
        "safetensors" | "pth" | "safetensors.index.json" => "weights",
        ending if ending.contains("gii") => "gifti",
        _ => "tables",
    }
}

/// Feeds a file to every reader its ending calls for; whether any took it.
fn read_all(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let results: Vec<Result<(), String>> = if let Some(results) = read_surface_formats(path, &name)
    {
        results
    } else if name.contains(".nii") {
        vec![
            quietly(|run| nifti::read_volume(path, run))
                .map(drop)
                .map_err(|e| e.to_string()),
            quietly(|run| nifti::read_series(path, run))
                .map(drop)
                .map_err(|e| e.to_string()),
            quietly(|run| Atlas::load(path, run))
                .map(drop)
                .map_err(|e| e.to_string()),
        ]
    } else if name.contains(".gii") {
        vec![
            gifti::read_surface(path)
                .map(drop)
                .map_err(|e| e.to_string()),
            gifti::read_map(path).map(drop).map_err(|e| e.to_string()),
            gifti::read_labels(path)
                .map(drop)
                .map_err(|e| e.to_string()),
        ]
    } else if name.ends_with(".safetensors") || name.ends_with(".pth") {
        vec![sound(path)]
    } else if name.ends_with(".index.json") {
        vec![sound(&folder_with_index(path))]
    } else if name.ends_with(".npy") {
        vec![npy::read(path).map(drop).map_err(|e| e.to_string())]
    } else if name.ends_with("sv") {
        vec![
            table::read(path)
                .and_then(|t| {
                    t.columns
                        .iter()
                        .try_for_each(|c| t.numbers(path, c).map(drop))
                })
                .map_err(|e| e.to_string()),
            quietly(|run| Events::load(path, run))
                .map(drop)
                .map_err(|e| e.to_string()),
            quietly(|run| Confounds::load(path, run))
                .map(drop)
                .map_err(|e| e.to_string()),
        ]
    } else {
        vec![picture::read(path).map(drop).map_err(|e| e.to_string())]
    };
    for error in results.iter().filter_map(|r| r.as_ref().err()) {
        assert!(
            error.contains("case."),
            "an error that names no file: {error}"
        );
    }
    results.iter().any(Result::is_ok)
}

/// As [`read_all`] for FreeSurfer's files, CIFTI-2 and archives of arrays.
fn read_surface_formats(path: &Path, name: &str) -> Option<Vec<Result<(), String>>> {
    fn outcome<T, E: ToString>(result: Result<T, E>) -> Result<(), String> {
        result.map(drop).map_err(|e| e.to_string())
    }
    let series = || {
        let series = quietly(|run| freesurfer::mgh::read_series(path, run));
        let map = quietly(|run| freesurfer::mgh::read_map(path, run));
        vec![outcome(series), outcome(map)]
    };
    let parts = |file: &cifti::Cifti| {
        // Each is refused or given; neither may panic.
        for map in 0..file.n_maps().min(2) {
            drop(file.surface_map(Hemisphere::Left, map));
            drop(file.surface_labels(Hemisphere::Right, map));
            drop(file.volume(map));
        }
    };
    let results = match name.split_once('.')?.1 {
        "surf" => vec![outcome(freesurfer::read_surface(path))],
        "curv" => vec![outcome(freesurfer::read_curv(path))],
        "annot" => vec![outcome(freesurfer::read_annot(path))],
        "label" => vec![outcome(freesurfer::read_label(path))],
        "patch" => vec![outcome(freesurfer::read_patch(path))],
        "mgh" | "mgz" => series(),
        "npz" => {
            let names = npz::names(path).unwrap_or_default();
            let first = names.first().map_or("a", String::as_str);
            vec![outcome(npz::read(path, first))]
        }
        "mat" | "h5" => {
            let all = array::list(path);
            let names = all.iter().flatten().map(|info| info.name.clone());
            let address = |name| Address {
                path: path.to_path_buf(),
                name: Some(name),
            };
            let mut outcomes: Vec<_> = names
                .map(|name| outcome(array::read(&address(name), &mut Vec::new())))
                .collect();
            outcomes.push(outcome(all));
            outcomes
        }
        "sidecar.json" => vec![outcome(open_with_sidecar(path))],
        "xml" | "json" | "ctab" | "txt" => vec![outcome(atlas::read_regions(path))],
        "dscalar.nii" | "dlabel.nii" | "dtseries.nii" | "pscalar.nii" => {
            let file = quietly(|run| cifti::read(path, run));
            vec![outcome(file.inspect(parts))]
        }
        _ => return None,
    };
    drop(detect::kind(path));
    Some(results)
}

/// Whether weights have no fault; else the faults.
fn sound(path: &Path) -> Result<(), String> {
    let report = models::check(path).map_err(|e| e.to_string())?;
    match report.problems.is_empty() {
        true => Ok(()),
        false => Err(report.problems.join(" ")),
    }
}

/// A folder with one shard and this list of shards.
fn folder_with_index(path: &Path) -> std::path::PathBuf {
    let folder = path.with_extension("weights");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("a.safetensors"), weights(20)).unwrap();
    std::fs::copy(path, folder.join("model.safetensors.index.json")).unwrap();
    folder
}

/// Opens a small BIDS folder with this sidecar for its run.
fn open_with_sidecar(path: &Path) -> Result<Study, Stop> {
    let root = path.with_extension("study");
    let func = root.join("sub-01/func");
    std::fs::create_dir_all(&func).unwrap();
    std::fs::copy(path, func.join("sub-01_bold.json")).unwrap();
    std::fs::copy(path, root.join("dataset_description.json")).unwrap();
    std::fs::copy(fixture("series.nii.gz"), func.join("sub-01_bold.nii.gz")).unwrap();
    quietly(|run| Study::open(&root, run))
}

/// Whole files of every kind.
fn sources() -> Vec<(String, Vec<u8>)> {
    let mut sources: Vec<(String, Vec<u8>)> = [
        "int16_le.nii",
        "float64_be.nii",
        "nifti2_le.nii",
        "labels.nii",
        "qform.nii",
        "vox_offset.nii",
        "series.nii.gz",
        "two_members.nii.gz",
        "ascii.surf.gii",
        "lh.packed.surf.gii",
        "column_major.surf.gii",
        "whole.surf.gii.gz",
        "maps.func.gii",
        "times.func.gii",
        "areas.label.gii",
        "f4.npy",
        "fortran.npy",
        "version_2.npy",
    ]
    .iter()
    .map(|name| ((*name).to_owned(), std::fs::read(fixture(name)).unwrap()))
    .collect();
    for (name, file) in [
        ("triangles.surf", "freesurfer/lh.oblique"),
        ("quads.surf", "freesurfer/lh.quad"),
        ("quads_of_floats.surf", "freesurfer/lh.quadf"),
        ("new.curv", "freesurfer/lh.sulc"),
        ("old.curv", "freesurfer/lh.oldcurv"),
        ("one.annot", "freesurfer/lh.one.annot"),
        ("two.annot", "freesurfer/lh.two.annot"),
        ("some.label", "freesurfer/lh.some.label"),
        ("cut.patch", "freesurfer/lh.cut.patch.flat"),
        ("volume.mgh", "freesurfer/u16.mgh"),
        ("map.mgh", "freesurfer/map.mgh"),
        ("series.mgz", "freesurfer/series.mgz"),
        ("arrays.npz", "arrays.npz"),
        ("plain.mat", "mat/plain.mat"),
        ("packed.mat", "mat/packed.mat"),
        ("big.mat", "mat/big.mat"),
        ("matlab.h5", "mat/v73.mat"),
        ("arrays.h5", "mat/arrays.h5"),
        ("latest.h5", "mat/latest.h5"),
        ("two.dscalar.nii", "cifti/two.dscalar.nii"),
        ("areas.dlabel.nii", "cifti/areas.dlabel.nii"),
        ("bold.dtseries.nii", "cifti/bold.dtseries.nii"),
        ("two.pscalar.nii", "cifti/two.pscalar.nii"),
    ] {
        sources.push((name.to_owned(), std::fs::read(fixture(file)).unwrap()));
    }
    for (name, text) in crate::io::LOOK_UP_TABLES {
        sources.push((name.to_owned(), text.into()));
    }
    sources.push(("one.safetensors".to_owned(), weights(20)));
    sources.push(("archive.pth".to_owned(), archive(3)));
    let index = br#"{"metadata": {"total_size": 80}, "weight_map": {"w": "a.safetensors"}}"#;
    sources.push(("model.safetensors.index.json".to_owned(), index.to_vec()));
    let sidecar = br#"{"RepetitionTime": 1.5, "Name": "a", "TaskName": "see"}"#;
    sources.push(("run.sidecar.json".to_owned(), sidecar.to_vec()));
    let confounds = b"csf\trot_z\n1.5\tn/a\n2\t-1e-3\n";
    sources.push(("confounds.tsv".to_owned(), confounds.to_vec()));
    let tsv = b"onset\tduration\ttrial_type\n0.0\t1.5\tface\n2\tn/a\thouse\n";
    sources.push(("events.tsv".to_owned(), tsv.to_vec()));
    sources.push((
        "stimuli.csv".to_owned(),
        b"id,what\n1,\"a, \"\"b\"\"\"\n2,c\n".to_vec(),
    ));
    let picture =
        image::RgbImage::from_fn(24, 17, |x, y| image::Rgb([x as u8 * 9, y as u8 * 11, 40]));
    for (name, format) in [
        ("p.png", image::ImageFormat::Png),
        ("p.jpg", image::ImageFormat::Jpeg),
    ] {
        let mut bytes = std::io::Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        sources.push((name.to_owned(), bytes.into_inner()));
    }
    sources
}

fn damage(chance: &mut Chance, name: &str, bytes: &[u8], other: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    // Half of the compressed files are damaged inside.
    let inside = name.ends_with(".gz") && chance.below(2) == 0;
    if inside {
        let mut plain = Vec::new();
        MultiGzDecoder::new(bytes.as_slice())
            .read_to_end(&mut plain)
            .unwrap();
        bytes = plain;
    }
    for _ in 0..=chance.below(3) {
        damage_once(chance, &mut bytes, other);
    }
    if name.ends_with(".png") && chance.below(2) == 0 && bytes.len() > 33 {
        // Else most damage stops at the checksum of the first chunk.
        let mut crc = flate2::Crc::new();
        crc.update(&bytes[12..29]);
        bytes[29..33].copy_from_slice(&crc.sum().to_be_bytes());
    }
    if inside {
        let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
        gz.write_all(&bytes).unwrap();
        bytes = gz.finish().unwrap();
    }
    bytes
}

fn damage_once(chance: &mut Chance, bytes: &mut Vec<u8>, other: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let len = bytes.len();
    let from = chance.below(len);
    let to = from + chance.below((len - from).min(64) + 1);
    match chance.below(8) {
        0 => {
            for _ in 0..=chance.below(8) {
                let at = chance.below(len);
                bytes[at] ^= 1 << chance.below(8);
            }
        }
        1 => bytes.truncate(from),
        // A header field set to an extreme, in either byte order: near the start, and anywhere.
        2 | 3 => {
            let at = 2 * chance.below(len.min(352).div_ceil(2));
            let extreme = chance.extreme();
            for (byte, &value) in bytes[at..].iter_mut().zip(&extreme) {
                *byte = value;
            }
        }
        4 => {
            let extreme = chance.extreme();
            bytes.splice(from..to, extreme);
        }
        5 => {
            let start = chance.below(other.len());
            let end = start + chance.below(other.len() - start);
            bytes.splice(from..to, other[start..end].iter().copied());
        }
        6 => {
            let again = bytes[from..to].to_vec();
            bytes.splice(from..from, again);
        }
        // A number in a text set to an extreme.
        _ => {
            let is_digit = |b: &u8| b.is_ascii_digit();
            if let Some(at) = bytes[from..].iter().position(is_digit) {
                let at = from + at;
                let n = bytes[at..].iter().take_while(|b| is_digit(b)).count();
                let text = [
                    "-1",
                    "0",
                    "4294967295",
                    "99999999999999999999",
                    "NaN",
                    "1e309",
                    "3000000",
                ];
                bytes.splice(at..at + n, chance.one_of(&text).bytes());
            }
        }
    }
}

/// A small generator of its own (splitmix64), so that a seed means the same for ever.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    fn extreme(&mut self) -> Vec<u8> {
        match self.below(9) {
            0 => i16::MAX.to_le_bytes().to_vec(),
            1 => i16::MIN.to_be_bytes().to_vec(),
            2 => i32::MAX.to_le_bytes().to_vec(),
            3 => i64::MAX.to_le_bytes().to_vec(),
            4 => f32::NAN.to_le_bytes().to_vec(),
            5 => f32::MAX.to_le_bytes().to_vec(),
            6 => f64::NEG_INFINITY.to_le_bytes().to_vec(),
            7 => vec![0; 8],
            _ => vec![0xff; 8],
        }
    }
}
