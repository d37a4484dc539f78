//! `fusiform select` as a user meets it.

use serde_json::Value;

use crate::cli::{error, fusiform, json, real_data};

fn selected(study: &str, out: &str, more: &[&str]) -> std::process::Output {
    let mut args = vec![
        "select",
        study,
        "--json",
        "--permutations",
        "49",
        "--out",
        out,
    ];
    args.extend(more);
    fusiform(&args)
}

#[test]
fn wrong_usage_of_select_exits_2() {
    for args in [
        &["select", "demo", "--a", "face"][..],
        &[
            "select",
            "demo",
            "--classes",
            "all",
            "--a",
            "face",
            "--b",
            "place",
        ],
        &["select", "demo", "--model", "oracle"],
        &["select", "demo", "--repeat", "1"],
    ] {
        assert_eq!(fusiform(args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn what_is_not_there_is_named() {
    let line = error(&fusiform(&[
        "select", "demo", "--a", "face", "--b", "elephant",
    ]));
    assert!(
        line.contains("elephant") && line.contains("place"),
        "{line}"
    );
    let line = error(&fusiform(&[
        "select",
        "demo",
        "--a",
        "colour=red",
        "--b",
        "face",
    ]));
    assert!(
        line.contains("colour") && line.contains("caption"),
        "{line}"
    );
    let line = error(&fusiform(&["select", "demo", "--features", "dreams"]));
    assert!(
        line.contains("dreams") && line.contains("vertices"),
        "{line}"
    );
}

#[test]
fn faces_and_houses_from_the_command_line() {
    let Some(study) = real_data("haxby2001_sub001") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").to_string_lossy().into_owned();
    let contrast = ["--desc", "oneslice", "--a", "face", "--b", "house"];
    let metrics = json(&selected(&study, &out, &contrast));
    let number =
        |metrics: &Value, key: &str| metrics[key].as_f64().unwrap_or_else(|| panic!("{key}"));
    assert!(number(&metrics, "accuracy_repicked") >= 0.9, "{metrics}");
    assert_eq!(number(&metrics, "accuracy_chance"), 0.5);
    assert!(number(&metrics, "accuracy_fixed") >= number(&metrics, "accuracy_repicked"));
    assert_eq!(metrics["fixed_is_optimistic"], true);
    assert!(number(&metrics, "p") <= 0.1 && metrics.get("p_fixed").is_none());
    assert!((number(&metrics, "accuracy_shuffled") - 0.5).abs() < 0.15);
    for key in [
        "n_rows",
        "n_features",
        "split",
        "seed",
        "attempt",
        "extraction",
        "data",
    ] {
        assert!(!metrics[key].is_null(), "{key}");
    }
    for name in [
        "metrics.json",
        "basket.json",
        "features.tsv",
        "folds.tsv",
        "rows.tsv",
        "scores.png",
        "scores.svg",
        "folds.svg",
        "confusion.png",
        "features.png",
        "history.jsonl",
        "history.tsv",
        "dataset_description.json",
        "sub-001/func/sub-001_task-objectviewing_stat-r2_desc-discriminability_statmap.nii.gz",
        "sub-001/func/sub-001_task-objectviewing_stat-count_desc-picked_statmap.json",
    ] {
        let path = folder.path().join("out").join(name);
        assert!(path.metadata().is_ok_and(|m| m.len() > 0), "{name}");
    }
    let svg = std::fs::read_to_string(folder.path().join("out/scores.svg")).unwrap();
    assert!(svg.contains("optimistic") && svg.contains("chance"));

    // The same again is refused; repeated by its number it gives the same.
    let line = error(&selected(&study, &out, &contrast));
    assert!(
        line.contains("attempt 1") && line.contains("--force"),
        "{line}"
    );
    let again = json(&selected(&study, &out, &["--repeat", "1"]));
    assert_eq!(again["attempt"], 2);
    for key in [
        "accuracy_repicked",
        "accuracy_fixed",
        "p",
        "picked",
        "data",
        "extraction",
    ] {
        assert_eq!(again[key], metrics[key], "{key}");
    }
    // A basket from a file is scored as it is. That of the attempt was picked by looking, and says so.
    let basket = folder
        .path()
        .join("out/basket.json")
        .to_string_lossy()
        .into_owned();
    let mut with = contrast.to_vec();
    with.extend(["--basket", &basket, "--note", "from a file"]);
    let given = json(&selected(&study, &out, &with));
    assert_eq!(given["attempt"], 3);
    assert_eq!(given["accuracy_fixed"], metrics["accuracy_fixed"]);
    assert_eq!(given["fixed_is_optimistic"], true);
    let line = error(&selected(&study, &out, &["--repeat", "9"]));
    assert!(line.contains("no attempt 9"), "{line}");
}

#[test]
fn shapes_need_a_word_and_then_choose_their_lag() {
    let Some(study) = real_data("yamada2015_shapes") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().to_string_lossy().into_owned();
    let line = error(&selected(&study, &out, &[]));
    assert!(
        line.contains("never split") && line.contains("--split known"),
        "{line}"
    );
    let ways = ["--split", "known", "--try", "lag:0,lag:1,lag:2,lag:3,glm"];
    let metrics = json(&selected(&study, &out, &ways));
    assert!(
        metrics["accuracy_repicked"].as_f64().unwrap() >= 0.9,
        "{metrics}"
    );
    assert_eq!(metrics["choices"].as_array().unwrap().len(), 4);
    assert_eq!(metrics["stimuli_seen_in_training"], true);
}
