//! `fusiform encode` as a user meets it: what it writes, and what it says to features that do not fit.

use std::path::PathBuf;

use fusiform_pipelines::io::npy;
use fusiform_pipelines::matrix::Matrix;
use serde_json::Value;

use crate::bad_input::{SmallStudy, text};
use crate::cli::{error, fusiform, json};

impl SmallStudy {
    /// Runs `encode` on it, whole runs left out, with `--out results`.
    fn encoded(&self, more: &[&str]) -> std::process::Output {
        let (study, out) = (text(self.folder.path()), text(&self.path("results")));
        let mut args = vec!["encode", &study, "--json", "--device", "cpu"];
        args.extend(["--shuffles", "3", "--out", &out, "--together", "runs"]);
        args.extend(more);
        fusiform(&args)
    }

    /// The error line of `encode`, after checking that it wrote nothing.
    fn refuses(&self, more: &[&str]) -> String {
        let line = error(&self.encoded(more));
        let left = std::fs::read_dir(self.path("results")).map_or(0, Iterator::count);
        assert_eq!(left, 0, "results were left behind after: {line}");
        line
    }

    fn table(&self, name: &str, rows: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, rows).expect("written");
        text(&path)
    }

    fn array(&self, name: &str, n_rows: usize, of: impl Fn(usize) -> f32) -> String {
        let path: PathBuf = self.path(name);
        let values = Matrix {
            n_rows,
            n_cols: 1,
            values: (0..n_rows).map(of).collect(),
        };
        npy::write(&path, &values).expect("written");
        text(&path)
    }
}

fn warnings(metrics: &Value) -> String {
    metrics["warnings"].to_string()
}

#[test]
fn wrong_usage_of_encode_exits_2() {
    for args in [
        &["encode"][..],
        &["encode", "demo", "--features", "dreams"],
        &["encode", "demo", "--folds", "1"],
        &["encode", "demo", "--together", "nothing"],
    ] {
        assert_eq!(fusiform(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_sound_study_is_encoded_and_written() {
    let study = SmallStudy::new();
    let metrics = json(&study.encoded(&["--features", "category"]));
    assert!(metrics["r"].as_f64().is_some_and(|r| r > 0.8), "{metrics}");
    assert!(metrics["r_shuffled"].as_f64().is_some_and(|r| r < 0.4));
    assert_eq!(metrics["r_chance"], 0.0);
    // Two pictures are too few for a noise ceiling: none is made up.
    assert!(metrics.get("ceiling").is_none() && metrics.get("r2_normalised").is_none());
    assert!(warnings(&metrics).contains("too few for a noise ceiling"));
    // Fewer runs than folds: as many folds as runs, and it says so.
    assert_eq!(metrics["n_folds"], 3);
    assert!(warnings(&metrics).contains("there are 3 folds and not 5"));
    // The same two pictures in every run: known pictures are predicted, and it says so.
    assert_eq!(metrics["pictures_shared"], true);
    assert!(warnings(&metrics).contains("not new ones"), "{metrics}");
    for name in ["metrics.json", "folds.tsv"] {
        let path = study.path("results").join(name);
        assert!(path.metadata().is_ok_and(|m| m.len() > 0), "{name}");
    }
    let maps = std::fs::read_dir(study.path("results/sub-1/func")).expect("maps");
    let names: Vec<String> = maps
        .map(|f| f.expect("file").file_name().to_string_lossy().into_owned())
        .collect();
    for desc in ["encodingR", "encodingR2", "encodingalpha"] {
        let there = |n: &String| n.contains(&format!("desc-{desc}_")) && n.ends_with(".nii.gz");
        assert!(names.iter().any(there), "{desc} in {names:?}");
    }
}

#[test]
fn rows_that_do_not_match() {
    let study = SmallStudy::new();
    let file = study.array("seven.npy", 7, |i| i as f32);
    let line = study.refuses(&["--features", &file]);
    assert!(
        line.contains("seven.npy") && line.contains("7 rows") && line.contains("18 trials"),
        "{line}"
    );
    let file = study.table("others.tsv", "stimulus\tsize\nsquare.png\t1\ndot.png\t2\n");
    let line = study.refuses(&["--features", &file]);
    assert!(
        line.contains("others.tsv") && line.contains("none of the stimuli"),
        "{line}"
    );
    let file = study.table("nameless.tsv", "size\tweight\n1\t2\n2\t3\n");
    let line = study.refuses(&["--features", &file]);
    assert!(
        line.contains("nameless.tsv") && line.contains("call it stimulus"),
        "{line}"
    );
}

#[test]
fn constant_features() {
    let study = SmallStudy::new();
    let file = study.table("flat.tsv", "stimulus\tsize\nring.png\t3\nbar.png\t3\n");
    let line = study.refuses(&["--features", &file]);
    assert!(
        line.contains("flat") && line.contains("do not vary") && line.contains("leave it out"),
        "{line}"
    );
}

#[test]
fn features_that_are_not_numbers() {
    let study = SmallStudy::new();
    let file = study.table(
        "words.tsv",
        "stimulus\tsize\nring.png\tlarge\nbar.png\tsmall\n",
    );
    let line = study.refuses(&["--features", &file]);
    assert!(
        line.contains("words.tsv") && line.contains("large"),
        "{line}"
    );
    // Every row NaN: nothing is left.
    let file = study.array("nan.npy", 18, |_| f32::NAN);
    let line = study.refuses(&["--features", &file]);
    assert!(
        line.contains("0 of 18 trials have all the features"),
        "{line}"
    );
    // Some rows NaN: the rest goes on, and it says so.
    let file = study.array("some.npy", 18, |i| {
        if i < 4 { f32::NAN } else { (i % 2) as f32 }
    });
    let metrics = json(&study.encoded(&["--features", &file]));
    assert_eq!(metrics["n_trials"], 14);
    assert!(warnings(&metrics).contains("4 of 18 trials"), "{metrics}");
}

#[test]
fn what_is_not_there_and_what_cannot_be_divided() {
    let study = SmallStudy::new();
    let line = study.refuses(&["--features", "absent.tsv"]);
    assert!(line.contains("absent.tsv"), "{line}");
    let line = study.refuses(&["--features", "category", "--alphas", "0,1"]);
    assert!(line.contains("penalties must be positive"), "{line}");
    for run in 2..=3 {
        std::fs::remove_file(study.bold(run)).expect("removed");
        std::fs::remove_file(study.events(run)).expect("removed");
    }
    let line = study.refuses(&["--features", "category"]);
    assert!(
        line.contains("cannot be divided into folds") && line.contains("add runs"),
        "{line}"
    );
}
