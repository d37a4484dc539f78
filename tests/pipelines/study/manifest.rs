//! `study.toml`.

use fusiform_pipelines::betas::Columns;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::study::select::{Query, select};
use fusiform_pipelines::study::{ReadyBetas, Source, Study};
use glam::Vec3;

use crate::io::fixture;

use super::{Folder, assert_says, labels, refusal};

const MANIFEST: &str = r#"
name = "Matrix"
[[subject]]
id = "S1"
betas = "betas.npy"
trials = "trials.tsv"
coordinates = "xyz.npy"
[stimuli]
table = "words/stimuli.tsv"
"#;

const TRIALS: &str = "run\tstimulus\tsession\n1\tcat\t1\n1\thouse\t1\n1\tcat\t2\n";

/// A version 1.0 file of float64 in C order, as the format's page has it.
fn npy(n_rows: usize, n_cols: usize, values: &[f64]) -> Vec<u8> {
    let header =
        format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({n_rows}, {n_cols}), }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    bytes
}

/// Three trials of two voxels.
fn matrix_study() -> Folder {
    let folder = Folder::new();
    folder
        .put("study.toml", MANIFEST)
        .put("trials.tsv", TRIALS)
        .put("betas.npy", npy(3, 2, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]))
        .put("xyz.npy", npy(2, 3, &[-1.0, 2.0, 3.0, 4.0, 5.0, 6.5]))
        .put("words/cat.png", "")
        .put(
            "words/stimuli.tsv",
            "stimulus\timage\tcaption\tcategory\ncat\tcat.png\ta cat\tanimal\nhouse\tn/a\tn/a\tn/a\n",
        );
    folder
}

#[test]
fn betas_trials_and_stimuli_come_together() {
    let folder = matrix_study();
    let study = folder.open().unwrap();
    assert_eq!(study.name, "Matrix");
    let Some(ReadyBetas::Memory(betas)) = &study.subjects[0].betas else {
        panic!("betas in memory")
    };
    assert_eq!((betas.n_trials(), betas.n_voxels()), (3, 2));
    assert_eq!(betas.values.row(1), [3.0, 4.0]);
    let Columns::Points(points) = &betas.columns else {
        panic!("points")
    };
    assert_eq!(
        points.as_slice(),
        [Vec3::new(-1.0, 2.0, 3.0), Vec3::new(4.0, 5.0, 6.5)]
    );
    let trials: Vec<_> = betas
        .trials
        .iter()
        .map(|t| {
            (
                t.run.as_str(),
                t.condition.as_str(),
                t.stimulus.as_deref(),
                t.repeat,
            )
        })
        .collect();
    let expected = [
        ("ses-1_run-1", "animal", Some("cat"), 0),
        ("ses-1_run-1", "house", Some("house"), 0),
        ("ses-2_run-1", "animal", Some("cat"), 1),
    ];
    assert_eq!(trials, expected);
    assert_eq!(study.stimuli.len(), 2);
    assert!(study.stimuli[0].image.is_some() && study.stimuli[1].image.is_none());
    assert_eq!(study.stimuli[0].caption.as_deref(), Some("a cat"));
    // The manifest itself opens as well as its folder.
    let same = quietly(|run| Study::open(&folder.at("study.toml"), run)).unwrap();
    assert_eq!(same.stimuli.len(), 2);
}

#[test]
fn betas_come_from_matlab_and_hdf5_too() {
    // Four trials of three voxels, the same in each file (tests/fixtures/mat.py).
    let folder = matrix_study();
    for file in ["packed.mat", "v73.mat", "arrays.h5"] {
        folder.put(file, std::fs::read(fixture("mat").join(file)).unwrap());
    }
    folder.put("trials.tsv", "run\tstimulus\n1\ta\n1\tb\n2\ta\n2\tb\n");
    let open = |betas: &str| {
        let text =
            format!("[[subject]]\nid = \"S1\"\nbetas = \"{betas}\"\ntrials = \"trials.tsv\"\n");
        folder.put("study.toml", text);
    };
    let mut all = Vec::new();
    for betas in ["packed.mat:betas", "v73.mat:betas", "arrays.h5:betas"] {
        open(betas);
        let study = folder.open().unwrap();
        let Some(ReadyBetas::Memory(betas)) = &study.subjects[0].betas else {
            panic!("betas in memory")
        };
        assert_eq!((betas.n_trials(), betas.n_voxels()), (4, 3));
        all.push(betas.values.clone());
    }
    assert!(all[0] == all[1] && all[1] == all[2]);
    open("packed.mat:beta");
    assert_says(
        &folder.complaint(),
        &["packed.mat", "no array “beta”", "betas (4 × 3 double)"],
    );
    open("none.mat:beta");
    assert_says(
        &folder.complaint(),
        &["study.toml", "none.mat", "no such file"],
    );
}

#[test]
fn without_a_stimulus_table_the_trials_name_the_stimuli() {
    let folder = matrix_study();
    let bare = "[[subject]]\nid = \"S1\"\nbetas = \"betas.npy\"\ntrials = \"trials.tsv\"\n";
    folder.put("study.toml", bare);
    folder.put(
        "trials.tsv",
        "run\tstimulus\tcondition\trepeat\tonset\n1\ta\tx\t4\t2.5\n1\tb\tn/a\tn/a\tn/a\n2\tn/a\ty\t0\t1\n",
    );
    let study = folder.open().unwrap();
    let trials = study.subjects[0].betas.as_ref().unwrap().trials();
    let conditions: Vec<&str> = trials.iter().map(|t| t.condition.as_str()).collect();
    assert_eq!(conditions, ["x", "b", "y"]);
    assert_eq!((trials[0].repeat, trials[0].onset_secs), (4, 2.5));
    let ids: Vec<&str> = study.stimuli.iter().map(|s| s.id.as_str()).collect();
    assert_eq!(ids, ["a", "b"]);
    assert!(
        study
            .assumptions
            .iter()
            .any(|line| line.contains("no coordinates"))
    );
}

#[test]
fn mistakes_in_the_manifest_are_named_with_their_line() {
    let folder = matrix_study();
    let with = |from: &str, to: &str| {
        assert!(MANIFEST.contains(from));
        folder.put("study.toml", MANIFEST.replace(from, to));
        folder.complaint()
    };
    assert_says(
        &with("betas =", "betass ="),
        &["study.toml", "line 5", "`betass`", "betas"],
    );
    assert_says(&with("id = \"S1\"", "id = 1"), &["study.toml", "line 4"]);
    assert_says(&with("id = \"S1\"", "id = \"S1"), &["study.toml", "line 4"]);
    assert_says(
        &with("[[subject]]", "[[subjects]]"),
        &["study.toml", "line 3", "`subjects`"],
    );
    assert_says(
        &with("betas.npy", "beta.npy"),
        &["study.toml", "betas = “beta.npy”", "no such file"],
    );
    assert_says(
        &with("words/", "word/"),
        &["stimuli.table", "word/stimuli.tsv"],
    );
    assert_says(&with("trials = \"trials.tsv\"\n", ""), &["S1", "no trials"]);
    assert_says(&with("betas = \"betas.npy\"\n", ""), &["S1", "no betas"]);
    let twice = "[[subject]]\nid = \"S1\"\n[stimuli]";
    assert_says(&with("[stimuli]", twice), &["two subjects", "“S1”"]);
    assert_says(
        &with("coordinates = \"xyz.npy\"", "surfaces = \"surf\""),
        &["surfaces", "no such folder"],
    );
}

#[test]
fn tables_and_arrays_that_do_not_fit_are_named() {
    let folder = matrix_study();
    let trials = |text: &str| {
        folder.put("trials.tsv", text);
        folder.complaint()
    };
    assert_says(
        &trials("run\tstimulus\n1\tcat\n"),
        &["betas.npy", "3 rows", "1 trials", "trials.tsv"],
    );
    assert_says(&trials("stimulus\ncat\n"), &["trials.tsv", "no column run"]);
    assert_says(
        &trials("run\tonset\n1\t1\n"),
        &["trials.tsv", "stimulus or condition"],
    );
    assert_says(
        &trials("run\tstimulus\n1\thuose\n"),
        &["trials.tsv", "line 2", "“huose”", "did you mean “house”?"],
    );
    assert_says(
        &trials("run\tstimulus\n1\tcat\nn/a\tcat\n"),
        &["line 3", "no run"],
    );
    assert_says(
        &trials("run\tstimulus\n1\tn/a\n"),
        &["line 2", "neither stimulus nor condition"],
    );
    assert_says(
        &trials("run\tstimulus\trepeat\n1\tcat\t0.5\n"),
        &["line 2", "column repeat"],
    );
    assert_says(
        &trials("run\tstimulus\tonset\n1\tcat\tsoon\n"),
        &["line 2", "column onset", "“soon”"],
    );
    folder.put("trials.tsv", TRIALS);
    folder.put("xyz.npy", npy(3, 2, &[0.0; 6]));
    assert_says(&folder.complaint(), &["xyz.npy", "3 × 2", "2 × 3"]);
    folder.put("xyz.npy", npy(2, 3, &[0.0, 0.0, 0.0, 0.0, f64::NAN, 0.0]));
    assert_says(
        &folder.complaint(),
        &["xyz.npy", "row 1", "no finite number"],
    );
}

#[test]
fn the_stimulus_table_is_checked() {
    let folder = matrix_study();
    let table = |text: &str| {
        folder.put("words/stimuli.tsv", text);
        folder.complaint()
    };
    assert_says(
        &table("name\timage\ncat\tn/a\n"),
        &["stimuli.tsv", "stimulus", "name, image"],
    );
    assert_says(
        &table("stimulus\timage\ncat\tdog.png\n"),
        &["stimuli.tsv", "line 2", "dog.png", "“cat”", "add it"],
    );
    assert_says(
        &table("stimulus\timage\ncat\tn/a\ncat\tn/a\n"),
        &["lines 2 and 3", "“cat”"],
    );
}

#[test]
fn runs_may_be_listed() {
    let folder = Folder::new();
    folder
        .put_series("a.nii", [2, 2, 2], 3)
        .put_series("b.nii", [2, 2, 2], 3)
        .put_volume("v1.nii.gz", [2, 2, 2], &[1.0; 8])
        .put(
            "a.tsv",
            "onset\tduration\ttrial_type\tstim_file\n0\t1\tface\tf\n",
        )
        .put("surf/lh.pial.gii", "")
        .put("surf/lh.sulc.gii", "");
    let manifest = "[[subject]]\nid = \"S1\"\nmasks = [\"v1.nii.gz\"]\nsurfaces = \"surf\"\n\
        [[subject.run]]\nbold = \"a.nii\"\nevents = \"a.tsv\"\ntr_secs = 1.5\n\
        [[subject.run]]\nbold = \"b.nii\"\n";
    folder.put("study.toml", manifest);
    let study = folder.open().unwrap();
    let subject = &study.subjects[0];
    assert_eq!(subject.runs[0].tr_secs, Some(1.5));
    assert!(subject.runs[0].events.is_some() && subject.runs[1].events.is_none());
    assert!(
        subject.surfaces[0]
            .sulcal
            .as_ref()
            .and_then(Source::path)
            .is_some()
    );
    assert_eq!(study.stimuli[0].id, "f");
    let selection = select(&study, &Query::default()).unwrap();
    assert_eq!(labels(&selection), ["01", "02"]);
    assert_eq!(selection.mask.unwrap().name, "v1");
    folder.put(
        "study.toml",
        manifest.replace("bold = \"b.nii\"", "bold = \"b.nii\"\nlabel = \"01\""),
    );
    assert_says(&folder.complaint(), &["two runs", "“01”"]);
    folder.put("study.toml", manifest.replace("1.5", "0.0"));
    assert_says(&folder.complaint(), &["tr_secs", "above 0"]);
}

#[test]
fn ready_made_betas_have_no_runs_to_choose_from() {
    let folder = matrix_study();
    let study = folder.open().unwrap();
    assert!(select(&study, &Query::default()).unwrap().runs.is_empty());
    let query = Query {
        desc: Some("x".into()),
        ..Query::default()
    };
    assert_says(&refusal(&study, &query), &["no BOLD runs", "--desc"]);
}
