//! Decoding: a planted truth, pure noise, and published recordings.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where its scaffolding fails"
)]

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use fusiform_pipelines::betas::{Betas, Columns, Trial};
use fusiform_pipelines::decode::{Code, DecodePlan, Decoded, decode};
use fusiform_pipelines::device::Compute;
use fusiform_pipelines::glm;
use fusiform_pipelines::io;
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::report::{self, ReportContext};
use fusiform_pipelines::run::{CancelToken, Event, Run, Stop, quietly};
use fusiform_pipelines::study::select::{Query, select};
use fusiform_pipelines::study::{Source, Stimulus, Study};
use image::{Rgb, RgbImage};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;

use crate::real_data;

/// A picture with one bright rectangle, told by its number.
fn picture(number: usize) -> RgbImage {
    let (x0, y0) = ((number * 7) % 20, (number * 11) % 20);
    RgbImage::from_fn(32, 32, |x, y| {
        let inside = (x0..x0 + 12).contains(&(x as usize)) && (y0..y0 + 12).contains(&(y as usize));
        let shade = 40 + (number * 37 % 60) as u8;
        if inside {
            Rgb([230, 230 - shade, 90])
        } else {
            Rgb([30, shade, 60])
        }
    })
}

struct Planted {
    betas: Betas,
    stimuli: Vec<Stimulus>,
}

/// Voxels that see one pixel each (signal · pixel + noise), and know the condition.
fn planted(n_runs: usize, per_run: usize, signal: f32, repeated: bool) -> Planted {
    let mut random = StdRng::seed_from_u64(7);
    let n_voxels = 200;
    let mut values = Matrix::zeros(n_runs * per_run, n_voxels);
    let (mut trials, mut stimuli) = (Vec::new(), Vec::<Stimulus>::new());
    for row in 0..n_runs * per_run {
        let number = if repeated { row % per_run } else { row };
        let image = picture(number);
        for (v, value) in values.row_mut(row).iter_mut().enumerate() {
            let pixel = image.get_pixel((v * 13 % 32) as u32, (v * 5 % 32) as u32)[v % 3];
            let noise: f32 = random.sample(StandardNormal);
            *value = signal * (f32::from(pixel) / 255.0 - 0.4) + noise;
        }
        let id = format!("{number}.png");
        if stimuli.iter().all(|s| s.id != id) {
            stimuli.push(Stimulus {
                id: id.clone(),
                image: Some(Source::Memory(Arc::new(image))),
                caption: None,
                category: None,
            });
        }
        trials.push(Trial {
            subject: "1".into(),
            session: String::new(),
            run: format!("{}", row / per_run),
            onset_secs: 0.0,
            duration_secs: 1.0,
            condition: if (number * 7) % 20 < 10 {
                "left".into()
            } else {
                "right".into()
            },
            stimulus: Some(id),
            repeat: 0,
        });
    }
    let columns = Columns::Points(Vec::new());
    Planted {
        betas: Betas {
            values,
            trials,
            columns,
            method: "planted".into(),
        },
        stimuli,
    }
}

fn plan() -> DecodePlan {
    DecodePlan {
        n_shuffles: 10,
        ..DecodePlan::default()
    }
}

fn decoded(planted: &Planted, plan: &DecodePlan) -> Decoded {
    quietly(|run| {
        decode(
            &planted.betas,
            &planted.stimuli,
            plan,
            &Compute::cpu(),
            run,
            &|_| {},
        )
    })
    .unwrap()
}

#[test]
fn a_planted_signal_is_found_and_the_control_is_not() {
    let planted = planted(6, 12, 12.0, false);
    let states = RefCell::new(Vec::new());
    let result = quietly(|run| {
        let publish = |state: Decoded| {
            states
                .borrow_mut()
                .push((state.trials.len(), state.alphas.len()));
        };
        decode(
            &planted.betas,
            &planted.stimuli,
            &plan(),
            &Compute::cpu(),
            run,
            &publish,
        )
    })
    .unwrap();
    assert_eq!(
        *states.borrow(),
        (1..=6).map(|f| (12 * f, f)).collect::<Vec<_>>()
    );
    keep_report("planted", &plan(), &planted.betas, &result);
    let scores = result.scores;
    let (pixcorr, two_way) = (scores.pixcorr.unwrap(), scores.two_way.unwrap());
    let (top1, accuracy) = (scores.retrieval_top1.unwrap(), scores.accuracy.unwrap());
    assert!(pixcorr.value > pixcorr.shuffled + 0.2, "{pixcorr:?}");
    assert!(
        pixcorr.value > pixcorr.chance + 0.2,
        "better than the mean picture: {pixcorr:?}"
    );
    assert!(
        two_way.value > 0.9 && (two_way.shuffled - 0.5).abs() < 0.06,
        "{two_way:?}"
    );
    assert!(
        top1.value > 0.5 && (top1.shuffled - 1.0 / 12.0).abs() < 0.06,
        "{top1:?}"
    );
    assert!(
        (top1.chance - 1.0 / 12.0).abs() < 1e-12,
        "candidates are the run's own pictures"
    );
    assert!(
        accuracy.value > 0.85 && (accuracy.shuffled - 0.5).abs() < 0.1,
        "{accuracy:?}"
    );
    assert!((accuracy.p - 1.0 / 11.0).abs() < 1e-12);
    assert!(!result.stimuli_seen_in_training);
    assert_eq!(
        result.trials.iter().map(|t| t.trial).collect::<Vec<_>>(),
        (0..72).collect::<Vec<_>>()
    );
    assert_eq!(result.confusion.iter().flatten().sum::<usize>(), 72);
    assert!(
        result
            .voxel_weights
            .iter()
            .all(|w| *w > 0.0 && w.is_finite())
    );
}

#[test]
fn the_same_plan_gives_the_same_scores() {
    let planted = planted(4, 8, 4.0, false);
    let (a, b) = (decoded(&planted, &plan()), decoded(&planted, &plan()));
    assert_eq!(a.scores, b.scores);
    assert_eq!(a.alphas, b.alphas);
    let other = decoded(&planted, &DecodePlan { seed: 2, ..plan() });
    assert_eq!(
        a.scores.pixcorr.unwrap().value,
        other.scores.pixcorr.unwrap().value
    );
    assert_ne!(
        a.scores.pixcorr.unwrap().shuffled,
        other.scores.pixcorr.unwrap().shuffled
    );
}

/// Nothing is planted: every score must lie where its shuffles lie, or something leaks.
#[test]
fn noise_scores_at_chance() {
    let scores = decoded(&planted(6, 12, 0.0, false), &plan()).scores;
    for (name, score) in [
        ("accuracy", scores.accuracy),
        ("pixcorr", scores.pixcorr),
        ("ssim", scores.ssim),
        ("two_way", scores.two_way),
        ("retrieval", scores.retrieval_top1),
    ] {
        let score = score.unwrap();
        let spread = 4.0 * score.shuffled_sd + 1e-3;
        assert!(
            (score.value - score.shuffled).abs() < spread,
            "{name}: {score:?}"
        );
    }
    assert!((scores.two_way.unwrap().value - 0.5).abs() < 0.12);
}

/// Changing a held-out trial's picture must not change what is reconstructed for it.
#[test]
fn the_held_out_picture_has_no_say() {
    let mut planted = planted(4, 8, 6.0, false);
    let before = decoded(
        &planted,
        &DecodePlan {
            n_shuffles: 0,
            ..plan()
        },
    );
    planted.stimuli[3].image = Some(Source::Memory(Arc::new(picture(991))));
    let after = decoded(
        &planted,
        &DecodePlan {
            n_shuffles: 0,
            ..plan()
        },
    );
    for row in 0..8 {
        assert_eq!(
            before.trials[row].reconstruction, after.trials[row].reconstruction,
            "trial {row}"
        );
    }
    assert_ne!(
        before.trials[9].reconstruction, after.trials[9].reconstruction,
        "it is trained on elsewhere"
    );
    assert!(before.scores.pixcorr.unwrap().shuffled.is_nan());
}

#[test]
fn repeated_pictures_are_told_of() {
    let result = decoded(&planted(4, 6, 6.0, true), &plan());
    assert!(result.stimuli_seen_in_training);
    assert!(
        result
            .warnings
            .iter()
            .any(|w| w.contains("also shown in training")),
        "{:?}",
        result.warnings
    );
    assert_eq!(result.trials[0].n_candidates, Some(6));
}

#[test]
fn pixels_and_components_agree_when_all_components_are_kept() {
    let planted = planted(4, 8, 6.0, false);
    let side = 16;
    // One penalty for all dimensions: only then is it indifferent to a turned basis.
    let plan = |code| DecodePlan {
        code,
        alphas: vec![0.1],
        n_shuffles: 0,
        ..DecodePlan::default()
    };
    let pixels = decoded(&planted, &plan(Code::Pixels { side }));
    let components = decoded(&planted, &plan(Code::Components { n: 1000, side }));
    let (a, b) = (
        pixels.scores.pixcorr.unwrap().value,
        components.scores.pixcorr.unwrap().value,
    );
    assert!(
        (a - b).abs() < 1e-3,
        "ridge commutes with an orthonormal basis: {a} {b}"
    );
    assert_eq!(pixels.alphas, components.alphas);
}

#[test]
fn what_cannot_be_decoded_is_said() {
    let fails = |planted: &Planted| {
        quietly(|run| {
            decode(
                &planted.betas,
                &planted.stimuli,
                &plan(),
                &Compute::cpu(),
                run,
                &|_| {},
            )
        })
        .unwrap_err()
        .to_string()
    };
    let mut bad = planted(3, 4, 1.0, false);
    bad.betas.values.values[5] = f32::NAN;
    assert!(fails(&bad).contains("NaN"), "{}", fails(&bad));
    let single = planted(1, 8, 1.0, false);
    assert!(
        fails(&single).contains("at least two runs"),
        "{}",
        fails(&single)
    );
    let mut empty = planted(3, 4, 1.0, false);
    empty.stimuli.clear();
    for trial in &mut empty.betas.trials {
        trial.condition = "same".into();
    }
    assert!(
        fails(&empty).contains("nothing to decode"),
        "{}",
        fails(&empty)
    );
}

#[test]
fn a_study_without_pictures_names_conditions_and_can_be_cancelled() {
    let mut planted = planted(4, 8, 12.0, false);
    planted.stimuli.clear();
    let result = decoded(&planted, &plan());
    assert!(result.scores.accuracy.unwrap().value > 0.7 && result.scores.pixcorr.is_none());
    assert!(result.voxel_weights.is_empty() && result.trials[0].reconstruction.is_none());

    let cancel = CancelToken::default();
    let token = cancel.clone();
    let progress = Mutex::new(0);
    let emit = |event: Event| {
        if let Event::Progress { done, .. } = event {
            *progress.lock().unwrap() = done;
            token.cancel();
        }
    };
    let run = Run::new(&emit, &cancel);
    let stopped = decode(&planted.betas, &[], &plan(), &Compute::cpu(), &run, &|_| {});
    assert!(matches!(stopped, Err(Stop::Cancelled)));
}

#[test]
fn the_report_holds_the_same_numbers() {
    let planted = planted(4, 8, 8.0, false);
    let result = decoded(&planted, &plan());
    let context = ReportContext {
        study: "planted <study>".into(),
        subject: "1".into(),
        entities: std::collections::BTreeMap::new(),
        plan: plan(),
    };
    let folder = tempfile::tempdir().unwrap();
    let files =
        quietly(|run| report::write_decode(folder.path(), &context, &planted.betas, &result, run))
            .unwrap();
    for name in [
        "sheet.png",
        "metrics.json",
        "trials.tsv",
        "confusion.png",
        "confusion.svg",
        "scores.png",
        "scores.svg",
        "report.html",
    ] {
        assert!(
            files.iter().any(|f| f.ends_with(name) && f.is_file()),
            "{name}"
        );
    }
    let text = std::fs::read_to_string(folder.path().join("metrics.json")).unwrap();
    let metrics: serde_json::Value = serde_json::from_str(&text).unwrap();
    let scores = result.scores;
    let same = |key: &str, value: f64| {
        let written = metrics[key].as_f64().unwrap();
        assert!(
            (written - value).abs() < 1e-12,
            "{key}: {written} is not {value}"
        );
    };
    same("accuracy", scores.accuracy.unwrap().value);
    same("two_way_shuffled", scores.two_way.unwrap().shuffled);
    same("pixcorr_p", scores.pixcorr.unwrap().p);
    assert_eq!(metrics["n_trials"].as_u64(), Some(32));
    same("retrieval_chance", 1.0 / 8.0);
    let table = io::table::read(&folder.path().join("trials.tsv")).unwrap();
    assert_eq!(table.rows.len(), 32);
    let page = std::fs::read_to_string(folder.path().join("report.html")).unwrap();
    assert!(page.contains("planted &lt;study&gt;") && page.contains("data:image/png;base64,"));
    image::open(folder.path().join("sheet.png")).unwrap();
    assert!(
        std::fs::read_dir(folder.path()).unwrap().count() == files.len(),
        "no temporary files stay"
    );
}

/// Where looking is wanted: reports go to `$FUSIFORM_REPORTS`, if set.
fn keep_report(name: &str, plan: &DecodePlan, betas: &Betas, result: &Decoded) {
    let Some(root) = std::env::var_os("FUSIFORM_REPORTS") else {
        return;
    };
    let context = ReportContext {
        study: name.into(),
        subject: betas.trials[0].subject.clone(),
        entities: std::collections::BTreeMap::new(),
        plan: plan.clone(),
    };
    let out = PathBuf::from(root).join(name);
    quietly(|run| report::write_decode(&out, &context, betas, result, run)).unwrap();
}

/// Betas by the default plan, which depends on the events alone; and with one regressor a trial.
fn real_betas(study: &Study, query: &Query) -> (Betas, Betas) {
    let selection = select(study, query).unwrap();
    quietly(|run| {
        let plan = glm::plan_for(&selection, run).unwrap();
        assert_eq!(
            plan.model,
            glm::TrialModel::BlockMean { lag_volumes: 2 },
            "4 s"
        );
        let fitted = glm::BetasPlan {
            model: glm::TrialModel::LeastSquares,
            ..plan.clone()
        };
        let means = glm::betas(&selection, &plan, run).unwrap();
        (means, glm::betas(&selection, &fitted, run).unwrap())
    })
}

fn accuracy_of(betas: &Betas) -> f64 {
    let plan = DecodePlan {
        n_shuffles: 0,
        ..DecodePlan::default()
    };
    quietly(|run| decode(betas, &[], &plan, &Compute::cpu(), run, &|_| {}))
        .unwrap()
        .scores
        .accuracy
        .unwrap()
        .value
}

/// Seeing shapes in V1. Logistic regression on the same betas: 0.975.
#[test]
fn shapes_are_read_from_v1() {
    let Some(root) = real_data("yamada2015_shapes") else {
        return;
    };
    let study = quietly(|run| Study::open(&root, run)).unwrap();
    let (betas, fitted) = real_betas(&study, &Query::default());
    assert_eq!((betas.n_trials(), betas.n_voxels()), (40, 910));
    let plan = DecodePlan::default();
    let result =
        quietly(|run| decode(&betas, &study.stimuli, &plan, &Compute::cpu(), run, &|_| {}))
            .unwrap();
    println!(
        "{:#?} {:?} {} s",
        result.scores, result.alphas, result.seconds
    );
    keep_report("yamada2015_shapes", &plan, &betas, &result);
    let (accuracy, pixcorr) = (
        result.scores.accuracy.unwrap(),
        result.scores.pixcorr.unwrap(),
    );
    let top1 = result.scores.retrieval_top1.unwrap();
    assert!(
        accuracy.value >= 0.90 && accuracy.shuffled < 0.35,
        "{accuracy:?}"
    );
    assert!(
        pixcorr.value > pixcorr.shuffled + 5.0 * pixcorr.shuffled_sd,
        "{pixcorr:?}"
    );
    assert!(
        top1.value >= 0.8 && top1.shuffled < 0.35 && (top1.chance - 0.2).abs() < 1e-9,
        "{top1:?}"
    );
    assert!(
        result.stimuli_seen_in_training,
        "the same five shapes in every run"
    );
    let fitted = accuracy_of(&fitted);
    assert!(fitted >= 0.90, "one regressor a trial: {fitted}");
}

/// Eight categories from one slice. Logistic regression on twelve runs, without a lag: 0.76.
#[test]
fn categories_are_read_from_one_slice() {
    let Some(root) = real_data("haxby2001_sub001") else {
        return;
    };
    let study = quietly(|run| Study::open(&root, run)).unwrap();
    let (betas, fitted) = real_betas(
        &study,
        &Query {
            desc: Some("oneslice".into()),
            ..Query::default()
        },
    );
    assert_eq!((betas.n_trials(), betas.n_voxels()), (64, 530));
    let plan = DecodePlan::default();
    let result =
        quietly(|run| decode(&betas, &study.stimuli, &plan, &Compute::cpu(), run, &|_| {}))
            .unwrap();
    println!("{:#?} {} s", result.scores, result.seconds);
    keep_report("haxby2001_sub001", &plan, &betas, &result);
    let accuracy = result.scores.accuracy.unwrap();
    assert!(
        accuracy.value >= 0.65 && accuracy.shuffled < 0.25,
        "{accuracy:?}"
    );
    assert!(!result.stimuli_seen_in_training && result.scores.pixcorr.is_none());
    let fitted = accuracy_of(&fitted);
    assert!(fitted >= 0.65, "one regressor a trial: {fitted}");
}
