//! Opening BIDS folders.

use fusiform_pipelines::run::{CancelToken, Run, Stop, quietly};
use fusiform_pipelines::study::{Source, Study};
use fusiform_pipelines::surface::{Hemisphere, Shape};

use super::{Folder, assert_says};

const EVENTS: &str = "onset\tduration\ttrial_type\tstim_file\n\
    0\t2\tface\ta.png\n\
    4\t2\thouse\tsub/b.jpg\n\
    8\t2\trest\tn/a\n";

/// One subject, two runs, pictures with words.
fn small_study() -> Folder {
    let folder = Folder::new();
    folder
        .put("dataset_description.json", r#"{"Name": "Small"}"#)
        .put("sub-01/func/sub-01_task-see_run-2_events.tsv", EVENTS)
        .put("sub-01/func/sub-01_task-see_run-10_events.tsv", EVENTS)
        .put("stimuli/a.png", "")
        .put("stimuli/sub/b.jpg", "")
        .put(
            "stimuli/captions.tsv",
            "stim_file\tcaption\na.png\ta face\nstimuli/sub/b.jpg\tn/a\n",
        )
        .put(
            "stimuli/stimuli.tsv",
            "stimulus\tcaption\tcategory\na.png\tlater\tface\n",
        );
    for run in ["2", "10"] {
        folder.put_series(
            &format!("sub-01/func/sub-01_task-see_run-{run}_bold.nii"),
            [2, 2, 2],
            3,
        );
    }
    folder
}

#[test]
fn a_small_study_is_indexed() {
    let folder = small_study();
    let study = folder.open().unwrap();
    assert_eq!(study.name, "Small");
    assert_eq!(study.assumptions, Vec::<String>::new());
    let [subject] = study.subjects.as_slice() else {
        panic!("one subject")
    };
    assert_eq!(subject.id, "01");
    // Natural order: 2 before 10.
    let labels: Vec<&str> = subject.runs.iter().map(|run| run.label.as_str()).collect();
    assert_eq!(labels, ["2", "10"]);
    let stimuli: Vec<(&str, Option<&str>, Option<&str>)> = study
        .stimuli
        .iter()
        .map(|s| (s.id.as_str(), s.caption.as_deref(), s.category.as_deref()))
        .collect();
    assert_eq!(
        stimuli,
        [
            ("a.png", Some("a face"), Some("face")),
            ("sub/b.jpg", None, None)
        ]
    );
    let picture = study
        .stimulus("sub/b.jpg")
        .unwrap()
        .image
        .as_ref()
        .and_then(Source::path);
    assert!(picture.unwrap().ends_with("stimuli/sub/b.jpg"));
}

#[test]
fn a_subject_folder_opens_as_that_subject() {
    let folder = small_study();
    folder.put_series("sub-02/func/sub-02_task-see_run-2_bold.nii", [2, 2, 2], 3);
    let study = quietly(|run| Study::open(&folder.at("sub-01"), run)).unwrap();
    assert_eq!(study.subjects.len(), 1);
    assert_eq!(study.name, "Small");
    assert_eq!(study.stimuli.len(), 2);
}

#[test]
fn nearer_sidecars_win_and_farther_ones_fill_in() {
    let folder = small_study();
    folder
        .put("task-see_bold.json", r#"{"RepetitionTime": 3.0}"#)
        .put("sub-01/sub-01_bold.json", r#"{"RepetitionTime": 2.5}"#)
        .put(
            "sub-01/func/sub-01_task-see_run-10_bold.json",
            r#"{"TaskName": "see"}"#,
        )
        .put(
            "sub-02/func/task-see_bold.json",
            r#"{"RepetitionTime": 9.0}"#,
        )
        .put_series("sub-02/func/sub-02_task-see_run-1_bold.nii", [2, 2, 2], 3)
        .put_series("sub-03/func/sub-03_task-see_run-1_bold.nii", [2, 2, 2], 3)
        .put_series("sub-03/func/sub-03_task-other_run-1_bold.nii", [2, 2, 2], 3);
    let study = folder.open().unwrap();
    let tr = |id: &str, label: &str| {
        let run = study
            .subject(id)
            .unwrap()
            .runs
            .iter()
            .find(|run| run.label == label);
        run.unwrap_or_else(|| panic!("no run {label}")).tr_secs
    };
    assert_eq!(tr("01", "task-see_run-10"), Some(2.5));
    assert_eq!(tr("02", "task-see_run-1"), Some(9.0));
    assert_eq!(tr("03", "task-see_run-1"), Some(3.0));
    assert_eq!(tr("03", "task-other_run-1"), None);
}

#[test]
fn events_serve_every_version_of_their_run() {
    let folder = small_study();
    let derivative = "derivatives/prep/sub-01/func/sub-01_task-see_run-2_space-MNI_desc-preproc";
    folder
        .put_series(&format!("{derivative}_bold.nii"), [2, 2, 2], 3)
        .put_series(
            "sub-01/func/sub-01_task-see_run-2_desc-small_bold.nii",
            [1, 1, 1],
            3,
        );
    let study = folder.open().unwrap();
    let subject = study.subject("01").unwrap();
    let second: Vec<_> = subject.runs.iter().filter(|run| run.label == "2").collect();
    assert_eq!(second.len(), 3);
    for run in second {
        let events = run.events.as_ref().and_then(Source::path).unwrap();
        assert!(events.ends_with("sub-01/func/sub-01_task-see_run-2_events.tsv"));
    }
}

#[test]
fn events_are_inherited_from_above_but_not_from_the_side() {
    let folder = Folder::new();
    folder
        .put(
            "task-see_events.tsv",
            "onset\tduration\ttrial_type\n0\t1\tup\n",
        )
        .put(
            "sub-02/func/task-see_run-1_events.tsv",
            "onset\tduration\ttrial_type\n0\t1\tside\n",
        )
        .put_series("sub-01/func/sub-01_task-see_run-1_bold.nii", [1, 1, 1], 2)
        .put_series("sub-02/func/sub-02_task-see_run-1_bold.nii", [1, 1, 1], 2);
    let study = folder.open().unwrap();
    let condition = |id: &str| {
        let events = quietly(|run| study.subject(id).unwrap().runs[0].load_events(run)).unwrap();
        events.rows[0].trial_type.clone()
    };
    assert_eq!(condition("01"), "up");
    assert_eq!(condition("02"), "side");
}

#[test]
fn sessions_and_tasks_are_in_the_labels() {
    let folder = Folder::new();
    folder
        .put_series(
            "sub-01/ses-1/func/sub-01_ses-1_task-a_run-1_bold.nii",
            [1, 1, 1],
            2,
        )
        .put_series(
            "sub-01/ses-2/func/sub-01_ses-2_task-a_run-1_bold.nii",
            [1, 1, 1],
            2,
        );
    let labels = |folder: &Folder| {
        let study = folder.open().unwrap();
        study.subjects[0]
            .runs
            .iter()
            .map(|run| run.label.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(labels(&folder), ["ses-1_run-1", "ses-2_run-1"]);
    folder.put_series(
        "sub-01/ses-2/func/sub-01_ses-2_task-b_run-1_bold.nii",
        [1, 1, 1],
        2,
    );
    assert_eq!(
        labels(&folder),
        [
            "ses-1_task-a_run-1",
            "ses-2_task-a_run-1",
            "ses-2_task-b_run-1"
        ]
    );
}

#[test]
fn derivatives_give_masks_atlases_surfaces_and_the_anatomy() {
    let folder = small_study();
    let at = |name: &str| format!("derivatives/x/sub-01/sub-01_{name}");
    folder
        .put_volume(&at("desc-V1_mask.nii"), [2, 2, 2], &[1.0; 8])
        .put_volume(&at("space-A_desc-brain_mask.nii"), [2, 2, 2], &[1.0; 8])
        .put_volume(&at("space-B_desc-brain_mask.nii"), [2, 2, 2], &[1.0; 8])
        .put_volume(&at("desc-V1_dseg.nii"), [2, 2, 2], &[1.0; 8])
        .put_volume(&at("space-B_T1w.nii"), [2, 2, 2], &[1.0; 8])
        .put_volume("sub-01/anat/sub-01_T1w.nii", [2, 2, 2], &[1.0; 8]);
    for part in [
        "white.surf.gii",
        "pial.surf.gii",
        "sulc.shape.gii",
        "curv.shape.gii",
    ] {
        folder.put(&at(&format!("hemi-L_{part}")), "");
        folder.put(&at(&format!("hemi-L_space-fsaverage_{part}")), "");
    }
    folder
        .put(&at("hemi-L_desc-aparc_dseg.label.gii"), "")
        .put(&at("hemi-R_sulc.shape.gii"), "");
    let study = folder.open().unwrap();
    let subject = &study.subjects[0];
    let masks: Vec<&str> = subject
        .masks
        .iter()
        .map(|mask| mask.name.as_str())
        .collect();
    assert_eq!(masks, ["V1", "space-A_desc-brain", "space-B_desc-brain"]);
    assert_eq!(subject.atlases[0].name, "V1");
    assert!(
        subject
            .anatomy
            .as_ref()
            .and_then(Source::path)
            .unwrap()
            .ends_with("sub-01_T1w.nii")
    );
    let [sheet] = subject.surfaces.as_slice() else {
        panic!("one hemisphere has a shape")
    };
    assert_eq!(sheet.hemisphere, Hemisphere::Left);
    let shapes: Vec<Shape> = sheet.shapes.iter().map(|(shape, _)| *shape).collect();
    assert_eq!(shapes, [Shape::White, Shape::Pial]);
    assert!(
        sheet.shapes[0]
            .1
            .path()
            .unwrap()
            .ends_with("sub-01_hemi-L_white.surf.gii")
    );
    let sulcal = sheet.sulcal.as_ref().and_then(Source::path).unwrap();
    assert!(sulcal.ends_with("sub-01_hemi-L_sulc.shape.gii"));
    assert!(sheet.labels.is_some());
    assert!(
        study
            .assumptions
            .iter()
            .any(|line| line.contains("surfaces in 2 spaces"))
    );
}

#[cfg(unix)]
#[test]
fn links_in_circles_and_hidden_files_do_no_harm() {
    let folder = small_study();
    std::os::unix::fs::symlink(folder.path(), folder.at("sub-01/func/loop")).unwrap();
    std::os::unix::fs::symlink(
        "nowhere",
        folder.at("sub-01/func/sub-01_task-see_run-3_bold.nii"),
    )
    .unwrap();
    folder.put("sub-01/func/._sub-01_task-see_run-2_bold.nii", "rubbish");
    let study = folder.open().unwrap();
    assert_eq!(study.subjects[0].runs.len(), 2);
    // Had the circle been followed, every file would have a twin and a sentence about it.
    let [said] = study.assumptions.as_slice() else {
        panic!("one assumption: {:?}", study.assumptions)
    };
    assert_says(said, &["links that lead nowhere", "left out: 1"]);
}

#[test]
fn of_two_tables_in_one_folder_the_more_special_is_taken() {
    let folder = small_study();
    folder.put(
        "sub-01/func/sub-01_task-see_events.tsv",
        "onset\tduration\n0\t1\n",
    );
    let study = folder.open().unwrap();
    let events = study.subjects[0].runs[0]
        .events
        .as_ref()
        .and_then(Source::path)
        .unwrap();
    assert!(events.ends_with("sub-01_task-see_run-2_events.tsv"));
}

#[test]
fn events_out_of_order_are_said_to_be_sorted() {
    let folder = small_study();
    let events = "onset\tduration\ttrial_type\n4\t1\tb\n0\t1\ta\n";
    folder.put("sub-01/func/sub-01_task-see_run-2_events.tsv", events);
    let study = folder.open().unwrap();
    assert_eq!(
        study.assumptions,
        ["sub-01_task-see_run-2_events.tsv: not in order of onset; taken in that order"]
    );
    folder.put(
        "sub-01/func/sub-01_task-see_run-2_events.tsv",
        events.replace("4\t", "four\t"),
    );
    assert_says(
        &folder.complaint(),
        &["run-2_events.tsv", "line 2", "column onset", "“four”"],
    );
}

#[test]
fn the_first_of_two_files_with_the_same_name_is_used() {
    let folder = small_study();
    for pipeline in ["one", "two"] {
        folder.put_volume(
            &format!("derivatives/{pipeline}/sub-01/sub-01_desc-brain_mask.nii"),
            [2, 2, 2],
            &[1.0; 8],
        );
    }
    let study = folder.open().unwrap();
    let [mask] = study.subjects[0].masks.as_slice() else {
        panic!("one mask")
    };
    assert!(
        mask.source
            .path()
            .unwrap()
            .to_str()
            .unwrap()
            .contains("/one/")
    );
    let [said] = study.assumptions.as_slice() else {
        panic!("one assumption")
    };
    assert_says(said, &["one/sub-01", "two/sub-01", "the first is used"]);
}

#[test]
fn a_missing_picture_is_named_with_its_line() {
    let folder = small_study();
    let events = EVENTS.replace("a.png", "aa.png");
    folder.put("sub-01/func/sub-01_task-see_run-2_events.tsv", events);
    assert_says(
        &folder.complaint(),
        &[
            "run-2_events.tsv",
            "line 2",
            "“aa.png”",
            "stimuli",
            "did you mean “a.png”?",
            "add the picture",
        ],
    );
}

#[test]
fn without_a_stimuli_folder_the_pictures_are_said_to_be_missing() {
    let folder = Folder::new();
    folder
        .put_series("sub-01/func/sub-01_task-see_run-2_bold.nii", [2, 2, 2], 3)
        .put("sub-01/func/sub-01_task-see_run-2_events.tsv", EVENTS);
    let study = folder.open().unwrap();
    assert_eq!(study.stimuli.len(), 2);
    assert!(
        study
            .stimuli
            .iter()
            .all(|stimulus| stimulus.image.is_none())
    );
    assert!(
        study
            .assumptions
            .iter()
            .any(|line| line.contains("no stimuli folder"))
    );
    assert!(
        study
            .assumptions
            .iter()
            .any(|line| line.contains("no dataset_description.json"))
    );
}

#[test]
fn a_run_without_events_opens_but_has_no_trials() {
    let folder = small_study();
    std::fs::remove_file(folder.at("sub-01/func/sub-01_task-see_run-2_events.tsv")).unwrap();
    let study = folder.open().unwrap();
    assert!(
        study
            .assumptions
            .iter()
            .any(|line| line.contains("run-2_bold.nii has no events"))
    );
    let error = quietly(|run| study.subjects[0].runs[0].load_events(run))
        .unwrap_err()
        .to_string();
    assert_says(
        &error,
        &[
            "run-2_bold.nii",
            "no events",
            "add sub-01_task-see_run-2_events.tsv",
            "--runs",
        ],
    );
}

#[test]
fn confounds_and_probability_maps_are_indexed() {
    let folder = small_study();
    let derived = "derivatives/fmriprep/sub-01";
    folder
        .put_series(
            &format!("{derived}/func/sub-01_task-see_run-2_space-T1w_desc-preproc_bold.nii"),
            [2, 2, 2],
            3,
        )
        .put(
            &format!("{derived}/func/sub-01_task-see_run-2_desc-confounds_timeseries.tsv"),
            "csf\ttrans_x_derivative1\trot_z\n1.5\tn/a\t0\n2\t0.25\t-1\n3\t0.5\t1e-3\n",
        )
        .put_volume(
            &format!("{derived}/anat/sub-01_label-GM_probseg.nii"),
            [2, 1, 1],
            &[0.2, 0.9],
        );
    let study = folder.open().unwrap();
    let subject = &study.subjects[0];
    let of_run = |run: &str| {
        let found: Vec<bool> = subject
            .runs
            .iter()
            .filter(|r| r.entities.get("run").is_some_and(|n| n == run))
            .map(|r| r.confounds.is_some())
            .collect();
        found
    };
    // The raw version of the run and the derived one have the same regressors.
    assert_eq!((of_run("2"), of_run("10")), (vec![true, true], vec![false]));
    let run = subject.runs.iter().find(|r| r.confounds.is_some()).unwrap();
    let confounds = quietly(|r| run.confounds.as_ref().unwrap().load(r)).unwrap();
    assert_eq!(confounds.names, ["csf", "trans_x_derivative1", "rot_z"]);
    assert_eq!((confounds.values.n_rows, confounds.values.n_cols), (3, 3));
    assert!(confounds.values.row(0)[1].is_nan());
    let some = confounds.select(&["rot_z", "trans_x_derivative1"]).unwrap();
    assert_eq!(some.values, [0.0, 0.0, -1.0, 0.25, 1e-3, 0.5]);
    let unknown = confounds.select(&["rot_y"]).unwrap_err().to_string();
    assert_says(
        &unknown,
        &["regressor “rot_y”", "csf", "did you mean “rot_z”"],
    );
    assert_eq!(subject.masks[0].name, "GM");
    assert!(
        study
            .assumptions
            .iter()
            .any(|line| line.contains("label-GM_probseg"))
    );
}

#[test]
fn what_is_no_study_is_refused_in_one_sentence() {
    let folder = Folder::new();
    folder
        .put("readme.txt", "hello")
        .put("sub-01/notes.txt", "nothing to see");
    assert_says(&folder.complaint(), &["not a study", "study.toml", "sub-"]);
    let absent = quietly(|run| Study::open(&folder.at("absent"), run))
        .unwrap_err()
        .to_string();
    assert_says(&absent, &["absent", "no such folder"]);
}

#[test]
fn bad_sidecars_are_named() {
    let folder = small_study();
    let sidecar = "sub-01/func/sub-01_task-see_run-2_bold.json";
    folder.put(sidecar, r#"{"RepetitionTime": "two"}"#);
    assert_says(
        &folder.complaint(),
        &["run-2_bold.json", "RepetitionTime", "two", "seconds"],
    );
    folder.put(sidecar, r#"{"RepetitionTime": 0}"#);
    assert_says(&folder.complaint(), &["RepetitionTime", "above 0"]);
    folder.put(sidecar, "{");
    assert_says(&folder.complaint(), &["run-2_bold.json", "JSON"]);
}

#[test]
fn a_cancelled_opening_stops() {
    let folder = small_study();
    let cancel = CancelToken::default();
    cancel.cancel();
    let stopped = Study::open(folder.path(), &Run::new(&|_| {}, &cancel));
    assert!(matches!(stopped, Err(Stop::Cancelled)));
}

#[test]
fn the_real_studies_open() {
    if let Some(path) = crate::real_data("yamada2015_shapes") {
        let study = quietly(|run| Study::open(&path, run)).unwrap();
        assert_eq!(study.assumptions, Vec::<String>::new());
        let subject = study.subject("S2").unwrap();
        let labels: Vec<&str> = subject.runs.iter().map(|run| run.label.as_str()).collect();
        assert_eq!(labels, ["01", "02", "03", "04"]);
        assert!(
            subject
                .runs
                .iter()
                .all(|run| run.tr_secs == Some(2.0) && run.events.is_some())
        );
        assert_eq!((subject.masks.len(), subject.atlases.len()), (1, 1));
        let ids: Vec<&str> = study.stimuli.iter().map(|s| s.id.as_str()).collect();
        let expected = [
            "cross.png",
            "largeframe.png",
            "plus.png",
            "smallframe.png",
            "square.png",
        ];
        assert_eq!(ids, expected);
        assert!(
            study
                .stimuli
                .iter()
                .all(|s| s.image.is_some() && s.caption.is_some())
        );
        assert_eq!(
            study.stimulus("plus.png").unwrap().caption.as_deref(),
            Some("a plus sign")
        );
    }
    if let Some(path) = crate::real_data("haxby2001_sub001") {
        let study = quietly(|run| Study::open(&path, run)).unwrap();
        let subject = study.subject("001").unwrap();
        assert_eq!(subject.runs.len(), 16);
        assert!(
            subject
                .runs
                .iter()
                .all(|run| run.events.is_some() && run.tr_secs == Some(2.5))
        );
        assert_eq!(subject.masks.len(), 6);
        assert_eq!(study.stimuli.len(), 0);
    }
}
