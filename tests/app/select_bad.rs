//! `fusiform select` on data that are not as they should be: a clear sentence, and what can be done honestly is done.

use std::path::PathBuf;

use fusiform_pipelines::io::nifti;
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::volume::Series;
use glam::{DAffine3, DVec3};
use serde_json::Value;

use crate::cli::{error, fusiform, json};

const SHAPE: [usize; 3] = [4, 4, 3];
const N_VOXELS: usize = 48;
const N_TIMES: usize = 100;
const BOTH: &[&str] = &["ring", "bar"];

/// A deterministic number in −1..1 that looks random.
fn noise(seed: usize) -> f32 {
    let x = (seed as u64)
        .wrapping_mul(0x9E37_79B9_7F4A_7C15)
        .rotate_left(31)
        .wrapping_mul(0xBF58_476D_1CE4_E5B9);
    ((x >> 40) as f32 / (1 << 23) as f32) - 1.0
}

/// Runs of ten blocks of 10 s, TR 2 s; without stimuli, so that nothing but runs holds trials together. Even voxels
/// like rings, odd voxels bars.
struct Small {
    folder: tempfile::TempDir,
}

impl Small {
    /// `conditions[run]` are named in turn; `change` has a last word on the data (run, time, voxel, value).
    fn new(
        conditions: &[&[&'static str]],
        change: impl Fn(usize, usize, usize, f32) -> f32,
    ) -> Self {
        let study = Self {
            folder: tempfile::tempdir().expect("folder"),
        };
        std::fs::create_dir_all(study.path("sub-1/func")).expect("folder");
        for (run, conditions) in conditions.iter().enumerate() {
            let mut table = String::from("onset\tduration\ttrial_type\n");
            let mut shown = [""; N_TIMES];
            for block in 0..10usize {
                let condition = conditions[block % conditions.len()];
                table += &format!("{}\t10\t{condition}\n", 20 * block);
                shown[10 * block + 2..10 * block + 7].fill(condition);
            }
            std::fs::write(study.file(run, "events.tsv"), table).expect("events");
            let data = (0..N_TIMES * N_VOXELS)
                .map(|at| {
                    let (time, voxel) = (at / N_VOXELS, at % N_VOXELS);
                    let signal = match shown[time] {
                        "ring" if voxel.is_multiple_of(2) => 4.0,
                        "bar" if !voxel.is_multiple_of(2) => 4.0,
                        _ => 0.0,
                    };
                    let value = 1000.0 + signal + noise(at + run * 1_000_003);
                    change(run, time, voxel, value)
                })
                .collect();
            let series = Series {
                grid: Grid {
                    shape: SHAPE,
                    world_from_voxel: DAffine3::from_scale(DVec3::splat(3.0)),
                },
                n_times: N_TIMES,
                tr_secs: Some(2.0),
                data,
                assumptions: Vec::new(),
            };
            nifti::write_series(&study.file(run, "bold.nii.gz"), &series).expect("bold");
        }
        study
    }

    fn sound() -> Self {
        Self::new(&[BOTH; 4], |_, _, _, value| value)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, run: usize, suffix: &str) -> PathBuf {
        let run = run + 1;
        self.path(&format!("sub-1/func/sub-1_task-shapes_run-0{run}_{suffix}"))
    }

    fn select(&self, more: &[&str]) -> std::process::Output {
        let folder = self.folder.path().to_string_lossy().into_owned();
        let out = self.path("results").to_string_lossy().into_owned();
        let mut args = vec!["select", folder.as_str(), "--json", "--out", out.as_str()];
        args.extend(["--permutations", "19", "--min-distance", "0"]);
        args.extend(more);
        fusiform(&args)
    }

    /// The metrics, and all that is said beside them in one text.
    fn scored(&self, more: &[&str]) -> (Value, String) {
        let metrics = json(&self.select(more));
        let notes = metrics["notes"].as_array().expect("notes").iter();
        let said: Vec<&str> = notes.filter_map(Value::as_str).collect();
        let said = said.join(" ");
        (metrics, said)
    }

    /// The error line, after checking that nothing was written.
    fn refused(&self, more: &[&str]) -> String {
        let line = error(&self.select(more));
        let left = std::fs::read_dir(self.path("results")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "results were left behind after: {line}");
        line
    }
}

fn accuracy(metrics: &Value) -> f64 {
    metrics["accuracy_repicked"].as_f64().expect("a score")
}

#[test]
fn the_sound_study_is_told_apart_by_every_model_and_statistic() {
    let study = Small::sound();
    for options in [
        &["--model", "lda", "--statistic", "r2"][..],
        &["--model", "logistic", "--statistic", "mi"],
        &["--model", "svm", "--statistic", "auc"],
        &["--model", "centroid", "--statistic", "dprime"],
    ] {
        let (metrics, said) = study.scored(options);
        assert!(accuracy(&metrics) > 0.95, "{options:?} {metrics}");
        assert_eq!(metrics["n_rows"], 40);
        assert!(!said.contains("left out"), "{said}");
    }
    assert!(study.path("results/history.tsv").exists());
    let map = "results/sub-1/func/sub-1_task-shapes_stat-mi_desc-discriminability_statmap.nii.gz";
    assert!(study.path(map).exists());
}

#[test]
fn a_run_without_a_condition_is_tested_on_the_others_and_said() {
    let study = Small::new(&[BOTH, BOTH, BOTH, &["ring"]], |_, _, _, v| v);
    let (metrics, said) = study.scored(&["--a", "ring", "--b", "bar"]);
    assert!(said.contains("tests no bar"), "{said}");
    assert_eq!(metrics["n_rows"], 40);
    assert!(accuracy(&metrics) > 0.9);
    let balanced = metrics["balanced_accuracy_chance"].as_f64();
    assert_eq!(balanced, Some(0.5));
    assert!(metrics["accuracy_chance"].as_f64().is_some_and(|c| c > 0.6));
}

#[test]
fn a_condition_of_one_run_leaves_that_fold_out_and_the_rest_goes_on() {
    let study = Small::new(
        &[&["ring", "bar"], &["ring"], &["ring"], &["ring"]],
        |_, _, _, v| v,
    );
    let (metrics, said) = study.scored(&["--a", "ring", "--b", "bar"]);
    assert!(
        said.contains("Fold 01 is left out") && said.contains("training rows of bar"),
        "{said}"
    );
    assert_eq!(metrics["n_folds"], 3);
    // With one of two runs whole there is nothing to test on.
    let study = Small::new(&[&["ring", "bar"], &["ring"]], |_, _, _, v| v);
    let line = study.refused(&["--a", "ring", "--b", "bar"]);
    assert!(
        line.contains("fewer than two folds") && line.contains("bar"),
        "{line}"
    );
}

#[test]
fn constant_voxels_and_nans_are_never_picked_and_the_rest_goes_on() {
    let study = Small::new(&[BOTH; 4], |_, time, voxel, value| match voxel {
        0..=3 => 1000.0,
        6 => f32::NAN,
        8 if time == 50 => f32::INFINITY,
        _ => value,
    });
    let (metrics, said) = study.scored(&[]);
    assert!(accuracy(&metrics) > 0.95, "{metrics}");
    let used = metrics["n_features"].as_u64().expect("a number");
    assert!(
        used <= 42 || (said.contains("do not vary") && said.contains("not finite")),
        "{used} features: {said}"
    );
    let table = std::fs::read_to_string(study.path("results/features.tsv")).expect("features");
    let picked = table.lines().filter(|line| line.ends_with("yes"));
    for line in picked {
        for broken in [
            "voxel 0 0 0\t",
            "voxel 1 0 0\t",
            "voxel 2 1 0\t",
            "voxel 0 2 0\t",
        ] {
            assert!(!line.starts_with(broken), "{line}");
        }
        assert!(!line.contains("n/a\tn/a"), "{line}");
    }
}

#[test]
fn nothing_but_constant_voxels_is_an_error_in_a_sentence() {
    let study = Small::new(&[BOTH; 3], |_, _, _, _| 1000.0);
    let line = study.refused(&[]);
    assert!(line.contains("constant") || line.contains("mask"), "{line}");
}

#[test]
fn fewer_stimuli_than_folds_make_fewer_folds_and_one_run_is_none() {
    let study = Small::new(&[&["ring", "bar"]], |_, _, _, v| v);
    let line = study.refused(&[]);
    assert!(
        line.contains("one run is left out at a time") && line.contains("--split stimuli"),
        "{line}"
    );
    let (metrics, said) = study.scored(&["--split", "stimuli", "--folds", "50"]);
    assert!(said.contains("10 stimuli for 50 folds"), "{said}");
    assert_eq!(metrics["n_folds"], 10);
    assert!(said.contains("same runs"), "{said}");
}

/// All even voxels are one another's copies, and all odd ones: two dimensions whatever is picked.
#[test]
fn copies_of_voxels_are_no_harm_to_any_model() {
    let study = Small::new(&[BOTH; 4], |run, time, voxel, _| {
        let first = voxel % 2;
        let shown = (2..7).contains(&(time % 10));
        let likes = shown && (time / 10) % 2 == first;
        1000.0 + 4.0 * f32::from(u8::from(likes)) + noise(2 * time + first + run * 1_000_003)
    });
    for model in ["lda", "logistic", "svm", "centroid"] {
        let (metrics, _) = study.scored(&["--model", model]);
        assert!(accuracy(&metrics) > 0.95, "{model}: {metrics}");
    }
    let (metrics, _) = study.scored(&["--top", "0"]);
    assert!(accuracy(&metrics) > 0.95, "{metrics}");
}

/// A response that is cut off by the end of its run is left out; a table that goes far beyond it belongs to another run.
#[test]
fn events_past_the_end_of_a_run_are_left_out_or_refused_by_name() {
    let study = Small::sound();
    let sound = std::fs::read_to_string(study.file(1, "events.tsv")).expect("events");
    let write = |more: &str| {
        std::fs::write(study.file(1, "events.tsv"), format!("{sound}{more}")).expect("written");
    };
    write("4000\t10\tbar\n");
    let line = study.refused(&[]);
    assert!(
        line.contains("run 02 ends at 200.0 s") && line.contains("4000"),
        "{line}"
    );
    write("198\t10\tring\n");
    let (metrics, _) = study.scored(&[]);
    assert_eq!(metrics["n_rows"], 40, "{metrics}");
    assert!(accuracy(&metrics) > 0.95);
}

#[test]
fn a_single_trial_is_taken_out_by_its_place() {
    let study = Small::sound();
    let without = "condition=ring & trial!=02:1,03:5";
    let (metrics, _) = study.scored(&["--a", without, "--b", "bar"]);
    assert_eq!(metrics["n_rows"], 38);
    assert_eq!(metrics["class_counts"], serde_json::json!([18, 20]));
}

#[test]
fn what_cannot_be_made_is_said_before_anything_is_written() {
    let study = Small::sound();
    let mix = study.refused(&["--features", "voxels+patterns"]);
    assert!(mix.contains("fitted anew in every fold"), "{mix}");
    let edges = study.refused(&["--features", "voxels+fc"]);
    assert!(edges.contains("add an atlas"), "{edges}");
    let vertices = study.refused(&["--features", "vertices"]);
    assert!(vertices.contains("use voxels"), "{vertices}");
    std::fs::write(study.path("basket.json"), "[1, 2").expect("written");
    let path = study.path("basket.json").to_string_lossy().into_owned();
    let basket = study.refused(&["--basket", &path]);
    assert!(basket.contains("basket.json"), "{basket}");
    let away = r#"{"features":[{"voxel":{"ijk":[90,90,90]}}],"seen_runs":[]}"#;
    std::fs::write(study.path("basket.json"), away).expect("written");
    let basket = study.refused(&["--basket", &path]);
    assert!(basket.contains("voxel 90 90 90"), "{basket}");
    let many = Small::new(&[["ring", "bar", "star"].as_slice(); 4], |_, _, _, v| v);
    let line = many.refused(&["--statistic", "t"]);
    assert!(line.contains("--statistic r2"), "{line}");
    let (metrics, _) = many.scored(&["--statistic", "mi"]);
    assert_eq!(metrics["classes"].as_array().map(Vec::len), Some(3));
}
