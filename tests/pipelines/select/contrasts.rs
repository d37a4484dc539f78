//! Text to classes of trials.

use fusiform_pipelines::select::{Contrast, Filter, TrialTable};
use fusiform_pipelines::study::Stimulus;

use super::trial;

fn table() -> TrialTable {
    let mut trials = vec![
        trial("01", "face", Some("f1")),
        trial("01", "house", Some("h1")),
        trial("02", "face", Some("f2")),
        trial("02", "Dog", Some("d1")),
        trial("03", "face", Some("f1")),
    ];
    trials[4].repeat = 1;
    let stimulus = |id: &str, caption: &str, category: &str| Stimulus {
        id: id.into(),
        image: None,
        caption: Some(caption.into()),
        category: Some(category.into()),
    };
    let stimuli = [
        stimulus("f1", "a woman with a Dog", "person"),
        stimulus("f2", "a man", "person"),
        stimulus("h1", "a red house", "building"),
        stimulus("d1", "two dogs", "animal"),
    ];
    TrialTable::new(&trials, &stimuli)
}

fn held(text: &str) -> Vec<usize> {
    let (table, filter) = (table(), Filter::parse(text).unwrap());
    (0..5).filter(|&t| filter.holds(&table, t)).collect()
}

#[test]
fn filters_look_at_every_column() {
    assert_eq!(held("face"), [0, 2, 4]);
    assert_eq!(held("FACE"), [0, 2, 4], "case does not matter");
    assert_eq!(held("person"), [0, 2, 4], "a bare word is a category too");
    assert_eq!(held("category=person & condition=face"), [0, 2, 4]);
    assert_eq!(held("caption~dog"), [0, 3, 4]);
    assert_eq!(held("caption~dog & run!=03"), [0, 3]);
    assert_eq!(held("caption~dog & run!=3"), [0, 3], "3 is 03");
    assert_eq!(held("caption~dog & run!=run-03"), [0, 3]);
    assert_eq!(held("caption!~dog"), [1, 2]);
    assert_eq!(held("category=person,animal & repeat=1"), [0, 2, 3]);
    assert_eq!(held("repeat>=2"), [4]);
    assert_eq!(held("repeat<=1 & stimulus=f1"), [0]);
    assert_eq!(held("caption~\"red house\""), [1]);
    assert_eq!(held("trial=2"), [1, 3], "the second of each run");
    assert_eq!(held("face & trial!=02:1"), [0, 4], "a single trial");
    assert_eq!(held("trial=1:2,3:1"), [1, 4], "of two runs");
    assert_eq!(held("trial<=1"), [0, 2, 4]);
    assert_eq!(held("trial!=2:1 & trial!=9:1"), [0, 1, 3, 4]);
}

#[test]
fn a_filter_survives_being_written() {
    for text in ["face", "category=a,b & caption~dog & run!=03", "repeat>=2"] {
        let filter = Filter::parse(text).unwrap();
        assert_eq!(filter.to_string(), text);
        let json = serde_json::to_string(&filter).unwrap();
        assert_eq!(serde_json::from_str::<Filter>(&json).unwrap(), filter);
    }
}

#[test]
fn what_is_not_understood_is_named() {
    for (text, words) in [
        ("colour=red", "caption"),
        ("", "condition"),
        ("caption~", "value"),
        ("repeat>=often", "number"),
    ] {
        let error = Filter::parse(text).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }
}

#[test]
fn classes_are_counted_run_by_run() {
    let (table, contrast) = (table(), Contrast::two("face", "house").unwrap());
    let labels = contrast.label(&table).unwrap();
    assert_eq!(labels.of_trial, [Some(0), Some(1), Some(0), None, Some(0)]);
    let counts: Vec<(String, Vec<usize>)> = labels
        .counts(&table)
        .into_iter()
        .map(|c| (c.run, c.n))
        .collect();
    let want = [("01", [1, 1]), ("02", [1, 0]), ("03", [1, 0])];
    assert_eq!(counts, want.map(|(run, n)| (run.to_owned(), n.to_vec())));
    let all = Contrast::all(&table).unwrap().label(&table).unwrap();
    assert_eq!(all.classes, ["Dog", "face", "house"]);
}

#[test]
fn empty_and_overlapping_classes_are_refused() {
    let table = table();
    let error = |a: &str, b: &str| {
        let contrast = Contrast::two(a, b).unwrap();
        contrast.label(&table).unwrap_err().to_string()
    };
    let empty = error("face", "horse");
    assert!(
        empty.contains("horse") && empty.contains("building"),
        "{empty}"
    );
    let both = error("face", "caption~dog");
    assert!(both.contains("exclude each other"), "{both}");
    assert!(Contrast::of(&["face"]).is_err());
}
