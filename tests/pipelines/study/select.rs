//! Choosing a part of a study.

use std::path::Path;

use fusiform_pipelines::Error;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::study::select::{Query, select};
use fusiform_pipelines::study::{Source, Study};

use super::{Folder, assert_says, labels, refusal};

/// Two subjects; the first has two versions of two runs, with a mask for one of them.
fn two_subjects() -> Folder {
    let folder = Folder::new();
    for run in ["01", "02"] {
        for (desc, shape) in [("fine", [4, 4, 4]), ("coarse", [2, 2, 2])] {
            let name = format!("sub-01/func/sub-01_task-see_run-{run}_desc-{desc}_bold.nii");
            folder.put_series(&name, shape, 3);
        }
    }
    folder
        .put_series("sub-02/func/sub-02_task-see_run-01_bold.nii", [2, 2, 2], 3)
        .put_volume(
            "derivatives/m/sub-01/sub-01_desc-fine_mask.nii",
            [4, 4, 4],
            &[1.0; 64],
        )
        .put_volume(
            "derivatives/m/sub-01/sub-01_desc-big_mask.nii",
            [2, 2, 2],
            &[1.0; 8],
        )
        .put_volume(
            "derivatives/m/sub-01/sub-01_desc-little_mask.nii",
            [2, 2, 2],
            &[1.0; 8],
        );
    folder
}

fn query(subject: &str) -> Query {
    Query {
        subject: Some(subject.into()),
        ..Query::default()
    }
}

fn some(text: &str) -> Option<String> {
    Some(text.into())
}

#[test]
fn what_is_open_is_listed_with_the_option_that_chooses() {
    let folder = two_subjects();
    let study = folder.open().unwrap();
    let error = select(&study, &Query::default()).unwrap_err();
    assert!(matches!(error, Error::Choice(_)));
    assert_eq!(
        error.to_string(),
        "several subjects (01, 02): choose one with --subject"
    );
    assert_eq!(
        refusal(&study, &query("01")),
        "several versions of each run (desc: coarse, fine): choose one with --desc"
    );
    let coarse = Query {
        desc: some("coarse"),
        ..query("01")
    };
    assert_eq!(
        refusal(&study, &coarse),
        "several masks go with these runs (big, little): choose one with --mask, or none"
    );
}

#[test]
fn a_mask_with_the_same_desc_is_taken_and_said() {
    let folder = two_subjects();
    let study = folder.open().unwrap();
    let selection = select(
        &study,
        &Query {
            desc: some("fine"),
            ..query("sub-01")
        },
    )
    .unwrap();
    assert_eq!(labels(&selection), ["01", "02"]);
    assert_eq!(selection.mask.as_ref().unwrap().name, "fine");
    assert_eq!(
        selection.assumptions,
        ["mask fine is used: it has the same desc as the runs"]
    );
    assert!(selection.atlas.is_none());
    let alone = select(&study, &query("02")).unwrap();
    assert!(alone.mask.is_none() && alone.assumptions.is_empty());
}

#[test]
fn masks_are_chosen_by_name_or_desc_or_file() {
    let folder = two_subjects();
    folder.put_volume("mine.nii", [2, 2, 2], &[1.0; 8]);
    let study = folder.open().unwrap();
    let with = |mask: &str| Query {
        desc: some("coarse"),
        mask: some(mask),
        ..query("01")
    };
    let chosen = |mask: &str| {
        let mask = select(&study, &with(mask)).unwrap().mask;
        mask.map(|mask| (mask.name, mask.source.path().map(Path::to_path_buf)))
    };
    assert_eq!(chosen("little").unwrap().0, "little");
    assert_eq!(chosen("desc-big").unwrap().0, "big");
    let file = folder.at("mine.nii");
    assert_eq!(
        chosen(file.to_str().unwrap()),
        Some(("mine".into(), Some(file)))
    );
    assert_eq!(chosen("none"), None);
    assert_says(
        &refusal(&study, &with("litle")),
        &["mask “litle”", "fine, ", "did you mean “little”?"],
    );
}

#[test]
fn a_mask_on_another_grid_is_refused_with_both_files() {
    let folder = two_subjects();
    let study = folder.open().unwrap();
    let wrong = Query {
        desc: some("coarse"),
        mask: some("fine"),
        ..query("01")
    };
    assert_says(
        &refusal(&study, &wrong),
        &[
            "desc-fine_mask.nii",
            "run-01_desc-coarse_bold.nii",
            "4 × 4 × 4",
            "2 × 2 × 2",
            "--mask",
        ],
    );
    // The same shape at another place: move the origin by one millimetre.
    let mut moved = super::nifti([2, 2, 2], 1, &[1.0; 8]);
    moved[292..296].copy_from_slice(&1.0f32.to_le_bytes());
    folder.put("moved.nii", moved);
    let path = folder.at("moved.nii");
    let moved = Query {
        desc: some("coarse"),
        mask: some(path.to_str().unwrap()),
        ..query("01")
    };
    assert_says(&refusal(&study, &moved), &["moved.nii", "lies elsewhere"]);
}

#[test]
fn a_single_mask_is_taken_even_when_its_name_says_nothing() {
    let folder = Folder::new();
    folder
        .put_series("sub-01/func/sub-01_run-1_bold.nii", [2, 2, 2], 3)
        .put_volume("sub-01/anat/sub-01_mask.nii", [2, 2, 2], &[1.0; 8]);
    let study = folder.open().unwrap();
    let selection = select(&study, &Query::default()).unwrap();
    assert_eq!(selection.mask.unwrap().name, "mask");
    assert_eq!(
        selection.assumptions,
        ["mask mask is used: it is the only one"]
    );
}

#[test]
fn unknown_names_list_what_there_is() {
    let folder = two_subjects();
    let study = folder.open().unwrap();
    assert_eq!(
        refusal(&study, &query("3")),
        "there is no subject “3” in the study: choose among 01, 02"
    );
    let fien = Query {
        desc: some("fien"),
        ..query("01")
    };
    assert_says(
        &refusal(&study, &fien),
        &["desc “fien”", "coarse, fine", "did you mean “fine”?"],
    );
    let task = Query {
        task: some("rest"),
        ..query("02")
    };
    assert_says(
        &refusal(&study, &task),
        &["task “rest”", "subject 02", "see"],
    );
    let space = Query {
        space: some("MNI"),
        ..query("02")
    };
    assert_says(&refusal(&study, &space), &["space “MNI”", "none"]);
    let run = Query {
        runs: vec!["01".into(), "7".into()],
        ..query("02")
    };
    assert_says(&refusal(&study, &run), &["run “7”", "01"]);
    let mask = Query {
        mask: some("gone.nii"),
        ..query("02")
    };
    assert_says(
        &refusal(&study, &mask),
        &["mask “gone.nii”", "subject 02 has no masks", "no file"],
    );
    let roi = Query {
        rois: vec!["V1".into()],
        ..query("02")
    };
    assert_says(&refusal(&study, &roi), &["region “V1”", "subject 02"]);
}

#[test]
fn runs_are_named_with_or_without_zeros() {
    let folder = two_subjects();
    let study = folder.open().unwrap();
    let with = |runs: &[&str]| Query {
        desc: some("fine"),
        runs: runs.iter().map(|run| (*run).to_owned()).collect(),
        ..query("01")
    };
    assert_eq!(labels(&select(&study, &with(&["2"])).unwrap()), ["02"]);
    assert_eq!(
        labels(&select(&study, &with(&["02", "run-01"])).unwrap()),
        ["01", "02"]
    );
}

#[test]
fn raw_and_derived_runs_are_told_apart() {
    let folder = Folder::new();
    folder
        .put_series("sub-01/func/sub-01_run-1_bold.nii", [2, 2, 2], 3)
        .put_series(
            "derivatives/p/sub-01_run-1_space-MNI_desc-preproc_bold.nii",
            [4, 4, 4],
            3,
        )
        .put_volume(
            "derivatives/p/sub-01_run-1_desc-brain_mask.nii",
            [2, 2, 2],
            &[1.0; 8],
        )
        .put_volume(
            "derivatives/p/sub-01_run-1_space-MNI_desc-brain_mask.nii",
            [4, 4, 4],
            &[1.0; 64],
        );
    let study = folder.open().unwrap();
    assert_says(
        &refusal(&study, &Query::default()),
        &["space: MNI, none", "--space"],
    );
    for (space, in_mni) in [("none", false), ("MNI", true)] {
        let selection = select(
            &study,
            &Query {
                space: some(space),
                ..Query::default()
            },
        )
        .unwrap();
        assert_eq!(selection.runs.len(), 1);
        let mask = selection.mask.unwrap();
        assert_eq!(mask.entities.contains_key("space"), in_mni);
        // `desc` names both masks, and the space decides.
        let named = Query {
            space: some(space),
            mask: some("brain"),
            ..Query::default()
        };
        assert_eq!(
            select(&study, &named).unwrap().mask.unwrap().name,
            mask.name
        );
    }
}

#[test]
fn sessions_are_kept_together_unless_one_is_named() {
    let folder = Folder::new();
    for session in ["a", "b"] {
        let name = format!("sub-01/ses-{session}/func/sub-01_ses-{session}_run-1_bold.nii");
        folder.put_series(&name, [2, 2, 2], 3);
    }
    let study = folder.open().unwrap();
    assert_eq!(
        labels(&select(&study, &Query::default()).unwrap()),
        ["ses-a_run-1", "ses-b_run-1"]
    );
    let one = Query {
        session: some("ses-b"),
        ..Query::default()
    };
    assert_eq!(labels(&select(&study, &one).unwrap()), ["ses-b_run-1"]);
    let two = Query {
        task: some("x"),
        session: some("c"),
        ..Query::default()
    };
    assert_says(&refusal(&study, &two), &["session “c”", "a, b"]);
}

#[test]
fn runs_on_different_grids_are_refused() {
    let folder = Folder::new();
    folder
        .put_series("sub-01/func/sub-01_run-1_bold.nii", [2, 2, 2], 3)
        .put_series("sub-01/func/sub-01_run-2_bold.nii", [2, 2, 3], 3);
    let study = folder.open().unwrap();
    let message = refusal(&study, &Query::default());
    assert_says(
        &message,
        &["run-2_bold.nii", "run-1_bold.nii", "2 × 2 × 3", "--runs"],
    );
    let one = Query {
        runs: vec!["2".into()],
        ..Query::default()
    };
    assert_eq!(labels(&select(&study, &one).unwrap()), ["2"]);
}

#[test]
fn a_damaged_run_is_named() {
    let folder = Folder::new();
    folder.put("sub-01/func/sub-01_run-1_bold.nii", "no NIfTI");
    let study = folder.open().unwrap();
    assert_says(
        &refusal(&study, &Query::default()),
        &["sub-01_run-1_bold.nii"],
    );
}

#[test]
fn the_real_studies_choose_as_their_readme_does() {
    if let Some(path) = crate::real_data("haxby2001_sub001") {
        let study = quietly(|run| Study::open(&path, run)).unwrap();
        assert_eq!(
            refusal(&study, &Query::default()),
            "several versions of each run (desc: 25mm, oneslice): choose one with --desc"
        );
        let selection = select(
            &study,
            &Query {
                desc: some("oneslice"),
                ..Query::default()
            },
        )
        .unwrap();
        assert_eq!(
            labels(&selection),
            ["01", "02", "03", "04", "05", "06", "07", "08"]
        );
        let mask = selection.mask.unwrap();
        assert!(
            mask.source
                .path()
                .unwrap()
                .ends_with("sub-001_desc-oneslice_mask.nii.gz")
        );
        // Of six masks five lie on the 25 mm grid.
        let coarse = refusal(
            &study,
            &Query {
                desc: some("25mm"),
                ..Query::default()
            },
        );
        let five = "(25mmbrain, 25mmgray, 25mmhoc, 25mmvt, 25mmwhite)";
        assert_says(&coarse, &[five, "--mask"]);
    }
    if let Some(path) = crate::real_data("yamada2015_shapes") {
        let study = quietly(|run| Study::open(&path, run)).unwrap();
        let selection = select(&study, &Query::default()).unwrap();
        assert_eq!(selection.runs.len(), 4);
        assert_eq!(selection.mask.as_ref().unwrap().name, "V1");
        assert!(selection.atlas.is_some());
        assert_eq!(
            selection.assumptions,
            ["mask V1 is used: it is the only one"]
        );
        let roi = |name: &str| Query {
            rois: vec![name.into()],
            ..Query::default()
        };
        assert_eq!(select(&study, &roi("lh_V1d")).unwrap().rois, ["lh_V1d"]);
        assert_says(
            &refusal(&study, &roi("LH_V1x")),
            &[
                "region “LH_V1x”",
                "LH_V1d, LH_V1v, RH_V1d, RH_V1v",
                "did you mean",
            ],
        );
    }
}

#[test]
fn memory_needs_no_files() {
    let folder = two_subjects();
    let mut study = folder.open().unwrap();
    let subject = &mut study.subjects[1];
    let series = quietly(|run| subject.runs[0].bold.load(run)).unwrap();
    subject.runs[0].bold = Source::Memory(series);
    drop(folder);
    assert_eq!(labels(&select(&study, &query("02")).unwrap()), ["01"]);
}
