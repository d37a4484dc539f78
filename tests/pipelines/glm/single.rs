//! Responses of single trials: least squares separate and ridge against numpy, choices against what was planted.

use faer::Mat;
use fusiform_pipelines::glm::TrialUnits;
use fusiform_pipelines::glm::single::{self, fracridge};
use fusiform_pipelines::report::write_trials;
use fusiform_pipelines::study::demo::{self, DemoPlan, Size};
use fusiform_pipelines::study::select::{Query, select};
use fusiform_pipelines::study::{ReadyBetas, Study};

use super::first_level::{assert_near, found, json};
use super::*;

fn plan(model: TrialModel) -> BetasPlan {
    BetasPlan {
        model,
        ..BetasPlan::default()
    }
}

#[test]
fn least_squares_separate_is_a_refit_for_each_trial() {
    let (n, tr, k) = (110, 1.5, 25);
    let rows: Vec<EventRow> = (0..k)
        .map(|i| event(4.0 + 5.8 * i as f64 + 0.7 * (i % 3) as f64, 1.0, "a"))
        .collect();
    let mut course = vec![0.0; n];
    for (i, row) in rows.iter().enumerate() {
        for (y, x) in course
            .iter_mut()
            .zip(hrf::regressor(row.onset_secs, 1.0, n, tr))
        {
            *y += 30.0 * (1.0 + made_at(i, 3.0)) * x;
        }
    }
    let mut e = 0.0;
    for (t, y) in course.iter_mut().enumerate() {
        e = 0.4 * e + 0.8 * made_at(t, 5.0);
        *y += 200.0 + 0.1 * t as f64 + e;
    }
    let course = course.iter().map(|y| *y as f32).collect();
    let subject = subject(vec![bold("01", series(&[course], tr), rows)]);
    let plan = BetasPlan {
        detrend_order: 2,
        ..plan(TrialModel::LeastSquaresSeparate)
    };
    let read = betas(&selection(&subject), &plan).0.unwrap();
    let got: Vec<f64> = read.values.values.iter().map(|v| f64::from(*v)).collect();
    assert_close(&got, &found(&["lss"]), 1e-5);
    assert!(
        read.method.contains("least squares separate"),
        "{}",
        read.method
    );
}

#[test]
fn ridge_shrinks_to_the_fraction_that_is_asked_for() {
    let mut design = Mat::from_fn(40, 12, |t, i| made_at(t, 20.0 + i as f64));
    for t in 0..40 {
        design[(t, 5)] = 0.9 * design[(t, 4)] + 0.1 * design[(t, 5)];
    }
    let mut targets = Matrix::zeros(40, 5);
    for t in 0..40 {
        for v in 0..5 {
            targets.row_mut(t)[v] = made_at(t, 60.0 + v as f64) as f32;
        }
    }
    let want: Vec<Vec<f64>> = serde_json::from_value(json()["fracridge"].take()).unwrap();
    let got = fracridge(&design, &targets, 10).unwrap();
    for (place, (got, want)) in got.iter().zip(&want).enumerate() {
        let got: Vec<f64> = got.values.iter().map(|v| f64::from(*v)).collect();
        assert_near(
            &got,
            want,
            2e-5,
            &format!("fraction {}", 1.0 - place as f64 / 10.0),
        );
    }
}

/// A run sampled later in each volume is as one of which every event came earlier.
#[test]
fn the_reference_slice_shifts_every_event() {
    let course: Vec<f32> = (0..90).map(|t| made_at(t, 5.0) as f32).collect();
    let at = |shift: f64| -> Vec<EventRow> {
        (0..8)
            .map(|i| event(6.0 + 19.3 * f64::from(i) - shift, 3.0, "a"))
            .collect()
    };
    let read = |shift: f64, slice_time_ref: f64, model: TrialModel| {
        let subject = subject(vec![bold(
            "01",
            series(std::slice::from_ref(&course), 2.0),
            at(shift),
        )]);
        let plan = BetasPlan {
            slice_time_ref,
            ..plan(model)
        };
        betas(&selection(&subject), &plan).0.unwrap().values.values
    };
    for model in [
        TrialModel::LeastSquares,
        TrialModel::LeastSquaresSeparate,
        TrialModel::BlockMean { lag_volumes: 2 },
        TrialModel::Ridge,
    ] {
        let (by_ref, by_hand) = (read(0.0, 0.5, model.clone()), read(1.0, 0.0, model.clone()));
        assert_eq!(by_ref, by_hand, "{model:?}");
        assert_ne!(by_ref, read(0.0, 0.0, model));
    }
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let of = |f: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(f).sum::<f64>() / pairs.len() as f64;
    let (a, b) = (of(&|p| p.0), of(&|p| p.1));
    let covariance = of(&|p| (p.0 - a) * (p.1 - b));
    let variances = of(&|p| (p.0 - a).powi(2)) * of(&|p| (p.1 - b).powi(2));
    covariance / variances.sqrt()
}

/// Correlation of single-trial betas with the planted responses, mean over the best planted voxels.
fn agreement(betas: &Betas, demo: &demo::Demo) -> f64 {
    let planted = &demo.truth_responses;
    let Columns::Voxels(mask) = &betas.columns else {
        panic!("the demo has a grid");
    };
    let rows: Vec<usize> = betas
        .trials
        .iter()
        .map(|t| {
            planted
                .stimuli
                .iter()
                .position(|s| Some(s) == t.stimulus.as_ref())
                .unwrap()
        })
        .collect();
    let mut sum = 0.0;
    let mut n = 0.0;
    for (column, voxel) in planted.voxels.iter().enumerate() {
        if demo.truth_snr.data[*voxel] < 0.5 {
            continue;
        }
        let Ok(place) = mask.voxels().binary_search(&(*voxel as u32)) else {
            continue;
        };
        let pairs: Vec<(f64, f64)> = rows
            .iter()
            .enumerate()
            .map(|(t, row)| {
                (
                    f64::from(betas.values.row(t)[place]),
                    f64::from(planted.responses[*row][column]),
                )
            })
            .collect();
        sum += correlation(&pairs);
        n += 1.0;
    }
    assert!(n > 30.0, "{n} voxels");
    sum / n
}

fn small_demo(seed: u64) -> demo::Demo {
    let plan = DemoPlan {
        n_subjects: 1,
        n_runs: 4,
        size: Size::Small,
        seed,
    };
    quietly(|run| demo::generate(&plan, run)).unwrap()
}

fn first_subject(study: &Study) -> Selection<'_> {
    let query = Query {
        subject: Some(demo::FIRST_SUBJECT.to_owned()),
        mask: Some("brain".to_owned()),
        ..Query::default()
    };
    select(study, &query).unwrap()
}

/// On the seed that the choice of responses was made with (1) and on ones that it never saw (21 and 22). Everywhere one response is
/// planted, so choosing it per voxel can only cost. The demo repeats pictures within runs only, where GLMsingle would
/// stop choosing.
#[test]
fn regularised_trials_come_closer_to_the_planted_responses() {
    for seed in [1, 21, 22] {
        let demo = small_demo(seed);
        let selection = first_subject(&demo.study);
        let all = betas(&selection, &plan(TrialModel::LeastSquares))
            .0
            .unwrap();
        let all = agreement(&all, &demo);
        let prepared =
            quietly(|run| single::prepare(&selection, &plan(TrialModel::Ridge), run)).unwrap();
        let choice = quietly(|run| prepared.choose(&prepared.runs(), run)).unwrap();
        let read = |change: &dyn Fn(&mut single::Choice)| {
            let mut changed = choice.clone();
            change(&mut changed);
            let read = quietly(|run| prepared.betas(&changed, run)).unwrap();
            (agreement(&read, &demo), read.method)
        };
        let (ridge, method) = read(&|_| {});
        let (unshrunk, _) = read(&|choice| choice.fraction.fill(1.0));
        let (canonical, _) = read(&|choice| choice.response.fill(8));
        println!(
            "seed {seed}: agreement with the planted responses: least squares all {all:.4}, ridge {ridge:.4}, not shrunk {unshrunk:.4}, canonical response {canonical:.4}; {method}"
        );
        assert!(ridge > all + 0.01, "{seed}: {ridge} against {all}");
        assert!(ridge > unshrunk - 0.003, "{seed}: {ridge}, {unshrunk}");
        assert!(ridge > canonical - 0.003, "{seed}: {ridge}, {canonical}");
        assert!(
            method.contains("no stimulus was repeated across runs"),
            "{method}"
        );
    }
}

/// Numbers of mean 0 and variance 1, the same on every machine.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        let mut sum = 0.0;
        for _ in 0..12 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            sum += (self.0 >> 11) as f64 / (1u64 << 53) as f64;
        }
        sum - 6.0
    }
}

/// Voxels of which the first half respond as Glover's response says and the second half half as slowly again, with as
/// many that only share noise; pictures come back in every run.
struct Planted {
    subject: Subject,
    /// Pictures × responding voxels.
    heights: Vec<Vec<f64>>,
}

const RESPONDING: usize = 80;

fn planted(seed: u64, n_runs: usize) -> Planted {
    let (n_pictures, n_times, tr) = (20, 120, 2.0);
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15 ^ seed);
    // The first numbers of neighbouring seeds are alike.
    for _ in 0..50 {
        noise.next();
    }
    let heights: Vec<Vec<f64>> = (0..n_pictures)
        .map(|_| (0..RESPONDING).map(|_| 1.5 + noise.next()).collect())
        .collect();
    let shape = |secs: f64, stretch: f64| -> f64 {
        (0..20)
            .map(|step| hrf::glover((secs - 0.1 * f64::from(step)).max(0.0) / stretch) / stretch)
            .sum::<f64>()
    };
    let runs = (0..n_runs).map(|r| {
        let mut order: Vec<(f64, usize)> = (0..2 * n_pictures)
            .map(|i| (noise.next(), i % n_pictures))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut onset = 6.0;
        let rows: Vec<(f64, usize)> = order
            .into_iter()
            .map(|(jitter, picture)| {
                onset += if jitter.sin() > 0.0 { 6.0 } else { 4.0 };
                (onset, picture)
            })
            .collect();
        let shared: Vec<f64> = (0..n_times).map(|_| noise.next()).collect();
        let courses: Vec<Vec<f32>> = (0..2 * RESPONDING)
            .map(|v| {
                let mut carried = 0.0;
                (0..n_times)
                    .map(|t| {
                        let now = t as f64 * tr;
                        carried = 0.4 * carried + 0.7 * noise.next();
                        let mut y = 100.0 + carried + 0.4 * shared[t];
                        if v < RESPONDING {
                            let stretch = if v < RESPONDING / 2 { 1.0 } else { 1.5 };
                            for (onset, picture) in &rows {
                                if (0.0..40.0).contains(&(now - onset)) {
                                    y += 0.25 * heights[*picture][v] * shape(now - onset, stretch);
                                }
                            }
                        }
                        y as f32
                    })
                    .collect()
            })
            .collect();
        let events = rows
            .iter()
            .map(|(onset, picture)| event(*onset, 2.0, &format!("picture {picture}")))
            .collect();
        bold(&format!("{}", r + 1), series(&courses, tr), events)
    });
    let runs = runs.collect();
    Planted {
        subject: subject(runs),
        heights,
    }
}

/// Correlation of trials with the planted heights, mean over some responding voxels.
fn closeness(betas: &Betas, planted: &Planted, voxels: std::ops::Range<usize>) -> f64 {
    let picture = |trial: &Trial| -> usize {
        let name = trial.condition.strip_prefix("picture ").unwrap();
        name.parse().unwrap()
    };
    let n = voxels.len() as f64;
    let of_voxel = |v: usize| {
        let pairs: Vec<(f64, f64)> = (betas.trials.iter().zip(betas.values.rows()))
            .map(|(trial, row)| (f64::from(row[v]), planted.heights[picture(trial)][v]))
            .collect();
        correlation(&pairs)
    };
    voxels.map(of_voxel).sum::<f64>() / n
}

/// Where responses do differ and pictures come back across runs: voxels find their own response, and shrinking helps.
#[test]
fn voxels_find_their_own_response_and_how_far_to_shrink() {
    // The thresholds were set on the first; the second was not looked at before.
    for seed in [1, 2] {
        let planted = planted(seed, 6);
        let selection = selection(&planted.subject);
        let prepared =
            quietly(|run| single::prepare(&selection, &plan(TrialModel::Ridge), run)).unwrap();
        let choice = quietly(|run| prepared.choose(&prepared.runs(), run)).unwrap();
        let read = |change: &dyn Fn(&mut single::Choice)| {
            let mut changed = choice.clone();
            change(&mut changed);
            quietly(|run| prepared.betas(&changed, run)).unwrap()
        };
        let (early, late) = (0..RESPONDING / 2, RESPONDING / 2..RESPONDING);
        let later = late.clone().filter(|&v| choice.response[v] > 8).count();
        // Glover's response is not in the library: a neighbour of the canonical one may suit it better, a late one cannot.
        let late_for_early = early.clone().filter(|&v| choice.response[v] > 12).count();
        let of = |betas: &Betas| {
            (
                closeness(betas, &planted, early.clone()),
                closeness(betas, &planted, late.clone()),
            )
        };
        let ridge = of(&read(&|_| {}));
        let unshrunk = of(&read(&|choice| choice.fraction.fill(1.0)));
        let canonical = of(&read(&|choice| choice.response.fill(8)));
        let all = of(&betas(&selection, &plan(TrialModel::LeastSquares))
            .0
            .unwrap());
        println!(
            "seed {seed}: {later} late voxels with a later response, {late_for_early} early ones with a late one; closeness (early, late) of ridge {ridge:.3?}, not shrunk {unshrunk:.3?}, canonical response {canonical:.3?}, least squares all {all:.3?}; {}",
            choice.words
        );
        assert!(
            3 * later >= RESPONDING / 2 && late_for_early <= 2,
            "{seed}: {later} {late_for_early}"
        );
        // Where the canonical response was planted, the freedom to choose costs next to nothing; elsewhere it pays.
        assert!(
            ridge.0 > canonical.0 - 0.005 && ridge.0 > unshrunk.0 - 0.005,
            "{seed}: {ridge:?} {canonical:?} {unshrunk:?}"
        );
        assert!(
            ridge.1 > canonical.1 + 0.03 && ridge.1 > unshrunk.1 + 0.02,
            "{seed}: {ridge:?} {canonical:?} {unshrunk:?}"
        );
        assert!(
            ridge.0 > all.0 + 0.01 && ridge.1 > all.1 + 0.05,
            "{seed}: {ridge:?} {all:?}"
        );
        assert!(choice.words.contains("across runs"), "{}", choice.words);
    }
}

/// What is chosen for a fold knows nothing of the run that it tests.
#[test]
fn a_choice_depends_on_the_named_runs_alone() {
    let demo = small_demo(1);
    let selection = first_subject(&demo.study);
    let prepare = |selection: &Selection<'_>| {
        quietly(|run| single::prepare(selection, &plan(TrialModel::Ridge), run)).unwrap()
    };
    let whole = prepare(&selection);
    let labels: Vec<String> = whole.runs().iter().map(|l| (*l).to_owned()).collect();
    let training: Vec<&str> = labels[1..].iter().map(String::as_str).collect();
    let mut fewer = selection.clone();
    fewer.runs.remove(0);
    let of = |prepared: &single::Prepared| quietly(|run| prepared.choose(&training, run)).unwrap();
    let (with, without) = (of(&whole), of(&prepare(&fewer)));
    assert_eq!(with.response, without.response);
    assert_eq!(with.fraction, without.fraction);
    assert_eq!(
        (with.n_components, with.noise_pool),
        (without.n_components, without.noise_pool)
    );
    let error = quietly(|run| whole.choose(&[], run)).unwrap_err();
    assert!(error.to_string().contains("no runs"), "{error}");
}

#[test]
fn without_any_repeat_nothing_is_shrunk_and_it_is_said() {
    let course: Vec<f32> = (0..90).map(|t| 300.0 + made_at(t, 5.0) as f32).collect();
    let rows = ["a", "b", "c", "d"].iter().enumerate();
    let rows = rows
        .map(|(i, name)| event(6.0 + 19.3 * i as f64, 3.0, name))
        .collect();
    let subject = subject(vec![bold("01", series(&[course], 2.0), rows)]);
    let read = betas(&selection(&subject), &plan(TrialModel::Ridge))
        .0
        .unwrap();
    assert!(
        read.method
            .contains("not regularised, because no stimulus was shown twice"),
        "{}",
        read.method
    );
    assert!(read.values.values.iter().all(|v| v.is_finite()));
}

#[test]
fn written_trials_open_as_a_study() {
    let demo = small_demo(1);
    let selection = first_subject(&demo.study);
    let in_percent = BetasPlan {
        units: TrialUnits::Percent,
        ..plan(TrialModel::LeastSquaresSeparate)
    };
    let written = betas(&selection, &in_percent).0.unwrap();
    assert!(written.method.contains("per cent"), "{}", written.method);
    let folder = tempfile::tempdir().unwrap();
    write_trials(folder.path(), "Demo \"of\" trials", &written).unwrap();
    let study = quietly(|run| Study::open(folder.path(), run)).unwrap();
    let Some(ReadyBetas::Memory(read)) = &study.subjects[0].betas else {
        panic!("betas were written");
    };
    assert_eq!(read.values, written.values);
    assert_eq!(read.trials, written.trials);
    let Columns::Points(points) = &read.columns else {
        panic!("points were written");
    };
    let Columns::Voxels(mask) = &written.columns else {
        panic!("the demo has a grid");
    };
    let first = mask
        .grid()
        .world(mask.grid().ijk(mask.voxels()[0] as usize));
    assert!(points[0].as_dvec3().distance(first) < 1e-3);
}
