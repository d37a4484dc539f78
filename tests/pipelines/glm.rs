//! Trials off runs: against numpy, nilearn and series made from known responses.

#![allow(
    clippy::unwrap_used,
    reason = "a test stops where its scaffolding fails"
)]

use std::sync::Arc;

use fusiform_pipelines::betas::{Betas, Columns, Trial};
use fusiform_pipelines::glm::{self, BetasPlan, TrialModel, clean, hrf};
use fusiform_pipelines::mask::Mask;
use fusiform_pipelines::matrix::Matrix;
use fusiform_pipelines::run::{CancelToken, Event, Run, quietly};
use fusiform_pipelines::space::Grid;
use fusiform_pipelines::study::events::{EventRow, Events};
use fusiform_pipelines::study::select::Selection;
use fusiform_pipelines::study::{BoldRun, Named, ReadyBetas, Source, Subject};
use fusiform_pipelines::volume::{Atlas, Region, Series, Volume};
use glam::DAffine3;

use crate::linear::{assert_close, made_at, numbers};

mod first_level;
mod single;

fn grid(shape: [usize; 3]) -> Grid {
    Grid {
        shape,
        world_from_voxel: DAffine3::IDENTITY,
    }
}

/// A series of a grid of n × 1 × 1 voxels from one time course a voxel.
fn series(courses: &[Vec<f32>], tr_secs: f64) -> Series {
    let n_times = courses[0].len();
    let data = (0..n_times)
        .flat_map(|t| courses.iter().map(move |c| c[t]))
        .collect();
    Series {
        grid: grid([courses.len(), 1, 1]),
        n_times,
        tr_secs: Some(tr_secs),
        data,
        assumptions: Vec::new(),
    }
}

fn event(onset_secs: f64, duration_secs: f64, trial_type: &str) -> EventRow {
    EventRow {
        onset_secs,
        duration_secs,
        trial_type: trial_type.into(),
        stim_file: None,
        modulation: 1.0,
    }
}

fn bold(label: &str, series: Series, rows: Vec<EventRow>) -> BoldRun {
    BoldRun {
        label: label.into(),
        session: String::new(),
        entities: Default::default(),
        tr_secs: None,
        bold: Source::Memory(Arc::new(series)),
        events: Some(Source::Memory(Arc::new(Events { rows }))),
        confounds: None,
    }
}

fn subject(runs: Vec<BoldRun>) -> Subject {
    Subject {
        id: "1".into(),
        runs,
        ..Subject::default()
    }
}

fn selection(subject: &Subject) -> Selection<'_> {
    Selection {
        subject,
        runs: subject.runs.iter().collect(),
        mask: None,
        atlas: None,
        rois: Vec::new(),
        assumptions: Vec::new(),
    }
}

fn named<T>(name: &str, value: T) -> Named<T> {
    Named {
        name: name.into(),
        entities: Default::default(),
        source: Source::Memory(Arc::new(value)),
    }
}

fn mask_of(n: usize, values: Vec<f32>) -> Named<Volume> {
    named(
        "m",
        Volume {
            grid: grid([n, 1, 1]),
            data: values.into(),
            assumptions: Vec::new(),
        },
    )
}

fn block_plan(lag_volumes: usize) -> BetasPlan {
    BetasPlan {
        model: TrialModel::BlockMean { lag_volumes },
        ..BetasPlan::default()
    }
}

/// The betas and the warnings, or the error's text.
fn betas(selection: &Selection<'_>, plan: &BetasPlan) -> (Result<Betas, String>, Vec<String>) {
    let warnings = std::sync::Mutex::new(Vec::new());
    let emit = |event: Event| {
        if let Event::Warning(text) = event {
            warnings.lock().unwrap().push(text);
        }
    };
    let betas = glm::betas(selection, plan, &Run::new(&emit, &CancelToken::default()));
    (
        betas.map_err(|e| e.to_string()),
        warnings.into_inner().unwrap(),
    )
}

/// The whole course of one voxel, volume by volume: numpy's.
#[test]
fn detrending_equals_numpy() {
    let n = 30;
    let course = (0..n)
        .map(|t| (made_at(t, 13.0) + (4.0 * t as f64 / 29.0).powi(2)) as f32)
        .collect();
    let series = series(&[course], 2.0);
    let mask = Mask::new(series.grid.clone(), |_| true);
    let courses = mask.gather(&series).unwrap();
    let each_volume = faer::Mat::identity(n, n);
    let cleaned = quietly(|run| clean::read(&courses, 2, &each_volume, run)).unwrap();
    let got: Vec<f64> = cleaned
        .values
        .values
        .iter()
        .map(|v| f64::from(*v))
        .collect();
    assert_close(&got, &numbers("detrended"), 1e-5);
}

#[test]
fn the_response_equals_nilearns() {
    let secs = numbers("glover_secs");
    let got: Vec<f64> = secs
        .iter()
        .map(|t| hrf::glover(*t) / hrf::glover(secs[2]))
        .collect();
    assert_close(&got, &numbers("glover_of_third"), 1e-9);
    // A long event reaches the plateau: the response sums to 1.
    let regressor = hrf::regressor(10.0, 60.0, 100, 1.0);
    assert!((regressor[69] - 1.0).abs() < 1e-9, "{}", regressor[69]);
    assert!(regressor[..=10].iter().all(|r| *r == 0.0));
}

/// Four blocks of known height on a slope: what is read off is ordered and scaled as they are.
#[test]
fn block_means_take_the_lagged_volumes() {
    let n = 60;
    let heights = [1.0f32, 3.0, 2.0, 5.0];
    let course: Vec<f32> = (0..n)
        .map(|t| {
            let block = (0..4).find(|b| (10 + 12 * b + 2..10 + 12 * b + 7).contains(&t));
            100.0 + 0.5 * t as f32 + block.map_or(0.0, |b| heights[b])
        })
        .collect();
    let rows = (0..4)
        .map(|b| event(20.0 + 24.0 * b as f64, 10.0, ["a", "b"][b % 2]))
        .collect();
    let subject = subject(vec![bold(
        "01",
        series(std::slice::from_ref(&course), 2.0),
        rows,
    )]);
    let plan = block_plan(2);
    let (betas, warnings) = betas(&selection(&subject), &plan);
    let betas = betas.unwrap();
    // Brute-force twin: a straight line by the normal equations, then means, then z-scores.
    let (t_mean, x_mean) = (
        29.5,
        course.iter().map(|x| f64::from(*x)).sum::<f64>() / 60.0,
    );
    let slope = (0..n)
        .map(|t| (t as f64 - t_mean) * f64::from(course[t]))
        .sum::<f64>()
        / (0..n).map(|t| (t as f64 - t_mean).powi(2)).sum::<f64>();
    let flat = |t: usize| f64::from(course[t]) - x_mean - slope * (t as f64 - t_mean);
    let means: Vec<f64> = (0..4)
        .map(|b| (12 + 12 * b..17 + 12 * b).map(flat).sum::<f64>() / 5.0)
        .collect();
    let mean = means.iter().sum::<f64>() / 4.0;
    let sd = (means.iter().map(|m| (m - mean).powi(2)).sum::<f64>() / 4.0).sqrt();
    let want: Vec<f64> = means.iter().map(|m| (m - mean) / sd).collect();
    let got: Vec<f64> = betas.values.values.iter().map(|v| f64::from(*v)).collect();
    assert_close(&got, &want, 1e-4);
    assert_eq!(
        betas.trials.iter().map(|t| t.repeat).collect::<Vec<_>>(),
        [0, 0, 1, 1]
    );
    assert!(betas.method.contains("lag 2 volumes"), "{}", betas.method);
    assert!(
        warnings.iter().any(|w| w.contains("no mask was named")),
        "{warnings:?}"
    );
}

/// Overlapping responses of known heights are told apart where block means would mix them.
#[test]
fn least_squares_recovers_planted_heights() {
    let (n, tr) = (150, 1.5);
    let onsets: Vec<f64> = (0..12).map(|i| 6.0 + 15.7 * f64::from(i)).collect();
    let heights: Vec<f64> = (0..12).map(|i| 1.0 + made_at(i, 3.0)).collect();
    let mut course = vec![500.0f64; n];
    for (onset, height) in onsets.iter().zip(&heights) {
        for (x, r) in course.iter_mut().zip(hrf::regressor(*onset, 2.0, n, tr)) {
            *x += 40.0 * height * r;
        }
    }
    for (t, x) in course.iter_mut().enumerate() {
        *x += 0.3 * t as f64;
    }
    let rows = onsets.iter().map(|o| event(*o, 2.0, "a")).collect();
    let course = course.iter().map(|x| *x as f32).collect();
    let subject = subject(vec![bold("01", series(&[course], tr), rows)]);
    let plan = BetasPlan {
        model: TrialModel::LeastSquares,
        ..BetasPlan::default()
    };
    let betas = betas(&selection(&subject), &plan).0.unwrap();
    let mean = heights.iter().sum::<f64>() / 12.0;
    let sd = (heights.iter().map(|h| (h - mean).powi(2)).sum::<f64>() / 12.0).sqrt();
    let want: Vec<f64> = heights.iter().map(|h| (h - mean) / sd).collect();
    let got: Vec<f64> = betas.values.values.iter().map(|v| f64::from(*v)).collect();
    assert_close(&got, &want, 1e-3);
}

#[test]
fn trials_that_cannot_be_told_apart_are_refused() {
    let course: Vec<f32> = (0..80).map(|t| made_at(t, 5.0) as f32).collect();
    let rows = vec![
        event(10.0, 2.0, "a"),
        event(50.0, 2.0, "b"),
        event(50.0, 2.0, "c"),
    ];
    let subject = subject(vec![bold("01", series(&[course], 2.0), rows)]);
    let plan = BetasPlan {
        model: TrialModel::LeastSquares,
        ..BetasPlan::default()
    };
    let error = betas(&selection(&subject), &plan).0.unwrap_err();
    assert!(
        error.contains("cannot be told apart") && error.contains("50.0 s"),
        "{error}"
    );
}

#[test]
fn events_must_fit_their_run() {
    let course: Vec<f32> = (0..40).map(|t| made_at(t, 5.0) as f32).collect();
    let with = |rows| {
        subject(vec![bold(
            "01",
            series(std::slice::from_ref(&course), 2.0),
            rows,
        )])
    };
    let beyond = with(vec![event(500.0, 10.0, "a")]);
    let error = betas(&selection(&beyond), &block_plan(2)).0.unwrap_err();
    assert!(
        error.contains("80.0 s") && error.contains("500.0 s"),
        "{error}"
    );
    let last = with(vec![
        event(10.0, 10.0, "a"),
        event(78.0, 2.0, "a"),
        event(40.0, 5.0, "Rest"),
    ]);
    let (read, warnings) = betas(&selection(&last), &block_plan(2));
    assert_eq!(
        read.unwrap().n_trials(),
        1,
        "rest is left out whatever its case"
    );
    assert!(
        warnings
            .iter()
            .any(|w| w.contains("1 of 2 events are left out")),
        "{warnings:?}"
    );
    let endless = with(vec![event(-1e12, 2e12, "a")]);
    assert_eq!(
        betas(&selection(&endless), &block_plan(2))
            .0
            .unwrap()
            .n_trials(),
        1
    );
    let mut milliseconds = with(vec![event(10.0, 10.0, "a")]);
    milliseconds.runs[0].tr_secs = Some(2000.0);
    let error = betas(&selection(&milliseconds), &block_plan(2))
        .0
        .unwrap_err();
    assert!(
        error.contains("2000 s") && error.contains("RepetitionTime"),
        "{error}"
    );
    let mut without = with(Vec::new());
    without.runs[0].events = None;
    let error = betas(&selection(&without), &block_plan(2)).0.unwrap_err();
    assert!(error.contains("run 01 has no events"), "{error}");
}

#[test]
fn voxels_that_hold_nothing_give_zero_or_an_error() {
    let lively: Vec<f32> = (0..40).map(|t| made_at(t, 5.0) as f32).collect();
    let nan = vec![f32::NAN; 40];
    let rows = || vec![event(10.0, 10.0, "a"), event(40.0, 10.0, "b")];
    let few = subject(vec![bold(
        "01",
        series(&[lively.clone(), vec![7.0; 40], nan.clone()], 2.0),
        rows(),
    )]);
    let mut masked = selection(&few);
    masked.mask = Some(mask_of(3, vec![1.0; 3]));
    let (read, warnings) = betas(&masked, &block_plan(2));
    let read = read.unwrap();
    assert_eq!((read.values.row(0)[1], read.values.row(1)[2]), (0.0, 0.0));
    assert!(read.values.row(0)[0] != 0.0);
    assert!(
        warnings
            .iter()
            .any(|w| w.contains("1 of 3 voxels hold NaN")),
        "{warnings:?}"
    );
    assert!(
        warnings
            .iter()
            .any(|w| w.contains("1 of 3 voxels do not vary")),
        "{warnings:?}"
    );
    assert_eq!(
        betas(&selection(&few), &block_plan(2))
            .0
            .unwrap()
            .n_voxels(),
        1,
        "only what varies"
    );

    let most = subject(vec![bold(
        "07",
        series(&[lively, nan.clone(), nan], 2.0),
        rows(),
    )]);
    let mut masked = selection(&most);
    masked.mask = Some(mask_of(3, vec![1.0; 3]));
    let error = betas(&masked, &block_plan(2)).0.unwrap_err();
    assert!(
        error.contains("run 07") && error.contains("2 of the 3 voxels"),
        "{error}"
    );
}

#[test]
fn regions_cut_the_mask_and_grids_must_agree() {
    let courses: Vec<Vec<f32>> = (0..4)
        .map(|v| (0..40).map(|t| made_at(40 * v + t, 5.0) as f32).collect())
        .collect();
    let rows = vec![event(10.0, 10.0, "a"), event(40.0, 10.0, "b")];
    let subject = subject(vec![bold("01", series(&courses, 2.0), rows)]);
    let region = |key, name: &str| Region {
        key,
        name: name.into(),
        colour: [0; 3],
    };
    let atlas = Atlas {
        grid: grid([4, 1, 1]),
        keys: vec![1, 1, 2, 0].into(),
        regions: vec![region(1, "V1"), region(2, "FFA")],
    };
    let mut chosen = selection(&subject);
    chosen.mask = Some(mask_of(4, vec![0.0, 1.0, 1.0, 1.0]));
    chosen.atlas = Some(named("visual", atlas));
    chosen.rois = vec!["v1".into(), "FFA".into()];
    let Columns::Voxels(mask) = betas(&chosen, &block_plan(2)).0.unwrap().columns else {
        panic!("a grid was given");
    };
    assert_eq!(mask.voxels(), [1, 2]);
    chosen.rois = vec!["V9".into()];
    let error = betas(&chosen, &block_plan(2)).0.unwrap_err();
    assert!(error.contains("V9") && error.contains("V1, FFA"), "{error}");
    chosen.rois.clear();
    chosen.mask = Some(mask_of(5, vec![1.0; 5]));
    let error = betas(&chosen, &block_plan(2)).0.unwrap_err();
    assert!(
        error.contains("mask m") && error.contains("run 01") && error.contains("resample"),
        "{error}"
    );
}

#[test]
fn the_default_follows_the_length_of_events() {
    let plan = |duration, tr| {
        let rows = vec![event(0.0, 100.0, "rest"), event(9.0, duration, "a")];
        glm::default_plan(&[Arc::new(Events { rows })], tr).model
    };
    assert_eq!(plan(22.5, 2.5), TrialModel::BlockMean { lag_volumes: 2 });
    assert_eq!(plan(12.0, 2.0), TrialModel::BlockMean { lag_volumes: 2 });
    assert_eq!(plan(12.0, 0.8), TrialModel::BlockMean { lag_volumes: 5 });
    assert_eq!(plan(3.0, 2.0), TrialModel::LeastSquares);
    assert_eq!(plan(8.0, 3.0), TrialModel::LeastSquares);
}

#[test]
fn ready_betas_are_scaled_within_their_runs() {
    let trials: Vec<Trial> = (0..10)
        .map(|row| Trial {
            subject: "1".into(),
            session: String::new(),
            run: if row < 5 { "1".into() } else { "2".into() },
            onset_secs: 0.0,
            duration_secs: 1.0,
            condition: "a".into(),
            stimulus: None,
            repeat: 0,
        })
        .collect();
    let mut values = Matrix::zeros(10, 3);
    for r in 0..10 {
        let offset = if r < 5 { 100.0 } else { -3.0 };
        let row = [offset + made_at(r, 2.0) as f32, 4.0, made_at(r, 9.0) as f32];
        values.row_mut(r).copy_from_slice(&row);
    }
    values.row_mut(0)[2] = f32::NAN;
    let ready = Betas {
        values,
        trials,
        columns: Columns::Points(Vec::new()),
        method: "given".into(),
    };
    let subject = Subject {
        id: "1".into(),
        betas: Some(ReadyBetas::Memory(Arc::new(ready))),
        ..Subject::default()
    };
    let (read, warnings) = betas(&selection(&subject), &BetasPlan::default());
    let read = read.unwrap();
    for rows in [0..5, 5..10] {
        let column: Vec<f32> = rows.map(|r| read.values.row(r)[0]).collect();
        let mean = column.iter().sum::<f32>() / 5.0;
        let variance = column.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / 5.0;
        assert!(
            mean.abs() < 1e-4 && (variance - 1.0).abs() < 1e-3,
            "{mean} {variance}"
        );
    }
    assert!(read.values.rows().all(|row| row[1] == 0.0 && row[2] == 0.0));
    assert!(
        warnings.iter().any(|w| w.contains("1 of 3 voxels")),
        "{warnings:?}"
    );
    assert!(
        read.method.starts_with("given; z-scored"),
        "{}",
        read.method
    );
}
