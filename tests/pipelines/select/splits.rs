//! Repeats of a stimulus stay on one side, whatever the design.

use fusiform_pipelines::select::split::{Split, split};
use fusiform_pipelines::select::{Row, SplitRule};

use super::{balanced, noise, row, table_of};

fn of(rows: &[Row], rule: SplitRule) -> Result<Split, String> {
    let values = noise(rows.len(), 2, 1);
    split(&table_of(rows.to_vec(), values), rule).map_err(|e| e.to_string())
}

fn shares_nothing(rows: &[Row], split: &Split) {
    for fold in &split.folds {
        for &test in &fold.test {
            for &train in &fold.train {
                assert!(
                    rows[test]
                        .stimuli
                        .iter()
                        .all(|s| !rows[train].stimuli.contains(s)),
                    "{}",
                    fold.label
                );
            }
        }
    }
}

#[test]
fn a_run_is_left_out_at_a_time() {
    let rows = balanced(5, 3, 2);
    let split = of(&rows, SplitRule::Runs).unwrap();
    assert_eq!(split.folds.len(), 5);
    assert_eq!(split.words, "leave one run out, 5 runs");
    assert!(split.notes.is_empty());
    shares_nothing(&rows, &split);
}

#[test]
fn runs_that_share_a_stimulus_go_together() {
    let mut rows = balanced(6, 3, 2);
    // A stimulus of run 1 comes back in run 4.
    rows[18].stimuli = rows[0].stimuli.clone();
    let split = of(&rows, SplitRule::Runs).unwrap();
    assert_eq!(split.folds.len(), 5);
    assert_eq!(split.folds[0].label, "01 + 04");
    assert!(split.notes[0].contains("held out together"));
    shares_nothing(&rows, &split);
}

#[test]
fn training_rows_of_held_out_stimuli_are_left_out() {
    // Every stimulus is shown in two runs that follow each other in a ring: joining runs would join all.
    let mut rows = Vec::new();
    for run in 0..6 {
        for i in 0..8 {
            let stimulus = 8 * if i < 4 { run } else { (run + 5) % 6 } + i % 4;
            rows.push(row(i % 2, run, Some(stimulus)));
        }
    }
    let split = of(&rows, SplitRule::Runs).unwrap();
    assert_eq!(split.folds.len(), 6);
    assert_eq!(split.folds[0].train.len(), 48 - 8 - 8);
    assert!(split.notes[0].contains("left out"), "{:?}", split.notes);
    shares_nothing(&rows, &split);
}

#[test]
fn what_cannot_be_kept_apart_is_refused_with_a_way_out() {
    // The same eight stimuli in every run.
    let same: Vec<Row> = (0..32).map(|i| row(i % 2, i / 8, Some(i % 8))).collect();
    let error = of(&same, SplitRule::Runs).unwrap_err();
    assert!(
        error.contains("--split stimuli") && error.contains("--split known"),
        "{error}"
    );
    let by_stimulus = of(&same, SplitRule::Stimuli(4)).unwrap();
    assert_eq!(by_stimulus.folds.len(), 4);
    shares_nothing(&same, &by_stimulus);
    let known = of(&same, SplitRule::RunsOfKnownStimuli).unwrap();
    assert!(known.stimuli_shared && known.notes[0].contains("recognised"));
    // One stimulus a class: there is no new one to test on.
    let single: Vec<Row> = (0..16).map(|i| row(i % 2, i / 4, Some(i % 2))).collect();
    let error = of(&single, SplitRule::Runs).unwrap_err();
    assert!(error.contains("single stimulus"), "{error}");
}

#[test]
fn a_class_that_is_missing_is_said_or_refused() {
    // Class b in runs 1 and 2 only, once in the first: without run 2 one row of b is left to train on.
    let mut rows: Vec<Row> = (0..12).map(|i| row(0, i / 3, Some(i))).collect();
    rows.push(row(1, 0, Some(100)));
    rows.extend((0..4).map(|i| row(1, 1, Some(101 + i))));
    let split = of(&rows, SplitRule::Runs).unwrap();
    assert_eq!(split.folds.len(), 3, "{:?}", split.notes);
    assert!(split.words.contains("3 of them tested"));
    let said = split.notes.join(" ");
    assert!(
        said.contains("Fold 02 is left out") && said.contains("training rows of b"),
        "{said}"
    );
    assert!(said.contains("Fold 03 tests no b"), "{said}");

    let two_of_b = |runs: [usize; 2]| {
        let mut rows: Vec<Row> = (0..8).map(|i| row(0, i / 4, Some(i))).collect();
        rows.extend(runs.map(|run| row(1, run, Some(50 + run))));
        of(&rows, SplitRule::Runs).unwrap_err()
    };
    let error = two_of_b([0, 1]);
    assert!(
        error.contains("fewer than two folds") && error.contains("of b"),
        "{error}"
    );
}

#[test]
fn fewer_stimuli_than_folds_make_fewer_folds() {
    let rows = balanced(1, 3, 2);
    let error = of(&rows, SplitRule::Runs).unwrap_err();
    assert!(
        error.contains("run 01 only") && error.contains("--split stimuli"),
        "{error}"
    );
    let split = of(&rows, SplitRule::Stimuli(10)).unwrap();
    assert_eq!(split.folds.len(), 6);
    assert!(split.notes.iter().any(|n| n.contains("6 folds are made")));
}
