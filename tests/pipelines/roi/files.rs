//! Regions written and read back in every format, and in a saved layout.

use std::path::{Path, PathBuf};

use fusiform_pipelines::io::freesurfer;
use fusiform_pipelines::mask::Mask;
use fusiform_pipelines::roi::files::{ENDINGS, read, write};
use fusiform_pipelines::roi::transfer::Sheet;
use fusiform_pipelines::roi::{Patch, Roi};
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::surface::Hemisphere;

use super::{oblique, patch, strip};

fn two() -> [Roi; 2] {
    let grid = oblique([6, 5, 4]);
    let mut early = Roi::of_voxels(
        "early visual",
        [200, 30, 60],
        Mask::of(grid.clone(), vec![3, 4, 5, 60]),
    );
    let mut late = Roi::of_voxels(
        "late <&> “visual”",
        [10, 250, 0],
        Mask::of(grid, vec![60, 100, 119]),
    );
    early.patches = vec![
        patch(Hemisphere::Left, 117, &[0, 5, 9]),
        patch(Hemisphere::Right, 117, &[116]),
    ];
    late.patches = vec![
        patch(Hemisphere::Left, 117, &[9, 10]),
        patch(Hemisphere::Right, 117, &[2, 3]),
    ];
    [early, late]
}

fn back(path: &Path) -> Vec<Roi> {
    quietly(|run| read(path, None, run)).unwrap()
}

fn names(folder: &Path) -> Vec<String> {
    let all = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = all
        .map(|f| f.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_volume_comes_back_with_names_and_colours() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["areas.nii.gz", "sub-1_dseg.nii"] {
        let path = folder.path().join(name);
        let rois = two();
        let written = write(&path, &rois, &[]).unwrap();
        assert_eq!(written.paths.len(), 2);
        assert!(
            written.notes[0].contains("1 voxels lie in several regions"),
            "{:?}",
            written.notes
        );
        let read = back(&path);
        assert_eq!(read.len(), 2);
        for (was, is) in rois.iter().zip(&read) {
            assert_eq!((&was.name, was.colour), (&is.name, is.colour));
            assert!(
                is.voxels
                    .as_ref()
                    .unwrap()
                    .grid()
                    .same_as(was.voxels.as_ref().unwrap().grid())
            );
        }
        assert_eq!(read[0].voxels.as_ref().unwrap().voxels(), [3, 4, 5, 60]);
        assert_eq!(
            read[1].voxels.as_ref().unwrap().voxels(),
            [100, 119],
            "the first keeps what is shared"
        );
    }
    assert_eq!(
        names(folder.path()),
        [
            "areas.nii.gz",
            "areas.tsv",
            "sub-1_dseg.nii",
            "sub-1_dseg.tsv"
        ]
    );
}

#[test]
fn labels_of_vertices_come_back_in_both_formats() {
    for ending in ["label.gii", "annot"] {
        let folder = tempfile::tempdir().unwrap();
        let written = write(&folder.path().join(format!("areas.{ending}")), &two(), &[]).unwrap();
        assert_eq!(
            names(folder.path()),
            [format!("lh.areas.{ending}"), format!("rh.areas.{ending}")]
        );
        assert_eq!(written.paths.len(), 2);
        for (path, hemisphere, members) in [
            (&written.paths[0], Hemisphere::Left, [&[0, 5, 9][..], &[10]]),
            (&written.paths[1], Hemisphere::Right, [&[116], &[2, 3]]),
        ] {
            let read = back(path);
            assert_eq!(read.len(), 2, "{}", path.display());
            for ((was, is), members) in two().iter().zip(&read).zip(members) {
                assert_eq!((&was.name, was.colour), (&is.name, is.colour));
                let patch = is.patch(hemisphere).unwrap();
                assert_eq!((patch.n_vertices, &*patch.vertices), (117, members));
            }
        }
        // A name that says which side writes that side alone, and says so.
        let one = folder.path().join(format!("rh.one.{ending}"));
        let written = write(&one, &two(), &[]).unwrap();
        assert_eq!(written.paths, [one]);
        assert!(
            written.notes.iter().any(|n| n.contains("other hemisphere")),
            "{:?}",
            written.notes
        );
    }
}

#[test]
fn an_annotation_keeps_regions_of_one_colour_apart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lh.same.annot");
    let mut rois = two().to_vec();
    rois.push(Roi {
        name: "black".into(),
        colour: [0; 3],
        voxels: None,
        patches: vec![patch(Hemisphere::Left, 117, &[50])],
    });
    rois[1].colour = rois[0].colour;
    let written = write(&path, &rois, &[]).unwrap();
    let note = written.notes.iter().find(|n| n.contains("colour"));
    assert!(
        note.is_some_and(|n| n.contains("late") && n.contains("black")),
        "{:?}",
        written.notes
    );
    let read = back(&path);
    let members: Vec<&[u32]> = read.iter().map(|r| &*r.patches[0].vertices).collect();
    assert_eq!(members, [&[0, 5, 9][..], &[10], &[50]]);
    assert_eq!(read[1].colour, [200, 30, 59]);
}

#[test]
fn a_label_comes_back_with_its_places() {
    let folder = tempfile::tempdir().unwrap();
    let (white, pial) = strip();
    let sheet = Sheet {
        hemisphere: Hemisphere::Left,
        inner: &white,
        outer: &pial,
    };
    let [early, late] = two();
    let path = folder.path().join("early.label");
    write(&path, std::slice::from_ref(&early), &[sheet]).unwrap();
    assert_eq!(names(folder.path()), ["lh.early.label", "rh.early.label"]);
    let left = folder.path().join("lh.early.label");
    let read = quietly(|run| read(&left, Some(117), run)).unwrap();
    assert_eq!(read[0].name, "early");
    assert_eq!(read[0].patches, [early.patches[0].clone()]);
    assert_eq!(freesurfer::read_label(&left).unwrap().values, [0.0; 3]);
    let text = std::fs::read_to_string(&left).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("#!ascii label") && lines[1] == "3",
        "{text}"
    );
    let at = white.vertices[5];
    assert_eq!(
        lines[3],
        format!("5  {:.3}  {:.3}  {:.3} 0.0000000000", at.x, at.y, at.z)
    );
    // Vertices beyond the surface are refused.
    assert!(quietly(|run| fusiform_pipelines::roi::files::read(&left, Some(8), run)).is_err());
    let error = write(&path, &[early, late], &[]).unwrap_err().to_string();
    assert!(error.contains("one region"), "{error}");
}

#[test]
fn what_cannot_be_written_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| -> PathBuf { folder.path().join(name) };
    let [early, _] = two();
    let voxels = Roi {
        patches: Vec::new(),
        ..early.clone()
    };
    let vertices = Roi {
        voxels: None,
        ..early.clone()
    };
    let small = Roi {
        patches: vec![Patch {
            n_vertices: 12,
            ..early.patches[0].clone()
        }],
        ..early.clone()
    };
    let right = Roi {
        patches: vec![early.patches[1].clone()],
        ..early.clone()
    };
    for (name, rois, words) in [
        ("x.txt", vec![early.clone()], ENDINGS),
        ("x.nii.gz", vec![], "no regions"),
        ("x.nii.gz", vec![vertices], "no voxels"),
        ("x.annot", vec![voxels], "no vertices"),
        ("x.annot", vec![early, small], "12 vertices"),
        ("lh.x.label", vec![right], "nothing was written"),
    ] {
        let error = write(&at(name), &rois, &[]).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert_eq!(names(folder.path()), [""; 0], "nothing is left behind");
}

#[test]
fn saved_regions_come_back_and_damaged_ones_are_refused() {
    for roi in two() {
        let text = serde_json::to_string(&roi).unwrap();
        assert_eq!(serde_json::from_str::<Roi>(&text).unwrap(), roi);
        for (part, damage) in [
            ("\"shape\":[6,5,4]", "\"shape\":[6,5,1]"),
            (
                "\"shape\":[6,5,4]",
                "\"shape\":[4294967295,4294967295,4294967295]",
            ),
            ("117", "3"),
            ("\"stretches\":[", "\"stretches\":[9,"),
            ("Right", "Left"),
        ] {
            let damaged = text.replace(part, damage);
            assert_ne!(damaged, text);
            let error = serde_json::from_str::<Roi>(&damaged)
                .unwrap_err()
                .to_string();
            assert!(error.contains("damaged"), "{error}");
        }
    }
}
