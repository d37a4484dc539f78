//! The layout of NSD, on a tiny tree made by `tests/fixtures/nsd.py`.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests stop where a test would"
)]

use fusiform_pipelines::betas::{Betas, Columns};
use fusiform_pipelines::glm::{BetasPlan, betas};
use fusiform_pipelines::mask::Mask;
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::study::nsd::Sessions;
use fusiform_pipelines::study::select::{Query, select};
use fusiform_pipelines::study::{ReadyBetas, Study};

use crate::io::fixture;

use super::{Folder, assert_says};

fn study() -> Study {
    quietly(|run| Study::open(&fixture("nsd"), run)).unwrap_or_else(|e| panic!("{e}"))
}

fn sessions<'a>(study: &'a Study, id: &str) -> &'a Sessions {
    match &study.subject(id).unwrap().betas {
        Some(ReadyBetas::Sessions(sessions)) => sessions,
        other => panic!("sessions, not {other:?}"),
    }
}

fn expected(name: &str) -> Vec<f32> {
    let text = std::fs::read_to_string(fixture("nsd").join("expected.json")).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let rows = all[name].as_array().unwrap();
    let flat = rows.iter().flat_map(|row| row.as_array().unwrap());
    flat.map(|v| v.as_f64().unwrap() as f32).collect()
}

fn close(values: &Matrix, expected: &[f32]) {
    assert_eq!(values.values.len(), expected.len());
    for (a, b) in values.values.iter().zip(expected) {
        assert!((a - b).abs() < 1e-5, "{a} is not {b}");
    }
}

/// The betas of `nsdgeneral`, as stored.
fn general(sessions: &Sessions) -> Betas {
    quietly(|run| {
        let mask = sessions.load_usual_mask(run)?.expect("nsdgeneral is there");
        sessions.gather(&mask, run)
    })
    .unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn the_tree_becomes_subjects_trials_and_pictures() {
    let study = study();
    let ids: Vec<&str> = study.subjects.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["subj01", "subj02"]);
    let subject = study.subject("subj01").unwrap();
    assert_eq!(subject.masks[0].name, "nsdgeneral");
    let names: Vec<&str> = subject.atlases.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, ["prf-visualrois"]);
    let atlas = quietly(|run| subject.atlases[0].source.load(run)).unwrap();
    let regions: Vec<(i32, &str)> = atlas
        .regions
        .iter()
        .map(|r| (r.key, r.name.as_str()))
        .collect();
    assert_eq!(regions, [(1, "V1v"), (2, "V1d")]);

    let trials = &sessions(&study, "subj01").trials;
    let shown: Vec<&str> = trials
        .iter()
        .filter_map(|t| t.stimulus.as_deref())
        .collect();
    // By hand from masterordering 1 3 2 1 4 4 2 3 and the pictures 2 5 1 6 of the first subject.
    let order = [
        "00002", "00001", "00005", "00002", "00006", "00006", "00005", "00001",
    ];
    assert_eq!(shown, order.map(|n| format!("nsd{n}")));
    let repeats: Vec<usize> = trials.iter().map(|t| t.repeat).collect();
    assert_eq!(repeats, [0, 0, 0, 1, 0, 1, 1, 1]);
    let shared: Vec<bool> = trials.iter().map(|t| t.condition == "shared1000").collect();
    assert_eq!(shared, [true, false, true, true, false, false, true, false]);
    assert_eq!(subject.betas.as_ref().unwrap().runs(), ["ses-01", "ses-02"]);

    // The second session alone is there, and its repeats count the first one's trials.
    let second = &sessions(&study, "subj02").trials;
    assert_eq!(second.len(), 4);
    assert_eq!(second[1].repeat, 1);
    assert_eq!(second[1].run, "ses-02");
    let says = |part: &str| study.assumptions.iter().any(|line| line.contains(part));
    assert!(says("1 of the first 2 sessions"), "{:?}", study.assumptions);
    assert!(says(
        "betas_fithrf_GLMdenoise_RR are used, and not betas_assumehrf"
    ));
    assert!(says("folds leave sessions out"));
}

#[test]
fn betas_are_read_for_the_voxels_of_a_mask_from_every_format() {
    let study = study();
    let first = general(sessions(&study, "subj01"));
    // HDF5 and NIfTI, then MATLAB's version 5; per cent signal change.
    close(&first.values, &expected("general"));
    close(
        &general(sessions(&study, "subj02")).values,
        &expected("second"),
    );
    let Columns::Voxels(mask) = &first.columns else {
        panic!("voxels")
    };
    assert_eq!(mask.len(), 8);
    let outside = quietly(|run| {
        let mut grid = mask.grid().clone();
        grid.shape = [3, 3, 2];
        sessions(&study, "subj01").gather(&Mask::new(grid, |_| true), run)
    });
    assert_says(
        &outside.unwrap_err().to_string(),
        &["3 × 3 × 2", "4 × 3 × 2"],
    );
}

#[test]
fn regions_and_masks_choose_the_voxels_that_are_decoded_from() {
    let study = study();
    let ask = |rois: &[&str], mask: Option<&str>| {
        let query = Query {
            subject: Some("subj01".to_owned()),
            rois: rois.iter().map(|r| (*r).to_owned()).collect(),
            mask: mask.map(str::to_owned),
            ..Query::default()
        };
        let selection = select(&study, &query).unwrap();
        quietly(|run| betas(&selection, &BetasPlan::default(), run))
    };
    assert_eq!(ask(&[], None).unwrap().n_voxels(), 8);
    assert_eq!(ask(&["V1d"], None).unwrap().n_voxels(), 2);
    let scaled = ask(&["V1d"], Some("nsdgeneral")).unwrap();
    assert_eq!(scaled.n_voxels(), 2);
    // z-scored per voxel within each session of four trials.
    let stored = expected("v1d");
    for session in 0..2 {
        for voxel in 0..2 {
            let of =
                |values: &[f32], row: usize| f64::from(values[(4 * session + row) * 2 + voxel]);
            let mean = (0..4).map(|r| of(&stored, r)).sum::<f64>() / 4.0;
            let spread = (0..4).map(|r| (of(&stored, r) - mean).powi(2)).sum::<f64>();
            let mut norm = 0.0;
            for row in 0..4 {
                let z = of(&scaled.values.values, row);
                norm += z * z;
                let shape = (of(&stored, row) - mean) / spread.sqrt();
                let scale = (0..4)
                    .map(|r| of(&scaled.values.values, r).powi(2))
                    .sum::<f64>()
                    .sqrt();
                assert!((z - shape * scale).abs() < 1e-4);
            }
            assert!(norm > 2.9 && norm < 4.1, "{norm}");
        }
    }
}

#[test]
fn a_picture_is_read_by_its_place_in_the_array() {
    let study = study();
    let stimulus = study.stimulus("nsd00005").unwrap();
    let picture = quietly(|run| stimulus.image.as_ref().unwrap().load(run)).unwrap();
    assert_eq!(picture.dimensions(), (5, 3));
    let text = std::fs::read_to_string(fixture("nsd").join("expected.json")).unwrap();
    let all: serde_json::Value = serde_json::from_str(&text).unwrap();
    let bytes: Vec<u8> = all["picture_5"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_u64().unwrap() as u8)
        .collect();
    assert_eq!(picture.as_raw(), &bytes);
    assert_eq!(study.stimuli.len(), 6);
}

#[test]
fn what_is_missing_is_said() {
    let folder = Folder::new();
    folder
        .put("nsddata_betas/ppdata/subj01/x", "")
        .put("nsddata/x", "");
    assert_says(&folder.complaint(), &["nsd_expdesign.mat", "no such file"]);
    let design = "nsddata/experiments/nsd/nsd_expdesign.mat";
    folder.put(design, std::fs::read(fixture("nsd").join(design)).unwrap());
    assert_says(&folder.complaint(), &["no betas_session files"]);
    let betas = "nsddata_betas/ppdata/subj02/func1pt8mm/betas_fithrf/betas_session02.mat";
    folder.put(betas, std::fs::read(fixture("nsd").join(betas)).unwrap());
    assert_says(
        &folder.complaint(),
        &["betas_session02.mat", "where its voxels lie"],
    );
}
