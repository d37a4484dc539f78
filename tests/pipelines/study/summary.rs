//! A study in numbers.

use fusiform_pipelines::run::quietly;
use fusiform_pipelines::study::Study;
use fusiform_pipelines::study::describe::{describe, to_text};

use super::Folder;

#[test]
fn a_small_study_is_counted() {
    let folder = Folder::new();
    folder
        .put("dataset_description.json", r#"{"Name": "Small"}"#)
        .put_series("sub-01/func/sub-01_task-see_run-1_bold.nii", [2, 3, 4], 5)
        .put_series("sub-01/func/sub-01_task-see_run-2_bold.nii", [2, 3, 4], 5)
        .put(
            "sub-01/func/sub-01_task-see_run-1_bold.json",
            r#"{"RepetitionTime": 1.5}"#,
        )
        .put(
            "sub-01/func/sub-01_task-see_run-1_events.tsv",
            "onset\tduration\ttrial_type\n0\t1\tface\n2\t1\thouse\n4\t1\tface\n",
        )
        .put_volume("sub-01/anat/sub-01_T1w.nii", [3, 3, 3], &[0.5; 27])
        .put_volume(
            "sub-01/anat/sub-01_desc-two_mask.nii",
            [2, 1, 2],
            &[1.0, 0.0, 1.0, 0.2],
        );
    let study = folder.open().unwrap();
    let summary = quietly(|run| describe(&study, run)).unwrap();
    let subject = &summary.subjects[0];
    assert_eq!(subject.anatomy_shape, Some([3, 3, 3]));
    let [first, second] = subject.runs.as_slice() else {
        panic!("two runs")
    };
    assert_eq!(
        (first.shape, first.n_volumes, first.tr_secs),
        ([2, 3, 4], 5, Some(1.5))
    );
    assert_eq!(
        (first.n_events, first.conditions.get("face")),
        (Some(3), Some(&2))
    );
    // Without a sidecar the header's time step counts.
    assert_eq!((second.tr_secs, second.n_events), (Some(2.0), None));
    assert_eq!(
        (subject.masks[0].name.as_str(), subject.masks[0].n_voxels),
        ("two", 2)
    );
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["subjects"][0]["runs"][0]["conditions"]["house"], 1);
    let text = to_text(&summary);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Small");
    assert!(lines.contains(&"subject 01"));
    assert!(
        lines.contains(&"  run  task  voxels     volumes  TR     events"),
        "{text}"
    );
    assert!(
        lines.contains(&"  1    see   2 × 3 × 4  5        1.5 s  3"),
        "{text}"
    );
    assert!(
        lines.contains(&"  2    see   2 × 3 × 4  5        2 s    -"),
        "{text}"
    );
    assert!(
        lines.contains(&"  mask       two, 2 of 2 × 1 × 2 voxels"),
        "{text}"
    );
    assert!(lines.contains(&"  condition  face, 2 times"), "{text}");
}

#[test]
fn the_real_studies_are_counted() {
    let summary = |name: &str| {
        let path = crate::real_data(name)?;
        let study = quietly(|run| Study::open(&path, run)).unwrap();
        Some(quietly(|run| describe(&study, run)).unwrap())
    };
    // The numbers are those of the studies' own README files.
    if let Some(yamada) = summary("yamada2015_shapes") {
        let subject = &yamada.subjects[0];
        assert!(
            subject
                .runs
                .iter()
                .all(|run| run.n_volumes == 130 && run.tr_secs == Some(2.0))
        );
        assert_eq!(
            subject
                .runs
                .iter()
                .filter_map(|run| run.n_events)
                .sum::<usize>(),
            40
        );
        assert_eq!(subject.masks[0].n_voxels, 910);
        assert_eq!(
            subject.atlases[0].regions,
            ["LH_V1d", "LH_V1v", "RH_V1d", "RH_V1v"]
        );
        assert_eq!(
            (
                yamada.stimuli.n,
                yamada.stimuli.n_pictures,
                yamada.stimuli.n_captions
            ),
            (5, 5, 5)
        );
    }
    if let Some(haxby) = summary("haxby2001_sub001") {
        let subject = &haxby.subjects[0];
        assert!(
            subject
                .runs
                .iter()
                .all(|run| run.n_volumes == 121 && run.n_events == Some(8))
        );
        let oneslice = subject
            .masks
            .iter()
            .find(|mask| mask.name == "oneslice")
            .unwrap();
        assert_eq!((oneslice.shape, oneslice.n_voxels), ([40, 20, 1], 530));
        let shapes: Vec<_> = subject
            .runs
            .iter()
            .map(|run| (run.desc.as_deref(), run.shape))
            .collect();
        assert!(shapes.contains(&(Some("25mm"), [6, 10, 10])));
    }
}
