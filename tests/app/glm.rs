//! `fusiform glm` through the real program: what is written, and what is said of designs and data that are not sound.

use std::path::{Path, PathBuf};
use std::process::Output;

use fusiform_pipelines::io::{gifti, nifti};
use fusiform_pipelines::project;
use fusiform_pipelines::run::quietly;
use fusiform_pipelines::volume::Volume;
use serde_json::Value;

use crate::bad_input::{N_TIMES, SmallStudy, text};
use crate::cli::{error, fusiform, json, real_data};

fn glm(study: &SmallStudy, out: &Path, more: &[&str]) -> Output {
    let (study, out) = (text(study.folder.path()), text(out));
    let mut args = vec!["glm", study.as_str(), "--out", out.as_str(), "--json"];
    args.extend(more);
    fusiform(&args)
}

/// The folder of the maps of the small study's subject.
fn maps(out: &Path) -> PathBuf {
    out.join("sub-1/func")
}

fn map(out: &Path, contrast: &str, stat: &str) -> Volume {
    let name = format!("sub-1_task-shapes_contrast-{contrast}_stat-{stat}_statmap.nii.gz");
    let path = maps(out).join(name);
    assert!(path.exists(), "{path:?} is not among {:?}", names(out));
    quietly(|run| nifti::read_volume(&path, run)).expect("a map")
}

fn names(out: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(maps(out)) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|e| e.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// The columns of the design of a run, as written.
fn design(out: &Path, run: usize) -> (Vec<String>, Vec<Vec<f64>>) {
    let path = maps(out).join(format!("sub-1_task-shapes_run-0{run}_design.tsv"));
    let table = std::fs::read_to_string(path).expect("a design");
    let mut lines = table.lines();
    let split = |line: &str| line.split('\t').map(str::to_owned).collect::<Vec<_>>();
    let columns = split(lines.next().expect("names"));
    let rows = lines.map(|line| {
        let numbers = split(line).into_iter().map(|n| n.parse().expect("number"));
        numbers.collect()
    });
    (columns, rows.collect())
}

fn warnings(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Nothing but what is said: exit 1, one sentence, no file.
fn refused(output: &Output, out: &Path) -> String {
    let line = error(output);
    let left = std::fs::read_dir(out).map_or(0, Iterator::count);
    assert_eq!(left, 0, "files were left behind after: {line}");
    line
}

const RING_AGAINST_BAR: [&str; 2] = ["--contrast", "ring - bar"];

#[test]
fn maps_tables_and_designs_are_written() {
    let study = SmallStudy::new();
    let out = study.path("results");
    let output = glm(
        &study,
        &out,
        &["--contrast", "ring - bar", "--contrast", "any = ring, bar"],
    );
    let metrics = json(&output);
    assert_eq!(metrics["slice_time_ref"], 0.0);
    assert_eq!(metrics["n_runs"], 3);
    assert_eq!(metrics["contrasts"][0]["name"], "ringMinusbar");
    assert_eq!(metrics["contrasts"][1]["statistic"], "F");
    let z = map(&out, "ringMinusbar", "z");
    for (voxel, z) in z.data.iter().enumerate() {
        let sign = if voxel % 2 == 0 { 1.0 } else { -1.0 };
        assert!(sign * z > 5.0, "voxel {voxel}: z {z}");
    }
    assert!(map(&out, "any", "F").data.iter().all(|f| *f > 20.0));
    for stat in ["effect", "variance", "t", "p"] {
        assert!(
            map(&out, "ringMinusbar", stat)
                .data
                .iter()
                .all(|v| v.is_finite())
        );
    }
    let listed = names(&out);
    for ending in [
        "run-01_design.tsv",
        "run-01_design.png",
        "run-01_design.svg",
        "stat-rsquared_statmap.nii.gz",
        "stat-phi_statmap.nii.gz",
        "stat-z_statmap.json",
    ] {
        assert!(
            listed.iter().any(|name| name.ends_with(ending)),
            "{ending}: {listed:?}"
        );
    }
    let table = std::fs::read_to_string(out.join("contrasts.tsv")).expect("table");
    assert_eq!(table.lines().count(), 3, "{table}");
    for path in metrics["files"].as_array().expect("files") {
        let path = Path::new(path.as_str().expect("a path"));
        assert!(path.metadata().is_ok_and(|m| m.len() > 0), "{path:?}");
    }
}

/// Half a TR later in the volume: frame times, regressors and what is said of it all change.
#[test]
fn the_reference_slice_is_used_and_shown() {
    let study = SmallStudy::new();
    let (out, later) = (study.path("results"), study.path("later"));
    json(&glm(&study, &out, &RING_AGAINST_BAR));
    let mut args = RING_AGAINST_BAR.to_vec();
    args.extend(["--slice-time-ref", "0.5"]);
    let output = glm(&study, &later, &args);
    assert_eq!(json(&output)["slice_time_ref"], 0.5);
    assert!(
        warnings(&output).contains("slice_time_ref 0.5"),
        "{}",
        warnings(&output)
    );
    let sidecar = "sub-1_task-shapes_contrast-ringMinusbar_stat-z_statmap.json";
    let sidecar = std::fs::read_to_string(maps(&later).join(sidecar)).expect("sidecar");
    let sidecar: Value = serde_json::from_str(&sidecar).expect("JSON");
    assert_eq!(sidecar["SliceTimeReference"], 0.5);
    let (names, at_once) = design(&out, 1);
    let (_, shifted) = design(&later, 1);
    let ring = names.iter().position(|n| n == "ring").expect("ring");
    assert!((0..N_TIMES).any(|t| (at_once[t][ring] - shifted[t][ring]).abs() > 0.05));
    args[3] = "1.5";
    assert_eq!(glm(&study, &later, &args).status.code(), Some(2));
}

#[test]
fn responses_of_every_kind_are_fitted() {
    let study = SmallStudy::new();
    let out = study.path("fir");
    let fir = json(&glm(
        &study,
        &out,
        &[
            "--hrf",
            "fir",
            "--fir-delays",
            "0,1,2,3,4",
            "--contrast",
            "ring_delay_2 - ring_delay_0",
        ],
    ));
    assert!(
        fir["hrf"].as_str().is_some_and(|h| h.contains("fir")),
        "{fir}"
    );
    // The ring's block of 10 s is answered two volumes later and as long, by 0.4 % of the mean.
    let effect = map(&out, "ringdelay2Minusringdelay0", "effect");
    let mean = |parity: usize| {
        let voxels = effect.data.iter().skip(parity).step_by(2);
        f64::from(voxels.sum::<f32>()) / 24.0
    };
    assert!(
        (mean(0) - 0.4).abs() < 0.1 && mean(1).abs() < 0.1,
        "{} {}",
        mean(0),
        mean(1)
    );

    let out = study.path("derivative");
    json(&glm(
        &study,
        &out,
        &[
            "--hrf",
            "glover + derivative",
            "--contrast",
            "ring - bar",
            "--contrast",
            "ring_derivative",
        ],
    ));
    let (names, _) = design(&out, 2);
    assert!(names.contains(&"bar_derivative".to_owned()), "{names:?}");
    map(&out, "ringderivative", "z");

    let out = study.path("library");
    json(&glm(
        &study,
        &out,
        &["--hrf", "library", "--contrast", "ring - bar"],
    ));
    let path = maps(&out).join("sub-1_task-shapes_stat-hrfpeak_statmap.nii.gz");
    let peaks = quietly(|run| nifti::read_volume(&path, run)).expect("peaks");
    assert!(peaks.data.iter().all(|secs| (3.4..8.1).contains(secs)));

    let out = study.path("unknown");
    let line = refused(&glm(&study, &out, &["--hrf", "glovver"]), &out);
    assert!(line.contains("glover"), "{line}");
}

fn write_confounds(study: &SmallStudy, columns: &[(&str, &dyn Fn(usize) -> f64)]) {
    for run in 1..=3 {
        let names: Vec<&str> = columns.iter().map(|c| c.0).collect();
        let mut table = names.join("\t") + "\n";
        for t in 0..N_TIMES {
            let row: Vec<String> = columns.iter().map(|c| (c.1)(t).to_string()).collect();
            table += &(row.join("\t") + "\n");
        }
        let name = format!("sub-1/func/sub-1_task-shapes_run-0{run}_desc-confounds_timeseries.tsv");
        std::fs::write(study.path(&name), table).expect("confounds");
    }
}

#[test]
fn confounds_enter_the_design_and_copies_are_told() {
    let study = SmallStudy::new();
    let out = study.path("without");
    let mut args = RING_AGAINST_BAR.to_vec();
    args.extend(["--confounds", "motion"]);
    let line = refused(&glm(&study, &out, &args), &out);
    assert!(
        line.contains("confounds") && line.contains("run 01"),
        "{line}"
    );

    let wave = |t: usize| (0.37 * t as f64).sin();
    write_confounds(
        &study,
        &[
            ("csf", &wave),
            ("twin", &|t| 2.0 * wave(t)),
            ("nothing", &|_| 0.0),
        ],
    );
    args[3] = "csf,twin,nothing";
    let out = study.path("results");
    let output = glm(&study, &out, &args);
    let metrics = json(&output);
    let (names, rows) = design(&out, 1);
    let csf = names.iter().position(|n| n == "csf").expect("csf");
    assert!((rows[7][csf] - wave(7)).abs() < 1e-5);
    let said = warnings(&output);
    assert!(
        said.contains("“twin” of the design is a sum of “csf”"),
        "{said}"
    );
    assert!(
        said.contains("“nothing” of the design holds only zeros"),
        "{said}"
    );
    // What does not need the copies is answered all the same.
    assert!(
        metrics["contrasts"][0]["max_z"]
            .as_f64()
            .is_some_and(|z| z > 5.0)
    );

    args[1] = "csf";
    let out = study.path("refused");
    let line = refused(&glm(&study, &out, &args), &out);
    assert!(line.contains("cannot be estimated"), "{line}");
    args[3] = "cfs";
    let line = refused(&glm(&study, &out, &args), &out);
    assert!(line.contains("cfs"), "{line}");
}

/// Voxels of NaN and of one value, events beyond the end, a condition that one run lacks: each is told, and the rest is
/// answered.
#[test]
fn what_cannot_be_answered_is_told_and_the_rest_goes_on() {
    let study = SmallStudy::new();
    let mut data = quietly(|run| nifti::read_series(&study.bold(2), run))
        .expect("bold")
        .data
        .to_vec();
    for volume in data.chunks_mut(48) {
        volume[1] = 500.0;
    }
    data[7 * 48 + 4] = f32::NAN;
    study.write_bold(2, data.into());
    let mut events = std::fs::read_to_string(study.events(1)).expect("events");
    events += "500\t10\tring\tring.png\n";
    std::fs::write(study.events(1), events).expect("written");
    let events = std::fs::read_to_string(study.events(3)).expect("events");
    let kept: Vec<&str> = events.lines().filter(|l| !l.contains("bar")).collect();
    std::fs::write(study.events(3), kept.join("\n") + "\n").expect("written");

    let out = study.path("results");
    let args = ["--contrast", "ring - bar", "--contrast", "ring"];
    let output = glm(&study, &out, &args);
    let metrics = json(&output);
    let said = warnings(&output);
    for sentence in [
        "run 01: 1 of 7 events begin after its last volume",
        "2 of 48 voxels have no result: 1 do not vary over time in some run, 1 hold NaN or infinity",
        "a condition it names did not occur in run 03, so it is estimated from the other 2",
    ] {
        assert!(said.contains(sentence), "{sentence}\nin\n{said}");
    }
    assert_eq!(metrics["contrasts"][0]["n_runs"], 2);
    assert_eq!(metrics["contrasts"][1]["n_runs"], 3);
    for (voxel, z) in map(&out, "ringMinusbar", "z").data.iter().enumerate() {
        assert_eq!(z.is_nan(), [1, 4].contains(&voxel), "voxel {voxel}: {z}");
        assert!(z.is_nan() || z.abs() > 4.0, "voxel {voxel}: {z}");
    }

    let out = study.path("refused");
    let line = refused(&glm(&study, &out, &["--contrast", "rin - bar"]), &out);
    assert!(line.contains("did you mean “ring”"), "{line}");
    let line = refused(&glm(&study, &out, &["--drift", "cosine:0.25"]), &out);
    assert!(line.contains("volumes"), "{line}");
}

#[test]
fn single_trials_become_a_study_that_decodes() {
    let study = SmallStudy::new();
    for trials in ["lsa", "lss", "ridge"] {
        let out = study.path(trials);
        let output = glm(&study, &out, &["--trials", trials]);
        let metrics = json(&output);
        assert_eq!(metrics["n_trials"], 18, "{trials}: {metrics}");
        let chosen = warnings(&output).contains("chosen on all runs");
        assert_eq!(chosen, trials == "ridge", "{}", warnings(&output));
        let written = text(&out);
        let decoded = json(&fusiform(&[
            "decode", &written, "--json", "--device", "cpu",
        ]));
        assert!(
            decoded["accuracy"].as_f64().is_some_and(|a| a > 0.9),
            "{trials}: {decoded}"
        );
    }
    // In each fold anew.
    let folder = text(study.folder.path());
    let decoded = json(&fusiform(&[
        "decode", &folder, "--trials", "ridge", "--json", "--device", "cpu",
    ]));
    assert!(
        decoded["accuracy"].as_f64().is_some_and(|a| a > 0.9),
        "{decoded}"
    );
    // Where folds are cut later, a choice on all runs would flatter.
    for command in ["select", "encode"] {
        let mut args = vec![command, folder.as_str(), "--trials", "ridge"];
        if command == "select" {
            args.extend(["--a", "ring", "--b", "bar"]);
        }
        let line = error(&fusiform(&args));
        assert!(line.contains("lsa or lss"), "{line}");
    }
    let args = ["glm", folder.as_str(), "--trials", "lss"];
    assert_eq!(fusiform(&args).status.code(), Some(2));
}

/// On the demo's cortex: the z of a vertex is the mean of trilinear samples of the z map from white to pial surface.
#[test]
fn maps_lie_on_both_hemispheres() {
    let folder = tempfile::tempdir().expect("folder");
    let (study, out) = (folder.path().join("demo"), folder.path().join("maps"));
    let (study_text, out_text) = (text(&study), text(&out));
    json(&fusiform(&[
        "demo-data",
        &study_text,
        "--subjects",
        "1",
        "--runs",
        "2",
        "--size",
        "small",
        "--json",
    ]));
    let args = [
        "glm",
        &study_text,
        "--contrast",
        "all = face + body + place + word + food + tool + animal + vehicle",
    ];
    let mut args = args.to_vec();
    args.extend(["--mask", "brain", "--out", &out_text, "--json"]);
    let metrics = json(&fusiform(&args));
    let files: Vec<PathBuf> = metrics["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|f| PathBuf::from(f.as_str().expect("a path")))
        .collect();
    let ending = |ending: &str| -> &PathBuf {
        let found = files.iter().find(|f| text(f).ends_with(ending));
        found.unwrap_or_else(|| panic!("no {ending} among {files:?}"))
    };
    let z = quietly(|run| nifti::read_volume(ending("stat-z_statmap.nii.gz"), run)).expect("z");
    let opened = quietly(|run| fusiform_pipelines::study::Study::open(&study, run)).expect("study");
    for cortex in &opened.subjects[0].surfaces {
        let letter = format!("{:?}", cortex.hemisphere)[..1].to_owned();
        let name = files.iter().find(|f| {
            text(f).contains(&format!("hemi-{letter}")) && text(f).ends_with("_statmap.func.gii")
        });
        let map = &gifti::read_map(name.unwrap_or_else(|| panic!("{letter}: {files:?}")))
            .expect("a map")[0];
        let load = |wanted| {
            let shape = cortex.shapes.iter().find(|(shape, _)| *shape == wanted);
            quietly(|run| shape.expect("a surface").1.load(run)).expect("a surface")
        };
        use fusiform_pipelines::surface::Shape;
        let (white, pial) = (load(Shape::White), load(Shape::Pial));
        let want = project::between(&z, &white, &pial, 10).expect("projected");
        assert_eq!(map.values.len(), 5762);
        let mut finite = 0;
        for (got, want) in map.values.iter().zip(want.values.iter()) {
            assert!(got == want || (got - want).abs() < 1e-4 || got.is_nan() && want.is_nan());
            finite += usize::from(got.is_finite());
        }
        assert!(finite > 4500, "{letter}: {finite} vertices have a value");
        // Trials drive the back of the head, not the front.
        let strongest = (0..map.values.len())
            .filter(|&v| map.values[v].is_finite())
            .max_by(|&a, &b| map.values[a].total_cmp(&map.values[b]))
            .expect("a vertex");
        let at = pial.vertices[strongest];
        assert!(at[1] < -20.0, "{letter}: strongest at {at:?}");
    }
}

/// Face against house in one slice of Haxby's recordings, as nilearn 0.14.1's `FirstLevelModel` finds it there (Glover,
/// cosines, AR(1), mean of the runs).
#[test]
fn faces_and_houses_on_a_real_recording() {
    let Some(study) = real_data("haxby2001_sub001") else {
        return;
    };
    let metrics = json(&fusiform(&[
        "glm",
        &study,
        "--desc",
        "oneslice",
        "--contrast",
        "face - house",
        "--json",
    ]));
    let found = &metrics["contrasts"][0];
    assert_eq!((&found["n_runs"], &found["df"]), (&8.into(), &848.0.into()));
    for (key, want) in [("max_z", 3.9874), ("min_z", -7.4965)] {
        let got = found[key].as_f64().expect("a number");
        assert!((got - want).abs() < 0.02, "{key}: {got}, nilearn {want}");
    }
}
