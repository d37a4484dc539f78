//! Bad input through the real program: one sentence that names the file, exit 1, nothing written.

use std::path::{Path, PathBuf};

use fusiform_pipelines::io::freesurfer::{write_annot, write_label};
use fusiform_pipelines::io::{gifti, nifti, npy, picture, write};
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::surface::{Surface, VertexLabels, VertexMap};
use fusiform_pipelines::volume::{Region, Series, Volume};
use glam::{DAffine3, DVec3, Vec3};

use crate::cli::{error, fusiform, json};

const SHAPE: [usize; 3] = [4, 4, 3];
pub(crate) const N_TIMES: usize = 60;

fn grid(shape: [usize; 3]) -> Grid {
    Grid {
        shape,
        world_from_voxel: DAffine3::from_scale(DVec3::splat(3.0)),
    }
}

/// A deterministic number in −1..1 that looks random.
fn noise(seed: usize) -> f32 {
    let x = (seed as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(31)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((x >> 40) as f32 / (1 << 23) as f32) - 1.0
}

/// A sound BIDS study of three runs: two pictures in blocks of 10 s, TR 2 s, 48 voxels. Even voxels respond to the ring,
/// odd ones to the bar.
pub(crate) struct SmallStudy {
    pub(crate) folder: tempfile::TempDir,
}

impl SmallStudy {
    pub(crate) fn new() -> Self {
        let study = Self {
            folder: tempfile::tempdir().expect("folder"),
        };
        for picture_id in ["ring", "bar"] {
            let image = image::RgbImage::from_fn(16, 16, |x, y| {
                let inside = if picture_id == "ring" {
                    x.abs_diff(8) + y.abs_diff(8) < 6
                } else {
                    x < 6
                };
                image::Rgb(if inside { [230; 3] } else { [20; 3] })
            });
            std::fs::create_dir_all(study.path("stimuli")).expect("folder");
            picture::write_png(&study.path(&format!("stimuli/{picture_id}.png")), &image)
                .expect("picture");
        }
        std::fs::create_dir_all(study.path("sub-1/func")).expect("folder");
        for run in 1..=3 {
            let mut table = String::from("onset\tduration\ttrial_type\tstim_file\n");
            let mut shown = [None; N_TIMES];
            for block in 0..6usize {
                let picture_id = ["ring", "bar"][(block + run) % 2];
                table += &format!("{}\t10\t{picture_id}\t{picture_id}.png\n", 20 * block);
                shown[10 * block + 2..10 * block + 7].fill(Some(picture_id));
            }
            std::fs::write(study.events(run), table).expect("events");
            let n = grid(SHAPE).n_voxels();
            let data = (0..N_TIMES * n)
                .map(|at| {
                    let (time, voxel) = (at / n, at % n);
                    let signal = match shown[time] {
                        Some("ring") if voxel.is_multiple_of(2) => 4.0,
                        Some("bar") if !voxel.is_multiple_of(2) => 4.0,
                        _ => 0.0,
                    };
                    1000.0 + signal + noise(at + run * 1_000_003)
                })
                .collect();
            study.write_bold(run, data);
        }
        study
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn events(&self, run: usize) -> PathBuf {
        self.path(&format!(
            "sub-1/func/sub-1_task-shapes_run-0{run}_events.tsv"
        ))
    }

    pub(crate) fn bold(&self, run: usize) -> PathBuf {
        self.path(&format!(
            "sub-1/func/sub-1_task-shapes_run-0{run}_bold.nii.gz"
        ))
    }

    pub(crate) fn write_bold(&self, run: usize, data: std::sync::Arc<[f32]>) {
        let series = Series {
            grid: grid(SHAPE),
            n_times: N_TIMES,
            tr_secs: Some(2.0),
            data,
            assumptions: Vec::new(),
        };
        nifti::write_series(&self.bold(run), &series).expect("bold");
    }

    /// Decodes into a folder of its own; the error line, after checking that nothing was written.
    fn refused(&self) -> String {
        let out = self.path("results");
        let line = error(&fusiform(&[
            "decode",
            &text(self.folder.path()),
            "--out",
            &text(&out),
            "--device",
            "cpu",
        ]));
        let left = std::fs::read_dir(&out).map_or(0, Iterator::count);
        assert_eq!(left, 0, "results were left behind after: {line}");
        line
    }
}

pub(crate) fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[test]
fn the_sound_study_decodes() {
    let study = SmallStudy::new();
    let metrics = json(&fusiform(&[
        "decode",
        &text(study.folder.path()),
        "--json",
        "--device",
        "cpu",
    ]));
    assert!(
        metrics["accuracy"].as_f64().is_some_and(|a| a > 0.9),
        "{metrics}"
    );
    assert_eq!(metrics["n_trials"], 18);
    assert_eq!(metrics["stimuli_seen_in_training"], true);
}

#[test]
fn a_truncated_run() {
    let study = SmallStudy::new();
    let bytes = std::fs::read(study.bold(2)).expect("bold");
    std::fs::write(study.bold(2), &bytes[..bytes.len() / 2]).expect("written");
    let line = study.refused();
    assert!(line.contains("run-02_bold.nii.gz"), "{line}");
}

#[test]
fn words_named_nii() {
    let study = SmallStudy::new();
    std::fs::write(study.bold(1), "onset duration words words words").expect("written");
    let line = study.refused();
    assert!(line.contains("run-01_bold.nii.gz"), "{line}");
}

#[test]
fn absurd_dimensions() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("huge.nii");
    let volume = Volume {
        grid: grid(SHAPE),
        data: vec![1.0; 48].into(),
        assumptions: Vec::new(),
    };
    nifti::write_volume(&path, &volume).expect("volume");
    let mut bytes = std::fs::read(&path).expect("bytes");
    for axis in 1..=3 {
        // dim[axis], a 16-bit number at byte 40 + 2·axis (NIfTI-1).
        bytes[40 + 2 * axis..42 + 2 * axis].copy_from_slice(&32_767i16.to_le_bytes());
    }
    std::fs::write(&path, bytes).expect("written");
    let png = folder.path().join("x.png");
    let line = error(&fusiform(&[
        "render",
        "--view",
        "slices",
        "--map",
        &text(&path),
        "-o",
        &text(&png),
    ]));
    assert!(
        line.contains("huge.nii") && line.contains("32767"),
        "{line}"
    );
    assert!(!png.exists());
}

#[test]
fn no_events() {
    let study = SmallStudy::new();
    std::fs::remove_file(study.events(3)).expect("removed");
    let line = study.refused();
    assert!(line.contains("run-03") && line.contains("events"), "{line}");
}

#[test]
fn a_stimulus_that_is_not_there() {
    let study = SmallStudy::new();
    let table = std::fs::read_to_string(study.events(1))
        .expect("events")
        .replacen("bar.png", "square.png", 1);
    std::fs::write(study.events(1), table).expect("written");
    let line = study.refused();
    assert!(
        line.contains("square.png") && line.contains("run-01_events.tsv"),
        "{line}"
    );
}

#[test]
fn a_run_of_nan() {
    let study = SmallStudy::new();
    study.write_bold(2, vec![f32::NAN; N_TIMES * 48].into());
    let line = study.refused();
    assert!(line.contains("run-02") && line.contains("NaN"), "{line}");
}

#[test]
fn a_mask_of_another_grid() {
    let study = SmallStudy::new();
    let volume = Volume {
        grid: grid([5, 4, 3]),
        data: vec![1.0; 60].into(),
        assumptions: Vec::new(),
    };
    let folder = study.path("derivatives/masks/sub-1");
    std::fs::create_dir_all(&folder).expect("folder");
    nifti::write_volume(&folder.join("sub-1_desc-wrong_mask.nii.gz"), &volume).expect("mask");
    let line = study.refused();
    assert!(line.contains("desc-wrong_mask.nii.gz"), "{line}");
}

#[test]
fn a_number_that_is_none() {
    let study = SmallStudy::new();
    write::write_text(
        &study.events(1),
        "onset\tduration\ttrial_type\nsoon\t10\tring\n",
    )
    .expect("written");
    let line = study.refused();
    assert!(
        line.contains("run-01_events.tsv") && line.contains("soon"),
        "{line}"
    );
}

#[test]
fn results_that_cannot_be_written() {
    let study = SmallStudy::new();
    let blocked = study.path("stimuli/ring.png/results");
    let line = error(&fusiform(&[
        "decode",
        &text(study.folder.path()),
        "--out",
        &text(&blocked),
    ]));
    assert!(line.contains("results"), "{line}");
}

/// An octahedron of six vertices, or one with `more` vertices that no triangle names.
fn octahedron(more: usize) -> Surface {
    let axes = [Vec3::X, Vec3::Y, Vec3::Z].map(|axis| 30.0 * axis);
    let corners = axes.into_iter().flat_map(|axis| [axis, -axis]);
    let rest = (0..more).map(|n| Vec3::splat(n as f32));
    Surface {
        vertices: corners.chain(rest).collect(),
        triangles: [0u32, 1]
            .into_iter()
            .flat_map(|x| [2u32, 3].map(|y| (x, y)))
            .flat_map(|(x, y)| [4u32, 5].map(|z| [x, y, z]))
            .collect::<Vec<_>>()
            .into(),
        hemisphere: None,
        assumptions: Vec::new(),
    }
}

/// FreeSurfer's curvature format of today.
fn curvature(values: &[f32]) -> Vec<u8> {
    let mut bytes = vec![255, 255, 255];
    for number in [values.len() as i32, 8, 1] {
        bytes.extend(number.to_be_bytes());
    }
    bytes.extend(values.iter().flat_map(|v| v.to_be_bytes()));
    bytes
}

/// An MGH file of one row of numbers, which says nothing of its place.
fn mgh(values: &[f32]) -> Vec<u8> {
    let mut bytes: Vec<u8> = [1, values.len() as i32, 1, 1, 1, 3, 0]
        .into_iter()
        .flat_map(i32::to_be_bytes)
        .collect();
    bytes.resize(284, 0);
    bytes.extend(values.iter().flat_map(|v| v.to_be_bytes()));
    bytes
}

#[test]
fn values_that_do_not_fit_their_surface() {
    let folder = tempfile::tempdir().expect("folder");
    let path = |name: &str| folder.path().join(name);
    gifti::write_surface(&path("lh.pial.surf.gii"), &octahedron(0)).expect("surface");
    gifti::write_surface(&path("rh.pial.surf.gii"), &octahedron(3)).expect("surface");
    let values: Vec<f32> = (1..=9).map(|v| v as f32 / 2.0).collect();
    let map = VertexMap {
        name: "map".into(),
        values: values.clone().into(),
    };
    let labels = VertexLabels {
        keys: vec![1; 9].into(),
        regions: vec![Region {
            key: 1,
            name: "all".into(),
            colour: [9, 90, 200],
        }],
    };
    let fixture = |name: &str| {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/cifti");
        std::fs::copy(from.join(name), path(name)).expect("copied");
    };
    gifti::write_map(&path("lh.nine.func.gii"), &map).expect("map");
    gifti::write_labels(&path("lh.nine.label.gii"), &labels, None).expect("labels");
    std::fs::write(path("lh.nine"), curvature(&values)).expect("curvature");
    std::fs::write(path("lh.nine.mgh"), mgh(&values)).expect("mgh");
    write_annot(&path("lh.nine.annot"), &labels).expect("annot");
    write_label(&path("lh.ninth.label"), &[2, 8], None).expect("label");
    let array = Matrix {
        n_rows: 9,
        n_cols: 1,
        values,
    };
    npy::write(&path("lh.nine.npy"), &array).expect("array");
    fixture("two.dscalar.nii");
    fixture("areas.dlabel.nii");
    let render = |option: &str, name: &str| {
        let out = text(&path("out.png"));
        let (lh, rh) = (
            text(&path("lh.pial.surf.gii")),
            text(&path("rh.pial.surf.gii")),
        );
        let name = text(&path(name));
        let surfaces = ["render", "--surfaces", &lh, "--surfaces", &rh];
        let said = fusiform(&[&surfaces[..], &[option, &name, "--cpu", "-o", &out]].concat());
        assert!(!path("out.png").exists(), "{name}: nothing is written");
        error(&said)
    };
    for (option, name) in [
        ("--map", "lh.nine.func.gii"),
        ("--map", "lh.nine"),
        ("--map", "lh.nine.mgh"),
        ("--map", "lh.nine.npy"),
        ("--parcellation", "lh.nine.annot"),
        ("--parcellation", "lh.nine.label.gii"),
    ] {
        let line = render(option, name);
        for part in [
            &format!("{name}: has 9 values"),
            "lh.pial.surf.gii has 6 vertices",
            "what fits are surfaces of 9 vertices",
            "a file of 6 values",
            // One of the others fits.
            "rh.pial.surf.gii has 9",
        ] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
    // Both sides in one file: the left has the six, the right five.
    for (option, name) in [
        ("--map", "two.dscalar.nii"),
        ("--parcellation", "areas.dlabel.nii"),
    ] {
        let line = render(option, name);
        for part in [name, "5 values", "rh.pial.surf.gii has 9 vertices"] {
            assert!(line.contains(part), "{part}: {line}");
        }
    }
    let line = render("--parcellation", "lh.ninth.label");
    for part in [
        "lh.ninth.label",
        "the vertex 8",
        "lh.pial.surf.gii has 6 vertices",
        "drawn on",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
    // A table names regions instead: what it names and what there is.
    std::fs::write(path("table.tsv"), "region\tt\nall\t2\nnowhere\t3\n").expect("table");
    let fits = VertexLabels {
        keys: vec![1; 6].into(),
        ..labels
    };
    write_annot(&path("lh.six.annot"), &fits).expect("annot");
    let annot = text(&path("lh.six.annot"));
    let (lh, out) = (text(&path("lh.pial.surf.gii")), text(&path("out.png")));
    let table = text(&path("table.tsv"));
    let painted = [
        "render",
        "--surfaces",
        &lh,
        "--parcellation",
        &annot,
        "--table",
        &table,
    ];
    let line = error(&fusiform(&[&painted[..], &["--cpu", "-o", &out]].concat()));
    for part in ["table.tsv", "nowhere", "it has all"] {
        assert!(line.contains(part), "{part}: {line}");
    }
}
