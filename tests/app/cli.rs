//! The command line as a user meets it: the real program, its output and exit codes.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

pub(crate) fn fusiform(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_fusiform"))
        .args(args)
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .expect("the program starts")
}

pub(crate) fn real_data(name: &str) -> Option<String> {
    let root = std::env::var_os("FUSIFORM_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
        PathBuf::from,
    );
    let path = root.join(name);
    if path.exists() {
        return Some(path.to_string_lossy().into_owned());
    }
    println!(
        "skipped: no real data at {} (set FUSIFORM_DATA)",
        path.display()
    );
    None
}

/// stdout as one JSON object, after checking the exit code.
pub(crate) fn json(output: &Output) -> Value {
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("one JSON object on stdout")
}

/// The `error:` line, after checking that there is exactly one, exit code 1 and no panic.
pub(crate) fn error(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    let lines: Vec<&str> = stderr
        .lines()
        .filter(|l| l.starts_with("error: "))
        .collect();
    assert_eq!(lines.len(), 1, "{stderr}");
    assert!(!stderr.contains("panicked"), "{stderr}");
    lines[0].to_owned()
}

fn number(metrics: &Value, key: &str) -> f64 {
    metrics[key]
        .as_f64()
        .unwrap_or_else(|| panic!("{key} in {metrics}"))
}

#[test]
fn wrong_usage_exits_2() {
    for args in [
        &["decode"][..],
        &["decode", "x", "--lag-volumes", "soon"],
        &["render", "demo"],
        &["--nonsense"],
    ] {
        assert_eq!(fusiform(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn no_display_is_said_plainly() {
    let line = error(&fusiform(&[]));
    assert!(
        line.contains("display") && line.contains("fusiform demo"),
        "{line}"
    );
}

#[test]
fn a_study_that_is_not_there_is_named() {
    let line = error(&fusiform(&["decode", "nowhere/at-all"]));
    assert!(line.contains("nowhere/at-all"), "{line}");
}

#[test]
fn shapes_are_decoded_from_v1() {
    let Some(study) = real_data("yamada2015_shapes") else {
        return;
    };
    let out = tempfile::tempdir().expect("folder");
    let folder = out.path().join("out");
    let output = fusiform(&[
        "decode",
        &study,
        "--out",
        &folder.to_string_lossy(),
        "--json",
        "--device",
        "cpu",
    ]);
    let metrics = json(&output);
    assert!(number(&metrics, "accuracy") >= 0.90, "{metrics}");
    assert!((number(&metrics, "accuracy_chance") - 0.2).abs() < 1e-9);
    assert!(number(&metrics, "accuracy_shuffled") < 0.35, "{metrics}");
    assert!(
        number(&metrics, "pixcorr") > number(&metrics, "pixcorr_shuffled") + 0.2,
        "{metrics}"
    );
    assert!(
        number(&metrics, "retrieval_top1") > number(&metrics, "retrieval_shuffled") + 0.3,
        "{metrics}"
    );
    for name in ["sheet.png", "metrics.json", "trials.tsv", "report.html"] {
        assert!(
            folder.join(name).metadata().is_ok_and(|m| m.len() > 0),
            "{name} is missing"
        );
    }
    let written: Value = serde_json::from_str(
        &std::fs::read_to_string(folder.join("metrics.json")).expect("metrics"),
    )
    .expect("JSON");
    assert_eq!(written, metrics, "stdout and metrics.json agree");
    let rows = std::fs::read_to_string(folder.join("trials.tsv")).expect("trials");
    assert_eq!(rows.lines().count(), 41, "a header and 40 trials");
}

#[test]
fn objects_are_decoded_from_one_slice() {
    let Some(study) = real_data("haxby2001_sub001") else {
        return;
    };
    let metrics = json(&fusiform(&[
        "decode", &study, "--desc", "oneslice", "--json", "--device", "cpu",
    ]));
    assert!(number(&metrics, "accuracy") >= 0.65, "{metrics}");
    assert!((number(&metrics, "accuracy_chance") - 0.125).abs() < 1e-9);
    assert!(number(&metrics, "accuracy_shuffled") < 0.2, "{metrics}");
    assert_eq!(number(&metrics, "n_voxels"), 530.0);
}

#[test]
fn an_open_choice_lists_what_there_is() {
    let Some(study) = real_data("haxby2001_sub001") else {
        return;
    };
    let line = error(&fusiform(&["decode", &study]));
    assert!(
        line.contains("25mm") && line.contains("oneslice") && line.contains("--desc"),
        "{line}"
    );
}

#[test]
fn a_figure_is_drawn_without_a_driver() {
    let Some(data) = real_data("nilearn_fsaverage5") else {
        return;
    };
    let out = tempfile::tempdir().expect("folder");
    let png = out.path().join("figure.png");
    let output = fusiform(&[
        "render",
        "--surfaces",
        &format!("{data}/fsaverage5"),
        "--map",
        &format!("{data}/image_10426.nii.gz"),
        "--threshold",
        "3",
        "--size",
        "640x480",
        "--cpu",
        "--json",
        "--out",
        &png.to_string_lossy(),
    ]);
    let said = json(&output);
    assert_eq!(said["renderer"], "cpu");
    let picture = image::open(&png).expect("a PNG").to_rgb8();
    assert_eq!(picture.dimensions(), (640, 480));
    let coloured = picture
        .pixels()
        .filter(|p| p.0[0].abs_diff(p.0[2]) > 60)
        .count();
    assert!(
        coloured > 500,
        "only {coloured} coloured pixels: the map does not show"
    );
}

#[test]
fn nothing_half_written_is_left_behind() {
    let out = tempfile::tempdir().expect("folder");
    let text = out.path().join("words.nii");
    std::fs::write(&text, "this is no image, only words").expect("written");
    let png = out.path().join("figure.png");
    let line = error(&fusiform(&[
        "render",
        "--map",
        &text.to_string_lossy(),
        "-o",
        &png.to_string_lossy(),
    ]));
    assert!(line.contains("words.nii"), "{line}");
    assert_eq!(
        std::fs::read_dir(out.path()).expect("folder").count(),
        1,
        "only the input is there"
    );
}
