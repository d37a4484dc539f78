//! Events tables.

use fusiform_pipelines::run::quietly;
use fusiform_pipelines::study::Load;
use fusiform_pipelines::study::events::{EventRow, Events};

use super::{Folder, assert_says};

fn load(text: &str) -> Result<Events, String> {
    let folder = Folder::new();
    folder.put("events.tsv", text);
    quietly(|run| Events::load(&folder.at("events.tsv"), run)).map_err(|stop| stop.to_string())
}

fn row(onset_secs: f64, duration_secs: f64, trial_type: &str, stim_file: Option<&str>) -> EventRow {
    EventRow {
        onset_secs,
        duration_secs,
        trial_type: trial_type.into(),
        stim_file: stim_file.map(str::to_owned),
        modulation: 1.0,
    }
}

#[test]
fn rows_come_in_order_of_onset_and_ties_as_written() {
    let text = "onset\tduration\tresponse\ttrial_type\tstim_file\n\
        8.5\t2\t1\tface\ta.png\n\
        -1\t0\tn/a\tn/a\tn/a\n\
        8.5\tn/a\t1\thouse\tn/a\n";
    let expected = [
        row(-1.0, 0.0, "", None),
        row(8.5, 2.0, "face", Some("a.png")),
        row(8.5, 0.0, "house", None),
    ];
    assert_eq!(load(text).unwrap().rows, expected);
}

#[test]
fn only_onset_and_duration_are_required() {
    assert_eq!(
        load("duration\tonset\n2\t1\n").unwrap().rows,
        [row(1.0, 2.0, "", None)]
    );
    assert_says(
        &load("onset\ttrial_type\n1\ta\n").unwrap_err(),
        &["no duration", "onset, trial_type"],
    );
    assert_says(&load("time\tduration\n1\t2\n").unwrap_err(), &["no onset"]);
}

#[test]
fn impossible_numbers_are_named_with_line_and_column() {
    let bad = |cells: &str| load(&format!("onset\tduration\n0\t1\n{cells}\n")).unwrap_err();
    assert_says(
        &bad("soon\t1"),
        &[
            "events.tsv",
            "line 3",
            "column onset",
            "“soon”",
            "not a finite number",
        ],
    );
    assert_says(&bad("NaN\t1"), &["line 3", "column onset", "“NaN”"]);
    assert_says(&bad("1\tinf"), &["line 3", "column duration", "“inf”"]);
    assert_says(&bad("1\t-2"), &["line 3", "column duration", "negative"]);
    assert_says(&bad("n/a\t1"), &["line 3", "no onset"]);
}

#[test]
fn what_is_written_reads_the_same() {
    let folder = Folder::new();
    let rows = vec![
        row(0.1, 12.0, "face", Some("a b.png")),
        row(1e-3, 0.0, "", None),
    ];
    let mut sorted = rows.clone();
    sorted.reverse();
    let path = folder.at("events.tsv");
    Events { rows }.write(&path).unwrap();
    assert_eq!(
        quietly(|run| Events::load(&path, run)).unwrap().rows,
        sorted
    );
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.starts_with("onset\tduration\ttrial_type\tstim_file\n0.1\t12\tface\ta b.png\n"));
}
